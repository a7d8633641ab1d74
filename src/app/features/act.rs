//! What users do in the panel, and what the worker answers, turned into changes and jobs.

use super::draft::{Draft, FeatureKey, Pane, source_of};
use super::editor::{Editor, PreviewState, Saving, needed, standing_alone};
use super::set_text::{with_feature, without_feature};
use super::{FIRST_SET, FeatureAction, FeaturesTab};
use crate::app::{Action, AppState, Dialog, chart};
use crate::feature::graph::WarmUp;
use crate::feature::{Definition, FeatureSet, Helper, Placement, SetMistake, SetParts, SetProblem};
use crate::worker::{
    Job, LoadError, NoticeLevel, Outdate, OutdateRequest, PreheatOrder, Preview, PreviewError, PreviewRequest, SetFileChange, SetRefusal,
};
use crate::{tr, tr_n};
use std::sync::Arc;

/// The name of a column that has none yet.
const UNNAMED: &str = "new_formula";
/// Texts up to so many bytes are checked on the window's thread: well below a millisecond.
const CHECKED_AT_ONCE: usize = 1_024;

impl AppState {
    pub(in crate::app) fn change_features(&mut self, action: FeatureAction) -> Vec<Job> {
        match action {
            FeatureAction::Tab(tab) => self.features.tab = tab,
            FeatureAction::Search(text) => {
                self.features.search = text;
                self.features.update_rows();
            }
            FeatureAction::OnlySet(set) => {
                self.features.only_set = set;
                self.features.update_rows();
            }
            FeatureAction::Star(key) => {
                if !self.features.favourites.remove(&key) {
                    self.features.favourites.insert(key);
                }
                self.features.update_rows();
            }
            FeatureAction::Expand(key) => {
                if !self.features.expanded.remove(&key) {
                    self.features.expanded.insert(key);
                }
            }
            FeatureAction::New { formula } => {
                let draft = Draft { formula, ..self.empty_draft() };
                self.open_editor(draft);
            }
            FeatureAction::Edit(key) => self.edit_feature(&key),
            FeatureAction::Copy(key) => self.copy_feature(&key),
            FeatureAction::ToggleOnChart(key) => return self.toggle_on_chart(&key),
            FeatureAction::Delete(key) => return self.delete_feature(&key),
            FeatureAction::Draft(draft) => self.change_draft(*draft),
            FeatureAction::Settled(version) => {
                if let Some(editor) = self.features.editor.as_mut().filter(|editor| editor.version == version) {
                    editor.settled = version;
                }
            }
            FeatureAction::Mend(place) => self.mend(place),
            FeatureAction::Discard => self.discard(),
            FeatureAction::BringBack(draft) => {
                self.discard();
                self.features.open = true;
                self.features.editor = Some(Editor::brought_back(*draft));
                self.features.focus_editor = true;
                self.check_draft();
            }
            FeatureAction::Save => return self.ask_to_save(),
            FeatureAction::PutSet { name, text } => return vec![Job::SaveSet { name, text }],
            FeatureAction::DeleteSet(name) => return vec![Job::DeleteSet { name }],
            FeatureAction::PreheatSet(name) => {
                let order = PreheatOrder { title: tr!("Preheat {name}", name = name), sets: Some(vec![name]), ..PreheatOrder::default() };
                return vec![self.preheat(order)];
            }
            FeatureAction::KeepWarm(name) => {
                let mut settings = self.settings.clone();
                if settings.sets.contains(&name) {
                    settings.sets.retain(|set| *set != name);
                } else {
                    settings.sets.push(name);
                }
                return self.save(settings, None);
            }
        }
        Vec::new()
    }

    /// A draft with nothing in it, for the set that was saved to last.
    fn empty_draft(&self) -> Draft {
        let last = self.features.last_set.as_deref().filter(|last| self.own_sets().any(|own| own == *last));
        let set = last.or_else(|| self.own_sets().next()).unwrap_or(FIRST_SET).to_owned();
        self.with_words_of_set(Draft { set, ..Draft::default() })
    }

