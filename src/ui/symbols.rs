//! The list of symbols with the chart beside it.
//!
//! Only the visible rows are built. What a click means is decided by the state; this only says that one happened.

use super::chart::{ChartNotice, ChartOffer, chart_ui};
use super::commands::{command_button_ui, command_icon_ui, primary_button_ui};
use super::theme::{StateMark, Theme, size, space};
use super::widgets::{chip_ui, mark_of, state_ui};
use super::window::{Outbox, ViewState};
use super::{dialogs, features, format, icons, inspector};
use crate::app::{Action, AppState, ChartAction, Column, Command, ListAction, OpenState, StateFilter};
use crate::cache::{EntryState, Why};
use crate::market::Symbol;
use crate::worker::{DatasetFacts, LoadError, SymbolRow};
use eframe::egui;
use egui::{Align, Frame, Label, Layout, Margin, Panel, RichText, Sense, TextEdit, Ui, vec2};
use egui_extras::{Column as TableColumn, TableBuilder, TableRow};
use strum::IntoEnumIterator;

/// What the buttons at the end of a symbol's head take.
const HEAD_BUTTONS_POINTS: f32 = 112.0;
/// What the chart keeps beside the list and the inspector.
const CHART_POINTS: f32 = 500.0;

/// The whole view.
pub fn symbols_view_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    if !state.has_source() {
        dialogs::welcome_ui(ui, state, out);
        return;
    }
    let theme = Theme::of(ui);
    let list = Frame::NONE.fill(theme.panel).inner_margin(Margin { left: 12, right: 4, top: 0, bottom: 0 });
    // The chart keeps room of its own, whatever stands beside it.
    let beside = match (state.inspector.open, state.features.open) {
        (true, _) => inspector::WIDTH,
        (_, true) => views.panel.width(),
        _ => 0.0,
    };
    let widest = (ui.available_width() - beside - CHART_POINTS).clamp(360.0, 1100.0);
    Panel::left("symbols").resizable(true).default_size(712.0).min_size(360.0).max_size(widest).frame(list).show(ui, |ui| {
        list_ui(ui, state, views, out);
    });
    inspector::inspector_ui(ui, state, views, out);
    let room = ui.available_width() - CHART_POINTS;
    features::features_ui(ui, state, views, room, out);
    egui::CentralPanel::default().frame(Frame::NONE.fill(theme.background)).show(ui, |ui| {
        symbol_head_ui(ui, state, out);
        chart_part_ui(ui, state, views, out);
    });
}

fn list_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    ui.add_space(space::XS);
    filter_ui(ui, state, out);
    ui.add_space(space::XS);
    chips_ui(ui, state, out);
    ui.add_space(space::XS);
    let theme = Theme::of(ui);
    if !state.list.selected().is_empty() {
        let bar = Frame::NONE.fill(theme.accent_weak).inner_margin(Margin::symmetric(8, 4)).corner_radius(size::RADIUS);
        Panel::bottom("selection").frame(bar).show_separator_line(false).resizable(false).show(ui, |ui| selection_bar_ui(ui, state, out));
    }
    if state.list.visible().is_empty() {
        empty_list_ui(ui, state, out);
    } else {
        // In a part of its own: the handles of its columns must not reach down into the bar.
        ui.scope(|ui| table_ui(ui, state, views, out));
    }
}

/// The filter's name among widgets: from it the arrow down goes into the list.
pub(super) fn filter_id() -> egui::Id {
    egui::Id::unique("symbols filter")
}

fn filter_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        let shown = state.list.visible().len() as u64;
        let all = state.snapshot.rows.len() as u64;
        let mut text = state.list.filter().to_owned();
        ui.label(icons::icon(icons::SEARCH).color(theme.text_weak));
        let hint = "Filter symbols";
        let field = ui.add(TextEdit::singleline(&mut text).hint_text(hint).desired_width(220.0).id(filter_id()));
        let field = field.on_hover_text("Type a part of a symbol");
        if state.focus_filter {
            field.request_focus();
        }
        if field.changed() {
            out.act(Action::List(ListAction::Filter(text)));
        }
        if !state.list.filter().is_empty() && icons::icon_button_ui(ui, icons::CLOSE, "Clear the filter").clicked() {
            out.act(Action::List(ListAction::Filter(String::new())));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let text = if shown == all {
                format::counted(all, "symbol", "symbols")
            } else {
                format!("{} of {}", format::count(shown), format::counted(all, "symbol", "symbols"))
            };
            ui.label(RichText::new(text).small().color(theme.text_weak));
        });
    });
}

