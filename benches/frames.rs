//! What a frame of the window costs, without a screen: drawn and turned into triangles, with few and many symbols and bars.
//!
//! `cargo bench --bench frames [-- --frames N]`. A frame is the whole window: list, chart, bars. Each of five windows draws the same
//! frames: still ones over which the pointer moves, ones in which the chart is zoomed to a year of days or a morning of minutes and
//! moved, and ones in which all its bars are in view and move. Medians are printed, and the largest window's against the smallest's.

// It is a program, whose result goes to stdout and which has nobody to hand an error to.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use eframe::egui;
use egui::{Event, Modifiers, MouseWheelUnit, Pos2, RawInput, Rect, TouchPhase, pos2, vec2};
use samovar::app::chart::{ChartAction, RangeChoice};
use samovar::app::{Action, AppState, ListAction, Workspace};
use samovar::cache::{EntryState, Tier};
use samovar::config::Settings;
use samovar::feature::SetLibrary;
use samovar::market::quality::MarketDays;
use samovar::market::{Bars, DAY_US, Exchange, HOUR_US, Quality, Resolution, SECOND_US, Symbol};
use samovar::ui::SamovarWindow;
use samovar::worker::chart_data::ChartData;
use samovar::worker::series::{SeriesColumn, SeriesOrigin, SeriesSource};
use samovar::worker::{Job, JobEvent, LoadedSymbol, Snapshot, SymbolRow};
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

const USAGE: &str = "usage: cargo bench --bench frames [-- --frames N]";
/// Symbols and bars of the windows; the first is what the last is held against. 60 symbols fill the list: what is beyond them is not drawn.
const WINDOWS: [(usize, usize); 5] = [(10, 1_000), (60, 1_000), (7_000, 1_000), (10, 1_000_000), (7_000, 1_000_000)];
const SCREEN: Rect = Rect { min: Pos2::ZERO, max: pos2(1_440.0, 900.0) };
/// Where the chart is on that screen.
const CHART: Pos2 = pos2(1_080.0, 360.0);

/// What is done while frames are drawn.
#[derive(Debug, Clone, Copy)]
enum Doing {
    /// The pointer moves over the chart.
    Pointing,
    /// A few hundred bars are in view and move.
    Near,
    /// All bars are in view and move.
    Far,
}

/// Minutes of trading days where there are many bars, days where there are few.
fn bars(count: usize) -> Bars {
    let is_minutes = count > 100_000;
    let time_us = |row: i64| {
        if is_minutes { (10_000 + row / 240) * DAY_US + 9 * HOUR_US + row % 240 * 60 * SECOND_US } else { (18_000 + row) * DAY_US }
    };
    let close: Vec<f64> = (0..count).map(|row| 100.0 + 30.0 * (row as f64 / 911.0).sin() + (row * 7_919 % 101) as f64 / 40.0).collect();
    Bars {
        resolution: if is_minutes { Resolution::Intraday } else { Resolution::Daily },
        time_us: (0..count as i64).map(time_us).collect(),
        open: close.iter().map(|close| close - 0.3).collect(),
        high: close.iter().map(|close| close + 0.8).collect(),
        low: close.iter().map(|close| close - 0.9).collect(),
        volume: (0..count).map(|row| (1_000 + row * 31 % 5_000) as f64).collect(),
        close,
        ..Bars::default()
    }
}

/// The chart's data with values for whatever lines are asked for.
fn chart_data(symbol: &Symbol, bars: &Arc<Bars>, lines: &[SeriesSource]) -> ChartData {
    let count = bars.len();
    let wave = |place: usize| (0..count).map(|row| 100.0 + 20.0 * (row as f64 / (50.0 + place as f64)).sin()).collect();
    let answer = |(place, source): (usize, &SeriesSource)| {
        let values: Vec<f64> = wave(place);
        (source.clone(), Ok(Arc::new(SeriesColumn::new(values, SeriesOrigin::Computed))))
    };
    ChartData::new(symbol.clone(), Arc::clone(bars))
        .with_findings(&MarketDays::new(Exchange::Unknown, []))
        .with_answers(lines.iter().enumerate().map(answer).collect())
}

fn row(number: usize) -> SymbolRow {
    SymbolRow {
        symbol: Symbol::new(format!("S{number:05}")),
        state: EntryState::Fresh,
        expires_at_us: Some(20_100 * DAY_US),
        stale_since_us: None,
        cools_at_us: Some(20_099 * DAY_US),
        span_us: Some((10_000 * DAY_US, 20_000 * DAY_US)),
        rows: 1_000,
        source_rows: Some(1_000),
        bars_bytes: 24_000,
        features_bytes: 250_000,
        hits: 3,
        hit_rate: Some(0.75),
        last_used_us: Some(20_000 * DAY_US),
        attempts: 0,
        exchange: Exchange::Unknown,
        bars_fingerprint: None,
        pinned: false,
        fetched_at_us: Some(20_000 * DAY_US),
        failure: None,
        findings: None,
        sessions_behind: None,
        quality: Quality::default(),
        datasets: Vec::new(),
    }
}

