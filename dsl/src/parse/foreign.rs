//! What other languages write, recognised and translated.
//!
//! People come with habits: `a ? b : c`, `.a.lower()`, `for x in`, `$.a[?(@.b)]`. The parser asks here before it says
//! that something cannot be read. [`entry`] knows what may have been meant at the start of a statement or entry,
//! [`inside`] what may have been meant in the middle of a value; the other functions are asked at one place each. An
//! edit is offered only where one reading is left.

mod comparison;
mod inside;
mod method;
mod parts;
mod path;
mod start;

use weir_engine::suggest;

use super::expr::starts_value;
use super::tokens::Tokens;
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::source::Span;

use start::COLUMNS;

pub(super) use comparison::{comparison, like};
pub(super) use inside::{inside, joined};
pub(super) use method::{method, method_of_text};
pub(super) use path::{bare_words, between_brackets, step};
pub(super) use start::entry;

/// A whole file in another language, seen at its beginning.
pub(super) fn file(input: Tokens<'_>) -> Option<Diagnostic> {
    let (token, next) = (input.peek(), input.ahead(1));
    let language = match token.kind {
        Kind::BraceOpen | Kind::BracketOpen => "JSON",
        Kind::Less => "XML",
        Kind::Minus if next.kind == Kind::Minus => "YAML",
        Kind::Dot => "VRL or jq",
        Kind::Word => match (input.word()?, next.kind) {
            ("SELECT" | "select" | "WITH" | "CREATE", _) => "SQL",
            ("import" | "from" | "def" | "class", Kind::Word) => "Python",
            ("root" | "mapping" | "pipeline", Kind::Dot | Kind::Assign | Kind::Colon) => "Bloblang",
            ("filter" | "output" | "input", Kind::BraceOpen) => "Logstash",
            ("package", Kind::Word) => "Rego or Go",
            (_, Kind::Colon) => "YAML",
            (word, Kind::Assign) if !COLUMNS.contains(&word) => "a list of fields",
            _ => return None,
        },
        _ => return None,
    };
    let span = Span::new(token.span.start, token.span.end);
    Some(
        Diagnostic::error(
            "W0040",
            span,
            "this is no weir program",
            format!("looks like {language}"),
        )
        .help("a program begins with the line `weir 1`, and then\n  parser \"my-parser\" version 1\n  ocsf \"1.8.0\"\n  product \"My product\" by \"My company\"\n  input ndjson { }\n  on error { required reject  optional skip }"),
    )
}

/// A report on a word that is nearly one of those that can stand here.
pub(super) fn misspelt<'k>(
    word: &str,
    span: Span,
    known: impl Iterator<Item = &'k str>,
) -> Option<Diagnostic> {
    // Every short word is near a sign.
    let near = suggest::misspelt(word, known.filter(|known| known.len() > 1))?;
    Some(
        Diagnostic::error("W0043", span, format!("`{word}` is no word of weir"), "misspelt?")
            .help(format!("did you mean `{near}`?"))
            .fix(format!("{word} -> {near}"), span, near),
    )
}

/// What a whole line looks like that begins with this word.
pub(super) fn example(word: &str) -> Option<&'static str> {
    Some(match word {
        "weir" => "weir 1",
        "parser" => "parser \"my-parser\" version 1",
        "ocsf" => "ocsf \"1.8.0\" with ai_operation, cloud",
        "product" => "product \"Claude\" by \"Anthropic\"",
        "input" => "input ndjson { max_record 1MiB }",
        "required" | "optional" => "on error { required reject  optional skip }",
        "drop" => "drop when .type == \"x\"",
        "keep" => "keep when .type == \"x\"",
        "reject" => "reject \"unknown type\"",
        "raw" => "raw redact [.user.phone, .user.mail]",
        "table" => "table price (model, input decimal) { \"a\" | \"b*\" => 3  else => 0 }",
        "each" => "each .steps[*] as step max 100 { ... }",
        "add" => {
            "add resources { name = .file }, or add resources each .files[*] as file max 50 { ... }"
        }
        "emit" => "emit api_activity { activity_id = \"Create\" }",
        "test" => "test \"what it shows\" { given \"\"\" ... \"\"\"  expect dropped }",
        "given" => "given \"\"\" {\"id\": \"a\"} \"\"\"",
        "expect" => {
            "expect dropped, expect rejected, or expect api_activity { status_id = \"Success\" }"
        }
        _ => return None,
    })
}

/// Whether the sign before ends a value.
fn ends_value(input: Tokens<'_>) -> bool {
    let before = input.back(1);
    match before.kind() {
        Kind::String | Kind::SingleQuoted | Kind::Raw | Kind::Number | Kind::Unit => true,
        Kind::ParenClose | Kind::BracketClose => true,
        Kind::Word => {
            before.is_name()
                || matches!(before.word(), Some("true" | "false" | "missing"))
                || before.back(1).kind() == Kind::Dot
        }
        _ => false,
    }
}

fn previous_is(input: Tokens<'_>, kind: Kind) -> bool {
    input.touches() && input.previous().is_some_and(|token| token.kind == kind)
}

fn previous_is_assign(input: Tokens<'_>) -> bool {
    input.previous().is_some_and(|token| token.kind == Kind::Assign)
}

/// The place of the sign before.
fn behind(input: Tokens<'_>) -> Span {
    input.previous().map_or(input.peek().span, |token| token.span)
}

/// Where the value begins that this sign stands in, if its `=` or `=>` is on the same line.
fn value_start(input: Tokens<'_>) -> Option<Tokens<'_>> {
    let mut at = input;
    while at.at > 0 && !at.peek().line_start {
        if previous_is_kind(at, &[Kind::Assign, Kind::Arrow]) {
            return starts_value(at).then_some(at);
        }
        at = at.back(1);
    }
    None
}

fn previous_is_kind(input: Tokens<'_>, kinds: &[Kind]) -> bool {
    input.previous().is_some_and(|token| kinds.contains(&token.kind))
}

/// The next sign of a kind on this line.
fn on_line(input: Tokens<'_>, kind: Kind) -> Option<Tokens<'_>> {
    let mut rest = input;
    while rest.kind() != Kind::End && !rest.peek().line_start {
        if rest.kind() == kind {
            return Some(rest);
        }
        rest = rest.advance();
    }
    None
}

/// The next word on this line that is this one.
fn word_on_line<'t>(input: Tokens<'t>, word: &str) -> Option<Tokens<'t>> {
    let mut rest = input.advance();
    while rest.kind() != Kind::End && !rest.peek().line_start {
        if rest.word() == Some(word) {
            return Some(rest);
        }
        rest = rest.advance();
    }
    None
}

/// A word in place of a sign, with a space on each side that lacks one.
fn spaced(sign: Tokens<'_>, word: &str) -> String {
    let before = if sign.touches() { " " } else { "" };
    let after = if sign.advance().touches() { " " } else { "" };
    format!("{before}{word}{after}")
}
