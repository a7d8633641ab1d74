//! Symbols in a text that was pasted or read from a file: separated by anything, or the column of a table.
//!
//! Contract: every symbol once, in the order of the text, as the source spells it where it is known (in any case of letters); what the
//! source does not know is told apart, not thrown away.

use crate::source::ColumnRole;
use crate::worker::SymbolRow;
use std::collections::{HashMap, HashSet};

/// No symbol is so long.
const LONGEST: usize = 200;

/// What was found in a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pasted {
    /// Symbols the source has.
    pub known: Vec<String>,
    /// Words that are none of them.
    pub unknown: Vec<String>,
}

impl Pasted {
    /// The symbols that are kept.
    #[must_use]
    pub fn kept(&self, with_unknown: bool) -> Vec<String> {
        let unknown: &[String] = if with_unknown { &self.unknown } else { &[] };
        self.known.iter().chain(unknown).cloned().collect()
    }
}

/// Finds symbols in a text.
#[must_use]
pub fn symbols_in(text: &str, rows: &[SymbolRow]) -> Pasted {
    let exact = |word: &str| rows.binary_search_by(|row| row.symbol.as_str().cmp(word)).is_ok();
    // Made only where something is spelt another way; of names that differ in case alone, the first one is meant.
    let any_case = std::cell::OnceCell::new();
    let in_any_case = || {
        let mut names: HashMap<String, &str> = HashMap::new();
        for row in rows {
            names.entry(row.symbol.as_str().to_lowercase()).or_insert(row.symbol.as_str());
        }
        names
    };
    let find = |word: &str| -> Option<String> {
        if exact(word) {
            return Some(word.to_owned());
        }
        any_case.get_or_init(in_any_case).get(&word.to_lowercase()).map(|name| (*name).to_owned())
    };
    let (mut pasted, mut seen) = (Pasted::default(), HashSet::new());
    for word in words(text, &exact) {
        let (list, name) = match find(word) {
            Some(name) => (&mut pasted.known, name),
            None => (&mut pasted.unknown, word.to_owned()),
        };
        if seen.insert(name.clone()) {
            list.push(name);
        }
    }
    pasted
}

/// The words of a text; of a table with a column of symbols, the words of that column.
fn words<'text>(text: &'text str, is_symbol: &dyn Fn(&str) -> bool) -> Vec<&'text str> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    for separator in ['\t', ',', ';', '|'] {
        let heads = first.split(separator).map(bare).enumerate();
        // A symbol may be called as columns of symbols are.
        let ranks = heads.filter(|(_, head)| !is_symbol(head)).filter_map(|(place, head)| Some((ColumnRole::Symbol.rank_of(head)?, place)));
        if let Some((_, column)) = ranks.min() {
            let cells = lines.filter_map(|line| line.split(separator).nth(column)).map(bare);
            return cells.filter(is_word).collect();
        }
    }
    let is_between = |char: char| char.is_whitespace() || matches!(char, ',' | ';' | '|' | '，' | '、' | '；');
    text.split(is_between).map(bare).filter(is_word).collect()
}

fn bare(word: &str) -> &str {
    word.trim_matches(|char: char| char.is_whitespace() || matches!(char, '"' | '\'' | '`' | '“' | '”' | '[' | ']' | '(' | ')'))
}

fn is_word(word: &&str) -> bool {
    !word.is_empty() && word.len() <= LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_separator_will_do() {
        let text = "AAPL, msft;\"BRK/B\"\n 000001\t600519 | 贵州茅台、AAPL ['TSLA']";
        let words = |text| super::words(text, &|word| word == "SID");
        assert_eq!(words(text), ["AAPL", "msft", "BRK/B", "000001", "600519", "贵州茅台", "AAPL", "TSLA"]);
        assert!(words(" \n,;\n").is_empty());
    }

    #[test]
    fn of_a_table_only_the_column_of_symbols_counts() {
        let words = |text| super::words(text, &|word| word == "SID");
        let text = "Name,Ticker,Shares\nApple Inc,AAPL,10\nBerkshire,\"BRK/B\",2\n\nbroken line\n";
        assert_eq!(words(text), ["AAPL", "BRK/B"]);
        assert_eq!(words("symbol\nAAPL\nMSFT\n"), ["AAPL", "MSFT"], "a single column with its head");
        assert_eq!(words("SID\nAAPL\n"), ["SID", "AAPL"], "a symbol of this name");
    }

    #[test]
    fn everything_is_unknown_to_a_source_without_symbols() {
        let found = symbols_in("A b A", &[]);
        assert_eq!(found.unknown, ["A", "b"]);
        assert!(found.kept(false).is_empty() && found.kept(true).len() == 2);
    }
}
