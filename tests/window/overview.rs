//! The overview: lookups over time, what everything takes, what was evicted and why, what changed.

use crate::desk::{Desk, warm_desk};
use eframe::egui::Modifiers;
use egui_kittest::kittest::{NodeT, Queryable};
use samovar::app::{Command, View};
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
    desk.assert_sees("Space used");
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
    desk.assert_sees("Nothing was evicted");
    desk.press_and_settle("What would be evicted first?");
    desk.assert_sees("Older versions of feature sets go first");
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
    desk.assert_no("Nothing was evicted");
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
    desk.wait_text("when it is full, the least valuable entries go");
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

#[test]
fn figures_and_bars_lead_to_exactly_their_symbols() {
    let mut desk = warm_desk(5, 400);
    desk.click_row("S001", Modifiers::NONE);
    desk.click_row("S003", Modifiers::COMMAND);
    desk.press("Invalidate");
    desk.wait_notice("Invalidated");
    desk.wait_for("two stale symbols", |desk| desk.row("S003").state == samovar::cache::EntryState::Stale);
    desk.show_overview();
    desk.press_and_settle("hot: 3 of 5 symbols");
    assert_eq!((desk.state().view, desk.listed()), (View::Symbols, ["S000", "S002", "S004"].map(str::to_owned).to_vec()));
    // What is in the filter then narrows further, and the chip shows all again.
    desk.press_and_settle("Only hot: show all again");
    assert_eq!(desk.listed().len(), 5);
    desk.show_overview();
    desk.press_and_settle("stale");
    assert_eq!(desk.listed(), ["S001", "S003"]);
    desk.show_overview();
    desk.press_and_settle("2023");
    assert_eq!(desk.listed().len(), 5, "every symbol has bars of 2023");
    desk.show_overview();
    desk.press_and_settle("classic");
    desk.assert_sees("with classic");
}

#[test]
fn the_map_of_hot_and_cold_leads_to_a_symbol() {
    let mut desk = warm_desk(3, 40);
    desk.show_overview();
    let place = desk.harness.get_by_label("3 symbols by size and state").rect();
    desk.harness.hover_at(place.left_center() + eframe::egui::vec2(20.0, 0.0));
    desk.wait_text("· fresh ·");
    desk.harness.get_by_label("3 symbols by size and state").click();
    desk.wait("the symbols", |state| state.view == View::Symbols);
}

#[test]
fn the_hours_of_expiry_lead_to_whose_they_are() {
    let mut desk = warm_desk(3, 40);
    desk.clock.advance(2 * HOUR_US);
    desk.click_row("S001", Modifiers::NONE);
    desk.click_row("S001", Modifiers::COMMAND);
    desk.press("Refresh");
    desk.wait_idle();
    desk.show_overview();
    let find = |desk: &Desk, scroll: bool| {
        let plot = desk.harness.get_all_by_role(eframe::egui::accesskit::Role::Image).find(|node| {
            let label = node.accesskit_node().label().unwrap_or_default();
            label.contains("fresh entries expire within")
        });
        let plot = plot.expect("the hours");
        if scroll {
            plot.scroll_to_me();
        }
        plot.rect()
    };
    find(&desk, true);
    desk.settle();
    let plot = find(&desk, false);
    // Two were fetched two hours earlier and expire in 22 h; the other in exactly 24 h, the last of 25 columns.
    let column = plot.width() / 25.0;
    let place = plot.left_top() + eframe::egui::vec2(column * 24.5, 60.0);
    desk.harness.hover_at(place);
    desk.wait_text("in 24 to 25 h: 2 entries");
    for pressed in [true, false] {
        let button = eframe::egui::PointerButton::Primary;
        desk.harness.event(eframe::egui::Event::PointerButton { pos: place, button, pressed, modifiers: Modifiers::NONE });
    }
    desk.wait("the symbols", |state| state.view == View::Symbols);
    assert_eq!(desk.listed(), ["S001"]);
}

#[test]
fn the_span_of_lookups_is_remembered() {
    let mut desk = warm_desk(2, 40);
    desk.show_overview();
    desk.press_and_settle("7 d");
    let desk = desk.restart();
    assert_eq!(desk.state().overview.span, LookupSpan::Week);
}

#[test]
fn what_was_cleared_comes_back_batch_by_batch() {
    let mut desk = warm_desk(3, 40);
    for symbol in ["S000", "S002"] {
        desk.tick();
        desk.click_row(symbol, Modifiers::NONE);
        desk.click_row(symbol, Modifiers::COMMAND);
        desk.press("Clear…");
        desk.wait_for("it to be gone", |desk| desk.files_of(symbol).is_empty());
    }
    desk.dismiss_notices();
    desk.wait("two batches", |state| state.snapshot.trash.len() == 2);
    desk.shortcut(Command::ShowJobs);
    desk.settle();
    desk.assert_sees("Deleted");
    // Newest first.
    desk.press("Restore");
    desk.wait_for("the newest to be back", |desk| desk.files_of("S002").len() == 2);
    assert!(desk.files_of("S000").is_empty());
    desk.wait("one batch", |state| state.snapshot.trash.len() == 1);
    desk.settle();
    desk.show_overview();
    desk.press("Restore");
    desk.wait_for("the other to be back", |desk| desk.files_of("S000").len() == 2);
}
