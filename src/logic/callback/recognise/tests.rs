use super::*;
use crate::logic::callback::outbox::Outbox;
use crate::logic::callback::owed::Owed;
use crate::logic::compare::rows::Kind;
use crate::logic::scan::checkpoint::{Checkpoint, Position, VERSION};
use crate::logic::scan::identity::{Conflict, Unnamed, names, names_before};
use crate::logic::value::cell::Id;

/// `b.user` on a server.
fn on(server: &str) -> DestinationId {
    tagged(server, "0")
}

fn tagged(server: &str, tag: &str) -> DestinationId {
    DestinationId {
        name: String::new(),
        server: server.into(),
        table: "b.user".into(),
        tag: tag.into(),
    }
}

/// Entries of `des[]`: a name or none, and where.
fn entries(entries: &[(Option<&str>, DestinationId)]) -> Vec<Unnamed> {
    let entry = |(given, id): &(Option<&str>, DestinationId)| Unnamed {
        given: given.map(str::to_owned),
        table_name: id.table.replace('`', ""),
        id: id.clone(),
    };
    entries.iter().map(entry).collect()
}

fn configured(of: &[(Option<&str>, DestinationId)]) -> Vec<Known> {
    let unnamed = entries(of);
    let all = names(&unnamed).unwrap();
    let all = all.into_iter().zip(names_before(&unnamed)).zip(unnamed);
    all.map(|((name, name_before), Unnamed { id, .. })| Known {
        id: DestinationId { name, ..id },
        name_before,
    })
    .collect()
}

/// State of this configuration: destination number n is at id n, and is owed row n.
fn state(of: &[Known]) -> (Checkpoint, Outbox) {
    let mut outbox = Outbox::default();
    let mut positions = vec![];
    for (known, next_id) in of.iter().zip(0..) {
        positions.push(position(&known.id.name, next_id));
        outbox.replace(Owed {
            address: Some(known.id.address()),
            ..owed(&known.id.name, next_id)
        });
    }
    let checkpoint = Checkpoint {
        version: VERSION,
        source: "a.user".into(),
        config: None,
        source_server: None,
        destinations: of.iter().map(|known| known.id.clone()).collect(),
        positions,
    };
    (checkpoint, outbox)
}

fn position(name: &str, next_id: Id) -> Position {
    Position {
        destinations: vec![name.into()],
        next_id: Some(next_id),
        ..Position::default()
    }
}

fn owed(name: &str, id: Id) -> Owed {
    Owed::new(name, id, "k", Kind::Missing, vec![], 1)
}

/// Where each destination of `after` is, and which rows it is owed, in the order of `after`.
fn carried(before: &[Known], after: &[Known]) -> Vec<(Vec<Id>, Vec<Id>)> {
    let (checkpoint, outbox) = state(before);
    let whole = recognise(Some(checkpoint.clone()), outbox.clone(), after);
    // Killed after the outbox was written: the checkpoint is the old one.
    let killed = recognise(Some(checkpoint), whole.outbox.clone(), after);
    assert_eq!(killed.outbox, whole.outbox, "a second look changes nothing");
    assert_eq!(killed.checkpoint, whole.checkpoint);
    assert!(!killed.outbox_changed);
    assert_eq!(whole.outbox.len(), outbox.len(), "nothing is lost");
    let positions = whole.checkpoint.unwrap().positions;
    let of = |known: &Known| {
        let at = positions
            .iter()
            .filter(|position| position.destinations.contains(&known.id.name));
        let owed = whole.outbox.iter();
        let owed = owed.filter(|owed| owed.destination == known.id.name);
        (
            at.filter_map(|position| position.next_id).collect(),
            owed.map(|owed| owed.id.id()).collect(),
        )
    };
    after.iter().map(of).collect()
}

/// What `after` has of `before`: by number.
#[track_caller]
fn assert_carried(
    before: &[(Option<&str>, DestinationId)],
    after: &[(Option<&str>, DestinationId)],
    expected: &[Option<Id>],
) {
    let expected: Vec<(Vec<Id>, Vec<Id>)> = expected
        .iter()
        .map(|number| number.map_or_else(|| (vec![], vec![]), |n| (vec![n], vec![n])))
        .collect();
    let carried = carried(&configured(before), &configured(after));
    assert_eq!(carried, expected, "{before:?} became {after:?}");
}

