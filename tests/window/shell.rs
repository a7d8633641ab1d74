//! What is around the views: searching everything, back and forward, help, zoom, the source's state, leaving, files let fall, diagnostics.

use crate::desk::{Desk, Laid, Market, desk_with_market, warm_desk};
use eframe::egui;
use egui::{Event, Key, Modifiers, PointerButton};
use egui_kittest::kittest::Queryable;
use samovar::app::chart::RangeChoice;
use samovar::app::{Command, Connection, Dialog, View};
use samovar::cache::EntryState;
use samovar::desktop::{Claim, claim};
use samovar::market::Symbol;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

/// The line of the palette that Enter runs.
fn first_line(desk: &Desk) -> String {
    use egui_kittest::kittest::NodeT;
    let root = desk.harness.root();
    let is_chosen = |node: &egui_kittest::Node<'_>| {
        let node = node.accesskit_node();
        node.role() == egui::accesskit::Role::Button && node.toggled() == Some(egui::accesskit::Toggled::True)
    };
    // The palette stands in front of everything, and so last.
    let chosen = root.children_recursive().filter(is_chosen).last();
    chosen.and_then(|node| node.accesskit_node().label()).unwrap_or_default()
}

#[test]
fn a_letter_typed_anywhere_searches_the_symbols() {
    let mut desk = warm_desk(5, 3);
    for view in [Command::ShowSymbols, Command::ShowOverview, Command::ShowJobs] {
        desk.shortcut(view);
        desk.settle();
        desk.write("s");
        assert!(matches!(&desk.state().dialog, Some(Dialog::FindSymbol(text)) if text == "s"), "{view:?}");
        desk.write("003");
        desk.settle();
        desk.key(Modifiers::NONE, Key::Enter);
        assert_eq!((desk.state().view, desk.focus().as_str()), (View::Symbols, "S003"), "{view:?}");
        desk.click_row("S001", Modifiers::NONE);
    }
    // In a text, a letter is a letter; and signs that are keys of commands stay theirs.
    desk.shortcut(Command::FocusFilter);
    desk.write("s00");
    assert!(desk.state().dialog.is_none() && desk.state().list.filter() == "s00");
    desk.key(Modifiers::NONE, Key::ArrowDown);
    desk.write("]");
    assert!(desk.state().dialog.is_none());
    desk.shortcut(Command::FindSymbol);
    desk.settle();
    assert!(matches!(&desk.state().dialog, Some(Dialog::FindSymbol(text)) if text.is_empty()));
    assert_eq!(first_line(&desk), "S003", "the last that was found");
}

#[test]
fn a_digit_typed_anywhere_searches_the_symbols_unless_the_chart_was_reached_by_keys() {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    Market::new(&path).put(["000001", "300750", "600000", "600519"].map(|name| (name.to_owned(), 400)));
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.press("Preheat all");
    desk.wait_idle();
    desk.wait_chart("000001");
    // Typed faster than a frame is drawn: nothing of it is lost.
    for digit in ["60", "0", "5", "1", "9"] {
        desk.harness.event(Event::Text(digit.to_owned()));
        desk.harness.step();
    }
    desk.settle();
    assert!(matches!(&desk.state().dialog, Some(Dialog::FindSymbol(text)) if text == "60"));
    assert_eq!(first_line(&desk), "600519");
    desk.key(Modifiers::NONE, Key::Enter);
    desk.wait_chart("600519");

    // A click on the chart leaves the digits to the search.
    let range = |desk: &Desk| desk.state().chart.layout.range;
    let before = range(&desk);
    desk.settle();
    let chart = desk.harness.get_by_label_contains("Chart of 600519").rect().center();
    desk.harness.hover_at(chart);
    for pressed in [true, false] {
        desk.harness.event(Event::PointerButton { pos: chart, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE });
    }
    desk.settle();
    desk.key(Modifiers::NONE, Key::Num3);
    desk.write("3");
    assert!(matches!(&desk.state().dialog, Some(Dialog::FindSymbol(text)) if text == "3"));
    assert_eq!(range(&desk), before);
    desk.key(Modifiers::NONE, Key::Escape);
    desk.key(Modifiers::NONE, Key::Escape);

    // Reached by keys, as its frame shows, they choose what is in view.
    desk.harness.get_by_label_contains("Chart of 600519").focus();
    desk.settle();
    for (key, digit, wanted) in [(Key::Num2, "2", RangeChoice::ThreeMonths), (Key::Num7, "7", RangeChoice::All)] {
        desk.key(Modifiers::NONE, key);
        desk.write(digit);
        assert!(desk.state().dialog.is_none());
        assert_eq!(range(&desk), wanted);
    }
}

