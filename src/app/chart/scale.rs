//! What the heights of prices mean: prices themselves, their logarithms, or how far they are from the first bar in view.

use crate::tr;
use serde::{Deserialize, Serialize};

/// How the price pane is scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
pub enum PriceScale {
    /// Equal differences of price have equal heights.
    #[default]
    Linear,
    /// Equal ratios of price have equal heights.
    Log,
    /// Change in percent since the first bar in view.
    Percent,
    /// The first bar in view is 100.
    Indexed,
}

impl PriceScale {
    /// What it is called.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Linear => tr!("Linear"),
            Self::Log => tr!("Logarithmic"),
            Self::Percent => tr!("Percent"),
            Self::Indexed => tr!("Indexed to 100"),
        }
    }

    /// What stands on a small button.
    #[must_use]
    pub fn short_label(self) -> &'static str {
        match self {
            Self::Linear => tr!("Linear"),
            Self::Log => tr!(in "price scale", "Log"),
            Self::Percent => "%",
            Self::Indexed => "100",
        }
    }

    /// What it is good for, in one sentence.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Linear => tr!("Equal differences of price at equal heights"),
            Self::Log => tr!("Equal ratios of price at equal heights"),
            Self::Percent => tr!("Change since the first bar in view"),
            Self::Indexed => tr!("The first bar in view is 100"),
        }
    }

    /// Whether values are seen against the first bar in view, so that lines of any size can be compared.
    #[must_use]
    pub fn is_relative(self) -> bool {
        matches!(self, Self::Percent | Self::Indexed)
    }
}
