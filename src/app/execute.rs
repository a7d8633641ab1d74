//! What users do, turned into changes of the state and jobs for the worker.

use super::action::{Action, Closing, ListAction, SettingsAction};
use super::chart::{ChartAction, ChartWish, PriceScale};
use super::command::Command;
use super::features::FeatureAction;
use super::state::{AppState, Dialog, View};
use super::symbols::ListsAction;
use super::visits::Coming;
use crate::cache::{DatasetFilter, EntryState, Selection};
use crate::config::{Password, Settings, ThemeChoice};
use crate::market::Symbol;
use crate::preheat::RunState;
use crate::source::SourceId;
use crate::worker::{Job, NoticeLevel, PreheatOrder, ProfileRequest};
use crate::{tr, tr_n};

/// How large everything can be made with the keys, in percent.
pub(super) const ZOOM_STEPS: [u16; 11] = [50, 67, 75, 80, 90, 100, 110, 125, 150, 175, 200];
/// Clearing up to so many symbols needs no question: it can be undone from the notice.
const CLEAR_WITHOUT_ASKING: usize = 50;

/// Why some symbols are brought to fresh.
#[derive(Debug, Clone, Copy)]
enum Ordered {
    Preheat,
    Refresh,
    Retry,
}

impl Ordered {
    /// What a job for these symbols is called.
    fn title(self, symbols: &[Symbol]) -> String {
        let count = symbols.len() as u64;
        match (self, symbols) {
            (Self::Preheat, [one]) => tr!("Preheat {symbol}", symbol = one),
            (Self::Refresh, [one]) => tr!("Refresh {symbol}", symbol = one),
            (Self::Retry, [one]) => tr!("Retry failed {symbol}", symbol = one),
            (Self::Preheat, _) => tr_n!(count, "Preheat {count} symbol", "Preheat {count} symbols"),
            (Self::Refresh, _) => tr_n!(count, "Refresh {count} symbol", "Refresh {count} symbols"),
            (Self::Retry, _) => tr_n!(count, "Retry failed {count} symbol", "Retry failed {count} symbols"),
        }
    }
}

impl AppState {
    /// Does what the user asked for; returns jobs for the worker.
    #[must_use]
    pub fn execute(&mut self, action: Action) -> Vec<Job> {
        let coming = match action {
            Action::List(ListAction::Move { .. } | ListAction::Jump { .. })
            | Action::Run(Command::PreviousSymbol | Command::NextSymbol) => Coming::Walked,
            _ => Coming::Went,
        };
        let mut jobs = self.carry_out(action);
        self.note_visit(coming);
        jobs.extend(self.look_closer());
        jobs.extend(self.load_new_lines());
        jobs.extend(self.ask_for_closes());
        jobs
    }

    fn carry_out(&mut self, action: Action) -> Vec<Job> {
        match action {
            Action::Run(command) => return self.run(command),
            Action::Show(view) => self.view = view,
            Action::Features(action) => return self.change_features(action),
            Action::List(action) => return self.change_list(action),
            Action::Lists(action) => return self.change_lists(action),
            Action::Export(action) => return self.change_export(action),
            Action::RevealPath(path) => return vec![Job::Reveal(path)],
            Action::Source(action) => return self.change_source(action),
            Action::Chart(action) => return self.change_chart(action),
            Action::Settings(action) => return self.change_settings(action),
            Action::Bench(action) => return self.change_bench(action),
            Action::ControlJob(id, state) => return vec![Job::Control { id, state }],
            Action::Retry(symbols) => return vec![self.preheat_symbols(Ordered::Retry, symbols, false)],
            Action::Preheat(symbol) => return vec![self.preheat_symbols(Ordered::Preheat, vec![symbol], false)],
            Action::Inspect(symbol) => return self.inspect(symbol),
            Action::Reveal(symbol) => return self.reveal(symbol),
            Action::Find(symbol) => {
                self.list.show_all();
                self.list.set_filter(symbol.to_string());
                return self.reveal(symbol);
            }
            Action::ShowSymbols { title, symbols } => {
                self.list.show_only(title, symbols);
                self.view = View::Symbols;
                self.update_list();
                return self.load_focus_if_new();
            }
            Action::Turn(id, turn) => return vec![Job::Turn { id, turn }],
            Action::Schedule(action) => return self.change_schedules(action),
            Action::ReadNotices => self.notices.read_all(),
            Action::ForgetNotices => self.notices.forget_history(),
            Action::LookBack(span) => self.overview.span = span,
            Action::Copy(text) => self.clipboard = Some(text),
            Action::Restore(batch) => return vec![Job::UndoClear(Some(batch))],
            Action::DismissNotice(id) => self.notices.dismiss(id),
            Action::FindSymbol(text) => self.dialog = Some(Dialog::FindSymbol(text)),
            Action::ShowFile(path) => return vec![Job::Reveal(path)],
            Action::SaveDiagnostics(path) => return self.save_diagnostics(path),
            Action::AskToClose => self.ask_to_close(),
            Action::Close(closing) => self.close(closing),
            Action::ComeBack => self.closing = Closing::Stay,
            Action::Found(command) => {
                self.recent.add_command(command);
                return self.run(command);
            }
            Action::FoundSymbol(symbol) => {
                self.recent.add_symbol(symbol.clone());
                return self.reveal(symbol);
            }
            Action::AmountToFree(text) => return self.change_amount_to_free(text),
            Action::CloseDialog => match self.dialog.take() {
                Some(Dialog::SaveFormula) => self.keep_editing(),
                // A measurement nobody sees the end of is not gone on with.
                Some(Dialog::Bench(form)) if form.is_running() => return vec![Job::StopBench],
                _ => {}
            },
            Action::Confirm => match self.dialog.take() {
                Some(Dialog::ConfirmClear { selection, .. }) => return vec![Job::Clear(selection)],
                Some(Dialog::SaveFormula) => return self.save_draft(),
                Some(Dialog::Free(form)) => {
                    self.dialog = Some(Dialog::Free(form));
                    return self.free_as_planned();
                }
                _ => {}
            },
        }
        Vec::new()
    }

