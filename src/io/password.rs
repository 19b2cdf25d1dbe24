//! Asks a person for a password; the only file that names `rpassword`.

use std::io::IsTerminal as _;

use crate::error::{Error, Result};

/// The password that a person types, unseen; `None` where there is no terminal to ask on.
///
/// # Errors
/// When the terminal cannot be read.
pub(crate) fn ask(what: &str) -> Result<Option<String>> {
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    let typed = rpassword::prompt_password(format!("{what}: "));
    typed.map(Some).map_err(|error| Error::File {
        operation: "Read a password from",
        path: "/dev/tty".into(),
        reason: error.to_string(),
    })
}
