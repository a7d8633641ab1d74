//! No view waits: with a source that is silent for ten seconds and a disk that stands still, the window takes every input as ever.
//!
//! The disk stands still wherever the program touches it: cached files and the trash through the cache's own layer of files; the
//! catalog, which another connection has locked; settings, lists and feature sets, in whose place lie pipes that nobody writes into.
//! Every frame is timed by itself and asked how long it *waited*: time that it neither worked nor stood in line for a processor
//! ([`crate::thread_time`]). A busy machine makes a frame late, but it makes none wait.

use crate::desk::{Laid, Market, warm_desk};
use crate::hand::Hand;
use crate::stalling_files::StallingFiles;
use eframe::egui;
use egui::{Key, Modifiers, pos2, vec2};
use samovar::app::{Action, Column, Command, Dialog, JobStage, ListAction, SourceAction, View};
use samovar::config::SourceSetting;
use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use strum::IntoEnumIterator;

/// How long the source says nothing.
const SILENCE: Duration = Duration::from_secs(10);

const VIEWS: [(Command, View, &str); 4] = [
    (Command::ShowSymbols, View::Symbols, "symbols"),
    (Command::ShowOverview, View::Overview, "overview"),
    (Command::ShowJobs, View::Jobs, "jobs"),
    (Command::ShowSettings, View::Settings, "settings"),
];

impl Hand<'_> {
    /// Everything a hand does in every view.
    fn uses_every_view(&mut self, with: &str) {
        for (command, view, name) in VIEWS {
            self.is_in(&format!("{with}, {name}"));
            self.runs(command);
            assert_eq!(self.desk.state().view, view);
            self.scrolls("scroll", pos2(500.0, 450.0));
            if view == View::Symbols {
                self.uses_the_symbols(with);
            }
            self.runs(Command::Palette);
            self.types("search the palette", "over");
            assert!(matches!(self.desk.state().dialog, Some(Dialog::Palette)));
            self.plain("close the palette", Key::Escape);
            self.runs(Command::Help);
            self.plain("close the help", Key::Escape);
            assert!(self.desk.state().dialog.is_none(), "{:?} is left open", self.desk.state().dialog);
        }
    }

    fn uses_the_symbols(&mut self, with: &str) {
        self.runs(Command::FocusFilter);
        self.types("type into the filter", "s01");
        assert!(self.desk.state().list.filter().ends_with("s01"), "what is typed arrives");
        (0..3).for_each(|_| self.plain("take back a letter", Key::Backspace));
        self.plain("leave the filter", Key::Escape);
        self.act("show all", Action::List(ListAction::ShowAll));
        (0..4).for_each(|_| self.plain("arrow down", Key::ArrowDown));
        let before = self.desk.focus();
        self.plain("arrow down", Key::ArrowDown);
        assert_ne!(self.desk.focus(), before, "the list is walked");
        self.key("extend the selection", Modifiers::SHIFT, Key::ArrowDown);
        self.runs(Command::SelectAll);
        self.runs(Command::SelectNone);
        for column in [Column::Size, Column::Symbol] {
            self.act("sort", Action::List(ListAction::Sort { column, add: false }));
        }
        self.clicks("S006");
        self.is_in(&format!("{with}, chart"));
        let chart = pos2(1_100.0, 400.0);
        self.scrolls("zoom", chart);
        self.drags("pan", chart, chart - vec2(120.0, 10.0));
        for command in [Command::ToggleLogScale, Command::ToggleLogScale, Command::ToggleVolume, Command::ToggleVolume] {
            self.runs(command);
        }
        for panel in [Command::ShowInspector, Command::ShowFeatures] {
            self.is_in(&format!("{with}, {}", if panel == Command::ShowFeatures { "features" } else { "inspector" }));
            self.runs(panel);
            self.runs(Command::NextSymbol);
            self.scrolls("scroll", pos2(1_300.0, 500.0));
            if panel == Command::ShowFeatures {
                self.runs(Command::SearchFeatures);
                self.types("search features", "ma");
                self.runs(Command::NewFormula);
                self.types("write a formula", "close");
                self.plain("leave the formula", Key::Escape);
            }
            self.runs(panel);
        }
        self.is_in(&format!("{with}, symbols"));
    }

    /// Whatever can be asked for, from the list of symbols. Left out: what ends the window, and what leaves this program or this market.
    fn runs_every_command(&mut self, with: &str) {
        self.is_in(&format!("{with}, every command"));
        for command in Command::iter() {
            if matches!(command, Command::Quit | Command::RevealFile | Command::UseSample) {
                continue;
            }
            self.runs(Command::ShowSymbols);
            self.selects("S002");
            self.runs(command);
            self.act("close", Action::CloseDialog);
            self.plain("Escape", Key::Escape);
        }
        self.runs(Command::SpeakEnglish);
        self.runs(Command::ZoomReset);
        self.runs(Command::ShowSymbols);
        self.act("show all", Action::List(ListAction::ShowAll));
    }
}

