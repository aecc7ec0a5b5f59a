//! Text at the end of a vector, written a block at a time.
//!
//! Constant runs and short texts are the rule, and copying them costs more in calls than in bytes. So behind the text
//! there is always room for more than a block: a whole one is written however long the text is, and the next over its
//! rest. Nothing is cleared before, and nothing copied afterwards.

use super::{BLOCK, Lanes};
use crate::emit::json;

/// What stands behind a text that is a member.
pub(crate) const STRING_END: &[u8; 2] = b"\",";
/// What cannot stand in a string, by its lower four bits; but for control characters, of which 0 is one.
const QUOTES: [u8; 16] = {
    let mut quotes = [0; 16];
    quotes[(b'"' & 15) as usize] = b'"';
    quotes[(b'\\' & 15) as usize] = b'\\';
    quotes
};
/// There is always room for so many bytes behind the text: at once two texts are written, and their quotes.
const ROOM: usize = 3 * BLOCK;

/// A block of a constant text, in one line of the cache.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Block(pub(crate) [u8; BLOCK]);

/// A constant text, to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Padded<'t> {
    first: &'t Block,
    more: &'t [Block],
    /// Not more than the blocks hold.
    len: usize,
}

impl<'t> Padded<'t> {
    /// The first bytes of blocks. None if there is no block.
    #[inline(always)]
    pub(crate) fn new(blocks: &'t [Block], len: usize) -> Option<Self> {
        let (first, more) = blocks.split_first()?;
        Some(Self { first, more, len: len.min(blocks.len() * BLOCK) })
    }
}

