//! Checking every cached file against its checksum and the catalog, and repairing what can be repaired here.

use super::entry::{Entry, EntryKey};
use super::error::CacheError;
use super::store::Examined;
use super::{Cache, files};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::HashSet;
use std::path::PathBuf;

/// What a check of the whole cache found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Files looked at.
    pub checked: usize,
    /// Files that are as the catalog says.
    pub ok: usize,
    /// Files that fail their checksum; with repair they are now in quarantine.
    pub damaged: Vec<Finding>,
    /// Entries whose file is gone; with repair the catalog no longer claims it.
    pub missing: Vec<Finding>,
    /// Files the catalog does not know; with repair whole ones are taken in, others quarantined.
    pub orphans: Vec<PathBuf>,
    /// What has to be fetched or computed again to be as before.
    #[serde(skip)]
    pub to_restore: Vec<EntryKey>,
}

/// One entry that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The symbol.
    pub symbol: String,
    /// `bars` or the set's name.
    pub dataset: String,
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl VerifyReport {
    /// Whether everything is as it should be.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.damaged.is_empty() && self.missing.is_empty() && self.orphans.is_empty()
    }
}

impl Cache {
    /// Reads every file over all cores and compares it with the catalog; `progress` is told files done and files in all.
    ///
    /// With `repair`, damaged files go to quarantine, whole unknown files into the catalog, and entries without a file are
    /// listed in `to_restore` for a preheat.
    ///
    /// # Errors
    /// When the catalog or a folder cannot be read, or a repair cannot be written.
    pub fn verify(&self, repair: bool, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<VerifyReport, CacheError> {
        let entries: Vec<Entry> = self.catalog.entries(None)?.into_iter().filter(|entry| entry.file.is_some()).collect();
        let done = std::sync::atomic::AtomicUsize::new(0);
        let examined: Vec<Result<Examined, CacheError>> = entries
            .par_iter()
            .map(|entry| {
                let examined = self.examine(entry).map(|found| match found {
                    // The bytes are not needed any more; thousands of files would not fit into memory.
                    Examined::Sound(_bytes) => Examined::Sound(Vec::new()),
                    other => other,
                });
                progress(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1, entries.len());
                examined
            })
            .collect();
        let mut report = VerifyReport { checked: entries.len(), ..VerifyReport::default() };
        let mut newer = Vec::new();
        for (entry, examined) in entries.iter().zip(examined) {
            match examined? {
                Examined::Sound(_) => report.ok += 1,
                Examined::Newer(found) => {
                    report.ok += 1;
                    newer.push(found.0);
                }
                Examined::Gone => {
                    report.missing.push(self.finding(entry, "the file is gone"));
                    report.to_restore.push(entry.key.clone());
                }
                Examined::Damaged(reason) => {
                    if repair {
                        self.quarantine(entry, &reason)?;
                    }
                    report.damaged.push(self.finding(entry, &reason));
                    report.to_restore.push(entry.key.clone());
                }
            }
        }
        self.catalog.put_entries(&newer)?;
        self.find_orphans(&entries, repair, &mut report)?;
        if repair {
            let gone: HashSet<PathBuf> = report.missing.iter().map(|finding| finding.path.clone()).collect();
            let keys: Vec<EntryKey> =
                entries.iter().filter(|entry| gone.contains(&self.path_of(entry))).map(|entry| entry.key.clone()).collect();
            self.catalog.forget_files(&keys)?;
        }
        Ok(report)
    }

    fn path_of(&self, entry: &Entry) -> PathBuf {
        entry.file.as_ref().map(|facts| self.folders.absolute(&entry.key.dataset, &facts.path)).unwrap_or_default()
    }

    fn finding(&self, entry: &Entry, reason: &str) -> Finding {
        Finding {
            symbol: entry.key.symbol.to_string(),
            dataset: entry.key.dataset.name().to_owned(),
            path: self.path_of(entry),
            reason: reason.to_owned(),
        }
    }

    fn find_orphans(&self, entries: &[Entry], repair: bool, report: &mut VerifyReport) -> Result<(), CacheError> {
        let known: HashSet<PathBuf> = entries.iter().map(|entry| self.path_of(entry)).collect();
        for tree in self.folders.trees() {
            for path in files::files_below(&tree)? {
                let being_written = files::temporary_owner(&path).is_some_and(files::process_is_alive);
                if known.contains(&path) || being_written {
                    continue;
                }
                if repair {
                    self.repair_orphan(&tree, &path)?;
                }
                report.orphans.push(path);
            }
        }
        Ok(())
    }

    fn repair_orphan(&self, tree: &std::path::Path, path: &std::path::Path) -> Result<(), CacheError> {
        if let Some(entry) = self.adopt_file(tree, path)?
            && self.catalog.entry(&entry.key)?.is_none_or(|now| now.file.is_none())
        {
            return self.catalog.put_entries(&[entry]);
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        files::move_file(path, &self.folders.quarantine().join(format!("{}-orphan-{name}", self.now_us())))
    }
}
