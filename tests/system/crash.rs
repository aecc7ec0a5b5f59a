//! Kills `weir run --store` at random moments and starts it again, until the object is ingested: then every event must
//! be stored once, every refused record must be a dead letter once, and nothing else may be there.
//!
//! The seed is printed; `WEIR_SEED` repeats the moments, as far as the machine lets it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use weir_server::store::Store;
use weir_system_tests::binary::weir_command;

/// Records of an object: a run takes about a second.
const RECORDS: u64 = 30_000;
/// Kills of each kind of object; there are six kinds.
const KILLS: usize = 9;

const MAPPING: &str = r#"
on error { required reject  optional skip }

event {
  id     = .id
  time   = .at |> unix_seconds
  actor  = .who
  action = .what
  target = .where
}

emit api_activity {
  activity_id       = "Other"
  api.operation     = .what
  actor.user.name   = .who
  src_endpoint.name = "here"
}
"#;

/// A kind of object.
struct Kind {
    name: &'static str,
    input: &'static str,
    encode: fn() -> Vec<u8>,
}

const KINDS: [Kind; 6] = [
    Kind { name: "NDJSON", input: "input ndjson { }", encode: ndjson },
    Kind { name: "gzip", input: "input ndjson { }", encode: || gzip(&ndjson()) },
    Kind { name: "gzip of many members", input: "input ndjson { }", encode: members },
    Kind { name: "zstd of many frames", input: "input ndjson { }", encode: frames },
    Kind { name: "CSV", input: "input csv { header first_row }", encode: csv },
    Kind { name: "JSON array", input: "input json { records $.data[*] }", encode: document },
];

/// Every 97th record has no time.
fn is_bad(index: u64) -> bool {
    index % 97 == 13
}

fn id(index: u64) -> String {
    format!("event-{index:06}")
}

fn json(index: u64) -> String {
    let at = if is_bad(index) { "null".to_owned() } else { (1_780_000_000 + index).to_string() };
    format!(
        r#"{{"id":"{}","at":{at},"who":"user-{}@example.com","what":"read","where":"file-{}","note":"{}"}}"#,
        id(index),
        index % 300,
        index.wrapping_mul(2_654_435_761) % 100_000,
        "abcdefgh ".repeat(12)
    )
}

fn ndjson() -> Vec<u8> {
    (0..RECORDS).flat_map(|index| (json(index) + "\n").into_bytes()).collect()
}

fn document() -> Vec<u8> {
    let records: Vec<_> = (0..RECORDS).map(json).collect();
    format!("{{\"kind\": \"list\", \"data\": [{}]}}\n", records.join(",\n")).into_bytes()
}

fn csv() -> Vec<u8> {
    let row = |index| {
        let at = if is_bad(index) { String::new() } else { (1_780_000_000 + index).to_string() };
        let note = "\"two\nlines, one cell\"";
        format!("{},{at},user-{}@example.com,read,file,{note}\n", id(index), index % 300)
    };
    let rows: String = (0..RECORDS).map(row).collect();
    format!("id,at,who,what,where,note\n{rows}").into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Cut anywhere, not between lines.
fn members() -> Vec<u8> {
    ndjson().chunks(700_001).flat_map(gzip).collect()
}

fn frames() -> Vec<u8> {
    ndjson().chunks(700_001).flat_map(|part| zstd::encode_all(part, 1).unwrap()).collect()
}

/// What a killed process left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hit {
    BeforeTheFirstCommit,
    /// With so many tenths of the records stored.
    PartlyCommitted(u64),
    Finished,
}

/// One kind of object in a folder of its own.
struct Case {
    object: PathBuf,
    program: PathBuf,
    store: PathBuf,
}

impl Case {
    fn new(folder: &Path, kind: &Kind) -> Self {
        let program = folder.join("program.weir");
        let head = "weir 1\nparser \"crash\" version 1\nocsf \"1.8.0\"\nproduct \"Test\"\n";
        fs::write(&program, format!("{head}{}\n{MAPPING}", kind.input)).unwrap();
        let object = folder.join("object");
        fs::write(&object, (kind.encode)()).unwrap();
        Self { object, program, store: folder.join("events.db") }
    }

    fn command(&self, threads: &str) -> Command {
        let mut command = weir_command(["run", "--commit-events", "1", "--threads", threads]);
        command.arg("--store").arg(&self.store).arg(&self.program).arg(&self.object);
        command
    }

