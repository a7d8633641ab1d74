//! The rows of a batch, written in one transaction.

use super::Catalog;
use super::changes::{QualityFinding, insert_changes, insert_findings};
use super::entries::{Editor, Touched};
use super::leases::Fences;
use crate::cache::change::Change;
use crate::cache::entry::{Entry, EntryKey, Failure};
use crate::cache::error::CacheError;
use crate::cache::lease::{Fence, LeaseLost};
use crate::market::Symbol;
use std::collections::BTreeMap;

/// Everything a batch brings to the catalog.
#[derive(Debug, Default)]
pub(in crate::cache) struct BatchRows {
    pub entries: Vec<Entry>,
    pub touched: Vec<Touched>,
    pub failures: Vec<(EntryKey, Failure)>,
    pub answered: Vec<EntryKey>,
    pub changes: Vec<Change>,
    pub quality: Vec<QualityFinding>,
    /// What the entries' symbols were leased with; `None` where nobody else can be writing.
    pub granted: Option<BTreeMap<Symbol, Fence>>,
}

impl Catalog {
    /// Writes a batch. Returns what was not written: entries whose symbol's lease was lost, and touched ones that have no file
    /// any more.
    pub(in crate::cache) fn put_batch(&self, batch: BatchRows) -> Result<Vec<LeaseLost>, CacheError> {
        let is_user_made = !batch.changes.is_empty() || !batch.quality.is_empty();
        let lost = self.write(move |transaction| {
            let mut lost = Vec::new();
            let mut fences = batch.granted.as_ref().map(|granted| Fences::new(transaction, granted)).transpose()?;
            let mut is_held = |key: &EntryKey, lost: &mut Vec<LeaseLost>| -> rusqlite::Result<bool> {
                let reason = fences.as_mut().map_or(Ok(None), |fences| fences.lost(&key.source, &key.symbol))?;
                let held = reason.is_none();
                lost.extend(reason.map(|reason| LeaseLost { key: key.clone(), reason }));
                Ok(held)
            };
            let mut editor = Editor::new(transaction)?;
            for entry in &batch.entries {
                if is_held(&entry.key, &mut lost)? {
                    editor.put_content(entry)?;
                }
            }
            for touched in batch.touched {
                if !is_held(&touched.key, &mut lost)? {
                    continue;
                }
                match editor.get(&touched.key)?.filter(|entry| entry.file.is_some()) {
                    Some(mut entry) => {
                        touched.apply(&mut entry);
                        editor.put(&entry)?;
                    }
                    None => {
                        let reason = "its files were cleared while it was being checked; preheat it again".to_owned();
                        lost.push(LeaseLost { key: touched.key, reason });
                    }
                }
            }
            for (key, failure) in batch.failures {
                // Somebody else may have brought it to fresh, or cleared it.
                if !is_held(&key, &mut lost)? {
                    continue;
                }
                let mut entry = editor.get(&key)?.unwrap_or_else(|| Entry::without_file(key));
                entry.failure = Some(failure);
                editor.put(&entry)?;
            }
            for key in &batch.answered {
                if is_held(key, &mut lost)?
                    && let Some(mut entry) = editor.get(key)?
                    && entry.failure.take().is_some()
                {
                    editor.put(&entry)?;
                }
            }
            insert_changes(transaction, &batch.changes)?;
            insert_findings(transaction, &batch.quality)?;
            Ok(lost)
        })?;
        if is_user_made {
            self.note_user_made();
        }
        Ok(lost)
    }
}
