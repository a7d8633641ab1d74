//! What a frame may cost: an idle window asks for none, and a long list draws only what can be seen.

use crate::desk::{Desk, Laid, Market, desk_with_market, warm_desk};
use crate::hand::Hand;
use eframe::egui;
use egui::{Key, Modifiers, pos2};
use egui_kittest::kittest::NodeT;
use samovar::app::{Action, Column, Command, ListAction};
use std::time::Duration;

const VIEWS: [Command; 4] = [Command::ShowSymbols, Command::ShowOverview, Command::ShowJobs, Command::ShowSettings];

/// Draws until notices are gone and the worker is silent, then proves that nobody asks for another frame.
fn assert_idle(desk: &mut Desk, what: &str) {
    desk.settle();
    desk.harness.remove_cursor();
    // Nothing comes from the worker either, for longer than it takes to look at the catalog twice.
    let mut quiet_steps = 0;
    let mut last = None;
    for _ in 0..2_000 {
        desk.harness.step();
        let seen = std::sync::Arc::as_ptr(&desk.state().snapshot);
        quiet_steps = if last == Some(seen) { quiet_steps + 1 } else { 0 };
        last = Some(seen);
        if quiet_steps > 300 {
            break;
        }
        std::thread::sleep(Duration::from_millis(4));
    }
    assert!(quiet_steps > 300, "{what}: the worker goes on making snapshots");
    desk.settle();
    let delay = desk.repaint_delay();
    assert!(delay >= Duration::from_secs(1), "{what}: drawn again after {delay:?}: {:?}", desk.harness.ctx.repaint_causes());
    assert!(!desk.harness.ctx.has_requested_repaint() || delay >= Duration::from_secs(1), "{what}");
}

#[test]
fn an_idle_window_asks_for_no_repaint_in_any_view_empty() {
    let mut desk = Laid::new().open();
    desk.wait_ready();
    for view in VIEWS {
        desk.shortcut(view);
        assert_idle(&mut desk, view.text());
    }
}

#[test]
fn an_idle_window_asks_for_no_repaint_in_any_view_full() {
    let mut desk = warm_desk(20, 40);
    desk.click_row("S003", Modifiers::NONE);
    desk.wait_chart("S003");
    desk.dismiss_notices();
    for view in VIEWS {
        desk.shortcut(view);
        assert_idle(&mut desk, view.text());
    }
    desk.shortcut(Command::ShowInspector);
    desk.wait("the dossier", |state| state.focused_dossier().is_some());
    assert_idle(&mut desk, "the inspector");
}

#[test]
fn a_list_of_ten_thousand_symbols_draws_only_the_rows_in_view() {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    Market::new(&path).put((0..10_000).map(|number| (format!("N{number:05}"), 1)));
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.open_source_menu();
    desk.press("Reload symbol list");
    desk.wait("10,000 symbols", |state| state.snapshot.rows.len() == 10_000);
    desk.settle();
    let drawn = |desk: &Desk| -> Vec<String> {
        let is_row = |text: &String| text.len() == 6 && text.starts_with('N') && text[1..].bytes().all(|byte| byte.is_ascii_digit());
        desk.texts().into_iter().filter(is_row).collect()
    };
    let top = drawn(&desk);
    assert!((20..60).contains(&top.len()), "{} rows are drawn", top.len());
    let widgets = desk.harness.root().children_recursive().count();
    assert!(widgets < 1_000, "{widgets} widgets, some of them of rows that nobody sees");
    assert_eq!(desk.harness.state().state().list.visible().len(), 10_000);
    desk.assert_sees("10,000 symbols");
    desk.key(Modifiers::NONE, Key::End);
    desk.settle();
    let bottom = drawn(&desk);
    assert!(bottom.contains(&"N09999".to_owned()) && bottom.len() < 60, "{bottom:?}");
    desk.shortcut(Command::SelectAll);
    desk.settle();
    desk.assert_sees("10,000 symbols · 0 B");
    desk.shortcut(Command::FocusFilter);
    desk.write("n0999");
    assert_eq!(desk.listed().len(), 10);
}

