//! What users do, turned into changes of the state and jobs for the worker.

use super::action::{Action, ListAction, SettingsAction, SourceAction};
use super::chart::ChartAction;
use super::command::Command;
use super::connect::{ConnectForm, TestState};
use super::features::FeatureAction;
use super::state::{AppState, Dialog, View};
use super::symbols::ListsAction;
use crate::cache::{DatasetFilter, EntryState, Selection};
use crate::config::{Password, Settings, SourceSetting, ThemeChoice};
use crate::market::Symbol;
use crate::preheat::RunState;
use crate::source::{SourceId, SourceKind, SourceUrl};
use crate::worker::{Job, NoticeLevel, PreheatOrder, ProfileRequest};
use crate::{tr, tr_n};

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
        let mut jobs = self.carry_out(action);
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
            Action::LookBack(span) => self.overview.span = span,
            Action::Copy(text) => self.clipboard = Some(text),
            Action::Restore(batch) => return vec![Job::UndoClear(Some(batch))],
            Action::DismissNotice(id) => self.notices.dismiss(id),
            Action::CloseDialog => match self.dialog.take() {
                Some(Dialog::SaveFormula) => self.keep_editing(),
                // A measurement nobody sees the end of is not gone on with.
                Some(Dialog::Bench(form)) if form.is_running() => return vec![Job::StopBench],
                _ => {}
            },
            Action::Confirm => match self.dialog.take() {
                Some(Dialog::ConfirmClear { selection, .. }) => return vec![Job::Clear(selection)],
                Some(Dialog::SaveFormula) => return self.save_draft(),
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
                self.chart.layout.log_scale = !self.chart.layout.log_scale;
                Vec::new()
            }
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
            Command::Help => {
                self.dialog = Some(Dialog::Help);
                Vec::new()
            }
        }
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

    fn use_sample(&mut self) -> Vec<Job> {
        self.add_source(tr!("Sample market"), &SourceUrl::new(SourceKind::Sample), None)
    }

    /// Adds or replaces a source, uses it, and preheats it.
    fn add_source(&mut self, name: &str, url: &SourceUrl, replaces: Option<&str>) -> Vec<Job> {
        let mut settings = self.settings.clone();
        let name = &free_name(&settings, name, url, replaces);
        let replaced = replaces.unwrap_or(name);
        let exchange = settings.sources.iter().find(|source| source.name == replaced).and_then(|source| source.exchange.clone());
        let setting = SourceSetting { name: name.to_owned(), url: url.redacted(), exchange };
        match settings.sources.iter_mut().find(|source| source.name == replaced) {
            Some(source) => *source = setting,
            None => settings.sources.push(setting),
        }
        settings.source = Some(name.clone());
        let password = url.password().map(|password| (url.id().as_str().to_owned(), Password::new(password)));
        let mut jobs = self.save(settings, password);
        self.dialog = None;
        self.view = View::Symbols;
        self.greet = true;
        self.list.select_none();
        jobs.push(self.preheat(PreheatOrder { title: tr!("Preheat {source}", source = name), ..PreheatOrder::default() }));
        jobs
    }

    fn change_source(&mut self, action: SourceAction) -> Vec<Job> {
        match action {
            SourceAction::Use(name) => {
                let mut settings = self.settings.clone();
                settings.source = Some(name);
                self.list.select_none();
                return self.save(settings, None);
            }
            SourceAction::Forget(name) => {
                let mut settings = self.settings.clone();
                settings.sources.retain(|source| source.name != name);
                if settings.source.as_deref() == Some(&name) {
                    settings.source = settings.sources.first().map(|source| source.name.clone());
                }
                return self.save(settings, None);
            }
            SourceAction::Edit(name) => self.edit_source(name.as_deref()),
            SourceAction::Test => return self.test_source(),
            SourceAction::Connect => return self.connect_source(),
            field => self.change_field(field),
        }
        Vec::new()
    }

    fn edit_source(&mut self, name: Option<&str>) {
        let known = name.and_then(|name| self.settings.sources.iter().find(|source| source.name == name));
        let form = known.and_then(|source| Some(ConnectForm::of(&source.name, &SourceUrl::parse(&source.url).ok()?)));
        self.dialog = Some(Dialog::Connect(Box::new(form.unwrap_or_default())));
    }

    fn change_field(&mut self, action: SourceAction) {
        let Some(Dialog::Connect(form)) = &mut self.dialog else { return };
        match action {
            // The name is not part of the connection: a test stays valid.
            SourceAction::Name(text) => {
                form.name = text;
                return;
            }
            SourceAction::Kind(kind) => form.kind = kind,
            SourceAction::Host(text) => form.host = text,
            SourceAction::Port(text) => form.port = text,
            SourceAction::User(text) => form.user = text,
            SourceAction::Password(text) => form.password = text,
            SourceAction::Database(text) => form.database = text,
            SourceAction::Table(text) => form.table = text,
            SourceAction::Path(text) => form.path = text,
            SourceAction::Tls(tls) => form.tls = tls,
            SourceAction::MapColumn(role, column) => form.columns.set(role, column),
            SourceAction::Use(_) | SourceAction::Forget(_) | SourceAction::Edit(_) | SourceAction::Test | SourceAction::Connect => return,
        }
        form.test = TestState::Idle;
    }

    fn test_source(&mut self) -> Vec<Job> {
        let generation = self.next_test + 1;
        let Some(Dialog::Connect(form)) = &mut self.dialog else { return Vec::new() };
        match form.url() {
            Ok(url) => {
                form.test = TestState::Running { generation, stages: Vec::new() };
                self.next_test = generation;
                vec![Job::TestSource { generation, url: Box::new(url) }]
            }
            Err(problem) => {
                self.notices.tell(NoticeLevel::Warning, problem);
                Vec::new()
            }
        }
    }

    fn connect_source(&mut self) -> Vec<Job> {
        let Some(Dialog::Connect(form)) = &self.dialog else { return Vec::new() };
        match form.url() {
            Ok(url) => {
                let (name, editing) = (form.name_to_save(), form.editing.clone());
                self.add_source(&name, &url, editing.as_deref())
            }
            Err(problem) => {
                self.notices.tell(NoticeLevel::Warning, problem);
                Vec::new()
            }
        }
    }
}

/// A name that means no other source: two tables of one database are two sources.
fn free_name(settings: &Settings, wanted: &str, url: &SourceUrl, replaces: Option<&str>) -> String {
    let taken =
        |name: &str| settings.sources.iter().any(|source| source.name == name && replaces != Some(name) && source.url != url.redacted());
    let numbered = (2..).map(|number| format!("{wanted} ({number})"));
    std::iter::once(wanted.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_else(|| wanted.to_owned())
}

fn symbols_text(count: usize) -> String {
    tr_n!(count as u64, "{count} symbol", "{count} symbols")
}