    fn remove_store(&self) {
        for end in ["", "-wal", "-shm"] {
            let mut path = self.store.clone().into_os_string();
            path.push(end);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
                _ => {}
            }
        }
    }

    /// Runs to the end; says how long it took.
    fn finish(&self, threads: &str) -> Duration {
        let begin = Instant::now();
        let output = self.command(threads).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        begin.elapsed()
    }

    /// Starts a run and kills it; false if it was over before.
    fn kill_after(&self, delay: Duration, threads: &str) -> bool {
        let mut command = self.command(threads);
        let mut child = command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        sleep(delay);
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert!(status.code().is_none_or(|code| code == 0), "it ended by itself, with {status}");
        status.code().is_none()
    }

    fn hit(&self) -> Hit {
        if !self.store.exists() {
            return Hit::BeforeTheFirstCommit;
        }
        // Killed while the file was made, it may be no store yet; the next run must cope.
        let Ok(store) = Store::open_read_only(&self.store) else {
            return Hit::BeforeTheFirstCommit;
        };
        match store.progress("crash", self.object.to_str().unwrap()).unwrap() {
            None => Hit::BeforeTheFirstCommit,
            Some(state) if state.done => Hit::Finished,
            Some(_) => {
                let counts = store.counts().unwrap();
                Hit::PartlyCommitted((counts.events + counts.rejects) * 10 / RECORDS)
            }
        }
    }

    /// Every event once, every reject once.
    fn verify(&self) {
        let store = Store::open_read_only(&self.store).unwrap();
        let (mut sequence, mut ids) = (0, BTreeSet::new());
        loop {
            let events = store.events_after(None, sequence, 1000).unwrap();
            let Some(last) = events.last() else { break };
            for event in &events {
                assert!(event.sequence > sequence);
                sequence = event.sequence;
                assert_eq!(event.source_event_id, id(event.record_index));
                assert!(
                    ids.insert(event.source_event_id.clone()),
                    "{} twice",
                    event.source_event_id
                );
            }
            sequence = last.sequence;
        }
        let expected: BTreeSet<_> = (0..RECORDS).filter(|&index| !is_bad(index)).map(id).collect();
        assert!(ids == expected, "{} events, not {}", ids.len(), expected.len());

        let (mut last, mut indices) = (0, Vec::new());
        loop {
            let rejects = store.rejects(last, 1000).unwrap();
            let Some(reject) = rejects.last() else { break };
            last = reject.id;
            assert!(rejects.iter().all(|reject| reject.code == "R1201"));
            indices.extend(rejects.iter().map(|reject| reject.record_index));
        }
        let expected: Vec<_> = (0..RECORDS).filter(|&index| is_bad(index)).collect();
        assert_eq!(indices, expected);
        assert_eq!(store.counts().unwrap().conflicts, 0);
    }
}

#[test]
fn killed_at_any_moment_every_event_is_stored_once() {
    let seed =
        std::env::var("WEIR_SEED").map_or_else(|_| fastrand::u64(..), |s| s.parse().unwrap());
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut hits = BTreeMap::<Hit, usize>::new();
    for kind in &KINDS {
        let folder = tempfile::tempdir().unwrap();
        let case = Case::new(folder.path(), kind);
        // How long a run takes, as far as it is known: the machine may become slower, or faster.
        let mut whole = case.finish("2");
        case.verify();
        println!("{}: a whole run takes {} ms", kind.name, whole.as_millis());
        case.remove_store();
        let mut kills = 0;
        while kills < KILLS {
            let threads = if random.bool() { "1" } else { "2" };
            if case.kill_after(whole.mul_f64(random.f64() * 0.6), threads) {
                kills += 1;
                let hit = case.hit();
                *hits.entry(hit).or_default() += 1;
                if hit == Hit::BeforeTheFirstCommit {
                    whole = whole.mul_f64(1.2);
                }
            } else {
                whole = whole.mul_f64(0.9);
            }
            if case.hit() == Hit::Finished && kills < KILLS {
                case.verify();
                case.remove_store();
            }
        }
        case.finish("2");
        case.verify();
    }
    for (hit, count) in &hits {
        println!("{:<24}{}", format!("{hit:?}"), "#".repeat(*count));
    }
    let count = |wanted: fn(&Hit) -> bool| {
        hits.iter().filter(|(hit, _)| wanted(hit)).map(|(_, count)| count).sum::<usize>()
    };
    let (all, partly) = (count(|_| true), count(|hit| matches!(hit, Hit::PartlyCommitted(_))));
    assert!(all >= 50, "only {all} kills");
    assert!(partly * 2 >= all, "only {partly} of {all} kills hit a partly committed object");
}

#[test]
fn two_processes_on_one_object_store_every_event_once() {
    let folder = tempfile::tempdir().unwrap();
    let case = Case::new(folder.path(), &KINDS[0]);
    let start = || {
        let mut command = case.command("1");
        command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
    };
    let both = [start(), start()].map(|child| child.wait_with_output().unwrap());
    assert!(both.iter().any(|output| output.status.success()));
    for output in both.iter().filter(|output| !output.status.success()) {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("another process is ingesting this object"), "{said}");
    }
    case.verify();
}
