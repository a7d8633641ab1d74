//! Bars, menus, palette, help: what is around every view, and when a command can be run.

use crate::desk::{Desk, Laid, desk_with_market, warm_desk};
use eframe::egui;
use egui::{Key, Modifiers};
use samovar::app::{Command, CommandGroup, Dialog, View};
use samovar::cache::EntryState;
use samovar::config::ThemeChoice;
use strum::IntoEnumIterator;

/// Presses the keys and expects to be there.
fn go(desk: &mut Desk, command: Command, view: View) {
    desk.shortcut(command);
    assert_eq!(desk.state().view, view, "{command:?}");
    if view == View::Overview {
        desk.wait("the overview's numbers", |state| state.overview.survey.is_some());
    }
    desk.settle();
}

const VIEWS: [(Command, View); 4] = [
    (Command::ShowOverview, View::Overview),
    (Command::ShowJobs, View::Jobs),
    (Command::ShowSettings, View::Settings),
    (Command::ShowSymbols, View::Symbols),
];

#[test]
fn every_view_is_one_key_or_one_click_away() {
    let mut desk = warm_desk(3, 40);
    for (command, view) in VIEWS {
        go(&mut desk, command, view);
    }
    for (command, view) in VIEWS {
        desk.press_and_settle(command.text());
        assert_eq!(desk.state().view, view);
    }
}

#[test]
fn the_overview_counts_what_is_on_disk_and_leads_to_the_symbols_of_a_state() {
    let mut desk = warm_desk(5, 40);
    desk.click_row("S001", Modifiers::NONE);
    desk.click_row("S002", Modifiers::COMMAND);
    desk.press("Invalidate");
    desk.wait_for("a stale symbol", |desk| desk.row("S001").state == EntryState::Stale);
    go(&mut desk, Command::ShowOverview, View::Overview);
    desk.assert_sees("hot: 3 of 5 symbols");
    let (bars, features): (Vec<_>, Vec<_>) =
        desk.cached_files().into_iter().partition(|(path, _)| path.to_string_lossy().contains("bars-v1"));
    let bytes = |files: &[(std::path::PathBuf, Vec<u8>)]| files.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>();
    for total in [bytes(&bars), bytes(&features), bytes(&bars) + bytes(&features)] {
        desk.assert_sees(&samovar::format::bytes(total));
    }
    desk.press_and_settle("stale");
    assert_eq!((desk.state().view, desk.listed()), (View::Symbols, vec!["S001".to_owned(), "S002".to_owned()]));
}

#[test]
fn verify_tells_of_sound_files_and_of_broken_ones_and_clear_expired_takes_what_is_stale() {
    let mut desk = warm_desk(4, 40);
    go(&mut desk, Command::ShowOverview, View::Overview);
    desk.press("Verify files");
    desk.wait_notice("Verified 8 files: every one is as it was written");
    let file = desk.files_of("S001").into_keys().next().expect("a file");
    std::fs::write(&file, b"rubbish").expect("write");
    desk.press("Verify files");
    desk.wait_notice("Verified 8 files: 1 damaged");
    assert!(file.exists(), "only looked at");
    go(&mut desk, Command::ShowJobs, View::Jobs);
    desk.tick();
    desk.press("Verify and repair");
    desk.wait_idle();
    assert_eq!((desk.row("S001").state, desk.files_of("S001").len()), (EntryState::Fresh, 2), "fetched or computed again by itself");
    assert_eq!(Desk::files_below(&desk.folders().quarantine()).len(), 1);

    go(&mut desk, Command::ShowSymbols, View::Symbols);
    desk.click_row("S003", Modifiers::NONE);
    desk.click_row("S003", Modifiers::COMMAND);
    desk.press("Invalidate");
    desk.wait_for("a stale symbol", |desk| desk.row("S003").state == EntryState::Stale);
    desk.tick();
    go(&mut desk, Command::ShowOverview, View::Overview);
    desk.press_and_settle("Clear expired…");
    desk.assert_sees("Everything that is not fresh");
    desk.press("Clear");
    desk.wait_for("the stale files to go", |desk| desk.files_of("S003").is_empty());
    assert_eq!((desk.files_of("S000").len(), desk.files_of("S002").len()), (2, 2), "what is fresh stays");
}

