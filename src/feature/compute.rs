//! Computing a set over bars. Skeleton: every column is null until the kernels are in.

use super::{FeatureSet, FeatureTable};
use crate::market::Bars;
use std::sync::Arc;

/// All features of a set over bars.
#[must_use]
pub fn compute(set: &FeatureSet, bars: &Bars) -> FeatureTable {
    FeatureTable {
        resolution: bars.resolution,
        time_us: bars.time_us.clone(),
        names: set.definitions().iter().map(|definition| Arc::clone(&definition.name)).collect(),
        columns: set.definitions().iter().map(|_| vec![f64::NAN; bars.len()]).collect(),
    }
}
