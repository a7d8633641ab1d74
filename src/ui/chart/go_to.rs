//! Going to a time: the field for a date, places that are worth a look, and the mark that stands where one went.
//!
//! Contract: going somewhere keeps as much in view as there was; where there are no bars the nearest is shown and that is said.

use super::data::ChartData;
use super::geometry::time_at;
use super::panes::Scene;
use super::view::Shown;
use crate::app::chart::{ChartLayout, RangeChoice, WantedTime, parse_wanted_time};
use crate::market::Symbol;
use crate::tr;
use crate::ui::icons;
use crate::ui::theme::{Theme, size, space};
use crate::worker::ChartFinding;
use eframe::egui;
use egui::{
    Align2, FontId, Id, Popup, PopupCloseBehavior, Rect, Response, RichText, Role, Sense, Stroke, TextEdit, Ui, WidgetInfo, pos2, vec2,
};

/// Bars in view after a jump where everything was in view before.
const JUMP_BARS: f64 = 120.0;
/// Part of the view that stands left of where one went.
const LEFT_SHARE: f64 = 0.4;

/// Where one went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlaceMark {
    pub(super) symbol: Symbol,
    pub(super) time_us: i64,
    /// What is there, where it is known.
    pub(super) words: String,
}

/// What is typed into the field for a date.
#[derive(Debug, Default)]
pub(super) struct DateField {
    text: String,
    /// Whether what is typed was tried and cannot be read.
    was_tried: bool,
    /// Whether the field wants the cursor.
    wants_keys: bool,
}

impl DateField {
    /// The field will be shown; what was typed before is no help.
    pub(super) fn open(&mut self) {
        *self = Self { wants_keys: true, ..Self::default() };
    }
}

/// The stretch of time that shows a bar, as long as what is in view.
fn around(times: &[i64], row: usize, shown: Option<&Shown>) -> RangeChoice {
    let in_view = shown.map_or(JUMP_BARS, |shown| shown.range.span());
    // All of a long history is no view of one bar.
    let span = if in_view >= times.len() as f64 * 0.9 { in_view.min(JUMP_BARS) } else { in_view };
    let start = row as f64 - span * LEFT_SHARE;
    RangeChoice::Custom { from_us: time_at(times, start), to_us: time_at(times, start + span) }
}

/// Brings a time into view, or the nearest there is. Returns the time of the bar.
pub(super) fn go_to(layout: &mut ChartLayout, data: &ChartData, shown: Option<&Shown>, time_us: i64) -> Option<i64> {
    let times = &data.bars.time_us;
    let row = times.partition_point(|time| *time < time_us).min(times.len().checked_sub(1)?);
    layout.range = around(times, row, shown);
    times.get(row).copied()
}

/// Brings what was typed into view. Returns the bar to mark, and what is to be told.
fn go_to_wanted(layout: &mut ChartLayout, data: &ChartData, shown: Option<&Shown>, wanted: WantedTime) -> (Option<i64>, Option<String>) {
    let times = &data.bars.time_us;
    let (Some(first), Some(last)) = (times.first().copied(), times.last().copied()) else { return (None, None) };
    let (from_us, to_us) = match wanted {
        WantedTime::Span(from_us, to_us) => (from_us, to_us),
        WantedTime::Point(time_us) => (time_us, time_us),
    };
    let outside = if to_us < first || from_us > last {
        let span = crate::ui::format::date_span(first, last);
        Some(tr!("{symbol} has bars of {span}; the nearest is shown", symbol = data.symbol, span = span))
    } else {
        None
    };
    let has_bars = times.partition_point(|time| *time < from_us) < times.partition_point(|time| *time < to_us);
    if let (WantedTime::Span(..), true, None) = (wanted, has_bars, &outside) {
        layout.range = RangeChoice::Custom { from_us, to_us };
        return (None, None);
    }
    (go_to(layout, data, shown, from_us), outside)
}

/// What came of the field.
#[derive(Debug, Default)]
pub(super) struct Gone {
    pub(super) mark: Option<i64>,
    pub(super) told: Option<String>,
    pub(super) is_done: bool,
}

