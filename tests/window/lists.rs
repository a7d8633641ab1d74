//! The user's own lists and saved filters, and what is exported.

use crate::desk::{Desk, Laid, Market, warm_desk};
use eframe::egui;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use samovar::app::{Action, Command, ExportAction, ExportForm, ExportWhat, ListsAction};
use samovar::config::SymbolLists;
use samovar::ui::PathPurpose;
use samovar::worker::ExportFormat;

fn saved(desk: &Desk) -> SymbolLists {
    SymbolLists::load(&desk.places.lists_file()).expect("lists that can be read")
}

/// Opens the menu of lists, whatever list is shown.
fn open_lists(desk: &mut Desk) {
    let found = desk.harness.root().children_recursive().find(|node| {
        let node = node.accesskit_node();
        node.label().is_some_and(|label| label.starts_with("List: "))
    });
    found.expect("the button of lists").click();
    desk.settle();
}

/// Makes a list of a text.
fn make_list(desk: &mut Desk, name: &str, text: &str) {
    open_lists(desk);
    desk.press_in_menu("New list…");
    desk.settle();
    desk.fill("Name", name);
    desk.fill("Symbols, separated by spaces, commas or lines", text);
    desk.settle();
    desk.press("Create list");
    desk.settle();
}

fn choose(desk: &mut Desk, item: &str) {
    open_lists(desk);
    desk.press_in_menu(item);
    desk.settle();
}

#[test]
fn a_list_is_pasted_and_what_is_unknown_is_told() {
    let mut desk = warm_desk(6, 3);
    open_lists(&mut desk);
    desk.press_in_menu("New list…");
    desk.settle();
    desk.fill("Symbols, separated by spaces, commas or lines", "s001;S003, NOPE\tS003");
    desk.settle();
    desk.assert_sees("2 symbols of this source");
    desk.assert_sees("1 is unknown to this source: NOPE");
    assert!(!desk.is_enabled("Create list"), "without a name");
    desk.fill("Name", "mine");
    desk.settle();
    desk.press_and_settle("Keep those, too");
    desk.press_and_settle("Create list");
    desk.wait_for("the file", |desk| saved(desk).list("mine").is_some_and(|list| list.symbols == ["S001", "S003", "NOPE"]));
    desk.press_and_settle("Show it");
    assert_eq!(desk.listed(), ["S001", "S003"]);
    desk.assert_sees("6 symbols · 2 shown");
    // The name is taken now.
    open_lists(&mut desk);
    desk.press_in_menu("New list…");
    desk.settle();
    desk.fill("Name", "mine");
    desk.settle();
    desk.assert_sees("there is one of this name already");
    // Enter in the name is as good as the button.
    desk.fill("Name", "empty one");
    desk.key(Modifiers::NONE, Key::Enter);
    desk.wait_for("the second list", |desk| saved(desk).list("empty one").is_some());
    let mut desk = desk.restart();
    choose(&mut desk, "mine");
    assert_eq!(desk.listed(), ["S001", "S003"], "lists outlive the window");
    choose(&mut desk, "All symbols");
    assert_eq!(desk.listed().len(), 6);
}

#[test]
fn lists_are_filled_renamed_deleted_and_brought_back() {
    let mut desk = warm_desk(6, 3);
    make_list(&mut desk, "watch", "S001");
    desk.click_row("S002", Modifiers::NONE);
    desk.click_row("S004", Modifiers::COMMAND);
    desk.press_and_settle("Add to list");
    desk.press_in_menu("watch");
    desk.wait_notice("Added 2 symbols to watch");
    desk.dismiss_notices();
    choose(&mut desk, "watch");
    assert_eq!(desk.listed(), ["S001", "S002", "S004"]);
    desk.open_row_menu("S002");
    desk.press_in_menu("Take from watch");
    desk.wait_notice("Took 2 symbols from watch");
    assert_eq!(desk.listed(), ["S001"], "the selection was on it");
    desk.press_and_settle("Undo");
    assert_eq!(desk.listed(), ["S001", "S002", "S004"]);
    choose(&mut desk, "Rename list…");
    desk.fill("Name", "observed");
    desk.settle();
    desk.press_and_settle("Rename");
    assert_eq!(desk.listed().len(), 3, "it goes on to be shown");
    desk.dismiss_notices();
    choose(&mut desk, "Delete list");
    assert_eq!(desk.listed().len(), 6);
    desk.wait_for("the file without it", |desk| saved(desk).lists.is_empty());
    desk.press_and_settle("Undo");
    desk.wait_for("the file with it", |desk| saved(desk).list("observed").is_some_and(|list| list.symbols.len() == 3));
}

