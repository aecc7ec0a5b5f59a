//! `test` blocks.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::{map, opt};

use super::assign;
use super::emit::opens_block;
use super::head::skip_sign;
use crate::ast::{Check, Expectation, FieldStep, Spanned, Test, Text, Want};
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::parse::expr::{digits, key, literal};
use crate::parse::text;
use crate::parse::tokens::{
    Parsed, Shape, Tokens, braces, constant, must, must_name, name, sign, spanned, word,
};

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

pub(super) fn test(input: Tokens<'_>) -> Parsed<'_, Test> {
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
