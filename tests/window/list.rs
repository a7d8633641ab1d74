//! The list of symbols: what it shows, in which order, and how one walks it; the chart follows.

use crate::desk::{Desk, Laid, Market, warm_desk};
use eframe::egui;
use egui::{Key, Modifiers};
use samovar::app::Command;
use samovar::cache::EntryState;

/// Symbols that differ in every column: number of bars, size, state, reads.
fn mixed_desk() -> Desk {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    Market::new(&path).put([("AAA", 30), ("BBB", 300), ("CCC", 90), ("ABC", 10)].map(|(name, bars)| (name.to_owned(), bars)));
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.press("Preheat all");
    desk.wait_idle();
    desk
}

#[test]
fn the_list_narrows_while_one_types() {
    let mut desk = mixed_desk();
    assert_eq!(desk.listed(), ["AAA", "ABC", "BBB", "CCC"]);
    desk.shortcut(Command::FocusFilter);
    desk.write("b");
    assert_eq!(desk.listed(), ["ABC", "BBB"]);
    desk.settle();
    desk.assert_sees("2 of 4 symbols");
    desk.write("c");
    assert_eq!(desk.listed(), ["ABC"], "any part of a name, in any case");
    desk.write("x");
    desk.settle();
    desk.assert_sees("No symbol matches");
    desk.press_and_settle("Show all symbols");
    assert_eq!(desk.listed().len(), 4);
    desk.fill("Filter symbols", "cc");
    assert_eq!(desk.listed(), ["CCC"]);
    desk.press_and_settle("Clear the filter");
    assert_eq!(desk.listed().len(), 4);
}

#[test]
fn keys_that_are_typed_into_the_filter_run_no_commands() {
    let mut desk = mixed_desk();
    let files = desk.cached_files();
    desk.shortcut(Command::SelectAll);
    desk.shortcut(Command::FocusFilter);
    desk.write("a");
    desk.key(Modifiers::NONE, Key::Delete);
    desk.key(Modifiers::COMMAND, Key::A);
    desk.write("[");
    assert_eq!(desk.state().list.filter(), "[", "the field has its own Ctrl+A");
    desk.settle();
    assert_eq!(desk.cached_files(), files, "Delete in a text clears no files");
    // From the filter straight into the list.
    desk.key(Modifiers::COMMAND, Key::A);
    desk.write("bb");
    desk.key(Modifiers::NONE, Key::ArrowDown);
    desk.wait_chart("BBB");
}

#[test]
fn chips_count_states_and_narrow_the_list() {
    let mut desk = mixed_desk();
    desk.click_row("BBB", Modifiers::NONE);
    desk.click_row("BBB", Modifiers::COMMAND);
    desk.press("Invalidate");
    desk.wait_for("a stale symbol", |desk| desk.row("BBB").state == EntryState::Stale);
    desk.settle();
    assert!(desk.has_button("missing 0"));
    desk.press_and_settle("stale 1");
    assert_eq!(desk.listed(), ["BBB"]);
    desk.press_and_settle("fresh 3");
    assert_eq!(desk.listed().len(), 4, "chips add up");
    desk.press_and_settle("stale 1");
    assert_eq!(desk.listed(), ["AAA", "ABC", "CCC"]);
    desk.press_and_settle("fresh 3");
    assert_eq!(desk.listed().len(), 4, "pressed again, all are shown");
}

#[test]
fn every_column_sorts_up_then_down_then_by_symbol() {
    let mut desk = mixed_desk();
    let by_symbol = ["AAA", "ABC", "BBB", "CCC"];
    desk.press_head("Symbol");
    assert_eq!(desk.listed(), ["CCC", "BBB", "ABC", "AAA"], "sorted by symbol already, so the other way round");
    desk.press_head("Symbol");
    assert_eq!(desk.listed(), by_symbol);
    for head in ["Bars", "Bars size", "Features size"] {
        desk.press_head(head);
        assert_eq!(desk.listed(), ["ABC", "AAA", "CCC", "BBB"], "{head}");
        desk.press_head(head);
        assert_eq!(desk.listed(), ["BBB", "CCC", "AAA", "ABC"], "{head}, largest first");
        desk.press_head(head);
        assert_eq!(desk.listed(), by_symbol, "{head}, back");
    }
    // All end on the same day: the longer they reach back, the earlier they stand.
    desk.press_head("Range");
    assert_eq!(desk.listed(), ["BBB", "CCC", "AAA", "ABC"]);
    desk.press_head("Range");
    desk.press_head("Range");
    assert_eq!(desk.listed(), by_symbol);
}

