//! The editor: a draft, what is wrong with it, what it gives on the symbol that is shown, and the way to saving it.
//!
//! Not the field it is typed into. Contract: a version counts every change of what is previewed; an answer is used only if it is
//! about the last version that was asked about.

use super::draft::{Draft, FeatureKey};
use crate::feature::formula::{TokenKind, tokens};
use crate::feature::{RAW_COLUMNS, SetMistake};
use crate::market::Symbol;
use crate::tr;
use crate::worker::series::{SeriesColumn, SeriesFigures};
use crate::worker::{Job, Outdate, Preview, PreviewError};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// Something wrong in the formula.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftMistake {
    /// Where, in bytes of the formula.
    pub span: Range<usize>,
    /// What is wrong and what was expected.
    pub message: String,
    /// What was probably meant instead.
    pub suggestion: Option<String>,
}

/// The set that the line of a preview is said to be of on the chart.
pub const PREVIEW_SET: &str = "preview";

/// What the formula gives on a symbol.
#[derive(Debug, Clone)]
pub struct DraftPreview {
    /// On which.
    pub symbol: Symbol,
    /// Under which name its column is there.
    pub name: String,
    /// Bars, column, figures.
    pub preview: Preview,
}

impl DraftPreview {
    /// The column.
    #[must_use]
    pub fn column(&self) -> Option<&Arc<SeriesColumn>> {
        let mut answers = self.preview.data.answers().iter();
        answers.find(|(source, _)| source.label() == self.name).and_then(|(_, answer)| answer.as_ref().ok())
    }

    /// Its figures.
    #[must_use]
    pub fn figures(&self) -> Option<&SeriesFigures> {
        self.column().map(|column| column.figures())
    }
}

/// How the preview stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PreviewState {
    /// Nothing was asked yet.
    #[default]
    None,
    /// The answer is on its way; what was before stays.
    Waiting,
    /// It is there.
    Ready,
    /// No symbol is chosen.
    NoSymbol,
    /// The symbol has no bars in the cache.
    NotCached,
    /// It would take too long: why.
    TooLong(String),
    /// Something failed: what.
    Failed(String),
}

/// The way to saving.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Saving {
    /// Not begun.
    #[default]
    No,
    /// What becomes outdated is being found out.
    Asking {
        /// Number of the question.
        generation: u64,
        /// The set's text as it would be.
        text: String,
    },
    /// The user is asked.
    Question {
        /// The set's text as it would be.
        text: String,
        /// What it would change.
        outdate: Box<Outdate>,
    },
    /// The file is being written.
    Writing,
}

/// A draft and everything around it.
#[derive(Debug, Clone)]
pub struct Editor {
    /// What is written.
    pub draft: Draft,
    /// What is wrong in the formula, in the order of the text.
    pub mistakes: Vec<DraftMistake>,
    /// What is wrong elsewhere: in a helper, or with the set.
    pub other_problem: Option<String>,
    /// How the preview stands.
    pub preview_state: PreviewState,
    /// The last preview that came, of this version or one before.
    pub preview: Option<DraftPreview>,
    /// The way to saving.
    pub saving: Saving,
    /// Goes up with every change of what is previewed.
    pub version: u64,
    /// The version nothing was typed after for a moment.
    pub(super) settled: u64,
    /// What was asked about last: symbol, version, and which bars.
    pub(super) asked: Option<(Symbol, u64, usize)>,
    /// The number of the last question.
    pub(super) generation: u64,
    /// What is on its way to the file.
    pub(super) being_saved: Draft,
    saved: Draft,
}

impl Editor {
    /// An editor on a draft, which counts as saved.
    pub(super) fn new(draft: Draft) -> Self {
        Self {
            saved: draft.clone(),
            being_saved: Draft::default(),
            draft,
            mistakes: Vec::new(),
            other_problem: None,
            preview_state: PreviewState::None,
            preview: None,
            saving: Saving::No,
            version: 1,
            settled: 1,
            asked: None,
            generation: 0,
        }
    }

