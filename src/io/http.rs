//! POSTs to one destination, one at a time, and single requests to other addresses ([`exchange`]).
//! The only module that names `ureq`.
//!
//! Guarantees, whatever the other side does:
//! - The whole exchange ends within its timeout: name lookup, connecting, sending, and reading the
//!   answer to its end.
//! - A transport failure is an [`Answer`]. Nothing that a server sends causes a panic or unbounded
//!   memory.
//! - Redirects are answers, and failures. A row is never sent to an address that nobody configured.
//!   So `http_proxy` and similar variables are ignored too.
//! - A connection that the server closed while idle costs no try. The request is sent once more on
//!   a fresh connection, if no byte of an answer had come. A receiver recognizes a repetition by
//!   its `webhook-id`.

mod once;
mod reach;
mod socket;
mod tls;

pub use self::once::exchange;

use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ureq::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ureq::http::{Request, Response, Uri};
use ureq::tls::TlsConfig;
use ureq::unversioned::transport::{Connector, RustlsConnector};
use ureq::{Agent, Body};

use crate::config::CallbackJob;
use crate::logic::callback::retry::{Answer, parse_retry_after};
use crate::logic::value::one_line::beginning_on_one_line;

/// The most that the header of an answer may have.
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// The most headers that `ureq` reads of an answer.
const HEADERS_MAX: usize = 128;

/// The most that is read of an answer's body: of a callback's only to keep the connection.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Buffers of one connection. A header must fit into the input, a single request header into the output.
const INPUT_BYTES: usize = 2 * HEADER_BYTES_MAX;
const OUTPUT_BYTES: usize = 64 * 1024;

/// How long an unused connection is kept. Common servers keep theirs for 5 to 75 seconds.
const IDLE_MAX: Duration = Duration::from_secs(15);

/// Who asks.
const USER_AGENT: &str = concat!("cupid/", env!("CARGO_PKG_VERSION"));

/// The longest reason in [`Answer::Broken`], in characters.
const REASON_CHARS_MAX: usize = 200;

const CUT_SHORT: &str = "The connection was closed before the answer was complete";

/// What one POST carries.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    /// The body's bytes, JSON.
    pub body: &'a [u8],
    /// Headers of this POST alone, in printable ASCII (`logic::callback::header`).
    pub headers: &'a [(&'a str, String)],
}

/// The client of one destination. Shared by its threads, with as many kept connections as requests may be under way.
pub struct Client {
    agent: Agent,
    uri: Uri,
    headers: HeaderMap,
    timeout: Duration,
}

impl Client {
    /// Prepares everything that is the same for each POST; connects to nothing.
    ///
    /// # Errors
    /// Says what cannot be used: the URL, or the name or the value of an extra header. Repeats no value.
    pub fn new(callback: &CallbackJob) -> Result<Self, String> {
        let uri: Uri = callback
            .url
            .parse()
            .map_err(|error| format!("The url of a callback cannot be used: {error}"))?;
        if !has_an_address(&uri) {
            return Err(
                "The url of a callback should begin with http:// or https://, a host and perhaps a port"
                    .to_owned(),
            );
        }
        Ok(Self {
            agent: agent(
                callback.timeout,
                callback.concurrency,
                tls::settings(&uri, callback.tls.as_ref())?,
            ),
            uri,
            headers: fixed_headers(&callback.headers)?,
            timeout: callback.timeout,
        })
    }

    /// Sends one POST and reads the answer to its end, within `timeout` (and never longer than the configured one).
    #[must_use]
    pub fn post(&self, post: &Post<'_>, timeout: Duration) -> Answer {
        let timeout = timeout.min(self.timeout);
        if timeout.is_zero() {
            return Answer::TimedOut;
        }
        let started = Instant::now();
        let result = match self.send(post, timeout, IDLE_MAX) {
            Err(error) if socket::was_stale(&error) => {
                let left = timeout.saturating_sub(started.elapsed());
                self.send(post, left, Duration::ZERO)
            }
            result => result,
        };
        match result.and_then(drained) {
            Ok(answer) => answer,
            Err(error) => failure(&error),
        }
    }

