//! Notices at the lower right, which go by themselves, and those of before behind the bell.
//!
//! Errors and what offers something to do stay longer. Under the pointer nothing goes: who reads is not hurried.

use super::icons;
use super::symbols::local_time;
use super::theme::{Theme, space};
use super::window::{Outbox, ViewState};
use crate::app::{Action, AppState, LiveNotice, PastNotice, View, in_short};
use crate::worker::NoticeLevel;
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Align, Align2, Area, Color32, Frame, Id, Label, Layout, Margin, Order, Popup, RichText, ScrollArea, Ui, pos2, vec2};
use std::time::Duration;

/// Most notices on show at a time.
const SHOWN: usize = 4;
/// Width of a notice's text, in points.
const TEXT_POINTS: f32 = 332.0;
/// Width of the history, in points.
const HISTORY_POINTS: f32 = 440.0;

/// What can be done from a notice: the words on its button, and the action.
fn offer_of(live: &LiveNotice) -> Option<(&str, Action)> {
    let offered = live.offer.as_ref().map(|offer| (offer.label.as_str(), (*offer.action).clone()));
    offered.or(live.notice.undo_batch.map(|batch| (tr!("Undo"), Action::Restore(batch))))
}

fn stays_secs(live: &LiveNotice) -> f64 {
    let offers_undo = live.notice.undo_batch.is_some() || live.offer.as_ref().is_some_and(|offer| offer.label == tr!("Undo"));
    match live.notice.level {
        NoticeLevel::Success | NoticeLevel::Info if offers_undo => 15.0,
        NoticeLevel::Success | NoticeLevel::Info if live.offer.is_some() => 8.0,
        NoticeLevel::Success | NoticeLevel::Info => 6.0,
        NoticeLevel::Warning => 15.0,
        NoticeLevel::Error => 60.0,
    }
}

/// The icon and colour of a level.
fn mark_of(level: NoticeLevel, theme: &Theme) -> (&'static str, Color32) {
    match level {
        NoticeLevel::Success => (icons::CHECK, theme.success),
        NoticeLevel::Info => (icons::INFO, theme.text_weak),
        NoticeLevel::Warning => (icons::WARNING, theme.warning),
        NoticeLevel::Error => (icons::ERROR, theme.error),
    }
}

/// Draws the notices and lets those go whose time is over.
pub fn notices_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let live = state.notices.live();
    if live.is_empty() {
        views.notice_times.clear();
        views.whole_notices.clear();
        return;
    }
    let now = ui.input(|input| input.time);
    let mut next_end = f64::INFINITY;
    for notice in live {
        let since = views.notice_times.entry(notice.id).or_insert(now);
        if views.notices_held {
            // Begun anew: what was being read is not gone the moment the pointer leaves.
            *since = now;
        }
        let left = stays_secs(notice) - (now - *since);
        if left <= 0.0 {
            out.act(Action::DismissNotice(notice.id));
        } else {
            next_end = next_end.min(left);
        }
    }
    if next_end.is_finite() && !views.notices_held {
        ui.request_repaint_after(Duration::from_secs_f64(next_end));
    }
    // Not over the buttons at the foot of a formula.
    let beside = if state.view == View::Symbols && state.features.open { views.panel.width() } else { 0.0 };
    let area = Area::new(Id::unique("notices")).order(Order::Foreground).anchor(Align2::RIGHT_BOTTOM, vec2(-16.0 - beside, -44.0));
    let shown = area.show(ui, |ui| {
        ui.set_max_width(420.0);
        for notice in live.iter().rev().take(SHOWN).rev() {
            notice_ui(ui, notice, views, out);
            ui.add_space(space::XS);
        }
    });
    views.notices_held = ui.input(|input| input.pointer.hover_pos()).is_some_and(|pos| shown.response.rect.contains(pos));
}

fn notice_ui(ui: &mut Ui, notice: &LiveNotice, views: &mut ViewState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let (glyph, color) = mark_of(notice.notice.level, theme);
    Frame::popup(ui.style()).fill(theme.raised).inner_margin(Margin::symmetric(12, 8)).show(ui, |ui| {
        ui.set_width(388.0);
        ui.horizontal_top(|ui| {
            ui.label(icons::icon(glyph).color(color));
            ui.vertical(|ui| {
                ui.set_width(TEXT_POINTS);
                text_ui(ui, (notice.id, &notice.notice.text), notice.count, views);
                if let Some((label, action)) = offer_of(notice)
                    && ui.button(label).clicked()
                {
                    out.act(action);
                    out.act(Action::DismissNotice(notice.id));
                }
            });
            if icons::icon_button_ui(ui, icons::CLOSE, tr!("Close this message")).clicked() {
                out.act(Action::DismissNotice(notice.id));
            }
        });
    });
}

