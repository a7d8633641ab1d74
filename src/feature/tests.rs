//! The promise of going on from a state: whatever the set, the bars and the places where they were cut, the bits are those
//! of computing everything at once.

use super::graph::WarmUp;
use super::*;
use crate::market::{Bars, DAY_US};
use proptest::prelude::*;
use std::ops::Range;

/// Where a series is cut: anywhere, and often in the first rows, where warm-ups begin.
fn cuts() -> impl Strategy<Value = usize> {
    prop_oneof![1 => 0_usize..4, 2 => 0_usize..150]
}

/// Formulas of many kinds, with windows that are longer than some of the series.
fn formulas() -> impl Strategy<Value = String> {
    let window = || prop_oneof![4 => 1_usize..12, 2 => 12_usize..40, 1 => 40_usize..90];
    let field = || prop::sample::select(vec!["$open", "$high", "$low", "$close", "$volume", "$vwap", "$turnover"]);
    let rolling = vec![
        "Mean", "Sum", "Std", "StdP", "Var", "Max", "Min", "IdxMax", "IdxMin", "Med", "Mad", "Rank", "Slope", "Rsquare", "Resi", "WMA",
        "Demean", "EMA", "RMA", "Ref", "Delta",
    ];
    prop_oneof![
        6 => (prop::sample::select(rolling), field(), window()).prop_map(|(name, field, window)| format!("{name}({field}, {})", window + 1)),
        2 => (field(), window(), window()).prop_map(|(field, a, b)| format!("Mean(EMA({field}, {a}), {b})")),
        1 => (field(), window(), window()).prop_map(|(field, a, b)| format!("EMA({field}, {a}) - EMA({field}, {b})")),
        1 => (field(), field(), window()).prop_map(|(x, y, window)| format!("Corr({x}, {y}, {})", window + 1)),
        1 => window().prop_map(|n| format!("100 * (SMA(Greater(Delta($close, 1), 0), {n}, 1) / SMA(Abs(Delta($close, 1)), {n}, 1))")),
        1 => window().prop_map(|n| format!("SMA(100 * (($close - Min($low, {n})) / (Max($high, {n}) - Min($low, {n}))), 3, 1, 50)")),
        1 => window().prop_map(|n| format!("100 * Count($close > Ref($close, 1), {n}) / {n}")),
        1 => Just("CumSum(Coalesce(Sign(Delta($close, 1)), 1) * $volume)".to_owned()),
        1 => Just("Log1p(Delta($close, 1) / Ref($close, 1))".to_owned()),
    ]
}

fn set_of(formulas: &[String], warm_up: WarmUp) -> FeatureSet {
    let names: Vec<String> = (0..formulas.len()).map(|place| format!("feature{place}")).collect();
    let pairs: Vec<(&str, &str)> = names.iter().zip(formulas).map(|(name, formula)| (name.as_str(), formula.as_str())).collect();
    FeatureSet::of_formulas("own", warm_up, &pairs).unwrap()
}

