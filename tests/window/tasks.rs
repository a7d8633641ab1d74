//! What analysts come for, done from beginning to end by the shortest way, with every click and key counted: a way must not grow longer.
//!
//! A double click is two clicks, a chord is one key, and characters of names are counted apart.

use crate::desk::{Desk, Laid, Market, warm_desk};
use crate::servers;
use eframe::egui;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use samovar::app::chart::PriceScale;
use samovar::app::{Action, Command, Dialog, ExportWhat, ListAction};
use samovar::cache::EntryState;
use samovar::config::ThemeChoice;
use samovar::language::Language;
use samovar::market::{HOUR_US, Symbol};
use samovar::ui::PathPurpose;
use samovar::worker::ExportFormat;
use samovar::worker::series::SeriesSource;
use std::ops::{Deref, DerefMut};

/// A desk whose user is counted.
struct Hand {
    desk: Desk,
    clicks: usize,
    keys: usize,
    typed: usize,
}

impl Deref for Hand {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.desk
    }
}

impl DerefMut for Hand {
    fn deref_mut(&mut self) -> &mut Desk {
        &mut self.desk
    }
}

impl Hand {
    fn at(mut desk: Desk) -> Self {
        desk.settle();
        Self { desk, clicks: 0, keys: 0, typed: 0 }
    }

    #[track_caller]
    fn click(&mut self, label: &str) {
        self.clicks += 1;
        self.desk.press(label);
    }

    #[track_caller]
    fn click_with(&mut self, label: &str, modifiers: Modifiers) {
        self.clicks += 1;
        self.desk.settle();
        self.desk.harness.get_by_label(label).click_modifiers(modifiers);
        self.desk.settle();
    }

    fn press_key(&mut self, key: Key) {
        self.keys += 1;
        self.desk.key(Modifiers::NONE, key);
    }

    fn press_keys_of(&mut self, command: Command) {
        self.keys += 1;
        self.desk.shortcut(command);
    }

    /// Letter by letter, as a hand types.
    fn type_letters(&mut self, text: &str) {
        for letter in text.chars() {
            self.typed += 1;
            self.desk.write(&letter.to_string());
        }
        self.desk.settle();
    }

    #[track_caller]
    fn assert_took(&self, clicks: usize, keys: usize, typed: usize) {
        let took = (self.clicks, self.keys, self.typed);
        assert!(took.0 <= clicks && took.1 <= keys && took.2 <= typed, "it took {took:?} clicks, keys and characters");
    }
}

#[test]
fn from_the_sample_market_to_the_first_chart() {
    let mut desk = Laid::new().open();
    desk.wait_ready();
    let mut hand = Hand::at(desk);
    hand.click("Try the sample market");
    hand.wait("a chart", |state| state.chart.loaded.as_ref().is_some_and(|loaded| !loaded.data.bars.is_empty()));
    hand.wait_idle();
    hand.assert_took(1, 0, 0);
}

/// A database whose URL is on the clipboard, to everything warm.
fn connect(url: &str) -> Hand {
    let mut desk = Laid::new().open();
    desk.wait_ready();
    let mut hand = Hand::at(desk);
    hand.click("Connect a database…");
    hand.settle();
    // Ctrl+V.
    hand.keys += 1;
    hand.desk.harness.event(egui::Event::Paste(url.to_owned()));
    hand.settle();
    hand.press_key(Key::Enter);
    hand.wait_idle();
    assert!(hand.state().snapshot.rows.iter().all(|row| row.state == EntryState::Fresh) && !hand.cached_files().is_empty());
    hand
}

#[test]
fn a_database_is_connected_by_its_url_and_preheated() {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    Market::new(&path).symbols(4, 30);
    let mut hand = connect(&format!("sqlite:{}?table=stock_kline_data", path.display()));
    hand.wait_chart("S000");
    hand.assert_took(1, 2, 0);
}

#[test]
fn mariadb_is_connected_by_its_url_and_preheated() {
    let Some(server) = servers::mariadb() else { return };
    let database = server.new_database();
    server.execute(&database, "CREATE TABLE bars (symbol VARCHAR(20), date DATE, open FLOAT, high FLOAT, low FLOAT, close FLOAT)");
    server.execute(&database, "INSERT INTO bars VALUES ('AAA', '2024-02-01', 1, 3, 1, 2), ('AAA', '2024-02-02', 2, 4, 2, 3)");
    let (user, password, port) = (servers::USER, servers::PASSWORD_IN_URL, server.port);
    let mut hand = connect(&format!("mysql://{user}:{password}@127.0.0.1:{port}/{database}"));
    hand.wait_chart("AAA");
    hand.assert_took(1, 2, 0);
}

