//! Any bytes as a program: no panic, no span outside the text, a bounded number of reports that can all be drawn.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_dsl::diagnostic::{code, render};
use weir_dsl::parse::parse;
use weir_dsl::source::Source;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let source = Source::new("fuzz.weir", text);
    let (_, diagnostics) = parse(&source);
    assert!(diagnostics.len() <= 100);
    for diagnostic in &diagnostics {
        assert!(code::find(diagnostic.code).is_some());
        let edits = diagnostic.fix.iter().flat_map(|fix| fix.edits.iter().map(|edit| edit.0));
        let labels = diagnostic.secondary.iter().map(|label| label.span);
        for span in labels.chain(edits).chain([diagnostic.primary.span]) {
            assert!(source.text.get(span.range()).is_some(), "{diagnostic:?}");
        }
    }
    let drawn = render::render(&diagnostics, &source, false);
    assert_eq!(drawn.is_empty(), diagnostics.is_empty());
});
