//! The eframe glue: drains the worker's events, draws the views, and hands what users did to the state.
//!
//! The window's thread never waits: no file, database or lock is touched here. File dialogs run on a thread of their own and
//! wake the window when they are answered.

use super::chart::{ChartView, FeatureChoices, name_template_ui};
use super::commands;
use super::fonts::PatientFonts;
use super::remembered::{Copies, Remembered};
use super::theme::{self, PriceColors};
use super::{bench, chrome, connect, dashboard, dialogs, free, help, jobs, notices, palette, settings, symbols};
use crate::app::{
    Action, AppState, ChartAction, Closing, Dialog, ExportAction, ListsAction, OpenState, SettingsAction, SourceAction, View,
};
use crate::config::{Appearance, PriceColorChoice, SetAside, ThemeChoice, ZOOM_PERCENTS};
use crate::desktop::Instance;
use crate::language::{self, Language};
use crate::market::{Clock, SystemClock};
use crate::tr;
use crate::worker::{self, Job, Worker, WorkerContext};
use eframe::egui;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Longest time one frame spends on events; the rest waits for the next frame.
const EVENT_BUDGET: Duration = Duration::from_millis(3);

/// What a file dialog is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathPurpose {
    /// The cache folder.
    CacheDir,
    /// The folder of the bars tree.
    BarsDir,
    /// The folder of the features tree.
    FeaturesDir,
    /// A database file, for the connection dialog.
    SourceFile,
    /// A folder of files, for the connection dialog.
    SourceFolder,
    /// A file for a picture of the chart.
    ChartPicture,
    /// A text or table of symbols, for a new list.
    ListFile,
    /// Where a table is written to.
    ExportFile(crate::worker::ExportFormat),
    /// Where files of symbols are written to.
    ExportFolder,
}

/// A path that was chosen, and what for; `None` where the desktop has no file dialogs.
type Picked = (PathPurpose, Option<PathBuf>);

/// No user closes a file dialog so quickly: it could not be shown.
const QUICKEST_ANSWER: Duration = Duration::from_millis(250);

/// Everything a view may use besides the state: what it returns, and what is only for drawing.
#[derive(Default)]
pub struct Outbox {
    /// What the user did.
    pub actions: Vec<Action>,
    /// File dialogs to open.
    pub pick: Vec<PathPurpose>,
}

impl Outbox {
    /// The user did this.
    pub fn act(&mut self, action: Action) {
        self.actions.push(action);
    }
}

