//! The chart as a widget: what the pointer and the keys do, and what came of it.
//!
//! Contract: input changes the range before anything is drawn, so nothing lags a frame; the scene is rebuilt only when
//! something it depends on has changed; no repaint is ever asked for.

use super::candles::Pixels;
use super::data::ChartData;
use super::geometry::{IndexRange, fit};
use super::go_to::{self, PlaceMark, mark_ui, next_finding};
use super::head::{HEAD_POINTS, PRICE_HEAD_POINTS, WIDE_MENU_POINTS, pane_menu_ui};
use super::help::help_ui;
use super::indicators::FeatureChoice;
use super::input::{Taken, drag_edges, pan_and_zoom, plot_response};
use super::legend::{HeadPart, Legend, LegendAction};
use super::line::Pen;
use super::measure::{Measuring, armed_hint_ui};
use super::menu::{Tools, Typed, chart_items_ui, scale_items_ui, toolbar_ui};
use super::paint::{PROVISIONAL, Painting};
use super::panes::{PaneFrame, PaneKind, Scene, SceneKey, frames, kinds, lines_of};
use super::picture::Taking;
use super::scale::Heights;
use super::settings::{LineSettings, settings_ui};
use super::tags;
use crate::app::Action;
use crate::app::chart::{ChartAction, ChartLayout, ChartWish, RangeChoice, SeriesId, Templates, parameters};
use crate::feature::SetLibrary;
use crate::feature::graph::WarmUp;
use crate::market::Symbol;
use crate::tr;
use crate::ui::format;
use crate::ui::theme::{Theme, size, space};
use crate::worker::SymbolRow;
use crate::worker::series::SeriesSource;
use eframe::egui;
use egui::{
    Align, Align2, Context, FontId, Id, Layout, Rect, RichText, Role, Sense, Stroke, StrokeKind, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};
use std::collections::HashMap;

/// Height of the time axis, in points.
const TIME_AXIS_POINTS: f32 = 26.0;

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
    /// What is typed into lists and fields over the chart.
    typed: Typed,
    /// Number of the last wish that was fulfilled.
    wishes: u64,
    /// Where one went last.
    mark: Option<PlaceMark>,
    measuring: Measuring,
    heights: Heights,
    picture: Option<Taking>,
    /// Whether the sheet of gestures is open.
    help: bool,
    shown: Option<Shown>,
    scene: Option<Scene>,
    /// The line whose settings are open.
    settings: Option<LineSettings>,
    /// Of each line, the last source there were values of: drawn until those of a new one are here.
    answered: HashMap<SeriesId, SeriesSource>,
    /// Whether an entry of a legend has the keyboard.
    entry_has_keys: bool,
    /// Whether the plot itself has the keyboard.
    has_keys: bool,
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
            SeriesSource::Symbol(_) => None,
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
        let at = go_to::go_to(layout, data, self.shown.as_ref(), time_us);
        self.mark_at(data, at);
        self.shown = None;
    }

    /// Marks a bar, with what is there.
    fn mark_at(&mut self, data: &ChartData, time_us: Option<i64>) {
        self.mark = time_us.map(|time_us| {
            let row = data.bars.time_us.partition_point(|time| *time < time_us);
            let words: Vec<String> = data.findings_at(row).iter().map(|finding| finding.finding.words()).collect();
            PlaceMark { symbol: data.symbol.clone(), time_us, words: words.join(" · ") }
        });
    }

    /// Does what a command asked for; what the tools have to do is returned.
    fn fulfil(
        &mut self,
        wish: Option<&(u64, ChartWish)>,
        layout: &mut ChartLayout,
        data: Option<&ChartData>,
        actions: &mut Vec<Action>,
    ) -> Option<ChartWish> {
        let (number, wish) = wish.filter(|(number, _)| *number != self.wishes)?;
        self.wishes = *number;
        let data = match (wish, data) {
            (ChartWish::GoTo(symbol, time_us), _) => {
                self.go_to(symbol, *time_us);
                return None;
            }
            (_, data) => data?,
        };
        match wish {
            ChartWish::Indicators | ChartWish::Compare | ChartWish::GoToDate => return Some(wish.clone()),
            ChartWish::GoTo(..) => {}
            ChartWish::Finding { forward } => match next_finding(data, self.shown.as_ref(), self.mark.as_ref(), *forward) {
                Some(finding) => {
                    let time_us = data.bars.time_us.get(finding.row).copied().unwrap_or_default();
                    let at = go_to::go_to(layout, data, self.shown.as_ref(), time_us);
                    self.mark_at(data, at);
                    self.shown = None;
                }
                None => {
                    let text = match (data.findings().is_empty(), forward) {
                        (true, _) => tr!("{symbol} has no gaps and no broken bars", symbol = data.symbol),
                        (false, true) => tr!("That was the last gap or finding of {symbol}", symbol = data.symbol),
                        (false, false) => tr!("That was the first gap or finding of {symbol}", symbol = data.symbol),
                    };
                    actions.push(Action::Chart(ChartAction::Tell(text)));
                }
            },
            ChartWish::Measure => self.measuring.arm(),
            ChartWish::Picture { to_clipboard } => self.picture = Some(Taking::new(*to_clipboard)),
            ChartWish::CopyRows => {
                let bars = data.bars.len();
                let rows = self.shown.as_ref().map_or(0..bars, |shown| shown.range.rows(bars));
                actions.push(Action::Chart(ChartAction::CopyRows(rows)));
            }
            ChartWish::Help => self.help = true,
            ChartWish::FitScales => self.heights.fit(),
        }
        None
    }

    /// Whether there is something over the chart that Esc takes away.
    fn has_escape(&self) -> bool {
        self.settings.is_some() || self.measuring.is_on() || self.mark.is_some() || self.help
    }

    /// Esc takes away what was measured, then the mark.
    fn escape(&mut self, ui: &Ui) {
        let is_ours = self.settings.is_none() && !self.help && (self.measuring.is_on() || self.mark.is_some());
        if is_ours && !egui::Popup::is_any_open(ui) && ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, egui::Key::Escape)) {
            if self.measuring.is_on() {
                self.measuring.clear();
            } else {
                self.mark = None;
            }
        }
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
    /// Whether one of the actions brings a picture that is to be saved to a file.
    pub picture_taken: bool,
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
    /// Symbols that can be compared.
    pub symbols: &'a [SymbolRow],
    /// What the chart shall do, and the number of that wish.
    pub wish: Option<&'a (u64, ChartWish)>,
    /// Whether the layout belongs to this symbol alone.
    pub is_kept: bool,
}

