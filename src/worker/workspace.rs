//! A copy of what the window remembers from one start to the next, kept while it is open: after a crash it is there.
//!
//! Not what stands in it: to the worker it is a text.

use super::service::Service;
use crate::config::Places;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The newest text that is not on the disk yet.
#[derive(Debug, Default)]
pub(super) struct Unsaved(Mutex<Option<String>>);

/// The copy that was kept last. Reads a file: not for a window that is open.
#[must_use]
pub fn kept_workspace(places: &Places) -> Option<String> {
    std::fs::read_to_string(places.workspace_file()).ok()
}

/// This is the newest from now on; quick, so that the last is the last. It is written by [`save`].
pub(super) fn take(service: &Service, text: String) {
    *service.workspace.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
}

/// Writes the newest, whichever call this is.
pub(super) fn save(service: &Service) {
    let _alone = service.saving.lock().unwrap_or_else(PoisonError::into_inner);
    let newest = service.workspace.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(text) = newest else { return };
    let path = service.context.places.workspace_file();
    if let Err(error) = write(&path, &text) {
        // Nothing is lost by it unless the program crashes, too.
        tracing::warn!(%error, path = %path.display(), "a copy of the workspace could not be kept");
    }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}