#[test]
fn symbols_are_dragged_onto_a_list() {
    let mut desk = warm_desk(6, 3);
    make_list(&mut desk, "watch", "S005");
    desk.dismiss_notices();
    desk.click_row("S001", Modifiers::NONE);
    desk.click_row("S002", Modifiers::COMMAND);
    desk.settle();
    let row = desk.harness.get_all_by_label("S001").next().expect("a row").rect().center();
    // The lists appear once something is dragged.
    desk.harness.hover_at(row);
    desk.harness.step();
    let button = egui::PointerButton::Primary;
    desk.harness.event(egui::Event::PointerButton { pos: row, button, pressed: true, modifiers: Modifiers::NONE });
    desk.harness.step();
    for step in 1..=6 {
        desk.harness.hover_at(row + egui::vec2(8.0 * step as f32, 6.0 * step as f32));
        desk.harness.step();
    }
    desk.assert_sees("Drop 2 symbols on a list");
    let target = desk.button("watch").rect().center();
    for _ in 0..3 {
        desk.harness.hover_at(target);
        desk.harness.step();
    }
    desk.harness.event(egui::Event::PointerButton { pos: target, button, pressed: false, modifiers: Modifiers::NONE });
    desk.harness.step();
    desk.wait_notice("Added 2 symbols to watch");
    desk.wait_for("the file", |desk| saved(desk).list("watch").is_some_and(|list| list.symbols == ["S005", "S001", "S002"]));
}

#[test]
fn a_list_comes_from_a_file_and_is_preheated() {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    Market::new(&path).symbols(6, 20);
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.open_source_menu();
    desk.press("Reload symbol list");
    desk.wait("the list", |state| state.snapshot.rows.len() == 6);
    let file = desk.path("Holdings.csv");
    std::fs::write(&file, "\u{feff}Name,Ticker,Shares\nOne,S001,5\nFour,S004,1\nGone,ZZZ,9\n").expect("a file");
    desk.answer(PathPurpose::ListFile, &file);
    desk.wait("the question", |state| state.dialog.is_some());
    desk.settle();
    desk.assert_sees("2 symbols of this source");
    desk.assert_sees("ZZZ");
    desk.press_and_settle("Create list");
    choose(&mut desk, "Holdings");
    assert_eq!(desk.listed(), ["S001", "S004"]);
    choose(&mut desk, "Preheat list");
    desk.wait_idle();
    assert_eq!(desk.files_of("S004").len(), 2);
    assert!(desk.files_of("S000").is_empty(), "not on the list");
    desk.assert_sees("Preheat Holdings finished: 2 ok");
    // What is no list is told, and nothing is asked.
    std::fs::write(&file, [0xff, 0xfe, 0x00, 0xd8]).expect("a file");
    desk.answer(PathPurpose::ListFile, &file);
    desk.wait_notice("cannot be read as a list");
    assert!(desk.state().dialog.is_none());
}

#[test]
fn what_narrows_the_list_is_kept_under_a_name() {
    let mut desk = warm_desk(12, 3);
    desk.fill("Filter symbols", "s01");
    desk.press_and_settle("fresh 2");
    choose(&mut desk, "Save filter…");
    desk.fill("Name", "tens");
    desk.settle();
    desk.press_and_settle("Save");
    desk.wait_for("the file", |desk| saved(desk).filters.len() == 1);
    desk.press_and_settle("Clear the filter");
    desk.press_and_settle("Clear the chips");
    assert_eq!(desk.listed().len(), 12);
    let mut desk = desk.restart();
    choose(&mut desk, "tens");
    assert_eq!(desk.listed(), ["S010", "S011"]);
    choose(&mut desk, "Delete filter tens");
    desk.wait_for("the file without it", |desk| saved(desk).filters.is_empty());
    desk.press_and_settle("Undo");
    desk.wait_for("the file with it", |desk| saved(desk).filters.len() == 1);
}

#[test]
fn a_damaged_file_of_lists_is_told_and_set_aside() {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    Market::new(&path).symbols(3, 3);
    let file = laid.places.lists_file();
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    std::fs::write(&file, "[[lists]]\nname = oops\n").expect("a file");
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    assert!(desk.wait_notice("is damaged").contains("line 2"));
    make_list(&mut desk, "new", "S001");
    desk.wait_for("the file", |desk| SymbolLists::load(&desk.places.lists_file()).is_ok_and(|lists| lists.list("new").is_some()));
    let beside = std::fs::read_dir(file.parent().expect("a folder")).expect("a folder");
    let names: Vec<String> = beside.map(|item| item.expect("an item").file_name().to_string_lossy().into_owned()).collect();
    assert!(names.iter().any(|name| name.contains("lists.toml.damaged")), "{names:?}");
}

