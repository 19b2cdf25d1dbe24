//! PHP `date()` formats, as far as they can name a moment in a column.

/// A checked format, such as `Y-m-d H:i:s`, `U` or `YmdHis`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhpDateFormat(String);
