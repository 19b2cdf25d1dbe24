//! Several configurations side by side in one process. Each has a thread, a lock, a clock and a log
//! prefix. One that fails, or waits for a server, does not delay another.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::passes::{Orders, passes};
use crate::config::configurations;
use crate::error::{Error, Exit, Result};
use crate::io::signals::RealClock;
use crate::io::{logging, service};
use crate::locks::locked;
use crate::logic::report::summary::worst;
use crate::logic::value::count::counted;
use crate::world::Clock as _;

/// A configuration that cannot be used now is tried again after this time, or when the configurations are read again.
const TRY_AGAIN: Duration = Duration::from_secs(60);
/// How long the service manager waits at most until it hears of a change.
const LOOK_AROUND: Duration = Duration::from_secs(1);
/// Passes ask for the time all along. Whoever has not for so long hangs: no single wait is longer.
const HANGS_AFTER: Duration = Duration::from_secs(900);

/// The passes of all configurations that `paths` names. The exit status is the worst one.
pub(super) fn side_by_side(
    paths: &[PathBuf],
    orders: Orders,
    clock: &Arc<RealClock>,
) -> Result<Exit> {
    let files = configurations(paths)?;
    let board = Arc::new(Board::default());
    if let ([path], [file]) = (paths, files.as_slice())
        && path == file
    {
        board.add(file);
        return passes(file, &orders, clock, &|exit, line| {
            board.note(file, exit);
            board.tell_service(Some(line));
            service::tell_alive();
        });
    }
    refuse_single(&orders)?;
    logging::start(logging::level(orders.talk.verbose, orders.talk.quiet));
    let mut crew = Crew {
        orders: Arc::new(Orders {
            has_bar: false,
            ..orders
        }),
        board,
        clock,
        members: BTreeMap::new(),
    };
    crew.follow(files)?;
    crew.watch(paths);
    Ok(crew.joined())
}

/// Two options make sense for a single configuration alone.
fn refuse_single(orders: &Orders) -> Result<()> {
    let option = if orders.start_id.is_some() {
        "A start id"
    } else if orders.report.is_some() {
        "--report"
    } else {
        return Ok(());
    };
    Err(Error::Usage(format!(
        "{option} goes with a single configuration; name one file"
    )))
}

/// The threads.
struct Crew<'a> {
    orders: Arc<Orders>,
    board: Arc<Board>,
    clock: &'a Arc<RealClock>,
    members: BTreeMap<PathBuf, Member>,
}

struct Member {
    clock: Arc<RealClock>,
    thread: JoinHandle<Exit>,
}

impl Crew<'_> {
    /// Starts what is new among these files, has the others read again, and stops what is not among them any more.
    fn follow(&mut self, files: Vec<PathBuf>) -> Result<()> {
        for (file, member) in &self.members {
            if files.contains(file) {
                member.clock.ask_reload();
            } else {
                member.clock.stop();
                self.board.remove(file);
            }
        }
        let count = files.len();
        for file in files {
            if self
                .members
                .get(&file)
                .is_some_and(|it| !it.thread.is_finished())
            {
                continue;
            }
            self.board.add(&file);
            let clock = Arc::new(self.clock.another());
            let (orders, board) = (Arc::clone(&self.orders), Arc::clone(&self.board));
            let (own_clock, own_file) = (Arc::clone(&clock), file.clone());
            let thread = std::thread::Builder::new().spawn(move || {
                let exit = keep_on(&own_file, &orders, &own_clock, &board);
                own_clock.wake();
                exit
            });
            let thread = thread.map_err(|error| Error::Threads {
                count,
                reason: error.to_string(),
            })?;
            self.members.insert(file, Member { clock, thread });
        }
        Ok(())
    }

    /// Until all have ended: follows the folders at SIGUSR1, and tells the service manager.
    fn watch(&mut self, paths: &[PathBuf]) {
        let interval = service::watchdog_interval();
        let interval = interval.map_or(LOOK_AROUND, |interval| interval.min(LOOK_AROUND));
        while !self
            .members
            .values()
            .all(|member| member.thread.is_finished())
        {
            self.clock.sleep_until_woken(interval);
            if self.clock.take_reload() {
                let followed = configurations(paths).and_then(|files| self.follow(files));
                if let Err(error) = followed {
                    log::error!(
                        "The folder is not read again, the old configurations stay in force: {error}"
                    );
                }
            }
            self.board.tell_service(None);
            if self.is_alive() {
                service::tell_alive();
            }
        }
    }

    fn is_alive(&self) -> bool {
        let limit_us = i64::try_from(HANGS_AFTER.as_micros()).unwrap_or(i64::MAX);
        let oldest_us = self.clock.now_us().saturating_sub(limit_us);
        let mut members = self.members.values();
        members.all(|it| it.thread.is_finished() || it.clock.alive_us() >= oldest_us)
    }

    fn joined(self) -> Exit {
        let members = self.members.into_values();
        // Its panic was told by the thread itself.
        let exits = members.map(|member| member.thread.join().unwrap_or(Exit::Failed));
        worst(exits)
    }
}

