//! The field a formula is typed into: colours, waves under mistakes, and the list that completes what is typed.
//!
//! Not what is done with the text. Contract: the text is changed only by what the user types or takes; keys go to the list only
//! while it is open, so Enter never disappears into something that cannot be seen. What is shown as wrong is what is handed in.

use super::code::{byte_of_char, char_of_byte, font, highlighted, underline};
use crate::app::DraftMistake;
use crate::feature::formula::{Candidate, CandidateKind, Completion, complete};
use crate::tr;
use crate::ui::theme::{Theme, size, space};
use eframe::egui;
use egui::accesskit::Role;
use egui::text::{CCursor, CCursorRange, LayoutJob};
use egui::text_edit::TextEditState;
use egui::{
    Align2, Area, Event, EventFilter, Frame, Galley, Id, Key, Label, Margin, Modifiers, Order, Pos2, Rect, RichText, ScrollArea, Sense,
    SurrenderFocusOn, TextEdit, TextStyle, Ui, WidgetInfo, pos2, vec2,
};
use std::ops::Range;
use std::sync::Arc;

/// Lines of the list before it scrolls.
const LINES: usize = 8;
/// Width of the list, in points.
const LIST_POINTS: f32 = 380.0;

/// The field's name among widgets: keys that it wants are left to it.
#[must_use]
pub fn field_id() -> Id {
    Id::unique("formula field")
}

/// Passing state of the field.
#[derive(Debug, Clone, Default)]
pub struct FieldState {
    /// Where the cursor is, in bytes.
    pub cursor: usize,
    completion: Completion,
    chosen: usize,
    open: bool,
    /// Whether the list was asked for, so that it stays while the cursor moves.
    asked: bool,
    /// The first line of the list that is in view.
    first: usize,
    /// The colours of the text with this number, which no frame has to find again.
    colours: Option<((u64, bool), LayoutJob)>,
    /// Text and cursor of the frame before: what changed since is what the user did.
    before: (u64, usize),
}

impl FieldState {
    fn close(&mut self) {
        (self.open, self.asked, self.chosen, self.first) = (false, false, 0, 0);
    }
}

/// What a frame brought.
#[derive(Debug, Clone, Copy, Default)]
pub struct FieldOutput {
    /// The text is another.
    pub changed: bool,
    /// The suggestion for the mistake at the cursor, or the first, was asked for.
    pub mend: bool,
}

/// Keys pressed while the list was open.
#[derive(Default)]
struct ListKeys {
    step: isize,
    accept: bool,
    dismiss: bool,
}

fn list_keys(ui: &Ui) -> ListKeys {
    // Only bare keys: Shift+Enter and Shift+arrows stay the text's.
    let bare = |wanted: Key| {
        ui.input_mut(|input| {
            let before = input.events.len();
            input.events.retain(
                |event| !matches!(event, Event::Key { key, pressed: true, modifiers, .. } if *key == wanted && modifiers.is_none()),
            );
            isize::try_from(before - input.events.len()).unwrap_or(0)
        })
    };
    let page = isize::try_from(LINES).unwrap_or(8);
    ListKeys {
        step: bare(Key::ArrowDown) - bare(Key::ArrowUp) + page * (bare(Key::PageDown) - bare(Key::PageUp)),
        accept: bare(Key::Enter) + bare(Key::Tab) > 0,
        dismiss: bare(Key::Escape) > 0,
    }
}

