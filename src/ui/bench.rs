//! The dialog that measures the speed: how many symbols, progress with a stop, and a bar per stage.
//!
//! Contract: draws and returns what was wanted. Bars stand on a logarithmic axis with its decades drawn, because the stages lie up
//! to six of them apart; the figures beside them are the truth.

use super::theme::{Theme, size, space};
use super::widgets::{fact_label_ui, heading_ui, meter_ui};
use super::window::Outbox;
use super::{format, icons};
use crate::app::{Action, AppState, BenchAction, BenchForm, BenchPhase, Dialog, said};
use crate::worker::{BenchReport, BenchStage, StageResult};
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Align, Align2, Color32, CornerRadius, Id, Label, Layout, Modal, Rect, RichText, ScrollArea, Sense, TextEdit, Ui, pos2, vec2};

/// Width of the dialog, in points, where the window has room.
const WIDTH: f32 = 860.0;
/// Room for the name of a stage.
const NAME: f32 = 190.0;
/// Room for the figures behind a bar: seconds, rows per second, ratio.
const FIGURES: [f32; 3] = [84.0, 120.0, 84.0];
/// Height of a bar.
const BAR: f32 = 12.0;

/// Draws the dialog while it is open.
pub fn bench_dialog_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let Some(Dialog::Bench(form)) = &state.dialog else { return };
    let theme = Theme::of(ui);
    let modal = Modal::new(Id::unique("bench")).frame(super::dialogs::dialog_frame(ui));
    let response = modal.show(ui, |ui| {
        let screen = ui.ctx().content_rect();
        ui.set_width((screen.width() - 96.0).min(WIDTH));
        ui.label(RichText::new(tr!("Measure the speed")).heading());
        let text =
            tr!("Your symbols straight from the source against the cache. A cache of its own is made beside yours and removed again");
        ui.add(Label::new(RichText::new(text).color(theme.text_weak)).wrap());
        ui.add_space(space::M);
        let reason = fields_ui(ui, state, form, out);
        ui.add_space(space::M);
        let tallest = (screen.height() - 300.0).max(160.0);
        // At its full height at once, whatever was shown before.
        ScrollArea::vertical().max_height(tallest).min_scrolled_height(tallest).auto_shrink([false, true]).show(ui, |ui| {
            match &form.phase {
                BenchPhase::Idle => {
                    note_ui(ui, reason.as_deref().unwrap_or(tr!("Every measurement reads these symbols from the source again")));
                }
                BenchPhase::Running { progress, stopping, .. } => {
                    let (share, text) = match progress {
                        _ if *stopping => (progress.map_or(0.0, |progress| progress.fraction()), tr!("Stopping").to_owned()),
                        Some(progress) => (
                            progress.fraction(),
                            tr!(
                                "{stage} · {done} of {total}",
                                stage = progress.stage.label(),
                                done = progress.done + 1,
                                total = progress.total
                            ),
                        ),
                        None => (0.0, tr!("Asking the source for its symbols").to_owned()),
                    };
                    meter_ui(ui, ui.available_width(), share, theme.accent);
                    ui.add_space(space::XS);
                    note_ui(ui, &text);
                }
                BenchPhase::Stopped => note_ui(ui, tr!("Stopped; nothing was left behind")),
                BenchPhase::Failed(message) => {
                    ui.add(Label::new(RichText::new(said(message)).color(theme.error)).selectable(true).wrap());
                }
                BenchPhase::Done(report) => {
                    // Where it has to be scrolled, the bar stands beside the figures.
                    ui.set_max_width(ui.available_width() - space::M);
                    report_ui(ui, report);
                }
            }
        });
        ui.add_space(space::M);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button(tr!("Close")).clicked() {
                out.act(Action::CloseDialog);
            }
            if matches!(form.phase, BenchPhase::Done(_))
                && ui.button(tr!("Copy figures")).on_hover_text(tr!("As text with tabs, for a spreadsheet")).clicked()
            {
                out.act(Action::Bench(BenchAction::Copy));
            }
        });
    });
    // A click beside it must not lose what was measured: only Esc and Close do.
    if response.should_close() && ui.input(|input| input.key_pressed(egui::Key::Escape)) {
        out.act(Action::CloseDialog);
    }
}

/// A field that is typed into: its label, what stands in it, and what a change of it is.
type Typed<'form> = (&'static str, &'form str, fn(String) -> BenchAction);

