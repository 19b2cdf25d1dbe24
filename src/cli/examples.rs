//! The longer texts of the help.

pub(super) const EXIT_STATUS: &str = "\
Exit status:
   0  done, nothing left to do
   1  done, attention: callbacks are still owed, or one destination could not be read
   2  failed: nothing was skipped, the next run starts where this one did
  64  wrong command line
  75  another run holds this configuration's lock
  78  wrong configuration: the message names the key

Signals:
  TERM, INT  finish the batch in hand, save, exit with the usual status
  USR1       under `start` and `run --every`: read the configuration again before the next pass

Data goes to stdout, everything else to stderr. Without a terminal, a run in which nothing is
wrong prints nothing.";

pub(super) const TOP_EXAMPLES: &str = "\
Examples:
  cupid init --src DSN --table user --des DSN --callback URL --output user.json
  cupid check user.json                   is the configuration right?
  cupid run user.json                     one pass, for cron and systemd timers
  cupid run user.json --every 2s --for 58s
  cupid start user.json                   until SIGTERM, for supervisord
  cupid status user.json
  cupid owed user.json                    the callbacks that are owed, and why

`cupid help COMMAND` and `cupid help TOPIC` tell more, `cupid --help` also the exit status.";

pub(super) const RUN_EXAMPLES: &str = "\
Examples:
  cupid run user.json
  cupid run user.json --start-id 1000000          first run only: a checkpoint takes precedence
  cupid run /etc/cupid/ --every 5s                all its *.json side by side, each with a lock of its own
  cupid run user.json --dry-run --report -        what would be called back, as CSV
  * * * * *  cupid run user.json --every 2s --for 58s          in a crontab";

pub(super) const START_EXAMPLES: &str = "\
Examples:
  cupid start /etc/cupid/user.json
  cupid start /etc/cupid/user.json 1000000        first start only: a checkpoint takes precedence
  cupid start user.json order.json                side by side";

pub(super) const RECONCILE_EXAMPLES: &str = "\
Examples:
  cupid reconcile user.json --dry-run --report drift.csv
  cupid reconcile user.json --from-id 1 --to-id 1000000 --report drift.jsonl
  cupid reconcile user.json --dry-run --fix-sql fix.sql           to be read, then given to mysql
  cupid reconcile user.json --dry-run --html drift.html           a page to look at
  cupid reconcile user.json --for 2h              then, the night after, the same with --resume
  cupid reconcile user.json --max-rate 20000      no faster, to spare the servers
  cupid reconcile user.json --shard 0/2 --report part-0.csv       on one machine
  cupid reconcile user.json --shard 1/2 --report part-1.csv       on another
  cupid report merge part-0.csv part-1.csv --output drift.csv

Exit status: 0 in sync, 1 differences found (called back unless --dry-run), 2 failed.";

pub(super) const RETRY_EXAMPLES: &str = "\
Examples:
  cupid retry user.json
  cupid retry user.json --json";

pub(super) const OWED_EXAMPLES: &str = "\
Examples:
  cupid owed user.json                            what, why, since when, how often it was tried
  cupid owed user.json --destination search --json
  cupid owed user.json show search/8312001        both rows as they are now, and what would be sent
  cupid owed user.json send 8312001               now, whatever the endpoint asked for
  cupid owed user.json send --all --destination search
  cupid owed user.json drop search/8312001 --yes >> dropped.jsonl

A dropped row is forgotten until a pass or an audit finds it again.
Exit status: list 0 nothing is owed, 1 something is; send 0 all of it was taken, 1 some is still owed.";

pub(super) const STATUS_EXAMPLES: &str = "\
Examples:
  cupid status user.json                           one screen
  cupid status /etc/cupid/                         a line for each *.json, the worst first
  cupid status user.json --json | jq .
  cupid status user.json --plugin                  for Nagios, Icinga, check_mk

States, the worst first:
CONFIG   the configuration or its state cannot be read
FAILED   the last pass failed
STALE    no pass ended for 10 minutes, or for --stale
UNREAD   a destination cannot be read
PAUSED   the scan waits
OWED     callbacks are owed
BEHIND   100,000 ids or 15 minutes behind, or the ids went back
NEW      no pass has ended yet
ok

It needs no secret and no server. When the source does not answer within 2 s, `?` is shown.
Exit status: 0 all is ok, 1 something is not; --plugin: 0 ok, 1 OWED, BEHIND, UNREAD, PAUSED or NEW, 2 FAILED or STALE,
3 CONFIG.";

pub(super) const CHECK_EXAMPLES: &str = "\
Examples:
  cupid check user.json && systemctl start cupid@user.timer
  cupid check /etc/cupid/ --json | jq -r '.[] | select(.level != \"ok\") | .text'

What it finds is `cannot run`, `will hurt` or `good to know`, each with what helps. It changes and sends nothing.
Exit status: 0 at most good to know, 1 something will hurt, 78 `run` would refuse it, 2 something cannot be read.";

pub(super) const NOTIFY_EXAMPLES: &str = "\
Examples:
  cupid notify user.json --test
  cupid notify user.json --test --channel wecom
  cupid notify user.json --print

Exit status: 0 all messages arrived, 1 one did not.
Passes send messages when trouble begins, while it lasts, and when it is over: `cupid help notifications`.";

pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  cupid completions bash > /etc/bash_completion.d/cupid
  cupid completions zsh > ~/.zfunc/_cupid";

pub(super) const RECHECK_EXAMPLES: &str = "\
Examples:
  cupid recheck user.json drift.csv               after the repair: what is left?
  cupid recheck user.json drift.csv --report left.csv

Reads only: nothing is called back, nothing is saved.
Exit status: 0 all repaired or gone, 1 some still differ, 2 failed.";

pub(super) const REPORT_EXAMPLES: &str = "\
Examples:
  cupid report merge monday.csv tuesday.jsonl --output week.csv
  cupid report html week.csv --output week.html";

pub(super) const HTML_EXAMPLES: &str = "\
Examples:
  cupid report html drift.csv --output drift.html

The page needs nothing but itself. It holds row values, so only its owner can read it.";

pub(super) const MERGE_EXAMPLES: &str = "\
Examples:
  cupid report merge part-*.csv --output all.csv
  cupid report merge all.csv --output all.jsonl   from CSV to JSON Lines

The lines are sorted by destination, id and column; a line that comes twice is written once.";

pub(super) const MAN_EXAMPLES: &str = "\
Examples:
  cupid man --dir /tmp/man";

pub(super) const HELP_EXAMPLES: &str = "\
Examples:
  cupid help run
  cupid help callbacks
  cupid help report merge";
