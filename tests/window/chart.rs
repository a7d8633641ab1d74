//! The chart in its window: lines of sets and formulas over the symbol that is read, and templates that stay.

use crate::desk::{Desk, Laid, Market, desk_with_market, warm_desk};
use eframe::egui;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use samovar::app::chart::{ChartAction, PanePlace, Placement, PriceScale, RangeChoice};
use samovar::app::{Action, Command};
use samovar::market::Symbol;
use samovar::worker::series::{SeriesFigures, SeriesSource};

/// Puts a formula on the chart by typing it.
fn draw(desk: &mut Desk, formula: &str) {
    desk.press_and_settle("Indicators");
    desk.fill("Search indicators, or type a formula", formula);
    desk.press_and_settle("Draw this formula");
    desk.key(Modifiers::NONE, Key::Escape);
    desk.settle();
}

fn figures(desk: &Desk, source: &SeriesSource) -> Option<SeriesFigures> {
    desk.state().chart.loaded.as_ref()?.data.figures(source).cloned()
}

fn lines(desk: &Desk) -> Vec<String> {
    desk.state().chart.layout.lines().map(|line| line.name().to_owned()).collect()
}

#[test]
fn a_formula_is_computed_for_every_symbol_and_found_again_after_a_restart() {
    let mut desk = warm_desk(2, 120);
    let formula = SeriesSource::formula("Mean($close, 7)");
    draw(&mut desk, "Mean($close, 7)");
    desk.wait("its values", |state| state.chart.loaded.as_ref().is_some_and(|loaded| loaded.data.series(&formula).is_some()));
    let found = figures(&desk, &formula).expect("figures");
    assert_eq!((found.rows, found.nulls), (120, 6));
    assert_eq!(found.histogram.iter().sum::<u32>(), 114);
    desk.assert_no("Loading");

    desk.shortcut(Command::NextSymbol);
    desk.wait_chart("S001");
    let other = figures(&desk, &formula).expect("figures of the next symbol");
    assert_ne!(other.mean, found.mean);

    let mut desk = desk.restart();
    desk.wait_chart("S001");
    assert_eq!(figures(&desk, &formula), Some(other));
}

#[test]
fn a_line_that_comes_on_is_read_alone() {
    let mut desk = warm_desk(1, 120);
    desk.wait_chart("S000");
    desk.wait("its reading to be counted", |state| state.snapshot.rows[0].hits > 0);
    let bars = |desk: &Desk| desk.state().chart.loaded.as_ref().expect("a chart").data.bars.clone();
    let (before, lookups) = (bars(&desk), desk.row("S000").hits);
    draw(&mut desk, "Std($close, 9)");
    let formula = SeriesSource::formula("Std($close, 9)");
    desk.wait("its values", |state| state.chart.loaded.as_ref().is_some_and(|loaded| loaded.data.series(&formula).is_some()));
    assert!(std::sync::Arc::ptr_eq(&before, &bars(&desk)), "the bars are those that were read before");
    assert_eq!(desk.row("S000").hits, lookups, "and nothing was looked up");
}

#[test]
fn lines_of_several_sets_are_shown_together_and_told_apart() {
    let mut desk = warm_desk(1, 120);
    desk.wait_chart("S000");
    desk.press_and_settle("Indicators");
    desk.fill("Search indicators, or type a formula", "alpha158");
    desk.settle();
    desk.press_and_settle("KMID");
    desk.fill("Search indicators, or type a formula", "rsi14");
    desk.settle();
    let boxes: Vec<_> = desk.texts().into_iter().filter(|text| text == "rsi14").collect();
    assert!(boxes.len() >= 2, "of classic and of talib");
    desk.key(Modifiers::NONE, Key::Escape);
    let kmid = SeriesSource::column("alpha158", "KMID");
    desk.wait("a column that is not cached", |state| {
        state.chart.loaded.as_ref().is_some_and(|loaded| loaded.data.series(&kmid).is_some() && loaded.data.features_computed())
    });
    assert_eq!(figures(&desk, &kmid).map(|figures| figures.nulls), Some(0));
    desk.assert_sees("features computed for this view");
}

