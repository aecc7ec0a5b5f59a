//! The operations on values.

use std::ops::Range;

use bumpalo::Bump;
use regex::Regex;

use super::digits::{NumberBuffer, write_decimal, write_int};
use super::ends::Ends;
use super::letters::lower_all;
use super::readers::Numbers;
use super::registers::{Registers, Shape};
use super::runs::{Matching, Runs};
use super::{Instead, Is, Kind, LineOutcome, Register, Run, Walker, Without, readers};
use crate::convert;
use crate::decimal::Decimal;
use crate::emit::fit::{EVENT_TIME_NS, Fitted, fit, is_within, is_within_but_for_pattern};
use crate::eval::{arithmetic, choose, compare, constant_value};
use crate::plan::{Arithmetic, CallMissing, Check, Comparison, Expr, ExprId, Outcome, Slot};
use crate::project::string;
use crate::rows::{Rows, row_bit, rows_in};
use crate::simd::Level;
use crate::types::{NumberFormat, Type};
use crate::value::Value;

impl<'a> Run<'a, '_> {
    /// Does operations for some records, one behind the other.
    pub(super) fn operate(&mut self, operations: &Range<usize>, of: Rows, walker: &mut Walker<'_>) {
        let program = self.program;
        let mut at = operations.start;
        while at < operations.end {
            let operation = &program.operations[at];
            at += 1;
            let of = of & !self.aside;
            if let Kind::Within(register, is, count) = operation.kind {
                let inside = of & self.rows_where(register, is);
                if inside != 0 {
                    self.operate(&(at..at + count), inside, walker);
                }
                at += count;
            } else {
                self.operation(operation.to, &operation.kind, of, walker);
            }
        }
    }

    fn rows_where(&self, register: Register, is: Is) -> Rows {
        let registers = &self.registers;
        match is {
            Is::Missing => registers.missing(register),
            Is::True => registers.truths(register),
            Is::False => !registers.invalid(register) & !registers.truths(register),
            Is::Number(number) => match registers.shape(register) {
                Shape::Int => {
                    let numbers = registers.numbers(register);
                    rows_in(registers.there(register))
                        .filter(|row| numbers[*row] == number)
                        .fold(0, |rows, row| rows | row_bit(row))
                }
                _ => registers.there(register),
            },
        }
    }

    fn operation(&mut self, to: Register, kind: &'a Kind, of: Rows, walker: &mut Walker<'_>) {
        match kind {
            Kind::ReadText(slot) => self.read_text(to, *slot, false, of),
            Kind::ReadInt(slot, call) => self.read_int(to, *slot, *call, of),
            Kind::ReadDecimal(slot, call) => self.read_decimal(to, *slot, *call, of),
            Kind::Read(slot, ty) => {
                self.each(to, of, |run, row| run.read(*slot, *ty, row));
            }
            Kind::ReadString(Slot::Scope(0, slot)) => self.read_text(to, *slot, true, of),
            Kind::ReadString(slot) => self.each(to, of, |run, row| run.read_string(*slot, row)),
            Kind::Timestamp(from) => self.timestamp(to, *from, of),
            Kind::Lower(from) => self.lower(to, *from, of),
            Kind::Ip(from) => self.ip(to, *from, of),
            Kind::ToDecimal(from) => {
                for row in rows_in(of & self.registers.there(*from)) {
                    let number = Decimal::from_i64(self.registers.numbers(*from)[row]);
                    self.registers.decimals_mut(to)[row] = number;
                }
                self.same_rows(to, *from, of);
            }
            Kind::NumberText(from) => self.number_text(to, *from, of),
            Kind::Walk(expr, columns) => {
                self.each(to, of, |run, row| run.walk(*expr, columns, row, walker));
            }
            Kind::Concat(parts) => self.each(to, of, |run, row| run.concat(parts, row)),
            Kind::Not(operand) => {
                let truths = self.registers.truths(*operand);
                let invalid = self.registers.invalid(*operand);
                self.set_truths(to, of, !truths, invalid);
            }
            Kind::Negate(operand) => self.each(to, of, |run, row| {
                arithmetic::negate(run.registers.get(*operand, row), run.arena)
            }),
            Kind::AndOr { left, right, decided_by } => {
                let [one, other] = [*left, *right].map(|side| self.registers.truths(side));
                let decided = if *decided_by { one } else { !one };
                let invalid =
                    self.registers.invalid(*left) | (!decided & self.registers.invalid(*right));
                self.set_truths(
                    to,
                    of,
                    if *decided_by { one | other } else { one & other },
                    invalid,
                );
            }
            Kind::Compare(comparison, left, right) => {
                self.compare(to, *comparison, *left, *right, of);
            }
            Kind::In(subject, expr) => {
                self.each(to, of, |run, row| run.is_in(*subject, *expr, row))
            }
            Kind::InTexts(subject, expr) => {
                self.each(to, of, |run, row| run.is_text_in(*subject, *expr, row));
            }
            Kind::Matches(subject, expr, Some(runs)) => {
                self.match_runs(to, *subject, *expr, runs, of);
            }
            Kind::Matches(subject, expr, None) => {
                self.each(to, of, |run, row| run.matches(*subject, *expr, row));
            }
            Kind::Arithmetic(operation, left, right) => {
                self.compute(to, *operation, [*left, *right], of);
            }
            Kind::Is(outcome, negated, subject) => {
                let rows = match outcome {
                    Outcome::Missing => self.registers.missing(*subject),
                    Outcome::Present => !self.registers.missing(*subject),
                    Outcome::Invalid => self.registers.invalid(*subject),
                };
                self.set_truths(to, of, if *negated { !rows } else { rows }, 0);
            }
            Kind::Times(whole, decimal) => {
                self.decimals(to, [*whole, *decimal], of, |registers, row| {
                    registers.decimals(*decimal)[row].checked_times(registers.numbers(*whole)[row])
                });
            }
            Kind::DivideBy(decimal, whole) => {
                self.decimals(to, [*decimal; 2], of, |registers, row| {
                    Some(registers.decimals(*decimal)[row].divided_by(*whole))
                });
            }
            Kind::Choose(subject, choice) => self.choose_by_text(to, *subject, choice, of),
            Kind::Match(subject, expr) => {
                self.each(to, of, |run, row| run.choose(*subject, *expr, row, walker));
            }
            Kind::Cell { table, key, column } => {
                self.each(to, of, |run, row| run.cell(*table, *key, *column, row, walker));
            }
            Kind::Convert(operand, ty) => self.each(to, of, |run, row| {
                let value = run.registers.get(*operand, row);
                convert::convert(value, *ty, run.context.plan.numbers, run.arena)
            }),
            Kind::Call(expr, args) => self.each(to, of, |run, row| run.call(*expr, args, row)),
            Kind::Copy(from) => self.registers.copy(*from, to, of),
            Kind::Coalesce(left, right) => {
                let missing = self.registers.missing(*left);
                self.registers.copy(*left, to, of & !missing);
                self.registers.copy(*right, to, of & missing);
            }
            Kind::Select { condition, then, otherwise } => {
                let (yes, no) = (Is::True, Is::False);
                let [yes, no] = [yes, no].map(|is| of & self.rows_where(*condition, is));
                self.registers.settle(to, of & !yes & !no, 0, !0);
                self.registers.copy(*then, to, yes);
                self.registers.copy(*otherwise, to, no);
            }
            Kind::Fit { from, check, empty_is_missing } => {
                self.fit(to, *from, *check, *empty_is_missing, of);
            }
            Kind::Settle { from, line, without } => {
                self.settle(to, *from, *line, *without, of);
            }
            Kind::SettleHandled { first, handled, line, without } => {
                let missing = of & self.registers.missing(*first);
                self.settle(to, *first, *line, *without, of & !missing);
                self.settle_handled(to, *handled, *line, *without, missing);
            }
            // Done by `operate`.
            Kind::Within(..) => {}
        }
    }

    /// Evaluates an operation for one record after the other.
    #[inline(always)]
    fn each(
        &mut self,
        to: Register,
        of: Rows,
        mut value: impl FnMut(&mut Self, usize) -> Value<'a>,
    ) {
        for row in rows_in(of) {
            let value = value(self, row);
            if !self.registers.set(to, row, value) {
                // It is no such value as the program was made for.
                self.aside |= row_bit(row);
            }
        }
    }

    #[inline(always)]
    fn set_truths(&mut self, to: Register, of: Rows, truths: Rows, invalid: Rows) {
        self.registers.set_truths(to, of, truths);
        self.registers.settle(to, of, !invalid, invalid);
    }

    /// A register has a value where another has.
    #[inline(always)]
    fn same_rows(&mut self, to: Register, from: Register, of: Rows) {
        let (there, invalid) = (self.registers.there(from), self.registers.invalid(from));
        self.registers.settle(to, of, there, invalid);
    }

    /// Reads texts; `strings` only those that are strings.
    fn read_text(&mut self, to: Register, slot: u16, strings: bool, of: Rows) {
        let content = self.context.layout.record_content();
        let there = self.found.there(slot) & of;
        let plain = self.found.plain(slot) & there;
        let texts = self.registers.texts_mut(to);
        texts.copy_from_slice(self.found.texts(slot));
        let missing = if content.empty_is_missing { rows_of_empty(texts) } else { 0 };
        self.registers.settle(to, of, plain & !missing, 0);
        for row in rows_in(there & !plain) {
            let text = self.found.texts(slot)[row];
            if let Some(text) = said(text, self.arena) {
                self.registers.texts_mut(to)[row] = text;
                self.registers.settle(to, row_bit(row), !0, 0);
                continue;
            }
            let is_number =
                !text.starts_with('"') && readers::int(Ends::of(text.as_bytes())).is_some();
            let value = match (is_number, strings) {
                (false, false) => self.read(Slot::Scope(0, slot), Type::Text, row),
                (false, true) => self.read_string(Slot::Scope(0, slot), row),
                (true, false) => Value::Text(text),
                (true, true) => Value::Missing,
            };
            if !self.registers.set(to, row, value) {
                self.aside |= row_bit(row);
            }
        }
    }

    fn read_int(&mut self, to: Register, slot: u16, call: ExprId, of: Rows) {
        let (of, texts) = (self.found.there(slot) & of, self.found.texts(slot));
        let numbers = self.registers.numbers_mut(to);
        let read = self.level.run(Numbers { texts, of, read: readers::int, numbers });
        self.read_others(to, slot, call, of, read);
    }

    fn read_decimal(&mut self, to: Register, slot: u16, call: ExprId, of: Rows) {
        let (there, texts) = (self.found.there(slot) & of, self.found.texts(slot));
        // Otherwise a point may be anything.
        let usual = self.context.layout.record_content().numbers == NumberFormat::default();
        let of = if usual { there } else { 0 };
        let numbers = self.registers.decimals_mut(to);
        let read = self.level.run(Numbers { texts, of, read: readers::decimal, numbers });
        self.read_others(to, slot, call, there, read);
    }

    /// What a function of one text makes of the texts of a slot that were not read.
    fn read_others(&mut self, to: Register, slot: u16, call: ExprId, of: Rows, read: Rows) {
        self.registers.settle(to, of, !0, 0);
        for row in rows_in(of & !read) {
            self.called_on_slot(to, slot, call, row);
        }
    }

    /// What a function of one text makes of the text of a slot.
    fn called_on_slot(&mut self, to: Register, slot: u16, call: ExprId, row: usize) {
        let value = match self.read(Slot::Scope(0, slot), Type::Text, row) {
            text @ Value::Text(_) => self.called(call, &[text], row),
            none => none,
        };
        if !self.registers.set(to, row, value) {
            self.aside |= row_bit(row);
        }
    }

    fn slot(&self, slot: Slot, row: usize) -> Option<&'a str> {
        let text = match slot {
            Slot::Scope(0, slot) => self.found.get(slot, row)?,
            Slot::Choice(choice) => {
                let ways = &self.context.plan.choices[usize::from(choice)];
                let (_, value) = ways.iter().find(|(probe, _)| self.slot(*probe, row).is_some())?;
                return self.slot(*value, row);
            }
            Slot::Scope(..) | Slot::Wrapper(_) | Slot::WrapperPart(..) => return None,
        };
        self.context.layout.record_content().present(text).then_some(text)
    }

    fn read(&self, slot: Slot, ty: Type, row: usize) -> Value<'a> {
        let content = self.context.layout.record_content();
        self.slot(slot, row).map_or(Value::Missing, |text| content.read(text, ty, self.arena))
    }

    fn read_string(&self, slot: Slot, row: usize) -> Value<'a> {
        let content = self.context.layout.record_content();
        self.slot(slot, row).map_or(Value::Missing, |text| content.read_string(text, self.arena))
    }

    fn timestamp(&mut self, to: Register, from: Register, of: Rows) {
        let there = of & self.registers.there(from);
        let mut invalid = of & self.registers.invalid(from);
        for row in rows_in(there) {
            let text = self.registers.texts(from)[row];
            let ns = self.clock.read(text.as_bytes()).or_else(|| crate::read::timestamp(text));
            match ns {
                Some(ns) => self.registers.numbers_mut(to)[row] = ns,
                None => invalid |= row_bit(row),
            }
        }
        self.registers.settle(to, of, there & !invalid, invalid);
    }

    fn lower(&mut self, to: Register, from: Register, of: Rows) {
        let registers = &mut self.registers;
        let there = of & registers.there(from);
        let (texts, small) = registers.texts_from(from, to);
        lower_all(self.level, texts, there, small, self.arena);
        let empty = unfit(there, |row| !texts[row].is_empty());
        self.same_rows(to, from, of);
        if self.context.plan.input.empty_is_missing {
            self.registers.settle(to, empty, 0, 0);
        }
    }

    fn ip(&mut self, to: Register, from: Register, of: Rows) {
        let there = of & self.registers.there(from);
        let (texts, addresses) = self.registers.texts_from(from, to);
        let canonical = readers::canonical_ipv4s(self.level, texts, there);
        addresses.copy_from_slice(texts);
        self.same_rows(to, from, of);
        for row in rows_in(there & !canonical) {
            let text = Value::Text(self.registers.text(from, row));
            let address = convert::convert(text, Type::Ip, NumberFormat::default(), self.arena);
            self.registers.set(to, row, address);
        }
    }

    fn number_text(&mut self, to: Register, from: Register, of: Rows) {
        for row in rows_in(of & self.registers.there(from)) {
            let mut buffer = NumberBuffer::default();
            match self.registers.shape(from) {
                Shape::Decimal => write_decimal(self.registers.decimals(from)[row], &mut buffer),
                _ => write_int(self.registers.numbers(from)[row], &mut buffer),
            }
            // They are digits and signs.
            let text = self.arena.alloc_slice_copy(buffer.text());
            let text = std::str::from_utf8(text).unwrap_or_default();
            self.registers.texts_mut(to)[row] = text;
        }
        self.same_rows(to, from, of);
    }

    /// Computes with numbers or times.
    fn compute(&mut self, to: Register, operation: Arithmetic, sides: [Register; 2], of: Rows) {
        let [left, right] = sides;
        let shapes = sides.map(|side| self.registers.shape(side));
        match (operation, shapes) {
            (Arithmetic::Add, [Shape::Int, Shape::Int]) => {
                self.ints(to, sides, of, i64::overflowing_add);
            }
            (Arithmetic::Subtract, [Shape::Int, Shape::Int]) => {
                self.ints(to, sides, of, i64::overflowing_sub);
            }
            (Arithmetic::Multiply, [Shape::Int, Shape::Int]) => {
                self.ints(to, sides, of, i64::overflowing_mul);
            }
            (_, [Shape::Int | Shape::Decimal, Shape::Int | Shape::Decimal]) => {
                let compute = match operation {
                    Arithmetic::Add => Decimal::checked_add,
                    Arithmetic::Subtract => Decimal::checked_sub,
                    Arithmetic::Multiply => Decimal::checked_mul,
                    Arithmetic::Divide => Decimal::checked_div,
                };
                self.decimals(to, sides, of, |registers, row| {
                    compute(registers.as_decimal(left, row), registers.as_decimal(right, row))
                });
            }
            _ => self.each(to, of, |run, row| {
                let [left, right] = sides.map(|side| run.registers.get(side, row));
                arithmetic::compute(operation, left, right, run.arena)
            }),
        }
    }

    /// Computes whole numbers. One that overflows is invalid.
    #[inline(always)]
    fn ints(
        &mut self,
        to: Register,
        sides: [Register; 2],
        of: Rows,
        compute: impl Fn(i64, i64) -> (i64, bool),
    ) {
        let registers = &mut self.registers;
        let [left, right] = sides;
        let invalid = registers.invalid(left) | registers.invalid(right);
        let both = registers.there(left) & registers.there(right);
        let ([left, right], results) = registers.numbers_from(sides, to);
        let mut too_large = 0;
        for (row, (result, (left, right))) in
            results.iter_mut().zip(left.iter().zip(right)).enumerate()
        {
            let (number, overflows) = compute(*left, *right);
            *result = number;
            too_large |= u64::from(overflows) << row;
        }
        let invalid = invalid | (too_large & both);
        registers.settle(to, of, both & !invalid, invalid);
    }

    /// Computes decimals. None is one that does not fit.
    #[inline(always)]
    fn decimals(
        &mut self,
        to: Register,
        [left, right]: [Register; 2],
        of: Rows,
        compute: impl Fn(&Registers<'a>, usize) -> Option<Decimal>,
    ) {
        let registers = &mut self.registers;
        let mut invalid = (registers.invalid(left) | registers.invalid(right)) & of;
        let both = registers.there(left) & registers.there(right) & of;
        for row in rows_in(both) {
            match compute(registers, row) {
                Some(number) => registers.decimals_mut(to)[row] = number,
                None => invalid |= row_bit(row),
            }
        }
        registers.settle(to, of, both & !invalid, invalid);
    }

    fn concat(&self, parts: &Range<usize>, row: usize) -> Value<'a> {
        let mut text = bumpalo::collections::String::new_in(self.arena);
        let mut missing = false;
        for part in &self.program.operands[parts.clone()] {
            match convert::text_of(self.registers.get(*part, row), self.arena) {
                Value::Text(part) => text.push_str(part),
                invalid @ Value::Invalid(_) => return invalid,
                _ => missing = true,
            }
        }
        if missing { Value::Missing } else { self.non_empty(text.into_bump_str()) }
    }

    fn non_empty(&self, text: &'a str) -> Value<'a> {
        if text.is_empty() && self.context.plan.input.empty_is_missing {
            Value::Missing
        } else {
            Value::Text(text)
        }
    }

    fn compare(
        &mut self,
        to: Register,
        comparison: Comparison,
        left: Register,
        right: Register,
        of: Rows,
    ) {
        let registers = &self.registers;
        let invalid = registers.invalid(left) | registers.invalid(right);
        let both = registers.there(left) & registers.there(right) & of;
        let holds = match (registers.shape(left), registers.shape(right)) {
            (Shape::Text, Shape::Text) => self.comparing_texts(comparison, [left, right], both),
            (Shape::Int, Shape::Int) => {
                holding(comparison, registers.numbers(left), registers.numbers(right), both)
            }
            (Shape::Decimal, Shape::Decimal) => {
                holding(comparison, registers.decimals(left), registers.decimals(right), both)
            }
            _ => None,
        };
        let Some(holds) = holds else {
            return self.each(to, of, |run, row| {
                let [left, right] = [left, right].map(|side| run.registers.get(side, row));
                compare::compare(comparison, left, right)
            });
        };
        // Beside something missing only `!=` holds.
        let missing = if comparison == Comparison::NotEqual { !both } else { 0 };
        self.set_truths(to, of, holds | missing, invalid);
    }

    /// The records in which a comparison of texts holds.
    fn comparing_texts(
        &self,
        comparison: Comparison,
        sides: [Register; 2],
        of: Rows,
    ) -> Option<Rows> {
        let [left, right] = sides.map(|side| self.registers.texts(side));
        if !matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
            return holding(comparison, left, right, of);
        }
        let is_same = |row: usize| {
            let [one, other] = [left[row], right[row]];
            one.len() == other.len()
                && Ends::of(one.as_bytes()) == Ends::of(other.as_bytes())
                && (one.len() <= Ends::WHOLE_MAX || one == other)
        };
        let unequal = unfit(of, is_same);
        Some(if comparison == Comparison::Equal { of & !unequal } else { unequal })
    }

    fn is_in(&self, subject: Register, expr: ExprId, row: usize) -> Value<'a> {
        match &self.context.plan.exprs[expr as usize] {
            Expr::In(_, constants) => compare::is_in(self.registers.get(subject, row), constants),
            _ => Value::Missing,
        }
    }

    fn is_text_in(&self, subject: Register, expr: ExprId, row: usize) -> Value<'a> {
        match &self.context.plan.exprs[expr as usize] {
            Expr::InTexts(_, texts) => compare::is_text_in(self.registers.get(subject, row), texts),
            _ => Value::Missing,
        }
    }

    fn matches(&self, subject: Register, expr: ExprId, row: usize) -> Value<'a> {
        match &self.context.plan.exprs[expr as usize] {
            Expr::Matches(_, pattern) => {
                compare::matches(self.registers.get(subject, row), pattern)
            }
            _ => Value::Missing,
        }
    }

    fn match_runs(&mut self, to: Register, subject: Register, expr: ExprId, runs: &Runs, of: Rows) {
        let Expr::Matches(_, pattern) = &self.context.plan.exprs[expr as usize] else { return };
        let (there, texts) = (of & self.registers.there(subject), self.registers.texts(subject));
        let matching = matching(self.level, runs, pattern, texts, there);
        let invalid = self.registers.invalid(subject);
        self.set_truths(to, of, matching, invalid);
    }

    fn choose(
        &self,
        subject: Register,
        expr: ExprId,
        row: usize,
        walker: &mut Walker<'_>,
    ) -> Value<'a> {
        let plan = self.context.plan;
        let Expr::Match(arms) = &plan.exprs[expr as usize] else { return Value::Missing };
        let subject = convert::text_of(self.registers.get(subject, row), self.arena);
        match choose::arm(expr, arms, subject, walker.tally) {
            Ok(arm) => match &plan.exprs[arm as usize] {
                Expr::Constant(constant) => constant_value(constant),
                _ => Value::Missing,
            },
            Err(invalid) => invalid,
        }
    }

    fn cell(
        &self,
        table: u16,
        key: Register,
        column: u16,
        row: usize,
        walker: &mut Walker<'_>,
    ) -> Value<'a> {
        let key = convert::text_of(self.registers.get(key, row), self.arena);
        choose::cell(self.context.plan, table, key, column, walker.tally)
    }

    fn call(&mut self, expr: ExprId, args: &Range<usize>, row: usize) -> Value<'a> {
        let args = &self.program.operands[args.clone()];
        let values = self.arena.alloc_slice_fill_copy(args.len(), Value::Missing);
        for (value, arg) in values.iter_mut().zip(args) {
            *value = self.registers.get(*arg, row);
        }
        self.called(expr, values, row)
    }

    /// What a function gives for these values.
    fn called(&mut self, expr: ExprId, values: &[Value<'a>], row: usize) -> Value<'a> {
        let (callee, missing) = match &self.context.plan.exprs[expr as usize] {
            Expr::Call(callee, _, missing) => (callee, missing),
            Expr::Convert(_, ty) => {
                let numbers = self.context.plan.numbers;
                return convert::convert(values[0], *ty, numbers, self.arena);
            }
            _ => return Value::Missing,
        };
        if let Some(invalid) = values.iter().find(|value| matches!(value, Value::Invalid(_))) {
            return *invalid;
        }
        if *missing == CallMissing::Propagate && values.contains(&Value::Missing) {
            return Value::Missing;
        }
        let (value, twice) = callee.code.call_noting_time(values, self.arena);
        if twice {
            // The walk stops at the first operand that is invalid, and may not have come to such a time.
            self.aside |= row_bit(row);
        }
        match value {
            Value::Text(text) => self.non_empty(text),
            value => value,
        }
    }

    fn fit(
        &mut self,
        to: Register,
        from: Register,
        check: usize,
        empty_is_missing: bool,
        of: Rows,
    ) {
        let (registers, program) = (&self.registers, self.program);
        let (check, runs) = (&program.checks[check], &program.runs[check]);
        let (there, mut invalid) = (registers.there(from) & of, registers.invalid(from) & of);
        let shape = registers.shape(from);
        let mut missing = 0;
        if shape == Shape::Text && empty_is_missing {
            let texts = registers.texts(from);
            missing = unfit(there, |row| !texts[row].is_empty());
        }
        if shape == Shape::Any || shape != registers.shape(to) {
            return self.each(to, of, |run, row| {
                let value = run.registers.get(from, row);
                if empty_is_missing && matches!(value, Value::Text("")) {
                    return Value::Missing;
                }
                match fit(check, value, run.arena) {
                    Fitted::Value(value) => value,
                    Fitted::Missing => Value::Missing,
                    Fitted::Invalid(_, fault) => Value::Invalid(fault),
                }
            });
        }
        // The values stay where they are.
        invalid |= there
            & match (check, shape) {
                (Check::LimitedText(limits), Shape::Text) => {
                    let texts = registers.texts(from);
                    match (runs, &limits.pattern) {
                        (Some(runs), Some(pattern)) => {
                            let fits = matching(self.level, runs, pattern, texts, there);
                            !fits
                                | unfit(there, |row| is_within_but_for_pattern(limits, texts[row]))
                        }
                        _ => unfit(there, |row| is_within(limits, texts[row])),
                    }
                }
                (Check::Int(low, high), Shape::Int) => {
                    let numbers = registers.numbers(from);
                    unfit(there, |row| (*low..=*high).contains(&numbers[row]))
                }
                (Check::Enum(listed), Shape::Int) => {
                    let numbers = registers.numbers(from);
                    unfit(there, |row| listed.contains(&numbers[row]))
                }
                (Check::EventTime, Shape::Timestamp) => {
                    let numbers = registers.numbers(from);
                    unfit(there, |row| EVENT_TIME_NS.contains(&numbers[row]))
                }
                (Check::DurationMillis(low, high), Shape::Duration) => {
                    let numbers = registers.numbers(from);
                    unfit(there, |row| (*low..=*high).contains(&numbers[row].div_euclid(1_000_000)))
                }
                _ => 0,
            };
        let (invalid, there) = (invalid & !missing, there & !missing & !invalid);
        self.registers.settle(to, of, there, invalid);
    }

    /// The final values of a line.
    fn settle(&mut self, to: Register, from: Register, line: usize, without: Without, of: Rows) {
        let there = of & self.registers.there(from);
        self.registers.copy(from, to, of);
        if there == of {
            return self.count_rows(line, LineOutcome::Value, there);
        }
        let (missing, invalid) =
            (of & self.registers.missing(from), of & self.registers.invalid(from));
        self.registers.settle(to, of, there, 0);
        self.count_rows(line, LineOutcome::Value, there);
        let outcomes = (LineOutcome::Missing, LineOutcome::MissingIsZero);
        self.instead(to, without.missing, line, outcomes, missing);
        let outcomes = (LineOutcome::Invalid, LineOutcome::InvalidIsZero);
        self.instead(to, without.invalid, line, outcomes, invalid);
    }

    /// What becomes of a line where it has no value.
    fn instead(
        &mut self,
        to: Register,
        instead: Instead,
        line: usize,
        (nothing, is_zero): (LineOutcome, LineOutcome),
        of: Rows,
    ) {
        match instead {
            _ if of == 0 => {}
            Instead::Aside => self.aside |= of,
            Instead::Nothing => self.count_rows(line, nothing, of),
            Instead::Zero(zero) => {
                self.registers.copy(zero, to, of);
                self.count_rows(line, is_zero, of);
            }
        }
    }

    fn settle_handled(
        &mut self,
        to: Register,
        handled: Register,
        line: usize,
        without: Without,
        of: Rows,
    ) {
        self.aside |= of & self.registers.invalid(handled);
        let there = of & self.registers.there(handled);
        self.registers.copy(handled, to, of);
        self.count_rows(line, LineOutcome::MissingIsHandled, there);
        let missing = of & self.registers.missing(handled);
        let outcomes = (LineOutcome::Missing, LineOutcome::MissingIsZero);
        self.instead(to, without.missing, line, outcomes, missing);
    }
}

/// The records for which a comparison holds. None if it is one of texts only.
#[inline(always)]
fn holding<T: PartialOrd>(
    comparison: Comparison,
    left: &[T],
    right: &[T],
    of: Rows,
) -> Option<Rows> {
    Some(match comparison {
        Comparison::Equal => filter(left, right, of, |left, right| left == right),
        Comparison::NotEqual => filter(left, right, of, |left, right| left != right),
        Comparison::Less => filter(left, right, of, |left, right| left < right),
        Comparison::LessEqual => filter(left, right, of, |left, right| left <= right),
        Comparison::Greater => filter(left, right, of, |left, right| left > right),
        Comparison::GreaterEqual => filter(left, right, of, |left, right| left >= right),
        Comparison::StartsWith | Comparison::EndsWith | Comparison::Contains => return None,
    })
}

#[inline(always)]
fn filter<T>(left: &[T], right: &[T], of: Rows, holds: impl Fn(&T, &T) -> bool) -> Rows {
    let pairs = left.iter().zip(right).enumerate();
    of & pairs.fold(0, |rows, (row, (left, right))| rows | u64::from(holds(left, right)) << row)
}

/// What a JSON string says, unless that is nothing.
fn said<'a>(text: &'a str, arena: &'a Bump) -> Option<&'a str> {
    let inside = text.strip_prefix('"')?.strip_suffix('"')?;
    if inside.is_empty() { None } else { string::unescape(inside, arena) }
}

#[inline(always)]
fn rows_of_empty(texts: &[&str]) -> Rows {
    let empty = texts.iter().map(|text| u64::from(text.is_empty()));
    empty.enumerate().fold(0, |rows, (row, empty)| rows | empty << row)
}

/// The records whose texts match.
fn matching(level: Level, runs: &Runs, pattern: &Regex, texts: &[&str], of: Rows) -> Rows {
    let Matching { matching, unknown } = runs.matching(level, texts, of);
    matching | (unknown & !unfit(unknown, |row| pattern.is_match(texts[row])))
}

/// The records that do not fit.
#[inline(always)]
fn unfit(of: Rows, fits: impl Fn(usize) -> bool) -> Rows {
    rows_in(of).fold(0, |rows, row| rows | u64::from(!fits(row)) << row)
}
