//! A plan as a list of operations: the fast way to map records.
//!
//! A plan's expressions are trees, its output is a tree of objects, and [`crate::statements`] and [`crate::emit`] walk
//! them for each record: they say what is meant. A *program* is the same plan laid out flat, once. Its operations read
//! and write numbered registers, so that nothing is looked up or evaluated twice; its events are written by a template
//! of constant runs and values. Each operation is done for up to sixty-four records before the next one begins: what it
//! needs to know about itself is looked up once for all of them, and who has a value is a word with a bit for each.
//!
//! A program knows only what usually happens. Where a record is refused, or something else comes up that it does not do,
//! that record is set *aside*: nothing of what was done with it counts, and it is walked. So a program never has to say
//! *why* something is wrong.

mod choice;
mod compile;
mod digits;
mod emit;
mod ends;
mod flags;
mod layout;
mod letters;
mod lookup;
mod operate;
mod readers;
mod registers;
mod runs;
mod template;
mod text;

use std::ops::Range;

use bumpalo::Bump;

pub(crate) use emit::Written;

use choice::Choice;
use layout::Layout;
use readers::Clock;
use registers::{Columns, Place, Registers};
use runs::Runs;

use crate::batch::Batch;
use crate::decimal::Decimal;
use crate::eval::{BlockContext, Machine, Suspended, constant_value};
use crate::plan::{Arithmetic, Check, Comparison, Expr, ExprId, Outcome, Plan, Slot};
use crate::project::found::Found;
use crate::project::json;
use crate::rows::{Rows, row_bit};
use crate::simd::Level;
use crate::tally::{LineCounts, Tally};
use crate::types::Type;
use crate::value::Value;

/// Where values are kept.
type Register = u16;
/// Where it is kept whether something is present.
type Flag = u16;

/// A plan, laid out flat.
#[derive(Debug)]
pub(crate) struct Program {
    operations: Vec<Operation>,
    /// Registers that always hold the same.
    constants: Vec<(Register, ExprId)>,
    /// Where each register is.
    places: Vec<Place>,
    columns: Columns,
    flags: usize,
    /// Lists of operands.
    operands: Vec<Register>,
    checks: Vec<Check>,
    /// Of each check the expression that it has, if there is a fast way to match it.
    runs: Vec<Option<Runs>>,
    body: Vec<Step>,
    emits: Vec<emit::Template>,
}

/// What is done with records.
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
    /// What a function of one text makes of a slot of the record: mostly a number, which is read as such.
    ReadInt(u16, ExprId),
    ReadDecimal(u16, ExprId),
    /// RFC 3339.
    Timestamp(Register),
    Lower(Register),
    Ip(Register),
    /// A whole number as a decimal.
    ToDecimal(Register),
    /// The text of a number.
    NumberText(Register),
    /// The walk evaluates it, with these columns of the event.
    Walk(ExprId, Box<[Option<Register>; 8]>),
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
    Matches(Register, ExprId, Option<Box<Runs>>),
    Arithmetic(Arithmetic, Register, Register),
    Is(Outcome, bool, Register),
    /// A whole number times a decimal.
    Times(Register, Register),
    /// A decimal by a positive whole number.
    DivideBy(Register, i64),
    /// A choice among constants.
    Choose(Register, Box<Choice>),
    /// A `match` whose arms are all constants.
    Match(Register, ExprId),
    Cell {
        table: u16,
        key: Register,
        column: u16,
    },
    Convert(Register, Type),
    Call(ExprId, Range<usize>),
    Copy(Register),
    /// The second where the first is missing.
    Coalesce(Register, Register),
    Select {
        condition: Register,
        then: Register,
        otherwise: Register,
    },
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
    /// The next operations are only for records whose register is as here.
    Within(Register, Is, usize),
}

/// What a register may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    Missing,
    True,
    /// Missing counts as that.
    False,
    /// This whole number.
    Number(i64),
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
    Nothing,
    /// 0, which is what this register holds.
    Zero(Register),
}

/// What records add to the counters, unless they are left to the walk.
#[derive(Debug, Clone, Copy)]
enum Count {
    Line { emit: u16, line: usize, outcome: LineOutcome, rows: Rows },
    Branch { line: u32, reached: Rows, taken: Rows },
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

/// Memory that is used again from batch to batch.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    flags: Vec<Rows>,
    counts: Vec<Count>,
    emitted: Vec<Rows>,
    clock: Clock,
    /// By template.
    layouts: Vec<Layout>,
}

