//! Feature sets as files: TOML to parts with their places, and parts to TOML.
//!
//! Not what formulas mean (`build`). Contract: reading finds every mistake it can, each with its place in the file; what is
//! written reads back as the same parts.

use super::build::{Helper, Place, Precision, SetParts, Wrong};
use super::definition::{Definition, Group, Placement};
use super::formula::nearest;
use super::graph::WarmUp;
use super::set::SetMistake;
use std::fmt::Write;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// Largest file that is read, in bytes.
pub const LARGEST_FILE: usize = 4 * 1024 * 1024;

const SET_KEYS: [&str; 7] = ["name", "title", "description", "warmup", "precision", "helpers", "features"];
const FEATURE_KEYS: [&str; 4] = ["formula", "group", "pane", "description"];

/// What was read from a file.
#[derive(Debug, Default)]
pub(super) struct SetFile {
    pub parts: SetParts,
    /// Where the set's name stands, where its features do, and where each name and formula does.
    name: Range<usize>,
    features: Range<usize>,
    helper_places: Vec<FormulaPlace>,
    feature_places: Vec<FormulaPlace>,
    pub mistakes: Vec<SetMistake>,
}

/// Where a formula stands in the file.
#[derive(Debug, Default)]
struct FormulaPlace {
    name: Range<usize>,
    value: Range<usize>,
    /// Where its first character does, if the file has it letter by letter.
    text: Option<usize>,
}

/// One key with its value.
type Entry<'t, 'i> = (&'t Spanned<DeString<'i>>, &'t Spanned<DeValue<'i>>);

/// Line and character of a place in a text, both from 1.
pub(super) fn line_and_column(text: &str, place: usize) -> (usize, usize) {
    let before = text.get(..place).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before.get(line_start..).unwrap_or_default().chars().count() + 1)
}

/// Reads a file.
pub(super) fn read(text: &str) -> SetFile {
    let mut reader = Reader { text, file: SetFile::default() };
    if text.len() > LARGEST_FILE {
        reader.mistake(None, 0..0, format!("the file is larger than {} MiB", LARGEST_FILE / 1024 / 1024), None);
        return reader.file;
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        reader.mistake(None, span, error.message().replace('\n', ", "), None);
    }
    // What is behind a place that is no TOML may be anything.
    if reader.file.mistakes.is_empty() {
        reader.set(table.get_ref());
    }
    reader.file
}

struct Reader<'t> {
    text: &'t str,
    file: SetFile,
}

