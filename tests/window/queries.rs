//! The slowest queries of the source in the overview, the advice on an index, and the profile.

use crate::desk::{Laid, Market, warm_desk};
use samovar::app::Command;

const CREATE: &str = "CREATE INDEX \"stock_kline_data_symbol_trade_date\" ON \"stock_kline_data\" (\"symbol\", \"trade_date\");";

#[test]
fn the_slowest_queries_are_listed_with_their_statements() {
    let mut desk = warm_desk(4, 40);
    desk.show_overview();
    desk.wait("the queries", |state| state.overview.survey.as_ref().is_some_and(|survey| !survey.queries.is_empty()));
    desk.settle();
    for part in ["Slowest queries", "Read bars", "S000 … S003 (4 symbols)", "160 rows · ", "rows/s"] {
        desk.assert_sees(part);
    }
    let slowest = desk.state().overview.survey.as_ref().expect("numbers").queries[0].clone();
    assert_eq!(desk.copied_by("Copy query 1"), slowest.statement);
    desk.press_and_settle("Unfold query 1");
    desk.press_and_settle("Fold query 1");
    assert!(desk.has_button("Unfold query 1"));
}

#[test]
fn a_missing_index_is_told_until_it_is_there() {
    let mut desk = warm_desk(2, 40);
    desk.show_overview();
    desk.wait_text("has no index on (symbol, trade_date)");
    desk.settle();
    assert_eq!(desk.copied_by("Copy statement"), CREATE);
    Market::new(&desk.path("market.sqlite")).run(CREATE);
    // Whatever asks the source looks again.
    desk.press("Check the source");
    desk.wait_idle();
    desk.wait_for("the advice to go", |desk| !desk.sees("has no index on"));
    desk.assert_no(CREATE);
    desk.assert_sees("Slowest queries");
}

#[test]
fn the_source_is_profiled_from_the_overview() {
    let laid = Laid::new();
    let path = laid.path("market.sqlite");
    Market::new(&path).symbols(12, 30);
    Market::new(&path).run(CREATE);
    let mut desk = laid.source("Market", &path).open();
    desk.wait_ready();
    desk.show_overview();
    desk.assert_sees("Nothing was asked of the source in 30 days");
    desk.shortcut(Command::ShowOverview);
    desk.press("Profile the source");
    desk.wait("the profile", |state| state.current_profile().is_some() && !state.overview.profiling);
    desk.wait("the queries", |state| state.overview.survey.as_ref().is_some_and(|survey| survey.queries.len() >= 4));
    desk.settle();
    let profile = desk.state().current_profile().expect("a profile").clone();
    assert_eq!((profile.symbols.len(), profile.plans.len()), (8, 3));
    for part in ["Plan: list symbols", "Plan: compare", "Plan: read bars"] {
        desk.assert_sees(part);
    }
    desk.press_and_settle("Plan: read bars");
    desk.assert_sees("USING INDEX stock_kline_data_symbol_trade_date");
    assert!(desk.copied_by("Copy plan").contains("SEARCH stock_kline_data"));
    desk.assert_no("has no index");
    // A source that is gone is told of.
    std::fs::remove_file(desk.path("market.sqlite")).expect("removed");
    desk.press("Profile the source");
    desk.wait_notice("The source could not be profiled");
    assert!(desk.is_enabled("Profile the source"));
}
