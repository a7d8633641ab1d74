//! Lines of the chart: their settings, their panes, what they are drawn as, and what becomes of those without values.

use crate::{State, classic, data, hover, window};
use eframe::egui;
use egui::accesskit::Role;
use egui::{Key, Modifiers, Pos2, Shape, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use samovar::app::Action;
use samovar::app::chart::{ChartAction, LineWidth, SeriesStyle};
use samovar::ui::chart::{ChartLayout, PanePlace, Placement, SeriesId, SeriesSource};
use samovar::worker::series::{SeriesColumn, SeriesOrigin};
use std::sync::Arc;

fn id_of(harness: &Harness<'_, State>, name: &str) -> SeriesId {
    harness.state().layout.line_of(&classic(name)).expect("a line").id
}

/// Opens the settings of a line by its button, as a pointer does.
fn open_settings(harness: &mut Harness<'_, State>, name: &str) {
    let place = entry(harness, name);
    hover(harness, place);
    harness.get_by_label(&format!("Settings of {name}")).click();
    harness.run();
    harness.get_by_label("Close the settings");
}

/// The middle of the entry whose words begin so.
fn entry(harness: &Harness<'_, State>, start: &str) -> Pos2 {
    let found = harness.root().children_recursive().find(|node| {
        let node = node.accesskit_node();
        node.role() == Role::Button && node.label().is_some_and(|label| label.starts_with(start))
    });
    found.unwrap_or_else(|| panic!("nothing begins with {start:?}")).rect().center()
}

fn double_click(harness: &mut Harness<'_, State>, position: Pos2) {
    hover(harness, position);
    // Long enough after what was clicked before, or it would be a click of three.
    harness.run_steps(60);
    for _ in 0..2 {
        harness.drag_at(position);
        harness.drop_at(position);
        harness.step();
    }
    harness.run();
}

#[test]
fn what_a_line_looks_like_is_changed_from_its_legend() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    open_settings(&mut harness, "ma20");
    for label in ["Teal", "Area", "Thick line"] {
        harness.get_by_label(label).click();
        harness.run();
    }
    let field = harness.get_by_label("Name of the line");
    field.focus();
    field.type_text("slow");
    harness.run();
    let line = harness.state().layout.overlays[0].clone();
    assert_eq!((line.color, line.style, line.width, line.name()), (3, Some(SeriesStyle::Area), LineWidth::Thick, "slow"));
    harness.get_by_label_contains("slow 129.99");
    harness.get_by_label("Auto").click();
    harness.run();
    assert_eq!(harness.state().layout.overlays[0].style, None);
    harness.get_by_label("Close the settings").click();
    harness.run();
    assert!(harness.query_by_label("Close the settings").is_none());
    assert_eq!(harness.state().layout.overlays.len(), 2, "nothing else has changed");
}

#[test]
fn a_double_click_on_an_entry_opens_its_settings_and_the_menu_of_the_right_button_has_them_too() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    let place = entry(&harness, "ma60");
    double_click(&mut harness, place);
    harness.get_by_label("Name of the line");
    harness.key_press(Key::Escape);
    harness.run();
    assert!(harness.query_by_label("Name of the line").is_none());
    harness.get_by_label_contains("ma20 1").click_secondary();
    harness.run();
    harness.get_by_label("Duplicate").click();
    harness.run();
    let names: Vec<_> = harness.state().layout.overlays.iter().map(|line| (line.name().to_owned(), line.color)).collect();
    assert_eq!(names, [("ma20".to_owned(), 0), ("ma60".to_owned(), 1), ("ma20".to_owned(), 2)]);
    harness.get_by_label("Name of the line");
}

#[test]
fn the_keyboard_opens_closes_and_removes() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    harness.get_by_label_contains("ma20 1").focus();
    harness.run();
    harness.get_by_label("Remove ma20");
    harness.key_press(Key::Enter);
    harness.run();
    harness.get_by_label("Close the settings");
    harness.key_press(Key::Escape);
    harness.run();
    if harness.query_by_label("Close the settings").is_some() {
        // The first Esc was for the number that was being typed.
        harness.key_press(Key::Escape);
        harness.run();
    }
    assert!(harness.query_by_label("Close the settings").is_none());
    harness.get_by_label_contains("ma20 1").focus();
    harness.run();
    harness.key_press(Key::Delete);
    harness.run();
    assert!(!harness.state().layout.contains(&classic("ma20")));
}

