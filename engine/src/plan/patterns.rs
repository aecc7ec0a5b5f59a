//! What a text is looked up in: the arms of a `match`, the rows of a table, the texts of an `in`.
//!
//! An exact pattern wins, then the longest prefix, in any order of the patterns. Exact ones are in a hash map. Prefixes
//! are sorted, and each knows the longest other one that it starts with itself. Of a text, the prefix that stands just
//! before it in that order has most in common with it: the longest one that fits is this, or the first on the way up
//! from it that is not longer than what they have in common. So a look-up costs a binary search, not one comparison
//! for each prefix, and the structure is no larger than the texts.
//!
//! The hash function is fast and always the same: what is put in comes from the author of the program, and what is
//! looked up cannot make keys collide.

use std::collections::HashMap;
use std::fmt;

use foldhash::fast::FixedState;

/// Texts and prefixes, each with a number.
#[derive(Clone, Default)]
pub struct Patterns {
    exact: HashMap<Box<str>, u32, FixedState>,
    /// Sorted by their texts.
    prefixes: Vec<Prefix>,
}

#[derive(Debug, Clone)]
struct Prefix {
    text: Box<str>,
    number: u32,
    /// The longest other prefix that this one starts with.
    parent: Option<u32>,
}

/// What a text is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pattern<'p> {
    /// The whole text.
    Exact(&'p str),
    /// How the text starts.
    Prefix(&'p str),
}

impl Patterns {
    /// Patterns with the number that each stands for. Of equal patterns the first counts.
    pub fn new<'p>(patterns: impl IntoIterator<Item = (Pattern<'p>, u32)>) -> Self {
        let mut made = Self::default();
        for (pattern, number) in patterns {
            match pattern {
                Pattern::Exact(text) => {
                    made.exact.entry(text.into()).or_insert(number);
                }
                Pattern::Prefix(text) => {
                    made.prefixes.push(Prefix { text: text.into(), number, parent: None });
                }
            }
        }
        // Stable: of equal prefixes the first stays first.
        made.prefixes.sort_by(|left, right| left.text.cmp(&right.text));
        made.prefixes.dedup_by(|later, first| later.text == first.text);
        link(&mut made.prefixes);
        made
    }

    /// The number of the pattern that fits best.
    pub fn get(&self, text: &str) -> Option<u32> {
        match self.exact.get(text) {
            Some(number) => Some(*number),
            None => self.longest_prefix(text),
        }
    }

    fn longest_prefix(&self, text: &str) -> Option<u32> {
        let behind = self.prefixes.partition_point(|prefix| &*prefix.text <= text);
        let mut candidate = &self.prefixes[behind.checked_sub(1)?];
        let common = common_bytes(candidate.text.as_bytes(), text.as_bytes());
        while candidate.text.len() > common {
            candidate = &self.prefixes[candidate.parent? as usize];
        }
        Some(candidate.number)
    }

    /// All patterns in the order of their texts, exact ones first.
    pub fn iter(&self) -> impl Iterator<Item = (Pattern<'_>, u32)> {
        let mut exact: Vec<_> =
            self.exact.iter().map(|(text, number)| (Pattern::Exact(text), *number)).collect();
        exact.sort_unstable();
        let prefixes = self.prefixes.iter();
        exact
            .into_iter()
            .chain(prefixes.map(|prefix| (Pattern::Prefix(&prefix.text), prefix.number)))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.exact.len() + self.prefixes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The memory that the texts take, and what is kept with them.
    pub fn bytes(&self) -> usize {
        let exact = self.exact.keys().map(|text| text.len() + size_of::<(Box<str>, u32)>());
        let prefixes = self.prefixes.iter().map(|prefix| prefix.text.len() + size_of::<Prefix>());
        exact.sum::<usize>() + prefixes.sum::<usize>()
    }
}

/// Finds each prefix's parent: those that it starts with stand before it, each within the one before.
fn link(prefixes: &mut [Prefix]) {
    let mut around: Vec<u32> = Vec::new();
    for index in 0..prefixes.len() {
        let text = &prefixes[index].text;
        while around.last().is_some_and(|last| !text.starts_with(&*prefixes[*last as usize].text)) {
            around.pop();
        }
        prefixes[index].parent = around.last().copied();
        around.push(index as u32);
    }
}

fn common_bytes(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(left, right)| left == right).count()
}

/// The same for equal patterns.
impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Pattern, Patterns};

    /// The rule as it is written: an exact pattern, else the longest prefix; of equal ones the first.
    fn naive(patterns: &[(bool, String)], text: &str) -> Option<u32> {
        let find = |fits: &dyn Fn(&(bool, String)) -> bool| {
            patterns.iter().position(fits).map(|at| at as u32)
        };
        find(&|(is_prefix, pattern)| !is_prefix && pattern == text).or_else(|| {
            let longest = patterns
                .iter()
                .filter(|(is_prefix, pattern)| *is_prefix && text.starts_with(pattern.as_str()))
                .map(|(_, pattern)| pattern.len())
                .max()?;
            find(&|(is_prefix, pattern)| {
                *is_prefix && pattern.len() == longest && text.starts_with(pattern.as_str())
            })
        })
    }

    fn patterns(of: &[(bool, String)]) -> Patterns {
        Patterns::new(of.iter().zip(0..).map(|((is_prefix, text), number)| {
            (if *is_prefix { Pattern::Prefix(text) } else { Pattern::Exact(text) }, number)
        }))
    }

    #[test]
    fn the_longest_prefix_wins() {
        let models =
            ["claude-", "claude-opus-4", "gpt-4", "gpt-", ""].map(|text| (true, text.into()));
        let models = patterns(&models);
        for (text, expected) in [
            ("claude-opus-4-1", 1),
            ("claude-opus-3", 0),
            ("claude-zz", 0),
            ("gpt-4o", 2),
            ("gpt-5", 3),
            ("gpt", 4),
            ("", 4),
        ] {
            assert_eq!(models.get(text), Some(expected), "{text}");
        }
        assert_eq!(patterns(&[(true, "b".into())]).get("a"), None);
    }

    proptest! {
        #[test]
        fn a_look_up_follows_the_rule(
            all in prop::collection::vec((any::<bool>(), "[ab]{0,5}"), 0..12),
            text in "[abc]{0,7}",
        ) {
            prop_assert_eq!(patterns(&all).get(&text), naive(&all, &text));
        }
    }
}
