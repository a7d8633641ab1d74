//! Broken folders, files, settings and symbols: each is explained, with a way out, and takes nothing else with it.

use crate::desk::{Desk, Laid, Market, warm_desk};
use eframe::egui::Modifiers;
use egui_kittest::kittest::Queryable;
use samovar::app::OpenState;
use samovar::cache::EntryState;
use samovar::config::Settings;

#[test]
fn a_cache_folder_that_cannot_be_written_is_explained_with_a_way_to_another() {
    let mut laid = Laid::new();
    let file = laid.path("a-file");
    std::fs::write(&file, "not a folder").expect("write");
    laid.settings.cache_dir = Some(file.join("cache"));
    let path = laid.path("market.sqlite");
    Market::new(&path).symbols(2, 3);
    let mut desk = laid.source("Market", &path).open();
    desk.wait("the failure", |state| matches!(state.open, OpenState::Failed(_)));
    desk.settle();
    desk.assert_sees("The cache cannot be opened");
    desk.assert_sees("a-file");
    desk.assert_sees("choose another folder");
    assert!(desk.has_button("Choose another cache folder…"));
    desk.press_and_settle("Open settings");
    desk.press("Back to the default: Cache folder");
    desk.wait("the cache to open", |state| state.open == OpenState::Ready);
    desk.press_and_settle("Symbols");
    desk.press("Preheat all");
    desk.wait_idle();
    assert_eq!(desk.cached_files().len(), 4);
}

#[test]
fn jobs_say_that_the_cache_is_not_open() {
    let mut laid = Laid::new();
    let file = laid.path("a-file");
    std::fs::write(&file, "not a folder").expect("write");
    laid.settings.cache_dir = Some(file.join("cache"));
    let path = laid.path("market.sqlite");
    Market::new(&path).symbols(2, 3);
    let mut desk = laid.source("Market", &path).open();
    desk.wait("the failure", |state| matches!(state.open, OpenState::Failed(_)));
    desk.press("Preheat all");
    let told = desk.wait_notice("Preheat all failed");
    assert!(told.contains("the cache is not open"), "{told}");
}

#[test]
fn a_truncated_file_is_shown_as_damaged_and_preheating_mends_it() {
    let mut desk = warm_desk(3, 40);
    desk.click_row("S000", Modifiers::NONE);
    desk.wait_chart("S000");
    let files = desk.files_of("S001");
    for (path, bytes) in &files {
        std::fs::write(path, &bytes[..bytes.len() / 2]).expect("write");
    }
    desk.click_row("S001", Modifiers::NONE);
    desk.wait_for("S001 to be damaged", |desk| desk.row("S001").state == EntryState::Damaged);
    desk.wait_text("S001 cannot be shown");
    desk.assert_sees("damaged");
    desk.assert_sees("was moved to quarantine");
    assert!(desk.files_of("S001").is_empty() && !Desk::files_below(&desk.folders().quarantine()).is_empty());
    assert_eq!(desk.row("S002").state, EntryState::Fresh);
    desk.tick();
    desk.settle();
    desk.press("Preheat it again");
    desk.wait_for("S001 to be fresh", |desk| desk.row("S001").state == EntryState::Fresh);
    desk.wait_chart("S001");
    assert_eq!(desk.files_of("S001").len(), 2);
}

#[test]
fn a_catalog_that_is_rubbish_is_made_anew_from_the_files() {
    let mut desk = warm_desk(3, 40);
    desk.click_row("S001", Modifiers::NONE);
    desk.wait_chart("S001");
    let (catalog, files) = (desk.folders().catalog(), desk.cached_files());
    let mut desk = desk.restart_after(move || {
        for ending in ["", "-wal", "-shm"] {
            let mut name = catalog.clone().into_os_string();
            name.push(ending);
            let part = std::path::PathBuf::from(name);
            if ending.is_empty() {
                std::fs::write(&part, "this is no database".repeat(500)).expect("write");
            } else if part.exists() {
                std::fs::remove_file(&part).expect("remove");
            }
        }
    });
    desk.wait("the symbols", |state| state.snapshot.rows.len() == 3);
    assert!(desk.state().snapshot.rows.iter().all(|row| row.rows == 40), "their bars are known again");
    assert_eq!(desk.cached_files(), files);
    desk.wait_chart("S001");
}

#[test]
fn a_file_somebody_deleted_is_fetched_again_by_the_next_preheat() {
    let mut desk = warm_desk(3, 40);
    let bars = desk.files_of("S001").into_keys().find(|path| path.to_string_lossy().contains("bars-v1")).expect("bars");
    std::fs::remove_file(&bars).expect("remove");
    desk.tick();
    desk.press("Preheat all");
    desk.wait_for("the file", |_| bars.exists());
    desk.wait_idle();
    let report = desk.state().jobs[0].report.clone().expect("a report");
    assert_eq!((report.ok, report.skipped_fresh), (1, 2));
}

