//! cupid finds changes that got lost between a MySQL table and its copies, and calls back until
//! every callback is taken.
//!
//! # A pass in ten lines
//!
//! 1. Take the configuration's lock. Read the checkpoint and the outbox of owed callbacks.
//! 2. Compare owed rows once more. Drop the repaired ones and send the rest.
//! 3. Ask the source for its clock and its highest id.
//! 4. Read, in batches: ids that were missing, new ids, rows updated since the last window.
//! 5. Look each batch up in every destination, and compare.
//! 6. Hold each difference until the confirmation delay is over, while the scan goes on.
//! 7. Read both sides again. Forget rows that agree or are still on their way.
//! 8. Append lasting differences to the outbox, and sync.
//! 9. Save the checkpoint behind all of these rows.
//! 10. Send owed callbacks, each row as it is by then.
//!
//! # Invariants, and the tests that hold them
//!
//! 1. A row is behind the checkpoint only if every destination answered for it. A destination that
//!    did not answer keeps an older position (`tests/crash.rs`, `tests/simulation`).
//! 2. A confirmed difference is delivered or on disk before the checkpoint passes it
//!    (`tests/crash.rs`, `tests/simulation`).
//! 3. A checkpoint that exists but cannot be read stops the run. Only *absent* means "from the
//!    beginning" (`tests/state.rs`).
//! 4. One unreachable destination or refused callback never stops other destinations. It delays
//!    them by no more than one time limit, and always shows in the exit status (`tests/crash.rs`,
//!    `tests/callbacks.rs`, `tests/log_ins.rs`, `tests/simulation`).
//! 5. Every loop, queue, body and wait has a limit (`tests/callbacks.rs`, `tests/state.rs`,
//!    `logic::scan::gaps`, `io::http`).
//! 6. The payload that is sent was read from the source after the difference was confirmed
//!    (`tests/owed.rs`, `tests/simulation`).
//! 7. No value is silently altered on its way (`tests/random_tables`, `tests/charsets.rs`).
//!
//! # Modules, in reading order
//!
//! [`pipeline`] tells the story, in terms of [`world`] and [`logic`]. Decisions are pure and in
//! `logic`. Effects are in [`io`]. `world` is all that stands between them. `tests/house.rs` holds
//! the order of imports.
//!
//! | folder or file | what it is responsible for |
//! |---|---|
//! | `cli` | the command line, its help and the topics |
//! | `commands/` | one short file for each command |
//! | `config/` | the JSON as written, then as meant (`Job`); every refusal names its key |
//! | `pipeline.rs` | the story of a pass, an audit, a retry |
//! | `pipeline/` | stages: `scan`, `look`, `owed`, `deliver`, `callback`, `report` |
//! | `pipeline/` | shared by the stages: `pass`, `progress`, `ledger`, `work` |
//! | `pipeline/audit/` | which rows of two tables are equal, without looking each of them up |
//! | `world.rs` | what a pass needs from outside, as small traits |
//! | `check.rs`, `check/` | facts of servers and files in, advice out |
//! | `init.rs`, `init/` | facts of tables in, the text of a configuration out |
//! | `logic/value/` | cells, rows, spans of ids, and how they are printed and quoted |
//! | `logic/compare/` | when two cells and two rows are equal, and whether a difference lasts |
//! | `logic/scan/` | what to read next: gaps, checkpoint, zones |
//! | `logic/callback/` | owed callbacks: when each is tried again, and its body |
//! | `logic/audit/` | fingerprints, pairing, checksums, shards, pace |
//! | `logic/report/` | lines, sums, messages, the page, the statements that would repair |
//! | `logic/notify/` | channels, their requests, and when to tell |
//! | `logic/stats/`, `logic/status/` | the history of passes, the state it means, how it is shown |
//! | `io/mysql/` | source and destination tables; the only folder that names `mysql` |
//! | `io/` | HTTP, state files, reports, log, signals |

pub(crate) mod check;
pub mod cli;
pub mod commands;
pub mod config;
pub mod error;
mod init;
pub mod io;
mod locks;
pub mod logic;
pub mod pipeline;
pub mod world;
