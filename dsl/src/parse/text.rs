//! What stands between the quotes of a text: characters, escapes and `{expr}`.

use crate::ast::{Expr, ExprKind, Pattern, Piece, Spanned};
use crate::diagnostic::Diagnostic;
use crate::lex::{Kind, Token, lex_piece};
use crate::source::Span;

use super::expr::embedded;
use super::tokens::{Parsed, Tokens, not_here};

/// A part of a text.
enum Part {
    /// As it stands.
    Plain(char, Span),
    /// Written with a backslash.
    Escaped(char),
    /// Between braces, without them.
    Code(Span),
}

/// The text of a token that has to be constant.
pub(super) fn constant(input: Tokens<'_>, token: Token) -> String {
    let mut text = String::new();
    let mut told = false;
    each_part(input, token, |part| match part {
        Part::Plain(character, _) | Part::Escaped(character) => text.push(character),
        Part::Code(span) => {
            if !std::mem::replace(&mut told, true) {
                input.cx.report(not_constant(span));
            }
        }
    });
    text
}

fn not_constant(code: Span) -> Diagnostic {
    let brace = Span::new(code.start - 1, code.start);
    let whole = Span::new(code.start - 1, code.end + 1);
    Diagnostic::error(
        "W0106",
        whole,
        "this text must be constant",
        "would differ from record to record",
    )
    .help("if the brace belongs to the text, write `\\{`; a sample with braces stands in `\"\"\"`")
    .fix("write \\{", brace, "\\{")
}