/// A server that takes connections and says nothing for ten seconds, and then that it has too many of them.
struct Silent {
    port: u16,
    is_over: Arc<AtomicBool>,
}

impl Silent {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("address").port();
        let is_over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&is_over);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(mut stream), ended) = (stream, Arc::clone(&ended)) else { continue };
                std::thread::spawn(move || {
                    let began = Instant::now();
                    while began.elapsed() < SILENCE && !ended.load(Ordering::SeqCst) {
                        std::thread::sleep(Duration::from_millis(20));
                    }
                    // An error packet of MySQL: its length and number, the code 1040, and the words.
                    let mut packet = vec![0xff, 0x10, 0x04];
                    packet.extend_from_slice(b"Too many connections");
                    let mut bytes = vec![packet.len() as u8, 0, 0, 0];
                    bytes.append(&mut packet);
                    // Whoever asked may be gone.
                    let _gone = stream.write_all(&bytes);
                });
            }
        });
        Self { port, is_over }
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_source_that_answers_after_ten_seconds_holds_up_nobody() {
    let server = Silent::start();
    let desk = warm_desk(20, 30);
    let url = format!("mysql://reader@127.0.0.1:{}/market?table=bars", server.port);
    let mut settings = desk.saved_settings();
    settings.sources.push(SourceSetting { name: "Silent".to_owned(), url, exchange: None });
    settings.save(&desk.places.settings_file).expect("saved");
    let mut desk = desk.restart();
    let mut hand = Hand::at(&mut desk);
    hand.runs(Command::PreheatAll);
    hand.waits("the market to be looked at", |desk| desk.state().jobs.iter().all(|job| job.stage.is_over()));
    // The list is the market's while the other source is asked.
    hand.uses_every_view("a quick source");
    hand.act("use the silent source", Action::Source(SourceAction::Use("Silent".to_owned())));
    hand.waits("the silent source", |desk| desk.state().settings.source.as_deref() == Some("Silent"));
    hand.runs(Command::PreheatAll);
    hand.waits("the job", |desk| desk.state().active_job().is_some());
    for (command, _, name) in VIEWS {
        hand.is_in(&format!("a silent source, {name}"));
        hand.runs(command);
        hand.scrolls("scroll", pos2(500.0, 450.0));
        hand.runs(Command::Palette);
        hand.types("search the palette", "over");
        hand.plain("close the palette", Key::Escape);
    }
    // The test of a connection waits as long, and the window as little.
    hand.is_in("a silent source, connection");
    hand.act("edit the source", Action::Source(SourceAction::Edit(Some("Silent".to_owned()))));
    hand.clicks("Test connection");
    hand.types("type while it is tested", "x");
    hand.waits(
        "its answer",
        |desk| matches!(&desk.state().dialog, Some(Dialog::Connect(form)) if form.test.report().is_some_and(|report| !report.passed())),
    );
    hand.plain("close the connection", Key::Escape);
    hand.act("close", Action::CloseDialog);
    hand.is_in("a silent source, cancel");
    hand.runs(Command::CancelJob);
    hand.waits("the job to be told to stop", |desk| {
        desk.state().jobs.iter().all(|job| job.stage.is_over() || job.stage == JobStage::Cancelling)
    });
    hand.never_waited();
    drop(server);
    desk.wait("the job to end", |state| state.active_job().is_none());
}

