//! The promises of windows and recursions.

use super::{Recursion, Register, Scratch, Statistic, Step, Want, WarmUp, family, recur};

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
