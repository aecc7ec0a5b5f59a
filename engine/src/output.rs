//! Events and rejects as JSON, one object each, without a line end.
//!
//! The OCSF event is stored without its `raw_data`: a record that gives many events is stored once, and its bytes are
//! spliced in here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::batch::{Batch, Event, RawRef, Reject};
use crate::block::RecordBlock;
use crate::emit::json::{write_displayed, write_int, write_string, write_time};
use crate::plan::{ObjectMeta, Plan};
use crate::raw;

/// Writes the OCSF event, with the raw record in `raw_data` unless the program says `raw drop`, or it is too long there.
pub fn write_ocsf(block: &RecordBlock, batch: &Batch, event: &Event, out: &mut Vec<u8>) {
    let ocsf = batch.bytes(event.ocsf);
    let raw = raw_of(block, batch, event).filter(|_| event.raw_fits_ocsf);
    let Some(raw) = raw else { return out.extend_from_slice(ocsf) };
    let members = ocsf.strip_suffix(b"}").unwrap_or(ocsf);
    out.extend_from_slice(members);
    if members != b"{" {
        out.push(b',');
    }
    out.extend_from_slice(b"\"raw_data\":");
    write_raw(raw, out);
    out.push(b'}');
}

/// Writes the normalized event, with the OCSF event in `ocsf`.
pub fn write_event(block: &RecordBlock, batch: &Batch, event: &Event, out: &mut Vec<u8>) {
    let text = |range| String::from_utf8_lossy(batch.bytes(range));
    out.extend_from_slice(b"{\"source_event_id\":");
    write_string(&text(event.id), out);
    out.extend_from_slice(b",\"event_timestamp\":");
    write_time(event.time_ns, out);
    for (key, range) in [
        (",\"actor\":", event.actor),
        (",\"action\":", event.action),
        (",\"target\":", event.target),
    ] {
        out.extend_from_slice(key.as_bytes());
        write_string(&text(range), out);
    }
    write_displayed(format_args!(",\"cost_usd\":\"{}\"", event.cost_usd), out);
    out.extend_from_slice(b",\"tokens_input\":");
    write_int(event.tokens_input, out);
    out.extend_from_slice(b",\"tokens_output\":");
    write_int(event.tokens_output, out);
    write_payload("raw_payload", raw_of(block, batch, event), out);
    let extra = batch.bytes(event.extra);
    if !extra.is_empty() {
        out.extend_from_slice(b",\"extra\":");
        out.extend_from_slice(extra);
    }
    out.extend_from_slice(b",\"ocsf\":");
    out.extend_from_slice(batch.bytes(event.ocsf));
    out.push(b'}');
}

/// Writes a reject, with the record as the program's `raw` line lets it be shown.
pub fn write_reject(
    plan: &Plan,
    block: &RecordBlock,
    object: &ObjectMeta,
    reject: &Reject,
    out: &mut Vec<u8>,
) {
    let record = &block.records[reject.record as usize];
    write_displayed(format_args!("{{\"code\":\"{}\",\"message\":", reject.code.as_str()), out);
    write_string(&reject.message, out);
    out.extend_from_slice(b",\"parser\":");
    write_string(&plan.parser, out);
    let (version, line) = (plan.parser_version, reject.line);
    write_displayed(format_args!(",\"parser_version\":{version},\"line\":{line},\"target\":"), out);
    write_string(&reject.target, out);
    out.extend_from_slice(b",\"object_key\":");
    write_string(&object.key, out);
    let (index, line, start) = (record.index, record.line, record.offset);
    let end = start.saturating_add(record.size);
    write_displayed(format_args!(",\"record_index\":{index},\"input_line\":{line}"), out);
    write_displayed(format_args!(",\"byte_offset\":{start},\"end_offset\":{end},\"text\":"), out);
    write_string(&reject.text, out);
    write_payload("raw", raw::stored_raw(plan, block, record).as_deref(), out);
    out.push(b'}');
}

/// The raw record of an event, if one is stored.
pub fn raw_of<'b>(block: &'b RecordBlock, batch: &'b Batch, event: &Event) -> Option<&'b [u8]> {
    match event.raw {
        RawRef::Record => Some(block.records[event.record as usize].bytes(block)),
        RawRef::Text(range) => Some(batch.bytes(range)),
        RawRef::None => None,
    }
}

/// Whether `raw_data` may hold a raw record, of which base64 is written if it is no text.
pub fn fits_raw_data(raw: &[u8], chars_max: Option<u32>) -> bool {
    let Some(max) = chars_max.map(|max| max as usize) else { return true };
    match std::str::from_utf8(raw) {
        // No text has more characters than bytes.
        Ok(text) => raw.len() <= max || text.chars().count() <= max,
        Err(_) => raw.len().div_ceil(3) * 4 <= max,
    }
}

/// Writes a member with raw bytes, and how they are written.
fn write_payload(name: &str, raw: Option<&[u8]>, out: &mut Vec<u8>) {
    let Some(raw) = raw else { return };
    write_displayed(format_args!(",\"{name}\":"), out);
    let encoding = write_raw(raw, out);
    write_displayed(format_args!(",\"raw_encoding\":\"{encoding}\""), out);
}

/// Writes raw bytes as a JSON string, which must be text; gives the encoding.
fn write_raw(raw: &[u8], out: &mut Vec<u8>) -> &'static str {
    if let Ok(text) = std::str::from_utf8(raw) {
        write_string(text, out);
        "utf-8"
    } else {
        write_string(&STANDARD.encode(raw), out);
        "base64"
    }
}

#[cfg(test)]
mod tests;
