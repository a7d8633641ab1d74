//! The languages of the window are complete: every text is marked, every marked text is in every file, and nothing else is.
//!
//! `SAMOVAR_UPDATE_LANGUAGES=1 cargo test --test house languages` writes the files anew: new texts come in empty, texts that are
//! gone go, and everything is sorted by the file of the code it stands in. What is empty then is what a translator has to do.

use super::{all, sources};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use samovar::feature::SetLibrary;
use samovar::feature::functions::functions;
use samovar::language::Language;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const SPOKEN: [Language; 3] = [Language::Chinese, Language::Russian, Language::Korean];

/// Context and English text.
type Key = (String, String);

/// A text of the code.
#[derive(Debug, Default)]
struct Marked {
    /// Its form for more than one, where it counts.
    plural: Option<String>,
    /// Where it stands.
    files: BTreeSet<String>,
}

/// The value of a string literal as it is written.
fn value_of(literal: &str) -> Option<String> {
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut value = String::new();
    let mut chars = inner.chars().peekable();
    while let Some(char) = chars.next() {
        if char != '\\' {
            value.push(char);
            continue;
        }
        match chars.next()? {
            'n' => value.push('\n'),
            't' => value.push('\t'),
            'u' => {
                let code: String = chars.by_ref().skip(1).take_while(|char| *char != '}').collect();
                value.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?);
            }
            '\n' => while chars.next_if(|char| char.is_whitespace()).is_some() {},
            other => value.push(other),
        }
    }
    Some(value)
}

fn literal(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Literal(literal) => value_of(&literal.to_string()),
        _ => None,
    }
}

fn is_ident(token: Option<&TokenTree>, word: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == word)
}

fn is_punct(token: Option<&TokenTree>, char: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}

/// The tokens of a file without attributes, documentation and tests.
fn without_attributes_and_tests(stream: TokenStream) -> Vec<TokenTree> {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut kept = Vec::new();
    let mut place = 0;
    while let Some(token) = tokens.get(place) {
        let bang = usize::from(is_punct(tokens.get(place + 1), '!'));
        if let (true, Some(TokenTree::Group(attribute))) = (is_punct(Some(token), '#'), tokens.get(place + 1 + bang))
            && attribute.delimiter() == Delimiter::Bracket
        {
            place += 2 + bang;
            let is_test = attribute.stream().to_string().replace(' ', "") == "cfg(test)";
            // What follows is compiled for tests only: up to its braces or semicolon.
            if !is_test {
                continue;
            }
            loop {
                let ends = match tokens.get(place) {
                    Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
                    Some(token) => is_punct(Some(token), ';'),
                    None => true,
                };
                place += 1;
                if ends {
                    break;
                }
            }
            continue;
        }
        kept.push(token.clone());
        place += 1;
    }
    kept
}

fn marked_in(stream: TokenStream, file: &str, found: &mut BTreeMap<Key, Marked>) {
    let tokens = without_attributes_and_tests(stream);
    for (place, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        marked_in(group.stream(), file, found);
        if place >= 2 && is_punct(tokens.get(place - 1), '!') && is_ident(tokens.get(place - 2), "said") {
            for text in group.stream().into_iter().filter_map(|token| literal(&token)) {
                found.entry(("said".to_owned(), text)).or_default().files.insert(file.to_owned());
            }
            continue;
        }
        let counts = place >= 2 && is_ident(tokens.get(place - 2), "tr_n");
        if place < 2 || !is_punct(tokens.get(place - 1), '!') || !(counts || is_ident(tokens.get(place - 2), "tr")) {
            continue;
        }
        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
        let texts: Vec<String> = inner.iter().filter_map(literal).collect();
        let (key, plural) = if counts {
            // The count may hold literals of its own: the two forms are those behind its comma.
            let forms: Vec<String> = inner.split(|token| is_punct(Some(token), ',')).filter_map(|part| literal(part.first()?)).collect();
            let [singular, plural, ..] = forms.as_slice() else { panic!("{file}: tr_n! without two forms: {group}") };
            ((String::new(), singular.clone()), Some(plural.clone()))
        } else if is_ident(inner.first(), "in") {
            let [context, text, ..] = texts.as_slice() else { panic!("{file}: tr! without a text: {group}") };
            ((context.clone(), text.clone()), None)
        } else {
            let text = inner.first().and_then(literal).unwrap_or_else(|| panic!("{file}: tr! without a text: {group}"));
            ((String::new(), text), None)
        };
        let marked = found.entry(key.clone()).or_default();
        assert!(marked.files.is_empty() || marked.plural == plural, "{file}: {key:?} counts in one place and not in another");
        marked.plural = plural;
        marked.files.insert(file.to_owned());
    }
}

