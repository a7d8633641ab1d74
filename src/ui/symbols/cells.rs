//! What stands in the cells of the list.

use super::{local_time, now_us};
use crate::app::{AppState, Column, Needle, RowProgress};
use crate::cache::{EntryState, Why};
use crate::tr;
use crate::ui::theme::{StateMark, Theme, space};
use crate::ui::widgets::{mark_of, state_ui};
use crate::ui::{format, icons, inspector};
use crate::worker::{DatasetFacts, Spark, SymbolRow};
use eframe::egui;
use egui::text::{LayoutJob, TextFormat};
use egui::{Label, Pos2, Rect, RichText, Stroke, Ui, pos2, vec2};

/// What the letters of a name are drawn from: those that are looked for stand out.
pub(super) fn name_ui(ui: &mut Ui, row: &SymbolRow, needle: &mut Needle) {
    let theme = Theme::of(ui);
    let name = row.symbol.as_str();
    let places = if needle.is_empty() { Vec::new() } else { needle.places(name) };
    let mut job = LayoutJob::default();
    let is_found = |number: usize| u32::try_from(number).is_ok_and(|number| places.binary_search(&number).is_ok());
    let format = |found: bool| TextFormat {
        font_id: egui::TextStyle::Body.resolve(ui.style()),
        color: if found { theme.accent } else { theme.text },
        underline: if found { Stroke::new(1.0, theme.accent) } else { Stroke::NONE },
        ..TextFormat::default()
    };
    // Letters that look the same are one section: every section costs in every frame.
    let mut run = (false, 0);
    for (number, (at, _letter)) in name.char_indices().enumerate() {
        if is_found(number) != run.0 {
            job.append(name.get(run.1..at).unwrap_or_default(), 0.0, format(run.0));
            run = (is_found(number), at);
        }
    }
    job.append(name.get(run.1..).unwrap_or_default(), 0.0, format(run.0));
    ui.add(Label::new(job).selectable(false).truncate());
    if row.pinned {
        ui.label(RichText::new(icons::PIN).size(12.0).color(theme.pinned))
            .on_hover_text(tr!("Pinned: it never expires and is never evicted"));
    }
}

/// What is said of a cell; its text is made only while the cell is pointed at.
fn hint_ui(ui: &mut Ui, text: &str) {
    ui.set_max_width(ui.spacing().tooltip_width);
    ui.label(text);
}

