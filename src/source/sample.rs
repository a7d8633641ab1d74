//! The built-in sample market: a SQLite file of some 300 invented symbols, made on first use and always the same.
//!
//! Not real prices, though they behave like some: one market and its sectors move together, volatility comes in clusters,
//! bull and bear spells follow each other, volume rises with movement, prices gap over night. Some symbols list late, some are
//! delisted, some are suspended for weeks, and one splits two for one.

use super::error::{SourceError, SourceErrorKind};
use chrono::{Datelike, NaiveDate, Weekday};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rusqlite::Connection;
use std::path::{Path, PathBuf};

/// The file's name; a market that differs gets another number.
const FILE_NAME: &str = "sample-market-v1.sqlite";
const SYMBOLS: usize = 300;
const SECTORS: usize = 10;
/// Holidays that fall on the same day every year.
const HOLIDAYS: [(u32, u32); 8] = [(1, 1), (1, 2), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3), (12, 25)];

/// The sample market's file, made if it is not there yet.
pub(super) fn ensure(data_dir: &Path) -> Result<PathBuf, SourceError> {
    let path = data_dir.join(FILE_NAME);
    if path.exists() {
        return Ok(path);
    }
    let failed = |detail: String| {
        SourceError::new(
            SourceErrorKind::BadFile,
            format!("cannot make the sample market in {} ({detail})", data_dir.display()),
            "check that the folder can be written and that the disk has some 30 MB free",
        )
    };
    std::fs::create_dir_all(data_dir).map_err(|error| failed(error.to_string()))?;
    // A name of its own, so that two programs that start at once do not write into one file.
    let temporary = tempfile::Builder::new()
        .prefix(".sample-market-")
        .suffix(".tmp")
        .tempfile_in(data_dir)
        .map_err(|error| failed(error.to_string()))?
        .into_temp_path();
    write_market(&temporary).map_err(|error| failed(error.to_string()))?;
    temporary.persist(&path).map_err(|error| failed(error.to_string()))?;
    Ok(path)
}

/// Business days of three years up to 2026-06-30.
fn trading_days() -> Vec<NaiveDate> {
    let (Some(first), Some(last)) = (NaiveDate::from_ymd_opt(2023, 7, 3), NaiveDate::from_ymd_opt(2026, 6, 30)) else { return Vec::new() };
    first
        .iter_days()
        .take_while(|day| *day <= last)
        .filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !HOLIDAYS.contains(&(day.month(), day.day())))
        .collect()
}