#[test]
fn the_palette_offers_what_was_found_last_first_also_after_a_restart() {
    let mut desk = warm_desk(5, 3);
    for text in ["verify files", "s004"] {
        desk.shortcut(Command::Palette);
        desk.write(text);
        desk.settle();
        desk.key(Modifiers::NONE, Key::Enter);
    }
    desk.wait_notice("Verified 10 files");
    let mut desk = desk.restart();
    desk.shortcut(Command::Palette);
    desk.settle();
    assert_eq!(first_line(&desk), "Verify files");
    desk.assert_sees("Recent");
    desk.key(Modifiers::NONE, Key::ArrowDown);
    desk.settle();
    assert!(first_line(&desk).starts_with("S004"));
    desk.key(Modifiers::NONE, Key::Enter);
    assert_eq!(desk.focus(), "S004");
}

#[test]
fn the_palette_leads_to_settings_and_sources_and_takes_letters_that_are_apart() {
    let laid = Laid::new();
    let path = laid.path("other.sqlite");
    Market::new(&path).symbols(2, 3);
    let mut desk = laid.source("Other", &path).open();
    desk.wait_ready();
    desk.shortcut(Command::Palette);
    desk.write("reduced mot");
    desk.settle();
    assert!(first_line(&desk).starts_with("Reduced motion"));
    desk.key(Modifiers::NONE, Key::Enter);
    desk.settle();
    assert_eq!(desk.state().view, View::Settings);
    desk.press("Nothing flashes when it changes");
    desk.wait_saved("reduced motion", |settings| settings.appearance.reduced_motion);
    desk.shortcut(Command::Palette);
    desk.write("use other");
    desk.settle();
    desk.assert_sees("Use the source Other (in use)");
    desk.key(Modifiers::COMMAND, Key::A);
    desk.write("pfhall");
    desk.settle();
    desk.assert_sees("Nothing matches");
    desk.key(Modifiers::COMMAND, Key::A);
    desk.write("prhall");
    desk.settle();
    assert_eq!(first_line(&desk), "Preheat all");
}

fn side_button(desk: &mut Desk, button: PointerButton) {
    let pos = desk.harness.ctx.content_rect().center();
    for pressed in [true, false] {
        desk.harness.event(Event::PointerButton { pos, button, pressed, modifiers: Modifiers::NONE });
    }
    desk.harness.step();
    desk.harness.step();
}

#[test]
fn back_and_forward_lead_through_symbols_and_views() {
    let mut desk = warm_desk(8, 3);
    assert!(!desk.is_enabled("Back") && !desk.is_enabled("Forward"));
    let start = desk.focus();
    desk.click_row("S003", Modifiers::NONE);
    // A walk is one visit.
    for _ in 0..3 {
        desk.key(Modifiers::NONE, Key::ArrowDown);
    }
    assert_eq!(desk.focus(), "S006");
    desk.shortcut(Command::ShowOverview);
    desk.settle();
    let here = |desk: &Desk| (desk.state().view, desk.focus());
    desk.shortcut(Command::GoBack);
    assert_eq!(here(&desk), (View::Symbols, "S006".to_owned()));
    side_button(&mut desk, PointerButton::Extra1);
    assert_eq!(here(&desk), (View::Symbols, "S003".to_owned()));
    desk.wait_chart("S003");
    desk.press("Back");
    assert_eq!(here(&desk), (View::Symbols, start.clone()));
    assert!(!desk.is_enabled("Back"));
    desk.press("Forward");
    side_button(&mut desk, PointerButton::Extra2);
    assert_eq!(here(&desk), (View::Symbols, "S006".to_owned()));
    desk.shortcut(Command::GoForward);
    assert_eq!(desk.state().view, View::Overview);
    // Somewhere else from here: what was ahead is gone.
    desk.shortcut(Command::GoBack);
    desk.click_row("S000", Modifiers::NONE);
    assert!(!desk.is_enabled("Forward"));
}

