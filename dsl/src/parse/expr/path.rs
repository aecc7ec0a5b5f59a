//! Paths: `.a."b c"[0]`, `$.a`, `name.a`.

use nom::Parser;
use nom::branch::alt;
use nom::multi::separated_list1;

use super::value::{close, field, wrapper};
use super::{Tree, finish, tree};
use crate::ast::{Expr, ExprKind, PathRoot, PathStep, Spanned, Text};
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::parse::foreign;
use crate::parse::tokens::{Parsed, Tokens, constant, must, name, sign, spanned, stop};
use crate::source::Span;

/// `{ "." segment | "[" ( "*" | expr ) "]" }` and the height of the highest index.
pub(super) fn steps(input: Tokens<'_>) -> Parsed<'_, (Vec<PathStep>, u32)> {
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
pub(in crate::parse) fn key(input: Tokens<'_>) -> Parsed<'_, Text> {
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
pub(in crate::parse) fn path(input: Tokens<'_>) -> Parsed<'_, Expr> {
    let (rest, tree) = alt((field, wrapper, named_path)).parse(input)?;
    Ok((rest, tree.expr))
}

fn named_path(input: Tokens<'_>) -> Parsed<'_, Tree> {
    let (rest, name) = name(input)?;
    let (rest, (steps, height)) = steps(rest)?;
    finish(input, rest, ExprKind::Path { root: PathRoot::Name(name), steps }, height)
}

/// `$` steps, as a setting.
pub(in crate::parse) fn wrapper_steps(input: Tokens<'_>) -> Parsed<'_, Vec<PathStep>> {
    let (rest, _) = sign(Kind::Dollar)(input)?;
    let (rest, (steps, _)) = steps(rest)?;
    Ok((rest, steps))
}
