//! The settings of a line: a small window beside the chart, in which every change is seen at once.
//!
//! Not a dialog: the chart can be moved while it is open. Contract: changes the layout and nothing else; Esc and a click on the
//! cross close it.

use super::entry::swatch_ui;
use super::head::title_of;
use super::legend::EntryPlace;
use super::panes::guide_label;
use super::style::{Mark, color_of, mark_of};
use super::view::ChartOffer;
use crate::app::chart::parameters::{self, Grouping, Parameter};
use crate::app::chart::{ChartLayout, LineWidth, PaneLayout, PanePlace, Placement, SeriesId, SeriesLayout, SeriesStyle};
use crate::tr;
use crate::ui::icons;
use crate::ui::theme::{Theme, series_names, size, space};
use crate::ui::widgets::{check_ui, combo_icon};
use crate::worker::chart_data::ChartData;
use crate::worker::series::{SeriesSource, ValueKind};
use eframe::egui;
use egui::{
    Align, Align2, Button, ComboBox, DragValue, Frame, Id, Layout, Margin, Pos2, Rect, RichText, Role, Sense, Stroke, TextEdit, Ui,
    UiBuilder, WidgetInfo, Window, pos2, vec2,
};
use strum::IntoEnumIterator;

/// Width of the window's content, in points.
const WIDE_POINTS: f32 = 340.0;
/// Height of the window at most, in points.
const HIGH_POINTS: f32 = 340.0;
/// Where the right column begins.
const LABEL_POINTS: f32 = 84.0;
/// Up to so many numbers each has its knob without asking.
const FEW_KNOBS: usize = 4;
/// Side of a colour.
const COLOR_POINTS: f32 = 18.0;

/// The line whose settings are open.
#[derive(Debug, Clone)]
pub(super) struct LineSettings {
    id: SeriesId,
    /// Where the window appears, and which of its corners is there.
    at: Pos2,
    corner: Align2,
    /// Whether it was opened in this frame.
    is_new: bool,
    /// Whether its first control wants the keyboard: a number that has it can be typed but not dragged.
    wants_keys: bool,
    /// Which numbers of the formula are one knob, as they were when the window was opened.
    grouping: Option<Grouping>,
    /// Whether every number has a knob, not the windows alone.
    all_numbers: bool,
}

impl LineSettings {
    /// `wants_keys` where it was opened by the keyboard.
    pub(super) fn new(id: SeriesId, place: EntryPlace, room: Rect, wants_keys: bool) -> Self {
        // Where there is room, above its pane: what is changed is to be seen.
        let is_low = place.pane_top - room.top() > HIGH_POINTS;
        let (at, corner) =
            if is_low { (pos2(place.at.x, place.pane_top - space::S), Align2::LEFT_BOTTOM) } else { (place.at, Align2::LEFT_TOP) };
        Self { id, at, corner, is_new: true, wants_keys, grouping: None, all_numbers: false }
    }
}

/// Draws the settings while they are open, inside `room`.
pub(super) fn settings_ui(
    ui: &mut Ui,
    room: Rect,
    settings: &mut Option<LineSettings>,
    layout: &mut ChartLayout,
    data: &ChartData,
    offer: &ChartOffer<'_>,
) {
    let Some(open) = settings.as_mut() else { return };
    let Some(line) = layout.line(open.id).cloned() else {
        *settings = None;
        return;
    };
    let theme = Theme::of(ui);
    let frame = Frame::window(ui.style()).fill(theme.raised).inner_margin(Margin::same(12));
    let mut stays = true;
    let mut changed = layout.clone();
    let at = pos2(open.at.x.min(room.right() - WIDE_POINTS - space::XL).max(room.left()), open.at.y.max(room.top()));
    let mut window = Window::new(tr!("Line settings"))
        .id(Id::unique("chart line settings"))
        .title_bar(false)
        .resizable(false)
        .frame(frame)
        .pivot(open.corner)
        .constrain_to(room);
    if open.is_new {
        // It may be dragged away from there.
        window = window.current_pos(at);
    }
    window.show(ui, |ui| {
        ui.set_width(WIDE_POINTS);
        ui.spacing_mut().item_spacing.y = space::XS;
        let cross = title_ui(ui, layout, &line, data, offer);
        stays = !cross.clicked();
        let first = section_ui(ui, "parameters", |ui| parameters_ui(ui, &mut changed, &line, open, offer)).or(Some(cross));
        section_ui(ui, "look", |ui| look_ui(ui, &mut changed, &line, data, theme));
        section_ui(ui, "place", |ui| place_ui(ui, &mut changed, &line));
        ui.add_space(space::S);
        footer_ui(ui, &mut changed, &line, open);
        open.is_new = false;
        if std::mem::take(&mut open.wants_keys)
            && let Some(first) = first
        {
            first.request_focus();
        }
    });
    let escaped = !egui::Popup::is_any_open(ui) && ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, egui::Key::Escape));
    if changed != *layout {
        *layout = changed;
    }
    if !stays || escaped {
        *settings = None;
    }
}

