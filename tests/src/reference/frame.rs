//! Where the records of an object are, found with the whole object at hand.

use std::ops::Range;
use std::sync::Arc;

use weir_engine::code::Code;
use weir_engine::input::{Format, Input};

use super::{csv, document, json};

/// Of a refused record so many bytes are kept at most.
const KEPT_BYTES_MAX: usize = 64 << 10;

/// A record, or a stretch of the object that is refused.
#[derive(Debug, Clone)]
pub(super) struct Framed {
    /// Its bytes in the object, without the line end.
    pub(super) range: Range<usize>,
    /// Why it is refused.
    pub(super) fault: Option<Code>,
    /// The column names of a CSV object.
    pub(super) header: Arc<Vec<String>>,
    /// The wanted wrapper members, as JSON texts.
    pub(super) wrapper: Arc<Vec<Option<String>>>,
}

impl Framed {
    pub(super) fn of(range: Range<usize>, fault: Option<Code>) -> Self {
        Self { range, fault, header: Arc::default(), wrapper: Arc::default() }
    }

    /// What is kept of its bytes.
    pub(super) fn kept(&self, input: &Input) -> Range<usize> {
        let limit = match self.fault {
            None => usize::MAX,
            Some(_) => KEPT_BYTES_MAX.min(input.record_bytes_max as usize),
        };
        self.range.start..self.range.start + self.range.len().min(limit)
    }
}

/// The records of an object, in order.
pub(super) fn frame(input: &Input, bytes: &[u8]) -> Vec<Framed> {
    let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    match &input.format {
        Format::Ndjson => lines(input, bytes, start),
        Format::Json(records) => document::frame(input, records, bytes, start),
        Format::Csv(settings) => csv::frame(input, settings, bytes, start),
    }
}

/// Lines that are not blank.
fn lines(input: &Input, bytes: &[u8], start: usize) -> Vec<Framed> {
    let mut records = Vec::new();
    let mut at = start;
    while at < bytes.len() {
        let end = line_end(bytes, at);
        if bytes[at..end].iter().any(|&byte| !json::is_space(byte)) {
            records.push(line_record(input, bytes, at..end));
        }
        at = end + 1;
    }
    records
}

/// The index of the next `\n`, or the end.
pub(super) fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |length| from + length)
}

/// A line without its `\r`; too long ones are refused whole.
pub(super) fn line_record(input: &Input, bytes: &[u8], line: Range<usize>) -> Framed {
    let end = without_return(bytes, &line);
    if end - line.start > input.record_bytes_max as usize {
        return Framed::of(line, Some(Code::TooLong));
    }
    Framed::of(line.start..end, None)
}

/// The end of a line without a `\r` that belongs to its line end.
pub(super) fn without_return(bytes: &[u8], line: &Range<usize>) -> usize {
    let returned = !line.is_empty() && bytes[line.end - 1] == b'\r';
    line.end - usize::from(returned)
}
