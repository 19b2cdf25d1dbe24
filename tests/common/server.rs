//! The database server: the one named by `CUPID_TEST_DSN`, else a private `MariaDB`. Who needs a second one asks for another
//! variable. With `CUPID_TEST_SERVER=hostile` every private one has an administrator who set it against its readers.
//!
//! A private server is the child of a small shell that waits on a pipe from the test process. However that process
//! ends (return, panic, abort, SIGKILL), the pipe closes, and the shell kills the server and removes its folder.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use mysql::prelude::Queryable;
use mysql::{Conn, OptsBuilder};

/// `sh` keeps the server as long as its own stdin is open. A line on stdin: kill, keep the data. End of file: kill, remove all.
const WATCHDOG: &str = r#"
dir=$1; shift
"$@" > "$dir/server.log" 2>&1 < /dev/null &
server=$!
if read -r _; then keep=1; else keep=; fi
kill -KILL "$server" 2> /dev/null
wait "$server" 2> /dev/null
[ -n "$keep" ] || rm -rf "$dir"
"#;

/// What an administrator may set, and no session of cupid may depend on. The sessions of the tests protect themselves
/// ([`Server::connect`]).
const HOSTILE: [&str; 11] = [
    "--autocommit=0",
    "--default-time-zone=+08:00",
    "--sql-mode=ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH,TRADITIONAL",
    "--character-set-server=gbk",
    "--max-join-size=1000",
    "--lower-case-table-names=1",
    "--max-allowed-packet=1M",
    "--wait-timeout=3",
    "--innodb-lock-wait-timeout=1",
    "--general-log=1",
    "--log-output=FILE",
];
/// The same, where the server has no option for it.
const HOSTILE_SQL: &str = "SET GLOBAL sql_select_limit=20;\n";

/// What undoes this in a session of the tests. The time zone stays the server's, whose clock `DATETIME` columns show.
const PEACEFUL: &str = "SET SESSION sql_mode='', autocommit=1, sql_select_limit=18446744073709551615, \
    max_join_size=18446744073709551615, sql_big_selects=1, wait_timeout=28800, innodb_lock_wait_timeout=10";

/// A server that the tests may do anything with, through an administrator's account.
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    user: String,
    password: String,
    private: Option<Private>,
}

struct Private {
    folder: PathBuf,
    /// Beside those that every private server has.
    options: Vec<String>,
    watchdog: Mutex<Option<(Child, ChildStdin)>>,
}

