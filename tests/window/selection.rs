//! What is done to the cached files of selected symbols, and how it is undone.

use crate::desk::{Desk, Market, desk_with_market, warm_desk};
use eframe::egui;
use egui::{Key, Modifiers};
use samovar::app::Command;
use samovar::cache::EntryState;
use samovar::market::HOUR_US;

/// Selects `S001` to `S003` and moves the clock, so that what is done now has a time of its own.
fn select_three(desk: &mut Desk) {
    desk.click_row("S001", Modifiers::NONE);
    desk.click_row("S003", Modifiers::SHIFT);
    assert_eq!(desk.selected(), ["S001", "S002", "S003"]);
    desk.tick();
}

fn wait_state(desk: &mut Desk, symbol: &str, wanted: EntryState) {
    desk.wait_for(&format!("{symbol} to be {wanted}"), |desk| desk.row(symbol).state == wanted);
}

#[test]
fn ctrl_and_shift_select_rows_and_the_bar_says_how_much_that_is() {
    let mut desk = warm_desk(8, 40);
    assert!(!desk.has_button("Refresh") && !desk.has_button("Clear…"), "no bar without a selection");
    desk.click_row("S002", Modifiers::NONE);
    assert!(desk.selected().is_empty(), "a plain click shows a symbol");
    assert_eq!(desk.focus(), "S002");
    desk.click_row("S004", Modifiers::COMMAND);
    assert_eq!(desk.selected(), ["S002", "S004"], "the first Ctrl+click adds to what was clicked");
    desk.click_row("S006", Modifiers::SHIFT);
    assert_eq!(desk.selected(), ["S004", "S005", "S006"]);
    desk.click_row("S005", Modifiers::COMMAND);
    assert_eq!(desk.selected(), ["S004", "S006"]);
    desk.settle();
    let bytes: usize = ["S004", "S006"].iter().flat_map(|symbol| desk.files_of(symbol).into_values()).map(|file| file.len()).sum();
    desk.assert_sees(&format!("2 symbols · {}", samovar::format::bytes(bytes as u64)));
    for command in ["Preheat", "Refresh", "Invalidate", "Pin", "Clear…"] {
        assert!(desk.is_enabled(command), "{command}");
    }
    // Each says what it does to the files.
    for (command, words) in [("Refresh", "whatever their state"), ("Invalidate", "their files stay"), ("Clear…", "restorable for 24 hours")]
    {
        desk.button(command).hover();
        desk.wait_text(words);
    }
    desk.press("Select none");
    assert!(desk.selected().is_empty());
}

#[test]
fn preheating_a_selection_brings_just_that_to_fresh() {
    let mut desk = desk_with_market(6, 40);
    desk.open_source_menu();
    desk.press("Reload symbol list");
    desk.wait("the list", |state| state.snapshot.rows.len() == 6);
    select_three(&mut desk);
    desk.press("Preheat");
    desk.wait_idle();
    for (symbol, files) in [("S000", 0), ("S001", 2), ("S002", 2), ("S003", 2), ("S004", 0)] {
        assert_eq!(desk.files_of(symbol).len(), files, "{symbol}");
    }
    assert_eq!((desk.row("S002").state, desk.row("S004").state), (EntryState::Fresh, EntryState::Missing));
    desk.assert_sees("Preheat 3 symbols finished: 3 ok");
}

#[test]
fn invalidating_makes_entries_stale_and_keeps_their_files_and_preheating_brings_them_back() {
    let mut desk = warm_desk(6, 40);
    let files = desk.cached_files();
    select_three(&mut desk);
    desk.press("Invalidate");
    wait_state(&mut desk, "S002", EntryState::Stale);
    assert_eq!(desk.cached_files(), files, "the files stay");
    assert!(desk.entries_of("S002").iter().all(|entry| entry.invalidated_at_us.is_some()));
    assert!(desk.entries_of("S004").iter().all(|entry| entry.invalidated_at_us.is_none()));
    assert_eq!(desk.row("S004").state, EntryState::Fresh);
    assert!(desk.wait_notice("Invalidated").contains("6 entries"));
    desk.tick();
    desk.press("Preheat all");
    wait_state(&mut desk, "S002", EntryState::Fresh);
    desk.wait_idle();
    let report = desk.state().jobs[0].report.clone().expect("a report");
    assert_eq!((report.ok, report.skipped_fresh), (3, 3), "only what was not fresh is worked on");
}