    fn run(&mut self, command: Command) -> Vec<Job> {
        if let Err(reason) = command.enabled(self) {
            tracing::debug!(?command, reason, "a command that cannot be run now was asked for");
            return Vec::new();
        }
        match command {
            Command::PreheatAll => vec![self.preheat(PreheatOrder { title: tr!("Preheat all").to_owned(), ..PreheatOrder::default() })],
            Command::CheckSource => {
                let order = PreheatOrder { title: tr!("Check the source").to_owned(), check: true, ..PreheatOrder::default() };
                vec![self.preheat(order)]
            }
            Command::PreheatSelected => self.preheat_selected(Ordered::Preheat, false),
            Command::RefreshSelected => self.preheat_selected(Ordered::Refresh, true),
            Command::InvalidateSelected => vec![Job::Invalidate(self.selection(self.list.targets()))],
            Command::ClearSelected => self.clear_selected(),
            Command::PinSelected => {
                let symbols = self.list.targets();
                let pinned = !symbols.iter().all(|symbol| self.row(symbol).is_some_and(|row| row.pinned));
                vec![Job::Pin { symbols, pinned }]
            }
            Command::ClearExpired => {
                self.ask_to_clear(Selection { expired_only: true, ..self.everything() }, tr!("Everything that is not fresh"))
            }
            Command::ClearAll => self.ask_to_clear(self.everything(), tr!("Every cached file of this source")),
            Command::FreeSpace => self.ask_how_much_to_free(),
            Command::UndoClear => vec![Job::UndoClear(None)],
            Command::RetryFailed => {
                let failed = self.failed_symbols();
                vec![self.preheat_symbols(Ordered::Retry, failed, false)]
            }
            Command::PauseJob => self.control_active(RunState::Paused),
            Command::ResumeJob => self.control_active(RunState::Running),
            Command::CancelJob => self.control_active(RunState::Cancelled),
            Command::Verify => vec![Job::Verify { repair: false }],
            Command::Repair => vec![Job::Verify { repair: true }],
            Command::UseSample => self.use_sample(),
            Command::ConnectSource => {
                self.dialog = Some(Dialog::Connect(Box::default()));
                Vec::new()
            }
            Command::ListSymbols => vec![Job::ListSymbols],
            Command::MeasureSpeed => {
                self.dialog = Some(Dialog::Bench(Box::default()));
                Vec::new()
            }
            Command::ProfileSource => {
                self.overview.profiling = true;
                self.view = View::Overview;
                vec![Job::ProfileSource(ProfileRequest::default())]
            }
            Command::ShowSymbols => self.show(View::Symbols),
            Command::ShowOverview => self.show(View::Overview),
            Command::ShowJobs => self.show(View::Jobs),
            Command::ShowSettings => self.show(View::Settings),
            Command::ShowInspector => {
                // From elsewhere the inspector is wanted; only beside the chart it is in the way.
                self.inspector.open = self.view != View::Symbols || !self.inspector.open;
                // One panel at a time stands beside the chart, which keeps its room.
                self.features.open &= !self.inspector.open;
                self.show(View::Symbols)
            }
            Command::ShowFeatures => {
                self.features.open = self.view != View::Symbols || !self.features.open;
                self.inspector.open &= !self.features.open;
                self.show(View::Symbols)
            }
            Command::SearchFeatures => {
                self.search_features();
                self.inspector.open = false;
                self.show(View::Symbols)
            }
            Command::NewFormula => {
                self.inspector.open = false;
                self.view = View::Symbols;
                self.change_features(FeatureAction::New { formula: String::new() })
            }
            Command::SaveFormula => self.change_features(FeatureAction::Save),
            Command::FocusFilter => {
                self.focus_filter = true;
                Vec::new()
            }
            Command::SelectAll => {
                self.list.select_all(&self.snapshot);
                Vec::new()
            }
            Command::SelectNone => {
                self.list.select_none();
                Vec::new()
            }
            Command::PreviousSymbol => self.change_list(ListAction::Move { rows: -1, extend: false }),
            Command::NextSymbol => self.change_list(ListAction::Move { rows: 1, extend: false }),
            Command::CopyRows => self.copy_rows(),
            Command::CopySymbols => {
                let names: Vec<String> = self.list.targets().iter().map(ToString::to_string).collect();
                self.notices.tell(NoticeLevel::Success, tr_n!(names.len() as u64, "Copied {count} symbol", "Copied {count} symbols"));
                self.clipboard = Some(names.join("\n"));
                Vec::new()
            }
            Command::CopyPaths => {
                self.copy_paths();
                Vec::new()
            }
            Command::RevealFile => {
                let path = self.list.targets().first().and_then(|symbol| self.bars_path(symbol));
                path.map(Job::Reveal).into_iter().collect()
            }
            Command::ExportRows => {
                self.ask_for_export();
                Vec::new()
            }
            Command::NewList => self.change_lists(ListsAction::New(
                self.list.selected().iter().cloned().collect::<std::collections::BTreeSet<_>>().into_iter().collect(),
            )),
            Command::ToggleVolume => {
                self.chart.layout.show_volume = !self.chart.layout.show_volume;
                Vec::new()
            }
            Command::ToggleLogScale => {
                self.chart.layout.toggle_scale(PriceScale::Log);
                Vec::new()
            }
            Command::TogglePercentScale => {
                self.chart.layout.toggle_scale(PriceScale::Percent);
                Vec::new()
            }
            Command::ToggleIndexedScale => {
                self.chart.layout.toggle_scale(PriceScale::Indexed);
                Vec::new()
            }
            Command::ToggleCalendarTime => {
                self.chart.layout.calendar_time = !self.chart.layout.calendar_time;
                Vec::new()
            }
            Command::FitScales => self.wish_of_chart(ChartWish::FitScales),
            Command::Indicators => self.wish_of_chart(ChartWish::Indicators),
            Command::Compare => self.wish_of_chart(ChartWish::Compare),
            Command::CompareSelected => self.compare_selected(),
            Command::StopComparing => {
                self.chart.layout.stop_comparing_all();
                Vec::new()
            }
            Command::GoToDate => self.wish_of_chart(ChartWish::GoToDate),
            Command::NextFinding => self.wish_of_chart(ChartWish::Finding { forward: true }),
            Command::PreviousFinding => self.wish_of_chart(ChartWish::Finding { forward: false }),
            Command::Measure => self.wish_of_chart(ChartWish::Measure),
            Command::SaveChartPicture => self.wish_of_chart(ChartWish::Picture { to_clipboard: false }),
            Command::CopyChartPicture => self.wish_of_chart(ChartWish::Picture { to_clipboard: true }),
            Command::CopyChartRows => self.wish_of_chart(ChartWish::CopyRows),
            Command::KeepChartForSymbol => self.toggle_kept(),
            Command::ChartHelp => self.wish_of_chart(ChartWish::Help),
            Command::RestorePanes => {
                self.chart.layout.maximised = None;
                Vec::new()
            }
            Command::ApplyTemplate => {
                self.dialog = Some(Dialog::Templates);
                Vec::new()
            }
            Command::SaveTemplate => self.change_chart(ChartAction::NameTemplate(None)),
            Command::ResetChart => {
                self.reset_chart();
                Vec::new()
            }
            Command::FindSymbol => {
                self.dialog = Some(Dialog::FindSymbol(String::new()));
                Vec::new()
            }
            Command::GoBack => self.travel(true),
            Command::GoForward => self.travel(false),
            Command::ZoomIn => self.zoom(|percent| ZOOM_STEPS.into_iter().find(|step| *step > percent)),
            Command::ZoomOut => self.zoom(|percent| ZOOM_STEPS.into_iter().rev().find(|step| *step < percent)),
            Command::ZoomReset => self.zoom(|_| Some(100)),
            Command::SaveDiagnostics => {
                self.ask_for_diagnostics();
                Vec::new()
            }
            Command::Quit => {
                self.ask_to_close();
                Vec::new()
            }
            Command::ToggleTheme => {
                let mut settings = self.settings.clone();
                settings.appearance.theme = if self.is_dark { ThemeChoice::Light } else { ThemeChoice::Dark };
                self.save(settings, None)
            }
            Command::SpeakEnglish | Command::SpeakChinese | Command::SpeakRussian | Command::SpeakKorean => {
                let mut settings = self.settings.clone();
                settings.appearance.language = command.language();
                if settings == self.settings { Vec::new() } else { self.save(settings, None) }
            }
            Command::Palette => {
                self.dialog = Some(Dialog::Palette);
                Vec::new()
            }
            Command::About => {
                self.dialog = Some(Dialog::About);
                Vec::new()
            }
            Command::Help => {
                self.dialog = Some(Dialog::Help);
                Vec::new()
            }
        }
    }

