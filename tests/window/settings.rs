//! What can be set, that it counts at once, and that it is kept.

use crate::desk::{Desk, Laid, Market, warm_desk};
use eframe::egui;
use egui::{Key, Modifiers};
use samovar::app::Command;
use samovar::cache::{EntryState, TimeToLive};
use samovar::config::{PriceColorChoice, ThemeChoice, TtlRule};
use samovar::market::{Clock, Exchange, HOUR_US};
use samovar::ui::theme::{PriceColors, Theme};

fn settings_of(mut desk: Desk) -> Desk {
    desk.shortcut(Command::ShowSettings);
    desk.settle();
    desk
}

fn set(desk: &mut Desk, field: &str, text: &str) {
    desk.fill(field, text);
    desk.key(Modifiers::NONE, Key::Enter);
    desk.settle();
}

#[test]
fn a_shorter_time_to_live_makes_entries_stale_by_the_clock() {
    let mut desk = settings_of(warm_desk(3, 3));
    desk.clock.advance(2 * HOUR_US);
    set(&mut desk, "Time to live", "3h");
    desk.wait_saved("3 hours", |settings| settings.ttl == "3h");
    desk.wait("the new time to live", |state| state.snapshot.judge.rules.default_ttl() == TimeToLive::hours(3));
    assert_eq!(desk.row("S001").state, EntryState::Fresh, "an hour is left");
    desk.clock.advance(HOUR_US - 1);
    for _ in 0..20 {
        desk.harness.step();
    }
    assert_eq!(desk.row("S001").state, EntryState::Fresh);
    desk.clock.advance(1);
    desk.wait_for("its time to be over", |desk| desk.row("S001").state == EntryState::Stale);
    set(&mut desk, "Time to live", "7d");
    desk.wait_for("more time", |desk| desk.row("S001").state == EntryState::Fresh);
    desk.wait_saved("7 days", |settings| settings.ttl == "7d");
}

#[test]
fn a_time_to_live_until_the_market_closes_is_chosen_and_left_again() {
    let mut desk = settings_of(warm_desk(2, 3));
    desk.press_and_settle("Until the next market close");
    desk.wait_saved("market close", |settings| settings.ttl == "market-close");
    desk.wait("the close", |state| state.snapshot.judge.rules.default_ttl() == TimeToLive::MarketClose);
    let expires_at_us = desk.row("S001").expires_at_us.expect("it expires");
    assert_eq!(expires_at_us, Exchange::Unknown.next_settling_us(desk.clock.now_us()), "its market is not known: when the day is over");
    desk.press_and_settle("Until the next market close");
    desk.wait_saved("hours", |settings| settings.ttl == "24h");
    set(&mut desk, "Time to live", "market-close");
    desk.wait_saved("market close, typed", |settings| settings.ttl == "market-close");
}

#[test]
fn rules_for_times_to_live_are_shown_with_their_place() {
    let mut laid = Laid::new();
    laid.settings.ttl_rules = vec![TtlRule::new([("symbols", "*.HK"), ("ttl", "market-close")]), TtlRule::new([("ttl", "soon")])];
    let mut desk = laid.open();
    desk.wait_notice("Rule 2 for times to live in the settings is not used");
    desk.wait_ready();
    let mut desk = settings_of(desk);
    desk.wait_text("*.HK: market-close");
    desk.assert_sees(&format!("change them in {}", desk.places.settings_file.display()));
    set(&mut desk, "Time to live", "3h");
    desk.wait_saved("the rules too", |settings| settings.ttl == "3h" && settings.ttl_rules.len() == 2);
}

#[test]
fn text_that_makes_no_sense_says_why_and_is_not_saved() {
    let mut desk = settings_of(warm_desk(2, 3));
    let wrong = [
        ("Time to live", "soon", "is no time to live"),
        ("Disk budget", "much", "Write a number with KB, MB, GB or TB"),
        ("Memory budget", "-1 GB", "Write a number with KB, MB, GB or TB"),
        ("Working threads", "many", "Write a number from 0 to 256"),
        ("Days between history checks", "often", "Write a number of days, at most 3650"),
    ];
    let before = desk.saved_settings();
    for (field, text, reason) in wrong {
        set(&mut desk, field, text);
        desk.wait_text(reason);
    }
    assert_eq!((desk.saved_settings(), desk.state().settings.clone()), (before.clone(), before));
    set(&mut desk, "Working threads", "2");
    desk.wait_saved("2 threads", |settings| settings.jobs == 2);
    desk.assert_no("Write a number from 0 to 256");
    set(&mut desk, "Days between history checks", "30");
    desk.wait_saved("30 days", |settings| settings.history_check_days == 30);
}

#[test]
fn budgets_are_kept_and_a_full_one_is_told() {
    let mut desk = settings_of(warm_desk(3, 40));
    set(&mut desk, "Disk budget", "10 KB");
    desk.wait_saved("10 KB", |settings| settings.disk_budget_bytes == 10_000);
    desk.wait_text("of 10 KB");
    set(&mut desk, "Memory budget", "64 MB");
    desk.wait("the new memory tier", |state| state.snapshot.usage.memory_budget_bytes == 64_000_000);
    desk.wait_saved("64 MB", |settings| settings.memory_budget_bytes == 64_000_000);
    assert!(desk.state().snapshot.rows.iter().all(|row| row.state == EntryState::Fresh), "the files are all there");
}

