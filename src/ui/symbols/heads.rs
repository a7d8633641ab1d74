//! The heads of the list's columns: they sort, are dragged to other places and wider, and have a menu.

use super::columns::{BOX_POINTS, LaidColumn, is_number, usual_width};
use super::menu::head_menu_ui;
use super::table::{CELL_EDGE, TableView, order_width, paint_order};
use crate::app::{Action, AppState, Column, ListAction};
use crate::tr;
use crate::ui::theme::{Theme, size};
use crate::ui::widgets::{BoxMark, paint_box};
use crate::ui::window::Outbox;
use eframe::egui;
use egui::{Align2, CursorIcon, FontId, Rect, Sense, Ui, UiBuilder, pos2, vec2};

/// How far from a column's right edge it can be taken.
const HANDLE: f32 = 4.0;

/// Draws the heads into a strip.
pub(super) fn heads_ui(
    ui: &mut Ui,
    strip: Rect,
    offset: f32,
    state: &AppState,
    view: &mut TableView,
    columns: &[LaidColumn],
    out: &mut Outbox,
) {
    let theme = Theme::of(ui);
    let mut ui = ui.new_child(UiBuilder::new().max_rect(strip).id_salt("symbols-heads"));
    ui.set_clip_rect(ui.clip_rect().intersect(strip));
    ui.painter().hline(strip.x_range(), strip.bottom() - 0.5, (1.0, theme.line));
    let still =
        columns.iter().find(|laid| laid.column == Column::Symbol).map_or(strip.left(), |laid| strip.left() + laid.left + laid.width);
    let place_of = |laid: &LaidColumn| {
        let shift = if laid.column == Column::Symbol { 0.0 } else { offset };
        Rect::from_min_size(pos2(strip.left() + laid.left - shift, strip.top()), vec2(laid.width, strip.height() - 2.0))
    };
    let whole = ui.clip_rect();
    let mut dragged = None;
    for laid in columns {
        let place = place_of(laid);
        let clip = if laid.column == Column::Symbol { whole } else { whole.intersect(Rect::everything_right_of(still)) };
        if !place.intersects(clip) {
            continue;
        }
        ui.set_clip_rect(clip);
        if head_ui(&mut ui, state, laid, place, out) {
            dragged = Some(laid.column);
        }
        handle_ui(&mut ui, state, view, laid, place, out);
    }
    ui.set_clip_rect(whole);
    if let Some(column) = dragged {
        drag_ui(&ui, state, column, columns, &place_of, out);
    }
    all_box_ui(&ui, strip, state, out);
}

/// One head; returns whether it is being dragged or was just let go.
fn head_ui(ui: &mut Ui, state: &AppState, laid: &LaidColumn, place: Rect, out: &mut Outbox) -> bool {
    let theme = Theme::of(ui);
    let column = laid.column;
    let id = ui.scope_id().with(("head", column));
    let pressed = place.with_max_x(place.right() - HANDLE);
    let response = ui.interact(pressed, id, Sense::click_and_drag());
    let order = state.list.sort();
    // Without a column that decides, it is ordered by symbol, and says so.
    let by_symbol = (column == Column::Symbol && order.keys().is_empty()).then_some((0, false));
    let sorted = order.place_of(column).or(by_symbol);
    let number = sorted.map(|(place, _)| place + 1).filter(|_| order.keys().len() > 1);
    if response.hovered() {
        ui.painter().rect_filled(place, 0.0, theme.hover);
    }
    let color = if sorted.is_some() { theme.text } else { theme.text_weak };
    let inner = place.shrink2(vec2(CELL_EDGE, 0.0));
    let arrow = if sorted.is_some() { order_width(number) + 2.0 } else { 0.0 };
    // The words are painted, so that the head's name is its words alone, whatever its width.
    let font = FontId::proportional(size::TEXT_SMALL);
    let mut job = egui::text::LayoutJob::single_section(column.text().to_owned(), egui::TextFormat::simple(font, color));
    job.wrap = egui::text::TextWrapping::truncate_at_width((inner.width() - arrow).max(8.0));
    let galley = ui.painter().layout_job(job);
    let is_right = is_number(column);
    let words_left = if is_right { inner.right() - galley.size().x } else { inner.left() };
    let middle = place.center().y;
    if let Some((_, descending)) = sorted {
        let at = if is_right { words_left - arrow } else { words_left + galley.size().x + 2.0 };
        paint_order(ui, pos2(at, middle), descending, number);
    }
    let at = pos2(words_left, middle - galley.size().y * 0.5);
    ui.painter().galley(at, galley, color);
    if response.has_focus() {
        ui.painter().rect_stroke(place.shrink(1.0), 2.0, (1.0, theme.accent), egui::StrokeKind::Inside);
    }
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, column.text()));
    if response.clicked() {
        let add = ui.input(|input| input.modifiers.shift);
        out.act(Action::List(ListAction::Sort { column, add }));
    }
    let is_dragged = column != Column::Symbol && (response.dragged() || response.drag_stopped());
    let response = response.on_hover_ui(|ui| {
        ui.label(column.explanation());
        let gestures = tr!("Click to sort, with Shift as a further column; drag to move");
        ui.label(egui::RichText::new(gestures).small().color(theme.text_weak));
    });
    response.context_menu(|ui| head_menu_ui(ui, state, column, out));
    is_dragged
}

