//! Whole blocks, through the public doors.

use std::sync::Arc;

use proptest::prelude::*;

use super::Worker;
use crate::batch::Batch;
use crate::block::{FrameFault, RecordBlock};
use crate::code::Code;
use crate::framer::Framer;
use crate::input::{Csv, Format};
use crate::plan::{Check, Expr, Meta, Plan, Raw, RedactStep, Stmt};
use crate::simd::Level;
use crate::testing::{Builder, block, object};
use crate::types::Type;

#[test]
fn records_that_are_not_sound_are_refused() {
    let mut builder = Builder::ndjson();
    builder.emit_statement(vec![]);
    let records: [&[u8]; 5] =
        [b"{\"id\":\"1\"}", b"{\"id\":\"2\"", b"[1]", b"{\"id\":\"\xff\"}", b"{\"id\":\"3\"}"];
    let ran = builder.run_bytes(&records, None, vec![]);
    assert_eq!(ran.ids(), ["1", "3"]);
    let rejects = ran.batch.rejects.iter();
    let rejects: Vec<_> = rejects.map(|r| (r.record, r.code, r.line, r.target.as_str())).collect();
    let unsound = |record| (record, Code::Unsound, 0, "");
    assert_eq!(rejects, [unsound(1), unsound(2), unsound(3)]);
    assert_eq!(ran.batch.mapped, 2);
    assert_eq!(ran.batch.events[1].record, 4);
}

#[test]
fn damaged_text_can_be_replaced() {
    let mut builder = Builder::ndjson();
    builder.plan.input.utf8_replace = true;
    let a = builder.read("a\u{fffd}", Type::Text);
    let a = builder.value("a", a, Check::Text);
    builder.emit_statement(vec![a]);
    let ran = builder.run_bytes(&[b"{\"id\":\"1\",\"a\xff\":\"\xc3\xe9\"}"], None, vec![]);
    assert_eq!(ran.only(), "{\"a\":\"\u{fffd}\u{fffd}\"}");
}

#[test]
fn faults_of_the_framer_are_rejects() {
    let mut builder = Builder::ndjson();
    builder.emit_statement(vec![]);
    let plan = Arc::new(builder.plan);
    let mut block = block(&[b"{\"id\":\"1\"}", b"{\"id\":\"2\"}"], None, vec![]);
    let fault = FrameFault { code: Code::TooLong, message: "too long", at: 3 };
    block.records[0].fault = Some(fault);
    let mut batch = Batch::default();
    Worker::new(plan).run(&block, &object(), &mut batch);
    assert_eq!(batch.events.len(), 1);
    let reject = &batch.rejects[0];
    assert_eq!((reject.code, reject.line, reject.message.as_str()), (Code::TooLong, 0, "too long"));
}

proptest! {
    /// Records around one that is not closed, or closed too often, are found more than once; that does not show.
    #[test]
    fn records_are_found_again(
        records in prop::collection::vec((0..6, 56_usize..72), 1..12),
    ) {
        let mut builder = Builder::ndjson();
        let a = builder.read("a", Type::Text);
        let a = builder.value("a", a, Check::Text);
        builder.emit_statement(vec![a]);
        let plan = Arc::new(builder.plan);
        let record = |(kind, length): &(i32, usize)| {
            let text = "y".repeat(*length);
            match kind {
                0 => format!("{{\"id\":\"1\",\"a\":\"{text}\"}}"),
                1 => format!("{{\"a\":\"{text}\",\"id\":\"1\"}}"),
                2 => format!("{{\"id\":\"1\",\"a\":\"{text}\""),
                3 => format!("{{\"id\":\"1\",\"x\":{{\"a\":\"{text}\"}}"),
                4 => format!("{{\"id\":\"1\",\"a\":\"{text}\"}}}}"),
                _ => format!("{{\"id\":\"1\",\"a\":\"{text}"),
            }
        };
        let records: Vec<_> = records.iter().map(record).collect();
        let records: Vec<_> = records.iter().map(String::as_bytes).collect();
        let block = block(&records, None, vec![]);
        let run = |mut worker: Worker| {
            let mut batch = Batch::default();
            worker.run(&block, &object(), &mut batch);
            let texts: Vec<_> = batch.events.iter().map(|e| batch.bytes(e.ocsf).to_vec()).collect();
            (texts, batch.rejects)
        };
        let meant = run(Worker::plain(plan.clone()));
        for level in Level::all() {
            prop_assert_eq!(&run(Worker::with_level(plan.clone(), level)), &meant, "{}", level.name());
        }
    }
}

