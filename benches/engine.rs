//! The stages of the engine over generated audit records, and the compiler.
//!
//! Each measurement is checked once before it is timed: as many events as records that are no heartbeats, no rejects.
#![allow(missing_docs, reason = "criterion's macros make public functions without docs")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use weir_dsl::{Source, compile};
use weir_engine::batch::Batch;
use weir_engine::framer::Framer;
use weir_engine::plan::{ObjectMeta, Plan};
use weir_engine::worker::Worker;

const RECORDS: usize = 4000;
const CHUNK_BYTES: usize = 256 << 10;
const NDJSON: &str = include_str!("programs/audit.weir");
const ARRAY: &str = include_str!("programs/audit_array.weir");
const CSV: &str = include_str!("programs/audit_csv.weir");

fn plan(program: &str) -> Arc<Plan> {
    let compiled = compile(&Source::new("bench", program));
    compiled.plan.expect("the programs of the benches compile")
}

/// One audit record; every 33rd is a heartbeat, which the programs drop.
fn record(index: usize) -> String {
    let at = format!(
        "2026-05-01T{:02}:{:02}:{:02}.{:03}Z",
        index / 3600 % 24,
        index / 60 % 60,
        index % 60,
        index % 1000
    );
    if index.is_multiple_of(33) {
        return format!(
            r#"{{"id":"evt_{index:024x}","created_at":"{at}","type":"heartbeat","node":"collector-1"}}"#
        );
    }
    let filler = "please summarise the attached contract and list every clause ".repeat(10);
    format!(
        concat!(
            r#"{{"id":"evt_{index:024x}","created_at":"{at}","type":"chat.completion","severity":"info","#,
            r#""organization":{{"id":"org_1","name":"Acme GmbH & Co"}},"#,
            r#""actor":{{"type":"user","id":"user_{index}","email":"Ana.{index}@Example.com","name":"Zoë \"Z\" Müller","#,
            r#""session":{{"id":"s","ip":"10.0.{low}.1","user_agent":"python-requests/2.32.3"}}}},"#,
            r#""target":{{"type":"model","id":"tgt_{index}","name":"a\\b"}},"#,
            r#""request":{{"id":"req_{index}","model":"gpt-5-mini","messages":[{{"role":"user","preview":"{filler}"}}]}},"#,
            r#""response":{{"status":200,"latency_ms":12.5}},"usage":{{"input_tokens":{index},"output_tokens":77}},"#,
            r#""metadata":{{"trace_id":"{index:032x}"}}}}"#
        ),
        index = index,
        at = at,
        low = index % 256,
        filler = filler
    )
}

fn ndjson() -> String {
    (0..RECORDS).map(record).collect::<Vec<_>>().join("\n")
}

fn array() -> String {
    format!("[{}]", (0..RECORDS).map(record).collect::<Vec<_>>().join(","))
}

fn csv() -> String {
    let mut text = String::from(
        "id,created_at,type,org_id,actor_type,actor_id,actor_email,actor_name,actor_ip,user_agent,target_type,target_id,target_name,request_id,model,status,input_tokens,output_tokens,cost_amount,trace_id,preview\n",
    );
    for index in 0..RECORDS {
        let kind = if index.is_multiple_of(33) { "heartbeat" } else { "chat.completion" };
        let _ = writeln!(
            text,
            "evt_{index:024x},2026-05-01T08:00:00Z,{kind},org_1,user,user_{index},Ana.{index}@Example.com,\"Zoë \"\"Z\"\" Müller\",10.0.0.1,curl/8,model,tgt_{index},a\\b,req_{index},gpt-5-mini,200,{index},77,,{index:032x},\"two\nlines, {filler}\"",
            filler = "and a text ".repeat(20)
        );
    }
    text
}

fn frame(plan: &Plan, bytes: &Bytes) -> usize {
    let mut framer = Framer::new(&plan.input);
    let mut records = 0;
    for start in (0..bytes.len()).step_by(CHUNK_BYTES) {
        framer.push(bytes.slice(start..(start + CHUNK_BYTES).min(bytes.len())));
        while let Some(block) = framer.next_block() {
            records += block.records.len();
        }
    }
    framer.finish();
    while let Some(block) = framer.next_block() {
        records += block.records.len();
    }
    records
}

/// Maps everything; gives the number of events and of OCSF bytes.
fn map(plan: &Arc<Plan>, bytes: &Bytes) -> (usize, usize) {
    let (mut framer, mut worker) = (Framer::new(&plan.input), Worker::new(plan.clone()));
    let (object, mut batch) = (ObjectMeta::default(), Batch::default());
    let (mut events, mut written) = (0, 0);
    let mut drain = |framer: &mut Framer| {
        while let Some(block) = framer.next_block() {
            batch.clear();
            worker.run(&block, &object, &mut batch);
            assert!(batch.rejects.is_empty(), "{:?}", batch.rejects.first());
            events += batch.events.len();
            written += batch.text.len();
        }
    };
    for start in (0..bytes.len()).step_by(CHUNK_BYTES) {
        framer.push(bytes.slice(start..(start + CHUNK_BYTES).min(bytes.len())));
        drain(&mut framer);
    }
    framer.finish();
    drain(&mut framer);
    (events, written)
}

fn engine(criterion: &mut Criterion) {
    let events = RECORDS - RECORDS.div_ceil(33);
    let shapes = [("ndjson", NDJSON, ndjson()), ("array", ARRAY, array()), ("csv", CSV, csv())];
    for (name, program, text) in shapes {
        let (plan, bytes) = (plan(program), Bytes::from(text));
        assert_eq!(frame(&plan, &bytes), RECORDS, "{name}");
        assert_eq!(map(&plan, &bytes).0, events, "{name}");
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(20);
        group.bench_function("frame", |bencher| bencher.iter(|| frame(&plan, black_box(&bytes))));
        group.bench_function("map", |bencher| bencher.iter(|| map(&plan, black_box(&bytes))));
        group.finish();
    }
}

fn compiler(criterion: &mut Criterion) {
    let source = Source::new("bench", NDJSON);
    assert!(compile(&source).plan.is_some());
    let mut group = criterion.benchmark_group("compile");
    group.throughput(Throughput::Bytes(NDJSON.len() as u64)).sample_size(20);
    group.bench_function("audit", |bencher| bencher.iter(|| compile(black_box(&source))));
    group.finish();
}

criterion_group!(benches, engine, compiler);
criterion_main!(benches);
