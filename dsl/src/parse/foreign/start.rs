//! What may have been meant where a statement, an entry or an arm should start.

use super::inside::inside;
use super::misspelt;
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::parse::tokens::{Tokens, is_reserved};
use crate::source::Span;

/// Statements of other languages: their words, what is said, what to write.
const STATEMENTS: &[(&[&str], &str, &str)] = &[
    (
        &["if", "unless"],
        "there is no `if` as a statement",
        "to choose between events, write `when condition { ... } else { ... }`; to choose a value, `name = if condition then a else b`",
    ),
    (
        &["for", "foreach", "while", "loop", "repeat", "until"],
        "a loop is written `each`",
        "write `each .list[*] as element max 100 { ... }`: it ends at a number that you set",
    ),
    (
        &["switch", "case"],
        "a choice between events is written `when`, one between values `match`",
        "write `when .type == \"a\" { ... } else { ... }`, or `name = match .type { \"a\" => \"b\"  else => \"c\" }`",
    ),
    (
        &["def", "function", "func", "fn", "macro", "proc", "sub"],
        "there are no functions of one's own",
        "give a value a name: `let name = ...`; it can be used any number of times below",
    ),
    (
        &["import", "include", "require", "use", "package", "module"],
        "a program is one file",
        "remove this line: every function is there without it",
    ),
    (
        &["return", "yield"],
        "nothing is returned",
        "what an `emit class { ... }` says becomes an event",
    ),
    (
        &["try", "catch", "rescue", "finally", "throw", "raise", "assert"],
        "nothing is thrown and nothing is caught",
        "say behind a value what happens: `name = .a on invalid \"unknown\"`; refuse a record with `reject \"reason\"`",
    ),
    (
        &["select", "where", "filter", "having", "search"],
        "records are chosen with `drop when` and `keep when`",
        "write `drop when .type == \"x\"`, or `keep when .type == \"x\"`",
    ),
    (
        &[
            "abort",
            "exit",
            "stop",
            "break",
            "continue",
            "next",
            "pass",
            "discard",
            "ignore",
            "delete_event",
        ],
        "a record is forgotten with `drop` and refused with `reject`",
        "write `drop`, or `reject \"reason\"` to keep the record among the rejected ones",
    ),
    (
        &["del", "delete", "remove", "rename", "unset", "mutate", "add_field", "remove_field"],
        "a record is read, never changed",
        "leave the field out: only what a line names is taken over",
    ),
    (
        &["print", "log", "debug", "echo", "console", "output"],
        "a program prints nothing",
        "to see what becomes of a record, write a `test`",
    ),
];

/// Words that make a name in other languages.
const LETS: &[&str] = &["var", "const", "set", "val", "local", "my", "auto", "dim", "eval"];

/// Columns of `event`.
pub(super) const COLUMNS: &[&str] = &[
    "id",
    "time",
    "actor",
    "action",
    "target",
    "cost_usd",
    "tokens_input",
    "tokens_output",
    "extra",
];

/// Words of weir that begin a line, and where they may stand.
const PLACES: &[(&[&str], &str)] = &[
    (
        &["when"],
        "put it around the `emit`; to choose one value, write `name = if condition then a else missing`",
    ),
    (
        &["each"],
        "put it around the `emit`; for a list inside an event, write `add resources each .list[*] as x max 100 { ... }`",
    ),
    (&["drop", "reject"], "put it into a `when condition { ... }` outside the `emit`"),
    (&["emit"], "close what stands above with `}` first: an event cannot hold another"),
    (&["event"], "put it directly into the `emit`, or above it"),
    (&["add"], "put it into an `emit class { ... }`"),
    (&["given", "expect"], "put it into a `test \"...\" { ... }`"),
    (
        &["table", "test", "raw", "keep", "input", "on", "weir", "parser", "ocsf", "product"],
        "put it at the top level of the file, outside all `{ }`",
    ),
    (&["else"], "an `else` follows the `}` of its `when`"),
    (&["required", "optional"], "put it into `on error { required reject  optional skip }`"),
];

/// What may have been meant where a statement or entry of `owner` should start.
pub(in crate::parse) fn entry(input: Tokens<'_>, owner: &str) -> Option<Diagnostic> {
    let is_statement = matches!(owner, "" | "`when`" | "`else`" | "`each`");
    let takes_names = matches!(owner, "`emit`" | "`event`" | "this object");
    if owner == "`match`" {
        return arm(input).or_else(|| inside(input)).or_else(|| misspelt_beginning(input, owner));
    }
    inside(input)
        .or_else(|| misplaced(input, owner))
        .or_else(|| if owner == "`table`" { key(input) } else { None })
        .or_else(|| statement(input))
        .or_else(|| if is_statement { assignment(input) } else { None })
        .or_else(|| if takes_names { left_side(input) } else { None })
        .or_else(|| misspelt_beginning(input, owner))
}

