//! What was searched for last: commands and symbols, newest first, so that the palette offers them before anything is typed.

use super::command::Command;
use crate::market::Symbol;
use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;

/// How many of each are kept.
const KEPT: usize = 6;

/// Commands and symbols that were searched for last.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Recent {
    /// By their names, so that one that is gone in another version is passed over.
    commands: Vec<String>,
    symbols: Vec<Symbol>,
}

impl Recent {
    /// Commands, newest first.
    pub fn commands(&self) -> impl Iterator<Item = Command> {
        self.commands.iter().filter_map(|key| Command::iter().find(|command| command.key() == *key))
    }

    /// Symbols, newest first.
    #[must_use]
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    pub(super) fn add_command(&mut self, command: Command) {
        put_first(&mut self.commands, command.key());
    }

    pub(super) fn add_symbol(&mut self, symbol: Symbol) {
        put_first(&mut self.symbols, symbol);
    }
}

fn put_first<T: PartialEq>(list: &mut Vec<T>, item: T) {
    list.retain(|known| *known != item);
    list.insert(0, item);
    list.truncate(KEPT);
}
