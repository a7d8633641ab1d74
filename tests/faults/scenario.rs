//! A day in the life of a small cache, step by step, and what it must have after each.

use samovar::cache::{Batch, Selection, SetVersion, Staged, VersionUse};
use samovar::cache::{
    Cache, CacheError, CacheOptions, Content, EntryKey, FileLayer, Folders, Footer, Found, FreshnessRules, Judge, Provenance,
};
use samovar::feature::{DefinitionHash, FeatureTable, Precision};
use samovar::market::{Bars, DAY_US, DateRange, ManualClock, Quality, RawBars, Symbol};
use samovar::source::SourceId;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub const NOW_US: i64 = 1_700_000_000_000_000;

/// What is cached, by key.
pub type Oracle = BTreeMap<EntryKey, Content>;

pub fn open(folder: &Path, files: Arc<dyn FileLayer>) -> Cache {
    let clock = Arc::new(ManualClock::at(NOW_US));
    let options = CacheOptions { files, ..CacheOptions::new(Folders::new(folder), 1_000_000, clock) };
    Cache::open(options).expect("a cache").0
}

pub fn judge() -> Judge {
    Judge::new(FreshnessRules::default(), samovar::cache::Definitions::default())
}

/// Bars of so many days; another version has other prices.
pub fn bars(rows: usize, version: u32) -> Content {
    let price = |row: usize| 10.0 + f64::from(version) + (row % 7) as f64 / 4.0;
    let column = |more: f64| (0..rows).map(|row| price(row) + more).collect::<Vec<_>>();
    let raw = RawBars {
        time_us: (0..rows as i64).map(|day| day * DAY_US).collect(),
        open: column(0.0),
        high: column(1.0),
        low: column(-1.0),
        close: column(0.5),
        volume: column(1_000.0),
        ..RawBars::default()
    };
    Content::Bars(Arc::new(Bars::normalise(raw).0))
}

/// Intraday bars around a New Year, of which the first 20 are of the old year: each year's prices are of a version of their own.
pub fn hours(rows: usize, old: u32, new: u32) -> Content {
    let Content::Bars(mut bars) = bars(rows, new) else { unreachable!() };
    let Content::Bars(others) = self::bars(rows.min(20), old) else { unreachable!() };
    let now = Arc::make_mut(&mut bars);
    let new_year_us = 18_993 * DAY_US;
    now.resolution = samovar::market::Resolution::Intraday;
    now.time_us = (0..rows as i64).map(|row| new_year_us + (row - 20) * DAY_US / 4 + DAY_US / 24).collect();
    for (column, others) in [(&mut now.open, &others.open), (&mut now.high, &others.high), (&mut now.close, &others.close)] {
        column[..others.len()].copy_from_slice(others);
    }
    Content::Bars(bars)
}

pub fn features(rows: usize) -> Content {
    multiplied(rows, "doubled", 2.0)
}

/// What another definition of the same set makes of the same bars.
pub fn redefined(rows: usize) -> Content {
    multiplied(rows, "tripled", 3.0)
}

fn multiplied(rows: usize, name: &str, by: f64) -> Content {
    let Content::Bars(bars) = bars(rows, 1) else { unreachable!() };
    let column = bars.close.iter().map(|close| close * by).collect();
    let late = (0..rows).map(|row| if row < 5 { f64::NAN } else { row as f64 }).collect();
    let names = vec![Arc::from(name), Arc::from("late")];
    let table = FeatureTable { resolution: bars.resolution, time_us: bars.time_us.clone(), names, columns: vec![column, late] };
    Content::Features { bars, table: Arc::new(table) }
}

/// The definition that makes such content.
fn definition_of(content: &Content) -> DefinitionHash {
    let is_redefined = matches!(content, Content::Features { table, .. } if table.column("tripled").is_some());
    DefinitionHash::from(u128::from(is_redefined) << 64 | 7)
}

fn version_of(content: &Content) -> Arc<SetVersion> {
    let definition = definition_of(content);
    let text = Arc::from(format!("name = \"two\"\n# {definition}\n"));
    let (precision, engine_version) = (Precision::F64, "1".to_owned());
    Arc::new(SetVersion { set: Arc::from("two"), definition, text, engine_version, precision, features: Vec::new() })
}

pub fn older_key(content: &Content) -> EntryKey {
    features_key().older(definition_of(content)).expect("features")
}

