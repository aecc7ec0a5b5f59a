//! What is shown and stored of a record as it came.
//!
//! Redaction replaces values in the bytes themselves, so that all else stays byte for byte. It hides more than a path
//! reads: every member of a name and not only the first, and every column. What is absent is not added, but a value
//! that is there and blank is replaced, so that nobody sees that it is.

use std::borrow::Cow;

use crate::block::{Record, RecordBlock};
use crate::frame::csv::{self, Cell};
use crate::input::{Csv, Format};
use crate::plan::{Plan, Raw, RedactStep};
use crate::project::{skip, string};
use crate::sound;

/// What stands in the place of a redacted value.
const REDACTED: &[u8] = b"[redacted]";
const REDACTED_JSON: &[u8] = b"\"[redacted]\"";

/// What may be shown of a record that was refused, or stored with its events.
///
/// Nothing if the program says `raw drop` or `raw hash`, or if it redacts and the record is too broken to find the paths in.
pub fn stored_raw<'b>(
    plan: &Plan,
    block: &'b RecordBlock,
    record: &Record,
) -> Option<Cow<'b, [u8]>> {
    let bytes = record.bytes(block);
    match &plan.raw {
        Raw::Keep => Some(Cow::Borrowed(bytes)),
        Raw::Drop | Raw::Hash => None,
        Raw::Redact(paths) => {
            let header = block.header.as_ref().map(|header| header.as_slice());
            let mut out = Vec::with_capacity(bytes.len());
            let whole = record.fault.is_none() && is_readable(plan, bytes);
            (whole && redact(plan, paths, bytes, header, &mut out)).then_some(Cow::Owned(out))
        }
    }
}

/// Can paths be found in it?
fn is_readable(plan: &Plan, bytes: &[u8]) -> bool {
    let replaced = match plan.input.format {
        // Rows are looked at cell by cell.
        Format::Csv(_) => return true,
        Format::Ndjson | Format::Json(_) if plan.input.utf8_replace => {
            String::from_utf8_lossy(bytes)
        }
        Format::Ndjson | Format::Json(_) => {
            return sound::check(bytes, plan.input.depth_max).is_ok();
        }
    };
    sound::check(replaced.as_bytes(), plan.input.depth_max).is_ok()
}

/// Writes a readable record with the values at `paths` replaced; false if its cells do not fit its header.
pub(crate) fn redact(
    plan: &Plan,
    paths: &[Vec<RedactStep>],
    bytes: &[u8],
    header: Option<&[String]>,
    out: &mut Vec<u8>,
) -> bool {
    match &plan.input.format {
        Format::Ndjson | Format::Json(_) => {
            redact_json(bytes, paths, out);
            true
        }
        Format::Csv(csv) => {
            let header = header.or(csv.columns.as_deref()).unwrap_or_default();
            redact_row(bytes, csv, header, paths, out)
        }
    }
}

fn redact_row(
    row: &[u8],
    csv: &Csv,
    header: &[String],
    paths: &[Vec<RedactStep>],
    out: &mut Vec<u8>,
) -> bool {
    let mut cells = Vec::new();
    csv::split(row, csv, &mut cells);
    if cells.len() > header.len() {
        return false;
    }
    let is_wanted = |name: &String| {
        paths.iter().any(|path| matches!(path.first(), Some(RedactStep::Member(n)) if n == name))
    };
    let mut copied = 0;
    for (Cell { start, end, .. }, name) in cells.into_iter().zip(header) {
        let (start, end) = (start as usize, end as usize);
        if is_wanted(name) {
            out.extend_from_slice(&row[copied..start]);
            out.extend_from_slice(REDACTED);
            copied = end;
        }
    }
    out.extend_from_slice(&row[copied..]);
    true
}

fn redact_json(bytes: &[u8], paths: &[Vec<RedactStep>], out: &mut Vec<u8>) {
    let active: Vec<_> = paths.iter().map(Vec::as_slice).collect();
    let mut redaction = Redaction { bytes, copied: 0, out };
    redaction.piece(skip::space(bytes, 0), &active);
    let Redaction { copied, out, .. } = redaction;
    out.extend_from_slice(&bytes[copied..]);
}