#[test]
fn a_number_of_a_column_is_turned_and_its_line_stays_until_the_new_values_are_here() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    let id = id_of(&harness, "macd_dif");
    let before = harness.state().view.builds();
    open_settings(&mut harness, "macd_dif");
    harness.get_by_label("EMA 12").focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.get_by_label("EMA 12").type_text("10");
    harness.key_press(Key::Enter);
    harness.run();
    let formula = SeriesSource::formula("EMA($close, 10) - EMA($close, 26)");
    let line = harness.state().layout.line(id).expect("a line").clone();
    assert_eq!((line.source.clone(), line.name()), (formula.clone(), "macd_dif(10, 26)"));
    // Still the old values, under the new name.
    harness.get_by_label_contains("macd_dif(10, 26) 7");

    let old = harness.state().data.clone().expect("data");
    let mut answers = old.answers().to_vec();
    let column = SeriesColumn::new(vec![4.25; 3_000], SeriesOrigin::Computed);
    answers.push((formula, Ok(Arc::new(column))));
    harness.state_mut().data = Some(old.with_answers(answers));
    harness.run();
    harness.get_by_label("macd_dif(10, 26) 4.25");
    assert!(harness.state().view.builds() > before);
    assert!(harness.get_by_label("EMA 10").rect().is_positive() && harness.query_by_label("EMA 26").is_some());
}

#[test]
fn a_number_stays_in_hand_while_it_is_dragged() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    let id = id_of(&harness, "macd_dif");
    open_settings(&mut harness, "macd_dif");
    let knob = harness.get_by_label("EMA 12").rect().center();
    hover(&mut harness, knob);
    harness.drag_at(knob);
    harness.run();
    for step in 1..=10_u16 {
        harness.hover_at(knob + vec2(f32::from(step) * 20.0, 0.0));
        harness.run();
    }
    harness.drop_at(knob + vec2(200.0, 0.0));
    harness.run();
    let text = harness.state().layout.line(id).expect("a line").source.label().to_owned();
    let fast: u32 =
        text.strip_prefix("EMA($close, ").and_then(|rest| rest.split(')').next()).and_then(|n| n.parse().ok()).expect("a window");
    assert!(fast > 26, "{text}: past the other number, and no further with it");
    assert!(text.ends_with("EMA($close, 26)"), "{text}");
}

#[test]
fn a_line_moves_over_the_price_and_levels_of_a_pane_are_ones_own() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    harness.state_mut().layout.add(classic("rsi14"), &Placement::Pane("rsi".into()));
    harness.run();
    open_settings(&mut harness, "rsi14");
    assert_eq!(harness.state().layout.panes[1].guides(), [30.0, 70.0]);
    harness.get_by_label("Add a level").click();
    harness.run();
    harness.get_by_label("Remove level 1").click();
    harness.run();
    assert_eq!(harness.state().layout.panes[1].guides, Some(vec![70.0, 70.0]));
    harness.get_by_label("Usual levels").click();
    harness.run();
    assert_eq!(harness.state().layout.panes[1].guides, None);
    harness.get_by_label("Where the line is drawn").click();
    harness.run();
    harness.get_by_label("Over the price").click();
    harness.run();
    let layout = &harness.state().layout;
    assert_eq!(layout.place_of(id_of(&harness, "rsi14")), Some(PanePlace::Price));
    assert_eq!(layout.panes.len(), 1, "its pane went with it");
}

#[test]
fn panes_are_maximised_moved_and_removed() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    let places = |harness: &Harness<'_, State>| harness.state().layout.places();
    let macd = PanePlace::Pane("macd".to_owned());
    assert_eq!(places(&harness), [PanePlace::Price, PanePlace::Volume, macd.clone()]);
    harness.get_by_label("Move macd up").click();
    harness.run();
    assert_eq!(places(&harness), [PanePlace::Price, macd.clone(), PanePlace::Volume]);
    let height = harness.get_by_label("Height of pane 3").rect().center().y - harness.get_by_label("Height of pane 2").rect().center().y;
    assert!(height > 60.0);

    harness.get_by_label("Maximise macd").click();
    harness.run();
    assert!(harness.query_by_label("Volume 1 K").is_none() && harness.query_by_label("Height of pane 2").is_none());
    harness.get_by_label("Show all panes").click();
    harness.run();
    harness.get_by_label("Volume 1 K");

    // The same by a double-click on the legend's strip, away from its entries; the range stays.
    let range = harness.state().layout.range;
    let strip = harness.get_by_label("Volume 1 K").rect();
    double_click(&mut harness, strip.center() + vec2(300.0, 0.0));
    assert_eq!(harness.state().layout.maximised(), Some(&PanePlace::Volume));
    let strip = harness.get_by_label("Volume 1 K").rect();
    double_click(&mut harness, strip.center() + vec2(300.0, 0.0));
    assert_eq!((harness.state().layout.maximised(), harness.state().layout.range), (None, range));

    harness.get_by_label("Hide volume").click();
    harness.run();
    harness.get_by_label("Remove the pane macd").click();
    harness.run();
    assert_eq!(places(&harness), [PanePlace::Price]);
    assert!(!harness.state().layout.contains(&classic("macd_dif")));
}

#[test]
fn dragging_from_a_legends_strip_still_pans() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    let before = harness.state().view.visible_range().expect("a range");
    let strip = harness.get_by_label("Volume 1 K").rect().center() + vec2(300.0, 0.0);
    assert!(hover(&mut harness, strip).is_some(), "the crosshair is there too");
    harness.drag_at(strip);
    harness.run();
    harness.hover_at(strip + vec2(150.0, 0.0));
    harness.run();
    harness.drop_at(strip + vec2(150.0, 0.0));
    harness.run();
    assert!(harness.state().view.visible_range().expect("a range").start < before.start - 10.0);
}

