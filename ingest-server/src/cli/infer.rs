//! `weir infer`

use std::path::PathBuf;

use clap::Args;
use weir_dsl::tools::infer::{infer as paths_of, ndjson, table};
use weir_dsl::tools::reads::Reads;

use super::sample::SampleArguments;
use super::{Verdict, program};
use crate::console::{Console, Failure};

pub(super) const EXAMPLES: &str = "\
Examples:
  weir infer logs.ndjson                         which paths are there, how often, and what stands there
  weir infer logs/ --program parser.weir         what the program reads each path as, too
  weir infer logs.ndjson --json | jq .path

With --program the sample is read as its `input` says; else the layout is guessed.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    sample: SampleArguments,
    /// Show what this program reads each path as
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,
    /// One line of JSON for each path
    #[arg(long)]
    json: bool,
}

pub(super) fn infer(console: Console, arguments: &Arguments) -> Result<Verdict, Failure> {
    let reads = match &arguments.program {
        None => None,
        Some(file) => {
            let source = program::read(file)?;
            let compiled = program::compile_and_report(console, &source, false);
            let Some(typed) = compiled.program else {
                return Err(Failure::Problem(format!("`{}` does not compile", source.name)));
            };
            Some((typed.input.clone(), Reads::of(&typed)))
        }
    };
    let objects = arguments.sample.read()?;
    let input = reads.as_ref().map(|(input, _)| input);
    let paths = paths_of(&objects, input).map_err(Failure::Problem)?;
    let read_as = reads.as_ref().map(|(_, reads)| |steps: &[_]| reads.shown(steps));
    let read_as = read_as.as_ref().map(|read_as| read_as as &dyn Fn(&[_]) -> String);
    console.result(if arguments.json {
        ndjson(&paths, read_as)
    } else {
        table(&paths, read_as)
    })?;
    Ok(Verdict::Good)
}
