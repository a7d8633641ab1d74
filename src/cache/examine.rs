//! Judging cached bars by [`crate::market::quality`]: which symbols make the market's days, and what is found in one.
//!
//! Not verifying (that is about bytes, not prices). Contract: reading for this counts no lookup, keeps nothing in memory and
//! changes nothing: a file that is not sound is left for those to find who serve it.

use super::store::{Examined, decoded};
use super::{Cache, CacheError, Entry, ExaminedBars, Judge};
use crate::market::quality::{Finding, FindingCounts, MarketDays, examine};
use crate::market::{Bars, Exchange};
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3;

/// Raise it when other rules find other things in the same bars.
const RULES: &str = "2";
/// Most symbols of a market whose bars say when it was open.
const PEERS: usize = 48;
/// Most rows read for that: of bars of minutes a few symbols must do.
const PEER_ROWS: u64 = 4_000_000;

/// By which rules bars of an exchange are examined now.
#[must_use]
pub fn examination_rules(exchange: Exchange) -> String {
    format!("{RULES} {}", exchange.code())
}

/// The symbols of one market that say when it was open: at most [`PEERS`], evenly from among all.
#[must_use]
pub fn peers_of<'entries>(entries: &'entries [Entry], judge: &Judge, exchange: Exchange) -> Vec<&'entries Entry> {
    let of_market: Vec<&Entry> = entries
        .iter()
        .filter(|entry| entry.key.dataset.is_bars() && entry.file.is_some() && judge.rule_of(&entry.key).exchange == exchange)
        .collect();
    let step = of_market.len().div_ceil(PEERS).max(1);
    let mut rows = 0;
    of_market
        .into_iter()
        .step_by(step)
        .take_while(|entry| {
            let before = rows;
            rows += entry.rows();
            before < PEER_ROWS
        })
        .collect()
}

/// Tells one choice of peers, and what they hold, from another.
#[must_use]
pub fn peers_stamp(peers: &[&Entry]) -> u64 {
    let mut hasher = Xxh3::new();
    for entry in peers {
        hasher.update(&entry.file.as_ref().map_or(0, |file| file.fingerprint).to_le_bytes());
    }
    hasher.digest()
}

impl Cache {
    /// An entry's bars as they lie on disk; `None` when the file is not what the catalog says, or not there.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn peek(&self, entry: &Entry) -> Result<Option<Arc<Bars>>, CacheError> {
        let bytes = match Cache::examine(self, entry)? {
            Examined::Sound { bytes, .. } => bytes,
            Examined::Newer(_) | Examined::Gone | Examined::Damaged(_) => return Ok(None),
        };
        Ok(decoded(&bytes, entry).ok().map(|content| Arc::clone(content.bars())))
    }

    /// The days of a market by its calendar and these peers.
    #[must_use]
    pub fn market_days(&self, exchange: Exchange, peers: &[&Entry]) -> MarketDays {
        // One at a time: only the times are needed of each, and of bars of minutes they are many.
        let bars = peers.iter().filter_map(|entry| self.peek(entry).ok().flatten());
        let bars: Vec<Bars> =
            bars.map(|bars| Bars { time_us: bars.time_us.clone(), resolution: bars.resolution, ..Bars::default() }).collect();
        MarketDays::new(exchange, &bars)
    }

    /// Everything worth a look in an entry's bars; `None` when they cannot be read.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn findings(&self, entry: &Entry, days: &MarketDays) -> Result<Option<Vec<Finding>>, CacheError> {
        Ok(self.peek(entry)?.map(|bars| examine(&bars, days)))
    }
}

impl ExaminedBars {
    /// What was found in an entry's bars.
    #[must_use]
    pub fn of(entry: &Entry, exchange: Exchange, findings: &[Finding]) -> Self {
        Self {
            fingerprint: entry.file.as_ref().map_or(0, |file| file.fingerprint),
            rules: examination_rules(exchange),
            counts: FindingCounts::of(findings),
        }
    }

    /// Whether it tells of the bars that are cached now, by the present rules.
    #[must_use]
    pub fn is_of(&self, entry: &Entry, exchange: Exchange) -> bool {
        entry.file.as_ref().is_some_and(|file| file.fingerprint == self.fingerprint) && self.rules == examination_rules(exchange)
    }
}
