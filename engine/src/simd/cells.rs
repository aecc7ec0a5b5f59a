//! Where the rows and cells of separated values end.
//!
//! Quotes, delimiters and line ends of 64 bytes are three words of bits. The parity of the quotes up to a byte says
//! whether it stands within quotes: a doubled quote closes a quoted part and opens it again at once. That is the grammar
//! of [`frame::csv`](crate::frame::csv) as long as each quote that opens stands where one may: at the start of a cell,
//! or right behind the one that closed. Another one (`5" pipe`) is *odd*: a kernel stops before it, so that all it says is
//! right, and the row is left to the code that looks at one byte after the other.
//!
//! So nothing is guessed, and a line end within quotes is as good as any other byte. There are two kernels. That of the
//! framer finds the ends of rows ([`LineEnds`]). That of the workers finds those of cells ([`Table`]), many rows at once,
//! and sees to it that they are valid UTF-8.

use std::ops::Range;

use super::lines::{self, GROUP_BYTES, LineEnds, NOWHERE};
use super::{BLOCK, Kernel, Lanes, Level, low_bits, utf8};
use crate::input::Csv;

/// A block is looked at together with so many bytes before it.
const BEFORE: usize = 3;

/// The bytes that give rows their shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signs {
    delimiter: u8,
    quote: u8,
}

impl Signs {
    /// None if one byte would have two meanings, or could be part of a character.
    pub(crate) fn new(csv: &Csv) -> Option<Self> {
        let Csv { delimiter, quote, .. } = *csv;
        let is_sign = |byte: u8| byte.is_ascii() && byte != b'\n' && byte != b'\r';
        let usual = is_sign(delimiter) && is_sign(quote) && delimiter != quote;
        usual.then_some(Self { delimiter, quote })
    }
}

/// What goes on from block to block.
struct Carry {
    /// All ones within quotes.
    quoted: u64,
    /// 1 if a quote may open at the next byte.
    may_open: u64,
}

impl Carry {
    const ROW_START: Self = Self { quoted: 0, may_open: 1 };
}

/// What stands where in a block.
struct Places {
    delimiters: u64,
    /// Line ends.
    lines: u64,
    /// All bytes within quotes.
    quoted: u64,
    /// Quotes that open where none may. Behind the first of them nothing here counts.
    odd: u64,
}

#[inline(always)]
fn places<L: Lanes>(
    lanes: L,
    block: L::Block,
    valid: u64,
    signs: Signs,
    carry: &mut Carry,
) -> Places {
    let equal = |byte| lanes.equal(block, lanes.splat(byte)) & valid;
    let (quotes, delimiters, lines) = (equal(signs.quote), equal(signs.delimiter), equal(b'\n'));
    let quoted = lanes.prefix_xor(quotes) ^ carry.quoted;
    carry.quoted = (quoted.cast_signed() >> 63).cast_unsigned();
    let any = quotes | delimiters | lines;
    let may_open = any << 1 | carry.may_open;
    carry.may_open = any >> 63;
    Places { delimiters, lines, quoted, odd: quotes & quoted & !may_open }
}

/// The bits below the lowest one that is set; all if none is.
#[inline(always)]
fn below(bits: u64) -> u64 {
    (bits & bits.wrapping_neg()).wrapping_sub(1)
}

impl LineEnds {
    /// Finds the line ends at the start of `bytes`, where a row begins, up to the first odd quote.
    ///
    /// # Panics
    ///
    /// If there are more than 4 GiB.
    pub(crate) fn find_in_rows(&mut self, level: Level, bytes: &[u8], signs: Signs) {
        self.start(bytes);
        level.run(FindInRows { lines: self, bytes, signs });
    }
}

struct FindInRows<'b, 'r> {
    lines: &'r mut LineEnds,
    bytes: &'b [u8],
    signs: Signs,
}

