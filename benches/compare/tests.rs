//! The comparison runs, checks the rows of weir against the reference, and says what it found.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use serde_json::Value;

fn compare(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_compare")).args(arguments).output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn weir_is_measured_in_every_format_after_its_rows_were_checked() {
    let output = compare(&["--mb", "1", "--rounds", "1", "--peers", "weir,weir-raw,weir-threads"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = lines(&output);
    assert_eq!(lines.len(), 9);
    for line in &lines {
        assert_eq!(line["problem"], Value::Null, "{line}");
        assert!(line["mb_per_s"].as_f64().unwrap() > 0.0, "{line}");
        assert!(line["rows"].as_u64().unwrap() > 500, "{line}");
        assert_eq!(line["rows"], lines[0]["rows"], "all formats hold the same records: {line}");
    }
}

#[test]
fn every_shape_compiles_and_agrees_with_the_reference() {
    for shape in ["fixed", "shuffled", "other", "deep", "wide", "tiny", "damaged"] {
        let output = compare(&["--mb", "1", "--rounds", "1", "--peers", "weir", "--shape", shape]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{shape}: {said}");
        assert!(lines(&output)[0]["rows"].as_u64().unwrap() > 50, "{shape}");
    }
}

#[test]
fn mistakes_on_the_command_line_say_what_there_is() {
    for (arguments, said) in [
        (["--peers", "sonic"], "there is no peer `sonic`: there are all, weirs, rust"),
        (["--mb", "0"], "0 is not in 1..=100000"),
        (["--shape", "round"], "invalid value 'round' for '--shape <NAME>'"),
    ] {
        let output = compare(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
    }
    let output = compare(&["--shape", "damaged", "--format", "csv"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_program_that_is_older_than_its_sources_keeps_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("compare");
    fs::copy(env!("CARGO_BIN_EXE_compare"), &program).unwrap();
    let source = folder.path().join("a source.rs");
    for list in
        [None, Some(format!("compare: {}\n", source.display().to_string().replace(' ', "\\ ")))]
    {
        if let Some(list) = list {
            let later = SystemTime::now() + Duration::from_secs(60);
            fs::File::create(&source).unwrap().set_modified(later).unwrap();
            fs::write(program.with_extension("d"), list).unwrap();
        }
        let arguments = ["--record", "--mb", "1", "--rounds", "1", "--peers", "weir"];
        let output = Command::new(&program).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("build it again"), "{said}");
    }
}