#[test]
fn refreshing_fetches_fresh_symbols_again() {
    let mut desk = warm_desk(6, 40);
    let before = desk.entries_of("S002");
    Market::new(&desk.path("market.sqlite")).run("INSERT INTO stock_kline_data VALUES ('S002', '2024-05-06', 1, 2, 1, 2, 5)");
    select_three(&mut desk);
    desk.press("Refresh");
    desk.wait_for("41 bars", |desk| desk.row("S002").rows == 41);
    desk.wait_idle();
    for (old, new) in before.iter().zip(desk.entries_of("S002")) {
        assert!(new.fetched_at_us > old.fetched_at_us && new.rows() == old.rows() + 1, "{new:?}");
    }
    assert!(desk.entries_of("S001").iter().all(|entry| entry.fetched_at_us > before[0].fetched_at_us), "unchanged bars count as fetched");
    assert!(desk.entries_of("S000").iter().all(|entry| entry.fetched_at_us == before[0].fetched_at_us), "nobody asked for this one");
    desk.click_row("S002", Modifiers::NONE);
    desk.wait_for("the new bar on the chart", |desk| {
        desk.state().chart.loaded.as_ref().is_some_and(|loaded| loaded.data.symbol.as_str() == "S002" && loaded.data.bars.len() == 41)
    });
}

#[test]
fn clearing_moves_files_to_the_trash_and_undo_brings_the_same_bytes_back() {
    let mut desk = warm_desk(6, 40);
    let files = desk.cached_files();
    select_three(&mut desk);
    desk.press("Clear…");
    wait_state(&mut desk, "S002", EntryState::Missing);
    for symbol in ["S001", "S002", "S003"] {
        assert!(desk.files_of(symbol).is_empty() && desk.entries_of(symbol).is_empty(), "{symbol}");
    }
    assert_eq!(desk.cached_files().len(), files.len() - 6);
    assert_eq!(Desk::files_below(&desk.folders().trash()).len(), 6);
    assert!(desk.wait_notice("Cleared").starts_with("Cleared 6 entries"));
    desk.press("Undo");
    wait_state(&mut desk, "S002", EntryState::Fresh);
    assert_eq!(desk.cached_files(), files, "byte for byte");
    assert!(Desk::files_below(&desk.folders().trash()).is_empty());
    desk.wait_notice("Restored 6 entries");
    desk.click_row("S002", Modifiers::NONE);
    desk.wait_chart("S002");
}

#[test]
fn what_was_cleared_comes_back_by_keys_and_from_the_overview_even_after_a_restart() {
    let mut desk = warm_desk(4, 40);
    let files = desk.cached_files();
    desk.click_row("S001", Modifiers::NONE);
    desk.click_row("S001", Modifiers::COMMAND);
    desk.tick();
    desk.shortcut(Command::ClearSelected);
    wait_state(&mut desk, "S001", EntryState::Missing);
    desk.shortcut(Command::UndoClear);
    wait_state(&mut desk, "S001", EntryState::Fresh);
    assert_eq!(desk.cached_files(), files);
    desk.tick();
    desk.shortcut(Command::ClearSelected);
    wait_state(&mut desk, "S001", EntryState::Missing);
    let mut desk = desk.restart();
    desk.show_overview();
    desk.press("Restore");
    wait_state(&mut desk, "S001", EntryState::Fresh);
    assert_eq!(desk.cached_files(), files);
}

#[test]
fn clearing_more_than_fifty_asks_first() {
    let mut desk = warm_desk(55, 3);
    let files = desk.cached_files();
    let bytes: usize = files.values().map(Vec::len).sum();
    desk.shortcut(Command::SelectAll);
    assert_eq!(desk.selected().len(), 55);
    desk.press_and_settle("Clear…");
    desk.assert_sees(&format!("55 symbols: 110 entries · {}", samovar::format::bytes(bytes as u64)));
    desk.press_and_settle("Keep");
    assert!(desk.state().dialog.is_none());
    assert_eq!(desk.cached_files(), files, "kept");
    desk.shortcut(Command::ClearSelected);
    desk.key(Modifiers::NONE, Key::Escape);
    assert!(desk.state().dialog.is_none() && desk.selected().len() == 55, "Esc closes the question and nothing else");
    desk.tick();
    desk.press_and_settle("Clear…");
    desk.press("Clear");
    wait_state(&mut desk, "S054", EntryState::Missing);
    assert!(desk.cached_files().is_empty() && desk.catalog().is_empty());
    assert_eq!(Desk::files_below(&desk.folders().trash()).len(), files.len());
    desk.press("Undo");
    wait_state(&mut desk, "S054", EntryState::Fresh);
    assert_eq!(desk.cached_files(), files);
}

