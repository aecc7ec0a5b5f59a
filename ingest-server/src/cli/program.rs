//! Programs: read from a file, compiled, and what the compiler says shown.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use weir_dsl::diagnostic::render::{render, render_short};
use weir_dsl::diagnostic::{Diagnostic, Severity};
use weir_dsl::source::Source;
use weir_dsl::{Compiled, compile, compile_with};
use weir_engine::plan::Plan;

use super::secrets::{self, SecretFile};
use crate::console::{Console, Failure};

/// Reads a program.
pub(super) fn read(path: &Path) -> Result<Source, Failure> {
    let name = path.display().to_string();
    let failed = |error: std::io::Error| Failure::Problem(format!("`{name}`: {error}"));
    let mut bytes = Vec::new();
    // One byte more than the compiler takes is enough for it to see that there are too many.
    let limit = Source::BYTES_MAX as u64 + 1;
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(failed)?;
    Ok(Source::from_bytes(name, bytes))
}

/// Reads a program from standard input.
pub(super) fn read_stdin() -> Result<Source, Failure> {
    let mut bytes = Vec::new();
    let limit = Source::BYTES_MAX as u64 + 1;
    std::io::stdin()
        .lock()
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::Problem(format!("standard input: {error}")))?;
    Ok(Source::from_bytes("<stdin>", bytes))
}

/// Compiles a program and shows what is said about it.
pub(super) fn compile_and_report(console: Console, source: &Source, short: bool) -> Compiled {
    let compiled = compile(source);
    report(console, source, &compiled.diagnostics, short);
    compiled
}

/// Shows what is said about a program.
pub(super) fn report(console: Console, source: &Source, diagnostics: &[Diagnostic], short: bool) {
    if !diagnostics.is_empty() {
        console.report(&match short {
            true => render_short(diagnostics, source),
            false => render(diagnostics, source, console.color()),
        });
    }
}

/// Compiles a program that is to be run and needs no secrets.
pub(super) fn plan(console: Console, source: &Source) -> Result<Arc<Plan>, Failure> {
    plan_with(console, source, &[])
}

/// Compiles a program that is to be run with the keys of its secrets.
pub(super) fn plan_with(
    console: Console,
    source: &Source,
    secrets: &[SecretFile],
) -> Result<Arc<Plan>, Failure> {
    let compiled = compile_and_report(console, source, false);
    let (Some(program), Some(plan)) = (compiled.program, compiled.plan) else {
        return Err(does_not_compile(source));
    };
    let secrets = secrets::gather(&program.secrets, secrets)?;
    if program.secrets.is_empty() {
        return Ok(plan);
    }
    compile_with(source, &secrets).plan.ok_or_else(|| does_not_compile(source))
}

fn does_not_compile(source: &Source) -> Failure {
    Failure::Problem(format!("`{}` does not compile; nothing was read", source.name))
}

/// How many of the diagnostics are errors.
pub(super) fn errors(diagnostics: &[Diagnostic]) -> usize {
    diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count()
}
