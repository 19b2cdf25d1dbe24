use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::*;

const WRITE: &str = "Write the test";

fn made(path: &Path, text: &str) -> Output {
    let mut output = Output::create(path, WRITE).unwrap();
    output.write(text.as_bytes()).unwrap();
    output
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_is_as_it_was_until_the_new_one_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.csv");
    std::fs::write(&path, "yesterday").unwrap();
    let output = made(&path, "today");
    assert_eq!(text(&path), "yesterday");
    drop(output);
    assert_eq!(
        (text(&path).as_str(), names(folder.path())),
        ("yesterday", vec!["r.csv".into()])
    );
    made(&path, "today").complete().unwrap();
    assert_eq!(
        (text(&path).as_str(), names(folder.path())),
        ("today", vec!["r.csv".into()])
    );
    made(&path, "raw")
        .complete_as(|draft, to| {
            let mut raw = String::new();
            draft.read_to_string(&mut raw)?;
            write!(to, "made of {raw}")
        })
        .unwrap();
    assert_eq!(
        (text(&path).as_str(), names(folder.path())),
        ("made of raw", vec!["r.csv".into()])
    );
}

#[test]
fn what_is_kept_is_gone_on_with_and_what_is_not_there_is_not_made_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.csv");
    std::fs::write(&path, "yesterday").unwrap();
    let refused = Output::resume(&path, WRITE)
        .map(drop)
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("r.csv.partial") && refused.contains("Give the FILE"),
        "{refused}"
    );
    assert_eq!(names(folder.path()), ["r.csv"]);
    let kept = made(&path, "first,").keep().unwrap().unwrap();
    assert_eq!(
        (text(&path).as_str(), text(&kept).as_str()),
        ("yesterday", "first,")
    );
    assert_eq!(
        std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let Resumed::Draft(mut output) = Output::resume(&path, WRITE).unwrap() else {
        panic!("the draft is there");
    };
    output.write(b"second").unwrap();
    output.complete().unwrap();
    assert_eq!(
        (text(&path).as_str(), names(folder.path())),
        ("first,second", vec!["r.csv".into()])
    );
    let new = folder.path().join("new.csv");
    assert!(matches!(Output::resume(&new, WRITE), Ok(Resumed::Anew(_))));
}

#[test]
fn a_link_stays_and_the_file_keeps_its_permissions() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    std::fs::create_dir(&here).unwrap();
    std::fs::create_dir(&there).unwrap();
    std::fs::write(there.join("real.csv"), "yesterday").unwrap();
    std::fs::set_permissions(
        there.join("real.csv"),
        std::fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    symlink("../there/real.csv", here.join("middle.csv")).unwrap();
    symlink("middle.csv", here.join("r.csv")).unwrap();
    symlink("../there/absent.csv", here.join("dangling.csv")).unwrap();
    let before = std::fs::metadata(there.join("real.csv")).unwrap();
    made(&here.join("r.csv"), "today").complete().unwrap();
    made(&here.join("dangling.csv"), "new").complete().unwrap();
    let after = std::fs::metadata(there.join("real.csv")).unwrap();
    assert_eq!(text(&there.join("real.csv")), "today");
    assert_eq!(text(&there.join("absent.csv")), "new");
    assert_eq!((after.mode(), after.uid()), (before.mode(), before.uid()));
    assert_ne!(
        after.ino(),
        before.ino(),
        "it was replaced, not written over"
    );
    assert!(
        std::fs::symlink_metadata(here.join("r.csv"))
            .unwrap()
            .is_symlink()
    );
    assert_eq!(names(&here), ["dangling.csv", "middle.csv", "r.csv"]);
    assert_eq!(names(&there), ["absent.csv", "real.csv"]);
    symlink("b", here.join("a")).unwrap();
    symlink("a", here.join("b")).unwrap();
    assert!(Output::create(&here.join("a"), WRITE).is_err());
    assert!(Output::create(&here, WRITE).is_err(), "a folder is no file");
}

#[test]
fn two_processes_do_not_make_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.csv");
    let first = made(&path, "first");
    let refused = Output::create(&path, WRITE)
        .map(drop)
        .unwrap_err()
        .to_string();
    assert!(refused.contains("Another process"), "{refused}");
    first.complete().unwrap();
    assert_eq!(text(&path), "first");
}

#[test]
fn outputs_that_are_one_file_are_refused_whatever_leads_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("real"), "").unwrap();
    symlink("real", at("link")).unwrap();
    let dotted = folder.path().join(".").join("real");
    let refuses = |one: &Path, other: &Path| {
        refuse_one_file(&[
            ("--report", Some(one)),
            ("--html", None),
            ("--fix-sql", Some(other)),
        ])
        .is_err()
    };
    assert!(refuses(&at("real"), &at("real")));
    assert!(refuses(&at("link"), &at("real")));
    assert!(refuses(&dotted, &at("real")));
    assert!(refuses(&at("new"), &at("new")));
    assert!(refuses(&at("new"), &at("new.partial")));
    assert!(refuses(&at("real.partial"), &at("real")));
    assert!(!refuses(&at("real"), &at("new")));
    assert!(!refuses(Path::new("/dev/stdout"), Path::new("/dev/stdout")));
}

#[test]
fn a_failed_write_leaves_no_half_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.csv");
    let mut output = made(&path, "whole\n");
    // A handle that cannot be written stands for a full disk.
    let To::Beside(draft) = &mut output.to else {
        panic!("a file")
    };
    let draft_path = draft.path.clone().unwrap();
    draft.file = File::open(&draft_path).unwrap();
    assert!(output.write(b"torn").is_err());
    assert_eq!(text(&draft_path), "whole\n");
}

#[test]
fn a_file_in_memory_is_a_file_and_what_the_shell_opened_is_none() {
    let place = |path: &str| Place::of(Path::new(path)).unwrap();
    assert!(matches!(
        place("/dev/shm/cupid-none-yet.csv"),
        Place::File(_)
    ));
    assert!(matches!(place("/dev/null"), Place::Direct));
    assert!(matches!(place("/dev/fd/3"), Place::Direct));
}
