//! Events and dead letters as they are served: JSON and a line for people.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde_json::Value;
use weir_engine::decimal::Decimal;
use weir_engine::output::fits_raw_data;

use super::append::PlanRef;

/// Where an event or a dead letter comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The object's name within the source.
    pub object_key: String,
    /// The version of its bytes.
    pub etag: String,
    /// The run that read it.
    pub run_id: String,
}

/// A part of a block's bytes, shared by all events of the block.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) data: Arc<Vec<u8>>,
    pub(crate) range: Range<usize>,
}

impl Part {
    fn bytes(&self) -> &[u8] {
        &self.data[self.range.clone()]
    }
}

/// An event as it is stored.
#[derive(Debug, Clone)]
pub struct StoredEvent {
    /// A name for the event that is unique among all stores.
    pub id: String,
    /// Its place in the order of commits.
    pub sequence: i64,
    /// The source.
    pub source_id: Arc<str>,
    /// What kind of source that is.
    pub source_type: Arc<str>,
    /// The event's id within the source.
    pub source_event_id: String,
    /// What kind of event it is.
    pub event_type: String,
    /// When it happened, in nanoseconds since 1970.
    pub event_time_ns: Option<i64>,
    /// When it was stored, in milliseconds since 1970.
    pub ingested_at_ms: i64,
    /// Who acted.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// What it was done to.
    pub target: String,
    /// Cost in USD.
    pub cost: Decimal,
    /// Input tokens.
    pub tokens_input: i64,
    /// Output tokens.
    pub tokens_output: i64,
    /// Further fields, as JSON text.
    pub extra: Option<String>,
    /// The program that made it.
    pub plan: Arc<PlanRef>,
    /// Where it comes from.
    pub origin: Arc<Origin>,
    /// Offset of its record in the object.
    pub byte_offset: u64,
    /// Offset behind its record.
    pub end_offset: u64,
    /// 0-based number of its record in the object.
    pub record_index: u64,
    /// Line that its record starts on, from 1; 0 if the format has no lines.
    pub line: u64,
    pub(crate) raw: Option<Part>,
    pub(crate) ocsf: Option<Part>,
}

impl StoredEvent {
    /// The record that it was made from, as far as it was kept.
    pub fn raw_payload(&self) -> Option<&[u8]> {
        self.raw.as_ref().map(Part::bytes)
    }

    /// Whether it has been mapped to OCSF.
    pub fn has_ocsf(&self) -> bool {
        self.ocsf.is_some()
    }

    /// The OCSF event without `raw_data`.
    pub(crate) fn ocsf_text(&self) -> Option<&[u8]> {
        self.ocsf.as_ref().map(Part::bytes)
    }

    /// Appends the OCSF event, with the record as `raw_data` unless it is too long there; `null` if there is none.
    pub fn write_ocsf(&self, out: &mut Vec<u8>) {
        let Some(ocsf) = &self.ocsf else { return out.extend_from_slice(b"null") };
        let chars_max = weir_dsl::ocsf::raw_data_chars_max(&self.plan.ocsf);
        let raw = self.raw_payload().filter(|raw| fits_raw_data(raw, chars_max));
        let (Some(raw), Some((_, body))) = (raw, ocsf.bytes().split_last()) else {
            return out.extend_from_slice(ocsf.bytes());
        };
        out.extend_from_slice(body);
        let is_empty = body.trim_ascii_end() == b"{";
        out.extend_from_slice(if is_empty { b"\"raw_data\":" } else { b",\"raw_data\":" });
        write_payload(out, raw);
        out.push(b'}');
    }

