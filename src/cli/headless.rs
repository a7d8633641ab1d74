//! `samovar` without a command where there is no display: preheat what is configured, or the sample market.

use super::engine::{PATIENCE, with_engine};
use super::failure::Outcome;
use super::report;
use super::session::Session;
use crate::source::{SourceKind, SourceUrl};
use crate::worker::PreheatOrder;

pub(super) fn run(session: &Session<'_>) -> Outcome {
    let sample;
    let session = if session.source().is_some() {
        session
    } else {
        session.console.note("no display to open the window on and no source configured: preheating the built-in sample market");
        sample = session.with_source(SourceUrl::new(SourceKind::Sample));
        &sample
    };
    let order = PreheatOrder {
        title: "Preheat".to_owned(),
        ttl: session.context.overrides.ttl,
        patience: Some(PATIENCE),
        ..PreheatOrder::default()
    };
    let report = with_engine(session, |engine| engine.preheat(order))?;
    report::tell(session, &report)
}
