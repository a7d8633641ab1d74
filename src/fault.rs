//! Points at which a test can end the process, to see that nothing acknowledged is lost and nothing half done is visible.
//!
//! Only in builds with debug assertions, and only when the environment variable `SAMOVAR_KILL_AT` names a point, as `name` or as
//! `name:N` for the N-th time it is passed. The end is an abort: no destructor runs, nothing is flushed. Not an error path.

/// Every point's name.
pub const KILL_POINTS: &[&str] = &[
    "append_before_write",
    "append_mid_write",
    "append_before_sync",
    "append_after_sync",
    "clear_after_catalog",
    "clear_between_files",
    "commit_before_catalog",
    "commit_after_catalog",
    "migration",
    "quarantine_before_move",
    "quarantine_before_catalog",
    "recovery_before_catalog",
    "stage_before_sync",
    "stage_before_rename",
    "stage_after_rename",
    "undo_between_files",
    "undo_before_catalog",
    "undo_after_catalog",
    "version_before_text",
    "version_after_text",
    "years_before_place",
    "years_after_place",
];

/// Ends the process here if the environment asks for it.
pub fn kill_point(name: &str) {
    #[cfg(debug_assertions)]
    armed::pass(name);
    #[cfg(not(debug_assertions))]
    let _not_in_releases = name;
}

/// Whether the environment asks for an end at this point, so that a write can be made in two steps for it.
#[must_use]
pub fn is_armed(name: &str) -> bool {
    #[cfg(debug_assertions)]
    return armed::names(name);
    #[cfg(not(debug_assertions))]
    {
        let _not_in_releases = name;
        false
    }
}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Armed {
        name: String,
        passes_left: AtomicU64,
    }

    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

    fn armed() -> Option<&'static Armed> {
        let read = || {
            let text = std::env::var("SAMOVAR_KILL_AT").ok()?;
            let (name, pass) = text.split_once(':').unwrap_or((&text, "1"));
            Some(Armed { name: name.to_owned(), passes_left: AtomicU64::new(pass.parse().ok().filter(|pass| *pass > 0)?) })
        };
        ARMED.get_or_init(read).as_ref()
    }

    pub fn names(name: &str) -> bool {
        armed().is_some_and(|armed| armed.name == name)
    }

    pub fn pass(name: &str) {
        let Some(armed) = armed().filter(|armed| armed.name == name) else { return };
        if armed.passes_left.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::process::abort();
        }
    }
}
