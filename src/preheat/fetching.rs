//! The connections: each takes request after request. Of symbols whose history stands, the newest days; of others first what the
//! source says it has, then what has to be fetched.
//!
//! Contract: a symbol's rows are handed on only when all of its parts came whole and not fewer than the source had announced.
//! When the source cannot be reached, one connection tries again and again while the others wait.

use super::ask::{Ask, Cut, decide};
use super::leasing::lease;
use super::patience::{Waiting, wait_before};
use super::plan::{BarsTask, Plenty};
use super::queue::{Request, Task};
use super::run::{Shared, Work, add_busy, add_since};
use crate::market::{DateRange, RawBars, Symbol};
use crate::source::{DigestOnTheWay, DigestRequest, FetchRequest, Fetched, Source, SourceError, SourceErrorKind};
use async_channel::{Sender, bounded};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Most symbols in one check of what is cached already.
pub(super) const SYMBOLS_PER_CHECK: usize = 256;
/// How often a symbol is fetched again when fewer rows came than were announced.
const SHORT_DELIVERIES: u32 = 2;
/// How often a request for several symbols may break off, while the source answers otherwise, before each is asked about alone.
const INTERRUPTIONS_TOGETHER: u32 = 2;
/// How often the first wait is doubled at most for a request that broke off again and again, though the source answers.
const MOST_DOUBLINGS: u32 = 2;
/// How often one symbol's request may break off before the symbol has failed.
const INTERRUPTIONS_ALONE: u32 = 8;
/// How often one symbol's request may stay without an answer in time, which takes long, before the symbol has failed.
const TIMEOUTS_ALONE: u32 = 4;

/// Waits while the job is paused without holding up the runtime. Returns whether to go on.
async fn proceed(shared: &Arc<Shared>) -> bool {
    let control = Arc::clone(&shared.control);
    tokio::task::spawn_blocking(move || control.proceed()).await.unwrap_or(false)
}

/// Where fetched symbols go.
pub(super) struct Ways {
    /// To the threads that do whatever there is to do.
    pub work: Sender<Work>,
    /// To those for symbols of which little is new.
    pub light: Sender<Work>,
}

/// Takes request after request and sends what comes to the working threads.
pub(super) async fn fetch_all(shared: Arc<Shared>, source: Source, Ways { work, light }: Ways) {
    loop {
        let next = tokio::select! {
            next = shared.queue.next() => next,
            () = shared.control.cancelled() => None,
        };
        let Some(request) = next else { return };
        if !proceed(&shared).await {
            return;
        }
        let turn = shared.reachable.read().await;
        let result = match request {
            Request::Check(range, cut, tasks) => {
                let tasks = lease(&shared, tasks, &work).await;
                if tasks.is_empty() {
                    Ok(())
                } else if source.digests_on_the_way() && tasks.iter().all(|task| is_fetched_whole(task, &range)) {
                    // Asking first what there is would make the source read all of it twice.
                    fetch_parts(&shared, &source, vec![range], tasks, &work).await
                } else {
                    check(&shared, &source, range, cut, tasks, &work).await
                }
            }
            Request::Recent(days, tasks) => {
                let tasks = lease(&shared, tasks, &work).await;
                if tasks.is_empty() { Ok(()) } else { fetch_recent(&shared, &source, days, tasks, &light).await }
            }
            Request::Fetch(parts, tasks) => fetch_parts(&shared, &source, parts, tasks, &work).await,
        };
        drop(turn);
        let Err((request, error)) = result else { continue };
        if error.is_transient() {
            let (request, interruptions) = interrupted(request);
            let probe = request_symbol(&request);
            if !wait_for_source(&shared, &source, probe, error.clone(), interruptions).await {
                return;
            }
            // It answers, so that waiting longer does not help a request that it cannot serve.
            let is_alone = request.tasks().len() == 1;
            let most = match (is_alone, error.kind()) {
                (false, _) => INTERRUPTIONS_TOGETHER,
                (true, SourceErrorKind::Timeout) => TIMEOUTS_ALONE,
                (true, _) => INTERRUPTIONS_ALONE,
            };
            if interruptions < most {
                shared.queue.put_first(vec![request]);
                continue;
            }
            split_or_fail(&shared, request, &error, &work).await;
            continue;
        }
        split_or_fail(&shared, request, &error, &work).await;
    }
}

