//! A little room kept back on the disk, so that the catalog can still be written when the disk is full: what frees space (clearing,
//! emptying the trash, evicting) has to be written down, too.
//!
//! Little where little is free, and only where nobody misses it. Losing the file costs nothing but the room.

use fs4::FileExt as _;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Bytes kept back, when so many are free that nobody misses them, and when they are given up again.
struct Size {
    reserve_bytes: u64,
    /// With this much free it is taken.
    plenty_bytes: u64,
    /// With less than this free it is given up.
    little_bytes: u64,
}

/// A catalog's write-ahead log grows by little more between two checkpoints.
const LARGE: Size = Size { reserve_bytes: 4 << 20, plenty_bytes: 64 << 20, little_bytes: 1 << 20 };
/// Enough to open a catalog, which needs shared memory and the beginning of a log even to be read, and to write a little.
const SMALL: Size = Size { reserve_bytes: 256 << 10, plenty_bytes: 4 << 20, little_bytes: 64 << 10 };

/// The reserve of one catalog.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    /// Its bytes; 0 when none is kept.
    kept_bytes: u64,
}

impl Reserve {
    /// The reserve beside a catalog; nothing is written yet.
    pub(super) fn beside(catalog: &Path) -> Self {
        let mut name = catalog.as_os_str().to_os_string();
        name.push(".reserve");
        let path = PathBuf::from(name);
        Self { kept_bytes: fs::metadata(&path).map_or(0, |kept| kept.len()), path }
    }

    /// Before the catalog is opened or written: gives the room up when there is no other.
    pub(super) fn lend(&mut self) {
        let size = if self.kept_bytes > SMALL.reserve_bytes { LARGE } else { SMALL };
        if self.kept_bytes > 0 && self.free_bytes().is_some_and(|free| free < size.little_bytes) {
            match fs::remove_file(&self.path) {
                Ok(()) => tracing::warn!("the disk is full; the catalog writes into the room it had kept back"),
                Err(error) => tracing::warn!(%error, "the room kept back for the catalog could not be given up"),
            }
            self.kept_bytes = 0;
        }
    }

    /// After something was written: takes the room (again) when there is plenty.
    pub(super) fn restore(&mut self) {
        let free_bytes = self.free_bytes().unwrap_or(0);
        let Some(size) = [LARGE, SMALL].into_iter().find(|size| free_bytes >= size.plenty_bytes) else { return };
        if self.kept_bytes >= size.reserve_bytes {
            return;
        }
        let kept = File::create(&self.path).and_then(|mut file| {
            // Room that is taken without writing, where the file system can; else zeros take it: a length alone would not.
            file.allocate(size.reserve_bytes).or_else(|_| {
                let zeros = vec![0_u8; 1 << 16];
                (0..size.reserve_bytes / (1 << 16)).try_for_each(|_| file.write_all(&zeros))
            })
        });
        if let Err(error) = kept {
            tracing::debug!(%error, "no room could be kept back for the catalog");
        }
        self.kept_bytes = size.reserve_bytes;
    }

    fn free_bytes(&self) -> Option<u64> {
        fs4::available_space(self.path.parent()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_kept_once_and_found_again() {
        let folder = tempfile::tempdir().expect("folder");
        let catalog = folder.path().join("catalog.sqlite");
        let mut reserve = Reserve::beside(&catalog);
        if reserve.free_bytes().is_none_or(|free| free < SMALL.plenty_bytes) {
            reserve.restore();
            assert!(!reserve.path.exists(), "nothing is kept back where little is free");
            return;
        }
        reserve.restore();
        let kept = fs::metadata(&reserve.path).expect("kept").len();
        assert!(kept == LARGE.reserve_bytes || kept == SMALL.reserve_bytes);
        let mut again = Reserve::beside(&catalog);
        assert_eq!(again.kept_bytes, kept);
        again.lend();
        assert!(reserve.path.exists(), "it is not given up while there is room");
    }
}