    /// Appends the event as a JSON object on one line, without a line end.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        let mut object = Object::begin(out);
        object.text("id", &self.id);
        object.number("sequence", self.sequence);
        object.text("source_id", &self.source_id);
        object.text("source_type", &self.source_type);
        object.text("source_event_id", &self.source_event_id);
        object.text("event_type", &self.event_type);
        object.optional_text("event_timestamp", self.event_time_ns.map(rfc3339_ns).as_deref());
        object.text("ingested_at", &rfc3339_ms(self.ingested_at_ms));
        object.text("actor", &self.actor);
        object.text("action", &self.action);
        object.text("target", &self.target);
        object.text("cost_usd", &self.cost.to_string());
        object.number("tokens_input", self.tokens_input);
        object.number("tokens_output", self.tokens_output);
        object.json("extra", self.extra.as_deref().unwrap_or("{}"));
        object.payload("raw_payload", "raw_encoding", self.raw_payload());
        self.write_ocsf(object.key("ocsf"));
        match self.plan.is_none() {
            true => {
                object.json("parser_version", "null");
                object.json("plan_hash", "null");
            }
            false => {
                object.number("parser_version", self.plan.version);
                object.text("plan_hash", &hex(&self.plan.hash));
            }
        }
        let mut origin = Object::begin(object.key("origin"));
        origin.text("object_key", &self.origin.object_key);
        origin.text("etag", &self.origin.etag);
        origin.number("byte_offset", self.byte_offset);
        origin.number("record_index", self.record_index);
        origin.text("run_id", &self.origin.run_id);
        origin.end();
        object.end();
    }

    /// The event on one line for people. What comes out of a log is hostile: control characters are
    /// escaped.
    pub fn line(&self) -> String {
        let time = self.event_time_ns.map_or_else(|| rfc3339_ms(self.ingested_at_ms), rfc3339_ns);
        let line = EventLine {
            time: &time,
            event_type: &self.event_type,
            action: &self.action,
            target: &self.target,
            cost: self.cost,
            tokens_input: self.tokens_input,
            tokens_output: self.tokens_output,
        };
        line.to_string()
    }
}

/// What stands on an event's line for people, wherever the event comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventLine<'a> {
    /// When it happened, or when it came.
    pub(crate) time: &'a str,
    pub(crate) event_type: &'a str,
    pub(crate) action: &'a str,
    pub(crate) target: &'a str,
    pub(crate) cost: Decimal,
    pub(crate) tokens_input: i64,
    pub(crate) tokens_output: i64,
}

impl std::fmt::Display for EventLine<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}  {}  {} -> {}  ${} {}/{} tok",
            Visible(self.time),
            Visible(self.event_type),
            Visible(self.action),
            Visible(self.target),
            four_places(self.cost),
            self.tokens_input,
            self.tokens_output
        )
    }
}

/// A dead letter as it is stored.
#[derive(Debug, Clone)]
pub struct StoredReject {
    /// Its number, growing in the order of commits.
    pub id: i64,
    /// The source.
    pub source_id: String,
    /// The program that refused it.
    pub plan: PlanRef,
    /// Where it comes from.
    pub origin: Origin,
    /// When it was stored, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// Reason, `R1xxx`.
    pub code: String,
    /// Reason, in words.
    pub message: String,
    /// Line of the program that refused; 0 if none did.
    pub mapping_line: u32,
    /// The field that could not be filled; may be empty.
    pub target: String,
    /// Offset of its record in the object.
    pub byte_offset: u64,
    /// Offset behind its record.
    pub end_offset: u64,
    /// 0-based number of its record in the object.
    pub record_index: u64,
    /// Line that its record starts on, from 1; 0 if the format has no lines.
    pub line: u64,
    /// The offending text; may be empty.
    pub text: String,
    /// The record, as far as it was kept.
    pub raw: Vec<u8>,
}

impl StoredReject {
    /// Appends the dead letter as a JSON object on one line, without a line end.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        let mut object = Object::begin(out);
        object.number("id", self.id);
        object.text("source_id", &self.source_id);
        object.text("run_id", &self.origin.run_id);
        object.number("parser_version", self.plan.version);
        object.text("plan_hash", &hex(&self.plan.hash));
        object.text("created_at", &rfc3339_ms(self.created_at_ms));
        object.text("reason_code", &self.code);
        object.text("message", &self.message);
        object.number("mapping_line", self.mapping_line);
        object.text("target", &self.target);
        object.text("object_key", &self.origin.object_key);
        object.text("etag", &self.origin.etag);
        object.number("byte_offset", self.byte_offset);
        object.number("end_offset", self.end_offset);
        object.number("record_index", self.record_index);
        object.number("line", self.line);
        object.text("text", &self.text);
        object.payload("raw", "raw_encoding", Some(&self.raw));
        object.end();
    }
}

