//! Kills `weir serve` while it pulls and objects keep arriving: at random moments, and at commit points. In the end every
//! event must be stored once, every refused record must be a dead letter once, and nothing else may be there.
//!
//! Commit points are met exactly: strace kills the server as it enters the n-th call that syncs the store.
//!
//! `WEIR_KILLS` says how often (24 by default); the seed is printed, and `WEIR_SEED` repeats what chance decides.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use serde_json::json;
use weir_server::store::Store;
use weir_system_tests::binary::weir;
use weir_system_tests::objects::{KINDS, Records};
use weir_system_tests::seaweed::Seaweed;
use weir_system_tests::server::Server;

const BUCKET: &str = "logs";
/// Records of an object. An object takes some thirty commits, since there are commits between blocks only.
const RECORDS: u64 = 12_000;
const COMMIT_EVENTS: usize = 100;
/// Objects that wait for the server when it starts again, at least: more than any machine reads before the kill.
const BACKLOG: usize = 12;

/// An object that was uploaded.
#[derive(Clone)]
struct Uploaded {
    kind: usize,
    key: String,
    records: Records,
}

/// Uploads an object of each kind in turn, as long as it is let.
struct Uploader {
    uploaded: Arc<Mutex<Vec<Uploaded>>>,
    is_ended: Arc<AtomicBool>,
    /// How many there should be.
    wanted: Arc<Mutex<usize>>,
    thread: std::thread::JoinHandle<()>,
}

impl Uploader {
    fn start(seaweed: Arc<Seaweed>) -> Self {
        let uploaded = Arc::<Mutex<Vec<Uploaded>>>::default();
        let (is_ended, wanted) = (Arc::<AtomicBool>::default(), Arc::new(Mutex::new(BACKLOG)));
        let thread = spawn({
            let (uploaded, is_ended, wanted) =
                (Arc::clone(&uploaded), Arc::clone(&is_ended), Arc::clone(&wanted));
            move || {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                for number in 0_usize.. {
                    while *wanted.lock().unwrap() <= number {
                        if is_ended.load(Ordering::Relaxed) {
                            return;
                        }
                        sleep(Duration::from_millis(10));
                    }
                    let kind = number % KINDS.len();
                    let records = Records { prefix: format!("o{number:05}"), count: RECORDS };
                    let key = format!("{kind}/object-{number:05}");
                    let body = KINDS[kind].object(&records);
                    runtime.block_on(seaweed.put(BUCKET, &key, body));
                    uploaded.lock().unwrap().push(Uploaded { kind, key, records });
                }
            }
        });
        Self { uploaded, is_ended, wanted, thread }
    }

    /// Lets more arrive, and waits until enough are left to be read; some will arrive later.
    fn more_of(&self, world: &World) {
        *self.wanted.lock().unwrap() += 2 * BACKLOG;
        let deadline = Instant::now() + Duration::from_secs(60);
        while world.left(&self.uploaded()) < BACKLOG {
            assert!(Instant::now() < deadline, "objects cannot be uploaded");
            sleep(Duration::from_millis(10));
        }
    }

    fn uploaded(&self) -> Vec<Uploaded> {
        self.uploaded.lock().unwrap().clone()
    }

    /// Everything that was to be uploaded is.
    fn end(self) -> Vec<Uploaded> {
        self.is_ended.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        self.uploaded.lock().unwrap().clone()
    }
}

/// Makes a parser and a source for each kind of object; gives the sources' ids.
fn create_sources(server: &Server, seaweed: &Seaweed) -> Vec<String> {
    let access_key = seaweed.access_key();
    let create = |(number, kind): (usize, &weir_system_tests::objects::Kind)| {
        let parser = json!({ "name": format!("parser {number}"), "definition": kind.program() });
        let (status, made) = server.post("/api/governance/parsers", &parser);
        assert_eq!(status, 201, "{made}");
        let (status, made) = server.post(
            "/api/governance/ingestion-sources",
            &json!({
                "name": kind.name, "source_type": "s3_custom", "mode": "pull",
                "parser_id": made["parser"]["id"], "poll_every_sec": 1,
                "pull_config": {
                    "adapter": "s3_polling", "bucket": BUCKET, "prefix": format!("{number}/"),
                    "endpoint": seaweed.endpoint, "region": "us-east-1",
                },
                "credentials": {
                    "access_key_id": access_key.id, "secret_access_key": access_key.secret,
                },
            }),
        );
        assert_eq!(status, 201, "{made}");
        made["ingestion_source"]["id"].as_str().unwrap().to_owned()
    };
    KINDS.iter().enumerate().map(create).collect()
}

