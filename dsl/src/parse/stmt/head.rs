//! The head of a file: `weir`, `parser`, `ocsf`, `product`, `input`, `on error`.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::map;
use nom::multi::separated_list1;

use crate::ast::{Input, Name, OcsfLine, OnError, ParserLine, ProductLine, Setting, Spanned};
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::parse::expr::{bad_number, digits, runs_on, split_unit, wrapper_steps};
use crate::parse::tokens::{
    Parsed, Shape, Tokens, braces, constant, must, must_name, name, sign, spanned, word,
};
use crate::source::Span;

/// A line of the head, which comes before all items and in this order.
pub(in crate::parse) enum Head {
    Edition(Spanned<String>),
    Parser(ParserLine),
    Ocsf(OcsfLine),
    Product(ProductLine),
    Input(Input),
    OnError(OnError),
}

/// The words that start the lines of the head, in order.
pub(in crate::parse) const HEAD: [&str; 6] = ["weir", "parser", "ocsf", "product", "input", "on"];

/// One line of the head.
pub(in crate::parse) fn head(input: Tokens<'_>) -> Parsed<'_, Head> {
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
pub(super) fn skip_sign<'t>(input: Tokens<'t>, message: &str) -> Tokens<'t> {
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
