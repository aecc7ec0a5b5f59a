//! What the formats have in common whose records end with a line: a row, its line end, and rows that are none.

use std::ops::Range;
use std::sync::Arc;

use crate::block::FrameFault;
use crate::code::Code;
use crate::framer::Position;
use crate::input::Csv;
use crate::simd::lines::LineEnds;

use super::{Blocks, Broken, Found, Limits, Piece, Span, csv, is_space};

/// The ends of rows are looked for in so many bytes at once; in few at first, and where one was not as it should be.
const WINDOW_BYTES: Range<usize> = 1 << 10..64 << 10;

/// How a format finds the end of a row.
pub(crate) trait Rule {
    /// A row begins.
    fn begin(&mut self);

    /// The index of the `\n` that ends the row, if it is among `bytes`, which follow those of the last call.
    fn find_end(&mut self, bytes: &[u8]) -> Option<usize>;

    /// Finds the ends of rows in `window`, where one begins, as far as that can be done many at once; false if it cannot.
    fn find_ends(&self, window: &[u8], lines: &mut LineEnds) -> bool;

    /// What a row is that was found so.
    fn sort(&self, row: &[u8]) -> Sort;

    /// Whether the row that was just ended is no record; `blank` says that it holds nothing but white space.
    fn is_skipped(&self, size: u64, blank: bool) -> bool;

    /// How many line ends the row holds.
    fn lines_inside(&self) -> u64;

    /// Where in the row a quote was opened that is still not closed.
    fn unclosed(&self) -> Option<u64>;
}

/// What a row may be.
pub(crate) enum Sort {
    /// A record, if it is not too long.
    Record,
    /// None, whatever its size.
    Skipped,
    /// To be found byte by byte. What seems to stand behind it may be wrong.
    Unusual,
}

/// A row that has begun.
struct Row {
    span: Span,
    /// What of it went by with earlier chunks is white space.
    blank: bool,
    /// Its last byte in an earlier chunk.
    last: u8,
}

/// Frames rows by a rule.
pub(crate) struct Rows<R> {
    rule: R,
    limits: Limits,
    line: u64,
    row: Option<Row>,
    /// The settings of a CSV object whose header row has still to come, and whether U+FFFD may stand in it.
    header: Option<(Csv, bool)>,
    broken: Option<Broken>,
    /// A fault ended the object in an earlier run.
    ended: bool,
    /// Memory for rows that are found together.
    lines: LineEnds,
    /// They are looked for in so many bytes at once.
    window_bytes: usize,
}

impl<R: Rule> Rows<R> {
    /// Rows from `position` on.
    pub(crate) fn new(rule: R, limits: Limits, position: &Position) -> Self {
        let (line, ended) = (position.line, position.ended);
        Self {
            rule,
            limits,
            line,
            row: None,
            header: None,
            broken: None,
            ended,
            lines: LineEnds::default(),
            window_bytes: WINDOW_BYTES.start,
        }
    }

    /// The first row holds the column names.
    pub(crate) fn with_header(mut self, csv: Csv, utf8_replace: bool) -> Self {
        self.header = Some((csv, utf8_replace));
        self
    }

    /// Frames the chunk from an index on, until it ends or a block is ready; returns where it stands.
    pub(crate) fn frame(&mut self, piece: &Piece<'_>, from: usize, blocks: &mut Blocks) -> usize {
        let mut at = from;
        while at < piece.bytes.len() && !blocks.is_ready() {
            if self.ended || self.broken.is_some() {
                return piece.bytes.len();
            }
            if self.row.is_none() {
                let behind = self.frame_many(piece, at, blocks);
                if behind > at {
                    at = behind;
                    continue;
                }
                self.rule.begin();
                let span = Span::new(piece.at(at), self.limits.record_bytes_max);
                self.row = Some(Row { span, blank: true, last: 0 });
            }
            let Some(length) = self.rule.find_end(&piece.bytes[at..]) else {
                return piece.bytes.len();
            };
            self.end_row(piece, at + length, 1, blocks);
            at += length + 1;
        }
        at
    }

