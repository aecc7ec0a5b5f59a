//! The comparison: the same records through weir and through other tools, to the same rows.
//!
//! ```text
//!  generate data ─▶ weir against the reference ─▶ every peer's rows against weir's ─▶ rounds ─▶ table, record, chart
//!                   (first records, all columns)   (all rows)                        (each peer once a round)
//! ```
//!
//! Each peer is a process that loads the data, and then runs the whole job whenever it is told to ([`peers`]); weir is one
//! of them ([`serve`]). All are pinned to one core, and a round runs each of them once, so that whatever else the machine
//! does harms all alike. The best of the rounds counts.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;

mod chart;
mod check;
mod cli;
mod counters;
mod machine;
mod measure;
mod peers;
mod report;
mod serve;

use cli::Args;
use report::Report;

fn main() -> ExitCode {
    let mut arguments = std::env::args();
    if arguments.nth(1).as_deref() == Some(serve::COMMAND) {
        return exit(serve::serve(arguments).map(|()| true));
    }
    exit(run(&Args::parse()))
}

/// Success, problems found, or a machine that did not do as it was told.
fn exit(outcome: Result<bool, Box<dyn std::error::Error>>) -> ExitCode {
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            // With standard error gone, there is nobody to tell.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(if error.is::<cli::Usage>() { 2 } else { 1 })
        }
    }
}

/// Whether everything was as it should be.
fn run(args: &Args) -> Result<bool, Box<dyn std::error::Error>> {
    if let Some(record) = &args.from {
        let report = Report::read(record)?;
        finish(args, &report)?;
        return Ok(true);
    }
    if let Some(doubt) = machine::commit().doubt.filter(|_| args.record) {
        return Err(cli::Usage(format!("nothing to keep a record of: {doubt}")).into());
    }
    let report = measure::measure(args)?;
    finish(args, &report)?;
    let missed = if args.check { check::missed(&report) } else { Vec::new() };
    let mut stderr = io::stderr();
    for target in &missed {
        writeln!(stderr, "missed: {target}")?;
    }
    Ok(missed.is_empty() && !report.has_problems())
}

/// Shows a report, and writes what was asked for.
fn finish(args: &Args, report: &Report) -> Result<(), Box<dyn std::error::Error>> {
    let mut stdout = io::stdout().lock();
    if stdout.is_terminal() || args.table {
        report.write_table(&mut stdout)?;
    } else {
        report.write_lines(&mut stdout)?;
    }
    if let Some(file) = &args.json {
        report.write(file)?;
    }
    if args.record {
        let file = report.record_file();
        report.write(&file)?;
        writeln!(io::stderr(), "recorded in {}", file.display())?;
    }
    if let Some(file) = &args.chart {
        let written = file.parent().map_or(Ok(()), std::fs::create_dir_all);
        let written = written.and_then(|()| std::fs::write(file, chart::draw(report)));
        written.map_err(|error| format!("{}: {error}", file.display()))?;
        writeln!(io::stderr(), "drawn to {}", file.display())?;
    }
    Ok(())
}
