//! `weir diff`

use std::path::PathBuf;

use clap::Args;
use weir_dsl::tools::diff::diff as compare;

use super::sample::SampleArguments;
use super::secrets::SecretFile;
use super::{Verdict, program};
use crate::console::{Console, Failure};

pub(super) const EXAMPLES: &str = "\
Examples:
  weir diff old.weir new.weir logs.ndjson        which events change, attribute by attribute
  weir diff old.weir new.weir logs/ --limit 0    only how many
  weir diff old.weir new.weir logs/ --json | jq .attributes

Ends with 0 if all events are the same, with 1 if some are not.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The program as it was
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The program as it is
    #[arg(value_name = "NEW")]
    new: PathBuf,
    #[command(flatten)]
    sample: SampleArguments,
    /// The key of a secret that the programs name; else it is in the environment, as WEIR_SECRET_NAME
    #[arg(long = "secret", value_name = "NAME=FILE", value_parser = SecretFile::parse)]
    secrets: Vec<SecretFile>,
    /// Show so many changes; with --json all are shown
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u64,
    /// One line of JSON for each change
    #[arg(long)]
    json: bool,
}

pub(super) fn diff(console: Console, arguments: &Arguments) -> Result<Verdict, Failure> {
    let (old, new) = (program::read(&arguments.old)?, program::read(&arguments.new)?);
    let [old, new] = program::plans(console, [&old, &new], &arguments.secrets)?;
    let objects = arguments.sample.read()?;
    let mut shown = 0;
    let mut written = Ok(());
    let totals = compare(&old, &new, &objects, &mut |change| {
        shown += 1;
        if written.is_ok() && (arguments.json || shown <= arguments.limit) {
            written = console.result(if arguments.json { change.json() } else { change.text() });
        }
    });
    written?;
    if arguments.json {
        console.report(&totals.text());
    } else {
        if shown > arguments.limit {
            console.result(format!("... and {} further changes\n", shown - arguments.limit))?;
        }
        console.result(totals.text())?;
    }
    Ok(Verdict::of(totals.is_same()))
}
