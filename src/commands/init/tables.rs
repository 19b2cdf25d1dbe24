//! The tables that the command line names, as their servers describe them.

use super::accounts::Asked;
use crate::check::facts::TableFacts;
use crate::config::{refusals, table_of};
use crate::error::{Error, Result};
use crate::init::written::Servers;
use crate::init::{Choices, Found, choose};
use crate::io::mysql::{Needs, Survey};

/// One process takes no more configurations.
const TABLES_MAX: usize = 255;

/// A table and its copies, with what was decided.
pub(super) struct Watched {
    /// With the destinations that have a copy.
    pub(super) servers: Servers,
    pub(super) source: Found,
    pub(super) copies: Vec<Found>,
    pub(super) choices: Choices,
}

/// At least one table.
pub(super) struct Tables {
    pub(super) watched: Vec<Watched>,
    /// Tables that a pattern matches and that cannot be watched, in words.
    pub(super) skipped: Vec<String>,
}

/// A table of the source, by name or by a pattern.
#[derive(PartialEq, Eq)]
struct Wanted {
    database: String,
    table: String,
    is_named: bool,
}

/// Reads all tables.
///
/// # Errors
/// A table that is named is none, has no copy, or shares nothing with it; a server cannot be asked.
pub(super) fn find(words: &[String], asked: &Asked) -> Result<Tables> {
    let mut found = Tables {
        watched: vec![],
        skipped: vec![],
    };
    for wanted in wanted(words, asked)? {
        match watched(&wanted, asked)? {
            Ok((watched, skipped)) => {
                found.watched.push(watched);
                found.skipped.extend(skipped);
            }
            Err(unfit) if wanted.is_named => return Err(Error::Usage(unfit.whole())),
            Err(unfit) => found.skipped.push(unfit.why),
        }
    }
    if found.watched.is_empty() {
        let problem = format!(
            "--table: no table can be watched\n{}",
            found.skipped.join("\n")
        );
        return Err(Error::Usage(problem));
    }
    Ok(found)
}

fn wanted(words: &[String], asked: &Asked) -> Result<Vec<Wanted>> {
    let refuse =
        |word: &str, problem: &str| Err(Error::Usage(format!("--table holds {word:?}; {problem}")));
    let mut all: Vec<Wanted> = Vec::new();
    for word in words {
        let (database, table) = match table_of(word) {
            Ok(names) => names,
            Err(should) => return refuse(word, should),
        };
        let Some(database) = database.or_else(|| asked.servers.source.database.clone()) else {
            return refuse(
                word,
                "should hold database.table, as --src names no database",
            );
        };
        let is_named = !table.contains('%');
        let tables = if is_named {
            vec![table]
        } else {
            asked.source.tables(&database, &table, TABLES_MAX + 1)?
        };
        if tables.is_empty() {
            let problem =
                format!("no table of {database} that this account may see has such a name");
            return refuse(word, &problem);
        }
        for table in tables {
            let is_known = |it: &&mut Wanted| (&it.database, &it.table) == (&database, &table);
            match all.iter_mut().find(is_known) {
                Some(known) => known.is_named |= is_named,
                None => all.push(Wanted {
                    database: database.clone(),
                    table,
                    is_named,
                }),
            }
        }
    }
    if all.len() > TABLES_MAX {
        let count = all.len();
        let problem =
            format!("--table means {count} tables or more; should be {TABLES_MAX} at the most");
        return Err(Error::Usage(problem));
    }
    Ok(all)
}

/// Why a table cannot be watched.
struct Unfit {
    /// For whoever named a pattern.
    why: String,
    /// For whoever named the table.
    advice: String,
}

impl Unfit {
    fn whole(&self) -> String {
        format!("--table: {}; {}", self.why, self.advice)
    }
}

/// A table, and what is said of the copies that are left out.
fn watched(
    wanted: &Wanted,
    asked: &Asked,
) -> Result<std::result::Result<(Watched, Vec<String>), Unfit>> {
    let Wanted {
        database,
        table,
        is_named,
    } = wanted;
    let source = match read(&asked.source, database, table, Needs::AllColumns)? {
        Ok(source) => source,
        Err(unfit) => return Ok(Err(unfit)),
    };
    let (mut copies, mut destinations, mut unfit) = (vec![], vec![], vec![]);
    for (destination, survey) in asked.servers.destinations.iter().zip(&asked.copies) {
        let database = destination.account.database.as_deref().unwrap_or(database);
        match read(survey, database, table, Needs::AnyColumn)? {
            Ok(copy) if (copy.name(), &copy.server) == (source.name(), &source.server) => {
                let why = format!("{} is given as its own copy", source.name());
                let advice = "--src and --des should be two databases".into();
                return Ok(Err(Unfit { why, advice }));
            }
            Ok(copy) => {
                copies.push(copy);
                destinations.push(destination.clone());
            }
            Err(found) if *is_named => return Ok(Err(found)),
            Err(found) => unfit.push(found.why),
        }
    }
    if copies.is_empty() {
        let why = format!("{}: {}", source.name(), unfit.join("; "));
        let advice = "a copy should have the same name".into();
        return Ok(Err(Unfit { why, advice }));
    }
    let choices = match choose(&source, &copies) {
        Ok(choices) => choices,
        Err(why) => {
            let advice = "name tables that hold the same rows".into();
            return Ok(Err(Unfit { why, advice }));
        }
    };
    let servers = Servers {
        source: asked.servers.source.clone(),
        destinations,
    };
    let watched = Watched {
        servers,
        source,
        copies,
        choices,
    };
    Ok(Ok((watched, unfit)))
}

fn read(
    survey: &Survey,
    database: &str,
    table: &str,
    needs: Needs,
) -> Result<std::result::Result<Found, Unfit>> {
    let facts = survey.table(database, table, needs)?;
    let place = format!("{database}.{table} at {}", survey.label());
    if facts.columns.is_empty() {
        return Ok(Err(Unfit {
            why: format!("there is no {place}"),
            advice: advice(&facts, table),
        }));
    }
    if facts.is_view {
        return Ok(Err(Unfit {
            why: format!("{place} is a view, which has no keys and indexes"),
            advice: "name its table, or write the configuration by hand".into(),
        }));
    }
    Ok(Ok(Found {
        database: database.to_owned(),
        table: table.to_owned(),
        server: survey.label(),
        facts,
    }))
}

/// In the words of a refusal of `check`.
fn advice(facts: &TableFacts, table: &str) -> String {
    let others: Vec<&str> = facts.other_tables.iter().map(String::as_str).collect();
    let refusal = refusals::no_table(table, &others);
    refusal
        .split_once("; ")
        .map_or(String::new(), |(_, advice)| advice.to_owned())
}
