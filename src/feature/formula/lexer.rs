//! Text to tokens: where each begins and ends, and what is no token.
//!
//! Not grammar. Contract: tokens and mistakes follow each other without gaps but white space, each at least one character
//! long and on character boundaries, so that reading goes on after a mistake and always ends.

use super::Mistake;
use std::ops::Range;

/// What stands between two values, or before one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    Plus,
    Minus,
    Star,
    Slash,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    And,
    Or,
    Not,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'text> {
    /// A finite number.
    Number(f64),
    /// A field's name without the dollar sign.
    Field(&'text str),
    /// A function's, feature's, helper's, output's or parameter's name.
    Name(&'text str),
    Symbol(Symbol),
    Open,
    Close,
    Comma,
    Dot,
    Assign,
}

/// Reads one token after the other.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'text> {
    text: &'text str,
    place: usize,
    /// After `)` and names a dot selects an output; elsewhere `.5` is a number.
    dot_selects: bool,
}

/// Whether a name may start with this character.
pub(crate) fn starts_name(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

/// Whether a name may go on with this character.
pub(crate) fn continues_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

impl<'text> Lexer<'text> {
    pub(super) fn new(text: &'text str) -> Self {
        Self { text, place: 0, dot_selects: false }
    }

    fn rest(&self) -> &'text str {
        self.text.get(self.place..).unwrap_or_default()
    }

    /// The part of the text's rest for which the characters are such, not longer than it.
    fn run(&self, from: usize, such: impl Fn(char) -> bool) -> usize {
        let rest = self.rest().get(from..).unwrap_or_default();
        from + rest.find(|character| !such(character)).unwrap_or(rest.len())
    }

    /// Takes so many bytes.
    fn take(&mut self, bytes: usize) -> Range<usize> {
        let start = self.place;
        self.place = (start + bytes).min(self.text.len());
        start..self.place
    }

    fn number(&mut self) -> (Range<usize>, Result<Token<'text>, Mistake>) {
        let digit = |character: char| character.is_ascii_digit();
        let mut length = self.run(0, digit);
        let rest = self.rest();
        let at = |place: usize| rest.get(place..).and_then(|rest| rest.chars().next());
        if at(length) == Some('.') {
            length = self.run(length + 1, digit);
        }
        if matches!(at(length), Some('e' | 'E')) {
            let sign = usize::from(matches!(at(length + 1), Some('+' | '-')));
            if at(length + 1 + sign).is_some_and(digit) {
                length = self.run(length + 1 + sign, digit);
            }
        }
        let glued = self.run(length, continues_name);
        if glued > length {
            let text = rest.get(..glued).unwrap_or_default();
            let span = self.take(glued);
            return (
                span.clone(),
                Err(Mistake::new(span, format!("{text} is neither a number nor a name; names start with a letter or _"))),
            );
        }
        let text = rest.get(..length).unwrap_or_default();
        let span = self.take(length);
        let mistake = |message: &str| Err(Mistake::new(span.clone(), format!("the number {text} is {message}")));
        let is_zero = |text: &str| !text.split(['e', 'E']).next().unwrap_or_default().contains(|digit| matches!(digit, '1'..='9'));
        let token = match text.parse::<f64>() {
            Ok(value) if !value.is_finite() => mistake("too large"),
            Ok(value) if value == 0.0 && !is_zero(text) => mistake("so small that it would be 0"),
            Ok(value) => Ok(Token::Number(value)),
            Err(_) => mistake("not written as a number"),
        };
        (span, token)
    }

    /// What cannot stand in a formula, with what the writer probably wanted.
    fn unexpected(&mut self, character: char) -> (Range<usize>, Result<Token<'text>, Mistake>) {
        let span = self.take(character.len_utf8());
        let narrow = u32::from(character).checked_sub(0xFEE0).and_then(char::from_u32).filter(char::is_ascii_graphic);
        let mistake = Mistake::new(span.clone(), String::new());
        let mistake = match (character, narrow) {
            (_, Some(narrow)) => {
                Mistake { message: format!("{character} is a full-width character"), suggestion: Some(narrow.to_string()), ..mistake }
            }
            ('×' | '·' | '∙', _) => {
                Mistake { message: format!("{character} is no operator"), suggestion: Some("*".to_owned()), ..mistake }
            }
            ('÷' | '∕', _) => Mistake { message: format!("{character} is no operator"), suggestion: Some("/".to_owned()), ..mistake },
            ('−' | '–' | '—', _) => {
                Mistake { message: format!("{character} is no minus sign"), suggestion: Some("-".to_owned()), ..mistake }
            }
            ('≥', _) => Mistake { message: "≥ is no operator".to_owned(), suggestion: Some(">=".to_owned()), ..mistake },
            ('≤', _) => Mistake { message: "≤ is no operator".to_owned(), suggestion: Some("<=".to_owned()), ..mistake },
            ('≠', _) => Mistake { message: "≠ is no operator".to_owned(), suggestion: Some("!=".to_owned()), ..mistake },
            ('!', _) => Mistake {
                message: "! is no operator; write Not(x), or ~ before it".to_owned(),
                suggestion: Some("~".to_owned()),
                ..mistake
            },
            ('^', _) => Mistake { message: "^ is no operator; write Power(x, y)".to_owned(), ..mistake },
            ('%', _) => Mistake { message: "% is no operator; write a percentage as 0.05, or multiply by 100".to_owned(), ..mistake },
            ('$', _) => Mistake { message: "a field's name is expected after $, such as $close".to_owned(), ..mistake },
            ('#', _) => Mistake {
                message: "comments cannot stand within a formula; write them after it, or on a line of their own".to_owned(),
                ..mistake
            },
            ('[' | ']' | '{' | '}', _) => Mistake { message: format!("{character} cannot stand in a formula; use ( and )"), ..mistake },
            _ => Mistake { message: format!("{character:?} cannot stand in a formula"), ..mistake },
        };
        (span, Err(mistake))
    }
}

