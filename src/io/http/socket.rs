//! The TCP part of a POST, in place of `ureq`'s own, for three reasons:
//! - `ureq` gives each single write the whole timeout, so a receiver that reads slowly could hold a request for long.
//!   Here the time that is left counts down over all reads and writes.
//! - `ureq` starts a thread to look the host up for each request, also on a kept connection, and sends header and body in
//!   two packets. Here a name is remembered for some seconds, and a small request is one write.
//! - `ureq` does not tell a connection that the server closed between two requests from one that broke in the middle.

use std::io::{ErrorKind, Read, Write};

use crate::locks::locked;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

/// How long a looked-up name is used for new connections.
const NAME_AGE_MAX: Duration = Duration::from_secs(10);

/// A kept connection turned out to be closed before anything of an answer came.
#[derive(Debug)]
struct Stale;

impl std::fmt::Display for Stale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("The kept connection was closed")
    }
}

impl std::error::Error for Stale {}

/// True when the request failed only because its kept connection was closed before.
pub(super) fn was_stale(error: &Error) -> bool {
    matches!(error, Error::Other(cause) if cause.is::<Stale>())
}

/// Remembers the addresses of its only host for [`NAME_AGE_MAX`].
#[derive(Debug, Default)]
pub(super) struct CachingResolver {
    resolver: DefaultResolver,
    known: Mutex<Option<(Instant, Vec<SocketAddr>)>>,
}

impl Resolver for CachingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let known = locked(&self.known).clone();
        let addresses = match known {
            Some((since, addresses)) if since.elapsed() < NAME_AGE_MAX => addresses,
            // Not under the lock: a slow name server must hold up each request for its own timeout only.
            _ => {
                let addresses = self.look_up(uri, config, timeout)?;
                *locked(&self.known) = Some((Instant::now(), addresses.clone()));
                addresses
            }
        };
        let mut resolved = self.empty();
        for address in addresses {
            resolved.push(address);
        }
        Ok(resolved)
    }
}

impl CachingResolver {
    fn look_up(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<Vec<SocketAddr>, Error> {
        let port = uri.port_u16().unwrap_or(match uri.scheme_str() {
            Some("https") => 443,
            _ => 80,
        });
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        Ok(self.resolver.resolve(uri, config, timeout)?.to_vec())
    }
}

/// Opens [`Socket`]s.
#[derive(Debug)]
pub(super) struct SocketConnector;

impl Connector for SocketConnector {
    type Out = Socket;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _chained: Option<()>,
    ) -> Result<Option<Socket>, Error> {
        let started = Instant::now();
        let mut failure = Error::HostNotFound;
        for (index, address) in details.addrs.iter().enumerate() {
            let left = details.timeout.after.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(Error::Timeout(details.timeout.reason));
            }
            // An address that swallows packets leaves half of the time to the next ones.
            let is_last = index + 1 == details.addrs.len();
            let share = if is_last { left } else { left / 2 };
            match TcpStream::connect_timeout(address, share) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(Some(Socket::new(stream, details.config)));
                }
                Err(error) if error.kind() == ErrorKind::TimedOut => {
                    failure = Error::Timeout(details.timeout.reason);
                }
                Err(error) => failure = Error::Io(error),
            }
        }
        Err(failure)
    }
}

/// One TCP connection.
#[derive(Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is learnt from another event"
)]
pub(super) struct Socket {
    stream: TcpStream,
    buffers: Outbox,
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
    /// In use for a later request than its first.
    reused: bool,
    /// Bytes came since the request began.
    answering: bool,
    /// Between two requests.
    resting: bool,
    /// The other side has answered and takes no more of the request.
    is_refused: bool,
}

impl Socket {
    fn new(stream: TcpStream, config: &Config) -> Self {
        Self {
            stream,
            buffers: Outbox {
                inner: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
                pending: 0,
            },
            read_timeout: None,
            write_timeout: None,
            reused: false,
            answering: false,
            resting: false,
            is_refused: false,
        }
    }

    fn flush(&mut self, timeout: NextTimeout) -> Result<(), Error> {
        let started = Instant::now();
        let pending = std::mem::take(&mut self.buffers.pending);
        let mut sent = 0;
        while sent < pending && !self.is_refused {
            let left = remaining(timeout, started)?;
            if self.write_timeout != Some(left) {
                self.stream.set_write_timeout(Some(left))?;
                self.write_timeout = Some(left);
            }
            match self
                .stream
                .write(&self.buffers.inner.output()[sent..pending])
            {
                Ok(0) => return Err(self.closed(ErrorKind::WriteZero.into())),
                Ok(amount) => sent += amount,
                // A receiver that refuses a body may say so and close before it has read it.
                Err(_) if self.has_answer() => self.is_refused = true,
                Err(error) => self.judge(error)?,
            }
        }
        Ok(())
    }

