//! What a run asks the source first: symbols put together so that few statements ask for all of them, and none for too much.

use super::ask::Cut;
use super::fetching::SYMBOLS_PER_CHECK;
use super::plan::{BarsTask, PlanItem, Plenty};
use super::queue::{Request, Task};
use super::recent;
use super::run::Shared;
use crate::cache::{Entry, EntryKey};
use crate::market::{DateRange, Symbol};
use chrono::NaiveDate;
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

/// Fewest symbols that ended on the same day to be asked about by themselves, …
const FEWEST_PER_CUT: usize = 8;
/// … unless there are no more such days than these.
const FEW_CUTS: usize = 16;

/// The requests a plan begins with: symbols of one range and cut together, until their rows are plenty. `finds_days`: whether the
/// source finds a few days without going through all.
pub(super) fn first_requests(shared: &Shared, items: Vec<PlanItem>, finds_days: bool) -> VecDeque<Request> {
    let (mut recent, items) = if finds_days { recent_requests(shared, items) } else { (VecDeque::new(), items) };
    recent.append(&mut check_requests(shared, items));
    recent
}

fn cut_of(shared: &Shared, symbol: &Symbol, previous: Option<&Entry>, now_us: i64) -> Cut {
    let key = EntryKey::bars(&shared.source_id, symbol);
    Cut::of(previous, shared.request.judge.rule_of(&key).exchange.settled_before(now_us))
}

/// The requests about newest days only, and the items for which that is not enough.
fn recent_requests(shared: &Shared, items: Vec<PlanItem>) -> (VecDeque<Request>, Vec<PlanItem>) {
    let now_us = shared.cache.now_us();
    let request = &shared.request;
    let mut groups: BTreeMap<(DateRange, DateRange, Option<NaiveDate>), Vec<Task>> = BTreeMap::new();
    let mut others = Vec::new();
    for item in items {
        let BarsTask::Fetch { range, previous } = &item.bars else { continue };
        let cut = cut_of(shared, &item.symbol, previous.as_deref(), now_us);
        // Whoever asks for a check or doubts an entry means all of it.
        let trusted = previous.as_deref().filter(|entry| !request.force && !request.check && entry.invalidated_at_us.is_none());
        let days = trusted.and_then(|entry| {
            let verified_us = entry.verified_us()?;
            let is_due = recent::is_history_due(&item.symbol, verified_us, now_us, request.history_check_days);
            if is_due { None } else { recent::days(entry, range, cut) }
        });
        match days {
            Some(days) => groups.entry((*range, days, cut.until)).or_default().push(Task::new(item, cut, false)),
            None => others.push(item),
        }
    }
    // Where many symbols ended on a day of their own, they are asked about together.
    let rare = groups.values().filter(|tasks| tasks.len() < FEWEST_PER_CUT).count();
    let mut joined: BTreeMap<(DateRange, DateRange, Option<NaiveDate>), Vec<Task>> = BTreeMap::new();
    for ((range, days, until), mut tasks) in groups {
        let is_rare = rare > FEW_CUTS && tasks.len() < FEWEST_PER_CUT;
        let days = if is_rare { recent::of_quarter(days, &range) } else { days };
        joined.entry((range, days, until)).or_default().append(&mut tasks);
    }
    let mut requests = VecDeque::new();
    for ((_, days, _), mut tasks) in joined {
        while !tasks.is_empty() {
            let rest = tasks.split_off(tasks.len().min(SYMBOLS_PER_CHECK));
            requests.push_back(Request::Recent(days, std::mem::replace(&mut tasks, rest)));
        }
    }
    // Where few symbols ended on a day of their own, each of their statements is mostly waiting: the others are worked on meanwhile.
    requests.make_contiguous().sort_by_key(|request| Reverse(request.tasks().len()));
    (requests, others)
}

/// The requests that begin with what the source says of whole histories.
fn check_requests(shared: &Shared, items: Vec<PlanItem>) -> VecDeque<Request> {
    let now_us = shared.cache.now_us();
    let mut groups: BTreeMap<(DateRange, Cut), Vec<PlanItem>> = BTreeMap::new();
    for item in items {
        let BarsTask::Fetch { range, previous } = &item.bars else { continue };
        let cut = cut_of(shared, &item.symbol, previous.as_deref(), now_us);
        groups.entry((*range, cut)).or_default().push(item);
    }
    // Where many symbols ended on a day of their own they are asked about together, so that they do not cost a statement each.
    let rare = groups.values().filter(|items| items.len() < FEWEST_PER_CUT).count();
    let mut joined: BTreeMap<(DateRange, Cut), Vec<PlanItem>> = BTreeMap::new();
    for ((range, cut), items) in groups {
        let is_rare = rare > FEW_CUTS && items.len() < FEWEST_PER_CUT;
        for item in items {
            let BarsTask::Fetch { previous, .. } = &item.bars else { continue };
            let cut = if is_rare { cut.coarse(previous.as_deref()) } else { cut };
            joined.entry((range, cut)).or_default().push(item);
        }
    }
    let mut requests = VecDeque::new();
    for ((range, cut), items) in joined {
        // What is cached already will mostly be found unchanged, and then no rows come.
        let plenty = if cut.split.is_some() { Plenty { rows: u64::MAX, symbols: SYMBOLS_PER_CHECK } } else { Plenty::default() };
        let (mut open, mut rows): (Vec<Task>, u64) = (Vec::new(), 0);
        for item in items {
            if !open.is_empty() && (open.len() >= plenty.symbols || rows.saturating_add(item.expected_rows) > plenty.rows) {
                requests.push_back(Request::Check(range, cut, std::mem::take(&mut open)));
                rows = 0;
            }
            rows = rows.saturating_add(item.expected_rows);
            open.push(Task::new(item, cut, shared.request.force));
        }
        if !open.is_empty() {
            requests.push_back(Request::Check(range, cut, open));
        }
    }
    requests
}
