//! The puller of `weir serve`, from a real bucket to the store: what a run comes to, what goes wrong, and that every
//! event is stored once, whatever happens on the way.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::future::Future;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use weir_server::store::Store;
use weir_system_tests::fault_proxy::{Fault, FaultProxy, Request};
use weir_system_tests::memory;
use weir_system_tests::ministack::Ministack;
use weir_system_tests::objects::{KINDS, Kind, Records};
use weir_system_tests::seaweed::Seaweed;
use weir_system_tests::server::{Launch, Server};

const SOURCES: &str = "/api/governance/ingestion-sources";
const PARSERS: &str = "/api/governance/parsers";
/// All tests share it, each with a prefix of its own.
const BUCKET: &str = "pulled";
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Short pauses, and many commits.
const CONFIG: &str = "[pull]\nretry_min_sec = 1\nretry_max_sec = 2\ncommit_events = 200\n\
    stall_timeout_sec = 4\n";
/// The largest range that the puller asks for.
const PART_BYTES: u64 = 4 << 20;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
});

/// The bucket. It ends with the process.
static SEAWEED: LazyLock<Seaweed> = LazyLock::new(|| {
    let seaweed = Seaweed::start();
    wait(seaweed.create_bucket(BUCKET));
    seaweed
});

/// Waits for it on the runtime of the tests.
fn wait<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.block_on(work)
}

fn put(key: &str, body: impl Into<Bytes>) {
    wait(SEAWEED.put(BUCKET, key, body));
}

fn remove(key: &str) {
    let request = SEAWEED.client().delete_object().bucket(BUCKET).key(key);
    // On a runtime of its own: the threads of the tests' may be busy with the request that it is called from.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(request.send()).unwrap();
}

fn proxy(script: impl Fn(&Request) -> Fault + Send + Sync + 'static) -> FaultProxy {
    wait(FaultProxy::start(&SEAWEED.endpoint, script))
}

/// Whether a request is for an object's bytes.
fn is_read(request: &Request) -> bool {
    request.method == "GET" && request.range.is_some()
}

fn records(prefix: &str, count: u64) -> Records {
    Records { prefix: prefix.to_owned(), count }
}

fn url(key: &str) -> String {
    format!("s3://{BUCKET}/{key}")
}

/// Asks until the answer is there.
#[track_caller]
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begin.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(20));
    }
}

fn server() -> Server {
    Server::launch(Launch::config(CONFIG))
}

#[track_caller]
fn make_parser(server: &Server, name: &str, definition: &str) -> String {
    let (status, made) = server.post(PARSERS, &json!({ "name": name, "definition": definition }));
    assert_eq!(status, 201, "{made}");
    made["parser"]["id"].as_str().unwrap().to_owned()
}

/// A pulled source.
struct Source {
    id: String,
    /// As it was asked for.
    config: Value,
}

impl Source {
    /// Reads `prefix` with the program of a kind of objects.
    #[track_caller]
    fn new(server: &Server, kind: &Kind, prefix: &str, differs: Value) -> Self {
        let parser = make_parser(server, prefix, &kind.program());
        Self::with_parser(server, &parser, prefix, differs)
    }

    /// `differs` replaces members of the source, or takes them away with null; its `pull_config` likewise.
    #[track_caller]
    fn with_parser(server: &Server, parser: &str, prefix: &str, differs: Value) -> Self {
        let access_key = SEAWEED.access_key();
        let mut config = json!({
            "adapter": "s3_polling", "bucket": BUCKET, "prefix": prefix, "region": "us-east-1",
            "endpoint": SEAWEED.endpoint,
        });
        let mut source = json!({
            "name": prefix, "source_type": "s3_custom", "mode": "pull", "parser_id": parser,
            "credentials": { "access_key_id": access_key.id, "secret_access_key": access_key.secret },
        });
        for (name, value) in differs.as_object().unwrap() {
            if name == "pull_config" {
                config.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
            } else {
                source[name] = value.clone();
            }
        }
        source["pull_config"] = config.clone();
        let (status, made) = server.post(SOURCES, &source);
        assert_eq!(status, 201, "{made}");
        let id = made["ingestion_source"]["id"].as_str().unwrap().to_owned();
        Self { id, config }
    }

    fn path(&self, rest: &str) -> String {
        format!("{SOURCES}/{}{rest}", self.id)
    }

    #[track_caller]
    fn get(&self, server: &Server) -> Value {
        let (status, answer) = server.get(&self.path(""));
        assert_eq!(status, 200, "{answer}");
        answer["ingestion_source"].clone()
    }

    #[track_caller]
    fn health(&self, server: &Server) -> Value {
        let (status, answer) = server.get(&self.path("/health"));
        assert_eq!(status, 200, "{answer}");
        answer["health"].clone()
    }

    /// All runs, newest first.
    #[track_caller]
    fn runs(&self, server: &Server) -> Vec<Value> {
        server.all(&self.path("/pull-runs"))
    }

    #[track_caller]
    fn patch(&self, server: &Server, change: Value) -> Value {
        let (status, answer) = server.patch(&self.path(""), &change);
        assert_eq!(status, 200, "{answer}");
        answer["ingestion_source"].clone()
    }

    /// Changes members of its configuration.
    #[track_caller]
    fn configure(&mut self, server: &Server, differs: Value) {
        self.config.as_object_mut().unwrap().extend(differs.as_object().unwrap().clone());
        self.patch(server, json!({ "pull_config": self.config }));
    }

    /// Begins a run by hand.
    #[track_caller]
    fn begin(&self, server: &Server) -> String {
        let (status, answer) = server.post(&self.path("/pull"), &json!({}));
        assert_eq!(status, 202, "{answer}");
        assert_eq!(answer["pull_run"]["trigger"], "manual");
        assert_eq!(answer["pull_run"]["status"], "running");
        answer["pull_run"]["id"].as_str().unwrap().to_owned()
    }

    /// Waits until a run has ended.
    #[track_caller]
    fn ended(&self, server: &Server, run: &str) -> Value {
        until("the run has ended", || {
            let run = self.runs(server).into_iter().find(|row| row["id"] == run)?;
            (run["status"] != "running").then_some(run)
        })
    }

    /// Runs once, by hand.
    #[track_caller]
    fn pull(&self, server: &Server) -> Value {
        // The run before may not be out of the way yet, though it has ended.
        let id = until("a run can begin", || {
            let (status, answer) = server.post(&self.path("/pull"), &json!({}));
            assert!(status == 202 || answer["error"]["code"] == "run_in_progress", "{answer}");
            (status == 202).then(|| answer["pull_run"]["id"].as_str().unwrap().to_owned())
        });
        self.ended(server, &id)
    }

    /// How many events it has.
    fn events(&self, server: &Server) -> u64 {
        let store = Store::open_read_only(&server.store()).unwrap();
        let sources = store.sources().unwrap();
        sources.iter().find(|row| row.name == self.id).map_or(0, |row| row.counts.events)
    }

