//! TA-Lib's functions as features.
#![allow(clippy::expect_used, reason = "a test that cannot read the source has failed")]

mod golden;
mod robust;
