//! What the golden files of the cases rest on: every event in them is valid for the OCSF version that its case pins, says
//! an independent validator, and the cases of the examples run the programs that are shipped.

use std::collections::BTreeMap;
use std::path::Path;

use weir_tests::case::{Case, Subject};
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