#[test]
fn preheat_all_and_the_menu_of_sources_do_what_they_say() {
    let mut desk = desk_with_market(5, 3);
    desk.open_source_menu();
    desk.press("Reload symbol list");
    desk.wait("five symbols", |state| state.snapshot.rows.len() == 5);
    assert!(desk.cached_files().is_empty(), "only listed");
    assert!(desk.state().snapshot.rows.iter().all(|row| row.state == EntryState::Missing && row.source_rows == Some(3)));
    desk.press("Preheat all");
    desk.wait_idle();
    assert_eq!(desk.cached_files().len(), 10);
    // A second source: the first one's entries stay and come back with it.
    desk.open_source_menu();
    desk.press("Connect a database…");
    assert!(matches!(desk.state().dialog, Some(Dialog::Connect(_))));
    desk.key(Modifiers::NONE, Key::Escape);
    desk.press("All commands");
    desk.press_in_menu("Source");
    desk.press_in_menu("Try the sample market");
    desk.wait("the sample", |state| state.snapshot.rows.len() >= 300 && state.settings.source.as_deref() == Some("Sample market"));
    desk.shortcut(Command::CancelJob);
    desk.wait_idle();
    desk.open_source_menu();
    desk.press("Market");
    desk.wait("the first market", |state| state.snapshot.rows.len() == 5);
    assert!(desk.state().snapshot.rows.iter().all(|row| row.state == EntryState::Fresh));
    desk.wait_saved("the market is in use", |settings| settings.source.as_deref() == Some("Market") && settings.sources.len() == 2);
}

#[test]
fn the_palette_finds_commands_and_symbols_by_typing() {
    let mut desk = warm_desk(5, 3);
    desk.shortcut(Command::Palette);
    desk.write("overv");
    desk.settle();
    desk.key(Modifiers::NONE, Key::Enter);
    assert_eq!((desk.state().view, desk.state().dialog.is_none()), (View::Overview, true));
    desk.press("Search commands and symbols…");
    desk.write("s003");
    desk.key(Modifiers::NONE, Key::Enter);
    assert_eq!((desk.state().view, desk.focus().as_str()), (View::Symbols, "S003"), "a symbol leads to its chart");
    desk.wait_chart("S003");
    desk.shortcut(Command::Palette);
    desk.write("undo clear");
    desk.settle();
    desk.assert_sees("nothing was cleared in the last 24 hours");
    desk.key(Modifiers::NONE, Key::Enter);
    assert!(matches!(desk.state().dialog, Some(Dialog::Palette)), "what cannot be run is not run");
    desk.key(Modifiers::COMMAND, Key::A);
    desk.write("qqqq");
    desk.settle();
    desk.assert_sees("Nothing matches");
    desk.key(Modifiers::NONE, Key::Escape);
    assert!(desk.state().dialog.is_none());
    // Arrow keys choose another line.
    desk.shortcut(Command::Palette);
    desk.write("s00");
    desk.key(Modifiers::NONE, Key::ArrowDown);
    desk.key(Modifiers::NONE, Key::ArrowDown);
    desk.key(Modifiers::NONE, Key::ArrowUp);
    desk.key(Modifiers::NONE, Key::Enter);
    assert_eq!(desk.focus(), "S001");
}

#[test]
fn the_help_sheet_lists_every_shortcut() {
    let mut desk = warm_desk(2, 3);
    desk.shortcut(Command::Help);
    desk.settle();
    let texts = desk.texts();
    for command in Command::iter() {
        let Some(keys) = command.shortcut() else { continue };
        let place = texts.iter().position(|text| *text == keys.to_string()).unwrap_or_else(|| panic!("{keys} is not listed"));
        assert_eq!(texts[place + 1], command.text(), "{keys}");
    }
    desk.press_and_settle("Close");
    assert!(desk.state().dialog.is_none());
    desk.press("Keyboard shortcuts");
    assert!(matches!(desk.state().dialog, Some(Dialog::Help)));
}

#[test]
fn the_theme_is_switched_at_once_and_kept() {
    let mut desk = warm_desk(2, 3);
    let dark = desk.harness.ctx.global_style().visuals.dark_mode;
    desk.press_and_settle("Switch between light and dark");
    assert_eq!(desk.harness.ctx.global_style().visuals.dark_mode, !dark);
    let wanted = if dark { ThemeChoice::Light } else { ThemeChoice::Dark };
    desk.wait_saved("the theme", |settings| settings.appearance.theme == wanted);
    desk.shortcut(Command::ToggleTheme);
    desk.settle();
    assert_eq!(desk.harness.ctx.global_style().visuals.dark_mode, dark);
    let wanted = if dark { ThemeChoice::Dark } else { ThemeChoice::Light };
    desk.wait_saved("the theme", |settings| settings.appearance.theme == wanted);
}

