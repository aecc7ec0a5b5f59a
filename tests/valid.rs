//! What the golden files of the cases rest on: every event in them is valid for the OCSF version that its case pins, says
//! an independent validator, and the cases of the examples run the programs that are shipped. So are the events of programs
//! that were guessed from a sample.

use std::collections::BTreeMap;
use std::path::Path;

use weir_dsl::ocsf;
use weir_dsl::tools::init::{Object, init};
use weir_tests::case::{Case, Subject};
use weir_tests::chunk::{self, Cut};
use weir_tests::python;

#[test]
fn the_events_of_every_case_are_valid_ocsf() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut events: BTreeMap<String, String> = BTreeMap::new();
    for case in Case::all(&cases) {
        let version = Subject::new(&case.name(), &case.program()).program.ocsf_version;
        events.entry(version).or_default().push_str(&case.expected());
    }
    assert_eq!(events.keys().collect::<Vec<_>>(), ["1.1.0", "1.5.0", "1.8.0"]);
    for (version, events) in events {
        if let Err(report) = python::validate_events(&version, events.as_bytes()) {
            panic!("OCSF {version}\n{report}");
        }
    }
}

#[test]
fn the_cases_of_the_examples_run_the_shipped_programs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut shipped = 0;
    for entry in std::fs::read_dir(root.join("../examples")).unwrap() {
        let path = entry.unwrap().path();
        let Some(name) = path.file_stem().filter(|_| path.extension().is_some_and(|e| e == "weir"))
        else {
            continue;
        };
        let case = Case::of(&root.join("cases/examples").join(name).join("parser.weir"));
        assert_eq!(case.program(), std::fs::read_to_string(&path).unwrap(), "{}", case.name());
        shipped += 1;
    }
    assert_eq!(shipped, 5);
}

/// Records that speak of each class that is guessed, with what is about them and without.
const GUESSED: &str = r#"
{"id":"1","at":"2026-04-10T08:09:10Z","action":"user.login","actor":{"email":"ann@example.com"},"ip":"192.0.2.1"}
{"id":"2","at":"2026-04-10T08:09:11Z","action":"user.deleted","actor":{"email":"ann@example.com"},"member":{"email":"bo"}}
{"id":"3","at":"2026-04-10T08:09:12Z","action":"group.member_added","actor":{"email":"ann@example.com"},"group":{"id":"g1","name":"admins"},"member":{"email":"bo"},"ip":"192.0.2.1"}
{"id":"4","at":"2026-04-10T08:09:13Z","action":"group.created","group":{"name":"sales"}}
{"id":"5","at":"2026-04-10T08:09:14Z","action":"group.member_removed","actor":{"email":7},"group":[],"member":{"email":{}}}
{"id":"6","at":"2026-04-10T08:09:15Z","action":"group_permission_granted","group":{"name":"sales"},"permissions":["read"]}
{"id":"7","at":"2026-04-10T08:09:16Z","action":"role.assigned","actor":{"email":"ann@example.com"},"member":{"email":"bo"},"permissions":["read","write"]}
{"id":"8","at":"2026-04-10T08:09:17Z","action":"role.revoked","member":{"email":"bo"},"permissions":7}
{"id":"9","at":"2026-04-10T08:09:18Z","action":"file.read","actor":{"email":"bo@example.com"},"group":{"name":"sales"}}
"#;

#[test]
fn the_events_of_first_programs_are_valid_ocsf() {
    for version in ocsf::VERSIONS {
        let sample = Object { name: "sample".to_owned(), bytes: GUESSED.into() };
        let made = init(&[sample], "acme", version).unwrap();
        let subject = Subject::new("guessed", &made.text);
        let mapped = chunk::map(&subject.plan, &subject.meta, GUESSED.as_bytes(), Cut::Whole);
        let mut classes: Vec<&str> =
            mapped.outcome.events.iter().map(|(_, event)| event.class.as_str()).collect();
        assert_eq!(classes.len(), 9, "{}\n{:?}", made.text, mapped.outcome.rejects);
        classes.sort_unstable();
        classes.dedup();
        let all =
            ["account_change", "api_activity", "authentication", "group_management", "user_access"];
        assert_eq!(classes, all, "{}", made.text);
        if let Err(report) = python::validate_events(version, &mapped.ocsf) {
            panic!("OCSF {version}\n{report}\n{}", made.text);
        }
    }
}
