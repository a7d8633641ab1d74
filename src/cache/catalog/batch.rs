//! The rows of a batch, written in one transaction.

use super::Catalog;
use super::changes::{QualityFinding, insert_changes, insert_findings};
use super::entries::{Editor, Touched};
use super::leases::Fences;
use super::versions::put_versions;
use crate::cache::change::Change;
use crate::cache::entry::{Entry, EntryKey, Failure};
use crate::cache::error::CacheError;
use crate::cache::lease::{Fence, LeaseLost};
use crate::cache::versions::VersionUse;
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
    /// Versions of sets that entries were computed with.
    pub versions: Vec<VersionUse>,
    /// When it is written.
    pub at_us: i64,
    /// Whether what another definition had computed is forgotten, instead of becoming an older version.
    pub forget_older: bool,
    /// What the entries' symbols were leased with; `None` where nobody else can be writing.
    pub granted: Option<BTreeMap<Symbol, Fence>>,
}

/// What became of a batch besides being written.
#[derive(Debug, Default)]
pub(in crate::cache) struct Written {
    /// What was not written: entries whose symbol's lease was lost, and touched ones that have no file any more.
    pub lost: Vec<LeaseLost>,
    /// What is an older version now.
    pub kept: Vec<Entry>,
    /// What would be, but was forgotten: its file has no use any more.
    pub replaced: Vec<Entry>,
    /// Bars that had other files before, with what took their place.
    pub superseded: Vec<(Entry, Entry)>,
}

impl Catalog {
    /// Writes a batch.
    pub(in crate::cache) fn put_batch(&self, batch: BatchRows) -> Result<Written, CacheError> {
        let is_user_made = !batch.changes.is_empty() || !batch.quality.is_empty();
        let (written, has_new_version) = self.write(move |transaction| {
            let (mut lost, mut kept, mut replaced) = (Vec::new(), Vec::new(), Vec::new());
            let mut fences = batch.granted.as_ref().map(|granted| Fences::new(transaction, granted)).transpose()?;
            let mut is_held = |key: &EntryKey, lost: &mut Vec<LeaseLost>| -> rusqlite::Result<bool> {
                let reason = fences.as_mut().map_or(Ok(None), |fences| fences.lost(&key.source, &key.symbol))?;
                let held = reason.is_none();
                lost.extend(reason.map(|reason| LeaseLost { key: key.clone(), reason }));
                Ok(held)
            };
            let mut editor = Editor::new(transaction)?;
            for entry in &batch.entries {
                if !is_held(&entry.key, &mut lost)? {
                    continue;
                }
                match editor.put_content(entry)? {
                    Some(older) if batch.forget_older => replaced.push(older),
                    Some(older) => {
                        editor.put(&older)?;
                        kept.push(older);
                    }
                    None => {}
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
            let has_new_version = put_versions(transaction, &batch.versions, batch.at_us)?;
            Ok((Written { lost, kept, replaced, superseded: editor.superseded }, has_new_version))
        })?;
        if is_user_made || has_new_version {
            self.note_user_made();
        }
        Ok(written)
    }
}