/// What a killed server left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hit {
    /// So many objects were partly stored.
    PartlyCommitted(usize),
    BetweenObjects,
}

struct World {
    data: PathBuf,
    config: PathBuf,
    sources: Vec<String>,
}

impl World {
    fn store(&self) -> PathBuf {
        self.data.join("weir.db")
    }

    fn command(&self, before: &[String]) -> Command {
        let mut words: Vec<std::ffi::OsString> = before.iter().map(Into::into).collect();
        words.push(weir().into());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(["serve", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(&self.data).arg("--config").arg(&self.config);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Kills the server a while after it began.
    fn kill_after(&self, delay: Duration) {
        let mut child = self.command(&[]).spawn().unwrap();
        sleep(delay);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Kills the server a while after it stored the first events of this life.
    ///
    /// How long a start takes is the machine's affair: a delay from there would meet a slow one before its first object
    /// and a fast one after its last.
    fn kill_after_events(&self, delay: Duration) {
        let before = self.last_sequence();
        let mut child = self.command(&[]).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.last_sequence() == before && Instant::now() < deadline {
            sleep(Duration::from_millis(5));
        }
        sleep(delay);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// The sequence of the last event, 0 before the first.
    fn last_sequence(&self) -> i64 {
        let store = Store::open_read_only(&self.store()).unwrap();
        store.tail(None, 1).unwrap().last().map_or(0, |event| event.sequence)
    }

    /// Kills the server as it enters its `n`-th sync.
    fn kill_at_sync(&self, n: u32) {
        let calls = "fsync,fdatasync";
        let words = ["strace", "-f", "-qq", "-o", "/dev/null", "-e"];
        let mut words: Vec<String> = words.map(str::to_owned).to_vec();
        words.extend([format!("trace={calls}"), "-e".to_owned()]);
        words.push(format!("inject={calls}:signal=SIGKILL:when={n}"));
        let mut child = match self.command(&words).spawn() {
            Ok(child) => child,
            Err(error) => panic!("strace: {error}; install it: apt-get install strace"),
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while child.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                end_traced(&mut child);
                return;
            }
            sleep(Duration::from_millis(5));
        }
    }

    fn hit(&self, uploaded: &[Uploaded]) -> Hit {
        let store = Store::open_read_only(&self.store()).unwrap();
        let is_partly = |object: &&Uploaded| {
            let key = format!("s3://{BUCKET}/{}", object.key);
            let state = store.progress(&self.sources[object.kind], &key).unwrap();
            state.is_some_and(|state| !state.done)
        };
        match uploaded.iter().filter(is_partly).count() {
            0 => Hit::BetweenObjects,
            count => Hit::PartlyCommitted(count),
        }
    }

    /// Objects that are not read to their end.
    fn left(&self, uploaded: &[Uploaded]) -> usize {
        let store = Store::open_read_only(&self.store()).unwrap();
        let is_left = |object: &&Uploaded| {
            let key = format!("s3://{BUCKET}/{}", object.key);
            let state = store.progress(&self.sources[object.kind], &key).unwrap();
            state.is_none_or(|state| !state.done)
        };
        uploaded.iter().filter(is_left).count()
    }

    /// Lets the server read all that is there.
    fn finish(&self, server: &mut Server, uploaded: &[Uploaded]) {
        server.begin();
        let deadline = Instant::now() + Duration::from_secs(120);
        while self.left(uploaded) > 0 {
            let left = self.left(uploaded);
            assert!(Instant::now() < deadline, "{left} objects are left\n{}", server.log());
            sleep(Duration::from_millis(100));
        }
        assert!(server.end().success(), "{}", server.log());
    }

    fn verify(&self, uploaded: &[Uploaded]) {
        let store = Store::open_read_only(&self.store()).unwrap();
        let mut expected = BTreeSet::new();
        let mut refused = BTreeSet::new();
        for object in uploaded {
            let source = &self.sources[object.kind];
            expected.extend(object.records.good().map(|i| (source.clone(), object.records.id(i))));
            let key = format!("s3://{BUCKET}/{}", object.key);
            refused.extend(object.records.bad().map(|i| (source.clone(), key.clone(), i)));
        }
        let (mut found, mut sequence) = (BTreeSet::new(), 0);
        loop {
            let events = store.events_after(None, sequence, 1000).unwrap();
            let Some(last) = events.last() else { break };
            for event in &events {
                let event_key = (event.source_id.to_string(), event.source_event_id.clone());
                assert!(found.insert(event_key), "{} twice", event.source_event_id);
            }
            sequence = last.sequence;
        }
        assert!(found == expected, "{} events, not {}", found.len(), expected.len());
        let (mut found, mut last) = (BTreeSet::new(), 0);
        loop {
            let rejects = store.rejects(last, 1000).unwrap();
            let Some(reject) = rejects.last() else { break };
            last = reject.id;
            for reject in &rejects {
                assert_eq!(reject.code, "R1201");
                let key = reject.origin.object_key.clone();
                let letter = (reject.source_id.clone(), key, reject.record_index);
                assert!(found.insert(letter.clone()), "{letter:?} twice");
            }
        }
        assert!(found == refused, "{} dead letters, not {}", found.len(), refused.len());
        let counts = store.counts().unwrap();
        assert_eq!((counts.conflicts, counts.duplicates), (0, 0));
    }
}

/// Ends a server that strace watches, and strace with it.
fn end_traced(strace: &mut Child) {
    let children = format!("/proc/{0}/task/{0}/children", strace.id());
    for pid in fs::read_to_string(children).unwrap_or_default().split_whitespace() {
        Command::new("kill").args(["-9", pid]).status().unwrap();
    }
    strace.wait().unwrap();
}

fn write_config(folder: &Path) -> PathBuf {
    let path = folder.join("crash.toml");
    let text = format!(
        "[pull]\ncommit_events = {COMMIT_EVENTS}\nobjects_at_once = 3\nretry_min_sec = 1\nretry_max_sec = 2\n"
    );
    fs::write(&path, text).unwrap();
    path
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

#[test]
fn killed_while_it_pulls_every_event_is_stored_once() {
    let kills = number("WEIR_KILLS").unwrap_or(24);
    let seed = number("WEIR_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let seaweed = Arc::new(Seaweed::start());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(seaweed.create_bucket(BUCKET));
    let mut server = Server::start();
    let sources = create_sources(&server, &seaweed);
    server.end();
    let (data, config) = (server.data(), write_config(server.folder()));
    let world = World { data, config, sources };
    let uploader = Uploader::start(Arc::clone(&seaweed));
    let mut hits = BTreeMap::<(&str, Hit), usize>::new();
    for _ in 0..kills {
        while world.left(&uploader.uploaded()) < BACKLOG {
            uploader.more_of(&world);
        }
        let how = match random.u32(0..8) {
            0 => {
                world.kill_after(Duration::from_millis(random.u64(0..1_000)));
                "at any time"
            }
            1..4 => {
                world.kill_after_events(Duration::from_millis(random.u64(0..500)));
                "among events"
            }
            _ => {
                world.kill_at_sync(random.u32(14..60));
                "at a commit"
            }
        };
        *hits.entry((how, world.hit(&uploader.uploaded()))).or_default() += 1;
    }
    let uploaded = uploader.end();
    world.finish(&mut server, &uploaded);
    world.verify(&uploaded);

    for ((how, hit), count) in &hits {
        println!("{how:<12} {:<24}{}", format!("{hit:?}"), "#".repeat(*count));
    }
    let partly = hits.iter().filter(|((_, hit), _)| *hit != Hit::BetweenObjects);
    let partly: usize = partly.map(|(_, count)| count).sum();
    println!(
        "{kills} kills, {partly} of them within an object; {} objects, {} records",
        uploaded.len(),
        uploaded.len() as u64 * RECORDS
    );
    assert!(partly as u64 * 5 >= kills * 4, "only {partly} of {kills} kills hit an object");
}
