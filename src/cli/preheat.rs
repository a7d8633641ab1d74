//! `samovar preheat`

use super::arguments::PreheatOptions;
use super::console::counted;
use super::engine::with_engine;
use super::failure::{Outcome, usage};
use super::lists::symbols_of_list;
use super::report;
use super::session::Session;
use crate::market::Symbol;
use crate::preheat::Scope;
use crate::worker::PreheatOrder;

pub(super) fn run(session: &Session<'_>, options: PreheatOptions) -> Outcome {
    let order = order_of(session, options)?;
    session.need_source()?;
    let report = with_engine(session, |engine| engine.preheat(order))?;
    report::tell(session, &report)
}

fn order_of(session: &Session<'_>, options: PreheatOptions) -> anyhow::Result<PreheatOrder> {
    let range = options.days.range()?;
    let symbols = match &options.list {
        Some(name) => Some(symbols_of_list(session, name)?.iter().map(Symbol::new).collect()),
        None => symbols_of(&options.symbols)?,
    };
    for name in &options.set {
        session.library.need(name)?;
    }
    let title = match &symbols {
        Some(symbols) => format!("Preheat {}", counted(symbols.len(), "symbol", "symbols")),
        None => "Preheat".to_owned(),
    };
    Ok(PreheatOrder {
        title,
        symbols,
        range,
        limit: options.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
        scope: if options.kline_only {
            Scope::BarsOnly
        } else if options.features_only {
            Scope::FeaturesOnly
        } else {
            Scope::All
        },
        sets: (!options.set.is_empty()).then_some(options.set),
        force: options.force,
        check: options.check,
        history_check_days: options.history_check_days,
        ttl: session.context.overrides.ttl,
        jobs: options.jobs.map(usize::from),
        patience: Some(options.wait),
    })
}

/// `all` in small letters is every symbol; `ALL` is a symbol like any other.
fn symbols_of(names: &[String]) -> anyhow::Result<Option<Vec<Symbol>>> {
    match names {
        [] => Ok(None),
        [all] if all == "all" => Ok(None),
        names if names.iter().any(|name| name == "all") => Err(usage("--symbols takes `all` or names, not both")),
        names if names.iter().all(String::is_empty) => Err(usage("--symbols names no symbol; write `all`, or names with commas between")),
        names => Ok(Some(names.iter().filter(|name| !name.is_empty()).map(Symbol::new).collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_everything_and_the_ticker_of_the_same_name_is_not() {
        let read = |names: &[&str]| symbols_of(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(read(&["all"]).expect("all"), None);
        assert_eq!(read(&["ALL"]).expect("ticker"), Some(vec![Symbol::new("ALL")]));
        assert!(read(&["all", "AAPL"]).is_err());
        assert!(read(&[""]).is_err());
    }
}
