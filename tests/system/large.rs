//! A large JSON document in a real object store, plain and gzip: every event once and in order, exactly the planted bad
//! records refused, and little memory, whatever the object's size.
//!
//! `WEIR_LARGE_RECORDS=1500000` runs it with a document of 2 GB; by default it has 80,000 records, 110 MB, which is
//! already far more than the process may hold.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "tests")]

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::{Child, Stdio};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use weir_system_tests::binary::weir_command;
use weir_system_tests::memory::{MEMORY_BYTES_MAX, watch};
use weir_system_tests::seaweed::{Seaweed, shared};
use weir_tests::generate::{Expected, OpenAi};

const RECORDS: u64 = 80_000;
const BAD: u64 = 1_000;
const PART_BYTES: usize = 16 << 20;

fn generator() -> OpenAi {
    let records = std::env::var("WEIR_LARGE_RECORDS").ok();
    let records =
        records.map_or(RECORDS, |text| text.parse().expect("WEIR_LARGE_RECORDS is a number"));
    OpenAi { records, bad: BAD, seed: 7 }
}

fn upload(store: &Seaweed, key: &str, path: &Path) {
    let mut file = File::open(path).unwrap();
    let parts = std::iter::from_fn(move || {
        let mut part = Vec::with_capacity(PART_BYTES);
        (&mut file).take(PART_BYTES as u64).read_to_end(&mut part).unwrap();
        (!part.is_empty()).then(|| Bytes::from(part))
    });
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        // The two tests share a bucket; the second to come finds it there.
        let _ = store.client().create_bucket().bucket("large").send().await;
        store.put_parts("large", key, parts).await;
    });
}

/// The events on standard output against the ids that the generator knows.
fn check_events(process: &mut Child, expected: &Expected) {
    let mut ids = generator().ids();
    let mut counts = std::collections::BTreeMap::<String, u64>::new();
    for line in BufReader::new(process.stdout.take().unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        assert_eq!(event["source_event_id"].as_str(), ids.next().as_deref());
        let class = match event["ocsf"]["class_uid"].as_u64() {
            Some(3002) => "authentication",
            Some(3001) => "account_change",
            Some(6003) => "api_activity",
            other => panic!("a class that the program does not emit: {other:?}"),
        };
        *counts.entry(class.to_owned()).or_default() += 1;
    }
    assert_eq!(ids.next(), None, "events are missing at the end");
    let counts: Vec<(&str, u64)> =
        counts.iter().map(|(class, count)| (class.as_str(), *count)).collect();
    let wanted: Vec<(&str, u64)> =
        expected.events.iter().map(|(class, count)| (*class, *count)).collect();
    assert_eq!(counts, wanted);
}

fn check_rejects(path: &Path, expected: &Expected) {
    let rejects: Vec<(u64, String)> = BufReader::new(File::open(path).unwrap())
        .lines()
        .map(|line| {
            let reject: Value = serde_json::from_str(&line.unwrap()).unwrap();
            assert!(reject["end_offset"].as_u64() > reject["byte_offset"].as_u64(), "{reject}");
            (reject["record_index"].as_u64().unwrap(), reject["code"].as_str().unwrap().to_owned())
        })
        .collect();
    let wanted: Vec<(u64, String)> =
        expected.rejects.iter().map(|(index, code)| (*index, code.as_str().to_owned())).collect();
    assert_eq!(rejects, wanted);
    assert_eq!(rejects.len() as u64, BAD);
}

fn run(key: &str, write: impl FnOnce(&Path) -> Expected) {
    let folder = tempfile::tempdir().unwrap();
    let (object, rejects) = (folder.path().join("object"), folder.path().join("rejects.ndjson"));
    let expected = write(&object);
    let store = shared();
    upload(&store, key, &object);
    std::fs::remove_file(&object).unwrap();
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/2_openai.weir");
    let access = store.access_key();
    let mut process =
        weir_command(["run", program, &format!("s3://large/{key}"), "--output", "event"])
            .args(["--endpoint-url", &store.endpoint, "--region", "us-east-1", "--rejects"])
            .arg(&rejects)
            .env("AWS_ACCESS_KEY_ID", access.id)
            .env("AWS_SECRET_ACCESS_KEY", access.secret)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
    let watcher = watch(&process);
    check_events(&mut process, &expected);
    let status = process.wait().unwrap();
    assert!(status.success(), "{status}");
    let peak = watcher.join().unwrap();
    println!("{key}: {} records, peak memory {} MiB", expected.records, peak >> 20);
    assert!(peak > 0 && peak < MEMORY_BYTES_MAX, "peak memory {peak} bytes");
    check_rejects(&rejects, &expected);
}

#[test]
fn a_plain_document() {
    run("audit.json", |path| {
        let mut out = BufWriter::new(File::create(path).unwrap());
        let expected = generator().write(&mut out).unwrap();
        out.flush().unwrap();
        expected
    });
}

#[test]
fn a_gzip_document() {
    run("audit.json.gz", |path| {
        let mut out =
            GzEncoder::new(BufWriter::new(File::create(path).unwrap()), Compression::fast());
        let expected = generator().write(&mut out).unwrap();
        out.finish().unwrap().flush().unwrap();
        expected
    });
}
