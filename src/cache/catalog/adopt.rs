//! Taking files into the catalog that it does not know, or knows an older version of.
//!
//! Contract: only while the catalog has what it had when the file was looked at. Its writer may have committed it since, and
//! added more to it: that must not be forgotten again.

use super::Catalog;
use super::entries::Editor;
use crate::cache::entry::Entry;
use crate::cache::error::CacheError;

impl Catalog {
    /// Writes the rows of found files, each with the checksum that the catalog had for its entry when the file was looked at
    /// (`None` for no file). Returns how many were taken in.
    ///
    /// # Errors
    /// When the catalog cannot be written; then none of them is.
    pub(in crate::cache) fn adopt(&self, found: Vec<(Entry, Option<u128>)>) -> Result<usize, CacheError> {
        if found.is_empty() {
            return Ok(0);
        }
        self.write(move |connection| {
            let mut editor = Editor::new(connection)?;
            let mut adopted = 0;
            for (entry, expected) in &found {
                let now = editor.get(&entry.key)?.and_then(|now| now.file).map(|file| file.checksum);
                if now == *expected {
                    if let Some(older) = editor.put_content(entry)? {
                        editor.put(&older)?;
                    }
                    adopted += 1;
                }
            }
            Ok(adopted)
        })
    }
}