    /// The draft with what holds for the whole set it is in, if that set exists.
    fn with_words_of_set(&self, draft: Draft) -> Draft {
        match self.sets.get(&draft.set) {
            Some(set) => Draft { warm_up: set.warm_up(), precision: set.precision(), ..draft },
            None => draft,
        }
    }

    /// Opens the editor on a draft; one that was open and not saved can be brought back.
    fn open_editor(&mut self, draft: Draft) {
        self.discard();
        self.features.open = true;
        self.features.editor = Some(Editor::new(draft));
        self.features.focus_editor = true;
        self.check_draft();
    }

    fn draft_of(&self, key: &FeatureKey) -> Option<Draft> {
        let set = self.sets.get(key.set())?;
        let definition = set.definition(key.name())?;
        let draft = Draft {
            formula: definition.formula.clone(),
            name: definition.name.to_string(),
            description: definition.description.clone(),
            group: definition.group.key().to_owned(),
            pane: pane_of(&definition.placement, &definition.name),
            set: key.set().to_owned(),
            ..Draft::default()
        };
        Some(self.with_words_of_set(draft))
    }

    /// Finds out again what the draft differs in from what is saved.
    pub(in crate::app) fn compare_draft(&mut self) {
        let origin = self.features.editor.as_ref().and_then(|editor| editor.draft.origin.clone());
        let saved = origin.and_then(|key| Some(Draft { origin: Some(key.clone()), ..self.draft_of(&key)? }));
        if let (Some(editor), Some(saved)) = (&mut self.features.editor, saved) {
            editor.compare_with(saved);
        }
    }

    fn edit_feature(&mut self, key: &FeatureKey) {
        if let Some(draft) = self.draft_of(key) {
            self.open_editor(Draft { origin: Some(key.clone()), ..draft });
        }
    }

    fn copy_feature(&mut self, key: &FeatureKey) {
        let Some(draft) = self.draft_of(key) else { return };
        let empty = self.empty_draft();
        let target = self.set_formulas(&empty.set);
        // A formula of another set has to do without that set's helpers.
        let formula = if empty.set == key.set() { draft.formula } else { standing_alone(&draft.formula, &self.set_formulas(key.set())) };
        let taken = |name: &str| target.iter().any(|(taken, _)| taken == name);
        let name = free_name(&draft.name, taken);
        self.open_editor(Draft { formula, name, description: draft.description, group: draft.group, pane: draft.pane, ..empty });
    }

    fn delete_feature(&mut self, key: &FeatureKey) -> Vec<Job> {
        let Some(before) = self.sets.get(key.set()).map(|set| set.source_text().to_owned()) else { return Vec::new() };
        match without_feature(&before, key.name()) {
            Ok(text) => {
                self.features.deleting = Some(key.clone());
                vec![Job::SaveSet { name: key.set().to_owned(), text }]
            }
            Err(problem) => {
                self.notices.tell(NoticeLevel::Error, problem);
                Vec::new()
            }
        }
    }

    fn change_draft(&mut self, draft: Draft) {
        let Some(editor) = &self.features.editor else { return };
        // Another set, other words for the whole of it.
        let draft = if draft.set == editor.draft.set { draft } else { self.with_words_of_set(draft) };
        if let Some(editor) = &mut self.features.editor {
            let checked = editor.version;
            editor.change(draft);
            if editor.version != checked {
                self.check_draft();
            }
        }
    }

    /// Reads the formula, so that a mistake is shown with the letter that makes it. Long ones are left to the worker.
    pub(in crate::app) fn check_draft(&mut self) {
        let Some(editor) = &self.features.editor else { return };
        let draft = &editor.draft;
        if draft.formula.len() > CHECKED_AT_ONCE || draft.formula.trim().is_empty() {
            return;
        }
        let all = self.set_formulas(&draft.set);
        let name = column_name(draft, &all);
        let helpers = needed(&draft.formula, &name, &all);
        let mistakes = check(&name, &draft.formula, draft.warm_up, helpers);
        if let Some(editor) = &mut self.features.editor {
            editor.checked(&name, mistakes);
        }
    }

