//! `weir fmt`

use std::path::{Path, PathBuf};

use clap::Args;
use similar::TextDiff;
use weir_dsl::format::format;
use weir_dsl::source::Source;

use super::{Verdict, program};
use crate::console::{Console, Failure};

pub(super) const EXAMPLES: &str = "\
Examples:
  weir fmt parser.weir
  weir fmt --check parsers/*.weir      for CI: writes nothing, shows what would change
  weir fmt - < parser.weir             for editors: standard input to standard output

A program that cannot be read is left as it is. Comments stay, and so do blank lines and columns
that were lined up by hand.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Write nothing; show the differences and end with 1 if there are any
    #[arg(long)]
    check: bool,
    /// Programs; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// What became of one program.
enum Outcome {
    Unchanged,
    Changed,
    Unreadable,
}

pub(super) fn fmt(console: Console, arguments: &Arguments) -> Result<Verdict, Failure> {
    let (mut changed, mut unreadable) = (0, 0);
    for file in &arguments.files {
        match fmt_file(console, file, arguments.check) {
            Ok(Outcome::Unchanged) => {}
            Ok(Outcome::Changed) => changed += 1,
            Ok(Outcome::Unreadable) => unreadable += 1,
            Err(Failure::Problem(problem)) => {
                console.error(&problem);
                unreadable += 1;
            }
            Err(other) => return Err(other),
        }
    }
    Ok(Verdict::of(unreadable == 0 && !(arguments.check && changed > 0)))
}

fn fmt_file(console: Console, file: &Path, check: bool) -> Result<Outcome, Failure> {
    let stdin = file == Path::new("-");
    let source = if stdin { program::read_stdin()? } else { program::read(file)? };
    let text = match format(&source) {
        Ok(text) => text,
        Err(diagnostics) => {
            program::report(console, &source, &diagnostics, false);
            return Ok(Outcome::Unreadable);
        }
    };
    if stdin && !check {
        console.result(&text)?;
    }
    if text == source.text {
        return Ok(Outcome::Unchanged);
    }
    if check {
        console.note(&format!("`{}` is not formatted", source.name));
        console.result(difference(&source, &text))?;
    } else if !stdin {
        std::fs::write(file, text)
            .map_err(|error| Failure::Problem(format!("`{}`: {error}", source.name)))?;
    }
    Ok(Outcome::Changed)
}

/// The lines that change, as `diff -u` shows them.
fn difference(source: &Source, text: &str) -> String {
    let formatted = format!("{} (formatted)", source.name);
    TextDiff::from_lines(source.text.as_str(), text)
        .unified_diff()
        .header(&source.name, &formatted)
        .to_string()
}
