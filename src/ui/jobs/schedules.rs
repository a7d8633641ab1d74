//! Schedules: what runs by itself, when next, what became of the last run; and the form in which one is written.

use crate::app::{Action, AppState, ScheduleAction, ScheduleForm, rhythm_words, task_word};
use crate::config::{Rhythm, ScheduledTask};
use crate::here::Here;
use crate::market::Exchange;
use crate::tr;
use crate::ui::format;
use crate::ui::icons;
use crate::ui::symbols::{local_time, now_us};
use crate::ui::theme::{Theme, space};
use crate::ui::widgets::heading_ui;
use crate::ui::window::Outbox;
use crate::worker::ScheduleState;
use eframe::egui;
use egui::{Align, ComboBox, Label, Layout, RichText, TextEdit, Ui};
use strum::IntoEnumIterator;

/// The whole group.
pub fn schedules_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    heading_ui(ui, tr!("Schedules"));
    if state.schedules.is_empty() && state.schedule_form.is_none() {
        let text = tr!("Nothing runs by itself. A schedule runs while the window is open; without it, cron runs samovar preheat");
        ui.add(Label::new(RichText::new(text).color(theme.text_weak)).wrap());
    }
    for schedule in state.schedules.iter() {
        if state.schedule_form.as_ref().is_some_and(|form| form.editing.as_ref() == Some(&schedule.schedule.name)) {
            continue;
        }
        schedule_ui(ui, state, schedule, out);
    }
    match &state.schedule_form {
        Some(form) => form_ui(ui, state, form, out),
        None => {
            ui.add_space(space::XS);
            let can = state.has_source();
            let button = ui.add_enabled(can, egui::Button::new(tr!("New schedule…")));
            if button.on_disabled_hover_text(tr!("Connect a source first")).clicked() {
                out.act(Action::Schedule(ScheduleAction::Edit(None)));
            }
        }
    }
}

fn schedule_ui(ui: &mut Ui, state: &AppState, stands: &ScheduleState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let (schedule, now_us) = (&stands.schedule, now_us(state));
    let resting = schedule.paused;
    ui.horizontal(|ui| {
        let glyph = if resting { icons::PAUSE } else { icons::CLOCK };
        ui.label(icons::icon(glyph).color(if resting { theme.text_weak } else { theme.accent }));
        ui.label(RichText::new(&schedule.name).color(if resting { theme.text_weak } else { theme.text }));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = space::XS;
            let mut act = |action: ScheduleAction| out.act(Action::Schedule(action));
            let name = || schedule.name.clone();
            if icons::icon_button_ui(ui, icons::CLEAR, &tr!("Remove the schedule {name}", name = schedule.name)).clicked() {
                act(ScheduleAction::Delete(name()));
            }
            if icons::icon_button_ui(ui, icons::EDIT, &tr!("Change the schedule {name}", name = schedule.name)).clicked() {
                act(ScheduleAction::Edit(Some(name())));
            }
            let (glyph, word) = if resting {
                (icons::RESUME, tr!("Let the schedule {name} go on", name = schedule.name))
            } else {
                (icons::PAUSE, tr!("Let the schedule {name} rest", name = schedule.name))
            };
            if icons::icon_button_ui(ui, glyph, &word).clicked() {
                act(ScheduleAction::Pause(name(), !resting));
            }
            ui.add_space(space::XS);
            let idle = stands.job.is_none();
            let run = ui.add_enabled(idle, egui::Button::new(tr!("Run now")));
            if run.on_disabled_hover_text(tr!("It is running, or waits for its turn")).clicked() {
                act(ScheduleAction::RunNow(name()));
            }
        });
    });
    ui.horizontal_wrapped(|ui| {
        ui.add_space(icons_indent(ui));
        let mut facts = Vec::new();
        match Rhythm::parse(&schedule.when) {
            Ok(rhythm) => facts.push(format!("{}, {}", task_word(schedule.task), rhythm_words(rhythm))),
            Err(reason) => facts.push(tr!("cannot be read: {reason}", reason = reason)),
        }
        match (&stands.next_us, resting, stands.job.is_some()) {
            (_, _, true) => facts.push(tr!("running now").to_owned()),
            (_, true, _) => facts.push(tr!("resting").to_owned()),
            (Ok(next_us), _, _) => {
                let at = format::moment(*next_us, now_us, &Here);
                facts.push(tr!("next {at}, {relative}", at = at, relative = format::relative(*next_us, now_us)));
            }
            (Err(_), _, _) => {}
        }
        if let Some(last) = &stands.last {
            facts.push(match last.began_us {
                Some(began_us) if last.is_late() => {
                    let due = format::moment(last.due_us, now_us, &Here);
                    tr!("ran late at {at}, due {due}", at = format::moment(began_us, now_us, &Here), due = due)
                }
                Some(began_us) => tr!("last {at}", at = format::moment(began_us, now_us, &Here)),
                None => tr!("left out at {at}: the run before was not over", at = format::moment(last.due_us, now_us, &Here)),
            });
        }
        let late = stands.last.as_ref().is_some_and(|last| last.began_us.is_none() || last.is_late());
        let text = RichText::new(facts.join(" · ")).small().color(theme.text_weak);
        let label = ui.add(Label::new(text).wrap());
        if let (true, Some(last)) = (late, &stands.last) {
            label.on_hover_text(tr!(
                "Due {at}; the window was closed, the computer slept, or a run was under way",
                at = local_time(last.due_us)
            ));
        }
    });
    ui.add_space(space::XS);
}

