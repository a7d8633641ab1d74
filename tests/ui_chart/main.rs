//! The chart, driven by the labels a user sees. Tests of its arithmetic stand beside the arithmetic; here go pointer, keys,
//! legends, menus, and what a frame may cost.
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests may fail tests")]

mod lines;
mod tools;

use eframe::egui;
use egui::{Event, Key, Modifiers, MouseWheelUnit, Pos2, Shape, TouchPhase, pos2, vec2};
use egui_kittest::{Harness, kittest::Queryable};
use samovar::app::Action;
use samovar::app::chart::Templates;
use samovar::feature::{FeatureTable, SetLibrary};
use samovar::market::{Bars, DAY_US, RawBars, Symbol, date_of};
use samovar::ui::chart::{
    ChartData, ChartLayout, ChartNotice, ChartOffer, ChartResponse, ChartView, ChartWish, FeatureChoice, PanePlace, Placement, PriceScale,
    RangeChoice, SeriesSource, chart_ui,
};
use samovar::ui::theme;
use samovar::worker::SymbolRow;
use std::sync::Arc;

fn classic(name: &str) -> SeriesSource {
    SeriesSource::column("classic", name)
}

fn is_over_price(layout: &ChartLayout, name: &str) -> bool {
    layout.line_of(&classic(name)).and_then(|line| layout.place_of(line.id)) == Some(PanePlace::Price)
}

struct State {
    view: ChartView,
    layout: ChartLayout,
    data: Option<ChartData>,
    catalog: Vec<FeatureChoice>,
    templates: Templates,
    symbols: Vec<SymbolRow>,
    wish: Option<(u64, ChartWish)>,
    response: ChartResponse,
    /// Everything the user did.
    done: Vec<Action>,
}

/// Bars of every day, from a day of the epoch on; closes count up from 100 by hundredths.
fn data(name: &str, first_day: i64, count: usize) -> ChartData {
    let close: Vec<f64> = (0..count).map(|row| 100.0 + (row % 5_000) as f64 / 100.0).collect();
    let (bars, _) = Bars::normalise(RawBars {
        time_us: (0..count as i64).map(|row| (first_day + row) * DAY_US).collect(),
        open: close.iter().map(|close| close - 0.5).collect(),
        high: close.iter().map(|close| close + 1.0).collect(),
        low: close.iter().map(|close| close - 1.0).collect(),
        volume: vec![1_000.0; count],
        close: close.clone(),
        ..RawBars::default()
    });
    let wave = |length: f64| (0..count).map(|row| 50.0 + 40.0 * (row as f64 / length).sin()).collect::<Vec<f64>>();
    let mut ma20 = close;
    ma20.iter_mut().take(19).for_each(|value| *value = f64::NAN);
    let columns = [("ma20", ma20), ("rsi14", wave(9.0)), ("macd_dif", wave(20.0)), ("macd_dea", wave(25.0)), ("macd_hist", wave(5.0))];
    let (names, columns) = columns.into_iter().map(|(name, column)| (Arc::from(name), column)).unzip();
    let table = FeatureTable { resolution: bars.resolution, time_us: bars.time_us.clone(), names, columns };
    ChartData::new(Symbol::new(name), Arc::new(bars)).with_table("classic", &Arc::new(table))
}

fn window(data: Option<ChartData>) -> Harness<'static, State> {
    let catalog = ["ma20", "macd_dif", "rsi14"].map(|name| FeatureChoice {
        source: classic(name),
        group: "Momentum".to_owned(),
        description: format!("About {name}"),
        placement: Placement::of_name(name),
    });
    let state = State {
        view: ChartView::default(),
        layout: ChartLayout::default(),
        data,
        catalog: catalog.to_vec(),
        templates: Templates::default(),
        symbols: Vec::new(),
        wish: None,
        response: ChartResponse::default(),
        done: Vec::new(),
    };
    let builder = Harness::builder().with_size(vec2(1_000.0, 700.0)).with_step_dt(1.0 / 60.0).with_context_setup(theme::install);
    let mut harness = builder.build_ui_state(
        |ui, state: &mut State| {
            let sets = SetLibrary::built_in();
            let offer = ChartOffer {
                features: &state.catalog,
                templates: &state.templates,
                sets: &sets,
                symbols: &state.symbols,
                wish: state.wish.as_ref(),
                is_kept: false,
            };
            state.response = chart_ui(ui, &mut state.view, &mut state.layout, state.data.as_ref(), &offer);
            state.done.extend(state.response.actions.iter().cloned());
        },
        state,
    );
    harness.run();
    harness
}