    #[track_caller]
    fn wait_for_events(&self, server: &Server, count: u64) {
        until(&format!("{count} events of {}", self.config["prefix"]), || {
            (self.events(server) == count).then_some(())
        });
    }

    /// Every event of these objects is stored once, every refused record is an open dead letter once, and there is nothing
    /// else.
    #[track_caller]
    fn verify(&self, server: &Server, objects: &[(&str, &Records)]) {
        let store = Store::open_read_only(&server.store()).unwrap();
        let (mut ids, mut after, mut sequence) = (BTreeSet::new(), 0, 0);
        loop {
            let events = store.events_after(Some(&self.id), after, 1000).unwrap();
            let Some(last) = events.last() else { break };
            after = last.sequence;
            for event in events {
                assert!(event.sequence > sequence);
                sequence = event.sequence;
                assert!(
                    ids.insert(event.source_event_id.clone()),
                    "{} twice",
                    event.source_event_id
                );
            }
        }
        let wanted = objects.iter().flat_map(|(_, r)| r.good().map(|index| r.id(index)));
        let wanted: BTreeSet<String> = wanted.collect();
        let (missing, extra) = (wanted.difference(&ids).next(), ids.difference(&wanted).next());
        assert_eq!((missing, extra), (None, None), "{} events of {}", ids.len(), wanted.len());

        let mut open = open_rejects(server, &self.id);
        open.sort_unstable();
        let wanted = objects.iter().flat_map(|(key, r)| r.bad().map(|index| (url(key), index)));
        let mut wanted: Vec<(String, u64)> = wanted.collect();
        wanted.sort_unstable();
        assert!(open == wanted, "{} dead letters, not {}", open.len(), wanted.len());
        assert_eq!(self.health(server)["quarantined"], wanted.len());
    }
}

/// The open dead letters of a source: the object, and the number of the record in it.
fn open_rejects(server: &Server, source: &str) -> Vec<(String, u64)> {
    let connection = rusqlite::Connection::open(server.store()).unwrap();
    let mut select = connection
        .prepare(
            "SELECT object.key, record_index FROM reject
             JOIN object_version ON object_version.id = reject.version
             JOIN object ON object.id = object_version.object JOIN source ON source.id = reject.source
             WHERE state = 0 AND source.name = ?",
        )
        .unwrap();
    let rows = select.query_map([source], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)));
    rows.unwrap().map(|row| row.map(|(key, index)| (key, index.cast_unsigned())).unwrap()).collect()
}

#[track_caller]
fn assert_fields(row: &Value, wanted: Value) {
    for (name, value) in wanted.as_object().unwrap() {
        assert_eq!(&row[name], value, "{name} of {row:#}");
    }
}

/// A number of the metrics.
fn metric(server: &Server, name: &str) -> u64 {
    let text = server.request("GET", "/metrics", &[], b"").text();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0, |value| value.trim().parse().unwrap())
}

/// A proxy that lets only a part of each object through until its gate is opened; then everything.
struct Gate {
    is_open: Arc<AtomicBool>,
    proxy: FaultProxy,
}

impl Gate {
    /// `part` of the bytes of `object_bytes` get through, in percent.
    fn new(object_bytes: impl Fn(&str) -> usize + Send + Sync + 'static, percent: usize) -> Self {
        let is_open = Arc::<AtomicBool>::default();
        let opened = Arc::clone(&is_open);
        let proxy = proxy(move |request| {
            if opened.load(Ordering::Relaxed) || !is_read(request) {
                return Fault::None;
            }
            let through = object_bytes(&request.path) * percent / 100;
            let first = usize::try_from(request.range.unwrap().0).unwrap();
            Fault::Stall(through.saturating_sub(first))
        });
        Self { is_open, proxy }
    }

    fn open(&self) {
        self.is_open.store(true, Ordering::Relaxed);
    }
}

#[test]
fn every_kind_of_object_is_pulled_within_one_interval() {
    let server = server();
    let sources = KINDS.iter().enumerate().map(|(number, kind)| {
        Source::new(&server, kind, &format!("kinds/{number}/"), json!({ "poll_every_sec": 1 }))
    });
    let sources: Vec<Source> = sources.collect();
    for source in &sources {
        assert_eq!(source.get(&server)["status"], "awaiting_first_event");
        // Nothing is there: that is no error.
        until("a run", || source.runs(&server).into_iter().find(|r| r["status"] == "completed"));
    }
    for ((number, kind), source) in KINDS.iter().enumerate().zip(&sources) {
        let (first, second) = (records(&format!("a{number}"), 400), records("b", 100));
        let keys = [format!("kinds/{number}/1"), format!("kinds/{number}/2")];
        put(&keys[0], kind.object(&first));
        let uploaded = Instant::now();
        source.wait_for_events(&server, first.good().count() as u64);
        let took = uploaded.elapsed();
        // The interval is a second; the rest is for a busy machine.
        assert!(took < Duration::from_secs(4), "{}: {took:?}", kind.name);
        let plain = match kind.name {
            "gzip" | "gzip of many members" | "zstd of many frames" => KINDS[0].object(&first),
            _ => kind.object(&first),
        };
        let find = |key: &str| {
            until("the run that read it", || {
                let runs = source.runs(&server).into_iter();
                let read = |run: &Value| run["objects_read"] == 1 && run["cursor_after"] == key;
                runs.filter(|run| run["status"] == "completed").find(read)
            })
        };
        assert_fields(
            &find(&keys[0]),
            json!({
                "trigger": "schedule", "bytes_read": plain.len(), "records_read": 400,
                "events_written": first.good().count(), "duplicates": 0,
                "error_count": first.bad().count(), "cursor_before": null, "error_code": null,
            }),
        );
        // An object without anything in it, and one more.
        put(&keys[1], "");
        assert_fields(
            &find(&keys[1]),
            json!({ "bytes_read": 0, "records_read": 0, "events_written": 0, "cursor_before": keys[0] }),
        );
        put(&keys[1], kind.object(&second));
        let all = first.good().count() + second.good().count();
        source.wait_for_events(&server, all as u64);
        source.verify(&server, &[(&keys[0], &first), (&keys[1], &second)]);
        let stored = source.get(&server);
        assert_fields(&stored, json!({ "status": "active", "cursor": keys[1] }));
        assert!(stored["last_event_at"].is_string() && stored["last_success_at"].is_string());
        let health = source.health(&server);
        assert_fields(
            &health,
            json!({ "events_24h": all, "consecutive_errors": 0, "last_error": null, "objects_failing": 0 }),
        );
        let rate = health["parse_error_rate"].as_f64().unwrap();
        let bad = first.bad().count() + second.bad().count();
        assert!((rate - bad as f64 / 500.0).abs() < 1e-9, "{rate}");
    }
    // Every run is for its own slot.
    for source in &sources {
        let runs = source.runs(&server);
        let slots: BTreeSet<_> = runs.iter().map(|run| run["scheduled_for"].to_string()).collect();
        assert_eq!(slots.len(), runs.len());
    }
    assert!(metric(&server, "ingestion_pull_total{outcome=\"completed\"}") >= 12);
    assert!(metric(&server, "ingestion_pull_duration_milliseconds_count") >= 12);
    assert_eq!(metric(&server, "ingestion_pull_total{outcome=\"partial\"}"), 0);
    let events: u64 = sources.iter().map(|source| source.events(&server)).sum();
    assert_eq!(metric(&server, "weir_events_stored_total{way=\"pull\"}"), events);
}