/// Passing state of the views that is no business of the application's.
#[derive(Default)]
pub struct ViewState {
    /// The chart.
    pub chart: ChartView,
    /// How wide the list was before a panel beside the chart took room from it.
    pub list_width: Option<f32>,
    /// What can be put on the chart.
    pub features: FeatureChoices,
    /// The features panel.
    pub panel: super::features::FeaturesView,
    /// What is typed into the palette.
    pub palette: palette::PaletteState,
    /// When each notice came.
    pub notice_times: HashMap<u64, f64>,
    /// Whether the pointer is on the notices, so that none goes.
    pub notices_held: bool,
    /// Notices that are shown whole.
    pub whole_notices: std::collections::HashSet<u64>,
    /// Where each symbol lies on the overview's map.
    pub heat: dashboard::HeatMap,
    /// Jobs whose failures are all shown.
    pub all_failures: std::collections::HashSet<(&'static str, u64)>,
    /// Whether every deleted batch is shown.
    pub all_batches: bool,
    /// Whether the inspector shows every finding it knows.
    pub all_findings: bool,
    /// The list of symbols.
    pub table: symbols::TableView,
    /// Jobs whose reasons were shown or hidden against the habit: whether it was the newest then, and its row.
    pub open_jobs: std::collections::HashSet<(bool, i64)>,
    /// Whether the inspector shows every change and every lookup it knows.
    pub all_changes: bool,
    /// The same of lookups.
    pub all_lookups: bool,
    /// Whether the overview shows every eviction it knows.
    pub all_evictions: bool,
    /// Whether the overview shows every slow query it knows.
    pub all_queries: bool,
    /// Queries whose statements are shown whole: when they began, and the statement.
    pub open_queries: std::collections::HashSet<(i64, String)>,
    /// Plans that are shown, by what their query is for.
    pub open_plans: std::collections::HashSet<crate::source::QueryPurpose>,
    /// Whether the overview shows the rule of evictions.
    pub eviction_rule: bool,
    /// Settings as typed, until they are valid.
    pub settings: settings::SettingsDraft,
    /// A URL as typed, until it is understood.
    pub pasting: Option<String>,
    /// Whether the connection dialog was on the screen in the frame before.
    pub connect_shown: bool,
    /// Whether Enter was not some button's of it then.
    pub connect_takes_enter: bool,
    /// A path that is typed because no file dialog can be shown.
    pub path: Option<super::path::PathDraft>,
    /// What the help sheet is searched for while it is open.
    pub help_search: Option<String>,
    /// Whether the dialog that frees room was there in the last frame.
    pub free_is_open: bool,
    /// The file of the diagnostics as typed while they are asked for.
    pub diagnostics_path: Option<String>,
}

/// What the window is opened with.
pub struct Start {
    /// Settings, folders and overrides.
    pub context: WorkerContext,
    /// What was wrong with the arguments.
    pub problems: Vec<String>,
    /// The settings file that could not be read, and what became of it.
    pub set_aside: Option<SetAside>,
    /// The place among the windows of this machine; without one where the system gives none.
    pub instance: Option<Instance>,
    /// What the desktop speaks: taken when the settings name no language.
    pub desktop_language: Language,
}

/// The window.
pub struct SamovarWindow {
    worker: Option<Worker>,
    state: AppState,
    views: ViewState,
    picked: (SyncSender<Picked>, Receiver<Picked>),
    /// In tests, the file dialogs that would have been opened.
    unopened: Option<Vec<PathPurpose>>,
    look: Option<Appearance>,
    /// Whether the first frame has been drawn.
    drawn: bool,
    /// Held until the window ends: no other window of its kind opens meanwhile.
    _instance: Option<Instance>,
    /// Another start of the program asked for this window.
    called: Arc<AtomicBool>,
    /// Whether the window is out of sight until its jobs are done.
    is_hidden: bool,
    spoken: Language,
    /// The language that is known to have its letters, or to have been complained of.
    lettered: Language,
    /// The fonts of the system, where the window draws with them.
    fonts: Option<Arc<PatientFonts>>,
    clock: Arc<dyn Clock>,
    copies: Copies,
}

impl SamovarWindow {
    /// Makes the window on a running worker's context; settings that could not be read are told about.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(creation: &eframe::CreationContext<'_>, start: Start) -> std::io::Result<Self> {
        let Start { context, problems, set_aside, instance, desktop_language } = start;
        theme::install(&creation.egui_ctx);
        // The size of everything is a setting, with commands of its own.
        creation.egui_ctx.options_mut(|options| options.zoom_with_keyboard = false);
        let remembered = Remembered::newest(creation.storage, worker::kept_workspace(&context.places).as_deref());
        let mut state = AppState::new(context.settings.clone(), &remembered.workspace, context.source.is_some());
        state.chart.layout = remembered.chart;
        state.desktop_language = desktop_language;
        state.documents_dir.clone_from(&context.places.documents_dir);
        state.dialog = set_aside.map(Dialog::SettingsSetAside);
        let called = Arc::new(AtomicBool::new(false));
        if let Some(instance) = &instance {
            let (called, ctx) = (Arc::clone(&called), creation.egui_ctx.clone());
            instance.listen(move || {
                called.store(true, Ordering::Relaxed);
                ctx.request_repaint();
            })?;
        }
        let wake = {
            let ctx = creation.egui_ctx.clone();
            move || ctx.request_repaint()
        };
        let clock = Arc::clone(&context.clock);
        let worker = Worker::spawn_waiting(context, wake)?;
        let mut window = Self {
            worker: Some(worker),
            state,
            views: ViewState::default(),
            picked: sync_channel(8),
            unopened: None,
            look: None,
            drawn: false,
            _instance: instance,
            called,
            is_hidden: false,
            spoken: Language::English,
            lettered: Language::English,
            fonts: None,
            clock,
            copies: Copies::default(),
        };
        for problem in problems {
            window.state.notices.warn(problem);
        }
        window.apply_look(&creation.egui_ctx);
        Ok(window)
    }

