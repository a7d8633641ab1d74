//! The window: egui widgets that read state and return commands. No I/O here.

pub mod chart;
pub mod format;
pub mod icons;
pub mod marks;
pub mod theme;
