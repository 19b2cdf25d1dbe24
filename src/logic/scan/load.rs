//! Whether a server that others use too is to be spared.

/// The configuration's limits; `None`: no such limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadLimits {
    /// `maxThreadsRunning`.
    pub threads_running: Option<u64>,
    /// `maxLagSecond`.
    pub lag_s: Option<u64>,
}

/// How a server is doing. What no limit asks for is not looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// `Threads_running`, this program's own included.
    pub threads_running: u64,
    /// Its replication.
    pub lag: Lag,
}

/// How far a server's replication is behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lag {
    /// It is no replica.
    #[default]
    NoReplica,
    /// So many seconds; of several channels the one that is furthest behind.
    Seconds(u64),
    /// One of its channels does not replicate, so nobody knows.
    Stopped,
}

/// A limit that a server has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// `maxThreadsRunning`.
    Threads,
    /// `maxLagSecond`.
    Lag,
}

impl LoadLimits {
    /// There are none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The limit that is passed. Replication that stands still is behind any limit.
    #[must_use]
    pub fn excess(&self, load: Load) -> Option<Excess> {
        let threads = self.threads_running;
        if threads.is_some_and(|most| load.threads_running > most) {
            return Some(Excess::Threads);
        }
        let is_behind = |most: u64| match load.lag {
            Lag::NoReplica => false,
            Lag::Seconds(lag_s) => lag_s > most,
            Lag::Stopped => true,
        };
        self.lag_s.is_some_and(is_behind).then_some(Excess::Lag)
    }
}

impl Lag {
    /// Of two channels the one that is further behind.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        match (self, other) {
            (Self::Stopped, _) | (_, Self::Stopped) => Self::Stopped,
            (Self::Seconds(one), Self::Seconds(two)) => Self::Seconds(one.max(two)),
            (Self::NoReplica, other) | (other, Self::NoReplica) => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_spared_when_a_limit_is_passed() {
        let limits = |threads_running, lag_s| LoadLimits {
            threads_running,
            lag_s,
        };
        let load = |threads_running, lag| Load {
            threads_running,
            lag,
        };
        for (limits, load, expected) in [
            (limits(None, None), load(9999, Lag::Stopped), None),
            (limits(Some(20), None), load(20, Lag::Stopped), None),
            (
                limits(Some(20), None),
                load(21, Lag::NoReplica),
                Some(Excess::Threads),
            ),
            (limits(None, Some(5)), load(9999, Lag::NoReplica), None),
            (limits(None, Some(5)), load(1, Lag::Seconds(5)), None),
            (
                limits(None, Some(5)),
                load(1, Lag::Seconds(6)),
                Some(Excess::Lag),
            ),
            (
                limits(None, Some(5)),
                load(1, Lag::Stopped),
                Some(Excess::Lag),
            ),
            (
                limits(Some(20), Some(5)),
                load(21, Lag::Stopped),
                Some(Excess::Threads),
            ),
        ] {
            assert_eq!(limits.excess(load), expected, "{limits:?} {load:?}");
        }
        assert!(limits(None, None).is_none() && !limits(None, Some(0)).is_none());
    }

    #[test]
    fn of_several_channels_the_one_that_is_furthest_behind_counts() {
        let channels = [Lag::Seconds(3), Lag::NoReplica, Lag::Seconds(7)];
        let furthest = channels.into_iter().fold(Lag::default(), Lag::max);
        assert_eq!(furthest, Lag::Seconds(7));
        assert_eq!(furthest.max(Lag::Stopped), Lag::Stopped);
        assert_eq!(Lag::NoReplica.max(Lag::NoReplica), Lag::NoReplica);
    }
}