fn chips_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(space::XS, space::XS);
        let states = [
            (StateFilter::State(EntryState::Fresh), StateMark::Fresh),
            (StateFilter::State(EntryState::Stale), StateMark::Stale),
            (StateFilter::State(EntryState::Outdated), StateMark::Outdated),
            (StateFilter::State(EntryState::Missing), StateMark::Missing),
            (StateFilter::State(EntryState::Failed), StateMark::Failed),
            (StateFilter::State(EntryState::Damaged), StateMark::Damaged),
            (StateFilter::Working, StateMark::Working),
        ];
        for (chip, mark) in states {
            let count = state.list.count(chip);
            let pressed = state.list.states().contains(&chip);
            // The usual three always stand, so that they can be found; the others when there is something in them.
            let usual = matches!(mark, StateMark::Fresh | StateMark::Stale | StateMark::Missing);
            if (usual || count > 0 || pressed) && chip_ui(ui, mark, count, pressed).clicked() {
                out.act(Action::List(ListAction::ToggleState(chip)));
            }
        }
    });
}

fn empty_list_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    ui.add_space(space::XXL);
    ui.vertical_centered(|ui| {
        if state.open == OpenState::Opening {
            ui.label(RichText::new("Opening the cache").color(theme.text_weak));
        } else if !state.snapshot.rows.is_empty() {
            ui.label("No symbol matches");
            ui.label(RichText::new("Change the filter, or press a chip again to show all states").small().color(theme.text_weak));
            ui.add_space(space::S);
            if !state.list.filter().is_empty() && ui.button("Show all symbols").clicked() {
                out.act(Action::List(ListAction::Filter(String::new())));
                for chip in state.list.states() {
                    out.act(Action::List(ListAction::ToggleState(*chip)));
                }
            }
        } else if state.active_job().is_some() {
            ui.label("Asking the source for its symbols");
        } else {
            ui.label("Nothing is known of this source yet");
            ui.label(RichText::new("Preheat to list its symbols and bring their bars here").small().color(theme.text_weak));
            ui.add_space(space::S);
            primary_button_ui(ui, state, Command::PreheatAll, out);
        }
    });
}

fn table_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let focus_place = state.list.focus().and_then(|symbol| {
        // The list scrolls to the focus when the focus moved, not when the user scrolled away from it.
        let moved = views.scrolled_to.as_ref().is_none_or(|(seen, version)| seen != symbol || *version != sort_version(state));
        if moved { state.list.place_of(&state.snapshot, symbol) } else { None }
    });
    // Columns are told apart by space; the edge that can be dragged shows under the pointer.
    let theme = Theme::of(ui);
    let widgets = &mut ui.visuals_mut().widgets;
    widgets.noninteractive.bg_stroke = egui::Stroke::NONE;
    widgets.hovered.bg_stroke = egui::Stroke::new(1.0, theme.line_strong);
    views.scrolled_to = state.list.focus().map(|symbol| (symbol.clone(), sort_version(state)));
    let columns = columns_within(ui.available_width(), ui.spacing().item_spacing.x);
    let mut table = TableBuilder::new(ui)
        .id_salt(("symbols-table", columns.len()))
        .striped(false)
        .resizable(true)
        .sense(Sense::click())
        .auto_shrink([false, false])
        .cell_layout(Layout::left_to_right(Align::Center));
    let last = columns.len().saturating_sub(1);
    for (place, column) in columns.iter().enumerate() {
        let (initial, least) = width_of(*column);
        let shape = if place == last { TableColumn::remainder().at_least(initial) } else { TableColumn::initial(initial).at_least(least) };
        table = table.column(shape.clip(true));
    }
    if let Some(place) = focus_place {
        table = table.scroll_to_row(place, None);
    }
    table
        .header(size::ROW, |mut header| {
            for column in &columns {
                header.col(|ui| head_ui(ui, state, *column, out));
            }
        })
        .body(|body| {
            body.rows(size::ROW, state.list.visible().len(), |mut row| {
                let place = row.index();
                let Some(symbol_row) = state.list.visible().get(place).and_then(|position| state.snapshot.rows.get(*position)) else {
                    return;
                };
                row_ui(&mut row, state, symbol_row, &columns, out);
            });
        });
}