/// How many symbols, how often, and the button. Returns why it cannot be pressed.
fn fields_ui(ui: &mut Ui, state: &AppState, form: &BenchForm, out: &mut Outbox) -> Option<String> {
    let theme = Theme::of(ui);
    let reason = match form.wanted() {
        Err(reason) => Some(reason.to_owned()),
        Ok(_) if state.active_job().is_some() => {
            Some(tr!("A job is running, which would be measured as well; wait for its end").to_owned())
        }
        Ok(_) => None,
    };
    ui.horizontal(|ui| {
        ui.add_enabled_ui(!form.is_running(), |ui| {
            let symbols: Typed<'_> = (tr!("Symbols"), &form.symbols, BenchAction::Symbols);
            let runs: Typed<'_> = (tr!(in "count", "Times"), &form.runs, BenchAction::Runs);
            for (label, value, action) in [symbols, runs] {
                let name = fact_label_ui(ui, label);
                let mut text = value.to_owned();
                if ui.add(TextEdit::singleline(&mut text).desired_width(64.0)).labelled_by(name.id).changed() {
                    out.act(Action::Bench(action(text)));
                }
                ui.add_space(space::S);
            }
        });
        if form.is_running() {
            let stop = egui::Button::new((icons::icon(icons::STOP), tr!("Stop")));
            let response = ui.add(stop.min_size(vec2(0.0, size::CONTROL)));
            response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, tr!("Stop")));
            if response.clicked() {
                out.act(Action::Bench(BenchAction::Stop));
            }
        } else {
            let enabled = reason.is_none();
            let color = if enabled { theme.on_accent } else { theme.text_disabled };
            let words = if matches!(form.phase, BenchPhase::Idle) { tr!("Measure") } else { tr!("Measure again") };
            let mut button = egui::Button::new(RichText::new(words).color(color));
            if enabled {
                button = button.fill(theme.accent);
            }
            let response = ui.add_enabled(enabled, button.min_size(vec2(0.0, size::CONTROL)));
            if response.on_disabled_hover_text(reason.clone().unwrap_or_default()).clicked() {
                out.act(Action::Bench(BenchAction::Run));
            }
        }
    });
    reason
}

fn note_ui(ui: &mut Ui, text: &str) {
    let theme = Theme::of(ui);
    ui.add(Label::new(RichText::new(text).color(theme.text_weak)).wrap());
}

/// The colour of a stage: cold at the source, hot in the cache.
fn color_of(theme: &Theme, stage: BenchStage) -> Color32 {
    match stage {
        BenchStage::SourceRows | BenchStage::Features | BenchStage::Both | BenchStage::OneSource => theme.stale,
        BenchStage::Preheat | BenchStage::Disk => theme.cooling,
        BenchStage::DiskAgain | BenchStage::Memory | BenchStage::OneDisk | BenchStage::OneMemory => theme.fresh,
    }
}

/// Seconds on a logarithmic axis: whole decades around everything that is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Axis {
    first: i32,
    last: i32,
}

impl Axis {
    fn of(stages: &[&StageResult]) -> Self {
        let logs = stages.iter().map(|result| result.seconds.median.max(1e-9).log10());
        let (least, most) = logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), log| (least.min(log), most.max(log)));
        if !least.is_finite() {
            return Self { first: -3, last: 0 };
        }
        // The shortest bar is to be seen too.
        let first = (least - 0.2).floor() as i32;
        Self { first, last: (most.ceil() as i32).max(first + 1) }
    }

    /// Where seconds stand, as a share of the width.
    fn share(self, seconds: f64) -> f32 {
        let share = (seconds.max(1e-9).log10() - f64::from(self.first)) / f64::from(self.last - self.first);
        share.clamp(0.0, 1.0) as f32
    }
}

/// The bars of all stages, those about one symbol below, and what has to be known to read them.
fn report_ui(ui: &mut Ui, report: &BenchReport) {
    let stages: Vec<&StageResult> = report.stages.iter().collect();
    let axis = Axis::of(&stages);
    let of = |is_of_one: bool| stages.iter().copied().filter(move |result| result.stage.is_of_one() == is_of_one);
    heads_ui(ui, &tr_n!(report.symbols as u64, "{count} symbol", "{count} symbols"));
    of(false).for_each(|result| bar_ui(ui, axis, result));
    ui.add_space(space::M);
    heading_ui(ui, &tr!("One symbol, {symbol}", symbol = report.one_symbol));
    of(true).for_each(|result| bar_ui(ui, axis, result));
    decades_ui(ui, axis);
    ui.add_space(space::S);
    for note in report.notes() {
        let theme = Theme::of(ui);
        ui.add(Label::new(RichText::new(note).small().color(theme.text_weak)).wrap());
    }
}

/// What the bars are about, and what the figures behind them are.
fn heads_ui(ui: &mut Ui, title: &str) {
    let theme = Theme::of(ui);
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), size::ROW), Sense::hover());
    let body = egui::TextStyle::Body.resolve(ui.style());
    let small = egui::TextStyle::Small.resolve(ui.style());
    let middle = row.center().y;
    ui.painter().text(pos2(row.left(), middle), Align2::LEFT_CENTER, title, body, theme.text);
    let plot = plot_of(row);
    let spread = tr!("line: from the quickest to the slowest");
    ui.painter().text(pos2(plot.left(), middle), Align2::LEFT_CENTER, spread, small.clone(), theme.text_weak);
    let mut right = plot.right();
    for (head, room) in [tr!("median"), tr!("throughput"), tr!("speed-up")].into_iter().zip(FIGURES) {
        right += room;
        ui.painter().text(pos2(right, middle), Align2::RIGHT_CENTER, head, small.clone(), theme.text_weak);
    }
}

