//! A compiled program: what the engine runs.
//!
//! Everything that can be decided before the first record is decided here: which paths are read and where their values
//! go (slots), which expressions are evaluated, what the output looks like.
//!
//! A *scope* is the record, or the element of a loop. Each has its own projection, since an element is a small record
//! of its own: `each .steps[*] as step` projects the array `.steps` into one slot of the outer scope, and each element
//! into the slots of the inner one.

mod patterns;
mod refs;
mod text;

use std::fmt;
use std::sync::Arc;

use regex::Regex;

use crate::builtins::{self, Call};
use crate::decimal::Decimal;
use crate::input::Input;
use crate::types::{NumberFormat, Type};

pub use patterns::{Pattern, Patterns};
pub use refs::Ref;

/// A compiled program.
#[derive(Debug)]
pub struct Plan {
    /// The parser's name.
    pub parser: String,
    /// Its version.
    pub parser_version: u32,
    /// The pinned OCSF version.
    pub ocsf_version: String,
    /// How the bytes are laid out.
    pub input: Input,
    /// How numbers are written in text.
    pub numbers: NumberFormat,
    /// Scope 0 is the record.
    pub scopes: Vec<Scope>,
    /// Paths with a choice; a [`Slot::Choice`] is an index.
    pub choices: Vec<Choice>,
    /// What is read within members of the wrapper.
    pub wrapper_parts: Vec<WrapperPart>,
    /// All expressions; an [`ExprId`] is an index.
    pub exprs: Vec<Expr>,
    /// Named or shared expressions, evaluated at most once for each instance of their scope.
    pub registers: Vec<Register>,
    /// Look-up tables.
    pub tables: Vec<Table>,
    /// What is done with a record.
    pub body: Vec<Stmt>,
    /// Its emits; a [`Stmt::Emit`] is an index.
    pub emits: Vec<Emit>,
    /// What is stored as the raw record.
    pub raw: Raw,
    /// The most characters of a raw record that the pinned version allows in `raw_data`; a longer one stays out of it.
    pub raw_data_chars_max: Option<u32>,
    /// Lines with a condition that reads a redacted path: no text of a value is shown if it cannot be decided.
    pub redacted_conditions: std::collections::BTreeSet<u32>,
    /// Identifies source, edition, schema, zone database and engine.
    pub hash: [u8; 32],
}

/// An index into [`Plan::exprs`].
pub type ExprId = u32;
/// An index into [`Plan::scopes`].
pub type ScopeId = u16;

/// What is read of a record, or of a loop's element.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The scope around it; none for the record.
    pub parent: Option<ScopeId>,
    /// The wanted paths.
    pub projection: Projection,
    /// Where its text comes from.
    pub origin: Origin,
}

/// Where the text of a scope comes from.
#[derive(Debug, Clone, Default)]
pub enum Origin {
    /// It is the record, or the element that a loop has reached.
    #[default]
    Given,
    /// A function gives it: the first read of each instance of the parent scope calls it.
    Call {
        /// The function.
        callee: Callee,
        /// Its arguments.
        args: Vec<ExprId>,
        /// What it gives.
        shape: Shape,
    },
    /// The first element of an array for which a condition holds, looked for at the first read of each instance of the
    /// parent scope.
    Find {
        /// The array.
        array: Slot,
        /// Its elements.
        scope: ScopeId,
        /// Of an element, what is looked for. An element without it is passed over.
        value: Slot,
        /// The condition.
        condition: ExprId,
    },
}

/// What a function that makes a record gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// JSON, which is projected.
    Json,
    /// Texts, as many as here; each goes to its slot, if it is wanted.
    Fields(Vec<Option<u16>>),
    /// Names and texts by turns. The first of a name counts.
    Pairs,
}

/// The wanted paths as a trie. Node 0 is the value that is projected.
#[derive(Debug, Clone)]
pub struct Projection {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// How many slots its nodes fill.
    pub slots: u16,
}

impl Default for Projection {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], slots: 0 }
    }
}

