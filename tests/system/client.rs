//! The command line as a client of a running server: what people and scripts see, and that following a source leaves
//! nothing out.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use weir_system_tests::binary::{Ended, weir_command};
use weir_system_tests::server::{Server, agent, request};

const SOURCES: &str = "/api/governance/ingestion-sources";
const PROGRAM: &str = r#"weir 1
parser "agent-audit" version 1
ocsf "1.8.0"
product "Agents" by "Acme"
input ndjson { max_record 1MiB }
on error { required reject  optional skip }

event {
  id     = .id
  time   = .at |> unix_ms
  actor  = .user
  action = .type
  target = .model
  cost_usd = .usd
}

emit api_activity { activity_id = "Create"  src_endpoint.ip = .ip |> ip }

test "a chat" {
  given """
    {"id":"e1","at":1762000000000,"user":"bo","type":"chat","model":"m-1","ip":"192.0.2.7"}
  """
  expect api_activity { actor.user.name = "bo" }
}
"#;
const PATIENCE: Duration = Duration::from_secs(120);

fn record(id: &str) -> String {
    format!(
        r#"{{"id":"{id}","at":1762000000000,"user":"bo","type":"chat","model":"m\u001b[2J","ip":"192.0.2.7","usd":"0.01234"}}"#
    )
}

/// A server and a folder, with `weir` as its client.
struct Bench {
    server: Server,
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { server: Server::start(), folder: tempfile::tempdir().unwrap() };
        bench.file("agent-audit.weir", PROGRAM);
        bench
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn command(&self, arguments: &str) -> std::process::Command {
        let mut command = weir_command(arguments.split_whitespace());
        command
            .current_dir(self.folder.path())
            .env("WEIR_URL", self.server.url(""))
            .env("WEIR_API_KEY", &self.server.key);
        command
    }

    /// Runs `weir` with arguments separated by spaces.
    fn weir(&self, arguments: &str) -> Ended {
        self.command(arguments).output().unwrap().into()
    }

    /// Makes the parser and a source of it; gives the source's id and secret.
    fn hooks(&self, name: &str) -> Hook {
        if self.weir("parser show agent-audit").code != Some(0) {
            self.weir("parser create agent-audit.weir").code(0);
        }
        let made = self
            .weir(&format!("source create {name} --type http_custom --parser agent-audit --json"))
            .code(0)
            .json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Hook {
            path: format!("/api/ingest/webhook/{}", text(&made["ingestion_source"]["id"])),
            secret: text(&made["ingest_secret"]),
            id: text(&made["ingestion_source"]["id"]),
        }
    }

    #[track_caller]
    fn send(&self, hook: &Hook, body: &str) {
        let bearer = format!("Bearer {}", hook.secret);
        let answer =
            self.server.request("POST", &hook.path, &[("authorization", &bearer)], body.as_bytes());
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
}

#[derive(Clone)]
struct Hook {
    id: String,
    path: String,
    secret: String,
}

#[test]
fn parsers_are_made_versioned_and_activated() {
    let bench = Bench::new();
    bench.weir("parser list").code(0).says("no parsers yet");
    bench
        .weir("parser create agent-audit.weir --description chats")
        .code(0)
        .prints("parser agent-audit (")
        .prints("version 1, active");
    bench.weir("parser create agent-audit.weir").code(1).says("(name_taken)");
    bench.weir("parser create agent-audit.weir --name other").code(0);

    let second = PROGRAM.replace("version 1\n", "version 2\n");
    bench.file("second.weir", &second);
    let added = bench.weir("parser add agent-audit second.weir --json").code(0).json();
    assert_eq!(added["parser_version"]["version"], 2);
    bench.weir("parser add agent-audit second.weir").code(1).says("write `version 3`");
    let listed = bench.weir("parser list").code(0);
    let row = listed.out.lines().find(|line| line.starts_with("agent-audit")).unwrap().to_owned();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>()[1..3], ["1", "2"], "{listed:#?}");
    bench.weir("parser activate agent-audit 2").code(0).prints("version 2, active");
    let rows = bench.weir("parser versions agent-audit --json").code(0).lines();
    assert_eq!(
        rows.iter().map(|row| row["version"].as_u64()).collect::<Vec<_>>(),
        [Some(2), Some(1)]
    );
    let versions = bench.weir("parser versions agent-audit").code(0);
    assert!(versions.out.lines().nth(1).unwrap().ends_with("active"), "{versions:#?}");
    assert_eq!(bench.weir("parser show agent-audit --program").code(0).out, second);
    assert_eq!(bench.weir("parser show agent-audit --program --version 1").code(0).out, PROGRAM);
    bench.weir("parser show agent-audit").code(0).prints("active version 2, latest 2");

