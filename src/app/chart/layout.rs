//! What stays while one walks from symbol to symbol, and from one start to the next: lines, panes, scale and range.
//!
//! Not what the pointer does right now (the window's `ChartView`), and not the values. Contract: any layout can be deserialised
//! from any older one; ids of lines are unique and never used twice; a pane has at least one line; a line whose values cannot
//! be had stays where it is.

use super::conventions;
use super::line::{FIRST_SET, SeriesId, SeriesLayout};
use super::range::RangeChoice;
use super::scale::PriceScale;
use crate::worker::series::SeriesSource;
use serde::{Deserialize, Serialize};

/// Number of colours that lines are given in turn.
pub const LINE_COLORS: usize = 10;
/// Letters of a name beyond which it is cut in legends and menus.
const LONGEST_NAME: usize = 32;
/// Share of the height that a new pane gets.
const PANE_SHARE: f32 = 0.17;

/// Where a line is drawn, or shall be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// Over the prices, on their scale.
    Price,
    /// Over the volume bars, on their scale.
    Volume,
    /// In the pane of this id, which it shares with all others that name it.
    Pane(String),
    /// In a pane of its own.
    #[default]
    Own,
}

/// One of the panes there are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PanePlace {
    /// The prices.
    Price,
    /// The volumes.
    Volume,
    /// The pane of this id.
    Pane(String),
}

/// A pane below the prices.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PaneLayout {
    /// What lines name to be put here.
    pub id: String,
    /// Lines in it, in the order they are drawn.
    #[serde(alias = "features")]
    pub lines: Vec<SeriesLayout>,
    /// Share of the chart's height.
    pub height_share: f32,
    /// Levels to read it by; those of the family where the user chose none.
    pub guides: Option<Vec<f64>>,
}

impl PaneLayout {
    /// The levels that are drawn.
    #[must_use]
    pub fn guides(&self) -> Vec<f64> {
        if let Some(chosen) = &self.guides {
            return chosen.clone();
        }
        let by_id = conventions::guides_of(&self.id);
        let of_line = |line: &SeriesLayout| conventions::guides_of(&conventions::family_of(&line.source));
        let found = if by_id.is_empty() { self.lines.first().map(of_line).unwrap_or_default() } else { by_id };
        found.to_vec()
    }

    /// What it is called in menus: its only line, or the family.
    #[must_use]
    pub fn title(&self) -> &str {
        match self.lines.as_slice() {
            [only] => only.name(),
            _ => &self.id,
        }
    }
}

/// How charts look, whichever symbol is on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "StoredLayout")]
pub struct ChartLayout {
    /// Lines over the prices.
    pub overlays: Vec<SeriesLayout>,
    /// Whether there is a pane with volume bars.
    pub show_volume: bool,
    /// Lines over the volume bars.
    pub volume: Vec<SeriesLayout>,
    /// Share of the chart's height that the volume pane has.
    pub volume_share: f32,
    /// How many of the panes stand above the volumes.
    pub volume_position: usize,
    /// Panes below the prices, from top to bottom.
    pub panes: Vec<PaneLayout>,
    /// What the heights of prices mean.
    pub price_scale: PriceScale,
    /// The scale there was before symbols were compared.
    pub scale_before: Option<PriceScale>,
    /// Whether bars stand at their times, with the room that weekends, nights and holes take, instead of side by side.
    pub calendar_time: bool,
    /// What is shown.
    pub range: RangeChoice,
    /// What a double-click goes back to: the last range chosen by a button.
    pub home: RangeChoice,
    /// The pane that has all the room for now.
    #[serde(skip)]
    pub maximised: Option<PanePlace>,
    /// The last id that was given to a line.
    pub last_id: u32,
}

/// A layout as it was stored by this version or an older one.
#[derive(Deserialize)]
#[serde(default)]
struct StoredLayout {
    overlays: Vec<SeriesLayout>,
    show_volume: bool,
    volume: Vec<SeriesLayout>,
    volume_share: f32,
    volume_position: usize,
    panes: Vec<PaneLayout>,
    /// All there was before there were more scales than two.
    log_scale: bool,
    price_scale: PriceScale,
    scale_before: Option<PriceScale>,
    calendar_time: bool,
    range: RangeChoice,
    home: RangeChoice,
    last_id: u32,
}

