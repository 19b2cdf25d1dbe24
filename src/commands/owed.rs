//! `cupid owed`: what is owed, and what a person does about it.

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;

use super::memory::Memory;
use super::{Connections, load_and_log, load_without_secrets, print_data, state_of, unprinted};
use crate::cli::{self, OwedCommand, OwedDrop, OwedList, OwedSend, OwedShow, OwedWhat, Talk};
use crate::config::Job;
use crate::error::{Error, Exit, Result};
use crate::io::console::Console;
use crate::io::findings::Findings;
use crate::io::output::sync_stdout;
use crate::io::signals::RealClock;
use crate::io::state_dir::StateDir;
use crate::logic::callback::outbox::Outbox;
use crate::logic::callback::owed::Owed;
use crate::logic::callback::pick::{Wanted, pick};
use crate::logic::callback::recognise::recognise;
use crate::logic::report::owed::{Reader, rows_text};
use crate::logic::value::count::counted;
use crate::pipeline::{self, Now};
use crate::world::{Clock as _, Store as _};

/// Callbacks that `send` lists when they stay owed.
const LISTED_MAX: usize = 50;

/// `cupid owed`.
pub(super) fn owed(args: &cli::Owed, clock: &Arc<RealClock>) -> Result<Exit> {
    let config = args.config.display().to_string();
    let run = Command {
        args,
        config: &config,
        clock,
    };
    match &args.command {
        None => run.list(&args.list),
        Some(OwedCommand::List(list)) => run.list(list),
        Some(OwedCommand::Show(show)) => run.show(show),
        Some(OwedCommand::Send(send)) => run.send(send),
        Some(OwedCommand::Drop(drop)) => run.drop(drop),
    }
}

struct Command<'a> {
    args: &'a cli::Owed,
    /// The file, as it was typed.
    config: &'a str,
    clock: &'a Arc<RealClock>,
}

impl Command<'_> {
    /// Exit 1 when something is owed.
    fn list(&self, list: &OwedList) -> Result<Exit> {
        let job = load_without_secrets(&self.args.config)?;
        let outbox = state_of(&job).for_reading()?.all_owed()?;
        let owed = picked(&job, &outbox, Wanted::All, list.destination.as_deref())?;
        let text = if list.json {
            json_lines(&owed)?
        } else {
            let lines_max = usize::try_from(list.limit).unwrap_or(usize::MAX);
            self.text(&job, &owed, lines_max)
        };
        print(&text)?;
        Ok(if owed.is_empty() {
            Exit::Done
        } else {
            Exit::Attention
        })
    }

    fn text(&self, job: &Job, owed: &[&Owed], lines_max: usize) -> String {
        let is_configured = |name: &str| names(job).contains(&name);
        self.reader(&is_configured).list(owed, lines_max)
    }

    fn reader<'r>(&'r self, is_configured: &'r dyn Fn(&str) -> bool) -> Reader<'r> {
        Reader {
            config: self.config,
            now_us: self.clock.now_us(),
            is_configured,
        }
    }

    /// Exit 1 when a destination cannot be read.
    fn show(&self, show: &OwedShow) -> Result<Exit> {
        let job = load_and_log(&self.args.config, Talk::default())?;
        let outbox = state_of(&job).for_reading()?.all_owed()?;
        let wanted = Wanted::Keys(&show.keys);
        let owed = picked(&job, &outbox, wanted, show.destination.as_deref())?;
        let owed: Vec<Owed> = owed.into_iter().cloned().collect();
        let connections = Connections::new(&job, self.clock)?;
        let console = Console::new(Findings::default(), false);
        let tables = connections.tables();
        let all = pipeline::show(&job, &tables, &**self.clock, &console, &owed)?;
        let is_configured = |name: &str| names(&job).contains(&name);
        let reader = self.reader(&is_configured);
        let endpoint = |owed: &Owed| {
            let mut destinations = job.destinations.iter();
            let destination = destinations.find(|it| it.name == owed.destination)?;
            Some(destination.callback.shown_url())
        };
        let texts = owed.iter().zip(&all).map(|(owed, now)| {
            let entry = reader.entry(owed, endpoint(owed).as_deref());
            entry + &now_text(now)
        });
        print(&texts.collect::<Vec<_>>().join("\n"))?;
        Ok(if all.contains(&Now::Unread) {
            Exit::Attention
        } else {
            Exit::Done
        })
    }

    /// Exit 1 when some of it is still owed.
    fn send(&self, send: &OwedSend) -> Result<Exit> {
        let job = load_and_log(&self.args.config, send.talk)?;
        let mut state = state_of(&job);
        let _lock = state.lock()?;
        state.adopt_audits()?;
        let outbox = own_outbox(&job, &mut state)?;
        let chosen = chosen(&job, &outbox, &mut state, &send.what)?;
        if chosen.is_empty() {
            print("Nothing is owed.\n")?;
            return Ok(Exit::Done);
        }
        if let (false, Some(stranger)) = (send.what.all, stranger(&job, &chosen)) {
            return Err(Error::Usage(format!(
                "{name}: the configuration no longer names this destination, so nothing can be sent to it. Give a destination \
                 of des[] this name, or drop what is owed to it: cupid owed {} drop --all --destination {name}",
                self.config,
                name = stranger.destination
            )));
        }
        let keys: BTreeSet<_> = chosen
            .iter()
            .map(|it| (it.destination.clone(), it.id))
            .collect();
        let connections = Connections::new(&job, self.clock)?;
        let console = Console::new(Findings::default(), false);
        let mut memory = Memory::load(&job, self.clock.now_us());
        let world = &mut connections.world(&mut state, self.clock, &console);
        let outcome = pipeline::send(&job, world, keys.clone());
        let outbox = own_outbox(&job, &mut state)?;
        memory.after_choice(Some(&outcome), &outbox, self.clock.now_us());
        let summary = outcome?;
        let left: Vec<&Owed> = outbox
            .iter()
            .filter(|it| keys.contains(&(it.destination.clone(), it.id)))
            .collect();
        let line = summary.line() + "\n";
        if left.is_empty() {
            print(&line)?;
            return Ok(Exit::Done);
        }
        print(&(line + &self.text(&job, &left, LISTED_MAX)))?;
        Ok(Exit::Attention)
    }

    /// Exit 1 when somebody said no.
    fn drop(&self, drop: &OwedDrop) -> Result<Exit> {
        let job = load_and_log(&self.args.config, Talk::default())?;
        let can_ask = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        if !drop.yes && !can_ask {
            return Err(Error::Usage(
                "This is no terminal, so cupid cannot ask before it drops. Add --yes".into(),
            ));
        }
        let mut state = state_of(&job);
        let _lock = state.lock()?;
        state.adopt_audits()?;
        let mut outbox = own_outbox(&job, &mut state)?;
        let chosen = chosen(&job, &outbox, &mut state, &drop.what)?;
        if chosen.is_empty() {
            return Ok(Exit::Done);
        }
        if !drop.yes && !is_agreed(&chosen)? {
            return Ok(Exit::Attention);
        }
        // Who keeps what is printed has all of it before it leaves the file.
        print(&json_lines(&chosen.iter().collect::<Vec<_>>())?)?;
        sync_stdout().map_err(|error| unprinted(OPERATION, &error))?;
        for owed in &chosen {
            outbox.remove(owed);
        }
        state.replace_outbox(&outbox)?;
        let now_us = self.clock.now_us();
        Memory::load(&job, now_us).after_choice(None, &outbox, now_us);
        Ok(Exit::Done)
    }
}

