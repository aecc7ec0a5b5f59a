//! Measures the store: how fast it takes events, how small it keeps them, how much memory it needs.
//!
//! ```text
//! cargo run --release --example store_bench -- [EVENTS [PREFILL [FOLDER]]]
//! ```
//!
//! Appends EVENTS events (2,000,000) of about 1.6 kB raw and 0.9 kB OCSF in commits of 10,000, after
//! PREFILL (0) bare ids, which fill the set of ids seen at little cost. Then it reads the newest
//! events and scans them all, and checks that nothing is missing. The store goes into FOLDER, which
//! must not have one yet, or into a temporary one.
#![allow(clippy::print_stdout, reason = "a program for people")]

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bytes::Bytes;
use weir_engine::decimal::Decimal;
use weir_server::store::{
    Append, Appended, EventIn, ObjectRef, PlanRef, RawIn, ReadIn, RecordIn, Span, Step, Store,
};

const COMMIT_EVENTS: u64 = 10_000;
const WORDS: [&str; 48] = [
    "agent",
    "asked",
    "for",
    "the",
    "latest",
    "summary",
    "of",
    "quarterly",
    "results",
    "and",
    "a",
    "table",
    "with",
    "regions",
    "policy",
    "denied",
    "access",
    "to",
    "customer",
    "records",
    "please",
    "review",
    "this",
    "pull",
    "request",
    "deploy",
    "staging",
    "before",
    "noon",
    "tool",
    "call",
    "returned",
    "error",
    "timeout",
    "retry",
    "later",
    "budget",
    "exceeded",
    "team",
    "research",
    "invoice",
    "translate",
    "into",
    "German",
    "keep",
    "formatting",
    "thanks",
    "context",
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default| arguments.next().map_or(Ok(default), |text| text.parse::<u64>());
    let (events, prefill) = (number(2_000_000)?, number(0)?);
    let temporary = tempfile::tempdir()?;
    let folder = arguments.next().map_or(temporary.path().to_owned(), PathBuf::from);
    let path = folder.join("store_bench.db");
    let store = Store::open(&path)?;
    if store.counts()?.events > 0 {
        return Err(format!("{} is there already", path.display()).into());
    }

    let mut source = Source::default();
    for _ in 0..prefill.div_ceil(COMMIT_EVENTS) {
        store.append(source.commit(Size::Bare))?;
    }
    println!("prefilled with {} ids", source.next_id);

    let start = Usage::now()?;
    let mut input_bytes = 0;
    let mut spent_generating = 0.0;
    for _ in 0..events.div_ceil(COMMIT_EVENTS) {
        let generating = Usage::now()?;
        let append = source.commit(Size::Full);
        spent_generating += generating.cpu_since()?;
        input_bytes += append.records.iter().map(|record| u64::from(record.raw.len)).sum::<u64>();
        let appended = store.append(append)?;
        if appended != all_new(appended) {
            return Err(format!("not all were new: {appended:?}").into());
        }
    }
    let count = events.div_ceil(COMMIT_EVENTS) * COMMIT_EVENTS;
    let cpu = start.cpu_since()? - spent_generating;
    let wall = start.at.elapsed().as_secs_f64();
    let megabytes = input_bytes as f64 / 1e6;
    println!("{count} events, {megabytes:.0} MB of records, {wall:.1} s, {cpu:.1} s of CPU");
    println!(
        "  {:.0} events and {:.0} MB a CPU-second, {:.2} us an event",
        count as f64 / cpu,
        megabytes / cpu,
        cpu * 1e6 / count as f64
    );
    let peak = Usage::now()?.peak_bytes - start.peak_bytes;
    println!("  +{:.0} MiB of memory at the peak", peak as f64 / 1_048_576.0);

    let again = Instant::now();
    let last = source.again(Size::Full);
    let appended = store.append(last)?;
    println!(
        "  the last commit again: {} duplicates in {:.1} ms",
        appended.duplicates,
        millis(again)
    );
    read(&store, prefill, count)?;
    drop(store);
    if prefill == 0 {
        // After a prefill, space that merges have freed would be counted too.
        let stored = bytes_on_disk(&path) as f64;
        println!("  {:.2} bytes on disk for each of input", stored / input_bytes as f64);
    }
    let open = Instant::now();
    drop(Store::open(&path)?);
    println!("  opened again in {:.0} ms", millis(open));
    Ok(())
}

