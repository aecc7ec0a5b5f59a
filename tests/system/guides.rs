//! The guides do what they say: every block of `sh` in the REST guide is run, in order, in one shell, against a real server.
//!
//! A block of `json` behind one says what it prints: values one behind the other, of whose objects the guide may leave
//! members out, and in which `"..."` stands for any text.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use weir_system_tests::binary::weir;
use weir_system_tests::server::Server;
use weir_tests::documents::{Block, Document};
use weir_tests::python::venv_of;

/// What separates the output of a block from that of the one before.
const MARK: &str = "==== the block of line";

fn guide(name: &str) -> Document {
    Document::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src").join(name))
}

/// A folder with `weir` and `jq`: the latter is jaq, which comes from the package registry.
fn programs(folder: &Path) -> PathBuf {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("requirements-guides.txt");
    let bin = folder.join("bin");
    fs::create_dir(&bin).unwrap();
    symlink(venv_of(&requirements).with_file_name("jaq"), bin.join("jq")).unwrap();
    symlink(weir(), bin.join("weir")).unwrap();
    bin
}

/// Runs the blocks; gives what each of them prints.
fn run(server: &Server, blocks: &[&Block]) -> Vec<String> {
    let work = tempfile::tempdir().unwrap();
    let mut script = String::new();
    for block in blocks {
        write!(script, "printf '\\n{MARK} %s\\n' {}\n{}\n", block.line, block.text).unwrap();
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(work.path())
        .env("PATH", format!("{}:{path}", programs(work.path()).display()))
        .env("WEIR_URL", server.url(""))
        .env("WEIR_API_KEY", &server.key)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success(),
        "{}; the guides need curl (apt-get install curl)\n{out}\n{err}\n{}",
        output.status,
        server.log()
    );
    let printed: Vec<String> = out.split(MARK).skip(1).map(str::to_owned).collect();
    assert_eq!(printed.len(), blocks.len(), "{out}");
    // The rest of the line with the mark is its number.
    printed.iter().map(|text| text.split_once('\n').unwrap().1.to_owned()).collect()
}

fn values(text: &str) -> Result<Vec<Value>, serde_json::Error> {
    serde_json::Deserializer::from_str(text).into_iter().collect()
}

/// Whether a value is as a guide says.
fn is_as_said(said: &Value, given: &Value) -> bool {
    match (said, given) {
        (Value::String(said), Value::String(_)) if said == "..." => true,
        (Value::Object(said), Value::Object(given)) => said
            .iter()
            .all(|(name, value)| given.get(name).is_some_and(|given| is_as_said(value, given))),
        (Value::Array(said), Value::Array(given)) => {
            said.len() == given.len()
                && said.iter().zip(given).all(|(said, given)| is_as_said(said, given))
        }
        (said, given) => said == given,
    }
}

#[test]
fn the_rest_guide_does_what_it_says() {
    let server = Server::start();
    let guide = guide("rest.md");
    let blocks: Vec<&Block> = guide.blocks.iter().filter(|block| block.info == "sh").collect();
    assert!(blocks.len() > 10, "the guide has commands");
    let printed = run(&server, &blocks);
    let mut wrong = String::new();
    let mut compared = 0;
    for (at, block) in guide.blocks.iter().enumerate().filter(|(_, block)| block.info == "json") {
        let before = &guide.blocks[at - 1];
        let number = blocks
            .iter()
            .position(|block| block.line == before.line)
            .expect("stands behind commands");
        let said =
            values(&block.text).unwrap_or_else(|error| panic!("line {}: {error}", block.line));
        let given = values(&printed[number]);
        let is_right = given.as_ref().is_ok_and(|given| {
            said.len() == given.len()
                && said.iter().zip(given).all(|(said, given)| is_as_said(said, given))
        });
        compared += 1;
        if !is_right {
            let (line, said, given) = (block.line, &block.text, &printed[number]);
            writeln!(
                wrong,
                "rest.md:{line}: the guide says\n{said}\nand what is printed is\n{given}"
            )
            .unwrap();
        }
    }
    assert!(compared > 10, "the guide says what comes of its commands");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_a_guide_says_can_be_wrong() {
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let given = json(r#"{"a": [1, {"b": "x", "c": 2}], "d": null}"#);
    for right in ["{}", r#"{"a": [1, {"b": "..."}]}"#, r#"{"d": null}"#] {
        assert!(is_as_said(&json(right), &given), "{right}");
    }
    for wrong in
        [r#"{"a": [1]}"#, r#"{"a": [1, {"b": "y"}]}"#, r#"{"e": null}"#, r#"{"d": "..."}"#, "[]"]
    {
        assert!(!is_as_said(&json(wrong), &given), "{wrong}");
    }
}
