//! An entry in the desktop's menu: a `.desktop` file and icons in the user's own data folder, as freedesktop.org has it.
//!
//! Linux and other desktops of freedesktop.org only; elsewhere an installer does this. Installing twice is harmless.

use std::path::{Path, PathBuf};

const ENTRY: &str = include_str!("../../assets/desktop/samovar.desktop");
const ICON_SVG: &[u8] = include_bytes!("../../assets/icon.svg");
const ICON_PNG: &[u8] = include_bytes!("../../assets/icon-256.png");

/// What was put where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The files.
    pub files: Vec<PathBuf>,
}

/// Why there is no entry.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be written: {reason}. Give yourself write permission there", .path.display())]
pub struct EntryError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub reason: String,
}

fn places(data_home: &Path) -> [PathBuf; 3] {
    [
        data_home.join("applications/samovar.desktop"),
        data_home.join("icons/hicolor/scalable/apps/samovar.svg"),
        data_home.join("icons/hicolor/256x256/apps/samovar.png"),
    ]
}

/// Puts entry and icons below the user's data folder (`~/.local/share`); the entry starts this program.
///
/// # Errors
/// When a file cannot be written.
pub fn install(data_home: &Path, program: &Path) -> Result<Installed, EntryError> {
    let [entry, svg, png] = places(data_home);
    let text = ENTRY.replace("Exec=samovar", &format!("Exec={}", quoted(&program.display().to_string())));
    for (path, bytes) in [(&entry, text.as_bytes()), (&svg, ICON_SVG), (&png, ICON_PNG)] {
        write(path, bytes).map_err(|error| EntryError { path: path.clone(), reason: error.to_string() })?;
    }
    Ok(Installed { files: vec![entry, svg, png] })
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, bytes)
}

/// Takes entry and icons away again; returns those that were there.
///
/// # Errors
/// When a file that is there cannot be removed.
pub fn remove(data_home: &Path) -> Result<Installed, EntryError> {
    let mut files = Vec::new();
    for path in places(data_home) {
        match std::fs::remove_file(&path) {
            Ok(()) => files.push(path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(EntryError { path, reason: error.to_string() }),
        }
    }
    Ok(Installed { files })
}

/// An argument of an `Exec` line, quoted where the rules want it.
fn quoted(program: &str) -> String {
    let program = program.replace('%', "%%");
    if !program.contains(|char: char| char.is_whitespace() || "\"'\\><~|&;$*?#()`".contains(char)) {
        return program;
    }
    let mut text = String::from("\"");
    for char in program.chars() {
        if matches!(char, '"' | '`' | '$' | '\\') {
            // Once for the argument, once for the string that it stands in.
            text.push_str("\\\\");
        }
        text.push(char);
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_starts_this_program_and_goes_without_a_trace() {
        let folder = tempfile::tempdir().expect("folder");
        let installed = install(folder.path(), Path::new("/opt/my tools/samovar")).expect("installed");
        assert!(installed.files.iter().all(|file| file.exists()));
        let text = std::fs::read_to_string(&installed.files[0]).expect("entry");
        assert!(text.starts_with("[Desktop Entry]\n") && text.contains("\nExec=\"/opt/my tools/samovar\"\n"), "{text}");
        for needed in ["Type=Application", "Name=Samovar", "Icon=samovar", "Categories=", "StartupWMClass=samovar"] {
            assert!(text.contains(needed), "{needed}");
        }
        assert_eq!(install(folder.path(), Path::new("/usr/bin/samovar")).expect("again"), installed);
        assert_eq!(remove(folder.path()).expect("removed"), installed);
        assert!(installed.files.iter().all(|file| !file.exists()));
        assert_eq!(remove(folder.path()).expect("nothing there").files, Vec::<PathBuf>::new());
    }
}
