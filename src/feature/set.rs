//! Feature sets: ordered lists of formulas under a name, compiled to one graph, with one hash for the whole.
//!
//! Not where values are computed. Contract: names within a set are unique and none is a raw column's; the order of the
//! definitions is the order of the columns, but no part of the hash: that is made of names, meanings and precision.

use super::build::{Built, Place, Precision, SetParts, Wrong, build};
use super::definition::Definition;
use super::evaluate::Plan;
use super::graph::{Graph, NodeId, WarmUp};
use super::hash::{DefinitionHash, ENGINE_VERSION};
use super::set_file;
use std::collections::HashMap;
use std::fmt::{self, Write};
use std::ops::Range;
use std::sync::{Arc, LazyLock, OnceLock};

/// Names that belong to the bars and cannot name a feature.
pub const RAW_COLUMNS: [&str; 9] = ["date", "time", "open", "high", "low", "close", "volume", "amount", "turnover"];

/// The files of the built-in sets.
const BUILT_IN: [(&str, &str); 3] = [
    ("classic", include_str!("../../assets/sets/classic.toml")),
    ("talib", include_str!("../../assets/sets/talib.toml")),
    ("alpha158", include_str!("../../assets/sets/alpha158.toml")),
];

/// Something that is wrong with a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetMistake {
    /// The feature or helper it is in, if it is in one.
    pub feature: Option<String>,
    /// Where it stands, in bytes of the file; in bytes of the formula for a set that was made of formulas.
    pub span: Range<usize>,
    /// Where it stands, in bytes of the feature's formula; `None` if it is not in a formula.
    pub formula_span: Option<Range<usize>>,
    /// Line of the file, from 1.
    pub line: usize,
    /// Character of the line, from 1.
    pub column: usize,
    /// What is wrong or was expected, without a full stop.
    pub message: String,
    /// What to write in the place of the span.
    pub suggestion: Option<String>,
}

impl fmt::Display for SetMistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}: {}", self.line, self.column, self.message)?;
        self.suggestion.as_ref().map_or(Ok(()), |suggestion| write!(formatter, "; did you mean {suggestion}?"))
    }
}

impl std::error::Error for SetMistake {}

/// A named, hashed list of features. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct FeatureSet(Arc<Inner>);

#[derive(PartialEq, Eq)]
struct Inner {
    parts: SetParts,
    built: Built,
    /// Where each name stands.
    places: HashMap<Arc<str>, usize>,
    /// Made once: every state is compared with it.
    hash: DefinitionHash,
    /// By feature: the first bar that can have a value.
    first_values: Vec<usize>,
    source: String,
    plan: KeptPlan,
}

/// How all features are computed; made when it is first needed. It follows from the graph, so that it tells no set from another.
#[derive(Default)]
struct KeptPlan(OnceLock<Plan>);

impl PartialEq for KeptPlan {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for KeptPlan {}

impl fmt::Debug for FeatureSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "FeatureSet({}@{}, {} features)", self.name(), self.definition_hash(), self.definitions().len())
    }
}