/// Width of a column at first and at least, in points.
fn width_of(column: Column) -> (f32, f32) {
    match column {
        Column::Symbol => (92.0, 64.0),
        Column::State => (132.0, 84.0),
        Column::Range => (164.0, 40.0),
        Column::Bars => (52.0, 40.0),
        Column::BarsSize => (66.0, 40.0),
        Column::FeaturesSize => (88.0, 40.0),
        Column::Hits => (40.0, 40.0),
    }
}

/// The columns there is room for: where there is not enough for all, sizes go first, so that no column is cut off.
fn columns_within(width: f32, gap: f32) -> Vec<Column> {
    let mut columns: Vec<Column> = Column::iter().collect();
    for dispensable in [Column::FeaturesSize, Column::BarsSize, Column::Hits, Column::Bars] {
        let needed: f32 = columns.iter().map(|column| width_of(*column).0 + gap).sum();
        if needed <= width {
            break;
        }
        columns.retain(|column| *column != dispensable);
    }
    columns
}

/// Changes when another order makes the focus's place another.
fn sort_version(state: &AppState) -> u64 {
    let sort = state.list.sort();
    (sort.column as u64) * 2 + u64::from(sort.descending)
}

fn is_number(column: Column) -> bool {
    matches!(column, Column::Bars | Column::BarsSize | Column::FeaturesSize | Column::Hits)
}

fn head_ui(ui: &mut Ui, state: &AppState, column: Column, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let sort = state.list.sort();
    let sorted = sort.column == column;
    let arrow = if sort.descending { icons::SORT_DOWN } else { icons::SORT_UP };
    let color = if sorted { theme.text } else { theme.text_weak };
    let layout = if is_number(column) { Layout::right_to_left(Align::Center) } else { Layout::left_to_right(Align::Center) };
    let pressed = ui
        .with_layout(layout, |ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            let words = RichText::new(column.text()).small().color(color);
            // The arrow is painted, so that the head's name is its words alone.
            let arrow_ui = |ui: &mut Ui| {
                let (place, _) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
                let font = egui::FontId::proportional(12.0);
                ui.painter().text(place.center(), egui::Align2::CENTER_CENTER, arrow, font, theme.accent);
            };
            if sorted && is_number(column) {
                arrow_ui(ui);
            }
            let head = ui.add(Label::new(words).selectable(false).sense(Sense::click()).truncate());
            head.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, column.text()));
            if head.has_focus() {
                ui.painter().rect_stroke(head.rect.expand(2.0), 2.0, (1.0, theme.accent), egui::StrokeKind::Outside);
            }
            if sorted && !is_number(column) {
                arrow_ui(ui);
            }
            head.clicked()
        })
        .inner;
    if pressed {
        out.act(Action::List(ListAction::Sort(column)));
    }
}

fn row_ui(row: &mut TableRow<'_, '_>, state: &AppState, symbol: &SymbolRow, columns: &[Column], out: &mut Outbox) {
    let focused = state.list.focus() == Some(&symbol.symbol);
    let selected = state.list.selected().contains(&symbol.symbol);
    row.set_selected(focused || selected);
    for column in columns {
        row.col(|ui| cell_ui(ui, state, symbol, *column, focused));
    }
    let response = row.response();
    if response.clicked() {
        let modifiers = response.ctx.input(|input| input.modifiers);
        out.act(Action::List(ListAction::Click { symbol: symbol.symbol.clone(), toggle: modifiers.command, extend: modifiers.shift }));
    }
    response.context_menu(|ui| row_menu_ui(ui, state, &symbol.symbol, out));
}