/// The menu offers exactly what can be run, and says why not where it cannot.
fn compare_menu(desk: &mut Desk) {
    use egui_kittest::kittest::{NodeT, Queryable};
    let in_front = [Command::Palette, Command::Help, Command::About, Command::Quit];
    let listed = |command: &Command| {
        let elsewhere = matches!(command, Command::PreviousSymbol | Command::NextSymbol) || in_front.contains(command);
        command.language().is_none() && !elsewhere
    };
    let compare = |desk: &Desk, command: Command| {
        let label = command.text();
        let item = desk.harness.get_all_by_role_and_label(egui::accesskit::Role::Button, label).last().expect("in the menu");
        assert_eq!(!item.accesskit_node().is_disabled(), command.enabled(desk.state()).is_ok(), "{command:?}");
    };
    desk.press_and_settle("All commands");
    in_front.into_iter().for_each(|command| compare(desk, command));
    for group in CommandGroup::iter() {
        desk.press_in_menu(group.text());
        desk.settle();
        group.commands().filter(listed).for_each(|command| compare(desk, command));
    }
    desk.key(Modifiers::NONE, Key::Escape);
    desk.key(Modifiers::NONE, Key::Escape);
    desk.settle();
}

#[test]
fn commands_can_be_run_only_when_they_make_sense_and_say_why_not() {
    let reason = |desk: &Desk, command: Command| command.enabled(desk.state()).err();
    let mut desk = Laid::new().open();
    desk.wait_ready();
    for command in [Command::PreheatAll, Command::ListSymbols, Command::PreheatSelected, Command::SelectAll, Command::RetryFailed] {
        assert_eq!(reason(&desk, command), Some("connect a source first"), "{command:?}");
    }
    assert_eq!(reason(&desk, Command::Verify), Some("nothing is cached"));
    compare_menu(&mut desk);
    drop(desk);

    let mut desk = warm_desk(3, 3);
    let selected = [
        Command::PreheatSelected,
        Command::RefreshSelected,
        Command::InvalidateSelected,
        Command::ClearSelected,
        Command::PinSelected,
        Command::SelectNone,
    ];
    for command in selected {
        // In the list they mean the symbol on the chart.
        let wanted = (command == Command::SelectNone).then_some("select symbols first");
        assert_eq!(reason(&desk, command), wanted, "{command:?}");
    }
    go(&mut desk, Command::ShowJobs, View::Jobs);
    for command in selected {
        assert_eq!(reason(&desk, command), Some("select symbols first"), "{command:?}");
    }
    assert_eq!(reason(&desk, Command::UndoClear), Some("nothing was cleared in the last 24 hours"));
    assert_eq!(reason(&desk, Command::RetryFailed), Some("nothing failed"));
    assert_eq!([Command::PauseJob, Command::CancelJob].map(|command| reason(&desk, command)), [Some("no job is running"); 2]);
    assert_eq!(reason(&desk, Command::ResumeJob), Some("no job is paused"));
    compare_menu(&mut desk);
    // Keys of what cannot be run do nothing either.
    let files = desk.cached_files();
    for command in [Command::ClearSelected, Command::InvalidateSelected, Command::UndoClear] {
        desk.shortcut(command);
    }
    go(&mut desk, Command::ShowSymbols, View::Symbols);
    desk.shortcut(Command::SelectAll);
    for command in selected {
        assert_eq!(reason(&desk, command), None, "{command:?}");
    }
    compare_menu(&mut desk);
    assert_eq!(desk.cached_files(), files);
    go(&mut desk, Command::ShowJobs, View::Jobs);
    assert_eq!(reason(&desk, Command::SelectAll), Some("go to the symbols first"));
    assert!(!desk.is_enabled("Retry failed"));
    desk.button("Retry failed").hover();
    desk.wait_text("Not now: nothing failed");
    assert!(CommandGroup::iter().all(|group| group.commands().count() > 0));
}
