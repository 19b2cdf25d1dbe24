//! The configuration file: as written, then as meant.
//!
//! [`load`] reads a file once and gives a [`Job`] in which nothing is left to parse or to check without a server. A file with
//! problems is refused as a whole, with all of them, each by its key.

mod callback;
mod destination;
mod dsn;
mod env_file;
mod job;
mod names;
mod reader;
pub mod refusals;
mod source;
mod table;
mod table_name;
#[cfg(test)]
mod tests;
mod variables;
mod words;

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jsonc_parser::ast::Value;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

pub use self::job::*;
use self::reader::{Context, Reader};
use self::variables::Variables;
pub(crate) use self::words::nearest;
use crate::error::{Error, Result};
use crate::logic::scan::identity::{self, Conflict, Unnamed};
use crate::logic::value::path_text;

/// Far above any configuration; a wrong path may name a device without end.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Far above any secret, and any list of them.
pub const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// What decides how a file is meant, besides its text.
pub struct Surroundings<'a> {
    /// An environment variable, `None` when it is not set.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Reads a whole file of at most [`SECRET_BYTES_MAX`]: a credential, a file of variables, a secret.
    pub read_file: &'a dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
    /// The default of `workerNumber`.
    pub cores: usize,
    /// True when the file's group or everyone can read it.
    pub readable_by_others: bool,
}

