//! The list of symbols: what it shows, in which order, and how one walks it; the chart follows.

use crate::desk::{Desk, Laid, Market, desk_with_market, warm_desk};
use eframe::egui;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
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
    // Wide enough for every usual column; at first it has two fifths of the window.
    desk.drag(egui::pos2(574.0, 500.0), egui::pos2(900.0, 500.0));
    desk.settle();
    assert!(desk.has_button("Features size"), "columns end at {}", desk.button("Columns").rect().right());
    desk
}

#[test]
fn the_list_narrows_while_one_types() {
    let mut desk = mixed_desk();
    assert_eq!(desk.listed(), ["AAA", "ABC", "BBB", "CCC"]);
    desk.assert_sees("4 symbols · 4 cached");
    desk.shortcut(Command::FocusFilter);
    desk.write("b");
    assert_eq!(desk.listed(), ["BBB", "ABC"], "the best match first");
    desk.settle();
    desk.assert_sees("4 symbols · 2 shown · 2 cached");
    desk.assert_sees("best match first");
    desk.press_head("Bars");
    assert_eq!(desk.listed(), ["ABC", "BBB"], "unless another order was asked for");
    desk.press_head("Bars");
    desk.press_head("Bars");
    desk.fill("Filter symbols", "ac");
    assert_eq!(desk.listed(), ["ABC"], "letters may be left out, in any case");
    desk.write("x");
    desk.settle();
    desk.assert_sees("No symbol matches");
    desk.press_and_settle("Show all symbols");
    assert_eq!(desk.listed().len(), 4);
    desk.fill("Filter symbols", "b -a");
    assert_eq!(desk.listed(), ["BBB"], "what stands behind a minus is left out");
    desk.press_and_settle("Clear the filter");
    assert_eq!(desk.listed().len(), 4);
}

#[test]
fn the_space_bar_selects_enter_opens_and_boxes_are_pressed() {
    let mut desk = mixed_desk();
    desk.click_row("ABC", Modifiers::NONE);
    desk.key(Modifiers::NONE, Key::Space);
    desk.key(Modifiers::NONE, Key::ArrowDown);
    assert!(desk.selected().is_empty(), "walking without Shift gives up the selection");
    desk.key(Modifiers::NONE, Key::Space);
    assert_eq!(desk.selected(), ["BBB"]);
    desk.press_and_settle("Select AAA");
    assert_eq!((desk.selected(), desk.focus().as_str()), (vec!["AAA".to_owned(), "BBB".to_owned()], "BBB"), "the chart stays");
    desk.press_and_settle("Select BBB");
    assert_eq!(desk.selected(), ["AAA"]);
    desk.press_and_settle("Select every shown symbol, or none");
    assert_eq!(desk.selected().len(), 4);
    desk.fill("Filter symbols", "bbb");
    desk.settle();
    desk.assert_sees("3 not shown");
    desk.press_and_settle("Clear the filter");
    desk.press_and_settle("Select every shown symbol, or none");
    assert!(desk.selected().is_empty());
    desk.harness.ctx.memory_mut(egui::Memory::stop_text_input);
    desk.key(Modifiers::NONE, Key::Enter);
    assert!(desk.state().inspector.open);
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
    desk.click_row("AAA", Modifiers::NONE);
    desk.key(Modifiers::NONE, Key::Space);
    desk.press("Pin");
    desk.wait_for("the pin", |desk| desk.row("AAA").pinned);
    desk.settle();
    desk.press_and_settle("pinned 1");
    desk.press_and_settle("stale 1");
    assert!(desk.listed().is_empty(), "pinned and stale");
    desk.press_and_settle("Clear the chips");
    assert_eq!(desk.listed().len(), 4);
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
    assert_eq!(desk.listed(), ["BBB", "AAA", "ABC", "CCC"], "what needs attention first; equals by symbol");
    desk.press_head("State");
    assert_eq!(desk.listed(), ["AAA", "ABC", "CCC", "BBB"]);
    desk.press_head("State");
    desk.wait_for("counted reads", |desk| desk.row("BBB").hits > 0);
    desk.press_head("Hits");
    desk.press_head("Hits");
    let hits = |desk: &Desk| desk.listed().iter().map(|symbol| desk.row(symbol).hits).collect::<Vec<u64>>();
    let sorted = hits(&desk);
    assert!(sorted.is_sorted_by(|left, right| left >= right) && sorted[0] > 0, "{sorted:?}");
}