/// What a notice says: in short, with the way to all of it; and how often it was said.
fn text_ui(ui: &mut Ui, (id, text): (u64, &str), count: u64, views: &mut ViewState) {
    let theme = Theme::of(ui);
    let text: &str = &crate::app::said(text);
    let (short, more) = in_short(text);
    let whole = views.whole_notices.contains(&id);
    let shown = if whole || !more { text.to_owned() } else { format!("{short}…") };
    ui.add(Label::new(RichText::new(shown).color(theme.text)).selectable(true).wrap());
    if count > 1 {
        let text = tr_n!(count, "{count} time", "{count} times");
        ui.label(RichText::new(text).small().color(theme.text_weak));
    }
    if more {
        let word = if whole { tr!("Hide details") } else { tr!("Show details") };
        if ui.add(egui::Link::new(RichText::new(word).small())).clicked() && !views.whole_notices.remove(&id) {
            views.whole_notices.insert(id);
        }
    }
}

/// The bell: how many notices were not seen, and behind it the history.
pub fn bell_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let unread = state.notices.unread();
    let name = match unread {
        0 => tr!("Notices").to_owned(),
        unread => tr_n!(unread as u64, "Notices: {count} new", "Notices: {count} new"),
    };
    let bell = icons::icon_button_ui(ui, icons::BELL, &name);
    if let Some(level) = state.notices.worst_unread() {
        let color = match level {
            NoticeLevel::Success | NoticeLevel::Info => theme.accent,
            NoticeLevel::Warning | NoticeLevel::Error => mark_of(level, theme).1,
        };
        let font = egui::FontId::proportional(10.0);
        let text = if unread > 99 { "99".to_owned() } else { unread.to_string() };
        let galley = ui.painter().layout_no_wrap(text, font, theme.background);
        let center = pos2(bell.rect.right() - 5.0, bell.rect.top() + 6.0);
        let room = egui::Rect::from_center_size(center, vec2((galley.size().x + 6.0).max(13.0), 13.0));
        ui.painter().rect_filled(room, 7.0, color);
        ui.painter().galley(center - galley.size() * 0.5, galley, theme.background);
    }
    let popup = Popup::menu(&bell).gap(space::S).close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
    let open = popup.is_open();
    popup.show(|ui| {
        ui.set_width(HISTORY_POINTS);
        history_ui(ui, state, views, out);
    });
    if open && unread > 0 {
        out.act(Action::ReadNotices);
    }
}

fn history_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let history = state.notices.history();
    ui.horizontal(|ui| {
        ui.label(RichText::new(tr!("Notices")).heading().color(theme.text));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if history.is_empty() {
                return;
            }
            if icons::icon_button_ui(ui, icons::CLEAR, tr!("Forget all notices")).clicked() {
                out.act(Action::ForgetNotices);
            }
            if icons::icon_button_ui(ui, icons::COPY, tr!("Copy all notices")).clicked() {
                out.act(Action::Copy(history.iter().map(line_of).collect()));
            }
        });
    });
    ui.add_space(space::XS);
    if history.is_empty() {
        ui.label(RichText::new(tr!("Nothing was told in this session")).color(theme.text_weak));
        return;
    }
    let tallest = (ui.ctx().content_rect().height() - 160.0).clamp(120.0, 520.0);
    // As high as it may be at once: a list that is measured while it is shown first has a bar for one line.
    ScrollArea::vertical().max_height(tallest).min_scrolled_height(tallest).show(ui, |ui| {
        for past in history.iter().rev() {
            past_ui(ui, past, views, out);
            ui.add_space(space::S);
        }
    });
}

/// A notice of the history as a line of text.
fn line_of(past: &PastNotice) -> String {
    let level = match past.level {
        NoticeLevel::Success => "done",
        NoticeLevel::Info => "note",
        NoticeLevel::Warning => "warning",
        NoticeLevel::Error => "error",
    };
    let at = if past.at_us > 0 { local_time(past.at_us) } else { String::new() };
    format!("{at}\t{level}\t{}\t{}\n", past.count, past.text)
}

fn past_ui(ui: &mut Ui, past: &PastNotice, views: &mut ViewState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let (glyph, color) = mark_of(past.level, theme);
    ui.horizontal_top(|ui| {
        ui.label(icons::icon(glyph).color(color));
        ui.vertical(|ui| {
            ui.set_width(HISTORY_POINTS - 64.0);
            text_ui(ui, (past.id, &past.text), past.count, views);
            ui.horizontal(|ui| {
                if past.at_us > 0 {
                    ui.label(RichText::new(local_time(past.at_us)).small().color(theme.text_weak));
                }
                if let Some(offer) = &past.offer
                    && ui.add(egui::Link::new(RichText::new(&offer.label).small())).clicked()
                {
                    out.act((*offer.action).clone());
                    ui.close();
                }
            });
        });
        if icons::icon_button_ui(ui, icons::COPY, tr!("Copy this notice")).clicked() {
            out.act(Action::Copy(past.text.clone()));
        }
    });
}
