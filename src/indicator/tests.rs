//! The promises of the kernels: functions of their window alone, continued bit for bit, equal to TA-Lib where it means the same.

use super::momentum::{Kdj, Rsi};
use super::smooth::{Macd, SeededSmoothing, Smoothing};
use super::volatility::Bollinger;
use super::window::{Blocks, Spread, mean_absolute_deviation};
use super::{Obv, column, momentum, price, smooth, volatility, volume};
use proptest::prelude::*;

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// A deterministic walk of prices around a level.
fn walk(len: usize, level: f64, step: f64) -> Vec<f64> {
    let mut seed = 7_u64;
    let mut value = level;
    (0..len)
        .map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            value += step * ((seed >> 33) as f64 / (1_u64 << 30) as f64 - 1.0);
            value
        })
        .collect()
}

fn bars(len: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let close = walk(len, 100.0, 1.0);
    let high = close.iter().zip(walk(len, 1.0, 0.01)).map(|(close, more)| close + more.abs()).collect();
    let low = close.iter().zip(walk(len, 0.7, 0.01)).map(|(close, less)| close - less.abs()).collect();
    (high, low, close)
}

#[track_caller]
fn assert_close(values: &[f64], expected: &[f64], relative: f64) {
    assert_eq!(values.len(), expected.len());
    for (row, (value, expected)) in values.iter().zip(expected).enumerate() {
        assert!((value - expected).abs() <= relative * expected.abs(), "[{row}] is {value}, not {expected}");
    }
}

/// All windowed kernels over one column (and itself as other columns), as whole columns.
fn windowed(values: &[f64], window: usize) -> Vec<Vec<f64>> {
    let sums = Blocks::sums(values, window);
    let (highest, lowest) = (Blocks::maxima(values, window).extremes(window), Blocks::minima(values, window).extremes(window));
    let lead = window - 1;
    let len = values.len();
    let spread = Spread::of(values, window);
    let bands = Bollinger::of(len, &sums.mean(window), &spread, window);
    vec![
        column(len, lead, sums.sum(window).into_iter()),
        column(len, lead, spread.sample_deviation(window).into_iter()),
        column(len, lead, highest.iter().copied()),
        column(len, lead, lowest.iter().copied()),
        bands.upper,
        bands.lower,
        bands.width,
        bands.percent_b,
        momentum::commodity_channel(values, values, values, window),
        momentum::williams(values, &highest, &lowest, window),
        column(len, lead, momentum::raw_stochastic(values, &highest, &lowest, window).into_iter()),
        momentum::bias(values, &sums, window),
        momentum::psychological_line(values, window),
        volume::ratio_to_mean(values, &sums, window),
        volume::ratio_to_previous(values, &sums, window),
        price::difference(values, window),
        price::percent_change(values, window),
        volatility::deviation_of_changes(&price::percent_change(values, 1), window),
    ]
}

