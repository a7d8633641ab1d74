//! What can be done with a pane: buttons at its upper right, a double-click on its legend, and the menu of the right button.
//!
//! Contract: the buttons are always there for the keyboard and are painted where the pointer or the keyboard is at the pane; a
//! pane that has all the room always shows the way back.

use super::legend::TOP_POINTS;
use super::panes::{PaneFrame, PaneKind};
use crate::app::chart::{ChartLayout, PanePlace};
use crate::tr;
use crate::ui::icons;
use crate::ui::theme::{Theme, size, space};
use eframe::egui;
use egui::{Align2, FontId, Id, Rect, Role, Sense, Ui, Vec2, WidgetInfo, pos2, vec2};

/// Side of a button.
const BUTTON_POINTS: f32 = 20.0;
/// What the buttons of a pane take at most.
pub(super) const HEAD_POINTS: f32 = BUTTON_POINTS * 4.0 + space::S;
/// The same of the prices, which are neither moved nor removed.
pub(super) const PRICE_HEAD_POINTS: f32 = BUTTON_POINTS + space::S;

/// What the user wants of a pane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PaneAction {
    ToggleMaximised(PanePlace),
    Move(PanePlace, bool),
    Remove(PanePlace),
}

impl PaneAction {
    /// Does it.
    pub(super) fn apply(&self, layout: &mut ChartLayout) {
        match self {
            Self::ToggleMaximised(place) => layout.toggle_maximised(place),
            Self::Move(place, up) => layout.move_pane(place, *up),
            Self::Remove(place) => layout.remove_pane(place),
        }
    }
}

/// What a pane is called in menus and by assistive technology.
pub(super) fn title_of(layout: &ChartLayout, place: &PanePlace) -> String {
    match place {
        PanePlace::Price => tr!("the price").to_owned(),
        PanePlace::Volume => tr!("volume").to_owned(),
        PanePlace::Pane(id) => {
            let title = layout.panes.iter().find(|pane| pane.id == *id).map_or("", |pane| pane.title());
            if title.is_empty() { tr!("the pane").to_owned() } else { ChartLayout::cut(title) }
        }
    }
}

/// What can be done with a pane now: icon, words, action.
fn offers(layout: &ChartLayout, place: &PanePlace) -> Vec<(&'static str, String, PaneAction)> {
    let title = title_of(layout, place);
    if layout.maximised() == Some(place) {
        return vec![(icons::RESTORE_PANES, tr!("Show all panes").to_owned(), PaneAction::ToggleMaximised(place.clone()))];
    }
    let mut offers = Vec::new();
    for (up, glyph) in [(true, icons::SORT_UP), (false, icons::SORT_DOWN)] {
        if layout.can_move_pane(place, up) {
            let words = if up { tr!("Move {pane} up", pane = title) } else { tr!("Move {pane} down", pane = title) };
            offers.push((glyph, words, PaneAction::Move(place.clone(), up)));
        }
    }
    if layout.places().len() > 1 {
        offers.push((icons::MAXIMISE, tr!("Maximise {pane}", pane = title), PaneAction::ToggleMaximised(place.clone())));
    }
    match place {
        PanePlace::Price => {}
        PanePlace::Volume => offers.push((icons::CLOSE, tr!("Hide volume").to_owned(), PaneAction::Remove(place.clone()))),
        PanePlace::Pane(_) => offers.push((icons::CLOSE, tr!("Remove the pane {pane}", pane = title), PaneAction::Remove(place.clone()))),
    }
    offers
}

