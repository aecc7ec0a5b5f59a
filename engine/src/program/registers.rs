//! The registers of a program, each part of a value in an array of its own.
//!
//! A [`Value`] is 32 bytes, and most of them are padding. Moving it from place to place costs more than what is done
//! with it: it is written in parts and read as a whole, which a processor cannot do before all parts have reached the
//! cache. So a register is its kind, and where there is one its text or number; a value is put together from these when
//! it is needed, and mostly stays in the registers of the machine.

use bumpalo::Bump;

use super::Register;
use crate::decimal::Decimal;
use crate::value::Value;

/// What a register holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Missing,
    Text,
    Json,
    Int,
    Decimal,
    Bool,
    Timestamp,
    Duration,
    /// Something else, kept as it is.
    Value,
}

pub(super) struct Registers<'a> {
    kinds: &'a mut [Kind],
    texts: &'a mut [&'a str],
    numbers: &'a mut [i64],
    decimals: &'a mut [Decimal],
    values: &'a mut [Value<'a>],
}

impl<'a> Registers<'a> {
    /// So many, all missing.
    pub(super) fn new(count: usize, arena: &'a Bump) -> Self {
        Self {
            kinds: arena.alloc_slice_fill_copy(count, Kind::Missing),
            texts: arena.alloc_slice_fill_copy(count, ""),
            numbers: arena.alloc_slice_fill_copy(count, 0),
            decimals: arena.alloc_slice_fill_copy(count, Decimal::ZERO),
            values: arena.alloc_slice_fill_copy(count, Value::Missing),
        }
    }

    #[inline(always)]
    pub(super) fn is_missing(&self, register: Register) -> bool {
        self.kinds[usize::from(register)] == Kind::Missing
    }

    #[inline(always)]
    pub(super) fn get(&self, register: Register) -> Value<'a> {
        let at = usize::from(register);
        match self.kinds[at] {
            Kind::Missing => Value::Missing,
            Kind::Text => Value::Text(self.texts[at]),
            Kind::Json => Value::Json(self.texts[at]),
            Kind::Int => Value::Int(self.numbers[at]),
            Kind::Decimal => Value::Decimal(self.decimals[at]),
            Kind::Bool => Value::Bool(self.numbers[at] != 0),
            Kind::Timestamp => Value::Timestamp(self.numbers[at]),
            Kind::Duration => Value::Duration(self.numbers[at]),
            Kind::Value => self.values[at],
        }
    }

    #[inline(always)]
    pub(super) fn set(&mut self, register: Register, value: Value<'a>) {
        let at = usize::from(register);
        self.kinds[at] = match value {
            Value::Missing => Kind::Missing,
            Value::Text(text) => {
                self.texts[at] = text;
                Kind::Text
            }
            Value::Json(text) => {
                self.texts[at] = text;
                Kind::Json
            }
            Value::Int(number) => {
                self.numbers[at] = number;
                Kind::Int
            }
            Value::Decimal(number) => {
                self.decimals[at] = number;
                Kind::Decimal
            }
            Value::Bool(truth) => {
                self.numbers[at] = i64::from(truth);
                Kind::Bool
            }
            Value::Timestamp(ns) => {
                self.numbers[at] = ns;
                Kind::Timestamp
            }
            Value::Duration(ns) => {
                self.numbers[at] = ns;
                Kind::Duration
            }
            value => {
                self.values[at] = value;
                Kind::Value
            }
        };
    }

    /// One register's value also in another.
    #[inline(always)]
    pub(super) fn copy(&mut self, from: Register, to: Register) {
        let (from, to) = (usize::from(from), usize::from(to));
        self.kinds[to] = self.kinds[from];
        match self.kinds[from] {
            Kind::Missing => {}
            Kind::Text | Kind::Json => self.texts[to] = self.texts[from],
            Kind::Decimal => self.decimals[to] = self.decimals[from],
            Kind::Value => self.values[to] = self.values[from],
            _ => self.numbers[to] = self.numbers[from],
        }
    }
}
