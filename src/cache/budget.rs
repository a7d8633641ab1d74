//! How much room the cache may take, who goes first when there is too little, and what everything costs.
//!
//! The rule ([`EVICTION_RULE`]) is a pure function of catalog rows and the clock. Contract: what is pinned or protected never
//! goes, and nothing goes while there is room. What is evicted is gone (its file can be fetched or computed again); the trash
//! goes before any entry does. Who holds an old file open reads it to its end.

use super::Cache;
use super::entry::{Dataset, Entry, EntryKey};
use super::error::CacheError;
use super::lease::EVICT;
use super::lookups::median;
use crate::format;
use crate::market::{DAY_US, SECOND_US, Symbol, date_of, micros_of_date};
use crate::source::SourceId;
use chrono::{Datelike, NaiveDate};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::PoisonError;

/// The rule, in words for users.
pub const EVICTION_RULE: &str = "Older versions of feature sets go first, then the least valuable. An entry's value is the time it takes to bring it back, as measured, \
    halved for every 7 days it has not been used, divided by its size. Pinned entries and those a running job needs never go; of \
    equals, features go before bars";

/// Days unused after which an entry is worth half.
const HALF_LIFE_DAYS: f64 = 7.0;
/// What bringing back a row takes where nothing was ever measured.
const USUAL_COST_PER_ROW_US: f64 = 1.0;
/// From which share of a limit on users are warned.
const WARNING_SHARE: f64 = 0.8;
/// Least share of a disk that is kept free.
const FREE_SHARE: f64 = 0.02;
/// Most of a disk that is kept free, so that a small one can be used at all.
const MOST_FREE_SHARE: f64 = 0.5;

/// How much room the cache may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of files, the trash included; 0 is no limit.
    pub disk_budget_bytes: u64,
    /// Bytes of the disk that are kept free; at least 2 % and at most half of the disk. 0 keeps nothing free.
    pub free_reserve_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { disk_budget_bytes: 0, free_reserve_bytes: 1_000_000_000 }
    }
}

/// What the system says of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// Bytes that can still be written.
    pub free_bytes: u64,
    /// Its size.
    pub total_bytes: u64,
}

impl Limits {
    /// Bytes of this disk that are kept free.
    #[must_use]
    pub fn reserve_of(&self, disk: &DiskSpace) -> u64 {
        if self.free_reserve_bytes == 0 {
            return 0;
        }
        let share = |share: f64| (disk.total_bytes as f64 * share) as u64;
        self.free_reserve_bytes.max(share(FREE_SHARE)).min(share(MOST_FREE_SHARE))
    }

    /// Bytes that have to go before `needed_bytes` can be written, when files take `used_bytes`.
    #[must_use]
    pub fn shortfall(&self, used_bytes: u64, needed_bytes: u64, disk: Option<&DiskSpace>) -> u64 {
        let over_budget = match self.disk_budget_bytes {
            0 => 0,
            budget => used_bytes.saturating_add(needed_bytes).saturating_sub(budget),
        };
        let over_disk = disk.map_or(0, |disk| self.reserve_of(disk).saturating_add(needed_bytes).saturating_sub(disk.free_bytes));
        over_budget.max(over_disk)
    }
}

/// How near a limit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BudgetLevel {
    /// There is room.
    #[default]
    Ok,
    /// 80 % of a limit is reached.
    Warning,
    /// A limit is reached: the least valuable go.
    Full,
}

/// Room taken against room allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct BudgetStatus {
    /// Bytes of files, the trash included.
    pub used_bytes: u64,
    /// Most bytes of files; `None` is no limit.
    pub budget_bytes: Option<u64>,
    /// Free bytes of the disk, where the system says.
    pub free_bytes: Option<u64>,
    /// Bytes of the disk that are kept free.
    pub reserve_bytes: u64,
    /// How near the nearer limit is.
    pub level: BudgetLevel,
    /// It all in words.
    pub text: String,
}