/// The text of a token as an expression, and how high the highest of its parts is.
pub(super) fn expression(input: Tokens<'_>, token: Token) -> (ExprKind, u32) {
    if token.kind == Kind::Broken {
        return (ExprKind::Error, 0);
    }
    let (mut pieces, mut text, mut height) = (Vec::new(), String::new(), 0);
    let (mut sign, mut signs) = (None, Vec::new());
    each_part(input, token, |part| match part {
        Part::Plain(character, span) => {
            sign = Some(span).filter(|_| matches!(character, '$' | '%'));
            text.push(character);
        }
        Part::Escaped(character) => {
            sign = None;
            text.push(character);
        }
        Part::Code(span) => {
            let is_path = input.slice(span).trim_start().starts_with(['.', '$']);
            signs.extend(sign.take().filter(|&sign| is_path || input.slice(sign) == "$"));
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            let (expr, expr_height) = code(input, span);
            height = height.max(expr_height);
            pieces.push(Piece::Expr(expr));
        }
    });
    if pieces.is_empty() {
        return (ExprKind::Text(text), 0);
    }
    if let Some(report) = sign_before_brace(input, &signs) {
        input.cx.report(report);
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    (ExprKind::Interpolated(pieces), height)
}

/// `"${.a}"` gives a dollar sign and the value, which nobody wants who knows templates of other languages.
fn sign_before_brace(input: Tokens<'_>, signs: &[Span]) -> Option<Diagnostic> {
    let (first, more) = signs.split_first()?;
    let (written, escape) = match input.slice(*first) {
        "$" => ("$", "\\u{24}"),
        _ => ("%", "\\u{25}"),
    };
    let brace = Span::new(first.start, first.end + 1);
    let report = Diagnostic::warning(
        "W0037",
        brace,
        format!("this `{written}` stays in the text, in front of the value"),
        "a value is put in by `{` alone",
    )
    .help("write `{`")
    .note(format!("a `{written}` that belongs there is written `{escape}`"))
    .fix(format!("{written}{{ -> {{"), *first, "");
    Some(more.iter().fold(report, |report, &sign| report.edit(sign, "")))
}

/// The expression between two braces, and its height.
fn code(input: Tokens<'_>, span: Span) -> (Expr, u32) {
    let (tokens, slips) = lex_piece(input.cx.text, span);
    for slip in slips {
        input.cx.report(slip);
    }
    if tokens.is_empty() {
        let brace = Span::new(span.start - 1, span.start);
        let whole = Span::new(brace.start, span.end + 1);
        input.cx.syntax(
            Diagnostic::error("W0025", whole, "nothing stands between these braces", "empty")
                .help("a brace that belongs to the text is written `\\{`")
                .fix("write \\{", brace, "\\{"),
        );
        return (Spanned { node: ExprKind::Error, span }, 0);
    }
    embedded(Tokens::new(input.cx, &tokens, span.end), span)
}

/// A pattern of a `match` or the key of a table.
pub(super) fn pattern(input: Tokens<'_>) -> Parsed<'_, Spanned<Pattern>> {
    let token = input.peek();
    if !matches!(token.kind, Kind::String | Kind::SingleQuoted | Kind::Broken) {
        return not_here();
    }
    let (mut text, mut star, mut told) = (String::new(), None, false);
    each_part(input, token, |part| {
        if let Some(span) = star.take()
            && !std::mem::replace(&mut told, true)
        {
            input.cx.report(star_elsewhere(span));
        }
        match part {
            Part::Plain('*', span) => star = Some(span),
            Part::Plain(character, _) | Part::Escaped(character) => text.push(character),
            Part::Code(span) => input.cx.report(not_constant(span)),
        }
    });
    let node = if star.is_some() { Pattern::Prefix(text) } else { Pattern::Text(text) };
    Ok((input.advance(), Spanned { node, span: token.span }))
}

fn star_elsewhere(span: Span) -> Diagnostic {
    let message = "a star stands for \"anything\" only at the end of a pattern";
    Diagnostic::error("W0113", span, message, "not at the end")
        .help("for a star itself write `\\*`; for other searches use `if` with `contains`, `ends_with` or `matches`")
        .fix("write \\*", span, "\\*")
}

/// What stands between the quotes, as written.
pub(super) fn verbatim(input: Tokens<'_>, token: Token) -> String {
    input.cx.text.get(content(input, token).range()).unwrap_or_default().to_owned()
}

/// The span between the quotes.
fn content(input: Tokens<'_>, token: Token) -> Span {
    let (open, close) = match token.kind {
        Kind::Text => (3, 3),
        Kind::Raw => (2, 1),
        Kind::Broken => return Span::new(token.span.start, token.span.start),
        _ => (1, 1),
    };
    let written = input.slice(token.span);
    if token.kind == Kind::SingleQuoted {
        // Typographic quotes are longer than one byte.
        let size = |quote: Option<char>| quote.map_or(0, |quote| quote.len_utf8() as u32);
        let (first, last) = (written.chars().next(), written.chars().next_back());
        return Span::new(token.span.start + size(first), token.span.end - size(last));
    }
    Span::new(token.span.start + open, token.span.end - close)
}

fn each_part(input: Tokens<'_>, token: Token, mut part: impl FnMut(Part)) {
    let span = content(input, token);
    let text = input.cx.text.get(span.range()).unwrap_or_default();
    let place =
        |from: usize, to: usize| Span::new(span.start + from as u32, span.start + to as u32);
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let end = at + character.len_utf8();
        at = match character {
            _ if token.kind == Kind::SingleQuoted => {
                part(Part::Escaped(character));
                end
            }
            '\\' => {
                let (read, bytes) = escape(&text[end..]);
                let end = end + bytes;
                match read {
                    Some(character) => part(Part::Escaped(character)),
                    None => input.cx.report(unknown_escape(place(at, end), &text[at..end])),
                }
                end
            }
            '{' => {
                let close = end + closing_brace(&text[end..]);
                part(Part::Code(place(end, close)));
                (close + 1).min(text.len())
            }
            _ => {
                part(Part::Plain(character, place(at, end)));
                end
            }
        };
    }
}

/// The character that an escape stands for, and the bytes behind its backslash.
fn escape(rest: &str) -> (Option<char>, usize) {
    let Some(letter) = rest.chars().next() else { return (None, 0) };
    let known = match letter {
        '"' | '\\' | '{' | '*' => letter,
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'u' => return unicode_escape(rest),
        _ => return (None, letter.len_utf8()),
    };
    (Some(known), 1)
}

/// `u{1F600}`
fn unicode_escape(rest: &str) -> (Option<char>, usize) {
    let Some(digits) = rest.strip_prefix("u{").and_then(|rest| rest.split_once('}')) else {
        return (None, 1);
    };
    let digits = digits.0;
    let valid = (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let code = if valid { u32::from_str_radix(digits, 16).ok() } else { None };
    (code.and_then(char::from_u32), digits.len() + 3)
}

/// Bytes before the `}` that closes a brace opened before `text`. The lexer has seen that there is one.
fn closing_brace(text: &str) -> usize {
    let (mut open, mut escaped) = (1_u32, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'{' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return at;
        }
    }
    text.len()
}

fn unknown_escape(span: Span, written: &str) -> Diagnostic {
    let message = format!("`{written}` stands for no character");
    let diagnostic = Diagnostic::error("W0006", span, message, "unknown")
        .note("these are known: \\\" \\\\ \\n \\t \\r \\{ \\* \\u{1F600}");
    if written.starts_with("\\u") {
        return diagnostic.help("write the number of a character in hexadecimal, as `\\u{E9}`");
    }
    let backslash = Span::new(span.start, span.start + 1);
    diagnostic
        .help("a backslash itself is written `\\\\`; a regular expression is written `r\"...\"`")
        .fix("double the backslash", backslash, "\\\\")
}
