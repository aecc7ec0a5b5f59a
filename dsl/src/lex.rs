//! Text to tokens.
//!
//! Words are not told apart here: `when` is a word like any other, and the parser compares its text. A text with
//! `{expr}` inside is one token; the callback below only counts braces, because no text can stand inside them.
//!
//! What can be read in one way only is repaired and reported at once (`;`, `'text'`, `?.`, `// comment`, invisible
//! characters), so that the parser never sees it. What cannot is an [`Kind::Unknown`] token for the parser to refuse.

use logos::Logos;

use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// A piece of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub span: Span,
    /// How many braces are open around it; an opening brace and its closing one have the same depth.
    pub depth: i32,
    /// Whether it is the first on its line.
    pub line_start: bool,
}

/// The kinds of tokens.
#[derive(Logos, Debug, Clone, Copy, PartialEq, Eq)]
#[logos(skip r"[ \t\r\n\f]+", extras = Slips)]
pub enum Kind {
    /// Any word, reserved or not.
    #[regex(r"[\p{XID_Start}_]\p{XID_Continue}*")]
    Word,
    /// A word with letters beyond ASCII.
    ForeignWord,
    /// `"..."`
    #[token("\"", text)]
    String,
    /// `'...'` and other quotes, read as a text.
    #[regex(r"'[^'\n]*'", single_quotes)]
    #[regex(r"`[^`\n]*`", single_quotes)]
    #[regex("[“”„‟«»][^“”„‟«»\n]*[“”‟«»]", single_quotes)]
    #[regex("[‘’‚‛‹›][^‘’‚‛‹›\n]*[‘’‛‹›]", single_quotes)]
    SingleQuoted,
    /// `r"..."`
    #[token("r\"", raw)]
    Raw,
    /// `"""..."""`
    #[token("\"\"\"", long_text)]
    Text,
    /// A text without its end; reported.
    Broken,
    /// `1_000`, `0.25`
    #[regex(r"[0-9][0-9_]*(\.[0-9]+)?")]
    Number,
    /// `1MiB`, `5m`
    #[regex(r"[0-9]+(KiB|MiB|GiB|ms|s|m|h|d)")]
    Unit,
    /// `{`
    #[token("{")]
    BraceOpen,
    /// `}`
    #[token("}")]
    BraceClose,
    /// `(`
    #[token("(")]
    ParenOpen,
    /// `)`
    #[token(")")]
    ParenClose,
    /// `[`
    #[token("[")]
    BracketOpen,
    /// `]`
    #[token("]")]
    BracketClose,
    /// `.`, also for `?.`
    #[token(".")]
    #[token("?.", optional_dot)]
    Dot,
    /// `$`
    #[token("$")]
    Dollar,
    /// `,`
    #[token(",")]
    Comma,
    /// `:`, which weir has no use for
    #[token(":")]
    Colon,
    /// `=`
    #[token("=")]
    Assign,
    /// `=>`
    #[token("=>")]
    Arrow,
    /// `==`
    #[token("==")]
    Equal,
    /// `!=`
    #[token("!=")]
    NotEqual,
    /// `<`
    #[token("<")]
    Less,
    /// `<=`
    #[token("<=")]
    LessEqual,
    /// `>`
    #[token(">")]
    Greater,
    /// `>=`
    #[token(">=")]
    GreaterEqual,
    /// `|`
    #[token("|")]
    Bar,
    /// `|>`
    #[token("|>")]
    Pipe,
    /// `??`
    #[token("??")]
    Coalesce,
    /// `+`
    #[token("+")]
    Plus,
    /// `-`
    #[token("-")]
    Minus,
    /// `*`
    #[token("*")]
    Star,
    /// `/`
    #[token("/")]
    Slash,
    /// `&&`, which is written `and`
    #[token("&&")]
    AndAnd,
    /// `||`, which is written `or`
    #[token("||")]
    OrOr,
    /// `!`, which is written `not`
    #[token("!")]
    Bang,
    /// A character that has no meaning in weir.
    Unknown,
    /// The end of the text.
    End,

