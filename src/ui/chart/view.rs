//! The chart as a widget: what the pointer and the keys do, and what came of it.
//!
//! Contract: input changes the range before anything is drawn, so nothing lags a frame; the scene is rebuilt only when
//! something it depends on has changed; no repaint is ever asked for.

use super::candles::Pixels;
use super::data::ChartData;
use super::geometry::{IndexRange, XScale, fit, time_at};
use super::indicators::FeatureChoice;
use super::legend::{HeadPart, Legend, LegendAction};
use super::line::Pen;
use super::menu::toolbar_ui;
use super::panes::{PaneFrame, PaneKind, Scene, SceneKey, drag_edge, frames, kinds, lines_of};
use super::tags;
use crate::app::chart::{ChartLayout, RangeChoice};
use crate::market::Symbol;
use crate::ui::format;
use crate::ui::theme::{Theme, size, space};
use eframe::egui;
use egui::{
    Align, CursorIcon, EventFilter, Id, Key, Layout, Modifiers, Rect, Response, RichText, Role, Sense, Stroke, StrokeKind, Ui, UiBuilder,
    WidgetInfo, pos2, vec2,
};

/// Height of the time axis, in points.
const TIME_AXIS_POINTS: f32 = 26.0;
/// Height of the strip in which a pane's edge can be caught.
const EDGE_POINTS: f32 = 8.0;
/// How much a point of wheel travel zooms.
const ZOOM_PER_POINT: f64 = 0.004;
/// Share of the view that an arrow key moves.
const KEY_PAN: f64 = 0.1;
/// Factor of one press of `+`.
const KEY_ZOOM: f64 = 0.8;
/// Said of a chart whose last bars may still change.
const PROVISIONAL: &str = "last bar provisional";
/// Bars in view after a jump where everything was in view before.
const JUMP_BARS: f64 = 120.0;

/// What stands in place of a chart that has nothing to show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChartNotice {
    /// One line: `Loading 000001`, `000001 is not in the cache`.
    pub title: String,
    /// What it means or what to do; may be empty.
    pub detail: String,
    /// What stands on a button below, if there is one.
    pub action: Option<String>,
}

/// Passing state: visible range, pointer, what was built.
#[derive(Debug, Default)]
pub struct ChartView {
    /// Shown while there is no data; a friendly default where this is `None`.
    pub notice: Option<ChartNotice>,
    /// Where to go as soon as this symbol's bars are shown.
    jump: Option<(Symbol, i64)>,
    /// What is typed into the search of the indicators.
    search: String,
    shown: Option<Shown>,
    scene: Option<Scene>,
    axis_width: f32,
    /// Whether the focus came by keyboard, so that it must be shown.
    focus_by_key: bool,
    builds: u64,
}

impl ChartView {
    /// The indexes of the bars at both edges of the view, with fractions; `None` before anything was drawn.
    #[must_use]
    pub fn visible_range(&self) -> Option<IndexRange> {
        self.shown.as_ref().map(|shown| shown.range)
    }

    /// Brings a time of a symbol into view, as soon as its bars are shown; as much stays in view as is now.
    pub fn go_to(&mut self, symbol: &Symbol, time_us: i64) {
        self.jump = Some((symbol.clone(), time_us));
    }

    fn jump(&mut self, layout: &mut ChartLayout, data: &ChartData) {
        let Some((_, time_us)) = self.jump.take_if(|(symbol, _)| *symbol == data.symbol) else { return };
        let times = &data.bars.time_us;
        let shown = self.shown.as_ref().map_or(JUMP_BARS, |shown| shown.range.span());
        // All of a long history is no view of one bar.
        let span = if shown >= times.len() as f64 * 0.9 { shown.min(JUMP_BARS) } else { shown };
        let row = times.partition_point(|time| *time < time_us) as f64;
        let start = row - span * 0.4;
        layout.range = RangeChoice::Custom { from_us: time_at(times, start), to_us: time_at(times, start + span) };
        self.shown = None;
    }

    /// How often the scene was built: stands still while only the pointer moves.
    #[must_use]
    pub fn builds(&self) -> u64 {
        self.builds
    }
}

/// The range in view, and what it was made for.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    /// Of the bars: lines that come on change nothing about it.
    bars: usize,
    choice: RangeChoice,
    range: IndexRange,
    price_decimals: usize,
}

/// What happened in a frame.
#[derive(Debug, Clone, Default)]
pub struct ChartResponse {
    /// The bar under the pointer.
    pub hovered_bar: Option<usize>,
    /// Whether the user changed the layout (indicators, panes, scale or range), so that it should be saved.
    pub layout_changed: bool,
    /// Whether the notice's button was pressed.
    pub action_clicked: bool,
}

