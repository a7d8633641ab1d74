//! TA-Lib's functions as features: equal to the C library's, and safe whatever they are given.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot read its files has failed")]
#![allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "small numbers")]

mod golden;
mod robust;
mod set;
