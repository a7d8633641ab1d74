//! The list of symbols with the chart beside it.
//!
//! Only the visible rows are built, and no frame does work for rows that nobody sees. What a click means is decided by the state; this
//! only says that one happened.

mod cells;
mod chart_part;
mod columns;
mod drop;
mod export_dialog;
mod filter;
mod flash;
mod heads;
mod keys;
mod list_dialog;
mod lists;
mod menu;
mod selection_bar;
mod table;

pub use export_dialog::export_dialog_ui;
pub(super) use filter::filter_id;
pub use list_dialog::list_dialog_ui;
pub use table::TableView;

use super::commands::primary_button_ui;
use super::theme::{Theme, size, space};
use super::window::{Outbox, ViewState};
use super::{dialogs, features, format, inspector};
use crate::app::{Action, AppState, Command, Connection, ListAction, ListsAction, OpenState, SourceAction, said};
use crate::tr;
use eframe::egui;
use egui::{Frame, Margin, Panel, PanelState, RichText, Ui};

/// What the chart keeps beside the list and the inspector.
const CHART_POINTS: f32 = 500.0;
/// The list's part of the window at first, and how wide it is then at most, in points: the chart gets the room.
const LIST_SHARE: f32 = 0.4;
const WIDEST_LIST_AT_FIRST: f32 = 620.0;
/// How wide the reason is why a source could not be read, in points.
const REASON_POINTS: f32 = 420.0;

/// The whole view.
pub fn symbols_view_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    if !state.has_source() {
        dialogs::welcome_ui(ui, state, out);
        return;
    }
    let theme = Theme::of(ui);
    let list = Frame::NONE.fill(theme.panel).inner_margin(Margin { left: 8, right: 0, top: 0, bottom: 0 });
    // The chart keeps room of its own, whatever stands beside it.
    let beside = match (state.inspector.open, state.features.open) {
        (true, _) => inspector::WIDTH,
        (_, true) => views.panel.width(),
        _ => 0.0,
    };
    let widest = (ui.available_width() - beside - CHART_POINTS).clamp(360.0, 1100.0);
    let at_first = (ui.available_width() * LIST_SHARE).clamp(360.0, WIDEST_LIST_AT_FIRST);
    let panel_id = ui.scope_id().with_salt(egui::IdSalt::new("symbols"));
    if beside == 0.0
        && let Some(width) = views.list_width.take()
        && let Some(mut panel) = PanelState::load(ui, panel_id)
    {
        // What a panel beside the chart took from the list, it gives back.
        panel.outer_rect.set_width(width.max(panel.outer_rect.width()));
        ui.data_mut(|data| data.insert_persisted(panel_id, panel));
    }
    let panel = Panel::left("symbols").resizable(true).default_size(at_first).min_size(360.0).max_size(widest).frame(list);
    let before = PanelState::load(ui, panel_id).map_or(at_first, |panel| panel.outer_rect.width());
    if beside > 0.0 && views.list_width.is_none() && before > widest {
        views.list_width = Some(before);
    }
    panel.show(ui, |ui| {
        list_ui(ui, state, views, out);
    });
    inspector::inspector_ui(ui, state, views, out);
    let room = ui.available_width() - CHART_POINTS;
    features::features_ui(ui, state, views, room, out);
    egui::CentralPanel::default().frame(Frame::NONE.fill(theme.background)).show(ui, |ui| {
        chart_part::symbol_head_ui(ui, state, out);
        chart_part::chart_part_ui(ui, state, views, out);
    });
}

fn list_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    keys::keys(ui, state, out);
    ui.add_space(space::XS);
    filter::filter_ui(ui, state, out);
    ui.add_space(space::XS);
    // Nothing is counted before anything is known; the room is kept.
    let is_known = !state.snapshot.rows.is_empty();
    ui.scope(|ui| {
        if !is_known {
            ui.set_invisible();
        }
        filter::chips_ui(ui, state, out);
        filter::headline_ui(ui, state, out);
    });
    let theme = Theme::of(ui);
    if let Some(exporting) = state.exporting {
        let bar = Frame::NONE.inner_margin(Margin { left: 4, right: 8, top: 4, bottom: 4 });
        Panel::bottom("export").frame(bar).show_separator_line(false).resizable(false).show(ui, |ui| {
            selection_bar::export_progress_ui(ui, exporting, out);
        });
    }
    if !state.list.selected().is_empty() {
        let bar = Frame::NONE.fill(theme.accent_weak).inner_margin(Margin::symmetric(8, 4)).corner_radius(size::RADIUS);
        Panel::bottom("selection").frame(bar).show_separator_line(false).resizable(false).show(ui, |ui| {
            selection_bar::selection_bar_ui(ui, state, out);
        });
    }
    let room = ui.available_rect_before_wrap();
    if state.list.visible().is_empty() {
        empty_list_ui(ui, state, out);
    } else {
        table::table_ui(ui, state, &mut views.table, out);
    }
    drop::drop_ui(ui, state, room, out);
}

