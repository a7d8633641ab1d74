//! The overview: lookups over time, what everything takes, what was evicted and why, what changed.

use crate::desk::warm_desk;
use eframe::egui::Modifiers;
use samovar::app::View;
use samovar::cache::{Cache, CacheOptions, Limits, LookupSpan};
use samovar::market::{DAY_US, HOUR_US};

#[test]
fn lookups_are_counted_by_tier_over_the_span_that_is_chosen() {
    let mut desk = warm_desk(4, 40);
    for symbol in ["S001", "S002"] {
        desk.click_row(symbol, Modifiers::NONE);
        desk.wait_chart(symbol);
    }
    desk.show_overview();
    desk.wait("the lookups", |state| state.overview.survey.as_ref().is_some_and(|survey| survey.lookups.counts().disk >= 2));
    desk.settle();
    desk.assert_sees("Lookups by tier");
    desk.assert_sees("in the last 24 hours, hit rate");
    for head in ["p50", "p95", "p99"] {
        desk.assert_sees(head);
    }
    let spans = [("1 h", LookupSpan::Hour), ("7 d", LookupSpan::Week), ("30 d", LookupSpan::Month), ("24 h", LookupSpan::Day)];
    for (word, span) in spans {
        desk.press(word);
        desk.wait("the numbers of another span", |state| state.overview.survey.as_ref().is_some_and(|survey| survey.lookups.span == span));
        desk.settle();
        desk.assert_sees(&format!("in {}, hit rate", span.words()));
    }
    // An hour and more later they are no lookups of the last hour, but still of the last day.
    desk.clock.advance(3 * HOUR_US);
    desk.press("1 h");
    desk.wait_text("Nothing was looked up in the last hour");
    desk.settle();
    desk.press("24 h");
    desk.wait_text("in the last 24 hours, hit rate");
}

#[test]
fn what_everything_takes_is_told_by_set_year_and_symbol() {
    let mut desk = warm_desk(3, 400);
    desk.show_overview();
    desk.assert_sees("What it takes");
    for part in ["classic", "2024", "2023", "Largest symbols"] {
        desk.assert_sees(part);
    }
    let costs = desk.state().overview.survey.as_ref().expect("numbers").costs.clone();
    let files: u64 = desk.cached_files().values().map(|bytes| bytes.len() as u64).sum();
    assert_eq!(costs.years.values().sum::<u64>(), files, "every byte belongs to a year");
    let largest = costs.symbols[0].symbol.to_string();
    desk.press_and_settle(&largest);
    assert_eq!((desk.state().view, desk.listed()), (View::Symbols, vec![largest.clone()]));
    assert_eq!(desk.focus(), largest);
}

#[test]
fn evictions_are_listed_with_their_reasons_and_the_rule() {
    let mut desk = warm_desk(6, 200);
    desk.click_row("S005", Modifiers::NONE);
    desk.wait_chart("S005");
    desk.show_overview();
    desk.assert_sees("Nothing had to go");
    desk.press_and_settle("Who goes first?");
    desk.assert_sees("then the least valuable");
    // Another process that is allowed less.
    let cache = Cache::open(CacheOptions::new(desk.folders(), 1_000_000, desk.clock.clone())).expect("a cache").0;
    let total: u64 = desk.cached_files().values().map(|bytes| bytes.len() as u64).sum();
    cache.set_limits(Limits { disk_budget_bytes: total / 2, free_reserve_bytes: 0 });
    let room = cache.make_room(0, &|_key| false).expect("room");
    assert!(!room.evicted.is_empty());
    // The newest is the first of the list.
    let newest = room.evicted.last().expect("evicted");
    let (reason, key) = (newest.reason.clone(), newest.key.clone());
    let symbol = key.symbol.to_string();
    desk.wait_text(&reason);
    desk.settle();
    desk.assert_no("Nothing had to go");
    let link = format!("{symbol} {}", key.dataset.name());
    desk.press(&link);
    desk.wait("the dossier", |state| state.focused_dossier().is_some_and(|dossier| dossier.symbol.as_str() == symbol));
    assert!(desk.state().view == View::Symbols && desk.state().inspector.open);
}

#[test]
fn a_budget_that_is_nearly_full_is_warned_of() {
    let desk = warm_desk(4, 200);
    let total: u64 = desk.cached_files().values().map(|bytes| bytes.len() as u64).sum();
    let mut settings = desk.saved_settings();
    settings.disk_budget_bytes = total * 10 / 9;
    settings.save(&desk.places.settings_file).expect("saved");
    let mut desk = desk.restart();
    desk.show_overview();
    desk.wait_text("90.0 %");
    desk.assert_sees("when it is full, the least valuable entries go");
}

#[test]
fn integrity_tells_of_damage_and_quarantine() {
    let mut desk = warm_desk(3, 40);
    desk.show_overview();
    desk.assert_sees("Every file that was read is as it was written");
    for (path, bytes) in desk.files_of("S001") {
        std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("write");
    }
    desk.press("Verify files");
    desk.wait_text("6 files, 2 damaged");
    assert_eq!(desk.state().overview.survey.as_ref().expect("numbers").quarantine.0, 0, "only looked at");
    desk.press("Verify and repair");
    desk.wait("the quarantine", |state| state.overview.survey.as_ref().is_some_and(|survey| survey.quarantine.0 == 2));
    desk.settle();
    desk.assert_sees("2 files · ");
    desk.wait_idle();
    desk.assert_sees("Every file that was read is as it was written");
}

#[test]
fn cold_by_tomorrow_goes_by_the_cache_s_clock() {
    let mut desk = warm_desk(3, 40);
    desk.show_overview();
    desk.assert_sees("will be cold by tomorrow, 09:00");
    desk.clock.advance(DAY_US + HOUR_US);
    desk.wait_text("hot: 0 of 3 symbols");
}