/// Name, where the values come from, and the cross, which is returned.
fn title_ui(ui: &mut Ui, layout: &ChartLayout, line: &SeriesLayout, data: &ChartData, offer: &ChartOffer<'_>) -> egui::Response {
    let theme = Theme::of(ui);
    let cross = ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(10.0, size::CONTROL), Sense::empty());
        let is_over_price = layout.place_of(line.id) == Some(PanePlace::Price);
        let mark = mark_of(line, data.figures(&line.source), is_over_price, theme);
        swatch_ui(ui, rect, mark, color_of(line, theme), true);
        ui.label(RichText::new(layout.name_of(line)).strong());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| icons::icon_button_ui(ui, icons::CLOSE, tr!("Close the settings"))).inner
    });
    let (what, formula) = match &line.source {
        SeriesSource::Column { set, name } => {
            let choice = offer.features.iter().find(|choice| choice.source == line.source);
            let description = choice.map(|choice| choice.description.as_str()).unwrap_or_default();
            let what =
                if description.is_empty() { tr!("{name} of {set}", name = name, set = set) } else { format!("{description} · {set}") };
            (what, None)
        }
        SeriesSource::Formula { text, .. } => (tr!("Formula").to_owned(), Some(text)),
        SeriesSource::Symbol(_) => (tr!("Closes of another symbol, at the times of these bars").to_owned(), None),
    };
    let small = |text: String| RichText::new(text).small().color(theme.text_weak);
    ui.add(egui::Label::new(small(what)).wrap());
    if let Some(formula) = formula {
        ui.add(egui::Label::new(RichText::new(formula).monospace().color(theme.text)).wrap().selectable(true));
    }
    if let Some(problem) = data.problem(&line.source) {
        ui.add(egui::Label::new(RichText::new(crate::app::said(problem)).small().color(theme.warning)).wrap().selectable(true));
    }
    ui.add_space(space::S);
    cross.inner
}

/// A part of the window whose controls are the same ones whatever stands above them: a number that is dragged stays in hand when
/// its line becomes a formula.
fn section_ui<R>(ui: &mut Ui, name: &str, content: impl FnOnce(&mut Ui) -> R) -> R {
    let id = Id::unique(("chart line settings", name));
    ui.scope_builder(UiBuilder::new().scope_id(id), content).inner
}

/// A row of two columns.
fn row_ui<R>(ui: &mut Ui, words: &str, content: impl FnOnce(&mut Ui) -> R) -> R {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        ui.set_min_height(size::ROW);
        let left = ui.cursor().left();
        ui.add(egui::Label::new(RichText::new(words).color(theme.text_weak)).selectable(false));
        ui.add_space((left + LABEL_POINTS - ui.cursor().left()).max(0.0));
        content(ui)
    })
    .inner
}

