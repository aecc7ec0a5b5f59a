//! How diagnostics look. Nothing else knows, and nothing else uses ariadne.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::ops::Range;

use ariadne::{Color, Config, IndexType, Label, Report, ReportKind};

use super::{Diagnostic, Severity};
use crate::lex::is_invisible;
use crate::source::{Source, Span};

/// Most reports that are drawn; nobody reads further before mending these.
const REPORTS_MAX: usize = 20;

/// Draws reports with the lines they are about: root causes first, at most 20, the rest counted.
///
/// Lines end without spaces. The result is empty if there is nothing to say.
pub fn render(diagnostics: &[Diagnostic], source: &Source, color: bool) -> String {
    let ordered = ordered(diagnostics);
    let mut cache = (source.name.as_str(), ariadne::Source::from(visible(&source.text)));
    let mut drawn = Vec::new();
    for diagnostic in ordered.iter().take(REPORTS_MAX) {
        report(diagnostic, source, color)
            .write(&mut cache, &mut drawn)
            .expect("writing into memory cannot fail");
        drawn.push(b'\n');
    }
    let mut text = String::new();
    for line in String::from_utf8_lossy(&drawn).lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    if let Some(rest) = ordered.get(REPORTS_MAX..).filter(|rest| !rest.is_empty()) {
        text.push_str(&format!("... and {} more\n", rest.len()));
    }
    text
}

/// One line for each report: `file:line:column: error[W0203]: what is wrong`.
pub fn render_short(diagnostics: &[Diagnostic], source: &Source) -> String {
    let lines = ordered(diagnostics).into_iter().map(|diagnostic| {
        let (line, column) = source.line_column(diagnostic.primary.span.start);
        let message = visible(&diagnostic.message).replace('\n', " ");
        let severity = super::json::severity(diagnostic.severity);
        format!("{}:{line}:{column}: {severity}[{}]: {message}\n", source.name, diagnostic.code)
    });
    lines.collect()
}

/// Errors before warnings; among them what could not be read before what follows from it; then as in the text.
pub(super) fn ordered(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut ordered: Vec<_> = diagnostics.iter().collect();
    ordered.sort_by_key(|diagnostic| {
        let syntax = diagnostic.code.starts_with("W00");
        (diagnostic.severity, Reverse(syntax), diagnostic.primary.span)
    });
    ordered
}

type Place<'s> = (&'s str, Range<usize>);

fn report<'s>(
    diagnostic: &Diagnostic,
    source: &'s Source,
    color: bool,
) -> Report<'static, Place<'s>> {
    let place = |span: Span| (source.name.as_str(), inside(span, &source.text));
    let (kind, main) = match diagnostic.severity {
        Severity::Error => (ReportKind::Error, Color::Red),
        Severity::Warning => (ReportKind::Warning, Color::Yellow),
        Severity::Advice => (ReportKind::Advice, Color::Cyan),
    };
    let config = Config::default().with_index_type(IndexType::Byte).with_color(color);
    let label = |label: &super::Label, shade: Color| {
        Label::new(place(label.span)).with_message(visible(&label.message)).with_color(shade)
    };
    let mut labels: Vec<_> =
        diagnostic.secondary.iter().map(|other| (other, Color::Blue)).collect();
    labels.push((&diagnostic.primary, main));
    // Out of order, they would be drawn as if they were in different files.
    labels.sort_by_key(|(label, _)| label.span);
    let labels = labels.into_iter().map(|(which, shade)| label(which, shade));
    let mut report = Report::build(kind, place(diagnostic.primary.span))
        .with_config(config)
        .with_code(diagnostic.code)
        .with_message(visible(&diagnostic.message))
        .with_labels(labels);
    if let Some(help) = help(diagnostic) {
        report = report.with_help(visible(&help));
    }
    if let Some(note) = &diagnostic.note {
        report = report.with_note(visible(note));
    }
    report.finish()
}

