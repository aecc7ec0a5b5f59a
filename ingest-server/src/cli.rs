//! The command line: arguments, and how a command ends.
//!
//! Exit codes: 0, the work is done; 1, it found problems (a program that does not compile, a failed
//! test, an object that cannot be read); 2, the command line is wrong.

mod check;
mod client;
mod coverage;
mod demo;
mod diff;
mod explain;
mod fmt;
mod infer;
mod ingest;
mod init;
mod lsp;
mod migrate;
mod output;
mod parser;
mod program;
mod progress;
mod quarantine;
mod run;
mod sample;
mod secrets;
mod serve;
mod source;
mod summary;
mod tail;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use weir_engine::simd::Level;

use crate::console::{Console, Failure};

/// Turns logs of any shape into OCSF events.
#[derive(Debug, Parser)]
#[command(name = "weir", version, max_term_width = 100, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  weir demo                                           see it work, with nothing to install
  weir init logs.ndjson -o parser.weir                a first program for a log
  weir check parser.weir                              is the program right?
  weir test parser.weir                               does it do what its tests say?
  weir fmt parser.weir                                bring it into its one form
  weir explain W0203                                  what does this code mean?
  weir run parser.weir logs.ndjson.gz                 OCSF events as NDJSON
  weir run parser.weir s3://bucket/logs/ --store events.db
  weir ingest tail --store events.db
  weir serve --data /var/lib/weir                     the service: sources, webhooks, a page
  weir parser create parser.weir                      a parser of that service
  weir source create hooks --type http_custom --parser agent-audit
  weir ingest tail hooks --follow                     its events as they are stored

Exit codes: 0 done; 1 problems were found; 2 the command line is wrong.
Colour is used on a terminal only; NO_COLOR=1 turns it off.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what is wrong with programs
    #[command(after_help = check::EXAMPLES)]
    Check(check::Arguments),
    /// Run the tests in programs
    #[command(after_help = test::EXAMPLES)]
    Test(test::Arguments),
    /// Bring programs into their one form
    #[command(after_help = fmt::EXAMPLES)]
    Fmt(fmt::Arguments),
    /// Say more about a code such as W0203, a program, or a class of OCSF
    #[command(after_help = explain::EXAMPLES)]
    Explain(explain::Arguments),
    /// Write a first program from a sample of a log
    #[command(after_help = init::EXAMPLES)]
    Init(init::Arguments),
    /// Show which paths a sample has, and what stands there
    #[command(after_help = infer::EXAMPLES)]
    Infer(infer::Arguments),
    /// Show what a program makes of a sample, line by line
    #[command(after_help = coverage::EXAMPLES)]
    Coverage(coverage::Arguments),
    /// Show which events change between two versions of a program
    #[command(after_help = diff::EXAMPLES)]
    Diff(diff::Arguments),
    /// Bring an older mapping, or a program of another OCSF version, over
    #[command(after_help = migrate::EXAMPLES)]
    Migrate(migrate::Arguments),
    /// Map inputs to events
    #[command(after_help = run::EXAMPLES)]
    Run(Box<run::Arguments>),
    /// Pull, receive, store and answer: the service
    #[command(after_help = serve::EXAMPLES)]
    Serve(serve::Arguments),
    /// Look at what was ingested
    #[command(subcommand)]
    Ingest(Ingest),
    /// Make and change the sources of a server
    #[command(subcommand, after_help = source::EXAMPLES)]
    Source(source::Command),
    /// Make and change the parsers of a server
    #[command(subcommand, after_help = parser::EXAMPLES)]
    Parser(parser::Command),
    /// Look at records that were refused, and map them again
    #[command(subcommand, after_help = quarantine::EXAMPLES)]
    Quarantine(quarantine::Command),
    /// Serve an editor: diagnostics, completion, hover, fixes
    #[command(after_help = lsp::EXAMPLES)]
    Lsp(lsp::Arguments),
    /// Make sample logs, ingest them and show the events
    #[command(after_help = demo::EXAMPLES)]
    Demo(demo::Arguments),
}

#[derive(Debug, Subcommand)]
enum Ingest {
    /// List the sources of a server
    #[command(after_help = ingest::LIST_EXAMPLES)]
    List(ingest::ListArguments),
    /// Show the newest events, oldest first
    #[command(after_help = tail::EXAMPLES)]
    Tail(tail::Arguments),
    /// Say how a source is
    #[command(after_help = ingest::HEALTH_EXAMPLES)]
    Health(ingest::HealthArguments),
}

/// How a command that ran to its end came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    ProblemsFound,
}

impl Verdict {
    fn of(good: bool) -> Self {
        if good { Self::Good } else { Self::ProblemsFound }
    }
}

/// Runs the command that the arguments of this process name.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let console = Console::new();
    // Asked for here, so that a wrong name ends the command before it has begun.
    if let Err(error) = Level::chosen() {
        console.error(&format!("{}: {error}", Level::VARIABLE));
        return ExitCode::from(2);
    }
    let outcome = match arguments.command {
        Command::Check(arguments) => check::check(console, &arguments),
        Command::Test(arguments) => test::test(console, &arguments),
        Command::Fmt(arguments) => fmt::fmt(console, &arguments),
        Command::Explain(arguments) => explain::explain(console, &arguments),
        Command::Init(arguments) => init::init(console, &arguments),
        Command::Infer(arguments) => infer::infer(console, &arguments),
        Command::Coverage(arguments) => coverage::coverage(console, &arguments),
        Command::Diff(arguments) => diff::diff(console, &arguments),
        Command::Migrate(arguments) => migrate::migrate(console, &arguments),
        Command::Run(arguments) => run::run(console, &arguments),
        Command::Serve(arguments) => serve::serve(console, &arguments),
        Command::Ingest(Ingest::List(arguments)) => ingest::list(console, &arguments),
        Command::Ingest(Ingest::Tail(arguments)) => tail::tail(console, &arguments),
        Command::Ingest(Ingest::Health(arguments)) => ingest::health(console, &arguments),
        Command::Source(command) => source::run(console, &command),
        Command::Quarantine(command) => quarantine::run(console, &command),
        Command::Parser(command) => parser::run(console, &command),
        Command::Lsp(arguments) => lsp::lsp(console, &arguments),
        Command::Demo(arguments) => demo::demo(console, &arguments),
    };
    match outcome {
        Ok(Verdict::Good) | Err(Failure::Quiet) => ExitCode::SUCCESS,
        Ok(Verdict::ProblemsFound) | Err(Failure::Said) => ExitCode::FAILURE,
        Err(Failure::Usage(problem)) => {
            console.error(&problem);
            ExitCode::from(2)
        }
        Err(Failure::Problem(problem)) => {
            console.error(&problem);
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Arguments;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
