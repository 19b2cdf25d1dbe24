//! What to do after an answer.
