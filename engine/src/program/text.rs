//! Text at the end of a buffer, written a block at a time.
//!
//! Constant runs and short texts are the rule, and copying them costs more in calls than in bytes. So a block of 64 bytes
//! is written however long the text is, and the next one over its rest.

use crate::decimal::Decimal;
use crate::emit::json;
use crate::simd::{BLOCK, Lanes, low_bits};

/// How much a buffer grows beyond what is needed at once.
const GROWTH: usize = 16 << 10;
/// Buffers that are larger are given back.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// Constant texts, each of which begins in a block of its own.
#[derive(Debug, Default)]
pub(super) struct Constants {
    blocks: Vec<[u8; BLOCK]>,
}

/// A constant text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Constant {
    first: u32,
    len: u32,
}

/// A constant text, to be written.
#[derive(Clone, Copy)]
pub(super) struct Padded<'t> {
    /// At least one, and more behind it.
    blocks: &'t [[u8; BLOCK]],
    len: usize,
}

impl Constants {
    /// Keeps a text.
    pub(super) fn add(&mut self, text: &str) -> Constant {
        let first = self.blocks.len();
        let mut rest = text.as_bytes();
        loop {
            let mut block = [0; BLOCK];
            let (part, behind) = rest.split_at(rest.len().min(BLOCK));
            block[..part.len()].copy_from_slice(part);
            self.blocks.push(block);
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        // A program's text is limited to far less than 4 GiB.
        Constant { first: first as u32, len: text.len() as u32 }
    }

    /// One of them, to be written.
    #[inline(always)]
    pub(super) fn get(&self, constant: Constant) -> Padded<'_> {
        Padded { blocks: &self.blocks[constant.first as usize..], len: constant.len as usize }
    }

    /// One of them.
    pub(super) fn text(&self, constant: Constant) -> &str {
        let bytes = self.blocks[constant.first as usize..].as_flattened();
        std::str::from_utf8(&bytes[..constant.len as usize]).unwrap_or_default()
    }
}

impl Padded<'_> {
    #[inline(always)]
    fn copy_to(self, room: &mut [u8]) {
        let mut parts = room.as_chunks_mut().0.iter_mut().zip(self.blocks);
        if let Some((room, block)) = parts.next() {
            *room = *block;
        }
        if self.len > BLOCK {
            for (room, block) in parts.take((self.len - 1) / BLOCK) {
                *room = *block;
            }
        }
    }
}

/// Memory that is used again from batch to batch.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// All of it can be written to, so that none has to be cleared first.
    text: Vec<u8>,
    side: Vec<u8>,
}

/// Collects text that goes behind what there is already.
pub(super) struct Sink<'o> {
    buffers: &'o mut Buffers,
    /// How much there is already.
    behind: usize,
    len: usize,
}

impl<'o> Sink<'o> {
    #[inline(always)]
    pub(super) fn new(buffers: &'o mut Buffers, behind: usize) -> Self {
        Self { buffers, behind, len: 0 }
    }

    /// Where the next text will stand.
    #[inline(always)]
    pub(super) fn place(&self) -> usize {
        self.behind + self.len
    }

    /// How much text there is.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Hands the text over.
    pub(super) fn finish(self, out: &mut Vec<u8>) {
        let Buffers { text, .. } = self.buffers;
        out.extend_from_slice(&text[..self.len]);
        text.truncate(KEPT_BYTES_MAX);
        text.shrink_to(KEPT_BYTES_MAX);
    }

    /// Room for so much and two blocks more.
    #[inline(always)]
    fn room(&mut self, bytes: usize) -> &mut [u8] {
        if self.buffers.text.len() < self.len + bytes + 2 * BLOCK {
            self.grow(bytes);
        }
        &mut self.buffers.text[self.len..]
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, bytes: usize) {
        self.buffers.text.resize(self.len + bytes + GROWTH, 0);
    }

    /// Writes a constant.
    #[inline(always)]
    pub(super) fn run(&mut self, run: Padded<'_>) {
        run.copy_to(self.room(run.len));
        self.len += run.len;
    }

    /// Writes a constant, a JSON string, and a comma.
    #[inline(always)]
    pub(super) fn run_and_string<L: Lanes>(&mut self, lanes: L, run: Padded<'_>, text: &str) {
        let bytes = text.as_bytes();
        let room = self.room(run.len + bytes.len() + 3);
        run.copy_to(room);
        let room = &mut room[run.len..];
        room[0] = b'"';
        if copy(lanes, bytes, &mut room[1..]) {
            return self.run_and_escaped(run.len, text);
        }
        if let Some(behind) = room[bytes.len() + 1..].first_chunk_mut() {
            *behind = *b"\",";
        }
        self.len += run.len + bytes.len() + 3;
    }

    #[cold]
    #[inline(never)]
    fn run_and_escaped(&mut self, run: usize, text: &str) {
        self.len += run;
        self.by(|out| {
            json::write_string(text, out);
            out.push(b',');
        });
    }