    fn mend(&mut self, place: usize) {
        let Some(editor) = &self.features.editor else { return };
        let Some(mistake) = editor.mistakes.get(place) else { return };
        let Some(suggestion) = &mistake.suggestion else { return };
        let formula = &editor.draft.formula;
        let (Some(before), Some(after)) = (formula.get(..mistake.span.start), formula.get(mistake.span.end..)) else { return };
        let draft = Draft { formula: format!("{before}{suggestion}{after}"), ..editor.draft.clone() };
        self.change_draft(draft);
        // It was pressed, not typed: there is nothing to wait for.
        if let Some(editor) = &mut self.features.editor {
            editor.settled = editor.version;
        }
    }

    fn discard(&mut self) {
        if let Some(editor) = self.features.editor.take().filter(Editor::is_unsaved) {
            let name = editor.draft.name.trim();
            let text =
                if name.is_empty() { tr!("Discarded the formula").to_owned() } else { tr!("Discarded the changes of {name}", name = name) };
            let action = Action::Features(super::FeatureAction::BringBack(Box::new(editor.draft)));
            self.notices.suggest(NoticeLevel::Info, text, tr!("Bring it back"), action);
        }
    }

    /// Helpers and features of a set by name, as its text has them.
    pub(in crate::app) fn set_formulas(&self, set: &str) -> Vec<(String, String)> {
        self.sets.get(set).map(formulas_of).unwrap_or_default()
    }

    /// Names that the draft may use besides functions and fields.
    #[must_use]
    pub fn known_names(&self) -> Vec<String> {
        let Some(editor) = &self.features.editor else { return Vec::new() };
        let own = editor.draft.name.trim();
        self.set_formulas(&editor.draft.set).into_iter().map(|(name, _)| name).filter(|name| name != own).collect()
    }

    // The preview.

    /// Asks for the draft on the symbol that is shown, if that is not known yet.
    pub(in crate::app) fn follow_draft(&mut self) -> Vec<Job> {
        let jobs = self.ask_for_preview();
        self.combine_preview();
        jobs
    }

    fn ask_for_preview(&mut self) -> Vec<Job> {
        let Some(editor) = &self.features.editor else { return Vec::new() };
        if !self.features.open || !editor.is_settled() {
            return Vec::new();
        }
        let all = self.set_formulas(&editor.draft.set);
        let focus = self.list.focus().cloned();
        let loaded = self.chart.loaded.as_ref().filter(|loaded| Some(&loaded.data.symbol) == focus.as_ref());
        let bars = loaded.map(|loaded| Arc::as_ptr(&loaded.data.bars) as usize);
        let refused = self.chart.error.clone();
        let Some(editor) = &mut self.features.editor else { return Vec::new() };
        let (symbol, bars) = match (focus, bars) {
            _ if editor.draft.formula.trim().is_empty() => return editor.without_preview(PreviewState::None),
            (None, _) => return editor.without_preview(PreviewState::NoSymbol),
            (Some(symbol), Some(bars)) => (symbol, bars),
            // The chart tells when it has the bars.
            (Some(_), None) => {
                return match refused {
                    Some(LoadError::NotCached) => editor.without_preview(PreviewState::NotCached),
                    Some(LoadError::Failed(reason)) => editor.without_preview(PreviewState::Failed(reason)),
                    None => Vec::new(),
                };
            }
        };
        let asked = (symbol.clone(), editor.version, bars);
        if editor.asked.as_ref() == Some(&asked) {
            return Vec::new();
        }
        editor.asked = Some(asked);
        editor.preview_state = PreviewState::Waiting;
        self.features.next_generation += 1;
        editor.generation = self.features.next_generation;
        let name = column_name(&editor.draft, &all);
        let helpers = needed(&editor.draft.formula, &name, &all);
        let formulas = vec![(name, editor.draft.formula.clone())];
        let warm_up = editor.draft.warm_up;
        vec![Job::Preview(PreviewRequest { generation: editor.generation, symbol, formulas, helpers, warm_up })]
    }

