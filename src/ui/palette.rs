//! The command palette: every command, symbol, source, template and setting, found by typing a few of its letters.
//!
//! One list for three doors: everything (Ctrl+K), symbols alone (Ctrl+P, or a letter typed anywhere), templates alone. What is
//! found is kept until the text or the snapshot is another; what can be run now is asked anew with every frame.

use super::commands::icon_of;
use super::icons;
use super::settings::{Setting, setting_text};
use super::theme::{Theme, size, space};
use super::widgets::mark_of;
use super::window::{Outbox, ViewState};
use crate::app::{Action, AppState, ChartAction, Command, CommandGroup, Dialog, SourceAction, View, symbols_in};
use crate::market::Symbol;
use crate::tr;
use eframe::egui;
use egui::text::{LayoutJob, TextFormat};
use egui::{Id, Modal, Modifiers, RichText, ScrollArea, TextEdit, Ui, vec2};
use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use strum::IntoEnumIterator;

/// Most lines of a kind while several kinds are listed.
const OF_A_KIND: usize = 8;
/// Most symbols while only symbols are listed.
const SYMBOLS: usize = 100;
/// Most height of the list.
const TALLEST: f32 = 440.0;

/// What is typed and chosen.
#[derive(Default)]
pub struct PaletteState {
    text: String,
    chosen: usize,
    open: bool,
    found: Option<Found>,
}

/// What is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Everything,
    Symbols,
    Templates,
}

/// What was found, and for what.
struct Found {
    door: Door,
    text: String,
    snapshot: usize,
    lines: Vec<Line>,
}

/// What a line leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Command(Command),
    Symbol(Symbol),
    /// The first on the chart, the others beside it.
    Compare(Vec<Symbol>),
    Source(String),
    Template(String),
    Setting(Setting),
}

struct Line {
    target: Target,
    text: String,
    /// Letters that matched, by their place.
    matched: Vec<u32>,
    heading: &'static str,
}

/// Ranks texts by how well they match what is typed.
struct Ranking {
    matcher: Matcher,
    pattern: Pattern,
    /// Room for a text's letters.
    letters: Vec<char>,
}

impl Ranking {
    fn new(needle: &str) -> Self {
        // Every sign means itself: a symbol may be called ^GSPC or !X.
        let pattern = Pattern::new(needle, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
        Self { matcher: Matcher::new(Config::DEFAULT), pattern, letters: Vec::new() }
    }

    /// The score of a text, and which of its letters matched; `None` when it does not.
    fn of(&mut self, text: &str) -> Option<(u32, Vec<u32>)> {
        let mut matched = Vec::new();
        let score = self.pattern.indices(Utf32Str::new(text, &mut self.letters), &mut self.matcher, &mut matched)?;
        matched.sort_unstable();
        matched.dedup();
        Some((score, matched))
    }
}

fn template_text(name: &str) -> String {
    tr!("Apply template {name}", name = name)
}

/// The best of one kind, best first; equally good ones stay in their order.
fn best(
    ranking: &mut Ranking,
    heading: &'static str,
    most: usize,
    candidates: impl Iterator<Item = (Target, String)>,
) -> Option<(u32, Vec<Line>)> {
    let mut found: Vec<(u32, Line)> = candidates
        .filter_map(|(target, text)| {
            let (score, matched) = ranking.of(&text).or_else(|| {
                // In another language, commands are found by their English names, too.
                let Target::Command(command) = &target else { return None };
                let own_name = command.language().and_then(|language| ranking.of(language.own_name()));
                own_name.or_else(|| ranking.of(&command.key())).map(|(score, _)| (score / 2, Vec::new()))
            })?;
            Some((score, Line { target, text, matched, heading }))
        })
        .collect();
    // What is called exactly as it is typed comes before what only begins so.
    let is_exact = |line: &Line| line.matched.len() == line.text.chars().count();
    found.sort_by_key(|(score, line)| std::cmp::Reverse((*score, is_exact(line))));
    found.truncate(most);
    let top = found.first()?.0;
    Some((top, found.into_iter().map(|(_, line)| line).collect()))
}

fn command_candidates() -> impl Iterator<Item = (Target, String)> {
    Command::iter().filter(|command| *command != Command::Palette).map(|command| (Target::Command(command), command.text().to_owned()))
}

fn symbol_candidates(state: &AppState) -> impl Iterator<Item = (Target, String)> {
    state.snapshot.rows.iter().map(|row| (Target::Symbol(row.symbol.clone()), row.symbol.to_string()))
}

/// Several symbols by name, which are what is meant where all of them are there: to be compared.
fn comparison(state: &AppState, needle: &str) -> Option<Line> {
    needle.split_whitespace().nth(1)?;
    let found = symbols_in(needle, &state.snapshot.rows);
    if !found.unknown.is_empty() || found.known.len() < 2 {
        return None;
    }
    let text = tr!("Compare {symbols}", symbols = found.known.join(", "));
    let symbols = found.known.iter().map(Symbol::new).collect();
    Some(Line { target: Target::Compare(symbols), text, matched: Vec::new(), heading: tr!("Symbols") })
}

/// Lines for what is typed, the best kind first.
fn search(state: &AppState, door: Door, needle: &str) -> Vec<Line> {
    let mut ranking = Ranking::new(needle);
    let templates = |alone: bool| {
        let names = state.chart.templates.names().into_iter().map(|(name, _)| name);
        names.map(move |name| (Target::Template(name.clone()), if alone { name } else { template_text(&name) }))
    };
    let mut kinds = match door {
        Door::Symbols => vec![best(&mut ranking, tr!("Symbols"), SYMBOLS, symbol_candidates(state))],
        Door::Templates => vec![best(&mut ranking, tr!("Chart templates"), SYMBOLS, templates(true))],
        Door::Everything => {
            let sources = state.settings.sources.iter().filter(|_| !state.fixed_source);
            let sources = sources.map(|source| (Target::Source(source.name.clone()), tr!("Use the source {name}", name = source.name)));
            let settings = Setting::iter().map(|setting| (Target::Setting(setting), setting_text(setting).to_owned()));
            vec![
                best(&mut ranking, tr!("Symbols"), OF_A_KIND, symbol_candidates(state)),
                best(&mut ranking, tr!("Commands"), OF_A_KIND, command_candidates()),
                best(&mut ranking, tr!("Sources"), OF_A_KIND, sources),
                best(&mut ranking, tr!("Chart templates"), OF_A_KIND, templates(false)),
                best(&mut ranking, tr!("Settings"), OF_A_KIND, settings),
            ]
        }
    };
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.as_ref().map(|(top, _)| *top)));
    let together = comparison(state, needle).filter(|_| door != Door::Templates);
    together.into_iter().chain(kinds.into_iter().flatten().flat_map(|(_, lines)| lines)).collect()
}

