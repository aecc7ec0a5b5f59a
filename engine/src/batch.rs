//! What a worker makes of a block: events and rejects in the order of the records.

use crate::code::Code;
use crate::decimal::Decimal;

/// The outcome of blocks; reused by its owner from block to block.
#[derive(Debug, Default)]
pub struct Batch {
    /// In the order of the records, and within one in the order of their `emit`s.
    pub events: Vec<Event>,
    /// In the order of the records.
    pub rejects: Vec<Reject>,
    /// Records that gave neither an event nor a reject.
    pub dropped: u64,
    /// Records that gave at least one event.
    pub mapped: u64,
    /// Of them, those in which a local time was read that there was twice: the earlier instant was taken.
    pub ambiguous_times: u64,
    /// How often an optional value was invalid and left out, or set to 0.
    pub skipped_values: u64,
    /// The texts that events point into.
    pub text: Vec<u8>,
}

/// A range of [`Batch::text`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextRange {
    /// First byte.
    pub start: u32,
    /// One behind the last.
    pub end: u32,
}

/// An event. Its OCSF JSON lacks `raw_data`, which is spliced in where it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// The index in the block of the record it comes from.
    pub record: u32,
    /// The index in the plan of the emit that made it.
    pub emit: u16,
    /// `event.id`
    pub id: TextRange,
    /// `event.time`, UTC nanoseconds.
    pub time_ns: i64,
    /// `event.actor`
    pub actor: TextRange,
    /// `event.action`
    pub action: TextRange,
    /// `event.target`
    pub target: TextRange,
    /// `event.cost_usd`
    pub cost_usd: Decimal,
    /// `event.tokens_input`
    pub tokens_input: i64,
    /// `event.tokens_output`
    pub tokens_output: i64,
    /// `event.extra` as a JSON object; empty range if there is none.
    pub extra: TextRange,
    /// The OCSF event, one JSON object.
    pub ocsf: TextRange,
    /// What is stored as the raw record.
    pub raw: RawRef,
    /// Whether the OCSF event may hold it: some versions limit the text.
    pub raw_fits_ocsf: bool,
}

/// Where the raw record is that an event is stored with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawRef {
    /// The record's bytes in the block, as they came.
    Record,
    /// Redacted bytes in [`Batch::text`].
    Text(TextRange),
    /// Nothing is stored.
    None,
}

/// A refused record: data, not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The index in the block of the record.
    pub record: u32,
    /// Why.
    pub code: Code,
    /// The line of the program that refused it; 0 if none did.
    pub line: u32,
    /// What could not be set, `event.time`; empty if it is not about one target.
    pub target: String,
    /// The reason in plain words: `"yesterday" is not a timestamp`.
    pub message: String,
    /// The offending text, at most 64 bytes; empty if the line reads a redacted path.
    pub text: String,
}

impl Batch {
    /// Empties it; keeps its memory.
    pub fn clear(&mut self) {
        self.events.clear();
        self.rejects.clear();
        self.text.clear();
        self.dropped = 0;
        self.mapped = 0;
        self.ambiguous_times = 0;
        self.skipped_values = 0;
    }

    /// The bytes of a range.
    pub fn bytes(&self, range: TextRange) -> &[u8] {
        &self.text[range.start as usize..range.end as usize]
    }
}