impl Reader<'_> {
    fn mistake(&mut self, feature: Option<&str>, span: Range<usize>, message: impl Into<String>, suggestion: Option<String>) {
        let (line, column) = line_and_column(self.text, span.start);
        let feature = feature.map(str::to_owned);
        self.file.mistakes.push(SetMistake { feature, span, formula_span: None, line, column, message: message.into(), suggestion });
    }

    fn set(&mut self, table: &DeTable<'_>) {
        let mut has_features = false;
        for (key, value) in entries(table) {
            match &**key.get_ref() {
                "name" => {
                    self.file.name = value.span();
                    self.file.parts.name = self.line(None, "name", value).unwrap_or_default();
                }
                "title" => self.file.parts.title = self.line(None, "title", value),
                "description" => self.file.parts.description = self.line(None, "description", value),
                "warmup" => {
                    let words = [("strict", WarmUp::Strict), ("partial", WarmUp::Partial)];
                    self.file.parts.warm_up = self.word(None, "warmup", value, &words).unwrap_or_default();
                }
                "precision" => {
                    let words = [("f64", Precision::F64), ("f32", Precision::F32)];
                    self.file.parts.precision = self.word(None, "precision", value, &words).unwrap_or_default();
                }
                "helpers" => {
                    if let Some(table) = self.table("helpers", value) {
                        self.helpers(table);
                    }
                }
                "features" => {
                    has_features = true;
                    self.file.features = key.span();
                    if let Some(table) = self.table("features", value) {
                        self.features(table);
                        if table.is_empty() {
                            self.mistake(None, key.span(), "the set has no features", None);
                        }
                    }
                }
                other => {
                    let near = nearest(other, SET_KEYS).map(str::to_owned);
                    self.mistake(None, key.span(), format!("a set has no {other}; it has {}", SET_KEYS.join(", ")), near);
                }
            }
        }
        let end = self.text.len()..self.text.len();
        if self.file.name.is_empty() {
            self.mistake(None, 0..0, "the set needs a name: name = \"my-set\"", None);
        }
        if !has_features {
            self.mistake(None, end, "the set needs a table [features] of formulas: close_to_ma5 = \"$close / Mean($close, 5)\"", None);
        }
    }

    fn table<'v, 'i>(&mut self, key: &str, value: &'v Spanned<DeValue<'i>>) -> Option<&'v DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.mistake(None, value.span(), format!("{key} must be a table: [{key}]"), None);
        }
        table
    }

    fn string(&mut self, feature: Option<&str>, key: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let string = value.get_ref().as_str().map(str::to_owned);
        if string.is_none() {
            self.mistake(
                feature,
                value.span(),
                format!("{key} must be a text in quotes, not {}", article(value.get_ref().type_str())),
                None,
            );
        }
        string
    }

    /// A text of one line.
    fn line(&mut self, feature: Option<&str>, key: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let string = self.string(feature, key, value)?;
        if string.contains(char::is_control) {
            self.mistake(feature, value.span(), format!("{key} must be one line"), None);
            return None;
        }
        Some(string)
    }

    /// One of several words.
    fn word<Meaning: Copy>(
        &mut self,
        feature: Option<&str>,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        words: &[(&'static str, Meaning)],
    ) -> Option<Meaning> {
        let string = self.string(feature, key, value)?;
        let known = words.iter().find(|(word, _)| *word == string);
        if known.is_none() {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let near = nearest(&string, names.iter().copied()).map(|near| format!("\"{near}\""));
            let message = format!("{key} must be {}, not {string:?}", one_of(&names));
            self.mistake(feature, value.span(), message, near);
        }
        known.map(|(_, meaning)| *meaning)
    }

    fn helpers(&mut self, table: &DeTable<'_>) {
        for (key, value) in entries(table) {
            let name = key.get_ref().to_string();
            let formula = self.string(Some(&name), "a helper's formula", value).unwrap_or_else(placeholder);
            let place = self.formula_place(key, value, &formula);
            self.file.helper_places.push(place);
            self.file.parts.helpers.push(Helper { name, formula });
        }
    }

    fn features(&mut self, table: &DeTable<'_>) {
        for (key, value) in entries(table) {
            let name = key.get_ref().to_string();
            let mut definition = Definition::of_formula(&*name, "");
            let mut formula_value = None;
            match value.get_ref() {
                DeValue::String(_) => formula_value = Some(value),
                DeValue::Table(table) => {
                    for (key, value) in entries(table) {
                        let at = Some(name.as_str());
                        match &**key.get_ref() {
                            "formula" => formula_value = Some(value),
                            "group" => {
                                let words = Group::ALL.map(|group| (group.key(), group));
                                definition.group = self.word(at, "group", value, &words).unwrap_or(Group::Other);
                            }
                            "pane" => {
                                if let Some(pane) = self.line(at, "pane", value) {
                                    definition.placement = Placement::of_key(&pane);
                                }
                            }
                            "description" => definition.description = self.line(at, "description", value).unwrap_or_default(),
                            other => {
                                let near = nearest(other, FEATURE_KEYS).map(str::to_owned);
                                self.mistake(at, key.span(), format!("a feature has no {other}; it has {}", FEATURE_KEYS.join(", ")), near);
                            }
                        }
                    }
                    if formula_value.is_none() {
                        self.mistake(Some(&name), key.span(), format!("{name} needs a formula: {name} = {{ formula = \"…\" }}"), None);
                    }
                }
                other => {
                    let message = format!("a feature is a formula in quotes, or {{ formula = \"…\" }}, not {}", article(other.type_str()));
                    self.mistake(Some(&name), value.span(), message, None);
                }
            }
            let formula = formula_value.and_then(|value| self.string(Some(&name), "formula", value)).unwrap_or_else(placeholder);
            let place = self.formula_place(key, formula_value.unwrap_or(value), &formula);
            self.file.feature_places.push(place);
            definition.formula = formula;
            self.file.parts.features.push(definition);
        }
    }

    fn formula_place(&self, key: &Spanned<DeString<'_>>, value: &Spanned<DeValue<'_>>, formula: &str) -> FormulaPlace {
        let written = self.text.get(value.span()).unwrap_or_default();
        let quotes = if written.starts_with("\"\"\"") || written.starts_with("'''") { 3 } else { 1 };
        // A line break right behind three quotes is not part of the text.
        let inner = written.get(quotes..).unwrap_or_default();
        let blank = if quotes == 1 { 0 } else { inner.len() - inner.trim_start_matches('\r').trim_start_matches('\n').len() };
        let start = quotes + blank.min(2);
        let is_literal = written.get(start..).is_some_and(|rest| rest.starts_with(formula) && rest.len() == formula.len() + quotes);
        FormulaPlace { name: key.span(), value: value.span(), text: is_literal.then(|| value.span().start + start) }
    }
}

impl SetFile {
    /// All mistakes with their places in the file, in its order.
    pub(super) fn mistakes_with(self, wrong: Vec<Wrong>, text: &str) -> Vec<SetMistake> {
        let mut mistakes = self.mistakes;
        for Wrong { place, mistake } in wrong {
            let in_formula = |at: Option<&FormulaPlace>, name: Option<String>| {
                let at_start = at.and_then(|at| at.text);
                let span = match (at, at_start) {
                    (_, Some(start)) => start + mistake.span.start..start + mistake.span.end,
                    (Some(at), None) => at.value.clone(),
                    (None, None) => 0..0,
                };
                (name, span, Some(mistake.span.clone()), at_start.is_some())
            };
            let helper = |place: usize| self.parts.helpers.get(place).map(|helper| helper.name.clone());
            let feature = |place: usize| self.parts.features.get(place).map(|feature| feature.name.to_string());
            let name_of = |at: Option<&FormulaPlace>| at.map_or(0..0, |at| at.name.clone());
            let (name, span, formula_span, is_exact) = match place {
                // A name that is missing is told already.
                Place::SetName if self.name.is_empty() => continue,
                Place::SetName => (None, self.name.clone(), None, true),
                Place::Features => (None, self.features.clone(), None, true),
                Place::HelperName(place) => (helper(place), name_of(self.helper_places.get(place)), None, true),
                Place::FeatureName(place) => (feature(place), name_of(self.feature_places.get(place)), None, true),
                Place::HelperFormula(place) => in_formula(self.helper_places.get(place), helper(place)),
                Place::FeatureFormula(place) => in_formula(self.feature_places.get(place), feature(place)),
            };
            let (line, column) = line_and_column(text, span.start);
            // In the place of a whole value a name would be wrong.
            let (message, suggestion) = match (mistake.suggestion, is_exact) {
                (Some(near), false) => (format!("{}; did you mean {near}?", mistake.message), None),
                (suggestion, _) => (mistake.message, suggestion),
            };
            mistakes.push(SetMistake { feature: name, span, formula_span, line, column, message, suggestion });
        }
        mistakes.sort_by_key(|mistake| (mistake.span.start, mistake.span.end));
        mistakes
    }
}

/// Stands for a formula that is missing, which is told: what names the feature is not wrong because of it.
fn placeholder() -> String {
    "0".to_owned()
}

/// The entries of a table in the order of the file.
fn entries<'t, 'i>(table: &'t DeTable<'i>) -> Vec<Entry<'t, 'i>> {
    let mut entries: Vec<Entry<'t, 'i>> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kind}")
}