impl Default for StoredLayout {
    fn default() -> Self {
        let layout = ChartLayout::default();
        Self {
            overlays: layout.overlays,
            show_volume: layout.show_volume,
            volume: layout.volume,
            volume_share: layout.volume_share,
            volume_position: layout.volume_position,
            panes: layout.panes,
            log_scale: false,
            price_scale: PriceScale::default(),
            scale_before: None,
            calendar_time: false,
            range: layout.range,
            home: layout.home,
            last_id: layout.last_id,
        }
    }
}

impl From<StoredLayout> for ChartLayout {
    fn from(stored: StoredLayout) -> Self {
        let mut layout = Self {
            overlays: stored.overlays,
            show_volume: stored.show_volume,
            volume: stored.volume,
            volume_share: stored.volume_share,
            volume_position: stored.volume_position,
            panes: stored.panes,
            price_scale: if stored.log_scale { PriceScale::Log } else { stored.price_scale },
            scale_before: stored.scale_before,
            calendar_time: stored.calendar_time,
            range: stored.range,
            home: stored.home,
            maximised: None,
            last_id: stored.last_id,
        };
        layout.drop_empty_panes();
        // Lines of a version without ids get theirs here, and so do those of a file that was edited by hand.
        let mut seen = std::collections::HashSet::new();
        let mut last = layout.lines().map(|line| line.id.0).max().unwrap_or(0).max(layout.last_id);
        for line in layout.lines_mut() {
            if line.id == SeriesId::default() || !seen.insert(line.id) {
                last += 1;
                line.id = SeriesId(last);
                seen.insert(line.id);
            }
        }
        layout.last_id = last;
        layout
    }
}

impl Default for ChartLayout {
    fn default() -> Self {
        let mut layout = Self::bare();
        for name in ["ma20", "ma60", "macd_dif", "macd_dea", "macd_hist"] {
            layout.add(SeriesSource::column(FIRST_SET, name), &Placement::of_name(name));
        }
        layout
    }
}

impl ChartLayout {
    /// Prices and volumes alone.
    #[must_use]
    pub fn bare() -> Self {
        Self {
            overlays: Vec::new(),
            show_volume: true,
            volume: Vec::new(),
            volume_share: 0.14,
            volume_position: 0,
            panes: Vec::new(),
            price_scale: PriceScale::default(),
            scale_before: None,
            calendar_time: false,
            range: RangeChoice::default(),
            home: RangeChoice::default(),
            maximised: None,
            last_id: 0,
        }
    }

    /// Every line, over the prices first, then over the volumes, then pane by pane.
    pub fn lines(&self) -> impl Iterator<Item = &SeriesLayout> {
        self.overlays.iter().chain(&self.volume).chain(self.panes.iter().flat_map(|pane| &pane.lines))
    }

    fn lines_mut(&mut self) -> impl Iterator<Item = &mut SeriesLayout> {
        let panes = self.panes.iter_mut().flat_map(|pane| pane.lines.iter_mut());
        self.overlays.iter_mut().chain(self.volume.iter_mut()).chain(panes)
    }

    fn lists_mut(&mut self) -> impl Iterator<Item = &mut Vec<SeriesLayout>> {
        [&mut self.overlays, &mut self.volume].into_iter().chain(self.panes.iter_mut().map(|pane| &mut pane.lines))
    }

    /// The line of this id.
    #[must_use]
    pub fn line(&self, id: SeriesId) -> Option<&SeriesLayout> {
        self.lines().find(|line| line.id == id)
    }

    /// The line of this id, to be changed.
    pub fn line_mut(&mut self, id: SeriesId) -> Option<&mut SeriesLayout> {
        self.lines_mut().find(|line| line.id == id)
    }

    /// The first line of this source, shown or hidden.
    #[must_use]
    pub fn line_of(&self, source: &SeriesSource) -> Option<&SeriesLayout> {
        self.lines().find(|line| line.source == *source)
    }

    /// What a line is called among the others: with its set where another set's column has the same name, and cut where a
    /// formula is long.
    #[must_use]
    pub fn name_of(&self, line: &SeriesLayout) -> String {
        let name = line.name();
        let is_other = |other: &SeriesLayout| other.name() == name && other.source != line.source;
        if let SeriesSource::Column { set, .. } = &line.source
            && self.lines().any(is_other)
        {
            return format!("{name} · {set}");
        }
        Self::cut(name)
    }