/// Lines before anything is typed: what was searched for last, then everything in its groups.
fn offer(state: &AppState, door: Door) -> Vec<Line> {
    let line = |heading, target, text| Line { target, text, matched: Vec::new(), heading };
    let recent_symbols = || {
        let known = state.recent.symbols().iter().filter(|symbol| state.row(symbol).is_some());
        known.map(|symbol| line(tr!("Recent"), Target::Symbol(symbol.clone()), symbol.to_string()))
    };
    match door {
        Door::Templates => search(state, door, ""),
        Door::Symbols => {
            let all = symbol_candidates(state).take(SYMBOLS).map(|(target, text)| line(tr!("Symbols"), target, text));
            recent_symbols().chain(all).collect()
        }
        Door::Everything => {
            let recent: Vec<Command> = state.recent.commands().collect();
            let first = recent.iter().map(|command| line(tr!("Recent"), Target::Command(*command), command.text().to_owned()));
            let groups = CommandGroup::iter().flat_map(|group| group.commands().map(move |command| (group, command)));
            let others = groups.filter(|(_, command)| *command != Command::Palette && !recent.contains(command));
            // What can be run stands first: with no source, little can.
            let (now, later): (Vec<_>, Vec<_>) = others.partition(|(_, command)| command.enabled(state).is_ok());
            let now = now.into_iter().map(|(group, command)| line(group.text(), Target::Command(command), command.text().to_owned()));
            let later = later.into_iter();
            let later = later.map(|(_, command)| line(tr!("Not possible now"), Target::Command(command), command.text().to_owned()));
            first.chain(recent_symbols()).chain(now).chain(later).collect()
        }
    }
}

/// Draws the palette while it is open.
pub fn palette_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let (door, begin) = match &state.dialog {
        Some(Dialog::Palette) => (Door::Everything, ""),
        Some(Dialog::FindSymbol(text)) => (Door::Symbols, text.as_str()),
        Some(Dialog::Templates) => (Door::Templates, ""),
        _ => {
            views.palette = PaletteState::default();
            return;
        }
    };
    let palette = &mut views.palette;
    let just_opened = !std::mem::replace(&mut palette.open, true);
    if just_opened {
        begin.clone_into(&mut palette.text);
    }
    let area = Modal::default_area(Id::unique("palette")).anchor(egui::Align2::CENTER_TOP, vec2(0.0, 72.0));
    let frame = super::dialogs::dialog_frame(ui).inner_margin(12);
    let mut setting = None;
    let response = Modal::new(Id::unique("palette")).area(area).frame(frame).show(ui, |ui| {
        ui.set_width((ui.content_rect().width() - 64.0).min(560.0));
        setting = inside_ui(ui, state, palette, door, just_opened, out);
    });
    if response.should_close() {
        out.act(Action::CloseDialog);
    }
    if let Some(setting) = setting {
        views.settings.look_for(setting);
    }
}

