//! The stages of the way from bytes to events, each checked before it is timed.
//!
//! The engine does several things in one pass, so its stages are cumulative: each does what the one before it does, and
//! more. What only one of them needs is the difference. They are made by programs that stop early:
//!
//! | stage | what it does |
//! |---|---|
//! | `frame` | finds the records |
//! | `index` | ... and indexes and validates them, and looks up one value, for which it drops them |
//! | `project` | ... and looks up all values before it drops them |
//! | `eval` | ... and computes the columns, for events that hold little else |
//! | `map` | ... and emits whole events: the job itself |
#![allow(missing_docs, reason = "criterion's macros make public functions without docs")]

use std::hint::black_box;
use std::io::Read;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use weir_benches::data::{Format, Packing, Shape, Wish};
use weir_benches::job::{self, CHUNK_BYTES, Job, Made};
use weir_dsl::{Source, compile};

/// Bytes of records; a few times what a core caches.
const SIZE_BYTES: u64 = 8_000_000;

fn wish(format: Format) -> Wish {
    Wish { shape: Shape::Audit, format, size_bytes: SIZE_BYTES, seed: 1 }
}

/// The paths that a program reads, each once, in the order in which they stand.
fn paths(program: &str) -> Vec<&str> {
    let mut paths = Vec::new();
    let code = program.lines().filter(|line| !line.trim_start().starts_with('#'));
    for word in code.flat_map(|line| line.split([' ', '(', ')', '[', ']'])) {
        let is_path = word.starts_with('.') && word[1..].starts_with(char::is_alphabetic);
        if is_path && !paths.contains(&word) {
            paths.push(word);
        }
    }
    paths
}

/// A program with another condition for what is dropped.
fn dropping(program: &str, condition: &str) -> String {
    let lines = program.lines().map(|line| match line.starts_with("drop when") {
        true => format!("drop when {condition}"),
        false => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A program whose events hold what they have to, and no more.
fn columns(program: &str) -> String {
    let emit = program.find("emit api_activity").expect("the program has an `emit`");
    format!(
        "{}emit api_activity {{\n  activity_id = \"Create\"\n  src_endpoint.svc_name = \"x\"\n}}\n",
        &program[..emit]
    )
}

/// The programs of the cumulative stages.
fn stages(format: Format) -> Vec<(&'static str, String)> {
    let whole = job::program(Shape::Audit, format);
    let all = paths(&whole).into_iter().map(|path| format!("{path} == \"none\""));
    let all = all.chain([".id != \"none\"".to_owned()]).collect::<Vec<_>>().join(" or ");
    vec![
        ("index", dropping(&whole, ".id != \"none\"")),
        ("project", dropping(&whole, &all)),
        ("eval", columns(&whole)),
        ("map", whole),
    ]
}

fn made(job: &Job, bytes: &Bytes) -> Made {
    let mut made = Made::default();
    job.run(job::chunks(bytes), &mut made);
    made
}

fn framed(job: &Job, bytes: &Bytes) -> usize {
    let mut records = 0;
    job.frame(job::chunks(bytes), &mut |block| records += block.records.len());
    records
}

fn engine(criterion: &mut Criterion) {
    for format in Format::ALL {
        let bytes = Bytes::from(wish(format).bytes());
        let mut group = criterion.benchmark_group(format.name());
        group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(20);
        for (index, (name, program)) in stages(format).into_iter().enumerate() {
            let job = Job::new(&program).unwrap_or_else(|error| panic!("{name}: {error}"));
            check(name, &job, format);
            if index == 0 {
                group.bench_function("frame", |it| it.iter(|| framed(&job, black_box(&bytes))));
            }
            group.bench_function(name, |it| it.iter(|| made(&job, black_box(&bytes))));
        }
        group.finish();
    }
}

/// The first records make what the reference makes of them.
fn check(name: &str, job: &Job, format: Format) {
    let object = Bytes::from(Wish { size_bytes: 500_000, ..wish(format) }.bytes());
    let expected = job.reference(&object);
    assert_eq!(framed(job, &object) as u64, expected.records, "{format}, {name}");
    let mut rows = Vec::new();
    job.run(job::chunks(&object), &mut |_: &_, batch: &_| job::write_rows(batch, &mut rows));
    let expected_rows = expected.events.iter().map(|(_, event)| format!("{}\n", event.ocsf));
    assert!(rows == expected_rows.collect::<String>().as_bytes(), "{format}, {name}: other rows");
    let drops_all = matches!(name, "index" | "project");
    assert_eq!(expected.events.is_empty(), drops_all, "{format}, {name}");
}

/// Decompression alone, as it is done ahead of the framer.
fn decompress(criterion: &mut Criterion) {
    let plain = wish(Format::Ndjson).bytes();
    let folder = std::env::temp_dir().join(format!("weir-bench-{}", std::process::id()));
    let packed = |packing| {
        let file = wish(Format::Ndjson).file(&folder, packing).expect("the data can be written");
        std::fs::read(file).expect("the data can be read")
    };
    let (gzip, zstd) = (packed(Packing::Gzip), packed(Packing::Zstd));
    std::fs::remove_dir_all(&folder).expect("the folder is ours");

    let mut group = criterion.benchmark_group("decompress");
    group.throughput(Throughput::Bytes(plain.len() as u64)).sample_size(20);
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut drain = |mut decoder: Box<dyn Read + '_>, expected: Option<&[u8]>| {
        let mut bytes = 0;
        loop {
            let read = decoder.read(&mut chunk).expect("what was packed can be unpacked");
            if let Some(expected) = expected {
                assert_eq!(chunk[..read], expected[bytes..bytes + read]);
            }
            bytes += read;
            if read == 0 {
                return bytes;
            }
        }
    };
    let ungzip = || Box::new(flate2::bufread::MultiGzDecoder::new(&gzip[..]));
    let unzstd = || {
        Box::new(
            zstd::stream::read::Decoder::with_buffer(&zstd[..]).expect("a decoder can be made"),
        )
    };
    assert_eq!(drain(ungzip(), Some(&plain)), plain.len());
    group.bench_function("gzip", |it| it.iter(|| drain(ungzip(), None)));
    assert_eq!(drain(unzstd(), Some(&plain)), plain.len());
    group.bench_function("zstd", |it| it.iter(|| drain(unzstd(), None)));
    group.finish();
}

fn compiler(criterion: &mut Criterion) {
    let source = Source::new("bench", job::NDJSON);
    assert!(compile(&source).plan.is_some());
    let mut group = criterion.benchmark_group("compile");
    group.throughput(Throughput::Bytes(job::NDJSON.len() as u64)).sample_size(20);
    group.bench_function("audit", |bencher| bencher.iter(|| compile(black_box(&source))));
    group.finish();
}

criterion_group!(benches, compiler, engine, decompress);
criterion_main!(benches);
