//! The bars above and below every view: where one is, which source, what runs, how much room is taken.

use super::commands::{command_button_ui, command_icon_ui, menu_ui};
use super::theme::{Theme, size, space};
use super::widgets::meter_ui;
use super::window::Outbox;
use super::{format, icons};
use crate::app::{Action, AppState, Command, JobStage, OpenState, SourceAction, View};
use eframe::egui;
use egui::{Align, Frame, Layout, Margin, Panel, Response, RichText, Ui};

fn bar_frame(theme: &Theme) -> Frame {
    Frame::NONE.fill(theme.panel).inner_margin(Margin::symmetric(12, 4))
}

/// Views on the left, source in the middle, palette and menu on the right.
pub fn top_bar_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    Panel::top("top-bar").frame(bar_frame(theme)).show_separator_line(false).exact_size(44.0).show(ui, |ui| {
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            super::logo::logo_ui(ui);
            ui.add_space(space::S);
            for (view, command) in [
                (View::Symbols, Command::ShowSymbols),
                (View::Overview, Command::ShowOverview),
                (View::Jobs, Command::ShowJobs),
                (View::Settings, Command::ShowSettings),
            ] {
                let chosen = state.view == view;
                let color = if chosen { theme.accent } else { theme.text_weak };
                let response = ui
                    .add(egui::Button::new(RichText::new(command.text()).color(color)).selected(false).frame_when_inactive(false))
                    .on_hover_text(command.shortcut().map(|keys| keys.to_string()).unwrap_or_default());
                if chosen {
                    let line = response.rect.expand2(egui::vec2(-space::S, 2.0));
                    ui.painter().hline(line.x_range(), line.bottom(), (2.0, theme.accent));
                }
                if response.clicked() {
                    out.act(Action::Show(view));
                }
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let menu = ui.menu_button(icons::icon(icons::MORE).color(theme.text_weak), |ui| {
                    // As tall as the window lets it be: what has to be scrolled for is not found.
                    let tallest = ui.ctx().content_rect().height() - 60.0;
                    ui.set_max_width(300.0);
                    egui::ScrollArea::vertical().max_height(tallest).min_scrolled_height(tallest).show(ui, |ui| menu_ui(ui, state, out));
                });
                name_button(menu.response, "All commands").on_hover_text("All commands");
                command_icon_ui(ui, state, Command::Help, out);
                let dark = theme.dark;
                if icons::icon_button_ui(ui, if dark { icons::LIGHT } else { icons::DARK }, Command::ToggleTheme.text()).clicked() {
                    out.act(Action::Run(Command::ToggleTheme));
                }
                command_icon_ui(ui, state, Command::Palette, out);
                ui.add_space(space::S);
                if state.has_source() {
                    command_button_ui(ui, state, Command::PreheatAll, out);
                    ui.add_space(space::S);
                    source_ui(ui, state, out);
                }
            });
        });
    });
}

/// Says in words what a button of icons is.
fn name_button(response: Response, name: &str) -> Response {
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, name));
    response
}

/// The source in use, and the way to another.
fn source_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let current = match (&state.settings.source, &state.snapshot.source, state.fixed_source) {
        (_, Some(source), true) => source.id.to_string(),
        (Some(name), _, false) => name.clone(),
        _ => "No source".to_owned(),
    };
    if state.fixed_source {
        ui.label(RichText::new(current).color(theme.text_weak)).on_hover_text("Named on the command line");
        return;
    }
    let words =
        (icons::icon(icons::DATABASE).color(theme.text_weak), RichText::new(&current), icons::icon(icons::EXPAND).color(theme.text_weak));
    let button = egui::Button::new(words).frame_when_inactive(false);
    let (response, _) = egui::containers::menu::MenuButton::from_button(button).ui(ui, |ui| {
        ui.set_min_width(220.0);
        for source in &state.settings.sources {
            let chosen = state.settings.source.as_deref() == Some(&source.name);
            if ui.selectable_label(chosen, &source.name).on_hover_text(&source.url).clicked() {
                out.act(Action::Source(SourceAction::Use(source.name.clone())));
                ui.close();
            }
        }
        ui.separator();
        for command in [Command::ConnectSource, Command::UseSample, Command::ListSymbols] {
            if ui.add_enabled(command.enabled(state).is_ok(), egui::Button::new(command.text()).frame_when_inactive(false)).clicked() {
                out.act(Action::Run(command));
                ui.close();
            }
        }
    });
    name_button(response, &format!("Source: {current}")).on_hover_text("Sources are only ever read");
}

