//! A text looked up among a few others, without a hash of all of it.
//!
//! Its length and its [`Ends`] tell nearly all texts apart that a program names, so that is what is hashed and compared.
//! Whether a text starts with one of a few prefixes is seen from its first word in the same way, for all of them: which
//! one it is cannot be foreseen, so nothing branches on it.

use super::ends::Ends;
use crate::plan::{Pattern, Patterns};
use crate::simd::low_bits;

/// More texts are looked up where the plan keeps them.
const EXACT_MAX: usize = 1 << 12;
/// More prefixes are looked for where the plan keeps them.
const PREFIXES_MAX: usize = 16;
/// The places may be so many times as many as the texts, if that keeps any two from wanting the same.
const ROOM_MAX: usize = 16;

/// Finds what a plan's patterns find.
#[derive(Debug)]
pub(super) struct Lookup {
    /// Open addressing; a power of two, at most half full. None if there are no texts.
    places: Vec<Option<Entry>>,
    prefixes: Prefixes,
}

#[derive(Debug, Clone)]
struct Entry {
    ends: Ends,
    number: u32,
    text: Box<str>,
}

#[derive(Debug)]
enum Prefixes {
    /// Each behind all that are shorter.
    Few(Vec<Prefix>),
    Many(Patterns),
}

#[derive(Debug)]
struct Prefix {
    /// Its first eight bytes, and which of them there are.
    word: u64,
    mask: u64,
    number: u32,
    len: usize,
    /// What stands behind them.
    rest: Box<[u8]>,
}

/// A hash of a text, by its ends.
#[inline(always)]
fn hash(text: Ends) -> usize {
    // The golden ratio, and another odd number without a pattern.
    let mixed = (text.first ^ text.len as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ text.last.wrapping_mul(0xd6e8_feb8_6659_fd93);
    (mixed ^ mixed >> 32) as usize
}

impl Prefix {
    fn new(text: &str, number: u32) -> Self {
        let bytes = text.as_bytes();
        let inside = bytes.len().min(8);
        Self {
            word: Ends::of(bytes).first,
            mask: low_bits(8 * inside),
            number,
            len: bytes.len(),
            rest: bytes[inside..].into(),
        }
    }

    #[inline(always)]
    fn begins(&self, text: &[u8], first: u64) -> bool {
        let begins = (first & self.mask == self.word) & (text.len() >= self.len);
        if self.rest.is_empty() { begins } else { begins && text[8..].starts_with(&self.rest) }
    }
}

impl Lookup {
    /// None if there are too many texts.
    pub(super) fn new(patterns: &Patterns) -> Option<Self> {
        let (mut texts, mut few) = (Vec::new(), Vec::new());
        for (pattern, number) in patterns.iter() {
            match pattern {
                Pattern::Exact(text) => {
                    let ends = Ends::of(text.as_bytes());
                    texts.push(Entry { ends, number, text: text.into() });
                }
                Pattern::Prefix(text) => few.push(Prefix::new(text, number)),
            }
        }
        if texts.len() > EXACT_MAX {
            return None;
        }
        few.sort_by_key(|prefix| prefix.len);
        let is_few = few.len() <= PREFIXES_MAX;
        let prefixes = if is_few { Prefixes::Few(few) } else { Prefixes::Many(patterns.clone()) };
        Some(Self { places: places(&texts), prefixes })
    }

    /// What [`Patterns::get`] gives of a text with these ends, for the patterns that this was made of.
    #[inline(always)]
    pub(super) fn get(&self, text: &str, ends: Ends) -> Option<u32> {
        if let Some(number) = self.exact(text, ends) {
            return Some(number);
        }
        match &self.prefixes {
            Prefixes::Few(prefixes) => longest(prefixes, text.as_bytes(), ends.first),
            Prefixes::Many(patterns) => patterns.get(text),
        }
    }

    #[inline(always)]
    fn exact(&self, text: &str, ends: Ends) -> Option<u32> {
        let mask = self.places.len().checked_sub(1)?;
        let mut at = hash(ends) & mask;
        while let Some(entry) = &self.places[at] {
            if entry.ends == ends && (ends.len <= Ends::WHOLE_MAX || *entry.text == *text) {
                return Some(entry.number);
            }
            at = (at + 1) & mask;
        }
        None
    }
}

/// The number of the longest prefix that a text starts with.
#[inline(always)]
fn longest(prefixes: &[Prefix], text: &[u8], first: u64) -> Option<u32> {
    // One more than the number of the last one that fits. Words are chosen between as words, so that nothing branches.
    let mut found = 0;
    for prefix in prefixes {
        let begins = u64::from(prefix.begins(text, first)).wrapping_neg();
        found = (found & !begins) | ((u64::from(prefix.number) + 1) & begins);
    }
    found.checked_sub(1).map(|number| number as u32)
}

/// Puts texts where their hash says, or behind it.
fn places(texts: &[Entry]) -> Vec<Option<Entry>> {
    if texts.is_empty() {
        return Vec::new();
    }
    let least = (2 * texts.len()).next_power_of_two();
    let rooms = || std::iter::successors(Some(least), |room| Some(2 * room));
    let is_apart = |room: &usize| {
        let mut wanted: Vec<_> = texts.iter().map(|entry| hash(entry.ends) % room).collect();
        wanted.sort_unstable();
        wanted.windows(2).all(|pair| pair[0] != pair[1])
    };
    let room = rooms().take_while(|room| *room <= ROOM_MAX * least).find(is_apart);
    let mut places = vec![None; room.unwrap_or(least)];
    for entry in texts {
        let mut at = hash(entry.ends) % places.len();
        while places[at].is_some() {
            at = (at + 1) % places.len();
        }
        places[at] = Some(entry.clone());
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_the_patterns_find(
            texts in prop::collection::vec(("[ab]{0,20}", any::<bool>()), 0..40),
            asked in prop::collection::vec("[ab\0]{0,20}", 0..20),
        ) {
            let pattern = |(text, exact): &'static (String, bool)| {
                if *exact { Pattern::Exact(text) } else { Pattern::Prefix(text) }
            };
            let texts: &'static [(String, bool)] = texts.leak();
            let patterns = Patterns::new(texts.iter().map(pattern).zip(0..));
            let lookup = Lookup::new(&patterns).unwrap();
            for text in asked.iter().chain(texts.iter().map(|(text, _)| text)) {
                prop_assert_eq!(lookup.get(text, Ends::of(text.as_bytes())), patterns.get(text));
            }
        }
    }
}
