//! A database server that is not what it seems: endless, enormous, curious. It cannot make cupid panic, hang, grow beyond a
//! bound, hand out a password in clear, or send a file.

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use common::Scene;
use serde_json::json;

/// What a run may take in memory whatever a server sends: one statement's rows at the most ([`STATEMENT_MIB`] MiB), twice
/// while they change hands, and the program itself.
const MEMORY_MIB_MAX: u64 = 2 * STATEMENT_MIB + 200;
const STATEMENT_MIB: u64 = 64;

/// One packet of the protocol: its number and its payload.
struct Packet(u8, Vec<u8>);

fn read_packet(stream: &mut impl Read) -> std::io::Result<Packet> {
    let mut head = [0; 4];
    stream.read_exact(&mut head)?;
    let [a, b, c, number] = head;
    let mut payload = vec![0; u32::from_le_bytes([a, b, c, 0]) as usize];
    stream.read_exact(&mut payload)?;
    Ok(Packet(number, payload))
}

fn write_packet(stream: &mut impl Write, number: u8, payload: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(payload.len()).expect("a payload of one packet");
    let [a, b, c, _] = length.to_le_bytes();
    let mut bytes = vec![a, b, c, number];
    bytes.extend_from_slice(payload);
    stream.write_all(&bytes)
}

/// The greeting of protocol 10, for an account with `mysql_native_password`.
fn greeting() -> Vec<u8> {
    // LONG_PASSWORD, CONNECT_WITH_DB, LOCAL_FILES, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH.
    let capabilities: u32 = 0x1 | 0x8 | 0x80 | 0x200 | 0x2000 | 0x8000 | 0x0008_0000;
    let [a, b, c, d] = capabilities.to_le_bytes();
    let mut bytes = vec![10];
    bytes.extend_from_slice(b"10.11.0-MariaDB\0");
    bytes.extend_from_slice(&[1, 0, 0, 0]);
    bytes.extend_from_slice(b"12345678\0");
    bytes.extend_from_slice(&[a, b, 45, 2, 0, c, d, 21]);
    bytes.extend_from_slice(&[0; 10]);
    bytes.extend_from_slice(b"123456789012\0mysql_native_password\0");
    bytes
}

const OK: [u8; 7] = [0, 0, 0, 2, 0, 0, 0];

/// Where a hostile server listens, and what clients have sent to it.
struct Hostile {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
}

/// Each connection in a thread of its own.
fn serve(behave: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let behave = Arc::new(behave);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let behave = Arc::clone(&behave);
            // It ends when the client has gone.
            thread::spawn(move || behave(stream.unwrap()));
        }
    });
    address
}

/// A server that lets everybody in and then answers every command in this way.
fn after_login(
    answer: impl Fn(&mut TcpStream, &[u8]) -> std::io::Result<()> + Send + Sync + 'static,
) -> Hostile {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = Arc::clone(&heard);
    let address = serve(move |mut stream| {
        write_packet(&mut stream, 0, &greeting())?;
        let Packet(number, _login) = read_packet(&mut stream)?;
        write_packet(&mut stream, number + 1, &OK)?;
        loop {
            let Packet(_, command) = read_packet(&mut stream)?;
            ears.lock().unwrap().extend_from_slice(&command);
            answer(&mut stream, &command)?;
        }
    });
    Hostile { address, heard }
}

/// A scene whose source, or whose copy, is at another address.
fn scene_at(place: &str, address: SocketAddr) -> Scene {
    let mut scene = Scene::in_sync(1..=20);
    let database = if place == "/src" {
        scene.db.source.clone()
    } else {
        scene.db.copies[0].clone()
    };
    let dsn = format!(
        "mysql:host=127.0.0.1;port={};dbname={database}",
        address.port()
    );
    scene.config.set(&format!("{place}/dsn"), dsn);
    scene
}

