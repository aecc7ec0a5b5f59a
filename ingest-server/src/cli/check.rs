//! `weir check`

use std::path::{Path, PathBuf};

use clap::Args;
use weir_dsl::compile;
use weir_dsl::cost::cost;
use weir_dsl::diagnostic::{Diagnostic, Severity, fix, json, sarif};
use weir_dsl::source::Source;

use super::{Verdict, program};
use crate::console::{Console, Failure};

pub(super) const EXAMPLES: &str = "\
Examples:
  weir check parser.weir
  weir check --fix parser.weir           mend what can be mended, and say what was done
  weir check --short parsers/*.weir      one line each: file:line:col: error[W0203]: text
  weir check --json parser.weir          one JSON object a line, on standard output
  weir check --sarif parsers/*.weir      a SARIF 2.1.0 document, on standard output
  weir check --cost parser.weir          what the program costs, known before the first record

Problems are said on standard error, costs on standard output. Warnings alone are no failure.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// One line for each problem, for editors and tools
    #[arg(long)]
    short: bool,
    /// Say too what each program costs: paths, events, memory
    #[arg(long, conflicts_with_all = ["json", "sarif"])]
    cost: bool,
    /// One JSON object for each problem, a line each, on standard output
    #[arg(long, conflicts_with_all = ["short", "sarif"])]
    json: bool,
    /// All problems as one SARIF document on standard output
    #[arg(long, conflicts_with = "short")]
    sarif: bool,
    /// Apply the fixes that messages offer, and write the files
    #[arg(long)]
    fix: bool,
    /// Programs
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Arguments {
    fn is_for_tools(&self) -> bool {
        self.short || self.json || self.sarif
    }
}

pub(super) fn check(console: Console, arguments: &Arguments) -> Result<Verdict, Failure> {
    let (mut checked, mut unreadable) = (Vec::new(), 0);
    for file in &arguments.files {
        match check_one(console, arguments, file) {
            Ok(found) => checked.push(found),
            Err(Failure::Problem(problem)) => {
                console.error(&problem);
                unreadable += 1;
            }
            Err(other) => return Err(other),
        }
    }
    if arguments.sarif {
        let files: Vec<_> =
            checked.iter().map(|(source, found)| (source, found.as_slice())).collect();
        console.result(sarif::document(&files, env!("CARGO_PKG_VERSION")))?;
    }
    let all = || checked.iter().flat_map(|(_, found)| found);
    let of = |severity| all().filter(|found| found.severity == severity).count();
    let errors = of(Severity::Error);
    if !arguments.is_for_tools() {
        console.note(&format!(
            "{} checked: {}, {}",
            count(checked.len(), "program"),
            count(errors, "error"),
            count(of(Severity::Warning), "warning")
        ));
    }
    Ok(Verdict::of(errors == 0 && unreadable == 0))
}

fn check_one(
    console: Console,
    arguments: &Arguments,
    file: &Path,
) -> Result<(Source, Vec<Diagnostic>), Failure> {
    let mut source = program::read(file)?;
    if arguments.fix {
        source = mend(console, file, source)?;
    }
    let compiled = if arguments.json || arguments.sarif {
        compile(&source)
    } else {
        program::compile_and_report(console, &source, arguments.short)
    };
    if arguments.json {
        console.result(json::lines(&compiled.diagnostics, &source))?;
    }
    if let Some(plan) = compiled.plan.filter(|_| arguments.cost) {
        console.result(format!("{}\n{}", file.display(), cost(&plan)))?;
    }
    Ok((source, compiled.diagnostics))
}

/// Applies what messages offer, and writes the file if that changed it.
fn mend(console: Console, file: &Path, source: Source) -> Result<Source, Failure> {
    let mended = fix::mend(&source);
    if mended.applied.is_empty() {
        return Ok(source);
    }
    replace(file, &mended.text)
        .map_err(|error| Failure::Problem(format!("`{}`: {error}", source.name)))?;
    for done in &mended.applied {
        console
            .note(&format!("{}:{}: {} fixed: {}", source.name, done.line, done.code, done.title));
    }
    Ok(Source::new(source.name, mended.text))
}

/// Writes beside the file and renames, so that no half of a program is ever seen.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    std::fs::write(&beside, text)?;
    let permissions = std::fs::metadata(file)?.permissions();
    std::fs::set_permissions(&beside, permissions)?;
    std::fs::rename(&beside, file)
}

fn count(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
