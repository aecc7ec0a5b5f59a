//! What is written of events and rejects.

use super::{write_ocsf, write_reject};
use crate::input::Format;
use crate::plan::{Check, Raw, RedactStep, Stmt};
use crate::testing::{Builder, Ran, object, optional};
use crate::types::Type;

fn ocsf(ran: &Ran) -> String {
    let mut out = Vec::new();
    write_ocsf(&ran.block, &ran.batch, &ran.batch.events[0], &mut out);
    String::from_utf8(out).unwrap()
}

fn reject(ran: &Ran) -> String {
    let mut out = Vec::new();
    write_reject(&ran.plan, &ran.block, &object(), &ran.batch.rejects[0], &mut out);
    String::from_utf8(out).unwrap()
}

/// A plan with one member `a`.
fn plan(raw: Raw) -> Builder {
    let mut builder = Builder::ndjson();
    builder.plan.raw = raw;
    let a = builder.read("a", Type::Text);
    let a = builder.value("a", a, Check::Text);
    builder.emit_statement(vec![a]);
    builder
}

#[test]
fn the_raw_record_is_spliced_in() {
    let record = r#"{"id":"1","a":"x"}"#;
    let ran = plan(Raw::Keep).run(&[record]);
    let text = r#""{\"id\":\"1\",\"a\":\"x\"}""#;
    assert_eq!(ocsf(&ran), format!("{{\"a\":\"x\",\"raw_data\":{text}}}"));
    assert_eq!(ocsf(&plan(Raw::Drop).run(&[record])), r#"{"a":"x"}"#);
    let empty = plan(Raw::Keep).run(&[r#"{"id":"1"}"#]);
    assert_eq!(ocsf(&empty), r#"{"raw_data":"{\"id\":\"1\"}"}"#);
    let redact = Raw::Redact(vec![vec![RedactStep::Member("a".into())]]);
    let hidden = plan(redact).run(&[record]);
    assert_eq!(ocsf(&hidden), r#"{"a":"x","raw_data":"{\"id\":\"1\",\"a\":\"[redacted]\"}"}"#);
}

#[test]
fn bytes_that_are_no_text_are_base64() {
    let mut builder = plan(Raw::Keep);
    builder.plan.input.utf8_replace = true;
    let ran = builder.run_bytes(&[b"{\"id\":\"1\",\"a\":\"\xff\"}"], None, vec![]);
    assert_eq!(ocsf(&ran), "{\"a\":\"\u{fffd}\",\"raw_data\":\"eyJpZCI6IjEiLCJhIjoi/yJ9\"}");
    assert!(
        ran.written()[0]
            .contains(r#""raw_payload":"eyJpZCI6IjEiLCJhIjoi/yJ9","raw_encoding":"base64""#)
    );
}

#[test]
fn a_raw_record_that_is_too_long_stays_out_of_the_ocsf_event() {
    // A character may have several bytes, and bytes that are no text become four characters of base64 for three.
    let records: [(&[u8], u32); 3] =
        [(b"{\"id\":\"1\"}", 10), ("{\"id\":\"é\"}".as_bytes(), 10), (b"{\"id\":\"1\xff\"}", 16)];
    for (record, chars) in records {
        for (max, is_there) in [(chars - 1, false), (chars, true)] {
            let mut builder = plan(Raw::Keep);
            builder.plan.input.utf8_replace = true;
            builder.plan.raw_data_chars_max = Some(max);
            let ran = builder.run_bytes(&[record], None, vec![]);
            assert_eq!(ocsf(&ran).contains("raw_data"), is_there, "{}", record.escape_ascii());
            assert!(ran.written()[0].contains("raw_payload"), "the event itself keeps it");
        }
    }
}

#[test]
fn the_normalized_event() {
    let mut builder = plan(Raw::Keep);
    let cost = builder.read("cost", Type::Decimal);
    let tag = builder.read("a", Type::Text);
    builder.plan.emits[0].columns[5].value = cost;
    builder.plan.emits[0].extra = vec![("tag".into(), optional("x", tag, Check::Text))];
    let ran = builder.run(&[r#"{"id":"i\"1","a":"x","cost":0.0120}"#]);
    assert_eq!(
        ran.written(),
        [concat!(
            r#"{"source_event_id":"i\"1","event_timestamp":"2026-11-21T20:00:00.5Z","actor":"ann","#,
            r#""action":"read","target":"model","cost_usd":"0.012","tokens_input":0,"tokens_output":0,"#,
            r#""raw_payload":"{\"id\":\"i\\\"1\",\"a\":\"x\",\"cost\":0.0120}","raw_encoding":"utf-8","#,
            r#""extra":{"tag":"x"},"ocsf":{"a":"x"}}"#
        )]
    );
    let dropped = plan(Raw::Drop).run(&[r#"{"id":"1"}"#]);
    assert!(dropped.written()[0].ends_with(r#""tokens_output":0,"ocsf":{}}"#));
}

#[test]
fn rejects_say_where_and_why() {
    let ran = plan(Raw::Keep).run(&[r#"{"a":"x"}"#]);
    assert_eq!(
        reject(&ran),
        concat!(
            r#"{"code":"R1201","message":"event.id is missing","parser":"test","parser_version":3,"#,
            r#""line":7,"target":"event.id","object_key":"k/e\"y","record_index":0,"input_line":1,"#,
            r#""byte_offset":1000,"end_offset":1009,"text":"","raw":"{\"a\":\"x\"}","raw_encoding":"utf-8"}"#
        )
    );
    let redact = Raw::Redact(vec![vec![RedactStep::Member("a".into())]]);
    let broken = plan(redact).run(&["{\"a\":\"x\""]);
    assert!(reject(&broken).ends_with(r#""end_offset":1008,"text":""}"#), "{}", reject(&broken));
}

#[test]
fn documents_are_shown_like_lines() {
    let mut builder = Builder::new(Format::Json(crate::input::Records::default()));
    builder.plan.body.push(Stmt::Reject { reason: "no \u{1f600}".into(), line: 4 });
    let ran = builder.run(&["{\n}"]);
    assert!(reject(&ran).contains(r#""message":"no 😀""#));
    assert!(reject(&ran).contains(r#""raw":"{\n}""#));
}
