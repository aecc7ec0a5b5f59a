//! The two ends of a text, as words.
//!
//! What a program compares, looks up and reads as numbers is mostly short: its first and its last eight bytes are all of
//! it, or tell it apart from any other. They take the same few instructions for a text of any length, where a loop over
//! its bytes would end somewhere else each time, which no processor foresees.

use crate::simd::{BLOCK, Lanes, low_bits};

/// The ends of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ends {
    /// The first eight bytes, the first one lowest; behind a shorter text zeros.
    pub(super) first: u64,
    /// The last eight bytes in the same way.
    pub(super) last: u64,
    pub(super) len: usize,
}

impl Ends {
    /// Up to here they are all of a text.
    pub(super) const WHOLE_MAX: usize = 16;

    #[inline(always)]
    pub(super) fn of(text: &[u8]) -> Self {
        let (first, last) = match (text.first_chunk(), text.last_chunk()) {
            (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            _ => (short_word(text), short_word(text)),
        };
        Self { first, last, len: text.len() }
    }

    /// The same, where the machine can do it without a branch that depends on the length.
    #[inline(always)]
    pub(super) fn by<L: Lanes>(lanes: L, text: &[u8]) -> Self {
        if !L::WIDE || text.len() > BLOCK {
            return Self::of(text);
        }
        let mut block = [0; BLOCK];
        lanes.store(lanes.load_part(text), &mut block);
        let word =
            |at: usize| block[at..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
        let inside = low_bits(8 * text.len());
        let (first, last) = (word(0) & inside, word(text.len().max(8) - 8) & inside);
        Self { first, last, len: text.len() }
    }

    /// The bytes of a text of at most [`Ends::WHOLE_MAX`], the first one lowest.
    #[inline(always)]
    pub(super) fn whole(self) -> u128 {
        // Those that the first word has already go.
        let behind = self.last.unbounded_shr(128_u32.saturating_sub(8 * self.len as u32));
        u128::from(behind) << 64 | u128::from(self.first)
    }
}

/// Less than eight bytes, by loads that overlap.
#[inline(always)]
fn short_word(text: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let [first, last] = [first, last].map(|half| u64::from(u32::from_le_bytes(*half)));
        return first | last << (8 * (text.len() - 4));
    }
    let byte = |at: usize| text.get(at).map_or(0, |byte| u64::from(*byte) << (8 * at));
    byte(0) | byte(1) | byte(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Kernel, Level};

    struct By<'t>(&'t [u8]);

    impl Kernel for By<'_> {
        type Output = Ends;

        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) -> Ends {
            Ends::by(lanes, self.0)
        }
    }

    #[test]
    fn they_are_the_bytes() {
        let bytes: Vec<u8> = (1..=200).collect();
        for len in 0..=200 {
            let text = &bytes[200 - len..];
            let ends = Ends::of(text);
            let padded: Vec<u8> = text.iter().copied().chain([0; 16]).collect();
            assert_eq!(ends.first.to_le_bytes(), padded[..8]);
            assert_eq!(ends.last.to_le_bytes(), padded[len.max(8) - 8..][..8]);
            if len <= Ends::WHOLE_MAX {
                assert_eq!(ends.whole().to_le_bytes(), padded[..16]);
            }
            for level in Level::all() {
                assert_eq!(level.run(By(text)), ends, "{len}");
            }
        }
    }
}