proptest! {
    #[test]
    fn windows_are_functions_of_their_contents(
        values in prop::collection::vec(prop_oneof![-1e6..1e6_f64, Just(0.0), Just(3.0)], 1..200),
        window in 1_usize..70,
        cut in 0_usize..200,
    ) {
        let whole = windowed(&values, window);
        let cut = cut.min(values.len());
        // Whatever stood before the cut: from the window's length (and the bar before it) on, bits are the same.
        let later = windowed(&values[cut..], window);
        for (whole, later) in whole.iter().zip(&later) {
            let warm = (cut + window + 1).min(values.len());
            prop_assert_eq!(bits(&whole[warm..]), bits(&later[warm - cut..]));
        }
    }

    #[test]
    fn windows_agree_with_the_plain_definition(
        values in prop::collection::vec(900.0..1100.0_f64, 1..150),
        window in 1_usize..70,
    ) {
        let naive = |of: &dyn Fn(&[f64]) -> f64| values.windows(window).map(of).collect::<Vec<_>>();
        let length = window as f64;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / length;
        let squares = |values: &[f64]| { let mean = mean(values); values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() };
        assert_close(&Blocks::sums(&values, window).mean(window), &naive(&mean), 1e-13);
        let largest = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let smallest = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
        prop_assert_eq!(Blocks::maxima(&values, window).extremes(window), naive(&largest));
        prop_assert_eq!(Blocks::minima(&values, window).extremes(window), naive(&smallest));
        let spread = Spread::of(&values, window);
        if window > 1 {
            assert_close(&spread.sample_deviation(window), &naive(&|values| (squares(values) / (length - 1.0)).sqrt()), 1e-9);
        }
        let absolute = |values: &[f64]| { let mean = mean(values); values.iter().map(|x| (x - mean).abs()).sum::<f64>() / length };
        let deviations = mean_absolute_deviation(&values, &spread.mean_from_last, window);
        for (value, expected) in deviations.iter().zip(naive(&absolute)) {
            prop_assert!((value - expected).abs() < 1e-10);
        }
    }

    #[test]
    fn recursions_continue_bit_for_bit(
        values in prop::collection::vec(prop_oneof![-1e3..1e3_f64, Just(0.0), Just(5.0)], 0..300),
        volumes in prop::collection::vec(0.0..1e9_f64, 300),
        first in 0_usize..300,
    ) {
        let volumes = &volumes[..values.len()];
        let at = first.min(values.len());
        let (head, tail) = values.split_at(at);
        let joined = |head: Vec<f64>, tail: Vec<f64>| bits(&[head, tail].concat());

        let windows = [7, 12, 25, 26];
        let mut state = Smoothing::exponential(windows);
        let (before, after) = (state.extend(head), state.extend(tail));
        for ((before, after), whole) in before.into_iter().zip(after).zip(smooth::exponential_averages(&values, &windows)) {
            prop_assert_eq!(joined(before, after), bits(&whole));
        }
        let mut state = Rsi::new(windows);
        let (before, after) = (state.extend(head), state.extend(tail));
        for ((before, after), whole) in before.into_iter().zip(after).zip(momentum::relative_strengths(&values, &windows)) {
            prop_assert_eq!(joined(before, after), bits(&whole));
        }
        let mut state = Kdj::default();
        let (before, after) = (state.extend(head), state.extend(tail));
        for ((before, after), whole) in before.into_iter().zip(after).zip(Kdj::default().extend(&values)) {
            prop_assert_eq!(joined(before, after), bits(&whole));
        }
        let mut state = SeededSmoothing::wilder(14);
        let (before, after) = (state.extend(head), state.extend(tail));
        prop_assert_eq!(joined(before, after), bits(&SeededSmoothing::wilder(14).extend(&values)));
        let mut state = Obv::default();
        let (before, after) = (state.extend(head, &volumes[..at]), state.extend(tail, &volumes[at..]));
        prop_assert_eq!(joined(before, after), bits(&Obv::default().extend(&values, volumes)));
        let mut state = Smoothing::exponential([9]);
        let (before, after) = (Macd::of(head, &volumes[..at], &mut state), Macd::of(tail, &volumes[at..], &mut state));
        let whole = Macd::of(&values, volumes, &mut Smoothing::exponential([9]));
        prop_assert_eq!(joined(before.dea, after.dea), bits(&whole.dea));
        prop_assert_eq!(joined(before.histogram, after.histogram), bits(&whole.histogram));
    }

    #[test]
    fn the_numbers_of_a_state_are_all_there_is_to_know(
        values in prop::collection::vec(prop_oneof![-1e3..1e3_f64, Just(0.0), Just(5.0), Just(1e308), Just(-1e308)], 2..120),
        first in 2_usize..120,
    ) {
        let (head, tail) = values.split_at(first.min(values.len()));
        let last = head[head.len() - 1];
        let all_bits = |columns: &[Vec<f64>]| columns.iter().map(|column| bits(column)).collect::<Vec<_>>();
        for windows in [&[7][..], &[7, 12], &[7, 12, 25], &[7, 12, 25, 26], &[7, 12, 25, 26, 3, 4]] {
            let mut state = smooth::ExponentialAverages::new(windows);
            state.extend(head);
            let mut again = smooth::ExponentialAverages::new(windows).continued(state.values());
            prop_assert_eq!(all_bits(&again.extend(tail)), all_bits(&state.extend(tail)));
            let mut state = momentum::RelativeStrengths::new(windows);
            state.extend(head);
            let mut again = momentum::RelativeStrengths::new(windows).continued(last, Some(state.values()));
            prop_assert_eq!(all_bits(&again.extend(tail)), all_bits(&state.extend(tail)));
        }
        // Fourteen is more than some heads have: a warm-up goes on as well.
        let mut state = SeededSmoothing::wilder(14);
        state.extend(head);
        let mut again = SeededSmoothing::wilder(14).continued(head.len(), state.value());
        prop_assert_eq!(bits(&again.extend(tail)), bits(&state.extend(tail)));
        let mut state = Kdj::default();
        state.extend(head);
        prop_assert_eq!(all_bits(&Kdj::continued(state.values()).extend(tail)), all_bits(&state.extend(tail)));
        let mut state = Obv::default();
        state.extend(head, head);
        prop_assert_eq!(bits(&Obv::continued(last, state.value()).extend(tail, tail)), bits(&state.extend(tail, tail)));
    }

    #[test]
    fn lanes_do_not_influence_one_another(values in prop::collection::vec(-1e3..1e3_f64, 0..150)) {
        let windows = [3, 7, 12, 14, 25, 26, 99];
        for (window, column) in windows.iter().zip(smooth::exponential_averages(&values, &windows)) {
            prop_assert_eq!(bits(&column), bits(&smooth::exponential_averages(&values, &[*window])[0]));
        }
        for (window, column) in windows.iter().zip(momentum::relative_strengths(&values, &windows)) {
            prop_assert_eq!(bits(&column), bits(&momentum::relative_strengths(&values, &[*window])[0]));
        }
    }

    #[test]
    fn log_returns_keep_their_digits(old in 1e-3..1e5_f64, change in prop_oneof![-0.9..5.0_f64, -1e-6..1e-6_f64, -0.25..0.25_f64]) {
        let new = old * (1.0 + change);
        let exact = ((new - old) / old).ln_1p();
        let value = price::log_return(&[old, new])[1];
        prop_assert!((value - exact).abs() <= 2e-15 * exact.abs(), "{value} {exact}");
    }
}

