//! What the chart is asked to do by a command, a button or another view, rather than by the pointer on it.
//!
//! Contract: a wish is numbered, so that the chart fulfils each once and only when it is drawn; the newest replaces the one before.

use super::{ChartAction, ChartState};
use crate::app::state::{AppState, View};
use crate::market::Symbol;
use crate::worker::{CopyRequest, Job, NoticeLevel, Picture};
use crate::{tr, tr_n};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// Something the chart shall do when it is drawn next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChartWish {
    /// Show the list of what can be drawn.
    Indicators,
    /// Show the list of symbols to compare with.
    Compare,
    /// Show the field for a date.
    GoToDate,
    /// Bring a time of a symbol into view, as soon as its bars are shown.
    GoTo(Symbol, i64),
    /// Bring the next place that is worth a look into view, or the one before.
    Finding {
        /// Whether it is looked for to the right.
        forward: bool,
    },
    /// Measure with the next drag.
    Measure,
    /// Take a picture.
    Picture {
        /// For the clipboard; else for a file.
        to_clipboard: bool,
    },
    /// Copy the rows in view.
    CopyRows,
    /// Show what pointer and keys do.
    Help,
    /// Fit every scale to what is in view.
    FitScales,
}

impl ChartState {
    /// Asks the chart for something.
    pub(in crate::app) fn wish(&mut self, wish: ChartWish) {
        let number = self.wish.as_ref().map_or(0, |(number, _)| *number);
        self.wish = Some((number + 1, wish));
    }
}

impl AppState {
    /// Asks the chart for something and shows it.
    pub(in crate::app) fn wish_of_chart(&mut self, wish: ChartWish) -> Vec<Job> {
        self.view = View::Symbols;
        self.chart.wish(wish);
        Vec::new()
    }

    /// Brings a time of the symbol on the chart into view.
    pub(super) fn go_to(&mut self, time_us: i64) -> Vec<Job> {
        match self.list.focus().cloned() {
            Some(symbol) => self.wish_of_chart(ChartWish::GoTo(symbol, time_us)),
            None => Vec::new(),
        }
    }

    /// Has rows of the chart, with the lines that are shown, made into text for the clipboard.
    pub(super) fn copy_chart_rows(&self, rows: Range<usize>) -> Vec<Job> {
        let Some(data) = self.chart.loaded.as_ref().map(|loaded| Arc::clone(&loaded.data)) else { return Vec::new() };
        let layout = &self.chart.layout;
        let mut lines = Vec::new();
        for line in layout.lines().filter(|line| line.visible) {
            if !lines.iter().any(|(_, source)| *source == line.source) {
                let name = if line.label.is_empty() { line.source.label() } else { line.name() };
                lines.push((name.to_owned(), line.source.clone()));
            }
        }
        vec![Job::CopyChart(Box::new(CopyRequest { data, rows, lines }))]
    }

    pub(in crate::app) fn apply_copied(&mut self, text: String, rows: usize, left_out: usize) {
        self.clipboard = Some(text);
        let mut told = tr_n!(rows as u64, "Copied {count} row of the chart", "Copied {count} rows of the chart");
        if left_out > 0 {
            let rest = tr_n!(left_out as u64, "{count} earlier row was too many", "{count} earlier rows were too many");
            told = format!("{told} · {rest}");
        }
        self.notices.tell(NoticeLevel::Success, told);
    }

    /// Keeps a picture until it is known where it goes.
    pub(super) fn keep_picture(&mut self, picture: Arc<Picture>) {
        self.chart.picture = Some(picture);
    }

    pub(super) fn save_picture(&mut self, path: PathBuf) -> Vec<Job> {
        let path = if path.extension().is_none() { path.with_extension("png") } else { path };
        self.chart.picture.take().map(|picture| Job::SavePicture { path, picture }).into_iter().collect()
    }

    /// Tells something about the chart.
    pub(super) fn tell_of_chart(&mut self, text: String) {
        self.notices.tell(NoticeLevel::Info, text);
    }

    /// What a picture of the chart is called before the user says otherwise.
    #[must_use]
    pub fn picture_name(&self) -> String {
        let Some(loaded) = &self.chart.loaded else { return "chart.png".to_owned() };
        let day = loaded.data.bars.last_us().map(crate::market::format_date).unwrap_or_default();
        format!("{} {day}.png", loaded.data.symbol.file_stem())
    }
}

/// Said in place of numbers that nobody has.
pub(super) fn nothing_to_compare() -> ChartAction {
    ChartAction::Tell(tr!("Select the symbols to compare in the list first").to_owned())
}