impl BudgetStatus {
    /// How files that take `used_bytes` stand against the limits.
    #[must_use]
    pub fn of(used_bytes: u64, limits: &Limits, disk: Option<&DiskSpace>) -> Self {
        let budget_bytes = (limits.disk_budget_bytes > 0).then_some(limits.disk_budget_bytes);
        let reserve_bytes = disk.map_or(0, |disk| limits.reserve_of(disk));
        let level_of = |share: f64| match share {
            share if share >= 1.0 => BudgetLevel::Full,
            share if share >= WARNING_SHARE => BudgetLevel::Warning,
            _ => BudgetLevel::Ok,
        };
        let by_budget = level_of(budget_bytes.map_or(0.0, |budget| used_bytes as f64 / budget as f64));
        let by_disk = level_of(match disk {
            Some(disk) if reserve_bytes > 0 => reserve_bytes as f64 / (disk.free_bytes as f64).max(1.0),
            _ => 0.0,
        });
        let used = format::bytes(used_bytes);
        let free = disk.map_or(0, |disk| disk.free_bytes);
        let text = if by_disk > BudgetLevel::Ok && by_disk >= by_budget {
            let (free, kept) = (format::bytes(free), format::bytes(reserve_bytes));
            let then =
                if by_disk == BudgetLevel::Full { "the least valuable entries go" } else { "less, and the least valuable entries go" };
            format!("The disk has {free} free of which {kept} are kept free: {then}. Free some space, or clear what is not needed")
        } else {
            match (by_budget, budget_bytes.map(format::bytes)) {
                (BudgetLevel::Ok, Some(budget)) => format!("{used} of {budget}"),
                (BudgetLevel::Ok, None) => used,
                (BudgetLevel::Warning, budget) => format!(
                    "The cache takes {used} of the {} it may take: when it is full, the least valuable entries go. Allow more, or clear \
                     what is not needed",
                    budget.unwrap_or_default()
                ),
                (BudgetLevel::Full, budget) => format!(
                    "The cache is full: it takes {used} of the {} it may take, and the least valuable entries go. Allow more, or clear \
                     what is not needed",
                    budget.unwrap_or_default()
                ),
            }
        };
        let free_bytes = disk.map(|disk| disk.free_bytes);
        Self { used_bytes, budget_bytes, free_bytes, reserve_bytes, level: by_budget.max(by_disk), text }
    }
}

/// One entry that had to go, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eviction {
    /// Which entry.
    pub key: EntryKey,
    /// When.
    pub at_us: i64,
    /// Bytes of its file.
    pub size_bytes: u64,
    /// When it was last read, if it ever was.
    pub last_used_us: Option<i64>,
    /// What it takes to bring it back, measured or estimated, in microseconds.
    pub cost_us: u64,
    /// Why it was this one, in words.
    pub reason: String,
}

/// What bringing back entries takes: measured, else the median per row of the same source and dataset, else 1 µs a row.
struct Costs(HashMap<(SourceId, Dataset), f64>);

impl Costs {
    fn of(entries: &[Entry]) -> Self {
        let mut measured: HashMap<(SourceId, Dataset), Vec<f64>> = HashMap::new();
        for entry in entries.iter().filter(|entry| entry.cost_us > 0 && entry.rows() > 0) {
            let place = (entry.key.source.clone(), entry.key.dataset.clone());
            measured.entry(place).or_default().push(entry.cost_us as f64 / entry.rows() as f64);
        }
        Self(measured.into_iter().filter_map(|(place, costs)| Some((place, median(costs)?))).collect())
    }

    fn cost_us(&self, entry: &Entry) -> u64 {
        if entry.cost_us > 0 {
            return entry.cost_us;
        }
        let per_row = self.0.get(&(entry.key.source.clone(), entry.key.dataset.clone())).copied().unwrap_or(USUAL_COST_PER_ROW_US);
        (per_row * entry.rows() as f64) as u64
    }
}

