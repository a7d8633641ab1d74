//! A market in a SQLite file whose every state is remembered, so that a test can tell which state something cached is of.

use rand::Rng;
use rand::rngs::StdRng;
use rusqlite::{Connection, params};
use samovar::cache::Content;
use samovar::feature::{self, FeatureSet};
use samovar::market::{Bars, DAY_US, RawBars, Symbol};
use samovar::source::{SourceId, SourceUrl};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// The table of every market.
pub const TABLE: &str = "stock_kline_data";

/// One bar: day since 1970-01-01; open, high, low, close, volume.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    pub day: i64,
    pub values: [f64; 5],
}

/// Hashes of what is cached of one state: of the bars and of the features.
type Hashes = (u128, u128);

/// A market and all the states it ever had.
pub struct Market {
    pub path: PathBuf,
    pub symbols: Vec<String>,
    /// By symbol, its states, oldest first.
    states: Vec<Vec<Vec<Bar>>>,
    hashes: RefCell<HashMap<(usize, usize), Hashes>>,
}

/// Today, as days since 1970-01-01.
pub fn today() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock");
    i64::try_from(now.as_micros()).expect("a time") / DAY_US
}

pub fn date_of(day: i64) -> String {
    let epoch = chrono::NaiveDate::from_ymd_opt(1970, 1, 1).expect("date");
    (epoch + chrono::Days::new(u64::try_from(day).expect("a day after 1970"))).to_string()
}

fn bar(random: &mut StdRng, day: i64, before: f64) -> Bar {
    let open = before * random.random_range(0.98..1.02);
    let close = open * random.random_range(0.97..1.03);
    let values = [open, open.max(close) * 1.01, open.min(close) * 0.99, close, f64::from(random.random_range(100..100_000))];
    Bar { day, values }
}

impl Market {
    /// So many symbols with so many bars, the last of which is of the given day.
    pub fn new(path: PathBuf, random: &mut StdRng, symbols: usize, bars: usize, last_day: i64) -> Self {
        let mut states = Vec::new();
        for _ in 0..symbols {
            let mut price = random.random_range(5.0..200.0);
            let mut rows: Vec<Bar> = Vec::new();
            for row in 0..bars {
                let next = bar(random, last_day + 1 - bars as i64 + row as i64, price);
                price = next.values[3];
                rows.push(next);
            }
            states.push(vec![rows]);
        }
        let database = Connection::open(&path).expect("database");
        // Readers of a log are not held up by a writer.
        database.pragma_update(None, "journal_mode", "WAL").expect("pragma");
        database
            .execute_batch(&format!(
                "CREATE TABLE {TABLE} (symbol TEXT, trade_date TEXT, open REAL, high REAL, low REAL, close REAL, volume REAL);
                 CREATE INDEX by_symbol ON {TABLE} (symbol, trade_date);"
            ))
            .expect("table");
        drop(database);
        let symbols: Vec<String> = (0..symbols).map(|number| format!("S{number:03}")).collect();
        let market = Self { path, states, hashes: RefCell::default(), symbols };
        market.write(&(0..market.symbols.len()).collect::<Vec<_>>());
        market
    }

    pub fn url(&self) -> String {
        format!("sqlite:{}", self.path.display())
    }

    pub fn id(&self) -> SourceId {
        SourceUrl::parse(&self.url()).expect("url").id()
    }

    pub fn symbol(&self, number: usize) -> Symbol {
        Symbol::new(&self.symbols[number])
    }

    /// The number of a symbol's newest state.
    pub fn newest(&self, number: usize) -> usize {
        self.states[number].len() - 1
    }

    /// Gives symbols a new state each, in one transaction of the database.
    pub fn change(&mut self, numbers: &[usize], mut change: impl FnMut(&mut Vec<Bar>)) {
        for number in numbers {
            let mut rows = self.states[*number].last().expect("a state").clone();
            change(&mut rows);
            self.states[*number].push(rows);
        }
        self.write(numbers);
    }

    /// The newest states as statements for a database server.
    pub fn sql(&self) -> String {
        let mut sql = format!(
            "CREATE TABLE {TABLE} (symbol VARCHAR(32), trade_date DATE, open DOUBLE PRECISION, high DOUBLE PRECISION, low DOUBLE PRECISION, \
             close DOUBLE PRECISION, volume DOUBLE PRECISION, PRIMARY KEY (symbol, trade_date));\n"
        );
        for (symbol, states) in self.symbols.iter().zip(&self.states) {
            let row = |bar: &Bar| {
                let [open, high, low, close, volume] = bar.values;
                format!("('{symbol}', '{}', {open}, {high}, {low}, {close}, {volume})", date_of(bar.day))
            };
            let rows: Vec<String> = states.last().expect("a state").iter().map(row).collect();
            sql.push_str(&format!("INSERT INTO {TABLE} VALUES {};\n", rows.join(", ")));
        }
        sql
    }

