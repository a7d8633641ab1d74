//! The chart alone, on generated bars: to look at it, and to use it as a widget in other programs.
//!
//! ```sh
//! cargo run --release --example chart -- 750 light
//! cargo run --release --example chart -- 1000000 measure   # time per frame, without a window
//! ```
#![allow(clippy::print_stdout, reason = "an example tells what it measured")]

use eframe::egui;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use samovar::feature::FeatureTable;
use samovar::market::{Bars, DAY_US, RawBars, SECOND_US, Symbol};
use samovar::ui::chart::{ChartData, ChartLayout, ChartView, FeatureChoice, Placement, RangeChoice, chart_ui};
use samovar::ui::theme;
use std::sync::Arc;
use std::time::Instant;

fn main() -> eframe::Result {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let count = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(750);
    let mut layout = ChartLayout::default();
    if has("all") {
        layout.range = RangeChoice::All;
    }
    if has("log") {
        layout.log_scale = true;
    }
    if has("many") {
        for name in ["boll_upper", "boll_mid", "boll_lower", "volume_ma5", "rsi14", "kdj_k", "kdj_d", "kdj_j"] {
            layout.add(name, &Placement::of_name(name));
        }
    }
    let preference = if has("light") { egui::ThemePreference::Light } else { egui::ThemePreference::Dark };
    if has("measure") {
        measure(count, layout);
        return Ok(());
    }
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default().with_inner_size([1280.0, 800.0]),
        persist_window: false,
        ..eframe::NativeOptions::default()
    };
    let data = (!has("empty")).then(|| sample(count));
    eframe::run_native(
        "samovar-chart",
        options,
        Box::new(move |creation| {
            theme::install(&creation.egui_ctx);
            creation.egui_ctx.set_theme(preference);
            Ok(Box::new(Example { view: ChartView::default(), layout, data, catalog: catalog() }))
        }),
    )
}

struct Example {
    view: ChartView,
    layout: ChartLayout,
    data: Option<ChartData>,
    catalog: Vec<FeatureChoice>,
}

impl eframe::App for Example {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        chart_ui(ui, &mut self.view, &mut self.layout, self.data.as_ref(), &self.catalog);
    }
}

/// Time per frame without a window: drawing anew in every frame (panning), and with only the pointer moving.
fn measure(count: usize, mut layout: ChartLayout) {
    layout.range = RangeChoice::All;
    let begin = Instant::now();
    let data = sample(count);
    println!("{count} bars made in {:.0} ms", begin.elapsed().as_secs_f64() * 1e3);
    let begin = Instant::now();
    let lod = samovar::ui::chart::ChartLod::build(&data.bars, data.features.as_deref());
    println!("levels of detail: {:.1} ms, {} KB", begin.elapsed().as_secs_f64() * 1e3, lod.size_bytes() / 1000);
    let ctx = egui::Context::default();
    theme::install(&ctx);
    let (mut view, catalog) = (ChartView::default(), catalog());
    let mut frame = |events: Vec<egui::Event>| {
        let screen_rect = Some(egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(1280.0, 800.0)));
        let input = egui::RawInput { screen_rect, events, ..egui::RawInput::default() };
        let begin = Instant::now();
        let mut output = ctx.run_ui(input, |ui| {
            chart_ui(ui, &mut view, &mut layout, Some(&data), &catalog);
        });
        let primitives = ctx.tessellate(std::mem::take(&mut output.shapes), output.pixels_per_point);
        let took = begin.elapsed().as_secs_f64() * 1e3;
        output.drop_without_applying_deltas();
        std::hint::black_box(primitives);
        took
    };
    for _ in 0..20 {
        frame(Vec::new());
    }
    let at = |step: usize| egui::pos2(300.0 + (step % 200) as f32, 300.0);
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or_default()
    };
    let hover = median((0..200).map(|step| frame(vec![egui::Event::PointerMoved(at(step))])).collect());
    let press = |pressed| egui::Event::PointerButton {
        pos: at(0),
        button: egui::PointerButton::Primary,
        pressed,
        modifiers: egui::Modifiers::NONE,
    };
    frame(vec![press(true)]);
    let pan = median((1..200).map(|step| frame(vec![egui::Event::PointerMoved(at(step))])).collect());
    println!("frame with the pointer moving: {hover:.2} ms; while panning: {pan:.2} ms; scenes built: {}", view.builds());
}

fn catalog() -> Vec<FeatureChoice> {
    let choice = |group: &str, name: &str, description: &str| FeatureChoice {
        name: name.to_owned(),
        group: group.to_owned(),
        description: description.to_owned(),
        placement: Placement::of_name(name),
    };
    vec![
        choice("Trend", "ma5", "Mean of the last 5 closes"),
        choice("Trend", "ma20", "Mean of the last 20 closes"),
        choice("Trend", "ma60", "Mean of the last 60 closes"),
        choice("Trend", "boll_upper", "Bollinger band: mean and two deviations above"),
        choice("Trend", "boll_mid", "Bollinger band: mean"),
        choice("Trend", "boll_lower", "Bollinger band: mean and two deviations below"),
        choice("Momentum", "macd_dif", "Difference of two exponential means"),
        choice("Momentum", "macd_dea", "Signal line of the MACD"),
        choice("Momentum", "macd_hist", "Twice the distance between the two"),
        choice("Momentum", "rsi14", "Relative strength over 14 bars"),
        choice("Momentum", "kdj_k", "Stochastic K"),
        choice("Momentum", "kdj_d", "Stochastic D"),
        choice("Momentum", "kdj_j", "3 K − 2 D"),
        choice("Volume", "volume_ma5", "Mean of the last 5 volumes"),
    ]
}

