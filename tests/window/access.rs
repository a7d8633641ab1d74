//! Everything by keyboard and by name: what a screen reader is told in every view and dialog, and that every command does something.

use crate::desk::{Desk, Laid, Market};
use eframe::egui;
use egui::accesskit::{Action, Role};
use egui::{Key, Modifiers};
use egui_kittest::kittest::NodeT;
use samovar::app::{Command, Dialog, View};
use std::collections::{BTreeMap, BTreeSet};
use strum::IntoEnumIterator;

/// A market of which one symbol fails, preheated.
fn mixed_desk() -> Desk {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    let market = Market::new(&path);
    market.symbols(150, 12);
    market.run("UPDATE stock_kline_data SET close = NULL WHERE symbol = 'S002'");
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.press("Preheat all");
    desk.wait_idle();
    desk
}

/// Every control has a name that can be read out, and no two that do different things share one.
fn assert_accessible(desk: &mut Desk, what: &str) {
    desk.settle();
    let mut by_name: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut controls = 0;
    for node in desk.harness.root().children_recursive() {
        let node = node.accesskit_node();
        let data = node.data();
        let is_control = data.supports_action(Action::Click) || egui::accessibility::is_input(node.role());
        // The window itself, and what only holds others, is no control.
        if !is_control
            || matches!(
                node.role(),
                Role::Window
                    | Role::GenericContainer
                    | Role::ScrollView
                    | Role::ScrollBar
                    | Role::Row
                    | Role::Cell
                    | Role::Label
                    | Role::Pane
                    | Role::Unknown
            )
        {
            continue;
        }
        controls += 1;
        let name = node.label().or_else(|| data.placeholder().map(str::to_owned)).unwrap_or_default();
        assert!(!name.trim().is_empty(), "{what}: a {:?} without a name; its value is {:?}", node.role(), node.value());
        let is_private = |char: char| ('\u{e000}'..='\u{f8ff}').contains(&char);
        assert!(!name.chars().any(is_private), "{what}: {:?} is named {name:?}", node.role());
        if matches!(node.role(), Role::Button | Role::CheckBox | Role::RadioButton | Role::TextInput | Role::ComboBox | Role::Slider) {
            *by_name.entry((format!("{:?}", node.role()), name)).or_default() += 1;
        }
    }
    assert!(controls > 5, "{what}: only {controls} controls");
    let commands: BTreeSet<&str> = Command::iter().map(Command::text).collect();
    // The same command at two places does the same; so do several notices, each closed by its own button, and what copies the fact
    // it stands beside.
    let twice: Vec<_> = by_name
        .iter()
        .filter(|((_, name), count)| {
            **count > 1 && !commands.contains(name.as_str()) && name != "Close this message" && !name.starts_with("Copy the ")
        })
        .collect();
    assert!(twice.is_empty(), "{what}: names that stand for several controls: {twice:?}");
}

#[test]
fn every_control_of_every_view_and_dialog_has_a_name_of_its_own() {
    let mut desk = mixed_desk();
    desk.click_row("S001", Modifiers::NONE);
    desk.wait_chart("S001");
    for view in [Command::ShowSymbols, Command::ShowOverview, Command::ShowJobs, Command::ShowSettings] {
        desk.shortcut(view);
        if view == Command::ShowOverview {
            desk.wait("the overview's numbers", |state| state.overview.survey.is_some());
        }
        desk.wait_text(view.text());
        assert_accessible(&mut desk, view.text());
    }
    for opener in [
        Command::Palette,
        Command::FindSymbol,
        Command::Help,
        Command::ConnectSource,
        Command::SaveDiagnostics,
        Command::MeasureSpeed,
        Command::SaveTemplate,
        Command::ClearAll,
    ] {
        run(&mut desk, opener);
        assert!(desk.state().dialog.is_some(), "{opener:?}");
        assert_accessible(&mut desk, opener.text());
        desk.key(Modifiers::NONE, Key::Escape);
        assert!(desk.state().dialog.is_none(), "{opener:?} is closed by Esc");
    }
    for panel in [Command::ShowInspector, Command::ShowFeatures, Command::NewFormula] {
        desk.shortcut(panel);
        assert_accessible(&mut desk, panel.text());
    }
    let mut desk = Laid::new().open();
    desk.wait_ready();
    assert_accessible(&mut desk, "the first start");
}

/// Runs a command as somebody does who knows its name alone.
fn run(desk: &mut Desk, command: Command) {
    if command == Command::Palette {
        desk.shortcut(command);
        return;
    }
    desk.shortcut(Command::Palette);
    desk.write(command.text());
    desk.settle();
    desk.key(Modifiers::NONE, Key::Enter);
}

/// The name of what has the keyboard, or what its field asks for.
fn focused_name(desk: &Desk) -> Option<String> {
    let focused = desk.harness.root().children_recursive().find(egui_kittest::Node::is_focused)?;
    let node = focused.accesskit_node();
    node.label().or_else(|| node.data().placeholder().map(str::to_owned))
}

/// What can be seen of a command: any of these is another afterwards.
fn traces(desk: &Desk) -> String {
    let state = desk.state();
    let jobs: Vec<_> = state.jobs.iter().map(|job| (&job.title, job.stage)).collect();
    let dialog = state.dialog.as_ref().map(std::mem::discriminant);
    let notices: Vec<_> = state.notices.history().iter().map(|notice| (&notice.text, notice.count)).collect();
    let layout = &state.chart.layout;
    format!(
        "{:?} {dialog:?} {jobs:?} {:?} {:?} {:?} {:?} {} {} {:?} {layout:?} {:?} {:?} {:?} {:?} {:?} {}",
        state.view,
        notices,
        desk.selected(),
        desk.focus(),
        focused_name(desk),
        state.inspector.open,
        state.features.open,
        state.features.editor.as_ref().map(|editor| format!("{editor:?}").len()),
        state.settings,
        state.closing,
        state.snapshot.source.as_ref().and_then(|source| source.listed_at_us),
        state.verifying,
        state.snapshot.trash.len(),
        state.overview.profiling,
    )
}