#[test]
fn more_heads_sort_with_shift_and_are_remembered() {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    Market::new(&path).put([("A", 20), ("B", 10), ("C", 20), ("D", 10)].map(|(name, bars)| (name.to_owned(), bars)));
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.press("Preheat all");
    desk.wait_idle();
    desk.press_head("Bars");
    assert_eq!(desk.listed(), ["B", "D", "A", "C"]);
    let shift = |desk: &mut Desk, head: &str| {
        desk.harness.get_by_label(head).click_modifiers(Modifiers::SHIFT);
        desk.settle();
    };
    shift(&mut desk, "Symbol");
    shift(&mut desk, "Symbol");
    assert_eq!(desk.listed(), ["D", "B", "C", "A"], "bars upwards, then symbols downwards");
    let mut desk = desk.restart();
    assert_eq!(desk.listed(), ["D", "B", "C", "A"], "the order is remembered");
    shift(&mut desk, "Symbol");
    assert_eq!(desk.listed(), ["B", "D", "A", "C"]);
    // The menu of a head does the same.
    desk.harness.get_by_label("Symbol").click_secondary();
    desk.settle();
    desk.press_in_menu("Sort descending");
    assert_eq!(desk.listed(), ["D", "C", "B", "A"]);
}

/// The columns that are shown, by their heads.
fn columns(desk: &Desk) -> Vec<&'static str> {
    desk.state().list.columns().shown().map(samovar::app::Column::text).collect()
}

#[test]
fn columns_are_chosen_moved_widened_and_remembered() {
    let mut desk = mixed_desk();
    desk.press_and_settle("Columns");
    desk.press_and_settle("Exchange");
    desk.press_and_settle("Features size");
    desk.key(Modifiers::NONE, Key::Escape);
    desk.settle();
    assert!(columns(&desk).contains(&"Exchange") && !columns(&desk).contains(&"Features size"));
    desk.harness.get_by_label("Range").click_secondary();
    desk.settle();
    desk.press_in_menu("Move left");
    desk.settle();
    assert_eq!(columns(&desk)[..4], ["Symbol", "State", "Range", "Trend"]);
    desk.harness.get_by_label("Hits").click_secondary();
    desk.settle();
    desk.press_in_menu("Hide column");
    desk.settle();
    assert!(!desk.has_button("Hits"));
    // Dragged by its head behind the next one.
    let (from, to) = (desk.button("Bars").rect().center(), desk.button("Bars size").rect().right_center());
    desk.drag(from, to);
    let at = |desk: &Desk, name: &str| columns(desk).iter().position(|column| *column == name);
    assert!(at(&desk, "Bars") > at(&desk, "Bars size"), "{:?}", columns(&desk));
    // By its edge it is made wider.
    let edge = desk.button("State").rect().right_center() + egui::vec2(2.0, 0.0);
    desk.drag(edge, edge + egui::vec2(40.0, 0.0));
    assert_eq!(desk.state().list.columns().width(samovar::app::Column::State), Some(168.0));
    let before = desk.state().list.columns().clone();
    let mut desk = desk.restart();
    assert_eq!(*desk.state().list.columns(), before);
    desk.press_and_settle("Columns");
    desk.press_and_settle("Reset columns");
    assert!(columns(&desk).contains(&"Hits"));
}

#[test]
fn every_column_can_be_shown_and_sorts() {
    let mut desk = mixed_desk();
    desk.click_row("BBB", Modifiers::NONE);
    desk.wait_chart("BBB");
    desk.press_and_settle("Columns");
    let hidden: Vec<&str> =
        desk.state().list.columns().places().iter().filter(|place| !place.shown).map(|place| place.column.text()).collect();
    for head in &hidden {
        desk.press_and_settle(head);
    }
    desk.key(Modifiers::NONE, Key::Escape);
    desk.settle();
    desk.wait("closes", |state| state.snapshot.rows.iter().all(|row| state.sparks.of(row).is_some_and(|spark| spark.last().is_some())));
    let shown = columns(&desk).len();
    assert_eq!(shown, 21);
    // By the last close: 50, 51, … and what a wave adds.
    let close =
        |desk: &Desk, symbol: &str| desk.state().sparks.of(desk.row(symbol)).and_then(samovar::worker::Spark::last).expect("a close");
    desk.sort_by(samovar::app::Column::Close);
    let listed = desk.listed();
    assert!(listed.is_sorted_by(|left, right| close(&desk, left) <= close(&desk, right)), "{listed:?}");
    // Counted a moment after it was answered.
    desk.wait_for("its lookup", |desk| desk.row("BBB").hit_rate.is_some());
    desk.sort_by(samovar::app::Column::HitRate);
    let rates: Vec<Option<f64>> = desk.listed().iter().map(|symbol| desk.row(symbol).hit_rate).collect();
    assert!(rates.is_sorted() && rates.last().is_some_and(Option::is_some), "those that were read come last: {rates:?}");
}

#[test]
fn closes_are_read_for_rows_in_view() {
    let mut desk = warm_desk(300, 70);
    desk.wait("closes", |state| state.sparks.of(&state.snapshot.rows[0]).is_some());
    desk.settle();
    let known = |desk: &Desk| desk.state().sparks.known().len();
    assert!(known(&desk) < 200, "{} of 300 were read", known(&desk));
    assert_eq!(desk.state().sparks.of(desk.row("S000")).map(|spark| spark.closes.len()), Some(60));
    assert!(desk.state().sparks.of(desk.row("S299")).is_none());
    desk.key(Modifiers::NONE, Key::End);
    desk.wait_for("closes of the end", |desk| desk.state().sparks.of(desk.row("S299")).is_some());
    assert_eq!(desk.row("S005").hits, 0, "nothing of it counts as a lookup");
}

