//! Legends: which line is which, its value at the pointer, and its buttons.
//!
//! Contract: where an entry stands depends on names and on the widest value of its whole series, never on the value shown,
//! so that nothing jumps while the pointer moves; a legend never takes more than a part of its pane, and what does not fit is
//! behind one button.

use super::data::ChartData;
use super::entry::{Entry, decimals_of};
use super::paint::head_word;
use super::scale::Bases;
use crate::app::chart::{ChartLayout, Placement, SeriesId, SeriesLayout};
use crate::tr;
use crate::ui::icons;
use crate::ui::theme::{Theme, size, space};
use eframe::egui;
use egui::{Align, Align2, Color32, FontId, Id, Layout, Popup, Pos2, Rect, Role, Sense, TextStyle, Ui, Vec2, WidgetInfo, pos2, vec2};

/// Height of a row of a legend, in points.
pub(super) const ROW_POINTS: f32 = 20.0;
/// Between legend and the upper edge of its pane.
pub(super) const TOP_POINTS: f32 = 4.0;
/// Part of a pane's height that lines may take.
const MOST_SHARE: f32 = 0.4;

/// What the user wants of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LegendAction {
    ToggleVisible(SeriesId),
    Remove(SeriesId),
    /// Show it alone in its pane, or all again.
    Solo(SeriesId),
    Settings(SeriesId),
    Duplicate(SeriesId),
    Move(SeriesId, Placement),
}

/// What values are told of: the data, the bar, and what lines are seen against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) data: &'a ChartData,
    pub(super) row: Option<usize>,
    pub(super) bases: &'a Bases,
}

/// Where the entry is that something was wanted of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct EntryPlace {
    /// Just below it.
    pub(super) at: Pos2,
    /// Upper edge of its pane.
    pub(super) pane_top: f32,
}

/// What did not fit, behind one button.
#[derive(Debug, Clone)]
struct More {
    entries: Vec<Entry>,
    rect: Rect,
}

/// A pane's legend, placed but not drawn.
#[derive(Debug, Clone, Default)]
pub(super) struct Legend {
    head: Vec<(HeadPart, f32)>,
    entries: Vec<Entry>,
    more: Option<More>,
    rows: usize,
}

/// What stands before the lines of a pane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HeadPart {
    /// A title that never changes: the symbol.
    Title(String),
    /// A word and a value: `O` and the opening price.
    Value(&'static str),
}