    /// Frames rows with which nothing is wrong, from the start of one on; returns where it stands.
    fn frame_many(&mut self, piece: &Piece<'_>, from: usize, blocks: &mut Blocks) -> usize {
        if self.header.is_some() {
            return from;
        }
        let bytes = &piece.bytes[from..];
        let window = &bytes[..bytes.len().min(self.window_bytes)];
        if !self.rule.find_ends(window, &mut self.lines) {
            return from;
        }
        let mut start = 0;
        // Within the row.
        let mut lines = 0;
        for end in self.lines.offsets() {
            if self.lines.is_quoted(*end) {
                lines += 1;
                continue;
            }
            let end = *end as usize;
            let row = &window[start..end];
            let row = row.strip_suffix(b"\r").unwrap_or(row);
            let sort = self.rule.sort(row);
            if row.len() > self.limits.record_bytes_max || matches!(sort, Sort::Unusual) {
                // So no more is found in vain than was found before.
                self.window_bytes = WINDOW_BYTES.start;
                return from + start;
            }
            let line = self.line;
            self.line += std::mem::take(&mut lines) + 1;
            if matches!(sort, Sort::Record) {
                let place = from + start..from + start + row.len();
                blocks.add_row(piece, place, from + end + 1, line..self.line);
                if blocks.is_ready() {
                    return from + end + 1;
                }
            }
            start = end + 1;
        }
        self.window_bytes = (2 * self.window_bytes).min(WINDOW_BYTES.end);
        from + start
    }

    /// Keeps what is needed of a chunk that goes.
    pub(crate) fn save(&mut self, piece: &Piece<'_>) {
        if let Some(broken) = &mut self.broken {
            broken.span.save(piece);
        } else if let Some(row) = &mut self.row {
            let part = &piece.bytes[piece.index(row.span.start)..];
            row.blank = row.blank && part.iter().all(|&byte| is_space(byte));
            row.last = part.last().copied().unwrap_or(row.last);
            row.span.save(piece);
        }
    }

    /// The object has ended: its last line may lack the line end.
    pub(crate) fn finish(&mut self, piece: &Piece<'_>, blocks: &mut Blocks) {
        if self.row.is_some() && self.broken.is_none() {
            self.end_row(piece, piece.bytes.len(), 0, blocks);
        }
        if let Some(broken) = self.broken.take() {
            broken.finish(piece, self.line, blocks);
        }
    }

    /// Ends the row before the index `end`, where its line end of `line_end_bytes` stands.
    fn end_row(&mut self, piece: &Piece<'_>, end: usize, line_end_bytes: u64, blocks: &mut Blocks) {
        let Some(mut row) = self.row.take() else { return };
        let part = &piece.bytes[piece.index(row.span.start)..end];
        let whole = piece.at(end) - row.span.start;
        let carriage_return = whole > 0 && *part.last().unwrap_or(&row.last) == b'\r';
        let size = whole - u64::from(carriage_return);

        let line = self.line;
        self.line += self.rule.lines_inside() + line_end_bytes;
        let blank = row.blank && part.iter().all(|&byte| is_space(byte));
        if self.rule.is_skipped(size, blank) {
            return;
        }
        let fault = self.fault(size, line_end_bytes == 0);
        if let Some((csv, utf8_replace)) = self.header.take() {
            let header = match fault {
                Some(fault) => Err(fault),
                None => csv::header(&row.span.clone().bytes(piece, size), &csv, utf8_replace),
            };
            match header {
                Ok(header) => blocks.set_header(Arc::new(header)),
                // Without the header no row can be read, so that all of the object is refused.
                Err(fault) => self.broken = Some(Broken { span: row.span, line, fault }),
            }
            return;
        }
        let found = Found {
            // Of a row that is too long the line end is unknown to be one, so all of it counts.
            size: if fault.is_some_and(|fault| fault.code == Code::TooLong) { whole } else { size },
            line,
            fault,
            end: piece.at(end) + line_end_bytes,
            line_end: self.line,
            open: 0,
            ended: false,
        };
        blocks.add(piece, &mut row.span, found);
    }

    fn fault(&self, size: u64, at_object_end: bool) -> Option<FrameFault> {
        let unclosed = self.rule.unclosed();
        // A quote that is open at a line end was closed by force: the limit had been passed.
        if size > self.limits.record_bytes_max as u64 || unclosed.is_some() && !at_object_end {
            return Some(self.limits.too_long());
        }
        unclosed.map(|at| FrameFault { code: Code::Unsound, message: "a quote is not closed", at })
    }
}