/// Reads a configuration file.
///
/// # Errors
///
/// [`Error::Config`] when the file cannot be read or holds problems.
pub fn load(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Job> {
    let refuse = |problem: String| Error::Config {
        path: path.to_owned(),
        problem,
    };
    let unreadable = |error: std::io::Error| refuse(format!("Cannot be read: {error}"));
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let mut bytes = Vec::new();
    let length = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    if length.map_err(unreadable)? as u64 > FILE_BYTES_MAX {
        return Err(refuse(
            "Is larger than 16 MiB; should be a configuration of cupid".into(),
        ));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| refuse("Is not UTF-8; should be saved as UTF-8".into()))?;
    let surroundings = Surroundings {
        env,
        read_file: &read_secret,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        readable_by_others: readable_by_others(&metadata),
    };
    let file = std::path::absolute(path).map_err(unreadable)?;
    Ok(Job {
        file: path_text::text(&file),
        ..parse(&text, path, &surroundings)?
    })
}

fn read_secret(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(SECRET_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SECRET_BYTES_MAX {
        return Err(std::io::Error::other("it is larger than 64 KiB"));
    }
    Ok(bytes)
}

#[cfg(unix)]
fn readable_by_others(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o044 != 0
}

#[cfg(not(unix))]
fn readable_by_others(_: &std::fs::Metadata) -> bool {
    false
}

/// Reads the text of a configuration; `path` gives the default of `name` and stands in errors.
///
/// # Errors
///
/// [`Error::Config`] with every problem found, one per line.
pub fn parse(text: &str, path: &Path, surroundings: &Surroundings<'_>) -> Result<Job> {
    let refuse = |problem: String| Error::Config {
        path: path.to_owned(),
        problem,
    };
    // JSON with comments and trailing commas, and no other liberty.
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options)
        .map_err(|error| refuse(format!("Is not valid JSON: {error}")))?;
    let Some(Value::Object(object)) = &parsed.value else {
        return Err(refuse(
            "Holds no JSON object; should hold {…} with the keys src and des".into(),
        ));
    };
    let variables = Variables::new(surroundings.env, surroundings.read_file, path);
    let context = Context::new(variables);
    let root = Reader::new(&context, String::new(), object);
    let job = read_job(root, path, surroundings);
    let (problems, notes, secret_in_clear) = context.into_findings();
    match (job, problems.as_slice()) {
        (Some(job), []) => Ok(Job {
            notes,
            secrets_readable_by_others: secret_in_clear && surroundings.readable_by_others,
            ..job
        }),
        (_, [one]) => Err(refuse(one.clone())),
        (_, many) => Err(refuse(format!(
            "{} problems\n{}",
            many.len(),
            many.join("\n")
        ))),
    }
}

/// The whole file. `None` goes with at least one problem written down; what is read here may be incomplete otherwise.
fn read_job(root: Reader<'_>, path: &Path, surroundings: &Surroundings<'_>) -> Option<Job> {
    let name = read_name(&root, path);
    let workers = root.whole("workerNumber", 1..=1024, "of threads");
    let log_dir = root.file("logDir", "should hold a folder");
    let callback_delay_ms = root.whole(
        "callbackWorkerIntervalMillisecond",
        1..=3_600_000,
        "of milliseconds",
    );
    let paced = root.whole(
        "taskWorkerIntervalMillisecond",
        0..=86_400_000,
        "of milliseconds",
    );
    if paced.is_some() {
        root.context().note(
            "taskWorkerIntervalMillisecond is read and ignored: work is not paced row by row any more"
                .into(),
        );
    }
    let confirm_delay_ms = root.whole("confirmDelayMillisecond", 0..=600_000, "of milliseconds");
    let delivery_s = root.whole("deliverySecond", 1..=86_400, "of seconds");
    let owed_max = root.whole("maxOwed", 1..=10_000_000, "of callbacks");
    read_notifications(&root);
    if root
        .file("metricsFile", "should hold a file name that ends in .prom")
        .is_some()
    {
        root.context()
            .note("metricsFile is accepted, but this version does not write metrics yet".into());
    }
    let source = root.object("src", "should hold an object with dsn, table, byColumn …");
    let source = root
        .require(
            "src",
            source,
            "should hold an object with dsn, table, byColumn …",
        )
        .and_then(|object| source::read(Reader::new(root.context(), "src".into(), object)));
    let destinations = read_destinations(&root);
    root.finish();
    let (name, former_name) = name?;
    Some(Job {
        name,
        former_name,
        workers: workers.map_or(surroundings.cores.max(1), in_memory),
        log_dir,
        callback_delay: Duration::from_millis(callback_delay_ms.unwrap_or(1000)),
        confirm_delay: Duration::from_millis(confirm_delay_ms.unwrap_or(1000)),
        delivery_time: Duration::from_secs(delivery_s.unwrap_or(60)),
        owed_max: owed_max.map_or(100_000, in_memory),
        source: source?,
        destinations: destinations?,
        secrets_readable_by_others: false,
        path: path.to_owned(),
        file: path_text::text(path),
        notes: Vec::new(),
    })
}

/// Every number that comes here has a limit far below `usize::MAX`.
fn in_memory(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// `name`, else the file's stem with what cannot be in a file name replaced; and what earlier versions made of the stem.
fn read_name(root: &Reader<'_>, path: &Path) -> Option<(String, Option<String>)> {
    const SHOULD: &str = "should hold 1 to 100 letters and digits of any script, dots, underscores and dashes, 200 bytes at the \
                          most";
    if let Some(text) = root.text("name", SHOULD) {
        let name = names::normalized(&text.value);
        if names::is_name(&name) {
            return Some((name, None));
        }
        root.refuse("name", &text, SHOULD);
        return None;
    }
    if root.has("name") {
        return None;
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = names::of_stem(&stem);
    if name.is_empty() {
        root.problem(
            "name",
            &format!("is missing and the file's name gives none; {SHOULD}"),
        );
        return None;
    }
    if names::normalized(&stem) != name {
        root.context().note(format!(
            "name: the state files are named {name}, after the file, whose own name has other characters or is longer; \
             set name when several such files share src.cacheFilePath"
        ));
    }
    let former = names::of_stem_before(&stem);
    let former = (former != name).then_some(former);
    Some((name, former))
}

/// `notify[]`: only looked at, so that a complete file loads.
fn read_notifications(root: &Reader<'_>) {
    const TYPES: [&str; 7] = [
        "serverchan",
        "wecom",
        "dingtalk",
        "feishu",
        "slack",
        "webhook",
        "command",
    ];
    let Some(notifications) = root.list("notify", "should hold a list of objects [{…}]") else {
        return;
    };
    if !notifications.is_empty() {
        root.context()
            .note("notify is accepted, but this version does not send notifications yet".into());
    }
    for notification in notifications {
        let should = format!("should hold one of {}", TYPES.join(", "));
        let kind = notification.text("type", &should);
        if let Some(kind) = notification.require("type", kind, &should)
            && !TYPES.contains(&kind.value.as_str())
        {
            let near = nearest(&kind.value, &TYPES);
            let near = near.map_or(String::new(), |near| format!(" (did you mean {near}?)"));
            notification.refuse("type", &kind, &format!("{should}{near}"));
        }
        notification.accept_the_rest();
    }
}

/// `des[]`, each with a name of its own.
fn read_destinations(root: &Reader<'_>) -> Option<Vec<DestinationJob>> {
    const SHOULD: &str = "should hold a list of one or more destinations [{…}]";
    let readers = root.list("des", SHOULD);
    let readers = root.require("des", readers, SHOULD)?;
    if readers.is_empty() {
        root.problem("des", &format!("holds no destination; {SHOULD}"));
    }
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut read = Vec::new();
    for reader in readers {
        let name = destination::read_name(&reader);
        if let Some(name) = &name
            && !taken.insert(name.value.clone())
        {
            reader.refuse(
                "name",
                name,
                "should be a name that no other destination has",
            );
        }
        read.push((name, destination::read(reader)));
    }
    let mut given = Vec::new();
    let mut destinations = Vec::new();
    for (name, destination) in read {
        given.push(name.map(|name| name.value));
        destinations.push(destination?);
    }
    name_destinations(root, given, &mut destinations)?;
    Some(destinations)
}

/// Gives each destination its name; those that two destinations would share are refused.
fn name_destinations(
    root: &Reader<'_>,
    given: Vec<Option<String>>,
    destinations: &mut [DestinationJob],
) -> Option<()> {
    let unnamed: Vec<Unnamed> = given
        .into_iter()
        .zip(&*destinations)
        .map(|(given, destination)| Unnamed {
            given,
            table_name: destination.table.name(),
            id: destination.id(),
        })
        .collect();
    let names = match identity::names(&unnamed) {
        Ok(names) => names,
        Err(Conflict { number, other }) => {
            root.context().problem(
                &format!("des[{number}].name"),
                &format!(
                    "is missing, and nothing tells this destination from des[{other}]: server, table, byColumn, where, \
                     columns and callbackNotification.url are the same, or its name is the default here; should be given"
                ),
            );
            return None;
        }
    };
    let before = identity::names_before(&unnamed);
    for ((destination, name), before) in destinations.iter_mut().zip(names).zip(before) {
        destination.name = name;
        destination.name_before = before;
    }
    Some(())
}

/// Where state files are when the file does not say: `$STATE_DIRECTORY` of systemd, else the user's state folder.
fn default_state_dir(context: &Context<'_>) -> Option<PathBuf> {
    let set = |name: &str| context.env(name).filter(|value| !value.is_empty());
    // systemd lists several folders with colons between.
    let systemd = set("STATE_DIRECTORY").and_then(|list| {
        list.split(':')
            .find(|dir| !dir.is_empty())
            .map(PathBuf::from)
    });
    // The XDG specification: a relative path is to be ignored.
    let xdg = || {
        set("XDG_STATE_HOME")
            .map(PathBuf::from)
            .filter(|dir| dir.is_absolute())
    };
    let home = || set("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    systemd.or_else(|| Some(xdg().or_else(home)?.join("cupid")))
}