/// What a head's value is at a bar, and its colour.
pub(super) type HeadValue<'a> = &'a dyn Fn(&'static str) -> (String, Color32);

pub(super) fn font(ui: &Ui) -> FontId {
    TextStyle::Small.resolve(ui.style())
}

fn width(ui: &Ui, text: &str, font: &FontId) -> f32 {
    ui.painter().layout_no_wrap(text.to_owned(), font.clone(), Color32::PLACEHOLDER).size().x.ceil()
}

fn title_font(ui: &Ui) -> FontId {
    TextStyle::Body.resolve(ui.style())
}

impl Legend {
    /// Places the head's parts (each with its widest text) and the lines in the room that the pane has. Lines over prices begin a
    /// row of their own and have the prices' decimals.
    pub(super) fn place(
        ui: &Ui,
        layout: &ChartLayout,
        data: &ChartData,
        head: &[(HeadPart, String)],
        lines: &[SeriesLayout],
        room: Vec2,
        price_decimals: Option<usize>,
    ) -> Self {
        let font = font(ui);
        let mut x = 0.0;
        let mut placed_head = Vec::new();
        for (part, widest) in head {
            let wide = match part {
                HeadPart::Title(title) => width(ui, title, &title_font(ui)),
                HeadPart::Value("") => width(ui, widest, &font),
                HeadPart::Value(word) => width(ui, head_word(word), &font) + space::XS + width(ui, widest, &font),
            };
            // What does not fit is left out rather than cut: the price axis and the tags say it too.
            if x + wide <= room.x || x == 0.0 {
                placed_head.push((part.clone(), x));
                x += wide + space::M;
            }
        }
        let mut row = 0;
        if price_decimals.is_some() && !lines.is_empty() && x > 0.0 {
            (x, row) = (0.0, 1);
        }
        let pane_decimals = price_decimals.or_else(|| common_decimals(data, lines));
        let most_rows = ((room.y * MOST_SHARE / ROW_POINTS) as usize).max(row + 1);
        let mut entries: Vec<Entry> = Vec::new();
        for line in lines {
            let mut entry =
                Entry::of(ui, layout, data, line, (price_decimals.is_some(), pane_decimals), lines.len() == 1 && head.is_empty());
            let wide = entry.rect.width();
            if x + wide > room.x && x > 0.0 {
                (x, row) = (0.0, row + 1);
            }
            entry.rect = entry.rect.translate(vec2(x, row as f32 * ROW_POINTS));
            x += wide + space::L;
            entries.push(entry);
        }
        let more = Self::take_more(ui, &mut entries, most_rows, room.x);
        let rows = entries.last().map_or(usize::from(!placed_head.is_empty()), |last| (last.rect.top() / ROW_POINTS) as usize + 1);
        Self { head: placed_head, entries, more, rows }
    }

    /// Takes away what stands below the last row there is room for, and makes place for the button that leads to it.
    fn take_more(ui: &Ui, entries: &mut Vec<Entry>, most_rows: usize, room: f32) -> Option<More> {
        let fits = |entry: &Entry| entry.rect.top() < most_rows as f32 * ROW_POINTS - 1.0;
        let mut kept = entries.iter().take_while(|entry| fits(entry)).count();
        if kept == entries.len() {
            return None;
        }
        let wide = width(ui, &more_words(entries.len()), &font(ui)) + space::S * 2.0;
        while kept > 1 && entries.get(kept - 1).is_some_and(|last| last.rect.right() + space::L + wide > room) {
            kept -= 1;
        }
        let after = entries.get(kept.saturating_sub(1)).map_or(Rect::ZERO, |last| last.rect);
        let rect = Rect::from_min_size(pos2(after.right() + space::S, after.top()), vec2(wide, ROW_POINTS));
        Some(More { entries: entries.split_off(kept), rect })
    }

    /// How much of the pane's top it takes.
    pub(super) fn height(&self) -> f32 {
        if self.rows == 0 { 0.0 } else { self.rows as f32 * ROW_POINTS + TOP_POINTS }
    }

    /// Whether one of its entries has the keyboard.
    pub(super) fn has_keys(&self, ui: &Ui, id: Id) -> bool {
        ui.memory(egui::Memory::focused).is_some_and(|focused| self.entries.iter().any(|entry| entry.own_id(id) == focused))
    }

    /// Draws it, with the values at `row`. Returns what was wanted of a line, and where its entry ends.
    pub(super) fn show_ui(
        &self,
        ui: &mut Ui,
        id: Id,
        pane: Rect,
        layout: &ChartLayout,
        seen: Seen<'_>,
        head_value: HeadValue<'_>,
    ) -> Option<(LegendAction, EntryPlace)> {
        let theme = Theme::of(ui);
        let origin = pane.min + vec2(space::M, TOP_POINTS);
        self.head_ui(ui, id, origin, theme, head_value);
        let place = |at: Pos2| EntryPlace { at, pane_top: pane.top() };
        let of_more = self.more.as_ref().and_then(|more| more.show_ui(ui, id, origin, seen));
        let mut wanted = of_more.map(|(action, at)| (action, place(at)));

        // The entry whose buttons are out, because the pointer or the keyboard is at it: they stand beside it, over the next
        // entry, so nothing has to move.
        let out_id = id.with("out");
        let was_out: Option<SeriesId> = ui.data(|memory| memory.get_temp(out_id));
        let pointer = ui.pointer_hover_pos().filter(|_| ui.rect_contains_pointer(pane));
        let focused = ui.memory(egui::Memory::focused);
        let mut now_out = focused.and_then(|focused| self.entries.iter().find(|entry| entry.ids(id).contains(&focused)));
        if let Some(pointer) = pointer {
            let local = pos2(pointer.x - origin.x, pointer.y - origin.y);
            let kept = self.entries.iter().find(|entry| Some(entry.id) == was_out && entry.wide_rect().contains(local));
            now_out = kept.or_else(|| self.entries.iter().find(|entry| entry.rect.contains(local))).or(now_out);
        }
        if now_out.map(|entry| entry.id) != was_out {
            ui.data_mut(|memory| match now_out {
                Some(entry) => {
                    memory.insert_temp(out_id, entry.id);
                }
                None => {
                    memory.remove_temp::<SeriesId>(out_id);
                }
            });
        }
        let at = |entry: &Entry| place(origin + vec2(entry.rect.left(), entry.rect.bottom() + space::S));
        // What is read must not have lines of the chart running through it.
        let veil = |ui: &Ui, rect: Rect| {
            ui.painter().rect_filled(rect.translate(origin.to_vec2()).expand2(vec2(space::XS, 0.0)), 0.0, theme.veil());
        };
        for entry in &self.entries {
            veil(ui, entry.rect);
        }
        for entry in self.entries.iter().filter(|entry| now_out.is_none_or(|out| out.id != entry.id)) {
            wanted = entry.show_ui(ui, id, origin, layout, seen).map(|action| (action, at(entry))).or(wanted);
        }
        let Some(entry) = now_out else { return wanted };
        // Entries that its buttons would cover in part go out of sight as a whole.
        let wide = entry.wide_rect().expand2(vec2(space::XS, 0.0));
        for covered in self.entries.iter().filter(|other| other.id != entry.id && other.rect.intersects(wide)) {
            ui.painter().rect_filled(covered.rect.translate(origin.to_vec2()).expand2(vec2(space::XS, 0.0)), 0.0, theme.background);
        }
        let back = entry.wide_rect().translate(origin.to_vec2()).expand2(vec2(space::XS, -1.0));
        ui.painter().rect_filled(back, size::RADIUS, theme.button);
        let of_entry = entry.show_ui(ui, id, origin, layout, seen);
        let of_buttons = entry.buttons_ui(ui, id, origin, theme);
        of_buttons.or(of_entry).map(|action| (action, at(entry))).or(wanted)
    }

    fn head_ui(&self, ui: &mut Ui, id: Id, origin: egui::Pos2, theme: &Theme, head_value: HeadValue<'_>) {
        let font = font(ui);
        let mut spoken = String::new();
        let mut right = origin.x;
        let veil = ui.painter().add(egui::Shape::Noop);
        for (part, x) in &self.head {
            let at = pos2(origin.x + x, origin.y + ROW_POINTS * 0.5);
            let painted = match part {
                HeadPart::Title(title) => {
                    spoken.push_str(title);
                    ui.painter().text(at, Align2::LEFT_CENTER, title, title_font(ui), theme.text)
                }
                HeadPart::Value(word) => {
                    let (value, color) = head_value(word);
                    let word = head_word(word);
                    spoken.push_str(&format!(" {word} {value}"));
                    let name = ui.painter().text(at, Align2::LEFT_CENTER, word, font.clone(), theme.text_weak);
                    let gap = if word.is_empty() { 0.0 } else { space::XS };
                    ui.painter().text(pos2(name.right() + gap, at.y), Align2::LEFT_CENTER, value, font.clone(), color)
                }
            };
            right = painted.right();
        }
        if !self.head.is_empty() {
            let rect = Rect::from_min_max(origin, pos2(right, origin.y + ROW_POINTS));
            ui.painter().set(veil, egui::Shape::rect_filled(rect.expand2(vec2(space::XS, 0.0)), 0.0, theme.veil()));
            let label = ui.interact(rect, id.with("head"), Sense::empty());
            label.widget_info(|| WidgetInfo::labeled(Role::Label, true, spoken.trim()));
        }
    }
}

/// One number of decimals for all lines of a pane whose values are of about one size, so that they can be compared at a glance.
fn common_decimals(data: &ChartData, lines: &[SeriesLayout]) -> Option<usize> {
    /// How many decimals apart still counts as one size.
    const APART: usize = 2;
    let decimals = || lines.iter().filter_map(|line| decimals_of(data.figures(&line.source)?));
    let (least, most) = (decimals().filter(|count| *count > 0).min()?, decimals().max()?);
    (most - least <= APART).then_some(least)
}

fn more_words(count: usize) -> String {
    tr!("+{count} more", count = count)
}

impl More {
    /// The button, and the list behind it.
    fn show_ui(&self, ui: &mut Ui, id: Id, origin: Pos2, seen: Seen<'_>) -> Option<(LegendAction, Pos2)> {
        let theme = Theme::of(ui);
        let rect = self.rect.translate(origin.to_vec2());
        let response = ui.interact(rect, id.with("more"), Sense::click());
        let words = more_words(self.entries.len());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, tr!("{count} more lines", count = self.entries.len())));
        let color = if response.hovered() || response.has_focus() { theme.accent } else { theme.text_weak };
        ui.painter().text(rect.center(), Align2::CENTER_CENTER, words, font(ui), color);
        let mut action = None;
        Popup::menu(&response).width(280.0).show(|ui| {
            ui.set_width(280.0);
            for entry in &self.entries {
                ui.horizontal(|ui| {
                    ui.set_min_height(size::ROW);
                    let (swatch, _) = ui.allocate_exact_size(vec2(super::entry::SWATCH_POINTS, size::ROW), Sense::empty());
                    entry.swatch_ui(ui, swatch, theme);
                    ui.label(&entry.name);
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        ui.spacing_mut().item_spacing.x = 0.0;
                        for (glyph, verb, wanted) in entry.buttons().into_iter().rev() {
                            if icons::icon_button_ui(ui, glyph, &format!("{verb} {}", entry.name)).clicked() {
                                action = Some(wanted);
                            }
                        }
                        ui.label(entry.value(seen));
                    });
                });
            }
        });
        action.map(|action| (action, rect.left_bottom()))
    }
}