/// Runs end by themselves, as failed, within the memory bound, and say nothing that a terminal would obey.
#[track_caller]
fn copes(scene: &Scene, what: &str, commands: &[(&str, &str)], code: i32) {
    for (command, args) in commands {
        let (outcome, peak_mib) = scene.cupid(command).args(args).spawn().ended();
        println!(
            "{what}: cupid {command}: {peak_mib} MiB, {:?}",
            outcome.took
        );
        assert_eq!(outcome.code, Some(code), "{what}: {command}: {outcome:?}");
        assert!(
            peak_mib <= MEMORY_MIB_MAX,
            "{what}: {command} took {peak_mib} MiB"
        );
        let obeyed = |c: char| c.is_control() && c != '\n';
        assert!(!outcome.stderr.contains(obeyed), "{what}: {outcome:?}");
        assert!(!outcome.stdout.contains(obeyed), "{what}: {outcome:?}");
    }
}

const ALL: [(&str, &str); 3] = [("run", ""), ("reconcile", ""), ("check", "")];

#[test]
fn no_greeting_however_wrong_does_harm() {
    for (what, behave) in [
        (
            "an endless greeting",
            (|mut stream: TcpStream| {
                let zeros = vec![0; 0xff_ffff];
                for number in (0..=255).cycle() {
                    write_packet(&mut stream, number, &zeros)?;
                }
                Ok(())
            }) as fn(TcpStream) -> std::io::Result<()>,
        ),
        ("no protocol at all", |mut stream| {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        }),
        ("random bytes", |mut stream| {
            let mut seed = 7_u32;
            let bytes: Vec<u8> = std::iter::repeat_with(|| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed.to_le_bytes()[3]
            })
            .take(100_000)
            .collect();
            stream.write_all(&bytes)
        }),
        ("a closed door", |stream| stream.shutdown(Shutdown::Both)),
        ("a refusal full of escapes", |mut stream| {
            let mut refusal = vec![0xff, 0x15, 0x04];
            refusal.extend_from_slice(b"#28000\x1b]0;title\x07\x1b[2JAccess denied\r\nroot# ");
            write_packet(&mut stream, 0, &refusal)
        }),
    ] {
        copes(&scene_at("/src", serve(behave)), what, &ALL[..1], 2);
    }
}

/// A server that asks for a plugin with this salt, and goes on with these packets, each after a word of the client.
fn asking(plugin: &'static str, salt: &'static [u8], packets: &'static [&[u8]]) -> SocketAddr {
    serve(move |mut stream| {
        write_packet(&mut stream, 0, &greeting())?;
        let wish = [b"\xfe", plugin.as_bytes(), b"\0", salt].concat();
        for payload in std::iter::once(&wish[..]).chain(packets.iter().copied()) {
            let Packet(number, _) = read_packet(&mut stream)?;
            write_packet(&mut stream, number + 1, payload)?;
        }
        Ok(())
    })
}

#[test]
fn no_wish_at_the_log_in_however_odd_does_harm() {
    const SALT: &[u8] = b"12345678901234567890123456789012";
    const PARSEC: &[u8] = b"P\x00123456789012345678";
    let mut scene = Scene::new();
    for (plugin, salt, packets) in [
        (
            "mysql_native_password",
            b"".as_slice(),
            [b"".as_slice(), b""],
        ),
        ("caching_sha2_password", &SALT[..20], [b"", b""]),
        ("caching_sha2_password", &SALT[..20], [b"\x01", b""]),
        ("caching_sha2_password", &SALT[..20], [b"\x01\x04", b""]),
        ("caching_sha2_password", b"", [b"\x01\x04", b"\x01no key"]),
        ("client_ed25519", &SALT[..1], [b"", b""]),
        ("parsec", &SALT[..31], [PARSEC, b""]),
        ("parsec", SALT, [b"\x01P", PARSEC]),
        ("", b"", [b"", b""]),
    ] {
        let packets: &'static [&[u8]] = Box::leak(Box::new(packets));
        let port = asking(plugin, salt, packets).port();
        let dsn = format!("mysql:host=127.0.0.1;port={port};dbname=my");
        scene.config.set("/src/dsn", dsn);
        copes(&scene, &format!("{plugin} {packets:?}"), &ALL[..1], 2);
    }
}

