//! Signs that part what belongs together, or join what does not: decimal commas, quotes in a text, lists of names.

use super::{behind, previous_is_kind};
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::parse::tokens::Tokens;
use crate::source::Span;

/// What may have been meant at the sign or word that cannot be read.
pub(super) fn parts(input: Tokens<'_>) -> Option<Diagnostic> {
    match input.kind() {
        Kind::Comma => decimal_comma(input).or_else(|| choice(input)).or_else(|| vendor(input)),
        Kind::Dot => thousands(input),
        Kind::Number if is_dollar(input) => Some(currency(input)),
        Kind::String => inner_quotes(input),
        Kind::Word => choice(input).or_else(|| is_null(input)).or_else(|| profiles(input)),
        _ => None,
    }
}

fn other_sign(span: Span, message: &str, label: &str) -> Diagnostic {
    Diagnostic::error("W0019", span, message, label)
}

/// `0,5`; with three digits behind, it may be a thousand.
fn decimal_comma(input: Tokens<'_>) -> Option<Diagnostic> {
    let next = input.advance();
    let is_inside = input.touches() && next.touches() && next.kind() == Kind::Number;
    if !is_inside || !previous_is_kind(input, &[Kind::Number]) {
        return None;
    }
    let (before, after) = (input.slice(behind(input)), input.slice(next.peek().span));
    let report =
        other_sign(input.peek().span, "a number has a point before its fraction", "a comma");
    let (joined, fraction) = (format!("{before}{after}"), format!("{before}.{after}"));
    if after.len() == 3 && !before.starts_with('0') {
        return Some(report.help(format!("write `{fraction}`, or `{joined}` for thousands")));
    }
    let comma = input.peek().span;
    Some(report.help(format!("write `{fraction}`")).fix(", -> .", comma, "."))
}

/// `1.000.000`
fn thousands(input: Tokens<'_>) -> Option<Diagnostic> {
    let mut end = input;
    while end.kind() == Kind::Dot && end.touches() && end.ahead(1).kind == Kind::Number {
        end = end.skip(2);
    }
    let first = input.previous().filter(|token| token.kind == Kind::Number)?;
    if end.at == input.at {
        return None;
    }
    let whole = first.span.to(end.back(1).peek().span);
    let groups: Vec<&str> = input.slice(whole).split('.').collect();
    let (most, rest) = groups.split_first()?;
    if most.len() > 3 || rest.iter().any(|group| group.len() != 3) {
        return None;
    }
    let fixed = groups.join("_");
    let report =
        other_sign(whole, "thousands are not parted by points", "a point is for a fraction");
    Some(report.help(format!("write `{fixed}`")).fix("parted by _", whole, fixed))
}

fn is_dollar(input: Tokens<'_>) -> bool {
    input.touches() && input.slice(behind(input)) == "$"
}

/// `$0.50`
fn currency(input: Tokens<'_>) -> Diagnostic {
    let dollar = behind(input);
    let number = input.slice(input.peek().span);
    let message = "a number stands without its currency";
    Diagnostic::error("W0036", dollar, message, "`$` is the document around the records")
        .help(format!("write `{number}`"))
        .fix("remove $", dollar, "")
}

/// `"say "hi" now"`, at the second text.
fn inner_quotes(input: Tokens<'_>) -> Option<Diagnostic> {
    let mut first = input.back(1);
    if !input.touches() || !first.advance().touches() && first.kind() == Kind::String {
        return None;
    }
    while first.at > 0 && first.kind() != Kind::String {
        if first.peek().line_start {
            return None;
        }
        first = first.back(1);
    }
    let is_inside = first.kind() == Kind::String && first.advance().touches();
    if !is_inside || first.at + 1 >= input.at || input.peek().line_start {
        return None;
    }
    let (before, after) = (first.peek().span, input.peek().span);
    let open = Span::new(before.end - 1, before.end);
    let close = Span::new(after.start, after.start + 1);
    Some(
        Diagnostic::error(
            "W0037",
            open,
            "a quote inside a text needs a backslash",
            "ends the text",
        )
        .label(close, "begins another one")
        .help("write `\\\"` for both")
        .fix("write \\\"", open, "\\\"")
        .edit(close, "\\\""),
    )
}

