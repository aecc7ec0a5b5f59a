//! The program as it was written: one type per rule of the grammar (`grammar/weir.ebnf`).
//!
//! Nothing here is resolved or typed. Every node keeps its [`Span`], so that later phases can point at the user's own words.

use crate::source::Span;

/// Something with its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanned<T> {
    /// The thing.
    pub node: T,
    /// Where it stands.
    pub span: Span,
}

/// A word, as written.
pub type Name = Spanned<String>;

/// A constant text, escapes resolved.
pub type Text = Spanned<String>;

/// `file`. Parts that could not be read are absent; the parser has reported them.
#[derive(Debug, Clone, Default)]
pub struct File {
    /// `weir 1`
    pub edition: Option<Spanned<String>>,
    /// `parser "name" version 3`
    pub parser: Option<ParserLine>,
    /// `ocsf "1.8.0" with a, b`
    pub ocsf: Option<OcsfLine>,
    /// `product "Claude" by "Anthropic"`
    pub product: Option<ProductLine>,
    /// `input ndjson { ... }`
    pub input: Option<Input>,
    /// `on error { ... }`
    pub on_error: Option<OnError>,
    /// Everything behind the head, in order.
    pub items: Vec<Item>,
}

/// `parser STRING version NUMBER`
#[derive(Debug, Clone)]
pub struct ParserLine {
    /// The parser's name.
    pub name: Text,
    /// Its version, digits as written.
    pub version: Spanned<String>,
    /// The whole line.
    pub span: Span,
}

/// `ocsf STRING [ with profile { , profile } ]`
#[derive(Debug, Clone)]
pub struct OcsfLine {
    /// The pinned version.
    pub version: Text,
    /// Profiles switched on.
    pub profiles: Vec<Name>,
    /// The whole line.
    pub span: Span,
}

/// `product STRING [ by STRING ]`
#[derive(Debug, Clone)]
pub struct ProductLine {
    /// `metadata.product.name`
    pub name: Text,
    /// `metadata.product.vendor_name`
    pub vendor: Option<Text>,
    /// The whole line.
    pub span: Span,
}

/// `input NAME { NAME setting ... }`
#[derive(Debug, Clone)]
pub struct Input {
    /// `ndjson`, `json` or `csv`, unchecked.
    pub format: Name,
    /// The settings in order.
    pub settings: Vec<(Name, Spanned<Setting>)>,
    /// From `input` to the brace.
    pub span: Span,
}

/// The value of an input setting.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// `","`
    Text(String),
    /// `64`
    Number(String),
    /// `1MiB`: number and unit.
    Unit(String, String),
    /// `$.data[*]`
    Path(Vec<PathStep>),
    /// `auto`
    Word(String),
}

/// `on error { required reject optional skip }`
#[derive(Debug, Clone)]
pub struct OnError {
    /// `optional reject` (true) or `optional skip` (false).
    pub optional_reject: bool,
    /// The whole item.
    pub span: Span,
}

/// What can stand behind the head.
#[derive(Debug, Clone)]
pub enum Item {
    /// A look-up table.
    Table(Table),
    /// What is stored as the raw record.
    Raw(Raw),
    /// `keep when expr`
    Keep(Expr, Span),
    /// A test.
    Test(Test),
    /// A name for an expression.
    Let(Let),
    /// A statement.
    Stmt(Stmt),
}

/// `table NAME (columns) { rows }`
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name.
    pub name: Name,
    /// Columns with their types; the first is the key.
    pub columns: Vec<(Name, Option<Name>)>,
    /// Rows in order.
    pub rows: Vec<Row>,
    /// The whole item.
    pub span: Span,
}

/// `"a" | "b*" => 1, 2`
#[derive(Debug, Clone)]
pub struct Row {
    /// The keys; `None` is the `else` row.
    pub keys: Option<Vec<Spanned<Pattern>>>,
    /// The values, one per column behind the key.
    pub values: Vec<Spanned<Literal>>,
    /// The whole row.
    pub span: Span,
}

