//! Commands as widgets: buttons, menu items and shortcuts, all made from the one list.

use super::chart::ChartKeys;
use super::icons;
use super::theme::{Theme, size};
use super::window::Outbox;
use crate::app::{Action, AppState, Command, CommandGroup, Key, ListAction, Shortcut, View};
use crate::tr;
use eframe::egui;
use egui::{Button, KeyboardShortcut, Modifiers, Response, RichText, Ui, vec2};
use strum::IntoEnumIterator;

/// The icon of a command, where it has one.
#[must_use]
pub fn icon_of(command: Command) -> Option<&'static str> {
    let glyph = match command {
        Command::PreheatAll | Command::PreheatSelected => icons::PREHEAT,
        Command::RefreshSelected | Command::ListSymbols | Command::CheckSource => icons::REFRESH,
        Command::ShowInspector => icons::INFO,
        Command::ShowFeatures => icons::FEATURES,
        Command::SearchFeatures => icons::SEARCH,
        Command::NewFormula => icons::ADD,
        Command::SaveFormula => icons::CHECK,
        Command::InvalidateSelected => icons::INVALIDATE,
        Command::ClearSelected | Command::ClearExpired | Command::ClearAll | Command::FreeSpace => icons::CLEAR,
        Command::PinSelected => icons::PIN,
        Command::UndoClear => icons::UNDO,
        Command::RetryFailed => icons::RETRY,
        Command::PauseJob => icons::PAUSE,
        Command::ResumeJob => icons::RESUME,
        Command::CancelJob => icons::CANCEL,
        Command::Verify => icons::CHECK,
        Command::Repair => icons::REPAIR,
        Command::ProfileSource => icons::CLOCK,
        Command::MeasureSpeed => icons::SPEED,
        Command::UseSample => icons::CHART,
        Command::ConnectSource => icons::DATABASE,
        Command::ShowSymbols => icons::SYMBOLS,
        Command::ShowOverview => icons::OVERVIEW,
        Command::ShowJobs => icons::JOBS,
        Command::ShowSettings => icons::SETTINGS,
        Command::CopyRows | Command::CopySymbols | Command::CopyPaths => icons::COPY,
        Command::RevealFile => icons::FOLDER,
        Command::ExportRows => icons::EXPORT,
        Command::NewList => icons::ADD,
        Command::ToggleVolume => icons::STYLE_HISTOGRAM,
        Command::ToggleLogScale => icons::INDICATORS,
        Command::TogglePercentScale | Command::ToggleIndexedScale => icons::INDICATORS,
        Command::ToggleCalendarTime => icons::CLOCK,
        Command::FitScales => icons::FIT,
        Command::Indicators => icons::INDICATORS,
        Command::Compare | Command::CompareSelected => icons::COMPARE,
        Command::StopComparing => icons::CLOSE,
        Command::GoToDate => icons::CALENDAR,
        Command::NextFinding => icons::CHEVRON_RIGHT,
        Command::PreviousFinding => icons::CHEVRON_LEFT,
        Command::Measure => icons::MEASURE,
        Command::SaveChartPicture | Command::CopyChartPicture => icons::PICTURE,
        Command::CopyChartRows => icons::COPY,
        Command::KeepChartForSymbol => icons::PIN,
        Command::ChartHelp => icons::HELP,
        Command::RestorePanes => icons::RESTORE_PANES,
        Command::ApplyTemplate => icons::TEMPLATE,
        Command::SaveTemplate => icons::SAVE,
        Command::ResetChart => icons::RESET,
        Command::Palette | Command::FindSymbol => icons::SEARCH,
        Command::Help => icons::KEYBOARD,
        Command::GoBack => icons::BACK,
        Command::GoForward => icons::FORWARD,
        Command::ToggleTheme => icons::SYSTEM_THEME,
        Command::ZoomIn => icons::ZOOM_IN,
        Command::ZoomOut => icons::ZOOM_OUT,
        Command::ZoomReset => icons::RESET,
        Command::SaveDiagnostics => icons::DIAGNOSTICS,
        Command::Quit => icons::QUIT,
        Command::About => icons::INFO,
        _ => return None,
    };
    Some(glyph)
}

fn tooltip(command: Command, enabled: Result<(), &'static str>) -> String {
    let keys = command.shortcut().map(|keys| format!("  {keys}")).unwrap_or_default();
    match enabled {
        Ok(()) => format!("{}{keys}", command.tooltip()),
        Err(reason) => format!("{}{keys}\n{}", command.tooltip(), tr!("Not now: {reason}", reason = reason)),
    }
}

