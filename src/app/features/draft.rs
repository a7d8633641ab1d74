//! A formula that is being written, with everything that is said about it.
//!
//! Not its check and not its file. Contract: whatever is typed is kept as typed; a draft of an older version is read.

use crate::feature::graph::WarmUp;
use crate::feature::{Group, Precision};
use crate::tr;
use crate::worker::series::SeriesSource;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A feature of a set, by both names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct FeatureKey {
    text: String,
    /// Where the set's name ends.
    split: usize,
}

impl FeatureKey {
    /// The feature `name` of the set `set`.
    #[must_use]
    pub fn new(set: &str, name: &str) -> Self {
        Self { text: format!("{set}/{name}"), split: set.len() }
    }

    /// The set's name.
    #[must_use]
    pub fn set(&self) -> &str {
        self.text.get(..self.split).unwrap_or_default()
    }

    /// The feature's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text.get(self.split + 1..).unwrap_or_default()
    }
}

/// The feature as a line of the chart.
#[must_use]
pub fn source_of(key: &FeatureKey) -> SeriesSource {
    SeriesSource::column(key.set(), key.name())
}

impl From<String> for FeatureKey {
    fn from(text: String) -> Self {
        match text.split_once('/') {
            Some((set, name)) => Self::new(set, name),
            None => Self::new("", &text),
        }
    }
}

impl From<FeatureKey> for String {
    fn from(key: FeatureKey) -> Self {
        key.text
    }
}

/// As in `ma20 of classic`.
impl fmt::Display for FeatureKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&tr!("{name} of {set}", name = self.name(), set = self.set()))
    }
}

/// Where a chart draws the feature.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Pane {
    /// In a pane of its own.
    #[default]
    Own,
    /// Over the prices.
    Price,
    /// Over the volume bars.
    Volume,
    /// In a pane it shares with others that name it.
    Named(String),
}

impl Pane {
    /// As a set's file says it.
    #[must_use]
    pub fn of_word(word: &str) -> Self {
        match word {
            "" => Self::Own,
            "price" => Self::Price,
            "volume" => Self::Volume,
            name => Self::Named(name.to_owned()),
        }
    }
}

/// A formula that is being written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    /// The formula as typed.
    pub formula: String,
    /// The feature's name.
    pub name: String,
    /// One line about it.
    pub description: String,
    /// The word of its group.
    pub group: String,
    /// Where it is drawn.
    pub pane: Pane,
    /// The set it is saved to; it need not exist yet.
    pub set: String,
    /// What the whole set's windows give before they are full.
    #[serde(with = "warm_up_words")]
    pub warm_up: WarmUp,
    /// How exactly the whole set is kept.
    #[serde(with = "precision_words")]
    pub precision: Precision,
    /// The saved feature it was opened from; saving replaces that one.
    pub origin: Option<FeatureKey>,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            formula: String::new(),
            name: String::new(),
            description: String::new(),
            group: Group::Other.key().to_owned(),
            pane: Pane::Own,
            set: String::new(),
            warm_up: WarmUp::default(),
            precision: Precision::default(),
            origin: None,
        }
    }
}

impl Draft {
    /// The group.
    #[must_use]
    pub fn group(&self) -> Group {
        Group::ALL.into_iter().find(|group| group.key() == self.group).unwrap_or(Group::Other)
    }

    /// The group as the set's file says it; nothing for the usual one.
    #[must_use]
    pub fn group_word(&self) -> Option<String> {
        (self.group() != Group::Other).then(|| self.group.clone())
    }

    /// As it is saved: without white space around.
    #[must_use]
    pub fn trimmed(&self) -> Self {
        let trim = |text: &str| text.trim().to_owned();
        let pane = match &self.pane {
            Pane::Named(name) => Pane::Named(trim(name)),
            pane => pane.clone(),
        };
        let (formula, name, description) = (trim(&self.formula), trim(&self.name), trim(&self.description));
        Self { formula, name, description, pane, set: trim(&self.set), ..self.clone() }
    }

    /// The name it has while it has none: previews need one.
    #[must_use]
    pub fn shown_name(&self) -> &str {
        let name = self.name.trim();
        if name.is_empty() { tr!("new formula") } else { name }
    }
}

/// Words of the set's file, for the workspace.
mod warm_up_words {
    use crate::feature::graph::WarmUp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(warm_up: &WarmUp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(warm_up)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<WarmUp, D::Error> {
        let word = String::deserialize(deserializer)?;
        Ok(if word == "partial" { WarmUp::Partial } else { WarmUp::Strict })
    }
}

/// The same for the precision.
mod precision_words {
    use crate::feature::Precision;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(precision: &Precision, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(precision.key())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Precision, D::Error> {
        let word = String::deserialize(deserializer)?;
        Ok(if word == Precision::F32.key() { Precision::F32 } else { Precision::F64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let key = FeatureKey::new("my-set", "a/b");
        assert_eq!((key.set(), key.name()), ("my-set", "a/b"));
        assert_eq!(FeatureKey::from(String::from(key.clone())), key);
        assert_eq!(FeatureKey::from("odd".to_owned()).name(), "odd");
    }

    #[test]
    fn a_draft_is_kept_as_typed_and_one_of_an_older_version_is_read() {
        let draft = Draft { formula: "Mean(\n  $clo".to_owned(), warm_up: WarmUp::Partial, ..Draft::default() };
        let text = serde_json::to_string(&draft).expect("json");
        assert_eq!(serde_json::from_str::<Draft>(&text).expect("a draft"), draft);
        assert_eq!(serde_json::from_str::<Draft>("{}").expect("a draft"), Draft::default());
    }
}
