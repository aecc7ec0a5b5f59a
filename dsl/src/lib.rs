//! The weir compiler: a program's text to diagnostics and an engine plan. Pure: it reads nothing but what it is given.
//!
//! ```text
//! Source --parse--> ast::File --check--> hir::Program --lower--> engine Plan
//!           |                    |
//!           +---- Diagnostics ---+----> rendered by diagnostic::render
//! ```
//!
//! - [`parse`]: text to tokens ([`lex`]) to the program as written ([`ast`]), going on behind mistakes
//! - [`mod@check`]: names, types, and what OCSF ([`ocsf`]) asks for, to the typed tree ([`hir`])
//! - [`mod@lower`]: the typed tree to the plan that the engine runs
//! - [`testing`]: the `test` blocks of a program
//! - [`mod@cost`], [`mod@explain`]: what a program costs, and what it does, in words
#![forbid(unsafe_code)]

pub mod ast;
pub mod check;
pub mod cost;
pub mod diagnostic;
pub mod editor;
pub mod explain;
pub mod format;
pub mod hir;
pub mod lex;
pub mod lower;
pub mod ocsf;
pub mod parse;
pub mod source;
pub mod testing;
pub mod tools;

use std::sync::Arc;

use weir_engine::plan::Plan;
use weir_engine::secrets::Secrets;

pub use check::{check, check_with};
pub use diagnostic::{Diagnostic, Severity};
pub use lower::lower;
pub use source::{Source, Span};

