//! Real sockets: each test has its own listener that behaves in one way.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::*;
use crate::logic::callback::retry::RetryPolicy;

mod hostile;

const LONG: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(300);

fn job(url: String) -> CallbackJob {
    CallbackJob {
        url,
        secrets: vec![],
        tls: None,
        headers: vec![("Authorization".to_owned(), "Bearer 1".to_owned())],
        timeout: LONG,
        policy: RetryPolicy::new(SHORT, std::num::NonZeroU32::MIN),
        concurrency: 8,
        numbers_as_strings: false,
        verify: Duration::ZERO,
    }
}

fn client(address: SocketAddr) -> Client {
    Client::new(&job(format!("http://{address}/hook?token=SECRET"))).unwrap()
}

fn post(client: &Client, timeout: Duration) -> Answer {
    let post = Post {
        body: br#"{"type":1,"srcColumn":{"id":1}}"#,
        headers: &[("webhook-id", "cupid-1".to_owned())],
    };
    client.post(&post, timeout)
}

fn status(code: u16) -> Answer {
    Answer::Status {
        code,
        retry_after: None,
    }
}

/// Each connection in a thread of its own; counts them.
fn serve(handle: impl Fn(TcpStream) + Send + Sync + 'static) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    let handle = Arc::new(handle);
    thread::spawn(move || {
        for stream in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
            let handle = Arc::clone(&handle);
            thread::spawn(move || handle(stream.unwrap()));
        }
    });
    (address, accepted)
}

/// Reads one request: its head and its body. `None` at the end of the connection.
fn request(stream: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// Answers every request of a connection with the same bytes, and keeps it open.
fn always(answer: impl Into<Vec<u8>>) -> (SocketAddr, Arc<AtomicUsize>) {
    let answer = answer.into();
    serve(move |mut stream| {
        while request(&stream).is_some() {
            if stream.write_all(&answer).is_err() {
                break;
            }
        }
    })
}

/// Answers one request of a connection with the same bytes, and closes it.
fn once(answer: impl Into<Vec<u8>>) -> (SocketAddr, Arc<AtomicUsize>) {
    let answer = answer.into();
    serve(move |mut stream| {
        request(&stream);
        stream.write_all(&answer).ok();
        stream.shutdown(Shutdown::Write).ok();
        // Until the client is done with it: otherwise a reset could overtake the answer.
        stream.read_to_end(&mut Vec::new()).ok();
    })
}

fn assert_broken(answer: &Answer) {
    let Answer::Broken(reason) = answer else {
        panic!("{answer:?}");
    };
    assert!(reason.len() <= 200, "{reason}");
    for secret in ["SECRET", "token", "Bearer", "cupid-1", "srcColumn"] {
        assert!(!reason.contains(secret), "{reason}");
    }
}

#[test]
fn each_status_is_an_answer() {
    for code in [
        200, 201, 204, 300, 304, 400, 404, 410, 429, 500, 503, 599, 999,
    ] {
        let body = if code == 204 || code == 304 {
            ""
        } else {
            "Content-Length: 2\r\n"
        };
        let text = if body.is_empty() { "" } else { "ok" };
        let (address, accepted) = always(format!("HTTP/1.1 {code} Words\r\n{body}\r\n{text}"));
        let client = client(address);
        for _ in 0..3 {
            assert_eq!(post(&client, LONG), status(code));
        }
        assert_eq!(accepted.load(Ordering::SeqCst), 1, "status {code}");
    }
}

#[test]
fn what_is_sent_is_the_body_and_the_headers_in_one_piece() {
    let (sender, arrived) = std::sync::mpsc::channel();
    let (address, _) = serve(move |mut stream| {
        let mut bytes = vec![0; 64 * 1024];
        let amount = stream.read(&mut bytes).unwrap();
        bytes.truncate(amount);
        sender.send(String::from_utf8(bytes).unwrap()).unwrap();
        stream
            .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
            .unwrap();
    });
    let sent = Post {
        body: r#"{"name":"小明"}"#.as_bytes(),
        headers: &[(
            "Cupid-Columns",
            "name,%E4%BB%B7%E6%A0%BC,100%25%0A".to_owned(),
        )],
    };
    assert_eq!(client(address).post(&sent, LONG), status(204));
    let received = arrived.recv().unwrap();
    let (head, body) = received.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, r#"{"name":"小明"}"#);
    let mut lines: Vec<_> = head.lines().collect();
    lines[1..].sort_unstable();
    assert_eq!(
        lines,
        [
            "POST /hook?token=SECRET HTTP/1.1",
            "accept-encoding: identity",
            "accept: */*",
            "authorization: Bearer 1",
            "content-length: 17",
            "content-type: application/json",
            "cupid-columns: name,%E4%BB%B7%E6%A0%BC,100%25%0A",
            &format!("host: {address}"),
            concat!("user-agent: cupid/", env!("CARGO_PKG_VERSION")),
        ]
    );
}

#[test]
fn a_body_larger_than_all_buffers_arrives_whole() {
    let (sender, arrived) = std::sync::mpsc::channel();
    let (address, _) = serve(move |mut stream| {
        while let Some((_, body)) = request(&stream) {
            sender.send(body).unwrap();
            stream
                .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
                .unwrap();
        }
    });
    let client = client(address);
    for length in [0, 1, 32_000, 32_768, 65_535, 65_536, 131_072, 5_000_000_u32] {
        let body: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        let post = Post {
            body: &body,
            headers: &[],
        };
        assert_eq!(client.post(&post, LONG), status(204));
        assert!(arrived.recv().unwrap() == body, "{length} bytes");
    }
}

#[test]
fn a_connection_is_used_again() {
    for answer in [
        "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n1\r\n!\r\n0\r\n\r\n".to_owned(),
        format!("HTTP/1.1 500 Oh\r\nContent-Length: 60000\r\n\r\n{}", "x".repeat(60_000)),
        "HTTP/1.1 301 Away\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\nno".to_owned(),
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned(),
    ] {
        let (address, accepted) = always(answer.clone());
        let client = client(address);
        for _ in 0..100 {
            assert!(matches!(post(&client, LONG), Answer::Status { .. }), "{answer}");
        }
        assert_eq!(accepted.load(Ordering::SeqCst), 1, "{answer}");
    }
}

#[test]
fn a_shorter_timeout_uses_the_kept_connection_too() {
    let (address, accepted) = always("HTTP/1.1 204 No Content\r\n\r\n");
    let client = client(address);
    for timeout in [LONG, SHORT, LONG, 2 * LONG] {
        assert_eq!(post(&client, timeout), status(204));
    }
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
    assert_eq!(post(&client, Duration::ZERO), Answer::TimedOut);
}

#[test]
fn threads_share_a_client() {
    let (address, accepted) = always("HTTP/1.1 204 No Content\r\n\r\n");
    let client = client(address);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..100 {
                    assert_eq!(post(&client, LONG), status(204));
                }
            });
        }
    });
    assert!(accepted.load(Ordering::SeqCst) <= 8);
}