#[test]
fn pinned_symbols_do_not_expire() {
    let mut desk = warm_desk(4, 3);
    desk.click_row("S001", Modifiers::NONE);
    desk.click_row("S001", Modifiers::COMMAND);
    desk.press("Pin");
    desk.wait_for("the pin", |desk| desk.row("S001").pinned);
    assert!(desk.entries_of("S001").iter().all(|entry| entry.pinned) && desk.entries_of("S002").iter().all(|entry| !entry.pinned));
    desk.clock.advance(25 * HOUR_US);
    wait_state(&mut desk, "S002", EntryState::Stale);
    assert_eq!(desk.row("S001").state, EntryState::Fresh);
    desk.press("Unpin");
    desk.wait_for("the pin to be gone", |desk| !desk.row("S001").pinned);
    wait_state(&mut desk, "S001", EntryState::Stale);
}

#[test]
fn the_menu_of_a_row_is_about_that_row() {
    let mut desk = warm_desk(4, 3);
    desk.open_row_menu("S002");
    desk.press_in_menu("Invalidate");
    wait_state(&mut desk, "S002", EntryState::Stale);
    assert_eq!(desk.selected(), ["S002"]);
    assert_eq!((desk.row("S001").state, desk.row("S003").state), (EntryState::Fresh, EntryState::Fresh));
    // Opened on a selected row, it is about the selection.
    desk.click_row("S003", Modifiers::COMMAND);
    desk.tick();
    desk.open_row_menu("S003");
    desk.press_in_menu("Clear…");
    wait_state(&mut desk, "S003", EntryState::Missing);
    wait_state(&mut desk, "S002", EntryState::Missing);
    assert_eq!(desk.cached_files().len(), 4);
}

/// What Ctrl+C puts on the clipboard, as the desktop tells of it.
fn copied(desk: &mut Desk) -> String {
    desk.harness.event(egui::Event::Copy);
    for _ in 0..200 {
        desk.harness.step();
        let commands = &desk.harness.output().platform_output.commands;
        let text = commands.iter().find_map(|command| match command {
            egui::OutputCommand::CopyText(text) => Some(text.clone()),
            _ => None,
        });
        if let Some(text) = text {
            return text;
        }
        std::thread::sleep(std::time::Duration::from_millis(4));
    }
    panic!("nothing is copied");
}

#[test]
fn rows_are_copied_for_a_spreadsheet() {
    let mut desk = warm_desk(3, 3);
    desk.shortcut(Command::SelectAll);
    let text = copied(&mut desk);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "symbol\tstate\tfirst\tlast\tbars\tbars_bytes\tfeatures_bytes\thits");
    assert!(lines[1].starts_with("S000\tfresh\t2024-05-03\t2024-05-05\t3\t") && lines.len() == 4, "{text}");
    // In the order and with the columns that are shown; without a selection, of the row on the chart.
    desk.press_head("Symbol");
    desk.act(samovar::app::Action::List(samovar::app::ListAction::ToggleColumn(samovar::app::Column::Range)));
    let text = copied(&mut desk);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("symbol\tstate\tbars\t") && lines[1].starts_with("S002\t"), "{text}");
    desk.key(Modifiers::NONE, Key::Escape);
    desk.click_row("S001", Modifiers::NONE);
    assert!(copied(&mut desk).lines().nth(1).is_some_and(|line| line.starts_with("S001\t")));
    assert_eq!(copied(&mut desk).lines().count(), 2);
}

#[test]
fn many_rows_are_copied_off_the_windows_thread() {
    let mut desk = desk_with_market(620, 2);
    desk.open_source_menu();
    desk.press("Reload symbol list");
    desk.wait("the list", |state| state.snapshot.rows.len() == 620);
    desk.shortcut(Command::SelectAll);
    assert_eq!(copied(&mut desk).lines().count(), 621);
    desk.wait_notice("Copied 620 rows");
}

#[test]
fn the_menu_of_a_row_copies_names_and_paths() {
    let mut desk = warm_desk(3, 3);
    desk.click_row("S000", Modifiers::NONE);
    desk.open_row_menu("S002");
    let name = desk.copied_by("Copy symbol");
    assert_eq!(name, "S002");
    desk.open_row_menu("S001");
    let path = desk.copied_by("Copy file path");
    assert!(std::path::Path::new(&path).is_file() && path.ends_with("S001.parquet"), "{path}");
    desk.click_row("S000", Modifiers::NONE);
    desk.open_row_menu("S001");
    assert!(desk.is_enabled("Show in folder"));
    desk.press_in_menu("Compare on the chart");
    let compared: Vec<String> = desk.state().chart.layout.compared().map(|(symbol, _)| symbol.to_string()).collect();
    assert_eq!((compared, desk.focus()), (vec!["S001".to_owned()], "S000".to_owned()));
    desk.open_row_menu("S002");
    desk.press_in_menu("Inspect");
    assert!(desk.state().inspector.open && desk.focus() == "S002");
}
