//! How deep each token stands, and whether all brackets match.
//!
//! Depths are sums over tokens and not over bytes: 64 of them at once, by one prefix sum over the kinds of the tokens.
//! An opening bracket and what stands in it has the level 2 x depth; a closing bracket one less. So the colons of one
//! object's members have one level, and the first lower one behind its opening bracket ends it.

use super::{BLOCK, Lanes, low_bits};

/// Deeper brackets are not followed: their kinds are kept in one word.
pub(super) const DEPTH_MAX: u32 = 64;

/// By the lower half of `{ [ } ] :`, what a token adds to the level: 2 or -2 or nothing.
const STEP: [u8; 16] = {
    let mut table = [0; 16];
    table[0xb] = 2;
    table[0xd] = 2_u8.wrapping_neg();
    table
};
/// By the lower half of what a token adds: a closing bracket's level is one more than that behind it.
const CLOSING: [u8; 16] = {
    let mut table = [0; 16];
    table[0xe] = 1;
    table
};

/// What goes on from 64 tokens to the next.
pub(super) struct Nesting<L: Lanes> {
    lanes: L,
    /// The level behind the last token, everywhere.
    level: L::Block,
    /// The kinds of the open brackets, one bit each (`[` is 1), the innermost lowest.
    open_squares: u64,
    level_max: u8,
}

impl<L: Lanes> Nesting<L> {
    #[inline(always)]
    pub(super) fn new(lanes: L, depth_max: u32) -> Self {
        // At most 128.
        let level_max = 2 * depth_max.min(DEPTH_MAX) as u8;
        Self { lanes, level: lanes.splat(0), open_squares: 0, level_max }
    }

    /// The levels of 64 tokens; and whether they nest too deep, or close what is not open.
    #[inline(always)]
    pub(super) fn next(&mut self, kinds: &[u8; BLOCK], levels: &mut [u8; BLOCK]) -> bool {
        let lanes = self.lanes;
        let kinds = lanes.load(kinds);
        let steps = lanes.look_up(&STEP, kinds);
        let behind = lanes.add(lanes.prefix_sum(steps), self.level);
        self.level = lanes.splat_last(behind);
        let closing = lanes.look_up(&CLOSING, lanes.and(steps, lanes.splat(15)));
        let level = lanes.add(behind, closing);
        lanes.store(level, levels);

        // The level wraps around only far beyond the limit, and goes there in steps of 2.
        let too_deep = !lanes.at_most(level, lanes.splat(self.level_max));
        let opens = lanes.equal(steps, lanes.splat(2));
        let brackets = opens | lanes.top_bits(steps);
        let squares = lanes.equal(lanes.and(kinds, lanes.splat(0x20)), lanes.splat(0));
        let opens = lanes.extract_bits(opens, brackets);
        let squares = lanes.extract_bits(squares, brackets);
        let count = brackets.count_ones() as usize;
        too_deep | self.mismatches(opens, squares, count) != 0
    }

    /// Do `count` brackets match in kind? One bit each, the first lowest. All that stand side by side are taken out at
    /// once, in as many rounds as they nest; what is left, closing ones and then opening ones, goes against the open ones.
    #[inline(always)]
    fn mismatches(&mut self, mut opens: u64, mut squares: u64, mut count: usize) -> u64 {
        let mut mismatches = 0;
        loop {
            let pairs = opens & !(opens >> 1) & (low_bits(count) >> 1);
            if pairs == 0 {
                break;
            }
            mismatches |= (squares ^ (squares >> 1)) & pairs;
            let rest = low_bits(count) & !(pairs | pairs << 1);
            opens = self.lanes.extract_bits(opens, rest);
            squares = self.lanes.extract_bits(squares, rest);
            count -= 2 * pairs.count_ones() as usize;
        }
        let opened = opens.count_ones() as usize;
        let closed = count - opened;
        mismatches |= (self.open_squares ^ squares) & low_bits(closed);
        if closed >= 64 {
            self.open_squares = 0;
        } else {
            self.open_squares >>= closed;
            squares >>= closed;
        }
        if opened >= 64 {
            self.open_squares = squares.reverse_bits();
        } else if opened > 0 {
            self.open_squares =
                self.open_squares << opened | squares.reverse_bits() >> (64 - opened);
        }
        mismatches
    }
}
