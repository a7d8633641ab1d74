//! No view waits: with a source that does not answer and a disk that stands still, the window takes keys as ever.
//!
//! The disk is made to stand still where it can be from outside: a cached file is replaced by a pipe that nobody writes into, and
//! the catalog is locked by another connection. What is told apart is a frame that waits (seconds) from one that is merely drawn
//! by a slow build on a busy machine.

use crate::desk::{Desk, warm_desk};
use egui_kittest::kittest::NodeT;
use samovar::app::{Command, Dialog, View};
use samovar::config::SourceSetting;
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// How long everything stands still.
const STALL: Duration = Duration::from_secs(10);
/// Longest a frame may take: far from a stall, and generous to a machine that does other things.
const LONGEST_FRAME: Duration = Duration::from_secs(1);

/// Does something and returns how long its longest frame took.
fn longest(desk: &mut Desk, frames: usize, mut act: impl FnMut(&mut Desk)) -> Duration {
    let mut longest = Duration::ZERO;
    let mut measure = |work: &mut dyn FnMut()| {
        let began = Instant::now();
        work();
        longest = longest.max(began.elapsed());
    };
    measure(&mut || act(desk));
    for _ in 0..frames {
        measure(&mut || desk.harness.step());
    }
    longest
}

/// Uses every view while nothing answers.
fn use_every_view(desk: &mut Desk, what: &str) {
    for (command, view) in [
        (Command::ShowSymbols, View::Symbols),
        (Command::ShowOverview, View::Overview),
        (Command::ShowJobs, View::Jobs),
        (Command::ShowSettings, View::Settings),
    ] {
        let mut took = vec![("come", longest(desk, 5, |desk| desk.shortcut(command)))];
        assert_eq!(desk.state().view, view);
        if view == View::Symbols {
            took.push(("filter", longest(desk, 3, |desk| desk.shortcut(Command::FocusFilter))));
            took.push(("type", longest(desk, 3, |desk| desk.write("s0"))));
            assert!(desk.state().list.filter().ends_with("s0"), "what is typed arrives");
            took.push(("walk", longest(desk, 3, |desk| desk.key(eframe::egui::Modifiers::NONE, eframe::egui::Key::ArrowDown))));
            took.push(("another symbol", longest(desk, 3, |desk| desk.shortcut(Command::NextSymbol))));
            took.push(("inspector", longest(desk, 5, |desk| desk.shortcut(Command::ShowInspector))));
        }
        took.push(("palette", longest(desk, 3, |desk| desk.shortcut(Command::Palette))));
        took.push(("search", longest(desk, 3, |desk| desk.write("over"))));
        assert!(matches!(desk.state().dialog, Some(Dialog::Palette)));
        took.push(("close", longest(desk, 3, |desk| desk.key(eframe::egui::Modifiers::NONE, eframe::egui::Key::Escape))));
        let told: Vec<String> = took.iter().map(|(act, took)| format!("{act} {} ms", took.as_millis())).collect();
        eprintln!("{what}, {}: {}", view_name(view), told.join(", "));
        for (act, took) in took {
            assert!(took < LONGEST_FRAME, "{what}: {act} in {view:?} took {took:?}");
        }
    }
}

fn view_name(view: View) -> &'static str {
    match view {
        View::Symbols => "symbols",
        View::Overview => "overview",
        View::Jobs => "jobs",
        View::Settings => "settings",
    }
}

#[test]
fn a_source_that_does_not_answer_holds_up_nobody() {
    // It takes the connection and says nothing, as a server does whose machine is overwhelmed.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("address").port();
    let desk = warm_desk(20, 30);
    let silent =
        SourceSetting { name: "Silent".to_owned(), url: format!("mysql://reader@127.0.0.1:{port}/market?table=bars"), exchange: None };
    let mut settings = desk.saved_settings();
    settings.sources.push(silent);
    settings.save(&desk.places.settings_file).expect("saved");
    let mut desk = desk.restart();
    desk.open_source_menu();
    desk.press("Silent");
    desk.wait("the silent source", |state| state.settings.source.as_deref() == Some("Silent"));
    let began = Instant::now();
    desk.press("Preheat all");
    desk.wait("the job", |state| state.active_job().is_some());
    use_every_view(&mut desk, "a silent source");
    // The test of a connection waits as long, and the window as little.
    desk.press_and_settle("Edit Silent");
    desk.press("Test connection");
    let took = longest(&mut desk, 30, |desk| desk.write("x"));
    assert!(took < LONGEST_FRAME, "{took:?}");
    assert!(began.elapsed() < 6 * STALL);
    desk.press("Cancel");
    desk.shortcut(Command::CancelJob);
    desk.wait("the job to end", |state| state.active_job().is_none());
}

#[cfg(unix)]
#[test]
fn a_disk_that_stands_still_holds_up_nobody() {
    let mut desk = warm_desk(20, 30);
    // Files of which reading never begins, and a catalog that takes no word.
    let pipes: Vec<_> = ["S003", "S004", "S005"].into_iter().flat_map(|symbol| desk.files_of(symbol).into_keys()).collect();
    for file in &pipes {
        std::fs::remove_file(file).expect("removed");
        assert!(std::process::Command::new("mkfifo").arg(file).status().expect("mkfifo").success());
    }
    let catalog = rusqlite::Connection::open(desk.folders().catalog()).expect("the catalog");
    catalog.execute_batch("BEGIN IMMEDIATE").expect("locked");
    desk.click_row("S003", eframe::egui::Modifiers::NONE);
    desk.click_row("S003", eframe::egui::Modifiers::COMMAND);
    desk.press("Invalidate");
    desk.click_row("S004", eframe::egui::Modifiers::NONE);
    use_every_view(&mut desk, "a standing disk");
    desk.shortcut(Command::ShowJobs);
    desk.press("Verify files");
    use_every_view(&mut desk, "a standing disk, verified");
    // Let go: what waited ends, and nobody was harmed.
    catalog.execute_batch("ROLLBACK").expect("let go");
    drop(catalog);
    let release = std::thread::spawn(move || {
        for pipe in pipes {
            for _ in 0..4 {
                // Opening it for both never waits, and ends whoever reads.
                drop(std::fs::File::options().read(true).write(true).open(&pipe));
                std::thread::sleep(Duration::from_millis(20));
            }
            drop(std::fs::remove_file(&pipe));
        }
    });
    desk.wait("the window to go on", |state| state.snapshot.rows.len() == 20);
    release.join().expect("released");
    let names: Vec<_> = desk.harness.root().children_recursive().filter_map(|node| node.accesskit_node().label()).collect();
    assert!(!names.is_empty());
}
