//! The languages of the window: which there are, which one this thread speaks, and the words of each.
//!
//! English texts in the code are the keys; `tr!` and `tr_n!` look up what stands for them in `assets/languages/*.po`. A text
//! without a translation is shown in English, so that nothing is ever empty; a test holds the files complete. Not the
//! language of files, logs, `--json` and the command line: those are English.
//!
//! Contract: the language belongs to a thread (the window's sets it before every frame), English until set. Translations are
//! read once, at the first word of their language, and live as long as the program. Names in braces, `{count}`, stand for
//! values; a translation may reorder them.

use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::OnceLock;

/// A language the window speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, strum::EnumIter)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Simplified Chinese.
    #[serde(rename = "zh")]
    Chinese,
    /// Russian.
    #[serde(rename = "ru")]
    Russian,
    /// Korean.
    #[serde(rename = "ko")]
    Korean,
}

impl Language {
    /// What its speakers call it.
    #[must_use]
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Chinese => "中文",
            Self::Russian => "Русский",
            Self::Korean => "한국어",
        }
    }

    /// Its code of ISO 639.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
            Self::Russian => "ru",
            Self::Korean => "ko",
        }
    }

    /// The language of a locale such as `zh-CN`, `ru_RU.UTF-8` or `ko`; `None` for one the window does not speak.
    #[must_use]
    pub fn of_locale(locale: &str) -> Option<Self> {
        let code = locale.split(['-', '_', '.', '@']).next()?;
        [Self::English, Self::Chinese, Self::Russian, Self::Korean].into_iter().find(|language| language.code().eq_ignore_ascii_case(code))
    }

    /// Which of its plural forms a count takes: a place in a translation's list.
    ///
    /// Source: the rules of the Unicode CLDR, in the order of gettext's files.
    #[must_use]
    pub const fn plural_form(self, count: u64) -> usize {
        match self {
            Self::English => (count != 1) as usize,
            Self::Chinese | Self::Korean => 0,
            Self::Russian => match (count % 10, count % 100) {
                (1, tens) if tens != 11 => 0,
                (2..=4, tens) if tens < 12 || tens > 14 => 1,
                _ => 2,
            },
        }
    }

    /// How many plural forms it has.
    #[must_use]
    pub const fn plural_forms(self) -> usize {
        match self {
            Self::English => 2,
            Self::Chinese | Self::Korean => 1,
            Self::Russian => 3,
        }
    }

    /// Its translations as a gettext file; `None` for English.
    #[must_use]
    pub const fn file(self) -> Option<&'static str> {
        match self {
            Self::English => None,
            Self::Chinese => Some(include_str!("../assets/languages/zh.po")),
            Self::Russian => Some(include_str!("../assets/languages/ru.po")),
            Self::Korean => Some(include_str!("../assets/languages/ko.po")),
        }
    }
}

thread_local! {
    static SPOKEN: Cell<Language> = const { Cell::new(Language::English) };
}

/// The language of this thread.
#[must_use]
pub fn current() -> Language {
    SPOKEN.get()
}

/// Lets this thread speak a language from now on.
pub fn speak(language: Language) {
    SPOKEN.set(language);
}

/// The translations of one language.
#[derive(Default)]
struct Words {
    /// By context (empty without one) and English text: one form, or as many as the language has plurals.
    forms: HashMap<String, HashMap<String, Vec<String>>>,
}

impl Words {
    fn read(file: &str) -> Self {
        let mut forms: HashMap<String, HashMap<String, Vec<String>>> = HashMap::new();
        match polib::po_file::parse_from_reader(file.as_bytes()) {
            Ok(catalog) => {
                for message in catalog.messages().filter(|message| message.is_translated() && !message.is_fuzzy()) {
                    let texts = match message.msgstr_plural() {
                        Ok(texts) => texts.clone(),
                        Err(_) => vec![message.msgstr().unwrap_or_default().to_owned()],
                    };
                    forms.entry(message.msgctxt().unwrap_or_default().to_owned()).or_default().insert(message.msgid().to_owned(), texts);
                }
            }
            // The files are part of the program, and a test reads each; English is the honest answer to a broken one.
            Err(error) => tracing::error!(%error, "a file of translations cannot be read"),
        }
        Self { forms }
    }

    fn find(&self, context: &str, text: &str, form: usize) -> Option<&str> {
        let forms = self.forms.get(context)?.get(text)?;
        forms.get(form).or(forms.last()).map(String::as_str).filter(|text| !text.is_empty())
    }
}