    /// A window over a state that no worker changes, to measure what a frame costs.
    #[must_use]
    pub fn of_state(ctx: &egui::Context, state: AppState) -> Self {
        theme::install(ctx);
        Self {
            worker: None,
            state,
            views: ViewState::default(),
            picked: sync_channel(8),
            unopened: None,
            look: None,
            drawn: false,
            _instance: None,
            called: Arc::default(),
            is_hidden: false,
            spoken: Language::English,
            lettered: Language::English,
            fonts: None,
            clock: Arc::new(SystemClock),
            copies: Copies::default(),
        }
    }

    /// Draws with the fonts of the system, too.
    ///
    /// # Errors
    /// When the system gives no thread.
    fn with_system_fonts(mut self, ctx: &egui::Context) -> std::io::Result<Self> {
        self.fonts = Some(PatientFonts::install(ctx)?);
        Ok(self)
    }

    /// The state, for tests.
    #[must_use]
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// The chart's passing state, for tests.
    #[must_use]
    pub fn chart_view(&self) -> &ChartView {
        &self.views.chart
    }

    /// Does what a widget would ask for that no test can reach, for tests.
    pub fn act(&mut self, action: Action) {
        let jobs = self.state.execute(action);
        self.send(jobs);
    }

    /// Opens no file dialog from now on and remembers which it would have opened, for tests.
    pub fn keep_file_dialogs_closed(&mut self) {
        self.unopened = Some(Vec::new());
    }

    /// The file dialogs that would have been opened, for tests.
    #[must_use]
    pub fn unopened_file_dialogs(&self) -> &[PathPurpose] {
        self.unopened.as_deref().unwrap_or_default()
    }

    /// Answers a file dialog as a user would, for tests.
    pub fn answer_file_dialog(&self, purpose: PathPurpose, path: PathBuf) {
        self.send_picked(purpose, Some(path));
    }

    /// Answers a file dialog as a desktop without any does, for tests.
    pub fn refuse_file_dialog(&self, purpose: PathPurpose) {
        self.send_picked(purpose, None);
    }

    fn send_picked(&self, purpose: PathPurpose, path: Option<PathBuf>) {
        if self.picked.0.try_send((purpose, path)).is_err() {
            tracing::error!(?purpose, "too many answers to file dialogs");
        }
    }

    fn send(&self, jobs: Vec<Job>) {
        if let Some(worker) = &self.worker {
            for job in jobs {
                worker.send(job);
            }
        }
    }

    /// Applies what the worker told, for a few milliseconds at most.
    fn drain_events(&mut self, ctx: &egui::Context) {
        let started = Instant::now();
        while let Some(event) = self.worker.as_ref().and_then(Worker::try_next) {
            let jobs = self.state.apply(event);
            self.send(jobs);
            if started.elapsed() > EVENT_BUDGET {
                ctx.request_repaint();
                return;
            }
        }
    }

    fn remembered(&self) -> Remembered {
        Remembered { workspace: self.state.workspace(), chart: self.state.chart.shared_layout().clone() }
    }

    /// Has a copy of what is remembered kept, now and then.
    fn keep_copy(&mut self) {
        let now_us = self.clock.now_us();
        let mut copies = std::mem::take(&mut self.copies);
        if let Some(text) = copies.due(now_us, || self.remembered()) {
            self.send(vec![Job::KeepWorkspace(text)]);
        }
        self.copies = copies;
    }