fn tokens_of(path: &Path, text: &str) -> TokenStream {
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every text of the program that can be translated.
fn marked() -> BTreeMap<Key, Marked> {
    let mut found = BTreeMap::new();
    for (path, room, text) in all() {
        if room != "language" {
            marked_in(tokens_of(&path, &text), &format!("src/{}", path.display()), &mut found);
        }
    }
    let mut describe = |text: &str, place: &str| {
        if !text.is_empty() {
            found.entry(("description".to_owned(), text.to_owned())).or_insert_with(Marked::default).files.insert(place.to_owned());
        }
    };
    for entry in SetLibrary::built_in().sets() {
        let file = format!("assets/sets/{}.toml", entry.set.name());
        entry.set.definitions().iter().for_each(|definition| describe(&definition.description, &file));
    }
    for function in functions() {
        describe(&function.description, "src/feature/functions.rs");
        describe(function.group, "src/feature/functions.rs");
        function.parameters.iter().for_each(|parameter| describe(&parameter.description, "src/feature/functions.rs"));
    }
    for field in samovar::feature::graph::Field::ALL {
        describe(field.description(), "src/feature/graph/operator.rs");
    }
    found
}

fn file_of(language: Language) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("assets/languages/{}.po", language.code()))
}

/// The translations of a language: head, and forms by key.
struct Translated {
    head: String,
    forms: BTreeMap<Key, Vec<String>>,
}

fn quoted(line: &str) -> String {
    let start = line.find('"').expect("a quoted text");
    value_of(line[start..].trim_end()).unwrap_or_else(|| panic!("no quoted text: {line}"))
}

