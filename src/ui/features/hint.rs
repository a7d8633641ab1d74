//! How the function is called that the cursor is in, with the part that is being written in full colour.

use super::code::font;
use crate::feature::formula::{CallAt, call_at};
use crate::feature::functions::Function;
use crate::language::describe;
use crate::ui::theme::{Theme, space};
use eframe::egui;
use egui::text::{LayoutJob, TextFormat};
use egui::{FontId, Label, TextStyle, Ui};

/// Draws it in one line, which stays empty outside of every function.
pub fn hint_ui(ui: &mut Ui, text: &str, cursor: usize) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        ui.set_height(20.0);
        let Some(CallAt { function, argument }) = call_at(text, cursor) else { return };
        let small = TextStyle::Small.resolve(ui.style());
        let job = job_of(function, argument, theme, &font(ui), small);
        ui.add(Label::new(job).truncate()).on_hover_text(describe(&function.description));
    });
}

fn job_of(function: &Function, place: usize, theme: &Theme, code: &FontId, small: FontId) -> LayoutJob {
    let mut job = LayoutJob::default();
    let quiet = TextFormat::simple(code.clone(), theme.text_weak);
    let (before, part, after) = parts(&function.signature, place);
    job.append(before, 0.0, quiet.clone());
    job.append(part, 0.0, TextFormat::simple(code.clone(), theme.accent));
    job.append(after, 0.0, quiet);
    job.append(describe(&function.description), space::S, TextFormat::simple(small, theme.text_weak));
    job
}

/// The signature before, in and after the parameter at `place`.
fn parts(signature: &str, place: usize) -> (&str, &str, &str) {
    let (Some(open), Some(close)) = (signature.find('('), signature.rfind(')')) else { return (signature, "", "") };
    let mut start = open + 1;
    let mut depth = 0_usize;
    let mut count = 0;
    let inner = signature.get(start..close).unwrap_or_default();
    let mut end = close;
    for (at, char) in inner.char_indices() {
        match char {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                if count == place {
                    end = open + 1 + at;
                    break;
                }
                count += 1;
                start = open + 1 + at + 1;
            }
            _ => {}
        }
    }
    if count < place {
        return (signature, "", "");
    }
    let part = signature.get(start..end).unwrap_or_default();
    start += part.len() - part.trim_start().len();
    let cut = |range: std::ops::Range<usize>| signature.get(range).unwrap_or_default();
    (cut(0..start), cut(start..end), cut(end..signature.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_cut_at_the_parameter() {
        assert_eq!(parts("Mean(x, n)", 0), ("Mean(", "x", ", n)"));
        assert_eq!(parts("Mean(x, n)", 1), ("Mean(x, ", "n", ")"));
        assert_eq!(parts("Mean(x, n)", 2), ("Mean(x, n)", "", ""));
        assert_eq!(parts("F(a, b = (1, 2))", 1), ("F(a, ", "b = (1, 2)", ")"));
    }
}
