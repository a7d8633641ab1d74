//! The connection dialog: the staged test, what each failure says, the columns, the preview, and what is saved.

use crate::desk::{Desk, Laid, Market, warm_desk};
use crate::servers::{self, Server};
use eframe::egui::{Key, Modifiers};
use samovar::app::Dialog;
use samovar::cache::EntryState;
use samovar::source::SourceKind;
use std::path::Path;

/// The dialog for a file, with the path typed in.
fn dialog(kind: &str, path: &Path) -> Desk {
    let mut desk = Laid::new().open();
    desk.wait_ready();
    desk.press_and_settle("Connect a database…");
    desk.press_and_settle(kind);
    desk.fill(if kind == "SQLite" { "File" } else { "File or folder" }, &path.to_string_lossy());
    desk
}

fn test(desk: &mut Desk) {
    desk.press("Test connection");
    desk.wait("the test to end", |state| matches!(&state.dialog, Some(Dialog::Connect(form)) if form.test.report().is_some()));
    desk.settle();
}

fn folder() -> tempfile::TempDir {
    tempfile::TempDir::new().expect("a folder")
}

#[test]
fn a_database_is_tested_stage_by_stage_previewed_connected_and_preheated() {
    let folder = folder();
    let path = folder.path().join("prices.sqlite");
    Market::new(&path).put([("AAA".to_owned(), 30), ("BBB".to_owned(), 20)]);
    let mut desk = dialog("SQLite", &path);
    test(&mut desk);
    for text in ["Name", "Table", "Columns", "First rows", "table stock_kline_data", "date = trade_date", "a local file needs no login"] {
        desk.assert_sees(text);
    }
    desk.assert_sees("2024-04-06");
    desk.press("Connect and preheat");
    desk.wait_chart("AAA");
    desk.wait_idle();
    assert_eq!(desk.cached_files().len(), 4);
    desk.wait_saved("the source", |settings| {
        settings.source.as_deref() == Some("prices") && settings.source_url().is_some_and(|url| url.contains("prices.sqlite"))
    });
}

#[test]
fn enter_in_a_field_tests_what_is_typed() {
    let folder = folder();
    let path = folder.path().join("prices.sqlite");
    Market::new(&path).put([("AAA".to_owned(), 30)]);
    let mut desk = dialog("SQLite", &path);
    desk.key(Modifiers::NONE, Key::Enter);
    desk.wait("the test to end", |state| matches!(&state.dialog, Some(Dialog::Connect(form)) if form.test.report().is_some()));
}

#[test]
fn a_url_that_failed_is_typed_anew_where_the_cursor_still_is_and_connected() {
    let folder = folder();
    let path = folder.path().join("prices.sqlite");
    Market::new(&path).put([("AAA".to_owned(), 30)]);
    let mut desk = Laid::new().open();
    desk.wait_ready();
    desk.press_and_settle("Connect a database…");
    let write = |desk: &mut Desk, text: &str| {
        for letter in text.chars() {
            desk.write(&letter.to_string());
        }
    };
    write(&mut desk, "mysql://root@127.0.0.1:1/x");
    desk.key(Modifiers::NONE, Key::Enter);
    desk.wait("the test to fail", |state| matches!(&state.dialog, Some(Dialog::Connect(form)) if form.test.report().is_some()));
    desk.settle();
    desk.key(Modifiers::COMMAND, Key::A);
    write(&mut desk, &format!("sqlite:{}", path.display()));
    desk.key(Modifiers::NONE, Key::Enter);
    desk.wait_chart("AAA");
}

#[test]
fn a_folder_of_files_is_a_source_too() {
    let folder = folder();
    for symbol in ["AAA", "BBB"] {
        let rows: Vec<String> = (1..=28).map(|day| format!("2024-02-{day:02},1,3,1,{}.5,{day}00", 1 + day % 2)).collect();
        let text = format!("date,open,high,low,close,volume\n{}\n", rows.join("\n"));
        std::fs::write(folder.path().join(format!("{symbol}.csv")), text).expect("write");
    }
    let mut desk = dialog(SourceKind::Files.label(), folder.path());
    test(&mut desk);
    desk.assert_sees("files have no tables");
    desk.fill("Name", "Files of mine");
    desk.press("Connect and preheat");
    desk.wait_chart("AAA");
    desk.wait_idle();
    assert_eq!((desk.row("BBB").state, desk.row("BBB").rows), (EntryState::Fresh, 28));
    desk.wait_saved("the name", |settings| settings.source.as_deref() == Some("Files of mine"));
}

