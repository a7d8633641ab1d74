//! Feature sets: ordered lists of definitions under a name, with one hash for the whole.
//!
//! Not where values are computed. Contract: names within a set are unique and none is a raw column's; the order of the
//! definitions is the order of the columns and part of the hash.

use super::definition::{BollingerLine, Definition, Input, KdjLine, Kernel, MacdLine};
use super::hash::{DefinitionHash, ENGINE_VERSION};
use std::collections::HashSet;
use std::fmt::Write;

/// Longest window a definition may have.
pub const LONGEST_WINDOW: usize = 100_000;

/// Names that belong to the bars and cannot name a feature.
pub const RAW_COLUMNS: [&str; 9] = ["date", "time", "open", "high", "low", "close", "volume", "amount", "turnover"];

/// Why a list of definitions is no feature set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeatureSetError {
    /// Two features would share a column.
    #[error("two features are named {0:?}; give one of them another name")]
    DuplicateName(String),
    /// A name that is empty, or a raw column's, or has a character that a column name must not have.
    #[error("{0:?} cannot name a feature: use letters, digits and _, and no name of a raw column such as close")]
    UnusableName(String),
    /// A window that is zero (one, for a deviation of samples) or absurdly long.
    #[error("feature {name:?} has a window of {window}; it must be from {least} to {LONGEST_WINDOW}")]
    UnusableWindow {
        /// The feature.
        name: String,
        /// Its window.
        window: usize,
        /// The smallest window its kernel takes.
        least: usize,
    },
}

/// A named, hashed list of features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureSet {
    name: String,
    definitions: Vec<Definition>,
    /// Made once: every state is compared with it.
    hash: DefinitionHash,
}

impl FeatureSet {
    /// Names of the built-in sets.
    #[must_use]
    pub fn names() -> &'static [&'static str] {
        &["classic"]
    }

    /// A built-in set.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        (name == "classic").then(Self::classic)
    }

    /// A set of one's own.
    ///
    /// # Errors
    ///
    /// A name that is used twice or cannot name a column, or a window out of range.
    pub fn with_definitions(name: impl Into<String>, definitions: Vec<Definition>) -> Result<Self, FeatureSetError> {
        let mut seen = HashSet::new();
        for definition in &definitions {
            let text = definition.name.to_string();
            let plain = |character: char| character.is_alphanumeric() || character == '_';
            if text.is_empty() || !text.chars().all(plain) || RAW_COLUMNS.contains(&text.as_str()) {
                return Err(FeatureSetError::UnusableName(text));
            }
            let least = if matches!(definition.kernel, Kernel::Volatility { .. }) { 2 } else { 1 };
            if let Some(window) = definition.kernel.windows().into_iter().find(|window| !(least..=LONGEST_WINDOW).contains(window)) {
                return Err(FeatureSetError::UnusableWindow { name: text, window, least });
            }
            if !seen.insert(definition.name.clone()) {
                return Err(FeatureSetError::DuplicateName(text));
            }
        }
        Ok(Self::of(name.into(), definitions))
    }

    fn of(name: String, definitions: Vec<Definition>) -> Self {
        let hash = DefinitionHash::of_text(&canonical_text(&definitions));
        Self { name, definitions, hash }
    }

    /// The set's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The features, in the order of the columns.
    #[must_use]
    pub fn definitions(&self) -> &[Definition] {
        &self.definitions
    }

    /// The feature of this name.
    #[must_use]
    pub fn definition(&self, name: &str) -> Option<&Definition> {
        self.definitions.iter().find(|definition| &*definition.name == name)
    }

    /// The text the hash is made from: engine version, then every column's name and kernel in order.
    #[must_use]
    pub fn canonical_text(&self) -> String {
        canonical_text(&self.definitions)
    }

    /// Hash of all definitions with their names and order. The set's own name is not part of it.
    #[must_use]
    pub fn definition_hash(&self) -> DefinitionHash {
        self.hash
    }

    /// The 45 features Chinese-market analysts expect.
    #[must_use]
    pub fn classic() -> Self {
        let mut definitions = Vec::with_capacity(45);
        let mut add = |name: String, kernel: Kernel| definitions.push(Definition::new(name, kernel));
        for window in [5, 10, 20, 30, 60] {
            add(format!("ma{window}"), Kernel::MovingAverage { input: Input::Close, window });
        }
        for window in [7, 12, 25, 26] {
            add(format!("ema{window}"), Kernel::ExponentialAverage { window });
        }
        for (suffix, line) in [("dif", MacdLine::Dif), ("dea", MacdLine::Dea), ("hist", MacdLine::Histogram)] {
            add(format!("macd_{suffix}"), Kernel::Macd { fast: 12, slow: 26, signal: 9, line });
        }
        for window in [6, 12, 14, 24] {
            add(format!("rsi{window}"), Kernel::Rsi { window });
        }
        for (suffix, line) in [
            ("mid", BollingerLine::Middle),
            ("upper", BollingerLine::Upper),
            ("lower", BollingerLine::Lower),
            ("width", BollingerLine::Width),
            ("pct_b", BollingerLine::PercentB),
        ] {
            add(format!("boll_{suffix}"), Kernel::Bollinger { window: 20, line });
        }
        for (suffix, line) in [("k", KdjLine::K), ("d", KdjLine::D), ("j", KdjLine::J)] {
            add(format!("kdj_{suffix}"), Kernel::Kdj { window: 9, line });
        }
        add("atr14".to_owned(), Kernel::AverageTrueRange { window: 14 });
        add("cci14".to_owned(), Kernel::Cci { window: 14 });
        add("wr14".to_owned(), Kernel::WilliamsR { window: 14 });
        add("obv".to_owned(), Kernel::OnBalanceVolume);
        add("mom10".to_owned(), Kernel::Momentum { window: 10 });
        for window in [5, 10, 20] {
            add(format!("roc{window}"), Kernel::RateOfChange { window });
        }
        add("pct_change".to_owned(), Kernel::RateOfChange { window: 1 });
        add("log_return".to_owned(), Kernel::LogReturn);
        add("amplitude".to_owned(), Kernel::Amplitude);
        add("gap".to_owned(), Kernel::Gap);
        add("volatility20".to_owned(), Kernel::Volatility { window: 20 });
        for window in [5, 10] {
            add(format!("volume_ma{window}"), Kernel::MovingAverage { input: Input::Volume, window });
        }
        add("volume_ratio5".to_owned(), Kernel::VolumeRatioToPrevious { window: 5 });
        add("volume_ratio20".to_owned(), Kernel::VolumeRatio { window: 20 });
        add("volume_change".to_owned(), Kernel::VolumeChange);
        add("turnover_rate".to_owned(), Kernel::TurnoverRate);
        add("bias6".to_owned(), Kernel::Bias { window: 6 });
        add("psy12".to_owned(), Kernel::PsychologicalLine { window: 12 });
        Self::of("classic".to_owned(), definitions)
    }
}