/// Runs fail until it is mended, and say so; then all is well again.
#[track_caller]
fn fails_until(
    server: &Server,
    source: &mut Source,
    (status, code): (&str, &str),
    mend: impl FnOnce(&mut Source),
) {
    for errors in 1..=2 {
        let run = source.pull(server);
        assert_fields(&run, json!({ "status": status, "error_code": code }));
        let health = source.health(server);
        assert_eq!(health["last_error"]["code"], code, "{health}");
        assert_eq!(health["consecutive_errors"], errors, "{health}");
        assert_eq!(source.get(server)["consecutive_errors"], errors);
        let message = health["last_error"]["message"].as_str().unwrap();
        assert!(message.contains("s3://"), "{message}");
    }
    mend(source);
    let run = source.pull(server);
    assert_fields(&run, json!({ "status": "completed", "error_code": null }));
    assert_fields(
        &source.health(server),
        json!({ "last_error": null, "consecutive_errors": 0, "objects_failing": 0 }),
    );
}

#[test]
fn what_is_wrong_with_a_bucket_is_said_in_one_word_until_it_is_right() {
    let server = server();
    let ndjson = &KINDS[0];
    let some = records("r", 50);
    put("wrong/1", ndjson.object(&some));
    put("wrong/2", ndjson.object(&records("s", 50)));
    let both = records("s", 50);
    let of_both = [("wrong/1", &some), ("wrong/2", &both)];
    let parser = make_parser(&server, "p", &ndjson.program());
    let source = |name: &str, config: Value| {
        let differs = json!({ "name": name, "pull_config": config });
        Source::with_parser(&server, &parser, "wrong/", differs)
    };

    let mut missing = source("no bucket", json!({ "bucket": "not-there-yet" }));
    fails_until(&server, &mut missing, ("failed", "no_such_bucket"), |_| {
        wait(SEAWEED.create_bucket("not-there-yet"));
    });

    let mut wrong = source("wrong secret", json!({}));
    wrong.patch(&server, json!({ "credentials": { "secret_access_key": "wrong" } }));
    fails_until(&server, &mut wrong, ("failed", "invalid_credentials"), |source| {
        let secret = SEAWEED.access_key().secret;
        source.patch(&server, json!({ "credentials": { "secret_access_key": secret } }));
    });
    wrong.verify(&server, &of_both);

    let mut unreachable = source("unreachable", json!({ "endpoint": "http://127.0.0.1:9" }));
    fails_until(&server, &mut unreachable, ("failed", "unreachable"), |source| {
        source.configure(&server, json!({ "endpoint": SEAWEED.endpoint }));
    });
    unreachable.verify(&server, &of_both);

    // One key that may not be read does not hold up the other.
    let is_denied = Arc::new(AtomicBool::new(true));
    let denying = Arc::clone(&is_denied);
    let behind = proxy(move |request| {
        let body = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
        match is_read(request)
            && request.path.contains("/wrong/1")
            && denying.load(Ordering::Relaxed)
        {
            true => Fault::Answer { status: 403, headers: Vec::new(), body: body.into() },
            false => Fault::None,
        }
    });
    let mut denied = source("denied key", json!({ "endpoint": behind.endpoint }));
    fails_until(&server, &mut denied, ("partial", "access_denied"), |source| {
        source.verify(&server, &of_both[1..]);
        assert_eq!(source.health(&server)["objects_failing"], 1);
        is_denied.store(false, Ordering::Relaxed);
    });
    denied.verify(&server, &of_both);

    assert_eq!(metric(&server, "ingestion_pull_total{outcome=\"completed\"}"), 4);
    assert_eq!(metric(&server, "ingestion_pull_total{outcome=\"partial\"}"), 2);
    assert_eq!(metric(&server, "ingestion_pull_total{outcome=\"failed_final\"}"), 4);
    assert_eq!(metric(&server, "ingestion_pull_total{outcome=\"failed_retryable\"}"), 2);
}

#[test]
fn a_role_is_refused_until_its_external_id_is_right() {
    let service = Ministack::start();
    let role = service.prepare();
    let server = server();
    // Its objects are no JSON: every record becomes a dead letter.
    let parser = make_parser(&server, "p", &KINDS[0].program());
    for wrong in [json!("wrong"), Value::Null] {
        let mut source = Source::with_parser(
            &server,
            &parser,
            "logs/",
            json!({
                "name": format!("role {wrong}"),
                "credentials": { "access_key_id": role.user.id, "secret_access_key": role.user.secret },
                "pull_config": {
                    "bucket": role.bucket, "endpoint": service.endpoint, "roleArn": role.arn,
                    "externalId": wrong,
                },
            }),
        );
        fails_until(&server, &mut source, ("failed", "role_denied"), |source| {
            let health = source.health(&server).to_string();
            assert!(!health.contains(&role.external_id), "{health}");
            source.configure(&server, json!({ "externalId": role.external_id }));
        });
        assert_fields(&source.runs(&server)[0], json!({ "objects_read": 4, "error_count": 4 }));
    }
}

