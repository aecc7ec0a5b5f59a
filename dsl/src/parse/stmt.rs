//! Everything that starts with a word: the head of the file, items, statements, what stands in an `emit`, tests.

use nom::branch::alt;
use nom::combinator::{map, opt};
use nom::multi::separated_list1;
use nom::{Err, Parser};

use crate::ast::{
    Block, Check, Each, Emit, Entry, Event, EventEntry, Expectation, Expr, ExprKind, FieldStep,
    Handler, HandlerAction, Input, Item, Let, Loop, Name, ObjectBlock, OcsfLine, OnError, Outcome,
    ParserLine, PathStep, ProductLine, Raw, RawKind, Row, Setting, Spanned, Stmt, Table, Target,
    Test, Text, Value, Want, When,
};
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::source::Span;

use super::expr::{
    arrow, bad_number, digits, expr, key, literal, path, runs_on, split_unit, starts_value,
    wrapper_steps, wrong_sign,
};
use super::text;
use super::tokens::{
    Fault, Parsed, Shape, Tokens, braces, constant, must, must_name, must_new_name, name, not_here,
    sign, spanned, stop, word,
};

/// A line of the head, which comes before all items and in this order.
pub(super) enum Head {
    Edition(Spanned<String>),
    Parser(ParserLine),
    Ocsf(OcsfLine),
    Product(ProductLine),
    Input(Input),
    OnError(OnError),
}

/// The words that start the lines of the head, in order.
pub(super) const HEAD: [&str; 6] = ["weir", "parser", "ocsf", "product", "input", "on"];

