use proptest::prelude::*;

use super::*;
use crate::logic::value::cell::Cell;

const HOUR_US: i64 = TOLD_AGAIN_US;

fn row(id: Id, key: &str) -> Row {
    Row {
        id,
        key: Cell::Text(key.into()),
        updated: Cell::Null,
        cells: vec![Cell::Int(1)],
    }
}

/// A table whose key is no id.
fn rows(ids: impl IntoIterator<Item = Id>, name: &str) -> Vec<Row> {
    let row = |id| row(id, &format!("{name}{id}"));
    ids.into_iter().map(row).collect()
}

/// A table whose key is the id, with this content.
fn rows_by_id(ids: impl IntoIterator<Item = Id>, content: i64) -> Vec<Row> {
    let row = |id: Id| Row {
        id,
        key: Cell::Int(id.try_into().unwrap()),
        updated: Cell::Null,
        cells: vec![Cell::Int(content)],
    };
    ids.into_iter().map(row).collect()
}

/// As it is after these rows were compared in batches, from `start_id` on.
fn trail_of(start_id: Id, rows: &[Row]) -> (Trail, Id) {
    let mut trail = Trail::default();
    trail.begin(start_id);
    let mut next_id = start_id;
    for batch in rows.chunks(300) {
        next_id = batch.last().unwrap().id + 1;
        trail.pass(batch, next_id);
    }
    let last = rows.last().unwrap();
    trail.reach(bounds(Some(last)));
    (trail, next_id)
}

fn bounds(last: Option<&Row>) -> Bounds {
    Bounds {
        now_us: 0,
        id_max: last.map(|row| row.id),
        key_max: last.map(|row| key_print(&row.key)),
    }
}

/// What a pass makes of a table that holds these rows now; `None` where it has no doubt.
fn found(trail: &mut Trail, next_id: Id, table: &[Row], update: bool) -> Option<Finding> {
    let around = Around {
        next_id,
        bounds: bounds(table.last()),
        start_id: 0,
        update,
    };
    let doubt = trail.doubt(around)?;
    let spans = trail.spans(around.bounds.id_max);
    let is_asked = |row: &&Row| spans.iter().any(|span| span.from == row.id);
    let seen: Vec<Row> = table.iter().filter(is_asked).cloned().collect();
    Some(trail.judge(doubt, &seen, around))
}

fn at(id: Id) -> Finding {
    Finding::Again(Start::At(id))
}

const LOWEST: Option<Finding> = Some(Finding::Again(Start::Lowest));
const UNCHANGED: Option<Finding> = Some(Finding::Unchanged);

#[test]
fn a_quiet_table_causes_no_doubt() {
    let table = rows(1..=1_000, "n");
    let (mut trail, next_id) = trail_of(0, &table);
    assert_eq!(found(&mut trail, next_id, &table, false), None);
}

#[test]
fn another_table_that_ends_where_a_pass_was_interrupted_is_found() {
    let table = rows(1..=20, "n");
    let (mut trail, _) = trail_of(0, &table);
    trail.pass(&rows(21..=25, "n"), 26);
    assert_eq!(
        found(&mut trail.clone(), 26, &rows(1..=25, "o"), false),
        LOWEST
    );
    // The same table is asked about once.
    let table = rows(1..=25, "n");
    assert_eq!(found(&mut trail, 26, &table, false), UNCHANGED);
    assert_eq!(found(&mut trail, 26, &table, false), None);

    let (mut trail, _) = trail_of(0, &table);
    trail.go_back(8);
    assert_eq!(found(&mut trail, 8, &rows(1..=7, "o"), false), LOWEST);
}

#[test]
fn a_table_that_only_grew_is_the_same() {
    let (mut trail, next_id) = trail_of(0, &rows(1..=100_000, "n"));
    let before = trail.clone();
    let grown = rows(1..=100_005, "n");
    assert_eq!(found(&mut trail, next_id, &grown, false), UNCHANGED);
    assert_eq!(trail, before);
}

