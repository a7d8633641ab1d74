//! A little room kept back on the disk, so that the catalog can still be written when the disk is full: what frees space (clearing,
//! emptying the trash, evicting) has to be written down, too.
//!
//! Only where the disk is large enough that nobody misses it. Losing the file costs nothing but the room.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Bytes kept back; a catalog's write-ahead log grows by little more between two checkpoints.
const RESERVE_BYTES: u64 = 4 << 20;
/// With less than this free, the reserve is given up.
const LITTLE_BYTES: u64 = 1 << 20;
/// With this much free it is taken again.
const PLENTY_BYTES: u64 = 64 << 20;

/// The reserve of one catalog.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    is_kept: bool,
}

impl Reserve {
    /// The reserve beside a catalog; nothing is written yet.
    pub(super) fn beside(catalog: &Path) -> Self {
        let mut name = catalog.as_os_str().to_os_string();
        name.push(".reserve");
        let path = PathBuf::from(name);
        Self { is_kept: path.exists(), path }
    }

    /// Before something is written: gives the room up when there is no other.
    pub(super) fn lend(&mut self) {
        if self.is_kept && self.free_bytes().is_some_and(|free| free < LITTLE_BYTES) {
            match fs::remove_file(&self.path) {
                Ok(()) => tracing::warn!("the disk is full; the catalog writes into the room it had kept back"),
                Err(error) => tracing::warn!(%error, "the room kept back for the catalog could not be given up"),
            }
            self.is_kept = false;
        }
    }

    /// After something was written: takes the room (again) when there is plenty.
    pub(super) fn restore(&mut self) {
        if self.is_kept || self.free_bytes().is_none_or(|free| free < PLENTY_BYTES) {
            return;
        }
        let kept = File::create(&self.path).and_then(|mut file| {
            // Zeros that are written are room that is taken; a length alone would not be.
            let zeros = vec![0_u8; 1 << 16];
            (0..RESERVE_BYTES / (1 << 16)).try_for_each(|_| file.write_all(&zeros))
        });
        if let Err(error) = kept {
            tracing::debug!(%error, "no room could be kept back for the catalog");
        }
        self.is_kept = true;
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
        if reserve.free_bytes().is_none_or(|free| free < PLENTY_BYTES) {
            reserve.restore();
            assert!(!reserve.path.exists(), "nothing is kept back where little is free");
            return;
        }
        reserve.restore();
        assert_eq!(fs::metadata(&reserve.path).expect("kept").len(), RESERVE_BYTES);
        let mut again = Reserve::beside(&catalog);
        assert!(again.is_kept);
        again.lend();
        assert!(reserve.path.exists(), "it is not given up while there is room");
    }
}
