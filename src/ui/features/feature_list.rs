//! The list of features: what can be drawn, by set and group, with favourites on top.

use super::list::list_ui;
use super::rows::{FeatureLine, HEADING_POINTS, feature_ui, heading_ui};
use super::{FeaturesView, details, on_chart};
use crate::app::{Action, AppState, FeatureAction, ListedFeature, Row};
use crate::tr;
use crate::ui::theme::{Theme, size, space};
use crate::ui::window::{Outbox, ViewState};
use eframe::egui;
use egui::{Button, RichText, Ui};

/// What details are thought to be high before they were drawn once.
const DETAILS_POINTS: f32 = 136.0;

/// The sets to choose from.
pub fn sets_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let own = state.own_sets();
    let built_in = state.sets.sets().iter().filter(|entry| entry.is_built_in()).map(|entry| entry.set.name());
    let names: Vec<&str> = own.chain(built_in).collect();
    if names.len() < 2 {
        return;
    }
    let only = state.features.only_set.as_deref();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(2.0, 2.0);
        for (set, text) in std::iter::once((None, tr!("All"))).chain(names.iter().map(|name| (Some(*name), *name))) {
            let response = ui.add(Button::selectable(only == set, text));
            let name = set.map_or_else(|| tr!("Features of all sets").to_owned(), |set| tr!("Features of {set}", set = set));
            response.widget_info(|| egui::WidgetInfo::selected(egui::accesskit::Role::Button, true, only == set, &name));
            if response.clicked() {
                out.act(Action::Features(FeatureAction::OnlySet(set.map(str::to_owned))));
            }
        }
    });
    ui.add_space(space::XS);
}

/// The lines.
pub fn feature_list_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let features = &state.features;
    let rows = features.rows();
    if rows.is_empty() {
        empty_ui(ui, state, out);
        return;
    }
    let view = &mut views.panel;
    let item = |line: usize| match rows.get(line) {
        Some(Row::Item { place, among_favourites }) => features.all().get(*place).map(|feature| (feature, *among_favourites)),
        _ => None,
    };
    let walkable = |line: usize| item(line).is_some();
    if super::leaves_search(ui)
        && let Some(first) = (0..rows.len()).find(|line| walkable(*line))
    {
        view.features.go_to(first);
    }
    let searched = !features.search.trim().is_empty();
    let height = |line: usize| match item(line) {
        Some((feature, favourite)) if features.expanded.contains(&feature.key) => {
            size::ROW + view.heights.get(&(feature.key.clone(), favourite)).copied().unwrap_or(DETAILS_POINTS)
        }
        Some(_) => size::ROW,
        None => HEADING_POINTS,
    };
    let heights: Vec<f32> = (0..rows.len()).map(height).collect();
    let cursor = view.features.clone();
    list_ui(
        ui,
        "feature-list",
        rows.len(),
        &cursor,
        |line| heights.get(line).copied().unwrap_or(size::ROW),
        |ui, line| match (rows.get(line), item(line)) {
            (Some(Row::Heading { text, count }), _) => heading_ui(ui, text, *count),
            (_, Some((feature, favourite))) => {
                let with_set = searched && features.only_set.is_none();
                line_ui(ui, state, view, out, (line, feature, favourite, with_set), &walkable)
            }
            _ => 0.0,
        },
    );
}

type Line<'a> = (usize, &'a ListedFeature, bool, bool);

fn line_ui(
    ui: &mut Ui,
    state: &AppState,
    view: &mut FeaturesView,
    out: &mut Outbox,
    (line, feature, favourite, with_set): Line<'_>,
    walkable: &dyn Fn(usize) -> bool,
) -> f32 {
    let theme = Theme::of(ui);
    let expanded = state.features.expanded.contains(&feature.key);
    let shown = FeatureLine {
        feature,
        color: on_chart::color_of(state, &feature.key, theme),
        starred: state.features.favourites.contains(&feature.key),
        expanded,
        with_set,
    };
    let done = feature_ui(ui, shown);
    view.features.follow(ui, line, &done.response, walkable, state.features.rows().len());
    let act = |action: FeatureAction, out: &mut Outbox| out.act(Action::Features(action));
    if done.starred {
        act(FeatureAction::Star(feature.key.clone()), out);
    } else if done.expanded {
        act(FeatureAction::Expand(feature.key.clone()), out);
    } else if done.toggled {
        act(FeatureAction::ToggleOnChart(feature.key.clone()), out);
    }
    if !expanded {
        return size::ROW;
    }
    let height = details::details_ui(ui, state, out, feature);
    view.heights.insert((feature.key.clone(), favourite), height);
    size::ROW + height
}

fn empty_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    ui.add_space(space::XL);
    let search = state.features.search.trim();
    if search.is_empty() {
        let text = if state.sets.sets().is_empty() { tr!("Reading the feature sets") } else { tr!("This set has no features") };
        ui.label(RichText::new(text).color(theme.text_weak));
        return;
    }
    ui.label(RichText::new(tr!("No feature answers “{search}”", search = search)).color(theme.text));
    ui.add_space(space::XS);
    if let Some(set) = &state.features.only_set {
        if ui.button(tr!("Search all sets, not only {set}", set = set)).clicked() {
            out.act(Action::Features(FeatureAction::OnlySet(None)));
        }
    } else {
        ui.label(RichText::new(tr!("A formula of your own can say it")).small().color(theme.text_weak));
        if ui.button(tr!("Begin a formula")).clicked() {
            out.act(Action::Features(FeatureAction::New { formula: String::new() }));
        }
    }
}
