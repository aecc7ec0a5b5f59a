//! What nom needs to run over tokens, and the parsers of single tokens.
//!
//! A parser answers in one of three ways. `Err::Error` says "not mine": nothing was read and there is nothing to tell,
//! so an alternative may be tried. `Err::Failure` carries a report: the deciding token was read, and what follows it is
//! wrong. Everything else is a result, perhaps with a report made on the way when only one reading made sense.

use std::cell::{Cell, RefCell};
use std::iter::{Copied, Enumerate};

use nom::error::{ErrorKind, ParseError};
use nom::{Err, IResult, Input, Needed, Parser};

use super::foreign;
use crate::ast::{Name, Spanned, Text};
use crate::diagnostic::Diagnostic;
use crate::lex::{Kind, Token};
use crate::source::Span;

/// Every word that some rule of the grammar names.
pub(crate) const WORDS: &[&str] = &[
    "add",
    "and",
    "as",
    "by",
    "contains",
    "drop",
    "dropped",
    "each",
    "else",
    "emit",
    "ends_with",
    "error",
    "event",
    "exactly",
    "expect",
    "false",
    "given",
    "hash",
    "if",
    "in",
    "input",
    "invalid",
    "is",
    "keep",
    "let",
    "match",
    "matches",
    "max",
    "missing",
    "not",
    "ocsf",
    "on",
    "optional",
    "or",
    "parser",
    "present",
    "product",
    "raw",
    "redact",
    "reject",
    "rejected",
    "required",
    "skip",
    "starts_with",
    "table",
    "test",
    "then",
    "true",
    "version",
    "weir",
    "when",
    "with",
];

/// Words that cannot be names.
pub(crate) const RESERVED: &[&str] = &[
    "let",
    "when",
    "else",
    "each",
    "as",
    "emit",
    "event",
    "add",
    "drop",
    "keep",
    "on",
    "reject",
    "skip",
    "if",
    "then",
    "match",
    "and",
    "or",
    "not",
    "in",
    "is",
    "true",
    "false",
    "missing",
    "present",
    "starts_with",
    "ends_with",
    "contains",
    "matches",
];

/// Names that have a meaning everywhere: fields may be called so, `let`s and loop variables may not.
const GIVEN_NAMES: &[&str] = &["it", "index", "last", "meta"];

/// Deepest nesting of blocks, brackets and texts; the parser recurses no deeper.
pub(crate) const NESTING_MAX: u32 = 64;

/// Most reports that one run makes.
const REPORTS_MAX: usize = 100;

/// What all parsers of one program share.
pub(crate) struct Context<'t> {
    /// The program.
    pub(crate) text: &'t str,
    /// Whether every brace of the program has its counterpart. If so, a statement at an odd place is a misunderstanding;
    /// if not, it shows where a brace is missing.
    pub(crate) balanced: bool,
    depth: Cell<u32>,
    entry: Cell<u32>,
    said: Cell<Option<(u32, u32)>>,
    diagnostics: RefCell<Vec<Diagnostic>>,
    /// How often a token was looked at: what the parser costs.
    #[cfg(test)]
    looks: Cell<u64>,
}

impl<'t> Context<'t> {
    pub(crate) fn new(text: &'t str, balanced: bool, found: Vec<Diagnostic>) -> Self {
        let diagnostics = RefCell::new(found);
        let (depth, entry, said) = (Cell::new(0), Cell::new(0), Cell::new(None));
        Self {
            text,
            balanced,
            depth,
            entry,
            said,
            diagnostics,
            #[cfg(test)]
            looks: Cell::new(0),
        }
    }

    /// How often a token was looked at.
    #[cfg(test)]
    pub(crate) fn looks(&self) -> u64 {
        self.looks.get()
    }

    /// Keeps a report that stands for itself: what was meant is clear, and reading goes on.
    pub(crate) fn report(&self, diagnostic: Diagnostic) {
        let mut all = self.diagnostics.borrow_mut();
        if all.len() < REPORTS_MAX {
            all.push(diagnostic);
        }
    }

