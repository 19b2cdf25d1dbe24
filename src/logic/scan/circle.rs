//! Notices that a reader which pages through a table goes round in a circle.
//!
//! A place may arrive at the server as another value, which lies before itself. Then the same pages
//! are read again and again. R. P. Brent's cycle detection ("An improved Monte Carlo factorization
//! algorithm", BIT 20, 1980) needs one place in memory. It is replaced after 1, 2, 4, 8 … steps, so
//! a circle is noticed at the latest after three times its length.

/// The places that a reader came to, as far as they matter.
#[derive(Clone, Debug)]
pub(crate) struct Circle<T> {
    kept: Option<T>,
    steps: u64,
    steps_max: u64,
}

impl<T> Default for Circle<T> {
    fn default() -> Self {
        Self {
            kept: None,
            steps: 0,
            steps_max: 1,
        }
    }
}

impl<T: Clone + PartialEq> Circle<T> {
    /// Takes the next place in. True when the reader was there before.
    pub(crate) fn closes(&mut self, place: &T) -> bool {
        if self.kept.as_ref() == Some(place) {
            return true;
        }
        self.steps += 1;
        if self.kept.is_none() || self.steps >= self.steps_max {
            self.kept = Some(place.clone());
            self.steps = 0;
            self.steps_max = self.steps_max.saturating_mul(2);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_of_any_length_is_noticed_wherever_it_begins() {
        for lead in 0..40 {
            for length in 1..40 {
                let mut circle = Circle::default();
                let places = (0..lead).chain((lead..lead + length).cycle());
                let steps = places.take_while(|place| !circle.closes(place)).count();
                assert!(steps <= 3 * (lead + length), "{lead} and {length}: {steps}");
            }
        }
    }

    #[test]
    fn places_that_never_come_again_close_no_circle() {
        let mut circle = Circle::default();
        assert!(!(0..100_000).any(|place| circle.closes(&place)));
    }
}