/// The word of a statement in another language.
fn statement(input: Tokens<'_>) -> Option<Diagnostic> {
    let (word, span) = (input.word()?, input.peek().span);
    if LETS.contains(&word) && input.ahead(1).kind == Kind::Word {
        let named = Diagnostic::error(
            "W0033",
            span,
            "a name is given with `let`",
            format!("not with `{word}`"),
        )
        .help("write `let name = value`");
        return Some(match input.ahead(2).kind {
            Kind::Assign => named.fix(format!("{word} -> let"), span, "let"),
            _ => named,
        });
    }
    let lower = word.to_ascii_lowercase();
    let (_, says, help) = STATEMENTS.iter().find(|(words, ..)| words.contains(&&*lower))?;
    let mut help = (*help).to_owned();
    if let Some(loop_) = loop_of(input) {
        help = format!("write `{loop_}`: it ends at a number that you set");
    }
    Some(Diagnostic::error("W0033", span, *says, "a word of other languages").help(help))
}

/// `for x in .list` or `foreach .list as x` as weir writes it.
fn loop_of(input: Tokens<'_>) -> Option<String> {
    let rest = input.advance();
    let (name, path) = match input.word()? {
        "for" if rest.ahead(1).kind == Kind::Word && rest.word_ahead(1) == Some("in") => {
            (rest.word()?, rest.skip(2))
        }
        "foreach" if rest.kind() == Kind::Dot => ("element", rest),
        _ => return None,
    };
    let mut end = path;
    while matches!(end.kind(), Kind::Dot | Kind::Word) && end.word() != Some("as") {
        end = end.advance();
    }
    let name = if end.word() == Some("as") { end.word_ahead(1)? } else { name };
    let path = input.slice(path.span_to(end));
    path.starts_with('.').then(|| format!("each {path}[*] as {name} max 100 {{ ... }}"))
}

/// A word of weir in a place where it cannot stand.
fn misplaced(input: Tokens<'_>, owner: &str) -> Option<Diagnostic> {
    let (word, span) = (input.word()?, input.peek().span);
    if matches!(word, "event" | "each") && matches!(owner, "" | "`when`" | "`each`" | "`else`") {
        return None;
    }
    let begins = input.starts_item() || is_reserved(word) || input.starts_test_line();
    let bare = matches!(word, "given" | "expect" | "required" | "optional");
    if !(begins || bare && owner.is_empty()) {
        return None;
    }
    let (_, help) = PLACES.iter().find(|(words, _)| words.contains(&word))?;
    let place = match owner {
        "" => "at the top level of the file".to_owned(),
        "this object" => "inside an object".to_owned(),
        _ => format!("inside {owner}"),
    };
    Some(
        Diagnostic::error(
            "W0041",
            span,
            format!("`{word}` cannot stand {place}"),
            "belongs elsewhere",
        )
        .help(*help),
    )
}

/// `name = value` or `.a = .b` where only statements stand.
fn assignment(input: Tokens<'_>) -> Option<Diagnostic> {
    let start = input.peek();
    if start.kind == Kind::Dot {
        return Some(
            Diagnostic::error(
                "W0039",
                start.span,
                "a record is read, never changed",
                "sets a field of the record",
            )
            .help("name the attribute inside `emit class { ... }`: `message = .text`; a value in between is named with `let`"),
        );
    }
    let word = input.word().filter(|_| input.is_name())?;
    let mut rest = input.advance();
    while rest.kind() == Kind::Dot && rest.touches() {
        rest = rest.skip(2);
    }
    let nested = rest.at > input.at + 1;
    if !matches!(rest.kind(), Kind::Assign | Kind::BraceOpen | Kind::Colon) {
        return None;
    }
    let span = input.span_to(rest);
    let said = |message: &str, help: String| {
        Diagnostic::error("W0039", span, message, "stands outside every block").help(help)
    };
    let written = input.slice(span);
    Some(if nested && matches!(word, "root" | "this" | "event" | "output" | "out") {
        let help = "write the attributes inside `emit class { ... }`: `message = .text`";
        said("an event is described inside `emit`", help.to_owned())
    } else if !nested && COLUMNS.contains(&word) {
        let help = format!("put it into `event {{ ... }}`: `event {{ {word} = ... }}`");
        said(&format!("`{word}` belongs inside `event`"), help)
    } else if nested || rest.kind() != Kind::Assign {
        let help = format!("put it into `emit class {{ ... }}`, where `{written}` is set");
        said(&format!("`{written}` belongs inside an `emit`"), help)
    } else {
        let help = format!(
            "to give a value a name, write `let {word} = ...`; an attribute of OCSF belongs inside `emit class {{ ... }}`"
        );
        said(&format!("`{word} = ...` cannot stand here"), help)
    })
}