/// A knob for each window of the formula, and for its other numbers on demand. Returns the first.
fn parameters_ui(
    ui: &mut Ui,
    layout: &mut ChartLayout,
    line: &SeriesLayout,
    open: &mut LineSettings,
    offer: &ChartOffer<'_>,
) -> Option<egui::Response> {
    let (text, warm_up) = offer.formula_of(&line.source)?;
    let grouping = open.grouping.get_or_insert_with(|| Grouping::of(&text));
    let found = parameters::parameters_in(&text, grouping);
    let main = found.iter().filter(|parameter| parameter.is_window() && (parameter.is_main() || found.len() <= FEW_KNOBS)).count();
    let shows_all = open.all_numbers || main == 0;
    let shown = |parameter: &&Parameter| shows_all || (parameter.is_window() && (parameter.is_main() || found.len() <= FEW_KNOBS));
    let mut first = None;
    if found.is_empty() {
        return None;
    }
    row_ui(ui, tr!("Parameters"), |ui| {
        ui.vertical(|ui| {
            for knobs in found.iter().filter(shown).collect::<Vec<_>>().chunks(2) {
                ui.horizontal(|ui| {
                    for parameter in knobs {
                        let (changed, response) = knob_ui(ui, parameter);
                        if let Some(value) = changed
                            && let Some(line) = layout.line_mut(line.id)
                        {
                            let is_column = matches!(line.source, SeriesSource::Column { .. });
                            if (is_column || !line.label.is_empty())
                                && let Some(name) = parameters::renamed(line.name(), is_column, &found, parameter, value)
                            {
                                line.label = name;
                            }
                            line.source = SeriesSource::Formula { text: parameters::with_value(&text, parameter, value), warm_up };
                        }
                        first.get_or_insert(response);
                    }
                });
            }
            if main > 0 && main < found.len() {
                let words = if open.all_numbers { tr!("Windows only") } else { tr!("All numbers") };
                if ui.add(Button::new(RichText::new(words).small()).frame_when_inactive(false)).clicked() {
                    open.all_numbers = !open.all_numbers;
                }
            }
        });
    });
    first
}

/// One number, to be dragged or typed. Returns what it was changed to.
fn knob_ui(ui: &mut Ui, parameter: &Parameter) -> (Option<u32>, egui::Response) {
    let theme = Theme::of(ui);
    let mut value = parameter.value;
    let words = parameter.words();
    let (least, most) = parameter.bounds();
    let response = ui.add_sized(vec2(48.0, size::CONTROL), DragValue::new(&mut value).range(least..=most).speed(0.12));
    let name = format!("{words} {}", parameter.value);
    response.widget_info(|| WidgetInfo::labeled(Role::SpinButton, true, &name));
    let room = vec2(66.0, size::CONTROL);
    ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_width(room.x);
        ui.add(egui::Label::new(RichText::new(&words).small().color(theme.text_weak)).truncate().selectable(false));
    });
    ((value != parameter.value).then_some(value), response)
}

