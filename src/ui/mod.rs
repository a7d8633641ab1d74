//! The window: egui widgets that read state and return commands. No I/O here.

mod about;
mod bench;
pub mod chart;
mod chrome;
mod commands;
mod connect;
mod dashboard;
mod dialogs;
pub mod features;
mod fonts;
mod free;
mod help;
pub use crate::format;
pub mod icons;
mod inspector;
mod jobs;
mod logo;
pub mod marks;
mod notices;
mod palette;
mod path;
mod remembered;
mod settings;
mod sources;
mod symbols;
pub mod theme;
mod widgets;
mod window;

pub use window::{PathPurpose, SamovarWindow, Start, run};