    /// Keeps a report unless the entry has one that may have caused it.
    pub(crate) fn repair(&self, diagnostic: Diagnostic) {
        if self.said.get().is_none_or(|(in_entry, _)| in_entry != self.entry.get()) {
            self.report(diagnostic);
        }
    }

    /// Whether something could not be read so far.
    pub(crate) fn said_something(&self) -> bool {
        self.said.get().is_some()
    }

    /// Keeps a report that may be a consequence of an earlier one: at most one for each entry, and one for each place.
    pub(crate) fn syntax(&self, diagnostic: Diagnostic) {
        let (entry, at) = (self.entry.get(), diagnostic.primary.span.start);
        if self.said.get().is_none_or(|(in_entry, there)| in_entry != entry && there != at) {
            self.said.set(Some((entry, at)));
            self.report(diagnostic);
        }
    }

    /// A new entry begins: it may have its own report.
    pub(crate) fn begin_entry(&self) {
        self.entry.set(self.entry.get().saturating_add(1));
    }

    /// Everything said, in the order of the text.
    pub(crate) fn finish(self) -> Vec<Diagnostic> {
        let mut diagnostics = self.diagnostics.into_inner();
        diagnostics.sort_by_key(|diagnostic| diagnostic.primary.span);
        diagnostics
    }
}

/// The tokens that are still to be read.
#[derive(Clone, Copy)]
pub(crate) struct Tokens<'t> {
    /// Shared by all parsers.
    pub(crate) cx: &'t Context<'t>,
    all: &'t [Token],
    /// Index of the next one.
    pub(crate) at: usize,
    end: Token,
}

impl<'t> Tokens<'t> {
    /// `end` is where the text of these tokens ends.
    pub(crate) fn new(cx: &'t Context<'t>, all: &'t [Token], end: u32) -> Self {
        let span = Span::new(end, end);
        let end = Token { kind: Kind::End, span, depth: i32::MIN, line_start: true };
        Self { cx, all, at: 0, end }
    }

    /// The token `ahead` places on.
    pub(crate) fn ahead(self, ahead: usize) -> Token {
        #[cfg(test)]
        self.cx.looks.set(self.cx.looks.get() + 1);
        self.all.get(self.at + ahead).copied().unwrap_or(self.end)
    }

    /// The next token.
    pub(crate) fn peek(self) -> Token {
        self.ahead(0)
    }

    /// The kind of the next token.
    pub(crate) fn kind(self) -> Kind {
        self.peek().kind
    }

    /// The token that was read last.
    pub(crate) fn previous(self) -> Option<Token> {
        self.behind(1)
    }

    /// The token that was read `count` tokens ago.
    pub(crate) fn behind(self, count: usize) -> Option<Token> {
        self.at.checked_sub(count).and_then(|at| self.all.get(at)).copied()
    }

    /// Behind the next token.
    pub(crate) fn advance(self) -> Self {
        self.skip(1)
    }

    /// Behind the next `count` tokens.
    pub(crate) fn skip(self, count: usize) -> Self {
        Self { at: (self.at + count).min(self.all.len()), ..self }
    }

    /// `count` tokens before the next one, or at the first.
    pub(crate) fn back(self, count: usize) -> Self {
        Self { at: self.at.saturating_sub(count), ..self }
    }

