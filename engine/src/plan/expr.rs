//! Expressions: what is computed from slots.

use std::fmt;
use std::sync::Arc;

use regex::Regex;

use super::output::Column;
use super::{ExprId, Patterns, ScopeId, Slot};
use crate::builtins::{self, Call};
use crate::decimal::Decimal;
use crate::types::Type;

/// An expression. Its operands are of the types that the checker saw to.
#[derive(Debug)]
pub enum Expr {
    /// Always the same.
    Constant(Constant),
    /// Reads a slot as a type.
    Read(Slot, Type),
    /// Reads a slot as text, but only if it is a JSON string or a cell; else missing.
    ReadString(Slot),
    /// Makes the record of a scope that has an [`Origin`](super::Origin), unless that is done, and evaluates an expression that reads it.
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
