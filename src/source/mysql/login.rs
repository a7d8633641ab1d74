//! Logging in: the server's greeting, encryption where both want it, a proof of the password, and a session that cannot write.
//!
//! Knows `mysql_native_password` and `caching_sha2_password`. Everything else is left to the general client, and so is the first
//! login of a user whose password a server without encryption has not yet seen: it takes RSA, the general client has that, and a
//! server remembers it.

use super::wire::{Cursor, Wire, WireError, put_counted, sound};
use crate::source::kind::TlsMode;
use crate::source::source_url::SourceUrl;
use sha1::{Digest, Sha1};
use sha2::Sha256;

const LONG_PASSWORD: u32 = 1;
const LONG_FLAG: u32 = 1 << 2;
const CONNECT_WITH_DB: u32 = 1 << 3;
const PROTOCOL_41: u32 = 1 << 9;
const SSL: u32 = 1 << 11;
const TRANSACTIONS: u32 = 1 << 13;
const SECURE_CONNECTION: u32 = 1 << 15;
const PLUGIN_AUTH: u32 = 1 << 19;
const PLUGIN_AUTH_LENENC_DATA: u32 = 1 << 21;
/// Without any of these a server is older than all that are in use.
const NEEDED: u32 = PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH;
/// `utf8mb4_general_ci`, which every server knows.
const CHARACTERS: u8 = 45;
/// The longest packet that is welcome, which is the longest there is in one piece.
const MAX_PACKET: u32 = 0x00FF_FFFF;

const QUERY: u8 = 3;
const PING: u8 = 14;

/// What a server says first.
struct Greeting {
    capabilities: u32,
    nonce: Vec<u8>,
    plugin: String,
}

/// A connection that is logged in, and whose session cannot write and does not mind a reader that pauses.
pub(super) async fn log_in(url: &SourceUrl) -> Result<Wire, WireError> {
    let mut wire = Wire::connect(url.host(), url.port()).await?;
    let greeting = greeting(sound(wire.packet().await?)?)?;
    let mut wanted = NEEDED | LONG_PASSWORD | LONG_FLAG | TRANSACTIONS | PLUGIN_AUTH_LENENC_DATA;
    if url.database().is_some() {
        wanted |= CONNECT_WITH_DB;
    }
    let is_encrypted = url.tls() != TlsMode::Off && greeting.capabilities & SSL != 0;
    if is_encrypted {
        wanted |= SSL;
    } else if url.tls() == TlsMode::Require {
        return Err(WireError::Encryption("server does not support TLS".to_owned()));
    }
    let wanted = wanted & greeting.capabilities;
    if wanted & NEEDED != NEEDED {
        return Err(WireError::Unsupported("an old server".to_owned()));
    }
    let mut answer = Vec::new();
    answer.extend(wanted.to_le_bytes());
    answer.extend(MAX_PACKET.to_le_bytes());
    answer.push(CHARACTERS);
    answer.extend([0; 23]);
    if is_encrypted {
        wire.send(&answer).await?;
        wire.encrypt(url.host()).await?;
    }
    let password = url.password().unwrap_or_default().as_bytes();
    let proof = proof(&greeting.plugin, password, &greeting.nonce)?;
    answer.extend(url.user().unwrap_or("root").as_bytes());
    answer.push(0);
    // All known proofs are short enough for both ways of writing them.
    put_counted(&mut answer, &proof);
    if let Some(database) = url.database() {
        answer.extend(database.as_bytes());
        answer.push(0);
    }
    answer.extend(greeting.plugin.as_bytes());
    answer.push(0);
    wire.send(&answer).await?;
    prove(&mut wire, password).await?;
    run(&mut wire, "SET NAMES utf8mb4, SESSION net_write_timeout = 3600").await?;
    run(&mut wire, "SET SESSION TRANSACTION READ ONLY").await?;
    Ok(wire)
}

