//! The promise of going on from a state: whatever the set, the bars and the places where they were cut, the bits are those
//! of computing everything at once.

use super::*;
use crate::market::{Bars, DAY_US};
use proptest::prelude::*;
use std::ops::Range;

/// Where a series is cut: anywhere, and often in the first rows, where warm-ups begin.
fn cuts() -> impl Strategy<Value = usize> {
    prop_oneof![1 => 0_usize..4, 2 => 0_usize..150]
}

/// Any kernel, with windows that are longer than some of the series.
fn kernels() -> impl Strategy<Value = Kernel> {
    let window = || prop_oneof![4 => 1_usize..12, 2 => 12_usize..40, 1 => 40_usize..90];
    prop_oneof![
        (window(), prop::bool::ANY)
            .prop_map(|(window, of_close)| Kernel::MovingAverage { input: if of_close { Input::Close } else { Input::Volume }, window }),
        window().prop_map(|window| Kernel::ExponentialAverage { window }),
        (window(), window(), window(), prop::sample::select(vec![MacdLine::Dif, MacdLine::Dea, MacdLine::Histogram]))
            .prop_map(|(fast, slow, signal, line)| Kernel::Macd { fast, slow, signal, line }),
        window().prop_map(|window| Kernel::Rsi { window }),
        (
            window(),
            prop::sample::select(vec![
                BollingerLine::Middle,
                BollingerLine::Upper,
                BollingerLine::Lower,
                BollingerLine::Width,
                BollingerLine::PercentB
            ])
        )
            .prop_map(|(window, line)| Kernel::Bollinger { window, line }),
        (window(), prop::sample::select(vec![KdjLine::K, KdjLine::D, KdjLine::J])).prop_map(|(window, line)| Kernel::Kdj { window, line }),
        window().prop_map(|window| Kernel::AverageTrueRange { window }),
        window().prop_map(|window| Kernel::Cci { window }),
        window().prop_map(|window| Kernel::WilliamsR { window }),
        Just(Kernel::OnBalanceVolume),
        window().prop_map(|window| Kernel::Momentum { window }),
        window().prop_map(|window| Kernel::RateOfChange { window }),
        Just(Kernel::LogReturn),
        Just(Kernel::Amplitude),
        Just(Kernel::Gap),
        window().prop_map(|window| Kernel::Volatility { window: window + 1 }),
        window().prop_map(|window| Kernel::VolumeRatioToPrevious { window }),
        window().prop_map(|window| Kernel::VolumeRatio { window }),
        Just(Kernel::VolumeChange),
        Just(Kernel::TurnoverRate),
        window().prop_map(|window| Kernel::Bias { window }),
        window().prop_map(|window| Kernel::PsychologicalLine { window }),
    ]
}

fn sets() -> impl Strategy<Value = FeatureSet> {
    let own = prop::collection::vec(kernels(), 0..12).prop_map(|kernels| {
        let named = kernels.into_iter().enumerate().map(|(place, kernel)| Definition::new(format!("feature{place}"), kernel));
        FeatureSet::with_definitions("own", named.collect()).unwrap()
    });
    prop_oneof![1 => Just(FeatureSet::classic()), 3 => own]
}

/// Prices of one kind for a whole series: a market, one that stands still, one of few ticks, and nonsense up to overflow.
fn prices() -> BoxedStrategy<f64> {
    prop_oneof![4 => 1.0..200.0_f64, 1 => Just(10.1)].boxed()
}

fn price_kinds() -> impl Strategy<Value = BoxedStrategy<f64>> {
    prop_oneof![
        4 => Just(prices()),
        1 => Just(Just(7.3).boxed()),
        2 => Just(prop::sample::select(vec![0.1, 0.2, 0.3, 9_999.99, 10_000.0, 10_000.01]).boxed()),
        1 => Just(prop::sample::select(vec![0.0, -0.0, -3.0, 1.0, 1e300, -1e300, f64::MAX, f64::MIN, 5e-324]).boxed()),
    ]
}

fn bars_of(len: Range<usize>) -> impl Strategy<Value = Bars> {
    (price_kinds(), len).prop_flat_map(|(price, len)| {
        let column = || prop::collection::vec(price.clone(), len);
        let volume = prop_oneof![9 => (0.0..1e9_f64).prop_map(f64::round), 3 => Just(0.0), 3 => 0.0..1e9_f64, 1 => Just(f64::MAX)];
        let sparse = || prop::option::of(prop::collection::vec(prop_oneof![0.0..30.0_f64, Just(f64::NAN), Just(f64::INFINITY)], len));
        (column(), column(), column(), column(), prop::collection::vec(volume, len), sparse(), sparse()).prop_map(
            move |(open, high, low, close, volume, amount, turnover)| Bars {
                time_us: (0..len as i64).map(|day| day * DAY_US).collect(),
                open,
                high,
                low,
                close,
                volume,
                amount,
                turnover,
                ..Bars::default()
            },
        )
    })
}

