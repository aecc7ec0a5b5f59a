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

use super::lines::{self, GROUP_BYTES, LineEnds, NOWHERE, Offsets};
use super::window::{BEFORE, Window, earlier, padded};
use super::{BLOCK, Kernel, Lanes, Level, low_bits, utf8};
use crate::input::Csv;
use crate::rows::{Rows, row_bit, rows_in};

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
#[derive(Clone, Copy)]
struct Carry {
    /// All ones within quotes.
    quoted: u64,
    /// 1 if a quote may open at the next byte.
    may_open: u64,
    /// Not 0 if a character may go on in the next block.
    not_ascii: u64,
}

impl Carry {
    const ROW_START: Self = Self { quoted: 0, may_open: 1, not_ascii: 0 };
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

/// Where the cells of a stretch of rows end; the memory is used again from stretch to stretch.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    /// Offsets of delimiters and line ends outside quotes.
    ends: Offsets,
    rows: Vec<Row>,
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
struct Row {
    /// Which one it is of those that were asked for together.
    row: u32,
    start: u32,
    end: u32,
    /// The index of the end of its first cell, and how many cells there are: at least one.
    first: u32,
    cells: u32,
}

/// Those of some rows whose cells are known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownRows<'b, 'c> {
    bytes: &'b [u8],
    /// Of each cell the end; of the last one of a row that of the line.
    ends: &'c [u32],
    rows: &'c [Row],
    known: Rows,
    /// All have so many cells.
    cells_min: usize,
    quote: u8,
}

/// The rows that have a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InColumn {
    pub(crate) there: Rows,
    /// Those in which it starts with a quote.
    pub(crate) quoted: Rows,
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
        cells.ends.clear();
        Self { level, signs, cells_max, bytes, cells, start: 0, next: 0 }
    }

    /// The rows that stand at these places, which follow those of the calls before; at most as many as [`Rows`] has. One is
    /// not known if it has more than `columns` cells, or if they cannot be known.
    pub(crate) fn rows(
        &mut self,
        places: impl Iterator<Item = Range<usize>>,
        columns: usize,
    ) -> KnownRows<'b, '_> {
        let mut rows = std::mem::take(&mut self.cells.rows);
        rows.clear();
        let (mut known, mut cells_min) = (0, columns);
        for (row, place) in (0..).zip(places) {
            if let Some(cells) = self.row(place.clone(), columns) {
                // As `bytes` are less than 4 GiB, which bounds the cells, too.
                let (start, end) = (place.start as u32, place.end as u32);
                cells_min = cells_min.min(cells.len());
                known |= row_bit(row as usize);
                let (first, cells) = (cells.start as u32, cells.len() as u32);
                rows.push(Row { row, start, end, first, cells });
            }
        }
        self.cells.rows = rows;
        let Cells { ends, rows } = &*self.cells;
        KnownRows {
            bytes: self.bytes,
            ends: ends.get(),
            rows,
            known,
            cells_min,
            quote: self.signs.quote,
        }
    }

    /// Which of the ends are those of the cells of a row.
    #[inline(always)]
    fn row(&mut self, place: Range<usize>, columns: usize) -> Option<Range<usize>> {
        let Range { start, end } = place;
        if self.next >= self.cells.ends.get().len() {
            self.find(start);
        }
        let ends = self.cells.ends.get();
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
        // A `\r` belongs to the line end.
        let line_end = *ends.get(last)? as usize;
        let ends_here = line_end == end || line_end == end + 1 && self.bytes[end] == b'\r';
        // So no character is cut, wherever the place is.
        let starts_here =
            start >= self.start && self.bytes.get(start).is_none_or(|byte| !is_continuation(*byte));
        let known = ends_here && starts_here && start <= end && last - first < columns;
        known.then_some(first..last + 1)
    }

    /// Looks for cells from the start of a row on.
    #[inline(never)]
    fn find(&mut self, start: usize) {
        let Self { level, signs, cells_max, bytes, .. } = *self;
        let ends = &mut self.cells.ends;
        (self.start, self.next) = (start, ends.get().len());
        level.run(FindCells { ends, bytes, start, signs, cells_max });
    }
}

/// Whether the byte cannot be the first of a character.
fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

