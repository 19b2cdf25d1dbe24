//! Refused log-ins, and servers that do not answer: tried once in a pass, and waited for once.

mod common;

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use common::{Db, Scene, Server, assert_ids};

/// What a log-in may take, and the program itself.
const LOG_IN_MAX: Duration = Duration::from_secs(10 + 5);

/// A server that blocks an account after three refused log-ins.
fn strict() -> Arc<Server> {
    Server::private_with(&["--max-password-errors=3"])
}

/// Every place that a configuration can name, by the account given.
fn log_in_by(scene: &mut Scene, places: &[&str], user: &str, password: &str) {
    for place in places {
        scene
            .config
            .set(&format!("{place}/user"), user)
            .set(&format!("{place}/password"), password);
    }
}

#[test]
fn a_refused_account_is_tried_once_in_a_pass_and_so_not_blocked() {
    let mut scene = Scene::bare(Db::on(strict(), 3));
    scene.db.user_table();
    scene.db.add_users(1..=3_000);
    scene.config.set("/workerNumber", 8);
    let (user, password) = (scene.db.reader.clone(), scene.db.reader_password.clone());
    let all = ["/src", "/des/0", "/des/1", "/des/2"];
    let copies = &all[1..];
    for (places, command, args, code) in [
        (&all[..], "run", "--dry-run", 2),
        (&all[..], "check", "", 2),
        (&all[..], "reconcile", "--dry-run", 2),
        (&all[..], "run", "--dry-run --every 50ms --for 3s", 2),
    ] {
        log_in_by(&mut scene, places, &user, "hidden-other");
        let outcome = scene.cupid(command).args(args).run();
        outcome.assert_says(if command == "check" {
            &[]
        } else {
            &["Access denied"]
        });
        assert_eq!(outcome.code, Some(code), "{command} {args}: {outcome:?}");
        // A log-in that is taken forgets the refusals before it.
        log_in_by(&mut scene, &all, &user, &password);
        scene.cupid("check").args("").exits(0);
    }
    // The source has an account of its own: all copies share the refused one.
    scene
        .db
        .exec("CREATE USER other@'%' IDENTIFIED BY 'hidden-right'");
    for database in scene.db.copies.clone() {
        scene
            .db
            .exec(&format!("GRANT SELECT ON `{database}`.* TO other@'%'"));
    }
    log_in_by(&mut scene, copies, "other", "hidden-other");
    scene
        .run(2)
        .assert_says(&["copy1", "copy2", "copy3", "Access denied"]);
    log_in_by(&mut scene, copies, "other", "hidden-right");
    scene.run(0);
    scene.db.exec("DROP USER other@'%'");
}

#[test]
fn a_locked_account_and_one_with_too_many_connections_are_told_apart() {
    let scene = Scene::bare(Db::on(strict(), 1));
    scene.db.user_table();
    let reader = format!("'{}'@'%'", scene.db.reader);
    scene.db.exec(&format!("ALTER USER {reader} ACCOUNT LOCK"));
    let refused = scene.run(2);
    refused.assert_says(&["locked"]);
    scene
        .db
        .exec(&format!("ALTER USER {reader} ACCOUNT UNLOCK"));
    // Somebody else's connections, which end in a moment, are no refusal.
    scene
        .db
        .exec(&format!("ALTER USER {reader} WITH MAX_USER_CONNECTIONS 2"));
    let (server, password) = (&scene.db.server, scene.db.reader_password.clone());
    let options = mysql::OptsBuilder::new()
        .ip_or_hostname(Some(&server.host))
        .tcp_port(server.port)
        .user(Some(&scene.db.reader))
        .pass(Some(&password))
        .prefer_socket(false);
    let busy: Vec<mysql::Conn> = (0..2)
        .map(|_| mysql::Conn::new(options.clone()).unwrap())
        .collect();
    let running = scene.cupid("run").spawn();
    thread::sleep(Duration::from_millis(60));
    drop(busy);
    assert_eq!(running.wait().code, Some(0));
    scene.config.forget();
}

/// Packets of the protocol, as far as a log-in goes.
fn read_packet(stream: &mut TcpStream) -> std::io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 4];
    stream.read_exact(&mut head)?;
    let [a, b, c, number] = head;
    let mut payload = vec![0; u32::from_le_bytes([a, b, c, 0]) as usize];
    stream.read_exact(&mut payload)?;
    Ok((number, payload))
}

fn write_packet(stream: &mut TcpStream, number: u8, payload: &[u8]) -> std::io::Result<()> {
    let [a, b, c, _] = u32::try_from(payload.len()).unwrap().to_le_bytes();
    stream.write_all(&[&[a, b, c, number], payload].concat())
}

