//! The answers that are read from across the desk.

use super::plot::sparkline_ui;
use crate::app::{Action, AppState};
use crate::cache::{EntryState, HitCounts, Tier};
use crate::market::DAY_US;
use crate::ui::format;
use crate::ui::symbols::now_us;
use crate::ui::theme::{Theme, space};
use crate::ui::widgets::figure_ui;
use crate::ui::window::Outbox;
use crate::worker::{Snapshot, SymbolRow};
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Color32, Response, Ui, vec2};
use strum::IntoEnumIterator;

/// Hot, cold by tomorrow, broken, hit rate, time saved; what counts symbols leads to them.
pub fn figures_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let snapshot = &state.snapshot;
    let in_state = |wanted: &[EntryState]| -> Vec<&SymbolRow> { snapshot.rows.iter().filter(|row| wanted.contains(&row.state)).collect() };
    let all = snapshot.rows.len() as u64;
    let hot = in_state(&[EntryState::Fresh]);
    let cooling = cold_by_tomorrow(snapshot, now_us(state));
    let broken = in_state(&[EntryState::Failed, EntryState::Damaged]);
    let per_row = if ui.available_width() > 1_000.0 { 5.0 } else { 3.0 };
    let width = (ui.available_width() / per_row - space::S).max(150.0);
    ui.horizontal_wrapped(|ui| {
        let figure = |ui: &mut Ui, value: &str, label: &str, color: Color32| -> Response {
            let shown = ui.allocate_ui(vec2(width, 56.0), |ui| {
                ui.set_min_width(width);
                figure_ui(ui, value, label, color)
            });
            shown.inner
        };
        let mut leads = |ui: &mut Ui, rows: &[&SymbolRow], (value, label): (&str, &str), title: &str, color: Color32| {
            let shown = figure(ui, value, label, color);
            if rows.is_empty() {
                return;
            }
            let response = shown.interact(egui::Sense::click()).on_hover_cursor(egui::CursorIcon::PointingHand);
            response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Link, true, label));
            if response.has_focus() {
                ui.painter().rect_stroke(response.rect, 4.0, (1.0, theme.accent), egui::StrokeKind::Outside);
            }
            if response.on_hover_text(tr!("Show these symbols")).clicked() {
                let symbols = rows.iter().map(|row| row.symbol.clone()).collect();
                out.act(Action::ShowSymbols { title: title.to_owned(), symbols });
            }
        };
        let share = if all == 0 { format::NONE.to_owned() } else { format::percent(hot.len() as f64 / all as f64) };
        let color = if hot.is_empty() { theme.text } else { theme.fresh };
        let of_all = tr_n!(all, "hot: {hot} of {count} symbol", "hot: {hot} of {count} symbols", hot = format::count(hot.len() as u64));
        leads(ui, &hot, (&share, &of_all), tr!("hot"), color);
        let color = if cooling.is_empty() { theme.text } else { theme.stale };
        let label = tr!("will be cold by tomorrow, 09:00");
        leads(ui, &cooling, (&format::count(cooling.len() as u64), label), label, color);
        let color = if broken.is_empty() { theme.text } else { theme.error };
        let text = format::count(broken.len() as u64);
        leads(ui, &broken, (&text, tr!("failed or damaged")), tr!("failed or damaged"), color);
        hit_rate_ui(ui, snapshot, width);
        let saved = state.overview.survey.as_ref().map(|survey| survey.month.saved_us).filter(|saved_us| *saved_us > 0);
        let text = saved.map_or_else(|| format::NONE.to_owned(), |saved_us| format::duration(saved_us as f64 / 1e6));
        figure(ui, &text, tr!("saved in 30 days"), theme.text).on_hover_text(tr!(
            "What the same reads would have taken at the source, from the measured cost of fetching and computing each entry, less what they took here. Entries that were never measured count with the median of their source"
        ));
    });
}

/// The hit rate of 30 days, and how it was day by day.
fn hit_rate_ui(ui: &mut Ui, snapshot: &Snapshot, width: f32) {
    let theme = Theme::of(ui);
    let rate = snapshot.hits.rate().map_or_else(|| format::NONE.to_owned(), format::percent);
    let label = tr_n!(snapshot.hits.total(), "hit rate over 30 days, {count} lookup", "hit rate over 30 days, {count} lookups");
    ui.allocate_ui(vec2(width, 56.0), |ui| {
        ui.set_min_width(width);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.horizontal(|ui| {
                ui.label(egui::RichText::new(rate).text_style(crate::ui::theme::display()).color(theme.text));
                let days = rates_by_day(snapshot);
                if days.iter().flatten().count() > 1 {
                    sparkline_ui(ui, &days, theme.accent, tr!("Hit rate by day over 30 days, from 0 to 100 %"));
                }
            });
            ui.label(egui::RichText::new(label).small().color(theme.text_weak));
        });
    });
}

/// The hit rate of each of the last 30 days, today last; `None` where nothing was looked up.
fn rates_by_day(snapshot: &Snapshot) -> Vec<Option<f32>> {
    let today = snapshot.made_at_us.div_euclid(DAY_US);
    let mut days = vec![HitCounts::default(); 30];
    for hour in &snapshot.hit_history {
        let ago = today - hour.hour_us.div_euclid(DAY_US);
        let place = usize::try_from(29 - ago).ok().and_then(|place| days.get_mut(place));
        if let Some(day) = place {
            for tier in Tier::iter() {
                day.add(tier, hour.counts.of(tier));
            }
        }
    }
    days.iter().map(|day| day.rate().map(|rate| rate as f32)).collect()
}

/// Symbols that are fresh now and will not be at nine tomorrow morning.
fn cold_by_tomorrow(snapshot: &Snapshot, now_us: i64) -> Vec<&SymbolRow> {
    use crate::here::Here;
    use chrono::{Days, NaiveTime, TimeZone};
    let today = Here.timestamp_micros(now_us).earliest().map(|now| now.date_naive());
    let tomorrow = today.and_then(|today| today.checked_add_days(Days::new(1)));
    let nine =
        tomorrow.zip(NaiveTime::from_hms_opt(9, 0, 0)).and_then(|(day, nine)| Here.from_local_datetime(&day.and_time(nine)).earliest());
    let Some(nine_us) = nine.map(|time| time.timestamp_micros()) else { return Vec::new() };
    let cools = |row: &&SymbolRow| row.state == EntryState::Fresh && row.expires_at_us.is_some_and(|at_us| at_us <= nine_us);
    snapshot.rows.iter().filter(cools).collect()
}