    /// An editor on a draft of an earlier session, which was not saved.
    pub(super) fn brought_back(draft: Draft) -> Self {
        Self { saved: Draft { set: draft.set.clone(), ..Draft::default() }, ..Self::new(draft) }
    }

    /// What is saved, as the set has it now: an earlier session or somebody else may have saved it.
    pub(super) fn compare_with(&mut self, saved: Draft) {
        self.saved = saved;
    }

    /// Whether something would be lost if it were closed.
    #[must_use]
    pub fn is_unsaved(&self) -> bool {
        // White space around is not saved.
        self.draft.trimmed() != self.saved.trimmed() && !(self.draft.origin.is_none() && self.draft.formula.trim().is_empty())
    }

    /// Whether nothing was typed for a moment.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.settled == self.version
    }

    /// Whether it changes a saved feature.
    #[must_use]
    pub fn is_of_saved(&self) -> bool {
        self.draft.origin.is_some()
    }

    /// Takes over what was typed.
    pub(super) fn change(&mut self, draft: Draft) {
        let before = std::mem::replace(&mut self.draft, draft);
        let seen = |draft: &Draft| (draft.formula.clone(), draft.warm_up, draft.set.clone(), draft.name.trim().to_owned());
        if seen(&before) != seen(&self.draft) {
            self.version += 1;
            // Answers about the text before point to the wrong places.
            if before.formula != self.draft.formula {
                self.mistakes.clear();
                self.other_problem = None;
            }
        }
    }

    /// It is saved now, as this feature.
    pub(super) fn became(&mut self, key: FeatureKey) {
        self.draft.origin = Some(key.clone());
        // What was typed meanwhile is not saved yet.
        self.saved = Draft { origin: Some(key), ..std::mem::take(&mut self.being_saved) };
        self.saving = Saving::No;
    }

    /// There is nothing to be shown, for this reason.
    pub(super) fn without_preview(&mut self, state: PreviewState) -> Vec<Job> {
        (self.preview, self.preview_state, self.asked) = (None, state, None);
        Vec::new()
    }

    /// Uses what a look at the text alone found.
    pub(super) fn checked(&mut self, name: &str, mistakes: Vec<SetMistake>) {
        self.mistakes.clear();
        self.other_problem = None;
        for mistake in mistakes {
            match mistake.formula_span {
                Some(span) if mistake.feature.as_deref() == Some(name) => {
                    self.mistakes.push(DraftMistake { span, message: mistake.message, suggestion: mistake.suggestion });
                }
                // What is wrong with the name is told beside the name.
                None if mistake.feature.as_deref() == Some(name) => {}
                _ => {
                    let problem = match mistake.feature {
                        Some(feature) => tr!("In {formula}: {mistake}", formula = feature, mistake = mistake.message),
                        None => mistake.message,
                    };
                    self.other_problem.get_or_insert(problem);
                }
            }
        }
    }

    /// Uses what the worker found.
    pub(super) fn answered(&mut self, symbol: Symbol, name: String, result: Result<Preview, PreviewError>) {
        match result {
            Ok(preview) => {
                let (of_formula, of_helpers): (Vec<_>, Vec<_>) = preview.mistakes.iter().partition(|mistake| !mistake.is_helper);
                self.mistakes = of_formula
                    .into_iter()
                    .map(|mistake| DraftMistake {
                        span: mistake.span.clone(),
                        message: mistake.message.clone(),
                        suggestion: mistake.suggestion.clone(),
                    })
                    .collect();
                self.other_problem =
                    of_helpers.first().map(|mistake| tr!("In {formula}: {mistake}", formula = mistake.formula, mistake = mistake.message));
                self.preview_state = PreviewState::Ready;
                // While there is a mistake, the last good line stays on the chart.
                if self.mistakes.is_empty() && self.other_problem.is_none() {
                    self.preview = Some(DraftPreview { symbol, name, preview });
                }
            }
            Err(PreviewError::NotCached) => self.preview_state = PreviewState::NotCached,
            Err(PreviewError::TooLong(what)) => self.preview_state = PreviewState::TooLong(what),
            Err(PreviewError::Failed(what)) => self.preview_state = PreviewState::Failed(what),
        }
        if self.preview_state != PreviewState::Ready {
            self.preview = None;
        }
    }

    /// What has to be mended before it can be saved, in words; the formula's mistakes apart.
    #[must_use]
    pub fn not_ready(&self, built_in: &[&str]) -> Option<String> {
        let (name, set) = (self.draft.name.trim(), self.draft.set.trim());
        if self.draft.formula.trim().is_empty() {
            Some(tr!("Write a formula first").to_owned())
        } else if !self.mistakes.is_empty() {
            Some(tr!("The formula has a mistake").to_owned())
        } else if name.is_empty() {
            Some(tr!("Give it a name").to_owned())
        } else if let Some(problem) = name_problem(name) {
            Some(problem)
        } else if set.is_empty() {
            Some(tr!("Name the set it is saved to").to_owned())
        } else if built_in.contains(&set) {
            Some(tr!("{set} is built in; choose a set of your own", set = set))
        } else {
            None
        }
    }
}

