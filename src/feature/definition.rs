//! What a feature is: its formula, and how a person finds and reads it.
//!
//! Not what the formula means (`formula`) and not how it is computed. Contract: what is computed follows from the formula,
//! and from helpers and features it names; names, groups and descriptions may be reworded freely.

use crate::tr;
use std::sync::Arc;

/// Under which heading a feature is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// Where the price is going: averages and what is made of them.
    Trend,
    /// How fast it goes, and whether it went too far.
    Momentum,
    /// How widely it swings.
    Volatility,
    /// How much was traded.
    Volume,
    /// One bar against another.
    Price,
    /// Shapes of candles.
    Pattern,
    /// Waves and their phases.
    Cycle,
    /// Regressions, correlations and the like.
    Statistic,
    /// Everything else.
    Other,
}

impl Group {
    /// All groups, in the order they are listed.
    pub const ALL: [Self; 9] = [
        Self::Trend,
        Self::Momentum,
        Self::Volatility,
        Self::Volume,
        Self::Price,
        Self::Pattern,
        Self::Cycle,
        Self::Statistic,
        Self::Other,
    ];

    /// The heading.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Trend => tr!("Trend"),
            Self::Momentum => tr!("Momentum"),
            Self::Volatility => tr!("Volatility"),
            Self::Volume => tr!("Volume"),
            Self::Price => tr!("Price"),
            Self::Pattern => tr!("Pattern"),
            Self::Cycle => tr!("Cycle"),
            Self::Statistic => tr!("Statistic"),
            Self::Other => tr!("Other"),
        }
    }

    /// The word for it in files of sets.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Trend => "trend",
            Self::Momentum => "momentum",
            Self::Volatility => "volatility",
            Self::Volume => "volume",
            Self::Price => "price",
            Self::Pattern => "pattern",
            Self::Cycle => "cycle",
            Self::Statistic => "statistic",
            Self::Other => "other",
        }
    }
}

/// Where a chart draws a feature.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Placement {
    /// Over the candles, on the price's own scale.
    OverPrice,
    /// In the pane with this name; features that name the same pane share it and its scale. The pane `volume` is the one
    /// with the volume bars.
    OwnPane(Arc<str>),
}

impl Placement {
    /// By the word for it in files of sets: `price`, or the name of a pane.
    #[must_use]
    pub fn of_key(key: &str) -> Self {
        if key == "price" { Self::OverPrice } else { Self::OwnPane(key.into()) }
    }

    /// The word for it in files of sets.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::OverPrice => "price",
            Self::OwnPane(pane) => pane,
        }
    }
}

/// One named feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The column's name.
    pub name: Arc<str>,
    /// Heading it is listed under.
    pub group: Group,
    /// Where a chart draws it.
    pub placement: Placement,
    /// One line for people; may be empty.
    pub description: String,
    /// The formula, as it was written.
    pub formula: String,
}

impl Definition {
    /// A feature of this name in a pane of its own.
    #[must_use]
    pub fn of_formula(name: impl Into<Arc<str>>, formula: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            group: Group::Other,
            placement: Placement::OwnPane(Arc::clone(&name)),
            description: String::new(),
            formula: formula.into(),
            name,
        }
    }
}
