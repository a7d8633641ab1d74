//! What the panel lists: every feature of every set, and every function, narrowed, grouped and in order.
//!
//! Not how a row looks. Contract: worked out when something it depends on changes, never while drawing; a set that is being
//! typed over and over is listed as last saved.

use super::draft::FeatureKey;
use super::search::Haystack;
use crate::feature::functions::functions;
use crate::feature::{Definition, LibrarySet, Placement, SetLibrary};
use crate::language::describe;
use crate::tr;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A feature as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFeature {
    /// Set and name.
    pub key: FeatureKey,
    /// The heading it stands under.
    pub group: &'static str,
    /// One line about it; its formula where nothing is said.
    pub description: String,
    /// Its formula.
    pub formula: String,
    /// Where a chart draws it.
    pub placement: Placement,
    /// Whether the user may change it.
    pub is_own: bool,
    haystack: Haystack,
}

/// Every feature of every set: the user's own sets first.
#[must_use]
pub fn listed(library: &SetLibrary) -> Vec<ListedFeature> {
    let own = library.sets().iter().filter(|entry| !entry.is_built_in());
    let built_in = library.sets().iter().filter(|entry| entry.is_built_in());
    own.chain(built_in).flat_map(listed_of_set).collect()
}

fn listed_of_set(entry: &LibrarySet) -> impl Iterator<Item = ListedFeature> {
    let (set, is_own) = (entry.set.name(), !entry.is_built_in());
    entry.set.definitions().iter().map(move |definition| listed_feature(set, is_own, definition))
}

fn listed_feature(set: &str, is_own: bool, definition: &Definition) -> ListedFeature {
    let formula = definition.formula.clone();
    let said = if definition.description.is_empty() { &formula } else { describe(&definition.description) };
    ListedFeature {
        key: FeatureKey::new(set, &definition.name),
        group: definition.group.label(),
        description: said.replace('\n', " "),
        placement: definition.placement.clone(),
        is_own,
        haystack: Haystack::new(&definition.name, &in_both(&definition.description), &formula),
        formula,
    }
}

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A heading, and how many stand under it.
    Heading {
        /// Its words.
        text: Arc<str>,
        /// How many lines follow.
        count: usize,
    },
    /// The item at this place of all items.
    Item {
        /// Its place.
        place: usize,
        /// Whether it stands among the favourites, so that it may stand a second time below.
        among_favourites: bool,
    },
}

/// Which features are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrowing<'a> {
    /// What was typed.
    pub needle: &'a str,
    /// Only this set.
    pub set: Option<&'a str>,
}

