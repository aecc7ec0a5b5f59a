//! What becomes of a record: statements, events and the objects in them.

use regex::Regex;

use super::{ExprId, ScopeId, Slot};
use crate::types::Type;

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
#[derive(Debug, Clone)]
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