#[test]
fn what_is_wrong_with_a_formula_stands_in_its_legend() {
    let mut desk = warm_desk(1, 60);
    desk.wait_chart("S000");
    // The list says it before anything is drawn.
    desk.press_and_settle("Indicators");
    desk.write("Mean($clos, 5)");
    desk.settle();
    desk.assert_sees("did you mean $close?");
    assert!(!desk.is_enabled("Draw this formula"));
    desk.key(Modifiers::NONE, Key::Enter);
    desk.key(Modifiers::NONE, Key::Escape);
    desk.assert_no("cannot be computed");
    // A layout of another day may still have one.
    let mut layout = desk.state().chart.layout.clone();
    let wrong = SeriesSource::formula("Mean($clos, 5)");
    layout.add(wrong.clone(), &Placement::of_source(&wrong));
    desk.act(Action::Chart(ChartAction::Change(Box::new(layout))));
    desk.wait_text("Mean($clos, 5) cannot be computed: ");
    let texts = desk.texts();
    let told = texts.iter().find(|text| text.contains("cannot be computed")).expect("the reason");
    assert!(told.contains("did you mean $close?"), "{told}");
    desk.assert_sees("ma20 ");
    desk.press_and_settle("Remove the pane Mean($clos, 5)");
    desk.assert_no("cannot be computed");
}

#[test]
fn an_open_list_of_indicators_has_the_keyboard_and_the_symbols_behind_it_do_not() {
    let mut desk = warm_desk(3, 120);
    desk.wait_chart("S000");
    desk.press_and_settle("Indicators");
    desk.write("rsi12");
    desk.settle();
    desk.key(Modifiers::COMMAND, Key::A);
    desk.key(Modifiers::NONE, Key::ArrowDown);
    assert!(desk.selected().is_empty(), "the text was meant");
    assert_eq!(desk.focus(), "S000");
    desk.key(Modifiers::NONE, Key::ArrowUp);
    // Enter puts the match on the chart and closes the list.
    desk.key(Modifiers::NONE, Key::Enter);
    desk.settle();
    assert!(lines(&desk).contains(&"rsi12".to_owned()), "{:?}", lines(&desk));
    desk.press_and_settle("Indicators");
    desk.write("mom10");
    desk.settle();
    desk.key(Modifiers::NONE, Key::Enter);
    desk.settle();
    assert!(lines(&desk).contains(&"mom10".to_owned()), "{:?}", lines(&desk));
    desk.key(Modifiers::NONE, Key::Escape);
    desk.settle();

    // A menu without a field keeps the keys as well.
    desk.press_and_settle("Price scale: Linear");
    desk.key(Modifiers::COMMAND, Key::A);
    desk.key(Modifiers::NONE, Key::ArrowDown);
    assert!(desk.selected().is_empty());
    assert_eq!(desk.focus(), "S000");
    desk.key(Modifiers::NONE, Key::Escape);
    desk.settle();
    desk.key(Modifiers::NONE, Key::ArrowDown);
    assert_eq!(desk.focus(), "S001", "closed, it gives them back");
}