impl Kernel for FindInRows<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self { lines: LineEnds { offsets, quoted }, bytes, signs } = self;
        let mut carry = Carry::ROW_START;
        for (group, bytes) in bytes.chunks(GROUP_BYTES).enumerate() {
            quoted.push(NOWHERE);
            let quoted = quoted.last_mut().expect("one was added");
            let (mut lines, mut blocks) = (NOWHERE, 0);
            let mut odd = 0;
            for (block, bytes) in bytes.chunks(BLOCK).enumerate() {
                let (bytes, valid) = lines::load(lanes, bytes);
                let places = places(lanes, bytes, valid, signs, &mut carry);
                (lines[block], quoted[block]) = (places.lines, places.quoted);
                blocks |= u64::from(places.lines != 0) << block;
                odd = places.odd;
                if odd != 0 {
                    lines[block] &= below(odd);
                    break;
                }
            }
            offsets.append(lanes, &lines, blocks, group * GROUP_BYTES);
            if odd != 0 {
                return;
            }
        }
    }
}

#[cold]
#[inline(never)]
fn grow<T: Copy + Default>(all: &mut Vec<T>, len: usize) {
    all.resize(len.next_power_of_two(), T::default());
}

/// Where the cells of a stretch of rows end; the memory is used again from stretch to stretch.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    /// Offsets of delimiters and line ends outside quotes.
    ends: Vec<u32>,
    len: usize,
}

impl Cells {
    /// Room for what one more block gives.
    #[inline(always)]
    fn room(&mut self) -> &mut [u32; BLOCK] {
        if self.ends.len() < self.len + BLOCK {
            grow(&mut self.ends, self.len + BLOCK);
        }
        self.ends[self.len..].first_chunk_mut().expect("room was made for a block")
    }
}

/// Finds the cells of whole rows with nothing but line ends between them, one row after the other.
///
/// They are looked for up to the first byte at which something is wrong or unusual, and again from the row behind it.
#[derive(Debug)]
pub(crate) struct Table<'b, 'c> {
    level: Level,
    signs: Signs,
    /// So many cells are known at once, and not many more.
    cells_max: usize,
    /// Up to the end of the last row.
    bytes: &'b [u8],
    cells: &'c mut Cells,
    /// From here on bytes have been looked at.
    start: usize,
    /// The first end that has not been passed.
    next: usize,
}

/// A row whose cells are known: it is valid UTF-8, and its quotes stand where they should.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'b, 'c> {
    bytes: &'b [u8],
    start: usize,
    end: usize,
    /// Of each cell the end; of the last one that of the line.
    ends: &'c [u32],
}

impl<'b, 'c> Table<'b, 'c> {
    /// The rows are those at the end of `bytes`.
    ///
    /// # Panics
    ///
    /// If there are more than 4 GiB.
    pub(crate) fn new(
        level: Level,
        bytes: &'b [u8],
        signs: Signs,
        cells: &'c mut Cells,
        cells_max: usize,
    ) -> Self {
        assert!(u32::try_from(bytes.len()).is_ok(), "a block is smaller than 4 GiB");
        cells.len = 0;
        Self { level, signs, cells_max, bytes, cells, start: 0, next: 0 }
    }

    /// The row that stands at a place, which follows those of the calls before. None if it has more than `columns`
    /// cells, or if they cannot be known.
    #[inline(always)]
    pub(crate) fn row(&mut self, place: Range<usize>, columns: usize) -> Option<Row<'b, '_>> {
        let Range { start, end } = place;
        if self.next >= self.cells.len {
            self.find(start);
        }
        let ends = &self.cells.ends[..self.cells.len];
        // Empty lines are no rows.
        while (*ends.get(self.next)? as usize) < start {
            self.next += 1;
        }
        let first = self.next;
        let is_last = |at: usize| ends.get(at).is_some_and(|at| *at as usize >= end);
        // Nearly always there are as many cells as columns.
        let mut last = first + columns.saturating_sub(1);
        if !is_last(last) || last > first && is_last(last - 1) {
            last = (first..ends.len()).find(|at| is_last(*at)).unwrap_or(ends.len());
        }
        self.next = last + 1;
        let ends = ends.get(first..=last)?;
        // A `\r` belongs to the line end.
        let line_end = ends[ends.len() - 1] as usize;
        let ends_here = line_end == end || line_end == end + 1 && self.bytes[end] == b'\r';
        // So no character is cut, wherever the place is.
        let starts_here =
            start >= self.start && self.bytes.get(start).is_none_or(|byte| !is_continuation(*byte));
        let known = ends_here && starts_here && ends.len() <= columns;
        known.then_some(Row { bytes: self.bytes, start, end, ends })
    }