/// A request that broke off once more, and how often it did.
fn interrupted(mut request: Request) -> (Request, u32) {
    for task in request.tasks_mut() {
        task.interruptions += 1;
    }
    let most = request.tasks().iter().map(|task| task.interruptions).max().unwrap_or(0);
    (request, most)
}

/// Whether all of a symbol is fetched, whatever the source says it has.
fn is_fetched_whole(task: &Task, range: &DateRange) -> bool {
    let BarsTask::Fetch { previous, .. } = &task.item.bars else { return false };
    if task.ask_first {
        return false;
    }
    let known = previous.as_deref().filter(|entry| !task.whole && entry.has_files() && entry.synced.is_some());
    known.is_none_or(|entry| entry.range != *range)
}

fn request_symbol(request: &Request) -> Option<Symbol> {
    request.tasks().first().map(|task| task.item.symbol.clone())
}

/// One bad symbol must not take its batch with it: each of the rest is tried alone, and one that was alone has failed.
async fn split_or_fail(shared: &Shared, request: Request, error: &SourceError, work: &Sender<Work>) {
    if let Request::Recent(_, tasks) = request {
        // What stands in the way of the newest days may not stand in the way of a whole check, which tells more.
        for task in tasks {
            check_whole(shared, task);
        }
        return;
    }
    if request.tasks().len() == 1 {
        for task in request.into_tasks() {
            if work.send(Work::Failed(Box::new(task), error.to_string())).await.is_err() {
                return;
            }
        }
        return;
    }
    let singles = match request {
        Request::Check(range, cut, tasks) => tasks.into_iter().map(|task| Request::Check(range, cut, vec![task])).collect(),
        Request::Fetch(parts, tasks) => tasks.into_iter().map(|task| Request::Fetch(parts.to_vec(), vec![task])).collect(),
        Request::Recent(..) => Vec::new(),
    };
    shared.queue.put_first(singles);
}

/// Waits until the source can be reached again, longer for a request that has broken off often. One connection tries, the others wait for it at their next request. Returns
/// whether to go on.
async fn wait_for_source(shared: &Arc<Shared>, source: &Source, probe: Option<Symbol>, error: SourceError, interruptions: u32) -> bool {
    let before = shared.outages.load(Ordering::SeqCst);
    let _alone = shared.reachable.write().await;
    if shared.outages.load(Ordering::SeqCst) != before {
        // Another connection waited it out meanwhile.
        return !shared.control.is_cancelled();
    }
    let began = Instant::now();
    let mut error = error;
    // One that answers and breaks off again and again is not asked all the time.
    let mut attempts = interruptions.saturating_sub(1).min(MOST_DOUBLINGS);
    loop {
        attempts += 1;
        let wait = wait_before(attempts, shared.jitter());
        if let Some(patience) = shared.request.patience
            && began.elapsed() + wait > patience
        {
            shared.stop(&error.to_string());
            return false;
        }
        let next_attempt_us = shared.cache.now_us().saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX));
        shared.tell_waiting(Some(Waiting { reason: error.to_string(), for_source: true, attempts, next_attempt_us })).await;
        tracing::warn!(%error, attempts, wait_ms = wait.as_millis(), "the source cannot be reached");
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = shared.control.cancelled() => return false,
        }
        let request = DigestRequest { symbols: probe.iter().cloned().collect(), ..DigestRequest::default() };
        let answer = tokio::select! {
            answer = source.digests(&request) => answer,
            () = shared.control.cancelled() => return false,
        };
        match answer {
            Err(still) if still.is_transient() => error = still,
            // It answers: whatever else is wrong shows at the request itself.
            _ => {
                shared.outages.fetch_add(1, Ordering::SeqCst);
                shared.tell_waiting(None).await;
                return true;
            }
        }
    }
}

