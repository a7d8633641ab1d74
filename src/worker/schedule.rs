//! Schedules: preheats that begin by themselves while the window is open.
//!
//! When they are due is [`crate::config::Rhythm`]'s to say. Contract: a schedule has one job at most, and what falls due while
//! that one waits or runs is told and left out; of what was missed while the window was closed, or while the computer slept, only
//! the last is made up for, and told to be late. What was done last is kept in a file of its own, so that the settings are not
//! written again with every run.

use super::event::{JobEvent, JobId, NoticeLevel, PreheatOrder};
use super::queue::Queue;
use super::service::Service;
use crate::config::{Rhythm, Schedule, ScheduledTask};
use crate::market::SECOND_US;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How often it is looked whether something is due.
const TICK: Duration = Duration::from_millis(500);
/// From how much on after its time a run is late.
const LATE_US: i64 = 60 * SECOND_US;
/// Numbers of jobs that schedules begin, far from those of the front end and of the upkeep.
const FIRST_JOB: JobId = 1 << 52;

/// The last run of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledRun {
    /// When it was due.
    pub due_us: i64,
    /// When it began; `None` when it was left out because the one before was not over.
    pub began_us: Option<i64>,
}

impl ScheduledRun {
    /// Whether it began noticeably after its time.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.began_us.is_some_and(|began_us| began_us - self.due_us >= LATE_US)
    }
}

/// How a schedule stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleState {
    /// The schedule.
    pub schedule: Schedule,
    /// When it is due next; as text, why it never is.
    pub next_us: Result<i64, String>,
    /// Its last run.
    pub last: Option<ScheduledRun>,
    /// Its job, while that waits or runs.
    pub job: Option<JobId>,
}

/// What is kept of a schedule from one start to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    /// Up to this time everything that was due is done with.
    done_us: i64,
    last: Option<ScheduledRun>,
}

/// What is kept, by the name of the schedule.
type Book = BTreeMap<String, Kept>;

fn book_file(data_dir: &Path) -> PathBuf {
    data_dir.join("schedules.json")
}

/// Reads what was kept; a file that cannot be read is begun anew: then nothing was missed.
fn read_book(data_dir: &Path) -> Book {
    std::fs::read_to_string(book_file(data_dir)).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn write_book(data_dir: &Path, book: &Book) -> std::io::Result<()> {
    std::fs::create_dir_all(data_dir)?;
    let text = serde_json::to_string_pretty(book).unwrap_or_default();
    let file = tempfile::NamedTempFile::new_in(data_dir)?;
    std::fs::write(file.path(), text)?;
    file.persist(book_file(data_dir)).map_err(|error| error.error)?;
    Ok(())
}

/// What a look at the clock leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Due {
    Nothing,
    /// To be begun; when it should have been.
    Begin(i64),
    /// Left out, because the one before is not over.
    LeftOut(i64),
}

/// Whether a schedule is due; what is kept of it is brought up to date.
fn look_at(schedule: &Schedule, kept: &mut Kept, now_us: i64, is_busy: bool) -> Due {
    let Ok(rhythm) = Rhythm::parse(&schedule.when) else { return Due::Nothing };
    // One that is new, or whose clock was set back, begins from now on.
    if kept.done_us == 0 || kept.done_us > now_us {
        kept.done_us = now_us;
        return Due::Nothing;
    }
    if schedule.paused {
        // What falls due while it rests is not missed.
        kept.done_us = now_us;
        return Due::Nothing;
    }
    let Some(due_us) = rhythm.last_due_us(kept.done_us, now_us) else { return Due::Nothing };
    kept.done_us = due_us;
    let began_us = (!is_busy).then_some(now_us);
    kept.last = Some(ScheduledRun { due_us, began_us });
    if is_busy { Due::LeftOut(due_us) } else { Due::Begin(due_us) }
}

fn order_of(schedule: &Schedule) -> PreheatOrder {
    PreheatOrder { title: schedule.name.clone(), check: schedule.task == ScheduledTask::Check, ..PreheatOrder::default() }
}

/// The schedules while the window is open.
struct Keeper {
    service: Arc<Service>,
    queue: Arc<Queue>,
    book: Book,
    jobs: BTreeMap<String, JobId>,
    next_job: JobId,
    told: Option<Vec<ScheduleState>>,
}

/// Begins what is due until the worker ends.
pub(super) async fn keep_schedules(service: Arc<Service>, queue: Arc<Queue>) {
    let data_dir = service.context.places.data_dir.clone();
    let book = service.blocking(move || read_book(&data_dir)).await.unwrap_or_default();
    let mut keeper = Keeper { service, queue, book, jobs: BTreeMap::new(), next_job: FIRST_JOB, told: None };
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        keeper.look().await;
    }
}

