//! What the desktop around the program is asked for: one window at a time, and an entry in its menu.
//!
//! Not the window itself (that is `ui`), and nothing of what the program is about. Blocking, but never for long.

mod entry;
mod instance;

pub use entry::{EntryError, Installed, install, remove};
pub use instance::{Claim, Instance, claim};
