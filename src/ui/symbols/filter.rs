//! What narrows the list, above it: the field one types into, the lists, the chips with their counts, and how much is shown.

use super::lists::{lists_button_ui, lists_name_width};
use super::menu::columns_menu_ui;
use crate::app::{Action, AppState, Command, ListAction, StateFilter};
use crate::cache::EntryState;
use crate::ui::commands::command_icon_ui;
use crate::ui::theme::{StateMark, Theme, paint_mark, size, space};
use crate::ui::widgets::only_chip_ui;
use crate::ui::window::Outbox;
use crate::ui::{format, icons};
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Align, CornerRadius, Layout, Rect, Response, RichText, Sense, TextEdit, Ui, vec2};

/// The filter's name among widgets: from it the arrow down goes into the list.
pub(in crate::ui) fn filter_id() -> egui::Id {
    egui::Id::unique("symbols filter")
}

pub(super) fn filter_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        ui.add_space(space::XS);
        let mut text = state.list.filter().to_owned();
        ui.label(icons::icon(icons::SEARCH).color(theme.text_weak));
        // The buttons beside the field keep their room, however long the list's name is.
        let width = (ui.available_width() - lists_name_width(ui, state) - 123.0).clamp(120.0, 280.0);
        let hint = tr!("Filter symbols");
        // What clears it stands inside at its end, over room that is there whether there is something to clear or not.
        let margin = egui::Margin { left: 8, right: size::CONTROL as i8, top: 4, bottom: 4 };
        let field = TextEdit::singleline(&mut text).hint_text(hint).desired_width(width);
        let field = ui.add(field.margin(margin).id(filter_id()));
        let field =
            field.on_hover_text(tr!("Letters may be left out, numbers stand as they are; several words narrow further, -word leaves out"));
        if state.focus_filter {
            field.request_focus();
        }
        if field.changed() {
            out.act(Action::List(ListAction::Filter(text)));
        }
        let end = field.rect.right_center() - vec2(size::CONTROL * 0.5, 0.0);
        let room = Rect::from_center_size(end, vec2(size::CONTROL, field.rect.height()));
        if !state.list.filter().is_empty() {
            let mut inside = ui.new_child(egui::UiBuilder::new().max_rect(room));
            if icons::icon_button_ui(&mut inside, icons::CLOSE, tr!("Clear the filter")).clicked() {
                out.act(Action::List(ListAction::Filter(String::new())));
            }
        }
        lists_button_ui(ui, state, out);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(space::S);
            let button = egui::Button::new(icons::icon(icons::TUNE).color(theme.text_weak)).frame_when_inactive(false);
            let (response, _) = egui::containers::menu::MenuButton::from_button(button.min_size(vec2(size::CONTROL, size::CONTROL)))
                .config(egui::containers::menu::MenuConfig::new().close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside))
                .ui(ui, |ui| columns_menu_ui(ui, state, out));
            response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, tr!("Columns")));
            response.on_hover_text(tr!("Columns"));
            // With a selection it stands below, among what can be done with that.
            if state.list.selected().is_empty() {
                command_icon_ui(ui, state, Command::ExportRows, out);
            }
        });
    });
}

/// What a chip is drawn with: the mark of its state, or none.
fn mark_of_chip(chip: StateFilter) -> Option<StateMark> {
    Some(match chip {
        StateFilter::State(EntryState::Fresh) => StateMark::Fresh,
        StateFilter::State(EntryState::Stale) => StateMark::Stale,
        StateFilter::State(EntryState::Outdated) => StateMark::Outdated,
        StateFilter::State(EntryState::Missing) => StateMark::Missing,
        StateFilter::State(EntryState::Failed) => StateMark::Failed,
        StateFilter::State(EntryState::Damaged) => StateMark::Damaged,
        StateFilter::Working => StateMark::Working,
        StateFilter::Pinned => StateMark::Pinned,
        StateFilter::Large | StateFilter::Gaps | StateFilter::Flawed => return None,
    })
}

/// What stands on a chip.
fn chip_word(chip: StateFilter) -> &'static str {
    match (chip, mark_of_chip(chip)) {
        (_, Some(mark)) => mark.word(),
        (StateFilter::Flawed, None) => tr!("flawed"),
        (StateFilter::Gaps, None) => tr!("gaps"),
        (_, None) => tr!("over 10 MB"),
    }
}