    #[doc(hidden)]
    #[regex(r"#[^\n]*", comment)]
    #[regex(r"//[^\n]*", slash_comment)]
    #[token("/*", block_comment)]
    #[regex(r"--[ \t][^\n]*", dash_comment)]
    #[regex(r"<!--[^\n]*", dash_comment)]
    #[token(";", semicolon)]
    #[regex(r"[\u{AD}\u{34F}\u{61C}\u{17B4}\u{17B5}\u{180B}-\u{180F}\u{200B}-\u{200F}\u{202A}-\u{202E}\u{2060}-\u{206F}\u{FE00}-\u{FE0F}\u{FEFF}\u{E0000}-\u{E0FFF}]+", invisible)]
    #[regex(
        r"[\u{A0}\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}]+",
        odd_space
    )]
    Skipped,
}

/// Most slips that are kept of one text.
const SLIPS_MAX: usize = 100;

/// What the callbacks found, with spans from the start of the lexed piece.
#[derive(Debug, Default)]
pub struct Slips {
    found: Vec<Diagnostic>,
    broken: bool,
    /// Where the last unreadable text ended.
    broken_end: Option<usize>,
    base: u32,
}

/// Tokens of a whole program with what had to be repaired.
pub fn lex(text: &str) -> (Vec<Token>, Vec<Diagnostic>) {
    lex_piece(text, Span::new(0, text.len() as u32))
}

/// Tokens of a piece of a program; spans count from the start of `text`.
pub(crate) fn lex_piece(text: &str, piece: Span) -> (Vec<Token>, Vec<Diagnostic>) {
    let base = piece.start;
    let slips = Slips { base, ..Slips::default() };
    let mut lexer = Kind::lexer_with_extras(&text[piece.range()], slips);
    let (mut tokens, mut depth, mut line_from) = (Vec::new(), 0, piece.start as usize);
    while let Some(result) = lexer.next() {
        let range = lexer.span();
        let span = Span::new(base + range.start as u32, base + range.end as u32);
        let broken = std::mem::take(&mut lexer.extras.broken);
        let kind = match result {
            _ if broken => Kind::Broken,
            Ok(Kind::Word) if !text[span.range()].is_ascii() => Kind::ForeignWord,
            Ok(kind) => kind,
            Err(()) => Kind::Unknown,
        };
        // logos would skip them itself, but recursively: a thousand semicolons would be a thousand calls deep.
        if kind == Kind::Skipped {
            continue;
        }
        if kind == Kind::BraceClose {
            depth -= 1;
        }
        let line_start = tokens.is_empty() || text[line_from..span.range().start].contains('\n');
        line_from = span.range().end;
        tokens.push(Token { kind, span, depth, line_start });
        if kind == Kind::BraceOpen {
            depth += 1;
        }
    }
    (tokens, lexer.extras.found)
}

impl Slips {
    /// Keeps a report, unless there are so many already that nobody would read it.
    fn say(&mut self, diagnostic: Diagnostic) {
        if self.found.len() < SLIPS_MAX {
            self.found.push(diagnostic);
        }
    }

    fn span(&self, range: std::ops::Range<usize>) -> Span {
        Span::new(self.base + range.start as u32, self.base + range.end as u32)
    }
}

/// Reads on behind a `"`.
fn text(lexer: &mut logos::Lexer<'_, Kind>) {
    let rest = lexer.remainder().as_bytes();
    let (mut at, mut braces) = (0, 0_u32);
    let closed = loop {
        match rest.get(at) {
            None | Some(b'\n') => break false,
            Some(b'\\') if rest.get(at + 1).is_some_and(|&byte| byte != b'\n') => at += 1,
            Some(b'{') => braces += 1,
            Some(b'}') => braces = braces.saturating_sub(1),
            Some(b'"') => break true,
            Some(_) => {}
        }
        at += 1;
    };
    end_text(lexer, at.min(rest.len()), closed, 1);
    if closed && braces > 0 {
        let span = lexer.extras.span(lexer.span());
        broken(
            lexer,
            Diagnostic::error("W0025", span, "a `{` in this text is not closed", "ends inside `{ }`")
                .help("a brace that belongs to the text is written `\\{`; a text cannot stand inside `{ }`, give it a name with `let` first"),
        );
    }
}