impl Server {
    /// The server that all tests of this process share.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: OnceLock<Arc<Server>> = OnceLock::new();
        let server = SHARED.get_or_init(|| {
            Self::named_by("CUPID_TEST_DSN").unwrap_or_else(|| Self::private_with(&[]))
        });
        Arc::clone(server)
    }

    /// The server that a variable names.
    pub(crate) fn named_by(variable: &str) -> Option<Arc<Self>> {
        let dsn = std::env::var(variable).ok()?;
        Some(Arc::new(Self::named(&dsn, variable)))
    }

    /// A server of the caller's own, to kill and start again; always Debian's `MariaDB`.
    pub(crate) fn private() -> Arc<Self> {
        Self::private_with(&[])
    }

    /// The same with these options of `mariadbd`.
    pub(crate) fn private_with(options: &[&str]) -> Arc<Self> {
        Arc::new(Self::start_private(options))
    }

    fn named(dsn: &str, variable: &str) -> Self {
        let opts = mysql::Opts::from_url(dsn)
            .unwrap_or_else(|_| panic!("{variable} should be mysql://user:password@host:port/"));
        let server = Self {
            host: opts.get_ip_or_hostname().to_string(),
            port: opts.get_tcp_port(),
            user: opts
                .get_user()
                .unwrap_or_else(|| panic!("{variable} names no user"))
                .to_owned(),
            password: opts.get_pass().unwrap_or_default().to_owned(),
            private: None,
        };
        if let Err(error) = server.try_connect() {
            panic!("Connect to the server named by {variable}: {error}");
        }
        server
    }

    fn start_private(options: &[&str]) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("cupid-db-")
            .tempdir()
            .expect("Create a folder for the server");
        install(folder.path());
        let folder = folder.keep();
        // Another process may take the free port before the server does: then another port.
        for _ in 0..5 {
            let server = Self {
                host: "127.0.0.1".to_owned(),
                port: free_port(),
                user: "admin".to_owned(),
                password: "admin".to_owned(),
                private: Some(Private {
                    folder: folder.clone(),
                    options: options.iter().map(ToString::to_string).collect(),
                    watchdog: Mutex::new(None),
                }),
            };
            if server.launch() {
                return server;
            }
            server.kill();
        }
        let log = std::fs::read_to_string(folder.join("server.log")).unwrap_or_default();
        let _ = std::fs::remove_dir_all(&folder);
        panic!("The private MariaDB did not start:\n{log}");
    }

    /// The administrator's way into a database, for programs other than cupid.
    pub(crate) fn url(&self, database: &str) -> String {
        format!(
            "mysql://{}:{}@{}:{}/{database}",
            self.user, self.password, self.host, self.port
        )
    }

    /// Kills the server as a power cut would; the data stay.
    pub(crate) fn kill(&self) {
        let mut watchdog = self.own().watchdog.lock().unwrap();
        if let Some((mut shell, mut stdin)) = watchdog.take() {
            stdin
                .write_all(b"stop\n")
                .expect("Tell the watchdog to stop the server");
            shell.wait().expect("Wait for the watchdog");
        }
    }

    /// Starts a killed server again, on its port, with its data.
    pub(crate) fn start(&self) {
        assert!(self.launch(), "The private MariaDB did not start again");
    }

    fn own(&self) -> &Private {
        self.private
            .as_ref()
            .expect("Only a private server can be stopped and started")
    }

    fn launch(&self) -> bool {
        let private = self.own();
        let folder = &private.folder;
        let arg = |name: &str, value: &Path| format!("--{name}={}", value.display());
        let mut shell = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(folder)
            .arg("mariadbd")
            .args([
                "--no-defaults",
                "--skip-name-resolve",
                "--bind-address=127.0.0.1",
                "--skip-log-bin",
            ])
            .args([
                "--innodb-flush-log-at-trx-commit=2",
                "--innodb-buffer-pool-size=64M",
                "--performance-schema=0",
            ])
            .args(["--max-connections=500", "--innodb-lock-wait-timeout=10"])
            .arg(format!("--user={}", user_name()))
            .arg(format!("--port={}", self.port))
            .arg(arg("datadir", &folder.join("data")))
            .arg(arg("tmpdir", folder))
            .arg(arg("socket", &folder.join("s.sock")))
            .arg(arg("pid-file", &folder.join("pid")))
            .arg(arg("init-file", &folder.join("init.sql")))
            .args(HOSTILE.iter().filter(|_| is_hostile()))
            .args(&private.options)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .env("PATH", path_with_sbin())
            .process_group(0) // Ctrl-C reaches the tests, not the server
            .spawn()
            .expect("Start sh");
        let stdin = shell.stdin.take().expect("The watchdog's stdin is a pipe");
        *private.watchdog.lock().unwrap() = Some((shell, stdin));
        self.answers_within(Duration::from_secs(60))
    }

    /// Whether *this* server (and no other on its port) answers in time.
    fn answers_within(&self, limit: Duration) -> bool {
        let folder = &self.own().folder;
        let socket = folder.join("s.sock");
        let end = Instant::now() + limit;
        while Instant::now() < end {
            if let Ok(mut conn) = self.try_connect() {
                let mine: Option<String> = conn.query_first("SELECT @@socket").unwrap_or_default();
                return mine.is_some_and(|path| Path::new(&path) == socket);
            }
            let log = std::fs::read_to_string(folder.join("server.log")).unwrap_or_default();
            if log.contains("Aborting") {
                return false;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    }

    /// An administrator's session that takes any value (zero dates too).
    pub(crate) fn connect(&self) -> Conn {
        self.try_connect().expect("Connect to the test server")
    }

    /// As [`Server::connect`], where the server may be down.
    pub(crate) fn try_connect(&self) -> mysql::Result<Conn> {
        let opts = OptsBuilder::new()
            .ip_or_hostname(Some(&self.host))
            .tcp_port(self.port)
            .user(Some(&self.user))
            .pass(Some(&self.password))
            .prefer_socket(false)
            .tcp_connect_timeout(Some(Duration::from_secs(5)))
            .init(vec!["SET NAMES utf8mb4", PEACEFUL]);
        Conn::new(opts)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(private) = &self.private else { return };
        let Ok(mut watchdog) = private.watchdog.lock() else {
            return;
        };
        if let Some((mut shell, stdin)) = watchdog.take() {
            drop(stdin);
            let _ = shell.wait();
        }
        // A server that was killed and not started again has no watchdog to remove its folder.
        let _ = std::fs::remove_dir_all(&private.folder);
    }
}

fn is_hostile() -> bool {
    match std::env::var("CUPID_TEST_SERVER").as_deref() {
        Ok("hostile") => true,
        Ok(other) => panic!("CUPID_TEST_SERVER should be hostile or not set, not {other}"),
        Err(_) => false,
    }
}

/// Makes the data of a new server. To install them takes seconds, so that is done once for each build folder and version of
/// the server, and every server begins with a copy.
fn install(folder: &Path) {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    let installed = INSTALLED.get_or_init(installed);
    let status = Command::new("cp")
        .args(["-a", "--reflink=auto", "--sparse=always"])
        .args([installed.as_path(), &folder.join("data")])
        .status();
    assert!(
        status.expect("Run cp").success(),
        "The data of the server could not be copied from {}",
        installed.display()
    );
    let mut init = "CREATE USER IF NOT EXISTS 'admin'@'%' IDENTIFIED BY 'admin';\n\
                    GRANT ALL ON *.* TO 'admin'@'%' WITH GRANT OPTION;\n"
        .to_owned();
    if is_hostile() {
        init += HOSTILE_SQL;
    }
    std::fs::write(folder.join("init.sql"), init).expect("Write init.sql");
}

/// The folder of data that are only copied, never used.
fn installed() -> PathBuf {
    let version = Command::new("mariadbd")
        .arg("--version")
        .env("PATH", path_with_sbin())
        .output();
    let version = version.map_or(String::new(), |output| {
        String::from_utf8_lossy(&output.stdout).into_owned()
    });
    let name: String = format!("mariadb {} {}", user_name(), version)
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c => (c.is_ascii_alphanumeric() || c == '.').then_some(c),
        })
        .collect();
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(parent).expect("Create the build's folder for tests");
    let installed = parent.join(name);
    if installed.exists() {
        return installed;
    }
    let folder = tempfile::Builder::new()
        .prefix("mariadb-new-")
        .tempdir_in(parent)
        .expect("Create a folder for the server's data");
    install_anew(folder.path());
    // Another process may have been faster: then its data serve.
    let _ = std::fs::rename(folder.path().join("data"), &installed);
    assert!(installed.exists(), "Move the server's data into place");
    installed
}

fn install_anew(folder: &Path) {
    let output = Command::new("mariadb-install-db")
        .args(["--no-defaults", "--auth-root-authentication-method=normal"])
        .args([
            "--skip-test-db",
            "--skip-name-resolve",
            "--force",
            "--innodb-flush-log-at-trx-commit=2",
        ])
        .arg(format!("--user={}", user_name()))
        .arg(format!("--datadir={}", folder.join("data").display()))
        // A server that starts removes what others have in the same temporary folder.
        .arg(format!("--tmpdir={}", folder.display()))
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => panic!(
            "Cannot run mariadb-install-db ({error}). Install the packages mariadb-server-core and \
             mariadb-client-core (scripts/test does), or set CUPID_TEST_DSN to an administrator's mysql:// URL"
        ),
    };
    assert!(
        output.status.success(),
        "mariadb-install-db failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn user_name() -> String {
    let output = Command::new("id").arg("-un").output().expect("Run id");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Not every user's PATH has the folder of `mariadbd`.
fn path_with_sbin() -> String {
    format!(
        "{}:/usr/sbin:/sbin",
        std::env::var("PATH").unwrap_or_default()
    )
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("Find a free port");
    listener.local_addr().expect("Ask for the port").port()
}
