//! Random graphs of every operator: going on from anywhere gives the bits of computing everything at once, in pieces of any
//! length, and every node means what it says on its own.

use super::super::graph::{Binary, Comparison, Field, Finite, Operator, PairStatistic, Recursion, Statistic, Unary, WarmUp};
use super::super::talib;
use super::*;
use crate::market::DAY_US;
use proptest::prelude::*;

/// How a node is made: an operator, and where its inputs are among the nodes before, counted back.
type Recipe = (Operator, [usize; 3]);

fn windows() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 1_usize..12, 2 => 12_usize..40, 1 => 40_usize..90]
}

fn warm_ups() -> impl Strategy<Value = WarmUp> {
    prop_oneof![Just(WarmUp::Strict), Just(WarmUp::Partial)]
}

fn statistics() -> impl Strategy<Value = Statistic> {
    use Statistic as S;
    let plain = vec![
        S::Mean,
        S::Sum,
        S::Std,
        S::Stdp,
        S::Var,
        S::Skew,
        S::Kurt,
        S::Max,
        S::Min,
        S::IdxMax,
        S::IdxMin,
        S::Med,
        S::Mad,
        S::Rank,
        S::Count,
        S::Slope,
        S::Rsquare,
        S::Resi,
        S::Wma,
        S::Demean,
    ];
    let quantile = (0.0..=1.0_f64).prop_filter_map("finite", |q| Finite::new(q).map(Statistic::Quantile));
    prop_oneof![8 => prop::sample::select(plain), 1 => quantile]
}

fn recursions() -> impl Strategy<Value = Recursion> {
    let window = || 1_usize..30;
    prop_oneof![
        window().prop_map(|window| Recursion::Ema { window }),
        window().prop_map(|window| Recursion::EmaAdjusted { window }),
        (window(), 1_usize..4, prop::option::of(Just(Finite::new(50.0).unwrap()))).prop_map(|(window, weight, seed)| Recursion::Sma {
            window,
            weight: weight.min(window),
            seed
        }),
        window().prop_map(|window| Recursion::Rma { window }),
        Just(Recursion::CumSum),
    ]
}

fn operators() -> impl Strategy<Value = Operator> {
    let unary = vec![Unary::Negate, Unary::Abs, Unary::Sign, Unary::Log, Unary::Log1p, Unary::Exp, Unary::Sqrt, Unary::Not, Unary::IsNull];
    let binary = vec![
        Binary::Add,
        Binary::Subtract,
        Binary::Multiply,
        Binary::Divide,
        Binary::Power,
        Binary::Greater,
        Binary::Less,
        Binary::Coalesce,
        Binary::And,
        Binary::Or,
    ];
    let comparison = vec![
        Comparison::Greater,
        Comparison::GreaterOrEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Equal,
        Comparison::NotEqual,
    ];
    prop_oneof![
        2 => prop::sample::select(unary).prop_map(Operator::Unary),
        3 => prop::sample::select(binary).prop_map(Operator::Binary),
        1 => (prop::sample::select(comparison), warm_ups()).prop_map(|(comparison, warm_up)| Operator::Compare { comparison, warm_up }),
        1 => Just(Operator::Select),
        2 => windows().prop_map(|bars| Operator::Shift { bars }),
        6 => (statistics(), windows(), warm_ups()).prop_map(|(statistic, window, warm_up)| Operator::Rolling { statistic, window, warm_up }),
        2 => (prop::sample::select(vec![PairStatistic::Corr, PairStatistic::Cov]), windows(), warm_ups())
            .prop_map(|(statistic, window, warm_up)| Operator::Pair { statistic, window, warm_up }),
        3 => recursions().prop_map(Operator::Recursive),
        1 => prop::sample::select(vec!["TA_RSI", "TA_SMA", "TA_MACD", "TA_ATR", "TA_OBV", "TA_CDLDOJI"]).prop_map(|name| {
            let call = talib::TalibCall::new(talib::find(name).unwrap(), &[]).unwrap();
            Operator::Talib { output: 0, call: Arc::new(call) }
        }),
    ]
}

fn inputs_of(operator: &Operator) -> usize {
    match operator {
        Operator::Field(_) | Operator::Constant(_) => 0,
        Operator::Unary(_) | Operator::Shift { .. } | Operator::Rolling { .. } | Operator::Recursive(_) => 1,
        Operator::Binary(_) | Operator::Compare { .. } | Operator::Pair { .. } => 2,
        Operator::Select => 3,
        Operator::Talib { call, .. } => call.input_count(),
    }
}

