//! The window in every language: all of it is drawn, no letter is missing, no word is cut, and the change takes no restart.

use crate::desk::{Desk, desk_with_market, warm_desk};
use eframe::egui;
use egui::epaint::{ClippedShape, Shape, TextShape};
use egui::{Key, Modifiers, Rect, vec2};
use egui_system_font_provider::SystemFontProvider;
use samovar::app::Command;
use samovar::language::Language;
use std::collections::BTreeSet;
use std::sync::Arc;

const ALL: [Language; 4] = [Language::English, Language::Chinese, Language::Russian, Language::Korean];

/// A desk with the fonts of the system, as eframe gives them to the window; `None` where they do not suffice.
fn with_fonts(mut desk: Desk) -> Option<Desk> {
    desk.harness.ctx.add_font_provider(Arc::new(SystemFontProvider::new()));
    desk.harness.step();
    let font = egui::TextStyle::Body.resolve(&desk.harness.ctx.global_style());
    let has = |language: Language| desk.harness.ctx.fonts_mut(|fonts| fonts.has_glyphs(&font, language.sample()));
    if ALL.into_iter().all(has) {
        return Some(desk);
    }
    assert!(std::env::var_os("SAMOVAR_TEST_SERVERS").is_none(), "no font has Chinese or Korean letters: tests/run installs one");
    eprintln!("NOT RUN: no font of this system has Chinese or Korean letters; tests/run installs one");
    None
}

fn texts_of<'a>(shape: &'a Shape, found: &mut Vec<&'a TextShape>) {
    match shape {
        Shape::Text(text) => found.push(text),
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| texts_of(shape, found)),
        _ => {}
    }
}

/// Texts that are shortened or do not fit where they stand.
fn cut(desk: &Desk) -> BTreeSet<String> {
    let mut cut = BTreeSet::new();
    let screen = desk.harness.ctx.content_rect();
    for ClippedShape { clip_rect, shape, .. } in &desk.harness.output().shapes {
        let mut texts = Vec::new();
        texts_of(shape, &mut texts);
        for text in texts {
            let words = text.galley.job.text.clone();
            let rect = Rect::from_min_size(text.pos + text.galley.rect.min.to_vec2(), text.galley.size());
            let clip = clip_rect.intersect(screen);
            // What scrolls is cut at the edges above and below; nothing is at the sides.
            let in_view = clip.y_range().contains(rect.center().y) && rect.width() > 0.0;
            let beside = rect.left() < clip.left() - 2.0 || rect.right() > clip.right() + 2.0;
            if in_view && (text.galley.elided || beside) {
                cut.insert(words);
            }
        }
    }
    cut
}

/// Runs a command by its keys, or by its words in the palette.
fn run(desk: &mut Desk, command: Command) {
    if command.shortcut().is_some() {
        desk.shortcut(command);
    } else {
        desk.shortcut(Command::Palette);
        desk.write(command.text());
        desk.key(Modifiers::NONE, Key::Enter);
    }
    desk.settle();
}

fn speak(desk: &mut Desk, language: Language) {
    let commands = [Command::SpeakEnglish, Command::SpeakChinese, Command::SpeakRussian, Command::SpeakKorean];
    let command = commands.into_iter().find(|command| command.language() == Some(language)).expect("a command");
    run(desk, command);
    assert_eq!(desk.state().language(), language);
}

/// What is shown, and what leads there.
const PLACES: [(&str, Command); 14] = [
    ("symbols", Command::ShowSymbols),
    ("inspector", Command::ShowInspector),
    ("features", Command::ShowFeatures),
    ("formula", Command::NewFormula),
    ("overview", Command::ShowOverview),
    ("jobs", Command::ShowJobs),
    ("settings", Command::ShowSettings),
    ("clear", Command::ClearAll),
    ("connect", Command::ConnectSource),
    ("speed", Command::MeasureSpeed),
    ("palette", Command::Palette),
    ("help", Command::Help),
    ("templates", Command::ApplyTemplate),
    ("template", Command::SaveTemplate),
];

