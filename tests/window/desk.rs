//! A desk to test at: the real window over folders of its own, a clock that stands still, and small markets to read from.

use eframe::egui;
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use egui_kittest::{Harness, Node};
use samovar::app::{AppState, Command, JobStage, OpenState};
use samovar::cache::{Catalog, Entry, FileLayer, Folders, SystemFiles};
use samovar::config::{Places, Secrets, SetAside, Settings, SourceSetting};
use samovar::desktop::Instance;
use samovar::market::{DAY_US, HOUR_US, ManualClock, Symbol, format_date};
use samovar::ui::{SamovarWindow, Start};
use samovar::worker::{SymbolRow, WorkerContext};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// 2024-05-06 12:00 UTC; far enough from today for the window to go by this clock alone.
pub const NOW_US: i64 = 19_849 * DAY_US + 12 * HOUR_US;
/// Longest wait for anything; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// What eframe keeps from one start to the next.
#[derive(Default)]
struct Kept(HashMap<String, String>);

impl eframe::Storage for Kept {
    fn get_string(&self, key: &str) -> Option<String> {
        self.0.get(key).cloned()
    }

    fn set_string(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }

    fn remove_string(&mut self, key: &str) {
        self.0.remove(key);
    }

    fn flush(&mut self) {}
}

/// The window and everything around it.
pub struct Desk {
    pub harness: Harness<'static, SamovarWindow>,
    pub clock: Arc<ManualClock>,
    pub places: Places,
    /// Jobs that were waited for.
    jobs_seen: usize,
    /// Last, so that the folder goes after the window.
    folder: Arc<TempDir>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        eframe::App::on_exit(self.harness.state_mut(), None);
    }
}

/// A desk that is being laid out.
pub struct Laid {
    folder: Arc<TempDir>,
    clock: Arc<ManualClock>,
    pub places: Places,
    pub settings: Settings,
    pub problems: Vec<String>,
    pub set_aside: Option<SetAside>,
    pub instance: Option<Instance>,
    /// How cached files are touched.
    pub files: Arc<dyn FileLayer>,
    kept: Kept,
}

