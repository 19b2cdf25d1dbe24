//! Servers and accounts: connection, encryption, clocks, rights. Each server and account is judged
//! once.

use super::destination::Place;
use super::grants::{Grant, beyond_looking, by_role};
use super::{Findings, Level};
use crate::check::facts::{Facts, Refused, ServerFacts};
use crate::config::{Job, TableJob, Verify};
use crate::logic::scan::load::Lag;
use crate::logic::scan::zone::offset_text;
use crate::logic::value::sql::quoted;

/// Clocks closer than this are the same.
const CLOCKS_US: u64 = 2_000_000;
/// More privileges than this are not taken away one by one.
const REVOKED_MAX: usize = 6;

/// A table with the keys that name its server.
struct Use<'a> {
    server: &'a ServerFacts,
    table: &'a TableJob,
    place: Option<Place<'a>>,
}

impl Use<'_> {
    fn key(&self, name: &str) -> String {
        self.place
            .as_ref()
            .map_or_else(|| format!("src.{name}"), |place| place.key(name))
    }

    fn shares_account(&self, other: &Self) -> bool {
        self.server.label == other.server.label && self.server.account == other.server.account
    }
}

pub(super) fn advise(job: &Job, facts: &Facts, findings: &mut Findings) {
    let source = facts.source.iter().map(|side| Use {
        server: &side.server,
        table: &job.source.table,
        place: None,
    });
    let destinations = job.destinations.iter().zip(&facts.destinations).enumerate();
    let destinations = destinations.filter_map(|(number, (destination, side))| {
        Some(Use {
            server: &side.as_ref().ok()?.server,
            table: &destination.table,
            place: Some(Place {
                number,
                destination,
            }),
        })
    });
    let uses: Vec<Use<'_>> = source.chain(destinations).collect();
    for (number, one) in uses.iter().enumerate() {
        let said = uses[..number]
            .iter()
            .any(|before| before.shares_account(one));
        if said {
            continue;
        }
        connection(one, findings);
        lag(one, findings);
        let tables: Vec<&TableJob> = uses
            .iter()
            .filter(|other| other.shares_account(one))
            .map(|other| other.table)
            .collect();
        rights(one, &tables, findings);
    }
}

/// `maxLagSecond` and what the server says of its replication.
fn lag(one: &Use<'_>, findings: &mut Findings) {
    const KEY: &str = "maxLagSecond";
    let ServerFacts {
        label,
        account,
        lag,
        version,
        ..
    } = one.server;
    match lag {
        None => {}
        Some(Err(Refused { message, .. })) => {
            let text = format!(
                "{account} may not ask how far the replication of {label} is behind ({message}), so that server is not spared"
            );
            let grant = format!("GRANT {} ON *.* TO {account};", lag_privilege(version));
            findings.add(Level::Warning, KEY, text).remedy(grant);
        }
        Some(Ok(Lag::NoReplica)) => {
            let text = format!("{label} is no replica, so it never lags");
            findings.add(Level::Note, KEY, text);
        }
        Some(Ok(Lag::Seconds(lag_s))) => {
            let text = format!("the replication of {label} is {lag_s} s behind now");
            findings.add(Level::Ok, KEY, text);
        }
        Some(Ok(Lag::Stopped)) => {
            let text = format!(
                "the replication of {label} stands still, so scans are paused and audits wait"
            );
            findings.add(Level::Warning, KEY, text);
        }
    }
}

/// MariaDB has a privilege of its own for it since 10.5.9 (Knowledge Base, GRANT: SLAVE MONITOR).
fn lag_privilege(version: &str) -> &'static str {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit());
    let mut next = || numbers.next().and_then(|it| it.parse::<u32>().ok());
    let number = (next(), next(), next());
    let is_mariadb = version.to_ascii_lowercase().contains("mariadb");
    if is_mariadb && number >= (Some(10), Some(5), Some(9)) {
        "SLAVE MONITOR"
    } else {
        "REPLICATION CLIENT"
    }
}