/// Why a name cannot name a feature.
fn name_problem(name: &str) -> Option<String> {
    let fits = |char: char| char.is_alphanumeric() || char == '_';
    if RAW_COLUMNS.contains(&name) {
        Some(tr!("{name} is a column of the bars; choose another name", name = name))
    } else if name.starts_with(|char: char| char.is_ascii_digit()) {
        Some(tr!("A name begins with a letter").to_owned())
    } else if !name.chars().all(fits) {
        Some(tr!("A name has letters, digits and _ only").to_owned())
    } else {
        None
    }
}

/// The names a formula uses.
#[must_use]
pub fn names_in(formula: &str) -> BTreeSet<&str> {
    let words = tokens(formula).into_iter().filter(|(_, kind)| *kind == TokenKind::Name);
    words.filter_map(|(span, _)| formula.get(span)).collect()
}

/// Of a set's formulas, those that `formula` needs, directly or through others.
#[must_use]
pub fn needed(formula: &str, own_name: &str, all: &[(String, String)]) -> Vec<(String, String)> {
    let by_name: HashMap<&str, &str> = all.iter().map(|(name, formula)| (name.as_str(), formula.as_str())).collect();
    let mut wanted: BTreeSet<&str> = BTreeSet::new();
    let mut open: Vec<&str> = vec![formula];
    while let Some(text) = open.pop() {
        for name in names_in(text) {
            if let Some((name, formula)) = by_name.get_key_value(name)
                && *name != own_name
                && wanted.insert(name)
            {
                open.push(formula);
            }
        }
    }
    // In the order of the set: the same question is asked in the same words.
    all.iter().filter(|(name, _)| wanted.contains(name.as_str())).cloned().collect()
}