fn empty_list_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    ui.add_space(space::XXL);
    ui.vertical_centered(|ui| {
        if state.open == OpenState::Opening {
            ui.label(RichText::new(tr!("Opening the cache")).color(theme.text_weak));
        } else if !state.snapshot.rows.is_empty() {
            ui.label(tr!("No symbol matches"));
            let list = state.chosen_list().filter(|_| state.list.filter().trim().is_empty() && state.list.states().is_empty());
            let text = match list {
                Some(list) if list.symbols.is_empty() => tr!("The list {name} is empty: drag symbols onto it", name = list.name),
                Some(list) => tr!("This source has none of the symbols of {name}", name = list.name),
                None if state.list.filter().trim().is_empty() => tr!("Press a chip again to show all states").to_owned(),
                None if state.list.states().is_empty() => tr!("None is called “{text}”", text = state.list.filter().trim()),
                None => tr!("Change the filter, or press a chip again to show all states").to_owned(),
            };
            ui.label(RichText::new(text).small().color(theme.text_weak));
            ui.add_space(space::S);
            if ui.button(tr!("Show all symbols")).clicked() {
                out.act(Action::List(ListAction::ShowAll));
            }
            if list.is_some_and(|list| !list.symbols.is_empty())
                && let Some(name) = state.list.narrowed_by().list.clone()
                && ui.button(tr!("Preheat list")).clicked()
            {
                out.act(Action::Lists(ListsAction::Preheat(name)));
            }
        } else if state.active_job().is_some() {
            ui.label(tr!("Asking the source for its symbols"));
        } else if let Connection::Offline { reason, .. } = state.connection() {
            ui.label(RichText::new(tr!("The source could not be read")).color(theme.text));
            ui.add_space(space::XS);
            ui.scope(|ui| {
                ui.set_max_width(REASON_POINTS.min(ui.available_width() - space::XL));
                ui.add(egui::Label::new(RichText::new(sentence(&said(reason))).color(theme.error)).wrap().selectable(true));
            });
            ui.add_space(space::S);
            primary_button_ui(ui, state, Command::PreheatAll, out);
            ui.add_space(space::XS);
            if let Some(name) = state.settings.source.clone().filter(|_| !state.fixed_source)
                && ui.button(tr!("Change the source…")).clicked()
            {
                out.act(Action::Source(SourceAction::Edit(Some(name))));
            }
        } else {
            ui.label(tr!("Nothing is known of this source yet"));
            ui.label(RichText::new(tr!("Preheat to list its symbols and bring their bars here")).small().color(theme.text_weak));
            ui.add_space(space::S);
            primary_button_ui(ui, state, Command::PreheatAll, out);
        }
    });
}

/// A reason as a sentence of its own.
pub(in crate::ui) fn sentence(reason: &str) -> String {
    let mut letters = reason.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Now, as the last snapshot and the system see it: the snapshot's clock while it is young, so that tests can stand still.
pub(super) fn now_us(state: &AppState) -> i64 {
    let system = chrono::Utc::now().timestamp_micros();
    // A snapshot is at most a few minutes old unless nothing happens; then the system's clock is the truth.
    if (system - state.snapshot.made_at_us).abs() > 7 * crate::market::DAY_US { state.snapshot.made_at_us } else { system }
}

/// A time on the user's own clock, to the minute.
pub(super) fn local_time(time_us: i64) -> String {
    use chrono::TimeZone;
    match crate::here::Here.timestamp_micros(time_us) {
        chrono::MappedLocalTime::Single(time) | chrono::MappedLocalTime::Ambiguous(time, _) => {
            format!("{} {}", crate::format::day(time.date_naive()), time.format("%H:%M"))
        }
        chrono::MappedLocalTime::None => format::NONE.to_owned(),
    }
}

/// What can be done with the list, for the help sheet.
pub(super) fn gestures() -> Vec<super::help::Gesture> {
    use super::help::Gesture;
    vec![
        Gesture::new(tr!("Up, Down, Page Up, Page Down, Home, End"), tr!("Walk the list; the chart follows")),
        Gesture::new(tr!("Shift with these"), tr!("Select on the way")),
        Gesture::new(tr!("Ctrl+click, Shift+click, Space"), tr!("Select several symbols")),
        Gesture::new("Enter", tr!("Everything that is known of the symbol")),
        Gesture::new("Ctrl+C", tr!("Copy the selected rows")),
        Gesture::new(tr!("Click on a column's head"), tr!("Order by it; with Shift, by it as well")),
        Gesture::new(tr!("Right button on a column's head"), tr!("Choose columns")),
        Gesture::new(tr!("Right button on a row"), tr!("Everything for the symbol")),
        Gesture::new(tr!("Drag rows onto a list"), tr!("Add their symbols to it")),
        Gesture::new(tr!("Down in the filter"), tr!("Into the list")),
    ]
}
