//! Comparisons by other signs and words: `===`, `equals`, `like`.

use crate::ast::BinaryOp;
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::parse::tokens::{Tokens, is_reserved};

/// A comparison that other languages write otherwise: what is meant, how weir writes it, how many signs it takes, and
/// whether it is negated. It is reported.
pub(in crate::parse) fn comparison(
    input: Tokens<'_>,
) -> Option<(BinaryOp, &'static str, usize, bool)> {
    let token = input.peek();
    if token.line_start {
        return None;
    }
    let next = input.advance();
    let unknown =
        |at: Tokens<'_>, sign| at.kind() == Kind::Unknown && at.slice(at.peek().span) == sign;
    let pair = |kind| next.kind() == kind && next.touches();
    let (op, sign, tokens, negated) = match token.kind {
        Kind::Less if pair(Kind::Greater) => (BinaryOp::NotEqual, "!=", 2, false),
        Kind::Equal if pair(Kind::Assign) => (BinaryOp::Equal, "==", 2, false),
        Kind::NotEqual if pair(Kind::Assign) => (BinaryOp::NotEqual, "!=", 2, false),
        Kind::Assign if unknown(next, "~") && next.touches() => {
            (BinaryOp::Matches, "matches", 2, false)
        }
        Kind::Unknown if unknown(input, "~") => (BinaryOp::Matches, "matches", 1, false),
        Kind::Bang if unknown(next, "~") && next.touches() => {
            (BinaryOp::Matches, "matches", 2, true)
        }
        Kind::Word if !input.starts_assignment() => word_of_comparison(input)?,
        _ => return None,
    };
    if negated {
        return Some((op, sign, tokens, true));
    }
    let span = input.span_to(input.skip(tokens));
    let written = input.slice(span);
    let code = if token.kind == Kind::Word { "W0017" } else { "W0016" };
    let touching = input.skip(tokens).touches() && sign.ends_with(char::is_alphabetic);
    input.cx.report(
        Diagnostic::error(
            code,
            span,
            format!("`{written}` is written `{sign}` in weir"),
            "a sign of other languages",
        )
        .help(format!("write `{sign}`"))
        .fix(
            format!("{written} -> {sign}"),
            span,
            format!("{sign}{}", if touching { " " } else { "" }),
        ),
    );
    Some((op, sign, tokens, negated))
}

fn word_of_comparison(input: Tokens<'_>) -> Option<(BinaryOp, &'static str, usize, bool)> {
    let word = input.word()?;
    let with = matches!(input.word_ahead(1), Some("with" | "WITH"));
    let found = match &*word.to_ascii_lowercase() {
        "starts" | "begins" if with => (BinaryOp::StartsWith, "starts_with", 2),
        "ends" if with => (BinaryOp::EndsWith, "ends_with", 2),
        _ if is_reserved(word) => return None,
        "equals" | "eq" => (BinaryOp::Equal, "==", 1),
        "ne" | "neq" => (BinaryOp::NotEqual, "!=", 1),
        "lt" => (BinaryOp::Less, "<", 1),
        "le" | "lte" => (BinaryOp::LessEqual, "<=", 1),
        "gt" => (BinaryOp::Greater, ">", 1),
        "ge" | "gte" => (BinaryOp::GreaterEqual, ">=", 1),
        "in" => (BinaryOp::In, "in", 1),
        "startswith" | "beginswith" | "hasprefix" | "starts_with" => {
            (BinaryOp::StartsWith, "starts_with", 1)
        }
        "endswith" | "hassuffix" | "ends_with" => (BinaryOp::EndsWith, "ends_with", 1),
        "has" | "includes" | "contains" => (BinaryOp::Contains, "contains", 1),
        "rlike" | "regexp" | "regex" | "matches" => (BinaryOp::Matches, "matches", 1),
        _ => return None,
    };
    Some((found.0, found.1, found.2, false))
}

/// `.a LIKE "x%"`: the operator and the text that weir compares with. It is reported.
pub(in crate::parse) fn like(input: Tokens<'_>) -> Option<(BinaryOp, &'static str)> {
    if !matches!(input.word(), Some("like" | "LIKE" | "ILIKE" | "Like")) || input.peek().line_start
    {
        return None;
    }
    let text = input.advance().peek();
    if !matches!(text.kind, Kind::String | Kind::SingleQuoted) {
        return None;
    }
    let inner = input.slice(text.span);
    let inner = inner.trim_matches(['"', '\'']);
    let middle = inner.trim_matches('%');
    let (op, sign) = match (inner.starts_with('%'), inner.ends_with('%')) {
        _ if middle.contains(['%', '_']) => (BinaryOp::Contains, "contains"),
        (true, true) => (BinaryOp::Contains, "contains"),
        (false, true) => (BinaryOp::StartsWith, "starts_with"),
        (true, false) => (BinaryOp::EndsWith, "ends_with"),
        (false, false) => (BinaryOp::Equal, "=="),
    };
    let span = input.peek().span;
    let report =
        Diagnostic::error("W0017", span, "there is no `like` in weir", "a word of other languages");
    input.cx.report(if middle.contains(['%', '_']) {
        report.help("compare with a regular expression: `matches r\"^a.*b$\"`")
    } else {
        report.help(format!("write `{sign} \"{middle}\"`")).fix(
            format!("{sign} \"{middle}\""),
            span.to(text.span),
            format!("{sign} \"{middle}\""),
        )
    });
    Some((op, sign))
}

/// Whether an operator is written as a word here.
pub(super) fn comparison_word(input: Tokens<'_>) -> Option<()> {
    let word = input.word()?.to_ascii_lowercase();
    let logical =
        matches!(&*word, "and" | "or" | "not" | "between" | "like" | "ilike" | "unless" | "is");
    (logical || word_of_comparison(input).is_some()).then_some(())
}
