//! Any bytes through the whole compiler, its messages and the program's own tests: no panic, few reports, each inside the
//! text; a plan if and only if nothing is an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_dsl::diagnostic::{code, render};
use weir_dsl::source::Source;
use weir_dsl::{compile, has_errors, testing};

/// Longest program whose tests are run.
const TESTED_BYTES_MAX: usize = 16 << 10;

fuzz_target!(|bytes: &[u8]| {
    let source = Source::from_bytes("fuzz.weir", bytes.to_vec());
    let compiled = compile(&source);
    let wrong = has_errors(&compiled.diagnostics);
    assert_eq!(compiled.plan.is_none(), wrong);
    assert_eq!(compiled.program.is_none(), wrong);
    for report in &compiled.diagnostics {
        assert!(code::find(report.code).is_some(), "{}", report.code);
        let edits = report.fix.iter().flat_map(|fix| fix.edits.iter().map(|edit| edit.0));
        let labels = report.secondary.iter().map(|label| label.span);
        for span in labels.chain(edits).chain([report.primary.span]) {
            assert!(source.text.get(span.range()).is_some(), "{report:?}");
        }
    }
    let _ = render::render(&compiled.diagnostics, &source, false);
    if !wrong && bytes.len() <= TESTED_BYTES_MAX {
        let _ = testing::run_tests(&source, &compiled);
    }
});