/// Reads on behind an `r"`.
fn raw(lexer: &mut logos::Lexer<'_, Kind>) {
    let rest = lexer.remainder();
    let at = rest.find(['"', '\n']).unwrap_or(rest.len());
    let closed = rest[at..].starts_with('"');
    end_text(lexer, at, closed, 1);
}

/// Reads on behind a `"""`.
fn long_text(lexer: &mut logos::Lexer<'_, Kind>) {
    let rest = lexer.remainder();
    let end = rest.find("\"\"\"");
    end_text(lexer, end.unwrap_or(rest.len()), end.is_some(), 3);
}

/// Takes `bytes` and the closing quotes, or reports that there are none.
fn end_text(lexer: &mut logos::Lexer<'_, Kind>, mut bytes: usize, closed: bool, quotes: usize) {
    if closed {
        bytes += quotes;
    }
    lexer.bump(bytes);
    if !closed {
        let range = lexer.span();
        let opening = if quotes == 3 { "\"\"\"" } else { "\"" };
        let span =
            lexer.extras.span(range.start..range.start + lexer.slice().len().min(quotes.max(1)));
        broken(
            lexer,
            Diagnostic::error("W0002", span, "this text has no end", "starts here").help(format!(
                "close it with `{opening}`{}",
                if quotes == 3 { "" } else { " on the same line; a line end is written `\\n`" }
            )),
        );
    }
}

/// Marks the text as unreadable. What follows it on its line is turned inside out, so the line has one report.
fn broken(lexer: &mut logos::Lexer<'_, Kind>, diagnostic: Diagnostic) {
    let range = lexer.span();
    let line_told = lexer.extras.broken_end.replace(range.end);
    lexer.extras.broken = true;
    if line_told.is_none_or(|end| lexer.source()[end..range.start].contains('\n')) {
        lexer.extras.say(diagnostic);
    }
}

fn optional_dot(lexer: &mut logos::Lexer<'_, Kind>) {
    let span = lexer.extras.span(lexer.span());
    lexer.extras.say(
        Diagnostic::error("W0003", span, "there is no `?.` in weir", "one `.` is enough")
            .help("write `.`: every step of a path is safe, what is not there is missing")
            .fix("?. -> .", span, "."),
    );
}

fn comment(lexer: &mut logos::Lexer<'_, Kind>) {
    let start = lexer.span().start;
    let hidden = lexer.slice().char_indices().find(|(_, character)| is_invisible(*character));
    if let Some((at, character)) = hidden {
        let range = start + at..start + at + character.len_utf8();
        report_invisible(lexer, range);
    }
}

fn slash_comment(lexer: &mut logos::Lexer<'_, Kind>) {
    let range = lexer.span();
    let span = lexer.extras.span(range.start..range.start + 2);
    let report =
        Diagnostic::error("W0021", span, "comments start with `#`", "not a comment in weir");
    // `.a // "x"` gives a default in jq.
    let line = lexer.source()[..range.start].rsplit('\n').next().unwrap_or_default();
    let behind = lexer.slice()[2..].trim();
    let default = !line.trim().is_empty() && behind.starts_with(['"', '\'', '.']);
    lexer.extras.say(if default {
        report
            .help("for another value where one is missing write `??`; a comment starts with `#`")
            .fix("// -> ??", span, "??")
    } else {
        report.help("write `#`").fix("// -> #", span, "#")
    });
}