#[test]
fn help_is_one_key_away_and_searched() {
    let mut desk = warm_desk(2, 3);
    // Over a chart the key is about the chart alone.
    desk.shortcut(Command::ShowOverview);
    desk.write("?");
    desk.settle();
    assert!(matches!(desk.state().dialog, Some(Dialog::Help)));
    desk.key(Modifiers::NONE, Key::Escape);
    desk.shortcut(Command::ShowSymbols);
    desk.shortcut(Command::Help);
    desk.settle();
    assert!(matches!(desk.state().dialog, Some(Dialog::Help)));
    for text in ["On the chart", "On the overview", "Everywhere", "Zoom at the pointer"] {
        desk.assert_sees(text);
    }
    desk.write("zoom");
    desk.settle();
    desk.assert_sees("Zoom at the pointer");
    desk.assert_no("Undo clear");
    desk.key(Modifiers::COMMAND, Key::A);
    desk.write("qqqq");
    desk.settle();
    desk.assert_sees("Nothing matches");
    desk.key(Modifiers::NONE, Key::Escape);
    assert!(desk.state().dialog.is_none());
}

#[test]
fn everything_is_made_larger_and_smaller_and_stays_so() {
    let mut desk = warm_desk(2, 3);
    for _ in 0..3 {
        desk.shortcut(Command::ZoomIn);
    }
    desk.settle();
    assert_eq!(desk.harness.ctx.zoom_factor(), 1.5);
    desk.wait_saved("150 %", |settings| settings.appearance.zoom_percent == 150);
    let mut desk = desk.restart();
    assert_eq!(desk.harness.ctx.zoom_factor(), 1.5);
    for _ in 0..20 {
        desk.shortcut(Command::ZoomOut);
    }
    assert_eq!((desk.harness.ctx.zoom_factor(), desk.state().settings.appearance.zoom_percent), (0.5, 50));
    assert_eq!(Command::ZoomOut.enabled(desk.state()), Err("it is as small as it gets"));
    desk.shortcut(Command::ZoomReset);
    assert_eq!(desk.harness.ctx.zoom_factor(), 1.0);
}

#[test]
fn the_status_bar_says_whether_the_source_answers() {
    let mut desk = desk_with_market(3, 3);
    desk.assert_sees("Market · not connected yet");
    desk.press("Preheat all");
    desk.wait_idle();
    desk.wait_text("Market · connected");
    desk.assert_sees("read-only");
    let file = desk.path("market.sqlite");
    std::fs::rename(&file, desk.path("elsewhere.sqlite")).expect("moved");
    desk.open_source_menu();
    desk.press("Reload symbol list");
    desk.wait_text("Market · offline");
    let Connection::Offline { reason, .. } = desk.state().connection() else { panic!("offline") };
    assert!(reason.contains("market.sqlite"), "{reason}");
    desk.button("Market · offline").hover();
    desk.wait_text("The last question failed");
    std::fs::rename(desk.path("elsewhere.sqlite"), file).expect("back");
    desk.open_source_menu();
    desk.press("Reload symbol list");
    desk.wait_text("Market · connected");
    desk.harness.get_by_label_contains("of 20 GB").hover();
    desk.wait_text("free on its disk");
}

/// What the window asked of the desktop in the last frame.
fn asked(desk: &Desk, wanted: &egui::ViewportCommand) -> bool {
    desk.harness.output().viewport_output.get(&egui::ViewportId::ROOT).is_some_and(|output| output.commands.contains(wanted))
}

/// As when the button of the window's frame is pressed.
fn press_close(desk: &mut Desk) {
    let viewport = desk.harness.input_mut().viewports.entry(egui::ViewportId::ROOT).or_default();
    viewport.events.push(egui::ViewportEvent::Close);
    desk.harness.step();
    let viewport = desk.harness.input_mut().viewports.entry(egui::ViewportId::ROOT).or_default();
    viewport.events.clear();
}

fn busy_desk() -> Desk {
    let mut laid = Laid::new();
    laid.settings.jobs = 1;
    let path = laid.path("market.sqlite");
    Market::new(&path).symbols(100, 30);
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.press("Preheat all");
    desk.pause_running();
    desk
}