    bench.weir("parser archive other").code(0);
    assert_eq!(bench.weir("parser list --json").code(0).lines().len(), 1);
    bench.weir("parser show other").code(1).says("Parser `other` not found");
    bench.weir("parser activate agent-audit 9").code(1).says("not found");
}

#[test]
fn what_is_wrong_with_a_program_is_shown_at_its_place() {
    let bench = Bench::new();
    bench.file("broken.weir", &PROGRAM.replace("emit api_activity {", "emit api_activty {"));
    let ended = bench.weir("parser create broken.weir").code(1);
    assert_eq!(ended.out, "");
    let mut lines = ended.err.lines();
    let first = lines.next().unwrap();
    assert!(first.starts_with("broken.weir:17:6: error[W0"), "{}", ended.err);
    assert!(ended.err.contains("\n  help: did you mean `api_activity`?"), "{}", ended.err);

    bench.file("failing.weir", &PROGRAM.replace("name = \"bo\"", "name = \"al\""));
    bench
        .weir("parser create failing.weir")
        .code(1)
        .prints("not active: its tests fail")
        .says("failing.weir:19: the test \"a chat\" fails");
    bench.weir("parser activate agent-audit 1").code(1).says("the test \"a chat\" fails");
    bench.weir("parser create nothing.weir").code(1).says("nothing.weir");
}

#[test]
fn sources_are_made_changed_and_archived() {
    let bench = Bench::new();
    bench.weir("ingest list").code(0).says("no sources yet");
    let made = {
        bench.weir("parser create agent-audit.weir").code(0);
        bench.weir("source create hooks --type http_custom --parser agent-audit").code(0)
    };
    let secret = made.out.split_whitespace().find(|word| word.starts_with("lw_is_")).unwrap();
    assert!(made.out.contains("Its secret, shown only now:"), "{made:#?}");
    let secrets: Vec<&str> = made
        .out
        .split_whitespace()
        .filter(|word| word.starts_with("lw_is_") && word.len() > 40)
        .collect();
    assert!(
        secrets.len() == 1 && secrets[0].starts_with(secret.trim_end_matches('.')),
        "{made:#?}"
    );
    let shown = bench.weir("source show hooks").code(0);
    assert!(!shown.out.contains(secrets[0]), "a secret is shown once: {shown:#?}");

    let wrong = bench.weir("source create x --type nope --every 5").code(1);
    assert_eq!(wrong.err.lines().count(), 2, "{wrong:#?}");
    wrong.says("error: source_type: is none of").says("error: pull_config: is missing");

    let config = json!({ "adapter": "s3_polling", "bucket": "acme", "region": "eu-central-1" });
    bench.file("bucket.json", &config.to_string());
    bench.file("aws.json", r#"{"access_key_id": "AK", "secret_access_key": "very-secret"}"#);
    let mut command = bench.command(
        "source create pulled --type s3_custom --parser agent-audit --pull-config bucket.json --every 3600
         --credentials aws.json --credential-from-env session_token=TOKEN --json",
    );
    let pulled = Ended::from(command.env("TOKEN", "very-secret-too").output().unwrap()).code(0);
    assert!(!pulled.out.contains("very-secret"), "{pulled:#?}");
    let source = &pulled.json()["ingestion_source"];
    assert_eq!(
        (&source["has_credentials"], &source["poll_every_sec"]),
        (&json!(true), &json!(3600))
    );

    let ended = bench.weir("source update pulled --schedule 0,30 --name renamed").code(1);
    ended.says("error: pull_schedule: it has 1 fields");
    let mut command = bench.command("source update pulled --schedule");
    let changed =
        Ended::from(command.arg("*/5 * * * *").arg("--json").output().unwrap()).code(0).json();
    assert_eq!(
        (&changed["pull_schedule"], &changed["poll_every_sec"]),
        (&json!("*/5 * * * *"), &Value::Null)
    );
    bench.weir("source update pulled --disable").code(0).prints("disabled");
    bench.weir("source pull pulled").code(1).says("(disabled)");
    bench.weir("source update pulled --enable --remove-credential session_token").code(0);
    bench.weir("source update pulled").code(2).says("nothing is to change");
    bench.weir("source runs pulled").code(0).says("it was never polled");

    let rotated = bench.weir("source rotate hooks").code(0).prints("prior secrets");
    assert!(!rotated.out.contains(secrets[0]), "{rotated:#?}");

    let list = bench.weir("ingest list").code(0);
    let mut rows = list
        .out
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()));
    assert_eq!(rows.next().unwrap().collect::<Vec<_>>(), ["NAME", "TYPE", "STATUS", "LAST EVENT"]);
    assert_eq!(
        rows.next().unwrap().collect::<Vec<_>>(),
        ["hooks", "http_custom", "awaiting_first_event", "never"]
    );
    bench.weir("source archive hooks").code(0).says("its events stay");
    assert_eq!(bench.weir("ingest list --json").code(0).lines().len(), 1);
    let all = bench.weir("source list --all").code(0);
    assert!(
        all.out.lines().any(|line| line.starts_with("hooks") && line.contains("archived")),
        "{all:#?}"
    );
    bench.weir("source show nothing").code(1).says("IngestionSource `nothing` not found");

    // Every change says that it came from here.
    let audit = bench.server.all("/api/governance/audit-log");
    let by_hand: Vec<&Value> = audit.iter().filter(|entry| entry["actor_id"] != "system").collect();
    assert!(by_hand.len() >= 6, "{audit:?}");
    for entry in by_hand {
        assert_eq!(entry["metadata"]["surface"], "cli", "{entry}");
        assert!(!entry.to_string().contains("very-secret"), "{entry}");
    }
}

