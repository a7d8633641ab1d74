//! The overview: how much is hot, how much will be cold tomorrow morning, is anything broken, is it worth it.
//!
//! The figures answer at a glance; the groups below say why. One column in narrow windows, two in wider ones, three in very
//! wide ones.

mod events;
mod figures;
mod heat;
mod lookups;
mod plot;
mod quality;
mod queries;
mod room;
mod states;

pub use events::trash_ui;
pub use heat::HeatMap;

use super::theme::{Theme, space};
use super::widgets::heading_ui;
use super::window::{Outbox, ViewState};
use crate::app::{AppState, OpenState};
use crate::tr;
use eframe::egui;
use egui::{Frame, Margin, RichText, ScrollArea, Ui};

/// Room inside from which on groups stand in two columns.
const TWO_COLUMNS: f32 = 1_080.0;
/// Room inside from which on groups stand in three columns.
const THREE_COLUMNS: f32 = 1_960.0;
/// Widest single column.
const ONE_COLUMN: f32 = 880.0;

/// A group of the overview.
type Group = fn(&mut Ui, &AppState, &mut ViewState, &mut Outbox);

/// The whole view.
pub fn overview_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let lookups: Group = |ui, state, _views, out| lookups::lookups_ui(ui, state, out);
    let expiry: Group = |ui, state, _views, out| states::expiry_ui(ui, state, out);
    let quality: Group = |ui, state, _views, out| quality::quality_ui(ui, state, out);
    let by_state: Group = |ui, state, _views, out| states::states_ui(ui, state, out);
    let size: Group = |ui, state, _views, out| room::size_ui(ui, state, out);
    let costs: Group = |ui, state, _views, out| room::costs_ui(ui, state, out);
    let evictions: Group = |ui, state, views, out| events::evictions_ui(ui, state, views, out);
    let changes: Group = |ui, state, views, out| events::changes_ui(ui, state, views, out);
    let integrity: Group = |ui, state, _views, out| events::integrity_ui(ui, state, out);
    let queries: Group = |ui, state, views, out| queries::queries_ui(ui, state, views, out);
    let trash: Group = |ui, state, views, out| events::trash_ui(ui, state, views, out);
    Frame::NONE.fill(theme.background).show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            Frame::NONE.inner_margin(Margin::symmetric(32, 24)).show(ui, |ui| {
                figures::figures_ui(ui, state, out);
                ui.add_space(space::XL);
                let width = ui.available_width();
                if state.overview.survey.is_none() {
                    // A few milliseconds: groups that grow one after another would make everything below them jump.
                    note_ui(ui, if state.open == OpenState::Opening { tr!("Opening the cache") } else { tr!("Counting") });
                    return;
                }
                heat::heat_ui(ui, state, views, out);
                if width >= THREE_COLUMNS {
                    let third = [quality, changes, queries, evictions, integrity, trash];
                    columns_ui(ui, &[&[by_state, lookups, expiry], &[size, costs], &third], (state, views, out));
                } else if width >= TWO_COLUMNS {
                    let right = [size, quality, costs, evictions, integrity, trash];
                    columns_ui(ui, &[&[by_state, lookups, expiry, queries, changes], &right], (state, views, out));
                } else {
                    let all = [by_state, lookups, size, quality, queries, changes, evictions, costs, expiry, integrity, trash];
                    // The figures above may be wider than what has to be read line by line.
                    ui.allocate_ui(egui::vec2(width.min(ONE_COLUMN), 0.0), |ui| columns_ui(ui, &[&all], (state, views, out)));
                }
            });
        });
    });
}

fn columns_ui(ui: &mut Ui, columns: &[&[Group]], (state, views, out): (&AppState, &mut ViewState, &mut Outbox)) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.x = space::XXL;
        ui.columns(columns.len(), |uis| {
            for (ui, groups) in uis.iter_mut().zip(columns) {
                ui.spacing_mut().item_spacing.x = space::S;
                // Columns of egui set their text in blocks, with gaps between the words.
                ui.vertical(|ui| {
                    ui.set_width(ui.available_width());
                    for group in *groups {
                        group(ui, state, views, out);
                    }
                });
            }
        });
    });
}

/// The head of a group, with the room above it.
fn group_ui(ui: &mut Ui, title: &str) {
    ui.add_space(space::XL);
    heading_ui(ui, title);
}

/// A quiet sentence that wraps.
fn note_ui(ui: &mut Ui, text: &str) {
    let theme = Theme::of(ui);
    ui.add(egui::Label::new(RichText::new(text).color(theme.text_weak)).wrap());
}

/// What can be done with the overview, for the help sheet.
pub(super) fn gestures() -> Vec<super::help::Gesture> {
    use super::help::Gesture;
    use crate::tr;
    vec![Gesture::new(tr!("Click on a state or a figure of symbols"), tr!("The list of just these symbols"))]
}