#[test]
fn closing_asks_first_while_a_job_runs() {
    let mut desk = busy_desk();
    press_close(&mut desk);
    assert!(asked(&desk, &egui::ViewportCommand::CancelClose));
    desk.settle();
    desk.assert_sees("A job is running");
    desk.press("Cancel");
    assert!(desk.state().dialog.is_none() && desk.state().active_job().is_some());
    desk.shortcut(Command::Quit);
    desk.settle();
    desk.press("Keep running");
    desk.wait("the window to hide", |state| state.closing == samovar::app::Closing::WhenDone);
    // Out of sight it goes on, and ends when its jobs do.
    desk.press("Resume");
    desk.wait_for("the end", |desk| asked(desk, &egui::ViewportCommand::Close));
    assert!(desk.state().jobs.iter().all(|job| job.stage.is_over()));
}

#[test]
fn a_job_that_ends_while_closing_is_asked_about_leaves_nothing_to_ask() {
    let mut desk = busy_desk();
    press_close(&mut desk);
    desk.settle();
    desk.assert_sees("A job is running");
    desk.act(samovar::app::Action::Run(Command::CancelJob));
    desk.wait("the job's end", |state| state.active_job().is_none());
    desk.settle();
    desk.assert_sees("The job has finished");
    desk.assert_no("Keep running");
    desk.press("Close the window");
    desk.wait_for("the end", |desk| asked(desk, &egui::ViewportCommand::Close));
}

#[test]
fn closing_goes_at_once_when_nothing_runs_or_the_job_is_to_stop() {
    let mut desk = warm_desk(2, 3);
    press_close(&mut desk);
    assert!(!asked(&desk, &egui::ViewportCommand::CancelClose) && desk.state().dialog.is_none());
    drop(desk);
    let mut desk = busy_desk();
    desk.shortcut(Command::Quit);
    desk.settle();
    desk.press("Stop and close");
    desk.wait_for("the end", |desk| asked(desk, &egui::ViewportCommand::Close));
    let desk = desk.restart();
    assert!(desk.state().jobs.is_empty() && desk.catalog().len() < 200, "what was not done is left out");
}

#[test]
fn a_second_start_brings_the_window_to_the_front() {
    let mut laid = Laid::new();
    let folder = laid.places.data_dir.clone();
    let Claim::First(instance) = claim(&folder, "this") else { panic!("the first") };
    laid.instance = instance;
    let mut desk = laid.open();
    desk.wait_ready();
    let second = std::thread::spawn(move || matches!(claim(&folder, "this"), Claim::Shown));
    desk.wait_for("the window to come", |desk| asked(desk, &egui::ViewportCommand::Focus));
    assert!(second.join().expect("a claim"));
}

fn drop_on(desk: &mut Desk, paths: &[PathBuf]) {
    let hovered = |path: &PathBuf| egui::HoveredFile { path: Some(path.clone()), ..egui::HoveredFile::default() };
    desk.harness.input_mut().hovered_files = paths.iter().map(hovered).collect();
    desk.harness.step();
    desk.wait_text("nothing is read before you have seen its first rows");
    desk.harness.input_mut().hovered_files.clear();
    desk.harness.input_mut().dropped_files = paths.iter().map(|path| dropped(path)).collect();
    desk.harness.step();
    desk.harness.input_mut().dropped_files.clear();
    desk.harness.step();
}

#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &std::path::Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("not read".to_owned())
    }
}

fn dropped(path: &std::path::Path) -> Arc<dyn egui::DroppedFile + Send + Sync> {
    Arc::new(Dropped(path.to_path_buf()))
}

fn write_csv(path: &std::path::Path) {
    let rows: Vec<String> = (1..=28).map(|day| format!("2024-02-{day:02},1,3,1,{}.5,{day}00", 1 + day % 2)).collect();
    std::fs::write(path, format!("date,open,high,low,close,volume\n{}\n", rows.join("\n"))).expect("write");
}

