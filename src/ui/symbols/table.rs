//! The table itself: heads that stay, rows in view, the symbol that stands still while the other columns are scrolled.
//!
//! Not a table for everything: rows of one height, over the list's own order. Contract: a frame costs what is in view, however many rows
//! there are.

use super::cells::{cell_ui, name_ui};
use super::columns::{BOX_POINTS, LaidColumn, is_number, lay_out};
use super::drop::Dragged;
use super::flash::Flashes;
use super::heads::heads_ui;
use super::menu::row_menu_ui;
use crate::app::{Action, AppState, Column, ListAction, Needle, SortOrder};
use crate::market::Symbol;
use crate::tr;
use crate::ui::icons;
use crate::ui::theme::{Theme, size, space};
use crate::ui::widgets::{BoxMark, paint_box};
use crate::ui::window::Outbox;
use crate::worker::SymbolRow;
use eframe::egui;
use egui::style::ScrollAnimation;
use egui::{Align, DragAndDrop, Layout, Modifiers, Rect, Response, ScrollArea, Sense, Ui, UiBuilder, pos2, vec2};
use std::ops::Range;

/// Room at the left and right edge of a cell.
pub(super) const CELL_EDGE: f32 = 5.0;

/// Passing state of the table that is no business of the application's.
#[derive(Default)]
pub struct TableView {
    /// The focus and the order that were last scrolled to.
    scrolled_to: Option<(Symbol, SortOrder)>,
    /// What was typed when rows were last drawn, ready to be looked for.
    needle: Option<(String, Needle)>,
    /// The column that is being widened, and how wide it was.
    pub(super) widening: Option<(Column, f32)>,
    /// What changed in view.
    flashes: Flashes,
}

/// Draws the table into all the room there is.
pub(super) fn table_ui(ui: &mut Ui, state: &AppState, view: &mut TableView, out: &mut Outbox) {
    let area = ui.available_rect_before_wrap();
    let columns = lay_out(state, area.width() - ui.spacing().scroll.allocated_width());
    let (head, body) = area.split_top_bottom_at_y(area.top() + size::ROW + 2.0);
    let offset = body_ui(ui, body, state, view, &columns, out);
    heads_ui(ui, head, offset, state, view, &columns, out);
    ui.advance_cursor_after_rect(area);
}

/// Draws the rows in view; returns how far they are scrolled to the side.
fn body_ui(ui: &mut Ui, body: Rect, state: &AppState, view: &mut TableView, columns: &[LaidColumn], out: &mut Outbox) -> f32 {
    let rows = state.list.visible().len();
    let width = columns.last().map_or(0.0, |last| last.left + last.width);
    let goal = scroll_goal(state, view);
    let (_, mut needle) = view.needle.take().unwrap_or_else(|| (String::new(), Needle::new("")));
    let mut child = ui.new_child(UiBuilder::new().max_rect(body).id_salt("symbols-table"));
    // A fade at the left would lie on what stands still.
    child.spacing_mut().scroll.fade.strength = 0.0;
    let output = ScrollArea::both().id_salt("rows").auto_shrink([false, false]).show_viewport(&mut child, |ui, viewport| {
        let origin = ui.max_rect().min;
        ui.set_width(width.max(viewport.width()));
        ui.set_height(rows as f32 * size::ROW);
        let row_rect = |place: usize| {
            let top = origin.y + place as f32 * size::ROW;
            Rect::from_min_size(pos2(origin.x + viewport.left(), top), vec2(viewport.width(), size::ROW))
        };
        match goal {
            Some(Goal::Top) => ui.scroll_to_rect_animation(row_rect(0), Some(Align::TOP), ScrollAnimation::none()),
            Some(Goal::Row(place)) => ui.scroll_to_rect_animation(row_rect(place), None, ScrollAnimation::none()),
            None => {}
        }
        let in_view = rows_in_view(viewport, rows);
        let row_at = |place: usize| state.list.visible().get(place).and_then(|position| state.snapshot.rows.get(*position));
        view.flashes.look(ui, in_view.clone().filter_map(row_at).map(|row| (&row.symbol, row.state)));
        for place in in_view.clone() {
            if let Some(row) = row_at(place) {
                let flashes = view.flashes.is_on(&row.symbol);
                let drawn = DrawnRow { place, row, rect: row_rect(place), offset: viewport.left(), flashes };
                row_ui(ui, state, &drawn, columns, &mut needle, out);
            }
        }
        if *state.sparks.seen() != in_view {
            out.act(Action::List(ListAction::See(in_view)));
        }
    });
    view.needle = Some((state.list.filter().to_owned(), needle));
    output.state.clamped_offset().x
}

