//! The connection dialog: fields, a test in stages with what to do, the columns as found, and the first rows.

use super::theme::{Theme, size, space};
use super::widgets::{fact_label_ui, heading_ui};
use super::window::{Outbox, PathPurpose, ViewState};
use super::{format, icons};
use crate::app::{Action, AppState, ConnectForm, Dialog, SourceAction, TestState};
use crate::config::Password;
use crate::source::{ColumnRole, Preview, SourceKind, Stage, StageOutcome, StageReport, TestReport, TlsMode};
use crate::{tr, tr_n};
use eframe::egui;
use egui::{ComboBox, Grid, Id, Label, Modal, Response, RichText, ScrollArea, TextEdit, Ui, vec2};

/// Width of the fields with their labels.
const FIELDS: f32 = 456.0;
/// Height between the title and the buttons: what a test that went well takes.
const BODY: f32 = 520.0;

/// Draws the dialog while it is open.
pub fn connect_dialog_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let Some(Dialog::Connect(form)) = &state.dialog else {
        views.pasting = None;
        views.connect_shown = false;
        return;
    };
    let just_opened = !std::mem::replace(&mut views.connect_shown, true) && form.dropped == 0;
    let was_pasting = views.pasting.is_some();
    // Enter in any other field tests what is typed, in the URL's it connects.
    let in_other_field = ui.text_edit_focused() && ui.memory(egui::Memory::focused) != Some(url_field());
    let modal = Modal::new(Id::unique("connect")).frame(super::dialogs::dialog_frame(ui));
    let response = modal.show(ui, |ui| {
        let screen = ui.ctx().content_rect();
        ui.set_width((screen.width() - 96.0).min(1080.0));
        let title = if form.editing.is_some() { tr!("Edit source") } else { tr!("Connect a source") };
        ui.label(RichText::new(title).heading());
        ui.add_space(space::S);
        kinds_ui(ui, form, out);
        ui.add_space(space::S);
        // As tall as a test that went well, whatever was tested: neither the dialog nor its buttons move.
        let tallest = (screen.height() - 250.0).clamp(240.0, BODY);
        ScrollArea::vertical().max_height(tallest).min_scrolled_height(tallest).auto_shrink([false, false]).show(ui, |ui| {
            ui.horizontal_top(|ui| {
                ui.allocate_ui(vec2(FIELDS, 0.0), |ui| ui.vertical(|ui| fields_ui(ui, form, (&mut views.pasting, just_opened), out)));
                ui.add_space(space::L);
                ui.vertical(|ui| {
                    ui.set_width(ui.available_width());
                    test_ui(ui, form, out);
                });
            });
        });
        ui.add_space(space::M);
        buttons_ui(ui, form, out);
    });
    // Enter in the URL's field, or in none, is the button that is meant; a URL that was typed fills the fields first. What failed is
    // not connected by accident, but what was typed since has not failed.
    let enter = ui.input(|input| input.key_pressed(egui::Key::Enter)) && !egui::Popup::is_any_open(ui);
    let is_typed = ui.text_edit_focused();
    let is_free = is_typed || ui.memory(|memory| memory.focused().is_none());
    let was_free = std::mem::replace(&mut views.connect_takes_enter, is_free);
    let may = !form.test.is_running() && (was_pasting || form.test.report().is_none_or(TestReport::passed));
    if enter && was_free && !in_other_field && !is_typed && may {
        out.act(Action::Source(SourceAction::Connect));
    }
    // What was wrong with it is mended where it was typed.
    if enter && was_free && !in_other_field && !is_typed {
        ui.memory_mut(|memory| memory.request_focus(url_field()));
    }
    // A click beside it must not lose what was typed: only Esc and Cancel close it.
    if response.should_close() && ui.input(|input| input.key_pressed(egui::Key::Escape)) {
        out.act(Action::CloseDialog);
    }
}

/// What kind of source it is.
fn kinds_ui(ui: &mut Ui, form: &ConnectForm, out: &mut Outbox) {
    ui.horizontal(|ui| {
        for kind in [SourceKind::MySql, SourceKind::Postgres, SourceKind::Sqlite, SourceKind::Files] {
            if ui.selectable_label(form.kind == kind, kind.label()).clicked() {
                out.act(Action::Source(SourceAction::Kind(kind)));
            }
        }
    });
}