/// Writes the members of a JSON object.
struct Object<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl<'a> Object<'a> {
    fn begin(out: &'a mut Vec<u8>) -> Object<'a> {
        out.push(b'{');
        Object { out, is_empty: true }
    }

    /// Writes a key; the caller writes the value.
    fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
        write_string(self.out, key);
        self.out.push(b':');
        self.out
    }

    fn json(&mut self, key: &str, json: &str) {
        self.key(key).extend_from_slice(json.as_bytes());
    }

    fn text(&mut self, key: &str, text: &str) {
        write_string(self.key(key), text);
    }

    fn optional_text(&mut self, key: &str, text: Option<&str>) {
        match text {
            Some(text) => self.text(key, text),
            None => self.json(key, "null"),
        }
    }

    fn number(&mut self, key: &str, number: impl Into<Value>) {
        self.json(key, &number.into().to_string());
    }

    /// Bytes and how they are written, under two keys.
    fn payload(&mut self, key: &str, encoding_key: &str, bytes: Option<&[u8]>) {
        let Some(bytes) = bytes else {
            self.json(key, "null");
            return self.json(encoding_key, "null");
        };
        let encoding = write_payload(self.key(key), bytes);
        self.text(encoding_key, encoding);
    }

    fn end(self) {
        self.out.push(b'}');
    }
}

/// Writes bytes as a JSON string: their text, or base64 if they are not UTF-8. Says which.
fn write_payload(out: &mut Vec<u8>, bytes: &[u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            write_string(out, text);
            "utf-8"
        }
        Err(_) => {
            write_string(out, &BASE64.encode(bytes));
            "base64"
        }
    }
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string can always be written to a Vec");
}