    fn take_picked_paths(&mut self) {
        while let Ok((purpose, path)) = self.picked.1.try_recv() {
            let Some(path) = path else {
                self.views.path = Some(super::path::PathDraft::new(purpose, &self.state));
                continue;
            };
            let action = match purpose {
                PathPurpose::CacheDir => Action::Settings(SettingsAction::CacheDir(Some(path))),
                PathPurpose::BarsDir => Action::Settings(SettingsAction::BarsDir(Some(path))),
                PathPurpose::FeaturesDir => Action::Settings(SettingsAction::FeaturesDir(Some(path))),
                PathPurpose::ChartPicture => Action::Chart(ChartAction::SavePicture(path)),
                PathPurpose::ListFile => Action::Lists(ListsAction::Read(path)),
                PathPurpose::ExportFile(_) | PathPurpose::ExportFolder => Action::Export(ExportAction::To(path)),
                PathPurpose::SourceFile | PathPurpose::SourceFolder => {
                    Action::Source(SourceAction::Path(path.to_string_lossy().into_owned()))
                }
            };
            let jobs = self.state.execute(action);
            self.send(jobs);
        }
    }

    /// Speaks the language of the settings from now on; what was worked out in another is worked out again.
    fn speak(&mut self) {
        let wanted = self.state.language();
        language::speak(wanted);
        if self.spoken != wanted {
            self.spoken = wanted;
            self.state.say_again();
            self.views.features = FeatureChoices::default();
        }
    }

    /// Says so when no font of the system has the letters of the language. Asked once, of whoever would draw them.
    fn check_letters(&mut self, ctx: &egui::Context) {
        if self.lettered == self.spoken {
            return;
        }
        let font = egui::TextStyle::Body.resolve(&ctx.global_style());
        let has_letters = ctx.fonts_mut(|fonts| fonts.has_glyphs(&font, self.spoken.sample()));
        if !has_letters && self.fonts.as_ref().is_some_and(|fonts| fonts.are_looked_for()) {
            return;
        }
        self.lettered = self.spoken;
        if !has_letters {
            self.state.notices.warn(self.spoken.no_font());
        }
    }

    /// Theme, price colours, size and motion as the settings have them.
    fn apply_look(&mut self, ctx: &egui::Context) {
        let wanted = &self.state.settings.appearance;
        if self.look.as_ref() == Some(wanted) {
            return;
        }
        let percent = wanted.zoom_percent.clamp(*ZOOM_PERCENTS.start(), *ZOOM_PERCENTS.end());
        ctx.set_zoom_factor(f32::from(percent) / 100.0);
        theme::set_reduced_motion(ctx, wanted.reduced_motion);
        ctx.set_theme(match wanted.theme {
            ThemeChoice::System => egui::ThemePreference::System,
            ThemeChoice::Light => egui::ThemePreference::Light,
            ThemeChoice::Dark => egui::ThemePreference::Dark,
        });
        theme::set_price_colors(
            ctx,
            match wanted.price_colors {
                PriceColorChoice::GreenUp => PriceColors::GreenUp,
                PriceColorChoice::RedUp => PriceColors::RedUp,
                PriceColorChoice::BlueOrange => PriceColors::BlueOrange,
            },
        );
        self.look = Some(wanted.clone());
    }

