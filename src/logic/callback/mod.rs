//! What is owed to whom, when it is tried again, and what a request holds.

pub mod header;
pub mod outbox;
pub mod owed;
pub mod payload;
pub mod pick;
pub mod recognise;
pub mod retry;
pub mod signature;
