//! One JSON object a line.

use memchr::memchr;

use crate::simd::Level;
use crate::simd::lines::LineEnds;

use super::is_space;
use super::rows::{Rule, Sort};

/// A row is what stands before a `\n`; a blank one is none.
pub(crate) struct NdjsonRule {
    /// Line ends are found many at once, by these instructions.
    many: Option<Level>,
}

impl NdjsonRule {
    /// The rule, by these instructions.
    pub(crate) fn new(level: Level) -> Self {
        // Where there are no registers for many bytes, `memchr` knows better.
        Self { many: level.has_registers().then_some(level) }
    }
}

impl Rule for NdjsonRule {
    fn begin(&mut self) {}

    fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        memchr(b'\n', bytes)
    }

    fn find_ends(&self, window: &[u8], lines: &mut LineEnds) -> bool {
        if let Some(level) = self.many {
            lines.find(level, window);
        }
        self.many.is_some()
    }

    fn sort(&self, row: &[u8]) -> Sort {
        if row.iter().all(|&byte| is_space(byte)) { Sort::Skipped } else { Sort::Record }
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
