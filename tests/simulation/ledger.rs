//! What happened between cupid and one copy of one row.

use std::collections::HashMap;

use crate::model::Model;

/// Of one destination, by id.
pub(crate) type Ledgers = HashMap<i64, Ledger>;

#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    /// When the copier's last change arrives.
    pub(crate) copied_us: i64,
    /// Every change was copied, in order, within the confirmation delay.
    pub(crate) prompt: bool,
    /// The latest version of the source row that the destination answered for.
    pub(crate) answered_v: i64,
    /// The version of the source row that the copy was last seen to agree with.
    pub(crate) agreed_v: i64,
    /// When both were last seen to agree, or the source row to be gone for good.
    pub(crate) repaired_or_gone: u64,
    /// Since when each look at the source row found it gone.
    pub(crate) gone_us: Option<i64>,
    /// When a callback was last taken.
    pub(crate) delivered: u64,
    /// The version that was taken last.
    pub(crate) delivered_v: i64,
    /// The version that was sent last, and the process that sent it.
    pub(crate) sent_v: i64,
    pub(crate) sent_by: usize,
    /// Since when the callback is in each folder.
    pub(crate) owed: [u64; 2],
    /// What was sent last from each folder.
    pub(crate) sent: [Option<Sent>; 2],
    /// When an audit last had an answer for the row.
    pub(crate) audited: u64,
    /// When an audit's report last named the row, and its key as one of several rows.
    pub(crate) told: u64,
    pub(crate) told_duplicate: u64,
}

/// A callback: when its detection was on disk, its body and its `webhook-id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) owed: u64,
    pub(crate) body: Vec<u8>,
    pub(crate) webhook_id: String,
    /// The process that has since seen it taken, or the row repaired or gone: another detection may follow.
    pub(crate) settled_by: Option<usize>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            copied_us: i64::MIN,
            prompt: true,
            answered_v: 0,
            agreed_v: 0,
            repaired_or_gone: 0,
            gone_us: None,
            delivered: 0,
            delivered_v: 0,
            sent_v: 0,
            sent_by: 0,
            owed: [0; 2],
            sent: [None, None],
            audited: 0,
            told: 0,
            told_duplicate: 0,
        }
    }
}

impl Ledger {
    /// The process need not send it any more.
    pub(crate) fn settle(&mut self, process: usize) {
        for sent in self.sent.iter_mut().flatten() {
            sent.settled_by = Some(process);
        }
    }
}

impl Model {
    pub(crate) fn ledger(&mut self, destination: usize, id: i64) -> &mut Ledger {
        self.ledgers[destination].entry(id).or_default()
    }
}
