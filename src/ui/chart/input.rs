//! What the pointer and the keys do to the stretch of time in view and to the heights of panes.

use super::data::ChartData;
use super::geometry::{fit, time_at};
use super::panes::{drag_edge, kinds};
use super::view::{Shown, edge_id};
use super::x_scale::{Clock, XScale};
use crate::app::chart::{ChartLayout, RangeChoice};
use crate::tr;
use crate::ui::format;
use eframe::egui;
use egui::{EventFilter, Id, Key, Modifiers, Rect, Response, Role, Sense, Ui, WidgetInfo};

/// How much a point of wheel travel zooms.
const ZOOM_PER_POINT: f64 = 0.004;
/// Share of the view that an arrow key moves.
const KEY_PAN: f64 = 0.1;
/// Factor of one press of `+`.
const KEY_ZOOM: f64 = 0.8;

/// Lets the edges between panes be dragged.
pub(super) fn drag_edges(ui: &Ui, id: Id, plot: Rect, layout: &mut ChartLayout) {
    // The strips are registered further below, over the plot; here their last drag is read, before anything is placed.
    for position in 0..kinds(layout).len().saturating_sub(1) {
        if let Some(response) = ui.read_response(edge_id(id, position)).filter(Response::dragged) {
            drag_edge(layout, plot.height(), position, response.drag_delta().y);
        }
    }
}

/// The plot as one thing that is clicked, dragged and focused.
pub(super) fn plot_response(ui: &Ui, id: Id, plot: Rect, data: &ChartData) -> Response {
    let response = ui.interact(plot, id, Sense::click_and_drag());
    response.widget_info(|| {
        let span = data.bars.first_us().zip(data.bars.last_us()).map(|(first, last)| format::date_span(first, last));
        WidgetInfo::labeled(Role::Canvas, true, tr!("Chart of {symbol}, {span}", symbol = data.symbol, span = span.unwrap_or_default()))
    });
    response
}

/// Who has what the plot could react to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    /// Somebody else has the drag.
    pub(super) drag: bool,
    /// The digits are the chart's.
    pub(super) digits: bool,
}

/// Pointer and keys over the plot; a drag moves it unless somebody else has it. Returns the range they lead to.
pub(super) fn pan_and_zoom(
    ui: &Ui,
    response: &Response,
    plot: Rect,
    layout: &mut ChartLayout,
    data: &ChartData,
    shown: Shown,
    taken: Taken,
) -> Shown {
    let clock = layout.calendar_time.then(|| Clock::of(&data.bars));
    let x = XScale::new(plot.left(), plot.width(), shown.range, clock);
    // What is equally far apart on the screen is moved: bars, or time.
    let before = x.places();
    let count = x.count(data.bars.len());
    let mut range = before;
    let mut reset = response.double_clicked();
    if response.clicked() || response.drag_started() {
        response.request_focus();
    }
    if response.dragged() && !taken.drag {
        range = range.panned(-f64::from(response.drag_delta().x) / x.bar_points());
    }
    let mut anchor = x.place(plot.center().x);
    if let Some(pointer) = response.hover_pos().filter(|_| response.contains_pointer()) {
        let (scroll, zoom) = ui.input_mut(|input| {
            // Nothing behind the chart scrolls as well.
            (std::mem::take(&mut input.smooth_scroll_delta), f64::from(input.zoom_delta()))
        });
        anchor = x.place(pointer.x);
        if scroll.y != 0.0 {
            range = range.zoomed(anchor, (-f64::from(scroll.y) * ZOOM_PER_POINT).exp());
        }
        if scroll.x != 0.0 {
            range = range.panned(-f64::from(scroll.x) / x.bar_points());
        }
        if zoom != 1.0 && zoom > 0.0 {
            range = range.zoomed(anchor, 1.0 / zoom);
        }
    }
    if response.has_focus() {
        // Up and down walk the list of symbols, as they do without the focus.
        let arrows = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
        let pressed = |key: Key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        if pressed(Key::ArrowLeft) {
            range = range.panned(-range.span() * KEY_PAN);
        }
        if pressed(Key::ArrowRight) {
            range = range.panned(range.span() * KEY_PAN);
        }
        if pressed(Key::Plus) || pressed(Key::Equals) {
            range = range.zoomed(anchor, KEY_ZOOM);
        }
        if pressed(Key::Minus) {
            range = range.zoomed(anchor, 1.0 / KEY_ZOOM);
        }
        if pressed(Key::Home) {
            range = range.panned(-range.start);
        }
        if pressed(Key::End) {
            range = range.panned(count as f64 + range.span() * 0.01 - range.end);
        }
        if taken.digits {
            let keys = [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num7];
            if let Some((_, choice)) = keys.into_iter().zip(RangeChoice::BUTTONS).find(|(key, _)| pressed(*key)) {
                (layout.home, reset) = (choice, true);
            }
            reset |= pressed(Key::Num0);
        }
    }
    if reset {
        layout.range = layout.home;
        return Shown { choice: layout.range, range: fit(layout.range, &data.bars.time_us, plot.width()), ..shown };
    }
    if range == before {
        return shown;
    }
    // Panning leaves the span as it is but for rounding, and may leave room empty.
    let clamped = range.clamped(count, plot.width(), anchor);
    let range = if clamped.span() > before.span() * (1.0 + 1e-9) { clamped.filled(&before, count) } else { clamped };
    let range = x.range_of(range);
    let times = &data.bars.time_us;
    layout.range = RangeChoice::Custom { from_us: time_at(times, range.start), to_us: time_at(times, range.end) };
    Shown { choice: layout.range, range, ..shown }
}
