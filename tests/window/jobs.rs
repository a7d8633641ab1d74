//! Preheats as one watches them: progress, pause, resume, cancel, failures and another try.

use crate::desk::{Desk, Laid, Market, warm_desk};
use samovar::app::{Command, JobStage};
use samovar::cache::EntryState;

const MANY: usize = 300;

/// Work for a second or two.
fn long_desk() -> Desk {
    let mut laid = Laid::new();
    laid.settings.jobs = 1;
    let path = laid.path("market.sqlite");
    Market::new(&path).symbols(MANY, 30);
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk
}

fn done(desk: &Desk) -> usize {
    desk.state().active_job().map_or(0, |job| job.progress.symbols_done)
}

#[test]
fn a_preheat_can_be_paused_and_goes_on_where_it_was() {
    let mut desk = long_desk();
    desk.press("Preheat all");
    desk.pause_running();
    assert!(desk.has_button("Resume") && !desk.has_button("Pause"));
    // What was under way is finished first; then it stands still.
    let mut still = (done(&desk), 0);
    while still.1 < 100 {
        desk.harness.step();
        std::thread::sleep(std::time::Duration::from_millis(4));
        still = if done(&desk) == still.0 { (still.0, still.1 + 1) } else { (done(&desk), 0) };
    }
    assert!(still.0 < MANY, "all {MANY} were done before the pause");
    desk.wait("the snapshot", |state| state.snapshot.rows.len() == MANY);
    desk.shortcut(Command::ShowJobs);
    desk.settle();
    desk.assert_sees(&format!("{} of {MANY} symbols", still.0));
    desk.assert_sees("paused");
    assert_eq!(desk.cached_files().len(), 2 * still.0, "nothing is written while it waits");
    desk.press("Resume");
    desk.wait_idle();
    let report = desk.state().jobs[0].report.clone().expect("a report");
    assert_eq!((report.ok, report.cancelled), (MANY, false));
    assert_eq!(desk.cached_files().len(), 2 * MANY);
}

#[test]
fn a_cancelled_preheat_keeps_what_it_finished_and_the_next_one_does_the_rest() {
    let mut desk = long_desk();
    desk.press("Preheat all");
    desk.wait("some symbols", |state| state.active_job().is_some_and(|job| job.progress.symbols_done > 0));
    desk.press("Cancel job");
    desk.wait_idle();
    let report = desk.state().jobs[0].report.clone().expect("a report");
    assert!(report.cancelled && report.ok > 0 && report.not_reached > 0, "{report:?}");
    assert_eq!(desk.state().snapshot.rows.iter().filter(|row| row.state == EntryState::Fresh).count(), report.ok);
    assert_eq!(desk.catalog().iter().filter(|entry| entry.file.is_some()).count(), 2 * report.ok);
    assert_eq!(desk.cached_files().len(), 2 * report.ok, "no half-written file");
    desk.wait_notice("cancelled");
    desk.shortcut(Command::ShowJobs);
    desk.settle();
    desk.assert_sees("cancelled");
    desk.press("Preheat all");
    desk.wait_idle();
    let rest = desk.state().jobs[0].report.clone().expect("a report");
    assert_eq!((rest.ok, rest.skipped_fresh), (MANY - report.ok, report.ok));
}

#[test]
fn a_second_preheat_waits_its_turn_and_can_be_cancelled_in_the_jobs_view() {
    let mut desk = long_desk();
    desk.press("Preheat all");
    desk.pause_running();
    desk.press("Preheat all");
    desk.shortcut(Command::ShowJobs);
    desk.wait("a waiting job", |state| state.jobs.len() == 2 && state.jobs[0].stage == JobStage::Queued);
    desk.settle();
    desk.assert_sees("waiting");
    // Newest first: the waiting one.
    desk.press("Cancel");
    desk.press("Resume");
    desk.wait_idle();
    let reports: Vec<_> = desk.state().jobs.iter().map(|job| job.report.clone().expect("a report")).collect();
    assert!(reports[0].cancelled && reports[0].ok == 0, "{:?}", reports[0]);
    assert_eq!(reports[1].ok, MANY);
}

