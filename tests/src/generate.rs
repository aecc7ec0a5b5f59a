//! Inputs of any size for the example programs, with bad records planted in them, and what must come of them.
//!
//! Everything follows from the numbers in the generator: the same ones give the same bytes. Inputs are streamed to a
//! writer, so that they can be larger than memory.

use std::collections::BTreeMap;
use std::io::{self, Write};

use weir_engine::code::Code;

mod agents;
mod csv;
mod openai;

pub use agents::Agents;
pub use csv::CostRows;
pub use openai::OpenAi;

/// What must come of a generated input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// All records.
    pub records: u64,
    /// Records without events that are no rejects.
    pub dropped: u64,
    /// Events by class.
    pub events: BTreeMap<&'static str, u64>,
    /// The index of each refused record, and why it is refused.
    pub rejects: Vec<(u64, Code)>,
}

impl Expected {
    /// Adds events of a class.
    fn add(&mut self, class: &'static str, events: u64) {
        *self.events.entry(class).or_default() += events;
    }

    /// All events.
    pub fn events_total(&self) -> u64 {
        self.events.values().sum()
    }
}

/// Where the bad records stand: `bad` of them, spread evenly over `records`.
#[derive(Debug, Clone, Copy)]
struct Planted {
    records: u64,
    bad: u64,
}

impl Planted {
    /// How many bad records stood before the one at `index`, if that is one.
    fn at(self, index: u64) -> Option<u64> {
        let place = |n: u64| u128::from(n) * u128::from(self.records) / u128::from(self.bad.max(1));
        let next = u128::from(index) * u128::from(self.bad) / u128::from(self.records.max(1));
        // Rounding may put the number one too low.
        [next as u64, next as u64 + 1]
            .into_iter()
            .find(|&number| number < self.bad && place(number) == u128::from(index))
    }
}

/// A small generator of numbers that look random: splitmix64.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound
    }

    /// One of some things.
    pub fn pick<'t, T>(&mut self, things: &'t [T]) -> &'t T {
        &things[self.below(things.len() as u64) as usize]
    }

    /// Lower-case hexadecimal digits.
    pub fn hex(&mut self, digits: usize) -> String {
        let mut text = String::new();
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.number()));
        }
        text.truncate(digits);
        text
    }
}

/// The numbers of one record: they do not depend on the records before it.
fn random_of(seed: u64, index: u64) -> Random {
    let mut random = Random::new(seed ^ index.wrapping_mul(0xd134_2543_de82_ef95));
    random.number();
    random
}

/// Writes a piece of text.
fn put(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_bad_records_are_planted_as_asked_for() {
        for (records, bad) in [(10, 0), (10, 3), (10, 10), (1_000, 7), (1_500_000, 1_000)] {
            let planted = Planted { records, bad };
            let found: Vec<_> = (0..records).filter_map(|index| planted.at(index)).collect();
            assert_eq!(found, (0..bad).collect::<Vec<_>>(), "{records} {bad}");
        }
    }
}