/// Asks what the source has of some symbols and decides what to fetch of each.
async fn check(
    shared: &Shared,
    source: &Source,
    range: DateRange,
    cut: Cut,
    tasks: Vec<Task>,
    work: &Sender<Work>,
) -> Result<(), (Request, SourceError)> {
    let started = Instant::now();
    let symbols = tasks.iter().map(|task| task.item.symbol.clone()).collect();
    let request = DigestRequest { symbols, range, split: cut.split, until: cut.until };
    let answer = tokio::select! {
        answer = source.digests(&request) => answer,
        // A query that takes minutes must not hold a cancel up.
        () = shared.control.cancelled() => return Ok(()),
    };
    add_since(&shared.busy.fetch_ns, started);
    let mut digests = match answer {
        Ok(digests) => Some(digests),
        Err(error) if error.is_transient() => return Err((Request::Check(range, cut, tasks), error)),
        Err(error) => {
            // The rows themselves may still be readable; without a digest they are compared whole.
            tracing::warn!(%error, "the source cannot say what it has; everything is fetched");
            None
        }
    };
    let mut fetches: BTreeMap<Vec<DateRange>, Vec<Task>> = BTreeMap::new();
    for mut task in tasks {
        let BarsTask::Fetch { previous, .. } = &task.item.bars else { continue };
        let previous = if task.whole { None } else { previous.as_deref() };
        let asked = digests.as_mut().map(|digests| {
            let digest = digests.remove(&task.item.symbol).unwrap_or_default();
            let lines = (digest.before.len() + digest.after.len()) as u64;
            shared.counted.digest_rows.fetch_add(lines, Ordering::Relaxed);
            decide(previous, &range, cut, &digest)
        });
        let ask = asked.as_ref().map_or(Ask::Whole, |asked| asked.ask.clone());
        task.asked = asked;
        let next = match ask {
            Ask::Nothing => Work::Unchanged(Box::new(task)),
            Ask::NoRows => Work::NoRows(Box::new(task)),
            Ask::Whole => {
                fetches.entry(vec![range]).or_default().push(task);
                continue;
            }
            Ask::Parts(parts) => {
                fetches.entry(parts).or_default().push(task);
                continue;
            }
        };
        if work.send(next).await.is_err() {
            return Ok(());
        }
    }
    let requests = fetches.into_iter().flat_map(|(parts, tasks)| in_portions(&parts, tasks)).collect();
    shared.queue.put_first(requests);
    Ok(())
}

/// Puts a symbol whose newest days alone do not tell enough back into the queue, to be checked whole.
pub(super) fn check_whole(shared: &Shared, mut task: Task) {
    let BarsTask::Fetch { range, .. } = &task.item.bars else { return };
    let range = *range;
    task.is_recent = false;
    task.asked = None;
    shared.queue.join_check(range, task, SYMBOLS_PER_CHECK);
}

/// Fetches the newest days of some symbols and hands each on with what was counted of them. What did not come is in the error.
async fn fetch_recent(
    shared: &Shared,
    source: &Source,
    days: DateRange,
    tasks: Vec<Task>,
    work: &Sender<Work>,
) -> Result<(), (Request, SourceError)> {
    let started = Instant::now();
    let until = tasks.first().and_then(|task| task.cut.until);
    let splits = tasks.iter().filter_map(|task| Some((task.item.symbol.clone(), task.cut.split?))).collect();
    let mut waiting: BTreeMap<Symbol, Task> = tasks.into_iter().map(|task| (task.item.symbol.clone(), task)).collect();
    let digest = Some(DigestOnTheWay { until, splits: Arc::new(splits) });
    let request = FetchRequest { symbols: waiting.keys().cloned().collect(), range: days, digest };
    let (rows_out, rows_in) = bounded::<Fetched>(2);
    let mut blocked = Duration::ZERO;
    let receive = async {
        while let Ok(fetched) = rows_in.recv().await {
            let Some(mut task) = waiting.remove(&fetched.symbol) else { continue };
            match (fetched.result, fetched.digest) {
                (Ok(rows), Some(digest)) => {
                    shared.counted.rows_fetched.fetch_add(rows.len() as u64, Ordering::Relaxed);
                    task.is_recent = true;
                    let handing_over = Instant::now();
                    if work.send(Work::Recent(Box::new(task), days, rows, digest)).await.is_err() {
                        break;
                    }
                    blocked += handing_over.elapsed();
                }
                _ => check_whole(shared, task),
            }
        }
        rows_in.close();
    };
    let result = fetch_beside(shared, source, &request, rows_out, receive).await;
    add_busy(&shared.busy.fetch_ns, started.elapsed().saturating_sub(blocked));
    let left: Vec<Task> = waiting.into_values().collect();
    match result {
        Err(error) => Err((Request::Recent(days, left), error)),
        Ok(()) => {
            left.into_iter().for_each(|task| check_whole(shared, task));
            Ok(())
        }
    }
}

