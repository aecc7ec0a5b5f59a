//! The typed tree: a checked program, before anything is optimised.
//!
//! Names are resolved, types are known, everything that OCSF asks for and everything derived stands in it as ordinary
//! lines. An interpreter of this tree defines what a program means; `lower` turns it into the plan that the engine runs,
//! and must not change that meaning.

mod walk;

use std::sync::Arc;

use regex::Regex;
use weir_engine::builtins::{self, Builtin, Call};
use weir_engine::input::Input;
use weir_engine::plan::{
    Arithmetic, Check, Column, Comparison, Constant, Fold, Meta, Outcome, Policy, RedactStep,
};
use weir_engine::types::{NumberFormat, Type};

use crate::source::Span;

pub(crate) use walk::Part;

/// A checked program.
#[derive(Debug)]
pub struct Program {
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
    /// What is stored as the raw record.
    pub raw: Raw,
    /// The secrets that `hmac` names, in the order of their names.
    pub secrets: Vec<Secret>,
    /// Look-up tables.
    pub tables: Vec<Table>,
    /// Records that functions make.
    pub derived: Vec<Derived>,
    /// The expressions that `let`s stand for; one for each `let` and type that it is read as.
    pub lets: Vec<Let>,
    /// Lines with a condition that reads a redacted path: nothing of the record is shown if it cannot be decided.
    pub redacted_conditions: std::collections::BTreeSet<u32>,
    /// What is done with a record. Filters at the top level come first, in their order.
    pub body: Vec<Stmt>,
}

/// A secret that the program names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// Tells its key from another without showing it.
    pub version: [u8; 32],
}

/// What is stored as the raw record.
#[derive(Debug, Clone)]
pub enum Raw {
    /// The record's bytes.
    Keep,
    /// Nothing.
    Drop,
    /// Nothing; the hash of the bytes stands in the event, put there by a derived line.
    Hash,
    /// The bytes with the values at these paths replaced.
    Redact(Vec<Vec<RedactStep>>),
}

/// A `let`, as some type.
#[derive(Debug)]
pub struct Let {
    /// Its name.
    pub name: String,
    /// What it stands for. It means what it means where it stands: in the loop `scope`.
    pub expr: Expr,
    /// The loop around the `let`; none for the record.
    pub scope: Option<LoopId>,
}

/// A record that the program makes. Paths start from it.
///
/// If it is missing, so is every path from it; if it is invalid, all of them are invalid for the same reason.
#[derive(Debug)]
pub struct Derived {
    /// How it is made.
    pub kind: DerivedKind,
    /// The innermost loop that it depends on; none for the record.
    pub scope: Option<LoopId>,
    /// Where it stands.
    pub span: Span,
}

/// How a record is made.
#[derive(Debug)]
pub enum DerivedKind {
    /// By a function whose result is a record; outcomes are those of every function.
    Call {
        /// The function.
        builtin: &'static Builtin,
        /// Its literal arguments.
        literals: Vec<builtins::Constant>,
        /// Its code, with the literal arguments bound.
        call: Arc<dyn Call>,
        /// The other arguments.
        args: Vec<Expr>,
    },
    /// `find(L, c)`: of the first element that is there and meets a condition. A missing list gives none.
    Find {
        /// The array.
        array: Path,
        /// Its elements.
        id: LoopId,
        /// Of an element, what is looked for: itself, or what its steps lead to. An element without it is passed over.
        value: Path,
        /// The condition. If it is invalid for an element that is reached, so is the record.
        condition: Expr,
    },
}

/// An index into [`Program::derived`].
pub type DerivedId = u16;

/// A number for each `each`, `add ... each` and list function of a program.
pub type LoopId = u16;

/// A look-up table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Rows in order.
    pub rows: Vec<Row>,
    /// The cells of the `else` row.
    pub otherwise: Option<Vec<Constant>>,
}

/// A row of a table.
#[derive(Debug)]
pub struct Row {
    /// The keys.
    pub keys: Vec<TextPattern>,
    /// The cells, key left out.
    pub cells: Vec<Constant>,
}

/// What an arm of a `match` or a row of a table looks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TextPattern {
    /// The whole text.
    Exact(String),
    /// How the text starts. An exact pattern wins, then the longest prefix.
    Prefix(String),
}

/// A path: where it starts and its literal steps.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    /// Where it starts.
    pub root: Root,
    /// What follows.
    pub steps: Vec<Step>,
}