#[test]
fn a_table_emptied_and_filled_anew_is_compared_from_its_lowest_id() {
    for refilled in [2, 500, 999, 1_000, 1_001, 50_000] {
        let (mut trail, next_id) = trail_of(0, &rows(1..=1_000, "n"));
        let table = rows(1..=refilled, "m");
        let again = found(&mut trail, next_id, &table, false);
        assert!(
            again == LOWEST || again == Some(at(0)),
            "{refilled}: {again:?}"
        );
    }
}

#[test]
fn rows_that_come_again_as_they_were_are_compared_in_a_small_table() {
    let (mut trail, next_id) = trail_of(0, &rows(1..=1_000, "n"));
    let again = found(&mut trail, next_id, &rows(1..=2, "n"), false);
    assert_eq!(again, Some(at(0)), "landmarks agree up to id 1");
}

#[test]
fn a_replica_that_is_a_row_behind_costs_no_scan_of_a_large_table() {
    let table = rows(1..=100_000, "n");
    let (mut trail, next_id) = trail_of(0, &table);
    assert_eq!(
        found(&mut trail, next_id, &table[..99_999], false),
        Some(at(100_000))
    );
    let (mut trail, _) = trail_of(0, &table);
    let Some(Finding::Again(Start::At(from))) = found(&mut trail, next_id, &table[..99_000], false)
    else {
        panic!("ids went back");
    };
    assert!((98_000..=99_001).contains(&from), "{from}");
}

#[test]
fn a_huge_id_that_was_deleted_again_leaves_the_ids_before_it() {
    let mut table = rows(1..=100_000, "n");
    table.push(row(1_000_000_000_000, "huge"));
    let (mut trail, next_id) = trail_of(0, &table);
    table.pop();
    table.extend(rows(100_001..=100_002, "n"));
    let Some(Finding::Again(Start::At(from))) = found(&mut trail, next_id, &table, false) else {
        panic!("ids went back");
    };
    assert!((90_000..=100_001).contains(&from), "{from}");
}

#[test]
fn ids_that_were_reused_after_a_restart_are_compared_again() {
    let (mut trail, next_id) = trail_of(0, &rows(1..=100_000, "n"));
    for (highest, added) in [(100_000, "at the checkpoint"), (100_007, "beyond it")] {
        let mut trail = trail.clone();
        let mut table = rows(1..=99_997, "n");
        table.extend(rows(99_998..=highest, "m"));
        let again = found(&mut trail, next_id, &table, false);
        let Some(Finding::Again(Start::At(from))) = again else {
            panic!("{added}: {again:?}");
        };
        assert!((90_000..=99_998).contains(&from), "{added}: {from}");
    }
    let mut unique = rows(1..=99_999, "n");
    unique.extend(rows(100_000..=100_000, "m"));
    assert_eq!(
        found(&mut trail, next_id, &unique, false),
        Some(at(100_000))
    );
}

#[test]
fn keys_that_are_changed_for_good_reasons_cause_one_doubt_each() {
    let mut table = rows(1..=100_000, "n");
    let (mut trail, next_id) = trail_of(0, &table);
    for id in [1, 50_000, 99_990] {
        table[id - 1].key = Cell::Text("changed".into());
    }
    table.extend(rows(100_001..=100_001, "n"));
    assert_eq!(found(&mut trail, next_id, &table, false), UNCHANGED);

    table[99_999].key = Cell::Text("changed".into());
    let again = found(&mut trail, next_id, &table, false);
    assert_eq!(again, Some(at(100_000)));
    trail.go_back(100_000);
    trail.pass(&table[99_999..], 100_002);
    trail.reach(bounds(table.last()));
    assert_eq!(found(&mut trail, 100_002, &table, false), None);
}

#[test]
fn rows_that_are_purged_cause_no_scan() {
    let table = rows(1..=100_000, "n");
    let (mut trail, next_id) = trail_of(0, &table);
    let mut left = table[90_000..].to_vec();
    left.extend(rows(100_001..=100_001, "n"));
    assert_eq!(found(&mut trail, next_id, &left, false), UNCHANGED);
    let (mut trail, next_id) = trail_of(0, &table);
    let none_left = rows(100_001..=100_001, "n");
    let gone = Some(Finding::AllGone(Start::Lowest));
    assert_eq!(found(&mut trail, next_id, &none_left, false), gone);
    assert_eq!(found(&mut trail, next_id, &none_left, false), None);
}

