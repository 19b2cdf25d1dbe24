//! The callback client against a receiver that answers anything at all: an answer is a status that was really sent or a
//! short reason, in time.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use cupid::io::http::{Client, Post};
use cupid::logic::callback::retry::Answer;

use super::values;

const BODY: &[u8] = br#"{"type":1,"srcColumn":{"id":1}}"#;

pub(super) fn run(data: &[u8]) {
    static RECEIVER: OnceLock<(String, Sender<Vec<u8>>)> = OnceLock::new();
    let (url, answers) = RECEIVER.get_or_init(receiver);
    answers.send(data.to_vec()).expect("the receiver lives");
    let client = Client::new(&values::callback(url)).expect("the address is one");
    let header = ("webhook-id", "msg_1".to_owned());
    let answer = client.post(
        &Post {
            body: BODY,
            headers: &[header],
        },
        Duration::from_secs(60),
    );
    match answer {
        Answer::Status { code, .. } => {
            let sent = [format!("HTTP/1.1 {code}"), format!("HTTP/1.0 {code}")];
            assert!(
                sent.iter().any(|line| contains(data, line.as_bytes())),
                "nobody sent the status {code}"
            );
            assert!(
                contains(data, b"\n\r\n") || contains(data, b"\n\n"),
                "status {code} of half a header"
            );
        }
        Answer::Broken(reason) => {
            assert!(
                !reason.is_empty()
                    && reason.chars().count() <= 200
                    && !reason.contains(char::is_control),
                "{reason:?}"
            );
        }
        Answer::TimedOut => panic!("the receiver closed the connection, that is no timeout"),
    }
}

fn contains(data: &[u8], part: &[u8]) -> bool {
    data.windows(part.len()).any(|window| window == part)
}

/// Gives each connection the next answer, and closes it.
fn receiver() -> (String, Sender<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!(
        "http://{}/",
        listener.local_addr().expect("it has an address")
    );
    let (answers, next) = channel::<Vec<u8>>();
    std::thread::spawn(move || {
        for (stream, answer) in listener.incoming().zip(next) {
            let mut stream = stream.expect("a connection comes in");
            let mut request = Vec::new();
            let mut part = [0; 4096];
            while !request.ends_with(BODY) {
                match stream.read(&mut part) {
                    Ok(amount @ 1..) => request.extend_from_slice(&part[..amount]),
                    _ => break,
                }
            }
            // The client may have gone after the first bytes.
            let _ = stream
                .write_all(&answer)
                .and_then(|()| stream.shutdown(Shutdown::Write));
            while matches!(stream.read(&mut part), Ok(1..)) {}
        }
    });
    (url, answers)
}
