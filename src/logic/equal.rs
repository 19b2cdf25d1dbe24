//! When two cells are equal, and why.

use bigdecimal::BigDecimal;

/// A column's exceptions from exact equality, all off by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    /// Numbers agree when they differ by no more than this.
    pub tolerance: Option<BigDecimal>,
    /// White space at both ends of text does not count.
    pub trim: bool,
    /// Upper and lower case of text count as the same.
    pub ignore_case: bool,
    /// NULL agrees with the empty string.
    pub null_equals_empty: bool,
}