/// The lines of the list of features. With words to search for: the best first, without headings.
#[must_use]
pub fn feature_rows(all: &[ListedFeature], favourites: &BTreeSet<FeatureKey>, narrowing: &Narrowing<'_>) -> Vec<Row> {
    let needle = narrowing.needle.trim().to_lowercase();
    let of_set = |feature: &ListedFeature| narrowing.set.is_none_or(|set| feature.key.set() == set);
    if !needle.is_empty() {
        let ranked = all.iter().enumerate().filter(|(_, feature)| of_set(feature));
        let mut ranked: Vec<(usize, bool, usize)> = ranked
            .filter_map(|(place, feature)| Some((feature.haystack.rank(&needle)?, !favourites.contains(&feature.key), place)))
            .collect();
        ranked.sort_unstable();
        return ranked.into_iter().map(|(_, _, place)| Row::Item { place, among_favourites: false }).collect();
    }
    let shown = || all.iter().enumerate().filter(|(_, feature)| of_set(feature));
    let mut rows = Vec::with_capacity(all.len() + 16);
    let starred: Vec<usize> = shown().filter(|(_, feature)| favourites.contains(&feature.key)).map(|(place, _)| place).collect();
    section(&mut rows, tr!("Favourites"), &starred, true);
    let mut sections: Vec<(&str, &'static str, Vec<usize>)> = Vec::new();
    for (place, feature) in shown() {
        let (set, group) = (feature.key.set(), feature.group);
        match sections.iter_mut().find(|(of_set, of_group, _)| *of_set == set && *of_group == group) {
            Some((_, _, places)) => places.push(place),
            None => sections.push((set, group, vec![place])),
        }
    }
    for (set, group, places) in sections {
        let text = if narrowing.set.is_some() { group.to_owned() } else { format!("{set} · {group}") };
        section(&mut rows, &text, &places, false);
    }
    rows
}

fn section(rows: &mut Vec<Row>, text: &str, places: &[usize], among_favourites: bool) {
    if !places.is_empty() {
        rows.push(Row::Heading { text: text.into(), count: places.len() });
        rows.extend(places.iter().map(|place| Row::Item { place: *place, among_favourites }));
    }
}

/// The lines of the list of functions.
#[must_use]
pub fn function_rows(needle: &str) -> Vec<Row> {
    let needle = needle.trim().to_lowercase();
    let all = functions();
    if !needle.is_empty() {
        let ranked = all.iter().enumerate();
        let mut ranked: Vec<(usize, usize)> = ranked
            .filter_map(|(place, function)| {
                let spoken = format!("{} {}", in_both(&function.description), in_both(function.group));
                Some((Haystack::new(&function.name, &spoken, "").rank(&needle)?, place))
            })
            .collect();
        ranked.sort_unstable();
        return ranked.into_iter().map(|(_, place)| Row::Item { place, among_favourites: false }).collect();
    }
    let mut sections: Vec<(&str, Vec<usize>)> = Vec::new();
    for (place, function) in all.iter().enumerate() {
        match sections.iter_mut().find(|(group, _)| *group == function.group) {
            Some((_, places)) => places.push(place),
            None => sections.push((function.group, vec![place])),
        }
    }
    let mut rows = Vec::with_capacity(all.len() + sections.len());
    for (group, places) in sections {
        section(&mut rows, describe(group), &places, false);
    }
    rows
}

/// A description as it is shown and, where that is another language, in English too: found by either.
fn in_both(description: &str) -> String {
    let shown = describe(description);
    if shown == description { description.to_owned() } else { format!("{shown} {description}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: &[ListedFeature], rows: &[Row]) -> Vec<String> {
        rows.iter()
            .map(|row| match row {
                Row::Heading { text, count } => format!("{text} ({count})"),
                Row::Item { place, .. } => all[*place].key.name().to_owned(),
            })
            .collect()
    }

    #[test]
    fn favourites_come_first_and_stay_in_their_groups() {
        let all = listed(&SetLibrary::built_in());
        let favourites = BTreeSet::from([FeatureKey::new("classic", "obv"), FeatureKey::new("gone", "x")]);
        let narrowing = Narrowing { needle: "", set: Some("classic") };
        let names = names(&all, &feature_rows(&all, &favourites, &narrowing));
        assert_eq!(names[..3], ["Favourites (1)", "obv", "Trend (12)"]);
        assert_eq!(names.iter().filter(|name| *name == "obv").count(), 2);
    }

    #[test]
    fn a_search_has_the_best_first_and_no_headings() {
        let all = listed(&SetLibrary::built_in());
        let narrowing = Narrowing { needle: "Ma2", set: None };
        let names = names(&all, &feature_rows(&all, &BTreeSet::new(), &narrowing));
        assert_eq!(names[0], "ma20");
        assert!(names.iter().all(|name| !name.contains(" (")), "{names:?}");
        assert!(feature_rows(&all, &BTreeSet::new(), &Narrowing { needle: "qqq", set: None }).is_empty());
    }

    #[test]
    fn functions_are_found_by_name_and_by_what_they_do() {
        let found = |needle: &str| {
            let rows = function_rows(needle);
            rows.iter()
                .filter_map(|row| if let Row::Item { place, .. } = row { Some(&*functions()[*place].name) } else { None })
                .collect::<Vec<_>>()
        };
        assert_eq!(found("mean")[0], "Mean");
        assert!(found("deviation").contains(&"Std"));
        assert_eq!(found("").len(), functions().len());
    }
}