/// Draws the chart into all the room there is.
pub fn chart_ui(
    ui: &mut Ui,
    view: &mut ChartView,
    layout: &mut ChartLayout,
    data: Option<&ChartData>,
    catalog: &[FeatureChoice],
) -> ChartResponse {
    let before = layout.clone();
    let mut response = ChartResponse::default();
    let data = data.filter(|data| !data.bars.is_empty());
    let (whole, _) = ui.allocate_exact_size(ui.available_size_before_wrap(), Sense::empty());
    ui.painter().rect_filled(whole, 0.0, Theme::of(ui).background);

    let (bar, rest) = whole.split_top_bottom_at_y(whole.top() + size::TOOLBAR);
    let tools = UiBuilder::new().max_rect(bar.shrink2(vec2(space::XS, 0.0))).layout(Layout::left_to_right(Align::Center));
    let log_possible = data.is_none_or(|data| data.price_extent(0..data.bars.len()).is_some_and(|extent| extent.min > 0.0));
    ui.scope_builder(tools, |ui| toolbar_ui(ui, layout, catalog, &mut view.search, log_possible, data.is_some()));

    if let Some(data) = data {
        view.jump(layout, data);
    }
    let small = rest.height() < TIME_AXIS_POINTS * 3.0 || rest.width() < 160.0;
    match data {
        Some(_) if small => {}
        Some(data) => response.hovered_bar = bars_ui(ui, rest, view, layout, data),
        None => response.action_clicked = notice_ui(ui, rest, view.notice.as_ref()),
    }
    response.layout_changed = before != *layout;
    response
}

/// The words in place of a chart. Returns whether its button was pressed.
fn notice_ui(ui: &mut Ui, rect: Rect, notice: Option<&ChartNotice>) -> bool {
    let theme = Theme::of(ui);
    let fallback = ChartNotice {
        title: "No symbol chosen".to_owned(),
        detail: "Choose a symbol to see its bars and indicators".to_owned(),
        action: None,
    };
    let notice = notice.unwrap_or(&fallback);
    // A little above the middle looks like the middle.
    let middle = Rect::from_center_size(rect.center() - vec2(0.0, rect.height() * 0.06), vec2(rect.width().min(480.0), 120.0));
    let builder = UiBuilder::new().max_rect(middle).layout(Layout::top_down(Align::Center));
    let shown = ui.scope_builder(builder, |ui| {
        ui.label(RichText::new(&notice.title).heading().color(theme.text));
        if !notice.detail.is_empty() {
            ui.add_space(space::XS);
            ui.label(RichText::new(&notice.detail).color(theme.text_weak));
        }
        notice.action.as_ref().is_some_and(|action| {
            ui.add_space(space::L);
            ui.button(action).clicked()
        })
    });
    shown.inner
}

/// Panes, axes, legends and crosshair. Returns the bar under the pointer.
fn bars_ui(ui: &mut Ui, rect: Rect, view: &mut ChartView, layout: &mut ChartLayout, data: &ChartData) -> Option<usize> {
    let theme = Theme::of(ui);
    let pixels = Pixels { per_point: ui.pixels_per_point() };
    let id = ui.scope_id().with("chart");
    // Before the first scene the axis is guessed; after it, it is known.
    view.axis_width = view.axis_width.max(64.0);

    let mut response = None;
    let mut shown = None;
    // Twice at most: a second time only where new labels turned out to need another width.
    for attempt in 0..2 {
        let plot = plot_rect(rect, view.axis_width, pixels);
        if response.is_none() {
            drag_edges(ui, id, plot, layout, data, view);
        }
        let current = follow(view.shown.take(), layout, data, plot.width());
        let current = if response.is_none() {
            let (input, moved) = pan_and_zoom(ui, id, plot, layout, data, current);
            response = Some(input);
            moved
        } else {
            current
        };
        let legends = place_legends(ui, data, layout, plot, current.price_decimals);
        let height_of = |kind: PaneKind| legends.iter().find(|(of, _)| *of == kind).map_or(0.0, |(_, legend)| legend.height());
        let key = SceneKey {
            identity: data.identity(),
            range: current.range,
            frames: frames(layout, plot, pixels, height_of),
            pixels,
            theme: std::ptr::from_ref(theme).addr(),
            layout: layout.clone(),
            price_decimals: current.price_decimals,
        };
        if view.scene.as_ref().is_none_or(|scene| scene.key != key) {
            let mut pen = Pen::new(pixels.per_point, ui.tessellation_options(|options| *options));
            view.scene = Some(Scene::build(key, data, theme, &mut pen));
            view.builds += 1;
        }
        let needed = view.scene.as_ref().map_or(0.0, |scene| {
            let highest = data.price_extent(0..data.bars.len()).map_or(0.0, |extent| extent.max);
            tags::axis_width(ui.painter(), scene, &[format::fixed(highest, current.price_decimals)])
        });
        view.shown = Some(current.clone());
        shown = Some((plot, current, legends));
        // Wider at once, narrower only when much room is wasted: panning must not make the plot twitch.
        let fits = needed <= view.axis_width && needed >= view.axis_width - space::XL;
        if fits || attempt == 1 {
            break;
        }
        view.axis_width = needed.max(64.0);
    }
    let (plot, current, legends) = shown?;
    let response = response?;
    if response.gained_focus() {
        view.focus_by_key = !ui.input(|input| input.pointer.any_down() || input.pointer.any_released());
    }
    let scene = view.scene.as_ref()?;
    let hovered = paint_ui(ui, id, rect, plot, scene, &current, &legends, &response, layout, data);
    if response.has_focus() && view.focus_by_key {
        ui.painter().rect_stroke(plot.shrink(1.0), 2.0, Stroke::new(1.5, theme.accent), StrokeKind::Inside);
    }
    hovered
}