/// Fetches while `receive` takes what comes, until both are done or the run is cancelled.
async fn fetch_beside(
    shared: &Shared,
    source: &Source,
    request: &FetchRequest,
    rows_out: Sender<Fetched>,
    receive: impl Future<Output = ()>,
) -> Result<(), SourceError> {
    let fetch = async {
        let result = source.fetch(request, &rows_out).await;
        rows_out.close();
        result
    };
    let both = async { tokio::join!(fetch, receive).0 };
    tokio::select! {
        result = both => result,
        () = shared.control.cancelled() => Ok(()),
    }
}

/// Requests for the same days with not more rows than are plenty.
fn in_portions(parts: &[DateRange], tasks: Vec<Task>) -> Vec<Request> {
    let plenty = Plenty::default();
    let mut portions: Vec<Request> = Vec::new();
    let mut rows = 0;
    for task in tasks {
        let expected = task.asked.as_ref().map_or(task.item.expected_rows, |asked| asked.expected_rows);
        match portions.last_mut() {
            Some(Request::Fetch(_, open)) if open.len() < plenty.symbols && rows + expected <= plenty.rows => {
                rows += expected;
                open.push(task);
            }
            _ => {
                rows = expected;
                portions.push(Request::Fetch(parts.to_vec(), vec![task]));
            }
        }
    }
    portions
}

