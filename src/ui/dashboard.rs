//! The overview: how much is hot, how much will be cold tomorrow morning, is anything broken, is it worth it.

use super::commands::command_button_ui;
use super::format;
use super::theme::{StateMark, Theme, mark_ui, space};
use super::widgets::{figure_ui, heading_ui, meter_ui, stacked_meter_ui};
use super::window::Outbox;
use crate::app::{Action, AppState, Command, ListAction, StateFilter, View};
use crate::cache::{EntryState, HitCounts, Tier};
use crate::worker::{HitHistory, Snapshot};
use eframe::egui;
use egui::{Color32, Frame, Grid, Margin, Pos2, Rect, RichText, ScrollArea, Sense, Ui, pos2, vec2};
use std::collections::BTreeMap;
use strum::IntoEnumIterator;

/// The whole view.
pub fn overview_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    Frame::NONE.fill(theme.background).show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            Frame::NONE.inner_margin(Margin::symmetric(32, 24)).show(ui, |ui| {
                ui.set_max_width(1240.0);
                figures_ui(ui, state);
                ui.add_space(space::XXL);
                let wide = ui.available_width() > 900.0;
                if wide {
                    ui.columns(2, |columns| {
                        if let [left, right] = columns {
                            left_ui(left, state, out);
                            right.set_max_width(right.available_width());
                            right_ui(right, state, out);
                        }
                    });
                } else {
                    left_ui(ui, state, out);
                    right_ui(ui, state, out);
                }
            });
        });
    });
}

/// The four answers.
fn figures_ui(ui: &mut Ui, state: &AppState) {
    let theme = Theme::of(ui);
    let snapshot = &state.snapshot;
    let count = |wanted: EntryState| snapshot.rows.iter().filter(|row| row.state == wanted).count() as u64;
    let all = snapshot.rows.len() as u64;
    let fresh = count(EntryState::Fresh);
    let cold_by_morning = cold_by_tomorrow(snapshot);
    let broken = count(EntryState::Failed) + count(EntryState::Damaged);
    let width = (ui.available_width() / 4.0 - space::L).max(150.0);
    ui.horizontal_wrapped(|ui| {
        let figure = |ui: &mut Ui, value: &str, label: &str, color: Color32| {
            ui.allocate_ui(vec2(width, 56.0), |ui| {
                ui.set_min_width(width);
                figure_ui(ui, value, label, color);
            });
        };
        let share = if all == 0 { format::NONE.to_owned() } else { format::percent(fresh as f64 / all as f64) };
        let hot = if fresh > 0 { theme.fresh } else { theme.text };
        figure(ui, &share, &format!("hot: {} of {}", format::count(fresh), format::counted(all, "symbol", "symbols")), hot);
        let color = if cold_by_morning > 0 { theme.stale } else { theme.text };
        figure(ui, &format::count(cold_by_morning), "will be cold by tomorrow, 09:00", color);
        let color = if broken > 0 { theme.error } else { theme.text };
        let text = if broken == 0 { "None".to_owned() } else { format::count(broken) };
        figure(ui, &text, "failed or damaged", color);
        let rate = snapshot.hits.rate().map_or_else(|| format::NONE.to_owned(), format::percent);
        let label = format!("hit rate over 30 days, {}", format::counted(snapshot.hits.total(), "lookup", "lookups"));
        figure(ui, &rate, &label, theme.text);
    });
}

/// Symbols that are fresh now and will not be at nine tomorrow morning.
fn cold_by_tomorrow(snapshot: &Snapshot) -> u64 {
    use chrono::{Days, Local, NaiveTime, TimeZone};
    let tomorrow = Local::now().date_naive().checked_add_days(Days::new(1));
    let nine =
        tomorrow.zip(NaiveTime::from_hms_opt(9, 0, 0)).and_then(|(day, nine)| Local.from_local_datetime(&day.and_time(nine)).earliest());
    let Some(nine_us) = nine.map(|time| time.timestamp_micros()) else { return 0 };
    snapshot.rows.iter().filter(|row| row.state == EntryState::Fresh && row.expires_at_us.is_some_and(|at_us| at_us <= nine_us)).count()
        as u64
}

