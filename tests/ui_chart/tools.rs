//! Scales, compared symbols, measuring, going to a time, pictures.

use super::{State, classic, data, hover, rows, window};
use eframe::egui;
use egui::{Color32, ColorImage, Event, Key, Modifiers, PointerButton, Pos2, Shape, ViewportCommand, ViewportId, pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use samovar::app::Action;
use samovar::app::chart::ChartAction;
use samovar::market::quality::MarketDays;
use samovar::market::{DAY_US, Exchange, Symbol, date_of};
use samovar::ui::chart::{ChartData, ChartWish, Placement, PriceScale, SeriesSource};
use samovar::worker::series::{SeriesColumn, SeriesOrigin};
use std::sync::Arc;

/// Every text that is painted.
fn painted(harness: &Harness<'_, State>) -> Vec<String> {
    fn texts(shape: &Shape, found: &mut Vec<String>) {
        match shape {
            Shape::Text(text) => found.push(text.galley.text().to_owned()),
            Shape::Vec(shapes) => shapes.iter().for_each(|shape| texts(shape, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    harness.output().shapes.iter().for_each(|clipped| texts(&clipped.shape, &mut found));
    found
}

fn wish(harness: &mut Harness<'_, State>, wish: ChartWish) {
    let number = harness.state().wish.as_ref().map_or(0, |(number, _)| *number);
    harness.state_mut().wish = Some((number + 1, wish));
    harness.run();
}

/// Presses, moves and lets go, with keys held down.
fn drag(harness: &mut Harness<'_, State>, from: Pos2, to: Pos2, modifiers: Modifiers) {
    harness.hover_at(from);
    harness.run();
    if modifiers.any() {
        harness.event(Event::ModifiersChanged(modifiers));
    }
    let press = |pos: Pos2, pressed: bool| Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers };
    harness.event_modifiers(press(from, true), modifiers);
    harness.step();
    for share in [0.5, 1.0] {
        harness.event_modifiers(Event::PointerMoved(from + (to - from) * share), modifiers);
        harness.step();
    }
    harness.event_modifiers(press(to, false), modifiers);
    harness.step();
    harness.run();
}

#[test]
fn a_percent_scale_starts_at_the_first_bar_in_view() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    harness.get_by_label("Price scale: Linear").click();
    harness.run();
    harness.get_by_label("Percent").click();
    harness.run();
    assert_eq!(harness.state().layout.price_scale, PriceScale::Percent);
    assert!(painted(&harness).iter().any(|text| text == "0 %"), "{:?}", painted(&harness));
    let (start, end) = rows(&harness);
    let closes = &harness.state().data.as_ref().expect("data").bars.close;
    let change = 100.0 * (closes[end - 1] / closes[start] - 1.0);
    let tag = format!("+{change:.2} %");
    assert!(painted(&harness).contains(&tag), "{tag} of the last price: {:?}", painted(&harness));
    harness.state_mut().layout.set_scale(PriceScale::Indexed);
    harness.run();
    let tag = format!("{:.2}", 100.0 + change);
    assert!(painted(&harness).contains(&tag), "{tag}: {:?}", painted(&harness));
}

#[test]
fn a_scale_that_cannot_be_explains_itself() {
    let bars = data("OIL", 18_000, 60);
    let mut negative = (*bars.bars).clone();
    for column in [&mut negative.open, &mut negative.high, &mut negative.low, &mut negative.close] {
        column.iter_mut().for_each(|value| *value -= 100.2);
    }
    let mut harness = window(Some(ChartData::new(Symbol::new("OIL"), Arc::new(negative))));
    harness.state_mut().layout.set_scale(PriceScale::Log);
    harness.run();
    harness.get_by_label_contains("Not every price in view is above zero");
    harness.state_mut().layout.set_scale(PriceScale::Percent);
    harness.run();
    harness.get_by_label_contains("The first price in view is not above zero");
    harness.state_mut().layout.set_scale(PriceScale::Linear);
    harness.run();
    assert!(harness.query_by_label_contains("this scale is linear").is_none());
}

#[test]
fn an_axis_is_dragged_and_a_double_click_or_the_corner_fits_it_again() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    let before = painted(&harness);
    let axis = harness.get_by_label("Scale of the price").rect().center();
    drag(&mut harness, axis, axis + vec2(0.0, 120.0), Modifiers::NONE);
    assert_ne!(painted(&harness), before);
    harness.get_by_label("Fit the scales").click();
    harness.run();
    harness.remove_cursor();
    harness.run();
    assert!(harness.query_by_label("Fit the scales").is_none());
    assert_eq!(painted(&harness), before);

    drag(&mut harness, axis, axis - vec2(0.0, 90.0), Modifiers::NONE);
    harness.get_by_label("Fit the scales");
    for _ in 0..2 {
        harness.drag_at(axis);
        harness.drop_at(axis);
        harness.step();
    }
    harness.run();
    assert!(harness.query_by_label("Fit the scales").is_none());
    // Another symbol has other prices.
    drag(&mut harness, axis, axis - vec2(0.0, 90.0), Modifiers::NONE);
    harness.state_mut().data = Some(data("MSFT", 18_000, 2_000));
    harness.run();
    assert!(harness.query_by_label("Fit the scales").is_none());
}

#[test]
fn in_calendar_time_a_hole_takes_its_room_and_dates_go_on_through_it() {
    // Half a year of days, half a year of nothing, half a year of days.
    let full = data("AAPL", 18_993, 360);
    let mut bars = (*full.bars).clone();
    bars.time_us.iter_mut().skip(180).for_each(|time| *time += 180 * DAY_US);
    let chart = ChartData::new(Symbol::new("AAPL"), Arc::new(bars)).with_findings(&MarketDays::new(Exchange::Continuous, []));
    let mut harness = window(Some(chart));
    harness.get_by_label("All").click();
    harness.run();
    let plot = harness.get_by_label_contains("Chart of AAPL").rect();
    let bars_at = |harness: &mut Harness<'_, State>| {
        [0.1, 0.3, 0.45, 0.55, 0.7].map(|share| hover(harness, pos2(plot.left() + plot.width() * share, 300.0)).expect("a bar"))
    };
    let even = bars_at(&mut harness);
    assert!(even.windows(2).all(|pair| pair[1] > pair[0] + 20), "{even:?}");
    let shown = rows(&harness);
    harness.state_mut().layout.calendar_time = true;
    harness.run();
    assert_eq!(rows(&harness), shown, "the same bars are in view");
    let [first, early, before, after, late] = bars_at(&mut harness);
    assert!(first.abs_diff(54) <= 4 && early.abs_diff(162) <= 6, "{first} {early}");
    assert_eq!((before, after), (179, 180), "the nearest bar on either side of the hole");
    assert!(late.abs_diff(200) <= 8, "{late}");
    // Months without a bar have their places, too: 2022 begins with the bars, July and October lie in the hole.
    harness.remove_cursor();
    harness.run();
    let texts = painted(&harness);
    for month in ["Jul", "Oct"] {
        assert!(texts.iter().any(|text| text == month), "{month}: {texts:?}");
    }

    // What is dragged is time, not bars: into the hole, and as far back again.
    let (from, to) = (pos2(300.0, 250.0), pos2(500.0, 250.0));
    drag(&mut harness, from, to, Modifiers::NONE);
    let moved = rows(&harness);
    assert_ne!(moved, shown);
    drag(&mut harness, to, from, Modifiers::NONE);
    assert_eq!(rows(&harness), shown);
}

/// The data with another symbol beside it, whose values grow twice as fast and begin late.
fn with_compared(bars: &ChartData, first_row: usize) -> (ChartData, SeriesSource) {
    let source = SeriesSource::Symbol(Symbol::new("MSFT"));
    let count = bars.bars.len();
    let values = (0..count).map(|row| if row < first_row { f64::NAN } else { 10.0 + (row - first_row) as f64 * 0.1 }).collect();
    let mut answers = bars.answers().to_vec();
    answers.push((source.clone(), Ok(Arc::new(SeriesColumn::new(values, SeriesOrigin::Cached)))));
    (bars.with_answers(answers), source)
}

#[test]
fn a_compared_symbol_tells_its_value_and_its_change_since_its_first_bar_in_view() {
    let (data, source) = with_compared(&data("AAPL", 18_000, 200), 150);
    let mut harness = window(Some(data));
    harness.get_by_label("All").click();
    assert!(harness.state_mut().layout.compare(&Symbol::new("MSFT")));
    assert_eq!(harness.state().layout.price_scale, PriceScale::Percent);
    harness.run();
    harness.remove_cursor();
    harness.run();
    harness.get_by_label("MSFT 14.90 +49.00 %");
    assert!(painted(&harness).contains(&"+49.00 %".to_owned()), "its tag on the axis: {:?}", painted(&harness));
    // Before its first bar there is nothing.
    hover(&mut harness, pos2(200.0, 300.0)).expect("a bar");
    harness.get_by_label("MSFT –");
    let place = harness.get_by_label_contains("MSFT").rect().center();
    harness.hover_at(place);
    harness.run_steps(10);
    harness.get_by_label("Remove MSFT").click();
    harness.run();
    assert!(!harness.state().layout.contains(&source) && harness.state().layout.price_scale == PriceScale::Linear);
}

#[test]
fn shift_drag_measures_and_esc_takes_it_away() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    let range = rows(&harness);
    drag(&mut harness, pos2(300.0, 300.0), pos2(420.0, 200.0), Modifiers::SHIFT);
    assert_eq!(rows(&harness), range, "measuring moves nothing");
    let label = harness.get_by_label_contains("Measured:");
    let told = label.accesskit_node().value().expect("words");
    assert!(told.contains(" bars · ") && told.contains('+') && told.contains('%'), "{told}");
    harness.key_press(Key::Escape);
    harness.run();
    assert!(harness.query_by_label_contains("Measured:").is_none());

    wish(&mut harness, ChartWish::Measure);
    drag(&mut harness, pos2(420.0, 200.0), pos2(300.0, 300.0), Modifiers::NONE);
    assert!(harness.get_by_label_contains("Measured:").accesskit_node().value().expect("words").contains('−'));
    // The next drag moves the chart again, and a click takes the measure away.
    drag(&mut harness, pos2(300.0, 300.0), pos2(500.0, 300.0), Modifiers::NONE);
    assert!(rows(&harness).0 < range.0);
    harness.drag_at(pos2(300.0, 250.0));
    harness.drop_at(pos2(300.0, 250.0));
    harness.run();
    assert!(harness.query_by_label_contains("Measured:").is_none());
}

