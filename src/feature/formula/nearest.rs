//! The known name nearest to a mistyped one.

/// Longest name that is compared; longer ones have no neighbours.
const LONGEST_NAME: usize = 48;

/// The name nearest to a mistyped one, if one is near: a third of its letters may differ, three at most. Another case of
/// letters is nearer than another letter.
pub fn nearest<'names>(wrong: &str, names: impl IntoIterator<Item = &'names str>) -> Option<&'names str> {
    let letters: Vec<char> = wrong.chars().take(LONGEST_NAME + 1).collect();
    if letters.is_empty() || letters.len() > LONGEST_NAME {
        return None;
    }
    let lower: Vec<char> = letters.iter().flat_map(|letter| letter.to_lowercase()).collect();
    // A single letter is near to every other one.
    let most = if lower.len() < 2 { 0 } else { lower.len().div_ceil(3).min(3) };
    let mut best: Option<(usize, usize, &str)> = None;
    for name in names {
        if name.len() > LONGEST_NAME * 4 || name.chars().count().abs_diff(letters.len()) > most {
            continue;
        }
        let other: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
        let rough = distance(&lower, &other);
        if rough > most {
            continue;
        }
        let exact: Vec<char> = name.chars().collect();
        let rank = (rough, distance(&letters, &exact), name);
        if best.is_none_or(|best| rank < best) {
            best = Some(rank);
        }
    }
    best.map(|(_, _, name)| name)
}

/// How many letters have to be typed, changed, deleted or exchanged with their neighbour to make one text the other.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    let mut last_letter = None;
    for (place, letter) in left.iter().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(place + 1);
        for (column, other) in right.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
            let changed = at(&row, column) + usize::from(letter != other);
            let mut best = changed.min(at(&row, column + 1) + 1).min(at(&next, column) + 1);
            let is_swapped = column > 0 && last_letter == Some(other) && right.get(column - 1) == Some(letter);
            if is_swapped {
                best = best.min(at(&before, column - 1) + 1);
            }
            next.push(best);
        }
        last_letter = Some(letter);
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apart(left: &str, right: &str) -> usize {
        distance(&left.chars().collect::<Vec<_>>(), &right.chars().collect::<Vec<_>>())
    }

    #[test]
    fn distances_count_single_letters() {
        for (left, right, expected) in
            [("", "abc", 3), ("abc", "abc", 0), ("kitten", "sitting", 3), ("ma5", "ma50", 1), ("Maen", "Mean", 1), ("ab", "", 2)]
        {
            assert_eq!(apart(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn another_case_is_nearer_than_another_letter() {
        assert_eq!(nearest("mean", ["Mean", "meat", "Med"]), Some("Mean"));
        assert_eq!(nearest("TA_RSl", ["TA_RSI", "TA_ROC", "TA_RMA"]), Some("TA_RSI"));
        assert_eq!(nearest("zzzz", ["Mean"]), None);
        assert_eq!(nearest("", ["a"]), None);
        assert_eq!(nearest(&"x".repeat(100), ["x"]), None);
    }
}
