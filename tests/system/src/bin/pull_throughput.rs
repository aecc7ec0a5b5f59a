//! Measures how fast the server brings objects from a bucket into its store: megabytes of NDJSON for each second of its
//! processor time, with as many ids seen before as are wanted.
//!
//! ```text
//! cargo run --release -p weir-system-tests --bin pull-throughput -- [MEGABYTES [PREFILL [OBJECTS]]]
//! ```
//!
//! MEGABYTES (1,000) of records of 1.6 kB lie in OBJECTS (16) objects of a SeaweedFS on this machine; PREFILL (0) bare ids
//! are in the store before. In the end every event must be there, with its raw record.
#![allow(clippy::print_stdout, reason = "a program for people")]

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use weir_engine::decimal::Decimal;
use weir_server::store::{
    Append, EventIn, ObjectRef, PlanRef, RawIn, ReadIn, RecordIn, Span, Step, Store,
};
use weir_system_tests::seaweed::Seaweed;
use weir_system_tests::server::Server;

const PROGRAM: &str = r#"weir 1
parser "agents" version 1
ocsf "1.8.0" with ai_operation
product "Agents" by "Example"
input ndjson { max_record 1MiB }
on error { required reject  optional skip }

event {
  id     = .id
  time   = .created_at |> unix_ms
  actor  = .user.email |> lower
  action = .type
  target = .model
  tokens_input  = .usage.input_tokens
  tokens_output = .usage.output_tokens
}

emit api_activity {
  activity_id = "Create"
  api.operation = .type
  api.response.code = .status
  actor.user.uid = .user.id
  metadata.correlation_uid = .trace_id
  duration = .latency_ms
  src_endpoint.ip = .ip |> ip
  ai_model { name = .model  ai_provider = "Example" }
  unmapped.project = .metadata.project
}
"#;
const WORDS: [&str; 24] = [
    "agent",
    "asked",
    "for",
    "the",
    "latest",
    "summary",
    "of",
    "quarterly",
    "results",
    "table",
    "regions",
    "policy",
    "denied",
    "access",
    "customer",
    "records",
    "review",
    "deploy",
    "staging",
    "timeout",
    "budget",
    "invoice",
    "translate",
    "context",
];
const PREFILL_COMMIT: u64 = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default| arguments.next().map_or(Ok(default), |text| text.parse::<u64>());
    let (megabytes, prefilled, objects) = (number(1_000)?, number(0)?, number(16)?.max(1));
    let seaweed = Arc::new(Seaweed::start());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(seaweed.create_bucket("logs"));
    let (mut bytes, mut records) = (0, 0);
    for object in 0..objects {
        let log = log(object, megabytes * 1_000_000 / objects);
        bytes += log.len() as u64;
        records += log.iter().filter(|&&byte| byte == b'\n').count() as u64;
        let parts = log.chunks(8 << 20).map(Bytes::copy_from_slice);
        runtime.block_on(seaweed.put_parts("logs", &format!("{object:04}.ndjson"), parts));
    }
    let mut server = Server::start();
    let source = create_source(&server, &seaweed);
    server.end();
    prefill(&server.store(), prefilled)?;
    server.begin();
    let before = cpu_seconds(server.process_id())?;
    let begin = Instant::now();
    let path = format!("/api/governance/ingestion-sources/{source}");
    let (status, run) = server.post(&format!("{path}/pull"), &json!({}));
    assert_eq!(status, 202, "{run}");
    let run = loop {
        std::thread::sleep(Duration::from_millis(50));
        let (_, runs) = server.get(&format!("{path}/pull-runs"));
        if runs["data"][0]["status"] != "running" {
            break runs["data"][0].clone();
        }
    };
    let (wall, cpu) = (begin.elapsed().as_secs_f64(), cpu_seconds(server.process_id())? - before);
    let peak = peak_megabytes(server.process_id())?;
    assert_eq!(run["status"], "completed", "{run}");
    assert_eq!(run["events_written"], records, "{run}");
    server.end();
    check(&server.store(), &source, records)?;
    let mb = bytes as f64 / 1e6;
    println!("{records} events, {mb:.0} MB in {objects} objects, {prefilled} ids seen before");
    println!("  {wall:.1} s, {cpu:.1} s of processor time, {peak} MB of memory at the peak");
    println!("  {:.0} MB for each second of processor time, {:.0} MB/s", mb / cpu, mb / wall);
    Ok(())
}

