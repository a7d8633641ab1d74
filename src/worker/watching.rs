//! Watching the folder of the user's feature sets: the system tells of changes (inotify on Linux), nothing is polled.
//!
//! Editors write files in several steps, so a change is looked at once it has been quiet for a moment.

use super::event::NoticeLevel;
use super::own_sets;
use super::service::Service;
use async_channel::{Sender, bounded};
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long it has to be quiet before the sets are loaded anew, …
const QUIET: Duration = Duration::from_millis(150);
/// … and how long that is waited for at most.
const AT_MOST: Duration = Duration::from_secs(2);

/// Loads the user's sets anew whenever their folder changes, until the worker ends.
pub(super) async fn watch_sets(service: Arc<Service>) {
    let folder = service.context.places.sets_dir();
    let (changed_out, changed) = bounded(1);
    let begun = service.blocking({
        let folder = folder.clone();
        move || begin(&folder, changed_out)
    });
    let mut watcher = match begun.await {
        Some(Ok(watcher)) => watcher,
        Some(Err(error)) => {
            tracing::warn!(%error, folder = %folder.display(), "the folder of feature sets cannot be watched");
            let text = format!("Changes of your feature sets in {} are noticed at the next start only: {error}", folder.display());
            service.reporter.notice(NoticeLevel::Warning, text);
            return;
        }
        None => return,
    };
    // What changed before the folder was watched.
    let loading = Arc::clone(&service);
    let loaded = service.blocking(move || {
        own_sets::reload(&loading, None);
        own_sets::keep_good_versions(&loading, &loading.configuration().library);
    });
    loaded.await;
    while changed.recv().await.is_ok() {
        let quiet = async { while tokio::time::timeout(QUIET, changed.recv()).await.is_ok_and(|more| more.is_ok()) {} };
        if tokio::time::timeout(AT_MOST, quiet).await.is_err() {
            tracing::debug!("the folder of feature sets keeps changing");
        }
        let (loading, folder) = (Arc::clone(&service), folder.clone());
        let reloaded = service.blocking(move || {
            // A folder that was removed and made again is another one for the system.
            if let Err(error) = watcher.watch(&folder, RecursiveMode::NonRecursive) {
                tracing::debug!(%error, "the folder of feature sets is not there");
            }
            own_sets::reload(&loading, None);
            watcher
        });
        match reloaded.await {
            Some(back) => watcher = back,
            None => return,
        }
    }
}

/// Watches the folder, which is made where needed, and the one it lies in, to see it come back should it be removed.
fn begin(folder: &Path, changed: Sender<()>) -> Result<RecommendedWatcher, String> {
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let wanted = std::path::absolute(folder).unwrap_or_else(|_error| folder.to_path_buf());
    let ours = wanted.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if event.as_ref().map_or(true, |event| matters(event, &ours)) && changed.try_send(()).is_err() {
            tracing::trace!("a change is waiting to be looked at already");
        }
    })
    .map_err(|error| error.to_string())?;
    watcher.watch(&wanted, RecursiveMode::NonRecursive).map_err(|error| error.to_string())?;
    if let Some(parent) = wanted.parent()
        && let Err(error) = watcher.watch(parent, RecursiveMode::NonRecursive)
    {
        tracing::debug!(%error, "the folder of the settings is not watched");
    }
    Ok(watcher)
}

/// Whether an event is about the sets, and more than somebody reading them.
fn matters(event: &Event, folder: &PathBuf) -> bool {
    let is_reading = matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write));
    !is_reading && (event.need_rescan() || event.paths.iter().any(|path| path.starts_with(folder)))
}