/// `"a"`, `"b"` or `"c"`.
fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// A file that makes a set of these parts.
pub(super) fn to_toml(parts: &SetParts) -> String {
    let mut text = format!("name = {}\n", quoted(&parts.name));
    let mut line = |key: &str, value: String| writeln!(text, "{key} = {value}").unwrap_or_default();
    for (key, value) in [("title", &parts.title), ("description", &parts.description)] {
        if let Some(value) = value {
            line(key, quoted(value));
        }
    }
    line("warmup", quoted(&parts.warm_up.to_string()));
    line("precision", quoted(parts.precision.key()));
    if !parts.helpers.is_empty() {
        text.push_str("\n[helpers]\n");
        for helper in &parts.helpers {
            writeln!(text, "{} = {}", key(&helper.name), quoted(&helper.formula)).unwrap_or_default();
        }
    }
    text.push_str("\n[features]\n");
    for feature in &parts.features {
        let own_pane = Placement::OwnPane(feature.name.clone());
        let mut more = String::new();
        if feature.group != Group::Other {
            write!(more, ", group = {}", quoted(feature.group.key())).unwrap_or_default();
        }
        if feature.placement != own_pane {
            write!(more, ", pane = {}", quoted(feature.placement.key())).unwrap_or_default();
        }
        if !feature.description.is_empty() {
            write!(more, ", description = {}", quoted(&feature.description)).unwrap_or_default();
        }
        let formula = quoted(&feature.formula);
        let value = if more.is_empty() { formula } else { format!("{{ formula = {formula}{more} }}") };
        writeln!(text, "{} = {value}", key(&feature.name)).unwrap_or_default();
    }
    text
}

/// A text in TOML's quotes.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A key, in quotes where TOML wants them.
fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if is_bare { name.to_owned() } else { quoted(name) }
}
