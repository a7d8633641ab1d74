//! The house of the README: arrows only downwards, egui only in the window, every module introduced.
//!
//! Reads the source as text; a new room gets its floor here.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot read the source has failed")]

#[path = "house/languages.rs"]
mod languages;

use std::fs;
use std::path::{Path, PathBuf};

/// Floors by room, as the README's table has them.
const FLOORS: [(&str, u8); 16] = [
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