/// Keys that belong to the chart while it is drawn, whatever command they run elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChartKeys {
    /// Something over the chart goes away: settings of a line, what was measured, a mark.
    pub escape: bool,
    /// An entry of a legend has the keyboard, and is removed.
    pub delete: bool,
    /// The chart itself has the keyboard: up and down still walk the list of symbols.
    pub canvas: bool,
    /// It got the keyboard by Tab, as its frame shows: digits choose stretches of time, and open no search.
    pub digits: bool,
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
    let wish = view.fulfil(offer.wish, layout, data, &mut response.actions);
    let gone = {
        let (typed, shown) = (&mut view.typed, view.shown.as_ref());
        let tools = Tools { layout, offer, typed, data, shown, wish: wish.as_ref(), actions: &mut response.actions };
        ui.scope_builder(UiBuilder::new().max_rect(bar.shrink2(vec2(space::XS, 0.0))).layout(Layout::left_to_right(Align::Center)), |ui| {
            toolbar_ui(ui, tools)
        })
        .inner
    };
    if let Some(data) = data {
        if gone.is_done {
            view.mark_at(data, gone.mark);
            view.shown = None;
        }
        response.actions.extend(gone.told.map(|text| Action::Chart(ChartAction::Tell(text))));
        view.jump(layout, data);
        view.escape(ui);
    }
    let small = rest.height() < TIME_AXIS_POINTS * 3.0 || rest.width() < 160.0;
    match data {
        Some(_) if small => {}
        Some(data) => {
            response.hovered_bar = bars_ui(ui, rest, view, layout, data, &mut response.actions);
            settings_ui(ui, rest, &mut view.settings, layout, data, offer);
        }
        None => {
            view.settings = None;
            response.action_clicked = notice_ui(ui, rest, view.notice.as_ref());
        }
    }
    help_ui(ui, &mut view.help);
    if let Some(taking) = &mut view.picture {
        taking.ask(ui, rest);
        if let Some(action) = taking.finish(ui) {
            response.picture_taken = matches!(action, Action::Chart(ChartAction::PictureTaken(_)));
            response.actions.push(action);
            view.picture = None;
        }
    }
    let canvas = std::mem::take(&mut view.has_keys);
    let digits = canvas && view.focus_by_key;
    let keys = ChartKeys { escape: view.has_escape(), delete: std::mem::take(&mut view.entry_has_keys), canvas, digits };
    ui.data_mut(|data| data.insert_temp(ChartKeys::id(), keys));
    response.layout_changed = before != *layout;
    response
}