/// Where to scroll to.
#[derive(Debug, Clone, Copy)]
enum Goal {
    Top,
    Row(usize),
}

/// The list scrolls to the focus when that moved, not when the user scrolled away from it; to the best match while one types; and to its
/// beginning in another order, where what was looked for stands.
fn scroll_goal(state: &AppState, view: &mut TableView) -> Option<Goal> {
    let text = state.list.filter();
    let is_typed = view.needle.as_ref().is_some_and(|(before, _)| before != text);
    if is_typed || view.needle.is_none() {
        view.needle = Some((text.to_owned(), Needle::new(text)));
    }
    let focus = state.list.focus()?;
    let moved = view.scrolled_to.as_ref().is_none_or(|(seen, _)| seen != focus);
    let is_ordered = view.scrolled_to.as_ref().is_some_and(|(_, order)| order != state.list.sort());
    if moved || is_ordered {
        view.scrolled_to = Some((focus.clone(), state.list.sort().clone()));
    }
    if (is_typed && !text.is_empty()) || (is_ordered && !moved) {
        return Some(Goal::Top);
    }
    if moved || is_typed { state.list.place_of(&state.snapshot, focus).map(Goal::Row) } else { None }
}

fn rows_in_view(viewport: Rect, rows: usize) -> Range<usize> {
    let first = (viewport.top() / size::ROW).floor().max(0.0) as usize;
    let end = (viewport.bottom() / size::ROW).ceil().max(0.0) as usize;
    first.min(rows)..end.min(rows)
}

struct DrawnRow<'row> {
    place: usize,
    row: &'row SymbolRow,
    /// What is seen of the row.
    rect: Rect,
    /// How far the columns are scrolled to the side.
    offset: f32,
    /// Whether its state has just become another.
    flashes: bool,
}

fn row_ui(ui: &mut Ui, state: &AppState, drawn: &DrawnRow<'_>, columns: &[LaidColumn], needle: &mut Needle, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let (row, rect) = (drawn.row, drawn.rect);
    let id = ui.scope_id().with(("row", drawn.place));
    // Rows and their boxes are walked by the arrow keys, not by Tab, which goes on to what is behind the list.
    let response = ui.interact(rect, id, Sense::CLICK | Sense::DRAG);
    let focused = state.list.focus() == Some(&row.symbol);
    let selected = state.list.selected().contains(&row.symbol);
    let fill = if selected || focused {
        theme.accent_weak
    } else if response.hovered() && !DragAndDrop::has_any_payload(ui) {
        theme.hover
    } else {
        theme.panel
    };
    ui.painter().rect_filled(rect, 0.0, fill);
    ui.accesskit_node_builder(id, |node| {
        node.set_role(egui::accesskit::Role::Row);
        node.set_selected(selected);
    });
    let mut still = rect.left() + BOX_POINTS;
    for laid in columns.iter().filter(|laid| laid.column == Column::Symbol) {
        still = rect.left() + laid.left + laid.width;
    }
    let clip = ui.clip_rect().intersect(Rect::everything_right_of(still));
    for laid in columns.iter().filter(|laid| laid.column != Column::Symbol) {
        let left = rect.left() - drawn.offset + laid.left;
        let place = Rect::from_min_size(pos2(left, rect.top()), vec2(laid.width, rect.height()));
        if !place.intersects(clip) {
            continue;
        }
        if drawn.flashes && laid.column == Column::State {
            ui.painter().with_clip_rect(clip).rect_filled(place.shrink(2.0), size::RADIUS, theme.flash());
        }
        let mut cell = cell(ui, place, (drawn.place, laid.column), is_number(laid.column));
        cell.set_clip_rect(clip.intersect(place));
        cell_ui(&mut cell, state, row, laid.column);
    }
    for laid in columns.iter().filter(|laid| laid.column == Column::Symbol) {
        let place = Rect::from_min_size(pos2(rect.left() + laid.left, rect.top()), vec2(laid.width, rect.height()));
        let mut cell = cell(ui, place, (drawn.place, laid.column), false);
        cell.set_clip_rect(ui.clip_rect().intersect(place));
        name_ui(&mut cell, row, needle);
    }
    if drawn.offset > 0.5 {
        // What stands still ends here.
        ui.painter().vline(still, rect.y_range(), (1.0, theme.line_strong));
    }
    if focused {
        let edge = Rect::from_min_size(rect.left_top(), vec2(3.0, rect.height()));
        ui.painter().rect_filled(edge, 1.0, theme.accent);
    }
    box_ui(ui, state, drawn, &response, selected, out);
    act_on(ui, state, row, &response, out);
}

