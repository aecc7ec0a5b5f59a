//! A block in plain bytes and words. It says what the others must do.

use super::{BLOCK, Compressed, Lanes, extended};

/// Needs nothing of the machine.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

/// One bit for each byte that a test holds for. A multiplication moves the lowest bits of eight bytes side by side.
#[inline(always)]
fn bits(test: impl Fn(usize) -> bool) -> u64 {
    const LOWEST: u64 = u64::from_ne_bytes([1; 8]);
    const TOGETHER: u64 = 0x0102_0408_1020_4080;
    let holds: [u8; BLOCK] = std::array::from_fn(|place| u8::from(test(place)));
    let (words, _) = holds.as_chunks::<8>();
    (0..).zip(words).fold(0, |bits, (word, eight)| {
        let eight = u64::from_le_bytes(*eight) & LOWEST;
        bits | (eight.wrapping_mul(TOGETHER) >> 56) << (8 * word)
    })
}

#[inline(always)]
fn both(a: [u8; BLOCK], b: [u8; BLOCK], with: impl Fn(u8, u8) -> u8) -> [u8; BLOCK] {
    std::array::from_fn(|place| with(a[place], b[place]))
}

impl Lanes for Portable {
    type Block = [u8; BLOCK];

    const HAS_REGISTERS: bool = false;

    const WIDE: bool = false;

    #[inline(always)]
    fn load(self, bytes: &[u8; BLOCK]) -> [u8; BLOCK] {
        *bytes
    }

    #[inline(always)]
    fn load_part(self, bytes: &[u8]) -> [u8; BLOCK] {
        extended(bytes)
    }

    #[inline(always)]
    fn store(self, block: [u8; BLOCK], bytes: &mut [u8; BLOCK]) {
        *bytes = block;
    }

    #[inline(always)]
    fn splat(self, byte: u8) -> [u8; BLOCK] {
        [byte; BLOCK]
    }

    #[inline(always)]
    fn equal(self, a: [u8; BLOCK], b: [u8; BLOCK]) -> u64 {
        bits(|place| a[place] == b[place])
    }

    #[inline(always)]
    fn at_most(self, a: [u8; BLOCK], b: [u8; BLOCK]) -> u64 {
        bits(|place| a[place] <= b[place])
    }

    #[inline(always)]
    fn top_bits(self, block: [u8; BLOCK]) -> u64 {
        bits(|place| block[place] >= 0x80)
    }

    #[inline(always)]
    fn or(self, a: [u8; BLOCK], b: [u8; BLOCK]) -> [u8; BLOCK] {
        both(a, b, |a, b| a | b)
    }

    #[inline(always)]
    fn and(self, a: [u8; BLOCK], b: [u8; BLOCK]) -> [u8; BLOCK] {
        both(a, b, |a, b| a & b)
    }

    #[inline(always)]
    fn add(self, a: [u8; BLOCK], b: [u8; BLOCK]) -> [u8; BLOCK] {
        both(a, b, u8::wrapping_add)
    }

    #[inline(always)]
    fn subtract_saturating(self, a: [u8; BLOCK], b: [u8; BLOCK]) -> [u8; BLOCK] {
        both(a, b, u8::saturating_sub)
    }

    #[inline(always)]
    fn high_nibbles(self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        block.map(|byte| byte >> 4)
    }

    #[inline(always)]
    fn look_up(self, table: &[u8; 16], block: [u8; BLOCK]) -> [u8; BLOCK] {
        block.map(|byte| if byte < 0x80 { table[usize::from(byte & 15)] } else { 0 })
    }

    #[inline(always)]
    fn prefix_sum(self, mut block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut sum = 0_u8;
        for byte in &mut block {
            sum = sum.wrapping_add(*byte);
            *byte = sum;
        }
        block
    }

    #[inline(always)]
    fn splat_last(self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        [block[BLOCK - 1]; BLOCK]
    }

    #[inline(always)]
    fn prefix_xor(self, bits: u64) -> u64 {
        [1, 2, 4, 8, 16, 32].iter().fold(bits, |bits, shift| bits ^ bits << shift)
    }

    #[inline(always)]
    fn extract_bits(self, bits: u64, mut mask: u64) -> u64 {
        let (mut extracted, mut place) = (0, 0);
        while mask != 0 {
            extracted |= (bits >> mask.trailing_zeros() & 1) << place;
            place += 1;
            mask &= mask - 1;
        }
        extracted
    }

    #[inline(always)]
    fn places(self, mask: u64, offset: u32, out: &mut [u32; BLOCK]) {
        places(mask, offset, out);
    }

    #[inline(always)]
    fn compress(
        self,
        block: [u8; BLOCK],
        marks: [u8; BLOCK],
        mask: u64,
        offset: u32,
        out: Compressed<'_>,
    ) {
        compress(&block, &marks, mask, offset, out);
    }
}

/// [`Lanes::places`], four at a time: whether there are more is told right nearly always.
#[inline(always)]
pub(super) fn places(mut mask: u64, offset: u32, out: &mut [u32; BLOCK]) {
    let (fours, _) = out.as_chunks_mut::<4>();
    for four in fours {
        for place in four {
            *place = offset + mask.trailing_zeros();
            mask &= mask.wrapping_sub(1);
        }
        if mask == 0 {
            return;
        }
    }
}

/// [`Lanes::compress`], four at a time as well.
#[inline(always)]
pub(super) fn compress(
    block: &[u8; BLOCK],
    marks: &[u8; BLOCK],
    mut mask: u64,
    offset: u32,
    out: Compressed<'_>,
) {
    let (offsets, _) = out.offsets.as_chunks_mut::<4>();
    let (out_bytes, _) = out.bytes.as_chunks_mut::<4>();
    let (out_marks, _) = out.marks.as_chunks_mut::<4>();
    for ((offsets, bytes), out_marks) in offsets.iter_mut().zip(out_bytes).zip(out_marks) {
        for next in 0..4 {
            let place = mask.trailing_zeros();
            offsets[next] = offset + place;
            // 64 stands for none.
            let place = place as usize % BLOCK;
            bytes[next] = block[place];
            out_marks[next] = marks[place];
            mask &= mask.wrapping_sub(1);
        }
        if mask == 0 {
            return;
        }
    }
}