/// A node of a projection.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// Where the value's text goes, if it is wanted.
    pub slot: Option<u16>,
    /// Wanted members by their unescaped name.
    pub members: Vec<(String, u16)>,
    /// Wanted elements by their index.
    pub elements: Vec<(u32, u16)>,
    /// The wanted last element.
    pub last: Option<u16>,
}

/// A slot of a scope, or a wrapper member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    /// A slot of a scope's projection.
    Scope(ScopeId, u16),
    /// An entry of [`crate::input::Records::wrapper`].
    Wrapper(u16),
    /// A slot of an entry of [`Plan::wrapper_parts`].
    WrapperPart(u16, u16),
    /// An entry of [`Plan::choices`].
    Choice(u16),
}

/// Of the slots (probe, value) the value of the first whose probe is not missing. A value may be a choice again.
pub type Choice = Vec<(Slot, Slot)>;

/// What is read within a member of the wrapper, once for all records behind it.
#[derive(Debug, Clone)]
pub struct WrapperPart {
    /// An entry of [`crate::input::Records::wrapper`].
    pub member: u16,
    /// The wanted paths in it.
    pub projection: Projection,
}

/// An expression shared by its readers.
#[derive(Debug, Clone, Copy)]
pub struct Register {
    /// What it holds.
    pub expr: ExprId,
    /// Forgotten when the next instance of this scope begins.
    pub scope: ScopeId,
}

/// An expression. Its operands are of the types that the checker saw to.
#[derive(Debug)]
pub enum Expr {
    /// Always the same.
    Constant(Constant),
    /// Reads a slot as a type.
    Read(Slot, Type),
    /// Reads a slot as text, but only if it is a JSON string or a cell; else missing.
    ReadString(Slot),
    /// Makes the record of a scope that has an [`Origin`], unless that is done, and evaluates an expression that reads it.
    /// Invalid if the record is.
    Derived(ScopeId, ExprId),
    /// About the object that the record is in.
    Meta(Meta),
    /// The position of a loop's element in its array.
    Index(ScopeId),
    /// A column of the event that is being made, handlers applied.
    Column(Column),
    /// A shared expression.
    Register(u32),
    /// The texts of its parts, one behind the other.
    Concat(Vec<ExprId>),
    /// Not; a missing operand counts as false.
    Not(ExprId),
    /// Minus.
    Negate(ExprId),
    /// And, left to right, short-circuit.
    And(ExprId, ExprId),
    /// Or, left to right, short-circuit.
    Or(ExprId, ExprId),
    /// Compares two values of one type (whole numbers and decimals may mix).
    Compare(Comparison, ExprId, ExprId),
    /// Is the text or number one of these?
    In(ExprId, Vec<Constant>),
    /// Is the text one of these, which are too many to be gone through?
    InTexts(ExprId, Patterns),
    /// Does the text match?
    Matches(ExprId, Regex),
    /// Left if it is not missing, else right.
    Coalesce(ExprId, ExprId),
    /// Computes.
    Arithmetic(Arithmetic, ExprId, ExprId),
    /// Asks for an outcome; `true` negates.
    Is(Outcome, bool, ExprId),
    /// `if`
    If(ExprId, ExprId, ExprId),
    /// `match` over text.
    Match(Box<Match>),
    /// A cell of a table: table, key, column (0 is the first behind the key).
    Cell(u16, ExprId, u16),
    /// A function.
    Call(Callee, Vec<ExprId>, CallMissing),
    /// `count(L, c)`: over the array in a slot, elements in a scope, those that meet a condition.
    Count(Slot, ScopeId, Option<ExprId>),
    /// `any(L, c)`
    Any(Slot, ScopeId, ExprId),
    /// `all(L, c)`
    All(Slot, ScopeId, ExprId),
    /// What the values of the elements of an array come to: the array in a slot, elements in a scope, the value.
    Fold(Fold, Slot, ScopeId, ExprId),
    /// A list; missing elements are left out, an empty list is missing.
    List(Vec<ExprId>),
    /// Is it one of the elements of this list?
    InList(ExprId, ExprId),
    /// Changes a type: a whole number to a decimal, text to a number, anything to its text.
    Convert(ExprId, Type),
}