#[test]
fn records_that_are_refused_hold_nothing_up_unless_they_are_to() {
    let server = server();
    let bad = |count: u64| {
        (0..count).map(|i| format!("{{\"id\":\"x{i}\",\"at\":null}}\n")).collect::<String>()
    };
    put("refused/1", bad(300));
    let lenient = Source::new(&server, &KINDS[0], "refused/", json!({}));
    assert_fields(
        &lenient.pull(&server),
        json!({
            "status": "completed", "objects_read": 1, "records_read": 300, "events_written": 0,
            "error_count": 300, "cursor_after": "refused/1",
        }),
    );
    assert_fields(
        &lenient.health(&server),
        json!({ "parse_error_rate": 1.0, "quarantined": 300, "objects_failing": 0 }),
    );
    assert_eq!(lenient.get(&server)["status"], "awaiting_first_event");
    let good = records("good", 13);
    put("refused/2", KINDS[0].object(&good));
    assert_fields(
        &lenient.pull(&server),
        json!({ "status": "completed", "objects_read": 1, "events_written": 13, "error_count": 0 }),
    );
    let rate = lenient.health(&server)["parse_error_rate"].as_f64().unwrap();
    assert!((rate - 300.0 / 313.0).abs() < 1e-9, "{rate}");

    // One that is to be whole or nothing.
    let parser = make_parser(&server, "strict", &KINDS[0].program());
    let strict = Source::with_parser(
        &server,
        &parser,
        "refused/",
        json!({ "name": "strict", "pull_config": { "on_error": "fail" } }),
    );
    for _ in 0..2 {
        assert_fields(
            &strict.pull(&server),
            json!({ "status": "partial", "error_code": "record_refused", "cursor_after": null }),
        );
        assert_fields(&strict.health(&server), json!({ "quarantined": 0, "objects_failing": 1 }));
    }
    strict.verify(&server, &[("refused/2", &good)]);
    // While it waits for its next attempt, it is still said to be left behind.
    strict.patch(&server, json!({ "poll_every_sec": 1 }));
    until("a run in which it waits", || {
        let runs = strict.runs(&server);
        runs.into_iter().find(|run| run["status"] == "partial" && run["error_code"].is_null())
    });
    let health = strict.health(&server);
    assert_eq!(health["last_error"]["code"], "record_refused", "{health}");
    assert_eq!(health["objects_failing"], 1);
    // It is overwritten by one that suits.
    let whole = records("whole", 13);
    put("refused/1", KINDS[0].object(&whole));
    strict.wait_for_events(&server, 26);
    until("it is forgotten", || {
        let health = strict.health(&server);
        (health["objects_failing"] == 0 && health["last_error"].is_null()).then_some(())
    });
    strict.verify(&server, &[("refused/1", &whole), ("refused/2", &good)]);
}

#[test]
fn damaged_objects_are_counted_and_stored_once_they_are_sound() {
    let server = server();
    let parser = make_parser(&server, "p", &KINDS[0].program());
    let source = Source::with_parser(&server, &parser, "damaged/", json!({}));
    let names =
        ["damaged/1-sound", "damaged/2-gzip", "damaged/3-zstd", "damaged/4-sound", "damaged/5"];
    let all: Vec<Records> = (0..5).map(|n| records(&format!("d{n}"), 8000)).collect();
    // One gzip member, and zstd frames.
    let sound = all.iter().zip([0, 1, 3, 0, 0]).map(|(records, kind)| KINDS[kind].object(records));
    let sound: Vec<Vec<u8>> = sound.collect();
    for (name, body) in names.iter().zip(&sound) {
        let body = match *name {
            "damaged/2-gzip" => {
                let mut body = body.clone();
                let middle = body.len() * 2 / 3;
                body[middle..middle + 8].fill(0xff);
                body
            }
            "damaged/3-zstd" => body[..body.len() * 2 / 3].to_vec(),
            _ => body.clone(),
        };
        put(name, body);
    }
    let objects: Vec<(&str, &Records)> = names.into_iter().zip(&all).collect();
    let run = source.pull(&server);
    assert_fields(
        &run,
        json!({ "status": "partial", "objects_read": 3, "error_code": "damaged",
            "cursor_after": names[0] }),
    );
    assert_eq!(source.health(&server)["objects_failing"], 2);
    let of_sound = 3 * all[0].good().count() as u64;
    let stored = source.events(&server);
    assert!(stored > of_sound, "nothing of what stood before the damage is stored");
    // Another attempt finds the same damage, and stores nothing twice.
    let run = source.pull(&server);
    assert_fields(&run, json!({ "status": "partial", "objects_read": 0, "events_written": 0 }));
    assert_eq!(source.events(&server), stored);
    assert_eq!(source.health(&server)["objects_failing"], 2);
    // One is mended, and one goes away.
    put(names[1], sound[1].clone());
    remove(names[2]);
    let run = source.pull(&server);
    let before = run["duplicates"].as_u64().unwrap();
    assert_fields(
        &run,
        json!({ "status": "completed", "objects_read": 1, "cursor_after": names[4] }),
    );
    assert!(before > 0);
    assert_fields(
        &source.health(&server),
        json!({ "objects_failing": 0, "consecutive_errors": 0, "last_error": null }),
    );
    put(names[2], sound[2].clone());
    assert_fields(&source.pull(&server), json!({ "status": "completed", "objects_read": 1 }));
    source.verify(&server, &objects);
    assert_eq!(source.health(&server)["objects_failing"], 0);
}

#[test]
fn objects_that_change_vanish_or_come_late_are_read_as_they_are() {
    let server = server();
    let parser = make_parser(&server, "p", &KINDS[0].program());
    let ndjson = |r: &Records| KINDS[0].object(r);

    // Appended to: what was there is recognised. Rewritten: other bytes under the same ids are conflicts.
    let source = Source::with_parser(&server, &parser, "changed/", json!({}));
    let (short, long) = (records("c", 300), records("c", 500));
    put("changed/1", ndjson(&short));
    source.pull(&server);
    put("changed/1", ndjson(&long));
    let new = long.good().count() - short.good().count();
    assert_fields(
        &source.pull(&server),
        json!({ "status": "completed", "objects_read": 1, "events_written": new,
            "duplicates": short.good().count(), "error_count": long.bad().count() }),
    );
    source.verify(&server, &[("changed/1", &long)]);
    let text = String::from_utf8(ndjson(&long)).unwrap().replace("\"read\"", "\"READ\"");
    put("changed/1", text);
    let run = source.pull(&server);
    assert_fields(&run, json!({ "status": "completed", "events_written": 0, "duplicates": 0 }));
    assert_eq!(run["error_count"], 500);

    // Deleted behind the listing.
    put("vanished/1", ndjson(&records("v1", 20)));
    put("vanished/2", ndjson(&records("v2", 20)));
    let behind = proxy(|request| {
        if is_read(request) && request.path.contains("/vanished/1") {
            // The proxy's own runtime is busy with this request, and must not wait for it with all its threads.
            tokio::task::block_in_place(|| spawn(|| remove("vanished/1")).join().unwrap());
        }
        Fault::None
    });
    let differs = json!({ "pull_config": { "endpoint": behind.endpoint } });
    let source = Source::with_parser(&server, &parser, "vanished/", differs);
    let run = source.pull(&server);
    assert_fields(&run, json!({ "status": "completed", "objects_read": 1, "error_count": 1 }));
    let left = records("v2", 20);
    source.verify(&server, &[("vanished/2", &left)]);
    assert_eq!(source.health(&server)["objects_failing"], 0);

    // Below the cursor.
    let today = jiff::Timestamp::now().strftime("%Y/%m/%d").to_string();
    for mode in ["unordered", "date_prefix", "lexicographic"] {
        let prefix = format!("late-{mode}/");
        let differs = json!({ "pull_config": { "discovery": mode } });
        let source = Source::with_parser(&server, &parser, &prefix, differs);
        let keys = ["5", "3", "4"].map(|n| format!("{prefix}{today}/{n}"));
        let each = ["x", "y", "z"].map(|n| records(n, 30));
        for (number, (key, records)) in keys.iter().zip(&each).enumerate() {
            put(key, ndjson(records));
            let run = source.pull(&server);
            let before = if number == 0 { Value::Null } else { json!(keys[0]) };
            assert_fields(
                &run,
                json!({ "status": "completed", "objects_read": 1, "cursor_before": before,
                    "cursor_after": keys[0] }),
            );
        }
        let objects: Vec<_> = keys.iter().map(String::as_str).zip(&each).collect();
        source.verify(&server, &objects);
    }

    // This store does not list in the order of bytes, and leaves out of a listing behind `a` what is below `a/`.
    let differs = json!({ "pull_config": { "discovery": "lexicographic", "lookback_seconds": 0 } });
    let source = Source::with_parser(&server, &parser, "hostile/", differs);
    let mut objects = Vec::new();
    let batches: [&[&str]; 3] = [&["a", "a-b", "a/b", "a b+c"], &["a/a"], &["a!", "a/c/d"]];
    for batch in batches {
        for name in batch {
            let key = format!("hostile/{name}");
            let some = records(&key, 20);
            put(&key, ndjson(&some));
            objects.push((key, some));
        }
        let run = source.pull(&server);
        assert_fields(&run, json!({ "status": "completed", "objects_read": batch.len() }));
    }
    let objects: Vec<_> = objects.iter().map(|(key, r)| (key.as_str(), r)).collect();
    source.verify(&server, &objects);
    assert!(server.log().contains("all of them are listed on every run"));
}

