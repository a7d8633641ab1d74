//! The user's lists of symbols: loaded at the start, saved whenever they change; and texts of symbols that are read from files.

use super::event::{JobEvent, NoticeLevel};
use super::service::Service;
use crate::config::SymbolLists;
use std::path::Path;
use std::sync::PoisonError;

/// Most bytes of a file that symbols are read from.
const MOST_BYTES: u64 = 16_000_000;

/// Tells the lists there are.
pub(super) fn load(service: &Service) {
    let (lists, problem) = SymbolLists::load_or_set_aside(&service.context.places.lists_file(), service.context.clock.now_us());
    service.lists.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&lists);
    if let Some(problem) = problem {
        service.reporter.notice(NoticeLevel::Warning, capitalised(&problem));
    }
    service.reporter.send_blocking(JobEvent::Lists(Box::new(lists)));
}

/// These are the lists from now on; quick, so that the last is the last. They are saved by [`save`].
pub(super) fn take(service: &Service, lists: SymbolLists) {
    *service.lists.lock().unwrap_or_else(PoisonError::into_inner) = lists;
}

/// Saves the newest lists, whichever call this is.
pub(super) fn save(service: &Service) {
    let _alone = service.saving.lock().unwrap_or_else(PoisonError::into_inner);
    let lists = service.lists.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Err(error) = lists.save(&service.context.places.lists_file(), service.context.clock.now_us()) {
        service.reporter.notice(NoticeLevel::Error, capitalised(&error.to_string()));
    }
}

/// Reads a text that symbols are found in.
pub(super) fn read(service: &Service, path: &Path) {
    let read = || -> Result<String, String> {
        let size_bytes = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
        if size_bytes > MOST_BYTES {
            return Err(format!("it has {}, more than a list of symbols can have", crate::format::bytes(size_bytes)));
        }
        let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
        // Spreadsheets begin their texts with a mark.
        let text = String::from_utf8(bytes).map_err(|_error| "it is no text (UTF-8)".to_owned())?;
        Ok(text.trim_start_matches('\u{feff}').to_owned())
    };
    let event = match read() {
        Ok(text) => {
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            JobEvent::ListRead { name, text }
        }
        Err(reason) => JobEvent::ActionFailed(format!("{} cannot be read as a list: {reason}", path.display())),
    };
    service.reporter.send_blocking(event);
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
