//! What other languages write, recognised and translated.
//!
//! People come with habits: `a ? b : c`, `.a.lower()`, `for x in`, `$.a[?(@.b)]`. The parser asks here before it says
//! that something cannot be read. [`entry`] knows what may have been meant at the start of a statement or entry,
//! [`inside`] what may have been meant in the middle of a value; the other functions are asked at one place each. An
//! edit is offered only where one reading is left.

use weir_engine::{builtins, suggest};

use super::expr::starts_value;
use super::tokens::{Tokens, is_reserved};
use crate::ast::BinaryOp;
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
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
const COLUMNS: &[&str] = &[
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
pub(super) fn entry(input: Tokens<'_>, owner: &str) -> Option<Diagnostic> {
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

/// What may have been meant in the middle of a value, at the sign that cannot be read.
pub(super) fn inside(input: Tokens<'_>) -> Option<Diagnostic> {
    let token = input.peek();
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
pub(super) fn joined(input: Tokens<'_>) -> Option<Diagnostic> {
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

/// `"A".lower()`, behind the text.
pub(super) fn method_of_text(text: Tokens<'_>, dot: Tokens<'_>) -> Option<Diagnostic> {
    let call = dot.kind() == Kind::Dot && dot.touches() && dot.ahead(2).kind == Kind::ParenOpen;
    if call { method(text, dot.skip(2)) } else { None }
}

/// `.a.lower()`, at the bracket behind a path: the name before it is no field.
pub(super) fn method(path: Tokens<'_>, bracket: Tokens<'_>) -> Option<Diagnostic> {
    if bracket.kind() != Kind::ParenOpen || !bracket.touches() {
        return None;
    }
    let name = bracket.back(1);
    let function = name.word()?;
    let path = match path.previous() {
        Some(before) if path.kind() == Kind::Dot && path.touches() && before.kind == Kind::Word => {
            path.back(1)
        }
        _ => path,
    };
    if path.at + 1 == name.at && path.kind() == Kind::Dot {
        let dot = path.peek().span;
        return Some(
            Diagnostic::error("W0034", dot, "no dot stands before a function", "starts a path")
                .help(format!("write `{function}(...)`"))
                .fix("remove the dot", dot, ""),
        );
    }
    let report = Diagnostic::error(
        "W0034",
        name.peek().span,
        "a value goes into a function by `|>`",
        "a function, not a field",
    )
    .help(format!("write `{} |> {function}`", path.slice(path.span_to(name.back(1)))));
    Some(methods_to_pipes(path, name, report.clone()).unwrap_or(report))
}

/// The edits that turn a chain of calls behind a path into pipes.
fn methods_to_pipes(
    path: Tokens<'_>,
    first: Tokens<'_>,
    mut report: Diagnostic,
) -> Option<Diagnostic> {
    let mut name = first;
    let start = path.peek().span.start;
    let needs_brackets = path.previous().is_some_and(|token| {
        !path.peek().line_start
            && !matches!(
                token.kind,
                Kind::Assign | Kind::Arrow | Kind::ParenOpen | Kind::Comma | Kind::BracketOpen
            )
    });
    loop {
        let function = name.word()?;
        builtins::find(function)?;
        let dot = name.back(1).peek().span;
        if report.fix.is_none() {
            report = report.fix("|>", dot, " |> ");
        } else {
            report = report.edit(dot, " |> ");
        }
        let open = name.advance();
        let close = closing(open)?;
        if close.at == open.at + 1 {
            report = report.edit(open.peek().span.to(close.peek().span), "");
        }
        let next = close.advance();
        if next.kind() == Kind::Dot && next.touches() && next.ahead(2).kind == Kind::ParenOpen {
            name = next.advance();
            continue;
        }
        if matches!(next.kind(), Kind::Dot | Kind::BracketOpen) && next.touches() {
            return None;
        }
        if needs_brackets {
            let end = close.peek().span.end;
            let text = if close.at == open.at + 1 { ")" } else { "" };
            report = report.edit(Span::new(start, start), "(");
            if text.is_empty() {
                report = report.edit(Span::new(end, end), ")");
            } else if let Some(last) = report
                .fix
                .as_mut()
                .and_then(|fix| fix.edits.iter_mut().find(|(span, _)| span.end == end))
            {
                last.1 = text.to_owned();
            }
        }
        return Some(report);
    }
}

/// The bracket that closes the one here.
fn closing(open: Tokens<'_>) -> Option<Tokens<'_>> {
    let (mut rest, mut depth) = (open, 0_usize);
    loop {
        match rest.kind() {
            Kind::ParenOpen => depth += 1,
            Kind::ParenClose => depth -= 1,
            Kind::End => return None,
            _ => {}
        }
        if depth == 0 {
            return Some(rest);
        }
        rest = rest.advance();
    }
}

/// A comparison that other languages write otherwise: what is meant, how weir writes it, how many signs it takes, and
/// whether it is negated. It is reported.
pub(super) fn comparison(input: Tokens<'_>) -> Option<(BinaryOp, &'static str, usize, bool)> {
    let token = input.peek();
    if token.line_start {
        return None;
    }
    let next = input.advance();
    let unknown =
        |at: Tokens<'_>, sign| at.kind() == Kind::Unknown && at.slice(at.peek().span) == sign;
    let pair = |kind| next.kind() == kind && next.touches();
    let (op, sign, tokens, negated) = match token.kind {
        Kind::Less if pair(Kind::Greater) => (BinaryOp::NotEqual, "!=", 2, false),
        Kind::Equal if pair(Kind::Assign) => (BinaryOp::Equal, "==", 2, false),
        Kind::NotEqual if pair(Kind::Assign) => (BinaryOp::NotEqual, "!=", 2, false),
        Kind::Assign if unknown(next, "~") && next.touches() => {
            (BinaryOp::Matches, "matches", 2, false)
        }
        Kind::Unknown if unknown(input, "~") => (BinaryOp::Matches, "matches", 1, false),
        Kind::Bang if unknown(next, "~") && next.touches() => {
            (BinaryOp::Matches, "matches", 2, true)
        }
        Kind::Word if !input.starts_assignment() => word_of_comparison(input)?,
        _ => return None,
    };
    if negated {
        return Some((op, sign, tokens, true));
    }
    let span = input.span_to(input.skip(tokens));
    let written = input.slice(span);
    let code = if token.kind == Kind::Word { "W0017" } else { "W0016" };
    let touching = input.skip(tokens).touches() && sign.ends_with(char::is_alphabetic);
    input.cx.report(
        Diagnostic::error(
            code,
            span,
            format!("`{written}` is written `{sign}` in weir"),
            "a sign of other languages",
        )
        .help(format!("write `{sign}`"))
        .fix(
            format!("{written} -> {sign}"),
            span,
            format!("{sign}{}", if touching { " " } else { "" }),
        ),
    );
    Some((op, sign, tokens, negated))
}

fn word_of_comparison(input: Tokens<'_>) -> Option<(BinaryOp, &'static str, usize, bool)> {
    let word = input.word()?;
    let with = matches!(input.word_ahead(1), Some("with" | "WITH"));
    let found = match &*word.to_ascii_lowercase() {
        "starts" | "begins" if with => (BinaryOp::StartsWith, "starts_with", 2),
        "ends" if with => (BinaryOp::EndsWith, "ends_with", 2),
        _ if is_reserved(word) => return None,
        "equals" | "eq" => (BinaryOp::Equal, "==", 1),
        "ne" | "neq" => (BinaryOp::NotEqual, "!=", 1),
        "lt" => (BinaryOp::Less, "<", 1),
        "le" | "lte" => (BinaryOp::LessEqual, "<=", 1),
        "gt" => (BinaryOp::Greater, ">", 1),
        "ge" | "gte" => (BinaryOp::GreaterEqual, ">=", 1),
        "in" => (BinaryOp::In, "in", 1),
        "startswith" | "beginswith" | "hasprefix" | "starts_with" => {
            (BinaryOp::StartsWith, "starts_with", 1)
        }
        "endswith" | "hassuffix" | "ends_with" => (BinaryOp::EndsWith, "ends_with", 1),
        "has" | "includes" | "contains" => (BinaryOp::Contains, "contains", 1),
        "rlike" | "regexp" | "regex" | "matches" => (BinaryOp::Matches, "matches", 1),
        _ => return None,
    };
    Some((found.0, found.1, found.2, false))
}

/// `.a LIKE "x%"`: the operator and the text that weir compares with. It is reported.
pub(super) fn like(input: Tokens<'_>) -> Option<(BinaryOp, &'static str)> {
    if !matches!(input.word(), Some("like" | "LIKE" | "ILIKE" | "Like")) || input.peek().line_start
    {
        return None;
    }
    let text = input.advance().peek();
    if !matches!(text.kind, Kind::String | Kind::SingleQuoted) {
        return None;
    }
    let inner = input.slice(text.span);
    let inner = inner.trim_matches(['"', '\'']);
    let middle = inner.trim_matches('%');
    let (op, sign) = match (inner.starts_with('%'), inner.ends_with('%')) {
        _ if middle.contains(['%', '_']) => (BinaryOp::Contains, "contains"),
        (true, true) => (BinaryOp::Contains, "contains"),
        (false, true) => (BinaryOp::StartsWith, "starts_with"),
        (true, false) => (BinaryOp::EndsWith, "ends_with"),
        (false, false) => (BinaryOp::Equal, "=="),
    };
    let span = input.peek().span;
    let report =
        Diagnostic::error("W0017", span, "there is no `like` in weir", "a word of other languages");
    input.cx.report(if middle.contains(['%', '_']) {
        report.help("compare with a regular expression: `matches r\"^a.*b$\"`")
    } else {
        report.help(format!("write `{sign} \"{middle}\"`")).fix(
            format!("{sign} \"{middle}\""),
            span.to(text.span),
            format!("{sign} \"{middle}\""),
        )
    });
    Some((op, sign))
}

/// A path as other languages write it, behind its dot: `..name`, `.*`, nothing at all.
pub(super) fn step(input: Tokens<'_>) -> Option<Diagnostic> {
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
pub(super) fn between_brackets(input: Tokens<'_>) -> Option<Diagnostic> {
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
pub(super) fn bare_words(first: Tokens<'_>) -> Option<Diagnostic> {
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

/// Whether an operator is written as a word here.
fn comparison_word(input: Tokens<'_>) -> Option<()> {
    let word = input.word()?.to_ascii_lowercase();
    let logical =
        matches!(&*word, "and" | "or" | "not" | "between" | "like" | "ilike" | "unless" | "is");
    (logical || word_of_comparison(input).is_some()).then_some(())
}

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
