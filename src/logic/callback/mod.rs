//! Owed callbacks: to whom, when each is tried again, and the request.

pub(crate) mod header;
pub mod outbox;
pub mod owed;
pub mod payload;
pub(crate) mod pick;
pub mod recognise;
pub mod retry;
pub mod signature;