#[test]
fn what_is_missing_is_said_before_anything_is_asked() {
    let bench = Bench::new();
    let run = |arguments: &str, variables: &[(&str, &str)]| -> Ended {
        let mut command = weir_command(arguments.split_whitespace());
        command.env_remove("WEIR_URL").env_remove("WEIR_API_KEY").envs(variables.iter().copied());
        command.current_dir(bench.folder.path()).output().unwrap().into()
    };
    let (url, key) = (bench.server.url(""), bench.server.key.as_str());
    run("ingest list", &[]).code(2).says("set WEIR_API_KEY");
    run("ingest list", &[("WEIR_API_KEY", key), ("WEIR_URL", "weir.example")])
        .code(2)
        .says("is no URL");
    run("ingest list --api-key-file nothing", &[]).code(2).says("nothing");
    run("ingest list --api-key", &[]).code(2);
    bench.file("key", &format!("{key}\n"));
    run(&format!("ingest list --url {url}/ --api-key-file key"), &[]).code(0);
    run(&format!("ingest list --url {url}"), &[("WEIR_API_KEY", "wk_wrong")])
        .code(1)
        .says("is the key that of this server?");
    let nobody = run("ingest list --url http://127.0.0.1:9", &[("WEIR_API_KEY", key)]).code(1);
    assert_eq!(nobody.err.lines().count(), 1, "{nobody:#?}");
    nobody.says("http://127.0.0.1:9 cannot be reached").says("is `weir serve` running?");

    let body = json!({ "name": "reader", "permissions": ["ingestionSources:view"] });
    let (_, made) = bench.server.post("/api/governance/api-keys", &body);
    let reader = [("WEIR_API_KEY", made["secret"].as_str().unwrap()), ("WEIR_URL", &url)];
    run("ingest list", &reader).code(0);
    run("source create x --type http_custom", &reader)
        .code(1)
        .says("lacks the permission `ingestionSources:manage`");
}