#[test]
fn whatever_the_network_does_everything_is_stored_once() {
    let server = Server::launch(Launch::config(&format!("{CONFIG}objects_at_once = 8\n")));
    let parser = make_parser(&server, "p", &KINDS[0].program());
    // Of two ranges, and a small one.
    let (large, small) = (records("large", 20_000), records("small", 300));
    let bytes = KINDS[0].object(&large);
    assert!((PART_BYTES..2 * PART_BYTES).contains(&(bytes.len() as u64)));
    put("faults/1-large", bytes);
    put("faults/2-small", KINDS[0].object(&small));
    let begin = Instant::now();
    // Each is told how many requests for bytes came before.
    type Script = Box<dyn Fn(&Request, usize) -> Fault + Send + Sync>;
    let scripts: [(&str, Script); 9] = [
        ("slow down", Box::new(|_, n| if n % 4 < 3 { Fault::slow_down() } else { Fault::None })),
        (
            "reset",
            Box::new(|_, n| if n < 6 { Fault::Reset(100_000 + n * 7919) } else { Fault::None }),
        ),
        (
            "cut",
            Box::new(|_, n| if n < 6 { Fault::Close(100_003 + n * 7919) } else { Fault::None }),
        ),
        ("stall", Box::new(|_, n| if n < 3 { Fault::Stall(1_000_000) } else { Fault::None })),
        (
            "other etag",
            Box::new(|request, n| match request.range {
                Some((PART_BYTES, _)) if n < 4 => Fault::Header("ETag", "\"other\"".to_owned()),
                _ => Fault::None,
            }),
        ),
        (
            "too long",
            Box::new(|_, n| match n < 4 {
                true => Fault::Header("Content-Length", "99999999".to_owned()),
                false => Fault::None,
            }),
        ),
        (
            "too short",
            Box::new(|_, n| match n < 4 {
                true => Fault::Header("Content-Length", "1000".to_owned()),
                false => Fault::None,
            }),
        ),
        (
            "other range",
            Box::new(|_, n| match n < 4 {
                true => Fault::Header("Content-Range", "bytes 7-9/300".to_owned()),
                false => Fault::None,
            }),
        ),
        // Longer than anybody asks again within one run.
        (
            "out of order",
            Box::new(move |request, _| {
                let is_down = begin.elapsed() < Duration::from_secs(4);
                let is_large = request.path.contains("1-large");
                if is_down && is_large { Fault::Reset(0) } else { Fault::None }
            }),
        ),
    ];
    let sources = scripts.map(|(name, script)| {
        let count = AtomicUsize::new(0);
        let behind = proxy(move |request| match is_read(request) {
            true => script(request, count.fetch_add(1, Ordering::Relaxed)),
            false => Fault::None,
        });
        let differs = json!({
            "name": name, "poll_every_sec": 1, "pull_config": { "endpoint": behind.endpoint },
        });
        (name, Source::with_parser(&server, &parser, "faults/", differs), behind)
    });
    let objects = [("faults/1-large", &large), ("faults/2-small", &small)];
    for (name, source, behind) in &sources {
        until(&format!("both objects are read in spite of: {name}"), || {
            let runs = source.runs(&server);
            let read: u64 = runs.iter().map(|run| run["objects_read"].as_u64().unwrap()).sum();
            (read == 2 && runs[0]["status"] == "completed").then_some(())
        });
        source.verify(&server, &objects);
        assert_fields(&source.health(&server), json!({ "objects_failing": 0, "last_error": null }));
        assert!(behind.requests().iter().filter(|request| is_read(request)).count() > 3, "{name}");
    }
}

#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    let server = Server::launch(Launch::config(CONFIG).on_small_disk());
    let all = records("full", 20_000);
    put("full/1", KINDS[0].object(&all));
    let source = Source::new(&server, &KINDS[0], "full/", json!({ "poll_every_sec": 1 }));
    let health = until("the disk is full", || {
        let health = source.health(&server);
        (health["last_error"]["code"] == "store_unavailable").then_some(health)
    });
    assert_ne!(health["consecutive_errors"], 0);
    let message = health["last_error"]["message"].as_str().unwrap();
    assert!(message.contains("disk"), "{message}");
    assert!(server.log().contains("store_unavailable"));
    assert!(source.events(&server) < all.good().count() as u64);
    server.make_room();
    source.wait_for_events(&server, all.good().count() as u64);
    until("a run that succeeds", || (source.health(&server)["last_error"].is_null()).then_some(()));
    assert_eq!(source.health(&server)["consecutive_errors"], 0);
    source.verify(&server, &[("full/1", &all)]);
}

#[test]
fn an_object_that_the_store_never_gives_holds_up_no_other() {
    let server = Server::launch(Launch::config(&format!("{CONFIG}objects_at_once = 4\n")));
    let names: Vec<String> = (0..7).map(|n| format!("lost/{n}")).collect();
    let each: Vec<Records> = (0..7).map(|n| records(&format!("l{n}"), 20)).collect();
    for (name, records) in names.iter().zip(&each) {
        put(name, KINDS[0].object(records));
    }
    let is_lost = |path: &str| (0..5).any(|n| path.contains(&format!("/lost/{n}")));
    let is_down = Arc::new(AtomicBool::new(true));
    let down = Arc::clone(&is_down);
    let behind = proxy(move |request| {
        let fails = is_read(request) && is_lost(&request.path) && down.load(Ordering::Relaxed);
        if fails { Fault::slow_down() } else { Fault::None }
    });
    let differs = json!({ "pull_config": { "endpoint": behind.endpoint }, "poll_every_sec": 1 });
    let source = Source::new(&server, &KINDS[0], "lost/", differs);
    // Five are lost; three in a row end a run, and the next one goes on behind them.
    until("those that can be read are", || (source.events(&server) == 40 - 2).then_some(()));
    until("the others are known", || {
        (source.health(&server)["objects_failing"] == 5).then_some(())
    });
    is_down.store(false, Ordering::Relaxed);
    let objects: Vec<_> = names.iter().map(String::as_str).zip(&each).collect();
    source.wait_for_events(&server, each.iter().map(|r| r.good().count() as u64).sum());
    source.verify(&server, &objects);
}

