//! What happened between cupid and one copy of one row.

use crate::model::Content;

#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    /// When the copier's last change arrives.
    pub(crate) copied_us: i64,
    /// Every change was copied, in order, within the confirmation delay.
    pub(crate) prompt: bool,
    /// When the row was last read of those times when the destination answered for it.
    pub(crate) answered: u64,
    /// The version of the source row that the copy was last seen to agree with.
    pub(crate) agreed_v: i64,
    /// The source row as it was read before its copy was last read.
    pub(crate) read: Option<Content>,
    /// What cupid saw when it last looked at both.
    pub(crate) agrees: bool,
    /// When both were last seen to agree, or the source row to be gone.
    pub(crate) repaired_or_gone: u64,
    /// When a callback was last taken.
    pub(crate) delivered: u64,
    /// The version that was taken last.
    pub(crate) delivered_v: i64,
    /// The version that was sent last.
    pub(crate) sent_v: i64,
    /// Since when the callback is on disk.
    pub(crate) owed: u64,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            copied_us: i64::MIN,
            prompt: true,
            answered: 0,
            agreed_v: 0,
            read: None,
            agrees: false,
            repaired_or_gone: 0,
            delivered: 0,
            delivered_v: 0,
            sent_v: 0,
            owed: 0,
        }
    }
}
