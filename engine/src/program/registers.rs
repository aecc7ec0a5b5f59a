//! The registers of a program: a column of values each, one for each record of the batch.
//!
//! What a register's values are is known when the program is made, so each kind of value has an array of its own, and
//! none is wrapped in a [`Value`] unless an operation needs that. Which records have a value, and in which it is invalid,
//! are words of a bit for each; truth values are nothing but such a word.

use std::ops::Range;

use bumpalo::Bump;

use super::Register;
use crate::builtins;
use crate::convert;
use crate::decimal::Decimal;
use crate::plan::Constant;
use crate::rows::{Rows, row_bit, rows_in};
use crate::types::Type;
use crate::value::{Fault, Value};

/// What the values of a register are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Never there.
    Nothing,
    Text,
    Int,
    Decimal,
    Bool,
    Timestamp,
    Duration,
    /// Addresses, as their canonical text.
    Ip,
    /// Anything else, or now this and now that.
    Any,
}

/// Where the values of a register are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) shape: Shape,
    /// Which of the columns of that shape.
    column: u16,
}

impl Shape {
    pub(super) fn of(ty: Type) -> Self {
        match ty {
            Type::Text => Self::Text,
            Type::Int => Self::Int,
            Type::Decimal => Self::Decimal,
            Type::Bool => Self::Bool,
            Type::Timestamp => Self::Timestamp,
            Type::Duration => Self::Duration,
            Type::Ip => Self::Ip,
            _ => Self::Any,
        }
    }

    pub(super) fn of_constant(constant: &Constant) -> Self {
        match constant {
            Constant::Missing => Self::Nothing,
            Constant::Text(_) => Self::Text,
            Constant::Int(_) => Self::Int,
            Constant::Decimal(_) => Self::Decimal,
            Constant::Bool(_) => Self::Bool,
            Constant::Duration(_) => Self::Duration,
            Constant::Timestamp(_) => Self::Timestamp,
            Constant::Ip(_) => Self::Ip,
        }
    }

    /// What a function gives.
    pub(super) fn of_result(name: &str) -> Self {
        match builtins::find(name).map(|builtin| &builtin.result) {
            Some(builtins::ResultType::Fixed(ty)) => Self::of(*ty),
            _ => Self::Any,
        }
    }

    /// Of a value that is now the one and now the other.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, shape) | (shape, Self::Nothing) => shape,
            (one, other) if one == other => one,
            _ => Self::Any,
        }
    }
}

/// How many columns there are.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Columns {
    texts: u16,
    numbers: u16,
    decimals: u16,
    truths: u16,
    values: u16,
}

impl Columns {
    /// A new one.
    pub(super) fn add(&mut self, shape: Shape) -> Place {
        let columns = match shape {
            Shape::Nothing => return Place { shape, column: 0 },
            Shape::Text | Shape::Ip => &mut self.texts,
            Shape::Int | Shape::Timestamp | Shape::Duration => &mut self.numbers,
            Shape::Decimal => &mut self.decimals,
            Shape::Bool => &mut self.truths,
            Shape::Any => &mut self.values,
        };
        *columns += 1;
        Place { shape, column: *columns - 1 }
    }
}

/// The columns of a batch.
pub(super) struct Registers<'a> {
    rows: usize,
    arena: &'a Bump,
    places: &'a [Place],
    there: &'a mut [Rows],
    invalid: &'a mut [Rows],
    texts: &'a mut [&'a str],
    numbers: &'a mut [i64],
    decimals: &'a mut [Decimal],
    truths: &'a mut [Rows],
    values: &'a mut [Value<'a>],
}

impl<'a> Registers<'a> {
    /// All missing.
    pub(super) fn new(rows: usize, places: &'a [Place], columns: Columns, arena: &'a Bump) -> Self {
        let cells = |columns: u16| usize::from(columns) * rows;
        Self {
            rows,
            arena,
            places,
            there: arena.alloc_slice_fill_copy(places.len(), 0),
            invalid: arena.alloc_slice_fill_copy(places.len(), 0),
            texts: arena.alloc_slice_fill_copy(cells(columns.texts), ""),
            numbers: arena.alloc_slice_fill_copy(cells(columns.numbers), 0),
            decimals: arena.alloc_slice_fill_copy(cells(columns.decimals), Decimal::ZERO),
            truths: arena.alloc_slice_fill_copy(columns.truths.into(), 0),
            values: arena.alloc_slice_fill_copy(cells(columns.values), Value::Missing),
        }
    }

    pub(super) fn shape(&self, register: Register) -> Shape {
        self.places[usize::from(register)].shape
    }

    pub(super) fn place(&self, register: Register) -> Place {
        self.places[usize::from(register)]
    }

    /// The records that have a value.
    #[inline(always)]
    pub(super) fn there(&self, register: Register) -> Rows {
        self.there[usize::from(register)]
    }

    /// Those in which it is invalid.
    #[inline(always)]
    pub(super) fn invalid(&self, register: Register) -> Rows {
        self.invalid[usize::from(register)]
    }

