//! Everything about a feature, below its line: its formula, its figures on the symbol that is shown, what can be done with it.

use super::code::{font, highlighted};
use super::figures::{HISTOGRAM_POINTS, figures_ui};
use super::on_chart;
use crate::app::{Action, AppState, FeatureAction, ListedFeature};
use crate::tr;
use crate::ui::icons;
use crate::ui::theme::{Theme, size, space};
use crate::ui::window::Outbox;
use eframe::egui;
use egui::{Align, Button, Label, Layout, RichText, Ui, UiBuilder, vec2};

/// How far it is set in: where names begin.
const INDENT_POINTS: f32 = 26.0;

/// Draws it below the line at the top of `ui`; returns how high it is.
pub fn details_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox, feature: &ListedFeature) -> f32 {
    let theme = Theme::of(ui);
    let all = ui.max_rect();
    let room = egui::Rect::from_min_max(all.min + vec2(INDENT_POINTS, size::ROW), egui::pos2(all.right() - space::M, f32::INFINITY));
    let builder = UiBuilder::new().max_rect(room).layout(Layout::top_down(Align::LEFT)).id_salt("details");
    let inner = ui.scope_builder(builder, |ui| {
        ui.spacing_mut().item_spacing.y = space::XS;
        if feature.description != feature.formula {
            ui.add(Label::new(RichText::new(&feature.description).small().color(theme.text_weak)).wrap());
        }
        formula_ui(ui, feature, out);
        let told = |ui: &mut Ui, text: &str| {
            // As high as the figures: what comes while one looks must not push the rest down.
            ui.allocate_ui(vec2(ui.available_width(), HISTOGRAM_POINTS), |ui| {
                ui.set_min_height(HISTOGRAM_POINTS);
                ui.add(Label::new(RichText::new(text).small().color(theme.text_weak)).wrap());
            });
        };
        match on_chart::figures_of(state, &feature.key) {
            Some(Ok(figures)) => figures_ui(ui, figures),
            Some(Err(reason)) => told(ui, reason),
            None if state.list.focus().is_none() => told(ui, tr!("Choose a symbol to see its figures")),
            None if state.chart.error.is_some() => told(ui, tr!("This symbol is not in the cache")),
            None => told(ui, ""),
        }
        buttons_ui(ui, state, out, feature);
        ui.add_space(space::S);
    });
    inner.response.rect.height()
}

fn formula_ui(ui: &mut Ui, feature: &ListedFeature, out: &mut Outbox) {
    let theme = Theme::of(ui);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        let width = ui.available_width() - size::CONTROL - space::XS;
        ui.vertical(|ui| {
            ui.set_width(width);
            let job = highlighted(&feature.formula, theme, &font(ui));
            ui.add_space(3.0);
            ui.add(Label::new(job).selectable(true).wrap());
        });
        if icons::icon_button_ui(ui, icons::COPY, &tr!("Copy the formula of {feature}", feature = feature.key)).clicked() {
            out.act(Action::Copy(feature.formula.clone()));
        }
    });
}

fn buttons_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox, feature: &ListedFeature) {
    let theme = Theme::of(ui);
    let key = &feature.key;
    let button = |ui: &mut Ui, glyph: &str, text: &str| {
        let words = (icons::icon(glyph).color(theme.text_weak), RichText::new(text).small());
        let response = ui.add(Button::new(words).frame_when_inactive(false));
        response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, format!("{text} {}", key.name())));
        response.clicked()
    };
    ui.horizontal_wrapped(|ui| {
        // Their words begin where the formula does.
        ui.spacing_mut().button_padding.x = 2.0;
        ui.spacing_mut().item_spacing.x = space::XS;
        on_chart::placement_ui(ui, state, key, out);
        let mut act = |action: FeatureAction| out.act(Action::Features(action));
        if feature.is_own {
            if button(ui, icons::EDIT, tr!("Edit")) {
                act(FeatureAction::Edit(key.clone()));
            }
            if button(ui, icons::COPY, tr!("Duplicate")) {
                act(FeatureAction::Copy(key.clone()));
            }
            if button(ui, icons::CLEAR, tr!("Delete")) {
                act(FeatureAction::Delete(key.clone()));
            }
        } else if button(ui, icons::COPY, tr!("Copy to my set…")) {
            act(FeatureAction::Copy(key.clone()));
        }
    });
}
