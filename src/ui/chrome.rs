//! The bars above and below every view: where one is, which source, what runs, how much room is taken.

use super::commands::{command_button_ui, command_icon_ui, menu_ui};
use super::sources::{connection_color, connection_words, shown_url};
use super::theme::{Theme, size, space};
use super::widgets::meter_ui;
use super::window::{Outbox, ViewState};
use super::{format, icons};
use crate::app::{Action, AppState, Command, Connection, JobStage, OpenState, SourceAction, View};
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Align, Frame, Layout, Margin, Panel, Response, RichText, Ui};

fn bar_frame(theme: &Theme) -> Frame {
    Frame::NONE.fill(theme.panel).inner_margin(Margin::symmetric(12, 4))
}

/// Views on the left, source in the middle, palette and menu on the right.
pub fn top_bar_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
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
            ui.add_space(space::S);
            command_icon_ui(ui, state, Command::GoBack, out);
            command_icon_ui(ui, state, Command::GoForward, out);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let face = egui::Button::new(icons::icon(icons::MORE).color(theme.text_weak)).frame_when_inactive(false);
                let face = face.min_size(egui::vec2(32.0, size::CONTROL));
                let menu = ui.add(face);
                egui::Popup::menu(&menu).gap(space::S).show(|ui| menu_ui(ui, state, out));
                name_button(menu, tr!("All commands")).on_hover_text(tr!("All commands"));
                command_icon_ui(ui, state, Command::Help, out);
                super::notices::bell_ui(ui, state, views, out);
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
        _ => tr!("No source").to_owned(),
    };
    if state.fixed_source {
        ui.label(RichText::new(current).color(theme.text_weak)).on_hover_text(tr!("Named on the command line"));
        return;
    }
    let words =
        (icons::icon(icons::DATABASE).color(theme.text_weak), RichText::new(&current), icons::icon(icons::EXPAND).color(theme.text_weak));
    let button = egui::Button::new(words).frame_when_inactive(false);
    let (response, _) = egui::containers::menu::MenuButton::from_button(button).ui(ui, |ui| {
        ui.set_min_width(220.0);
        for source in &state.settings.sources {
            let chosen = state.settings.source.as_deref() == Some(&source.name);
            if ui.selectable_label(chosen, &source.name).on_hover_text(shown_url(source)).clicked() {
                out.act(Action::Source(SourceAction::Use(source.name.clone())));
                ui.close();
            }
        }
        ui.separator();
        if let Some(name) = state.settings.source.as_ref().filter(|name| state.settings.sources.iter().any(|source| source.name == **name))
        {
            let words = tr!("Edit {name}…", name = name);
            if ui.add(egui::Button::new(words).frame_when_inactive(false)).clicked() {
                out.act(Action::Source(SourceAction::Edit(Some(name.clone()))));
                ui.close();
            }
        }
        for command in [Command::ConnectSource, Command::UseSample, Command::ListSymbols] {
            if ui.add_enabled(command.enabled(state).is_ok(), egui::Button::new(command.text()).frame_when_inactive(false)).clicked() {
                out.act(Action::Run(command));
                ui.close();
            }
        }
    });
    name_button(response, &tr!("Source: {name}", name = current)).on_hover_text(tr!("Sources are only ever read"));
}

/// What is true at the moment: cache, job, room.
pub fn status_bar_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    Panel::bottom("status-bar").frame(bar_frame(theme)).show_separator_line(false).exact_size(size::BAR).show(ui, |ui| {
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let weak = |text: String| RichText::new(text).small().color(theme.text_weak);
            match &state.open {
                OpenState::Opening => {
                    ui.label(weak(tr!("Opening the cache").to_owned()));
                }
                OpenState::Failed(_) => {
                    ui.label(RichText::new(tr!("The cache cannot be opened")).small().color(theme.error));
                }
                OpenState::Ready if !state.has_source() => {
                    ui.label(weak(tr!("No source").to_owned()));
                }
                OpenState::Ready => {
                    connection_ui(ui, state, out);
                    ui.add_space(space::M);
                    let symbols = state.snapshot.rows.len() as u64;
                    let cached = state.snapshot.cached_symbols as u64;
                    let symbols = tr_n!(symbols, "{count} symbol", "{count} symbols");
                    let text = tr!("{symbols} · {cached} cached", symbols = symbols, cached = format::count(cached));
                    let listed_at_us = state.snapshot.source.as_ref().and_then(|source| source.listed_at_us);
                    let listed = listed_at_us.map(|at_us| format::relative(at_us, super::symbols::now_us(state)));
                    ui.label(weak(text)).on_hover_text(match listed {
                        Some(when) => tr!("The source listed them {when}", when = when),
                        None => tr!("The source was not asked for its symbols yet").to_owned(),
                    });
                }
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let usage = &state.snapshot.usage;
                let memory = tr!("memory {bytes}", bytes = format::bytes(usage.memory_bytes));
                let budget = format::bytes(usage.memory_budget_bytes);
                steady_label_ui(ui, &memory, &tr!("memory {bytes}", bytes = format::bytes(WIDE_BYTES)), theme.text_weak)
                    .on_hover_text(tr!("Columns kept in memory, of {budget} at most", budget = budget));
                ui.add_space(space::S);
                room_ui(ui, state);
                ui.add_space(space::M);
                job_ui(ui, state, out);
            });
        });
    });
}