fn words(language: Language) -> Option<&'static Words> {
    static CHINESE: OnceLock<Words> = OnceLock::new();
    static RUSSIAN: OnceLock<Words> = OnceLock::new();
    static KOREAN: OnceLock<Words> = OnceLock::new();
    let kept = match language {
        Language::English => return None,
        Language::Chinese => &CHINESE,
        Language::Russian => &RUSSIAN,
        Language::Korean => &KOREAN,
    };
    Some(kept.get_or_init(|| language.file().map(Words::read).unwrap_or_default()))
}

/// What stands for an English text in the language of this thread; the text itself where nothing does.
///
/// For words that are chosen at run time and marked with `tr!` where they are written; others go through `tr!`.
#[must_use]
pub fn translate<'text>(context: &str, text: &'text str) -> &'text str {
    words(current()).and_then(|words| words.find(context, text, 0)).unwrap_or(text)
}

/// What stands for the description of a feature or function that comes with the program, or for its heading; the text itself
/// where it is a user's.
#[must_use]
pub fn describe(text: &str) -> &str {
    translate("description", text)
}

/// The form of a text that a count takes, in the language of this thread.
#[must_use]
pub fn translate_count<'text>(count: u64, singular: &'text str, plural: &'text str) -> &'text str {
    let language = current();
    let english = if count == 1 { singular } else { plural };
    words(language).and_then(|words| words.find("", singular, language.plural_form(count))).unwrap_or(english)
}

/// Puts values in the places of their names in braces. A name that is not given stays as it is.
#[must_use]
pub fn fill(text: &str, values: &[(&str, &dyn std::fmt::Display)]) -> String {
    use std::fmt::Write as _;
    let mut filled = String::with_capacity(text.len() + 16 * values.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let value = after.split_once('}').and_then(|(name, behind)| {
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some((value, behind))
        });
        match value {
            // Writing to a string cannot fail.
            Some((value, behind)) => {
                let _written = write!(filled, "{value}");
                rest = behind;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// A text in the language of this thread.
///
/// `tr!("Preheat all")` is a `&'static str`; `tr!("{done} of {total}", done = a, total = b)` a `String` with values in the
/// places of their names; `tr!(in "verb", "Clear")` tells two meanings of one English word apart.
#[macro_export]
macro_rules! tr {
    (in $context:literal, $text:literal) => {
        $crate::language::translate($context, $text)
    };
    (in $context:literal, $text:literal, $($name:ident = $value:expr),+ $(,)?) => {
        $crate::language::fill($crate::language::translate($context, $text), &[$((stringify!($name), &$value)),+])
    };
    ($text:literal) => {
        $crate::language::translate("", $text)
    };
    ($text:literal, $($name:ident = $value:expr),+ $(,)?) => {
        $crate::language::fill($crate::language::translate("", $text), &[$((stringify!($name), &$value)),+])
    };
}

/// A text with a count in the language of this thread: `tr_n!(count, "{count} symbol", "{count} symbols")`.
///
/// `{count}` stands for the count with its thousands apart; further names as in `tr!`. The count is a `u64`.
#[macro_export]
macro_rules! tr_n {
    ($count:expr, $singular:literal, $plural:literal $(, $name:ident = $value:expr)* $(,)?) => {{
        let count: u64 = $count;
        $crate::language::fill(
            $crate::language::translate_count(count, $singular, $plural),
            &[("count", &$crate::format::count(count)) $(, (stringify!($name), &$value))*],
        )
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_is_the_text_itself() {
        assert_eq!(tr!("Preheat all"), "Preheat all");
        assert_eq!(tr!("{done} of {total}", total = 5, done = "3"), "3 of 5");
        assert_eq!(tr_n!(1, "{count} symbol", "{count} symbols"), "1 symbol");
        assert_eq!(tr_n!(5_214, "{count} symbol", "{count} symbols"), "5,214 symbols");
    }

    #[test]
    fn a_brace_that_names_nothing_stays() {
        assert_eq!(fill("a {b} {c} {", &[("b", &1)]), "a 1 {c} {");
    }

    #[test]
    fn russian_has_three_plurals() {
        let forms = |count| Language::Russian.plural_form(count);
        assert_eq!([1, 21, 101].map(forms), [0; 3]);
        assert_eq!([2, 4, 22, 104].map(forms), [1; 4]);
        assert_eq!([0, 5, 11, 12, 14, 20, 111].map(forms), [2; 7]);
    }

    #[test]
    fn locales_are_recognised() {
        assert_eq!(Language::of_locale("zh-CN"), Some(Language::Chinese));
        assert_eq!(Language::of_locale("ru_RU.UTF-8"), Some(Language::Russian));
        assert_eq!(Language::of_locale("de"), None);
    }
}
