//! Several ranges of a compressed object decoded at a time.
//!
//! ```text
//! stored bytes   [m m m m][m m m][m m m m m]...      cut where a member begins
//!                    │       │        │              decoded side by side, on blocking threads
//!                 parts ▶ parts ▶  parts ▶           handed out one range after the other
//! ```
//!
//! A range is some whole members (gzip) or frames (zstd), so it can be decoded without those before.
//! Where a zstd frame ends is written in it: the headers of its blocks say how long they are. Where a
//! gzip member ends shows only when it is decoded, so ranges end where a header *seems* to be. That
//! is right if the range before it ends exactly there, with a member whose checksum and size are
//! right, and nothing of a range is handed out before that is known. So what seems to be a header and
//! is none costs time, but never gives a wrong byte.
//!
//! Only what is whole and right ends well here. After anything else the ranges are given up, and the
//! bytes are put back, to be decoded one member after the other.

use std::collections::VecDeque;

use async_compression::core::util::{PartialBuffer, WriteBuffer};
use bytes::Bytes;
use memchr::memmem::Finder;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use super::buffers::{Buffer, Buffers};
use super::codec::{Codec, Decoder};
use super::decompress::Format;
use super::raw::{CHUNK_BYTES_MAX, RawReader};

/// A range has at least so many stored bytes: what starting it costs must not matter.
pub(super) const RANGE_BYTES_MIN: usize = 64 << 10;
/// So far ahead is looked for the end of a range. Larger members are decoded by themselves.
const RANGE_BYTES_MAX: usize = 1 << 20;
/// Decoded bytes that may wait until it is their turn, of all ranges together.
const WAITING_BYTES_MAX: usize = 16 << 20;
/// Memory for the windows of all decoders.
const WINDOW_BYTES_MAX: usize = 16 << 20;
/// More are not decoded at a time: something has to be left for the work on what comes out.
const RUNNING_MAX: usize = 8;

/// A chunk of a range.
pub(super) struct Part {
    pub(super) chunk: Bytes,
    /// Stored bytes of the range that were read for it and what is before it.
    pub(super) read: u64,
    /// The last place inside the range, at or before the end of the chunk, at which a member begins:
    /// stored and decoded bytes before it, counted from the beginning of the range.
    pub(super) boundary: Option<(u64, u64)>,
}

/// The ranges that are being decoded, in their order.
pub(super) struct Ranges {
    codec: Codec,
    buffers: Buffers,
    running_max: usize,
    running: VecDeque<Range>,
    /// Decoders to be used again: their windows are large.
    spare: Vec<Decoder>,
}

struct Range {
    /// Its stored bytes, in case they have to be decoded again.
    input: Vec<Bytes>,
    bytes: usize,
    parts: mpsc::Receiver<Part>,
    /// Gives the decoder back if the range ended well.
    task: JoinHandle<Option<Decoder>>,
}

impl Ranges {
    /// With one decoder or none, there are never any ranges.
    pub(super) fn new(codec: Codec, decoders: usize, buffers: Buffers) -> Self {
        // One more, so that there is something to do while the first is waited for.
        let running_max = if decoders > 1 { RUNNING_MAX.min(decoders + 1) } else { 0 };
        Self { codec, buffers, running_max, running: VecDeque::new(), spare: Vec::new() }
    }

    /// Whether nothing is being decoded.
    pub(super) fn are_none(&self) -> bool {
        self.running.is_empty()
    }

    /// The stored bytes of all ranges from the present one on.
    pub(super) fn bytes(&self) -> u64 {
        self.running.iter().map(|range| range.bytes as u64).sum()
    }

    /// Starts to decode as many ranges as may be at a time. `raw` must stand where a member begins, if
    /// the ranges before it end well.
    pub(super) async fn fill(&mut self, raw: &mut RawReader) {
        while self.running.len() < self.running_max {
            let Some(bytes) = self.find_end(raw).await else { break };
            let decoder = self.spare.pop().unwrap_or_else(|| self.codec.decoder());
            let input = raw.take(bytes);
            let places = WAITING_BYTES_MAX / CHUNK_BYTES_MAX / self.running_max;
            let (parts_in, parts) = mpsc::channel(places);
            let decoding =
                DecodeRange { parts: parts_in, buffer: self.buffers.buffer(), at: At::default() };
            let pieces = input.clone();
            let task = spawn_blocking(move || decoding.run(decoder, &pieces));
            self.running.push_back(Range { input, bytes, parts, task });
        }
    }

