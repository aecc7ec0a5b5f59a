//! `weir migrate`

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use weir_dsl::ocsf;
use weir_dsl::source::Source;
use weir_dsl::tools::migrate::{Migrated, legacy, to_version};

use super::sample::name_of;
use super::{Verdict, output};
use crate::console::{Console, Failure};

pub(super) const EXAMPLES: &str = "\
Examples:
  weir migrate mapping.txt -o parser.weir        lines `actor=$.user.email` to a program
  weir migrate mapping.json                      the JSON object `eventMapping` to a program
  weir migrate parser.weir --ocsf 1.5.0          a program to another version of OCSF

What has no place in the other version goes to `unmapped`. Everything that was changed, or is for you to
decide, is said on standard error. Look at it with `weir diff`.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A mapping of the line form or the JSON form, or a program
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The OCSF version [default for mappings: the newest]
    #[arg(long, value_name = "VERSION", value_parser = clap::builder::PossibleValuesParser::new(ocsf::VERSIONS))]
    ocsf: Option<String>,
    /// The parser's name, for mappings [default: that of the file]
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    name: Option<String>,
    /// Write to this file, which must not be there yet
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn migrate(console: Console, arguments: &Arguments) -> Result<Verdict, Failure> {
    let shown = arguments.file.display().to_string();
    let text = read(&arguments.file, &shown)?;
    let made = if is_program(&text) {
        let Some(version) = &arguments.ocsf else {
            return Err(Failure::Problem(format!(
                "`{shown}` is a program already; name the version that it is to go to: --ocsf {}",
                ocsf::VERSIONS[0]
            )));
        };
        to_version(&Source::new(shown.clone(), text), version)
    } else {
        let version = arguments.ocsf.as_deref().unwrap_or(ocsf::VERSIONS[ocsf::VERSIONS.len() - 1]);
        let name = arguments.name.clone().unwrap_or_else(|| name_of(&shown));
        legacy(&text, &name, version)
    };
    let Migrated { text, notes } =
        made.map_err(|why| Failure::Problem(format!("`{shown}`: {why}")))?;
    output::write(console, arguments.output.as_deref(), &text)?;
    for (line, note) in notes {
        let place = if line > 0 { format!("line {line}: ") } else { String::new() };
        console.note(&format!("{place}{note}"));
    }
    Ok(Verdict::Good)
}

fn read(file: &PathBuf, shown: &str) -> Result<String, Failure> {
    let limit = Source::BYTES_MAX as u64 + 1;
    let mut text = String::new();
    File::open(file)
        .and_then(|file| file.take(limit).read_to_string(&mut text))
        .map_err(|error| Failure::Problem(format!("`{shown}`: {error}")))?;
    Ok(text)
}

/// The first word that is no comment is `weir`.
fn is_program(text: &str) -> bool {
    let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| line.split_whitespace().next() == Some("weir"))
}
