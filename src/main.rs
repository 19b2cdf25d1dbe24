//! The command `cupid`: parse, call a command, return its exit status.

use std::process::ExitCode;
use std::sync::Arc;

use cupid::error::{Error, Exit};
use cupid::io::logging;
use cupid::io::signals::RealClock;

fn main() -> ExitCode {
    let command = match cupid::cli::parse(std::env::args_os()) {
        Ok(command) => command,
        Err(error) => {
            let exit = match (error.print(), cupid::cli::exit(&error)) {
                (Err(unprinted), Exit::Done) => {
                    logging::tell_failure(&Error::File {
                        operation: "Write the help",
                        path: "stdout".into(),
                        reason: unprinted.to_string(),
                    });
                    Exit::Failed
                }
                (_, exit) => exit, // There is nowhere left to complain to.
            };
            return ExitCode::from(exit as u8);
        }
    };
    let clock = Arc::new(RealClock::listening());
    let exit = cupid::commands::dispatch(command, &clock).unwrap_or_else(|error| {
        // Under cron a run that finds another one at work is normal.
        if !matches!(error, Error::Locked(_)) || logging::is_terminal() {
            logging::tell_failure(&error);
        }
        error.exit()
    });
    ExitCode::from(exit as u8)
}