#[test]
fn a_redirect_is_not_followed() {
    let (target, contacted) = always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    for code in [301, 302, 303, 307, 308] {
        let (address, _) = always(format!(
            "HTTP/1.1 {code} Away\r\nLocation: http://{target}/\r\nContent-Length: 0\r\n\r\n"
        ));
        assert_eq!(post(&client(address), LONG), status(code));
    }
    assert_eq!(contacted.load(Ordering::SeqCst), 0);
}

#[test]
fn retry_after_comes_with_the_answer() {
    for (value, expected_s) in [
        ("7", Some(7)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
        ("soon", None),
    ] {
        let (address, _) = always(format!(
            "HTTP/1.1 429 Slow\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n"
        ));
        let expected = Answer::Status {
            code: 429,
            retry_after: expected_s.map(Duration::from_secs),
        };
        assert_eq!(post(&client(address), LONG), expected);
    }
}

#[test]
fn an_answer_that_ends_with_the_connection_is_complete() {
    let (address, accepted) = once("HTTP/1.0 200 OK\r\n\r\nall of it");
    let client = client(address);
    for _ in 0..3 {
        assert_eq!(post(&client, LONG), status(200));
    }
    assert_eq!(accepted.load(Ordering::SeqCst), 3);
}

#[test]
fn a_closed_port_is_broken() {
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    assert_broken(&post(&client(address), LONG));
}

#[test]
fn a_host_without_address_is_broken() {
    let client = Client::new(&job("http://cupid-test.invalid/?SECRET".to_owned())).unwrap();
    assert!(matches!(
        post(&client, LONG),
        Answer::Broken(_) | Answer::TimedOut
    ));
}

#[test]
fn a_name_with_several_addresses_is_tried_until_one_takes_it() {
    let (address, accepted) = always("HTTP/1.1 204 No Content\r\n\r\n");
    let client = Client::new(&job(format!("http://localhost:{}/", address.port()))).unwrap();
    for _ in 0..3 {
        assert_eq!(post(&client, LONG), status(204));
    }
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
}

/// The server says keep-alive and closes all the same: before the next request, and at the moment it arrives.
#[test]
fn a_connection_closed_between_two_requests_costs_no_try() {
    for in_the_moment in [false, true] {
        let (address, accepted) = serve(move |mut stream| {
            request(&stream);
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                .unwrap();
            if in_the_moment {
                // The next request's first byte is here, the rest is not read.
                stream.read_exact(&mut [0]).ok();
            }
        });
        let client = client(address);
        for number in 1..=20 {
            assert_eq!(post(&client, LONG), status(200), "request {number}");
            if !in_the_moment {
                thread::sleep(Duration::from_millis(number % 3));
            }
        }
        assert_eq!(accepted.load(Ordering::SeqCst), 20);
    }
}

#[test]
fn a_callback_that_cannot_work_is_refused_without_repeating_it() {
    for url in [
        "",
        "/hook",
        "ftp://host/SECRET",
        "http://",
        "http://a b/SECRET",
        "http://host:99999/SECRET",
    ] {
        let Err(reason) = Client::new(&job(url.to_owned())) else {
            panic!("{url} was accepted");
        };
        assert!(!reason.contains("SECRET"), "{reason}");
    }
    for (name, value) in [
        ("a b", "SECRET"),
        ("", "SECRET"),
        ("x", "SECRET\n"),
        ("x", "SECRET\0"),
    ] {
        let mut job = job("http://host/".to_owned());
        job.headers.push((name.to_owned(), value.to_owned()));
        let Err(reason) = Client::new(&job) else {
            panic!("{name}: {value} was accepted");
        };
        assert!(!reason.contains("SECRET"), "{reason}");
    }
}
