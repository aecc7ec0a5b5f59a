//! What may have been meant in the middle of a value, at the sign or word that cannot be read.

use weir_engine::builtins;

use super::{
    behind, ends_value, on_line, previous_is, previous_is_assign, spaced, value_start, word_on_line,
};
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::parse::tokens::Tokens;
use crate::source::Span;

/// What may have been meant in the middle of a value, at the sign that cannot be read.
pub(in crate::parse) fn inside(input: Tokens<'_>) -> Option<Diagnostic> {
    let token = input.peek();
    if let Some(report) = super::parts::parts(input) {
        return Some(report);
    }
    match token.kind {
        Kind::Unknown => match input.slice(token.span) {
            "?" => question_mark(input),
            "%" if input.ahead(1).kind == Kind::BraceOpen => Some(path_of_braces(input)),
            sign @ ("%" | "^" | "&" | "~") => Some(no_operator(token.span, sign)),
            "@" => Some(
                Diagnostic::error(
                    "W0035",
                    token.span,
                    "a path starts with a dot",
                    "no `@` in front",
                )
                .help("write `.name`; inside a list function, the element is `it`")
                .fix("remove @", token.span, ""),
            ),
            "\\" => Some(
                Diagnostic::error(
                    "W0036",
                    token.span,
                    "a line needs no sign to go on",
                    "not needed",
                )
                .help("remove it: line ends mean nothing")
                .fix("remove \\", token.span, ""),
            ),
            _ => None,
        },
        Kind::Star if previous_is(input, Kind::Star) => Some(no_operator(token.span, "**")),
        Kind::Plus if previous_is(input, Kind::Plus) => {
            Some(no_operator(token.span.to(behind(input)), "++"))
        }
        Kind::Plus | Kind::Minus | Kind::Star | Kind::Slash
            if input.ahead(1).kind == Kind::Assign && input.advance().touches() =>
        {
            let sign = input.slice(token.span.to(input.ahead(1).span));
            Some(no_operator(token.span.to(input.ahead(1).span), sign))
        }
        Kind::Colon => colon_cast(input),
        Kind::BraceOpen if previous_is_assign(input) => Some(
            Diagnostic::error(
                "W0037",
                token.span,
                "an object is written without `=`",
                "an object cannot be a value",
            )
            .help("write a block, `name { inner = .a }`, with one line for each attribute"),
        ),
        Kind::Bar => Some(
            Diagnostic::error(
                "W0036",
                token.span,
                "a value goes into a function by `|>`",
                "one sign is not enough",
            )
            .help("write `.a |> lower`; a path goes on with a dot: `.a.b`"),
        ),
        Kind::BracketOpen if previous_is(input, Kind::BracketClose) => Some(logstash(input)),
        Kind::Word => word(input),
        _ => None,
    }
}

fn word(input: Tokens<'_>) -> Option<Diagnostic> {
    let token = input.peek();
    let behind_value = input.previous().is_some() && !token.line_start && ends_value(input);
    match input.word()? {
        "if" if behind_value => Some(if_behind(input)),
        "as" if behind_value => Some(cast(input, token.span, input.advance())),
        "unless" if behind_value => Some(
            Diagnostic::error(
                "W0032",
                token.span,
                "there is no `unless`",
                "a word of other languages",
            )
            .help("write `if not condition then a else missing`"),
        ),
        "between" | "BETWEEN" if behind_value => Some(
            Diagnostic::error(
                "W0036",
                token.span,
                "there is no `between`",
                "a word of other languages",
            )
            .help("compare twice: `.a >= 1 and .a <= 5`"),
        ),
        word @ ("contains" | "starts_with" | "ends_with" | "matches")
            if input.ahead(1).kind == Kind::ParenOpen && !behind_value =>
        {
            Some(call_of_operator(input, word))
        }
        "then" if input.line_has_before("when") => Some(
            Diagnostic::error(
                "W0033",
                token.span,
                "a `when` has a block, not a `then`",
                "not here",
            )
            .help("write `when condition { ... }`"),
        ),
        _ => None,
    }
}

/// `a ? b : c` and `a ?: b`.
fn question_mark(input: Tokens<'_>) -> Option<Diagnostic> {
    let (token, next) = (input.peek(), input.advance());
    if next.kind() == Kind::Colon && next.touches() {
        let span = token.span.to(next.peek().span);
        return Some(
            Diagnostic::error(
                "W0016",
                span,
                "`?:` is written `??` in weir",
                "a sign of other languages",
            )
            .help("write `??`: the right side stands in for a missing left one")
            .fix("?: -> ??", span, "??"),
        );
    }
    let report = Diagnostic::error(
        "W0032",
        token.span,
        "a choice is written `if ... then ... else ...`",
        "a sign of other languages",
    )
    .help("write `if condition then a else b`");
    let (Some(start), Some(colon)) = (value_start(input), on_line(next, Kind::Colon)) else {
        return Some(report);
    };
    let again = on_line(next, Kind::Unknown).is_some();
    let condition = Span::new(start.peek().span.start, start.peek().span.start);
    Some(if again {
        report
    } else {
        report
            .fix("if ... then ... else ...", condition, "if ")
            .edit(token.span, "then")
            .edit(colon.peek().span, spaced(colon, "else"))
    })
}

