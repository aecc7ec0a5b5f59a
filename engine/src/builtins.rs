//! The functions of the language.
//!
//! A machine owns its instruction set: the compiler reads signatures from the table that the evaluator runs, so a new
//! function is one file below this one, and one line in [`ALL`].

use std::fmt;

use bumpalo::Bump;

use crate::types::{NumberFormat, Type};
use crate::value::Value;

/// A function: what it takes, what it gives, and how to get its code.
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// Its parameters; the first is the subject of `|>`.
    pub params: &'static [Param],
    /// What it gives.
    pub result: ResultType,
    /// It is called even if arguments are missing (`stable_id`). Otherwise a missing argument gives missing.
    pub takes_missing: bool,
    /// One paragraph for users.
    pub doc: &'static str,
    /// Examples, which run as tests.
    pub examples: &'static [Example],
    /// Binds the constant arguments: parses formats, looks zones up, compiles patterns.
    pub prepare: fn(&[Constant], &Environment) -> Result<Box<dyn Call>, BadArgument>,
}

/// A parameter.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// What messages call it.
    pub name: &'static str,
    /// What may stand there.
    pub kind: ParamKind,
    /// It may be left out. Optional parameters come last.
    pub optional: bool,
    /// It may be repeated. Only the last parameter.
    pub repeated: bool,
}

/// What may stand in the place of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamKind {
    /// An expression of this type; goes to [`Call::call`].
    Value(Type),
    /// An expression of any scalar type, as it is; goes to [`Call::call`].
    Scalar,
    /// A literal text; goes to `prepare`.
    ConstantText,
    /// A literal whole number; goes to `prepare`.
    ConstantInt,
    /// A literal whole number or the word `last`; goes to `prepare`.
    ConstantIntOrLast,
}

/// A literal argument.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// The word `last`.
    Last,
}

/// The type that a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultType {
    /// Always this.
    Fixed(Type),
    /// The type of its subject.
    Subject,
}

/// What a function may know about the program around it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Environment {
    /// How numbers are written in the input.
    pub numbers: NumberFormat,
}

/// A literal argument that does not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadArgument {
    /// Which of the constants given to `prepare`.
    pub index: usize,
    /// The registry's code.
    pub code: &'static str,
    /// What is wrong with it.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// An example of a function, in the language.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// An expression over the record `given`.
    pub expr: &'static str,
    /// A JSON record.
    pub given: &'static str,
    /// The text of the result; `None` is missing, "invalid" is written so.
    pub gives: Option<&'static str>,
}

/// A function with its constants bound.
pub trait Call: Send + Sync + fmt::Debug {
    /// Runs it. Arguments are values of the declared types, never invalid, and never missing unless
    /// [`Builtin::takes_missing`]; optional ones may be absent.
    fn call<'a>(&self, args: &[Value<'a>], arena: &'a Bump) -> Value<'a>;
}

impl fmt::Debug for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Looks a function up.
pub fn find(name: &str) -> Option<&'static Builtin> {
    ALL.iter().copied().find(|builtin| builtin.name == name)
}

/// Every function, in the order of the documentation.
pub static ALL: &[&Builtin] = &[];