/// Reads a gettext file as this test writes it: one line for each text.
fn read(language: Language) -> Translated {
    let text = std::fs::read_to_string(file_of(language)).expect("a file of translations");
    let (head, entries) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let mut forms = BTreeMap::new();
    for entry in entries.split("\n\n").filter(|entry| !entry.trim().is_empty()) {
        let line = |name: &str| entry.lines().find(|line| line.split(' ').next() == Some(name)).map(quoted);
        let key = (line("msgctxt").unwrap_or_default(), line("msgid").unwrap_or_else(|| panic!("no msgid: {entry}")));
        assert!(!entry.lines().any(|line| line.starts_with("#,") && line.contains("fuzzy")), "{language:?}: {key:?} is uncertain");
        let texts: Vec<String> = entry.lines().filter(|line| line.starts_with("msgstr")).map(quoted).collect();
        assert!(forms.insert(key.clone(), texts).is_none(), "{language:?}: {key:?} is there twice");
    }
    Translated { head: head.to_owned(), forms }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn write(language: Language, marked: &BTreeMap<Key, Marked>) {
    let known = read(language);
    let mut text = known.head;
    text.push('\n');
    let mut sorted: Vec<_> = marked.iter().collect();
    sorted.sort_by_key(|(key, marked)| (marked.files.first().cloned(), (*key).clone()));
    for (key, marked) in sorted {
        let forms = known.forms.get(key).cloned().unwrap_or_default();
        let form = |place: usize| escaped(forms.get(place).map_or("", String::as_str));
        text.push('\n');
        for file in &marked.files {
            writeln!(text, "#: {file}").expect("text");
        }
        if !key.0.is_empty() {
            writeln!(text, "msgctxt \"{}\"", escaped(&key.0)).expect("text");
        }
        writeln!(text, "msgid \"{}\"", escaped(&key.1)).expect("text");
        match &marked.plural {
            None => writeln!(text, "msgstr \"{}\"", form(0)).expect("text"),
            Some(plural) => {
                writeln!(text, "msgid_plural \"{}\"", escaped(plural)).expect("text");
                for place in 0..language.plural_forms() {
                    writeln!(text, "msgstr[{place}] \"{}\"", form(place)).expect("text");
                }
            }
        }
    }
    std::fs::write(file_of(language), text).expect("written translations");
}

/// The names in braces of a text, sorted.
fn places(text: &str) -> BTreeSet<String> {
    let parts = text.split('{').skip(1).filter_map(|part| part.split_once('}'));
    let is_name = |name: &&str| !name.is_empty() && name.chars().all(|char| char.is_ascii_lowercase() || char == '_');
    parts.map(|(name, _)| name).filter(is_name).map(str::to_owned).collect()
}

#[test]
fn every_language_says_every_text() {
    let marked = marked();
    if std::env::var_os("SAMOVAR_UPDATE_LANGUAGES").is_some() {
        for language in SPOKEN {
            write(language, &marked);
        }
    }
    let mut wrong = Vec::new();
    for language in SPOKEN {
        let known = read(language).forms;
        wrong.extend(known.keys().filter(|key| !marked.contains_key(*key)).map(|key| format!("{language:?}: {key:?} is said nowhere")));
        for (key, text) in &marked {
            let Some(forms) = known.get(key) else {
                wrong.push(format!("{language:?}: {key:?} is missing"));
                continue;
            };
            let wanted = if text.plural.is_some() { language.plural_forms() } else { 1 };
            if forms.len() != wanted || forms.iter().any(|form| form.trim().is_empty()) {
                wrong.push(format!("{language:?}: {key:?} has {} of {wanted} forms", forms.iter().filter(|form| !form.is_empty()).count()));
                continue;
            }
            for form in forms {
                let (least, most) = match &text.plural {
                    // A sentence of a lower room may leave out what is only grammar.
                    None if key.0 == "said" => (BTreeSet::new(), places(&key.1)),
                    None => (places(&key.1), places(&key.1)),
                    // "every hour" and "every {count} hours" may be one form elsewhere.
                    Some(plural) => (places(&key.1), &places(&key.1) | &places(plural)),
                };
                let fits = least.is_subset(&places(form)) && places(form).is_subset(&most);
                if !fits {
                    wrong.push(format!("{language:?}: {key:?} has other names in braces: {form}"));
                }
                let ends = |text: &str| text.ends_with('…');
                if ends(form) != ends(&key.1) {
                    wrong.push(format!("{language:?}: {key:?} does not end alike: {form}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong; write the files anew with SAMOVAR_UPDATE_LANGUAGES=1:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_files_are_what_translators_tools_take() {
    for language in SPOKEN {
        let catalog = polib::po_file::parse(&file_of(language)).expect("a gettext file");
        assert_eq!(catalog.metadata.language, language.code());
        assert_eq!(catalog.metadata.plural_rules.nplurals, language.plural_forms());
        assert_eq!(catalog.messages().count(), read(language).forms.len(), "{language:?}");
    }
}

/// Texts that look like words for people and are none, or are the same in every language.
const ALLOWED: [&str; 26] = [
    "Price and volume",
    "Chinese classic",
    "Momentum",
    "Volume",
    "last bar provisional",
    "Ctrl+",
    "Alt+",
    "Shift+",
    "Left",
    "Right",
    "every {} min",
    "{} {day}.png",
    "Samovar",
    "Enter",
    "Delete",
    "Esc",
    "{}  Ctrl+S",
    "'''\n{formula}'''",
    "$open",
    "$high",
    "$low",
    "$close",
    "$vwap",
    "$volume",
    "symbol\tstate\tfirst\tlast\tbars\tbars_bytes\tfeatures_bytes\thits\n",
    "the window cannot be opened: {error}",
];

/// Whether a literal looks like words for people.
fn looks_like_words(text: &str) -> bool {
    let mut rest = text.to_owned();
    // Names of values are no words.
    while let (Some(open), Some(close)) = (rest.find('{'), rest.find('}')) {
        if close < open {
            break;
        }
        rest.replace_range(open..=close, "\u{1}");
    }
    let words: Vec<&str> = rest.split(|char: char| !char.is_alphabetic()).filter(|word| word.len() > 1).collect();
    let is_identifier = rest.chars().all(|char| char.is_ascii_alphanumeric() || "-_./:\u{1}#+*=<>%\\".contains(char));
    match words.as_slice() {
        [] => false,
        [_] if is_identifier => {
            let trimmed = rest.trim_matches('\u{1}');
            trimmed.chars().next().is_some_and(char::is_uppercase) && trimmed.chars().skip(1).all(char::is_lowercase)
        }
        _ => !is_identifier,
    }
}

/// Macros whose texts are not for users of the window.
const SILENT: [&str; 15] = [
    "said",
    "tr",
    "tr_n",
    "error",
    "warn",
    "info",
    "debug",
    "trace",
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "panic",
    "unreachable",
    "matches",
];

fn bare_in(stream: TokenStream, found: &mut Vec<String>) {
    let tokens = without_attributes_and_tests(stream);
    for (place, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => {
                let silent =
                    place >= 2 && is_punct(tokens.get(place - 1), '!') && SILENT.iter().any(|name| is_ident(tokens.get(place - 2), name));
                let of = |name: &str| is_ident(place.checked_sub(4).and_then(|place| tokens.get(place)), name);
                let named = place >= 1
                    && (["expect", "unique", "with", "id_salt", "from_id_salt"].iter().any(|name| is_ident(tokens.get(place - 1), name))
                        || (is_ident(tokens.get(place - 1), "new") && (of("Id") || of("Grid"))));
                if silent {
                    // Values of a translation may hold bare texts of their own.
                    let values = group.stream().into_iter().filter(|token| !matches!(token, TokenTree::Literal(_)));
                    bare_in(values.collect(), found);
                } else if !named {
                    bare_in(group.stream(), found);
                }
            }
            other => found.extend(literal(other).filter(|text| looks_like_words(text) && !ALLOWED.contains(&text.as_str()))),
        }
    }
}

#[test]
fn no_text_of_the_window_is_forgotten() {
    let mut wrong = Vec::new();
    for (path, room, text) in all() {
        if room == "ui" || room == "app" {
            let mut found = Vec::new();
            bare_in(tokens_of(&path, &text), &mut found);
            wrong.extend(found.into_iter().map(|text| format!("src/{}: {text:?}", path.display())));
        }
    }
    assert!(wrong.is_empty(), "{} texts are not marked with tr!:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn there_is_a_file_for_every_language_and_no_other() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/languages");
    let found: BTreeSet<PathBuf> = std::fs::read_dir(folder).expect("a folder").map(|item| item.expect("an item").path()).collect();
    assert_eq!(found, SPOKEN.map(file_of).into());
    assert!(sources(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").as_path()).len() > 100, "the code was read");
}

/// A sentence without its values, and without the spaces a line break leaves.
fn bones(text: &str) -> String {
    let mut bones = String::new();
    let mut depth = 0_usize;
    for char in text.replace("{{", "(").replace("}}", ")").chars() {
        match char {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => bones.push(char),
            _ => {}
        }
        if char == '{' && depth == 1 {
            bones.push('\u{1}');
        }
    }
    bones
}

fn literals_in(stream: TokenStream, found: &mut Vec<String>) {
    for token in stream {
        match token {
            TokenTree::Group(group) => literals_in(group.stream(), found),
            other => found.extend(literal(&other).map(|text| bones(&text))),
        }
    }
}

#[test]
fn every_sentence_of_the_rooms_below_is_still_said_there() {
    let mut said = Vec::new();
    for (path, room, text) in all().into_iter().filter(|(_, room, _)| room != "ui" && room != "app") {
        assert!(!room.is_empty());
        literals_in(tokens_of(&path, &text), &mut said);
    }
    // What is put together of several texts is looked for in parts.
    let known = |bones: &str| said.iter().any(|text| text.contains(bones));
    let gone: Vec<&str> = samovar::app::SENTENCES
        .iter()
        .copied()
        .filter(|sentence| {
            let bones = bones(sentence);
            !known(&bones) && !bones.split('\u{1}').all(|part| known(part.trim_matches(|char: char| !char.is_alphanumeric())))
        })
        .collect();
    assert!(gone.is_empty(), "{} are said nowhere any more:\n{}", gone.len(), gone.join("\n"));
}
