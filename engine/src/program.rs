//! A plan as a list of operations: the fast way to map a record.
//!
//! A plan's expressions are trees, its output is a tree of objects, and [`crate::statements`] and [`crate::emit`] walk
//! them for each record: they say what is meant. A *program* is the same plan laid out flat, once. Its operations read
//! and write numbered registers, so that nothing is looked up or evaluated twice; its events are written by a template
//! of constant runs and values. The operations on values are those of the walk.
//!
//! A program knows only what usually happens. As soon as a record is refused, or something else comes up that it does
//! not do ([`Aside`]), it stops, nothing of what it did counts, and the record is walked. So a program never has to say
//! *why* something is wrong.

mod compile;
mod emit;
mod flags;
mod operate;
mod registers;
mod template;
mod text;

use std::ops::Range;

use registers::Registers;

use crate::batch::Batch;
use crate::decimal::Decimal;
use crate::eval::{Machine, constant_value};
use crate::plan::{Arithmetic, Check, Comparison, Expr, ExprId, Outcome, Plan, Slot};
use crate::simd::Level;
use crate::statements::{self, Mark};
use crate::tally::{LineCounts, Tally};
use crate::types::Type;
use crate::value::Value;

/// Where a value is kept.
type Register = u16;
/// Where it is kept whether something is present.
type Flag = u16;

/// The record is left to the walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aside;

/// A plan, laid out flat.
#[derive(Debug)]
pub(crate) struct Program {
    operations: Vec<Operation>,
    /// Registers that always hold the same.
    constants: Vec<(Register, ExprId)>,
    registers: usize,
    flags: usize,
    /// Lists of operands.
    operands: Vec<Register>,
    checks: Vec<Check>,
    body: Vec<Step>,
    emits: Vec<emit::Template>,
}

/// What is done with a record.
#[derive(Debug)]
enum Step {
    Filter {
        operations: Range<usize>,
        condition: Register,
        keep: bool,
        line: u32,
    },
    When {
        arms: Vec<Arm>,
        otherwise: Vec<Step>,
    },
    Emit {
        operations: Range<usize>,
        template: usize,
    },
    Drop,
    /// Is always left to the walk.
    Reject,
}

/// An arm of [`Step::When`].
#[derive(Debug)]
struct Arm {
    operations: Range<usize>,
    condition: Register,
    body: Vec<Step>,
    line: u32,
}

/// What an operation puts into its register.
#[derive(Debug)]
struct Operation {
    to: Register,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// A slot of the record as text.
    ReadText(u16),
    Read(Slot, Type),
    ReadString(Slot),
    /// The walk evaluates it.
    Walk(ExprId),
    Concat(Range<usize>),
    Not(Register),
    Negate(Register),
    AndOr {
        left: Register,
        right: Register,
        decided_by: bool,
    },
    Compare(Comparison, Register, Register),
    In(Register, ExprId),
    InTexts(Register, ExprId),
    Matches(Register, ExprId),
    Coalesce(Register, Register),
    Arithmetic(Arithmetic, Register, Register),
    Is(Outcome, bool, Register),
    Select {
        condition: Register,
        then: Register,
        otherwise: Register,
    },
    /// A `match` whose arms are all constants.
    Choose(Register, ExprId),
    Cell {
        table: u16,
        key: Register,
        column: u16,
    },
    Convert(Register, Type),
    Call(ExprId, Range<usize>),
    Copy(Register),
    /// Makes a value fit its target.
    Fit {
        from: Register,
        check: usize,
        empty_is_missing: bool,
    },
    /// What becomes of a line of the mapping without a value: another value, or the record is left to the walk.
    Settle {
        from: Register,
        line: usize,
        without: Without,
    },
    /// The same with what its handler gave.
    SettleHandled {
        first: Register,
        handled: Register,
        line: usize,
        without: Without,
    },
    /// Sets a column of the event.
    Column(Register),
    /// Jumps over the next operations, unless the register is as here.
    Unless(Register, Is, usize),
}

/// What a register may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    Missing,
    True,
    /// Missing counts as that.
    False,
}

/// What becomes of a line of the mapping without a value.
#[derive(Debug, Clone, Copy)]
struct Without {
    /// When it is missing.
    missing: Instead,
    /// When it is invalid.
    invalid: Instead,
}

/// What a line has instead of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Instead {
    /// The record is left to the walk, which refuses it or knows what else to do.
    Aside,
    /// Nothing, which is what this register holds.
    Nothing(Register),
    /// 0, which is what this register holds.
    Zero(Register),
}

/// What a record adds to the counters, unless it is left to the walk.
#[derive(Debug, Clone, Copy)]
enum Count {
    /// Of a line of the emit that is counted next.
    Line(u32, LineOutcome),
    /// The lines before this are those of the emit.
    Emit(u16),
    Branch {
        line: u32,
        taken: bool,
    },
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineOutcome {
    Value,
    Missing,
    MissingIsZero,
    MissingIsHandled,
    Invalid,
    InvalidIsZero,
    Incomplete,
}

/// Memory that is used again from record to record.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    flags: Vec<bool>,
    counts: Vec<Count>,
}