#[test]
fn templates_are_kept_applied_renamed_and_deleted_with_a_way_back() {
    let mut desk = warm_desk(2, 60);
    desk.wait_chart("S000");
    draw(&mut desk, "Mean($close, 7)");
    let mine = lines(&desk);

    desk.shortcut(Command::SaveTemplate);
    desk.settle();
    desk.assert_sees("Save the chart as a template");
    assert!(!desk.is_enabled("Save"));
    desk.fill("Name", "Momentum");
    desk.settle();
    desk.assert_sees("Momentum is built in; choose another name");
    desk.fill("Name", "Swing trading");
    desk.settle();
    desk.press_and_settle("Save");
    desk.wait_notice("Saved the template Swing trading");

    // Another one from the palette; the stretch of time and the symbol have nothing to do with it.
    desk.press_and_settle("6M");
    desk.shortcut(Command::Palette);
    desk.write("momentum");
    desk.settle();
    desk.press_and_settle("Apply template Momentum");
    assert_eq!(lines(&desk), ["ema12", "ema26", "rsi14", "atr14"]);
    assert_eq!(desk.state().chart.layout.range, RangeChoice::SixMonths);
    desk.wait("values of the new lines", |state| {
        state.chart.loaded.as_ref().is_some_and(|loaded| loaded.data.series(&SeriesSource::column("classic", "atr14")).is_some())
    });
    desk.shortcut(Command::NextSymbol);
    desk.wait_chart("S001");
    assert_eq!(lines(&desk), ["ema12", "ema26", "rsi14", "atr14"]);

    desk.press_and_settle("Chart templates");
    desk.press_and_settle("Rename template Swing trading");
    desk.fill("Name", "Swing");
    desk.settle();
    desk.press_and_settle("Rename");
    desk.press_and_settle("Chart templates");
    desk.press_and_settle("Make Swing the default template");
    let mut desk = desk.restart();
    desk.wait_chart("S001");
    desk.shortcut(Command::Palette);
    desk.write("reset the chart");
    desk.settle();
    desk.press_and_settle("Reset the chart");
    assert_eq!(lines(&desk), mine);

    desk.press_and_settle("Chart templates");
    desk.press_and_settle("Delete template Swing");
    assert!(desk.state().chart.templates.get("Swing").is_none());
    desk.press_and_settle("Undo");
    assert_eq!(desk.state().chart.templates.default_name(), Some("Swing"));
}

#[test]
fn what_no_template_has_comes_back_after_one_was_applied() {
    let mut desk = warm_desk(1, 60);
    desk.wait_chart("S000");
    draw(&mut desk, "Std($close, 9)");
    let before = lines(&desk);
    desk.shortcut(Command::ApplyTemplate);
    desk.settle();
    desk.press_and_settle("Price and volume");
    assert!(lines(&desk).is_empty());
    desk.press_and_settle("Undo");
    assert_eq!(lines(&desk), before);
}

#[test]
fn panes_are_restored_by_a_command_and_volume_and_scale_have_theirs() {
    let mut desk = warm_desk(1, 60);
    desk.wait_chart("S000");
    desk.press_and_settle("Maximise macd");
    assert_eq!(desk.state().chart.layout.maximised(), Some(&PanePlace::Pane("macd".to_owned())));
    for (text, words) in
        [("show all panes", "Show all panes"), ("volume", "Show or hide volume"), ("logarithmic", "Logarithmic or linear price scale")]
    {
        desk.shortcut(Command::Palette);
        desk.write(text);
        desk.settle();
        desk.press_in_menu(words);
        desk.settle();
    }
    let layout = &desk.state().chart.layout;
    assert!(layout.maximised().is_none() && !layout.show_volume && layout.price_scale == PriceScale::Log);
}

#[test]
fn what_an_older_version_remembered_is_on_the_chart() {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    Market::new(&path).symbols(1, 60);
    let old = r#"(workspace:(view:Symbols,focus:Some("S000"),inspector:false),chart:(overlays:[(name:"ma5",color:3,visible:false)],
        show_volume:false,volume:[],volume_share:0.2,panes:[(id:"rsi",features:[(name:"rsi14",color:0,visible:true)],height_share:0.25)],
        log_scale:true,range:six_months,home:six_months))"#;
    let mut desk = laid.source("Market", &path).remembering("samovar-workspace-1", old).open();
    desk.wait_ready();
    let layout = &desk.state().chart.layout;
    assert_eq!(layout.sources(), [SeriesSource::column("classic", "ma5"), SeriesSource::column("classic", "rsi14")]);
    assert!(!layout.overlays[0].visible && layout.overlays[0].color == 3 && layout.price_scale == PriceScale::Log && !layout.show_volume);
    assert_eq!((layout.range, layout.panes[0].height_share), (RangeChoice::SixMonths, 0.25));
}

/// What is on the chart beside the symbol, and whether its values are there.
fn compared(desk: &Desk) -> Vec<(String, bool)> {
    let data = desk.state().chart.loaded.as_ref().map(|loaded| &loaded.data);
    let layout = &desk.state().chart.layout;
    layout.compared().map(|(symbol, line)| (symbol.to_string(), data.is_some_and(|data| data.series(&line.source).is_some()))).collect()
}

