//! The configuration file: as written, then as meant.
//!
//! [`load`] reads a file once and gives a [`Job`]. Everything that needs no server is parsed and
//! checked by then. A file with problems is refused as a whole, and the refusal lists every problem
//! by its key.

mod callback;
mod destination;
mod dsn;
mod env_file;
mod extends;
mod file;
mod files;
mod job;
mod json;
mod merge;
mod names;
mod notify;
mod reader;
pub(crate) mod refusals;
mod source;
mod table;
mod table_name;
mod target;
#[cfg(test)]
mod tests;
mod text;
mod tls;
mod variables;
mod web_address;
mod words;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use self::files::{configurations, files};
pub use self::job::*;
use self::reader::{Context, Reader, Secrets};
pub(crate) use self::target::{
    Target, check_callback, file_of_variables, stem_of, table_of, target, variable,
};
use self::text::read_text;
pub(crate) use self::words::{likeness, nearest};
use crate::error::Result;
use crate::logic::notify::Channel;
use crate::logic::scan::identity::{self, Conflict, Unnamed};
use crate::logic::scan::load::LoadLimits;
use crate::logic::value::path_text;

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

/// What `cupid notify` needs of a configuration: neither a server nor the secret of one.
#[derive(Clone, Debug)]
pub struct Notifications {
    /// `name`.
    pub name: String,
    /// [`Job::channels`].
    pub channels: Vec<Channel>,
}