    /// The text of a place.
    pub(crate) fn slice(self, span: Span) -> &'t str {
        self.cx.text.get(span.range()).unwrap_or_default()
    }

    /// Whether a word stands before this place on its line.
    pub(crate) fn line_has_before(self, word: &'static str) -> bool {
        let mut at = self;
        while at.at > 0 && !at.peek().line_start {
            at = at.back(1);
            if at.word() == Some(word) {
                return true;
            }
        }
        false
    }

    /// The text of a token.
    pub(crate) fn text(self, token: Token) -> &'t str {
        self.cx.text.get(token.span.range()).unwrap_or_default()
    }

    /// The text of the token `ahead` places on, if it is a word.
    pub(crate) fn word_ahead(self, ahead: usize) -> Option<&'t str> {
        let token = self.ahead(ahead);
        (token.kind == Kind::Word).then(|| self.text(token))
    }

    /// The text of the next token, if it is a word.
    pub(crate) fn word(self) -> Option<&'t str> {
        self.word_ahead(0)
    }

    /// Whether the next token is this word.
    pub(crate) fn is_word(self, word: &'static str) -> bool {
        debug_assert!(WORDS.contains(&word), "`{word}` is not in the list of words");
        self.word() == Some(word)
    }

    /// Whether the next token is a word that can be a name.
    pub(crate) fn is_name(self) -> bool {
        self.kind() == Kind::ForeignWord || self.word().is_some_and(|word| !is_reserved(word))
    }

    /// From the start of `self` to the end of what was read before `rest`.
    pub(crate) fn span_to(self, rest: Self) -> Span {
        let start = self.peek().span.start;
        let end = rest.previous().map_or(start, |token| token.span.end);
        Span::new(start, end.max(start))
    }

    /// Whether the next token touches the one before it.
    pub(crate) fn touches(self) -> bool {
        self.previous().is_some_and(|token| token.span.end == self.peek().span.start)
    }

    /// Whether an item starts here; words that are reserved nowhere need the words that follow them.
    pub(crate) fn starts_item(self) -> bool {
        let behind_dot = self.previous().is_some_and(|token| token.kind == Kind::Dot);
        if behind_dot && !self.peek().line_start {
            return false;
        }
        let Some(word) = self.word() else { return false };
        let (next, after) = (self.ahead(1).kind, self.ahead(2).kind);
        match word {
            "emit" | "event" | "let" | "each" | "drop" | "keep" | "reject" | "when" => true,
            "test" | "product" | "parser" | "ocsf" => next == Kind::String,
            "table" => next == Kind::Word && after == Kind::ParenOpen,
            "input" => next == Kind::Word && after == Kind::BraceOpen,
            "raw" => matches!(self.word_ahead(1), Some("keep" | "drop" | "hash" | "redact")),
            "on" => self.word_ahead(1) == Some("error"),
            "weir" => next == Kind::Number,
            _ => false,
        }
    }

    /// Whether a `given` or an `expect` of a test starts here.
    pub(crate) fn starts_test_line(self) -> bool {
        let next = self.ahead(1).kind;
        self.is_word("given") && matches!(next, Kind::Text | Kind::String)
            || self.is_word("expect") && next == Kind::Word
    }

    /// Whether a name stands here that can be the left side of an entry.
    pub(crate) fn starts_entry(self) -> bool {
        self.is_name() && !self.starts_item() && !self.starts_test_line() || self.is_quoted_name()
    }

    /// Whether a name in quotes stands here with a value behind it.
    pub(crate) fn is_quoted_name(self) -> bool {
        matches!(self.kind(), Kind::String | Kind::SingleQuoted)
            && matches!(self.ahead(1).kind, Kind::Assign | Kind::Colon)
    }

    /// Whether `a.b = ` or `a.b {` stands here, which is the start of an entry and no value.
    pub(crate) fn starts_assignment(self) -> bool {
        self.assignment_sign().is_some()
    }

    /// The sign of `a.b = ` or `a.b {`, if that stands here.
    pub(crate) fn assignment_sign(self) -> Option<Kind> {
        let mut rest = self;
        if !rest.is_name() {
            return None;
        }
        rest = rest.advance();
        while rest.kind() == Kind::Dot && !rest.ahead(1).line_start {
            rest = rest.skip(2);
        }
        Some(rest.kind()).filter(|kind| matches!(kind, Kind::Assign | Kind::BraceOpen))
    }

    /// Whether a line or a block starts here.
    pub(crate) fn starts_line(self) -> bool {
        let brace = |token: Token| matches!(token.kind, Kind::BraceOpen | Kind::BraceClose);
        self.peek().line_start || self.previous().is_none_or(brace)
    }

    /// A report that something else should stand here, as the answer of a parser.
    pub(crate) fn expected(self, what: impl std::fmt::Display) -> Fault {
        // At the start of the next line there is nothing to see: point behind what stands before.
        if let Some(before) = self.previous().filter(|_| self.peek().line_start) {
            let label = "nothing like it behind this";
            let message = format!("here should be {what}");
            let diagnostic = Diagnostic::error("W0001", before.span, message, label);
            return self.fault(self.with_example(diagnostic, self.back(1)));
        }
        self.fault(foreign::inside(self).unwrap_or_else(|| {
            let report = self.instead(what);
            if report.help.is_some() { report } else { self.with_example(report, self) }
        }))
    }

    /// A report that a sign is missing before the next token, and the edit that puts it there; something of another
    /// language has a report of its own.
    pub(crate) fn lacking(self, what: &str, sign: &str) -> Diagnostic {
        if let Some(report) = foreign::inside(self) {
            return report;
        }
        let at = self.previous().map_or(0, |token| token.span.end);
        let place = Span::new(at, at);
        self.instead(what).help(format!("write `{}`", sign.trim())).fix(
            format!("insert {}", sign.trim()),
            place,
            sign,
        )
    }

    /// A report that something else should stand instead of the next token.
    pub(crate) fn instead(self, what: impl std::fmt::Display) -> Diagnostic {
        let found = self.peek();
        let label = format!("here is {}", self.describe(found));
        let message = format!("here should be {what}");
        let words = message.split('`').skip(1).step_by(2);
        if let Some(report) = self
            .word()
            .filter(|word| !is_reserved(word))
            .and_then(|word| foreign::misspelt(word, found.span, words))
        {
            return report;
        }
        let diagnostic = Diagnostic::error("W0001", found.span, message, label);
        match self.hint(found) {
            Some(hint) => diagnostic.help(hint),
            None => diagnostic,
        }
    }

    /// Adds what the whole line around `at` looks like, if its first word tells.
    fn with_example(self, diagnostic: Diagnostic, at: Self) -> Diagnostic {
        let mut first = at;
        while first.at > 0 && !first.peek().line_start {
            first = first.back(1);
        }
        match first.word().and_then(foreign::example) {
            Some(example) if first.at < self.at => {
                diagnostic.help(format!("a whole line is `{example}`"))
            }
            _ => diagnostic,
        }
    }

    /// A report as the answer of a parser.
    pub(crate) fn fault(self, diagnostic: Diagnostic) -> Fault {
        Fault::Wrong { at: self.at, diagnostic: Box::new(diagnostic), hopeless: false }
    }

    fn describe(self, token: Token) -> String {
        match token.kind {
            Kind::End => "the end".to_owned(),
            Kind::String | Kind::SingleQuoted | Kind::Raw | Kind::Text | Kind::Broken => {
                "a text".to_owned()
            }
            Kind::Unknown => format!("`{}`, which means nothing in weir", self.text(token)),
            _ => format!("`{}`", self.text(token)),
        }
    }

    /// What helps where the token alone tells what went wrong.
    fn hint(self, token: Token) -> Option<&'static str> {
        match token.kind {
            Kind::Text => Some("`\"\"\"` is for the samples of tests; elsewhere write `\"...\"`"),
            Kind::AndAnd => Some("`and` is written as a word"),
            Kind::OrOr => Some("`or` is written as a word"),
            Kind::Bang => Some("`not` is written as a word"),
            Kind::Unknown if matches!(self.text(token), "\"" | "'" | "`") => {
                Some("a text stands in double quotes, on one line")
            }
            Kind::Word => match self.text(token) {
                "if" => Some("an `if` inside a larger expression stands in parentheses"),
                "when" => Some(
                    "`when` chooses between whole events; for one value write `if ... then ... else missing`",
                ),
                "on" => Some(
                    "`on missing` and `on invalid` stand behind the value of a target; a `let` can use `??`",
                ),
                _ => None,
            },
            _ => None,
        }
    }
}

