//! A real HTTP/1.1 server that records callbacks and answers, or misbehaves, as a test tells it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// What the receiver does with one request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// This status, these headers, an empty body.
    Status(u16, Vec<(&'static str, String)>),
    /// Reads the request and never answers.
    Hang,
    /// Closes the connection in the middle of the status line.
    CloseHalfWay,
    /// Status 200 with a body that never ends.
    EndlessBody,
    /// Answers 200 after this long.
    Late(Duration),
}

impl Answer {
    /// A plain 200.
    pub(crate) fn ok() -> Self {
        Self::Status(200, Vec::new())
    }

    /// This status without headers.
    pub(crate) fn status(status: u16) -> Self {
        Self::Status(status, Vec::new())
    }
}

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Callback {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) text: String,
    pub(crate) body: Value,
    pub(crate) at: Instant,
    pub(crate) answered: Option<u16>,
}

impl Callback {
    /// A header that must be there; the name in lower case.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("The callback has no header {name}: {:?}", self.headers))
    }

    /// `type`: 1 missing, 2 different.
    pub(crate) fn kind(&self) -> u64 {
        self.body["type"].as_u64().expect("type is a number")
    }

    /// `srcColumn.id`.
    pub(crate) fn id(&self) -> u64 {
        self.body["srcColumn"]["id"]
            .as_u64()
            .unwrap_or_else(|| panic!("srcColumn.id is no number: {}", self.text))
    }

    /// `srcColumn.<column>` as text.
    pub(crate) fn text_of(&self, column: &str) -> &str {
        self.body["srcColumn"][column]
            .as_str()
            .unwrap_or_else(|| panic!("srcColumn.{column} is no text: {}", self.text))
    }

    /// Whether the receiver said 2xx.
    pub(crate) fn delivered(&self) -> bool {
        self.answered
            .is_some_and(|status| (200..300).contains(&status))
    }
}

type Behaviour = Arc<dyn Fn(&Callback) -> Answer + Send + Sync>;

struct Shared {
    behaviour: Mutex<Behaviour>,
    callbacks: Mutex<Vec<Callback>>,
    /// The open ones, numbered.
    connections: Mutex<BTreeMap<u64, TcpStream>>,
    accepted: AtomicU64,
    stopping: AtomicBool,
}

/// The receiver; it stops when dropped.
pub(crate) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Mutex<Option<JoinHandle<()>>>,
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Receiver {
    /// Listens on a free port and answers 200.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("Listen on a free port");
        let receiver = Self {
            address: listener.local_addr().expect("Ask for the port"),
            shared: Arc::new(Shared {
                behaviour: Mutex::new(Arc::new(|_| Answer::ok())),
                callbacks: Mutex::new(Vec::new()),
                connections: Mutex::new(BTreeMap::new()),
                accepted: AtomicU64::new(0),
                stopping: AtomicBool::new(false),
            }),
            acceptor: Mutex::new(None),
        };
        receiver.accept(listener);
        receiver
    }

    /// Where to POST.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/callback", self.address)
    }

    /// From now on every request is answered by this.
    pub(crate) fn answer(&self, behaviour: impl Fn(&Callback) -> Answer + Send + Sync + 'static) {
        *lock(&self.shared.behaviour) = Arc::new(behaviour);
    }

    /// All requests so far, in the order of their arrival.
    pub(crate) fn callbacks(&self) -> Vec<Callback> {
        lock(&self.shared.callbacks).clone()
    }

    /// How many requests came.
    pub(crate) fn count(&self) -> usize {
        lock(&self.shared.callbacks).len()
    }

    /// Forgets what came so far, and returns it.
    pub(crate) fn take(&self) -> Vec<Callback> {
        std::mem::take(&mut *lock(&self.shared.callbacks))
    }

    /// Source ids of all requests, sorted, repeated ones as often as they came.
    pub(crate) fn ids(&self) -> Vec<u64> {
        let mut ids: Vec<u64> = lock(&self.shared.callbacks)
            .iter()
            .map(Callback::id)
            .collect();
        ids.sort_unstable();
        ids
    }

    /// Source ids that were answered 2xx, sorted, each once.
    pub(crate) fn delivered_ids(&self) -> Vec<u64> {
        let callbacks = lock(&self.shared.callbacks);
        let mut ids: Vec<u64> = callbacks
            .iter()
            .filter(|c| c.delivered())
            .map(Callback::id)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Refuses connections until [`Receiver::restart`].
    pub(crate) fn stop(&self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address); // wakes the acceptor
        if let Some(acceptor) = lock(&self.acceptor).take() {
            acceptor.join().expect("The acceptor ends");
        }
        for connection in lock(&self.shared.connections).values() {
            let _ = connection.shutdown(Shutdown::Both); // Then its thread ends, and forgets it.
        }
    }

    /// Listens again on the same port.
    pub(crate) fn restart(&self) {
        self.shared.stopping.store(false, Ordering::SeqCst);
        self.accept(TcpListener::bind(self.address).expect("Listen on the same port again"));
    }

    fn accept(&self, listener: TcpListener) {
        let shared = Arc::clone(&self.shared);
        let acceptor = std::thread::spawn(move || {
            for connection in listener.incoming() {
                if shared.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(connection) = connection else { continue };
                let number = shared.accepted.fetch_add(1, Ordering::Relaxed);
                if let Ok(clone) = connection.try_clone() {
                    lock(&shared.connections).insert(number, clone);
                }
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    // A broken connection is the client's affair (kill -9, timeout).
                    let _ = serve(&shared, connection);
                    lock(&shared.connections).remove(&number);
                });
            }
        });
        *lock(&self.acceptor) = Some(acceptor);
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if lock(&self.acceptor).is_some() {
            self.stop();
        }
    }
}