#[test]
fn tail_and_health_speak_to_people_and_to_pipes() {
    let bench = Bench::new();
    let hook = bench.hooks("hooks");
    bench.weir("ingest tail hooks").code(0).says("no events yet");
    let unknown = bench.weir("ingest tail nothing").code(1);
    assert_eq!((unknown.out.as_str(), unknown.err.as_str()), ("", "IngestionSource not found\n"));
    bench.weir("ingest health nothing").code(1).says("IngestionSource not found");
    let stranger = "01a203f2-3fb0-7073-a65f-ccb2d543bc87";
    let unknown = bench.weir(&format!("ingest tail {stranger} --follow")).code(1);
    assert_eq!(unknown.err, "IngestionSource not found\n");

    let records: String = (0..300).map(|n| record(&format!("e{n:03}")) + "\n").collect();
    bench.send(&hook, &records);
    bench.send(&hook, "{\"id\":\"bad\",\"at\":\"yesterday\"}\n");
    for name in ["hooks", &hook.id] {
        let tail = bench.weir(&format!("ingest tail {name}")).code(0);
        assert_eq!(tail.out.lines().count(), 50);
        assert_eq!(
            tail.out.lines().last().unwrap(),
            "2025-11-01T12:26:40Z  api_activity  chat -> m\\u{1b}[2J  $0.0123 0/0 tok"
        );
    }
    let all = bench.weir("ingest tail hooks --limit 1000 --json").code(0).lines();
    let ids: Vec<String> =
        all.iter().map(|event| event["source_event_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        ids,
        (0..300).map(|n| format!("e{n:03}")).collect::<Vec<_>>(),
        "oldest first, all pages"
    );
    let newest = bench.weir("ingest tail hooks --limit 201 --json").code(0).lines();
    assert_eq!(newest, all[99..]);

    let health = bench.weir("ingest health hooks").code(0);
    health
        .prints("hooks (http_custom, active)\n")
        .prints("  events        300 in 24 hours")
        .prints("  refused       0.33 % of the records")
        .prints("  dead letters  1 open");
    let health = bench.weir("ingest health hooks --json").code(0).json();
    assert_eq!(health["health"]["events_24h"], 300);
}

#[test]
fn dead_letters_are_listed_mended_and_given_up() {
    let bench = Bench::new();
    let hook = bench.hooks("hooks");
    bench.weir("quarantine list hooks").code(0).says("no dead letters");
    let bad = |id: &str, user: &str| {
        record(id).replace("\"at\"", "\"when\"").replace("\"bo\"", &format!("\"{user}\"")) + "\n"
    };
    bench.send(&hook, &(bad("b1", "al\u{1b}[2J") + &bad("b2", "bo") + &record("good") + "\n"));
    // The escape makes the first no sound JSON; it is shown so that it does nothing to a terminal.
    let listed = bench.weir("quarantine list hooks").code(0);
    assert_eq!(listed.out.lines().count(), 3, "{listed:#?}");
    assert!(!listed.out.contains('\u{1b}') && listed.out.contains("R1201"), "{listed:#?}");
    let rows = bench.weir("quarantine list hooks --json").code(0).lines();
    let id_of = |code: &str| {
        let row = rows.iter().find(|row| row["reason_code"] == code).unwrap();
        row["id"].as_str().unwrap().to_owned()
    };
    let (missing, broken) = (id_of("R1201"), id_of("R1002"));
    let shown = bench.weir(&format!("quarantine show hooks {missing}")).code(0);
    assert!(shown.out.contains("version 1, line 10") && shown.out.contains("\"b2\""), "{shown:#?}");
    let shown = bench.weir(&format!("quarantine show hooks {broken} --raw")).code(0);
    assert!(shown.out.contains("al\\u{1b}[2J"), "{shown:#?}");
    bench.weir("quarantine show hooks 999").code(1).says("not found");

    // As long as the parser is the same, they stay.
    let ended = bench.weir("quarantine redrive hooks").code(1);
    ended.prints("0 records redriven").says("2 are refused again");
    let mended = PROGRAM.replace("version 1\n", "version 2\n").replace(".at ", "(.at ?? .when) ");
    bench.file("mended.weir", &mended);
    bench.weir("parser add agent-audit mended.weir --activate").code(0).prints("version 2, active");
    let redriven = bench.weir("quarantine redrive hooks --json").code(1).json();
    assert_eq!((&redriven["redriven"], &redriven["events"]), (&json!(1), &json!(1)), "{redriven}");
    let listed = bench.weir("quarantine list hooks --json").code(0).lines();
    let left = listed[0]["id"].as_str().unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
    bench.weir(&format!("quarantine discard hooks {left}")).code(0).says("is discarded");
    bench.weir("quarantine redrive hooks").code(0).prints("0 records redriven");
    assert_eq!(bench.weir("quarantine list hooks --state all --json").code(0).lines().len(), 2);
    assert_eq!(bench.weir("ingest tail hooks --json").code(0).lines().len(), 2);
    bench.weir("quarantine list nothing").code(1).says("IngestionSource `nothing` not found");
}

#[test]
fn an_administrator_who_lost_the_key_gets_another() {
    let mut bench = Bench::new();
    bench.server.end();
    let folder = bench.server.data();
    let mut command =
        weir_command(["serve", "--listen", "127.0.0.1:0", "--new-administrator-key", "--data"]);
    let mut process =
        command.arg(folder).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let mut text = String::new();
    while !text.contains("weir serves") {
        assert!(output.read_line(&mut text).unwrap() > 0, "it ended: {text}");
    }
    process.kill().unwrap();
    process.wait().unwrap();
    let key = text.split_whitespace().find(|word| word.starts_with("wk_")).unwrap().to_owned();
    assert_ne!(key, bench.server.key);
    bench.server.begin();
    let lost = std::mem::replace(&mut bench.server.key, key);
    let keys = bench.server.all("/api/governance/api-keys");
    assert_eq!(keys.len(), 2, "{keys:?}");
    let old = keys.iter().find(|key| lost.starts_with(key["prefix"].as_str().unwrap())).unwrap();
    let path = format!("/api/governance/api-keys/{}", old["id"].as_str().unwrap());
    assert_eq!(bench.server.delete(&path).0, 200);
    assert_eq!(bench.server.json("GET", SOURCES, &lost, None).0, 401);
}

/// `weir ingest tail --follow --json`, and the lines that it has written.
struct Following {
    process: Child,
    lines: Receiver<Value>,
    said: PathBuf,
}

impl Following {
    /// What it has said about its connection.
    fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap()
    }

    fn begin(bench: &Bench, arguments: &str) -> Self {
        let said = bench.folder.path().join("said");
        let mut process = bench
            .command(&format!("ingest tail {arguments} --follow --json"))
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&said).unwrap())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).expect("every line is an event");
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        Self { process, lines, said }
    }

    #[track_caller]
    fn next(&mut self) -> Value {
        self.lines.recv_timeout(PATIENCE).expect("the stream goes on")
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const BURST: usize = 100_000;
const BURST_BODY: usize = 500;

/// A hundred thousand events while the server is killed, ended and started again: whoever follows sees each of them once,
/// in the order in which they are stored.
#[test]
fn following_leaves_nothing_out_and_shows_nothing_twice() {
    let mut bench = Bench::new();
    let hook = bench.hooks("hooks");
    bench.send(&hook, &record("first"));
    let mut following = Following::begin(&bench, "hooks --limit 10");
    assert_eq!(following.next()["source_event_id"], "first");

    let sent = AtomicUsize::new(0);
    let is_over = AtomicBool::new(false);
    let url = bench.server.url(&hook.path);
    let bearer = format!("Bearer {}", hook.secret);
    thread::scope(|scope| {
        scope.spawn(|| {
            let agent = agent();
            let headers = [("authorization", bearer.as_str())];
            for body in 0..BURST / BURST_BODY {
                let ids = body * BURST_BODY..(body + 1) * BURST_BODY;
                let text: String = ids.map(|n| record(&format!("burst-{n}")) + "\n").collect();
                let begin = Instant::now();
                // What was not acknowledged is sent again, as senders do.
                while !request(&agent, "POST", &url, &headers, text.as_bytes())
                    .is_ok_and(|answer| answer.status == 202)
                {
                    assert!(begin.elapsed() < PATIENCE, "the server takes nothing any more");
                    thread::sleep(Duration::from_millis(20));
                }
                sent.fetch_add(1, Ordering::Relaxed);
            }
            is_over.store(true, Ordering::Relaxed);
        });
        for (at, part) in [40, 80, 120, 160].into_iter().enumerate() {
            while sent.load(Ordering::Relaxed) < part && !is_over.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(2));
            }
            match at % 2 {
                0 => bench.server.kill_and_begin(),
                _ => bench.server.restart(),
            }
            // Otherwise the next end might come before it is there to notice.
            let deadline = Instant::now() + PATIENCE;
            while following.said().matches("connected again").count() <= at {
                assert!(Instant::now() < deadline, "it does not come back: {}", following.said());
                thread::sleep(Duration::from_millis(10));
            }
        }
    });

    let mut last = 0;
    let mut seen = HashSet::new();
    for _ in 0..BURST {
        let event = following.next();
        let sequence = event["sequence"].as_i64().unwrap();
        assert!(sequence > last, "{sequence} comes behind {last}");
        last = sequence;
        let id = event["source_event_id"].as_str().unwrap().to_owned();
        assert!(seen.insert(id), "twice: {event}");
    }
    let expected = (0..BURST).map(|n| format!("burst-{n}")).collect();
    assert_eq!(seen, expected);
    assert!(following.lines.try_recv().is_err(), "there is nothing more");
    assert_eq!(following.said().matches("connected again").count(), 4);
}

