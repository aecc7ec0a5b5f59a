//! Expressions over slots.
//!
//! A [`Machine`] holds what one record, and the loop elements within it, have given so far: the slots of every scope, the
//! shared expressions ([`Register`](crate::plan::Register)s) and the columns of the event that is being made. Everything
//! is evaluated when it is asked for, and a shared expression at most once for each instance of its scope: it is stamped
//! with the instance it was evaluated in, so that the next element forgets all of them at once.
//!
//! Every expression has one of three outcomes: a value, missing, or invalid. Functions, arithmetic and interpolation are
//! invalid if an operand is (the leftmost is reported), else missing if one is missing.

pub(crate) mod arithmetic;
pub(crate) mod choose;
pub(crate) mod compare;
mod derive;
pub(crate) mod list;
mod read;
#[cfg(test)]
mod tests;

use bumpalo::Bump;
use sha2::{Digest, Sha256};

use crate::block::{Record, RecordBlock};
use crate::builtins::{self, Call};
use crate::convert;
use crate::plan::{
    CallMissing, Column, Constant, Expr, ExprId, Meta, ObjectMeta, Origin, Outcome, Plan, Scope,
    ScopeId, Shape,
};
use crate::project::json;
use crate::tally::Tally;
use crate::types::NumberFormat;
use crate::value::{Fault, Value};

/// Where the slots of each scope are among all slots, and other things that follow from the plan.
#[derive(Debug)]
pub(crate) struct Layout {
    first_slot: Vec<usize>,
    slots: usize,
    /// What the slots of each scope hold.
    content: Vec<Content>,
}

/// What the slots of a scope hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content {
    /// Texts as they are, and no JSON.
    pub(crate) cells: bool,
    /// How numbers are written in it.
    pub(crate) numbers: NumberFormat,
    /// Whether an empty text is missing.
    pub(crate) empty_is_missing: bool,
}

impl Content {
    fn of(scope: &Scope, plan: &Plan) -> Self {
        let is_csv = matches!(plan.input.format, crate::input::Format::Csv(_));
        let cells = match &scope.origin {
            Origin::Given => is_csv && scope.parent.is_none(),
            Origin::Call { shape, .. } => matches!(shape, Shape::Fields(_) | Shape::Pairs),
            Origin::Find { .. } => false,
        };
        // JSON has numbers of its own, wherever it stands.
        let numbers = if cells { plan.numbers } else { NumberFormat::default() };
        Self { cells, numbers, empty_is_missing: plan.input.empty_is_missing }
    }

    /// Of the document around the records.
    fn of_wrapper(plan: &Plan) -> Self {
        let empty_is_missing = plan.input.empty_is_missing;
        Self { cells: false, numbers: NumberFormat::default(), empty_is_missing }
    }
}

impl Layout {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut slots = 0;
        let first_slot = plan.scopes.iter().map(|scope| {
            let first = slots;
            slots += usize::from(scope.projection.slots);
            first
        });
        let first_slot = first_slot.collect();
        let content = plan.scopes.iter().map(|scope| Content::of(scope, plan)).collect();
        Self { first_slot, slots, content }
    }

    /// What the slots of the record hold.
    pub(crate) fn record_content(&self) -> Content {
        self.content[0]
    }
}

/// What all records of a block are evaluated with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockContext<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) layout: &'a Layout,
    pub(crate) block: &'a RecordBlock,
    pub(crate) object: &'a ObjectMeta,
    pub(crate) wrapper: &'a [Option<&'a str>],
    pub(crate) wrapper_parts: &'a [Vec<Option<&'a str>>],
}

impl<'a> BlockContext<'a> {
    /// What a record is evaluated with.
    pub(crate) fn record(self, index: usize, arena: &'a Bump) -> Surroundings<'a> {
        let Self { plan, layout, block, object, wrapper, wrapper_parts } = self;
        let record = &block.records[index];
        let bytes = record.bytes(block);
        Surroundings { plan, layout, record, bytes, object, wrapper, wrapper_parts, arena }
    }
}

/// What a record is evaluated with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) layout: &'a Layout,
    pub(crate) record: &'a Record,
    /// The record as it came.
    pub(crate) bytes: &'a [u8],
    pub(crate) object: &'a ObjectMeta,
    /// The texts of the wrapper members.
    pub(crate) wrapper: &'a [Option<&'a str>],
    /// The slots of the wrapper parts.
    pub(crate) wrapper_parts: &'a [Vec<Option<&'a str>>],
    pub(crate) arena: &'a Bump,
}

