//! Who decides on states: the rules for time to live by source and symbol, and the sets' present definitions, in one hand.
//!
//! Rules are looked at in their order. The first that fits and names a time to live gives it, the first that fits and names an
//! exchange gives that; what none names is the usual time to live, and an exchange guessed from the symbol.

use super::entry::{Dataset, Entry, EntryKey};
use super::freshness::{EntryState, Policy, Rule, TimeToLive, expires_at_us, state_of};
use crate::config::{Settings, TtlRule};
use crate::feature::DefinitionHash;
use crate::market::{Exchange, Symbol, date_of};
use crate::source::{SourceId, SourceUrl};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The present definition of every known set, by name.
pub type Definitions = HashMap<Arc<str>, DefinitionHash>;

/// Which symbols a rule is about: letters in any case, `*` for any text, `?` for any one character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolPattern(String);

impl SymbolPattern {
    /// A pattern such as `*.HK`.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        Self(pattern.trim().to_owned())
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a symbol fits.
    #[must_use]
    pub fn fits(&self, symbol: &Symbol) -> bool {
        fits(&self.0, symbol.as_str())
    }
}

/// Walks both texts; at a mismatch, the last `*` takes one more character. Linear in practice, never worse than their product.
fn fits(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let (mut pattern_rest, mut text_rest) = (pattern.clone(), text.clone());
        match (pattern_rest.next(), text_rest.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                retry = Some((pattern_rest.clone(), text.clone()));
                pattern = pattern_rest;
                continue;
            }
            (Some(wanted), Some(found)) if wanted == '?' || wanted.eq_ignore_ascii_case(&found) => {
                (pattern, text) = (pattern_rest, text_rest);
                continue;
            }
            _ => {}
        }
        let Some((after_star, mut from)) = retry.take() else { return false };
        if from.next().is_none() {
            return false;
        }
        (pattern, text) = (after_star.clone(), from.clone());
        retry = Some((after_star, from));
    }
}

/// One line of the rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FreshnessRule {
    /// Only entries of this source.
    pub source: Option<SourceId>,
    /// Only these symbols.
    pub symbols: Option<SymbolPattern>,
    /// How long they live, if it says so.
    pub ttl: Option<TimeToLive>,
    /// Their market, if it says so.
    pub exchange: Option<Exchange>,
}

impl FreshnessRule {
    /// Reads a rule of the settings.
    fn read(rule: &TtlRule, settings: &Settings) -> Result<Self, String> {
        if let Some(field) = rule.unknown_field() {
            return Err(format!("`{field}` is no field of a rule ({} are)", TtlRule::FIELDS.join(", ")));
        }
        let read = Self {
            source: rule.get("source").map(|text| source_id(text, settings)),
            symbols: rule.get("symbols").map(SymbolPattern::new),
            ttl: rule.get("ttl").map(TimeToLive::parse).transpose().map_err(|error| error.to_string())?,
            exchange: rule.get("exchange").map(read_exchange).transpose()?,
        };
        if read.ttl.is_none() && read.exchange.is_none() {
            return Err("it says neither `ttl` nor `exchange`".to_owned());
        }
        Ok(read)
    }

    fn fits(&self, source: &SourceId, symbol: &Symbol) -> bool {
        self.source.as_ref().is_none_or(|only| only == source) && self.symbols.as_ref().is_none_or(|pattern| pattern.fits(symbol))
    }

    fn fits_whole_source(&self, source: &SourceId) -> bool {
        self.symbols.is_none() && self.source.as_ref().is_none_or(|only| only == source)
    }
}

/// The identity of a source of this name; of a text that is no name, the text as an identity.
fn source_id(text: &str, settings: &Settings) -> SourceId {
    let named = settings.sources.iter().find(|source| source.name == text);
    named.and_then(|source| SourceUrl::parse(&source.url).ok()).map_or_else(|| SourceId::new(text), |url| url.id())
}

fn read_exchange(text: &str) -> Result<Exchange, String> {
    Exchange::parse(text).ok_or_else(|| {
        let known: Vec<&str> = Exchange::all().map(Exchange::code).collect();
        format!("`{text}` is no known exchange ({} are)", known.join(", "))
    })
}

impl std::fmt::Display for FreshnessRule {
    /// For which entries, and what holds for them: `*.HK of market: market-close, Hong Kong`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let symbols = self.symbols.as_ref().map_or("every symbol", SymbolPattern::as_str);
        let source = self.source.as_ref().map(|source| format!(" of {source}")).unwrap_or_default();
        let ttl = self.ttl.map(|ttl| ttl.to_string());
        let what: Vec<String> = ttl.into_iter().chain(self.exchange.map(|exchange| exchange.name().to_owned())).collect();
        write!(formatter, "{symbols}{source}: {}", what.join(", "))
    }
}