/// The words in place of a chart. Returns whether its button was pressed.
fn notice_ui(ui: &mut Ui, rect: Rect, notice: Option<&ChartNotice>) -> bool {
    let theme = Theme::of(ui);
    let fallback = ChartNotice {
        title: tr!("No symbol chosen").to_owned(),
        detail: tr!("Choose a symbol to see its bars and indicators").to_owned(),
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
fn bars_ui(
    ui: &mut Ui,
    rect: Rect,
    view: &mut ChartView,
    layout: &mut ChartLayout,
    data: &ChartData,
    actions: &mut Vec<Action>,
) -> Option<usize> {
    let theme = Theme::of(ui);
    let pixels = Pixels { per_point: ui.pixels_per_point() };
    let id = ui.scope_id().with("chart");
    // Before the first scene the axis is guessed; after it, it is known.
    view.axis_width = view.axis_width.max(64.0);
    view.heights.renew(data, layout);

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
            let input = plot_response(ui, id, plot, data);
            let is_taken = view.measuring.drag(ui, &input, view.scene.as_ref(), data);
            let taken = Taken { drag: is_taken, digits: view.focus_by_key };
            let moved = pan_and_zoom(ui, &input, plot, layout, data, current, taken);
            let axis = Rect::from_min_max(pos2(plot.right(), rect.top()), pos2(rect.right(), plot.bottom()));
            let frames = frames(layout, plot, pixels);
            view.heights.axes_ui(ui, id, axis, &frames, layout, view.scene.as_ref(), &input);
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
            frame.fixed = view.heights.at(&frame.kind.place(&drawn));
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
            let widest = tags::widest_price_tags(scene, highest, current.price_decimals);
            tags::axis_width(ui.painter(), scene, &widest)
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
    let is_pictured = view.picture.as_ref().is_some_and(Taking::is_now);
    let painted =
        Painting { id, rect, plot, scene, shown: &current, legends: &legends, response: &response, data, is_pictured }.show_ui(ui);
    view.measuring.show_ui(ui, id, scene, data, current.price_decimals);
    if let Some(mark) = &view.mark {
        mark_ui(ui, id, mark, scene, data);
    }
    armed_hint_ui(ui, &view.measuring, plot);
    view.has_keys = response.has_focus();
    if !view.heights.is_empty() && !is_pictured {
        let corner = Rect::from_min_max(pos2(plot.right(), plot.bottom()), rect.max);
        if fit_button_ui(ui, id, corner) {
            view.heights.fit();
        }
    }
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
        response.context_menu(|ui| {
            ui.set_width(WIDE_MENU_POINTS);
            pane_action = pane_menu_ui(ui, layout, kind).or(pane_action.take());
            if kind == PaneKind::Price {
                ui.separator();
                scale_items_ui(ui, layout);
            }
            ui.separator();
            chart_items_ui(ui, true, layout, actions);
        });
    }
    if let Some(action) = pane_action {
        action.apply(layout);
    }
    let by_keys = !ui.input(|input| input.pointer.any_released());
    match painted.legend_action {
        Some((LegendAction::ToggleVisible(id), _)) => layout.toggle_visible(id),
        Some((LegendAction::Remove(id), _)) => layout.remove(id),
        Some((LegendAction::Solo(id), _)) => layout.solo(id),
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

/// The way back from heights that were set by hand, in the corner of the axes.
fn fit_button_ui(ui: &Ui, id: Id, corner: Rect) -> bool {
    let theme = Theme::of(ui);
    let response = ui.interact(corner.shrink2(vec2(space::XS, 3.0)), id.with("fit"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, tr!("Fit the scales")));
    let color = if response.hovered() || response.has_focus() { theme.accent } else { theme.text };
    ui.painter().rect_filled(response.rect, size::RADIUS, theme.button);
    let font = FontId::proportional(size::TEXT_SMALL);
    ui.painter().text(response.rect.center(), Align2::CENTER_CENTER, tr!(in "scale", "Auto"), font, color);
    response.on_hover_text(tr!("Heights were set by hand; fit them to what is in view again")).clicked()
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
        let buttons = if frame.kind == PaneKind::Price { PRICE_HEAD_POINTS } else { HEAD_POINTS };
        let room = vec2(frame.rect.width() - space::M - buttons, frame.rect.height());
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
