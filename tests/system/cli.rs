//! The command line: what goes to which stream, and how commands end.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tempfile::TempDir;
use weir_engine::simd::Level;
use weir_server::store::Store;
use weir_system_tests::binary::{Ended, weir_command};
use weir_tests::generate::Random;
use weir_tests::readers;
use weir_tests::records::{self, Layout, Sizes};

const GOOD: &str = r#"{"id":"a1","created_at":"2026-04-10T08:09:10Z","organization_id":"o","actor":{"type":"user_actor","email_address":"u@example.com","user_agent":"secret agent"},"type":"claude_chat_created","claude_chat_id":"c1"}"#;
const DROPPED: &str =
    r#"{"id":"a2","created_at":"2026-04-10T08:09:10Z","type":"compliance_api_accessed"}"#;
const BAD: &str = r#"{"id":"a3","created_at":"yesterday","organization_id":"o","actor":{"type":"api_actor"},"type":"x"}"#;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

/// A folder with files, in which `weir` is run.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.file("p.weir", &fs::read(example("1_anthropic.weir")).unwrap());
        folder.file("log.ndjson", format!("{GOOD}\n{DROPPED}\n{BAD}\n").as_bytes());
        folder.file("good.ndjson", format!("{GOOD}\n{DROPPED}\n").as_bytes());
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Runs `weir` with arguments separated by spaces.
    fn weir(&self, arguments: &str) -> Ended {
        let mut command = weir_command(arguments.split_whitespace());
        command.current_dir(self.0.path()).output().unwrap().into()
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Many good records, with ids of their own.
fn many(count: usize) -> String {
    (0..count).map(|n| GOOD.replace("\"a1\"", &format!("\"m{n}\"")) + "\n").collect()
}

#[test]
fn every_command_has_help_with_examples_on_standard_output() {
    let folder = Folder::new();
    for command in [
        "",
        "init",
        "infer",
        "coverage",
        "diff",
        "migrate",
        "check",
        "test",
        "explain",
        "fmt",
        "run",
        "ingest tail",
        "ingest list",
        "ingest health",
        "serve",
        "source",
        "source create",
        "source update",
        "parser",
        "parser create",
        "parser add",
        "quarantine",
        "quarantine redrive",
        "demo",
    ] {
        let ended = folder.weir(&format!("{command} --help")).code(0);
        assert!(ended.out.contains("Examples:"), "{command}: {}", ended.out);
        assert!(ended.out.contains(&format!("weir {command}")), "{command}: {}", ended.out);
        assert_eq!(ended.err, "");
    }
}

#[test]
fn instructions_can_be_named_and_must_be_there() {
    let folder = Folder::new();
    let run = |level| -> Ended {
        let mut command = weir_command(["run", "p.weir", "good.ndjson"]);
        command.current_dir(folder.0.path()).env("WEIR_SIMD", level).output().unwrap().into()
    };
    let portable = run("portable").code(0);
    assert_eq!(portable.out, folder.weir("run p.weir good.ndjson").code(0).out);
    let refused = run("mmx").code(2);
    assert_eq!(refused.out, "");
    let said = "WEIR_SIMD: no instructions `mmx` on this machine: it has ";
    assert!(refused.err.contains(said), "{}", refused.err);
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let folder = Folder::new();
    for arguments in [
        "",
        "frobnicate",
        "check",
        "test",
        "run p.weir",
        "run p.weir log.ndjson --output xml",
        "run p.weir log.ndjson --threads 0",
        "run p.weir log.ndjson --commit-events 5",
        "ingest tail",
        "ingest tail --store x --limit 0",
        "ingest tail --store x --follow",
        "ingest health",
        "source create",
        "source create x",
        "source create x --type http_custom --credential-from-env key",
        "parser activate p one",
        "quarantine discard p",
        "demo --once --listen 127.0.0.1:0",
        "init",
        "init log.ndjson --ocsf 9.9",
        "infer",
        "coverage p.weir",
        "diff p.weir p.weir",
        "migrate",
        "demo --megabytes none",
    ] {
        let ended = folder.weir(arguments).code(2);
        assert_eq!(ended.out, "", "{arguments}");
        assert!(!ended.err.is_empty(), "{arguments}");
    }
}

#[test]
fn costs_are_on_standard_output() {
    let folder = Folder::new();
    let ended = folder.weir("check --cost p.weir").code(0);
    assert!(ended.out.starts_with("p.weir\n  paths read   15 of each record"), "{}", ended.out);
    assert!(ended.out.contains("events       at most 1 for a record"), "{}", ended.out);
    assert_eq!(ended.err, "1 program checked: 0 errors, 0 warnings\n");
}

#[test]
fn explain_tells_codes_programs_and_classes() {
    let folder = Folder::new();
    let code = folder.weir("explain w0205").code(0).out;
    assert!(code.starts_with("# W0205"), "{code}");
    let program = folder.weir("explain p.weir").code(0);
    assert!(program.out.contains("*class_uid"), "{}", program.out);
    assert_eq!(program.err, "");
    let plan = folder.weir("explain p.weir --plan").code(0).out;
    assert!(plan.starts_with("plan \"anthropic-compliance\" version"), "{plan}");
    let class = folder.weir("explain --class api_activity actor.user").code(0).out;
    assert!(class.contains("at least one of account, name, uid"), "{class}");
    let old = folder.weir("explain --class api_activity --ocsf 1.1.0").code(0).out;
    assert!(old.starts_with("OCSF 1.1.0, api_activity, API Activity (6003)"), "{old}");
    for (arguments, said) in [
        ("explain W9999", "there is no code `W9999`"),
        ("explain nothing.weir", "nothing.weir"),
        ("explain --class api_activty", "did you mean `api_activity`?"),
        ("explain --class api_activity actor.usr", "did you mean `user`?"),
    ] {
        let ended = folder.weir(arguments).code(1);
        assert_eq!(ended.out, "");
        assert!(ended.err.contains(said), "{}", ended.err);
    }
    folder.weir("explain").code(2);
    folder.weir("explain W0205 --ocsf 1.1.0").code(2);
}

#[test]
fn check_says_everything_on_standard_error() {
    let folder = Folder::new();
    let ended = folder.weir("check p.weir").code(0);
    assert_eq!(
        (ended.out.as_str(), ended.err.as_str()),
        ("", "1 program checked: 0 errors, 0 warnings\n")
    );

    let wrong = fs::read_to_string(folder.path("p.weir")).unwrap();
    let wrong = wrong.replacen("activity_id = \"Logon\"", "activity_id = \"Login\"", 1);
    folder.file("wrong.weir", wrong.as_bytes());
    let ended = folder.weir("check wrong.weir p.weir").code(1);
    assert_eq!(ended.out, "");
    assert!(ended.err.contains("wrong.weir:"), "{}", ended.err);
    assert!(ended.err.contains("2 programs checked: 1 error, 0 warnings"), "{}", ended.err);
    assert!(!ended.err.contains('\x1b'), "no colour without a terminal");

    let line = wrong.lines().position(|line| line.contains("\"Login\"")).unwrap() + 1;
    let ended = folder.weir("check --short wrong.weir").code(1);
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    assert!(ended.err.starts_with(&format!("wrong.weir:{line}:")), "{}", ended.err);
    assert!(ended.err.contains(": error[W0"), "{}", ended.err);

    let ended = folder.weir("check --json wrong.weir").code(1);
    assert!(ended.out.starts_with("{\"file\":\"wrong.weir\""), "{}", ended.out);
    assert_eq!((ended.out.lines().count(), ended.err.as_str()), (1, ""));

    let ended = folder.weir("check --sarif wrong.weir p.weir").code(1);
    let document: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(document["runs"][0]["results"].as_array().unwrap().len(), 1);

    let ended = folder.weir("check --fix wrong.weir").code(0);
    assert!(ended.err.contains(&format!("wrong.weir:{line}: W0211 fixed: ")), "{}", ended.err);
    assert!(ended.err.contains("1 program checked: 0 errors"), "{}", ended.err);
    let mended = fs::read_to_string(folder.path("wrong.weir")).unwrap();
    assert_eq!(mended, fs::read_to_string(folder.path("p.weir")).unwrap());
}

#[test]
fn explain_lists_the_codes() {
    let ended = Folder::new().weir("explain --codes").code(0);
    assert!(ended.out.contains("W0203  an attribute that OCSF does not have\n"), "{}", ended.out);
    assert!(ended.out.contains("R1204  "), "{}", ended.out);
}

#[test]
fn check_reports_files_that_are_no_programs() {
    let folder = Folder::new();
    folder.file("latin.weir", b"weir 1\nparser \"\xe9\"");
    let ended = folder.weir("check nosuch.weir latin.weir p.weir").code(1);
    assert!(ended.err.contains("`nosuch.weir`: No such file"), "{}", ended.err);
    assert!(ended.err.contains("a program is UTF-8 text, and this is none"), "{}", ended.err);
    assert!(ended.err.contains("[ latin.weir:2:9 ]"), "{}", ended.err);
    assert!(ended.err.contains("2 programs checked: 1 error"), "{}", ended.err);
}

#[test]
fn fmt_writes_programs_in_their_one_form() {
    let folder = Folder::new();
    let good = fs::read_to_string(folder.path("p.weir")).unwrap();
    let sloppy = good.replacen("  emit authentication {", "emit authentication{", 1);
    folder.file("sloppy.weir", sloppy.as_bytes());
    let ended = folder.weir("fmt --check p.weir sloppy.weir").code(1);
    assert_eq!(ended.err, "`sloppy.weir` is not formatted\n");
    assert!(ended.out.contains("--- sloppy.weir\n+++ sloppy.weir (formatted)\n"), "{}", ended.out);
    assert!(
        ended.out.contains("\n-emit authentication{\n+  emit authentication {\n"),
        "{}",
        ended.out
    );
    assert_eq!(fs::read_to_string(folder.path("sloppy.weir")).unwrap(), sloppy);

    let ended = folder.weir("fmt p.weir sloppy.weir").code(0);
    assert_eq!((ended.out.as_str(), ended.err.as_str()), ("", ""));
    assert_eq!(fs::read_to_string(folder.path("sloppy.weir")).unwrap(), good);
    assert_eq!(folder.weir("fmt --check p.weir sloppy.weir").code(0).out, "");

    folder.file("broken.weir", b"weir 1\nparser \"x");
    let ended = folder.weir("fmt broken.weir").code(1);
    assert!(ended.err.contains("W0002"), "{}", ended.err);
    assert_eq!(fs::read(folder.path("broken.weir")).unwrap(), b"weir 1\nparser \"x");
}

#[test]
fn fmt_reads_standard_input_and_writes_standard_output() {
    let mut command = weir_command(["fmt", "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let good = fs::read_to_string(example("2_openai.weir")).unwrap();
    let sloppy = good.replace("\n  ", "\n\t");
    child.stdin.take().unwrap().write_all(sloppy.as_bytes()).unwrap();
    let ended = Ended::from(child.wait_with_output().unwrap()).code(0);
    assert!(ended.out.contains("\ninput json {\n  records    $.data[*]"), "{}", ended.out);
    assert_eq!(ended.err, "");
}

#[test]
fn the_examples_pass_their_tests() {
    let names = [
        "1_anthropic.weir",
        "2_openai.weir",
        "3_csv_eu.weir",
        "4_homegrown.weir",
        "5_openai_ndjson.weir",
    ];
    let mut command = weir_command(["test"]);
    let ended = Ended::from(command.args(names.map(example)).output().unwrap()).code(0);
    assert!(ended.out.ends_with("\n10 passed, 0 failed\n"), "{}", ended.out);
    assert_eq!(ended.err, "");
}

#[test]
fn a_failed_test_shows_the_difference() {
    let folder = Folder::new();
    let wrong = fs::read_to_string(folder.path("p.weir")).unwrap();
    let wrong = wrong.replacen("type_uid    = 600301", "type_uid    = 600399", 1);
    folder.file("wrong.weir", wrong.as_bytes());
    let ended = folder.weir("test wrong.weir").code(1);
    assert!(ended.out.contains("a chat is created ... FAILED"), "{}", ended.out);
    assert!(ended.out.contains("600399") && ended.out.contains("600301"), "{}", ended.out);
    assert!(ended.out.ends_with("\n2 passed, 1 failed\n"), "{}", ended.out);

    folder.file("broken.weir", b"weir 1\nparser 7\n");
    let ended = folder.weir("test broken.weir p.weir").code(1);
    assert!(ended.err.contains("`broken.weir` does not compile"), "{}", ended.err);
    assert!(ended.out.ends_with("\n3 passed, 0 failed\n"), "{}", ended.out);
}

#[test]
fn run_writes_events_to_standard_output_and_the_rest_to_standard_error() {
    let folder = Folder::new();
    let ended = folder.weir("run p.weir log.ndjson").code(0);
    let [event] = &ended.lines()[..] else { panic!("{}", ended.out) };
    assert_eq!(event["class_uid"], 6003);
    assert_eq!(event["actor"]["user"]["name"], "u@example.com");
    let raw = event["raw_data"].as_str().unwrap();
    assert!(raw.contains("[redacted]") && !raw.contains("secret agent"), "{raw}");
    assert!(
        ended.err.starts_with("3 records: 1 mapped to 1 events, 1 dropped, 1 rejected (R1204 1)\n"),
        "{}",
        ended.err
    );
    assert!(ended.err.contains("--rejects"), "{}", ended.err);

    let ended = folder.weir("run p.weir log.ndjson --output event").code(0);
    let [event] = &ended.lines()[..] else { panic!("{}", ended.out) };
    assert_eq!(event["source_event_id"], "a1");
    assert_eq!(event["ocsf"]["class_uid"], 6003);

    let ended = folder.weir("run p.weir log.ndjson --output none").code(0);
    assert_eq!(ended.out, "");
}

#[test]
fn refused_records_go_where_they_are_wanted() {
    let folder = Folder::new();
    let ended = folder.weir("run p.weir log.ndjson --rejects bad.ndjson --strict").code(1);
    assert_eq!(ended.lines().len(), 1);
    let reject: Value =
        serde_json::from_str(&fs::read_to_string(folder.path("bad.ndjson")).unwrap()).unwrap();
    assert_eq!(reject["code"], "R1204");
    assert_eq!(reject["target"], "event.time");
    assert_eq!(reject["record_index"], 2);
    assert_eq!(reject["input_line"], 3);
    assert_eq!(reject["byte_offset"], GOOD.len() + DROPPED.len() + 2);

    let ended = folder.weir("run p.weir log.ndjson --rejects - --output none").code(0);
    assert_eq!(serde_json::from_str::<Value>(ended.err.lines().next().unwrap()).unwrap(), reject);
    folder.weir("run p.weir good.ndjson --strict").code(0);
    let ended = folder.weir("run p.weir log.ndjson --rejects no/such/folder").code(1);
    assert!(ended.err.contains("cannot write to `no/such/folder`"), "{}", ended.err);
}

#[test]
fn statistics_are_one_line_of_json() {
    let folder = Folder::new();
    let ended = folder.weir("run p.weir log.ndjson good.ndjson --output none --stats").code(0);
    let stats: Value = serde_json::from_str(ended.err.lines().last().unwrap()).unwrap();
    assert_eq!(stats["objects"], 2);
    assert_eq!(stats["records"], 5);
    assert_eq!(stats["mapped"], 2);
    assert_eq!(stats["events"], 2);
    assert_eq!(stats["dropped"], 2);
    assert_eq!(stats["rejected"], serde_json::json!({"R1204": 1}));
    let bytes =
        ["log.ndjson", "good.ndjson"].map(|name| fs::metadata(folder.path(name)).unwrap().len());
    assert_eq!(stats["bytes"], bytes[0] + bytes[1]);
    assert_eq!(stats["store"], Value::Null);
    assert!(stats["cpu_seconds"].as_f64().unwrap() > 0.0);
}

#[test]
fn standard_input_is_an_input() {
    let folder = Folder::new();
    let mut command = weir_command(["run", "p.weir", "-"]);
    command.current_dir(folder.0.path()).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&gzip(GOOD.as_bytes())).unwrap();
    let ended = Ended::from(child.wait_with_output().unwrap()).code(0);
    assert_eq!(ended.lines().len(), 1);
}

#[test]
fn a_pipe_is_read_as_it_comes() {
    let folder = Folder::new();
    let mut command = weir_command(["run", "p.weir", "-", "--threads", "2"]);
    command.current_dir(folder.0.path()).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    input.write_all(format!("{GOOD}\n").as_bytes()).unwrap();
    // The event comes while the input is still open.
    let mut first = [0];
    output.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"{");
    drop(input);
    output.read_to_end(&mut Vec::new()).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_is_missing_or_does_not_compile_is_said_in_one_line() {
    let folder = Folder::new();
    for (arguments, line) in [
        ("run nosuch.weir log.ndjson", "error: `nosuch.weir`: No such file"),
        ("run p.weir nosuch.ndjson", "error: `nosuch.ndjson`: "),
        ("run p.weir https://example.com/x", "error: `https://example.com/x`: only `s3://`"),
        ("ingest tail --store nosuch.db", "error: there is no store at nosuch.db"),
        ("ingest tail --store p.weir", "error: p.weir is not a weir store"),
    ] {
        let ended = folder.weir(arguments).code(1);
        assert_eq!(ended.out, "");
        assert_eq!(ended.err.lines().count(), 1, "{arguments}: {}", ended.err);
        assert!(ended.err.starts_with(line), "{arguments}: {}", ended.err);
    }
    folder.file("broken.weir", b"weir 1\nparser 7\n");
    let ended = folder.weir("run broken.weir log.ndjson").code(1);
    assert!(
        ended.err.contains("`broken.weir` does not compile; nothing was read"),
        "{}",
        ended.err
    );
}

#[test]
fn a_damaged_object_is_reported_with_its_offset_after_what_stood_before() {
    let folder = Folder::new();
    let mut damaged = gzip(many(20_000).as_bytes());
    damaged.truncate(damaged.len() / 2);
    folder.file("damaged.gz", &damaged);
    for threads in [1, 3] {
        let command = format!("run p.weir damaged.gz good.ndjson --threads {threads} --stats");
        let ended = folder.weir(&command).code(1);
        let ids = ended.lines();
        assert!(ids.len() > 1000, "what stood before the damage is mapped: {}", ids.len());
        let said = ended.err.lines().find(|line| line.starts_with("error: ")).unwrap();
        let key = folder.path("damaged.gz").display().to_string();
        assert!(said.contains(&key) && said.contains("damaged gzip data"), "{said}");
        assert!(said.contains(&format!("near compressed byte {}", damaged.len())), "{said}");
        let stats: Value = serde_json::from_str(ended.err.lines().last().unwrap()).unwrap();
        assert_eq!(stats["objects"], 2, "the next object is read all the same");
        assert_eq!(stats["objects_failed"], 1);
        assert_eq!(stats["dropped"], 1);
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let folder = Folder::new();
    let log: String = (0..6000)
        .map(|n| match n % 7 {
            3 => format!("{BAD}\n"),
            5 => format!("{DROPPED}\n"),
            _ => GOOD.replace("\"a1\"", &format!("\"m{n}\"")) + "\n",
        })
        .collect();
    folder.file("log.ndjson", log.as_bytes());
    let run = |threads: &str| {
        let arguments = format!("run p.weir log.ndjson --rejects bad.ndjson --threads {threads}");
        let ended = folder.weir(&arguments).code(0);
        (ended.out, fs::read_to_string(folder.path("bad.ndjson")).unwrap())
    };
    let one = run("1");
    assert_eq!(one.1.lines().count(), 857);
    for threads in ["2", "7", "64"] {
        assert!(run(threads) == one, "{threads} threads");
    }
}

#[test]
fn neither_threads_nor_instructions_show_in_what_comes_out() {
    /// A smaller file is not worth the threads.
    const LOG_BYTES: usize = 600 << 10;
    let folder = Folder::new();
    let mut random = Random::new(1);
    for (name, program) in readers::json() {
        let layout = match name {
            "documents" => Layout::Documents,
            "wrapped" => Layout::Wrapped,
            "two levels" => Layout::TwoLevels,
            _ => Layout::Lines,
        };
        folder.file("random.weir", program.as_bytes());
        // Damage in a document would be its end.
        let damaged = if layout == Layout::Lines { 2 } else { 0 };
        let log = records::object(layout, Sizes::Mixed, LOG_BYTES, damaged, &mut random);
        folder.file("random.log", &log);
        let run = |level: &str, threads: &str| {
            let arguments =
                ["run", "random.weir", "random.log", "--rejects", "bad.ndjson", "--threads"];
            let mut command = weir_command(arguments.into_iter().chain([threads]));
            command.current_dir(folder.0.path()).env(Level::VARIABLE, level);
            let ended = Ended::from(command.output().unwrap()).code(0);
            (ended.out, fs::read_to_string(folder.path("bad.ndjson")).unwrap())
        };
        let plain = run("portable", "1");
        // Few random records are good enough for the strict programs.
        assert!(plain.0.lines().count() > 0 && plain.1.lines().count() > 10, "{name}");
        for level in Level::all() {
            for threads in ["1", "2", "4"] {
                let other = run(level.name(), threads);
                assert!(other == plain, "{name}: {threads} threads, {}", level.name());
            }
        }
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let folder = Folder::new();
    folder.file("many.ndjson", many(20_000).as_bytes());
    for threads in ["1", "2"] {
        let mut command = weir_command(["run", "p.weir", "many.ndjson", "--threads", threads]);
        command.current_dir(folder.0.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut output = child.stdout.take().unwrap();
        output.read_exact(&mut [0; 100]).unwrap();
        drop(output);
        let ended = Ended::from(child.wait_with_output().unwrap()).code(0);
        assert_eq!(ended.err, "");
    }
}

#[test]
fn a_store_takes_every_event_once() {
    let folder = Folder::new();
    let ended = folder.weir("run p.weir log.ndjson --store events.db").code(0);
    assert_eq!(ended.out, "", "with a store, events go there only");
    assert!(ended.err.contains("stored 1 events"), "{}", ended.err);

    // The same object again; and with more in it.
    let ended = folder.weir("run p.weir log.ndjson --store events.db").code(0);
    assert!(ended.err.contains("log.ndjson`: skipped, it is stored already"), "{}", ended.err);
    folder.file("log.ndjson", format!("{GOOD}\n{}\n", GOOD.replace("\"a1\"", "\"a4\"")).as_bytes());
    let ended = folder.weir("run p.weir log.ndjson --store events.db --strict").code(0);
    assert!(ended.err.contains("stored 1 events"), "{}", ended.err);
    assert!(ended.err.contains("1 duplicates, 0 conflicts"), "{}", ended.err);

    // Another program over the same object reads it again.
    let program = fs::read_to_string(folder.path("p.weir")).unwrap();
    folder.file("p.weir", program.replacen("version 2", "version 3", 1).as_bytes());
    let ended = folder.weir("run p.weir log.ndjson --store events.db").code(0);
    assert!(ended.err.contains("stored 0 events"), "{}", ended.err);
    assert!(ended.err.contains("2 duplicates, 0 conflicts"), "{}", ended.err);

    // The same id with other bytes is a conflict.
    folder
        .file("other.ndjson", GOOD.replace("claude_chat_created", "claude_chat_viewed").as_bytes());
    let ended = folder.weir("run p.weir other.ndjson --store events.db --strict").code(1);
    assert!(ended.err.contains("0 duplicates, 1 conflicts"), "{}", ended.err);

    let store = Store::open_read_only(&folder.path("events.db")).unwrap();
    let codes: Vec<_> =
        store.rejects(0, 10).unwrap().into_iter().map(|reject| reject.code).collect();
    assert_eq!(codes, ["R1204", "R1401"]);
}

#[test]
fn an_object_that_broke_off_is_read_on_when_it_is_whole() {
    let folder = Folder::new();
    let whole = gzip(many(20_000).as_bytes());
    let members = [gzip(many(20_000).as_bytes()), gzip(BAD.as_bytes())].concat();
    let cut = members.len() - 20;
    folder.file("log.gz", &members[..cut]);
    let ended = folder.weir("run p.weir log.gz --store events.db").code(1);
    assert!(ended.err.contains("stored 20,000 events"), "{}", ended.err);
    assert!(cut > whole.len(), "the cut lies in the second member");
    // Reading the same version again gets no further and stores nothing twice.
    let ended = folder.weir("run p.weir log.gz --store events.db").code(1);
    assert!(ended.err.contains("goes on at byte"), "{}", ended.err);
    assert!(ended.err.contains("stored 0 events"), "{}", ended.err);
    folder.file("log.gz", &members);
    let ended = folder.weir("run p.weir log.gz --store events.db").code(0);
    assert!(ended.err.contains("stored 0 events"), "{}", ended.err);
    assert!(ended.err.contains("20,000 duplicates"), "{}", ended.err);
    assert!(ended.err.contains("1 rejected"), "{}", ended.err);
}

#[test]
fn tail_shows_the_newest_events_oldest_first() {
    let folder = Folder::new();
    folder.file("many.ndjson", many(120).as_bytes());
    folder.weir("run p.weir many.ndjson --store events.db --source mine").code(0);
    let ended = folder.weir("ingest tail --store events.db").code(0);
    let lines: Vec<_> = ended.out.lines().collect();
    assert_eq!(lines.len(), 50);
    assert_eq!(
        lines[0],
        "2026-04-10T08:09:10Z  api_activity  claude_chat_created -> c1  $0.0000 0/0 tok"
    );
    let ended = folder.weir("ingest tail --store events.db --json --limit 2 mine").code(0);
    let events = ended.lines();
    let ids: Vec<_> =
        events.iter().map(|event| event["source_event_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["m118", "m119"]);
    assert_eq!(events[0]["source_id"], "mine");
    assert_eq!(events[0]["origin"]["record_index"], 118);

    let ended = folder.weir("ingest tail --store events.db nobody").code(1);
    assert_eq!((ended.out.as_str(), ended.err.as_str()), ("", "IngestionSource not found\n"));
    folder.file("none.ndjson", DROPPED.as_bytes());
    folder.weir("run p.weir none.ndjson --store empty.db").code(0);
    let ended = folder.weir("ingest tail --store empty.db").code(0);
    assert_eq!(ended.out, "");
    assert!(ended.err.contains("no events yet"), "{}", ended.err);
}

#[test]
fn the_demo_ends_with_events_in_a_store() {
    let folder = Folder::new();
    let ended = folder.weir("demo --once --megabytes 1 --dir demo").code(0);
    assert_eq!(ended.err, "");
    let store = Store::open_read_only(&folder.path("demo/events.db")).unwrap();
    let sources = store.sources().unwrap();
    assert_eq!(sources.len(), 4);
    for source in &sources {
        assert!(source.counts.events > 300, "{source:?}");
        assert!(source.counts.rejects > 0, "every log has broken records: {source:?}");
        assert_eq!((source.counts.duplicates, source.counts.conflicts), (0, 0), "{source:?}");
    }
    assert!(ended.out.contains("weir ingest tail --store"), "{}", ended.out);
}

#[test]
fn explain_shows_the_page_of_a_code() {
    let known = weir_command(["explain", "w0203"]).output().unwrap();
    assert!(known.status.success());
    assert!(String::from_utf8(known.stdout).unwrap().starts_with("# W0203 "));
    let unknown = weir_command(["explain", "W9999"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(1));
    assert!(String::from_utf8(unknown.stderr).unwrap().contains("no code `W9999`"));
}

#[test]
fn init_writes_a_first_program_and_never_over_another() {
    let folder = Folder::new();
    let ended = folder.weir("init good.ndjson -o first.weir").code(0);
    assert_eq!(ended.out, "");
    assert!(ended.err.contains("2 of 2 records give an event"), "{}", ended.err);
    folder.weir("check first.weir").code(0);
    assert!(folder.weir("test first.weir").code(0).out.ends_with("1 passed, 0 failed\n"));
    let events = folder.weir("run first.weir good.ndjson").code(0).lines();
    assert_eq!(events.len(), 2);
    let again = folder.weir("init good.ndjson -o first.weir").code(1);
    assert!(again.err.contains("is there already"), "{}", again.err);

    folder.file("log.gz", &gzip(many(50).as_bytes()));
    let printed = folder.weir("init log.gz --ocsf 1.1.0 --name acme").code(0);
    assert!(
        printed.out.starts_with("weir 1\nparser \"acme\" version 1\nocsf \"1.1.0\""),
        "{}",
        printed.out
    );
    folder.file("empty", b"");
    assert!(folder.weir("init empty").code(1).err.contains("empty"));
}

#[test]
fn infer_and_coverage_speak_to_people_and_to_pipes() {
    let folder = Folder::new();
    let table = folder.weir("infer log.ndjson --program p.weir").code(0).out;
    assert!(table.contains("PROGRAM READS") && table.contains(".actor.email_address"), "{table}");
    let paths = folder.weir("infer log.ndjson --json").code(0).lines();
    let of = |path: &str| paths.iter().find(|line| line["path"] == path).unwrap().clone();
    assert_eq!(
        (of(".id")["present"].as_u64(), of(".actor")["present"].as_u64()),
        (Some(3), Some(2))
    );

    let table = folder.weir("coverage p.weir log.ndjson").code(0).out;
    assert!(table.contains("3 records: 1 mapped to 1 events, 1 dropped, 1 rejected"), "{table}");
    assert!(!table.contains("secret agent"), "what is redacted is not shown: {table}");
    let found = &folder.weir("coverage p.weir log.ndjson --json").code(0).lines()[0];
    let time = found["lines"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["target"] == "event.time")
        .unwrap();
    assert_eq!((time["ok"].as_u64(), time["invalid"].as_u64()), (Some(1), Some(1)));
}

#[test]
fn diff_ends_with_1_if_events_change() {
    let folder = Folder::new();
    let same = folder.weir("diff p.weir p.weir log.ndjson").code(0);
    assert!(same.out.contains("1 events are the same"), "{}", same.out);
    let text = fs::read_to_string(folder.path("p.weir")).unwrap();
    folder.file(
        "new.weir",
        text.replace("svc_name = \"claude.ai\"", "svc_name = \"claude\"").as_bytes(),
    );
    let ended = folder.weir("diff p.weir new.weir log.ndjson").code(1);
    assert!(
        ended.out.contains("src_endpoint.svc_name: \"claude.ai\" -> \"claude\""),
        "{}",
        ended.out
    );
    let changes = folder.weir("diff p.weir new.weir log.ndjson --json").code(1).lines();
    assert_eq!((changes.len(), changes[0]["change"].as_str()), (1, Some("changed")));
}

#[test]
fn coverage_and_diff_take_the_keys_of_secrets() {
    let folder = Folder::new();
    let text = fs::read_to_string(folder.path("p.weir")).unwrap();
    let sealed = |secret: &str| {
        let line = format!(" unmapped.who = hmac(.id, \"{secret}\")\n activity_id = match");
        text.replace(" activity_id = match", &line)
    };
    folder.file("old.weir", sealed("users").as_bytes());
    folder.file("new.weir", sealed("people").as_bytes());
    for (name, key) in [("one", "the first key"), ("two", "the other key")] {
        folder.file(name, key.as_bytes());
    }
    for command in ["coverage old.weir log.ndjson", "diff p.weir old.weir log.ndjson"] {
        let ended = folder.weir(command).code(1);
        assert!(ended.err.contains("`--secret users=FILE`"), "{}", ended.err);
        let ended = folder.weir(&format!("{command} --secret others=one")).code(1);
        assert!(ended.err.contains("names no secret `others`: it names users"), "{}", ended.err);
    }
    let table = folder.weir("coverage old.weir log.ndjson --secret users=one").code(0).out;
    assert!(table.contains("1 mapped to 1 events") && table.contains("unmapped.who"), "{table}");
    let keys = |people: &str| {
        format!("diff old.weir new.weir log.ndjson --secret users=one --secret people={people}")
    };
    folder.weir(&keys("one")).code(0);
    let ended = folder.weir(&keys("two")).code(1);
    assert!(ended.out.contains("unmapped.who") && !ended.out.contains("key"), "{}", ended.out);
}

#[test]
fn migrate_brings_mappings_and_programs_over() {
    let folder = Folder::new();
    folder.file(
        "map.txt",
        b"# old\nsource_event_id=$.id\nevent_timestamp=$.created_at\nactor=$.actor.email_address\naction=$.type\ntarget=$.claude_chat_id\n",
    );
    folder.weir("migrate map.txt -o map.weir").code(0);
    let event = &folder.weir("run map.weir good.ndjson --output event").code(0).lines()[0];
    assert_eq!(
        (event["actor"].as_str(), event["target"].as_str()),
        (Some("u@example.com"), Some("c1"))
    );
    let ended = folder.weir("migrate p.weir --ocsf 1.1.0 -o old.weir").code(0);
    assert!(ended.err.contains("OCSF 1.8.0 -> 1.1.0"), "{}", ended.err);
    folder.weir("check old.weir").code(0);
    folder.weir("migrate p.weir").code(1);
    folder.file("bad.txt", b"actor\n");
    assert!(folder.weir("migrate bad.txt").code(1).err.contains("line 1"));
}

#[test]
fn the_key_of_an_hmac_comes_from_a_file_and_is_never_shown() {
    const KEY: &str = "a very long key";
    // HMAC-SHA256 of "anna" under that key.
    const ANNA: &str = "734cba2d939e3f344449f36024acd3e719d94efc756c1d23f657387c92ef1579";
    let folder = Folder::new();
    folder.file(
        "h.weir",
        br#"weir 1
parser "pseudonyms" version 1
ocsf "1.8.0"
product "Shop" by "Acme"
input ndjson { }
on error { required reject  optional skip }
event {
  id     = .id
  time   = .at
  actor  = .user |> hmac("users")
  action = "act"
  target = "thing"
}
emit api_activity {
  activity_id       = "Other"
  src_endpoint.name = "x"
}
"#,
    );
    folder.file("h.ndjson", b"{\"id\":\"1\",\"at\":\"2026-01-01T00:00:00Z\",\"user\":\"anna\"}\n");
    folder.file("key", format!("{KEY}\n").as_bytes());
    folder.file("other", b"another key\n");
    folder.weir("check h.weir").code(0);
    let run = |key: &str| {
        folder.weir(&format!("run h.weir h.ndjson --secret users={key} --output event")).code(0)
    };
    let (ended, other) = (run("key"), run("other"));
    assert_eq!(ended.lines()[0]["actor"], ANNA);
    assert_ne!(other.lines()[0]["actor"], ANNA);
    assert!(!ended.out.contains(KEY) && !ended.err.contains(KEY), "{ended:#?}");
    for (arguments, message) in [
        ("", "the secret `users` was not given"),
        (" --secret users=nosuch", "the secret `users`: `nosuch`: "),
        (" --secret nobody=key --secret users=key", "the program names no secret `nobody`"),
    ] {
        let ended = folder.weir(&format!("run h.weir h.ndjson{arguments}")).code(1);
        assert_eq!(ended.out, "", "{arguments}");
        assert!(ended.err.contains(message), "{arguments}: {}", ended.err);
    }
    folder.weir("run h.weir h.ndjson --secret users").code(2);
}
