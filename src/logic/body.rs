//! The body of a callback.