    pub(in crate::app) fn apply_previewed(&mut self, request: PreviewRequest, result: Result<Preview, PreviewError>) {
        let Some(editor) = self.features.editor.as_mut().filter(|editor| editor.generation == request.generation) else { return };
        let name = request.formulas.into_iter().next().map(|(name, _)| name).unwrap_or_default();
        editor.answered(request.symbol, name, result);
    }

    fn toggle_on_chart(&mut self, key: &FeatureKey) -> Vec<Job> {
        let source = source_of(key);
        if self.chart.layout.contains(&source) {
            self.chart.layout.remove_source(&source);
        } else if let Some(feature) = self.features.find(key) {
            let placement = placement_of(&pane_of(&feature.placement, key.name()), key.name());
            self.chart.layout.add(source, &placement);
        }
        Vec::new()
    }

    // Saving.

    /// Why the draft cannot be saved yet, in words.
    #[must_use]
    pub fn draft_problem(&self) -> Option<String> {
        let editor = self.features.editor.as_ref()?;
        if let Some(problem) = editor.not_ready(FeatureSet::names()) {
            return Some(problem);
        }
        let (set, name) = (editor.draft.set.trim(), editor.draft.name.trim());
        let is_mistaken =
            |problem: &SetProblem| problem.last_good.as_deref() == Some(set) || problem.path.file_stem().is_some_and(|stem| *stem == *set);
        if self.sets.problems().iter().any(is_mistaken) {
            return Some(tr!("The file of {set} has mistakes; mend it first", set = set));
        }
        let key = FeatureKey::new(set, name);
        let is_another = editor.draft.origin.as_ref() != Some(&key);
        if is_another && self.sets.get(set).is_some_and(|known| known.definition(name).is_some()) {
            return Some(tr!("{set} has a {name} already; edit that or choose another name", set = set, name = name));
        }
        None
    }

    fn ask_to_save(&mut self) -> Vec<Job> {
        let Some(editor) = &self.features.editor else { return Vec::new() };
        if !matches!(editor.saving, Saving::No) {
            return Vec::new();
        }
        if let Some(problem) = self.draft_problem() {
            self.notices.tell(NoticeLevel::Warning, tr!("Not saved: {problem}", problem = lower_first(&problem)));
            return Vec::new();
        }
        let set = editor.draft.set.trim().to_owned();
        let before = self.sets.get(&set).map(|set| set.source_text().to_owned());
        match with_feature(before.as_deref(), &editor.draft) {
            Ok(text) => {
                self.features.next_generation += 1;
                let generation = self.features.next_generation;
                if let Some(editor) = &mut self.features.editor {
                    editor.saving = Saving::Asking { generation, text: text.clone() };
                    editor.being_saved = editor.draft.clone();
                }
                vec![Job::Outdate(OutdateRequest { generation, name: set, text })]
            }
            Err(problem) => {
                self.notices.tell(NoticeLevel::Error, tr!("Not saved: {problem}", problem = problem));
                Vec::new()
            }
        }
    }

    pub(in crate::app) fn apply_outdate_known(&mut self, request: &OutdateRequest, result: Result<Outdate, String>) -> Vec<Job> {
        let Some(editor) = &mut self.features.editor else { return Vec::new() };
        let Saving::Asking { generation, text } = &editor.saving else { return Vec::new() };
        if *generation != request.generation {
            return Vec::new();
        }
        let text = text.clone();
        match result {
            Ok(outdate) if !outdate.mistakes.is_empty() => {
                editor.saving = Saving::No;
                let told = outdate.mistakes.first().map(|mistake| mistake.message.clone()).unwrap_or_default();
                editor.other_problem = Some(told);
            }
            // Nothing anybody has is touched: there is nothing to ask.
            Ok(outdate) if outdate.entries == 0 && outdate.removed.is_empty() => return self.write(text),
            Ok(outdate) => {
                editor.saving = Saving::Question { text, outdate: Box::new(outdate) };
                self.dialog = Some(Dialog::SaveFormula);
            }
            Err(reason) => {
                editor.saving = Saving::No;
                self.notices
                    .tell(NoticeLevel::Error, tr!("Not saved: what would become outdated cannot be told: {reason}", reason = reason));
            }
        }
        Vec::new()
    }