/// Everything but the axes.
fn plot_rect(rect: Rect, axis_width: f32, pixels: Pixels) -> Rect {
    let right = pixels.snap(rect.right() - axis_width);
    let bottom = pixels.snap(rect.bottom() - TIME_AXIS_POINTS);
    Rect::from_min_max(pos2(pixels.snap(rect.left()), pixels.snap(rect.top())), pos2(right, bottom))
}

/// The range to show: what the layout asks for, or what the user moved to as long as the data and the choice are the same.
fn follow(before: Option<Shown>, layout: &ChartLayout, data: &ChartData, width: f32) -> Shown {
    let bars = data.bars_identity();
    let times = &data.bars.time_us;
    match before {
        Some(shown) if shown.bars == bars && shown.choice == layout.range => {
            let range = match layout.range {
                RangeChoice::Custom { .. } => shown.range,
                choice => fit(choice, times, width),
            };
            Shown { range, ..shown }
        }
        _ => Shown { bars, choice: layout.range, range: fit(layout.range, times, width), price_decimals: price_decimals(&data.bars.close) },
    }
}

/// As many decimals as the last prices have; prices with very many (adjusted ones) get what their size asks for.
fn price_decimals(closes: &[f64]) -> usize {
    let recent = closes.get(closes.len().saturating_sub(64)..).unwrap_or_default();
    let exact = |decimals: usize| {
        let scale = 10_f64.powi(decimals as i32);
        recent.iter().all(|close| (close * scale - (close * scale).round()).abs() <= close.abs() * scale * 1e-10 + 1e-9)
    };
    let by_size = recent.iter().copied().fold(0.0, f64::max);
    (2..=6).find(|decimals| exact(*decimals)).unwrap_or_else(|| format::price_decimals(by_size))
}

/// Lets the edges between panes be dragged.
fn drag_edges(ui: &Ui, id: Id, plot: Rect, layout: &mut ChartLayout, data: &ChartData, view: &ChartView) {
    let Some(scene) = view.scene.as_ref().filter(|scene| scene.key.identity == data.identity()) else { return };
    // The strips are registered further below, over the plot; here their last drag is read, before anything is placed.
    for position in 0..scene.key.frames.len().saturating_sub(1) {
        if let Some(response) = ui.read_response(edge_id(id, position)).filter(Response::dragged) {
            drag_edge(layout, plot.height(), position, response.drag_delta().y);
        }
    }
}

fn edge_id(id: Id, position: usize) -> Id {
    id.with(("edge", position))
}

