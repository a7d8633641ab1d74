//! What the rooms below say, in the language of the window.
//!
//! Down there sentences are English: they are made on other threads, kept in the catalog, written to logs and `--json`. Here each
//! is found again by its shape, `no machine is known by the name {host} ({detail})`, and said as a user reads it; what fits no
//! shape stays English. Not for texts of `app` and `ui`, which use `tr!`. A test holds that every shape below is still said
//! somewhere.

use crate::language::{self, Language};
use std::borrow::Cow;
use std::sync::OnceLock;

/// Deepest sentence within a sentence.
const DEEPEST: usize = 3;

/// Marks sentences for the translators' files, under the context `said`.
macro_rules! said {
    ($($text:literal),* $(,)?) => {
        &[$($text),*]
    };
}

/// A sentence as it is found: the words between its values.
struct Shape {
    english: &'static str,
    names: Vec<&'static str>,
    words: Vec<&'static str>,
}

impl Shape {
    fn of(english: &'static str) -> Self {
        let (mut names, mut words) = (Vec::new(), Vec::new());
        let mut rest = english;
        while let Some((before, name, after)) =
            rest.split_once('{').and_then(|(before, after)| after.split_once('}').map(|(name, after)| (before, name, after)))
        {
            words.push(before);
            names.push(name);
            rest = after;
        }
        words.push(rest);
        Self { english, names, words }
    }

    /// How many letters of it are fixed: of two that fit, the one that says more is meant.
    fn letters(&self) -> usize {
        self.words.iter().map(|words| words.len()).sum()
    }

    /// The values of a text of this shape.
    fn values<'text>(&self, text: &'text str) -> Option<Vec<&'text str>> {
        let (first, others) = self.words.split_first()?;
        let mut rest = text.strip_prefix(first)?;
        let mut values = Vec::with_capacity(others.len());
        for (place, words) in others.iter().enumerate() {
            let value = if place + 1 == others.len() {
                rest.strip_suffix(words)?
            } else {
                let (value, after) = rest.split_at_checked(rest.find(words)?)?;
                rest = after.strip_prefix(words)?;
                value
            };
            // What begins with a value could begin with any sentence before it.
            if first.is_empty() && !words.is_empty() && [", ", "; ", ". "].iter().any(|between| value.contains(between)) {
                return None;
            }
            values.push(value);
        }
        (!others.is_empty() || rest.is_empty()).then_some(values)
    }
}

fn shapes() -> &'static [Shape] {
    static SHAPES: OnceLock<Vec<Shape>> = OnceLock::new();
    SHAPES.get_or_init(|| {
        let mut shapes: Vec<Shape> = SENTENCES.iter().copied().map(Shape::of).collect();
        shapes.sort_by_key(|shape| std::cmp::Reverse(shape.letters()));
        shapes
    })
}

/// A sentence of a lower room in the language of this thread.
#[must_use]
pub fn said(text: &str) -> Cow<'_, str> {
    if language::current() == Language::English {
        return Cow::Borrowed(text);
    }
    found(text, DEEPEST).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn found(text: &str, depth: usize) -> Option<String> {
    if depth == 0 || text.is_empty() {
        return None;
    }
    whole(text, depth).or_else(|| capital(text, depth)).or_else(|| in_parts(text, depth))
}

/// The text is one sentence that is known.
fn whole(text: &str, depth: usize) -> Option<String> {
    shapes().iter().find_map(|shape| {
        let values = shape.values(text)?;
        let said = language::translate("said", shape.english);
        if said == shape.english {
            return None;
        }
        let values: Vec<Cow<'_, str>> =
            values.into_iter().map(|value| found(value, depth - 1).map_or(Cow::Borrowed(value), Cow::Owned)).collect();
        let named: Vec<(&str, &dyn std::fmt::Display)> =
            shape.names.iter().zip(&values).map(|(name, value)| (*name, value as &dyn std::fmt::Display)).collect();
        Some(language::fill(said, &named))
    })
}

/// The same with a capital letter, as at the beginning of a line.
fn capital(text: &str, depth: usize) -> Option<String> {
    let first = text.chars().next().filter(|first| first.is_uppercase())?;
    let small: String = first.to_lowercase().chain(text.chars().skip(1)).collect();
    let said = whole(&small, depth)?;
    let mut letters = said.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect())
}

