//! Text at the end of a buffer, written a block at a time.
//!
//! Constant runs and short texts are the rule, and copying them costs more in calls than in bytes. So a block of 64 bytes
//! is written however long the text is, and the next one over its rest.

use crate::decimal::Decimal;
use crate::emit::json;
use crate::simd::{BLOCK, Lanes, low_bits};

/// How much a buffer grows beyond what is needed at once. All of it is cleared, so that it must not be much.
const GROWTH: usize = 16 << 10;

/// Constant texts, each of which can be read in whole blocks.
#[derive(Debug, Default)]
pub(super) struct Constants {
    bytes: Vec<u8>,
}

/// A constant text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Constant {
    start: u32,
    len: u32,
}

impl Constants {
    /// Keeps a text.
    pub(super) fn add(&mut self, text: &str) -> Constant {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.resize(start + text.len().next_multiple_of(BLOCK).max(BLOCK), 0);
        // A program's text is limited to far less than 4 GiB.
        Constant { start: start as u32, len: text.len() as u32 }
    }
}

/// A text with something behind it, up to the end of a block.
#[derive(Clone, Copy)]
pub(super) struct Padded<'t> {
    bytes: &'t [u8],
    len: usize,
}

impl Padded<'_> {
    #[inline(always)]
    fn copy_to(self, room: &mut [u8]) {
        let mut done = 0;
        loop {
            if let (Some(block), Some(room)) =
                (self.bytes[done..].first_chunk(), block_at(room, done))
            {
                *room = *block;
            }
            done += BLOCK;
            if done >= self.len {
                break;
            }
        }
    }
}

impl Constants {
    /// One of them, to be written.
    #[inline(always)]
    pub(super) fn get(&self, constant: Constant) -> Padded<'_> {
        Padded { bytes: &self.bytes[constant.start as usize..], len: constant.len as usize }
    }

    /// One of them.
    pub(super) fn text(&self, constant: Constant) -> &str {
        let text = &self.bytes[constant.start as usize..][..constant.len as usize];
        std::str::from_utf8(text).unwrap_or_default()
    }
}

/// Writes behind what a buffer holds. What it holds at the end is cut to length by [`Sink::finish`].
pub(super) struct Sink<'o> {
    buffer: &'o mut Vec<u8>,
    len: usize,
}

impl<'o> Sink<'o> {
    #[inline(always)]
    pub(super) fn new(buffer: &'o mut Vec<u8>, expected: usize) -> Self {
        let len = buffer.len();
        buffer.resize(len + expected + BLOCK, 0);
        Self { buffer, len }
    }

    /// How much text there is.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub(super) fn finish(self) {
        self.buffer.truncate(self.len);
    }

    /// Room for so much and two blocks more.
    #[inline(always)]
    fn room(&mut self, bytes: usize) -> &mut [u8] {
        if self.buffer.len() < self.len + bytes + 2 * BLOCK {
            self.grow(bytes);
        }
        &mut self.buffer[self.len..]
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, bytes: usize) {
        self.buffer.resize(self.len + bytes + GROWTH, 0);
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
        &self.buffer[..self.len]
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

    /// Writes what somebody appends to the text.
    pub(super) fn by(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.buffer.truncate(self.len);
        write(self.buffer);
        self.len = self.buffer.len();
    }
}

#[inline(always)]
fn block_at(room: &mut [u8], at: usize) -> Option<&mut [u8; BLOCK]> {
    room.get_mut(at..)?.first_chunk_mut()
}

/// Copies text to room for a block more. Says whether any of it could not stand in a JSON string.
#[inline(always)]
fn copy<L: Lanes>(lanes: L, text: &[u8], room: &mut [u8]) -> bool {
    let mut special = 0;
    let mut done = 0;
    loop {
        let part = &text[done..text.len().min(done + BLOCK)];
        let block = lanes.load_part(part);
        if let Some(room) = block_at(room, done) {
            lanes.store(block, room);
        }
        let escapes = lanes.at_most(block, lanes.splat(0x1f))
            | lanes.equal(block, lanes.splat(b'"'))
            | lanes.equal(block, lanes.splat(b'\\'));
        special |= escapes & low_bits(part.len());
        done += BLOCK;
        if done >= text.len() {
            return special != 0;
        }
    }
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