fn wheel(harness: &mut Harness<'_, State>, delta: egui::Vec2) {
    let event = Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta,
        modifiers: Modifiers::NONE,
        phase: TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
    };
    harness.event(event);
    // egui spreads a turn of the wheel over a few frames.
    harness.run_steps(30);
}

fn hover(harness: &mut Harness<'_, State>, position: Pos2) -> Option<usize> {
    harness.hover_at(position);
    harness.run();
    harness.state().response.hovered_bar
}

/// The first and last row in view.
fn rows(harness: &Harness<'_, State>) -> (usize, usize) {
    let state = harness.state();
    let bars = state.data.as_ref().expect("data").bars.len();
    let rows = state.view.visible_range().expect("a range").rows(bars);
    (rows.start, rows.end)
}

#[test]
fn range_buttons_show_what_they_say() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    for (label, days) in [("1M", 31), ("3M", 92), ("6M", 184), ("1Y", 366), ("5Y", 1_827), ("All", 3_000)] {
        harness.get_by_label(label).click();
        harness.run();
        let (start, end) = rows(&harness);
        assert_eq!(end, 3_000, "{label}");
        assert!(end - start <= days && end - start + 4 >= days, "{label}: {} days", end - start);
        assert_eq!(harness.state().layout.range.label(), label);
    }
    harness.get_by_label("YTD").click();
    harness.run();
    let data = harness.state().data.clone().expect("data");
    let (start, _) = rows(&harness);
    assert_eq!(date_of(data.bars.time_us[start]).format("%m-%d").to_string(), "01-01");
}

#[test]
fn the_wheel_zooms_around_the_bar_under_the_pointer_and_shift_or_sideways_pans() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    let before = hover(&mut harness, pos2(400.0, 200.0)).expect("a bar");
    let wide = rows(&harness);
    wheel(&mut harness, vec2(0.0, 120.0));
    let near = rows(&harness);
    assert!(near.1 - near.0 < wide.1 - wide.0, "{wide:?} {near:?}");
    assert_eq!(harness.state().response.hovered_bar, Some(before));
    assert!(matches!(harness.state().layout.range, RangeChoice::Custom { .. }));
    wheel(&mut harness, vec2(200.0, 0.0));
    let panned = rows(&harness);
    assert!(panned.0 < near.0 && (panned.1 - panned.0).abs_diff(near.1 - near.0) <= 1, "{near:?} {panned:?}");
}

#[test]
fn dragging_pans_and_a_double_click_goes_back() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    let home = rows(&harness);
    hover(&mut harness, pos2(500.0, 200.0));
    harness.drag_at(pos2(500.0, 200.0));
    harness.run();
    harness.hover_at(pos2(700.0, 200.0));
    harness.run();
    harness.drop_at(pos2(700.0, 200.0));
    harness.run();
    let panned = rows(&harness);
    assert!(panned.0 < home.0 && panned.1 < home.1, "{home:?} {panned:?}");
    for _ in 0..2 {
        harness.drag_at(pos2(700.0, 200.0));
        harness.drop_at(pos2(700.0, 200.0));
        harness.step();
    }
    harness.run();
    assert_eq!(rows(&harness), home);
    assert_eq!(harness.state().layout.range, RangeChoice::OneYear);
}

#[test]
fn keys_move_the_chart_that_has_the_focus() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    let home = rows(&harness);
    let label = harness.get_by_label_contains("Chart of AAPL");
    label.focus();
    harness.run();
    let press = |harness: &mut Harness<'_, State>, key: Key| {
        harness.key_press(key);
        harness.run();
        rows(harness)
    };
    let left = press(&mut harness, Key::ArrowLeft);
    assert!(left.0 < home.0 && left.1 < home.1);
    let near = press(&mut harness, Key::Plus);
    assert!(near.1 - near.0 < left.1 - left.0);
    assert_eq!(press(&mut harness, Key::Home).0, 0);
    assert_eq!(press(&mut harness, Key::End).1, 3_000);
    assert_eq!(press(&mut harness, Key::Num0), home);
}