/// Microseconds since an entry was last of use: read, or fetched.
fn unused_us(entry: &Entry, now_us: i64) -> i64 {
    let used_us = entry.last_used_us.unwrap_or(i64::MIN).max(entry.fetched_at_us);
    now_us.saturating_sub(used_us).max(0)
}

/// What an entry is worth: microseconds to bring it back, halved for every 7 days it was not used, per byte.
#[must_use]
pub fn value_of(cost_us: u64, unused_us: i64, size_bytes: u64) -> f64 {
    let days = unused_us.max(0) as f64 / DAY_US as f64;
    cost_us as f64 * (-days / HALF_LIFE_DAYS).exp2() / size_bytes.max(1) as f64
}

/// Which entries go so that at least `needed_bytes` are freed, least valuable first; all that may go, where that is not enough.
///
/// Entries without a file, pinned ones and protected ones never go. The same rows always give the same plan.
#[must_use]
pub fn plan_evictions(entries: &[Entry], needed_bytes: u64, now_us: i64, protected: &dyn Fn(&EntryKey) -> bool) -> Vec<Eviction> {
    if needed_bytes == 0 {
        return Vec::new();
    }
    let costs = Costs::of(entries);
    let mut candidates: Vec<(f64, u64, &Entry)> = entries
        .iter()
        .filter(|entry| entry.size_bytes() > 0 && !entry.pinned && !protected(&entry.key))
        .map(|entry| {
            let cost_us = costs.cost_us(entry);
            (value_of(cost_us, unused_us(entry, now_us), entry.size_bytes()), cost_us, entry)
        })
        .collect();
    candidates.sort_by(|(value, _, entry), (other_value, _, other)| {
        let is_older = entry.key.dataset.is_older();
        (other.key.dataset.is_older().cmp(&is_older))
            .then_with(|| value.total_cmp(other_value))
            .then_with(|| entry.key.dataset.is_bars().cmp(&other.key.dataset.is_bars()))
            .then_with(|| entry.key.cmp(&other.key))
    });
    let of = candidates.len();
    let mut freed_bytes = 0_u64;
    let mut plan = Vec::new();
    for (_value, cost_us, entry) in candidates {
        if freed_bytes >= needed_bytes {
            break;
        }
        let size_bytes = entry.size_bytes();
        freed_bytes = freed_bytes.saturating_add(size_bytes);
        let which = if entry.key.dataset.is_older() { "an older version, and " } else { "" };
        let reason = format!(
            "{which}the least valuable of {}: not used for {}, {} to bring back, {}",
            format::counted((of - plan.len()) as u64, "entry", "entries"),
            format::duration((unused_us(entry, now_us) / SECOND_US) as f64),
            format::duration(cost_us as f64 / 1e6),
            format::bytes(size_bytes)
        );
        plan.push(Eviction { key: entry.key.clone(), at_us: now_us, size_bytes, last_used_us: entry.last_used_us, cost_us, reason });
    }
    plan
}

/// A symbol whose files belong together.
pub(super) type SymbolOfSource = (SourceId, Symbol);

/// What making room did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Room {
    /// Bytes that had to go; 0 when there was room already.
    pub shortfall_bytes: u64,
    /// Bytes of the trash that were removed for it.
    pub trash_bytes: u64,
    /// Entries that went, least valuable first.
    pub evicted: Vec<Eviction>,
    /// Bytes that are still missing.
    pub missing_bytes: u64,
    /// Bytes among them that are missing to the disk budget; the rest is missing to what is to stay free on the disk.
    pub over_budget_bytes: u64,
    /// Whether what was asked for fits now.
    pub enough: bool,
}

/// What one symbol takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SymbolCost {
    /// Where its bars come from.
    pub source: SourceId,
    /// The symbol.
    pub symbol: Symbol,
    /// Bytes of bars.
    pub bars_bytes: u64,
    /// Bytes of features.
    pub features_bytes: u64,
    /// What it takes to bring it all back, measured or estimated, in microseconds.
    pub cost_us: u64,
}

