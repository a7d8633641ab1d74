//! The lines of the panel's lists: headings, features, functions.

use super::code::{font, highlighted};
use crate::app::ListedFeature;
use crate::feature::functions::Function;
use crate::language::describe;
use crate::tr;
use crate::ui::icons;
use crate::ui::theme::{Theme, size, space};
use eframe::egui;
use egui::accesskit::Role;
use egui::{
    Align2, Color32, CornerRadius, FontId, Id, Rect, Response, RichText, Sense, Stroke, StrokeKind, TextStyle, TextWrapMode, Ui, Vec2,
    WidgetInfo, WidgetText, pos2, vec2,
};

/// Height of a heading, with the room above it.
pub const HEADING_POINTS: f32 = 32.0;
/// Height of a function: its signature, and what it does.
pub const FUNCTION_POINTS: f32 = 44.0;
/// Side of a checkbox, and of the buttons at a line's end.
const BOX_POINTS: f32 = 14.0;
const BUTTON_POINTS: f32 = 24.0;
/// Where descriptions begin.
const NAME_POINTS: f32 = 116.0;

/// A quiet heading with how many stand under it.
pub fn heading_ui(ui: &mut Ui, text: &str, count: usize) -> f32 {
    let theme = Theme::of(ui);
    let rect = ui.max_rect();
    let font = TextStyle::Small.resolve(ui.style());
    let at = pos2(rect.left(), rect.bottom() - space::XS);
    let painted = ui.painter().text(at, Align2::LEFT_BOTTOM, text, font.clone(), theme.text_weak);
    let at = pos2(painted.right() + space::S, at.y);
    ui.painter().text(at, Align2::LEFT_BOTTOM, count.to_string(), font, theme.text_disabled);
    let label = ui.interact(painted, ui.scope_id().with("heading"), Sense::empty());
    label.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    HEADING_POINTS
}

/// One line of text cut to `width`, in the middle of `rect`.
fn text_in(ui: &Ui, rect: Rect, text: RichText, color: Color32) {
    let width = rect.width();
    if width < 24.0 {
        return;
    }
    let galley = WidgetText::from(text).into_galley(ui, Some(TextWrapMode::Truncate), width, TextStyle::Body);
    ui.painter().galley(pos2(rect.left(), rect.center().y - galley.size().y * 0.5), galley, color);
}

/// What a line of a feature shows.
#[derive(Debug, Clone, Copy)]
pub struct FeatureLine<'a> {
    /// The feature.
    pub feature: &'a ListedFeature,
    /// Its colour on the chart, if it is on it.
    pub color: Option<Color32>,
    /// Whether it is a favourite.
    pub starred: bool,
    /// Whether everything about it is shown below.
    pub expanded: bool,
    /// Whether its set is named: where features of several sets are mixed.
    pub with_set: bool,
}

/// What was done with a line of a feature.
pub struct FeatureLineOutput {
    /// The line as a whole.
    pub response: Response,
    /// Put it on the chart, or take it off.
    pub toggled: bool,
    /// Make it a favourite, or none.
    pub starred: bool,
    /// Show or hide everything about it.
    pub expanded: bool,
}