#[test]
fn a_date_is_gone_to_by_typing_it() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    let go = |harness: &mut Harness<'_, State>, text: &str| {
        wish(harness, ChartWish::GoToDate);
        harness.get_by_label("Date to go to").type_text(text);
        harness.run();
        harness.key_press(Key::Enter);
        harness.run();
        let (start, end) = rows(harness);
        let times = &harness.state().data.as_ref().expect("data").bars.time_us;
        (date_of(times[start]).to_string(), date_of(times[end - 1]).to_string())
    };
    assert_eq!(go(&mut harness, "2021"), ("2021-01-01".to_owned(), "2021-12-31".to_owned()));
    assert_eq!(go(&mut harness, "2020-03"), ("2020-03-01".to_owned(), "2020-03-31".to_owned()));
    let (start, end) = go(&mut harness, "2020-09-15");
    assert!(start.as_str() < "2020-09-15" && end.as_str() > "2020-09-15", "{start} {end}");
    harness.get_by_label("Marked: 2020-09-15");
    // What cannot be read stays to be mended.
    wish(&mut harness, ChartWish::GoToDate);
    harness.get_by_label("Date to go to").type_text("soon");
    harness.run();
    harness.key_press(Key::Enter);
    harness.step();
    harness.get_by_label_contains("Write a year, a month or a day");
    // Far away the nearest is shown, and that is told.
    harness.key_press(Key::Escape);
    harness.run();
    wish(&mut harness, ChartWish::GoToDate);
    harness.get_by_label("Date to go to").type_text("1999");
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    let told = &harness.state().done;
    let has_told = |action: &Action| matches!(action, Action::Chart(ChartAction::Tell(text)) if text.contains("the nearest is shown"));
    assert!(told.iter().any(has_told), "{told:?}");
    assert_eq!(rows(&harness).0, 0);
}

