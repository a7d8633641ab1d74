//! Schedules in the window: how they stand, and the form in which one is made or changed.
//!
//! Contract: schedules live in the settings and are saved with them; a form that cannot be saved says why.

use super::action::Action;
use super::state::AppState;
use crate::config::{Rhythm, Schedule, ScheduledTask};
use crate::market::Exchange;
use crate::tr;
use crate::worker::{Job, NoticeLevel, ScheduleState};
use chrono::NaiveTime;
use std::sync::Arc;

/// A schedule while it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleForm {
    /// The schedule that is changed; a new one is made where this is left out.
    pub editing: Option<String>,
    /// What it is called.
    pub name: String,
    /// What it does.
    pub task: ScheduledTask,
    /// Whether it goes by trading days; else by minutes.
    pub by_session: bool,
    /// The time of day.
    pub time: String,
    /// Whose trading days and clock.
    pub exchange: Exchange,
    /// Minutes between two runs.
    pub minutes: String,
}

/// Something about schedules.
#[derive(Debug, Clone)]
pub enum ScheduleAction {
    /// Open the form for the schedule of this name, or a new one.
    Edit(Option<String>),
    /// The form was changed.
    Change(Box<ScheduleForm>),
    /// The form is right.
    Save,
    /// Give the form up.
    GiveUp,
    /// Let a schedule rest, or go on.
    Pause(String, bool),
    /// Run it now, besides its times.
    RunNow(String),
    /// Remove it.
    Delete(String),
    /// Bring a removed one back.
    Restore(Box<Schedule>),
}

/// The word for what a schedule does.
#[must_use]
pub fn task_word(task: ScheduledTask) -> &'static str {
    match task {
        ScheduledTask::Preheat => tr!("Preheat all"),
        ScheduledTask::Check => tr!("Check the source"),
    }
}

/// When it is due, in words.
#[must_use]
pub fn rhythm_words(rhythm: Rhythm) -> String {
    match rhythm {
        Rhythm::Minutes(minutes) if minutes % 60 == 0 => {
            crate::tr_n!(u64::from(minutes / 60), "every hour", "every {count} hours")
        }
        Rhythm::Minutes(minutes) => crate::tr_n!(u64::from(minutes), "every minute", "every {count} minutes"),
        Rhythm::Sessions(Exchange::Unknown | Exchange::Continuous, time) => tr!("every day at {time} UTC", time = time.format("%H:%M")),
        Rhythm::Sessions(exchange, time) => {
            tr!("every trading day at {time}, {exchange}", time = time.format("%H:%M"), exchange = exchange.name())
        }
    }
}

impl ScheduleForm {
    fn of(schedule: &Schedule) -> Self {
        let rhythm = Rhythm::parse(&schedule.when);
        let new = Self::new(Exchange::default());
        let form = Self { editing: Some(schedule.name.clone()), name: schedule.name.clone(), task: schedule.task, ..new };
        match rhythm {
            Ok(Rhythm::Minutes(minutes)) => Self { by_session: false, minutes: minutes.to_string(), ..form },
            Ok(Rhythm::Sessions(exchange, time)) => Self { by_session: true, exchange, time: time.format("%H:%M").to_string(), ..form },
            Err(_) => form,
        }
    }

    fn new(exchange: Exchange) -> Self {
        // A little after the close, when sources have loaded the day.
        let time = if matches!(exchange, Exchange::Unknown | Exchange::Continuous) { "00:20".to_owned() } else { close_of(exchange) };
        Self {
            editing: None,
            name: String::new(),
            task: ScheduledTask::default(),
            by_session: true,
            time,
            exchange,
            minutes: "60".to_owned(),
        }
    }

    /// When it is due.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn rhythm(&self) -> Result<Rhythm, String> {
        if self.by_session {
            let time = NaiveTime::parse_from_str(self.time.trim(), "%H:%M");
            let time = time.map_err(|_error| tr!("{time} is no time of day such as 16:05", time = self.time.trim()))?;
            return Ok(Rhythm::Sessions(self.exchange, time));
        }
        Rhythm::parse(&format!("every {} min", self.minutes.trim()))
            .map_err(|_error| tr!("{minutes} is no number of minutes from 1 to 10,080, which is a week", minutes = self.minutes.trim()))
    }

    /// The schedule it makes.
    ///
    /// # Errors
    /// Why it cannot be saved.
    pub fn schedule(&self, others: &[Schedule]) -> Result<Schedule, String> {
        let rhythm = self.rhythm()?;
        let wanted = self.name.trim();
        let name = if wanted.is_empty() { format!("{}, {}", task_word(self.task), rhythm_words(rhythm)) } else { wanted.to_owned() };
        if others.iter().any(|other| other.name == name && self.editing.as_ref() != Some(&other.name)) {
            return Err(tr!("There is a schedule {name} already", name = name));
        }
        let before = others.iter().find(|other| Some(&other.name) == self.editing.as_ref());
        Ok(Schedule { name, task: self.task, when: rhythm.to_string(), paused: before.is_some_and(|before| before.paused) })
    }
}