fn rows(bars: &Bars, rows: Range<usize>) -> Bars {
    let cut = |column: &Vec<f64>| column[rows.clone()].to_vec();
    Bars {
        resolution: bars.resolution,
        time_us: bars.time_us[rows.clone()].to_vec(),
        open: cut(&bars.open),
        high: cut(&bars.high),
        low: cut(&bars.low),
        close: cut(&bars.close),
        volume: cut(&bars.volume),
        amount: bars.amount.as_ref().map(cut),
        turnover: bars.turnover.as_ref().map(cut),
    }
}

/// The bits of a table's rows, one NaN like another.
fn bits(table: &FeatureTable, rows: Range<usize>) -> Vec<Vec<u64>> {
    let bits = |value: &f64| if value.is_nan() { f64::NAN } else { *value }.to_bits();
    table.columns.iter().map(|column| column[rows.clone()].iter().map(bits).collect()).collect()
}

fn all_bits(table: &FeatureTable) -> Vec<Vec<u64>> {
    bits(table, 0..table.len())
}

/// The state after a detour through its text, as it takes between two preheats.
fn kept(state: &FeatureState) -> FeatureState {
    let read = FeatureState::from_text(&state.to_text()).unwrap();
    assert_eq!(read, *state);
    read
}

fn start(set: &FeatureSet) -> FeatureState {
    compute_with_state(set, &Bars::default(), 0).1
}

/// The features of bars that arrive batch by batch; `ends` are the lengths after each.
fn appended(set: &FeatureSet, bars: &Bars, ends: impl IntoIterator<Item = usize>) -> (FeatureTable, FeatureState) {
    let mut state = start(set);
    let mut table = compute(set, &Bars { resolution: bars.resolution, ..Bars::default() });
    for end in ends {
        let (more, next) = continue_from(set, &rows(bars, 0..end), state.rows(), &kept(&state), end).unwrap();
        assert_eq!((more.len(), next.rows()), (end - state.rows(), end));
        table.time_us.extend(more.time_us);
        for (column, more) in table.columns.iter_mut().zip(more.columns) {
            column.extend(more);
        }
        state = next;
    }
    (table, state)
}