/// A button that runs a command: icon and words, with its reason when it cannot be pressed.
pub fn command_button_ui(ui: &mut Ui, state: &AppState, command: Command, out: &mut Outbox) -> Response {
    button_ui(ui, state, command, false, out)
}

/// The one button of a view that is meant to be pressed: filled with the accent colour.
pub fn primary_button_ui(ui: &mut Ui, state: &AppState, command: Command, out: &mut Outbox) -> Response {
    button_ui(ui, state, command, true, out)
}

fn button_ui(ui: &mut Ui, state: &AppState, command: Command, primary: bool, out: &mut Outbox) -> Response {
    let theme = Theme::of(ui);
    let enabled = command.enabled(state);
    let color = match (enabled, primary) {
        (Err(_), _) => theme.text_disabled,
        (Ok(()), true) => theme.on_accent,
        (Ok(()), false) => theme.text,
    };
    let words = RichText::new(command.text()).color(color);
    let mut button = match icon_of(command) {
        Some(glyph) => Button::new((RichText::new(glyph).size(size::ICON).color(color), words)),
        None => Button::new(words),
    };
    if primary && enabled.is_ok() {
        button = button.fill(theme.accent);
    }
    let response = ui.add_enabled(enabled.is_ok(), button.min_size(vec2(0.0, size::CONTROL)));
    let label = command.text();
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, enabled.is_ok(), label));
    let text = tooltip(command, enabled);
    let response = response.on_hover_text(text.as_str()).on_disabled_hover_text(text.as_str());
    if response.clicked() {
        out.act(Action::Run(command));
    }
    response
}

/// A command as a quiet icon.
pub fn command_icon_ui(ui: &mut Ui, state: &AppState, command: Command, out: &mut Outbox) -> Response {
    let enabled = command.enabled(state);
    let glyph = icon_of(command).unwrap_or(icons::MORE);
    let response = ui.add_enabled_ui(enabled.is_ok(), |ui| icons::named_icon_button_ui(ui, glyph, command.text())).inner;
    let text = tooltip(command, enabled);
    let response = response.on_hover_text(text.as_str()).on_disabled_hover_text(text.as_str());
    if response.clicked() {
        out.act(Action::Run(command));
    }
    response
}

/// Names an item of a menu by its words alone, with its keys as keys: not by icons and columns of text run together.
pub(super) fn name_item(response: &Response, name: &str, keys: &str) {
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, response.enabled(), name));
    if !keys.is_empty() {
        response.ctx.accesskit_node_builder(response.id, |node| node.set_keyboard_shortcut(keys));
    }
}

/// The menu of everything: a submenu for each group.
pub fn menu_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    ui.set_width(MENU_POINTS);
    for group in CommandGroup::iter() {
        let button = egui::containers::menu::SubMenuButton::new(group.text());
        let (response, _) = button.ui(ui, |ui| {
            ui.set_width(SUBMENU_POINTS);
            // What is longer than the room below its group would be laid over the menu, and not beside it.
            let room = (ui.ctx().content_rect().height() - 200.0).max(160.0);
            egui::ScrollArea::vertical().max_height(room).min_scrolled_height(room).show(ui, |ui| menu_group_ui(ui, state, group, out));
        });
        name_item(&response, group.text(), "");
    }
    ui.separator();
    for command in [Command::Palette, Command::Help, Command::About] {
        menu_item_ui(ui, state, command, out);
    }
    ui.separator();
    menu_item_ui(ui, state, Command::Quit, out);
}

/// How wide the menu is.
const MENU_POINTS: f32 = 280.0;
/// How wide the menu of a group is.
const SUBMENU_POINTS: f32 = 360.0;

/// The commands in the menu of their group: languages are in the settings, and what stands in the menu itself is not there twice.
fn menu_commands(group: CommandGroup) -> impl Iterator<Item = Command> {
    let elsewhere = |command: &Command| {
        let in_front = matches!(command, Command::Palette | Command::Help | Command::About | Command::Quit);
        in_front || command.language().is_some() || matches!(command, Command::PreviousSymbol | Command::NextSymbol)
    };
    group.commands().filter(move |command| !elsewhere(command))
}

