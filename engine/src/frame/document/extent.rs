//! Where a record ends.
//!
//! Nothing is checked here but what is needed for that: brackets are counted, of both kinds together and outside
//! strings. So a record that is not sound ends somewhere sensible, and costs no other. [`simd::extent`](crate::simd::extent)
//! does the same a block at a time.

use memchr::{memchr_iter, memchr2};

use crate::simd::extent::{Within, pass};
use crate::simd::{BLOCK, Level};

/// How far the end of a record is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Extent {
    /// An array or object: ends where all brackets are closed.
    Brackets(Within),
    /// A string: ends behind its closing quote. The next byte may be escaped.
    Text { escape: bool },
    /// Anything else: ends before a comma, a closing bracket or white space.
    Scalar,
}

/// The bytes that count outside strings.
const STRUCTURAL: [bool; 256] = {
    let mut structural = [false; 256];
    structural[b'"' as usize] = true;
    structural[b'{' as usize] = true;
    structural[b'}' as usize] = true;
    structural[b'[' as usize] = true;
    structural[b']' as usize] = true;
    structural
};

impl Extent {
    /// A record of which the first byte has just been passed.
    pub(super) fn new(first: u8) -> Self {
        match first {
            b'{' | b'[' => Self::Brackets(Within { depth: 1, in_string: false, escape: false }),
            b'"' => Self::Text { escape: false },
            _ => Self::Scalar,
        }
    }

    /// Whether the record may end with the object.
    pub(super) fn may_end(self) -> bool {
        matches!(self, Self::Scalar)
    }

    /// The index in `bytes`, which follow those of the last call, behind the record; nothing if it goes on. Adds the line
    /// ends up to there to `lines`.
    pub(super) fn find_end(
        &mut self,
        level: Level,
        bytes: &[u8],
        lines: &mut u64,
    ) -> Option<usize> {
        match self {
            Self::Brackets(within) => find_closed(level, bytes, within, lines),
            Self::Text { escape } => {
                let end = find_text_end(bytes, 0, escape);
                *lines += count_lines(&bytes[..end.unwrap_or(bytes.len())]);
                end
            }
            Self::Scalar => bytes
                .iter()
                .position(|byte| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r')),
        }
    }
}

/// Goes over whole blocks at once, and byte by byte over what these leave: an unusual block, and the end of the bytes.
fn find_closed(level: Level, bytes: &[u8], within: &mut Within, lines: &mut u64) -> Option<usize> {
    let mut at = 0;
    while at < bytes.len() {
        let passed = pass(level, &bytes[at..], within);
        at += passed.bytes;
        *lines += passed.lines;
        if passed.closed {
            return Some(at);
        }
        let careful = &bytes[at..bytes.len().min(at + BLOCK)];
        let end = find_closed_carefully(careful, within);
        let length = end.unwrap_or(careful.len());
        at += length;
        *lines += count_lines(&careful[..length]);
        if end.is_some() {
            return Some(at);
        }
    }
    None
}

fn find_closed_carefully(bytes: &[u8], within: &mut Within) -> Option<usize> {
    let mut at = 0;
    loop {
        if within.in_string {
            at = find_text_end(bytes, at, &mut within.escape)?;
            within.in_string = false;
        }
        at += bytes[at..].iter().position(|&byte| STRUCTURAL[byte as usize])? + 1;
        match bytes[at - 1] {
            b'"' => within.in_string = true,
            b'{' | b'[' => within.depth += 1,
            _ => within.depth -= 1,
        }
        if within.depth == 0 {
            return Some(at);
        }
    }
}

/// The index behind the quote that closes a string.
fn find_text_end(bytes: &[u8], from: usize, escape: &mut bool) -> Option<usize> {
    let mut at = from;
    loop {
        if *escape && at < bytes.len() {
            *escape = false;
            at += 1;
        }
        at += memchr2(b'"', b'\\', &bytes[at..])? + 1;
        if bytes[at - 1] == b'"' {
            return Some(at);
        }
        *escape = true;
    }
}

/// The line ends in these bytes.
fn count_lines(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests;
