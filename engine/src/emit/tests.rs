//! Events of plans by hand.

use proptest::prelude::*;
use regex::Regex;

use super::json;
use crate::plan::{
    Check, Column, Constant, Echo, Element, Expr, Field, Handler, Member, Object, OutputNode,
    Policy, Stmt, TextLimits,
};
use crate::testing::{Builder, optional};
use crate::types::Type;
use crate::value::Value;

/// A record whose only id is `1`, with further members.
fn record(members: &str) -> String {
    format!("{{\"id\":\"1\",{members}}}")
}

/// The event of one text field read from `.a` with some handlers, or the reject.
fn with_field(members: &str, change: impl FnOnce(&mut Builder, &mut Field)) -> String {
    let mut builder = Builder::ndjson();
    let a = builder.read("a", Type::Int);
    let mut field = optional("a.b", a, Check::Int(0, 99));
    change(&mut builder, &mut field);
    let member = builder.member("v", OutputNode::Value(field));
    builder.emit_statement(vec![member]);
    let ran = builder.run(&[&record(members)]);
    match ran.rejects().first() {
        Some(reject) => reject.clone(),
        None => format!("{} skipped {}", ran.only(), ran.batch.skipped_values),
    }
}

#[test]
fn policies_decide_about_what_is_missing_or_invalid() {
    let plain = |_: &mut Builder, _: &mut Field| {};
    assert_eq!(with_field(r#""a":7"#, plain), "{\"v\":7} skipped 0");
    assert_eq!(with_field(r#""b":7"#, plain), "{} skipped 0");
    assert_eq!(with_field(r#""a":"x""#, plain), "{} skipped 1");
    assert_eq!(with_field(r#""a":100"#, plain), "{} skipped 1");
    let strict = |_: &mut Builder, field: &mut Field| {
        (field.missing, field.invalid) = (Policy::Reject, Policy::Reject);
    };
    assert_eq!(with_field(r#""b":7"#, strict), "R1201:7 a.b | a.b is missing | ");
    assert_eq!(with_field(r#""a":"x""#, strict), "R1204:7 a.b | \"x\" is not a whole number | x");
    assert_eq!(
        with_field(r#""a":100"#, strict),
        "R1204:7 a.b | \"100\" is not a whole number in range | 100"
    );
    let hidden = |_: &mut Builder, field: &mut Field| {
        (field.invalid, field.redacted) = (Policy::Reject, true);
    };
    assert_eq!(
        with_field(r#""a":"x""#, hidden),
        "R1204:7 a.b | a value that is not shown is not a whole number | "
    );
}

#[test]
fn handlers_come_before_policies() {
    let default = |b: &mut Builder, field: &mut Field| {
        let (five, c) = (b.int(5), b.read("c", Type::Int));
        field.on_missing = Some(Handler::Value(c));
        field.on_invalid = Some(Handler::Value(five));
        (field.missing, field.invalid) = (Policy::Reject, Policy::Reject);
    };
    assert_eq!(with_field(r#""c":6"#, default), "{\"v\":6} skipped 0");
    assert_eq!(with_field(r#""a":"x""#, default), "{\"v\":5} skipped 0");
    // A value that does not fit is invalid as well.
    assert_eq!(with_field(r#""a":100"#, default), "{\"v\":5} skipped 0");
    // A handler without a value leaves it to the policy of its own outcome.
    assert_eq!(with_field(r#""b":1"#, default), "R1201:7 a.b | a.b is missing | ");
    assert_eq!(with_field(r#""c":"y""#, default), "R1204:7 a.b | \"y\" is not a whole number | y");
    let reversed = |_: &mut Builder, field: &mut Field| {
        (field.on_missing, field.on_invalid) = (Some(Handler::Reject), Some(Handler::Skip));
        field.invalid = Policy::Reject;
    };
    assert_eq!(with_field(r#""b":1"#, reversed), "R1201:7 a.b | a.b is missing | ");
    assert_eq!(with_field(r#""a":"x""#, reversed), "{} skipped 1");
}

#[test]
fn columns_are_written_and_seen_by_expressions() {
    let mut builder = Builder::ndjson();
    let cost = builder.expr(Expr::Column(Column::CostUsd));
    let cost = builder.value("cost", cost, Check::Decimal);
    let time = builder.expr(Expr::Column(Column::Time));
    let time = builder.value("time", time, Check::EventTime);
    let emit = builder.emit(vec![cost, time]);
    let a = builder.read("a", Type::Decimal);
    let tokens = builder.read("n", Type::Int);
    let tag = builder.read("t", Type::Text);
    let emit_ = &mut builder.plan.emits[usize::from(emit)];
    emit_.columns[5].value = a;
    emit_.columns[6].value = tokens;
    emit_.extra = vec![
        ("tag".into(), optional("event.extra.tag", tag, Check::Text)),
        ("again".into(), optional("event.extra.again", tag, Check::Text)),
    ];
    builder.plan.body.push(Stmt::Emit(emit));
    let ran = builder
        .run(&[r#"{"id":"1","a":"0.250","n":12,"t":"x\"y"}"#, r#"{"id":"2","a":"many","n":-1}"#]);
    assert_eq!(ran.batch.rejects, []);
    assert_eq!(
        ran.ocsf(),
        [r#"{"cost":0.25,"time":1795291200500}"#, r#"{"cost":0,"time":1795291200500}"#]
    );
    let [first, second] = &ran.batch.events[..] else { panic!("two events") };
    assert_eq!((first.tokens_input, second.tokens_input), (12, 0));
    assert_eq!(ran.batch.bytes(first.extra), br#"{"tag":"x\"y","again":"x\"y"}"#);
    assert_eq!(ran.batch.bytes(second.extra), b"");
    assert_eq!(ran.batch.bytes(second.action), b"read");
    assert_eq!(first.time_ns, 1_795_291_200_500_000_000);
    // Two values of the second record could not be used.
    assert_eq!(ran.batch.skipped_values, 2);
}

#[test]
fn of_several_failures_the_first_in_the_program_is_reported() {
    let mut builder = Builder::ndjson();
    let a = builder.read("a", Type::Text);
    let required = |target: &str, position| Field {
        missing: Policy::Reject,
        position,
        ..optional(target, a, Check::Text)
    };
    let first = builder.member("x", OutputNode::Value(required("x", 9)));
    let second = builder.member("y", OutputNode::Value(required("y", 8)));
    builder.emit_statement(vec![first, second]);
    let ran = builder.run(&["{}", r#"{"id":"1"}"#]);
    // The id stands behind both.
    assert_eq!(ran.rejects(), ["R1201:7 y | y is missing | ", "R1201:7 y | y is missing | "]);
    assert_eq!(ran.batch.text, b"");
}

#[test]
fn event_columns_never_take_an_empty_text() {
    let mut builder = Builder::ndjson();
    builder.plan.input.empty_is_missing = false;
    builder.emit_statement(vec![]);
    let ran = builder.run(&[r#"{"id":""}"#]);
    assert_eq!(ran.rejects(), ["R1201:7 event.id | event.id is missing | "]);
}

#[test]
fn a_time_with_the_wrong_unit_is_refused() {
    let mut builder = Builder::ndjson();
    let emit = builder.emit(vec![]);
    let time = builder.read("t", Type::Timestamp);
    builder.plan.emits[usize::from(emit)].columns[1].value = time;
    builder.plan.body.push(Stmt::Emit(emit));
    let ran = builder.run(&[
        r#"{"id":"1","t":"1999-12-31T23:59:59.9Z"}"#,
        r#"{"id":"2","t":"2000-01-01T00:00:00Z"}"#,
        r#"{"id":"3","t":"2100-01-01T00:00:00Z"}"#,
        r#"{"id":"4","t":"yesterday"}"#,
    ]);
    assert_eq!(ran.ids(), ["2"]);
    assert_eq!(
        ran.rejects(),
        [
            "R1205:7 event.time | \"1999-12-31T23:59:59.9Z\" is not a time between 2000 and 2100 | 1999-12-31T23:59:59.9Z",
            "R1205:7 event.time | \"2100-01-01T00:00:00Z\" is not a time between 2000 and 2100 | 2100-01-01T00:00:00Z",
            "R1204:7 event.time | \"yesterday\" is not a timestamp | yesterday",
        ]
    );
}

/// The event of one member `v` that is checked, read from `.a`.
fn checked(members: &str, ty: Type, check: Check) -> String {
    let mut builder = Builder::ndjson();
    let a = builder.read("a", ty);
    let member = builder.value("v", a, check);
    builder.emit_statement(vec![member]);
    builder.run(&[&record(members)]).only().to_owned()
}

#[test]
fn values_are_checked_and_written_for_their_target() {
    let limits = |limits| Check::LimitedText(Box::new(limits));
    let mail = || TextLimits {
        pattern: Some(Regex::new("^.+@.+$").unwrap()),
        noun: "an e-mail address",
        ..TextLimits::default()
    };
    let short = || TextLimits { chars_max: Some(3), noun: "short", ..TextLimits::default() };
    let word =
        || TextLimits { values: vec!["GET".into()], noun: "a method", ..TextLimits::default() };
    let utc = r#""a":"2026-11-21T20:00:00.1239Z""#;
    let before_1970 = r#""a":"1969-12-31T23:59:59.9999Z""#;
    for (members, ty, check, expected) in [
        (r#""a":"a@b""#, Type::Text, limits(mail()), r#"{"v":"a@b"}"#),
        (r#""a":"ab""#, Type::Text, limits(mail()), "{}"),
        (r#""a":"äöü""#, Type::Text, limits(short()), r#"{"v":"äöü"}"#),
        (r#""a":"abcd""#, Type::Text, limits(short()), "{}"),
        (r#""a":"GET""#, Type::Text, limits(word()), r#"{"v":"GET"}"#),
        (r#""a":"get""#, Type::Text, limits(word()), "{}"),
        (r#""a":7"#, Type::Int, Check::Enum(vec![1, 7]), "{\"v\":7}"),
        (r#""a":8"#, Type::Int, Check::Enum(vec![1, 7]), "{}"),
        (r#""a":8"#, Type::Int, Check::Decimal, "{\"v\":8}"),
        (r#""a":8.50"#, Type::Decimal, Check::Decimal, "{\"v\":8.5}"),
        (r#""a":8.50"#, Type::Decimal, Check::Float, "{\"v\":8.5}"),
        (r#""a":1e300"#, Type::Float, Check::Float, "{\"v\":1e300}"),
        (r#""a":true"#, Type::Bool, Check::Bool, "{\"v\":true}"),
        (utc, Type::Timestamp, Check::EpochMillis, "{\"v\":1795291200123}"),
        (before_1970, Type::Timestamp, Check::EpochMillis, "{\"v\":-1}"),
        (utc, Type::Timestamp, Check::Rfc3339, r#"{"v":"2026-11-21T20:00:00.1239Z"}"#),
        (r#""a":"::FFFF:1.2.3.4""#, Type::Ip, Check::Ip, r#"{"v":"::ffff:1.2.3.4"}"#),
        (r#""a":{"b": [1]}"#, Type::Json, Check::Json, r#"{"v":{"b": [1]}}"#),
        // A text is no number, whatever it looks like: the compiler asks for conversions.
        (r#""a":"8""#, Type::Text, Check::Int(0, 9), "{}"),
    ] {
        let name = format!("{check:?}");
        assert_eq!(checked(members, ty, check), expected, "{members} {name}");
    }
}

#[test]
fn lists_of_texts_are_checked_one_by_one() {
    let event = |members: &str| {
        let mut builder = Builder::ndjson();
        let items = ["a", "b"].map(|name| builder.read(name, Type::Text));
        let list = builder.expr(Expr::List(items.to_vec()));
        let limits = TextLimits { chars_max: Some(2), noun: "short", ..TextLimits::default() };
        let field = Field {
            invalid: Policy::Reject,
            ..optional("v", list, Check::List(Box::new(Check::LimitedText(Box::new(limits)))))
        };
        let member = builder.member("v", OutputNode::Value(field));
        builder.emit_statement(vec![member]);
        let ran = builder.run(&[&record(members)]);
        ran.rejects().first().cloned().unwrap_or_else(|| ran.only().to_owned())
    };
    assert_eq!(event(r#""a":"x","b":"y""#), r#"{"v":["x","y"]}"#);
    assert_eq!(event(r#""b":"y""#), r#"{"v":["y"]}"#);
    assert_eq!(event(r#""a":"x","b":"yyy""#), "R1204:7 v | \"yyy\" is not short | yyy");
    assert_eq!(event(r#""c":1"#), "{}");
}

/// A required member that is read from a path.
fn required(builder: &mut Builder, name: &str, path: &str) -> Member {
    let value = builder.read(path, Type::Text);
    Member { required: true, ..builder.value(name, value, Check::Text) }
}

#[test]
fn empty_and_incomplete_objects_are_left_out() {
    let mut builder = Builder::ndjson();
    let name = required(&mut builder, "name", "n");
    let mail = builder.read("m", Type::Text);
    let mail = builder.value("mail", mail, Check::Text);
    let user = builder.object("user", vec![mail, name]);
    let actor = Member { required: true, ..builder.object("actor", vec![user]) };
    let app = builder.read("app", Type::Text);
    let app = builder.value("app", app, Check::Text);
    builder.emit_statement(vec![app, actor]);
    let ran = builder.run(&[
        &record(r#""n":"ann","m":"a@b""#),
        &record(r#""n":"ann","app":"x""#),
        &record(r#""m":"a@b","app":"x""#),
    ]);
    assert_eq!(
        ran.ocsf(),
        [
            r#"{"actor":{"user":{"mail":"a@b","name":"ann"}}}"#,
            r#"{"app":"x","actor":{"user":{"name":"ann"}}}"#
        ]
    );
    let reason = "R1210:90 actor | api_activity needs actor, which was left out | ";
    assert_eq!(ran.rejects(), [reason]);
}

#[test]
fn one_of_several_members_can_be_needed() {
    let mut builder = Builder::ndjson();
    let [a, b, c] = ["a", "b", "c"].map(|name| {
        let value = builder.read(name, Type::Text);
        builder.value(name, value, Check::Text)
    });
    let (a_number, c_number) = (a.present, c.present);
    let deep = builder.object("deep", vec![c]);
    let emit = builder.emit(vec![a, b, deep]);
    let root = &mut builder.plan.emits[usize::from(emit)].root;
    root.at_least_one = vec![vec![a_number, c_number]];
    builder.plan.body.push(Stmt::Emit(emit));
    let ran = builder.run(&[&record(r#""b":"x""#), &record(r#""c":"x""#), &record(r#""a":"x""#)]);
    assert_eq!(ran.ocsf(), [r#"{"deep":{"c":"x"}}"#, r#"{"a":"x"}"#]);
    let reason = "R1210:90 a, deep.c | api_activity needs a, deep.c, which was left out | ";
    assert_eq!(ran.rejects(), [reason]);
}

#[test]
fn members_of_objects_that_were_left_out_are_not_present() {
    let mut builder = Builder::ndjson();
    let a = builder.read("a", Type::Text);
    let a = builder.value("a", a, Check::Text);
    let a_number = a.present;
    let b = required(&mut builder, "b", "b");
    let inner = builder.object("inner", vec![a, b]);
    let other = builder.read("c", Type::Text);
    let other = builder.value("c", other, Check::Text);
    let emit = builder.emit(vec![inner, other]);
    builder.plan.emits[usize::from(emit)].root.at_least_one = vec![vec![a_number]];
    builder.plan.body.push(Stmt::Emit(emit));
    let ran = builder.run(&[&record(r#""a":"x","c":"y""#), &record(r#""a":"x","b":"y""#)]);
    assert_eq!(ran.ocsf(), [r#"{"inner":{"a":"x","b":"y"}}"#]);
    assert_eq!(ran.rejects().len(), 1);
}

#[test]
fn of_members_that_exclude_each_other_the_first_stays() {
    let mut builder = Builder::ndjson();
    let [first, second] = ["a", "b"].map(|name| {
        let value = builder.read(name, Type::Text);
        builder.value(name, value, Check::Text)
    });
    let second = Member { unless: vec![first.present], ..second };
    builder.emit_statement(vec![first, second]);
    let ran = builder.run(&[&record(r#""a":"x","b":"y""#), &record(r#""b":"y""#)]);
    assert_eq!(ran.ocsf(), [r#"{"a":"x"}"#, r#"{"b":"y"}"#]);
}

#[test]
fn fillers_need_company() {
    let mut builder = Builder::ndjson();
    let a = builder.read("a", Type::Text);
    let a = builder.value("a", a, Check::Text);
    let service = builder.member("service", OutputNode::Constant("{\"name\":\"s\"}".into()));
    let service = Member { filler: true, ..service };
    let context = builder.object("context", vec![a, service]);
    builder.emit_statement(vec![context]);
    let ran = builder.run(&[&record(r#""a":"x""#), &record(r#""b":"y""#)]);
    assert_eq!(ran.ocsf(), [r#"{"context":{"a":"x","service":{"name":"s"}}}"#, "{}"]);
}

#[test]
fn guards_leave_objects_out() {
    let mut builder = Builder::ndjson();
    let guard = builder.read("g", Type::Bool);
    let a = builder.read("a", Type::Text);
    let field = Field { missing: Policy::Reject, ..optional("a", a, Check::Text) };
    let a = builder.member("a", OutputNode::Value(field));
    let object = Object { members: vec![a], guard: Some(guard), ..Object::default() };
    let object = builder.member("o", OutputNode::Object(object));
    builder.emit_statement(vec![object]);
    let ran = builder.run(&[
        &record(r#""g":true,"a":"x""#),
        // Nothing in it is evaluated.
        &record(r#""g":false"#),
        &record(r#""g":"?""#),
        &record(r#""b":1"#),
        &record(r#""g":true"#),
    ]);
    assert_eq!(ran.ocsf(), [r#"{"o":{"a":"x"}}"#, "{}", "{}", "{}"]);
    assert_eq!(ran.rejects(), ["R1201:7 a | a is missing | "]);
}

#[test]
fn enums_bring_their_captions() {
    let mut builder = Builder::ndjson();
    let number = builder.read("n", Type::Int);
    let field = optional("activity_id", number, Check::Enum(vec![1, 2, 99]));
    let word = builder.read("w", Type::Text);
    let caption = Echo {
        key: "\"activity_name\":".into(),
        texts: vec![(1, "\"Create\"".into()), (99, "\"Other\"".into())],
        other: Some(word),
        check: Check::Text,
    };
    let uid = Echo {
        key: "\"type_uid\":".into(),
        texts: vec![(1, "600301".into()), (2, "600302".into()), (99, "600399".into())],
        other: None,
        check: Check::Text,
    };
    let member = builder.member("activity_id", OutputNode::Enum(field, vec![caption, uid]));
    builder.emit_statement(vec![member]);
    let ran = builder.run(&[
        &record(r#""n":1,"w":"x""#),
        &record(r#""n":2,"w":"x""#),
        &record(r#""n":99,"w":"a\"b""#),
        &record(r#""n":99"#),
        &record(r#""n":99,"w":[]"#),
        &record(r#""n":3"#),
    ]);
    assert_eq!(
        ran.ocsf(),
        [
            r#"{"activity_id":1,"activity_name":"Create","type_uid":600301}"#,
            r#"{"activity_id":2,"type_uid":600302}"#,
            r#"{"activity_id":99,"activity_name":"a\"b","type_uid":600399}"#,
            r#"{"activity_id":99,"activity_name":"Other","type_uid":600399}"#,
            r#"{"activity_id":99,"activity_name":"Other","type_uid":600399}"#,
            "{}",
        ]
    );
}

#[test]
fn lists_hold_the_complete_objects() {
    let mut builder = Builder::ndjson();
    let first = required(&mut builder, "name", "a");
    let (array, scope) = (builder.slot(0, "files"), builder.scope(0));
    let name = builder.read_in(scope, "name", Type::Text);
    let name = Member { required: true, ..builder.value("name", name, Check::Text) };
    let size = builder.read_in(scope, "size", Type::Int);
    let size = builder.value("size", size, Check::Int(0, 9));
    let object = |members| Object { members, ..Object::default() };
    let list = OutputNode::List(vec![
        Element::One(object(vec![first])),
        Element::Each { array, scope, max: 3, object: object(vec![size, name]) },
    ]);
    let list = builder.member("resources", list);
    builder.emit_statement(vec![list]);
    let ran = builder.run(&[
        &record(r#""a":"x","files":[{"name":"f","size":1},{"size":2},{"name":"g"},{"name":"h"}]"#),
        &record(r#""files":[{"size":1}, 7]"#),
        &record(r#""files":{"name":"f"}"#),
        &record(r#""a":"x""#),
    ]);
    assert_eq!(
        ran.ocsf(),
        [
            r#"{"resources":[{"name":"x"},{"size":1,"name":"f"},{"name":"g"}]}"#,
            "{}",
            "{}",
            r#"{"resources":[{"name":"x"}]}"#,
        ]
    );
    assert_eq!(ran.batch.skipped_values, 1);
}

#[test]
fn every_kind_of_value_is_json() {
    let write = |value, check| {
        let mut out = Vec::new();
        json::write_value(value, &check, &mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(write(Value::Duration(-1), Check::DurationMillis(i64::MIN, i64::MAX)), "-1");
    assert_eq!(write(Value::List(&[Value::Text("x"), Value::Int(1)]), Check::Json), "[\"x\",1]");
    assert_eq!(write(Value::List(&[]), Check::Json), "[]");
    assert_eq!(write(Value::Timestamp(0), Check::Json), "\"1970-01-01T00:00:00Z\"");
    assert_eq!(
        write(Value::Text("\u{0}\u{8}\t\n\u{c}\r\u{1f}\"\\/\u{7f}\u{e9}"), Check::Text),
        "\"\\u0000\\b\\t\\n\\f\\r\\u001f\\\"\\\\/\u{7f}\u{e9}\""
    );
}

proptest! {
    #[test]
    fn hostile_texts_make_events_that_parse(
        texts in proptest::collection::vec("\\PC{0,8}|[\\x00-\\x1f\"\\\\,{}\\[\\]]{0,8}", 3),
        kind in 0..4_u8,
    ) {
        let quoted = |text: &str| {
            let mut out = Vec::new();
            json::write_string(text, &mut out);
            String::from_utf8(out).unwrap()
        };
        let mut builder = Builder::ndjson();
        let a = builder.read("a", Type::Text);
        let b = builder.read("b", Type::Json);
        let member = builder.value("text", a, Check::Text);
        let copied = builder.value("copied", b, Check::Json);
        let inner = builder.object("inner", vec![copied]);
        let emit = builder.emit(vec![member, inner]);
        let constant = builder.expr(Expr::Constant(Constant::Text(texts[2].clone())));
        builder.plan.emits[0].extra = vec![(texts[2].clone(), optional("x", constant, Check::Text))];
        builder.plan.body.push(Stmt::Emit(emit));
        let b = match kind {
            0 => quoted(&texts[1]),
            1 => format!("[{}, {{}} ]", quoted(&texts[1])),
            2 => format!("{{{}: -1.5e3}}", quoted(&texts[1])),
            _ => "01x".to_owned(),
        };
        let record = format!("{{\"id\":\"1\",\"a\":{},\"b\":{b}}}", quoted(&texts[0]));
        let ran = builder.run(&[&record]);
        prop_assert_eq!(ran.batch.events.len(), 1);
        for written in ran.written() {
            let parsed = simd_json::to_owned_value(&mut written.clone().into_bytes());
            prop_assert!(parsed.is_ok(), "{}", written);
        }
    }
}

/// A string of JSON, written byte by byte.
fn written_slowly(text: &str) -> String {
    let mut out = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' => out.push_str(&format!("\\u{:04x}", u32::from(letter))),
            _ => out.push(letter),
        }
    }
    out.push('"');
    out
}

#[test]
fn strings_are_escaped_wherever_it_is_needed() {
    let check = |text: &str| {
        let mut out = b"before".to_vec();
        json::write_string(text, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), format!("before{}", written_slowly(text)));
    };
    // Every byte beside every other that may disturb the comparison of eight at a time.
    for letter in ('\0'..='\u{ff}').chain(['\u{7ff}', '\u{ffff}', '\u{10ffff}']) {
        for other in
            ['\0', '\u{1}', '\u{1f}', ' ', '!', '"', '#', '[', '\\', ']', 'a', '\u{7f}', 'ä']
        {
            for place in 0..9 {
                let text = ["a".repeat(place), letter.to_string(), other.to_string()].concat();
                check(&text);
                check(&[&text, "bcdefghi"].concat());
            }
        }
    }
    check("");
    check(&"\"\\\n".repeat(1000));
    check(&"plain".repeat(1000));
}
