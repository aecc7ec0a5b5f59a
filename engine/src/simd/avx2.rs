//! A block in two registers of 256 bits.

use std::arch::x86_64::*;

use super::{BLOCK, Compressed, Instructions, Kernel, Lanes, Level, portable};

/// The proof that the machine has these instructions.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

/// Asks the machine.
pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("pclmulqdq")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("lzcnt")
}

/// Runs an algorithm with them.
pub(super) fn run<K: Kernel>(level: Level, kernel: K) -> K::Output {
    assert!(level.0 == Instructions::Avx2, "a level has the instructions that it names");
    // SAFETY: such a level only comes from `Level::all`, after `is_available`.
    unsafe { with_instructions(kernel) }
}

#[target_feature(enable = "avx2,pclmulqdq,bmi1,bmi2,popcnt,lzcnt")]
fn with_instructions<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Avx2(()))
}

/// The two halves.
#[derive(Clone, Copy)]
pub(crate) struct Halves(__m256i, __m256i);

impl Avx2 {
    /// At most 32 bytes: those that fill words of four by a masked load, and the word of the others.
    #[inline(always)]
    fn load_part_of_half(self, bytes: &[u8]) -> __m256i {
        let (words, rest) = bytes.as_chunks::<4>();
        let last = match bytes.last_chunk() {
            // The last four bytes, without those that are in the words.
            Some(four) if !rest.is_empty() => u32::from_le_bytes(*four) >> (8 * (4 - rest.len())),
            _ => rest.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte)),
        };
        // At most eight.
        let count = words.len() as i32;
        // SAFETY: only words that the mask names are read, which are those of `bytes`; `self` proves the instructions.
        unsafe {
            let places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            let count = _mm256_set1_epi32(count);
            let whole =
                _mm256_maskload_epi32(bytes.as_ptr().cast(), _mm256_cmpgt_epi32(count, places));
            let last = _mm256_set1_epi32(last.cast_signed());
            _mm256_or_si256(whole, _mm256_and_si256(last, _mm256_cmpeq_epi32(count, places)))
        }
    }
}

/// One bit for each byte of which the top bit is set.
macro_rules! bits {
    ($low:expr, $high:expr) => {
        u64::from(_mm256_movemask_epi8($low).cast_unsigned())
            | u64::from(_mm256_movemask_epi8($high).cast_unsigned()) << 32
    };
}

/// The functions of the trait that do the same with each half.
macro_rules! halves {
    ($($name:ident = $instruction:ident;)*) => {$(
        #[inline(always)]
        fn $name(self, a: Halves, b: Halves) -> Halves {
            // SAFETY: `self` proves that the machine has the instructions.
            unsafe { Halves($instruction(a.0, b.0), $instruction(a.1, b.1)) }
        }
    )*};
}

/// Doubling steps within each quarter, then the sum of the quarter before it.
macro_rules! prefix_sum_of_half {
    ($half:expr) => {{
        let half = $half;
        let sum = _mm256_add_epi8(half, _mm256_slli_si256::<1>(half));
        let sum = _mm256_add_epi8(sum, _mm256_slli_si256::<2>(sum));
        let sum = _mm256_add_epi8(sum, _mm256_slli_si256::<4>(sum));
        let sum = _mm256_add_epi8(sum, _mm256_slli_si256::<8>(sum));
        let quarters = _mm256_shuffle_epi8(sum, _mm256_set1_epi8(15));
        _mm256_add_epi8(sum, _mm256_permute2x128_si256::<0x08>(quarters, quarters))
    }};
}

/// The last byte everywhere.
macro_rules! splat_last_of_half {
    ($half:expr) => {{
        let half = $half;
        let upper = _mm256_permute2x128_si256::<0x11>(half, half);
        _mm256_shuffle_epi8(upper, _mm256_set1_epi8(15))
    }};
}

impl Lanes for Avx2 {
    type Block = Halves;

    const WIDE: bool = false;

    #[inline(always)]
    fn load(self, bytes: &[u8; BLOCK]) -> Halves {
        // SAFETY: twice 32 bytes are read, and there are as many; `self` proves the instructions.
        unsafe {
            let start = bytes.as_ptr();
            Halves(_mm256_loadu_si256(start.cast()), _mm256_loadu_si256(start.add(32).cast()))
        }
    }

    #[inline(always)]
    fn load_part(self, bytes: &[u8]) -> Halves {
        match bytes.first_chunk() {
            Some(block) => self.load(block),
            None => {
                let half = BLOCK / 2;
                let (low, high) = bytes.split_at(bytes.len().min(half));
                Halves(self.load_part_of_half(low), self.load_part_of_half(high))
            }
        }
    }

