//! What a run came to.

use std::collections::BTreeMap;

use weir_engine::batch::Batch;
use weir_engine::block::RecordBlock;
use weir_engine::code::Code;

use crate::store::Appended;

/// Counts of a run. Every record is in exactly one of `mapped`, `dropped` and `rejected`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Objects read, to their end or not.
    pub objects: u64,
    /// Objects that an earlier run had read to their end.
    pub objects_skipped: u64,
    /// Objects read on from where an earlier run had come to.
    pub objects_resumed: u64,
    /// Objects (or inputs) that could not be read to their end.
    pub objects_failed: u64,
    /// Records.
    pub records: u64,
    /// Records that gave events.
    pub mapped: u64,
    /// Records that gave nothing, as the program wants it.
    pub dropped: u64,
    /// Refused records by their code.
    pub rejected: BTreeMap<Code, u64>,
    /// Events.
    pub events: u64,
    /// Of the mapped records, those with a local time that there was twice: the earlier instant was taken.
    pub ambiguous_times: u64,
    /// Optional values that could not be read, and were left out.
    pub skipped_values: u64,
    /// Bytes read, decompressed.
    pub bytes: u64,
    /// Bytes read, as they are stored.
    pub bytes_stored: u64,
    /// What the store made of the events.
    pub appended: Appended,
}

impl Totals {
    /// How many records were refused.
    pub fn rejects(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// Whether every record is accounted for.
    pub fn add_up(&self) -> bool {
        self.records == self.mapped + self.dropped + self.rejects()
    }

    pub(super) fn add(&mut self, block: &RecordBlock, batch: &Batch) {
        self.records += block.records.len() as u64;
        self.mapped += batch.mapped;
        self.dropped += batch.dropped;
        self.events += batch.events.len() as u64;
        self.ambiguous_times += batch.ambiguous_times;
        self.skipped_values += batch.skipped_values;
        for reject in &batch.rejects {
            *self.rejected.entry(reject.code).or_default() += 1;
        }
        debug_assert!(self.add_up(), "a record is lost or counted twice: {self:?}");
    }

    pub(super) fn add_appended(&mut self, appended: &Appended) {
        self.appended.stored += appended.stored;
        self.appended.duplicates += appended.duplicates;
        self.appended.conflicts += appended.conflicts;
    }
}
