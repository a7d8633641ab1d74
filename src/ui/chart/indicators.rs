//! The list of what can be put on the chart, found by typing.

use crate::app::chart::{ChartLayout, PanePlace, Placement, TypedIndicator, name_and_numbers, typed_indicators};
use crate::feature::graph::WarmUp;
use crate::feature::{Definition, FeatureSet, SetLibrary};
use crate::language::describe;
use crate::tr;
use crate::ui::icons;
use crate::ui::symbols::sentence;
use crate::ui::theme::{Theme, size, space};
use crate::ui::widgets::check_ui;
use crate::worker::series::SeriesSource;
use eframe::egui;
use egui::{Align, Button, Key, Layout, Modifiers, RichText, Role, ScrollArea, TextEdit, Ui, WidgetInfo, vec2};
use std::sync::Arc;

/// Width of the list, in points.
pub(super) const LIST_POINTS: f32 = 500.0;
/// Height of its scrolled part.
const LIST_HEIGHT_POINTS: f32 = 360.0;

/// A feature that can be put on the chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureChoice {
    /// Its column.
    pub source: SeriesSource,
    /// What it is listed under: `Trend`, `Momentum` …
    pub group: String,
    /// What it is, in a few words.
    pub description: String,
    /// Where it is drawn unless the user says otherwise.
    pub placement: Placement,
}

/// Every feature of the sets there are, worked out once for each library.
#[derive(Debug, Default)]
pub struct FeatureChoices {
    /// Kept, so that its address stands for it.
    library: Option<Arc<SetLibrary>>,
    choices: Vec<FeatureChoice>,
}

impl FeatureChoice {
    fn set(&self) -> &str {
        if let SeriesSource::Column { set, .. } = &self.source { set } else { "" }
    }
}

impl FeatureChoices {
    /// The features of a library.
    pub fn of(&mut self, library: &Arc<SetLibrary>) -> &[FeatureChoice] {
        if !self.library.as_ref().is_some_and(|known| Arc::ptr_eq(known, library)) {
            self.choices = library.sets().iter().flat_map(|entry| choices_of(&entry.set)).collect();
            self.library = Some(Arc::clone(library));
        }
        &self.choices
    }
}

fn choices_of(set: &FeatureSet) -> Vec<FeatureChoice> {
    let choice = |definition: &Definition| FeatureChoice {
        source: SeriesSource::column(set.name(), &*definition.name),
        group: definition.group.label().to_owned(),
        description: describe(&definition.description).to_owned(),
        placement: Placement::of_definition(definition),
    };
    set.definitions().iter().map(choice).collect()
}

/// What is typed into the search, and which row Enter takes.
#[derive(Debug, Default)]
pub(super) struct IndicatorSearch {
    text: String,
    chosen: usize,
    wants_keys: bool,
}

impl IndicatorSearch {
    /// A search that is about to be typed into.
    pub(super) fn ready() -> Self {
        Self { wants_keys: true, ..Self::default() }
    }
}

/// What stands in a row of the list.
enum Row<'a> {
    /// A set and a group of it.
    Heading(String),
    Choice(&'a FeatureChoice),
    /// What a name with numbers means.
    Typed(TypedIndicator),
}

/// The rows that a search leaves: what is called just so, then what a name with numbers means, then the rest by set and group, in the
/// order of the sets.
fn rows<'a>(choices: &'a [FeatureChoice], search: &str, sets: &SetLibrary) -> Vec<Row<'a>> {
    let wanted = search.trim().to_lowercase();
    // `rsi 6` and `RSI(6)` are rsi6.
    let squeezed = name_and_numbers(&wanted).map(|(name, numbers)| numbers.iter().fold(name, |name, number| format!("{name}{number}")));
    let is_called = |choice: &FeatureChoice| {
        let label = choice.source.label().to_lowercase();
        label == wanted || squeezed.as_ref().is_some_and(|squeezed| label == *squeezed)
    };
    let has = |choice: &&FeatureChoice| {
        [choice.source.label(), choice.set(), &choice.group, &choice.description].iter().any(|text| text.to_lowercase().contains(&wanted))
    };
    let (called, found): (Vec<&FeatureChoice>, Vec<&FeatureChoice>) =
        choices.iter().filter(|choice| has(choice) || is_called(choice)).partition(|choice| is_called(choice));
    let heading_of = |choice: &FeatureChoice| match choice.group.as_str() {
        "" => choice.set().to_owned(),
        group => format!("{} · {group}", choice.set()),
    };
    let mut rows = Vec::with_capacity(found.len() + called.len() + 8);
    for choice in called {
        rows.extend([Row::Heading(heading_of(choice)), Row::Choice(choice)]);
    }
    let typed = typed_indicators(search, sets);
    if !typed.is_empty() {
        rows.push(Row::Heading(tr!("With these numbers").to_owned()));
        rows.extend(typed.into_iter().map(Row::Typed));
    }
    let mut headings: Vec<(&str, &str)> = Vec::new();
    for choice in &found {
        let heading = (choice.set(), choice.group.as_str());
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    // The groups of a set stand together, whatever the order of its features.
    headings.sort_by_key(|(set, _)| found.iter().position(|choice| choice.set() == *set));
    for (set, group) in headings {
        let mut of_this = found.iter().filter(|choice| (choice.set(), choice.group.as_str()) == (set, group)).peekable();
        rows.extend(of_this.peek().map(|choice| Row::Heading(heading_of(choice))));
        rows.extend(of_this.map(|choice| Row::Choice(choice)));
    }
    rows
}

