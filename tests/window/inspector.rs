//! The inspector: why a symbol is in its state, in words, and everything else that is known of it.

use crate::desk::{Desk, Laid, Market, warm_desk};
use eframe::egui;
use egui::{Key, Modifiers};
use samovar::app::Command;
use samovar::cache::{Catalog, EntryState, Provenance};
use samovar::market::HOUR_US;

/// Opens the inspector on a symbol and waits for what it knows.
fn inspect(desk: &mut Desk, symbol: &str) {
    if !desk.state().inspector.open {
        desk.shortcut(Command::ShowInspector);
    }
    desk.click_row(symbol, Modifiers::NONE);
    let wanted = symbol.to_owned();
    desk.wait("the dossier", move |state| state.focused_dossier().is_some_and(|dossier| dossier.symbol.as_str() == wanted));
    desk.settle();
}

/// Waits until the inspector says something.
fn wait_told(desk: &mut Desk, part: &str) {
    desk.wait_text(part);
    desk.settle();
}

#[test]
fn the_inspector_says_why_a_symbol_is_fresh_and_what_is_known_of_it() {
    let mut desk = warm_desk(3, 400);
    inspect(&mut desk, "S001");
    for part in [
        ", 24 h after it was fetched",
        "Changes at the source",
        "Fetched or checked",
        "History verified",
        "24 h after each fetch",
        "unknown",
        "400 bars",
        "Nothing to note in its rows",
        "S001.parquet",
        "2023",
    ] {
        desk.assert_sees(part);
    }
    // Another symbol, another dossier; never the one under the name of the other.
    desk.key(Modifiers::NONE, Key::ArrowDown);
    desk.wait("the next dossier", |state| state.focused_dossier().is_some_and(|dossier| dossier.symbol.as_str() == "S002"));
    desk.settle();
    desk.assert_sees("S002.parquet");
    desk.assert_no("S001.parquet");
}

#[test]
fn what_is_invalidated_or_over_its_time_is_told_with_its_age() {
    let mut desk = warm_desk(3, 40);
    inspect(&mut desk, "S001");
    desk.click_row("S001", Modifiers::COMMAND);
    desk.press("Invalidate");
    wait_told(&mut desk, "Stale: invalidated");
    desk.clock.advance(26 * HOUR_US);
    wait_told(&mut desk, "Stale: invalidated 1 d 2 h ago");
    desk.click_row("S002", Modifiers::NONE);
    wait_told(&mut desk, "Stale: its 24 h ended 2 h ago");
    desk.assert_sees("Expired");
}

#[test]
fn a_failure_is_told_with_its_reason_and_what_is_served_meanwhile() {
    let mut desk = warm_desk(3, 40);
    Market::new(&desk.path("market.sqlite")).run("UPDATE stock_kline_data SET close = NULL WHERE symbol = 'S001'");
    desk.tick();
    inspect(&mut desk, "S001");
    desk.click_row("S001", Modifiers::COMMAND);
    desk.press("Refresh");
    desk.wait_idle();
    wait_told(&mut desk, "). Served meanwhile: what was fetched");
    desk.assert_sees(": none of its 40 rows has a usable price");
    assert_eq!(desk.row("S001").state, EntryState::Failed);
    desk.click_row("S002", Modifiers::NONE);
    desk.hover_state_of("S001");
    desk.wait_text("Served meanwhile");
}

#[test]
fn features_of_other_bars_are_told_to_be_outdated() {
    let mut desk = warm_desk(3, 40);
    inspect(&mut desk, "S001");
    // As another process leaves it that fetched bars and has not computed yet.
    let mut features = desk.entries_of("S001").into_iter().find(|entry| !entry.key.dataset.is_bars()).expect("features");
    features.provenance = features.provenance.map(|made| Provenance { inputs: made.inputs ^ 1, ..made });
    Catalog::open(&desk.folders().catalog()).expect("a catalog").put_entries(&[features]).expect("written");
    wait_told(&mut desk, "Outdated: the bars changed after it was computed");
    desk.click_row("S002", Modifiers::NONE);
    desk.hover_state_of("S001");
    wait_told(&mut desk, "Outdated: the bars changed after it was computed");
}

#[test]
fn a_damaged_file_is_told_with_when_it_was_found() {
    let mut desk = warm_desk(3, 40);
    for (path, bytes) in desk.files_of("S001") {
        std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("write");
    }
    inspect(&mut desk, "S001");
    wait_told(&mut desk, "Damaged, found ");
    desk.assert_sees("its file is in quarantine");
    desk.assert_sees("miss: damaged");
}

#[test]
fn what_is_not_cached_is_told_with_a_way_to_fetch_it() {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    Market::new(&path).symbols(3, 40);
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.open_source_menu();
    desk.press("Reload symbol list");
    desk.wait("three symbols", |state| state.snapshot.rows.len() == 3);
    inspect(&mut desk, "S001");
    desk.assert_sees("Missing: nothing is cached");
    desk.assert_no("Files");
    desk.press("Preheat this symbol now");
    desk.wait_idle();
    wait_told(&mut desk, ", 24 h after it was fetched");
}