#[test]
fn columns_with_names_of_their_own_are_pointed_out_by_hand() {
    let folder = folder();
    let path = folder.path().join("odd.sqlite");
    let database = rusqlite::Connection::open(&path).expect("a database");
    let sql = "CREATE TABLE bars (symbol TEXT, date TEXT, open REAL, high REAL, low REAL, kurs REAL, other REAL);
               INSERT INTO bars VALUES ('AAA', '2024-02-01', 1, 3, 1, 2, 9), ('AAA', '2024-02-02', 2, 4, 2, 3, 9);";
    database.execute_batch(sql).expect("sql");
    let mut desk = dialog("SQLite", &path);
    desk.fill("Table", "bars");
    test(&mut desk);
    desk.assert_sees("close");
    desk.assert_sees("kurs");
    assert!(matches!(&desk.state().dialog, Some(Dialog::Connect(form)) if !form.test.report().expect("a report").passed()));
    desk.choose("close", "kurs");
    test(&mut desk);
    desk.assert_sees("close = kurs");
    desk.press("Connect and preheat");
    desk.wait_idle();
    desk.wait_chart("AAA");
    let loaded = desk.state().chart.loaded.clone().expect("a chart");
    assert_eq!(loaded.data.bars.close, [2.0, 3.0]);
    desk.wait_saved("the column", |settings| settings.source_url().is_some_and(|url| url.contains("close=kurs")));
}

/// Tests what is typed and expects the stage to fail with words about what happened and what to do.
fn expect_failure(desk: &mut Desk, stage: &str, words: &[&str]) {
    test(desk);
    let state = desk.state();
    let Some(Dialog::Connect(form)) = &state.dialog else { panic!("the dialog is open") };
    let failed = form.test.report().expect("a report").failed_stage().cloned().expect("a failure");
    assert_eq!(failed.stage.label(), stage);
    let samovar::source::StageOutcome::Failed { what_happened, what_to_do } = failed.outcome else { panic!("failed") };
    desk.assert_sees(stage);
    desk.assert_sees(&what_happened);
    desk.assert_sees(&what_to_do);
    for word in words {
        assert!(what_happened.contains(word) || what_to_do.contains(word), "{word:?} is not in {what_happened:?} or {what_to_do:?}");
    }
    assert!(desk.catalog().is_empty(), "a test caches nothing");
}

#[test]
fn what_is_wrong_with_a_file_is_told_at_the_stage_where_it_shows() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("text.sqlite"), "this is no database, whatever its name says".repeat(100)).expect("write");
    rusqlite::Connection::open(at("empty.sqlite")).expect("open").execute_batch("CREATE TABLE notes (text TEXT)").expect("sql");
    rusqlite::Connection::open(at("few.sqlite"))
        .expect("open")
        .execute_batch("CREATE TABLE bars (symbol TEXT, date TEXT, open REAL, close REAL)")
        .expect("sql");
    Market::new(&at("no-rows.sqlite"));
    let mut desk = dialog("SQLite", &at("nowhere.sqlite"));
    expect_failure(&mut desk, "Name", &["nowhere.sqlite"]);
    desk.fill("File", &at("text.sqlite").to_string_lossy());
    assert!(!desk.sees("nowhere.sqlite does not"), "another path makes the test old");
    expect_failure(&mut desk, "Table", &["text.sqlite"]);
    desk.fill("File", &at("empty.sqlite").to_string_lossy());
    expect_failure(&mut desk, "Columns", &["notes"]);
    desk.fill("File", &at("no-rows.sqlite").to_string_lossy());
    desk.fill("Table", "klines");
    expect_failure(&mut desk, "Table", &["klines", "stock_kline_data"]);
    desk.fill("Table", "");
    expect_failure(&mut desk, "First rows", &["no rows"]);
    desk.fill("File", &at("few.sqlite").to_string_lossy());
    desk.fill("Table", "bars");
    expect_failure(&mut desk, "Columns", &["high", "low"]);
}

#[test]
fn a_source_with_no_rows_is_explained_when_it_is_connected_all_the_same() {
    let folder = folder();
    let path = folder.path().join("no-rows.sqlite");
    Market::new(&path);
    let mut desk = dialog("SQLite", &path);
    desk.press("Connect and preheat");
    desk.wait_for("the test to end", |desk| desk.has_button("Connect all the same"));
    desk.press("Connect all the same");
    desk.wait_notice("has no rows");
    desk.press_and_settle("Jobs");
    desk.wait_text("has no rows");
}

#[test]
fn a_server_that_is_not_there_is_explained_and_the_password_is_seen_nowhere() {
    const PASSWORD: &str = "kettle-and-samovar-9";
    let mut desk = Laid::new().open();
    desk.wait_ready();
    desk.press_and_settle("Connect a database…");
    for kind in [SourceKind::MySql.label(), SourceKind::Postgres.label()] {
        desk.press_and_settle(kind);
        desk.fill("Port", "1");
        desk.fill("User", "reader");
        desk.fill("Password", PASSWORD);
        desk.fill("Database", "market");
        expect_failure(&mut desk, "Connection", &["127.0.0.1:1", "refused"]);
        desk.assert_sees("127.0.0.1 is an address and needs no lookup");
        desk.assert_no(PASSWORD);
    }
    desk.fill("Port", "many");
    assert!(!desk.is_enabled("Test connection"), "the port is no number");
    desk.fill("Port", "1");
    desk.press("Connect and preheat");
    desk.wait_for("the test to end", |desk| desk.has_button("Connect all the same"));
    desk.press("Connect all the same");
    let told = desk.wait_notice("failed");
    assert!(told.contains("127.0.0.1:1"), "{told}");
    desk.press_and_settle("Jobs");
    desk.wait_text("127.0.0.1:1");
    desk.wait_saved("the source", |settings| settings.source_url().is_some_and(|url| url.contains("reader@127.0.0.1")));
    // Told once the password has been put where it is kept.
    desk.wait_notice("no keyring");
    desk.assert_no(PASSWORD);
    for (path, bytes) in Desk::files_below(desk.places.settings_file.parent().expect("a folder")) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let is_secret = path.file_name().is_some_and(|name| name == "credentials.toml");
        assert_eq!(text.contains(PASSWORD), is_secret, "{}", path.display());
    }
    let texts: Vec<String> = desk.state().notices.history().iter().map(|notice| notice.text.clone()).collect();
    assert!(texts.iter().all(|text| !text.contains(PASSWORD)) && texts.iter().any(|text| text.contains("no keyring")), "{texts:?}");
}

