//! Expressions and paths: one function per rule of the grammar, loosest operator first.
//!
//! A chain of operators becomes a tree that leans to the left, as deep as the chain is long. Later phases walk it
//! recursively, so its height is limited here, exactly: every [`Tree`] knows how high it is.

mod arms;
mod comparison;
mod path;
mod value;

use nom::branch::alt;
use nom::{Err, Parser};

use super::tokens::{Fault, Parsed, Tokens, must, must_name, nested, sign, stop, too_deep, word};
use crate::ast::{BinaryOp, Expr, ExprKind, Spanned, UnaryOp};
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::source::Span;

use comparison::comparison;
use value::{call_args, primary};

pub(super) use arms::{arrow, wrong_sign};
pub(super) use path::{key, path, wrapper_steps};
pub(super) use value::{bad_number, digits, literal, runs_on, split_unit};

/// Highest tree that is built.
const HEIGHT_MAX: u32 = 256;

/// An expression and what the rules around it need to know.
struct Tree {
    expr: Expr,
    height: u32,
    /// What goes into the first `|>`, if the expression is a pipe without parentheses.
    piped: Option<Span>,
}

impl Tree {
    fn leaf(node: ExprKind, span: Span) -> Self {
        Self::over(node, span, 0)
    }

    /// A node whose highest part has this height.
    fn over(node: ExprKind, span: Span, height: u32) -> Self {
        Self { expr: Spanned { node, span }, height: height + 1, piped: None }
    }
}