/// Objects that were not given before say nothing about the store any more, and a run by hand tries all of them again.
#[test]
fn a_store_that_does_not_give_three_objects_in_a_row_is_left_alone_for_now() {
    let server = Server::launch(Launch::config(&format!("{CONFIG}objects_at_once = 1\n")));
    let objects: Vec<_> =
        (0..4).map(|n| (format!("row/{n}"), records(&format!("r{n}"), 20))).collect();
    for (key, records) in &objects {
        put(key, KINDS[0].object(records));
    }
    // The last one is given by the second run only: the reader behind the third failure has begun when that is noted.
    let is_second = Arc::<AtomicBool>::default();
    let given = Arc::clone(&is_second);
    let behind = proxy(move |request| {
        let is_last = request.path.contains("/row/3");
        match is_read(request) && !(is_last && given.load(Ordering::Relaxed)) {
            true => Fault::slow_down(),
            false => Fault::None,
        }
    });
    let differs = json!({ "pull_config": { "endpoint": behind.endpoint } });
    let source = Source::new(&server, &KINDS[0], "row/", differs);
    for (status, objects_read) in [("failed", 0), ("partial", 1)] {
        let before = behind.requests().len();
        assert_fields(
            &source.pull(&server),
            json!({ "status": status, "objects_read": objects_read }),
        );
        assert_eq!(source.health(&server)["objects_failing"], 3, "{}", server.log());
        let asked = behind.requests().split_off(before);
        for (key, _) in &objects[..3] {
            assert!(
                asked.iter().any(|r| is_read(r) && r.path.contains(&format!("/{key}?"))),
                "{key}: {asked:?}"
            );
        }
        is_second.store(true, Ordering::Relaxed);
    }
    source.verify(&server, &[("row/3", &objects[3].1)]);
}

#[test]
fn a_run_whose_time_is_over_stores_what_it_has_and_the_next_one_goes_on() {
    let server = Server::launch(Launch::config(
        &format!("{CONFIG}run_timeout_sec = 2\n")
            .replace("stall_timeout_sec = 4", "stall_timeout_sec = 100"),
    ));
    let large = Large::new(&server, &KINDS[0], "time/", json!({}));
    let run = large.source.pull(&server);
    assert_fields(&run, json!({ "status": "partial", "error_code": null, "objects_read": 0 }));
    let stored = run["events_written"].as_u64().unwrap();
    assert!(stored > 0 && stored < large.records.good().count() as u64, "{run}");
    large.gate.open();
    until("a run has the time that it needs", || {
        let run = large.source.pull(&server);
        assert_eq!(run["duplicates"], 0);
        (run["status"] == "completed").then_some(())
    });
    large.verify(&server);
}

#[test]
fn a_server_ends_at_once_though_its_buckets_are_silent() {
    let config = CONFIG.replace("stall_timeout_sec = 4", "stall_timeout_sec = 100");
    let mut server =
        Server::launch(Launch::config(&format!("shutdown_patience_sec = 40\n{config}")));
    let large = Large::new(&server, &KINDS[0], "silent/", json!({}));
    let run = large.source.begin(&server);
    large.wait_until_halted(&server);
    assert!(server.end().success());
    assert!(!server.log().contains("runs_cut"), "{}", server.log());
    server.begin();
    assert_fields(&large.source.ended(&server, &run), json!({ "status": "superseded" }));
    large.gate.open();
    large.source.pull(&server);
    large.verify(&server);
}

/// An object in as many bytes as its format can be made to take.
fn hardly_packed(kind: &Kind, records: &Records) -> Vec<u8> {
    const MEMBER_BYTES: usize = 700_001;
    let plain = KINDS[0].object(records);
    let gzip = |part: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
        encoder.write_all(part).unwrap();
        encoder.finish().unwrap()
    };
    match kind.name {
        "gzip" => gzip(&plain),
        "gzip of many members" => plain.chunks(MEMBER_BYTES).flat_map(gzip).collect(),
        "zstd of many frames" => {
            let level = *zstd::compression_level_range().start();
            let frame = |part| zstd::encode_all(part, level).unwrap();
            plain.chunks(MEMBER_BYTES).flat_map(frame).collect()
        }
        _ => kind.object(records),
    }
}

/// A large object of some kind, behind a gate: a run that reads it is in its midst until the gate is opened.
struct Large {
    key: String,
    records: Records,
    gate: Gate,
    source: Source,
}

impl Large {
    fn new(server: &Server, kind: &Kind, prefix: &str, differs: Value) -> Self {
        let (key, records) = (format!("{prefix}large"), records("event", 18_000));
        let body = hardly_packed(kind, &records);
        let bytes = body.len();
        // The puller hands out what it has fetched in chunks.
        assert!(bytes > 1 << 20, "{}: {bytes}", kind.name);
        put(&key, body);
        let gate = Gate::new(move |_| bytes, 60);
        let mut differs = differs;
        differs["pull_config"] = json!({ "endpoint": gate.proxy.endpoint });
        let source = Source::new(server, kind, prefix, differs);
        Self { key, records, gate, source }
    }

    fn wait_until_halted(&self, server: &Server) -> u64 {
        wait_until_halted(server, std::slice::from_ref(self))
    }

    fn verify(&self, server: &Server) {
        self.source.verify(server, &[(&self.key, &self.records)]);
    }
}

/// Waits until what comes through the gates is stored; says how many events that are.
fn wait_until_halted(server: &Server, all: &[Large]) -> u64 {
    let mut last = (0, Instant::now());
    until("a part of each is stored", || {
        let events: Vec<u64> = all.iter().map(|large| large.source.events(server)).collect();
        let sum = events.iter().sum();
        if sum != last.0 {
            last = (sum, Instant::now());
        }
        // The rest of a group waits for a second.
        let is_halted = last.1.elapsed() > Duration::from_millis(1500);
        (is_halted && !events.contains(&0)).then_some(sum)
    })
}