/// A formula in which the names of `all` are replaced by what they stand for, so that it can stand alone.
#[must_use]
pub fn standing_alone(formula: &str, all: &[(String, String)]) -> String {
    /// Formulas that use each other in a circle end somewhere.
    const DEEPEST: usize = 16;
    fn inner(formula: &str, all: &[(String, String)], depth: usize) -> String {
        let mut text = String::with_capacity(formula.len());
        let mut from = 0;
        for (span, kind) in tokens(formula) {
            let (Some(before), Some(word)) = (formula.get(from..span.start), formula.get(span.clone())) else { continue };
            let meant = all.iter().find(|(name, _)| kind == TokenKind::Name && name == word).filter(|_| depth < DEEPEST);
            text.push_str(before);
            match meant {
                Some((_, meant)) => {
                    let meant = inner(meant, all, depth + 1);
                    let plain = tokens(&meant).len() == 1;
                    text.push_str(&if plain { meant } else { format!("({meant})") });
                }
                None => text.push_str(word),
            }
            from = span.end;
        }
        text.push_str(formula.get(from..).unwrap_or_default());
        text
    }
    inner(formula, all, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::PreviewMistake;
    use crate::worker::chart_data::ChartData;

    fn some() -> Vec<(String, String)> {
        [("tr", "$high - $low"), ("a", "Mean(tr, 5)"), ("b", "a / c"), ("c", "$close"), ("unused", "a + b")]
            .map(|(name, formula)| (name.to_owned(), formula.to_owned()))
            .to_vec()
    }

    #[test]
    fn what_a_formula_needs_is_found_through_others() {
        let names = |formula: &str| needed(formula, "mine", &some()).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names("b + 1"), ["tr", "a", "b", "c"]);
        assert_eq!(names("Mean($close, 5)"), [""; 0]);
        assert_eq!(needed("mine + tr", "tr", &some()), []);
    }

    #[test]
    fn a_copied_formula_stands_alone() {
        assert_eq!(standing_alone("2 * b", &some()), "2 * ((Mean(($high - $low), 5)) / $close)");
        let circle = [("x".to_owned(), "x + 1".to_owned())];
        assert!(standing_alone("x", &circle).len() < 1_000);
    }

    #[test]
    fn names_that_cannot_be_columns_are_told_before_saving() {
        let editor = |name: &str, set: &str| {
            let draft = Draft { formula: "$close".into(), name: name.into(), set: set.into(), ..Draft::default() };
            Editor::new(draft).not_ready(&["classic"])
        };
        assert_eq!(editor("x", "mine"), None);
        for (name, set) in [("", "mine"), ("close", "mine"), ("a b", "mine"), ("5x", "mine"), ("x", ""), ("x", "classic")] {
            assert!(editor(name, set).is_some(), "{name} {set}");
        }
    }

    #[test]
    fn whatever_the_worker_cannot_do_is_told_and_a_mistake_keeps_the_last_line() {
        let symbol = || Symbol::new("A");
        let mut editor = Editor::new(Draft { formula: "x".into(), ..Draft::default() });
        for (error, state) in [
            (PreviewError::NotCached, PreviewState::NotCached),
            (PreviewError::TooLong("much".into()), PreviewState::TooLong("much".into())),
            (PreviewError::Failed("why".into()), PreviewState::Failed("why".into())),
        ] {
            editor.answered(symbol(), "x".into(), Err(error));
            assert_eq!((editor.preview_state.clone(), editor.preview.is_none()), (state, true));
        }
        let answer = |mistakes: Vec<PreviewMistake>| Preview {
            data: Arc::new(ChartData::new(symbol(), Arc::default())),
            figures: Vec::new(),
            mistakes,
            tier: crate::cache::Tier::Memory,
            seconds: 0.001,
        };
        editor.answered(symbol(), "x".into(), Ok(answer(Vec::new())));
        assert!(editor.preview.is_some() && editor.mistakes.is_empty());
        let mistake = |is_helper: bool| PreviewMistake {
            formula: "x".into(),
            is_helper,
            span: 0..1,
            message: "there is no x".into(),
            suggestion: None,
        };
        editor.answered(symbol(), "x".into(), Ok(answer(vec![mistake(false)])));
        assert!(editor.preview.is_some() && editor.mistakes.len() == 1);
        editor.answered(symbol(), "x".into(), Ok(answer(vec![mistake(true)])));
        assert_eq!(editor.other_problem.as_deref(), Some("In x: there is no x"));
    }

    #[test]
    fn what_is_typed_while_it_is_saved_is_not_saved() {
        let mut editor = Editor::new(Draft { formula: "a".into(), ..Draft::default() });
        editor.being_saved = editor.draft.clone();
        editor.change(Draft { formula: "ab".into(), ..editor.draft.clone() });
        editor.became(FeatureKey::new("mine", "x"));
        assert!(editor.is_unsaved());
        editor.change(Draft { formula: "a ".into(), ..editor.draft.clone() });
        assert!(!editor.is_unsaved());
    }
}
