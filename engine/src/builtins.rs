//! The functions of the language.
//!
//! A machine owns its instruction set: the compiler reads signatures from the table that the evaluator runs, so a new
//! function is one file below this one, and one line in [`ALL`].

use std::fmt;
use std::ops::Range;

use bumpalo::Bump;

use crate::secrets::Secrets;
use crate::types::{NumberFormat, Type};
use crate::value::Value;

pub use to_enum::{OTHER_WORD, TO_ENUM, TO_ENUM_EACH};

mod abs;
mod base64;
mod boolean;
mod cidr;
mod decimal;
mod duration;
mod epoch;
mod extract;
mod float;
mod format_time;
pub mod forms;
mod grok;
mod hmac;
mod in_cidr;
mod int;
mod ip;
mod is_private;
mod json;
mod kv;
mod length;
pub(crate) mod lower;
mod mask;
mod mask_email;
mod mask_ip;
mod max;
mod min;
mod nfc;
mod part;
mod raw_id;
mod replace;
mod round;
mod scrub;
mod sha256;
mod stable_id;
mod strip_prefix;
mod strip_suffix;
mod timestamp;
mod to_enum;
mod trim;
mod truncate;
mod truncate_time;
mod unit;
mod unix_ms;
mod unix_ns;
mod unix_seconds;
mod unix_us;
mod upper;
mod url;
mod url_decode;
mod uuid5;

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
    pub prepare: fn(&[Constant], &Environment) -> Prepared,
}

/// A function ready to be called, or why its constant arguments do not do.
pub type Prepared = Result<Box<dyn Call>, BadArgument>;

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

impl Param {
    const fn new(name: &'static str, kind: ParamKind) -> Self {
        Self { name, kind, optional: false, repeated: false }
    }

    const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    const fn repeated(self) -> Self {
        Self { repeated: true, ..self }
    }

    /// The subject of a function about text.
    const TEXT: Self = Self::new("text", ParamKind::Value(Type::Text));
}

/// What may stand in the place of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamKind {
    /// An expression of this type; goes to [`Call::call`].
    Value(Type),
    /// An expression of any number type, as it is (a path is read as a decimal); goes to [`Call::call`].
    Number,
    /// An expression of any scalar type, as it is (a path is read as text); goes to [`Call::call`].
    Scalar,
    /// A literal text; goes to `prepare`.
    ConstantText,
    /// A literal regular expression, `r"..."`; goes to `prepare`.
    ConstantRegex,
    /// A literal whole number; goes to `prepare`.
    ConstantInt,
    /// A literal whole number or the word `last`; goes to `prepare`.
    ConstantIntOrLast,
    /// A literal text or a bare word; goes to `prepare` as text.
    ConstantWord,
    /// A list of literal texts; goes to `prepare`.
    ConstantTexts,
    /// Nothing is written there: the SHA-256 of the record's bytes in hexadecimal digits goes to [`Call::call`].
    Record,
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
    /// A list of texts.
    Texts(Vec<String>),
}

/// The type that a function gives.
#[derive(Debug, Clone, Copy)]
pub enum ResultType {
    /// Always this.
    Fixed(Type),
    /// The widest type of its [`ParamKind::Number`] arguments: int, decimal, float.
    Number,
    /// A record, of which fields are read.
    Record(Fields),
}

/// The fields of a record that a function gives.
#[derive(Debug, Clone, Copy)]
pub enum Fields {
    /// [`Call::call`] gives [`Value::Json`]: any path may follow.
    Json,
    /// It gives a [`Value::List`] of names and texts by turns: any name may follow.
    Pairs,
    /// It gives a [`Value::List`] of texts, some missing, for the fields that follow from the constant arguments.
    Named(fn(&[Constant]) -> Vec<Field>),
}

/// A field that a function gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it is read as; none: as whatever is wanted, like a field of the record.
    pub ty: Option<Type>,
}