    fn open_dialog(&mut self, ctx: &egui::Context, purpose: PathPurpose) {
        if let Some(unopened) = &mut self.unopened {
            unopened.push(purpose);
            return;
        }
        let dialog = rfd::AsyncFileDialog::new();
        let (answer, ctx) = (self.picked.0.clone(), ctx.clone());
        let asked_at = Instant::now();
        let wait = move |chosen: Option<rfd::FileHandle>| {
            let chosen = chosen.map(|chosen| chosen.path().to_path_buf());
            // Closed without an answer, unless nothing was shown at all: then the path is to be typed.
            if (chosen.is_some() || asked_at.elapsed() < QUICKEST_ANSWER) && answer.send((purpose, chosen)).is_ok() {
                ctx.request_repaint();
            }
        };
        let thread = std::thread::Builder::new().name("samovar-file-dialog".to_owned());
        let spawned = match purpose {
            PathPurpose::SourceFile => {
                let asked = dialog.set_title(tr!("Choose a database file")).pick_file();
                thread.spawn(move || wait(pollster::block_on(asked)))
            }
            PathPurpose::ChartPicture => {
                let asked = dialog.set_title(tr!("Save the chart as a picture")).set_file_name(self.state.picture_name()).save_file();
                thread.spawn(move || wait(pollster::block_on(asked)))
            }
            PathPurpose::ListFile => {
                let dialog = dialog.add_filter(tr!("Texts and tables"), &["csv", "tsv", "txt"]).add_filter(tr!("All files"), &["*"]);
                let asked = dialog.set_title(tr!("Choose a file with symbols")).pick_file();
                thread.spawn(move || wait(pollster::block_on(asked)))
            }
            PathPurpose::ExportFile(format) => {
                let dialog =
                    dialog.add_filter(format.name(), &[format.extension()]).set_file_name(format!("symbols.{}", format.extension()));
                let asked = dialog.set_title(tr!("Export the list")).save_file();
                thread.spawn(move || wait(pollster::block_on(asked)))
            }
            PathPurpose::ExportFolder => {
                let asked = dialog.set_title(tr!("Choose a folder for the files")).pick_folder();
                thread.spawn(move || wait(pollster::block_on(asked)))
            }
            PathPurpose::CacheDir | PathPurpose::BarsDir | PathPurpose::FeaturesDir | PathPurpose::SourceFolder => {
                let asked = dialog.set_title(tr!("Choose a folder")).pick_folder();
                thread.spawn(move || wait(pollster::block_on(asked)))
            }
        };
        if let Err(error) = spawned {
            tracing::error!(%error, "no thread for a file dialog");
        }
    }

    fn draw(&mut self, ui: &mut egui::Ui, out: &mut Outbox) {
        let (state, views) = (&self.state, &mut self.views);
        chrome::top_bar_ui(ui, state, views, out);
        chrome::status_bar_ui(ui, state, out);
        egui::CentralPanel::no_frame().show(ui, |ui| match (&state.open, state.view) {
            (OpenState::Failed(message), View::Symbols | View::Overview | View::Jobs) => dialogs::cannot_open_ui(ui, message, out),
            (_, View::Symbols) => symbols::symbols_view_ui(ui, state, views, out),
            (_, View::Overview) => dashboard::overview_ui(ui, state, views, out),
            (_, View::Jobs) => jobs::jobs_ui(ui, state, views, out),
            (_, View::Settings) => settings::settings_ui(ui, state, views, out),
        });
        dialogs::confirm_ui(ui, state, out);
        dialogs::confirm_close_ui(ui, state, out);
        dialogs::set_aside_ui(ui, state, out);
        dialogs::diagnostics_ui(ui, state, views, out);
        super::about::about_ui(ui, state, out);
        super::features::save_dialog_ui(ui, state, out);
        name_template_ui(ui, state, out);
        connect::connect_dialog_ui(ui, state, views, out);
        bench::bench_dialog_ui(ui, state, out);
        free::free_dialog_ui(ui, state, views, out);
        symbols::list_dialog_ui(ui, state, out);
        symbols::export_dialog_ui(ui, state, views.path.is_some(), out);
        palette::palette_ui(ui, state, views, out);
        if let Some((purpose, path)) = super::path::path_ui(ui, views)
            && self.picked.0.try_send((purpose, Some(path))).is_ok()
        {
            ui.request_repaint();
        }
        help::help_ui(ui, state, views, out);
        notices::notices_ui(ui, state, views, out);
        dialogs::drop_ui(ui, state);
    }