fn cell_ui(ui: &mut Ui, state: &AppState, symbol: &SymbolRow, column: Column, focused: bool) {
    let theme = Theme::of(ui);
    let text = |ui: &mut Ui, text: String, weak: bool| {
        let color = if weak { theme.text_weak } else { theme.text };
        ui.add(Label::new(RichText::new(text).color(color)).selectable(false).truncate());
    };
    let number = |ui: &mut Ui, value: String, weak: bool| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| text(ui, value, weak));
    };
    let bytes = |ui: &mut Ui, bytes: u64| number(ui, if bytes == 0 { format::NONE.to_owned() } else { format::bytes(bytes) }, bytes == 0);
    match column {
        Column::Symbol => {
            if focused {
                let cell = ui.max_rect();
                let edge = egui::Rect::from_min_size(cell.left_top() - vec2(4.0, 0.0), vec2(3.0, cell.height()));
                ui.painter().with_clip_rect(edge).rect_filled(edge, 1.0, theme.accent);
            }
            ui.add(Label::new(RichText::new(symbol.symbol.as_str()).color(theme.text)).selectable(false).truncate());
            if symbol.pinned {
                ui.label(RichText::new(icons::PIN).size(12.0).color(theme.pinned));
            }
        }
        Column::State => state_cell_ui(ui, state, symbol),
        Column::Range => {
            let span = symbol.span_us.map_or_else(|| format::NONE.to_owned(), |(first, last)| format::date_span(first, last));
            text(ui, span, symbol.rows == 0);
        }
        Column::Bars => match (symbol.rows, symbol.source_rows) {
            (0, Some(rows)) => number(ui, format::count(rows), true),
            (0, None) => number(ui, format::NONE.to_owned(), true),
            (rows, _) => number(ui, format::count(rows), false),
        },
        Column::BarsSize => bytes(ui, symbol.bars_bytes),
        Column::FeaturesSize => bytes(ui, symbol.features_bytes),
        Column::Hits => number(ui, format::count(symbol.hits), symbol.hits == 0),
    }
}

fn state_cell_ui(ui: &mut Ui, state: &AppState, symbol: &SymbolRow) {
    let theme = Theme::of(ui);
    ui.spacing_mut().item_spacing.x = space::XS;
    if state.working.contains(&symbol.symbol) {
        state_ui(ui, StateMark::Working);
        return;
    }
    let now_us = now_us(state);
    let mark = mark_of(symbol.state, symbol.cools_at_us, now_us);
    let response = state_ui(ui, mark);
    // Of a row that is not fresh, the time its other entries have left says nothing.
    if symbol.state == EntryState::Fresh
        && let Some(expires_at_us) = symbol.expires_at_us
    {
        let left = (expires_at_us - now_us).max(0) as f64 / crate::market::SECOND_US as f64;
        let left = Label::new(RichText::new(format::duration(left)).small().color(theme.text_weak)).selectable(false).truncate();
        ui.add(left).on_hover_text(format!("Fresh until {}", local_time(expires_at_us)));
    }
    response.on_hover_ui(|ui| explanation_ui(ui, symbol, now_us));
}

/// Why a row is in its state, and what was noticed in its bars; made only while it is looked at.
fn explanation_ui(ui: &mut Ui, row: &SymbolRow, now_us: i64) {
    let theme = Theme::of(ui);
    ui.set_max_width(360.0);
    let sentence = |facts: &DatasetFacts| facts.why.sentence(now_us, &chrono::Local);
    match row.deciding() {
        Some(facts) if row.datasets.len() > 1 && row.state != EntryState::Fresh => {
            ui.label(RichText::new(facts.dataset.as_str()).small().color(theme.text_weak));
            ui.label(sentence(facts));
        }
        Some(facts) => {
            ui.label(sentence(facts));
        }
        None => {
            ui.label(Why::NotCached.sentence(now_us, &chrono::Local));
        }
    }
    for line in inspector::quality_lines(&row.quality) {
        ui.label(RichText::new(line).color(theme.text_weak));
    }
}

/// Now, as the last snapshot and the system see it: the snapshot's clock while it is young, so that tests can stand still.
pub(super) fn now_us(state: &AppState) -> i64 {
    let system = chrono::Utc::now().timestamp_micros();
    // A snapshot is at most a few minutes old unless nothing happens; then the system's clock is the truth.
    if (system - state.snapshot.made_at_us).abs() > 7 * crate::market::DAY_US { state.snapshot.made_at_us } else { system }
}

