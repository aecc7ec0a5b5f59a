//! Diagnostics for tools: one JSON object for each, on a line of its own.
//!
//! Places are given three times: as lines and columns for people (from 1, in characters) and as bytes for programs.

use std::fmt::Write;

use super::{Diagnostic, Label, Severity};
use crate::check::json_text;
use crate::source::{Source, Span};

/// One line for each diagnostic.
pub fn lines(diagnostics: &[Diagnostic], source: &Source) -> String {
    let mut text = String::new();
    for diagnostic in super::render::ordered(diagnostics) {
        text.push_str(&object(diagnostic, source));
        text.push('\n');
    }
    text
}

fn object(diagnostic: &Diagnostic, source: &Source) -> String {
    let (line, column) = source.line_column(diagnostic.primary.span.start);
    let secondary = diagnostic.secondary.iter().map(|other| label(other, false, source));
    let labels = std::iter::once(label(&diagnostic.primary, true, source)).chain(secondary);
    let fixes = diagnostic.fix.iter().map(|fix| {
        let edits = fix
            .edits
            .iter()
            .map(|(span, new)| format!("{{{},\"text\":{}}}", place(*span, source), json_text(new)));
        format!("{{\"title\":{},\"edits\":{}}}", json_text(&fix.title), array(edits))
    });
    let mut text = format!(
        "{{\"file\":{},\"line\":{line},\"column\":{column},\"code\":\"{}\",\"severity\":\"{}\",\"message\":{}",
        json_text(&source.name),
        diagnostic.code,
        severity(diagnostic.severity),
        json_text(&diagnostic.message),
    );
    // Writing into a `String` cannot fail.
    let _ = write!(text, ",\"labels\":{}", array(labels));
    let help = diagnostic.help.as_deref().map_or("null".to_owned(), json_text);
    let notes = array(diagnostic.note.iter().map(|note| json_text(note)));
    let _ = write!(text, ",\"help\":{help},\"notes\":{notes},\"fixes\":{}}}", array(fixes));
    text
}

fn label(label: &Label, primary: bool, source: &Source) -> String {
    let (place, message) = (place(label.span, source), json_text(&label.message));
    format!("{{{place},\"primary\":{primary},\"message\":{message}}}")
}

fn place(span: Span, source: &Source) -> String {
    let (line, column) = source.line_column(span.start);
    let (end_line, end_column) = source.line_column(span.end);
    format!(
        "\"line\":{line},\"column\":{column},\"end_line\":{end_line},\"end_column\":{end_column},\"byte_start\":{},\"byte_end\":{}",
        span.start, span.end
    )
}

/// How tools call it.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Advice => "advice",
    }
}

/// Values that are JSON already, as an array.
pub(super) fn array(values: impl Iterator<Item = String>) -> String {
    format!("[{}]", values.collect::<Vec<_>>().join(","))
}
