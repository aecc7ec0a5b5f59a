//! `weir coverage`

use std::path::PathBuf;

use clap::Args;
use weir_dsl::tools::coverage::coverage as covered;

use super::sample::SampleArguments;
use super::secrets::SecretFile;
use super::{Verdict, program};
use crate::console::{Console, Failure};

pub(super) const EXAMPLES: &str = "\
Examples:
  weir coverage parser.weir logs.ndjson          what becomes of each line, and what nothing reads
  weir coverage parser.weir logs/ --json | jq .never_read
  weir coverage parser.weir logs.ndjson --secret users=key.txt

Texts of the sample are shown where they could not be read or fell into `else`, but for what reads a
redacted path. Records that are rejected are no failure of this command.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The program
    #[arg(value_name = "PROGRAM")]
    program: PathBuf,
    #[command(flatten)]
    sample: SampleArguments,
    /// The key of a secret that the program names; else it is in the environment, as WEIR_SECRET_NAME
    #[arg(long = "secret", value_name = "NAME=FILE", value_parser = SecretFile::parse)]
    secrets: Vec<SecretFile>,
    /// One JSON object instead of tables
    #[arg(long)]
    json: bool,
}

pub(super) fn coverage(console: Console, arguments: &Arguments) -> Result<Verdict, Failure> {
    let source = program::read(&arguments.program)?;
    let run = program::runnable(console, &source, &arguments.secrets)?;
    let objects = arguments.sample.read()?;
    let found = covered(&source, &run.program, &run.plan, &objects);
    console.result(if arguments.json { found.json() } else { found.table() })?;
    Ok(Verdict::Good)
}