/// Twenty minutes after the regular close of a market, on its own clock.
fn close_of(exchange: Exchange) -> String {
    match exchange {
        Exchange::NewYork => "16:20",
        Exchange::Shanghai => "15:20",
        Exchange::HongKong => "16:30",
        Exchange::London => "16:55",
        Exchange::Frankfurt => "17:55",
        Exchange::Tokyo | Exchange::Seoul => "15:50",
        Exchange::Moscow => "19:10",
        Exchange::Unknown | Exchange::Continuous => "00:20",
    }
    .to_owned()
}

impl AppState {
    pub(super) fn change_schedules(&mut self, action: ScheduleAction) -> Vec<Job> {
        let mut settings = self.settings.clone();
        match action {
            ScheduleAction::Edit(name) => {
                let known = name.and_then(|name| self.settings.schedules.iter().find(|schedule| schedule.name == name));
                self.schedule_form = Some(known.map_or_else(|| ScheduleForm::new(self.usual_exchange()), ScheduleForm::of));
                return Vec::new();
            }
            ScheduleAction::Change(form) => {
                self.schedule_form = Some(*form);
                return Vec::new();
            }
            ScheduleAction::GiveUp => {
                self.schedule_form = None;
                return Vec::new();
            }
            ScheduleAction::RunNow(name) => return vec![Job::RunSchedule(name)],
            ScheduleAction::Save => {
                let Some(form) = &self.schedule_form else { return Vec::new() };
                // The form says itself why it cannot be saved.
                let Ok(schedule) = form.schedule(&settings.schedules) else { return Vec::new() };
                match settings.schedules.iter_mut().find(|known| Some(&known.name) == form.editing.as_ref()) {
                    Some(known) => *known = schedule,
                    None => settings.schedules.push(schedule),
                }
                self.schedule_form = None;
            }
            ScheduleAction::Pause(name, paused) => {
                if let Some(schedule) = settings.schedules.iter_mut().find(|schedule| schedule.name == name) {
                    schedule.paused = paused;
                }
            }
            ScheduleAction::Delete(name) => {
                let Some(place) = settings.schedules.iter().position(|schedule| schedule.name == name) else { return Vec::new() };
                let removed = settings.schedules.remove(place);
                let undo = Action::Schedule(ScheduleAction::Restore(Box::new(removed)));
                self.notices.offer(NoticeLevel::Success, tr!("Removed the schedule {name}", name = name), undo);
            }
            ScheduleAction::Restore(schedule) => settings.schedules.push(*schedule),
        }
        self.save(settings, None)
    }

    /// The exchange most symbols with bars belong to.
    fn usual_exchange(&self) -> Exchange {
        let mut counts = std::collections::BTreeMap::<Exchange, usize>::new();
        for row in &self.snapshot.rows {
            if let Some(facts) = row.datasets.first() {
                *counts.entry(self.snapshot.judge.rule_of(&facts.entry.key).exchange).or_default() += 1;
            }
        }
        counts.into_iter().max_by_key(|(_, count)| *count).map(|(exchange, _)| exchange).unwrap_or_default()
    }

    pub(super) fn apply_schedules(&mut self, schedules: Arc<Vec<ScheduleState>>) {
        self.schedules = schedules;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_becomes_a_schedule_and_back() {
        let mut form = ScheduleForm::new(Exchange::NewYork);
        let made = form.schedule(&[]).expect("a schedule");
        assert_eq!((made.name.as_str(), made.when.as_str()), ("Preheat all, every trading day at 16:20, New York", "16:20 XNYS"));
        assert_eq!(ScheduleForm::of(&made).schedule(std::slice::from_ref(&made)), Ok(made.clone()));
        assert!(form.schedule(&[made]).expect_err("twice").contains("already"));
        form.time = "4pm".to_owned();
        assert!(form.schedule(&[]).expect_err("no time").contains("4pm"));
        form.by_session = false;
        assert_eq!(form.schedule(&[]).map(|made| made.name), Ok("Preheat all, every hour".to_owned()));
        form.minutes = "0".to_owned();
        assert!(form.schedule(&[]).is_err());
    }
}
