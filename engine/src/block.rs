//! What the framer hands to the workers: whole records, and where they stood.

use bytes::Bytes;
use std::sync::Arc;

use crate::code::Code;
use crate::framer::Position;

/// Whole records over shared bytes.
#[derive(Debug, Clone)]
pub struct RecordBlock {
    /// The bytes that `records` point into.
    pub bytes: Bytes,
    /// In the order of the object.
    pub records: Vec<Record>,
    /// The column names of a CSV object.
    pub header: Option<Arc<Vec<String>>>,
    /// The wanted wrapper members that stood before the first record of the block:
    /// one entry for each of [`crate::input::Records::wrapper`], the member's JSON text or nothing.
    /// A block never holds records on both sides of such a member.
    pub wrapper: Arc<Vec<Option<Bytes>>>,
    /// Where a new framer may go on behind this block.
    pub end: Position,
}

/// One record of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Offset of its first byte in the block.
    pub start: u32,
    /// One behind its last byte in the block, without the line end.
    pub end: u32,
    /// Offset of its first byte in the (decompressed) object.
    pub offset: u64,
    /// Its size in the object, in bytes. More than `end - start` if it was too long to be kept whole.
    pub size: u64,
    /// How many records stood before it in the object.
    pub index: u64,
    /// The line on which it starts, 1-based.
    pub line: u64,
    /// Set if it is no record to be mapped, but something the framer refuses.
    pub fault: Option<FrameFault>,
}

impl Record {
    /// The record's bytes in its block.
    pub fn bytes<'b>(&self, block: &'b RecordBlock) -> &'b [u8] {
        &block.bytes[self.start as usize..self.end as usize]
    }
}

/// Why the framer refuses a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameFault {
    /// R1001, R1002 or R1003.
    pub code: Code,
    /// What is wrong, in plain words: "a comma is missing between two members".
    pub message: &'static str,
    /// Where, counted from the record's first byte.
    pub at: u64,
}