/// How long entries live, by source and symbol.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FreshnessRules {
    default_ttl: TimeToLive,
    rules: Vec<FreshnessRule>,
}

impl FreshnessRules {
    /// These rules, and a time to live where none of them names one.
    #[must_use]
    pub fn new(default_ttl: TimeToLive, rules: Vec<FreshnessRule>) -> Self {
        Self { default_ttl, rules }
    }

    /// The rules of the settings: theirs in their order, then the sources' exchanges. What cannot be used is left out; returned
    /// with it is why, for each.
    #[must_use]
    pub fn of_settings(default_ttl: TimeToLive, settings: &Settings) -> (Self, Vec<String>) {
        let mut problems = Vec::new();
        let mut rules = Vec::new();
        for (place, rule) in settings.ttl_rules.iter().enumerate() {
            match FreshnessRule::read(rule, settings) {
                Ok(rule) => rules.push(rule),
                Err(problem) => problems.push(format!("Rule {} for times to live in the settings is not used: {problem}", place + 1)),
            }
        }
        for source in &settings.sources {
            match source.exchange.as_deref().map(read_exchange).transpose() {
                Ok(None) => {}
                Ok(exchange) => {
                    let source = Some(source_id(&source.name, settings));
                    rules.push(FreshnessRule { source, exchange, ..FreshnessRule::default() });
                }
                Err(problem) => problems.push(format!("The exchange of the source {} in the settings is not used: {problem}", source.name)),
            }
        }
        (Self::new(default_ttl, rules), problems)
    }

    /// The same exchanges, with one time to live for everything.
    #[must_use]
    pub fn with_ttl(mut self, ttl: TimeToLive) -> Self {
        self.default_ttl = ttl;
        self.rules.retain(|rule| rule.exchange.is_some());
        for rule in &mut self.rules {
            rule.ttl = None;
        }
        self
    }

    /// The time to live where no rule names one.
    #[must_use]
    pub fn default_ttl(&self) -> TimeToLive {
        self.default_ttl
    }

    /// The rules in their order.
    #[must_use]
    pub fn rules(&self) -> &[FreshnessRule] {
        &self.rules
    }

    /// What holds for a symbol of a source.
    #[must_use]
    pub fn rule_of(&self, source: &SourceId, symbol: &Symbol) -> Rule {
        let fitting = || self.rules.iter().filter(|rule| rule.fits(source, symbol));
        let ttl = fitting().find_map(|rule| rule.ttl).unwrap_or(self.default_ttl);
        let exchange = fitting().find_map(|rule| rule.exchange).unwrap_or_else(|| guessed_exchange(symbol.as_str(), ttl));
        Rule { ttl, exchange }
    }

    /// What holds for a source's list of symbols.
    #[must_use]
    pub fn rule_of_list(&self, source: &SourceId) -> Rule {
        let fitting = || self.rules.iter().filter(|rule| rule.fits_whole_source(source));
        Rule {
            ttl: fitting().find_map(|rule| rule.ttl).unwrap_or(self.default_ttl),
            exchange: fitting().find_map(|rule| rule.exchange).unwrap_or_default(),
        }
    }
}

impl From<TimeToLive> for FreshnessRules {
    fn from(ttl: TimeToLive) -> Self {
        Self::new(ttl, Vec::new())
    }
}

/// The market a symbol looks like.
///
/// Plain letters are taken for New York only where a close is asked for: almost every source uses them for something, and a
/// day that ends at midnight UTC is safe for all of them.
fn guessed_exchange(symbol: &str, ttl: TimeToLive) -> Exchange {
    let upper = symbol.to_ascii_uppercase();
    if upper.len() == 6 && upper.bytes().all(|byte| byte.is_ascii_digit()) {
        return Exchange::Shanghai;
    }
    let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let with_stable_coin = ["USDT", "USDC"].iter().any(|coin| upper.strip_suffix(coin).is_some_and(is_plain));
    let is_quote = |text: &str| matches!(text, "USD" | "USDT" | "USDC" | "EUR" | "GBP" | "JPY" | "BTC" | "ETH");
    let is_pair = upper.split_once(['-', '/']).is_some_and(|(base, quote)| is_plain(base) && is_quote(quote));
    if is_pair || with_stable_coin {
        return Exchange::Continuous;
    }
    if let Some((_, ending)) = upper.rsplit_once('.') {
        match ending {
            "SH" | "SS" | "SZ" => return Exchange::Shanghai,
            "HK" => return Exchange::HongKong,
            "L" => return Exchange::London,
            "DE" | "F" => return Exchange::Frankfurt,
            "T" => return Exchange::Tokyo,
            "KS" | "KQ" => return Exchange::Seoul,
            "ME" => return Exchange::Moscow,
            "US" => return Exchange::NewYork,
            _ => {}
        }
    }
    let (root, class) = upper.split_once(['.', '-', '/']).unwrap_or((&upper, "A"));
    let letters = |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase());
    if ttl == TimeToLive::MarketClose && letters(root, 5) && letters(class, 1) { Exchange::NewYork } else { Exchange::Unknown }
}

