//! Redaction, of what is stored and of what is shown.

use std::borrow::Cow;

use proptest::prelude::*;

use super::{redact_json, stored_raw};
use crate::input::{Csv, Format};
use crate::plan::{Raw, RedactStep};
use crate::testing::{Builder, block};

/// Steps from `a.b[0].c[last].d[*]`.
fn path(text: &str) -> Vec<RedactStep> {
    let parts = text.split(['.', '[']).filter(|part| !part.is_empty());
    parts
        .map(|part| match part.strip_suffix(']') {
            Some("last") => RedactStep::Last,
            Some("*") => RedactStep::Elements,
            Some(index) => RedactStep::Element(index.parse().unwrap()),
            None => RedactStep::Member(part.to_owned()),
        })
        .collect()
}

fn redacted(record: &str, paths: &[&str]) -> String {
    let paths: Vec<_> = paths.iter().map(|text| path(text)).collect();
    let mut out = Vec::new();
    redact_json(record.as_bytes(), &paths, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn values_are_replaced_and_all_else_stays() {
    assert_eq!(
        redacted(r#" {"a" : {"x":1} , "b":2,"c":null, "a":"y" } "#, &["a", "c"]),
        r#" {"a" : "[redacted]" , "b":2,"c":"[redacted]", "a":"[redacted]" } "#
    );
    assert_eq!(
        redacted(r#"{"u":{"p":"1","\u0070":[2],"q":3},"u":{"p":4}}"#, &["u.p"]),
        r#"{"u":{"p":"[redacted]","\u0070":"[redacted]","q":3},"u":{"p":"[redacted]"}}"#
    );
    assert_eq!(redacted(r#"{"b":1}"#, &["a", "b.c", "b[*]"]), r#"{"b":1}"#);
}

#[test]
fn elements_are_replaced() {
    let record = r#"{"s":[{"a":1},{"a":[2],"b":3},4]}"#;
    assert_eq!(
        redacted(record, &["s[*].a"]),
        r#"{"s":[{"a":"[redacted]"},{"a":"[redacted]","b":3},4]}"#
    );
    assert_eq!(
        redacted(record, &["s[0]", "s[last]"]),
        r#"{"s":["[redacted]",{"a":[2],"b":3},"[redacted]"]}"#
    );
    assert_eq!(redacted(r#"{"s":[ ]}"#, &["s[*]", "s[0]"]), r#"{"s":[ ]}"#);
}

#[test]
fn the_outer_of_nested_paths_wins() {
    assert_eq!(redacted(r#"{"a":{"b":1}}"#, &["a.b", "a"]), r#"{"a":"[redacted]"}"#);
}

#[test]
fn what_is_no_json_value_is_replaced_whole() {
    assert_eq!(
        redacted(r#"{"a":1 {"b":2} ,"c":,"d":[1]x}"#, &["a", "c", "d[0]"]),
        r#"{"a":"[redacted]" ,"c":"[redacted]","d":[1]x}"#
    );
}

fn stored(builder: Builder, record: &[u8], header: Option<&[&str]>) -> Option<String> {
    let block = block(&[record], header, vec![]);
    let stored = stored_raw(&builder.plan, &block, &block.records[0]);
    stored.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

#[test]
fn the_program_says_what_is_stored() {
    let with = |raw| {
        let mut builder = Builder::ndjson();
        builder.plan.raw = raw;
        builder
    };
    let redact = || with(Raw::Redact(vec![path("a")]));
    assert_eq!(stored(with(Raw::Keep), b"{oops", None).unwrap(), "{oops");
    assert_eq!(stored(with(Raw::Drop), b"{}", None), None);
    assert_eq!(stored(redact(), br#"{"a":1}"#, None).unwrap(), r#"{"a":"[redacted]"}"#);
    // Too broken to find the paths in.
    assert_eq!(stored(redact(), br#"{"a":1"#, None), None);
    assert_eq!(stored(redact(), b"{\"a\":1,\"b\":\"\xff\"}", None), None);
    let mut lossy = redact();
    lossy.plan.input.utf8_replace = true;
    assert_eq!(
        stored(lossy, b"{\"a\":1,\"b\":\"\xff\"}", None).unwrap(),
        "{\"a\":\"[redacted]\",\"b\":\"\u{fffd}\"}"
    );
}

#[test]
fn records_that_are_kept_are_not_copied() {
    let builder = Builder::ndjson();
    let block = block(&[b"{}"], None, vec![]);
    let stored = stored_raw(&builder.plan, &block, &block.records[0]);
    assert!(matches!(stored, Some(Cow::Borrowed(b"{}"))));
}

#[test]
fn cells_are_replaced() {
    let csv = || {
        let mut builder = Builder::new(Format::Csv(Csv { delimiter: b';', ..Csv::default() }));
        builder.plan.raw = Raw::Redact(vec![path("b"), path("x")]);
        builder
    };
    let header: Option<&[&str]> = Some(&["a", "b", "c", "b"]);
    let stored = |row: &str| stored(csv(), row.as_bytes(), header);
    assert_eq!(stored("1;\"x;\"\"y\";3;4").unwrap(), "1;[redacted];3;[redacted]");
    assert_eq!(stored("1;;3").unwrap(), "1;[redacted];3");
    assert_eq!(stored("1").unwrap(), "1");
    // A stray delimiter has shifted the values.
    assert_eq!(stored("1;2;3;4;5"), None);
}

proptest! {
    #[test]
    fn any_sound_record_is_redacted(
        record in "\\{(\"[ab]\":|[\\[\\]{}\",1 \\\\]|\"x\"|\\[\\{\"a\":\"secret\"\\}\\]){0,12}\\}",
        paths in proptest::collection::vec("(\\.[ab]|\\[\\*\\]|\\[0\\]|\\[last\\]){1,3}", 1..3),
    ) {
        let mut builder = Builder::ndjson();
        builder.plan.raw = Raw::Redact(paths.iter().map(|text| path(text)).collect());
        let sound = crate::sound::check(record.as_bytes(), 64).is_ok();
        match stored(builder, record.as_bytes(), None) {
            // Values were replaced by values, so it is as sound as before.
            Some(shown) => prop_assert!(sound && crate::sound::check(shown.as_bytes(), 64).is_ok()),
            None => prop_assert!(!sound),
        }
    }
}