/// Answers what the server asks until it is content.
async fn prove(wire: &mut Wire, password: &[u8]) -> Result<(), WireError> {
    loop {
        let is_encrypted = wire.is_encrypted();
        let answer = match sound(wire.packet().await?)? {
            [0, ..] => return Ok(()),
            [0xFE] => return Err(WireError::Unsupported("a login of the oldest kind".to_owned())),
            [0xFE, switch @ ..] => {
                let mut cursor = Cursor(switch);
                let plugin = String::from_utf8_lossy(cursor.until_zero()).into_owned();
                proof(&plugin, password, cursor.0.strip_suffix(&[0]).unwrap_or(cursor.0))?
            }
            // Known from an earlier login; the word that all is well follows.
            [1, 3] => continue,
            [1, 4] if is_encrypted => [password, &[0]].concat(),
            [1, 4] => return Err(WireError::NotNow("a password the server has not yet seen")),
            [1, ..] => return Err(WireError::Unsupported("this login".to_owned())),
            _ => return Err(WireError::Protocol("an unexpected answer to a login".to_owned())),
        };
        wire.send(&answer).await?;
    }
}

/// Runs a statement without an answer.
async fn run(wire: &mut Wire, sql: &str) -> Result<(), WireError> {
    wire.command(QUERY, &[sql.as_bytes()]).await?;
    settled(wire).await
}

/// Whether the server still listens.
pub(super) async fn ping(wire: &mut Wire) -> Result<(), WireError> {
    wire.command(PING, &[]).await?;
    settled(wire).await
}

async fn settled(wire: &mut Wire) -> Result<(), WireError> {
    match sound(wire.packet().await?)? {
        [0, ..] => Ok(()),
        _ => Err(WireError::Protocol("an answer where none was asked for".to_owned())),
    }
}

fn greeting(packet: &[u8]) -> Result<Greeting, WireError> {
    let mut cursor = Cursor(packet);
    if cursor.byte()? != 10 {
        return Err(WireError::Unsupported("another protocol".to_owned()));
    }
    cursor.until_zero();
    cursor.u32()?;
    let mut nonce = cursor.bytes(8)?.to_vec();
    cursor.byte()?;
    let low = cursor.u16()?;
    cursor.bytes(3)?;
    let capabilities = u32::from(low) | u32::from(cursor.u16()?) << 16;
    let nonce_length = usize::from(cursor.byte()?);
    cursor.bytes(10)?;
    if capabilities & NEEDED != NEEDED {
        return Err(WireError::Unsupported("an old server".to_owned()));
    }
    nonce.extend(cursor.bytes(nonce_length.saturating_sub(9).max(12))?);
    cursor.byte()?;
    let plugin = String::from_utf8_lossy(cursor.until_zero()).into_owned();
    Ok(Greeting { capabilities, nonce, plugin })
}

