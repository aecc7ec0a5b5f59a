//! Methods: `.a.lower()` is a pipe.

use weir_engine::builtins;

use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::parse::tokens::Tokens;
use crate::source::Span;

/// `"A".lower()`, behind the text.
pub(in crate::parse) fn method_of_text(text: Tokens<'_>, dot: Tokens<'_>) -> Option<Diagnostic> {
    let call = dot.kind() == Kind::Dot && dot.touches() && dot.ahead(2).kind == Kind::ParenOpen;
    if call { method(text, dot.skip(2)) } else { None }
}

/// `.a.lower()`, at the bracket behind a path: the name before it is no field.
pub(in crate::parse) fn method(path: Tokens<'_>, bracket: Tokens<'_>) -> Option<Diagnostic> {
    if bracket.kind() != Kind::ParenOpen || !bracket.touches() {
        return None;
    }
    let name = bracket.back(1);
    let function = name.word()?;
    let path = match path.previous() {
        Some(before) if path.kind() == Kind::Dot && path.touches() && before.kind == Kind::Word => {
            path.back(1)
        }
        _ => path,
    };
    if path.at + 1 == name.at && path.kind() == Kind::Dot {
        let dot = path.peek().span;
        return Some(
            Diagnostic::error("W0034", dot, "no dot stands before a function", "starts a path")
                .help(format!("write `{function}(...)`"))
                .fix("remove the dot", dot, ""),
        );
    }
    let report = Diagnostic::error(
        "W0034",
        name.peek().span,
        "a value goes into a function by `|>`",
        "a function, not a field",
    )
    .help(format!("write `{} |> {function}`", path.slice(path.span_to(name.back(1)))));
    Some(methods_to_pipes(path, name, report.clone()).unwrap_or(report))
}

/// The edits that turn a chain of calls behind a path into pipes.
fn methods_to_pipes(
    path: Tokens<'_>,
    first: Tokens<'_>,
    mut report: Diagnostic,
) -> Option<Diagnostic> {
    let mut name = first;
    let start = path.peek().span.start;
    let needs_brackets = path.previous().is_some_and(|token| {
        !path.peek().line_start
            && !matches!(
                token.kind,
                Kind::Assign | Kind::Arrow | Kind::ParenOpen | Kind::Comma | Kind::BracketOpen
            )
    });
    loop {
        let function = name.word()?;
        builtins::find(function)?;
        let dot = name.back(1).peek().span;
        if report.fix.is_none() {
            report = report.fix("|>", dot, " |> ");
        } else {
            report = report.edit(dot, " |> ");
        }
        let open = name.advance();
        let close = closing(open)?;
        if close.at == open.at + 1 {
            report = report.edit(open.peek().span.to(close.peek().span), "");
        }
        let next = close.advance();
        if next.kind() == Kind::Dot && next.touches() && next.ahead(2).kind == Kind::ParenOpen {
            name = next.advance();
            continue;
        }
        if matches!(next.kind(), Kind::Dot | Kind::BracketOpen) && next.touches() {
            return None;
        }
        if needs_brackets {
            let end = close.peek().span.end;
            let text = if close.at == open.at + 1 { ")" } else { "" };
            report = report.edit(Span::new(start, start), "(");
            if text.is_empty() {
                report = report.edit(Span::new(end, end), ")");
            } else if let Some(last) = report
                .fix
                .as_mut()
                .and_then(|fix| fix.edits.iter_mut().find(|(span, _)| span.end == end))
            {
                last.1 = text.to_owned();
            }
        }
        return Some(report);
    }
}

/// The bracket that closes the one here.
fn closing(open: Tokens<'_>) -> Option<Tokens<'_>> {
    let (mut rest, mut depth) = (open, 0_usize);
    loop {
        match rest.kind() {
            Kind::ParenOpen => depth += 1,
            Kind::ParenClose => depth -= 1,
            Kind::End => return None,
            _ => {}
        }
        if depth == 0 {
            return Some(rest);
        }
        rest = rest.advance();
    }
}