pub fn bars_key(symbol: &str) -> EntryKey {
    EntryKey::bars(&SourceId::new("test"), &Symbol::new(symbol))
}

pub fn features_key() -> EntryKey {
    EntryKey::features(&SourceId::new("test"), &Symbol::new("A"), "two")
}

pub fn footer(key: EntryKey, content: &Content) -> Footer {
    let inputs = Content::Bars(Arc::clone(content.bars())).fingerprint();
    let provenance = (!key.dataset.is_bars()).then(|| Provenance { definition: definition_of(content), inputs });
    Footer {
        key,
        provenance,
        range: DateRange::ALL,
        fetched_at_us: NOW_US,
        quality: Quality::default(),
        synced: None,
        provisional_from_us: None,
        cost_us: 0,
        state: None,
        precision: samovar::feature::Precision::F64,
        rounding: None,
        years: None,
    }
}

/// One thing a user does.
#[derive(Clone)]
pub enum Step {
    /// Whole files, committed together.
    Put(Vec<(EntryKey, Content)>),
    /// Features by their present definition, in the place of what another one made.
    Redefine(Content),
    /// What the older version of this content was is the present one again.
    TakeBack(Content),
    /// Rows added to a file from this row on.
    Append(EntryKey, Content, usize),
    Clear(Vec<EntryKey>),
    Undo,
}

impl Step {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Put(_) => "put",
            Self::Append(..) => "append",
            Self::Redefine(_) => "redefine",
            Self::TakeBack(_) => "take back",
            Self::Clear(_) => "clear",
            Self::Undo => "undo",
        }
    }

    pub fn run(&self, cache: &Cache) -> Result<(), CacheError> {
        match self {
            Self::Put(contents) => {
                let staged = contents.iter().map(|(key, content)| cache.stage(content, footer(key.clone(), content)));
                let staged: Vec<Staged> = staged.collect::<Result<_, _>>()?;
                cache.commit(&staged)
            }
            Self::Redefine(content) => {
                let staged = vec![cache.stage(content, footer(features_key(), content))?];
                let used = VersionUse { version: version_of(content), entries: 1, rows: 1, rounding: None };
                cache.commit_batch(&Batch { staged, versions: vec![used], ..Batch::default() }).map(drop)
            }
            Self::TakeBack(content) => {
                let entry = cache.catalog().entry(&older_key(content))?.expect("an older version");
                let staged = vec![cache.stage_older(&entry, &footer(features_key(), content))];
                let used = VersionUse { version: version_of(content), entries: 1, rows: 0, rounding: None };
                cache.commit_batch(&Batch { staged, versions: vec![used], ..Batch::default() }).map(drop)
            }
            Self::Append(key, content, from) => {
                let entry = cache.catalog().entry(key)?.expect("a row to add to");
                let opened = cache.open_for_append(&entry)?;
                let tail = match content {
                    Content::Bars(_) => None,
                    Content::Features { table, .. } => Some(FeatureTable {
                        time_us: table.time_us[*from..].to_vec(),
                        columns: table.columns.iter().map(|column| column[*from..].to_vec()).collect(),
                        ..(**table).clone()
                    }),
                };
                let staged = cache.stage_append(opened, content.bars(), *from, tail.as_ref(), footer(key.clone(), content))?;
                cache.commit(&[staged])
            }
            Self::Clear(keys) => {
                let symbols = Some(keys.iter().map(|key| key.symbol.clone()).collect());
                cache.clear(&Selection { symbols, ..Selection::default() }, &judge()).map(drop)
            }
            Self::Undo => cache.undo_clear(None).map(drop),
        }
    }

    /// What there is after it, given what was there before and what was cleared last.
    pub fn outcome(&self, before: &Oracle, cleared: &mut Oracle) -> Oracle {
        let mut after = before.clone();
        match self {
            Self::Put(contents) => after.extend(contents.iter().cloned()),
            Self::Append(key, content, _) => drop(after.insert(key.clone(), content.clone())),
            Self::Redefine(content) | Self::TakeBack(content) => {
                if let Some(older) = after.insert(features_key(), content.clone()) {
                    after.insert(older_key(&older), older);
                }
                after.remove(&older_key(content));
            }
            Self::Clear(keys) => {
                *cleared = Oracle::new();
                let gone = |key: &EntryKey| keys.iter().any(|one| one.symbol == key.symbol);
                cleared.extend(before.iter().filter(|(key, _)| gone(key)).map(|(key, content)| (key.clone(), content.clone())));
                after.retain(|key, _| !gone(key));
            }
            Self::Undo => after.append(cleared),
        }
        after
    }
}

