//! Everything that starts with a word: items and statements here, the head, `emit`s and tests in files of their own.

mod emit;
mod head;
mod test;

use nom::branch::alt;
use nom::combinator::{map, opt};
use nom::multi::separated_list1;
use nom::{Err, Parser};

use super::expr::{arrow, digits, expr, literal, path, starts_value, wrong_sign};
use super::text;
use super::tokens::{
    Fault, Parsed, Shape, Tokens, braces, constant, must, must_name, must_new_name, name, not_here,
    sign, stop, word,
};
use crate::ast::{
    Block, Each, Expr, ExprKind, Item, Let, Loop, PathStep, Raw, RawKind, Row, Spanned, Stmt,
    Table, When,
};
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::source::Span;

use emit::{emit, event};
use test::test;

pub(super) use emit::one_event;
pub(super) use head::{HEAD, Head, head};

/// What stands behind the head.
pub(super) fn item(input: Tokens<'_>) -> Parsed<'_, Item> {
    alt((
        map(table, Item::Table),
        map(raw, Item::Raw),
        keep,
        map(test, Item::Test),
        map(let_, Item::Let),
        map(stmt, Item::Stmt),
    ))
    .parse(input)
}

const TABLE: Shape = Shape {
    owner: "`table`",
    expected: "a row such as `\"key\" => 1, 2`, or `}`",
    starts: |input| {
        matches!(input.kind(), Kind::String | Kind::SingleQuoted | Kind::Broken)
            || input.is_word("else")
    },
};

fn table(input: Tokens<'_>) -> Parsed<'_, Table> {
    let (rest, _) = word("table")(input)?;
    let (rest, name) = must_name("a name after `table`")(rest)?;
    let (rest, _) = must("`(` and the columns of the table", sign(Kind::ParenOpen))(rest)?;
    let columns = separated_list1(sign(Kind::Comma), (must_name("a column"), opt(self::name)));
    let (rest, columns) = must("a column", columns)(rest)?;
    let (rest, _) = must("`,` or `)` after the column", sign(Kind::ParenClose))(rest)?;
    let (rest, (rows, _)) = braces(rest, &TABLE, row)?;
    for pair in rows.windows(2).filter(|pair| pair[0].keys.is_none()) {
        rest.cx.report(
            Diagnostic::error(
                "W0026",
                pair[1].span,
                "nothing stands behind `else`",
                "never reached",
            )
            .label(pair[0].span, "the `else` takes everything that is left")
            .help("put the `else` last, once"),
        );
    }
    Ok((rest, Table { name, columns, rows, span: input.span_to(rest) }))
}

fn row(input: Tokens<'_>) -> Parsed<'_, Row> {
    let (rest, keys) = if input.is_word("else") {
        (input.advance(), None)
    } else {
        let keys = separated_list1(sign(Kind::Bar), text::pattern);
        map(keys, Some).parse(input)?
    };
    let rest = arrow(rest)?;
    let values = separated_list1(sign(Kind::Comma), must("a constant value", literal));
    let (rest, values) = must("a constant value after `=>`", values)(rest)?;
    Ok((rest, Row { keys, values, span: input.span_to(rest) }))
}

fn raw(input: Tokens<'_>) -> Parsed<'_, Raw> {
    let (rest, _) = word("raw")(input)?;
    let (rest, kind) = must(
        "`keep`, `drop`, `hash` or `redact` after `raw`",
        alt((
            map(word("keep"), |_| RawKind::Keep),
            map(word("drop"), |_| RawKind::Drop),
            map(word("hash"), |_| RawKind::Hash),
            redact,
        )),
    )(rest)?;
    Ok((rest, Raw { kind, span: input.span_to(rest) }))
}

fn redact(input: Tokens<'_>) -> Parsed<'_, RawKind> {
    let (rest, _) = word("redact")(input)?;
    let (rest, _) = must("`[` and the paths to redact", sign(Kind::BracketOpen))(rest)?;
    let paths = separated_list1(sign(Kind::Comma), must("a path such as `.user.phone`", path));
    let (rest, paths) = must("a path such as `.user.phone`", paths)(rest)?;
    let (rest, _) = must("`,` or `]` after the path", sign(Kind::BracketClose))(rest)?;
    Ok((rest, RawKind::Redact(paths)))
}

fn keep(input: Tokens<'_>) -> Parsed<'_, Item> {
    let (rest, _) = word("keep")(input)?;
    let rest = match rest.is_word("when") || !rest.peek().line_start && if_for_when(rest) {
        true => rest.advance(),
        false => return stop(rest.expected("`when` after `keep`")),
    };
    let (rest, condition) = must("a condition after `when`", expr)(rest)?;
    Ok((rest, Item::Keep(condition, input.span_to(rest))))
}

fn let_(input: Tokens<'_>) -> Parsed<'_, Let> {
    let (rest, _) = word("let")(input)?;
    let (rest, name) = must_new_name("a name after `let`")(rest)?;
    let rest = assign(rest)?;
    let (rest, expr) = assigned(rest)?;
    if rest.is_word("on") && !rest.starts_item() {
        return stop(rest.fault(rest.instead("the next statement: a `let` has no `on missing`")));
    }
    Ok((rest, Let { name, expr, span: input.span_to(rest) }))
}

/// `=`, or what was written for it.
fn assign(input: Tokens<'_>) -> Result<Tokens<'_>, Err<Fault>> {
    match input.kind() {
        Kind::Assign => Ok(input.advance()),
        Kind::Colon if input.ahead(1).kind == Kind::Word && input.ahead(2).kind == Kind::Assign => {
            let span = input.span_to(input.skip(2));
            input.cx.report(
                Diagnostic::error("W0019", span, "a name is written without its type", "not needed")
                    .help("remove it: how a value is read is said by `|>`, as in `.a |> int`")
                    .fix("remove the type", span, ""),
            );
            Ok(input.skip(3))
        }
        Kind::Colon if input.ahead(1).kind == Kind::Assign && input.advance().touches() => {
            let rest = input.skip(2);
            let span = input.span_to(rest);
            input.cx.report(wrong_sign(input, span, "=", "between a name and its value"));
            Ok(rest)
        }
        Kind::Comma if input.ahead(1).kind == Kind::Word && input.ahead(2).kind == Kind::Assign => {
            Err(Err::Failure(input.fault(
                Diagnostic::error("W0039", input.peek().span, "one line sets one name", "a second name")
                    .help("say behind the value what happens if it cannot be read: `on invalid \"unknown\"`"),
            )))
        }
        Kind::Equal | Kind::Colon | Kind::Arrow => {
            let span = input.peek().span;
            input.cx.report(wrong_sign(input, span, "=", "between a name and its value"));
            Ok(input.advance())
        }
        // What starts with a bracket rather belongs to a call whose function is missing.
        Kind::BracketOpen if input.touches() => Err(Err::Failure(
            input.fault(
                Diagnostic::error("W0037", input.peek().span, "there are no positions on the left side", "no `[` here")
                    .help("write `add resources { name = .file }` once for each element"),
            ),
        )),
        Kind::BraceOpen => Err(Err::Failure(
            input.fault(
                Diagnostic::error("W0037", input.peek().span, "a column has one value, no block", "no `{` here")
                    .help("write `actor = .user`; objects such as `actor.user` stand inside the `emit`"),
            ),
        )),
        Kind::ParenOpen | Kind::BracketOpen => Err(Err::Failure(input.expected("`=` and a value"))),
        _ if starts_value(input) && !input.peek().line_start => {
            input.cx.syntax(input.lacking("`=` before the value", " ="));
            Ok(input)
        }
        _ => Err(Err::Failure(input.expected("`=` and a value"))),
    }
}

/// The value behind a `=`.
fn assigned(input: Tokens<'_>) -> Parsed<'_, Expr> {
    must("a value after `=`", expr)(input)
}

const STATEMENTS: Shape = Shape {
    owner: "`when`",
    expected: "a statement such as `emit`, `when`, `drop` or `reject`, or `}`",
    starts: starts_statement,
};

const EACH: Shape = Shape { owner: "`each`", ..STATEMENTS };

fn starts_statement(input: Tokens<'_>) -> bool {
    matches!(input.word(), Some("drop" | "reject" | "when" | "each" | "emit" | "event" | "let"))
}

fn stmt(input: Tokens<'_>) -> Parsed<'_, Stmt> {
    alt((
        drop_,
        reject,
        map(when, Stmt::When),
        map(each, Stmt::Each),
        map(emit, Stmt::Emit),
        map(event, Stmt::Event),
    ))
    .parse(input)
}

fn drop_(input: Tokens<'_>) -> Parsed<'_, Stmt> {
    let (mut rest, _) = word("drop")(input)?;
    let mut condition = None;
    if rest.is_word("when") || !rest.peek().line_start && if_for_when(rest) {
        let (after, expr) = must("a condition after `when`", expr)(rest.advance())?;
        (rest, condition) = (after, Some(expr));
    }
    Ok((rest, Stmt::Drop(condition, input.span_to(rest))))
}

fn reject(input: Tokens<'_>) -> Parsed<'_, Stmt> {
    let (rest, _) = word("reject")(input)?;
    let (rest, reason) = must("the reason in quotes after `reject`", constant)(rest)?;
    Ok((rest, Stmt::Reject(reason, input.span_to(rest))))
}

fn when(input: Tokens<'_>) -> Parsed<'_, When> {
    if !input.is_word("when") && !if_with_block(input) {
        return not_here();
    }
    let (mut rest, keyword) = (input.advance(), input.peek());
    let (mut arms, mut otherwise) = (Vec::new(), None);
    let (after, arm) = when_arm(rest)?;
    arms.push(arm);
    rest = after;
    while otherwise.is_none() && (rest.is_word("else") || elif(rest)) {
        let is_elif = !rest.is_word("else");
        let after = if is_elif { rest } else { rest.advance() };
        if is_elif || after.is_word("when") || else_if(after) {
            let (after, arm) = when_arm(after.advance())?;
            arms.push(arm);
            rest = after;
        } else {
            let (after, block) = block(after, &Shape { owner: "`else`", ..STATEMENTS })?;
            otherwise = Some(block);
            rest = after;
        }
    }
    Ok((rest, When { arms, otherwise, keyword: keyword.span, span: input.span_to(rest) }))
}

/// Whether `if` or `where` was written for `when`, which is reported.
fn if_for_when(input: Tokens<'_>) -> bool {
    let word =
        input.word().filter(|word| matches!(*word, "if" | "where" | "IF" | "WHERE" | "WHEN"));
    let Some(word) = word else { return false };
    let span = input.peek().span;
    input.cx.report(
        Diagnostic::error(
            "W0017",
            span,
            "a condition stands behind `when`",
            format!("not behind `{word}`"),
        )
        .help("write `when`")
        .fix(format!("{word} -> when"), span, "when"),
    );
    true
}

/// Whether an `if` stands here with a block behind its condition, which is read as a `when`.
fn if_with_block(input: Tokens<'_>) -> bool {
    let mut rest = input;
    while rest.kind() != Kind::End && (rest.at == input.at || !rest.peek().line_start) {
        if rest.kind() == Kind::BraceOpen {
            return matches!(input.word(), Some("if" | "IF" | "WHEN")) && if_for_when(input);
        }
        if rest.is_word("then") {
            return false;
        }
        rest = rest.advance();
    }
    false
}

/// Whether `elif` was written, which is read as `else when`.
fn elif(input: Tokens<'_>) -> bool {
    let word = input.word().filter(|word| {
        matches!(*word, "elif" | "elsif" | "elseif" | "ELSIF" | "elsewhen")
            && !input.starts_assignment()
    });
    let Some(word) = word else { return false };
    let span = input.peek().span;
    let message = format!("`{word}` is written `else when` here");
    input.cx.report(
        Diagnostic::error("W0017", span, message, "a word of other languages")
            .help("write `else when`")
            .fix(format!("{word} -> else when"), span, "else when"),
    );
    true
}

/// Whether `else if` was written, which is read as `else when`.
fn else_if(input: Tokens<'_>) -> bool {
    let found = input.is_word("if");
    if found {
        let span = input.peek().span;
        let message = "`else if` is written `else when` here";
        input.cx.report(
            Diagnostic::error("W0017", span, message, "chooses a value, not a block")
                .help("write `else when`")
                .fix("if -> when", span, "when"),
        );
    }
    found
}

fn when_arm(input: Tokens<'_>) -> Parsed<'_, (Expr, Block)> {
    let (rest, condition) = must("a condition after `when`", expr)(input)?;
    let (rest, block) = block(rest, &STATEMENTS)?;
    Ok((rest, (condition, block)))
}

fn block<'t>(input: Tokens<'t>, shape: &Shape) -> Parsed<'t, Block> {
    let (rest, (stmts, span)) = braces(input, shape, alt_let_stmt)?;
    one_event(
        input,
        stmts.iter().filter_map(|stmt| match stmt {
            Stmt::Event(event) => Some(event),
            _ => None,
        }),
    );
    Ok((rest, Block { stmts, span }))
}

fn alt_let_stmt(input: Tokens<'_>) -> Parsed<'_, Stmt> {
    alt((map(let_, Stmt::Let), stmt)).parse(input)
}

fn each(input: Tokens<'_>) -> Parsed<'_, Each> {
    let (rest, _) = word("each")(input)?;
    let (rest, header) = loop_(rest)?;
    let (rest, body) = block(rest, &EACH)?;
    Ok((rest, Each { header, body, span: input.span_to(rest) }))
}

/// `path "as" NAME "max" NUMBER`
fn loop_(input: Tokens<'_>) -> Parsed<'_, Loop> {
    let (rest, path) = must("a path such as `.steps[*]` after `each`", path)(input)?;
    all_elements(input, &path);
    let (rest, _) = must("`as` and a name for the element", word("as"))(rest)?;
    let (rest, name) = must_new_name("a name after `as`")(rest)?;
    let (rest, _) = must("`max` and the most elements that are taken", word("max"))(rest)?;
    let (after, token) = must("a number after `max`", sign(Kind::Number))(rest)?;
    let max = Spanned { node: digits(rest.text(token)), span: token.span };
    Ok((after, Loop { path, name, max, span: input.span_to(after) }))
}

fn all_elements(input: Tokens<'_>, path: &Expr) {
    let steps = if let ExprKind::Path { steps, .. } = &path.node { &**steps } else { &[] };
    if matches!(steps.last(), Some(PathStep::Each(_))) {
        return;
    }
    let end = Span::new(path.span.end, path.span.end);
    input.cx.report(
        Diagnostic::error(
            "W0029",
            path.span,
            "`each` needs all elements of an array",
            "this is one value",
        )
        .help("end the path in `[*]`")
        .fix("append [*]", end, "[*]"),
    );
}