/// What is true at the moment: cache, job, room.
pub fn status_bar_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    Panel::bottom("status-bar").frame(bar_frame(theme)).show_separator_line(false).exact_size(size::BAR).show(ui, |ui| {
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let weak = |text: String| RichText::new(text).small().color(theme.text_weak);
            match &state.open {
                OpenState::Opening => {
                    ui.label(weak("Opening the cache".to_owned()));
                }
                OpenState::Failed(_) => {
                    ui.label(RichText::new("The cache cannot be opened").small().color(theme.error));
                }
                OpenState::Ready => {
                    let symbols = state.snapshot.rows.len() as u64;
                    let cached = state.snapshot.cached_symbols as u64;
                    let text = if state.has_source() {
                        format!("{} · {} cached", format::counted(symbols, "symbol", "symbols"), format::count(cached))
                    } else {
                        "No source".to_owned()
                    };
                    ui.label(weak(text));
                    if let Some(listed_at_us) = state.snapshot.source.as_ref().and_then(|source| source.listed_at_us) {
                        ui.label(weak(format!("listed {}", format::relative(listed_at_us, super::symbols::now_us(state)))));
                    }
                }
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let usage = &state.snapshot.usage;
                ui.label(weak(format!("memory {}", format::bytes(usage.memory_bytes))));
                ui.add_space(space::S);
                let total = usage.bars_bytes + usage.features_bytes;
                let budget = state.settings.disk_budget_bytes;
                let over = budget > 0 && total as f64 > 0.8 * budget as f64;
                let text = if budget > 0 {
                    format!("cache {} of {}", format::bytes(total), format::bytes(budget))
                } else {
                    format!("cache {}", format::bytes(total))
                };
                let label = ui.label(if over { RichText::new(text).small().color(theme.warning) } else { weak(text) });
                if over {
                    label.on_hover_text(
                        "More than 80 % of the budget is taken; clear what is not needed or raise the budget in the settings",
                    );
                }
                ui.add_space(space::M);
                job_ui(ui, state, out);
            });
        });
    });
}

/// The running job: how far, how fast, how long.
fn job_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let small = |text: String| RichText::new(text).small().color(theme.text);
    if let Some((done, total)) = state.verifying {
        meter_ui(ui, 120.0, if total == 0 { 0.0 } else { done as f32 / total as f32 }, theme.accent);
        ui.label(small(format!("Verifying {} of {}", format::count(done as u64), format::counted(total as u64, "file", "files"))));
        return;
    }
    let Some(job) = state.active_job() else { return };
    if matches!(job.stage, JobStage::Running | JobStage::Paused | JobStage::Cancelling) {
        command_icon_ui(ui, state, Command::CancelJob, out);
        let switch = if job.stage == JobStage::Paused { Command::ResumeJob } else { Command::PauseJob };
        command_icon_ui(ui, state, switch, out);
        let progress = &job.progress;
        meter_ui(ui, 140.0, progress.fraction(), theme.accent);
        let left = progress.secs_left().filter(|_| job.stage == JobStage::Running);
        let left = left.map(|secs| format!(" · {} left", format::duration(secs))).unwrap_or_default();
        let left = if progress.waiting.is_some() { " · waiting".to_owned() } else { left };
        let text = format!(
            "{} · {} of {}{left}",
            job.title,
            format::count(progress.symbols_done as u64),
            format::count(progress.symbols_total as u64)
        );
        if ui.add(egui::Button::new(small(text)).frame_when_inactive(false)).on_hover_text("Show jobs").clicked() {
            out.act(Action::Show(View::Jobs));
        }
    } else {
        ui.label(small(format!("{} · {}", job.title, job.stage.word())));
    }
}
