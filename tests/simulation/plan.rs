//! What a seed decides before its history begins: the configuration and how bad the world is.

use cupid::logic::scan::load::LoadLimits;

use crate::rng::Rng;
use crate::table::Content;

pub(crate) const MS: i64 = 1_000;
pub(crate) const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of the world of its own"
)]
/// Microseconds, unless a name says otherwise; chances are per mille.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) insert: bool,
    pub(crate) update: bool,
    /// As `cupid start` does: not every pass looks at both.
    pub(crate) in_turns: bool,
    pub(crate) destinations: usize,
    /// Destinations are added to the configuration and taken out.
    pub(crate) changes: u64,
    /// They trade their places and names, get new ones, and move to other servers.
    pub(crate) identities: u64,
    pub(crate) workers: usize,
    pub(crate) concurrency: usize,
    /// The source's condition leaves rows out.
    pub(crate) source_where: bool,
    /// The same condition on the destinations.
    pub(crate) destination_where: bool,
    /// Two rows may have the same key.
    pub(crate) twins: bool,
    /// Some rows have no key.
    pub(crate) nulls: bool,
    pub(crate) confirm: i64,
    pub(crate) late: i64,
    pub(crate) scan: i64,
    /// Of the update column.
    pub(crate) precision: i64,
    pub(crate) start_id: i64,
    /// The first id of the table; some are below zero.
    pub(crate) first_id: i64,
    /// The source fails over to a replica that is behind.
    pub(crate) fails_over: bool,
    /// The source is truncated and filled anew, between two runs.
    pub(crate) restarts: u64,
    /// A huge id is inserted, and deleted again.
    pub(crate) huge_ids: bool,
    pub(crate) id_step: i64,
    pub(crate) delivery: i64,
    pub(crate) attempts: u32,
    pub(crate) owed_max: usize,
    /// `verifySecond`, in microseconds.
    pub(crate) verify: i64,
    /// Servers are to be spared, and are loaded every now and then.
    pub(crate) load_limits: LoadLimits,
    pub(crate) callback_delay: i64,
    pub(crate) timeout: i64,
    pub(crate) passes: u64,
    pub(crate) rows_first: i64,
    /// Mean time between two transactions.
    pub(crate) pace: i64,
    pub(crate) latency_max: i64,
    pub(crate) late_commits: u64,
    pub(crate) rollbacks: u64,
    pub(crate) bulks: u64,
    /// Few rows, changed again and again.
    pub(crate) hot: bool,
    pub(crate) in_order: bool,
    pub(crate) lag_max: i64,
    pub(crate) losses: u64,
    pub(crate) delays: u64,
    pub(crate) repeats: u64,
    /// Of those: a row is inserted beside the one that is there.
    pub(crate) twice: u64,
    /// Of the source's clock.
    pub(crate) jumps: [i64; 2],
    /// How often the update column changes its type.
    pub(crate) alters: u64,
    /// Of the machine's clock, between two runs.
    pub(crate) machine_jumps: u64,
    pub(crate) machine_jump_max: i64,
    pub(crate) kills: u64,
    pub(crate) stops: u64,
    pub(crate) errors: u64,
    pub(crate) outages: u64,
    pub(crate) pauses: u64,
    /// Receivers that change their mood.
    pub(crate) moods: u64,
    pub(crate) retries: u64,
    /// Instead of a pass.
    pub(crate) audits: u64,
    /// A second process beside the first.
    pub(crate) overlaps: u64,
    /// Rows that a table shows at once while it is read from end to end.
    pub(crate) stream_rows: usize,
    /// The copies cannot be read from end to end.
    pub(crate) unordered: bool,
    /// Answers that memory has no room for.
    pub(crate) wide: u64,
    /// Rows that are too large to be read.
    pub(crate) giants: bool,
}

/// How often one of several destinations is taken out, or added.
fn changes(rng: &mut Rng, destinations: usize) -> u64 {
    if destinations > 1 {
        rng.pick(&[0, 200])
    } else {
        0
    }
}

fn concurrency(rng: &mut Rng) -> usize {
    if rng.chance(140) {
        rng.pick(&[2, 8])
    } else {
        1
    }
}

/// `maxThreadsRunning`, where there is one.
pub(crate) const THREADS_MAX: u64 = 20;

/// Limits of the servers' load, in one plan of ten. Drawn apart too.
fn load_limits(rng: &Rng) -> LoadLimits {
    let mut apart = Rng::new(rng.clone().next().rotate_left(16));
    let has_limits = apart.chance(100);
    LoadLimits {
        threads_running: has_limits.then_some(THREADS_MAX),
        lag_s: None,
    }
}