#[test]
fn legends_tell_the_values_of_the_bar_under_the_pointer() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    harness.get_by_label_contains("C 129.99");
    for x in [120.0, 500.0, 800.0] {
        let row = hover(&mut harness, pos2(x, 300.0)).expect("a bar");
        let close = 100.0 + row as f64 / 100.0;
        harness.get_by_label_contains(&format!("AAPL O {:.2} H {:.2} L {:.2} C {close:.2}", close - 0.5, close + 1.0, close - 1.0));
        harness.get_by_label(&format!("ma20 {close:.2}"));
        harness.get_by_label("Volume 1 K");
    }
    harness.remove_cursor();
    harness.run();
    assert_eq!(harness.state().response.hovered_bar, None);
}

#[test]
fn a_line_is_hidden_and_removed_from_its_legend() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    let place = harness.get_by_label_contains("ma20").rect().center();
    hover(&mut harness, place);
    harness.get_by_label("Hide ma20").click();
    harness.run();
    assert!(!harness.state().layout.overlays[0].visible && harness.state().response.hovered_bar.is_some());
    harness.get_by_label("Remove ma20").click();
    harness.run();
    assert!(!harness.state().layout.contains(&classic("ma20")));
    assert!(harness.query_by_label("Remove ma20").is_none());
}

#[test]
fn indicators_are_found_by_search_and_put_in_their_pane() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    harness.get_by_label("Indicators").click();
    harness.run();
    harness.get_by_label("ma20");
    harness.get_by_role(egui::accesskit::Role::TextInput).focus();
    harness.run();
    harness.get_by_role(egui::accesskit::Role::TextInput).type_text("rsi");
    harness.run();
    assert!(harness.query_by_label("ma20").is_none());
    harness.get_by_label("rsi14").click();
    harness.run();
    let ids = |harness: &Harness<'_, State>| harness.state().layout.panes.iter().map(|pane| pane.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&harness), ["macd", "rsi"]);
    harness.get_by_label("Over price: rsi14").click();
    harness.run();
    assert!(is_over_price(&harness.state().layout, "rsi14"));
    assert_eq!(ids(&harness), ["macd"]);
}

#[test]
fn volume_and_scale_are_switched_and_panes_are_dragged() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    harness.get_by_label("Price scale: Linear").click();
    harness.run();
    harness.get_by_label("Logarithmic").click();
    harness.run();
    assert_eq!(harness.state().layout.price_scale, PriceScale::Log);
    let share = harness.state().layout.volume_share;
    let edge = harness.get_by_label("Height of pane 2").rect().center();
    hover(&mut harness, edge);
    harness.drag_at(edge);
    harness.run();
    harness.hover_at(edge - vec2(0.0, 60.0));
    harness.run();
    harness.drop_at(edge - vec2(0.0, 60.0));
    harness.run();
    assert!(harness.state().layout.volume_share > share + 0.05, "{share} {}", harness.state().layout.volume_share);
    harness.get_by_label("More of the chart").click();
    harness.run();
    harness.get_by_label("Volume").click();
    harness.run();
    assert!(!harness.state().layout.show_volume);
}

#[test]
fn layout_and_range_stay_while_walking_from_symbol_to_symbol() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    harness.state_mut().layout.add(classic("rsi14"), &Placement::Own);
    harness.get_by_label("6M").click();
    harness.run();
    let layout = harness.state().layout.clone();
    harness.state_mut().data = Some(data("MSFT", 17_000, 1_500));
    harness.run();
    assert_eq!(harness.state().layout, layout);
    let (start, end) = rows(&harness);
    assert!(end == 1_500 && (180..=186).contains(&(end - start)), "six months stay six months");

    // A range of one's own keeps its dates, not its rows.
    harness.state_mut().data = Some(data("AAPL", 18_000, 3_000));
    harness.run();
    hover(&mut harness, pos2(300.0, 200.0));
    wheel(&mut harness, vec2(0.0, 200.0));
    let dates = |harness: &Harness<'_, State>| {
        let (start, end) = rows(harness);
        let times = harness.state().data.as_ref().expect("data").bars.time_us.clone();
        (date_of(times[start]), date_of(times[end - 1]))
    };
    let before = dates(&harness);
    harness.state_mut().data = Some(data("MSFT", 19_000, 2_500));
    harness.run();
    assert_eq!(dates(&harness), before);
}

