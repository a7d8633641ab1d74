//! Folders of CSV and Parquet files: one file per symbol, or files with a column of symbols.
//!
//! A broken file is an error of its symbols, never of the source. What was learnt about a file is kept until the file changes,
//! so that fetching one symbol reads one file.

use super::collect::{Collector, NoTime, Numbers};
use super::columns::{ColumnMap, ColumnRole};
use super::digest::{DigestRequest, SymbolDigest};
use super::error::{SourceError, SourceErrorKind};
use super::files_ahead::{Ahead, FEWEST_SYMBOLS, MOST_ROWS};
use super::sqlite::missing_file;
use super::table_file::{TableFile, Times, bad_file, numbers_of, texts_of};
use super::tally::{RowHash, Tally};
use super::{FetchRequest, Fetched, Preview, SymbolInfo};
use crate::market::{DateRange, RawBars, Symbol};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

/// A file or folder of bars.
pub(super) struct FileSet {
    root: PathBuf,
    overrides: ColumnMap,
    known: Mutex<HashMap<PathBuf, Arc<Known>>>,
    /// Of a single file with many symbols, those nobody asked for yet.
    ahead: Mutex<Option<Ahead<Known>>>,
}

/// What is known of one file as long as size and time of change stay.
struct Known {
    path: PathBuf,
    stamp: (u64, Option<SystemTime>),
    /// The symbol its name stands for.
    stem: Symbol,
    header: Result<Header, SourceError>,
    infos: OnceLock<Result<Vec<SymbolInfo>, SourceError>>,
}

struct Header {
    file: TableFile,
    columns: ColumnMap,
}

/// Which files to read for some symbols.
struct Search {
    /// Files, each read once for all of its symbols that are wanted.
    wanted: Vec<(Arc<Known>, Vec<Symbol>)>,
    /// Symbols no readable file has.
    nowhere: Vec<Symbol>,
    /// Why a file that may have had them cannot be read, so that they are not said to have no bars.
    broken: Option<SourceError>,
}

/// A batch of rows whose values were read.
struct Batch {
    times: Times,
    names: Option<arrow::array::StringArray>,
    numbers: [Vec<f64>; 8],
    rows: usize,
}

impl Batch {
    /// The symbol of a row; `None` if it has none.
    fn name<'batch>(&'batch self, row: usize, stem: &'batch Symbol) -> Option<&'batch str> {
        match &self.names {
            Some(names) if arrow::array::Array::is_null(names, row) => None,
            Some(names) => Some(names.value(row)),
            None => Some(stem.as_str()),
        }
    }

    fn numbers(&self, row: usize) -> Numbers {
        std::array::from_fn(|number| self.numbers.get(number).and_then(|values| values.get(row)).copied().unwrap_or(f64::NAN))
    }
}

impl FileSet {
    pub(super) fn new(root: &Path, overrides: ColumnMap) -> Self {
        Self { root: root.to_path_buf(), overrides, known: Mutex::new(HashMap::new()), ahead: Mutex::new(None) }
    }

    /// All files in order, each with what is known; reads headers of those that are new or changed.
    fn all(&self) -> Result<Vec<Arc<Known>>, SourceError> {
        let paths = self.paths()?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<Arc<Known>> = paths
            .into_par_iter()
            .map(|path| {
                let stamp = std::fs::metadata(&path).map_or((0, None), |about| (about.len(), about.modified().ok()));
                match known.get(&path) {
                    Some(same) if same.stamp == stamp => Arc::clone(same),
                    _ => Arc::new(Known::read(path, stamp, &self.overrides)),
                }
            })
            .collect();
        *known = all.iter().map(|file| (file.path.clone(), Arc::clone(file))).collect();
        Ok(all)
    }

    /// The file itself, or the files in the folder and one level below.
    fn paths(&self) -> Result<Vec<PathBuf>, SourceError> {
        if self.root.is_file() {
            return Ok(vec![self.root.clone()]);
        }
        if !self.root.exists() {
            return Err(missing_file(&self.root));
        }
        let mut paths = Vec::new();
        for path in entries(&self.root)? {
            if path.is_dir() {
                paths.extend(entries(&path)?.into_iter().filter(|path| TableFile::is_one(path) && path.is_file()));
            } else if TableFile::is_one(&path) {
                paths.push(path);
            }
        }
        if paths.is_empty() {
            return Err(SourceError::new(
                SourceErrorKind::NoData,
                format!("{} has no CSV or Parquet files", self.root.display()),
                "choose another folder; files must end in .csv, .tsv, .txt, .parquet or .pq",
            ));
        }
        paths.sort();
        Ok(paths)
    }

