//! What is copied and exported: the list as it is shown, or the bars and features of its symbols.

use crate::app::said;
use crate::app::state::{AppState, Dialog};
use crate::market::Symbol;
use crate::worker::{Column, ExportFormat, ExportOrder, Exported, Job, NoticeLevel, Table};
use crate::{format, tr, tr_n};
use std::path::PathBuf;

/// Up to so many rows are made into text at once; more than that takes longer than a frame may.
const COPY_AT_ONCE: usize = 500;

/// What is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, strum::EnumIter)]
pub enum ExportWhat {
    /// The list, as it is shown.
    #[default]
    Table,
    /// A file of bars of each symbol.
    Bars,
    /// Files of bars and of features of each symbol.
    BarsAndFeatures,
}

/// What to export, while it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExportForm {
    /// What.
    pub what: ExportWhat,
    /// As what.
    pub format: ExportFormat,
    /// Whether of the selected symbols alone; else of all that are shown.
    pub selected_only: bool,
}

/// Something about exports.
#[derive(Debug, Clone)]
pub enum ExportAction {
    /// The form was changed.
    Change(ExportForm),
    /// The file or folder was chosen.
    To(PathBuf),
    /// Stop the export that runs.
    Stop,
}

/// An export that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exporting {
    /// Symbols done.
    pub done: usize,
    /// Symbols in all.
    pub total: usize,
    /// Whether it was told to stop.
    pub stopping: bool,
}

impl AppState {
    /// The rows that are copied or exported: the selected ones in the order they are shown, or every one that is shown.
    fn table_of(&self, selected_only: bool) -> Table {
        let rows = if selected_only { self.list.target_rows(&self.snapshot) } else { self.list.visible().to_vec() };
        let columns: Vec<Column> = self.list.columns().shown().collect();
        Table { snapshot: std::sync::Arc::clone(&self.snapshot), rows, columns, sparks: std::sync::Arc::clone(self.sparks.known()) }
    }

    /// Puts the selected rows on the clipboard.
    pub(in crate::app) fn copy_rows(&mut self) -> Vec<Job> {
        let table = self.table_of(true);
        if table.rows.len() > COPY_AT_ONCE {
            return vec![Job::CopyTable(Box::new(table))];
        }
        self.apply_table_text(table.rows.len(), table.to_tsv());
        Vec::new()
    }

    pub(in crate::app) fn apply_table_text(&mut self, rows: usize, text: String) {
        self.clipboard = Some(text);
        let text = tr_n!(rows as u64, "Copied {count} row with its head", "Copied {count} rows with their head");
        self.notices.tell(NoticeLevel::Success, text);
    }

    /// Puts the paths of the selected symbols' files of bars on the clipboard.
    pub(in crate::app) fn copy_paths(&mut self) {
        let rows = self.list.target_rows(&self.snapshot);
        let rows = rows.iter().filter_map(|place| self.snapshot.rows.get(*place));
        let paths: Vec<String> = rows.filter_map(|row| Some(self.bars_path(&row.symbol)?.display().to_string())).collect();
        if paths.is_empty() {
            self.notices.warn(tr!("Nothing is cached of it, so there is no file"));
            return;
        }
        self.notices.tell(NoticeLevel::Success, tr_n!(paths.len() as u64, "Copied {count} path", "Copied {count} paths"));
        self.clipboard = Some(paths.join("\n"));
    }

    /// Where a symbol's cached bars lie.
    #[must_use]
    pub fn bars_path(&self, symbol: &Symbol) -> Option<PathBuf> {
        let [_, bars_tree, _] = &self.snapshot.folders;
        Some(bars_tree.join(self.row(symbol)?.bars_file()?))
    }

    pub(in crate::app) fn ask_for_export(&mut self) {
        let form = ExportForm { selected_only: !self.list.selected().is_empty(), ..self.last_export };
        self.dialog = Some(Dialog::Export(form));
    }

    /// How many rows or symbols the form means.
    #[must_use]
    pub fn exported_rows(&self, form: &ExportForm) -> usize {
        if form.selected_only { self.list.selected().len() } else { self.list.visible().len() }
    }

    pub(in crate::app) fn change_export(&mut self, action: ExportAction) -> Vec<Job> {
        match action {
            ExportAction::Change(form) => {
                if let Some(Dialog::Export(open)) = &mut self.dialog {
                    *open = form;
                }
            }
            ExportAction::To(path) => {
                let Some(Dialog::Export(form)) = self.dialog else { return Vec::new() };
                self.dialog = None;
                self.last_export = form;
                let mut table = self.table_of(form.selected_only);
                if form.what == ExportWhat::Table {
                    return vec![Job::ExportTable { table: Box::new(table), path, format: form.format }];
                }
                let rows = std::mem::take(&mut table.rows);
                let symbols: Vec<Symbol> =
                    rows.iter().filter_map(|place| self.snapshot.rows.get(*place)).map(|row| row.symbol.clone()).collect();
                self.exporting = Some(Exporting { done: 0, total: symbols.len(), stopping: false });
                let features = form.what == ExportWhat::BarsAndFeatures;
                return vec![Job::ExportSymbols(Box::new(ExportOrder { symbols, features, format: form.format, folder: path }))];
            }
            ExportAction::Stop => {
                if let Some(exporting) = &mut self.exporting {
                    exporting.stopping = true;
                    return vec![Job::StopExport];
                }
            }
        }
        Vec::new()
    }

    pub(in crate::app) fn apply_export_progress(&mut self, done: usize, total: usize) {
        if let Some(exporting) = &mut self.exporting {
            (exporting.done, exporting.total) = (done, total);
        }
    }

    pub(in crate::app) fn apply_export_failed(&mut self, message: String) {
        self.exporting = None;
        self.notices.tell(NoticeLevel::Error, message);
    }

    pub(in crate::app) fn apply_exported(&mut self, exported: Exported) {
        self.exporting = None;
        let size = format::bytes(exported.size_bytes);
        let mut text = if exported.files == 1 {
            tr!("Exported {file} · {size}", file = exported.path.display(), size = size)
        } else {
            let folder = exported.path.display();
            tr_n!(
                exported.files as u64,
                "Exported {count} file to {folder} · {size}",
                "Exported {count} files to {folder} · {size}",
                folder = folder,
                size = size
            )
        };
        if !exported.not_cached.is_empty() {
            text += &tr_n!(exported.not_cached.len() as u64, "; {count} symbol is not cached", "; {count} symbols are not cached");
        }
        let level = if exported.failures.is_empty() { NoticeLevel::Success } else { NoticeLevel::Warning };
        if let Some((symbol, reason)) = exported.failures.first() {
            let count = exported.failures.len() as u64;
            text += &tr_n!(
                count,
                "; {symbol} failed: {reason}",
                "; {count} failed, {symbol} among them: {reason}",
                symbol = symbol,
                reason = said(reason)
            );
        }
        if exported.stopped {
            text += tr!("; stopped before the end");
        }
        let reveal = crate::app::action::Action::RevealPath(exported.path);
        self.notices.suggest(level, text, tr!("Show in folder"), reveal);
    }
}
