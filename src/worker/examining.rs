//! Looking for what is wrong in every symbol's bars, some at a time, whenever there are bars that were not looked at.
//!
//! Waits while a preheat runs, reads each symbol's bars once, and keeps how much it found in the catalog. What exactly was found
//! is worked out again for the one symbol that is looked at ([`super::dossier`]): that takes a millisecond, and the places of
//! ten thousand symbols would not be read by anybody. Contract: woken, never polling; a file that cannot be read is tried once.

use super::queue::Queue;
use super::service::Service;
use crate::cache::{Cache, CacheError, Entry, ExaminedBars, peers_of, peers_stamp};
use crate::market::Exchange;
use crate::market::quality::MarketDays;
use crate::source::SourceId;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long symbols are looked at before what was found is told.
const STRETCH: Duration = Duration::from_millis(400);
/// How often it is looked whether the preheats are over.
const WHILE_BUSY: Duration = Duration::from_millis(500);

/// The days of a market, and the stamp of the peers they were worked out of.
type Stamped = (u64, Arc<MarketDays>);

/// The days of the markets of sources, as last worked out.
#[derive(Debug, Default)]
pub(super) struct KnownDays(Mutex<HashMap<(SourceId, Exchange), Stamped>>);

impl KnownDays {
    /// The days of one source's markets.
    pub(super) fn of(&self, source: &SourceId) -> HashMap<Exchange, Arc<MarketDays>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = known.iter().filter(|((of, _), _)| of == source);
        own.map(|((_, exchange), (_, days))| (*exchange, Arc::clone(days))).collect()
    }

    /// The days of a market, worked out anew when its peers hold other bars than last time. Blocking.
    fn refreshed(&self, cache: &Cache, source: &SourceId, exchange: Exchange, peers: &[&Entry]) -> Arc<MarketDays> {
        let (key, stamp) = ((source.clone(), exchange), peers_stamp(peers));
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some((_, days)) = known.filter(|(of, _)| *of == stamp) {
            return days;
        }
        let days = Arc::new(cache.market_days(exchange, peers));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, (stamp, Arc::clone(&days)));
        days
    }

    /// The days of a market as last worked out; now, if they never were. Blocking.
    pub(super) fn need(
        &self,
        service: &Service,
        cache: &Cache,
        source: &SourceId,
        exchange: Exchange,
    ) -> Result<Arc<MarketDays>, CacheError> {
        if let Some(days) = self.of(source).remove(&exchange) {
            return Ok(days);
        }
        let entries = cache.catalog().entries(Some(source))?;
        let judge = service.configuration().judge;
        Ok(self.refreshed(cache, source, exchange, &peers_of(&entries, &judge, exchange)))
    }
}

/// Looks at bars whenever it is told that there are some, until the worker ends.
pub(super) async fn keep_examining(service: Arc<Service>, queue: Arc<Queue>) {
    let mut unreadable: HashSet<u128> = HashSet::new();
    loop {
        service.unexamined.notified().await;
        while !queue.is_idle() {
            tokio::time::sleep(WHILE_BUSY).await;
        }
        let examining = Arc::clone(&service);
        let tried = std::mem::take(&mut unreadable);
        let looked = service.blocking(move || {
            let mut tried = tried;
            if let Err(error) = examine_some(&examining, &mut tried) {
                tracing::warn!(%error, "the quality of cached bars could not be looked at");
            }
            tried
        });
        match looked.await {
            Some(tried) => unreadable = tried,
            None => return,
        }
    }
}

/// Looks at bars for a while; what is left is told of by the next snapshot. Blocking.
fn examine_some(service: &Service, unreadable: &mut HashSet<u128>) -> Result<(), CacheError> {
    let (Ok(cache), Some(source)) = (service.cache(), service.configuration().source_id()) else { return Ok(()) };
    let judge = service.configuration().judge;
    let entries = cache.catalog().entries(Some(&source))?;
    let known = cache.catalog().examined(&source)?;
    let mut waiting: BTreeMap<Exchange, Vec<&Entry>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.key.dataset.is_bars()) {
        let exchange = judge.rule_of(&entry.key).exchange;
        let is_known = known.get(&entry.key.symbol).is_some_and(|examined| examined.is_of(entry, exchange));
        let readable = entry.file.as_ref().is_some_and(|file| !unreadable.contains(&file.fingerprint));
        if !is_known && readable {
            waiting.entry(exchange).or_default().push(entry);
        }
    }
    let until = Instant::now() + STRETCH;
    let mut found = Vec::new();
    for (exchange, symbols) in waiting {
        let days = service.days.refreshed(&cache, &source, exchange, &peers_of(&entries, &judge, exchange));
        for entry in symbols {
            match cache.findings(entry, &days) {
                Ok(Some(findings)) => found.push((entry.key.symbol.clone(), ExaminedBars::of(entry, exchange, &findings))),
                Ok(None) | Err(_) => {
                    unreadable.extend(entry.file.as_ref().map(|file| file.fingerprint));
                }
            }
            if Instant::now() >= until {
                break;
            }
        }
        if Instant::now() >= until {
            break;
        }
    }
    if !found.is_empty() {
        cache.catalog().put_examined(&source, found)?;
        service.mark_dirty();
    }
    Ok(())
}