    /// Files that were let fall on the window.
    fn take_dropped_files(&mut self, ctx: &egui::Context) {
        let paths: Vec<PathBuf> = ctx.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_path_buf()).collect());
        if !paths.is_empty() {
            self.act(Action::Source(SourceAction::Dropped(paths)));
        }
    }

    /// Closing and coming back: asks first while a job runs, goes out of sight until it is done, or goes.
    fn mind_closing(&mut self, ctx: &egui::Context) {
        if self.called.swap(false, Ordering::Relaxed) {
            self.act(Action::ComeBack);
            for command in [egui::ViewportCommand::Visible(true), egui::ViewportCommand::Minimized(false), egui::ViewportCommand::Focus] {
                ctx.send_viewport_cmd(command);
            }
            self.is_hidden = false;
        }
        let is_asked = ctx.input(|input| input.viewport().close_requested());
        if is_asked && self.state.closing != Closing::Now {
            self.act(Action::AskToClose);
            if self.state.closing != Closing::Now {
                ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            }
        } else if !is_asked && self.state.is_to_end() {
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
            self.state.closing = Closing::Now;
        } else if self.state.closing == Closing::WhenDone && !self.is_hidden {
            ctx.send_viewport_cmd(egui::ViewportCommand::Visible(false));
            self.is_hidden = true;
        }
    }
}

impl eframe::App for SamovarWindow {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        // The first frame has the machine to itself; a large catalog would take half of it.
        if !self.drawn {
            ctx.request_repaint();
        } else if let Some(worker) = &mut self.worker {
            worker.begin();
        }
        self.drawn = true;
        self.speak();
        self.drain_events(ctx);
        self.take_picked_paths();
        self.keep_copy();
        self.mind_closing(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.speak();
        self.check_letters(ui);
        self.state.is_dark = theme::Theme::of(ui).dark;
        self.take_dropped_files(ui);
        let mut out = Outbox::default();
        // A path that is typed stands before everything else, its Esc too.
        if self.views.path.is_none() {
            commands::shortcuts(ui, &self.state, &mut out);
        }
        self.draw(ui, &mut out);
        self.state.focus_filter = false;
        (self.state.features.focus_search, self.state.features.focus_editor) = (false, false);
        for action in out.actions {
            let jobs = self.state.execute(action);
            self.send(jobs);
            // What was asked for is drawn at once, not at the next movement of the pointer.
            ui.request_repaint();
        }
        for purpose in out.pick {
            self.open_dialog(ui, purpose);
        }
        if let Some(text) = self.state.clipboard.take() {
            ui.copy_text(text);
        }
        self.apply_look(ui);
        if self.state.snapshot.next_change_us.is_some() {
            // "in 3 h 12 min" is true for a minute.
            ui.request_repaint_after(Duration::from_secs(60));
        }
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        self.remembered().store(storage, self.clock.now_us());
    }

    /// Only when the window closes: each save waits for the one before. Until then the worker keeps copies.
    fn auto_save_interval(&self) -> Duration {
        Duration::MAX
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        if let Some(worker) = self.worker.take() {
            worker.shut_down();
        }
    }
}

/// Opens the window and returns when it is closed.
///
/// # Errors
/// When the desktop gives no window.
pub fn run(start: Start) -> anyhow::Result<()> {
    let viewport = egui::ViewportBuilder::default()
        .with_title("Samovar")
        .with_app_id("samovar")
        .with_inner_size([1440.0, 900.0])
        .with_min_inner_size([880.0, 560.0])
        .with_icon(super::logo::window_icon());
    // Before the first time is told; the worker looks again now and then.
    crate::here::look_around();
    let options = eframe::NativeOptions {
        viewport,
        persist_window: true,
        // The window has its own, which does not wait.
        system_font_fallback: false,
        ..eframe::NativeOptions::default()
    };
    let make = move |creation: &eframe::CreationContext<'_>| -> Result<Box<dyn eframe::App>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Box::new(SamovarWindow::new(creation, start)?.with_system_fonts(&creation.egui_ctx)?))
    };
    eframe::run_native("samovar", options, Box::new(make)).map_err(|error| anyhow::anyhow!("the window cannot be opened: {error}"))
}
