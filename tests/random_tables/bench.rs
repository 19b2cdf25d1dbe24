//! Makes the tables of a case, asks their servers for the truth and the program for its verdicts, and compares the two.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mysql::Conn;
use mysql::prelude::Queryable;
use serde_json::{Map, Value as Json, json};

use crate::case::{Case, Pair};
use crate::common::{Config, Cupid, Db, Outcome, Receiver, Server};
use crate::truth::{Truth, Verdict, held};
use crate::types::{Has, Kind};
use crate::value::{Value, characters};
use crate::values::hex;

/// A command that takes longer does not end.
const TIME_MAX: Duration = Duration::from_secs(10);

/// A wrong verdict. Two are the same failure when command and class are the same.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) command: String,
    pub(crate) class: String,
    pub(crate) detail: String,
}

/// What became of a case.
#[derive(Debug)]
pub(crate) enum Judged {
    /// All agree; how many commands were run, how many source rows there were, and how many of these were wrong.
    Right {
        commands: u64,
        rows: u64,
        wrong: u64,
    },
    /// The servers refuse such tables.
    Unmade(String),
    /// The contract does not say what is right.
    Open,
}

/// One worker's databases.
pub(crate) struct Bench {
    here: Arc<Db>,
    there: Arc<Db>,
    here_conn: Conn,
    there_conn: Conn,
    config: Config,
    /// What the configuration calls back; nothing is, in a dry run.
    _receiver: Receiver,
    program: PathBuf,
    pub(crate) source: Has,
    pub(crate) destination: Has,
}

impl Bench {
    pub(crate) fn new(servers: &[Arc<Server>; 2]) -> Self {
        let here = Db::on(Arc::clone(&servers[0]), 1);
        let there = if Arc::ptr_eq(&servers[0], &servers[1]) {
            Arc::clone(&here)
        } else {
            Db::on(Arc::clone(&servers[1]), 1)
        };
        let receiver = Receiver::start();
        let mut config = Config::new(&here, &[&receiver]);
        config
            .set_place("/des/0", &there, &there.copies[0])
            .set("/confirmDelayMillisecond", 0)
            .set("/workerNumber", 1)
            .set("/src/table", "t")
            .set("/des/0/table", "t");
        let session = |db: &Db| {
            let mut conn = db.session();
            conn.query_drop("SET time_zone = '+00:00'")
                .expect("Set the zone");
            if !db.is_mariadb() {
                let _ = conn.query_drop("SET sql_log_bin = 0");
            }
            conn
        };
        let program = std::env::var_os("CUPID_BIN")
            .map_or_else(|| env!("CARGO_BIN_EXE_cupid").into(), PathBuf::from);
        let (mut source, mut destination) = (Has::of(&here), Has::of(&there));
        if !Arc::ptr_eq(&here, &there) {
            (source, destination) = (source.and(&destination), destination.and(&source));
        }
        Self {
            here_conn: session(&here),
            there_conn: session(&there),
            here,
            there,
            config,
            _receiver: receiver,
            program,
            source,
            destination,
        }
    }

    pub(crate) fn case(&self, seed: u64) -> Case {
        Case::new(seed, &self.source, &self.destination)
    }

