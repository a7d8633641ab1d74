//! The right to write a symbol, taken before it is begun and kept until it is committed.
//!
//! A symbol that another process is preheating is waited for, beside the work on the others; when that process has brought it
//! to fresh, nothing is left to do.

use super::ask::Cut;
use super::plan::{BarsTask, PlanItem};
use super::queue::{Request, Task};
use super::run::{Shared, Work};
use crate::cache::{CacheError, Entry, EntryKey, EntryState, Lease};
use crate::market::{DateRange, Symbol};
use async_channel::Sender;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// How long to wait before looking again at a symbol that somebody else is preheating.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// How often leases are looked at.
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// Symbols with cached bars that are leased together.
const SYMBOLS_PER_LEASE: usize = 64;

/// What is said when looking at the catalog panicked.
const STOPPED: &str = "looking at cached entries stopped unexpectedly; please report this";

/// Runs catalog work where it may block.
async fn blocking<T: Send + 'static>(shared: &Arc<Shared>, work: impl FnOnce(&Shared) -> T + Send + 'static) -> Option<T> {
    let shared = Arc::clone(shared);
    tokio::task::spawn_blocking(move || work(&shared)).await.inspect_err(|error| tracing::error!(%error, "leasing stopped")).ok()
}

async fn take(shared: &Arc<Shared>, symbols: Vec<Symbol>) -> Result<Arc<Lease>, CacheError> {
    let taken = blocking(shared, move |shared| shared.with_room(|| shared.cache.lease(&shared.source_id, &symbols))).await;
    let stopped = || CacheError::Catalog {
        path: shared.cache.folders().catalog(),
        reason: "taking a lease stopped unexpectedly; please report this".to_owned(),
    };
    let lease = Arc::new(taken.unwrap_or_else(|| Err(stopped()))?);
    let mut leases = shared.leases.lock().unwrap_or_else(PoisonError::into_inner);
    leases.retain(|lease| lease.strong_count() > 0);
    leases.push(Arc::downgrade(&lease));
    Ok(lease)
}

/// Takes the right to write these symbols. Returns those that were granted; the others come back into the queue later, or are
/// done by whoever works on them.
pub(super) async fn lease(shared: &Arc<Shared>, tasks: Vec<Task>, work: &Sender<Work>) -> Vec<Task> {
    let (mut held, mut free): (Vec<Task>, Vec<Task>) = tasks.into_iter().partition(|task| task.lease.is_some());
    if free.is_empty() {
        return held;
    }
    let symbols = free.iter().map(|task| task.item.symbol.clone()).collect();
    let lease = match take(shared, symbols).await {
        Ok(lease) => lease,
        Err(error) => {
            shared.stop(&error.to_string());
            return Vec::new();
        }
    };
    let refused: Vec<Task> = free.extract_if(.., |task| !lease.granted().contains_key(&task.item.symbol)).collect();
    for task in &mut free {
        task.lease = Some(Arc::clone(&lease));
    }
    // Between the plan and now others may have written, cleared or evicted some; from now on nobody does unnoticed.
    let looked = blocking(shared, move |shared| {
        let (planned, moved) = as_planned(shared, free);
        let moved: Vec<Task> = moved.into_iter().map(|task| look_again(shared, task).0).collect();
        (planned, moved)
    });
    let Some((mut planned, moved)) = looked.await else {
        shared.stop(STOPPED);
        return Vec::new();
    };
    shared.tell_begun(&planned).await;
    held.append(&mut planned);
    put_back(shared, moved);
    if !refused.is_empty() {
        tracing::info!(symbols = refused.len(), "another process is preheating some of the symbols; they are waited for");
        tokio::spawn(wait_for_others(Arc::clone(shared), refused, work.clone()));
    }
    held
}

/// Puts symbols that others have written meanwhile back into the queue, those of the same days together.
fn put_back(shared: &Shared, tasks: Vec<Task>) {
    let mut groups: BTreeMap<(DateRange, Cut), Vec<Task>> = BTreeMap::new();
    for task in tasks {
        let BarsTask::Fetch { range, .. } = &task.item.bars else { continue };
        groups.entry((*range, task.cut)).or_default().push(task);
    }
    for ((range, cut), tasks) in groups {
        shared.queue.put_last(Request::Check(range, cut, tasks));
    }
}