fn greeting(version: &str) -> Vec<u8> {
    let capabilities: u32 = 0x1 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x0008_0000;
    let [a, b, c, d] = capabilities.to_le_bytes();
    let mut bytes = [&[10], version.as_bytes(), &[0, 1, 0, 0, 0]].concat();
    bytes.extend_from_slice(b"12345678\0");
    bytes.extend_from_slice(&[a, b, 45, 2, 0, c, d, 21]);
    bytes.extend_from_slice(&[0; 10]);
    bytes.extend_from_slice(b"123456789012\0mysql_native_password\0");
    bytes
}

/// A server that asks everybody for this plugin with a salt that ends in a zero, refuses every answer, and counts them by user.
fn refusing(version: &'static str, plugin: &'static str) -> (SocketAddr, Answers) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answers = Answers::default();
    let counted = Arc::clone(&answers);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let counted = Arc::clone(&counted);
            thread::spawn(move || refuse(stream.unwrap(), version, plugin, &counted));
        }
    });
    (address, answers)
}

type Answers = Arc<Mutex<HashMap<String, usize>>>;

fn refuse(
    mut stream: TcpStream,
    version: &str,
    plugin: &str,
    counted: &Answers,
) -> std::io::Result<()> {
    write_packet(&mut stream, 0, &greeting(version))?;
    let (number, log_in) = read_packet(&mut stream)?;
    let user = log_in[32..]
        .split(|&byte| byte == 0)
        .next()
        .unwrap_or_default();
    let user = String::from_utf8_lossy(user).into_owned();
    let salt = [b"1234567890123456789012345678901".as_slice(), &[0]].concat();
    let wish = [b"\xfe", plugin.as_bytes(), b"\0", &salt].concat();
    write_packet(&mut stream, number + 1, &wish)?;
    let (number, answer) = read_packet(&mut stream)?;
    assert!(!answer.is_empty());
    *counted.lock().unwrap().entry(user).or_default() += 1;
    write_packet(&mut stream, number + 1, b"\xff\x15\x04#28000Access denied")
}

#[test]
fn only_an_account_of_ed25519_gets_a_second_log_in() {
    for (version, plugin, log_ins) in [
        ("11.8.2-MariaDB", "client_ed25519", 2),
        ("5.5.5-10.6.1-MariaDB", "client_ed25519", 2),
        ("11.8.2-MariaDB", "mysql_native_password", 1),
        ("9.7.0", "mysql_native_password", 1),
        ("8.0.44", "caching_sha2_password", 1),
    ] {
        let (address, answers) = refusing(version, plugin);
        let mut scene = Scene::bare(Db::new(2));
        scene.db.user_table();
        for place in ["/src", "/des/0", "/des/1"] {
            let dsn = format!("mysql:host=127.0.0.1;port={};dbname=my", address.port());
            scene.config.set(&format!("{place}/dsn"), dsn);
        }
        scene.run(2).assert_says(&["Access denied", "password"]);
        let expected = HashMap::from([(scene.db.reader.clone(), log_ins)]);
        assert_eq!(*answers.lock().unwrap(), expected, "{version} {plugin}");
        // The passes of one process: the first two try, later ones wait.
        answers.lock().unwrap().clear();
        scene.cupid("run").args("--every 20ms --for 1s").exits(2);
        let expected = HashMap::from([(scene.db.reader.clone(), log_ins + 1)]);
        assert_eq!(*answers.lock().unwrap(), expected, "{version} {plugin}");
    }
}

/// Lets everybody connect and says nothing.
fn silent() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    address
}

#[test]
fn a_copy_that_says_nothing_delays_the_others_by_one_time_limit() {
    let mut scene = Scene::bare(Db::new(2));
    scene.db.user_table();
    scene.db.add_users(1..=600); // More than one look-up takes.
    let dsn = format!("mysql:host=127.0.0.1;port={};dbname=my", silent().port());
    scene.config.set("/des/0/dsn", dsn.as_str());
    let outcome = scene.run(1);
    outcome.assert_says(&["copy1", "No answer within 10 s"]);
    assert!(outcome.took < LOG_IN_MAX, "{outcome:?}");
    assert_ids(&scene.receivers[1].ids(), 1..=600);
    // Owed callbacks, an audit and a time box are delayed by no more.
    scene.db.add_users(601..=610);
    for (command, args) in [
        ("retry", ""),
        ("run", "--every 100ms --for 1s"),
        ("reconcile", "--extra --for 1s"),
    ] {
        let outcome = scene.cupid(command).args(args).run();
        assert!(outcome.took < LOG_IN_MAX, "{command} {args}: {outcome:?}");
    }
    // A source that says nothing ends the pass.
    scene.config.set("/src/dsn", dsn);
    scene.config.forget();
    let outcome = scene.run(2);
    assert!(outcome.took < LOG_IN_MAX, "{outcome:?}");
    outcome.assert_says(&["No answer within 10 s"]);
}