#[test]
fn files_let_fall_on_the_window_are_shown_before_they_become_a_source() {
    let laid = Laid::new();
    let folder = laid.path("mine");
    std::fs::create_dir_all(&folder).expect("folder");
    let files = ["AAA", "BBB"].map(|name| folder.join(format!("{name}.csv")));
    files.iter().for_each(|file| write_csv(file));
    let mut desk = laid.open();
    desk.wait_ready();
    drop_on(&mut desk, &files);
    desk.wait("the test to end", |state| matches!(&state.dialog, Some(Dialog::Connect(form)) if form.test.report().is_some()));
    desk.settle();
    for text in ["2 files were dropped", "First rows", "2024-02-01"] {
        desk.assert_sees(text);
    }
    assert!(desk.catalog().is_empty(), "nothing happens unasked");
    desk.press("Connect and preheat");
    desk.wait_idle();
    assert_eq!((desk.row("AAA").state, desk.row("BBB").rows), (EntryState::Fresh, 28));
    // What is no data is refused in words.
    let text = desk.path("notes.txt");
    std::fs::write(&text, "hello").expect("write");
    drop_on(&mut desk, &[text]);
    desk.wait_notice("Drop a folder, or CSV, Parquet or SQLite files");
    assert!(desk.state().dialog.is_none());
    // A folder may be called like a file: the disk is asked, and not by the window.
    let other = desk.path("year.2024");
    std::fs::create_dir_all(&other).expect("folder");
    write_csv(&other.join("CCC.csv"));
    drop_on(&mut desk, &[other]);
    desk.wait("the test to end", |state| matches!(&state.dialog, Some(Dialog::Connect(form)) if form.test.report().is_some()));
    desk.settle();
    desk.assert_sees("2024-02-01");
}

#[test]
fn what_is_remembered_is_there_after_a_crash() {
    let mut desk = warm_desk(5, 3);
    desk.click_row("S003", Modifiers::NONE);
    desk.shortcut(Command::ShowJobs);
    desk.clock.advance(31_000_000);
    let file = desk.places.workspace_file();
    desk.wait_for("a copy", |_| file.exists());
    let mut desk = desk.restart_after_crash();
    assert_eq!(desk.state().view, View::Jobs);
    assert_eq!(desk.focus(), "S003");
    // What was kept when the window closed is newer.
    desk.shortcut(Command::ShowOverview);
    desk.clock.advance(1_000_000);
    let desk = desk.restart();
    assert_eq!(desk.state().view, View::Overview);
}

#[test]
fn a_pasted_url_fills_the_form_and_does_not_show_its_password() {
    let mut desk = Laid::new().open();
    desk.wait_ready();
    desk.press_and_settle("Connect a database…");
    desk.fill("URL", "postgres://reader:kettle-9@db.example.com:6543/market?table=bars&symbol=code");
    desk.settle();
    let Some(Dialog::Connect(form)) = &desk.state().dialog else { panic!("the dialog") };
    assert_eq!((form.host.as_str(), form.port.as_str(), form.user.as_str()), ("db.example.com", "6543", "reader"));
    assert_eq!((form.database.as_str(), form.table.as_str(), form.password.reveal()), ("market", "bars", "kettle-9"));
    assert_eq!(form.column(samovar::source::ColumnRole::Symbol), Some("code"));
    desk.assert_no("kettle-9");
    desk.fill("URL", "oracle://nowhere");
    desk.settle();
    desk.assert_sees("this kind of source is not known");
    desk.assert_sees("db.example.com");
}

#[test]
fn a_url_that_is_typed_quicker_than_the_window_draws_is_left_alone_until_its_field_is_left() {
    let mut desk = Laid::new().open();
    desk.wait_ready();
    desk.press_and_settle("Connect a database…");
    desk.settle();
    // The first field has the cursor; all keys come within one frame.
    for letter in "mysql://reader:to@127.0.0.1:3307/market".chars() {
        desk.harness.event(egui::Event::Text(letter.to_string()));
    }
    desk.settle();
    desk.key(Modifiers::NONE, Key::Tab);
    desk.settle();
    let Some(Dialog::Connect(form)) = &desk.state().dialog else { panic!("the dialog is open") };
    let fields = [&form.host, &form.port, &form.user, &form.database];
    assert_eq!(fields.map(String::as_str), ["127.0.0.1", "3307", "reader", "market"]);
    assert_eq!(form.password.reveal(), "to");
}

