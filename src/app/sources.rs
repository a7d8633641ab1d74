//! Sources by name: adding, using, editing, renaming, copying and forgetting them, and what the last query said of the one in use.
//!
//! The connection dialog's fields are `connect`'s. Contract: a source is forgotten with a way back, and what was cached from it stays.

use super::action::{Action, SourceAction};
use super::connect::{ConnectForm, TestState};
use super::state::{AppState, Dialog, View};
use crate::config::{Password, Settings, SourceSetting};
use crate::source::{SourceKind, SourceUrl};
use crate::tr;
use crate::worker::{Job, NoticeLevel, PreheatOrder, SourceContact};
use std::path::{Path, PathBuf};

/// What is known of the connection to the source in use: from what queries came to, never from asking for its own sake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection<'state> {
    /// No query was made in this session.
    NotAsked,
    /// A query is under way, and none came to anything yet.
    Asking,
    /// The last query was answered.
    Connected(&'state SourceContact),
    /// The last query failed, and a job goes on trying.
    Reconnecting {
        /// What is out of order.
        reason: &'state str,
    },
    /// The last query failed.
    Offline {
        /// When and why.
        contact: &'state SourceContact,
        /// Why.
        reason: &'state str,
    },
}

impl AppState {
    /// What the last query said of the source in use.
    #[must_use]
    pub fn connection(&self) -> Connection<'_> {
        let Some(source) = &self.snapshot.source else { return Connection::NotAsked };
        let waiting = self.jobs.iter().filter(|job| !job.stage.is_over()).find_map(|job| job.progress.waiting.as_deref());
        if let Some(waiting) = waiting.filter(|waiting| waiting.for_source) {
            return Connection::Reconnecting { reason: &waiting.reason };
        }
        match self.contact.as_ref().filter(|contact| contact.source == source.id) {
            Some(contact) => match &contact.outcome {
                Ok(_) => Connection::Connected(contact),
                Err(reason) => Connection::Offline { contact, reason },
            },
            None if self.active_job().is_some() => Connection::Asking,
            None => Connection::NotAsked,
        }
    }

    pub(super) fn use_sample(&mut self) -> Vec<Job> {
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

    pub(super) fn change_source(&mut self, action: SourceAction) -> Vec<Job> {
        match action {
            SourceAction::Use(name) => {
                let mut settings = self.settings.clone();
                settings.source = Some(name);
                self.list.select_none();
                return self.save(settings, None);
            }
            SourceAction::Forget(name) => return self.forget_source(&name),
            SourceAction::PutBack { setting, place, in_use } => return self.put_source_back(setting, place, in_use),
            SourceAction::Rename { from, to } => return self.rename_source(&from, &to),
            SourceAction::Copy(name) => self.copy_source(&name),
            SourceAction::PasteUrl(text) => self.paste_url(text),
            SourceAction::Dropped(paths) => return self.take_dropped(&paths),
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
            _ => return,
        }
        form.test = TestState::Idle;
        form.connects = false;
        // The fields are what counts from now on.
        (form.pasted, form.pasted_problem) = (String::new(), None);
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

    /// Connects once a test of just this has passed; a test that failed was seen, so that it is connected all the same then.
    pub(super) fn connect_source(&mut self) -> Vec<Job> {
        let Some(Dialog::Connect(form)) = &mut self.dialog else { return Vec::new() };
        if let Some(problem) = &form.pasted_problem {
            // The URL that was meant is none; what stands in the fields is another source.
            self.notices.tell(NoticeLevel::Warning, problem.clone());
            return Vec::new();
        }
        if form.test.is_running() {
            form.connects = true;
            return Vec::new();
        }
        if form.test.report().is_none() && form.url().is_ok() {
            form.connects = true;
            return self.test_source();
        }
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

    /// The form filled from a URL, password and all; what is wrong with it stands below the field.
    fn paste_url(&mut self, text: String) {
        let Some(Dialog::Connect(form)) = &mut self.dialog else { return };
        if text.trim().is_empty() {
            (form.pasted, form.pasted_problem) = (String::new(), None);
            return;
        }
        match SourceUrl::parse(&text) {
            Ok(url) => {
                let filled = ConnectForm::of("", &url);
                let password = url.password().map_or_else(|| form.password.clone(), Password::new);
                let (editing, name) = (form.editing.take(), std::mem::take(&mut form.name));
                // Shown again without its password.
                **form = ConnectForm { editing, name, password, pasted: url.redacted(), ..filled };
            }
            Err(error) => (form.pasted, form.pasted_problem) = (text, Some(error.to_string())),
        }
    }

    /// Files or folders let fall on the window: the dialog, filled and already testing.
    fn take_dropped(&mut self, paths: &[PathBuf]) -> Vec<Job> {
        if self.fixed_source {
            self.notices.warn(tr!("The source was named on the command line; start without --source to add files"));
            return Vec::new();
        }
        match dropped_source(paths) {
            Dropped::Source(kind, path) => self.offer_dropped(kind, &path, paths.len()),
            Dropped::Folder(path) => vec![Job::LookForFolder(path)],
            Dropped::Nothing => {
                self.refuse_dropped();
                Vec::new()
            }
        }
    }

    /// What was let fall is a folder, or it is not.
    pub(super) fn apply_looked_for_folder(&mut self, path: &Path, is_folder: bool) -> Vec<Job> {
        if self.dialog.is_some() {
            // It took a while, and something else was begun meanwhile.
            self.notices.warn(tr!("Close what is open, then drop the folder again"));
            return Vec::new();
        }
        if is_folder {
            return self.offer_dropped(SourceKind::Files, path, 1);
        }
        self.refuse_dropped();
        Vec::new()
    }

    fn refuse_dropped(&mut self) {
        self.notices.warn(tr!("Drop a folder, or CSV, Parquet or SQLite files"));
    }

    /// Shows what was let fall before it becomes a source.
    fn offer_dropped(&mut self, kind: SourceKind, path: &Path, count: usize) -> Vec<Job> {
        let form = ConnectForm { kind, path: path.to_string_lossy().into_owned(), dropped: count, ..ConnectForm::default() };
        self.dialog = Some(Dialog::Connect(Box::new(form)));
        self.test_source()
    }

    fn rename_source(&mut self, from: &str, to: &str) -> Vec<Job> {
        let to = to.trim();
        if to.is_empty() || to == from {
            return Vec::new();
        }
        if self.settings.sources.iter().any(|source| source.name == to) {
            self.notices.warn(tr!("There is a source of the name {name} already", name = to));
            return Vec::new();
        }
        let mut settings = self.settings.clone();
        if let Some(source) = settings.sources.iter_mut().find(|source| source.name == from) {
            source.name = to.to_owned();
        }
        if settings.source.as_deref() == Some(from) {
            settings.source = Some(to.to_owned());
        }
        self.save(settings, None)
    }

    /// The dialog for a new source that begins as a copy.
    fn copy_source(&mut self, name: &str) {
        let known = self.settings.sources.iter().find(|source| source.name == name);
        let Some(url) = known.and_then(|source| SourceUrl::parse(&source.url).ok()) else { return };
        let form = ConnectForm { editing: None, ..ConnectForm::of(&tr!("{name} (copy)", name = name), &url) };
        self.dialog = Some(Dialog::Connect(Box::new(form)));
    }

    fn forget_source(&mut self, name: &str) -> Vec<Job> {
        let mut settings = self.settings.clone();
        let Some(place) = settings.sources.iter().position(|source| source.name == name) else { return Vec::new() };
        let setting = settings.sources.remove(place);
        let in_use = settings.source.as_deref() == Some(name);
        if in_use {
            settings.source = settings.sources.first().map(|source| source.name.clone());
        }
        let text = tr!("Forgot the source {name}; what was cached from it stays", name = name);
        let back = Action::Source(SourceAction::PutBack { setting, place, in_use });
        self.notices.offer(NoticeLevel::Success, text, back);
        self.save(settings, None)
    }

    fn put_source_back(&mut self, setting: SourceSetting, place: usize, in_use: bool) -> Vec<Job> {
        let mut settings = self.settings.clone();
        if settings.sources.iter().any(|source| source.name == setting.name) {
            return Vec::new();
        }
        if in_use {
            settings.source = Some(setting.name.clone());
        }
        settings.sources.insert(place.min(settings.sources.len()), setting);
        self.save(settings, None)
    }
}

/// What was let fall on the window, by its names alone.
enum Dropped {
    /// A source.
    Source(SourceKind, PathBuf),
    /// A source if it is a folder, which only the disk knows.
    Folder(PathBuf),
    /// Nothing that could be one.
    Nothing,
}

/// What kind of source files or folders that were let fall are; several files of one folder are the folder.
fn dropped_source(paths: &[PathBuf]) -> Dropped {
    let ending = |path: &Path| path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let is_data = |path: &Path| matches!(ending(path).as_str(), "csv" | "parquet" | "pq");
    match paths {
        [] => Dropped::Nothing,
        [one] if matches!(ending(one).as_str(), "sqlite" | "sqlite3" | "db") => Dropped::Source(SourceKind::Sqlite, one.clone()),
        // Whether something without an ending is a folder is found out by the test.
        [one] if is_data(one) || ending(one).is_empty() => Dropped::Source(SourceKind::Files, one.clone()),
        [one] => Dropped::Folder(one.clone()),
        [first, rest @ ..] => match first.parent() {
            Some(folder) if is_data(first) && rest.iter().all(|path| is_data(path) && path.parent() == Some(folder)) => {
                Dropped::Source(SourceKind::Files, folder.to_path_buf())
            }
            _ => Dropped::Nothing,
        },
    }
}

/// A name that means no other source: two tables of one database are two sources.
fn free_name(settings: &Settings, wanted: &str, url: &SourceUrl, replaces: Option<&str>) -> String {
    let taken =
        |name: &str| settings.sources.iter().any(|source| source.name == name && replaces != Some(name) && source.url != url.redacted());
    let numbered = (2..).map(|number| format!("{wanted} ({number})"));
    std::iter::once(wanted.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_else(|| wanted.to_owned())
}