/// `raw keep | drop | hash | redact [paths]`
#[derive(Debug, Clone)]
pub struct Raw {
    /// Which one.
    pub kind: RawKind,
    /// The whole item.
    pub span: Span,
}

/// The four ways to store the raw record.
#[derive(Debug, Clone)]
pub enum RawKind {
    /// As it came.
    Keep,
    /// Not at all.
    Drop,
    /// Its SHA-256.
    Hash,
    /// With the values at these paths replaced.
    Redact(Vec<Expr>),
}

/// `let NAME = expr`
#[derive(Debug, Clone)]
pub struct Let {
    /// The name.
    pub name: Name,
    /// What it stands for.
    pub expr: Expr,
    /// The whole item.
    pub span: Span,
}

/// A statement.
#[derive(Debug, Clone)]
pub enum Stmt {
    /// `drop [when expr]`
    Drop(Option<Expr>, Span),
    /// `reject "reason"`
    Reject(Text, Span),
    /// `when expr { } else when expr { } else { }`
    When(When),
    /// `each path as x max N { }`
    Each(Each),
    /// `emit class { }`
    Emit(Emit),
    /// `event { }`
    Event(Event),
    /// `let name = expr` inside a block.
    Let(Let),
}

/// A chain of conditions.
#[derive(Debug, Clone)]
pub struct When {
    /// Conditions with their blocks, first match wins.
    pub arms: Vec<(Expr, Block)>,
    /// The plain `else`.
    pub otherwise: Option<Block>,
    /// The word `when` that opens the chain.
    pub keyword: Span,
    /// The whole chain.
    pub span: Span,
}

/// `{ statements }`
#[derive(Debug, Clone)]
pub struct Block {
    /// In order; `let`s included.
    pub stmts: Vec<Stmt>,
    /// With the braces.
    pub span: Span,
}

/// `path as NAME max NUMBER`
#[derive(Debug, Clone)]
pub struct Loop {
    /// The array, ending in `[*]`.
    pub path: Expr,
    /// The element's name.
    pub name: Name,
    /// The bound, digits as written.
    pub max: Spanned<String>,
    /// From the path to the bound.
    pub span: Span,
}

/// `each loop block`
#[derive(Debug, Clone)]
pub struct Each {
    /// What is looped over.
    pub header: Loop,
    /// What is done for each element.
    pub body: Block,
    /// The whole statement.
    pub span: Span,
}

/// `event { ... }`
#[derive(Debug, Clone)]
pub struct Event {
    /// Columns and `let`s in order.
    pub entries: Vec<EventEntry>,
    /// The word `event`.
    pub keyword: Span,
    /// The whole statement.
    pub span: Span,
}

/// What stands in an `event`.
#[derive(Debug, Clone)]
pub enum EventEntry {
    /// A name for an expression.
    Let(Let),
    /// `id = expr`, `extra.team = expr`
    Column {
        /// One or two words.
        target: Target,
        /// The value.
        value: Value,
    },
}

/// `emit NAME { ... }`
#[derive(Debug, Clone)]
pub struct Emit {
    /// The OCSF class.
    pub class: Name,
    /// What it holds, in order.
    pub entries: Vec<Entry>,
    /// The whole statement.
    pub span: Span,
}

/// What stands in an `emit` or an object block.
#[derive(Debug, Clone)]
pub enum Entry {
    /// `event { }`, only directly in an `emit`.
    Event(Event),
    /// A name for an expression.
    Let(Let),
    /// `add target [each loop] { }`
    Add {
        /// The list.
        target: Target,
        /// For each of these.
        header: Option<Loop>,
        /// The element.
        object: ObjectBlock,
        /// The whole entry.
        span: Span,
    },
    /// `target { }`
    Object {
        /// The object.
        target: Target,
        /// Its members.
        object: ObjectBlock,
    },
    /// `target = expr on missing ...`
    Assign {
        /// The attribute.
        target: Target,
        /// The value.
        value: Value,
    },
}

/// `{ entries }`
#[derive(Debug, Clone)]
pub struct ObjectBlock {
    /// In order.
    pub entries: Vec<Entry>,
    /// With the braces.
    pub span: Span,
}