/// Whether a text is meant as a formula rather than as a search.
fn is_formula(text: &str) -> bool {
    text.contains(['$', '(']) && !text.trim().is_empty()
}

/// The list, with its search. A formula that is typed can be drawn as it is; Enter takes the marked row and closes the list.
pub(super) fn indicators_ui(
    ui: &mut Ui,
    layout: &mut ChartLayout,
    choices: &[FeatureChoice],
    sets: &SetLibrary,
    search: &mut IndicatorSearch,
) {
    let theme = Theme::of(ui);
    ui.set_width(LIST_POINTS);
    // Menus squeeze their buttons; this is more of a dialog.
    ui.spacing_mut().button_padding = vec2(6.0, 2.0);
    let (down, up) = ui.input_mut(|input| {
        (input.count_and_consume_key(Modifiers::NONE, Key::ArrowDown), input.count_and_consume_key(Modifiers::NONE, Key::ArrowUp))
    });
    let hint = tr!("Search indicators, or type a formula");
    let field = TextEdit::singleline(&mut search.text).hint_text(hint).desired_width(f32::INFINITY).margin(vec2(space::S, space::XS));
    let field = ui.add(field);
    if std::mem::take(&mut search.wants_keys) {
        field.request_focus();
    }
    let enter = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    if field.changed() {
        search.chosen = 0;
    }
    ui.add_space(space::XS);
    if is_formula(&search.text) && typed_indicators(&search.text, sets).is_empty() {
        formula_ui(ui, layout, &mut search.text, enter);
        return;
    }
    let rows = rows(choices, &search.text, sets);
    if rows.is_empty() {
        ui.add_space(space::S);
        let words = tr!("No indicator is called “{search}”", search = search.text.trim());
        ui.label(RichText::new(words).color(theme.text_weak));
        ui.add_space(space::S);
    }
    let choosable: Vec<usize> =
        rows.iter().enumerate().filter(|(_, row)| !matches!(row, Row::Heading(_))).map(|(place, _)| place).collect();
    search.chosen = (search.chosen + down).min(choosable.len().saturating_sub(1)).saturating_sub(up);
    // Nothing is marked before something was typed: Enter would take what nobody looked for.
    let is_marked = !search.text.trim().is_empty() || search.chosen > 0;
    let marked = choosable.get(search.chosen).copied().filter(|_| is_marked);
    if enter {
        match marked.and_then(|place| rows.get(place)) {
            Some(Row::Choice(choice)) if !layout.contains(&choice.source) => put(layout, choice, true),
            Some(Row::Typed(typed)) => add_typed(layout, typed),
            // What was typed is no indicator: the list says so.
            None if !search.text.trim().is_empty() => {
                field.request_focus();
                return;
            }
            _ => {}
        }
        search.text.clear();
        ui.close();
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    // A menu gives no more room than it took the last time; a longer list is to have its height back.
    let mut area = ScrollArea::vertical().max_height(LIST_HEIGHT_POINTS).min_scrolled_height(LIST_HEIGHT_POINTS).auto_shrink([false, true]);
    if let Some(place) = marked.filter(|_| down > 0 || up > 0) {
        area = area.vertical_scroll_offset((place as f32 * size::ROW - LIST_HEIGHT_POINTS * 0.5).max(0.0));
    } else if field.changed() {
        area = area.vertical_scroll_offset(0.0);
    }
    area.show_rows(ui, size::ROW, rows.len(), |ui, shown| {
        let first = shown.start;
        for (place, row) in rows.get(shown).unwrap_or_default().iter().enumerate() {
            if marked == Some(first + place) {
                let place = egui::Rect::from_min_size(ui.cursor().min, vec2(ui.available_width(), size::ROW));
                ui.painter().rect_filled(place, size::RADIUS, theme.accent_weak);
            }
            match row {
                Row::Heading(words) => {
                    ui.allocate_ui_with_layout(vec2(ui.available_width(), size::ROW), Layout::left_to_right(Align::Max), |ui| {
                        ui.set_min_height(size::ROW);
                        ui.label(RichText::new(words).small().color(theme.text_weak));
                    });
                }
                Row::Choice(choice) => choice_ui(ui, layout, choice),
                Row::Typed(typed) => typed_ui(ui, layout, typed, theme),
            }
        }
    });
}

fn add_typed(layout: &mut ChartLayout, typed: &TypedIndicator) {
    for line in &typed.lines {
        if !layout.contains(&line.source) {
            let id = layout.add(line.source.clone(), &line.placement);
            if let Some(added) = layout.line_mut(id) {
                added.label.clone_from(&line.label);
            }
        }
    }
}

/// What a name with numbers means: all its lines at once.
fn typed_ui(ui: &mut Ui, layout: &mut ChartLayout, typed: &TypedIndicator, theme: &Theme) {
    ui.horizontal(|ui| {
        ui.set_min_height(size::ROW);
        let mut on = typed.lines.iter().all(|line| layout.contains(&line.source));
        let left = ui.cursor().left();
        if check_ui(ui, &mut on, &typed.name).changed() {
            if on {
                add_typed(layout, typed);
            } else {
                typed.lines.iter().for_each(|line| layout.remove_source(&line.source));
            }
        }
        ui.add_space((left + 148.0 - ui.cursor().left()).max(0.0));
        let formulas: Vec<&str> = typed.lines.iter().map(|line| line.source.label()).collect();
        let text = RichText::new(format!("{} · {}", typed.origin, formulas.join(" · "))).small().color(theme.text_weak);
        ui.add(egui::Label::new(text).truncate().selectable(false));
    });
}

/// What becomes of a formula in the search: a line, or what is wrong with it.
fn formula_ui(ui: &mut Ui, layout: &mut ChartLayout, search: &mut String, enter: bool) {
    let theme = Theme::of(ui);
    let text = search.trim().to_owned();
    let source = SeriesSource::formula(&text);
    let problem = problem_of(&text);
    ui.horizontal(|ui| {
        ui.set_min_height(size::ROW);
        let button = Button::new((icons::icon(icons::FORMULA).color(theme.text_weak), tr!("Draw this formula")));
        let response = ui.add_enabled(problem.is_none(), button);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, problem.is_none(), tr!("Draw this formula")));
        let (words, color) = match &problem {
            Some(problem) => (problem.as_str(), theme.warning),
            None if layout.contains(&source) => (tr!("It is on the chart already"), theme.text_weak),
            None => (tr!("Enter draws it"), theme.text_weak),
        };
        ui.add(egui::Label::new(RichText::new(words).small().color(color)).truncate().selectable(false));
        if problem.is_none() && (response.clicked() || enter) {
            let placement = Placement::of_source(&source);
            layout.add(source, &placement);
            search.clear();
        }
    });
}