/// A time on the user's own clock, to the minute.
pub(super) fn local_time(time_us: i64) -> String {
    use chrono::TimeZone;
    match chrono::Local.timestamp_micros(time_us) {
        chrono::LocalResult::Single(time) | chrono::LocalResult::Ambiguous(time, _) => time.format("%Y-%m-%d %H:%M").to_string(),
        chrono::LocalResult::None => format::NONE.to_owned(),
    }
}

fn row_menu_ui(ui: &mut Ui, state: &AppState, symbol: &Symbol, out: &mut Outbox) {
    let in_selection = state.list.selected().contains(symbol);
    let mut first = true;
    for command in [
        Command::PreheatSelected,
        Command::RefreshSelected,
        Command::InvalidateSelected,
        Command::PinSelected,
        Command::ClearSelected,
        Command::CopyRows,
    ] {
        if ui.add(egui::Button::new(command.text()).frame_when_inactive(false)).on_hover_text(command.tooltip()).clicked() {
            if !in_selection && first {
                // A command of the menu is about the row it was opened on.
                out.act(Action::List(ListAction::SelectOnly(symbol.clone())));
                first = false;
            }
            out.act(Action::Run(command));
            ui.close();
        }
    }
}

/// What is selected and what can be done with it.
fn selection_bar_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let (_entries, bytes) = state.selected_size();
    ui.horizontal_wrapped(|ui| {
        let count = format::counted(state.list.selected().len() as u64, "symbol", "symbols");
        ui.label(RichText::new(format!("{count} · {}", format::bytes(bytes))).color(theme.text));
        ui.add_space(space::S);
        for command in
            [Command::PreheatSelected, Command::RefreshSelected, Command::InvalidateSelected, Command::PinSelected, Command::ClearSelected]
        {
            command_button_ui(ui, state, command, out);
        }
        if icons::icon_button_ui(ui, icons::CLOSE, Command::SelectNone.text()).clicked() {
            out.act(Action::Run(Command::SelectNone));
        }
    });
}

/// The symbol's name, state and what it is made of, above the chart.
fn symbol_head_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let Some(row) = state.focused_row() else { return };
    let theme = Theme::of(ui);
    let frame = Frame::NONE.inner_margin(Margin { left: 12, right: 12, top: 8, bottom: 0 });
    frame.show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.add(Label::new(RichText::new(row.symbol.as_str()).heading().color(theme.text)).truncate());
            if state.working.contains(&row.symbol) {
                state_ui(ui, StateMark::Working);
            } else {
                state_ui(ui, mark_of(row.state, row.cools_at_us, now_us(state)));
            }
            let mut facts = Vec::new();
            if let Some(fetched_at_us) = row.fetched_at_us {
                facts.push(format!("fetched {}", format::relative(fetched_at_us, now_us(state))));
            }
            if row.rows > 0 {
                facts.push(format::counted(row.rows, "bar", "bars"));
            }
            if let Some(loaded) = state.chart.loaded.as_ref().filter(|loaded| loaded.data.symbol == row.symbol) {
                facts.push(format!("from {} in {}", loaded.tier.word(), milliseconds(loaded.seconds)));
                if loaded.data.features_computed() {
                    facts.push("features computed for this view".to_owned());
                }
            }
            // The buttons at the end keep their room.
            let room = (ui.available_width() - HEAD_BUTTONS_POINTS).max(0.0);
            ui.scope(|ui| {
                ui.set_max_width(room);
                ui.add(Label::new(RichText::new(facts.join(" · ")).small().color(theme.text_weak)).truncate());
            });
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if !state.inspector.open {
                    command_icon_ui(ui, state, Command::ShowInspector, out);
                }
                if !state.features.open {
                    command_icon_ui(ui, state, Command::ShowFeatures, out);
                }
                if icons::icon_button_ui(ui, icons::PREHEAT, "Preheat this symbol").clicked() {
                    out.act(Action::Preheat(row.symbol.clone()));
                }
            });
        });
        // The inspector says it beside.
        if row.state == EntryState::Damaged && !state.inspector.open {
            let damaged = row.datasets.iter().filter(|dataset| dataset.state == EntryState::Damaged);
            let names: Vec<&str> = damaged.map(|dataset| dataset.dataset.as_str()).collect();
            let text =
                format!("The cached file of {} failed its checksum and is in quarantine; preheat to replace it", names.join(" and "));
            ui.horizontal(|ui| {
                ui.label(icons::icon(icons::WARNING).color(theme.error));
                ui.add(Label::new(RichText::new(text).small().color(theme.error)).selectable(true).wrap());
            });
        }
        if let Some(failure) = row.failure.as_ref().filter(|_| !state.inspector.open) {
            ui.horizontal(|ui| {
                ui.label(icons::icon(icons::WARNING).color(theme.error));
                ui.add(
                    Label::new(RichText::new(format!("The last attempt failed: {failure}")).small().color(theme.error))
                        .selectable(true)
                        .wrap(),
                );
            });
        }
    });
}