    /// A name, cut where it is too long for a legend.
    #[must_use]
    pub fn cut(name: &str) -> String {
        if name.chars().count() <= LONGEST_NAME {
            return name.to_owned();
        }
        let mut cut: String = name.chars().take(LONGEST_NAME - 1).collect();
        cut.truncate(cut.trim_end().len());
        cut + "…"
    }

    /// Whether there is a line of this source, shown or hidden.
    #[must_use]
    pub fn contains(&self, source: &SeriesSource) -> bool {
        self.line_of(source).is_some()
    }

    /// What the worker is to answer: the source of every line, each once.
    #[must_use]
    pub fn sources(&self) -> Vec<SeriesSource> {
        let mut sources = Vec::new();
        for line in self.lines() {
            if !sources.contains(&line.source) {
                sources.push(line.source.clone());
            }
        }
        sources
    }

    /// Where a line is.
    #[must_use]
    pub fn place_of(&self, id: SeriesId) -> Option<PanePlace> {
        let has = |lines: &[SeriesLayout]| lines.iter().any(|line| line.id == id);
        if has(&self.overlays) {
            Some(PanePlace::Price)
        } else if has(&self.volume) {
            Some(PanePlace::Volume)
        } else {
            self.panes.iter().find(|pane| has(&pane.lines)).map(|pane| PanePlace::Pane(pane.id.clone()))
        }
    }

    /// Puts a line on the chart, in a colour that nothing else in its pane has; the same source may be on it more than once.
    pub fn add(&mut self, source: SeriesSource, placement: &Placement) -> SeriesId {
        self.put(SeriesLayout::new(source), placement, true)
    }

    /// Puts a line like this one beside it, in another colour.
    pub fn duplicate(&mut self, id: SeriesId) -> Option<SeriesId> {
        let line = self.line(id)?.clone();
        let placement = match self.place_of(id)? {
            PanePlace::Price => Placement::Price,
            PanePlace::Volume => Placement::Volume,
            PanePlace::Pane(pane) => Placement::Pane(pane),
        };
        Some(self.put(SeriesLayout { custom_color: None, ..line }, &placement, true))
    }

    /// Draws a line elsewhere; it keeps what it looks like.
    pub fn move_to(&mut self, id: SeriesId, placement: &Placement) {
        let (Some(line), Some(place)) = (self.line(id).cloned(), self.place_of(id)) else { return };
        let is_alone = |pane_id: &str| self.panes.iter().any(|pane| pane.id == pane_id && pane.lines.len() == 1);
        let is_there = match (placement, &place) {
            (Placement::Price, PanePlace::Price) | (Placement::Volume, PanePlace::Volume) => true,
            (Placement::Pane(wanted), PanePlace::Pane(pane_id)) => wanted == pane_id,
            (Placement::Own, PanePlace::Pane(pane_id)) => is_alone(pane_id),
            _ => false,
        };
        if is_there {
            return;
        }
        self.take(id);
        self.put(line, placement, false);
    }

    /// Takes a line off the chart, and its pane if that is empty then.
    pub fn remove(&mut self, id: SeriesId) {
        self.take(id);
        self.forget_comparison();
    }

    fn take(&mut self, id: SeriesId) {
        self.lists_mut().for_each(|list| list.retain(|line| line.id != id));
        self.drop_empty_panes();
    }

    /// Takes every line of a source off the chart.
    pub fn remove_source(&mut self, source: &SeriesSource) {
        self.lists_mut().for_each(|list| list.retain(|line| line.source != *source));
        self.drop_empty_panes();
        self.forget_comparison();
    }

    /// Lines of one source are of another from now on.
    pub fn replace_source(&mut self, old: &SeriesSource, new: &SeriesSource) {
        self.lines_mut().filter(|line| line.source == *old).for_each(|line| line.source = new.clone());
    }

    /// Gives every line a new id, above this one.
    pub(super) fn renumber(&mut self, above: u32) {
        let mut last = above;
        for line in self.lines_mut() {
            last += 1;
            line.id = SeriesId(last);
        }
        self.last_id = last;
    }

