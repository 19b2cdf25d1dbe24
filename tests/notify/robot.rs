//! A service that takes messages, or misbehaves, as a test tells it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What is done with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// This status and this body.
    Status(u16, String),
    /// A redirect to this address.
    Redirect(String),
    /// Nothing, until the client goes away.
    Hang,
    /// A body without end.
    Endless,
    /// Bytes that are no HTTP.
    Nonsense,
}

impl Request {
    /// A header that must be there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let header = self.headers.iter().find(|header| header.0 == name);
        &header
            .unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
            .1
    }
}

/// Answers each request on a thread; goes on until the test ends.
pub(crate) struct Robot {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Robot {
    pub(crate) fn start(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("Listen on a free port");
        let robot = Self {
            address: listener.local_addr().expect("Ask for the port"),
            requests: Arc::default(),
        };
        let (requests, reply) = (Arc::clone(&robot.requests), Arc::new(reply));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (requests, reply) = (Arc::clone(&requests), Arc::clone(&reply));
                // A broken connection is the client's affair.
                std::thread::spawn(move || serve(stream, &requests, &*reply));
            }
        });
        robot
    }

    /// Answers everything with this status and body.
    pub(crate) fn answering(status: u16, body: &'static str) -> Self {
        Self::start(move |_| Reply::Status(status, body.into()))
    }

    /// Scheme, host and port.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let requests = self.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The paths of what came so far.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.requests()
            .into_iter()
            .map(|request| request.path)
            .collect()
    }
}

fn serve(
    mut stream: TcpStream,
    requests: &Mutex<Vec<Request>>,
    reply: &dyn Fn(&Request) -> Reply,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let request = read_request(&mut reader)?;
    let reply = reply(&request);
    requests
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(request);
    let close = "Connection: close\r\n";
    match reply {
        Reply::Status(status, body) => write!(
            stream,
            "HTTP/1.1 {status} X\r\n{close}Content-Length: {}\r\n\r\n{body}",
            body.len()
        ),
        Reply::Redirect(to) => write!(
            stream,
            "HTTP/1.1 302 X\r\n{close}Location: {to}\r\nContent-Length: 0\r\n\r\n"
        ),
        Reply::Hang => {
            while reader.read(&mut [0; 512])? > 0 {}
            Ok(())
        }
        Reply::Endless => {
            write!(stream, "HTTP/1.1 200 X\r\n{close}\r\n")?;
            loop {
                stream.write_all(&[b'x'; 4096])?;
            }
        }
        Reply::Nonsense => stream.write_all(b"220 mail.example ESMTP\r\n\r\n"),
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> std::io::Result<Request> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let mut headers = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
        if name == "content-length" {
            length = value.parse().expect("a length is a number");
        }
        headers.push((name, value));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Request {
        method,
        path,
        headers,
        body: String::from_utf8(body).expect("a body is UTF-8"),
    })
}
