//! The footer's own key-value pairs: facts as text and back. The seal among them is [`super::seal`]'s.

use super::{ENCODER, FORMAT, Footer, YearList, seal};
use crate::cache::entry::{Dataset, EntryKey, Provenance};
use crate::feature::{DefinitionHash, ENGINE_VERSION, Precision};
use crate::market::{DateRange, Resolution, Symbol, parse_date};
use crate::source::SourceId;
use parquet::file::metadata::KeyValue;

/// The format whose seal covers the pairs only.
const PAIRS_SEALED: &str = "1";

/// What the pairs of a file say.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The facts.
    pub footer: Footer,
    /// Daily, or with a time of day.
    pub resolution: Resolution,
    /// The fingerprint that was written.
    pub fingerprint: u128,
    /// Whether the seal covers the whole file, not only the pairs.
    pub seals_file: bool,
}

/// The pairs, the seal last and not yet filled in.
pub fn pairs(footer: &Footer, fingerprint: u128, resolution: Resolution) -> Vec<KeyValue> {
    let mut pairs = vec![
        ("samovar.format", FORMAT.to_owned()),
        ("samovar.source", footer.key.source.as_str().to_owned()),
        ("samovar.symbol", footer.key.symbol.as_str().to_owned()),
        ("samovar.dataset", footer.key.dataset.name().to_owned()),
        ("samovar.resolution", if resolution == Resolution::Daily { "daily" } else { "intraday" }.to_owned()),
        ("samovar.fingerprint", format!("{fingerprint:032x}")),
        ("samovar.engine_version", ENGINE_VERSION.to_owned()),
        ("samovar.encoder", ENCODER.to_owned()),
        ("samovar.fetched_at_us", footer.fetched_at_us.to_string()),
    ];
    // Every append writes the footer again: what says nothing is left out.
    if !footer.quality.is_clean() {
        pairs.push(("samovar.quality", serde_json::to_string(&footer.quality).unwrap_or_default()));
    }
    if let Some(provenance) = &footer.provenance {
        pairs.push(("samovar.definition_hash", format!("{:032x}", provenance.definition.value())));
        pairs.push(("samovar.inputs_fingerprint", format!("{:032x}", provenance.inputs)));
    }
    if let Some(start) = footer.range.start {
        pairs.push(("samovar.range_start", start.to_string()));
    }
    if let Some(end) = footer.range.end {
        pairs.push(("samovar.range_end", end.to_string()));
    }
    if let Some(synced) = footer.synced.as_ref().and_then(|synced| serde_json::to_string(synced).ok()) {
        pairs.push(("samovar.synced", synced));
    }
    if let Some(provisional_from_us) = footer.provisional_from_us {
        pairs.push(("samovar.provisional_from_us", provisional_from_us.to_string()));
    }
    if footer.cost_us > 0 {
        pairs.push(("samovar.cost_us", footer.cost_us.to_string()));
    }
    if let Some(state) = &footer.state {
        pairs.push(("samovar.state", state.clone()));
    }
    if footer.precision != Precision::F64 {
        pairs.push(("samovar.precision", footer.precision.key().to_owned()));
    }
    if let Some(rounding) = footer.rounding {
        pairs.push(("samovar.rounding", rounding.to_string()));
    }
    if let Some(years) = &footer.years {
        pairs.push(("samovar.year", years.year.to_string()));
        let all: Vec<String> = years.all.iter().map(|(year, fingerprint)| format!("{year}:{fingerprint:032x}")).collect();
        pairs.push(("samovar.years", all.join(" ")));
    }
    pairs.push((seal::KEY, seal::PLACEHOLDER.to_owned()));
    pairs.into_iter().map(|(key, value)| KeyValue::new(key.to_owned(), value)).collect()
}

/// Reads the pairs. The seal of format 1 is checked here, that of the whole file is not.
///
/// # Errors
/// When they are not ours, or say nonsense.
pub fn parse(metadata: &[KeyValue]) -> Result<Parsed, String> {
    let own: Vec<(&str, &str)> = metadata
        .iter()
        .filter(|pair| pair.key.starts_with("samovar."))
        .map(|pair| (pair.key.as_str(), pair.value.as_deref().unwrap_or_default()))
        .collect();
    let find = |key: &str| own.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
    let need = |key: &str| find(key).ok_or_else(|| format!("the footer has no {key}"));
    let format = need("samovar.format")?;
    let written = need(seal::KEY)?;
    if format == PAIRS_SEALED {
        if written != seal::of_pairs(own.iter().filter(|(key, _)| *key != seal::KEY).copied()) {
            return Err("the footer does not match its seal".to_owned());
        }
    } else if format != FORMAT {
        return Err("the footer has an unknown format".to_owned());
    }
    let hash = |key: &str| find(key).and_then(|text| u128::from_str_radix(text, 16).ok());
    let provenance = match (hash("samovar.definition_hash"), hash("samovar.inputs_fingerprint")) {
        (Some(definition), Some(inputs)) => Some(Provenance { definition: DefinitionHash::from(definition), inputs }),
        _ => None,
    };
    let footer = Footer {
        key: EntryKey {
            source: SourceId::new(need("samovar.source")?),
            symbol: Symbol::new(need("samovar.symbol")?),
            dataset: Dataset::from_name(need("samovar.dataset")?),
        },
        provenance,
        range: DateRange { start: find("samovar.range_start").and_then(parse_date), end: find("samovar.range_end").and_then(parse_date) },
        fetched_at_us: need("samovar.fetched_at_us")?.parse().map_err(|_error| "the footer's fetch time is no number".to_owned())?,
        quality: find("samovar.quality").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
        synced: find("samovar.synced").and_then(|text| serde_json::from_str(text).ok()),
        provisional_from_us: find("samovar.provisional_from_us").and_then(|text| text.parse().ok()),
        cost_us: find("samovar.cost_us").and_then(|text| text.parse().ok()).unwrap_or(0),
        state: find("samovar.state").map(str::to_owned),
        precision: if find("samovar.precision") == Some(Precision::F32.key()) { Precision::F32 } else { Precision::F64 },
        rounding: find("samovar.rounding").and_then(|text| text.parse().ok()),
        years: find("samovar.year").zip(find("samovar.years")).and_then(|(year, all)| years(year, all)),
    };
    let resolution = if need("samovar.resolution")? == "daily" { Resolution::Daily } else { Resolution::Intraday };
    let fingerprint = hash("samovar.fingerprint").ok_or_else(|| "the footer has no fingerprint".to_owned())?;
    Ok(Parsed { footer, resolution, fingerprint, seals_file: format == FORMAT })
}

/// The years of an entry as they are written.
fn years(year: &str, all: &str) -> Option<YearList> {
    let one = |text: &str| {
        let (year, fingerprint) = text.rsplit_once(':')?;
        Some((year.parse().ok()?, u128::from_str_radix(fingerprint, 16).ok()?))
    };
    Some(YearList { year: year.parse().ok()?, all: all.split(' ').map(one).collect::<Option<_>>()? })
}
