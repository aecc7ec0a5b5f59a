//! A program from one OCSF version to another.
//!
//! The compiler says what the other version does not have; each report is answered by one edit, and the program is
//! compiled again, until it compiles or nothing is left that can be done without its author:
//!
//! - an attribute that is not there: the line becomes one of `unmapped`, under the same name
//! - a caption that is not there: `"Other"`
//! - a profile that is not there: it is switched off
//! - a vendor that is required: `"unknown"`
//! - an expectation of a test about an attribute that moved: it goes
//!
//! Whatever else differs is the author's to decide, and told.

use super::Migrated;
use crate::ast::{Entry, Expectation, File, Item, ObjectBlock, Stmt};
use crate::diagnostic::{Diagnostic, Severity};
use crate::format::format;
use crate::tools::write;
use crate::{Compiled, Source, Span, compile, has_errors, ocsf, testing};

/// Most edits.
const EDITS_MAX: usize = 2_000;

/// The same program for another of the shipped versions.
///
/// # Errors
///
/// It does not compile as it is, or not after everything that can be done: the reports, as text.
pub fn to_version(source: &Source, version: &str) -> Result<Migrated, String> {
    if ocsf::schema(version).is_none() {
        return Err(format!("OCSF {version} is not among {}", ocsf::VERSIONS.join(", ")));
    }
    let before = compile(source);
    if has_errors(&before.diagnostics) {
        return Err(format!("the program does not compile as it is:\n{}", said(&before, source)));
    }
    let Some(line) = &before.file.ocsf else {
        return Err("the program has no `ocsf` line".to_owned());
    };
    let from = line.version.node.clone();
    let mut text = source.text.clone();
    text.replace_range(line.version.span.range(), &write::text(version));
    let mut notes = vec![(source.line(line.span.start), format!("OCSF {from} -> {version}"))];
    for _ in 0..EDITS_MAX {
        let now = Source::new(source.name.clone(), text.clone());
        let compiled = compile(&now);
        let Some(report) =
            compiled.diagnostics.iter().find(|report| report.severity == Severity::Error)
        else {
            return Ok(finish(&now, &compiled, notes));
        };
        let Some(edit) = edit(report, &compiled.file, &now) else {
            return Err(format!("this is for the author to decide:\n{}", said(&compiled, &now)));
        };
        notes.push((now.line(report.primary.span.start), edit.note));
        let mut changes = edit.changes;
        // From the end, so that the places before stay.
        changes.sort_by_key(|(span, _)| std::cmp::Reverse((span.start, span.end)));
        for (span, new) in changes {
            text.replace_range(span.range(), &new);
        }
    }
    Err("there is too much to change".to_owned())
}

fn finish(now: &Source, compiled: &Compiled, mut notes: Vec<(u32, String)>) -> Migrated {
    for report in &compiled.diagnostics {
        notes.push((
            now.line(report.primary.span.start),
            format!("{}: {}", report.code, report.message),
        ));
    }
    for test in testing::run_tests(now, compiled) {
        if test.failure.is_some() {
            notes.push((
                test.line,
                format!(
                    "the test \"{}\" fails now; `weir test` shows how",
                    write::comment(&test.name)
                ),
            ));
        }
    }
    let text = format(now).unwrap_or_else(|_| now.text.clone());
    Migrated { text, notes }
}

fn said(compiled: &Compiled, source: &Source) -> String {
    crate::diagnostic::render::render_short(&compiled.diagnostics, source)
}

/// An answer to a report.
struct Edit {
    note: String,
    changes: Vec<(Span, String)>,
}

fn edit(report: &Diagnostic, file: &File, source: &Source) -> Option<Edit> {
    let at = report.primary.span;
    let word = source.slice(at).to_owned();
    match report.code {
        "W0202" => profile_off(file, at, &word),
        "W0205" if report.message.contains("vendor_name") => vendor(file, source),
        "W0211" => {
            let note = format!("{word} is not in this version: \"Other\"");
            (word != "\"Other\"")
                .then(|| Edit { note, changes: vec![(at, "\"Other\"".to_owned())] })
        }
        _ => expectation(file, at, source).or_else(|| unmapped(file, at, source)),
    }
}