/// One line of the head.
pub(super) fn head(input: Tokens<'_>) -> Parsed<'_, Head> {
    alt((
        map(edition, Head::Edition),
        map(parser_line, Head::Parser),
        map(ocsf_line, Head::Ocsf),
        map(product_line, Head::Product),
        map(input_block, Head::Input),
        map(on_error, Head::OnError),
    ))
    .parse(input)
}

fn edition(input: Tokens<'_>) -> Parsed<'_, Spanned<String>> {
    let (rest, _) = word("weir")(input)?;
    let (after, token) = must("the edition, as in `weir 1`", sign(Kind::Number))(rest)?;
    Ok((after, spanned(rest, token)))
}

fn parser_line(input: Tokens<'_>) -> Parsed<'_, ParserLine> {
    let (rest, _) = word("parser")(input)?;
    let rest = skip_sign(rest, "no sign stands behind `parser`");
    let (rest, name) = must("the parser's name in quotes", constant)(rest)?;
    let (rest, _) = must("`version` and a number after the name", word("version"))(rest)?;
    let rest = skip_sign(rest, "no sign stands behind `version`");
    let (after, token) = must("a number after `version`", sign(Kind::Number))(rest)?;
    let version = Spanned { node: digits(rest.text(token)), span: token.span };
    Ok((after, ParserLine { name, version, span: input.span_to(after) }))
}

fn ocsf_line(input: Tokens<'_>) -> Parsed<'_, OcsfLine> {
    let (rest, _) = word("ocsf")(input)?;
    let (mut rest, version) = must("the version of OCSF in quotes", constant)(rest)?;
    let mut profiles = Vec::new();
    if rest.is_word("with") {
        (rest, profiles) = must(
            "a profile after `with`",
            separated_list1(sign(Kind::Comma), alt((name, constant))),
        )(rest.advance())?;
    }
    Ok((rest, OcsfLine { version, profiles, span: input.span_to(rest) }))
}

fn product_line(input: Tokens<'_>) -> Parsed<'_, ProductLine> {
    let (rest, _) = word("product")(input)?;
    let (mut rest, name) = must("the product's name in quotes", constant)(rest)?;
    let mut vendor = None;
    if rest.is_word("by") {
        let (after, text) = must("the vendor's name in quotes", constant)(rest.advance())?;
        (rest, vendor) = (after, Some(text));
    }
    Ok((rest, ProductLine { name, vendor, span: input.span_to(rest) }))
}

const INPUT: Shape = Shape {
    owner: "`input`",
    expected: "a setting such as `max_record 1MiB`, or `}`",
    starts: |input| input.starts_entry(),
};

fn input_block(input: Tokens<'_>) -> Parsed<'_, Input> {
    let (rest, _) = word("input")(input)?;
    let (rest, format) = must_name("`ndjson`, `json` or `csv`")(rest)?;
    let (rest, (settings, _)) = braces(rest, &INPUT, setting_line)?;
    Ok((rest, Input { format, settings, span: input.span_to(rest) }))
}

fn setting_line(input: Tokens<'_>) -> Parsed<'_, (Name, Spanned<Setting>)> {
    let (mut rest, name) = name(input)?;
    if matches!(rest.kind(), Kind::Assign | Kind::Colon) {
        let span = rest.peek().span;
        no_sign(rest, span, "a setting has no sign before its value");
        rest = rest.advance();
    }
    let (rest, value) = must("the value of the setting", setting)(rest)?;
    Ok((rest, (name, value)))
}

/// Reports a sign where none stands.
fn no_sign(input: Tokens<'_>, span: Span, message: &str) {
    input.cx.report(Diagnostic::error("W0019", span, message, "not needed").help("remove it").fix(
        "remove the sign",
        span,
        "",
    ));
}

/// Behind a sign that was written where none stands, if there is one.
fn skip_sign<'t>(input: Tokens<'t>, message: &str) -> Tokens<'t> {
    if !matches!(input.kind(), Kind::Assign | Kind::Colon) {
        return input;
    }
    no_sign(input, input.peek().span, message);
    input.advance()
}

fn setting(input: Tokens<'_>) -> Parsed<'_, Spanned<Setting>> {
    let token = input.peek();
    let written = input.text(token);
    let (rest, node) = match token.kind {
        // `1MB`: the wrong unit is part of the number.
        Kind::Number | Kind::Unit if runs_on(input.advance()) => {
            let unit = input.advance();
            bad_number(input, unit.peek().span);
            (unit.advance(), Setting::Number(digits(written)))
        }
        Kind::Number => (input.advance(), Setting::Number(digits(written))),
        Kind::Word => (input.advance(), Setting::Word(written.to_owned())),
        Kind::Dollar => map(wrapper_steps, Setting::Path).parse(input)?,
        Kind::Unit => {
            let (number, unit) = split_unit(written);
            (input.advance(), Setting::Unit(number, unit))
        }
        _ => {
            let (rest, text) = constant(input)?;
            (rest, Setting::Text(text.node))
        }
    };
    Ok((rest, Spanned { node, span: input.span_to(rest) }))
}

const ON_ERROR: Shape = Shape {
    owner: "`on error`",
    expected: "`required reject` or `optional skip`",
    starts: |input| matches!(input.word(), Some("required" | "optional")),
};

fn on_error(input: Tokens<'_>) -> Parsed<'_, OnError> {
    let (rest, _) = word("on")(input)?;
    let (rest, _) = must("`error` after `on`", word("error"))(rest)?;
    let (rest, (lines, span)) = braces(rest, &ON_ERROR, policy)?;
    let optional = lines.iter().find_map(|line| line.optional_reject);
    let required = lines.iter().any(|line| line.optional_reject.is_none());
    for (there, lacks) in [
        (required, "`required reject`"),
        (optional.is_some(), "`optional skip` or `optional reject`"),
    ] {
        if !there {
            rest.cx.syntax(
                Diagnostic::error(
                    "W0001",
                    span,
                    format!("`on error` lacks {lacks}"),
                    "says only a part",
                )
                .help("write `on error { required reject  optional skip }`"),
            );
        }
    }
    let optional_reject = optional.unwrap_or(false);
    Ok((rest, OnError { optional_reject, span: input.span_to(rest) }))
}

/// `required reject` (`None`) or `optional skip|reject`.
struct Policy {
    optional_reject: Option<bool>,
}

fn policy(input: Tokens<'_>) -> Parsed<'_, Policy> {
    if input.is_word("required") {
        let must_reject = must("`reject`, the only choice for required values", word("reject"));
        let rest = skip_sign(input.advance(), "no sign stands behind `required`");
        return map(must_reject, |_| Policy { optional_reject: None }).parse(rest);
    }
    let (rest, _) = word("optional")(input)?;
    let rest = skip_sign(rest, "no sign stands behind `optional`");
    let choice = alt((map(word("reject"), |_| true), map(word("skip"), |_| false)));
    let (rest, reject) = must("`skip` or `reject` after `optional`", choice)(rest)?;
    Ok((rest, Policy { optional_reject: Some(reject) }))
}

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

/// Reports every `event` of one block behind the first.
pub(super) fn one_event<'a>(input: Tokens<'_>, mut events: impl Iterator<Item = &'a Event>) {
    let Some(first) = events.next() else { return };
    for event in events {
        input.cx.report(
            Diagnostic::error("W0028", event.keyword, "a block has one `event`", "a second one")
                .label(first.keyword, "the first one")
                .help("write all columns into one"),
        );
    }
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

const EVENT: Shape = Shape {
    owner: "`event`",
    expected: "a column such as `id = .id`, or `}`",
    starts: |input| input.starts_entry() || input.is_word("let"),
};

fn event(input: Tokens<'_>) -> Parsed<'_, Event> {
    let (rest, keyword) = word("event")(input)?;
    let column = |input| {
        let (rest, target) = target(input)?;
        let (rest, value) = value(rest)?;
        Ok((rest, EventEntry::Column { target, value }))
    };
    let entry = |input| alt((map(let_, EventEntry::Let), column)).parse(input);
    let (rest, (entries, _)) = braces(rest, &EVENT, entry)?;
    Ok((rest, Event { entries, keyword: keyword.span, span: input.span_to(rest) }))
}

const EMIT: Shape = Shape {
    owner: "`emit`",
    expected: "an attribute such as `message = .text`, or `}`",
    starts: |input| input.starts_entry() || matches!(input.word(), Some("let" | "add" | "event")),
};

const OBJECT: Shape = Shape {
    owner: "this object",
    starts: |input| input.starts_entry() || matches!(input.word(), Some("let" | "add")),
    ..EMIT
};

fn emit(input: Tokens<'_>) -> Parsed<'_, Emit> {
    let (rest, _) = word("emit")(input)?;
    let (rest, class) = class(rest)?;
    let entry = |input| alt((map(event, Entry::Event), entry)).parse(input);
    let (rest, (entries, _)) = braces(rest, &EMIT, entry)?;
    one_event(
        input,
        entries.iter().filter_map(|entry| match entry {
            Entry::Event(event) => Some(event),
            _ => None,
        }),
    );
    Ok((rest, Emit { class, entries, span: input.span_to(rest) }))
}

/// The name of a class. What else it may have been called is reported, and read as its name.
fn class(input: Tokens<'_>) -> Parsed<'_, Name> {
    let token = input.peek();
    let rest = match token.kind {
        Kind::Number | Kind::String | Kind::SingleQuoted => input.advance(),
        Kind::Word if input.is_name() => {
            let mut rest = input.advance();
            while matches!(rest.kind(), Kind::Word | Kind::Minus) && !rest.peek().line_start {
                rest = rest.advance();
            }
            if rest.kind() == Kind::BraceOpen { rest } else { input.advance() }
        }
        _ => input,
    };
    if rest.at == input.at || rest.at == input.at + 1 && token.kind == Kind::Word {
        return must_name("an OCSF class such as `api_activity` after `emit`")(input);
    }
    let span = input.span_to(rest);
    let written = input.slice(span);
    let report = Diagnostic::error(
        "W0201",
        span,
        "a class is written by its name, in small letters and with `_`",
        "not its name",
    );
    let meant = crate::ocsf::class_called(written.trim_matches(['"', '\'']));
    input.cx.report(match meant {
        Some(class) => report.help(format!("write `{class}`")).fix(
            format!("{written} -> {class}"),
            span,
            class,
        ),
        None => report.help("where nothing fits, write `api_activity`"),
    });
    let node = meant.unwrap_or("api_activity").to_owned();
    Ok((rest, Spanned { node, span }))
}

fn object(input: Tokens<'_>) -> Parsed<'_, ObjectBlock> {
    let (rest, (entries, span)) = braces(input, &OBJECT, entry)?;
    Ok((rest, ObjectBlock { entries, span }))
}

fn entry(input: Tokens<'_>) -> Parsed<'_, Entry> {
    alt((map(let_, Entry::Let), add, target_entry)).parse(input)
}

fn add(input: Tokens<'_>) -> Parsed<'_, Entry> {
    let (rest, _) = word("add")(input)?;
    let (mut rest, target) = must("a list such as `resources` after `add`", target)(rest)?;
    let mut header = None;
    if rest.is_word("each") {
        let (after, found) = loop_(rest.advance())?;
        (rest, header) = (after, Some(found));
    }
    if rest.kind() == Kind::Assign {
        let span = rest.peek().span;
        return stop(
            rest.fault(
                Diagnostic::error("W0037", span, "an element of a list is a block", "no value here")
                    .help("write `add resources { name = .file }`; for each element of a list, `add resources each .files[*] as file max 50 { name = file.name }`"),
            ),
        );
    }
    let (rest, object) = object(rest)?;
    Ok((rest, Entry::Add { target, header, object, span: input.span_to(rest) }))
}

fn target_entry(input: Tokens<'_>) -> Parsed<'_, Entry> {
    let (rest, target) = target(input)?;
    if opens_block(rest) {
        let (rest, object) = object(rest)?;
        return Ok((rest, Entry::Object { target, object }));
    }
    let (rest, value) = value(rest)?;
    Ok((rest, Entry::Assign { target, value }))
}

/// Whether a block begins, perhaps without its brace.
fn opens_block(input: Tokens<'_>) -> bool {
    input.kind() == Kind::BraceOpen || !input.cx.balanced && input.starts_assignment()
}

/// `NAME { "." key }`
fn target(input: Tokens<'_>) -> Parsed<'_, Target> {
    if input.is_quoted_name() {
        return quoted_target(input);
    }
    let (mut rest, first) = name(input)?;
    let mut keys = vec![first];
    while rest.kind() == Kind::Dot {
        let (after, key) = key(rest.advance())?;
        keys.push(key);
        rest = after;
    }
    Ok((rest, Target { keys, span: input.span_to(rest) }))
}

/// `"name"`, which is read as the name.
fn quoted_target(input: Tokens<'_>) -> Parsed<'_, Target> {
    let token = input.peek();
    let name = input.slice(token.span).trim_matches(['"', '\'']);
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let report = Diagnostic::error(
        "W0042",
        token.span,
        "a name on the left has no quotes",
        "the name of an attribute or column",
    )
    .help("write the name as it is");
    input.cx.report(if plain { report.fix("remove the quotes", token.span, name) } else { report });
    let keys = vec![Spanned { node: name.to_owned(), span: token.span }];
    Ok((input.advance(), Target { keys, span: token.span }))
}

/// `"=" expr { "on" ( "missing" | "invalid" ) ( "skip" | "reject" | expr ) }`
fn value(input: Tokens<'_>) -> Parsed<'_, Value> {
    let rest = assign(input)?;
    let (mut rest, expr) = assigned(rest)?;
    let mut handlers: Vec<Handler> = Vec::new();
    while rest.is_word("on") && !(rest.peek().line_start && rest.starts_item()) {
        let (after, next) = handler(rest)?;
        if let Some(first) = handlers.iter().find(|handler| handler.on == next.on) {
            rest.cx.report(
                Diagnostic::error(
                    "W0027",
                    next.span,
                    "a line has one handler of each kind",
                    "the second one",
                )
                .label(first.span, "the first one")
                .help("remove one of them"),
            );
        }
        handlers.push(next);
        rest = after;
    }
    Ok((rest, Value { expr, handlers }))
}

fn handler(input: Tokens<'_>) -> Parsed<'_, Handler> {
    let (rest, _) = word("on")(input)?;
    let outcome = alt((
        map(word("missing"), |_| Outcome::Missing),
        map(word("invalid"), |_| Outcome::Invalid),
    ));
    let (rest, on) = must("`missing` or `invalid` after `on`", outcome)(rest)?;
    let action = alt((
        map(word("skip"), |_| HandlerAction::Skip),
        map(word("reject"), |_| HandlerAction::Reject),
        map(expr, HandlerAction::Value),
    ));
    let (rest, action) = must("`skip`, `reject` or a value", action)(rest)?;
    Ok((rest, Handler { on, action, span: input.span_to(rest) }))
}

const TEST: Shape = Shape {
    owner: "`test`",
    expected: "`given`, `expect` or `}`",
    starts: |input| matches!(input.word(), Some("given" | "expect")),
};

/// A line of a test.
enum TestLine {
    Given(Text),
    Expect(Expectation),
}

fn test(input: Tokens<'_>) -> Parsed<'_, Test> {
    let (rest, keyword) = word("test")(input)?;
    let (rest, name) = must("what the test shows, in quotes, after `test`", constant)(rest)?;
    let line =
        |input| alt((map(given, TestLine::Given), map(expect, TestLine::Expect))).parse(input);
    let (rest, (lines, _)) = braces(rest, &TEST, line)?;
    let (mut samples, mut expect) = (Vec::new(), Vec::new());
    for line in lines {
        match line {
            TestLine::Given(text) => samples.push(text),
            TestLine::Expect(expectation) => expect.push(expectation),
        }
    }
    if samples.len() != 1 {
        let (message, label) = ("a test has one `given` with its sample", "not in this test");
        let span = samples.get(1).map_or(keyword.span, |second| second.span);
        rest.cx.syntax(Diagnostic::error(
            "W0001",
            span,
            message,
            if samples.is_empty() { label } else { "a second one" },
        ));
    }
    let nothing = || Spanned { node: String::new(), span: keyword.span };
    let given = samples.into_iter().next().unwrap_or_else(nothing);
    Ok((rest, Test { name, given, expect, span: input.span_to(rest) }))
}

fn given(input: Tokens<'_>) -> Parsed<'_, Text> {
    let (rest, _) = word("given")(input)?;
    let rest = skip_sign(rest, "no sign stands behind `given`");
    must("the sample between `\"\"\"` and `\"\"\"`", alt((sample, constant)))(rest)
}

/// A `"""` text as it stands.
fn sample(input: Tokens<'_>) -> Parsed<'_, Text> {
    let (rest, token) = sign(Kind::Text)(input)?;
    Ok((rest, Spanned { node: text::verbatim(input, token), span: token.span }))
}

fn expect(input: Tokens<'_>) -> Parsed<'_, Expectation> {
    let (rest, _) = word("expect")(input)?;
    if rest.is_word("dropped") {
        let rest = rest.advance();
        return Ok((rest, Expectation::Dropped(input.span_to(rest))));
    }
    if rest.is_word("rejected") {
        let (rest, target) = opt(constant).parse(rest.advance())?;
        return Ok((rest, Expectation::Rejected(target, input.span_to(rest))));
    }
    // A class could be called so, too: only a name behind it makes it the word.
    let exactly = rest.is_word("exactly") && rest.advance().kind() == Kind::Word;
    let rest = if exactly { rest.advance() } else { rest };
    let (rest, class) = must_name("`dropped`, `rejected` or an OCSF class")(rest)?;
    let (rest, checks) = checks(rest)?;
    Ok((rest, Expectation::Event { exactly, class, checks, span: input.span_to(rest) }))
}

const CHECKS: Shape = Shape {
    owner: "`expect`",
    expected: "a field such as `time = 5`, or `}`",
    starts: |input| input.starts_entry() || input.is_word("event"),
};

fn checks(input: Tokens<'_>) -> Parsed<'_, Vec<Check>> {
    let (rest, (checks, _)) = braces(input, &CHECKS, check)?;
    Ok((rest, checks))
}

fn check(input: Tokens<'_>) -> Parsed<'_, Check> {
    let (rest, field) = field(input)?;
    let field_span = input.span_to(rest);
    if opens_block(rest) {
        let (rest, inner) = checks(rest)?;
        return Ok((rest, Check { field, field_span, want: Want::Checks(inner) }));
    }
    if rest.is_word("is") {
        let (after, token) = must("`missing` after `is`", word("missing"))(rest.advance())?;
        let want = Want::Missing(rest.peek().span.to(token.span));
        return Ok((after, Check { field, field_span, want }));
    }
    let rest = assign(rest)?;
    let (rest, literal) = must("a constant value after `=`", literal)(rest)?;
    Ok((rest, Check { field, field_span, want: Want::Literal(literal) }))
}

/// `NAME { "." key | "[" NUMBER "]" }`, or `event` as its first word.
fn field(input: Tokens<'_>) -> Parsed<'_, Vec<FieldStep>> {
    let (mut rest, first) = match input.is_word("event") {
        true => (input.advance(), spanned(input, input.peek())),
        false => name(input)?,
    };
    let mut steps = vec![FieldStep::Key(first)];
    loop {
        let (after, step) = match rest.kind() {
            Kind::Dot => map(key, FieldStep::Key).parse(rest.advance())?,
            Kind::BracketOpen => index(rest.advance())?,
            _ => return Ok((rest, steps)),
        };
        steps.push(step);
        rest = after;
    }
}

fn index(input: Tokens<'_>) -> Parsed<'_, FieldStep> {
    let (rest, token) = must("a position such as `[0]`", sign(Kind::Number))(input)?;
    let step = FieldStep::Index(Spanned { node: digits(input.text(token)), span: token.span });
    let (rest, _) = must("`]` after the position", sign(Kind::BracketClose))(rest)?;
    Ok((rest, step))
}
