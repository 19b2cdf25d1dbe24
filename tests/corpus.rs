//! Wrong results that other tools are known for, each as two small tables and the truth about them. cupid has to be right by
//! every method that it has. The cases are in `tests/data/corpus/`, one file each, and `scripts/corpus` tries other tools on
//! them too.
//!
//! A case is SQL that makes `src.t` and `des.t`, below a header of `-- key: value` lines:
//!
//! | line | says | without it |
//! |---|---|---|
//! | `reported` | where the mistake was reported | |
//! | `mistake` | what goes wrong | |
//! | `truth` | what is wrong with the copy: `different ID`, `missing ID`, `duplicate ID`, `extra KEY` | |
//! | `key` | the column that finds the copy | `id` |
//! | `columns` | those compared | `v` |
//! | `rule COLUMN` | its rule in cupid's configuration | |
//! | `pt-table-sync`, `reladiff` | options that this tool needs, or `cannot express …` | |
//!
//! What was reported, and the tests that hold cupid to doing it right; a name without a file is a case below:
//!
//! | reported | what goes wrong | tests |
//! |---|---|---|
//! | tidb-tools#634 #703 #344, Launchpad percona-toolkit#1030053 | equal edits and swapped values cancel out under `BIT_XOR(CRC32)` | `the_same_edit_on_two_rows`, `an_update_of_an_even_number_of_rows`, `two_rows_that_swapped_their_values` |
//! | spirit PR#931, recce#66 | a separator inside a value | `a_hash_sign_inside_a_value`, `a_bar_inside_a_value`, `a_comma_inside_a_value`, `text_that_moved_to_the_next_column`, `src/logic/audit/fingerprint: separators_swaps_and_nulls_do_not_pass` |
//! | tidb-tools#841, tiflow PR#12533 | 0 in a DOUBLE taken for NULL | `zero_and_null_in_a_double` |
//! | ghostferry PR#137, data-diff's sentinel | NULL equal to a text | `null_and_the_text_null`, `null_and_the_text_null_in_brackets` |
//! | data-diff PR#850 #527 #634 #366 | duplicate keys unseen, NULL keys crash | `a_key_that_the_copy_has_twice`, `rows_whose_key_is_null`, `tests/keys: a_null_key_finds_nothing_and_stops_nothing` |
//! | vitess#9715, tidb-tools#759 #853 #866, data-diff#532 #550 | collated keys give false differences | `keys_in_another_case`, `keys_with_other_accents`, `keys_that_sort_in_another_order`, `tests/keys: the_destination_finds_keys_under_its_own_collation` |
//! | spirit PR#1066 #1078, vitess PR#9508 #8686, tiflow's JSON as float64 | JSON: decimals, doubles, integers above 2^53 | `json_integers_above_53_bits`, `json_decimals`, `json_doubles_and_decimals_of_one_value`, `json_keys_in_another_order` |
//! | tidb-tools#699 #565, data-diff#883 #649 | floats rounded, -0 and 0, no tolerance per column | `floats_that_text_rounds`, `the_last_bit_of_a_double`, `a_float_and_its_copy_in_a_double`, `minus_zero_and_zero`, `a_difference_within_the_tolerance`, `a_tolerance_for_one_column_only` |
//! | kafka-connect-jdbc#27 #482 #915 #1015 | rows that commit late are lost | `tests/scan: a_transaction_that_inserts_an_id_and_commits_after_a_later_id_was_scanned_is_compared`, `tests/scan: an_update_that_commits_after_its_window_is_compared` |
//! | kafka-connect-jdbc#598 PR#1093 | rows that share a timestamp are lost on restart | `tests/scan: a_bulk_update_that_gave_thousands_of_rows_one_timestamp_is_compared_whole`, `tests/scan: an_update_in_the_second_that_a_run_has_just_scanned_is_compared_by_the_next` |
//! | kafka-connect-jdbc#103 #321 #470, tidb-tools#722 #591 | time zones of source, destination and client differ | `timestamps_written_in_other_time_zones`, `tests/zones: an_update_is_found_whatever_the_zones_of_server_and_client`, `tests/zones: instants_on_servers_of_different_zones_agree` |
//! | spirit#746 #820, otter#780, ape-dts#426 | a row checked in flight is called wrong | `tests/pass: rows_that_arrive_within_the_confirmation_delay_cause_no_callback`, `tests/pass: a_writer_and_a_lagging_copier_beside_cupid_cause_no_callback` |
//! | DVT#1368 #1801 #1080 | trimmed or long keys pair wrongly | `keys_that_differ_by_blanks`, `keys_padded_to_a_width`, `keys_above_64_bits`, `unsigned_keys_of_64_bits`, `keys_of_many_digits_after_the_point`, `zerofill_keys_and_their_text` |
//! | airbyte#16159, python-mysql-replication#162 | zero dates become NULL | `zero_dates` |
//! | tidb-tools#422 #356, DVT's `MemoryError` | memory without bound, an audit that cannot resume | `tests/reconcile: what_memory_does_not_hold_goes_to_files_and_is_still_paired`, `src/logic/audit/pairing: the_order_and_the_memory_change_nothing`, `tests/reconcile: an_audit_whose_time_is_up_goes_on_where_it_stopped` |
//! | ape-dts: "cannot detect extra rows" | orphans in the destination | `rows_that_only_the_copy_has`, `rows_only_the_copy_has_in_another_case`, `rows_only_the_copy_has_that_the_source_cannot_spell`, `tests/extra: rows_that_only_the_copy_has_are_reported_when_asked_for_and_never_called_back` |
//! | twindb/backup#195 | two cron runs at once | `tests/commands: two_runs_at_once_are_refused_with_75_in_silence`, `tests/reconcile: two_audits_of_one_configuration_are_75_and_an_audit_beside_a_run_is_not` |
//! | MySQL Reference Manual on contractions | a client folds case where the collation does not | `keys_whose_letters_are_one`, `tests/collations: what_folds_in_the_client_folds_under_every_collation_that_is_said_to` |
//! | text outside Unicode | bytes without a character are read as `?` | `texts_without_a_character_in_unicode`, `keys_without_a_character_in_unicode`, `tests/lookup/outside_unicode: text_outside_unicode_is_compared_by_its_bytes_and_called_back_as_it_is` |
//! | the first cupid | NULL = '', '1.0' = '1' | `null_and_the_empty_text`, `texts_that_are_the_same_number` |
//! | | a callback for each differing column | `tests/pass: a_different_row_gives_one_callback_of_type_2_however_many_columns_differ` |
//! | | a queue in memory that is lost at a crash | `tests/crash: kill_9_at_every_stage_of_a_run_loses_nothing`, `tests/callbacks: a_receiver_that_is_down_gets_everything_once_it_is_back` |
//! | | two configurations share `cupid.txt` | `tests/state: two_configurations_share_a_state_folder_without_meeting` |
//! | | a retry sends an old copy of the row | `tests/owed: a_retry_sends_the_row_as_it_is_then` |

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use common::{Db, Scene};
use serde_json::{Map, Value, json};

