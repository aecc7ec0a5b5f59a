//! Comparisons: `==`, `in`, `matches`, `is`.

use super::value::{is_null, items, null};
use super::{Tree, binary, coalesce, finish, must_operand, tree};
use crate::ast::{BinaryOp, ExprKind, IsWhat, UnaryOp};
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::parse::tokens::{Parsed, Tokens, is_reserved, stop};
use crate::parse::{foreign, text};
use crate::source::Span;

pub(super) fn comparison(input: Tokens<'_>) -> Parsed<'_, Tree> {
    let (mut rest, mut left) = coalesce(input)?;
    let mut compared = false;
    loop {
        let sign = rest.peek();
        let next = if rest.is_word("is") {
            is_what(input, rest, left)?
        } else if let Some(op) = rest.is_word("not").then(|| compare_op(rest.advance())).flatten() {
            not_compared(input, rest, left, op)?
        } else if let Some((op, sign)) = foreign::like(rest) {
            compare(input, rest.advance(), left, op, sign)?
        } else if let Some((op, sign, tokens, negated)) = foreign::comparison(rest) {
            if negated {
                return stop(rest.fault(not_matched(rest)));
            }
            compare(input, rest.skip(tokens), left, op, sign)?
        } else if let Some((op, sign)) = compare_op(rest) {
            compare(input, rest.advance(), left, op, sign)?
        } else {
            return Ok((rest, left));
        };
        (rest, left) = next;
        if std::mem::replace(&mut compared, true) {
            rest.cx.syntax(
                Diagnostic::error("W0030", sign.span, "comparisons do not chain", "a second one")
                    .help("compare twice: `a < b and b < c`"),
            );
            left.expr.node = ExprKind::Error;
        }
    }
}

/// `.a !~ r"..."`
fn not_matched(input: Tokens<'_>) -> Diagnostic {
    let span = input.peek().span.to(input.ahead(1).span);
    Diagnostic::error("W0016", span, "there is no `!~` in weir", "a sign of other languages")
        .help("write `not (.a matches r\"...\")`")
}

fn compare_op(input: Tokens<'_>) -> Option<(BinaryOp, &'static str)> {
    let op = match input.kind() {
        Kind::Equal => (BinaryOp::Equal, "=="),
        Kind::NotEqual => (BinaryOp::NotEqual, "!="),
        Kind::Less => (BinaryOp::Less, "<"),
        Kind::LessEqual => (BinaryOp::LessEqual, "<="),
        Kind::Greater => (BinaryOp::Greater, ">"),
        Kind::GreaterEqual => (BinaryOp::GreaterEqual, ">="),
        Kind::Assign if !input.peek().line_start => {
            let span = input.peek().span;
            input.cx.repair(
                Diagnostic::error(
                    "W0020",
                    span,
                    "two values are compared with `==`",
                    "sets a value",
                )
                .help("write `==`")
                .fix("= -> ==", span, "=="),
            );
            (BinaryOp::Equal, "==")
        }
        Kind::Word => match input.word() {
            Some("in") => (BinaryOp::In, "in"),
            Some("starts_with") => (BinaryOp::StartsWith, "starts_with"),
            Some("ends_with") => (BinaryOp::EndsWith, "ends_with"),
            Some("contains") => (BinaryOp::Contains, "contains"),
            Some("matches") => (BinaryOp::Matches, "matches"),
            _ => return None,
        },
        _ => return None,
    };
    Some(op)
}

fn compare<'t>(
    input: Tokens<'t>,
    operand: Tokens<'t>,
    left: Tree,
    op: BinaryOp,
    sign: &'static str,
) -> Parsed<'t, Tree> {
    let (rest, right) = match op {
        BinaryOp::Matches => must_operand(sign, regex)(operand)?,
        BinaryOp::In if is_list_in_parentheses(operand) => list_in_parentheses(operand)?,
        _ => must_operand(sign, coalesce)(operand)?,
    };
    binary(input, rest, left, op, right, sign)
}

/// Stand values in parentheses, as in other languages, and no expression such as `(.tags[*] |> take(9))`? The first value
/// tells: no token is looked at for two pairs of them.
fn is_list_in_parentheses(input: Tokens<'_>) -> bool {
    if input.kind() != Kind::ParenOpen {
        return false;
    }
    for at in 1.. {
        match input.ahead(at).kind {
            Kind::Comma => return true,
            // A name alone may be that of a list.
            Kind::ParenClose => return at == 1 || input.ahead(1).kind != Kind::Word,
            Kind::String | Kind::SingleQuoted | Kind::Raw | Kind::Number => {}
            Kind::Minus | Kind::Dot => {}
            Kind::Word => match input.word_ahead(at) {
                Some("true" | "false" | "missing") => {}
                Some(word) if !is_reserved(word) => {}
                _ => return false,
            },
            _ => return false,
        }
    }
    false
}