    /// Whether two layouts show the same lines in the same panes, whatever the heights and the stretch of time.
    #[must_use]
    pub fn shows_the_same(&self, other: &Self) -> bool {
        essence(self) == essence(other)
    }

    /// Shows a line alone in its pane; again, all of them.
    pub fn solo(&mut self, id: SeriesId) {
        let Some(list) = self.lists_mut().find(|list| list.iter().any(|line| line.id == id)) else { return };
        let is_alone = list.iter().all(|line| line.visible == (line.id == id));
        list.iter_mut().for_each(|line| line.visible = is_alone || line.id == id);
    }

    /// Shows or hides a line without taking it off the chart.
    pub fn toggle_visible(&mut self, id: SeriesId) {
        if let Some(line) = self.line_mut(id) {
            line.visible = !line.visible;
        }
    }

    fn put(&mut self, mut line: SeriesLayout, placement: &Placement, is_new: bool) -> SeriesId {
        if is_new {
            self.last_id += 1;
            line.id = SeriesId(self.last_id);
        }
        let id = line.id;
        let list = match placement {
            Placement::Price => &mut self.overlays,
            Placement::Volume => {
                self.show_volume = true;
                &mut self.volume
            }
            Placement::Pane(_) | Placement::Own => {
                let pane_id = match placement {
                    Placement::Pane(pane_id) => pane_id.clone(),
                    _ => self.free_pane_id(line.source.label()),
                };
                let position = self.panes.iter().position(|pane| pane.id == pane_id).unwrap_or_else(|| {
                    self.panes.push(PaneLayout { id: pane_id, height_share: PANE_SHARE, ..PaneLayout::default() });
                    self.panes.len() - 1
                });
                let Some(pane) = self.panes.get_mut(position) else { return id };
                &mut pane.lines
            }
        };
        if is_new {
            // The first colour nobody in the same pane has; colours of the others never change.
            let is_free = |slot: &usize| list.iter().all(|other| other.color != *slot || other.custom_color.is_some());
            line.color = (0..LINE_COLORS).find(is_free).unwrap_or(list.len());
        }
        list.push(line);
        // What was added is to be seen.
        self.maximised = None;
        id
    }

    fn free_pane_id(&self, wanted: &str) -> String {
        let numbered = (2..).map(|number| format!("{wanted} {number}"));
        let is_free = |id: &String| self.panes.iter().all(|pane| pane.id != *id);
        std::iter::once(wanted.to_owned()).chain(numbered).find(is_free).unwrap_or_else(|| wanted.to_owned())
    }

    fn drop_empty_panes(&mut self) {
        let above_volume = self.panes.iter().take(self.volume_position).filter(|pane| pane.lines.is_empty()).count();
        self.volume_position -= above_volume.min(self.volume_position);
        self.panes.retain(|pane| !pane.lines.is_empty());
        if let Some(PanePlace::Pane(id)) = &self.maximised
            && self.panes.iter().all(|pane| pane.id != *id)
        {
            self.maximised = None;
        }
    }

    /// Panes from top to bottom; the prices first.
    #[must_use]
    pub fn places(&self) -> Vec<PanePlace> {
        let mut places: Vec<PanePlace> = self.panes.iter().map(|pane| PanePlace::Pane(pane.id.clone())).collect();
        if self.show_volume {
            places.insert(self.volume_position.min(places.len()), PanePlace::Volume);
        }
        places.insert(0, PanePlace::Price);
        places
    }

    /// Whether a pane can change places with the one above or below it. The prices stay on top.
    #[must_use]
    pub fn can_move_pane(&self, place: &PanePlace, up: bool) -> bool {
        let places = self.places();
        places.iter().position(|candidate| candidate == place).is_some_and(|position| match position {
            0 => false,
            _ if up => position > 1,
            _ => position + 1 < places.len(),
        })
    }

