//! A block in one register of 512 bits.

use std::arch::x86_64::*;

use super::{BLOCK, Compressed, Instructions, Kernel, Lanes, Level};

/// The proof that the machine has these instructions.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

/// The places of a block.
const PLACES: [u8; BLOCK] = {
    let mut places = [0; BLOCK];
    let mut place = 0;
    while place < BLOCK {
        places[place] = place as u8;
        place += 1;
    }
    places
};

/// Asks the machine.
pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vbmi")
        && is_x86_feature_detected!("avx512vbmi2")
        && is_x86_feature_detected!("pclmulqdq")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("lzcnt")
}

/// Runs an algorithm with them.
pub(super) fn run<K: Kernel>(level: Level, kernel: K) -> K::Output {
    assert!(level.0 == Instructions::Avx512, "a level has the instructions that it names");
    // SAFETY: such a level only comes from `Level::all`, after `is_available`.
    unsafe { with_instructions(kernel) }
}

#[target_feature(
    enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,avx512vbmi2,pclmulqdq,bmi1,bmi2,popcnt,lzcnt"
)]
fn with_instructions<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Avx512(()))
}

/// The functions of the trait that are one instruction each.
macro_rules! instructions {
    ($($name:ident($($arg:ident),*) -> $out:ty = $code:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: __m512i),*) -> $out {
            // SAFETY: `self` proves that the machine has the instructions.
            unsafe { $code }
        }
    )*};
}

impl Lanes for Avx512 {
    type Block = __m512i;

    const WIDE: bool = true;

    #[inline(always)]
    fn load(self, bytes: &[u8; BLOCK]) -> __m512i {
        // SAFETY: 64 bytes are read, and there are as many; `self` proves the instructions.
        unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
    }

    #[inline(always)]
    fn low_bits(self, count: usize) -> u64 {
        // SAFETY: `self` proves that the machine has the instructions.
        unsafe { _bzhi_u64(!0, count.min(BLOCK) as u32) }
    }

