//! The operations on values.

use std::ops::Range;

use super::{Aside, Count, Instead, Is, Kind, LineOutcome, Register, Run, Without};
use crate::convert;
use crate::emit::fit::{Fitted, fit};
use crate::eval::{arithmetic, choose, column_index, compare, constant_value};
use crate::plan::{CallMissing, Column, Expr, ExprId, Outcome, Slot};
use crate::types::Type;
use crate::value::Value;

impl<'a> Run<'_, '_, 'a, '_> {
    /// Does operations, one behind the other.
    pub(super) fn operate(&mut self, operations: &Range<usize>) -> Result<(), Aside> {
        let program = self.program;
        let mut at = operations.start;
        while at < operations.end {
            let operation = &program.operations[at];
            at += 1;
            if let Kind::Unless(register, is, count) = operation.kind {
                if !self.is(register, is) {
                    at += count;
                }
                continue;
            }
            let to = operation.to;
            match &operation.kind {
                Kind::Copy(from) => self.registers.copy(*from, to),
                Kind::Coalesce(left, right) => {
                    let from = if self.registers.is_missing(*left) { right } else { left };
                    self.registers.copy(*from, to);
                }
                Kind::Select { condition, then, otherwise } => {
                    let from = match self.value(*condition) {
                        Value::Bool(true) => then,
                        Value::Invalid(_) => condition,
                        _ => otherwise,
                    };
                    self.registers.copy(*from, to);
                }
                Kind::Settle { from, line, without } => {
                    let from = self.settle(*from, *line, *without)?;
                    self.registers.copy(from, to);
                }
                Kind::SettleHandled { first, handled, line, without } => {
                    let from = self.settle_handled(*first, *handled, *line, *without)?;
                    self.registers.copy(from, to);
                }
                kind => {
                    let value = self.operation(to, kind);
                    self.registers.set(to, value);
                }
            }
        }
        Ok(())
    }

    fn is(&self, register: Register, is: Is) -> bool {
        match (self.value(register), is) {
            (Value::Missing, Is::Missing | Is::False) | (Value::Bool(true), Is::True) => true,
            (Value::Bool(truth), Is::False) => !truth,
            _ => false,
        }
    }

    #[inline(always)]
    fn operation(&mut self, to: Register, kind: &Kind) -> Value<'a> {
        match kind {
            Kind::ReadText(slot) => match self.machine.plain_text(*slot) {
                Some(text) => text,
                None => self.machine.read(Slot::Scope(0, *slot), Type::Text),
            },
            Kind::Read(slot, ty) => self.machine.read(*slot, *ty),
            Kind::ReadString(slot) => self.machine.read_string(*slot),
            Kind::Walk(expr) => self.machine.eval(*expr),
            Kind::Concat(parts) => self.concat(parts),
            Kind::Not(operand) => truth(self.value(*operand), |truth| !truth),
            Kind::Negate(operand) => arithmetic::negate(self.value(*operand), self.machine.arena),
            Kind::AndOr { left, right, decided_by } => {
                match truth(self.value(*left), |truth| truth) {
                    Value::Bool(truth) if truth != *decided_by => {
                        self::truth(self.value(*right), |truth| truth)
                    }
                    left => left,
                }
            }
            Kind::Compare(comparison, left, right) => {
                compare::compare(*comparison, self.value(*left), self.value(*right))
            }
            Kind::In(subject, expr) => self.is_in(*subject, *expr),
            Kind::InTexts(subject, expr) => self.is_text_in(*subject, *expr),
            Kind::Matches(subject, expr) => self.matches(*subject, *expr),
            Kind::Arithmetic(operation, left, right) => {
                let (left, right) = (self.value(*left), self.value(*right));
                arithmetic::compute(*operation, left, right, self.machine.arena)
            }
            Kind::Is(outcome, negated, subject) => {
                Value::Bool(is_outcome(self.value(*subject), *outcome) != *negated)
            }
            Kind::Choose(subject, expr) => self.choose(*subject, *expr),
            Kind::Cell { table, key, column } => {
                let key = convert::text_of(self.value(*key), self.machine.arena);
                self.machine.cell_of(*table, key, *column)
            }
            Kind::Convert(operand, ty) => {
                let numbers = self.machine.plan.numbers;
                convert::convert(self.value(*operand), *ty, numbers, self.machine.arena)
            }
            Kind::Call(expr, args) => self.call(*expr, args),
            Kind::Fit { from, check, empty_is_missing } => {
                self.fitted(*from, *check, *empty_is_missing)
            }
            Kind::Column(from) => {
                let value = self.value(*from);
                self.machine.columns[usize::from(to)] = value;
                // Columns have the first registers.
                value
            }
            // Done by `operate`.
            Kind::Unless(..)
            | Kind::Copy(_)
            | Kind::Coalesce(..)
            | Kind::Select { .. }
            | Kind::Settle { .. }
            | Kind::SettleHandled { .. } => Value::Missing,
        }
    }

    fn concat(&self, parts: &Range<usize>) -> Value<'a> {
        let mut text = bumpalo::collections::String::new_in(self.machine.arena);
        let mut missing = false;
        for part in &self.program.operands[parts.clone()] {
            match convert::text_of(self.value(*part), self.machine.arena) {
                Value::Text(part) => text.push_str(part),
                invalid @ Value::Invalid(_) => return invalid,
                _ => missing = true,
            }
        }
        if missing { Value::Missing } else { self.machine.non_empty(text.into_bump_str()) }
    }

    fn is_in(&self, subject: Register, expr: ExprId) -> Value<'a> {
        match &self.machine.plan.exprs[expr as usize] {
            Expr::In(_, constants) => compare::is_in(self.value(subject), constants),
            _ => Value::Missing,
        }
    }

    fn is_text_in(&self, subject: Register, expr: ExprId) -> Value<'a> {
        match &self.machine.plan.exprs[expr as usize] {
            Expr::InTexts(_, texts) => compare::is_text_in(self.value(subject), texts),
            _ => Value::Missing,
        }
    }

    fn matches(&self, subject: Register, expr: ExprId) -> Value<'a> {
        match &self.machine.plan.exprs[expr as usize] {
            Expr::Matches(_, pattern) => compare::matches(self.value(subject), pattern),
            _ => Value::Missing,
        }
    }

    fn choose(&mut self, subject: Register, expr: ExprId) -> Value<'a> {
        let plan = self.machine.plan;
        let Expr::Match(arms) = &plan.exprs[expr as usize] else { return Value::Missing };
        let subject = convert::text_of(self.value(subject), self.machine.arena);
        match choose::arm(expr, arms, subject, self.machine.tally) {
            Ok(arm) => match &plan.exprs[arm as usize] {
                Expr::Constant(constant) => constant_value(constant),
                _ => self.machine.eval(arm),
            },
            Err(invalid) => invalid,
        }
    }

    fn call(&mut self, expr: ExprId, args: &Range<usize>) -> Value<'a> {
        let Expr::Call(callee, _, missing) = &self.machine.plan.exprs[expr as usize] else {
            return Value::Missing;
        };
        let args = &self.program.operands[args.clone()];
        let values = self.machine.arena.alloc_slice_fill_copy(args.len(), Value::Missing);
        let mut any_missing = false;
        for (value, arg) in values.iter_mut().zip(args) {
            *value = self.value(*arg);
            match value {
                Value::Invalid(_) => return *value,
                Value::Missing => any_missing = true,
                _ => {}
            }
        }
        if any_missing && *missing == CallMissing::Propagate {
            return Value::Missing;
        }
        self.machine.called(&*callee.code, values)
    }

    #[inline]
    fn fitted(&self, from: Register, check: usize, empty_is_missing: bool) -> Value<'a> {
        match self.value(from) {
            Value::Missing => Value::Missing,
            Value::Text("") if empty_is_missing => Value::Missing,
            value => match fit(&self.program.checks[check], value, self.machine.arena) {
                Fitted::Value(value) => value,
                Fitted::Missing => Value::Missing,
                Fitted::Invalid(_, fault) => Value::Invalid(fault),
            },
        }
    }

    /// The register of a line's final value.
    #[inline(always)]
    fn settle(&mut self, from: Register, line: usize, without: Without) -> Result<Register, Aside> {
        let (instead, nothing, zero) = match self.value(from) {
            Value::Missing => (without.missing, LineOutcome::Missing, LineOutcome::MissingIsZero),
            Value::Invalid(_) => {
                (without.invalid, LineOutcome::Invalid, LineOutcome::InvalidIsZero)
            }
            _ => {
                self.count(line, LineOutcome::Value);
                return Ok(from);
            }
        };
        let (register, outcome) = match instead {
            Instead::Aside => return Err(Aside),
            Instead::Nothing(register) => (register, nothing),
            Instead::Zero(register) => (register, zero),
        };
        self.count(line, outcome);
        Ok(register)
    }

    fn settle_handled(
        &mut self,
        first: Register,
        handled: Register,
        line: usize,
        without: Without,
    ) -> Result<Register, Aside> {
        if !self.registers.is_missing(first) {
            return self.settle(first, line, without);
        }
        match self.value(handled) {
            Value::Missing => self.settle(handled, line, without),
            Value::Invalid(_) => Err(Aside),
            _ => {
                self.count(line, LineOutcome::MissingIsHandled);
                Ok(handled)
            }
        }
    }

    #[inline(always)]
    fn count(&mut self, line: usize, outcome: LineOutcome) {
        // A plan has far fewer lines.
        self.counts.push(Count::Line(line as u32, outcome));
    }
}

/// The register of a column.
pub(super) fn column_register(column: Column) -> Register {
    column_index(column) as Register
}

/// A truth value, missing counting as false.
fn truth<'a>(value: Value<'a>, of: impl Fn(bool) -> bool) -> Value<'a> {
    match value {
        Value::Bool(truth) => Value::Bool(of(truth)),
        Value::Invalid(_) => value,
        _ => Value::Bool(of(false)),
    }
}

fn is_outcome(value: Value<'_>, outcome: Outcome) -> bool {
    match outcome {
        Outcome::Missing => value == Value::Missing,
        Outcome::Present => value != Value::Missing,
        Outcome::Invalid => matches!(value, Value::Invalid(_)),
    }
}