    /// Looks for cells from the start of a row on.
    #[inline(never)]
    fn find(&mut self, start: usize) {
        let Self { level, signs, cells_max, bytes, .. } = *self;
        (self.start, self.next, self.cells.len) = (start, 0, 0);
        level.run(FindCells { cells: self.cells, bytes, start, signs, cells_max });
    }
}

/// Whether the byte cannot be the first of a character.
fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

impl<'b> Row<'b, '_> {
    /// How many cells there are; at least one.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A cell with its quotes, by its index.
    #[inline(always)]
    pub(crate) fn cell(&self, index: usize) -> &'b str {
        let start =
            index.checked_sub(1).map_or(self.start, |before| self.ends[before] as usize + 1);
        let end = (self.ends[index] as usize).min(self.end);
        let cell = &self.bytes[start..end];
        // SAFETY: `FindCells` keeps the ends of cells up to the first error in UTF-8 only. A cell starts behind a delimiter,
        // or where a row does, which `Table::row` has looked at; it ends before a delimiter or a line end, which are ASCII.
        // So these are whole characters.
        unsafe { std::str::from_utf8_unchecked(cell) }
    }
}

struct FindCells<'c, 'b> {
    cells: &'c mut Cells,
    /// Up to the end of the stretch, where a line end is assumed.
    bytes: &'b [u8],
    start: usize,
    signs: Signs,
    cells_max: usize,
}

impl Kernel for FindCells<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self { cells, bytes, start, signs, cells_max } = self;
        let mut carry = Carry::ROW_START;
        let mut at = start;
        while at <= bytes.len() && cells.len <= cells_max {
            let direct = at.checked_sub(BEFORE).and_then(|from| bytes[from..].first_chunk());
            let goes_on = match direct {
                Some(window) => block(lanes, window, !0, at, signs, &mut carry, cells),
                None => {
                    // The line end behind the last row counts.
                    let valid = low_bits(bytes.len() - at + 1);
                    block(lanes, &padded(bytes, at), valid, at, signs, &mut carry, cells)
                }
            };
            if !goes_on {
                return;
            }
            at += BLOCK;
        }
    }
}

/// A block near the ends of the bytes, with line ends where there are none.
#[cold]
fn padded(bytes: &[u8], at: usize) -> [u8; BEFORE + BLOCK] {
    let mut window = [b'\n'; BEFORE + BLOCK];
    let from = at.saturating_sub(BEFORE);
    let there = &bytes[from..bytes.len().min(at + BLOCK)];
    let skipped = BEFORE - (at - from);
    window[skipped..skipped + there.len()].copy_from_slice(there);
    window
}

/// The block that starts so many bytes before the one looked at.
#[inline(always)]
fn earlier<L: Lanes, const BY: usize>(lanes: L, window: &[u8; BEFORE + BLOCK]) -> L::Block {
    lanes.load(window[BEFORE - BY..].first_chunk().expect("there are three bytes before a block"))
}

/// Adds the cells that end in a block. False if something is wrong there: behind that nothing is added.
#[inline(always)]
fn block<L: Lanes>(
    lanes: L,
    window: &[u8; BEFORE + BLOCK],
    valid: u64,
    at: usize,
    signs: Signs,
    carry: &mut Carry,
    cells: &mut Cells,
) -> bool {
    let bytes = earlier::<L, 0>(lanes, window);
    let places = places(lanes, bytes, valid, signs, carry);
    let mut wrong = places.odd;
    // With wide registers the check of every block is nearly free.
    if L::WIDE || lanes.top_bits(lanes.or(bytes, earlier::<L, 3>(lanes, window))) != 0 {
        let before = [
            earlier::<L, 1>(lanes, window),
            earlier::<L, 2>(lanes, window),
            earlier::<L, 3>(lanes, window),
        ];
        wrong |= utf8::errors(lanes, bytes, before) & valid;
    }
    let ends = (places.delimiters | places.lines) & !places.quoted & below(wrong);
    // No block of records is larger than 4 GiB.
    lanes.places(ends, at as u32, cells.room());
    cells.len += ends.count_ones() as usize;
    wrong == 0
}