    /// The next part of the present range; `None` at its end.
    pub(super) async fn next_part(&mut self) -> Option<Part> {
        self.running.front_mut()?.parts.recv().await
    }

    /// Whether the present range held whole members up to its last byte. Then the next one is present.
    pub(super) async fn has_ended_well(&mut self) -> bool {
        let Some(range) = self.running.front_mut() else { return false };
        let Ok(Some(decoder)) = (&mut range.task).await else { return false };
        self.spare.push(decoder);
        self.running.pop_front();
        true
    }

    /// Puts the bytes of all ranges back, and never starts one again.
    pub(super) fn give_up(&mut self, raw: &mut RawReader) {
        for range in self.running.drain(..).rev() {
            raw.put_back(range.input);
        }
        self.running_max = 0;
    }

    /// How many bytes the next range has, if its end is in sight.
    async fn find_end(&self, raw: &mut RawReader) -> Option<usize> {
        loop {
            let loaded = raw.loaded();
            let end = match self.codec {
                Codec::Gzip => find_gzip_header(loaded, RANGE_BYTES_MIN),
                Codec::Zstd { .. } => {
                    let window_bytes_max = WINDOW_BYTES_MAX / self.running_max;
                    find_frame_end(loaded, RANGE_BYTES_MIN, window_bytes_max as u64)
                }
            };
            let bytes: usize = loaded.iter().map(Bytes::len).sum();
            if end.is_some() || bytes >= RANGE_BYTES_MAX || !raw.load().await {
                return end;
            }
        }
    }
}

/// Where a range is.
#[derive(Default)]
struct At {
    read: u64,
    written: u64,
    boundary: Option<(u64, u64)>,
}

/// Decodes one range.
struct DecodeRange {
    parts: mpsc::Sender<Part>,
    buffer: Buffer,
    at: At,
}

impl DecodeRange {
    /// Decodes members until `pieces` end. Gives the decoder back if a member ends there.
    fn run(mut self, mut decoder: Decoder, pieces: &[Bytes]) -> Option<Decoder> {
        let ended = self.members(&mut decoder, pieces);
        // What was decoded before something went wrong is right.
        self.flush()?;
        ended.map(|()| decoder)
    }

    fn members(&mut self, decoder: &mut Decoder, pieces: &[Bytes]) -> Option<()> {
        let mut ended = true;
        for piece in pieces {
            let mut rest = &piece[..];
            while !rest.is_empty() {
                if ended {
                    let here = (self.at.read, self.at.written);
                    self.at.boundary = (here.0 > 0).then_some(here);
                    decoder.reinit().ok()?;
                }
                let read;
                (read, ended) = self.step(decoder, rest)?;
                rest = &rest[read..];
            }
        }
        // All has been read, but perhaps not all been written.
        while !ended {
            (_, ended) = self.step(decoder, &[])?;
        }
        Some(())
    }

    /// Goes on with a member; gives how much was read, and whether it has ended. `None` if it cannot go
    /// on, or nobody wants it to.
    fn step(&mut self, decoder: &mut Decoder, input: &[u8]) -> Option<(usize, bool)> {
        if self.buffer.space().is_empty() {
            self.flush()?;
        }
        let mut input = PartialBuffer::new(input);
        let mut output = WriteBuffer::new_initialized(self.buffer.space());
        let ended = decoder.decode(&mut input, &mut output);
        let (read, written) = (input.written_len(), output.written_len());
        self.buffer.advance(written);
        self.at.read += read as u64;
        self.at.written += written as u64;
        let ended = ended.ok()?;
        (ended || read > 0 || written > 0).then_some((read, ended))
    }

    fn flush(&mut self) -> Option<()> {
        let At { read, boundary, .. } = &mut self.at;
        let part = Part { chunk: self.buffer.take(), read: *read, boundary: boundary.take() };
        self.parts.blocking_send(part).ok()
    }
}

/// The first place from `min` on that looks like the header of a gzip member. One that is cut by the
/// end of a chunk is not seen.
fn find_gzip_header(chunks: &VecDeque<Bytes>, min: usize) -> Option<usize> {
    let finder = Finder::new(b"\x1f\x8b\x08");
    let mut start = 0;
    for chunk in chunks {
        let from = min.saturating_sub(start).min(chunk.len());
        let mut found = finder.find_iter(&chunk[from..]).map(|place| from + place);
        if let Some(place) = found.find(|&place| is_gzip_header(&chunk[place..])) {
            return Some(start + place);
        }
        start += chunk.len();
    }
    None
}

