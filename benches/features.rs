//! How long the classic features take per bar, and what a window's length costs.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use samovar::feature::{FeatureSet, FeatureState, compute, compute_with_state, continue_from};
use samovar::indicator::window::{Blocks, Spread};
use samovar::indicator::{Obv, momentum, price, smooth, volatility};
use samovar::market::{Bars, DAY_US};
use std::hint::black_box;

/// A random walk; another seed is another symbol, so that branches cannot be learned by heart.
fn bars(len: usize, seed: u64) -> Bars {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut bars = Bars::default();
    let mut close = 100.0_f64;
    for day in 0..len {
        let open = close * (1.0 + random.random_range(-0.01..0.01));
        close = open * (1.0 + random.random_range(-0.02..0.02));
        bars.time_us.push(day as i64 * DAY_US);
        bars.open.push(open);
        bars.high.push(open.max(close) * (1.0 + random.random_range(0.0..0.01)));
        bars.low.push(open.min(close) * (1.0 - random.random_range(0.0..0.01)));
        bars.close.push(close);
        bars.volume.push(random.random_range(1_000.0_f64..1_000_000.0).round());
    }
    bars
}

fn classic(criterion: &mut Criterion) {
    // As in a program that has read a file before: glibc then keeps freed memory instead of giving every page back at once.
    drop(black_box(vec![1_u8; 16 << 20]));
    let set = FeatureSet::classic();
    let mut group = criterion.benchmark_group("classic");
    for len in [250, 2_500, 50_000] {
        let symbols: Vec<Bars> = (0..16).map(|seed| bars(len, seed)).collect();
        let mut turn = symbols.iter().cycle();
        group.throughput(Throughput::Elements(len as u64));
        group.bench_function(BenchmarkId::new("bars", len), |bencher| {
            bencher.iter(|| turn.next().map(|bars| compute(black_box(&set), bars)));
        });
    }
    group.finish();
}

/// One more bar: the rows before it are not computed again.
fn continued(criterion: &mut Criterion) {
    drop(black_box(vec![1_u8; 16 << 20]));
    let set = FeatureSet::classic();
    let mut group = criterion.benchmark_group("continue");
    for (len, more) in [(250, 1), (2_500, 1), (50_000, 1), (2_500, 5), (2_500, 250)] {
        let symbols: Vec<(Bars, FeatureState)> = (0..16)
            .map(|seed| {
                let bars = bars(len, seed);
                let state = compute_with_state(&set, &bars, len - more).1;
                (bars, state)
            })
            .collect();
        let mut turn = symbols.iter().cycle();
        group.bench_function(format!("{more} of {len} bars"), |bencher| {
            bencher.iter(|| turn.next().and_then(|(bars, state)| continue_from(black_box(&set), bars, len - more, state, len)));
        });
    }
    let bars = bars(2_500, 1);
    group.bench_function("2500 bars whole, state before the last", |bencher| {
        bencher.iter(|| compute_with_state(black_box(&set), &bars, 2_499));
    });
    let state = compute_with_state(&set, &bars, 2_500).1;
    group.bench_function("state to text and back", |bencher| bencher.iter(|| FeatureState::from_text(&black_box(&state).to_text())));
    group.finish();
}

fn kernels(criterion: &mut Criterion) {
    let bars = bars(2_500, 1);
    let Bars { high, low, close, volume, .. } = &bars;
    let mut group = criterion.benchmark_group("kernel");
    group.throughput(Throughput::Elements(2_500));
    group.bench_function("ema × 4", |bencher| bencher.iter(|| smooth::exponential_averages(black_box(close), &[7, 12, 25, 26])));
    group.bench_function("rsi × 4", |bencher| bencher.iter(|| momentum::relative_strengths(black_box(close), &[6, 12, 14, 24])));
    group.bench_function("atr", |bencher| bencher.iter(|| volatility::average_true_range(black_box(high), low, close, 14)));
    group.bench_function("cci", |bencher| bencher.iter(|| momentum::commodity_channel(black_box(high), low, close, 14)));
    group.bench_function("log_return", |bencher| bencher.iter(|| price::log_return(black_box(close))));
    group.bench_function("obv", |bencher| bencher.iter(|| Obv::default().extend(black_box(close), volume)));
    group.bench_function("kdj of rsv", |bencher| bencher.iter(|| momentum::Kdj::default().extend(black_box(close))));
    group.finish();
}

fn windows(criterion: &mut Criterion) {
    let close = bars(2_500, 1).close;
    let mut group = criterion.benchmark_group("window");
    group.throughput(Throughput::Elements(2_500));
    for window in [5, 20, 60, 250, 500] {
        group.bench_with_input(BenchmarkId::new("mean", window), &window, |bencher, window| {
            bencher.iter(|| Blocks::sums(black_box(&close), *window).mean(*window));
        });
        group.bench_with_input(BenchmarkId::new("maximum", window), &window, |bencher, window| {
            bencher.iter(|| Blocks::maxima(black_box(&close), *window).extremes(*window));
        });
        group.bench_with_input(BenchmarkId::new("deviation", window), &window, |bencher, window| {
            bencher.iter(|| Spread::of(black_box(&close), *window).sample_deviation(*window));
        });
    }
    group.finish();
}

criterion_group!(benches, classic, continued, kernels, windows);
criterion_main!(benches);