    pub(crate) fn judge(&mut self, case: &Case) -> Result<Judged, Failure> {
        let judged = catch_unwind(AssertUnwindSafe(|| self.judge_or_panic(case)));
        judged.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let detail = text.unwrap_or_default();
            let class: String = detail
                .split(['\n', '"'])
                .next()
                .unwrap_or_default()
                .chars()
                .take(40)
                .collect();
            Err(Failure {
                command: "any".into(),
                class,
                detail,
            })
        })
    }

    fn judge_or_panic(&mut self, case: &Case) -> Result<Judged, Failure> {
        if let Err(error) = self.make(case) {
            return Ok(Judged::Unmade(error.to_string()));
        }
        let truth = self.truth(case);
        if truth.is_open {
            return Ok(Judged::Open);
        }
        self.configure(case);
        let mut commands = 0;
        for command in commands_of(case) {
            let mut trial = Trial {
                bench: self,
                case,
                truth: &truth,
                command,
            };
            trial.run()?;
            commands += 1;
        }
        if case.choice.is_multiple_of(2) && self.is_repairable(case, &truth) {
            self.judge_statements(case)?;
            commands += 3;
        }
        Ok(Judged::Right {
            commands,
            rows: truth.source.len() as u64,
            wrong: truth
                .verdicts
                .values()
                .filter(|v| **v != Verdict::Agrees)
                .count() as u64,
        })
    }

    fn exec(&mut self, sql: &str) -> mysql::Result<()> {
        // One session where one will do: the copies read rows that are not committed yet.
        let is_source = sql.contains("src.t") && !self.is_one_server();
        if is_source {
            let sql = self.here.sql(sql);
            self.here_conn.query_drop(sql)
        } else {
            let sql = self.there.sql(sql);
            self.there_conn.query_drop(sql)
        }
    }

    fn is_one_server(&self) -> bool {
        Arc::ptr_eq(&self.here, &self.there)
    }

    /// A row or an edit that a server refuses is simply not there.
    fn make(&mut self, case: &Case) -> mysql::Result<()> {
        for table in ["src.t", "des.t"] {
            self.exec(&format!("DROP TABLE IF EXISTS {table}"))?;
        }
        self.exec(&case.source_table())?;
        self.exec(&case.destination_table())?;
        for conn in [&mut self.here_conn, &mut self.there_conn] {
            conn.query_drop("START TRANSACTION")?;
        }
        for row in &case.rows {
            let _ = self.exec(&case.insert_source(row));
        }
        if self.is_one_server() {
            for row in &case.rows {
                let _ = self
                    .there_conn
                    .query_drop(self.here.sql(&case.insert_copy(row)));
            }
        } else {
            self.carry(case)?;
        }
        for edit in &case.edits {
            let _ = self.exec(&case.statement(edit));
        }
        for conn in [&mut self.here_conn, &mut self.there_conn] {
            conn.query_drop("COMMIT")?;
        }
        Ok(())
    }

    /// The copies on another server: every value as exactly as that server can be told.
    fn carry(&mut self, case: &Case) -> mysql::Result<()> {
        let cells: Vec<_> = case.cells.iter().map(|pair| &pair.source).collect();
        let table = self.here.sql("src.t");
        let rows = held(&mut self.here_conn, &table, "id", &case.key.source, &cells)?;
        let numbers: BTreeMap<&str, u64> = case.rows.iter().map(|row| (&*row.id, row.nr)).collect();
        for row in rows {
            let Some(nr) = numbers.get(&*row.number.to_string()) else {
                continue;
            };
            let (mut names, mut values) = (vec!["nr".to_owned()], vec![nr.to_string()]);
            let pairs =
                std::iter::once((&case.key, &row.key)).chain(case.cells.iter().zip(&row.cells));
            for (pair, cell) in pairs.filter(|(pair, _)| pair.destination.generated.is_none()) {
                names.push(pair.destination.name.clone());
                values.push(self.told(cell));
            }
            let sql = format!(
                "INSERT IGNORE INTO des.t ({}) VALUES ({})",
                names.join(", "),
                values.join(", ")
            );
            let _ = self.exec(&sql);
        }
        Ok(())
    }

    /// A value as a literal of the destination's server.
    fn told(&self, value: &Value) -> String {
        match value {
            Value::Null => "NULL".into(),
            Value::Exact(number) => number.plain(),
            Value::Float(value) => format!("{value:e}"),
            Value::Double(value) => format!("{value:e}"),
            Value::Text {
                charset,
                raw,
                characters,
            } => match characters {
                _ if self
                    .destination
                    .collations
                    .iter()
                    .any(|(one, _)| one == charset) =>
                {
                    format!("_{charset} X'{}'", hex(raw))
                }
                Some(text) => format!("_utf8mb4 X'{}'", hex(text.as_bytes())),
                None => "NULL".into(),
            },
            Value::Bytes(bytes) => format!("X'{}'", hex(bytes)),
            Value::Moment {
                instant, printed, ..
            } => format!("'{}'", instant.as_ref().unwrap_or(printed)),
            Value::Span(micros, _) => {
                let (sign, micros) = (if *micros < 0 { "-" } else { "" }, micros.unsigned_abs());
                let seconds = micros / 1_000_000;
                format!(
                    "'{sign}{}:{:02}:{:02}.{:06}'",
                    seconds / 3600,
                    seconds / 60 % 60,
                    seconds % 60,
                    micros % 1_000_000
                )
            }
            Value::Json(text) => format!("_utf8mb4 X'{}'", hex(text.as_bytes())),
            Value::Uuid(text) => format!("'{text}'"),
        }
    }

    fn truth(&mut self, case: &Case) -> Truth {
        let tables = [self.here.sql("src.t"), self.there.sql("des.t")];
        let truth = Truth::of(
            case,
            &mut self.here_conn,
            &mut self.there_conn,
            [&tables[0], &tables[1]],
        );
        truth.unwrap_or_else(|error| panic!("The truth cannot be asked for: {error}"))
    }

    fn configure(&mut self, case: &Case) {
        let mut columns = Map::new();
        let mapped = case.key_is_mapped.then_some(&case.key);
        for Pair {
            source,
            destination,
        } in mapped.into_iter().chain(&case.cells)
        {
            columns.insert(source.name.clone(), json!(destination.name));
        }
        self.config
            .set("/src/byColumn", case.key.source.name.as_str())
            .set("/des/0/byColumn", case.key.destination.name.as_str())
            .set("/des/0/columns", Json::Object(columns));
        self.config.forget();
        self.config.path();
    }

    /// Every value of the source fits into the copy, under a key that is unique there too.
    fn is_repairable(&self, case: &Case, truth: &Truth) -> bool {
        let holds = |pair: &Pair| {
            let (source, destination) = (&pair.source, &pair.destination);
            source.of == destination.of
                && destination.generated.is_none()
                && (destination.nullable || !source.nullable)
                && !case
                    .destination_indexes
                    .iter()
                    .any(|index| index.contains(&destination.name) && source.nullable)
        };
        let unique = ["UNIQUE KEY (k)", "PRIMARY KEY (k)"];
        let is_unique = case.key_is_id
            || case
                .source_indexes
                .iter()
                .any(|index| unique.contains(&&**index));
        // What is no character, or no value of the destination's type, nobody can write.
        is_unique
            && holds(&case.key)
            && case.cells.iter().all(holds)
            && truth.repeated.is_empty()
            && truth.source.iter().all(|row| row.key != Value::Null)
            && self.is_one_server()
    }

    /// Applies what `--fix-sql` wrote; then nothing may be wrong any more.
    fn judge_statements(&mut self, case: &Case) -> Result<(), Failure> {
        let failure = |class: &str, detail: String| Failure {
            command: "reconcile --fix-sql".into(),
            class: class.into(),
            detail,
        };
        let path = self.config.folder().join("fix.sql");
        let _ = std::fs::remove_file(&path);
        let outcome = self.cupid("reconcile --dry-run --method stream --fix-sql", Some(&path));
        let text = std::fs::read_to_string(&path)
            .map_err(|error| failure("no file", format!("{error}: {}", outcome.stderr)))?;
        let mut session = self.there.session();
        for line in text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with("--"))
        {
            if let Err(error) = session.query_drop(line) {
                return Err(failure(
                    "a statement is refused",
                    format!("{error} in: {line}"),
                ));
            }
        }
        let truth = self.truth(case);
        if truth.is_wrong() {
            return Err(failure(
                "the statements do not repair",
                format!("{:?}\n{text}", truth.verdicts),
            ));
        }
        let outcome = self.cupid("reconcile --dry-run --method stream", None);
        if outcome.code != Some(0) {
            return Err(failure(
                "not clean afterwards",
                format!("{outcome:?}\n{text}"),
            ));
        }
        Ok(())
    }

    /// `cupid COMMAND CONFIG OPTIONS… FILE`.
    fn cupid(&self, command: &str, file: Option<&PathBuf>) -> Outcome {
        let (command, options) = command.split_once(' ').unwrap_or((command, ""));
        let config = self.config.folder().join("config.json");
        let mut cupid = Cupid::program(&[], &self.program, [command.as_ref(), config.as_os_str()])
            .args(options)
            .limit(TIME_MAX);
        if let Some(file) = file {
            cupid = cupid.arg(file);
        }
        cupid.run()
    }
}

