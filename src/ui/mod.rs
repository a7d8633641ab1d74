//! The window: egui widgets that read state and return commands. No I/O here.

pub mod chart;
pub use crate::format;
pub mod icons;
pub mod marks;
pub mod theme;
