//! What could stand at a place of a formula that is being written.
//!
//! Not whether the formula is right. Contract: never fails, whatever the text and wherever the cursor; the range that is to be
//! replaced lies on character boundaries and touches the cursor; the likeliest candidates come first.

use super::lexer::{Lexer, Token, continues_name};
use super::nearest::nearest;
use crate::feature::functions::{self, Function, LeftOut, ParameterKind, functions};
use crate::feature::graph::Field;
use crate::feature::talib::moving_average_names;
use crate::language::describe;
use crate::tr;
use std::ops::Range;

/// What kind of thing a candidate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CandidateKind {
    /// A parameter of the function around the cursor, or a word for its value.
    Parameter,
    /// One of a function's outputs.
    Output,
    /// A column of the bars.
    Field,
    /// A feature or helper.
    Feature,
    /// A function.
    Function,
}

/// Something that could stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What it is.
    pub kind: CandidateKind,
    /// What to write in the place of the range.
    pub insert: String,
    /// How it is listed: a name, or a function's signature.
    pub label: String,
    /// One line for people; may be empty.
    pub detail: String,
}

/// What could stand at a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// What a candidate replaces: the word that the cursor is in or behind.
    pub range: Range<usize>,
    /// The likeliest first.
    pub candidates: Vec<Candidate>,
}

/// The call that a place of a formula is in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CallAt {
    /// The function.
    pub function: &'static Function,
    /// Which of its values is being written, counted from 0.
    pub argument: usize,
}

/// What stands before the word at the cursor.
struct Before<'text> {
    /// Names of the calls around it, the innermost last, and how many commas each has had; `None` for plain brackets.
    calls: Vec<(Option<&'text str>, usize)>,
    /// The call that has just been closed.
    closed: Option<&'text str>,
    /// Whether a dot stands right before it.
    is_behind_dot: bool,
    /// Whether a value is expected.
    wants_value: bool,
}

fn before(text: &str) -> Before<'_> {
    let mut before = Before { calls: Vec::new(), closed: None, is_behind_dot: false, wants_value: true };
    let mut name = None;
    for (_, token) in Lexer::new(text) {
        let last_name = name.take();
        before.is_behind_dot = token == Ok(Token::Dot);
        before.wants_value = matches!(token, Ok(Token::Symbol(_) | Token::Open | Token::Comma | Token::Assign));
        match token {
            Ok(Token::Name(text)) => name = Some(text),
            Ok(Token::Open) => before.calls.push((last_name, 0)),
            Ok(Token::Close) => before.closed = before.calls.pop().and_then(|(name, _)| name),
            Ok(Token::Comma) => {
                if let Some((_, commas)) = before.calls.last_mut() {
                    *commas += 1;
                }
            }
            _ => {}
        }
    }
    before
}

/// The place, or the nearest before it that is on a character boundary.
fn boundary(text: &str, place: usize) -> usize {
    (0..=place.min(text.len())).rev().find(|place| text.is_char_boundary(*place)).unwrap_or(0)
}

/// The call around a place, for showing its signature.
#[must_use]
pub fn call_at(text: &str, cursor: usize) -> Option<CallAt> {
    let before = before(text.get(..boundary(text, cursor))?);
    let (name, argument) = before.calls.iter().rev().find_map(|(name, commas)| name.map(|name| (name, *commas)))?;
    Some(CallAt { function: functions::function(name)?, argument })
}

