//! Any program: formatted, it has the same tree and reports, and formatting it again changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_dsl::compile;
use weir_dsl::format::format;
use weir_dsl::source::Source;

/// What `Debug` shows, without the places in the text and without hash maps, which have no order.
fn without_places(shown: &impl std::fmt::Debug) -> String {
    let shown = format!("{shown:?}");
    let mut text = shown;
    for hidden in ["Span { start: ", "by_word: {"] {
        let mut parts = text.split(hidden);
        let mut rest = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            rest.push_str(part.split_once('}').map_or("", |(_, rest)| rest));
        }
        text = rest;
    }
    text
}

fuzz_target!(|bytes: &[u8]| {
    let source = Source::from_bytes("fuzz.weir", bytes.to_vec());
    let Ok(text) = format(&source) else { return };
    let formatted = Source::new("fuzz.weir", text.as_str());
    assert_eq!(format(&formatted).as_ref(), Ok(&text));
    let (before, after) = (compile(&source), compile(&formatted));
    let codes = |compiled: &weir_dsl::Compiled| {
        let mut codes: Vec<_> = compiled.diagnostics.iter().map(|report| report.code).collect();
        codes.sort_unstable();
        codes
    };
    assert_eq!(codes(&before), codes(&after));
    assert_eq!(without_places(&before.file), without_places(&after.file));
    assert_eq!(without_places(&before.program), without_places(&after.program));
});