/// What is left of the paths that lead here.
type Active<'p> = [&'p [RedactStep]];

struct Redaction<'r> {
    bytes: &'r [u8],
    /// What stands before this is written.
    copied: usize,
    out: &'r mut Vec<u8>,
}

impl Redaction<'_> {
    /// Goes over what stands from `start` to the next separator; gives that.
    fn piece(&mut self, start: usize, active: &Active<'_>) -> usize {
        if active.is_empty() {
            return skip::to_separator(self.bytes, start);
        }
        if active.iter().any(|rest| rest.is_empty()) {
            let separator = skip::to_separator(self.bytes, start);
            let end = skip::space_back(self.bytes, start, separator);
            self.replace(start, end);
            return separator;
        }
        let end = skip::value(self.bytes, start);
        let separator = skip::space(self.bytes, end);
        if !skip::is_separator(self.bytes, separator) {
            // More than one value is no object and no array, so no path leads into it.
            return skip::to_separator(self.bytes, separator);
        }
        match self.bytes.get(start) {
            Some(b'{') => self.object(start + 1, active),
            Some(b'[') => self.array(start + 1, active),
            _ => {}
        }
        separator
    }

    fn replace(&mut self, start: usize, end: usize) {
        self.out.extend_from_slice(&self.bytes[self.copied..start]);
        self.out.extend_from_slice(REDACTED_JSON);
        self.copied = end;
    }

    fn object(&mut self, mut at: usize, active: &Active<'_>) {
        loop {
            let separator = self.member(skip::space(self.bytes, at), active);
            if self.bytes.get(separator) != Some(&b',') {
                return;
            }
            at = separator + 1;
        }
    }

    fn member(&mut self, quote: usize, active: &Active<'_>) -> usize {
        if self.bytes.get(quote) != Some(&b'"') {
            return skip::to_separator(self.bytes, quote);
        }
        let key_end = skip::string(self.bytes, quote);
        let colon = skip::space(self.bytes, key_end);
        if self.bytes.get(colon) != Some(&b':') {
            return skip::to_separator(self.bytes, colon);
        }
        let key = self.bytes.get(quote + 1..key_end - 1).unwrap_or_default();
        let below = below_member(active, key);
        self.piece(skip::space(self.bytes, colon + 1), &below)
    }

    fn array(&mut self, at: usize, active: &Active<'_>) {
        let mut start = skip::space(self.bytes, at);
        if self.bytes.get(start) == Some(&b']') {
            return;
        }
        let mut index = 0_u32;
        loop {
            // Looked for again by `piece`, but only along the few paths that are redacted.
            let separator = skip::to_separator(self.bytes, start);
            let last = self.bytes.get(separator) != Some(&b',');
            let below: Vec<_> =
                active.iter().filter_map(|path| below_element(path, index, last)).collect();
            self.piece(start, &below);
            if last {
                return;
            }
            start = skip::space(self.bytes, separator + 1);
            index = index.saturating_add(1);
        }
    }
}

/// The paths that lead on through a member, whose key is given as it stands between its quotes.
fn below_member<'p>(active: &Active<'p>, key: &[u8]) -> Vec<&'p [RedactStep]> {
    // Names are compared as the projection does, with what is no UTF-8 replaced.
    let key = String::from_utf8_lossy(key);
    let mut text = String::new();
    if string::unescape_into(&key, &mut text).is_none() {
        return Vec::new();
    }
    let leads_on = |path: &&'p [RedactStep]| match path.split_first() {
        Some((RedactStep::Member(name), rest)) if *name == text => Some(rest),
        _ => None,
    };
    active.iter().filter_map(leads_on).collect()
}

/// What is left of a path behind an element, if it leads there.
fn below_element<'p>(path: &&'p [RedactStep], index: u32, last: bool) -> Option<&'p [RedactStep]> {
    let (step, rest) = path.split_first()?;
    let leads_on = match step {
        RedactStep::Elements => true,
        RedactStep::Element(wanted) => *wanted == index,
        RedactStep::Last => last,
        RedactStep::Member(_) => false,
    };
    leads_on.then_some(rest)
}

#[cfg(test)]
mod tests;
