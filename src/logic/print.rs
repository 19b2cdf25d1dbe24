//! Cells as text for reports and messages.
