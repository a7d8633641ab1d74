//! What a newcomer sees, and what is there when he comes back.

use crate::desk::Laid;
use samovar::app::{Command, View};
use samovar::cache::EntryState;
use samovar::source::SourceKind;

#[test]
fn one_click_on_the_sample_leads_to_warm_symbols_and_a_chart_and_a_restart_finds_them() {
    let mut desk = Laid::new().open();
    desk.wait_ready();
    for offer in ["Try the sample market", "Connect a database…"] {
        assert!(desk.is_enabled(offer), "{offer}");
    }
    assert!(!desk.has_button("Preheat all"), "there is nothing to preheat yet");
    assert!(desk.catalog().is_empty() && !desk.places.settings_file.exists(), "nothing happens unasked");

    desk.press("Try the sample market");
    desk.wait("the first symbol on the chart", |state| {
        let symbol = state.list.focus().cloned();
        symbol.is_some() && state.chart.loaded.as_ref().map(|loaded| loaded.data.symbol.clone()) == symbol
    });
    desk.wait_idle();
    let rows = desk.state().snapshot.rows.clone();
    assert!(rows.len() >= 300 && rows.iter().all(|row| row.state == EntryState::Fresh), "{} rows", rows.len());
    let loaded = desk.state().chart.loaded.clone().expect("a chart");
    assert!(
        !loaded.data.bars.is_empty() && loaded.data.series(&samovar::ui::chart::SeriesSource::column("classic", "ma20")).is_some(),
        "bars and features"
    );
    assert_eq!(desk.state().list.focus(), Some(&rows[0].symbol), "the first symbol is shown");
    assert_eq!(desk.cached_files().len(), 2 * rows.len(), "bars and features of every symbol");
    desk.wait_saved("the sample is in use", |settings| settings.source_url() == Some("sample:"));

    desk.shortcut(Command::NextSymbol);
    let focus = desk.focus();
    assert_eq!(focus, rows[1].symbol.as_str());
    desk.shortcut(Command::ShowOverview);
    let files = desk.cached_files();
    let mut desk = desk.restart();
    assert_eq!(desk.state().view, View::Overview, "the view is remembered");
    assert_eq!(desk.focus(), focus, "the symbol is remembered");
    desk.shortcut(Command::ShowSymbols);
    desk.wait_chart(&focus);
    assert_eq!(desk.state().snapshot.rows.iter().filter(|row| row.state == EntryState::Fresh).count(), rows.len());
    assert!(desk.state().jobs.is_empty(), "nothing was worked on");
    assert_eq!(desk.cached_files(), files);
}

#[test]
fn the_first_start_can_lead_to_a_database_too() {
    let mut desk = Laid::new().open();
    desk.wait_ready();
    desk.press_and_settle("Connect a database…");
    desk.assert_sees("Connect a source");
    for kind in [SourceKind::MySql, SourceKind::Postgres, SourceKind::Sqlite, SourceKind::Files] {
        assert!(desk.has_button(kind.label()), "{kind:?}");
    }
    desk.press_and_settle("Cancel");
    assert!(desk.has_button("Try the sample market"), "back where it began");
}