/// Puts a pipe that nobody writes into in the place of a file: whoever opens it stands still until it is taken away.
#[cfg(unix)]
struct Pipes(Vec<(std::path::PathBuf, Option<Vec<u8>>)>);

#[cfg(unix)]
impl Pipes {
    fn lay(files: impl IntoIterator<Item = std::path::PathBuf>) -> Self {
        let lay = |file: std::path::PathBuf| {
            let content = std::fs::read(&file).ok();
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            if content.is_some() {
                std::fs::remove_file(&file).expect("removed");
            }
            assert!(std::process::Command::new("mkfifo").arg(&file).status().expect("mkfifo").success());
            (file, content)
        };
        Self(files.into_iter().map(lay).collect())
    }

    /// Lets everybody go who stands still, and puts the files back.
    fn take_away(self) {
        for (file, content) in self.0 {
            // Another file in its place first: nobody begins to wait again. Opening a pipe for both never waits, and ends whoever reads.
            let aside = file.with_extension("pipe");
            std::fs::rename(&file, &aside).expect("aside");
            if let Some(content) = content {
                std::fs::write(&file, content).expect("put back");
            }
            for _ in 0..10 {
                drop(std::fs::File::options().read(true).write(true).open(&aside));
                std::thread::sleep(Duration::from_millis(10));
            }
            std::fs::remove_file(&aside).expect("removed");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_disk_that_stands_still_holds_up_nobody() {
    let files = StallingFiles::default();
    let mut laid = Laid::new();
    laid.files = Arc::new(files.clone());
    laid.settings.memory_budget_bytes = 0;
    let path = laid.path("market.sqlite");
    Market::new(&path).symbols(20, 30);
    let own_set = laid.places.sets_dir().join("mine.toml");
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.press("Preheat all");
    desk.wait_idle();
    desk.click_row("S001", Modifiers::NONE);
    desk.wait_chart("S001");
    desk.settle();

    let mut hand = Hand::at(&mut desk);
    hand.uses_every_view("a quick disk");
    // From here on nothing that lies on a disk answers.
    let pipes = Pipes::lay([hand.desk.places.settings_file.clone(), hand.desk.places.lists_file(), own_set]);
    let catalog = rusqlite::Connection::open(hand.desk.folders().catalog()).expect("the catalog");
    catalog.execute_batch("BEGIN IMMEDIATE").expect("locked");
    files.stall();
    hand.is_in("a standing disk, begin");
    hand.runs(Command::ShowSymbols);
    hand.clicks("S003");
    hand.selects("S004");
    hand.runs(Command::InvalidateSelected);
    hand.selects("S005");
    hand.runs(Command::RefreshSelected);
    hand.waits("the job to begin", |desk| desk.state().active_job().is_some());
    hand.uses_every_view("a standing disk");
    // What is under way can be stopped, and is told to be stopping, although nothing answers.
    hand.is_in("a standing disk, cancel");
    hand.runs(Command::CancelJob);
    hand.waits("the job to be told to stop", |desk| {
        desk.state().jobs.iter().all(|job| job.stage.is_over() || job.stage == JobStage::Cancelling)
    });
    hand.runs(Command::Verify);
    hand.runs_every_command("a standing disk");
    hand.uses_every_view("a standing disk, everything asked for");
    assert!(files.stalled() > 0, "nothing stood still");
    hand.never_waited();
    drop(hand);
    assert!(!files.was_used_by(std::thread::current().id()), "the window's thread touched a cached file");

    // Let go: what waited ends, and nobody was harmed.
    catalog.execute_batch("ROLLBACK").expect("let go");
    drop(catalog);
    files.go_on();
    pipes.take_away();
    desk.wait("the window to go on", |state| state.snapshot.rows.len() == 20 && state.active_job().is_none());
}