/// What could stand at the cursor (a byte of the text), given the names of features and helpers.
#[must_use]
pub fn complete(text: &str, cursor: usize, known: &[&str]) -> Completion {
    let cursor = boundary(text, cursor);
    let (left, right) = text.split_at(cursor);
    let mut start = left.trim_end_matches(continues_name).len();
    let end = cursor + right.find(|character| !continues_name(character)).unwrap_or(right.len());
    let word = left.get(start..).unwrap_or_default();
    if word.starts_with(|character: char| character.is_ascii_digit()) {
        return Completion { range: start..end, candidates: Vec::new() };
    }
    let has_dollar = left.get(..start).is_some_and(|left| left.ends_with('$'));
    start -= usize::from(has_dollar);
    let before = before(left.get(..start).unwrap_or_default());
    let mut list = List { word, ranked: Vec::new() };
    if has_dollar {
        list.fields();
    } else if before.is_behind_dot {
        list.outputs(before.closed.and_then(functions::function));
    } else if !word.is_empty() || before.wants_value {
        if let Some(function) = before.calls.last().and_then(|(name, _)| name.and_then(functions::function)) {
            list.parameters(function);
        }
        list.fields();
        list.names(known);
        list.functions(text.get(end..).is_some_and(|after| after.trim_start().starts_with('(')));
        list.mended(known);
    }
    list.ranked.sort_by(|(left_rank, left), (right_rank, right)| (left_rank, left.kind).cmp(&(right_rank, right.kind)));
    Completion { range: start..end, candidates: list.ranked.into_iter().map(|(_, candidate)| candidate).collect() }
}

/// Candidates with how unlikely each is.
struct List<'text> {
    word: &'text str,
    ranked: Vec<(u8, Candidate)>,
}

impl List<'_> {
    /// How unlikely a name is for the word; `None` if it is none for it.
    fn rank(&self, name: &str) -> Option<u8> {
        let (word, lower) = (self.word.to_lowercase(), name.to_lowercase());
        let tail = lower.strip_prefix("ta_").unwrap_or(&lower);
        match () {
            () if name.starts_with(self.word) => Some(0),
            () if lower.starts_with(&word) => Some(1),
            () if tail.starts_with(&word) => Some(2),
            () if lower.contains(&word) => Some(3),
            () => None,
        }
    }

    fn add(&mut self, name: &str, candidate: impl FnOnce() -> Candidate) {
        if let Some(rank) = self.rank(name) {
            self.ranked.push((rank, candidate()));
        }
    }

    fn fields(&mut self) {
        for field in Field::ALL {
            let written = format!("${}", field.name());
            let detail = describe(field.description()).to_owned();
            self.add(field.name(), || Candidate { kind: CandidateKind::Field, insert: written.clone(), label: written, detail });
        }
    }

    fn names(&mut self, known: &[&str]) {
        for name in known {
            self.add(name, || named(name));
        }
    }

    /// Functions; the bracket is written with them unless it is there.
    fn functions(&mut self, is_called: bool) {
        for function in functions() {
            self.add(&function.name, || called(function, is_called));
        }
    }

    fn outputs(&mut self, function: Option<&Function>) {
        let Some(function) = function else { return };
        for output in &function.outputs {
            let detail = tr!("Output of {function}", function = function.name);
            self.add(output, || Candidate { kind: CandidateKind::Output, insert: output.to_string(), label: output.to_string(), detail });
        }
    }

    fn parameters(&mut self, function: &Function) {
        if self.word.is_empty() {
            return;
        }
        for parameter in function.parameters.iter().filter(|parameter| !parameter.is_series()) {
            let default = match parameter.default {
                Some(LeftOut::Number(number)) => tr!(" ({value} when left out)", value = super::Plain(number)),
                _ => String::new(),
            };
            self.add(&parameter.name, || Candidate {
                kind: CandidateKind::Parameter,
                insert: format!("{}=", parameter.name),
                label: format!("{}=", parameter.name),
                detail: format!("{}{default}", describe(&parameter.description)),
            });
        }
        if function.parameters.iter().any(|parameter| parameter.kind == ParameterKind::MovingAverage) {
            for name in moving_average_names() {
                let detail = tr!("Kind of moving average").to_owned();
                self.add(name, || Candidate { kind: CandidateKind::Parameter, insert: name.to_owned(), label: name.to_owned(), detail });
            }
        }
    }

    /// When nothing begins like the word: what it may have been meant to be.
    fn mended(&mut self, known: &[&str]) {
        if !self.ranked.is_empty() {
            return;
        }
        let names = known.iter().copied().chain(Field::ALL.map(Field::name)).chain(functions().iter().map(|function| &*function.name));
        let Some(near) = nearest(self.word, names) else { return };
        self.ranked.push((
            4,
            match (functions::function(near), Field::ALL.into_iter().find(|field| field.name() == near)) {
                _ if known.contains(&near) => named(near),
                (Some(function), _) => called(function, false),
                (None, Some(field)) => {
                    let written = format!("${}", field.name());
                    let detail = describe(field.description()).to_owned();
                    Candidate { kind: CandidateKind::Field, insert: written.clone(), label: written, detail }
                }
                (None, None) => named(near),
            },
        ));
    }
}

