//! One JSON object a line.

use memchr::memchr;

use super::rows::Rule;

/// A row is what stands before a `\n`; a blank one is none.
pub(crate) struct NdjsonRule;

impl Rule for NdjsonRule {
    fn begin(&mut self) {}

    fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        memchr(b'\n', bytes)
    }

    fn is_skipped(&self, _: u64, blank: bool) -> bool {
        blank
    }

    fn lines_inside(&self) -> u64 {
        0
    }

    fn unclosed(&self) -> Option<u64> {
        None
    }
}