impl<'t> Input for Tokens<'t> {
    type Item = Token;
    type Iter = Copied<std::slice::Iter<'t, Token>>;
    type IterIndices = Enumerate<Self::Iter>;

    fn input_len(&self) -> usize {
        self.all.len() - self.at
    }

    fn take(&self, index: usize) -> Self {
        Self { all: &self.all[..self.at + index], ..*self }
    }

    fn take_from(&self, index: usize) -> Self {
        self.skip(index)
    }

    fn take_split(&self, index: usize) -> (Self, Self) {
        (self.take_from(index), self.take(index))
    }

    fn position<P: Fn(Token) -> bool>(&self, predicate: P) -> Option<usize> {
        self.iter_elements().position(predicate)
    }

    fn iter_elements(&self) -> Self::Iter {
        self.all[self.at..].iter().copied()
    }

    fn iter_indices(&self) -> Self::IterIndices {
        self.iter_elements().enumerate()
    }

    fn slice_index(&self, count: usize) -> Result<usize, Needed> {
        let left = self.input_len();
        if count <= left { Ok(count) } else { Err(Needed::new(count - left)) }
    }
}

/// Why a parser has no result.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The deciding token is another one.
    NotHere,
    /// Something is wrong.
    Wrong {
        /// Index of the token where.
        at: usize,
        /// What is said about it.
        diagnostic: Box<Diagnostic>,
        /// No use to look for the next entry.
        hopeless: bool,
    },
}