#[test]
fn closing_the_window_in_the_middle_of_a_preheat_loses_nothing_that_was_finished() {
    let mut desk = long_desk();
    desk.press("Preheat all");
    desk.wait("some symbols", |state| state.active_job().is_some_and(|job| job.progress.symbols_done > 0));
    let mut desk = desk.restart();
    desk.wait("the symbols", |state| state.snapshot.rows.len() == MANY);
    let fresh = desk.state().snapshot.rows.iter().filter(|row| row.state == EntryState::Fresh).count();
    assert!(fresh > 0 && desk.state().snapshot.rows.iter().all(|row| matches!(row.state, EntryState::Fresh | EntryState::Missing)));
    desk.shortcut(Command::ShowJobs);
    desk.settle();
    desk.assert_sees("cancelled");
    desk.press("Preheat all");
    desk.wait_idle();
    assert_eq!(desk.state().jobs[0].report.as_ref().map(|report| report.skipped_fresh), Some(fresh));
}

#[test]
fn failures_are_listed_with_reasons_and_tried_again_at_a_press() {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    let market = Market::new(&path);
    market.symbols(4, 30);
    market.run("UPDATE stock_kline_data SET close = NULL WHERE symbol = 'S001'");
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.press("Preheat all");
    desk.wait_idle();
    assert!(desk.wait_notice("Preheat all finished").contains("3 ok · 1 failed"));
    assert_eq!((desk.row("S001").state, desk.row("S002").state), (EntryState::Failed, EntryState::Fresh));
    assert!(desk.files_of("S001").is_empty() && desk.files_of("S002").len() == 2);
    let reason = "none of its 30 rows has a usable price";
    assert!(desk.entries_of("S001").iter().any(|entry| entry.failure.as_ref().is_some_and(|failure| failure.message.contains(reason))));
    desk.shortcut(Command::ShowJobs);
    desk.wait_text(reason);
    desk.assert_sees("3 ok · 1 failed");
    desk.press_and_settle("Hide reasons");
    desk.assert_no(reason);
    desk.press_and_settle("Show reasons");
    market.run("UPDATE stock_kline_data SET close = open WHERE symbol = 'S001'");
    desk.press("Retry 1 symbol");
    desk.wait_for("the failed symbol to be fresh", |desk| desk.row("S001").state == EntryState::Fresh);
    assert_eq!(desk.files_of("S001").len(), 2);
    desk.wait_idle();
    assert!(!desk.is_enabled("Retry failed"), "nothing is left to try");
}

#[test]
fn a_source_that_is_gone_takes_nothing_away() {
    let mut desk = warm_desk(4, 30);
    let files = desk.cached_files();
    std::fs::rename(desk.path("market.sqlite"), desk.path("elsewhere.sqlite")).expect("rename");
    desk.tick();
    desk.shortcut(Command::SelectAll);
    desk.press("Refresh");
    desk.wait_idle();
    assert!(desk.wait_notice("failed").contains("market.sqlite"), "says which file");
    assert_eq!(desk.cached_files(), files);
    desk.shortcut(Command::SelectNone);
    desk.click_row("S002", eframe::egui::Modifiers::NONE);
    desk.wait_chart("S002");
    std::fs::rename(desk.path("elsewhere.sqlite"), desk.path("market.sqlite")).expect("rename");
    desk.press("Preheat all");
    desk.wait_for("all fresh", |desk| desk.state().snapshot.rows.iter().all(|row| row.state == EntryState::Fresh));
}

#[test]
fn symbols_that_vanished_from_the_source_have_no_data_and_keep_their_files() {
    let mut desk = warm_desk(4, 30);
    Market::new(&desk.path("market.sqlite")).run("DELETE FROM stock_kline_data WHERE symbol = 'S001'");
    desk.tick();
    desk.shortcut(Command::SelectAll);
    desk.press("Refresh");
    desk.wait_idle();
    assert!(desk.wait_notice("Refresh 4 symbols").contains("3 ok · 1 no data"));
    assert_eq!(desk.files_of("S001").len(), 2, "a source that has nothing takes nothing away");
}
