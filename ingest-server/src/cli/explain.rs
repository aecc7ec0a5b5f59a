//! `weir explain`

use clap::Args;
use weir_dsl::diagnostic::code;

use super::Verdict;
use crate::console::{Console, Failure};

pub(super) const EXAMPLES: &str = "\
Examples:
  weir explain W0203      what the compiler says about programs
  weir explain R1204      why a record was refused";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A code, as messages and dead letters show it
    #[arg(value_name = "CODE")]
    code: String,
}

pub(super) fn explain(console: Console, arguments: &Arguments) -> Result<Verdict, Failure> {
    let wanted = arguments.code.to_uppercase();
    match code::page(&wanted) {
        Some(page) => {
            console.result(page.trim_end())?;
            console.result("\n")?;
            Ok(Verdict::Good)
        }
        None => Err(Failure::Problem(format!(
            "there is no code `{}`; codes are W or R and four digits, as W0203",
            arguments.code
        ))),
    }
}
