//! What a place of a program is for, told from the tokens before it.
//!
//! Two things are found: the *blocks* around the place, each by the words before its brace, and what could stand at the
//! place itself, by the word or sign before it. Line ends carry no meaning in the language, but people start an entry on
//! a new line or behind a finished value, and that is the best guess while the line is not finished.

use crate::lex::{Kind, Token};
use crate::source::{Source, Span};

/// What a brace encloses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    /// `input FORMAT { }`
    Input(String),
    /// `event { }`
    Event,
    /// `emit CLASS { }`
    Emit(String),
    /// `expect CLASS { }`
    Expect(String),
    /// `a.b { }` and `add a.b { }`
    Object(Vec<String>),
    /// `table t (...) { }`
    Table,
    /// `test "..." { }`
    Test,
    /// `match x { }`
    Match,
    /// The blocks of `when`, `else` and `each`.
    Statements,
    /// `on error { }`
    OnError,
}

/// What can stand at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The start of an item, a statement or an entry; of a target, the words before the cursor (`actor.user.`).
    Entry(Vec<String>),
    /// The value of an expression; of a path, its start and the keys before the cursor.
    Operand(Option<PathStart>, Vec<String>),
    /// A function, behind `|>`.
    Function,
    /// Inside the text of a value.
    Text,
    /// An OCSF class, behind `emit` or `expect`.
    Class,
    /// A profile, behind `with`.
    Profile,
    /// A word of the grammar: one of these.
    Words(&'static [&'static str]),
    /// Nothing that can be told.
    Nothing,
}

/// Where a path starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PathStart {
    /// `.`
    Record,
    /// `$`
    Wrapper,
    /// `step.`
    Name(String),
}

/// A place with what is known of it.
#[derive(Debug)]
pub(super) struct Context {
    /// Outermost first.
    pub(super) blocks: Vec<Block>,
    pub(super) place: Place,
    /// The word that is being written, up to its end; empty behind a space. Of a text, its inside.
    pub(super) word: Span,
    /// Of the line that the place belongs to: the words of its target (`activity_id =`).
    pub(super) target: Option<Vec<String>>,
}

impl Context {
    /// The class that is being filled, and the way from it to the innermost block.
    pub(super) fn way(&self) -> Option<(&str, Vec<String>)> {
        let at = self
            .blocks
            .iter()
            .rposition(|block| matches!(block, Block::Emit(_) | Block::Expect(_)))?;
        let (Block::Emit(class) | Block::Expect(class)) = &self.blocks[at] else { return None };
        let mut way = Vec::new();
        for block in &self.blocks[at + 1..] {
            match block {
                Block::Object(words) => way.extend(words.iter().cloned()),
                Block::Match => {}
                _ => return None,
            }
        }
        Some((class, way))
    }
}

/// What the place at an offset is for.
pub(super) fn at(source: &Source, tokens: &[Token], offset: u32) -> Context {
    let (before, word, in_text) = split(tokens, offset);
    let blocks = blocks(source, before);
    let reader = Reader { source, tokens: before };
    let chain = reader.chain(before.len());
    let place = match in_text {
        true => Place::Text,
        false => reader.place(&chain, &blocks),
    };
    let target = reader.target(chain.start);
    Context { blocks, place, word, target }
}

/// The tokens before the word at an offset, the word, and whether it is a text.
fn split(tokens: &[Token], offset: u32) -> (&[Token], Span, bool) {
    let count = tokens.partition_point(|token| token.span.start < offset);
    let Some(last) = tokens[..count].last() else { return (&[], Span::new(offset, offset), false) };
    match last.kind {
        Kind::Word | Kind::ForeignWord if offset <= last.span.end => {
            (&tokens[..count - 1], last.span, false)
        }
        Kind::String | Kind::Raw if offset < last.span.end => {
            let quote = if last.kind == Kind::Raw { 2 } else { 1 };
            (&tokens[..count - 1], Span::new(last.span.start + quote, last.span.end - 1), true)
        }
        Kind::Broken if offset <= last.span.end => {
            (&tokens[..count - 1], Span::new(last.span.start + 1, offset), true)
        }
        Kind::Text if offset < last.span.end => {
            (&tokens[..count - 1], Span::new(offset, offset), true)
        }
        _ => (&tokens[..count], Span::new(offset, offset), false),
    }
}

