//! Separated values: where rows end, and where the cells of a row are.
//!
//! Both follow the same grammar, that of the `csv-core` crate, which the tests hold them to. A quote opens a quoted
//! part only as the first byte of a cell; in there a doubled quote stands for one, and a single one closes it. Whatever
//! follows up to the delimiter is text as it is, and so is a quote in a cell that did not start with one. A row ends at
//! a `\n` that is not within quotes, and a `\r` before that belongs to the line end. Empty lines and comments are no
//! rows. The header is a row like any other: csv-core itself would drop a byte order mark there that does not begin the
//! object.
//!
//! A quote that is never closed would swallow the rest of the object. So quotes count in the first
//! `record_bytes_max + 1` bytes of a row only: a row that has not ended there ends at the next `\n`, whatever it is.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use crate::block::FrameFault;
use crate::code::Code;
use crate::input::Csv;
use crate::simd::Level;
use crate::simd::cells::Signs;
use crate::simd::lines::LineEnds;

use super::Limits;
use super::rows::{Rule, Sort};

/// A cell of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// Offset of its first byte in the row, the quote if there is one.
    pub start: u32,
    /// One behind its last byte.
    pub end: u32,
    /// It starts with a quote.
    pub quoted: bool,
}

/// Splits a row, without its line end, into cells; `cells` is cleared first. A row has at least one cell.
///
/// The cells and the delimiters between them are the row. Offsets are 32 bits wide as in
/// [`Record`](crate::block::Record).
///
/// # Panics
///
/// If the row is larger than 4 GiB.
pub fn split(row: &[u8], csv: &Csv, cells: &mut Vec<Cell>) {
    cells.clear();
    let narrow = |index: usize| u32::try_from(index).expect("a row is smaller than 4 GiB");
    let mut start = 0;
    loop {
        let quoted = row.get(start) == Some(&csv.quote);
        let plain = if quoted { quoted_end(row, start + 1, csv.quote) } else { start };
        let end = memchr(csv.delimiter, &row[plain..]).map_or(row.len(), |length| plain + length);
        cells.push(Cell { start: narrow(start), end: narrow(end), quoted });
        if end == row.len() {
            return;
        }
        start = end + 1;
    }
}

/// One behind the quote that closes the quoted part that begins at `from`.
fn quoted_end(row: &[u8], from: usize, quote: u8) -> usize {
    let mut at = from;
    while let Some(length) = memchr(quote, &row[at..]) {
        at += length + 1;
        if row.get(at) != Some(&quote) {
            return at;
        }
        at += 1;
    }
    row.len()
}

/// What a cell says, without its quotes.
///
/// # Panics
///
/// If the cell is not one of this row.
pub fn text<'r>(row: &'r [u8], cell: Cell, csv: &Csv) -> Cow<'r, [u8]> {
    let bytes = &row[cell.start as usize..cell.end as usize];
    if !cell.quoted {
        return Cow::Borrowed(bytes);
    }
    let end = quoted_end(bytes, 1, csv.quote);
    let inside = bytes[1..end].strip_suffix(&[csv.quote]).unwrap_or(&bytes[1..end]);
    if end == bytes.len() && memchr(csv.quote, inside).is_none() {
        return Cow::Borrowed(inside);
    }
    let mut unquoted = Vec::with_capacity(bytes.len());
    let mut at = 1;
    while at < end {
        let length = memchr(csv.quote, &bytes[at..end]).unwrap_or(end - at);
        unquoted.extend_from_slice(&bytes[at..at + length]);
        at += length;
        // A doubled quote, for the one that closes stands last.
        if at + 1 < end {
            unquoted.push(csv.quote);
        }
        at += 2;
    }
    unquoted.extend_from_slice(&bytes[end..]);
    Cow::Owned(unquoted)
}

/// The column names that a header row holds.
pub(super) fn header(row: &[u8], csv: &Csv, utf8_replace: bool) -> Result<Vec<String>, FrameFault> {
    // As in the rows below it, characters come before cells.
    let (decoded, damaged) = csv.encoding.decode_without_bom_handling(row);
    if damaged && !utf8_replace {
        let message = "a column name cannot be read in the encoding of the input";
        return Err(FrameFault { code: Code::Unsound, message, at: 0 });
    }
    let row = decoded.as_bytes();
    let mut cells = Vec::new();
    split(row, csv, &mut cells);
    let name = |cell| {
        let cell = text(row, cell, csv);
        let name = String::from_utf8_lossy(&cell);
        if csv.trim { name.trim().to_owned() } else { name.into_owned() }
    };
    Ok(cells.into_iter().map(name).collect())
}

/// Where in its grammar a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte.
    Start,
    /// In a line that is no row.
    Comment,
    /// Outside quotes.
    Plain,
    /// Within quotes.
    Quoted,
    /// Behind a quote within quotes: another one makes it text, anything else makes it the closing one.
    Quote,
}