/// `verifySecond`. It is drawn apart, so that no history changes that is known by its seed.
fn verify(rng: &Rng) -> i64 {
    let mut apart = Rng::new(rng.clone().next().rotate_left(32));
    if apart.chance(100) {
        apart.pick(&[SECOND, 20 * SECOND])
    } else {
        0
    }
}

/// Where passes begin, in a table that begins at `first_id`.
fn first_looked_at(rng: &mut Rng, first_id: i64) -> i64 {
    if first_id < 0 {
        rng.pick(&[-20, -7])
    } else {
        rng.pick(&[0, 0, 10])
    }
}

impl Plan {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let (insert, update) = rng.pick(&[
            (true, true),
            (true, true),
            (true, true),
            (true, false),
            (false, true),
        ]);
        let scan = rng.pick(&[SECOND, 5 * SECOND]);
        let bulks = if rng.chance(30) { 15 } else { 0 };
        let destinations = if rng.chance(140) {
            rng.pick(&[2, 2, 3])
        } else {
            1
        };
        let id_step = rng.pick(&[1, 1, 1, 2, 10]);
        let (source_where, destination_where) = rng.pick(&[
            (false, false),
            (false, false),
            (false, false),
            (false, false),
            (true, false),
            (true, true),
        ]);
        let promptly = rng.chance(150);
        let first_id = rng.pick(&[1, 1, 1, 1, 1, -20]);
        let plan = Self {
            insert,
            update,
            in_turns: insert && update && rng.chance(200),
            destinations,
            changes: changes(rng, destinations),
            identities: 0,
            workers: if rng.chance(140) { 2 } else { 1 },
            concurrency: concurrency(rng),
            source_where,
            destination_where,
            twins: id_step == 1 && rng.chance(100),
            nulls: rng.chance(100),
            confirm: rng.pick(&[0, 200 * MS, 1000 * MS, 1000 * MS, 1000 * MS, 1000 * MS]),
            late: rng.pick(&[2 * SECOND, 10 * SECOND, 60 * SECOND]),
            scan,
            precision: rng.pick(&[1, MS, SECOND, SECOND]),
            start_id: first_looked_at(rng, first_id),
            first_id,
            fails_over: false,
            restarts: 0,
            huge_ids: rng.chance(100),
            id_step,
            delivery: rng.pick(if bulks > 0 {
                &[60 * SECOND]
            } else {
                &[SECOND, 5 * SECOND, 60 * SECOND]
            }),
            attempts: rng.pick(&[1, 2, 3]),
            owed_max: rng.pick(&[100_000, 100_000, 100_000, 12, 3]),
            verify: verify(rng),
            load_limits: load_limits(rng),
            callback_delay: rng.pick(&[100 * MS, 1000 * MS]),
            timeout: rng.pick(&[SECOND, 10 * SECOND]),
            passes: rng.below(9) + 3,
            rows_first: rng.between(0, 30),
            pace: rng.pick(&[100 * MS, 300 * MS, 1000 * MS]),
            latency_max: rng.pick(if bulks > 0 {
                &[MS]
            } else {
                &[MS, 20 * MS, 200 * MS]
            }),
            late_commits: rng.pick(&[0, 100, 400]),
            rollbacks: rng.pick(&[0, 50, 300]),
            bulks,
            hot: rng.chance(300),
            in_order: rng.chance(600),
            lag_max: rng.pick(&[MS, 50 * MS, 300 * MS, 950 * MS]),
            losses: rng.pick(&[0, 10, 100, 500]),
            delays: rng.pick(&[0, 0, 50]),
            repeats: rng.pick(&[0, 0, 50]),
            twice: rng.pick(&[0, 500]),
            jumps: jumps(rng, scan),
            alters: 0,
            machine_jumps: rng.pick(&[0, 0, 100]),
            machine_jump_max: rng.pick(&[5 * SECOND, 3 * HOUR]),
            kills: rng.pick(&[0, 100, 500]),
            stops: rng.pick(&[0, 0, 200]),
            errors: rng.pick(&[0, 0, 200]),
            outages: rng.pick(&[0, 0, 300]),
            pauses: rng.pick(&[0, 50, 300]),
            moods: rng.pick(&[0, 300, 900]),
            retries: rng.pick(&[0, 100]),
            audits: rng.pick(&[0, 0, 0, 150, 400]),
            overlaps: rng.pick(&[0, 0, 0, 150]),
            stream_rows: rng.pick(&[3, 20, 1_000]),
            unordered: rng.chance(100),
            wide: rng.pick(&[0, 0, 200]),
            giants: rng.chance(200),
        };
        let plan = plan.with_events(rng);
        if promptly { plan.prompt() } else { plan }
    }

    /// How often the update column changes its type. Drawn apart, so that the histories of other seeds are as they were.
    pub(crate) fn with_alters(self, seed: u64) -> Self {
        let mut rng = Rng::new(!seed);
        // A replica that is behind an ALTER as well shows other columns for a moment.
        let alters = if rng.chance(300) && !self.fails_over {
            rng.pick(&[1, 3])
        } else {
            0
        };
        Self { alters, ..self }
    }

    /// How often a destination is written otherwise. Drawn apart too.
    pub(crate) fn with_identities(self, rng: &mut Rng) -> Self {
        let identities = if self.destinations > 1 {
            rng.pick(&[0, 300])
        } else {
            rng.pick(&[0, 0, 100])
        };
        Self { identities, ..self }
    }

    /// What happens to the source besides its transactions.
    fn with_events(self, rng: &mut Rng) -> Self {
        let plan = Self {
            // What an audit does not see it only logs.
            giants: self.giants && self.audits == 0,
            ..self
        };
        match rng.below(8) {
            0 => plan.failing_over(),
            1 => plan.restarting(rng),
            _ => plan,
        }
    }

    /// A transaction that commits just before its time is over would be seen too late on a replica that is behind, and a
    /// clock that is set would end the time for rows that are gone.
    fn failing_over(self) -> Self {
        Self {
            fails_over: true,
            late_commits: 0,
            jumps: [0; 2],
            machine_jumps: 0,
            audits: 0,
            // An older row ends callbacks, often without a scan that would see it too.
            losses: self.losses.max(100),
            retries: 400,
            ..self
        }
    }

    /// Each row that was compared can be seen again, so that it can be told from another one.
    fn restarting(self, rng: &mut Rng) -> Self {
        Self {
            restarts: rng.pick(&[150, 400]),
            // Each giant is looked at alone, which takes a call or two.
            giants: self.giants && self.bulks == 0,
            huge_ids: false,
            id_step: 1,
            rollbacks: 0,
            source_where: false,
            destination_where: false,
            nulls: false,
            ..self
        }
    }

    /// How long a row may be away, all in all; none where there is no time for it.
    pub(crate) fn away_max(&self) -> i64 {
        (self.late - 2 * self.precision.max(MS) - 500 * MS).max(0)
    }

    /// A copier without a fault, and rows that change all the time: there is nothing to call back at all.
    fn prompt(self) -> Self {
        Self {
            hot: true,
            pace: 100 * MS,
            latency_max: 200 * MS,
            late_commits: 0,
            bulks: 0,
            in_order: true,
            lag_max: self.lag_max.min(300 * MS),
            losses: 0,
            delays: 0,
            repeats: 0,
            twins: false,
            ..self
        }
    }

    /// How far a window reaches back.
    pub(crate) fn back(&self) -> i64 {
        self.late + self.scan
    }

    /// What finds the row's copies.
    pub(crate) fn key_of(&self, id: i64) -> Option<i64> {
        if self.nulls && id.rem_euclid(9) == 4 {
            None
        } else if self.twins && id.rem_euclid(5) == 1 {
            Some(id - 1)
        } else {
            Some(id)
        }
    }

    /// The rows that have a key.
    pub(crate) fn ids_of(&self, key: i64) -> impl Iterator<Item = i64> + '_ {
        (key..=key + 1).filter(move |&id| self.key_of(id) == Some(key))
    }

    /// No other row has the row's key.
    pub(crate) fn is_only_one(&self, id: i64) -> bool {
        !self.twins || id.rem_euclid(5) > 1
    }

    pub(crate) fn is_in_source(&self, content: Content) -> bool {
        !self.source_where || content.w != 2
    }

    pub(crate) fn is_in_destination(&self, content: Content) -> bool {
        !self.destination_where || content.w != 2
    }
}

/// Ahead by any time; back by less than a window reaches back.
fn jumps(rng: &mut Rng, scan: i64) -> [i64; 2] {
    if !rng.chance(150) {
        return [0; 2];
    }
    let ahead = rng.pick(&[SECOND, 100 * SECOND, 3 * HOUR]);
    [rng.between(0, ahead), rng.between(-scan, 0)]
}
