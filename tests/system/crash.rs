//! Kills `weir run --store` at random moments and starts it again, until the object is ingested: then every event must
//! be stored once, every refused record must be a dead letter once, and nothing else may be there.
//!
//! The seed is printed; `WEIR_SEED` repeats the moments, as far as the machine lets it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use weir_server::store::Store;
use weir_system_tests::binary::weir_command;
use weir_system_tests::objects::{KINDS, Kind, Records};

/// Records of an object: a run takes about a second.
const RECORDS: u64 = 30_000;
/// Kills of each kind of object; there are six kinds.
const KILLS: usize = 9;

/// What the object holds.
fn records() -> Records {
    Records { prefix: "event".to_owned(), count: RECORDS }
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
        fs::write(&program, kind.program()).unwrap();
        let object = folder.join("object");
        fs::write(&object, kind.object(&records())).unwrap();
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
        match store.progress("objects", self.object.to_str().unwrap()).unwrap() {
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
                assert_eq!(event.source_event_id, records().id(event.record_index));
                assert!(
                    ids.insert(event.source_event_id.clone()),
                    "{} twice",
                    event.source_event_id
                );
            }
            sequence = last.sequence;
        }
        let records = records();
        let expected: BTreeSet<_> = records.good().map(|index| records.id(index)).collect();
        assert!(ids == expected, "{} events, not {}", ids.len(), expected.len());

        let (mut last, mut indices) = (0, Vec::new());
        loop {
            let rejects = store.rejects(last, 1000).unwrap();
            let Some(reject) = rejects.last() else { break };
            last = reject.id;
            assert!(rejects.iter().all(|reject| reject.code == "R1201"));
            indices.extend(rejects.iter().map(|reject| reject.record_index));
        }
        let expected: Vec<_> = records.bad().collect();
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
