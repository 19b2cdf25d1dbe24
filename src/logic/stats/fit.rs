//! How much is remembered, so that the file stays short.

use super::{DestinationStats, Lasting, Stats, TEXT_BYTES_MAX};
use crate::logic::value::shortened::shortened;

/// Slots of each kind that are kept of each destination, in the steps in which they get fewer.
const SLOTS: [usize; 7] = [30, 20, 12, 6, 3, 1, 0];
/// The same for the longest reason, in characters.
const REASON_CHARS: [usize; 3] = [100, 40, 0];

impl Stats {
    /// The file's text, of [`TEXT_BYTES_MAX`] at the most. What does not fit in is forgotten: first the oldest history of
    /// destinations, then the ends of reasons, then what the log has said, and in the end destinations.
    ///
    /// # Errors
    /// None that could be named.
    pub fn text(&mut self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string(self)?;
        let mut steps = 0;
        while text.len() > TEXT_BYTES_MAX && self.forget(steps) {
            text = serde_json::to_string(self)?;
            steps += 1;
        }
        Ok(text)
    }

    /// Returns false when there is nothing left to forget.
    fn forget(&mut self, step: usize) -> bool {
        if let Some(&slots) = SLOTS.get(step) {
            for destination in &mut self.destinations {
                destination.history.keep(slots);
            }
            return true;
        }
        if let Some(&chars_max) = REASON_CHARS.get(step - SLOTS.len()) {
            self.destinations
                .iter_mut()
                .for_each(|destination| shorten(destination, chars_max));
            return true;
        }
        self.said.clear();
        let count = self.destinations.len();
        self.destinations.truncate(count / 2);
        count > 0
    }
}

fn shorten(destination: &mut DestinationStats, chars_max: usize) {
    let DestinationStats {
        unread,
        refusing,
        last_answer,
        ..
    } = destination;
    for Lasting { reason, .. } in [unread, refusing].into_iter().flatten() {
        *reason = shortened(reason, chars_max);
    }
    if let Some(answer) = last_answer {
        *answer = shortened(answer, chars_max);
    }
}