#[test]
fn a_password_in_the_settings_file_is_not_shown() {
    let mut laid = Laid::new();
    let url = "mysql://reader:kettle-in-clear@127.0.0.1:1/market".to_owned();
    laid.settings.sources.push(samovar::config::SourceSetting { name: "Market".to_owned(), url, exchange: None });
    let mut desk = laid.open();
    desk.wait_ready();
    desk.shortcut(Command::ShowSettings);
    desk.settle();
    desk.assert_sees("mysql://reader@127.0.0.1:1/market");
    desk.assert_no("kettle-in-clear");
}

#[test]
fn without_file_dialogs_a_path_is_typed() {
    use samovar::ui::PathPurpose;
    let mut desk = Laid::new().open();
    desk.wait_ready();
    desk.press_and_settle("Connect a database…");
    desk.press_and_settle("SQLite");
    desk.refuse(PathPurpose::SourceFile);
    desk.settle();
    desk.assert_sees("This desktop has no file dialog");
    desk.key(Modifiers::NONE, Key::Escape);
    desk.settle();
    desk.assert_no("This desktop has no file dialog");
    assert!(matches!(desk.state().dialog, Some(Dialog::Connect(_))), "Esc closes what is in front alone");
    desk.refuse(PathPurpose::SourceFile);
    desk.settle();
    desk.fill("Path", "/data/prices.db");
    desk.press_and_settle("Use this path");
    desk.settle();
    let Some(Dialog::Connect(form)) = &desk.state().dialog else { panic!("the dialog is open") };
    assert_eq!(form.path, "/data/prices.db");
}

#[test]
fn about_says_which_version_this_is_and_where_it_keeps_things() {
    let mut desk = warm_desk(2, 3);
    desk.press("All commands");
    desk.press_in_menu("About Samovar");
    desk.settle();
    desk.assert_sees(env!("CARGO_PKG_VERSION"));
    desk.assert_sees(&desk.places.cache_dir.display().to_string());
    let copied = desk.copied_by("Copy");
    assert!(copied.contains("Version\t") && copied.contains("MIT OR Apache-2.0"), "{copied}");
    desk.key(Modifiers::NONE, Key::Escape);
    assert!(desk.state().dialog.is_none());
}

#[test]
fn without_a_source_the_palette_offers_first_what_can_be_run() {
    let mut desk = Laid::new().open();
    desk.wait_ready();
    desk.shortcut(Command::Palette);
    desk.settle();
    let first = first_line(&desk);
    assert!(!first.contains('('), "{first:?} cannot be run");
    desk.assert_sees("Not possible now");
}

#[test]
fn sources_are_renamed_copied_and_forgotten_with_a_way_back() {
    let mut desk = warm_desk(3, 3);
    desk.shortcut(Command::ShowSettings);
    desk.settle();
    desk.press_and_settle("Rename Market");
    desk.fill("New name of Market", "Daily bars");
    desk.key(Modifiers::NONE, Key::Enter);
    desk.wait_saved("the name", |settings| settings.source.as_deref() == Some("Daily bars") && settings.sources.len() == 1);
    assert!(desk.state().snapshot.rows.iter().all(|row| row.state == EntryState::Fresh), "what was cached is its own");
    desk.press_and_settle("Copy Daily bars");
    desk.assert_sees("Connect a source");
    desk.assert_sees("Daily bars (copy)");
    let other = desk.path("other.sqlite");
    Market::new(&other).symbols(2, 3);
    desk.fill("File", &other.to_string_lossy());
    desk.press("Connect and preheat");
    desk.wait_idle();
    assert_eq!(desk.listed().len(), 2);
    desk.shortcut(Command::ShowSettings);
    desk.settle();
    desk.press_and_settle("Forget Daily bars (copy)");
    desk.wait_saved("one source", |settings| settings.sources.len() == 1 && settings.source.as_deref() == Some("Daily bars"));
    desk.press_and_settle("Undo");
    desk.wait_saved("both", |settings| settings.sources.len() == 2 && settings.source.as_deref() == Some("Daily bars (copy)"));
}

