//! The answers that are read from across the desk.

use crate::app::AppState;
use crate::cache::EntryState;
use crate::ui::format;
use crate::ui::symbols::now_us;
use crate::ui::theme::{Theme, space};
use crate::ui::widgets::figure_ui;
use crate::worker::Snapshot;
use eframe::egui;
use egui::{Color32, Response, Ui, vec2};

/// How time saved is worked out, for who asks.
const SAVED_BY: &str = "What the same reads would have taken at the source, from the measured cost of fetching and computing each entry, less \
    what they took here. Entries that were never measured count with the median of their source";

/// Hot, cold by tomorrow, broken, hit rate, time saved.
pub fn figures_ui(ui: &mut Ui, state: &AppState) {
    let theme = Theme::of(ui);
    let snapshot = &state.snapshot;
    let count = |wanted: EntryState| snapshot.rows.iter().filter(|row| row.state == wanted).count() as u64;
    let all = snapshot.rows.len() as u64;
    let fresh = count(EntryState::Fresh);
    let cold_by_morning = cold_by_tomorrow(snapshot, now_us(state));
    let broken = count(EntryState::Failed) + count(EntryState::Damaged);
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
        let saved = state.overview.survey.as_ref().map(|survey| survey.month.saved_us).filter(|saved_us| *saved_us > 0);
        let text = saved.map_or_else(|| format::NONE.to_owned(), |saved_us| format::duration(saved_us as f64 / 1e6));
        figure(ui, &text, "saved in 30 days", theme.text).on_hover_text(SAVED_BY);
    });
}

/// Symbols that are fresh now and will not be at nine tomorrow morning.
fn cold_by_tomorrow(snapshot: &Snapshot, now_us: i64) -> u64 {
    use chrono::{Days, Local, NaiveTime, TimeZone};
    let today = Local.timestamp_micros(now_us).earliest().map(|now| now.date_naive());
    let tomorrow = today.and_then(|today| today.checked_add_days(Days::new(1)));
    let nine =
        tomorrow.zip(NaiveTime::from_hms_opt(9, 0, 0)).and_then(|(day, nine)| Local.from_local_datetime(&day.and_time(nine)).earliest());
    let Some(nine_us) = nine.map(|time| time.timestamp_micros()) else { return 0 };
    snapshot.rows.iter().filter(|row| row.state == EntryState::Fresh && row.expires_at_us.is_some_and(|at_us| at_us <= nine_us)).count()
        as u64
}
