//! `weir init`

use std::path::PathBuf;

use clap::Args;
use weir_dsl::ocsf;
use weir_dsl::tools::init::{FirstProgram, init as first_program};

use super::sample::SampleArguments;
use super::{Verdict, output};
use crate::console::{Console, Failure};

pub(super) const EXAMPLES: &str = "\
Examples:
  weir init logs.ndjson -o parser.weir           write a first program for a log
  weir init logs/ --name acme-audit              print it
  zcat log.json.gz | weir init - --ocsf 1.5.0

The program compiles, its test is taken from the sample and passes. Everything in it was guessed: read
it, correct it, then look at `weir coverage`. Secrets in the test are masked as far as names tell them.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    sample: SampleArguments,
    /// The OCSF version of the events
    #[arg(long, value_name = "VERSION", default_value = ocsf::VERSIONS[ocsf::VERSIONS.len() - 1], value_parser = clap::builder::PossibleValuesParser::new(ocsf::VERSIONS))]
    ocsf: String,
    /// The parser's name [default: that of the sample]
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    name: Option<String>,
    /// Write to this file, which must not be there yet
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn init(console: Console, arguments: &Arguments) -> Result<Verdict, Failure> {
    let objects = arguments.sample.read()?;
    let name = arguments.name.clone().unwrap_or_else(|| arguments.sample.name());
    let made = first_program(&objects, &name, &arguments.ocsf).map_err(Failure::Problem)?;
    output::write(console, arguments.output.as_deref(), &made.text)?;
    console.report(&said(&made));
    Ok(Verdict::Good)
}

fn said(made: &FirstProgram) -> String {
    let FirstProgram { records, mapped, rejects, left_out, .. } = made;
    let mut text = format!("{mapped} of {records} records give an event\n");
    for (reason, count) in rejects {
        text += &format!("  {count} rejected: {reason}\n");
    }
    for (name, why) in left_out {
        text += &format!("`{name}` was left out: {why}\n");
    }
    text
}