    /// Lets a pane change places with the one above or below it.
    pub fn move_pane(&mut self, place: &PanePlace, up: bool) {
        if !self.can_move_pane(place, up) {
            return;
        }
        let mut places = self.places();
        let Some(position) = places.iter().position(|candidate| candidate == place) else { return };
        places.swap(position, if up { position - 1 } else { position + 1 });
        self.volume_position = match places.iter().position(|candidate| *candidate == PanePlace::Volume) {
            Some(position) => position - 1,
            None => self.volume_position.min(self.panes.len()),
        };
        let order = |pane: &PaneLayout| places.iter().position(|place| *place == PanePlace::Pane(pane.id.clone()));
        self.panes.sort_by_key(order);
    }

    /// Takes a pane off the chart with all its lines; the volumes are only hidden, and the prices stay.
    pub fn remove_pane(&mut self, place: &PanePlace) {
        match place {
            PanePlace::Price => {}
            PanePlace::Volume => self.show_volume = false,
            PanePlace::Pane(id) => {
                self.panes.iter_mut().filter(|pane| pane.id == *id).for_each(|pane| pane.lines.clear());
                self.drop_empty_panes();
                self.forget_comparison();
            }
        }
        if self.maximised.as_ref() == Some(place) {
            self.maximised = None;
        }
    }

    /// The same stretch of time as another chart, along the same axis; everything else stays.
    #[must_use]
    pub fn at_time_of(self, other: &Self) -> Self {
        Self { range: other.range, home: other.home, calendar_time: other.calendar_time, ..self }
    }

    /// Gives a pane all the room, or the others theirs back.
    pub fn toggle_maximised(&mut self, place: &PanePlace) {
        self.maximised = if self.maximised.as_ref() == Some(place) { None } else { Some(place.clone()) };
    }

    /// The pane that has all the room for now, as long as it is there.
    #[must_use]
    pub fn maximised(&self) -> Option<&PanePlace> {
        self.maximised.as_ref().filter(|place| self.places().contains(place))
    }
}