/// Evaluates the expressions of a plan for one record.
pub(crate) struct Machine<'a, 'w> {
    pub(crate) plan: &'a Plan,
    pub(crate) arena: &'a Bump,
    around: Surroundings<'a>,
    /// Of all scopes.
    slots: &'a mut [Option<&'a str>],
    scopes: &'a mut [Instance<'a>],
    /// The value of each register, and the instance of its scope that it belongs to.
    registers: &'a mut [(u32, Value<'a>)],
    /// The final outcomes of the columns of this event.
    pub(crate) columns: [Value<'a>; 8],
    scratch: &'w mut json::Scratch,
    /// What becomes of each line.
    pub(crate) tally: &'w mut Tally,
    /// An element was reached in which a wanted name occurs twice: whatever else comes out, the record is refused.
    pub(crate) duplicate_key: bool,
    /// A local time was read that there was twice.
    pub(crate) ambiguous_time: bool,
}

/// A machine that waits, without what it shares with others.
pub(crate) struct Suspended<'a> {
    around: Surroundings<'a>,
    slots: &'a mut [Option<&'a str>],
    scopes: &'a mut [Instance<'a>],
    registers: &'a mut [(u32, Value<'a>)],
}

/// A scope's present instance.
#[derive(Debug, Clone, Copy, Default)]
struct Instance<'a> {
    /// Counts the instances; 0 before the first. Of a derived record: the number of its parent that it belongs to.
    number: u32,
    /// The position in its array.
    index: u32,
    /// Why a derived record is invalid.
    fault: Option<&'a Fault<'a>>,
}

impl<'a, 'w> Machine<'a, 'w> {
    /// The slots of scope 0 are still to be filled, by [`Machine::fill_record`] or [`Machine::project_record`].
    pub(crate) fn new(
        around: Surroundings<'a>,
        scratch: &'w mut json::Scratch,
        tally: &'w mut Tally,
    ) -> Self {
        let Surroundings { plan, layout, arena, .. } = around;
        let scopes = arena.alloc_slice_fill_copy(plan.scopes.len(), Instance::default());
        scopes[0].number = 1;
        Self {
            plan,
            arena,
            around,
            slots: arena.alloc_slice_fill_copy(layout.slots, None),
            scopes,
            registers: arena.alloc_slice_fill_copy(plan.registers.len(), (0, Value::Missing)),
            columns: [Value::Missing; 8],
            scratch,
            tally,
            duplicate_key: false,
            ambiguous_time: false,
        }
    }

    /// Fills the slots of the record.
    pub(crate) fn fill_record<'t: 'a>(&mut self, texts: impl Iterator<Item = Option<&'t str>>) {
        for (slot, text) in self.slots.iter_mut().zip(texts) {
            *slot = text;
        }
    }

    /// Projects a JSON record.
    pub(crate) fn project_record(&mut self, text: &'a str) {
        self.project(0, text);
    }