#[test]
fn no_password_is_sent_in_clear_and_no_file_at_all() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = Arc::clone(&heard);
    let address = serve(move |mut stream| {
        write_packet(&mut stream, 0, &greeting())?;
        let Packet(number, login) = read_packet(&mut stream)?;
        let mut switch = vec![0xfe];
        switch.extend_from_slice(b"mysql_clear_password\0");
        write_packet(&mut stream, number + 1, &switch)?;
        let mut all = login;
        let _ = stream.read_to_end(&mut all);
        ears.lock().unwrap().extend_from_slice(&all);
        Ok(())
    });
    let scene = scene_at("/src", address);
    copes(&scene, "a wish for the password", &ALL[..1], 2);
    let heard = String::from_utf8_lossy(&heard.lock().unwrap()).into_owned();
    assert!(heard.contains(&scene.db.reader), "somebody logged in");
    assert!(!heard.contains("hidden"), "the password in clear");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("private");
    std::fs::write(&file, "content-of-a-file").unwrap();
    let name = file.display().to_string();
    let curious = after_login(move |stream, _| {
        let mut wish = vec![0xfb];
        wish.extend_from_slice(name.as_bytes());
        write_packet(stream, 1, &wish)
    });
    copes(
        &scene_at("/src", curious.address),
        "a wish for a file",
        &ALL[..1],
        2,
    );
    let heard = String::from_utf8_lossy(&curious.heard.lock().unwrap()).into_owned();
    assert!(heard.contains("SET"), "it was asked something: {heard}");
    assert!(!heard.contains("content-of-a-file"), "a file was sent");
}

/// A column definition of protocol 4.1: `def`, empty names, this type.
fn column(column_type: u8) -> Vec<u8> {
    let mut bytes = vec![3];
    bytes.extend_from_slice(b"def\0\0\0\x01c\0\x0c");
    bytes.extend_from_slice(&[45, 0, 255, 255, 0, 0, column_type, 0, 0, 0, 0, 0]);
    bytes
}

const VAR_STRING: u8 = 0xfd;
const END: [u8; 5] = [0xfe, 0, 0, 2, 0];

#[test]
fn no_result_of_the_first_statements_however_long_does_harm() {
    let rows = after_login(|stream, _| {
        write_packet(stream, 1, &[1])?;
        write_packet(stream, 2, &column(VAR_STRING))?;
        write_packet(stream, 3, &END)?;
        let mut row = vec![0xfd, 0, 0, 1]; // 65,536 bytes
        row.resize(4 + 65_536, b'x');
        for number in (4..=255).chain(0..=3).cycle() {
            write_packet(stream, number, &row)?;
        }
        Ok(())
    });
    let parameters = after_login(|stream, command| match command.first() {
        Some(0x16) => {
            let prepared = [0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0];
            write_packet(stream, 1, &prepared)?;
            stream.shutdown(Shutdown::Both)
        }
        _ => write_packet(stream, 1, &OK),
    });
    let packet = after_login(|stream, _| {
        let xs = vec![b'x'; 0xff_ffff];
        for number in (1..=255).chain(0..=0).cycle() {
            write_packet(stream, number, &xs)?;
        }
        Ok(())
    });
    for (what, server) in [
        ("endless rows", rows),
        ("a cut answer to a prepared statement", parameters),
        ("an endless packet", packet),
    ] {
        copes(&scene_at("/src", server.address), what, &ALL, 2);
    }
}