#[test]
fn settings_are_searched_and_brought_back_one_by_one() {
    let mut desk = warm_desk(2, 3);
    desk.shortcut(Command::ShowSettings);
    desk.settle();
    desk.key(Modifiers::COMMAND, Key::F);
    desk.write("memory");
    desk.settle();
    desk.assert_sees("Memory budget");
    desk.assert_no("Working threads");
    assert!(!desk.has_button("Back to the default: Memory budget"));
    desk.fill("Memory budget", "64 MB");
    desk.key(Modifiers::NONE, Key::Enter);
    desk.wait_saved("64 MB", |settings| settings.memory_budget_bytes == 64_000_000);
    desk.press("Back to the default: Memory budget");
    desk.wait_saved("256 MB", |settings| settings.memory_budget_bytes == 256_000_000);
    // Choices tell what they usually are once they are something else.
    desk.fill("Search settings", "appearance");
    desk.settle();
    desk.assert_no("default As the desktop");
    desk.press_and_settle("Light");
    desk.press_and_settle("Red up, green down");
    desk.assert_sees("default As the desktop");
    desk.assert_sees("default Green up, red down");
    desk.press_and_settle("Back to the default: Theme");
    desk.assert_no("default As the desktop");
    desk.wait_saved("the usual theme", |settings| settings.appearance.theme == samovar::config::ThemeChoice::System);
    desk.fill("Search settings", "kettle");
    desk.settle();
    desk.assert_sees("No setting of this name");
}

#[test]
fn the_diagnostics_hold_what_helps_and_no_secret() {
    const PASSWORD: &str = "kettle-and-samovar-9";
    let mut desk = warm_desk(3, 3);
    // A password that is kept, in use, and was part of a failure.
    desk.open_source_menu();
    desk.press("Connect a database…");
    desk.settle();
    desk.press_and_settle("MySQL / MariaDB");
    for (field, text) in [("Port", "1"), ("User", "secret-reader"), ("Password", PASSWORD), ("Database", "market")] {
        desk.fill(field, text);
    }
    desk.press("Connect and preheat");
    desk.wait_for("the test to end", |desk| desk.has_button("Connect all the same"));
    desk.press("Connect all the same");
    desk.wait_notice("failed");
    desk.wait_notice("no keyring");
    desk.wait_saved("the source", |settings| settings.sources.len() == 2);
    tracing::warn!("the password of this test is {PASSWORD}");
    desk.press_and_settle("All commands");
    desk.press_in_menu("View");
    desk.press_in_menu("Save diagnostics…");
    desk.settle();
    let path = desk.places.documents_dir.join("samovar-diagnostics-2024-05-06.zip");
    desk.assert_sees(&path.display().to_string());
    desk.press("Save");
    desk.wait_text("Saved,");
    let mut bundle = zip::ZipArchive::new(std::fs::File::open(&path).expect("a bundle")).expect("a ZIP file");
    let mut all = String::new();
    for name in ["about.txt", "settings.toml", "messages.txt", "log.txt", "jobs.json", "cache.json"] {
        let mut text = String::new();
        bundle.by_name(name).unwrap_or_else(|_| panic!("{name}")).read_to_string(&mut text).expect("text");
        assert!(name == "log.txt" || text.len() > 2, "{name} is empty");
        all += &text;
    }
    for text in ["Samovar 0.1.0", "ttl = \"24h\"", "127.0.0.1:1", "Preheat all finished", "\"fresh\"", "free_disk_bytes"] {
        assert!(all.contains(text), "{text:?} is missing in {all}");
    }
    for secret in [PASSWORD, "secret-reader@", "secret-reader:"] {
        assert!(!all.contains(secret), "{secret:?} is in it");
    }
    desk.press("Done");
    assert!(desk.state().dialog.is_none());
}

#[test]
fn view_symbol_selection_and_size_are_there_again_after_a_restart() {
    let mut desk = warm_desk(5, 3);
    desk.click_row("S001", Modifiers::NONE);
    desk.click_row("S003", Modifiers::COMMAND);
    desk.wait_chart("S003");
    desk.press_and_settle("6M");
    desk.shortcut(Command::ShowInspector);
    let desk = desk.restart();
    assert_eq!(desk.state().chart.layout.range, RangeChoice::SixMonths);
    assert_eq!((desk.selected(), desk.focus()), (vec!["S001".to_owned(), "S003".to_owned()], "S003".to_owned()));
    assert!(desk.state().inspector.open && desk.state().row(&Symbol::new("S001")).is_some());
}
