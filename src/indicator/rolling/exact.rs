//! Sums without rounding: values as whole numbers of their smallest common part.
//!
//! Not for every sum; it is for those that have to be added to and taken from in any order. Contract: exact, so that what was
//! added and taken away again has left nothing, and however the numbers are kept, the result is rounded once and is the same.

use std::cmp::Ordering;

/// The exponent of the smallest part an f64 can have.
const LEAST: i32 = -1074;

/// The value as a whole number times two to a power: an odd one, or nothing.
fn odd(value: f64) -> Option<(i64, i32)> {
    let bits = value.to_bits();
    let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
    let (whole, exponent) = if exponent == 0 { (fraction, LEAST) } else { (fraction | 1 << 52, exponent + LEAST - 1) };
    let zeros = whole.trailing_zeros();
    let whole = if whole == 0 { return None } else { (whole >> zeros) as i64 };
    Some((if value < 0.0 { -whole } else { whole }, exponent + zeros as i32))
}

/// Two to a power, as far as there is such a number.
#[inline]
fn power_of_two(power: i32) -> f64 {
    match power {
        -1074..-1022 => f64::from_bits(1 << (power - LEAST)),
        -1022..1024 => f64::from_bits(((power + 1023) as u64) << 52),
        _ if power < 0 => 0.0,
        _ => f64::INFINITY,
    }
}

/// The range of bits that values have: the power of two of the lowest, and how many there are.
pub fn range(values: &[f64]) -> (i32, u32) {
    let (mut lowest, mut highest) = (i32::MAX, i32::MIN);
    for (whole, exponent) in values.iter().filter_map(|value| odd(*value)) {
        lowest = lowest.min(exponent);
        highest = highest.max(exponent + 64 - whole.unsigned_abs().leading_zeros() as i32);
    }
    if lowest > highest { (0, 0) } else { (lowest, (highest - lowest) as u32) }
}

/// A whole number with a sign.
pub trait Whole: Copy + Default {
    /// The value in parts of two to a power, of which it has to be a whole number.
    fn of(value: f64, lowest: i32) -> Self;

    /// The sum of both.
    fn plus(self, other: Self) -> Self;

    /// The difference of both.
    fn minus(self, other: Self) -> Self;

    /// So many times.
    fn times(self, factor: u32) -> Self;

    /// Whether it is above another.
    fn is_above(self, other: Self) -> bool;

    /// About as large.
    fn about(self, power: i32) -> f64;

    /// Divided by a number and times two to a power, rounded once to a significand and once by the division.
    fn scaled(self, divisor: f64, power: i32) -> f64;
}

impl Whole for i128 {
    #[inline]
    fn of(value: f64, lowest: i32) -> Self {
        odd(value).map_or(0, |(whole, exponent)| Self::from(whole) << (exponent - lowest).clamp(0, 126))
    }

    #[inline]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    #[inline]
    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }

    #[inline]
    fn times(self, factor: u32) -> Self {
        self.wrapping_mul(Self::from(factor))
    }

    #[inline]
    fn is_above(self, other: Self) -> bool {
        self > other
    }

    #[inline]
    fn about(self, power: i32) -> f64 {
        ((self >> 64) as i64 as f64 * 18_446_744_073_709_551_616.0 + self as u64 as f64) * power_of_two(power)
    }

    #[inline]
    fn scaled(self, divisor: f64, power: i32) -> f64 {
        self as f64 / divisor * power_of_two(power)
    }
}

/// Limbs of a number that holds any sum of f64s.
const LIMBS: usize = 35;

/// A whole number of any size that sums of f64s can have, in two's complement, lowest limb first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wide([u64; LIMBS]);

impl Default for Wide {
    fn default() -> Self {
        Self([0; LIMBS])
    }
}

impl Wide {
    fn is_negative(&self) -> bool {
        self.0.last().is_some_and(|limb| limb >> 63 == 1)
    }

    fn negated(self) -> Self {
        Self::default().minus(self)
    }

    /// Limb by limb, with what is carried over.
    fn with(self, other: Self, of: impl Fn(u64, u64, bool) -> (u64, bool)) -> Self {
        let mut result = self;
        let mut carry = false;
        for (limb, other) in result.0.iter_mut().zip(other.0) {
            (*limb, carry) = of(*limb, other, carry);
        }
        result
    }
}

impl Whole for Wide {
    fn of(value: f64, lowest: i32) -> Self {
        let Some((whole, exponent)) = odd(value) else { return Self::default() };
        let shift = (exponent - lowest).unsigned_abs() as usize;
        let bits = u128::from(whole.unsigned_abs()) << (shift % 64);
        let mut result = Self::default();
        for (limb, part) in result.0.iter_mut().skip(shift / 64).zip([bits as u64, (bits >> 64) as u64]) {
            *limb = part;
        }
        if whole < 0 { result.negated() } else { result }
    }

    fn plus(self, other: Self) -> Self {
        self.with(other, |a, b, carry| {
            let (sum, one) = a.overflowing_add(b);
            let (sum, other) = sum.overflowing_add(u64::from(carry));
            (sum, one | other)
        })
    }

    fn minus(self, other: Self) -> Self {
        self.with(other, |a, b, carry| {
            let (difference, one) = a.overflowing_sub(b);
            let (difference, other) = difference.overflowing_sub(u64::from(carry));
            (difference, one | other)
        })
    }

