//! One measurement from its beginning to its end.

use super::measure::{Read, blocking, compute_all, look_up, read, read_files};
use super::{BenchError, BenchInput, BenchProgress, BenchReport, BenchStage, Spread, StageResult, pages, place};
use crate::cache::{Cache, CacheOptions, EntryKey, Folders};
use crate::feature::FeatureSet;
use crate::market::Symbol;
use crate::preheat::{Control, PreheatReport, PreheatRequest, make_plan, run_plan};
use crate::source::{Source, SourceId, SymbolInfo};
use crate::worker::profile::spread_symbols;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use strum::IntoEnumIterator;

/// How often one symbol is read from disk and from memory for every run: single reads are short.
const READS_OF_ONE: usize = 20;

/// Measures; `observe` hears of each measure that begins. Ends soon after `control` is cancelled, and always takes what it wrote
/// away with it.
///
/// # Errors
/// When the source or the disk fails, there are no rows, or it is cancelled.
pub async fn run_bench(
    input: BenchInput,
    control: Arc<Control>,
    observe: impl Fn(BenchProgress) + Send + Sync,
) -> Result<BenchReport, BenchError> {
    // Before everything that writes into it, so that it goes after everything.
    let folder = place::make(&input.cache_dir)?;
    let connecting = Source::connect(&input.url, &input.options);
    let source = tokio::select! {
        source = connecting => source?,
        () = control.cancelled() => return Err(BenchError::Cancelled),
    };
    let measured = Bench::new(&input, &source, folder.path(), &control, &observe).run().await;
    source.close().await;
    let path = folder.path().to_path_buf();
    if let Ok(Err(error)) = blocking(move || folder.close()).await {
        tracing::warn!(path = %path.display(), %error, "the folder of a measurement could not be removed");
    }
    measured
}

struct Bench<'a, Observe: Fn(BenchProgress)> {
    input: &'a BenchInput,
    source: &'a Source,
    folder: &'a Path,
    control: &'a Arc<Control>,
    observe: &'a Observe,
    sets: Arc<Vec<FeatureSet>>,
    runs: usize,
    done: usize,
    total: usize,
    seconds: Vec<(BenchStage, f64)>,
}

impl<'a, Observe: Fn(BenchProgress)> Bench<'a, Observe> {
    fn new(input: &'a BenchInput, source: &'a Source, folder: &'a Path, control: &'a Arc<Control>, observe: &'a Observe) -> Self {
        let runs = input.runs.max(1);
        // Both is the sum of two that are measured anyway.
        let total = (BenchStage::iter().count() - 1) * runs;
        let sets = Arc::new(input.sets.clone());
        Self { input, source, folder, control, observe, sets, runs, done: 0, total, seconds: Vec::new() }
    }

    /// Tells that a measure begins, unless nobody wants it any more.
    fn begin(&mut self, stage: BenchStage) -> Result<Instant, BenchError> {
        if self.control.is_cancelled() {
            return Err(BenchError::Cancelled);
        }
        (self.observe)(BenchProgress { stage, done: self.done, total: self.total });
        self.done += 1;
        Ok(Instant::now())
    }

    fn end(&mut self, stage: BenchStage, began: Instant) {
        self.seconds.push((stage, began.elapsed().as_secs_f64()));
    }

    async fn run(mut self) -> Result<BenchReport, BenchError> {
        let wanted = self.symbols().await?;
        let (infos, first) = self.without_cache(&wanted).await?;
        let one = middle(&infos).ok_or_else(|| self.source.no_data_error())?;
        let id = self.source.id().clone();
        let keys_of = |symbols: &mut dyn Iterator<Item = &Symbol>| -> Arc<Vec<EntryKey>> {
            let names: Vec<&str> = self.sets.iter().map(FeatureSet::name).collect();
            Arc::new(symbols.flat_map(|symbol| names.iter().map(|set| EntryKey::features(&id, symbol, set))).collect())
        };
        let all = keys_of(&mut infos.iter().map(|info| &info.symbol));
        let of_one = keys_of(&mut std::iter::once(&one.symbol));
        let (cache, preheated) = self.preheats(&id, &infos).await?;
        let pages_dropped = self.files(&cache, &all).await?;
        let fits_memory = self.memory(&cache, &all).await?;
        self.one(&one.symbol, &cache, &of_one).await?;
        // The catalog is closed before its folder goes, and not on the runtime's own thread.
        blocking(move || drop(cache)).await?;
        let rows = infos.iter().map(|info| info.bar_count).sum();
        let mut failed = first.failed;
        failed.extend(preheated.failed);
        failed.dedup_by(|one, other| one.0 == other.0);
        Ok(BenchReport {
            url: self.input.url.redacted(),
            table: self.source.table().to_owned(),
            symbols: infos.len(),
            one_symbol: one.symbol.to_string(),
            no_data: first.no_data,
            failed,
            rows,
            sets: self.sets.iter().map(|set| set.name().to_owned()).collect(),
            features: self.sets.iter().map(|set| set.definitions().len()).sum(),
            runs: self.runs,
            threads: rayon::current_num_threads(),
            bytes: (preheated.bars_bytes, preheated.features_bytes),
            pages_dropped,
            fits_memory,
            stages: self.stages(rows, one.bar_count),
        })
    }

