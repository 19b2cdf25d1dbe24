//! Where configurations go: stdout, a new file, a folder.

use std::path::{Path, PathBuf};

use super::super::print_data;
use super::tables::Watched;
use crate::cli::Init;
use crate::config::{file_of_variables, stem_of};
use crate::error::{Error, Result};
use crate::init::said;
use crate::init::written::{self, COMMON, Servers};
use crate::io::new_file;

/// Where they go.
pub(super) enum Place {
    Stdout,
    File(PathBuf),
    /// With a file for each table, and one that they share.
    Folder(PathBuf),
}

impl Place {
    /// # Errors
    /// Several tables need a folder, and a file that is there is not overwritten.
    pub(super) fn of(init: &Init) -> Result<Self> {
        let is_several = init.table.len() > 1 || init.table.iter().any(|it| it.contains('%'));
        let output = init.output.as_ref().filter(|it| *it != Path::new("-"));
        let Some(path) = output else {
            return if is_several {
                let problem =
                    "Several tables are several files; name a folder for them: --output FOLDER";
                Err(Error::Usage(problem.into()))
            } else {
                Ok(Self::Stdout)
            };
        };
        let ends_in_slash = path.as_os_str().as_encoded_bytes().ends_with(b"/");
        if path.is_dir() || ends_in_slash || is_several {
            if path.exists() && !path.is_dir() {
                let problem = format!(
                    "--output {} is a file, and several tables need a folder",
                    path.display()
                );
                return Err(Error::Usage(problem));
            }
            return Ok(Self::Folder(path.clone()));
        }
        new_file::refuse_existing(path)?;
        Ok(Self::File(path.clone()))
    }

    /// The file whose variables hold the passwords.
    pub(super) fn config(&self) -> PathBuf {
        match self {
            Self::Stdout => new_file::stdout_file().unwrap_or_else(|| "user.json".into()),
            Self::File(path) => path.clone(),
            Self::Folder(folder) => folder.join(COMMON),
        }
    }

    pub(super) fn write_example(&self, text: &str) -> Result<()> {
        let path = match self {
            Self::Stdout => return print_data("Write the configuration", text),
            Self::File(path) => path.clone(),
            Self::Folder(folder) => {
                new_file::create_folder(folder)?;
                folder.join("user.json")
            }
        };
        new_file::create_all(&[(path, text.to_owned())])
    }

    /// What to do next, in words.
    pub(super) fn next(&self, servers: &Servers) -> String {
        let of_copies = servers.destinations.iter().map(|it| &it.account);
        let accounts = [&servers.source].into_iter().chain(of_copies);
        let variables: Vec<String> = accounts.map(|it| it.variable.clone()).collect();
        let config = self.config();
        let env_file = file_of_variables(&config).display().to_string();
        let checked = match self {
            Self::Folder(folder) => folder.display().to_string(),
            Self::Stdout | Self::File(_) => config.display().to_string(),
        };
        said::next(&variables, &env_file, &checked)
    }
}

/// A file for each table, and the one that they share: it may be there already where it is the
/// same.
pub(super) fn write_folder(folder: &Path, servers: &Servers, watched: &[Watched]) -> Result<()> {
    let common = (folder.join(COMMON), written::common(servers));
    let is_known = std::fs::read(&common.0).is_ok_and(|known| known == common.1.as_bytes());
    let mut files: Vec<(PathBuf, String)> = Vec::new();
    for table in watched {
        let Watched {
            servers,
            source,
            copies,
            choices,
        } = table;
        let is_taken =
            |path: &PathBuf| *path == common.0 || files.iter().any(|(other, _)| other == path);
        let path = free_path(folder, &stem_of(&source.table), is_taken);
        files.push((path, written::part(servers, source, copies, choices)));
    }
    if !is_known {
        files.insert(0, common);
    }
    for (path, _) in &files {
        new_file::refuse_existing(path)?;
    }
    new_file::create_folder(folder)?;
    new_file::create_all(&files)
}

/// Two tables may have one name for files: in two databases, or with signs that a file's name
/// cannot hold.
fn free_path(folder: &Path, stem: &str, is_taken: impl Fn(&PathBuf) -> bool) -> PathBuf {
    let numbered = (2_u32..).map(|number| format!("{stem}-{number}.json"));
    let names = [format!("{stem}.json")].into_iter().chain(numbered);
    let mut paths = names.map(|name| folder.join(name));
    paths.find(|path| !is_taken(path)).unwrap_or_default()
}