/// Several sentences or parts of one, of which at least the first is known.
fn in_parts(text: &str, depth: usize) -> Option<String> {
    [". ", "; ", ", ", ": "].iter().find_map(|between| {
        text.match_indices(between).find_map(|(place, _)| {
            let (before, after) = (text.get(..place)?, text.get(place + between.len()..)?);
            let first = whole(before, depth).or_else(|| capital(before, depth))?;
            let rest = found(after, depth).map_or(Cow::Borrowed(after), Cow::Owned);
            Some(format!("{first}{between}{rest}"))
        })
    })
}

/// Every sentence that can be said.
pub const SENTENCES: &[&str] = said![
    "Pinned {count} {noun}",
    "Unpinned {count} {noun}",
    "This system has no keyring: the password is kept in a file that only you can read",
    "There is a new feature set: {name}",
    "The feature set {name} was removed; what is cached of it stays readable",
    "The feature set {name} was changed: {what}",
    "nothing is cached of it",
    "{entries} of it {verb} outdated",
    "A feature set's file cannot be used: {problem}",
    "The source in the settings cannot be used: {error}",
    "The time to live in the settings cannot be used: {error}; 24h is used",
    "The feature set {name} in the settings is not known ({known} are)",
    "A job was interrupted last time ({titles}); everything it had finished is safe. Preheat again to go on",
    "{count} cached files were found without a catalog and taken in",
    "the cache is not open; choose a cache folder that can be written in the settings",
    "no source is configured; connect a database, or name one with --source (`--source sample:` is the built-in sample)",
    "Checking the cached files found {count} damaged or missing {files}; nothing of them was served, and {fetched}",
    "preheat them from their source",
    "they are fetched again now",
    "Changes of your feature sets in {folder} are noticed at the next start only: {error}",
    "The set {set} has no feature {name}",
    "There is no feature set {set}",
    "The formula could not be computed",
    "another process is preheating it and did not come to an end; see what it does, or try again later",
    "another process is preheating some of the symbols; they are waited for",
    "the source cannot be reached",
    "the source said nothing of it; preheat it again",
    "the source announced {expected} rows and delivered {came}, {times} times in a row; nothing of it was taken. Somebody may be changing the table: preheat it again later",
    "the source has no bars of it any more; the last good version is kept",
    "the source has no bars of it any more; the last good version is kept. Clear it if it is not wanted",
    "no bars are cached; preheat without --features-only first",
    "none of its {came} rows has a usable price (open, high, low and close must be numbers)",
    "its files were cleared while it was being checked; preheat it again",
    "the catalog was rebuilt while it was being preheated; preheat it again",
    "it was cleared while it was being preheated; preheat it again to have it",
    "it was restored from the trash while it was being preheated; preheat it again",
    "{process} has taken over its preheating",
    "cancelled; nothing was left behind",
    "preheating stopped: {reason}",
    "a folder for measuring cannot be made in {folder}: {reason}; make it writable, or name another cache folder",
    "the folder {folder} cannot be written: {reason}. Give yourself write permission there, or choose another folder with --cache-dir",
    "the disk with the folder {folder} is full: {size} more {verb} needed. Free some space there, or choose another folder with --cache-dir, then try again; nothing that was cached is lost",
    "the cache in {folder} may take {budget} and what may be evicted is gone: {size} more {verb} needed. Raise the disk budget in the settings, clear or unpin what is not needed, or free space on the disk",
    "{dataset} of {symbol} were changed by another process just now; try again",
    "the cache catalog {path} is held by another process, which has not finished writing. Wait for it or close it, then try again",
    "{path} is another program's database, not a cache catalog. Choose another cache folder with --cache-dir, or move that file away",
    "the cache catalog {path} was written by a newer Samovar (format {found}, this one knows {known}). Update Samovar, or choose another cache folder with --cache-dir",
    "the cached file {path} is damaged ({reason}) and was moved to quarantine; preheat {symbol} to fetch it again",
    "{dataset} of {symbol} are not cached; preheat them first",
    "there is nothing to restore: nothing was cleared in the last 24 hours",
    "permission denied",
    "its content does not match its checksum",
    "it has {found} bytes instead of {expected}",
    "the file is gone",
    "{reason} is no time to live: write a number and a unit, such as 90s, 30m, 24h or 7d, or market-close",
    "Rule {number} for times to live in the settings is not used: {problem}",
    "The exchange of the source {source} in the settings is not used: {problem}",
    "Older versions of feature sets go first, then the least valuable. An entry's value is the time it takes to bring it back, as measured, halved for every 7 days it has not been used, divided by its size. Pinned entries and those a running job needs never go; of equals, features go before bars",
    "The disk has {free} free of which {kept} are kept free: {then}. Free some space, or clear what is not needed",
    "the least valuable entries go",
    "less, and the least valuable entries go",
    "The cache takes {used} of the {budget} it may take: when it is full, the least valuable entries go. Allow more, or clear what is not needed",
    "The cache is full: it takes {used} of the {budget} it may take, and the least valuable entries go. Allow more, or clear what is not needed",
    "the least valuable of {count}: not used for {time}, {cost} to bring back, {size}",
    "an older version, and {what}",
    "the settings file {path} cannot be read: {reason}",
    "the settings file {path} is damaged: {reason}. Fix it, or remove it to start with the default settings",
    "the settings file {path} cannot be saved: {reason}. Give yourself write permission there, or name another file with --config",
    "A copy is kept as {path}",
    "the default settings are used",
    "the settings saved on {time} UTC are used",
    "{count} {bars} added at the end",
    "{count} {bars} of an open session brought up to date",
    "{count} {bars} changed",
    "{count} {bars} inserted",
    "{count} {bars} removed",
    "every changed close × {ratio}, as after a split or an adjustment",
    "first {day}",
    "{message}; did you mean {suggestion}?",
    "{name} is a column of the bars; give the feature another name",
    "{name} is a function; give the feature another name",
    "{name} cannot name a feature; give it another name",
    "{name} cannot name a set: use letters, digits, - and _, {most} at most, and start with a letter or digit",
    "there are two formulas named {name}; give one of them another name",
    "{name} needs itself",
    "these formulas need each other in a circle: {names}",
    "{function} has one output; leave .{output} out",
    "{name} is a feature or helper, not a function; leave the brackets out",
    "there is no function {name}",
    "values without a name stand before those with one",
    "{name} is given twice",
    "{function} needs {what} too{hint}",
    "; for a plain mean write Mean(x, n)",
    "; for the larger of two values write Greater(x, y)",
    "; for the smaller of two values write Less(x, y)",
    "{function} has no parameter {name}",
    "{function} takes {count}, not {given}",
    "{function} needs something that changes from bar to bar, such as $close; {expression} is always the same",
    "{parameter} of {function} must be a number{hint}",
    "{function} looks back only: a value that is taken from the future leaks into training, and changes after it was cached",
    "Ref(x, 0) is x itself here, and the first value in Qlib; look back at least 1 bar",
    "the change since 0 bars ago is nothing; look back at least 1 bar",
    "a window of 0 bars holds nothing; use CumSum for a sum since the first bar",
    "{what} must be a whole number, not {given}",
    "{what} must be from {least} to {most}, not {given}",
    "this function is not known here",
    "only functions have outputs; write the dot behind the function's brackets",
    "there is no field ${name}{others}",
    "; the fields are {all}",
    "{name} is a function: {call}",
    "fields have a dollar sign, and there is no feature {name}",
    "there is no feature or helper {name}",
    "{sign} needs a truth on both sides, and {operand} is a number; put comparisons in brackets: (x < y) {again} (y < z)",
    "{what} needs a truth such as $close > $open here, and {expression} is a number",
    "{text} is neither a number nor a name; names start with a letter or _",
    "{character} is a full-width character",
    "{character} is no operator",
    "{character} is no minus sign",
    "! is no operator; write Not(x), or ~ before it",
    "^ is no operator; write Power(x, y)",
    "** is no operator; write Power(x, y)",
    "% is no operator; write a percentage as 0.05, or multiply by 100",
    "a field's name is expected after $, such as $close",
    "{character} cannot stand in a formula",
    "{character} cannot stand in a formula; use ( and )",
    "the formula is longer than {size} KiB; put parts of it into helpers",
    "a formula is expected, such as $close / Mean($close, 5)",
    "this is nested more than {most} deep; put the inner part into a helper",
    "this ) closes nothing",
    "a comma can only stand between the values of a function",
    "a comma can only stand between the values of a function; ) is expected here",
    "= is no comparison",
    "and is no operator; write And(x, y)",
    "or is no operator; write Or(x, y)",
    "not is no operator; write Not(x)",
    "an operator such as * is expected before this bracket",
    "an operator such as + is expected before {written}",
    "a value is expected here: the formula ends too early",
    "the name of an output is expected after the dot, such as .hist",
    "a value is expected before this )",
    "a value is expected before this comma",
    "a value is expected after the comma",
    "a value is expected before {name}",
    "this bracket is never closed",
    "comparisons cannot be chained; write And(x < y, y < z)",
    "there is no moving average {word}",
    "{function} needs something that changes from bar to bar; {expression} is always the same",
    "{function} has several outputs; write one of {outputs} behind its brackets",
    "{function} has no output {output}; it has {outputs}",
    "{host} did not answer within {seconds} s while {doing}",
    "try again when the server is less busy, or give it an index on symbol and date",
    "check that host and port are those of the database and that nothing in between holds the connection up, then try again",
    "its tables are {tables}; choose one of them (table=TABLE in a source URL)",
    "choose one of them as the table (table=TABLE in a source URL)",
    "cannot reach {kind} at {place} ({detail})",
    "check that the server is running, that host and port are right, and that no firewall is in between",
    "connection refused",
    "no answer in time",
    "the connection to {place} broke while {doing} ({detail})",
    "check the network and whether the server is still running, then try again",
    "check the user name and the password",
    "no password was given; enter one, and check the user name",
    "{place} has no database \"{database}\"",
    "check the name of the database; case may count",
    "{kind} failed while {doing}: {detail}",
    "switch encryption on at the server, or connect with tls=prefer",
    "connect with tls=off if the network can be trusted",
    "no machine is known by the name {host} ({detail})",
    "check the spelling of the host, and the network",
    "look into the database's own log",
    "{address} is an address and needs no lookup",
    "something answers at {place}",
    "switched off with tls=off",
    "agreed on with tls=require",
    "not in use: the server offers none; tls=require (Always) insists on it",
    "the server did not get that far",
    "not known: the login was refused before the server told",
    "{version}, a session that can only read",
    "{version}, a session that could write",
    "a local file needs no login",
    "files have no tables",
    "table {table}",
    "{count} rows",
    "at least {count} rows",
    "{table} has no rows",
    "load some bars into it, or choose another table",
    "{table} has no column for {role}",
    "{table} has no column for {role}; say which one it is with &{key}=COLUMN in the source URL; its columns are {columns}",
    "{table} has no column \"{column}\" for the {role}",
    "its columns are {columns}",
    "{place} has no table \"{table}\"",
    "{place} has no table that looks like price bars",
    "{place} has several tables that look like price bars: {tables}",
    "{folder} has no CSV or Parquet files",
    "choose another folder; files must end in .csv, .tsv, .txt, .parquet or .pq",
    "there is no file or folder {path}",
    "check the path; a relative one begins at the current folder",
    "{path} is no SQLite database, or a damaged one ({error})",
    "choose another file, or restore this one from a backup",
    "cannot open {path} ({error})",
    "check that this user may read the file and enter its folder",
    "{path} is locked by another program ({error})",
    "try again when the other program has finished writing",
    "{table} has an index that begins with ({symbol}, {date}): {name}",
    "{table} is a view and has no index of its own; what counts is an index on ({symbol}, {date}) of the tables below it",
    "{table} has no index on ({symbol}, {date}): the database goes through the whole table whatever is asked for",
    "{table} has no index on ({symbol}, {date}), only {name}, which does not go on with {again}: single days are not found directly, and rows have to be sorted",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn in_russian(text: &str) -> String {
        language::speak(Language::Russian);
        let said = said(text).into_owned();
        language::speak(Language::English);
        said
    }

    #[test]
    fn sentences_are_found_by_their_shape() {
        assert_eq!(said("connection refused"), "connection refused", "in English nothing is to be found");
        assert_eq!(in_russian("connection refused"), "в соединении отказано");
        assert_eq!(
            in_russian("cannot reach MySQL at db:3306 (connection refused); check the network"),
            "MySQL по адресу db:3306 недоступен (в соединении отказано); check the network"
        );
        assert_eq!(in_russian("something nobody knows"), "something nobody knows");
    }

    #[test]
    fn parts_are_said_one_by_one() {
        assert_eq!(in_russian("3 bars changed, 1 bar inserted; first 2024-03-01"), "изменено баров: 3, вставлено баров: 1; с 2024-03-01");
    }

    #[test]
    fn a_capital_letter_stays_one() {
        assert_eq!(in_russian("There is no function Foo"), "Нет функции Foo");
        assert_eq!(in_russian("there is no function Foo"), "нет функции Foo");
    }

    #[test]
    fn of_two_shapes_the_one_that_says_more_is_meant() {
        assert!(in_russian("Ref needs something that changes from bar to bar, such as $close; 1 is always the same").contains("$close"));
        let missing = "table bars has no column for close; say which one it is with &close=COLUMN in the source URL; its columns are a, b";
        assert_eq!(
            in_russian(missing),
            "таблица bars: нет столбца для close; укажите его через &close=COLUMN в URL источника; его столбцы: a, b"
        );
        assert_eq!(Shape::of("{a} of {b}!").values("1 of 2!"), Some(vec!["1", "2"]));
        assert_eq!(Shape::of("{a} of {b}!").values("1 of 2"), None);
    }
}