fn fields_ui(ui: &mut Ui, form: &ConnectForm, (pasting, just_opened): (&mut Option<String>, bool), out: &mut Outbox) {
    let theme = Theme::of(ui);
    ui.set_width(FIELDS);
    // What a field takes when it is left empty is quieter than what is typed.
    ui.visuals_mut().weak_text_color = Some(theme.text_disabled);
    if form.dropped > 0 {
        let text = tr_n!(
            form.dropped as u64,
            "{count} file was dropped; see its first rows, then connect",
            "{count} files were dropped: their folder is the source, with every CSV and Parquet file in it"
        );
        ui.add(Label::new(RichText::new(text).small().color(theme.text_weak)).wrap());
        ui.add_space(space::S);
    }
    Grid::new("connect-fields").num_columns(2).spacing(vec2(space::XL, space::S)).min_col_width(96.0).show(ui, |ui| {
        url_ui(ui, form, (pasting, just_opened), out);
        if form.kind.is_server() {
            text_ui(ui, form, (tr!("Host"), &form.host, "127.0.0.1"), SourceAction::Host, out);
            text_ui(ui, form, (tr!("Port"), &form.port, &form.kind.default_port().to_string()), SourceAction::Port, out);
            text_ui(ui, form, (tr!("User"), &form.user, ""), SourceAction::User, out);
            let label = fact_label_ui(ui, tr!("Password"));
            let mut password = form.password.reveal().to_owned();
            let hint = if form.editing.is_some() { tr!("as kept") } else { "" };
            let field = TextEdit::singleline(&mut password).password(true).hint_text(hint_text(ui, hint)).desired_width(280.0);
            let field = ui.add(field).labelled_by(label.id).on_hover_text(tr!("Kept in the system's keyring, never in the settings"));
            if field.changed() {
                out.act(Action::Source(SourceAction::Password(Password::new(password))));
            }
            test_at_enter(ui, &field, form, out);
            ui.end_row();
            text_ui(ui, form, (tr!("Database"), &form.database, ""), SourceAction::Database, out);
            fact_label_ui(ui, tr!("Encryption"));
            ui.horizontal(|ui| {
                for (mode, text, hint) in [
                    (TlsMode::Prefer, tr!("If the server can"), tr!("Encrypted where the server offers it")),
                    (TlsMode::Require, tr!("Always"), tr!("No connection without encryption")),
                    (TlsMode::Off, tr!("Never"), tr!("Only for a server on this machine")),
                ] {
                    if ui.selectable_label(form.tls == mode, text).on_hover_text(hint).clicked() {
                        out.act(Action::Source(SourceAction::Tls(mode)));
                    }
                }
            });
            ui.end_row();
        } else {
            let label = fact_label_ui(ui, if form.kind == SourceKind::Sqlite { tr!("File") } else { tr!("File or folder") });
            ui.horizontal(|ui| {
                let mut path = form.path.clone();
                let field = ui.add(TextEdit::singleline(&mut path).desired_width(280.0)).labelled_by(label.id);
                if field.changed() {
                    out.act(Action::Source(SourceAction::Path(path)));
                }
                test_at_enter(ui, &field, form, out);
                if icons::icon_button_ui(ui, icons::FOLDER, tr!("Choose a file…")).clicked() {
                    out.pick.push(PathPurpose::SourceFile);
                }
                if form.kind == SourceKind::Files && ui.button(tr!("Folder…")).clicked() {
                    out.pick.push(PathPurpose::SourceFolder);
                }
            });
            ui.end_row();
        }
        if form.kind != SourceKind::Files {
            text_ui(ui, form, (tr!("Table"), &form.table, tr!("found by its columns")), SourceAction::Table, out);
        }
        text_ui(ui, form, (tr!("Name"), &form.name, &form.name_to_save()), SourceAction::Name, out);
    });
    ui.add_space(space::S);
    let text = if form.kind.is_server() {
        tr!(
            "Samovar only ever reads from a source. The password goes into the system's keyring; without one, into a file only you can read"
        )
    } else {
        tr!("Samovar only ever reads from a source")
    };
    ui.add(Label::new(RichText::new(text).small().color(theme.text_weak)).wrap());
}

/// Enter in a field tests what is typed, once it is complete.
fn test_at_enter(ui: &Ui, field: &Response, form: &ConnectForm, out: &mut Outbox) {
    let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    if entered && form.url().is_ok() && !form.test.is_running() {
        out.act(Action::Source(SourceAction::Test));
    }
}

/// Whether a text came as a whole in this frame, as from the clipboard. Many keys in one frame of a busy machine are still typed:
/// each is a text of its own.
fn came_whole(ui: &Ui) -> bool {
    ui.input(|input| {
        input.events.iter().any(|event| match event {
            egui::Event::Paste(_) => true,
            egui::Event::Text(text) => text.chars().count() > 3,
            _ => false,
        })
    })
}

fn url_field() -> Id {
    Id::unique("connect url")
}