#[test]
fn a_form_with_something_missing_says_what() {
    let mut desk = Laid::new().open();
    desk.wait_ready();
    desk.press_and_settle("Connect a database…");
    desk.press_and_settle("SQLite");
    for button in ["Test connection", "Connect and preheat"] {
        assert!(!desk.is_enabled(button), "{button}");
    }
    desk.button("Test connection").hover();
    desk.wait_text("Choose a file or folder");
    desk.press_and_settle("PostgreSQL");
    desk.button("Test connection").hover();
    desk.wait_text("Enter the database");
}

/// The whole way with a server: what it refuses is explained, what it accepts is preheated, and the password is asked for once.
fn with_server(kind: SourceKind, server: &Server) {
    let database = server.new_database();
    server.execute(&database, "CREATE TABLE bars (symbol VARCHAR(20), date DATE, open FLOAT, high FLOAT, low FLOAT, close FLOAT)");
    server.execute(&database, "INSERT INTO bars VALUES ('AAA', '2024-02-01', 1, 3, 1, 2), ('AAA', '2024-02-02', 2, 4, 2, 3)");
    let mut desk = Laid::new().open();
    desk.wait_ready();
    desk.press_and_settle("Connect a database…");
    desk.press_and_settle(kind.label());
    desk.fill("Port", &server.port.to_string());
    desk.fill("User", servers::USER);
    desk.fill("Password", "not-the-password");
    desk.fill("Database", &database);
    expect_failure(&mut desk, "Login", &[servers::USER, "password"]);
    desk.assert_no("not-the-password");
    desk.fill("Password", servers::PASSWORD);
    desk.fill("Database", "nowhere");
    expect_failure(&mut desk, "Login", &["nowhere"]);
    desk.fill("Database", &database);
    desk.fill("Table", "klines");
    expect_failure(&mut desk, "Table", &["klines", "bars"]);
    desk.fill("Table", "bars");
    test(&mut desk);
    desk.assert_sees("a session that can only read");
    desk.press("Connect and preheat");
    desk.wait_chart("AAA");
    desk.wait_idle();
    assert_eq!(desk.cached_files().len(), 2);
    desk.assert_no(servers::PASSWORD);
    let saved = std::fs::read_to_string(&desk.places.settings_file).expect("settings");
    assert!(!saved.contains(servers::PASSWORD) && !saved.contains(servers::PASSWORD_IN_URL), "{saved}");

    server.execute(&database, "INSERT INTO bars VALUES ('AAA', '2024-02-03', 3, 5, 3, 4)");
    let mut desk = desk.restart();
    desk.wait("the symbol", |state| state.snapshot.rows.len() == 1);
    desk.press("Preheat this symbol");
    desk.wait_idle();
    desk.shortcut(samovar::app::Command::SelectAll);
    desk.press("Refresh");
    desk.wait_for("the new bar, with the password as kept", |desk| desk.row("AAA").rows == 3);
}

#[test]
fn mariadb_is_connected_with_a_password_that_is_asked_for_once() {
    if let Some(server) = servers::mariadb() {
        with_server(SourceKind::MySql, server);
    }
}

#[test]
fn postgres_is_connected_with_a_password_that_is_asked_for_once() {
    if let Some(server) = servers::postgres() {
        with_server(SourceKind::Postgres, server);
    }
}

#[test]
fn enter_on_a_url_that_is_none_connects_nothing_else() {
    let mut desk = warm_desk(2, 30);
    let before = desk.state().settings.sources.clone();
    let jobs = desk.state().jobs.len();
    desk.act(samovar::app::Action::Source(samovar::app::SourceAction::Edit(Some("Market".to_owned()))));
    desk.settle();
    desk.fill("URL", "mysq://db2/market");
    desk.key(eframe::egui::Modifiers::NONE, eframe::egui::Key::Enter);
    desk.settle();
    assert!(matches!(&desk.state().dialog, Some(Dialog::Connect(form)) if form.pasted_problem.is_some()), "it says what is wrong");
    assert_eq!((&desk.state().settings.sources, desk.state().jobs.len()), (&before, jobs), "the fields are of another source");
}