/// What shows that one knows the password without telling it.
fn proof(plugin: &str, password: &[u8], nonce: &[u8]) -> Result<Vec<u8>, WireError> {
    if !matches!(plugin, "mysql_native_password" | "caching_sha2_password") {
        return Err(WireError::Unsupported(format!("the login method {plugin}")));
    }
    if password.is_empty() {
        return Ok(Vec::new());
    }
    let xor = |one: &[u8], other: &[u8]| one.iter().zip(other).map(|(one, other)| one ^ other).collect();
    Ok(if plugin == "mysql_native_password" {
        let hash = Sha1::digest(password);
        let seeded = Sha1::new().chain_update(nonce).chain_update(Sha1::digest(hash)).finalize();
        xor(&hash, &seeded)
    } else {
        let hash = Sha256::digest(password);
        let seeded = Sha256::new().chain_update(Sha256::digest(hash)).chain_update(nonce).finalize();
        xor(&hash, &seeded)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greetings_of_both_servers_are_understood() {
        let mysql = b"\n8.0.18\x00\x19\x00\x00\x00\x114aB0c\x06g\x00\xff\xff\xff\x02\x00\xff\xc7\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00tL\x03s\x0f[4\rl4. \x00caching_sha2_password\x00";
        let read = greeting(mysql).unwrap();
        assert_eq!((read.plugin.as_str(), read.capabilities & SSL), ("caching_sha2_password", SSL));
        assert_eq!(read.nonce, b"\x114aB0c\x06gtL\x03s\x0f[4\rl4. ");
        let mariadb = b"\n5.5.5-10.4.7-MariaDB-1:10.4.7+maria~bionic\x00\x0b\x00\x00\x00t6L\\j\"dS\x00\xfe\xf7\x08\x02\x00\xff\x81\x15\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00U14Oph9\"<H5n\x00mysql_native_password\x00";
        let read = greeting(mariadb).unwrap();
        assert_eq!((read.plugin.as_str(), read.capabilities & SSL), ("mysql_native_password", 0));
        assert_eq!(read.nonce, b"t6L\\j\"dSU14Oph9\"<H5n");
        for end in 0..mysql.len() - 30 {
            assert!(greeting(&mysql[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn a_proof_is_one_the_server_can_check() {
        let nonce = b"01234567890123456789";
        // The server knows the hash of the hash, and gets the hash out of the proof.
        let native = proof("mysql_native_password", b"secret", nonce).unwrap();
        let known = Sha1::digest(Sha1::digest(b"secret"));
        let seeded = Sha1::new().chain_update(nonce).chain_update(known).finalize();
        let hash: Vec<u8> = native.iter().zip(seeded).map(|(one, other)| one ^ other).collect();
        assert_eq!(Sha1::digest(&hash), known);
        let caching = proof("caching_sha2_password", b"secret", nonce).unwrap();
        let known = Sha256::digest(Sha256::digest(b"secret"));
        let seeded = Sha256::new().chain_update(known).chain_update(nonce).finalize();
        let hash: Vec<u8> = caching.iter().zip(seeded).map(|(one, other)| one ^ other).collect();
        assert_eq!(Sha256::digest(&hash), known);
        assert!(proof("caching_sha2_password", b"", nonce).unwrap().is_empty());
        assert!(matches!(proof("dialog", b"secret", nonce), Err(WireError::Unsupported(_))));
    }

    /// A server that says what it is told to, one packet after every one it gets.
    fn scripted(plugin: &str, says: Vec<Vec<u8>>) -> u16 {
        use std::io::{Read, Write};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut first = b"\n8.0.18\x00\x19\x00\x00\x00\x114aB0c\x06g\x00\xff\xf7\xff\x02\x00\xff\xc7\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00tL\x03s\x0f[4\rl4. \x00".to_vec();
        first.extend(plugin.as_bytes());
        first.push(0);
        std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            for packet in std::iter::once(first).chain(says) {
                let mut whole = vec![packet.len() as u8, 0, 0, 0];
                whole.extend(packet);
                // A client that has heard enough goes away.
                if socket.write_all(&whole).is_err() || socket.read(&mut [0; 4096]).unwrap_or(0) == 0 {
                    break;
                }
            }
        });
        port
    }

    #[tokio::test]
    async fn logins_of_other_servers_go_as_they_should() {
        let ok = || vec![0, 0, 0, 2, 0, 0, 0];
        let switch = |plugin: &str| [&[0xFE], plugin.as_bytes(), b"\x0001234567890123456789\x00"].concat();
        let told = |number: u16| [&[0xFF], number.to_le_bytes().as_slice(), b"#28000no"].concat();
        type Judge = fn(&Result<Wire, WireError>) -> bool;
        let cases: [(&str, Vec<Vec<u8>>, Judge); 8] = [
            ("caching_sha2_password", vec![ok(), ok(), ok()], |result| result.is_ok()),
            ("mysql_native_password", vec![ok(), ok(), ok()], |result| result.is_ok()),
            ("caching_sha2_password", vec![switch("mysql_native_password"), ok(), ok(), ok()], |result| result.is_ok()),
            ("caching_sha2_password", vec![vec![1, 4]], |result| matches!(result, Err(WireError::NotNow(_)))),
            ("caching_sha2_password", vec![switch("dialog")], |result| matches!(result, Err(WireError::Unsupported(_)))),
            ("gssapi", Vec::new(), |result| matches!(result, Err(WireError::Unsupported(_)))),
            ("caching_sha2_password", vec![told(1045)], |result| matches!(result, Err(WireError::Server { number: 1045, .. }))),
            ("caching_sha2_password", vec![ok(), told(1193)], |result| matches!(result, Err(WireError::Server { number: 1193, .. }))),
        ];
        for (number, (plugin, says, judge)) in cases.into_iter().enumerate() {
            let url = |tls: &str| {
                let port = scripted(plugin, says.clone());
                SourceUrl::parse(&format!("mysql://tester:secret@127.0.0.1:{port}/market?tls={tls}")).unwrap()
            };
            let result = log_in(&url("prefer")).await;
            assert!(judge(&result), "{number}: {:?}", result.err());
            // This server cannot encrypt.
            assert!(matches!(log_in(&url("require")).await, Err(WireError::Encryption(_))), "{number}");
        }
    }
}
