//! The chart's part of the state: what is on it, what was asked for, and its templates.
//!
//! Contract: the worker is asked for a symbol when it comes into focus or its files change, and for just what is missing when
//! a line comes on; one such question is under way at a time, so that a parameter that is dragged follows as fast as it can
//! be computed and no faster. Answers about another symbol than the last asked for are dropped.

mod compare;
pub mod conventions;
mod date;
mod kept;
mod layout;
mod line;
pub mod parameters;
mod range;
mod scale;
mod template;
mod typed;
mod wish;

pub use compare::MOST_COMPARED;
pub use date::{WantedTime, parse_wanted_time};
pub use kept::KeptLayouts;
pub use layout::{ChartLayout, LINE_COLORS, PaneLayout, PanePlace, Placement};
pub use line::{FIRST_SET, LineWidth, SeriesId, SeriesLayout, SeriesStyle};
pub use range::RangeChoice;
pub use scale::PriceScale;
pub use template::{ChartTemplate, TemplateNameError, Templates, shown_name};
pub use typed::{TypedIndicator, name_and_numbers, typed_indicators};
pub use wish::ChartWish;

use super::action::Action;
use super::state::{AppState, Dialog};
use crate::market::Symbol;
use crate::tr;
use crate::worker::series::SeriesSource;
use crate::worker::{Job, LoadError, LoadRequest, LoadedSymbol, NoticeLevel, Picture};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// What the chart shows.
#[derive(Debug, Clone, Default)]
pub struct ChartState {
    /// Lines, panes, scale and range.
    pub layout: ChartLayout,
    /// Layouts of symbols that have one of their own.
    pub kept: KeptLayouts,
    /// What is kept under names.
    pub templates: Templates,
    /// The last request.
    pub generation: u64,
    /// The symbol that was asked for.
    pub requested: Option<Symbol>,
    /// What was read.
    pub loaded: Option<LoadedSymbol>,
    /// Why there is nothing to show.
    pub error: Option<LoadError>,
    /// What the chart shall do when it is drawn next, and the number of that wish.
    pub wish: Option<(u64, ChartWish)>,
    /// A picture that waits for the name of its file.
    picture: Option<Arc<Picture>>,
    keeping: kept::Keeping,
    /// Checksums of the entries that were read, so that a change is noticed.
    version: Option<u128>,
    /// Whether the last request was not answered yet.
    is_waiting: bool,
}

/// The name of a template, while it is typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateForm {
    /// What was typed.
    pub name: String,
    /// The template that is called something else; the chart is kept under the name where this is left out.
    pub renames: Option<String>,
}

impl TemplateForm {
    /// Whether the name can be had.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn check(&self, templates: &Templates) -> Result<(), TemplateNameError> {
        let is_as_before = self.renames.as_deref() == Some(self.name.trim());
        templates.check_name(&self.name, is_as_before || self.renames.is_none()).map(|_| ())
    }
}

/// Something about the chart.
#[derive(Debug, Clone)]
pub enum ChartAction {
    /// The layout was changed on the chart itself.
    Change(Box<ChartLayout>),
    /// Put a line on the chart.
    Add {
        /// Where its values come from.
        source: SeriesSource,
        /// Where it is drawn; by what it is where this is left out.
        placement: Option<Placement>,
        /// What the user calls it; empty for what its source is called.
        label: String,
    },
    /// Take every line of a source off the chart.
    Remove(SeriesSource),
    /// Draw every line of a source elsewhere.
    Move(SeriesSource, Placement),
    /// Lines of one source are of another from now on: a formula that was changed, or saved to a set.
    Replace {
        /// What they were of.
        old: SeriesSource,
        /// What they are of.
        new: SeriesSource,
    },
    /// Show other symbols beside the one on the chart.
    Compare(Vec<Symbol>),
    /// Take a compared symbol off the chart.
    StopComparing(Symbol),
    /// Choose what the heights of prices mean.
    Scale(PriceScale),
    /// Bring a time of the symbol on the chart into view.
    GoTo(i64),
    /// Copy these bars with the lines that are shown.
    CopyRows(Range<usize>),
    /// A picture was taken that is to be saved; it waits for the name of its file.
    PictureTaken(Arc<Picture>),
    /// Save the picture that was taken to this file.
    SavePicture(PathBuf),
    /// Tell something about the chart.
    Tell(String),
    /// Put a template on the chart.
    ApplyTemplate(String),
    /// Ask for the name of the template of this name, or of a new one.
    NameTemplate(Option<String>),
    /// The name that is asked for was changed.
    TemplateName(String),
    /// The name that was asked for is right.
    TemplateNamed,
    /// Keep what is on the chart under a name.
    SaveTemplate(String),
    /// Call a template something else.
    RenameTemplate {
        /// What it is called.
        from: String,
        /// What it shall be called.
        to: String,
    },
    /// Remove one of the user's templates.
    DeleteTemplate(String),
    /// Bring a template back, as it was.
    RestoreTemplate(Box<ChartTemplate>),
    /// Reset charts to this template from now on; to the built-in beginning where this is left out.
    DefaultTemplate(Option<String>),
}

