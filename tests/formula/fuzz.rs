//! A search for texts that break the language, as long as it is allowed to.

use crate::checks::{check_completion, check_file, check_formula, check_set};
use crate::writer::{Writer, mutated, soup};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use samovar::feature::FeatureSet;
use samovar::feature::graph::WarmUp;
use std::time::{Duration, Instant};

/// How long a text may take at most: a hang is found, a machine that is busy with other things is not one.
const LONGEST_TEXT_TIME: Duration = Duration::from_secs(120);

#[derive(Debug, Default)]
struct Figures {
    formulas: u64,
    right: u64,
    sets: u64,
    right_sets: u64,
    files: u64,
    right_files: u64,
    longest: Duration,
    longest_text: String,
}

impl Figures {
    fn time(&mut self, text: &str, work: impl FnOnce() -> bool) -> u64 {
        let started = Instant::now();
        let is_right = work();
        let taken = started.elapsed();
        if taken > self.longest {
            self.longest = taken;
            self.longest_text = text.chars().take(200).collect();
        }
        assert!(taken < LONGEST_TEXT_TIME, "{taken:?} for {text:?}");
        u64::from(is_right)
    }
}

/// Right formulas and files to start from.
fn corpus() -> (Vec<String>, Vec<String>) {
    let sets = FeatureSet::names().iter().filter_map(|name| FeatureSet::by_name(name));
    let mut formulas = vec![
        "$close / Mean($close, 5)".to_owned(),
        "($close-$open)/$open".to_owned(),
        "Mean($close > Ref($close, 1), 12)".to_owned(),
        "TA_MACD($close,12,26,9).hist".to_owned(),
        "TA_STOCH(fastk_period=5, slowk_matype=ema).k".to_owned(),
        "If(($close > $open) & ~($volume == 0), SMA($close, 5, 1, 50), Quantile($low, 20, 0.8))".to_owned(),
    ];
    let mut files = Vec::new();
    for set in sets {
        formulas.extend(set.definitions().iter().map(|definition| definition.formula.clone()));
        files.push(set.source_text().to_owned());
    }
    files.push(
        "name = \"m\"\n[helpers]\nn = '5'\n[features]\na = \"Mean($close, n)\"\nb = { formula = '''\na + 1''', pane = \"price\" }\n"
            .to_owned(),
    );
    (formulas, files)
}

#[test]
fn no_text_breaks_the_language() {
    let seconds = std::env::var("SAMOVAR_FUZZ_SECS").ok().and_then(|seconds| seconds.parse().ok());
    // The usual few seconds look at the same texts every time; a long search looks at others.
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |now| now.as_secs());
    let seed = if seconds.is_some() { now() } else { 4 };
    println!("seed {seed}");
    let mut rng = SmallRng::seed_from_u64(seed);
    let (mut formulas, files) = corpus();
    let mut figures = Figures::default();
    let until = Instant::now() + Duration::from_secs(seconds.unwrap_or(3));
    let no_names: [String; 0] = [];
    while Instant::now() < until {
        let text = match rng.random_range(0..4) {
            0 => soup(&mut rng),
            1 => Writer { rng: &mut rng, names: &no_names }.series(4),
            _ => {
                let (text, other) = (formulas.choose(&mut rng).unwrap().clone(), formulas.choose(&mut rng).unwrap().clone());
                mutated(&mut rng, &text, &other)
            }
        };
        let warm_up = if rng.random() { WarmUp::Strict } else { WarmUp::Partial };
        figures.formulas += 1;
        let is_right = figures.time(&text, || check_formula(&text, warm_up));
        figures.right += is_right;
        if is_right == 1 && text.len() < 400 && rng.random_ratio(1, 20) {
            // What is right is worth changing further.
            let place = rng.random_range(0..formulas.len());
            if formulas.len() < 2_000 { formulas.push(text.clone()) } else { formulas[place] = text.clone() }
        }
        if rng.random_ratio(1, 8) {
            let cursor = rng.random_range(0..=text.len() + 2);
            figures.time(&text, || {
                check_completion(&text, cursor);
                true
            });
        }
        if rng.random_ratio(1, 8) {
            let names: Vec<String> = (0..5).map(|place| format!("f{place}")).collect();
            let set: Vec<(String, String)> = (0..5)
                .map(|place| {
                    let known = if rng.random_ratio(3, 4) { &names[..place] } else { &names[..] };
                    let text = Writer { rng: &mut rng, names: known }.series(3);
                    (names[place].clone(), if rng.random_ratio(1, 8) { mutated(&mut rng, &text, "f0") } else { text })
                })
                .collect();
            figures.sets += 1;
            figures.right_sets += figures.time("a set", || check_set(&set));
        }
        if rng.random_ratio(1, 16) {
            let file = files.choose(&mut rng).unwrap();
            let file = mutated(&mut rng, file, &text);
            figures.files += 1;
            figures.right_files += figures.time("a file", || check_file(&file));
        }
    }
    println!("{figures:#?}");
    assert!(figures.right > 10 && figures.right < figures.formulas, "the search finds both right and wrong formulas");
}
