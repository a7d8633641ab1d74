//! What windows and recursions can be asked: the statistics, what incomplete windows give, and what is carried on.
//!
//! Not how they are computed (the rest of this module). Contract: the meaning of each of them, as it is written here, is what
//! is computed; the graph of features is made of the same words.

use std::fmt;
use std::hash::{Hash, Hasher};

/// A finite number, equal and hashed by its bits; minus zero is zero.
#[derive(Debug, Clone, Copy)]
pub struct Finite(f64);

impl Finite {
    /// `None` for NaN and the infinities.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self(if value == 0.0 { 0.0 } else { value }))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl PartialEq for Finite {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Finite {}

impl Hash for Finite {
    fn hash<State: Hasher>(&self, state: &mut State) {
        self.0.to_bits().hash(state);
    }
}

impl fmt::Display for Finite {
    /// The shortest decimal that reads back as the same bits.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.0)
    }
}

/// What a window that is not full, or has nulls in it, gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum WarmUp {
    /// Null until the window is full and holds no null.
    #[default]
    Strict,
    /// As in Qlib: the values there are, one at least; nulls are left out. Comparisons with null are false (≠ is true), and `EMA` is
    /// weighted as pandas does it with `adjust=True`.
    Partial,
}

impl fmt::Display for WarmUp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Strict => "strict",
            Self::Partial => "partial",
        })
    }
}

/// What is said of the last N values of one input. Positions count from 1 at the window's oldest value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Statistic {
    /// Σx/n.
    Mean,
    /// Σx.
    Sum,
    /// √(Σ(x − mean)²/(n − 1)); null for n = 1.
    Std,
    /// √(Σ(x − mean)²/n): the deviation of a whole population.
    Stdp,
    /// Σ(x − mean)²/(n − 1); null for n = 1.
    Var,
    /// Bias-corrected skewness as pandas has it; null for n < 3, 0 where nothing varies.
    Skew,
    /// Bias-corrected excess kurtosis as pandas has it; null for n < 4, −3 where nothing varies.
    Kurt,
    /// Largest value.
    Max,
    /// Smallest value.
    Min,
    /// Position of the first largest value.
    IdxMax,
    /// Position of the first smallest value.
    IdxMin,
    /// Linear interpolation between the order statistics around q·(n − 1).
    Quantile(Finite),
    /// The middle value, or the mean of the two in the middle: [`Quantile`](Self::Quantile) of one half.
    Med,
    /// Mean of |x − mean|.
    Mad,
    /// Rank of the last value among the window's, ties averaged, over n. Null where the last value is null.
    Rank,
    /// How many values are not null.
    Count,
    /// Slope of the regression of the values on their positions 1…n; null for n = 1.
    Slope,
    /// Its R²; null where nothing varies.
    Rsquare,
    /// The last value minus the regression's value there; null where the last value is null.
    Resi,
    /// Σ i·x/Σ i over positions i.
    Wma,
    /// The last value minus the mean, computed without losing the digits of a small distance; null where the last value is.
    Demean,
}

/// What is said of the last N pairs of two inputs. A pair with a null counts as null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PairStatistic {
    /// Pearson's correlation; null for n = 1 and where one of the two hardly varies (a sample deviation within 2e-5 of 0, as
    /// in Qlib).
    Corr,
    /// Sample covariance; null for n = 1.
    Cov,
}

/// What is carried from bar to bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recursion {
    /// y = y' + 2/(N+1)·(x − y'), seeded with the first value. A null gives null and changes nothing.
    Ema {
        /// N.
        window: usize,
    },
    /// The same weights over all values so far, normalised, as pandas' `ewm(span=N, adjust=True)`: a null gives the last
    /// average and ages it.
    EmaAdjusted {
        /// N.
        window: usize,
    },
    /// y = y' + M/N·(x − y'), seeded with `seed` before the first value, or with the first value. A null gives null and
    /// changes nothing.
    Sma {
        /// N.
        window: usize,
        /// M, from 1 to N.
        weight: usize,
        /// y before the first value.
        seed: Option<Finite>,
    },
    /// Wilder's: the mean of the first N values at the N-th, then y = y' + (x − y')/N. A null gives null and changes nothing.
    Rma {
        /// N.
        window: usize,
    },
    /// Σ of all values so far. A null gives null and changes nothing.
    CumSum,
}
