//! What the desktop around the program is asked for: one window at a time, an entry in its menu, its file manager.
//!
//! Not the window itself (that is `ui`), and nothing of what the program is about. Blocking, but never for long.

mod entry;
mod instance;

pub use entry::{EntryError, Installed, install, remove};
pub use instance::{Claim, Instance, claim};

use std::path::Path;
use std::process::{Command, Stdio};

/// Shows a file in the desktop's own file manager: the file marked where it can, else its folder.
///
/// # Errors
/// When the desktop has no such program, or it is not there any more.
pub fn reveal(path: &Path) -> std::io::Result<()> {
    let facts = std::fs::metadata(path)?;
    let mut command;
    if cfg!(target_os = "macos") {
        command = Command::new("open");
        command.arg("-R").arg(path);
    } else if cfg!(windows) {
        command = Command::new("explorer");
        command.arg(format!("/select,{}", path.display()));
    } else {
        command = Command::new("xdg-open");
        command.arg(if facts.is_dir() { path } else { path.parent().unwrap_or(path) });
    }
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    // Its end is of no interest, but somebody has to hear of it.
    std::thread::Builder::new().name("samovar-file-manager".to_owned()).spawn(move || child.wait())?;
    Ok(())
}