/// A feature: whether it is on the chart, name, a few words; star and more at the end.
pub fn feature_ui(ui: &mut Ui, line: FeatureLine<'_>) -> FeatureLineOutput {
    let theme = Theme::of(ui);
    let FeatureLine { feature, color, .. } = line;
    let rect = Rect::from_min_size(ui.max_rect().min, vec2(ui.max_rect().width(), size::ROW));
    let id = ui.scope_id().with("line");
    let response = ui.interact(rect, id, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, color.is_some(), feature.key.to_string()));
    let hot = response.hovered() || response.has_focus() || ui.rect_contains_pointer(rect);
    if hot {
        ui.painter().rect_filled(rect, size::RADIUS, theme.hover.gamma_multiply(0.6));
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, size::RADIUS, Stroke::new(1.0, theme.accent), StrokeKind::Inside);
    }
    let mut out = FeatureLineOutput { toggled: response.clicked(), starred: false, expanded: false, response };
    if out.response.has_focus() {
        let pressed = |key: egui::Key| ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, key));
        out.expanded = (line.expanded && pressed(egui::Key::ArrowLeft)) || (!line.expanded && pressed(egui::Key::ArrowRight));
    }
    let center = rect.center().y;
    checkbox(ui, pos2(rect.left() + space::XS + BOX_POINTS * 0.5, center), color, theme);

    // Buttons from the right edge on; the star of what is no favourite shows under the pointer only.
    let mut right = rect.right();
    let button = |ui: &mut Ui, right: &mut f32, what: &str, glyph: &str, name: &str, tint: Option<Color32>| {
        let place = Rect::from_min_max(pos2(*right - BUTTON_POINTS, rect.top()), pos2(*right, rect.bottom()));
        *right -= BUTTON_POINTS;
        glyph_button(ui, id.with(what), place, glyph, name, tint)
    };
    let (chevron, name) = if line.expanded {
        (icons::COLLAPSE, tr!("Hide more of {feature}", feature = feature.key))
    } else {
        (icons::EXPAND, tr!("Show more of {feature}", feature = feature.key))
    };
    let tint = (hot || line.expanded).then_some(theme.text_weak);
    out.expanded |= button(ui, &mut right, "more", chevron, &name, tint.or(Some(theme.text_disabled))).clicked();
    let (tint, name) = if line.starred {
        (Some(theme.accent), tr!("Unstar {feature}", feature = feature.key))
    } else {
        (hot.then_some(theme.text_disabled), tr!("Star {feature}", feature = feature.key))
    };
    out.starred = button(ui, &mut right, "star", icons::STAR, &name, tint).clicked();

    let left = rect.left() + space::XS + BOX_POINTS + space::S;
    let name = RichText::new(feature.key.name()).color(theme.text);
    let name_right = (left + NAME_POINTS).min(right - space::S);
    text_in(ui, Rect::from_min_max(pos2(left, rect.top()), pos2(name_right, rect.bottom())), name, theme.text);
    if line.with_set {
        let font = TextStyle::Small.resolve(ui.style());
        let painted =
            ui.painter().text(pos2(right - space::XS, center), Align2::RIGHT_CENTER, feature.key.set(), font, theme.text_disabled);
        right = painted.left() - space::S;
    }
    let words = RichText::new(&feature.description).small().color(theme.text_weak);
    // Below it is said in full.
    if !line.expanded {
        let room = Rect::from_min_max(pos2(name_right + space::S, rect.top()), pos2(right - space::XS, rect.bottom()));
        text_in(ui, room, words, theme.text_weak);
    }
    out.response = out.response.on_hover_ui(|ui| {
        ui.set_max_width(360.0);
        if feature.description != feature.formula {
            ui.label(&feature.description);
        }
        ui.label(highlighted(&feature.formula, theme, &font(ui)));
    });
    out
}

/// A box that is filled with the line's own colour while it is on the chart.
fn checkbox(ui: &Ui, center: egui::Pos2, color: Option<Color32>, theme: &Theme) {
    let rect = Rect::from_center_size(center, Vec2::splat(BOX_POINTS));
    let radius = CornerRadius::same(3);
    match color {
        Some(color) => {
            ui.painter().rect_filled(rect, radius, color);
            let font = FontId::proportional(BOX_POINTS - 2.0);
            ui.painter().text(center, Align2::CENTER_CENTER, icons::CHECK, font, theme.background);
        }
        None => {
            ui.painter().rect_stroke(rect, radius, Stroke::new(1.0, theme.line_strong), StrokeKind::Inside);
        }
    }
}

/// An icon that can be pressed, painted only while it has a tint.
fn glyph_button(ui: &mut Ui, id: Id, rect: Rect, glyph: &str, name: &str, tint: Option<Color32>) -> Response {
    let theme = Theme::of(ui);
    let response = ui.interact(rect, id, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    let tint = if response.hovered() || response.has_focus() { Some(theme.accent) } else { tint };
    if response.has_focus() {
        ui.painter().rect_stroke(rect.shrink(2.0), size::RADIUS, Stroke::new(1.0, theme.accent), StrokeKind::Inside);
    }
    if let Some(tint) = tint {
        ui.painter().text(rect.center(), Align2::CENTER_CENTER, glyph, FontId::proportional(size::ICON), tint);
    }
    response.on_hover_text(name)
}

/// A function: how it is called, and what it does.
pub fn function_ui(ui: &mut Ui, function: &Function, editing: bool) -> Response {
    let theme = Theme::of(ui);
    let rect = Rect::from_min_size(ui.max_rect().min, vec2(ui.max_rect().width(), FUNCTION_POINTS));
    let response = ui.interact(rect, ui.scope_id().with("function"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &*function.signature));
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, size::RADIUS, theme.hover.gamma_multiply(0.6));
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, size::RADIUS, Stroke::new(1.0, theme.accent), StrokeKind::Inside);
    }
    let inner = rect.shrink2(vec2(space::XS, 3.0));
    let (upper, lower) = inner.split_top_bottom_at_fraction(0.5);
    let mut job = highlighted(&function.signature, theme, &font(ui));
    job.wrap = egui::text::TextWrapping::truncate_at_width(upper.width());
    let galley = ui.ctx().fonts_mut(|fonts| fonts.layout_job(job));
    ui.painter().galley(pos2(upper.left(), upper.center().y - galley.size().y * 0.5), galley, theme.text);
    text_in(ui, lower, RichText::new(describe(&function.description)).small().color(theme.text_weak), theme.text_weak);
    let verb = if editing { tr!("Put it into the formula") } else { tr!("Begin a formula with it") };
    response.on_hover_ui(|ui| {
        ui.set_max_width(380.0);
        ui.label(highlighted(&function.signature, theme, &font(ui)));
        ui.label(describe(&function.description));
        ui.label(RichText::new(verb).small().color(theme.text_weak));
    })
}
