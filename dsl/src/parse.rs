//! Tokens to [`ast`](crate::ast), with recovery.
//!
//! The grammar (`grammar/weir.ebnf`) is LL(1): the next token decides, so every parser either declines at its first
//! token or sees it through. What cannot be read is reported once, and reading goes on at the next entry of the
//! innermost block (`tokens::braces`) or at the next item of the file. A program therefore always has a tree, and every
//! report stands for a cause of its own.
//!
//! It takes time linear in the text, and recursion ends at a fixed depth.

mod expr;
mod foreign;
mod stmt;
mod text;
mod tokens;

pub(crate) use tokens::is_reserved;

use nom::Err;
use nom::Parser;
use nom::branch::alt;
use nom::combinator::map;

use crate::ast::{File, Item, Stmt};
use crate::diagnostic::Diagnostic;
use crate::lex::{self, Kind, Token};
use crate::source::{Source, Span};

use stmt::{HEAD, Head};
use tokens::{Context, Fault, Parsed, Tokens};

/// Reads a program. The tree holds whatever could be read.
pub fn parse(source: &Source) -> (File, Vec<Diagnostic>) {
    if let Some(span) = source.not_utf8() {
        let message = "a program is UTF-8 text, and this is none";
        let report = Diagnostic::error("W0050", span, message, "bytes of another encoding")
            .help("save the file as UTF-8 in your editor");
        return (File::default(), vec![report]);
    }
    if source.text.len() > Source::BYTES_MAX {
        let span = Span::new(0, 0);
        let message = format!("a program has at most {} bytes", Source::BYTES_MAX);
        let label = format!("this one has {}", source.text.len());
        return (File::default(), vec![Diagnostic::error("W0004", span, message, label)]);
    }
    let (tokens, slips) = lex::lex(&source.text);
    let cx = Context::new(&source.text, balanced(&tokens), slips);
    let start = Tokens::new(&cx, &tokens, source.text.len() as u32);
    let file = FileReader::default().read(start);
    let other_language = foreign::file(start).filter(|_| file.edition.is_none());
    let mut diagnostics = cx.finish();
    if let Some(report) = other_language {
        return (file, vec![report]);
    }
    if let Some(edition) = file.edition.as_ref().filter(|edition| edition.node != "1") {
        // What else was said measures the program by the wrong grammar.
        let message = format!("this weir does not know edition {}", edition.node);
        diagnostics = vec![
            Diagnostic::error("W0013", edition.span, message, "unknown")
                .help("use a newer weir, or write the program for edition 1"),
        ];
    }
    (file, diagnostics)
}

/// Whether every brace has its counterpart.
fn balanced(tokens: &[Token]) -> bool {
    let count = |kind| tokens.iter().filter(|token| token.kind == kind).count();
    count(Kind::BraceOpen) == count(Kind::BraceClose) && tokens.iter().all(|token| token.depth >= 0)
}

/// What the file has shown so far.
#[derive(Default)]
struct FileReader {
    file: File,
    /// Which lines of the head were met, readable or not.
    met: [Option<Span>; HEAD.len()],
    /// The word that starts the first item.
    first_item: Option<Span>,
    /// Something could not even be recognised; a missing line may be there in disguise.
    lost: bool,
}

/// A line of the head or an item.
enum Part {
    Head(Head),
    Item(Item),
}