/// What a function may know about the program around it.
#[derive(Debug, Clone)]
pub struct Environment {
    /// How numbers are written in the input.
    pub numbers: NumberFormat,
    /// How deep brackets may nest.
    pub depth_max: u32,
    /// The keys of `hmac`.
    pub secrets: Secrets,
}

impl Default for Environment {
    fn default() -> Self {
        Self { numbers: NumberFormat::default(), depth_max: 64, secrets: Secrets::default() }
    }
}

/// A literal argument that does not do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BadArgument {
    /// Which of the constants given to `prepare`.
    pub index: usize,
    /// The registry's code.
    pub code: &'static str,
    /// What is wrong with it.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The part of a text that is meant, in its bytes; none: the whole.
    pub at: Option<Range<usize>>,
    /// What to write there instead.
    pub fix: Option<String>,
}

/// A format without `%z` has no zone.
pub const CODE_NO_ZONE: &str = "W0402";
/// A zone or a directive that does not exist.
pub const CODE_UNKNOWN_ZONE_OR_DIRECTIVE: &str = "W0404";
/// A secret that was not given.
pub const CODE_NO_SECRET: &str = "W0117";
/// A regular expression or a grok pattern that cannot be used.
pub const CODE_BAD_PATTERN: &str = "W0406";
/// Any other literal argument that does not do.
pub const CODE_BAD_LITERAL: &str = "W0405";

impl BadArgument {
    /// A literal that does not do, for a reason of the function's own.
    fn literal(index: usize, message: impl Into<String>, help: impl Into<String>) -> Self {
        let (message, help) = (message.into(), Some(help.into()));
        Self { index, code: CODE_BAD_LITERAL, message, help, ..Self::default() }
    }
}

/// An example of a function, in the language.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// An expression of literals.
    pub expr: &'static str,
    /// What comes of it.
    pub gives: Gives,
}

/// What an example gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// A value of this text.
    Text(&'static str),
    /// Nothing.
    Missing,
    /// Something that is not what it should be.
    Invalid,
}

impl Example {
    const fn gives(expr: &'static str, text: &'static str) -> Self {
        Self { expr, gives: Gives::Text(text) }
    }

    const fn missing(expr: &'static str) -> Self {
        Self { expr, gives: Gives::Missing }
    }

    const fn invalid(expr: &'static str) -> Self {
        Self { expr, gives: Gives::Invalid }
    }
}

/// A function with its constants bound.
pub trait Call: Send + Sync + fmt::Debug {
    /// Runs it. Arguments are values of the declared types, never invalid, and never missing unless
    /// [`Builtin::takes_missing`]; optional ones may be absent.
    fn call<'a>(&self, args: &[Value<'a>], arena: &'a Bump) -> Value<'a>;

    /// The same, and whether a local time was read that there was twice: clocks were set back then.
    fn call_noting_time<'a>(&self, args: &[Value<'a>], arena: &'a Bump) -> (Value<'a>, bool) {
        (self.call(args, arena), false)
    }

    /// The size of the regular expressions in it.
    fn program_bytes(&self) -> usize {
        0
    }
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
pub static ALL: &[&Builtin] = &[
    &lower::BUILTIN,
    &upper::BUILTIN,
    &trim::BUILTIN,
    &strip_prefix::BUILTIN,
    &strip_suffix::BUILTIN,
    &replace::BUILTIN,
    &part::BUILTIN,
    &truncate::BUILTIN,
    &length::BUILTIN,
    &nfc::BUILTIN,
    &int::BUILTIN,
    &decimal::BUILTIN,
    &float::BUILTIN,
    &round::BUILTIN,
    &abs::BUILTIN,
    &min::BUILTIN,
    &max::BUILTIN,
    &boolean::BUILTIN,
    &timestamp::BUILTIN,
    &unix_seconds::BUILTIN,
    &unix_ms::BUILTIN,
    &unix_us::BUILTIN,
    &unix_ns::BUILTIN,
    &duration::BUILTIN,
    &format_time::BUILTIN,
    &truncate_time::BUILTIN,
    &ip::BUILTIN,
    &cidr::BUILTIN,
    &in_cidr::BUILTIN,
    &is_private::BUILTIN,
    &mask_ip::BUILTIN,
    &stable_id::BUILTIN,
    &raw_id::BUILTIN,
    &uuid5::BUILTIN,
    &sha256::BUILTIN,
    &hmac::BUILTIN,
    &json::BUILTIN,
    &kv::BUILTIN,
    &extract::BUILTIN,
    &grok::BUILTIN,
    &url::BUILTIN,
    &url_decode::BUILTIN,
    &base64::BUILTIN,
    &mask_email::BUILTIN,
    &mask::BUILTIN,
    &scrub::BUILTIN,
];

