//! Diagnostics as SARIF 2.1.0, which code hosts and scanners read.
//!
//! One document for a whole run: its rules are the codes that were said, each with its page, its results the
//! diagnostics of all files. Columns count characters (`unicodeCodePoints`).

use super::json::array;
use super::{Diagnostic, Fix, Label, Severity, code, render};
use crate::check::json_text;
use crate::source::{Source, Span};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The document; `files` are the programs with what was said about them.
pub fn document(files: &[(&Source, &[Diagnostic])], version: &str) -> String {
    let said = || files.iter().flat_map(|(_, diagnostics)| diagnostics.iter());
    let mut codes: Vec<&'static str> = said().map(|diagnostic| diagnostic.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let rules = array(codes.iter().map(|code| rule(code)));
    let results = array(files.iter().flat_map(|(source, diagnostics)| {
        let ordered = render::ordered(diagnostics).into_iter();
        ordered.map(|diagnostic| result(diagnostic, source, &codes)).collect::<Vec<_>>()
    }));
    format!(
        "{{\"$schema\":\"{SCHEMA}\",\"version\":\"2.1.0\",\"runs\":[{{\"tool\":{{\"driver\":{{\"name\":\"weir\",\"version\":{},\"rules\":{rules}}}}},\"columnKind\":\"unicodeCodePoints\",\"results\":{results}}}]}}\n",
        json_text(version)
    )
}

fn rule(code: &str) -> String {
    let (title, page) = code::find(code).map_or(("", ""), |known| (known.title, known.page));
    format!(
        "{{\"id\":\"{code}\",\"shortDescription\":{},\"help\":{{\"text\":{page},\"markdown\":{page}}}}}",
        message(title),
        page = json_text(page),
    )
}

fn result(diagnostic: &Diagnostic, source: &Source, codes: &[&str]) -> String {
    let index = codes.iter().position(|code| *code == diagnostic.code).unwrap_or_default();
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Advice => "note",
    };
    let mut said = format!("{}: {}", diagnostic.message, diagnostic.primary.message);
    for more in diagnostic.help.iter().chain(&diagnostic.note) {
        said.push('\n');
        said.push_str(more);
    }
    let related = diagnostic.secondary.iter().map(|label| related(label, source));
    let fixes = diagnostic.fix.iter().map(|mend| fix(mend, source));
    format!(
        "{{\"ruleId\":\"{}\",\"ruleIndex\":{index},\"level\":\"{level}\",\"message\":{},\"locations\":[{{{}}}],\"relatedLocations\":{},\"fixes\":{}}}",
        diagnostic.code,
        message(&said),
        physical(diagnostic.primary.span, source),
        array(related),
        array(fixes),
    )
}

fn related(label: &Label, source: &Source) -> String {
    format!("{{{},\"message\":{}}}", physical(label.span, source), message(&label.message))
}

fn fix(fix: &Fix, source: &Source) -> String {
    let replacements = fix.edits.iter().map(|(span, text)| {
        format!(
            "{{\"deletedRegion\":{},\"insertedContent\":{{\"text\":{}}}}}",
            region(*span, source),
            json_text(text)
        )
    });
    format!(
        "{{\"description\":{},\"artifactChanges\":[{{\"artifactLocation\":{},\"replacements\":{}}}]}}",
        message(&fix.title),
        artifact(source),
        array(replacements)
    )
}

fn physical(span: Span, source: &Source) -> String {
    format!(
        "\"physicalLocation\":{{\"artifactLocation\":{},\"region\":{}}}",
        artifact(source),
        region(span, source)
    )
}

fn region(span: Span, source: &Source) -> String {
    let (line, column) = source.line_column(span.start);
    let (end_line, end_column) = source.line_column(span.end);
    format!(
        "{{\"startLine\":{line},\"startColumn\":{column},\"endLine\":{end_line},\"endColumn\":{end_column}}}"
    )
}

/// The file as a URI: what is no letter, digit or one of `-._~/` is written in hexadecimal.
fn artifact(source: &Source) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let uri: String = source
        .name
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    format!("{{\"uri\":\"{uri}\"}}")
}

fn message(text: &str) -> String {
    format!("{{\"text\":{}}}", json_text(text))
}
