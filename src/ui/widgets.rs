//! Small widgets that several views share: meters, states with their marks, headings and pairs of label and value.

use super::format;
use super::theme::{StateMark, Theme, mark_ui, space};
use crate::cache::{EntryState, HitCounts, Tier};
use crate::tr;
use eframe::egui;
use egui::{Color32, CornerRadius, Rect, Response, RichText, Sense, Ui, vec2};
use strum::IntoEnumIterator;

/// A thin bar that is full to a share of 0…1.
pub fn meter_ui(ui: &mut Ui, width: f32, share: f32, color: Color32) -> Response {
    let theme = Theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 6.0), Sense::hover());
    let radius = CornerRadius::same(3);
    ui.painter().rect_filled(rect, radius, theme.line);
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    if share > 0.0 {
        let full = Rect::from_min_size(rect.min, vec2((rect.width() * share).max(6.0), rect.height()));
        ui.painter().rect_filled(full, radius, color);
    }
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::ProgressIndicator, true, format::percent(f64::from(share))));
    response
}

/// A bar of several parts beside each other, each a share of 0…1.
pub fn stacked_meter_ui(ui: &mut Ui, width: f32, height: f32, parts: &[(f32, Color32)]) -> Response {
    let theme = Theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
    ui.painter().rect_filled(rect, CornerRadius::same(3), theme.line);
    let mut left = rect.left();
    for (share, color) in parts.iter().filter(|(share, _)| *share > 0.0) {
        let part = Rect::from_min_size(egui::pos2(left, rect.top()), vec2((rect.width() * share).max(2.0), rect.height()));
        ui.painter().rect_filled(part.intersect(rect), CornerRadius::same(2), *color);
        left = part.right() + 1.0;
    }
    response
}

/// The mark of an entry's state; fresh entries in the last tenth of their time, from `cools_at_us` on, cool.
#[must_use]
pub fn mark_of(state: EntryState, cools_at_us: Option<i64>, now_us: i64) -> StateMark {
    match state {
        EntryState::Fresh => {
            let cooling = cools_at_us.is_some_and(|at_us| now_us > at_us);
            if cooling { StateMark::Cooling } else { StateMark::Fresh }
        }
        EntryState::Stale => StateMark::Stale,
        EntryState::Outdated => StateMark::Outdated,
        EntryState::Damaged => StateMark::Damaged,
        EntryState::Failed => StateMark::Failed,
        EntryState::Missing => StateMark::Missing,
    }
}

/// Mark and word of a state.
pub fn state_ui(ui: &mut Ui, mark: StateMark) -> Response {
    let theme = Theme::of(ui);
    mark_ui(ui, mark);
    let color = if matches!(mark, StateMark::Damaged | StateMark::Failed) { theme.error } else { theme.text };
    ui.add(egui::Label::new(RichText::new(mark.word()).color(color)).selectable(false))
}

/// A chip for what the list was narrowed to from elsewhere; a click shows all again.
pub fn only_chip_ui(ui: &mut Ui, title: &str) -> Response {
    let theme = Theme::of(ui);
    let words = (RichText::new(title).small().color(theme.text), super::icons::icon(super::icons::CLOSE).size(12.0).color(theme.text_weak));
    let chip = egui::Button::new(words).fill(theme.accent_weak).corner_radius(CornerRadius::same(11)).min_size(vec2(0.0, 22.0));
    let response = ui.add(chip);
    let name = tr!("Only {title}: show all again", title = title);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, &name));
    response.on_hover_text(tr!("Show all symbols again"))
}

/// The colour of a tier in charts of lookups: the nearer, the hotter.
#[must_use]
pub fn tier_color(theme: &Theme, tier: Tier) -> Color32 {
    match tier {
        Tier::Memory => theme.fresh,
        Tier::Disk => theme.cooling,
        Tier::Shared => theme.outdated,
        Tier::Miss => theme.missing,
    }
}

/// A square of a legend, and its words.
pub fn legend_ui(ui: &mut Ui, color: Color32, text: &str) -> Response {
    let theme = Theme::of(ui);
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        let (dot, _) = ui.allocate_exact_size(vec2(8.0, 16.0), Sense::hover());
        ui.painter().rect_filled(Rect::from_center_size(dot.center(), vec2(8.0, 8.0)), 2.0, color);
        ui.label(RichText::new(text).small().color(theme.text))
    })
    .inner
}

/// Lookups by tier in words, with the share of each; the shared tier only where it answered, and stale answers where there were any.
pub fn tier_legend_ui(ui: &mut Ui, counts: &HitCounts, stale: Option<u64>) {
    let theme = Theme::of(ui);
    let total = counts.total().max(1) as f64;
    let text = |word: &str, count: u64| format!("{word} {} ({})", format::count(count), format::percent(count as f64 / total));
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::M;
        for tier in Tier::iter().filter(|tier| counts.of(*tier) > 0 || *tier != Tier::Shared) {
            legend_ui(ui, tier_color(theme, tier), &text(crate::app::words::tier(tier), counts.of(tier)));
        }
        if let Some(stale) = stale {
            let words = text(tr!("served stale"), stale);
            legend_ui(ui, theme.stale, &words).on_hover_text(tr!("Answered with what was not fresh, and marked so"));
        }
    });
}

