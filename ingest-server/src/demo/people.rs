//! Who is in the sample logs, and when: the same random numbers every time.

use std::ops::Range;

use fastrand::Rng;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const FIRST: [&str; 12] =
    ["ana", "bo", "chloé", "dmitri", "eva", "farid", "grace", "jörg", "ivy", "lena", "sam", "zoë"];
const LAST: [&str; 10] =
    ["müller", "smith", "garcia", "ng", "kovács", "tanaka", "brown", "dubois", "weiß", "okafor"];

/// 2026-05-04T06:00:00Z: no change of the clocks is near.
const BEGIN_MS: i64 = 1_777_874_400_000;

/// Random numbers and a clock.
pub(super) struct Cast {
    rng: Rng,
    clock_ms: i64,
    records: u64,
}

impl Cast {
    pub(super) fn new(seed: u64) -> Self {
        Self { rng: Rng::with_seed(seed), clock_ms: BEGIN_MS, records: 0 }
    }

    /// Begins another record, some time later; gives its number.
    pub(super) fn next_record(&mut self) -> u64 {
        self.clock_ms += self.rng.i64(20..2_000);
        self.records += 1;
        self.records
    }

    /// Whether this record is one that cannot be read.
    pub(super) fn is_broken(&self) -> bool {
        self.records.is_multiple_of(211)
    }

    pub(super) fn clock_ms(&self) -> i64 {
        self.clock_ms
    }

    pub(super) fn clock_s(&self) -> i64 {
        self.clock_ms / 1000
    }

    pub(super) fn clock_text(&self) -> Timestamp {
        Timestamp::from_millisecond(self.clock_ms).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The clock of a wall two hours ahead.
    pub(super) fn wall_clock(&self) -> DateTime {
        let local = Timestamp::from_millisecond(self.clock_ms + 2 * 3_600_000);
        local.unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC).datetime()
    }

    pub(super) fn number(&mut self, range: Range<u64>) -> u64 {
        self.rng.u64(range)
    }

    /// Many small ones, few large ones.
    pub(super) fn skewed(&mut self, max: u64) -> u64 {
        let part = self.rng.f64();
        (part * part * part * max as f64) as u64
    }

    pub(super) fn one_in(&mut self, count: u64) -> bool {
        self.rng.u64(0..count) == 0
    }

    pub(super) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        self.rng.choice(from).copied().unwrap_or_default()
    }

    /// Some user, by number.
    pub(super) fn person(&mut self) -> usize {
        self.rng.usize(0..FIRST.len() * LAST.len())
    }

    pub(super) fn ip(&mut self) -> String {
        format!("198.51.100.{}", self.rng.u8(1..255))
    }

    pub(super) fn text(&mut self, words: Range<u64>) -> String {
        const WORDS: [&str; 18] = [
            "please",
            "summarise",
            "the",
            "attached",
            "contract",
            "and",
            "list",
            "every",
            "clause",
            "that",
            "limits",
            "liability",
            "naïve",
            "café",
            "invoice",
            "then",
            "translate",
            "it",
        ];
        let count = self.rng.u64(words);
        (0..count).map(|_| self.pick(&WORDS)).collect::<Vec<_>>().join(" ")
    }
}

/// The mail address of a user.
pub(super) fn mail(person: usize, domain: &str) -> String {
    let (first, last) = (FIRST[person % FIRST.len()], LAST[person / FIRST.len() % LAST.len()]);
    format!("{first}.{last}@{domain}")
}