impl ParseError<Tokens<'_>> for Fault {
    fn from_error_kind(_: Tokens<'_>, _: ErrorKind) -> Self {
        Self::NotHere
    }

    fn append(_: Tokens<'_>, _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// What a parser gives.
pub(crate) type Parsed<'t, T> = IResult<Tokens<'t>, T, Fault>;

/// "Not mine": try something else.
pub(crate) fn not_here<'t, T>() -> Parsed<'t, T> {
    Err(Err::Error(Fault::NotHere))
}

/// "Mine, and wrong": try nothing else.
pub(crate) fn stop<'t, T>(fault: Fault) -> Parsed<'t, T> {
    Err(Err::Failure(fault))
}

/// Makes "not mine" an error: behind the deciding token there is no alternative. This is nom's `cut` with words.
pub(crate) fn must<'t, T>(
    what: &'static str,
    mut parser: impl Parser<Tokens<'t>, Output = T, Error = Fault>,
) -> impl FnMut(Tokens<'t>) -> Parsed<'t, T> {
    move |input| match parser.parse(input) {
        Err(Err::Error(_)) => stop(input.expected(what)),
        result => result,
    }
}

/// One word of the grammar.
pub(crate) fn word<'t>(word: &'static str) -> impl Fn(Tokens<'t>) -> Parsed<'t, Token> {
    move |input| {
        if input.is_word(word) { Ok((input.advance(), input.peek())) } else { not_here() }
    }
}

/// One token of a kind.
pub(crate) fn sign<'t>(kind: Kind) -> impl Fn(Tokens<'t>) -> Parsed<'t, Token> {
    move |input| {
        if input.kind() == kind { Ok((input.advance(), input.peek())) } else { not_here() }
    }
}

/// Whether a word is reserved.
pub(crate) fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word)
}

/// A token as a node.
pub(crate) fn spanned(input: Tokens<'_>, token: Token) -> Spanned<String> {
    Spanned { node: input.text(token).to_owned(), span: token.span }
}

