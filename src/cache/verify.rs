//! Checking every cached file against its checksum and the catalog, and repairing what can be repaired here.

use super::entry::{Dataset, Entry, EntryKey};
use super::error::CacheError;
use super::store::Examined;
use super::{Cache, Folders, files, years};
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
    /// What is wrong with the catalog itself, in words, or was when it was opened: then it is mended already.
    pub catalog: Vec<String>,
    /// What has to be fetched or computed again to be as before.
    #[serde(skip)]
    pub to_restore: Vec<EntryKey>,
    /// Whether what could be repaired here was.
    #[serde(skip)]
    pub repaired: bool,
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
        self.catalog.is_empty() && self.damaged.is_empty() && self.missing.is_empty() && self.orphans.is_empty()
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
        let catalog = self.catalog_findings(repair)?;
        // Files that appear from here on belong to somebody who is writing now.
        let mut found = Vec::new();
        for tree in self.folders.trees() {
            found.extend(self.files.files_below(&tree)?.into_iter().map(|path| (tree.clone(), path)));
        }
        let entries: Vec<Entry> = self.catalog.entries(None)?.into_iter().filter(|entry| entry.file.is_some()).collect();
        let done = std::sync::atomic::AtomicUsize::new(0);
        let examined: Vec<Result<Examined, CacheError>> = entries
            .par_iter()
            .map(|entry| {
                let examined = self.examine(entry).map(|found| match found {
                    // The bytes are not needed any more; thousands of files would not fit into memory.
                    Examined::Sound { is_longer, .. } => Examined::Sound { bytes: Vec::new(), is_longer },
                    other => other,
                });
                progress(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1, entries.len());
                examined
            })
            .collect();
        let mut report = VerifyReport { checked: entries.len(), repaired: repair, catalog, ..VerifyReport::default() };
        let mut newer = Vec::new();
        for (entry, examined) in entries.iter().zip(examined) {
            match examined? {
                Examined::Sound { is_longer, .. } => {
                    report.ok += 1;
                    if is_longer && repair {
                        self.settle_longer_file(entry)?;
                    }
                }
                Examined::Newer(found) => {
                    report.ok += 1;
                    newer.push((found.0, entry.file.as_ref().map(|file| file.checksum)));
                }
                Examined::Damaged(_) | Examined::Gone if self.has_changed(entry)? => report.ok += 1,
                Examined::Gone => {
                    report.missing.push(self.finding(entry, "the file is gone"));
                    report.to_restore.extend(entry.restorable());
                }
                Examined::Damaged(reason) => {
                    if repair {
                        self.quarantine(entry, &reason)?;
                    }
                    report.damaged.push(self.finding(entry, &reason));
                    report.to_restore.extend(entry.restorable());
                }
            }
        }
        self.catalog.adopt(newer)?;
        self.find_orphans(&found, repair, &mut report)?;
        if repair {
            let gone: HashSet<PathBuf> = report.missing.iter().map(|finding| finding.path.clone()).collect();
            let lost: Vec<Entry> = entries.iter().filter(|entry| gone.contains(&self.path_of(entry))).cloned().collect();
            self.forget_lost(&lost)?;
        }
        Ok(report)
    }

    /// The full path of an entry's file; empty without one.
    pub(super) fn path_of(&self, entry: &Entry) -> PathBuf {
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

    /// Whether the catalog knows another file for the entry by now.
    fn has_changed(&self, entry: &Entry) -> Result<bool, CacheError> {
        Ok(self.catalog.entry(&entry.key)?.is_none_or(|now| now.file != entry.file))
    }

    fn find_orphans(&self, found: &[(PathBuf, PathBuf)], repair: bool, report: &mut VerifyReport) -> Result<(), CacheError> {
        // Read again: what was committed since the files were listed is no orphan.
        let known = self.known_files()?;
        let somebody_writes = self.catalog.jobs()?.iter().any(|job| self.catalog.is_alive(job));
        for (tree, path) in found {
            let being_written = files::temporary_owner(path).is_some_and(files::process_is_alive);
            if known.contains_key(path)
                || Folders::is_version_text(path)
                || being_written
                || !self.files.exists(path)
                || (somebody_writes && self.is_young(path))
            {
                continue;
            }
            if repair {
                self.repair_orphan(tree, path)?;
            }
            report.orphans.push(path.clone());
        }
        Ok(())
    }

    fn repair_orphan(&self, tree: &std::path::Path, path: &std::path::Path) -> Result<(), CacheError> {
        if path.strip_prefix(tree).is_ok_and(years::is_year_path) && *tree == self.folders.tree(&Dataset::Bars) && self.repair_year(path)? {
            return Ok(());
        }
        if let Some(entry) = self.adopt_file(tree, path)? {
            if self.is_claimed(&entry)? {
                return Ok(());
            }
            let found = self.places_of_found(vec![entry])?;
            if !found.is_empty() {
                return self.catalog.adopt(found).map(drop);
            }
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.files.move_file(path, &self.folders.quarantine().join(format!("{}-orphan-{name}", self.now_us())))
    }

    /// Whether a file was written within the last ten minutes, and so may be waiting for its commit.
    pub(super) fn is_young(&self, path: &std::path::Path) -> bool {
        // By the file system's clock, as it is that which dates files.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        self.files.status(path).is_ok_and(|status| {
            let age_us = i64::try_from(now.as_micros()).unwrap_or(i64::MAX) - status.modified_us;
            (0..600_000_000).contains(&age_us)
        })
    }
}
