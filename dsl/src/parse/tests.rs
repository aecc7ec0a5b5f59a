//! What the parser reads, and what it says when it cannot.

use crate::diagnostic::render::render_short;

use super::*;

const PROGRAMS: [(&str, &str); 4] = [
    ("1_anthropic", include_str!("../../../examples/1_anthropic.weir")),
    ("2_openai", include_str!("../../../examples/2_openai.weir")),
    ("3_csv_eu", include_str!("../../../examples/3_csv_eu.weir")),
    ("4_homegrown", include_str!("../../../examples/4_homegrown.weir")),
];

#[test]
fn the_example_programs_parse_without_a_word() {
    for (name, text) in PROGRAMS {
        let (file, diagnostics) = parse(&Source::new(name, text));
        assert_eq!(diagnostics, [], "{name}");
        assert!(file.items.len() >= 4, "{name}");
        assert!(file.on_error.is_some(), "{name}");
    }
}

#[test]
fn a_missing_token_gives_at_most_two_reports() {
    for (name, text) in PROGRAMS {
        for token in lex::lex(text).0 {
            let mut cut = text.to_owned();
            cut.replace_range(token.span.range(), "");
            let source = Source::new(name, cut);
            let (_, diagnostics) = parse(&source);
            let missing = (source.line_column(token.span.start), &text[token.span.range()]);
            let said = render_short(&diagnostics, &source);
            assert!(diagnostics.len() <= 2, "without {missing:?}:\n{said}");
        }
    }
}