#[test]
fn selected_symbols_are_compared_in_percent_and_stay_while_walking() {
    let mut desk = warm_desk(4, 120);
    desk.wait_chart("S000");
    desk.click_row("S001", Modifiers::NONE);
    desk.click_row("S002", Modifiers::COMMAND | Modifiers::CTRL);
    desk.wait_chart("S002");
    desk.shortcut(Command::Palette);
    desk.write("compare on the chart");
    desk.settle();
    desk.press_in_menu("Compare on the chart");
    desk.wait("values of the other symbol", |state| {
        let source = SeriesSource::Symbol(Symbol::new("S001"));
        state.chart.loaded.as_ref().is_some_and(|loaded| loaded.data.series(&source).is_some())
    });
    assert_eq!(compared(&desk), [("S001".to_owned(), true)]);
    assert_eq!(desk.state().chart.layout.price_scale, PriceScale::Percent);
    desk.settle();
    let told = desk.texts().into_iter().find(|text| text.starts_with("S001 ") && text.ends_with('%'));
    assert!(told.is_some(), "value and change stand in the legend: {:?}", desk.texts());

    // More are found by typing; the chart stays as it is.
    desk.shortcut(Command::Compare);
    desk.settle();
    desk.fill("Search symbols to compare", "003");
    desk.settle();
    desk.key(Modifiers::NONE, Key::Enter);
    desk.settle();
    desk.key(Modifiers::NONE, Key::Escape);
    desk.shortcut(Command::NextSymbol);
    desk.wait_chart("S003");
    desk.wait("both lines", |state| {
        state.chart.loaded.as_ref().is_some_and(|loaded| {
            ["S001", "S003"].iter().all(|symbol| loaded.data.series(&SeriesSource::Symbol(Symbol::new(*symbol))).is_some())
        })
    });
    let mut desk = desk.restart();
    desk.wait_chart("S003");
    assert_eq!(compared(&desk), [("S001".to_owned(), true), ("S003".to_owned(), true)]);
    desk.shortcut(Command::Palette);
    desk.write("stop comparing");
    desk.settle();
    desk.press_in_menu("Stop comparing");
    assert!(compared(&desk).is_empty());
    assert_eq!(desk.state().chart.layout.price_scale, PriceScale::Linear);
}

#[test]
fn a_symbol_that_is_not_cached_cannot_be_compared_until_it_is() {
    let mut desk = desk_with_market(2, 60);
    desk.open_source_menu();
    desk.press("Reload symbol list");
    desk.wait("the symbols", |state| state.snapshot.rows.len() == 2);
    desk.settle();
    desk.click_row("S000", Modifiers::NONE);
    desk.press_and_settle("Preheat this symbol");
    desk.wait_idle();
    desk.wait_chart("S000");
    desk.shortcut(Command::Compare);
    desk.settle();
    desk.press_and_settle("Compare with S001");
    desk.key(Modifiers::NONE, Key::Escape);
    desk.wait_text("S001 cannot be compared: S001 is not in the cache");
    desk.press("Preheat all");
    desk.wait_idle();
    desk.wait("the line", |state| {
        let source = SeriesSource::Symbol(Symbol::new("S001"));
        state.chart.loaded.as_ref().is_some_and(|loaded| loaded.data.series(&source).is_some())
    });
}

#[test]
fn scales_have_their_keys() {
    let mut desk = warm_desk(1, 60);
    desk.wait_chart("S000");
    let scale = |desk: &Desk| desk.state().chart.layout.price_scale;
    for (command, wanted) in [
        (Command::ToggleLogScale, PriceScale::Log),
        (Command::TogglePercentScale, PriceScale::Percent),
        (Command::TogglePercentScale, PriceScale::Linear),
    ] {
        desk.shortcut(command);
        desk.settle();
        assert_eq!(scale(&desk), wanted);
    }
}

#[test]
fn rows_in_view_are_copied_with_the_lines_that_are_shown() {
    let mut desk = warm_desk(1, 120);
    desk.wait_chart("S000");
    desk.press_and_settle("1M");
    let copied = desk.copied_by_keys(Command::CopyChartRows);
    desk.wait_notice("of the chart");
    let data = &desk.state().chart.loaded.as_ref().expect("a chart").data;
    let rows = desk.harness.state().chart_view().visible_range().expect("a range").rows(data.bars.len());
    let lines: Vec<(String, SeriesSource)> =
        desk.state().chart.layout.sources().into_iter().map(|source| (source.label().to_owned(), source)).collect();
    let text = samovar::worker::rows_text(data, rows.clone(), &lines);
    assert!(text.starts_with("time\topen\thigh\tlow\tclose\tvolume\tma20\t"), "{text}");
    assert_eq!(text.lines().count(), rows.len() + 1);
    assert_eq!(copied, text);
}