/// `actor.user.name` on a left side.
#[derive(Debug, Clone)]
pub struct Target {
    /// The words.
    pub keys: Vec<Name>,
    /// All of them.
    pub span: Span,
}

/// `= expr { on missing|invalid ... }`
#[derive(Debug, Clone)]
pub struct Value {
    /// The expression.
    pub expr: Expr,
    /// Handlers in the order written.
    pub handlers: Vec<Handler>,
}

/// `on missing skip`
#[derive(Debug, Clone)]
pub struct Handler {
    /// `on missing` or `on invalid`.
    pub on: Outcome,
    /// What is done.
    pub action: HandlerAction,
    /// From `on` to the end.
    pub span: Span,
}

/// The outcomes that a handler can look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// No value.
    Missing,
    /// A value that cannot be read.
    Invalid,
}

/// What a handler does.
#[derive(Debug, Clone)]
pub enum HandlerAction {
    /// Leave the attribute out.
    Skip,
    /// Refuse the record.
    Reject,
    /// Use this instead.
    Value(Expr),
}

/// `test "..." { given ... expect ... }`
#[derive(Debug, Clone)]
pub struct Test {
    /// What it shows.
    pub name: Text,
    /// The sample, without common indentation removed.
    pub given: Text,
    /// The outcomes, in order.
    pub expect: Vec<Expectation>,
    /// The whole item.
    pub span: Span,
}

/// One `expect` line.
#[derive(Debug, Clone)]
pub enum Expectation {
    /// The record gives no event and is no reject.
    Dropped(Span),
    /// The record is refused, perhaps at this target.
    Rejected(Option<Text>, Span),
    /// One event of a class.
    Event {
        /// `expect exactly`: no other fields.
        exactly: bool,
        /// The class.
        class: Name,
        /// What it holds.
        checks: Vec<Check>,
        /// The whole line.
        span: Span,
    },
}

/// `field { checks }`, `field = literal`, `field is missing`
#[derive(Debug, Clone)]
pub struct Check {
    /// `event` or a field path.
    pub field: Vec<FieldStep>,
    /// Its place.
    pub field_span: Span,
    /// What it is compared with.
    pub want: Want,
}

/// A step of a field path in a test.
#[derive(Debug, Clone)]
pub enum FieldStep {
    /// A member.
    Key(Name),
    /// `[0]`, digits as written.
    Index(Spanned<String>),
}

/// What a test expects of a field.
#[derive(Debug, Clone)]
pub enum Want {
    /// Further checks below it.
    Checks(Vec<Check>),
    /// This value.
    Literal(Spanned<Literal>),
    /// Nothing there.
    Missing(Span),
}

/// `[ - ] NUMBER | STRING | true | false`
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// As written, with its sign, without `_`.
    Number(String),
    /// Escapes resolved.
    Text(String),
    /// `true`, `false`
    Bool(bool),
}

/// What an arm of a `match` or a row of a table looks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Pattern {
    /// Exactly this text.
    Text(String),
    /// Any text that starts so (`"org_*"`).
    Prefix(String),
    /// As written, without `_`.
    Number(String),
    /// `true`, `false`
    Bool(bool),
}

/// An expression.
pub type Expr = Spanned<ExprKind>;

