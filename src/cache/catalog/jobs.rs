//! The history of jobs, and which of them still run.

use super::{Catalog, rows};
use crate::cache::error::CacheError;
use crate::cache::files;
use rusqlite::params;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

pub use rows::JobRecord;

/// Jobs kept in the history.
const JOBS_KEPT: i64 = 200;

/// Jobs that this process has begun and not ended, by catalog. A job with this process's number that is not among them was
/// left by a killed process of the same number, as is usual in containers.
static OWN_JOBS: Mutex<BTreeSet<(PathBuf, i64)>> = Mutex::new(BTreeSet::new());

impl Catalog {
    /// Records that a job began; returns its number.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn begin_job(&self, title: &str, now_us: i64) -> Result<i64, CacheError> {
        let title = title.to_owned();
        let id = self.write(move |transaction| {
            transaction.execute("DELETE FROM jobs WHERE id <= (SELECT max(id) FROM jobs) - ?1", params![JOBS_KEPT])?;
            transaction.execute(
                "INSERT INTO jobs (title, started_at_us, process_id) VALUES (?1, ?2, ?3)",
                params![title, now_us, i64::from(std::process::id())],
            )?;
            Ok(transaction.last_insert_rowid())
        })?;
        OWN_JOBS.lock().unwrap_or_else(PoisonError::into_inner).insert((self.path.clone(), id));
        Ok(id)
    }

    /// Whether the process that began a job still works on it.
    #[must_use]
    pub fn is_alive(&self, job: &JobRecord) -> bool {
        if job.finished_at_us.is_some() {
            return false;
        }
        if job.process_id == std::process::id() {
            return OWN_JOBS.lock().unwrap_or_else(PoisonError::into_inner).contains(&(self.path.clone(), job.id));
        }
        files::process_is_alive(job.process_id)
    }

    /// Records how a job ended.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn finish_job(&self, id: i64, report_json: &str, now_us: i64) -> Result<(), CacheError> {
        let report = report_json.to_owned();
        self.write(move |transaction| {
            transaction.execute("UPDATE jobs SET finished_at_us = ?2, report = ?3 WHERE id = ?1", params![id, now_us, report])?;
            Ok(())
        })?;
        OWN_JOBS.lock().unwrap_or_else(PoisonError::into_inner).remove(&(self.path.clone(), id));
        Ok(())
    }

    /// Past and running jobs, newest first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn jobs(&self) -> Result<Vec<JobRecord>, CacheError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT id, title, started_at_us, finished_at_us, process_id, report FROM jobs ORDER BY id DESC")?;
            let found = statement.query_map([], rows::job_from_row)?;
            found.collect()
        })
    }
}

/// Makes the jobs of this process look like those of a killed one.
#[cfg(test)]
pub(in crate::cache) fn forget_own_jobs_for_tests() {
    OWN_JOBS.lock().unwrap_or_else(PoisonError::into_inner).clear();
}