/// The cell of a column.
pub(super) fn cell_ui(ui: &mut Ui, state: &AppState, row: &SymbolRow, column: Column) {
    let theme = Theme::of(ui);
    let colored =
        |ui: &mut Ui, text: String, color: egui::Color32| ui.add(Label::new(RichText::new(text).color(color)).selectable(false).truncate());
    let shade = |weak: bool| if weak { theme.text_weak } else { theme.text };
    let right = |ui: &mut Ui, value: Option<String>, color: egui::Color32| {
        let color = if value.is_some() { color } else { theme.text_weak };
        let value = value.unwrap_or_else(|| format::NONE.to_owned());
        // The cell of a number is laid out from the right.
        colored(ui, value, color)
    };
    let bytes = |ui: &mut Ui, bytes: u64| right(ui, (bytes > 0).then(|| crate::format::bytes_in_column(bytes)), theme.text);
    let ago = |ui: &mut Ui, time_us: Option<i64>| {
        let shown = right(ui, time_us.map(|time_us| format::relative(time_us, now_us(state))), theme.text);
        if let Some(time_us) = time_us {
            shown.on_hover_ui(|ui| hint_ui(ui, &local_time(time_us)));
        }
    };
    match column {
        // Drawn by the table, with what stands still.
        Column::Symbol => {}
        Column::State => state_cell_ui(ui, state, row),
        Column::TimeLeft => {
            let left = row.expires_at_us.map(|at_us| (at_us - now_us(state)).max(0) as f64 / crate::market::SECOND_US as f64);
            let shown = right(ui, left.map(format::duration), theme.text);
            if let Some(expires_at_us) = row.expires_at_us {
                shown.on_hover_ui(|ui| hint_ui(ui, &tr!("Fresh until {time}", time = local_time(expires_at_us))));
            }
        }
        Column::Trend => trend_ui(ui, state.sparks.of(row)),
        Column::Close => {
            right(ui, state.sparks.of(row).and_then(Spark::last).map(format::price), theme.text);
        }
        Column::Change => {
            let change = state.sparks.of(row).and_then(Spark::change_percent);
            let color = match change {
                Some(change) if change > 0.0 => theme.gain,
                Some(change) if change < 0.0 => theme.loss,
                _ => theme.text,
            };
            right(ui, change.map(format::change_percent), color);
        }
        Column::Range => {
            let span = row.span_us.map_or_else(|| format::NONE.to_owned(), |(first, last)| format::date_span(first, last));
            colored(ui, span, shade(row.rows == 0));
        }
        Column::LastBar => {
            let last = row.span_us.map_or_else(|| format::NONE.to_owned(), |(_, last)| format::date(last));
            colored(ui, last, shade(row.rows == 0));
        }
        Column::Bars => {
            let count = if row.rows > 0 { Some(row.rows) } else { row.source_rows };
            right(ui, count.map(format::count), shade(row.rows == 0));
        }
        Column::MissingSessions => {
            let missing = row.missing_sessions();
            let color = if missing.is_some_and(|missing| missing > 0) { theme.text } else { theme.text_weak };
            right(ui, missing.map(format::count), color);
        }
        Column::BarsSize => {
            bytes(ui, row.bars_bytes);
        }
        Column::FeaturesSize => {
            bytes(ui, row.features_bytes);
        }
        Column::Size => {
            bytes(ui, row.size_bytes());
        }
        Column::Hits => {
            right(ui, Some(format::count(row.hits)), shade(row.hits == 0));
        }
        Column::HitRate => {
            right(ui, row.hit_rate.map(format::percent), theme.text);
        }
        Column::LastUsed => ago(ui, row.last_used_us),
        Column::Fetched => ago(ui, row.fetched_at_us),
        Column::Attempts => {
            let color = if row.attempts > 0 { theme.error } else { theme.text_weak };
            right(ui, (row.attempts > 0).then(|| format::count(u64::from(row.attempts))), color);
        }
        Column::Error => {
            if let Some(failure) = &row.failure {
                let failure = crate::app::said(failure);
                colored(ui, failure.replace('\n', " "), theme.error).on_hover_text(&*failure);
            }
        }
        Column::Exchange => {
            colored(ui, crate::app::words::exchange(row.exchange).to_owned(), theme.text);
        }
        Column::Pinned => {
            if row.pinned {
                ui.label(RichText::new(icons::PIN).size(14.0).color(theme.pinned))
                    .on_hover_text(tr!("Pinned: it never expires and is never evicted"));
            }
        }
    }
}

/// The last closes as a line from edge to edge, in the colour of what they came to.
fn trend_ui(ui: &mut Ui, spark: Option<&Spark>) {
    let theme = Theme::of(ui);
    let cell = ui.max_rect().shrink2(vec2(2.0, 5.0));
    let Some(closes) = spark.map(|spark| spark.closes.as_slice()).filter(|closes| closes.len() > 1) else { return };
    let (Some(first), Some(last)) = (closes.first(), closes.last()) else { return };
    let color = if last >= first { theme.gain } else { theme.loss };
    let line = spark_line(closes, cell);
    let end = line.last().copied();
    ui.painter().add(egui::Shape::line(line, Stroke::new(1.25, color)));
    if let Some(end) = end {
        ui.painter().circle_filled(end, 1.75, color);
    }
}

/// Points of a line through values that fills a rectangle; a flat one lies in its middle.
fn spark_line(values: &[f64], rect: Rect) -> Vec<Pos2> {
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)));
    let step = rect.width() / (values.len().saturating_sub(1).max(1)) as f32;
    let height = |value: f64| if high > low { ((value - low) / (high - low)) as f32 } else { 0.5 };
    values
        .iter()
        .enumerate()
        .map(|(place, value)| pos2(rect.left() + step * place as f32, rect.bottom() - rect.height() * height(*value)))
        .collect()
}

