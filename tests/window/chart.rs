//! The chart in its window: lines of sets and formulas over the symbol that is read, and templates that stay.

use crate::desk::{Desk, Laid, Market, warm_desk};
use eframe::egui;
use egui::{Key, Modifiers};
use samovar::app::Command;
use samovar::app::chart::{PanePlace, RangeChoice};
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
    // Counted a moment after it was answered.
    desk.wait_for("its lookup", |desk| desk.row("S000").hits > 0);
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
    draw(&mut desk, "Mean($clos, 5)");
    desk.wait_text("Mean($clos, 5) cannot be computed: ");
    let texts = desk.texts();
    let told = texts.iter().find(|text| text.contains("cannot be computed")).expect("the reason");
    assert!(told.contains("did you mean $close?"), "{told}");
    desk.assert_sees("ma20 ");
    desk.press_and_settle("Remove the pane Mean($clos, 5)");
    desk.assert_no("cannot be computed");
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
    assert!(layout.maximised().is_none() && !layout.show_volume && layout.log_scale);
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
    assert!(!layout.overlays[0].visible && layout.overlays[0].color == 3 && layout.log_scale && !layout.show_volume);
    assert_eq!((layout.range, layout.panes[0].height_share), (RangeChoice::SixMonths, 0.25));
}