    /// What is read, for people.
    pub(super) fn told(&self) -> String {
        self.root.display().to_string()
    }

    /// The columns of the first file that has any.
    pub(super) fn columns(&self) -> Result<ColumnMap, SourceError> {
        let mut first_error = None;
        for file in self.all()? {
            match &file.header {
                Ok(header) => return Ok(header.columns.clone()),
                Err(error) => first_error = first_error.or_else(|| Some(error.clone())),
            }
        }
        Err(first_error.unwrap_or_else(|| missing_file(&self.root)))
    }

    /// Whether any file holds several symbols, so that reading it for a few costs as much as for all.
    pub(super) fn is_shared(&self) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().any(|file| file.has_symbols())
    }

    pub(super) fn symbols(&self) -> Result<Vec<SymbolInfo>, SourceError> {
        let files = self.all()?;
        let infos: Vec<Vec<SymbolInfo>> = files
            .par_iter()
            .map(|file| match file.infos() {
                Ok(infos) => infos.clone(),
                // Listed, so that whoever fetches it is told what is wrong with it.
                Err(_) => vec![SymbolInfo { symbol: file.stem.clone(), first_us: None, last_us: None, bar_count: 0 }],
            })
            .collect();
        let mut symbols: BTreeMap<Symbol, SymbolInfo> = BTreeMap::new();
        for info in infos.into_iter().flatten() {
            match symbols.get_mut(&info.symbol) {
                Some(kept) => {
                    kept.first_us = kept.first_us.into_iter().chain(info.first_us).min();
                    kept.last_us = kept.last_us.max(info.last_us);
                    kept.bar_count += info.bar_count;
                }
                None => {
                    symbols.insert(info.symbol.clone(), info);
                }
            }
        }
        Ok(symbols.into_values().collect())
    }

    /// Finds out which files to read for these symbols.
    fn search(&self, symbols: &[Symbol]) -> Result<Search, SourceError> {
        let files = self.all()?;
        let mut of_symbol: HashMap<&Symbol, Vec<usize>> = HashMap::new();
        let mut broken: Option<&SourceError> = None;
        for (number, file) in files.iter().enumerate() {
            match file.symbols_inside() {
                Ok(inside) => {
                    for symbol in inside {
                        of_symbol.entry(symbol).or_default().push(number);
                    }
                }
                Err(error) => {
                    of_symbol.entry(&file.stem).or_default().push(number);
                    if file.has_symbols() {
                        broken = broken.or(Some(error));
                    }
                }
            }
        }
        let mut wanted: BTreeMap<usize, Vec<Symbol>> = BTreeMap::new();
        let mut nowhere = Vec::new();
        for symbol in symbols {
            match of_symbol.get(symbol) {
                Some(numbers) => numbers.iter().for_each(|number| wanted.entry(*number).or_default().push(symbol.clone())),
                None => nowhere.push(symbol.clone()),
            }
        }
        let broken = broken.cloned();
        let wanted = wanted.into_iter().filter_map(|(number, symbols)| Some((Arc::clone(files.get(number)?), symbols))).collect();
        Ok(Search { wanted, nowhere, broken })
    }

    /// Counts and hashes the rows of symbols.
    pub(super) fn digests(
        &self,
        symbols: &[Symbol],
        request: &DigestRequest,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<Vec<(Symbol, SymbolDigest)>, SourceError> {
        let mut tally = Tally::new(symbols, request);
        let search = self.search(symbols)?;
        if let Some(error) = &search.broken {
            search.nowhere.iter().for_each(|symbol| tally.unreadable(symbol, error));
        }
        for (file, symbols) in &search.wanted {
            if !is_wanted() {
                break;
            }
            if let Err(error) = file.count(&mut tally) {
                symbols.iter().for_each(|symbol| tally.unreadable(symbol, &error));
            }
        }
        Ok(tally.finish())
    }

    /// Reads symbols and gives each to `send`, with a digest of its rows if wanted; ends early once that is `false`.
    pub(super) fn fetch(
        &self,
        symbols: &[Symbol],
        request: &FetchRequest,
        send: &mut dyn FnMut(Fetched) -> bool,
    ) -> Result<(), SourceError> {
        let Search { wanted, nowhere, broken } = self.search(symbols)?;
        let mut tally = request.digest.as_ref().map(|digest| Tally::on_the_way(symbols, request.range, digest));
        for symbol in nowhere {
            let result = broken.as_ref().map_or_else(|| Ok(RawBars::default()), |error| Err(error.clone()));
            if let (Some(tally), Err(error)) = (&mut tally, &result) {
                tally.unreadable(&symbol, error);
            }
            let digest = tally.as_mut().and_then(|tally| tally.take_of(&symbol));
            if !send(Fetched { symbol, result, digest }) {
                return Ok(());
            }
        }
        if let [(file, symbols)] = wanted.as_slice()
            && let Some(fetched) = self.ahead(file, symbols, request)
        {
            // Ends at the first that is not taken.
            fetched.into_iter().all(send);
            return Ok(());
        }
        let mut parts_left: HashMap<Symbol, usize> = HashMap::new();
        for symbol in wanted.iter().flat_map(|(_, symbols)| symbols) {
            *parts_left.entry(symbol.clone()).or_default() += 1;
        }
        let mut begun: HashMap<Symbol, Result<RawBars, SourceError>> = HashMap::new();
        for (file, symbols) in wanted {
            for part in file.rows_of(&symbols, request.range, &mut tally) {
                let left = parts_left.get_mut(&part.symbol).map_or(0, |left| {
                    *left = left.saturating_sub(1);
                    *left
                });
                let whole = match begun.remove(&part.symbol) {
                    None => part.result,
                    Some(before) => before.and_then(|before| part.result.map(|part| joined(before, part))),
                };
                if left > 0 {
                    begun.insert(part.symbol, whole);
                    continue;
                }
                let digest = tally.as_mut().and_then(|tally| tally.take_of(&part.symbol));
                if !send(Fetched { symbol: part.symbol, result: whole, digest }) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The rows of symbols of a file that is the whole source, out of one reading of it for all portions of its symbols; `None`
    /// where it is to be read for these alone.
    fn ahead(&self, file: &Arc<Known>, symbols: &[Symbol], request: &FetchRequest) -> Option<Vec<Fetched>> {
        if !self.root.is_file() {
            return None;
        }
        // Held while the file is read, so that another portion waits for its rows instead of reading them, too.
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        if !ahead.as_ref().is_some_and(|ahead| ahead.has(file, request, symbols)) {
            *ahead = None;
            let infos = file.infos().as_ref().ok().filter(|_| file.has_symbols())?;
            let rows: u64 = infos.iter().map(|info| info.bar_count).sum();
            if symbols.len() < FEWEST_SYMBOLS || symbols.len() == infos.len() || rows > MOST_ROWS {
                return None;
            }
            let all: Vec<Symbol> = infos.iter().map(|info| info.symbol.clone()).collect();
            let mut tally = request.digest.as_ref().map(|digest| Tally::on_the_way(&all, request.range, digest));
            let mut fetched = file.rows_of(&all, request.range, &mut tally);
            // What is wrong with a file now may not be when it is read for the next portion.
            if fetched.iter().all(|one| one.result.is_err()) {
                return None;
            }
            for one in &mut fetched {
                one.digest = tally.as_mut().and_then(|tally| tally.take_of(&one.symbol));
            }
            *ahead = Some(Ahead::new(Arc::clone(file), request, fetched));
        }
        let taken = ahead.as_mut().map(|ahead| ahead.take(symbols));
        if ahead.as_ref().is_some_and(Ahead::is_empty) {
            *ahead = None;
        }
        taken
    }

    pub(super) fn preview(&self, limit: usize) -> Result<Preview, SourceError> {
        let mut empty = None;
        for file in self.all()? {
            let Ok(header) = &file.header else { continue };
            let columns = header.file.columns().to_vec();
            let names: Vec<&str> = columns.iter().map(String::as_str).collect();
            let mut rows: Vec<Vec<String>> = Vec::new();
            for batch in header.file.batches(&names, Some(limit.max(1)))? {
                let batch = batch?;
                let failed = |error: arrow::error::ArrowError| bad_file(&file.path, &error);
                let length = batch.first().map_or(0, |column| column.len());
                for row in 0..length.min(limit - rows.len()) {
                    let line: Result<Vec<String>, SourceError> =
                        batch.iter().map(|column| arrow::util::display::array_value_to_string(column, row).map_err(failed)).collect();
                    rows.push(line?);
                }
                if rows.len() >= limit {
                    break;
                }
            }
            if !rows.is_empty() {
                return Ok(Preview { columns, rows });
            }
            empty = empty.or(Some(Preview { columns, rows }));
        }
        Ok(empty.unwrap_or_default())
    }
}

impl Known {
    fn read(path: PathBuf, stamp: (u64, Option<SystemTime>), overrides: &ColumnMap) -> Self {
        let header = TableFile::open(&path).and_then(|file| {
            let columns = ColumnMap::detect(file.columns(), overrides, &path.display().to_string(), false)?;
            Ok(Header { file, columns })
        });
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let stem = Symbol::from_file_stem(&name).unwrap_or_else(|| Symbol::new(&name));
        Self { path, stamp, stem, header, infos: OnceLock::new() }
    }

    /// Whether the file has a column of symbols.
    fn has_symbols(&self) -> bool {
        self.header.as_ref().is_ok_and(|header| header.columns.get(ColumnRole::Symbol).is_some())
    }

    /// Its symbols; looks into the file only where its name does not tell.
    fn symbols_inside(&self) -> Result<Vec<&Symbol>, &SourceError> {
        if let Err(error) = &self.header {
            return Err(error);
        }
        if !self.has_symbols() {
            return Ok(vec![&self.stem]);
        }
        self.infos().as_ref().map(|infos| infos.iter().map(|info| &info.symbol).collect())
    }

    fn infos(&self) -> &Result<Vec<SymbolInfo>, SourceError> {
        self.infos.get_or_init(|| self.scan())
    }

    /// Reads dates, and symbols where there are any, of the whole file.
    fn scan(&self) -> Result<Vec<SymbolInfo>, SourceError> {
        let header = self.header.as_ref().map_err(Clone::clone)?;
        let failed = |error: arrow::error::ArrowError| bad_file(&self.path, &error);
        let date = header.columns.get(ColumnRole::Date).unwrap_or_default();
        let wanted: Vec<&str> = std::iter::once(date).chain(header.columns.get(ColumnRole::Symbol)).collect();
        let mut infos: BTreeMap<String, SymbolInfo> = BTreeMap::new();
        for batch in header.file.batches(&wanted, None)? {
            let batch = batch?;
            let (Some(dates), symbols) = (batch.first(), batch.get(1)) else { continue };
            let times = Times::of(dates).map_err(failed)?;
            let symbols = symbols.map(texts_of).transpose().map_err(failed)?;
            for row in 0..dates.len() {
                let name = match &symbols {
                    Some(symbols) if arrow::array::Array::is_null(symbols, row) || symbols.value(row).is_empty() => continue,
                    Some(symbols) => symbols.value(row),
                    None => self.stem.as_str(),
                };
                if !infos.contains_key(name) {
                    let info = SymbolInfo { symbol: Symbol::new(name), first_us: None, last_us: None, bar_count: 0 };
                    infos.insert(name.to_owned(), info);
                }
                let Some(info) = infos.get_mut(name) else { continue };
                info.bar_count += 1;
                if let Ok(time) = times.at(row) {
                    info.first_us = Some(info.first_us.map_or(time, |first| first.min(time)));
                    info.last_us = Some(info.last_us.map_or(time, |last| last.max(time)));
                }
            }
        }
        if infos.is_empty() && !self.has_symbols() {
            return Ok(vec![SymbolInfo { symbol: self.stem.clone(), first_us: None, last_us: None, bar_count: 0 }]);
        }
        Ok(infos.into_values().collect())
    }

    /// The rows of these symbols, counted as they come; one [`Fetched`] each, whatever happens.
    fn rows_of(&self, symbols: &[Symbol], range: DateRange, tally: &mut Option<Tally>) -> Vec<Fetched> {
        let gathered = self.header.as_ref().map_err(Clone::clone).and_then(|header| self.gather(header, symbols, range, tally.as_mut()));
        gathered.unwrap_or_else(|error| {
            let failed = |symbol: &Symbol| {
                if let Some(tally) = tally {
                    tally.unreadable(symbol, &error);
                }
                Fetched { symbol: symbol.clone(), result: Err(error.clone()), digest: None }
            };
            symbols.iter().map(failed).collect()
        })
    }

    fn gather(
        &self,
        header: &Header,
        symbols: &[Symbol],
        range: DateRange,
        mut tally: Option<&mut Tally>,
    ) -> Result<Vec<Fetched>, SourceError> {
        let mut collector = Collector::unsorted(symbols, &header.columns, range);
        let mut hash = RowHash::default();
        self.each_batch(header, &mut |batch| {
            for row in 0..batch.rows {
                let Some(name) = batch.name(row, &self.stem) else { continue };
                let Some(slot) = collector.slot(name) else { continue };
                let time = batch.times.at(row).map_err(NoTime);
                let numbers = batch.numbers(row);
                if let Some(tally) = &mut tally {
                    count_row(tally, &mut hash, name, &time, &numbers);
                }
                collector.push(slot, time, &numbers);
            }
        })?;
        Ok(collector.finish())
    }

    /// Counts the rows of the symbols that are wanted.
    fn count(&self, tally: &mut Tally) -> Result<(), SourceError> {
        let header = self.header.as_ref().map_err(Clone::clone)?;
        let mut hash = RowHash::default();
        self.each_batch(header, &mut |batch| {
            for row in 0..batch.rows {
                let Some(name) = batch.name(row, &self.stem) else { continue };
                count_row(tally, &mut hash, name, &batch.times.at(row).map_err(NoTime), &batch.numbers(row));
            }
        })
    }

    /// Reads all rows, batch by batch.
    fn each_batch(&self, header: &Header, each: &mut dyn FnMut(&Batch)) -> Result<(), SourceError> {
        let failed = |error: arrow::error::ArrowError| bad_file(&self.path, &error);
        let roles: Vec<(ColumnRole, &str)> = header.columns.iter().collect();
        let wanted: Vec<&str> = roles.iter().map(|(_, column)| *column).collect();
        for batch in header.file.batches(&wanted, None)? {
            let batch = batch?;
            let column = |role: ColumnRole| roles.iter().position(|(of, _)| *of == role).and_then(|position| batch.get(position));
            let Some(dates) = column(ColumnRole::Date) else { continue };
            let times = Times::of(dates).map_err(failed)?;
            let names = column(ColumnRole::Symbol).map(texts_of).transpose().map_err(failed)?;
            let mut numbers: [Vec<f64>; 8] = Default::default();
            for (values, role) in numbers.iter_mut().zip(ColumnRole::NUMBERS) {
                if let Some(column) = column(role) {
                    *values = numbers_of(column).map_err(failed)?;
                }
            }
            each(&Batch { times, names, numbers, rows: dates.len() });
        }
        Ok(())
    }
}

/// Counts a row, if its symbol is wanted.
fn count_row(tally: &mut Tally, hash: &mut RowHash, name: &str, time: &Result<i64, NoTime>, numbers: &Numbers) {
    let Some(slot) = tally.slot(name) else { return };
    hash.begin();
    match time {
        Ok(time) => hash.integer(*time),
        Err(NoTime(value)) => hash.text(value.as_bytes()),
    }
    numbers.iter().for_each(|number| hash.number(*number));
    tally.row(slot, time, true, hash.end());
}

/// Rows of one symbol from two files; a column only one of them has is missing in the rows of the other.
fn joined(mut first: RawBars, second: RawBars) -> RawBars {
    let (rows, more) = (first.len(), second.len());
    let optional = |first: &mut Vec<f64>, second: Vec<f64>| {
        if !first.is_empty() || !second.is_empty() {
            first.resize(rows, f64::NAN);
            first.extend(second);
            first.resize(rows + more, f64::NAN);
        }
    };
    first.time_us.extend(second.time_us);
    for (column, values) in [
        (&mut first.open, second.open),
        (&mut first.high, second.high),
        (&mut first.low, second.low),
        (&mut first.close, second.close),
        (&mut first.volume, second.volume),
    ] {
        column.extend(values);
    }
    optional(&mut first.amount, second.amount);
    optional(&mut first.turnover, second.turnover);
    optional(&mut first.float_shares, second.float_shares);
    first
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let failed = |error: std::io::Error| {
        SourceError::new(
            SourceErrorKind::NotAllowed,
            format!("cannot list {} ({error})", folder.display()),
            "check that this user may enter the folder",
        )
    };
    std::fs::read_dir(folder).map_err(failed)?.map(|entry| entry.map(|entry| entry.path()).map_err(failed)).collect()
}
