//! Findings in words, in the language of the thread.

use super::{Finding, FindingKind, HALT_SESSIONS, OUTLIER_DEVIATIONS};
use crate::format;
use crate::{tr, tr_n};

impl FindingKind {
    /// The kind in the plural, as it heads a line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Gap => tr!("gaps"),
            Self::Halt => tr!("long halts"),
            Self::BrokenRange => tr!("broken ranges"),
            Self::NonPositive => tr!("prices of zero or below"),
            Self::Outlier => tr!("outliers"),
            Self::ZeroVolume => tr!("bars without volume"),
        }
    }

    /// What it means and by which rule it is found.
    #[must_use]
    pub fn rule(self) -> String {
        match self {
            Self::Gap => tr!(
                "Sessions between its first and last bar that have none: by the calendar of its exchange, or because at least half of the market's other symbols have a bar"
            )
            .to_owned(),
            Self::Halt => tr!("At least {count} sessions in a row without a bar, or bars in a row without volume", count = HALT_SESSIONS),
            Self::BrokenRange => tr!("A high below, or a low above, another price of the same bar").to_owned(),
            Self::NonPositive => tr!("No logarithm and no return can be made of it").to_owned(),
            Self::Outlier => tr!(
                "The logarithmic return r is far from all others: |r − median| > {k} · 1.4826 · MAD, where MAD is the median of |r − median|",
                k = OUTLIER_DEVIATIONS
            ),
            Self::ZeroVolume => tr!("Fewer in a row than make a halt").to_owned(),
        }
    }
}

impl Finding {
    /// What it is, without its date.
    #[must_use]
    pub fn words(&self) -> String {
        let count = self.count as u64;
        let price = || self.value.map_or_else(|| format::NONE.to_owned(), format::price);
        match self.kind {
            FindingKind::Gap | FindingKind::Halt if self.is_hole() => {
                let missing = tr_n!(count, "{count} session without a bar", "{count} sessions without a bar");
                match self.others_have {
                    0 => missing,
                    all if all == self.count => tr!("{missing}; other symbols have one", missing = missing),
                    some => tr!("{missing}; other symbols have one on {some} of them", missing = missing, some = some),
                }
            }
            FindingKind::Gap | FindingKind::Halt | FindingKind::ZeroVolume => {
                tr_n!(count, "{count} bar without volume", "{count} bars without volume")
            }
            FindingKind::BrokenRange => tr!("range broken at {price}", price = price()),
            FindingKind::NonPositive => tr!("a price of {price}", price = price()),
            FindingKind::Outlier => {
                let change = format::change_percent(self.value.unwrap_or(f64::NAN) * 100.0);
                if self.reverts { tr!("{change}, and back with the next bar", change = change) } else { change }
            }
        }
    }
}
