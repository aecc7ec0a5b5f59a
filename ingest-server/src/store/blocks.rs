//! Blocks: raw records and their OCSF events, interleaved and compressed.
//!
//! ```text
//! data (one zstd frame, with checksum):  raw 0 | own 0.0 | ocsf 0.0 | own 0.1 | ocsf 0.1 | raw 1 | ...
//! lens (LEB128 numbers):                 records, then for each record
//!     offset, index, line      as differences (zigzag) to the record before
//!     bytes                    length of the original record
//!     raw                      length of the raw record, 0 if no event keeps it
//!     events                   then for each event
//!         own                  0 no raw payload, 1 the record, 2 the bytes of the event before,
//!                              n + 3 n bytes of its own
//!         ocsf + 1             or 0 if it has none
//! ```
//!
//! A record and its OCSF events resemble each other, so together they compress well; a record that
//! fans out is stored once. Level 1 is as small as level 3 here, at two thirds of the cost.

use std::ops::Range;
use std::sync::Arc;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::CParameter;

use super::append::RecordIn;
use super::error::StoreError;

const ZSTD_LEVEL: i32 = 1;
/// A block is closed when it has this many records ...
pub(crate) const BLOCK_RECORDS_MAX: usize = 128;
/// ... or this many bytes before compression. One record may be larger and is never cut.
pub(crate) const BLOCK_BYTES_FULL: usize = 1 << 20;
/// More than SQLite takes in one value; nothing we wrote can be longer.
const BLOCK_BYTES_MAX: usize = 1 << 30;

/// Where a record stood in its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Position {
    pub(crate) offset: u64,
    pub(crate) end_offset: u64,
    pub(crate) index: u64,
    pub(crate) line: u64,
}

impl From<&RecordIn> for Position {
    fn from(record: &RecordIn) -> Position {
        let &RecordIn { offset, end_offset, index, line, .. } = record;
        Position { offset, end_offset, index, line }
    }
}

/// The raw payload of an event on its way into a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RawPayload<'a> {
    None,
    Record,
    /// The own bytes of the event before that had some.
    SameAsBefore,
    Own(&'a [u8]),
}

/// Collects records into a block, and compresses it.
pub(crate) struct BlockWriter {
    data: Vec<u8>,
    lens: Vec<u8>,
    records: usize,
    last: Position,
    compressor: Compressor<'static>,
    compressed: Vec<u8>,
}