/// What one dataset takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct DatasetCost {
    /// Entries with a file.
    pub entries: u64,
    /// Their rows.
    pub rows: u64,
    /// Their bytes.
    pub size_bytes: u64,
    /// What it takes to bring them back, measured or estimated, in microseconds.
    pub cost_us: u64,
}

/// What everything takes. Each of the three adds up to all cached bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CacheCosts {
    /// Symbols, largest first.
    pub symbols: Vec<SymbolCost>,
    /// `bars` and each set.
    pub datasets: BTreeMap<String, DatasetCost>,
    /// Bytes by the year of the rows; a file's bytes are shared out by its rows.
    pub years: BTreeMap<i32, u64>,
}

/// What entries take.
#[must_use]
pub fn costs_of(entries: &[Entry]) -> CacheCosts {
    let costs = Costs::of(entries);
    let mut found = CacheCosts::default();
    let mut symbols: BTreeMap<(&SourceId, &Symbol), SymbolCost> = BTreeMap::new();
    for entry in entries {
        let Some(file) = &entry.file else { continue };
        let (size_bytes, cost_us) = (file.size_bytes, costs.cost_us(entry));
        let EntryKey { source, symbol, dataset } = &entry.key;
        let of_symbol = symbols.entry((source, symbol)).or_insert_with(|| SymbolCost {
            source: source.clone(),
            symbol: symbol.clone(),
            bars_bytes: 0,
            features_bytes: 0,
            cost_us: 0,
        });
        *(if dataset.is_bars() { &mut of_symbol.bars_bytes } else { &mut of_symbol.features_bytes }) += size_bytes;
        of_symbol.cost_us += cost_us;
        let of_dataset = found.datasets.entry(dataset.name().to_owned()).or_default();
        of_dataset.entries += 1;
        of_dataset.rows += file.rows;
        of_dataset.size_bytes += size_bytes;
        of_dataset.cost_us += cost_us;
        for (year, bytes) in share_out(size_bytes, &rows_by_year(entry)) {
            *found.years.entry(year).or_default() += bytes;
        }
    }
    found.symbols = symbols.into_values().collect();
    found.symbols.sort_by_key(|cost| std::cmp::Reverse(cost.bars_bytes + cost.features_bytes));
    found
}

/// Rows by year, or what stands in the same proportion to them: as the source counted them, else evenly over the time they span.
fn rows_by_year(entry: &Entry) -> Vec<(i32, f64)> {
    if let Some(facts) = entry.file.as_ref().filter(|facts| !facts.years.is_empty()) {
        // Files of their own: then bytes are known.
        return facts.years.iter().map(|file| (file.year, file.size_bytes as f64)).collect();
    }
    let counted = entry.synced.as_ref().map(|synced| synced.years.as_slice()).unwrap_or_default();
    if !counted.is_empty() && counted.iter().all(|year| year.year != 0) {
        return counted.iter().map(|year| (year.year, year.rows as f64)).collect();
    }
    let Some(file) = &entry.file else { return Vec::new() };
    // A day more, so that a single row has a length too.
    let (first_us, end_us) = (file.first_us, file.last_us.max(file.first_us).saturating_add(DAY_US));
    let starts_us = |year: i32| NaiveDate::from_ymd_opt(year, 1, 1).map_or(i64::MAX, micros_of_date);
    (date_of(first_us).year()..=date_of(end_us.saturating_sub(1)).year())
        .map(|year| (year, (starts_us(year + 1).min(end_us).saturating_sub(starts_us(year).max(first_us))) as f64))
        .collect()
}

/// Shares bytes out in proportion to weights, to the last byte.
fn share_out(size_bytes: u64, weights: &[(i32, f64)]) -> Vec<(i32, u64)> {
    let total: f64 = weights.iter().map(|(_year, weight)| weight.max(0.0)).sum();
    let (mut seen, mut given) = (0.0, 0);
    let last = weights.len().saturating_sub(1);
    weights
        .iter()
        .enumerate()
        .map(|(place, (year, weight))| {
            seen += weight.max(0.0);
            let until = if place == last { size_bytes } else { (size_bytes as f64 * seen / total.max(f64::MIN_POSITIVE)) as u64 };
            let share = until.min(size_bytes).saturating_sub(given);
            given += share;
            (*year, share)
        })
        .collect()
}