impl Keeper {
    async fn look(&mut self) {
        let schedules = self.service.configuration().settings.schedules;
        if schedules.is_empty() && self.told.as_ref().is_none_or(Vec::is_empty) {
            return;
        }
        let now_us = self.service.context.clock.now_us();
        let before = self.book.clone();
        let asked: Vec<String> = std::mem::take(&mut *self.service.run_now.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        self.jobs.retain(|_, id| self.queue.has(*id));
        self.book.retain(|name, _| schedules.iter().any(|schedule| schedule.name == *name));
        let mut states = Vec::new();
        for schedule in schedules {
            let is_busy = self.jobs.contains_key(&schedule.name);
            let kept = self.book.entry(schedule.name.clone()).or_default();
            let mut due = look_at(&schedule, kept, now_us, is_busy);
            if asked.contains(&schedule.name) && due == Due::Nothing && !is_busy {
                kept.last = Some(ScheduledRun { due_us: now_us, began_us: Some(now_us) });
                due = Due::Begin(now_us);
            }
            match due {
                Due::Nothing => {}
                Due::Begin(due_us) => {
                    self.jobs.insert(schedule.name.clone(), self.next_job);
                    self.queue.add(self.next_job, order_of(&schedule));
                    self.next_job += 1;
                    if now_us - due_us >= LATE_US {
                        let due = crate::format::moment(due_us, now_us, &chrono::Local);
                        let text =
                            format!("{} runs late: it was due at {due}, while the window was closed or the computer slept", schedule.name);
                        self.tell(text).await;
                    }
                }
                Due::LeftOut(due_us) => {
                    let due = crate::format::moment(due_us, now_us, &chrono::Local);
                    self.tell(format!("{} was left out at {due}: the run before it was not over", schedule.name)).await;
                }
            }
            let kept = self.book.get(&schedule.name).copied().unwrap_or_default();
            let next_us = Rhythm::parse(&schedule.when)
                .and_then(|rhythm| rhythm.next_us(now_us).ok_or_else(|| "the exchange has no session in sight".to_owned()));
            states.push(ScheduleState { next_us, last: kept.last, job: self.jobs.get(&schedule.name).copied(), schedule });
        }
        if self.book != before {
            let (book, data_dir) = (self.book.clone(), self.service.context.places.data_dir.clone());
            let written = self.service.blocking(move || write_book(&data_dir, &book)).await;
            if let Some(Err(error)) = written {
                tracing::warn!(%error, "what schedules did could not be kept");
            }
        }
        if self.told.as_ref() != Some(&states) {
            self.told = Some(states.clone());
            self.service.reporter.send(JobEvent::Schedules(Arc::new(states))).await;
        }
    }

    async fn tell(&self, text: String) {
        let notice = super::event::Notice { level: NoticeLevel::Info, text, undo_batch: None };
        self.service.reporter.send(JobEvent::Notice(notice)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_US: i64 = 60 * SECOND_US;

    #[test]
    fn a_schedule_is_due_once_and_never_for_the_time_before_it_was_made() {
        let schedule = Schedule { name: "a".to_owned(), when: "every 10 min".to_owned(), ..Schedule::default() };
        let mut kept = Kept::default();
        let start = 1_000_000 * 10 * MINUTE_US;
        assert_eq!(look_at(&schedule, &mut kept, start + MINUTE_US, false), Due::Nothing, "new");
        assert_eq!(look_at(&schedule, &mut kept, start + 9 * MINUTE_US, false), Due::Nothing);
        let due = start + 10 * MINUTE_US;
        assert_eq!(look_at(&schedule, &mut kept, due + 1, false), Due::Begin(due));
        assert_eq!(look_at(&schedule, &mut kept, due + 2, false), Due::Nothing, "once");
        // Three were missed: the last counts.
        assert_eq!(look_at(&schedule, &mut kept, due + 35 * MINUTE_US, false), Due::Begin(due + 30 * MINUTE_US));
        assert!(kept.last.expect("a run").is_late());
        // The one before is still at it.
        assert_eq!(look_at(&schedule, &mut kept, due + 41 * MINUTE_US, true), Due::LeftOut(due + 40 * MINUTE_US));
        assert_eq!(kept.last.expect("a run").began_us, None);
    }

    #[test]
    fn what_falls_due_while_it_rests_is_not_missed() {
        let mut schedule = Schedule { name: "a".to_owned(), when: "every 10 min".to_owned(), paused: true, ..Schedule::default() };
        let start = 1_000_000 * 10 * MINUTE_US;
        let mut kept = Kept { done_us: start, last: None };
        assert_eq!(look_at(&schedule, &mut kept, start + 55 * MINUTE_US, false), Due::Nothing);
        schedule.paused = false;
        assert_eq!(look_at(&schedule, &mut kept, start + 56 * MINUTE_US, false), Due::Nothing);
        assert_eq!(look_at(&schedule, &mut kept, start + 61 * MINUTE_US, false), Due::Begin(start + 60 * MINUTE_US));
        schedule.when = "now and then".to_owned();
        assert_eq!(look_at(&schedule, &mut kept, start + 99 * MINUTE_US, false), Due::Nothing);
    }

    #[test]
    fn what_was_done_is_kept_and_a_broken_book_begins_anew() {
        let folder = tempfile::tempdir().expect("folder");
        let last = Some(ScheduledRun { due_us: 5, began_us: None });
        let book = Book::from([("a".to_owned(), Kept { done_us: 5, last })]);
        write_book(folder.path(), &book).expect("written");
        assert_eq!(read_book(folder.path()), book);
        std::fs::write(book_file(folder.path()), "{").expect("written");
        assert_eq!(read_book(folder.path()), Book::new());
    }
}
