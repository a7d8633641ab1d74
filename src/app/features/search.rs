//! Finding by a few letters: how well a text answers what was typed.
//!
//! Not what is searched. Contract: smaller is better, `None` is no match; every word that was typed has to be found somewhere,
//! in any order; letters of a name may be left out, those of a sentence may not.

/// What a word found in the name, in the description and in the formula begins to count with.
const IN_NAME: usize = 0;
const LETTERS_OF_NAME: usize = 100;
const IN_DESCRIPTION: usize = 400;
const IN_FORMULA: usize = 800;
/// More than any place in a text counts for.
const FARTHEST: usize = 99;

/// A text that can be searched, in lower case once and for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Haystack {
    name: String,
    description: String,
    formula: String,
}

impl Haystack {
    /// A name with what is said about it.
    #[must_use]
    pub fn new(name: &str, description: &str, formula: &str) -> Self {
        Self { name: name.to_lowercase(), description: description.to_lowercase(), formula: formula.to_lowercase() }
    }

    /// How well it answers `needle`, whose words are in lower case.
    #[must_use]
    pub fn rank(&self, needle: &str) -> Option<usize> {
        // A shorter name of two that fit alike is the likelier one.
        let words = needle.split_whitespace().map(|word| self.rank_word(word)).sum::<Option<usize>>()?;
        Some(words * 64 + self.name.chars().count().min(63))
    }

    fn rank_word(&self, word: &str) -> Option<usize> {
        let near = |place: usize| place.min(FARTHEST);
        if let Some(place) = self.name.find(word) {
            return Some(IN_NAME + near(place));
        }
        letters_in_order(&self.name, word)
            .map(|gaps| LETTERS_OF_NAME + near(gaps))
            .or_else(|| self.description.find(word).map(|place| IN_DESCRIPTION + near(place)))
            .or_else(|| self.formula.find(word).map(|place| IN_FORMULA + near(place)))
    }
}

/// The letters of `word` in their order somewhere in `text`: how many letters lie between them. The first has to begin a part
/// of the name.
fn letters_in_order(text: &str, word: &str) -> Option<usize> {
    let mut gaps = 0;
    let mut from = 0;
    for (place, letter) in word.chars().enumerate() {
        let rest = text.get(from..)?;
        let found = rest.find(letter)?;
        if place == 0 && !begins_part(text, from + found) {
            return None;
        }
        gaps += if place == 0 { 0 } else { found };
        from += found + letter.len_utf8();
    }
    Some(gaps)
}

fn begins_part(text: &str, place: usize) -> bool {
    text.get(..place).and_then(|before| before.chars().next_back()).is_none_or(|char| !char.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(needle: &str, names: &[(&str, &str, &str)]) -> Vec<String> {
        let mut found: Vec<(usize, &str)> = names
            .iter()
            .filter_map(|(name, description, formula)| Some((Haystack::new(name, description, formula).rank(needle)?, *name)))
            .collect();
        found.sort();
        found.into_iter().map(|(_, name)| name.to_owned()).collect()
    }

    const SOME: [(&str, &str, &str); 5] = [
        ("macd_hist", "Twice the distance of MACD to its signal", "2 * (macd_dif - macd_dea)"),
        ("ma5", "Mean of the last 5 closes", "Mean($close, 5)"),
        ("ma60", "Mean of the last 60 closes", "Mean($close, 60)"),
        ("boll_mid", "Middle of Bollinger's bands", "Mean($close, 20)"),
        ("obv", "On balance volume", "CumSum(...)"),
    ];

    #[test]
    fn names_come_before_descriptions_and_those_before_formulas() {
        assert_eq!(order("ma", &SOME), ["ma5", "ma60", "macd_hist"]);
        assert_eq!(order("mean", &SOME), ["ma5", "ma60", "boll_mid"]);
        assert_eq!(order("volume", &SOME), ["obv"]);
        assert_eq!(order("", &SOME).len(), SOME.len());
    }

    #[test]
    fn letters_of_a_name_may_be_left_out_and_words_may_stand_in_any_order() {
        assert_eq!(order("mchist", &SOME), ["macd_hist"]);
        assert_eq!(order("60 mean", &SOME), ["ma60"]);
        assert!(order("zz", &SOME).is_empty());
        // Not every text that has the letters somewhere is meant.
        assert!(order("ach", &SOME).is_empty());
    }
}
