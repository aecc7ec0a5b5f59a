//! What the parser reads, and what it says when it cannot.

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
