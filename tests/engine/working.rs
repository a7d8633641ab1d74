//! The background worker, driven as a front end drives it.

use super::fixture::Fixture;
use super::market;
use samovar::cache::{DatasetFilter, EntryState, Selection};
use samovar::market::{HOUR_US, Symbol};
use samovar::preheat::{PreheatReport, RunState};
use samovar::worker::series::SeriesSource;
use samovar::worker::{Job, JobEvent, JobOutcome, LoadError, LoadRequest, PreheatOrder, Snapshot, Worker, WorkerContext};
use std::sync::Arc;

pub fn spawn(context: WorkerContext) -> Worker {
    Worker::spawn(context, || {}).expect("worker")
}

/// Waits for the event that `pick` wants.
pub fn wait<T>(worker: &Worker, mut pick: impl FnMut(JobEvent) -> Option<T>) -> T {
    loop {
        let event = worker.next().expect("the worker lives");
        if let Some(found) = pick(event) {
            return found;
        }
    }
}

pub fn finished(worker: &Worker, wanted: u64) -> PreheatReport {
    wait(worker, |event| match event {
        JobEvent::Finished { id, outcome: JobOutcome::Preheated(report) } if id == wanted => Some(*report),
        JobEvent::Finished { outcome: JobOutcome::Failed(reason), .. } => panic!("{reason}"),
        _ => None,
    })
}

fn snapshot(worker: &Worker, mut good: impl FnMut(&Snapshot) -> bool) -> Arc<Snapshot> {
    wait(worker, |event| match event {
        JobEvent::Snapshot(snapshot) if good(&snapshot) => Some(snapshot),
        _ => None,
    })
}

fn preheat(id: u64) -> Job {
    Job::Preheat { id, order: Box::default() }
}

#[test]
fn a_waiting_preheat_can_be_cancelled_and_a_paused_one_resumed() {
    let fixture = Fixture::new(200, 30);
    let worker = spawn(fixture.context());
    worker.send(preheat(1));
    worker.send(Job::Control { id: 1, state: RunState::Paused });
    worker.send(preheat(2));
    worker.send(Job::Control { id: 2, state: RunState::Cancelled });
    // They are told in no particular order; the cancelled one is over while the first still waits.
    let (mut told, mut over) = (Vec::new(), None);
    wait(&worker, |event| {
        match event {
            JobEvent::StateChanged { id, state } => told.push((id, state)),
            JobEvent::Finished { id: 1, .. } => panic!("it did not wait"),
            JobEvent::Finished { id: 2, outcome: JobOutcome::Preheated(report) } => over = Some(report),
            _ => {}
        }
        let both = told.contains(&(1, RunState::Paused)) && told.contains(&(2, RunState::Cancelled));
        (both && over.is_some()).then_some(())
    });
    worker.send(Job::Control { id: 1, state: RunState::Running });
    let first = finished(&worker, 1);
    assert_eq!((first.ok, first.requested, first.cancelled), (200, 200, false));
    let second = over.expect("it ended");
    assert!(second.cancelled && second.ok == 0, "{second:?}");
    worker.send(preheat(3));
    assert_eq!(finished(&worker, 3).skipped_fresh, 200);
    worker.shut_down();
}

#[test]
fn the_snapshot_follows_jobs_actions_and_the_clock() {
    let fixture = Fixture::new(3, 30);
    let worker = spawn(WorkerContext { snapshots: true, ..fixture.context() });
    snapshot(&worker, |snapshot| snapshot.rows.is_empty());
    worker.send(preheat(1));
    let warm = snapshot(&worker, |snapshot| snapshot.entry_states.get(&EntryState::Fresh) == Some(&6));
    assert_eq!((warm.rows.len(), warm.rows[0].rows), (3, 30));
    let symbols = Some(vec![Symbol::new("S0001")]);
    let selection = Selection { source: Some(fixture.id()), symbols, datasets: DatasetFilter::All, expired_only: false };
    worker.send(Job::Invalidate(selection.clone()));
    snapshot(&worker, |snapshot| snapshot.entry_states.get(&EntryState::Stale) == Some(&2));
    worker.send(Job::Clear(selection));
    let cleared = snapshot(&worker, |snapshot| snapshot.trash.len() == 1);
    assert_eq!(cleared.rows.iter().filter(|row| row.state == EntryState::Missing).count(), 1);
    worker.send(Job::UndoClear(None));
    snapshot(&worker, |snapshot| snapshot.trash.is_empty() && snapshot.entry_states.values().sum::<usize>() == 6);
    fixture.clock.advance(24 * HOUR_US);
    snapshot(&worker, |snapshot| snapshot.entry_states.get(&EntryState::Stale) == Some(&6));
    worker.shut_down();
}

#[test]
fn a_symbol_is_shown_from_the_cache_or_it_is_said_that_there_is_none() {
    let fixture = Fixture::new(2, 30);
    let worker = spawn(fixture.context());
    let ask = |generation: u64, symbol: &str| {
        let series = vec![SeriesSource::column("classic", "ma5"), SeriesSource::column("classic", "nothing")];
        worker.send(Job::Load(LoadRequest { generation, symbol: Symbol::new(symbol), series, base: None }));
        wait(&worker, |event| match event {
            JobEvent::Loaded { request, result } if request.generation == generation => Some(result),
            _ => None,
        })
    };
    assert_eq!(ask(1, "S0000").expect_err("nothing cached"), LoadError::NotCached);
    let order = PreheatOrder { limit: Some(1), ..PreheatOrder::default() };
    worker.send(Job::Preheat { id: 1, order: Box::new(order) });
    assert_eq!(finished(&worker, 1).ok, 1);
    let data = ask(2, "S0000").expect("cached").data;
    assert!(!data.features_computed());
    assert_eq!(data.figures(&SeriesSource::column("classic", "ma5")).map(|figures| (figures.rows, figures.nulls)), Some((30, 4)));
    assert_eq!(data.problem(&SeriesSource::column("classic", "nothing")), Some("The set classic has no feature nothing"));
    assert_eq!(ask(3, "S0001").expect_err("not cached"), LoadError::NotCached);
    worker.shut_down();
}

#[test]
fn failed_symbols_can_be_tried_again() {
    let fixture = Fixture::new(3, 30);
    market::execute(&fixture.market(), &format!("UPDATE {} SET low = NULL WHERE symbol = 'S0002'", market::TABLE));
    let worker = spawn(fixture.context());
    worker.send(preheat(1));
    let report = finished(&worker, 1);
    assert_eq!((report.ok, report.failed.len()), (2, 1));
    market::execute(&fixture.market(), &format!("UPDATE {} SET low = 1.5 WHERE symbol = 'S0002'", market::TABLE));
    let order = PreheatOrder { symbols: Some(report.failed.into_iter().map(|(symbol, _)| symbol).collect()), ..PreheatOrder::default() };
    worker.send(Job::Preheat { id: 2, order: Box::new(order) });
    assert_eq!(finished(&worker, 2).ok, 1);
    worker.shut_down();
    let jobs = fixture.cache.catalog().jobs().expect("jobs");
    assert_eq!(jobs.len(), 2);
    assert!(jobs.iter().all(|job| job.finished_at_us.is_some() && job.report.as_ref().is_some_and(|report| report.contains("symbols"))));
}