impl Cache {
    /// Allows the cache another amount of room from now on.
    pub fn set_limits(&self, limits: Limits) {
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    /// How much room the cache may take.
    #[must_use]
    pub fn limits(&self) -> Limits {
        *self.limits.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The disk with the least room among those the cache lies on, where the system says.
    fn disk_space(&self) -> Option<DiskSpace> {
        let space_of = |folder: &Path| {
            // A tree that was not made yet lies where its parent does.
            let folder = folder.ancestors().find(|folder| folder.exists())?;
            let stats = fs4::statvfs(folder).ok()?;
            Some(DiskSpace { free_bytes: stats.available_space(), total_bytes: stats.total_space() })
        };
        let [bars, features] = self.folders.trees();
        [self.folders.cache_dir.clone(), bars, features].iter().filter_map(|folder| space_of(folder)).min_by_key(|disk| disk.free_bytes)
    }

    fn used_bytes(&self) -> Result<u64, CacheError> {
        let (bars_bytes, features_bytes) = self.catalog.bytes()?;
        let trash_bytes: u64 = self.catalog.trash_batches()?.iter().map(|batch| batch.size_bytes).sum();
        Ok(bars_bytes + features_bytes + trash_bytes)
    }

    /// Room taken against room allowed.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn budget_status(&self) -> Result<BudgetStatus, CacheError> {
        Ok(BudgetStatus::of(self.used_bytes()?, &self.limits(), self.disk_space().as_ref()))
    }

    /// Makes room for files of `needed_bytes`: first the trash goes, oldest first, then the least valuable entries
    /// ([`EVICTION_RULE`]), in as far as they are not protected and nobody else holds a lease of their symbol. Nothing goes while there is room.
    ///
    /// # Errors
    /// When the catalog cannot be read or written. A file that cannot be removed is told in the log and taken in again or
    /// quarantined by the next `verify --repair`.
    pub fn make_room(&self, needed_bytes: u64, protected: &dyn Fn(&EntryKey) -> bool) -> Result<Room, CacheError> {
        let _alone = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        let shortfall = || -> Result<u64, CacheError> {
            let limits = self.limits();
            let over_budget = limits.shortfall(self.used_bytes()?, needed_bytes, None);
            // A disk that others have filled is not the cache's to empty: it must only not grow.
            let over_disk = limits.shortfall(0, needed_bytes, self.disk_space().as_ref()).min(needed_bytes);
            Ok(over_budget.max(over_disk))
        };
        let mut room = Room { shortfall_bytes: shortfall()?, ..Room::default() };
        room.missing_bytes = room.shortfall_bytes;
        if room.missing_bytes > 0 {
            room.trash_bytes = self.remove_trash(room.missing_bytes)?;
            room.missing_bytes = shortfall()?;
        }
        if room.missing_bytes > 0 {
            // So that what was read last is known to have been.
            self.flush_counters()?;
        }
        // Symbols that somebody else writes at the moment.
        let mut taken: HashSet<SymbolOfSource> = HashSet::new();
        while room.missing_bytes > 0 {
            let may_not_go = |key: &EntryKey| protected(key) || taken.contains(&(key.source.clone(), key.symbol.clone()));
            let (evicted, refused) = self.evict_some(room.missing_bytes, &may_not_go)?;
            room.evicted.extend(evicted);
            room.missing_bytes = shortfall()?;
            if refused.is_empty() {
                break;
            }
            taken.extend(refused);
        }
        room.enough = room.missing_bytes == 0;
        if !room.enough {
            room.over_budget_bytes = self.limits().shortfall(self.used_bytes()?, needed_bytes, None);
        }
        Ok(room)
    }

    /// Evicts entries by the rule, those of them whose symbols nobody else writes at the moment. Returns them, and these symbols.
    pub(super) fn evict_some(
        &self,
        needed_bytes: u64,
        may_not_go: &dyn Fn(&EntryKey) -> bool,
    ) -> Result<(Vec<Eviction>, Vec<SymbolOfSource>), CacheError> {
        let entries = self.catalog.entries(None)?;
        let plan = plan_evictions(&entries, needed_bytes, self.now_us(), may_not_go);
        let mut symbols: BTreeMap<SourceId, BTreeSet<Symbol>> = BTreeMap::new();
        for eviction in &plan {
            symbols.entry(eviction.key.source.clone()).or_default().insert(eviction.key.symbol.clone());
        }
        // Held until the files are removed: nobody writes them anew meanwhile.
        let mut leases = Vec::new();
        let mut refused = Vec::new();
        for (source, symbols) in symbols {
            let lease = self.take_lease(&source, symbols, EVICT, false)?;
            refused.extend(lease.refused().iter().map(|(symbol, _holder)| (source.clone(), symbol.clone())));
            leases.push(lease);
        }
        let mut by_key: HashMap<EntryKey, Entry> = entries.into_iter().map(|entry| (entry.key.clone(), entry)).collect();
        let chosen = plan
            .into_iter()
            .filter(|eviction| leases.iter().any(|lease| lease.covers(&eviction.key)))
            .filter_map(|eviction| Some((by_key.remove(&eviction.key)?, eviction)))
            .collect();
        let mut evicted = Vec::new();
        for (entry, eviction) in self.catalog.evict(chosen)? {
            self.memory.invalidate(&entry.key);
            self.remove_evicted(&entry);
            evicted.push(eviction);
        }
        Ok((evicted, refused))
    }

    /// Removes what lies where an evicted entry's file was, unless a row has it by now. A file that somebody staged there without
    /// holding the symbol any more goes, too: they left it because the row that is gone now spoke for it.
    fn remove_evicted(&self, entry: &Entry) {
        let path = self.path_of(entry);
        let removed = match self.is_claimed(entry) {
            Ok(true) => return,
            Ok(false) => self.remove_files(entry),
            Err(error) => Err(error),
        };
        if let Err(error) = removed {
            tracing::warn!(path = %path.display(), %error, "an evicted file could not be removed");
        }
    }

    /// Removes everything in the trash for good. Returns the bytes freed.
    ///
    /// # Errors
    /// When the catalog cannot be read or written; what was removed until then stays removed.
    pub fn empty_trash(&self) -> Result<u64, CacheError> {
        let _alone = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        self.remove_trash(u64::MAX)
    }

    /// Removes files from the trash for good, oldest first, until so many bytes are freed or it is empty. Returns the bytes freed.
    pub(super) fn remove_trash(&self, needed_bytes: u64) -> Result<u64, CacheError> {
        let mut freed_bytes = 0;
        for batch in self.catalog.trash_batches()?.iter().rev() {
            let mut removed = Vec::new();
            for (entry, file_name) in self.catalog.trash_of_batch(batch.batch)? {
                if freed_bytes >= needed_bytes {
                    break;
                }
                match self.remove_from_trash(&entry, &file_name) {
                    Err(error) => tracing::warn!(%file_name, %error, "a file stays in the trash"),
                    Ok(()) => {
                        freed_bytes += entry.size_bytes();
                        removed.push(file_name);
                    }
                }
            }
            self.catalog.forget_trash(batch.batch, &removed)?;
        }
        Ok(freed_bytes)
    }

    /// What was evicted and why, newest first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn evictions(&self, limit: usize) -> Result<Vec<Eviction>, CacheError> {
        self.catalog.evictions(limit)
    }

    /// What each symbol, each set and each year takes.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn costs(&self) -> Result<CacheCosts, CacheError> {
        Ok(costs_of(&self.catalog.entries(None)?))
    }
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
