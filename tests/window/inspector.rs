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
    // Counted a moment after it is in the log.
    desk.wait_text("disk 1 (100 %)");
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
    for _ in 0..120 {
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
    desk.dismiss_notices();
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
    desk.wait_text("2 unchanged");
    desk.settle();
    desk.assert_sees("1 changed at the source");
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

/// A market whose second symbol has a hole, a wrong price and a day without volume.
fn flawed_desk() -> Desk {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    let market = Market::new(&path);
    market.symbols(5, 90);
    market.run(
        "DELETE FROM stock_kline_data WHERE symbol = 'S001' AND trade_date IN ('2024-03-12', '2024-03-13');
         UPDATE stock_kline_data SET high = low - 1 WHERE symbol = 'S001' AND trade_date = '2024-04-02';
         UPDATE stock_kline_data SET volume = 0 WHERE symbol = 'S001' AND trade_date = '2024-04-04';
         DELETE FROM stock_kline_data WHERE symbol = 'S003' AND trade_date > '2024-05-03';",
    );
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.press("Preheat all");
    desk.wait_idle();
    desk.wait("every symbol to be looked at", |state| {
        state.snapshot.rows.len() == 5 && state.snapshot.rows.iter().all(|row| row.findings.is_some())
    });
    desk
}

#[test]
fn findings_are_listed_with_date_and_value_and_lead_to_their_place() {
    let mut desk = flawed_desk();
    let found = desk.row("S001").findings.expect("findings");
    assert_eq!((found.gaps, found.missing_sessions, found.broken_range, found.zero_volume), (1, 2, 1, 1));
    assert!(desk.row("S001").has_gaps() && !desk.row("S002").has_findings());
    assert_eq!((desk.row("S003").sessions_behind, desk.row("S001").sessions_behind), (Some(2), Some(0)));
    inspect(&mut desk, "S001");
    desk.assert_sees("2 sessions without a bar; other symbols have one");
    desk.assert_sees("1 bar without volume");
    desk.wait_chart("S001");
    desk.press_and_settle("2024-03-12: 2 sessions without a bar; other symbols have one, show on the chart");
    let range = desk.harness.state().chart_view().visible_range().expect("a range");
    let bars = desk.state().chart.loaded.as_ref().expect("bars").data.bars.clone();
    let place = bars.time_us.iter().position(|time| samovar::market::format_date(*time) == "2024-03-14").expect("the bar") as f64;
    assert!(range.start < place && place < range.end, "{range:?} {place}");
    inspect(&mut desk, "S003");
    desk.assert_sees("2 sessions behind its market");
    inspect(&mut desk, "S002");
    desk.assert_sees("Nothing to note in its rows");
    desk.assert_sees("up to date with its market");
}

#[test]
fn the_overview_leads_to_the_symbols_with_gaps() {
    let mut desk = flawed_desk();
    desk.show_overview();
    desk.assert_sees("Quality of the bars");
    desk.press_and_settle("gaps");
    assert_eq!(desk.listed(), ["S001"]);
    desk.show_overview();
    desk.press_and_settle("behind their market");
    assert_eq!(desk.listed(), ["S003"]);
    desk.press_and_settle("Only behind their market: show all again");
    assert_eq!(desk.listed().len(), 5);
    // The same as a column: those with most of them come first.
    desk.press_and_settle("Columns");
    desk.press_and_settle("Missing sessions");
    desk.key(Modifiers::NONE, Key::Escape);
    desk.sort_by(samovar::app::Column::MissingSessions);
    assert_eq!(desk.listed().last().map(String::as_str), Some("S001"));
    assert_eq!((desk.row("S001").missing_sessions(), desk.row("S002").missing_sessions()), (Some(2), Some(0)));
}

#[test]
fn findings_are_looked_for_again_when_the_bars_are_others() {
    let mut desk = flawed_desk();
    let market = Market::new(&desk.path("market.sqlite"));
    market.run("UPDATE stock_kline_data SET volume = 7 WHERE symbol = 'S001' AND volume = 0");
    desk.tick();
    desk.shortcut(Command::CheckSource);
    desk.wait_idle();
    desk.wait_for("the findings of the new bars", |desk| desk.row("S001").findings.is_some_and(|found| found.zero_volume == 0));
    assert_eq!(desk.row("S001").findings.map(|found| found.gaps), Some(1));
}

#[test]
fn a_file_is_told_by_its_footer_and_sections_stay_closed() {
    let mut desk = warm_desk(2, 40);
    inspect(&mut desk, "S001");
    desk.assert_no("Row groups");
    desk.press_and_settle("How bars is stored");
    for part in ["Row groups", "zstd", "Dead bytes", "Written by", "engine_version", "close"] {
        desk.assert_sees(part);
    }
    let layout = desk.state().focused_dossier().and_then(|dossier| dossier.bars()?.layout.clone()).expect("a layout");
    assert_eq!(layout.groups.iter().map(|group| group.rows).sum::<u64>(), 40);
    let parts: u64 = layout.groups.iter().map(|group| group.stored_bytes).sum::<u64>() + layout.footer_bytes + layout.dead_bytes + 12;
    assert_eq!(parts, layout.size_bytes, "every byte is accounted for");
    desk.assert_sees("Fetched or checked");
    desk.press_and_settle("Times");
    desk.assert_no("Fetched or checked");
    inspect(&mut desk, "S000");
    desk.assert_no("Fetched or checked");
}