/// Whether somebody else has had a symbol for longer than this run is patient.
fn is_out_of_patience(shared: &Shared, task: &mut Task) -> bool {
    let since = *task.refused_since.get_or_insert_with(Instant::now);
    shared.request.patience.is_some_and(|patience| since.elapsed() > patience)
}

/// What is said of a symbol that somebody else did not finish.
const HELD: &str = "another process is preheating it and did not come to an end; see what it does, or try again later";

/// Looks at symbols of others after a while: puts them back into the queue unless they are done.
async fn wait_for_others(shared: Arc<Shared>, tasks: Vec<Task>, work: Sender<Work>) {
    if let Some(again) = not_yet_done(&shared, tasks, &work).await {
        put_back(&shared, again);
    }
}

/// Waits a little and looks at symbols of others again: hands on those that are fresh now, and those that were waited for too
/// long. Returns the rest; `None` when the run is over.
async fn not_yet_done(shared: &Arc<Shared>, tasks: Vec<Task>, work: &Sender<Work>) -> Option<Vec<Task>> {
    tokio::select! {
        () = tokio::time::sleep(LOOK_AGAIN) => {}
        () = shared.control.cancelled() => return None,
    }
    let looked = blocking(shared, move |shared| tasks.into_iter().map(|task| look_again(shared, task)).collect::<Vec<_>>()).await;
    let Some(looked) = looked else {
        shared.stop(STOPPED);
        return None;
    };
    let mut again = Vec::new();
    for (mut task, is_fresh) in looked {
        let next = if is_fresh {
            Work::Taken(Box::new(task))
        } else if is_out_of_patience(shared, &mut task) {
            Work::Failed(Box::new(task), HELD.to_owned())
        } else {
            again.push(task);
            continue;
        };
        if work.send(next).await.is_err() {
            return None;
        }
    }
    Some(again)
}

/// The symbols of whose files the catalog has those that the plan was made for, and no others; and the rest.
fn as_planned(shared: &Shared, tasks: Vec<Task>) -> (Vec<Task>, Vec<Task>) {
    let keys: Vec<EntryKey> = tasks.iter().flat_map(|task| planned_entries(shared, task)).map(|(key, _planned)| key).collect();
    // What cannot be read now shows when the symbol itself is worked on.
    let mut now = shared.cache.catalog().entries_of(&keys).unwrap_or_default().into_iter();
    tasks.into_iter().partition(|task| {
        let same: Vec<bool> = planned_entries(shared, task)
            .into_iter()
            .map(|(_key, planned)| {
                let now = now.next().flatten();
                now.and_then(|entry| entry.file) == planned.and_then(|entry| entry.file.clone())
            })
            .collect();
        // Only after all of them were compared, so that the next symbol is compared with its own.
        same.into_iter().all(|same| same)
    })
}

/// The entries of a symbol that are worked on, each with what it was when that was planned.
fn planned_entries<'task>(shared: &Shared, task: &'task Task) -> Vec<(EntryKey, Option<&'task Entry>)> {
    let bars = match &task.item.bars {
        BarsTask::Fetch { previous, .. } => previous.as_deref(),
        BarsTask::Cached(entry) => Some(&**entry),
    };
    let mut planned = vec![(EntryKey::bars(&shared.source_id, &task.item.symbol), bars)];
    planned.extend(task.item.features.iter().filter_map(|feature| {
        let set = shared.request.sets.get(feature.set)?;
        Some((EntryKey::features(&shared.source_id, &task.item.symbol, set.name()), feature.previous.as_deref()))
    }));
    planned
}