impl<'b> KnownRows<'b, '_> {
    /// Which rows these are.
    pub(crate) fn known(&self) -> Rows {
        self.known
    }

    /// Those of more cells.
    #[inline(always)]
    fn wider_than(&self, cells: usize) -> Rows {
        if cells < self.cells_min {
            return self.known;
        }
        let wider = self.rows.iter().filter(|row| row.cells as usize > cells);
        wider.fold(0, |rows, row| rows | row_bit(row.row as usize))
    }

    /// Sets the cells of a column, with their quotes, each at the index of its row.
    pub(crate) fn column(&self, column: usize, texts: &mut [&'b str]) -> InColumn {
        let there = self.wider_than(column);
        let quoted = match column.checked_sub(1) {
            None => self.set(column, texts, |row| row.start as usize),
            Some(before) => {
                // Behind the delimiter.
                self.set(column, texts, |row| {
                    // SAFETY: as below.
                    let delimiter =
                        unsafe { *self.ends.get_unchecked(row.first as usize + before) };
                    delimiter as usize + 1
                })
            }
        };
        InColumn { there, quoted }
    }

    /// Sets the cells of a column that start there; gives the rows in which it starts with a quote.
    #[inline(always)]
    fn set(&self, column: usize, texts: &mut [&'b str], start_in: impl Fn(&Row) -> usize) -> Rows {
        let mut quoted = 0;
        for row in self.rows.iter().filter(|row| row.cells as usize > column) {
            let start = start_in(row);
            // SAFETY: the first of the ends and their number are those that `Table::row` has found there.
            let end = unsafe { *self.ends.get_unchecked(row.first as usize + column) };
            let end = end.min(row.end) as usize;
            // SAFETY: ends are in order and no larger than the number of bytes; the first lies behind the start of the row,
            // and the last but one before its end. `FindCells` keeps them up to the first error in UTF-8 only. A cell starts
            // behind a delimiter, or where a row does, which `Table::row` has looked at; it ends before a delimiter or a line
            // end, which are ASCII. So these are whole characters.
            let cell =
                unsafe { std::str::from_utf8_unchecked(self.bytes.get_unchecked(start..end)) };
            texts[row.row as usize] = cell;
            // Behind an empty cell stands no quote.
            let is_quoted = self.bytes.get(start) == Some(&self.quote);
            quoted |= u64::from(is_quoted) << row.row;
        }
        quoted
    }
}

struct FindCells<'c, 'b> {
    ends: &'c mut Offsets,
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
        let Self { ends, bytes, start, signs, cells_max } = self;
        let before = ends.get().len();
        let mut carry = Carry::ROW_START;
        let mut at = start;
        while at <= bytes.len() && ends.get().len() - before <= cells_max {
            let mut group = Group::look(lanes, bytes, at, signs, &mut carry);
            let is_text = group.stop_at_errors(lanes, bytes, at);
            ends.append(lanes, &group.ends, group.blocks, at);
            if group.odd || !is_text {
                return;
            }
            at += GROUP_BYTES;
        }
    }
}

/// What is known of a group of blocks.
struct Group {
    /// Delimiters and line ends that are no text.
    ends: lines::Places,
    /// The blocks that were looked at.
    blocks: u64,
    /// Those that hold parts of characters, or follow on one.
    not_ascii: u64,
    /// There is an odd quote, and nothing behind it.
    odd: bool,
}

impl Group {
    #[inline(always)]
    fn look<L: Lanes>(
        lanes: L,
        bytes: &[u8],
        start: usize,
        signs: Signs,
        carry: &mut Carry,
    ) -> Self {
        // As a local value it stays in registers.
        let mut carried = *carry;
        let mut ends = NOWHERE;
        let (mut blocks, mut not_ascii, mut odd) = (0, 0, 0);
        for (block, ends) in ends.iter_mut().enumerate() {
            let at = start + block * BLOCK;
            if at > bytes.len() || odd != 0 {
                break;
            }
            let (bytes, valid) = match bytes[at..].first_chunk() {
                Some(block) => (lanes.load(block), !0),
                // The line end behind the last row counts.
                None => {
                    (earlier::<L, 0>(lanes, &padded(bytes, at)), low_bits(bytes.len() - at + 1))
                }
            };
            let places = places(lanes, bytes, valid, signs, &mut carried);
            odd = places.odd;
            *ends = (places.delimiters | places.lines) & !places.quoted & below(odd);
            let top_bits = lanes.top_bits(bytes);
            not_ascii |= u64::from(top_bits | carried.not_ascii != 0) << block;
            carried.not_ascii = top_bits >> (BLOCK - BEFORE);
            blocks = block + 1;
        }
        *carry = carried;
        Self { ends, blocks: low_bits(blocks), not_ascii, odd: odd != 0 }
    }

    /// Drops what stands behind the first error in UTF-8. False if there is one.
    #[inline(always)]
    fn stop_at_errors<L: Lanes>(&mut self, lanes: L, bytes: &[u8], start: usize) -> bool {
        for block in rows_in(self.not_ascii) {
            let at = start + block * BLOCK;
            let direct = at.checked_sub(BEFORE).and_then(|from| bytes[from..].first_chunk());
            let errors = match direct {
                Some(window) => errors(lanes, window),
                None => errors(lanes, &padded(bytes, at)) & low_bits(bytes.len() - at + 1),
            };
            if errors != 0 {
                self.ends[block] &= below(errors);
                self.blocks &= low_bits(block + 1);
                return false;
            }
        }
        true
    }
}

/// Where a block is not valid UTF-8.
#[inline(always)]
fn errors<L: Lanes>(lanes: L, window: &Window) -> u64 {
    let before = [
        earlier::<L, 1>(lanes, window),
        earlier::<L, 2>(lanes, window),
        earlier::<L, 3>(lanes, window),
    ];
    utf8::errors(lanes, earlier::<L, 0>(lanes, window), before)
}
