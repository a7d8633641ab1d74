//! The rows of a batch, written in one transaction.

use super::Catalog;
use super::changes::{QualityFinding, insert_changes, insert_findings};
use super::entries::{Editor, Touched};
use crate::cache::change::Change;
use crate::cache::entry::{Entry, EntryKey, Failure};
use crate::cache::error::CacheError;

/// Everything a batch brings to the catalog.
#[derive(Debug, Default)]
pub(in crate::cache) struct BatchRows {
    pub entries: Vec<Entry>,
    pub touched: Vec<Touched>,
    pub failures: Vec<(EntryKey, Failure)>,
    pub answered: Vec<EntryKey>,
    pub changes: Vec<Change>,
    pub quality: Vec<QualityFinding>,
}

impl Catalog {
    /// Writes a batch. Returns the keys of touched entries that have no file any more (cleared meanwhile).
    pub(in crate::cache) fn put_batch(&self, batch: BatchRows) -> Result<Vec<EntryKey>, CacheError> {
        self.write(move |transaction| {
            let mut editor = Editor::new(transaction)?;
            for entry in &batch.entries {
                editor.put_content(entry)?;
            }
            let mut lost = Vec::new();
            for touched in batch.touched {
                match editor.get(&touched.key)?.filter(|entry| entry.file.is_some()) {
                    Some(mut entry) => {
                        touched.apply_to(&mut entry);
                        editor.put(&entry)?;
                    }
                    None => lost.push(touched.key),
                }
            }
            for (key, failure) in batch.failures {
                let mut entry = editor.get(&key)?.unwrap_or_else(|| Entry::without_file(key));
                entry.failure = Some(failure);
                editor.put(&entry)?;
            }
            for key in &batch.answered {
                if let Some(mut entry) = editor.get(key)?
                    && entry.failure.take().is_some()
                {
                    editor.put(&entry)?;
                }
            }
            drop(editor);
            insert_changes(transaction, &batch.changes)?;
            insert_findings(transaction, &batch.quality)?;
            Ok(lost)
        })
    }
}
