//! Text at the end of a vector, written a block at a time.
//!
//! Constant runs and short texts are the rule, and copying them costs more in calls than in bytes. So behind the text
//! there is always room for more than a block: a whole one is written however long the text is, and the next over its
//! rest. Nothing is cleared before, and nothing copied afterwards.

use super::{BLOCK, Lanes, low_bits};
use crate::emit::json;

/// There is always room for so many bytes behind the text: what is written at once is far less than two blocks.
const ROOM: usize = 2 * BLOCK;

/// A constant text, to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Padded<'t> {
    first: &'t [u8; BLOCK],
    more: &'t [[u8; BLOCK]],
    /// Not more than the blocks hold.
    len: usize,
}

impl<'t> Padded<'t> {
    /// The first bytes of blocks. None if there is no block.
    #[inline(always)]
    pub(crate) fn new(blocks: &'t [[u8; BLOCK]], len: usize) -> Option<Self> {
        let (first, more) = blocks.split_first()?;
        Some(Self { first, more, len: len.min(blocks.len() * BLOCK) })
    }
}

/// Collects text that goes behind what there is already.
pub(crate) struct Sink<'o> {
    out: &'o mut Vec<u8>,
    /// The memory of `out`, which is not moved but by `enlarged`. Up to `len` all bytes are written.
    memory: *mut u8,
    len: usize,
    /// Up to this length the memory holds `ROOM` bytes more.
    len_max: usize,
}

impl<'o> Sink<'o> {
    pub(crate) fn new(out: &'o mut Vec<u8>) -> Self {
        out.reserve(ROOM);
        let (memory, len, len_max) = (out.as_mut_ptr(), out.len(), out.capacity() - ROOM);
        Self { out, memory, len, len_max }
    }

    /// How much text there is, and what was there already.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The text, and what was there already.
    pub(crate) fn text(&self) -> &[u8] {
        // SAFETY: so many bytes are written, and nobody else can write them as long as they are borrowed.
        unsafe { std::slice::from_raw_parts(self.memory, self.len) }
    }

    /// Cuts off what is behind a length.
    pub(crate) fn cut(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Takes so many bytes back.
    #[inline(always)]
    pub(crate) fn take_back(&mut self, bytes: usize) {
        self.len = self.len.saturating_sub(bytes);
    }

    /// Hands the text over.
    pub(crate) fn finish(self) {
        // SAFETY: so many bytes are written.
        unsafe { self.out.set_len(self.len) }
    }

    /// Sees to it that there is room for so much, and `ROOM` behind it.
    #[inline(always)]
    fn reserve(&mut self, bytes: usize) {
        if self.len.saturating_add(bytes) > self.len_max {
            (self.memory, self.len_max) = enlarged(self.out, self.len, bytes);
        }
    }

    /// Writes a block at an offset from the end; not more than `ROOM` behind it.
    ///
    /// # Safety
    ///
    /// There is room, as [`Sink::reserve`] makes it.
    #[inline(always)]
    unsafe fn put<const N: usize>(&mut self, offset: usize, bytes: [u8; N]) {
        // SAFETY: the caller says that there is room in the memory of the vector.
        unsafe { self.memory.add(self.len + offset).cast::<[u8; N]>().write_unaligned(bytes) }
    }

    /// Writes a constant.
    #[inline(always)]
    pub(crate) fn run(&mut self, run: Padded<'_>) {
        self.reserve(0);
        // SAFETY: there is room for a block.
        unsafe { self.put(0, *run.first) };
        if run.len > BLOCK {
            self.reserve(run.len);
            for (block, number) in run.more.iter().zip(1..run.len.div_ceil(BLOCK)) {
                // SAFETY: the block begins before the end of the run, for which there is room, and a block more.
                unsafe { self.put(number * BLOCK, *block) };
            }
        }
        // All of it is written: there are as many blocks as it needs.
        self.len += run.len;
    }

    /// Writes the first bytes of a word, the lowest first; at most all eight.
    #[inline(always)]
    pub(crate) fn put_word(&mut self, word: u64, len: usize) {
        self.reserve(0);
        // SAFETY: there is room for a word.
        unsafe { self.put(0, word.to_le_bytes()) };
        self.len += len.min(8);
    }

    /// Writes a JSON string and a comma.
    #[inline(always)]
    pub(crate) fn string<L: Lanes>(&mut self, lanes: L, text: &str) {
        let (start, bytes) = (self.len, text.as_bytes());
        self.put_word(b'"'.into(), 1);
        if self.copy(lanes, bytes) {
            self.len = start;
            return self.by(|out| {
                json::write_string(text, out);
                out.push(b',');
            });
        }
        self.put_word(u16::from_le_bytes(*b"\",").into(), 2);
    }

    /// Writes text as it is. Says whether any of it could not stand in a JSON string.
    #[inline(always)]
    pub(crate) fn copy<L: Lanes>(&mut self, lanes: L, text: &[u8]) -> bool {
        if text.len() <= BLOCK {
            return self.copy_part(lanes, text);
        }
        let mut special = false;
        for part in text.chunks(BLOCK) {
            special |= self.copy_part(lanes, part);
        }
        special
    }

    /// The same for at most a block.
    #[inline(always)]
    fn copy_part<L: Lanes>(&mut self, lanes: L, part: &[u8]) -> bool {
        self.reserve(0);
        let mut bytes = [0; BLOCK];
        let block = lanes.load_part(part);
        lanes.store(block, &mut bytes);
        // SAFETY: there is room for a block.
        unsafe { self.put(0, bytes) };
        self.len += part.len().min(BLOCK);
        let specials = lanes.at_most(block, lanes.splat(0x1f))
            | lanes.equal(block, lanes.splat(b'"'))
            | lanes.equal(block, lanes.splat(b'\\'));
        specials & low_bits(part.len()) != 0
    }

    /// Writes what somebody does to the end of the text.
    pub(crate) fn by(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        // SAFETY: so many bytes are written.
        unsafe { self.out.set_len(self.len) };
        write(self.out);
        self.len = self.out.len();
        (self.memory, self.len_max) = enlarged(self.out, self.len, 0);
    }
}

/// The memory of a vector with room for so much behind a length, up to which it is written. Outlined by values, so that
/// a sink can be kept in registers.
#[cold]
#[inline(never)]
fn enlarged(out: &mut Vec<u8>, len: usize, bytes: usize) -> (*mut u8, usize) {
    assert!(len <= out.capacity(), "what is written is part of the memory");
    // SAFETY: only `Sink` calls this, whose text is so long.
    unsafe { out.set_len(len) };
    out.reserve(bytes.saturating_add(ROOM));
    (out.as_mut_ptr(), out.capacity() - ROOM)
}