fn sets() -> impl Strategy<Value = FeatureSet> {
    let own = (prop::collection::vec(formulas(), 1..12), prop::bool::ANY)
        .prop_map(|(formulas, is_partial)| set_of(&formulas, if is_partial { WarmUp::Partial } else { WarmUp::Strict }));
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
        let mut first = first;
        for bars in [&mut first, &mut second] {
            (bars.amount, bars.turnover) = (None, None);
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
    let classic = FeatureSet::classic();
    let short = ["Mean(EMA($close, 3), 4)", "RMA($close, 5)", "Ref(SMA($close, 3, 1, 50), 2)", "Std(CumSum($volume), 3)"];
    let shorter = set_of(&short.map(str::to_owned), WarmUp::Strict);
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
    assert!(text.len() < 1_000, "{} bytes", text.len());
    assert!(text.is_ascii());
    assert!(text.starts_with("2 1000 "));
}

#[test]
fn the_text_of_a_known_state_is_always_the_same() {
    // What is in files must stay readable: another form needs another version at its start.
    let set = set_of(&["EMA($close, 3)", "Mean(CumSum($volume), 2)"].map(str::to_owned), WarmUp::Strict);
    let hashes = |text: &str| text.split(' ').skip(3).map(|word| (word[..16].to_owned(), word[16..].to_owned())).collect::<Vec<_>>();
    let text = start(&set).to_text();
    assert!(text.starts_with("2 0 0000000000000000 "), "{text}");
    for (_, numbers) in hashes(&text) {
        assert_eq!(numbers, "0".repeat(32));
    }
    // The first close; the first volume, and once more as the value that the mean reaches back to.
    let text = compute_with_state(&set, &walk(1), 1).1.to_text();
    assert!(text.starts_with("2 1 81856ba2289cc178 "), "{text}");
    let one = "3ff0000000000000";
    let mut numbers: Vec<String> = hashes(&text).into_iter().map(|(_, numbers)| numbers).collect();
    numbers.sort();
    let volume = "4090680000000000";
    assert_eq!(numbers, [format!("4049000000000000{one}"), format!("{volume}{one}{volume}")]);
}

#[test]
fn a_state_goes_on_in_a_set_that_was_changed_elsewhere() {
    let old = set_of(&["EMA($close, 3)", "Mean($close, 5)"].map(str::to_owned), WarmUp::Strict);
    let new = set_of(&["EMA($close, 3)", "SMA($close, 6, 1)"].map(str::to_owned), WarmUp::Strict);
    let bars = walk(40);
    let kept = compute_with_state(&old, &bars, 30).1;
    assert!(continue_from(&new, &bars, 30, &kept, 40).is_none(), "the new recursion is not in it");
    let (table, added) = compute_some(&new, &[1], &bars, 30);
    assert_eq!(table.names, ["feature1".into()]);
    let state = FeatureState::assembled(&new, &[&kept, &added]).unwrap();
    assert_eq!(state, compute_with_state(&new, &bars, 30).1);
    let (tail, _) = continue_from(&new, &bars, 30, &state, 40).unwrap();
    assert_eq!(all_bits(&tail), bits(&compute(&new, &bars), 30..40));
    assert!(FeatureState::assembled(&new, &[&kept]).is_none());
    let other_row = compute_some(&new, &[1], &bars, 31).1;
    assert!(FeatureState::assembled(&new, &[&kept, &other_row]).is_none(), "states of different rows do not go together");
}

#[test]
fn a_state_of_another_set_row_or_bar_is_refused() {
    let (set, bars) = (FeatureSet::classic(), walk(100));
    let state = compute_with_state(&set, &bars, 90).1;
    let goes_on = |set: &FeatureSet, bars: &Bars, from, state: &FeatureState, at| continue_from(set, bars, from, state, at).is_some();
    assert!(goes_on(&set, &bars, 90, &state, 95));
    assert!(goes_on(&set, &rows(&bars, 0..90), 90, &state, 90), "nothing new is no reason to refuse");

    let other = set_of(&["EMA($close, 77)".to_owned()], WarmUp::Strict);
    assert!(!goes_on(&other, &bars, 90, &state, 95), "another set");
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
        "2".to_owned(),
        text.replacen('2', "1", 1),
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
    let of = |formula: &str| look_back(&set_of(&[formula.to_owned()], WarmUp::Strict));
    assert_eq!(of("EMA($close, 500)"), 1);
    assert_eq!(of("Mean(EMA($close, 500), 70)"), 1);
    assert_eq!(of("RMA($close - Ref($close, 1), 500)"), 1);
    assert_eq!(of("Delta($close, 500)"), 500);
    assert_eq!(of("Mean(Ref($close, 500), 11)"), 510);
    assert_eq!(of("Demean($close, 500) / $close"), 499);
}