pub(super) fn chips_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(space::XS, space::XS);
        if let Some((title, _)) = state.list.only()
            && only_chip_ui(ui, title).clicked()
        {
            out.act(Action::List(ListAction::ShowAll));
        }
        for chip in StateFilter::ALL {
            let count = state.list.count(chip);
            let pressed = state.list.states().contains(&chip);
            // The usual three always stand, so that they can be found; the others when there is something in them.
            let usual = matches!(chip, StateFilter::State(EntryState::Fresh | EntryState::Stale | EntryState::Missing));
            if (usual || count > 0 || pressed) && chip_ui(ui, chip, count, pressed).on_hover_text(chip.explanation()).clicked() {
                out.act(Action::List(ListAction::ToggleState(chip)));
            }
        }
        if !state.list.states().is_empty() && icons::icon_button_ui(ui, icons::CLOSE, tr!("Clear the chips")).clicked() {
            out.act(Action::List(ListAction::ClearChips));
        }
    });
}

/// A chip: mark, word and count; pressed ones narrow the list.
fn chip_ui(ui: &mut Ui, chip: StateFilter, count: usize, pressed: bool) -> Response {
    let theme = Theme::of(ui);
    let text = format!("{} {}", chip_word(chip), format::count(count as u64));
    let color = if pressed { theme.text } else { theme.text_weak };
    let words = RichText::new(&text).small().color(color);
    let galley = egui::WidgetText::from(words).into_galley(ui, None, f32::INFINITY, egui::TextStyle::Small);
    let mark = mark_of_chip(chip);
    let mark_width = if mark.is_some() { size::MARK + space::XS } else { 0.0 };
    let (rect, response) = ui.allocate_exact_size(vec2(galley.size().x + mark_width + 2.0 * space::S, 22.0), Sense::click());
    let fill = match (pressed, response.hovered()) {
        (true, _) => theme.accent_weak,
        (false, true) => theme.hover,
        (false, false) => theme.panel,
    };
    let painter = ui.painter();
    painter.rect_filled(rect, CornerRadius::same(11), fill);
    if pressed || response.has_focus() {
        painter.rect_stroke(rect, CornerRadius::same(11), (1.0, theme.accent), egui::StrokeKind::Inside);
    }
    let left = rect.left() + space::S;
    if let Some(mark) = mark {
        let middle = egui::pos2(left + size::MARK * 0.5, rect.center().y);
        paint_mark(painter, Rect::from_center_size(middle, vec2(size::MARK, size::MARK)), mark);
    }
    painter.galley(egui::pos2(left + mark_width, rect.center().y - galley.size().y * 0.5), galley, color);
    response.widget_info(|| egui::WidgetInfo::selected(egui::accesskit::Role::Button, true, pressed, &text));
    response
}

/// How many there are, how many are shown, how many of those are cached; and why rows stand where they do.
pub(super) fn headline_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let weak = |text: String| RichText::new(text).small().color(theme.text_weak);
    ui.horizontal(|ui| {
        ui.add_space(space::XS);
        let all = state.snapshot.rows.len() as u64;
        let shown = state.list.visible().len() as u64;
        let mut parts = vec![tr_n!(all, "{count} symbol", "{count} symbols")];
        if !state.list.narrowed_by().is_empty() || state.list.only().is_some() {
            parts.push(tr_n!(shown, "{count} shown", "{count} shown"));
        }
        parts.push(tr_n!(state.list.cached_shown() as u64, "{count} cached", "{count} cached"));
        ui.label(weak(parts.join(" · ")));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(space::S);
            if state.list.is_held() {
                let words = RichText::new(tr!("Sort now")).small().color(theme.accent);
                let response = ui.add(egui::Button::new(words).frame_when_inactive(false));
                if response.on_hover_text(tr!("Rows stay where they are while a job works on them")).clicked() {
                    out.act(Action::List(ListAction::SortNow));
                }
                ui.label(weak(tr!("order held").to_owned()));
            } else if !state.list.filter().trim().is_empty() && state.list.sort().keys().is_empty() {
                ui.label(weak(tr!("best match first").to_owned()));
            }
        });
    });
}