/// The two ways of an audit always; one other way to look.
fn commands_of(case: &Case) -> Vec<&'static str> {
    const OTHERS: &[&str] = &[
        "run --dry-run",
        "run --dry-run",
        "reconcile --dry-run",
        "reconcile --dry-run --method stream --memory 1M",
    ];
    let other = usize::try_from(case.choice / 2 % OTHERS.len() as u64).unwrap_or(0);
    vec![
        "reconcile --dry-run --method stream --extra",
        "reconcile --dry-run --method checksum",
        OTHERS[other],
    ]
}

/// One command about one case.
struct Trial<'a> {
    bench: &'a mut Bench,
    case: &'a Case,
    truth: &'a Truth,
    command: &'static str,
}

/// What a report says.
#[derive(Default)]
struct Said {
    missing: BTreeSet<i128>,
    different: BTreeMap<i128, BTreeSet<String>>,
    duplicate: BTreeSet<i128>,
    extra: Vec<String>,
}

impl Trial<'_> {
    fn failure(&self, class: &str, detail: String) -> Failure {
        Failure {
            command: self.command.into(),
            class: class.into(),
            detail,
        }
    }

    fn run(&mut self) -> Result<(), Failure> {
        let path = self.bench.config.folder().join("report.jsonl");
        let partial = path.with_extension("jsonl.partial");
        for file in [&path, &partial] {
            let _ = std::fs::remove_file(file);
        }
        let outcome = self
            .bench
            .cupid(&format!("{} --report", self.command), Some(&path));
        if !matches!(outcome.code, Some(0 | 1)) {
            let class = format!("exit status {:?}", outcome.code);
            return Err(self.failure(&class, outcome.stderr));
        }
        // An audit that left something out says so, and what it found lies beside.
        let text = std::fs::read_to_string(&path).or_else(|_| std::fs::read_to_string(&partial));
        let text = text.map_err(|error| self.failure("no report", error.to_string()))?;
        let said = said(&text).map_err(|reason| self.failure("the report", reason))?;
        let heard = format!("{text}{}", outcome.stderr);
        self.rows(&said, &heard)?;
        let is_read = !heard.contains("cannot be read from end to end");
        if !is_read && self.case.can_be_read_from_end_to_end() {
            return Err(self.failure("is not read", heard));
        }
        if self.command.starts_with("reconcile") {
            self.repeated(&said, &heard)?;
            // Rows that only a copy has are looked for where it can be read by a key, README says.
            let wants_extra = self.command.contains("--extra");
            if wants_extra && is_read {
                self.extra(&said, &heard)?;
            }
            let is_incomplete = wants_extra && !is_read;
            if wants_extra && is_read && self.case.choice.is_multiple_of(3) {
                self.recheck(&said, &path)?;
            }
            let is_wrong = !(said.missing.is_empty()
                && said.different.is_empty()
                && said.duplicate.is_empty()
                && said.extra.is_empty());
            if (outcome.code == Some(1)) != (is_wrong || is_incomplete) {
                return Err(self.failure("exit status", format!("{:?}: {heard}", outcome.code)));
            }
        }
        Ok(())
    }

    /// Nothing has changed: every row of the report is still as it said.
    fn recheck(&self, said: &Said, report: &Path) -> Result<(), Failure> {
        let config = self.bench.config.folder().join("config.json");
        let arguments = ["recheck".as_ref(), config.as_os_str(), report.as_os_str()];
        let cupid = Cupid::program(&[], &self.bench.program, arguments).arg("--json");
        let outcome = cupid.limit(TIME_MAX).run();
        let mut ids = said.duplicate.clone();
        ids.extend(said.missing.iter().chain(said.different.keys()));
        let counts: Json = serde_json::from_str(&outcome.stdout).unwrap_or_default();
        let names = ["rows", "stillDifferent", "repaired", "gone", "notCompared"];
        let found = names.map(|name| counts[name].as_u64());
        let rows = Some(ids.len() as u64);
        let code = Some(i32::from(!ids.is_empty()));
        if found != [rows, rows, Some(0), Some(0), Some(0)] || outcome.code != code {
            let detail = format!("{} rows are told: {outcome:?}", ids.len());
            return Err(Failure {
                command: "recheck".into(),
                class: "other rows".into(),
                detail,
            });
        }
        Ok(())
    }

    fn rows(&self, said: &Said, heard: &str) -> Result<(), Failure> {
        let is_run = self.command.starts_with("run");
        for (&id, verdict) in &self.truth.verdicts {
            if is_run && id < 0 {
                continue; // A first pass starts at id 0.
            }
            let (missing, different) = (said.missing.contains(&id), said.different.get(&id));
            let class = match (verdict, missing, different) {
                (Verdict::Agrees, false, None) | (Verdict::Missing, true, None) => continue,
                (Verdict::Differs(sets), false, Some(columns)) if sets.contains(columns) => {
                    continue;
                }
                (Verdict::Agrees, true, _) => "false missing",
                (Verdict::Agrees, ..) => "false different",
                (Verdict::Missing, ..) => "a missing row is not found missing",
                (Verdict::Differs(_), true, _) => "a different row is found missing",
                (Verdict::Differs(_), false, None) => "a different row is called equal",
                (Verdict::Differs(_), false, Some(_)) => "other columns differ",
            };
            let row = self.truth.source.iter().find(|row| row.number == id);
            return Err(self.failure(
                class,
                format!(
                    "id {id}: {verdict:?}, {row:?}; copies: {:?}\n{heard}",
                    self.truth.destination
                ),
            ));
        }
        let known = |id: &&i128| !self.truth.verdicts.contains_key(id);
        if let Some(id) = said.missing.iter().chain(said.different.keys()).find(known) {
            return Err(self.failure("a row that is not there", format!("{id}: {heard}")));
        }
        Ok(())
    }

    fn repeated(&self, said: &Said, heard: &str) -> Result<(), Failure> {
        if said.duplicate == self.truth.repeated {
            return Ok(());
        }
        let class = if said.duplicate.is_subset(&self.truth.repeated) {
            "a repeated key is not found"
        } else {
            "false duplicate"
        };
        Err(self.failure(
            class,
            format!("{:?} are repeated: {heard}", self.truth.repeated),
        ))
    }

    /// Several rows of a key may be one line.
    fn extra(&mut self, said: &Said, heard: &str) -> Result<(), Failure> {
        let rows: Vec<_> = self
            .truth
            .destination
            .iter()
            .filter(|row| self.truth.extra.contains(&row.number))
            .collect();
        let detail = || format!("{:?} are extra, said: {:?}, {heard}", rows, said.extra);
        if rows.is_empty() != said.extra.is_empty() {
            let class = if rows.is_empty() {
                "false extra"
            } else {
                "extra rows are not found"
            };
            return Err(self.failure(class, detail()));
        }
        let numbers: Vec<String> = self.truth.extra.iter().map(ToString::to_string).collect();
        if numbers.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "SELECT COUNT(DISTINCT {}) FROM des.t WHERE nr IN ({})",
            self.case.key.destination.as_text(),
            numbers.join(", ")
        );
        let least: Option<usize> = self
            .bench
            .there_conn
            .query_first(self.bench.there.sql(&sql))
            .expect("Count the keys");
        let mut distinct: Vec<&Value> = Vec::new();
        for row in &rows {
            if !distinct.contains(&&row.key) {
                distinct.push(&row.key);
            }
        }
        if said.extra.len() < least.unwrap_or(0) {
            return Err(self.failure("extra rows are not found", detail()));
        }
        if said.extra.len() > distinct.len() {
            return Err(self.failure("false extra", detail()));
        }
        if matches!(self.case.key.destination.of.kind, Kind::Text(_)) {
            let texts: Vec<Option<String>> = rows.iter().map(|row| characters(&row.key)).collect();
            let is_known = |key: &&String| {
                let key = key
                    .strip_prefix("\\\\")
                    .map_or_else(|| (*key).clone(), |rest| format!("\\{rest}"));
                texts.contains(&None) || texts.contains(&Some(key))
            };
            if !said.extra.iter().all(|key| is_known(&key)) {
                return Err(self.failure("false extra", detail()));
            }
        }
        Ok(())
    }
}

fn said(text: &str) -> Result<Said, String> {
    let mut said = Said::default();
    for line in text.lines() {
        let line: Json = serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
        let field = |name: &str| match &line[name] {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        let id = || {
            field("id")
                .parse::<i128>()
                .map_err(|error| format!("{error}: {line}"))
        };
        match &*field("kind") {
            "missing" => {
                said.missing.insert(id()?);
            }
            "different" => {
                said.different
                    .entry(id()?)
                    .or_default()
                    .insert(field("column"));
            }
            "duplicate" => {
                said.duplicate.insert(id()?);
            }
            "extra" => said.extra.push(field("key")),
            other => return Err(format!("kind {other}: {line}")),
        }
    }
    Ok(said)
}