/// The blocks that are open behind the tokens.
fn blocks(source: &Source, tokens: &[Token]) -> Vec<Block> {
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::BraceOpen => {
                let reader = Reader { source, tokens: &tokens[..at] };
                open.push(reader.block(open.last()));
            }
            Kind::BraceClose => {
                open.pop();
            }
            _ => {}
        }
    }
    open
}

/// Words joined by dots, read backwards.
struct Chain {
    /// In reading order.
    words: Vec<String>,
    /// The index of the first token of the chain.
    start: usize,
    /// What a path begins with; none for words only.
    root: Option<PathStart>,
}

struct Reader<'t> {
    source: &'t Source,
    tokens: &'t [Token],
}

impl Reader<'_> {
    fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    fn word(&self, at: usize) -> Option<&str> {
        let token = self.tokens.get(at)?;
        (token.kind == Kind::Word).then(|| self.source.slice(token.span))
    }

    /// The token before an index, if it is a word.
    fn word_before(&self, at: usize) -> Option<&str> {
        self.word(at.checked_sub(1)?)
    }

    /// The words with a dot behind each that end before the index `end`: of `.a.b.` and `step.x[*].`.
    fn chain(&self, end: usize) -> Chain {
        let (mut words, mut at) = (Vec::new(), end);
        loop {
            if at == 0 || self.kind(at - 1) != Some(Kind::Dot) {
                break;
            }
            let dot = at - 1;
            at = dot;
            // Elements on the way: `[*]`, `[0]`.
            while at > 0 && self.kind(at - 1) == Some(Kind::BracketClose) {
                let open = (0..at).rev().find(|&at| self.kind(at) == Some(Kind::BracketOpen));
                words.push("[*]".to_owned());
                at = open.unwrap_or(0);
            }
            let touches =
                |at: usize| at > 0 && self.tokens[at - 1].span.end == self.tokens[at].span.start;
            match at.checked_sub(1).and_then(|before| self.kind(before)) {
                Some(Kind::Word) if touches(at) => {
                    words.push(self.word(at - 1).unwrap_or_default().to_owned());
                    at -= 1;
                }
                Some(Kind::String) if touches(at) => {
                    let text = self.source.slice(self.tokens[at - 1].span);
                    words.push(text.trim_matches('"').to_owned());
                    at -= 1;
                }
                Some(Kind::Dollar) => {
                    words.reverse();
                    return Chain { words, start: at - 1, root: Some(PathStart::Wrapper) };
                }
                _ => {
                    words.reverse();
                    return Chain { words, start: at, root: Some(PathStart::Record) };
                }
            }
        }
        words.reverse();
        Chain { words, start: at, root: None }
    }

    fn place(&self, chain: &Chain, blocks: &[Block]) -> Place {
        if let Some(root) = &chain.root {
            return Place::Operand(Some(root.clone()), chain.words.clone());
        }
        let Some(before) = chain.start.checked_sub(1) else { return Place::Entry(Vec::new()) };
        if let Some(words) = self.fixed_words(before) {
            return words;
        }
        if self.wants_operand(before) {
            return match chain.words.split_first() {
                None => Place::Operand(None, Vec::new()),
                Some((name, rest)) => {
                    Place::Operand(Some(PathStart::Name(name.clone())), rest.to_vec())
                }
            };
        }
        match blocks.last() {
            Some(Block::Match | Block::Table) => Place::Nothing,
            _ => Place::Entry(chain.words.clone()),
        }
    }

    /// What must stand behind a word of the grammar.
    fn fixed_words(&self, before: usize) -> Option<Place> {
        if self.kind(before) == Some(Kind::Pipe) {
            return Some(Place::Function);
        }
        if self.kind(before) == Some(Kind::Comma) {
            let line = (0..before).rev().find(|&at| self.tokens[at].line_start)?;
            return (self.word(line) == Some("ocsf")).then_some(Place::Profile);
        }
        Some(match self.word(before)? {
            "emit" | "expect" | "exactly" => Place::Class,
            "with" => Place::Profile,
            "input" => Place::Words(&["ndjson", "csv", "json"]),
            "raw" => Place::Words(&["keep", "drop", "hash", "redact"]),
            "on" => Place::Words(&["missing", "invalid"]),
            "is" => Place::Words(&["missing", "present", "invalid", "not"]),
            "as" | "let" | "table" | "parser" | "weir" | "max" => Place::Nothing,
            _ => return None,
        })
    }

    /// Whether a value must stand behind a token.
    fn wants_operand(&self, before: usize) -> bool {
        match self.kind(before) {
            Some(
                Kind::Assign
                | Kind::Arrow
                | Kind::Equal
                | Kind::NotEqual
                | Kind::Less
                | Kind::LessEqual
                | Kind::Greater
                | Kind::GreaterEqual
                | Kind::Coalesce
                | Kind::Plus
                | Kind::Minus
                | Kind::Star
                | Kind::Slash
                | Kind::Comma
                | Kind::ParenOpen
                | Kind::BracketOpen,
            ) => true,
            Some(Kind::Word) => {
                let handler = matches!(self.word(before), Some("missing" | "invalid"))
                    && self.word_before(before) == Some("on");
                handler
                    || matches!(
                        self.word(before),
                        Some(
                            "when"
                                | "and"
                                | "or"
                                | "not"
                                | "in"
                                | "if"
                                | "then"
                                | "match"
                                | "each"
                                | "starts_with"
                                | "ends_with"
                                | "contains"
                                | "matches"
                        )
                    )
                    || (self.word(before) == Some("else") && !self.is_block_else(before))
            }
            _ => false,
        }
    }

    /// `} else` begins a block, any other `else` a value.
    fn is_block_else(&self, at: usize) -> bool {
        at > 0 && self.kind(at - 1) == Some(Kind::BraceClose)
    }

    /// What the brace behind these tokens opens.
    fn block(&self, around: Option<&Block>) -> Block {
        let end = self.tokens.len();
        // The words directly before the brace: `actor.user {`.
        let last = end.checked_sub(1).and_then(|at| self.word(at)).map(str::to_owned);
        let chain = self.chain(if last.is_some() { end - 1 } else { end });
        let before = self.word_before(chain.start);
        if let (Some(last), None) = (last, &chain.root) {
            let words: Vec<String> = chain.words.iter().cloned().chain([last.clone()]).collect();
            match before {
                Some("emit") => return Block::Emit(last),
                Some("expect" | "exactly") => return Block::Expect(last),
                Some("input") => return Block::Input(last),
                Some("add") => return Block::Object(words),
                Some("on") if last == "error" => return Block::OnError,
                Some("match") => return Block::Match,
                Some("when") => return Block::Statements,
                _ if last == "else" => return Block::Statements,
                _ if last == "event" && words.len() == 1 => return Block::Event,
                _ if matches!(
                    around,
                    Some(Block::Emit(_) | Block::Expect(_) | Block::Object(_))
                ) && !self.is_in_expression(chain.start) =>
                {
                    return Block::Object(words);
                }
                _ => {}
            }
        }
        self.block_of_keyword()
    }

    /// Whether the tokens before an index end inside an expression, as in `match .x and y {`.
    fn is_in_expression(&self, start: usize) -> bool {
        start > 0 && self.wants_operand(start - 1)
    }

    /// The word that a longer header starts with.
    fn block_of_keyword(&self) -> Block {
        for at in (0..self.tokens.len()).rev() {
            match (self.kind(at), self.word(at)) {
                (Some(Kind::BraceOpen | Kind::BraceClose), _) => break,
                (_, Some("match")) => return Block::Match,
                (_, Some("when")) => return Block::Statements,
                (_, Some("table")) => return Block::Table,
                (_, Some("test")) => return Block::Test,
                (_, Some("each")) => return self.block_of_each(at),
                _ => {}
            }
        }
        Block::Statements
    }

    /// `each path as x max N {` alone, or behind `add target`.
    fn block_of_each(&self, each: usize) -> Block {
        let Some(last) = self.word_before(each) else { return Block::Statements };
        let chain = self.chain(each - 1);
        if self.word_before(chain.start) == Some("add") {
            Block::Object(chain.words.into_iter().chain([last.to_owned()]).collect())
        } else {
            Block::Statements
        }
    }

    /// The target of the line that the index is in the value of.
    fn target(&self, from: usize) -> Option<Vec<String>> {
        let mut depth = 0_i32;
        for at in (0..from).rev() {
            match self.kind(at)? {
                Kind::BraceClose => depth += 1,
                Kind::BraceOpen if depth > 0 => depth -= 1,
                Kind::BraceOpen => {
                    let header = Reader { source: self.source, tokens: &self.tokens[..at] };
                    if header.block(None) != Block::Match {
                        return None;
                    }
                }
                Kind::Assign if depth == 0 => {
                    let last = self.word(at.checked_sub(1)?)?.to_owned();
                    let chain = self.chain(at - 1);
                    return Some(chain.words.into_iter().chain([last]).collect());
                }
                _ => {}
            }
        }
        None
    }
}
