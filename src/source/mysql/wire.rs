//! A connection that speaks MySQL's packets: bytes in, packets out, in place, out of one buffer.
//!
//! Knows framing and encryption, nothing of logins or rows. It is there because a row object per row costs more than the row: what is
//! read here is decoded where it lies. Whatever goes wrong leaves the connection unusable, and its owner drops it; dropping it ends
//! whatever the server still sends.

use super::tls;
use std::io::{self, ErrorKind, Read, Write};
use tokio::net::TcpStream;

/// Bytes read at a time; a server writes 16 KiB at a time and more when it is ahead.
const BUFFER_BYTES: usize = 256 * 1024;
/// The longest packet; a longer one comes in pieces, and no bar is that long.
const LONGEST_PACKET: usize = 0xFF_FFFF;

/// Why a connection could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    /// The server's own words.
    #[error("{message}")]
    Server { number: u16, message: String },
    /// The network's.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// What came is nothing a MySQL server says.
    #[error("{0}")]
    Protocol(String),
    /// Encryption could not be agreed on.
    #[error("{0}")]
    Encryption(String),
    /// Something this client leaves to the general one, which is to be asked from now on.
    #[error("{0} is left to the general client")]
    Unsupported(String),
    /// The same, but only for now.
    #[error("{0} is left to the general client for now")]
    NotNow(&'static str),
}

/// A packet ended before what it should hold.
pub(super) fn cut_short() -> WireError {
    WireError::Protocol("a packet is shorter than what it should hold".to_owned())
}

/// A connection to a server.
pub(super) struct Wire {
    socket: TcpStream,
    tls: Option<Box<rustls::ClientConnection>>,
    buffer: Vec<u8>,
    /// Where in the buffer the bytes are that were read and not yet used.
    start: usize,
    end: usize,
    /// Number of the next packet of this exchange.
    sequence: u8,
}

impl Wire {
    pub(super) async fn connect(host: &str, port: u16) -> Result<Self, WireError> {
        let socket = TcpStream::connect((host, port)).await?;
        socket.set_nodelay(true)?;
        Ok(Self { socket, tls: None, buffer: vec![0; BUFFER_BYTES], start: 0, end: 0, sequence: 0 })
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Encrypts all that follows.
    pub(super) async fn encrypt(&mut self, host: &str) -> Result<(), WireError> {
        if self.start != self.end {
            // Whoever is in between must not put words into an encrypted conversation.
            return Err(WireError::Encryption("the server went on before the encryption began".to_owned()));
        }
        self.tls = Some(Box::new(tls::client(host).map_err(WireError::Encryption)?));
        while let Some(tls) = &mut self.tls {
            while tls.wants_write() {
                match tls.write_tls(&mut Writing(&self.socket)) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => self.socket.writable().await?,
                    written => drop(written?),
                }
            }
            if !tls.is_handshaking() {
                break;
            }
            match tls.read_tls(&mut Reading(&self.socket)) {
                Ok(0) => return Err(ended().into()),
                Ok(_) => {
                    tls.process_new_packets().map_err(|error| WireError::Encryption(error.to_string()))?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.socket.readable().await?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Begins an exchange with a command.
    pub(super) async fn command(&mut self, command: u8, payload: &[&[u8]]) -> Result<(), WireError> {
        self.sequence = 0;
        let mut whole = vec![command];
        whole.extend(payload.iter().copied().flatten());
        self.send(&whole).await
    }

    /// Sends a packet of the exchange that is under way.
    pub(super) async fn send(&mut self, payload: &[u8]) -> Result<(), WireError> {
        if payload.len() >= LONGEST_PACKET {
            return Err(WireError::Unsupported("a statement of 16 MiB".to_owned()));
        }
        let [low, middle, high, ..] = payload.len().to_le_bytes();
        let mut packet = Vec::with_capacity(payload.len() + 4);
        packet.extend([low, middle, high, self.sequence]);
        packet.extend(payload);
        self.sequence = self.sequence.wrapping_add(1);
        let mut rest = packet.as_slice();
        let Some(tls) = &mut self.tls else {
            while !rest.is_empty() {
                match self.socket.try_write(rest) {
                    Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => self.socket.writable().await?,
                    Err(error) => return Err(error.into()),
                }
            }
            return Ok(());
        };
        tls.writer().write_all(rest)?;
        while tls.wants_write() {
            match tls.write_tls(&mut Writing(&self.socket)) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.socket.writable().await?,
                written => drop(written?),
            }
        }
        Ok(())
    }

    /// The next packet, waiting for it.
    pub(super) async fn packet(&mut self) -> Result<&[u8], WireError> {
        while self.next_length()?.is_none() {
            if !self.read_some()? {
                self.readable().await?;
            }
        }
        self.arrived()?.ok_or_else(cut_short)
    }

    /// The next packet, if all of it is here.
    #[inline]
    pub(super) fn arrived(&mut self) -> Result<Option<&[u8]>, WireError> {
        let Some(length) = self.next_length()? else { return Ok(None) };
        let begin = self.start + 4;
        self.sequence = self.buffer.get(self.start + 3).copied().unwrap_or_default().wrapping_add(1);
        self.start = begin + length;
        Ok(self.buffer.get(begin..begin + length))
    }

    /// Length of the next packet, if all of it is here.
    #[inline]
    fn next_length(&self) -> Result<Option<usize>, WireError> {
        let unread = self.buffer.get(self.start..self.end).unwrap_or_default();
        let Some(&[low, middle, high, _]) = unread.first_chunk::<4>() else { return Ok(None) };
        let length = usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16;
        if length == LONGEST_PACKET {
            return Err(WireError::Protocol("a packet of 16 MiB".to_owned()));
        }
        Ok((unread.len() >= length + 4).then_some(length))
    }

    /// Reads what is there. `false` when nothing is.
    pub(super) fn read_some(&mut self) -> Result<bool, WireError> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            // One packet is longer than the buffer.
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        let read = match &mut self.tls {
            None => self.socket.try_read(free),
            Some(tls) => read_encrypted(tls, &self.socket, free),
        };
        match read {
            Ok(0) => Err(ended().into()),
            Ok(read) => {
                self.end += read;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until there may be something to read.
    pub(super) async fn readable(&self) -> Result<(), WireError> {
        Ok(self.socket.readable().await?)
    }
}

fn read_encrypted(tls: &mut rustls::ClientConnection, socket: &TcpStream, free: &mut [u8]) -> io::Result<usize> {
    loop {
        match tls.reader().read(free) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            read => return read,
        }
        if tls.read_tls(&mut Reading(socket))? == 0 {
            return Err(ended());
        }
        tls.process_new_packets().map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        if tls.wants_write() {
            // A new key, a few bytes; what does not fit now goes with the next command.
            match tls.write_tls(&mut Writing(socket)) {
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
        }
    }
}

fn ended() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the server closed the connection")
}

/// A socket as rustls reads from it.
struct Reading<'a>(&'a TcpStream);

impl Read for Reading<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

/// A socket as rustls writes to it.
struct Writing<'a>(&'a TcpStream);

impl Write for Writing<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.try_write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is left of a packet that is being read.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    #[inline]
    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or_else(cut_short)?;
        self.0 = rest;
        Ok(bytes)
    }

