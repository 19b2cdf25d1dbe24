use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::logic::compare::rows::Kind;
use crate::logic::scan::checkpoint::{Position, VERSION};

fn state(folder: &Path) -> StateDir {
    StateDir::new(folder, "user", "my.user")
}

fn checkpoint(next_id: Id) -> Checkpoint {
    let position = Position {
        destinations: vec!["d".into()],
        next_id: Some(next_id),
        ..Position::default()
    };
    Checkpoint {
        version: VERSION,
        source: "my.user".into(),
        config: None,
        source_server: None,
        destinations: vec![],
        positions: vec![position],
    }
}

fn owed(id: Id) -> Owed {
    Owed::new("d", id, "k", Kind::Missing, vec![], 1)
}

#[test]
fn what_is_saved_is_loaded_and_nobody_else_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = state(folder.path());
    assert_eq!(state.checkpoint().unwrap(), None);
    state.save_checkpoint(&checkpoint(7)).unwrap();
    state.append_owed(&[owed(1), owed(2)]).unwrap();
    let _lock = state.lock().unwrap();
    assert_eq!(state.checkpoint().unwrap(), Some(checkpoint(7)));
    assert_eq!(state.outbox().unwrap().len(), 2);
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        assert_eq!(
            entry.unwrap().metadata().unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}

#[test]
fn a_write_that_fails_leaves_the_old_content() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = state(folder.path());
    state.save_checkpoint(&checkpoint(7)).unwrap();
    std::fs::create_dir(folder.path().join("user.checkpoint.new")).unwrap();
    let error = state.save_checkpoint(&checkpoint(8)).unwrap_err();
    assert!(error.to_string().starts_with("Write "), "{error}");
    assert_eq!(state.checkpoint().unwrap(), Some(checkpoint(7)));
}

#[test]
fn a_line_after_a_torn_one_is_not_glued_to_it() {
    let folder = tempfile::tempdir().unwrap();
    state(folder.path()).append_owed(&[owed(1)]).unwrap();
    let path = folder.path().join("user.owed.jsonl");
    let mut torn = std::fs::read(&path).unwrap();
    torn.extend_from_slice(b"{\"version\":1,\"destin");
    std::fs::write(&path, torn).unwrap();
    state(folder.path()).append_owed(&[owed(2)]).unwrap();
    let ids: Vec<Id> = state(folder.path())
        .outbox()
        .unwrap()
        .iter()
        .map(|owed| owed.id.id())
        .collect();
    assert_eq!(ids, [1, 2]);
}

#[test]
fn the_lock_is_held_by_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(folder.path());
    let mut lock = state.lock().unwrap();
    assert!(matches!(state.lock(), Err(Error::Locked(_))));
    lock.note("first");
    lock.note("2nd");
    assert_eq!(state.last_run().unwrap(), "2nd");
    drop(lock);
    state.lock().unwrap();
}

#[test]
fn cupid_txt_of_the_first_cupid_is_read_as_it_was_meant() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = state(folder.path());
    for (text, expected) in [
        ("", None),
        ("0", None),
        ("4\n", Some(4)),
        ("100", Some(100)),
    ] {
        std::fs::write(folder.path().join("cupid.txt"), text).unwrap();
        assert_eq!(state.first_cupids_id().unwrap(), expected, "{text:?}");
    }
    for text in ["abc", "18446744073709551616", "-9223372036854775809"] {
        std::fs::write(folder.path().join("cupid.txt"), text).unwrap();
        assert!(
            matches!(state.first_cupids_id(), Err(Error::State { .. })),
            "{text}"
        );
    }
}

#[test]
fn a_file_too_large_to_be_read_whole_is_refused_and_not_read_in_part() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = state(folder.path());
    state.append_owed(&[owed(1)]).unwrap();
    let path = folder.path().join("user.owed.jsonl");
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(FILE_BYTES_MAX + 1).unwrap(); // A hole, which takes no room.
    assert!(matches!(state.outbox(), Err(Error::State { .. })));
}