impl AppState {
    pub(super) fn change_chart(&mut self, action: ChartAction) -> Vec<Job> {
        let chart = &mut self.chart;
        match action {
            ChartAction::Change(layout) => chart.layout = *layout,
            ChartAction::Add { source, placement, label } => {
                let placement = placement.unwrap_or_else(|| Placement::of_source(&source));
                let id = chart.layout.add(source, &placement);
                if let Some(line) = chart.layout.line_mut(id) {
                    line.label = label;
                }
            }
            ChartAction::Remove(source) => chart.layout.remove_source(&source),
            ChartAction::Move(source, placement) => {
                let ids: Vec<SeriesId> = chart.layout.lines().filter(|line| line.source == source).map(|line| line.id).collect();
                ids.into_iter().for_each(|id| chart.layout.move_to(id, &placement));
            }
            ChartAction::Replace { old, new } => chart.layout.replace_source(&old, &new),
            ChartAction::Compare(symbols) => return self.compare(&symbols),
            ChartAction::StopComparing(symbol) => chart.layout.stop_comparing(&symbol),
            ChartAction::Scale(scale) => chart.layout.set_scale(scale),
            ChartAction::GoTo(time_us) => return self.go_to(time_us),
            ChartAction::CopyRows(rows) => return self.copy_chart_rows(rows),
            ChartAction::PictureTaken(picture) => self.keep_picture(picture),
            ChartAction::SavePicture(path) => return self.save_picture(path),
            ChartAction::Tell(text) => self.tell_of_chart(text),
            ChartAction::ApplyTemplate(name) => self.apply_template(&name),
            ChartAction::NameTemplate(renames) => {
                let current = chart.templates.current(&chart.layout).map(|(name, _)| name.to_owned());
                let own = current.filter(|name| chart.templates.is_own(name));
                let name = renames.clone().or(own).unwrap_or_default();
                self.dialog = Some(Dialog::NameTemplate(TemplateForm { name, renames }));
            }
            ChartAction::TemplateName(text) => {
                if let Some(Dialog::NameTemplate(form)) = &mut self.dialog {
                    form.name = text;
                }
            }
            ChartAction::TemplateNamed => {
                if let Some(Dialog::NameTemplate(form)) = self.dialog.clone()
                    && form.check(&self.chart.templates).is_ok()
                {
                    self.dialog = None;
                    return self.change_chart(match form.renames {
                        Some(from) => ChartAction::RenameTemplate { from, to: form.name },
                        None => ChartAction::SaveTemplate(form.name),
                    });
                }
            }
            ChartAction::SaveTemplate(name) => match chart.templates.save(&name, &chart.layout) {
                Ok(None) => self.notices.tell(NoticeLevel::Success, tr!("Saved the template {name}", name = name.trim())),
                Ok(Some(before)) => {
                    let text = tr!("Saved the template {name} over the one before", name = before.name);
                    self.notices.offer(NoticeLevel::Success, text, Action::Chart(ChartAction::RestoreTemplate(Box::new(before))));
                }
                Err(problem) => self.notices.warn(problem.to_string()),
            },
            ChartAction::RenameTemplate { from, to } => {
                if let Err(problem) = chart.templates.rename(&from, &to) {
                    self.notices.warn(problem.to_string());
                }
            }
            ChartAction::DeleteTemplate(name) => {
                if let Some(template) = chart.templates.delete(&name) {
                    let undo = Action::Chart(ChartAction::RestoreTemplate(Box::new(template)));
                    self.notices.offer(NoticeLevel::Success, tr!("Deleted the template {name}", name = name), undo);
                }
            }
            ChartAction::RestoreTemplate(template) => {
                chart.templates.put(*template);
            }
            ChartAction::DefaultTemplate(name) => chart.templates.set_default(name.as_deref()),
        }
        Vec::new()
    }

    fn apply_template(&mut self, name: &str) {
        let chart = &mut self.chart;
        // What no template has is only on the chart: it can be had back.
        let is_kept = chart.templates.all().any(|(template, _)| template.layout.shows_the_same(&chart.layout));
        let Some(layout) = chart.templates.apply(name, &chart.layout) else { return };
        let before = std::mem::replace(&mut chart.layout, layout);
        if !is_kept && !before.shows_the_same(&chart.layout) {
            let undo = Action::Chart(ChartAction::Change(Box::new(before)));
            self.notices.offer(NoticeLevel::Success, tr!("Applied the template {name}", name = shown_name(name)), undo);
        }
    }

