//! Whether an account logs in by `ed25519`.
//!
//! The client library takes a zero at the end of a salt for the end of a text. So it answers one
//! salt of 256 wrongly, and the server refuses a right password. Only such an account gets a second
//! log-in, because each further one may lock an account. MariaDB names the plugin of an account
//! before it wants an answer. So it is asked by the account's name, without a password. That
//! connection ends before the log-in, and does not count as a refused one.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::config::{Address, Server};

/// A greeting or a request for a plugin is shorter.
const PACKET_BYTES_MAX: usize = 4096;
/// `LONG_PASSWORD`, `PROTOCOL_41`, `SECURE_CONNECTION` and `PLUGIN_AUTH`.
const CAPABILITIES: u32 = 0x1 | 0x200 | 0x8000 | 0x0008_0000;
const UTF8MB4_GENERAL_CI: u8 = 45;
/// What no account has, so that every server answers with the name of the account's own plugin.
const NO_PLUGIN: &[u8] = b"cupid_asks_for_the_plugin\0";
const WANTED: &[u8] = b"\xfeclient_ed25519\0";

/// False where the server does not say so in time.
pub(super) fn is_asked_for(server: &Server, limit: Duration) -> bool {
    ask(server, limit).unwrap_or(false)
}

fn ask(server: &Server, limit: Duration) -> Result<bool> {
    match &server.address {
        Address::Tcp(host, port) => {
            let address = (host.as_str(), *port).to_socket_addrs()?.next();
            let address = address.ok_or(ErrorKind::NotFound)?;
            let stream = TcpStream::connect_timeout(&address, limit)?;
            stream.set_read_timeout(Some(limit))?;
            stream.set_write_timeout(Some(limit))?;
            exchange(server, stream)
        }
        Address::Socket(path) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(limit))?;
            stream.set_write_timeout(Some(limit))?;
            exchange(server, stream)
        }
    }
}

/// Over TLS the name of an account does not go out in clear: there, any account of MariaDB may be one.
fn exchange(server: &Server, mut stream: impl Read + Write) -> Result<bool> {
    if !is_mariadb(&packet(&mut stream)?) {
        return Ok(false);
    }
    if server.tls.is_some() {
        return Ok(true);
    }
    stream.write_all(&question(&server.user))?;
    Ok(packet(&mut stream)?.starts_with(WANTED))
}

/// A greeting is the protocol's version 10 and the server's version as text.
fn is_mariadb(greeting: &[u8]) -> bool {
    let [10, rest @ ..] = greeting else {
        return false;
    };
    let version = rest.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(version).contains("MariaDB")
}

/// A handshake response of protocol 4.1 without an answer to the salt, as the second packet.
fn question(user: &str) -> Vec<u8> {
    let mut payload = CAPABILITIES.to_le_bytes().to_vec();
    payload.extend_from_slice(&(1_u32 << 24).to_le_bytes());
    payload.push(UTF8MB4_GENERAL_CI);
    payload.extend_from_slice(&[0; 23]);
    payload.extend_from_slice(user.as_bytes());
    payload.extend_from_slice(&[0, 0]);
    payload.extend_from_slice(NO_PLUGIN);
    let [low, middle, high, ..] = payload.len().to_le_bytes();
    let mut packet = vec![low, middle, high, 1];
    packet.append(&mut payload);
    packet
}

fn packet(stream: &mut impl Read) -> Result<Vec<u8>> {
    let mut head = [0; 4];
    stream.read_exact(&mut head)?;
    let [low, middle, high, _number] = head;
    let length = usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16;
    if length > PACKET_BYTES_MAX {
        return Err(Error::from(ErrorKind::InvalidData));
    }
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload)?;
    Ok(payload)
}