#[test]
fn a_line_without_values_says_why_and_the_others_are_drawn() {
    let good = data("AAPL", 18_000, 3_000);
    let bad = SeriesSource::formula("Mean($clos, 5)");
    let mut answers = good.answers().to_vec();
    answers.push((bad.clone(), Err("There is no field $clos; did you mean $close?".into())));
    let mut harness = window(Some(good.with_answers(answers)));
    harness.state_mut().layout.add(bad, &Placement::Price);
    harness.state_mut().layout.add(SeriesSource::formula("Mean($close, 7)"), &Placement::Price);
    harness.run();
    harness.get_by_label("Mean($clos, 5) cannot be computed: There is no field $clos; did you mean $close?");
    harness.get_by_label("ma20 129.99");
    harness.get_by_label("Mean($close, 7) …");
}

#[test]
fn a_typed_formula_is_drawn_and_a_wrong_one_is_not() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    harness.get_by_label("Indicators").click();
    harness.run();
    let field = |harness: &mut Harness<'_, State>, text: &str| {
        harness.get_by_role(Role::TextInput).focus();
        harness.run();
        harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
        harness.get_by_role(Role::TextInput).type_text(text);
        harness.run();
    };
    field(&mut harness, "TA_RSI($close, 9");
    assert!(harness.get_by_label("Draw this formula").accesskit_node().is_disabled());
    field(&mut harness, "TA_RSI($close, 9)");
    harness.get_by_label("Draw this formula").click();
    harness.run();
    let layout = &harness.state().layout;
    let line = layout.line_of(&SeriesSource::formula("TA_RSI($close, 9)")).expect("a line");
    assert_eq!(layout.place_of(line.id), Some(PanePlace::Pane("rsi".to_owned())));
}

#[test]
fn the_menu_of_templates_asks_for_what_it_says() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    harness.get_by_label("Chart templates").click();
    harness.run();
    harness.get_by_label("Apply template Momentum").click();
    harness.step();
    let asked = |harness: &Harness<'_, State>| {
        let actions = &harness.state().response.actions;
        actions.iter().any(|action| matches!(action, Action::Chart(ChartAction::ApplyTemplate(name)) if name == "Momentum"))
    };
    assert!(
        asked(&harness) || {
            harness.step();
            asked(&harness)
        }
    );
}

#[test]
fn what_does_not_fit_into_a_legend_is_behind_one_button() {
    let mut harness = window(Some(data("AAPL", 18_000, 3_000)));
    for window in 0..60 {
        harness.state_mut().layout.add(SeriesSource::formula(format!("Mean($close, {window})")), &Placement::Price);
    }
    harness.run();
    let more = harness.get_by_label_contains("more lines");
    assert!(more.rect().bottom() < 300.0, "{:?}", more.rect());
    more.click();
    harness.run();
    harness.get_by_label("Remove Mean($close, 59)").click();
    harness.run();
    assert!(!harness.state().layout.contains(&SeriesSource::formula("Mean($close, 59)")));
}

#[test]
fn a_million_bars_in_every_style_cost_what_a_thousand_do() {
    let vertices = |count: usize| {
        let mut data = data("AAPL", 3_000, count);
        let mut answers = data.answers().to_vec();
        let truths = SeriesSource::formula("$close > 120");
        let values = (0..count).map(|row| f64::from(u8::from(row % 900 > 300))).collect();
        answers.push((truths.clone(), Ok(Arc::new(SeriesColumn::new(values, SeriesOrigin::Computed)))));
        let signs = SeriesSource::formula("TA_CDLDOJI($open, $high, $low, $close)");
        let values = (0..count).map(|row| if row % 97 == 0 { 100.0 } else { 0.0 }).collect();
        answers.push((signs.clone(), Ok(Arc::new(SeriesColumn::new(values, SeriesOrigin::Computed)))));
        data = data.with_answers(answers);
        let mut layout = ChartLayout::default();
        for style in [SeriesStyle::Line, SeriesStyle::Step, SeriesStyle::Histogram, SeriesStyle::Area, SeriesStyle::Dots] {
            for _ in 0..4 {
                let id = layout.add(classic("rsi14"), &Placement::Pane("rsi".into()));
                layout.line_mut(id).expect("a line").style = Some(style);
            }
        }
        layout.add(truths, &Placement::Own);
        layout.add(signs, &Placement::Price);
        let mut harness = window(Some(data));
        harness.state_mut().layout = layout;
        harness.get_by_label("All").click();
        harness.run();
        let of = |shape: &Shape| if let Shape::Mesh(mesh) = shape { mesh.vertices.len() } else { 4 };
        harness.output().shapes.iter().map(|clipped| of(&clipped.shape)).sum::<usize>()
    };
    let (few, many) = (vertices(1_000), vertices(1_000_000));
    assert!(many <= few * 2, "{few} vertices for a thousand bars, {many} for a million");
}
