//! Expressions and paths: one function per rule of the grammar, loosest operator first.
//!
//! A chain of operators becomes a tree that leans to the left, as deep as the chain is long. Later phases walk it
//! recursively, so its height is limited here, exactly: every [`Tree`] knows how high it is.

use nom::branch::alt;
use nom::multi::separated_list1;
use nom::{Err, Parser};

use crate::ast::{
    Arm, BinaryOp, Expr, ExprKind, IsWhat, Literal, Name, PathRoot, PathStep, Pattern, Spanned,
    Text, UnaryOp,
};
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::source::Span;

use super::foreign;
use super::text;
use super::tokens::{
    Fault, Parsed, Shape, Tokens, braces, constant, must, must_name, name, nested, not_here, sign,
    spanned, stop, too_deep, word,
};

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
        Kind::OrOr => Some((foreign(input, BinaryOp::Or, "or"), "or")),
        _ if upper_case(input, "or") => Some((BinaryOp::Or, "or")),
        _ => input.is_word("or").then_some((BinaryOp::Or, "or")),
    })
}

fn and_expr(input: Tokens<'_>) -> Parsed<'_, Tree> {
    chain(input, not_expr, |input| match input.kind() {
        Kind::AndAnd => Some((foreign(input, BinaryOp::And, "and"), "and")),
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
fn foreign<T>(input: Tokens<'_>, op: T, word: &str) -> T {
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
            Kind::Bang => foreign(rest, (), "not"),
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

fn comparison(input: Tokens<'_>) -> Parsed<'_, Tree> {
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
        BinaryOp::In if operand.kind() == Kind::ParenOpen => list_in_parentheses(operand)?,
        _ => must_operand(sign, coalesce)(operand)?,
    };
    binary(input, rest, left, op, right, sign)
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
fn regex(input: Tokens<'_>) -> Parsed<'_, Tree> {
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

fn primary(input: Tokens<'_>) -> Parsed<'_, Tree> {
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
pub(super) fn runs_on(rest: Tokens<'_>) -> bool {
    rest.touches() && matches!(rest.kind(), Kind::Word | Kind::ForeignWord)
}

/// A number without its separators.
pub(super) fn digits(written: &str) -> String {
    written.replace('_', "")
}

/// `5m` as `5` and `m`.
pub(super) fn split_unit(written: &str) -> (String, String) {
    let at = written.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(written.len());
    (written[..at].to_owned(), written[at..].to_owned())
}

/// Reports a number that runs into letters, with what was most likely meant; gives its place.
pub(super) fn bad_number(input: Tokens<'_>, tail: Span) -> Span {
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
    input.cx.report(diagnostic);
    span
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

fn is_null(word: &str) -> bool {
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

fn null(input: Tokens<'_>) {
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
fn field(input: Tokens<'_>) -> Parsed<'_, Tree> {
    if input.kind() != Kind::Dot {
        return not_here();
    }
    let (rest, (steps, height)) = steps(input)?;
    finish(input, rest, ExprKind::Path { root: PathRoot::Record, steps }, height)
}

/// `$.a`
fn wrapper(input: Tokens<'_>) -> Parsed<'_, Tree> {
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
fn close<'t>(input: Tokens<'t>, kind: Kind, sign: &'static str) -> Result<Tokens<'t>, Err<Fault>> {
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
fn call_args<'t>(input: Tokens<'t>, name: &Name) -> Parsed<'t, (Vec<Expr>, u32)> {
    let argument = |input: Tokens<'t>| match input.kind() {
        Kind::String if matches!(&*name.node, "extract" | "grok") => regex(input),
        _ => tree(input),
    };
    items(input.advance(), Kind::ParenClose, "`,` or `)`", argument)
}

/// Values between commas up to the closing sign, and the height of the highest.
fn items<'t>(
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

/// `{ "." segment | "[" ( "*" | expr ) "]" }` and the height of the highest index.
fn steps(input: Tokens<'_>) -> Parsed<'_, (Vec<PathStep>, u32)> {
    let (mut rest, mut steps, mut height) = (input, Vec::new(), 0);
    loop {
        match rest.kind() {
            Kind::Dot if rest.at == input.at || !rest.peek().line_start => {
                if let Some(report) = foreign::joined(rest).filter(|_| rest.at != input.at) {
                    return stop(rest.fault(report));
                }
                if rest.at != input.at {
                    no_space_before(rest);
                }
                let (after, step) = segment(rest.advance())?;
                if let Some(report) = foreign::method(input, after) {
                    return stop(after.fault(report));
                }
                steps.push(step);
                rest = after;
            }
            Kind::BracketOpen => {
                let (after, (step, step_height)) = index(rest)?;
                steps.push(step);
                height = height.max(step_height);
                rest = after;
            }
            _ => return Ok((rest, (steps, height))),
        }
    }
}

/// `[.a .b]` would silently be one path.
fn no_space_before(input: Tokens<'_>) {
    if input.touches() {
        return;
    }
    let dot = input.peek().span;
    let start = input.previous().map_or(dot.start, |token| token.span.end);
    let gap = Span::new(start, dot.start);
    input.cx.report(
        Diagnostic::error("W0031", dot, "a path has no space inside", "goes on after a space")
            .help("remove the space, or separate two paths by `,`")
            .fix("remove the space", gap, ""),
    );
}

fn index(input: Tokens<'_>) -> Parsed<'_, (PathStep, u32)> {
    let inside = input.advance();
    if let Some(report) = foreign::between_brackets(inside) {
        return stop(inside.fault(report));
    }
    let (rest, step, height) = if inside.kind() == Kind::Star {
        (inside.advance(), None, 0)
    } else {
        let (rest, tree) = must("a position, `last` or `*` between `[` and `]`", tree)(inside)?;
        (rest, Some(tree.expr), tree.height)
    };
    let rest = close(rest, Kind::BracketClose, "`]`")?;
    let step = step.map_or_else(|| PathStep::Each(input.span_to(rest)), PathStep::Index);
    Ok((rest, (step, height)))
}

/// What stands behind a dot.
fn segment(input: Tokens<'_>) -> Parsed<'_, PathStep> {
    if input.kind() == Kind::ParenOpen {
        let name = must("a quoted name in the choice, as `.(\"a\" | \"b\")`", constant);
        let (rest, keys) = separated_list1(sign(Kind::Bar), name).parse(input.advance())?;
        let rest = close(rest, Kind::ParenClose, "`|` or `)`")?;
        return Ok((rest, PathStep::Choice(keys, input.span_to(rest))));
    }
    key(input).map(|(rest, key)| (rest, PathStep::Key(key)))
}

/// `WORD | STRING`; anything that was meant as a name and needs quotes is told so.
pub(super) fn key(input: Tokens<'_>) -> Parsed<'_, Text> {
    let token = input.peek();
    if let Some(report) = foreign::step(input) {
        return stop(input.fault(report));
    }
    if let Some(rest) = unquoted(input) {
        let span = input.span_to(rest);
        let written = input.cx.text.get(span.range()).unwrap_or_default();
        let quoted = format!("\"{written}\"");
        input.cx.report(
            Diagnostic::error(
                "W0105",
                span,
                format!("the field name `{written}` needs quotes"),
                unquoted_label(input, written),
            )
            .help(format!(
                "write `.{quoted}`{}",
                if written.contains('-') { "; to subtract, put spaces around `-`" } else { "" }
            ))
            .fix(format!("{written} -> {quoted}"), span, quoted.clone()),
        );
        return Ok((rest, Spanned { node: written.to_owned(), span }));
    }
    match token.kind {
        Kind::Word => Ok((input.advance(), spanned(input, token))),
        _ => must("a field name after `.`", constant)(input),
    }
}

fn unquoted_label(input: Tokens<'_>, written: &str) -> String {
    match written.split_once('-') {
        Some((before, after)) if input.kind() == Kind::Word => {
            format!("reads as `{before}` minus `{after}`")
        }
        _ => "only letters, digits and `_` go without, and no digit first".to_owned(),
    }
}

/// Behind a name such as `user-agent`, `2fa`, `@type` or `größe`, if one stands here.
fn unquoted(input: Tokens<'_>) -> Option<Tokens<'_>> {
    let piece = |at: Tokens<'_>| match at.kind() {
        Kind::Word | Kind::ForeignWord | Kind::Number | Kind::Unit => true,
        Kind::Unknown => matches!(at.text(at.peek()), "@" | "%" | "&" | "^" | "~"),
        _ => false,
    };
    let touched = input.touches();
    if !touched || !piece(input) {
        return None;
    }
    let mut rest = input.advance();
    while rest.touches() {
        let next = rest.advance();
        let minus_word = rest.kind() == Kind::Minus
            && next.touches()
            && matches!(next.kind(), Kind::Word | Kind::ForeignWord)
            && !(next.advance().kind() == Kind::ParenOpen && next.advance().touches());
        if minus_word {
            rest = next.advance();
        } else if piece(rest) {
            rest = next;
        } else {
            break;
        }
    }
    let plain = rest.at == input.at + 1 && input.kind() == Kind::Word;
    (!plain).then_some(rest)
}

/// `( "." segment | "$" | NAME ) steps`, where only a path can stand.
pub(super) fn path(input: Tokens<'_>) -> Parsed<'_, Expr> {
    let (rest, tree) = alt((field, wrapper, named_path)).parse(input)?;
    Ok((rest, tree.expr))
}

fn named_path(input: Tokens<'_>) -> Parsed<'_, Tree> {
    let (rest, name) = name(input)?;
    let (rest, (steps, height)) = steps(rest)?;
    finish(input, rest, ExprKind::Path { root: PathRoot::Name(name), steps }, height)
}

/// `$` steps, as a setting.
pub(super) fn wrapper_steps(input: Tokens<'_>) -> Parsed<'_, Vec<PathStep>> {
    let (rest, _) = sign(Kind::Dollar)(input)?;
    let (rest, (steps, _)) = steps(rest)?;
    Ok((rest, steps))
}

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

fn match_value(input: Tokens<'_>) -> Parsed<'_, Tree> {
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
            foreign(rest, (), "|");
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
pub(super) fn arrow(input: Tokens<'_>) -> Result<Tokens<'_>, Err<Fault>> {
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
pub(super) fn wrong_sign(input: Tokens<'_>, span: Span, right: &str, place: &str) -> Diagnostic {
    let wrong = input.cx.text.get(span.range()).unwrap_or_default();
    Diagnostic::error("W0019", span, format!("`{right}` stands {place}"), format!("not `{wrong}`"))
        .help(format!("write `{right}`"))
        .fix(format!("{wrong} -> {right}"), span, right)
}

/// `[ "-" ] NUMBER | STRING | "true" | "false"`
pub(super) fn literal(input: Tokens<'_>) -> Parsed<'_, Spanned<Literal>> {
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