/// Draws the field. `known` are the names that may be used besides functions and columns.
pub fn field_ui(
    ui: &mut Ui,
    state: &mut FieldState,
    text: &mut String,
    known: &[String],
    mistakes: &[DraftMistake],
    rows: usize,
) -> FieldOutput {
    let theme = Theme::of(ui);
    let id = field_id();
    let mut out = FieldOutput::default();
    let focused = ui.memory(|memory| memory.has_focus(id));
    if !focused && state.open && !pointer_on_list(ui, id) {
        state.close();
    }
    let keys = if state.open { list_keys(ui) } else { ListKeys::default() };
    let ask = focused
        && ui.input_mut(|input| input.consume_key(Modifiers::CTRL, Key::Space) || input.consume_key(Modifiers::COMMAND, Key::Space));
    out.mend = focused && ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::Period));

    let font = font(ui);
    let colours = &mut state.colours;
    let mut layouter = |ui: &Ui, text: &dyn egui::TextBuffer, wrap: f32| -> Arc<Galley> {
        let number = (egui::util::hash(text.as_str()), theme.dark);
        let before = colours.take();
        let known = match before.filter(|(known, _)| *known == number) {
            Some((_, job)) => job,
            None => highlighted(text.as_str(), theme, &font),
        };
        let mut job = known.clone();
        *colours = Some((number, known));
        job.wrap.max_width = wrap;
        ui.ctx().fonts_mut(|fonts| fonts.layout_job(job))
    };
    let keep_focus = pointer_on_list(ui, id).then(|| ui.ctx().options(|options| options.input_options.surrender_focus_on));
    if keep_focus.is_some() {
        ui.ctx().options_mut(|options| options.input_options.surrender_focus_on = SurrenderFocusOn::Never);
    }
    let edit = TextEdit::multiline(text)
        .id(id)
        .hint_text(tr!("Formula, such as $close / Mean($close, 20) - 1"))
        .desired_rows(rows)
        .desired_width(f32::INFINITY)
        .margin(Margin::symmetric(8, 6))
        .event_filter(EventFilter { tab: state.open, escape: state.open, horizontal_arrows: true, vertical_arrows: true })
        .layouter(&mut layouter)
        .show(ui);
    if let Some(before) = keep_focus {
        ui.ctx().options_mut(|options| options.input_options.surrender_focus_on = before);
    }
    let response = edit.response.response.clone();
    ui.ctx().accesskit_node_builder(id, |node| node.set_label(tr!("Formula")));
    let painter = ui.painter().with_clip_rect(edit.text_clip_rect.expand2(vec2(0.0, 2.0)));
    underline(&painter, theme, &edit.galley, edit.galley_pos, text, mistakes);

    if let Some(range) = edit.cursor_range {
        state.cursor = byte_of_char(text, range.primary.index.0);
    }
    state.cursor = state.cursor.min(text.len());
    let now = (egui::util::hash(text.as_str()), state.cursor);
    let typed = response.changed() && now != state.before;
    let moved = now != state.before;
    state.before = now;
    out.changed = response.changed();
    if ask {
        state.asked = true;
    }
    if keys.dismiss || !response.has_focus() && !pointer_on_list(ui, id) {
        state.close();
    } else if ask || (typed && !keys.accept) || (moved && state.asked) {
        find(state, text, known);
    } else if moved && !state.asked && !keys.accept {
        state.close();
    }
    if state.open {
        let last = state.completion.candidates.len().saturating_sub(1);
        state.chosen = state.chosen.saturating_add_signed(keys.step).min(last);
        let anchor = edit.galley.pos_from_cursor(CCursor::new(char_of_byte(text, state.completion.range.start)));
        let anchor = anchor.translate(edit.galley_pos.to_vec2());
        let taken = if keys.accept { Some(state.chosen) } else { completions_ui(ui, id, state, anchor, keys.step != 0) };
        if let Some(candidate) = taken.and_then(|place| state.completion.candidates.get(place)).cloned() {
            take(ui, state, text, &candidate);
            out.changed = true;
        }
    }
    out
}

/// Makes what stands in the field now something that undo comes back to: what follows is not typed.
fn remember(ui: &Ui, text: &str) {
    let Some(mut edit) = TextEditState::load(ui.ctx(), field_id()) else { return };
    let cursor = edit.cursor.char_range().unwrap_or_default();
    let mut undoer = edit.undoer();
    undoer.add_undo(&(cursor, text.to_owned()));
    edit.set_undoer(undoer);
    edit.store(ui.ctx(), field_id());
}

/// Puts a text at the cursor, or in place of what is selected, and gives the field the keyboard.
pub fn insert(ui: &Ui, state: &mut FieldState, text: &mut String, inserted: &str) {
    remember(ui, text);
    let at = state.cursor.min(text.len());
    let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.insert_str(at, inserted);
    place_cursor(ui, state, text, at + inserted.len());
    ui.memory_mut(|memory| memory.request_focus(field_id()));
}

/// A mistake is about to be replaced by what was meant: the cursor goes behind that.
pub fn mended(ui: &Ui, state: &mut FieldState, text: &str, mistake: &DraftMistake) {
    remember(ui, text);
    let (Some(meant), Some(before)) = (&mistake.suggestion, text.get(..mistake.span.start)) else { return };
    let until = format!("{before}{meant}");
    place_cursor(ui, state, &until, until.len());
}

fn place_cursor(ui: &Ui, state: &mut FieldState, text: &str, byte: usize) {
    let cursor = CCursor::new(char_of_byte(text, byte));
    let mut edit = TextEditState::load(ui.ctx(), field_id()).unwrap_or_default();
    edit.cursor.set_char_range(Some(CCursorRange::one(cursor)));
    edit.store(ui.ctx(), field_id());
    state.cursor = byte;
    // Placing it is no typing.
    state.before = (egui::util::hash(text), byte);
}

/// Looks for what could be meant at the cursor, and opens the list if there is something to choose.
fn find(state: &mut FieldState, text: &str, known: &[String]) {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    state.completion = complete(text, state.cursor, &known);
    (state.chosen, state.first) = (0, 0);
    let Completion { range, candidates } = &state.completion;
    let written = text.get(range.clone()).unwrap_or_default();
    let before = text.get(..range.start).and_then(|before| before.chars().next_back());
    // A number is being typed, or nothing yet: the list would only be in the way.
    let begun = written.starts_with(|char: char| !char.is_ascii_digit()) || before == Some('.');
    let done = candidates.len() == 1 && candidates.first().is_some_and(|only| only.insert.trim_end_matches(['(', ')']) == written);
    state.open = !candidates.is_empty() && !done && (state.asked || begun);
    if !state.open {
        state.asked &= !done;
    }
}

