//! `weir explain`

use std::path::Path;

use clap::Args;
use weir_dsl::diagnostic::code;
use weir_dsl::{explain, ocsf};

use super::{Verdict, program};
use crate::console::{Console, Failure};

pub(super) const EXAMPLES: &str = "\
Examples:
  weir explain W0203                    what the compiler says about programs
  weir explain R1204                    why a record was refused
  weir explain --codes                  every code and what it is about
  weir explain parser.weir              what becomes of a record, and all attributes of its events
  weir explain parser.weir --plan       what the engine runs, after optimisation
  weir explain --class api_activity     the attributes of a class of OCSF
  weir explain --class api_activity actor.user --ocsf 1.1.0";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A code, as messages and dead letters show it, or a program; with `--class`, the way to an
    /// attribute, such as actor.user
    #[arg(value_name = "CODE|FILE|ATTRIBUTE", required_unless_present_any = ["class", "codes"])]
    what: Option<String>,
    /// List all codes
    #[arg(long, conflicts_with_all = ["what", "class"])]
    codes: bool,
    /// Show what the engine runs
    #[arg(long, conflicts_with = "class")]
    plan: bool,
    /// List the attributes of this class of OCSF, or of an object in it
    #[arg(long)]
    class: Option<String>,
    /// The version of OCSF to look in [default: the newest that programs can pin]
    #[arg(long, value_name = "VERSION", requires = "class")]
    ocsf: Option<String>,
}

pub(super) fn explain(console: Console, arguments: &Arguments) -> Result<Verdict, Failure> {
    let what = arguments.what.as_deref().unwrap_or_default();
    let text = match &arguments.class {
        Some(class) => {
            let newest = ocsf::VERSIONS[ocsf::VERSIONS.len() - 1];
            let version = arguments.ocsf.as_deref().unwrap_or(newest);
            explain::schema::class(version, class, what)
                .map_err(|unknown| Failure::Problem(unknown.0))?
        }
        None if arguments.codes => {
            code::CODES.iter().map(|known| format!("{}  {}\n", known.code, known.title)).collect()
        }
        None if is_code(what) => page(what)?,
        None => explain_file(console, what, arguments.plan)?,
    };
    console.result(text.trim_end())?;
    console.result("\n")?;
    Ok(Verdict::Good)
}

/// W or R and digits, and no file of that name.
fn is_code(what: &str) -> bool {
    let digits = what.strip_prefix(['W', 'w', 'R', 'r']);
    digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        && !Path::new(what).exists()
}

fn page(what: &str) -> Result<String, Failure> {
    code::page(&what.to_uppercase()).map(str::to_owned).ok_or_else(|| {
        Failure::Problem(format!("there is no code `{what}`; `weir explain --codes` lists all"))
    })
}

fn explain_file(console: Console, file: &str, plan: bool) -> Result<String, Failure> {
    let source = program::read(Path::new(file))?;
    let compiled = program::compile_and_report(console, &source, false);
    match (compiled.program, compiled.plan) {
        (Some(_), Some(compiled)) if plan => Ok(compiled.to_string()),
        (Some(program), Some(_)) => Ok(explain::explain(&program, &source)),
        _ => Err(Failure::Problem(format!(
            "`{file}` does not compile, so there is nothing to explain"
        ))),
    }
}
