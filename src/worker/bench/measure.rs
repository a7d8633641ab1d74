//! The single measures: what is done once, and timed by whoever calls it.

use super::BenchError;
use crate::cache::{Cache, EntryKey, Judge, Tier};
use crate::feature::{FeatureSet, compute};
use crate::market::{Bars, DateRange, RawBars, Symbol};
use crate::preheat::Control;
use crate::source::{FetchRequest, Source};
use rayon::prelude::*;
use std::hint::black_box;
use std::sync::Arc;

/// What a source sent.
#[derive(Default)]
pub(super) struct Read {
    pub bars: Vec<(Symbol, RawBars)>,
    pub no_data: Vec<Symbol>,
    pub failed: Vec<(Symbol, String)>,
}

impl Read {
    pub(super) fn rows(&self) -> u64 {
        self.bars.iter().map(|(_, bars)| bars.len() as u64).sum()
    }
}

/// Runs blocking work to its end. What is under way is not left alone when a measurement is cancelled: it looks at `control` itself.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, BenchError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "a measurement panicked");
        BenchError::Panic
    })
}

/// Reads all rows of symbols.
pub(super) async fn read(source: &Source, symbols: &[Symbol], control: &Control) -> Result<Read, BenchError> {
    let (out, arriving) = async_channel::bounded(64);
    let request = FetchRequest { symbols: symbols.to_vec(), range: DateRange::ALL, digest: None };
    let fetching = async {
        let fetched = source.fetch(&request, &out).await;
        out.close();
        fetched
    };
    let gathering = async {
        let mut read = Read::default();
        while let Ok(fetched) = arriving.recv().await {
            match fetched.result {
                Ok(bars) if bars.is_empty() => read.no_data.push(fetched.symbol),
                Ok(bars) => read.bars.push((fetched.symbol, bars)),
                Err(error) => read.failed.push((fetched.symbol, error.to_string())),
            }
        }
        read
    };
    let both = async { tokio::join!(fetching, gathering) };
    let (fetched, read) = tokio::select! {
        both = both => both,
        () = control.cancelled() => return Err(BenchError::Cancelled),
    };
    fetched?;
    Ok(read)
}

/// Computes the features of rows as they came, on all cores.
pub(super) async fn compute_all(read: Read, sets: &Arc<Vec<FeatureSet>>, control: &Arc<Control>) -> Result<(), BenchError> {
    let (sets, control) = (Arc::clone(sets), Arc::clone(control));
    blocking(move || {
        let computed: bool = read.bars.into_par_iter().all(|(_, raw)| {
            let (bars, _) = Bars::normalise(raw);
            for set in sets.iter() {
                black_box(compute(set, &bars));
            }
            !control.is_cancelled()
        });
        if computed { Ok(()) } else { Err(BenchError::Cancelled) }
    })
    .await?
}

/// Reads files from the disk, checked and decoded, on all cores.
pub(super) async fn read_files(cache: &Arc<Cache>, keys: &Arc<Vec<EntryKey>>, control: &Arc<Control>) -> Result<(), BenchError> {
    let (cache, keys, control) = (Arc::clone(cache), Arc::clone(keys), Arc::clone(control));
    blocking(move || {
        keys.par_iter().try_for_each(|key| {
            black_box(cache.read_from_disk(key)?);
            if control.is_cancelled() { Err(BenchError::Cancelled) } else { Ok(()) }
        })
    })
    .await?
}

/// Looks entries up; returns whether the memory tier answered for all of them.
pub(super) async fn look_up(
    cache: &Arc<Cache>,
    keys: &Arc<Vec<EntryKey>>,
    judge: &Arc<Judge>,
    control: &Arc<Control>,
) -> Result<bool, BenchError> {
    let (cache, keys, judge, control) = (Arc::clone(cache), Arc::clone(keys), Arc::clone(judge), Arc::clone(control));
    blocking(move || {
        let mut all_in_memory = true;
        for key in keys.iter() {
            let found = cache.read(key, &judge)?;
            all_in_memory &= found.tier == Tier::Memory;
            black_box(found);
            if control.is_cancelled() {
                return Err(BenchError::Cancelled);
            }
        }
        Ok(all_in_memory)
    })
    .await?
}
