//! The features panel and the formula editor, without their widgets: what is listed, what is being written, what saving it means.
//!
//! Not how formulas are read or computed (`feature`), and not how anything looks (`ui`). Contract: a draft is never lost: it
//! survives the closing of the panel and of the window, and discarding it can be undone. Nothing here computes values; that is
//! asked of the worker, and answers to older questions are dropped.

mod act;
mod catalogue;
mod draft;
mod editor;
mod search;
mod set_text;

pub use act::placement_of;
pub use catalogue::{ListedFeature, Row};
pub use draft::{Draft, FeatureKey, Pane, source_of};
pub use editor::{DraftMistake, DraftPreview, Editor, PREVIEW_SET, PreviewState, Saving};
/// The set a first formula is saved to unless the user names another.
pub const FIRST_SET: &str = "my-set";

use super::state::AppState;
use crate::cache::VersionFacts;
use crate::feature::SetLibrary;
use crate::tr;
use crate::worker::chart_data::ChartData;
use crate::worker::series::SeriesSource;
use catalogue::{Narrowing, feature_rows, function_rows, listed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A part of the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, strum::EnumIter)]
pub enum FeaturesTab {
    /// Every feature of every set.
    #[default]
    Features,
    /// Every function a formula may use.
    Functions,
    /// The sets themselves.
    Sets,
}

impl FeaturesTab {
    /// What stands on it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Features => tr!("Features"),
            Self::Functions => tr!("Functions"),
            Self::Sets => tr!("Sets"),
        }
    }
}

/// What a user does in the panel.
#[derive(Debug, Clone)]
pub enum FeatureAction {
    /// Show a part of it.
    Tab(FeaturesTab),
    /// The search's text changed.
    Search(String),
    /// Only features of this set; of all with `None`.
    OnlySet(Option<String>),
    /// Make a feature a favourite, or none any more.
    Star(FeatureKey),
    /// Show or hide what is known of a feature.
    Expand(FeatureKey),
    /// Begin a formula.
    New {
        /// What stands in it already.
        formula: String,
    },
    /// Change a feature of an own set.
    Edit(FeatureKey),
    /// Begin a formula with that of a feature, to be saved to an own set.
    Copy(FeatureKey),
    /// Put a feature on the chart, or take it off.
    ToggleOnChart(FeatureKey),
    /// Take a feature out of an own set.
    Delete(FeatureKey),
    /// What is being written changed.
    Draft(Box<Draft>),
    /// Nothing was typed for a moment since this version: time to try it.
    Settled(u64),
    /// Put the suggestion of the mistake at this place into the formula.
    Mend(usize),
    /// Close the editor; the draft can be brought back.
    Discard,
    /// Bring a draft back.
    BringBack(Box<Draft>),
    /// Ask what saving would make outdated, then save.
    Save,
    /// Save a text as a set, whatever it makes outdated: the way back from a change.
    PutSet {
        /// The set's name.
        name: String,
        /// Its text.
        text: String,
    },
    /// Delete an own set.
    DeleteSet(String),
    /// Preheat a set for all symbols.
    PreheatSet(String),
    /// Keep a set warm with every preheat, or no longer.
    KeepWarm(String),
}

/// What is remembered of the panel from one start to the next.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FeaturesWorkspace {
    /// Whether the panel is shown.
    pub open: bool,
    /// Which part of it.
    pub tab: FeaturesTab,
    /// Only features of this set.
    pub only_set: Option<String>,
    /// Favourites.
    pub favourites: BTreeSet<FeatureKey>,
    /// What is being written.
    pub draft: Option<Draft>,
    /// The set that was saved to last.
    pub last_set: Option<String>,
}

/// The panel.
#[derive(Debug, Clone, Default)]
pub struct FeaturesState {
    /// Whether it is shown.
    pub open: bool,
    /// Which part of it.
    pub tab: FeaturesTab,
    /// What is searched for.
    pub search: String,
    /// Only features of this set.
    pub only_set: Option<String>,
    /// Features with a star.
    pub favourites: BTreeSet<FeatureKey>,
    /// Features of which everything is shown.
    pub expanded: BTreeSet<FeatureKey>,
    /// What is being written, if something is.
    pub editor: Option<Editor>,
    /// Whether the search wants the cursor.
    pub focus_search: bool,
    /// Whether the editor wants the cursor.
    pub focus_editor: bool,
    /// Versions of sets that something was computed with: by set, last used first.
    pub versions: Arc<Vec<VersionFacts>>,
    /// The snapshot they were asked for with.
    pub(super) versions_asked: usize,
    /// Goes up whenever the lists change.
    pub version: u64,
    /// The set that was saved to last.
    last_set: Option<String>,
    /// A feature whose set is being written without it.
    deleting: Option<FeatureKey>,
    all: Vec<ListedFeature>,
    rows: Vec<Row>,
    function_rows: Vec<Row>,
    /// The chart's data with the line of the preview, and what it was made of.
    with_preview: Option<((usize, usize), Arc<ChartData>)>,
    /// The number of the last question to the worker.
    next_generation: u64,
}

