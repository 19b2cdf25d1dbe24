//! The history as [`occasion`] needs it.

use super::{DestinationStats, Failed, Lasting, Paused, Stats};
use crate::logic::notify::occasion::{self, Situation};

impl Stats {
    /// How things stand after the last pass.
    #[must_use]
    pub fn situation(&self) -> Situation {
        let failed = self.failed.as_ref().map(
            |Failed {
                 since_us,
                 passes,
                 reason,
             }| occasion::Failed {
                passes: *passes,
                since_us: *since_us,
                reason: reason.clone(),
            },
        );
        let delivered = self.destinations.iter().map(|it| it.counts.delivered);
        Situation {
            failed,
            paused: self.paused.map(paused),
            destinations: self.destinations.iter().map(destination).collect(),
            delivered: delivered.fold(0, u64::saturating_add),
        }
    }
}

fn destination(stats: &DestinationStats) -> occasion::Destination {
    let tries_max = u64::from(stats.owed_tries_max.unwrap_or(0));
    // One that was not tried yet is the next pass's.
    let oldest_us = stats
        .owed_oldest_us
        .filter(|_| stats.owed > 0 && tries_max > 0);
    let refusing = stats.refusing.as_ref().map(|refusing| &refusing.reason);
    let reason = refusing.or(stats.last_answer.as_ref());
    let since_us = stats.unrepaired_since_us.filter(|_| stats.unrepaired > 0);
    occasion::Destination {
        name: stats.name.clone(),
        unread: stats
            .unread
            .as_ref()
            .map(|Lasting { since_us, reason }| occasion::Lasting {
                since_us: *since_us,
                reason: reason.clone(),
            }),
        paused: stats.paused.map(paused),
        owed: oldest_us.map(|oldest_us| occasion::Owed {
            count: stats.owed,
            oldest_us,
            tries_max,
            reason: reason.cloned().unwrap_or_else(|| "not taken".into()),
        }),
        unrepaired: since_us.map(|since_us| occasion::Unrepaired {
            count: stats.unrepaired,
            since_us,
        }),
    }
}

fn paused(Paused { since_us, reason }: Paused) -> occasion::Lasting {
    occasion::Lasting {
        since_us,
        reason: format!("{} is reached", reason.key()),
    }
}