/// The kinds of expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// Could not be read; already reported.
    Error,
    /// `"..."` without braces, escapes resolved.
    Text(String),
    /// `"run {.id}"`
    Interpolated(Vec<Piece>),
    /// `r"..."`
    Raw(String),
    /// As written, without `_`.
    Number(String),
    /// `5m`: number and unit.
    Unit(String, String),
    /// `true`, `false`
    Bool(bool),
    /// `missing`
    Missing,
    /// `[a, b]`
    List(Vec<Expr>),
    /// `match x { ... }`
    Match {
        /// What is compared.
        subject: Box<Expr>,
        /// The arms, first to last; `else` is apart.
        arms: Vec<Arm>,
        /// The `else` arm.
        otherwise: Option<Box<Expr>>,
    },
    /// `if c then a else b`
    If {
        /// The condition.
        condition: Box<Expr>,
        /// When it holds.
        then: Box<Expr>,
        /// When it does not.
        otherwise: Box<Expr>,
    },
    /// `.a.b[0]`, `$.a`, `name.a`, `(expr).a`, `name[expr].a`
    Path {
        /// Where it starts.
        root: PathRoot,
        /// What follows.
        steps: Vec<PathStep>,
    },
    /// A bare word: a `let`, a loop variable, `it`, `index`; or a word that is none of them.
    Name(String),
    /// `count(.a[*], it.x)`
    Call {
        /// The function.
        name: Name,
        /// Its arguments.
        args: Vec<Expr>,
    },
    /// `x |> f(a)`
    Pipe {
        /// What goes in first.
        subject: Box<Expr>,
        /// The function.
        name: Name,
        /// The other arguments.
        args: Vec<Expr>,
    },
    /// `not x`, `-x`
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`, `a and b`, `a == b`, `a ?? b`
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `x is [not] missing`
    Is {
        /// What is asked about.
        subject: Box<Expr>,
        /// `is not`
        negated: bool,
        /// Which outcome.
        what: IsWhat,
    },
}

impl ExprKind {
    /// Calls `see` for each expression right below this one.
    pub(crate) fn for_each_part<'e>(&'e self, see: &mut dyn FnMut(&'e Expr)) {
        match self {
            Self::Error | Self::Text(_) | Self::Raw(_) | Self::Number(_) | Self::Unit(..) => {}
            Self::Bool(_) | Self::Missing | Self::Name(_) => {}
            Self::Interpolated(pieces) => pieces.iter().for_each(|piece| match piece {
                Piece::Text(_) => {}
                Piece::Expr(expr) => see(expr),
            }),
            Self::List(items) => items.iter().for_each(see),
            Self::Match { subject, arms, otherwise } => {
                see(subject);
                arms.iter().map(|arm| &arm.value).chain(otherwise.as_deref()).for_each(see);
            }
            Self::If { condition, then, otherwise } => {
                [condition, then, otherwise].into_iter().for_each(|expr| see(expr));
            }
            Self::Path { root, steps } => {
                if let PathRoot::Expr(expr) = root {
                    see(expr);
                }
                for step in steps {
                    if let PathStep::Index(expr) = step {
                        see(expr);
                    }
                }
            }
            Self::Call { args, .. } => args.iter().for_each(see),
            Self::Pipe { subject, args, .. } => {
                see(subject);
                args.iter().for_each(see);
            }
            Self::Unary(_, inner) | Self::Is { subject: inner, .. } => see(inner),
            Self::Binary(_, left, right) => {
                see(left);
                see(right);
            }
        }
    }
}

/// A part of an interpolated text.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Text as it stands, escapes resolved.
    Text(String),
    /// `{expr}`
    Expr(Expr),
}

/// `"a" | "b*" => expr`
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// What it looks for.
    pub patterns: Vec<Spanned<Pattern>>,
    /// What it gives.
    pub value: Expr,
}

/// Where a path starts.
#[derive(Debug, Clone, PartialEq)]
pub enum PathRoot {
    /// `.a`: the record.
    Record,
    /// `$.a`: the wrapper document.
    Wrapper,
    /// `step.a`: a name.
    Name(Name),
    /// `(...).a`, `f(...).a`: a value.
    Expr(Box<Expr>),
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq)]
pub enum PathStep {
    /// `.key`, `."any key"`
    Key(Name),
    /// `.("a" | "b")`
    Choice(Vec<Text>, Span),
    /// `[0]`, `[last]`, `[.model]`
    Index(Expr),
    /// `[*]`
    Each(Span),
}

/// Operators with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `not`
    Not,
    /// `-`
    Negate,
}

/// Operators with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `or`
    Or,
    /// `and`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `in`
    In,
    /// `starts_with`
    StartsWith,
    /// `ends_with`
    EndsWith,
    /// `contains`
    Contains,
    /// `matches`
    Matches,
    /// `??`
    Coalesce,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

/// What `is` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsWhat {
    /// `is missing`
    Missing,
    /// `is present`
    Present,
    /// `is invalid`
    Invalid,
}
