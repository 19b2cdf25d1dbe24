//! `cupid start`: passes at the configuration's own intervals until SIGTERM, as the first cupid ran.

use std::sync::Arc;

use super::passes::{Orders, Rhythm};
use super::several::side_by_side;
use crate::cli::Start;
use crate::error::{Exit, Result};
use crate::io::signals::RealClock;

/// `cupid start`.
pub(super) fn start(start: &Start, clock: &Arc<RealClock>) -> Result<Exit> {
    let (configs, start_id) = start.meant();
    let orders = Orders {
        start_id,
        is_dry: false,
        report: None,
        json: false,
        talk: start.talk,
        has_bar: false,
        rhythm: Rhythm::Configured,
    };
    side_by_side(&configs, orders, clock)
}
