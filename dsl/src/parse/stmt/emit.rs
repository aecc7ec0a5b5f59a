//! `emit`, `event`, and the entries in them.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::map;

use super::{assign, assigned, let_, loop_};
use crate::ast::{
    Emit, Entry, Event, EventEntry, Handler, HandlerAction, Name, ObjectBlock, Outcome, Spanned,
    Target, Value,
};
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::parse::expr::{expr, key};
use crate::parse::tokens::{Parsed, Shape, Tokens, braces, must, must_name, name, stop, word};

/// Reports every `event` of one block behind the first.
pub(in crate::parse) fn one_event<'a>(
    input: Tokens<'_>,
    mut events: impl Iterator<Item = &'a Event>,
) {
    let Some(first) = events.next() else { return };
    for event in events {
        input.cx.report(
            Diagnostic::error("W0028", event.keyword, "a block has one `event`", "a second one")
                .label(first.keyword, "the first one")
                .help("write all columns into one"),
        );
    }
}

const EVENT: Shape = Shape {
    owner: "`event`",
    expected: "a column such as `id = .id`, or `}`",
    starts: |input| input.starts_entry() || input.is_word("let"),
};

pub(super) fn event(input: Tokens<'_>) -> Parsed<'_, Event> {
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

pub(super) fn emit(input: Tokens<'_>) -> Parsed<'_, Emit> {
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
pub(super) fn class(input: Tokens<'_>) -> Parsed<'_, Name> {
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
pub(super) fn opens_block(input: Tokens<'_>) -> bool {
    input.kind() == Kind::BraceOpen || !input.cx.balanced && input.starts_assignment()
}

/// `NAME { "." key }`
pub(super) fn target(input: Tokens<'_>) -> Parsed<'_, Target> {
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
pub(super) fn value(input: Tokens<'_>) -> Parsed<'_, Value> {
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