/// Chooses in the dialog of exports.
fn export(desk: &mut Desk, words: &[&str], path: &std::path::Path) {
    desk.act(Action::Run(Command::ExportRows));
    desk.settle();
    for word in words {
        desk.press_and_settle(word);
    }
    let Some(samovar::app::Dialog::Export(form)) = desk.state().dialog else { panic!("no dialog") };
    let purpose = if form.what == ExportWhat::Table { PathPurpose::ExportFile(form.format) } else { PathPurpose::ExportFolder };
    desk.answer(purpose, path);
}

#[test]
fn the_list_is_exported_as_it_is_shown() {
    let mut desk = warm_desk(12, 3);
    desk.fill("Filter symbols", "s01");
    desk.press_head("Symbol");
    let path = desk.path("shown.csv");
    export(&mut desk, &["The list", "CSV"], &path);
    assert!(desk.wait_notice("Exported").contains("shown.csv"));
    let text = std::fs::read_to_string(&path).expect("a file");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("symbol,state,first,last,bars,"), "{text}");
    assert!(lines[1].starts_with("S011,fresh,2024-05-03 00:00:00,2024-05-05 00:00:00,3,"), "{text}");
    assert_eq!(lines.len(), 3);
    desk.settle();
    assert!(desk.has_button("Show in folder"));
    // Of the selection alone, for another program.
    desk.click_row("S010", Modifiers::NONE);
    desk.click_row("S010", Modifiers::COMMAND);
    let path = desk.path("one.parquet");
    export(&mut desk, &["The 1 selected symbol", "Parquet"], &path);
    desk.wait_notice("one.parquet");
    let file = std::fs::File::open(&path).expect("a file");
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(file, 100).expect("a Parquet file");
    let batches: Vec<_> = reader.map(|batch| batch.expect("rows")).collect();
    assert_eq!(batches.iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>(), 1);
    assert!(batches[0].schema().field_with_name("bars_bytes").is_ok());
    // A folder that is not there is told.
    let nowhere = desk.path("not/there/table.tsv");
    export(&mut desk, &["TSV"], &nowhere);
    desk.wait_notice("cannot be written");
}

#[test]
fn bars_and_features_of_symbols_are_exported_into_a_folder() {
    let mut desk = warm_desk(5, 40);
    desk.click_row("S001", Modifiers::NONE);
    desk.click_row("S003", Modifiers::SHIFT);
    let folder = desk.path("out");
    export(&mut desk, &["Bars and features", "CSV"], &folder);
    assert!(desk.wait_notice("Exported 6 files").contains("out"));
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("a folder")
        .map(|item| item.expect("an item").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["S001-classic.csv", "S001.csv", "S002-classic.csv", "S002.csv", "S003-classic.csv", "S003.csv"]);
    let text = std::fs::read_to_string(folder.join("S002.csv")).expect("a file");
    assert!(text.starts_with("date,open,high,low,close,volume\n2024-"), "{text}");
    assert_eq!(text.lines().count(), 41);
    let features = std::fs::read_to_string(folder.join("S002-classic.csv")).expect("a file");
    assert!(features.lines().next().is_some_and(|head| head.contains("ma5")), "{features}");
    assert!(desk.state().exporting.is_none());
}

#[test]
fn an_export_is_stopped_and_what_is_finished_stays() {
    let mut desk = warm_desk(150, 5);
    let folder = desk.path("out");
    let form = ExportForm { what: ExportWhat::Bars, format: ExportFormat::Csv, selected_only: false };
    desk.act(Action::Run(Command::ExportRows));
    desk.act(Action::Export(ExportAction::Change(form)));
    desk.answer(PathPurpose::ExportFolder, &folder);
    desk.act(Action::Export(ExportAction::Stop));
    let told = desk.wait_notice("Exported");
    let written = std::fs::read_dir(&folder).map(Iterator::count).unwrap_or(0);
    assert!(written == 150 || told.contains("stopped before the end"), "{told}");
    assert!(desk.state().exporting.is_none());
    desk.act(Action::Lists(ListsAction::Choose(None)));
}
