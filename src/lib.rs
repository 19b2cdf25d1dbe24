//! cupid finds changes that got lost between a MySQL table and its copies, and calls back until they are repaired.
//!
//! # A pass in ten lines
//!
//! 1. Take the configuration's lock; read the checkpoint and the outbox of owed callbacks.
//! 2. Look at what is owed once more, drop what is repaired, send the rest.
//! 3. Ask the source for its clock and its highest id.
//! 4. Read, in batches: ids that were missing, new ids, rows updated since the last window.
//! 5. Look each batch up in every destination, and compare.
//! 6. Hold what differs until the confirmation delay is over, while the scan goes on.
//! 7. Look at it again on both sides; forget what agrees or is still on its way.
//! 8. Append what still differs to the outbox, and sync.
//! 9. Save the checkpoint behind which all this lies.
//! 10. Send what is owed, each row as it is by then.
//!
//! # Invariants, and the tests that hold them
//!
//! 1. A row is behind the checkpoint only if every destination answered for it, or that destination keeps an older
//!    position (`tests/crash.rs`, `tests/simulation`).
//! 2. A difference seen is delivered or on disk before the checkpoint passes it (`tests/crash.rs`, `tests/simulation`).
//! 3. A checkpoint that exists but cannot be read stops the run; only *absent* means "from the beginning"
//!    (`tests/state.rs`).
//! 4. One unreachable destination or refused callback never stops the others, nor delays them by more than one time
//!    limit, and always shows in the exit status (`tests/crash.rs`, `tests/callbacks.rs`, `tests/log_ins.rs`,
//!    `tests/simulation`).
//! 5. Every loop, queue, body and wait has a limit (`tests/callbacks.rs`, `tests/state.rs`, `logic::scan::gaps`, `io::http`).
//! 6. The payload that is sent was read from the source after the difference was confirmed (`tests/owed.rs`,
//!    `tests/simulation`).
//! 7. Nothing that is read is silently altered on its way (`tests/random_tables`, `tests/charsets.rs`).
//!
//! # Modules, in reading order
//!
//! [`pipeline`] tells the story, in terms of [`world`] (what it needs from outside) and [`logic`] (pure decisions);
//! [`io`] is the world as it really is; [`config`] says what is wanted, [`check`] what to mend before it is asked for;
//! [`cli`] and [`commands`] say who asks for it, and [`error`] what can go wrong. `tests/house.rs` holds the order of
//! imports.

pub mod check;
pub mod cli;
pub mod commands;
pub mod config;
pub mod error;
pub mod io;
mod locks;
pub mod logic;
pub mod pipeline;
pub mod world;
