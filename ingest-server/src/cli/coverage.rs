//! `weir coverage`

use std::path::PathBuf;

use clap::Args;
use weir_dsl::tools::coverage::coverage as covered;

use super::sample::SampleArguments;
use super::{Verdict, program};
use crate::console::{Console, Failure};

pub(super) const EXAMPLES: &str = "\
Examples:
  weir coverage parser.weir logs.ndjson          what becomes of each line, and what nothing reads
  weir coverage parser.weir logs/ --json | jq .never_read

Texts of the sample are shown where they could not be read or fell into `else`, but for what reads a
redacted path. Records that are rejected are no failure of this command.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The program
    #[arg(value_name = "PROGRAM")]
    program: PathBuf,
    #[command(flatten)]
    sample: SampleArguments,
    /// One JSON object instead of tables
    #[arg(long)]
    json: bool,
}

pub(super) fn coverage(console: Console, arguments: &Arguments) -> Result<Verdict, Failure> {
    let source = program::read(&arguments.program)?;
    let compiled = program::compile_and_report(console, &source, false);
    let (Some(typed), Some(plan)) = (&compiled.program, &compiled.plan) else {
        return Err(Failure::Problem(format!(
            "`{}` does not compile; nothing was read",
            source.name
        )));
    };
    let objects = arguments.sample.read()?;
    let found = covered(&source, typed, plan, &objects);
    console.result(if arguments.json { found.json() } else { found.table() })?;
    Ok(Verdict::Good)
}
