//! Limits that need inputs too large for a case's folder.

use weir_engine::code::Code;
use weir_tests::case::Subject;
use weir_tests::chunk::Cut;
use weir_tests::outcome::Outcome;

/// Three events a record, each with the text `.v` once; the last one is dropped again.
const PROGRAM: &str = r#"weir 1
parser "limits" version 1
ocsf "1.8.0"
product "Limits" by "Weir"

input ndjson { max_record 9MiB }

on error { required reject  optional skip }

event {
  id     = .id
  time   = meta.received_at
  actor  = "a"
  action = "b"
  target = "c"
}

emit api_activity { activity_id = "Create"  unmapped.v = .v }
emit api_activity { event { id = "{.id}-2" }  activity_id = "Read"  unmapped.v = .v }

each .steps[*] as step max 5 {
  emit api_activity { event { id = "{.id}:{index}" }  activity_id = "Read"  unmapped.v = .v }
  drop
}
"#;

fn outcome(text_bytes: usize) -> Outcome {
    let subject = Subject::new("limits", PROGRAM);
    let record = format!(
        "{{\"id\":\"1\",\"v\":\"{}\",\"steps\":[1,2]}}\n{{\"id\":\"2\"}}\n",
        "x".repeat(text_bytes)
    );
    subject.agree_cut(record.as_bytes(), &[Cut::Random(1)]).outcome
}

#[test]
fn the_events_of_a_record_have_at_most_16_mib() {
    // Two events of 8 MiB less a little each.
    let fits = outcome((8 << 20) - 2_000);
    assert_eq!((fits.events.len(), fits.rejects.len()), (4, 0));
    let too_large = outcome(8 << 20);
    assert_eq!(too_large.events.len(), 2, "the record behind it is mapped");
    assert_eq!(too_large.rejects.len(), 1);
    assert_eq!(too_large.rejects[0].code, Code::OutputTooLarge);
}

#[test]
fn a_record_of_the_default_size_fits_and_one_byte_more_does_not() {
    let program = PROGRAM.replace("{ max_record 9MiB }", "{ }");
    let subject = Subject::new("limits", &program);
    for (size, rejects) in [(1 << 20, 0), ((1 << 20) + 1, 1)] {
        let frame = r#"{"id":"1","v":""}"#.len();
        let record = format!("{{\"id\":\"1\",\"v\":\"{}\"}}", "x".repeat(size - frame));
        let outcome = subject.agree_cut(record.as_bytes(), &[Cut::Random(2)]).outcome;
        assert_eq!(outcome.rejects.len(), rejects, "{size} bytes");
        assert!(outcome.rejects.iter().all(|reject| reject.code == Code::TooLong));
    }
}