impl FeatureSet {
    /// Names of the built-in sets.
    #[must_use]
    pub fn names() -> &'static [&'static str] {
        static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| BUILT_IN.iter().map(|(name, _)| *name).collect());
        &NAMES
    }

    /// A built-in set.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        static SETS: LazyLock<Vec<FeatureSet>> =
            LazyLock::new(|| BUILT_IN.iter().filter_map(|(_, text)| FeatureSet::from_toml(text).ok()).collect());
        SETS.iter().find(|set| set.name() == name).cloned()
    }

    /// The text of a built-in set's file.
    #[must_use]
    pub fn built_in_text(name: &str) -> Option<&'static str> {
        BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// The 45 features Chinese-market analysts expect.
    #[must_use]
    pub fn classic() -> Self {
        Self::by_name("classic").unwrap_or_else(|| Self::compiled(SetParts::default(), Built::default(), String::new()))
    }

    /// The set that a file describes.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the file, in its order.
    pub fn from_toml(text: &str) -> Result<Self, Vec<SetMistake>> {
        let file = set_file::read(text);
        match (build(&file.parts), file.mistakes.is_empty()) {
            (Ok(built), true) => Ok(Self::compiled(file.parts, built, text.to_owned())),
            (built, _) => Err(file.mistakes_with(built.err().unwrap_or_default(), text)),
        }
    }

    /// A set of these columns and formulas, which may name each other.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with them, with its place in the formula.
    pub fn of_formulas(name: &str, warm_up: WarmUp, formulas: &[(&str, &str)]) -> Result<Self, Vec<SetMistake>> {
        let features = formulas.iter().map(|(name, formula)| Definition::of_formula(*name, *formula)).collect();
        Self::of_parts(SetParts { name: name.to_owned(), warm_up, features, ..SetParts::default() })
    }

    /// A set of these parts.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with them, with its place in the formula.
    pub fn of_parts(parts: SetParts) -> Result<Self, Vec<SetMistake>> {
        match build(&parts) {
            Ok(built) => {
                let source = set_file::to_toml(&parts);
                Ok(Self::compiled(parts, built, source))
            }
            Err(wrong) => Err(wrong.into_iter().map(|wrong| in_formula(&parts, wrong)).collect()),
        }
    }

    /// A set of these features.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with them.
    pub fn with_definitions(name: impl Into<String>, definitions: Vec<Definition>) -> Result<Self, Vec<SetMistake>> {
        Self::of_parts(SetParts { name: name.into(), features: definitions, ..SetParts::default() })
    }

    /// Some of the features under another name, in their order; the others are at hand as helpers.
    #[must_use]
    pub fn part(&self, name: &str, wanted: impl Fn(&Definition) -> bool) -> Self {
        let mut parts = SetParts { name: name.to_owned(), features: Vec::new(), ..self.0.parts.clone() };
        for definition in self.definitions() {
            if wanted(definition) {
                parts.features.push(definition.clone());
            } else {
                parts.helpers.push(super::build::Helper { name: definition.name.to_string(), formula: definition.formula.clone() });
            }
        }
        Self::of_parts(parts).unwrap_or_else(|_| self.clone())
    }

    fn compiled(parts: SetParts, built: Built, source: String) -> Self {
        let places = parts.features.iter().enumerate().map(|(place, definition)| (Arc::clone(&definition.name), place)).collect();
        let hash = DefinitionHash::of_text(&canonical_text(&parts, &built));
        let by_node = built.graph.first_values();
        let first_values = built.outputs.iter().map(|output| by_node.get(output.index()).copied().unwrap_or(0)).collect();
        Self(Arc::new(Inner { parts, built, places, hash, first_values, source, plan: KeptPlan::default() }))
    }

    /// The set's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.parts.name
    }

    /// What the set is made of.
    #[must_use]
    pub fn parts(&self) -> &SetParts {
        &self.0.parts
    }

    /// The features, in the order of the columns.
    #[must_use]
    pub fn definitions(&self) -> &[Definition] {
        &self.0.parts.features
    }

    /// The feature of this name.
    #[must_use]
    pub fn definition(&self, name: &str) -> Option<&Definition> {
        self.definitions().get(self.place(name)?)
    }

    /// The place of the feature of this name.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.0.places.get(name).copied()
    }

    /// What the formulas compile to.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.0.built.graph
    }

    /// How all of it is computed.
    pub(in crate::feature) fn plan(&self) -> &Plan {
        self.0.plan.0.get_or_init(|| Plan::new(self.graph(), self.outputs()))
    }

    /// The node of each feature, in the order of the columns.
    #[must_use]
    pub fn outputs(&self) -> &[NodeId] {
        &self.0.built.outputs
    }

    /// What windows that are not full give.
    #[must_use]
    pub fn warm_up(&self) -> WarmUp {
        self.0.parts.warm_up
    }

    /// How exactly values are kept.
    #[must_use]
    pub fn precision(&self) -> Precision {
        self.0.parts.precision
    }

    /// Hash of a feature's meaning, by its place; the same in every set and spelling.
    #[must_use]
    pub fn feature_hash(&self, place: usize) -> Option<u128> {
        feature_hash(&self.0.built, place)
    }

    /// Index of the first bar on which a feature can have a value, by its place.
    #[must_use]
    pub fn first_value(&self, place: usize) -> Option<usize> {
        self.0.first_values.get(place).copied()
    }

    /// The text the hash is made from: engine version, precision, then every column's name and meaning, sorted by name.
    #[must_use]
    pub fn canonical_text(&self) -> String {
        canonical_text(&self.0.parts, &self.0.built)
    }

    /// Hash of all names and meanings. Neither the set's own name nor the order is part of it.
    #[must_use]
    pub fn definition_hash(&self) -> DefinitionHash {
        self.0.hash
    }

    /// The text of the file it came from, or that would make it.
    #[must_use]
    pub fn source_text(&self) -> &str {
        &self.0.source
    }

    /// A file that makes the same set.
    #[must_use]
    pub fn to_toml(&self) -> String {
        set_file::to_toml(&self.0.parts)
    }
}

fn feature_hash(built: &Built, place: usize) -> Option<u128> {
    built.graph.node(*built.outputs.get(place)?).map(|node| node.hash)
}

