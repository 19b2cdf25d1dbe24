//! The two servers, and what they are told to be while a test needs them.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use mysql::prelude::Queryable;

use super::common::Server;

pub(super) const SOURCE_ZONE: &str = "+05:30";
pub(super) const DESTINATION_ZONE: &str = "-09:30";

type Settings = [(&'static str, &'static str)];

const SOURCE: &Settings = &[
    ("sql_mode", "TRADITIONAL"),
    ("time_zone", SOURCE_ZONE),
    ("character_set_server", "latin1"),
    ("collation_server", "latin1_german1_ci"),
];

/// The log is what tells whether rows were summed up or read.
const DESTINATION: &Settings = &[
    (
        "sql_mode",
        "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH,PIPES_AS_CONCAT",
    ),
    ("time_zone", DESTINATION_ZONE),
    ("character_set_server", "gbk"),
    ("collation_server", "gbk_bin"),
    ("log_output", "TABLE"),
    ("general_log", "ON"),
];

/// Whoever needs the servers as they are set. The last one to go puts them back.
pub(super) struct Servers {
    pub(super) source: Arc<Server>,
    pub(super) destination: Arc<Server>,
}

/// How many need them, and how to put them back.
struct Use {
    users: usize,
    before: Vec<(Arc<Server>, String)>,
}

static IN_USE: Mutex<Use> = Mutex::new(Use {
    users: 0,
    before: Vec::new(),
});

fn in_use() -> MutexGuard<'static, Use> {
    IN_USE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Servers {
    pub(super) fn set() -> Self {
        static SERVERS: OnceLock<[Arc<Server>; 2]> = OnceLock::new();
        let [source, destination] = SERVERS.get_or_init(|| {
            ["CUPID_TEST_DSN", "CUPID_TEST_DESTINATION_DSN"]
                .map(|name| Server::named_by(name).unwrap_or_else(Server::private))
        });
        assert_ne!(
            (&source.host, source.port),
            (&destination.host, destination.port),
            "CUPID_TEST_DSN and CUPID_TEST_DESTINATION_DSN name the same server"
        );
        let mut in_use = in_use();
        if in_use.users == 0 {
            in_use.before.extend(told(source, SOURCE));
            in_use.before.extend(told(destination, DESTINATION));
        }
        in_use.users += 1;
        Self {
            source: Arc::clone(source),
            destination: Arc::clone(destination),
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        let mut in_use = in_use();
        in_use.users -= 1;
        if in_use.users == 0 {
            for (server, statement) in in_use.before.drain(..) {
                let said = server.connect().query_drop(&statement);
                if let Err(error) = said {
                    eprintln!("A server stays as it was set: {error} in: {statement}");
                }
            }
        }
    }
}

/// Sets a server; the statements that put it back.
fn told(server: &Arc<Server>, settings: &Settings) -> Vec<(Arc<Server>, String)> {
    let mut conn = server.connect();
    let set = |name: &str, value: &str| format!("SET GLOBAL {name} = '{value}'");
    let before = settings.iter().map(|(name, value)| {
        let held: Option<(String, String)> = conn
            .query_first(format!(
                "SHOW GLOBAL VARIABLES WHERE Variable_name = '{name}'"
            ))
            .unwrap_or_else(|error| panic!("{error} while {name} is asked for"));
        let (_, held) = held.unwrap_or_else(|| panic!("The server has no {name}"));
        let statement = set(name, value);
        conn.query_drop(&statement)
            .unwrap_or_else(|error| panic!("{error} in: {statement}"));
        (Arc::clone(server), set(name, &held))
    });
    before.collect()
}
