//! Owed callbacks: to whom, when each is tried again, and the request.

pub mod header;
pub mod outbox;
pub mod owed;
pub mod payload;
pub mod pick;
pub mod recognise;
pub mod retry;
pub mod signature;