impl Laid {
    pub fn new() -> Self {
        let folder = Arc::new(TempDir::new().expect("a temporary folder"));
        let places = Places {
            settings_file: folder.path().join("config/settings.toml"),
            cache_dir: folder.path().join("cache"),
            data_dir: folder.path().join("data"),
            documents_dir: folder.path().join("documents"),
        };
        let clock = Arc::new(ManualClock::at(NOW_US));
        Self {
            folder,
            clock,
            places,
            settings: Settings::default(),
            problems: Vec::new(),
            set_aside: None,
            instance: None,
            files: Arc::new(SystemFiles),
            kept: Kept::default(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Uses a SQLite market as its source from the start.
    pub fn source(mut self, name: &str, path: &Path) -> Self {
        let url = format!("sqlite:{}", path.display());
        self.settings.sources.push(SourceSetting { name: name.to_owned(), url, exchange: None });
        self.settings.source = Some(name.to_owned());
        self
    }

    /// What eframe kept from the start before, under its key.
    pub fn remembering(mut self, key: &str, text: &str) -> Self {
        self.kept.0.insert(key.to_owned(), text.to_owned());
        self
    }

    pub fn open(self) -> Desk {
        let Self { folder, clock, places, settings, problems, set_aside, instance, files, kept } = self;
        if settings != Settings::default() {
            settings.save(&places.settings_file).expect("saved settings");
        }
        let context = WorkerContext {
            settings,
            secrets: Secrets::beside(&places.settings_file).without_keyring(),
            places: places.clone(),
            cache_dir: None,
            overrides: samovar::worker::Overrides::default(),
            source: None,
            clock: clock.clone(),
            files: files.clone(),
            snapshots: true,
        };
        // The storage has to outlive the window's making only, but its lifetime is the harness's.
        let kept: &'static Kept = Box::leak(Box::new(kept));
        let builder = Harness::builder().with_size(vec2(1_440.0, 900.0)).with_step_dt(1.0 / 250.0).with_max_steps(96);
        // Languages are listed by their own names, whose letters come from the desktop's fonts: a test has none.
        let builder = builder.allow_missing_glyphs();
        let harness = builder.build_eframe(move |creation| {
            creation.storage = Some(kept);
            SamovarWindow::new(
                creation,
                Start { context, problems, set_aside, instance, desktop_language: samovar::language::Language::English },
            )
            .expect("a window")
        });
        let mut harness = harness;
        harness.state_mut().keep_file_dialogs_closed();
        Desk { harness, clock, places, jobs_seen: 0, folder }
    }
}

/// A desk with a market of so many symbols (`S000`, `S001`, …) and so many bars each, nothing preheated.
pub fn desk_with_market(symbols: usize, bars: usize) -> Desk {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    Market::new(&path).symbols(symbols, bars);
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk
}

/// The same, everything preheated and on the first symbol.
pub fn warm_desk(symbols: usize, bars: usize) -> Desk {
    let mut desk = desk_with_market(symbols, bars);
    desk.press("Preheat all");
    desk.wait_idle();
    desk.wait("every symbol to be fresh", |state| {
        state.snapshot.rows.len() == symbols && state.snapshot.rows.iter().all(|row| row.state == samovar::cache::EntryState::Fresh)
    });
    desk
}

impl Desk {
    /// Closes the window as a user does and opens it again with the settings as saved.
    pub fn restart(self) -> Self {
        self.restart_after(|| {})
    }

    /// The same, with something that happens while it is closed.
    pub fn restart_after(mut self, meanwhile: impl FnOnce()) -> Self {
        let mut kept = Kept::default();
        eframe::App::save(self.harness.state_mut(), &mut kept);
        self.open_again(kept, meanwhile)
    }

    /// As if the window had been ended without a word, and opened again.
    pub fn restart_after_crash(self) -> Self {
        self.open_again(Kept::default(), || {})
    }

    fn open_again(mut self, kept: Kept, meanwhile: impl FnOnce()) -> Self {
        eframe::App::on_exit(self.harness.state_mut(), None);
        let (folder, clock, places) = (Arc::clone(&self.folder), Arc::clone(&self.clock), self.places.clone());
        drop(self);
        meanwhile();
        let (settings, set_aside) = Settings::load_or_set_aside(&places.settings_file, NOW_US);
        let files = Arc::new(SystemFiles);
        let laid = Laid { folder, clock, places, settings, problems: Vec::new(), set_aside, instance: None, files, kept };
        let mut desk = laid.open();
        desk.wait_ready();
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn state(&self) -> &AppState {
        self.harness.state().state()
    }

    // Waiting.

    /// Draws frame after frame until `done`; fails with what is on the screen when that takes for ever.
    pub fn wait(&mut self, what: &str, done: impl Fn(&AppState) -> bool) {
        self.wait_for(what, |desk| done(desk.state()));
    }

    pub fn wait_for(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let since = Instant::now();
        loop {
            self.harness.step();
            if done(self) {
                return;
            }
            assert!(since.elapsed() < PATIENCE, "waited for {what} in vain; {}", self.story());
            std::thread::sleep(Duration::from_millis(4));
        }
    }

    /// What happened so far and what is on the screen, for messages of failed tests.
    pub fn story(&self) -> String {
        let state = self.state();
        let notices: Vec<&str> = state.notices.history().iter().map(|notice| notice.text.as_str()).collect();
        let jobs: Vec<String> = state.jobs.iter().map(|job| format!("{} is {}", job.title, job.stage.word())).collect();
        let selected = self.selected();
        format!("told: {notices:?}; jobs: {jobs:?}; selected: {selected:?}; on the screen: {}", self.texts().join(" | "))
    }

    pub fn wait_ready(&mut self) {
        self.wait("the cache to open", |state| state.open == OpenState::Ready);
        self.settle();
    }

    /// Until a job that was not waited for before has begun, every job has ended, and the snapshot knows of it.
    pub fn wait_idle(&mut self) {
        let seen = self.jobs_seen;
        self.wait("all jobs to end", |state| {
            state.jobs.len() > seen
                && state.jobs.iter().all(|job| job.stage.is_over())
                && state.working.is_empty()
                && state
                    .jobs
                    .iter()
                    .filter_map(|job| job.record_id)
                    .all(|id| state.snapshot.jobs.iter().any(|past| past.record_id == id && past.finished_at_us.is_some()))
        });
        self.jobs_seen = self.state().jobs.len();
        self.settle();
    }

    /// Draws until nothing asks to be drawn at once; fails when that never ends, or when a control has no accessible name.
    pub fn settle(&mut self) {
        self.harness.run();
    }

    /// Waits for a text on the screen.
    pub fn wait_text(&mut self, part: &str) {
        self.wait_for(&format!("the text {part:?}"), |desk| desk.sees(part));
    }

    /// Waits for a notice (on show or gone again) that contains `part`, and returns it.
    pub fn wait_notice(&mut self, part: &str) -> String {
        let has =
            |state: &AppState| state.notices.history().iter().rev().map(|notice| &notice.text).find(|text| text.contains(part)).cloned();
        self.wait(&format!("a notice with {part:?}"), |state| has(state).is_some());
        has(self.state()).expect("just seen")
    }

    // Looking.

    /// Every text a user could read or have read out.
    pub fn texts(&self) -> Vec<String> {
        let nodes = self.harness.root().children_recursive().map(|node| node.accesskit_node());
        nodes.flat_map(|node| [node.label(), node.value()]).flatten().filter(|text| !text.trim().is_empty()).collect()
    }

    pub fn sees(&self, part: &str) -> bool {
        self.texts().iter().any(|text| text.contains(part))
    }

    #[track_caller]
    pub fn assert_sees(&self, part: &str) {
        assert!(self.sees(part), "{part:?} is not there; {}", self.story());
    }

    #[track_caller]
    pub fn assert_no(&self, part: &str) {
        assert!(!self.sees(part), "{part:?} is on the screen");
    }

    fn find_button(&self, label: &str) -> Option<Node<'_>> {
        let is_button =
            |role| matches!(role, Role::Button | Role::RadioButton | Role::Link | Role::CheckBox | Role::Tab | Role::DisclosureTriangle);
        self.harness.root().children_recursive().find(|node| {
            let node = node.accesskit_node();
            is_button(node.role()) && node.label().as_deref() == Some(label)
        })
    }

    #[track_caller]
    pub fn button(&self, label: &str) -> Node<'_> {
        self.find_button(label).unwrap_or_else(|| panic!("there is no button {label:?}; {}", self.story()))
    }

    pub fn has_button(&self, label: &str) -> bool {
        self.find_button(label).is_some()
    }

    #[track_caller]
    pub fn is_enabled(&self, label: &str) -> bool {
        !self.button(label).accesskit_node().is_disabled()
    }

    /// The row of a symbol in the last snapshot.
    #[track_caller]
    pub fn row(&self, symbol: &str) -> &SymbolRow {
        self.state().row(&Symbol::new(symbol)).unwrap_or_else(|| panic!("no row {symbol}"))
    }

    /// The same, where there may be none.
    pub fn row_or_none(&self, symbol: &str) -> Option<&SymbolRow> {
        self.state().row(&Symbol::new(symbol))
    }

    /// Whether there is a field of this name, or that asks for this.
    pub fn has_field(&self, field: &str) -> bool {
        self.harness.root().children_recursive().any(|node| {
            let node = node.accesskit_node();
            let is_field = matches!(node.role(), Role::TextInput | Role::MultilineTextInput | Role::PasswordInput | Role::SearchInput);
            is_field && (node.label().as_deref() == Some(field) || node.data().placeholder() == Some(field))
        })
    }

    /// Symbols as listed, top to bottom.
    pub fn listed(&self) -> Vec<String> {
        let state = self.state();
        state.list.visible().iter().map(|position| state.snapshot.rows[*position].symbol.to_string()).collect()
    }

    /// The selected symbols, sorted.
    pub fn selected(&self) -> Vec<String> {
        let mut selected: Vec<String> = self.state().list.selected().iter().map(ToString::to_string).collect();
        selected.sort();
        selected
    }

    pub fn focus(&self) -> String {
        self.state().list.focus().map(ToString::to_string).unwrap_or_default()
    }

    /// Waits until the chart shows a symbol's bars.
    pub fn wait_chart(&mut self, symbol: &str) {
        let wanted = Symbol::new(symbol);
        self.wait(&format!("the chart of {symbol}"), |state| {
            state.chart.requested.as_ref() == Some(&wanted)
                && state.chart.loaded.as_ref().is_some_and(|loaded| loaded.data.symbol == wanted)
        });
    }

    /// The name of what has the keyboard.
    pub fn focused_label(&self) -> Option<String> {
        self.harness.root().children_recursive().find(egui_kittest::Node::is_focused).and_then(|node| node.accesskit_node().label())
    }

    /// Presses a button by its words and returns what it puts on the clipboard.
    #[track_caller]
    pub fn copied_by(&mut self, label: &str) -> String {
        self.harness.run_ok();
        self.scroll_to(label);
        self.button(label).click();
        for _ in 0..4 {
            self.harness.step();
            let commands = &self.harness.output().platform_output.commands;
            let copied = commands.iter().find_map(|command| match command {
                egui::OutputCommand::CopyText(text) => Some(text.clone()),
                _ => None,
            });
            if let Some(text) = copied {
                return text;
            }
        }
        panic!("{label:?} copies nothing")
    }

    /// Presses the keys of a command, draws until something is put on the clipboard, and returns it.
    pub fn copied_by_keys(&mut self, command: Command) -> String {
        let (modifiers, key) = keys_of(command);
        self.harness.key_press_modifiers(modifiers, key);
        let copied = |desk: &Self| {
            let commands = &desk.harness.output().platform_output.commands;
            commands.iter().find_map(|command| match command {
                egui::OutputCommand::CopyText(text) => Some(text.clone()),
                _ => None,
            })
        };
        self.wait_for("something on the clipboard", |desk| copied(desk).is_some());
        copied(self).expect("just seen")
    }

    // Doing.

    /// Presses a button, link or menu item by its words.
    #[track_caller]
    pub fn press(&mut self, label: &str) {
        // What has just appeared has to find its place first.
        self.harness.run_ok();
        assert!(self.is_enabled(label), "{label:?} cannot be pressed now");
        self.scroll_to(label);
        self.button(label).click();
        self.harness.step();
        self.harness.step();
    }

    /// What is below the fold of a view is scrolled to first, as a user does; the bar below the view hides a little.
    fn scroll_to(&mut self, label: &str) {
        let lowest = self.harness.ctx.content_rect().bottom() - 48.0;
        let middle = self.button(label).rect().center().y;
        let scrolls = self.state().view != samovar::app::View::Symbols || self.state().inspector.open;
        if middle < 0.0 || (middle > lowest && scrolls && self.state().dialog.is_none()) {
            self.button(label).scroll_to_me();
            self.harness.run_ok();
        }
    }

    /// Presses an item of the menu that is open, not a button of the same words behind it.
    #[track_caller]
    pub fn press_in_menu(&mut self, label: &str) {
        self.harness.run_ok();
        let items = self.harness.get_all_by_role_and_label(Role::Button, label);
        items.last().expect("an item of the menu").click();
        self.harness.step();
        self.harness.step();
    }

    /// The same, and waits until the screen is quiet.
    #[track_caller]
    pub fn press_and_settle(&mut self, label: &str) {
        self.press(label);
        self.settle();
    }

    /// Goes to the overview and waits for its numbers.
    pub fn show_overview(&mut self) {
        self.shortcut(Command::ShowOverview);
        self.wait("the overview's numbers", |state| state.overview.survey.is_some());
        self.settle();
    }

    /// Clicks a row of the list, with keys held down.
    #[track_caller]
    pub fn click_row(&mut self, symbol: &str, modifiers: Modifiers) {
        // Rows that have just appeared have to find their place first.
        self.harness.run_ok();
        self.harness.get_all_by_label(symbol).next().expect("a row").click_modifiers(modifiers);
        self.harness.step();
        self.harness.step();
    }

    /// Opens the menu of a row.
    #[track_caller]
    pub fn open_row_menu(&mut self, symbol: &str) {
        self.harness.get_all_by_label(symbol).next().expect("a row").click_secondary();
        self.settle();
    }

    /// Chooses from the list that belongs to a role of a column.
    #[track_caller]
    pub fn choose(&mut self, list: &str, choice: &str) {
        self.harness.run_ok();
        self.harness.get_by_role_and_label(Role::ComboBox, list).click();
        self.settle();
        let choices = self.harness.get_all_by_role_and_label(Role::Button, choice);
        choices.last().expect("a choice").click();
        self.settle();
    }

    /// Puts the pointer on the word of a row's state.
    #[track_caller]
    pub fn hover_state_of(&mut self, symbol: &str) {
        let row = self.harness.get_all_by_label(symbol).next().expect("a row").rect();
        let word = self.harness.get_all_by_role(Role::Label).find(|node| {
            let rect = node.rect();
            rect.center().y == row.center().y && rect.left() > row.right() && !node.value().unwrap_or_default().is_empty()
        });
        word.expect("a state").hover();
        self.harness.step();
    }

    /// How long until the window wants to be drawn again by itself.
    pub fn repaint_delay(&self) -> Duration {
        self.harness.output().viewport_output.get(&egui::ViewportId::ROOT).expect("the window").repaint_delay
    }

    pub fn dismiss_notices(&mut self) {
        self.settle();
        while self.has_button("Close this message") {
            self.press("Close this message");
        }
    }

    /// Presses the head of a column.
    #[track_caller]
    pub fn press_head(&mut self, text: &str) {
        self.harness.get_by_label(text).click();
        self.settle();
    }

    /// Sorts by a column alone, upwards, as its head's menu does.
    pub fn sort_by(&mut self, column: samovar::app::Column) {
        self.act(samovar::app::Action::List(samovar::app::ListAction::SetSort { column, descending: Some(false), add: false }));
    }

    /// Does what a widget that is out of view would ask for.
    pub fn act(&mut self, action: samovar::app::Action) {
        self.harness.state_mut().act(action);
        self.harness.step();
        self.harness.step();
    }

    /// Drags from one point to another, in a few steps as a hand does.
    pub fn drag(&mut self, from: egui::Pos2, to: egui::Pos2) {
        self.harness.hover_at(from);
        self.harness.step();
        let button = egui::PointerButton::Primary;
        self.harness.event(Event::PointerButton { pos: from, button, pressed: true, modifiers: Modifiers::NONE });
        self.harness.step();
        for step in 1..=8 {
            self.harness.hover_at(from + (to - from) * (step as f32 / 8.0));
            self.harness.step();
        }
        self.harness.event(Event::PointerButton { pos: to, button, pressed: false, modifiers: Modifiers::NONE });
        self.harness.step();
        self.harness.step();
    }

    /// Answers a file dialog.
    pub fn answer(&mut self, purpose: samovar::ui::PathPurpose, path: &Path) {
        self.harness.state().answer_file_dialog(purpose, path.to_path_buf());
        self.harness.step();
        self.harness.step();
    }

    /// Answers a file dialog as a desktop does that has none.
    pub fn refuse(&mut self, purpose: samovar::ui::PathPurpose) {
        self.harness.state().refuse_file_dialog(purpose);
        self.harness.step();
        self.harness.step();
    }

    /// Opens the menu of sources in the top bar.
    #[track_caller]
    pub fn open_source_menu(&mut self) {
        let found = self.harness.root().children_recursive().find(|node| {
            let node = node.accesskit_node();
            node.role() == Role::Button && node.label().is_some_and(|label| label.starts_with("Source"))
        });
        found.expect("a menu of sources").click();
        self.settle();
    }

    pub fn key(&mut self, modifiers: Modifiers, key: Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.harness.step();
        self.harness.step();
    }

    /// Types into whatever has the cursor.
    pub fn write(&mut self, text: &str) {
        self.harness.event(Event::Text(text.to_owned()));
        self.harness.step();
        self.harness.step();
    }

    /// Replaces what stands in a field.
    #[track_caller]
    pub fn fill(&mut self, field: &str, text: &str) {
        if let Some(node) = self.harness.query_by_role_and_label(Role::TextInput, field)
            && self.state().dialog.is_none()
            && !(0.0..self.harness.ctx.content_rect().bottom() - 48.0).contains(&node.rect().center().y)
        {
            node.scroll_to_me();
            self.harness.run_ok();
        }
        let find = |desk: &Self| -> Option<egui::Pos2> {
            let root = desk.harness.root();
            let found = root.children_recursive().find(|node| {
                let node = node.accesskit_node();
                matches!(node.role(), Role::TextInput | Role::MultilineTextInput | Role::PasswordInput)
                    && (node.label().as_deref() == Some(field) || node.data().placeholder() == Some(field))
            });
            found.map(|node| node.rect().center())
        };
        let Some(center) = find(self) else { panic!("there is no field {field:?}; {}", self.story()) };
        self.harness.hover_at(center);
        for pressed in [true, false] {
            let button = egui::PointerButton::Primary;
            self.harness.event(Event::PointerButton { pos: center, button, pressed, modifiers: Modifiers::NONE });
        }
        self.harness.step();
        self.key(Modifiers::COMMAND, Key::A);
        if text.is_empty() {
            self.key(Modifiers::NONE, Key::Delete);
        } else {
            self.write(text);
        }
    }

    /// Presses the keys of a command.
    pub fn shortcut(&mut self, command: Command) {
        let (modifiers, key) = keys_of(command);
        self.key(modifiers, key);
    }

    /// Lets a second pass, so that two things do not happen at the same time.
    pub fn tick(&self) {
        self.clock.advance(1_000_000);
    }

    /// Pauses whatever runs as soon as it runs, which holds it still between two symbols.
    pub fn pause_running(&mut self) {
        self.wait("a job to run", |state| state.active_job().is_some_and(|job| job.stage == JobStage::Running));
        self.press("Pause");
        self.wait("the job to pause", |state| state.active_job().is_some_and(|job| job.stage == JobStage::Paused));
    }

    // The disk.

    pub fn folders(&self) -> Folders {
        let settings = &self.state().settings;
        let cache_dir = settings.cache_dir.clone().unwrap_or_else(|| self.places.cache_dir.clone());
        Folders::new(cache_dir).with_trees(settings.bars_cache_dir.clone(), settings.features_cache_dir.clone())
    }

    /// Every cached file with its bytes: bars and features.
    pub fn cached_files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        for tree in self.folders().trees() {
            collect(&tree, &mut files);
        }
        // Beside the features of a version lies the text of its set.
        files.retain(|path, _| path.extension().is_some_and(|ending| ending == "parquet"));
        files
    }

    /// Cached files of one symbol.
    pub fn files_of(&self, symbol: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let name = format!("{}.parquet", Symbol::new(symbol).file_stem());
        self.cached_files().into_iter().filter(|(path, _)| path.file_name().is_some_and(|file| *file == *name)).collect()
    }

    pub fn files_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(folder, &mut files);
        files
    }