/// Each method of `cupid reconcile`. Checksums find no row that only a copy has; with `--extra` tables are read.
const METHODS: [&str; 3] = ["stream --extra", "checksum --extra", "checksum"];

/// The lines that a header may have; `rule` with a column's name behind it.
const KEYS: [&str; 8] = [
    "reported",
    "mistake",
    "truth",
    "key",
    "columns",
    "rule",
    "pt-table-sync",
    "reladiff",
];

macro_rules! cases {
    ($($name:ident)*) => {
        const CASES: &[&str] = &[$(stringify!($name)),*];
        $(#[test]
        fn $name() {
            Case::parse(include_str!(concat!("data/corpus/", stringify!($name), ".sql"))).judge();
        })*
    };
}

cases! {
    the_same_edit_on_two_rows
    an_update_of_an_even_number_of_rows
    two_rows_that_swapped_their_values
    a_hash_sign_inside_a_value
    a_bar_inside_a_value
    a_comma_inside_a_value
    text_that_moved_to_the_next_column
    zero_and_null_in_a_double
    null_and_the_text_null
    null_and_the_text_null_in_brackets
    null_and_the_empty_text
    texts_that_are_the_same_number
    a_key_that_the_copy_has_twice
    rows_whose_key_is_null
    keys_in_another_case
    keys_with_other_accents
    keys_that_sort_in_another_order
    keys_that_differ_by_blanks
    keys_padded_to_a_width
    keys_above_64_bits
    unsigned_keys_of_64_bits
    json_integers_above_53_bits
    json_decimals
    json_doubles_and_decimals_of_one_value
    json_keys_in_another_order
    floats_that_text_rounds
    the_last_bit_of_a_double
    a_float_and_its_copy_in_a_double
    minus_zero_and_zero
    a_difference_within_the_tolerance
    a_tolerance_for_one_column_only
    timestamps_written_in_other_time_zones
    zero_dates
    rows_that_only_the_copy_has
    rows_only_the_copy_has_in_another_case
    rows_only_the_copy_has_that_the_source_cannot_spell
    keys_whose_letters_are_one
    texts_without_a_character_in_unicode
    keys_without_a_character_in_unicode
    keys_of_many_digits_after_the_point
    zerofill_keys_and_their_text
}

/// A file of `tests/data/corpus/`.
struct Case<'a> {
    header: BTreeMap<&'a str, &'a str>,
    statements: Vec<&'a str>,
}

