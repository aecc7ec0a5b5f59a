use simd_json::prelude::*;

use super::{fix, json, sarif};
use crate::source::Source;
use crate::{Severity, compile};

const WRONG: &str = "weir 1\nparser \"p\" version 1\nocsf \"1.8.0\"\nproduct \"P\"\ninput ndjson { }\n\
    on error { required reject  optional skip }\n\
    event { id = .id  time = .at  actor = .who  action = .do  target = .what }\n\
    drop when .größe = 'x' && .b == null\n\
    emit api_activity {\n  activity_id = \"Creat\"\n  src_endpoint.ip = .ip |> ip\n}\n";

fn value(text: &str) -> simd_json::OwnedValue {
    simd_json::to_owned_value(&mut text.as_bytes().to_vec()).unwrap()
}

#[test]
fn each_diagnostic_is_a_line_of_json() {
    let source = Source::new("dir/a \"b\".weir", WRONG);
    let reports = compile(&source).diagnostics;
    let text = json::lines(&reports, &source);
    assert_eq!(text.lines().count(), reports.len());
    let first = value(text.lines().next().unwrap());
    assert_eq!(first["file"], "dir/a \"b\".weir");
    assert_eq!((first["line"].as_u64(), first["severity"].as_str()), (Some(8), Some("error")));
    let label = &first["labels"][0];
    let bytes = label["byte_start"].as_usize().unwrap()..label["byte_end"].as_usize().unwrap();
    let (line, column) = source.line_column(bytes.start as u32);
    assert_eq!((label["line"].as_u32(), label["column"].as_u32()), (Some(line), Some(column)));
    assert!(WRONG.is_char_boundary(bytes.end));
    assert!(first["fixes"][0]["edits"].as_array().is_some_and(|edits| !edits.is_empty()));
}

#[test]
fn a_run_is_a_document_of_sarif() {
    let source = Source::new("dir/größe.weir", WRONG);
    let reports = compile(&source).diagnostics;
    let document = value(&sarif::document(&[(&source, &reports)], "0.1.0"));
    assert_eq!(document["version"], "2.1.0");
    let run = &document["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), reports.len());
    for result in results {
        let rule = &rules[result["ruleIndex"].as_usize().unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(rule["help"]["markdown"].as_str().unwrap().starts_with("# W0"));
        assert!(matches!(result["level"].as_str(), Some("error" | "warning" | "note")));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "dir/gr%C3%B6%C3%9Fe.weir");
        assert!(place["region"]["startLine"].as_u64().is_some_and(|line| line > 0));
        for fix in result["fixes"].as_array().unwrap() {
            let change = &fix["artifactChanges"][0];
            assert!(!change["replacements"].as_array().unwrap().is_empty());
            assert!(fix["description"]["text"].as_str().is_some());
        }
    }
}

#[test]
fn fixes_are_applied_one_after_the_other() {
    let source = Source::new("x", WRONG);
    let mended = fix::mend(&source);
    assert!(
        mended.text.contains("drop when .\"größe\" == \"x\" and .b == missing"),
        "{}",
        mended.text
    );
    assert!(mended.text.contains("activity_id = \"Create\""), "{}", mended.text);
    let left = compile(&Source::new("x", mended.text)).diagnostics;
    assert!(left.iter().all(|report| report.severity == Severity::Advice), "{left:?}");
    assert!(mended.applied.iter().any(|done| done.code == "W0211" && done.line == 10));
    let again = fix::mend(&Source::new("x", "weir 1\n"));
    assert!(again.applied.len() <= 1);
}