#[test]
fn every_view_is_drawn_whole_in_every_language() {
    let Some(mut desk) = with_fonts(warm_desk(6, 120)) else { return };
    let mut wrong = Vec::new();
    for size in [vec2(1_280.0, 800.0), vec2(1_000.0, 640.0)] {
        desk.harness.set_size(size);
        for (name, command) in PLACES {
            let mut usual = BTreeSet::new();
            for language in ALL {
                speak(&mut desk, language);
                run(&mut desk, Command::ShowSymbols);
                // A letter that no font has makes the harness panic.
                run(&mut desk, command);
                if command == Command::ShowOverview {
                    desk.wait("the overview's numbers", |state| state.overview.survey.is_some());
                    desk.settle();
                }
                let cut = cut(&desk);
                // What is shortened in English is meant to be: paths, lines of facts, descriptions.
                if language == Language::English {
                    usual = cut;
                } else {
                    let meant =
                        |text: &&String| usual.contains(*text) || text.contains('/') || text.contains(" · ") || is_description(text);
                    let found: Vec<&String> = cut.iter().filter(|text| !meant(text)).collect();
                    if !found.is_empty() {
                        wrong.push(format!("{name} in {language:?} at {size:?}: {found:?}"));
                    }
                }
                put_away(&mut desk);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Closes what was opened.
fn put_away(desk: &mut Desk) {
    if desk.state().dialog.is_some() {
        desk.key(Modifiers::NONE, Key::Escape);
        desk.settle();
    }
    if desk.state().features.editor.is_some() {
        desk.press_and_settle(samovar::tr!("Close the formula"));
    }
    if desk.state().features.open {
        run(desk, Command::ShowFeatures);
    }
    if desk.state().inspector.open {
        run(desk, Command::ShowInspector);
    }
}

/// Whether a text says what a feature or function does, which is shown in full when it is pointed at.
fn is_description(text: &str) -> bool {
    ALL.into_iter().filter_map(Language::file).any(|file| {
        let found = file.split("\n\n").find(|entry| entry.contains(&format!("msgstr \"{text}\"")));
        found.is_some_and(|entry| entry.contains("msgctxt \"description\""))
    })
}

#[test]
fn a_language_is_chosen_in_the_settings_and_kept() {
    let mut desk = warm_desk(2, 40);
    run(&mut desk, Command::ShowSettings);
    for name in ["English", "Русский"] {
        assert!(desk.has_button(name), "{name} by its own name");
    }
    assert!(desk.has_button("Chinese") && desk.has_button("Korean"), "in English, for the tests have no font for their own names");
    desk.press_and_settle("Русский");
    assert!(desk.has_button("Прогреть всё") && !desk.has_button("Preheat all"), "at once");
    desk.wait_saved("the language", |settings| settings.appearance.language == Some(Language::Russian));
    let mut desk = desk.restart();
    desk.settle();
    assert!(desk.has_button("Прогреть всё"), "and at the next start");
    desk.press_and_settle("Язык системы");
    assert!(desk.has_button("Preheat all"), "the tests' desktop speaks English");
}

#[test]
fn numbers_and_dates_change_with_the_language() {
    let mut desk = warm_desk(2, 40);
    desk.assert_sees("2024-05-05");
    speak(&mut desk, Language::Russian);
    desk.assert_sees("05.05.2024");
}

#[test]
fn a_system_without_the_letters_is_told_so_in_words_it_can_show() {
    let mut desk = desk_with_market(1, 5);
    desk.harness.ctx.set_missing_glyph_policy(egui::MissingGlyphPolicy::Tofu);
    speak(&mut desk, Language::Russian);
    assert!(desk.state().notices.history().is_empty(), "the window's own fonts have Russian letters");
    speak(&mut desk, Language::Korean);
    let told = desk.wait_notice("No font of this system");
    assert!(told.contains("fonts-noto-cjk") && told.contains("한글"), "{told}");
}
