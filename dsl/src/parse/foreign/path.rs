//! Paths of other languages, `$.a[?(@.b)]` and `..a`, and texts without quotes.

use super::behind;
use super::comparison::comparison_word;
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::parse::tokens::Tokens;

/// A path as other languages write it, behind its dot: `..name`, `.*`, nothing at all.
pub(in crate::parse) fn step(input: Tokens<'_>) -> Option<Diagnostic> {
    let token = input.peek();
    let dot = behind(input);
    match token.kind {
        Kind::Dot if input.touches() => Some(
            Diagnostic::error(
                "W0035",
                dot.to(token.span),
                "a path names every step",
                "no search at all depths",
            )
            .help("write the whole way to the field: `.a.b.name`"),
        ),
        Kind::Star if input.touches() => Some(
            Diagnostic::error(
                "W0035",
                dot.to(token.span),
                "all elements of a list are written `[*]`",
                "not as a name",
            )
            .help("write `each .list[*] as x max 100 { ... }`; the fields of an object are named one by one"),
        ),
        Kind::Dollar | Kind::Unknown | Kind::BracketOpen if input.touches() && !token.line_start => {
            (token.kind == Kind::BracketOpen).then(|| {
                Diagnostic::error("W0035", dot, "no dot stands before `[`", "not needed")
                    .help("write `.list[0]`")
            })
        }
        _ if token.line_start || !input.touches() => Some(
            Diagnostic::error(
                "W0035",
                dot,
                "a dot alone is no value",
                "which field?",
            )
            .help("write `.name`; the whole record is stored by itself, as `raw keep` says"),
        ),
        _ => None,
    }
}

/// What stands between the brackets of a path as other languages write it.
pub(in crate::parse) fn between_brackets(input: Tokens<'_>) -> Option<Diagnostic> {
    let (token, open) = (input.peek(), behind(input));
    match token.kind {
        Kind::BracketClose => Some(
            Diagnostic::error(
                "W0035",
                open.to(token.span),
                "all elements of a list are written `[*]`",
                "nothing between the brackets",
            )
            .help("to make something of each element, write `each .list[*] as x max 100 { ... }`; one element is `[0]` or `[last]`"),
        ),
        Kind::Unknown if input.slice(token.span) == "?" => Some(
            Diagnostic::error(
                "W0035",
                token.span,
                "an element is looked up with `find`",
                "a path has no condition",
            )
            .help("write `find(.list[*], it.name == \"x\").value`"),
        ),
        Kind::Number | Kind::Colon
            if token.kind == Kind::Colon
                || matches!(input.ahead(1).kind, Kind::Colon)
                || input.ahead(1).kind == Kind::Dot && input.ahead(2).kind == Kind::Dot =>
        {
            Some(
                Diagnostic::error(
                    "W0035",
                    token.span,
                    "there are no ranges in a path",
                    "one position is one element",
                )
                .help("the beginning of a text is `|> truncate(3)`; one piece of it is `|> part(\",\", 0)`"),
            )
        }
        _ => None,
    }
}

/// Words without quotes that were meant as a text, up to the end of their line: `name = user login failed`.
pub(in crate::parse) fn bare_words(first: Tokens<'_>) -> Option<Diagnostic> {
    let next = first.advance();
    let goes_on = next.kind() == Kind::Word
        && !next.peek().line_start
        && next.is_name()
        && !next.starts_assignment()
        && !next.starts_item()
        && comparison_word(next).is_none();
    if !goes_on || first.peek().kind != Kind::Word {
        return None;
    }
    let mut end = next;
    let mut only_words = true;
    while end.kind() != Kind::End && !end.peek().line_start && end.kind() != Kind::BraceClose {
        only_words &= matches!(end.kind(), Kind::Word | Kind::Number | Kind::Minus | Kind::Comma);
        end = end.advance();
    }
    let lower = first.word().map(str::to_ascii_lowercase);
    if lower.as_deref() == Some("case") {
        return Some(
            Diagnostic::error(
                "W0032",
                first.peek().span,
                "a choice is written `if ... then ... else ...`",
                "a word of other languages",
            )
            .help("write `if condition then a else b`; to compare one value with many, `match .a { \"x\" => \"y\"  else => \"z\" }`"),
        );
    }
    let span = if only_words { first.span_to(end) } else { first.peek().span };
    let written = first.slice(span);
    let report = Diagnostic::error("W0038", span, "a text stands in double quotes", "no quotes")
        .help(if only_words { format!("write \"{written}\"") } else { "write \"...\"".to_owned() });
    Some(if only_words { report.fix("quotes", span, format!("\"{written}\"")) } else { report })
}