    /// The question of saving was answered with yes.
    pub(in crate::app) fn save_draft(&mut self) -> Vec<Job> {
        let Some(editor) = &self.features.editor else { return Vec::new() };
        let Saving::Question { text, .. } = &editor.saving else { return Vec::new() };
        let text = text.clone();
        self.write(text)
    }

    /// The question of saving was answered with no.
    pub(in crate::app) fn keep_editing(&mut self) {
        if let Some(editor) = &mut self.features.editor {
            editor.saving = Saving::No;
        }
        self.features.focus_editor = true;
    }

    fn write(&mut self, text: String) -> Vec<Job> {
        let Some(editor) = &mut self.features.editor else { return Vec::new() };
        editor.saving = Saving::Writing;
        vec![Job::SaveSet { name: editor.being_saved.set.trim().to_owned(), text }]
    }

    pub(in crate::app) fn apply_set_saved(&mut self, change: SetFileChange) {
        if let Some(key) = self.features.deleting.take_if(|key| key.set() == change.name) {
            self.chart.layout.remove_source(&source_of(&key));
            self.features.favourites.remove(&key);
            self.offer_back(tr!("Deleted {key}", key = key), change);
            return;
        }
        let writes = self
            .features
            .editor
            .as_ref()
            .is_some_and(|editor| editor.saving == Saving::Writing && editor.being_saved.set.trim() == change.name);
        if !writes {
            self.offer_back(tr!("Saved {name}", name = change.name), change);
            return;
        }
        let Some(editor) = &mut self.features.editor else { return };
        let key = FeatureKey::new(&change.name, editor.being_saved.name.trim());
        if let Some(before) = editor.draft.origin.clone().filter(|before| *before != key && before.set() == key.set()) {
            if self.features.favourites.remove(&before) {
                self.features.favourites.insert(key.clone());
            }
            self.chart.layout.replace_source(&source_of(&before), &source_of(&key));
        }
        let pane = editor.being_saved.pane.clone();
        editor.became(key.clone());
        self.features.last_set = Some(change.name.clone());
        // What was tried stays in view.
        let source = source_of(&key);
        if !self.chart.layout.contains(&source) {
            self.chart.layout.add(source, &placement_of(&pane, key.name()));
        }
        let symbols = self.snapshot.rows.len() as u64;
        let saved = tr!("Saved {name} to {set}", name = key.name(), set = key.set());
        if symbols > 0 && self.has_source() {
            let label = tr_n!(symbols, "Preheat {set} for {count} symbol", "Preheat {set} for {count} symbols", set = change.name);
            let action = Action::Features(FeatureAction::PreheatSet(change.name));
            self.notices.suggest(NoticeLevel::Success, saved, label, action);
        } else {
            self.notices.tell(NoticeLevel::Success, saved);
        }
    }

    pub(in crate::app) fn apply_set_deleted(&mut self, change: SetFileChange) {
        self.offer_back(tr!("Deleted the set {name}", name = change.name), change);
    }

    /// Tells of a change with the way back.
    fn offer_back(&mut self, text: String, change: SetFileChange) {
        match change.before {
            Some(before) => {
                let action = Action::Features(FeatureAction::PutSet { name: change.name, text: before.to_string() });
                self.notices.offer(NoticeLevel::Success, text, action);
            }
            None => self.notices.tell(NoticeLevel::Success, text),
        }
    }

    pub(in crate::app) fn apply_set_refused(&mut self, name: &str, refusal: &SetRefusal) {
        self.features.deleting = None;
        let reason = match refusal {
            SetRefusal::Failed(reason) => reason.clone(),
            SetRefusal::Mistakes(mistakes) => mistakes.first().map_or_else(String::new, |first| {
                let place = first
                    .feature
                    .as_ref()
                    .map_or_else(|| tr!("line {line}", line = first.line), |feature| tr!("in {feature}", feature = feature));
                format!("{place}: {}", first.message)
            }),
        };
        if let Some(editor) = self.features.editor.as_mut().filter(|editor| editor.saving == Saving::Writing) {
            editor.saving = Saving::No;
        }
        self.notices.tell(NoticeLevel::Error, tr!("The set {name} is as it was: {reason}", name = name, reason = reason));
    }