fn left_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    size_ui(ui, state, out);
    ui.add_space(space::XXL);
    states_ui(ui, state, out);
}

fn right_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    expiry_ui(ui, state);
    ui.add_space(space::XXL);
    hits_ui(ui, state);
    ui.add_space(space::XXL);
    trash_ui(ui, state, out);
}

/// Room taken: bars, features, memory, against budget and disk.
fn size_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let usage = &state.snapshot.usage;
    heading_ui(ui, "Size");
    let total = usage.bars_bytes + usage.features_bytes;
    let budget = state.settings.disk_budget_bytes;
    let room = if budget > 0 { budget } else { total + usage.free_disk_bytes.unwrap_or(0) }.max(1);
    let share = |bytes: u64| (bytes as f64 / room as f64) as f32;
    let width = ui.available_width().min(520.0);
    stacked_meter_ui(ui, width, 12.0, &[(share(usage.bars_bytes), theme.accent), (share(usage.features_bytes), theme.outdated)]);
    ui.add_space(space::S);
    let line = |ui: &mut Ui, color: Option<Color32>, label: &str, value: String, note: String| {
        let (dot, _) = ui.allocate_exact_size(vec2(10.0, 18.0), Sense::hover());
        if let Some(color) = color {
            ui.painter().rect_filled(Rect::from_center_size(dot.center(), vec2(8.0, 8.0)), 2.0, color);
        }
        ui.label(label);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| ui.label(value));
        ui.label(RichText::new(note).small().color(theme.text_weak));
        ui.end_row();
    };
    Grid::new("overview-size").num_columns(4).spacing(vec2(space::M, space::XS)).min_col_width(10.0).show(ui, |ui| {
        line(ui, Some(theme.accent), "Bars", format::bytes(usage.bars_bytes), String::new());
        line(ui, Some(theme.outdated), "Features", format::bytes(usage.features_bytes), String::new());
        let note = if budget > 0 {
            format!("{} of a budget of {}", format::percent(total as f64 / budget as f64), format::bytes(budget))
        } else {
            "no budget set".to_owned()
        };
        line(ui, None, "Together", format::bytes(total), note);
        let memory = format!("of {}", format::bytes(usage.memory_budget_bytes));
        line(ui, None, "In memory", format::bytes(usage.memory_bytes), memory);
        if usage.trash_bytes > 0 {
            line(ui, None, "In the trash", format::bytes(usage.trash_bytes), "restorable for 24 hours".to_owned());
        }
        if let Some(free) = usage.free_disk_bytes {
            line(ui, None, "Free on the disk", format::bytes(free), String::new());
        }
    });
    ui.add_space(space::S);
    ui.horizontal(|ui| {
        command_button_ui(ui, state, Command::Verify, out);
        command_button_ui(ui, state, Command::ClearExpired, out);
    });
}

/// Symbols by state; a click narrows the list to it.
fn states_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    heading_ui(ui, "Symbols by state");
    let all = state.snapshot.rows.len().max(1);
    for (entry_state, mark) in [
        (EntryState::Fresh, StateMark::Fresh),
        (EntryState::Stale, StateMark::Stale),
        (EntryState::Outdated, StateMark::Outdated),
        (EntryState::Missing, StateMark::Missing),
        (EntryState::Failed, StateMark::Failed),
        (EntryState::Damaged, StateMark::Damaged),
    ] {
        let count = state.snapshot.rows.iter().filter(|row| row.state == entry_state).count();
        ui.horizontal(|ui| {
            mark_ui(ui, mark);
            ui.allocate_ui(vec2(84.0, 20.0), |ui| {
                ui.set_min_width(84.0);
                if ui.add_enabled(count > 0, egui::Link::new(mark.word())).on_hover_text("Show these symbols").clicked() {
                    out.act(Action::Show(View::Symbols));
                    for chip in state.list.states() {
                        out.act(Action::List(ListAction::ToggleState(*chip)));
                    }
                    out.act(Action::List(ListAction::ToggleState(StateFilter::State(entry_state))));
                }
            });
            meter_ui(ui, 220.0, count as f32 / all as f32, mark.color(theme));
            ui.label(format::count(count as u64));
        });
    }
}