fn profile_off(file: &File, at: Span, word: &str) -> Option<Edit> {
    let line = file.ocsf.as_ref()?;
    let index = line.profiles.iter().position(|profile| profile.span == at)?;
    let start = if index == 0 { line.version.span.end } else { line.profiles[index - 1].span.end };
    let note = format!("this version has no profile {word}: it is switched off");
    let (end, new) = match line.profiles.get(index + 1) {
        Some(next) if index == 0 => (next.span.start, " with "),
        _ => (at.end, ""),
    };
    Some(Edit { note, changes: vec![(Span::new(start, end), new.to_owned())] })
}

fn vendor(file: &File, source: &Source) -> Option<Edit> {
    let line = file.product.as_ref().filter(|line| line.vendor.is_none())?;
    let end = line.name.span.end;
    let name = source.slice(line.name.span);
    let note = format!("this version requires a vendor: by {name}; write the right one");
    Some(Edit { note, changes: vec![(Span::new(end, end), format!(" by {name}"))] })
}

/// A line of a test about something that is not there any more.
fn expectation(file: &File, at: Span, source: &Source) -> Option<Edit> {
    let tests = file
        .items
        .iter()
        .filter_map(|item| if let Item::Test(test) = item { Some(test) } else { None });
    let test = tests.clone().find(|test| contains(test.span, at))?;
    for expected in &test.expect {
        let Expectation::Event { checks, span, .. } = expected else { continue };
        if !contains(*span, at) {
            continue;
        }
        let index = checks.iter().rposition(|check| check.field_span.start <= at.start)?;
        let start = checks[index].field_span.start;
        let end = match checks.get(index + 1) {
            Some(next) => next.field_span.start,
            None => closing_brace(source, *span)?,
        };
        let span = Span::new(start, end);
        let note = format!(
            "the test \"{}\" no longer checks `{}`",
            write::comment(&test.name.node),
            write::comment(source.slice(span))
        );
        return Some(Edit { note, changes: vec![(span, "\n".to_owned())] });
    }
    None
}

/// The `}` that ends a span.
fn closing_brace(source: &Source, span: Span) -> Option<u32> {
    let at = source.slice(span).rfind('}')?;
    u32::try_from(at).ok().map(|at| span.start + at)
}

