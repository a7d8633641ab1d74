//! The tools over a chart: range buttons, go to date, scale, compare, indicators, templates, and the menu of the rest.
//!
//! Contract: draws and reports what was pressed; changes nothing but the layout and the texts that are searched for. What is a
//! command of the window is run as one.

use super::compare::{CompareSearch, compare_button_ui};
use super::data::ChartData;
use super::go_to::{DateField, Gone, date_button_ui};
use super::head::{MENU_POINTS, WIDE_MENU_POINTS};
use super::indicators::{IndicatorSearch, LIST_POINTS, indicators_ui};
use super::templates::templates_button_ui;
use super::view::{ChartOffer, Shown};
use crate::app::chart::{ChartLayout, ChartWish, PriceScale, RangeChoice};
use crate::app::{Action, Command};
use crate::tr;
use crate::ui::commands::{icon_of, name_item};
use crate::ui::icons;
use crate::ui::theme::{Theme, size, space};
use eframe::egui;
use egui::{Align, Button, Layout, Popup, PopupCloseBehavior, RichText, Role, Ui, WidgetInfo, vec2};
use strum::IntoEnumIterator;

/// Width below which buttons are icons alone, in points.
const NARROW_POINTS: f32 = 780.0;

/// Width below which buttons stand closer, in points: words are longer in some languages.
const TIGHT_POINTS: f32 = 560.0;

/// What is typed into the lists and fields of the tools.
#[derive(Debug, Default)]
pub(super) struct Typed {
    /// Into the search of the indicators.
    pub(super) indicators: IndicatorSearch,
    /// Into the list of symbols to compare with.
    pub(super) compare: CompareSearch,
    /// Into the field for a date.
    pub(super) date: DateField,
}

/// What the tools are about.
pub(super) struct Tools<'a> {
    pub(super) layout: &'a mut ChartLayout,
    pub(super) offer: &'a ChartOffer<'a>,
    pub(super) typed: &'a mut Typed,
    pub(super) data: Option<&'a ChartData>,
    pub(super) shown: Option<&'a Shown>,
    /// What a command asked for.
    pub(super) wish: Option<&'a ChartWish>,
    pub(super) actions: &'a mut Vec<Action>,
}

/// Draws the tools. Returns what came of the field for a date.
pub(super) fn toolbar_ui(ui: &mut Ui, tools: Tools<'_>) -> Gone {
    let Tools { layout, offer, typed, data, shown, wish, actions } = tools;
    let enabled = data.is_some();
    let is_wide = ui.available_width() >= NARROW_POINTS;
    let is_tight = ui.available_width() < TIGHT_POINTS;
    if is_tight {
        ui.spacing_mut().button_padding.x = 3.0;
    }
    ui.add_enabled_ui(enabled, |ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for choice in RangeChoice::BUTTONS {
            let chosen = layout.range == choice;
            if ui.selectable_label(chosen, choice.label()).on_hover_text(choice.description()).clicked() {
                layout.range = choice;
                layout.home = choice;
            }
        }
    });
    let gone = date_button_ui(ui, &mut typed.date, wish == Some(&ChartWish::GoToDate), layout, data, shown);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        let theme = Theme::of(ui);
        more_button_ui(ui, layout, offer.is_kept, data, actions);
        templates_button_ui(ui, offer.templates, layout, is_wide, actions);
        let glyph = icons::icon(icons::INDICATORS).color(theme.text_weak);
        let button = if is_wide { Button::new((glyph, tr!("Indicators"))) } else { Button::new(glyph) };
        let response = ui.add_enabled(!offer.features.is_empty(), button.frame_when_inactive(false));
        response.widget_info(|| WidgetInfo::labeled(Role::Button, !offer.features.is_empty(), tr!("Indicators")));
        let response = response.on_hover_text(tr!("Choose what is drawn  /")).on_disabled_hover_text(tr!("No features are defined"));
        let opens = wish == Some(&ChartWish::Indicators) && !offer.features.is_empty();
        if opens {
            Popup::open_id(ui, Popup::default_response_id(&response));
        }
        if opens || response.clicked() {
            typed.indicators = IndicatorSearch::ready();
        }
        Popup::menu(&response)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .width(LIST_POINTS)
            .show(|ui| indicators_ui(ui, layout, offer.features, offer.sets, &mut typed.indicators));
        let opens = wish == Some(&ChartWish::Compare);
        let on_chart = data.map(|data| &data.symbol);
        compare_button_ui(ui, &mut typed.compare, opens, is_wide, layout, offer.symbols, on_chart);
        scale_button_ui(ui, layout, enabled, is_tight);
    });
    gone
}

/// What the heights of prices mean, as a small menu; an icon where there is little room and nothing unusual to be told.
fn scale_button_ui(ui: &mut Ui, layout: &mut ChartLayout, enabled: bool, is_tight: bool) {
    let theme = Theme::of(ui);
    let now = layout.price_scale;
    let words = RichText::new(now.short_label()).color(if now == PriceScale::Linear { theme.text } else { theme.accent });
    let button = match (is_tight, now) {
        (true, PriceScale::Linear) => Button::new(icons::icon(icons::SCALE).color(theme.text_weak)),
        (true, _) => Button::new(words),
        (false, _) => Button::new((words, icons::icon(icons::EXPAND).color(theme.text_weak))),
    };
    let response = ui.add_enabled(enabled, button.frame_when_inactive(false));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, tr!("Price scale: {scale}", scale = now.label())));
    let response = response.on_hover_text(tr!("What the heights of prices mean"));
    Popup::menu(&response).width(MENU_POINTS).show(|ui| {
        ui.set_width(MENU_POINTS);
        scale_items_ui(ui, layout);
    });
}