/// How much a box is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoxMark {
    /// Nothing is chosen.
    Empty,
    /// A part is chosen.
    Some,
    /// All is chosen.
    Full,
}

/// Side of a box, in points.
const BOX_POINTS: f32 = 14.0;

/// A box that can be checked, as it is everywhere: in lists, menus and dialogs.
pub fn paint_box(ui: &Ui, center: egui::Pos2, mark: BoxMark, is_hovered: bool) {
    let theme = Theme::of(ui);
    let rect = Rect::from_center_size(center, vec2(BOX_POINTS, BOX_POINTS));
    let painter = ui.painter();
    if mark == BoxMark::Empty {
        let color = if is_hovered { theme.accent } else { theme.line_strong };
        painter.rect_stroke(rect, 3.0, (1.25, color), egui::StrokeKind::Inside);
    } else {
        painter.rect_filled(rect, 3.0, theme.accent);
        let stroke = egui::Stroke::new(1.75, theme.on_accent);
        if mark == BoxMark::Full {
            let corners = [vec2(-3.5, 0.2), vec2(-1.0, 2.8), vec2(3.6, -2.6)].map(|from| center + from);
            painter.line(corners.to_vec(), stroke);
        } else {
            painter.line_segment([center - vec2(3.0, 0.0), center + vec2(3.0, 0.0)], stroke);
        }
    }
}

/// A check box with its words.
pub fn check_ui(ui: &mut Ui, checked: &mut bool, words: &str) -> Response {
    let theme = Theme::of(ui);
    let enabled = ui.is_enabled();
    let color = if enabled { theme.text } else { theme.text_disabled };
    let galley = egui::WidgetText::from(RichText::new(words).color(color)).into_galley(ui, None, f32::INFINITY, egui::TextStyle::Body);
    let wide = BOX_POINTS + space::S + galley.size().x;
    let (rect, mut response) = ui.allocate_exact_size(vec2(wide, super::theme::size::ROW), Sense::click());
    if response.clicked() {
        *checked = !*checked;
        response.mark_changed();
    }
    let is_on = *checked;
    response.widget_info(|| egui::WidgetInfo::selected(egui::accesskit::Role::CheckBox, enabled, is_on, words));
    let mark = if is_on { BoxMark::Full } else { BoxMark::Empty };
    paint_box(ui, egui::pos2(rect.left() + BOX_POINTS * 0.5, rect.center().y), mark, response.hovered() && enabled);
    if response.has_focus() {
        ui.painter().rect_stroke(rect.expand2(vec2(3.0, -1.0)), super::theme::size::RADIUS, (1.0, theme.accent), egui::StrokeKind::Inside);
    }
    ui.painter().galley(egui::pos2(rect.left() + BOX_POINTS + space::S, rect.center().y - galley.size().y * 0.5), galley, color);
    response
}

/// The chevron of a box that drops down, for [`egui::ComboBox::icon`].
pub fn combo_icon(ui: &Ui, rect: Rect, visuals: &egui::style::WidgetVisuals, _is_open: bool) {
    let font = egui::FontId::proportional(super::theme::size::ICON);
    ui.painter().text(rect.center(), egui::Align2::CENTER_CENTER, super::icons::EXPAND, font, visuals.fg_stroke.color);
}

/// A figure that counts symbols and leads to the list of just these.
pub fn figure_link_ui(ui: &mut Ui, text: &str, color: Color32) -> Response {
    let button = egui::Button::new(RichText::new(text).small().color(color)).frame_when_inactive(false).small();
    let link = ui.scope(|ui| {
        ui.spacing_mut().button_padding = vec2(space::XS, 0.0);
        ui.add(button)
    });
    let response = link.inner;
    let below = response.rect.shrink2(vec2(space::XS, 0.0));
    ui.painter().hline(below.x_range(), below.bottom() - 1.0, (1.0, color.gamma_multiply(0.5)));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Link, true, text));
    response.on_hover_text(tr!("Show these symbols"))
}

/// A quiet heading above a group.
pub fn heading_ui(ui: &mut Ui, text: &str) {
    let theme = Theme::of(ui);
    ui.label(RichText::new(text).color(theme.text));
    ui.add_space(space::XS);
}

/// A figure that is read from across the desk, with what it is below.
pub fn figure_ui(ui: &mut Ui, value: &str, label: &str, color: Color32) -> Response {
    let theme = Theme::of(ui);
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.label(RichText::new(value).text_style(super::theme::display()).color(color));
        ui.add(egui::Label::new(RichText::new(label).small().color(theme.text_weak)).wrap());
    })
    .response
}

/// A small word on the left of a form or table of facts.
pub fn fact_label_ui(ui: &mut Ui, text: &str) -> Response {
    let theme = Theme::of(ui);
    ui.label(RichText::new(text).color(theme.text_weak))
}
