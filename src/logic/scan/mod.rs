//! What a pass reads next, and what it remembers from one pass to the next.

pub mod bounds;
pub mod checkpoint;
pub(crate) mod circle;
pub mod gaps;
pub mod identity;
pub mod load;
pub(crate) mod log_in;
pub mod php_date;
pub mod plan;
pub(crate) mod suspects;
pub mod trail;
pub mod zone;