    fn zoom(&mut self, step: impl FnOnce(u16) -> Option<u16>) -> Vec<Job> {
        let mut settings = self.settings.clone();
        let Some(percent) = step(settings.appearance.zoom_percent) else { return Vec::new() };
        settings.appearance.zoom_percent = percent;
        self.save(settings, None)
    }

    fn show(&mut self, view: View) -> Vec<Job> {
        self.view = view;
        Vec::new()
    }

    fn preheat_symbols(&mut self, ordered: Ordered, symbols: Vec<Symbol>, force: bool) -> Job {
        let title = ordered.title(&symbols);
        self.preheat(PreheatOrder { title, symbols: Some(symbols), force, ..PreheatOrder::default() })
    }

    fn preheat_selected(&mut self, ordered: Ordered, force: bool) -> Vec<Job> {
        let symbols = self.list.targets();
        vec![self.preheat_symbols(ordered, symbols, force)]
    }

    fn source_id(&self) -> Option<SourceId> {
        self.snapshot.source.as_ref().map(|source| source.id.clone())
    }

    fn selection(&self, symbols: Vec<Symbol>) -> Selection {
        Selection { source: self.source_id(), symbols: Some(symbols), datasets: DatasetFilter::All, expired_only: false }
    }

    fn everything(&self) -> Selection {
        Selection { source: self.source_id(), ..Selection::default() }
    }