/// Field and lines; returns the setting that was chosen.
fn inside_ui(
    ui: &mut Ui,
    state: &AppState,
    palette: &mut PaletteState,
    door: Door,
    just_opened: bool,
    out: &mut Outbox,
) -> Option<Setting> {
    let theme = Theme::of(ui);
    let (down, up, page_down, page_up, enter) = ui.input_mut(|input| {
        let mut pressed = |key| input.count_and_consume_key(Modifiers::NONE, key);
        let walked = (pressed(egui::Key::ArrowDown), pressed(egui::Key::ArrowUp), pressed(egui::Key::PageDown), pressed(egui::Key::PageUp));
        (walked.0, walked.1, walked.2, walked.3, pressed(egui::Key::Enter) > 0)
    });
    let hint = match door {
        Door::Everything => tr!("Search commands and symbols"),
        Door::Symbols => tr!("Search symbols"),
        Door::Templates => tr!("Search chart templates"),
    };
    let id = Id::unique("palette field");
    // Before it is drawn: what is typed while it opens is not lost.
    ui.memory_mut(|memory| memory.request_focus(id));
    let mut field = TextEdit::singleline(&mut palette.text).hint_text(hint).desired_width(f32::INFINITY).id(id).show(ui);
    if just_opened {
        // What is typed next goes behind the letter that opened this.
        let end = egui::text::CCursorRange::one(egui::text::CCursor::new(palette.text.chars().count()));
        field.state.cursor.set_char_range(Some(end));
        field.state.store(ui, field.response.id);
    }
    if field.response.changed() {
        palette.chosen = 0;
    }
    look_up(state, palette, door);
    let found = palette.found.as_ref().map(|found| found.lines.as_slice()).unwrap_or_default();
    let last = found.len().saturating_sub(1);
    let before = palette.chosen;
    palette.chosen = (palette.chosen + down + 10 * page_down).min(last).saturating_sub(up + 10 * page_up);
    let walked = palette.chosen != before;
    ui.add_space(space::XS);
    if found.is_empty() {
        ui.label(RichText::new(tr!("Nothing matches")).color(theme.text_weak));
    }
    let mut chosen_setting = None;
    let tallest = (ui.content_rect().height() - 200.0).clamp(120.0, TALLEST);
    let mut list = ScrollArea::vertical().max_height(tallest).min_scrolled_height(tallest).auto_shrink([false, true]);
    if just_opened || field.response.changed() {
        list = list.vertical_scroll_offset(0.0);
    }
    list.show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let mut heading = "";
        for (place, line) in found.iter().enumerate() {
            if line.heading != heading {
                heading = line.heading;
                ui.add_space(if place > 0 { space::S } else { space::XS });
                ui.label(RichText::new(heading).small().color(theme.text_weak));
            }
            let chosen = place == palette.chosen;
            let (response, enabled) = line_ui(ui, state, door, line, chosen);
            if chosen && walked {
                response.scroll_to_me(None);
            }
            if enabled && (response.clicked() || (enter && chosen)) {
                out.act(Action::CloseDialog);
                match &line.target {
                    Target::Command(command) => out.act(Action::Found(*command)),
                    Target::Symbol(symbol) => out.act(Action::FoundSymbol(symbol.clone())),
                    Target::Compare(symbols) => {
                        out.actions.extend(symbols.first().cloned().map(Action::FoundSymbol));
                        out.act(Action::Chart(ChartAction::Compare(symbols.clone())));
                    }
                    Target::Source(name) => out.act(Action::Source(SourceAction::Use(name.clone()))),
                    Target::Template(name) => out.act(Action::Chart(ChartAction::ApplyTemplate(name.clone()))),
                    Target::Setting(setting) => {
                        out.act(Action::Show(View::Settings));
                        chosen_setting = Some(*setting);
                    }
                }
            }
        }
    });
    chosen_setting
}

fn look_up(state: &AppState, palette: &mut PaletteState, door: Door) {
    let snapshot = std::sync::Arc::as_ptr(&state.snapshot) as usize;
    let text = palette.text.trim();
    let is_known = palette.found.as_ref().is_some_and(|found| found.door == door && found.snapshot == snapshot && found.text == text);
    if !is_known {
        let lines = if text.is_empty() { offer(state, door) } else { search(state, door, text) };
        palette.found = Some(Found { door, text: text.to_owned(), snapshot, lines });
    }
}

