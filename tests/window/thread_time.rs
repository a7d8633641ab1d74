//! What the thread that draws the window does with its time: works, waits for a processor, or waits for something else.
//!
//! Only the last is a fault whatever the machine does meanwhile: a file, a lock, a channel. Work is the thread's processor time; how
//! long it stood in line for a processor is what Linux counts, and nothing elsewhere. Who it waited for is found by looking at the
//! thread every few milliseconds from another one. Contract: [`Watch::time`] is called on the thread that [`Watch::new`] was.

use cpu_time::ThreadTime;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How often a thread that is timed is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// Longest a frame may wait for anything but a processor.
pub const LONGEST_WAIT: Duration = Duration::from_millis(50);
/// Longest a frame may take but for standing in line for a processor. What is not optimised works longer, but waits no longer.
pub const LONGEST_FRAME: Duration = Duration::from_millis(if cfg!(debug_assertions) { 150 } else { 50 });

/// Where the time of one frame went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// By the clock on the wall.
    pub wall: Duration,
    /// On a processor.
    pub work: Duration,
    /// Ready to work, with every processor taken.
    pub queued: Duration,
    /// What the thread was seen to wait for, and how often.
    pub seen: BTreeMap<String, usize>,
    /// How often it was looked at.
    pub looks: usize,
}

impl Spent {
    /// Waiting for a file, a lock, a channel, or asleep.
    pub fn waited(&self) -> Duration {
        self.wall.saturating_sub(self.work).saturating_sub(self.queued)
    }

    /// What of that the program is to blame for.
    fn blocked(&self) -> Duration {
        if self.was_stopped() { Duration::ZERO } else { self.waited() }
    }

    /// What the program is to blame for, on however busy a machine.
    fn own(&self) -> Duration {
        self.work + self.blocked()
    }

    /// Whether it was the machine that stood still: whoever looked all the while saw the thread wait for nothing. The process was stopped,
    /// or another guest of the same machine had its processor.
    fn was_stopped(&self) -> bool {
        self.looks > 0 && self.seen.is_empty()
    }

    /// What is wrong with it.
    pub fn fault(&self) -> Option<String> {
        let told = |what: &str| {
            let seen: Vec<String> = self.seen.iter().map(|(name, times)| format!("{name} × {times}")).collect();
            format!(
                "{what}: {:?} by the clock, {:?} of work, {:?} in line for a processor, {:?} waiting (seen in: {})",
                self.wall,
                self.work,
                self.queued,
                self.waited(),
                seen.join(", ")
            )
        };
        if self.blocked() > LONGEST_WAIT {
            Some(told("waited"))
        } else if self.own() > LONGEST_FRAME {
            Some(told("worked too long"))
        } else {
            None
        }
    }
}

#[derive(Debug, Default)]
struct Seen {
    is_timed: AtomicBool,
    is_over: AtomicBool,
    looks: AtomicUsize,
    calls: Mutex<BTreeMap<String, usize>>,
}

/// Times what is done on the thread that made it.
#[derive(Debug)]
pub struct Watch {
    seen: Arc<Seen>,
    looking: Option<std::thread::JoinHandle<()>>,
    /// What was timed: where, what, and how it went.
    pub frames: Vec<(String, String, Spent)>,
}

impl Watch {
    pub fn new() -> Self {
        let seen = Arc::new(Seen::default());
        // Where the system says nothing of its threads, times are all there is.
        let own_folder = std::fs::read_link("/proc/thread-self").ok().map(|link| Path::new("/proc").join(link));
        let looking = own_folder.map(|folder| {
            let seen = Arc::clone(&seen);
            std::thread::Builder::new().name("watch".to_owned()).spawn(move || look(&seen, &folder)).expect("a thread")
        });
        Self { seen, looking, frames: Vec::new() }
    }

    /// Does something and notes how long it took.
    pub fn time<T>(&mut self, place: &str, what: &str, work: impl FnOnce() -> T) -> T {
        self.seen.calls.lock().expect("calls").clear();
        self.seen.looks.store(0, Ordering::SeqCst);
        self.seen.is_timed.store(true, Ordering::SeqCst);
        let queued_before = queued();
        let (work_before, began) = (ThreadTime::now(), Instant::now());
        let value = work();
        let (wall, worked) = (began.elapsed(), work_before.elapsed());
        let queued = queued().saturating_sub(queued_before);
        self.seen.is_timed.store(false, Ordering::SeqCst);
        let seen = std::mem::take(&mut *self.seen.calls.lock().expect("calls"));
        let looks = self.seen.looks.load(Ordering::SeqCst);
        self.frames.push((place.to_owned(), what.to_owned(), Spent { wall, work: worked, queued, seen, looks }));
        value
    }

    /// What is wrong with what was timed so far, worst first by what was waited.
    pub fn faults(&self) -> Vec<String> {
        self.frames.iter().filter_map(|(place, what, spent)| Some(format!("{place}: {what} {}", spent.fault()?))).collect()
    }