    /// The symbols to measure.
    async fn symbols(&self) -> Result<Vec<Symbol>, BenchError> {
        if let Some(named) = &self.input.symbols {
            return Ok(named.iter().take(self.input.limit).cloned().collect());
        }
        let listed = tokio::select! {
            listed = self.source.symbols() => listed?,
            () = self.control.cancelled() => return Err(BenchError::Cancelled),
        };
        let chosen: Vec<Symbol> = spread_symbols(&listed, self.input.limit).into_iter().map(|info| info.symbol).collect();
        if chosen.is_empty() { Err(self.source.no_data_error().into()) } else { Ok(chosen) }
    }

    /// Reads and computes, again and again. Returns the symbols that have rows, and what the first read found besides.
    async fn without_cache(&mut self, wanted: &[Symbol]) -> Result<(Vec<SymbolInfo>, Read), BenchError> {
        let (mut symbols, mut infos, mut first) = (wanted.to_vec(), Vec::new(), None);
        for _ in 0..self.runs {
            let began = self.begin(BenchStage::SourceRows)?;
            let mut read = read(self.source, &symbols, self.control).await?;
            self.end(BenchStage::SourceRows, began);
            if read.rows() == 0 {
                let (no_data, failed) = (self.source.no_data_error(), read.failed.first());
                return Err(failed.map_or(BenchError::Source(no_data), |(symbol, error)| BenchError::Stopped(format!("{symbol}: {error}"))));
            }
            if first.is_none() {
                // What cannot be read is left out from here on, so that every stage is about the same rows.
                let count = |(symbol, bars): &(Symbol, crate::market::RawBars)| SymbolInfo {
                    symbol: symbol.clone(),
                    first_us: None,
                    last_us: None,
                    bar_count: bars.len() as u64,
                };
                infos = read.bars.iter().map(count).collect();
                infos.sort_by(|one: &SymbolInfo, other| one.symbol.cmp(&other.symbol));
                symbols = infos.iter().map(|info| info.symbol.clone()).collect();
                let (no_data, failed) = (std::mem::take(&mut read.no_data), std::mem::take(&mut read.failed));
                first = Some(Read { bars: Vec::new(), no_data, failed });
            }
            let computing = self.begin(BenchStage::Features)?;
            compute_all(read, &self.sets, self.control).await?;
            self.end(BenchStage::Features, computing);
            let both: f64 = self.seconds.iter().rev().take(2).map(|(_, seconds)| *seconds).sum();
            self.seconds.push((BenchStage::Both, both));
        }
        Ok((infos, first.unwrap_or_default()))
    }

    /// Preheats an empty cache, again and again; the last one is read from afterwards.
    async fn preheats(&mut self, id: &SourceId, infos: &[SymbolInfo]) -> Result<(Arc<Cache>, PreheatReport), BenchError> {
        let mut last: Option<(Arc<Cache>, PreheatReport)> = None;
        for number in 0..self.runs {
            let folder = self.folder.join(format!("cache-{number}"));
            if let Some((cache, _)) = last.take() {
                let before = cache.folders().cache_dir.clone();
                let cleared = blocking(move || {
                    drop(cache);
                    std::fs::remove_dir_all(&before)
                });
                if let Err(error) = cleared.await? {
                    tracing::debug!(%error, "the cache of the run before stays until the end");
                }
            }
            let memory = self.input.memory_budget_bytes;
            let options =
                CacheOptions { log_lookups: false, ..CacheOptions::new(Folders::new(folder), memory, Arc::clone(&self.input.clock)) };
            let cache = Arc::new(blocking(move || Cache::open(options)).await??.0);
            let began = self.begin(BenchStage::Preheat)?;
            let report = self.preheat(&cache, id, infos).await?;
            self.end(BenchStage::Preheat, began);
            last = Some((cache, report));
        }
        last.ok_or(BenchError::Panic)
    }

