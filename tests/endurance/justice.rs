//! The judge sees what is wrong, and nothing else.

use std::time::{Duration, Instant};

use crate::judge::{Findings, judge_facts};
use crate::ledger::{Call, Facts, Healer, Late, Loss, Run};

const DELAY: Duration = Duration::from_secs(1);
const PLACE: (usize, u64) = (0, 7);

/// Seconds after the beginning of a story.
struct Story {
    began: Instant,
    facts: Facts,
}

impl Story {
    /// Row 7 has the versions 1, 2 and 3.
    fn new() -> Self {
        let mut facts = Facts::default();
        facts.committed.extend([(7, 1), (7, 2), (7, 3)]);
        Self {
            began: Instant::now(),
            facts,
        }
    }

    fn at(&self, seconds: u64) -> Instant {
        self.began + Duration::from_secs(seconds)
    }

    fn loses(mut self, version: u64, at: u64, healed: Option<(u64, Healer)>) -> Self {
        let loss = Loss {
            version,
            inserts: version == 1,
            since: self.at(at),
            healed: healed.map(|(at, healer)| (self.at(at), healer)),
            frozen: false,
        };
        self.facts.losses.entry(PLACE).or_default().push(loss);
        self
    }

    fn copies_late(mut self, version: u64, until: u64) -> Self {
        let until = self.at(until);
        let late = Late { version, until };
        self.facts.lates.entry(PLACE).or_default().push(late);
        self
    }

    fn deletes(mut self, at: u64) -> Self {
        self.facts.gone.insert(PLACE.1, self.at(at));
        self
    }

    /// A process that begins, and the callbacks that come of it.
    fn runs(mut self, at: u64, repeats: bool, calls: &[(u64, u64)]) -> Self {
        let run = self.facts.runs.len() as u64;
        let began = self.at(at);
        self.facts.runs.push(Run { began, repeats });
        for &(version, at) in calls {
            let at = self.at(at);
            self.facts.calls.push(Call {
                place: PLACE,
                version,
                run,
                at,
                sound: true,
                taken: true,
            });
        }
        self
    }

    fn judged(&self) -> Findings {
        judge_facts(&self.facts, DELAY)
    }

    #[track_caller]
    fn is_right(&self) {
        self.judged().assert_right();
    }

    #[track_caller]
    fn is_wrong(&self, word: &str) {
        let wrong = self.judged().wrong;
        assert!(wrong.len() == 1 && wrong[0].contains(word), "{wrong:?}");
    }
}

#[test]
fn a_loss_that_was_called_back_is_right_and_one_that_was_not_is_missed() {
    let healed = Some((5, Healer::Owner));
    Story::new()
        .loses(2, 1, healed)
        .runs(3, false, &[(2, 4)])
        .is_right();
    Story::new()
        .loses(2, 1, None)
        .runs(3, false, &[(2, 4)])
        .is_wrong("missed");
    Story::new()
        .loses(2, 1, Some((2, Healer::Copier)))
        .is_right();
}

#[test]
fn a_callback_without_a_loss_is_false() {
    Story::new().runs(3, false, &[(2, 4)]).is_wrong("false");
    let healed = Some((5, Healer::Owner));
    Story::new()
        .loses(3, 1, healed)
        .runs(3, false, &[(2, 4)])
        .is_wrong("false");
}

#[test]
fn a_callback_before_the_loss_was_confirmed_is_false() {
    let healed = Some((5, Healer::Owner));
    Story::new()
        .loses(2, 4, healed)
        .runs(3, false, &[(2, 4)])
        .is_wrong("false");
}

#[test]
fn a_callback_after_the_loss_was_healed_is_false_unless_the_run_may_have_seen_it() {
    let healed = Some((5, Healer::Copier));
    let story = || Story::new().loses(2, 1, healed);
    story().runs(4, false, &[(2, 6)]).is_right();
    story().runs(6, false, &[(2, 7)]).is_wrong("false");
    story().runs(4, true, &[(2, 6)]).is_right();
    story().runs(4, true, &[(2, 60)]).is_wrong("false");
}

#[test]
fn a_change_that_came_too_late_is_an_excuse_for_a_while() {
    Story::new()
        .copies_late(2, 5)
        .runs(4, false, &[(2, 4)])
        .is_right();
    Story::new()
        .copies_late(2, 5)
        .runs(6, false, &[(2, 7)])
        .is_wrong("false");
    assert_eq!(
        Story::new()
            .copies_late(2, 5)
            .runs(4, false, &[(2, 4)])
            .judged()
            .excused,
        1
    );
}

#[test]
fn a_content_that_is_older_or_was_never_committed_is_wrong() {
    let story = || Story::new().loses(1, 1, Some((9, Healer::Owner)));
    story()
        .runs(2, false, &[(2, 4)])
        .runs(5, false, &[(3, 6)])
        .is_right();
    story()
        .runs(2, false, &[(3, 4)])
        .runs(5, false, &[(2, 6)])
        .is_wrong("old");
    story()
        .runs(2, false, &[(4, 4)])
        .is_wrong("never committed");
}

#[test]
fn a_callback_for_a_row_that_is_gone_is_false() {
    let story = || {
        Story::new()
            .loses(2, 1, Some((3, Healer::Copier)))
            .deletes(3)
    };
    story().runs(2, false, &[(2, 4)]).is_right();
    story().runs(4, false, &[(2, 5)]).is_wrong("gone");
}

#[test]
fn a_callback_that_is_not_sound_is_wrong() {
    let healed = Some((5, Healer::Owner));
    let mut story = Story::new().loses(2, 1, healed).runs(3, false, &[(2, 4)]);
    story.facts.calls[0].sound = false;
    story.is_wrong("signature");
}