fn named(name: &str) -> Candidate {
    Candidate { kind: CandidateKind::Feature, insert: name.to_owned(), label: name.to_owned(), detail: String::new() }
}

fn called(function: &Function, is_called: bool) -> Candidate {
    let bracket = if is_called { "" } else { "(" };
    Candidate {
        kind: CandidateKind::Function,
        insert: format!("{}{bracket}", function.name),
        label: function.signature.clone(),
        detail: describe(&function.description).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is offered where the text has a `|`, and what it replaces.
    fn offered(text: &str) -> (String, Vec<String>) {
        let cursor = text.find('|').unwrap();
        let text = text.replacen('|', "", 1);
        let completion = complete(&text, cursor, &["ma5", "macd_dif", "my_rsi"]);
        (text[completion.range].to_owned(), completion.candidates.into_iter().map(|candidate| candidate.insert).collect())
    }

    #[test]
    fn the_word_at_the_cursor_is_completed() {
        for (text, replaced, first) in [
            ("$cl|", "$cl", "$close"),
            ("$|", "$", "$open"),
            ("Me|", "Me", "Mean("),
            ("me|", "me", "Mean("),
            ("Me|an($close, 5)", "Mean", "Mean"),
            ("ma|", "ma", "ma5"),
            ("1 + rsi|", "rsi", "TA_RSI("),
            ("TA_MACD($close).|", "", "macd"),
            ("TA_MACD($close).h|", "h", "hist"),
            ("Abs(TA_MACD(Mean($close, 5)).s|)", "s", "signal"),
            ("TA_MACD($close, fa|)", "fa", "fastperiod="),
            ("TA_MA($close, 20, em|)", "em", "ema"),
            ("Meen|", "Meen", "Mean("),
            ("clsoe|", "clsoe", "$close"),
            ("clo|", "clo", "$close"),
        ] {
            let (range, offers) = offered(text);
            assert_eq!((range.as_str(), offers.first().map(String::as_str)), (replaced, Some(first)), "{text}: {offers:?}");
        }
        for nothing in ["12|", "$close |", "Mean($close, 5).|", "zzzzzzzzz|", "$close.|"] {
            assert_eq!(offered(nothing).1, Vec::<String>::new(), "{nothing}");
        }
        assert!(offered("|").1.len() > 250, "everything could stand in an empty formula");
    }

    #[test]
    fn every_cursor_is_answered() {
        let text = "均线5 + TA_MACD($close, fast=12).hist >= é(";
        for cursor in 0..text.len() + 10 {
            let Completion { range, .. } = complete(text, cursor, &[]);
            assert!(text.get(range.clone()).is_some() && range.start <= cursor);
        }
    }

    #[test]
    fn the_call_around_a_place_is_found() {
        let at = |text: &str| call_at(text, text.len()).map(|call| (&*call.function.name, call.argument));
        assert_eq!(at("Mean($close, "), Some(("Mean", 1)));
        assert_eq!(at("Mean(Abs($close), (1"), Some(("Mean", 1)));
        assert_eq!(at("Mean($close, 5)"), None);
        assert_eq!(at("Nothing("), None);
    }
}