/// A word that is not reserved.
pub(crate) fn name(input: Tokens<'_>) -> Parsed<'_, Name> {
    if !input.is_name() {
        return not_here();
    }
    let token = input.peek();
    if token.kind == Kind::ForeignWord {
        foreign_word(input, token);
    }
    Ok((input.advance(), spanned(input, token)))
}

/// A name must stand here; a reserved word is told to be one.
pub(crate) fn must_name<'t>(what: &'static str) -> impl FnMut(Tokens<'t>) -> Parsed<'t, Name> {
    move |input| {
        if let Some(word) = input.word().filter(|word| is_reserved(word))
            && !input.peek().line_start
        {
            let span = input.peek().span;
            let message = format!("`{word}` cannot be a name here: weir uses the word itself");
            return stop(
                input.fault(
                    Diagnostic::error("W0023", span, message, format!("expected {what}"))
                        .help("take another word"),
                ),
            );
        }
        if input.kind() == Kind::String && what.contains("ndjson") {
            let span = input.peek().span;
            let word = input.slice(span).trim_matches('"');
            input.cx.report(
                Diagnostic::error("W0042", span, "the format has no quotes", "not a text")
                    .help(format!("write `{word}`"))
                    .fix("remove the quotes", span, word),
            );
            return Ok((input.advance(), Spanned { node: word.to_owned(), span }));
        }
        must(what, name)(input)
    }
}

/// A name for a `let` or a loop variable.
pub(crate) fn must_new_name<'t>(what: &'static str) -> impl FnMut(Tokens<'t>) -> Parsed<'t, Name> {
    move |input| {
        let (rest, name) = must_name(what)(input)?;
        if GIVEN_NAMES.contains(&name.node.as_str()) {
            let message = format!("`{}` already means something everywhere", name.node);
            input.cx.report(
                Diagnostic::error("W0023", name.span, message, "cannot be defined")
                    .help("take another name"),
            );
        }
        Ok((rest, name))
    }
}

fn foreign_word(input: Tokens<'_>, token: Token) {
    let message = "names have only the letters a to z, digits and `_`";
    input.cx.report(
        Diagnostic::error("W0024", token.span, message, "has other letters")
            .help(format!("a field of the record is written `.\"{}\"`", input.text(token))),
    );
}

/// Counts one more level of nesting around `parser`.
pub(crate) fn nested<'t, T>(
    input: Tokens<'t>,
    parser: impl FnOnce(Tokens<'t>) -> Parsed<'t, T>,
) -> Parsed<'t, T> {
    let depth = input.cx.depth.get();
    if depth >= NESTING_MAX {
        return stop(too_deep(input, input.peek().span));
    }
    input.cx.depth.set(depth + 1);
    let result = parser(input);
    input.cx.depth.set(depth);
    result
}

/// What is said about a program that nests too deeply.
pub(crate) fn too_deep(input: Tokens<'_>, span: Span) -> Fault {
    let diagnostic = Diagnostic::error("W0005", span, "this is nested too deeply", "too deep")
        .help("give a part of it a name with `let`");
    Fault::Wrong { at: input.at, diagnostic: Box::new(diagnostic), hopeless: true }
}

/// How the entries of a block look.
pub(crate) struct Shape {
    /// Whose braces these are, for messages: "`emit`".
    pub(crate) owner: &'static str,
    /// What can stand inside.
    pub(crate) expected: &'static str,
    /// Whether an entry can start here.
    pub(crate) starts: for<'t> fn(Tokens<'t>) -> bool,
}

/// `{ entries }`. What cannot be read is reported, and reading goes on at the next entry.
pub(crate) fn braces<'t, T>(
    input: Tokens<'t>,
    shape: &Shape,
    entry: impl Fn(Tokens<'t>) -> Parsed<'t, T>,
) -> Parsed<'t, (Vec<T>, Span)> {
    nested(input, |input| {
        let (mut rest, open) = open_brace(input, shape)?;
        while rest.kind() == Kind::BraceOpen && !input.cx.balanced {
            let span = rest.peek().span;
            rest.cx.syntax(
                Diagnostic::error("W0008", span, "one `{` is enough", "a second one")
                    .label(open, "the first one")
                    .help("remove it")
                    .fix("remove {", span, ""),
            );
            rest = rest.advance();
        }
        let (mut entries, depth) = (Vec::new(), rest.peek().depth);
        loop {
            rest = skip_separators(rest, shape);
            match rest.kind() {
                Kind::BraceClose => {
                    let rest = rest.advance();
                    return Ok((rest, (entries, input.span_to(rest))));
                }
                Kind::End => break,
                _ if !input.cx.balanced && ends_unclosed(rest, shape) => break,
                _ => {}
            }
            input.cx.begin_entry();
            let elsewhere = rest.starts_item() && !(shape.starts)(rest);
            match if elsewhere { not_here() } else { entry(rest) } {
                Ok((after, value)) => {
                    entries.push(value);
                    rest = after;
                }
                Err(error) => rest = recover(rest, error, shape, depth)?,
            }
        }
        input.cx.syntax(unclosed(rest, open, shape));
        Ok((rest, (entries, input.span_to(rest))))
    })
}