/// Where text begins that stands below text beside an icon.
fn icons_indent(ui: &Ui) -> f32 {
    crate::ui::theme::size::ICON + ui.spacing().item_spacing.x
}

fn form_ui(ui: &mut Ui, state: &AppState, form: &ScheduleForm, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let mut changed = form.clone();
    ui.add_space(space::S);
    ui.horizontal_wrapped(|ui| {
        let word = |ui: &mut Ui, text: &str| ui.label(RichText::new(text).color(theme.text_weak)).id;
        let name_list = |list: egui::InnerResponse<Option<()>>, name: &str| {
            list.response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::ComboBox, true, name));
        };
        let task = ComboBox::from_id_salt("schedule-task").selected_text(task_word(changed.task)).show_ui(ui, |ui| {
            for task in ScheduledTask::iter() {
                ui.selectable_value(&mut changed.task, task, task_word(task));
            }
        });
        name_list(task, tr!("What is done"));
        let rhythm = ComboBox::from_id_salt("schedule-rhythm")
            .width(170.0)
            .selected_text(if changed.by_session { tr!("every trading day") } else { tr!("every so many minutes") })
            .show_ui(ui, |ui| {
                ui.selectable_value(&mut changed.by_session, true, tr!("every trading day"));
                ui.selectable_value(&mut changed.by_session, false, tr!("every so many minutes"));
            });
        name_list(rhythm, tr!("How often"));
        if changed.by_session {
            let at = word(ui, tr!("at"));
            ui.add(TextEdit::singleline(&mut changed.time).desired_width(48.0).hint_text("16:05")).labelled_by(at);
            let exchanges = ComboBox::from_id_salt("schedule-exchange").width(170.0).selected_text(exchange_word(changed.exchange));
            let exchanges = exchanges.show_ui(ui, |ui| {
                for exchange in Exchange::all().filter(|exchange| *exchange != Exchange::Unknown) {
                    ui.selectable_value(&mut changed.exchange, exchange, exchange_word(exchange));
                }
            });
            name_list(exchanges, tr!("Exchange"));
        } else {
            let minutes = word(ui, tr!("minutes"));
            ui.add(TextEdit::singleline(&mut changed.minutes).desired_width(48.0).hint_text("60")).labelled_by(minutes);
        }
        let name = word(ui, tr!("Name"));
        let proposed = changed.rhythm().map(|rhythm| format!("{}, {}", task_word(changed.task), rhythm_words(rhythm))).unwrap_or_default();
        ui.add(TextEdit::singleline(&mut changed.name).desired_width(320.0).hint_text(proposed)).labelled_by(name);
    });
    ui.add_space(space::XS);
    let made = form.schedule(&state.settings.schedules);
    ui.horizontal(|ui| {
        let save = ui.add_enabled(made.is_ok(), egui::Button::new(tr!("Save schedule")));
        if save.clicked() {
            out.act(Action::Schedule(ScheduleAction::Save));
        }
        if ui.button(tr!("Cancel")).clicked() {
            out.act(Action::Schedule(ScheduleAction::GiveUp));
        }
        match (&made, form.rhythm()) {
            (Err(reason), _) => {
                ui.add(Label::new(RichText::new(reason).color(theme.error)).wrap());
            }
            (Ok(_), Ok(rhythm)) => {
                if let Some(next_us) = rhythm.next_us(now_us(state)) {
                    let text = tr!("Next {at}, {relative}", at = local_time(next_us), relative = format::relative(next_us, now_us(state)));
                    ui.label(RichText::new(text).small().color(theme.text_weak));
                }
            }
            (Ok(_), Err(_)) => {}
        }
    });
    if changed != *form {
        out.act(Action::Schedule(ScheduleAction::Change(Box::new(changed))));
    }
}

fn exchange_word(exchange: Exchange) -> &'static str {
    match exchange {
        Exchange::Unknown | Exchange::Continuous => tr!("UTC, every day"),
        known => known.name(),
    }
}
