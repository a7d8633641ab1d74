//! What each part of a text is, for colours.
//!
//! Not whether it is right. Contract: never fails; the parts follow each other in the order of the text, on character
//! boundaries; what is no part of the language is marked as wrong, and white space is left out.

use super::lexer::{Lexer, Token};
use std::ops::Range;

/// What a part of a formula is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// `$close`.
    Field,
    /// A name with a bracket behind it.
    Function,
    /// Another name: a feature or helper.
    Name,
    /// A name behind a dot.
    Output,
    /// A name before `=`.
    Parameter,
    /// A number.
    Number,
    /// `+`, `>=`, `&` …
    Operator,
    /// Brackets, commas, dots, `=`.
    Punctuation,
    /// What cannot stand in a formula.
    Wrong,
}

/// The parts of a text.
#[must_use]
pub fn tokens(text: &str) -> Vec<(Range<usize>, TokenKind)> {
    let mut tokens: Vec<(Range<usize>, TokenKind)> = Vec::new();
    let mut is_behind_dot = false;
    for (span, token) in Lexer::new(text) {
        let kind = match token {
            Ok(Token::Field(_)) => TokenKind::Field,
            Ok(Token::Number(_)) => TokenKind::Number,
            Ok(Token::Symbol(_)) => TokenKind::Operator,
            Ok(Token::Name(_)) if is_behind_dot => TokenKind::Output,
            Ok(Token::Name(_)) => TokenKind::Name,
            Ok(Token::Open | Token::Assign) => {
                let behind = if token == Ok(Token::Open) { TokenKind::Function } else { TokenKind::Parameter };
                if let Some((_, name @ TokenKind::Name)) = tokens.last_mut() {
                    *name = behind;
                }
                TokenKind::Punctuation
            }
            Ok(Token::Close | Token::Comma | Token::Dot) => TokenKind::Punctuation,
            Err(_) => TokenKind::Wrong,
        };
        is_behind_dot = token == Ok(Token::Dot);
        tokens.push((span, kind));
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_what_it_is() {
        let text = "TA_MACD($close, fast=12).hist * 2 §";
        let found: Vec<(&str, TokenKind)> = tokens(text).into_iter().map(|(span, kind)| (&text[span], kind)).collect();
        assert_eq!(
            found,
            [
                ("TA_MACD", TokenKind::Function),
                ("(", TokenKind::Punctuation),
                ("$close", TokenKind::Field),
                (",", TokenKind::Punctuation),
                ("fast", TokenKind::Parameter),
                ("=", TokenKind::Punctuation),
                ("12", TokenKind::Number),
                (")", TokenKind::Punctuation),
                (".", TokenKind::Punctuation),
                ("hist", TokenKind::Output),
                ("*", TokenKind::Operator),
                ("2", TokenKind::Number),
                ("§", TokenKind::Wrong),
            ]
        );
        assert_eq!(tokens("ma5 )"), [(0..3, TokenKind::Name), (4..5, TokenKind::Punctuation)]);
        assert!(tokens("").is_empty());
    }
}