impl FeaturesState {
    /// Every feature there is.
    #[must_use]
    pub fn all(&self) -> &[ListedFeature] {
        &self.all
    }

    /// The lines of the list of features.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The lines of the list of functions.
    #[must_use]
    pub fn function_rows(&self) -> &[Row] {
        &self.function_rows
    }

    /// A feature by its names.
    #[must_use]
    pub fn find(&self, key: &FeatureKey) -> Option<&ListedFeature> {
        self.all.iter().find(|feature| feature.key == *key)
    }

    /// Uses what an earlier session left.
    pub(super) fn restore(&mut self, workspace: &FeaturesWorkspace) {
        self.open = workspace.open;
        self.tab = workspace.tab;
        self.only_set.clone_from(&workspace.only_set);
        self.favourites.clone_from(&workspace.favourites);
        self.last_set.clone_from(&workspace.last_set);
        self.editor = workspace.draft.clone().map(Editor::brought_back);
        self.update_rows();
    }

    /// What to remember.
    pub(super) fn workspace(&self) -> FeaturesWorkspace {
        FeaturesWorkspace {
            open: self.open,
            tab: self.tab,
            only_set: self.only_set.clone(),
            favourites: self.favourites.clone(),
            draft: self.editor.as_ref().map(|editor| editor.draft.clone()),
            last_set: self.last_set.clone(),
        }
    }

    /// Works out the list again after the sets changed.
    pub(super) fn update_sets(&mut self, library: &SetLibrary) {
        self.all = listed(library);
        // A set that is gone narrows to nothing; while none are known yet, nothing is gone.
        if self.only_set.as_ref().is_some_and(|only| !library.sets().is_empty() && library.get(only).is_none()) {
            self.only_set = None;
        }
        self.update_rows();
    }

    pub(super) fn update_rows(&mut self) {
        let narrowing = Narrowing { needle: &self.search, set: self.only_set.as_deref() };
        self.rows = feature_rows(&self.all, &self.favourites, &narrowing);
        self.function_rows = function_rows(&self.search);
        self.version += 1;
    }
}

impl FeaturesState {
    /// Lines whose figures are shown, whether they are on the chart or not.
    #[must_use]
    pub fn looked_at(&self) -> Vec<SeriesSource> {
        if self.open && self.tab == FeaturesTab::Features { self.expanded.iter().map(source_of).collect() } else { Vec::new() }
    }
}

impl AppState {
    /// Uses a new library of sets.
    pub(super) fn apply_sets(&mut self, library: Arc<SetLibrary>) {
        self.sets = library;
        self.features.update_sets(&self.sets);
        self.check_draft();
        self.compare_draft();
    }

    /// Says what is listed in the language that is spoken now.
    pub fn say_again(&mut self) {
        self.features.update_sets(&self.sets);
        self.check_draft();
    }

    /// What the chart shows: what was read, with the line of the formula that is being written.
    #[must_use]
    pub fn chart_data(&self) -> Option<&ChartData> {
        let loaded = self.chart.loaded.as_ref()?;
        let with_preview = self.features.with_preview.as_ref().map(|(_, data)| &**data);
        Some(with_preview.unwrap_or(&loaded.data))
    }

    /// Puts the preview's line among the chart's, once for each of both.
    fn combine_preview(&mut self) {
        let editor = self.features.editor.as_ref().filter(|_| self.features.open);
        let preview = editor.and_then(|editor| editor.preview.as_ref());
        let both = preview.zip(self.chart.loaded.as_ref()).filter(|(preview, loaded)| {
            preview.symbol == loaded.data.symbol && preview.preview.data.bars.time_us.len() == loaded.data.bars.time_us.len()
        });
        let Some((preview, loaded)) = both else {
            self.features.with_preview = None;
            return;
        };
        let made_of = (Arc::as_ptr(&loaded.data) as usize, Arc::as_ptr(&preview.preview.data) as usize);
        if self.features.with_preview.as_ref().is_some_and(|(before, _)| *before == made_of) {
            return;
        }
        let mut answers = loaded.data.answers().to_vec();
        if let Some(column) = preview.column() {
            answers.push((SeriesSource::column(PREVIEW_SET, &*preview.name), Ok(Arc::clone(column))));
        }
        self.features.with_preview = Some((made_of, Arc::new(loaded.data.with_answers(answers))));
    }

    /// Names of the user's own sets.
    pub fn own_sets(&self) -> impl Iterator<Item = &str> {
        self.sets.sets().iter().filter(|entry| !entry.is_built_in()).map(|entry| entry.set.name())
    }
}