    #[inline]
    pub(super) fn array<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], WireError> {
        let (bytes, rest) = self.0.split_first_chunk::<COUNT>().ok_or_else(cut_short)?;
        self.0 = rest;
        Ok(*bytes)
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, WireError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, WireError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_le_bytes)
    }

    /// A number that says itself how long it is.
    #[inline]
    pub(super) fn length(&mut self) -> Result<usize, WireError> {
        let length = match self.byte()? {
            short @ 0..=0xFA => u64::from(short),
            0xFC => u64::from(self.u16()?),
            0xFD => {
                let [low, middle, high] = self.array()?;
                u64::from(u32::from_le_bytes([low, middle, high, 0]))
            }
            0xFE => u64::from_le_bytes(self.array()?),
            _ => return Err(WireError::Protocol("a length is none".to_owned())),
        };
        usize::try_from(length).map_err(|_| cut_short())
    }

    /// Bytes with their length in front.
    #[inline]
    pub(super) fn counted(&mut self) -> Result<&'a [u8], WireError> {
        let length = self.length()?;
        self.bytes(length)
    }

    /// Bytes up to a zero, or to the end.
    pub(super) fn until_zero(&mut self) -> &'a [u8] {
        let length = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        let (bytes, rest) = self.0.split_at_checked(length).unwrap_or_default();
        self.0 = rest.get(1..).unwrap_or_default();
        bytes
    }
}

/// Bytes with their length in front.
pub(super) fn put_counted(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.len() {
        length @ 0..=0xFA => out.push(length as u8),
        length @ 0xFB..=0xFFFF => {
            out.push(0xFC);
            out.extend((length as u16).to_le_bytes());
        }
        length => {
            out.push(0xFE);
            out.extend((length as u64).to_le_bytes());
        }
    }
    out.extend(bytes);
}

/// The error a packet tells; `None` if it tells none.
#[inline]
pub(super) fn told_error(packet: &[u8]) -> Option<WireError> {
    let [0xFF, rest @ ..] = packet else { return None };
    let mut cursor = Cursor(rest);
    let number = cursor.u16().unwrap_or_default();
    let message = match cursor.0 {
        // An SQL state of five letters.
        [b'#', _, _, _, _, _, message @ ..] => message,
        message => message,
    };
    Some(WireError::Server { number, message: String::from_utf8_lossy(message).into_owned() })
}

/// The packet, unless it tells an error.
pub(super) fn sound(packet: &[u8]) -> Result<&[u8], WireError> {
    told_error(packet).map_or(Ok(packet), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_come_back() {
        for length in [0, 1, 0xFA, 0xFB, 0x1234, 0xFFFF, 0x1_0000, 0x12_3456] {
            let mut written = Vec::new();
            put_counted(&mut written, &vec![7; length]);
            let mut cursor = Cursor(&written);
            assert_eq!(cursor.counted().unwrap().len(), length);
            assert!(cursor.0.is_empty());
        }
        assert!(Cursor(&[0xFC, 1]).length().is_err() && Cursor(&[0xFF]).length().is_err() && Cursor(&[5, 1]).counted().is_err());
        let huge = [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
        assert!(Cursor(&huge).counted().is_err());
    }

    #[test]
    fn an_error_packet_is_taken_apart() {
        let told = |packet: &[u8]| match told_error(packet) {
            Some(WireError::Server { number, message }) => Some((number, message)),
            _ => None,
        };
        assert_eq!(told(b"\xff\x19\x04#42000Unknown database"), Some((1049, "Unknown database".to_owned())));
        assert_eq!(told(b"\xff\x84\x04Got packets"), Some((1156, "Got packets".to_owned())));
        assert_eq!(told(b"\xff"), Some((0, String::new())));
        assert_eq!(told(b"\x00\x19\x04"), None);
    }
}
