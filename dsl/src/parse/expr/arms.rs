//! `match`: its arms and their patterns.

use nom::Err;

use super::value::digits;
use super::{Tree, finish, foreign_operator, starts_value, tree};
use crate::ast::{Arm, BinaryOp, Expr, ExprKind, Pattern, Spanned};
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::parse::text;
use crate::parse::tokens::{Fault, Parsed, Shape, Tokens, braces, must, stop};
use crate::source::Span;

const MATCH: Shape = Shape {
    owner: "`match`",
    expected: "an arm such as `\"text\" => value`, or `}`",
    starts: |input| {
        matches!(
            input.kind(),
            Kind::String | Kind::SingleQuoted | Kind::Broken | Kind::Number | Kind::Minus
        ) || matches!(input.word(), Some("else" | "true" | "false"))
    },
};

/// One line of a `match` as read.
struct ArmLine {
    /// `None` for `else`.
    patterns: Option<Vec<Spanned<Pattern>>>,
    value: Tree,
    span: Span,
}

pub(super) fn match_value(input: Tokens<'_>) -> Parsed<'_, Tree> {
    let (rest, subject) = must("a value after `match`", tree)(input.advance())?;
    let (rest, (lines, _)) = braces(rest, &MATCH, arm)?;
    let mut height = subject.height;
    let (mut arms, mut otherwise) = (Vec::new(), None);
    for line in lines {
        height = height.max(line.value.height);
        if let Some(before) = &otherwise {
            else_is_last(input, line.span, before);
        }
        match line.patterns {
            Some(patterns) => arms.push(Arm { patterns, value: line.value.expr }),
            None => otherwise = Some(line.value.expr),
        }
    }
    let otherwise = otherwise.map(Box::new);
    let node = ExprKind::Match { subject: Box::new(subject.expr), arms, otherwise };
    finish(input, rest, node, height)
}

fn else_is_last(input: Tokens<'_>, line: Span, otherwise: &Expr) {
    input.cx.report(
        Diagnostic::error("W0026", line, "nothing stands behind `else`", "never reached")
            .label(otherwise.span, "the `else` takes everything that is left")
            .help("put the `else` last, once"),
    );
}

fn arm(input: Tokens<'_>) -> Parsed<'_, ArmLine> {
    let (rest, patterns) = if input.is_word("else") {
        (input.advance(), None)
    } else {
        let (rest, patterns) = patterns(input)?;
        (rest, Some(patterns))
    };
    let rest = arrow(rest)?;
    let (rest, value) = must("a value after `=>`", tree)(rest)?;
    if rest.kind() == Kind::Arrow
        && let ExprKind::Binary(BinaryOp::Subtract, ..) = value.expr.node
    {
        let minus = rest.behind(2).map_or(rest.peek().span, |token| token.span);
        return stop(rest.fault(negative_pattern(minus)));
    }
    Ok((rest, ArmLine { patterns, value, span: input.span_to(rest) }))
}

/// `pattern { "|" pattern }`
fn patterns(input: Tokens<'_>) -> Parsed<'_, Vec<Spanned<Pattern>>> {
    let (mut rest, first) = pattern(input)?;
    let mut patterns = vec![first];
    while matches!(rest.kind(), Kind::Bar | Kind::OrOr | Kind::Comma) || rest.is_word("or") {
        if rest.kind() == Kind::OrOr {
            foreign_operator(rest, (), "|");
        } else if rest.kind() != Kind::Bar {
            let span = rest.peek().span;
            rest.cx.report(wrong_sign(rest, span, "|", "between two patterns"));
        }
        let (after, next) = must("another pattern after `|`", pattern)(rest.advance())?;
        patterns.push(next);
        rest = after;
    }
    Ok((rest, patterns))
}

fn pattern(input: Tokens<'_>) -> Parsed<'_, Spanned<Pattern>> {
    let token = input.peek();
    let node = match (token.kind, input.word()) {
        (Kind::Number, _) => Pattern::Number(digits(input.text(token))),
        (_, Some("true")) => Pattern::Bool(true),
        (_, Some("false")) => Pattern::Bool(false),
        (Kind::Minus, _) if input.advance().kind() == Kind::Number => {
            return stop(input.fault(negative_pattern(token.span)));
        }
        _ => return text::pattern(input),
    };
    Ok((input.advance(), Spanned { node, span: token.span }))
}

fn negative_pattern(span: Span) -> Diagnostic {
    Diagnostic::error(
        "W0012",
        span,
        "a pattern cannot be negative",
        "would be read as a subtraction",
    )
    .help("compare instead: `if x == -1 then ... else match x { ... }`")
}

/// `=>`, or what other languages write for it.
pub(in crate::parse) fn arrow(input: Tokens<'_>) -> Result<Tokens<'_>, Err<Fault>> {
    let next = input.advance();
    let tokens = match input.kind() {
        Kind::Arrow => return Ok(input.advance()),
        Kind::Assign | Kind::Colon => 1,
        Kind::Minus if next.kind() == Kind::Greater && next.touches() => 2,
        Kind::Dot if next.kind() == Kind::Dot => {
            return Err(Err::Failure(input.fault(no_range(input))));
        }
        _ if starts_value(input) && !input.peek().line_start => {
            input.cx.syntax(input.lacking("`=>` after the pattern", " =>"));
            return Ok(input);
        }
        _ => return Err(Err::Failure(input.expected("`=>` after the pattern"))),
    };
    let rest = input.skip(tokens);
    let span = input.span_to(rest);
    input.cx.report(wrong_sign(input, span, "=>", "between a pattern and its value"));
    Ok(rest)
}

/// `200..299`
fn no_range(input: Tokens<'_>) -> Diagnostic {
    let span = input.peek().span.to(input.ahead(1).span);
    Diagnostic::error("W0032", span, "a pattern is one value, not a range", "no ranges")
        .help("compare instead: `if .a >= 200 and .a < 300 then ... else ...`")
}

/// A sign of other languages with the one that weir has for it.
pub(in crate::parse) fn wrong_sign(
    input: Tokens<'_>,
    span: Span,
    right: &str,
    place: &str,
) -> Diagnostic {
    let wrong = input.cx.text.get(span.range()).unwrap_or_default();
    Diagnostic::error("W0019", span, format!("`{right}` stands {place}"), format!("not `{wrong}`"))
        .help(format!("write `{right}`"))
        .fix(format!("{wrong} -> {right}"), span, right)
}