#[test]
fn seven_thousand_symbols_answer_every_input_at_once() {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    Market::new(&path).put((0..7_000).map(|number| (format!("N{number:05}"), 1)));
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    let mut hand = Hand::at(&mut desk);
    hand.is_in("come");
    hand.runs(Command::ListSymbols);
    hand.waits("7,000 symbols", |desk| desk.state().snapshot.rows.len() == 7_000);
    hand.works_with_a_long_list();
    // A job over all of them begins, tells how far it is, and is stopped.
    hand.is_in("preheat all");
    hand.runs(Command::PreheatAll);
    hand.waits("some symbols", |desk| desk.state().jobs.first().is_some_and(|job| job.ok.len() > 100));
    hand.is_in("while it runs");
    (0..10).for_each(|_| hand.plain("arrow down", Key::ArrowDown));
    hand.runs(Command::FocusFilter);
    hand.types("type into the filter", "n06");
    hand.is_in("cancel");
    hand.runs(Command::CancelJob);
    hand.waits("its end", |desk| desk.state().active_job().is_none());
    hand.never_waited();
}

impl Hand<'_> {
    fn works_with_a_long_list(&mut self) {
        self.is_in("filter");
        self.runs(Command::FocusFilter);
        self.types("type into the filter", "n0 69");
        (0..5).for_each(|_| self.plain("take back a letter", Key::Backspace));
        self.plain("leave the filter", Key::Escape);
        self.act("show all", Action::List(ListAction::ShowAll));
        self.is_in("sort");
        for column in [Column::Size, Column::TimeLeft, Column::State, Column::Symbol] {
            for _ in 0..2 {
                self.act(column.text(), Action::List(ListAction::Sort { column, add: false }));
            }
        }
        self.is_in("walk");
        (0..30).for_each(|_| self.plain("arrow down", Key::ArrowDown));
        for key in [Key::End, Key::Home, Key::PageDown] {
            self.plain("far", key);
        }
        self.is_in("select");
        self.runs(Command::SelectAll);
        (0..10).for_each(|_| self.key("extend the selection", Modifiers::SHIFT, Key::ArrowDown));
        self.key("extend the selection to the end", Modifiers::SHIFT, Key::End);
        self.runs(Command::SelectAll);
        self.is_in("all selected");
        self.desk.clock.advance(31_000_000);
        self.does("keep a copy of the workspace", []);
        for command in [Command::CopyRows, Command::CopySymbols, Command::CopyPaths, Command::NewList] {
            self.runs(command);
            if command == Command::NewList {
                self.desk.assert_sees("and 6,988 more");
            }
            self.act("close", Action::CloseDialog);
        }
        self.scrolls("scroll", pos2(400.0, 500.0));
        self.runs(Command::SelectNone);
        self.is_in("palette");
        self.runs(Command::Palette);
        self.types("search", "n0 69");
        self.plain("close", Key::Escape);
        for (command, name) in [(Command::ShowOverview, "overview"), (Command::ShowJobs, "jobs"), (Command::ShowSettings, "settings")] {
            self.is_in(name);
            self.runs(command);
            self.scrolls("scroll", pos2(500.0, 450.0));
        }
        self.is_in("symbols");
        self.runs(Command::ShowSymbols);
    }
}

#[test]
fn every_control_of_every_view_has_a_name() {
    // `settle` fails on a control without a name; here each view is seen with something in it.
    let mut desk = desk_with_market(3, 3);
    for view in VIEWS {
        desk.shortcut(view);
        desk.settle();
    }
    for opener in [Command::Palette, Command::Help, Command::ConnectSource] {
        desk.shortcut(Command::ShowSettings);
        match opener {
            Command::ConnectSource => desk.press_and_settle("Connect a database…"),
            other => desk.shortcut(other),
        }
        desk.settle();
        desk.key(Modifiers::NONE, Key::Escape);
        desk.settle();
    }
    // What is only an icon must not be read out as the letter of an icon font.
    for view in VIEWS {
        desk.shortcut(view);
        desk.settle();
        for node in desk.harness.root().children_recursive() {
            let node = node.accesskit_node();
            let is_private = |char: char| ('\u{e000}'..='\u{f8ff}').contains(&char);
            let is_control = egui::accessibility::is_input(node.role());
            let label = node.label().unwrap_or_default();
            assert!(!is_control || !label.chars().any(is_private), "{:?} is named {label:?}", node.role());
        }
    }
}
