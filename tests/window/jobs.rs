//! Preheats as one watches them: progress, pause, resume, cancel, failures and another try.

use crate::desk::{Desk, Laid, Market, warm_desk};
use samovar::app::{Command, JobStage, RowProgress};
use samovar::cache::EntryState;
use samovar::market::HOUR_US;

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
fn rows_tell_what_a_job_works_on_from_what_waits_for_its_turn() {
    let mut laid = Laid::new();
    laid.settings.jobs = 1;
    laid.settings.rows_per_sec = 600;
    let path = laid.path("market.sqlite");
    Market::new(&path).symbols(MANY, 30);
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.press("Preheat all");
    let progress = |state: &samovar::app::AppState, symbol: &str| state.progress_of(&samovar::market::Symbol::new(symbol));
    desk.wait("the first to be worked on while the last waits", |state| {
        let is_worked_on = |number: usize| progress(state, &format!("S{number:03}")) == Some(RowProgress::Working);
        (0..64).any(is_worked_on) && progress(state, "S299") == Some(RowProgress::Waiting)
    });
    desk.wait_for("the rows in view", |desk| desk.texts().iter().any(|text| text == "working"));
    desk.key(eframe::egui::Modifiers::NONE, eframe::egui::Key::End);
    desk.wait_for("the rows at the end", |desk| desk.texts().iter().filter(|text| *text == "waiting").count() > 5);
    desk.shortcut(Command::CancelJob);
    desk.wait_idle();
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
    desk.press("Remove");
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
    // The notice tells the one reason, too.
    desk.dismiss_notices();
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

#[test]
fn waiting_jobs_run_in_the_order_they_are_put_in() {
    let mut desk = long_desk();
    desk.press("Preheat all");
    desk.pause_running();
    desk.wait("the snapshot", |state| state.snapshot.rows.len() == MANY);
    for symbol in ["S005", "S006", "S007"] {
        desk.settle();
        desk.click_row(symbol, eframe::egui::Modifiers::NONE);
        desk.open_row_menu(symbol);
        desk.press_in_menu("Preheat");
    }
    desk.shortcut(Command::ShowJobs);
    desk.wait("three waiting jobs", |state| state.waiting_jobs().count() == 3);
    desk.settle();
    let order = |desk: &Desk| desk.state().waiting_jobs().map(|job| job.title.clone()).collect::<Vec<_>>();
    let names = |numbers: [usize; 3]| numbers.map(|number| format!("Preheat S00{number}")).to_vec();
    assert_eq!(order(&desk), names([5, 6, 7]));
    desk.assert_sees("waiting, number 3");
    desk.press("Run next: Preheat S007");
    desk.wait_for("the last to be next", |desk| order(desk) == names([7, 5, 6]));
    desk.press("Later: Preheat S005");
    desk.wait_for("the second to be last", |desk| order(desk) == names([7, 6, 5]));
    desk.press("Earlier: Preheat S005");
    desk.wait_for("the last to be second", |desk| order(desk) == names([7, 5, 6]));
    desk.press("Resume");
    desk.wait_idle();
    let mut began: Vec<(i64, String)> = desk
        .state()
        .snapshot
        .jobs
        .iter()
        .map(|job| (job.record_id, job.title.clone()))
        .filter(|(_, title)| title.contains("S00"))
        .collect();
    began.sort();
    assert_eq!(began.into_iter().map(|(_, title)| title).collect::<Vec<_>>(), names([7, 5, 6]));
}

#[test]
fn counts_of_a_job_lead_to_just_these_symbols() {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    let market = Market::new(&path);
    market.symbols(5, 30);
    market.run("UPDATE stock_kline_data SET close = NULL WHERE symbol IN ('S001', 'S003')");
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.press("Preheat all");
    desk.wait_idle();
    desk.press_and_settle("Show 2 failed");
    assert_eq!((desk.listed(), desk.state().view), (vec!["S001".to_owned(), "S003".to_owned()], samovar::app::View::Symbols));
    desk.shortcut(Command::ShowJobs);
    desk.settle();
    desk.press_and_settle("3 ok");
    assert_eq!(desk.listed(), ["S000", "S002", "S004"]);
    desk.shortcut(Command::ShowJobs);
    desk.settle();
    let copied = desk.copied_by("Copy reasons");
    assert!(copied.starts_with("S001\t") && copied.lines().count() == 2, "{copied}");
    // One alone.
    market.run("UPDATE stock_kline_data SET close = open WHERE symbol = 'S003'");
    desk.press("Retry S003");
    desk.wait_for("S003 to be fresh", |desk| desk.row("S003").state == EntryState::Fresh);
    assert_eq!(desk.row("S001").state, EntryState::Failed);
    desk.wait_idle();
}

#[test]
fn a_pace_is_kept_to_by_the_job_that_runs_and_remembered() {
    let mut desk = long_desk();
    desk.shortcut(Command::ShowJobs);
    desk.settle();
    desk.choose("Pace", "at most 2,000 rows/s");
    desk.wait_saved("the pace", |settings| settings.rows_per_sec == 2_000);
    desk.press("Preheat all");
    desk.wait("some rows", |state| state.active_job().is_some_and(|job| job.progress.rows > 600));
    // 300 symbols of 30 rows are 9,000: more than four seconds' worth, and not done before it is lifted.
    let (began, rows) = (std::time::Instant::now(), desk.state().active_job().expect("a job").progress.rows);
    desk.wait("more rows", |state| state.active_job().is_none_or(|job| job.progress.rows > rows + 2_000));
    assert!(desk.state().active_job().is_some(), "it is over already");
    let took = began.elapsed();
    assert!(took.as_secs_f64() > 0.5, "2,000 rows and more took {took:?}");
    desk.choose("Pace", "no speed limit");
    desk.wait_idle();
    assert_eq!(desk.state().jobs[0].report.as_ref().map(|report| report.ok), Some(MANY));
}

#[test]
fn a_schedule_runs_by_itself_and_is_changed_paused_and_removed() {
    let mut desk = warm_desk(3, 30);
    desk.shortcut(Command::ShowJobs);
    desk.settle();
    desk.assert_sees("Nothing runs by itself");
    desk.press_and_settle("New schedule…");
    desk.fill("at", "25:00");
    desk.settle();
    desk.assert_sees("25:00 is no time of day such as 16:05");
    assert!(!desk.is_enabled("Save schedule"));
    desk.choose("How often", "every so many minutes");
    desk.fill("minutes", "30");
    desk.settle();
    desk.press("Save schedule");
    let name = "Preheat all, every 30 minutes";
    desk.wait("the schedule", |state| state.schedules.len() == 1);
    desk.settle();
    desk.assert_sees(name);
    desk.assert_sees("in 30 min");
    desk.wait_saved("the schedule", |settings| settings.schedules.first().is_some_and(|schedule| schedule.when == "every 30 min"));

    // Its time comes.
    desk.clock.advance(31 * 60 * 1_000_000);
    desk.wait("it to run", |state| state.jobs.iter().any(|job| job.title == name));
    desk.wait_idle();
    desk.wait("it to be over", |state| state.schedules[0].job.is_none() && state.schedules[0].last.is_some());
    desk.settle();

    // While it rests nothing comes of it.
    desk.press(&format!("Let the schedule {name} rest"));
    desk.wait("it to rest", |state| state.schedules[0].schedule.paused);
    let jobs = desk.state().jobs.len();
    desk.clock.advance(3_600 * 1_000_000);
    desk.wait_text("resting");
    desk.settle();
    assert_eq!(desk.state().jobs.len(), jobs);
    desk.press("Run now");
    desk.wait("it to run when asked", |state| state.jobs.len() == jobs + 1);
    desk.wait_idle();
    desk.press(&format!("Remove the schedule {name}"));
    desk.wait("it to be gone", |state| state.schedules.is_empty());
    desk.settle();
    desk.press("Undo");
    desk.wait("it to be back", |state| state.schedules.len() == 1);
    assert!(desk.state().schedules[0].schedule.paused);
}

#[test]
fn what_was_missed_while_the_window_was_closed_runs_late_and_says_so() {
    let mut desk = warm_desk(2, 30);
    let mut settings = desk.saved_settings();
    settings.schedules.push(samovar::config::Schedule { name: "Daily".to_owned(), when: "16:20 XNYS".to_owned(), ..Default::default() });
    settings.save(&desk.places.settings_file).expect("saved");
    desk = desk.restart();
    desk.wait("the schedule", |state| state.schedules.len() == 1);
    assert!(desk.state().jobs.is_empty(), "it is new: nothing was missed");
    // 2024-05-06 12:00 UTC is a Monday morning in New York; over the next evenings the window is closed.
    let clock = std::sync::Arc::clone(&desk.clock);
    let mut desk = desk.restart_after(|| clock.advance(72 * HOUR_US));
    desk.wait_notice("Daily runs late");
    desk.wait_idle();
    assert_eq!(desk.state().jobs.len(), 1, "once, not for each day");
    desk.shortcut(Command::ShowJobs);
    desk.wait_text("ran late at");
}