fn state_cell_ui(ui: &mut Ui, state: &AppState, row: &SymbolRow) {
    let theme = Theme::of(ui);
    ui.spacing_mut().item_spacing.x = space::XS;
    if let Some(progress) = state.progress_of(&row.symbol) {
        // The room of a row's state is the same whatever a job does: only the words change.
        match progress {
            RowProgress::Working => {
                state_ui(ui, StateMark::Working);
            }
            RowProgress::Failed => {
                state_ui(ui, StateMark::Failed);
            }
            RowProgress::Waiting | RowProgress::Done => {
                let (mark, word) =
                    if progress == RowProgress::Done { (StateMark::Fresh, tr!("done")) } else { (StateMark::Missing, tr!("waiting")) };
                crate::ui::theme::mark_ui(ui, mark);
                ui.add(Label::new(RichText::new(word).color(theme.text_weak)).selectable(false));
            }
        }
        return;
    }
    let now_us = now_us(state);
    let mark = mark_of(row.state, row.cools_at_us, now_us);
    let response = state_ui(ui, mark);
    // Of a row that is not fresh, the time its other entries have left says nothing.
    if row.state == EntryState::Fresh
        && let Some(expires_at_us) = row.expires_at_us
    {
        let left = (expires_at_us - now_us).max(0) as f64 / crate::market::SECOND_US as f64;
        let left = tr!(in "state", "{time} left", time = crate::format::duration_short(left));
        let left = Label::new(RichText::new(left).small().color(theme.text_weak)).selectable(false).truncate();
        ui.add(left).on_hover_ui(|ui| hint_ui(ui, &tr!("Fresh until {time}", time = local_time(expires_at_us))));
    }
    if row.state == EntryState::Stale
        && let Some(since_us) = row.stale_since_us
    {
        let over = (now_us - since_us).max(0) as f64 / crate::market::SECOND_US as f64;
        let over = tr!(in "state", "for {time}", time = crate::format::duration_short(over));
        let over = Label::new(RichText::new(over).small().color(theme.text_weak)).selectable(false).truncate();
        ui.add(over).on_hover_ui(|ui| hint_ui(ui, &tr!("Stale since {time}", time = local_time(since_us))));
    }
    response.on_hover_ui(|ui| explanation_ui(ui, row, now_us));
}

/// Why a row is in its state, and what was noticed in its bars; made only while it is looked at.
fn explanation_ui(ui: &mut Ui, row: &SymbolRow, now_us: i64) {
    let theme = Theme::of(ui);
    ui.set_max_width(360.0);
    let sentence = |facts: &DatasetFacts| facts.why.sentence(now_us, &crate::here::Here);
    match row.deciding() {
        Some(facts) if row.datasets.len() > 1 && row.state != EntryState::Fresh => {
            ui.label(RichText::new(facts.dataset.as_str()).small().color(theme.text_weak));
            ui.label(sentence(facts));
        }
        Some(facts) => {
            ui.label(sentence(facts));
        }
        None => {
            ui.label(Why::NotCached.sentence(now_us, &crate::here::Here));
        }
    }
    for line in inspector::quality_lines(&row.quality) {
        ui.label(RichText::new(line).color(theme.text_weak));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_fills_its_rectangle_and_a_flat_one_lies_in_the_middle() {
        let rect = Rect::from_min_size(pos2(10.0, 20.0), vec2(60.0, 10.0));
        assert_eq!(spark_line(&[1.0, 3.0, 2.0], rect), [pos2(10.0, 30.0), pos2(40.0, 20.0), pos2(70.0, 25.0)]);
        assert_eq!(spark_line(&[5.0, 5.0], rect), [pos2(10.0, 25.0), pos2(70.0, 25.0)]);
    }
}