/// Pointer and keys over the plot. Returns the range they lead to.
fn pan_and_zoom(ui: &mut Ui, id: Id, plot: Rect, layout: &mut ChartLayout, data: &ChartData, shown: Shown) -> (Response, Shown) {
    let bars = data.bars.len();
    let response = ui.interact(plot, id, Sense::click_and_drag());
    response.widget_info(|| {
        let span = data.bars.first_us().zip(data.bars.last_us()).map(|(first, last)| format::date_span(first, last));
        WidgetInfo::labeled(Role::Canvas, true, format!("Chart of {}, {}", data.symbol, span.unwrap_or_default()))
    });
    let x = XScale { left: plot.left(), width: plot.width(), range: shown.range };
    let mut range = shown.range;
    let mut reset = response.double_clicked();
    if response.clicked() || response.drag_started() {
        response.request_focus();
    }
    if response.dragged() {
        range = range.panned(-f64::from(response.drag_delta().x) / x.bar_points());
    }
    let mut anchor = x.index(plot.center().x);
    if let Some(pointer) = response.hover_pos().filter(|_| response.contains_pointer()) {
        let (scroll, zoom) = ui.input_mut(|input| {
            // Nothing behind the chart scrolls as well.
            (std::mem::take(&mut input.smooth_scroll_delta), f64::from(input.zoom_delta()))
        });
        anchor = x.index(pointer.x);
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
        let arrows = EventFilter { horizontal_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(id, arrows));
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
            range = range.panned(bars as f64 + range.span() * 0.01 - range.end);
        }
        reset |= pressed(Key::Num0);
    }
    if reset {
        layout.range = layout.home;
        return (response, Shown { choice: layout.range, range: fit(layout.range, &data.bars.time_us, plot.width()), ..shown });
    }
    if range == shown.range {
        return (response, shown);
    }
    // Panning leaves the span as it is but for rounding, and may leave room empty.
    let clamped = range.clamped(bars, plot.width(), anchor);
    let range = if clamped.span() > shown.range.span() * (1.0 + 1e-9) { clamped.filled(&shown.range, bars) } else { clamped };
    let times = &data.bars.time_us;
    layout.range = RangeChoice::Custom { from_us: time_at(times, range.start), to_us: time_at(times, range.end) };
    (response, Shown { choice: layout.range, range, ..shown })
}

/// The legends of all panes, placed.
fn place_legends(ui: &Ui, data: &ChartData, layout: &ChartLayout, plot: Rect, price_decimals: usize) -> Vec<(PaneKind, Legend)> {
    let room = plot.width() - space::M * 2.0;
    let highest = data.price_extent(0..data.bars.len()).map_or(0.0, |extent| extent.max);
    let price = format::fixed(highest, price_decimals);
    let mut head = vec![(HeadPart::Title(data.symbol.as_str().to_owned()), String::new())];
    head.extend(["O", "H", "L", "C"].map(|word| (HeadPart::Value(word), price.clone())));
    head.push((HeadPart::Value(""), format::change_percent(-88.88)));
    if data.provisional_from_us.is_some() {
        head.push((HeadPart::Value(PROVISIONAL), String::new()));
    }
    let legend_of = |kind: PaneKind| {
        let lines = lines_of(layout, kind);
        match kind {
            PaneKind::Price => Legend::place(ui, layout, data, &head, lines, room, Some(price_decimals)),
            PaneKind::Volume => {
                let head = [(HeadPart::Value("Volume"), "88.8 M".to_owned())];
                Legend::place(ui, layout, data, &head, lines, room, None)
            }
            PaneKind::Feature(_) => Legend::place(ui, layout, data, &[], lines, room, None),
        }
    };
    kinds(layout).into_iter().map(|kind| (kind, legend_of(kind))).collect()
}