impl<'a> Case<'a> {
    fn parse(text: &'a str) -> Self {
        let header: BTreeMap<_, _> = text
            .lines()
            .map_while(|line| line.strip_prefix("-- "))
            .map(|line| line.split_once(": ").expect("A header line has a value"))
            .collect();
        for key in header.keys() {
            let word = key.split(' ').next().unwrap_or_default();
            assert!(KEYS.contains(&word), "Unknown header line {key:?}");
        }
        let statements = text.split(";\n").filter(|sql| !sql.trim().is_empty());
        Self {
            header,
            statements: statements.collect(),
        }
    }

    fn get(&self, key: &str) -> &'a str {
        self.header
            .get(key)
            .unwrap_or_else(|| panic!("The header has no {key}"))
    }

    /// `different 2`, `extra x` and so on.
    fn truth(&self) -> BTreeSet<String> {
        self.get("truth").split(", ").map(str::to_owned).collect()
    }

    /// `des[].columns` of the configuration.
    fn columns(&self) -> Value {
        let columns = self.header.get("columns").unwrap_or(&"v").split(' ');
        let mapped = columns.map(|column| {
            let rule = self.header.get(format!("rule {column}").as_str());
            let json = format!("{{{}}}", rule.unwrap_or(&""));
            let mut rule: Value = serde_json::from_str(&json).expect("A rule is JSON");
            rule["to"] = json!(column);
            (column.to_owned(), rule)
        });
        Value::Object(mapped.collect::<Map<_, _>>())
    }

    /// Every method finds what is wrong, and nothing else; the look-up of `run` too, which is not asked for rows that
    /// only the copy has and counts duplicate keys without a line.
    fn judge(&self) {
        let mut scene = Scene::bare(Db::new(1));
        for sql in &self.statements {
            scene.db.exec(sql);
        }
        let key = *self.header.get("key").unwrap_or(&"id");
        for table in ["/src", "/des/0"] {
            scene
                .config
                .set(&format!("{table}/table"), "t")
                .set(&format!("{table}/byColumn"), key);
        }
        scene
            .config
            .set("/des/0/columns", self.columns())
            .set("/confirmDelayMillisecond", 0);
        let truth = self.truth();
        for method in METHODS {
            let audit = scene
                .cupid("reconcile")
                .args(&format!("--dry-run --report - --method {method}"))
                .run();
            let mut truth = truth.clone();
            truth.retain(|wrong| method.ends_with("--extra") || !wrong.starts_with("extra "));
            assert_eq!(found(&audit.stdout), truth, "by {method}");
            let expected = Some(i32::from(!truth.is_empty()));
            assert_eq!(audit.code, expected, "by {method}: {}", audit.stderr);
        }
        let looked_up = scene
            .cupid("run")
            .args("--start-id 0 --dry-run --report -")
            .run();
        let of_rows: BTreeSet<String> = truth
            .into_iter()
            .filter(|wrong| wrong.starts_with("different ") || wrong.starts_with("missing "))
            .collect();
        assert_eq!(
            found(&looked_up.stdout),
            of_rows,
            "by look-up: {}",
            looked_up.stderr
        );
    }
}

/// A CSV report in the words of a case's truth.
fn found(report: &str) -> BTreeSet<String> {
    let mut reader = csv::Reader::from_reader(report.as_bytes());
    let lines = reader.records().map(|line| {
        let line = line.expect("Well-formed CSV");
        let (kind, id, key) = (&line[3], &line[4], &line[5]);
        format!("{kind} {}", if kind == "extra" { key } else { id })
    });
    lines.collect()
}

#[test]
fn every_file_is_a_case_with_a_test_and_a_source() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/corpus");
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("List the corpus") {
        let path = entry.expect("List the corpus").path();
        let text = std::fs::read_to_string(&path).expect("Read a case");
        let case = Case::parse(&text);
        assert!(
            !case.get("reported").is_empty() && !case.get("mistake").is_empty(),
            "{path:?}"
        );
        files.insert(path.file_stem().unwrap().to_string_lossy().into_owned());
    }
    let cases: BTreeSet<String> = CASES.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(files, cases);
}

/// The table at the top of this file, so that it cannot name what is gone.
#[test]
fn every_test_in_the_table_above_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = include_str!("corpus.rs")
        .lines()
        .skip_while(|line| !line.starts_with("//! | reported |"))
        .skip(2)
        .take_while(|line| line.starts_with("//! |"));
    let mut cases = BTreeSet::new();
    for line in table {
        let tests = line
            .split(" | ")
            .last()
            .expect("A line of a table has columns");
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test in: {line}");
        for name in names {
            let Some((place, function)) = name.split_once(": ") else {
                cases.insert(name);
                continue;
            };
            let sources =
                [".rs", "/main.rs", "/tests.rs"].map(|end| root.join(format!("{place}{end}")));
            let wanted = format!("fn {function}(");
            assert!(
                sources
                    .iter()
                    .filter_map(|path| std::fs::read_to_string(path).ok())
                    .any(|text| text.contains(&wanted)),
                "{name} is gone"
            );
        }
    }
    assert_eq!(cases, CASES.iter().copied().collect());
}
