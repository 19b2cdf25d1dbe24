//! Authentication plugins, and accounts of them.

use mysql::prelude::Queryable;

use super::common::Db;

/// An authentication plugin of a family.
pub(super) struct Plugin {
    pub(super) of_mariadb: bool,
    pub(super) name: &'static str,
    /// What `INSTALL SONAME` needs where it is not active.
    pub(super) library: Option<&'static str>,
    /// The first version, major and minor, that must have it.
    pub(super) expected_from: Option<(u64, u64)>,
}

pub(super) const PLUGINS: [Plugin; 5] = [
    Plugin {
        of_mariadb: true,
        name: "mysql_native_password",
        library: None,
        expected_from: Some((10, 0)),
    },
    Plugin {
        of_mariadb: true,
        name: "ed25519",
        library: Some("auth_ed25519"),
        expected_from: Some((11, 6)), // Before, Debian's core package has no library of it.
    },
    Plugin {
        of_mariadb: true,
        name: "parsec",
        library: Some("auth_parsec"),
        expected_from: Some((11, 6)),
    },
    Plugin {
        of_mariadb: false,
        name: "caching_sha2_password",
        library: None,
        expected_from: Some((8, 0)),
    },
    Plugin {
        of_mariadb: false,
        name: "mysql_native_password",
        library: None,
        expected_from: None,
    },
];

fn version(db: &Db) -> (u64, u64) {
    let version: Vec<String> = db.query("SELECT VERSION()");
    let mut numbers = version[0].split('.').map(str::parse);
    let mut next = || numbers.next().and_then(Result::ok).expect("A number");
    (next(), next())
}

fn is_active(db: &Db, name: &str) -> bool {
    let found: Vec<u64> = db.query(&format!(
        "SELECT COUNT(*) FROM information_schema.PLUGINS WHERE PLUGIN_NAME = '{name}' AND PLUGIN_STATUS = 'ACTIVE'"
    ));
    found[0] > 0
}

/// A plugin that was not there before goes when this does.
pub(super) struct Installed<'a> {
    db: &'a Db,
    library: Option<&'static str>,
}

impl Drop for Installed<'_> {
    fn drop(&mut self) {
        if let Some(library) = self.library {
            let _ = self
                .db
                .session()
                .query_drop(format!("UNINSTALL SONAME '{library}'"));
        }
    }
}

/// Makes sure that a plugin is there; says so where the server has none, and fails where it should have one.
pub(super) fn installed<'a>(db: &'a Db, plugin: &Plugin) -> Option<Installed<'a>> {
    let Plugin {
        name,
        library,
        expected_from,
        ..
    } = plugin;
    if is_active(db, name) {
        return Some(Installed { db, library: None });
    }
    let install = |library: &str| {
        db.session()
            .query_drop(format!("INSTALL SONAME '{library}'"))
            .is_ok()
    };
    if let Some(library) = library.filter(|library| install(library)) {
        let library = Some(library);
        return Some(Installed { db, library });
    }
    let version = version(db);
    let is_expected = expected_from.is_some_and(|from| version >= from);
    assert!(!is_expected, "{name} is lacking in version {version:?}");
    println!("NO {name} ON THIS SERVER, VERSION {version:?}: ITS ACCOUNTS ARE NOT TESTED");
    None
}

/// Characters that have to survive JSON, the protocol and the plugin.
pub(super) const PASSWORD: &str = "hidden-ü'\"\\ %🐙";

/// An account that may read the scene's databases, and goes when this does.
pub(super) struct Account<'a> {
    pub(super) db: &'a Db,
    pub(super) name: String,
}

impl<'a> Account<'a> {
    /// `how` is what follows the password, such as `REQUIRE SSL`.
    pub(super) fn new(db: &'a Db, plugin: &str, tag: &str, how: &str) -> Self {
        let name = format!("{}{tag}", db.reader);
        let account = Self { db, name };
        let literal = PASSWORD.replace('\\', "\\\\").replace('\'', "''");
        let identified = if db.is_mariadb() {
            format!("IDENTIFIED VIA {plugin} USING PASSWORD('{literal}')")
        } else {
            format!("IDENTIFIED WITH {plugin} BY '{literal}'")
        };
        account.create(&identified, how);
        account
    }

    pub(super) fn create(&self, identified: &str, how: &str) {
        let Self { db, name } = self;
        for host in ["%", "localhost"] {
            db.exec(&format!("CREATE USER '{name}'@'{host}' {identified} {how}"));
            for database in [&db.source, &db.copies[0]] {
                db.exec(&format!(
                    "GRANT SELECT ON `{database}`.* TO '{name}'@'{host}'"
                ));
            }
        }
    }
}

impl Drop for Account<'_> {
    fn drop(&mut self) {
        let mut session = self.db.session();
        for host in ["%", "localhost"] {
            let _ = session.query_drop(format!("DROP USER IF EXISTS '{}'@'{host}'", self.name));
        }
    }
}