    /// Figures by place: how many frames, and the median and the longest of work, and of waiting.
    pub fn table(&self) -> String {
        let mut places: Vec<&str> = Vec::new();
        for (place, ..) in &self.frames {
            if !places.contains(&place.as_str()) {
                places.push(place);
            }
        }
        let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e3);
        let lines = places.into_iter().map(|place| {
            let of: Vec<&(String, String, Spent)> = self.frames.iter().filter(|(at, ..)| at == place).collect();
            let sorted = |figure: fn(&Spent) -> Duration| {
                let mut times: Vec<Duration> = of.iter().map(|(_, _, spent)| figure(spent)).collect();
                times.sort_unstable();
                times
            };
            let (work, waited, wall) = (sorted(|spent| spent.work), sorted(Spent::waited), sorted(|spent| spent.wall));
            let most = |times: &[Duration]| ms(times.last().copied().unwrap_or_default());
            let middle = |times: &[Duration]| ms(times.get(times.len() / 2).copied().unwrap_or_default());
            let worst = of.iter().max_by_key(|(_, _, spent)| spent.work).map_or("", |(_, what, _)| what);
            let (_, _, longest_wait) = of.iter().max_by_key(|(_, _, spent)| spent.waited()).expect("a frame");
            let seen = longest_wait.seen.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            format!(
                "{place}: {} frames, work {} / {} ms ({worst}), waiting {} / {} ms ({seen}), by the clock {} / {} ms",
                of.len(),
                middle(&work),
                most(&work),
                middle(&waited),
                most(&waited),
                middle(&wall),
                most(&wall)
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.seen.is_over.store(true, Ordering::SeqCst);
        if let Some(looking) = self.looking.take() {
            looking.join().expect("the one who looks");
        }
    }
}

/// How long the calling thread has stood in line for a processor so far.
fn queued() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|nanos| nanos.parse().ok()).map(Duration::from_nanos).unwrap_or_default()
}

fn look(seen: &Seen, folder: &Path) {
    let call: PathBuf = folder.join("syscall");
    while !seen.is_over.load(Ordering::SeqCst) {
        std::thread::sleep(LOOK);
        if !seen.is_timed.load(Ordering::SeqCst) {
            continue;
        }
        // Not allowed everywhere: then times are all there is.
        let Ok(text) = std::fs::read_to_string(&call) else { continue };
        seen.looks.fetch_add(1, Ordering::SeqCst);
        if let Some(name) = text.split_whitespace().next().filter(|number| *number != "running")
            && let Ok(mut calls) = seen.calls.lock()
        {
            *calls.entry(call_name(name)).or_default() += 1;
        }
    }
}

/// The names of what a thread waits in most often, on the processors this is mostly run on.
fn call_name(number: &str) -> String {
    let name = match (std::env::consts::ARCH, number) {
        ("x86_64", "0" | "17") | ("aarch64", "63" | "67") => "a read of a file",
        ("x86_64", "1" | "18") | ("aarch64", "64" | "68") => "a write to a file",
        ("x86_64", "2" | "257") | ("aarch64", "56") => "the opening of a file",
        ("x86_64", "74" | "75") | ("aarch64", "82" | "83") => "a file being made durable",
        ("x86_64", "202") | ("aarch64", "98") => "a lock or channel",
        ("x86_64", "35" | "230") | ("aarch64", "101" | "115") => "sleep",
        ("x86_64", "-1") | ("aarch64", "-1") => "a page of memory",
        _ => return format!("system call {number}"),
    };
    name.to_owned()
}

#[test]
fn sleeping_and_waiting_for_a_lock_are_told_from_working() {
    let mut watch = Watch::new();
    let long = 3 * LONGEST_WAIT;
    watch.time("here", "sleep", || std::thread::sleep(long));
    let lock = Arc::new(Mutex::new(()));
    let (held, is_held) = std::sync::mpsc::sync_channel(1);
    let holder = {
        let lock = Arc::clone(&lock);
        std::thread::spawn(move || {
            let _held = lock.lock().expect("lock");
            held.send(()).expect("told");
            std::thread::sleep(long);
        })
    };
    is_held.recv().expect("held");
    watch.time("here", "lock", || drop(lock.lock().expect("lock")));
    holder.join().expect("let go");
    watch.time("here", "work", || {
        let began = ThreadTime::now();
        while began.elapsed() < 2 * LONGEST_WAIT {
            std::hint::black_box((0..10_000).sum::<u64>());
        }
    });
    let spent = |wanted: &str| watch.frames.iter().find(|(_, what, _)| what == wanted).map(|(_, _, spent)| spent).expect("timed");
    for what in ["sleep", "lock"] {
        assert!(spent(what).waited() > LONGEST_WAIT, "{what}: {:?}", spent(what));
        assert!(spent(what).fault().is_some_and(|fault| fault.starts_with("waited")), "{what}");
    }
    assert!(spent("work").work >= 2 * LONGEST_WAIT && spent("work").waited() < LONGEST_WAIT, "{:?}", spent("work"));
    if cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))) {
        assert!(spent("lock").seen.contains_key("a lock or channel"), "{:?}", spent("lock").seen);
        assert!(spent("sleep").seen.contains_key("sleep"), "{:?}", spent("sleep").seen);
    }
}