#[test]
fn default_names_do_not_depend_on_the_order() {
    let dotted = |table: &str| DestinationId {
        table: table.into(),
        ..on("h:1")
    };
    for (of, expected) in [
        (vec![(None, on("h:1"))], vec!["b.user"]),
        (
            vec![
                (None, on("h:1")),
                (None, on("[::1]:3306")),
                (None, on("/s")),
            ],
            vec!["h:1/b.user", "[::1]:3306/b.user", "/s/b.user"],
        ),
        (
            vec![(Some("x"), on("h:1")), (None, on("g:1"))],
            vec!["x", "b.user"],
        ),
        // A given name that is another one's default.
        (
            vec![(None, on("h:1")), (Some("b.user"), on("g:1"))],
            vec!["h:1/b.user", "b.user"],
        ),
        (
            vec![
                (None, tagged("h:1", "aa")),
                (None, tagged("h:1", "bb")),
                (None, on("g:1")),
            ],
            vec!["h:1/b.user#aa", "h:1/b.user#bb", "g:1/b.user"],
        ),
        // Two tables that are written alike.
        (
            vec![(None, dotted("`a.b`.c")), (None, dotted("a.`b.c`"))],
            vec!["h:1/`a.b`.c", "h:1/a.`b.c`"],
        ),
    ] {
        assert_eq!(names(&entries(&of)).unwrap(), expected);
        let (of, expected): (Vec<_>, Vec<_>) = of.into_iter().zip(expected).rev().unzip();
        assert_eq!(names(&entries(&of)).unwrap(), expected);
    }
}

#[test]
fn destinations_that_nothing_tells_apart_need_a_name() {
    let conflict = |of: &[_]| names(&entries(of)).unwrap_err();
    let (number, other) = (1, 0);
    assert_eq!(
        conflict(&[(None, on("h:1")), (None, on("h:1"))]),
        Conflict { number, other }
    );
    // Every default of the second is given to the first ones.
    let taken = [
        (Some("b.user"), on("g:1")),
        (Some("h:1/b.user"), on("f:1")),
        (Some("h:1/b.user#0"), on("e:1")),
        (None, on("h:1")),
    ];
    let (number, other) = (3, 2);
    assert_eq!(conflict(&taken), Conflict { number, other });
    assert!(names(&entries(&[(Some("x"), on("h:1")), (None, on("h:1"))])).is_ok());
}

#[test]
fn a_destination_keeps_what_is_its_own_wherever_it_stands() {
    let two = [(None, on("h:1")), (None, on("g:1"))];
    let swapped = [(None, on("g:1")), (None, on("h:1"))];
    assert_carried(&two, &swapped, &[Some(1), Some(0)]);
    let inserted = [(None, on("f:1")), (None, on("h:1")), (None, on("g:1"))];
    assert_carried(&two, &inserted, &[None, Some(0), Some(1)]);
    assert_carried(&two, &[(None, on("g:1"))], &[Some(1)]);
    assert_carried(&two[..1], &swapped, &[None, Some(0)]);
    let again = [(None, tagged("h:1", "a")), (None, tagged("h:1", "b"))];
    let swapped = [(None, tagged("h:1", "b")), (None, tagged("h:1", "a"))];
    assert_carried(&again, &swapped, &[Some(1), Some(0)]);
}

#[test]
fn the_address_decides_before_the_name() {
    let two = [(Some("x"), on("h:1")), (Some("y"), on("g:1"))];
    let traded = [(Some("y"), on("h:1")), (Some("x"), on("g:1"))];
    assert_carried(&two, &traded, &[Some(0), Some(1)]);
    // The name of one that is gone: its callbacks are nobody's now.
    let inherited = [(Some("x"), on("g:1"))];
    assert_carried(&two, &inherited, &[Some(1)]);
    let named = [(Some("z"), on("h:1")), (None, on("g:1"))];
    assert_carried(&two, &named, &[Some(0), Some(1)]);
    // Of two in one place it is the tag, then the name.
    let again = [
        (Some("x"), tagged("h:1", "a")),
        (Some("y"), tagged("h:1", "b")),
    ];
    let other_tags = [
        (Some("y"), tagged("h:1", "c")),
        (Some("x"), tagged("h:1", "d")),
    ];
    assert_carried(&again, &other_tags, &[Some(1), Some(0)]);
    let traded = [
        (Some("x"), tagged("h:1", "b")),
        (Some("y"), tagged("h:1", "a")),
    ];
    assert_carried(&again, &traded, &[Some(1), Some(0)]);
    let one_edited = [(None, tagged("h:1", "c")), (None, tagged("h:1", "b"))];
    assert_carried(&again, &one_edited, &[Some(0), Some(1)]);
}

#[test]
fn a_server_that_moved_keeps_its_position() {
    assert_carried(&[(None, on("h:1"))], &[(None, on("g:1"))], &[Some(0)]);
    let two = [(None, on("h:1")), (None, on("g:1"))];
    let moved = [(None, on("f:1")), (None, on("h:1"))];
    assert_carried(&two, &moved, &[Some(1), Some(0)]);
    let named = [(Some("x"), on("h:1")), (Some("y"), on("g:1"))];
    let moved = [(Some("y"), on("f:1")), (Some("x"), on("h:1"))];
    assert_carried(&named, &moved, &[Some(1), Some(0)]);
    // With the other one named, the default name is another one too.
    let other_named = [(Some("x"), on("h:1")), (None, on("f:1"))];
    assert_carried(&two, &other_named, &[Some(0), Some(1)]);
    // Names that were given say that these are others.
    let others = [(Some("z"), on("f:1")), (Some("x"), on("h:1"))];
    assert_carried(&named, &others, &[None, Some(0)]);
    let (before, after) = (
        configured(&two),
        configured(&[(None, on("f:1")), (None, on("h:1"))]),
    );
    let (checkpoint, outbox) = state(&before);
    let told = recognise(Some(checkpoint), outbox, &after).told;
    assert!(
        matches!(told.as_slice(), [Told::Moved { from, to, .. }] if from == "g:1/b.user" && to == "f:1/b.user"),
        "{told:?}"
    );
}