    fn write(&self, numbers: &[usize]) {
        let mut database = Connection::open(&self.path).expect("database");
        database.busy_timeout(std::time::Duration::from_secs(30)).expect("timeout");
        // Nothing here outlives the test, let alone a power cut.
        database.pragma_update(None, "synchronous", "OFF").expect("pragma");
        let transaction = database.transaction().expect("transaction");
        for number in numbers {
            let symbol = &self.symbols[*number];
            transaction.execute(&format!("DELETE FROM {TABLE} WHERE symbol = ?1"), [symbol]).expect("delete");
            let mut insert =
                transaction.prepare_cached(&format!("INSERT INTO {TABLE} VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")).expect("insert");
            for Bar { day, values: [open, high, low, close, volume] } in self.states[*number].last().expect("a state") {
                insert.execute(params![symbol, date_of(*day), open, high, low, close, volume]).expect("row");
            }
        }
        transaction.commit().expect("commit");
    }

    fn hashes_of(&self, number: usize, state: usize) -> Hashes {
        *self.hashes.borrow_mut().entry((number, state)).or_insert_with(|| hashes_of_rows(&self.states[number][state]))
    }

    /// Of which state some content is; `None` when it is of none, which is what must never be.
    pub fn state_of(&self, number: usize, content: &Content) -> Option<usize> {
        let found = content.fingerprint();
        let is_bars = matches!(content, Content::Bars(_));
        (0..self.states[number].len()).rev().find(|state| {
            let (bars, features) = self.hashes_of(number, *state);
            found == if is_bars { bars } else { features }
        })
    }

    /// What is different between some content and the newest state, for the eyes of who mends it.
    pub fn describe(&self, number: usize, content: &Content) -> String {
        let found = content.bars();
        let mut text = format!("{} rows, last {:?};", found.len(), found.last_us().map(|us| date_of(us / DAY_US)));
        for (state, rows) in self.states[number].iter().enumerate() {
            let same = rows.iter().filter(|bar| {
                let at = found.time_us.binary_search(&(bar.day * DAY_US));
                at.is_ok_and(|at| {
                    found.close[at].to_bits() == bar.values[3].to_bits() && found.volume[at].to_bits() == bar.values[4].to_bits()
                })
            });
            text.push_str(&format!(" state {state}: {} of {} bars are the same;", same.count(), rows.len()));
        }
        text
    }
}

fn hashes_of_rows(rows: &[Bar]) -> Hashes {
    let column = |place: usize| rows.iter().map(|bar| bar.values[place]).collect::<Vec<_>>();
    let raw = RawBars {
        time_us: rows.iter().map(|bar| bar.day * DAY_US).collect(),
        open: column(0),
        high: column(1),
        low: column(2),
        close: column(3),
        volume: column(4),
        ..RawBars::default()
    };
    let bars = Arc::new(Bars::normalise(raw).0);
    let table = Arc::new(feature::compute(&FeatureSet::classic(), &bars));
    (Content::Bars(Arc::clone(&bars)).fingerprint(), Content::Features { bars, table }.fingerprint())
}

/// One to three more days.
pub fn append(random: &mut StdRng) -> impl FnMut(&mut Vec<Bar>) {
    |rows| {
        for _ in 0..random.random_range(1..=3) {
            let last = rows.last().expect("a bar").clone();
            rows.push(bar(random, last.day + 1, last.values[3]));
        }
    }
}

/// Another value, a bar less, a bar more, or a split of all earlier bars.
pub fn rewrite(random: &mut StdRng) -> impl FnMut(&mut Vec<Bar>) {
    |rows| {
        let place = random.random_range(1..rows.len());
        match random.random_range(0..4) {
            0 => rows[place].values[3] *= 1.001,
            1 => drop(rows.remove(place)),
            2 => {
                let first = rows[0].clone();
                rows.insert(0, bar(random, first.day - 1, first.values[0]));
            }
            _ => rows[..place].iter_mut().for_each(|bar| {
                bar.values[..4].iter_mut().for_each(|price| *price /= 2.0);
                bar.values[4] *= 2.0;
            }),
        }
    }
}