/// What to do, and behind it the edit that does it.
fn help(diagnostic: &Diagnostic) -> Option<String> {
    let fix = diagnostic.fix.as_ref().map(|fix| format!("[fix: {}]", fix.title));
    match (&diagnostic.help, fix) {
        (Some(help), Some(fix)) => Some(format!("{help}     {fix}")),
        (help, fix) => help.clone().or(fix),
    }
}

/// The text with a sign of the same length for each character that a terminal would obey instead of showing it.
fn visible(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| is_invisible(c) || c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if !text.contains(obeyed) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| match c.len_utf8() {
        _ if !obeyed(c) => c,
        1 => '?',
        2 => '\u{B7}',
        3 => '\u{FFFD}',
        _ => '\u{1F6AB}',
    };
    Cow::Owned(text.chars().map(shown).collect())
}

/// A span as a range of the text, whatever the span says.
fn inside(span: Span, text: &str) -> Range<usize> {
    let boundary = |at: u32| {
        let mut at = (at as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = boundary(span.start);
    start..boundary(span.end).max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_points_at_bytes_behind_wide_characters() {
        let source = Source::new("x.weir", "let größe = .é email\n");
        let start = source.text.find("email").unwrap() as u32;
        let span = Span::new(start, start + 5);
        let diagnostic = Diagnostic::error("W0203", span, "no attribute `email`", "unknown here")
            .label(Span::new(0, 3), "defined here")
            .help("it is called `email_addr`")
            .note("OCSF 1.8.0")
            .fix("email -> email_addr", span, "email_addr");
        let expected = "\
[W0203] Error: no attribute `email`
   ╭─[ x.weir:1:16 ]
   │
 1 │ let größe = .é email
   │ ─┬─            ──┬──
   │  ╰──────────────────── defined here
   │                  │
   │                  ╰──── unknown here
   │
   │ Help: it is called `email_addr`     [fix: email -> email_addr]
   │
   │ Note: OCSF 1.8.0
───╯

";
        assert_eq!(render(std::slice::from_ref(&diagnostic), &source, false), expected);
        assert!(render(&[diagnostic], &source, true).contains("\u{1b}["));
    }

    #[test]
    fn a_terminal_is_not_told_what_to_do() {
        let source = Source::new("x", "a\u{1b}[2J \u{202E}b\u{AD}\u{E0041}c");
        let end = source.text.len() as u32;
        let diagnostic = Diagnostic::error("W0001", Span::new(end - 1, end), "m\u{7}", "\u{9b}l");
        let drawn = render(std::slice::from_ref(&diagnostic), &source, false);
        assert!(drawn.contains("a?[2J \u{FFFD}b\u{B7}\u{1F6AB}c"), "{drawn}");
        assert!(!drawn.contains(|c: char| c.is_control() && c != '\n'), "{drawn}");
        assert_eq!(render_short(&[diagnostic], &source), "x:1:11: error[W0001]: m?\n");
    }

    #[test]
    fn errors_come_first_and_the_rest_is_counted() {
        let source = Source::new("x", "abc\ndef");
        let warning = Diagnostic::warning("W0501", Span::new(0, 1), "w", "");
        let syntax = Diagnostic::error("W0001", Span::new(5, 6), "first\ncause", "");
        let mut all = vec![warning; 21];
        all.push(syntax);
        assert!(render(&all, &source, false).ends_with("... and 2 more\n"));
        let short = render_short(&all, &source);
        assert!(
            short.starts_with("x:2:2: error[W0001]: first cause\nx:1:1: warning[W0501]: w\n"),
            "{short}"
        );
        assert_eq!(short.lines().count(), 22);
    }

    #[test]
    fn no_span_is_too_wild_to_be_drawn() {
        for text in ["", "é", "a\n", "\n\n"] {
            let source = Source::new("x", text);
            for span in [Span::new(0, 0), Span::new(1, 1), Span::new(1, 900), Span::new(7, 2)] {
                let diagnostic = Diagnostic::error("W0001", span, "m", "l").label(span, "again");
                assert!(render(&[diagnostic], &source, false).contains("[W0001] Error: m"));
            }
        }
    }
}
