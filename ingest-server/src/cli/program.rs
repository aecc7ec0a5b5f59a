//! Programs: read from a file, compiled, and what the compiler says shown.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use weir_dsl::diagnostic::render::{render, render_short};
use weir_dsl::diagnostic::{Diagnostic, Severity};
use weir_dsl::hir::{self, Secret};
use weir_dsl::source::Source;
use weir_dsl::{Compiled, compile, compile_with};
use weir_engine::plan::Plan;
use weir_engine::secrets::Secrets;

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

/// A program that is to be run.
#[derive(Debug)]
pub(super) struct Runnable {
    /// What it means.
    pub(super) program: hir::Program,
    /// What the engine runs.
    pub(super) plan: Arc<Plan>,
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
    Ok(runnable(console, source, secrets)?.plan)
}

/// The same, with what the program means.
pub(super) fn runnable(
    console: Console,
    source: &Source,
    secrets: &[SecretFile],
) -> Result<Runnable, Failure> {
    let checked = checked(console, source)?;
    let secrets = secrets::gather(&checked.program.secrets, secrets)?;
    checked.with_secrets(source, &secrets)
}

/// The plans of two programs. Each secret is named by one of them at least.
pub(super) fn plans(
    console: Console,
    sources: [&Source; 2],
    secrets: &[SecretFile],
) -> Result<[Arc<Plan>; 2], Failure> {
    let [old, new] = [checked(console, sources[0])?, checked(console, sources[1])?];
    let mut wanted = old.program.secrets.clone();
    let named = |other: &Secret| wanted.iter().any(|secret| secret.name == other.name);
    let further: Vec<Secret> =
        new.program.secrets.iter().filter(|secret| !named(secret)).cloned().collect();
    wanted.extend(further);
    let secrets = secrets::gather(&wanted, secrets)?;
    Ok([old.with_secrets(sources[0], &secrets)?.plan, new.with_secrets(sources[1], &secrets)?.plan])
}

/// Compiles a program with the keys of tests.
fn checked(console: Console, source: &Source) -> Result<Runnable, Failure> {
    let compiled = compile_and_report(console, source, false);
    of_compiled(compiled, source)
}

fn of_compiled(compiled: Compiled, source: &Source) -> Result<Runnable, Failure> {
    match (compiled.program, compiled.plan) {
        (Some(program), Some(plan)) => Ok(Runnable { program, plan }),
        _ => Err(does_not_compile(source)),
    }
}

impl Runnable {
    /// It with the keys of its secrets.
    fn with_secrets(self, source: &Source, secrets: &Secrets) -> Result<Self, Failure> {
        if self.program.secrets.is_empty() {
            return Ok(self);
        }
        of_compiled(compile_with(source, secrets), source)
    }
}

fn does_not_compile(source: &Source) -> Failure {
    Failure::Problem(format!("`{}` does not compile; nothing was read", source.name))
}

/// How many of the diagnostics are errors.
pub(super) fn errors(diagnostics: &[Diagnostic]) -> usize {
    diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count()
}