/// Where a path starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Root {
    /// The record.
    Record,
    /// The wrapper document. The names before the first other step are an entry of the input's `wrapper`, and those of
    /// each way through a choice.
    Wrapper,
    /// The element of a loop or list function.
    Loop(LoopId),
    /// A record that the program makes. Of one that [`builtins::Fields::Pairs`] or [`builtins::Fields::Named`] gives, at
    /// most one name follows.
    Derived(DerivedId),
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// The first member of this name.
    Member(String),
    /// The first of these members that is not missing; what follows is not tried on the others.
    Choice(Vec<String>),
    /// An element.
    Element(u32),
    /// The last element.
    Last,
}

/// An expression with its type.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// What it gives.
    pub ty: Type,
    /// Where it stands; derived ones have the place of what they derive from.
    pub span: Span,
}

/// The kinds of expressions. Outcomes are those of the language's table "semantics in one table".
#[derive(Debug, Clone)]
pub enum ExprKind {
    /// Always the same. Its type is that of the expression.
    Constant(Constant),
    /// Read as the expression's type.
    Path(Path),
    /// Read as text, but only if it is a JSON string or a cell; else missing.
    StringOnly(Path),
    /// About the object that the record is in.
    Meta(Meta),
    /// The position of a loop's element in its array.
    Index(LoopId),
    /// A column of the event that is being made, handlers applied.
    Column(Column),
    /// An index into [`Program::lets`].
    Let(usize),
    /// The texts of its parts, one behind the other (each is converted to [`Type::Text`] already).
    Concat(Vec<Expr>),
    /// Not.
    Not(Box<Expr>),
    /// Minus.
    Negate(Box<Expr>),
    /// And.
    And(Box<Expr>, Box<Expr>),
    /// Or.
    Or(Box<Expr>, Box<Expr>),
    /// Compares two values of one type.
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// Is it one of these constants (of the subject's type)?
    In(Box<Expr>, Vec<Constant>),
    /// Does the text match?
    Matches(Box<Expr>, Regex),
    /// Left if it is not missing, else right.
    Coalesce(Box<Expr>, Box<Expr>),
    /// Computes. Operands are of one numeric type, or timestamps and durations.
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    /// Asks for an outcome; `true` negates.
    Is(Outcome, bool, Box<Expr>),
    /// `if`
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `match`; the subject is text.
    Match {
        /// What is compared.
        subject: Box<Expr>,
        /// The arms in order.
        arms: Vec<(Vec<TextPattern>, Expr)>,
        /// A missing subject, and one that no pattern fits.
        otherwise: Box<Expr>,
    },
    /// A cell of a table: table, key (text), column (0 is the first behind the key).
    Cell(u16, Box<Expr>, u16),
    /// A function.
    Call {
        /// The function.
        builtin: &'static Builtin,
        /// Its literal arguments.
        literals: Vec<builtins::Constant>,
        /// Its code, with the literal arguments bound.
        call: Arc<dyn Call>,
        /// The other arguments.
        args: Vec<Expr>,
    },
    /// `count(L, c)`: the array, its elements' loop, the condition.
    Count(Path, LoopId, Option<Box<Expr>>),
    /// `any(L, c)`
    Any(Path, LoopId, Box<Expr>),
    /// `all(L, c)`
    All(Path, LoopId, Box<Expr>),
    /// `sum`, `join`, `take`, `distinct`: the array, its elements' loop, the value of an element.
    Fold(Fold, Path, LoopId, Box<Expr>),
    /// A list of values of one type; missing elements are left out, an empty list is missing.
    List(Vec<Expr>),
    /// Is it an element of this list? Invalid if a side is, the left one first; false if one is missing.
    InList(Box<Expr>, Box<Expr>),
    /// Changes the type to that of this expression.
    Convert(Box<Expr>),
}

/// A statement.
#[derive(Debug)]
pub enum Stmt {
    /// `drop when` (keep = false), `keep when` (true): forgets the innermost scope.
    Filter {
        /// `keep when`
        keep: bool,
        /// The condition.
        condition: Expr,
    },
    /// The first arm whose condition holds.
    When {
        /// Conditions and statements.
        arms: Vec<(Expr, Vec<Stmt>)>,
        /// The plain `else`.
        otherwise: Vec<Stmt>,
    },
    /// For each element of an array.
    Each {
        /// The array.
        array: Path,
        /// Its elements.
        id: LoopId,
        /// More elements reject the record (R1301).
        max: u32,
        /// What is done.
        body: Vec<Stmt>,
        /// Where it stands.
        span: Span,
    },
    /// Makes an event.
    Emit(Box<Emit>),
    /// Forgets the innermost scope with its events.
    Drop(Span),
    /// Refuses the record.
    Reject(String, Span),
}