    /// What the catalog on disk knows, read beside the running window.
    pub fn catalog(&self) -> Vec<Entry> {
        Catalog::open(&self.folders().catalog()).expect("a catalog").entries(None).expect("entries")
    }

    pub fn entries_of(&self, symbol: &str) -> Vec<Entry> {
        self.catalog().into_iter().filter(|entry| entry.key.symbol.as_str() == symbol).collect()
    }

    pub fn saved_settings(&self) -> Settings {
        Settings::load(&self.places.settings_file).expect("settings that can be read")
    }

    /// Until the settings file says so too.
    pub fn wait_saved(&mut self, what: &str, done: impl Fn(&Settings) -> bool) {
        self.wait_for(&format!("the settings file: {what}"), |desk| done(&desk.saved_settings()));
    }
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    let Ok(listing) = std::fs::read_dir(folder) else { return };
    for item in listing {
        let path = item.expect("a file").path();
        if path.is_dir() {
            collect(&path, files);
        } else if let Ok(bytes) = std::fs::read(&path) {
            files.insert(path, bytes);
        }
    }
}

/// A SQLite market.
pub struct Market {
    database: rusqlite::Connection,
}

impl Market {
    pub fn new(path: &Path) -> Self {
        let database = rusqlite::Connection::open(path).expect("a database");
        let table = "CREATE TABLE IF NOT EXISTS stock_kline_data \
                     (symbol TEXT, trade_date TEXT, open REAL, high REAL, low REAL, close REAL, volume REAL)";
        database.execute_batch(table).expect("a table");
        Self { database }
    }