    #[inline(always)]
    fn store(self, block: Halves, bytes: &mut [u8; BLOCK]) {
        // SAFETY: twice 32 bytes are written, and there are as many; `self` proves the instructions.
        unsafe {
            let start = bytes.as_mut_ptr();
            _mm256_storeu_si256(start.cast(), block.0);
            _mm256_storeu_si256(start.add(32).cast(), block.1);
        }
    }

    #[inline(always)]
    fn splat(self, byte: u8) -> Halves {
        // SAFETY: `self` proves that the machine has the instructions.
        let half = unsafe { _mm256_set1_epi8(byte.cast_signed()) };
        Halves(half, half)
    }

    #[inline(always)]
    fn equal(self, a: Halves, b: Halves) -> u64 {
        // SAFETY: `self` proves that the machine has the instructions.
        unsafe { bits!(_mm256_cmpeq_epi8(a.0, b.0), _mm256_cmpeq_epi8(a.1, b.1)) }
    }

    /// There is no unsigned comparison, but what is not less than the smaller one is the smaller one.
    #[inline(always)]
    fn at_most(self, a: Halves, b: Halves) -> u64 {
        // SAFETY: `self` proves that the machine has the instructions.
        unsafe {
            bits!(
                _mm256_cmpeq_epi8(_mm256_min_epu8(a.0, b.0), a.0),
                _mm256_cmpeq_epi8(_mm256_min_epu8(a.1, b.1), a.1)
            )
        }
    }

    #[inline(always)]
    fn top_bits(self, block: Halves) -> u64 {
        // SAFETY: `self` proves that the machine has the instructions.
        unsafe { bits!(block.0, block.1) }
    }

    halves! {
        or = _mm256_or_si256;
        and = _mm256_and_si256;
        add = _mm256_add_epi8;
        subtract_saturating = _mm256_subs_epu8;
    }

    #[inline(always)]
    fn high_nibbles(self, block: Halves) -> Halves {
        // SAFETY: `self` proves that the machine has the instructions.
        unsafe {
            let fifteen = _mm256_set1_epi8(15);
            Halves(
                _mm256_and_si256(_mm256_srli_epi16::<4>(block.0), fifteen),
                _mm256_and_si256(_mm256_srli_epi16::<4>(block.1), fifteen),
            )
        }
    }

    #[inline(always)]
    fn look_up(self, table: &[u8; 16], block: Halves) -> Halves {
        // SAFETY: 16 bytes are read, and there are as many; `self` proves the instructions.
        unsafe {
            let table = _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast()));
            Halves(_mm256_shuffle_epi8(table, block.0), _mm256_shuffle_epi8(table, block.1))
        }
    }

    #[inline(always)]
    fn prefix_sum(self, block: Halves) -> Halves {
        // SAFETY: `self` proves that the machine has the instructions.
        unsafe {
            let (low, high) = (prefix_sum_of_half!(block.0), prefix_sum_of_half!(block.1));
            Halves(low, _mm256_add_epi8(high, splat_last_of_half!(low)))
        }
    }

    #[inline(always)]
    fn splat_last(self, block: Halves) -> Halves {
        // SAFETY: `self` proves that the machine has the instructions.
        let last = unsafe { splat_last_of_half!(block.1) };
        Halves(last, last)
    }

    #[inline(always)]
    fn prefix_xor(self, bits: u64) -> u64 {
        // SAFETY: `self` proves that the machine has the instructions.
        unsafe {
            let bits = _mm_set_epi64x(0, bits.cast_signed());
            let product = _mm_clmulepi64_si128::<0>(bits, _mm_set1_epi8(-1));
            _mm_cvtsi128_si64(product).cast_unsigned()
        }
    }

    #[inline(always)]
    fn extract_bits(self, bits: u64, mask: u64) -> u64 {
        // SAFETY: `self` proves that the machine has the instructions.
        unsafe { _pext_u64(bits, mask) }
    }

    /// There is no such instruction.
    #[inline(always)]
    fn places(self, mask: u64, offset: u32, out: &mut [u32; BLOCK]) {
        portable::places(mask, offset, out);
    }

    /// There is no such instruction.
    #[inline(always)]
    fn compress(self, block: Halves, marks: Halves, mask: u64, offset: u32, out: Compressed<'_>) {
        let (mut bytes, mut all_marks) = ([0; BLOCK], [0; BLOCK]);
        self.store(block, &mut bytes);
        self.store(marks, &mut all_marks);
        portable::compress(&bytes, &all_marks, mask, offset, out);
    }
}