fn look_ui(ui: &mut Ui, layout: &mut ChartLayout, line: &SeriesLayout, data: &ChartData, theme: &Theme) {
    let is_over_price = layout.place_of(line.id) == Some(PanePlace::Price);
    let figures = data.figures(&line.source);
    let kind = figures.map(|figures| figures.kind).unwrap_or_default();
    let mark = mark_of(line, figures, is_over_price, theme);
    let Some(changed) = layout.line_mut(line.id) else { return };
    row_ui(ui, tr!("Name"), |ui| {
        let hint = ChartLayout::cut(line.source.label());
        let field = ui.add(TextEdit::singleline(&mut changed.label).hint_text(hint).desired_width(f32::INFINITY));
        field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, tr!("Name of the line")));
    });
    row_ui(ui, tr!("Colour"), |ui| colors_ui(ui, changed, theme));
    let is_signed = matches!(mark, Mark::Columns(_)) || matches!(mark, Mark::Signs(_)) && kind == ValueKind::Pattern;
    if is_signed {
        row_ui(ui, "", |ui| check_ui(ui, &mut changed.by_sign, tr!("Gain and loss colours")));
    }
    row_ui(ui, tr!("Style"), |ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        if ui.add(Button::selectable(changed.style.is_none(), tr!("Auto"))).on_hover_text(tr!("By name and values")).clicked() {
            changed.style = None;
        }
        for style in SeriesStyle::iter() {
            let glyph = match style {
                SeriesStyle::Line => icons::STYLE_LINE,
                SeriesStyle::Step => icons::STYLE_STEP,
                SeriesStyle::Histogram => icons::STYLE_HISTOGRAM,
                SeriesStyle::Area => icons::STYLE_AREA,
                SeriesStyle::Dots => icons::STYLE_DOTS,
            };
            let chosen = changed.style == Some(style);
            let response = ui.add(Button::selectable(chosen, icons::icon(glyph)));
            response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, chosen, style.label()));
            if response.on_hover_text(style.label()).clicked() {
                changed.style = Some(style);
            }
        }
    });
    row_ui(ui, tr!("Width"), |ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for width in LineWidth::iter() {
            let chosen = changed.width == width;
            let response = ui.add(Button::selectable(chosen, "").min_size(vec2(40.0, size::CONTROL)));
            response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, chosen, tr!("{width} line", width = width.label())));
            let middle = response.rect.center();
            let stroke = Stroke::new(super::style::points_of(width), if chosen { theme.accent } else { theme.text_weak });
            ui.painter().hline(middle.x - 12.0..=middle.x + 12.0, middle.y, stroke);
            if response.on_hover_text(width.label()).clicked() {
                changed.width = width;
            }
        }
    });
}

/// The theme's colours and one of the user's own.
fn colors_ui(ui: &mut Ui, line: &mut SeriesLayout, theme: &Theme) {
    ui.spacing_mut().item_spacing.x = 3.0;
    for (slot, name) in series_names().iter().enumerate() {
        let chosen = line.custom_color.is_none() && line.color % theme.series.len() == slot;
        let (rect, response) = ui.allocate_exact_size(vec2(COLOR_POINTS, COLOR_POINTS), Sense::click());
        response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, chosen, *name));
        ui.painter().rect_filled(rect.shrink(3.0), 3.0, theme.series_color(slot));
        if chosen || response.has_focus() || response.hovered() {
            let color = if chosen { theme.text } else { theme.text_weak };
            ui.painter().rect_stroke(rect.shrink(0.5), 4.0, (1.5, color), egui::StrokeKind::Inside);
        }
        if response.on_hover_text(*name).clicked() {
            line.color = slot;
            line.custom_color = None;
            line.by_sign = false;
        }
    }
    ui.add_space(space::XS);
    let mut own = line.custom_color.unwrap_or_else(|| {
        let [red, green, blue, _] = color_of(line, theme).to_array();
        [red, green, blue]
    });
    ui.spacing_mut().interact_size = vec2(COLOR_POINTS * 1.4, COLOR_POINTS);
    let response = ui.color_edit_button_srgb(&mut own);
    response.widget_info(|| WidgetInfo::labeled(Role::ColorWell, true, tr!("Another colour")));
    if response.on_hover_text(tr!("Another colour")).changed() {
        line.custom_color = Some(own);
        line.by_sign = false;
    }
}

fn place_ui(ui: &mut Ui, layout: &mut ChartLayout, line: &SeriesLayout) {
    let Some(place) = layout.place_of(line.id) else { return };
    row_ui(ui, tr!("Drawn"), |ui| {
        let combo = ComboBox::from_id_salt("place of the line")
            .icon(combo_icon)
            .width(ui.available_width() - space::S)
            .selected_text(place_words(layout, &place, line));
        let response = combo.show_ui(ui, |ui| {
            for (words, placement, is_here) in placements(layout, &place, line) {
                if ui.selectable_label(is_here, words).clicked() && !is_here {
                    layout.move_to(line.id, &placement);
                }
            }
        });
        response.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, tr!("Where the line is drawn")));
    });
    let PanePlace::Pane(pane_id) = place else { return };
    let Some(pane) = layout.panes.iter_mut().find(|pane| pane.id == pane_id) else { return };
    row_ui(ui, tr!("Levels"), |ui| guides_ui(ui, pane));
}

