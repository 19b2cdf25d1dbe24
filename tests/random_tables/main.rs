//! Random tables against their servers' own judgement.
//!
//! Each seed makes a pair of tables: keys and compared columns of random types, character sets and collations (all that the
//! server lists), random indexes, rows and orders, values from the corners of each type and from bytes that are no characters. The
//! server copies the rows with its own conversions; then some are changed, taken away or added. What is true of the two tables
//! their servers say ([`truth`], [`value`]), and `run`, every method of `reconcile`, `--extra` and the applied `--fix-sql` have to
//! agree with it. A seed means the same tables each time on servers of the same versions; a failure is printed as the smallest
//! tables that show it.
//!
//! | variable | says | without it |
//! |---|---|---|
//! | `CUPID_RANDOM_SEEDS` | how many seeds | as many as a test run has time for |
//! | `CUPID_RANDOM_FROM` | the first of them | 0 |
//! | `CUPID_RANDOM_SEED` | this one only, and prints its SQL | |
//! | `CUPID_RANDOM_FAILURES` | goes on until so many seeds failed | 1 |
//! | `CUPID_BIN` | another copy of the program | the one that was built |
//! | `CUPID_TEST_DSN`, `CUPID_TEST_DESTINATION_DSN` | the servers | a private MariaDB; the source's |

mod bench;
mod case;
#[path = "../common/mod.rs"]
mod common;
mod reduce;
#[path = "../simulation/rng.rs"]
#[allow(dead_code, reason = "shared with the simulation")]
mod rng;
mod truth;
mod types;
mod value;
mod values;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bench::{Bench, Judged};
use common::Server;

/// Seeds of a usual test run.
const SEEDS: u64 = 150;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} should be a number, and is {text:?}")),
    )
}

/// The source's and the destination's, often the same.
fn servers() -> [Arc<Server>; 2] {
    let source = Server::named_by("CUPID_TEST_DSN").unwrap_or_else(|| {
        // A zone of its own tells instants from printed times; nothing has to survive a power cut.
        Server::private_with(&[
            "--default-time-zone=+05:30",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-flush-method=nosync",
            "--innodb-log-file-size=16M",
            "--debug-no-sync",
        ])
    });
    let destination =
        Server::named_by("CUPID_TEST_DESTINATION_DSN").unwrap_or_else(|| Arc::clone(&source));
    [source, destination]
}

#[derive(Default)]
struct Counts {
    right: u64,
    commands: u64,
    rows: u64,
    wrong: u64,
    open: u64,
    unmade: BTreeMap<String, u64>,
}

impl Counts {
    fn add(&mut self, judged: Judged) {
        match judged {
            Judged::Right {
                commands,
                rows,
                wrong,
            } => {
                self.right += 1;
                self.commands += commands;
                self.rows += rows;
                self.wrong += wrong;
            }
            Judged::Unmade(error) => {
                let words = error.chars().take(60).collect();
                *self.unmade.entry(words).or_default() += 1;
            }
            Judged::Open => self.open += 1,
        }
    }
}

#[test]
fn every_random_pair_of_tables_is_judged_as_its_servers_judge_it() {
    let only = number("CUPID_RANDOM_SEED");
    let from = only.or_else(|| number("CUPID_RANDOM_FROM")).unwrap_or(0);
    let seeds = only.map_or_else(|| number("CUPID_RANDOM_SEEDS").unwrap_or(SEEDS), |_| 1);
    let failures_max = usize::try_from(number("CUPID_RANDOM_FAILURES").unwrap_or(1)).unwrap_or(1);
    let workers = number("CUPID_RANDOM_WORKERS").unwrap_or(4).min(seeds);
    let servers = servers();
    let began = Instant::now();
    let (next, failed) = (AtomicU64::new(from), AtomicUsize::new(0));
    let counts = Mutex::new(Counts::default());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let mut bench = Bench::new(&servers);
                while failed.load(Ordering::Relaxed) < failures_max {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + seeds {
                        break;
                    }
                    if seed > from && (seed - from).is_multiple_of(1_000) {
                        eprintln!("{} seeds in {:.0?}", seed - from, began.elapsed());
                    }
                    let case = bench.case(seed);
                    if only.is_some() {
                        println!("{}", case.script());
                    }
                    match bench.judge(&case) {
                        Ok(judged) => counts
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .add(judged),
                        Err(failure) => {
                            failed.fetch_add(1, Ordering::Relaxed);
                            eprintln!("seed {seed}: {}: {}", failure.command, failure.class);
                            let (case, failure) = reduce::reduced(&mut bench, case, failure);
                            println!(
                                "\n== seed {seed}: {}: {}\n{}\n-- {}",
                                failure.command,
                                failure.class,
                                case.script(),
                                failure.detail.replace('\n', "\n-- ")
                            );
                        }
                    }
                }
            });
        }
    });
    let counts = counts.into_inner().unwrap_or_else(PoisonError::into_inner);
    let failed = failed.into_inner();
    println!(
        "{} seeds in {:.0?}: {} judged as their servers judge them ({} commands; {} source rows, {} of them wrong), {failed} otherwise; \
         {} left open by the contract; refused by a server: {:?}",
        seeds,
        began.elapsed(),
        counts.right,
        counts.commands,
        counts.rows,
        counts.wrong,
        counts.open,
        counts.unmade
    );
    assert_eq!(failed, 0, "seeds that are judged otherwise");
    let unmade: u64 = counts.unmade.values().sum();
    assert!(
        unmade * 5 <= seeds,
        "{unmade} seeds of {seeds} make no tables"
    );
}
