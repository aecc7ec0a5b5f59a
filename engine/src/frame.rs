//! Bytes to records, one format a module.
//!
//! An object arrives as chunks cut anywhere. A format walks over them byte by byte and says where records begin
//! and end, in offsets of the object; what the chunks are must not show. So everything that has to outlive a chunk
//! is a [`Span`]: a place in the object, with a copy of those of its bytes that have already gone by. A record that
//! lies in the present chunk ([`Piece`]) is not copied: [`Blocks`] collects such records into one block over the
//! chunk, and makes a block of its own of a record that was cut.

pub mod csv;

mod blocks;
mod document;
mod ndjson;
mod rows;

pub(crate) use blocks::{Blocks, Found};
pub(crate) use csv::CsvRule;
pub(crate) use document::Document;
pub(crate) use ndjson::NdjsonRule;
pub(crate) use rows::Rows;

use bytes::Bytes;

use crate::block::FrameFault;
use crate::code::Code;

/// Of a record that is refused for its size, or of the rest of a broken document, so many bytes are kept.
pub const RAW_KEPT_BYTES_MAX: u32 = 64 << 10;

/// A chunk and where it stands in the object.
pub(crate) struct Piece<'c> {
    /// Its bytes.
    pub(crate) bytes: &'c Bytes,
    /// The offset of its first byte in the object.
    pub(crate) offset: u64,
}

impl Piece<'_> {
    /// The index in the chunk of an offset in the object; 0 for what went by before.
    pub(crate) fn index(&self, offset: u64) -> usize {
        let ahead = offset.saturating_sub(self.offset);
        usize::try_from(ahead).unwrap_or(usize::MAX).min(self.bytes.len())
    }

    /// The offset in the object of an index in the chunk.
    pub(crate) fn at(&self, index: usize) -> u64 {
        self.offset + index as u64
    }
}

/// A stretch of the object from `start` on, with a copy of those of its first `limit` bytes that have gone by.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) start: u64,
    limit: usize,
    saved: Vec<u8>,
}

impl Span {
    /// A stretch that starts in the present chunk.
    pub(crate) fn new(start: u64, limit: usize) -> Self {
        Self { start, limit, saved: Vec::new() }
    }

    /// Copies what the chunk holds of the stretch, before the chunk goes.
    pub(crate) fn save(&mut self, piece: &Piece<'_>) {
        let rest = &piece.bytes[piece.index(self.start)..];
        let taken = rest.len().min(self.limit - self.saved.len());
        let size = self.saved.len() + taken;
        if size > self.saved.capacity() {
            // Grows by doubling, but never beyond the limit.
            let room = size.max(self.saved.capacity() * 2).min(self.limit);
            self.saved.reserve_exact(room - self.saved.len());
        }
        self.saved.extend_from_slice(&rest[..taken]);
    }

    /// The index of the stretch in the chunk, if it lies in there from its first byte on.
    pub(crate) fn index_in(&self, piece: &Piece<'_>) -> Option<usize> {
        (self.start >= piece.offset).then(|| piece.index(self.start))
    }

    /// The first `size` bytes; fewer if `limit` is less.
    pub(crate) fn bytes(&mut self, piece: &Piece<'_>, size: u64) -> Bytes {
        let size = usize::try_from(size).unwrap_or(usize::MAX).min(self.limit);
        match self.index_in(piece) {
            Some(start) => piece.bytes.slice(start..start + size),
            None => {
                let mut bytes = std::mem::take(&mut self.saved);
                let missing = size.saturating_sub(bytes.len());
                bytes.truncate(size);
                bytes.extend_from_slice(&piece.bytes[..missing]);
                bytes.into()
            }
        }
    }
}

/// The limits on records that every format keeps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Larger records are refused.
    pub(crate) record_bytes_max: usize,
    /// So much is kept of what is refused unread.
    pub(crate) kept_bytes_max: usize,
}

impl Limits {
    /// Offsets in a block are 32 bits wide, so that a record of more than a GiB is too long whatever the program says.
    const RECORD_BYTES_MAX: u32 = 1 << 30;

    pub(crate) fn new(record_bytes_max: u32) -> Self {
        let record_bytes_max = record_bytes_max.min(Self::RECORD_BYTES_MAX);
        Self {
            record_bytes_max: record_bytes_max as usize,
            kept_bytes_max: record_bytes_max.min(RAW_KEPT_BYTES_MAX) as usize,
        }
    }

    /// The fault of a record of more than `record_bytes_max` bytes.
    pub(crate) fn too_long(self) -> FrameFault {
        FrameFault {
            code: Code::TooLong,
            message: "the record is longer than `max_record`",
            at: self.record_bytes_max as u64,
        }
    }
}

/// An object that cannot be framed any further: all of it from `span` on is one refused record.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) span: Span,
    pub(crate) line: u64,
    pub(crate) fault: FrameFault,
}

impl Broken {
    /// Hands out the rest of the object, which ends with `piece`, as one record.
    pub(crate) fn finish(mut self, piece: &Piece<'_>, line_end: u64, blocks: &mut Blocks) {
        let end = piece.at(piece.bytes.len());
        let found = Found {
            size: end - self.span.start,
            line: self.line,
            fault: Some(self.fault),
            end,
            line_end,
            open: 0,
            ended: true,
        };
        blocks.add(piece, &mut self.span, found);
    }
}

/// White space of JSON.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
