//! What is looked at more closely than the snapshot shows: one symbol in the inspector, the numbers of the overview.
//!
//! Contract: asked for when it comes into view, and again with every new snapshot; answers to older questions are dropped.

use super::features::FeaturesTab;
use super::state::{AppState, OpenState, View};
use crate::cache::{Dataset, LookupSpan};
use crate::market::Symbol;
use crate::tr;
use crate::worker::{Dossier, InspectRequest, Job, NoticeLevel, ProfileReport, Snapshot, Survey, SurveyRequest};
use std::sync::Arc;

/// The inspector.
#[derive(Debug, Clone, Default)]
pub struct InspectorState {
    /// Whether it is shown.
    pub open: bool,
    /// What is known of the focused symbol; of the one before while the answer is on its way.
    pub dossier: Option<Arc<Dossier>>,
    generation: u64,
    asked: Option<(Symbol, usize)>,
    /// Whether the last question was not answered yet.
    is_waiting: bool,
}

/// The overview's numbers.
#[derive(Debug, Clone, Default)]
pub struct OverviewState {
    /// How far back lookups are looked at.
    pub span: LookupSpan,
    /// The numbers; of the span before while the answer is on its way.
    pub survey: Option<Arc<Survey>>,
    /// Whether the source is being profiled.
    pub profiling: bool,
    /// What the last profile of this session found.
    pub profile: Option<Arc<ProfileReport>>,
    generation: u64,
    asked: Option<(LookupSpan, usize)>,
    /// Whether the last question was not answered yet.
    is_waiting: bool,
}

/// Tells snapshots apart.
fn number_of(snapshot: &Arc<Snapshot>) -> usize {
    Arc::as_ptr(snapshot) as usize
}

impl AppState {
    /// Asks for what is in view and not known yet, or may have changed.
    pub(super) fn look_closer(&mut self) -> Vec<Job> {
        if self.open != OpenState::Ready {
            return Vec::new();
        }
        let mut jobs = self.follow_draft();
        let number = number_of(&self.snapshot);
        if self.view == View::Symbols && self.inspector.open {
            match self.list.focus().cloned() {
                Some(symbol) => {
                    let asked = Some((symbol.clone(), number));
                    // While snapshots come faster than answers, one question about a symbol is under way at a time.
                    let same = self.inspector.asked.as_ref().is_some_and(|(before, _)| *before == symbol);
                    if self.inspector.asked != asked && !(same && self.inspector.is_waiting) {
                        self.inspector.asked = asked;
                        self.inspector.is_waiting = true;
                        self.inspector.generation += 1;
                        let datasets: Vec<Dataset> = self
                            .row(&symbol)
                            .map(|row| row.datasets.iter().map(|facts| facts.entry.key.dataset.clone()).collect())
                            .unwrap_or_default();
                        jobs.push(Job::Inspect(InspectRequest { generation: self.inspector.generation, symbol, datasets }));
                    }
                }
                None => (self.inspector.dossier, self.inspector.asked) = (None, None),
            }
        }
        let sets_in_view = self.view == View::Symbols && self.features.open && self.features.tab == FeaturesTab::Sets;
        if sets_in_view && self.features.versions_asked != number {
            self.features.versions_asked = number;
            jobs.push(Job::ListVersions);
        }
        let asked = Some((self.overview.span, number));
        let same = self.overview.asked.is_some_and(|(before, _)| before == self.overview.span);
        if self.view == View::Overview && self.overview.asked != asked && !(same && self.overview.is_waiting) {
            self.overview.asked = asked;
            self.overview.is_waiting = true;
            self.overview.generation += 1;
            jobs.push(Job::Survey(SurveyRequest { generation: self.overview.generation, span: self.overview.span }));
        }
        jobs
    }

    pub(super) fn apply_inspected(&mut self, request: &InspectRequest, dossier: Option<Arc<Dossier>>) {
        if request.generation == self.inspector.generation {
            self.inspector.dossier = dossier;
            self.inspector.is_waiting = false;
        }
    }

    pub(super) fn apply_surveyed(&mut self, request: SurveyRequest, survey: Option<Arc<Survey>>) {
        if request.generation == self.overview.generation {
            self.overview.is_waiting = false;
            if survey.is_some() {
                self.overview.survey = survey;
            }
        }
    }

    pub(super) fn apply_profiled(&mut self, result: Result<Arc<ProfileReport>, String>) {
        self.overview.profiling = false;
        match result {
            Ok(report) => self.overview.profile = Some(report),
            Err(message) => self.notices.tell(NoticeLevel::Error, tr!("The source could not be profiled: {message}", message = message)),
        }
    }

    /// The last profile, if it is of the source in use.
    #[must_use]
    pub fn current_profile(&self) -> Option<&ProfileReport> {
        let url = &self.snapshot.source.as_ref()?.url;
        self.overview.profile.as_deref().filter(|report| report.url == *url)
    }

    /// What is known of the focused symbol, if the answer is here.
    #[must_use]
    pub fn focused_dossier(&self) -> Option<&Dossier> {
        let focus = self.list.focus()?;
        self.inspector.dossier.as_deref().filter(|dossier| dossier.symbol == *focus)
    }

    /// Shows a symbol among the others, with the inspector.
    pub(super) fn inspect(&mut self, symbol: Symbol) -> Vec<Job> {
        self.inspector.open = true;
        self.features.open = false;
        self.reveal(symbol)
    }

    /// Shows a symbol among the others: its row, its chart.
    pub(super) fn reveal(&mut self, symbol: Symbol) -> Vec<Job> {
        self.view = View::Symbols;
        if self.list.place_of(&self.snapshot, &symbol).is_none() {
            self.list.show_all();
        }
        if self.row(&symbol).is_some() {
            self.list.select_none();
            self.list.focus_on(symbol);
        }
        self.update_list();
        self.load_focus_if_new()
    }
}
