//! The webhook, from outside: what senders are answered, what is stored when they are, and what becomes of what was
//! refused.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use weir_system_tests::load::Load;
use weir_system_tests::server::{Answer, Launch, Server, agent, request};

const SOURCES: &str = "/api/governance/ingestion-sources";
const PARSERS: &str = "/api/governance/parsers";

const PROGRAM: &str = r#"weir 1
parser "pushed" version 1
ocsf "1.8.0"
product "Test" by "Test"
input ndjson { }
on error { required reject  optional skip }
raw redact [.password]
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

/// A source with its secret.
struct Pushed {
    id: String,
    secret: String,
}

impl Pushed {
    fn new(server: &Server, fields: &Value) -> Self {
        let name = format!("source {:016x}", fastrand::u64(..));
        let mut body = json!({ "name": name, "source_type": "http_custom" });
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        let (status, made) = server.post(SOURCES, &body);
        assert_eq!(status, 201, "{made}");
        Self {
            id: made["ingestion_source"]["id"].as_str().unwrap().to_owned(),
            secret: made["ingest_secret"].as_str().unwrap().to_owned(),
        }
    }

    /// One with a parser of this text.
    fn with_parser(server: &Server, program: &str) -> (Self, String) {
        let parser = parser(server, program);
        (Self::new(server, &json!({ "parser_id": parser })), parser)
    }

    fn path(&self) -> String {
        format!("/api/ingest/webhook/{}", self.id)
    }

    fn resource(&self, rest: &str) -> String {
        format!("{SOURCES}/{}{rest}", self.id)
    }

    #[track_caller]
    fn push(&self, server: &Server, body: impl AsRef<[u8]>) -> Answer {
        self.push_with(server, &[], body)
    }

