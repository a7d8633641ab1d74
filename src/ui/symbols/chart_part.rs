//! What stands beside the list: the symbol's head and its chart.

use super::now_us;
use crate::app::{Action, AppState, ChartAction, Command, said, words};
use crate::cache::EntryState;
use crate::market::Symbol;
use crate::ui::chart::{ChartNotice, ChartOffer, chart_ui};
use crate::ui::commands::command_icon_ui;
use crate::ui::theme::{StateMark, Theme, size};
use crate::ui::widgets::{mark_of, state_ui};
use crate::ui::window::{Outbox, PathPurpose, ViewState};
use crate::ui::{features, format, icons};
use crate::worker::LoadError;
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Align, Frame, Label, Layout, Margin, RichText, Ui};

/// What the buttons at the end of a symbol's head take.
const HEAD_BUTTONS_POINTS: f32 = 112.0;

/// The symbol's name, state and what it is made of, above the chart.
pub(super) fn symbol_head_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let Some(row) = state.focused_row() else {
        // Its room is kept: what is below stays where it is when the first symbol opens.
        ui.add_space(size::TOOLBAR);
        return;
    };
    let theme = Theme::of(ui);
    let frame = Frame::NONE.inner_margin(Margin { left: 12, right: 12, top: 8, bottom: 0 });
    frame.show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.add(Label::new(RichText::new(row.symbol.as_str()).heading().color(theme.text)).truncate());
            if state.working.contains(&row.symbol) {
                state_ui(ui, StateMark::Working);
            } else {
                state_ui(ui, mark_of(row.state, row.cools_at_us, now_us(state)));
            }
            let mut facts = Vec::new();
            if let Some(fetched_at_us) = row.fetched_at_us {
                facts.push(tr!("fetched {when}", when = format::relative(fetched_at_us, now_us(state))));
            }
            if row.rows > 0 {
                facts.push(tr_n!(row.rows, "{count} bar", "{count} bars"));
            }
            if let Some(loaded) = state.chart.loaded.as_ref().filter(|loaded| loaded.data.symbol == row.symbol) {
                facts.push(tr!("from {tier} in {time}", tier = words::tier(loaded.tier), time = format::short_time(loaded.seconds * 1e6)));
                if loaded.data.features_computed() {
                    facts.push(tr!("features computed for this view").to_owned());
                }
            }
            // The buttons at the end keep their room.
            let room = (ui.available_width() - HEAD_BUTTONS_POINTS).max(0.0);
            ui.scope(|ui| {
                ui.set_max_width(room);
                ui.add(Label::new(RichText::new(facts.join(" · ")).small().color(theme.text_weak)).truncate());
            });
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if !state.inspector.open {
                    command_icon_ui(ui, state, Command::ShowInspector, out);
                }
                if !state.features.open {
                    command_icon_ui(ui, state, Command::ShowFeatures, out);
                }
                if icons::icon_button_ui(ui, icons::PREHEAT, tr!("Preheat this symbol")).clicked() {
                    out.act(Action::Preheat(row.symbol.clone()));
                }
            });
        });
        // The inspector says it beside.
        if row.state == EntryState::Damaged && !state.inspector.open {
            let damaged = row.datasets.iter().filter(|dataset| dataset.state == EntryState::Damaged);
            let names: Vec<&str> = damaged.map(|dataset| dataset.dataset.as_str()).collect();
            let text =
                tr!("The cached file of {names} failed its checksum and is in quarantine; preheat to replace it", names = names.join(", "));
            ui.horizontal(|ui| {
                ui.label(icons::icon(icons::WARNING).color(theme.error));
                ui.add(Label::new(RichText::new(text).small().color(theme.error)).selectable(true).wrap());
            });
        }
        if let Some(failure) = row.failure.as_ref().filter(|_| !state.inspector.open) {
            ui.horizontal(|ui| {
                ui.label(icons::icon(icons::WARNING).color(theme.error));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    // Beside what went wrong: once that is put right, this is what comes next.
                    let retry = egui::Button::new((icons::icon(icons::RETRY), RichText::new(tr!("Retry")).small()));
                    let is_idle = !state.working.contains(&row.symbol);
                    let response = ui.add_enabled(is_idle, retry);
                    let name = tr!("Retry {symbol}", symbol = row.symbol);
                    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, is_idle, &name));
                    if response.clicked() {
                        out.act(Action::Retry(vec![row.symbol.clone()]));
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        let text = tr!("The last attempt failed: {reason}", reason = said(failure));
                        ui.add(Label::new(RichText::new(text).small().color(theme.error)).selectable(true).wrap());
                    });
                });
            });
        }
    });
}

pub(super) fn chart_part_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let focus = state.list.focus();
    // The symbol before stays on the chart for the millisecond the next one takes: nothing flickers.
    let data = state.chart_data().filter(|_| focus.is_some());
    views.chart.notice = focus.map(|symbol| notice_for(symbol, state));
    let mut layout = state.chart.layout.clone();
    let lent = features::lend(state, &mut layout);
    let offer = ChartOffer {
        features: views.features.of(&state.sets),
        templates: &state.chart.templates,
        sets: &state.sets,
        symbols: &state.snapshot.rows,
        wish: state.chart.wish.as_ref(),
        is_kept: state.chart.is_kept(),
    };
    let response = chart_ui(ui, &mut views.chart, &mut layout, data, &offer);
    if response.layout_changed {
        if let Some(lent) = &lent {
            features::take_back(&mut layout, lent);
        }
        out.act(Action::Chart(ChartAction::Change(Box::new(layout))));
    }
    out.actions.extend(response.actions);
    if response.picture_taken {
        out.pick.push(PathPurpose::ChartPicture);
    }
    if response.action_clicked
        && let Some(symbol) = focus
    {
        out.act(Action::Preheat(symbol.clone()));
    }
}

fn notice_for(symbol: &Symbol, state: &AppState) -> ChartNotice {
    if state.working.contains(symbol) {
        return ChartNotice { title: tr!("{symbol} is being preheated", symbol = symbol), detail: String::new(), action: None };
    }
    match &state.chart.error {
        Some(LoadError::Failed(message)) => ChartNotice {
            title: tr!("{symbol} cannot be shown", symbol = symbol),
            detail: said(message).into_owned(),
            action: Some(tr!("Preheat it again").to_owned()),
        },
        Some(LoadError::NotCached) if state.row(symbol).is_some_and(|row| row.state == EntryState::Damaged) => ChartNotice {
            title: tr!("{symbol} cannot be shown", symbol = symbol),
            detail: tr!("Its file was damaged and was moved to quarantine; preheating fetches it again").to_owned(),
            action: Some(tr!("Preheat it again").to_owned()),
        },
        Some(LoadError::NotCached) if state.row(symbol).is_some_and(|row| row.failure.is_some()) => ChartNotice {
            title: tr!("{symbol} is not in the cache", symbol = symbol),
            detail: tr!("The attempt to fetch it failed, for the reason above").to_owned(),
            action: None,
        },
        Some(LoadError::NotCached) => ChartNotice {
            title: tr!("{symbol} is not in the cache", symbol = symbol),
            detail: tr!("Preheat it to see its chart").to_owned(),
            action: Some(tr!("Preheat this symbol now").to_owned()),
        },
        None => ChartNotice { title: tr!("Loading {symbol}", symbol = symbol), detail: String::new(), action: None },
    }
}
