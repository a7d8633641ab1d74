//! What is wrong, or at least worth a look, in the bars of one symbol: each place with its date and value.
//!
//! Not [`super::Quality`], which counts what was noticed in raw rows while they became bars: the rows that were left out are
//! gone, and only their number is known. Here the bars that are left are judged, and each finding has a place on the chart.
//! Nothing is changed and nothing is mended.
//!
//! Contract: pure functions of bars and [`MarketDays`]; findings are in the order of time. The rules:
//! - a *gap* is a run of expected sessions without a bar, a *halt* one of [`HALT_SESSIONS`] or more, or as many bars in a row
//!   without volume;
//! - *zero volume* is a shorter run of bars without volume, where the symbol has volumes at all;
//! - a *broken range* is a high below, or a low above, another price of the same bar;
//! - an *outlier* is a logarithmic return r = ln(close / close before) with |r − median| > [`OUTLIER_DEVIATIONS`] · 1.4826 · MAD,
//!   where MAD is the median of |r − median| over all returns of the symbol. 1.4826 · MAD is the standard deviation of a normal
//!   distribution, and unlike the standard deviation it is not moved by the outliers themselves. With fewer than
//!   [`FEWEST_RETURNS`] returns, or where most returns are equal, nothing is called an outlier.

mod days;
#[cfg(test)]
mod tests;
mod words;

pub use days::{Expected, MarketDays};

use super::bars::Bars;
use super::time::{DAY_US, micros_of_date};
use serde::{Deserialize, Serialize};

/// From so many sessions in a row on, nothing being traded is a halt.
pub const HALT_SESSIONS: usize = 10;
/// How far a return must be from the median to be an outlier, in robust standard deviations.
pub const OUTLIER_DEVIATIONS: f64 = 12.0;
/// Fewest returns to judge outliers by.
pub const FEWEST_RETURNS: usize = 30;
/// What makes a median of absolute deviations a standard deviation, for a normal distribution.
const MAD_TO_SIGMA: f64 = 1.4826;

/// What a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Expected sessions without a bar.
    Gap,
    /// Nothing was traded for long: no bars, or bars without volume.
    Halt,
    /// A high below, or a low above, another price of the bar.
    BrokenRange,
    /// A price of zero or below.
    NonPositive,
    /// A return far from all others.
    Outlier,
    /// Bars without volume.
    ZeroVolume,
}

/// One place where something is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// Time of its first bar or missing session.
    pub from_us: i64,
    /// Time of its last one.
    pub to_us: i64,
    /// Bars, or missing sessions.
    pub count: usize,
    /// What shows it: the price that breaks the range or is not positive, or the return as a ratio less one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Sessions that other symbols of the market have a bar of; what is left may be a hole in all of the source.
    pub others_have: usize,
    /// Whether an outlier was taken back by the next bar, as a wrong price is; a split or a crash is not.
    pub reverts: bool,
}

impl Finding {
    fn at(kind: FindingKind, time_us: i64, value: Option<f64>) -> Self {
        Self { kind, from_us: time_us, to_us: time_us, count: 1, value, others_have: 0, reverts: false }
    }

    /// Whether bars are missing here, so that there is nothing to point at but a place between bars.
    #[must_use]
    pub fn is_hole(&self) -> bool {
        self.kind == FindingKind::Gap || (self.kind == FindingKind::Halt && self.value.is_none())
    }
}

/// How much was found; what is kept of every symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FindingCounts {
    /// Runs of missing sessions.
    pub gaps: u32,
    /// Missing sessions in these runs.
    pub missing_sessions: u32,
    /// Long runs without trading.
    pub halts: u32,
    /// Missing sessions in these runs.
    pub halted_sessions: u32,
    /// Bars with a broken range.
    pub broken_range: u32,
    /// Bars with a price of zero or below.
    pub non_positive: u32,
    /// Outliers.
    pub outliers: u32,
    /// Bars without volume, those of halts left out.
    pub zero_volume: u32,
}

impl FindingCounts {
    /// Counts findings.
    #[must_use]
    pub fn of(findings: &[Finding]) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            let bars = u32::try_from(finding.count).unwrap_or(u32::MAX);
            match finding.kind {
                FindingKind::Gap => {
                    counts.gaps += 1;
                    counts.missing_sessions += bars;
                }
                FindingKind::Halt => {
                    counts.halts += 1;
                    if finding.is_hole() {
                        counts.halted_sessions += bars;
                    }
                }
                FindingKind::BrokenRange => counts.broken_range += bars,
                FindingKind::NonPositive => counts.non_positive += bars,
                FindingKind::Outlier => counts.outliers += bars,
                FindingKind::ZeroVolume => counts.zero_volume += bars,
            }
        }
        counts
    }

    /// Everything together, gaps and halts as one each.
    #[must_use]
    pub fn total(&self) -> u64 {
        [self.gaps, self.halts, self.broken_range, self.non_positive, self.outliers, self.zero_volume].into_iter().map(u64::from).sum()
    }

    /// How much of one kind: gaps and halts as runs, the rest as bars.
    #[must_use]
    pub fn of_kind(&self, kind: FindingKind) -> u32 {
        match kind {
            FindingKind::Gap => self.gaps,
            FindingKind::Halt => self.halts,
            FindingKind::BrokenRange => self.broken_range,
            FindingKind::NonPositive => self.non_positive,
            FindingKind::Outlier => self.outliers,
            FindingKind::ZeroVolume => self.zero_volume,
        }
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

/// Everything that is worth a look in a symbol's bars, in the order of time.
#[must_use]
pub fn examine(bars: &Bars, days: &MarketDays) -> Vec<Finding> {
    let mut findings = holes(bars, days);
    findings.extend(prices(bars));
    findings.extend(outliers(bars));
    findings.extend(without_volume(bars));
    findings.sort_by_key(|finding| (finding.from_us, finding.kind));
    findings
}

/// Expected sessions between the first and the last bar that have none, as runs.
fn holes(bars: &Bars, days: &MarketDays) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut previous: Option<i64> = None;
    for time_us in &bars.time_us {
        let day = time_us.div_euclid(DAY_US);
        if let Some(previous) = previous
            && day - previous > 1
        {
            findings.extend(hole(days, previous + 1, day));
        }
        previous = Some(day);
    }
    findings
}