    async fn preheat(&self, cache: &Arc<Cache>, id: &SourceId, infos: &[SymbolInfo]) -> Result<PreheatReport, BenchError> {
        let request = PreheatRequest { sets: self.input.sets.clone(), judge: Arc::clone(&self.input.judge), ..PreheatRequest::default() };
        let (planned, infos, asked, source_id) = (Arc::clone(cache), infos.to_vec(), request.clone(), id.clone());
        let plan = blocking(move || make_plan(&planned, &source_id, &infos, &asked)).await??;
        // Its own: a preheat that has to stop cancels its control, and that is no cancel of the user's.
        let own = Arc::new(Control::default());
        let running = run_plan(Arc::clone(cache), Some(self.source.clone()), id, plan, &request, Arc::clone(&own), |_, _| ());
        tokio::pin!(running);
        let report = tokio::select! {
            report = &mut running => report?,
            () = self.control.cancelled() => {
                own.cancel();
                // What is under way ends before its folder goes.
                if let Err(error) = running.await {
                    tracing::debug!(%error, "a preheat that was cancelled failed");
                }
                return Err(BenchError::Cancelled);
            }
        };
        match (report.stopped_by.clone(), report.failed.first()) {
            (Some(reason), _) => Err(BenchError::Stopped(reason)),
            (None, Some((symbol, error))) if report.ok == 0 => Err(BenchError::Stopped(format!("{symbol}: {error}"))),
            _ => Ok(report),
        }
    }

    /// Reads every file: the first time each time after the system let go of them, and again. Returns whether it could be told to.
    async fn files(&mut self, cache: &Arc<Cache>, keys: &Arc<Vec<EntryKey>>) -> Result<bool, BenchError> {
        let mut dropped = true;
        for run in 0..self.runs {
            if run == 0 || dropped {
                let folder = self.folder.to_path_buf();
                dropped = blocking(move || pages::let_go(&folder)).await?;
            }
            // Only the very first time is the first where they cannot be dropped.
            if run == 0 || dropped {
                let began = self.begin(BenchStage::Disk)?;
                read_files(cache, keys, self.control).await?;
                self.end(BenchStage::Disk, began);
            } else {
                self.done += 1;
            }
            let began = self.begin(BenchStage::DiskAgain)?;
            read_files(cache, keys, self.control).await?;
            self.end(BenchStage::DiskAgain, began);
        }
        Ok(dropped)
    }

    async fn memory(&mut self, cache: &Arc<Cache>, keys: &Arc<Vec<EntryKey>>) -> Result<bool, BenchError> {
        look_up(cache, keys, &self.input.judge, self.control).await?;
        let mut fits = true;
        for _ in 0..self.runs {
            let began = self.begin(BenchStage::Memory)?;
            fits &= look_up(cache, keys, &self.input.judge, self.control).await?;
            self.end(BenchStage::Memory, began);
        }
        Ok(fits)
    }

    /// One symbol, from everywhere.
    async fn one(&mut self, symbol: &Symbol, cache: &Arc<Cache>, keys: &Arc<Vec<EntryKey>>) -> Result<(), BenchError> {
        for _ in 0..self.runs {
            let began = self.begin(BenchStage::OneSource)?;
            let read = read(self.source, std::slice::from_ref(symbol), self.control).await?;
            compute_all(read, &self.sets, self.control).await?;
            self.end(BenchStage::OneSource, began);
        }
        for stage in [BenchStage::OneDisk, BenchStage::OneMemory] {
            for _ in 0..self.runs {
                self.begin(stage)?;
                let (cache, keys, judge) = (Arc::clone(cache), Arc::clone(keys), Arc::clone(&self.input.judge));
                // Within one thread: handing the work over takes longer than a read from memory.
                let times = blocking(move || -> Result<Vec<f64>, BenchError> {
                    let mut times = Vec::with_capacity(READS_OF_ONE);
                    for _ in 0..READS_OF_ONE {
                        let began = Instant::now();
                        for key in keys.iter() {
                            if stage == BenchStage::OneDisk {
                                std::hint::black_box(cache.read_from_disk(key)?);
                            } else {
                                std::hint::black_box(cache.read(key, &judge)?);
                            }
                        }
                        times.push(began.elapsed().as_secs_f64());
                    }
                    Ok(times)
                });
                let times = times.await??;
                self.seconds.extend(times.into_iter().map(|seconds| (stage, seconds)));
            }
        }
        Ok(())
    }

    fn stages(&self, rows: u64, rows_of_one: u64) -> Vec<StageResult> {
        let of = |stage: BenchStage| {
            let seconds: Vec<f64> = self.seconds.iter().filter(|(measured, _)| *measured == stage).map(|(_, seconds)| *seconds).collect();
            Spread::of(&seconds)
        };
        let result = |stage: BenchStage| {
            let seconds = of(stage);
            let ratio = if seconds.median > 0.0 { of(stage.compared_with()).median / seconds.median } else { 0.0 };
            StageResult { stage, rows: if stage.is_of_one() { rows_of_one } else { rows }, seconds, ratio }
        };
        BenchStage::iter().map(result).collect()
    }
}

/// The symbol with the middle number of rows.
fn middle(infos: &[SymbolInfo]) -> Option<SymbolInfo> {
    let mut by_rows: Vec<&SymbolInfo> = infos.iter().collect();
    by_rows.sort_by(|one, other| (one.bar_count, &one.symbol).cmp(&(other.bar_count, &other.symbol)));
    by_rows.get(by_rows.len() / 2).map(|info| (*info).clone())
}