#[test]
fn where_all_landmarks_are_gone_rows_may_come_late() {
    let gone = |start| Some(Finding::AllGone(start));
    for (compared, now, expected) in [
        (1..=2, 4..=8, gone(Start::Lowest)),
        (90_001..=90_002, 90_004..=90_008, gone(Start::At(0))),
        (1..=2, 2..=8, UNCHANGED),
    ] {
        let (mut trail, next_id) = trail_of(0, &rows(compared, "n"));
        let table = rows(now, "n");
        assert_eq!(found(&mut trail, next_id, &table, false), expected);
    }
}

#[test]
fn a_landmark_whose_print_cannot_be_told_is_not_gone() {
    let (mut trail, next_id) = trail_of(0, &rows(1..=20, "n"));
    let table = rows_by_id(1..=30, 1);
    assert_eq!(found(&mut trail, next_id, &table, false), UNCHANGED);
}

#[test]
fn an_empty_table_is_told_once_and_its_landmarks_are_kept() {
    let table = rows(1..=1_000, "n");
    let (mut trail, next_id) = trail_of(0, &table);
    for is_told in [true, false] {
        let finding = found(&mut trail, next_id, &[], false).unwrap();
        assert_eq!(
            (finding, trail.tell(finding, 0)),
            (Finding::Emptied, is_told)
        );
    }
    let (mut before, _) = trail_of(0, &table);
    before.is_emptied = true;
    assert_eq!(trail, before);
    assert_eq!(
        found(&mut trail, next_id, &table, false),
        None,
        "it was away"
    );
}

#[test]
fn a_step_back_is_told_once_an_hour_and_another_table_always() {
    let mut trail = Trail::default();
    let step = Finding::Again(Start::At(1));
    let told = |trail: &mut Trail, at_us| trail.tell(step, at_us);
    assert!(told(&mut trail, 10));
    assert!(!told(&mut trail, HOUR_US + 9));
    assert!(told(&mut trail, HOUR_US + 10));
    assert!(told(&mut trail, 9), "the clock was set back");
    assert!(trail.tell(Finding::Again(Start::Lowest), 9));
    assert!(!trail.tell(Finding::Unchanged, HOUR_US * 2));
}

#[test]
fn a_checkpoint_of_an_earlier_version_goes_back_by_no_more_than_a_batch_where_that_explains_it() {
    let table = rows(1..=100_000, "n");
    let next_id = 100_001;
    let old = || Trail::default();
    assert_eq!(found(&mut old(), next_id, &table, false), None);
    assert_eq!(
        found(&mut old(), next_id, &table[..99_990], false),
        Some(at(95_895))
    );
    assert_eq!(found(&mut old(), next_id, &table[..50_000], false), LOWEST);
    assert_eq!(found(&mut old(), next_id, &table[..2], false), LOWEST);
    assert_eq!(
        found(&mut old(), 0, &[], false),
        None,
        "nothing was compared"
    );
}

#[test]
fn a_start_id_above_the_highest_id_is_no_step_back() {
    let mut trail = Trail::default();
    trail.begin(5_000);
    let table = rows(1..=3_000, "n");
    assert_eq!(found(&mut trail, 5_000, &table, false), None);
    assert_eq!(found(&mut trail, 5_000, &[], false), None);
}

#[test]
fn a_table_below_the_start_id_is_another_one() {
    let (mut trail, next_id) = trail_of(990, &rows(990..=1_000, "n"));
    assert_eq!(found(&mut trail, next_id, &rows(1..=2, "n"), false), LOWEST);
}

#[test]
fn where_the_key_is_the_id_only_a_table_that_changed_as_a_whole_is_another_one() {
    let (trail, next_id) = trail_of(0, &rows_by_id(1..=100_000, 1));
    let grown = |content| rows_by_id(1..=100_010, content);
    assert_eq!(found(&mut trail.clone(), next_id, &grown(2), false), LOWEST);
    assert_eq!(
        found(&mut trail.clone(), next_id, &grown(2), true),
        None,
        "rows written anew are met by their update times"
    );
    let mut some = grown(1);
    for row in &mut some[40_000..] {
        row.cells = vec![Cell::Null];
    }
    assert_eq!(found(&mut trail.clone(), next_id, &some, false), UNCHANGED);
    let mut wider = grown(1);
    for row in &mut wider {
        row.cells.push(Cell::Null);
    }
    let of_wider = found(&mut trail.clone(), next_id, &wider, false);
    assert_eq!(of_wider, UNCHANGED, "another column is compared");
}

