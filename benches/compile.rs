//! The compiler and the formatter by the size of the program: real ones repeated, and hostile ones.
//!
//! Twice the size takes twice the time; a criterion report shows it at a glance.
#![allow(missing_docs, reason = "criterion's macros make public functions without docs")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use weir_dsl::format::format;
use weir_dsl::{Source, compile};
use weir_tests::hostile::KINDS;

const PROGRAM: &str = include_str!("programs/audit.weir");

/// Sizes of hostile programs, the last as large as a program may be: a million tokens, where each is a byte.
const HOSTILE_BYTES: [usize; 3] = [64 << 10, 256 << 10, Source::BYTES_MAX - (4 << 10)];

/// A program with its last `emit` several times, each with an id of its own.
fn program(times: usize) -> String {
    let at = PROGRAM.find("\nemit ").expect("the program has an `emit`");
    let (head, emit) = PROGRAM.split_at(at);
    let mut text = head.to_owned();
    for number in 0..times {
        let id = format!(
            "{{\n  event {{ id = \"{{.id}}-{number}\"  tokens_input = 0  tokens_output = 0  cost_usd = 0 }}"
        );
        text.push_str(&emit.replacen('{', &id, 1));
    }
    text
}

fn real(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compile");
    for times in [1, 2, 4, 8] {
        let source = Source::new("bench", program(times));
        let compiled = compile(&source);
        assert!(compiled.plan.is_some(), "{:?}", compiled.diagnostics);
        group.throughput(Throughput::Bytes(source.text.len() as u64));
        group.bench_function(BenchmarkId::new("program", times), |bencher| {
            bencher.iter(|| black_box(compile(&source)));
        });
        group.bench_function(BenchmarkId::new("format", times), |bencher| {
            bencher.iter(|| black_box(format(&source)));
        });
    }
    group.finish();
}

fn hostile(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hostile");
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(200));
    group.measurement_time(Duration::from_millis(800));
    for kind in KINDS {
        for bytes in HOSTILE_BYTES {
            let source = Source::new("bench", (kind.make)(bytes));
            assert!(compile(&source).diagnostics.iter().all(|it| it.code != "W0004"));
            group.throughput(Throughput::Bytes(source.text.len() as u64));
            group.bench_function(BenchmarkId::new(kind.name, bytes >> 10), |bencher| {
                bencher.iter(|| black_box(compile(&source)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, real, hostile);
criterion_main!(benches);