    /// Those in which it is neither.
    #[inline(always)]
    pub(super) fn missing(&self, register: Register) -> Rows {
        !(self.there(register) | self.invalid(register))
    }

    /// Those in which it is true.
    #[inline(always)]
    pub(super) fn truths(&self, register: Register) -> Rows {
        let Place { shape, column } = self.places[usize::from(register)];
        match shape {
            Shape::Bool => self.there(register) & self.truths[usize::from(column)],
            Shape::Any => rows_in(self.there(register))
                .filter(|row| self.get(register, *row) == Value::Bool(true))
                .fold(0, |rows, row| rows | row_bit(row)),
            _ => 0,
        }
    }

    /// Says of some records whether they have a value. The values are set by others.
    #[inline(always)]
    pub(super) fn settle(&mut self, register: Register, of: Rows, there: Rows, invalid: Rows) {
        let at = usize::from(register);
        self.there[at] = (self.there[at] & !of) | (there & of);
        self.invalid[at] = (self.invalid[at] & !of) | (invalid & of);
    }

    /// The cells of a column, by row.
    #[inline(always)]
    fn cells(&self, register: Register) -> Range<usize> {
        let start = usize::from(self.places[usize::from(register)].column) * self.rows;
        start..start + self.rows
    }

    /// The texts of a register of texts or addresses.
    #[inline(always)]
    pub(super) fn texts(&self, register: Register) -> &[&'a str] {
        &self.texts[self.cells(register)]
    }

    #[inline(always)]
    pub(super) fn texts_mut(&mut self, register: Register) -> &mut [&'a str] {
        let cells = self.cells(register);
        &mut self.texts[cells]
    }

    /// The numbers of a register of whole numbers, instants or durations.
    #[inline(always)]
    pub(super) fn numbers(&self, register: Register) -> &[i64] {
        &self.numbers[self.cells(register)]
    }

    #[inline(always)]
    pub(super) fn numbers_mut(&mut self, register: Register) -> &mut [i64] {
        let cells = self.cells(register);
        &mut self.numbers[cells]
    }

    #[inline(always)]
    pub(super) fn decimals(&self, register: Register) -> &[Decimal] {
        &self.decimals[self.cells(register)]
    }

    #[inline(always)]
    pub(super) fn decimals_mut(&mut self, register: Register) -> &mut [Decimal] {
        let cells = self.cells(register);
        &mut self.decimals[cells]
    }

    #[inline(always)]
    fn cell(&self, register: Register, row: usize) -> usize {
        usize::from(self.places[usize::from(register)].column) * self.rows + row
    }

