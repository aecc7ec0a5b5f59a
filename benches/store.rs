//! The store: events with their raw records to the disk, in one transaction.
//!
//! Each measurement is an append of what 8 MB of records make to a store of its own; bytes are those of the records.
#![allow(missing_docs, reason = "criterion's macros make public functions without docs")]

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tempfile::TempDir;
use weir_benches::data::{Format, Shape, Wish};
use weir_benches::job::{self, Job};
use weir_engine::batch::{Batch, Event, RawRef, TextRange};
use weir_engine::block::RecordBlock;
use weir_server::store::{
    Append, EventIn, ObjectRef, PlanRef, RawIn, ReadIn, RecordIn, Span, Step, Store,
};

const SIZE_BYTES: u64 = 8_000_000;

fn span(buffer: u32, start: u32, end: u32) -> Span {
    Span { buffer, start, len: end - start }
}

fn event_in(event: &Event, record: u32, buffer: u32, class: u32) -> EventIn {
    let text = |TextRange { start, end }| span(buffer, start, end);
    EventIn {
        record,
        id: text(event.id),
        event_type: Span { buffer: class, start: 0, len: 12 },
        actor: text(event.actor),
        action: text(event.action),
        target: text(event.target),
        time_ns: Some(event.time_ns),
        cost: event.cost_usd,
        tokens_input: event.tokens_input,
        tokens_output: event.tokens_output,
        extra: None,
        ocsf: Some(text(event.ocsf)),
        raw: match event.raw {
            RawRef::Record => RawIn::Record,
            RawRef::Text(range) => RawIn::Other(text(range)),
            RawRef::None => RawIn::None,
        },
    }
}

/// Everything that is made of the records, as one part of an object.
fn append(job: &Job, bytes: &Bytes) -> Append {
    let plan = job.plan();
    let plan = PlanRef {
        hash: plan.hash,
        parser: plan.parser.to_string(),
        version: plan.parser_version,
        ocsf: plan.ocsf_version.to_string(),
    };
    let mut append = Append {
        source: "bench".into(),
        source_type: "file".into(),
        object: ObjectRef { key: "audit.ndjson".into(), etag: "1".into() },
        step: Some(Step { from: None, to: "end".into(), done: true }),
        read: ReadIn::default(),
        settles: None,
        supersedes_rejects: false,
        plan,
        run_id: "run".into(),
        ingested_at_ms: 0,
        buffers: vec![Bytes::from_static(b"api_activity")],
        records: Vec::new(),
        events: Vec::new(),
        rejects: Vec::new(),
        keeps_whole: None,
    };
    job.run(job::chunks(bytes), &mut |block: &RecordBlock, batch: &Batch| {
        let raw = u32::try_from(append.buffers.len()).expect("there are few blocks");
        append.buffers.extend([block.bytes.clone(), Bytes::copy_from_slice(&batch.text)]);
        for event in &batch.events {
            let record = &block.records[event.record as usize];
            append.events.push(event_in(
                event,
                u32::try_from(append.records.len()).expect("there are few records"),
                raw + 1,
                0,
            ));
            append.records.push(RecordIn {
                offset: record.offset,
                end_offset: record.offset + record.size,
                index: record.index,
                line: record.line,
                raw: span(raw, record.start, record.end),
            });
        }
    });
    append
}

fn store(criterion: &mut Criterion) {
    let wish =
        Wish { shape: Shape::Audit, format: Format::Ndjson, size_bytes: SIZE_BYTES, seed: 1 };
    let bytes = Bytes::from(wish.bytes());
    let job = Job::new(job::NDJSON).unwrap_or_else(|error| panic!("{error}"));
    let append = append(&job, &bytes);
    let fresh = || {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let store = Store::open(&folder.path().join("events.weir")).expect("a store can be made");
        (folder, store)
    };

    let (_folder, store) = fresh();
    let stored = store.append(append.clone()).expect("the store takes it");
    assert_eq!(stored.stored, append.events.len() as u64);
    let last = store.tail(None, 1).expect("the store can be read");
    let id = append.events.last().map(|event| event.id).expect("there are events");
    let id = &append.buffers[id.buffer as usize][id.start as usize..][..id.len as usize];
    let mut json = Vec::new();
    last[0].write_json(&mut json);
    assert!(json.windows(id.len()).any(|part| part == id));

    let mut group = criterion.benchmark_group("store");
    group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(10);
    group.bench_function("append", |bencher| {
        let ready = || (fresh(), append.clone());
        let run = |((folder, store), append)| {
            let stored = Store::append(&store, append).expect("the store takes it");
            (folder, store, stored)
        };
        bencher.iter_batched(ready, run, BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, store);
criterion_main!(benches);
