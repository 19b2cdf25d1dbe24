//! What SIGKILL cannot show, because the kernel keeps what a killed process wrote: that everything is synced before
//! anything relies on it, so that a power cut loses nothing either. Seen in the program's own system calls, by strace.

mod common;

use std::collections::HashMap;
use std::path::Path;

use common::{Answer, Cupid, Scene};

/// A system call that matters here, by the names of the files in the state folder; `""` is the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Call {
    Create(String),
    Write(String),
    Sync(String),
    /// Its new name.
    Rename(String, String),
    /// A callback goes out.
    Post,
}

/// The calls of one run, in their order. A sync counts from its end, everything else from its beginning.
fn calls(scene: &Scene) -> Vec<Call> {
    let trace = scene.config.folder().join("trace");
    let trace_text = trace.display().to_string();
    let words = ["strace", "-f", "-qq", "-y", "-s", "5", "-o", &trace_text];
    let wanted = ["-e", "trace=openat,write,fsync,fdatasync,/^rename,sendto"];
    let wrapper: Vec<&str> = words.into_iter().chain(wanted).collect();
    let config = scene.config.path();
    let outcome = Cupid::under(&wrapper, ["run".as_ref(), config.as_os_str()]).run();
    let text = std::fs::read_to_string(&trace).unwrap_or_else(|error| {
        panic!("strace left no trace ({error}). Install it (scripts/test does), and let this user trace processes: {outcome:?}")
    });
    let mut unfinished = HashMap::new();
    let state = scene.config.state();
    text.lines()
        .filter_map(|line| call(line, &state, &mut unfinished))
        .collect()
}

/// One line of the trace. `unfinished` are the syncs under way, by thread.
fn call<'t>(line: &'t str, state: &Path, unfinished: &mut HashMap<&'t str, Call>) -> Option<Call> {
    let (thread, rest) = line.split_once(' ')?;
    let rest = rest.trim_start();
    if rest.starts_with("<... fsync") || rest.starts_with("<... fdatasync") {
        return unfinished.remove(thread).filter(|_| rest.ends_with("= 0"));
    }
    let (name, arguments) = rest.split_once('(')?;
    let files: Vec<String> = arguments
        .split(['"', '<', '>'])
        .filter_map(|part| in_state(part, state))
        .collect();
    let file = files.first().cloned();
    match name {
        "openat" if arguments.contains("O_CREAT") => file.map(Call::Create),
        "write" => file.map(Call::Write),
        "sendto" => arguments.contains("\"POST ").then_some(Call::Post),
        "fsync" | "fdatasync" if rest.ends_with("<unfinished ...>") => {
            unfinished.insert(thread, Call::Sync(file?));
            None
        }
        "fsync" | "fdatasync" => file.filter(|_| rest.ends_with("= 0")).map(Call::Sync),
        _ if name.starts_with("rename") => Some(Call::Rename(file?, files.get(1)?.clone())),
        _ => None,
    }
}

/// `<state>/name` gives `name`, the folder itself `""`.
fn in_state(path: &str, state: &Path) -> Option<String> {
    let rest = Path::new(path).strip_prefix(state).ok()?;
    Some(rest.to_str()?.to_owned())
}

/// Nothing relies on what is not synced. `known` are the files that the folder is known to have.
fn assert_synced(calls: &[Call], known: &mut Vec<String>) {
    const FOLDER: &str = "";
    let mut dirty: Vec<&str> = Vec::new();
    for call in calls {
        let is_ready = dirty.is_empty();
        match call {
            // Of the lock and the note in it, and of history, nothing has to survive.
            Call::Create(file) | Call::Write(file) | Call::Rename(_, file)
                if file == "test.lock" || file.starts_with("test.stats.json") => {}
            Call::Create(file) => {
                dirty.push(file);
                if !known.contains(file) && file.rsplit('.').next() != Some("new") {
                    dirty.push(FOLDER);
                    known.push(file.clone());
                }
            }
            Call::Write(file) => dirty.push(file),
            Call::Sync(file) => dirty.retain(|dirty| dirty != file),
            Call::Rename(_, to) => {
                assert!(
                    is_ready,
                    "{to} is replaced while {dirty:?} are unsynced: {calls:#?}"
                );
                dirty.push(FOLDER);
                known.push(to.clone());
            }
            Call::Post => assert!(
                is_ready,
                "a callback goes out while {dirty:?} are unsynced: {calls:#?}"
            ),
        }
    }
    assert!(
        dirty.is_empty(),
        "at the end {dirty:?} are unsynced: {calls:#?}"
    );
}

fn count(calls: &[Call], what: impl Fn(&Call) -> bool) -> usize {
    calls.iter().filter(|call| what(call)).count()
}

#[test]
fn everything_is_synced_before_anything_relies_on_it() {
    let scene = Scene::with_missing(1..=20);
    let mut known = Vec::new();
    for status in [500, 200, 200] {
        scene.receiver().answer(move |_| Answer::status(status));
        scene.receiver().take();
        let calls = calls(&scene);
        let replaced = |name: &str| {
            count(
                &calls,
                |call| matches!(call, Call::Rename(_, to) if to == name),
            )
        };
        assert!(replaced("test.checkpoint.json") > 0, "{calls:#?}");
        assert!(replaced("test.owed.jsonl") > 0, "{calls:#?}");
        assert!(
            count(
                &calls,
                |call| matches!(call, Call::Write(to) if to == "test.owed.jsonl")
            ) > 0
        );
        assert_eq!(
            count(&calls, |call| *call == Call::Post),
            scene.receiver().count()
        );
        assert_synced(&calls, &mut known);
        let last = scene.db.query::<u64>("SELECT MAX(id) FROM src.user")[0];
        scene.db.add_users(last + 1..=last + 20);
    }
}
