//! `weir check`

use std::path::PathBuf;

use clap::Args;
use weir_dsl::cost::cost;
use weir_dsl::diagnostic::Severity;

use super::{Verdict, program};
use crate::console::{Console, Failure};

pub(super) const EXAMPLES: &str = "\
Examples:
  weir check parser.weir
  weir check --short parsers/*.weir      one line each: file:line:col: W0203 text
  weir check --cost parser.weir          what the program costs, known before the first record

Problems are said on standard error, costs on standard output. Warnings alone are no failure.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// One line for each problem, for editors and tools
    #[arg(long)]
    short: bool,
    /// Say too what each program costs: paths, events, memory
    #[arg(long)]
    cost: bool,
    /// Programs
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) fn check(console: Console, arguments: &Arguments) -> Result<Verdict, Failure> {
    let (mut errors, mut warnings, mut unreadable) = (0, 0, 0);
    for file in &arguments.files {
        match program::read(file) {
            Ok(source) => {
                let compiled = program::compile_and_report(console, &source, arguments.short);
                if let Some(plan) = compiled.plan.filter(|_| arguments.cost) {
                    console.result(format!("{}\n{}", file.display(), cost(&plan)))?;
                }
                let diagnostics = compiled.diagnostics;
                errors += program::errors(&diagnostics);
                warnings += diagnostics.iter().filter(|d| d.severity == Severity::Warning).count();
            }
            Err(Failure::Problem(problem)) => {
                console.error(&problem);
                unreadable += 1;
            }
            Err(quiet @ Failure::Quiet) => return Err(quiet),
        }
    }
    if !arguments.short {
        console.note(&format!(
            "{} checked: {}, {}",
            count(arguments.files.len() - unreadable, "program"),
            count(errors, "error"),
            count(warnings, "warning")
        ));
    }
    Ok(Verdict::of(errors == 0 && unreadable == 0))
}

fn count(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
