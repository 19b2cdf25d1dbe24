//! The values of `${NAME}` and `${file:PATH}` in the configuration.
//!
//! A name is looked up in the environment, then among the credentials of systemd (files in
//! `$CREDENTIALS_DIRECTORY`, systemd.exec(5)), then in the file of variables beside the
//! configuration. So a unit and a shell find the same secrets.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::env_file;

/// A file of variables.
struct Beside {
    path: PathBuf,
    /// `None` when there is no such file.
    values: Result<Option<BTreeMap<String, String>>, String>,
}

/// Where values are looked up.
pub(super) struct Variables<'a> {
    env: &'a dyn Fn(&str) -> Option<String>,
    read_file: &'a dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
    /// The configuration file, and behind it those that it extends; the files of variables are beside them.
    paths: Vec<PathBuf>,
    beside: OnceCell<Vec<Beside>>,
    /// The files that a value came from; the credentials of systemd are nobody else's to read.
    used: RefCell<BTreeSet<PathBuf>>,
}

impl<'a> Variables<'a> {
    /// `env` is the environment, `read_file` reads a whole small file, `paths` is the configuration and behind it the files
    /// that it extends.
    pub(super) fn new(
        env: &'a dyn Fn(&str) -> Option<String>,
        read_file: &'a dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
        paths: Vec<PathBuf>,
    ) -> Self {
        Self {
            env,
            read_file,
            paths,
            beside: OnceCell::new(),
            used: RefCell::default(),
        }
    }

    /// The files beside the configuration, or named in it, that a value came from.
    pub(super) fn used(&self) -> Vec<PathBuf> {
        self.used.borrow().iter().cloned().collect()
    }

    /// The configuration.
    pub(super) fn file(&self) -> &Path {
        self.paths.first().map_or(Path::new(""), PathBuf::as_path)
    }

    /// An environment variable.
    pub(super) fn env(&self, name: &str) -> Option<String> {
        (self.env)(name)
    }

