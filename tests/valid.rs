//! Every event that a case gives is valid for the OCSF version that the case pins, says an independent validator.

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