/// Whether these may be the first bytes of a gzip member (RFC 1952 §2.3): no reserved flag, and what
/// compressors write as their level and system.
fn is_gzip_header(bytes: &[u8]) -> bool {
    let Some(&[0x1f, 0x8b, 8, flags, _, _, _, _, level, system]) = bytes.first_chunk() else {
        return false;
    };
    flags & 0xe0 == 0 && matches!(level, 0 | 2 | 4) && matches!(system, 0..=13 | 255)
}

/// The first place from `min` on where a zstd frame ends and another begins, if that is in `chunks`,
/// and no frame before it needs a larger window.
fn find_frame_end(chunks: &VecDeque<Bytes>, min: usize, window_bytes_max: u64) -> Option<usize> {
    let mut cursor = Cursor { chunks, chunk: 0, place: 0, at: 0 };
    while cursor.at < min {
        cursor.skip_frame(window_bytes_max)?;
    }
    let end = cursor.at;
    (Format::detect(&cursor.read::<4>()?) == Format::Zstd).then_some(end)
}

/// Goes over the chunks.
struct Cursor<'c> {
    chunks: &'c VecDeque<Bytes>,
    chunk: usize,
    /// In the chunk.
    place: usize,
    /// Counted from the first byte of the first chunk.
    at: usize,
}

impl Cursor<'_> {
    fn skip(&mut self, count: usize) -> Option<()> {
        let mut left = count;
        loop {
            let rest = self.chunks.get(self.chunk)?.len() - self.place;
            if left < rest {
                self.place += left;
                self.at += count;
                return Some(());
            }
            left -= rest;
            (self.chunk, self.place) = (self.chunk + 1, 0);
        }
    }

    fn read<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            let chunk = self.chunks.get(self.chunk)?;
            if self.place == chunk.len() {
                (self.chunk, self.place) = (self.chunk + 1, 0);
            }
            *byte = *self.chunks.get(self.chunk)?.get(self.place)?;
            self.place += 1;
            self.at += 1;
        }
        Some(bytes)
    }

    /// A number of `size` bytes.
    fn number(&mut self, size: usize) -> Option<u64> {
        let mut bytes = [0; 8];
        for byte in bytes.get_mut(..size)? {
            [*byte] = self.read()?;
        }
        Some(u64::from_le_bytes(bytes))
    }

    /// Goes behind the frame that begins here (RFC 8878 §3.1), if what follows it is there as well.
    fn skip_frame(&mut self, window_bytes_max: u64) -> Option<()> {
        let magic = self.read::<4>()?;
        if super::decompress::is_skippable(&magic) {
            let size = self.number(4)?;
            return self.skip(usize::try_from(size).ok()?);
        }
        if Format::detect(&magic) != Format::Zstd {
            return None;
        }
        let [descriptor] = self.read()?;
        let is_single_segment = descriptor & 0x20 != 0;
        let has_checksum = descriptor & 4 != 0;
        let window = if is_single_segment { None } else { Some(window_bytes(self.read()?)) };
        self.number([0, 1, 2, 4][usize::from(descriptor & 3)])?;
        let content = match (descriptor >> 6, is_single_segment) {
            (0, false) => None,
            (0, true) => Some(self.number(1)?),
            // 256 less is written than is meant.
            (1, _) => Some(self.number(2)? + 256),
            (2, _) => Some(self.number(4)?),
            _ => Some(self.number(8)?),
        };
        if window.into_iter().chain(content).min()? > window_bytes_max {
            return None;
        }
        while !self.skip_block()? {}
        self.skip(if has_checksum { 4 } else { 0 })
    }

    /// Goes behind a block; says whether it was the last of its frame.
    fn skip_block(&mut self) -> Option<bool> {
        let header = self.number(3)?;
        // Of a repeated byte the size is how often.
        let size = match header >> 1 & 3 {
            0 | 2 => header >> 3,
            1 => 1,
            _ => return None,
        };
        self.skip(usize::try_from(size).ok()?)?;
        Some(header & 1 != 0)
    }
}

/// The window that a descriptor stands for (RFC 8878 §3.1.1.1.2).
fn window_bytes([descriptor]: [u8; 1]) -> u64 {
    let base = 1_u64 << (10 + (descriptor >> 3));
    base + base / 8 * u64::from(descriptor & 7)
}

#[cfg(test)]
mod tests;