/// `a if condition else b`.
fn if_behind(input: Tokens<'_>) -> Diagnostic {
    let token = input.peek();
    let report = Diagnostic::error(
        "W0032",
        token.span,
        "the condition of a choice comes first",
        "stands behind its value",
    )
    .help("write `if condition then a else b`");
    let (Some(start), Some(otherwise)) = (value_start(input), word_on_line(input, "else")) else {
        return report;
    };
    let value = input.slice(Span::new(start.peek().span.start, behind(input).end));
    let condition = input.slice(input.advance().span_to(otherwise));
    let span = Span::new(start.peek().span.start, otherwise.peek().span.end);
    report.fix("if ... then ... else ...", span, format!("if {condition} then {value} else"))
}

/// `.a::int`
fn colon_cast(input: Tokens<'_>) -> Option<Diagnostic> {
    let next = input.advance();
    let cast_sign = next.kind() == Kind::Colon && next.touches();
    cast_sign.then(|| cast(input, input.peek().span.to(next.peek().span), next.advance()))
}

/// A type behind a value.
fn cast(input: Tokens<'_>, sign: Span, of: Tokens<'_>) -> Diagnostic {
    let report = Diagnostic::error(
        "W0036",
        sign,
        "a value is read as a type by `|>`",
        "a sign of other languages",
    )
    .help("write `.a |> int`");
    let reader = of.word().filter(|word| builtins::find(word).is_some());
    match reader {
        Some(_) if of.touches() => report.fix("|>", sign, " |> "),
        Some(_) => report.fix("|>", sign, "|>"),
        None if of.word() == Some("string") => {
            let start = behind(input).end;
            report.help("remove it: a value is text where text is wanted").fix(
                "remove it",
                Span::new(start, of.peek().span.end),
                "",
            )
        }
        None => report,
    }
}

fn no_operator(span: Span, sign: &str) -> Diagnostic {
    let help = match sign {
        "&" => "write `and`",
        "~" => "a regular expression is compared with `matches`: `.a matches r\"...\"`",
        "%" | "^" | "**" => "there are `+`, `-`, `*` and `/`",
        _ => "nothing changes once it is set: write the whole value, `name = .a + 1`",
    };
    Diagnostic::error(
        "W0036",
        span,
        format!("there is no `{sign}` in weir"),
        "a sign of other languages",
    )
    .help(help)
}

/// `%{user}`
fn path_of_braces(input: Tokens<'_>) -> Diagnostic {
    let (name, close) = (input.skip(2), input.skip(3));
    let report = Diagnostic::error(
        "W0035",
        input.peek().span,
        "a field of the record is written with a dot",
        "a sign of other languages",
    )
    .help("write `.name`");
    match name.word() {
        Some(word) if close.kind() == Kind::BraceClose => {
            report.fix(format!(".{word}"), input.span_to(close.advance()), format!(".{word}"))
        }
        _ => report,
    }
}

/// `[actor][email]`
fn logstash(input: Tokens<'_>) -> Diagnostic {
    let first = input.back(3);
    let report = Diagnostic::error(
        "W0035",
        input.peek().span,
        "a path is written with dots",
        "brackets choose an element by its position",
    )
    .help("write `.actor.email`");
    let mut names = Vec::new();
    let mut rest = first;
    while rest.kind() == Kind::BracketOpen {
        let (Some(word), Kind::BracketClose) = (rest.word_ahead(1), rest.ahead(2).kind) else {
            return report;
        };
        names.push(word);
        rest = rest.skip(3);
    }
    let path: String = names.iter().map(|name| format!(".{name}")).collect();
    if names.len() < 2 {
        return report;
    }
    report.fix(path.clone(), first.span_to(rest), path)
}

/// `contains(.a, "x")`
fn call_of_operator(input: Tokens<'_>, word: &str) -> Diagnostic {
    let report = Diagnostic::error(
        "W0034",
        input.peek().span,
        format!("`{word}` stands between its two sides"),
        "is no function",
    )
    .help(format!("write `.a {word} \"x\"`"));
    let open = input.advance();
    let (mut rest, mut comma) = (open.advance(), None);
    while !matches!(rest.kind(), Kind::ParenClose | Kind::End | Kind::ParenOpen) {
        if rest.kind() == Kind::Comma {
            match comma {
                None => comma = Some(rest),
                Some(_) => return report,
            }
        }
        rest = rest.advance();
    }
    let (Some(comma), Kind::ParenClose) = (comma, rest.kind()) else { return report };
    let left = input.slice(open.advance().span_to(comma));
    let right = input.slice(comma.advance().span_to(rest));
    let text = format!("{left} {word} {right}");
    report.fix(text.clone(), input.span_to(rest.advance()), text)
}

/// `.a .. .b`, at the second value.
pub(in crate::parse) fn joined(input: Tokens<'_>) -> Option<Diagnostic> {
    let next = input.advance();
    let two = input.kind() == Kind::Dot && next.kind() == Kind::Dot && next.touches();
    if !two || input.touches() {
        return None;
    }
    Some(
        Diagnostic::error(
            "W0036",
            input.peek().span.to(next.peek().span),
            "texts are joined inside quotes",
            "a sign of other languages",
        )
        .help("write `\"{.a}{.b}\"`"),
    )
}
