//! `samovar sets check`: what is wrong with a set's file or with formulas, each mistake under its place.

use crate::cli::arguments::CheckOptions;
use crate::cli::console::{Console, counted};
use crate::cli::failure::{Code, Outcome, usage};
use crate::cli::formulas::{Formula, names_of};
use crate::cli::table::width;
use crate::feature::{FeatureSet, SetMistake, reserved_name};
use anyhow::Context;
use serde::Serialize;
use std::ops::Range;

#[derive(Serialize)]
struct MistakeJson<'mistake> {
    feature: Option<&'mistake str>,
    line: usize,
    column: usize,
    /// Bytes of the text.
    start: usize,
    end: usize,
    message: &'mistake str,
    suggestion: Option<&'mistake str>,
}

pub(super) fn run(console: &Console, options: &CheckOptions) -> Outcome {
    let Some(file) = &options.file else {
        return if options.formulas.is_empty() {
            Err(usage("name a file, or a formula with --formula"))
        } else {
            formulas(console, options)
        };
    };
    let text = std::fs::read_to_string(file).with_context(|| format!("the file {} cannot be read", file.display()))?;
    let checked = FeatureSet::from_toml(&text);
    if let Some(reason) = checked.as_ref().ok().and_then(|set| reserved_name(set.name())) {
        console.warn(&format!("{}: {reason}", file.display()));
    }
    let places = |mistake: &SetMistake| {
        let head = format!("{}, {mistake}\n", file.display());
        head + &mark(&text, &mistake.span)
    };
    tell(console, checked, places)
}

fn formulas(console: &Console, options: &CheckOptions) -> Outcome {
    let read = names_of(&options.formulas)?;
    let pairs: Vec<(&str, &str)> = read.iter().map(|formula| (&*formula.name, &*formula.text)).collect();
    tell(console, FeatureSet::of_formulas("formulas", options.warmup.meant(), &pairs), |mistake| marked(&read, mistake))
}

fn tell(console: &Console, checked: Result<FeatureSet, Vec<SetMistake>>, text_of: impl Fn(&SetMistake) -> String) -> Outcome {
    let code = if checked.is_ok() { Code::AllWell } else { Code::Failed };
    if console.is_json() {
        let (set, mistakes) = match &checked {
            Ok(set) => (Some(set), &[][..]),
            Err(mistakes) => (None, mistakes.as_slice()),
        };
        let set = set.map(|set| {
            let features: Vec<&str> = set.definitions().iter().map(|feature| &*feature.name).collect();
            serde_json::json!({
                "name": set.name(), "features": features.len(), "names": features,
                "definition_hash": set.definition_hash().to_string(), "precision": set.precision().key(),
            })
        });
        let problems: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        let mistakes: Vec<MistakeJson<'_>> = mistakes.iter().map(mistake_json).collect();
        console.json(&serde_json::json!({ "ok": code == Code::AllWell, "set": set, "problems": problems, "mistakes": mistakes }))?;
        return Ok(code);
    }
    match checked {
        Ok(set) => {
            let features = counted(set.definitions().len(), "feature", "features");
            console.print(&format!("{}: {features}, no mistakes; definition {}\n", set.name(), set.definition_hash()))?;
        }
        Err(mistakes) => console.print(&mistakes.iter().map(text_of).collect::<Vec<_>>().join("\n"))?,
    }
    Ok(code)
}

fn mistake_json(mistake: &SetMistake) -> MistakeJson<'_> {
    MistakeJson {
        feature: mistake.feature.as_deref(),
        line: mistake.line,
        column: mistake.column,
        start: mistake.span.start,
        end: mistake.span.end,
        message: &mistake.message,
        suggestion: mistake.suggestion.as_deref(),
    }
}

/// A mistake of formulas that were given as arguments, with the place marked.
pub(in crate::cli) fn marked(formulas: &[Formula], mistake: &SetMistake) -> String {
    let near = mistake.suggestion.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    let place = mistake.feature.as_ref().and_then(|name| formulas.iter().find(|formula| formula.name == *name));
    let Some(formula) = place else { return format!("{}{near}\n", mistake.message) };
    let head = format!("{}: {}{near}\n", formula.name, mistake.message);
    head + &mark(&formula.text, mistake.formula_span.as_ref().unwrap_or(&mistake.span))
}

/// The line of a text that a place is in, with the place marked under it.
pub(in crate::cli) fn mark(text: &str, span: &Range<usize>) -> String {
    let start = floor(text, span.start);
    let before = text.get(..start).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let number = before.matches('\n').count() + 1;
    let rest = text.get(line_start..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    let line_end = line_start + line.len();
    let marked = text.get(start.min(line_end)..floor(text, span.end).clamp(start.min(line_end), line_end)).unwrap_or_default();
    // Tabs as they are, so that the mark stands under its place whatever they are wide.
    let lead: String = (text.get(line_start..start.min(line_end)).unwrap_or_default().chars())
        .map(|letter| if letter == '\t' { "\t".to_owned() } else { " ".repeat(width(letter.encode_utf8(&mut [0; 4]))) })
        .collect();
    let number = number.to_string();
    let gutter = " ".repeat(number.len());
    format!("  {number} | {line}\n  {gutter} | {lead}{}\n", "^".repeat(width(marked).max(1)))
}

/// The last character boundary at or before a place.
fn floor(text: &str, place: usize) -> usize {
    (0..=place.min(text.len())).rev().find(|place| text.is_char_boundary(*place)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_stands_under_its_place_whatever_the_script() {
        let text = "first\n均线 = \"Maen($close, 5)\"\nlast";
        let start = text.find("Maen").expect("there");
        assert_eq!(mark(text, &(start..start + 4)), "  2 | 均线 = \"Maen($close, 5)\"\n    |         ^^^^\n");
        assert_eq!(mark(text, &(text.len()..text.len())), "  3 | last\n    |     ^\n");
        assert_eq!(mark("", &(0..0)), "  1 | \n    | ^\n");
        assert_eq!(mark("a\tb", &(2..3)), "  1 | a\tb\n    |  \t^\n");
        assert_eq!(mark("ab\ncd", &(1..5)), "  1 | ab\n    |  ^\n", "only the first of several lines");
        assert_eq!(mark("a", &(7..9)), "  1 | a\n    |  ^\n");
    }
}