    /// The text of one record.
    #[inline(always)]
    pub(super) fn text(&self, register: Register, row: usize) -> &'a str {
        self.texts[self.cell(register, row)]
    }

    /// The number of one record.
    #[inline(always)]
    pub(super) fn number(&self, register: Register, row: usize) -> i64 {
        self.numbers[self.cell(register, row)]
    }

    /// The decimal of one record.
    #[inline(always)]
    pub(super) fn decimal(&self, register: Register, row: usize) -> Decimal {
        self.decimals[self.cell(register, row)]
    }

    /// The numbers of two registers, and those of one made after them.
    #[inline(always)]
    pub(super) fn numbers_from(
        &mut self,
        from: [Register; 2],
        to: Register,
    ) -> ([&[i64]; 2], &mut [i64]) {
        let (from, to) = (from.map(|from| self.cells(from)), self.cells(to));
        apart(self.numbers, from, to)
    }

    /// The texts of a register, and those of one made after it.
    #[inline(always)]
    pub(super) fn texts_from(
        &mut self,
        from: Register,
        to: Register,
    ) -> (&[&'a str], &mut [&'a str]) {
        let (from, to) = (self.cells(from), self.cells(to));
        let ([from], to) = apart(self.texts, [from], to);
        (from, to)
    }

    /// The number of one record, a whole one or a decimal.
    #[inline(always)]
    pub(super) fn as_decimal(&self, register: Register, row: usize) -> Decimal {
        match self.shape(register) {
            Shape::Decimal => self.decimal(register, row),
            _ => Decimal::from_i64(self.number(register, row)),
        }
    }

    /// Sets the truth of some records, which all have one.
    #[inline(always)]
    pub(super) fn set_truths(&mut self, register: Register, of: Rows, truths: Rows) {
        let at = usize::from(self.places[usize::from(register)].column);
        self.truths[at] = (self.truths[at] & !of) | (truths & of);
    }

    /// A register's value. Why it is invalid is not told.
    pub(super) fn get(&self, register: Register, row: usize) -> Value<'a> {
        static INVALID: Fault<'static> = Fault { wanted: "a value", text: None };
        if self.invalid(register) & row_bit(row) != 0 {
            return Value::Invalid(&INVALID);
        }
        if self.there(register) & row_bit(row) == 0 {
            return Value::Missing;
        }
        let Place { shape, column } = self.places[usize::from(register)];
        let cell = usize::from(column) * self.rows + row;
        match shape {
            Shape::Nothing => Value::Missing,
            Shape::Text => Value::Text(self.texts[cell]),
            Shape::Int => Value::Int(self.numbers[cell]),
            Shape::Decimal => Value::Decimal(self.decimals[cell]),
            Shape::Bool => Value::Bool(self.truths[usize::from(column)] & row_bit(row) != 0),
            Shape::Timestamp => Value::Timestamp(self.numbers[cell]),
            Shape::Duration => Value::Duration(self.numbers[cell]),
            Shape::Ip => match self.texts[cell].parse() {
                Ok(address) => Value::Ip(address),
                Err(_) => Value::Invalid(&INVALID),
            },
            Shape::Any => self.values[cell],
        }
    }

    /// Sets a register's value. False if it is not of the register's shape, and has been left as it was.
    pub(super) fn set(&mut self, register: Register, row: usize, value: Value<'a>) -> bool {
        let Place { shape, column } = self.places[usize::from(register)];
        let cell = usize::from(column) * self.rows + row;
        match (shape, value) {
            (_, Value::Missing) => {
                self.settle(register, row_bit(row), 0, 0);
                return true;
            }
            (_, Value::Invalid(_)) => {
                self.settle(register, row_bit(row), 0, !0);
                return true;
            }
            (Shape::Text, Value::Text(text)) => self.texts[cell] = text,
            (Shape::Int, Value::Int(number))
            | (Shape::Timestamp, Value::Timestamp(number))
            | (Shape::Duration, Value::Duration(number)) => self.numbers[cell] = number,
            (Shape::Decimal, Value::Decimal(number)) => self.decimals[cell] = number,
            (Shape::Bool, Value::Bool(truth)) => {
                self.set_truths(register, row_bit(row), if truth { !0 } else { 0 });
            }
            (Shape::Ip, Value::Ip(_)) => match convert::text_of(value, self.arena) {
                Value::Text(text) => self.texts[cell] = text,
                _ => return false,
            },
            (Shape::Any, value) => self.values[cell] = value,
            _ => return false,
        }
        self.settle(register, row_bit(row), !0, 0);
        true
    }

    /// Sets a register's value for all records.
    pub(super) fn fill(&mut self, register: Register, value: Value<'a>) {
        match value {
            Value::Text(text) => self.texts_mut(register).fill(text),
            Value::Int(number) | Value::Timestamp(number) | Value::Duration(number) => {
                self.numbers_mut(register).fill(number);
            }
            Value::Decimal(number) => self.decimals_mut(register).fill(number),
            _ => {
                for row in 0..self.rows {
                    self.set(register, row, value);
                }
                return;
            }
        }
        self.settle(register, !0, !0, 0);
    }

    /// The values of some records also in another register. Both are of the same shape, or the other is of any.
    pub(super) fn copy(&mut self, from: Register, to: Register, of: Rows) {
        let (there, invalid) = (self.there(from) & of, self.invalid(from) & of);
        let (place, target) = (self.places[usize::from(from)], self.places[usize::from(to)]);
        if (place.shape, place.column) == (target.shape, target.column) {
            // They share their values.
            return self.settle(to, of, there, invalid);
        }
        if place.shape != target.shape {
            for row in rows_in(there | invalid) {
                self.set(to, row, self.get(from, row));
            }
            self.settle(to, of & !(there | invalid), 0, 0);
            return;
        }
        let (source, cells) = (self.cells(from), self.cells(to).start);
        // Where nothing has a value yet, anything may stand.
        let rows = if self.missing(to) == !0 { None } else { Some(there) };
        match place.shape {
            Shape::Nothing => {}
            Shape::Text | Shape::Ip => copy_cells(self.texts, source, cells, rows),
            Shape::Int | Shape::Timestamp | Shape::Duration => {
                copy_cells(self.numbers, source, cells, rows);
            }
            Shape::Decimal => copy_cells(self.decimals, source, cells, rows),
            Shape::Bool => self.set_truths(to, of, self.truths[usize::from(place.column)]),
            Shape::Any => copy_cells(self.values, source, cells, rows),
        }
        self.settle(to, of, there, invalid);
    }
}

/// Some columns, and one that stands behind them to be written.
#[inline(always)]
fn apart<T, const N: usize>(
    columns: &mut [T],
    from: [Range<usize>; N],
    to: Range<usize>,
) -> ([&[T]; N], &mut [T]) {
    let (before, behind) = columns.split_at_mut(to.start);
    (from.map(|cells| &before[cells]), &mut behind[..to.len()])
}

/// Copies the cells of some rows, or all.
#[inline(always)]
fn copy_cells<T: Copy>(columns: &mut [T], from: Range<usize>, to: usize, rows: Option<Rows>) {
    match rows {
        None => columns.copy_within(from, to),
        Some(rows) => rows_in(rows).for_each(|row| columns[to + row] = columns[from.start + row]),
    }
}