/// A URL fills all the fields at once: when it is pasted, or when its field is left.
fn url_ui(ui: &mut Ui, form: &ConnectForm, (pasting, just_opened): (&mut Option<String>, bool), out: &mut Outbox) {
    let theme = Theme::of(ui);
    let label = fact_label_ui(ui, tr!("URL"));
    let mut text = pasting.clone().unwrap_or_else(|| form.pasted.clone());
    let hint = hint_text(ui, tr!("paste one to fill the fields"));
    let field = ui.add(TextEdit::singleline(&mut text).hint_text(hint).desired_width(280.0).id(url_field())).labelled_by(label.id);
    if just_opened {
        field.request_focus();
    }
    let pasted = field.changed() && came_whole(ui);
    if pasted || (field.lost_focus() && pasting.is_some()) {
        *pasting = None;
        out.act(Action::Source(SourceAction::PasteUrl(text)));
    } else if field.changed() {
        *pasting = Some(text);
    }
    ui.end_row();
    if let Some(problem) = form.pasted_problem.as_ref().filter(|_| pasting.is_none()) {
        ui.label("");
        ui.vertical(|ui| {
            ui.set_max_width(280.0);
            ui.add(Label::new(RichText::new(crate::app::said(problem)).small().color(theme.error)).wrap());
        });
        ui.end_row();
    }
}

/// What a field takes when it is left empty, quieter than what is typed.
fn hint_text(ui: &Ui, hint: &str) -> RichText {
    RichText::new(hint).color(Theme::of(ui).text_disabled)
}

fn text_ui(
    ui: &mut Ui,
    form: &ConnectForm,
    (label, value, hint): (&str, &str, &str),
    action: fn(String) -> SourceAction,
    out: &mut Outbox,
) {
    let name = fact_label_ui(ui, label);
    let mut text = value.to_owned();
    let field = ui.add(TextEdit::singleline(&mut text).hint_text(hint_text(ui, hint)).desired_width(280.0)).labelled_by(name.id);
    if field.changed() {
        out.act(Action::Source(action(text)));
    }
    test_at_enter(ui, &field, form, out);
    ui.end_row();
}

fn test_ui(ui: &mut Ui, form: &ConnectForm, out: &mut Outbox) {
    let theme = Theme::of(ui);
    if matches!(form.test, TestState::Idle) {
        let text = tr!("The test goes step by step, from the name to the first rows, and says what to do where it stops");
        ui.add(Label::new(RichText::new(text).color(theme.text_weak)).wrap());
        ui.add_space(space::S);
    }
    let ended = form.test.stages();
    for stage in ended.iter().filter(|stage| concerns(stage.stage, form.kind)) {
        stage_ui(ui, stage, form.kind);
    }
    // What is to come stands in its place from the beginning.
    for (place, stage) in Stage::ALL.into_iter().enumerate().skip(ended.len()).filter(|(_, stage)| concerns(*stage, form.kind)) {
        let runs = form.test.is_running() && place == ended.len();
        let (glyph, color) = if runs { (icons::CLOCK, theme.accent) } else { (icons::PENDING, theme.text_disabled) };
        ui.horizontal(|ui| {
            ui.label(icons::icon(glyph).color(color));
            let name = stage_name(stage, form.kind);
            let text = if runs { format!("{name}…") } else { name.to_owned() };
            ui.label(RichText::new(text).color(if runs { theme.text } else { theme.text_disabled }));
        });
    }
    if let Some(report) = form.test.report() {
        if !report.table_columns.is_empty() {
            ui.add_space(space::S);
            columns_ui(ui, form, report, out);
        }
        if let Some(preview) = &report.preview {
            ui.add_space(space::S);
            preview_ui(ui, form, preview);
        }
    }
}

/// Whether a stage says anything of a kind of source: files are opened, not logged in to.
fn concerns(stage: Stage, kind: SourceKind) -> bool {
    kind.is_server() || !matches!(stage, Stage::Encryption | Stage::Login)
}

/// What a stage is called: a file has no name to be looked up.
fn stage_name(stage: Stage, kind: SourceKind) -> &'static str {
    if stage == Stage::Name && !kind.is_server() { tr!("File") } else { stage.label() }
}

