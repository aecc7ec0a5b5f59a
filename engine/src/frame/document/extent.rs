//! Where a record ends.
//!
//! Nothing is checked here but what is needed for that: brackets are counted, of both kinds together and outside
//! strings. So a record that is not sound ends somewhere sensible, and costs no other.

use memchr::memchr2;

/// How far the end of a record is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Extent {
    /// An array, an object or a string: ends where all of that is closed.
    Closed { depth: u64, in_text: bool, escaped: bool },
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
    /// A record that begins with `first`, which is still to be passed.
    pub(super) fn new(first: u8) -> Self {
        match first {
            b'{' | b'[' | b'"' => Self::Closed { depth: 0, in_text: false, escaped: false },
            _ => Self::Scalar,
        }
    }

    /// Whether the record may end with the object.
    pub(super) fn may_end(self) -> bool {
        matches!(self, Self::Scalar)
    }

    /// The index in `bytes`, which follow those of the last call, behind the record; nothing if it goes on.
    pub(super) fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Scalar => bytes
                .iter()
                .position(|byte| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r')),
            Self::Closed { depth, in_text, escaped } => find_closed(bytes, depth, in_text, escaped),
        }
    }
}

fn find_closed(
    bytes: &[u8],
    depth: &mut u64,
    in_text: &mut bool,
    escaped: &mut bool,
) -> Option<usize> {
    let mut at = 0;
    loop {
        if *in_text {
            at = find_text_end(bytes, at, escaped)?;
            *in_text = false;
        } else {
            at += bytes[at..].iter().position(|&byte| STRUCTURAL[byte as usize])? + 1;
            match bytes[at - 1] {
                b'"' => {
                    *in_text = true;
                    continue;
                }
                b'{' | b'[' => *depth += 1,
                _ => *depth -= 1,
            }
        }
        if *depth == 0 {
            return Some(at);
        }
    }
}

/// The index behind the quote that closes a string.
fn find_text_end(bytes: &[u8], from: usize, escaped: &mut bool) -> Option<usize> {
    let mut at = from;
    loop {
        if *escaped && at < bytes.len() {
            *escaped = false;
            at += 1;
        }
        at += memchr2(b'"', b'\\', &bytes[at..])? + 1;
        if bytes[at - 1] == b'"' {
            return Some(at);
        }
        *escaped = true;
    }
}
