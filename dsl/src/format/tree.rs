//! Tokens to a tree of what may stand on one line and where a line may end.
//!
//! The text is known to be right, so one look at the next token decides, and nothing is checked again. Every token is
//! part of the tree, parentheses and commas too. On the way each token gets the space that stands before it if all stands
//! on one line.

use crate::lex::Kind;

use super::tokens::Token;

/// A piece of a program: the tokens `from..to`.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) shape: Shape,
}

/// Where a line may end in a piece.
#[derive(Debug)]
pub(super) enum Shape {
    /// Nowhere.
    Plain,
    /// Inside its parts.
    Sequence(Vec<Node>),
    /// Before each part but the first, which starts with an operator.
    Chain(Vec<Node>),
    /// Before `then` and `else`.
    Choice(Vec<Node>),
    /// Behind the opening sign and behind each comma.
    List(Vec<Node>),
    /// `{ rows }`
    Block(Vec<Row>),
}

/// How rows are aligned with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Not at all.
    Line,
    /// `name = value`
    Assign,
    /// `let name = value`
    Let,
    /// `name value` of a block of settings.
    Setting,
    /// `pattern => value`
    Arm,
    /// `keys => constants`
    TableRow,
    /// `field = constant` of a test.
    Check,
}

/// A line of a block, or more than one if it is long.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) class: Class,
    pub(super) from: usize,
    pub(super) to: usize,
    /// What stands before the sign.
    pub(super) left: Option<Node>,
    /// The token that is aligned.
    pub(super) sign: Option<usize>,
    /// What stands behind the sign; the whole of a [`Class::Line`].
    pub(super) body: Node,
    /// `on missing ...`
    pub(super) handlers: Vec<Node>,
}

/// The tree with what belongs to each token.
#[derive(Debug)]
pub(super) struct Tree<'s> {
    pub(super) tokens: Vec<Token<'s>>,
    pub(super) rows: Vec<Row>,
    /// Spaces before each token if it does not start a line.
    pub(super) gaps: Vec<usize>,
    /// The author ended a line before this token where a line may end.
    pub(super) breaks: Vec<bool>,
    /// The author ended a line behind the `{` before this token, which keeps the block open.
    pub(super) opens: Vec<bool>,
}

/// Builds the tree of a text without syntax errors; none if it has one that was read as what was meant.
pub(super) fn build(tokens: Vec<Token<'_>>) -> Option<Tree<'_>> {
    let count = tokens.len();
    let tree = Tree {
        tokens,
        rows: Vec::new(),
        gaps: vec![1; count],
        breaks: vec![false; count],
        opens: vec![false; count],
    };
    let mut builder = Builder { tree, at: 0, lost: false };
    let mut rows = Vec::new();
    while builder.kind() != Kind::End {
        rows.push(builder.item());
    }
    (!builder.lost).then_some(Tree { rows, ..builder.tree })
}

struct Builder<'s> {
    tree: Tree<'s>,
    at: usize,
    /// Another token stood where the grammar wants a sign.
    lost: bool,
}

/// What a block is made of.
type RowReader<'s> = fn(&mut Builder<'s>) -> Row;

