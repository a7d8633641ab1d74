//! The chart as a widget: what the pointer and the keys do, and what came of it.
//!
//! Contract: input changes the range before anything is drawn, so nothing lags a frame; the scene is rebuilt only when
//! something it depends on has changed; no repaint is ever asked for.

use super::candles::Pixels;
use super::data::ChartData;
use super::geometry::{IndexRange, fit, time_at};
use super::head::{HEAD_POINTS, pane_menu_ui};
use super::indicators::FeatureChoice;
use super::input::{drag_edges, pan_and_zoom};
use super::legend::{HeadPart, Legend, LegendAction};
use super::line::Pen;
use super::menu::toolbar_ui;
use super::paint::{PROVISIONAL, Painting};
use super::panes::{PaneFrame, PaneKind, Scene, SceneKey, frames, kinds, lines_of};
use super::settings::{LineSettings, settings_ui};
use super::tags;
use crate::app::Action;
use crate::app::chart::{ChartLayout, RangeChoice, SeriesId, Templates, parameters};
use crate::feature::SetLibrary;
use crate::feature::graph::WarmUp;
use crate::market::Symbol;
use crate::ui::format;
use crate::ui::theme::{Theme, size, space};
use crate::worker::series::SeriesSource;
use eframe::egui;
use egui::{Align, Context, Id, Layout, Rect, RichText, Sense, Stroke, StrokeKind, Ui, UiBuilder, pos2, vec2};
use std::collections::HashMap;

/// Height of the time axis, in points.
const TIME_AXIS_POINTS: f32 = 26.0;
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
    /// The line whose settings are open.
    settings: Option<LineSettings>,
    /// Of each line, the last source there were values of: drawn until those of a new one are here.
    answered: HashMap<SeriesId, SeriesSource>,
    /// Whether an entry of a legend has the keyboard.
    entry_has_keys: bool,
    /// The pane whose menu is open.
    menu_of: Option<PaneKind>,
    axis_width: f32,
    /// Whether the focus came by keyboard, so that it must be shown.
    focus_by_key: bool,
    builds: u64,
}

impl ChartOffer<'_> {
    /// The formula of a line: its own, or that of its column.
    pub(super) fn formula_of(&self, source: &SeriesSource) -> Option<(String, WarmUp)> {
        match source {
            SeriesSource::Formula { text, warm_up } => Some((text.clone(), *warm_up)),
            SeriesSource::Column { set, name } => {
                let set = self.sets.get(set)?;
                Some((parameters::formula_of(set, name)?, set.warm_up()))
            }
        }
    }
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

    /// The layout as it can be drawn: a line whose values are on their way is drawn from those it had.
    fn drawable(&mut self, layout: &ChartLayout, data: &ChartData) -> ChartLayout {
        let mut drawable = layout.clone();
        self.answered.retain(|id, _| layout.line(*id).is_some());
        for line in layout.lines() {
            if data.answer(&line.source).is_some() {
                self.answered.insert(line.id, line.source.clone());
            } else if let Some(before) = self.answered.get(&line.id)
                && data.series(before).is_some()
                && let Some(drawn) = drawable.line_mut(line.id)
            {
                drawn.label = line.name().to_owned();
                drawn.source = before.clone();
            }
        }
        drawable
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
pub(super) struct Shown {
    /// Of the bars: lines that come on change nothing about it.
    pub(super) bars: usize,
    pub(super) choice: RangeChoice,
    pub(super) range: IndexRange,
    pub(super) price_decimals: usize,
}

pub(super) fn edge_id(id: Id, position: usize) -> Id {
    id.with(("edge", position))
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
    /// What else the user did.
    pub actions: Vec<Action>,
}

/// What the chart can be given besides what is on it.
#[derive(Debug, Clone, Copy)]
pub struct ChartOffer<'a> {
    /// Features that can be put on the chart.
    pub features: &'a [FeatureChoice],
    /// Chart templates.
    pub templates: &'a Templates,
    /// The sets that columns belong to.
    pub sets: &'a SetLibrary,
}

/// Keys that belong to the chart while it is drawn, whatever command they run elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChartKeys {
    /// The settings of a line are open, and close.
    pub escape: bool,
    /// An entry of a legend has the keyboard, and is removed.
    pub delete: bool,
}

impl ChartKeys {
    fn id() -> Id {
        Id::unique("keys of the chart")
    }

    /// Those of the last frame in which a chart was drawn.
    #[must_use]
    pub fn of(ctx: &Context) -> Self {
        ctx.data(|data| data.get_temp(Self::id())).unwrap_or_default()
    }
}