    /// Begins to search features.
    pub(in crate::app) fn search_features(&mut self) {
        self.features.open = true;
        self.features.tab = FeaturesTab::Features;
        self.features.focus_search = true;
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn free_name(wanted: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number| format!("{wanted}_{number}"));
    std::iter::once(wanted.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_else(|| wanted.to_owned())
}

/// Helpers and features of a set, by name.
fn formulas_of(set: &FeatureSet) -> Vec<(String, String)> {
    let SetParts { helpers, features, .. } = set.parts();
    let helpers = helpers.iter().map(|helper| (helper.name.clone(), helper.formula.clone()));
    helpers.chain(features.iter().map(|feature| (feature.name.to_string(), feature.formula.clone()))).collect()
}

/// What is wrong with a formula beside those it needs.
fn check(name: &str, formula: &str, warm_up: WarmUp, helpers: Vec<(String, String)>) -> Vec<SetMistake> {
    let helpers = helpers.into_iter().map(|(name, formula)| Helper { name, formula }).collect();
    let features = vec![Definition::of_formula(name, formula)];
    let parts = SetParts { name: FIRST_SET.to_owned(), warm_up, helpers, features, ..SetParts::default() };
    FeatureSet::of_parts(parts).err().unwrap_or_default()
}

/// The name of the draft's column in a preview.
fn column_name(draft: &Draft, all: &[(String, String)]) -> String {
    let name = draft.name.trim();
    if name.is_empty() { free_name(UNNAMED, |name| all.iter().any(|(taken, _)| taken == name)) } else { name.to_owned() }
}

/// Where a chart draws what is in this pane.
#[must_use]
pub fn placement_of(pane: &Pane, name: &str) -> chart::Placement {
    match pane {
        Pane::Own => chart::Placement::Pane(name.to_owned()),
        Pane::Price => chart::Placement::Price,
        Pane::Volume => chart::Placement::Volume,
        Pane::Named(pane) => chart::Placement::Pane(pane.trim().to_owned()),
    }
}

fn pane_of(placement: &Placement, name: &str) -> Pane {
    match placement {
        Placement::OverPrice => Pane::Price,
        Placement::OwnPane(pane) if **pane == *name => Pane::Own,
        Placement::OwnPane(pane) => Pane::of_word(pane),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// What a long formula costs the window's thread; printed, not asserted.
    #[test]
    #[allow(clippy::print_stdout)]
    fn window_thread_cost_of_formulas() {
        for bytes in [256, 1_024, CHECKED_AT_ONCE, 65_536] {
            let mut formula = "Mean($close, 20)".to_owned();
            while formula.len() + 40 < bytes {
                formula = format!("{formula} + Std(Ref($close, 3), 17) / 2");
            }
            let time = |work: &dyn Fn()| {
                let started = Instant::now();
                (0..10).for_each(|_| work());
                started.elapsed().as_secs_f64() * 1e3 / 10.0
            };
            let check = time(&|| drop(check("x", &formula, WarmUp::Strict, Vec::new())));
            let colour = time(&|| drop(crate::feature::formula::tokens(&formula)));
            let complete = time(&|| drop(crate::feature::formula::complete(&formula, formula.len(), &[])));
            println!("{bytes} bytes: check {check:.3} ms, colours {colour:.3} ms, completion {complete:.3} ms");
        }
    }

    #[test]
    fn long_formulas_are_left_to_the_worker() {
        let mut state = AppState::default();
        let mistaken = |bytes: usize| format!("Maen($close, 5){}", " ".repeat(bytes));
        let _ = state.change_features(FeatureAction::New { formula: mistaken(0) });
        assert_eq!(state.features.editor.as_ref().expect("an editor").mistakes.len(), 1);
        let _ = state.change_features(FeatureAction::New { formula: mistaken(CHECKED_AT_ONCE) });
        assert!(state.features.editor.as_ref().expect("an editor").mistakes.is_empty());
    }
}