/// One event.
#[derive(Debug)]
pub struct Emit {
    /// The class's name.
    pub class: String,
    /// Its columns, in the order of [`Column::ALL`].
    pub columns: Vec<Field>,
    /// `event.extra.NAME`
    pub extra: Vec<(String, Field)>,
    /// The OCSF event.
    pub root: Object,
    /// Where it stands.
    pub span: Span,
}

/// One line of the mapping.
#[derive(Debug, Clone)]
pub struct Field {
    /// The value.
    pub value: Expr,
    /// Looked at when `value` is missing.
    pub on_missing: Option<Handler>,
    /// Looked at when `value` is invalid.
    pub on_invalid: Option<Handler>,
    /// When it is still missing.
    pub missing: Policy,
    /// When it is still invalid.
    pub invalid: Policy,
    /// What the value must be to fit its target; looked at after the handlers of `value`'s own outcome:
    /// a value that does not fit is invalid, which `on invalid` sees too.
    pub check: Check,
    /// What dead letters call it: `event.time`, `actor.user.name`.
    pub target: String,
    /// Where the line stands: of several failing lines the one with the smallest `span.start` is reported.
    pub span: Span,
    /// It reads a redacted path.
    pub redacted: bool,
}

/// `on missing ...`, `on invalid ...`
#[derive(Debug, Clone)]
pub enum Handler {
    /// Leave it out.
    Skip,
    /// Refuse the record.
    Reject,
    /// Use this; if it is missing or invalid itself, the policy applies.
    Value(Box<Expr>),
}

/// A JSON object of the output.
#[derive(Debug, Clone, Default)]
pub struct Object {
    /// In the order in which they are written.
    pub members: Vec<Member>,
    /// Constraints: one of these (names, or ways such as `a.b`) must be present, or the object is incomplete.
    pub at_least_one: Vec<Vec<String>>,
    /// Of these (names) only the first in `members` that is present stays.
    pub just_one: Vec<Vec<String>>,
    /// It is there only if this holds.
    pub guard: Option<Box<Expr>>,
}

/// A member of an object.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Without it the object is incomplete.
    pub required: bool,
    /// Written only if a member that is no filler is present. Fillers come last.
    pub filler: bool,
    /// What it holds.
    pub node: OutputNode,
}

/// What a member holds.
#[derive(Debug, Clone)]
pub enum OutputNode {
    /// JSON text that is always the same.
    Constant(String),
    /// A value.
    Value(Field),
    /// A number of an enum, and the members that follow from it, written behind it.
    Enum(Field, Vec<Echo>),
    /// An object; left out if it is empty or incomplete.
    Object(Object),
    /// A list of objects; left out if it is empty.
    List(Vec<Element>),
}

/// A member that follows from an enum's number: its caption, or `type_uid`.
#[derive(Debug, Clone)]
pub struct Echo {
    /// Its name.
    pub name: String,
    /// The JSON text for each number; nothing is written for others.
    pub texts: Vec<(i64, String)>,
    /// For 99 *Other*: the source's own word, if it is a text that is not blank and fits. Where the field is a list,
    /// this is a list of as many words.
    pub other: Option<Expr>,
    /// What such a word must be to fit.
    pub check: Check,
}

/// An element of a list.
#[derive(Debug, Clone)]
pub enum Element {
    /// One object.
    One(Object),
    /// An object for each of the first `max` elements of an array.
    Each {
        /// The array.
        array: Path,
        /// Its elements.
        id: LoopId,
        /// Further ones are left out.
        max: u32,
        /// The object.
        object: Object,
    },
}

impl Path {
    /// How many literal paths it stands for: one for each way through its choices.
    pub fn ways_count(&self) -> usize {
        let names = self.steps.iter().filter_map(|step| match step {
            Step::Choice(names) => Some(names.len()),
            _ => None,
        });
        names.fold(1, usize::saturating_mul)
    }

    /// For each name of the first choice: the path to that member, and the path on from it. None without a choice.
    pub fn ways(&self) -> impl Iterator<Item = (Self, Self)> + '_ {
        let choices = self.steps.iter().enumerate().find_map(|(at, step)| match step {
            Step::Choice(names) => Some((at, names)),
            _ => None,
        });
        choices.into_iter().flat_map(move |(at, names)| {
            names.iter().map(move |name| {
                let mut probe = Self { root: self.root, steps: self.steps[..at].to_vec() };
                probe.steps.push(Step::Member(name.clone()));
                let mut value = probe.clone();
                value.steps.extend_from_slice(&self.steps[at + 1..]);
                (probe, value)
            })
        })
    }
}

impl Step {
    /// The name, if the step is one.
    pub fn member(&self) -> Option<String> {
        match self {
            Self::Member(name) => Some(name.clone()),
            Self::Choice(_) | Self::Element(_) | Self::Last => None,
        }
    }
}