fn cell(ui: &mut Ui, place: Rect, salt: (usize, Column), is_number: bool) -> Ui {
    let align = if is_number { Layout::right_to_left(Align::Center) } else { Layout::left_to_right(Align::Center) };
    ui.new_child(UiBuilder::new().id_salt(salt).max_rect(place.shrink2(vec2(CELL_EDGE, 0.0))).layout(align))
}

/// The box by which rows are selected one by one: seen where it can be pressed next, and where it is.
fn box_ui(ui: &mut Ui, state: &AppState, drawn: &DrawnRow<'_>, row: &Response, selected: bool, out: &mut Outbox) {
    let place = Rect::from_min_size(drawn.rect.left_top(), vec2(BOX_POINTS, drawn.rect.height()));
    let id = ui.scope_id().with(("box", drawn.place));
    let response = ui.interact(place, id, Sense::CLICK);
    let is_seen = selected || row.hovered() || response.hovered() || !state.list.selected().is_empty();
    if is_seen {
        paint_box(ui, place.center() + vec2(1.0, 0.0), if selected { BoxMark::Full } else { BoxMark::Empty }, response.hovered());
    }
    response.widget_info(|| {
        let name = tr!("Select {symbol}", symbol = drawn.row.symbol);
        egui::WidgetInfo::selected(egui::accesskit::Role::CheckBox, true, selected, &name)
    });
    if response.clicked() {
        let extend = click_modifiers(ui).shift;
        out.act(Action::List(ListAction::Check { symbol: drawn.row.symbol.clone(), extend }));
    }
}

/// The keys that were held down when the button was let go: by the end of a long frame they may be up again.
fn click_modifiers(ui: &Ui) -> Modifiers {
    ui.input(|input| {
        let at_release = input.events.iter().rev().find_map(|event| match event {
            egui::Event::PointerButton { pressed: false, modifiers, .. } => Some(*modifiers),
            _ => None,
        });
        at_release.unwrap_or(input.modifiers)
    })
}

fn act_on(ui: &Ui, state: &AppState, row: &SymbolRow, response: &Response, out: &mut Outbox) {
    let modifiers = click_modifiers(ui);
    // A click and a Ctrl+click soon after it are two clicks.
    if response.double_clicked() && !modifiers.any() {
        out.act(Action::Inspect(row.symbol.clone()));
    } else if response.clicked() {
        out.act(Action::List(ListAction::Click { symbol: row.symbol.clone(), toggle: modifiers.command, extend: modifiers.shift }));
    }
    if response.drag_started() {
        let in_selection = state.list.selected().contains(&row.symbol);
        let symbols = if in_selection { state.list.targets() } else { vec![row.symbol.clone()] };
        DragAndDrop::set_payload(ui, Dragged(symbols));
    }
    response.context_menu(|ui| row_menu_ui(ui, state, &row.symbol, out));
}

/// An arrow of an order in a head, with its number where several columns decide.
pub(super) fn paint_order(ui: &Ui, at: egui::Pos2, descending: bool, number: Option<usize>) {
    let theme = Theme::of(ui);
    let arrow = if descending { icons::SORT_DOWN } else { icons::SORT_UP };
    ui.painter().text(at, egui::Align2::LEFT_CENTER, arrow, egui::FontId::proportional(12.0), theme.accent);
    if let Some(number) = number {
        let at = at + vec2(12.0, 0.0);
        ui.painter().text(
            at,
            egui::Align2::LEFT_CENTER,
            number.to_string(),
            egui::FontId::proportional(size::TEXT_SMALL - 1.5),
            theme.accent,
        );
    }
}

/// What an arrow and a number take.
pub(super) fn order_width(number: Option<usize>) -> f32 {
    if number.is_some() { 12.0 + space::S } else { 12.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_in_view_are_those_that_are_seen_at_least_in_part() {
        let view = |top: f32, height: f32| Rect::from_min_size(pos2(0.0, top), vec2(100.0, height));
        assert_eq!(rows_in_view(view(0.0, 48.0), 100), 0..2);
        assert_eq!(rows_in_view(view(30.0, 48.0), 100), 1..4);
        assert_eq!(rows_in_view(view(0.0, 48.0), 1), 0..1);
        assert_eq!(rows_in_view(view(9_000.0, 48.0), 10), 10..10);
    }
}