#[test]
fn a_million_bars_do_not_drift() {
    let mut values = walk(1_000_000, 1_000.0, 0.01);
    values[500_000] = 1e17;
    let tail = &values[values.len() - 300..];
    for (whole, fresh) in windowed(&values, 20).iter().zip(windowed(tail, 20)) {
        assert_eq!(bits(&whole[whole.len() - 10..]), bits(&fresh[fresh.len() - 10..]));
    }
    for window in [60, 250] {
        let last = |values: &[f64]| {
            let spread = Spread::of(values, window);
            let last =
                [Blocks::sums(values, window).sum(window), spread.mean_from_last, spread.squares].map(|column| column[column.len() - 1]);
            bits(&last)
        };
        assert_eq!(last(&values), last(tail));
    }
}

#[test]
fn tiny_moves_of_large_prices_keep_nine_digits() {
    // 2^20 plus small integers times 2^-20: everything is exact, so that the small part alone gives the true deviation.
    let small: Vec<f64> = walk(500, 50.0, 5.0).iter().map(|value| value.round()).collect();
    let values: Vec<f64> = small.iter().map(|value| 1_048_576.0 + value / 1_048_576.0).collect();
    for window in [2, 6, 20, 63, 250] {
        let expected: Vec<f64> = Spread::of(&small, window).sample_deviation(window).iter().map(|value| value / 1_048_576.0).collect();
        assert_close(&Spread::of(&values, window).sample_deviation(window), &expected, 1e-13);
    }
}