/// `/* ... */`: every line of it becomes a comment of its own.
fn block_comment(lexer: &mut logos::Lexer<'_, Kind>) {
    let start = lexer.extras.span(lexer.span());
    let rest = lexer.remainder();
    let closed = rest.find("*/");
    let inside = closed.or_else(|| rest.find('\n')).unwrap_or(rest.len());
    let behind = rest.get(inside + 2..).unwrap_or_default();
    let alone = behind.trim_start_matches([' ', '\t', '\r']);
    let alone = closed.is_some() && (alone.is_empty() || alone.starts_with('\n'));
    let commented = |line: &str| {
        let text = line.trim().trim_start_matches('*').trim();
        if text.is_empty() { "#".to_owned() } else { format!("# {text}") }
    };
    let lines: Vec<String> = rest[..inside].lines().map(commented).collect();
    lexer.bump(inside + if closed.is_some() { 2 } else { 0 });
    let whole = lexer.extras.span(lexer.span());
    let report =
        Diagnostic::error("W0021", start, "comments start with `#`", "not a comment in weir")
            .help("write `#` before each line of the comment");
    lexer.extras.say(if alone { report.fix("#", whole, lines.join("\n")) } else { report });
}

/// `-- ...` and `<!-- ... -->`
fn dash_comment(lexer: &mut logos::Lexer<'_, Kind>) {
    let range = lexer.span();
    let signs = if lexer.slice().starts_with('<') { 4 } else { 2 };
    let span = lexer.extras.span(range.start..range.start + signs);
    let written = &lexer.slice()[..signs];
    let report =
        Diagnostic::error("W0021", span, "comments start with `#`", "not a comment in weir")
            .help("write `#`")
            .fix(format!("{written} -> #"), span, "#");
    lexer.extras.say(report);
}

fn semicolon(lexer: &mut logos::Lexer<'_, Kind>) {
    let span = lexer.extras.span(lexer.span());
    lexer.extras.say(
        Diagnostic::error("W0018", span, "nothing ends with `;` in weir", "not needed")
            .help("remove it: each entry starts with a word, so no sign is needed between two")
            .fix("remove ;", span, ""),
    );
}

/// Whether a character is not shown, or reverses the direction of what follows.
pub(crate) fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E0FFF}')
}

fn invisible(lexer: &mut logos::Lexer<'_, Kind>) {
    let range = lexer.span();
    let at_start = lexer.extras.base == 0 && range.start == 0;
    // One byte order mark before everything is a habit of editors, not an attack.
    if !(at_start && lexer.slice() == "\u{FEFF}") {
        report_invisible(lexer, range);
    }
}

fn report_invisible(lexer: &mut logos::Lexer<'_, Kind>, range: std::ops::Range<usize>) {
    let span = lexer.extras.span(range.clone());
    let code = lexer.source()[range].chars().next().map_or(0, u32::from);
    let message = format!("an invisible character (U+{code:04X}) stands here");
    lexer.extras.say(
        Diagnostic::error("W0007", span, message, "cannot be seen")
            .help("remove it: it can make a program look different from what it does")
            .note("inside a text it is allowed, best written as `\\u{...}`")
            .fix("remove it", span, ""),
    );
}

fn odd_space(lexer: &mut logos::Lexer<'_, Kind>) {
    let span = lexer.extras.span(lexer.span());
    let code = lexer.slice().chars().next().map_or(0, u32::from);
    let message = format!("this is not an ordinary space (U+{code:04X})");
    lexer.extras.say(
        Diagnostic::error("W0007", span, message, "looks like a space")
            .help("write an ordinary space")
            .fix("ordinary space", span, " "),
    );
}

fn single_quotes(lexer: &mut logos::Lexer<'_, Kind>) {
    let slice = lexer.slice();
    let (first, last) = (slice.chars().next(), slice.chars().next_back());
    let sides = [first, last].map(|quote| quote.map_or(1, char::len_utf8));
    let inner = slice.get(sides[0]..slice.len().saturating_sub(sides[1])).unwrap_or_default();
    let inner = inner.replace('\\', "\\\\").replace('"', "\\\"");
    let (label, inner) = match first {
        Some('\'') => ("single quotes", inner.replace('{', "\\{")),
        // A template of JavaScript: its braces are meant.
        Some('`') => ("backticks", inner.replace("${", "{")),
        _ => ("typographic quotes", inner.replace('{', "\\{")),
    };
    let span = lexer.extras.span(lexer.span());
    lexer.extras.say(
        Diagnostic::error("W0015", span, "a text stands in straight double quotes", label)
            .help(format!("write \"{inner}\""))
            .fix("double quotes", span, format!("\"{inner}\"")),
    );
}