/// Collects text that goes behind what there is already.
pub(crate) struct Sink<'o> {
    out: &'o mut Vec<u8>,
    /// The memory of `out`, which is moved by `enlarged` and `written` only. Up to `len` all bytes are written.
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

    /// Takes the last byte back.
    #[inline(always)]
    pub(crate) fn take_back(&mut self) {
        self.len = self.len.saturating_sub(1);
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
            // SAFETY: the text is so long.
            (self.memory, self.len_max) = unsafe { enlarged(self.out, self.len, bytes) };
        }
    }

    /// Writes bytes at a length, which the text has afterwards or is to have.
    ///
    /// # Safety
    ///
    /// They end not more than `ROOM` behind the length that there is room for.
    #[inline(always)]
    unsafe fn put<const N: usize>(&mut self, at: usize, bytes: [u8; N]) {
        // SAFETY: the caller says that there is room in the memory of the vector.
        unsafe { self.memory.add(at).cast::<[u8; N]>().write_unaligned(bytes) }
    }

    /// Writes a constant.
    #[inline(always)]
    pub(crate) fn run(&mut self, run: Padded<'_>) {
        self.reserve(0);
        let start = self.len;
        // SAFETY: there is room for a block.
        unsafe { self.put(start, run.first.0) };
        if run.len > BLOCK {
            self.reserve(run.len);
            for (block, number) in run.more.iter().zip(1..run.len.div_ceil(BLOCK)) {
                // SAFETY: the block begins before the end of the run, for which there is room, and a block more.
                unsafe { self.put(start + number * BLOCK, block.0) };
            }
        }
        // All of it is written: there are as many blocks as it needs.
        self.len = start + run.len;
    }

    /// Writes the first bytes of a word, the lowest first; at most all eight.
    #[inline(always)]
    pub(crate) fn put_word(&mut self, word: u64, len: usize) {
        self.reserve(0);
        // SAFETY: there is room for a word.
        unsafe { self.put(self.len, word.to_le_bytes()) };
        self.len += len.min(8);
    }

    /// Writes a constant that ends with a quote, and the rest of a JSON string and a comma. Says whether the text stands
    /// there as it is, before [`STRING_END`].
    #[inline(always)]
    pub(crate) fn run_and_string<L: Lanes>(
        &mut self,
        lanes: L,
        run: Padded<'_>,
        text: &str,
    ) -> bool {
        let bytes = text.as_bytes();
        if run.len > BLOCK || bytes.len() > BLOCK {
            self.run(run);
            let start = self.len;
            if self.copy(lanes, bytes) {
                return self.escaped(start, text);
            }
            self.put_word(u16::from_le_bytes(*STRING_END).into(), STRING_END.len());
            return true;
        }
        self.reserve(0);
        let start = self.len + run.len;
        let end = start + bytes.len();
        // SAFETY: there is room for a block, a block behind a block, and two bytes behind two blocks.
        let is_special = unsafe {
            self.put(self.len, run.first.0);
            let is_special = self.put_part(lanes, start, bytes);
            self.put(end, *STRING_END);
            is_special
        };
        self.len = end + STRING_END.len();
        !is_special || self.escaped(start, text)
    }

    /// Writes the string whose text begins at `start`, and all behind it, again with escapes.
    #[inline(always)]
    fn escaped(&mut self, start: usize, text: &str) -> bool {
        self.cut(start.saturating_sub(1));
        self.by(|out| {
            json::write_string(text, out);
            out.push(b',');
        });
        false
    }

    /// Writes text as it is. Says whether any of it could not stand in a JSON string.
    #[inline(always)]
    pub(crate) fn copy<L: Lanes>(&mut self, lanes: L, text: &[u8]) -> bool {
        let mut is_special = false;
        for part in text.chunks(BLOCK) {
            self.reserve(0);
            // SAFETY: there is room for a block.
            is_special |= unsafe { self.put_part(lanes, self.len, part) };
            self.len += part.len();
        }
        is_special
    }

    /// Writes at most a block of text at a length. Says whether any of it could not stand in a JSON string.
    ///
    /// # Safety
    ///
    /// There is room for a block.
    #[inline(always)]
    unsafe fn put_part<L: Lanes>(&mut self, lanes: L, at: usize, part: &[u8]) -> bool {
        let mut bytes = [0; BLOCK];
        let block = lanes.load_part(part);
        lanes.store(block, &mut bytes);
        // SAFETY: the caller says that there is room.
        unsafe { self.put(at, bytes) };
        if !L::HAS_REGISTERS {
            let is_special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
            return part.iter().fold(false, |any, byte| any | is_special(byte));
        }
        let controls = lanes.at_most(block, lanes.splat(0x1f));
        let quotes = lanes.equal(block, lanes.look_up(&QUOTES, block));
        (controls | quotes) & lanes.low_bits(part.len()) != 0
    }

    /// Writes what somebody does to the end of the text.
    #[inline(always)]
    pub(crate) fn by(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        // SAFETY: the text is so long.
        (self.memory, self.len, self.len_max) = unsafe { written(self.out, self.len, write) };
    }
}

/// What somebody writes to the end of a vector, of which so much is written: its memory, length, and length with room.
///
/// # Safety
///
/// So many bytes of its memory are written.
#[cold]
#[inline(never)]
unsafe fn written(
    out: &mut Vec<u8>,
    len: usize,
    write: impl FnOnce(&mut Vec<u8>),
) -> (*mut u8, usize, usize) {
    assert!(len <= out.capacity(), "what is written is part of the memory");
    // SAFETY: the caller says so.
    unsafe { out.set_len(len) };
    write(out);
    out.reserve(ROOM);
    (out.as_mut_ptr(), out.len(), out.capacity() - ROOM)
}

/// The memory of a vector with room for so much behind a length, up to which it is written. Outlined by values, so that
/// a sink can be kept in registers.
///
/// # Safety
///
/// So many bytes of its memory are written.
#[cold]
#[inline(never)]
unsafe fn enlarged(out: &mut Vec<u8>, len: usize, bytes: usize) -> (*mut u8, usize) {
    assert!(len <= out.capacity(), "what is written is part of the memory");
    // SAFETY: the caller says so.
    unsafe { out.set_len(len) };
    out.reserve(bytes.saturating_add(ROOM));
    (out.as_mut_ptr(), out.capacity() - ROOM)
}
