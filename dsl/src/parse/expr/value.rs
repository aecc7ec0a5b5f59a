//! What operators stand between: literals, names, calls, lists and what is in parentheses.

use nom::branch::alt;
use nom::{Err, Parser};

use super::arms::match_value;
use super::comparison::regex;
use super::path::steps;
use super::{Tree, conditional, finish, starts_value, tree};
use crate::ast::{Expr, ExprKind, Literal, Name, PathRoot, Spanned};
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::parse::tokens::{
    Fault, Parsed, Tokens, constant, must, name, nested, not_here, sign, stop,
};
use crate::parse::{foreign, text};
use crate::source::Span;

pub(super) fn primary(input: Tokens<'_>) -> Parsed<'_, Tree> {
    alt((literal_text, number_value, word_value, field, wrapper, list, parenthesised)).parse(input)
}

fn literal_text(input: Tokens<'_>) -> Parsed<'_, Tree> {
    let token = input.peek();
    let (node, height) = match token.kind {
        Kind::String | Kind::SingleQuoted | Kind::Broken => text::expression(input, token),
        Kind::Raw => (ExprKind::Raw(text::verbatim(input, token)), 0),
        _ => return not_here(),
    };
    if let Some(report) = foreign::method_of_text(input, input.advance()) {
        return stop(input.advance().fault(report));
    }
    finish(input, input.advance(), node, height)
}

fn number_value(input: Tokens<'_>) -> Parsed<'_, Tree> {
    let (rest, token) = alt((sign(Kind::Number), sign(Kind::Unit))).parse(input)?;
    let written = input.text(token);
    if runs_on(rest) {
        let span = bad_number(input, rest.peek().span);
        return Ok((rest.advance(), Tree::leaf(ExprKind::Error, span)));
    }
    let node = if token.kind == Kind::Number {
        ExprKind::Number(digits(written))
    } else {
        let (number, unit) = split_unit(written);
        ExprKind::Unit(number, unit)
    };
    Ok((rest, Tree::leaf(node, token.span)))
}

/// Whether a word stands right behind a number.
pub(in crate::parse) fn runs_on(rest: Tokens<'_>) -> bool {
    rest.touches() && matches!(rest.kind(), Kind::Word | Kind::ForeignWord)
}

/// A number without its separators.
pub(in crate::parse) fn digits(written: &str) -> String {
    written.replace('_', "")
}

/// `5m` as `5` and `m`.
pub(in crate::parse) fn split_unit(written: &str) -> (String, String) {
    let at = written.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(written.len());
    (written[..at].to_owned(), written[at..].to_owned())
}

/// Reports a number that runs into letters, with what was most likely meant; gives its place.
pub(in crate::parse) fn bad_number(input: Tokens<'_>, tail: Span) -> Span {
    let token = input.peek();
    let span = token.span.to(tail);
    let written = input.cx.text.get(span.range()).unwrap_or_default();
    let (number, unit) = split_unit(written);
    let mut diagnostic =
        Diagnostic::error("W0014", span, format!("`{written}` is not a number"), "not understood")
            .note(
                "sizes end in KiB, MiB or GiB, durations in ms, s, m, h or d, without a fraction",
            );
    let meant = match unit.to_ascii_lowercase().as_str() {
        "k" | "kb" | "kib" => "KiB",
        "mb" | "mib" => "MiB",
        "g" | "gb" | "gib" => "GiB",
        "sec" | "secs" | "second" | "seconds" => "s",
        "min" | "mins" | "minute" | "minutes" => "m",
        "hour" | "hours" | "hr" => "h",
        "day" | "days" => "d",
        _ => "",
    };
    if !meant.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
        let fixed = format!("{number}{meant}");
        diagnostic = diagnostic.help(format!("write `{fixed}`")).fix(
            format!("{written} -> {fixed}"),
            span,
            fixed,
        );
    }
    if diagnostic.help.is_none() {
        diagnostic = meant_number(diagnostic, written, span);
    }
    input.cx.report(diagnostic);
    span
}

/// `1e6`, `0xFF`, `1.5h`: what weir writes for it.
fn meant_number(diagnostic: Diagnostic, written: &str, span: Span) -> Diagnostic {
    let lower = written.to_ascii_lowercase().replace('_', "");
    let power = lower.split_once('e').and_then(|(mantissa, power)| {
        let power = power.parse::<usize>().ok().filter(|power| *power <= 18)?;
        let mantissa = mantissa.parse::<u64>().ok()?;
        Some(format!("{mantissa}{}", "0".repeat(power)))
    });
    let hexadecimal = || {
        let digits = lower.strip_prefix("0x")?;
        i64::from_str_radix(digits, 16).ok().map(|number| number.to_string())
    };
    // A fraction of a larger unit as a whole number of the next smaller one.
    let fraction = || {
        let (number, unit) = split_unit(&lower);
        let (smaller, times) = match unit.as_str() {
            "d" => ("h", 24),
            "h" => ("m", 60),
            "m" => ("s", 60),
            "s" => ("ms", 1000),
            _ => return None,
        };
        let (whole, tenths) = number.split_once('.')?;
        let scale = 10_u64.checked_pow(u32::try_from(tenths.len()).ok()?)?;
        let parts = format!("{whole}{tenths}").parse::<u64>().ok()?.checked_mul(times)?;
        (parts % scale == 0).then(|| format!("{}{smaller}", parts / scale))
    };
    match power.or_else(hexadecimal).or_else(fraction) {
        Some(fixed) => diagnostic.help(format!("write `{fixed}`")).fix(
            format!("{written} -> {fixed}"),
            span,
            fixed,
        ),
        None => diagnostic.help(format!("a text stands in quotes: \"{written}\"")),
    }
}

/// What starts with a word: a constant, a `match`, a name, a call.
fn word_value(input: Tokens<'_>) -> Parsed<'_, Tree> {
    let token = input.peek();
    let constant = |node| Ok((input.advance(), Tree::leaf(node, token.span)));
    match input.word() {
        Some("true") => return constant(ExprKind::Bool(true)),
        Some("false") => return constant(ExprKind::Bool(false)),
        Some("missing") => return constant(ExprKind::Missing),
        Some("match") => return match_value(input),
        Some("if") => return bare_if(input),
        Some("switch") if starts_value(input.advance()) && !input.advance().touches() => {
            return switch_value(input);
        }
        _ => {}
    }
    if token.line_start && starts_next_entry(input) {
        return not_here();
    }
    if let Some(value) = capital_constant(input) {
        return constant(value);
    }
    if let Some(text) = prefixed_text(input) {
        return literal_text(text);
    }
    if let Some(report) = foreign::bare_words(input) {
        return stop(input.fault(report));
    }
    let (mut rest, name) = name(input)?;
    if rest.kind() == Kind::Bang && rest.touches() && rest.ahead(1).kind == Kind::ParenOpen {
        let span = rest.peek().span;
        rest.cx.report(
            Diagnostic::error("W0016", span, "no `!` stands behind a function", "not needed")
                .help("remove it; what happens to a value that cannot be read is said behind it: `on invalid \"unknown\"`")
                .fix("remove !", span, ""),
        );
        rest = rest.advance();
    }
    if rest.kind() == Kind::ParenOpen {
        let (rest, (args, height)) = call_args(rest, &name)?;
        let (rest, call) = finish(input, rest, ExprKind::Call { name, args }, height)?;
        return continued(input, rest, call);
    }
    let (rest, (steps, height)) = steps(rest)?;
    if !steps.is_empty() {
        return finish(input, rest, ExprKind::Path { root: PathRoot::Name(name), steps }, height);
    }
    if is_null(&name.node) {
        null(input);
        return constant(ExprKind::Missing);
    }
    Ok((rest, Tree::leaf(ExprKind::Name(name.node), name.span)))
}

/// Whether the next entry stands here, which means that a value was forgotten. `match` and `when` have a value before
/// their `{`, too, but not behind a sign.
fn starts_next_entry(input: Tokens<'_>) -> bool {
    let behind_sign =
        input.previous().is_some_and(|token| matches!(token.kind, Kind::Assign | Kind::Arrow));
    match input.assignment_sign() {
        Some(Kind::BraceOpen) => behind_sign,
        sign => sign.is_some(),
    }
}

pub(super) fn is_null(word: &str) -> bool {
    matches!(
        word,
        "null"
            | "nil"
            | "None"
            | "undefined"
            | "NULL"
            | "Null"
            | "NONE"
            | "MISSING"
            | "Missing"
            | "NaN"
    )
}

/// `True` and `FALSE`, which are reported.
fn capital_constant(input: Tokens<'_>) -> Option<ExprKind> {
    let word = input.word()?;
    let (right, value) = match word {
        "True" | "TRUE" => ("true", true),
        "False" | "FALSE" => ("false", false),
        _ => return None,
    };
    let span = input.peek().span;
    input.cx.report(
        Diagnostic::error(
            "W0017",
            span,
            format!("`{right}` is written in small letters"),
            "with a capital",
        )
        .help(format!("write `{right}`"))
        .fix(format!("{word} -> {right}"), span, right),
    );
    Some(ExprKind::Bool(value))
}

/// Behind the `f` of `f"..."`, which is reported.
fn prefixed_text(input: Tokens<'_>) -> Option<Tokens<'_>> {
    let prefix = input.word().filter(|word| word.len() <= 2)?;
    let text = input.advance();
    if !text.touches() || !matches!(text.kind(), Kind::String | Kind::SingleQuoted) {
        return None;
    }
    let span = input.peek().span;
    input.cx.report(
        Diagnostic::error(
            "W0037",
            span,
            format!("no `{prefix}` stands before a text"),
            "not needed",
        )
        .help("remove it: a value in braces stands in every text, as in `\"{.a}/{.b}\"`")
        .fix(format!("remove {prefix}"), span, ""),
    );
    Some(text)
}

/// `switch x { ... }`, which is read as a `match`.
fn switch_value(input: Tokens<'_>) -> Parsed<'_, Tree> {
    let span = input.peek().span;
    input.cx.report(
        Diagnostic::error(
            "W0017",
            span,
            "a choice by text is written `match`",
            "a word of other languages",
        )
        .help("write `match .a { \"x\" => \"y\"  else => \"z\" }`")
        .fix("switch -> match", span, "match"),
    );
    match_value(input)
}

pub(super) fn null(input: Tokens<'_>) {
    let token = input.peek();
    let word = input.text(token);
    input.cx.report(
        Diagnostic::error(
            "W0017",
            token.span,
            format!("`{word}` is called `missing` in weir"),
            "a word of other languages",
        )
        .help("write `missing`; to ask for it, `x is missing`")
        .fix(format!("{word} -> missing"), token.span, "missing"),
    );
}

/// `a ?? if c then b else d`: without parentheses nobody sees where it ends.
fn bare_if(input: Tokens<'_>) -> Parsed<'_, Tree> {
    let (rest, tree) = nested(input, conditional)?;
    let span = tree.expr.span;
    let diagnostic = Diagnostic::error(
        "W0001",
        span,
        "an `if` inside a larger expression stands in parentheses",
        "its `else` reaches as far as it can",
    )
    .help("write `(if ... then ... else ...)`")
    .fix("parentheses", Span::new(span.start, span.start), "(")
    .edit(Span::new(span.end, span.end), ")");
    input.cx.report(diagnostic);
    Ok((rest, tree))
}

/// `.a.b`
pub(super) fn field(input: Tokens<'_>) -> Parsed<'_, Tree> {
    if input.kind() != Kind::Dot {
        return not_here();
    }
    let (rest, (steps, height)) = steps(input)?;
    finish(input, rest, ExprKind::Path { root: PathRoot::Record, steps }, height)
}

/// `$.a`
pub(super) fn wrapper(input: Tokens<'_>) -> Parsed<'_, Tree> {
    let (rest, _) = sign(Kind::Dollar)(input)?;
    let (rest, (steps, height)) = steps(rest)?;
    finish(input, rest, ExprKind::Path { root: PathRoot::Wrapper, steps }, height)
}

/// `(expr).a`
fn parenthesised(input: Tokens<'_>) -> Parsed<'_, Tree> {
    let (rest, _) = sign(Kind::ParenOpen)(input)?;
    let (rest, mut tree) = must("a value after `(`", tree)(rest)?;
    let rest = close(rest, Kind::ParenClose, "`)`")?;
    tree.expr.span = input.span_to(rest);
    tree.piped = None;
    continued(input, rest, tree)
}

/// Steps behind a value that is no name.
fn continued<'t>(input: Tokens<'t>, rest: Tokens<'t>, tree: Tree) -> Parsed<'t, Tree> {
    let (rest, (steps, height)) = steps(rest)?;
    if steps.is_empty() {
        return Ok((rest, tree));
    }
    let height = height.max(tree.height);
    let root = PathRoot::Expr(Box::new(tree.expr));
    finish(input, rest, ExprKind::Path { root, steps }, height)
}

/// Behind a closing sign; if it is not there, says so and goes on as if it were.
pub(super) fn close<'t>(
    input: Tokens<'t>,
    kind: Kind,
    sign: &'static str,
) -> Result<Tokens<'t>, Err<Fault>> {
    if input.kind() == kind {
        return Ok(input.advance());
    }
    let fault = input.expected(sign);
    match fault {
        Fault::Wrong { diagnostic, .. } if input.kind() != Kind::Comma => {
            let report = match diagnostic.code {
                "W0001" => Diagnostic { code: "W0008", help: None, ..*diagnostic },
                _ => *diagnostic,
            };
            input.cx.syntax(report);
            Ok(input)
        }
        fault => Err(Err::Failure(fault)),
    }
}

/// `[a, b]`
fn list(input: Tokens<'_>) -> Parsed<'_, Tree> {
    let (rest, _) = sign(Kind::BracketOpen)(input)?;
    let (rest, (items, height)) = items(rest, Kind::BracketClose, "`,` or `]`", tree)?;
    finish(input, rest, ExprKind::List(items), height)
}

/// `(a, b)` of a call. `extract` and `grok` take patterns full of braces and backslashes, which may have been written as
/// an ordinary text.
pub(super) fn call_args<'t>(input: Tokens<'t>, name: &Name) -> Parsed<'t, (Vec<Expr>, u32)> {
    let argument = |input: Tokens<'t>| match input.kind() {
        Kind::String if matches!(&*name.node, "extract" | "grok") => regex(input),
        _ => tree(input),
    };
    items(input.advance(), Kind::ParenClose, "`,` or `)`", argument)
}

/// Values between commas up to the closing sign, and the height of the highest.
pub(super) fn items<'t>(
    input: Tokens<'t>,
    closing: Kind,
    expected: &'static str,
    item: impl Fn(Tokens<'t>) -> Parsed<'t, Tree>,
) -> Parsed<'t, (Vec<Expr>, u32)> {
    let (mut rest, mut items, mut height) = (input, Vec::new(), 0);
    while rest.kind() != closing {
        let (after, tree) = match item(rest) {
            Err(Err::Error(_)) => return stop(rest.expected("a value")),
            result => result?,
        };
        height = height.max(tree.height);
        items.push(tree.expr);
        rest = match after.kind() {
            Kind::Comma => trailing_comma(after, closing),
            kind if kind != closing && starts_value(after) && !after.peek().line_start => {
                missing_comma(after);
                after
            }
            kind if kind != closing => {
                return Ok((close(after, closing, expected)?, (items, height)));
            }
            _ => after,
        };
    }
    Ok((rest.advance(), (items, height)))
}

fn trailing_comma(input: Tokens<'_>, closing: Kind) -> Tokens<'_> {
    let rest = input.advance();
    if rest.kind() == closing {
        let span = input.peek().span;
        input.cx.report(
            Diagnostic::error("W0018", span, "no comma stands behind the last value", "not needed")
                .help("remove it")
                .fix("remove ,", span, ""),
        );
    }
    rest
}

fn missing_comma(input: Tokens<'_>) {
    input.cx.syntax(input.lacking("`,` between two values", ","));
}

/// `[ "-" ] NUMBER | STRING | "true" | "false"`
pub(in crate::parse) fn literal(input: Tokens<'_>) -> Parsed<'_, Spanned<Literal>> {
    let minus = input.kind() == Kind::Minus;
    let at = if minus { input.advance() } else { input };
    let token = at.peek();
    let rest = at.advance();
    let node = match (token.kind, at.word()) {
        (Kind::Number, _) if runs_on(rest) => {
            bad_number(at, rest.peek().span);
            let rest = rest.advance();
            let node = Literal::Number("0".to_owned());
            return Ok((rest, Spanned { node, span: input.span_to(rest) }));
        }
        (Kind::Number, _) if minus => Literal::Number(format!("-{}", digits(at.text(token)))),
        (Kind::Number, _) => Literal::Number(digits(at.text(token))),
        _ if minus => return stop(at.expected("a number after `-`")),
        (_, Some("true")) => Literal::Bool(true),
        (_, Some("false")) => Literal::Bool(false),
        _ => {
            let (rest, text) = constant(input)?;
            return Ok((rest, Spanned { node: Literal::Text(text.node), span: text.span }));
        }
    };
    Ok((rest, Spanned { node, span: input.span_to(rest) }))
}
