//! A text looked up among a few others, without a hash of all of it.
//!
//! Its length with its first and its last eight bytes tell nearly all texts apart that a program names, and up to sixteen
//! bytes they are all of it. So what is hashed and compared is two words.

use crate::plan::{Pattern, Patterns};

/// More texts are looked up where the plan keeps them.
const EXACT_MAX: usize = 1 << 12;

/// Finds what a plan's patterns find.
#[derive(Debug)]
pub(super) struct Lookup {
    /// Open addressing; a power of two, at most half full.
    places: Vec<Option<Entry>>,
    has_prefixes: bool,
}

#[derive(Debug, Clone)]
struct Entry {
    key: Key,
    number: u32,
    text: Box<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    first: u64,
    last: u64,
    len: usize,
}

impl Key {
    #[inline(always)]
    fn of(text: &[u8]) -> Self {
        let len = text.len();
        match (text.first_chunk(), text.last_chunk()) {
            (Some(first), Some(last)) => {
                Self { first: u64::from_le_bytes(*first), last: u64::from_le_bytes(*last), len }
            }
            _ => Self { first: short(text), last: 0, len },
        }
    }

    #[inline(always)]
    fn hash(self) -> usize {
        // The golden ratio, and another odd number without a pattern.
        let mixed = (self.first ^ self.len as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ self.last.wrapping_mul(0xd6e8_feb8_6659_fd93);
        (mixed ^ mixed >> 32) as usize
    }
}

/// Less than eight bytes, by loads that overlap.
#[inline(always)]
fn short(text: &[u8]) -> u64 {
    match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
        }
        _ => text.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

impl Lookup {
    /// None if there are too many texts.
    pub(super) fn new(patterns: &Patterns) -> Option<Self> {
        let exact = |(pattern, number)| match pattern {
            Pattern::Exact(text) => Some((text, number)),
            Pattern::Prefix(_) => None,
        };
        let texts: Vec<(&str, u32)> = patterns.iter().filter_map(exact).collect();
        if texts.len() > EXACT_MAX {
            return None;
        }
        let mut places = vec![None; (2 * texts.len()).next_power_of_two().max(2)];
        let has_prefixes = texts.len() < patterns.len();
        for (text, number) in texts {
            let key = Key::of(text.as_bytes());
            let mut at = key.hash() % places.len();
            while places[at].is_some() {
                at = (at + 1) % places.len();
            }
            places[at] = Some(Entry { key, number, text: text.into() });
        }
        Some(Self { places, has_prefixes })
    }

    /// What [`Patterns::get`] gives, for the patterns that this was made of.
    #[inline(always)]
    pub(super) fn get(&self, text: &str, patterns: &Patterns) -> Option<u32> {
        let key = Key::of(text.as_bytes());
        let mask = self.places.len() - 1;
        let mut at = key.hash() & mask;
        while let Some(entry) = &self.places[at] {
            if entry.key == key && (key.len <= 16 || *entry.text == *text) {
                return Some(entry.number);
            }
            at = (at + 1) & mask;
        }
        if self.has_prefixes { patterns.get(text) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_the_patterns_find(
            texts in prop::collection::vec(("[ab]{0,20}", any::<bool>()), 0..20),
            asked in prop::collection::vec("[ab]{0,20}", 0..20),
        ) {
            let pattern = |(text, exact): &'static (String, bool)| {
                if *exact { Pattern::Exact(text) } else { Pattern::Prefix(text) }
            };
            let texts: &'static [(String, bool)] = texts.leak();
            let patterns = Patterns::new(texts.iter().map(pattern).zip(0..));
            let lookup = Lookup::new(&patterns).unwrap();
            for text in asked.iter().chain(texts.iter().map(|(text, _)| text)) {
                prop_assert_eq!(lookup.get(text, &patterns), patterns.get(text));
            }
        }
    }
}