fn part(input: Tokens<'_>) -> Parsed<'_, Part> {
    alt((map(stmt::head, Part::Head), map(stmt::item, Part::Item))).parse(input)
}

impl FileReader {
    fn read(mut self, mut input: Tokens<'_>) -> File {
        let whole = input;
        while input.kind() != Kind::End {
            input.cx.begin_entry();
            match head_rank(input) {
                Some(rank) => self.meet(input, rank),
                None if input.starts_item() => {
                    keep_first(&mut self.first_item, input.peek().span);
                }
                None => {}
            }
            input = match part(input) {
                Ok((rest, part)) => {
                    self.take(part);
                    rest
                }
                Err(error) => self.recover(input, error),
            };
        }
        self.missing_lines(whole);
        stmt::one_event(
            whole,
            self.file.items.iter().filter_map(|item| match item {
                Item::Stmt(Stmt::Event(event)) => Some(event),
                _ => None,
            }),
        );
        self.file
    }

    /// Notes a line of the head and reports it if it is not the first of its kind or stands behind what follows it.
    fn meet(&mut self, input: Tokens<'_>, rank: usize) {
        let span = input.peek().span;
        let word = head_word(rank);
        if let Some(first) = self.met[rank] {
            input.cx.report(
                Diagnostic::error(
                    "W0022",
                    span,
                    format!("a file has one `{word}` line"),
                    "the second one",
                )
                .label(first, "the first one")
                .help("remove one of them"),
            );
            return;
        }
        let later = self.met[rank + 1..].iter().flatten().min().copied();
        if let Some(before) = later.or(self.first_item) {
            let order = "the head of a file is `weir`, `parser`, `ocsf`, `product`, `input`, `on error`, in this order";
            input.cx.report(
                Diagnostic::error(
                    "W0022",
                    span,
                    format!("`{word}` stands too late"),
                    "belongs further up",
                )
                .label(before, "must stand before this")
                .help(order),
            );
        }
        self.met[rank] = Some(span);
    }

    fn take(&mut self, part: Part) {
        match part {
            Part::Item(item) => self.file.items.push(item),
            Part::Head(head) => {
                let file = &mut self.file;
                match head {
                    Head::Edition(edition) => keep_first(&mut file.edition, edition),
                    Head::Parser(line) => keep_first(&mut file.parser, line),
                    Head::Ocsf(line) => keep_first(&mut file.ocsf, line),
                    Head::Product(line) => keep_first(&mut file.product, line),
                    Head::Input(input) => keep_first(&mut file.input, input),
                    Head::OnError(on_error) => keep_first(&mut file.on_error, on_error),
                }
            }
        }
    }

    /// Reports what an item met and finds the next one.
    fn recover<'t>(&mut self, input: Tokens<'t>, error: Err<Fault>) -> Tokens<'t> {
        let depth = input.peek().depth;
        let at = match error {
            Err::Failure(Fault::Wrong { at, diagnostic, .. }) => {
                input.cx.syntax(*diagnostic);
                at
            }
            _ => {
                self.lost = true;
                // A `}` too many behind something unreadable is a part of it.
                if input.kind() != Kind::BraceClose || !input.cx.said_something() {
                    input.cx.syntax(unexpected(input));
                }
                input.at
            }
        };
        let mut rest = input.skip(at.saturating_sub(input.at).max(1));
        loop {
            let token = rest.peek();
            let item = token.depth <= depth && rest.starts_line() && rest.starts_item();
            if token.kind == Kind::End || item {
                return rest;
            }
            rest = rest.advance();
        }
    }

    /// Reports the lines of the head that were not met, all at once.
    fn missing_lines(&self, input: Tokens<'_>) {
        let missing: Vec<usize> =
            (0..HEAD.len()).filter(|&rank| self.met[rank].is_none()).collect();
        if missing.is_empty() || self.lost {
            return;
        }
        let lines: Vec<&str> = missing.iter().map(|&rank| HEAD_EXAMPLES[rank]).collect();
        let words: Vec<String> =
            missing.iter().map(|&rank| format!("`{}`", head_word(rank))).collect();
        let place = self.place_of(missing[0]);
        let message = format!("the head of the file lacks {}", words.join(", "));
        let at = place.map_or(Span::new(0, 0), |span| Span::new(span.end, span.end));
        let text = match place {
            Some(_) => format!("\n{}", lines.join("\n")),
            None => format!("{}\n", lines.join("\n")),
        };
        let shown = place.unwrap_or(input.peek().span);
        input.cx.report(
            Diagnostic::error(
                "W0010",
                shown,
                message,
                if place.is_some() { "belongs behind this" } else { "belongs before this" },
            )
            .help(format!("write\n{}", lines.join("\n")))
            .fix("insert it", at, text),
        );
    }

    /// The line behind which this line belongs.
    fn place_of(&self, rank: usize) -> Option<Span> {
        let file = &self.file;
        let lines = [
            file.edition.as_ref().map(|edition| edition.span),
            file.parser.as_ref().map(|line| line.span),
            file.ocsf.as_ref().map(|line| line.span),
            file.product.as_ref().map(|line| line.span),
            file.input.as_ref().map(|input| input.span),
            file.on_error.as_ref().map(|on_error| on_error.span),
        ];
        lines[..rank].iter().flatten().last().copied()
    }
}

fn keep_first<T>(slot: &mut Option<T>, value: T) {
    if slot.is_none() {
        *slot = Some(value);
    }
}

/// What each line of the head looks like.
const HEAD_EXAMPLES: [&str; HEAD.len()] = [
    "weir 1",
    "parser \"my-parser\" version 1",
    "ocsf \"1.8.0\"",
    "product \"My product\" by \"My company\"",
    "input ndjson { max_record 1MiB }",
    "on error { required reject  optional skip }",
];

fn head_word(rank: usize) -> &'static str {
    if HEAD[rank] == "on" { "on error" } else { HEAD[rank] }
}

/// Which line of the head starts here.
fn head_rank(input: Tokens<'_>) -> Option<usize> {
    let word = input.word().filter(|&word| word != "on" || input.word_ahead(1) == Some("error"))?;
    HEAD.iter().position(|&head| head == word)
}

/// A report on what starts nothing at the level of the file.
fn unexpected(input: Tokens<'_>) -> Diagnostic {
    let token = input.peek();
    if token.kind == Kind::BraceClose {
        let message = "this `}` closes nothing";
        return Diagnostic::error("W0008", token.span, message, "no `{` is open here")
            .help("remove it, or look above for a `}` too many");
    }
    foreign::entry(input, "")
        .unwrap_or_else(|| input.instead("a statement such as `emit`, `when`, `let` or `test`"))
}

#[cfg(test)]
mod tests;
