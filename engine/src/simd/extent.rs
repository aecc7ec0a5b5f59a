//! Where a record ends: at the bracket that closes its first one.
//!
//! Only what decides that is looked at: quotes, backslashes, and the brackets outside strings, of both kinds together.
//! A block that cannot hold the end changes the depth by how many brackets of each sort it has. It cannot if it has fewer
//! closing brackets than are open, not counting those that close the bracket right before them: such a pair leaves the
//! depth at no place lower than it was before it. That is so in nearly all blocks; in the others the end is looked for
//! bracket by bracket.
//!
//! A backslash outside strings is for the caller, who does such a block byte by byte: it escapes nothing.

use super::index::escaped;
use super::{BLOCK, Kernel, Lanes, Level};

/// Where a walk through a record stands between two of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Within {
    /// So many brackets are open: at least one.
    pub(crate) depth: u64,
    pub(crate) in_string: bool,
    /// The next byte is escaped.
    pub(crate) escape: bool,
}

/// How far [`pass`] came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) bytes: usize,
    /// The line ends in there.
    pub(crate) lines: u64,
    /// There the record ends.
    pub(crate) closed: bool,
}

/// Passes the rest of a record: to its end, or else as many whole blocks of `bytes` as have no backslash outside
/// strings.
pub(crate) fn pass(level: Level, bytes: &[u8], within: &mut Within) -> Passed {
    level.run(Pass { bytes, within })
}

struct Pass<'b, 'w> {
    bytes: &'b [u8],
    within: &'w mut Within,
}

impl Kernel for Pass<'_, '_> {
    type Output = Passed;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Passed {
        let Self { bytes, within } = self;
        let Within { mut depth, in_string, mut escape } = *within;
        let mut in_string = if in_string { !0 } else { 0 };
        let mut passed = Passed { bytes: 0, lines: 0, closed: false };
        for block in bytes.as_chunks().0 {
            let block = lanes.load(block);
            let equal = |byte| lanes.equal(block, lanes.splat(byte));
            let (mut quotes, backslashes) = (equal(b'"'), equal(b'\\'));
            let mut escape_behind = escape;
            if backslashes != 0 || escape {
                quotes &= !escaped(backslashes, &mut escape_behind);
            }
            let strings = lanes.prefix_xor(quotes) ^ in_string;
            if backslashes & !strings != 0 {
                break;
            }
            // `[` and `]` differ from `{` and `}` in this bit.
            let folded = lanes.or(block, lanes.splat(0x20));
            let opening = lanes.equal(folded, lanes.splat(b'{')) & !strings;
            let closing = lanes.equal(folded, lanes.splat(b'}')) & !strings;
            let line_ends = equal(b'\n');
            let unpaired = closing & !closing_at_once(opening, closing);
            if count(unpaired) >= depth
                && let Some(last) = find_end(opening, closing, depth)
            {
                passed.bytes += last as usize + 1;
                passed.lines += count(line_ends & up_to(last));
                passed.closed = true;
                return passed;
            }
            // Never negative: the depth is at least one behind each bracket.
            depth = depth + count(opening) - count(closing);
            in_string = (strings.cast_signed() >> 63).cast_unsigned();
            escape = escape_behind;
            passed.bytes += BLOCK;
            passed.lines += count(line_ends);
        }
        *within = Within { depth, in_string: in_string != 0, escape };
        passed
    }
}

/// The closing brackets between which and the opening ones right before them there is no other. An addition carries from
/// an opening bracket to the next one.
#[inline(always)]
fn closing_at_once(opening: u64, closing: u64) -> u64 {
    (opening << 1).wrapping_add(!(opening | closing)) & closing
}

/// The place of the closing bracket behind which none is open. There is a closing bracket.
#[inline(always)]
fn find_end(opening: u64, mut closing: u64, depth: u64) -> Option<u32> {
    let mut closed = 0;
    loop {
        let place = closing.trailing_zeros();
        closed += 1;
        if depth + count(opening & up_to(place)) == closed {
            return Some(place);
        }
        closing &= closing - 1;
        if closing == 0 {
            return None;
        }
    }
}

#[inline(always)]
fn count(bits: u64) -> u64 {
    u64::from(bits.count_ones())
}

/// The bits up to this one.
#[inline(always)]
fn up_to(place: u32) -> u64 {
    (!0_u64).wrapping_shr(63_u32.wrapping_sub(place))
}
