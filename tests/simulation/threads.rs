//! Whether all threads of this program but the current one sleep. The kernel knows: `/proc/self/task`.
//!
//! Nothing but a thread of the program itself can wake one that sleeps (nobody waits for a file, a socket or, but in
//! [`crate::turns`], for the time), so once all sleep, they do until the current one wakes one. To be sure that all sleep
//! at one instant, each is looked at twice, and has not run between; once suffices when none has run since all slept.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

const TASKS: &str = "/proc/self/task";

/// The threads of this program.
#[derive(Debug)]
pub(crate) struct Threads {
    /// Has a link for each thread.
    folder: File,
    /// Those of the test harness, which sleep while a history is told.
    harness: Vec<u32>,
    /// Those of the history.
    ours: Vec<Thread>,
    /// Links of the folder that are no threads.
    links: u64,
}

#[derive(Debug)]
struct Thread {
    id: u32,
    /// Its state, and how often it ran; opened when first asked for.
    files: Option<(File, File)>,
    /// How often it had run at the first of two looks, and when all slept.
    runs: u64,
    runs_asleep: u64,
}

/// The current thread's number.
pub(crate) fn me() -> u32 {
    thread_local!(static ME: u32 = {
        let path = fs::read_link("/proc/thread-self").expect("/proc is mounted");
        id_of(&path.to_string_lossy())
    });
    ME.with(|me| *me)
}

fn id_of(path: &str) -> u32 {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.parse().expect("a thread has a number")
}

fn all() -> Vec<u32> {
    let folder = fs::read_dir(TASKS).expect("/proc is mounted");
    let name = |entry: std::io::Result<fs::DirEntry>| Some(entry.ok()?.file_name());
    folder
        .filter_map(name)
        .map(|name| id_of(&name.to_string_lossy()))
        .collect()
}

impl Threads {
    pub(crate) fn new() -> Self {
        Self {
            folder: File::open(TASKS).expect("/proc is mounted"),
            harness: vec![],
            ours: vec![],
            links: 0,
        }
    }

    fn links(&self) -> u64 {
        self.folder.metadata().expect("/proc is mounted").nlink()
    }

    /// A history begins, on the current thread. What the one before left behind comes to its end first.
    pub(crate) fn begin(&mut self) {
        let me = me();
        loop {
            let (before, threads) = (self.links(), all());
            self.links = before - threads.len() as u64;
            self.ours = threads.into_iter().map(Thread::new).collect();
            if self.links() == before && self.others_sleep(&[]) {
                break;
            }
            std::thread::yield_now();
        }
        let (ours, harness) = std::mem::take(&mut self.ours)
            .into_iter()
            .partition(|thread| thread.id == me);
        self.ours = ours;
        self.harness = harness.into_iter().map(|thread| thread.id).collect();
    }

    /// All but the current thread, and those that wait for their turn, sleep.
    pub(crate) fn others_sleep(&mut self, waiting: &[u32]) -> bool {
        let sleep = self.sleep_at_once(waiting);
        if sleep == Some(false) {
            return false;
        }
        let is_complete = sleep.is_some() && self.is_complete();
        if !is_complete {
            self.refresh();
        }
        is_complete
    }

    /// `None` when one has died. Allocates nothing: who waits for the allocator sleeps too.
    fn sleep_at_once(&mut self, waiting: &[u32]) -> Option<bool> {
        let me = me();
        let is_other = |thread: &&mut Thread| thread.id != me && !waiting.contains(&thread.id);
        let mut others = self.ours.iter_mut().filter(is_other);
        let (Some(one), another) = (others.next(), others.next()) else {
            return Some(true);
        };
        if another.is_none() {
            return one.sleeps(); // Who else could wake it?
        }
        for thread in self.ours.iter_mut().filter(is_other) {
            if !thread.sleeps()? {
                return Some(false);
            }
        }
        let mut one_ran = false;
        for thread in self.ours.iter_mut().filter(is_other) {
            one_ran |= thread.runs()? != thread.runs_asleep;
        }
        if !one_ran {
            return Some(true); // None has since all slept: none can have woken another.
        }
        for thread in self.ours.iter_mut().filter(is_other) {
            thread.runs = thread.runs()?;
            if !thread.sleeps()? {
                return Some(false);
            }
        }
        for thread in self.ours.iter_mut().filter(is_other) {
            if !thread.sleeps()? || thread.runs()? != thread.runs {
                return Some(false);
            }
        }
        for thread in self.ours.iter_mut().filter(is_other) {
            thread.runs_asleep = thread.runs;
        }
        Some(true)
    }

    /// No thread was born or died since [`Self::refresh`], unless both.
    fn is_complete(&self) -> bool {
        self.links() == self.links + (self.harness.len() + self.ours.len()) as u64
    }

    fn refresh(&mut self) {
        let threads = all();
        self.harness.retain(|id| threads.contains(id)); // A test that waited for nothing may end.
        self.ours.retain(|thread| threads.contains(&thread.id));
        for id in threads {
            let is_known = self.harness.contains(&id) || self.ours.iter().any(|t| t.id == id);
            if !is_known {
                self.ours.push(Thread::new(id));
            }
        }
    }
}

impl Thread {
    fn new(id: u32) -> Self {
        Self {
            id,
            files: None,
            runs: 0,
            runs_asleep: u64::MAX,
        }
    }

    fn files(&mut self) -> Option<&(File, File)> {
        if self.files.is_none() {
            let open = |name: &str| File::open(format!("{TASKS}/{}/{name}", self.id)).ok();
            self.files = Some((open("stat")?, open("schedstat")?));
        }
        self.files.as_ref()
    }

    /// In the state S of proc(5); `None` when it has died.
    fn sleeps(&mut self) -> Option<bool> {
        let mut text = [0; 64];
        let (stat, _) = self.files()?;
        let read = stat.read_at(&mut text, 0).ok()?;
        let name_end = text[..read].iter().rposition(|&byte| byte == b')')?;
        Some(text.get(name_end + 2) == Some(&b'S'))
    }

    /// How often it was given a processor.
    fn runs(&mut self) -> Option<u64> {
        let mut text = [0; 80];
        let (_, schedstat) = self.files()?;
        let read = schedstat.read_at(&mut text, 0).ok()?;
        let text = std::str::from_utf8(&text[..read]).ok()?;
        text.split_ascii_whitespace().nth(2)?.parse().ok()
    }
}