/// When fresh entries stop being fresh, by hour over the next day, and later.
fn expiry_ui(ui: &mut Ui, state: &AppState) {
    let theme = Theme::of(ui);
    heading_ui(ui, "Fresh entries by the hour they expire");
    let hours = &state.snapshot.expiring_hours;
    if hours.is_empty() {
        ui.label(RichText::new("Nothing is fresh, so nothing will expire").color(theme.text_weak));
        return;
    }
    let span = hours.keys().next_back().copied().unwrap_or(0).clamp(23, 24 * 14 - 1);
    // At most 48 bars: hours become groups of hours for longer times to live.
    let per_bar = (span / 48) + 1;
    let mut bars: BTreeMap<i64, usize> = BTreeMap::new();
    for (hour, count) in hours {
        *bars.entry(((*hour).clamp(0, span)) / per_bar).or_default() += count;
    }
    let last = span / per_bar;
    let values: Vec<PlotColumn> = (0..=last)
        .map(|bar| {
            let count = bars.get(&bar).copied().unwrap_or(0);
            let color = if bar * per_bar < 3 { theme.cooling } else { theme.fresh };
            let text = format!("in {} to {} h: {}", bar * per_bar, (bar + 1) * per_bar, format::counted(count as u64, "entry", "entries"));
            (count as f32, vec![(count as f32, color)], text)
        })
        .collect();
    columns_ui(ui, &values, &["now".to_owned(), format!("in {} h", span.div_euclid(2) + 1), format!("in {} h", span + 1)]);
}

fn tier_color(theme: &Theme, tier: Tier) -> Color32 {
    match tier {
        Tier::Memory => theme.fresh,
        Tier::Disk => theme.cooling,
        Tier::Shared => theme.outdated,
        Tier::Miss => theme.stale,
    }
}

/// Lookups by tier: the last 24 hours as columns, and the sums.
fn hits_ui(ui: &mut Ui, state: &AppState) {
    let theme = Theme::of(ui);
    heading_ui(ui, "Lookups by tier, last 24 hours");
    let hits = &state.snapshot.hits;
    if hits.total() == 0 {
        ui.label(RichText::new("Nothing was looked up yet: open a symbol, or read one with samovar get").color(theme.text_weak));
        return;
    }
    let hour_us = crate::market::HOUR_US;
    let this_hour = state.snapshot.made_at_us.div_euclid(hour_us) * hour_us;
    let by_hour: BTreeMap<i64, HitCounts> =
        state.snapshot.hit_history.iter().map(|HitHistory { hour_us, counts }| (*hour_us, *counts)).collect();
    let values: Vec<PlotColumn> = (0..24)
        .rev()
        .map(|ago| {
            let counts = by_hour.get(&(this_hour - ago * hour_us)).copied().unwrap_or_default();
            let parts = Tier::iter().map(|tier| (counts.of(tier) as f32, tier_color(theme, tier))).collect();
            let rate = counts.rate().map_or_else(|| "no lookups".to_owned(), |rate| format!("hit rate {}", format::percent(rate)));
            let text = format!("{ago} h ago: {}, {rate}", format::counted(counts.total(), "lookup", "lookups"));
            (counts.total() as f32, parts, text)
        })
        .collect();
    columns_ui(ui, &values, &["24 h ago".to_owned(), "12 h ago".to_owned(), "now".to_owned()]);
    ui.add_space(space::XS);
    ui.horizontal_wrapped(|ui| {
        for tier in Tier::iter().filter(|tier| hits.of(*tier) > 0 || *tier != Tier::Shared) {
            let (dot, _) = ui.allocate_exact_size(vec2(8.0, 16.0), Sense::hover());
            ui.painter().rect_filled(Rect::from_center_size(dot.center(), vec2(8.0, 8.0)), 2.0, tier_color(theme, tier));
            let share = hits.of(tier) as f64 / hits.total() as f64;
            ui.label(RichText::new(format!("{} {} ({})", tier.word(), format::count(hits.of(tier)), format::percent(share))).small());
            ui.add_space(space::S);
        }
    });
    ui.label(RichText::new("Sums over 30 days").small().color(theme.text_weak));
}