/// A layout without what makes no difference between two that show the same: ids, heights, range, what is maximised.
fn essence(layout: &ChartLayout) -> ChartLayout {
    let plain = |lines: &[SeriesLayout]| lines.iter().map(|line| SeriesLayout { id: SeriesId::default(), ..line.clone() }).collect();
    let pane = |pane: &PaneLayout| PaneLayout { lines: plain(&pane.lines), height_share: 0.0, ..pane.clone() };
    ChartLayout {
        overlays: plain(&layout.overlays),
        show_volume: layout.show_volume,
        volume: plain(&layout.volume),
        volume_share: 0.0,
        volume_position: layout.volume_position,
        panes: layout.panes.iter().map(pane).collect(),
        price_scale: layout.price_scale,
        ..ChartLayout::bare()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classic(name: &str) -> SeriesSource {
        SeriesSource::column("classic", name)
    }

    #[test]
    fn an_empty_pane_goes_and_the_colours_of_others_stay() {
        let mut layout = ChartLayout::bare();
        let ids = ["ma5", "ma10", "ma20"].map(|name| layout.add(classic(name), &Placement::Price));
        layout.remove(ids[1]);
        layout.add(classic("ma60"), &Placement::Price);
        let colors: Vec<_> = layout.overlays.iter().map(|line| (line.name(), line.color)).collect();
        assert_eq!(colors, [("ma5", 0), ("ma20", 2), ("ma60", 1)]);
        let rsi = layout.add(classic("rsi14"), &Placement::Pane("rsi".into()));
        layout.move_to(rsi, &Placement::Price);
        assert!(layout.panes.is_empty());
        assert_eq!(layout.place_of(rsi), Some(PanePlace::Price));
    }

    #[test]
    fn the_same_source_can_be_on_the_chart_twice_and_is_asked_for_once() {
        let mut layout = ChartLayout::bare();
        let first = layout.add(classic("rsi14"), &Placement::Own);
        let second = layout.duplicate(first).expect("a line");
        let third = layout.add(classic("rsi14"), &Placement::Own);
        assert!(first != second && second != third);
        assert_eq!(layout.panes.iter().map(|pane| pane.id.as_str()).collect::<Vec<_>>(), ["rsi14", "rsi14 2"]);
        assert_ne!(layout.line(first).map(|line| line.color), layout.line(second).map(|line| line.color));
        assert_eq!(layout.sources(), [classic("rsi14")]);
        layout.remove_source(&classic("rsi14"));
        assert!(layout.lines().next().is_none() && layout.panes.is_empty());
        assert_ne!(layout.add(classic("rsi14"), &Placement::Own), third, "an id is never used again");
    }

    #[test]
    fn panes_change_places_with_their_neighbours_below_the_prices() {
        let mut layout = ChartLayout::bare();
        for name in ["atr14", "obv"] {
            layout.add(classic(name), &Placement::Own);
        }
        let pane = |id: &str| PanePlace::Pane(id.to_owned());
        assert_eq!(layout.places(), [PanePlace::Price, PanePlace::Volume, pane("atr14"), pane("obv")]);
        layout.move_pane(&PanePlace::Volume, false);
        layout.move_pane(&pane("obv"), true);
        assert_eq!(layout.places(), [PanePlace::Price, pane("atr14"), pane("obv"), PanePlace::Volume]);
        layout.move_pane(&pane("atr14"), true);
        layout.move_pane(&PanePlace::Price, false);
        layout.move_pane(&PanePlace::Volume, false);
        assert_eq!(layout.places(), [PanePlace::Price, pane("atr14"), pane("obv"), PanePlace::Volume]);
        layout.toggle_maximised(&pane("atr14"));
        layout.remove_pane(&pane("atr14"));
        assert_eq!(layout.places(), [PanePlace::Price, pane("obv"), PanePlace::Volume]);
        assert_eq!(layout.maximised(), None);
        layout.remove_pane(&PanePlace::Volume);
        assert_eq!(layout.places(), [PanePlace::Price, pane("obv")]);
    }

    #[test]
    fn a_layout_of_an_older_version_is_read() {
        let text = r#"{"range":{"custom":{"from_us":1,"to_us":2}},"overlays":[{"name":"ma5","color":2,"visible":true}],
            "panes":[{"id":"empty"},{"id":"macd","features":[{"name":"macd_dif"},{"name":"macd_hist"}],"height_share":0.2}]}"#;
        let layout: ChartLayout = serde_json::from_str(text).expect("json");
        assert_eq!(layout.range, RangeChoice::Custom { from_us: 1, to_us: 2 });
        assert!(layout.show_volume);
        assert_eq!(layout.sources(), [classic("ma5"), classic("macd_dif"), classic("macd_hist")]);
        let ids: std::collections::HashSet<SeriesId> = layout.lines().map(|line| line.id).collect();
        assert_eq!(ids.len(), 3);
        assert_eq!(layout.panes.len(), 1);
        let again: ChartLayout = serde_json::from_str(&serde_json::to_string(&layout).expect("json")).expect("json");
        assert_eq!(again, layout);
    }

    #[test]
    fn a_line_alone_hides_its_neighbours_until_it_is_asked_for_again() {
        let mut layout = ChartLayout::bare();
        let ids = ["ma5", "ma10", "ma20"].map(|name| layout.add(classic(name), &Placement::Price));
        let rsi = layout.add(classic("rsi14"), &Placement::Own);
        let seen = |layout: &ChartLayout| layout.lines().filter(|line| line.visible).map(|line| line.id).collect::<Vec<_>>();
        layout.solo(ids[1]);
        assert_eq!(seen(&layout), [ids[1], rsi]);
        layout.solo(ids[2]);
        assert_eq!(seen(&layout), [ids[2], rsi]);
        layout.solo(ids[2]);
        assert_eq!(seen(&layout).len(), 4);
    }

    #[test]
    fn a_scale_of_an_older_version_is_known() {
        let scale = |text: &str| serde_json::from_str::<ChartLayout>(text).expect("json").price_scale;
        assert_eq!(scale(r#"{"log_scale":true}"#), PriceScale::Log);
        assert_eq!(scale(r#"{"price_scale":"percent"}"#), PriceScale::Percent);
        assert_eq!(scale("{}"), PriceScale::Linear);
    }

    #[test]
    fn guides_are_those_of_the_family_until_the_user_says_otherwise() {
        let mut layout = ChartLayout::bare();
        layout.add(SeriesSource::formula("TA_RSI($close, 9)"), &Placement::Own);
        assert_eq!(layout.panes[0].guides(), [30.0, 70.0]);
        layout.panes[0].guides = Some(Vec::new());
        assert!(layout.panes[0].guides().is_empty());
    }
}