/// RFC 3339 in UTC, with as many decimals as it takes.
fn rfc3339_ns(ns: i64) -> String {
    // 64 bits of nanoseconds are years 1677 to 2262.
    Timestamp::from_nanosecond(i128::from(ns)).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

fn rfc3339_ms(ms: i64) -> String {
    // A clock beyond year 9999 is shown as the end of it.
    let end = if ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(ms).unwrap_or(end).to_string()
}

/// An amount for people: `0.0123`.
fn four_places(cost: Decimal) -> String {
    // What is too large to be rounded is shown as it is.
    let text = cost.round(4).unwrap_or(cost).to_string();
    match text.split_once('.') {
        None => format!("{text}.0000"),
        Some((whole, fraction)) => format!("{whole}.{fraction:0<4}"),
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}

/// Text with everything escaped that could move the cursor or turn the direction of writing.
pub(crate) struct Visible<'a>(pub(crate) &'a str);

impl std::fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            if c.is_control() || is_invisible(c) {
                write!(f, "{}", c.escape_unicode())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// Zero-width characters, line separators, direction marks and tags.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(raw: Option<&[u8]>, ocsf: Option<&str>) -> StoredEvent {
        let part = |bytes: &[u8]| Part { data: Arc::new(bytes.to_vec()), range: 0..bytes.len() };
        StoredEvent {
            id: "0000000000000001-7".to_owned(),
            sequence: 7,
            source_id: "s".into(),
            source_type: "s3_custom".into(),
            source_event_id: "e\"1".to_owned(),
            event_type: "api_activity".to_owned(),
            event_time_ns: Some(1_700_000_000_500_000_000),
            ingested_at_ms: 1_700_000_001_000,
            actor: "a@b".to_owned(),
            action: "completion".to_owned(),
            target: "model\u{1b}[2J\u{202e}".to_owned(),
            cost: Decimal::parse("0.012345").unwrap(),
            tokens_input: 12,
            tokens_output: 34,
            extra: Some(r#"{"k":"v"}"#.to_owned()),
            plan: Arc::new(PlanRef {
                hash: [0xab; 32],
                parser: "p".to_owned(),
                version: 3,
                ocsf: "1.8.0".to_owned(),
            }),
            origin: Arc::new(Origin {
                object_key: "k".to_owned(),
                etag: "t".to_owned(),
                run_id: "r".to_owned(),
            }),
            byte_offset: 10,
            end_offset: 20,
            record_index: 1,
            line: 2,
            raw: raw.map(part),
            ocsf: ocsf.map(|ocsf| part(ocsf.as_bytes())),
        }
    }

    fn json(event: &StoredEvent) -> Value {
        let mut out = Vec::new();
        event.write_json(&mut out);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn json_has_the_served_fields() {
        let json = json(&event(Some(b"{\"n\": 1}"), Some(r#"{"class_uid":6003}"#)));
        assert_eq!(
            json,
            serde_json::json!({
                "id": "0000000000000001-7", "sequence": 7, "source_id": "s",
                "source_type": "s3_custom", "source_event_id": "e\"1",
                "event_type": "api_activity", "event_timestamp": "2023-11-14T22:13:20.5Z",
                "ingested_at": "2023-11-14T22:13:21Z", "actor": "a@b", "action": "completion",
                "target": "model\u{1b}[2J\u{202e}", "cost_usd": "0.012345", "tokens_input": 12,
                "tokens_output": 34, "extra": {"k": "v"}, "raw_payload": "{\"n\": 1}",
                "raw_encoding": "utf-8",
                "ocsf": {"class_uid": 6003, "raw_data": "{\"n\": 1}"}, "parser_version": 3,
                "plan_hash": "ab".repeat(32),
                "origin": {"object_key": "k", "etag": "t", "byte_offset": 10, "record_index": 1,
                           "run_id": "r"},
            })
        );
    }

    #[test]
    fn raw_bytes_that_are_no_text_are_base64() {
        let json = json(&event(Some(b"\xff\x00"), Some("{}")));
        assert_eq!(json["raw_payload"], "/wA=");
        assert_eq!(json["raw_encoding"], "base64");
        assert_eq!(json["ocsf"], serde_json::json!({"raw_data": "/wA="}));
    }

    #[test]
    fn a_record_that_is_too_long_for_its_version_stays_out_of_the_ocsf_event() {
        for (version, bytes, is_there) in
            [("1.1.0", 65_535, true), ("1.1.0", 65_536, false), ("1.8.0", 65_536, true)]
        {
            let record = vec![b'x'; bytes];
            let mut event = event(Some(&record), Some("{}"));
            Arc::make_mut(&mut event.plan).ocsf = version.into();
            let json = json(&event);
            assert_eq!(json["raw_payload"].as_str().map(str::len), Some(bytes));
            assert_eq!(json["ocsf"].get("raw_data").is_some(), is_there, "{version} {bytes}");
        }
    }

    #[test]
    fn amounts_have_four_places() {
        for (cost, text) in
            [("0", "0.0000"), ("12", "12.0000"), ("-0.5", "-0.5000"), ("0.00006", "0.0001")]
        {
            assert_eq!(four_places(Decimal::parse(cost).unwrap()), text);
        }
    }

    #[test]
    fn absent_parts_are_null() {
        let mut event = event(None, None);
        event.event_time_ns = None;
        let json = json(&event);
        for key in ["raw_payload", "raw_encoding", "ocsf", "event_timestamp"] {
            assert!(json[key].is_null(), "{key}");
        }
        let json = self::json(&self::event(None, Some("{ }")));
        assert_eq!(json["ocsf"], serde_json::json!({}));
    }

    #[test]
    fn the_line_shows_hostile_text_escaped() {
        assert_eq!(
            event(None, None).line(),
            "2023-11-14T22:13:20.5Z  api_activity  completion -> model\\u{1b}[2J\\u{202e}  \
             $0.0123 12/34 tok"
        );
    }
}