fn plot_of(row: Rect) -> Rect {
    let figures: f32 = FIGURES.iter().sum();
    Rect::from_min_max(pos2(row.left() + NAME, row.top()), pos2((row.right() - figures).max(row.left() + NAME + 40.0), row.bottom()))
}

fn decades(axis: Axis) -> impl Iterator<Item = (i32, f32)> {
    (axis.first..=axis.last).map(move |decade| (decade, axis.share(10_f64.powi(decade))))
}

fn bar_ui(ui: &mut Ui, axis: Axis, result: &StageResult) {
    let theme = Theme::of(ui);
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), size::ROW), Sense::hover());
    let plot = plot_of(row);
    let painter = ui.painter();
    for (_, share) in decades(axis) {
        painter.vline(plot.left() + plot.width() * share, row.y_range(), (1.0, theme.line));
    }
    let x_of = |seconds: f64| plot.left() + plot.width() * axis.share(seconds);
    let color = color_of(theme, result.stage);
    let middle = row.center().y;
    let bar = Rect::from_min_max(
        pos2(plot.left(), middle - BAR * 0.5),
        pos2(x_of(result.seconds.median).max(plot.left() + 2.0), middle + BAR * 0.5),
    );
    painter.rect_filled(bar, CornerRadius::same(2), color);
    // From the quickest to the slowest.
    painter.hline(x_of(result.seconds.min)..=x_of(result.seconds.max), middle, (1.5, theme.text));
    let body = egui::TextStyle::Body.resolve(ui.style());
    painter.text(pos2(row.left(), middle), Align2::LEFT_CENTER, result.stage.label(), body.clone(), theme.text);
    let seconds = format::short_time(result.seconds.median * 1e6);
    let rate = format::rows_per_second(result.rows_per_second());
    let ratio = result.ratio_text();
    let hot = result.stage.is_of_cache() && result.ratio > 1.0;
    let texts = [
        (seconds.clone(), theme.text),
        (rate.clone(), theme.text_weak),
        (ratio.clone().unwrap_or_default(), if hot { theme.fresh } else { theme.text_weak }),
    ];
    let mut right = plot.right();
    for ((text, color), room) in texts.into_iter().zip(FIGURES) {
        right += room;
        painter.text(pos2(right, middle), Align2::RIGHT_CENTER, text, body.clone(), color);
    }
    let spoken = match &ratio {
        Some(ratio) => {
            let stage = result.stage.label();
            tr!("{stage}: {time}, {rate}, {ratio} as quick as without a cache", stage = stage, time = seconds, rate = rate, ratio = ratio)
        }
        None => format!("{}: {seconds}, {rate}", result.stage.label()),
    };
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Image, true, &spoken));
    let (least, most) = (format::short_time(result.seconds.min * 1e6), format::short_time(result.seconds.max * 1e6));
    let rows = tr_n!(result.rows, "{count} row", "{count} rows");
    let spread = tr!("From {least} to {most}, {rows}", least = least, most = most, rows = rows);
    response.on_hover_text_at_pointer(format!("{spoken}\n{spread}"));
}

/// What the lines stand for.
fn decades_ui(ui: &mut Ui, axis: Axis) {
    let theme = Theme::of(ui);
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), size::CONTROL), Sense::hover());
    let plot = plot_of(row);
    let font = egui::TextStyle::Small.resolve(ui.style());
    for (decade, share) in decades(axis) {
        let text = format::short_time(10_f64.powi(decade) * 1e6);
        let at = pos2(plot.left() + plot.width() * share, row.top() + space::XS);
        ui.painter().text(at, Align2::CENTER_TOP, text, font.clone(), theme.text_weak);
    }
    let spoken = tr!("Each line stands for ten times the time of the one before");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Image, true, spoken));
    response.on_hover_text(spoken);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::Spread;

    #[test]
    fn the_axis_has_whole_decades_around_every_bar() {
        let result = |median: f64| StageResult {
            stage: BenchStage::Disk,
            rows: 1,
            seconds: Spread { median, min: median, max: median },
            ratio: 1.0,
        };
        let (slow, quick) = (result(2.5), result(4e-6));
        let axis = Axis::of(&[&slow, &quick]);
        assert_eq!(axis, Axis { first: -6, last: 1 });
        assert!(axis.share(4e-6) > 0.0 && axis.share(2.5) < 1.0);
        assert_eq!((axis.share(10.0), axis.share(0.0)), (1.0, 0.0));
        assert_eq!(Axis::of(&[&result(1.0)]), Axis { first: -1, last: 0 });
        assert_eq!(Axis::of(&[]), Axis { first: -3, last: 0 });
    }
}