/// A function with its literal arguments bound.
#[derive(Clone)]
pub struct Callee {
    /// The function's name.
    pub name: &'static str,
    /// Its literal arguments.
    pub literals: Vec<builtins::Constant>,
    /// Its code, which has them bound.
    pub code: Arc<dyn Call>,
}

/// Name and literals say all: the code follows from them.
impl fmt::Debug for Callee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?}", self.name, self.literals)
    }
}

/// What a list function makes of the values of an array's elements, taken in order. Missing ones are passed over; the
/// first that is invalid makes the whole invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fold {
    /// The sum of numbers of this type; 0 if there are none.
    Sum(Type),
    /// The texts with this one between them.
    Join(String),
    /// A list of the first so many. What stands behind them is not looked at.
    Take(u32),
    /// A list of the first so many that differ. What stands behind them is not looked at.
    Distinct(u32),
}

/// Whether a function is called with missing arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallMissing {
    /// A missing argument gives missing.
    Propagate,
    /// It is called.
    Pass,
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// `missing`
    Missing,
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A decimal.
    Decimal(Decimal),
    /// A truth value.
    Bool(bool),
    /// Nanoseconds.
    Duration(i64),
    /// UTC nanoseconds since 1970.
    Timestamp(i64),
    /// An address.
    Ip(std::net::IpAddr),
}

/// Facts about the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meta {
    /// The object's key.
    Key,
    /// Its bucket.
    Bucket,
    /// The line on which the record starts, 1-based.
    Line,
    /// The offset of the record in the object.
    Offset,
    /// When the object was last modified, or arrived.
    ReceivedAt,
    /// The source's name.
    Source,
    /// The SHA-256 of the record's bytes as they came, in hexadecimal digits.
    RecordSha256,
}

/// Facts about the object that a worker is given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectMeta {
    /// The object's key.
    pub key: String,
    /// Its bucket; empty if it has none.
    pub bucket: String,
    /// The source's name.
    pub source: String,
    /// UTC nanoseconds.
    pub received_at_ns: i64,
}

/// The columns of the normalized event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Column {
    /// `event.id`
    Id,
    /// `event.time`
    Time,
    /// `event.actor`
    Actor,
    /// `event.action`
    Action,
    /// `event.target`
    Target,
    /// `event.cost_usd`
    CostUsd,
    /// `event.tokens_input`
    TokensInput,
    /// `event.tokens_output`
    TokensOutput,
}

impl Column {
    /// All of them, in the order in which they are evaluated.
    pub const ALL: [Self; 8] = [
        Self::Id,
        Self::Time,
        Self::Actor,
        Self::Action,
        Self::Target,
        Self::CostUsd,
        Self::TokensInput,
        Self::TokensOutput,
    ];

