//! `cupid init`: reads what tables are made of, and writes configurations. It changes nothing on a
//! server.

mod accounts;
mod outputs;
mod tables;

use std::sync::Arc;

use super::print_data;
use crate::cli::Init;
use crate::error::{Exit, Result};
use crate::init::said;
use crate::init::written::{self, Servers};
use crate::io::new_file;
use crate::io::signals::RealClock;

use outputs::Place;
use tables::Watched;

const EXAMPLE: &str = include_str!("../../examples/user.json");

/// `cupid init`. Exit 1 where something has to be filled in by hand.
pub(super) fn init(init: &Init, clock: &Arc<RealClock>) -> Result<Exit> {
    let place = Place::of(init)?;
    let Some(src) = &init.src else {
        place.write_example(EXAMPLE)?;
        return Ok(Exit::Done);
    };
    let asked = accounts::ask(src, init, &place.config(), clock)?;
    let found = tables::find(&init.table, &asked)?;
    let text = match &place {
        Place::Folder(folder) => {
            outputs::write_folder(folder, &asked.servers, &found.watched)?;
            None
        }
        Place::File(path) => {
            let text = alone(&found.watched[0]);
            new_file::create_all(&[(path.clone(), text)])?;
            None
        }
        Place::Stdout => Some(alone(&found.watched[0])),
    };
    if let Some(text) = text {
        print_data("Write the configuration", &text)?;
    }
    tell(&found, &asked.servers, &place);
    let has_callbacks = init.callback.len() == 1 || init.callback.len() == init.des.len();
    let is_complete = found.watched.iter().all(|it| it.choices.is_complete());
    Ok(if is_complete && has_callbacks {
        Exit::Done
    } else {
        Exit::Attention
    })
}

fn alone(watched: &Watched) -> String {
    let Watched {
        servers,
        source,
        copies,
        choices,
    } = watched;
    written::alone(servers, source, copies, choices)
}

/// Says on stderr what was found and what to do next.
fn tell(found: &tables::Tables, servers: &Servers, place: &Place) {
    let reports = found.watched.iter();
    let mut words: Vec<String> = reports
        .map(|it| said::report(&it.source, &it.copies, &it.choices))
        .collect();
    let skipped = found.skipped.iter();
    let skipped: String = skipped.map(|it| said::line("skipped", it)).collect();
    if !skipped.is_empty() {
        words.push(skipped);
    }
    let mut words = words.join("\n");
    let without_callback = servers
        .destinations
        .iter()
        .filter(|it| it.callback.is_none());
    for destination in without_callback {
        let missing = "callbackNotification.url: --callback was not given";
        words += &said::line("to decide", &format!("{}: {missing}", destination.name));
    }
    words += &place.next(servers);
    crate::io::console::tell_person(&words);
}