fn is_alone(layout: &ChartLayout, place: &PanePlace) -> bool {
    matches!(place, PanePlace::Pane(id) if layout.panes.iter().any(|pane| pane.id == *id && pane.lines.len() == 1))
}

fn place_words(layout: &ChartLayout, place: &PanePlace, line: &SeriesLayout) -> String {
    match place {
        PanePlace::Price => tr!("Over the price").to_owned(),
        PanePlace::Volume => tr!("Over the volume").to_owned(),
        PanePlace::Pane(_) if is_alone(layout, place) => tr!("In a pane of its own").to_owned(),
        PanePlace::Pane(id) => {
            let others = layout.panes.iter().find(|pane| pane.id == *id).map(|pane| pane.lines.as_slice()).unwrap_or_default();
            let other = others.iter().find(|other| other.id != line.id).map(|other| layout.name_of(other)).unwrap_or_default();
            tr!("With {other}", other = other)
        }
    }
}

/// Where a line can be drawn: words, placement, and whether it is there.
pub(super) fn placements(layout: &ChartLayout, place: &PanePlace, line: &SeriesLayout) -> Vec<(String, Placement, bool)> {
    let mut placements = vec![
        (tr!("Over the price").to_owned(), Placement::Price, *place == PanePlace::Price),
        (tr!("Over the volume").to_owned(), Placement::Volume, *place == PanePlace::Volume),
        (tr!("In a pane of its own").to_owned(), Placement::Own, is_alone(layout, place)),
    ];
    for pane in &layout.panes {
        let other = PanePlace::Pane(pane.id.clone());
        if other == *place && is_alone(layout, place) {
            continue;
        }
        let words = if other == *place { place_words(layout, place, line) } else { tr!("With {other}", other = title_of(layout, &other)) };
        placements.push((words, Placement::Pane(pane.id.clone()), other == *place));
    }
    placements
}

/// Levels of a pane: each can be turned and taken away.
fn guides_ui(ui: &mut Ui, pane: &mut PaneLayout) {
    const MOST_GUIDES: usize = 6;
    let mut guides = pane.guides();
    let before = guides.clone();
    let mut gone = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for (number, guide) in guides.iter_mut().enumerate() {
            let speed = (guide.abs() * 0.01).max(0.01);
            let value = ui.add(DragValue::new(guide).speed(speed).custom_formatter(|value, _| guide_label(value)));
            value.widget_info(|| WidgetInfo::labeled(Role::SpinButton, true, tr!("Level {number}", number = number + 1)));
            if icons::icon_button_ui(ui, icons::CLOSE, &tr!("Remove level {number}", number = number + 1)).clicked() {
                gone = Some(number);
            }
        }
        if guides.len() < MOST_GUIDES && icons::icon_button_ui(ui, icons::ADD, tr!("Add a level")).clicked() {
            let next = guides.last().copied().unwrap_or(0.0);
            guides.push(next);
        }
        if pane.guides.is_some() && icons::icon_button_ui(ui, icons::RESET, tr!("Usual levels")).clicked() {
            pane.guides = None;
            guides.clone_from(&before);
            return;
        }
        if let Some(gone) = gone {
            guides.remove(gone);
        }
        if guides != before {
            pane.guides = Some(guides.clone());
        }
    });
}

fn footer_ui(ui: &mut Ui, layout: &mut ChartLayout, line: &SeriesLayout, open: &mut LineSettings) {
    ui.horizontal(|ui| {
        if ui.button(tr!("Duplicate")).clicked()
            && let Some(copy) = layout.duplicate(line.id)
        {
            // The copy is what is to be changed now.
            open.id = copy;
            open.grouping = None;
        }
        if ui.button(if line.visible { tr!("Hide") } else { tr!("Show") }).clicked() {
            layout.toggle_visible(line.id);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button(tr!("Remove")).clicked() {
                layout.remove(line.id);
            }
        });
    });
}