#[test]
fn findings_are_walked_from_one_to_the_next() {
    // Every day is a session; four are missing in two places, and one bar is broken.
    let full = data("AAPL", 18_000, 1_000);
    let mut bars = (*full.bars).clone();
    for (row, days) in [(400, 1), (700, 3)] {
        bars.time_us.iter_mut().skip(row).for_each(|time| *time += days * DAY_US);
    }
    bars.high[900] = 0.5;
    let chart = ChartData::new(Symbol::new("AAPL"), Arc::new(bars)).with_findings(&MarketDays::new(Exchange::Continuous, []));
    let mut harness = window(Some(chart));
    harness.get_by_label("All").click();
    harness.run();
    let marked = |harness: &Harness<'_, State>| harness.get_by_label_contains("Marked:").accesskit_node().value().unwrap_or_default();
    for words in ["1 session without a bar", "3 sessions without a bar", "range broken at 0.5"] {
        wish(&mut harness, ChartWish::Finding { forward: true });
        assert!(marked(&harness).contains(words), "{}", marked(&harness));
    }
    wish(&mut harness, ChartWish::Finding { forward: false });
    assert!(marked(&harness).contains("3 sessions"), "{}", marked(&harness));
    // The crosshair says it too.
    let mark = harness.get_by_label_contains("Marked:").rect().center();
    hover(&mut harness, pos2(mark.x, 300.0));
    assert!(painted(&harness).iter().any(|text| text.contains("3 sessions without a bar")), "{:?}", painted(&harness));
    harness.key_press(Key::Escape);
    harness.run();
    assert!(harness.query_by_label_contains("Marked:").is_none());
}