#[test]
fn runs_of_a_source_never_overlap() {
    let mut server = server();
    let large = Large::new(&server, &KINDS[0], "overlap/", json!({ "poll_every_sec": 1 }));
    large.wait_until_halted(&server);
    for _ in 0..3 {
        let (status, answer) = server.post(&large.source.path("/pull"), &json!({}));
        assert_eq!(
            (status, &answer["error"]["code"]),
            (409, &json!("run_in_progress")),
            "{answer}"
        );
    }
    let runs = large.source.runs(&server);
    assert_eq!(runs.len(), 1, "{runs:#?}");
    assert_fields(
        &runs[0],
        json!({ "status": "running", "trigger": "schedule", "finished_at": null }),
    );
    assert!(runs[0]["records_read"].as_u64().unwrap() > 5000, "{}", runs[0]);
    large.gate.open();
    let run = large.source.ended(&server, runs[0]["id"].as_str().unwrap());
    assert_fields(&run, json!({ "status": "completed", "objects_read": 1 }));
    large.verify(&server);

    // An hour in which nothing ran is made good by one run.
    until("another run", || (large.source.runs(&server).len() > 2).then_some(()));
    server.end();
    let connection = rusqlite::Connection::open(server.store()).unwrap();
    let back = "UPDATE ingestion_source SET scheduled_for = scheduled_for - 3600000";
    assert_eq!(connection.execute(back, []).unwrap(), 1);
    drop(connection);
    server.begin();
    let before = large.source.runs(&server).len();
    until("a few runs", || (large.source.runs(&server).len() > before + 3).then_some(()));
    let runs = large.source.runs(&server);
    assert_eq!(runs.iter().filter(|run| run["trigger"] == "catch_up").count(), 1, "{runs:#?}");
    for pair in runs.windows(2) {
        let (finished, started) = (pair[1]["finished_at"].as_str(), pair[0]["started_at"].as_str());
        assert!(finished.unwrap() <= started.unwrap(), "{pair:#?}");
    }
    // Whoever begins a run and goes away leaves none behind that nobody does.
    large.source.patch(&server, json!({ "poll_every_sec": null }));
    for _ in 0..50 {
        let mut connection = std::net::TcpStream::connect(server.address).unwrap();
        let path = large.source.path("/pull");
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: weir\r\nAuthorization: Bearer {}\r\nContent-Length: 0\r\n\r\n",
            server.key
        );
        connection.write_all(head.as_bytes()).unwrap();
        sleep(Duration::from_micros(fastrand::u64(0..3000)));
    }
    assert_fields(&large.source.pull(&server), json!({ "status": "completed" }));
    // The one that was going on when the schedule was taken away may have been ended for it.
    let is_over = |run: &Value| run["status"] == "completed" || run["status"] == "superseded";
    let runs = large.source.runs(&server);
    assert!(runs.iter().all(is_over), "{runs:#?}");
}

#[test]
fn nothing_is_stored_once_a_source_is_disabled_moved_or_archived() {
    let server = server();
    let parser = make_parser(&server, "p", &KINDS[0].program());
    let all = records("event", 30_000);
    put("ended/large", KINDS[0].object(&all));
    let disable: fn(&Server, &Source) = |server, source| {
        source.patch(server, json!({ "status": "disabled" }));
    };
    let archive: fn(&Server, &Source) = |server, source| {
        let (status, answer) = server.delete(&source.path(""));
        assert_eq!((status, answer), (200, json!({ "archived": true })));
    };
    let push: fn(&Server, &Source) = |server, source| {
        source.patch(server, json!({ "mode": "push" }));
    };
    let empty: fn(&Server, &Source) = |server, source| {
        let mut config = source.config.clone();
        config["prefix"] = json!("ended/nothing");
        source.patch(server, json!({ "pull_config": config }));
    };
    for (name, end) in [("a", disable), ("b", push), ("c", empty), ("d", archive)] {
        let differs = json!({ "name": name });
        let source = Source::with_parser(&server, &parser, "ended/", differs);
        let run = source.begin(&server);
        until("some of it is stored", || (source.events(&server) > 0).then_some(()));
        end(&server, &source);
        let events = source.events(&server);
        assert!(events < all.good().count() as u64, "it was over before");
        let run = source.ended(&server, &run);
        assert_fields(&run, json!({ "status": "superseded", "events_written": events }));
        assert_eq!(source.events(&server), events);
        if name == "c" {
            assert_fields(
                &source.pull(&server),
                json!({ "status": "completed", "records_read": 0 }),
            );
        } else {
            let (status, answer) = server.post(&source.path("/pull"), &json!({}));
            assert_eq!(status, 409, "{answer}");
        }
        assert_eq!(source.events(&server), events);
        if name == "a" {
            // It goes on where it was.
            source.patch(&server, json!({ "status": "active" }));
            let rest = source.pull(&server);
            assert_fields(&rest, json!({ "status": "completed", "duplicates": 0 }));
            source.verify(&server, &[("ended/large", &all)]);
        }
    }
}

#[test]
fn a_change_that_meets_the_beginning_of_a_run_ends_it_or_comes_before_it() {
    let server = server();
    let source = Source::new(&server, &KINDS[0], "race/", json!({}));
    let elsewhere = {
        let mut config = source.config.clone();
        config["prefix"] = json!("race-nothing/");
        config
    };
    let objects: Vec<_> = (0..12)
        .map(|round| (format!("race/{round:02}"), records(&format!("r{round}"), 3000)))
        .collect();
    for (key, records) in &objects {
        put(key, KINDS[0].object(records));
        source.patch(&server, json!({ "pull_config": source.config }));
        std::thread::scope(|scope| {
            scope.spawn(|| server.post(&source.path("/pull"), &json!({})));
            sleep(Duration::from_micros(fastrand::u64(0..20_000)));
            source.patch(&server, json!({ "pull_config": elsewhere }));
        });
        let events = source.events(&server);
        sleep(Duration::from_millis(150));
        assert_eq!(source.events(&server), events, "something was stored behind the change");
    }
    source.patch(&server, json!({ "pull_config": source.config }));
    assert_fields(&source.pull(&server), json!({ "status": "completed", "duplicates": 0 }));
    let objects: Vec<_> = objects.iter().map(|(key, records)| (key.as_str(), records)).collect();
    source.verify(&server, &objects);
}

#[test]
fn editing_a_source_moves_no_cursor_and_reads_nothing_again() {
    let server = server();
    let parser = make_parser(&server, "p", &KINDS[0].program());
    let some = records("e", 100);
    put("edited/1", KINDS[0].object(&some));
    let mut source = Source::with_parser(&server, &parser, "edited/", json!({}));
    source.pull(&server);
    let other = make_parser(&server, "q", &KINDS[0].program().replace("\"here\"", "\"there\""));
    for change in [
        json!({ "name": "renamed", "description": "d" }),
        json!({ "pull_schedule": "0 3 * * *" }),
        json!({ "status": "disabled" }),
        json!({ "status": "active" }),
        json!({ "parser_id": other }),
        json!({ "credentials": { "more": "secret" } }),
        json!({ "mode": "both" }),
    ] {
        assert_eq!(source.patch(&server, change)["cursor"], "edited/1");
    }
    source.configure(&server, json!({ "discovery": "lexicographic", "lookback_seconds": 60 }));
    assert_fields(
        &source.pull(&server),
        json!({ "status": "completed", "objects_read": 0, "records_read": 0,
            "cursor_before": "edited/1", "cursor_after": "edited/1" }),
    );
    source.verify(&server, &[("edited/1", &some)]);
}