fn csv(settings: Csv) -> Builder {
    let mut builder = Builder::new(Format::Csv(settings));
    let b = builder.read("b", Type::Text);
    let b = builder.value("b", b, Check::Text);
    builder.emit_statement(vec![b]);
    builder
}

#[test]
fn rows_are_read_by_their_header() {
    let settings = || Csv { delimiter: b';', ..Csv::default() };
    let rows: [&[u8]; 4] = [b"1;x", b"2", b"3;\"a;b\";c", b"4;y;z;"];
    let ran = csv(settings()).run_bytes(&rows, Some(&["id", "b", "b"]), vec![]);
    assert_eq!(ran.ocsf(), [r#"{"b":"x"}"#, "{}", r#"{"b":"a;b"}"#]);
    assert_eq!(ran.rejects(), ["R1005:0  | the row has 4 cells, and the header 3 | "]);
    // The program can name the columns.
    let named = Csv { columns: Some(vec!["b".into(), "id".into()]), ..settings() };
    let ran = csv(named).run_bytes(&[b"x;1"], None, vec![]);
    assert_eq!(ran.only(), r#"{"b":"x"}"#);
}

#[test]
fn rows_are_decoded() {
    let latin = || Csv { encoding: encoding_rs::WINDOWS_1252, ..Csv::default() };
    let ran = csv(latin()).run_bytes(&[b"1,M\xfcller \x80"], Some(&["id", "b"]), vec![]);
    assert_eq!(ran.only(), r#"{"b":"Müller €"}"#);
    let rows: [&[u8]; 2] = [b"1,M\xfcller", b"2,x"];
    let ran = csv(Csv::default()).run_bytes(&rows, Some(&["id", "b"]), vec![]);
    assert_eq!(ran.ids(), ["2"]);
    assert_eq!(ran.batch.rejects[0].code, Code::Unsound);
    let mut lossy = csv(Csv::default());
    lossy.plan.input.utf8_replace = true;
    let ran = lossy.run_bytes(&[b"1,M\xfcller"], Some(&["id", "b"]), vec![]);
    assert_eq!(ran.only(), "{\"b\":\"M\u{fffd}ller\"}");
}

#[test]
fn a_worker_follows_the_header_of_each_block() {
    let plan = Arc::new(csv(Csv::default()).plan);
    let mut worker = Worker::new(plan);
    let mut ids = Vec::new();
    let headers: [&[&str]; 3] = [&["id", "b"], &["b", "id"], &["id", "b"]];
    for header in headers {
        let block = block(&[b"1,2"], Some(header), vec![]);
        let mut batch = Batch::default();
        worker.run(&block, &object(), &mut batch);
        ids.extend(batch.events.iter().map(|event| batch.bytes(event.id).to_vec()));
    }
    assert_eq!(ids, [b"1", b"2", b"1"]);
}

#[test]
fn redacted_records_are_stored_once() {
    let mut builder = Builder::ndjson();
    builder.plan.raw = Raw::Redact(vec![vec![RedactStep::Member("a".into())]]);
    builder.emit_statement(vec![]);
    let line = builder.expr(Expr::Meta(Meta::Line));
    let line = builder.expr(Expr::Convert(line, Type::Text));
    let second = builder.emit_with_id(line, vec![]);
    builder.plan.body.push(Stmt::Emit(second));
    let ran = builder.run(&[r#"{"id":"x","a":"secret"}"#]);
    let [first, second] = &ran.batch.events[..] else { panic!("two events") };
    assert_eq!(first.raw, second.raw);
    let text = String::from_utf8_lossy(&ran.batch.text);
    assert_eq!(text.matches("[redacted]").count(), 1);
    assert!(!text.contains("secret"));
}

/// What comes out of a CSV object, whose rows are framed as they are.
fn map_rows(mut worker: Worker, plan: &Plan, object: &[u8]) -> Vec<String> {
    let mut framer = Framer::new(&plan.input);
    framer.push(object.to_vec().into());
    framer.finish();
    std::iter::from_fn(|| framer.next_block()).map(|block| map(&mut worker, &block)).collect()
}

/// A plan that uses much of the engine on records like those of the test below.
fn busy_plan() -> Plan {
    let mut builder = Builder::ndjson();
    let (array, scope) = (builder.slot(0, "a"), builder.scope(0));
    let it = builder.read_in(scope, "", Type::Json);
    let it = builder.value("it", it, Check::Json);
    let index = builder.expr(Expr::Index(scope));
    let id = builder.expr(Expr::Convert(index, Type::Text));
    let emit = Stmt::Emit(builder.emit_with_id(id, vec![it]));
    let b = builder.read("b[last].c", Type::Text);
    let b = builder.value("b", b, Check::Text);
    let whole = builder.read("b", Type::Json);
    let whole = builder.value("whole", whole, Check::Json);
    builder.emit_statement(vec![b, whole]);
    builder.plan.body.push(Stmt::Each { array, scope, max: 5, body: vec![emit], line: 1 });
    builder.plan.raw = Raw::Redact(vec![vec![
        RedactStep::Member("b".into()),
        RedactStep::Elements,
        RedactStep::Member("c".into()),
    ]]);
    builder.plan
}

/// Maps blocks with one worker; gives everything that came out.
fn map(worker: &mut Worker, block: &RecordBlock) -> String {
    let mut batch = Batch::default();
    worker.run(block, &object(), &mut batch);
    let Batch { events, rejects, dropped, mapped, .. } = &batch;
    let mut out = Vec::new();
    for event in events {
        crate::output::write_event(block, &batch, event, &mut out);
    }
    assert_eq!(mapped + dropped + rejects.len() as u64, block.records.len() as u64);
    format!("{rejects:?} {}", String::from_utf8(out).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_bytes_are_mapped_or_refused(
        records in proptest::collection::vec(
            "\\{(\"(id|a|b|c|\\\\u0061)\":|[\\[\\]{}\",:\\\\ 1ab]|\"x\"|\\[\\{\"c\":){0,12}\\}", 1..4),
        bytes in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let plan = Arc::new(busy_plan());
        let mut all: Vec<_> = records.iter().map(|record| record.as_bytes()).collect();
        all.push(&bytes);
        let mut worker = Worker::new(Arc::clone(&plan));
        let first = map(&mut worker, &block(&all, None, vec![]));
        // What came before leaves no trace.
        prop_assert_eq!(&first, &map(&mut worker, &block(&all, None, vec![])));
        prop_assert_eq!(&first, &map(&mut Worker::new(plan), &block(&all, None, vec![])));
    }

    /// Cells that are found many rows at once are those of one row after the other.
    #[test]
    fn rows_are_mapped_alike_by_all_means(
        pieces in proptest::collection::vec(
            prop_oneof![
                3 => "(id|x|7|é|\"| |,|;|'|\r|#){1,6}".prop_map(String::into_bytes),
                3 => prop::sample::select(&["\n", "\r\n", ",", "\",\"", "\"\"", ",\"a \"\"b\"\"\n\",", "1,two\n"][..])
                    .prop_map(|text| text.as_bytes().to_vec()),
                1 => (0_usize..100).prop_map(|count| format!("1,\"{}\"\n", "y".repeat(count)).into_bytes()),
                1 => any::<u8>().prop_map(|byte| vec![byte]),
            ], 0..40),
        settings in 0_usize..5,
        utf8_replace: bool,
        record_bytes_max in prop_oneof![Just(1000_u32), 1_u32..100],
    ) {
        let settings = match settings {
            0 => Csv { trim: true, ..Csv::default() },
            1 => Csv { delimiter: b';', quote: b'\'', comment: Some(b'#'), ..Csv::default() },
            2 => Csv { encoding: encoding_rs::WINDOWS_1252, ..Csv::default() },
            3 => Csv { columns: Some(vec!["b".into(), "id".into(), "b".into()]), ..Csv::default() },
            _ => Csv::default(),
        };
        let mut plan = csv(settings).plan;
        (plan.input.utf8_replace, plan.input.record_bytes_max) = (utf8_replace, record_bytes_max);
        let plan = Arc::new(plan);
        let object = [&b"id,b,c\n"[..], &pieces.concat()].concat();
        let expected = map_rows(Worker::plain(Arc::clone(&plan)), &plan, &object);
        for level in Level::all() {
            let found = map_rows(Worker::with_level(Arc::clone(&plan), level), &plan, &object);
            prop_assert_eq!(&found, &expected, "{} {}", level.name(), object.escape_ascii());
        }
    }
}