/// The edge by which a column is made wider; a double click gives it its usual width.
fn handle_ui(ui: &mut Ui, state: &AppState, view: &mut TableView, laid: &LaidColumn, place: Rect, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let edge = Rect::from_x_y_ranges(place.right() - HANDLE..=place.right() + 1.0, place.y_range());
    let response = ui.interact(edge, ui.scope_id().with(("edge", laid.column)), Sense::click_and_drag());
    if response.hovered() || response.dragged() {
        ui.set_cursor_icon(CursorIcon::ResizeColumn);
        ui.painter().vline(place.right() - 0.5, place.y_range(), (1.0, theme.line_strong));
    }
    if response.double_clicked() {
        out.act(Action::List(ListAction::WidenColumn(laid.column, None)));
    }
    if response.drag_started() {
        let width = state.list.columns().width(laid.column).unwrap_or(if laid.column == Column::Trend {
            laid.width
        } else {
            usual_width(laid.column)
        });
        view.widening = Some((laid.column, width));
    }
    if response.dragged()
        && let Some((column, width)) = view.widening
        && column == laid.column
        && let Some(moved) = response.total_drag_delta()
        && moved.x != 0.0
    {
        let width = (width + moved.x).round();
        if state.list.columns().width(column) != Some(width) {
            out.act(Action::List(ListAction::WidenColumn(column, Some(width))));
        }
    }
    if response.drag_stopped() {
        view.widening = None;
    }
}

/// Shows where a dragged column would go, and puts it there when it is let go.
fn drag_ui(ui: &Ui, state: &AppState, column: Column, columns: &[LaidColumn], place_of: &dyn Fn(&LaidColumn) -> Rect, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let Some(pointer) = ui.input(|input| input.pointer.latest_pos()) else { return };
    // Before the first column whose middle is right of the pointer.
    let before = columns.iter().filter(|laid| laid.column != Column::Symbol).find(|laid| place_of(laid).center().x > pointer.x);
    let line = match before {
        Some(laid) => place_of(laid).left(),
        None => columns.last().map_or(pointer.x, |laid| place_of(laid).right() - 1.0),
    };
    let strip = ui.max_rect();
    let painter = ui.ctx().layer_painter(egui::LayerId::new(egui::Order::Tooltip, egui::Id::unique("dragged column")));
    // Down to the last row, so that it is seen beside what follows the pointer.
    painter.vline(line, strip.top()..=strip.bottom() + 10.0 * size::ROW, (2.0, theme.accent));
    let text = painter.layout_no_wrap(column.text().to_owned(), FontId::proportional(size::TEXT_SMALL), theme.text);
    let ghost = Rect::from_center_size(pos2(pointer.x, strip.bottom() + 8.0), text.size() + vec2(16.0, 8.0));
    painter.rect_filled(ghost, size::RADIUS, theme.tag);
    painter.text(ghost.center(), Align2::CENTER_CENTER, column.text(), FontId::proportional(size::TEXT_SMALL), theme.on_tag);
    ui.set_cursor_icon(CursorIcon::Grabbing);
    if ui.input(|input| input.pointer.any_released()) {
        let is_elsewhere = strip.expand(48.0).contains(pointer);
        let before = before.map(|laid| laid.column);
        let shown: Vec<Column> = state.list.columns().shown().collect();
        let next = shown.iter().position(|candidate| *candidate == column).and_then(|place| shown.get(place + 1).copied());
        if is_elsewhere && before != Some(column) && before != next {
            out.act(Action::List(ListAction::MoveColumn { column, before }));
        }
    }
}

/// The box of all boxes.
fn all_box_ui(ui: &Ui, strip: Rect, state: &AppState, out: &mut Outbox) {
    let place = Rect::from_min_size(strip.left_top(), vec2(BOX_POINTS, strip.height() - 2.0));
    let response = ui.interact(place, ui.scope_id().with("all"), Sense::click());
    let mark = match (state.list.selected().is_empty(), state.list.all_selected()) {
        (true, _) => BoxMark::Empty,
        (false, true) => BoxMark::Full,
        (false, false) => BoxMark::Some,
    };
    paint_box(ui, place.center() + vec2(1.0, 0.0), mark, response.hovered());
    let name = tr!("Select every shown symbol, or none");
    response.widget_info(|| egui::WidgetInfo::selected(egui::accesskit::Role::CheckBox, true, mark == BoxMark::Full, name));
    if response.on_hover_text(name).clicked() {
        out.act(Action::List(ListAction::CheckAll));
    }
}