#[test]
fn a_connection_that_fails_stays_open_to_be_put_right() {
    let mut desk = Laid::new().open();
    desk.wait_ready();
    desk.press_and_settle("Connect a database…");
    desk.harness.event(egui::Event::Paste("mysql://reader@127.0.0.1:1/market?table=bars".to_owned()));
    desk.settle();
    desk.key(Modifiers::NONE, Key::Enter);
    desk.wait("the test to end", |state| matches!(&state.dialog, Some(Dialog::Connect(form)) if form.test.report().is_some()));
    desk.settle();
    desk.assert_sees("127.0.0.1:1");
    assert!(desk.state().settings.sources.is_empty() && desk.state().jobs.is_empty(), "nothing is kept of it");
    assert!(desk.is_enabled("Connect all the same"));
    desk.key(Modifiers::NONE, Key::Enter);
    assert!(desk.state().settings.sources.is_empty(), "not by accident");
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    Market::new(&path).symbols(1, 30);
    desk.fill("URL", &format!("sqlite:{}", path.display()));
    desk.settle();
    desk.press("Connect and preheat");
    desk.wait_idle();
    desk.wait_chart("S000");
}

#[test]
fn the_five_stalest_are_found_and_refreshed() {
    let stalest = ["S003", "S005", "S009", "S011", "S014"];
    let mut desk = warm_desk(20, 30);
    desk.clock.advance(HOUR_US);
    desk.shortcut(Command::SelectAll);
    for symbol in stalest {
        desk.act(Action::List(ListAction::Check { symbol: Symbol::new(symbol), extend: false }));
    }
    desk.press("Refresh");
    desk.wait_idle();
    desk.shortcut(Command::SelectNone);
    desk.clock.advance(26 * HOUR_US);
    desk.wait("all to be stale", |state| state.snapshot.rows.iter().all(|row| row.state == EntryState::Stale));
    // Looked at far below: another order begins at its top.
    desk.click_row("S015", Modifiers::NONE);
    let before: Vec<i64> = stalest.map(|symbol| desk.row(symbol).fetched_at_us.expect("fetched")).to_vec();
    let mut hand = Hand::at(desk);
    hand.click_with("State", Modifiers::NONE);
    assert_eq!(hand.listed()[..5], stalest);
    hand.assert_sees("3 h");
    hand.click_with("Select S003", Modifiers::NONE);
    hand.click_with("Select S014", Modifiers::SHIFT);
    assert_eq!(hand.selected(), stalest);
    hand.click("Refresh");
    hand.wait_idle();
    for (symbol, before_us) in stalest.iter().zip(before) {
        assert!(hand.row(symbol).state == EntryState::Fresh && hand.row(symbol).fetched_at_us > Some(before_us), "{symbol}");
    }
    assert_eq!(hand.state().jobs[0].report.as_ref().map(|report| report.ok), Some(5));
    hand.assert_took(4, 0, 0);
}

#[test]
fn why_one_failed_is_seen_at_once_and_it_is_tried_again() {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    let market = Market::new(&path);
    market.symbols(6, 30);
    market.run("UPDATE stock_kline_data SET close = NULL WHERE symbol = 'S004'");
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.press("Preheat all");
    desk.wait_idle();
    let reason = "none of its 30 rows has a usable price";
    desk.wait_text(reason);
    let mut hand = Hand::at(desk);
    hand.click("Show 1 failed");
    hand.settle();
    hand.assert_sees(&format!("The last attempt failed: {reason}"));
    market.run("UPDATE stock_kline_data SET close = open WHERE symbol = 'S004'");
    hand.click("Retry S004");
    hand.wait_for("the symbol to be fresh", |desk| desk.row("S004").state == EntryState::Fresh);
    hand.wait_chart("S004");
    hand.assert_took(2, 0, 0);
}