/// Bars of which all rows before `row` − look-back are something else entirely.
fn forgotten(bars: &Bars, set: &FeatureSet, row: usize) -> Bars {
    let mut bars = bars.clone();
    let gone = row.saturating_sub(look_back(set));
    for column in [&mut bars.open, &mut bars.high, &mut bars.low, &mut bars.close, &mut bars.volume] {
        column[..gone].fill(f64::NAN);
    }
    bars
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn however_bars_arrive_the_bits_are_the_same(
        set in sets(),
        bars in bars_of(0..150),
        mut ends in prop::collection::vec(cuts(), 0..8),
    ) {
        let len = bars.len();
        let whole = compute(&set, &bars);
        let (at_once, state) = compute_with_state(&set, &bars, len);
        prop_assert_eq!(all_bits(&at_once), all_bits(&whole));

        let (one_by_one, after) = appended(&set, &bars, 1..=len);
        prop_assert_eq!(all_bits(&one_by_one), all_bits(&whole));
        prop_assert_eq!(&one_by_one.time_us, &whole.time_us);
        prop_assert_eq!(&after, &state);

        ends.retain(|end| *end < len);
        ends.sort_unstable();
        ends.push(len);
        let (in_batches, after) = appended(&set, &bars, ends);
        prop_assert_eq!(all_bits(&in_batches), all_bits(&whole));
        prop_assert_eq!(&after, &state);
    }

    #[test]
    fn only_the_look_back_is_read(set in sets(), bars in bars_of(1..150), cut in cuts(), note in cuts()) {
        let row = cut.min(bars.len());
        let note = (row + note).min(bars.len());
        let state = compute_with_state(&set, &rows(&bars, 0..row), row).1;
        let (table, after) = continue_from(&set, &forgotten(&bars, &set, row), row, &state, note).unwrap();
        prop_assert_eq!(all_bits(&table), bits(&compute(&set, &bars), row..bars.len()));
        prop_assert_eq!(after, compute_with_state(&set, &bars, note).1);
    }

    #[test]
    fn provisional_rows_leave_no_trace(
        set in sets(),
        (first, second) in (bars_of(1..130), bars_of(1..130)),
        cut in cuts(),
    ) {
        // The same settled bars, and after them other provisional ones, perhaps more or fewer.
        let settled = cut.min(first.len()).min(second.len());
        let mut second = second;
        for (column, settled_column) in [
            (&mut second.open, &first.open),
            (&mut second.high, &first.high),
            (&mut second.low, &first.low),
            (&mut second.close, &first.close),
            (&mut second.volume, &first.volume),
        ] {
            column[..settled].copy_from_slice(&settled_column[..settled]);
        }
        let (table, state) = compute_with_state(&set, &first, settled);
        prop_assert_eq!(all_bits(&table), all_bits(&compute(&set, &first)));
        prop_assert_eq!(state.rows(), settled);
        let (again, same) = continue_from(&set, &second, settled, &kept(&state), settled).unwrap();
        prop_assert_eq!(&same, &state);
        let (settled_later, later) = continue_from(&set, &second, settled, &state, second.len()).unwrap();
        let whole = compute_with_state(&set, &second, usize::MAX);
        prop_assert_eq!(all_bits(&again), bits(&whole.0, settled..second.len()));
        prop_assert_eq!(all_bits(&settled_later), all_bits(&again));
        prop_assert_eq!(later, whole.1);
    }

    #[test]
    fn a_changed_text_is_another_state_or_none(set in sets(), bars in bars_of(0..60), place in 0_usize..2_000, bit in 0_u8..7) {
        let state = compute_with_state(&set, &bars, bars.len()).1;
        let mut text = state.to_text().into_bytes();
        let place = place % text.len();
        text[place] ^= 1 << bit;
        if let Ok(read) = FeatureState::from_text(&String::from_utf8(text).unwrap()) {
            prop_assert_ne!(read, state);
        }
    }
}

fn walk(len: usize) -> Bars {
    let close: Vec<f64> = (0..len).map(|day| 50.0 + ((day * 7) % 11) as f64 + day as f64 / 10.0).collect();
    Bars {
        time_us: (0..len as i64).map(|day| day * DAY_US).collect(),
        open: close.iter().map(|close| close - 0.5).collect(),
        high: close.iter().map(|close| close + 1.0).collect(),
        low: close.iter().map(|close| close - 1.5).collect(),
        volume: close.iter().map(|close| 1_000.0 + close.floor()).collect(),
        close,
        ..Bars::default()
    }
}

#[test]
fn every_row_is_a_place_to_go_on_from_and_to_note_a_state_at() {
    let short = |kernel: Kernel| match kernel {
        Kernel::MovingAverage { input, .. } => Kernel::MovingAverage { input, window: 6 },
        Kernel::Rsi { window } => Kernel::Rsi { window: window / 2 },
        Kernel::AverageTrueRange { .. } => Kernel::AverageTrueRange { window: 5 },
        Kernel::Kdj { line, .. } => Kernel::Kdj { window: 4, line },
        other => other,
    };
    let classic = FeatureSet::classic();
    let shorter = classic.definitions().iter().map(|known| Definition::new(Arc::clone(&known.name), short(known.kernel))).collect();
    let shorter = FeatureSet::with_definitions("short", shorter).unwrap();
    let bars = walk(24);
    for set in [classic, shorter] {
        let states: Vec<FeatureState> = (0..=24).map(|row| compute_with_state(&set, &rows(&bars, 0..row), row).1).collect();
        let whole = compute(&set, &bars);
        for from in 0..=24 {
            for note in from..=24 {
                let (table, state) = continue_from(&set, &bars, from, &states[from], note).unwrap();
                assert_eq!(all_bits(&table), bits(&whole, from..24), "from {from}, noted at {note}");
                assert_eq!(state, states[note], "from {from}, noted at {note}");
            }
        }
    }
}

/// The state's numbers are few, and a thousand rows need no more of them than none.
#[test]
fn the_text_of_classic_is_small() {
    let set = FeatureSet::classic();
    let text = compute_with_state(&set, &walk(1_000), 1_000).1.to_text();
    assert!(text.len() < 400, "{} bytes", text.len());
    assert!(text.is_ascii());
    assert!(text.starts_with(&format!("1 {} 1000 ", set.definition_hash().full())));
}

