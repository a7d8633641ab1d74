//! Fonts of the system for letters that the program's own fonts lack, found without making the window wait for them.
//!
//! egui asks for a font in the middle of laying out a text, and an answer takes reading dozens of files, on a disk that may be slow. So
//! whoever is asked here passes the question on to a thread and waits for a moment only: usually the answer is there by then. If not,
//! the letters are drawn as missing until it is, and everything is laid out anew. Not which fonts the program has ([`super::theme`]).

use eframe::egui;
use egui::{FallbackRequest, FontFamily, FontInsert, FontProvider};
use egui_system_font_provider::SystemFontProvider;
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Longest that the window waits for fonts, once; until what was asked then is answered it does not wait again.
const PATIENCE: Duration = Duration::from_millis(15);
/// How long no more letters are asked for before those that were found are drawn.
const SETTLED: Duration = Duration::from_millis(20);

type Question = (FontFamily, String);

/// What came of a question.
enum Answer {
    /// Nothing yet; and whether the asker has gone without it.
    Open { is_late: bool },
    /// The font, or that there is none.
    Known(Option<FontInsert>),
}

#[derive(Default)]
struct Answers {
    known: HashMap<Question, Answer>,
    /// Questions without an answer.
    open: usize,
    /// Whether a font was found too late, and is not drawn with yet.
    is_late: bool,
}

/// Asks another provider on a thread of its own.
pub(super) struct PatientFonts {
    questions: Sender<Question>,
    answers: Mutex<Answers>,
    answered: Condvar,
}

impl PatientFonts {
    /// Lets a window draw with the fonts of the system.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn install(ctx: &egui::Context) -> std::io::Result<Arc<Self>> {
        // Begins at once to look for what there is.
        Self::over(ctx, SystemFontProvider::new())
    }

    fn over(ctx: &egui::Context, system: impl FontProvider + 'static) -> std::io::Result<Arc<Self>> {
        let (questions, asked) = channel();
        let fonts = Arc::new(Self { questions, answers: Mutex::default(), answered: Condvar::new() });
        ctx.set_font_providers(vec![Arc::clone(&fonts) as Arc<dyn FontProvider>]);
        let (answering, ctx) = (Arc::clone(&fonts), ctx.clone());
        std::thread::Builder::new().name("samovar-fonts".to_owned()).spawn(move || answering.answer_all(&ctx, &system, &asked))?;
        Ok(fonts)
    }

    /// Whether letters may yet be found that are missing now.
    pub(super) fn are_looked_for(&self) -> bool {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.open > 0 || answers.is_late
    }

    fn answer_all(self: Arc<Self>, ctx: &egui::Context, system: &impl FontProvider, asked: &Receiver<Question>) {
        while let Ok(first) = asked.recv() {
            let mut next = Some(first);
            while let Some((family, cluster)) = next {
                let found = system.font_for(&FallbackRequest { cluster: &cluster, family: &family });
                self.note((family, cluster), found);
                next = asked.recv_timeout(SETTLED).ok();
            }
            let is_late = self.answers.lock().unwrap_or_else(PoisonError::into_inner).is_late;
            if is_late {
                // What was missed is asked for again by whoever lays out the next frame.
                ctx.set_font_providers(vec![Arc::clone(&self) as Arc<dyn FontProvider>]);
            } else {
                ctx.request_repaint();
            }
        }
    }

    fn note(&self, question: Question, found: Option<FontInsert>) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.open = answers.open.saturating_sub(1);
        let is_found = found.is_some();
        let before = answers.known.insert(question, Answer::Known(found));
        answers.is_late |= is_found && matches!(before, Some(Answer::Open { is_late: true }));
        self.answered.notify_all();
    }
}

impl FontProvider for PatientFonts {
    /// Has none to begin with; that it is asked means that what was found late is drawn with from now on.
    fn fonts_for_family(&self, _family: &FontFamily) -> Vec<FontInsert> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).is_late = false;
        Vec::new()
    }

    fn font_for(&self, request: &FallbackRequest<'_>) -> Option<FontInsert> {
        let question = (request.family.clone(), request.cluster.to_owned());
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        match answers.known.get(&question) {
            Some(Answer::Known(found)) => return found.clone(),
            Some(Answer::Open { .. }) => return None,
            None => {}
        }
        if self.questions.send(question.clone()).is_err() {
            return None;
        }
        let may_wait = answers.open == 0;
        answers.open += 1;
        answers.known.insert(question.clone(), Answer::Open { is_late: !may_wait });
        if !may_wait {
            return None;
        }
        let is_open = |answers: &mut Answers| matches!(answers.known.get(&question), Some(Answer::Open { .. }));
        let (mut answers, _) = self.answered.wait_timeout_while(answers, PATIENCE, is_open).unwrap_or_else(PoisonError::into_inner);
        match answers.known.get_mut(&question) {
            Some(Answer::Known(found)) => found.clone(),
            Some(Answer::Open { is_late }) => {
                *is_late = true;
                None
            }
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// A letter that one of egui's fonts has and the other lacks.
    const SCHWA: char = 'Ə';

    /// A system that says nothing before it is let, and then knows the font with the letter.
    struct Slow(Mutex<Receiver<()>>);

    impl FontProvider for Slow {
        fn font_for(&self, request: &FallbackRequest<'_>) -> Option<FontInsert> {
            self.0.lock().expect("alone").recv().expect("let");
            let data = egui::FontDefinitions::default().font_data["Ubuntu-Light"].as_ref().clone();
            (request.cluster.starts_with(SCHWA)).then(|| FontInsert::new("found", data, Vec::new()))
        }
    }

    #[test]
    fn a_slow_system_holds_up_no_frame_and_its_letters_come_later() {
        let ctx = egui::Context::default();
        let mut definitions = egui::FontDefinitions::default();
        for family in definitions.families.values_mut() {
            *family = vec!["Hack".to_owned()];
        }
        ctx.set_fonts(definitions);
        let (let_go, gate) = channel();
        let fonts = PatientFonts::over(&ctx, Slow(Mutex::new(gate))).expect("a thread");
        let has_letter = |letter: char| {
            let mut has = false;
            let output = ctx.run_ui(egui::RawInput::default(), |ui| {
                let font = egui::FontId::proportional(14.0);
                has = ui.fonts_mut(|fonts| fonts.has_glyph(&font, letter));
            });
            output.drop_without_applying_deltas();
            has
        };
        assert!(has_letter('a') && !fonts.are_looked_for());
        assert!(!has_letter(SCHWA) && fonts.are_looked_for(), "it is missing until it is found");
        assert!(!has_letter('中'), "what is asked meanwhile does not wait at all");
        let_go.send(()).expect("asked");
        let_go.send(()).expect("asked");
        let began = Instant::now();
        while !has_letter(SCHWA) {
            assert!(began.elapsed() < Duration::from_secs(20), "the letter was found and is not drawn");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(!has_letter('中'));
        assert!(!fonts.are_looked_for());
    }
}