/// Draws the chart into all the room there is.
pub fn chart_ui(
    ui: &mut Ui,
    view: &mut ChartView,
    layout: &mut ChartLayout,
    data: Option<&ChartData>,
    offer: &ChartOffer<'_>,
) -> ChartResponse {
    let before = layout.clone();
    let mut response = ChartResponse::default();
    let data = data.filter(|data| !data.bars.is_empty());
    let (whole, _) = ui.allocate_exact_size(ui.available_size_before_wrap(), Sense::empty());
    ui.painter().rect_filled(whole, 0.0, Theme::of(ui).background);

    let (bar, rest) = whole.split_top_bottom_at_y(whole.top() + size::TOOLBAR);
    let tools = UiBuilder::new().max_rect(bar.shrink2(vec2(space::XS, 0.0))).layout(Layout::left_to_right(Align::Center));
    ui.scope_builder(tools, |ui| toolbar_ui(ui, layout, offer, &mut view.search, data, &mut response.actions));

    if let Some(data) = data {
        view.jump(layout, data);
    }
    let small = rest.height() < TIME_AXIS_POINTS * 3.0 || rest.width() < 160.0;
    match data {
        Some(_) if small => {}
        Some(data) => {
            response.hovered_bar = bars_ui(ui, rest, view, layout, data);
            settings_ui(ui, rest, &mut view.settings, layout, data, offer);
        }
        None => {
            view.settings = None;
            response.action_clicked = notice_ui(ui, rest, view.notice.as_ref());
        }
    }
    let keys = ChartKeys { escape: view.settings.is_some(), delete: std::mem::take(&mut view.entry_has_keys) };
    ui.data_mut(|data| data.insert_temp(ChartKeys::id(), keys));
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
            drag_edges(ui, id, plot, layout);
        }
        let current = follow(view.shown.take(), layout, data, plot.width());
        let current = if response.is_none() {
            let (input, moved) = pan_and_zoom(ui, id, plot, layout, data, current);
            response = Some(input);
            moved
        } else {
            current
        };
        let drawn = view.drawable(layout, data);
        let mut frames = frames(&drawn, plot, pixels);
        let legends = place_legends(ui, data, &drawn, &frames, current.price_decimals);
        for (frame, (_, legend)) in frames.iter_mut().zip(&legends) {
            frame.legend_height = legend.height();
        }
        let key = SceneKey {
            identity: data.identity(),
            range: current.range,
            frames,
            pixels,
            theme: std::ptr::from_ref(theme).addr(),
            layout: drawn,
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
    let painted = Painting { id, rect, plot, scene, shown: &current, legends: &legends, response: &response, data }.show_ui(ui);
    if response.has_focus() && view.focus_by_key {
        ui.painter().rect_stroke(plot.shrink(1.0), 2.0, Stroke::new(1.5, theme.accent), StrokeKind::Inside);
    }
    view.entry_has_keys = painted.entry_has_keys;
    let mut pane_action = painted.pane_action;
    if response.secondary_clicked() {
        let pointer = response.interact_pointer_pos();
        let at = |frame: &&PaneFrame| pointer.is_some_and(|pointer| frame.rect.contains(pointer));
        view.menu_of = scene.key.frames.iter().find(at).map(|frame| frame.kind);
    }
    if let Some(kind) = view.menu_of.filter(|kind| kinds(layout).contains(kind)) {
        response.context_menu(|ui| pane_action = pane_menu_ui(ui, layout, kind).or(pane_action.take()));
    }
    if let Some(action) = pane_action {
        action.apply(layout);
    }
    let by_keys = !ui.input(|input| input.pointer.any_released());
    match painted.legend_action {
        Some((LegendAction::ToggleVisible(id), _)) => layout.toggle_visible(id),
        Some((LegendAction::Remove(id), _)) => layout.remove(id),
        Some((LegendAction::Duplicate(id), at)) => {
            if let Some(copy) = layout.duplicate(id) {
                view.settings = Some(LineSettings::new(copy, at, rect, by_keys));
            }
        }
        Some((LegendAction::Move(id, placement), _)) => layout.move_to(id, &placement),
        Some((LegendAction::Settings(id), at)) => view.settings = Some(LineSettings::new(id, at, rect, by_keys)),
        None => {}
    }
    painted.hovered
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

/// The legends of all panes, placed.
fn place_legends(ui: &Ui, data: &ChartData, layout: &ChartLayout, frames: &[PaneFrame], price_decimals: usize) -> Vec<(PaneKind, Legend)> {
    let highest = data.price_extent(0..data.bars.len()).map_or(0.0, |extent| extent.max);
    let price = format::fixed(highest, price_decimals);
    let mut head = vec![(HeadPart::Title(data.symbol.as_str().to_owned()), String::new())];
    head.extend(["O", "H", "L", "C"].map(|word| (HeadPart::Value(word), price.clone())));
    head.push((HeadPart::Value(""), format::change_percent(-88.88)));
    if data.provisional_from_us.is_some() {
        head.push((HeadPart::Value(PROVISIONAL), String::new()));
    }
    let legend_of = |frame: &PaneFrame| {
        let lines = lines_of(layout, frame.kind);
        let room = vec2(frame.rect.width() - space::M - HEAD_POINTS, frame.rect.height());
        let legend = match frame.kind {
            PaneKind::Price => Legend::place(ui, layout, data, &head, lines, room, Some(price_decimals)),
            PaneKind::Volume => {
                let head = [(HeadPart::Value("Volume"), "88.8 M".to_owned())];
                Legend::place(ui, layout, data, &head, lines, room, None)
            }
            PaneKind::Feature(_) => Legend::place(ui, layout, data, &[], lines, room, None),
        };
        (frame.kind, legend)
    };
    frames.iter().map(legend_of).collect()
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