fn canonical_text(definitions: &[Definition]) -> String {
    let mut text = format!("v{ENGINE_VERSION};");
    for definition in definitions {
        // Writing to a String cannot fail.
        write!(text, "{}={};", definition.name, definition.kernel).unwrap_or_default();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order of the definitions, `docs` and golden files alike.
    const CLASSIC: &str = "ma5 ma10 ma20 ma30 ma60 ema7 ema12 ema25 ema26 macd_dif macd_dea macd_hist rsi6 rsi12 rsi14 rsi24 \
        boll_mid boll_upper boll_lower boll_width boll_pct_b kdj_k kdj_d kdj_j atr14 cci14 wr14 obv mom10 roc5 roc10 roc20 \
        pct_change log_return amplitude gap volatility20 volume_ma5 volume_ma10 volume_ratio5 volume_ratio20 volume_change \
        turnover_rate bias6 psy12";

    fn average(name: &str, window: usize) -> Definition {
        Definition::new(name, Kernel::MovingAverage { input: Input::Close, window })
    }

    #[test]
    fn classic_has_its_45_columns_in_order() {
        let set = FeatureSet::by_name("classic").unwrap();
        let names: Vec<&str> = set.definitions().iter().map(|definition| &*definition.name).collect();
        assert_eq!(names, CLASSIC.split_whitespace().collect::<Vec<_>>());
        assert!(FeatureSet::with_definitions("again", set.definitions().to_vec()).is_ok());
        assert!(set.definitions().iter().all(|definition| !definition.formula.is_empty() && !definition.description.is_empty()));
        assert_eq!(FeatureSet::by_name("nothing"), None);
        assert!(FeatureSet::names().iter().all(|name| FeatureSet::by_name(name).is_some_and(|set| set.name() == *name)));
    }

    #[test]
    fn the_hash_of_classic_is_the_same_on_every_machine() {
        // A new value here means that everything anybody has cached is outdated: change it only on purpose.
        assert_eq!(FeatureSet::classic().definition_hash().full(), "9c03741bfc6441012cd1328dbbe07e75");
    }

    #[test]
    fn every_change_of_meaning_changes_the_hash_and_no_other() {
        let classic = FeatureSet::classic();
        let hash = classic.definition_hash();
        let with = |definitions| FeatureSet::with_definitions("other name", definitions).unwrap().definition_hash();
        let mut changed = classic.definitions().to_vec();
        changed[0].kernel = Kernel::MovingAverage { input: Input::Close, window: 6 };
        assert_ne!(with(changed), hash);
        let mut renamed = classic.definitions().to_vec();
        renamed[0].name = "average5".into();
        assert_ne!(with(renamed), hash);
        let mut swapped = classic.definitions().to_vec();
        swapped.swap(0, 1);
        assert_ne!(with(swapped), hash);
        let mut reworded = classic.definitions().to_vec();
        reworded[0].description = "other words".to_owned();
        assert_eq!(with(reworded), hash);
        assert_eq!(average("a", 5).hash(), average("b", 5).hash());
        assert_ne!(average("a", 5).hash(), average("a", 6).hash());
        let hashes: HashSet<u128> = classic.definitions().iter().map(Definition::hash).collect();
        // boll_mid is ma20 by another name, but another kernel: 45 meanings.
        assert_eq!(hashes.len(), 45);
    }

    #[test]
    fn unusable_lists_are_refused_with_the_reason() {
        let with = |definitions| FeatureSet::with_definitions("mine", definitions);
        assert_eq!(with(vec![average("a", 5), average("a", 6)]), Err(FeatureSetError::DuplicateName("a".to_owned())));
        for name in ["", "close", "date", "a b", "a,b", "a;b=c"] {
            assert_eq!(with(vec![average(name, 5)]), Err(FeatureSetError::UnusableName(name.to_owned())));
        }
        for window in [0, LONGEST_WINDOW + 1] {
            assert!(matches!(with(vec![average("a", window)]), Err(FeatureSetError::UnusableWindow { .. })));
        }
        assert!(with(vec![Definition::new("v", Kernel::Volatility { window: 1 })]).is_err());
        assert!(with(vec![average("均线5", 5)]).is_ok());
    }
}