#[test]
fn rows_stay_where_they_are_while_a_job_works() {
    let mut desk = crate::desk::desk_with_market(400, 30);
    desk.open_source_menu();
    desk.press("Reload symbol list");
    desk.wait("the list", |state| state.snapshot.rows.len() == 400);
    desk.settle();
    desk.press_head("State");
    desk.press_head("State");
    desk.press_and_settle("missing 400");
    let before = desk.listed();
    desk.press("Preheat all");
    desk.wait("some of them to be done", |state| state.active_job().is_some_and(|job| job.progress.symbols_done > 0));
    desk.pause_running();
    desk.wait_for("some of them to be fresh", |desk| desk.state().snapshot.rows.iter().any(|row| row.rows > 0));
    desk.harness.run_ok();
    assert_eq!(desk.listed(), before, "neither order nor chip takes a row away");
    desk.assert_sees("order held");
    assert_eq!(desk.state().progress_of(&samovar::market::Symbol::new("S399")), Some(samovar::app::RowProgress::Waiting));
    desk.press("Sort now");
    assert!(desk.listed().len() < 400, "asked for, it is worked out");
    desk.press("Resume");
    desk.wait_idle();
    assert_eq!(desk.listed(), Vec::<String>::new(), "none is missing any more: {:?}", desk.state().jobs[0].report);
    desk.assert_no("order held");
}

#[test]
fn a_list_of_twelve_thousand_is_worked_out_within_a_frame() {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    Market::new(&path).put((0..12_000).map(|number| (format!("{:06}", number * 83 % 999_983), 1)));
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.open_source_menu();
    desk.press("Reload symbol list");
    desk.wait("the symbols", |state| state.snapshot.rows.len() == 12_000);
    desk.settle();
    // Told, not asserted: how long these take is the machine's business.
    let timed = |what: &str, action: samovar::app::ListAction| {
        let mut state = desk.state().clone();
        let started = std::time::Instant::now();
        let _jobs = state.execute(samovar::app::Action::List(action));
        eprintln!("12,000 symbols, {what}: {:.2} ms", started.elapsed().as_secs_f64() * 1e3);
        state.list.visible().len()
    };
    use samovar::app::{Column, ListAction};
    assert!(timed("filter", ListAction::Filter("99".to_owned())) > 100);
    assert_eq!(timed("sort by state", ListAction::Sort { column: Column::State, add: false }), 12_000);
    assert_eq!(timed("sort by bars", ListAction::Sort { column: Column::Bars, add: false }), 12_000);
    assert_eq!(timed("select all", ListAction::CheckAll), 12_000);
    let started = std::time::Instant::now();
    for _ in 0..20 {
        desk.harness.step();
    }
    eprintln!("12,000 symbols, a frame: {:.2} ms", started.elapsed().as_secs_f64() * 1e3 / 20.0);
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

#[test]
fn a_source_that_cannot_be_read_says_so_where_its_symbols_would_stand() {
    let mut desk = desk_with_market(3, 3);
    desk.assert_sees("Nothing is known of this source yet");
    let file = desk.path("market.sqlite");
    std::fs::rename(&file, desk.path("elsewhere.sqlite")).expect("moved");
    desk.open_source_menu();
    desk.press("Reload symbol list");
    desk.wait_text("The source could not be read");
    assert!(desk.texts().iter().any(|text| text.contains("market.sqlite")), "{:?}", desk.texts());
    desk.press_and_settle("Change the source…");
    assert!(desk.state().dialog.is_some());
    desk.key(Modifiers::NONE, Key::Escape);
    std::fs::rename(desk.path("elsewhere.sqlite"), file).expect("back");
    desk.open_source_menu();
    desk.press("Reload symbol list");
    desk.wait("its symbols", |state| state.snapshot.rows.len() == 3);
    desk.assert_no("The source could not be read");
}

#[test]
fn the_list_gives_room_to_the_inspector_and_gets_it_back() {
    let mut desk = warm_desk(3, 30);
    desk.wait_chart("S000");
    desk.harness.set_size(egui::vec2(1_100.0, 800.0));
    desk.settle();
    let edge = |desk: &Desk| desk.button("Columns").rect().right();
    let before = edge(&desk);
    desk.shortcut(Command::ShowInspector);
    desk.settle();
    let beside = edge(&desk);
    desk.shortcut(Command::ShowInspector);
    desk.settle();
    assert!(beside < before, "{beside} {before}");
    assert_eq!(edge(&desk), before);
    // However often.
    desk.shortcut(Command::ShowFeatures);
    desk.settle();
    desk.shortcut(Command::ShowFeatures);
    desk.settle();
    assert_eq!(edge(&desk), before);
}
