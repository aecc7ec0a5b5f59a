//! `weir test`

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use weir_dsl::testing::run_tests;

use super::{Verdict, program};
use crate::console::{Console, Failure};

pub(super) const EXAMPLES: &str = "\
Examples:
  weir test parser.weir
  weir test parsers/*.weir

The last line is `N passed, N failed`. What fails is shown with the difference to what was expected.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Programs
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) fn test(console: Console, arguments: &Arguments) -> Result<Verdict, Failure> {
    let (mut passed, mut failed, mut broken) = (0, 0, 0);
    for file in &arguments.files {
        let source = match program::read(file) {
            Ok(source) => source,
            Err(Failure::Problem(problem)) => {
                console.error(&problem);
                broken += 1;
                continue;
            }
            Err(other) => return Err(other),
        };
        let compiled = program::compile_and_report(console, &source, false);
        if program::errors(&compiled.diagnostics) > 0 {
            console.error(&format!("`{}` does not compile; its tests were not run", source.name));
            broken += 1;
            continue;
        }
        let mut text = String::new();
        for result in run_tests(&source, &compiled) {
            let verdict = if result.failure.is_some() { "FAILED" } else { "ok" };
            // Writing to a String cannot fail.
            let _ =
                writeln!(text, "{}:{}: {} ... {verdict}", source.name, result.line, result.name);
            match result.failure {
                Some(difference) => {
                    failed += 1;
                    difference.lines().for_each(|line| {
                        let _ = writeln!(text, "    {line}");
                    });
                }
                None => passed += 1,
            }
        }
        console.result(text)?;
    }
    console.result(format!("{passed} passed, {failed} failed\n"))?;
    Ok(Verdict::of(failed == 0 && broken == 0))
}