/// The records of a batch, and what was found in them.
#[derive(Clone, Copy)]
pub(crate) struct Records<'a, 'w> {
    pub(crate) level: Level,
    pub(crate) context: BlockContext<'a>,
    /// The number in its block of the first of them.
    pub(crate) first: usize,
    pub(crate) found: &'w Found<'a>,
    /// Those that are looked at.
    pub(crate) of: Rows,
    pub(crate) arena: &'a Bump,
}

/// What the walk needs that many share.
pub(crate) struct Walker<'w> {
    pub(crate) scratch: &'w mut json::Scratch,
    pub(crate) tally: &'w mut Tally,
}

/// Records on their way: what was evaluated for them, and then what they become.
pub(crate) struct Run<'a, 'w> {
    program: &'a Program,
    level: Level,
    context: BlockContext<'a>,
    arena: &'a Bump,
    /// The number in its block of the first record.
    first: usize,
    found: &'w Found<'a>,
    registers: Registers<'a>,
    /// Of records in which the walk evaluates something.
    walks: Vec<Option<Suspended<'a>>>,
    flags: &'w mut Vec<Rows>,
    counts: &'w mut Vec<Count>,
    /// By template: the records that make its event.
    emitted: &'w mut Vec<Rows>,
    clock: &'w mut Clock,
    layouts: &'w mut Vec<Layout>,
    /// The emit whose event is being made.
    emit: u16,
    aside: Rows,
    dropped: Rows,
}

impl Program {
    /// The program of a plan; none if it does what no program does.
    pub(crate) fn new(plan: &Plan) -> Option<Self> {
        compile::compile(plan)
    }

    /// Evaluates all that the plan needs of the records of a batch.
    pub(crate) fn evaluate<'a, 'w>(
        &'a self,
        records: Records<'a, 'w>,
        scratch: &'w mut Scratch,
        walker: &mut Walker<'_>,
    ) -> Run<'a, 'w> {
        let Records { level, context, first, found, of, arena } = records;
        let Scratch { flags, counts, emitted, clock, layouts } = scratch;
        flags.clear();
        flags.resize(self.flags, 0);
        flags[usize::from(flags::ALWAYS)] = !0;
        emitted.clear();
        emitted.resize(self.emits.len(), 0);
        counts.clear();
        let registers = Registers::new(found.rows(), &self.places, self.columns, arena);
        let (walks, dropped) = (Vec::new(), 0);
        let mut run = Run {
            program: self,
            level,
            context,
            arena,
            first,
            found,
            registers,
            walks,
            flags,
            counts,
            emitted,
            clock,
            layouts,
            emit: 0,
            aside: 0,
            dropped,
        };
        run.set_constants();
        run.steps(&self.body, of, walker);
        run.lay_out();
        run
    }
}

impl Run<'_, '_> {
    fn set_constants(&mut self) {
        let plan = self.context.plan;
        self.registers.fill(compile::ZERO, Value::Int(0));
        self.registers.fill(compile::ZERO_DECIMAL, Value::Decimal(Decimal::ZERO));
        for (register, constant) in &self.program.constants {
            if let Expr::Constant(constant) = &plan.exprs[*constant as usize] {
                self.registers.fill(*register, constant_value(constant));
            }
        }
    }

    /// Gives the records that go on.
    fn steps(&mut self, steps: &[Step], of: Rows, walker: &mut Walker<'_>) -> Rows {
        let mut going = of;
        for step in steps {
            going &= !self.aside;
            if going == 0 {
                break;
            }
            match step {
                Step::Filter { operations, condition, keep, line } => {
                    let holds = self.holding(operations, *condition, *line, going, walker);
                    let dropped = going & if *keep { !holds } else { holds };
                    self.dropped |= dropped;
                    going &= !dropped;
                }
                Step::When { arms, otherwise } => {
                    let (mut rest, mut behind) = (going, 0);
                    for arm in arms {
                        if rest == 0 {
                            break;
                        }
                        let holds =
                            self.holding(&arm.operations, arm.condition, arm.line, rest, walker);
                        behind |= self.steps(&arm.body, holds, walker);
                        rest &= !holds & !self.aside;
                    }
                    going = behind | self.steps(otherwise, rest, walker);
                }
                Step::Emit { operations, template } => {
                    let emit = &self.program.emits[*template];
                    self.emit = emit.emit;
                    self.operate(operations, going, walker);
                    self.set_flags(&emit.flags, going);
                    self.emitted[*template] = going;
                }
                Step::Drop => {
                    self.dropped |= going;
                    going = 0;
                }
                Step::Reject => {
                    self.aside |= going;
                    going = 0;
                }
            }
        }
        going & !self.aside
    }