/// Decides on states.
#[derive(Debug, Clone, Default)]
pub struct Judge {
    /// How long entries live.
    pub rules: FreshnessRules,
    /// What the sets' features are today.
    pub definitions: Definitions,
}

impl Judge {
    /// A judge by these rules and definitions.
    #[must_use]
    pub fn new(rules: impl Into<FreshnessRules>, definitions: Definitions) -> Self {
        Self { rules: rules.into(), definitions }
    }

    /// What holds for an entry.
    #[must_use]
    pub fn rule_of(&self, key: &EntryKey) -> Rule {
        self.rules.rule_of(&key.source, &key.symbol)
    }

    /// The state of an entry; `bars_fingerprint` is that of the symbol's bars cached now, if there are any.
    #[must_use]
    pub fn state(&self, entry: Option<&Entry>, key: &EntryKey, bars_fingerprint: Option<u128>, now_us: i64) -> EntryState {
        let (definition, bars_fingerprint) = match &key.dataset {
            Dataset::Bars => (None, None),
            Dataset::Features(set) => (self.definitions.get(set).copied(), bars_fingerprint),
            // It is what it was.
            Dataset::Older(_) => return state_of(entry.map(as_pinned).as_ref(), &Policy::ageless(now_us)),
        };
        state_of(entry, &Policy { now_us, rule: self.rule_of(key), definition, bars_fingerprint })
    }

    /// The exchanges of these entries whose holidays are not known any more at `now_us`.
    #[must_use]
    pub fn calendars_over<'key>(&self, keys: impl IntoIterator<Item = &'key EntryKey>, now_us: i64) -> BTreeSet<Exchange> {
        let today = date_of(now_us);
        let used: BTreeSet<Exchange> = keys.into_iter().map(|key| self.rule_of(key).exchange).collect();
        used.into_iter().filter(|exchange| exchange.coverage_end().is_some_and(|end| end < today)).collect()
    }

    /// When an entry stops being fresh, if nothing else happens to it; `None` for pinned entries, those without a file, and older
    /// versions.
    #[must_use]
    pub fn expires_at_us(&self, entry: &Entry) -> Option<i64> {
        if entry.key.dataset.is_older() { None } else { expires_at_us(entry, self.rule_of(&entry.key)) }
    }
}