    /// Puts the chart back to the default template, or to how it was at the first start.
    pub(super) fn reset_chart(&mut self) {
        let chart = &mut self.chart;
        if let Some(name) = chart.templates.default_name().map(str::to_owned) {
            self.apply_template(&name);
            return;
        }
        let mut layout = ChartLayout::default().at_time_of(&chart.layout);
        layout.renumber(chart.layout.last_id);
        let before = std::mem::replace(&mut chart.layout, layout);
        if !before.shows_the_same(&chart.layout) {
            let undo = Action::Chart(ChartAction::Change(Box::new(before)));
            self.notices.offer(NoticeLevel::Success, tr!("Reset the chart"), undo);
        }
    }

    pub(super) fn apply_loaded(&mut self, request: &LoadRequest, result: Result<LoadedSymbol, LoadError>) {
        if request.generation != self.chart.generation {
            return;
        }
        self.chart.is_waiting = false;
        match result {
            Ok(mut loaded) => {
                // What is told of the reading is told of the symbol's, not of a line's that came on later.
                if let Some(before) = self.chart.loaded.as_ref().filter(|_| request.base.is_some()) {
                    (loaded.tier, loaded.seconds) = (before.tier, before.seconds);
                }
                self.chart.loaded = Some(loaded);
                self.chart.error = None;
            }
            Err(error) => {
                self.chart.loaded = None;
                self.chart.error = Some(error);
            }
        }
    }

    /// Asks for the focused symbol if it is not on the chart yet, or its files changed since.
    pub(super) fn load_focus_if_new(&mut self) -> Vec<Job> {
        let Some(symbol) = self.list.focus().cloned() else {
            self.chart.turn_to(None);
            self.chart.requested = None;
            self.chart.loaded = None;
            return Vec::new();
        };
        self.chart.turn_to(Some(&symbol));
        let version = self.version_of(&symbol);
        if self.chart.requested.as_ref() == Some(&symbol) && self.chart.version == version {
            return Vec::new();
        }
        self.chart.requested = Some(symbol);
        self.chart.version = version;
        self.ask_for_chart(false)
    }

    /// Changes with the files of a symbol and of those it is compared with.
    fn version_of(&self, symbol: &Symbol) -> Option<u128> {
        let row = self.row(symbol)?;
        let compared = self.chart.layout.compared().filter_map(|(symbol, _)| self.row(symbol));
        let entries = row.datasets.iter().chain(compared.flat_map(|row| row.datasets.iter().filter(|dataset| dataset.dataset == "bars")));
        let files =
            entries.filter_map(|dataset| Some((dataset.entry.file.as_ref()?.checksum, dataset.entry.provisional_from_us.unwrap_or(0))));
        Some(
            files.fold(1_u128, |sum, (checksum, provisional_us)| sum.rotate_left(1) ^ checksum ^ u128::from(provisional_us.unsigned_abs())),
        )
    }

    /// Asks for the lines that came on since the symbol was read, and for nothing else.
    pub(super) fn load_new_lines(&mut self) -> Vec<Job> {
        let chart = &self.chart;
        let Some(loaded) = chart.loaded.as_ref().filter(|loaded| Some(&loaded.data.symbol) == chart.requested.as_ref()) else {
            return Vec::new();
        };
        let is_answered = |source: &SeriesSource| loaded.data.answer(source).is_some();
        let answered = chart.layout.lines().all(|line| is_answered(&line.source)) && self.features.looked_at().iter().all(is_answered);
        if chart.is_waiting || answered {
            return Vec::new();
        }
        self.ask_for_chart(true)
    }

    /// Reads what is shown again: what columns mean may have changed.
    pub(super) fn read_chart_again(&mut self) -> Vec<Job> {
        if self.chart.loaded.is_none() {
            return Vec::new();
        }
        self.chart.requested = None;
        self.load_focus_if_new()
    }

    fn ask_for_chart(&mut self, keeps_bars: bool) -> Vec<Job> {
        // Lines that are only looked at in the features panel are answered with the others.
        let looked_at = self.features.looked_at();
        let chart = &mut self.chart;
        let Some(symbol) = chart.requested.clone() else { return Vec::new() };
        chart.generation += 1;
        chart.is_waiting = true;
        let base = chart.loaded.as_ref().filter(|_| keeps_bars).map(|loaded| Arc::clone(&loaded.data));
        let mut series = chart.layout.sources();
        series.extend(looked_at.into_iter().filter(|source| !chart.layout.contains(source)));
        vec![Job::Load(LoadRequest { generation: chart.generation, symbol, series, base })]
    }
}