fn contains(outer: Span, inner: Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// A line of an `emit` to one of `unmapped`.
fn unmapped(file: &File, at: Span, source: &Source) -> Option<Edit> {
    let stmts = file
        .items
        .iter()
        .filter_map(|item| if let Item::Stmt(stmt) = item { Some(stmt) } else { None });
    let emit = stmts.filter_map(|stmt| emit_around(stmt, at)).next()?;
    let block_end = closing_brace(source, emit.span)?;
    let mut found = Vec::new();
    let whole = locate(&emit.entries, block_end, at, &mut Vec::new(), source, &mut found)?;
    let lifted: Vec<String> =
        found.iter().map(|(way, value)| format!("  unmapped.{way} = {value}\n")).collect();
    let what = write::comment(source.slice(whole).lines().next().unwrap_or_default());
    let note = match found.as_slice() {
        [] => format!("`{what}` has no place in this version: it was taken out"),
        _ => format!("`{what}` has no place in this version: it is under `unmapped` now"),
    };
    let insert = Span::new(block_end, block_end);
    Some(Edit { note, changes: vec![(whole, "\n".to_owned()), (insert, lifted.concat())] })
}

fn emit_around(stmt: &Stmt, at: Span) -> Option<&crate::ast::Emit> {
    match stmt {
        Stmt::Emit(emit) => contains(emit.span, at).then_some(emit),
        Stmt::When(when) => {
            let blocks = when.arms.iter().map(|(_, block)| block).chain(&when.otherwise);
            blocks.flat_map(|block| &block.stmts).find_map(|stmt| emit_around(stmt, at))
        }
        Stmt::Each(each) => each.body.stmts.iter().find_map(|stmt| emit_around(stmt, at)),
        Stmt::Drop(..) | Stmt::Reject(..) | Stmt::Event(_) | Stmt::Let(_) => None,
    }
}

/// The entry that a report is about: its place, and the lines in it with their ways.
fn locate(
    entries: &[Entry],
    end: u32,
    at: Span,
    way: &mut Vec<String>,
    source: &Source,
    found: &mut Vec<(String, String)>,
) -> Option<Span> {
    let starts: Vec<u32> = entries.iter().map(start).collect();
    let index = starts.iter().rposition(|start| *start <= at.start)?;
    let entry_end = starts.get(index + 1).copied().unwrap_or(end);
    if at.start >= entry_end {
        return None;
    }
    let span = Span::new(starts[index], entry_end);
    match &entries[index] {
        Entry::Assign { .. } => {}
        // The report is about something inside: only that moves.
        Entry::Object { target, object } if object.span.start < at.start => {
            let count = way.len();
            way.extend(target.keys.iter().map(|key| write::key(&key.node)));
            let inner = closing_brace(source, object.span)?;
            let found = locate(&object.entries, inner, at, way, source, found);
            way.truncate(count);
            return found;
        }
        Entry::Object { .. } => {}
        // A list has no place under `unmapped`.
        Entry::Add { object, .. } if object.span.start < at.start => {
            let inner = closing_brace(source, object.span)?;
            let mut lost = Vec::new();
            return locate(&object.entries, inner, at, way, source, &mut lost);
        }
        Entry::Add { .. } => return Some(span),
        Entry::Event(_) | Entry::Let(_) => return None,
    }
    lift(&entries[index], span, way, source, found);
    // What is under `unmapped` already is refused for another reason.
    (!found.iter().any(|(way, _)| way.starts_with("unmapped."))).then_some(span)
}

/// The lines of an entry with their ways.
fn lift(
    entry: &Entry,
    span: Span,
    way: &mut Vec<String>,
    source: &Source,
    found: &mut Vec<(String, String)>,
) {
    let count = way.len();
    match entry {
        Entry::Assign { target, .. } => {
            way.extend(target.keys.iter().map(|key| write::key(&key.node)));
            let text = source.slice(Span::new(target.span.end, span.end));
            let text = text.trim_start().trim_start_matches('=').trim();
            found.push((way.join("."), text.to_owned()));
        }
        Entry::Object { target, object: ObjectBlock { entries, span } } => {
            way.extend(target.keys.iter().map(|key| write::key(&key.node)));
            let end = closing_brace(source, *span).unwrap_or(span.end);
            for (index, entry) in entries.iter().enumerate() {
                let next = entries.get(index + 1).map_or(end, start);
                lift(entry, Span::new(start(entry), next), way, source, found);
            }
        }
        Entry::Add { .. } | Entry::Event(_) | Entry::Let(_) => {}
    }
    way.truncate(count);
}

fn start(entry: &Entry) -> u32 {
    match entry {
        Entry::Event(event) => event.span.start,
        Entry::Let(item) => item.span.start,
        Entry::Add { span, .. } => span.start,
        Entry::Object { target, .. } | Entry::Assign { target, .. } => target.span.start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(name: &str) -> Source {
        let path = format!("{}/../examples/{name}.weir", env!("CARGO_MANIFEST_DIR"));
        Source::new(name, std::fs::read_to_string(path).unwrap())
    }

    #[test]
    fn every_example_goes_to_every_version_and_back() {
        for name in ["1_anthropic", "2_openai", "3_csv_eu", "4_homegrown"] {
            for version in ocsf::VERSIONS {
                let made = to_version(&example(name), version)
                    .unwrap_or_else(|why| panic!("{name} to {version}: {why}"));
                let source = Source::new(name, made.text);
                let compiled = compile(&source);
                assert!(!has_errors(&compiled.diagnostics), "{name} to {version}: {}", source.text);
                assert!(source.text.contains(&format!("ocsf \"{version}\"")));
                to_version(&source, "1.8.0")
                    .unwrap_or_else(|why| panic!("{name} back from {version}: {why}"));
            }
        }
    }

    #[test]
    fn what_the_version_lacks_is_kept_under_unmapped() {
        let made = to_version(&example("4_homegrown"), "1.1.0").unwrap();
        let text = made.text.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "ocsf \"1.1.0\" product",
            "unmapped.ai_model.name = .model",
            "unmapped.message_context.uid = .session_id",
        ] {
            assert!(text.contains(part), "{part}\n{}", made.text);
        }
        assert!(
            made.notes.iter().any(|(_, note)| note.contains("ai_operation")),
            "{:?}",
            made.notes
        );
    }

    #[test]
    fn the_same_version_changes_nothing_but_the_form() {
        let source = example("2_openai");
        let made = to_version(&source, "1.8.0").unwrap();
        assert_eq!(made.text, format(&source).unwrap());
        assert!(to_version(&source, "2.0").is_err());
        assert!(to_version(&Source::new("x", "weir 1\n"), "1.8.0").is_err());
    }
}
