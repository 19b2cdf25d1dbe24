//! Servers that are slow, endless or wrong.

use super::*;

/// Sends `bytes` again and again, with a pause, until the client goes away.
fn drip(start: &'static str, bytes: &'static [u8], pause: Duration) -> SocketAddr {
    let (address, _) = serve(move |mut stream| {
        request(&stream);
        stream.write_all(start.as_bytes()).ok();
        while stream.write_all(bytes).is_ok() {
            thread::sleep(pause);
        }
    });
    address
}

#[test]
fn nothing_takes_longer_than_the_timeout() {
    let pause = Duration::from_millis(20);
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let silent = serve(|stream| {
        request(&stream);
        thread::sleep(LONG);
    });
    let deaf = serve(|_stream| thread::sleep(LONG));
    for address in [
        silent.0,
        deaf.0,
        drip("", b"H", LONG),
        drip("HTTP/1.1 200 OK\r\nX: ", b"y", pause),
        drip("", b"HTTP/1.1 102 Processing\r\n\r\n", pause),
        drip(head, b"z", pause),
        drip(chunked, b"1\r\nz\r\n", pause),
        drip("HTTP/1.1 200 OK\r\n\r\n", b"z", pause),
    ] {
        let client = client(address);
        let started = Instant::now();
        assert_eq!(post(&client, SHORT), Answer::TimedOut);
        let elapsed = started.elapsed();
        assert!(elapsed >= SHORT && elapsed < 2 * SHORT, "{elapsed:?}");
    }
}

#[test]
fn a_receiver_that_reads_slowly_does_not_hold_a_request() {
    let (address, _) = serve(|mut stream| {
        let mut bytes = vec![0; 16 * 1024];
        while stream.read(&mut bytes).is_ok_and(|amount| amount > 0) {
            thread::sleep(Duration::from_millis(5));
        }
    });
    let body = vec![b'x'; 64 * 1024 * 1024];
    let post = Post {
        body: &body,
        headers: &[],
    };
    let client = client(address);
    let started = Instant::now();
    assert_eq!(client.post(&post, SHORT), Answer::TimedOut);
    assert!(started.elapsed() < 2 * SHORT, "{:?}", started.elapsed());
}

#[test]
fn an_endless_body_counts_by_its_status_and_costs_the_connection() {
    let scrap: &'static [u8] = &[b'x'; 4096];
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
    ] {
        let client = client(drip(head, scrap, Duration::ZERO));
        assert_eq!(post(&client, LONG), status(200));
        assert_eq!(post(&client, LONG), status(200));
    }
}

#[test]
fn an_endless_header_is_refused() {
    let line: &'static [u8] = b"X-Header: 12345678901234567890123456789012345678901234567890\r\n";
    for bytes in [line, b"x"] {
        let address = drip("HTTP/1.1 200 OK\r\nX-First: ", bytes, Duration::ZERO);
        let started = Instant::now();
        assert_broken(&post(&client(address), LONG));
        assert!(started.elapsed() < LONG / 2);
    }
}

#[test]
fn an_answer_that_ends_early_is_broken() {
    for answer in [
        "",
        "HTTP/1.1",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha",
    ] {
        assert_broken(&post(&client(once(answer).0), LONG));
    }
}

#[test]
fn garbage_is_broken() {
    let mut many = b"HTTP/1.1 200 OK\r\n".to_vec();
    for number in 0..500 {
        many.extend_from_slice(format!("x-{number}: y\r\n").as_bytes());
    }
    many.extend_from_slice(b"\r\n");
    for answer in [
        &b"SSH-2.0-OpenSSH_9.6\r\n\r\n"[..],
        b"\0\0\0\0\0\0\0\0\r\n\r\n",
        b"HTTP/1.1 SECRET OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"HTTP/1.1 -20 OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nBad Name: SECRET\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: SECRET\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nSECRET\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFFFF\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokSECRET\r\n",
        &many,
    ] {
        let answer_text = String::from_utf8_lossy(&answer[..answer.len().min(80)]).into_owned();
        println!("{answer_text}");
        assert_broken(&post(&client(once(answer).0), LONG));
    }
}

#[test]
fn odd_but_harmless_headers_do_not_matter() {
    for answer in [
        &b"HTTP/1.1 204 \xff\xfe\r\n\r\n"[..],
        b"HTTP/1.1 204 No Content\r\nX: \xff\xfe\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nRetry-After: \xff\xfe\r\nLocation: \xff\r\n\r\n",
        b"HTTP/1.1 204\r\n\r\n",
    ] {
        assert_eq!(post(&client(once(answer).0), LONG), status(204));
    }
}

#[test]
fn bytes_after_an_answer_are_not_taken_for_the_next_one() {
    let (address, _) = always(
        "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    );
    let client = client(address);
    for _ in 0..20 {
        assert_eq!(post(&client, LONG), status(500));
    }
}

#[test]
fn a_server_without_tls_is_broken_for_https() {
    let (address, _) = always("HTTP/1.1 200 OK\r\n\r\n");
    let client = Client::new(&job(format!("https://{address}/?SECRET"))).unwrap();
    let (address_closing, _) = serve(drop);
    assert_broken(
        &Client::new(&job(format!("https://{address_closing}/")))
            .map(|client| post(&client, LONG))
            .unwrap(),
    );
    let started = Instant::now();
    let answer = post(&client, SHORT);
    assert!(
        matches!(answer, Answer::Broken(_) | Answer::TimedOut),
        "{answer:?}"
    );
    assert!(started.elapsed() < 2 * SHORT);
}

#[test]
fn an_answer_that_comes_while_the_body_is_sent_counts_even_when_the_receiver_closes() {
    for code in [413, 401, 503] {
        let (address, _) = serve(move |mut stream| {
            // The header and a little of the body are read; what is on its way makes the system reset the connection.
            let mut bytes = vec![0; 4096];
            stream.read_exact(&mut bytes).ok();
            stream
                .write_all(
                    format!("HTTP/1.1 {code} No\r\nRetry-After: 9\r\nContent-Length: 2\r\n\r\nno")
                        .as_bytes(),
                )
                .ok();
        });
        let client = client(address);
        let body = vec![b'x'; 8 * 1024 * 1024];
        let post = Post {
            body: &body,
            headers: &[],
        };
        for _ in 0..3 {
            let expected = Answer::Status {
                code,
                retry_after: Some(Duration::from_secs(9)),
            };
            assert_eq!(client.post(&post, LONG), expected);
        }
    }
}

#[test]
fn a_receiver_that_closes_while_the_body_is_sent_without_an_answer_is_broken() {
    let (address, _) = serve(move |mut stream| {
        stream.read_exact(&mut [0; 4096]).ok();
    });
    let body = vec![b'x'; 8 * 1024 * 1024];
    let post = Post {
        body: &body,
        headers: &[],
    };
    assert_broken(&client(address).post(&post, LONG));
}

#[test]
fn too_many_headers_are_said_as_it_is() {
    let headers = "X: 1\r\n".repeat(150);
    let (address, _) = once(format!(
        "HTTP/1.1 200 OK\r\n{headers}Content-Length: 0\r\n\r\n"
    ));
    let answer = post(&client(address), LONG);
    assert_eq!(
        answer,
        Answer::Broken("The answer has more than 128 headers".into())
    );
}