impl<'s> Builder<'s> {
    fn ahead(&self, ahead: usize) -> &Token<'s> {
        let last = self.tree.tokens.len() - 1;
        &self.tree.tokens[(self.at + ahead).min(last)]
    }

    fn kind(&self) -> Kind {
        self.ahead(0).kind
    }

    /// The next token's text, if it is a word.
    fn word(&self) -> &'s str {
        self.word_ahead(0)
    }

    fn word_ahead(&self, ahead: usize) -> &'s str {
        let token = self.ahead(ahead);
        if token.kind == Kind::Word { token.text } else { "" }
    }

    /// Takes a token with this space before it.
    fn take(&mut self, gap: usize) {
        if self.kind() != Kind::End {
            self.tree.gaps[self.at] = gap;
            self.at += 1;
        }
    }

    /// Takes a token that must be of one of these kinds.
    fn sign(&mut self, kinds: &[Kind], gap: usize) {
        self.lost |= !kinds.contains(&self.kind());
        self.take(gap);
    }

    /// Takes `count` tokens with one space before each.
    fn plain(&mut self, count: usize) -> Node {
        let from = self.at;
        for _ in 0..count {
            self.take(1);
        }
        self.since(from, Shape::Plain)
    }

    fn since(&self, from: usize, shape: Shape) -> Node {
        Node { from, to: self.at, shape }
    }

    fn sequence(&self, from: usize, parts: Vec<Node>) -> Node {
        let plain = parts.iter().all(|part| matches!(part.shape, Shape::Plain));
        self.since(from, if plain { Shape::Plain } else { Shape::Sequence(parts) })
    }

    fn line(&self, from: usize, parts: Vec<Node>) -> Row {
        self.row(Class::Line, self.sequence(from, parts))
    }

    fn row(&self, class: Class, body: Node) -> Row {
        let from = body.from;
        Row { class, from, to: self.at, left: None, sign: None, body, handlers: Vec::new() }
    }

    // What stands in a file and in blocks.

    fn item(&mut self) -> Row {
        let from = self.at;
        match self.word() {
            "weir" => self.words(2),
            "parser" => self.words(4),
            "ocsf" => self.ocsf(),
            "product" if self.word_ahead(2) == "by" => self.words(4),
            "product" => self.words(2),
            "input" => self.block_row(2, Self::setting),
            "on" => self.block_row(2, Self::setting),
            "table" => self.table(),
            "raw" => self.raw(),
            "keep" => {
                let parts = vec![self.plain(2), self.expr(1)];
                self.line(from, parts)
            }
            "test" => self.block_row(2, Self::test_line),
            _ => self.statement(),
        }
    }

    fn words(&mut self, count: usize) -> Row {
        let from = self.at;
        let parts = vec![self.plain(count)];
        self.line(from, parts)
    }

    fn ocsf(&mut self) -> Row {
        let from = self.at;
        self.plain(2);
        if self.word() == "with" {
            self.plain(2);
            while self.kind() == Kind::Comma {
                self.take(0);
                self.take(1);
            }
        }
        self.row(Class::Line, self.since(from, Shape::Plain))
    }

    fn table(&mut self) -> Row {
        let from = self.at;
        let parts = vec![
            self.plain(2),
            self.list(1, |builder, gap| {
                let from = builder.at;
                builder.take(gap);
                while !matches!(builder.kind(), Kind::Comma | Kind::ParenClose | Kind::End) {
                    builder.take(1);
                }
                builder.since(from, Shape::Plain)
            }),
            self.block(Self::table_row),
        ];
        self.line(from, parts)
    }

    fn raw(&mut self) -> Row {
        let from = self.at;
        let mut parts = vec![self.plain(2)];
        if self.kind() == Kind::BracketOpen {
            parts.push(self.list(1, Self::expr_from));
        }
        self.line(from, parts)
    }

    fn statement(&mut self) -> Row {
        let from = self.at;
        match self.word() {
            "drop" if self.word_ahead(1) == "when" => {
                let parts = vec![self.plain(2), self.expr(1)];
                self.line(from, parts)
            }
            "drop" => self.words(1),
            "reject" => self.words(2),
            "let" => self.assign(Class::Let),
            "when" => self.when(),
            "each" => {
                let mut parts = vec![self.plain(1)];
                self.loop_parts(&mut parts);
                parts.push(self.block(Self::statement));
                self.line(from, parts)
            }
            "event" => self.block_row(1, Self::column),
            _ => self.block_row(2, Self::entry),
        }
    }

    fn when(&mut self) -> Row {
        let from = self.at;
        let mut parts = vec![self.plain(1), self.expr(1), self.block(Self::statement)];
        while self.word() == "else" {
            if self.word_ahead(1) == "when" {
                parts.push(self.plain(2));
                parts.push(self.expr(1));
            } else {
                parts.push(self.plain(1));
            }
            parts.push(self.block(Self::statement));
        }
        self.line(from, parts)
    }

    /// `path as NAME max NUMBER`
    fn loop_parts(&mut self, parts: &mut Vec<Node>) {
        parts.push(self.expr(1));
        parts.push(self.plain(4));
    }

    fn setting(&mut self) -> Row {
        let from = self.at;
        self.take(1);
        let left = self.since(from, Shape::Plain);
        let sign = self.at;
        let body = match self.kind() {
            Kind::Dollar => self.expr(1),
            _ => self.plain(1),
        };
        self.signed(Class::Setting, left, sign, body)
    }

    fn signed(&self, class: Class, left: Node, sign: usize, body: Node) -> Row {
        let (from, handlers) = (left.from, Vec::new());
        Row { class, from, to: self.at, left: Some(left), sign: Some(sign), body, handlers }
    }

    fn column(&mut self) -> Row {
        match self.word() {
            "let" => self.assign(Class::Let),
            _ => self.assign(Class::Assign),
        }
    }

    fn entry(&mut self) -> Row {
        let from = self.at;
        match self.word() {
            "let" => return self.assign(Class::Let),
            "event" => return self.block_row(1, Self::column),
            "add" => {
                self.take(1);
                self.target(1);
                let mut parts = vec![self.since(from, Shape::Plain)];
                if self.word() == "each" {
                    parts.push(self.plain(1));
                    self.loop_parts(&mut parts);
                }
                parts.push(self.block(Self::entry));
                return self.line(from, parts);
            }
            _ => {}
        }
        let mut ahead = 1;
        while self.ahead(ahead).kind == Kind::Dot {
            ahead += 2;
        }
        if self.ahead(ahead).kind != Kind::BraceOpen {
            return self.assign(Class::Assign);
        }
        self.target(1);
        let parts = vec![self.since(from, Shape::Plain), self.block(Self::entry)];
        self.line(from, parts)
    }

    fn target(&mut self, gap: usize) {
        self.take(gap);
        while self.kind() == Kind::Dot {
            self.take(0);
            self.take(0);
        }
    }

    /// `let NAME = expr` or `target = expr` with handlers.
    fn assign(&mut self, class: Class) -> Row {
        let from = self.at;
        if class == Class::Let {
            self.take(1);
        }
        self.target(1);
        let left = self.since(from, Shape::Plain);
        let sign = self.at;
        self.sign(&[Kind::Assign], 1);
        let body = self.expr(1);
        let mut row = self.signed(class, left, sign, body);
        while class == Class::Assign && self.word() == "on" {
            let from = self.at;
            let mut parts = vec![self.plain(2)];
            parts.push(match self.word() {
                "skip" | "reject" => self.plain(1),
                _ => self.expr(1),
            });
            row.handlers.push(self.sequence(from, parts));
            row.to = self.at;
        }
        row
    }

    fn test_line(&mut self) -> Row {
        let from = self.at;
        match (self.word(), self.word_ahead(1)) {
            ("given", _) | (_, "dropped") => self.words(2),
            (_, "rejected") => self.words(if self.ahead(2).kind == Kind::String { 3 } else { 2 }),
            _ => {
                let words = if self.ahead(2).kind == Kind::BraceOpen { 2 } else { 3 };
                let parts = vec![self.plain(words), self.block(Self::check)];
                self.line(from, parts)
            }
        }
    }

    fn check(&mut self) -> Row {
        let from = self.at;
        self.take(1);
        while matches!(self.kind(), Kind::Dot | Kind::BracketOpen) {
            let count = if self.kind() == Kind::Dot { 2 } else { 3 };
            (0..count).for_each(|_| self.take(0));
        }
        let left = self.since(from, Shape::Plain);
        if self.kind() == Kind::BraceOpen {
            let parts = vec![left, self.block(Self::check)];
            return self.line(from, parts);
        }
        let sign = self.at;
        self.lost |= self.kind() == Kind::Word && self.word() != "is";
        self.sign(&[Kind::Assign, Kind::Word], 1);
        let body = self.literal(1);
        self.signed(Class::Check, left, sign, body)
    }

    fn literal(&mut self, gap: usize) -> Node {
        let from = self.at;
        let minus = self.kind() == Kind::Minus;
        self.take(gap);
        if minus {
            self.take(0);
        }
        self.since(from, Shape::Plain)
    }

    fn table_row(&mut self) -> Row {
        let left = self.patterns();
        let sign = self.at;
        self.sign(&[Kind::Arrow], 1);
        let from = self.at;
        self.literal(1);
        while self.kind() == Kind::Comma {
            self.take(0);
            self.literal(1);
        }
        let body = self.since(from, Shape::Plain);
        self.signed(Class::TableRow, left, sign, body)
    }

    fn arm(&mut self) -> Row {
        let left = self.patterns();
        let sign = self.at;
        self.sign(&[Kind::Arrow], 1);
        let body = self.expr(1);
        self.signed(Class::Arm, left, sign, body)
    }

    fn patterns(&mut self) -> Node {
        self.chain(1, |builder| builder.kind() == Kind::Bar, Self::single)
    }

    /// One token.
    fn single(&mut self, gap: usize) -> Node {
        let from = self.at;
        self.take(gap);
        self.since(from, Shape::Plain)
    }

    /// `words` tokens and a block.
    fn block_row(&mut self, words: usize, row: RowReader<'s>) -> Row {
        let from = self.at;
        let parts = vec![self.plain(words), self.block(row)];
        self.line(from, parts)
    }

    fn block(&mut self, row: RowReader<'s>) -> Node {
        let from = self.at;
        self.sign(&[Kind::BraceOpen], 1);
        self.tree.opens[self.at] = self.ahead(0).line_start && self.kind() != Kind::BraceClose;
        let mut rows = Vec::new();
        while !matches!(self.kind(), Kind::BraceClose | Kind::End) {
            let first = self.at;
            let next = row(self);
            self.tree.gaps[first] = if rows.is_empty() { 1 } else { 2 };
            rows.push(next);
        }
        self.sign(&[Kind::BraceClose], 1);
        self.since(from, Shape::Block(rows))
    }

    // Expressions.

    fn expr_from(&mut self, gap: usize) -> Node {
        self.expr(gap)
    }

    fn expr(&mut self, gap: usize) -> Node {
        if self.word() != "if" {
            return self.or_expr(gap);
        }
        let whole = self.at;
        let mut parts = Vec::new();
        for word in ["if", "then", "else"] {
            let from = self.at;
            if self.word() != word {
                break;
            }
            self.tree.breaks[from] = word != "if" && self.ahead(0).line_start;
            self.take(if word == "if" { gap } else { 1 });
            let keyword = self.since(from, Shape::Plain);
            let value = self.expr(1);
            parts.push(self.sequence(from, vec![keyword, value]));
        }
        self.since(whole, Shape::Choice(parts))
    }

    fn or_expr(&mut self, gap: usize) -> Node {
        self.chain(gap, |builder| builder.word() == "or", Self::and_expr)
    }

    fn and_expr(&mut self, gap: usize) -> Node {
        self.chain(gap, |builder| builder.word() == "and", Self::not_expr)
    }

    fn not_expr(&mut self, gap: usize) -> Node {
        let from = self.at;
        let mut gap = gap;
        while self.word() == "not" {
            self.take(gap);
            gap = 1;
        }
        if self.at == from {
            return self.comparison(gap);
        }
        let not = self.since(from, Shape::Plain);
        let operand = self.comparison(1);
        self.sequence(from, vec![not, operand])
    }

    fn comparison(&mut self, gap: usize) -> Node {
        let from = self.at;
        let left = self.coalesce(gap);
        if self.word() == "is" {
            let tail = self.plain(if self.word_ahead(1) == "not" { 3 } else { 2 });
            return self.sequence(from, vec![left, tail]);
        }
        let sign = matches!(
            self.kind(),
            Kind::Equal
                | Kind::NotEqual
                | Kind::Less
                | Kind::LessEqual
                | Kind::Greater
                | Kind::GreaterEqual
        );
        let word =
            matches!(self.word(), "in" | "starts_with" | "ends_with" | "contains" | "matches");
        if !sign && !word {
            return left;
        }
        let operator = self.plain(1);
        let right = self.coalesce(1);
        self.sequence(from, vec![left, operator, right])
    }

    fn coalesce(&mut self, gap: usize) -> Node {
        self.chain(gap, |builder| builder.kind() == Kind::Coalesce, Self::sum)
    }

    fn sum(&mut self, gap: usize) -> Node {
        let operator = |builder: &Self| matches!(builder.kind(), Kind::Plus | Kind::Minus);
        self.chain(gap, operator, Self::product)
    }

    fn product(&mut self, gap: usize) -> Node {
        let operator = |builder: &Self| matches!(builder.kind(), Kind::Star | Kind::Slash);
        self.chain(gap, operator, Self::pipe)
    }

    fn pipe(&mut self, gap: usize) -> Node {
        let mut first = true;
        let operand = move |builder: &mut Self, gap| {
            if std::mem::replace(&mut first, false) {
                return builder.unary(gap);
            }
            let from = builder.at;
            builder.take(gap);
            let name = builder.since(from, Shape::Plain);
            if builder.kind() != Kind::ParenOpen {
                return name;
            }
            let arguments = builder.list(0, Self::expr_from);
            builder.sequence(from, vec![name, arguments])
        };
        self.chain(gap, |builder| builder.kind() == Kind::Pipe, operand)
    }

    /// `operand { operator operand }`
    fn chain(
        &mut self,
        gap: usize,
        operator: fn(&Self) -> bool,
        mut operand: impl FnMut(&mut Self, usize) -> Node,
    ) -> Node {
        let whole = self.at;
        let first = operand(self, gap);
        if !operator(self) {
            return first;
        }
        let mut parts = vec![first];
        while operator(self) {
            let from = self.at;
            self.tree.breaks[from] = self.ahead(0).line_start || self.ahead(1).line_start;
            let sign = self.plain(1);
            let value = operand(self, 1);
            parts.push(self.sequence(from, vec![sign, value]));
        }
        self.since(whole, Shape::Chain(parts))
    }

    fn unary(&mut self, gap: usize) -> Node {
        let from = self.at;
        let mut gap = gap;
        while self.kind() == Kind::Minus {
            self.take(gap);
            gap = 0;
        }
        if self.at == from {
            return self.primary(gap);
        }
        let minus = self.since(from, Shape::Plain);
        let operand = self.primary(0);
        self.sequence(from, vec![minus, operand])
    }

    fn primary(&mut self, gap: usize) -> Node {
        let from = self.at;
        let mut parts = Vec::new();
        match self.kind() {
            Kind::BracketOpen => return self.list(gap, Self::expr_from),
            Kind::ParenOpen => {
                parts.push(self.single(gap));
                parts.push(self.expr(0));
                self.lost |= self.kind() != Kind::ParenClose;
                parts.push(self.single(0));
            }
            Kind::Dot => self.segment(gap, &mut parts),
            Kind::Word if self.word() == "match" => return self.match_value(gap),
            Kind::Word | Kind::Dollar => {
                parts.push(self.single(gap));
                if self.kind() == Kind::ParenOpen {
                    parts.push(self.list(0, Self::expr_from));
                }
            }
            _ => return self.single(gap),
        }
        loop {
            match self.kind() {
                Kind::Dot if !self.ahead(0).line_start => self.segment(0, &mut parts),
                Kind::BracketOpen => {
                    parts.push(self.single(0));
                    parts.push(match self.kind() {
                        Kind::Star => self.single(0),
                        _ => self.expr(0),
                    });
                    self.lost |= self.kind() != Kind::BracketClose;
                    parts.push(self.single(0));
                }
                _ => return self.sequence(from, parts),
            }
        }
    }

    /// `.key` or `.("a" | "b")`
    fn segment(&mut self, gap: usize, parts: &mut Vec<Node>) {
        let from = self.at;
        self.take(gap);
        if self.kind() != Kind::ParenOpen {
            self.take(0);
            parts.push(self.since(from, Shape::Plain));
            return;
        }
        self.take(0);
        parts.push(self.since(from, Shape::Plain));
        parts.push(self.chain(0, |builder| builder.kind() == Kind::Bar, Self::single));
        self.lost |= self.kind() != Kind::ParenClose;
        parts.push(self.single(0));
    }

    /// `[a, b]` or `(a, b)`
    fn list(&mut self, gap: usize, item: fn(&mut Self, usize) -> Node) -> Node {
        let whole = self.at;
        self.sign(&[Kind::BracketOpen, Kind::ParenOpen], gap);
        let mut items = Vec::new();
        while !matches!(self.kind(), Kind::BracketClose | Kind::ParenClose | Kind::End) {
            let from = self.at;
            self.tree.breaks[from] = self.ahead(0).line_start;
            let value = item(self, usize::from(!items.is_empty()));
            let mut parts = vec![value];
            if self.kind() == Kind::Comma {
                parts.push(self.single(0));
            } else {
                self.lost |= !matches!(self.kind(), Kind::BracketClose | Kind::ParenClose);
            }
            items.push(self.sequence(from, parts));
        }
        self.sign(&[Kind::BracketClose, Kind::ParenClose], 0);
        self.since(whole, Shape::List(items))
    }

    fn match_value(&mut self, gap: usize) -> Node {
        let from = self.at;
        let parts = vec![self.single(gap), self.expr(1), self.block(Self::arm)];
        self.sequence(from, parts)
    }
}
