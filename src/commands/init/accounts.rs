//! The servers that the command line names, and their passwords.

use std::path::Path;
use std::sync::Arc;

use super::super::env;
use crate::cli::Init;
use crate::config::{self, Server, Target};
use crate::error::{Error, Result};
use crate::init::written::{Account, Destination, Servers};
use crate::io::mysql::Survey;
use crate::io::password;
use crate::io::signals::RealClock;
use crate::world::Clock;

/// The servers, as they are written and as they are asked.
pub(super) struct Asked {
    pub(super) servers: Servers,
    pub(super) source: Survey,
    /// In the order of `--des`.
    pub(super) copies: Vec<Survey>,
}

/// `config` is the file that will be written: the variables beside it are looked at too.
pub(super) fn ask(src: &str, init: &Init, config: &Path, clock: &Arc<RealClock>) -> Result<Asked> {
    let targets = init.des.iter().map(|dsn| target("--des", dsn));
    let (source, targets) = (target("--src", src)?, targets.collect::<Result<Vec<_>>>()?);
    for url in &init.callback {
        config::check_callback(url)
            .map_err(|problem| Error::Usage(format!("--callback {problem}")))?;
    }
    let survey = |target: &Target, variable: &str| -> Result<Survey> {
        let server = Server {
            password: password_of(target, variable, config)?,
            ..target.server.clone()
        };
        let clock: Arc<dyn Clock + Send> = Arc::<RealClock>::clone(clock);
        Ok(Survey::of(&server, clock))
    };
    let variable = "CUPID_SRC_PASSWORD";
    let of_source = survey(&source, variable)?;
    let mut servers = Servers {
        source: account(&source, variable),
        destinations: vec![],
    };
    let mut copies = Vec::new();
    for (number, target) in targets.iter().enumerate() {
        let variable = match number {
            0 => "CUPID_DES_PASSWORD".to_owned(),
            number => format!("CUPID_DES{}_PASSWORD", number + 1),
        };
        copies.push(survey(target, &variable)?);
        let callback = init.callback.get(number).or_else(|| match &*init.callback {
            [one] => Some(one),
            _ => None,
        });
        let name = target.database.as_deref().unwrap_or("copy");
        servers.destinations.push(Destination {
            account: account(target, &variable),
            name: free_name(name, &servers.destinations),
            callback: callback.cloned(),
        });
    }
    Ok(Asked {
        servers,
        source: of_source,
        copies,
    })
}

fn target(option: &str, dsn: &str) -> Result<Target> {
    config::target(dsn).map_err(|problem| Error::Usage(format!("{option} {problem}")))
}

fn account(target: &Target, variable: &str) -> Account {
    Account {
        dsn: target.dsn.clone(),
        database: target.database.clone(),
        user: target.server.user.clone(),
        variable: variable.to_owned(),
    }
}

fn free_name(name: &str, taken: &[Destination]) -> String {
    let numbered = (2..=taken.len() + 1).map(|number| format!("{name}-{number}"));
    let mut names = [name.to_owned()].into_iter().chain(numbered);
    let is_free = |name: &String| taken.iter().all(|other| other.name != *name);
    names.find(is_free).unwrap_or_default()
}

/// The password of the DSN, else of the variable, else of the person at the terminal.
fn password_of(target: &Target, variable: &str, config: &Path) -> Result<String> {
    if let Some(password) = target.password.as_ref().filter(|it| !it.contains("${")) {
        return Ok(password.clone());
    }
    let missing = match config::variable(variable, config, &env) {
        Ok(password) => return Ok(password),
        Err(missing) => missing,
    };
    let asked = password::ask(&format!(
        "Password of {} at {}",
        target.server.user, target.dsn
    ))?;
    asked.ok_or_else(|| Error::Usage(format!("The password of {}: {missing}", target.dsn)))
}