fn connection(one: &Use<'_>, findings: &mut Findings) {
    let ServerFacts {
        label,
        version,
        remote,
        encrypted,
        ahead_us,
        zone,
        zone_east_s,
        account,
        lag: _,
        grants: _,
    } = one.server;
    let east = zone_east_s.map_or(String::new(), |east_s| {
        format!(" ({} now)", offset_text(east_s))
    });
    let family = if version.to_ascii_lowercase().contains("mariadb") {
        ""
    } else {
        "MySQL "
    };
    let tls = if *encrypted { ", encrypted" } else { "" };
    findings.add(
        Level::Ok,
        one.key("dsn"),
        format!("{label} answers {account}: {family}{version}, zone {zone}{east}{tls}"),
    );
    if *remote && !encrypted {
        findings.add(
            Level::Note,
            one.key("tls"),
            format!("is not set, so rows travel unencrypted between this machine and {label}; {{\"ca\": \"/path/ca.pem\"}} turns TLS on"),
        );
    }
    let verify = one.table.server.tls.as_ref().map(|tls| tls.verify);
    let believed = match verify {
        None | Some(Verify::Identity) => None,
        Some(Verify::Authority) => Some("any server whose certificate the authority has signed"),
        Some(Verify::Nothing) => Some("any server"),
    };
    if let Some(believed) = believed {
        findings.add(
            Level::Note,
            one.key("tls"),
            format!(
                "does not verify the server's identity: {believed} that answers at {label} is believed; \
                 {{\"ca\": \"/path/ca.pem\"}}, or ssl-mode=VERIFY_IDENTITY in dsn, verifies it"
            ),
        );
    }
    if one.place.is_none() && ahead_us.unsigned_abs() > CLOCKS_US {
        let seconds = ahead_us.unsigned_abs() / 1_000_000;
        let side = if ahead_us.is_positive() {
            "ahead of"
        } else {
            "behind"
        };
        findings.add(
            Level::Note,
            one.key("dsn"),
            format!(
                "the clock of {label} is {seconds} s {side} this machine's; windows follow the server's, log lines this machine's"
            ),
        );
    }
}

fn rights(one: &Use<'_>, tables: &[&TableJob], findings: &mut Findings) {
    let beyond = beyond_looking(&one.server.grants);
    if beyond.is_empty() {
        return;
    }
    let account = &one.server.account;
    let listed: Vec<String> = beyond.iter().map(described).collect();
    let finding = findings.add(
        Level::Warning,
        one.key("user"),
        format!(
            "{account} may do more than read: {}; cupid needs SELECT only",
            listed.join("; ")
        ),
    );
    let takes_little = |grant: &Grant| {
        grant.privileges.len() <= REVOKED_MAX
            && !grant
                .privileges
                .iter()
                .any(|privilege| privilege.starts_with("ALL"))
    };
    if beyond.iter().all(takes_little) && !by_role(&one.server.grants) {
        for Grant { privileges, on } in &beyond {
            finding.remedy(format!(
                "REVOKE {} ON {on} FROM {account};",
                privileges.join(", ")
            ));
        }
        return;
    }
    // Too much to take away from an account or a role that others may use too: an account of cupid's own.
    let host = account.rsplit_once('@').map_or("'%'", |(_, host)| host);
    finding.remedy(format!(
        "CREATE USER 'cupid_reader'@{host} IDENTIFIED BY '…';"
    ));
    let mut grants: Vec<String> = tables
        .iter()
        .map(|table| {
            let (database, table) = (quoted(&table.database), quoted(&table.table));
            format!("GRANT SELECT ON {database}.{table} TO 'cupid_reader'@{host};")
        })
        .collect();
    grants.dedup();
    finding.remedy.append(&mut grants);
}

fn described(grant: &Grant) -> String {
    const LISTED: usize = 4;
    let Grant { privileges, on } = grant;
    let more = privileges.len().saturating_sub(LISTED);
    let listed = privileges[..privileges.len().min(LISTED)].join(", ");
    match more {
        0 => format!("{listed} on {on}"),
        more => format!("{listed} and {more} more on {on}"),
    }
}