fn sample(count: usize) -> ChartData {
    let mut random = SmallRng::seed_from_u64(7);
    let mut raw = RawBars::default();
    // Days, or minutes of trading days where there are very many.
    let (per_day, calm) = if count > 20_000 { (240, 20.0) } else { (1, 1.0) };
    let (mut price, mut spread): (f64, f64) = (82.0, 0.014);
    let mut day = 18_993 - (count / per_day) as i64 * 7 / 5;
    for bar in 0..count {
        if bar % per_day == 0 {
            // Day 0 was a Thursday: skip Saturdays and Sundays.
            day += 1;
            day += (2 - (day + 5).rem_euclid(7)).max(0);
        }
        let noise = |random: &mut SmallRng| random.random_range(-1.0..1.0_f64) + random.random_range(-1.0..1.0_f64);
        spread = (spread * (1.0 + 0.08 * noise(&mut random))).clamp(0.006, 0.04);
        let step = spread / calm;
        let pull = if count > 5_000 { (100.0 / price).ln() * 0.00001 } else { 0.0006 };
        let open = price * (1.0 + 0.25 * step * noise(&mut random));
        let close = price * (1.0 + step * noise(&mut random) + pull);
        let high = open.max(close) * (1.0 + 0.5 * step * random.random_range(0.0..1.0_f64));
        let low = open.min(close) * (1.0 - 0.5 * step * random.random_range(0.0..1.0_f64));
        price = close;
        let minute = if per_day == 1 { 0 } else { 570 + bar % per_day };
        raw.time_us.push(day * DAY_US + minute as i64 * 60 * SECOND_US);
        for (column, value) in [(&mut raw.open, open), (&mut raw.high, high), (&mut raw.low, low), (&mut raw.close, close)] {
            column.push((value * 100.0).round() / 100.0);
        }
        raw.volume.push((2.0e6 * (1.0 + 40.0 * spread) * random.random_range(0.4..1.6)).round());
    }
    let (bars, _) = Bars::normalise(raw);
    let features = features(&bars);
    ChartData::new(Symbol::new("600519"), Arc::new(bars), Some(Arc::new(features)))
}

fn features(bars: &Bars) -> FeatureTable {
    let close = &bars.close;
    let mean = |values: &[f64], window: usize| -> Vec<f64> {
        let mut sum = 0.0;
        let step = |(row, value): (usize, &f64)| {
            sum += value - row.checked_sub(window).and_then(|old| values.get(old)).copied().unwrap_or(0.0);
            if row + 1 >= window { sum / window as f64 } else { f64::NAN }
        };
        values.iter().enumerate().map(step).collect()
    };
    let smooth = |values: &[f64], share: f64| -> Vec<f64> {
        let mut state = None;
        let step = |value: &f64| {
            let next = state.map_or(*value, |old: f64| old + share * (value - old));
            state = Some(next);
            next
        };
        values.iter().map(step).collect()
    };
    let pairs = |a: &[f64], b: &[f64], join: fn(f64, f64) -> f64| a.iter().zip(b).map(|(a, b)| join(*a, *b)).collect::<Vec<f64>>();
    let dif = pairs(&smooth(close, 2.0 / 13.0), &smooth(close, 2.0 / 27.0), |fast, slow| fast - slow);
    let dea = smooth(&dif, 0.2);
    let steps: Vec<f64> =
        std::iter::once(0.0).chain(close.windows(2).map(|pair| pair.iter().rev().copied().reduce(|a, b| a - b).unwrap_or(0.0))).collect();
    let up = smooth(&steps.iter().map(|step| step.max(0.0)).collect::<Vec<_>>(), 1.0 / 14.0);
    let all = smooth(&steps.iter().map(|step| step.abs()).collect::<Vec<_>>(), 1.0 / 14.0);
    let middle = mean(close, 20);
    let squares = mean(&close.iter().map(|close| close * close).collect::<Vec<_>>(), 20);
    let deviation = pairs(&squares, &middle, |square, mean| (square - mean * mean).max(0.0).sqrt());
    let k = smooth(&pairs(&up, &all, |up, all| if all > 0.0 { (100.0 * up / all - 50.0) * 1.8 + 50.0 } else { 50.0 }), 0.5);
    let d = smooth(&k, 1.0 / 3.0);
    let columns = [
        ("ma5", mean(close, 5)),
        ("ma20", middle.clone()),
        ("ma60", mean(close, 60)),
        ("boll_upper", pairs(&middle, &deviation, |mean, deviation| mean + 2.0 * deviation)),
        ("boll_mid", middle.clone()),
        ("boll_lower", pairs(&middle, &deviation, |mean, deviation| mean - 2.0 * deviation)),
        ("macd_hist", pairs(&dif, &dea, |dif, dea| 2.0 * (dif - dea))),
        ("macd_dif", dif),
        ("macd_dea", dea),
        ("rsi14", pairs(&up, &all, |up, all| if all > 0.0 { 100.0 * up / all } else { f64::NAN })),
        ("kdj_j", pairs(&k, &d, |k, d| 3.0 * k - 2.0 * d)),
        ("kdj_k", k),
        ("kdj_d", d),
        ("volume_ma5", mean(&bars.volume, 5)),
    ];
    let (names, columns) = columns.into_iter().map(|(name, column)| (Arc::from(name), column)).unzip();
    FeatureTable { resolution: bars.resolution, time_us: bars.time_us.clone(), names, columns }
}
