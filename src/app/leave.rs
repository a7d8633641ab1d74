//! Leaving: closing the window while a job runs, coming back to it, and what is said to whoever looks for a fault.

use super::action::Closing;
use super::state::{AppState, Dialog};
use crate::worker::Job;
use std::path::{Path, PathBuf};

impl AppState {
    /// Whether something is under way that closing the window would stop.
    #[must_use]
    pub fn is_working(&self) -> bool {
        self.active_job().is_some() || self.verifying.is_some()
    }

    /// The window is asked to close: at once where nothing is lost by it, after a question otherwise.
    pub(super) fn ask_to_close(&mut self) {
        if self.is_working() && self.closing == Closing::Stay {
            self.dialog = Some(Dialog::ConfirmClose);
        } else {
            self.closing = Closing::Now;
        }
    }

    pub(super) fn close(&mut self, closing: Closing) {
        self.dialog = None;
        self.closing = closing;
    }

    /// Whether the window has to go now, because what it waited for is over.
    #[must_use]
    pub fn is_to_end(&self) -> bool {
        match self.closing {
            Closing::Stay => false,
            Closing::WhenDone => !self.is_working(),
            Closing::Now => true,
        }
    }

    /// Asks where to put the diagnostics.
    pub(super) fn ask_for_diagnostics(&mut self) {
        let day = crate::market::format_date(self.snapshot.made_at_us);
        let path = self.documents_dir.join(format!("samovar-diagnostics-{day}.zip")).display().to_string();
        self.dialog = Some(Dialog::Diagnostics { path, saved: None });
    }

    pub(super) fn save_diagnostics(&mut self, path: PathBuf) -> Vec<Job> {
        let told = self.notices.history().iter().map(|notice| notice.text.clone()).collect();
        vec![Job::SaveDiagnostics { path, told }]
    }

    pub(super) fn apply_diagnostics(&mut self, file: &Path, result: Result<u64, String>) {
        if let Some(Dialog::Diagnostics { path, saved }) = &mut self.dialog
            && Path::new(path) == file
        {
            *saved = Some(result);
        }
    }
}