/// Closes what stands in front and goes back to a symbol that is selected.
fn clear_the_desk(desk: &mut Desk) {
    while desk.state().dialog.is_some() {
        desk.key(Modifiers::NONE, Key::Escape);
    }
    desk.settle();
    desk.shortcut(Command::ShowSymbols);
    desk.settle();
    let select = samovar::app::ListAction::SelectOnly(samovar::market::Symbol::new("S001"));
    desk.harness.state_mut().act(samovar::app::Action::List(select));
    desk.settle();
    assert_eq!(desk.selected(), ["S001"]);
    desk.tick();
}

/// What a command needs before it can be run.
fn prepare(desk: &mut Desk, command: Command) {
    match command {
        Command::PauseJob | Command::CancelJob => {
            run(desk, Command::SelectAll);
            run(desk, Command::RefreshSelected);
            desk.wait("a job to run", |state| state.active_job().is_some_and(|job| job.stage == samovar::app::JobStage::Running));
        }
        Command::ResumeJob => {
            prepare(desk, Command::PauseJob);
            desk.pause_running();
        }
        Command::UndoClear => {
            run(desk, Command::ClearSelected);
            desk.wait("something in the trash", |state| !state.snapshot.trash.is_empty());
        }
        Command::SaveFormula => {
            run(desk, Command::NewFormula);
            desk.settle();
            desk.fill("Formula", "1 + $close");
            desk.fill("Name", "mine");
            desk.settle();
        }
        Command::RestorePanes => desk.press_and_settle("Maximise macd"),
        Command::ResetChart => run(desk, Command::ToggleVolume),
        Command::GoBack => {
            run(desk, Command::ShowJobs);
            desk.settle();
        }
        Command::GoForward => {
            run(desk, Command::ShowJobs);
            run(desk, Command::GoBack);
        }
        Command::StopComparing => {
            let another = samovar::app::ListAction::Check { symbol: samovar::market::Symbol::new("S003"), extend: false };
            desk.harness.state_mut().act(samovar::app::Action::List(another));
            run(desk, Command::CompareSelected);
            desk.settle();
        }
        Command::ShowSymbols => run(desk, Command::ShowJobs),
        Command::ZoomReset => run(desk, Command::ZoomIn),
        _ => {}
    }
}

#[test]
fn every_command_is_found_by_its_name_and_does_something() {
    let mut desk = mixed_desk();
    // These last: they leave the market for another, or the window.
    let last = [Command::UseSample, Command::Quit];
    // What these do is passing state of the chart, a native dialog or the clipboard, which traces do not show; the tests of the
    // chart drive what is behind them.
    let elsewhere = [
        Command::FitScales,
        Command::GoToDate,
        Command::NextFinding,
        Command::PreviousFinding,
        Command::Measure,
        Command::SaveChartPicture,
        Command::CopyChartPicture,
        Command::CopyChartRows,
        Command::ChartHelp,
        Command::Compare,
    ];
    let is_here = |command: &Command| !last.contains(command) && !elsewhere.contains(command);
    let mut commands: Vec<Command> = Command::iter().filter(is_here).collect();
    commands.extend(last);
    for command in commands {
        clear_the_desk(&mut desk);
        prepare(&mut desk, command);
        assert_eq!(command.enabled(desk.state()), Ok(()), "{command:?} after what was done for it");
        let before = traces(&desk);
        run(&mut desk, command);
        desk.wait_for(&format!("{command:?} to do something"), |desk| traces(desk) != before);
        if command.language().is_some() {
            desk.harness.state_mut().act(samovar::app::Action::Run(Command::SpeakEnglish));
            desk.settle();
        }
        if let Some(Dialog::Bench(_)) = desk.state().dialog {
            desk.key(Modifiers::NONE, Key::Escape);
        }
        if command == Command::UseSample {
            desk.wait("the sample", |state| state.active_job().is_some_and(|job| job.stage == samovar::app::JobStage::Running));
            desk.shortcut(Command::CancelJob);
        }
        if desk.state().active_job().is_some() {
            if desk.state().active_job().is_some_and(|job| job.stage == samovar::app::JobStage::Paused) {
                desk.shortcut(Command::CancelJob);
            }
            desk.wait("its jobs to end", |state| state.active_job().is_none());
        }
        if command == Command::UseSample {
            break;
        }
    }
    desk.shortcut(Command::Quit);
    desk.wait("the end", |state| state.closing == samovar::app::Closing::Now);
}

#[test]
fn the_keyboard_alone_reaches_every_part_of_the_window() {
    let mut desk = mixed_desk();
    for (view, wanted) in [
        (View::Symbols, vec!["Symbols", "Preheat all", "All commands", "List: All symbols", "Indicators"]),
        (View::Settings, vec!["Search settings", "Rename Market", "Forget Market", "Memory budget", "Blue up, orange down", "Zoom in"]),
        (View::Jobs, vec!["Verify files"]),
    ] {
        desk.shortcut(match view {
            View::Settings => Command::ShowSettings,
            View::Jobs => Command::ShowJobs,
            _ => Command::ShowSymbols,
        });
        desk.settle();
        let mut seen = BTreeSet::new();
        for _ in 0..160 {
            desk.key(Modifiers::NONE, Key::Tab);
            seen.extend(focused_name(&desk));
        }
        for name in wanted {
            assert!(seen.contains(name), "{name} is not among {seen:?} of {view:?}");
        }
    }
}
