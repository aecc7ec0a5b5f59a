//! Is a block valid UTF-8?
//!
//! The look-up algorithm of Keiser and Lemire, *Validating UTF-8 In Less Than One Instruction Per Byte* (2020): the two
//! halves of a byte's predecessor and the upper half of the byte each name the errors that they allow, and what all three
//! allow is one. Third and fourth bytes of a character are known by the bytes two and three places before them.

use super::Lanes;

/// A byte that must be continued is not.
const SHORT: u8 = 1;
/// A byte continues nothing.
const LONG: u8 = 1 << 1;
/// A character of three bytes that needs two.
const OVERLONG_3: u8 = 1 << 2;
/// Beyond U+10FFFF.
const LARGE: u8 = 1 << 3;
/// A surrogate.
const SURROGATE: u8 = 1 << 4;
/// A character of two bytes that needs one.
const OVERLONG_2: u8 = 1 << 5;
/// Beyond U+10FFFF, or a character of four bytes that needs three.
const LARGE_OR_OVERLONG_4: u8 = 1 << 6;
/// Two bytes that both continue: right only behind a byte that wants two or more.
const TWO_CONTINUE: u8 = 1 << 7;

/// What does not depend on the lower half of the first byte.
const ANY: u8 = SHORT | LONG | TWO_CONTINUE;
/// What all lead bytes from F5 on are.
const BEYOND: u8 = ANY | LARGE | LARGE_OR_OVERLONG_4;

/// By the upper half of the byte before.
const FIRST_HIGH: [u8; 16] = {
    let mut table = [LONG; 16];
    let mut nibble = 8;
    while nibble < 12 {
        table[nibble] = TWO_CONTINUE;
        nibble += 1;
    }
    table[12] = SHORT | OVERLONG_2;
    table[13] = SHORT;
    table[14] = SHORT | OVERLONG_3 | SURROGATE;
    table[15] = SHORT | LARGE | LARGE_OR_OVERLONG_4;
    table
};

/// By the lower half of the byte before.
const FIRST_LOW: [u8; 16] = {
    let mut table = [BEYOND; 16];
    table[0] = ANY | OVERLONG_3 | OVERLONG_2 | LARGE_OR_OVERLONG_4;
    table[1] = ANY | OVERLONG_2;
    table[2] = ANY;
    table[3] = ANY;
    table[4] = ANY | LARGE;
    table[13] = BEYOND | SURROGATE;
    table
};

/// By the upper half of the byte.
const SECOND_HIGH: [u8; 16] = {
    let mut table = [SHORT; 16];
    let continues = LONG | OVERLONG_2 | TWO_CONTINUE;
    table[8] = continues | OVERLONG_3 | LARGE_OR_OVERLONG_4;
    table[9] = continues | OVERLONG_3 | LARGE;
    table[10] = continues | SURROGATE | LARGE;
    table[11] = continues | SURROGATE | LARGE;
    table
};

/// Where a block is not valid UTF-8; `before` are the 64 bytes that start one, two and three places before it.
#[inline(always)]
pub(super) fn errors<L: Lanes>(lanes: L, block: L::Block, before: [L::Block; 3]) -> u64 {
    let [one, two, three] = before;
    let low = lanes.and(one, lanes.splat(15));
    let pairs = lanes.and(
        lanes.and(
            lanes.look_up(&FIRST_HIGH, lanes.high_nibbles(one)),
            lanes.look_up(&FIRST_LOW, low),
        ),
        lanes.look_up(&SECOND_HIGH, lanes.high_nibbles(block)),
    );
    // The top bit is set where the byte two (three) places before leads three (four) bytes.
    let third = lanes.subtract_saturating(two, lanes.splat(0xe0 - 0x80));
    let fourth = lanes.subtract_saturating(three, lanes.splat(0xf0 - 0x80));
    let must_continue = lanes.and(lanes.or(third, fourth), lanes.splat(0x80));
    !lanes.equal(pairs, must_continue)
}