#[test]
fn a_follower_ends_with_its_reader_and_with_its_key() {
    let bench = Bench::new();
    let hook = bench.hooks("hooks");
    bench.send(&hook, &record("e1"));
    let (_, made) = bench.server.post(
        "/api/governance/api-keys",
        &json!({ "name": "reader", "permissions": ["ingestionSources:view", "activityMonitor:view"] }),
    );
    let mut command = bench.command("ingest tail hooks --follow");
    command.env("WEIR_API_KEY", made["secret"].as_str().unwrap());
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert!(line.contains("chat ->"), "{line}");
    // A key that is revoked ends the stream at the next attempt.
    let id = made["api_key"]["id"].as_str().unwrap();
    let (status, _) = bench.server.delete(&format!("/api/governance/api-keys/{id}"));
    assert_eq!(status, 200);
    let mut server = bench.server;
    server.restart();
    let ended = process.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("the stream has ended") && said.contains("error:"), "{said}");
    assert_eq!(server.all(SOURCES).len(), 1);
}

/// The demo, until somebody ends it; and again in its folder.
#[test]
fn the_demo_serves_a_bucket_in_which_new_objects_appear() {
    let folder = tempfile::tempdir().unwrap();
    let demo = folder.path().join("demo");
    let mut events = 0;
    for _ in 0..2 {
        let mut running = Demo::begin(&demo);
        let key = fs::read_to_string(demo.join("api.key")).unwrap();
        assert!(running.text.contains(key.trim()), "{}", running.text);
        for name in ["anthropic", "openai", "ki-portal", "agent-runs"] {
            let mut rows = running.text.lines().filter(|line| line.trim_start().starts_with(name));
            assert!(rows.any(|row| row.contains(" events ")), "{}", running.text);
        }
        let weir = |arguments: &str| -> Ended {
            let mut command = weir_command(arguments.split_whitespace());
            let command = command.env("WEIR_URL", &running.url).env("WEIR_API_KEY", key.trim());
            command.output().unwrap().into()
        };
        assert_eq!(weir("ingest list").code(0).out.matches(" active ").count(), 4);
        let count = || {
            let names = ["anthropic", "openai", "ki-portal", "agent-runs"];
            let counts = names.map(|name| {
                let health = weir(&format!("ingest health {name} --json")).code(0).json();
                assert_eq!(health["health"]["last_error"], Value::Null, "{health}");
                health["health"]["events_24h"].as_u64().unwrap()
            });
            counts.iter().sum::<u64>()
        };
        let before = count();
        assert!(before >= events, "{before} after {events}");
        let deadline = Instant::now() + PATIENCE;
        while count() == before {
            assert!(Instant::now() < deadline, "nothing new appears");
            thread::sleep(Duration::from_millis(200));
        }
        // What was read in the first demo is not read again.
        for name in ["openai", "agent-runs"] {
            let health = weir(&format!("ingest health {name} --json")).code(0).json();
            let runs = weir(&format!("source runs {name} --json --limit 100")).code(0).lines();
            let repeats: u64 = runs.iter().map(|run| run["duplicates"].as_u64().unwrap()).sum();
            assert_eq!(repeats, 0, "{health}");
        }
        events = count();
        running.end();
    }
}

struct Demo {
    process: Child,
    text: String,
    url: String,
    _output: BufReader<std::process::ChildStdout>,
}

impl Demo {
    fn begin(folder: &Path) -> Self {
        let mut command =
            weir_command(["demo", "--megabytes", "1", "--listen", "127.0.0.1:0", "--dir"]);
        let mut process = command.arg(folder).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut text = String::new();
        while !text.contains("The folder is yours to delete") {
            assert!(output.read_line(&mut text).unwrap() > 0, "it ended: {text}");
        }
        let (_, url) = text.split_once("The page:").unwrap();
        let url = url.split_whitespace().next().unwrap().to_owned();
        Self { process, text, url, _output: output }
    }

    fn end(&mut self) {
        let process_id = self.process.id().to_string();
        let sent = std::process::Command::new("kill").args(["-TERM", &process_id]).status();
        assert!(sent.unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
