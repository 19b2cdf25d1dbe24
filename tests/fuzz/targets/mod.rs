//! What is fuzzed: functions of bytes that panic where a promise is broken.
//!
//! They are used twice: by the fuzzers of this folder (`scripts/fuzz`), and by `tests/fuzz_corpus.rs`, which gives them the
//! committed corpus in every test run.

mod cells;
mod config;
mod dsn;
mod http_answer;
mod php_date;
mod report_file;
mod report_lines;
mod retry_after;
mod state;
mod statements;
mod values;

/// What is done with one input. Any bytes are an input.
pub(crate) type Target = fn(&[u8]);

/// The targets, by the name of their fuzzer and of their folder in `corpus/`.
pub(crate) const ALL: [(&str, Target); 10] = [
    ("cells", cells::run),
    ("config", config::run),
    ("dsn", dsn::run),
    ("http_answer", http_answer::run),
    ("php_date", php_date::run),
    ("report_file", report_file::run),
    ("report_lines", report_lines::run),
    ("retry_after", retry_after::run),
    ("state", state::run),
    ("statements", statements::run),
];

/// Gives one input to a target.
pub(crate) fn run(name: &str, data: &[u8]) {
    let target = ALL.iter().find(|(target, _)| *target == name);
    let (_, target) = target.unwrap_or_else(|| panic!("there is no target {name}"));
    target(data);
}