impl BlockWriter {
    pub(crate) fn new() -> Result<BlockWriter, StoreError> {
        let mut compressor = Compressor::new(ZSTD_LEVEL)?;
        compressor.set_parameter(CParameter::ChecksumFlag(true))?;
        Ok(BlockWriter {
            data: Vec::new(),
            lens: Vec::new(),
            records: 0,
            last: Position::default(),
            compressor,
            compressed: Vec::new(),
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Whether a further record belongs into the next block.
    pub(crate) fn is_full(&self) -> bool {
        self.records >= BLOCK_RECORDS_MAX || self.data.len() >= BLOCK_BYTES_FULL
    }

    /// Adds a record and its bytes, empty if no event keeps them; exactly `events` calls of
    /// [`BlockWriter::event`] must follow.
    pub(crate) fn record(&mut self, position: Position, raw: &[u8], events: usize) {
        let last = std::mem::replace(&mut self.last, position);
        put(&mut self.lens, zigzag(position.offset, last.offset));
        put(&mut self.lens, zigzag(position.index, last.index));
        put(&mut self.lens, zigzag(position.line, last.line));
        put(&mut self.lens, position.end_offset.saturating_sub(position.offset));
        put(&mut self.lens, raw.len() as u64);
        self.data.extend_from_slice(raw);
        put(&mut self.lens, events as u64);
        self.records += 1;
    }

    /// Adds an event of the last record.
    pub(crate) fn event(&mut self, raw: RawPayload<'_>, ocsf: Option<&[u8]>) {
        let (code, own) = match raw {
            RawPayload::None => (0, None),
            RawPayload::Record => (1, None),
            RawPayload::SameAsBefore => (2, None),
            RawPayload::Own(own) => (own.len() as u64 + 3, Some(own)),
        };
        put(&mut self.lens, code);
        put(&mut self.lens, ocsf.map_or(0, |ocsf| ocsf.len() as u64 + 1));
        self.data.extend_from_slice(own.unwrap_or_default());
        self.data.extend_from_slice(ocsf.unwrap_or_default());
    }

    /// Shows the block as (lens, data) and starts a new one.
    pub(crate) fn finish<T>(
        &mut self,
        show: impl FnOnce(&[u8], &[u8]) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut lens = Vec::with_capacity(self.lens.len() + 2);
        put(&mut lens, self.records as u64);
        lens.extend_from_slice(&self.lens);
        self.compressed.clear();
        self.compressed.reserve(zstd::zstd_safe::compress_bound(self.data.len()));
        self.compressor.compress_to_buffer(&self.data, &mut self.compressed)?;
        self.clear();
        show(&lens, &self.compressed)
    }

    /// Forgets a block begun.
    pub(crate) fn clear(&mut self) {
        self.data.clear();
        self.lens.clear();
        self.records = 0;
        self.last = Position::default();
    }
}

/// One event of a block that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlockEvent {
    pub(crate) position: Position,
    pub(crate) raw: Option<Range<usize>>,
    pub(crate) ocsf: Option<Range<usize>>,
}

/// A block that was read: its events in sequence order, with ranges of `data`.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) data: Arc<Vec<u8>>,
    pub(crate) events: Vec<BlockEvent>,
}

impl Block {
    /// Decompresses a block of `events` events.
    pub(crate) fn read(lens: &[u8], data: &[u8], events: usize) -> Result<Block, StoreError> {
        let damaged = || StoreError::corrupt("a block of events cannot be read");
        let (events, bytes) = read_lens(lens, events).ok_or_else(damaged)?;
        // The frame must agree before a byte is allocated.
        if zstd::zstd_safe::get_frame_content_size(data).ok().flatten() != Some(bytes as u64) {
            return Err(damaged());
        }
        let data = Decompressor::new()?.decompress(data, bytes).map_err(|_| damaged())?;
        if data.len() != bytes {
            return Err(damaged());
        }
        Ok(Block { data: Arc::new(data), events })
    }
}

/// The events of a block, and the length of its data.
fn read_lens(mut lens: &[u8], count: usize) -> Option<(Vec<BlockEvent>, usize)> {
    let lens = &mut lens;
    // An event takes a byte at least: a number that lies cannot make us allocate.
    let mut events = Vec::with_capacity(count.min(lens.len()));
    let mut position = Position::default();
    let mut end = 0usize;
    let mut last_own = None;
    for _ in 0..get(lens)? {
        position.offset = unzigzag(get(lens)?, position.offset);
        position.index = unzigzag(get(lens)?, position.index);
        position.line = unzigzag(get(lens)?, position.line);
        position.end_offset = position.offset.checked_add(get(lens)?)?;
        let record = take(get(lens)?, &mut end)?;
        for _ in 0..get(lens)? {
            let (own_code, ocsf_code) = (get(lens)?, get(lens)?);
            let raw = match own_code {
                0 => None,
                1 => Some(record.clone()),
                2 => Some(last_own.clone()?),
                code => {
                    last_own = Some(take(code - 3, &mut end)?);
                    last_own.clone()
                }
            };
            let ocsf = match ocsf_code {
                0 => None,
                code => Some(take(code - 1, &mut end)?),
            };
            events.push(BlockEvent { position, raw, ocsf });
        }
    }
    (lens.is_empty() && events.len() == count).then_some((events, end))
}

/// The next `len` bytes of the data.
fn take(len: u64, end: &mut usize) -> Option<Range<usize>> {
    let start = *end;
    *end = start.checked_add(usize::try_from(len).ok()?).filter(|&end| end <= BLOCK_BYTES_MAX)?;
    Some(start..*end)
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn get(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// A difference in either direction as a small number.
fn zigzag(new: u64, old: u64) -> u64 {
    let difference = new.wrapping_sub(old).cast_signed();
    (difference << 1 ^ difference >> 63).cast_unsigned()
}

fn unzigzag(code: u64, old: u64) -> u64 {
    old.wrapping_add((code >> 1) ^ (code & 1).wrapping_neg())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Position, raw record, and of each event the choice of its raw payload and its OCSF text.
    type Parts = Vec<(Position, Vec<u8>, Vec<(u8, Option<Vec<u8>>)>)>;

    const OWN: [&[u8]; 2] = [b"", b"redacted"];

    fn payload(choice: u8) -> RawPayload<'static> {
        match choice {
            0 => RawPayload::None,
            1 => RawPayload::Record,
            2 => RawPayload::Own(OWN[0]),
            _ => RawPayload::Own(OWN[1]),
        }
    }

    fn write(parts: &Parts) -> (Vec<u8>, Vec<u8>) {
        let mut writer = BlockWriter::new().unwrap();
        let mut last_own = None;
        for (position, raw, events) in parts {
            writer.record(*position, raw, events.len());
            for &(choice, ref ocsf) in events {
                let repeats = choice > 1 && last_own == Some(choice);
                last_own = if choice > 1 { Some(choice) } else { last_own };
                let raw = if repeats { RawPayload::SameAsBefore } else { payload(choice) };
                writer.event(raw, ocsf.as_deref());
            }
        }
        writer.finish(|lens, data| Ok((lens.to_vec(), data.to_vec()))).unwrap()
    }

    fn parts() -> impl Strategy<Value = Parts> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..40);
        let position = (any::<u64>(), 0..1000u64, any::<u64>(), any::<u64>()).prop_map(
            |(offset, len, index, line)| {
                let offset = offset >> 1;
                Position { offset, end_offset: offset + len, index, line }
            },
        );
        let event = (0..4u8, proptest::option::of(bytes()));
        let events = proptest::collection::vec(event, 0..4);
        proptest::collection::vec((position, bytes(), events), 0..12)
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(parts in parts()) {
            let (lens, data) = write(&parts);
            let count = parts.iter().map(|part| part.2.len()).sum();
            let block = Block::read(&lens, &data, count).unwrap();
            let mut events = block.events.iter();
            for (position, record, written) in &parts {
                for (choice, ocsf) in written {
                    let event = events.next().unwrap();
                    prop_assert_eq!(event.position, *position);
                    let read = |range: &Range<usize>| block.data[range.clone()].to_vec();
                    let raw = match payload(*choice) {
                        RawPayload::Record => Some(record.clone()),
                        RawPayload::Own(own) => Some(own.to_vec()),
                        RawPayload::None | RawPayload::SameAsBefore => None,
                    };
                    prop_assert_eq!(event.raw.as_ref().map(read), raw);
                    prop_assert_eq!(&event.ocsf.as_ref().map(read), ocsf);
                }
            }
            prop_assert!(events.next().is_none());
        }

        #[test]
        fn damage_is_an_error(parts in parts(), at in any::<prop::sample::Index>(), bit in 0..8u8) {
            let (mut lens, mut data) = write(&parts);
            let count: usize = parts.iter().map(|part| part.2.len()).sum();
            prop_assert!(Block::read(&lens, &data, count + 1).is_err());
            prop_assert!(Block::read(&lens, &data[..at.index(data.len())], count).is_err());
            prop_assert!(Block::read(&lens[..at.index(lens.len())], &data, count).is_err());
            let i = at.index(data.len());
            data[i] ^= 1 << bit;
            // Some bits of a frame header mean nothing; what is read must then be the same.
            let before = write(&parts).1;
            let same = zstd::bulk::decompress(&before, 1 << 20).unwrap();
            if let Ok(block) = Block::read(&lens, &data, count) {
                prop_assert_eq!(&*block.data, &same);
            }
            let i = at.index(lens.len());
            lens[i] ^= 1 << bit;
            // The lens have no checksum of their own: damage may be readable, never a panic.
            let _ = Block::read(&lens, &before, count);
        }

        #[test]
        fn numbers_survive(new in any::<u64>(), old in any::<u64>()) {
            let mut bytes = Vec::new();
            put(&mut bytes, zigzag(new, old));
            let mut rest = &bytes[..];
            prop_assert_eq!(get(&mut rest).map(|code| unzigzag(code, old)), Some(new));
            prop_assert!(rest.is_empty());
        }
    }

    #[test]
    fn a_block_closes_by_records_and_by_bytes() {
        let mut writer = BlockWriter::new().unwrap();
        (0..BLOCK_RECORDS_MAX - 1).for_each(|_| writer.record(Position::default(), b"", 0));
        assert!(!writer.is_full());
        writer.record(Position::default(), b"", 0);
        assert!(writer.is_full());
        writer.clear();
        assert!(!writer.is_full());
        writer.record(Position::default(), &vec![0; BLOCK_BYTES_FULL], 0);
        assert!(writer.is_full());
    }
}