/// An older version as the decision sees it: it neither ages nor was it ever marked as not fresh.
pub(super) fn as_pinned(entry: &Entry) -> Entry {
    Entry { pinned: true, invalidated_at_us: None, failure: None, ..entry.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(source: Option<&str>, symbols: Option<&str>, ttl: Option<TimeToLive>, exchange: Option<Exchange>) -> FreshnessRule {
        FreshnessRule { source: source.map(SourceId::new), symbols: symbols.map(SymbolPattern::new), ttl, exchange }
    }

    #[test]
    fn patterns_fit_whole_symbols() {
        for (pattern, text, expected) in [
            ("*.HK", "0700.HK", true),
            ("*.hk", "0700.HK", true),
            ("*.HK", "0700.HKX", false),
            ("*", "", true),
            ("", "", true),
            ("", "A", false),
            ("A?C", "ABC", true),
            ("A?C", "AC", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "abab", true),
            ("*a*b", "aba", false),
            ("株*", "株式", true),
            ("**", "ß", true),
        ] {
            assert_eq!(SymbolPattern::new(pattern).fits(&Symbol::new(text)), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn the_first_rule_that_says_something_is_followed() {
        let rules = FreshnessRules::new(
            TimeToLive::hours(24),
            vec![
                rule(Some("own"), Some("*.HK"), None, Some(Exchange::London)),
                rule(None, Some("*.HK"), Some(TimeToLive::MarketClose), None),
                rule(Some("own"), None, Some(TimeToLive::hours(1)), Some(Exchange::Tokyo)),
            ],
        );
        let of = |source: &str, symbol: &str| {
            let rule = rules.rule_of(&SourceId::new(source), &Symbol::new(symbol));
            (rule.ttl, rule.exchange)
        };
        assert_eq!(of("own", "0700.HK"), (TimeToLive::MarketClose, Exchange::London));
        assert_eq!(of("other", "0700.HK"), (TimeToLive::MarketClose, Exchange::HongKong));
        assert_eq!(of("own", "AAPL"), (TimeToLive::hours(1), Exchange::Tokyo));
        assert_eq!(of("other", "AAPL"), (TimeToLive::hours(24), Exchange::Unknown));
        let told = rules.clone().with_ttl(TimeToLive::hours(7)).rule_of(&SourceId::new("own"), &Symbol::new("0700.HK"));
        assert_eq!((told.ttl, told.exchange), (TimeToLive::hours(7), Exchange::London));
        let list = rules.rule_of_list(&SourceId::new("own"));
        assert_eq!((list.ttl, list.exchange), (TimeToLive::hours(1), Exchange::Tokyo));
    }

    #[test]
    fn rules_of_the_settings_are_read_and_wrong_ones_explained() {
        let url = "sqlite:market.db";
        let text = format!(
            "[[sources]]\nname = \"mine\"\nurl = \"{url}\"\nexchange = \"Tokyo\"\n\
             [[sources]]\nname = \"other\"\nurl = \"sample:\"\nexchange = \"Atlantis\"\n\
             [[ttl_rules]]\nsource = \"mine\"\nsymbols = \"*.HK\"\nttl = \"market-close\"\nexchange = \"XHKG\"\n\
             [[ttl_rules]]\nsymbol = \"*.HK\"\nttl = \"1h\"\n\
             [[ttl_rules]]\nttl = \"soon\"\n\
             [[ttl_rules]]\nsymbols = \"*\"\n\
             [[ttl_rules]]\nsource = \"sample\"\nttl = \"1h\"\n"
        );
        let settings: Settings = toml::from_str(&text).expect("settings");
        let (rules, problems) = FreshnessRules::of_settings(TimeToLive::hours(24), &settings);
        for (problem, words) in problems.iter().zip([
            ["Rule 2", "`symbol`", "symbols"],
            ["Rule 3", "`soon`", "market-close"],
            ["Rule 4", "neither", "exchange"],
            ["source other", "`Atlantis`", "XNYS"],
        ]) {
            assert!(words.iter().all(|word| problem.contains(word)), "{problem} should say {words:?}");
        }
        assert_eq!(problems.len(), 4, "{problems:?}");
        let id = SourceUrl::parse(url).expect("url").id();
        let told: Vec<String> = rules.rules().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                format!("*.HK of {id}: market-close, Hong Kong"),
                "every symbol of sample: 1h".to_owned(),
                format!("every symbol of {id}: Tokyo")
            ]
        );
        let of = |source: &SourceId, symbol: &str| {
            let rule = rules.rule_of(source, &Symbol::new(symbol));
            (rule.ttl, rule.exchange)
        };
        assert_eq!(of(&id, "0700.HK"), (TimeToLive::MarketClose, Exchange::HongKong));
        assert_eq!(of(&id, "7203"), (TimeToLive::hours(24), Exchange::Tokyo));
        assert_eq!(of(&SourceId::new("sample"), "A"), (TimeToLive::hours(1), Exchange::Unknown));
    }

    #[test]
    fn symbols_show_their_market() {
        use Exchange::{Continuous, Frankfurt, HongKong, London, Moscow, NewYork, Seoul, Shanghai, Tokyo, Unknown};
        for (symbol, by_hours, by_close) in [
            ("000001", Shanghai, Shanghai),
            ("600519.SH", Shanghai, Shanghai),
            ("000001.sz", Shanghai, Shanghai),
            ("0700.HK", HongKong, HongKong),
            ("VOD.L", London, London),
            ("SAP.DE", Frankfurt, Frankfurt),
            ("7203.T", Tokyo, Tokyo),
            ("005930.KS", Seoul, Seoul),
            ("SBER.ME", Moscow, Moscow),
            ("BTC-USD", Continuous, Continuous),
            ("ETH/USDT", Continuous, Continuous),
            ("SOLUSDT", Continuous, Continuous),
            ("AAPL", Unknown, NewYork),
            ("BRK.B", Unknown, NewYork),
            ("BRK-B", Unknown, NewYork),
            ("AAPL.US", NewYork, NewYork),
            ("^GSPC", Unknown, Unknown),
            ("S001", Unknown, Unknown),
            ("", Unknown, Unknown),
        ] {
            assert_eq!(guessed_exchange(symbol, TimeToLive::hours(24)), by_hours, "{symbol}");
            assert_eq!(guessed_exchange(symbol, TimeToLive::MarketClose), by_close, "{symbol}");
        }
    }
}