/// Reads a configuration file.
///
/// # Errors
///
/// [`crate::error::Error::Config`] when the file cannot be read or holds problems.
pub fn load(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Job> {
    load_with(path, env, Secrets::Needed)
}

/// Reads a configuration file for a command that needs no secret: where one is missing, the job has
/// another text in its place. To be used for reading state alone.
///
/// # Errors
///
/// As [`load`], but for secrets that are missing or cannot be read.
pub fn load_without_secrets(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Job> {
    load_with(path, env, Secrets::Unneeded)
}

fn load_with(path: &Path, env: &dyn Fn(&str) -> Option<String>, secrets: Secrets) -> Result<Job> {
    let (text, readable_by_others) = file::read(path)?;
    let surroundings = file::surroundings(env, readable_by_others);
    let absolute = std::path::absolute(path).map_err(|error| file::unreadable(path, &error))?;
    Ok(Job {
        file: path_text::text(&absolute),
        ..parse_with(&text, path, &surroundings, secrets)?
    })
}

/// Reads the notifications of a configuration file, whatever else it holds.
///
/// # Errors
///
/// [`crate::error::Error::Config`] when the file cannot be read or holds problems in the keys of notifications.
pub fn load_notifications(
    path: &Path,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Notifications> {
    let (text, readable_by_others) = file::read(path)?;
    let surroundings = file::surroundings(env, readable_by_others);
    let read = |root: Reader<'_>| read_notifications(&root, path);
    Ok(read_text(&text, path, &surroundings, Secrets::Needed, read)?.0)
}

/// Reads the text of a configuration, and the files that it extends; `path` gives the default of
/// `name`, the folder of relative files, and stands in errors.
///
/// # Errors
///
/// [`crate::error::Error::Config`] with every problem found, one per line.
pub fn parse(text: &str, path: &Path, surroundings: &Surroundings<'_>) -> Result<Job> {
    parse_with(text, path, surroundings, Secrets::Needed)
}

fn parse_with(
    text: &str,
    path: &Path,
    surroundings: &Surroundings<'_>,
    secrets: Secrets,
) -> Result<Job> {
    let read = |root: Reader<'_>| read_job(root, path, surroundings);
    let (job, findings) = read_text(text, path, surroundings, secrets, read)?;
    Ok(Job {
        notes: findings.notes,
        secret_files: findings.secret_files,
        lacks_source_secret: findings.lacks_source_secret,
        secrets_readable_by_others: findings.open_files,
        ..job
    })
}

/// What `cupid notify` needs of the file; the other keys may hold anything.
fn read_notifications(root: &Reader<'_>, path: &Path) -> Option<Notifications> {
    let name = read_name(root, path);
    let channels = notify::read(root);
    let pushbear = root
        .object("src", "should hold an object")
        .map(|object| Reader::new(root.context(), "src".into(), object))
        .and_then(|source| notify::read_pushbear(&source));
    Some(Notifications {
        name: name?.0,
        channels: notify::with_pushbear(channels?, pushbear),
    })
}

/// The whole file. `None` goes with at least one problem written down; what is read here may be incomplete otherwise.
fn read_job(root: Reader<'_>, path: &Path, surroundings: &Surroundings<'_>) -> Option<Job> {
    let name = read_name(&root, path);
    let workers = root.whole("workerNumber", 1..=1024, "of threads");
    let log_dir = root.file("logDir", "should hold a folder");
    let metrics_file = read_metrics_file(&root);
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
    let rows_per_second_max = root.whole("maxRowsPerSecond", 1..=100_000_000, "of rows a second");
    let load_limits = LoadLimits {
        threads_running: root.whole("maxThreadsRunning", 1..=100_000, "of threads"),
        lag_s: root.whole("maxLagSecond", 1..=86_400, "of seconds"),
    };
    let channels = notify::read(&root);
    let heartbeat = notify::read_heartbeat(&root);
    let source = root.object("src", "should hold an object with dsn, table, byColumn …");
    let source = root
        .require(
            "src",
            source,
            "should hold an object with dsn, table, byColumn …",
        )
        .and_then(|object| source::read(Reader::new(root.context(), "src".into(), object)));
    let callback_delay = Duration::from_millis(callback_delay_ms.unwrap_or(1000));
    let destinations = read_destinations(&root, callback_delay);
    // For editors, and dealt with before.
    for key in ["$schema", "extends"] {
        root.value(key);
    }
    root.finish();
    let (name, former_name) = name?;
    let (source, pushbear) = source?;
    let channels = notify::with_pushbear(channels?, pushbear);
    Some(Job {
        name,
        former_name,
        workers: workers.map_or(surroundings.cores.max(1), in_memory),
        log_dir,
        metrics_file,
        confirm_delay: Duration::from_millis(confirm_delay_ms.unwrap_or(1000)),
        delivery_time: Duration::from_secs(delivery_s.unwrap_or(60)),
        owed_max: owed_max.map_or(100_000, in_memory),
        rows_per_second_max,
        load_limits,
        source,
        destinations: destinations?,
        channels,
        heartbeat: heartbeat?,
        lacks_source_secret: false,
        secrets_readable_by_others: vec![],
        secret_files: vec![],
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

/// `des[]`, each with a name of its own.
fn read_destinations(root: &Reader<'_>, callback_delay: Duration) -> Option<Vec<DestinationJob>> {
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
        read.push((name, destination::read(reader, callback_delay)));
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

/// The collector reads files of one ending only.
fn read_metrics_file(root: &Reader<'_>) -> Option<PathBuf> {
    const SHOULD: &str = "should hold a file whose name ends in .prom, in the folder of node_exporter's textfile collector";
    let text = root.text("metricsFile", SHOULD)?;
    let file = PathBuf::from(&text.value);
    let is_prom = file
        .extension()
        .is_some_and(|extension| extension == "prom");
    if !is_prom {
        root.refuse("metricsFile", &text, SHOULD);
        return None;
    }
    Some(file)
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
    let of_user = || Some(xdg().or_else(home)?.join("cupid"));
    systemd
        .or_else(|| beside_unit(context.file()))
        .or_else(of_user)
}

/// Where the unit of a configuration keeps its state (`cupid@.service`), so that a shell finds it too.
fn beside_unit(config: &Path) -> Option<PathBuf> {
    let config = std::path::absolute(config).ok()?;
    let is_in_etc = config.parent() == Some(Path::new("/etc/cupid"));
    let stem = config.file_stem().filter(|_| is_in_etc)?;
    Some(Path::new("/var/lib/cupid").join(stem))
}
