//! Records to blocks.
//!
//! Records that lie in the present chunk share one block that points into it. A block is closed where the chunk
//! ends, where the wrapper changes, and where it gets too large: workers run side by side on blocks, and what a
//! block costs has to be bounded however large the chunks are.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::block::{FrameFault, Record, RecordBlock};
use crate::framer::Position;

use super::{Piece, Span};

/// A block over a chunk is closed when it covers so many bytes.
const BLOCK_BYTES_MAX: usize = 1 << 20;
/// ... or holds so many records.
const BLOCK_RECORDS_MAX: usize = 1 << 14;

/// What a format says of a record that it found.
pub(crate) struct Found {
    /// Its true size.
    pub(crate) size: u64,
    /// The line of its first byte.
    pub(crate) line: u64,
    /// Why it is refused.
    pub(crate) fault: Option<FrameFault>,
    /// The offset behind it, and behind its line end.
    pub(crate) end: u64,
    /// The line there.
    pub(crate) line_end: u64,
    /// How many brackets of the document are open there.
    pub(crate) open: u32,
    /// Nothing behind it counts.
    pub(crate) ended: bool,
}

/// The blocks that are ready, and the one that grows.
pub(crate) struct Blocks {
    ready: VecDeque<RecordBlock>,
    records: Vec<Record>,
    /// How many the last block over a chunk had: the next one may have as many.
    records_before: usize,
    /// What the growing block covers of the present chunk.
    covered: Range<usize>,
    /// Behind the last record.
    end: Position,
    kept_bytes_max: usize,
}

impl Blocks {
    /// No block yet, and a framer at `position`.
    pub(crate) fn new(position: Position, kept_bytes_max: usize) -> Self {
        Self {
            ready: VecDeque::new(),
            records: Vec::new(),
            records_before: 0,
            covered: 0..0,
            end: position,
            kept_bytes_max,
        }
    }

    /// Whether a block waits to be handed out: then a format pauses.
    pub(crate) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The next block.
    pub(crate) fn pop(&mut self) -> Option<RecordBlock> {
        self.ready.pop_front()
    }

    /// Names the columns. Before the first record only.
    pub(crate) fn set_header(&mut self, header: Arc<Vec<String>>) {
        self.end.header = Some(header);
    }

    /// Sets the wrapper of the records to come.
    pub(crate) fn set_wrapper(&mut self, piece: &Piece<'_>, wrapper: &[Option<Bytes>]) {
        if *self.end.wrapper != wrapper {
            self.close(piece);
            self.end.wrapper = Arc::new(wrapper.to_vec());
        }
    }

    /// Adds the record that `span` holds. Of a refused one the first bytes are kept.
    pub(crate) fn add(&mut self, piece: &Piece<'_>, span: &mut Span, found: Found) {
        let size = match found.fault {
            None => found.size,
            Some(_) => found.size.min(self.kept_bytes_max as u64),
        };
        match span.index_in(piece) {
            // The size of a record in a chunk is a size in memory.
            Some(start) => {
                self.add_in_chunk(piece, start..start + size as usize, &found, span.start)
            }
            None => {
                self.close(piece);
                let bytes = span.bytes(piece, size);
                self.records.push(record(0..bytes.len(), &found, span.start, self.end.index));
                self.advance(&found);
                self.hand_over(bytes);
            }
        }
    }

    /// Adds a row of the chunk, between these lines, with which nothing is wrong. Behind its line end stands the index `end`.
    pub(crate) fn add_row(
        &mut self,
        piece: &Piece<'_>,
        place: Range<usize>,
        end: usize,
        lines: Range<u64>,
    ) {
        let found = Found {
            size: place.len() as u64,
            line: lines.start,
            fault: None,
            end: piece.at(end),
            line_end: lines.end,
            open: 0,
            ended: false,
        };
        let offset = piece.at(place.start);
        self.add_in_chunk(piece, place, &found, offset);
    }

    fn add_in_chunk(&mut self, piece: &Piece<'_>, place: Range<usize>, found: &Found, offset: u64) {
        let full = place.end - self.covered.start > BLOCK_BYTES_MAX
            || self.records.len() == BLOCK_RECORDS_MAX;
        if full {
            self.close(piece);
        }
        if self.records.is_empty() {
            self.records.reserve(self.records_before);
            self.covered.start = place.start;
        }
        self.covered.end = place.end;
        let base = self.covered.start;
        let inside = place.start - base..place.end - base;
        self.records.push(record(inside, found, offset, self.end.index));
        self.advance(found);
    }

    /// Closes the growing block: its chunk goes, or the records behind it differ from it.
    pub(crate) fn close(&mut self, piece: &Piece<'_>) {
        if !self.records.is_empty() {
            self.records_before = self.records.len();
            self.hand_over(piece.bytes.slice(self.covered.clone()));
        }
        self.covered = 0..0;
    }

    fn hand_over(&mut self, bytes: Bytes) {
        self.ready.push_back(RecordBlock {
            bytes,
            records: std::mem::take(&mut self.records),
            header: self.end.header.clone(),
            wrapper: Arc::clone(&self.end.wrapper),
            end: self.end.clone(),
        });
    }

    fn advance(&mut self, found: &Found) {
        self.end.index += 1;
        self.end.offset = found.end;
        self.end.line = found.line_end;
        self.end.open = found.open;
        self.end.ended = found.ended;
    }
}

fn record(place: Range<usize>, found: &Found, offset: u64, index: u64) -> Record {
    // A block covers at most BLOCK_BYTES_MAX or one record, and records are limited to far less than 4 GiB.
    let narrow = |place: usize| u32::try_from(place).expect("a block is smaller than 4 GiB");
    Record {
        start: narrow(place.start),
        end: narrow(place.end),
        offset,
        size: found.size,
        index,
        line: found.line,
        fault: found.fault,
    }
}