    fn times(self, factor: u32) -> Self {
        let mut result = self;
        let mut carry = 0_u128;
        for limb in &mut result.0 {
            let product = u128::from(*limb) * u128::from(factor) + carry;
            *limb = product as u64;
            carry = product >> 64;
        }
        result
    }

    fn is_above(self, other: Self) -> bool {
        let order = self.0.iter().rev().cmp(other.0.iter().rev());
        match (self.is_negative(), other.is_negative()) {
            (true, false) => false,
            (false, true) => true,
            _ => order == Ordering::Greater,
        }
    }

    fn about(self, power: i32) -> f64 {
        self.scaled(1.0, power)
    }

    fn scaled(self, divisor: f64, power: i32) -> f64 {
        let magnitude = if self.is_negative() { self.negated() } else { self };
        let Some(top) = magnitude.0.iter().rposition(|limb| *limb != 0) else { return 0.0 };
        let limb = |place: usize| magnitude.0.get(place).copied().unwrap_or(0);
        let lowest = top.saturating_sub(1);
        // Whether anything is below decides where exactly half is rounded to.
        let rest = (0..lowest).any(|place| limb(place) != 0);
        let high = u128::from(limb(lowest + 1)) << 64 | u128::from(limb(lowest)) | u128::from(rest);
        let value = high as f64 / divisor * power_of_two(power + 64 * lowest as i32);
        if self.is_negative() { -value } else { value }
    }
}

/// Ranks that are kept together.
const GROUP: usize = 32;

/// Sums of values by their ranks, to be added to and taken from in any order.
#[derive(Debug, Default)]
pub struct Sums<Number> {
    /// Which ranks of a group are present.
    present: Vec<u32>,
    /// Node i holds the sum and the number of what is present in the groups from i + 1 − (lowest set bit of i + 1) to i.
    nodes: Vec<(Number, u32)>,
}

impl<Number: Whole> Sums<Number> {
    /// Nothing, with room for ranks below a number.
    pub fn clear(&mut self, ranks: usize) {
        let groups = ranks.div_ceil(GROUP);
        self.present.clear();
        self.present.resize(groups, 0);
        self.nodes.clear();
        self.nodes.resize(groups, (Number::default(), 0));
    }

    #[inline]
    fn change(&mut self, rank: usize, of: impl Fn(&mut (Number, u32))) {
        let group = rank / GROUP;
        if let Some(present) = self.present.get_mut(group) {
            *present ^= 1 << (rank % GROUP);
        }
        let mut place = group + 1;
        while let Some(node) = self.nodes.get_mut(place - 1) {
            of(node);
            place += place & place.wrapping_neg();
        }
    }

    /// A value comes.
    #[inline]
    pub fn insert(&mut self, rank: usize, value: Number) {
        self.change(rank, |(sum, count)| (*sum, *count) = (sum.plus(value), count.wrapping_add(1)));
    }

    /// A value that came goes.
    #[inline]
    pub fn remove(&mut self, rank: usize, value: Number) {
        self.change(rank, |(sum, count)| (*sum, *count) = (sum.minus(value), count.wrapping_sub(1)));
    }

    /// The sum and the number of those that are present below a rank.
    #[inline]
    pub fn below(&self, rank: usize, value: impl Fn(usize) -> Number) -> (Number, u32) {
        let group = rank / GROUP;
        // Few are left in a group; the loops are short.
        let mut left = self.present.get(group).copied().unwrap_or(0) & ((1 << (rank % GROUP)) - 1);
        let (mut sum, mut count) = (Number::default(), left.count_ones());
        while left != 0 {
            sum = sum.plus(value(group * GROUP + left.trailing_zeros() as usize));
            left &= left - 1;
        }
        let mut place = group;
        while let Some((part, number)) = place.checked_sub(1).and_then(|place| self.nodes.get(place)) {
            sum = sum.plus(*part);
            count += number;
            place &= place - 1;
        }
        (sum, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_kinds_of_numbers_are_exact(
            values in prop::collection::vec(prop_oneof![-1e3..1e3_f64, -1e-3..1e-3_f64, (-9..9_i32).prop_map(f64::from)], 1..20),
            factor in 1_u32..100_000,
        ) {
            let (lowest, bits) = range(&values);
            prop_assume!(bits < 90);
            let narrow = values.iter().fold(0_i128, |sum, value| sum.plus(Whole::of(*value, lowest)));
            let wide = values.iter().fold(Wide::default(), |sum, value| sum.plus(Whole::of(*value, lowest)));
            let divisor = f64::from(factor) * f64::from(factor);
            prop_assert_eq!(narrow.times(factor).scaled(divisor, lowest), wide.times(factor).scaled(divisor, lowest));
            for value in values {
                let (narrow_value, wide_value) = (<i128 as Whole>::of(value, lowest), <Wide as Whole>::of(value, lowest));
                prop_assert_eq!(narrow_value.scaled(1.0, lowest), value);
                prop_assert_eq!(wide_value.scaled(1.0, lowest), value);
                prop_assert_eq!(narrow.is_above(narrow_value), wide.is_above(wide_value));
                prop_assert_eq!(wide.minus(wide_value).plus(wide_value), wide);
            }
        }

        #[test]
        fn any_number_is_a_wide_one(value in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO) {
            prop_assert_eq!(<Wide as Whole>::of(value, LEAST).scaled(1.0, LEAST), value);
        }
    }
}