/// Serves one keep-alive connection until either side ends it.
fn serve(shared: &Shared, mut connection: TcpStream) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let mut reader = BufReader::new(connection.try_clone()?);
    while let Some(mut callback) = read_request(&mut reader)? {
        let behaviour = Arc::clone(&*lock(&shared.behaviour));
        let answer = behaviour(&callback);
        callback.answered = match &answer {
            Answer::Status(status, _) => Some(*status),
            Answer::Late(_) | Answer::EndlessBody => Some(200),
            Answer::Hang | Answer::CloseHalfWay => None,
        };
        lock(&shared.callbacks).push(callback);
        match answer {
            Answer::Status(status, headers) => write_answer(&mut connection, status, &headers)?,
            Answer::Late(delay) => {
                std::thread::sleep(delay);
                write_answer(&mut connection, 200, &[])?;
            }
            Answer::Hang => {
                // Until the client closes, or `stop` does.
                while reader.read(&mut [0; 512])? > 0 {}
                return Ok(());
            }
            Answer::CloseHalfWay => {
                connection.write_all(b"HTTP/1.1 20")?;
                return connection.shutdown(Shutdown::Both);
            }
            Answer::EndlessBody => {
                connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                while !shared.stopping.load(Ordering::SeqCst) {
                    connection.write_all(b"400\r\n")?;
                    connection.write_all(&[b'x'; 0x400])?;
                    connection.write_all(b"\r\n")?;
                }
                return Ok(());
            }
        }
    }
    Ok(())
}

fn write_answer(
    connection: &mut TcpStream,
    status: u16,
    headers: &[(&'static str, String)],
) -> std::io::Result<()> {
    let mut text = format!("HTTP/1.1 {status} Status\r\n");
    for (name, value) in headers {
        text.extend([name, ": ", value.as_str(), "\r\n"]);
    }
    if status != 204 {
        text += "Content-Length: 0\r\n";
    }
    text += "\r\n";
    connection.write_all(text.as_bytes())
}

/// One request, or `None` at the end of the connection.
fn read_request(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<Callback>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .and_then(|text| text.parse().ok());
    let mut bytes = vec![0; length.expect("A callback has a Content-Length")];
    reader.read_exact(&mut bytes)?;
    let text = String::from_utf8(bytes).expect("A callback's body is UTF-8");
    Ok(Some(Callback {
        method,
        path,
        headers,
        body: serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("The body is no JSON ({error}): {text}")),
        text,
        at: Instant::now(),
        answered: None,
    }))
}
