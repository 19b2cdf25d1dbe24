//! Whether a difference lasts, or is a change on its way to the copy.
//!
//! A row that looked different is looked at again after the confirmation delay, and judged by what both sides held then
//! and now. A copy that is being kept up to date changes, and its source row with it. What differs now is then another
//! change, and the next pass looks at it. A copy that stands still beside a source row that stands still lacks a change.
//!
//! Two cases need care:
//! * The copy changed and the source row looks the same in both looks. It may have changed while both were being read,
//!   so the source row is read once more.
//! * The copy stands still and the source row changed. The copy may have been ahead at the first look, so the row is
//!   given one more pass, and one only.

use crate::logic::compare::rows::{Found, Matches};
use crate::logic::value::address::Address;
use crate::logic::value::row::{Row, fingerprint};

/// What both sides held at one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sighting {
    /// The source row's id.
    pub id: Address,
    /// Fingerprint of the source row.
    pub source: u64,
    /// Fingerprint of its copies.
    pub copies: u64,
    /// There are copies.
    pub is_copied: bool,
    /// An earlier pass gave the row one more look, which was this one.
    pub is_last_look: bool,
}

impl Sighting {
    /// A row and the copies that were found for it.
    #[must_use]
    pub(crate) fn new(row: &Row, found: &Found, matches: &Matches) -> Self {
        let copies = matches.rows().iter().flat_map(|&row| &found.rows[row]);
        Self {
            id: row.address(),
            source: fingerprint(&row.cells),
            copies: fingerprint(copies),
            is_copied: !matches.rows().is_empty(),
            is_last_look: false,
        }
    }
}

/// What the two looks say, and where they do not suffice, that a later one is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confirmation {
    /// The copy lacks a change: it is owed a callback.
    Lasts,
    /// The copy is as the source row is.
    Agrees,
    /// The next pass looks again.
    OnItsWay,
    /// The source row has to be read once more.
    NeedsLaterLook,
}

/// The source row, read once more after the second look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Later {
    /// Nobody looked.
    Unread,
    /// It is gone.
    Gone,
    /// Its fingerprint.
    Read(u64),
}

/// Judges a row that looked different first. `agrees` says that the second look found no difference.
#[must_use]
pub(crate) fn confirm(
    first: &Sighting,
    now: &Sighting,
    agrees: bool,
    later: Later,
) -> Confirmation {
    if agrees {
        return Confirmation::Agrees;
    }
    let source_changed = first.source != now.source;
    if first.copies == now.copies {
        let may_have_been_ahead = source_changed && first.is_copied && !first.is_last_look;
        return if may_have_been_ahead {
            Confirmation::OnItsWay
        } else {
            Confirmation::Lasts
        };
    }
    match later {
        _ if source_changed => Confirmation::OnItsWay,
        Later::Unread => Confirmation::NeedsLaterLook,
        Later::Read(source) if source == now.source => Confirmation::Lasts,
        Later::Read(_) | Later::Gone => Confirmation::OnItsWay,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sighting by its two fingerprints; without copies where the second is 0.
    fn seen(source: u64, copies: u64) -> Sighting {
        Sighting {
            id: 7.into(),
            source,
            copies,
            is_copied: copies != 0,
            is_last_look: false,
        }
    }

    #[test]
    fn what_two_looks_say_and_a_later_one_where_they_do_not_suffice() {
        use Confirmation::{Lasts, NeedsLaterLook, OnItsWay};
        use Later::{Gone, Read, Unread};
        for (first, now, later, expected) in [
            // Both stand still.
            (seen(1, 2), seen(1, 2), Unread, Lasts),
            (seen(1, 0), seen(1, 0), Unread, Lasts),
            // Both changed: the copy is kept up to date.
            (seen(1, 2), seen(3, 4), Unread, OnItsWay),
            (seen(1, 0), seen(3, 4), Unread, OnItsWay),
            (seen(1, 2), seen(3, 0), Unread, OnItsWay),
            // The copy changed, the source row did not, as far as two looks say.
            (seen(1, 2), seen(1, 4), Unread, NeedsLaterLook),
            (seen(1, 0), seen(1, 4), Unread, NeedsLaterLook),
            (seen(1, 2), seen(1, 4), Read(1), Lasts),
            (seen(1, 2), seen(1, 4), Read(5), OnItsWay),
            (seen(1, 2), seen(1, 4), Gone, OnItsWay),
            // The source row changed, the copy did not: it may have been ahead, unless there was none.
            (seen(1, 2), seen(3, 2), Unread, OnItsWay),
            (seen(1, 0), seen(3, 0), Unread, Lasts),
        ] {
            let said = confirm(&first, &now, false, later);
            assert_eq!(said, expected, "{first:?} {now:?} {later:?}");
            assert_eq!(confirm(&first, &now, true, later), Confirmation::Agrees);
        }
    }

    #[test]
    fn a_copy_that_may_have_been_ahead_is_given_one_more_pass_and_no_second_one() {
        let first = Sighting {
            is_last_look: true,
            ..seen(1, 2)
        };
        let confirm = |now| confirm(&first, &now, false, Later::Unread);
        assert_eq!(confirm(seen(3, 2)), Confirmation::Lasts);
        assert_eq!(confirm(seen(3, 4)), Confirmation::OnItsWay);
        assert_eq!(confirm(seen(1, 4)), Confirmation::NeedsLaterLook);
    }
}