const OPERATION: &str = "Write what is owed to";

fn print(text: &str) -> Result<()> {
    print_data(OPERATION, text)
}

fn names(job: &Job) -> Vec<&str> {
    let destinations = job.destinations.iter();
    destinations
        .map(|destination| destination.name.as_str())
        .collect()
}

/// What is owed, under the lock, in the names of the configuration.
fn own_outbox(job: &Job, state: &mut StateDir) -> Result<Outbox> {
    let known = job.known_destinations();
    Ok(recognise(state.checkpoint()?, state.outbox()?, &known).outbox)
}

fn picked<'o>(
    job: &Job,
    outbox: &'o Outbox,
    wanted: Wanted<'_>,
    destination: Option<&str>,
) -> Result<Vec<&'o Owed>> {
    pick(outbox, wanted, destination, &names(job))
        .map_err(|unclear| Error::Usage(unclear.to_string()))
}

/// What is to be acted on, of what is owed under the lock.
fn chosen(job: &Job, outbox: &Outbox, state: &mut StateDir, what: &OwedWhat) -> Result<Vec<Owed>> {
    let wanted = if what.all {
        Wanted::All
    } else {
        Wanted::Keys(&what.keys)
    };
    let destination = what.destination.as_deref();
    match picked(job, outbox, wanted, destination) {
        Ok(chosen) => Ok(chosen.into_iter().cloned().collect()),
        // Whoever reads sees what the lock of an audit keeps from being acted on.
        Err(_) if picked(job, &state.all_owed()?, wanted, destination).is_ok() => {
            Err(Error::Usage(
                "A running audit owes this callback. Act on it when the audit has ended".into(),
            ))
        }
        Err(error) => Err(error),
    }
}

fn stranger<'o>(job: &Job, chosen: &'o [Owed]) -> Option<&'o Owed> {
    let names = names(job);
    chosen
        .iter()
        .find(|owed| !names.contains(&owed.destination.as_str()))
}

/// As in the file.
fn json_lines(owed: &[&Owed]) -> Result<String> {
    let mut text = String::with_capacity(owed.len() * 256);
    for owed in owed {
        text += &serde_json::to_string(owed).map_err(|error| unprinted(OPERATION, &error))?;
        text.push('\n');
    }
    Ok(text)
}

/// Asks a person at the terminal.
fn is_agreed(chosen: &[Owed]) -> Result<bool> {
    let failed = |error: std::io::Error| unprinted("Ask at", &error);
    let destinations: BTreeSet<&str> = chosen.iter().map(|it| it.destination.as_str()).collect();
    let destinations: Vec<&str> = destinations.into_iter().collect();
    write!(
        std::io::stderr(),
        "Drop {} owed to {}? [y/N] ",
        counted(chosen.len() as u64, "callback"),
        destinations.join(", ")
    )
    .map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(failed)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn now_text(now: &Now) -> String {
    match now {
        Now::Wrong(rows) => rows_text(rows),
        Now::Agrees => "  The two rows agree now. The next pass drops this callback.\n".into(),
        Now::Gone => "  The source row is not there now.\n".into(),
        Now::TooLarge(too_large) => format!("  The rows cannot be read: {too_large}.\n"),
        Now::Unread => "  The destination's row cannot be read.\n".into(),
    }
}
