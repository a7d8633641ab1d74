//! Everything by keyboard and by name: what a screen reader is told in every view and dialog, and that every command does something.

use crate::desk::{Desk, Laid, Market};
use eframe::egui;
use egui::accesskit::{Action, Role};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use samovar::app::chart::{ChartLayout, PriceScale};
use samovar::app::{Closing, Command, Dialog, JobStage, JobView, View};
use samovar::cache::EntryState;
use samovar::ui::PathPurpose;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
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

/// The same, with two broken bars, and so slow a source that a job can be watched.
fn paced_desk() -> Desk {
    let mut laid = Laid::new();
    laid.settings.rows_per_sec = 1_500;
    let path = laid.path("market.sqlite");
    let market = Market::new(&path);
    market.symbols(150, 12);
    market.run(
        "UPDATE stock_kline_data SET close = NULL WHERE symbol = 'S002';
         UPDATE stock_kline_data SET high = low - 1 WHERE symbol = 'S001' AND trade_date IN ('2024-04-26', '2024-05-03');",
    );
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

/// Whether the field that asks for this has the keyboard.
fn has_keys(desk: &Desk, hint: &str) -> bool {
    let focused = desk.harness.root().children_recursive().find(egui_kittest::Node::is_focused);
    focused.is_some_and(|node| node.accesskit_node().data().placeholder() == Some(hint))
}

/// How things stood before a command.
struct Before {
    view: View,
    layout: ChartLayout,
    jobs: usize,
    verified: usize,
    pinned: bool,
    trash: usize,
    listed_at_us: Option<i64>,
    panels: (bool, bool),
    is_kept: bool,
    zoom_percent: u16,
    is_dark: bool,
}

impl Before {
    fn of(desk: &Desk) -> Self {
        let state = desk.state();
        Self {
            view: state.view,
            layout: state.chart.layout.clone(),
            jobs: state.jobs.len(),
            verified: told(desk, "Verified "),
            pinned: desk.row_or_none("S001").is_some_and(|row| row.pinned),
            trash: state.snapshot.trash.len(),
            listed_at_us: state.snapshot.source.as_ref().and_then(|source| source.listed_at_us),
            panels: (state.inspector.open, state.features.open),
            is_kept: state.chart.is_kept(),
            zoom_percent: state.settings.appearance.zoom_percent,
            is_dark: desk.harness.ctx.global_style().visuals.dark_mode,
        }
    }
}

/// How often something was told.
fn told(desk: &Desk, part: &str) -> usize {
    let history = desk.state().notices.history();
    history.iter().filter(|notice| notice.text.contains(part)).map(|notice| notice.count as usize).sum()
}

/// What came out of the window since a command was run.
#[derive(Default)]
struct Came {
    text: Option<String>,
    has_picture: bool,
}

impl Came {
    /// Draws a frame and takes what comes out of it; a picture of the window is taken as a painter takes it.
    fn step(&mut self, desk: &mut Desk) {
        desk.harness.step();
        let output = desk.harness.output();
        for command in &output.platform_output.commands {
            match command {
                egui::OutputCommand::CopyText(text) => self.text = Some(text.clone()),
                egui::OutputCommand::CopyImage(_) => self.has_picture = true,
                egui::OutputCommand::OpenUrl(_) | egui::OutputCommand::TextSelectionSettled(_) => {}
            }
        }
        let commands = output.viewport_output.get(&egui::ViewportId::ROOT).map(|output| output.commands.clone()).unwrap_or_default();
        for command in commands {
            if let egui::ViewportCommand::Screenshot(callback) = command {
                callback.complete(Arc::new(egui::ColorImage::filled([1_440, 900], egui::Color32::from_rgb(1, 2, 3))));
            }
        }
    }

    fn copied(&self, is_it: impl Fn(&str) -> bool) -> bool {
        self.text.as_deref().is_some_and(is_it)
    }
}

/// Whether a command has done what it says. No command is left out: one that is new has to say here what it does.
fn has_done(desk: &Desk, command: Command, before: &Before, came: &Came) -> bool {
    let state = desk.state();
    let layout = &state.chart.layout;
    let dialog = state.dialog.as_ref();
    let newest = state.jobs.first().filter(|_| state.jobs.len() > before.jobs);
    let began = |title: &str| newest.is_some_and(|job| job.title == title);
    let stage = state.active_job().map(|job| job.stage);
    let row = desk.row_or_none("S001");
    let is_in = |wanted: EntryState| row.as_ref().is_some_and(|row| row.state == wanted);
    let compared = || layout.compared().map(|(symbol, _)| symbol.to_string()).collect::<Vec<_>>();
    match command {
        Command::PreheatAll => began("Preheat all"),
        Command::CheckSource => began("Check the source"),
        Command::PreheatSelected => began("Preheat S001"),
        Command::RefreshSelected => began("Refresh S001"),
        Command::InvalidateSelected => is_in(EntryState::Stale),
        Command::ClearSelected => is_in(EntryState::Missing) && state.snapshot.trash.len() > before.trash,
        Command::PinSelected => row.is_some_and(|row| row.pinned != before.pinned),
        Command::ClearExpired => matches!(dialog, Some(Dialog::ConfirmClear { selection, .. }) if selection.expired_only),
        Command::ClearAll => matches!(dialog, Some(Dialog::ConfirmClear { selection, .. }) if !selection.expired_only),
        Command::UndoClear => is_in(EntryState::Fresh) && state.snapshot.trash.len() < before.trash,
        Command::RetryFailed => began("Retry failed S002"),
        Command::PauseJob => stage == Some(JobStage::Paused),
        Command::ResumeJob => stage != Some(JobStage::Paused),
        Command::CancelJob => {
            let is_cancelled = |job: &JobView| job.report.as_ref().is_some_and(|report| report.cancelled);
            stage == Some(JobStage::Cancelling) || state.jobs.first().is_some_and(is_cancelled)
        }
        Command::Verify => told(desk, "Verified ") > before.verified && desk.files_of("S003").len() == 2,
        Command::Repair => began("Restore 1 symbol"),
        Command::UseSample => state.settings.source_url() == Some("sample:"),
        Command::ConnectSource => matches!(dialog, Some(Dialog::Connect(_))),
        Command::ListSymbols => state.snapshot.source.as_ref().and_then(|source| source.listed_at_us) > before.listed_at_us,
        Command::ProfileSource => state.current_profile().is_some() && state.view == View::Overview,
        Command::MeasureSpeed => matches!(dialog, Some(Dialog::Bench(_))),
        Command::ShowSymbols => state.view == View::Symbols && before.view == View::Jobs,
        Command::ShowOverview => state.view == View::Overview,
        Command::ShowJobs => state.view == View::Jobs,
        Command::ShowSettings => state.view == View::Settings,
        Command::ShowInspector => state.inspector.open != before.panels.0,
        Command::ShowFeatures => state.features.open != before.panels.1,
        Command::SearchFeatures => state.features.open && has_keys(desk, "Search features"),
        Command::NewFormula => state.features.editor.is_some() && state.features.open,
        Command::SaveFormula => state.sets.get("my-set").is_some_and(|set| set.definition("mine").is_some()),
        Command::FocusFilter => has_keys(desk, "Filter symbols"),
        Command::SelectAll => desk.selected().len() == state.snapshot.rows.len(),
        Command::SelectNone => desk.selected().is_empty(),
        Command::PreviousSymbol => desk.focus() == "S000",
        Command::NextSymbol => desk.focus() == "S002",
        Command::FindSymbol => matches!(dialog, Some(Dialog::FindSymbol(_))),
        Command::CopyRows => came.copied(|text| text.starts_with("symbol\t") && text.contains("\nS001\t")),
        Command::CopySymbols => came.copied(|text| text == "S001"),
        Command::CopyPaths => came.copied(|text| text.ends_with("S001.parquet")),
        Command::RevealFile => told(desk, "S001.parquet is not there any more") > 0,
        Command::ExportRows => matches!(dialog, Some(Dialog::Export(_))),
        Command::NewList => matches!(dialog, Some(Dialog::List(_))),
        Command::ToggleVolume => layout.show_volume != before.layout.show_volume,
        Command::ToggleLogScale => layout.price_scale == PriceScale::Log,
        Command::TogglePercentScale => layout.price_scale == PriceScale::Percent,
        Command::ToggleIndexedScale => layout.price_scale == PriceScale::Indexed,
        Command::ToggleCalendarTime => layout.calendar_time != before.layout.calendar_time,
        Command::FitScales => dialog.is_none() && !desk.has_button("Fit the scales"),
        Command::Indicators => desk.has_field("Search indicators, or type a formula"),
        Command::About => matches!(dialog, Some(Dialog::About)),
        Command::FreeSpace => matches!(dialog, Some(Dialog::Free(_))),
        Command::Compare => desk.has_field("Search symbols to compare"),
        Command::CompareSelected => compared() == ["S003"] || compared() == ["S001"],
        Command::StopComparing => compared().is_empty(),
        Command::GoToDate => desk.has_field("Date to go to"),
        Command::NextFinding => desk.sees("Marked: 2024-04-26 · range broken"),
        Command::PreviousFinding => desk.sees("Marked: 2024-05-03 · range broken"),
        Command::Measure => desk.sees("Measured: "),
        Command::SaveChartPicture => std::fs::read(desk.path("chart.png")).is_ok_and(|bytes| bytes.starts_with(b"\x89PNG")),
        Command::CopyChartPicture => came.has_picture,
        Command::CopyChartRows => came.copied(|text| text.starts_with("time\topen\t") && text.lines().count() > 2),
        Command::KeepChartForSymbol => state.chart.is_kept() != before.is_kept,
        Command::ChartHelp => dialog.is_none() && desk.sees("Difference, percent, bars and time between two places"),
        Command::RestorePanes => layout.maximised().is_none(),
        Command::ApplyTemplate => matches!(dialog, Some(Dialog::Templates)),
        Command::SaveTemplate => matches!(dialog, Some(Dialog::NameTemplate(_))),
        Command::ResetChart => layout.show_volume && !before.layout.show_volume,
        Command::GoBack => state.view == View::Symbols && before.view == View::Jobs,
        Command::GoForward => state.view == View::Jobs,
        Command::ToggleTheme => desk.harness.ctx.global_style().visuals.dark_mode != before.is_dark,
        Command::ZoomIn => state.settings.appearance.zoom_percent > before.zoom_percent,
        Command::ZoomOut => state.settings.appearance.zoom_percent < before.zoom_percent,
        Command::ZoomReset => state.settings.appearance.zoom_percent == 100,
        Command::SpeakEnglish | Command::SpeakChinese | Command::SpeakRussian | Command::SpeakKorean => {
            command.language() == Some(state.language())
        }
        Command::Palette => matches!(dialog, Some(Dialog::Palette)),
        Command::Help => matches!(dialog, Some(Dialog::Help)),
        Command::SaveDiagnostics => matches!(dialog, Some(Dialog::Diagnostics { .. })),
        Command::Quit => state.closing == Closing::Now,
    }
}

/// Closes what stands in front and goes back to a fresh symbol that is selected.
fn clear_the_desk(desk: &mut Desk) {
    while desk.state().dialog.is_some() {
        desk.key(Modifiers::NONE, Key::Escape);
    }
    desk.settle();
    desk.shortcut(Command::ShowSymbols);
    desk.settle();
    // What stands over the chart: a list, a sheet, a mark.
    for _ in 0..2 {
        desk.key(Modifiers::NONE, Key::Escape);
        desk.settle();
    }
    let select = samovar::app::ListAction::SelectOnly(samovar::market::Symbol::new("S001"));
    desk.harness.state_mut().act(samovar::app::Action::List(select));
    desk.settle();
    assert_eq!(desk.selected(), ["S001"]);
    desk.tick();
    if desk.row("S001").state != EntryState::Fresh {
        run(desk, Command::PreheatSelected);
        desk.wait_for("a fresh symbol", |desk| desk.row("S001").state == EntryState::Fresh && desk.state().active_job().is_none());
    }
    desk.wait_chart("S001");
    desk.settle();
}

/// What a command needs before it can be run.
fn prepare(desk: &mut Desk, command: Command) {
    match command {
        Command::PauseJob | Command::CancelJob => {
            run(desk, Command::SelectAll);
            run(desk, Command::RefreshSelected);
            desk.wait("a job to run", |state| state.active_job().is_some_and(|job| job.stage == JobStage::Running));
        }
        Command::ResumeJob => {
            prepare(desk, Command::PauseJob);
            desk.pause_running();
        }
        Command::UndoClear => {
            let batches = desk.state().snapshot.trash.len();
            run(desk, Command::ClearSelected);
            desk.wait("more in the trash", |state| state.snapshot.trash.len() > batches);
        }
        Command::Repair => {
            let file = desk.files_of("S003").into_keys().next().expect("a file");
            std::fs::write(file, "rubbish").expect("written");
        }
        Command::RevealFile => {
            // No file manager is asked for what is not there, so that none opens here.
            for file in desk.files_of("S001").into_keys() {
                std::fs::remove_file(file).expect("removed");
            }
        }
        Command::SaveFormula => {
            run(desk, Command::NewFormula);
            desk.settle();
            desk.fill("Formula", "1 + $close");
            desk.fill("Name", "mine");
            desk.settle();
        }
        Command::FitScales => {
            let axis = desk.harness.get_by_label("Scale of the price").rect().center();
            desk.drag(axis, axis + egui::vec2(0.0, 60.0));
            assert!(desk.has_button("Fit the scales"));
        }
        Command::RestorePanes => desk.press_and_settle("Maximise macd"),
        Command::ResetChart if desk.state().chart.layout.show_volume => run(desk, Command::ToggleVolume),
        Command::GoBack => {
            run(desk, Command::ShowJobs);
            desk.settle();
        }
        Command::GoForward => {
            run(desk, Command::ShowJobs);
            run(desk, Command::GoBack);
        }
        Command::CompareSelected | Command::StopComparing => {
            let another = samovar::app::ListAction::Check { symbol: samovar::market::Symbol::new("S003"), extend: false };
            desk.harness.state_mut().act(samovar::app::Action::List(another));
            desk.settle();
            if command == Command::StopComparing {
                run(desk, Command::CompareSelected);
                desk.settle();
            }
        }
        Command::ShowSymbols => run(desk, Command::ShowJobs),
        Command::ZoomReset => run(desk, Command::ZoomIn),
        _ => {}
    }
}

/// What a command asks for next, done by the user.
fn answer(desk: &mut Desk, command: Command) {
    match command {
        Command::Measure => {
            let middle = desk.harness.get_by_label_contains("Chart of S001").rect().center();
            desk.drag(middle, middle + egui::vec2(90.0, -60.0));
        }
        Command::SaveChartPicture if desk.harness.state().unopened_file_dialogs().contains(&PathPurpose::ChartPicture) => {
            let path = desk.path("chart.png");
            if !path.exists() {
                desk.harness.state().answer_file_dialog(PathPurpose::ChartPicture, path);
            }
        }
        _ => {}
    }
}

/// Asks for a command as somebody does who knows its name alone.
fn ask_for(desk: &mut Desk, command: Command, came: &mut Came) {
    desk.shortcut(Command::Palette);
    if command != Command::Palette {
        desk.write(command.text());
        desk.settle();
        // One event a frame, so that nothing that comes out of one is overlooked.
        for pressed in [true, false] {
            let key = Key::Enter;
            desk.harness.event(egui::Event::Key { key, physical_key: None, pressed, repeat: false, modifiers: Modifiers::NONE });
            came.step(desk);
        }
    }
}

#[test]
fn every_command_is_found_by_its_name_and_does_what_it_says() {
    let mut desk = paced_desk();
    // These last: they leave the market for another, or the window.
    let last = [Command::UseSample, Command::Quit];
    let mut commands: Vec<Command> = Command::iter().filter(|command| !last.contains(command)).collect();
    commands.extend(last);
    for command in commands {
        if command != Command::Quit {
            clear_the_desk(&mut desk);
        }
        prepare(&mut desk, command);
        assert_eq!(command.enabled(desk.state()), Ok(()), "{command:?} after what was done for it");
        let (before, mut came) = (Before::of(&desk), Came::default());
        assert!(!has_done(&desk, command, &before, &came) || command == Command::SpeakEnglish, "{command:?} has nothing to do");
        ask_for(&mut desk, command, &mut came);
        let since = std::time::Instant::now();
        let mut steps = 0;
        while !has_done(&desk, command, &before, &came) {
            came.step(&mut desk);
            steps += 1;
            // Once what was asked for is on the screen.
            if steps == 4 || (steps > 4 && command == Command::SaveChartPicture) {
                answer(&mut desk, command);
            }
            assert!(since.elapsed().as_secs() < 30, "{command:?} did not do what it says; {}", desk.story());
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        match command {
            Command::Quit | Command::MeasureSpeed => {}
            Command::UseSample => {
                desk.wait("the sample", |state| state.active_job().is_some_and(|job| job.stage == JobStage::Running));
                desk.shortcut(Command::CancelJob);
            }
            _ if command.language().is_some() => desk.harness.state_mut().act(samovar::app::Action::Run(Command::SpeakEnglish)),
            _ => {}
        }
        if desk.state().active_job().is_some_and(|job| job.stage == JobStage::Paused) {
            desk.shortcut(Command::CancelJob);
        }
        desk.wait("its jobs to end", |state| state.active_job().is_none());
    }
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