    /// Bytes are there to be read.
    fn has_answer(&self) -> bool {
        let mut byte = [0];
        let is_there = self.stream.set_nonblocking(true).is_ok()
            && self.stream.peek(&mut byte).is_ok_and(|amount| amount > 0);
        is_there & self.stream.set_nonblocking(false).is_ok()
    }

    /// Passes over what only means "ask again"; the loop around it looks at the clock.
    fn judge(&self, error: std::io::Error) -> Result<(), Error> {
        match error.kind() {
            ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut => Ok(()),
            _ => Err(self.closed(error)),
        }
    }

    fn closed(&self, error: std::io::Error) -> Error {
        if self.reused && !self.answering {
            Error::Other(Box::new(Stale))
        } else {
            Error::Io(error)
        }
    }
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.resting = false;
        self.buffers.pending += amount;
        if self.buffers.is_crowded() {
            self.flush(timeout)?;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.resting = false;
        self.flush(timeout)?;
        let started = Instant::now();
        loop {
            let left = remaining(timeout, started)?;
            if self.read_timeout != Some(left) {
                self.stream.set_read_timeout(Some(left))?;
                self.read_timeout = Some(left);
            }
            match self.stream.read(self.buffers.inner.input_append_buf()) {
                Ok(0) if self.reused && !self.answering => {
                    return Err(Error::Other(Box::new(Stale)));
                }
                Ok(amount) => {
                    self.answering |= amount > 0;
                    self.buffers.inner.input_appended(amount);
                    return Ok(amount > 0);
                }
                Err(error) => self.judge(error)?,
            }
        }
    }

    /// Asked twice: when a connection is put aside, and when it is taken out again. Only the second answer costs a look.
    fn is_open(&mut self) -> bool {
        self.reused = true;
        self.answering = false;
        if self.is_refused {
            return false;
        }
        if !std::mem::replace(&mut self.resting, true) {
            return true;
        }
        // Nothing should be there to read: neither an end nor bytes that nobody asked for.
        let mut byte = [0];
        self.stream.set_nonblocking(true).is_ok()
            && matches!(self.stream.peek(&mut byte), Err(error) if error.kind() == ErrorKind::WouldBlock)
            && self.stream.set_nonblocking(false).is_ok()
    }
}

/// What is left of a timeout, in steps of about 3 %, so that the system is not told a new one for each read.
fn remaining(timeout: NextTimeout, started: Instant) -> Result<Duration, Error> {
    const SECONDS_MAX: u64 = 24 * 3600;
    let left = timeout.after.saturating_sub(started.elapsed());
    if left.is_zero() {
        return Err(Error::Timeout(timeout.reason));
    }
    let left_ms = left.min(Duration::from_secs(SECONDS_MAX)).as_millis();
    // At most a day: fits. A step is 1/64 to 1/32 of what is left, and at least 1 ms.
    let left_ms = u64::try_from(left_ms).unwrap_or(u64::MAX / 2);
    let step_ms = ((left_ms + 1).next_power_of_two() / 64).max(1);
    Ok(Duration::from_millis((left_ms / step_ms + 1) * step_ms))
}

/// Buffers that collect what is to be sent until an answer is awaited or half of the room is taken.
#[derive(Debug)]
struct Outbox {
    inner: LazyBuffers,
    pending: usize,
}

impl Outbox {
    fn is_crowded(&mut self) -> bool {
        self.pending > self.inner.output().len() / 2
    }
}

impl Buffers for Outbox {
    fn output(&mut self) -> &mut [u8] {
        &mut self.inner.output()[self.pending..]
    }

    fn input(&self) -> &[u8] {
        self.inner.input()
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.inner.input_append_buf()
    }

    fn input_appended(&mut self, amount: usize) {
        self.inner.input_appended(amount);
    }

    fn input_consume(&mut self, amount: usize) {
        self.inner.input_consume(amount);
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        let (tmp, output) = self.inner.tmp_and_output();
        (tmp, &mut output[self.pending..])
    }

    fn can_use_input(&self) -> bool {
        self.inner.can_use_input()
    }
}