/// Puts the scene on screen and everything over it. Returns the bar under the pointer.
#[expect(clippy::too_many_arguments, reason = "one frame's worth of what was decided above")]
fn paint_ui(
    ui: &mut Ui,
    id: Id,
    rect: Rect,
    plot: Rect,
    scene: &Scene,
    shown: &Shown,
    legends: &[(PaneKind, Legend)],
    response: &Response,
    layout: &mut ChartLayout,
    data: &ChartData,
) -> Option<usize> {
    let theme = Theme::of(ui);
    let painter = ui.painter_at(rect);
    let pixels = scene.key.pixels;
    let value_axis = Rect::from_min_max(pos2(plot.right(), plot.top()), pos2(rect.right(), plot.bottom()));
    let time_axis = Rect::from_min_max(pos2(plot.left(), plot.bottom()), pos2(plot.right(), rect.bottom()));
    for pane in &scene.panes {
        painter.with_clip_rect(pane.frame.rect.intersect(painter.clip_rect())).extend(pane.shapes.iter().cloned());
    }
    let hairline = Stroke::new(pixels.hairline() / pixels.per_point, theme.line);
    painter.hline(rect.x_range(), pixels.line(plot.bottom()), hairline);
    painter.vline(pixels.line(plot.right()), plot.y_range(), hairline);
    edge_grips_ui(ui, id, rect, plot, &scene.key.frames, pixels);

    let bars = data.bars.len();
    let pointer = response.hover_pos().filter(|_| response.contains_pointer() || response.dragged());
    let hovered = pointer.and_then(|pointer| scene.x.row(pointer.x, bars));
    let row = hovered.or_else(|| scene.x.range.rows(bars).end.checked_sub(1));

    let mut covered = Vec::new();
    let price_pane = scene.panes.iter().find(|pane| pane.frame.kind == PaneKind::Price);
    let last = bars.checked_sub(1).map(|last| (value_at(&data.bars.close, last), value_at(&data.bars.close, last.saturating_sub(1))));
    if let Some((pane, (close, before))) = price_pane.zip(last) {
        let y = pane.scale.y(close);
        if pane.frame.rect.y_range().contains(y) {
            covered.push(y);
        }
        covered.extend(pointer.map(|pointer| pointer.y));
        tags::value_labels(&painter, scene, value_axis, &covered, theme);
        tags::last_price(&painter, pane, value_axis, close, &format::fixed(close, shown.price_decimals), close >= before, pixels);
    }
    let time_us = hovered.and_then(|row| data.bars.time_us.get(row)).copied().unwrap_or_default();
    let covered = hovered.map(|row| tags::time_tag_rect(&painter, scene, row, time_axis, time_us));
    tags::time_labels(&painter, scene, time_axis, covered, theme);
    if let Some((pointer, row)) = pointer.zip(hovered) {
        tags::crosshair(&painter, scene, row, pointer, [value_axis, time_axis], time_us, shown.price_decimals);
    }
    let mut action = None;
    for ((kind, legend), pane) in legends.iter().zip(&scene.panes) {
        let values = |word: &'static str| head_value(data, row, word, shown.price_decimals, theme);
        action = legend.show_ui(ui, id.with(kind), pane.frame.rect, data, row, &values).or(action);
    }
    match action {
        Some(LegendAction::ToggleVisible(id)) => layout.toggle_visible(id),
        Some(LegendAction::Remove(id)) => layout.remove(id),
        Some(LegendAction::Settings(_)) | None => {}
    }
    hovered
}

fn value_at(column: &[f64], row: usize) -> f64 {
    column.get(row).copied().unwrap_or(f64::NAN)
}

/// A value of a legend's head at a bar, and its colour.
fn head_value(data: &ChartData, row: Option<usize>, word: &str, decimals: usize, theme: &Theme) -> (String, egui::Color32) {
    let Some(row) = row.filter(|_| word != PROVISIONAL) else {
        let text = if word == PROVISIONAL { "" } else { format::NONE };
        return (text.to_owned(), theme.text_weak);
    };
    let bars = &data.bars;
    let before = row.checked_sub(1).map_or_else(|| value_at(&bars.open, row), |before| value_at(&bars.close, before));
    let change = 100.0 * (value_at(&bars.close, row) / before - 1.0);
    let price = |column: &[f64]| (format::fixed(value_at(column, row), decimals), theme.text);
    match word {
        "O" => price(&bars.open),
        "H" => price(&bars.high),
        "L" => price(&bars.low),
        "C" => price(&bars.close),
        "Volume" => (format::volume(value_at(&bars.volume, row)), theme.text),
        _ => (format::change_percent(change), theme.change_color(change)),
    }
}

/// The lines between panes, which can be dragged.
fn edge_grips_ui(ui: &mut Ui, id: Id, rect: Rect, plot: Rect, frames: &[PaneFrame], pixels: Pixels) {
    let theme = Theme::of(ui);
    for (position, frame) in frames.iter().skip(1).enumerate() {
        let y = frame.rect.top();
        let grip = Rect::from_x_y_ranges(plot.x_range(), y - EDGE_POINTS * 0.5..=y + EDGE_POINTS * 0.5);
        let response = ui.interact(grip, edge_id(id, position), Sense::drag()).on_hover_cursor(CursorIcon::ResizeVertical);
        response.widget_info(|| WidgetInfo::labeled(Role::Splitter, true, format!("Height of pane {}", position + 2)));
        let active = response.hovered() || response.dragged();
        let stroke =
            if active { Stroke::new(2.0, theme.accent) } else { Stroke::new(pixels.hairline() / pixels.per_point, theme.line_strong) };
        ui.painter().hline(rect.x_range(), pixels.line(y), stroke);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_shown_as_exactly_as_they_are_quoted() {
        assert_eq!(price_decimals(&[101.2, 99.0]), 2);
        assert_eq!(price_decimals(&[1.083_45, 1.08]), 5);
        assert_eq!(price_decimals(&[33.333_333_333, 17.123_456_789_1]), 2);
        assert_eq!(price_decimals(&[0.000_012_345_678_9]), 8);
        assert_eq!(price_decimals(&[]), 2);
    }
}