#[test]
fn what_ta_lib_means_the_same_is_the_same() {
    let core = ta_lib::Core::new();
    let (high, low, close) = bars(3_000);
    let last = close.len() - 1;
    let mut out = vec![0.0; close.len()];
    let check = |window: usize, ours: &[f64], relative: f64, range: Result<ta_lib::OutRange, ta_lib::RetCode>, out: &[f64]| {
        let range = range.unwrap();
        assert!(ours[..range.beg_idx].iter().all(|value| value.is_nan()), "{window}");
        assert_close(&ours[range.beg_idx..], &out[..range.count], relative);
    };
    for window in [5, 14, 20, 60] {
        let period = window as i32;
        let lead = window - 1;
        let sums = Blocks::sums(&close, window);
        let range = core.sma(0, last, &close, period, &mut out);
        check(window, &column(close.len(), lead, sums.mean(window).into_iter()), 1e-12, range, &out);
        let range = core.atr(0, last, &high, &low, &close, period, &mut out);
        check(window, &volatility::average_true_range(&high, &low, &close, window), 1e-12, range, &out);
        let range = core.roc(0, last, &close, period, &mut out);
        check(window, &price::percent_change(&close, window), 1e-9, range, &out);
        let range = core.stddev(0, last, &close, period, 1.0, &mut out);
        let deviations = Spread::of(&close, window).population_deviation(window);
        check(window, &column(close.len(), lead, deviations.into_iter()), 1e-9, range, &out);
        let (highest, lowest) = (Blocks::maxima(&high, window).extremes(window), Blocks::minima(&low, window).extremes(window));
        let range = core.willr(0, last, &high, &low, &close, period, &mut out);
        let negative: Vec<f64> = momentum::williams(&close, &highest, &lowest, window).iter().map(|value| -value).collect();
        check(window, &negative, 1e-10, range, &out);
        // CCI passes through zero, where neither has nine digits: compared as a distance.
        let range = core.cci(0, last, &high, &low, &close, period, &mut out).unwrap();
        let ours = momentum::commodity_channel(&high, &low, &close, window);
        assert!(ours[range.beg_idx..].iter().zip(&out).all(|(ours, theirs)| (ours - theirs).abs() < 1e-9));
    }
}

#[test]
fn short_and_empty_columns_have_no_values_and_do_no_harm() {
    for len in [0, 1, 2] {
        let values = walk(len, 10.0, 1.0);
        for window in [1, 2, 3, 64, 100_000] {
            for column in windowed(&values, window) {
                assert_eq!(column.len(), len);
            }
        }
        assert_eq!(volatility::average_true_range(&values, &values, &values, 14).len(), len);
        assert_eq!(price::log_return(&values).len(), len);
        assert_eq!(Obv::default().extend(&values, &values).len(), len);
        assert_eq!(momentum::relative_strengths(&values, &[6])[0].len(), len);
    }
    assert!(Blocks::sums(&[1.0, 2.0], 0).mean(0).is_empty());
    assert!(Spread::of(&[1.0, 2.0], 0).mean_from_last.is_empty());
}

#[test]
fn flat_and_zero_denominators() {
    let flat = [0.1; 40];
    let spread = Spread::of(&flat, 20);
    assert!(spread.squares.iter().all(|squares| *squares == 0.0));
    let bands = Bollinger::of(40, &Blocks::sums(&flat, 20).mean(20), &spread, 20);
    assert_eq!((bands.width[39], bands.middle[39]), (0.0, 0.1));
    assert!(bands.percent_b.iter().all(|value| value.is_nan()));
    assert_eq!(momentum::relative_strengths(&flat, &[6])[0][39], 50.0);
    assert_eq!(momentum::commodity_channel(&flat, &flat, &flat, 14)[39], 0.0);
    assert_eq!(momentum::raw_stochastic(&flat, &flat[8..], &flat[8..], 9)[0], 50.0);
    assert_eq!(Kdj::default().extend(&[50.0; 3]).map(|line| line[2]), [50.0; 3]);
    let zeros = [0.0; 40];
    assert!(volume::ratio_to_mean(&zeros, &Blocks::sums(&zeros, 20), 20).iter().all(|value| value.is_nan()));
    let signs = price::log_return(&[1.0, 2.0, 0.0, 3.0, -3.0, -1.5, 1.5]);
    assert!((signs[1] - 2.0_f64.ln()).abs() < 1e-15 && (signs[5] + 2.0_f64.ln()).abs() < 1e-15);
    assert!([0, 2, 3, 4, 6].iter().all(|bar| signs[*bar].is_nan()));
    // One change without a base: every window that holds it is without a value, the others are not.
    let mut closes = walk(60, 100.0, 1.0);
    closes[25] = 0.0;
    let deviations = volatility::deviation_of_changes(&price::percent_change(&closes, 1), 20);
    let undefined: Vec<usize> = (20..60).filter(|bar| deviations[*bar].is_nan()).collect();
    assert_eq!(undefined, (26..46).collect::<Vec<_>>());
}