/// The button for a date, and the field behind it; `opens` where a command asked for it.
pub(super) fn date_button_ui(
    ui: &mut Ui,
    field: &mut DateField,
    opens: bool,
    layout: &mut ChartLayout,
    data: Option<&ChartData>,
    shown: Option<&Shown>,
) -> Gone {
    let mut gone = Gone::default();
    let response = ui.add_enabled_ui(data.is_some(), |ui| icons::icon_button_ui(ui, icons::CALENDAR, tr!("Go to date"))).inner;
    let popup = Popup::default_response_id(&response);
    if opens && data.is_some() {
        Popup::open_id(ui, popup);
    }
    if response.clicked() || opens {
        field.open();
    }
    let Some(data) = data else { return gone };
    Popup::menu(&response).close_behavior(PopupCloseBehavior::CloseOnClickOutside).width(280.0).show(|ui| {
        ui.set_width(280.0);
        ui.spacing_mut().button_padding = vec2(6.0, 2.0);
        let edit = TextEdit::singleline(&mut field.text).hint_text(tr!("2024, 2024-03 or 2024-03-15")).desired_width(f32::INFINITY);
        let edit = ui.add(edit.margin(vec2(space::S, space::XS)));
        edit.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, tr!("Date to go to")));
        if std::mem::take(&mut field.wants_keys) {
            edit.request_focus();
        }
        let enter = edit.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        let now_us = data.bars.last_us().unwrap_or_default();
        let wanted = parse_wanted_time(&field.text, now_us);
        field.was_tried = (field.was_tried && !edit.changed()) || enter;
        let theme = Theme::of(ui);
        let (words, color) = match &wanted {
            Err(problem) if field.was_tried => (*problem, theme.error),
            Err(_) => (tr!("A year, a month, a day, or “3 months ago”"), theme.text_weak),
            Ok(_) => (tr!("Enter goes there"), theme.text_weak),
        };
        ui.label(RichText::new(words).small().color(color));
        let mut target = wanted.ok().filter(|_| enter);
        ui.horizontal(|ui| {
            let bars = &data.bars;
            for (words, time_us) in [(tr!("First bar"), bars.first_us()), (tr!("Last bar"), bars.last_us())] {
                if let Some(time_us) = time_us
                    && ui.button(words).clicked()
                {
                    target = Some(WantedTime::Point(time_us));
                }
            }
        });
        if let Some(target) = target {
            (gone.mark, gone.told) = go_to_wanted(layout, data, shown, target);
            gone.is_done = true;
            Popup::close_id(ui, popup);
        } else if enter {
            edit.request_focus();
        }
    });
    gone
}

/// The next place that is worth a look from where one is, or the one before.
pub(super) fn next_finding(data: &ChartData, shown: Option<&Shown>, mark: Option<&PlaceMark>, forward: bool) -> Option<ChartFinding> {
    let findings = data.findings();
    let bars = data.bars.len();
    let rows = shown.map_or(0..bars, |shown| shown.range.rows(bars));
    let marked = mark.filter(|mark| mark.symbol == data.symbol).map(|mark| data.bars.time_us.partition_point(|time| *time < mark.time_us));
    // Where one went last counts while it is in view.
    let from = marked.filter(|row| rows.contains(row));
    if forward {
        let first = from.map_or(rows.start, |row| row + 1);
        findings.get(findings.partition_point(|finding| finding.row < first)).copied()
    } else {
        let end = from.unwrap_or(rows.end);
        findings.partition_point(|finding| finding.row < end).checked_sub(1).and_then(|place| findings.get(place)).copied()
    }
}

/// The mark where one went: a line through all panes, and what is there.
pub(super) fn mark_ui(ui: &Ui, id: Id, mark: &PlaceMark, scene: &Scene, data: &ChartData) {
    let row = data.bars.time_us.partition_point(|time| *time < mark.time_us);
    let bars = data.bars.len();
    if mark.symbol != data.symbol || !scene.x.range.rows(bars).contains(&row) {
        return;
    }
    let theme = Theme::of(ui);
    let x = scene.key.pixels.line(scene.x.middle(row));
    for pane in &scene.panes {
        ui.painter().with_clip_rect(pane.frame.rect).vline(x, pane.frame.rect.y_range(), Stroke::new(1.0, theme.accent));
    }
    let Some(pane) = scene.panes.first() else { return };
    let day = crate::format::bar_time(mark.time_us);
    let words = if mark.words.is_empty() { day } else { format!("{day} · {}", mark.words) };
    let painter = ui.painter().with_clip_rect(pane.frame.rect);
    let galley = painter.layout_no_wrap(words.clone(), FontId::proportional(size::TEXT_SMALL), theme.on_accent);
    let wide = galley.size().x + space::S * 2.0;
    let left = (x - wide * 0.5).clamp(pane.frame.rect.left(), (pane.frame.rect.right() - wide).max(pane.frame.rect.left()));
    let rect = Rect::from_min_size(pos2(left, pane.frame.rect.bottom() - 22.0), vec2(wide, 18.0));
    painter.rect_filled(rect, 3.0, theme.accent);
    painter.galley(Align2::CENTER_CENTER.align_size_within_rect(galley.size(), rect).min, galley, theme.on_accent);
    let label: Response = ui.interact(rect, id.with("mark"), Sense::empty());
    label.widget_info(|| WidgetInfo::labeled(Role::Label, true, tr!("Marked: {place}", place = words)));
}