#[test]
fn what_is_owed_to_a_name_that_is_anothers_now_stays_nobodys() {
    let two = configured(&[(Some("x"), on("h:1")), (Some("y"), on("g:1"))]);
    let after = configured(&[(Some("x"), on("g:1"))]);
    let (checkpoint, outbox) = state(&two);
    let found = recognise(Some(checkpoint), outbox, &after);
    let names: Vec<&str> = found
        .outbox
        .iter()
        .map(|o| o.destination.as_str())
        .collect();
    assert_eq!(names, ["h:1/b.user", "x"]);
    // It comes back, whatever it is called.
    let back = configured(&[(Some("z"), on("h:1")), (Some("x"), on("g:1"))]);
    let found = recognise(found.checkpoint, found.outbox, &back);
    let names: Vec<&str> = found
        .outbox
        .iter()
        .map(|o| o.destination.as_str())
        .collect();
    assert_eq!(names, ["x", "z"]);
}

#[test]
fn the_webhook_id_of_a_detection_outlives_a_new_name() {
    let before = configured(&[(None, on("h:1"))]);
    let after = configured(&[(None, on("g:1")), (None, on("h:1"))]);
    let (checkpoint, outbox) = state(&before);
    let id = |outbox: &Outbox| outbox.iter().next().unwrap().webhook_id("user", b"{}");
    let found = recognise(Some(checkpoint), outbox.clone(), &after);
    assert_eq!(
        found.outbox.iter().next().unwrap().destination,
        "h:1/b.user"
    );
    assert_eq!(id(&found.outbox), id(&outbox));
}

#[test]
fn state_without_addresses_is_read_in_the_order_of_the_file() {
    let of = configured(&[(None, on("h:1")), (None, on("g:1")), (Some("x"), on("f:1"))]);
    let mut outbox = Outbox::default();
    let names = ["b.user", "b.user#2", "x"];
    for (name, id) in names.into_iter().zip(0..) {
        outbox.replace(owed(name, id));
    }
    let positions = names.into_iter().zip(0..);
    let checkpoint = Checkpoint {
        version: 1,
        source: "a.user".into(),
        config: None,
        source_server: None,
        destinations: vec![],
        positions: positions.map(|(name, id)| position(name, id)).collect(),
    };
    let found = recognise(Some(checkpoint), outbox, &of);
    assert!(found.outbox_changed);
    let now = ["h:1/b.user", "g:1/b.user", "x"];
    for (position, name) in found.checkpoint.unwrap().positions.iter().zip(now) {
        assert_eq!(position.destinations, [name]);
        let owed = found.outbox.get(name, position.next_id.unwrap()).unwrap();
        assert!(owed.address.is_some());
    }
}

/// What an audit left owed while `one` and `other` had each other's names in the files of `run`.
#[test]
fn audits_callbacks_are_taken_over_by_address_and_not_by_name() {
    let before = configured(&[(Some("x"), on("one")), (Some("y"), on("other"))]);
    let after = configured(&[(Some("y"), on("one")), (Some("x"), on("other"))]);
    let owed_to = |known: &Known, detected_us| Owed {
        address: Some(known.id.address()),
        detected_us,
        ..owed(&known.id.name, 0)
    };
    let outbox = |all: &[Owed]| {
        let mut outbox = Outbox::default();
        for owed in all {
            outbox.replace(owed.clone());
        }
        outbox
    };
    let (checkpoint, _) = state(&before);
    let of_run = owed_to(&before[0], 1);
    // The same name is another destination, and the same destination has another name.
    let of_audit = outbox(&[owed_to(&after[0], 2), owed_to(&after[1], 3)]);
    let all = taken_over(
        Some(&checkpoint),
        outbox(std::slice::from_ref(&of_run)),
        of_audit,
        &after,
    );
    let at: Vec<(&str, Option<&str>, i64)> = all
        .iter()
        .map(|owed| {
            (
                owed.destination.as_str(),
                owed.address.as_deref(),
                owed.detected_us,
            )
        })
        .collect();
    let (one, other) = (after[0].id.address(), after[1].id.address());
    assert_eq!(at, [("x", Some(&*other), 3), ("y", Some(&*one), 1)]);
    let kept = all.get("y", 0).unwrap();
    assert_eq!(
        kept.webhook_id("user", b"{}"),
        of_run.webhook_id("user", b"{}"),
        "it may have been sent"
    );
}
