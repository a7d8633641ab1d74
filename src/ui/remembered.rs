//! What is remembered from one start to the next besides the settings, and as which text.
//!
//! eframe keeps it when the window closes. It would save every half minute as well, and waits on the window's thread for the save
//! before: on a disk that stands still, for as long as it does. So the worker keeps a copy of its own while the window is open; what
//! was kept last counts.

use crate::app::Workspace;
use crate::market::SECOND_US;
use crate::ui::chart::ChartLayout;
use eframe::Storage;
use serde::{Deserialize, Serialize};

/// Under which names eframe keeps it, and when that was.
const TEXT_KEY: &str = "samovar-workspace-1";
const TIME_KEY: &str = "samovar-workspace-time-1";
/// How often a copy is kept of what changed.
const KEEP_EVERY_US: i64 = 30 * SECOND_US;

/// What is remembered between two starts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Remembered {
    pub workspace: Workspace,
    pub chart: ChartLayout,
}

/// One text as eframe stores it.
#[derive(Debug, Default)]
struct Scrap(Option<String>);

impl Storage for Scrap {
    fn get_string(&self, _key: &str) -> Option<String> {
        self.0.clone()
    }

    fn set_string(&mut self, _key: &str, value: String) {
        self.0 = Some(value);
    }

    fn remove_string(&mut self, _key: &str) {
        self.0 = None;
    }

    fn flush(&mut self) {}
}

impl Remembered {
    /// What was kept last: by eframe, or as a copy.
    pub(super) fn newest(storage: Option<&dyn Storage>, copy: Option<&str>) -> Self {
        let closed_at_us = storage.and_then(|storage| eframe::get_value::<i64>(storage, TIME_KEY)).unwrap_or_default();
        let copy = copy.and_then(|copy| {
            let (time, text) = copy.split_once('\n')?;
            let kept_at_us: i64 = time.parse().ok()?;
            let scrap = Scrap(Some(text.to_owned()));
            (kept_at_us > closed_at_us).then(|| eframe::get_value(&scrap, TEXT_KEY))?
        });
        copy.or_else(|| eframe::get_value(storage?, TEXT_KEY)).unwrap_or_default()
    }

    /// Hands it to eframe.
    pub(super) fn store(&self, storage: &mut dyn Storage, now_us: i64) {
        eframe::set_value(storage, TEXT_KEY, self);
        eframe::set_value(storage, TIME_KEY, &now_us);
    }

    fn text(&self) -> String {
        let mut scrap = Scrap::default();
        eframe::set_value(&mut scrap, TEXT_KEY, self);
        scrap.0.unwrap_or_default()
    }
}

/// When a copy was kept, and of what.
#[derive(Debug, Default)]
pub(super) struct Copies {
    looked_at_us: Option<i64>,
    kept: String,
}

impl Copies {
    /// The copy to be kept now, if it is time and anything changed.
    pub(super) fn due(&mut self, now_us: i64, remembered: impl FnOnce() -> Remembered) -> Option<String> {
        let looked_at_us = *self.looked_at_us.get_or_insert(now_us);
        if (now_us - looked_at_us).abs() < KEEP_EVERY_US {
            return None;
        }
        self.looked_at_us = Some(now_us);
        let text = remembered().text();
        if text == self.kept || text.is_empty() {
            return None;
        }
        self.kept = text;
        Some(format!("{now_us}\n{}", self.kept))
    }
}