/// Finds the ends of rows.
pub(crate) struct CsvRule {
    /// Those of most rows are found many at once, by these instructions.
    many: Option<(Level, Signs)>,
    delimiter: u8,
    quote: u8,
    comment: Option<u8>,
    /// In so many bytes of a row quotes count.
    quotes_bytes_max: usize,
    state: State,
    /// How many of these bytes are done.
    done: usize,
    /// In state `Plain`: the next byte is the first of a cell.
    cell_starts: bool,
    /// Where in the row the last quoted part began.
    opened: u64,
    lines_inside: u64,
}

impl CsvRule {
    /// The rule of some settings.
    pub(crate) fn new(csv: &Csv, limits: Limits, level: Level) -> Self {
        // Hopping from sign to sign is faster where there are no registers for many bytes.
        let many = level.has_registers().then_some(level).zip(Signs::new(csv));
        Self {
            many,
            delimiter: csv.delimiter,
            quote: csv.quote,
            comment: csv.comment,
            quotes_bytes_max: limits.record_bytes_max + 1,
            state: State::Start,
            done: 0,
            cell_starts: true,
            opened: 0,
            lines_inside: 0,
        }
    }

    /// Outside quotes: goes on to the line end, which is returned, or to where a quoted part begins.
    fn find_quote_or_end(&mut self, bytes: &[u8], at: &mut usize) -> Option<usize> {
        let Some(length) = memchr2(self.quote, b'\n', &bytes[*at..]) else {
            *at = bytes.len();
            return None;
        };
        let found = *at + length;
        if bytes[found] == b'\n' {
            return Some(found);
        }
        let cell_starts =
            if found == 0 { self.cell_starts } else { bytes[found - 1] == self.delimiter };
        if cell_starts {
            self.state = State::Quoted;
            self.opened = (self.done + found) as u64;
        }
        // At index 0 this quote is now what precedes the next byte.
        self.cell_starts = false;
        *at = found + 1;
        None
    }

    /// Within quotes: goes on behind the next quote or line end.
    fn pass_quoted(&mut self, bytes: &[u8], at: &mut usize) {
        match memchr2(self.quote, b'\n', &bytes[*at..]) {
            None => *at = bytes.len(),
            Some(length) => {
                *at += length + 1;
                if bytes[*at - 1] == b'\n' {
                    self.lines_inside += 1;
                } else {
                    self.state = State::Quote;
                }
            }
        }
    }

    /// Looks for the line end as long as quotes count.
    fn find_unquoted_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            match self.state {
                State::Quoted => self.pass_quoted(bytes, &mut at),
                State::Quote if bytes[at] == self.quote => {
                    self.state = State::Quoted;
                    at += 1;
                }
                State::Quote => {
                    self.state = State::Plain;
                    self.cell_starts = false;
                }
                State::Start | State::Comment | State::Plain => {
                    if let Some(end) = self.find_quote_or_end(bytes, &mut at) {
                        return Some(end);
                    }
                }
            }
        }
        self.cell_starts = bytes.last().map_or(self.cell_starts, |&last| last == self.delimiter);
        self.done += bytes.len();
        None
    }
}

impl Rule for CsvRule {
    fn begin(&mut self) {
        self.state = State::Start;
        self.done = 0;
        self.cell_starts = true;
        self.lines_inside = 0;
    }

    fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        if self.state == State::Start {
            let comment = self.comment.is_some() && bytes.first() == self.comment.as_ref();
            self.state = if comment { State::Comment } else { State::Plain };
        }
        if self.state == State::Comment {
            return memchr(b'\n', bytes);
        }
        let counting = bytes.len().min(self.quotes_bytes_max - self.done);
        if let Some(end) = self.find_unquoted_end(&bytes[..counting]) {
            return Some(end);
        }
        memchr(b'\n', &bytes[counting..]).map(|length| counting + length)
    }

    fn find_ends(&self, window: &[u8], lines: &mut LineEnds) -> bool {
        if let Some((level, signs)) = self.many {
            lines.find_in_rows(level, window, signs);
        }
        self.many.is_some()
    }

    fn sort(&self, row: &[u8]) -> Sort {
        match row.first() {
            None => Sort::Skipped,
            first if self.comment.is_some() && first == self.comment.as_ref() => Sort::Unusual,
            Some(_) => Sort::Record,
        }
    }

    fn is_skipped(&self, size: u64, _: bool) -> bool {
        self.state == State::Comment || size == 0
    }

    fn lines_inside(&self) -> u64 {
        self.lines_inside
    }

    fn unclosed(&self) -> Option<u64> {
        (self.state == State::Quoted).then_some(self.opened)
    }
}