#[test]
fn price_colours_and_theme_are_chosen_and_kept() {
    let mut desk = settings_of(warm_desk(2, 3));
    desk.press_and_settle("Red up, green down");
    desk.wait_saved("red up", |settings| settings.appearance.price_colors == PriceColorChoice::RedUp);
    desk.press_and_settle("Blue up, orange down");
    desk.wait_saved("blue up", |settings| settings.appearance.price_colors == PriceColorChoice::BlueOrange);
    let (is, wanted) = (Theme::of(&desk.harness.ctx), |dark: bool| Theme::pick(dark, PriceColors::BlueOrange));
    assert_eq!((is.gain, is.loss), (wanted(is.dark).gain, wanted(is.dark).loss));
    assert_ne!(is.gain, Theme::pick(is.dark, PriceColors::GreenUp).gain);
    for (label, choice) in [("Light", ThemeChoice::Light), ("Dark", ThemeChoice::Dark), ("As the desktop", ThemeChoice::System)] {
        desk.press_and_settle(label);
        desk.wait_saved(label, |settings| settings.appearance.theme == choice);
    }
    let desk = desk.restart();
    assert_eq!(desk.state().settings.appearance.price_colors, PriceColorChoice::BlueOrange);
}

/// Whether the state of a row is tinted.
fn flashes(desk: &Desk) -> bool {
    let tint = Theme::of(&desk.harness.ctx).flash();
    let is_tint = |clipped: &egui::epaint::ClippedShape| matches!(&clipped.shape, egui::Shape::Rect(rect) if rect.fill == tint);
    desk.harness.output().shapes.iter().any(is_tint)
}

#[test]
fn what_changes_flashes_once_unless_motion_is_reduced() {
    let mut desk = warm_desk(3, 3);
    let invalidate = |desk: &mut Desk, symbol: &str| {
        desk.click_row(symbol, Modifiers::NONE);
        desk.key(Modifiers::NONE, Key::Space);
        assert!(!flashes(desk));
        desk.press("Invalidate");
        let wanted = symbol.to_owned();
        desk.wait_for("a stale symbol", move |desk| desk.row(&wanted).state == EntryState::Stale);
    };
    invalidate(&mut desk, "S001");
    assert!(flashes(&desk));
    // A second later it is as calm as before.
    for _ in 0..250 {
        desk.harness.step();
    }
    assert!(!flashes(&desk));
    desk.shortcut(Command::ShowSettings);
    desk.settle();
    desk.press("Nothing flashes when it changes");
    desk.wait_saved("reduced motion", |settings| settings.appearance.reduced_motion);
    desk.settle();
    desk.assert_sees("default off");
    desk.shortcut(Command::ShowSymbols);
    desk.settle();
    invalidate(&mut desk, "S002");
    assert!(!flashes(&desk));
}

#[test]
fn forgetting_a_source_keeps_what_was_cached_and_connecting_again_finds_it() {
    let mut desk = settings_of(warm_desk(3, 40));
    let files = desk.cached_files();
    desk.press_and_settle("Forget Market");
    desk.wait_saved("no source", |settings| settings.source.is_none() && settings.sources.is_empty());
    desk.assert_sees("No source yet");
    desk.wait("an empty list", |state| state.snapshot.rows.is_empty());
    assert_eq!(desk.cached_files(), files);
    desk.press_and_settle("Connect a database…");
    desk.press_and_settle("SQLite");
    let path = desk.path("market.sqlite");
    desk.fill("File", &path.to_string_lossy());
    desk.press("Connect and preheat");
    desk.wait_idle();
    let report = desk.state().jobs[0].report.clone().expect("a report");
    assert_eq!((report.ok, report.skipped_fresh), (0, 3), "everything is still warm");
}

#[test]
fn editing_a_source_changes_it_in_place() {
    let laid = Laid::new();
    let (first, second) = (laid.path("first.sqlite"), laid.path("second.sqlite"));
    Market::new(&first).symbols(2, 3);
    Market::new(&second).symbols(5, 3);
    let mut desk = laid.source("Mine", &first).open();
    desk.wait_ready();
    let mut desk = settings_of(desk);
    desk.press_and_settle("Edit Mine");
    desk.assert_sees("Edit source");
    desk.fill("File", &second.to_string_lossy());
    desk.fill("Name", "Yours");
    desk.press("Connect and preheat");
    desk.wait_idle();
    assert_eq!(desk.listed().len(), 5);
    desk.wait_saved("one source", |settings| settings.sources.len() == 1 && settings.source.as_deref() == Some("Yours"));
}

#[test]
fn the_cache_folder_goes_back_to_the_usual_one() {
    let mut laid = Laid::new();
    let other = laid.path("other-cache");
    laid.settings.cache_dir = Some(other.clone());
    let path = laid.path("market.sqlite");
    Market::new(&path).symbols(2, 3);
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.press("Preheat all");
    desk.wait_idle();
    assert_eq!(Desk::files_below(&other.join("bars-v1")).len(), 2);
    let mut desk = settings_of(desk);
    desk.assert_sees(&other.display().to_string());
    desk.press("Back to the default: Cache folder");
    desk.wait_saved("the usual folder", |settings| settings.cache_dir.is_none());
    let usual = desk.places.cache_dir.clone();
    desk.wait("the usual folder", |state| state.snapshot.folders[0] == usual);
    assert_eq!(Desk::files_below(&other.join("bars-v1")).len(), 2, "what is cached elsewhere stays there");
    assert!(desk.cached_files().is_empty());
}