    fn clear_selected(&mut self) -> Vec<Job> {
        let symbols = self.list.targets();
        let count = symbols.len();
        let selection = self.selection(symbols);
        if count <= CLEAR_WITHOUT_ASKING {
            return vec![Job::Clear(selection)];
        }
        let (entries, size_bytes) = self.selected_size();
        self.dialog = Some(Dialog::ConfirmClear { selection, what: symbols_text(count), entries, size_bytes });
        Vec::new()
    }

    fn ask_to_clear(&mut self, selection: Selection, what: &str) -> Vec<Job> {
        let chosen = self.snapshot.rows.iter().flat_map(|row| &row.datasets).filter(|dataset| {
            dataset.entry.file.is_some() && (!selection.expired_only || matches!(dataset.state, EntryState::Stale | EntryState::Outdated))
        });
        let (entries, size_bytes) = chosen.fold((0, 0), |(count, bytes), dataset| (count + 1, bytes + dataset.entry.size_bytes()));
        self.dialog = Some(Dialog::ConfirmClear { selection, what: what.to_owned(), entries, size_bytes });
        Vec::new()
    }

    fn control_active(&mut self, state: RunState) -> Vec<Job> {
        self.active_job().map(|job| Job::Control { id: job.id, state }).into_iter().collect()
    }

    /// Uses settings from now on and has them saved.
    pub(super) fn save(&mut self, settings: Settings, password: Option<(String, Password)>) -> Vec<Job> {
        self.settings = settings.clone();
        vec![Job::Configure { settings: Box::new(settings), password }]
    }

    fn change_settings(&mut self, action: SettingsAction) -> Vec<Job> {
        let mut settings = self.settings.clone();
        match action {
            SettingsAction::Save(changed) => settings = *changed,
            SettingsAction::CacheDir(folder) => settings.cache_dir = folder,
            SettingsAction::BarsDir(folder) => settings.bars_cache_dir = folder,
            SettingsAction::FeaturesDir(folder) => settings.features_cache_dir = folder,
        }
        if settings == self.settings { Vec::new() } else { self.save(settings, None) }
    }
}

fn symbols_text(count: usize) -> String {
    tr_n!(count as u64, "{count} symbol", "{count} symbols")
}