/// The scales as items of a menu.
pub(super) fn scale_items_ui(ui: &mut Ui, layout: &mut ChartLayout) {
    let theme = Theme::of(ui);
    for scale in PriceScale::iter() {
        let command = match scale {
            PriceScale::Log => Some(Command::ToggleLogScale),
            PriceScale::Percent => Some(Command::TogglePercentScale),
            PriceScale::Linear | PriceScale::Indexed => None,
        };
        let keys = command.and_then(Command::shortcut).map(|keys| keys.to_string()).unwrap_or_default();
        let is_on = layout.price_scale == scale;
        let mark = icons::icon(icons::CHECK).color(if is_on { theme.accent } else { egui::Color32::TRANSPARENT });
        let button = Button::new((mark, scale.label())).shortcut_text(RichText::new(&keys).color(theme.text_weak));
        let response = ui.add(button.frame_when_inactive(false).min_size(vec2(ui.available_width(), size::CONTROL)));
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_on, scale.label()));
        if response.on_hover_text(scale.description()).clicked() {
            layout.set_scale(scale);
        }
    }
}

/// Everything else, behind one button.
fn more_button_ui(ui: &mut Ui, layout: &mut ChartLayout, is_kept: bool, data: Option<&ChartData>, actions: &mut Vec<Action>) {
    let response = icons::icon_button_ui(ui, icons::MORE, tr!("More of the chart"));
    Popup::menu(&response).width(WIDE_MENU_POINTS).show(|ui| {
        ui.set_width(WIDE_MENU_POINTS);
        if check_item_ui(ui, layout.show_volume, tr!("Volume"), tr!("Columns of volume below the prices"), None) {
            layout.show_volume = !layout.show_volume;
        }
        let calendar = Command::ToggleCalendarTime;
        if check_item_ui(ui, layout.calendar_time, calendar.text(), calendar.tooltip(), Some(calendar)) {
            actions.push(Action::Run(calendar));
        }
        if let Some(data) = data {
            let words = tr!("Keep this chart for {symbol}", symbol = data.symbol);
            if check_item_ui(ui, is_kept, &words, Command::KeepChartForSymbol.tooltip(), None) {
                actions.push(Action::Run(Command::KeepChartForSymbol));
            }
        }
        ui.separator();
        chart_items_ui(ui, data.is_some(), layout, actions);
    });
}

/// What can be done with the chart as a whole.
pub(super) fn chart_items_ui(ui: &mut Ui, has_bars: bool, layout: &ChartLayout, actions: &mut Vec<Action>) {
    let is_comparing = layout.compared().next().is_some();
    let groups: [&[Command]; 3] = [
        &[
            Command::GoToDate,
            Command::NextFinding,
            Command::PreviousFinding,
            Command::Measure,
            Command::FitScales,
            Command::Indicators,
            Command::Compare,
        ],
        &[Command::CopyChartRows, Command::CopyChartPicture, Command::SaveChartPicture],
        &[Command::ResetChart, Command::ChartHelp],
    ];
    for (place, group) in groups.into_iter().enumerate() {
        if place > 0 {
            ui.separator();
        }
        for command in group {
            item_ui(ui, *command, has_bars || *command == Command::ResetChart, actions);
        }
        if place == 0 && is_comparing {
            item_ui(ui, Command::StopComparing, true, actions);
        }
    }
}

fn item_ui(ui: &mut Ui, command: Command, enabled: bool, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui);
    let keys = command.shortcut().map(|keys| keys.to_string()).unwrap_or_default();
    let glyph = icons::icon(icon_of(command).unwrap_or(icons::MORE)).color(theme.text_weak);
    let button = Button::new((glyph, command.text())).shortcut_text(RichText::new(&keys).color(theme.text_weak));
    let response = ui.add_enabled(enabled, button.frame_when_inactive(false).min_size(vec2(ui.available_width(), size::CONTROL)));
    name_item(&response, command.text(), &keys);
    if response.on_hover_text(command.tooltip()).clicked() {
        actions.push(Action::Run(command));
    }
}

/// An item that is on or off, with the keys of the command that does the same.
fn check_item_ui(ui: &mut Ui, is_on: bool, words: &str, hint: &str, command: Option<Command>) -> bool {
    let theme = Theme::of(ui);
    let mark = icons::icon(icons::CHECK).color(if is_on { theme.accent } else { egui::Color32::TRANSPARENT });
    let keys = command.and_then(Command::shortcut).map(|keys| keys.to_string()).unwrap_or_default();
    let button = Button::new((mark, words)).shortcut_text(RichText::new(keys).color(theme.text_weak)).frame_when_inactive(false);
    let response = ui.add(button.min_size(vec2(ui.available_width(), size::CONTROL)));
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, is_on, words));
    response.on_hover_text(hint).clicked()
}