/// The longest text that a function makes. Only functions that can lengthen a text look at it.
pub(crate) const TEXT_BYTES_MAX: usize = 16 << 20;

/// A function's code and its constants.
struct Bound<T> {
    name: &'static str,
    constants: T,
    run: Run<T>,
}

/// A function's code.
type Run<T> = for<'a> fn(&T, &[Value<'a>], &'a Bump) -> Value<'a>;

/// Puts code and constants together.
fn bind<T>(name: &'static str, constants: T, run: Run<T>) -> Prepared
where
    T: fmt::Debug + Send + Sync + 'static,
{
    Ok(Box::new(Bound { name, constants, run }))
}

impl<T: fmt::Debug + Send + Sync> Call for Bound<T> {
    fn call<'a>(&self, args: &[Value<'a>], arena: &'a Bump) -> Value<'a> {
        (self.run)(&self.constants, args, arena)
    }
}

impl<T: fmt::Debug> fmt::Debug for Bound<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:?})", self.name, self.constants)
    }
}

/// The text argument in this place.
///
/// # Panics
/// If it is no text: the checker gives every argument its declared type.
#[track_caller]
fn text_arg<'a>(args: &[Value<'a>], place: usize) -> &'a str {
    match args.get(place) {
        Some(Value::Text(text)) => text,
        other => panic!("argument {place} is a text by the signature, not {other:?}"),
    }
}

/// The literal text in this place.
///
/// # Panics
/// As [`text_arg`].
#[track_caller]
fn constant_text(constants: &[Constant], place: usize) -> &str {
    match constants.get(place) {
        Some(Constant::Text(text)) => text,
        other => panic!("constant {place} is a text by the signature, not {other:?}"),
    }
}

/// The literal whole number in this place, from `min` on.
///
/// # Panics
/// As [`text_arg`].
#[track_caller]
fn constant_count(constants: &[Constant], place: usize, min: u32) -> Result<usize, BadArgument> {
    let Some(Constant::Int(number)) = constants.get(place) else {
        panic!(
            "constant {place} is a whole number by the signature, not {:?}",
            constants.get(place)
        )
    };
    match u32::try_from(*number) {
        Ok(count) if count >= min => Ok(count as usize),
        _ => Err(BadArgument::literal(
            place,
            format!("`{number}` is out of range here"),
            format!("write a whole number from {min} on"),
        )),
    }
}

/// A literal text that must not be empty.
#[track_caller]
fn constant_nonempty(constants: &[Constant], place: usize) -> Result<String, BadArgument> {
    let text = constant_text(constants, place);
    if text.is_empty() {
        return Err(BadArgument::literal(
            place,
            "this text is empty",
            "write at least one character",
        ));
    }
    Ok(text.to_owned())
}

/// Bytes as hexadecimal digits of lower case.
pub(crate) fn hex<'a>(bytes: &[u8], arena: &'a Bump) -> Value<'a> {
    let mut text = bumpalo::collections::String::with_capacity_in(bytes.len() * 2, arena);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).expect("a nibble is below 16"));
        }
    }
    Value::Text(text.into_bump_str())
}

#[cfg(test)]
mod tests;
