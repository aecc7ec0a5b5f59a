//! Regular expressions of programs: compiled with a bound on their size, and faults with their place.
//!
//! Matching takes linear time on any input, by [`regex`]. What an expression may cost is memory: `\w{1000}` is short and
//! compiles to a large program, so the program of each is measured, and a program that is too large is a fault.

use std::ops::Range;

use regex::{Regex, RegexBuilder};
use regex_automata::nfa::thompson::NFA;

/// The largest program of one expression.
pub const PROGRAM_BYTES_MAX: usize = 512 << 10;

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// Ready to match.
    pub regex: Regex,
    /// The size of its program.
    pub program_bytes: usize,
}

/// Why an expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternFault {
    /// Where, in bytes of the expression; none if it is about the whole.
    pub at: Option<Range<usize>>,
    /// What is wrong, a clause.
    pub message: String,
    /// What to do.
    pub help: &'static str,
}

const HELP_LARGE: &str =
    "`[0-9]` and `[A-Za-z0-9_]` are far smaller than `\\d` and `\\w`, which know all scripts";
const HELP_LINEAR: &str =
    "look-around and back-references do not exist: matching takes linear time";
const HELP_SYNTAX: &str =
    "a sign of the text itself is written with a backslash: `\\(`, `\\[`, `\\*`, `\\.`";

/// Compiles an expression.
pub fn compile(text: &str) -> Result<Pattern, PatternFault> {
    let parsed = regex_syntax::Parser::new().parse(text).map_err(|error| syntax(&error))?;
    let too_large = |_| PatternFault {
        at: None,
        message: format!("its program is larger than {} KiB", PROGRAM_BYTES_MAX >> 10),
        help: HELP_LARGE,
    };
    let config = NFA::config().nfa_size_limit(Some(PROGRAM_BYTES_MAX));
    let program = NFA::compiler().configure(config).build_from_hir(&parsed).map_err(too_large)?;
    // Other forms of the program, such as the one that runs backwards, may be somewhat larger than the one measured.
    let regex = RegexBuilder::new(text).size_limit(8 * PROGRAM_BYTES_MAX).build();
    let regex = regex.map_err(|error| PatternFault {
        at: None,
        message: error.to_string(),
        help: HELP_LARGE,
    })?;
    Ok(Pattern { regex, program_bytes: program.memory_usage() })
}

fn syntax(error: &regex_syntax::Error) -> PatternFault {
    use regex_syntax::ast::ErrorKind;
    let fault = |span: &regex_syntax::ast::Span, message, help| PatternFault {
        at: Some(span.start.offset..span.end.offset),
        message,
        help,
    };
    match error {
        regex_syntax::Error::Parse(error) => {
            let is_linear = matches!(
                error.kind(),
                ErrorKind::UnsupportedLookAround | ErrorKind::UnsupportedBackreference
            );
            let help = if is_linear { HELP_LINEAR } else { HELP_SYNTAX };
            fault(error.span(), error.kind().to_string(), help)
        }
        regex_syntax::Error::Translate(error) => {
            fault(error.span(), error.kind().to_string(), HELP_SYNTAX)
        }
        other => PatternFault { at: None, message: other.to_string(), help: HELP_SYNTAX },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_have_their_place() {
        for (text, at) in [
            ("a(b", Some(1..2)),
            ("a**)", Some(3..4)),
            ("x[z-a]", Some(2..5)),
            ("(?=a)", Some(0..3)),
            (r"a\yb", Some(1..3)),
            (r"é\p{Nope}", Some(2..10)),
            (r"[\w]{1000}", None),
        ] {
            let fault = compile(text).unwrap_err();
            assert_eq!(fault.at, at, "{text}: {}", fault.message);
        }
    }

    #[test]
    fn programs_are_measured() {
        let small = compile("^a+$").unwrap();
        let large = compile(r"^\w{20}$").unwrap();
        assert!(small.program_bytes < 10_000, "{}", small.program_bytes);
        assert!(large.program_bytes > 10 * small.program_bytes, "{}", large.program_bytes);
        assert!(small.regex.is_match("aa"));
    }
}