#[test]
fn symbols_with_difficult_names_are_listed_preheated_and_shown() {
    let long = "L".repeat(200);
    let names = ["CON", "a/b", "..", "ß", "A", "a", "BRK/B", "^GSPC", "x.", &long];
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    Market::new(&path).put(names.map(|name| (name.to_owned(), 30)));
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.press("Preheat all");
    desk.wait_idle();
    let mut expected = names.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(desk.listed(), expected);
    assert_eq!(desk.cached_files().len(), 2 * names.len(), "a file of its own for each");
    for name in names {
        assert_eq!(desk.row(name).state, EntryState::Fresh, "{name}");
        desk.settle();
        desk.click_row(name, Modifiers::NONE);
        desk.wait_chart(name);
        desk.settle();
    }
    let below = desk.folders().cache_dir;
    assert!(desk.cached_files().keys().all(|file| file.starts_with(&below)), "nothing escapes from the cache folder");
}

#[test]
fn rows_that_are_out_of_order_doubled_or_without_a_price_are_left_out_and_told() {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    let market = Market::new(&path);
    market.symbols(2, 5);
    market.run(
        "INSERT INTO stock_kline_data VALUES
         ('S001', '2024-05-01', 1, 2, 1, 2, 5), ('S001', '2024-01-01', 1, 2, 1, 2, 5), ('S001', '2024-01-02', NULL, 2, 1, 2, 5);",
    );
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.press("Preheat all");
    desk.wait_idle();
    let row = desk.row("S001").clone();
    assert_eq!((row.state, row.rows), (EntryState::Fresh, 6));
    assert_eq!((row.quality.duplicate_time, row.quality.missing_price), (1, 1));
    desk.hover_state_of("S001");
    desk.wait_text("1 row with a repeated time was left out");
}

#[test]
fn a_damaged_settings_file_is_told_and_kept() {
    let mut laid = Laid::new();
    let file = laid.places.settings_file.clone();
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("folder");
    std::fs::write(&file, "ttl = \"24h\"\nsource = [broken\n").expect("write");
    (laid.settings, laid.set_aside) = Settings::load_or_set_aside(&file, 7);
    let mut desk = laid.open();
    desk.wait_ready();
    desk.assert_sees("The settings could not be read");
    desk.assert_sees("line 2");
    desk.assert_sees("settings.toml.damaged-7");
    assert!(desk.is_enabled("Show the file"));
    desk.press_and_settle("Continue");
    desk.assert_no("line 2");
    desk.press("Switch between light and dark");
    desk.wait_for("new settings", |desk| Settings::load(&desk.places.settings_file).is_ok());
    let kept = std::fs::read_to_string(file.with_file_name("settings.toml.damaged-7")).expect("a copy");
    assert!(kept.contains("broken"), "what the user wrote is kept");
}

#[test]
fn settings_that_name_nonsense_are_told_and_the_rest_works() {
    let mut laid = Laid::new();
    laid.settings.ttl = "soon".to_owned();
    laid.settings.sets = vec!["classic".to_owned(), "nonsense".to_owned()];
    let path = laid.path("market.sqlite");
    Market::new(&path).symbols(2, 3);
    let mut desk = laid.source("Market", &path).open();
    desk.wait_notice("The time to live in the settings cannot be used");
    desk.wait_notice("The feature set nonsense in the settings is not known");
    desk.wait_ready();
    desk.press("Preheat all");
    desk.wait_idle();
    assert_eq!(desk.cached_files().len(), 4);
}

#[test]
fn the_same_trouble_again_is_one_notice_and_stays_behind_the_bell() {
    let mut desk = warm_desk(3, 40);
    std::fs::rename(desk.path("market.sqlite"), desk.path("elsewhere.sqlite")).expect("rename");
    for _ in 0..3 {
        desk.tick();
        desk.shortcut(samovar::app::Command::CheckSource);
        desk.wait_idle();
    }
    let errors = |desk: &Desk| desk.state().notices.history().iter().filter(|past| past.text.contains("market.sqlite")).count();
    assert_eq!(errors(&desk), 1);
    desk.assert_sees("3 times");
    desk.dismiss_notices();
    desk.assert_no("3 times");
    let unread = desk.state().notices.unread();
    assert!(unread > 0);
    desk.press_and_settle(&format!("Notices: {unread} new"));
    desk.assert_sees("3 times");
    desk.wait("them to be read", |state| state.notices.unread() == 0);
    let copied = desk.copied_by("Copy all notices");
    assert!(copied.contains("error\t3\t") && copied.contains("market.sqlite"), "{copied}");
    desk.press_and_settle("Forget all notices");
    desk.assert_sees("Nothing was told in this session");
}

#[test]
fn a_notice_stays_while_the_pointer_is_on_it() {
    let mut desk = warm_desk(1, 40);
    desk.dismiss_notices();
    desk.click_row("S000", Modifiers::COMMAND);
    desk.shortcut(samovar::app::Command::CopyRows);
    desk.settle();
    desk.assert_sees("Copied 1 row");
    let place = desk.harness.get_by_label("Close this message").rect().center();
    desk.harness.hover_at(place);
    // Ten seconds of frames; it would go after six.
    for _ in 0..2_500 {
        desk.harness.step();
    }
    desk.assert_sees("Copied 1 row");
    desk.harness.hover_at(eframe::egui::pos2(5.0, 5.0));
    for _ in 0..2_500 {
        desk.harness.step();
    }
    desk.assert_no("Copied 1 row");
}