    /// `S000`, `S001`, … with the same number of bars.
    pub fn symbols(&self, count: usize, bars: usize) {
        self.put((0..count).map(|number| (format!("S{number:03}"), bars)));
    }

    /// Daily bars that end before the desk's today.
    pub fn put(&self, symbols: impl IntoIterator<Item = (String, usize)>) {
        self.database.execute_batch("BEGIN").expect("begin");
        {
            let sql = "INSERT INTO stock_kline_data VALUES (?, ?, ?, ?, ?, ?, ?)";
            let mut insert = self.database.prepare(sql).expect("prepare");
            for (place, (symbol, bars)) in symbols.into_iter().enumerate() {
                for bar in 0..bars {
                    let day = format_date(NOW_US - (bars - bar) as i64 * DAY_US);
                    let close = 50.0 + place as f64 + 10.0 * (bar as f64 / 7.0).sin();
                    let row = rusqlite::params![symbol, day, close - 0.25, close + 1.0, close - 1.0, close, 1_000.0 + bar as f64];
                    insert.execute(row).expect("insert");
                }
            }
        }
        self.database.execute_batch("COMMIT").expect("commit");
    }

    pub fn run(&self, sql: &str) {
        self.database.execute_batch(sql).expect("sql");
    }
}

/// The keys of a command.
fn keys_of(command: Command) -> (Modifiers, Key) {
    let keys = command.shortcut().expect("a command with keys");
    let mut modifiers = Modifiers::NONE;
    if keys.ctrl {
        modifiers |= Modifiers::COMMAND | Modifiers::CTRL;
    }
    if keys.shift {
        modifiers |= Modifiers::SHIFT;
    }
    if keys.alt {
        modifiers |= Modifiers::ALT;
    }
    let key = match keys.key {
        samovar::app::Key::Char('?') => Key::Questionmark,
        samovar::app::Key::Char(char) => Key::from_name(&char.to_string()).expect("a key"),
        samovar::app::Key::Function(number) => Key::from_name(&format!("F{number}")).expect("a key"),
        samovar::app::Key::Enter => Key::Enter,
        samovar::app::Key::Delete => Key::Delete,
        samovar::app::Key::Escape => Key::Escape,
        samovar::app::Key::Left => Key::ArrowLeft,
        samovar::app::Key::Right => Key::ArrowRight,
    };
    (modifiers, key)
}
