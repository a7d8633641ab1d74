//! Stand-in for `feature::formula`, in its shape.
#![allow(missing_docs)]

use std::ops::Range;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    Field,
    Function,
    Name,
    Number,
    Operator,
    Punctuation,
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub insert: String,
    pub label: String,
    pub detail: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    pub range: Range<usize>,
    pub candidates: Vec<Candidate>,
}

use crate::feature::functions::functions;

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

pub fn tokens(text: &str) -> Vec<(Range<usize>, TokenKind)> {
    let mut found = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some((start, char)) = rest.next() {
        if char.is_whitespace() {
            continue;
        }
        let mut end = start + char.len_utf8();
        let mut word = |end: &mut usize| {
            while let Some((at, next)) = rest.peek().copied() {
                if !is_word(next) && next != '.' {
                    break;
                }
                *end = at + next.len_utf8();
                rest.next();
            }
        };
        let kind = if char == '$' {
            word(&mut end);
            TokenKind::Field
        } else if char.is_ascii_digit() {
            word(&mut end);
            TokenKind::Number
        } else if is_word(char) {
            word(&mut end);
            if text[end..].starts_with('(') { TokenKind::Function } else { TokenKind::Name }
        } else if "(),".contains(char) {
            TokenKind::Punctuation
        } else {
            TokenKind::Operator
        };
        found.push((start..end, kind));
    }
    found
}

pub fn complete(text: &str, cursor: usize, known: &[&str]) -> Completion {
    let before = &text[..cursor];
    let start = before.char_indices().rev().take_while(|(_, c)| is_word(*c) || *c == '$').last().map_or(cursor, |(at, _)| at);
    let word = before[start..].to_lowercase();
    let mut candidates = Vec::new();
    for field in crate::feature::graph::Field::ALL {
        let name = format!("${}", field.name());
        if name.starts_with(&word) || field.name().starts_with(&word) {
            candidates.push(Candidate { insert: name.clone(), label: name, detail: field.description().to_owned() });
        }
    }
    for function in functions() {
        if function.name.to_lowercase().starts_with(&word) {
            candidates.push(Candidate {
                insert: format!("{}(", function.name),
                label: function.signature.clone(),
                detail: function.description.to_string(),
            });
        }
    }
    for name in known.iter().filter(|name| name.to_lowercase().starts_with(&word)) {
        candidates.push(Candidate { insert: (*name).to_owned(), label: (*name).to_owned(), detail: "Feature of this set".to_owned() });
    }
    Completion { range: start..cursor, candidates }
}
