//! Which destination of the configuration a state file means.
//!
//! A name alone is not enough. A default name changes when a second copy of the same table is
//! added, an owner renames a destination, and two destinations may trade their names. So a state
//! file keeps the address beside the name, and the address decides first: server, then table, then
//! a tag that tells two destinations of one table apart. Each owed callback keeps the address
//! itself. So the outbox and the checkpoint can be renamed one after the other, in either order. A
//! process that is killed between them leaves two files that are each understood alone.
//!
//! A destination whose address changed under the same name is a server that moved. It keeps its
//! position.

mod names;

pub use names::{Conflict, Unnamed, names, names_before};

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A destination as the checkpoint keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DestinationId {
    /// Its name.
    pub name: String,
    /// `host:port`, or the path of a socket.
    pub server: String,
    /// `database.table`, a part in backticks where it would be read as something else.
    pub table: String,
    /// See [`tag`].
    pub tag: String,
}

impl DestinationId {
    /// Server and table: what the default name is where several destinations share a `database.table`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}/{}", self.server, self.table)
    }

    /// Place and tag, as an owed callback keeps them.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}/{}#{}", self.server, self.table, self.tag)
    }
}

/// The place of an address.
pub(in crate::logic) fn place_of(address: &str) -> &str {
    address.rsplit_once('#').map_or(address, |(place, _)| place)
}

/// `host:port` in one spelling: host names in lower case, IPv6 addresses shortened and in brackets.
#[must_use]
pub fn server(host: &str, port: u16) -> String {
    match host.parse::<std::net::Ipv6Addr>() {
        Ok(v6) => format!("[{v6}]:{port}"),
        Err(_) => format!("{}:{port}", host.to_lowercase()),
    }
}

/// `database.table`, a part in backticks where it holds a character that has a meaning in an address.
#[must_use]
pub fn table(database: &str, table: &str) -> String {
    let part = |name: &str| {
        let is_plain = !name.contains(['.', '/', '#', '`']);
        if is_plain {
            name.to_owned()
        } else {
            crate::logic::value::sql::quoted(name)
        }
    };
    format!("{}.{}", part(database), part(table))
}

/// The first bytes of a SHA-256 over parts, each framed by its length in 64 bits, in hexadecimal digits.
#[must_use]
pub fn digest<'t>(parts: impl IntoIterator<Item = &'t str>, bytes: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut digest = String::new();
    for byte in hash.finalize().iter().take(bytes) {
        let _ = write!(digest, "{byte:02x}"); // Writing to a String cannot fail.
    }
    digest
}

/// Eight hexadecimal digits of what tells apart two destinations of one table: `byColumn`, `where`, `columns`, the URL. A URL
/// may hold a token. 32 bits of a SHA-256 do not give it away.
#[must_use]
pub fn tag<'t>(parts: impl IntoIterator<Item = &'t str>) -> String {
    digest(parts, 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_has_one_spelling() {
        for (host, expected) in [
            ("DB1.example", "db1.example:3306"),
            ("0:0:0:0:0:0:0:1", "[::1]:3306"),
            ("FE80::1", "[fe80::1]:3306"),
            ("10.0.0.1", "10.0.0.1:3306"),
        ] {
            assert_eq!(server(host, 3306), expected);
        }
        assert_eq!(table("a.b", "c`d"), "`a.b`.`c``d`");
    }

    #[test]
    fn a_tag_frames_its_parts() {
        assert_ne!(tag(["ab", "c"]), tag(["a", "bc"]));
        assert_eq!(tag(["a"]).len(), 8);
    }
}