/// Small words that change while work is done, in the room of the widest they come to: nothing beside them moves.
fn steady_label_ui(ui: &mut Ui, text: &str, widest: &str, color: egui::Color32) -> Response {
    let place =
        |text: &str| egui::WidgetText::from(RichText::new(text).small()).into_galley(ui, None, f32::INFINITY, egui::TextStyle::Small);
    let (galley, widest) = (place(text), place(widest));
    let wide = galley.size().x.max(widest.size().x).ceil();
    let (rect, response) = ui.allocate_exact_size(egui::vec2(wide, galley.size().y), egui::Sense::hover());
    ui.painter().galley(egui::pos2(rect.right() - galley.size().x, rect.top()), galley, color);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Label, true, text));
    response
}

/// Bytes that take as much room as any.
const WIDE_BYTES: u64 = 88_800_000;

/// Where the cache lies and how much room it takes; more when pointed at.
fn room_ui(ui: &mut Ui, state: &AppState) {
    let theme = Theme::of(ui);
    let usage = &state.snapshot.usage;
    let total = usage.bars_bytes + usage.features_bytes;
    let budget = state.settings.disk_budget_bytes;
    let over = budget > 0 && total as f64 > 0.8 * budget as f64;
    let words = |bytes: u64| {
        if budget > 0 {
            tr!("cache {bytes} of {budget}", bytes = format::bytes(bytes), budget = format::bytes(budget))
        } else {
            tr!("cache {bytes}", bytes = format::bytes(bytes))
        }
    };
    let label = steady_label_ui(ui, &words(total), &words(WIDE_BYTES), if over { theme.warning } else { theme.text_weak });
    let mut lines = vec![state.snapshot.folders[0].display().to_string()];
    lines.extend(usage.free_disk_bytes.map(|free| tr!("{bytes} free on its disk", bytes = format::bytes(free))));
    if usage.trash_bytes > 0 {
        lines.push(tr!("{bytes} more in the trash, for 24 hours", bytes = format::bytes(usage.trash_bytes)));
    }
    if over {
        let text = tr!("More than 80 % of the budget is taken; clear what is not needed or raise the budget in the settings");
        lines.push(text.to_owned());
    }
    label.on_hover_text(lines.join("\n"));
}

/// The source in use and whether it answers; its settings when pressed.
fn connection_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let Some(source) = &state.snapshot.source else { return };
    let connection = state.connection();
    let name = state.settings.source.clone().filter(|_| !state.fixed_source).unwrap_or_else(|| source.id.to_string());
    let (glyph, words) = connection_words(connection);
    let text = format!("{name} · {words}");
    let color = connection_color(theme, connection);
    let button = egui::Button::new((
        RichText::new(glyph).size(size::TEXT_BODY).color(color),
        RichText::new(&text).small().color(if matches!(connection, Connection::Offline { .. }) { theme.error } else { theme.text_weak }),
    ));
    let response = name_button(ui.add(button.frame_when_inactive(false)), &text);
    let mut lines = vec![source.url.clone()];
    let when = |at_us| format::relative(at_us, super::symbols::now_us(state));
    let mut is_read_only = None;
    match connection {
        Connection::NotAsked => lines.push(tr!("It is asked when something is to be fetched").to_owned()),
        Connection::Asking => {}
        Connection::Connected(contact) => {
            lines.push(tr!("The last question was answered {when}", when = when(contact.at_us)));
            is_read_only = contact.outcome.as_ref().ok().map(|reached| reached.is_read_only);
        }
        Connection::Reconnecting { reason } => lines.push(reason.to_owned()),
        Connection::Offline { contact, reason } => {
            lines.push(tr!("The last question failed {when}", when = when(contact.at_us)));
            lines.push(reason.to_owned());
        }
    }
    if response.on_hover_text(lines.join("\n")).clicked() {
        out.act(Action::Run(Command::ShowSettings));
    }
    let why = match is_read_only {
        Some(true) => tr!("The database itself refuses to write in Samovar's sessions"),
        Some(false) => tr!("Samovar only ever reads; this database has no sessions that refuse to write"),
        None => tr!("Samovar only ever reads from a source"),
    };
    ui.add_space(space::XS);
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        ui.label(RichText::new(icons::LOCK).size(size::TEXT_SMALL).color(theme.text_weak));
        ui.label(RichText::new(tr!("read-only")).small().color(theme.text_weak)).on_hover_text(why);
    });
}

/// The running job: how far, how fast, how long.
fn job_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let small = |text: String| RichText::new(text).small().color(theme.text);
    if let Some((done, total)) = state.verifying {
        meter_ui(ui, 120.0, if total == 0 { 0.0 } else { done as f32 / total as f32 }, theme.accent);
        let files = tr_n!(total as u64, "{count} file", "{count} files");
        ui.label(small(tr!("Verifying {done} of {files}", done = format::count(done as u64), files = files)));
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
        let left = left.map(|secs| format!(" · {}", tr!("{time} left", time = format::duration(secs.ceil())))).unwrap_or_default();
        let left = if progress.waiting.is_some() { format!(" · {}", tr!("waiting")) } else { left };
        let (done, total) = (format::count(progress.symbols_done as u64), format::count(progress.symbols_total as u64));
        let text = format!("{} · {}{left}", job.title, tr!("{done} of {total}", done = done, total = total));
        if ui.add(egui::Button::new(small(text)).frame_when_inactive(false)).on_hover_text(tr!("Show jobs")).clicked() {
            out.act(Action::Show(View::Jobs));
        }
    } else {
        ui.label(small(format!("{} · {}", job.title, job.stage.word())));
    }
}
