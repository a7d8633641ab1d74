//! Measuring the speed in the window.

use crate::desk::{Desk, desk_with_market};
use eframe::egui::{Key, Modifiers};
use samovar::app::{BenchForm, BenchPhase, Command, Dialog};

fn form(desk: &Desk) -> Option<&BenchForm> {
    match &desk.state().dialog {
        Some(Dialog::Bench(form)) => Some(form),
        _ => None,
    }
}

fn is_done(desk: &Desk) -> bool {
    form(desk).is_some_and(|form| matches!(form.phase, BenchPhase::Done(_)))
}

/// Opens the dialog as a user does who knows what it is called.
fn open(desk: &mut Desk) {
    desk.shortcut(Command::Palette);
    desk.write("measure the speed");
    desk.key(Modifiers::NONE, Key::Enter);
    desk.settle();
}

/// Folders of measurements, wherever the desk's folder has one.
fn folders(desk: &Desk) -> usize {
    let listing = std::fs::read_dir(desk.path("")).expect("folder").flatten();
    listing.filter(|item| item.file_name().to_string_lossy().starts_with("samovar-bench-")).count()
}

#[test]
fn the_speed_is_measured_and_shown_as_bars() {
    let mut desk = desk_with_market(6, 60);
    let before = desk.cached_files();
    open(&mut desk);
    desk.assert_sees("Measure the speed");
    desk.fill("Symbols", "4");
    desk.fill("Times", "2");
    desk.press("Measure");
    desk.wait_for("the figures", is_done);
    desk.settle();
    for part in [
        "4 symbols",
        "Read rows from the source: ",
        "Both, without a cache: ",
        "Read from memory: ",
        "as quick as without a cache",
        "One symbol, S0",
        "One symbol from disk: ",
        "240 rows of 4 symbols",
        "Each line stands for ten times the time",
    ] {
        desk.assert_sees(part);
    }
    let copied = desk.copied_by("Copy figures");
    assert_eq!(copied.lines().count(), 11, "{copied}");
    assert!(copied.starts_with("stage\tseconds\t") && copied.contains("\nmemory\t"), "{copied}");
    assert_eq!((desk.cached_files(), folders(&desk)), (before, 0), "the user's cache is as it was");
    // It is kept until it is closed.
    assert!(is_done(&desk) && desk.has_button("Measure again"));
    desk.press_and_settle("Close");
    open(&mut desk);
    assert!(form(&desk).is_some_and(|form| matches!(form.phase, BenchPhase::Idle)));
}

#[test]
fn a_measurement_can_be_stopped_and_closing_stops_it() {
    let mut desk = desk_with_market(30, 400);
    open(&mut desk);
    desk.fill("Times", "99");
    desk.press("Measure");
    desk.wait_for("the beginning", |desk| folders(desk) == 1);
    desk.wait_for("progress", |desk| form(desk).is_some_and(|form| matches!(form.phase, BenchPhase::Running { progress: Some(_), .. })));
    desk.press("Stop");
    desk.wait_for("the end", |desk| form(desk).is_some_and(|form| matches!(form.phase, BenchPhase::Stopped)));
    desk.settle();
    desk.assert_sees("Stopped; nothing was left behind");
    assert_eq!(folders(&desk), 0);
    desk.press("Measure again");
    desk.wait_for("the beginning", |desk| folders(desk) == 1);
    desk.press("Close");
    desk.wait_for("its folder to go", |desk| folders(desk) == 0);
    assert!(desk.state().dialog.is_none());
}

#[test]
fn what_cannot_be_measured_is_said() {
    let mut desk = desk_with_market(2, 30);
    open(&mut desk);
    desk.fill("Symbols", "many");
    desk.assert_sees("Write how many symbols to measure");
    assert!(!desk.is_enabled("Measure"));
    desk.fill("Symbols", "2");
    desk.fill("Times", "1");
    std::fs::remove_file(desk.path("market.sqlite")).expect("removed");
    desk.press("Measure");
    desk.wait_text("market.sqlite");
    desk.settle();
    assert!(form(&desk).is_some_and(|form| matches!(form.phase, BenchPhase::Failed(_))));
    assert_eq!(folders(&desk), 0);
}
