//! The kinds of moving averages that some of TA-Lib's functions take as a parameter, by name and by number.
//!
//! Not the averages themselves. Contract: names are lower case; a number has at most one name.

/// Names with TA-Lib's numbers. Its 11 stands for "the default" and is none of them: a call names its defaults.
const KINDS: [(&str, i32); 15] = [
    ("sma", 0),
    ("ema", 1),
    ("wma", 2),
    ("dema", 3),
    ("tema", 4),
    ("trima", 5),
    ("kama", 6),
    ("mama", 7),
    ("t3", 8),
    ("hma", 9),
    ("disabled", 10),
    ("zlema", 12),
    ("rma", 13),
    ("vidya", 14),
    ("alma", 15),
];

/// All names, in the order of their numbers.
pub fn moving_average_names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(name, _)| *name)
}

/// The number of this name, in any case.
#[must_use]
pub fn moving_average_number(name: &str) -> Option<i32> {
    KINDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, number)| *number)
}

/// The name of this number.
#[must_use]
pub fn moving_average_name(number: i32) -> Option<&'static str> {
    KINDS.iter().find(|(_, known)| *known == number).map(|(name, _)| *name)
}
