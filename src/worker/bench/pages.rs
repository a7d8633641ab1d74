//! Making the system let go of files it keeps in its own memory, where it can be told to.
//!
//! Linux drops the pages of a file that is safely on its disk when it is advised to. A file system in memory has no disk to read
//! from again; other systems cannot be told.

use std::path::Path;

/// Lets go of every file below a folder. Returns whether the system did as it was told.
#[cfg(target_os = "linux")]
pub(super) fn let_go(folder: &Path) -> bool {
    /// tmpfs and ramfs.
    const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];
    let in_memory = rustix::fs::statfs(folder).map_or(true, |about| IN_MEMORY.contains(&(about.f_type as u64)));
    !in_memory && files_below(folder).is_some_and(|files| files.iter().all(|file| let_go_of(file)))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn let_go(_folder: &Path) -> bool {
    false
}

#[cfg(target_os = "linux")]
fn let_go_of(path: &Path) -> bool {
    let advise = |file: std::fs::File| rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed).is_ok();
    std::fs::File::open(path).is_ok_and(advise)
}

#[cfg(target_os = "linux")]
fn files_below(folder: &Path) -> Option<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(folder).ok()? {
        let path = item.ok()?.path();
        if path.is_dir() {
            found.extend(files_below(&path)?);
        } else {
            found.push(path);
        }
    }
    Some(found)
}
