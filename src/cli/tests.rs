use std::path::PathBuf;
use std::time::Duration;

use super::examples::{HTML_EXAMPLES, MERGE_EXAMPLES};
use super::values::{parse_duration, parse_id, parse_report, parse_shard};
use super::*;
use crate::logic::report::file::{ReportFile, ReportFormat};
use proptest::prelude::*;

fn parsed(line: &str) -> Command {
    parse(line.split(' ')).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn refused(line: &str) -> (Exit, String) {
    let error = parse(line.split(' ')).expect_err(line);
    (exit(&error), error.to_string())
}

#[test]
fn the_definition_is_sound_and_every_command_and_option_has_help() {
    Cli::command().debug_assert();
    for command in Cli::command().get_subcommands() {
        let name = command.get_name();
        assert!(command.get_about().is_some(), "{name}");
        let examples = command.get_after_help().map(ToString::to_string);
        let examples = examples.unwrap_or_default();
        assert!(
            examples.contains(&format!("cupid {name} ")),
            "{name}: {examples}"
        );
        for argument in command.get_arguments() {
            assert!(
                argument.get_help().is_some(),
                "{name} {}",
                argument.get_id()
            );
        }
    }
}

#[test]
fn the_examples_in_the_help_are_commands() {
    for examples in [
        TOP_EXAMPLES,
        RUN_EXAMPLES,
        START_EXAMPLES,
        RECONCILE_EXAMPLES,
        RECHECK_EXAMPLES,
        REPORT_EXAMPLES,
        MERGE_EXAMPLES,
        HTML_EXAMPLES,
        RETRY_EXAMPLES,
        STATUS_EXAMPLES,
        OWED_EXAMPLES,
        NOTIFY_EXAMPLES,
    ] {
        for line in examples.lines().filter(|line| line.starts_with("  ")) {
            let start = line.find("cupid ").unwrap();
            let line = line[start..].split("   ").next().unwrap();
            let line = line.split(['|', '>']).next().unwrap();
            parsed(line.trim());
        }
    }
}

#[test]
fn owed_lists_unless_it_is_told_otherwise() {
    let owed = |line: &str| match parsed(line) {
        Command::Owed(owed) => owed,
        other => panic!("{other:?}"),
    };
    let list = OwedList {
        destination: Some("search".into()),
        limit: 5,
        json: true,
    };
    let options = "--destination search --limit 5 --json";
    let bare = owed(&format!("cupid owed c.json {options}"));
    assert_eq!((bare.command, bare.list), (None, list.clone()));
    let named = owed(&format!("cupid owed c.json list {options}"));
    assert_eq!(named.command, Some(OwedCommand::List(list)));
    let Some(OwedCommand::Show(show)) = owed("cupid owed c.json show -5 a/-6 a/[1,2]").command
    else {
        panic!()
    };
    assert_eq!(show.keys, ["-5", "a/-6", "a/[1,2]"]);
}

#[test]
fn owed_acts_on_keys_or_on_all_and_on_nothing_else() {
    for line in [
        "cupid owed c.json send",
        "cupid owed c.json drop --yes",
        "cupid owed c.json drop --destination search",
        "cupid owed c.json drop 5 --all",
        "cupid owed c.json show",
        "cupid owed c.json lsit",
        "cupid owed c.json --limit 0",
        "cupid owed c.json --limit 5 send --all",
        "cupid owed",
    ] {
        assert_eq!(refused(line).0, Exit::Usage, "{line}");
    }
    for line in [
        "cupid owed c.json send --all --destination search -v",
        "cupid owed c.json drop 5 a/6 --yes",
    ] {
        parsed(line);
    }
}

#[test]
fn every_option_of_run_is_read() {
    let config = PathBuf::from("c.json");
    assert_eq!(
        parsed(
            "cupid run c.json --start-id 18446744073709551615 --every 2s --for 58s --report x.jsonl --dry-run --json -vv"
        ),
        Command::Run(Run {
            configs: vec![config.clone()],
            start_id: Some(i128::from(u64::MAX)),
            every: Some(Duration::from_secs(2)),
            for_time: Some(Duration::from_secs(58)),
            dry_run: true,
            output: Output {
                report: Some(ReportFile {
                    file: Some("x.jsonl".into()),
                    format: ReportFormat::JsonLines
                }),
                json: true,
                talk: Talk {
                    verbose: 2,
                    quiet: false
                }
            },
        })
    );
    assert_eq!(
        parsed("cupid run c.json -q"),
        Command::Run(Run {
            configs: vec![config],
            start_id: None,
            every: None,
            for_time: None,
            dry_run: false,
            output: Output {
                report: None,
                json: false,
                talk: Talk {
                    verbose: 0,
                    quiet: true
                }
            },
        })
    );
}

#[test]
fn the_command_line_of_the_first_cupid_still_works() {
    let meant = |line: &str| match parsed(line) {
        Command::Start(start) => start.meant(),
        other => panic!("{other:?}"),
    };
    let file = |name: &str| PathBuf::from(name);
    for (line, start_id) in [
        ("cupid start /tmp/c.json", None),
        ("cupid start /tmp/c.json 0", Some(0)),
        ("cupid start /tmp/c.json 12", Some(12)),
        (
            "cupid start /tmp/c.json -9223372036854775808",
            Some(i64::MIN.into()),
        ),
    ] {
        assert_eq!(meant(line), (vec![file("/tmp/c.json")], start_id), "{line}");
    }
    let several = vec![file("a.json"), file("b.json"), file("7")];
    assert_eq!(meant("cupid start a.json b.json 7"), (several, None));
}

#[test]
fn the_format_of_a_report_is_that_of_its_name() {
    for (name, format) in [
        ("a.csv", ReportFormat::Csv),
        ("a", ReportFormat::Csv),
        ("jsonl", ReportFormat::Csv),
        ("a.b.JSONL", ReportFormat::JsonLines),
        ("./-", ReportFormat::Csv),
    ] {
        assert_eq!(
            parse_report(name),
            Ok(ReportFile {
                file: Some(name.into()),
                format
            }),
            "{name}"
        );
    }
    assert_eq!(
        parse_report("-"),
        Ok(ReportFile {
            file: None,
            format: ReportFormat::Csv
        })
    );
}

#[test]
fn a_wrong_command_line_exits_with_64() {
    for (line, words) in [
        ("cupid", "Usage"),
        ("cupid rnu c.json", "unrecognized subcommand 'rnu'"),
        ("cupid run", "<CONFIG>"),
        ("cupid run c.json --evry 2s", "'--every'"),
        ("cupid run c.json --for 58s", "--every <DURATION>"),
        (
            "cupid run c.json --every 2",
            "needs a unit; should be such as 2s or 2ms",
        ),
        ("cupid run c.json --every 0s", "is no time at all"),
        ("cupid run c.json --every -1s", "unexpected argument"),
        ("cupid run c.json --every=-1s", "should be such as 500ms"),
        (
            "cupid run c.json --start-id -9223372036854775809",
            "should be a whole number from -9223372036854775808",
        ),
        ("cupid run c.json --start-id --5", "unexpected argument"),
        (
            "cupid run c.json --start-id 18446744073709551616",
            "should be a whole number from -9223372036854775808",
        ),
        ("cupid run c.json --report - --json", "both write to stdout"),
        ("cupid run c.json -v -q", "cannot be used with"),
        (
            "cupid reconcile c.json --shard 8/8",
            "of 8 the first is 0/8 and the last 7/8",
        ),
        ("cupid reconcile c.json --shard 0/0", "at least one shard"),
        (
            "cupid reconcile c.json --shard 0/257",
            "256 shards at the most, such as 0/8",
        ),
        ("cupid reconcile c.json --shard 3", "such as 0/8"),
        ("cupid reconcile c.json --shard +1/8", "such as 0/8"),
        (
            "cupid reconcile c.json --shard 1/99999999999",
            "such as 0/8",
        ),
        (
            "cupid reconcile c.json --shard 0/8 --extra",
            "--extra` once, without --shard",
        ),
        (
            "cupid reconcile c.json --max-rate 0",
            "should be rows a second, such as 20000, from 1",
        ),
        (
            "cupid reconcile c.json --max-rate +5",
            "should be rows a second",
        ),
        (
            "cupid reconcile c.json --max-rate 20k",
            "should be rows a second",
        ),
        ("cupid report", "Usage"),
        ("cupid report merge", "<FILE>..."),
        ("cupid recheck c.json", "<REPORT>"),
        (
            "cupid recheck c.json r.csv --report - --json",
            "both write to stdout",
        ),
        ("cupid start c.json abc", "should be a whole number from"),
        ("cupid start c.json +1", "should be a whole number from"),
        ("cupid status", "<CONFIG>"),
        ("cupid status c.json --json --plugin", "cannot be used with"),
        ("cupid status c.json --stale x", "500ms, 2s, 5m or 1h30m"),
        ("cupid completions", "<SHELL>"),
        ("cupid completions cmd", "bash"),
    ] {
        let (exit, text) = refused(line);
        assert_eq!(exit, Exit::Usage, "{line}");
        assert!(text.contains(words), "{line}: {text}");
    }
}

#[test]
fn help_and_version_exit_with_0_and_help_tells_the_exit_status() {
    for line in [
        "cupid --help",
        "cupid help",
        "cupid -h",
        "cupid help run",
        "cupid run --help",
        "cupid --version",
        "cupid -V",
    ] {
        let error = parse(line.split(' ')).expect_err(line);
        assert_eq!(exit(&error), Exit::Done, "{line}");
        assert!(!error.use_stderr(), "{line}");
    }
    let (_, help) = refused("cupid --help");
    for exit in [
        Exit::Done,
        Exit::Attention,
        Exit::Failed,
        Exit::Usage,
        Exit::Locked,
        Exit::Config,
    ] {
        let line = format!("\n{:4}  ", exit as u8);
        assert!(help.contains(&line), "{exit:?}: {help}");
    }
}

#[test]
fn durations_have_units() {
    for (text, ms) in [
        ("500ms", 500),
        ("2s", 2_000),
        ("58s", 58_000),
        ("90s", 90_000),
        ("5m", 300_000),
        ("1h", 3_600_000),
        ("1h30m", 5_400_000),
        ("1m500ms", 60_500),
        ("31d", 31 * 86_400_000),
    ] {
        assert_eq!(
            parse_duration(text),
            Ok(Duration::from_millis(ms)),
            "{text}"
        );
    }
    for (text, words) in [
        ("", "such as"),
        ("2", "2s or 2ms"),
        ("1h30", "needs a unit"),
        ("0", "needs a unit"),
        ("0ms", "no time at all"),
        ("0h0m", "no time at all"),
        ("s", "such as"),
        ("2 s", "such as"),
        ("1.5s", "such as"),
        ("-2s", "such as"),
        ("2S", "such as"),
        ("2sec", "such as"),
        ("30m1h", "such as"),
        ("1s1s", "such as"),
        ("32d", "at most 31d"),
        ("99999999999999999999s", "at most 31d"),
        ("18446744073709551615h", "at most 31d"),
    ] {
        let problem = parse_duration(text).expect_err(text);
        assert!(problem.contains(words), "{text}: {problem}");
    }
}

#[test]
fn completions_know_the_commands() {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let mut script = Vec::new();
        write_completions(shell, &mut script).unwrap();
        let script = String::from_utf8(script).unwrap();
        assert!(
            script.contains("retry") && script.contains("start-id"),
            "{shell}"
        );
    }
}

proptest! {
    #[test]
    fn any_text_is_a_duration_or_a_refusal(text in "\\PC*") {
        let _ = parse_duration(&text);
        let _ = parse_id(&text);
        let _ = parse_shard(&text);
    }

    #[test]
    fn any_sum_of_units_is_that_duration(h in 0_u64..100, m in 0_u64..100, s in 0_u64..100, ms in 1_u64..5000) {
        let total = ((h * 60 + m) * 60 + s) * 1000 + ms;
        prop_assert_eq!(parse_duration(&format!("{h}h{m}m{s}s{ms}ms")), Ok(Duration::from_millis(total)));
    }
}