#[test]
fn the_text_of_a_known_state_is_always_the_same() {
    // What is in files must stay readable: another form needs another version at its start.
    let kernels = [Kernel::ExponentialAverage { window: 3 }, Kernel::Kdj { window: 2, line: KdjLine::J }, Kernel::OnBalanceVolume];
    let named = kernels.into_iter().zip(["a", "b", "c"]).map(|(kernel, name)| Definition::new(name, kernel)).collect();
    let set = FeatureSet::with_definitions("three", named).unwrap();
    assert_eq!(
        start(&set).to_text(),
        format!("1 {} 0 0000000000000000 0000000000000000404900000000000040490000000000000000000000000000", set.definition_hash().full())
    );
    // The first close, k and d still 50, the first volume.
    let text = compute_with_state(&set, &walk(1), 1).1.to_text();
    let numbers = ["4049000000000000", "4049000000000000", "4049000000000000", "4090680000000000"].concat();
    let (before, mark) = text.strip_suffix(&format!(" {numbers}")).and_then(|rest| rest.rsplit_once(' ')).unwrap();
    assert_eq!(before, format!("1 {} 1", set.definition_hash().full()));
    assert_eq!(mark, "81856ba2289cc178");
}

#[test]
fn a_state_of_another_set_row_or_bar_is_refused() {
    let (set, bars) = (FeatureSet::classic(), walk(100));
    let state = compute_with_state(&set, &bars, 90).1;
    let goes_on = |set: &FeatureSet, bars: &Bars, from, state: &FeatureState, at| continue_from(set, bars, from, state, at).is_some();
    assert!(goes_on(&set, &bars, 90, &state, 95));
    assert!(goes_on(&set, &rows(&bars, 0..90), 90, &state, 90), "nothing new is no reason to refuse");

    let shorter = set.part("classic", |definition| &*definition.name != "ma5");
    assert!(!goes_on(&shorter, &bars, 90, &state, 95), "another set");
    assert!(!goes_on(&set, &bars, 89, &state, 95) && !goes_on(&set, &bars, 91, &state, 95), "another row");
    assert!(!goes_on(&set, &bars, 90, &state, 89), "a state of a row that is not computed");
    assert!(!goes_on(&set, &rows(&bars, 0..89), 90, &state, 90), "fewer bars than the state has seen");
    assert!(!goes_on(&set, &rows(&bars, 1..100), 90, &state, 99), "a first bar gone, so that the rows have moved");
    for column in 0..5 {
        let mut changed = bars.clone();
        [&mut changed.open, &mut changed.high, &mut changed.low, &mut changed.close, &mut changed.volume][column][89] += 0.01;
        assert!(!goes_on(&set, &changed, 90, &state, 95), "another last bar");
    }
    let mut later = bars.clone();
    later.time_us[89] += 1;
    assert!(!goes_on(&set, &later, 90, &state, 95), "a bar of another time");

    let text = state.to_text();
    for fewer_or_more in [text[..text.len() - 16].to_owned(), format!("{text}0000000000000000")] {
        let state = FeatureState::from_text(&fewer_or_more).unwrap();
        assert!(!goes_on(&set, &bars, 90, &state, 95), "another count of numbers");
    }
}

#[test]
fn texts_that_are_no_state_are_refused() {
    let text = compute_with_state(&FeatureSet::classic(), &walk(5), 5).1.to_text();
    assert!(text.parse::<FeatureState>().is_ok());
    for wrong in [
        String::new(),
        "1".to_owned(),
        text.replacen('1', "2", 1),
        text.to_uppercase(),
        text.replacen(" 5 ", " 05 ", 1),
        text.replacen(" 5 ", " +5 ", 1),
        text.replacen(" 5 ", " ", 1),
        format!("{text} "),
        format!(" {text}"),
        format!("{text}0"),
        format!("{text}é"),
        text[..text.len() - 1].to_owned(),
    ] {
        assert_eq!(FeatureState::from_text(&wrong), Err(FeatureStateError), "{wrong}");
    }
}

#[test]
fn the_look_back_is_that_of_the_longest_window() {
    assert_eq!(look_back(&FeatureSet::classic()), 59);
    let of = |kernel| look_back(&FeatureSet::with_definitions("one", vec![Definition::new("a", kernel)]).unwrap());
    assert_eq!(of(Kernel::ExponentialAverage { window: 500 }), 1);
    assert_eq!(of(Kernel::AverageTrueRange { window: 500 }), 1);
    assert_eq!(of(Kernel::RateOfChange { window: 500 }), 500);
    assert_eq!(of(Kernel::Bias { window: 500 }), 499);
}
