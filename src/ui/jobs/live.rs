//! Jobs that run or wait: how far they are, what can be done with them, in which order they come.

use super::failures_ui;
use crate::app::{Action, AppState, JobStage, JobView};
use crate::preheat::{RunState, Waiting};
use crate::ui::format;
use crate::ui::icons;
use crate::ui::symbols::now_us;
use crate::ui::theme::{Theme, space};
use crate::ui::widgets::{figure_link_ui, meter_ui};
use crate::ui::window::{Outbox, ViewState};
use crate::worker::Turn;
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Align, Label, Layout, RichText, Ui};

/// The job that runs, then those that wait.
pub fn live_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let mut any = false;
    for job in state.jobs.iter().rev().filter(|job| !job.stage.is_over() && job.stage != JobStage::Queued) {
        any = true;
        running_ui(ui, state, job, views, out);
    }
    let waiting: Vec<&JobView> = state.waiting_jobs().collect();
    for (place, job) in waiting.iter().enumerate() {
        any = true;
        waiting_row_ui(ui, job, (place, waiting.len()), out);
    }
    if !any {
        ui.label(RichText::new(tr!("Nothing is running")).color(theme.text_weak));
    }
}

/// A job that waits: its place, and buttons that change it.
fn waiting_row_ui(ui: &mut Ui, job: &JobView, (place, all): (usize, usize), out: &mut Outbox) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        ui.label(icons::icon(icons::CLOCK).color(theme.text_weak));
        ui.label(RichText::new(&job.title).color(theme.text));
        let text = if place == 0 { tr!("waiting, next").to_owned() } else { tr!("waiting, number {place}", place = place + 1) };
        ui.label(RichText::new(text).small().color(theme.text_weak));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button(tr!("Remove")).on_hover_text(tr!("It will not run")).clicked() {
                out.act(Action::ControlJob(job.id, RunState::Cancelled));
            }
            if all < 2 {
                return;
            }
            ui.spacing_mut().item_spacing.x = space::XS;
            let mut turn = |ui: &mut Ui, enabled: bool, glyph: &str, name: String, turn: Turn| {
                ui.add_enabled_ui(enabled, |ui| {
                    if icons::icon_button_ui(ui, glyph, &name).clicked() {
                        out.act(Action::Turn(job.id, turn));
                    }
                });
            };
            turn(ui, place + 1 < all, icons::LATER, tr!("Later: {title}", title = job.title), Turn::Later);
            turn(ui, place > 0, icons::EARLIER, tr!("Earlier: {title}", title = job.title), Turn::Earlier);
            turn(ui, place > 0, icons::FIRST, tr!("Run next: {title}", title = job.title), Turn::Next);
        });
    });
}

fn running_ui(ui: &mut Ui, state: &AppState, job: &JobView, views: &mut ViewState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        ui.label(RichText::new(&job.title).color(theme.text));
        ui.label(RichText::new(job.stage.word()).small().color(theme.text_weak));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if job.stage != JobStage::Cancelling && ui.button(tr!("Cancel")).on_hover_text(tr!("Finished symbols stay")).clicked() {
                out.act(Action::ControlJob(job.id, RunState::Cancelled));
            }
            if job.stage == JobStage::Running && ui.button(tr!("Pause")).clicked() {
                out.act(Action::ControlJob(job.id, RunState::Paused));
            }
            if job.stage == JobStage::Paused && ui.button(tr!("Resume")).clicked() {
                out.act(Action::ControlJob(job.id, RunState::Running));
            }
        });
    });
    if job.stage == JobStage::Planning {
        ui.add_space(space::M);
        return;
    }
    let progress = &job.progress;
    meter_ui(ui, ui.available_width(), progress.fraction(), theme.accent);
    let total = tr_n!(progress.symbols_total as u64, "{count} symbol", "{count} symbols");
    let mut facts = vec![
        tr!("{done} of {total}", done = format::count(progress.symbols_done as u64), total = total),
        tr_n!(progress.rows, "{count} row", "{count} rows"),
        format::rows_per_second(progress.rows_per_sec()),
    ];
    if let Some(secs) = progress.secs_left().filter(|_| job.stage == JobStage::Running) {
        facts.push(tr!("{time} left", time = format::duration(secs.ceil())));
    }
    if job.skipped_fresh > 0 {
        facts.push(tr_n!(job.skipped_fresh as u64, "{count} fresh already", "{count} fresh already"));
    }
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(facts.join(" · ")).small().color(theme.text_weak));
        outcomes_ui(ui, job, out);
    });
    if let Some(waiting) = &progress.waiting {
        waiting_ui(ui, state, waiting);
    }
    failures_ui(ui, &job.failures, ("live", job.id), views, out);
    ui.add_space(space::M);
}

/// What became of the symbols so far, each count a way to just these.
fn outcomes_ui(ui: &mut Ui, job: &JobView, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let failed: Vec<_> = job.failures.iter().map(|(symbol, _)| symbol).collect();
    let parts = [
        (tr_n!(job.ok.len() as u64, "{count} ok", "{count} ok"), job.ok.iter().collect::<Vec<_>>(), theme.text),
        (tr_n!(job.no_data.len() as u64, "{count} no data", "{count} no data"), job.no_data.iter().collect(), theme.text),
        (tr_n!(failed.len() as u64, "{count} failed", "{count} failed"), failed, theme.error),
    ];
    for (text, symbols, color) in parts {
        if !symbols.is_empty() && figure_link_ui(ui, &text, color).clicked() {
            let title = format!("{}: {text}", job.title);
            out.act(Action::ShowSymbols { title, symbols: symbols.into_iter().cloned().collect() });
        }
    }
}

/// What a job waits for, how often it tried, and when it tries again.
fn waiting_ui(ui: &mut Ui, state: &AppState, waiting: &Waiting) {
    let theme = Theme::of(ui);
    let next = format::relative(waiting.next_attempt_us, now_us(state));
    ui.horizontal_wrapped(|ui| {
        ui.label(icons::icon(icons::OFFLINE).color(theme.warning));
        ui.add(
            Label::new(RichText::new(tr!("Waiting: {reason}", reason = crate::app::said(&waiting.reason))).color(theme.warning))
                .selectable(true)
                .wrap(),
        );
    });
    let text = tr_n!(
        u64::from(waiting.attempts),
        "{count} attempt so far, the next {next}",
        "{count} attempts so far, the next {next}",
        next = next
    );
    ui.label(RichText::new(text).small().color(theme.text_weak));
}
