//! Where time goes at the source: the slowest queries, the advice on a missing index, and the database's plans.
//!
//! Contract: a source whose queries an index serves is told nothing about indexes.

use super::{group_ui, note_ui};
use crate::app::{Action, AppState, Command, said};
use crate::source::{IndexFinding, IndexState, QueryPlan, QueryTiming};
use crate::ui::commands::command_button_ui;
use crate::ui::format;
use crate::ui::icons;
use crate::ui::symbols::{local_time, now_us};
use crate::ui::theme::{Theme, space};
use crate::ui::window::{Outbox, ViewState};
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Align, Label, Layout, RichText, TextWrapMode, Ui};

/// Queries shown before all are asked for.
const SHOWN: usize = 5;

/// The whole group.
pub fn queries_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let Some(survey) = state.overview.survey.as_ref().filter(|_| state.has_source()) else { return };
    group_ui(ui, tr!("Slowest queries"));
    if let Some(index) = &survey.index {
        index_ui(ui, index, out);
    }
    if survey.queries.is_empty() {
        note_ui(ui, tr!("Nothing was asked of the source in 30 days"));
    }
    let now_us = now_us(state);
    let shown = if views.all_queries { survey.queries.len() } else { SHOWN };
    for (place, query) in survey.queries.iter().take(shown).enumerate() {
        query_ui(ui, (place, query), now_us, views, out);
    }
    if survey.queries.len() > SHOWN {
        let text = if views.all_queries {
            tr!("Show fewer queries").to_owned()
        } else {
            tr_n!(survey.queries.len() as u64, "Show the {count} slowest query", "Show the {count} slowest queries")
        };
        if ui.add(egui::Link::new(text)).clicked() {
            views.all_queries = !views.all_queries;
        }
    }
    if let Some(profile) = state.current_profile() {
        for plan in &profile.plans {
            plan_ui(ui, plan, views, out);
        }
    }
    ui.add_space(space::XS);
    ui.horizontal(|ui| {
        command_button_ui(ui, state, Command::ProfileSource, out);
        command_button_ui(ui, state, Command::MeasureSpeed, out);
        if state.overview.profiling {
            note_ui(ui, tr!("Reading a few symbols"));
        }
    });
}

/// One query: what for and what it took; its statement in one line, whole when it is opened.
fn query_ui(ui: &mut Ui, (place, query): (usize, &QueryTiming), now_us: i64, views: &mut ViewState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let id = (query.began_us, query.statement.clone());
    let open = views.open_queries.contains(&id);
    ui.horizontal(|ui| {
        ui.label(RichText::new(query.purpose.label()).color(theme.text));
        if !query.about.is_empty() {
            ui.add(Label::new(RichText::new(&query.about).color(theme.text_weak)).truncate());
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let time = |seconds: f64| format::short_time(seconds * 1e6);
            let first = query.first_row_seconds.map_or_else(String::new, |seconds| tr!(", {time} to the first row", time = time(seconds)));
            let hover =
                tr!("{time} at the source{first}, {when}", time = time(query.seconds), first = first, when = local_time(query.began_us));
            ui.label(RichText::new(time(query.seconds)).color(theme.text)).on_hover_text(hover);
        });
    });
    ui.horizontal(|ui| {
        let (glyph, name) = if open {
            (icons::EXPAND, tr!("Fold query {number}", number = place + 1))
        } else {
            (icons::CHEVRON_RIGHT, tr!("Unfold query {number}", number = place + 1))
        };
        if icons::icon_button_ui(ui, glyph, &name).clicked() {
            if open {
                views.open_queries.remove(&id);
            } else {
                views.open_queries.insert(id);
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icons::icon_button_ui(ui, icons::COPY, &tr!("Copy query {number}", number = place + 1)).clicked() {
                out.act(Action::Copy(query.statement.clone()));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let text = RichText::new(&query.statement).monospace().color(theme.text_weak);
                let label = Label::new(text).selectable(open);
                // One line, and all of it under the pointer.
                let label = if open { label.wrap() } else { label.wrap_mode(TextWrapMode::Truncate) };
                ui.add(label);
            });
        });
    });
    let mut facts = vec![
        tr_n!(query.rows, "{count} row", "{count} rows"),
        format::rows_per_second(query.rows_per_second()),
        tr!("{bytes}/s", bytes = format::bytes(query.bytes_per_second().round() as u64)),
        format::relative(query.began_us.min(now_us), now_us),
    ];
    if query.rows == 0 {
        facts.drain(1..3);
    }
    ui.label(RichText::new(facts.join(" · ")).small().color(theme.text_weak));
    if let Some(error) = &query.error {
        ui.add(Label::new(RichText::new(said(error)).small().color(theme.error)).wrap());
    }
    ui.add_space(space::XS);
}

/// What is to be said of an index: only where none serves the queries.
fn index_ui(ui: &mut Ui, index: &IndexFinding, out: &mut Outbox) {
    let theme = Theme::of(ui);
    match &index.state {
        IndexState::Present { .. } => {}
        IndexState::View => note_ui(ui, &said(&index.words())),
        IndexState::Missing { create, .. } => {
            ui.horizontal_top(|ui| {
                ui.label(icons::icon(icons::WARNING).color(theme.warning));
                ui.add(Label::new(RichText::new(said(&index.words())).color(theme.text)).wrap());
            });
            note_ui(ui, tr!("This statement would make it. Samovar changes nothing at a source: run it yourself"));
            ui.horizontal(|ui| {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if ui.button(tr!("Copy statement")).clicked() {
                        out.act(Action::Copy(create.clone()));
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        ui.add(Label::new(RichText::new(create).monospace().color(theme.text)).selectable(true).wrap());
                    });
                });
            });
        }
    }
    ui.add_space(space::S);
}

/// A plan as the database tells it, folded until it is asked for.
fn plan_ui(ui: &mut Ui, plan: &QueryPlan, views: &mut ViewState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let title = tr!("Plan: {query}", query = plan.purpose.label().to_lowercase());
    let hint = if plan.analyzed { tr!("How the database ran it") } else { tr!("How the database goes about it") };
    if ui.add(egui::Link::new(title)).on_hover_text(hint).clicked() && !views.open_plans.remove(&plan.purpose) {
        views.open_plans.insert(plan.purpose);
    }
    if views.open_plans.contains(&plan.purpose) {
        let text = plan_text(plan);
        ui.add(Label::new(RichText::new(&text).monospace().color(theme.text_weak)).selectable(true).wrap());
        if ui.button(tr!("Copy plan")).clicked() {
            out.act(Action::Copy(text));
        }
        ui.add_space(space::XS);
    }
}

/// A plan of one column line by line; of several, each step as a list of what is told of it.
fn plan_text(plan: &QueryPlan) -> String {
    let steps = plan.rows.iter().map(|row| {
        let told = plan.columns.iter().zip(row).filter(|(_, value)| !value.is_empty());
        match plan.columns.len() {
            1 => row.concat(),
            _ => told.map(|(column, value)| format!("{column}: {value}")).collect::<Vec<_>>().join(", "),
        }
    });
    steps.collect::<Vec<_>>().join("\n")
}
