//! What an expression gives: a value, nothing, or something that cannot be read.
//!
//! Values are small and `Copy`; texts are borrowed from the record, the plan, or the worker's arena.

use std::net::IpAddr;

use crate::cidr::Cidr;
use crate::decimal::Decimal;

/// The outcome of an expression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// There is none.
    Missing,
    /// There is one, and it cannot be read as the type wanted.
    Invalid(&'a Fault<'a>),
    /// Text.
    Text(&'a str),
    /// A whole number.
    Int(i64),
    /// An exact decimal.
    Decimal(Decimal),
    /// A floating-point number, never NaN or infinite.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// UTC nanoseconds since 1970.
    Timestamp(i64),
    /// Nanoseconds.
    Duration(i64),
    /// An address.
    Ip(IpAddr),
    /// A network.
    Cidr(Cidr),
    /// One JSON value as it stands in the record, without white space around it.
    Json(&'a str),
    /// A list without missing elements.
    List(&'a [Value<'a>]),
}

/// Why something is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault<'a> {
    /// What it was to be, or what went wrong: completes "... is not ": "a timestamp", "a whole number".
    /// For a failed computation, a full clause: "division by zero".
    pub wanted: &'static str,
    /// The offending text, decoded, at most [`Fault::TEXT_BYTES_MAX`] bytes, cut at a character.
    /// None if `wanted` is a clause of its own.
    pub text: Option<&'a str>,
}

impl Fault<'_> {
    /// How much of the offending text is kept.
    pub const TEXT_BYTES_MAX: usize = 64;
}
