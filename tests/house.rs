//! The house of the README: arrows only downwards, egui only in the window, every module introduced.
//!
//! Reads the source as text; a new room gets its floor here.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot read the source has failed")]

#[path = "house/languages.rs"]
mod languages;

use std::fs;
use std::path::{Path, PathBuf};

/// Floors by room, as the README's table has them.
const FLOORS: [(&str, u8); 17] = [
    ("ui", 7),
    ("cli", 7),
    ("app", 6),
    ("worker", 5),
    ("preheat", 4),
    ("cache", 3),
    ("feature", 2),
    ("source", 2),
    ("config", 2),
    ("desktop", 2),
    ("indicator", 1),
    ("market", 1),
    ("format", 1),
    ("here", 1),
    ("language", 1),
    ("log", 1),
    ("fault", 1),
];

fn floor(room: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == room).map(|(_, floor)| *floor)
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for item in fs::read_dir(folder).expect("a folder of the source") {
        let path = item.expect("an item").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn all() -> Vec<(PathBuf, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    sources(&root)
        .into_iter()
        .map(|path| {
            let inside = path.strip_prefix(&root).expect("below src").to_path_buf();
            let room = inside.iter().next().expect("a name").to_string_lossy().trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&path).expect("source text");
            (inside, room, text)
        })
        .collect()
}

/// The part of a file before its tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

#[test]
fn rooms_import_only_from_lower_floors() {
    let mut wrong = Vec::new();
    for (path, room, text) in all() {
        let Some(own) = floor(&room) else { continue };
        for (number, line) in without_tests(&text).lines().enumerate() {
            for part in line.split("crate::").skip(1) {
                let name: String = part.chars().take_while(|char| char.is_ascii_lowercase() || *char == '_').collect();
                if floor(&name).is_some_and(|other| other > own || (other == own && name != room && own > 2)) {
                    wrong.push(format!("{}:{} uses {name}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_window_knows_egui() {
    let wrong: Vec<_> = all()
        .into_iter()
        .filter(|(_, room, text)| room != "ui" && (text.contains("egui::") || text.contains("eframe::")))
        .map(|(path, ..)| path)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// What waits for a disk, a lock, a channel, another thread or another process: words of programs, and what they stand for.
const WAITING: [(&str, &str); 28] = [
    ("std::fs", "a file"),
    ("fs::", "a file"),
    ("File::", "a file"),
    ("tempfile", "a file"),
    (".exists()", "a file"),
    (".is_dir()", "a file"),
    (".is_file()", "a file"),
    (".metadata()", "a file"),
    (".canonicalize(", "a file"),
    ("read_dir", "a file"),
    ("env::var", "a lock"),
    ("env::current_dir", "a file"),
    ("chrono::Local", "the file of the time zone"),
    ("Local::now", "the file of the time zone"),
    ("&Local", "the file of the time zone"),
    ("Mutex", "a lock"),
    ("RwLock", "a lock"),
    ("Condvar", "a lock"),
    (".recv()", "a channel"),
    (".recv_timeout(", "a channel"),
    ("recv_blocking", "a channel"),
    ("send_blocking", "a channel"),
    ("block_on", "a future"),
    ("thread::sleep", "time"),
    (".join()", "a thread"),
    ("process::Command", "another process"),
    ("TcpStream", "a network"),
    ("rusqlite", "a database"),
];

/// Where one of those stands all the same, and why nothing waits there on the window's thread, or not for long.
const WAITS_NOT: [(&str, &str, &str); 6] = [
    ("ui/window.rs", "block_on", "file dialogs are waited for on threads of their own"),
    ("ui/chart/picture.rs", "Mutex", "held for as long as a pointer is moved"),
    ("ui/fonts.rs", "Mutex", "held for as long as a map is looked into"),
    ("ui/fonts.rs", "Condvar", "waited for at most 15 ms, once until an answer came"),
    ("ui/fonts.rs", ".recv()", "on a thread of its own"),
    ("ui/fonts.rs", ".recv_timeout(", "on a thread of its own"),
];

#[test]
fn nothing_of_the_window_can_wait() {
    let mut wrong = Vec::new();
    for (path, room, text) in all() {
        if room != "ui" && room != "app" {
            continue;
        }
        for (number, line) in without_tests(&text).lines().enumerate() {
            let code = line.split("//").next().unwrap_or(line);
            for (word, what) in WAITING.iter().filter(|(word, _)| code.contains(word)) {
                if !WAITS_NOT.iter().any(|(file, allowed, _)| path == Path::new(file) && allowed == word) {
                    wrong.push(format!("{}:{} may wait for {what}: {word}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "the worker may wait, the window may not: {wrong:#?}");
    let unused: Vec<_> = WAITS_NOT
        .iter()
        .filter(|(file, word, _)| !all().iter().any(|(path, _, text)| path == Path::new(file) && without_tests(text).contains(word)))
        .collect();
    assert!(unused.is_empty(), "nothing to allow: {unused:?}");
}

#[test]
fn every_module_says_what_it_is() {
    let wrong: Vec<_> = all().into_iter().filter(|(_, _, text)| !text.starts_with("//!")).map(|(path, ..)| path).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn every_room_has_a_floor() {
    let rooms: std::collections::BTreeSet<String> =
        all().into_iter().map(|(_, room, _)| room).filter(|room| room != "lib" && room != "main").collect();
    let unknown: Vec<_> = rooms.iter().filter(|room| floor(room).is_none()).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