/// The strip of a pane's legend (below the legend's own entries) and its buttons.
pub(super) fn pane_head_ui(ui: &mut Ui, id: Id, layout: &ChartLayout, frame: &PaneFrame, kind: PaneKind) -> Option<PaneAction> {
    let place = kind.place(layout);
    let strip_bottom = frame.rect.top() + frame.legend_height.max(BUTTON_POINTS + TOP_POINTS);
    let strip = Rect::from_min_max(frame.rect.left_top(), pos2(frame.rect.right(), strip_bottom));
    // It takes clicks only: a drag that begins on it moves the chart.
    let response = ui.interact(strip, id.with("strip"), Sense::click());
    (response.double_clicked() && layout.places().len() > 1).then_some(PaneAction::ToggleMaximised(place))
}

/// The buttons of a pane, over everything else in it.
pub(super) fn pane_buttons_ui(ui: &mut Ui, id: Id, layout: &ChartLayout, frame: &PaneFrame, kind: PaneKind) -> Option<PaneAction> {
    let theme = Theme::of(ui);
    let place = kind.place(layout);
    let offers = offers(layout, &place);
    let ids: Vec<Id> = (0..offers.len()).map(|number| id.with(("pane button", number))).collect();
    let is_at_pane = ui.pointer_hover_pos().is_some_and(|pointer| frame.rect.contains(pointer)) && ui.rect_contains_pointer(frame.rect);
    let has_keyboard = ui.memory(egui::Memory::focused).is_some_and(|focused| ids.contains(&focused));
    let is_shown = is_at_pane || has_keyboard || layout.maximised() == Some(&place);
    let wide = BUTTON_POINTS * offers.len() as f32;
    let whole =
        Rect::from_min_size(pos2(frame.rect.right() - space::XS - wide, frame.rect.top() + TOP_POINTS * 0.5), vec2(wide, BUTTON_POINTS));
    if is_shown && !offers.is_empty() {
        ui.painter().rect_filled(whole, size::RADIUS, theme.panel);
    }
    let mut action = None;
    for ((number, (glyph, words, wanted)), button_id) in offers.into_iter().enumerate().zip(ids) {
        let rect = Rect::from_min_size(whole.min + vec2(BUTTON_POINTS * number as f32, 0.0), Vec2::splat(BUTTON_POINTS));
        let response = ui.interact(rect, button_id, Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &words));
        if is_shown {
            let color = if response.hovered() || response.has_focus() { theme.accent } else { theme.text_weak };
            ui.painter().text(rect.center(), Align2::CENTER_CENTER, glyph, FontId::proportional(size::ICON - 2.0), color);
            if response.has_focus() {
                ui.painter().rect_stroke(rect.shrink(1.0), size::RADIUS, (1.0, theme.accent), egui::StrokeKind::Inside);
            }
        }
        if response.on_hover_text(words).clicked() {
            action = Some(wanted);
        }
    }
    action
}

/// The same as a menu.
pub(super) fn pane_menu_ui(ui: &mut Ui, layout: &ChartLayout, kind: PaneKind) -> Option<PaneAction> {
    let theme = Theme::of(ui);
    let mut action = None;
    for (glyph, words, wanted) in offers(layout, &kind.place(layout)) {
        if menu_item_ui(ui, glyph, &words, theme) {
            action = Some(wanted);
        }
    }
    action
}

/// Width of the menus over the chart, in points.
pub(super) const MENU_POINTS: f32 = 240.0;

/// Width of the menu of the whole chart, in points.
pub(super) const WIDE_MENU_POINTS: f32 = 300.0;

/// An item of a menu: icon (or the room for one) and words. Returns whether it was chosen; that closes the menu.
pub(super) fn menu_item_ui(ui: &mut Ui, glyph: &str, words: &str, theme: &Theme) -> bool {
    let icon = if glyph.is_empty() {
        icons::icon(icons::CHECK).color(egui::Color32::TRANSPARENT)
    } else {
        icons::icon(glyph).color(theme.text_weak)
    };
    let button = egui::Button::new((icon, words)).frame_when_inactive(false);
    let response = ui.add(button.min_size(vec2(ui.available_width(), size::CONTROL)));
    crate::ui::commands::name_item(&response, words, "");
    response.clicked()
}
