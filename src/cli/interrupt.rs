//! Ctrl-C and polite kills: the first asks the running job to stop, the second ends the program at once.

use std::sync::mpsc::Sender;

/// What wakes a waiting command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wake {
    /// The worker has something to tell.
    Event,
    /// The user wants it to end.
    Interrupt,
}

/// Listens on a thread of its own until the program ends.
pub(super) fn listen(wakes: Sender<Wake>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Signals count from here on, not from whenever the thread gets its turn.
    let mut signals = {
        let _inside = runtime.enter();
        Signals::new()?
    };
    std::thread::Builder::new().name("samovar-signals".to_owned()).spawn(move || {
        runtime.block_on(signals.next());
        if wakes.send(Wake::Interrupt).is_ok() {
            runtime.block_on(signals.next());
        }
        std::process::exit(1);
    })?;
    Ok(())
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