#[test]
fn a_new_version_of_a_parser_in_the_midst_of_an_object_loses_and_doubles_nothing() {
    let server = server();
    let add = |source: &Source, version: u32| {
        let parser = source.get(&server)["parser_id"].as_str().unwrap().to_owned();
        let definition = KINDS[0].program().replace("version 1", &format!("version {version}"));
        let definition = definition.replace("\"here\"", &format!("\"here {version}\""));
        let body = json!({ "definition": definition, "activate": true });
        let (status, answer) = server.post(&format!("{PARSERS}/{parser}/versions"), &body);
        assert_eq!(status, 201, "{answer}");
    };
    // The run that is going on reads the object to its end as it began, and that is that.
    let large = Large::new(&server, &KINDS[0], "version-a/", json!({}));
    let run = large.source.begin(&server);
    large.wait_until_halted(&server);
    add(&large.source, 2);
    large.gate.open();
    assert_fields(
        &large.source.ended(&server, &run),
        json!({ "status": "completed", "duplicates": 0 }),
    );
    assert_fields(&large.source.pull(&server), json!({ "status": "completed", "records_read": 0 }));
    large.verify(&server);

    // A later run reads from the beginning what it finds half read.
    let large = Large::new(&server, &KINDS[2], "version-b/", json!({}));
    let run = large.source.begin(&server);
    let stored = large.wait_until_halted(&server);
    large.source.patch(&server, json!({ "status": "disabled" }));
    assert_fields(&large.source.ended(&server, &run), json!({ "status": "superseded" }));
    add(&large.source, 2);
    large.source.patch(&server, json!({ "status": "active" }));
    // ... and so again, halted once more on its way.
    let run = large.source.begin(&server);
    let duplicates = until("it has come as far as before", || {
        let run = large.source.runs(&server).swap_remove(0);
        let duplicates = run["duplicates"].as_u64().unwrap();
        (duplicates >= stored * 9 / 10).then_some(duplicates)
    });
    assert!(duplicates <= stored);
    add(&large.source, 3);
    large.source.patch(&server, json!({ "status": "disabled" }));
    large.source.ended(&server, &run);
    large.source.patch(&server, json!({ "status": "active" }));
    large.gate.open();
    let run = large.source.pull(&server);
    assert_fields(
        &run,
        json!({ "status": "completed", "records_read": large.records.count,
            "error_count": large.records.bad().count() }),
    );
    large.verify(&server);
}

#[test]
fn a_server_that_was_killed_goes_on_in_the_midst_of_every_kind_of_object() {
    let config = format!("{CONFIG}objects_at_once = 8\n");
    let mut server = Server::launch(Launch::config(&config));
    let larges = KINDS.iter().enumerate().map(|(number, kind)| {
        let prefix = format!("killed/{number}/");
        Large::new(&server, kind, &prefix, json!({ "poll_every_sec": 1 }))
    });
    let larges: Vec<Large> = larges.collect();
    wait_until_halted(&server, &larges);
    server.kill_hard();
    let before: Vec<usize> = larges.iter().map(|l| l.gate.proxy.requests().len()).collect();
    larges.iter().for_each(|large| large.gate.open());
    server.begin();
    for ((large, kind), before) in larges.iter().zip(&KINDS).zip(before) {
        large.source.wait_for_events(&server, large.records.good().count() as u64);
        let completed = |run: &Value| run["objects_read"] == 1 && run["status"] == "completed";
        let run =
            until("the run is over", || large.source.runs(&server).into_iter().find(completed));
        let runs = large.source.runs(&server);
        let killed = runs.last().unwrap();
        assert_fields(
            killed,
            json!({ "status": "failed", "error_code": "interrupted", "duplicates": 0 }),
        );
        // Nothing is read twice, and nothing is left out.
        let sum = |name: &str| killed[name].as_u64().unwrap() + run[name].as_u64().unwrap();
        let plain = match kind.name {
            "csv" | "json array" => kind.object(&large.records).len(),
            _ => KINDS[0].object(&large.records).len(),
        };
        assert!(killed["bytes_read"].as_u64().unwrap() > plain as u64 / 5, "{killed}");
        assert_eq!(sum("bytes_read"), plain as u64, "{}", kind.name);
        assert_eq!(sum("records_read"), large.records.count);
        assert_eq!((run["duplicates"].as_u64(), run["error_count"].is_u64()), (Some(0), true));
        assert_eq!(sum("error_count"), large.records.bad().count() as u64);
        large.verify(&server);
        // What was stored is not even fetched again, but for one gzip member, which has no place to go on.
        let requests = large.gate.proxy.requests().split_off(before);
        let first = requests.iter().filter(|request| is_read(request)).filter_map(|r| r.range);
        // The first bytes are looked at to tell what it is.
        let first = first.filter(|(start, end)| end - start > 100).map(|(start, _)| start).min();
        assert_eq!(first == Some(0), kind.name == "gzip", "{}: {first:?}", kind.name);
    }
}

#[test]
fn many_large_objects_are_read_within_one_budget_of_memory() {
    let config = "[pull]\nmemory_bytes_max = 67108864\nobjects_at_once = 8\n";
    let server = Server::launch(Launch::config(config));
    let all = records("event", 140_000);
    let kinds = [&KINDS[0], &KINDS[1], &KINDS[3], &KINDS[5]];
    let sources = kinds.into_iter().enumerate().flat_map(|(number, kind)| {
        let prefix = format!("memory/{number}/");
        let body = kind.object(&all);
        put(&format!("{prefix}large"), body);
        let parser = make_parser(&server, &prefix, &kind.program());
        // Two sources read the same object.
        ["a", "b"].map(|name| {
            let differs = json!({ "name": format!("{prefix}{name}") });
            Source::with_parser(&server, &parser, &prefix, differs)
        })
    });
    let sources: Vec<Source> = sources.collect();
    let begin = Instant::now();
    let runs: Vec<String> = sources.iter().map(|source| source.begin(&server)).collect();
    let mut bytes = 0;
    for (source, run) in sources.iter().zip(&runs) {
        let run = source.ended(&server, run);
        assert_fields(&run, json!({ "status": "completed", "records_read": all.count }));
        bytes += run["bytes_read"].as_u64().unwrap();
    }
    assert!(bytes > 8 * 29_000_000, "{bytes}");
    let peak = memory::peak(server.process_id()).unwrap();
    println!("{} MB in {:?}, with {} MiB at most", bytes / 1_000_000, begin.elapsed(), peak >> 20);
    assert!(peak < 200_000_000, "{peak}");
}