    /// What stands between `${` and `}`: a name, or `file:` and a path. `written_in` is the file that has it.
    ///
    /// # Errors
    /// Why there is no value, as the rest of a sentence about the key.
    pub(super) fn value(&self, reference: &str, written_in: &Path) -> Result<String, String> {
        if let Some(path) = reference.strip_prefix("file:") {
            return self.content(path, written_in);
        }
        if !is_name(reference) {
            return Err(
                "holds \"${\" without the name of a variable; should be ${NAME}, with letters, digits and _, or \
                 ${file:/path} (a text that really holds ${ can come from a variable)"
                    .into(),
            );
        }
        if let Some(value) = self.env(reference) {
            return Ok(value);
        }
        let credentials = self.env("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        if let Some(folder) = &credentials
            && let Some(value) = self.credential(folder, reference)?
        {
            return Ok(value);
        }
        for Beside { path, values } in self.beside() {
            match values {
                Ok(Some(values)) if values.contains_key(reference) => {
                    self.used.borrow_mut().insert(path.clone());
                    return Ok(values[reference].clone());
                }
                Ok(_) => {}
                // It may hold the value that takes precedence.
                Err(_) => break,
            }
        }
        Err(self.not_found(reference, credentials.as_deref()))
    }

    fn credential(&self, folder: &Path, name: &str) -> Result<Option<String>, String> {
        let path = folder.join(name);
        match (self.read_file)(&path) {
            Ok(bytes) => without_line_end(bytes).map(Some).ok_or_else(|| {
                format!(
                    "needs {name}, but the credential {} is no UTF-8 text",
                    path.display()
                )
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!(
                "needs {name}, but the credential {} cannot be read: {error}",
                path.display()
            )),
        }
    }

    /// `${file:PATH}`; a relative path begins at the folder of the file that has it.
    fn content(&self, path: &str, written_in: &Path) -> Result<String, String> {
        if path.is_empty() {
            return Err("holds ${file:} without a path; should be ${file:/path}".into());
        }
        let path = written_in.parent().unwrap_or(Path::new("")).join(path);
        let failed = |why: &str| format!("needs the file {}, which {why}", path.display());
        let bytes =
            (self.read_file)(&path).map_err(|error| failed(&format!("cannot be read: {error}")))?;
        self.used.borrow_mut().insert(path.clone());
        without_line_end(bytes).ok_or_else(|| failed("is no UTF-8 text"))
    }

    /// The files of variables, read once they are needed.
    fn beside(&self) -> &[Beside] {
        let read = |config: &PathBuf| {
            let path = path_beside(config);
            let values = match (self.read_file)(&path) {
                Ok(bytes) => match String::from_utf8(bytes) {
                    Ok(text) => Ok(Some(env_file::parse(&text))),
                    Err(_) => Err("is no UTF-8 text".into()),
                },
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(format!("cannot be read: {error}")),
            };
            Beside { path, values }
        };
        self.beside
            .get_or_init(|| self.paths.iter().map(read).collect())
    }

    /// Names the places that were looked in.
    fn not_found(&self, name: &str, credentials: Option<&Path>) -> String {
        let credentials = match credentials {
            Some(folder) => format!("there is none in {}", folder.display()),
            None => "CREDENTIALS_DIRECTORY is not set".into(),
        };
        let files = self.beside().iter().map(|Beside { path, values }| {
            let beside = match values {
                Ok(Some(_)) => "it has none".into(),
                Ok(None) => "there is no such file".into(),
                Err(why) => format!("it {why}"),
            };
            format!("{} ({beside})", path.display())
        });
        let files = files.collect::<Vec<_>>().join(" or in ");
        format!(
            "needs the environment variable {name}, which is not set, a systemd credential of that name \
             ({credentials}), or a line {name}=… in {files}"
        )
    }
}

/// `<configuration without .json>.env`.
pub(super) fn path_beside(config: &Path) -> PathBuf {
    match config.extension() {
        Some(extension) if extension == "json" => config.with_extension("env"),
        _ => {
            let mut path = config.as_os_str().to_owned();
            path.push(".env");
            path.into()
        }
    }
}

/// Text without its last line end, of which editors and `echo` write one.
fn without_line_end(bytes: Vec<u8>) -> Option<String> {
    let mut text = String::from_utf8(bytes).ok()?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Some(text)
}

/// It is written as one, whether there is a value or not.
pub(super) fn is_reference(reference: &str) -> bool {
    match reference.strip_prefix("file:") {
        Some(path) => !path.is_empty(),
        None => is_name(reference),
    }
}

/// The names that a shell accepts.
fn is_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "/etc/cupid/user.json";

    /// What is in these files, after `NAME` in this environment.
    fn value(
        env: &[(&str, &str)],
        files: &[(&str, &[u8])],
        config: &str,
        reference: &str,
    ) -> Result<String, String> {
        let env = |name: &str| {
            let found = env.iter().find(|(known, _)| *known == name)?;
            Some(found.1.to_owned())
        };
        let read_file = |path: &Path| match files.iter().find(|(known, _)| Path::new(known) == path)
        {
            Some((_, b"a folder")) => Err(ErrorKind::IsADirectory.into()),
            Some((_, content)) => Ok(content.to_vec()),
            None => Err(ErrorKind::NotFound.into()),
        };
        Variables::new(&env, &read_file, vec![config.into()]).value(reference, Path::new(config))
    }

    #[test]
    fn the_environment_goes_first_then_the_credential_then_the_file_beside() {
        let env = [("A", "of env"), ("CREDENTIALS_DIRECTORY", "/run/c")];
        let files: [(&str, &[u8]); 3] = [
            ("/run/c/A", b"of credential"),
            ("/run/c/B", b"of credential\n"),
            (
                "/etc/cupid/user.env",
                b"A=of file\nB=of file\nC='of file'\n",
            ),
        ];
        for (name, expected) in [("A", "of env"), ("B", "of credential"), ("C", "of file")] {
            assert_eq!(value(&env, &files, CONFIG, name).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn the_files_that_values_came_from_are_known() {
        let env = |name: &str| (name == "A").then(|| "of env".to_owned());
        let read_file = |path: &Path| match path.to_str() {
            Some("/etc/cupid/user.env") => Ok(b"A=1\nB=2\n".to_vec()),
            Some("/s/x") => Ok(b"3".to_vec()),
            _ => Err(ErrorKind::NotFound.into()),
        };
        let variables = Variables::new(&env, &read_file, vec![CONFIG.into()]);
        let used = |reference: &str| {
            let _ = variables.value(reference, Path::new(CONFIG));
            let used = variables.used();
            let names = used.iter().map(|path| path.display().to_string());
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(used("A"), "");
        assert_eq!(used("C"), "");
        assert_eq!(used("file:/s/none"), "");
        assert_eq!(used("B"), "/etc/cupid/user.env");
        assert_eq!(used("file:/s/x"), "/etc/cupid/user.env /s/x");
    }

    #[test]
    fn an_empty_value_is_a_value() {
        assert_eq!(value(&[("A", "")], &[], CONFIG, "A").as_deref(), Ok(""));
        let files: [(&str, &[u8]); 1] = [("/etc/cupid/user.env", b"A=")];
        assert_eq!(value(&[], &files, CONFIG, "A").as_deref(), Ok(""));
    }

    #[test]
    fn a_missing_value_names_the_places_that_were_looked_in() {
        assert_eq!(
            value(&[], &[], CONFIG, "A").unwrap_err(),
            "needs the environment variable A, which is not set, a systemd credential of that name \
             (CREDENTIALS_DIRECTORY is not set), or a line A=… in /etc/cupid/user.env (there is no such file)"
        );
        let env = [("CREDENTIALS_DIRECTORY", "/run/c")];
        let files: [(&str, &[u8]); 1] = [("/etc/cupid/user.env", b"B=1")];
        assert_eq!(
            value(&env, &files, CONFIG, "A").unwrap_err(),
            "needs the environment variable A, which is not set, a systemd credential of that name (there \
             is none in /run/c), or a line A=… in /etc/cupid/user.env (it has none)"
        );
    }

    #[test]
    fn what_is_there_and_cannot_be_read_is_no_missing_value() {
        let env = [("CREDENTIALS_DIRECTORY", "/run/c")];
        for (path, content, expected) in [
            (
                "/run/c/A",
                &b"a folder"[..],
                "but the credential /run/c/A cannot be read: ",
            ),
            (
                "/run/c/A",
                b"\xff",
                "but the credential /run/c/A is no UTF-8 text",
            ),
            (
                "/etc/cupid/user.env",
                b"a folder",
                "/etc/cupid/user.env (it cannot be read: ",
            ),
            (
                "/etc/cupid/user.env",
                b"\xff",
                "/etc/cupid/user.env (it is no UTF-8 text)",
            ),
        ] {
            let problem = value(&env, &[(path, content)], CONFIG, "A").unwrap_err();
            assert!(problem.contains(expected), "{problem}");
        }
    }

    #[test]
    fn a_secret_file_is_its_content_without_the_last_line_end() {
        let files: [(&str, &[u8]); 4] = [
            ("/run/secrets/x", b"secret\r\n"),
            ("/run/secrets/two", b"one\n\n"),
            ("/etc/cupid/beside", b"relative"),
            ("/run/secrets/bad", b"\xff"),
        ];
        for (reference, expected) in [
            ("file:/run/secrets/x", "secret"),
            ("file:/run/secrets/two", "one\n"),
            ("file:beside", "relative"),
        ] {
            assert_eq!(
                value(&[], &files, CONFIG, reference).as_deref(),
                Ok(expected)
            );
        }
        for (reference, expected) in [
            ("file:/none", "needs the file /none, which cannot be read: "),
            (
                "file:/run/secrets/bad",
                "needs the file /run/secrets/bad, which is no UTF-8 text",
            ),
            ("file:", "holds ${file:} without a path"),
        ] {
            let problem = value(&[], &files, CONFIG, reference).unwrap_err();
            assert!(problem.starts_with(expected), "{problem}");
        }
    }

    #[test]
    fn the_file_beside_is_named_after_the_configuration() {
        for (config, beside) in [
            ("user.json", "user.env"),
            ("/a.b/user.v1.json", "/a.b/user.v1.env"),
            ("/etc/user.conf", "/etc/user.conf.env"),
            ("/etc/user", "/etc/user.env"),
        ] {
            let files: [(&str, &[u8]); 1] = [(beside, b"A=1")];
            assert_eq!(
                value(&[], &files, config, "A").as_deref(),
                Ok("1"),
                "{config}"
            );
        }
    }
}