/// One column: its height, the parts it is made of from below, and what it says under the pointer.
type PlotColumn = (f32, Vec<(f32, Color32)>, String);

/// Columns of parts, with three words below: left, middle, right.
fn columns_ui(ui: &mut Ui, values: &[PlotColumn], words: &[String; 3]) {
    let theme = Theme::of(ui);
    let width = ui.available_width().min(520.0);
    let height = 96.0;
    let (rect, response) = ui.allocate_exact_size(vec2(width, height + 18.0), Sense::hover());
    let plot = Rect::from_min_size(rect.min, vec2(width, height));
    let most = values.iter().map(|(total, _, _)| *total).fold(0.0_f32, f32::max).max(1.0);
    let step = plot.width() / values.len().max(1) as f32;
    let painter = ui.painter();
    painter.hline(plot.x_range(), plot.bottom(), (1.0, theme.line_strong));
    let hovered = response.hover_pos().map(|pos: Pos2| ((pos.x - plot.left()) / step).floor() as usize);
    for (place, (_, parts, _)) in values.iter().enumerate() {
        let left = plot.left() + step * place as f32;
        if hovered == Some(place) {
            painter.rect_filled(Rect::from_min_max(pos2(left, plot.top()), pos2(left + step, plot.bottom())), 0.0, theme.hover);
        }
        let mut bottom = plot.bottom();
        for (value, color) in parts.iter().filter(|(value, _)| *value > 0.0) {
            let tall = (value / most * (height - 4.0)).max(2.0);
            let part = Rect::from_min_max(pos2(left + 1.0, bottom - tall), pos2(left + (step - 1.0).max(2.0), bottom));
            painter.rect_filled(part, 1.0, *color);
            bottom -= tall;
        }
    }
    let font = egui::TextStyle::Small.resolve(ui.style());
    let [first, middle, last] = words;
    for (x, align, word) in [
        (plot.left(), egui::Align2::LEFT_TOP, first),
        (plot.center().x, egui::Align2::CENTER_TOP, middle),
        (plot.right(), egui::Align2::RIGHT_TOP, last),
    ] {
        painter.text(pos2(x, plot.bottom() + 3.0), align, word, font.clone(), theme.text_weak);
    }
    if let Some((_, _, text)) = hovered.and_then(|place| values.get(place)) {
        response.on_hover_text_at_pointer(text.as_str());
    }
}

/// What can be restored.
fn trash_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    if state.snapshot.trash.is_empty() {
        return;
    }
    let theme = Theme::of(ui);
    heading_ui(ui, "Trash");
    for batch in state.snapshot.trash.iter().take(8) {
        ui.horizontal(|ui| {
            let text = format!("{} · {}", format::counted(batch.entries, "entry", "entries"), format::bytes(batch.size_bytes));
            ui.label(text);
            ui.label(RichText::new(format::relative(batch.trashed_at_us, super::symbols::now_us(state))).small().color(theme.text_weak));
            if ui.button("Restore").clicked() {
                out.act(Action::Restore(batch.batch));
            }
        });
    }
}
