use super::*;
use crate::logic::scan::trail::{Doubt, Finding, Start};
use crate::logic::value::oversize::Part;

const LARGE: TooLarge = TooLarge {
    part: Part::Compared,
    bytes: 70_000_000,
};

fn d() -> String {
    "search".into()
}

fn restarted(doubt: Doubt, finding: Finding, id_max: Option<Id>) -> Notice {
    let restart = Restart {
        table: "my.user".into(),
        compared_to: 8_312,
        id_max,
        doubt,
        finding,
        from: 12,
    };
    Notice::Restarted {
        restart,
        is_news: true,
    }
}

/// Every message, as an operator reads it.
#[test]
#[expect(clippy::too_many_lines, reason = "a table: each message is here once")]
fn each_message_says_what_was_found_on_what_and_what_to_do() {
    use Level::{Detail, Info, Warning};
    let table: Vec<(Notice, Level, &str)> = vec![
        (
            Notice::SourceMoved {
                from: "db1:3306".into(),
                to: "db2:3306".into(),
            },
            Warning,
            "source: moved from db1:3306 to db2:3306. Its checkpoint is kept. `cupid reconcile` \
             compares older rows",
        ),
        (
            Notice::DestinationMoved {
                destination: d(),
                from: "db1/my.user".into(),
                to: "db2/my.user".into(),
            },
            Warning,
            "search: moved from db1/my.user to db2/my.user. Its position and its owed callbacks \
             are kept. `cupid reconcile` compares older rows",
        ),
        (
            Notice::DestinationRenamed {
                destination: d(),
                before: "my2.user".into(),
            },
            Info,
            "search: was called my2.user before. Its position and its owed callbacks are kept",
        ),
        (
            Notice::DestinationIsNew { destination: d() },
            Warning,
            "search: is new and starts at the position of the other destinations. \
             `cupid reconcile` compares older rows",
        ),
        (
            Notice::StartIdIgnored,
            Info,
            "source: --start-id is ignored: a checkpoint takes precedence",
        ),
        (
            Notice::StartsAtFirstCupidsId { id: 7 },
            Info,
            "source: starts at id 7, which the first cupid's cupid.txt names",
        ),
        (
            Notice::MomentsChanged {
                before: "timestamp".into(),
                now: "datetime at +08:00".into(),
            },
            Info,
            "source: src.updateColumn was timestamp and is datetime at +08:00. Updates of the \
             last 28 hours are compared again, once",
        ),
        (
            restarted(Doubt::WentBack, Finding::Emptied, None),
            Warning,
            "source: my.user is empty, and ids up to 8,312 were compared. The table was emptied, \
             restored or replaced, or rows were deleted. New rows are compared as they come",
        ),
        (
            restarted(Doubt::WentBack, Finding::Again(Start::At(12)), Some(4_000)),
            Warning,
            "source: ids of my.user went back: the highest one is 4,000, and ids up to 8,312 were \
             compared. The table was emptied, restored or replaced, or rows were deleted. Ids \
             from 12 on are compared again (3,989 ids now). `cupid reconcile` compares all rows",
        ),
        (
            restarted(
                Doubt::MayBeOther,
                Finding::Again(Start::Lowest),
                Some(9_000),
            ),
            Warning,
            "source: ids of my.user started again: the rows up to id 8,312 are not the rows that \
             were compared. The table was emptied, restored or replaced, or rows were deleted. \
             No compared row is left, so the table is compared from its beginning, id 12",
        ),
        (
            Notice::RowsWithoutId {
                table: "my.user".into(),
                id_column: "id".into(),
                count: 1,
            },
            Warning,
            "source: 1 row of my.user cannot be compared: src.idColumn, \"id\", is NULL there. \
             Fill it, or use a column that is NOT NULL",
        ),
        (
            Notice::OwedToStrangers {
                count: 3,
                config: "user.json".into(),
            },
            Warning,
            "callbacks: 3 callbacks owed to destinations that the configuration no longer names. \
             They are kept. See `cupid owed user.json`",
        ),
        (
            Notice::Unread {
                destination: d(),
                reason: "connection refused".into(),
            },
            Warning,
            "search: cannot be read and is left for a later pass: connection refused",
        ),
        (
            Notice::EndpointGivenUp { destination: d() },
            Info,
            "search: its endpoint takes nothing and is left alone until the next run",
        ),
        (
            Notice::CalledBack {
                destination: d(),
                id: 5.into(),
                kind: Kind::Missing,
                answer: "status 200".into(),
            },
            Detail,
            "search: id 5, missing, is called back: status 200",
        ),
        (
            Notice::NotTaken {
                destination: d(),
                id: 5.into(),
                kind: Kind::Different,
                answer: "status 503".into(),
                tries: 4,
            },
            Detail,
            "search: id 5, different, was not taken at try 4: status 503",
        ),
        (
            Notice::OwedRowGone {
                destination: d(),
                id: 5.into(),
            },
            Info,
            "search: the source row of id 5, which is owed, is gone for the moment. It is looked for \
             again for lateCommitSecond",
        ),
        (
            Notice::OwedDropped {
                destination: d(),
                id: 5.into(),
                is_gone: false,
            },
            Info,
            "search: id 5 is no longer owed: the copy agrees with the source",
        ),
        (
            Notice::OwedDropped {
                destination: d(),
                id: 5.into(),
                is_gone: true,
            },
            Info,
            "search: id 5 is no longer owed: its source row is gone",
        ),
        (
            Notice::RowSetAside {
                destination: d(),
                table: "my.user".into(),
                id: 5.into(),
                too_large: LARGE,
            },
            Warning,
            "search: row 5 of my.user is set aside: its compared columns have about 70,000,000 \
             bytes, and cupid reads 64 MiB at most. It stays owed, and every pass looks whether it \
             has become smaller",
        ),
        (
            Notice::KeyNotFindable {
                destination: d(),
                id: 5.into(),
                reason: "Out of range".into(),
                is_last: true,
            },
            Warning,
            "search: cannot look for the key of id 5, so the row counts as missing: Out of range; \
             further keys are only counted",
        ),
        (
            Notice::DuplicateKeys {
                destination: d(),
                keys: 2,
            },
            Warning,
            "search: has duplicate rows: 2 keys with several rows in one batch. Such a row agrees \
             when one of them does",
        ),
        (
            Notice::WithoutChecksums {
                destination: d(),
                reason: "another charset".into(),
                is_asked_for: true,
            },
            Warning,
            "search: is read whole, without checksums: another charset",
        ),
        (
            Notice::WithoutChecksums {
                destination: d(),
                reason: "the line is fast".into(),
                is_asked_for: false,
            },
            Info,
            "search: is read whole, without checksums: the line is fast",
        ),
        (
            Notice::ExtraNeedsIds,
            Warning,
            "source: some rows have no id, so their copies would be taken for extra rows. Extra \
             rows are not looked for",
        ),
        (
            Notice::ExtraNotLookedFor {
                destination: d(),
                reason: "Give it a key".into(),
            },
            Warning,
            "search: extra rows are not looked for, because the table cannot be read from end to \
             end. Give it a key",
        ),
        (
            Notice::ExtraLimited {
                destination: d(),
                limit: 10,
            },
            Warning,
            "search: has more than 10 extra rows. No more of them are looked for",
        ),
        (
            Notice::UnmatchedLeftOut {
                destination: d(),
                rows: 12,
            },
            Warning,
            "search: 12 unmatched rows did not fit in memory and were not checked. Raise --memory, \
             or audit the whole table, without --resume and --from-id",
        ),
        (
            Notice::RepeatedKeysLimited {
                destination: d(),
                limit: 10,
            },
            Warning,
            "search: has more than 10 keys with several rows. No more of them are looked at",
        ),
        (
            Notice::RepeatedKeysUnknown {
                destination: d(),
                reason: "denied".into(),
            },
            Warning,
            "search: keys with several rows are not looked for: denied",
        ),
        (
            Notice::NotCompared {
                destination: d(),
                id: 5.into(),
                too_large: LARGE,
            },
            Warning,
            "search: row 5 cannot be compared: its compared columns have about 70,000,000 bytes, \
             and cupid reads 64 MiB at most",
        ),
        (
            Notice::LoadUnknown {
                subject: d(),
                reason: "Access denied".into(),
            },
            Warning,
            "search: its server is not spared, because nobody knows how loaded it is: Access denied",
        ),
        (
            Notice::Waits {
                subject: "source".into(),
                pause: Pause::MaxThreadsRunning,
            },
            Info,
            "source: the audit waits: more threads are running than maxThreadsRunning says",
        ),
        (
            Notice::GoesOn {
                subject: "source".into(),
            },
            Info,
            "source: the audit goes on",
        ),
        (
            Notice::Settled {
                destination: d(),
                id: 5.into(),
                reason: "its source row is gone",
            },
            Info,
            "search: nothing is left to repair for id 5: its source row is gone",
        ),
    ];
    for (notice, level, text) in table {
        assert_eq!(notice.to_string(), text);
        assert_eq!(notice.level(), level, "{text}");
    }
}