/// `expr`
pub(super) fn expr(input: Tokens<'_>) -> Parsed<'_, Expr> {
    let (rest, tree) = tree(input)?;
    Ok((rest, tree.expr))
}

/// The expression of a text's braces and its height. Its errors are reported here, for its tokens are not those around
/// the text.
pub(super) fn embedded(input: Tokens<'_>, span: Span) -> (Expr, u32) {
    if let Some(report) = doubled_braces(input, span) {
        input.cx.syntax(report);
        return (Spanned { node: ExprKind::Error, span }, 0);
    }
    let fault = match must("a value between the braces", tree)(input) {
        Ok((rest, tree)) if rest.kind() == Kind::End => return (tree.expr, tree.height),
        Ok((rest, _)) => rest.expected("`}` after the value"),
        Err(Err::Failure(fault) | Err::Error(fault)) => fault,
        Err(Err::Incomplete(_)) => Fault::NotHere,
    };
    if let Fault::Wrong { mut diagnostic, .. } = fault {
        let help = "a brace that belongs to the text is written `\\{`";
        diagnostic.help.get_or_insert_with(|| help.to_owned());
        input.cx.syntax(*diagnostic);
    }
    (Spanned { node: ExprKind::Error, span }, 0)
}

/// `{{.a}}`
fn doubled_braces(input: Tokens<'_>, span: Span) -> Option<Diagnostic> {
    let written = input.slice(span);
    if !(written.starts_with('{') && written.ends_with('}') && written.len() > 2) {
        return None;
    }
    let inner = |from, to| Span::new(from, to);
    Some(
        Diagnostic::error(
            "W0025",
            inner(span.start - 1, span.end + 1),
            "one pair of braces is enough",
            "two pairs",
        )
        .help("write `\"{.a}\"`")
        .fix("remove one pair", inner(span.start, span.start + 1), "")
        .edit(inner(span.end - 1, span.end), ""),
    )
}

/// Whether a value can start here.
pub(super) fn starts_value(input: Tokens<'_>) -> bool {
    match input.kind() {
        Kind::String | Kind::SingleQuoted | Kind::Raw | Kind::Broken | Kind::Number => true,
        Kind::Unit | Kind::Dot | Kind::Dollar | Kind::ParenOpen | Kind::BracketOpen => true,
        Kind::Minus | Kind::Bang | Kind::ForeignWord => true,
        Kind::Word => {
            input.is_name()
                || matches!(
                    input.word(),
                    Some("if" | "match" | "not" | "true" | "false" | "missing")
                )
        }
        _ => false,
    }
}

fn tree(input: Tokens<'_>) -> Parsed<'_, Tree> {
    nested(input, |input| alt((conditional, or_expr)).parse(input))
}

/// `if c then a else b`
fn conditional(input: Tokens<'_>) -> Parsed<'_, Tree> {
    let (rest, _) = word("if")(input)?;
    let (rest, condition) = must("a condition after `if`", tree)(rest)?;
    let (rest, then, otherwise) = match rest.kind() {
        Kind::BraceOpen => braced_choice(rest)?,
        _ => choice(rest)?,
    };
    let height = condition.height.max(then.height).max(otherwise.height);
    let node = ExprKind::If {
        condition: Box::new(condition.expr),
        then: Box::new(then.expr),
        otherwise: Box::new(otherwise.expr),
    };
    finish(input, rest, node, height)
}

/// `then a else b`
fn choice(input: Tokens<'_>) -> Result<(Tokens<'_>, Tree, Tree), Err<Fault>> {
    let (rest, then) = must("a value after `then`", tree)(then_word(input)?)?;
    if !rest.is_word("else") {
        return Err(Err::Failure(no_else(rest)));
    }
    let mut rest = rest.advance();
    if rest.kind() == Kind::Colon {
        let span = rest.peek().span;
        rest.cx.report(
            Diagnostic::error("W0019", span, "no sign stands behind `else`", "not needed")
                .help("remove it")
                .fix("remove :", span, ""),
        );
        rest = rest.advance();
    }
    let (rest, otherwise) = must("a value after `else`", tree)(rest)?;
    Ok((rest, then, otherwise))
}

/// Behind the `then`, or behind what was written for it.
fn then_word(input: Tokens<'_>) -> Result<Tokens<'_>, Err<Fault>> {
    match input.kind() {
        _ if input.is_word("then") => Ok(input.advance()),
        Kind::Colon => {
            let span = input.peek().span;
            input.cx.report(
                wrong_sign(input, span, "then", "between a condition and its value")
                    .edit(Span::new(span.start, span.start), " "),
            );
            Ok(input.advance())
        }
        _ if upper_case(input, "then") => Ok(input.advance()),
        _ if starts_value(input) && !input.peek().line_start && input.kind() != Kind::Word => {
            input.cx.syntax(input.lacking("`then` after the condition", " then"));
            Ok(input)
        }
        _ => Err(Err::Failure(input.expected("`then` after the condition"))),
    }
}

/// A value and the braces around it.
fn braced(input: Tokens<'_>) -> Parsed<'_, (Span, Tree, Span)> {
    let (rest, open) = must("a value in braces", sign(Kind::BraceOpen))(input)?;
    let (rest, tree) = must("a value after `{`", tree)(rest)?;
    let (rest, close) = must("`}` after the value", sign(Kind::BraceClose))(rest)?;
    Ok((rest, (open.span, tree, close.span)))
}

/// `{ a } else { b }`, which is read as it was meant.
fn braced_choice(input: Tokens<'_>) -> Result<(Tokens<'_>, Tree, Tree), Err<Fault>> {
    let report = Diagnostic::error(
        "W0032",
        input.peek().span,
        "a choice of a value has no braces",
        "braces hold lines, not a value",
    )
    .help("write `if condition then a else b`");
    let both = braced(input).and_then(|(rest, first)| {
        let (rest, _) = must("`else`", word("else"))(rest)?;
        braced(rest).map(|(rest, second)| (rest, first, second))
    });
    let Ok((rest, (open, then, close), (other_open, otherwise, other_close))) = both else {
        return Err(Err::Failure(input.fault(report)));
    };
    input.cx.report(
        report
            .fix("then ... else ...", open, "then")
            .edit(close, "")
            .edit(other_open, "")
            .edit(other_close, ""),
    );
    Ok((rest, then, otherwise))
}

fn no_else(input: Tokens<'_>) -> Fault {
    let mut fault = input.expected("`else` and a value: an `if` gives a value in both cases");
    if let Fault::Wrong { diagnostic, .. } = &mut fault {
        diagnostic.help = Some("to leave the value out otherwise, write `else missing`".to_owned());
    }
    fault
}

/// A node from `input` to `rest`, unless it is too high.
fn finish<'t>(
    input: Tokens<'t>,
    rest: Tokens<'t>,
    node: ExprKind,
    height: u32,
) -> Parsed<'t, Tree> {
    let tree = Tree::over(node, input.span_to(rest), height);
    if tree.height > HEIGHT_MAX {
        return stop(too_deep(input, tree.expr.span));
    }
    Ok((rest, tree))
}

fn or_expr(input: Tokens<'_>) -> Parsed<'_, Tree> {
    chain(input, and_expr, |input| match input.kind() {
        Kind::OrOr => Some((foreign_operator(input, BinaryOp::Or, "or"), "or")),
        _ if upper_case(input, "or") => Some((BinaryOp::Or, "or")),
        _ => input.is_word("or").then_some((BinaryOp::Or, "or")),
    })
}

fn and_expr(input: Tokens<'_>) -> Parsed<'_, Tree> {
    chain(input, not_expr, |input| match input.kind() {
        Kind::AndAnd => Some((foreign_operator(input, BinaryOp::And, "and"), "and")),
        _ if upper_case(input, "and") => Some((BinaryOp::And, "and")),
        _ => input.is_word("and").then_some((BinaryOp::And, "and")),
    })
}

/// Whether an operator stands here in capitals, which is reported.
fn upper_case(input: Tokens<'_>, word: &str) -> bool {
    let written = input.word().unwrap_or_default();
    let found = written != word && written.eq_ignore_ascii_case(word) && !input.starts_assignment();
    if found {
        let span = input.peek().span;
        let message = format!("`{word}` is written in small letters");
        input.cx.report(
            Diagnostic::error("W0017", span, message, "in capitals")
                .help(format!("write `{word}`"))
                .fix(format!("{written} -> {word}"), span, word),
        );
    }
    found
}

/// Reports an operator of other languages and reads it as the word for it.
fn foreign_operator<T>(input: Tokens<'_>, op: T, word: &str) -> T {
    let token = input.peek();
    let sign = input.text(token);
    let touching = input.advance().touches();
    // `.a || "x"` is a habit of languages where a missing value counts as false.
    let next = input.advance().kind();
    let word = match next {
        Kind::String | Kind::SingleQuoted | Kind::Number if word == "or" => "??",
        _ => word,
    };
    input.cx.report(
        Diagnostic::error(
            "W0016",
            token.span,
            format!("`{sign}` is written `{word}` in weir"),
            "a sign of other languages",
        )
        .help(format!("write `{word}`"))
        .fix(
            format!("{sign} -> {word}"),
            token.span,
            format!("{word}{}", if touching { " " } else { "" }),
        ),
    );
    op
}

/// `{ "not" } comparison`
fn not_expr(input: Tokens<'_>) -> Parsed<'_, Tree> {
    let mut rest = input;
    loop {
        match rest.kind() {
            Kind::Bang => foreign_operator(rest, (), "not"),
            _ if rest.is_word("not") || !rest.peek().line_start && upper_case(rest, "not") => {}
            _ => break,
        }
        rest = rest.advance();
    }
    if rest.at == input.at {
        return comparison(input);
    }
    let (end, operand) = must("a condition after `not`", comparison)(rest)?;
    prefixed(input, rest, end, operand, UnaryOp::Not)
}

/// `operand` behind the same prefix, once for each token from `input` to `first`.
fn prefixed<'t>(
    input: Tokens<'t>,
    first: Tokens<'t>,
    end: Tokens<'t>,
    operand: Tree,
    op: UnaryOp,
) -> Parsed<'t, Tree> {
    let mut tree = operand;
    for at in (0..first.at - input.at).rev() {
        let start = input.skip(at);
        let node = ExprKind::Unary(op, Box::new(tree.expr));
        tree = finish(start, end, node, tree.height)?.1;
    }
    Ok((end, tree))
}

fn coalesce(input: Tokens<'_>) -> Parsed<'_, Tree> {
    chain(input, sum, |input| {
        (input.kind() == Kind::Coalesce).then_some((BinaryOp::Coalesce, "??"))
    })
}

fn sum(input: Tokens<'_>) -> Parsed<'_, Tree> {
    chain(input, product, |input| match input.kind() {
        Kind::Plus => Some((BinaryOp::Add, "+")),
        Kind::Minus => Some((BinaryOp::Subtract, "-")),
        _ => None,
    })
}

fn product(input: Tokens<'_>) -> Parsed<'_, Tree> {
    chain(input, pipe, |input| match input.kind() {
        Kind::Star => Some((BinaryOp::Multiply, "*")),
        Kind::Slash => Some((BinaryOp::Divide, "/")),
        _ => None,
    })
}

/// `operand { operator operand }`, leaning to the left.
fn chain<'t>(
    input: Tokens<'t>,
    operand: fn(Tokens<'t>) -> Parsed<'t, Tree>,
    operator: fn(Tokens<'t>) -> Option<(BinaryOp, &'static str)>,
) -> Parsed<'t, Tree> {
    let (mut rest, mut left) = operand(input)?;
    while let Some((op, sign)) = operator(rest) {
        let (after, right) = must_operand(sign, operand)(rest.advance())?;
        (rest, left) = binary(input, after, left, op, right, sign)?;
    }
    Ok((rest, left))
}

/// What stands behind an operator.
fn must_operand<'t>(
    sign: &'static str,
    operand: fn(Tokens<'t>) -> Parsed<'t, Tree>,
) -> impl Fn(Tokens<'t>) -> Parsed<'t, Tree> {
    move |input| match operand(input) {
        Err(Err::Error(_)) => stop(input.expected(format_args!("a value after `{sign}`"))),
        result => result,
    }
}

fn binary<'t>(
    input: Tokens<'t>,
    rest: Tokens<'t>,
    left: Tree,
    op: BinaryOp,
    right: Tree,
    sign: &str,
) -> Parsed<'t, Tree> {
    if let Some(subject) = right.piped {
        unclear_pipe(input, left.expr.span, sign, subject, right.expr.span);
    }
    let height = left.height.max(right.height);
    let node = ExprKind::Binary(op, Box::new(left.expr), Box::new(right.expr));
    finish(input, rest, node, height)
}

/// `a ?? b |> f`: people read it in two ways.
fn unclear_pipe(input: Tokens<'_>, left: Span, sign: &str, subject: Span, right: Span) {
    let written = |span: Span| input.cx.text.get(span.range()).unwrap_or_default();
    let (a, b) = (written(left), written(subject));
    let pipe = written(Span::new(subject.end, right.end)).trim();
    let diagnostic = Diagnostic::error(
        "W0110",
        left.to(right),
        format!("it is not clear what `{pipe}` applies to"),
        format!("only `{b}` would go into it"),
    )
    .help(format!("for both   `({a} {sign} {b}) {pipe}`\nfor `{b}`   `{a} {sign} ({b} {pipe})`"))
    .fix("parentheses around both", Span::new(left.start, left.start), "(")
    .edit(Span::new(subject.end, subject.end), ")");
    input.cx.report(diagnostic);
}

/// `unary { "|>" NAME [ args ] }`
fn pipe(input: Tokens<'_>) -> Parsed<'_, Tree> {
    let (mut rest, mut left) = unary(input)?;
    let mut subject = None;
    while rest.kind() == Kind::Pipe {
        subject.get_or_insert(left.expr.span);
        let (after, name) = must_name("a function after `|>`")(rest.advance())?;
        let (after, (args, height)) = match after.kind() {
            Kind::ParenOpen => call_args(after, &name)?,
            _ => (after, (Vec::new(), 0)),
        };
        let height = left.height.max(height);
        let node = ExprKind::Pipe { subject: Box::new(left.expr), name, args };
        (rest, left) = finish(input, after, node, height)?;
    }
    left.piped = subject.or(left.piped);
    Ok((rest, left))
}

/// `"-" unary | primary`
fn unary(input: Tokens<'_>) -> Parsed<'_, Tree> {
    let mut rest = input;
    while rest.kind() == Kind::Minus {
        rest = rest.advance();
    }
    if rest.at == input.at {
        return primary(input);
    }
    let (end, operand) = must("a number after `-`", primary)(rest)?;
    prefixed(input, rest, end, operand, UnaryOp::Negate)
}