#[test]
fn lookups_are_told_with_tier_reason_and_time() {
    let mut desk = warm_desk(3, 40);
    inspect(&mut desk, "S001");
    desk.wait_chart("S001");
    desk.wait("its lookup", |state| state.focused_dossier().is_some_and(|dossier| !dossier.log.is_empty()));
    desk.settle();
    desk.assert_sees("Lookups, last 30 days");
    desk.assert_sees("disk 1 (100 %)");
    let elapsed_us = desk.state().focused_dossier().expect("a dossier").log[0].elapsed_us;
    assert!(elapsed_us > 0);
    desk.assert_sees(&samovar::format::short_time(elapsed_us as f64));
}

#[test]
fn the_keyboard_opens_and_closes_it_and_the_next_start_remembers() {
    let mut desk = warm_desk(3, 40);
    desk.assert_no("Changes at the source");
    desk.shortcut(Command::ShowInspector);
    desk.wait_text("Changes at the source");
    desk.settle();
    let mut desk = desk.restart();
    desk.wait_text("Changes at the source");
    desk.press_and_settle("Hide inspector");
    desk.assert_no("Changes at the source");
    desk.press_and_settle("Show inspector");
    desk.wait_text("Changes at the source");
    // From another view it brings the symbols into view first.
    desk.shortcut(Command::ShowJobs);
    desk.settle();
    desk.shortcut(Command::ShowInspector);
    desk.wait_text("Changes at the source");
    desk.shortcut(Command::ShowInspector);
    desk.settle();
    desk.assert_no("Changes at the source");
}

#[test]
fn every_control_of_the_inspector_can_be_reached_by_tab() {
    let mut desk = warm_desk(3, 40);
    inspect(&mut desk, "S001");
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..80 {
        desk.key(Modifiers::NONE, Key::Tab);
        seen.extend(desk.focused_label());
    }
    for name in ["Hide inspector", "Copy the path of bars", "Copy the checksum"] {
        assert!(seen.contains(name), "{name} is not among {seen:?}");
    }
}

#[test]
fn paths_and_checksums_are_copied_whole() {
    let mut desk = warm_desk(2, 40);
    inspect(&mut desk, "S001");
    let file = desk.entries_of("S001").into_iter().find(|entry| entry.key.dataset.is_bars()).and_then(|entry| entry.file).expect("a file");
    let copied = desk.copied_by("Copy the path of bars");
    assert!(std::path::Path::new(&copied).is_file() && copied.ends_with(file.path.to_str().expect("a path")), "{copied}");
}

#[test]
fn a_changed_row_at_the_source_is_told_everywhere_and_leads_to_its_place() {
    let mut desk = warm_desk(3, 400);
    desk.assert_no("rewritten");
    let market = Market::new(&desk.path("market.sqlite"));
    market.run("UPDATE stock_kline_data SET close = close + 0.125 WHERE symbol = 'S001' AND trade_date = '2023-08-01'");
    desk.tick();
    desk.shortcut(Command::CheckSource);
    desk.wait_idle();
    // The job says how many and which.
    desk.shortcut(Command::ShowJobs);
    desk.wait_text("2 unchanged · 1 changed at the source");
    desk.settle();
    desk.assert_sees("read ");
    // The overview lists it, and leads to the symbol.
    desk.shortcut(Command::ShowOverview);
    desk.wait("the change", |state| state.overview.survey.as_ref().is_some_and(|survey| survey.changes.len() == 1));
    desk.settle();
    desk.assert_sees("rewritten");
    let detail = desk.state().overview.survey.as_ref().expect("numbers").changes[0].detail.clone();
    desk.assert_sees(&detail);
    desk.press("S001: rewritten");
    desk.wait("the dossier", |state| state.focused_dossier().is_some_and(|dossier| dossier.symbol.as_str() == "S001"));
    desk.wait_chart("S001");
    desk.settle();
    desk.assert_sees(&detail);
    // The inspector leads to the bar that changed.
    desk.press_and_settle("Show 2023-08-01 on the chart");
    let range = desk.harness.state().chart_view().visible_range().expect("a range");
    let bars = desk.state().chart.loaded.as_ref().expect("bars").data.bars.clone();
    let place = bars.time_us.iter().position(|time| samovar::market::format_date(*time) == "2023-08-01").expect("the bar") as f64;
    assert!(range.start < place && place < range.end && range.span() < 200.0, "{range:?} {place}");
}

#[test]
fn the_bar_of_a_day_that_is_not_over_is_told_to_be_provisional() {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    let market = Market::new(&path);
    market.symbols(2, 40);
    market.run("INSERT INTO stock_kline_data VALUES ('S001', '2024-05-06', 50, 51, 49, 50.5, 10)");
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.press("Preheat all");
    desk.wait_idle();
    inspect(&mut desk, "S001");
    wait_told(&mut desk, "The bar of 2024-05-06 is provisional: the day ends ");
    desk.wait_chart("S001");
    desk.settle();
    desk.assert_sees("provisional");
    inspect(&mut desk, "S000");
    desk.assert_no("provisional");
}
