//! `cupid man`: the man pages, for packages.

use std::path::Path;

use super::print_data;
use crate::cli::{self, Pages};
use crate::error::{Error, Exit, Result};

/// `cupid man`.
pub(super) fn man(args: &Pages) -> Result<Exit> {
    let failed = |path: &Path, error: &std::io::Error| Error::File {
        operation: "Write the man page",
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let to = args.dir.as_deref().unwrap_or(Path::new("stdout"));
    let pages = cli::pages().map_err(|error| failed(to, &error))?;
    let Some(dir) = &args.dir else {
        let (_, page) = &pages[0];
        print_data("Write the man page", &String::from_utf8_lossy(page))?;
        return Ok(Exit::Done);
    };
    std::fs::create_dir_all(dir).map_err(|error| failed(dir, &error))?;
    for (name, text) in pages {
        let path = dir.join(name);
        std::fs::write(&path, text).map_err(|error| failed(&path, &error))?;
    }
    Ok(Exit::Done)
}