/// What is wrong with a formula, before it is drawn.
fn problem_of(text: &str) -> Option<String> {
    let mistakes = FeatureSet::of_formulas("chart", WarmUp::Strict, &[("line", text)]).err()?;
    let mistake = mistakes.first()?;
    let meant = mistake.suggestion.as_ref().map(|meant| tr!("; did you mean {meant}?", meant = meant)).unwrap_or_default();
    Some(sentence(&format!("{}{meant}", crate::app::said(&mistake.message))))
}

/// Puts a feature on the chart, or takes it off.
fn put(layout: &mut ChartLayout, choice: &FeatureChoice, on: bool) {
    if on {
        layout.add(choice.source.clone(), &choice.placement);
    } else {
        layout.remove_source(&choice.source);
    }
}

/// A feature: whether it is on the chart, and where.
fn choice_ui(ui: &mut Ui, layout: &mut ChartLayout, choice: &FeatureChoice) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        ui.set_min_height(size::ROW);
        let mut on = layout.contains(&choice.source);
        let left = ui.cursor().left();
        if check_ui(ui, &mut on, choice.source.label()).changed() {
            put(layout, choice, on);
        }
        // Descriptions share one left edge wherever names end.
        let column = left + 148.0;
        ui.add_space((column - ui.cursor().left()).max(0.0));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(space::S);
            if on && choice.placement != Placement::Volume {
                placement_ui(ui, layout, choice);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let text = RichText::new(&choice.description).small().color(theme.text_weak);
                ui.add(egui::Label::new(text).truncate().selectable(false));
            });
        });
    });
}

fn placement_ui(ui: &mut Ui, layout: &mut ChartLayout, choice: &FeatureChoice) {
    let Some(id) = layout.line_of(&choice.source).map(|line| line.id) else { return };
    let over = layout.place_of(id) == Some(PanePlace::Price);
    let own = match &choice.placement {
        Placement::Pane(id) => Placement::Pane(id.clone()),
        Placement::Price | Placement::Volume | Placement::Own => Placement::Own,
    };
    ui.spacing_mut().item_spacing.x = 2.0;
    for (chosen, word, target) in [(!over, tr!("Own pane"), &own), (over, tr!("Over price"), &Placement::Price)] {
        let response = ui.add(Button::selectable(chosen, RichText::new(word).small()));
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, format!("{word}: {}", choice.source.label())));
        if response.clicked() && !chosen {
            layout.move_to(id, target);
        }
    }
}
