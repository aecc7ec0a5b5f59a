//! Any bytes to tokens: they are in order, do not overlap, lie on characters, and miss nothing but space and what was
//! reported.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_dsl::lex::{Kind, lex};
use weir_dsl::source::Source;

fuzz_target!(|bytes: &[u8]| {
    let source = Source::from_bytes("fuzz.weir", bytes.to_vec());
    let (tokens, slips) = lex(&source.text);
    assert!(tokens.len() <= source.text.len() && slips.len() <= 100);
    let (mut end, mut depth) = (0, 0);
    for token in &tokens {
        let range = token.span.range();
        assert!(range.start >= end && range.end > range.start, "{token:?}");
        let between = source.text.get(end..range.start).expect("tokens lie on characters");
        let space = |c: char| c.is_whitespace() || c == '\u{FEFF}';
        assert!(
            slips.len() == 100
                || !slips.is_empty()
                || between.contains('#')
                || between.chars().all(space)
        );
        assert!(source.text.get(range.clone()).is_some());
        depth -= i32::from(token.kind == Kind::BraceClose);
        assert_eq!(token.depth, depth);
        depth += i32::from(token.kind == Kind::BraceOpen);
        end = range.end;
    }
});
