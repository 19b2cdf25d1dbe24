//! Runs the program. Whatever it does, it must not panic, not print a secret, and end in time: checked for every run.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A command line to run.
pub(crate) struct Cupid {
    command: Command,
    limit: Duration,
}

/// What a run left.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// `None`: ended by a signal.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

/// A run that goes on; killed when dropped.
pub(crate) struct Running {
    child: Child,
    /// What reads stdout and stderr.
    readers: Option<[JoinHandle<Vec<u8>>; 2]>,
    began: Instant,
    limit: Duration,
    text: String,
}

impl Cupid {
    /// `cupid ARGS…` without the variables that could change what it does.
    pub(crate) fn new<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Self {
        Self::under(&[], args)
    }

    /// `cupid COMMAND CONFIG`.
    pub(crate) fn of(command: &str, config: &Path) -> Self {
        Self::new([OsStr::new(command), config.as_os_str()])
    }

    /// `WRAPPER… cupid ARGS…`, for example under `ulimit`.
    pub(crate) fn under<S: AsRef<OsStr>>(
        wrapper: &[&str],
        args: impl IntoIterator<Item = S>,
    ) -> Self {
        Self::program(wrapper, Path::new(env!("CARGO_BIN_EXE_cupid")), args)
    }

    /// Another copy of the program.
    pub(crate) fn program<S: AsRef<OsStr>>(
        wrapper: &[&str],
        program: &Path,
        args: impl IntoIterator<Item = S>,
    ) -> Self {
        let mut words: Vec<OsString> = wrapper.iter().map(OsString::from).collect();
        words.push(program.into());
        words.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for name in [
            "RUST_LOG",
            "RUST_LOG_STYLE",
            "STATE_DIRECTORY",
            "XDG_STATE_HOME",
            "RUST_BACKTRACE",
        ] {
            command.env_remove(name);
        }
        Self {
            command,
            limit: Duration::from_secs(120),
        }
    }

    /// One more argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// More arguments, separated by blanks.
    pub(crate) fn args(mut self, args: &str) -> Self {
        self.command.args(args.split_whitespace());
        self
    }

    /// One more variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Another time limit than two minutes.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it to its end.
    #[track_caller]
    pub(crate) fn run(self) -> Outcome {
        self.spawn().wait()
    }

    /// Runs it to its end, which must have this exit status.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Outcome {
        let text = format!("{:?}", self.command);
        let outcome = self.run();
        assert_eq!(
            outcome.code,
            Some(code),
            "exit status of {text}\nstdout: {}\nstderr: {}",
            outcome.stdout,
            outcome.stderr
        );
        outcome
    }

    /// Starts it.
    pub(crate) fn spawn(mut self) -> Running {
        let text = format!("{:?}", self.command);
        let mut child = self
            .command
            .spawn()
            .unwrap_or_else(|error| panic!("Cannot start {text}: {error}"));
        let stdout = child.stdout.take().expect("stdout is a pipe");
        let stderr = child.stderr.take().expect("stderr is a pipe");
        Running {
            child,
            readers: Some([read_all(stdout), read_all(stderr)]),
            began: Instant::now(),
            limit: self.limit,
            text,
        }
    }
}

impl Running {
    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name, for example `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(
            status.expect("Run kill").success(),
            "kill -s {name} failed: {} is gone",
            self.text
        );
    }

    /// `kill -9`; a run that has ended already is fine.
    pub(crate) fn kill(mut self) -> Outcome {
        let _ = self.child.kill();
        self.finish()
    }

    /// Waits for its end and looks at its memory meanwhile: the outcome, and the most that it had, in MiB.
    #[track_caller]
    pub(crate) fn ended(mut self) -> (Outcome, u64) {
        let status = format!("/proc/{}/status", self.child.id());
        let mut peak_kib: u64 = 0;
        while self.is_running() {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
            peak_kib = kib.unwrap_or(0).max(peak_kib);
            if self.began.elapsed() > self.limit {
                break; // `wait` says so.
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(peak_kib > 0, "its memory was never seen");
        (self.wait(), peak_kib / 1024)
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("Ask for the status").is_none()
    }

    /// Waits for its end, but not for ever.
    #[track_caller]
    pub(crate) fn wait(mut self) -> Outcome {
        while self.is_running() {
            if self.began.elapsed() > self.limit {
                let text = self.text.clone();
                let outcome = self.kill();
                panic!(
                    "{text} did not end in time\nstdout: {}\nstderr: {}",
                    outcome.stdout, outcome.stderr
                );
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        self.finish()
    }

    fn finish(&mut self) -> Outcome {
        let status: ExitStatus = self.child.wait().expect("Wait for the program");
        let took = self.began.elapsed();
        let [stdout, stderr] = self.readers.take().expect("A run ends once");
        let text = |reader: JoinHandle<Vec<u8>>| {
            String::from_utf8(reader.join().expect("The pipe is read"))
                .expect("The program prints UTF-8")
        };
        let outcome = Outcome {
            code: status.code(),
            stdout: text(stdout),
            stderr: text(stderr),
            took,
        };
        outcome.assert_decent(&self.text);
        outcome
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Outcome {
    /// Nothing on stdout and stderr.
    #[track_caller]
    pub(crate) fn assert_silent(&self) {
        assert_eq!(
            (self.stdout.as_str(), self.stderr.as_str()),
            ("", ""),
            "a quiet run prints nothing"
        );
    }

    /// stderr says each of these words, upper and lower case alike.
    #[track_caller]
    pub(crate) fn assert_says(&self, words: &[&str]) {
        let text = self.stderr.to_lowercase();
        for word in words {
            assert!(
                text.contains(&word.to_lowercase()),
                "stderr does not name {word:?}: {}",
                self.stderr
            );
        }
    }

    fn assert_decent(&self, text: &str) {
        for output in [&self.stdout, &self.stderr] {
            assert!(!output.contains("panicked"), "{text} panicked: {output}");
            assert!(
                !output.contains("hidden"),
                "{text} prints a secret: {output}"
            );
        }
    }
}

fn read_all(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}
