//! What `get` is asked for: bars, a set's features, an older version of them, or formulas that are computed on the spot.

use super::arguments::GetOptions;
use super::failure::usage;
use super::formulas::names_of;
use super::session::Session;
use super::sets::marked;
use crate::cache::{Cache, Content, Dataset, EntryKey, VERSION_MARK, batch_in};
use crate::feature::{self, Definition, DefinitionHash, FeatureSet, Helper, Precision, SetParts};
use crate::market::Symbol;
use crate::source::SourceId;
use anyhow::anyhow;
use arrow::array::RecordBatch;
use std::sync::Arc;

/// The set where none is named.
const USUAL_SET: &str = "classic";

/// What is asked for.
#[derive(Debug)]
pub(super) enum Wanted {
    /// Bars.
    Bars,
    /// A set's features.
    Set(FeatureSet),
    /// What a definition computed once.
    Version { set: String, definition: DefinitionHash, precision: Precision },
    /// These columns of a set that is made for this.
    Formulas { set: FeatureSet, places: Vec<usize> },
}

impl Wanted {
    /// Reads the arguments; only versions need the cache.
    pub(super) fn new(session: &Session<'_>, options: &GetOptions, open: impl FnOnce() -> anyhow::Result<Cache>) -> anyhow::Result<Self> {
        if options.bars {
            return Ok(Self::Bars);
        }
        if !options.formulas.is_empty() {
            return formulas(session, options);
        }
        let name = options.set.as_deref().unwrap_or(USUAL_SET);
        let Some((set, digits)) = name.split_once(VERSION_MARK) else { return Ok(Self::Set(session.library.need(name)?)) };
        if options.force {
            return Err(usage(
                "an older version is as it is and cannot be refreshed; leave --force out, or name the set without a version",
            ));
        }
        let cache = open()?;
        let known = cache.set_versions()?;
        let definition = session.version_named(&known, set, digits)?;
        let of_version =
            known.iter().map(|facts| &facts.record.version).find(|version| *version.set == *set && version.definition == definition);
        let precision = of_version.map_or(Precision::F64, |version| version.precision);
        Ok(Self::Version { set: set.to_owned(), definition, precision })
    }

    /// What has to be cached for it, or fetched first.
    pub(super) fn dataset(&self) -> Dataset {
        match self {
            Self::Bars | Self::Formulas { .. } => Dataset::Bars,
            Self::Set(set) => Dataset::features(set.name()),
            Self::Version { set, definition, .. } => Dataset::older(set, *definition),
        }
    }

    /// The set to be brought to fresh, if one is.
    pub(super) fn set(&self) -> Option<&FeatureSet> {
        match self {
            Self::Set(set) => Some(set),
            _ => None,
        }
    }

    /// Where an older version is cached; `None` for everything else.
    pub(super) fn version(&self, cache: &Cache, source: &SourceId, symbol: &Symbol) -> anyhow::Result<Option<EntryKey>> {
        let Self::Version { set, definition, .. } = self else { return Ok(None) };
        let key = cache.entry_of_version(source, symbol, set, *definition)?;
        key.map(Some).ok_or_else(|| {
            anyhow!("nothing of {set}{VERSION_MARK}{definition} is cached for {symbol}; `samovar sets show {set} --versions` tells of which versions there is something")
        })
    }

    /// All rows as a batch: columns of the bars, then features in the order that their set has now.
    pub(super) fn batch(&self, content: &Content) -> anyhow::Result<RecordBatch> {
        match self {
            Self::Bars => Ok(batch_in(content, Precision::F64)?),
            Self::Version { precision, .. } => Ok(batch_in(content, *precision)?),
            Self::Set(set) => in_order(batch_in(content, set.precision())?, set),
            Self::Formulas { set, places } => {
                let (table, _) = feature::compute_some(set, places, content.bars(), 0);
                Ok(batch_in(&Content::Features { bars: Arc::clone(content.bars()), table: Arc::new(table) }, Precision::F64)?)
            }
        }
    }
}

/// The columns in the order of the set; the order in a file is that of the set when it was written.
fn in_order(batch: RecordBatch, set: &FeatureSet) -> anyhow::Result<RecordBatch> {
    let schema = batch.schema();
    let rank = |place: &usize| schema.fields().get(*place).and_then(|field| set.place(field.name())).map_or(0, |place| place + 1);
    let mut places: Vec<usize> = (0..schema.fields().len()).collect();
    // Columns that are none of the set's stay in front, as they are.
    places.sort_by_key(rank);
    Ok(batch.project(&places)?)
}

fn formulas(session: &Session<'_>, options: &GetOptions) -> anyhow::Result<Wanted> {
    let read = names_of(&options.formulas)?;
    let mut parts = SetParts { name: "formulas".to_owned(), ..SetParts::default() };
    if let Some(name) = &options.set {
        // Formulas may use what the set has, which is in its warm-up then, unless another is asked for.
        let set = session.library.need(name)?;
        let features = set.definitions().iter().map(|feature| Helper { name: feature.name.to_string(), formula: feature.formula.clone() });
        parts.helpers = set.parts().helpers.iter().cloned().chain(features).collect();
        parts.helpers.retain(|helper| !read.iter().any(|formula| formula.name == helper.name));
        parts.warm_up = set.warm_up();
    }
    if let Some(warmup) = options.warmup {
        parts.warm_up = warmup.meant();
    }
    parts.features = read.iter().map(|formula| Definition::of_formula(&*formula.name, &*formula.text)).collect();
    let set = FeatureSet::of_parts(parts).map_err(|mistakes| {
        let told: Vec<String> = mistakes.iter().map(|mistake| marked(&read, mistake)).collect();
        anyhow!("{}", told.join("\n").trim_end().to_owned())
    })?;
    let places = (0..set.definitions().len()).collect();
    Ok(Wanted::Formulas { set, places })
}