#[test]
fn three_symbols_are_compared_in_percent_by_typing_them() {
    let mut desk = warm_desk(5, 60);
    desk.wait_chart("S000");
    let mut hand = Hand::at(desk);
    hand.type_letters("s001 s002 s004");
    hand.press_key(Key::Enter);
    hand.wait_chart("S001");
    let compared = |desk: &Desk| desk.state().chart.layout.compared().map(|(symbol, _)| symbol.to_string()).collect::<Vec<_>>();
    assert_eq!((compared(&hand), hand.state().chart.layout.price_scale), (vec!["S002".to_owned(), "S004".to_owned()], PriceScale::Percent));
    hand.wait("their lines", |state| {
        let has = |symbol| {
            state.chart.loaded.as_ref().is_some_and(|loaded| loaded.data.series(&SeriesSource::Symbol(Symbol::new(symbol))).is_some())
        };
        has("S002") && has("S004")
    });
    hand.assert_took(0, 1, 14);
    // More are put beside them in the list of the chart, several at once; what is not there stays to be put right.
    hand.shortcut(Command::Compare);
    hand.settle();
    hand.write("s000, s003 s999");
    hand.settle();
    hand.assert_sees("No symbol is called “s999”");
    hand.key(Modifiers::NONE, Key::Enter);
    hand.settle();
    assert_eq!(compared(&hand), ["S002", "S004", "S000", "S003"]);
    assert!(hand.sees("s999"));
}

#[test]
fn rsi_6_is_put_into_a_pane_of_its_own_and_twenty_symbols_are_walked() {
    let mut desk = warm_desk(22, 40);
    desk.wait_chart("S000");
    let mut hand = Hand::at(desk);
    hand.press_keys_of(Command::Indicators);
    hand.settle();
    hand.type_letters("rsi 6");
    hand.press_key(Key::Enter);
    hand.settle();
    let rsi = SeriesSource::column("classic", "rsi6");
    let layout = &hand.state().chart.layout;
    let pane = layout.panes.iter().find(|pane| pane.lines.iter().any(|line| line.source == rsi)).expect("a pane");
    assert_eq!((pane.lines.len(), layout.overlays.iter().any(|line| line.source == rsi)), (1, false));
    for _ in 0..20 {
        hand.press_key(Key::ArrowDown);
    }
    hand.wait_chart("S020");
    assert!(hand.state().chart.loaded.as_ref().is_some_and(|loaded| loaded.data.series(&rsi).is_some()), "it came along");
    hand.assert_took(0, 22, 5);
}

#[test]
fn an_indicator_takes_the_numbers_it_is_typed_with() {
    let mut desk = warm_desk(1, 60);
    desk.wait_chart("S000");
    for (text, lines) in
        [("RSI(9)", vec!["rsi(9)"]), ("macd 8 21 5", vec!["macd_dif(8, 21, 5)", "macd_dea(8, 21, 5)", "macd_hist(8, 21, 5)"])]
    {
        desk.shortcut(Command::Indicators);
        desk.settle();
        desk.write(text);
        desk.settle();
        desk.key(Modifiers::NONE, Key::Enter);
        desk.settle();
        let names: Vec<String> = desk.state().chart.layout.lines().map(|line| line.name().to_owned()).collect();
        assert!(lines.iter().all(|line| names.iter().any(|name| name == line)), "{names:?}");
    }
    desk.wait("their values", |state| {
        let loaded = state.chart.loaded.as_ref();
        state.chart.layout.lines().all(|line| loaded.is_some_and(|loaded| loaded.data.series(&line.source).is_some()))
    });
}

#[test]
fn an_amount_of_room_is_freed_after_what_goes_was_seen() {
    let mut desk = warm_desk(12, 200);
    desk.show_overview();
    desk.shortcut(Command::ShowSymbols);
    let size = |desk: &Desk| desk.cached_files().values().map(Vec::len).sum::<usize>();
    let before = size(&desk);
    let wanted = 100_000;
    assert!(before > 3 * wanted, "{before}");
    let mut hand = Hand::at(desk);
    hand.click("Overview");
    hand.settle();
    hand.click("Free space…");
    hand.settle();
    hand.type_letters("100 KB");
    hand.wait("what would go", |state| matches!(&state.dialog, Some(Dialog::Free(form)) if form.is_ready()));
    hand.settle();
    for text in ["classic", "entries", "in about"] {
        hand.assert_sees(text);
    }
    assert_eq!(size(&hand), before, "nothing goes before it was seen");
    hand.press_key(Key::Enter);
    hand.wait("it to be done", |state| state.dialog.is_none());
    assert!(hand.wait_notice("Freed").contains("went"));
    let after = size(&hand);
    assert!(after <= before - wanted && after > before - 2 * wanted, "{before} to {after}: so much, and little more");
    assert!(Desk::files_below(&hand.folders().trash()).is_empty(), "it is free at once, not in 24 hours");
    hand.assert_took(2, 1, 6);
    hand.click("Free space…");
    hand.settle();
    hand.type_letters("5 GB");
    hand.wait("what would go", |state| matches!(&state.dialog, Some(Dialog::Free(form)) if form.is_ready()));
    hand.settle();
    hand.assert_sees("can be freed: more is not cached");
}