impl<'text> Iterator for Lexer<'text> {
    type Item = (Range<usize>, Result<Token<'text>, Mistake>);

    fn next(&mut self) -> Option<Self::Item> {
        let blank = self.run(0, char::is_whitespace);
        self.take(blank);
        let rest = self.rest();
        let mut characters = rest.chars();
        let first = characters.next()?;
        let second = characters.next();
        let dot_selects = std::mem::take(&mut self.dot_selects);
        if first.is_ascii_digit() || (first == '.' && !dot_selects && second.is_some_and(|second| second.is_ascii_digit())) {
            return Some(self.number());
        }
        if starts_name(first) {
            let length = self.run(0, continues_name);
            self.dot_selects = true;
            return Some((self.take(length), Ok(Token::Name(rest.get(..length).unwrap_or_default()))));
        }
        if first == '$' && second.is_some_and(continues_name) {
            let length = self.run(1, continues_name);
            self.dot_selects = true;
            return Some((self.take(length), Ok(Token::Field(rest.get(1..length).unwrap_or_default()))));
        }
        let wrong = |span: Range<usize>, message: &str, suggestion: &str| {
            let suggestion = (!suggestion.is_empty()).then(|| suggestion.to_owned());
            Some((span.clone(), Err(Mistake { span, message: message.to_owned(), suggestion })))
        };
        let (length, token) = match (first, second) {
            ('*', Some('*')) => {
                let span = self.take(2);
                return wrong(span, "** is no operator; write Power(x, y)", "");
            }
            ('/', Some('/')) => {
                let span = self.take(2);
                return wrong(span, "// is no operator", "/");
            }
            ('&', Some('&')) => {
                let span = self.take(2);
                return wrong(span, "&& is no operator", "&");
            }
            ('|', Some('|')) => {
                let span = self.take(2);
                return wrong(span, "|| is no operator", "|");
            }
            ('<', Some('>')) => {
                let span = self.take(2);
                return wrong(span, "<> is no operator", "!=");
            }
            ('>', Some('=')) => (2, Token::Symbol(Symbol::GreaterOrEqual)),
            ('<', Some('=')) => (2, Token::Symbol(Symbol::LessOrEqual)),
            ('=', Some('=')) => (2, Token::Symbol(Symbol::Equal)),
            ('!', Some('=')) => (2, Token::Symbol(Symbol::NotEqual)),
            ('>', _) => (1, Token::Symbol(Symbol::Greater)),
            ('<', _) => (1, Token::Symbol(Symbol::Less)),
            ('+', _) => (1, Token::Symbol(Symbol::Plus)),
            ('-', _) => (1, Token::Symbol(Symbol::Minus)),
            ('*', _) => (1, Token::Symbol(Symbol::Star)),
            ('/', _) => (1, Token::Symbol(Symbol::Slash)),
            ('&', _) => (1, Token::Symbol(Symbol::And)),
            ('|', _) => (1, Token::Symbol(Symbol::Or)),
            ('~', _) => (1, Token::Symbol(Symbol::Not)),
            ('=', _) => (1, Token::Assign),
            ('(', _) => (1, Token::Open),
            (')', _) => (1, Token::Close),
            (',', _) => (1, Token::Comma),
            ('.', _) => (1, Token::Dot),
            _ => return Some(self.unexpected(first)),
        };
        self.dot_selects = token == Token::Close;
        Some((self.take(length), Ok(token)))
    }
}