fn take(ui: &Ui, state: &mut FieldState, text: &mut String, candidate: &Candidate) {
    let Range { start, end } = state.completion.range;
    if text.get(start..end).is_none() {
        return;
    }
    remember(ui, text);
    // A bracket that stands there already is not written twice.
    let doubled = candidate.insert.ends_with('(') && text.get(end..).is_some_and(|after| after.starts_with('('));
    text.replace_range(start..end, if doubled { candidate.insert.trim_end_matches('(') } else { &candidate.insert });
    let length = candidate.insert.len();
    place_cursor(ui, state, text, start + length);
    state.close();
}

fn list_area(id: Id) -> Id {
    id.with("completions")
}

fn pointer_on_list(ui: &Ui, id: Id) -> bool {
    let layer = egui::LayerId::new(Order::Foreground, list_area(id));
    ui.ctx().pointer_interact_pos().and_then(|pos| ui.ctx().layer_id_at(pos)) == Some(layer)
}

/// The list at the cursor; returns what was clicked.
fn completions_ui(ui: &Ui, id: Id, state: &mut FieldState, anchor: Rect, stepped: bool) -> Option<usize> {
    let theme = Theme::of(ui);
    let font = font(ui);
    let Completion { candidates, .. } = &state.completion;
    let lines = candidates.len().min(LINES);
    let height = lines as f32 * size::ROW + 2.0 * space::XS + size::ROW + space::XS;
    let screen = ui.ctx().content_rect();
    let left = (anchor.left() - space::M).min(screen.right() - LIST_POINTS - space::L).max(screen.left() + space::XS);
    let below = anchor.bottom() + space::XS;
    let top = if below + height < screen.bottom() { below } else { (anchor.top() - space::XS - height).max(screen.top()) };
    let mut taken = None;
    let mut hovered = None;
    let area = Area::new(list_area(id)).order(Order::Foreground).fixed_pos(Pos2::new(left, top)).constrain(true);
    area.show(ui.ctx(), |ui| {
        Frame::popup(ui.style()).fill(theme.raised).inner_margin(Margin::same(4)).show(ui, |ui| {
            ui.set_width(LIST_POINTS);
            ui.spacing_mut().item_spacing.y = 0.0;
            let rows = lines as f32 * size::ROW;
            let mut scroll = ScrollArea::vertical().max_height(rows).min_scrolled_height(rows).auto_shrink([false, true]);
            if stepped {
                // The chosen line stays in view; the list moves no more than that takes.
                state.first = state.first.clamp((state.chosen + 1).saturating_sub(lines), state.chosen);
                scroll = scroll.vertical_scroll_offset(state.first as f32 * size::ROW);
            }
            scroll.show_rows(ui, size::ROW, candidates.len(), |ui, shown| {
                for place in shown {
                    let Some(candidate) = candidates.get(place) else { continue };
                    let response = candidate_ui(ui, candidate, place == state.chosen, &font);
                    if response.hovered() && ui.input(|input| input.pointer.is_moving()) {
                        hovered = Some(place);
                    }
                    if response.clicked() {
                        taken = Some(place);
                    }
                }
            });
            ui.separator();
            let chosen = candidates.get(state.chosen);
            let detail = chosen.map(|chosen| chosen.detail.as_str()).unwrap_or_default();
            ui.horizontal(|ui| {
                ui.set_height(size::ROW - space::XS);
                ui.add_space(space::XS);
                ui.add(Label::new(RichText::new(detail).small().color(theme.text_weak)).truncate());
            });
        });
    });
    if let Some(place) = hovered {
        state.chosen = place;
    }
    taken
}

fn candidate_ui(ui: &mut Ui, candidate: &Candidate, chosen: bool, font: &egui::FontId) -> egui::Response {
    let theme = Theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), size::ROW), Sense::CLICK);
    if chosen {
        ui.painter().rect_filled(rect, size::RADIUS, theme.accent_weak);
    }
    let mut job = highlighted(&candidate.label, theme, font);
    let kind = match candidate.kind {
        CandidateKind::Parameter => "parameter",
        CandidateKind::Output => "output",
        CandidateKind::Field => "column",
        CandidateKind::Feature => "feature",
        CandidateKind::Function => "function",
    };
    let small = TextStyle::Small.resolve(ui.style());
    let at = pos2(rect.right() - space::S, rect.center().y);
    let right = ui.painter().text(at, Align2::RIGHT_CENTER, kind, small, theme.text_weak).left();
    job.wrap = egui::text::TextWrapping::truncate_at_width(right - rect.left() - 2.0 * space::S);
    let galley = ui.ctx().fonts_mut(|fonts| fonts.layout_job(job));
    ui.painter().galley(pos2(rect.left() + space::S, rect.center().y - galley.size().y * 0.5), galley, theme.text);
    response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, chosen, &candidate.label));
    response
}