fn menu_group_ui(ui: &mut Ui, state: &AppState, group: CommandGroup, out: &mut Outbox) {
    for command in menu_commands(group) {
        menu_item_ui(ui, state, command, out);
    }
}

fn menu_item_ui(ui: &mut Ui, state: &AppState, command: Command, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let enabled = command.enabled(state);
    let keys = command.shortcut().map(|keys| keys.to_string()).unwrap_or_default();
    let button = Button::new(command.text()).shortcut_text(RichText::new(&keys).color(theme.text_weak)).frame_when_inactive(false);
    let response = ui.add_enabled(enabled.is_ok(), button.min_size(vec2(ui.available_width(), size::CONTROL)));
    name_item(&response, command.text(), &keys);
    if response.on_disabled_hover_text(enabled.err().unwrap_or_default()).clicked() {
        out.act(Action::Run(command));
        ui.close();
    }
}

fn egui_shortcut(shortcut: Shortcut) -> Option<KeyboardShortcut> {
    let mut modifiers = Modifiers::NONE;
    if shortcut.ctrl {
        modifiers |= Modifiers::COMMAND;
    }
    if shortcut.alt {
        modifiers |= Modifiers::ALT;
    }
    if shortcut.shift {
        modifiers |= Modifiers::SHIFT;
    }
    if shortcut.alt {
        modifiers |= Modifiers::ALT;
    }
    let key = match shortcut.key {
        Key::Char('.') => egui::Key::Period,
        Key::Char(',') => egui::Key::Comma,
        Key::Char('[') => egui::Key::OpenBracket,
        Key::Char(']') => egui::Key::CloseBracket,
        Key::Char('?') => egui::Key::Questionmark,
        Key::Char(char) => egui::Key::from_name(&char.to_string())?,
        Key::Function(number) => egui::Key::from_name(&format!("F{number}"))?,
        Key::Enter => egui::Key::Enter,
        Key::Delete => egui::Key::Delete,
        Key::Escape => egui::Key::Escape,
        Key::Left => egui::Key::ArrowLeft,
        Key::Right => egui::Key::ArrowRight,
    };
    Some(KeyboardShortcut::new(modifiers, key))
}

/// Runs commands whose keys were pressed, and walks the list with the arrow keys. Keys that a text field wants are left to it.
pub fn shortcuts(ui: &Ui, state: &AppState, out: &mut Outbox) {
    if state.dialog.is_some() {
        if ui.input_mut(|input| input.consume_key(Modifiers::NONE, egui::Key::Escape)) {
            out.act(Action::CloseDialog);
        }
        return;
    }
    let typing = ui.text_edit_focused();
    let has_focus = |id: egui::Id| ui.memory(|memory| memory.has_focus(id));
    let in_formula = has_focus(super::features::field_id());
    // What is open over the window takes the keys that mean something in it.
    let in_popup = egui::Popup::is_any_open(ui);
    let chart_keys = if state.view == View::Symbols { ChartKeys::of(ui) } else { ChartKeys::default() };
    // Keys with Shift first: without it, they would be taken for those without.
    let with_keys = |shift: bool| {
        Command::iter().filter_map(|command| Some((command, command.shortcut()?))).filter(move |(_, keys)| keys.shift == shift)
    };
    for (command, shortcut) in with_keys(true).chain(with_keys(false)) {
        // While a text is edited, plain keys and the text's own shortcuts belong to it.
        let texts_own = !(shortcut.ctrl || shortcut.alt)
            || matches!(command, Command::SelectAll | Command::UndoClear)
            || (in_formula && matches!(command, Command::CancelJob));
        if (typing || in_popup) && texts_own && !matches!(shortcut.key, Key::Function(_)) {
            continue;
        }
        // Keys of a command that cannot run now are left to whoever else wants them; so is Esc while a popup is open, and what the
        // chart wants for what has the keyboard in it.
        let popups_own = match shortcut.key {
            Key::Escape => in_popup || chart_keys.escape,
            Key::Delete => chart_keys.delete,
            _ => false,
        };
        if let Some(keys) = egui_shortcut(shortcut)
            && !popups_own
            && command.enabled(state).is_ok()
            && ui.input_mut(|input| input.consume_shortcut(&keys))
        {
            if let (Key::Char(_), false) = (shortcut.key, shortcut.ctrl) {
                // The letter comes as a text as well, which must not be written anywhere then.
                ui.input_mut(|input| input.events.retain(|event| !matches!(event, egui::Event::Text(_))));
            }
            out.act(Action::Run(command));
        }
    }
    other_ways(ui, state, typing, chart_keys, out);
    let chart_has_keys = ui.memory(|memory| memory.focused().is_some()) && !typing;
    if in_popup {
        // The list behind it stays where it is.
    } else if !typing && !chart_has_keys && state.view == View::Symbols {
        walk(ui, true, out);
    } else if chart_keys.canvas && !typing {
        // Home and End are about the chart's own bars there.
        walk(ui, false, out);
    } else if has_focus(super::symbols::filter_id())
        && state.view == View::Symbols
        && ui.input(|input| input.key_pressed(egui::Key::ArrowDown))
    {
        // From the filter straight into the list.
        ui.memory_mut(|memory| {
            if let Some(focused) = memory.focused() {
                memory.surrender_focus(focused);
            }
        });
        out.act(Action::List(ListAction::Move { rows: 0, extend: false }));
    }
}