/// The left side of a line in an `emit` or `event`, written otherwise.
fn left_side(input: Tokens<'_>) -> Option<Diagnostic> {
    let token = input.peek();
    if token.kind == Kind::Dot && input.ahead(1).kind == Kind::Word {
        return Some(
            Diagnostic::error(
                "W0039",
                token.span,
                "the left side is a name, without a dot in front",
                "a dot in front reads a field of the record",
            )
            .help("remove the dot")
            .fix("remove the dot", token.span, ""),
        );
    }
    None
}

/// The key of a table without quotes.
fn key(input: Tokens<'_>) -> Option<Diagnostic> {
    let (word, span) = (input.word()?, input.peek().span);
    (input.ahead(1).kind == Kind::Arrow).then(|| {
        Diagnostic::error("W0038", span, "a text stands in double quotes", "no quotes")
            .help(format!("write `\"{word}\" => ...`"))
            .fix("quotes", span, format!("\"{word}\""))
    })
}

/// What may have been meant where an arm of a `match` should start.
fn arm(input: Tokens<'_>) -> Option<Diagnostic> {
    let (token, next) = (input.peek(), input.advance());
    let arrow = matches!(next.kind(), Kind::Arrow | Kind::Colon)
        || next.kind() == Kind::Minus && next.ahead(1).kind == Kind::Greater;
    match input.word() {
        Some("_" | "default" | "otherwise" | "other" | "_else") if arrow => {
            let word = input.slice(token.span);
            Some(
                Diagnostic::error(
                    "W0032",
                    token.span,
                    "what is left is called `else`",
                    format!("not `{word}`"),
                )
                .help("write `else => ...`, last")
                .fix(format!("{word} -> else"), token.span, "else"),
            )
        }
        Some("case" | "when") => Some(
            Diagnostic::error(
                "W0032",
                token.span,
                "an arm starts with its text",
                "not needed",
            )
            .help("write `\"text\" => value`")
            .fix("remove it", Span::new(token.span.start, next.peek().span.start), ""),
        ),
        Some(_) if arrow => {
            let word = input.slice(token.span);
            Some(
                Diagnostic::error("W0038", token.span, "a text stands in double quotes", "no quotes")
                    .help(format!("write `\"{word}\" => ...`"))
                    .fix("quotes", token.span, format!("\"{word}\"")),
            )
        }
        _ if matches!(token.kind, Kind::Dot | Kind::Word | Kind::Less | Kind::Greater | Kind::LessEqual | Kind::GreaterEqual | Kind::Dollar | Kind::Raw) => Some(
            Diagnostic::error(
                "W0032",
                token.span,
                "a `match` compares with constant texts and numbers",
                "not a constant",
            )
            .help("to compare otherwise, write `if condition then a else b`; for the beginning of a text, `\"a*\" => ...`"),
        ),
        _ => None,
    }
}

/// The words that begin a line of `owner`.
fn beginnings(owner: &str) -> &'static [&'static str] {
    match owner {
        "" => &[
            "weir", "parser", "ocsf", "product", "input", "on", "drop", "keep", "raw", "table",
            "let", "event", "when", "each", "emit", "reject", "test",
        ],
        "`when`" | "`else`" | "`each`" => {
            &["let", "drop", "reject", "when", "each", "emit", "event"]
        }
        "`test`" => &["given", "expect"],
        "`on error`" => &["required", "optional"],
        "`emit`" => &["add", "event", "let"],
        "this object" => &["add", "let"],
        "`match`" | "`table`" => &["else"],
        _ => &[],
    }
}

/// A misspelt word at the beginning of a line.
fn misspelt_beginning(input: Tokens<'_>, owner: &str) -> Option<Diagnostic> {
    let token = input.peek();
    let word = input.word().filter(|word| !is_reserved(word))?;
    misspelt(word, token.span, beginnings(owner).iter().copied())
}