fn canonical_text(parts: &SetParts, built: &Built) -> String {
    let mut features: Vec<(&str, u128)> = parts
        .features
        .iter()
        .enumerate()
        .map(|(place, definition)| (&*definition.name, feature_hash(built, place).unwrap_or_default()))
        .collect();
    features.sort_unstable();
    let mut text = format!("v{ENGINE_VERSION};{};", parts.precision.key());
    for (name, hash) in features {
        // Writing to a String cannot fail.
        write!(text, "{name}={hash:032x};").unwrap_or_default();
    }
    text
}

/// A mistake with its place in the formula, for parts that came from no file.
fn in_formula(parts: &SetParts, wrong: Wrong) -> SetMistake {
    let Wrong { place, mistake } = wrong;
    let (feature, formula) = match place {
        Place::SetName | Place::Features => (None, None),
        Place::HelperName(place) => (parts.helpers.get(place).map(|helper| helper.name.clone()), None),
        Place::HelperFormula(place) => parts.helpers.get(place).map(|helper| (helper.name.clone(), &*helper.formula)).unzip(),
        Place::FeatureName(place) => (parts.features.get(place).map(|feature| feature.name.to_string()), None),
        Place::FeatureFormula(place) => parts.features.get(place).map(|feature| (feature.name.to_string(), &*feature.formula)).unzip(),
    };
    let mut placed = SetMistake {
        feature,
        formula_span: formula.map(|_| mistake.span.clone()),
        span: mistake.span,
        line: 1,
        column: 1,
        message: mistake.message,
        suggestion: mistake.suggestion,
    };
    set_file::place(formula.unwrap_or_default(), std::slice::from_mut(&mut placed));
    placed
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// The order of the definitions, `docs` and golden files alike.
    const CLASSIC: &str = "ma5 ma10 ma20 ma30 ma60 ema7 ema12 ema25 ema26 macd_dif macd_dea macd_hist rsi6 rsi12 rsi14 rsi24 \
        boll_mid boll_upper boll_lower boll_width boll_pct_b kdj_k kdj_d kdj_j atr14 cci14 wr14 obv mom10 roc5 roc10 roc20 \
        pct_change log_return amplitude gap volatility20 volume_ma5 volume_ma10 volume_ratio5 volume_ratio20 volume_change \
        turnover_rate bias6 psy12";

    #[test]
    fn every_built_in_set_is_without_mistakes() {
        for name in FeatureSet::names() {
            let set = FeatureSet::from_toml(FeatureSet::built_in_text(name).unwrap()).unwrap_or_else(|mistakes| {
                panic!("{name}: {}", mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
            });
            assert_eq!(set.name(), *name);
            assert_eq!(FeatureSet::by_name(name), Some(set.clone()));
            assert!(set.definitions().iter().all(|definition| !definition.formula.is_empty() && !definition.description.is_empty()));
            let again = FeatureSet::from_toml(&set.to_toml()).unwrap();
            assert_eq!((again.parts(), again.definition_hash()), (set.parts(), set.definition_hash()));
        }
        assert_eq!(FeatureSet::by_name("nothing"), None);
    }

    #[test]
    fn classic_has_its_45_columns_in_order() {
        let set = FeatureSet::by_name("classic").unwrap();
        let names: Vec<&str> = set.definitions().iter().map(|definition| &*definition.name).collect();
        assert_eq!(names, CLASSIC.split_whitespace().collect::<Vec<_>>());
        assert_eq!(set.outputs().len(), 45);
        let hashes: HashSet<u128> = (0..45).filter_map(|place| set.feature_hash(place)).collect();
        assert_eq!(hashes.len(), 44, "boll_mid is ma20 by another name");
    }

    #[test]
    fn the_first_values_of_classic_follow_from_its_formulas() {
        let set = FeatureSet::classic();
        let first = |name: &str| set.place(name).and_then(|place| set.first_value(place));
        for (name, expected) in [("ma5", 4), ("macd_hist", 0), ("rsi6", 1), ("boll_width", 19), ("kdj_j", 8), ("atr14", 14), ("cci14", 13)]
        {
            assert_eq!(first(name), Some(expected), "{name}");
        }
        for (name, expected) in [("obv", 0), ("roc20", 20), ("volatility20", 20), ("volume_ratio5", 5), ("turnover_rate", 0), ("psy12", 12)]
        {
            assert_eq!(first(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn the_hash_of_classic_is_the_same_on_every_machine() {
        // A new value here means that everything anybody has cached is outdated: change it only on purpose.
        assert_eq!(FeatureSet::classic().definition_hash().full(), "212548a1d39c8b3edf1a5d9db3216f9d");
    }
}