fn milliseconds(seconds: f64) -> String {
    let millis = seconds * 1e3;
    if millis < 0.1 { format!("{} µs", format::fixed(seconds * 1e6, 0)) } else { format!("{} ms", format::fixed(millis, 1)) }
}

fn chart_part_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let focus = state.list.focus();
    // The symbol before stays on the chart for the millisecond the next one takes: nothing flickers.
    let data = state.chart_data().filter(|_| focus.is_some());
    views.chart.notice = focus.map(|symbol| notice_for(symbol, state));
    let mut layout = state.chart.layout.clone();
    let lent = features::lend(state, &mut layout);
    let offer = ChartOffer { features: views.features.of(&state.sets), templates: &state.chart.templates, sets: &state.sets };
    let response = chart_ui(ui, &mut views.chart, &mut layout, data, &offer);
    if response.layout_changed {
        if let Some(lent) = &lent {
            features::take_back(&mut layout, lent);
        }
        out.act(Action::Chart(ChartAction::Change(Box::new(layout))));
    }
    out.actions.extend(response.actions);
    if response.action_clicked
        && let Some(symbol) = focus
    {
        out.act(Action::Preheat(symbol.clone()));
    }
}

fn notice_for(symbol: &Symbol, state: &AppState) -> ChartNotice {
    if state.working.contains(symbol) {
        return ChartNotice { title: format!("{symbol} is being preheated"), detail: String::new(), action: None };
    }
    match &state.chart.error {
        Some(LoadError::Failed(message)) => {
            ChartNotice { title: format!("{symbol} cannot be shown"), detail: message.clone(), action: Some("Preheat it again".to_owned()) }
        }
        Some(LoadError::NotCached) if state.row(symbol).is_some_and(|row| row.state == EntryState::Damaged) => ChartNotice {
            title: format!("{symbol} cannot be shown"),
            detail: "Its file was damaged and was moved to quarantine; preheating fetches it again".to_owned(),
            action: Some("Preheat it again".to_owned()),
        },
        Some(LoadError::NotCached) => ChartNotice {
            title: format!("{symbol} is not in the cache"),
            detail: "Preheat it to see its chart".to_owned(),
            action: Some("Preheat this symbol now".to_owned()),
        },
        None => ChartNotice { title: format!("Loading {symbol}"), detail: String::new(), action: None },
    }
}

/// What can be done with the list, for the help sheet.
pub(super) fn gestures() -> Vec<super::help::Gesture> {
    use super::help::Gesture;
    use crate::tr;
    vec![
        Gesture::new(tr!("Up, Down, Page Up, Page Down, Home, End"), tr!("Walk the list; the chart follows")),
        Gesture::new(tr!("Shift with these"), tr!("Select on the way")),
        Gesture::new(tr!("Ctrl+click, Shift+click"), tr!("Select several symbols")),
        Gesture::new(tr!("Click on a column's head"), tr!("Order by it; again for the other way")),
        Gesture::new(tr!("Right button on a row"), tr!("Everything for the symbol")),
        Gesture::new(tr!("Down in the filter"), tr!("Into the list")),
    ]
}
