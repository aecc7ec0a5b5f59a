//! Rows and cells, by a state machine over single bytes.

use std::sync::Arc;

use weir_engine::code::Code;
use weir_engine::input::{Csv, Input};

use super::frame::{self, Framed};

/// Where a row stands.
#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Before the first byte of a cell.
    CellStart,
    /// In a cell, outside quotes.
    Plain,
    /// Within quotes.
    Quoted,
    /// Behind a quote within quotes.
    QuoteInQuoted,
}

impl State {
    /// The state behind one more byte of the row; a line end within quotes is text like any other.
    fn next(self, byte: u8, settings: &Csv) -> Self {
        match self {
            Self::Quoted if byte == settings.quote => Self::QuoteInQuoted,
            Self::Quoted => Self::Quoted,
            Self::QuoteInQuoted if byte == settings.quote => Self::Quoted,
            Self::CellStart if byte == settings.quote => Self::Quoted,
            _ if byte == settings.delimiter => Self::CellStart,
            _ => Self::Plain,
        }
    }
}

/// The rows of an object.
pub(super) fn frame(input: &Input, settings: &Csv, bytes: &[u8], start: usize) -> Vec<Framed> {
    let mut rows = Vec::new();
    let mut header = settings.columns.clone().map(Arc::new);
    let mut at = start;
    while at < bytes.len() {
        let (end, unclosed) = row_end(input, settings, bytes, at);
        let begin = at;
        at = end + 1;
        let is_comment = settings.comment == Some(bytes[begin]);
        if is_comment || frame::without_return(bytes, &(begin..end)) == begin {
            continue;
        }
        let mut row = frame::line_record(input, bytes, begin..end);
        if unclosed {
            row = match end < bytes.len() {
                true => Framed::of(begin..end, Some(Code::TooLong)),
                false => Framed { fault: row.fault.or(Some(Code::Unsound)), ..row },
            };
        }
        if let Some(header) = &header {
            rows.push(Framed { header: Arc::clone(header), ..row });
            continue;
        }
        match names(input, settings, &row, bytes) {
            Ok(names) => header = Some(Arc::new(names)),
            Err(fault) => return vec![Framed::of(begin..bytes.len(), Some(fault))],
        }
    }
    rows
}

/// Where the row ends that starts at `start`, and whether a quote is still open there.
fn row_end(input: &Input, settings: &Csv, bytes: &[u8], start: usize) -> (usize, bool) {
    if settings.comment == Some(bytes[start]) {
        return (frame::line_end(bytes, start), false);
    }
    let quotes_end = bytes.len().min(start + input.record_bytes_max as usize + 1);
    let mut state = State::CellStart;
    for (at, &byte) in bytes.iter().enumerate().take(quotes_end).skip(start) {
        if byte == b'\n' && state != State::Quoted {
            return (at, false);
        }
        state = state.next(byte, settings);
    }
    (frame::line_end(bytes, quotes_end), state == State::Quoted)
}

/// The column names of a header row.
fn names(input: &Input, settings: &Csv, row: &Framed, bytes: &[u8]) -> Result<Vec<String>, Code> {
    row.fault.map_or(Ok(()), Err)?;
    texts(input, settings, &bytes[row.range.clone()]).ok_or(Code::Unsound)
}

/// What the cells of a row say; nothing if its encoding does not have its bytes.
pub(super) fn texts(input: &Input, settings: &Csv, row: &[u8]) -> Option<Vec<String>> {
    let (text, damaged) = settings.encoding.decode_without_bom_handling(row);
    if damaged && !input.utf8_replace {
        return None;
    }
    let cells = cells(settings, text.as_bytes()).into_iter();
    let texts = cells.map(|cell| String::from_utf8_lossy(&cell).into_owned());
    Some(texts.map(|text| if settings.trim { text.trim().to_owned() } else { text }).collect())
}

/// The cells of a row, quotes removed.
pub(super) fn cells(settings: &Csv, row: &[u8]) -> Vec<Vec<u8>> {
    let mut cells = Vec::new();
    let mut cell = Vec::new();
    let mut state = State::CellStart;
    for &byte in row {
        let next = state.next(byte, settings);
        match (state, next) {
            (State::CellStart | State::Plain | State::QuoteInQuoted, State::CellStart) => {
                cells.push(std::mem::take(&mut cell));
            }
            // Opening and closing quotes are no text.
            (State::CellStart, State::Quoted) | (State::Quoted, State::QuoteInQuoted) => {}
            _ => cell.push(byte),
        }
        state = next;
    }
    cells.push(cell);
    cells
}

/// The bytes of each cell in a row, quotes and all.
pub(super) fn cell_ranges(settings: &Csv, row: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    let mut state = State::CellStart;
    for (at, &byte) in row.iter().enumerate() {
        state = state.next(byte, settings);
        if state == State::CellStart {
            ranges.push(start..at);
            start = at + 1;
        }
    }
    ranges.push(start..row.len());
    ranges
}