    /// The records for which a condition holds.
    fn holding(
        &mut self,
        operations: &Range<usize>,
        condition: Register,
        line: u32,
        of: Rows,
        walker: &mut Walker<'_>,
    ) -> Rows {
        self.operate(operations, of, walker);
        self.aside |= of & self.registers.invalid(condition);
        let taken = of & self.registers.truths(condition);
        self.counts.push(Count::Branch { line, reached: of, taken });
        taken
    }

    /// The records that are left to the walk, as far as is known before all their events are written.
    pub(crate) fn aside(&self) -> Rows {
        self.aside
    }

    /// Adds up what became of all records but those that were left to the walk.
    pub(crate) fn count(&self, aside: Rows, tally: &mut Tally, out: &mut Batch) {
        for count in &*self.counts {
            match *count {
                Count::Line { emit, line, outcome, rows } => {
                    let count = u64::from((rows & !aside).count_ones());
                    count_line(tally.line(emit, line), outcome, count);
                    if matches!(outcome, LineOutcome::Invalid | LineOutcome::InvalidIsZero) {
                        out.skipped_values += count;
                    }
                }
                Count::Branch { line, reached, taken } => {
                    let branch = tally.branch(line);
                    branch.reached += u64::from((reached & !aside).count_ones());
                    branch.taken += u64::from((taken & !aside).count_ones());
                }
            }
        }
    }

    /// Notes what became of a line of the event that is being made.
    #[inline(always)]
    fn count_rows(&mut self, line: usize, outcome: LineOutcome, rows: Rows) {
        if rows != 0 {
            self.counts.push(Count::Line { emit: self.emit, line, outcome, rows });
        }
    }
}

impl<'a> Run<'a, '_> {
    /// The walk evaluates an expression of a record. What it has evaluated before it knows.
    fn walk(
        &mut self,
        expr: ExprId,
        columns: &[Option<Register>; 8],
        row: usize,
        walker: &mut Walker<'_>,
    ) -> Value<'a> {
        if self.walks.is_empty() {
            self.walks.resize_with(self.found.rows(), || None);
        }
        let Walker { scratch, tally } = walker;
        let mut machine = match self.walks[row].take() {
            Some(suspended) => Machine::resume(suspended, scratch, tally),
            None => {
                let around = self.context.record(self.first + row, self.arena);
                let mut machine = Machine::new(around, scratch, tally);
                machine.fill_record(self.found.row(row));
                machine
            }
        };
        for (value, column) in machine.columns.iter_mut().zip(columns) {
            *value = column.map_or(Value::Missing, |column| self.registers.get(column, row));
        }
        let value = machine.eval(expr);
        // What is refused or counted then, the walk knows better.
        if machine.duplicate_key || machine.ambiguous_time {
            self.aside |= row_bit(row);
        }
        self.walks[row] = Some(machine.suspend());
        value
    }
}

fn count_line(counts: &mut LineCounts, outcome: LineOutcome, count: u64) {
    match outcome {
        LineOutcome::Value => counts.ok += count,
        LineOutcome::Incomplete => counts.incomplete += count,
        LineOutcome::Missing => {
            counts.missing += count;
            counts.skipped += count;
        }
        LineOutcome::MissingIsZero | LineOutcome::MissingIsHandled => {
            counts.missing += count;
            counts.defaulted += count;
        }
        LineOutcome::Invalid => {
            counts.invalid += count;
            counts.skipped += count;
        }
        LineOutcome::InvalidIsZero => {
            counts.invalid += count;
            counts.defaulted += count;
        }
    }
}
