//! Where a measurement writes: a folder of its own beside the cache, so that the disk is the same and the cache is left alone.

use super::BenchError;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// What the folders are called.
const PREFIX: &str = "samovar-bench-";
/// From what age on a folder was left behind by a process that was killed.
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 3_600);

/// Makes the folder; it goes when it is dropped.
pub(super) fn make(cache_dir: &Path) -> Result<TempDir, BenchError> {
    let beside = nearest_folder(cache_dir);
    sweep(&beside);
    let make_in = |folder: &Path| tempfile::Builder::new().prefix(PREFIX).tempdir_in(folder);
    make_in(&beside).or_else(|error| {
        let elsewhere = std::env::temp_dir();
        tracing::warn!(folder = %beside.display(), %error, elsewhere = %elsewhere.display(), "the measurement writes elsewhere");
        make_in(&elsewhere).map_err(|_| BenchError::Folder { folder: beside, reason: error.to_string() })
    })
}

/// The folder the cache lies in, or would.
fn nearest_folder(cache_dir: &Path) -> PathBuf {
    let above = cache_dir.ancestors().skip(1).find(|folder| folder.is_dir());
    above.map_or_else(std::env::temp_dir, Path::to_path_buf)
}

/// Removes what a killed process left behind long ago.
fn sweep(folder: &Path) {
    let Ok(listing) = std::fs::read_dir(folder) else { return };
    for item in listing.flatten() {
        let is_ours = item.file_name().to_string_lossy().starts_with(PREFIX);
        let age = item.metadata().ok().and_then(|about| about.modified().ok()).and_then(|at| at.elapsed().ok());
        if is_ours
            && age.is_some_and(|age| age > LEFT_BEHIND)
            && let Err(error) = std::fs::remove_dir_all(item.path())
        {
            tracing::debug!(%error, "an old folder of a measurement cannot be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lies_beside_the_cache_and_goes_when_it_is_dropped() {
        let home = TempDir::new().expect("folder");
        let cache_dir = home.path().join("caches/samovar");
        let made = make(&cache_dir).expect("made");
        assert_eq!(made.path().parent(), Some(home.path()), "the nearest folder there is");
        std::fs::create_dir_all(&cache_dir).expect("cache");
        std::fs::write(made.path().join("file"), "x").expect("file");
        let beside = make(&cache_dir).expect("made");
        assert_eq!(beside.path().parent(), Some(home.path().join("caches").as_path()));
        let paths = [made.path().to_path_buf(), beside.path().to_path_buf()];
        drop((made, beside));
        assert!(paths.iter().all(|path| !path.exists()));
    }
}