pub fn steps() -> Vec<Step> {
    let put = |symbol: &str, rows, version| (bars_key(symbol), bars(rows, version));
    vec![
        Step::Put(vec![put("A", 40, 1), put("B", 40, 1), put("C", 40, 1)]),
        Step::Append(bars_key("A"), bars(41, 1), 40),
        Step::Put(vec![put("B", 40, 2), (features_key(), features(41))]),
        Step::Append(features_key(), features(43), 41),
        Step::Redefine(redefined(43)),
        Step::Append(features_key(), redefined(45), 43),
        Step::Redefine(features(45)),
        Step::TakeBack(redefined(45)),
        Step::Append(features_key(), redefined(46), 45),
        Step::Append(bars_key("A"), bars(43, 1), 40),
        // By years: rows behind the last one's, a new year, an old one rewritten, both.
        Step::Put(vec![(bars_key("M"), hours(18, 1, 1)), (bars_key("N"), hours(30, 1, 1))]),
        Step::Append(bars_key("M"), hours(19, 1, 1), 18),
        Step::Append(bars_key("M"), hours(24, 1, 1), 19),
        Step::Append(bars_key("M"), hours(24, 2, 1), 0),
        Step::Clear(vec![bars_key("A"), bars_key("C"), bars_key("M")]),
        Step::Undo,
        Step::Append(bars_key("M"), hours(26, 3, 3), 0),
        // Daily ones take the place of years, and years that of daily ones.
        Step::Put(vec![(bars_key("N"), bars(10, 2))]),
        Step::Put(vec![(bars_key("N"), hours(22, 2, 2))]),
        // The row is behind what an append left in place, or in a base: both ways once more.
        Step::Append(bars_key("A"), bars(44, 1), 43),
        Step::Put(vec![put("A", 50, 3)]),
        Step::Append(bars_key("A"), bars(52, 3), 49),
    ]
}

/// What reading an entry gives; only "not cached" is an explained miss.
pub fn read(cache: &Cache, key: &EntryKey) -> Option<Content> {
    match cache.read(key, &Judge::default()) {
        Ok(Found { served, .. }) => Some(served.content.clone()),
        Err(CacheError::NotCached { .. }) => None,
        Err(error) => panic!("{key:?}: {error}"),
    }
}

pub fn same(left: Option<&Content>, right: Option<&Content>) -> bool {
    left.map(Content::fingerprint) == right.map(Content::fingerprint)
}

/// Checks a cache that was stopped in a step: each entry is as before it or as after it. What is gone because a clear had begun
/// comes back by undoing it.
pub fn assert_before_or_after(cache: &Cache, before: &Oracle, after: &Oracle, context: &str) {
    let keys: Vec<&EntryKey> = before.keys().chain(after.keys()).collect();
    let mut gone = Vec::new();
    for key in keys {
        let found = read(cache, key);
        let mut right = same(found.as_ref(), before.get(key)) || same(found.as_ref(), after.get(key));
        // An older version that is about to be the present one again may have that one's values already.
        let again = after.get(&features_key()).filter(|content| key.dataset.is_older() && older_key(content) == *key);
        right |= again.is_some() && same(found.as_ref(), again);
        if found.is_none() && before.contains_key(key) && !after.contains_key(key) {
            gone.push(key);
        }
        let rows = |content: Option<&Content>| content.map(|content| content.bars().len());
        let seen = (rows(found.as_ref()), rows(before.get(key)), rows(after.get(key)));
        assert!(right || found.is_none() && before.get(key).is_none(), "{context}: {key:?} is neither as before nor as after: {seen:?}");
    }
    if !gone.is_empty() {
        cache.undo_clear(None).unwrap_or_else(|error| panic!("{context}: {error}"));
        for key in gone {
            assert!(same(read(cache, key).as_ref(), before.get(key)), "{context}: {key:?} did not come back");
        }
    }
}

/// Repairs, and expects nothing to be damaged, missing or left over after.
pub fn assert_repairs_cleanly(cache: &Cache, context: &str) {
    let report = cache.verify(true, &|_, _| {}).expect("verify");
    assert!(report.damaged.is_empty() && report.missing.is_empty(), "{context}: {report:?}");
    let report = cache.verify(false, &|_, _| {}).expect("verify");
    assert!(report.is_clean(), "{context}: {report:?}");
}
