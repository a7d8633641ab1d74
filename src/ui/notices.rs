//! Notices at the lower right: they go by themselves, but errors and those that offer an undo stay longer.

use super::icons;
use super::theme::{Theme, space};
use super::window::{Outbox, ViewState};
use crate::app::{Action, AppState, LiveNotice};
use crate::worker::NoticeLevel;
use eframe::egui;
use egui::{Align2, Area, Frame, Id, Label, Margin, Order, RichText, Ui, vec2};
use std::time::Duration;

/// Most notices on show at a time.
const SHOWN: usize = 4;

/// What can be done from a notice: the words on its button, and the action.
fn offer_of(live: &LiveNotice) -> Option<(&str, Action)> {
    let offered = live.offer.as_ref().map(|offer| (offer.label.as_str(), (*offer.action).clone()));
    offered.or(live.notice.undo_batch.map(|batch| ("Undo", Action::Restore(batch))))
}

fn stays_secs(live: &LiveNotice) -> f64 {
    match live.notice.level {
        _ if live.offer.is_some() || live.notice.undo_batch.is_some() => 15.0,
        NoticeLevel::Success | NoticeLevel::Info => 6.0,
        NoticeLevel::Warning => 15.0,
        NoticeLevel::Error => 60.0,
    }
}

/// Draws the notices and lets those go whose time is over.
pub fn notices_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let live = state.notices.live();
    if live.is_empty() {
        views.notice_times.clear();
        return;
    }
    let theme = Theme::of(ui);
    let now = ui.input(|input| input.time);
    let mut next_end = f64::INFINITY;
    for notice in live {
        let since = *views.notice_times.entry(notice.id).or_insert(now);
        let left = stays_secs(notice) - (now - since);
        if left <= 0.0 {
            out.act(Action::DismissNotice(notice.id));
        } else {
            next_end = next_end.min(left);
        }
    }
    if next_end.is_finite() {
        ui.request_repaint_after(Duration::from_secs_f64(next_end));
    }
    Area::new(Id::unique("notices")).order(Order::Foreground).anchor(Align2::RIGHT_BOTTOM, vec2(-16.0, -44.0)).show(ui, |ui| {
        ui.set_max_width(420.0);
        for notice in live.iter().rev().take(SHOWN).rev() {
            let (glyph, color) = match notice.notice.level {
                NoticeLevel::Success => (icons::CHECK, theme.success),
                NoticeLevel::Info => (icons::INFO, theme.text_weak),
                NoticeLevel::Warning => (icons::WARNING, theme.warning),
                NoticeLevel::Error => (icons::ERROR, theme.error),
            };
            Frame::popup(ui.style()).fill(theme.raised).inner_margin(Margin::symmetric(12, 8)).show(ui, |ui| {
                ui.set_width(388.0);
                ui.horizontal_top(|ui| {
                    ui.label(icons::icon(glyph).color(color));
                    ui.vertical(|ui| {
                        ui.set_width(306.0);
                        ui.add(Label::new(RichText::new(&notice.notice.text).color(theme.text)).selectable(true).wrap());
                        if let Some((label, action)) = offer_of(notice)
                            && ui.button(label).clicked()
                        {
                            out.act(action);
                            out.act(Action::DismissNotice(notice.id));
                        }
                    });
                    if icons::icon_button_ui(ui, icons::CLOSE, "Close this message").clicked() {
                        out.act(Action::DismissNotice(notice.id));
                    }
                });
            });
            ui.add_space(space::XS);
        }
    });
}