/// What became of a program.
#[derive(Debug)]
pub struct Compiled {
    /// The program as it was written.
    pub file: ast::File,
    /// The typed tree; there iff there is no error.
    pub program: Option<hir::Program>,
    /// What the engine runs; there iff there is no error.
    pub plan: Option<Arc<Plan>>,
    /// In the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compiles a program for checks and tests: every secret has the [`TEST_KEY`](weir_engine::secrets::TEST_KEY).
pub fn compile(source: &Source) -> Compiled {
    compile_with(source, &Secrets::test())
}

/// Compiles a program to run it with these secrets.
///
/// Its `test` blocks expect what the test key gives: run them on what [`compile`] made.
pub fn compile_with(source: &Source, secrets: &Secrets) -> Compiled {
    let (file, mut diagnostics) = parse::parse(source);
    let parsed = !has_errors(&diagnostics);
    let (program, found) = check::check_with(&file, source, secrets);
    // What could not be read is missing elsewhere: only the causes are shown.
    if parsed {
        diagnostics.extend(found);
    } else {
        first_of_each_line(&mut diagnostics, source);
    }
    diagnostics.sort_by_key(|report| (report.primary.span.start, report.code));
    keep_the_first(&mut diagnostics);
    let program = program.filter(|_| parsed);
    let plan = program.as_ref().map(|program| Arc::new(lower::lower(program, source)));
    Compiled { file, program, plan, diagnostics }
}

/// Most reports about one program: nobody reads more, and a program can be wrong in a hundred thousand places.
const REPORTS_MAX: usize = 100;

/// Leaves the first reports, errors before warnings.
fn keep_the_first(diagnostics: &mut Vec<Diagnostic>) {
    if diagnostics.len() > REPORTS_MAX {
        diagnostics.sort_by_key(|report| report.severity != Severity::Error);
        diagnostics.truncate(REPORTS_MAX);
        diagnostics.sort_by_key(|report| (report.primary.span.start, report.code));
    }
}

/// One slip, such as a quote too few, makes several signs of its line unreadable: only the first is the cause. The same
/// slip several times on a line is one report whose fix mends them all.
fn first_of_each_line(diagnostics: &mut Vec<Diagnostic>, source: &Source) {
    diagnostics.sort_by_key(|report| report.primary.span.start);
    diagnostics.dedup_by(|report, first| {
        let line = |report: &Diagnostic| source.line(report.primary.span.start);
        let same_line = line(report) == line(first);
        if same_line
            && report.code == first.code
            && let (Some(fix), Some(more)) = (&mut first.fix, &report.fix)
        {
            let apart = |(span, _): &(Span, String)| {
                fix.edits
                    .iter()
                    .all(|(other, _)| span.end <= other.start || other.end <= span.start)
            };
            if more.edits.iter().all(apart) {
                fix.edits.extend(more.edits.iter().cloned());
            }
        }
        same_line
    });
}

/// True if the program cannot run.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|report| report.severity == Severity::Error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_compile_without_a_report_and_pass_their_tests() {
        for name in ["1_anthropic", "2_openai", "3_csv_eu", "4_homegrown", "5_openai_ndjson"] {
            let path = format!("{}/../examples/{name}.weir", env!("CARGO_MANIFEST_DIR"));
            let source = Source::new(name, std::fs::read_to_string(path).unwrap());
            let compiled = compile(&source);
            let shown: Vec<String> = compiled
                .diagnostics
                .iter()
                .map(|report| {
                    format!(
                        "{}:{} {} {}",
                        name,
                        source.line(report.primary.span.start),
                        report.code,
                        report.message
                    )
                })
                .collect();
            assert_eq!(shown, Vec::<String>::new());
            let tests = testing::run_tests(&source, &compiled);
            assert!(!tests.is_empty());
            for test in tests {
                assert_eq!(test.failure, None, "{name}, line {}: {}", test.line, test.name);
            }
        }
    }

    #[test]
    fn secrets_are_given_and_part_of_the_hash() {
        let program = "weir 1\nparser \"x\" version 1\nocsf \"1.8.0\"\nproduct \"x\"\ninput ndjson { }\n\
                       on error { required reject optional skip }\n\
                       event { id = .id time = .t actor = .a |> hmac(\"users\") action = .b target = .c }\n\
                       emit api_activity { activity_id = \"Other\" }\n";
        let source = Source::new("x", program);
        let secrets = |name: &str, key: &str| {
            [(name.to_owned(), key.as_bytes().to_vec())].into_iter().collect::<Secrets>()
        };
        let hash = |secrets| {
            let compiled = compile_with(&source, &secrets);
            let program = compiled.program.unwrap();
            assert_eq!(program.secrets.len(), 1);
            assert_eq!(program.secrets[0].name, "users");
            compiled.plan.unwrap().hash
        };
        let plans = [Secrets::test(), secrets("users", "one"), secrets("users", "two")].map(hash);
        assert!(plans[0] != plans[1] && plans[1] != plans[2] && plans[0] != plans[2]);
        assert_eq!(compile(&source).plan.unwrap().hash, plans[0]);
        assert_eq!(hash(secrets("users", "one")), plans[1]);
        let refused = compile_with(&source, &secrets("others", "one"));
        let codes: Vec<_> = refused.diagnostics.iter().map(|report| report.code).collect();
        assert_eq!(codes, ["W0117"]);
        assert!(
            !format!("{:?}", compile_with(&source, &secrets("users", "hidden"))).contains("hidden")
        );
    }

    #[test]
    fn conditions_that_read_a_redacted_path_are_noted() {
        let program = "weir 1\nparser \"x\" version 1\nocsf \"1.8.0\"\nproduct \"x\"\ninput ndjson { }\n\
                       on error { required reject optional skip }\n\
                       drop when .open == true\ndrop when .secret.flag == true\nraw redact [.secret]\n\
                       event { id = .id time = .t actor = .a action = .b target = .c }\n\
                       when .secret == \"x\" { drop } else {\nemit api_activity { activity_id = \"Other\" } }\n";
        let plan = compile(&Source::new("x", program)).plan.unwrap();
        assert_eq!(plan.redacted_conditions, [8, 11].into());
    }

    #[test]
    fn a_program_is_bounded() {
        let head = "weir 1\nparser \"x\" version 1\nocsf \"1.8.0\"\nproduct \"x\"\ninput ndjson { }\n\
                    on error { required reject optional skip }\n\
                    event { id = .id time = .t actor = .a action = .b target = .c }\n";
        let paths: Vec<String> = (0..600).map(|at| format!("unmapped.p{at} = .p{at}\n")).collect();
        let wide =
            format!("{head}emit api_activity {{ activity_id = \"Other\"\n{} }}", paths.join(""));
        let emits = "emit api_activity { activity_id = \"Other\" }\n".repeat(65);
        for program in [wide, format!("{head}{emits}")] {
            let compiled = compile(&Source::new("x", program));
            let codes: Vec<&str> = compiled.diagnostics.iter().map(|report| report.code).collect();
            assert_eq!(codes, ["W0603"]);
        }
    }
}