/// `("a", "b")` behind `in`, which is read as a list.
fn list_in_parentheses(input: Tokens<'_>) -> Parsed<'_, Tree> {
    let (rest, (items, height)) = items(input.advance(), Kind::ParenClose, "`,` or `)`", tree)?;
    let (open, close) =
        (input.peek().span, rest.behind(1).map_or(input.peek().span, |token| token.span));
    input.cx.report(
        Diagnostic::error("W0019", open.to(close), "a list stands in `[ ]`", "in parentheses")
            .help("write `[\"a\", \"b\"]`")
            .fix("( ) -> [ ]", open, "[")
            .edit(close, "]"),
    );
    finish(input, rest, ExprKind::List(items), height)
}

/// `.a not in [...]`, which is read as it was meant.
fn not_compared<'t>(
    input: Tokens<'t>,
    not: Tokens<'t>,
    left: Tree,
    (op, sign): (BinaryOp, &'static str),
) -> Parsed<'t, Tree> {
    let (start, word) = (left.expr.span.start, not.peek().span);
    let (rest, tree) = compare(input, not.skip(2), left, op, sign)?;
    let end = tree.expr.span.end;
    rest.cx.repair(
        Diagnostic::error(
            "W0001",
            word,
            "`not` stands before the whole comparison",
            format!("not before `{sign}`"),
        )
        .help(format!("write `not (... {sign} ...)`"))
        .fix("move `not`", Span::new(start, start), "not (")
        .edit(Span::new(word.start, not.ahead(1).span.start), "")
        .edit(Span::new(end, end), ")"),
    );
    let height = tree.height;
    finish(input, rest, ExprKind::Unary(UnaryOp::Not, Box::new(tree.expr)), height)
}

/// A regular expression, which may have been written as an ordinary text.
pub(super) fn regex(input: Tokens<'_>) -> Parsed<'_, Tree> {
    let token = input.peek();
    if token.kind != Kind::String {
        return coalesce(input);
    }
    let written = text::verbatim(input, token);
    let raw = format!("r\"{}\"", written.replace("\\\\", "\\"));
    let diagnostic = Diagnostic::error(
        "W0115",
        token.span,
        "a regular expression is written `r\"...\"`",
        "an ordinary text: its braces and backslashes mean something else",
    )
    .help(format!("write {raw}"));
    input.cx.report(if written.contains('"') {
        diagnostic
    } else {
        diagnostic.fix("write r\"...\"", token.span, raw)
    });
    Ok((input.advance(), Tree::leaf(ExprKind::Raw(written), token.span)))
}

/// `is [not] missing`, behind its subject.
fn is_what<'t>(input: Tokens<'t>, is: Tokens<'t>, subject: Tree) -> Parsed<'t, Tree> {
    let mut rest = is.advance();
    let negated = rest.is_word("not");
    if negated {
        rest = rest.advance();
    }
    let what = match rest.word() {
        Some("missing") => IsWhat::Missing,
        Some("present") => IsWhat::Present,
        Some("invalid") => IsWhat::Invalid,
        Some(word) if is_null(word) => {
            null(rest);
            IsWhat::Missing
        }
        _ if matches!(rest.kind(), Kind::String | Kind::SingleQuoted | Kind::Number) => {
            return is_value(input, is, rest, subject, negated);
        }
        Some("empty" | "blank" | "EMPTY") if !rest.peek().line_start => {
            let span = rest.peek().span;
            rest.cx.report(
                Diagnostic::error(
                    "W0017",
                    span,
                    "an empty text is missing",
                    "a word of other languages",
                )
                .help("write `is missing`")
                .fix("missing", span, "missing"),
            );
            IsWhat::Missing
        }
        _ => return stop(rest.expected("`missing`, `present` or `invalid` after `is`")),
    };
    let height = subject.height;
    let node = ExprKind::Is { subject: Box::new(subject.expr), negated, what };
    finish(input, rest.advance(), node, height)
}

/// `.a is "x"`, which is read as a comparison.
fn is_value<'t>(
    input: Tokens<'t>,
    is: Tokens<'t>,
    value: Tokens<'t>,
    subject: Tree,
    negated: bool,
) -> Parsed<'t, Tree> {
    let (op, sign) = if negated { (BinaryOp::NotEqual, "!=") } else { (BinaryOp::Equal, "==") };
    let span = is.span_to(value);
    let written = is.slice(span);
    is.cx.report(
        Diagnostic::error(
            "W0017",
            span,
            format!("two values are compared with `{sign}`"),
            "asks only whether it is there",
        )
        .help(format!("write `{sign}`"))
        .fix(format!("{written} -> {sign}"), span, sign),
    );
    compare(input, value, subject, op, sign)
}