/// The expected sessions of some days as one run, if there are any.
fn hole(days: &MarketDays, from_day: i64, to_day: i64) -> Option<Finding> {
    let mut found: Option<Finding> = None;
    for expected in days.expected(from_day, to_day) {
        let time_us = micros_of_date(expected.day);
        let finding = found.get_or_insert(Finding { count: 0, ..Finding::at(FindingKind::Gap, time_us, None) });
        finding.to_us = time_us;
        finding.count += 1;
        finding.others_have += usize::from(expected.others_have);
    }
    let mut finding = found?;
    if finding.count >= HALT_SESSIONS {
        finding.kind = FindingKind::Halt;
    }
    Some(finding)
}

/// Bars whose prices cannot be.
fn prices(bars: &Bars) -> Vec<Finding> {
    let mut findings = Vec::new();
    let columns = bars.time_us.iter().zip(&bars.open).zip(&bars.high).zip(&bars.low).zip(&bars.close);
    for ((((time_us, open), high), low), close) in columns {
        let lowest = open.min(*close).min(*high).min(*low);
        let highest = open.max(*close).max(*low);
        if lowest <= 0.0 {
            findings.push(Finding::at(FindingKind::NonPositive, *time_us, Some(lowest)));
        }
        if *high < highest {
            findings.push(Finding::at(FindingKind::BrokenRange, *time_us, Some(*high)));
        } else if *low > lowest {
            findings.push(Finding::at(FindingKind::BrokenRange, *time_us, Some(*low)));
        }
    }
    findings
}

/// The median of values that are sorted by this; `None` of none.
fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let (_, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = values.get(..middle)?.iter().copied().max_by(f64::total_cmp)?;
    Some(f64::midpoint(lower, upper))
}

/// Returns far from all others.
fn outliers(bars: &Bars) -> Vec<Finding> {
    let returns: Vec<f64> =
        bars.close.windows(2).map(|pair| if let [before, now] = pair { (now / before).ln() } else { f64::NAN }).collect();
    let mut usable: Vec<f64> = returns.iter().copied().filter(|value| value.is_finite()).collect();
    if usable.len() < FEWEST_RETURNS {
        return Vec::new();
    }
    let Some(center) = median(&mut usable) else { return Vec::new() };
    for value in &mut usable {
        *value = (*value - center).abs();
    }
    let Some(limit) = median(&mut usable).map(|mad| OUTLIER_DEVIATIONS * MAD_TO_SIGMA * mad).filter(|limit| *limit > 0.0) else {
        return Vec::new();
    };
    let far = |value: f64| value.is_finite() && (value - center).abs() > limit;
    let mut findings = Vec::new();
    let mut skip = false;
    for (place, value) in returns.iter().enumerate() {
        if std::mem::take(&mut skip) || !far(*value) {
            continue;
        }
        let next = returns.get(place + 1).copied().unwrap_or(0.0);
        // There and back again is one wrong price, not two events.
        let reverts = far(next) && (next + value).abs() <= limit;
        skip = reverts;
        if let Some(time_us) = bars.time_us.get(place + 1) {
            findings.push(Finding { reverts, ..Finding::at(FindingKind::Outlier, *time_us, Some(value.exp() - 1.0)) });
        }
    }
    findings
}

/// Runs of bars without volume; none for symbols without any volume, such as indices.
fn without_volume(bars: &Bars) -> Vec<Finding> {
    if bars.volume.iter().all(|volume| *volume == 0.0) {
        return Vec::new();
    }
    let mut findings: Vec<Finding> = Vec::new();
    let mut in_run = false;
    for (time_us, volume) in bars.time_us.iter().zip(&bars.volume) {
        if *volume > 0.0 {
            in_run = false;
            continue;
        }
        match findings.last_mut().filter(|_| in_run) {
            Some(run) => {
                run.to_us = *time_us;
                run.count += 1;
            }
            None => findings.push(Finding::at(FindingKind::ZeroVolume, *time_us, Some(*volume))),
        }
        in_run = true;
    }
    for run in &mut findings {
        // Of bars within a day, an hour without trade is nothing unusual.
        let days = run.to_us.div_euclid(DAY_US) - run.from_us.div_euclid(DAY_US) + 1;
        if run.count >= HALT_SESSIONS && usize::try_from(days).is_ok_and(|days| days >= HALT_SESSIONS) {
            run.kind = FindingKind::Halt;
        }
    }
    findings
}