#[test]
fn a_chart_is_kept_for_its_symbol_and_the_others_share_theirs() {
    let mut desk = warm_desk(2, 60);
    desk.wait_chart("S000");
    let shared = lines(&desk);
    desk.press_and_settle("More of the chart");
    desk.press_and_settle("Keep this chart for S000");
    desk.wait_notice("kept for S000");
    draw(&mut desk, "Std($close, 9)");
    let own = lines(&desk);
    assert_ne!(own, shared);
    desk.shortcut(Command::NextSymbol);
    desk.wait_chart("S001");
    assert_eq!(lines(&desk), shared);
    let mut desk = desk.restart();
    desk.wait_chart("S001");
    assert_eq!(lines(&desk), shared);
    desk.shortcut(Command::PreviousSymbol);
    desk.wait_chart("S000");
    assert_eq!(lines(&desk), own);
    desk.settle();
    desk.press_and_settle("More of the chart");
    desk.press_and_settle("Keep this chart for S000");
    assert_eq!(lines(&desk), shared);
}

#[test]
fn calendar_time_gives_holes_their_room_and_is_remembered() {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    let market = Market::new(&path);
    market.symbols(2, 300);
    market.run("DELETE FROM stock_kline_data WHERE symbol = 'S001' AND trade_date BETWEEN '2023-10-01' AND '2024-01-31'");
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.press("Preheat all");
    desk.wait_idle();
    desk.click_row("S001", Modifiers::NONE);
    desk.wait_chart("S001");
    desk.press_and_settle("All");
    // The bar in the middle of the plot: 60 of 177 bars stand before the hole.
    let at_middle = |desk: &mut Desk| {
        let plot = desk.harness.get_by_label_contains("Chart of S001").rect();
        desk.harness.hover_at(plot.center());
        desk.settle();
        let texts = desk.texts();
        texts.into_iter().find(|text| text.starts_with("S001 O ")).expect("a legend")
    };
    let shown = |desk: &Desk| desk.harness.state().chart_view().visible_range().expect("a range");
    let (even, range) = (at_middle(&mut desk), shown(&desk));
    desk.shortcut(Command::ToggleCalendarTime);
    desk.settle();
    assert!(desk.state().chart.layout.calendar_time);
    assert_eq!(shown(&desk), range, "the same bars are in view");
    assert_ne!(at_middle(&mut desk), even);
    let mut desk = desk.restart();
    desk.wait_chart("S001");
    assert!(desk.state().chart.layout.calendar_time);
    desk.settle();
    desk.press_and_settle("More of the chart");
    desk.press_and_settle("Calendar time");
    assert!(!desk.state().chart.layout.calendar_time);
    desk.key(Modifiers::NONE, Key::Escape);
    desk.settle();
    assert_eq!(at_middle(&mut desk), even);
}

#[test]
fn the_edge_between_list_and_chart_is_dragged() {
    let mut desk = warm_desk(1, 60);
    desk.wait_chart("S000");
    desk.settle();
    let left = |desk: &Desk| desk.harness.get_by_label_contains("Chart of S000").rect().left();
    let before = left(&desk);
    desk.drag(egui::pos2(before - 2.0, 500.0), egui::pos2(before - 150.0, 500.0));
    desk.settle();
    assert!(left(&desk) < before - 100.0, "{before} {}", left(&desk));
}

#[test]
fn a_chart_without_findings_says_so() {
    let mut desk = warm_desk(1, 60);
    desk.wait_chart("S000");
    desk.shortcut(Command::NextFinding);
    desk.settle();
    desk.wait_notice("S000 has no gaps and no broken bars");
    desk.shortcut(Command::ChartHelp);
    desk.settle();
    desk.assert_sees("Difference, percent, bars and time between two places");
}
