//! What a window's length costs, operator by operator: time per value for windows from 5 to 500, and for the windows of
//! Alpha158 together.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use samovar::indicator::rolling::{
    Finite, PairStatistic, PairWant, Recursion, Register, Scratch, Statistic, Step, Want, WarmUp, family, log_1p, pair_family, recur,
};
use std::hint::black_box;

const LEN: usize = 2_500;
const WINDOWS: [usize; 6] = [5, 20, 60, 120, 250, 500];
const TOGETHER: [usize; 5] = [5, 10, 20, 30, 60];

/// Prices to the cent; another seed is another symbol, so that branches cannot be learned by heart.
fn prices(seed: u64) -> Vec<f64> {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut price = 100.0_f64;
    let mut next = || {
        price *= 1.0 + random.random_range(-0.02..0.02);
        (price * 100.0).round() / 100.0
    };
    (0..LEN).map(|_| next()).collect()
}

fn symbols() -> Vec<Vec<f64>> {
    (0..16).map(prices).collect()
}

fn statistics() -> Vec<(&'static str, Statistic)> {
    use Statistic::{
        Count, Demean, IdxMax, Kurt, Mad, Max, Mean, Med, Quantile, Rank, Resi, Rsquare, Skew, Slope, Std, Stdp, Sum, Var, Wma,
    };
    let mut all = vec![
        ("Mean", Mean),
        ("Sum", Sum),
        ("Std", Std),
        ("Stdp", Stdp),
        ("Var", Var),
        ("Skew", Skew),
        ("Kurt", Kurt),
        ("Max", Max),
        ("IdxMax", IdxMax),
        ("Med", Med),
        ("Mad", Mad),
        ("Rank", Rank),
        ("Count", Count),
        ("Slope", Slope),
        ("Rsquare", Rsquare),
        ("Resi", Resi),
        ("WMA", Wma),
        ("Demean", Demean),
    ];
    all.extend(Finite::new(0.8).map(|share| ("Quantile", Quantile(share))));
    all
}

fn windows(criterion: &mut Criterion) {
    let symbols = symbols();
    let mut scratch = Scratch::default();
    for (name, statistic) in statistics() {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(LEN as u64));
        for window in WINDOWS {
            let want = Want { statistic, window, warm_up: WarmUp::Strict };
            let mut outputs = [Vec::new()];
            let mut turn = symbols.iter().cycle();
            group.bench_with_input(BenchmarkId::from_parameter(window), &want, |bencher, want| {
                bencher.iter(|| turn.next().map(|values| family(black_box(values), true, &[*want], &mut outputs, &mut scratch)));
            });
        }
        let wants = TOGETHER.map(|window| Want { statistic, window, warm_up: WarmUp::Partial });
        let mut outputs = vec![Vec::new(); wants.len()];
        let mut turn = symbols.iter().cycle();
        group.bench_function("five partial windows", |bencher| {
            bencher.iter(|| turn.next().map(|values| family(black_box(values), true, &wants, &mut outputs, &mut scratch)));
        });
        group.finish();
    }
}

fn pairs(criterion: &mut Criterion) {
    let symbols = symbols();
    let mut scratch = Scratch::default();
    for (name, statistic) in [("Corr", PairStatistic::Corr), ("Cov", PairStatistic::Cov)] {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(LEN as u64));
        for window in WINDOWS {
            let want = PairWant { statistic, window, warm_up: WarmUp::Strict };
            let mut outputs = [Vec::new()];
            let mut turn = symbols.iter().zip(symbols.iter().rev()).cycle();
            group.bench_with_input(BenchmarkId::from_parameter(window), &want, |bencher, want| {
                bencher.iter(|| turn.next().map(|(x, y)| pair_family(black_box(x), y, true, &[*want], &mut outputs, &mut scratch)));
            });
        }
        group.finish();
    }
}

/// One recursion alone, and eight beside each other.
fn recursions(criterion: &mut Criterion) {
    let symbols = symbols();
    let mut group = criterion.benchmark_group("recursion");
    group.throughput(Throughput::Elements(LEN as u64));
    type OfWindow = fn(usize) -> Recursion;
    let kinds: [(&str, OfWindow); 3] = [
        ("EMA", |window| Recursion::Ema { window }),
        ("EMA adjusted", |window| Recursion::EmaAdjusted { window }),
        ("RMA", |window| Recursion::Rma { window }),
    ];
    for (name, recursion) in kinds {
        for count in [1, 4, 8] {
            let recursions: Vec<Recursion> = (0..count).map(|place| recursion(6 + 3 * place)).collect();
            let mut outputs = vec![vec![0.0; LEN]; count];
            let mut turn = symbols.iter().cycle();
            group.bench_function(format!("{count} × {name}"), |bencher| {
                bencher.iter(|| {
                    let Some(input) = turn.next() else { return };
                    let mut registers: Vec<Register> = recursions.iter().map(|recursion| Register::before_first(*recursion)).collect();
                    let mut steps: Vec<Step<'_>> = Vec::with_capacity(count);
                    for ((recursion, register), output) in recursions.iter().zip(&mut registers).zip(&mut outputs) {
                        steps.push(Step { recursion: *recursion, input, register, output });
                    }
                    recur(&mut steps);
                });
            });
        }
    }
    let changes: Vec<f64> = prices(1).windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
    let mut output = Vec::new();
    group.bench_function("Log1p", |bencher| bencher.iter(|| log_1p(black_box(&changes), &mut output)));
    group.finish();
}

criterion_group!(benches, windows, pairs, recursions);
criterion_main!(benches);