fn all_new(appended: Appended) -> Appended {
    Appended { stored: COMMIT_EVENTS, duplicates: 0, conflicts: 0, ..appended }
}

fn read(store: &Store, prefill: u64, count: u64) -> Result<(), Box<dyn Error>> {
    let tail = Instant::now();
    for _ in 0..100 {
        store.tail(Some("bench"), 50)?;
    }
    println!("  tail of 50 in {:.2} ms", millis(tail) / 100.0);
    let (scan, mut scanned, mut out) = (Instant::now(), 0, Vec::new());
    let mut after = i64::try_from(prefill.div_ceil(COMMIT_EVENTS) * COMMIT_EVENTS)?;
    loop {
        let page = store.events_after(None, after, 1_000)?;
        let Some(last) = page.last() else { break };
        after = last.sequence;
        scanned += page.len() as u64;
        for event in &page {
            out.clear();
            event.write_ocsf(&mut out);
        }
    }
    println!("  {scanned} scanned with raw and OCSF in {:.1} s", millis(scan) / 1e3);
    if scanned == count { Ok(()) } else { Err("events are missing".into()) }
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// The file and its write-ahead log.
fn bytes_on_disk(path: &Path) -> u64 {
    let log = path.with_extension("db-wal");
    [path, &log].iter().filter_map(|path| path.metadata().ok()).map(|file| file.len()).sum()
}

/// What the process has used so far, as Linux tells.
struct Usage {
    at: Instant,
    cpu_seconds: f64,
    peak_bytes: u64,
}

impl Usage {
    fn now() -> Result<Usage, Box<dyn Error>> {
        let schedule: Vec<String> = std::fs::read_dir("/proc/self/task")?
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok())
            .collect();
        let nanoseconds =
            schedule.iter().filter_map(|text| text.split(' ').next()?.parse::<f64>().ok());
        let status = std::fs::read_to_string("/proc/self/status")?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|text| text.trim().strip_suffix(" kB")).ok_or("no VmHWM")?;
        Ok(Usage {
            at: Instant::now(),
            cpu_seconds: nanoseconds.sum::<f64>() / 1e9,
            peak_bytes: peak.parse::<u64>()? * 1024,
        })
    }

    fn cpu_since(&self) -> Result<f64, Box<dyn Error>> {
        Ok(Usage::now()?.cpu_seconds - self.cpu_seconds)
    }
}

#[derive(Clone, Copy)]
enum Size {
    /// An id and nothing else.
    Bare,
    /// About 1.6 kB raw and 0.9 kB OCSF.
    Full,
}

/// Makes commits out of numbers.
#[derive(Default)]
struct Source {
    commits: u64,
    next_id: u64,
}

impl Source {
    fn commit(&mut self, size: Size) -> Append {
        let append = self.append(size);
        self.next_id += COMMIT_EVENTS;
        append
    }

    /// The events of the last commit once more, as the next part of the object.
    fn again(&mut self, size: Size) -> Append {
        self.next_id -= COMMIT_EVENTS;
        self.commit(size)
    }

