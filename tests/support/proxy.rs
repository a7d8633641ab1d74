//! A TCP proxy in front of a server, for tests: it cuts connections after so many bytes, holds them there, or makes them slow.
//!
//! What it does to a connection is decided when the connection begins; connections that are open keep their fate. It ends, with all
//! of its connections, when it is dropped.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// What becomes of what a server sends over a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fate {
    /// All of it arrives.
    #[default]
    Pass,
    /// The first so many bytes arrive, then the connection ends.
    CutAfter(u64),
    /// The first so many bytes arrive, the rest when [`Proxy::release`] is called.
    StallAfter(u64),
    /// All of it arrives, a little at a time.
    Slow { step_bytes: usize, delay: Duration },
    /// The connection is closed before it begins.
    Refuse,
}

/// A proxy on a free port of this machine.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    fate: Mutex<Fate>,
    /// What becomes of the next connections, in their order, before `fate` is that of all others.
    next: Mutex<VecDeque<Fate>>,
    /// Both ends of every connection.
    open: Mutex<Vec<TcpStream>>,
    /// How often held bytes were released.
    released: Mutex<u64>,
    release: Condvar,
    is_over: AtomicBool,
    connections: AtomicUsize,
    bytes: AtomicU64,
    longest: AtomicU64,
    held: AtomicUsize,
}

impl Proxy {
    /// A proxy to a port of this machine, which passes everything.
    pub fn to(server_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let port = listener.local_addr().expect("address").port();
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.is_over.load(Ordering::SeqCst) {
                    break;
                }
                if let Ok(client) = client {
                    accepting.begin(client, server_port);
                }
            }
        });
        Self { port, shared }
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Decides what becomes of connections that begin from now on.
    pub fn set(&self, fate: Fate) {
        *self.shared.fate.lock().expect("fate") = fate;
    }

    /// Decides what becomes of the connections that begin next, one after the other; those behind them have the fate that is set.
    pub fn set_next(&self, fates: impl IntoIterator<Item = Fate>) {
        *self.shared.next.lock().expect("fates") = fates.into_iter().collect();
    }

    /// How many of the fates of single connections are left.
    pub fn left(&self) -> usize {
        self.shared.next.lock().expect("fates").len()
    }

    /// Ends all connections that are open.
    pub fn cut_all(&self) {
        for end in self.shared.open.lock().expect("connections").drain(..) {
            close(&end);
        }
    }

    /// Lets held bytes go, for connections that are held now.
    pub fn release(&self) {
        *self.shared.released.lock().expect("released") += 1;
        self.shared.release.notify_all();
    }

    /// Connections begun so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Connections that are held.
    pub fn held(&self) -> usize {
        self.shared.held.load(Ordering::SeqCst)
    }

    /// Bytes from the server over all connections so far.
    pub fn bytes(&self) -> u64 {
        self.shared.bytes.load(Ordering::SeqCst)
    }

    /// Most bytes from the server over one connection since the last call.
    pub fn take_longest(&self) -> u64 {
        self.shared.longest.swap(0, Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.cut_all();
        self.release();
        // Wakes the thread that waits for connections, so that it ends and the port is free.
        drop(TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], self.port))));
    }
}

fn close(end: &TcpStream) {
    // An end that is closed already is what is wanted.
    drop(end.shutdown(Shutdown::Both));
}

impl Shared {
    fn begin(self: &Arc<Self>, client: TcpStream, server_port: u16) {
        self.connections.fetch_add(1, Ordering::SeqCst);
        let next = self.next.lock().expect("fates").pop_front();
        let fate = next.unwrap_or_else(|| *self.fate.lock().expect("fate"));
        let Ok(server) = TcpStream::connect(("127.0.0.1", server_port)) else { return close(&client) };
        if fate == Fate::Refuse {
            return close(&client);
        }
        for end in [&client, &server] {
            // Waiting for more to send along would make the many small answers of a login slow.
            end.set_nodelay(true).expect("socket");
        }
        let ends = || (client.try_clone().expect("socket"), server.try_clone().expect("socket"));
        let (one, other) = ends();
        self.open.lock().expect("connections").extend([one, other]);
        let (mut from_client, mut to_server) = ends();
        std::thread::spawn(move || {
            // Either end may be cut at any time; then there is nothing left to do.
            drop(std::io::copy(&mut from_client, &mut to_server));
            close(&to_server);
        });
        let shared = Arc::clone(self);
        std::thread::spawn(move || {
            drop(shared.pass(&server, &client, fate));
            close(&client);
            close(&server);
        });
    }

    /// Passes on what the server sends, as long as it is fated to.
    fn pass(&self, mut server: &TcpStream, mut client: &TcpStream, fate: Fate) -> std::io::Result<()> {
        let mut buffer = vec![0; 1 << 16];
        let mut passed: u64 = 0;
        let mut limit = match fate {
            Fate::CutAfter(bytes) | Fate::StallAfter(bytes) => bytes,
            _ => u64::MAX,
        };
        loop {
            let step = match fate {
                Fate::Slow { step_bytes, .. } => step_bytes.clamp(1, buffer.len()),
                _ => buffer.len(),
            };
            let read = server.read(&mut buffer[..step])?;
            if read == 0 {
                return Ok(());
            }
            let now = usize::try_from(limit - passed).map_or(read, |left| left.min(read));
            client.write_all(&buffer[..now])?;
            passed += now as u64;
            self.bytes.fetch_add(now as u64, Ordering::SeqCst);
            self.longest.fetch_max(passed, Ordering::SeqCst);
            if now < read {
                if matches!(fate, Fate::CutAfter(_)) {
                    return Ok(());
                }
                self.hold();
                limit = u64::MAX;
                client.write_all(&buffer[now..read])?;
                passed += (read - now) as u64;
                self.bytes.fetch_add((read - now) as u64, Ordering::SeqCst);
            }
            if let Fate::Slow { delay, .. } = fate {
                std::thread::sleep(delay);
            }
        }
    }

    /// Waits for the next release, or the end.
    fn hold(&self) {
        let released = self.released.lock().expect("released");
        let before = *released;
        self.held.fetch_add(1, Ordering::SeqCst);
        let waited = self.release.wait_while(released, |released| *released == before && !self.is_over.load(Ordering::SeqCst));
        drop(waited.expect("released"));
        self.held.fetch_sub(1, Ordering::SeqCst);
    }
}