    #[track_caller]
    fn push_with(
        &self,
        server: &Server,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> Answer {
        let bearer = format!("Bearer {}", self.secret);
        let headers = [&[("authorization", bearer.as_str())], headers].concat();
        server.request("POST", &self.path(), &headers, body.as_ref())
    }

    #[track_caller]
    fn events(&self, server: &Server) -> Vec<Value> {
        let (mut events, mut after) = (Vec::new(), 0);
        loop {
            let page = self.resource(&format!("/events?limit=200&after_sequence={after}"));
            let (status, page) = server.get(&page);
            assert_eq!(status, 200, "{page}");
            events.extend(page["data"].as_array().unwrap().iter().cloned());
            if page["has_more"] != true {
                return events;
            }
            after = page["next_cursor"].as_str().unwrap().parse().unwrap();
        }
    }

    #[track_caller]
    fn ids(&self, server: &Server) -> Vec<String> {
        let events = self.events(server);
        events.iter().map(|e| e["source_event_id"].as_str().unwrap().to_owned()).collect()
    }

    #[track_caller]
    fn letters(&self, server: &Server, state: &str) -> Vec<Value> {
        server.all(&self.resource(&format!("/quarantine?limit=200&state={state}")))
    }

    #[track_caller]
    fn redrive(&self, server: &Server) -> Value {
        let (status, answer) = server.post(&self.resource("/quarantine/redrive"), &json!({}));
        assert_eq!(status, 200, "{answer}");
        answer
    }
}

fn record(id: impl std::fmt::Display) -> String {
    format!(
        r#"{{"id":"{id}","at":1780000000,"who":"ann@example.com","what":"read","where":"file","password":"hunter2"}}"#
    )
}

/// Makes a parser; gives its id.
fn parser(server: &Server, program: &str) -> String {
    let name = format!("parser {:016x}", fastrand::u64(..));
    let (status, made) = server.post(PARSERS, &json!({ "name": name, "definition": program }));
    assert_eq!(status, 201, "{made}");
    made["parser"]["id"].as_str().unwrap().to_owned()
}

/// Adds a version to a parser, and makes it the active one.
fn activate(server: &Server, parser: &str, program: &str, version: u32) {
    let (status, answer) =
        server.post(&format!("{PARSERS}/{parser}/versions"), &json!({ "definition": program }));
    assert_eq!(status, 201, "{answer}");
    let path = format!("{PARSERS}/{parser}/versions/{version}/activate");
    let (status, answer) = server.post(&path, &json!({}));
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn a_server_keeps_what_it_knows_over_a_restart() {
    let mut server = Server::start();
    let source = Pushed::new(&server, &json!({}));
    let address = server.address;
    server.restart();
    assert_eq!(server.address, address);
    assert_eq!(server.all(SOURCES).len(), 1);
    server.kill_and_begin();
    assert_eq!(source.push(&server, "{}").status, 202);
    let (status, _) = server.json("GET", SOURCES, "wk_wrong", None);
    assert_eq!(status, 401);
}

#[test]
fn without_a_parser_the_body_is_kept_as_it_is() {
    let server = Server::start();
    let source = Pushed::new(&server, &json!({}));
    let (_, before) = server.get(&source.resource(""));
    assert_eq!(before["ingestion_source"]["status"], "awaiting_first_event");
    let body = r#"{ "n": 12345678901234567890123, "a": 1, "a": 2 }"#;
    let answer = source.push(&server, body);
    assert_eq!(answer.status, 202, "{}", answer.text());
    let answer = answer.json();
    assert_eq!((&answer["accepted"], &answer["bytes"]), (&json!(true), &json!(body.len())));
    let id = answer["eventId"].as_str().unwrap();
    assert!(id.starts_with("envelope-"), "{id}");
    assert_eq!(source.push(&server, b"\xff\xfe not text").status, 202);

    let events = source.events(&server);
    assert_eq!(events.len(), 2);
    let event = &events[0];
    for (field, wanted) in [
        ("source_event_id", json!(id)),
        ("action", json!("agent.action")),
        ("event_type", json!("agent.action")),
        ("event_timestamp", Value::Null),
        ("ocsf", Value::Null),
        ("parser_version", Value::Null),
        ("actor", json!("")),
        ("target", json!("")),
        ("cost_usd", json!("0")),
        ("tokens_input", json!(0)),
        ("raw_payload", json!(body)),
        ("raw_encoding", json!("utf-8")),
    ] {
        assert_eq!(event[field], wanted, "{field}");
    }
    assert_eq!(event["origin"]["object_key"], "webhook");
    assert_eq!(events[1]["raw_encoding"], "base64");
    let (_, after) = server.get(&source.resource(""));
    assert_eq!(after["ingestion_source"]["status"], "active");
}

#[test]
fn an_idempotency_key_makes_a_retry_a_duplicate() {
    let server = Server::start();
    let source = Pushed::new(&server, &json!({}));
    let push = |key: &str, body: &str| source.push_with(&server, &[("idempotency-key", key)], body);
    let first = push("k-1", "{\"a\":1}").json();
    assert_eq!(push("k-1", "{\"a\":1}").json()["eventId"], first["eventId"]);
    assert_eq!(push("k-2", "{\"a\":1}").status, 202);
    assert_eq!(source.events(&server).len(), 2);
    assert!(source.letters(&server, "open").is_empty());
    // Other bytes under the same key: the first ones stay, the others are a dead letter.
    assert_eq!(push("k-1", "{\"a\":2}").status, 202);
    assert_eq!(source.events(&server).len(), 2);
    let letters = source.letters(&server, "open");
    assert_eq!((letters.len(), &letters[0]["reason_code"]), (1, &json!("R1401")));
    assert_eq!(letters[0]["raw"], "{\"a\":2}");
    assert_eq!(letters[0]["is_whole"], true);
    assert_eq!(letters[0]["parser_version"], Value::Null);
    for key in ["", &"k".repeat(256)] {
        let answer = push(key, "{}");
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_body")));
    }
}

#[test]
fn records_are_mapped_stored_once_and_refused_ones_kept() {
    let server = Server::start();
    let (source, _) = Pushed::with_parser(&server, PROGRAM);
    let body = format!("{}\n{{\"id\":\"bad\",\"password\":\"x\"}}\n{}\n", record("a"), record("b"));
    for _ in 0..3 {
        let answer = source.push(&server, &body);
        assert_eq!((answer.status, &answer.json()["eventId"]), (202, &json!("a")), "{answer:?}");
    }
    let events = source.events(&server);
    assert_eq!(source.ids(&server), ["a", "b"]);
    assert_eq!(events[0]["actor"], "ann@example.com");
    assert_eq!(events[0]["parser_version"], 1);
    assert_eq!(events[0]["ocsf"]["class_uid"], 6003);
    assert!(events[0]["raw_payload"].as_str().unwrap().contains("[redacted]"));

    // All records refused: that is no error of the sender.
    let answer = source.push(&server, "not json at all");
    assert_eq!((answer.status, &answer.json()["eventId"]), (202, &Value::Null));
    let letters = source.letters(&server, "open");
    assert_eq!(letters.len(), 4);
    let letter = &letters[1];
    assert_eq!(
        (&letter["reason_code"], &letter["target"]),
        (&json!("R1201"), &json!("event.time"))
    );
    assert_eq!(letter["program_line"], 10);
    assert_eq!(letter["parser_version"], 1);
    assert_eq!((&letter["record_index"], &letter["state"]), (&json!(1), &json!("open")));
    assert!(letter["raw"].as_str().unwrap().contains("[redacted]"), "{letter}");
    assert!(letter["context"]["meta"]["key"].as_str().unwrap().starts_with("webhook/"));
    let other = source.push(&server, record("a").replace("read", "write"));
    assert_eq!(other.status, 202);
    assert_eq!(source.letters(&server, "open")[0]["reason_code"], "R1401");
    let (_, health) = server.get(&source.resource("/health"));
    assert_eq!(health["health"]["quarantined"], 5);
    let metrics = server.request("GET", "/metrics", &[], b"").text();
    for line in [
        r#"weir_events_stored_total{way="webhook"} 2"#,
        r#"weir_events_duplicate_total{way="webhook"} 4"#,
        r#"weir_records_rejected_total{way="webhook"} 5"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[test]
fn ids_that_the_parser_makes_of_places_are_the_same_for_the_same_bytes() {
    let server = Server::start();
    let program = PROGRAM.replace("= .id", "= stable_id(meta.key, meta.line)");
    let (source, _) = Pushed::with_parser(&server, &program);
    let body = format!("{}\n{}\n", record("same"), record("same"));
    assert_eq!(source.push(&server, &body).json(), source.push(&server, &body).json());
    assert_eq!(source.events(&server).len(), 2);
    assert_eq!(source.push(&server, format!("{body}\n")).status, 202);
    assert_eq!(source.events(&server).len(), 4);
    assert!(source.letters(&server, "open").is_empty());
}

#[test]
fn json_and_csv_come_as_the_parser_says() {
    let server = Server::start();
    let json = PROGRAM.replace("input ndjson { }", "input json { records $.data[*] }");
    let (source, _) = Pushed::with_parser(&server, &json);
    let body = format!("{{\"org\": 1,\n \"data\": [\n{},\n{}]}}", record("a"), record("b"));
    assert_eq!(source.push(&server, body).json()["eventId"], "a");
    let empty = source.push(&server, "{\"data\":[]}");
    assert_eq!((empty.status, &empty.json()["eventId"]), (202, &Value::Null));
    assert_eq!(source.ids(&server), ["a", "b"]);
    assert!(source.letters(&server, "open").is_empty());

    let csv = PROGRAM.replace("input ndjson { }", "input csv { header first_row }");
    let (rows, _) = Pushed::with_parser(&server, &csv);
    let table = "id,at,who,what,where,password\nr1,1780000000,bo,read,x,p\nr2,soon,bo,read,x,p\n";
    assert_eq!(rows.push(&server, table).json()["eventId"], "r1");
    let letters = rows.letters(&server, "open");
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["context"]["header"][1], "at");
}

#[test]
fn who_does_not_know_the_secret_learns_nothing() {
    let server = Server::start();
    let source = Pushed::new(&server, &json!({}));
    let other = Pushed::new(&server, &json!({}));
    let bearer = |secret: &str| format!("Bearer {secret}");
    let push = |path: &str, name: &str, value: &str| {
        let answer = server.request("POST", path, &[(name, value)], b"{}");
        let mut names: Vec<_> = answer.headers.keys().map(|name| name.as_str()).collect();
        names.sort_unstable();
        (answer.status, answer.text(), names.join(" "))
    };
    let own = source.path();
    let none = server.request("POST", &own, &[], b"{}");
    assert_eq!((none.status, none.text().as_str()), (401, r#"{"error":"unauthorized"}"#));
    let refused = push(&own, "x-nothing", "");
    for (path, name, value) in [
        (own.as_str(), "authorization", bearer("lw_is_wrong")),
        (&own, "authorization", bearer(&other.secret)),
        (&own, "authorization", bearer(&source.secret.to_uppercase())),
        (&own, "authorization", bearer(&source.secret[..source.secret.len() - 1])),
        (&own, "authorization", bearer(&format!("{}x", source.secret))),
        (&own, "authorization", bearer(&server.key)),
        (&own, "authorization", bearer("")),
        (&own, "authorization", "Bearer".to_owned()),
        (&own, "authorization", format!("Basic {}", source.secret)),
        (&own, "authorization", source.secret.clone()),
        (&own, "x-weir-secret", "lw_is_wrong".to_owned()),
        (&own, "x-auth-token", source.secret.clone()),
        ("/api/ingest/webhook/nothing", "authorization", bearer(&source.secret)),
        ("/api/ingest/webhook/%ff%fe", "authorization", bearer(&source.secret)),
        (&format!("{own}%00"), "authorization", bearer(&source.secret)),
    ] {
        assert_eq!(push(path, name, &value), refused, "{path} {name}: {value}");
    }
    assert_eq!(push(&own, "authorization", &bearer(&source.secret)).0, 202);
    assert_eq!(push(&own, "authorization", &format!("bearer  {}", source.secret)).0, 202);
    assert_eq!(push(&own, "x-weir-secret", &source.secret).0, 202);
    // The secret opens the webhook, and nothing else.
    assert_eq!(server.json("GET", SOURCES, &source.secret, None).0, 401);

    let (status, _) = server.patch(&source.resource(""), &json!({ "status": "disabled" }));
    assert_eq!(status, 200);
    assert_eq!(push(&own, "authorization", &bearer(&source.secret)), refused);
    assert_eq!(server.patch(&source.resource(""), &json!({ "status": "active" })).0, 200);
    assert_eq!(push(&own, "authorization", &bearer(&source.secret)).0, 202);
    assert_eq!(server.delete(&source.resource("")).0, 200);
    assert_eq!(push(&own, "authorization", &bearer(&source.secret)), refused);
    assert_eq!(source.events(&server).len(), 4);

    let wrong = server.request("GET", &own, &[], b"");
    assert_eq!((wrong.status, &wrong.json()["error"]), (405, &json!("method_not_allowed")));
    let wrong = server.request("POST", "/api/ingest/other", &[], b"");
    assert_eq!((wrong.status, &wrong.json()["error"]), (404, &json!("not_found")));
}

#[test]
fn a_pulled_source_says_so_to_who_knows_its_secret() {
    let server = Server::start();
    let parser = parser(&server, PROGRAM);
    let config = json!({
        "adapter": "s3_polling", "bucket": "logs", "region": "us-east-1", "parser": "ndjson",
        "schedule": "0 0 1 1 *", "endpoint": "http://127.0.0.1:9", "path_style": true
    });
    let source = Pushed::new(
        &server,
        &json!({
            "source_type": "s3_custom", "mode": "pull", "parser_id": parser,
            "pull_config": config
        }),
    );
    let answer = source.push(&server, record("a"));
    assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("wrong_endpoint")));
    let wrong = Pushed { id: source.id.clone(), secret: "lw_is_wrong".to_owned() };
    assert_eq!(wrong.push(&server, record("a")).status, 401);
    let (status, changed) = server.patch(&source.resource(""), &json!({ "mode": "both" }));
    assert_eq!(status, 200, "{changed}");
    assert_eq!(source.push(&server, record("a")).status, 202);
    assert_eq!(source.ids(&server), ["a"]);
}

#[test]
fn three_secrets_live_side_by_side_while_they_are_rotated() {
    let mut server = Server::start();
    let source = Pushed::new(&server, &json!({}));
    let mut secrets = vec![source.secret.clone()];
    for _ in 0..2 {
        let (status, rotated) = server.post(&source.resource("/rotate"), &json!({}));
        assert_eq!(status, 200, "{rotated}");
        secrets.push(rotated["ingest_secret"].as_str().unwrap().to_owned());
    }
    server.restart();
    for secret in &secrets {
        let one = Pushed { id: source.id.clone(), secret: secret.clone() };
        assert_eq!(one.push(&server, "{}").status, 202);
    }
    assert_eq!(source.events(&server).len(), 3);
    let (_, shown) = server.get(&source.resource(""));
    assert!(!shown.to_string().contains(&secrets[2]));
    assert!(shown["ingestion_source"]["prior_secret_expires_at"].is_string(), "{shown}");
    let audit = server.get("/api/governance/audit-log").1.to_string();
    assert!(secrets.iter().all(|secret| !audit.contains(secret.as_str())));
}

#[test]
fn bodies_have_limits() {
    let server =
        Server::launch(Launch::config("[webhook]\nbody_bytes_max = 1000\nbody_timeout_sec = 2\n"));
    let source = Pushed::new(&server, &json!({}));
    assert_eq!(source.push(&server, "x".repeat(1000)).status, 202);
    for size in [1001, 100_000, 3_000_000] {
        let answer = source.push(&server, "x".repeat(size));
        assert_eq!((answer.status, &answer.json()["error"]), (413, &json!("payload_too_large")));
        assert!(answer.json()["error_description"].as_str().unwrap().contains("1000"));
    }
    for body in ["", " ", "\n\r\n\t"] {
        let answer = source.push(&server, body);
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_body")));
    }
    // What is allowed is one decompressed body.
    let bomb = gzip(&vec![b'x'; 500_000]);
    assert!(bomb.len() < 1000);
    for headers in [&[("content-encoding", "gzip")][..], &[]] {
        let (parsed, _) = Pushed::with_parser(&server, PROGRAM);
        let answer = parsed.push_with(&server, headers, &bomb);
        assert_eq!(answer.status, 413, "{}", answer.text());
    }
    assert_eq!(source.events(&server).len(), 1);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn compressed_bodies_are_read() {
    let server = Server::start();
    let (source, _) = Pushed::with_parser(&server, PROGRAM);
    let gzip_members = [gzip(record("a").as_bytes()), gzip(b"\n"), gzip(record("b").as_bytes())];
    let zstd = zstd::bulk::compress(record("c").as_bytes(), 3).unwrap();
    for (encoding, body, id) in [
        ("gzip", gzip_members.concat(), "a"),
        ("zstd", zstd.clone(), "c"),
        // The bytes say it too.
        ("identity", gzip(record("d").as_bytes()), "d"),
        ("gzip", record("e").into_bytes(), "e"),
    ] {
        let answer = source.push_with(&server, &[("content-encoding", encoding)], body);
        assert_eq!((answer.status, &answer.json()["eventId"]), (202, &json!(id)), "{encoding}");
    }
    assert_eq!(source.ids(&server), ["a", "b", "c", "d", "e"]);
    for (encoding, body) in [("br", b"{}".to_vec()), ("zstd", zstd[..20].to_vec())] {
        let answer = source.push_with(&server, &[("content-encoding", encoding)], body);
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_body")));
    }
    // Without a parser, only what the sender says is taken off.
    let plain = Pushed::new(&server, &json!({}));
    assert_eq!(plain.push_with(&server, &[("content-encoding", "gzip")], gzip(b"{}")).status, 202);
    assert_eq!(plain.push(&server, gzip(b"{}")).status, 202);
    let events = plain.events(&server);
    assert_eq!(
        (&events[0]["raw_payload"], &events[0]["raw_encoding"]),
        (&json!("{}"), &json!("utf-8"))
    );
    assert_eq!(events[1]["raw_encoding"], "base64");
}

/// A request written by hand.
fn connect(server: &Server, source: &Pushed, rest: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n{rest}",
        source.path(),
        source.secret
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

fn status_of(stream: &mut TcpStream) -> u16 {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n") {
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "the connection ended: {text:?}");
        text.push(byte[0]);
    }
    std::str::from_utf8(&text[9..12]).unwrap().parse().unwrap()
}

#[test]
fn slow_and_broken_senders_hurt_only_themselves() {
    let server = Server::launch(Launch::config("[webhook]\nbody_timeout_sec = 3\n"));
    let (source, _) = Pushed::with_parser(&server, PROGRAM);
    let half = &record("half")[..40];
    let mut slow = connect(&server, &source, &format!("content-length: 200\r\n\r\n{half}"));
    // It ends before it has said all; whoever asks meanwhile is answered.
    drop(connect(&server, &source, &format!("content-length: 200\r\n\r\n{half}")));
    let begin = Instant::now();
    assert_eq!(source.push(&server, record("meanwhile")).status, 202);
    assert!(begin.elapsed() < Duration::from_millis(2900), "it was waited for");
    assert_eq!(status_of(&mut slow), 400);
    assert!(begin.elapsed() < Duration::from_secs(20));
    // A body in pieces, of a length that nobody has said.
    let whole = record("chunked");
    let mut chunked = connect(&server, &source, "transfer-encoding: chunked\r\n\r\n");
    for piece in whole.as_bytes().chunks(30) {
        write!(chunked, "{:x}\r\n", piece.len()).unwrap();
        chunked.write_all(piece).unwrap();
        chunked.write_all(b"\r\n").unwrap();
        thread::sleep(Duration::from_millis(20));
    }
    chunked.write_all(b"0\r\n\r\n").unwrap();
    assert_eq!(status_of(&mut chunked), 202);
    assert_eq!(source.ids(&server), ["meanwhile", "chunked"]);
    assert!(source.letters(&server, "open").is_empty());
}

#[test]
fn connections_that_bring_no_head_are_closed() {
    let server = Server::launch(Launch::config("head_timeout_sec = 1\n"));
    let source = Pushed::new(&server, &json!({}));
    let connect_with = |text: &str| {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    };
    let head = "GET /healthz HTTP/1.1\r\nhost: x\r\n";
    let mut slow = connect_with(head);
    let closed = [connect_with(""), connect_with(head), connect_with(&format!("{head}\r\n"))];
    // A body may take longer, and so may an answer.
    let mut body = connect(&server, &source, "content-length: 2\r\n\r\n{");
    for _ in 0..25 {
        thread::sleep(Duration::from_millis(100));
        // What is closed may not take it.
        let _ = slow.write_all(b"more: x\r\n");
    }
    for (number, mut stream) in closed.into_iter().chain([slow]).enumerate() {
        let mut answer = Vec::new();
        if let Err(error) = stream.read_to_end(&mut answer) {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{answer:?}");
        }
        assert_eq!(answer.starts_with(b"HTTP/1.1 200"), number == 2, "{number}: {answer:?}");
    }
    body.write_all(b"}").unwrap();
    assert_eq!(status_of(&mut body), 202);
}

#[test]
fn bodies_in_flight_have_a_limit_together() {
    let config =
        "[webhook]\nbody_bytes_max = 100000\nbytes_in_flight_max = 200000\nbody_timeout_sec = 2\n";
    let server = Server::launch(Launch::config(config));
    let source = Pushed::new(&server, &json!({}));
    let held: Vec<_> =
        (0..8).map(|_| connect(&server, &source, "content-length: 100000\r\n\r\nx")).collect();
    thread::sleep(Duration::from_millis(300));
    // No room is left for one that does not say how much it wants; one that does waits for it.
    let mut unknown =
        connect(&server, &source, "transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n");
    assert_eq!(status_of(&mut unknown), 503);
    let answers: BTreeSet<u16> =
        held.into_iter().map(|mut stream| status_of(&mut stream)).collect();
    assert!(answers.is_subset(&BTreeSet::from([400, 503])), "{answers:?}");
    assert_eq!(source.push(&server, "x".repeat(100_000)).status, 202);
    assert_eq!(source.events(&server).len(), 1);
}

#[test]
fn rates_are_limited_by_source_and_by_address() {
    let server = Server::launch(Launch::config("[webhook]\nrequests_per_second_per_source = 5\n"));
    let [one, two] = [(); 2].map(|()| Pushed::new(&server, &json!({})));
    let count =
        |source: &Pushed| (0..40).filter(|_| source.push(&server, "{}").status == 202).count();
    assert!((5..35).contains(&count(&one)));
    let limited = (0..50).map(|_| one.push(&server, "{}")).find(|answer| answer.status == 429);
    let limited = limited.unwrap();
    assert_eq!(limited.json()["error"], "rate_limited");
    assert_eq!(limited.header("retry-after"), "1");
    assert_eq!(two.push(&server, "{}").status, 202);
    // Who does not have the secret cannot use up the source's share.
    thread::sleep(Duration::from_millis(1100));
    let wrong = Pushed { id: one.id.clone(), secret: "lw_is_wrong".to_owned() };
    assert!((0..40).all(|_| wrong.push(&server, "{}").status == 401));
    assert_eq!(one.push(&server, "{}").status, 202);

    let server = Server::launch(Launch::config("[webhook]\nrequests_per_second_per_address = 5\n"));
    let source = Pushed::new(&server, &json!({}));
    let wrong = Pushed { id: source.id.clone(), secret: "lw_is_wrong".to_owned() };
    let answers: BTreeSet<u16> = (0..40).map(|_| wrong.push(&server, "{}").status).collect();
    assert_eq!(answers, BTreeSet::from([401, 429]));
}

#[test]
fn organisations_see_only_their_own() {
    let server = Server::start();
    let (source, _) = Pushed::with_parser(&server, PROGRAM);
    assert_eq!(source.push(&server, "{}").status, 202);
    let letter = source.letters(&server, "open")[0]["id"].as_str().unwrap().to_owned();
    let (status, made) = server.post("/api/governance/organizations", &json!({ "name": "other" }));
    assert_eq!(status, 201, "{made}");
    let foreign = made["api_key_secret"]
        .as_str()
        .or(made["secret"].as_str())
        .unwrap_or_else(|| panic!("{made}"));
    for (method, path) in [
        ("GET", source.resource("/quarantine")),
        ("GET", source.resource(&format!("/quarantine/{letter}"))),
        ("GET", source.resource(&format!("/quarantine/{letter}?raw=true"))),
        ("DELETE", source.resource(&format!("/quarantine/{letter}"))),
        ("POST", source.resource("/quarantine/redrive")),
        ("POST", source.resource("/test-event")),
    ] {
        let body = (method == "POST").then(|| json!({}));
        let (status, answer) = server.json(method, &path, foreign, body.as_ref());
        assert_eq!(
            (status, &answer["error"]["code"]),
            (404, &json!("not_found")),
            "{method} {path}"
        );
    }
    // Another source of the same organisation does not have it either.
    let second = Pushed::new(&server, &json!({}));
    for path in
        [format!("/quarantine/{letter}"), "/quarantine/x".to_owned(), "/quarantine/99".to_owned()]
    {
        assert_eq!(server.get(&second.resource(&path)).0, 404);
        assert_eq!(server.delete(&second.resource(&path)).0, 404);
    }
    let (_, answer) =
        server.post(&second.resource("/quarantine/redrive"), &json!({ "record_ids": [letter] }));
    assert_eq!(answer["error"]["code"], "no_parser", "{answer}");
    assert_eq!(source.letters(&server, "open").len(), 1);
}

#[test]
fn a_test_event_goes_all_the_way() {
    let server = Server::start();
    let source = Pushed::new(&server, &json!({}));
    let (status, answer) = server.post(&source.resource("/test-event"), &json!({}));
    assert_eq!((status, &answer["accepted"]), (202, &json!(true)), "{answer}");
    let events = source.events(&server);
    assert_eq!((events.len(), &events[0]["action"]), (1, &json!("ingestion.test")));
    assert_eq!(events[0]["source_event_id"], answer["event_id"]);
    assert_eq!(server.patch(&source.resource(""), &json!({ "status": "disabled" })).0, 200);
    let (status, answer) = server.post(&source.resource("/test-event"), &json!({}));
    assert_eq!((status, &answer["error"]["code"]), (409, &json!("disabled")));
}

#[test]
fn langsmith_engine_needs_no_parser() {
    let server = Server::start();
    let source = Pushed::new(&server, &json!({ "source_type": "langsmith_engine" }));
    let issue = |id: &str, kind: &str, severity: u8| {
        json!({
            "id": id, "type": kind, "created": 1_764_000_000, "request_id": "req-1", "new": [1, 2],
            "data": { "object": { "id": "iss-1", "name": "Loops", "severity": severity,
                "tenant_id": "t", "tenant_name": "Acme", "session_name": "bot" },
                "trace": { "run_id": "r", "comment": "again" } }
        })
        .to_string()
    };
    let mut sent = vec![];
    for (number, kind) in
        ["issue.created", "issue.trace.added", "issue.created", "issue.later"].iter().enumerate()
    {
        sent.push(issue(&format!("evt-{number}"), kind, number as u8));
    }
    // Each four times, as the sender does when it hears nothing, and with its secret in a header of its own.
    for _ in 0..4 {
        for body in &sent {
            let headers = [("x-weir-secret", source.secret.as_str())];
            let answer = server.request("POST", &source.path(), &headers, body.as_bytes());
            assert_eq!(answer.status, 202, "{}", answer.text());
        }
    }
    let events = source.events(&server);
    assert_eq!(source.ids(&server), ["evt-0", "evt-1", "evt-2", "evt-3"]);
    let severities: Vec<_> =
        events.iter().map(|event| event["ocsf"]["severity_id"].as_i64().unwrap()).collect();
    assert_eq!(severities, [5, 4, 3, 2]);
    for (event, body) in events.iter().zip(&sent) {
        assert_eq!(event["ocsf"]["metadata"]["correlation_uid"], "req-1");
        assert_eq!(event["event_timestamp"], "2025-11-24T16:00:00Z");
        assert_eq!(event["raw_payload"], body.as_str());
    }
    assert_eq!(events[3]["action"], "issue.later");
    assert!(source.letters(&server, "open").is_empty());
}

/// The program in a version that takes records whose time is text.
fn with_texts(version: u32) -> String {
    PROGRAM
        .replace("version 1", &format!("version {version}"))
        .replace(".at |> unix_seconds", "(.when |> timestamp) ?? (.at |> unix_seconds)")
}

fn late(id: impl std::fmt::Display) -> String {
    record(id).replace("\"at\":1780000000", "\"when\":\"2026-05-28T20:26:40Z\"")
}

#[test]
fn dead_letters_are_mapped_once_by_a_better_parser() {
    let mut server = Server::start();
    let (source, parser) = Pushed::with_parser(&server, PROGRAM);
    for number in 0..150 {
        assert_eq!(
            source
                .push(&server, format!("{}\n{}", late(number), record(format!("good-{number}"))))
                .status,
            202
        );
    }
    assert_eq!(source.push(&server, "{\"id\":\"hopeless\"}").status, 202);
    assert_eq!(source.letters(&server, "open").len(), 151);

    // The same parser refuses them again.
    let again = source.redrive(&server);
    assert_eq!((&again["redriven"], &again["still_rejected"]), (&json!(0), &json!(151)), "{again}");
    assert_eq!(source.letters(&server, "open").len(), 151);

    activate(&server, &parser, &with_texts(2), 2);
    let done = source.redrive(&server);
    assert_eq!((&done["redriven"], &done["still_rejected"]), (&json!(150), &json!(1)), "{done}");
    assert_eq!((&done["events"], &done["duplicates"]), (&json!(150), &json!(0)));
    assert_eq!((&done["has_more"], &done["failed"]), (&json!(false), &json!([])));
    let open = source.letters(&server, "open");
    assert_eq!(open.len(), 1);
    // What the new version says of it.
    assert_eq!(open[0]["parser_version"], 2);
    assert_eq!(open[0]["reason_code"], "R1201");
    let events = source.events(&server);
    assert_eq!(events.len(), 300);
    let redriven: Vec<_> = events.iter().filter(|e| e["parser_version"] == 2).collect();
    assert_eq!(redriven.len(), 150);
    assert_eq!(redriven[0]["event_timestamp"], "2026-05-28T20:26:40Z");
    assert_eq!(redriven[0]["origin"]["object_key"], "webhook");
    assert_eq!(source.letters(&server, "redriven").len(), 150);

    let done = source.redrive(&server);
    assert_eq!((&done["redriven"], &done["still_rejected"]), (&json!(0), &json!(1)), "{done}");
    server.restart();
    assert_eq!(source.events(&server).len(), 300);
    let audit = server.get("/api/governance/audit-log?limit=200").1.to_string();
    assert!(audit.contains("ingestion_source.redrive"), "{audit}");
}

#[test]
fn records_can_be_redriven_one_by_one_discarded_and_seen_whole() {
    let server = Server::start();
    let (source, parser) = Pushed::with_parser(&server, PROGRAM);
    for id in ["a", "b", "c"] {
        assert_eq!(source.push(&server, late(id)).status, 202);
    }
    let long = format!("{{\"id\":\"long\",\"note\":\"{}\"}}", "x".repeat(2 << 20));
    assert_eq!(source.push(&server, long).status, 202);
    let ids: Vec<String> = source
        .letters(&server, "open")
        .iter()
        .rev()
        .map(|l| l["id"].as_str().unwrap().to_owned())
        .collect();
    let path = |id: &str| source.resource(&format!("/quarantine/{id}"));

    let (_, shown) = server.get(&path(&ids[0]));
    assert!(shown["quarantined_record"]["raw"].as_str().unwrap().contains("[redacted]"), "{shown}");
    let (status, whole) = server.get(&format!("{}?raw=true", path(&ids[0])));
    assert_eq!((status, &whole["quarantined_record"]["raw"]), (200, &json!(late("a"))));
    let (status, made) = server.post(
        "/api/governance/api-keys",
        &json!({ "name": "k", "permissions": ["activityMonitor:view", "ingestionSources:manage"] }),
    );
    assert_eq!(status, 201, "{made}");
    let key = made["secret"].as_str().or(made["key"].as_str()).unwrap_or_else(|| panic!("{made}"));
    assert_eq!(server.json("GET", &path(&ids[0]), key, None).0, 200);
    let (status, refused) = server.json("GET", &format!("{}?raw=true", path(&ids[0])), key, None);
    assert_eq!((status, &refused["error"]["code"]), (403, &json!("forbidden")));

    assert_eq!(server.delete(&path(&ids[1])), (200, json!({ "discarded": true })));
    let (status, refused) = server.delete(&path(&ids[1]));
    assert_eq!((status, &refused["error"]["code"]), (409, &json!("not_open")));
    let (status, gone) = server.get(&format!("{}?raw=true", path(&ids[1])));
    assert_eq!((status, &gone["error"]["code"]), (409, &json!("not_kept")));

    activate(&server, &parser, &with_texts(2), 2);
    let wanted = json!({ "record_ids": [ids[0], ids[1], ids[3], "999"] });
    let (status, done) = server.post(&source.resource("/quarantine/redrive"), &wanted);
    assert_eq!((status, &done["redriven"]), (200, &json!(1)), "{done}");
    let failed: BTreeMap<&str, &str> = done["failed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["id"].as_str().unwrap(), one["code"].as_str().unwrap()))
        .collect();
    let expected = BTreeMap::from([
        (ids[1].as_str(), "not_open"),
        (ids[3].as_str(), "cut"),
        ("999", "not_found"),
    ]);
    assert_eq!(failed, expected);
    assert_eq!(done["failed_count"], 3);
    assert_eq!(source.ids(&server), ["a"]);
    assert_eq!(source.letters(&server, "discarded").len(), 1);
    assert_eq!(server.all(&source.resource("/quarantine?limit=1")).len(), 4);
    for wrong in [
        json!({ "record_ids": ["x"] }),
        json!({ "ids": [] }),
        json!({ "record_ids": [], "cursor": "1" }),
    ] {
        assert_eq!(server.post(&source.resource("/quarantine/redrive"), &wrong).0, 422, "{wrong}");
    }
    assert_eq!(server.get(&source.resource("/quarantine?state=lost")).0, 400);
    let audit = server.get("/api/governance/audit-log?limit=200").1.to_string();
    assert!(audit.contains("quarantined_record.discard"), "{audit}");
}

#[test]
fn a_conflict_leaves_one_open_letter_that_says_so() {
    let server = Server::start();
    let (source, parser) = Pushed::with_parser(&server, PROGRAM);
    assert_eq!(source.push(&server, record("taken")).status, 202);
    assert_eq!(source.push(&server, late("taken")).status, 202);
    activate(&server, &parser, &with_texts(2), 2);
    for _ in 0..3 {
        let done = source.redrive(&server);
        assert_eq!((&done["redriven"], &done["conflicts"]), (&json!(0), &json!(1)), "{done}");
        let open = source.letters(&server, "open");
        assert_eq!((open.len(), &open[0]["reason_code"]), (1, &json!("R1401")), "{open:?}");
        assert_eq!(open[0]["parser_version"], 2);
        assert!(source.letters(&server, "redriven").is_empty());
    }
    // A parser that tells them apart ends it.
    activate(&server, &parser, &with_texts(3).replace("= .id", "= \"{.id}/{.when}\""), 3);
    let done = source.redrive(&server);
    assert_eq!((&done["redriven"], &done["conflicts"]), (&json!(1), &json!(0)), "{done}");
    assert_eq!(source.ids(&server), ["taken", "taken/2026-05-28T20:26:40Z"]);
}

#[test]
fn a_record_whose_id_is_taken_is_kept_whole_for_a_parser_that_gives_it_another() {
    let server = Server::start();
    let (source, parser) = Pushed::with_parser(&server, PROGRAM);
    let other = record("taken").replace("read", "write");
    assert_eq!(source.push(&server, record("taken")).status, 202);
    assert_eq!(source.push(&server, format!("{}\n{other}", record("free"))).status, 202);
    let open = source.letters(&server, "open");
    assert_eq!((open.len(), &open[0]["reason_code"]), (1, &json!("R1401")), "{open:?}");
    assert!(open[0]["raw"].as_str().unwrap().contains("[redacted]"));
    let path =
        source.resource(&format!("/quarantine/{}?raw=true", open[0]["id"].as_str().unwrap()));
    let (_, whole) = server.get(&path);
    assert_eq!(whole["quarantined_record"]["raw"], other.as_str());
    assert_eq!(whole["stored_event"]["source_event_id"], "taken");
    assert_eq!(whole["stored_event"]["action"], "read");
    activate(
        &server,
        &parser,
        &PROGRAM.replace("version 1", "version 2").replace("= .id", "= \"{.id}/{.what}\""),
        2,
    );
    let done = source.redrive(&server);
    assert_eq!((&done["redriven"], &done["conflicts"]), (&json!(1), &json!(0)), "{done}");
    assert_eq!(source.ids(&server), ["taken", "free", "taken/write"]);
}

#[test]
fn a_document_without_records_is_read_anew_by_a_parser_that_finds_them() {
    let server = Server::start();
    let json = |path: &str, version: u32| {
        PROGRAM
            .replace("input ndjson { }", &format!("input json {{ records {path} }}"))
            .replace("version 1", &format!("version {version}"))
    };
    let (source, parser) = Pushed::with_parser(&server, &json("$.data[*]", 1));
    let body = format!("{{\"items\": [{}, {}]}}", record("a"), record("b"));
    assert_eq!(source.push(&server, body).status, 202);
    assert_eq!(source.letters(&server, "open")[0]["reason_code"], "R1003");
    activate(&server, &parser, &json("$.items[*]", 2), 2);
    let done = source.redrive(&server);
    assert_eq!((&done["redriven"], &done["events"]), (&json!(1), &json!(2)), "{done}");
    assert_eq!(source.ids(&server), ["a", "b"]);
}

#[test]
fn killed_at_any_moment_a_redrive_stores_each_record_once() {
    let mut server = Server::start();
    let (source, parser) = Pushed::with_parser(&server, PROGRAM);
    const LETTERS: usize = 2000;
    for part in 0..LETTERS / 100 {
        let records: Vec<_> = (0..100).map(|number| late(part * 100 + number)).collect();
        assert_eq!(source.push(&server, records.join("\n")).status, 202);
    }
    activate(&server, &parser, &with_texts(2), 2);
    let (mut kills, mut partly) = (0, 0);
    for round in 1..200 {
        let url = server.url(&source.resource("/quarantine/redrive"));
        let bearer = format!("Bearer {}", server.key);
        let asking = thread::spawn(move || {
            request(&agent(), "POST", &url, &[("authorization", &bearer)], b"{}")
                .map(|answer| answer.status)
        });
        thread::sleep(Duration::from_millis(fastrand::u64(1..60)));
        server.kill_and_begin();
        let answered = asking.join().unwrap();
        kills += 1;
        let left = source.letters(&server, "open").len();
        partly += usize::from(left > 0 && left < LETTERS);
        let events = source.events(&server).len();
        assert_eq!(events + left, LETTERS, "round {round}: {answered:?}");
        if left == 0 {
            break;
        }
    }
    let done = source.redrive(&server);
    assert_eq!((&done["duplicates"], &done["still_rejected"]), (&json!(0), &json!(0)), "{done}");
    let ids: BTreeSet<_> = source.ids(&server).into_iter().collect();
    assert_eq!((ids.len(), source.events(&server).len()), (LETTERS, LETTERS));
    assert_eq!(source.letters(&server, "redriven").len(), LETTERS);
    assert!(partly > 0, "none of {kills} kills hit a redrive in the middle");
}

#[test]
fn redrives_at_the_same_time_store_each_record_once() {
    let server = Server::start();
    let (source, parser) = Pushed::with_parser(&server, PROGRAM);
    let records: Vec<_> = (0..500).map(late).collect();
    assert_eq!(source.push(&server, records.join("\n")).status, 202);
    activate(&server, &parser, &with_texts(2), 2);
    let done: Vec<Value> = thread::scope(|scope| {
        let asked: Vec<_> = (0..4).map(|_| scope.spawn(|| source.redrive(&server))).collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let redriven: u64 = done.iter().map(|one| one["redriven"].as_u64().unwrap()).sum();
    assert_eq!(redriven, 500, "{done:?}");
    assert_eq!(source.events(&server).len(), 500);
}

#[test]
fn a_full_store_refuses_and_loses_nothing() {
    let config =
        "[webhook]\nrequests_per_second_per_source = 0\nrequests_per_second_per_address = 0\n";
    let mut server = Server::launch(Launch::config(config).on_small_disk());
    let (source, _) = Pushed::with_parser(&server, PROGRAM);
    let (mut kept, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for number in 0..2000 {
        let noise: String = std::iter::repeat_with(fastrand::alphanumeric).take(20_000).collect();
        let body = record(number).replace("hunter2", &noise).replace("file", &noise);
        let answer = source.push(&server, body);
        match answer.status {
            202 => assert!(kept.insert(number.to_string())),
            503 => {
                assert_eq!(answer.json()["error"], "unavailable");
                assert!(!answer.header("retry-after").is_empty());
                refused.insert(number.to_string());
            }
            other => panic!("{other}: {}", answer.text()),
        }
        if refused.len() == 20 {
            break;
        }
    }
    assert!(
        !kept.is_empty() && refused.len() == 20,
        "{} kept, {} refused",
        kept.len(),
        refused.len()
    );
    let stored = |server: &Server| source.ids(server).into_iter().collect::<BTreeSet<_>>();
    assert_eq!(stored(&server), kept);
    let health = |server: &Server| {
        let path = format!("/api/governance/ingestion-sources/{}/health", source.id);
        let (status, answer) = server.get(&path);
        assert_eq!(status, 200, "{answer}");
        answer["health"].clone()
    };
    assert_eq!(health(&server)["last_error"]["code"], "store_unavailable");
    assert_eq!(health(&server)["consecutive_errors"], 1);
    server.make_room();
    for id in &refused {
        assert_eq!(source.push(&server, record(id)).status, 202);
    }
    kept.append(&mut refused);
    assert_eq!(stored(&server), kept);
    assert_eq!(health(&server)["last_error"], Value::Null);
    server.kill_and_begin();
    assert_eq!(stored(&server), kept);
}

#[test]
fn killed_at_any_moment_all_that_was_acknowledged_is_there() {
    let config =
        "[webhook]\nrequests_per_second_per_source = 0\nrequests_per_second_per_address = 0\n";
    let mut server = Server::launch(Launch::config(config));
    let (source, _) = Pushed::with_parser(&server, PROGRAM);
    let mut all = BTreeSet::new();
    for round in 0..5 {
        let load = load(&server, &source, 20, 100_000, &format!("round-{round}"));
        let sending = thread::spawn(move || load.run());
        thread::sleep(Duration::from_millis(200 + fastrand::u64(..200)));
        server.kill_hard();
        let report = sending.join().unwrap();
        assert!(!report.acknowledged.is_empty());
        all.extend(report.acknowledged);
        server.begin();
    }
    let stored = source.ids(&server);
    let once: BTreeSet<_> = stored.iter().cloned().collect();
    assert_eq!(once.len(), stored.len(), "stored twice");
    let lost: Vec<_> = all.difference(&once).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), all.len());
}

fn load(server: &Server, source: &Pushed, connections: usize, requests: u64, prefix: &str) -> Load {
    Load {
        address: server.address,
        path: source.path(),
        secret: source.secret.clone(),
        connections,
        rate: None,
        requests,
        prefix: prefix.to_owned(),
        record_bytes: 500,
    }
}

#[test]
fn a_thousand_connections_are_served() {
    let config =
        "[webhook]\nrequests_per_second_per_source = 0\nrequests_per_second_per_address = 0\n";
    let server = Server::launch(Launch::config(config));
    let (source, _) = Pushed::with_parser(&server, PROGRAM);
    let report = load(&server, &source, 1000, 5000, "many").run();
    assert_eq!((report.acknowledged.len(), report.others.len()), (5000, 0), "{:?}", report.others);
    let stored: BTreeSet<_> = source.ids(&server).into_iter().collect();
    assert_eq!(stored, report.acknowledged.into_iter().collect());
}

#[test]
fn at_a_steady_rate_every_acknowledged_event_is_stored() {
    let server = Server::start();
    let (source, _) = Pushed::with_parser(&server, PROGRAM);
    let load = Load { rate: Some(300.0), ..load(&server, &source, 20, 900, "steady") };
    let report = load.run();
    assert!(report.others.is_empty(), "{:?}", report.others);
    assert!(report.elapsed >= Duration::from_secs_f64(2.9), "{:?}", report.elapsed);
    let stored: BTreeSet<_> = source.ids(&server).into_iter().collect();
    assert_eq!(stored, report.acknowledged.iter().cloned().collect());
    assert_eq!(stored.len(), 900);
}

/// What a line of a trace says: a request was read, a sync of the store's log has ended, an acknowledgement begins to be
/// written.
#[derive(Debug, PartialEq, Eq)]
enum Traced {
    Received,
    Synced,
    Acknowledged,
}

/// Reads a trace of `strace -f -y`, where calls of other threads may stand between the begin and the end of one.
fn read_trace(path: &Path) -> Vec<Traced> {
    let text = std::fs::read_to_string(path).unwrap();
    let (mut traced, mut syncing) = (Vec::new(), BTreeSet::new());
    for line in text.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        let is_sync = call.starts_with("fdatasync(") || call.starts_with("fsync(");
        if is_sync && call.contains("weir.db-wal>") {
            match call.contains("<unfinished") {
                true => assert!(syncing.insert(thread.to_owned())),
                false => traced.push(Traced::Synced),
            }
        } else if call.contains("sync resumed>") && syncing.remove(thread) {
            assert!(call.trim_end().ends_with("= 0"), "{line}");
            traced.push(Traced::Synced);
        } else if call.contains("POST /api/ingest/webhook") {
            traced.push(Traced::Received);
        } else if call.contains("HTTP/1.1 202") {
            traced.push(Traced::Acknowledged);
        }
    }
    traced
}

#[test]
fn nothing_is_acknowledged_before_it_is_on_the_disk() {
    let traces = tempfile::tempdir().unwrap();
    let path = traces.path().join("trace");
    let traced = Command::new("strace").arg("-V").output();
    assert!(traced.is_ok_and(|ran| ran.status.success()), "run `apt-get install strace`");
    let calls = "trace=fdatasync,fsync,read,recvfrom,write,writev,sendto,sendmsg";
    let mut wrapper: Vec<_> =
        ["strace", "-D", "-f", "-y", "-e", calls, "-o"].map(Into::into).to_vec();
    wrapper.push(path.clone().into());
    let mut server = Server::launch(Launch { wrapper, ..Launch::default() });
    let (source, _) = Pushed::with_parser(&server, PROGRAM);
    const REQUESTS: usize = 50;
    for number in 0..REQUESTS {
        assert_eq!(source.push(&server, record(number)).status, 202);
    }
    server.end();
    // The tracer writes its last lines behind the end of the server.
    let deadline = Instant::now() + Duration::from_secs(20);
    let trace = loop {
        let trace = read_trace(&path);
        if trace.iter().filter(|&call| *call == Traced::Acknowledged).count() == REQUESTS {
            break trace;
        }
        assert!(Instant::now() < deadline, "the trace lacks answers: {trace:?}");
        thread::sleep(Duration::from_millis(50));
    };
    // One request follows the other, so a sync behind it is its own.
    assert_eq!(trace.iter().filter(|&call| *call == Traced::Received).count(), REQUESTS);
    let mut synced = false;
    for call in trace {
        match call {
            Traced::Received => synced = false,
            Traced::Synced => synced = true,
            Traced::Acknowledged => {
                assert!(std::mem::take(&mut synced), "acknowledged before a sync");
            }
        }
    }
}

#[test]
fn senders_at_the_same_moment_share_commits_and_ids() {
    let server = Server::start();
    let (source, _) = Pushed::with_parser(&server, PROGRAM);
    let barrier = Barrier::new(16);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                barrier.wait();
                for number in 0..50 {
                    assert_eq!(source.push(&server, record(number)).status, 202);
                }
            });
        }
    });
    assert_eq!(source.events(&server).len(), 50);
    assert!(source.letters(&server, "open").is_empty());
}