/// The passes of one of several configurations. One that should go on and cannot is tried again.
fn keep_on(file: &Path, orders: &Orders, clock: &Arc<RealClock>, board: &Board) -> Exit {
    let mut told = String::new();
    loop {
        let outcome = passes(file, orders, clock, &|exit, _| board.note(file, exit));
        let exit = match &outcome {
            Ok(exit) => *exit,
            Err(error) => {
                let text = error.to_string();
                let is_usual = matches!(error, Error::Locked(_)) && !logging::is_terminal();
                if !is_usual && text != told {
                    logging::tell_failure(error);
                }
                told = text;
                error.exit()
            }
        };
        board.note(file, exit);
        if outcome.is_ok() || !orders.rhythm.is_endless() || clock.stopping() {
            return exit;
        }
        clock.sleep_between_passes(TRY_AGAIN);
        let _ = clock.take_reload();
        if clock.stopping() {
            return exit;
        }
    }
}

/// How the last pass of each configuration ended.
#[derive(Default)]
struct Board(Mutex<Shown>);

#[derive(Default)]
struct Shown {
    /// `None`: the first one has not ended.
    exits: BTreeMap<PathBuf, Option<Exit>>,
    is_ready: bool,
    line: String,
}

impl Board {
    fn add(&self, file: &Path) {
        locked(&self.0).exits.insert(file.to_owned(), None);
    }

    fn remove(&self, file: &Path) {
        locked(&self.0).exits.remove(file);
    }

    fn note(&self, file: &Path, exit: Exit) {
        if let Some(known) = locked(&self.0).exits.get_mut(file) {
            *known = Some(exit);
        }
    }

    /// Ready once the first pass of each has ended; then what has changed. `line` is said in place of the counts.
    fn tell_service(&self, line: Option<&str>) {
        let mut shown = locked(&self.0);
        if !shown.is_ready && shown.exits.values().all(Option::is_some) {
            shown.is_ready = true;
            service::tell_ready();
        }
        let line = line.map_or_else(|| shown.counts(), str::to_owned);
        if line != shown.line {
            service::tell_status(&line);
            shown.line = line;
        }
    }
}

impl Shown {
    /// `3 configurations: 1 failed, 1 needs attention, 1 ok`.
    fn counts(&self) -> String {
        let of = |exits: &[Exit]| {
            let ended = self.exits.values().flatten();
            ended.filter(|exit| exits.contains(exit)).count()
        };
        let parts = [
            (of(&[Exit::Failed]), "failed"),
            (of(&[Exit::Config, Exit::Usage]), "cannot be used"),
            (of(&[Exit::Attention]), "with something owed or unread"),
            (of(&[Exit::Locked]), "at work elsewhere"),
            (of(&[Exit::Done]), "ok"),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts
            .map(|(count, text)| format!("{count} {text}"))
            .collect();
        let all = counted(self.exits.len() as u64, "configuration");
        format!("{all}: {}", parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_for_the_service_manager_counts_what_ended_how() {
        let board = Board::default();
        for (file, exit) in [
            ("a", Some(Exit::Done)),
            ("b", Some(Exit::Failed)),
            ("c", Some(Exit::Attention)),
            ("d", Some(Exit::Done)),
            ("e", None),
        ] {
            board.add(Path::new(file));
            if let Some(exit) = exit {
                board.note(Path::new(file), exit);
            }
        }
        board.note(Path::new("gone"), Exit::Failed);
        let line = locked(&board.0).counts();
        assert_eq!(
            line,
            "5 configurations: 1 failed, 1 with something owed or unread, 2 ok"
        );
    }
}
