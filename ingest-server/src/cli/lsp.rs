//! `weir lsp`

use clap::Args;

use super::Verdict;
use crate::console::{Console, Failure};
use crate::lsp;

pub(super) const EXAMPLES: &str = "\
Examples:
  weir lsp                 what an editor starts, to talk to over standard input and output

A log beside a program under the same name (acme.weir, acme.ndjson) makes its paths known to completion; the
initialization option `sample` names another one.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Talk over standard input and output: the only way there is, and so the default
    #[arg(long)]
    stdio: bool,
}

pub(super) fn lsp(console: Console, arguments: &Arguments) -> Result<Verdict, Failure> {
    if console.shows_results() && !arguments.stdio {
        console.note(
            "an editor starts this command; it waits for messages of the language server protocol",
        );
    }
    lsp::serve_stdio().map_err(Failure::problem)?;
    Ok(Verdict::Good)
}