fn create_source(server: &Server, seaweed: &Seaweed) -> String {
    let (status, made) = server.post("/api/governance/parsers", &json!({ "definition": PROGRAM }));
    assert_eq!(status, 201, "{made}");
    let key = seaweed.access_key();
    let source = json!({
        "name": "agents", "source_type": "s3_custom", "parser_id": made["parser"]["id"],
        "pull_config": {
            "adapter": "s3_polling", "bucket": "logs", "endpoint": seaweed.endpoint,
            "region": "us-east-1",
        },
        "credentials": { "access_key_id": key.id, "secret_access_key": key.secret },
    });
    let (status, made) = server.post("/api/governance/ingestion-sources", &source);
    assert_eq!(status, 201, "{made}");
    made["ingestion_source"]["id"].as_str().unwrap_or_default().to_owned()
}

/// Lines of 1.6 kB.
fn log(object: u64, bytes: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(object);
    let mut out = String::with_capacity(usize::try_from(bytes).unwrap_or(0) + 2_000);
    let mut number = 0_u64;
    while (out.len() as u64) < bytes {
        let (user, tokens) = (random.u16(..2_000), random.u16(..4_000));
        let start = out.len();
        let _ = write!(
            out,
            r#"{{"id":"req_{object:04}{number:08}{:016x}","created_at":{},"type":"completion","model":"model-large-2","user":{{"id":"u_{user}","email":"User{user}@example.org"}},"usage":{{"input_tokens":{tokens},"output_tokens":{}}},"latency_ms":{},"trace_id":"{:032x}","ip":"192.0.2.{}","status":200,"metadata":{{"project":"p{}","session":"{:016x}"}},"prompt":""#,
            random.u64(..),
            1_770_000_000_000_u64 + number,
            tokens / 3,
            random.u16(..9_000),
            random.u128(..),
            random.u8(..),
            user % 40,
            random.u64(..)
        );
        while out.len() < start + 1_590 {
            out.push_str(WORDS[random.usize(..WORDS.len())]);
            out.push(' ');
        }
        out.push_str("\"}\n");
        number += 1;
    }
    out.into_bytes()
}

/// Fills the set of ids seen, with events that hold nothing else.
fn prefill(path: &Path, count: u64) -> Result<(), Box<dyn Error>> {
    let store = Store::open(path)?;
    for commit in 0..count.div_ceil(PREFILL_COMMIT) {
        let mut text = String::new();
        let mut span = |word: &str| {
            let start = text.len() as u32;
            text.push_str(word);
            Span { buffer: 0, start, len: word.len() as u32 }
        };
        let (mut records, mut events) = (Vec::new(), Vec::new());
        for number in commit * PREFILL_COMMIT..(commit + 1) * PREFILL_COMMIT {
            let id = span(&format!("before-{number}"));
            let record = events.len() as u32;
            records.push(RecordIn {
                offset: number,
                end_offset: number,
                index: number,
                line: 0,
                raw: id,
            });
            events.push(EventIn {
                record,
                id,
                event_type: Span::default(),
                actor: Span::default(),
                action: Span::default(),
                target: Span::default(),
                time_ns: None,
                cost: Decimal(0),
                tokens_input: 0,
                tokens_output: 0,
                extra: None,
                ocsf: None,
                raw: RawIn::None,
            });
        }
        let from = (commit > 0).then(|| commit.to_string());
        store.append(Append {
            source: "before".to_owned(),
            source_type: "http_custom".to_owned(),
            object: ObjectRef { key: "before".to_owned(), etag: String::new() },
            step: Some(Step { from, to: (commit + 1).to_string(), done: false }),
            read: ReadIn::default(),
            supersedes_rejects: false,
            settles: None,
            plan: PlanRef::default(),
            run_id: "before".to_owned(),
            ingested_at_ms: 1_700_000_000_000,
            buffers: vec![text.into_bytes().into()],
            records,
            events,
            rejects: Vec::new(),
            keeps_whole: None,
        })?;
    }
    Ok(())
}

/// Whether the source's events can be read, each with its record.
fn check(path: &Path, source: &str, wanted: u64) -> Result<(), Box<dyn Error>> {
    let store = Store::open_read_only(path)?;
    let newest = store.tail(Some(source), 100)?;
    for event in &newest {
        let raw: Value = serde_json::from_slice(event.raw_payload().unwrap_or_default())?;
        assert_eq!(raw["id"], event.source_event_id.as_str());
    }
    let sources = store.sources()?;
    let counts = sources.iter().find(|summary| summary.name == source).map(|s| s.counts.events);
    assert_eq!((newest.len(), counts), (100, Some(wanted)));
    Ok(())
}

/// User and system time of a process.
fn cpu_seconds(pid: u32) -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: Vec<f64> = fields.skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    // Linux counts a hundred ticks a second.
    Ok(ticks.iter().sum::<f64>() / 100.0)
}

fn peak_megabytes(pid: u32) -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.unwrap_or_default().trim().trim_end_matches(" kB").parse::<u64>()?;
    Ok(kilobytes * 1024 / 1_000_000)
}