fn stage_ui(ui: &mut Ui, report: &StageReport, kind: SourceKind) {
    use crate::app::said;
    let theme = Theme::of(ui);
    let (glyph, color, text) = match &report.outcome {
        StageOutcome::Ok { detail } => (icons::CHECK, theme.success, said(detail).into_owned()),
        StageOutcome::Skipped { why } => (icons::SKIPPED, theme.text_weak, said(why).into_owned()),
        StageOutcome::Failed { what_happened, .. } => (icons::CLOSE, theme.error, said(what_happened).into_owned()),
    };
    ui.horizontal_top(|ui| {
        ui.label(icons::icon(glyph).color(color));
        ui.allocate_ui(vec2(96.0, size::CONTROL), |ui| {
            ui.set_min_width(96.0);
            ui.label(RichText::new(stage_name(report.stage, kind)).color(theme.text));
        });
        // Took: what did not run took no time.
        ui.allocate_ui_with_layout(vec2(56.0, size::CONTROL), egui::Layout::right_to_left(egui::Align::TOP), |ui| {
            ui.set_min_width(56.0);
            if !matches!(report.outcome, StageOutcome::Skipped { .. }) {
                let took = format::short_time(report.elapsed.as_secs_f64() * 1e6);
                ui.label(RichText::new(took).color(theme.text_weak));
            }
        });
        ui.vertical(|ui| {
            ui.set_width(ui.available_width() - space::L);
            ui.add(
                Label::new(RichText::new(text).color(if color == theme.error { theme.text } else { theme.text_weak }))
                    .selectable(true)
                    .wrap(),
            );
            if let StageOutcome::Failed { what_to_do, .. } = &report.outcome {
                ui.add(Label::new(RichText::new(said(what_to_do)).color(theme.accent)).selectable(true).wrap());
            }
        });
    });
}

/// Which column plays which part; each can be told otherwise.
fn columns_ui(ui: &mut Ui, form: &ConnectForm, report: &TestReport, out: &mut Outbox) {
    heading_ui(ui, tr!("Columns"));
    Grid::new("connect-columns").num_columns(4).spacing(vec2(space::M, space::XS)).show(ui, |ui| {
        for (place, role) in ColumnRole::ALL.into_iter().enumerate() {
            let role_name = role.key().replace('_', " ");
            let label = if role.is_required() { role_name } else { tr!("{role} (optional)", role = role_name) };
            let label = fact_label_ui(ui, &label);
            let current = form.column(role).unwrap_or(format::NONE);
            let list = ComboBox::from_id_salt(("column", role.key())).selected_text(current).width(112.0).truncate().show_ui(ui, |ui| {
                if ui.selectable_label(form.columns.get(role).is_none(), tr!("Found by name")).clicked() {
                    out.act(Action::Source(SourceAction::MapColumn(role, None)));
                }
                for column in &report.table_columns {
                    if ui.selectable_label(form.column(role) == Some(column), column).clicked() {
                        out.act(Action::Source(SourceAction::MapColumn(role, Some(column.clone()))));
                    }
                }
            });
            list.response.labelled_by(label.id);
            if place % 2 == 1 {
                ui.end_row();
            }
        }
    });
}

fn preview_ui(ui: &mut Ui, form: &ConnectForm, preview: &Preview) {
    let theme = Theme::of(ui);
    heading_ui(ui, tr!("First rows"));
    ui.spacing_mut().interact_size.y = size::TEXT_SMALL;
    ScrollArea::horizontal().id_salt("connect-preview").auto_shrink([false, true]).show(ui, |ui| {
        Grid::new("connect-preview").spacing(vec2(space::L, 2.0)).show(ui, |ui| {
            // Prices and volumes stand right, as numbers do; what names a symbol or a day stands left.
            let words = [ColumnRole::Symbol, ColumnRole::Date].map(|role| form.column(role));
            let cell = |ui: &mut Ui, column: &str, text: RichText| {
                if words.contains(&Some(column)) {
                    ui.label(text);
                } else {
                    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| ui.label(text));
                }
            };
            for column in &preview.columns {
                cell(ui, column, RichText::new(column).small().color(theme.text_weak));
            }
            ui.end_row();
            for row in preview.rows.iter().take(5) {
                for (column, value) in preview.columns.iter().zip(row) {
                    cell(ui, column, RichText::new(value).small());
                }
                ui.end_row();
            }
        });
    });
}

fn buttons_ui(ui: &mut Ui, form: &ConnectForm, out: &mut Outbox) {
    let theme = Theme::of(ui);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        let failed = form.test.report().is_some_and(|report| !report.passed());
        let words = RichText::new(if failed { tr!("Connect all the same") } else { tr!("Connect and preheat") });
        let connect = if !failed && form.url().is_ok() {
            egui::Button::new(words.color(theme.on_accent)).fill(theme.accent)
        } else {
            egui::Button::new(words)
        };
        let complete = form.url();
        let connect = ui.add_enabled(complete.is_ok() && !form.test.is_running(), connect);
        if connect.on_disabled_hover_text(complete.as_ref().err().cloned().unwrap_or_default()).clicked() {
            out.act(Action::Source(SourceAction::Connect));
        }
        let test = ui.add_enabled(complete.is_ok() && !form.test.is_running(), egui::Button::new(tr!("Test connection")));
        if test.on_disabled_hover_text(complete.as_ref().err().cloned().unwrap_or_default()).clicked() {
            out.act(Action::Source(SourceAction::Test));
        }
        if ui.button(tr!("Cancel")).clicked() {
            out.act(Action::CloseDialog);
        }
    });
}