    /// Sets it aside.
    pub(crate) fn suspend(self) -> Suspended<'a> {
        let Self { around, slots, scopes, registers, .. } = self;
        Suspended { around, slots, scopes, registers }
    }

    /// Goes on.
    pub(crate) fn resume(
        suspended: Suspended<'a>,
        scratch: &'w mut json::Scratch,
        tally: &'w mut Tally,
    ) -> Self {
        let Suspended { around, slots, scopes, registers } = suspended;
        Self {
            plan: around.plan,
            arena: around.arena,
            around,
            slots,
            scopes,
            registers,
            columns: [Value::Missing; 8],
            scratch,
            tally,
            duplicate_key: false,
            ambiguous_time: false,
        }
    }

    /// Begins a scope's next instance: an element of its array.
    pub(crate) fn enter(&mut self, scope: ScopeId, element: &'a str, index: u32) {
        let instance = &mut self.scopes[usize::from(scope)];
        instance.number = instance.number.wrapping_add(1);
        instance.index = index;
        self.project(scope, element);
    }

    fn project(&mut self, scope: ScopeId, text: &'a str) {
        let projection = &self.plan.scopes[usize::from(scope)].projection;
        let first = self.around.layout.first_slot[usize::from(scope)];
        let slots = &mut self.slots[first..first + usize::from(projection.slots)];
        let reject_duplicates = self.plan.input.duplicate_keys_reject;
        let outcome = json::project(text, projection, reject_duplicates, slots, self.scratch);
        self.duplicate_key |= outcome.is_err();
    }

    /// Evaluates an expression.
    pub(crate) fn eval(&mut self, id: ExprId) -> Value<'a> {
        let plan = self.plan;
        match &plan.exprs[id as usize] {
            Expr::Constant(constant) => constant_value(constant),
            Expr::Read(slot, ty) => self.read(*slot, *ty),
            Expr::ReadString(slot) => self.read_string(*slot),
            Expr::Derived(scope, expr) => match self.derive(*scope) {
                Ok(()) => self.eval(*expr),
                Err(fault) => Value::Invalid(fault),
            },
            Expr::Meta(meta) => self.meta(*meta),
            Expr::Index(scope) => Value::Int(self.scopes[usize::from(*scope)].index.into()),
            Expr::Column(column) => self.columns[column_index(*column)],
            Expr::Register(register) => self.register(*register),
            Expr::Concat(parts) => self.concat(parts),
            Expr::Not(operand) => match self.truth(*operand) {
                Ok(truth) => Value::Bool(!truth),
                Err(fault) => Value::Invalid(fault),
            },
            Expr::And(left, right) => self.and_or(*left, *right, false),
            Expr::Or(left, right) => self.and_or(*left, *right, true),
            Expr::Negate(operand) => arithmetic::negate(self.eval(*operand), self.arena),
            Expr::Arithmetic(operation, left, right) => {
                let (left, right) = (self.eval(*left), self.eval(*right));
                arithmetic::compute(*operation, left, right, self.arena)
            }
            Expr::Compare(comparison, left, right) => {
                let (left, right) = (self.eval(*left), self.eval(*right));
                compare::compare(*comparison, left, right)
            }
            Expr::In(subject, constants) => compare::is_in(self.eval(*subject), constants),
            Expr::InTexts(subject, texts) => compare::is_text_in(self.eval(*subject), texts),
            Expr::Matches(subject, pattern) => compare::matches(self.eval(*subject), pattern),
            Expr::Coalesce(left, right) => match self.eval(*left) {
                Value::Missing => self.eval(*right),
                left => left,
            },
            Expr::Is(outcome, negated, subject) => {
                Value::Bool(self.is(*subject, *outcome) != *negated)
            }
            Expr::If(condition, then, otherwise) => match self.truth(*condition) {
                Ok(true) => self.eval(*then),
                Ok(false) => self.eval(*otherwise),
                Err(fault) => Value::Invalid(fault),
            },
            Expr::Match(arms) => self.choose_arm(id, arms),
            Expr::Cell(table, key, column) => self.cell(*table, *key, *column),
            Expr::Call(callee, args, missing) => self.call(&*callee.code, args, *missing),
            Expr::Count(array, scope, condition) => self.count(*array, *scope, *condition),
            Expr::Any(array, scope, condition) => self.any(*array, *scope, *condition),
            Expr::All(array, scope, condition) => self.all(*array, *scope, *condition),
            Expr::Fold(fold, array, scope, value) => self.fold(fold, *array, *scope, *value),
            Expr::List(items) => self.list(items),
            Expr::InList(subject, list) => {
                let (subject, list) = (self.eval(*subject), self.eval(*list));
                compare::is_element(subject, list)
            }
            Expr::Convert(operand, ty) => {
                let value = self.eval(*operand);
                convert::convert(value, *ty, plan.numbers, self.arena)
            }
        }
    }

    /// A condition; missing counts as false.
    pub(crate) fn truth(&mut self, id: ExprId) -> Result<bool, &'a Fault<'a>> {
        match self.eval(id) {
            Value::Bool(truth) => Ok(truth),
            Value::Invalid(fault) => Err(fault),
            _ => Ok(false),
        }
    }

    fn is(&mut self, subject: ExprId, outcome: Outcome) -> bool {
        let plan = self.plan;
        let missing = match &plan.exprs[subject as usize] {
            // Whether a value is there can be told without reading it.
            Expr::Read(slot, _) if outcome != Outcome::Invalid => self.slot(*slot).is_none(),
            _ => match self.eval(subject) {
                Value::Invalid(_) => return outcome != Outcome::Missing,
                value => value == Value::Missing,
            },
        };
        match outcome {
            Outcome::Missing => missing,
            Outcome::Present => !missing,
            Outcome::Invalid => false,
        }
    }

    fn and_or(&mut self, left: ExprId, right: ExprId, decided_by: bool) -> Value<'a> {
        let truth = match self.truth(left) {
            Ok(truth) if truth == decided_by => Ok(truth),
            Ok(_) => self.truth(right),
            Err(fault) => Err(fault),
        };
        truth.map_or_else(Value::Invalid, Value::Bool)
    }

    fn register(&mut self, register: u32) -> Value<'a> {
        let shared = &self.plan.registers[register as usize];
        let now = self.scopes[usize::from(shared.scope)].number;
        let (instance, value) = self.registers[register as usize];
        if instance == now {
            return value;
        }
        let value = self.eval(shared.expr);
        self.registers[register as usize] = (now, value);
        value
    }

    fn meta(&self, meta: Meta) -> Value<'a> {
        let Surroundings { record, bytes, object, .. } = self.around;
        match meta {
            Meta::Key => self.non_empty(&object.key),
            Meta::Bucket => self.non_empty(&object.bucket),
            Meta::Source => self.non_empty(&object.source),
            Meta::Line => Value::Int(i64::try_from(record.line).unwrap_or(i64::MAX)),
            Meta::Offset => Value::Int(i64::try_from(record.offset).unwrap_or(i64::MAX)),
            Meta::ReceivedAt => Value::Timestamp(object.received_at_ns),
            Meta::RecordSha256 => builtins::hex(&Sha256::digest(bytes), self.arena),
        }
    }

    /// A text; an empty one is missing, unless the input says otherwise.
    pub(crate) fn non_empty(&self, text: &'a str) -> Value<'a> {
        if text.is_empty() && self.plan.input.empty_is_missing {
            Value::Missing
        } else {
            Value::Text(text)
        }
    }

    fn concat(&mut self, parts: &'a [ExprId]) -> Value<'a> {
        let mut text = bumpalo::collections::String::new_in(self.arena);
        let mut missing = false;
        for part in parts {
            match convert::text_of(self.eval(*part), self.arena) {
                Value::Text(part) => text.push_str(part),
                invalid @ Value::Invalid(_) => return invalid,
                _ => missing = true,
            }
        }
        if missing { Value::Missing } else { self.non_empty(text.into_bump_str()) }
    }

    fn call(&mut self, call: &dyn Call, args: &'a [ExprId], missing: CallMissing) -> Value<'a> {
        let values = self.arena.alloc_slice_fill_copy(args.len(), Value::Missing);
        for (value, arg) in values.iter_mut().zip(args) {
            *value = self.eval(*arg);
            if matches!(value, Value::Invalid(_)) {
                return *value;
            }
        }
        if missing == CallMissing::Propagate && values.contains(&Value::Missing) {
            return Value::Missing;
        }
        self.called(call, values)
    }

    /// What a function gives for these values.
    pub(crate) fn called(&mut self, call: &dyn Call, values: &'a [Value<'a>]) -> Value<'a> {
        let (value, twice) = call.call_noting_time(values, self.arena);
        self.ambiguous_time |= twice;
        match value {
            Value::Text(text) => self.non_empty(text),
            value => value,
        }
    }

    fn list(&mut self, items: &'a [ExprId]) -> Value<'a> {
        let mut list = bumpalo::collections::Vec::with_capacity_in(items.len(), self.arena);
        for item in items {
            match self.eval(*item) {
                Value::Missing => {}
                invalid @ Value::Invalid(_) => return invalid,
                value => list.push(value),
            }
        }
        if list.is_empty() { Value::Missing } else { Value::List(list.into_bump_slice()) }
    }
}

/// The position of a column in [`Column::ALL`].
pub(crate) const fn column_index(column: Column) -> usize {
    column as usize
}

pub(crate) fn constant_value(constant: &Constant) -> Value<'_> {
    match constant {
        Constant::Missing => Value::Missing,
        Constant::Text(text) => Value::Text(text),
        Constant::Int(number) => Value::Int(*number),
        Constant::Decimal(number) => Value::Decimal(*number),
        Constant::Bool(truth) => Value::Bool(*truth),
        Constant::Duration(ns) => Value::Duration(*ns),
        Constant::Timestamp(ns) => Value::Timestamp(*ns),
        Constant::Ip(address) => Value::Ip(*address),
    }
}