    #[inline(always)]
    fn load_part(self, bytes: &[u8]) -> __m512i {
        // SAFETY: no byte is read that the mask leaves out; `self` proves the instructions.
        unsafe { _mm512_maskz_loadu_epi8(self.low_bits(bytes.len()), bytes.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, block: __m512i, bytes: &mut [u8; BLOCK]) {
        // SAFETY: 64 bytes are written, and there are as many; `self` proves the instructions.
        unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), block) }
    }

    #[inline(always)]
    fn splat(self, byte: u8) -> __m512i {
        // SAFETY: `self` proves that the machine has the instructions.
        unsafe { _mm512_set1_epi8(byte.cast_signed()) }
    }

    instructions! {
        equal(a, b) -> u64 = _mm512_cmpeq_epi8_mask(a, b);
        at_most(a, b) -> u64 = _mm512_cmple_epu8_mask(a, b);
        top_bits(block) -> u64 = _mm512_movepi8_mask(block);
        or(a, b) -> __m512i = _mm512_or_si512(a, b);
        and(a, b) -> __m512i = _mm512_and_si512(a, b);
        add(a, b) -> __m512i = _mm512_add_epi8(a, b);
        subtract_saturating(a, b) -> __m512i = _mm512_subs_epu8(a, b);
        high_nibbles(block) -> __m512i =
            _mm512_and_si512(_mm512_srli_epi16::<4>(block), _mm512_set1_epi8(15));
        splat_last(block) -> __m512i = _mm512_permutexvar_epi8(_mm512_set1_epi8(63), block);
    }

    #[inline(always)]
    fn look_up(self, table: &[u8; 16], block: __m512i) -> __m512i {
        // SAFETY: 16 bytes are read, and there are as many; `self` proves the instructions.
        unsafe {
            let table = _mm_loadu_si128(table.as_ptr().cast());
            _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), block)
        }
    }

    /// Doubling steps within each quarter, then the sums of the quarters before it.
    #[inline(always)]
    fn prefix_sum(self, block: __m512i) -> __m512i {
        // SAFETY: `self` proves that the machine has the instructions.
        unsafe {
            let sum = _mm512_add_epi8(block, _mm512_bslli_epi128::<1>(block));
            let sum = _mm512_add_epi8(sum, _mm512_bslli_epi128::<2>(sum));
            let sum = _mm512_add_epi8(sum, _mm512_bslli_epi128::<4>(sum));
            let sum = _mm512_add_epi8(sum, _mm512_bslli_epi128::<8>(sum));
            let quarters = _mm512_shuffle_epi8(sum, _mm512_set1_epi8(15));
            let zero = _mm512_setzero_si512();
            let one = _mm512_alignr_epi64::<6>(quarters, zero);
            let two = _mm512_alignr_epi64::<4>(quarters, zero);
            let three = _mm512_alignr_epi64::<2>(quarters, zero);
            _mm512_add_epi8(sum, _mm512_add_epi8(_mm512_add_epi8(one, two), three))
        }
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

    /// Eight are enough nearly always.
    #[inline(always)]
    fn places(self, mask: u64, offset: u32, out: &mut [u32; BLOCK]) {
        let places = self.load(&PLACES);
        let offsets = out.as_mut_ptr();
        // SAFETY: `out` has room for 64, and no more are written; `self` proves the instructions.
        unsafe {
            let places = _mm512_maskz_compress_epi8(mask, places);
            let base = _mm512_set1_epi32(offset.cast_signed());
            let first = _mm512_castsi512_si128(places);
            let eight = _mm256_add_epi32(_mm512_castsi512_si256(base), _mm256_cvtepu8_epi32(first));
            _mm256_storeu_si256(offsets.cast(), eight);
            if mask.count_ones() > 8 {
                let at = |sixteen| _mm512_add_epi32(base, _mm512_cvtepu8_epi32(sixteen));
                let (two, three, four) = (
                    at(_mm512_extracti32x4_epi32::<1>(places)),
                    at(_mm512_extracti32x4_epi32::<2>(places)),
                    at(_mm512_extracti32x4_epi32::<3>(places)),
                );
                _mm512_storeu_si512(offsets.cast(), at(first));
                _mm512_storeu_si512(offsets.add(16).cast(), two);
                _mm512_storeu_si512(offsets.add(32).cast(), three);
                _mm512_storeu_si512(offsets.add(48).cast(), four);
            }
        }
    }

    /// Sixteen are the rule: narrow stores, which seldom cross a cache line.
    #[inline(always)]
    fn compress(self, block: __m512i, marks: __m512i, mask: u64, offset: u32, out: Compressed<'_>) {
        let places = self.load(&PLACES);
        let offsets = out.offsets.as_mut_ptr();
        // SAFETY: `out` has room for 64 of each, and no more are written; `self` proves the instructions.
        unsafe {
            let places = _mm512_maskz_compress_epi8(mask, places);
            let bytes = _mm512_permutexvar_epi8(places, block);
            let marks = _mm512_permutexvar_epi8(places, marks);
            let base = _mm512_set1_epi32(offset.cast_signed());
            let at = |sixteen| _mm512_add_epi32(base, _mm512_cvtepu8_epi32(sixteen));
            _mm512_storeu_si512(offsets.cast(), at(_mm512_castsi512_si128(places)));
            _mm_storeu_si128(out.bytes.as_mut_ptr().cast(), _mm512_castsi512_si128(bytes));
            _mm_storeu_si128(out.marks.as_mut_ptr().cast(), _mm512_castsi512_si128(marks));
            if mask.count_ones() > 16 {
                let (two, three, four) = (
                    at(_mm512_extracti32x4_epi32::<1>(places)),
                    at(_mm512_extracti32x4_epi32::<2>(places)),
                    at(_mm512_extracti32x4_epi32::<3>(places)),
                );
                _mm512_storeu_si512(offsets.add(16).cast(), two);
                _mm512_storeu_si512(offsets.add(32).cast(), three);
                _mm512_storeu_si512(offsets.add(48).cast(), four);
                _mm512_storeu_si512(out.bytes.as_mut_ptr().cast(), bytes);
                _mm512_storeu_si512(out.marks.as_mut_ptr().cast(), marks);
            }
        }
    }
}