#[test]
fn a_table_whose_rows_change_all_the_time_is_compared_again_once() {
    let (mut trail, next_id) = trail_of(0, &rows_by_id(1..=1_000, 1));
    let changed = |content| rows_by_id(1..=1_001, content);
    assert_eq!(found(&mut trail, next_id, &changed(2), false), LOWEST);
    trail.go_back(0);
    trail.pass(&changed(2), 1_002);
    assert_eq!(found(&mut trail, 1_001, &changed(3), false), UNCHANGED);
    assert_eq!(
        found(&mut trail, 1_001, &changed(3), false),
        UNCHANGED,
        "now it is steady"
    );
    assert_eq!(found(&mut trail, 1_001, &changed(4), false), LOWEST);
}

#[test]
fn ids_below_zero_are_ids() {
    let (mut trail, next_id) = trail_of(-5_000, &rows(-5_000..=-1, "n"));
    assert_eq!(
        found(&mut trail, next_id, &rows(-5_000..=-1, "n"), false),
        None
    );
    assert_eq!(
        found(&mut trail, next_id, &rows(-5_000..=-2, "n"), false),
        Some(at(-1))
    );
    let (mut trail, next_id) = trail_of(0, &rows(1..=100, "n"));
    assert_eq!(
        found(&mut trail, next_id, &rows(-9..=-1, "m"), false),
        LOWEST
    );
}

#[test]
fn a_key_that_becomes_text_is_the_same_key() {
    let number = Cell::Int(7);
    assert_eq!(key_print(&number), key_print(&Cell::Text("7".into())));
    assert_eq!(key_print(&number), key_print(&Cell::Decimal("7".into())));
    assert_ne!(key_print(&number), key_print(&Cell::Bytes((*b"7").into())));
}

#[test]
fn positions_that_are_joined_keep_what_they_know_alike() {
    let table = rows(1..=1_000, "n");
    let (one, next_id) = trail_of(0, &table);
    let mut changed = table.clone();
    changed[999].key = Cell::Text("changed".into());
    let (other, _) = trail_of(5, &changed[5..]);
    let joined = one.clone().joined(other, Some(next_id));
    assert_eq!(joined.from, Some(0));
    assert_eq!(joined.top, None);
    assert!(joined.marks.iter().all(|mark| mark.id < 1_000) && joined.marks.len() > 5);
    assert_eq!(one.clone().joined(one.clone(), Some(next_id)), one);
}

#[test]
fn a_trail_is_read_as_it_was_written() {
    let (trail, _) = trail_of(0, &rows(1..=100_000, "n"));
    let text = serde_json::to_string(&trail).unwrap();
    assert!(text.len() < 4_096, "{} bytes", text.len());
    assert_eq!(serde_json::from_str::<Trail>(&text).unwrap(), trail);
    assert!(trail.is_plausible(|_| true, |_| true));
    assert!(!trail.is_plausible(|id| id < 50_000, |_| true));
}

proptest! {
    #[test]
    fn landmarks_are_few_and_one_is_near_every_place(steps in proptest::collection::vec(1..2_000_i128, 1..60)) {
        let mut trail = Trail::default();
        trail.begin(0);
        let mut next_id = 0;
        for step in steps {
            let batch = rows(next_id..next_id + step, "n");
            next_id += step;
            trail.pass(&batch, next_id);
        }
        prop_assert!(trail.marks.len() <= 2 * 18);
        prop_assert!(trail.marks.is_sorted_by_key(|mark| mark.id));
        for id in 0..next_id {
            let below = trail.marks.iter().rev().find(|mark| mark.id <= id);
            let from = below.map_or(0, |mark| mark.id);
            // No further away than the id is from the checkpoint, four times over.
            prop_assert!(id - from <= 4 * (next_id - id), "{id} of {next_id}: {from}");
        }
    }
}