fn graphs() -> impl Strategy<Value = (Graph, Vec<NodeId>)> {
    prop::collection::vec((operators(), [0_usize..40, 0_usize..40, 0_usize..40]), 1..24).prop_map(|recipes: Vec<Recipe>| {
        let mut graph = Graph::default();
        let mut nodes: Vec<NodeId> = Field::ALL.iter().map(|field| graph.add(Operator::Field(*field), &[]).unwrap()).collect();
        nodes.push(graph.add(Operator::Constant(Finite::new(0.5).unwrap()), &[]).unwrap());
        let mut outputs = Vec::new();
        for (operator, back) in recipes {
            let inputs: Vec<NodeId> = match &operator {
                // A function of prices takes prices.
                Operator::Talib { call, .. } if call.input_count() > 1 => nodes[..call.input_count()].to_vec(),
                operator => back[..inputs_of(operator)].iter().map(|back| nodes[nodes.len() - 1 - back % nodes.len()]).collect(),
            };
            let id = graph.add(operator, &inputs).unwrap();
            nodes.push(id);
            outputs.push(id);
        }
        (graph, outputs)
    })
}

fn bars_of(len: Range<usize>) -> impl Strategy<Value = Bars> {
    let price = prop_oneof![
        4 => Just((1.0..200.0_f64).boxed()),
        1 => Just(Just(7.3).boxed()),
        2 => Just(prop::sample::select(vec![0.1, 0.2, 0.3, 9_999.99, 10_000.0, 10_000.01]).boxed()),
        1 => Just(prop::sample::select(vec![0.0, -0.0, -3.0, 1.0, 1e300, -1e300, f64::MAX, f64::MIN, 5e-324]).boxed()),
    ];
    (price, len).prop_flat_map(|(price, len)| {
        let column = || prop::collection::vec(price.clone(), len);
        let volume = prop_oneof![9 => (0.0..1e9_f64).prop_map(f64::round), 3 => Just(0.0)];
        let sparse =
            || prop::option::of(prop::collection::vec(prop_oneof![4 => 0.0..30.0_f64, 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)], len));
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

/// The same bars with nothing to be read before a row: what must not be looked at is poisoned.
fn poisoned(bars: &Bars, before: usize) -> Bars {
    let spoil = |column: &Vec<f64>| {
        let mut column = column.clone();
        column[..before].fill(-12_345.678);
        column
    };
    Bars {
        open: spoil(&bars.open),
        high: spoil(&bars.high),
        low: spoil(&bars.low),
        close: spoil(&bars.close),
        volume: spoil(&bars.volume),
        amount: bars.amount.as_ref().map(spoil),
        turnover: bars.turnover.as_ref().map(spoil),
        ..bars.clone()
    }
}

fn bits(columns: &[Vec<f64>], rows: Range<usize>) -> Vec<Vec<u64>> {
    let bits = |value: &f64| if value.is_nan() { f64::NAN } else { *value }.to_bits();
    columns.iter().map(|column| column[rows.clone()].iter().map(bits).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn going_on_gives_the_bits_of_computing_everything((graph, outputs) in graphs(), bars in bars_of(0..160), cut in 0.0..1.0_f64) {
        let wanted = Wanted::of(&graph, &outputs);
        let (whole, _) = wanted.rows(&bars, 0, bars.len(), wanted.registers());
        for column in &whole {
            prop_assert_eq!(column.len(), bars.len());
            prop_assert!(column.iter().all(|value| value.is_nan() || value.is_finite()));
        }
        let cut = (cut * bars.len() as f64) as usize;
        let (head, registers) = wanted.rows(&bars, 0, cut, wanted.registers());
        prop_assert_eq!(bits(&head, 0..bars.len()), bits(&whole, 0..bars.len()), "noting a state on the way changes nothing");
        // Through the text, as it is kept in a file.
        let state = FeatureState::from_text(&FeatureState::noted(&bars, cut, &registers).to_text()).unwrap();
        let mut kept = wanted.registers();
        prop_assert!(state.load(&mut kept));
        let seen = if wanted.plan.given.is_empty() { poisoned(&bars, cut.saturating_sub(wanted.plan.look_back)) } else { bars.clone() };
        let (tail, _) = wanted.rows(&seen, cut, bars.len(), kept);
        prop_assert_eq!(bits(&tail, 0..bars.len() - cut), bits(&whole, cut..bars.len()), "cut at {}", cut);
    }

    #[test]
    fn a_node_alone_is_what_it_is_among_all((graph, outputs) in graphs(), bars in bars_of(0..120)) {
        let wanted = Wanted::of(&graph, &outputs);
        let (all, _) = wanted.rows(&bars, 0, bars.len(), wanted.registers());
        for (output, column) in outputs.iter().zip(&all) {
            let one = [*output];
            let alone = Wanted::of(&graph, &one);
            let (columns, _) = alone.rows(&bars, 0, bars.len(), alone.registers());
            prop_assert_eq!(bits(&columns, 0..bars.len()), bits(std::slice::from_ref(column), 0..bars.len()), "{:?}", graph.node(*output));
        }
    }
}

#[test]
fn pieces_cover_everything_once() {
    let graph = Graph::default();
    let wanted = Wanted::of(&graph, &[]);
    for len in [0, 1, PIECE_ROWS, PIECE_ROWS + 1, 10 * PIECE_ROWS + 17] {
        let mut next = 0;
        for piece in wanted.pieces(0..len) {
            assert_eq!(piece.start, next);
            next = piece.end;
        }
        assert_eq!(next, len);
    }
}