#[test]
fn a_provisional_bar_is_called_so_under_the_pointer() {
    let full = data("AAPL", 18_000, 60);
    let last = full.bars.last_us();
    let mut harness = window(Some(full.with_provisional(last)));
    harness.get_by_label("All").click();
    harness.run();
    hover(&mut harness, pos2(925.0, 300.0));
    assert!(painted(&harness).iter().any(|text| text.contains("· provisional")), "{:?}", painted(&harness));
    hover(&mut harness, pos2(300.0, 300.0));
    assert!(!painted(&harness).iter().any(|text| text.contains("· provisional")));
}

#[test]
fn alt_click_shows_a_line_alone() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    harness.state_mut().layout.add(classic("rsi14"), &Placement::Price);
    harness.run();
    let seen = |harness: &Harness<'_, State>| harness.state().layout.overlays.iter().map(|line| line.visible).collect::<Vec<_>>();
    assert_eq!(seen(&harness), [true, true, true]);
    for wanted in [[true, false, false], [true, true, true]] {
        harness.get_by_label_contains("ma20 1").click_modifiers(Modifiers::ALT);
        harness.run();
        assert_eq!(seen(&harness), wanted);
    }
}

#[test]
fn a_picture_is_the_chart_without_the_crosshair() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    hover(&mut harness, pos2(400.0, 300.0));
    harness.state_mut().wish = Some((1, ChartWish::Picture { to_clipboard: false }));
    harness.step();
    let is_date = |text: &String| text.contains(" 20") && text.contains('-');
    assert!(!painted(&harness).iter().any(is_date), "no date at the pointer: {:?}", painted(&harness));
    let commands = harness.output().viewport_output.get(&ViewportId::ROOT).expect("the window").commands.clone();
    let asked = commands.into_iter().find_map(|command| match command {
        ViewportCommand::Screenshot(callback) => Some(callback),
        _ => None,
    });
    asked.expect("a picture was asked for").complete(Arc::new(ColorImage::filled([1_000, 700], Color32::from_rgb(1, 2, 3))));
    harness.run();
    let taken = harness.state().done.iter().find_map(|action| match action {
        Action::Chart(ChartAction::PictureTaken(picture)) => Some(Arc::clone(picture)),
        _ => None,
    });
    let picture = taken.expect("a picture");
    assert!((960..=1_000).contains(&picture.width) && (600..700).contains(&picture.height), "{} × {}", picture.width, picture.height);
    assert_eq!(picture.rgba[..4], [1, 2, 3, 255]);
}
