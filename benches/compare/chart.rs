//! The chart of a comparison.

use crate::report::Report;

/// Draws nothing yet.
pub(crate) fn draw(_: &Report) -> String {
    String::new()
}
