//! A cache through many ends, and what is known of it: what was acknowledged must be there.

use super::market::{self, Market, today};
use super::process::{Ended, Kill, Place, number};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use samovar::cache::{Cache, CacheError, CacheOptions, EntryKey, Folders, Judge};
use samovar::market::SystemClock;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

mod damage;

/// What is known of an entry.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// The oldest state that may be served: it was acknowledged, or seen.
    oldest: usize,
    /// Whether it may be gone: nobody acknowledged it, or it was damaged on purpose, or evicted.
    may_miss: bool,
    /// Whether it must be gone: it was cleared.
    must_miss: bool,
}

/// An entry: the symbol's number, and whether it is the features.
type Slot = (usize, bool);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Append,
    Rewrite,
    Refresh,
    Clear,
    Undo,
    Evict,
    Squeeze,
    Migrate,
    Repair,
    Rebuild,
}

/// A cache, its market, and what is known of both.
pub struct Life {
    pub seed: u64,
    place: Place,
    market: Market,
    random: StdRng,
    known: BTreeMap<Slot, Known>,
    /// Whether files were damaged on purpose since all was in order.
    has_damage: bool,
    /// What the newest clear took, with what was known of it before.
    cleared: Option<BTreeMap<Slot, Known>>,
    /// How long commands of a kind take when they are not ended.
    usual: BTreeMap<&'static str, Duration>,
    /// Everything that was done, for who mends it.
    story: Vec<String>,
    pub kills: usize,
    pub at_points: BTreeMap<&'static str, usize>,
    by_name: bool,
}