/// A symbol as the catalog knows it now, and whether everything asked for is fresh.
fn look_again(shared: &Shared, mut task: Task) -> (Task, bool) {
    let judge = &shared.request.judge;
    let now_us = shared.cache.now_us();
    let key = EntryKey::bars(&shared.source_id, &task.item.symbol);
    // What cannot be read now shows when the symbol itself is worked on.
    let bars = shared.cache.catalog().entry(&key).ok().flatten();
    let fingerprint = bars.as_ref().and_then(|entry| entry.file.as_ref()).map(|file| file.fingerprint);
    let mut is_fresh = !shared.request.force && judge.state(bars.as_ref(), &key, None, now_us) == EntryState::Fresh;
    for feature in &mut task.item.features {
        let Some(set) = shared.request.sets.get(feature.set) else { continue };
        let key = EntryKey::features(&shared.source_id, &task.item.symbol, set.name());
        let entry = shared.cache.catalog().entry(&key).ok().flatten();
        is_fresh &= judge.state(entry.as_ref(), &key, fingerprint, now_us) == EntryState::Fresh;
        feature.previous = entry.map(Box::new);
        let older = key.older(set.definition_hash()).and_then(|key| shared.cache.catalog().entry(&key).ok().flatten());
        feature.older = older.map(Box::new);
    }
    match (&mut task.item.bars, bars) {
        (BarsTask::Fetch { previous, range }, bars) => {
            is_fresh &= bars.as_ref().is_some_and(|entry| entry.range.covers(range));
            // What somebody has cached meanwhile is never narrowed by a narrower request.
            if let Some(cached) = bars.as_ref().filter(|entry| entry.has_files()) {
                *range = range.union(&cached.range);
            }
            let until = task.cut.until;
            task.cut = until.map_or(task.cut, |until| Cut::of(bars.as_ref(), until));
            *previous = bars.map(Box::new);
        }
        (BarsTask::Cached(entry), Some(bars)) => **entry = bars,
        (BarsTask::Cached(_), None) => {}
    }
    (task, is_fresh)
}

/// Sends symbols whose bars are cached already to the working threads.
pub(super) async fn feed_cached(shared: Arc<Shared>, items: Vec<PlanItem>, work: Sender<Work>) {
    let mut waiting: Vec<Task> = items.into_iter().map(|item| Task::new(item, Cut::default(), false)).collect();
    while !waiting.is_empty() {
        let mut refused = Vec::new();
        while !waiting.is_empty() {
            let portion: Vec<Task> = waiting.drain(..waiting.len().min(SYMBOLS_PER_LEASE)).collect();
            let symbols = portion.iter().map(|task| task.item.symbol.clone()).collect();
            let lease = match take(&shared, symbols).await {
                Ok(lease) => lease,
                Err(error) => return shared.stop(&error.to_string()),
            };
            let (mut granted, mut others): (Vec<Task>, Vec<Task>) =
                portion.into_iter().partition(|task| lease.granted().contains_key(&task.item.symbol));
            refused.append(&mut others);
            for task in &mut granted {
                task.lease = Some(Arc::clone(&lease));
            }
            // Between the plan and now others may have written, cleared or evicted some; from now on nobody does unnoticed.
            let looked = blocking(&shared, |shared| {
                let (mut planned, moved) = as_planned(shared, granted);
                planned.extend(moved.into_iter().map(|task| look_again(shared, task).0));
                planned
            });
            let Some(granted) = looked.await else { return shared.stop(STOPPED) };
            shared.tell_begun(&granted).await;
            for task in granted {
                if shared.control.is_cancelled() || work.send(Work::Cached(Box::new(task))).await.is_err() {
                    return;
                }
            }
        }
        if refused.is_empty() {
            return;
        }
        match not_yet_done(&shared, refused, &work).await {
            Some(again) => waiting = again,
            None => return,
        }
    }
}

/// Renews the leases of a run until it is over.
pub(super) async fn renew_leases(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        let renewed = blocking(&shared, |shared| {
            let leases: Vec<Arc<Lease>> =
                shared.leases.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(std::sync::Weak::upgrade).collect();
            for lease in leases {
                // A lease that is lost is noticed in the commit, where it counts.
                if let Err(error) = lease.renew_if_due() {
                    tracing::warn!(%error, "a lease could not be renewed");
                }
            }
        });
        if renewed.await.is_none() {
            return;
        }
    }
}
