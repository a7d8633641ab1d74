//! Formulas as text: their colours, and the marks under what is wrong in them.

use crate::app::DraftMistake;
use crate::app::features::language::{TokenKind, tokens};
use crate::ui::theme::Theme;
use eframe::egui;
use egui::text::{CCursor, LayoutJob, TextFormat};
use egui::{Color32, FontId, Galley, Painter, Pos2, Shape, Stroke, TextStyle, Ui, pos2};
use std::ops::Range;

/// The colour of a part of a formula.
fn color_of(theme: &Theme, kind: TokenKind) -> Color32 {
    match kind {
        TokenKind::Field => theme.code_field,
        TokenKind::Function => theme.code_function,
        TokenKind::Number => theme.code_number,
        TokenKind::Name => theme.code_name,
        TokenKind::Operator | TokenKind::Punctuation => theme.text_weak,
        TokenKind::Unknown => theme.error,
    }
}

/// The font of formulas.
#[must_use]
pub fn font(ui: &Ui) -> FontId {
    TextStyle::Monospace.resolve(ui.style())
}

/// A formula in its colours.
#[must_use]
pub fn highlighted(text: &str, theme: &Theme, font: &FontId) -> LayoutJob {
    let mut job = LayoutJob::default();
    let mut from = 0;
    let mut append = |range: Range<usize>, color: Color32| {
        if let Some(part) = text.get(range).filter(|part| !part.is_empty()) {
            job.append(part, 0.0, TextFormat::simple(font.clone(), color));
        }
    };
    for (span, kind) in tokens(text) {
        append(from..span.start, theme.text);
        append(span.clone(), color_of(theme, kind));
        from = span.end;
    }
    append(from..text.len(), theme.text);
    job
}

/// The place of a byte of the text, counted in characters; inside a character: its beginning.
#[must_use]
pub fn char_of_byte(text: &str, byte: usize) -> usize {
    text.char_indices().take_while(|(at, _)| *at < byte).count()
}

/// The place of a character of the text, counted in bytes.
#[must_use]
pub fn byte_of_char(text: &str, char: usize) -> usize {
    text.char_indices().nth(char).map_or(text.len(), |(at, _)| at)
}

/// Half the height of a wave, and half its length.
const WAVE_POINTS: (f32, f32) = (1.25, 2.0);

/// Draws a wave under each mistake, exactly where it is; where nothing is (something is missing there), under the gap.
pub fn underline(painter: &Painter, theme: &Theme, galley: &Galley, origin: Pos2, text: &str, mistakes: &[DraftMistake]) {
    for mistake in mistakes {
        let (start, end) = (char_of_byte(text, mistake.span.start), char_of_byte(text, mistake.span.end));
        for (from, to) in stretches(galley, start, end.max(start + 1)) {
            wave(painter, origin + from.to_vec2(), origin.x + to, theme.error);
        }
    }
}

/// The stretches, row by row, under the characters from `start` to `end`: lower left corner and right edge.
fn stretches(galley: &Galley, start: usize, end: usize) -> Vec<(Pos2, f32)> {
    /// What a gap is drawn as wide as.
    const GAP_POINTS: f32 = 7.0;
    let mut found: Vec<(Pos2, f32)> = Vec::new();
    for char in start..end {
        let from = galley.pos_from_cursor(CCursor::new(char));
        let to = galley.pos_from_cursor(CCursor::new(char + 1));
        let right = if to.top() == from.top() && to.left() > from.left() { to.left() } else { from.left() + GAP_POINTS };
        match found.last_mut() {
            Some((corner, edge)) if corner.y == from.bottom() => *edge = edge.max(right),
            _ => found.push((pos2(from.left(), from.bottom()), right)),
        }
    }
    found
}

fn wave(painter: &Painter, from: Pos2, right: f32, color: Color32) {
    let (height, step) = WAVE_POINTS;
    let mut points = Vec::new();
    let (mut x, mut up) = (from.x, false);
    while x < right + step * 0.5 {
        points.push(pos2(x, from.y - if up { height * 2.0 } else { 0.0 }));
        x += step;
        up = !up;
    }
    painter.add(Shape::line(points, Stroke::new(1.0, color)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_cover_every_letter_once() {
        let theme = Theme::pick(true, crate::ui::theme::PriceColors::GreenUp);
        for text in ["", "Mean($close, 5)", "  a\n+ 均线 # ?", "((("] {
            assert_eq!(highlighted(text, theme, &FontId::monospace(12.0)).text, text);
        }
    }

    #[test]
    fn places_are_counted_both_ways() {
        let text = "均线 + x";
        assert_eq!(char_of_byte(text, text.find('x').unwrap()), 5);
        assert_eq!(byte_of_char(text, 5), text.find('x').unwrap());
        assert_eq!((char_of_byte(text, 99), byte_of_char(text, 99)), (6, text.len()));
    }
}