    /// Its name in the language.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Time => "time",
            Self::Actor => "actor",
            Self::Action => "action",
            Self::Target => "target",
            Self::CostUsd => "cost_usd",
            Self::TokensInput => "tokens_input",
            Self::TokensOutput => "tokens_output",
        }
    }

    /// The type its values have.
    pub const fn ty(self) -> Type {
        match self {
            Self::Id | Self::Actor | Self::Action | Self::Target => Type::Text,
            Self::Time => Type::Timestamp,
            Self::CostUsd => Type::Decimal,
            Self::TokensInput | Self::TokensOutput => Type::Int,
        }
    }
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`, the negation of `==`: true if a side is missing.
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// Of texts.
    StartsWith,
    /// Of texts.
    EndsWith,
    /// Of texts.
    Contains,
}

/// Arithmetic. `int / int` gives a decimal; timestamp - timestamp a duration; overflow and division by zero are invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

/// What `is` asks for. None of them is ever missing or invalid itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// No value.
    Missing,
    /// A value, also one that cannot be read.
    Present,
    /// A value that cannot be read.
    Invalid,
}

/// `match`: exact patterns win, then the longest prefix, in any order of the arms.
#[derive(Debug)]
pub struct Match {
    /// The text (numbers and truth values by their text).
    pub subject: ExprId,
    /// What is looked for; the number is that of an arm.
    pub patterns: Patterns,
    /// The values of the arms.
    pub arms: Vec<ExprId>,
    /// A missing subject, and one that no pattern fits.
    pub otherwise: ExprId,
}

/// A look-up table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// The keys; the number is that of a row.
    pub keys: Patterns,
    /// The row for unknown keys.
    pub otherwise: Option<u32>,
    /// The cells of each row, key left out.
    pub rows: Vec<Vec<Constant>>,
}

/// A statement.
#[derive(Debug)]
pub enum Stmt {
    /// `drop when` (keep = false), `keep when` (true): forgets the innermost scope.
    Filter {
        /// `keep when`
        keep: bool,
        /// The condition.
        condition: ExprId,
        /// Its line in the program.
        line: u32,
    },
    /// The first arm whose condition holds.
    When {
        /// Condition, statements, line.
        arms: Vec<(ExprId, Vec<Stmt>, u32)>,
        /// The plain `else`.
        otherwise: Vec<Stmt>,
    },
    /// For each element of an array.
    Each {
        /// The array.
        array: Slot,
        /// Its elements.
        scope: ScopeId,
        /// More elements reject the record (R1301).
        max: u32,
        /// What is done.
        body: Vec<Stmt>,
        /// Its line in the program.
        line: u32,
    },
    /// Makes an event.
    Emit(u16),
    /// Forgets the innermost scope with its events.
    Drop,
    /// Refuses the record.
    Reject {
        /// The program's words.
        reason: String,
        /// Its line in the program.
        line: u32,
    },
}

/// One event.
#[derive(Debug)]
pub struct Emit {
    /// The class's name, `api_activity`.
    pub class: String,
    /// Its columns, in the order of [`Column::ALL`].
    pub columns: [Field; 8],
    /// `event.extra.NAME`
    pub extra: Vec<(String, Field)>,
    /// The OCSF event.
    pub root: Object,
    /// How many [`Member::present`] numbers there are.
    pub members: u32,
    /// Lines of the mapping whose values became part of a constant: their targets and lines in the program.
    pub constant_lines: Vec<(String, u32)>,
    /// Its line in the program.
    pub line: u32,
}

/// One line of the mapping: a value, and what becomes of the record without it.
#[derive(Debug)]
pub struct Field {
    /// The value.
    pub value: ExprId,
    /// Looked at when `value` is missing.
    pub on_missing: Option<Handler>,
    /// Looked at when `value` is invalid.
    pub on_invalid: Option<Handler>,
    /// When it is still missing.
    pub missing: Policy,
    /// When it is still invalid.
    pub invalid: Policy,
    /// What the value must be to fit its target.
    pub check: Check,
    /// What dead letters call it: `event.time`, `actor.user.name`.
    pub target: String,
    /// Its line in the program; a derived one has that of its emit.
    pub line: u32,
    /// Its byte offset in the program: of several failing fields the one with the smallest is reported.
    pub position: u32,
    /// No text of the value is shown in dead letters: it reads a redacted path.
    pub redacted: bool,
}

/// `on missing ...`, `on invalid ...`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler {
    /// Leave it out.
    Skip,
    /// Refuse the record.
    Reject,
    /// Use this; if it is missing or invalid itself, the policy applies.
    Value(ExprId),
}

/// What becomes of a target without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Left out.
    Skip,
    /// The record is refused.
    Reject,
    /// It is 0 (of `cost_usd` and the tokens).
    Zero,
}

/// What a value must be to fit its target, and how it is written. A value that does not fit is invalid.
#[derive(Debug, Clone)]
pub enum Check {
    /// Any text.
    Text,
    /// A text with limits.
    LimitedText(Box<TextLimits>),
    /// A whole number in this range.
    Int(i64, i64),
    /// A number of an enum.
    Enum(Vec<i64>),
    /// A decimal, written as a JSON number.
    Decimal,
    /// A floating-point number, from any number.
    Float,
    /// A truth value.
    Bool,
    /// A timestamp between 2000 and 2100 (else R1205), written as epoch milliseconds, rounded down.
    EventTime,
    /// A timestamp, written as epoch milliseconds, rounded down.
    EpochMillis,
    /// A timestamp, written as RFC 3339 text.
    Rfc3339,
    /// A duration whose milliseconds, rounded down, are in this range; written as them.
    DurationMillis(i64, i64),
    /// An address, written as text.
    Ip,
    /// JSON, written as it stands; other scalars as JSON.
    Json,
    /// A list of values that each fit.
    List(Box<Check>),
}

/// Limits of a text.
#[derive(Debug, Clone, Default)]
pub struct TextLimits {
    /// What it must match.
    pub pattern: Option<Regex>,
    /// At most this many characters.
    pub chars_max: Option<u32>,
    /// One of these, if not empty.
    pub values: Vec<String>,
    /// What messages call such a text: "an e-mail address".
    pub noun: &'static str,
}

/// A JSON object of the output.
#[derive(Debug, Default)]
pub struct Object {
    /// In the order in which they are written.
    pub members: Vec<Member>,
    /// Of each list (of [`Member::present`] numbers), one must be present, or the object is incomplete.
    pub at_least_one: Vec<Vec<u32>>,
    /// It is there only if this holds.
    pub guard: Option<ExprId>,
    /// Nothing that it needs can be absent, whatever the record holds: nothing is looked at.
    pub is_complete: bool,
}

/// A member of an object.
#[derive(Debug)]
pub struct Member {
    /// Its number in the emit: whether it was written is remembered under it.
    pub present: u32,
    /// `"name":` as it is written; before it whole members that are always the same.
    pub key: String,
    /// Without it the object is incomplete.
    pub required: bool,
    /// Left out if one of these is present (`just_one`: the first in the file stays).
    pub unless: Vec<u32>,
    /// Written only if a member that is no filler is present. Fillers come last.
    pub filler: bool,
    /// What it holds.
    pub node: OutputNode,
}

/// What a member holds.
#[derive(Debug)]
pub enum OutputNode {
    /// JSON text that is always the same.
    Constant(String),
    /// A value.
    Value(Field),
    /// A number of an enum, and what follows from it.
    Enum(Field, Vec<Echo>),
    /// An object; left out if it is empty or incomplete.
    Object(Object),
    /// A list of objects; left out if it is empty.
    List(Vec<Element>),
}

/// A member that follows from an enum's number: its caption, or `type_uid`.
#[derive(Debug)]
pub struct Echo {
    /// `"name":` as it is written.
    pub key: String,
    /// The JSON text for each number.
    pub texts: Vec<(i64, String)>,
    /// For 99 *Other*: the source's own word, if it is a text that is not blank and fits. Of a list, one for each number.
    pub other: Option<ExprId>,
    /// What such a word must be to fit.
    pub check: Check,
}

/// An element of a list.
#[derive(Debug)]
pub enum Element {
    /// One object.
    One(Object),
    /// An object for each of the first `max` elements of an array.
    Each {
        /// The array.
        array: Slot,
        /// Its elements.
        scope: ScopeId,
        /// Further ones are left out and counted.
        max: u32,
        /// The object.
        object: Object,
    },
}

/// What is stored as the raw record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raw {
    /// The record's bytes.
    Keep,
    /// Nothing.
    Drop,
    /// Nothing; the hash of the bytes stands in the event.
    Hash,
    /// The bytes with the values at these paths replaced by `"[redacted]"`.
    Redact(Vec<Vec<RedactStep>>),
}

/// A step of a redacted path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedactStep {
    /// Every member of this (unescaped) name.
    Member(String),
    /// One element.
    Element(u32),
    /// The last element.
    Last,
    /// Every element.
    Elements,
}