    /// Writes a constant, a number, and a comma.
    #[inline(always)]
    pub(super) fn run_and_number<L: Lanes>(&mut self, lanes: L, run: Padded<'_>, number: &[u8]) {
        let room = self.room(run.len + number.len() + 1);
        run.copy_to(room);
        let room = &mut room[run.len..];
        copy(lanes, number, room);
        room[number.len()] = b',';
        self.len += run.len + number.len() + 1;
    }

    /// Cuts off what was written since.
    pub(super) fn cut(&mut self, len: usize) {
        self.len = len;
    }

    /// What was written.
    pub(super) fn written(&self) -> &[u8] {
        &self.buffers.text[..self.len]
    }

    /// Takes the last byte back.
    #[inline(always)]
    pub(super) fn take_back(&mut self) {
        self.len -= 1;
    }

    /// Writes text as it is.
    #[inline(always)]
    pub(super) fn text<L: Lanes>(&mut self, lanes: L, text: &[u8]) {
        copy(lanes, text, self.room(text.len()));
        self.len += text.len();
    }

    /// Writes what somebody appends to a text.
    pub(super) fn by(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut side = std::mem::take(&mut self.buffers.side);
        side.clear();
        write(&mut side);
        self.room(side.len())[..side.len()].copy_from_slice(&side);
        self.len += side.len();
        side.shrink_to(KEPT_BYTES_MAX);
        self.buffers.side = side;
    }
}

/// Copies text to room for a block more. Says whether any of it could not stand in a JSON string.
#[inline(always)]
fn copy<L: Lanes>(lanes: L, text: &[u8], room: &mut [u8]) -> bool {
    if text.len() <= BLOCK {
        return match room.first_chunk_mut() {
            Some(room) => copy_block(lanes, text, room),
            None => true,
        };
    }
    let mut special = false;
    let rooms = room.as_chunks_mut().0;
    for (part, room) in text.chunks(BLOCK).zip(rooms) {
        special |= copy_block(lanes, part, room);
    }
    special
}

#[inline(always)]
fn copy_block<L: Lanes>(lanes: L, part: &[u8], room: &mut [u8; BLOCK]) -> bool {
    let block = lanes.load_part(part);
    lanes.store(block, room);
    let escapes = lanes.at_most(block, lanes.splat(0x1f))
        | lanes.equal(block, lanes.splat(b'"'))
        | lanes.equal(block, lanes.splat(b'\\'));
    escapes & low_bits(part.len()) != 0
}

/// Room for the text of a number.
pub(super) struct NumberBuffer {
    /// A sign, 21 digits, a point, 18 digits.
    bytes: [u8; 48],
}

impl Default for NumberBuffer {
    #[inline(always)]
    fn default() -> Self {
        Self { bytes: [0; 48] }
    }
}

impl NumberBuffer {
    #[inline(always)]
    pub(super) fn int(&mut self, number: i64) -> &[u8] {
        let len = self.put(0, itoa::Buffer::new().format(number));
        self.text(len)
    }

    /// A decimal without trailing zeros.
    #[inline(always)]
    pub(super) fn decimal(&mut self, number: Decimal) -> &[u8] {
        const ONE: u64 = 10_u64.pow(Decimal::PLACES);
        let mut len = 0;
        if number.0 < 0 {
            len = self.put(0, "-");
        }
        let magnitude = number.0.unsigned_abs();
        let fraction = match u64::try_from(magnitude) {
            // Amounts are mostly small, and dividing 128 bits takes long.
            Ok(magnitude) => {
                len = self.put(len, itoa::Buffer::new().format(magnitude / ONE));
                magnitude % ONE
            }
            Err(_) => {
                len = self.put(len, itoa::Buffer::new().format(magnitude / u128::from(ONE)));
                // Less than 10^18.
                (magnitude % u128::from(ONE)) as u64
            }
        };
        if fraction != 0 {
            let point = len;
            // All its places stand behind a 1, which becomes the point.
            len = self.put(len, itoa::Buffer::new().format(ONE + fraction));
            self.bytes[point] = b'.';
            while self.bytes[len - 1] == b'0' {
                len -= 1;
            }
        }
        self.text(len)
    }

    #[inline(always)]
    fn put(&mut self, at: usize, text: &str) -> usize {
        self.bytes[at..at + text.len()].copy_from_slice(text.as_bytes());
        at + text.len()
    }

    #[inline(always)]
    fn text(&self, len: usize) -> &[u8] {
        &self.bytes[..len]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_written_as_they_are_shown(number in any::<i128>(), shift in 0_u32..128) {
            let number = number >> shift;
            let decimal = Decimal(number);
            let mut buffer = NumberBuffer::default();
            prop_assert_eq!(buffer.decimal(decimal).to_vec(), decimal.to_string().into_bytes());
            let int = number as i64;
            prop_assert_eq!(buffer.int(int).to_vec(), int.to_string().into_bytes());
        }
    }
}
