//! One window at a time: a second start of the program brings the first one's window to the front and ends.
//!
//! The first holds a lock on a file, which the system lets go of however the program ends, and listens on a port of this
//! machine alone. Port and a random word stand in a file beside it, which only this user can read; who does not know the word
//! is not heard. Contract: nothing that goes wrong here keeps a window from opening.

use std::collections::hash_map::RandomState;
use std::fs::{File, TryLockError};
use std::hash::BuildHasher;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};
use xxhash_rust::xxh3::xxh3_64;

/// How long a first that is just starting, or busy, is given to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// Longest wait for one answer.
const ANSWER: Duration = Duration::from_millis(800);
/// What the first says when it has heard.
const HEARD: &str = "shown";

/// What came of asking to be the one.
#[derive(Debug)]
pub enum Claim {
    /// There is no other: open a window. Without an instance where the system cannot tell, or where the other does not answer.
    First(Option<Instance>),
    /// There is another, and it shows itself.
    Shown,
}

/// The one; gives its place up when dropped.
#[derive(Debug)]
pub struct Instance {
    /// Locked for as long as it is open.
    _lock: File,
    listener: TcpListener,
    word: String,
}

/// Asks to be the only window of this identity.
#[must_use]
pub fn claim(folder: &Path, identity: &str) -> Claim {
    match try_claim(folder, identity) {
        Ok(claim) => claim,
        Err(error) => {
            tracing::warn!(%error, "whether another window is open cannot be told");
            Claim::First(None)
        }
    }
}

fn try_claim(folder: &Path, identity: &str) -> std::io::Result<Claim> {
    std::fs::create_dir_all(folder)?;
    let stem = format!("window-{:016x}", xxh3_64(identity.as_bytes()));
    // Apart from each other: where locks are enforced, nobody else could read a locked file.
    let (lock_path, path) = (folder.join(format!("{stem}.lock")), folder.join(format!("{stem}.port")));
    let lock = open_private(&lock_path)?;
    match lock.try_lock() {
        Ok(()) => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let word = random_word();
            let mut file = open_private(&path)?;
            file.set_len(0)?;
            file.write_all(format!("{}\n{word}\n", listener.local_addr()?.port()).as_bytes())?;
            return Ok(Claim::First(Some(Instance { _lock: lock, listener, word })));
        }
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        // Read anew each time: a first that has just begun has not written its port yet.
        match ask(&path) {
            Ok(true) => return Ok(Claim::Shown),
            Ok(false) => tracing::debug!("the other window did not understand"),
            Err(error) => tracing::debug!(%error, "the other window does not answer yet"),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    tracing::warn!("another Samovar is open and does not answer; this one opens beside it");
    Ok(Claim::First(None))
}

/// A word nobody can guess: hashes under keys that the system drew for them.
fn random_word() -> String {
    [0, 1].map(|number: u8| format!("{:016x}", RandomState::new().hash_one(number))).concat()
}

fn open_private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// Asks the window whose port stands in the file to show itself; whether it did.
fn ask(path: &Path) -> std::io::Result<bool> {
    let text = std::fs::read_to_string(path)?;
    let mut lines = text.lines();
    let wrong = || std::io::Error::new(std::io::ErrorKind::InvalidData, "no port in the lock file");
    let port: u16 = lines.next().and_then(|line| line.parse().ok()).ok_or_else(wrong)?;
    let word = lines.next().ok_or_else(wrong)?;
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), ANSWER)?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.write_all(format!("{word}\n").as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    Ok(answer.trim_end() == HEARD)
}

impl Instance {
    /// Calls `show` whenever another start asks for this window, from a thread of its own, for as long as the program runs.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn listen(&self, show: impl Fn() + Send + 'static) -> std::io::Result<()> {
        let (listener, word) = (self.listener.try_clone()?, self.word.clone());
        std::thread::Builder::new().name("samovar-instance".to_owned()).spawn(move || {
            for stream in listener.incoming() {
                match stream.and_then(|stream| answer(stream, &word)) {
                    Ok(true) => show(),
                    Ok(false) => tracing::debug!("somebody asked for the window without the word"),
                    Err(error) => tracing::debug!(%error, "somebody asked for the window and broke off"),
                }
            }
        })?;
        Ok(())
    }
}

/// Whether the other knows the word; it is told that it was heard.
fn answer(mut stream: TcpStream, word: &str) -> std::io::Result<bool> {
    stream.set_read_timeout(Some(ANSWER))?;
    let mut heard = String::new();
    // Not more than a word: whoever talks on is not one of us.
    BufReader::new((&stream).take(64)).read_line(&mut heard)?;
    let knows = heard.trim_end() == word;
    if knows {
        stream.write_all(format!("{HEARD}\n").as_bytes())?;
    }
    Ok(knows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    fn first(folder: &Path, identity: &str) -> Instance {
        match claim(folder, identity) {
            Claim::First(Some(instance)) => instance,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_second_start_shows_the_first_and_another_window_is_its_own() {
        let folder = tempfile::tempdir().expect("folder");
        let instance = first(folder.path(), "a");
        let (told, heard) = channel();
        instance.listen(move || told.send(()).expect("told")).expect("a thread");
        assert!(matches!(claim(folder.path(), "a"), Claim::Shown));
        heard.recv_timeout(Duration::from_secs(10)).expect("the first was told");
        let _other = first(folder.path(), "b");
    }

    #[test]
    fn a_first_that_is_gone_is_not_waited_for_whatever_it_left_behind() {
        let folder = tempfile::tempdir().expect("folder");
        drop(first(folder.path(), "a"));
        let _again = first(folder.path(), "a");
    }

    #[test]
    fn who_does_not_know_the_word_is_not_heard_and_a_first_that_does_not_answer_keeps_nobody_out() {
        let folder = tempfile::tempdir().expect("folder");
        let instance = first(folder.path(), "a");
        let port = instance.listener.local_addr().expect("port").port();
        let (told, heard) = channel();
        let listening = instance.listener.try_clone().expect("listener");
        std::thread::spawn(move || {
            let (stream, _) = listening.accept().expect("somebody");
            told.send(answer(stream, "the word").expect("read")).expect("told");
        });
        let mut stranger = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("connected");
        stranger.write_all(b"open sesame\n").expect("said");
        assert!(!heard.recv_timeout(Duration::from_secs(10)).expect("answered"));
        // Nobody listens any more: the lock is held, and nothing answers.
        assert!(matches!(claim(folder.path(), "a"), Claim::First(None)));
    }
}
