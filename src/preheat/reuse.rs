//! Which columns of a set mean what columns of an older version of it meant, so that they need not be computed again.
//!
//! Found out once per run for each older version: files name their version, and the catalog knows what its columns meant.

use crate::cache::Cache;
use crate::feature::{DefinitionHash, FeatureSet, Precision};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Where the columns of a set come from, given the file of an older version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reuse {
    /// For each column of the set its name in that file; `None` where it is to be computed.
    pub columns: Vec<Option<Arc<str>>>,
    /// The places of those that are to be computed.
    pub computed: Vec<usize>,
    /// Whether the file has its columns in the precision that is wanted.
    pub is_encoded_alike: bool,
}

impl Reuse {
    /// How many columns are taken.
    pub(super) fn reused(&self) -> usize {
        self.columns.len() - self.computed.len()
    }

    /// What can be taken from a file with these columns, by their features' hashes; `None` when nothing can.
    fn between(set: &FeatureSet, known: &[(Arc<str>, u128)], precision: Precision) -> Option<Self> {
        // Values that were rounded cannot be had back.
        let is_rounded = precision == Precision::F32 && set.precision() == Precision::F64;
        let by_hash: HashMap<u128, &Arc<str>> = known.iter().map(|(name, hash)| (*hash, name)).collect();
        let name_of = |place| by_hash.get(&set.feature_hash(place)?).map(|name| Arc::clone(name));
        let columns: Vec<Option<Arc<str>>> = (0..set.definitions().len()).map(name_of).collect();
        let computed: Vec<usize> = columns.iter().enumerate().filter(|(_, known)| known.is_none()).map(|(place, _)| place).collect();
        let reuse = Self { is_encoded_alike: precision == set.precision(), columns, computed };
        (reuse.reused() > 0 && !is_rounded).then_some(reuse)
    }
}

/// By set and older definition.
type Known = HashMap<(usize, DefinitionHash), Option<Arc<Reuse>>>;

/// What was found out in a run so far.
#[derive(Debug, Default)]
pub(super) struct Reuses(Mutex<Known>);

impl Reuses {
    /// What a set of the request can take from files of an older version of it; `None` when that is nothing, or not known.
    pub(super) fn of(&self, cache: &Cache, place: usize, set: &FeatureSet, older: DefinitionHash) -> Option<Arc<Reuse>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.entry((place, older)).or_insert_with(|| {
            let record = cache.catalog().set_version(set.name(), older);
            let record = record.inspect_err(|error| tracing::warn!(%error, "what an older version has computed is not known")).ok()??;
            Reuse::between(set, &record.version.features, record.version.precision).map(Arc::new)
        });
        found.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::SetVersion;

    fn set(precision: &str, formulas: &str) -> FeatureSet {
        FeatureSet::from_toml(&format!("name = \"mine\"\nprecision = \"{precision}\"\n[features]\n{formulas}")).expect("a set")
    }

    fn between(before: &FeatureSet, after: &FeatureSet) -> Option<Reuse> {
        let version = SetVersion::of(before);
        Reuse::between(after, &version.features, version.precision)
    }

    const TWO: &str = "a = \"Mean($close, 5)\"\nb = \"EMA($close, 12)\"\n";

    #[test]
    fn columns_are_known_by_their_meaning_whatever_they_are_called() {
        let before = set("f64", TWO);
        let after = set("f64", "first = \"Std($close, 5)\"\nb = \"EMA($close,12)\"\nrenamed = \"Mean($close, 5)\"\n");
        let reuse = between(&before, &after).expect("two columns");
        assert_eq!(reuse.columns, [None, Some(Arc::from("b")), Some(Arc::from("a"))]);
        assert_eq!((reuse.computed.as_slice(), reuse.reused(), reuse.is_encoded_alike), (&[0][..], 2, true));
        assert_eq!(between(&before, &set("f64", "x = \"Std($close, 5)\"\n")), None);
    }

    #[test]
    fn rounded_values_are_not_taken_for_exact_ones() {
        let (exact, rounded) = (set("f64", TWO), set("f32", TWO));
        let reuse = between(&exact, &rounded).expect("they can be rounded");
        assert_eq!((reuse.reused(), reuse.is_encoded_alike), (2, false));
        assert_eq!(between(&rounded, &exact), None);
    }
}
