//! A compiled program: what the engine runs.
//!
//! Everything that can be decided before the first record is decided here: which paths are read and where their values
//! go (slots), which expressions are evaluated, what the output looks like.
//!
//! A *scope* is the record, or the element of a loop. Each has its own projection, since an element is a small record
//! of its own: `each .steps[*] as step` projects the array `.steps` into one slot of the outer scope, and each element
//! into the slots of the inner one.

mod expr;
mod output;
mod patterns;
mod refs;
mod text;

use crate::input::Input;
use crate::types::NumberFormat;

pub use expr::{
    Arithmetic, CallMissing, Callee, Comparison, Constant, Expr, Fold, Match, Meta, ObjectMeta,
    Outcome, Table,
};
pub use output::{
    Check, Column, Echo, Element, Emit, Field, Handler, Member, Object, OutputNode, Policy, Stmt,
    TextLimits,
};
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
