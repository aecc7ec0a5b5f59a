//! The REST API beyond its description: all or nothing, to each organisation its own, and streams that leave nothing out.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::spawn;
use std::time::Duration;

use serde_json::{Value, json};
use weir_system_tests::server::{Launch, Server, agent};

const SOURCES: &str = "/api/governance/ingestion-sources";
const PARSERS: &str = "/api/governance/parsers";
const EXPORT: &str = "/api/governance/ocsf-events";
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

const PROGRAM: &str = r#"weir 1
parser "rest" version 1
ocsf "1.8.0"
product "Test" by "Test"
input json { records $.data[*] max_record 1MiB }
on error { required reject  optional skip }
event {
  id     = .id
  time   = .at |> unix_seconds
  actor  = $.token
  action = "read"
  target = "page"
}
emit api_activity { activity_id = "Read"  src_endpoint.name = "test" }
"#;
const FAILING: &str = r#"
test "fails" {
  given """
    {"token":"t","data":[{"id":"a","at":1780000000}]}
  """
  expect api_activity { src_endpoint.name = "other" }
}
"#;

fn version(number: u32) -> String {
    PROGRAM.replace("version 1", &format!("version {number}"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

#[track_caller]
fn make_parser(server: &Server) -> String {
    let (status, made) = server.post(PARSERS, &json!({ "definition": PROGRAM }));
    assert_eq!(status, 201, "{made}");
    text(&made["parser"]["id"])
}

/// A source that takes records by webhook: its id and secret.
#[track_caller]
fn make_source(server: &Server, name: &str, parser: &str) -> (String, String) {
    let source = json!({ "name": name, "source_type": "http_custom", "parser_id": parser });
    let (status, made) = server.post(SOURCES, &source);
    assert_eq!(status, 201, "{made}");
    (text(&made["ingestion_source"]["id"]), text(&made["ingest_secret"]))
}

#[track_caller]
fn push(server: &Server, (id, secret): &(String, String), ids: &[&str]) {
    let records: Vec<_> = ids.iter().map(|id| json!({ "id": id, "at": 1_780_000_000 })).collect();
    // What stands around records must stand before them.
    let body = format!("{{\"token\":\"t-1\",\"data\":{}}}", json!(records));
    push_body(server, (id, secret), &body);
}

#[track_caller]
fn push_body(server: &Server, (id, secret): (&str, &str), body: &str) {
    let headers = [("x-weir-secret", secret)];
    let path = format!("/api/ingest/webhook/{id}");
    let answer = server.request("POST", &path, &headers, body.as_bytes());
    assert_eq!(answer.status, 202, "{}", answer.text());
}

/// The fields that a refusal names.
fn fields(answer: &Value) -> Vec<String> {
    let details = answer["error"]["details"].as_array().unwrap_or_else(|| panic!("{answer}"));
    details.iter().map(|detail| text(&detail["field"])).collect()
}

/// The lines of a stream as they come, without heartbeats. Closed when the stream ends.
fn follow(server: &Server, key: &str, path: &str) -> Receiver<Value> {
    let (sender, lines) = channel();
    let (url, bearer) = (server.url(path), format!("Bearer {key}"));
    spawn(move || {
        let request = agent().get(&url).header("authorization", &bearer);
        let answer = request.header("accept", "application/x-ndjson").call().unwrap();
        for line in BufReader::new(answer.into_body().into_reader()).lines() {
            let Ok(line) = line else { return };
            if !line.is_empty() && sender.send(serde_json::from_str(&line).unwrap()).is_err() {
                return;
            }
        }
    });
    lines
}

#[test]
fn a_version_is_added_and_activated_or_neither() {
    let server = Server::start();
    let parser = make_parser(&server);
    let versions = format!("{PARSERS}/{parser}/versions");
    let add = |definition: &str, activate: bool| {
        server.post(&versions, &json!({ "definition": definition, "activate": activate }))
    };
    let failing = version(2) + FAILING;
    let (status, refused) = add(&failing, true);
    assert_eq!((status, &refused["error"]["code"]), (422, &json!("parser_tests_failed")));
    assert_eq!(server.all(&versions).len(), 1, "something of it was kept");
    assert_eq!(add(&failing, false).0, 201);
    let source = json!({
        "name": "pinned", "source_type": "http_custom", "parser_id": parser, "parser_version": 2,
    });
    let (status, refused) = server.post(SOURCES, &source);
    assert_eq!((status, fields(&refused)), (422, vec!["parser_version".to_owned()]));
    let (status, added) = add(&version(3), true);
    assert_eq!(status, 201, "{added}");
    let (_, shown) = server.get(&format!("{PARSERS}/{parser}"));
    assert_eq!(shown["parser"]["active_version"], 3);
}

#[test]
fn buckets_are_read_with_what_is_meant_and_allowed() {
    let server = Server::start();
    let parser = make_parser(&server);
    let make = |key: &str, parser: Option<&str>, differs: Value, credentials: Value| {
        let mut config =
            json!({ "adapter": "s3_polling", "bucket": "logs", "region": "eu-central-1" });
        config.as_object_mut().unwrap().extend(differs.as_object().unwrap().clone());
        let source = json!({
            "name": format!("s{}", fastrand::u64(..)), "source_type": "s3_custom", "parser_id": parser,
            "pull_config": config, "credentials": credentials,
        });
        server.json("POST", SOURCES, key, Some(&source))
    };
    let access_key = json!({ "access_key_id": "a", "secret_access_key": "s" });
    let role = json!({ "roleArn": "arn:aws:iam::123456789012:role/r", "externalId": "weir-7" });
    for (differs, credentials, field) in [
        (json!({ "credentialRef": "other" }), access_key.clone(), "pull_config.credentialRef"),
        (json!({ "max_record_bytes": 65536 }), access_key.clone(), "pull_config.max_record_bytes"),
    ] {
        let (status, refused) = make(&server.key, Some(&parser), differs, credentials);
        assert_eq!((status, fields(&refused)), (422, vec![field.to_owned()]));
    }
    let mapping = json!({ "eventMapping": { "actor": "user" } });
    let (status, refused) = make(&server.key, None, mapping.clone(), access_key.clone());
    assert_eq!((status, fields(&refused)), (422, vec!["pull_config.eventMapping".to_owned()]));
    assert!(refused.to_string().contains("weir migrate"), "{refused}");
    assert_eq!(make(&server.key, Some(&parser), mapping, access_key.clone()).0, 201);
    assert_eq!(make(&server.key, Some(&parser), json!({}), json!({})).0, 201);

    // Another organisation may not use what the machine may.
    let (_, made) = server.post("/api/governance/organizations", &json!({ "name": "other" }));
    let foreign = text(&made["secret"]);
    let (status, made) =
        server.json("POST", PARSERS, &foreign, Some(&json!({ "definition": PROGRAM })));
    assert_eq!(status, 201, "{made}");
    let own = text(&made["parser"]["id"]);
    let (status, refused) = make(&foreign, Some(&own), json!({}), json!({}));
    assert_eq!((status, fields(&refused)), (422, vec!["credentials".to_owned()]));
    assert_eq!(make(&foreign, Some(&own), json!({}), access_key).0, 201);
    assert_eq!(make(&foreign, Some(&own), role, json!({})).0, 201);
}

#[test]
fn what_stands_around_records_is_for_those_who_may_see_them_whole() {
    let server = Server::start();
    let parser = make_parser(&server);
    let source = make_source(&server, "a", &parser);
    push_body(&server, (&source.0, &source.1), r#"{"token":"secret-7","data":[{"id":"x"}]}"#);
    let list = format!("{SOURCES}/{}/quarantine", source.0);
    let letter = &server.all(&list)[0];
    assert_eq!(letter["context"]["wrapper"]["token"], "\"secret-7\"");
    let one = format!("{list}/{}", text(&letter["id"]));
    let wanted = "{\"token\":\"secret-7\",\"data\":[{\"id\":\"x\"}]}\n";
    assert_eq!(server.get(&one).1["sample"], wanted);
    let (status, made) = server.post(
        "/api/governance/api-keys",
        &json!({ "name": "viewer", "permissions": ["activityMonitor:view"] }),
    );
    assert_eq!(status, 201, "{made}");
    let viewer = text(&made["secret"]);
    for path in [&list, &one] {
        let (status, shown) = server.json("GET", path, &viewer, None);
        assert_eq!(status, 200, "{shown}");
        assert!(!shown.to_string().contains("secret-7"), "{shown}");
    }
    // They are looked at most when the parser is broken.
    let (status, _) =
        server.patch(&format!("{SOURCES}/{}", source.0), &json!({ "parser_id": null }));
    assert_eq!(status, 200);
    assert_eq!(server.get(&one).1["sample"], Value::Null);
}

#[test]
fn an_export_goes_on_with_sources_that_come_later_and_behind_the_last_sequence() {
    let server = Server::start();
    let parser = make_parser(&server);
    let first = make_source(&server, "first", &parser);
    push(&server, &first, &["a"]);
    let path = format!("{EXPORT}?after_sequence=0&follow=true&with_sequence=true");
    let lines = follow(&server, &server.key, &path);
    let next = || lines.recv_timeout(PATIENCE).unwrap();
    assert_eq!(next()["ocsf"]["metadata"]["uid"], "a");
    let second = make_source(&server, "second", &parser);
    push(&server, &second, &["b"]);
    push(&server, &first, &["c"]);
    let events = [next(), next()];
    let uids = events.each_ref().map(|event| text(&event["ocsf"]["metadata"]["uid"]));
    assert_eq!(uids, ["b", "c"]);
    let after = events[0]["sequence"].as_i64().unwrap();
    let rest = follow(&server, &server.key, &format!("{EXPORT}?after_sequence={after}"));
    assert_eq!(rest.recv_timeout(PATIENCE).unwrap(), events[1]["ocsf"]);
    let (status, refused) = server.get(&format!("{EXPORT}?with_sequence=true"));
    assert_eq!((status, fields(&refused)), (422, vec!["with_sequence".to_owned()]));
}

#[test]
fn a_stream_ends_with_its_key() {
    let server = Server::start();
    let (status, made) = server.post(
        "/api/governance/api-keys",
        &json!({ "name": "siem", "permissions": ["activityMonitor:view", "complianceExport:view"] }),
    );
    assert_eq!(status, 201, "{made}");
    let parser = make_parser(&server);
    push(&server, &make_source(&server, "a", &parser), &["a"]);
    let lines = follow(&server, &text(&made["secret"]), &format!("{EXPORT}?follow=true"));
    // The stream runs before its key is taken away.
    assert_eq!(lines.recv_timeout(PATIENCE).unwrap()["metadata"]["uid"], "a");
    let id = text(&made["api_key"]["id"]);
    assert_eq!(server.delete(&format!("/api/governance/api-keys/{id}")).0, 200);
    // Before the client itself has enough of it.
    let ended = lines.recv_timeout(Duration::from_secs(45));
    assert_eq!(ended, Err(RecvTimeoutError::Disconnected), "it goes on");
}

/// A page of large records ends before it is full, and says that there are more.
#[test]
fn pages_of_large_events_lead_to_all_of_them() {
    let server = Server::launch(Launch::config("[webhook]\nbody_bytes_max = 20000000\n"));
    let parser = make_parser(&server);
    let source = make_source(&server, "large", &parser);
    let filler = "x".repeat(900_000);
    for number in 0..60 {
        let body = format!(
            r#"{{"token":"t","data":[{{"id":"e{number}","at":1780000000,"filler":"{filler}"}}]}}"#
        );
        push_body(&server, (&source.0, &source.1), &body);
    }
    let path = format!("{SOURCES}/{}/events", source.0);
    let (mut before, mut found, mut pages) = (i64::MAX, 0, 0);
    loop {
        let (status, page) = server.get(&format!("{path}?limit=200&before_sequence={before}"));
        assert_eq!(status, 200);
        pages += 1;
        let events = page["data"].as_array().unwrap();
        found += events.len();
        let Some(first) = events.first() else { break };
        assert_eq!(page["has_more"], page["next_cursor"].is_string());
        if page["has_more"] == false {
            break;
        }
        before = first["sequence"].as_i64().unwrap();
    }
    assert_eq!(found, 60);
    assert!(pages > 1, "they fit into one page");
    // Forward likewise.
    let (mut after, mut found) = (0, 0);
    loop {
        let (_, page) = server.get(&format!("{path}?limit=200&after_sequence={after}"));
        let events = page["data"].as_array().unwrap();
        found += events.len();
        if page["has_more"] == false {
            break;
        }
        after = page["next_cursor"].as_str().unwrap().parse().unwrap();
    }
    assert_eq!(found, 60);
}

#[test]
fn what_is_done_is_noted_and_what_is_asked_is_counted() {
    let server = Server::start();
    let parser = make_parser(&server);
    let (source, _) = make_source(&server, "a", &parser);
    assert_eq!(server.post(&format!("{SOURCES}/{source}/test-event"), &json!({})).0, 202);
    let pulled = json!({
        "name": "p", "source_type": "s3_custom", "parser_id": parser,
        "pull_config": { "adapter": "s3_polling", "bucket": "logs", "endpoint": "http://127.0.0.1:1" },
        "credentials": { "access_key_id": "a", "secret_access_key": "s" },
    });
    let (status, made) = server.post(SOURCES, &pulled);
    assert_eq!(status, 201, "{made}");
    let pulled = text(&made["ingestion_source"]["id"]);
    assert_eq!(server.post(&format!("{SOURCES}/{pulled}/pull"), &json!({})).0, 202);
    let (_, log) = server.get("/api/governance/audit-log");
    for action in ["ingestion_source.test_event", "ingestion_source.pull"] {
        assert!(log.to_string().contains(action), "{log}");
    }
    // Without a parser there is nothing to redrive with, and nothing to note.
    let bare = json!({ "name": "bare", "source_type": "http_custom" });
    let bare = text(&server.post(SOURCES, &bare).1["ingestion_source"]["id"]);
    assert_eq!(server.post(&format!("{SOURCES}/{bare}/quarantine/redrive"), &json!({})).0, 409);
    let (_, log) = server.get("/api/governance/audit-log");
    assert!(!log.to_string().contains("ingestion_source.redrive"), "{log}");

    // The client knows no such methods.
    for method in ["PURGE", "X1", "X2"] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        write!(stream, "{method} /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    }
    let metrics = server.request("GET", "/metrics", &[], b"").text();
    assert!(metrics.contains(r#"method="other""#) && !metrics.contains("X1"), "{metrics}");
    assert!((0..20).all(|_| server.request("GET", "/readyz", &[], b"").status == 200));
}