/// The `{`, which may have been forgotten.
fn open_brace<'t>(input: Tokens<'t>, shape: &Shape) -> Parsed<'t, Span> {
    let token = input.peek();
    if token.kind == Kind::BraceOpen {
        return Ok((input.advance(), token.span));
    }
    let forgotten = !input.cx.balanced && ((shape.starts)(input) || token.kind == Kind::BraceClose);
    if !forgotten {
        return stop(input.expected(format_args!("`{{` after {}", shape.owner)));
    }
    let before = input.previous().map_or(token.span, |token| token.span);
    let place = Span::new(before.end, before.end);
    input.cx.syntax(
        Diagnostic::error(
            "W0008",
            before,
            format!("expected `{{` after {}", shape.owner),
            "not found behind this",
        )
        .help("what belongs to it stands between `{` and `}`")
        .fix("insert {", place, " {"),
    );
    Ok((input, before))
}

/// Whether this token can only stand behind the missing end of a block.
fn ends_unclosed(input: Tokens<'_>, shape: &Shape) -> bool {
    !(shape.starts)(input)
        && (input.starts_item() || input.starts_test_line() || input.is_word("else"))
}

fn unclosed(input: Tokens<'_>, open: Span, shape: &Shape) -> Diagnostic {
    let message = format!("the `{{` of {} is not closed", shape.owner);
    let found = input.peek();
    let label = match found.kind {
        Kind::End => "the program ends before its `}`".to_owned(),
        _ => format!("a `}}` is missing before `{}`", input.text(found)),
    };
    Diagnostic::error("W0008", found.span, message, label).label(open, "opened here")
}

/// Signs that other languages put between entries.
fn skip_separators<'t>(mut input: Tokens<'t>, shape: &Shape) -> Tokens<'t> {
    let plain = matches!(shape.owner, "`input`" | "`on error`");
    let between = |next: Tokens<'t>| {
        next.peek().line_start
            || next.kind() == Kind::BraceClose
            || (shape.starts)(next) && (plain || !next.is_name() || next.starts_assignment())
    };
    while input.kind() == Kind::Comma && between(input.advance()) {
        let span = input.peek().span;
        input.cx.repair(
            Diagnostic::error("W0018", span, "entries are not separated by commas", "not needed")
                .help("remove it: each entry starts with a word, so no sign is needed between two")
                .fix("remove ,", span, ""),
        );
        input = input.advance();
    }
    input
}

/// Reports what an entry met and finds the next one, or the end of the block.
fn recover<'t>(
    input: Tokens<'t>,
    error: Err<Fault>,
    shape: &Shape,
    depth: i32,
) -> Result<Tokens<'t>, Err<Fault>> {
    let at = match error {
        Err::Failure(Fault::Wrong { hopeless: true, .. }) => return Err(error),
        Err::Failure(Fault::Wrong { at, diagnostic, .. }) => {
            input.cx.syntax(*diagnostic);
            at
        }
        _ => {
            let report = foreign::entry(input, shape.owner);
            input.cx.syntax(report.unwrap_or_else(|| input.instead(shape.expected)));
            input.at
        }
    };
    let mut rest = input.skip(at.saturating_sub(input.at).max(1));
    loop {
        let token = rest.peek();
        let entry = token.depth <= depth
            && rest.starts_line()
            && ((shape.starts)(rest) || rest.starts_item());
        if token.kind == Kind::End || token.depth < depth || entry {
            return Ok(rest);
        }
        rest = rest.advance();
    }
}

/// A constant text: no `{expr}` inside.
pub(crate) fn constant(input: Tokens<'_>) -> Parsed<'_, Text> {
    let token = input.peek();
    match token.kind {
        Kind::String | Kind::SingleQuoted | Kind::Broken => {
            let node = super::text::constant(input, token);
            Ok((input.advance(), Spanned { node, span: token.span }))
        }
        _ => not_here(),
    }
}