#[test]
fn an_idle_chart_asks_for_nothing_and_the_pointer_builds_nothing() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    hover(&mut harness, pos2(300.0, 200.0));
    let builds = harness.state().view.builds();
    for step in 0..50_u16 {
        // Panics where a frame asks for another one again and again.
        hover(&mut harness, pos2(300.0 + f32::from(step), 200.0 + f32::from(step)));
    }
    assert_eq!(harness.state().view.builds(), builds);
    assert!(!harness.state().response.layout_changed);
}

#[test]
fn a_million_bars_draw_no_more_than_a_thousand() {
    let vertices = |count: usize| {
        let mut harness = window(Some(data("AAPL", 3_000, count)));
        harness.get_by_label("All").click();
        harness.run();
        assert_eq!(rows(&harness), (0, count));
        let of = |shape: &Shape| if let Shape::Mesh(mesh) = shape { mesh.vertices.len() } else { 4 };
        harness.output().shapes.iter().map(|clipped| of(&clipped.shape)).sum::<usize>()
    };
    let (few, many) = (vertices(1_000), vertices(1_000_000));
    assert!(many <= few * 2, "{few} vertices for a thousand bars, {many} for a million");
}

#[test]
fn a_million_bars_at_their_times_draw_no_more_than_a_thousand() {
    let vertices = |count: usize| {
        let mut harness = window(Some(data("AAPL", 3_000, count)));
        harness.state_mut().layout.calendar_time = true;
        harness.get_by_label("All").click();
        harness.run();
        assert_eq!(rows(&harness), (0, count));
        let of = |shape: &Shape| if let Shape::Mesh(mesh) = shape { mesh.vertices.len() } else { 4 };
        harness.output().shapes.iter().map(|clipped| of(&clipped.shape)).sum::<usize>()
    };
    let (few, many) = (vertices(1_000), vertices(1_000_000));
    assert!(many <= few * 2, "{few} vertices for a thousand bars, {many} for a million");
}

#[test]
fn a_million_bars_are_panned_as_well() {
    let mut harness = window(Some(data("AAPL", 3_000, 1_000_000)));
    harness.get_by_label("All").click();
    harness.run();
    hover(&mut harness, pos2(500.0, 200.0));
    for step in 1..4 {
        let before = harness.state().view.visible_range().expect("a range");
        wheel(&mut harness, vec2(-40.0, 0.0));
        let after = harness.state().view.visible_range().expect("a range");
        assert!(after.start > before.start + 10_000.0, "{step}: {before:?} {after:?}");
    }
}

#[test]
fn nothing_one_bar_and_flat_prices_are_shown_calmly() {
    let mut harness = window(None);
    harness.get_by_label("No symbol chosen");
    let notice = ChartNotice {
        title: "000001 is not in the cache".to_owned(),
        detail: "Preheat it to see its bars".to_owned(),
        action: Some("Preheat".to_owned()),
    };
    harness.state_mut().view.notice = Some(notice);
    harness.run();
    harness.get_by_label("Preheat").click();
    harness.step();
    let clicked = harness.state().response.action_clicked;
    harness.step();
    assert!(clicked || harness.state().response.action_clicked);

    harness.state_mut().data = Some(data("IPO", 18_000, 1));
    harness.run();
    harness.get_by_label_contains("IPO O 99.50");
    let mut flat = (*data("FLAT", 18_000, 40).bars).clone();
    for column in [&mut flat.open, &mut flat.high, &mut flat.low, &mut flat.close, &mut flat.volume] {
        column.fill(0.0);
    }
    harness.state_mut().data = Some(ChartData::new(Symbol::new("FLAT"), Arc::new(flat)));
    harness.state_mut().layout.set_scale(PriceScale::Log);
    harness.run();
    harness.get_by_label_contains("FLAT O 0.00");
    for size in [vec2(150.0, 100.0), vec2(60.0, 30.0), vec2(320.0, 240.0)] {
        harness.set_size(size);
        harness.run();
    }
}