    /// `idle_max` is the age up to which a kept connection is used; zero asks for a fresh one.
    fn send(
        &self,
        post: &Post<'_>,
        timeout: Duration,
        idle_max: Duration,
    ) -> Result<Response<Body>, ureq::Error> {
        let mut request = Request::post(self.uri.clone()).body(post.body)?;
        let mut headers = self.headers.clone();
        for (name, value) in post.headers {
            headers.insert(
                HeaderName::from_bytes(name.as_bytes()).map_err(ureq::http::Error::from)?,
                HeaderValue::from_str(value).map_err(ureq::http::Error::from)?,
            );
        }
        *request.headers_mut() = headers;
        // Settings of one request are a copy of all settings, so the usual case goes without.
        if timeout < self.timeout || idle_max < IDLE_MAX {
            request = self
                .agent
                .configure_request(request)
                .timeout_global(Some(timeout))
                .max_idle_age(idle_max)
                .build();
        }
        self.agent.run(request)
    }
}

/// A client of one host that waits so long for each exchange and keeps so many connections.
fn agent(timeout: Duration, connections: usize, tls: TlsConfig) -> Agent {
    let config = Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(timeout))
        .max_redirects(0)
        .http_status_as_error(false)
        .proxy(None)
        .accept_encoding("identity")
        .max_response_header_size(HEADER_BYTES_MAX)
        .input_buffer_size(INPUT_BYTES)
        .output_buffer_size(OUTPUT_BYTES)
        .max_idle_connections(connections)
        .max_idle_connections_per_host(connections)
        .max_idle_age(IDLE_MAX)
        .build();
    let connector = connector();
    Agent::with_parts(config, connector, socket::CachingResolver::default())
}

/// TCP, and TLS for https.
fn connector() -> impl Connector {
    ().chain(socket::SocketConnector)
        .chain(RustlsConnector::default())
}

/// A port that is no number below 65,536 would else silently become the scheme's own.
fn has_an_address(uri: &Uri) -> bool {
    let (Some("http" | "https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return false;
    };
    let (_user, address) = authority
        .as_str()
        .rsplit_once('@')
        .unwrap_or(("", authority.as_str()));
    let host = authority.host();
    !host.is_empty() && (address == host || authority.port_u16().is_some())
}

fn fixed_headers(extra: &[(String, String)]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    for (name, value) in extra {
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| format!("The header name {name:?} of a callback cannot be used"))?;
        let value = HeaderValue::from_str(value).map_err(|_| {
            format!(
                "The value of a callback's header {name:?} has a character that no header may have"
            )
        })?;
        headers.insert(header, value);
    }
    Ok(headers)
}

/// Reads the body, so that the connection can be used again; past the limit the connection is dropped instead.
fn drained(response: Response<Body>) -> Result<Answer, ureq::Error> {
    let code = response.status().as_u16();
    let retry_after = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| parse_retry_after(value, now_epoch_s()));
    let mut reader = response.into_body().into_reader();
    let mut scrap = [0; 8 * 1024];
    let mut read = 0;
    while read < BODY_BYTES_MAX {
        match reader.read(&mut scrap)? {
            0 => break,
            amount => read += amount,
        }
    }
    Ok(Answer::Status { code, retry_after })
}

fn now_epoch_s() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        })
}

/// What a failed exchange comes to. The server's own words are left out: they may repeat secrets or be anything at all.
fn failure(error: &ureq::Error) -> Answer {
    use ureq::Error;
    let reason = match error {
        Error::Timeout(_) => return Answer::TimedOut,
        error if socket::was_stale(error) => {
            "The connection was closed before an answer".to_owned()
        }
        Error::Io(error) => match error.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => return Answer::TimedOut,
            ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe => CUT_SHORT.to_owned(),
            ErrorKind::ConnectionRefused => "The connection was refused".to_owned(),
            _ => printable(&error.to_string()),
        },
        Error::BodyStalled => CUT_SHORT.to_owned(),
        Error::HostNotFound => "The host of the url was not found".to_owned(),
        Error::ConnectionFailed => "No connection came about".to_owned(),
        Error::Tls(reason) => printable(&format!("TLS: {reason}")),
        Error::Rustls(error) => printable(&format!("TLS: {error}")),
        Error::LargeResponseHeader(..) => {
            format!("The header of the answer is larger than {HEADER_BYTES_MAX} bytes")
        }
        // `ureq` does not give the name of this error away; a test holds its words.
        Error::Protocol(cause) if cause.to_string().contains("too many headers") => {
            format!("The answer has more than {HEADERS_MAX} headers")
        }
        Error::Protocol(_) => "The answer is not valid HTTP/1.1".to_owned(),
        Error::Http(_) => "The request could not be built".to_owned(),
        _ => "The exchange failed".to_owned(),
    };
    Answer::Broken(reason)
}

fn printable(text: &str) -> String {
    beginning_on_one_line(text, REASON_CHARS_MAX)
}

#[cfg(test)]
mod tests;