#[test]
fn more_room_than_there_is_takes_the_trash_first_and_leaves_what_is_pinned() {
    let mut desk = warm_desk(4, 60);
    desk.click_row("S001", Modifiers::NONE);
    desk.shortcut(Command::SelectNone);
    desk.act(Action::Run(Command::PinSelected));
    desk.wait_for("the pin", |desk| desk.row("S001").pinned);
    desk.click_row("S002", Modifiers::NONE);
    desk.tick();
    desk.shortcut(Command::ClearSelected);
    desk.wait_for("it to be cleared", |desk| desk.row("S002").state == EntryState::Missing);
    desk.act(Action::Run(Command::FreeSpace));
    desk.wait("what would go", |state| matches!(&state.dialog, Some(Dialog::Free(form)) if form.is_ready()));
    desk.settle();
    desk.assert_sees("From the trash");
    desk.assert_sees("the rest is pinned");
    desk.key(Modifiers::NONE, Key::Enter);
    desk.wait("it to be done", |state| state.dialog.is_none());
    desk.wait_notice("less than wanted");
    desk.wait_for("the others to be gone", |desk| desk.row("S000").state == EntryState::Missing);
    assert_eq!(desk.files_of("S001").len(), 2);
    assert_eq!(desk.cached_files().len(), 2);
    assert!(Desk::files_below(&desk.folders().trash()).is_empty());
    desk.act(Action::Run(Command::FreeSpace));
    desk.wait("an answer", |state| matches!(&state.dialog, Some(Dialog::Free(form)) if form.known_plan().is_some()));
    desk.settle();
    desk.assert_sees("Nothing can be freed");
    desk.key(Modifiers::NONE, Key::Escape);
    assert!(desk.state().dialog.is_none());
}

#[test]
fn a_symbol_is_cleared_and_brought_back_with_two_keys() {
    let desk = warm_desk(4, 40);
    let files = desk.cached_files();
    desk.tick();
    let mut hand = Hand::at(desk);
    hand.clicks += 1;
    hand.click_row("S002", Modifiers::NONE);
    hand.press_key(Key::Delete);
    hand.wait_for("it to be cleared", |desk| desk.row("S002").state == EntryState::Missing);
    assert!(hand.selected().is_empty() && hand.files_of("S002").is_empty() && hand.row("S001").state == EntryState::Fresh);
    hand.press_keys_of(Command::UndoClear);
    hand.wait_for("it to be back", |desk| desk.row("S002").state == EntryState::Fresh);
    assert_eq!(hand.cached_files(), files, "byte for byte");
    hand.assert_took(1, 2, 0);
}

#[test]
fn the_filtered_table_is_exported() {
    let desk = warm_desk(12, 20);
    let mut hand = Hand::at(desk);
    hand.press_keys_of(Command::FocusFilter);
    hand.type_letters("01");
    assert_eq!(hand.listed(), ["S010", "S011", "S001"], "best match first");
    hand.press_keys_of(Command::ExportRows);
    hand.settle();
    hand.assert_sees("3 symbols");
    assert!(
        matches!(hand.state().dialog, Some(Dialog::Export(form)) if form.what == ExportWhat::Table && form.format == ExportFormat::Csv)
    );
    // Enter asks the desktop for a file, which no test has.
    hand.keys += 1;
    assert!(hand.is_enabled("Choose a file…"));
    let file = hand.path("shown.csv");
    hand.answer(PathPurpose::ExportFile(ExportFormat::Csv), &file);
    hand.wait_notice("shown.csv");
    let text = std::fs::read_to_string(&file).expect("the file");
    let first: Vec<&str> = text.lines().filter_map(|line| line.split(',').next()).collect();
    assert_eq!(first, ["symbol", "S010", "S011", "S001"], "in the shown order");
    hand.assert_took(0, 3, 2);
}

#[test]
fn language_and_theme_are_switched() {
    let desk = warm_desk(2, 20);
    let mut hand = Hand::at(desk);
    let was_dark = hand.state().is_dark;
    hand.click("Switch between light and dark");
    hand.settle();
    assert_ne!(hand.state().is_dark, was_dark);
    hand.press_keys_of(Command::Palette);
    hand.settle();
    hand.type_letters("русс");
    hand.press_key(Key::Enter);
    hand.settle();
    assert_eq!(hand.state().settings.appearance.language, Some(Language::Russian), "by its own name");
    hand.wait_saved("both", |settings| {
        settings.appearance.language == Some(Language::Russian) && settings.appearance.theme != ThemeChoice::System
    });
    hand.assert_took(1, 2, 4);
}