/// A random number of the standard normal distribution.
fn normal(random: &mut SmallRng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

/// Daily returns whose size comes in clusters (GARCH) and whose drift changes its mind every few months.
struct Returns {
    daily: f64,
    variance: f64,
    drift: f64,
    days_left: u32,
}

impl Returns {
    fn new(yearly: f64) -> Self {
        let daily = yearly / 252.0_f64.sqrt();
        Self { daily, variance: daily * daily, drift: 0.0, days_left: 0 }
    }

    fn next(&mut self, random: &mut SmallRng) -> f64 {
        if self.days_left == 0 {
            self.days_left = random.random_range(40..160);
            self.drift = self.daily * 0.08 * normal(random);
        }
        self.days_left -= 1;
        let shock = self.variance.sqrt() * normal(random);
        self.variance = 0.04 * self.daily * self.daily + 0.10 * shock * shock + 0.86 * self.variance;
        self.drift + shock
    }
}

/// Names as markets have them: numbers, letters, and some that file systems find hard.
fn names() -> Vec<String> {
    let mut names: Vec<String> = [
        "000001", "000002", "000063", "000333", "000651", "000858", "002415", "002594", "300014", "300059", "300750", "600000", "600036",
        "600276", "600519", "600887", "600900", "601012", "601318", "601398", "601857", "603259", "688111", "688981", "AAPL", "MSFT",
        "NVDA", "AMZN", "GOOG", "META", "TSLA", "JPM", "KO", "XOM", "BRK/B", "BF/B", "^GSPC", "^HSI", "CON", "0700.HK", "7203.T", "SAP.DE",
        "EURUSD=X", "BTC-USD",
    ]
    .map(str::to_owned)
    .to_vec();
    let mut random = SmallRng::seed_from_u64(7);
    while names.len() < SYMBOLS {
        let name = if names.len().is_multiple_of(2) {
            let board = [600_000, 0, 300_000, 2_000][random.random_range(0..4)];
            format!("{:06}", board + random.random_range(100..2_000))
        } else {
            (0..random.random_range(3..5)).map(|_| char::from(random.random_range(b'A'..=b'Z'))).collect()
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn write_market(path: &Path) -> Result<(), rusqlite::Error> {
    let mut database = Connection::open(path)?;
    // Nobody else sees the file before it is renamed, so nothing needs a journal.
    database.pragma_update(None, "journal_mode", "OFF")?;
    database.pragma_update(None, "synchronous", "OFF")?;
    database.execute_batch(
        "CREATE TABLE stock_kline_data (symbol TEXT NOT NULL, trade_date TEXT NOT NULL, open REAL, high REAL, low REAL, close REAL, \
         volume INTEGER, amount REAL, turnover REAL, PRIMARY KEY (symbol, trade_date)) WITHOUT ROWID",
    )?;
    let days = trading_days();
    let dates: Vec<String> = days.iter().map(ToString::to_string).collect();
    let mut random = SmallRng::seed_from_u64(20_260_630);
    let series = |random: &mut SmallRng, yearly: f64| {
        let mut returns = Returns::new(yearly);
        days.iter().map(|_| returns.next(random)).collect::<Vec<f64>>()
    };
    let market = series(&mut random, 0.16);
    let sectors: Vec<Vec<f64>> = (0..SECTORS).map(|_| series(&mut random, 0.12)).collect();

    let mut names = names();
    names.sort();
    let transaction = database.transaction()?;
    {
        let mut insert = transaction.prepare("INSERT INTO stock_kline_data VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
        for (number, name) in names.iter().enumerate() {
            // Each symbol has randomness of its own, so that one more or less changes no other.
            let mut random = SmallRng::seed_from_u64(0x5a30_0000 + number as u64);
            let sector = sectors.get(number % SECTORS).unwrap_or(&market);
            let mut symbol = SampleSymbol::new(name, number, days.len(), &mut random);
            for (day, ((date, market), sector)) in dates.iter().zip(&market).zip(sector).enumerate() {
                let Some(bar) = symbol.bar(day, *market, *sector, &mut random) else { continue };
                insert.execute(rusqlite::params![
                    name,
                    date,
                    bar.open,
                    bar.high,
                    bar.low,
                    bar.close,
                    bar.volume,
                    bar.amount,
                    bar.turnover
                ])?;
            }
        }
    }
    transaction.commit()?;
    database.close().map_err(|(_, error)| error)
}

struct SampleBar {
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    volume: i64,
    amount: f64,
    turnover: f64,
}

struct SampleSymbol {
    own: Returns,
    beta: f64,
    sector_beta: f64,
    price: f64,
    shares: f64,
    usual_turnover: f64,
    busy: f64,
    trades: std::ops::Range<usize>,
    suspended: std::ops::Range<usize>,
    split_day: Option<usize>,
}

impl SampleSymbol {
    fn new(name: &str, number: usize, days: usize, random: &mut SmallRng) -> Self {
        let first = if number % 23 == 5 { random.random_range(days / 6..days * 3 / 4) } else { 0 };
        let last = if number % 31 == 8 { random.random_range(days / 2..days - 30) } else { days };
        let suspended = if number % 17 == 3 {
            let start = random.random_range(first..days - 60);
            start..start + random.random_range(5..45)
        } else {
            0..0
        };
        Self {
            own: Returns::new(random.random_range(0.15..0.45)),
            beta: random.random_range(0.5..1.5),
            sector_beta: random.random_range(0.3..1.2),
            price: (random.random_range(1.6_f64..5.2)).exp(),
            shares: (random.random_range(18.0_f64..22.0)).exp().round(),
            usual_turnover: random.random_range(0.004..0.03),
            busy: 0.0,
            trades: first..last,
            suspended,
            split_day: (name == "NVDA").then_some(days / 2),
        }
    }

    /// The bar of a day; none before listing, while suspended and after delisting.
    fn bar(&mut self, day: usize, market: f64, sector: f64, random: &mut SmallRng) -> Option<SampleBar> {
        let change = self.beta * market + self.sector_beta * sector + self.own.next(random);
        if !self.trades.contains(&day) || self.suspended.contains(&day) {
            return None;
        }
        if self.split_day == Some(day) {
            self.price /= 2.0;
            self.shares *= 2.0;
        }
        let cents = |price: f64| (price.max(0.01) * 100.0).round() / 100.0;
        let size = change.abs() + 0.006;
        let overnight = 0.35 * change + 0.15 * size * normal(random);
        let open = cents(self.price * overnight.exp());
        let close = cents(self.price * change.exp());
        let high = cents(open.max(close) * (0.4 * size * random.random::<f64>()).exp()).max(open).max(close);
        let low = cents(open.min(close) / (0.4 * size * random.random::<f64>()).exp()).min(open).min(close);
        self.price = close;
        self.busy = 0.7 * self.busy + 0.25 * normal(random);
        let turnover = (self.usual_turnover * (self.busy + 12.0 * change.abs() - 0.2).exp()).min(0.4);
        let volume = (self.shares * turnover / 100.0).round() * 100.0;
        let amount = (volume * (open + high + low + close) / 4.0).round();
        let turnover = (volume / self.shares * 1_000_000.0).round() / 10_000.0;
        Some(SampleBar { open, high, low, close, volume: volume as i64, amount, turnover })
    }
}