/// A real server behind a proxy that repeats the first row of one statement for ever.
fn repeating(scene: &Scene, statement: &'static str) -> SocketAddr {
    let server = (scene.db.server.host.clone(), scene.db.server.port);
    serve(move |client| {
        let upstream = TcpStream::connect((server.0.as_str(), server.1))?;
        let tampers = Arc::new(AtomicBool::new(false));
        let back = {
            let (from, to) = (upstream.try_clone()?, client.try_clone()?);
            let tampers = Arc::clone(&tampers);
            thread::spawn(move || answers(from, to, &tampers))
        };
        let _ = questions(client, upstream.try_clone()?, &tampers, statement);
        let _ = upstream.shutdown(Shutdown::Both);
        let _ = back.join();
        Ok(())
    })
}

/// Hands commands on, and says when the statement is about to run.
fn questions(
    mut client: TcpStream,
    mut upstream: TcpStream,
    tampers: &AtomicBool,
    statement: &str,
) -> std::io::Result<()> {
    let mut is_prepared = false;
    loop {
        let Packet(number, command) = read_packet(&mut client)?;
        match command.first() {
            Some(0x16) => is_prepared = String::from_utf8_lossy(&command).contains(statement),
            Some(0x17) if is_prepared => tampers.store(true, Ordering::SeqCst),
            _ => {}
        }
        write_packet(&mut upstream, number, &command)?;
    }
}

/// Hands answers on; the one to the statement never ends.
fn answers(
    mut upstream: TcpStream,
    mut client: TcpStream,
    tampers: &AtomicBool,
) -> std::io::Result<()> {
    loop {
        let Packet(number, payload) = read_packet(&mut upstream)?;
        let tampers = tampers.load(Ordering::SeqCst);
        write_packet(&mut client, number, &payload)?;
        // A row of the binary protocol begins with 0 and comes after the columns; what comes before begins otherwise.
        if tampers && payload.first() == Some(&0) && payload.len() > 11 {
            let mut number = number;
            loop {
                number = number.wrapping_add(1);
                write_packet(&mut client, number, &payload)?;
            }
        }
    }
}

#[test]
fn no_statement_with_more_rows_than_were_asked_for_does_harm() {
    for (place, statement, commands, code) in [
        ("/src", "information_schema", &ALL[..2], 2),
        ("/src", "ORDER BY `id` LIMIT", &ALL[..2], 2),
        ("/des/0", "information_schema", &ALL[..2], 2),
        ("/des/0", "`number` IN (", &ALL[..1], 2),
        ("/des/0", "ORDER BY `id` LIMIT", &ALL[1..2], 2),
    ] {
        let mut scene = Scene::in_sync(1..=20);
        let address = repeating(&scene, statement);
        let pointer = format!("{place}/dsn");
        let dsn = scene.config.value.pointer(&pointer).unwrap().as_str();
        let port = format!("port={};", scene.db.server.port);
        let dsn = dsn
            .unwrap()
            .replace(&port, &format!("port={};", address.port()));
        scene.config.set(&pointer, dsn);
        scene.config.set("/confirmDelayMillisecond", 0);
        copes(&scene, &format!("{place} {statement}"), commands, code);
    }
}

#[test]
fn rows_of_eight_mebibytes_without_end_stay_within_the_bound() {
    let mut scene = Scene::new();
    for table in ["src", "des"] {
        scene
            .db
            .exec(&format!("ALTER TABLE {table}.user MODIFY name LONGTEXT"));
    }
    scene
        .db
        .exec("INSERT INTO src.user (id, number, name) VALUES (1, 'n1', REPEAT('x', 8 << 20))");
    scene.db.copy_users();
    let address = repeating(&scene, "ORDER BY `id` LIMIT");
    let dsn = format!(
        "mysql:host=127.0.0.1;port={};dbname={}",
        address.port(),
        scene.db.source
    );
    scene.config.set("/src/dsn", json!(dsn));
    copes(&scene, "endless rows of 8 MiB", &ALL[..1], 2);
}
