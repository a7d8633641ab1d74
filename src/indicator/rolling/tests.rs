//! The promises of windows and recursions.

use super::lanes::plainly as on_any_processor;
use super::plain;
use super::{Finite, PairStatistic, PairWant, Recursion, Register, Scratch, Statistic, Step, Want, WarmUp, family, pair_family, recur};
use proptest::prelude::*;

const WARM_UPS: [WarmUp; 2] = [WarmUp::Strict, WarmUp::Partial];

fn statistics() -> Vec<Statistic> {
    use Statistic::{
        Count, Demean, IdxMax, IdxMin, Kurt, Mad, Max, Mean, Med, Min, Quantile, Rank, Resi, Rsquare, Skew, Slope, Std, Stdp, Sum, Var, Wma,
    };
    let quantile = |share| Quantile(Finite::new(share).unwrap());
    vec![
        Mean,
        Sum,
        Std,
        Stdp,
        Var,
        Skew,
        Kurt,
        Max,
        Min,
        IdxMax,
        IdxMin,
        quantile(0.8),
        quantile(0.2),
        Med,
        Mad,
        Rank,
        Count,
        Slope,
        Rsquare,
        Resi,
        Wma,
        Demean,
        quantile(0.0),
        quantile(1.0),
        quantile(0.37),
    ]
}

/// Equal to the last bit; null is null, and zero is zero.
fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan() || a == 0.0 && b == 0.0
}

#[track_caller]
fn assert_same(values: &[f64], expected: &[f64], from: usize, what: &str) {
    assert_eq!(values.len(), expected.len(), "{what}");
    for (row, (value, expected)) in values.iter().zip(expected).enumerate().skip(from) {
        assert!(same(*value, *expected), "{what}: [{row}] is {value:e}, not {expected:e}");
    }
}

/// Every statistic by its definition.
fn plainly(values: &[f64], want: Want) -> Vec<f64> {
    (0..values.len())
        .map(|row| {
            let window = &values[(row + 1).saturating_sub(want.window)..=row];
            plain::statistic(window, window.len() == want.window, want.statistic, want.warm_up)
        })
        .collect()
}

fn pairs_plainly(x: &[f64], y: &[f64], want: PairWant) -> Vec<f64> {
    (0..x.len())
        .map(|row| {
            let first = (row + 1).saturating_sub(want.window);
            plain::pair_statistic(&x[first..=row], &y[first..=row], row + 1 - first == want.window, want.statistic, want.warm_up)
        })
        .collect()
}

fn wants(windows: &[usize]) -> Vec<Want> {
    let all = |window: &usize| {
        let window = *window;
        statistics().into_iter().flat_map(move |statistic| WARM_UPS.map(|warm_up| Want { statistic, window, warm_up }))
    };
    windows.iter().flat_map(all).collect()
}

fn pair_wants(windows: &[usize]) -> Vec<PairWant> {
    let all = |window: &usize| {
        let window = *window;
        [PairStatistic::Corr, PairStatistic::Cov]
            .into_iter()
            .flat_map(move |statistic| WARM_UPS.map(|warm_up| PairWant { statistic, window, warm_up }))
    };
    windows.iter().flat_map(all).collect()
}

fn compute(values: &[f64], at_start: bool, wants: &[Want], scratch: &mut Scratch) -> Vec<Vec<f64>> {
    // What outputs held before does not matter.
    let mut outputs = vec![vec![7.0; 3]; wants.len()];
    family(values, at_start, wants, &mut outputs, scratch);
    outputs
}

fn compute_pairs(x: &[f64], y: &[f64], at_start: bool, wants: &[PairWant], scratch: &mut Scratch) -> Vec<Vec<f64>> {
    let mut outputs = vec![vec![7.0; 3]; wants.len()];
    pair_family(x, y, at_start, wants, &mut outputs, scratch);
    outputs
}