    fn append(&mut self, size: Size) -> Append {
        let mut bytes = String::with_capacity(32 << 20);
        let mut records = Vec::with_capacity(COMMIT_EVENTS as usize);
        let mut events = Vec::with_capacity(COMMIT_EVENTS as usize);
        for number in self.next_id..self.next_id + COMMIT_EVENTS {
            let record = records.len() as u32;
            let mut random = fastrand::Rng::with_seed(number);
            let id = text(&mut bytes, |out| {
                let _ = write!(out, "req_{number:08}{:016x}", random.u64(..));
            });
            let (raw, ocsf) = match size {
                Size::Bare => (id, None),
                Size::Full => full(&mut bytes, id, number, &mut random),
            };
            let offset = number * 1_600;
            let end_offset = offset + u64::from(raw.len);
            records.push(RecordIn { offset, end_offset, index: number, line: number + 1, raw });
            let raw = if ocsf.is_some() { RawIn::Record } else { RawIn::None };
            let fixed = |out: &mut String, word: &str| text(out, |out| out.push_str(word));
            events.push(EventIn {
                record,
                id,
                event_type: fixed(&mut bytes, "api_activity"),
                actor: text(&mut bytes, |out| {
                    let _ = write!(out, "user{}@example.org", random.u16(..2_000));
                }),
                action: fixed(&mut bytes, "completion"),
                target: fixed(&mut bytes, "model-large-2"),
                time_ns: Some(1_700_000_000_000_000_000 + number.cast_signed() * 1_000_000),
                cost: Decimal(i128::from(random.u32(..)) * 1_000_000_000),
                tokens_input: random.i64(0..4_000),
                tokens_output: random.i64(0..4_000),
                extra: None,
                ocsf,
                raw,
            });
        }
        let from = (self.commits > 0).then(|| self.commits.to_string());
        self.commits += 1;
        Append {
            source: "bench".to_owned(),
            source_type: "s3_custom".to_owned(),
            object: ObjectRef { key: "logs/agents.json".to_owned(), etag: "e".to_owned() },
            step: Some(Step { from, to: self.commits.to_string(), done: false }),
            read: ReadIn::default(),
            settles: None,
            supersedes_rejects: false,
            plan: PlanRef {
                hash: [7; 32],
                parser: "bench".to_owned(),
                version: 1,
                ocsf: "1.8.0".to_owned(),
            },
            run_id: "bench".to_owned(),
            ingested_at_ms: 1_700_000_000_000,
            buffers: vec![Bytes::from(bytes)],
            records,
            events,
            rejects: Vec::new(),
            keeps_whole: None,
        }
    }
}

/// Appends a text to the buffer.
fn text(buffer: &mut String, write: impl FnOnce(&mut String)) -> Span {
    let start = buffer.len();
    write(buffer);
    Span { buffer: 0, start: start as u32, len: (buffer.len() - start) as u32 }
}

/// A record of an agent's log, and the OCSF event made of it.
fn full(
    bytes: &mut String,
    id: Span,
    number: u64,
    random: &mut fastrand::Rng,
) -> (Span, Option<Span>) {
    let id = bytes[id.start as usize..][..id.len as usize].to_owned();
    let (user, tokens, latency) = (random.u16(..2_000), random.u16(..4_000), random.u16(..9_000));
    let trace = random.u128(..);
    let raw = text(bytes, |out| {
        let _ = write!(
            out,
            r#"{{"id":"{id}","created_at":{},"type":"completion","model":"model-large-2","user":{{"id":"u_{user}","email":"user{user}@example.org"}},"usage":{{"input_tokens":{tokens},"output_tokens":{}}},"latency_ms":{latency},"trace_id":"{trace:032x}","region":"eu-central-1","status":200,"metadata":{{"project":"p{}","session":"{:016x}"}},"prompt":""#,
            1_700_000_000 + number / 1_000,
            tokens / 3,
            user % 40,
            random.u64(..)
        );
        let end = out.len() + 1_170;
        while out.len() < end {
            out.push_str(WORDS[random.usize(..WORDS.len())]);
            out.push(' ');
        }
        out.push_str("\"}");
    });
    let ocsf = text(bytes, |out| {
        let _ = write!(
            out,
            r#"{{"activity_id":99,"activity_name":"completion","category_uid":6,"category_name":"Application Activity","class_uid":6003,"class_name":"API Activity","type_uid":600399,"severity_id":1,"severity":"Informational","status_id":1,"status":"Success","time":{},"metadata":{{"version":"1.8.0","uid":"{id}","product":{{"name":"Agents","vendor_name":"Example","uid":"agents"}},"log_name":"agents","event_code":"completion","correlation_uid":"{trace:032x}","profiles":["cloud","ai_operation"]}},"actor":{{"user":{{"uid":"u_{user}","email_addr":"user{user}@example.org","name":"user{user}"}}}},"api":{{"operation":"completion","service":{{"name":"inference"}},"response":{{"code":200}}}},"src_endpoint":{{"uid":"agents"}},"cloud":{{"provider":"Example","region":"eu-central-1"}},"duration":{latency},"ai_model":{{"name":"model-large-2","ai_provider":"Example"}},"message_context":{{"prompt_tokens":{tokens},"completion_tokens":{}}},"unmapped":{{"project":"p{}"}}}}"#,
            1_700_000_000_000 + number,
            tokens / 3,
            user % 40
        );
    });
    (raw, Some(ocsf))
}
