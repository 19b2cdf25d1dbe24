//! Which numbers a pass can write into a checkpoint. A file with other numbers is damaged or
//! forged.

use super::{Position, Resume};
use crate::logic::scan::gaps::Gap;
use crate::logic::value::cell::Id;

/// Ids are within this, on either side of zero: wide enough for every integer column and for the next id after its last,
/// and far from where counting on would overflow.
const ID_MAX: Id = 1 << 65;
/// Moments of a server's clock are within this, on either side of 1970: the year 9999.
const MOMENT_MAX_US: i64 = 253_402_300_800_000_000;

impl Position {
    /// Whether its numbers are some that a pass writes, so that whatever is reckoned with them stays in range.
    pub(super) fn is_plausible(&self) -> bool {
        let id = |id: Id| (-ID_MAX..=ID_MAX).contains(&id);
        let moment = |us: i64| (-MOMENT_MAX_US..=MOMENT_MAX_US).contains(&us);
        // When one is due is only compared.
        let gap = |gap: &Gap| id(gap.from) && id(gap.to) && gap.from <= gap.to;
        let resume = |resume: &Resume| moment(resume.to_us) && id(resume.after.id);
        self.next_id.is_none_or(id)
            && self.trail.is_plausible(id, moment)
            && self.gaps.holes.iter().chain(&self.gaps.ranges).all(gap)
            && self.update.as_ref().is_none_or(|update| {
                moment(update.until_us) && update.resume.as_ref().is_none_or(resume)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::scan::checkpoint::{
        Checkpoint, Cursor, Seen, Unusable, UpdatePosition, VERSION,
    };
    use crate::logic::scan::gaps::Gaps;

    #[test]
    fn numbers_that_no_pass_writes_are_damage() {
        let holes = |from, to, due_us| Position {
            gaps: Gaps {
                holes: vec![Gap { from, to, due_us }],
                ranges: vec![],
            },
            ..Position::default()
        };
        let ranges = |from, to, due_us| Position {
            gaps: Gaps {
                holes: vec![],
                ranges: vec![Gap { from, to, due_us }],
            },
            ..Position::default()
        };
        let update = |until_us, to_us, id| {
            let after = Cursor {
                time: "x".into(),
                id,
            };
            Position {
                update: Some(UpdatePosition {
                    until_us,
                    resume: Some(Resume { to_us, after }),
                    seen: Seen::default(),
                    moments: None,
                }),
                ..Position::default()
            }
        };
        let next = |next_id| Position {
            next_id: Some(next_id),
            ..Position::default()
        };
        let read = |position: Position| {
            let checkpoint = Checkpoint {
                version: VERSION,
                source: "my.user".into(),
                config: None,
                source_server: None,
                destinations: vec![],
                positions: vec![Position::default(), position],
            };
            Checkpoint::parse(&checkpoint.to_text().unwrap(), "my.user")
        };
        for sound in [
            next(ID_MAX),
            next(-ID_MAX),
            holes(-ID_MAX, ID_MAX, i64::MIN),
            holes(3, 3, i64::MAX),
            update(MOMENT_MAX_US, -MOMENT_MAX_US, ID_MAX),
        ] {
            assert_eq!(read(sound.clone()).unwrap().positions[1], sound);
        }
        for wrong in [
            next(ID_MAX + 1),
            next(-ID_MAX - 1),
            holes(4, 3, 9),
            holes(-ID_MAX - 1, 3, 9),
            holes(3, ID_MAX + 1, 9),
            ranges(0, ID_MAX + 1, 9),
            update(MOMENT_MAX_US + 1, 0, 0),
            update(0, -MOMENT_MAX_US - 1, 0),
            update(0, 0, ID_MAX + 1),
        ] {
            assert!(
                matches!(read(wrong.clone()), Err(Unusable::Damaged(_))),
                "{wrong:?}"
            );
        }
    }
}
