//! A long list of which only what is in view is built: lines of their own heights, walked with the arrow keys.
//!
//! Not what a line looks like. Contract: the keyboard's place is kept by line, not by widget, so it survives scrolling; a line
//! that is taller than was thought is measured once and right from then on.

use eframe::egui;
use egui::{EventFilter, Id, Key, Modifiers, Rect, Response, ScrollArea, Ui, UiBuilder, pos2, vec2};
use std::ops::Range;

/// Where the keyboard is in a list.
#[derive(Debug, Clone, Default)]
pub struct ListCursor {
    /// The line.
    pub line: usize,
    /// Whether it has to be scrolled to and given the keyboard when it is drawn.
    wanted: bool,
}

impl ListCursor {
    /// Gives the keyboard to a line, wherever it is.
    pub fn go_to(&mut self, line: usize) {
        (self.line, self.wanted) = (line, true);
    }

    /// To be called with the response of each line that can have the keyboard: takes it over, and walks.
    pub fn follow(&mut self, ui: &Ui, line: usize, response: &Response, walkable: &dyn Fn(usize) -> bool, lines: usize) {
        if self.wanted && self.line == line {
            self.wanted = false;
            response.request_focus();
        }
        if !response.has_focus() {
            return;
        }
        self.line = line;
        let arrows = EventFilter { vertical_arrows: true, horizontal_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
        let pressed = |key: Key| ui.input_mut(|input| input.count_and_consume_key(Modifiers::NONE, key));
        let ways: [(Key, isize); 6] = [
            (Key::ArrowDown, 1),
            (Key::ArrowUp, -1),
            (Key::PageDown, 12),
            (Key::PageUp, -12),
            (Key::End, isize::MAX),
            (Key::Home, isize::MIN),
        ];
        for (key, way) in ways {
            for _ in 0..pressed(key) {
                if let Some(next) = step(self.line, way, lines, walkable) {
                    self.go_to(next);
                }
            }
        }
    }
}

/// The line so far on, or as far as there is one that can have the keyboard.
fn step(from: usize, way: isize, lines: usize, walkable: &dyn Fn(usize) -> bool) -> Option<usize> {
    let (down, mut left) = (way > 0, way.unsigned_abs());
    let mut reached = None;
    let mut line = from;
    while left > 0 {
        line = if down { line.checked_add(1).filter(|line| *line < lines) } else { line.checked_sub(1) }?.to_owned();
        if walkable(line) {
            reached = Some(line);
            left -= 1;
        }
        let end = if down { line + 1 == lines } else { line == 0 };
        if end {
            break;
        }
    }
    reached
}

/// Draws the lines in view. `height` is asked for every line; `line_ui` draws one and returns how high it turned out to be.
pub fn list_ui(
    ui: &mut Ui,
    salt: &str,
    lines: usize,
    cursor: &ListCursor,
    height: impl Fn(usize) -> f32,
    mut line_ui: impl FnMut(&mut Ui, usize) -> f32,
) -> Range<usize> {
    let mut tops = Vec::with_capacity(lines + 1);
    let mut top = 0.0;
    for line in 0..lines {
        tops.push(top);
        top += height(line);
    }
    tops.push(top);
    let mut area = ScrollArea::vertical().id_salt(salt).auto_shrink([false, false]);
    let wanted = cursor.wanted.then_some(cursor.line).filter(|line| *line < lines);
    let state_id = ui.make_persistent_id(Id::unique(salt)).with("view");
    if let (Some(line), Some((offset, seen))) = (wanted, ui.data(|data| data.get_temp::<(f32, f32)>(state_id))) {
        let (from, to) = (tops.get(line).copied().unwrap_or(0.0), tops.get(line + 1).copied().unwrap_or(top));
        if from < offset {
            area = area.vertical_scroll_offset(from);
        } else if to > offset + seen {
            area = area.vertical_scroll_offset(to - seen);
        }
    }
    let mut shown = 0..0;
    let mut wrong = false;
    area.show_viewport(ui, |ui, viewport| {
        ui.set_height(top);
        ui.set_width(ui.available_width());
        let origin = ui.max_rect().min;
        let width = ui.available_width();
        let first = tops.partition_point(|top| *top <= viewport.top()).saturating_sub(1);
        let last = tops.partition_point(|top| *top < viewport.bottom()).min(lines);
        shown = first..last;
        // The line the keyboard is on stays, however far it is scrolled away.
        for line in first..last {
            let (from, to) = (tops.get(line).copied().unwrap_or(0.0), tops.get(line + 1).copied().unwrap_or(top));
            let rect = Rect::from_min_size(pos2(origin.x, origin.y + from), vec2(width, to - from));
            let used = ui.scope_builder(UiBuilder::new().max_rect(rect).id_salt(("line", line)), |ui| line_ui(ui, line)).inner;
            wrong |= (used - (to - from)).abs() > 0.5;
        }
        ui.data_mut(|data| data.insert_temp(state_id, (viewport.top(), viewport.height())));
    });
    if wrong {
        ui.request_repaint();
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::step;

    #[test]
    fn walking_skips_headings_and_ends_at_the_ends() {
        let walkable = |line: usize| line != 0 && line != 3;
        assert_eq!(step(2, 1, 6, &walkable), Some(4));
        assert_eq!(step(4, -1, 6, &walkable), Some(2));
        assert_eq!(step(5, 1, 6, &walkable), None);
        assert_eq!(step(1, -1, 6, &walkable), None);
        assert_eq!(step(1, 12, 6, &walkable), Some(5));
        assert_eq!(step(5, isize::MIN, 6, &walkable), Some(1));
        assert_eq!(step(0, 1, 0, &|_| true), None);
    }
}