fn line_ui(ui: &mut Ui, state: &AppState, door: Door, line: &Line, chosen: bool) -> (egui::Response, bool) {
    let theme = Theme::of(ui);
    let (glyph, keys, enabled) = match &line.target {
        Target::Command(command) => {
            let keys = command.shortcut().map(|keys| keys.to_string()).unwrap_or_default();
            (icon_of(*command).unwrap_or(icons::CHEVRON_RIGHT), keys, command.enabled(state))
        }
        Target::Symbol(symbol) => {
            let now_us = super::symbols::now_us(state);
            let word = state.row(symbol).map(|row| mark_of(row.state, row.cools_at_us, now_us).word()).unwrap_or_default();
            (icons::CHART, word.to_owned(), Ok(()))
        }
        Target::Compare(_) => (icons::COMPARE, tr!("in percent").to_owned(), Ok(())),
        Target::Source(name) => {
            let in_use = state.settings.source.as_deref() == Some(name);
            (icons::DATABASE, if in_use { tr!("in use").to_owned() } else { String::new() }, Ok(()))
        }
        Target::Template(name) => {
            let note = match state.chart.templates.current(&state.chart.layout) {
                Some((current, true)) if current == name => tr!("on the chart"),
                Some((current, false)) if current == name => tr!("on the chart, changed"),
                _ => "",
            };
            (icons::TEMPLATE, note.to_owned(), Command::ApplyTemplate.enabled(state))
        }
        Target::Setting(_) => (icons::SETTINGS, tr!("setting").to_owned(), Ok(())),
    };
    let color = if enabled.is_ok() { theme.text } else { theme.text_disabled };
    let note = enabled.err().unwrap_or(&keys);
    let button = egui::Button::new((icons::icon(glyph).color(theme.text_weak), emphasised(ui, line, color)))
        .shortcut_text(RichText::new(note).small().color(theme.text_weak))
        .selected(chosen)
        .frame_when_inactive(chosen)
        .min_size(vec2(ui.available_width(), size::ROW));
    let response = ui.add_enabled(enabled.is_ok(), button);
    let name = enabled.err().map_or_else(|| line.text.clone(), |reason| format!("{} ({reason})", line.text));
    let name = match &line.target {
        Target::Command(_) => name,
        Target::Symbol(_) if door == Door::Symbols => name,
        _ if keys.is_empty() => name,
        _ => format!("{name} ({keys})"),
    };
    // The line that Enter runs is told as the selected one.
    let role = egui::accesskit::Role::Button;
    response.widget_info(|| egui::WidgetInfo::selected(role, enabled.is_ok(), chosen, &name));
    if matches!(line.target, Target::Command(_)) && !keys.is_empty() {
        response.ctx.accesskit_node_builder(response.id, |node| node.set_keyboard_shortcut(keys.as_str()));
    }
    (response, enabled.is_ok())
}

/// The words of a line, with the letters that matched in the accent colour.
fn emphasised(ui: &Ui, line: &Line, color: egui::Color32) -> LayoutJob {
    let theme = Theme::of(ui);
    let font = egui::TextStyle::Button.resolve(ui.style());
    let mut job = LayoutJob::default();
    let mut matched = line.matched.iter().peekable();
    let mut run = String::new();
    let mut run_matched = false;
    let mut flush = |run: &mut String, is_matched: bool| {
        let color = if is_matched { theme.accent } else { color };
        job.append(run, 0.0, TextFormat::simple(font.clone(), color));
        run.clear();
    };
    for (place, letter) in line.text.chars().enumerate() {
        let is_matched = matched.next_if(|wanted| **wanted as usize == place).is_some();
        if is_matched != run_matched && !run.is_empty() {
            flush(&mut run, run_matched);
        }
        run_matched = is_matched;
        run.push(letter);
    }
    flush(&mut run, run_matched);
    job
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_found_in_their_order_and_good_matches_first() {
        let mut ranking = Ranking::new("prall");
        let (score, matched) = ranking.of("Preheat all").expect("a match");
        assert_eq!(matched, [0, 1, 8, 9, 10]);
        assert!(score > ranking.of("Pin or rearrange all labels").expect("a worse one").0);
        assert_eq!(ranking.of("Overview"), None);
    }

    #[test]
    fn signs_of_symbols_mean_themselves() {
        assert!(Ranking::new("^gs").of("^GSPC").is_some());
        assert!(Ranking::new("!x").of("AAPL").is_none());
    }
}
