//! One request to an address that is asked now and then: a robot's, a heartbeat's.
//!
//! The guarantees of [`super`] hold here too. The beginning of the answer's body is kept, because
//! robots put their error codes there.

use std::io::Read as _;
use std::time::Duration;

use ureq::http::{HeaderName, HeaderValue, Request, header};
use ureq::{AsSendBody, Body, http::Response};

use super::{BODY_BYTES_MAX, USER_AGENT, agent, failure, tls};
use crate::logic::callback::retry;
use crate::logic::notify::{Answer, HttpRequest, Method};

/// Sends it once, and reads the answer to its end or to its first 64 KiB, within `timeout`.
#[must_use]
pub fn exchange(request: &HttpRequest, timeout: Duration) -> Answer {
    let response = match request.method {
        Method::Get => run("GET", request, (), timeout),
        Method::Post => run("POST", request, request.body.as_bytes(), timeout),
    };
    response
        .and_then(read)
        .unwrap_or_else(|error| match failure(&error) {
            retry::Answer::Broken(reason) => Answer::Broken(reason),
            _ => Answer::TimedOut,
        })
}

fn run(
    method: &str,
    request: &HttpRequest,
    body: impl AsSendBody,
    timeout: Duration,
) -> Result<Response<Body>, ureq::Error> {
    let mut built = Request::builder()
        .method(method)
        .uri(&request.url)
        .body(body)?;
    let headers = built.headers_mut();
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    for (name, value) in &request.headers {
        let value = HeaderValue::from_str(value).map_err(ureq::http::Error::from)?;
        headers.insert(HeaderName::from_static(name), value);
    }
    let tls = tls::by_system(built.uri());
    agent(timeout, 1, tls).run(built)
}

fn read(response: Response<Body>) -> Result<Answer, ureq::Error> {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    let reader = response.into_body().into_reader();
    reader.take(BODY_BYTES_MAX as u64).read_to_end(&mut body)?;
    Ok(Answer::Http { status, body })
}