#[test]
fn state_and_hits_sort_by_what_needs_attention_and_by_use() {
    let mut desk = mixed_desk();
    desk.click_row("BBB", Modifiers::NONE);
    desk.wait_chart("BBB");
    desk.click_row("BBB", Modifiers::COMMAND);
    desk.press("Invalidate");
    desk.wait_for("a stale symbol", |desk| desk.row("BBB").state == EntryState::Stale);
    desk.press_head("State");
    assert_eq!(desk.listed(), ["AAA", "ABC", "CCC", "BBB"]);
    desk.press_head("State");
    assert_eq!(desk.listed(), ["BBB", "AAA", "ABC", "CCC"], "what needs attention first; equals by symbol");
    desk.press_head("State");
    desk.wait_for("counted reads", |desk| desk.row("BBB").hits > 0);
    desk.press_head("Hits");
    desk.press_head("Hits");
    let hits = |desk: &Desk| desk.listed().iter().map(|symbol| desk.row(symbol).hits).collect::<Vec<u64>>();
    let sorted = hits(&desk);
    assert!(sorted.is_sorted_by(|left, right| left >= right) && sorted[0] > 0, "{sorted:?}");
}

#[test]
fn keys_walk_the_list_and_the_chart_follows() {
    let mut desk = warm_desk(60, 3);
    desk.click_row("S000", Modifiers::NONE);
    let steps: [(Modifiers, Key, &str); 11] = [
        (Modifiers::NONE, Key::ArrowDown, "S001"),
        (Modifiers::NONE, Key::ArrowDown, "S002"),
        (Modifiers::NONE, Key::ArrowUp, "S001"),
        (Modifiers::NONE, Key::CloseBracket, "S002"),
        (Modifiers::NONE, Key::OpenBracket, "S001"),
        (Modifiers::NONE, Key::PageDown, "S021"),
        (Modifiers::NONE, Key::PageUp, "S001"),
        (Modifiers::NONE, Key::End, "S059"),
        (Modifiers::NONE, Key::ArrowDown, "S059"),
        (Modifiers::NONE, Key::Home, "S000"),
        (Modifiers::NONE, Key::ArrowUp, "S000"),
    ];
    for (modifiers, key, symbol) in steps {
        desk.key(modifiers, key);
        assert_eq!(desk.focus(), symbol, "{key:?}");
        assert_eq!(desk.state().chart.requested.as_ref().map(ToString::to_string).as_deref(), Some(symbol), "the chart follows");
    }
    desk.wait_chart("S000");
    assert!(desk.selected().is_empty());
    desk.key(Modifiers::SHIFT, Key::ArrowDown);
    desk.key(Modifiers::SHIFT, Key::ArrowDown);
    assert_eq!(desk.selected(), ["S000", "S001", "S002"], "with Shift the selection follows");
    desk.key(Modifiers::NONE, Key::Escape);
    assert!(desk.selected().is_empty());
    desk.shortcut(Command::SelectAll);
    assert_eq!(desk.selected().len(), 60);
    desk.key(Modifiers::NONE, Key::Escape);
    // The row at the end is scrolled into view.
    desk.key(Modifiers::NONE, Key::End);
    desk.wait_chart("S059");
    desk.settle();
    desk.click_row("S058", Modifiers::NONE);
    assert_eq!(desk.focus(), "S058");
}

#[test]
fn keys_go_on_working_after_a_button_was_pressed() {
    let mut desk = warm_desk(4, 3);
    desk.click_row("S000", Modifiers::NONE);
    desk.press_and_settle("fresh 4");
    desk.key(Modifiers::NONE, Key::ArrowDown);
    assert_eq!(desk.focus(), "S001");
    desk.press_and_settle("1Y");
    desk.key(Modifiers::NONE, Key::ArrowDown);
    assert_eq!(desk.focus(), "S002");
}

#[test]
fn focus_and_selection_survive_another_order_and_a_filter() {
    let mut desk = mixed_desk();
    desk.click_row("CCC", Modifiers::NONE);
    desk.click_row("AAA", Modifiers::COMMAND);
    desk.press_head("Bars");
    desk.shortcut(Command::FocusFilter);
    desk.write("zzz");
    desk.press_and_settle("Clear the filter");
    assert_eq!((desk.focus().as_str(), desk.selected()), ("AAA", vec!["AAA".to_owned(), "CCC".to_owned()]));
    let desk = desk.restart();
    assert_eq!(desk.listed(), ["ABC", "AAA", "CCC", "BBB"], "the order is remembered");
    assert_eq!(desk.focus(), "AAA");
}
