//! Symbols that are dragged: what they are dropped on, shown below the list while they are dragged.

use crate::app::{Action, AppState, ListsAction};
use crate::market::Symbol;
use crate::ui::icons;
use crate::ui::theme::{Theme, size, space};
use crate::ui::window::Outbox;
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Align2, CursorIcon, DragAndDrop, Rect, RichText, Ui, vec2};

/// Symbols that are dragged.
#[derive(Debug, Clone)]
pub(super) struct Dragged(pub Vec<Symbol>);

/// Shows the lists symbols can be dropped on, over the lower end of the list, and takes what is dropped.
pub(super) fn drop_ui(ui: &Ui, state: &AppState, room: Rect, out: &mut Outbox) {
    let Some(dragged) = DragAndDrop::payload::<Dragged>(ui) else { return };
    let theme = Theme::of(ui);
    ui.set_cursor_icon(CursorIcon::Grabbing);
    let area = egui::Area::new(egui::Id::unique("drop on lists"))
        .order(egui::Order::Foreground)
        .fixed_pos(room.left_bottom() + vec2(0.0, -space::XS))
        .pivot(Align2::LEFT_BOTTOM)
        .constrain(true);
    area.show(ui, |ui| {
        egui::Frame::popup(ui.style()).fill(theme.raised).show(ui, |ui| {
            ui.set_width((room.width() - 32.0).max(160.0));
            let count = tr_n!(dragged.0.len() as u64, "Drop {count} symbol on a list", "Drop {count} symbols on a list");
            ui.label(RichText::new(count).small().color(theme.text_weak));
            ui.horizontal_wrapped(|ui| {
                for list in state.lists.lists() {
                    if target_ui(ui, icons::STAR, &list.name) {
                        out.act(Action::Lists(ListsAction::Add { list: list.name.clone(), symbols: dragged.0.clone() }));
                    }
                }
                if target_ui(ui, icons::ADD, tr!("New list…")) {
                    out.act(Action::Lists(ListsAction::New(dragged.0.clone())));
                }
            });
        });
    });
    if let Some(pointer) = ui.input(|input| input.pointer.latest_pos()) {
        let painter = ui.ctx().layer_painter(egui::LayerId::new(egui::Order::Tooltip, egui::Id::unique("dragged symbols")));
        let text = match dragged.0.as_slice() {
            [one] => one.to_string(),
            many => tr_n!(many.len() as u64, "{count} symbol", "{count} symbols"),
        };
        let galley = painter.layout_no_wrap(text, egui::FontId::proportional(size::TEXT_BODY), theme.on_tag);
        let rect = Rect::from_min_size(pointer + vec2(14.0, 6.0), galley.size() + vec2(16.0, 8.0));
        painter.rect_filled(rect, size::RADIUS, theme.tag);
        painter.galley(rect.min + vec2(8.0, 4.0), galley, theme.on_tag);
    }
}

/// A place to drop symbols; returns whether they were.
fn target_ui(ui: &mut Ui, glyph: &str, text: &str) -> bool {
    let theme = Theme::of(ui);
    let button = egui::Button::new((icons::icon(glyph).color(theme.text_weak), RichText::new(text)));
    let response = ui.add(button.min_size(vec2(0.0, 32.0)));
    crate::ui::commands::name_item(&response, text, "");
    if response.contains_pointer() {
        ui.painter().rect_stroke(response.rect, size::RADIUS, (1.5, theme.accent), egui::StrokeKind::Inside);
    }
    response.dnd_release_payload::<Dragged>().is_some()
}