/// What a command can be run by besides its keys: the side buttons of a mouse, a key that shares its place with another, a letter.
fn other_ways(ui: &Ui, state: &AppState, typing: bool, chart_keys: ChartKeys, out: &mut Outbox) {
    let mut run = |command: Command, asked: bool| {
        if asked && command.enabled(state).is_ok() {
            out.act(Action::Run(command));
        }
    };
    let pressed = |button| ui.input(|input| input.pointer.button_pressed(button));
    run(Command::GoBack, pressed(egui::PointerButton::Extra1));
    run(Command::GoForward, pressed(egui::PointerButton::Extra2));
    // On many keyboards + stands above =, and needs Shift.
    run(Command::ZoomIn, ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, egui::Key::Equals)));
    if typing || egui::Popup::is_any_open(ui) {
        return;
    }
    let typed = ui.input(|input| {
        // A letter with Alt is no text, even where Alt was let go within the frame.
        let is_held = |event: &egui::Event| matches!(event, egui::Event::Key { pressed: true, modifiers, .. } if modifiers.alt);
        if input.events.iter().any(is_held) {
            return String::new();
        }
        // All that came since the last frame: whoever types fast means every letter.
        let texts = input.events.iter().filter_map(|event| match event {
            egui::Event::Text(text) if !input.modifiers.command && !input.modifiers.alt => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<String>()
    });
    let text = typed.trim_start().to_owned();
    if text.is_empty() {
        return;
    }
    // A key that shares its place with another one and needs Shift for this sign.
    run(Command::Indicators, text == "/");
    // Where the chart has bars, the key is about the chart.
    run(Command::Help, text == "?" && Command::ChartHelp.enabled(state).is_err());
    // Symbols of many markets are numbers, and an index may begin with ^.
    let first = text.chars().next().filter(|first| first.is_alphanumeric() || *first == '^');
    let is_taken = |letter: char| {
        if letter.is_ascii_digit() && chart_keys.digits {
            return true;
        }
        let plain = |keys: Shortcut| !keys.ctrl && !keys.alt && keys.key == Key::Char(letter.to_ascii_uppercase());
        Command::iter().filter_map(Command::shortcut).any(plain)
    };
    if first.is_some_and(|letter| !is_taken(letter)) && Command::FindSymbol.enabled(state).is_ok() {
        out.act(Action::FindSymbol(text));
    }
}

fn walk(ui: &Ui, with_jumps: bool, out: &mut Outbox) {
    const PAGE: isize = 20;
    let keys = [(egui::Key::ArrowDown, 1), (egui::Key::ArrowUp, -1), (egui::Key::PageDown, PAGE), (egui::Key::PageUp, -PAGE)];
    for (key, rows) in keys {
        for (modifiers, extend) in [(Modifiers::SHIFT, true), (Modifiers::NONE, false)] {
            let times = ui.input_mut(|input| input.count_and_consume_key(modifiers, key));
            if times > 0 {
                let rows = rows * isize::try_from(times).unwrap_or(1);
                out.act(Action::List(ListAction::Move { rows, extend }));
            }
        }
    }
    if !with_jumps {
        return;
    }
    for (key, to_first) in [(egui::Key::Home, true), (egui::Key::End, false)] {
        for (modifiers, extend) in [(Modifiers::SHIFT, true), (Modifiers::NONE, false)] {
            if ui.input_mut(|input| input.consume_key(modifiers, key)) {
                out.act(Action::List(ListAction::Jump { to_first, extend }));
            }
        }
    }
}