/// Does what the application would do with the jobs of an action: a symbol that is asked for is there at once.
fn act(state: &mut AppState, action: Action, bars: &Arc<Bars>) {
    let mut jobs = state.execute(action);
    while let Some(job) = jobs.pop() {
        if let Job::Load(request) = job {
            let data = Arc::new(chart_data(&request.symbol, bars, &request.series));
            let result = Ok(LoadedSymbol { data, tier: Tier::Memory, seconds: 1e-5 });
            jobs.extend(state.apply(JobEvent::Loaded { request, result }));
        }
    }
}

fn state(symbols: usize, bars: &Arc<Bars>, range: RangeChoice) -> AppState {
    let mut state = AppState::new(Settings::default(), &Workspace::default(), true);
    let snapshot = Snapshot { made_at_us: 20_000 * DAY_US, rows: (0..symbols).map(row).collect(), ..Snapshot::default() };
    let mut jobs = state.apply(JobEvent::Sets(Arc::new(SetLibrary::built_in())));
    jobs.extend(state.apply(JobEvent::Snapshot(Arc::new(snapshot))));
    drop(jobs);
    act(&mut state, Action::List(ListAction::Click { symbol: Symbol::new("S00000"), toggle: false, extend: false }), bars);
    let mut layout = state.chart.layout.clone();
    (layout.range, layout.home) = (range, range);
    act(&mut state, Action::Chart(ChartAction::Change(Box::new(layout))), bars);
    state
}

/// The median time of a frame.
fn median_frame(symbols: usize, bars: &Arc<Bars>, doing: Doing, frames: usize) -> Duration {
    let last_us = bars.last_us().unwrap_or_default();
    let first_us = bars.time_us.get(bars.len().saturating_sub(300)).copied().unwrap_or_default();
    let range = match doing {
        Doing::Pointing | Doing::Near => RangeChoice::Custom { from_us: first_us, to_us: last_us },
        Doing::Far => RangeChoice::All,
    };
    let ctx = egui::Context::default();
    let mut window = SamovarWindow::of_state(&ctx, state(symbols, bars, range));
    let mut frame = eframe::Frame::_new_kittest();
    let mut took = Vec::with_capacity(frames);
    // The first few lay everything out and make fonts and galleys.
    const WARM_UP: usize = 20;
    for number in 0..WARM_UP + frames {
        let step = number as f32;
        let mut input = RawInput { screen_rect: Some(SCREEN), time: Some(number as f64 / 60.0), ..RawInput::default() };
        let shift = (step * 7.0) % 200.0;
        match doing {
            Doing::Pointing => input.events.push(Event::PointerMoved(CHART + vec2(shift - 100.0, shift * 0.5))),
            Doing::Near | Doing::Far => {
                input.events.push(Event::PointerMoved(CHART));
                // A little to and fro, so that the same bars stay in view.
                let by = if number % 40 < 20 { 5.0 } else { -5.0 };
                input.events.push(Event::MouseWheel {
                    unit: MouseWheelUnit::Point,
                    delta: vec2(by, 0.0),
                    modifiers: Modifiers::NONE,
                    phase: TouchPhase::Move,
                    source: egui::MouseWheelSource::Wheel,
                });
            }
        }
        let started = Instant::now();
        let output = ctx.run_ui(input, |ui| eframe::App::ui(&mut window, ui, &mut frame));
        let pixels_per_point = output.pixels_per_point;
        let mut output = output;
        let shapes = std::mem::take(&mut output.shapes);
        black_box(ctx.tessellate(shapes, pixels_per_point));
        if number >= WARM_UP {
            took.push(started.elapsed());
        }
        output.drop_without_applying_deltas();
    }
    took.sort_unstable();
    took.get(took.len() / 2).copied().unwrap_or_default()
}

fn frames_asked() -> Result<usize, String> {
    let mut arguments = std::env::args().skip(1);
    let mut frames = 300;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--frames" => {
                let number = arguments.next().and_then(|number| number.parse().ok()).filter(|number| *number > 0);
                frames = number.ok_or_else(|| USAGE.to_owned())?;
            }
            // What `cargo bench` and `cargo test` add.
            "--bench" | "--test" => {}
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(frames)
}

fn main() -> ExitCode {
    let frames = match frames_asked() {
        Ok(frames) => frames,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(64);
        }
    };
    println!("milliseconds of a frame, median of {frames}");
    println!("{:>8} {:>10} {:>10} {:>10} {:>10}", "symbols", "bars", "pointing", "near", "far");
    let mut first: Option<[f64; 3]> = None;
    for (symbols, count) in WINDOWS {
        let bars = Arc::new(bars(count));
        let millis =
            [Doing::Pointing, Doing::Near, Doing::Far].map(|doing| median_frame(symbols, &bars, doing, frames).as_secs_f64() * 1e3);
        let [pointing, near, far] = millis;
        println!("{symbols:>8} {count:>10} {pointing:>10.3} {near:>10.3} {far:>10.3}");
        let base = *first.get_or_insert(millis);
        if (symbols, count) == WINDOWS[WINDOWS.len() - 1] {
            let [pointing, near, far] = [0, 1, 2].map(|place| millis[place] / base[place]);
            println!("{:>19} {pointing:>9.2}× {near:>9.2}× {far:>9.2}×", "last ÷ first");
        }
    }
    ExitCode::SUCCESS
}
