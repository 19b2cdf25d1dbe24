//! Whether all threads of this program but the current one sleep. The kernel knows: `/proc/self/task`.
//!
//! Nothing but a thread of the program itself can wake one that sleeps (nobody waits for a file, a socket or, but in
//! [`crate::turns`], for the time), so once all sleep, they do until the current one wakes one. To be sure that all sleep
//! at one instant, each is looked at twice: none may have run between.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

const TASKS: &str = "/proc/self/task";

/// The threads of this program.
#[derive(Debug, Default)]
pub(crate) struct Threads {
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
    /// How often it had run at the first look.
    runs: u64,
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

fn links() -> u64 {
    fs::metadata(TASKS).expect("/proc is mounted").nlink()
}

impl Threads {
    /// A history begins, on the current thread. What the one before left behind comes to its end first.
    pub(crate) fn begin(&mut self) {
        let me = me();
        loop {
            let threads = all();
            self.links = links() - threads.len() as u64;
            self.ours = threads.into_iter().map(Thread::new).collect();
            if self.others_sleep(&[]) {
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
        if !self.is_complete() {
            self.refresh();
        }
        let Some(sleep) = self.sleep_at_once(waiting) else {
            self.refresh(); // One has died.
            return false;
        };
        sleep && self.is_complete()
    }

    /// `None` when one has died. Allocates nothing: who waits for the allocator sleeps too.
    fn sleep_at_once(&mut self, waiting: &[u32]) -> Option<bool> {
        let me = me();
        let is_other = |thread: &&mut Thread| thread.id != me && !waiting.contains(&thread.id);
        let mut others = 0;
        for thread in self.ours.iter_mut().filter(is_other) {
            thread.runs = thread.runs()?;
            if !thread.sleeps()? {
                return Some(false);
            }
            others += 1;
        }
        if others < 2 {
            return Some(true); // Who else could wake it?
        }
        for thread in self.ours.iter_mut().filter(is_other) {
            if !thread.sleeps()? || thread.runs()? != thread.runs {
                return Some(false);
            }
        }
        Some(true)
    }

    /// No thread was born or died since [`Self::refresh`], unless both.
    fn is_complete(&self) -> bool {
        links() == self.links + (self.harness.len() + self.ours.len()) as u64
    }

    fn refresh(&mut self) {
        let threads = all();
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
