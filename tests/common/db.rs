//! Fresh databases for one test: a source and its copies, read by an account that may SELECT only.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use mysql::prelude::{FromRow, Queryable};
use mysql::{Conn, Params};
use serde_json::Value;

use super::Server;

/// The seed's user table, without its name.
pub(crate) const USER_COLUMNS: &str = "(id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
     number VARCHAR(64) NOT NULL UNIQUE,
     name VARCHAR(64),
     avatar VARCHAR(255),
     update_time DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
     KEY (update_time))";

/// Databases that are dropped at the end. In the SQL of [`Db::exec`] and [`Db::query`], `src.`, `des.` and `des2.` stand for them.
pub(crate) struct Db {
    pub(crate) server: Arc<Server>,
    pub(crate) source: String,
    /// The first is `des.`, the second `des2.`.
    pub(crate) copies: Vec<String>,
    pub(crate) reader: String,
    /// Every secret of the tests contains `hidden`, and [`super::Cupid`] refuses output that does.
    pub(crate) reader_password: String,
    admin: Mutex<Conn>,
}

impl Db {
    /// A source and so many destination databases on the shared server.
    pub(crate) fn new(copies: usize) -> Arc<Self> {
        Self::on(Server::shared(), copies)
    }

    /// The same on the server given.
    pub(crate) fn on(server: Arc<Server>, copies: usize) -> Arc<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let nanos = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .subsec_nanos();
        let tag = format!(
            "{:x}_{:x}_{}",
            std::process::id(),
            nanos,
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let db = Self {
            source: format!("cupid_{tag}_src"),
            copies: (1..=copies)
                .map(|n| format!("cupid_{tag}_des{n}"))
                .collect(),
            reader: format!("r{tag}"),
            reader_password: format!("hidden-{tag}"),
            admin: Mutex::new(server.connect()),
            server,
        };
        db.exec(&format!(
            "CREATE USER '{}'@'%' IDENTIFIED BY '{}'",
            db.reader, db.reader_password
        ));
        for name in db.names() {
            db.exec(&format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4"));
            db.exec(&format!(
                "GRANT SELECT ON `{name}`.* TO '{}'@'%'",
                db.reader
            ));
        }
        Arc::new(db)
    }

    fn names(&self) -> Vec<&str> {
        std::iter::once(self.source.as_str())
            .chain(self.copies.iter().map(String::as_str))
            .collect()
    }

    /// SQL with the databases' real names in it.
    pub(crate) fn sql(&self, text: &str) -> String {
        let mut text = text.replace("src.", &format!("`{}`.", self.source));
        for (i, name) in self.copies.iter().enumerate().rev() {
            let short = if i == 0 {
                "des.".to_owned()
            } else {
                format!("des{}.", i + 1)
            };
            text = text.replace(&short, &format!("`{name}`."));
        }
        text
    }

    fn admin(&self) -> MutexGuard<'_, Conn> {
        // A panic elsewhere while the guard was held is that test's failure, not a reason to fail here too.
        self.admin
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Runs one statement.
    #[track_caller]
    pub(crate) fn exec(&self, sql: &str) {
        let sql = self.sql(sql);
        if let Err(error) = self.admin().query_drop(&sql) {
            panic!("{error} in: {sql:.300}");
        }
    }

    /// Runs one statement with parameters.
    #[track_caller]
    pub(crate) fn exec_with(&self, sql: &str, params: impl Into<Params>) {
        let sql = self.sql(sql);
        if let Err(error) = self.admin().exec_drop(&sql, params) {
            panic!("{error} in: {sql:.300}");
        }
    }

    /// The rows that a query finds.
    #[track_caller]
    pub(crate) fn query<T: FromRow>(&self, sql: &str) -> Vec<T> {
        let sql = self.sql(sql);
        self.admin()
            .query(&sql)
            .unwrap_or_else(|error| panic!("{error} in: {sql:.300}"))
    }

    /// A session of its own, for transactions; it knows real database names only (see [`Db::sql`]).
    pub(crate) fn session(&self) -> Conn {
        self.server.connect()
    }

    /// Sessions may write values of some megabytes from now on, whatever the server's own limit was.
    pub(crate) fn allow_wide_values(&self) {
        self.exec(
            "SET GLOBAL max_allowed_packet = GREATEST(@@GLOBAL.max_allowed_packet, 16 << 20)",
        );
        self.reconnect();
    }

    /// Connects again after the server was restarted.
    pub(crate) fn reconnect(&self) {
        *self.admin() = self.server.connect();
    }

    /// The seed's user table in the source and in every copy, all empty.
    pub(crate) fn user_table(&self) {
        for name in self.names() {
            self.exec(&format!("CREATE TABLE `{name}`.user {USER_COLUMNS}"));
        }
    }

    /// Users with these ids in the source: number `n<id>`, name `Name <id>`, avatar `a<id>.png`.
    pub(crate) fn add_users(&self, ids: impl IntoIterator<Item = u64>) {
        let ids: Vec<u64> = ids.into_iter().collect();
        for chunk in ids.chunks(1000) {
            let rows: Vec<String> = chunk
                .iter()
                .map(|id| format!("({id}, 'n{id}', 'Name {id}', 'a{id}.png')"))
                .collect();
            self.exec(&format!(
                "INSERT INTO src.user (id, number, name, avatar) VALUES {}",
                rows.join(",")
            ));
        }
    }

    /// Makes every copy's user table equal to the source's.
    pub(crate) fn copy_users(&self) {
        for name in &self.copies {
            self.exec(&format!("DELETE FROM `{name}`.user"));
            self.exec(&format!("INSERT INTO `{name}`.user SELECT * FROM src.user"));
        }
    }

    /// What the owner's code does with a callback for the user table: writes the row into the copy.
    pub(crate) fn repair_user(&self, copy: usize, body: &Value) {
        let row = &body["srcColumn"];
        let text = |column: &str| row[column].as_str().map(str::to_owned);
        let sql = format!(
            "REPLACE INTO `{}`.user (number, name, avatar) VALUES (?, ?, ?)",
            self.copies[copy]
        );
        self.exec_with(&sql, (text("number"), text("name"), text("avatar")));
    }

    /// True on `MariaDB`, false on Oracle's `MySQL`.
    pub(crate) fn is_mariadb(&self) -> bool {
        let version: Vec<String> = self.query("SELECT VERSION()");
        version[0].contains("MariaDB")
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        // The server may have been killed by the test; then its data go with its folder.
        let mut statements: Vec<String> = self
            .names()
            .iter()
            .map(|name| format!("DROP DATABASE IF EXISTS `{name}`"))
            .collect();
        statements.push(format!("DROP USER IF EXISTS '{}'@'%'", self.reader));
        let mut admin = self.admin();
        for statement in statements {
            let _ = admin.query_drop(statement);
        }
    }
}
