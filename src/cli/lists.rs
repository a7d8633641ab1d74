//! `--list NAME`: the symbols of one of the user's lists, as the window keeps them.

use super::arguments::Which;
use super::failure::usage;
use super::session::Session;
use crate::config::SymbolLists;

/// The symbols of a list.
pub(super) fn symbols_of_list(session: &Session<'_>, name: &str) -> anyhow::Result<Vec<String>> {
    let path = session.context.places.lists_file();
    let lists = SymbolLists::load(&path)?;
    match lists.list(name) {
        Some(list) if list.symbols.is_empty() => Err(usage(format!("the list {name} in {} has no symbols", path.display()))),
        Some(list) => Ok(list.symbols.clone()),
        None => {
            let names: Vec<&str> = lists.lists.iter().map(|list| list.name.as_str()).collect();
            let there = if names.is_empty() { "it has no lists".to_owned() } else { format!("it has {}", names.join(", ")) };
            Err(usage(format!("there is no list {name} in {}; {there}", path.display())))
        }
    }
}

/// What is meant, with the symbols of the list that is named.
pub(super) fn with_list(session: &Session<'_>, options: &Which) -> anyhow::Result<Which> {
    let mut options = options.clone();
    if let Some(name) = &options.list {
        options.symbols = symbols_of_list(session, name)?;
    }
    Ok(options)
}