impl Life {
    pub fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let place = Place::new();
        let (symbols, bars) = (random.random_range(6..=14), random.random_range(40..=120));
        // The last bars of some are of sessions that are not over.
        let last_day = if random.random_bool(0.5) { today() } else { today() - 400 };
        let market = Market::new(place.path("market.db"), &mut random, symbols, bars, last_day);
        let known = (0..symbols)
            .flat_map(|number| [(number, false), (number, true)])
            .map(|key| (key, Known { may_miss: true, ..Known::default() }))
            .collect();
        let by_name = random.random_bool(0.5);
        Self {
            seed,
            place,
            market,
            random,
            known,
            has_damage: false,
            cleared: None,
            usual: BTreeMap::new(),
            story: Vec::new(),
            kills: 0,
            at_points: BTreeMap::new(),
            by_name,
        }
    }

    /// Lives through so many steps, the first of which fill the cache.
    pub fn live(&mut self, steps: usize) {
        for _ in 0..3 {
            let jobs = self.jobs();
            self.preheat(&["preheat", "--json", "--jobs", &jobs], "cold");
            self.check("after a cold preheat that was ended");
        }
        self.heal();
        for _ in 0..steps {
            let wants_back = self.cleared.is_some() && self.random.random_bool(0.5);
            let action = if wants_back {
                Action::Undo
            } else {
                *[
                    Action::Append,
                    Action::Append,
                    Action::Append,
                    Action::Rewrite,
                    Action::Rewrite,
                    Action::Refresh,
                    Action::Clear,
                    Action::Clear,
                    Action::Undo,
                    Action::Evict,
                    Action::Squeeze,
                    Action::Migrate,
                    Action::Repair,
                    Action::Rebuild,
                ]
                .choose_one(&mut self.random)
            };
            self.act(action);
            self.check(&format!("after {action:?}"));
            if self.random.random_bool(0.6) {
                self.heal();
            }
        }
        self.heal();
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Append => {
                let numbers = self.some(0.7);
                let mut random = StdRng::seed_from_u64(self.random.random());
                self.market.change(&numbers, market::append(&mut random));
                self.told(format!("new days of {numbers:?}"));
                self.check_source("append");
            }
            Action::Rewrite => {
                let numbers = self.some(0.4);
                let mut random = StdRng::seed_from_u64(self.random.random());
                self.market.change(&numbers, market::rewrite(&mut random));
                self.told(format!("other history of {numbers:?}"));
                self.check_source("rewrite");
            }
            Action::Refresh => self.refresh(),
            Action::Clear => self.clear(),
            Action::Undo => self.undo(),
            Action::Evict => self.evict(),
            Action::Squeeze => self.squeeze(),
            Action::Migrate => self.migrate(),
            Action::Repair => self.repair(),
            Action::Rebuild => self.rebuild(),
        }
    }

    fn told(&mut self, line: String) {
        self.story.push(line);
    }

    /// Fails the test, with everything that led there.
    fn fail(&self, what: &str) -> ! {
        let story: Vec<String> = self.story.iter().enumerate().map(|(number, line)| format!("{number:3} {line}")).collect();
        let kept = std::env::var("SAMOVAR_FAULT_KEEP").ok().map(PathBuf::from);
        if let Some(kept) = &kept {
            drop(
                std::process::Command::new("cp")
                    .arg("-a")
                    .arg(self.place.folder.path())
                    .arg(kept.join(format!("seed-{}", self.seed)))
                    .status(),
            );
        }
        panic!("seed {}: {what}\n{}", self.seed, story.join("\n"));
    }

    fn some(&mut self, share: f64) -> Vec<usize> {
        let count = self.market.symbols.len();
        let mut numbers: Vec<usize> = (0..count).filter(|_| self.random.random_bool(share)).collect();
        if numbers.is_empty() {
            numbers.push(self.random.random_range(0..count));
        }
        numbers
    }

    fn jobs(&mut self) -> String {
        self.random.random_range(1..=4).to_string()
    }

    /// Runs the program and ends it: at one of the points it passes, or at any time.
    fn run(&mut self, arguments: &[&str], kind: &'static str, points: &[&'static str]) -> Ended {
        self.by_name = !self.by_name;
        let kill = if self.by_name && !points.is_empty() {
            Kill::At(points[self.random.random_range(0..points.len())], [1, 1, 1, 2, 3, 5, 8, 13][self.random.random_range(0..8)])
        } else {
            let usual = self.usual.get(kind).copied().unwrap_or(Duration::from_millis(400));
            Kill::After(usual.mul_f64(self.random.random_range(0.02..1.05)))
        };
        let url = self.market.url();
        let ended = self.place.run_to(self.place.command(&[&["--source", url.as_str()], arguments].concat()), &kill);
        self.told(format!("{} {kill:?}: {:?} after {:?}", arguments.join(" "), ended.code, ended.took));
        if ended.was_killed() {
            self.kills += 1;
            if let Kill::At(point, _) = kill {
                *self.at_points.entry(point).or_default() += 1;
            }
        } else {
            self.usual.insert(kind, ended.took);
        }
        ended
    }

    /// Runs the program to its end, which must be a good one.
    fn run_well(&mut self, arguments: &[&str], codes: &[i32]) -> Ended {
        let url = self.market.url();
        let ended = self.place.run(&[&["--source", url.as_str()], arguments].concat());
        self.told(format!("{}: {:?}", arguments.join(" "), ended.code));
        if !ended.code.is_some_and(|code| codes.contains(&code)) {
            self.fail(&format!("it did not end well: {ended:#?}"));
        }
        ended
    }

    /// Whether a command that was not ended came to a good end. Anything else is a failure.
    fn is_acknowledged(&self, ended: &Ended, codes: &[i32]) -> bool {
        match ended.code {
            None => false,
            Some(0) => true,
            Some(code) if codes.contains(&code) => false,
            Some(_) => self.fail(&format!("it did not end well: {ended:#?}")),
        }
    }

    fn acknowledge(&mut self, numbers: &[usize]) {
        for number in numbers {
            let oldest = self.market.newest(*number);
            for features in [false, true] {
                self.known.insert((*number, features), Known { oldest, ..Known::default() });
            }
        }
    }

    /// Nothing is known to be cleared any more, whatever it was: somebody preheats it, or has begun to.
    fn may_come_back(&mut self, numbers: &[usize]) {
        for number in numbers {
            for features in [false, true] {
                let known = self.known.entry((*number, features)).or_default();
                known.may_miss |= known.must_miss;
                known.must_miss = false;
            }
        }
    }

    fn everything(&self) -> Vec<usize> {
        (0..self.market.symbols.len()).collect()
    }

    fn check_source(&mut self, kind: &'static str) {
        let jobs = self.jobs();
        self.preheat(&["preheat", "--check", "--json", "--jobs", &jobs], kind);
    }

    fn preheat(&mut self, arguments: &[&str], kind: &'static str) {
        const POINTS: &[&str] = &[
            "append_before_write",
            "append_mid_write",
            "append_before_sync",
            "append_after_sync",
            "commit_before_catalog",
            "commit_after_catalog",
            "stage_before_sync",
            "stage_before_rename",
            "stage_after_rename",
        ];
        let all = self.everything();
        self.may_come_back(&all);
        let ended = self.run(arguments, kind, POINTS);
        if self.is_acknowledged(&ended, &[]) {
            let report = ended.json();
            if number(&report, "/symbols/failed") > 0 || number(&report, "/symbols/no_data") > 0 {
                self.fail(&format!("symbols failed: {report:#}"));
            }
            self.acknowledge(&all);
        }
    }

    fn refresh(&mut self) {
        const POINTS: &[&str] =
            &["commit_before_catalog", "commit_after_catalog", "stage_before_sync", "stage_before_rename", "stage_after_rename"];
        let numbers = self.some(0.4);
        self.may_come_back(&numbers);
        let names: Vec<String> = numbers.iter().map(|number| self.market.symbols[*number].clone()).collect();
        let arguments: Vec<&str> = ["refresh", "--json"].into_iter().chain(names.iter().map(String::as_str)).collect();
        let ended = self.run(&arguments, "refresh", POINTS);
        if self.is_acknowledged(&ended, &[]) {
            self.acknowledge(&numbers);
        }
    }

    fn clear(&mut self) {
        // What is there now, so that it can be told whether all of it went or none.
        let before = self.read("before a clear");
        let numbers = if self.random.random_bool(0.3) { self.everything() } else { self.some(0.4) };
        let names: Vec<String> = numbers.iter().map(|number| self.market.symbols[*number].clone()).collect();
        let arguments: Vec<&str> = ["clear", "--json"].into_iter().chain(names.iter().map(String::as_str)).collect();
        let ended = self.run(&arguments, "clear", &["clear_after_catalog", "clear_between_files"]);
        // One that was not cached is named, and the others are cleared.
        let done = self.is_acknowledged(&ended, &[1]) || ended.code == Some(1);
        let chosen: BTreeSet<Slot> = before.keys().filter(|(number, _)| numbers.contains(number)).copied().collect();
        if chosen.is_empty() {
            return;
        }
        let after = self.read("after a clear");
        let gone = chosen.iter().filter(|key| !after.contains_key(key)).count();
        if done && gone != chosen.len() || gone != 0 && gone != chosen.len() {
            self.fail(&format!("{gone} of {} entries are gone, the clear {}", chosen.len(), if done { "had ended" } else { "was ended" }));
        }
        if gone > 0 {
            let taken = chosen.iter().map(|key| (*key, Known { oldest: before[key], ..Known::default() })).collect();
            self.cleared = Some(taken);
            for key in chosen {
                self.known.insert(key, Known { oldest: 0, may_miss: false, must_miss: true });
            }
        }
    }

    fn undo(&mut self) {
        let ended = self.run(&["clear", "--undo", "--json"], "undo", &["undo_between_files", "undo_before_catalog", "undo_after_catalog"]);
        if ended.was_killed() {
            // Whatever it had come to, once more brings all of it back.
            let again = self.run_well(&["clear", "--undo", "--json"], &[0, 1]);
            if again.code == Some(1) && !again.err.contains("nothing to restore") {
                self.fail(&format!("the undo cannot be finished: {again:#?}"));
            }
        } else if ended.code != Some(0) && !ended.err.contains("nothing to restore") {
            self.fail(&format!("it did not end well: {ended:#?}"));
        }
        let cleared = self.cleared.take().unwrap_or_default();
        let all = self.everything();
        // An older clear may have been undone with it.
        self.may_come_back(&all);
        for (key, before) in cleared {
            let known = self.known.entry(key).or_default();
            if known.may_miss {
                *known = before;
            }
        }
    }

    fn evict(&mut self) {
        let before = self.read("before evicting");
        let mut command = std::process::Command::new(std::env::current_exe().expect("this test"));
        command.args(["kills::an_eviction_in_a_process_of_its_own", "--exact", "--test-threads=1"]);
        command.env(super::kills::EVICT_IN, &self.place.cache);
        let usual = self.usual.get("evict").copied().unwrap_or(Duration::from_millis(200));
        let kill = Kill::After(usual.mul_f64(self.random.random_range(0.05..1.05)));
        let ended = self.place.run_to(command, &kill);
        self.told(format!("evict {kill:?}: {:?} after {:?}", ended.code, ended.took));
        if ended.was_killed() {
            self.kills += 1;
        } else {
            self.usual.insert("evict", ended.took);
            if ended.code != Some(0) {
                self.fail(&format!("{ended:#?}"));
            }
        }
        self.check_evicted(&before);
    }

    /// Preheats some symbols with less room allowed than all of them need, so that others have to go.
    fn squeeze(&mut self) {
        let before = self.read("before there is less room");
        let used = match self.open().budget_status() {
            Ok(status) => status.used_bytes,
            Err(error) => self.fail(&format!("the budget is not known: {error}")),
        };
        let settings = self.place.path("settings.toml");
        let budget = (used as f64 * self.random.random_range(0.7..0.98)) as u64;
        std::fs::write(&settings, format!("disk_budget_bytes = {}\n", budget.max(1))).expect("settings");
        let numbers = self.some(0.4);
        let mut random = StdRng::seed_from_u64(self.random.random());
        self.market.change(&numbers, market::append(&mut random));
        self.may_come_back(&numbers);
        let names: Vec<String> = numbers.iter().map(|number| self.market.symbols[*number].clone()).collect();
        let jobs = self.jobs();
        let arguments = ["preheat", "--check", "--json", "--wait", "1s", "--jobs", &jobs, "--symbols", &names.join(",")];
        let ended =
            self.run(&arguments, "squeeze", &["append_after_sync", "commit_before_catalog", "commit_after_catalog", "stage_after_rename"]);
        let done = self.is_acknowledged(&ended, &[1, 2]);
        std::fs::remove_file(&settings).expect("settings");
        self.check_evicted(&before);
        if done {
            self.acknowledge(&numbers);
        }
    }

    /// What is gone was evicted, and that is listed.
    fn check_evicted(&mut self, before: &BTreeMap<Slot, usize>) {
        // Room is made in the trash first.
        self.cleared = None;
        let after = self.read("after evicting");
        let cache = self.open();
        let listed: BTreeSet<EntryKey> = match cache.evictions(10_000) {
            Ok(evictions) => evictions.into_iter().map(|eviction| eviction.key).collect(),
            Err(error) => self.fail(&format!("evictions cannot be listed: {error}")),
        };
        for key in before.keys().filter(|key| !after.contains_key(key)) {
            if !listed.contains(&self.key(*key)) {
                self.fail(&format!("{key:?} is gone and its eviction is not listed"));
            }
            self.known.insert(*key, Known { oldest: 0, may_miss: true, must_miss: false });
        }
    }

    /// Brings everything to the newest state by plain commands, after which nothing may be out of order.
    fn heal(&mut self) {
        if self.random.random_bool(0.3) {
            // By itself, without a preheat: what is there is in order.
            let report = self.run_well(&["verify", "--json"], &[0, 2]);
            if report.code != Some(0) && !self.has_damage {
                self.fail(&format!("verify finds something by itself: {}", report.out));
            }
        }
        let report = self.run_well(&["preheat", "--check", "--json"], &[0]).json();
        let all = self.everything();
        if number(&report, "/symbols/failed") > 0 {
            self.fail(&format!("symbols failed: {report:#}"));
        }
        self.acknowledge(&all);
        let found = self.read("after all is preheated");
        for key in self.known.keys() {
            let newest = self.market.newest(key.0);
            if found.get(key) != Some(&newest) {
                self.fail(&format!("{key:?} is of state {:?}, the source has {newest}", found.get(key)));
            }
        }
        self.has_damage = false;
        let verified = self.run_well(&["verify", "--json"], &[0, 2]);
        if verified.code != Some(0) {
            self.fail(&format!("after a preheat verify finds: {}", verified.out));
        }
        let status = self.run_well(&["status", "--json"], &[0]).json();
        for state in ["damaged", "failed", "outdated", "missing"] {
            if number(&status, &format!("/states/{state}")) > 0 {
                self.fail(&format!("after a preheat there are entries that are {state}: {status:#}"));
            }
        }
    }

    fn key(&self, (number, features): Slot) -> EntryKey {
        let (source, symbol) = (self.market.id(), self.market.symbol(number));
        if features { EntryKey::features(&source, &symbol, "classic") } else { EntryKey::bars(&source, &symbol) }
    }

    fn open(&self) -> Cache {
        let options = CacheOptions::new(Folders::new(&self.place.cache), 10_000_000, Arc::new(SystemClock));
        match Cache::open(options) {
            Ok((cache, _recovery)) => cache,
            Err(error) => self.fail(&format!("the cache does not open: {error}")),
        }
    }

    /// What is served: by entry, the number of its state. A content of no state is a failure, as is any error but a miss.
    fn read(&self, context: &str) -> BTreeMap<Slot, usize> {
        let cache = self.open();
        let mut found = BTreeMap::new();
        for (place, known) in &self.known {
            match cache.read(&self.key(*place), &Judge::default()) {
                Ok(read) => {
                    let content = &read.served.content;
                    match self.market.state_of(place.0, content) {
                        Some(state) => drop(found.insert(*place, state)),
                        None => {
                            let what = self.market.describe(place.0, content);
                            self.fail(&format!("{context}: {place:?} is a mix of states: {what}"));
                        }
                    }
                }
                Err(CacheError::NotCached { .. }) => {}
                Err(CacheError::Damaged { .. }) if known.may_miss => {}
                Err(error) => self.fail(&format!("{context}: {place:?}: {error}")),
            }
        }
        found
    }

    /// Compares what is served with what is known.
    fn check(&mut self, context: &str) {
        let status = self.run_well(&["status", "--json"], &[0]).json();
        drop(status);
        let found = self.read(context);
        for (key, known) in self.known.clone() {
            match found.get(&key) {
                Some(state) if known.must_miss => self.fail(&format!("{context}: {key:?} was cleared and is served (state {state})")),
                Some(state) if *state < known.oldest => {
                    self.fail(&format!("{context}: {key:?} is of state {state}; {} was acknowledged", known.oldest));
                }
                None if !known.may_miss && !known.must_miss => self.fail(&format!("{context}: {key:?} was acknowledged and is gone")),
                Some(state) => drop(self.known.insert(key, Known { oldest: *state, may_miss: false, must_miss: false })),
                None => {}
            }
        }
    }
}

trait ChooseOne<T> {
    fn choose_one(&self, random: &mut StdRng) -> &T;
}

impl<T, const N: usize> ChooseOne<T> for [T; N] {
    fn choose_one(&self, random: &mut StdRng) -> &T {
        &self[random.random_range(0..N)]
    }
}