impl Program {
    /// The program of a plan; none if it does what no program does.
    pub(crate) fn new(plan: &Plan) -> Option<Self> {
        compile::compile(plan)
    }

    /// Makes the events of a record, whose slots the machine holds. On [`Aside`] nothing has been made or counted.
    pub(crate) fn run<'a>(
        &self,
        level: Level,
        machine: &mut Machine<'a, '_>,
        record: u32,
        out: &mut Batch,
        scratch: &mut Scratch,
    ) -> Result<(), Aside> {
        let begin = Mark::of(out);
        let mut registers = Registers::new(self.registers, machine.arena);
        for (register, constant) in &self.constants {
            if let Expr::Constant(constant) = &machine.plan.exprs[*constant as usize] {
                registers.set(*register, constant_value(constant));
            }
        }
        registers.set(compile::ZERO, Value::Int(0));
        registers.set(compile::ZERO_DECIMAL, Value::Decimal(Decimal::ZERO));
        scratch.counts.clear();
        let Scratch { flags, counts } = scratch;
        let mut run = Run { program: self, level, machine, registers, record, out, flags, counts };
        let outcome = run.steps(&self.body).and_then(|dropped| run.finish(begin, dropped));
        match outcome {
            Ok(()) => count(counts, machine.tally, out),
            Err(Aside) => {
                begin.cut(out);
                machine.begin_again();
            }
        }
        outcome
    }
}

/// Adds up.
fn count(counts: &[Count], tally: &mut Tally, out: &mut Batch) {
    let mut first = 0;
    for (at, one) in counts.iter().enumerate() {
        match one {
            Count::Line(..) => {}
            Count::Emit(emit) => {
                for line in &counts[first..at] {
                    let Count::Line(line, outcome) = *line else { continue };
                    count_line(tally.line(*emit, line as usize), outcome);
                    let skipped =
                        matches!(outcome, LineOutcome::Invalid | LineOutcome::InvalidIsZero);
                    out.skipped_values += u64::from(skipped);
                }
                first = at + 1;
            }
            Count::Branch { line, taken } => {
                let branch = tally.branch(*line);
                branch.reached += 1;
                branch.taken += u64::from(*taken);
            }
        }
    }
}

fn count_line(counts: &mut LineCounts, outcome: LineOutcome) {
    match outcome {
        LineOutcome::Value => counts.ok += 1,
        LineOutcome::Incomplete => counts.incomplete += 1,
        LineOutcome::Missing => {
            counts.missing += 1;
            counts.skipped += 1;
        }
        LineOutcome::MissingIsZero | LineOutcome::MissingIsHandled => {
            counts.missing += 1;
            counts.defaulted += 1;
        }
        LineOutcome::Invalid => {
            counts.invalid += 1;
            counts.skipped += 1;
        }
        LineOutcome::InvalidIsZero => {
            counts.invalid += 1;
            counts.defaulted += 1;
        }
    }
}

/// A record on its way.
struct Run<'r, 'm, 'a, 'w> {
    program: &'r Program,
    level: Level,
    machine: &'m mut Machine<'a, 'w>,
    registers: Registers<'a>,
    record: u32,
    out: &'r mut Batch,
    flags: &'r mut Vec<bool>,
    counts: &'r mut Vec<Count>,
}

impl<'a> Run<'_, '_, 'a, '_> {
    /// Whether the record is dropped.
    fn steps(&mut self, steps: &[Step]) -> Result<bool, Aside> {
        for step in steps {
            let dropped = match step {
                Step::Filter { operations, condition, keep, line } => {
                    self.holds(operations, *condition, *line)? != *keep
                }
                Step::When { arms, otherwise } => {
                    let mut body = otherwise;
                    for arm in arms {
                        if self.holds(&arm.operations, arm.condition, arm.line)? {
                            body = &arm.body;
                            break;
                        }
                    }
                    self.steps(body)?
                }
                Step::Emit { operations, template } => {
                    self.machine.columns = [Value::Missing; 8];
                    self.operate(operations)?;
                    self.emit(&self.program.emits[*template])?;
                    false
                }
                Step::Drop => true,
                Step::Reject => return Err(Aside),
            };
            if dropped {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn holds(
        &mut self,
        operations: &Range<usize>,
        condition: Register,
        line: u32,
    ) -> Result<bool, Aside> {
        self.operate(operations)?;
        let taken = match self.value(condition) {
            Value::Bool(truth) => truth,
            Value::Invalid(_) => return Err(Aside),
            _ => false,
        };
        self.counts.push(Count::Branch { line, taken });
        Ok(taken)
    }

    #[inline(always)]
    fn value(&self, register: Register) -> Value<'a> {
        self.registers.get(register)
    }

    /// What only all events together can break, the walk finds out.
    fn finish(&mut self, begin: Mark, dropped: bool) -> Result<(), Aside> {
        let is_within = statements::is_within_limits(self.out, begin);
        // The walk stops at the first operand that is invalid, and may not have come to such a time.
        if !is_within || self.machine.duplicate_key || self.machine.ambiguous_time {
            return Err(Aside);
        }
        if dropped {
            begin.cut(self.out);
        }
        Ok(())
    }
}