/// A deterministic walk of prices around a level, to the cent, so that some are equal.
fn walk(len: usize, level: f64, step: f64) -> Vec<f64> {
    let mut seed = 7_u64;
    let mut value = level;
    (0..len)
        .map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            value += step * ((seed >> 33) as f64 / (1_u64 << 30) as f64 - 1.0);
            (value * 100.0).round() / 100.0
        })
        .collect()
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![4 => -1e3..1e3_f64, 2 => (-3..3_i32).prop_map(f64::from), 1 => Just(1e12), 1 => Just(1e-9)]
}

/// Values with a lead of nulls, and sometimes nulls between them.
fn series() -> impl Strategy<Value = Vec<f64>> {
    let holes = prop_oneof![3 => Just(0.0), 1 => Just(0.05), 1 => Just(0.6)];
    (0_usize..30, holes).prop_flat_map(|(lead, holes)| {
        let value = (value(), 0.0..1.0_f64).prop_map(move |(value, chance)| if chance < holes { f64::NAN } else { value });
        prop::collection::vec(value, 0..160).prop_map(move |values| [vec![f64::NAN; lead], values].concat())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn windows_are_what_they_are_defined_as(values in series(), windows in prop::collection::vec(1_usize..90, 1..4)) {
        let wants = wants(&windows);
        for (want, output) in wants.iter().zip(compute(&values, true, &wants, &mut Scratch::default())) {
            assert_same(&output, &plainly(&values, *want), 0, &format!("{want:?}"));
        }
    }

    #[test]
    fn pairs_are_what_they_are_defined_as(x in series(), y in series(), windows in prop::collection::vec(1_usize..90, 1..4)) {
        let len = x.len().min(y.len());
        let (x, y) = (&x[..len], &y[..len]);
        let wants = pair_wants(&windows);
        for (want, output) in wants.iter().zip(compute_pairs(x, y, true, &wants, &mut Scratch::default())) {
            assert_same(&output, &pairs_plainly(x, y, *want), 0, &format!("{want:?}"));
        }
    }

    #[test]
    fn windows_do_not_know_what_came_before(values in series(), other in series(), cut in 0_usize..190, windows in prop::collection::vec(1_usize..50, 1..4)) {
        let cut = cut.min(values.len());
        let mut scratch = Scratch::default();
        let wants = wants(&windows);
        let whole = compute(&values, true, &wants, &mut scratch);
        let later = compute(&values[cut..], cut == 0, &wants, &mut scratch);
        for (want, (whole, later)) in wants.iter().zip(whole.iter().zip(&later)) {
            let from = if cut == 0 { 0 } else { want.window - 1 };
            assert_same(later, &whole[cut..], from, &format!("{want:?}"));
        }
        let len = values.len().min(other.len());
        let (x, y, cut) = (&values[..len], &other[..len], cut.min(len));
        let wants = pair_wants(&windows);
        let whole = compute_pairs(x, y, true, &wants, &mut scratch);
        let later = compute_pairs(&x[cut..], &y[cut..], cut == 0, &wants, &mut scratch);
        for (want, (whole, later)) in wants.iter().zip(whole.iter().zip(&later)) {
            let from = if cut == 0 { 0 } else { want.window - 1 };
            assert_same(later, &whole[cut..], from, &format!("{want:?}"));
        }
    }

    #[test]
    fn every_processor_gives_the_same_bits(values in series(), other in series(), windows in prop::collection::vec(1_usize..90, 1..4)) {
        let mut scratch = Scratch::default();
        // Long enough for what is only done for long series.
        let values = values.repeat(4);
        let wants = wants(&windows);
        let widest = compute(&values, true, &wants, &mut scratch);
        for (want, (widest, plain)) in wants.iter().zip(widest.iter().zip(on_any_processor(|| compute(&values, true, &wants, &mut scratch)))) {
            assert_same(widest, &plain, 0, &format!("{want:?}"));
        }
        let wants = pair_wants(&windows);
        let widest = compute_pairs(&values, &other, true, &wants, &mut scratch);
        for (want, (widest, plain)) in
            wants.iter().zip(widest.iter().zip(on_any_processor(|| compute_pairs(&values, &other, true, &wants, &mut scratch))))
        {
            assert_same(widest, &plain, 0, &format!("{want:?}"));
        }
    }

    #[test]
    fn what_is_asked_together_does_not_matter(values in series(), windows in prop::collection::vec(1_usize..90, 1..4)) {
        let mut scratch = Scratch::default();
        let wants = wants(&windows);
        for (want, together) in wants.iter().zip(compute(&values, true, &wants, &mut scratch)) {
            assert_same(&compute(&values, true, &[*want], &mut scratch)[0], &together, 0, &format!("{want:?}"));
        }
    }
}

/// Long enough for several chunks, with windows on both sides of every limit there is.
#[test]
fn long_series_are_what_they_are_defined_as() {
    let mut values = walk(9_500, 100.0, 0.5);
    for holes in [false, true] {
        if holes {
            values[3].clone_from(&f64::NAN);
            for hole in [700, 4_095, 4_096, 5_000, 5_001, 8_191] {
                values[hole] = f64::NAN;
            }
        }
        for windows in [&[5, 63, 64, 65][..], &[127, 128, 129, 256, 257], &[500], &[1_023], &[2_047, 20], &[2_500], &[9_499, 9_500, 9_501]]
        {
            let wants = wants(windows);
            let mut scratch = Scratch::default();
            for (want, output) in wants.iter().zip(compute(&values, true, &wants, &mut scratch)) {
                // The definition is slow: some rows of each.
                for row in (0..values.len()).filter(|row| row % 211 == 0 || (4_080..4_110).contains(row) && row % 5 == 0) {
                    let window = &values[(row + 1).saturating_sub(want.window)..=row];
                    let expected = plain::statistic(window, window.len() == want.window, want.statistic, want.warm_up);
                    assert!(same(output[row], expected), "{want:?}: [{row}] is {:e}, not {expected:e}", output[row]);
                }
            }
        }
    }
}

/// A sum and the rounding errors it has left out, which is as good as twice the digits.
fn compensated(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut error) = (0.0_f64, 0.0);
    for value in values {
        let next = sum + value;
        error += if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    }
    sum + error
}

/// Deviations and means in two passes over each window, with compensated sums.
fn two_passes(window: &[f64]) -> (f64, f64) {
    let count = window.len() as f64;
    let from_first = compensated(window.iter().map(|value| value - window[0])) / count;
    let squares = compensated(window.iter().map(|value| (value - window[0] - from_first).powi(2)));
    (compensated(window.iter().copied()) / count, (squares / (count - 1.0)).sqrt())
}

#[test]
fn a_million_values_do_not_drift() {
    // Tiny moves far from zero, a value that a running sum would never get over, and a stretch in which nothing moves.
    let mut values: Vec<f64> = walk(1_000_000, 10_000.0, 0.02);
    values[400_000] = 1e17;
    values[700_000..700_600].fill(9_999.99);
    let statistics = [Statistic::Mean, Statistic::Std, Statistic::Mad, Statistic::Skew, Statistic::Slope, Statistic::Rsquare];
    let windows = [5, 60, 500];
    let wants: Vec<Want> = windows
        .iter()
        .flat_map(|window| statistics.map(|statistic| Want { statistic, window: *window, warm_up: WarmUp::Strict }))
        .collect();
    let mut scratch = Scratch::default();
    let outputs = compute(&values, true, &wants, &mut scratch);
    for (want, output) in wants.iter().zip(&outputs) {
        let tail = &values[999_000..];
        let fresh = &compute(tail, false, &[*want], &mut scratch)[0];
        assert_same(&output[999_500..], &fresh[500..], 0, &format!("{want:?}"));
        let flat = output[700_550];
        match want.statistic {
            Statistic::Mean => assert_eq!(flat, 9_999.99),
            Statistic::Rsquare => assert!(flat.is_nan()),
            _ => assert_eq!(flat, 0.0, "{want:?}"),
        }
        for row in (1_000..1_000_000).step_by(4_999).filter(|row| !(399_000..401_000).contains(row)) {
            let (mean, deviation) = two_passes(&values[row + 1 - want.window..=row]);
            match want.statistic {
                Statistic::Mean => assert!((output[row] - mean).abs() <= 4e-16 * mean, "{want:?} {row}"),
                Statistic::Std => assert!((output[row] - deviation).abs() <= 1e-13 * deviation, "{want:?} {row}"),
                _ => {}
            }
        }
    }
}

/// Windows of a length that nobody would wait for if their length had a cost.
#[test]
fn the_longest_windows_are_computed() {
    let mut values = walk(250_000, 100.0, 0.5);
    values[1_000] = f64::NAN;
    let window = 100_000;
    let wants: Vec<Want> = statistics().into_iter().map(|statistic| Want { statistic, window, warm_up: WarmUp::Partial }).collect();
    let outputs = compute(&values, true, &wants, &mut Scratch::default());
    for (want, output) in wants.iter().zip(&outputs) {
        for row in [50_000, 100_500, 249_999] {
            let part = &values[(row + 1_usize).saturating_sub(window)..=row];
            let expected = plain::statistic(part, part.len() == window, want.statistic, want.warm_up);
            assert!(same(output[row], expected), "{want:?}: [{row}] is {:e}, not {expected:e}", output[row]);
        }
    }
}

#[test]
fn a_small_window_by_hand() {
    let values = [1.0, 2.0, 4.0, f64::NAN, 8.0];
    let ask = |statistic, warm_up| {
        let mut outputs = [Vec::new()];
        family(&values, true, &[Want { statistic, window: 3, warm_up }], &mut outputs, &mut Scratch::default());
        outputs[0].iter().map(|value| format!("{value:.4}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ask(Statistic::Mean, WarmUp::Strict), "NaN NaN 2.3333 NaN NaN");
    assert_eq!(ask(Statistic::Mean, WarmUp::Partial), "1.0000 1.5000 2.3333 3.0000 6.0000");
    assert_eq!(ask(Statistic::Slope, WarmUp::Partial), "NaN 1.0000 1.5000 2.0000 2.0000");
    assert_eq!(ask(Statistic::Resi, WarmUp::Partial), "NaN 0.0000 0.1667 NaN 0.0000");
    assert_eq!(ask(Statistic::Rank, WarmUp::Partial), "1.0000 1.0000 1.0000 NaN 1.0000");
    assert_eq!(ask(Statistic::IdxMax, WarmUp::Partial), "1.0000 2.0000 3.0000 2.0000 3.0000");
    assert_eq!(ask(Statistic::Wma, WarmUp::Partial), "1.0000 1.6667 2.8333 3.3333 7.0000");
    assert_eq!(ask(Statistic::Count, WarmUp::Partial), "1.0000 2.0000 3.0000 2.0000 2.0000");
}

#[test]
fn recursions_by_hand() {
    let run = |recursion, input: &[f64]| {
        let mut register = Register::before_first(recursion);
        let mut output = vec![0.0; input.len()];
        recur(&mut [Step { recursion, input, register: &mut register, output: &mut output }]);
        output.iter().map(|value| format!("{value:.4}")).collect::<Vec<_>>().join(" ")
    };
    let values = [10.0, f64::NAN, 14.0, 11.0];
    assert_eq!(run(Recursion::Ema { window: 3 }, &values), "10.0000 NaN 12.0000 11.5000");
    assert_eq!(run(Recursion::EmaAdjusted { window: 3 }, &values), "10.0000 10.0000 13.2000 11.8462");
    assert_eq!(run(Recursion::Rma { window: 2 }, &values), "NaN NaN 12.0000 11.5000");
    assert_eq!(run(Recursion::CumSum, &values), "10.0000 NaN 24.0000 35.0000");
}

fn recursions() -> impl Strategy<Value = Recursion> {
    prop_oneof![
        (1_usize..30).prop_map(|window| Recursion::Ema { window }),
        (1_usize..30).prop_map(|window| Recursion::EmaAdjusted { window }),
        (1_usize..30).prop_map(|window| Recursion::Rma { window }),
        (1_usize..30, 0.0..1.0_f64, prop::option::of(-50.0..50.0_f64)).prop_map(|(window, part, seed)| Recursion::Sma {
            window,
            weight: 1 + (part * (window - 1) as f64) as usize,
            seed: seed.and_then(Finite::new),
        }),
        Just(Recursion::CumSum),
    ]
}

fn recurred(recursion: Recursion, register: &mut Register, input: &[f64]) -> Vec<f64> {
    let mut output = vec![0.0; input.len()];
    recur(&mut [Step { recursion, input, register, output: &mut output }]);
    output
}

proptest! {
    #[test]
    fn recursions_go_on_from_their_registers_and_do_not_know_each_other(
        values in series(),
        other in series(),
        recursions in prop::collection::vec(recursions(), 1..14),
        cut in 0_usize..190,
    ) {
        let len = values.len().min(other.len());
        let inputs = [&values[..len], &other[..len]];
        let cut = cut.min(len);
        let mut together: Vec<(Register, Vec<f64>)> =
            recursions.iter().map(|recursion| (Register::before_first(*recursion), vec![7.0; len])).collect();
        let steps = recursions.iter().zip(&mut together).enumerate();
        let mut steps: Vec<Step<'_>> = steps
            .map(|(place, (recursion, (register, output)))| Step { recursion: *recursion, input: inputs[place % 2], register, output })
            .collect();
        recur(&mut steps);
        for (place, (recursion, (register, output))) in recursions.iter().zip(&together).enumerate() {
            let mut own = Register::before_first(*recursion);
            let before = recurred(*recursion, &mut own, &inputs[place % 2][..cut]);
            let after = recurred(*recursion, &mut own, &inputs[place % 2][cut..]);
            assert_same(output, &[before, after].concat(), 0, &format!("{recursion:?}"));
            prop_assert_eq!(own.0.map(f64::to_bits), register.0.map(f64::to_bits));
        }
    }
}

/// Bit for bit what the kernels of single indicators give, on values without nulls.
#[test]
fn kernels_of_indicators_are_these() {
    use crate::indicator::column;
    use crate::indicator::smooth::{SeededSmoothing, Smoothing, exponential_averages};
    use crate::indicator::window::{Blocks, Spread, mean_absolute_deviation};
    let values = walk(3_000, 100.0, 1.0);
    let mut scratch = Scratch::default();
    for window in [1, 2, 5, 9, 14, 20, 60, 64, 250] {
        let lead = window - 1;
        let expect = |statistic, expected: Vec<f64>, scratch: &mut Scratch| {
            let output = compute(&values, true, &[Want { statistic, window, warm_up: WarmUp::Strict }], scratch).remove(0);
            let expected = column(values.len(), lead, expected.into_iter());
            assert!(
                output.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()),
                "{statistic:?} {window}"
            );
        };
        let (sums, spread) = (Blocks::sums(&values, window), Spread::of(&values, window));
        expect(Statistic::Sum, sums.sum(window), &mut scratch);
        expect(Statistic::Mean, sums.mean(window), &mut scratch);
        expect(Statistic::Max, Blocks::maxima(&values, window).extremes(window), &mut scratch);
        expect(Statistic::Min, Blocks::minima(&values, window).extremes(window), &mut scratch);
        expect(Statistic::Stdp, spread.population_deviation(window), &mut scratch);
        expect(Statistic::Std, spread.sample_deviation(window), &mut scratch);
        expect(Statistic::Mad, mean_absolute_deviation(&values, &spread.mean_from_last, window), &mut scratch);
        expect(Statistic::Demean, spread.mean_from_last.iter().map(|mean| -mean).collect(), &mut scratch);
        let recursive = |recursion| recurred(recursion, &mut Register::before_first(recursion), &values);
        assert_same(&recursive(Recursion::Ema { window }), &exponential_averages(&values, &[window])[0], 0, "average");
        let [wilder] = Smoothing::wilder([window]).extend(&values);
        assert_same(&recursive(Recursion::Sma { window, weight: 1, seed: None }), &wilder, 0, "smoothing");
        assert_same(&recursive(Recursion::Rma { window }), &SeededSmoothing::wilder(window).extend(&values), 0, "seeded smoothing");
    }
    let kdj = crate::indicator::momentum::Kdj::default().extend(&values);
    let seed = Finite::new(50.0);
    let k = recurred(Recursion::Sma { window: 3, weight: 1, seed }, &mut Register([50.0, 1.0]), &values);
    assert_same(&k, &kdj[0], 0, "k");
}