/// Fetches the parts of some symbols one after the other and hands each symbol on with the last. What did not come is in the
/// error.
async fn fetch_parts(
    shared: &Shared,
    source: &Source,
    parts: Vec<DateRange>,
    tasks: Vec<Task>,
    work: &Sender<Work>,
) -> Result<(), (Request, SourceError)> {
    let mut waiting: HashMap<Symbol, (Task, RawBars)> =
        tasks.into_iter().map(|task| (task.item.symbol.clone(), (task, RawBars::default()))).collect();
    let last = parts.len().saturating_sub(1);
    for (number, part) in parts.iter().enumerate() {
        if let Err(error) = fetch_part(shared, source, *part, number == last, &mut waiting, work).await {
            let mut left: Vec<Task> = waiting.into_values().map(|(task, _rows)| task).collect();
            left.sort_by(|one, other| one.item.symbol.cmp(&other.item.symbol));
            return Err((Request::Fetch(parts.clone(), left), error));
        }
        if shared.control.is_cancelled() {
            return Ok(());
        }
    }
    // Every source answers for every symbol; one that did not must not leave the run waiting.
    for (task, _rows) in waiting.into_values() {
        let message = "the source said nothing of it; preheat it again".to_owned();
        if work.send(Work::Failed(Box::new(task), message)).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

async fn fetch_part(
    shared: &Shared,
    source: &Source,
    part: DateRange,
    is_last: bool,
    waiting: &mut HashMap<Symbol, (Task, RawBars)>,
    work: &Sender<Work>,
) -> Result<(), SourceError> {
    let started = Instant::now();
    let mut symbols: Vec<Symbol> = waiting.keys().cloned().collect();
    symbols.sort();
    let (rows_out, rows_in) = bounded::<Fetched>(2);
    // What was not asked about before is counted on its way.
    let is_unasked = waiting.values().all(|(task, _rows)| task.asked.is_none());
    let until = waiting.values().next().and_then(|(task, _rows)| task.cut.until);
    let digest = (is_unasked && source.digests_on_the_way()).then(|| DigestOnTheWay { until, ..DigestOnTheWay::default() });
    let request = FetchRequest { symbols, range: part, digest: digest.clone() };
    let mut blocked = Duration::ZERO;
    let mut last_at = Instant::now();
    let receive = async {
        while let Ok(fetched) = rows_in.recv().await {
            if shared.control.is_cancelled() {
                break;
            }
            let Some((task, rows)) = waiting.get_mut(&fetched.symbol) else { continue };
            let elapsed = last_at.elapsed();
            task.fetch_us += u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
            if let (Some(_), BarsTask::Fetch { range, .. }, Ok(_)) = (&digest, &task.item.bars, &fetched.result) {
                let (range, cut) = (*range, Cut { split: None, until: task.cut.until });
                match fetched.digest {
                    Some(digest) => task.asked = Some(decide(None, &range, cut, &digest)),
                    None => {
                        // Some row may be seen otherwise by the source: it has to say itself what it has.
                        let Some((mut task, _rows)) = waiting.remove(&fetched.symbol) else { continue };
                        task.ask_first = true;
                        shared.queue.put_last(Request::Check(range, task.cut, vec![task]));
                        continue;
                    }
                }
            }
            let mut came = 0;
            let failed = match fetched.result {
                Ok(more) => {
                    came = more.len() as u64;
                    shared.counted.rows_fetched.fetch_add(came, Ordering::Relaxed);
                    rows.extend(more);
                    None
                }
                Err(error) => Some(error),
            };
            if is_last || failed.is_some() {
                let Some((task, rows)) = waiting.remove(&fetched.symbol) else { continue };
                let handing_over = Instant::now();
                let next = match failed {
                    Some(error) => Some(Work::Failed(Box::new(task), error.to_string())),
                    None => delivered(shared, task, rows),
                };
                if let Some(next) = next
                    && work.send(next).await.is_err()
                {
                    break;
                }
                blocked += handing_over.elapsed();
            }
            let resting = Instant::now();
            shared.control.rest(came).await;
            blocked += resting.elapsed();
            last_at = Instant::now();
        }
        rows_in.close();
    };
    let result = fetch_beside(shared, source, &request, rows_out, receive).await;
    add_busy(&shared.busy.fetch_ns, started.elapsed().saturating_sub(blocked));
    result
}

/// What becomes of rows that came: on to the working threads, or back into the queue when they are fewer than announced.
fn delivered(shared: &Shared, mut task: Task, rows: RawBars) -> Option<Work> {
    if matches!(task.asked.as_ref().map(|asked| &asked.ask), Some(Ask::NoRows)) && rows.is_empty() {
        return Some(Work::NoRows(Box::new(task)));
    }
    let expected = task.asked.as_ref().map_or(0, |asked| asked.expected_rows);
    let came = rows.len() as u64;
    let is_part = matches!(task.asked.as_ref().map(|asked| &asked.ask), Some(Ask::Parts(_)));
    // All rows of one statement are of one moment, be they more than there were; days put beside cached ones must be those that
    // were announced, or the rest may have changed with them.
    if came == expected || (came > expected && !is_part) {
        return Some(Work::Fetched(Box::new(task), rows));
    }
    task.short_deliveries += 1;
    if task.short_deliveries > SHORT_DELIVERIES {
        let message = format!(
            "the source announced {expected} rows and delivered {came}, {} times in a row; nothing of it was taken. Somebody may be \
             changing the table: preheat it again later",
            task.short_deliveries
        );
        return Some(Work::Failed(Box::new(task), message));
    }
    // Rows may have been deleted between the two questions: ask again.
    tracing::info!(symbol = %task.item.symbol, expected, came, "fewer rows came than were announced");
    let BarsTask::Fetch { range, .. } = &task.item.bars else { return None };
    let (range, cut) = (*range, task.cut);
    task.asked = None;
    if is_part && task.short_deliveries > 1 {
        // It changes all the time: everything in one statement.
        task.whole = true;
        task.cut = Cut { split: None, until: cut.until };
    }
    let cut = task.cut;
    shared.queue.put_last(Request::Check(range, cut, vec![task]));
    None
}