/// `.("a", "b")`, `.(a | b)`: the names of a choice.
fn choice(input: Tokens<'_>) -> Option<Diagnostic> {
    let mut open = input.back(1);
    while matches!(open.kind(), Kind::String | Kind::Bar | Kind::Word | Kind::Comma) && open.at > 0
    {
        open = open.back(1);
    }
    if open.kind() != Kind::ParenOpen || open.back(1).kind() != Kind::Dot {
        return None;
    }
    let mut edits = Vec::new();
    let mut rest = open.advance();
    loop {
        let span = rest.peek().span;
        match rest.kind() {
            Kind::Comma => edits.push((span, " |".to_owned())),
            Kind::Word => edits.push((span, format!("\"{}\"", rest.slice(span)))),
            Kind::String | Kind::Bar => {}
            Kind::ParenClose => break,
            _ => return None,
        }
        rest = rest.advance();
    }
    let here = input.peek().span;
    let report = match input.kind() {
        Kind::Comma => other_sign(here, "`|` stands between the names of a choice", "another sign"),
        _ => Diagnostic::error("W0038", here, "the names of a choice stand in quotes", "no quotes"),
    };
    let whole = Span::new(open.peek().span.end, rest.peek().span.start);
    let mut fixed = rest.slice(whole).to_owned();
    for (span, text) in edits.into_iter().rev() {
        let from = (span.start - whole.start) as usize;
        fixed.replace_range(from..from + span.range().len(), &text);
    }
    Some(report.help(format!("write `.({fixed})`")).fix(format!(".({fixed})"), whole, fixed))
}

/// `x IS NULL`, `x IS NOT NULL`
fn is_null(input: Tokens<'_>) -> Option<Diagnostic> {
    let is_word =
        |at: Tokens<'_>, word: &str| at.word().is_some_and(|w| w.eq_ignore_ascii_case(word));
    if !is_word(input, "is") {
        return None;
    }
    let negated = is_word(input.advance(), "not");
    let null = input.skip(if negated { 2 } else { 1 });
    if !is_word(null, "null") && !is_word(null, "missing") {
        return None;
    }
    let whole = input.peek().span.to(null.peek().span);
    let fixed = if negated { "is not missing" } else { "is missing" };
    let message = format!("`{}` is written `{fixed}` in weir", input.slice(whole));
    let report = Diagnostic::error("W0017", whole, message, "SQL");
    Some(report.help(format!("write `{fixed}`")).fix(fixed, whole, fixed))
}

/// `product "Shop", "Acme"`
fn vendor(input: Tokens<'_>) -> Option<Diagnostic> {
    let is_product = input.back(2).word() == Some("product") && input.back(2).peek().line_start;
    if !is_product || input.ahead(1).kind != Kind::String {
        return None;
    }
    let report =
        other_sign(input.peek().span, "`by` stands between a product and its vendor", "a comma");
    Some(report.help("write `by`").fix(", -> by", input.peek().span, " by"))
}

/// `ocsf "1.8.0" with cloud and host`, `product "Shop" from "Acme"`
fn profiles(input: Tokens<'_>) -> Option<Diagnostic> {
    let span = input.peek().span;
    match input.word()? {
        "and" if input.line_has_before("ocsf") => {
            let before = Span::new(behind(input).end, span.end);
            let report = other_sign(span, "a comma stands between two profiles", "a word");
            Some(report.help("write `,`").fix("and -> ,", before, ","))
        }
        word if input.back(2).word() == Some("product") && input.ahead(1).kind == Kind::String => {
            let message = "`by` stands between a product and its vendor";
            let report = Diagnostic::error("W0017", span, message, "another word");
            Some(report.help("write `by`").fix(format!("{word} -> by"), span, "by"))
        }
        _ => None,
    }
}
