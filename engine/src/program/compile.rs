//! Plans to programs.
//!
//! Every expression gets a register when it is first asked for, and keeps it: until the end of the part that is only for
//! some records. What is evaluated under a condition (the right side of `??`, the arms of an `if`) is such a part, if it
//! takes any operations at all. What the values of a register are follows from the expression, and mostly decides which
//! operation is taken.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::choice::Choice;
use super::flags::NEVER;
use super::registers::{Columns, Place, Shape};
use super::runs::Runs;
use super::{Arm, Is, Kind, Operation, Program, Register, Step};
use crate::plan::{Arithmetic, Callee, Check, Constant, Expr, ExprId, Patterns, Plan, Slot, Stmt};
use crate::types::Type;

/// A plan does something that no program does.
pub(super) struct Unsupported;

/// What is read in several parts of a step that are only for some records is read for all of them, before.
pub(super) fn compile(plan: &Plan) -> Option<Program> {
    let (program, read_again) = compile_reading(plan, HashSet::new())?;
    if read_again.is_empty() {
        return Some(program);
    }
    let first = compile_reading(plan, read_again);
    Some(first.map_or(program, |(program, _)| program))
}

/// Compiles a plan. Also gives what some step reads again, but for what each step is to read first.
fn compile_reading(plan: &Plan, first: HashSet<ExprId>) -> Option<(Program, HashSet<ExprId>)> {
    let mut compiler = Compiler {
        plan,
        program: Program {
            operations: Vec::new(),
            constants: Vec::new(),
            places: Vec::new(),
            columns: Columns::default(),
            flags: usize::from(NEVER) + 1,
            operands: Vec::new(),
            checks: Vec::new(),
            runs: Vec::new(),
            body: Vec::new(),
            emits: Vec::new(),
        },
        known: HashMap::new(),
        missing: None,
        columns: [None; 8],
        always: HashSet::new(),
        has_all_columns: false,
        reads_event: false,
        reads: Reads { first, ..Reads::default() },
    };
    // `ZERO` and `ZERO_DECIMAL`.
    for shape in [Shape::Int, Shape::Decimal] {
        compiler.register(shape).ok()?;
    }
    compiler.program.body = compiler.statements(&plan.body).ok()?;
    Some((compiler.program, compiler.reads.again))
}

/// Always 0.
pub(super) const ZERO: Register = 0;
/// Always 0.0.
pub(super) const ZERO_DECIMAL: Register = 1;
/// A program that needs more costs more than it saves. It also bounds what a shared expression can come to that is
/// evaluated anew in each of several parts.
const REGISTERS_MAX: usize = 2048;

pub(super) struct Compiler<'p> {
    pub(super) plan: &'p Plan,
    pub(super) program: Program,
    /// The registers of expressions that have been evaluated wherever what is compiled now is reached.
    pub(super) known: HashMap<ExprId, Register>,
    missing: Option<Register>,
    /// The columns that the present event has so far.
    pub(super) columns: [Option<Register>; 8],
    /// Those of them that always have a value, unless the record is left to the walk.
    pub(super) always: HashSet<Register>,
    /// No more columns of the present event are to come.
    pub(super) has_all_columns: bool,
    /// The expression that is being compiled depends on the columns.
    reads_event: bool,
    reads: Reads,
}

/// What is read of records.
#[derive(Default)]
struct Reads {
    /// What a step reads before all else.
    first: HashSet<ExprId>,
    /// The operations of the present step that do so, and their registers.
    operations: Vec<Operation>,
    known: HashMap<ExprId, Register>,
    /// What the present step reads.
    all: HashSet<ExprId>,
    /// What some step reads more than once.
    again: HashSet<ExprId>,
}

impl<'p> Compiler<'p> {
    fn statements(&mut self, body: &[Stmt]) -> Result<Vec<Step>, Unsupported> {
        body.iter().map(|statement| self.statement(statement)).collect()
    }

    fn statement(&mut self, statement: &Stmt) -> Result<Step, Unsupported> {
        Ok(match statement {
            Stmt::Filter { keep, condition, line } => {
                let (operations, condition) = self.condition(*condition)?;
                Step::Filter { operations, condition, keep: *keep, line: *line }
            }
            Stmt::When { arms, otherwise } => self.when(arms, otherwise)?,
            Stmt::Each { .. } => return Err(Unsupported),
            Stmt::Emit(emit) => self.emit(*emit)?,
            Stmt::Drop => Step::Drop,
            Stmt::Reject { .. } => Step::Reject,
        })
    }

    fn condition(&mut self, condition: ExprId) -> Result<(Range<usize>, Register), Unsupported> {
        let start = self.start_step();
        let condition = self.value(condition)?;
        self.known.extend(&self.reads.known);
        Ok((self.end_step(start), condition))
    }

    /// Where the operations of a step begin.
    pub(super) fn start_step(&mut self) -> usize {
        self.reads.all.clear();
        self.reads.known.clear();
        self.program.operations.len()
    }

    /// The operations of a step, those that read first.
    pub(super) fn end_step(&mut self, start: usize) -> Range<usize> {
        self.program.operations.splice(start..start, self.reads.operations.drain(..));
        start..self.program.operations.len()
    }

    /// Compiles what reads a value of the record.
    fn push_read(&mut self, id: ExprId, kind: Kind, shape: Shape) -> Result<Register, Unsupported> {
        if !self.reads.all.insert(id) {
            self.reads.again.insert(id);
        }
        if !self.reads.first.contains(&id) {
            return self.push(kind, shape);
        }
        let to = self.register(shape)?;
        self.reads.operations.push(Operation { to, kind });
        self.reads.known.insert(id, to);
        Ok(to)
    }

    /// What an arm evaluates is known to the arms behind it, and to nothing else.
    fn when(
        &mut self,
        arms: &[(ExprId, Vec<Stmt>, u32)],
        otherwise: &[Stmt],
    ) -> Result<Step, Unsupported> {
        let before = self.known.clone();
        let mut compiled = Vec::new();
        for (condition, body, line) in arms {
            let (operations, condition) = self.condition(*condition)?;
            let known = self.known.clone();
            let body = self.statements(body)?;
            self.known = known;
            compiled.push(Arm { operations, condition, body, line: *line });
        }
        let otherwise = self.statements(otherwise)?;
        self.known = before;
        Ok(Step::When { arms: compiled, otherwise })
    }

    /// A new register.
    pub(super) fn register(&mut self, shape: Shape) -> Result<Register, Unsupported> {
        let place = self.program.columns.add(shape);
        self.alias(place)
    }

    /// A new register with the values of another: only who has them may differ.
    pub(super) fn alias(&mut self, place: Place) -> Result<Register, Unsupported> {
        let places = &mut self.program.places;
        if places.len() == REGISTERS_MAX {
            return Err(Unsupported);
        }
        places.push(place);
        // Far fewer than 2^16.
        Ok((places.len() - 1) as Register)
    }

    pub(super) fn place(&self, register: Register) -> Place {
        self.program.places[usize::from(register)]
    }

    pub(super) fn shape(&self, register: Register) -> Shape {
        self.place(register).shape
    }

    /// Gives a register its place, once it is known what it holds.
    fn set_shape(&mut self, register: Register, shape: Shape) {
        self.program.places[usize::from(register)] = self.program.columns.add(shape);
    }

    pub(super) fn push(&mut self, kind: Kind, shape: Shape) -> Result<Register, Unsupported> {
        let to = self.register(shape)?;
        self.program.operations.push(Operation { to, kind });
        Ok(to)
    }

    pub(super) fn check(&mut self, check: &Check) -> usize {
        self.program.checks.push(check.clone());
        let pattern = match check {
            Check::LimitedText(limits) => limits.pattern.as_ref(),
            _ => None,
        };
        self.program.runs.push(pattern.and_then(|pattern| Runs::new(pattern.as_str())));
        self.program.checks.len() - 1
    }

    /// A register that is never written.
    pub(super) fn missing(&mut self) -> Result<Register, Unsupported> {
        match self.missing {
            Some(register) => Ok(register),
            None => {
                let register = self.register(Shape::Nothing)?;
                self.missing = Some(register);
                Ok(register)
            }
        }
    }

    /// The register of an expression.
    pub(super) fn value(&mut self, id: ExprId) -> Result<Register, Unsupported> {
        if let Some(register) = self.known.get(&id).or_else(|| self.reads.known.get(&id)) {
            return Ok(*register);
        }
        let plan = self.plan;
        let around = std::mem::take(&mut self.reads_event);
        let register = match &plan.exprs[id as usize] {
            Expr::Constant(constant) => {
                let register = self.register(Shape::of_constant(constant))?;
                self.program.constants.push((register, id));
                register
            }
            Expr::Register(shared) => {
                let shared = plan.registers[*shared as usize];
                if shared.scope != 0 {
                    return Err(Unsupported);
                }
                let register = if self.is_walked(&plan.exprs[shared.expr as usize]) {
                    // The walk evaluates what is shared once only.
                    self.push(Kind::Walk(id, Box::new(self.columns)), Shape::Any)?
                } else {
                    self.value(shared.expr)?
                };
                // What depends on an event is not shared.
                self.reads_event = false;
                register
            }
            Expr::Column(column) => {
                self.reads_event = true;
                match self.columns[*column as usize] {
                    Some(register) => register,
                    None => self.missing()?,
                }
            }
            Expr::Coalesce(left, right) => self.coalesce(*left, *right)?,
            Expr::If(condition, then, otherwise) => self.choice(*condition, *then, *otherwise)?,
            Expr::And(left, right) => self.and_or(*left, *right, false)?,
            Expr::Or(left, right) => self.and_or(*left, *right, true)?,
            Expr::Call(callee, args, _) => self.call(id, callee, args)?,
            Expr::Convert(operand, ty) => match self.usual(id, ty_function(*ty), *operand)? {
                Some(register) => register,
                None => {
                    let kind = Kind::Convert(self.value(*operand)?, *ty);
                    self.push(kind, Shape::of(*ty))?
                }
            },
            expr => {
                let (kind, shape) = self.operation(id, expr)?;
                match kind {
                    Kind::ReadText(_) | Kind::ReadString(Slot::Scope(..)) => {
                        self.push_read(id, kind, shape)?
                    }
                    kind => self.push(kind, shape)?,
                }
            }
        };
        if !self.reads_event || self.has_all_columns {
            self.known.insert(id, register);
        }
        self.reads_event |= around;
        Ok(register)
    }

    fn operation(&mut self, id: ExprId, expr: &Expr) -> Result<(Kind, Shape), Unsupported> {
        Ok(match expr {
            Expr::Read(Slot::Scope(0, slot), Type::Text) => (Kind::ReadText(*slot), Shape::Text),
            Expr::Read(slot, ty) if self.is_of_record(*slot) => {
                (Kind::Read(*slot, *ty), Shape::of(*ty))
            }
            Expr::ReadString(slot) if self.is_of_record(*slot) => {
                (Kind::ReadString(*slot), Shape::Text)
            }
            Expr::Concat(parts) => (Kind::Concat(self.operands(parts)?), Shape::Text),
            Expr::Not(operand) => (Kind::Not(self.value(*operand)?), Shape::Bool),
            Expr::Negate(operand) => {
                let operand = self.value(*operand)?;
                (Kind::Negate(operand), self.shape(operand))
            }
            Expr::Compare(comparison, left, right) => {
                (Kind::Compare(*comparison, self.value(*left)?, self.value(*right)?), Shape::Bool)
            }
            Expr::In(subject, _) => (Kind::In(self.value(*subject)?, id), Shape::Bool),
            Expr::InTexts(subject, _) => (Kind::InTexts(self.value(*subject)?, id), Shape::Bool),
            Expr::Matches(subject, pattern) => {
                let subject = self.value(*subject)?;
                let is_text = self.shape(subject) == Shape::Text;
                let runs = is_text.then(|| Runs::new(pattern.as_str())).flatten();
                (Kind::Matches(subject, id, runs.map(Box::new)), Shape::Bool)
            }
            Expr::Arithmetic(operation, left, right) => {
                if let Some(kind) = self.by_whole(*operation, *left, *right)? {
                    return Ok((kind, Shape::Decimal));
                }
                let (left, right) = (self.value(*left)?, self.value(*right)?);
                let shape = computed(*operation, self.shape(left), self.shape(right));
                (Kind::Arithmetic(*operation, left, right), shape)
            }
            Expr::Is(outcome, negated, subject) => {
                (Kind::Is(*outcome, *negated, self.value(*subject)?), Shape::Bool)
            }
            Expr::Match(arms) if self.is_all_constant(&arms.arms, arms.otherwise) => {
                let arm_values = arms.arms.iter().chain([&arms.otherwise; 2]);
                let constants: Vec<_> = arm_values.map(|arm| self.constant(*arm)).collect();
                let (subject, shape) = (self.value(arms.subject)?, shape_of(&constants));
                let choice = self.choice_by(subject, &arms.patterns, &constants, shape);
                (choice.unwrap_or(Kind::Match(subject, id)), shape)
            }
            Expr::Cell(table, key, column) => {
                let rows = &self.plan.tables[usize::from(*table)];
                let cell = |row: &'p [Constant]| &row[usize::from(*column)];
                let otherwise =
                    rows.otherwise.map_or(&Constant::Missing, |row| cell(&rows.rows[row as usize]));
                let cells = rows.rows.iter().map(|row| cell(row));
                let constants: Vec<_> = cells.chain([otherwise, &Constant::Missing]).collect();
                let (key, shape) = (self.value(*key)?, shape_of(&constants));
                let choice = self.choice_by(key, &rows.keys, &constants, shape);
                (choice.unwrap_or(Kind::Cell { table: *table, key, column: *column }), shape)
            }
            _ => {
                // It may.
                self.reads_event = true;
                (Kind::Walk(id, Box::new(self.columns)), Shape::Any)
            }
        })
    }

    fn call(
        &mut self,
        id: ExprId,
        callee: &Callee,
        args: &[ExprId],
    ) -> Result<Register, Unsupported> {
        if let ([arg], []) = (args, &callee.literals[..])
            && let Some(register) = self.usual(id, callee.name, *arg)?
        {
            return Ok(register);
        }
        let args = self.operands(args)?;
        self.push(Kind::Call(id, args), Shape::of_result(callee.name))
    }

    /// A decimal by a whole number, as prices and costs are computed.
    fn by_whole(
        &mut self,
        operation: Arithmetic,
        left: ExprId,
        right: ExprId,
    ) -> Result<Option<Kind>, Unsupported> {
        let plan = self.plan;
        match (operation, &plan.exprs[left as usize], &plan.exprs[right as usize]) {
            (Arithmetic::Divide, _, Expr::Constant(Constant::Decimal(divisor))) => {
                let whole = divisor.to_i64().filter(|whole| *whole > 0);
                let left = self.value(left)?;
                Ok(whole
                    .filter(|_| self.shape(left) == Shape::Decimal)
                    .map(|whole| Kind::DivideBy(left, whole)))
            }
            (Arithmetic::Multiply, Expr::Convert(whole, Type::Decimal), _) => {
                let (whole, right) = (self.value(*whole)?, self.value(right)?);
                let shapes = (self.shape(whole), self.shape(right));
                Ok((shapes == (Shape::Int, Shape::Decimal)).then_some(Kind::Times(whole, right)))
            }
            _ => Ok(None),
        }
    }

    /// Many functions have an operation of their own for what they are mostly given.
    fn usual(
        &mut self,
        id: ExprId,
        name: &str,
        arg: ExprId,
    ) -> Result<Option<Register>, Unsupported> {
        if let Expr::Read(Slot::Scope(0, slot), Type::Text) = &self.plan.exprs[arg as usize] {
            match name {
                "int" => {
                    return self.push_read(id, Kind::ReadInt(*slot, id), Shape::Int).map(Some);
                }
                "decimal" => {
                    let kind = Kind::ReadDecimal(*slot, id);
                    return self.push_read(id, kind, Shape::Decimal).map(Some);
                }
                _ => {}
            }
        }
        let arg = self.value(arg)?;
        let (kind, shape) = match (name, self.shape(arg)) {
            ("timestamp", Shape::Text) => (Kind::Timestamp(arg), Shape::Timestamp),
            ("lower", Shape::Text) => (Kind::Lower(arg), Shape::Text),
            ("ip", Shape::Text) => (Kind::Ip(arg), Shape::Ip),
            ("decimal", Shape::Int) => (Kind::ToDecimal(arg), Shape::Decimal),
            ("text", Shape::Int | Shape::Decimal) => (Kind::NumberText(arg), Shape::Text),
            ("int", Shape::Int) | ("decimal", Shape::Decimal) => return Ok(Some(arg)),
            _ => return Ok(None),
        };
        self.push(kind, shape).map(Some)
    }

    /// Is it none of those that there are operations for?
    fn is_walked(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Read(slot, _) | Expr::ReadString(slot) => !self.is_of_record(*slot),
            Expr::Match(arms) => !self.is_all_constant(&arms.arms, arms.otherwise),
            Expr::Derived(..)
            | Expr::Meta(_)
            | Expr::Index(_)
            | Expr::Count(..)
            | Expr::Any(..)
            | Expr::All(..)
            | Expr::Fold(..)
            | Expr::List(_)
            | Expr::InList(..) => true,
            _ => false,
        }
    }

    /// Is it found in the record, and not around it or in an element?
    fn is_of_record(&self, slot: Slot) -> bool {
        match slot {
            Slot::Scope(scope, _) => scope == 0,
            Slot::Choice(choice) => {
                let ways = &self.plan.choices[usize::from(choice)];
                let mut slots = ways.iter().flat_map(|(probe, value)| [*probe, *value]);
                slots.all(|slot| self.is_of_record(slot))
            }
            Slot::Wrapper(_) | Slot::WrapperPart(..) => false,
        }
    }

    pub(super) fn is_all_constant(&self, arms: &[ExprId], otherwise: ExprId) -> bool {
        let is_constant = |id: &ExprId| matches!(self.plan.exprs[*id as usize], Expr::Constant(_));
        arms.iter().all(is_constant) && is_constant(&otherwise)
    }

    /// The constant that an expression is.
    fn constant(&self, id: ExprId) -> &'p Constant {
        match &self.plan.exprs[id as usize] {
            Expr::Constant(constant) => constant,
            _ => &Constant::Missing,
        }
    }

    fn choice_by(
        &self,
        subject: Register,
        patterns: &Patterns,
        constants: &[&Constant],
        shape: Shape,
    ) -> Option<Kind> {
        if self.shape(subject) != Shape::Text {
            return None;
        }
        Choice::new(patterns, constants, shape).map(|choice| Kind::Choose(subject, choice.into()))
    }

    fn operands(&mut self, exprs: &[ExprId]) -> Result<Range<usize>, Unsupported> {
        let operands: Result<Vec<_>, _> = exprs.iter().map(|expr| self.value(*expr)).collect();
        let start = self.program.operands.len();
        self.program.operands.extend(operands?);
        Ok(start..self.program.operands.len())
    }

    /// Compiles a part that is jumped over unless a register is as here. True if it took any operations.
    fn part(
        &mut self,
        register: Register,
        is: Is,
        compile: impl FnOnce(&mut Self) -> Result<Register, Unsupported>,
    ) -> Result<(Register, bool), Unsupported> {
        let jump = self.program.operations.len();
        self.program
            .operations
            .push(Operation { to: register, kind: Kind::Within(register, is, 0) });
        let known = self.known.clone();
        let value = compile(self)?;
        if self.program.operations.len() == jump + 1 {
            // Only constants and what was known: that stays so.
            self.program.operations.pop();
            return Ok((value, false));
        }
        self.known = known;
        Ok((value, true))
    }

    /// Ends a part: its value goes to a register that is written in any case.
    fn end_part(&mut self, part: (Register, bool), jump: usize, to: Register) {
        self.program.operations.push(Operation { to, kind: Kind::Copy(part.0) });
        self.jump_to_here(jump);
    }

    /// Lets the jump of a part lead behind the last operation.
    pub(super) fn jump_to_here(&mut self, jump: usize) {
        let count = self.program.operations.len() - jump - 1;
        if let Kind::Within(_, _, over) = &mut self.program.operations[jump].kind {
            *over = count;
        }
    }

    fn coalesce(&mut self, left: ExprId, right: ExprId) -> Result<Register, Unsupported> {
        let left = self.value(left)?;
        let to = self.register(Shape::Nothing)?;
        let copy = self.program.operations.len();
        self.program.operations.push(Operation { to, kind: Kind::Copy(left) });
        let jump = self.program.operations.len();
        let part = self.part(left, Is::Missing, |compiler| compiler.value(right))?;
        self.set_shape(to, self.shape(left).or(self.shape(part.0)));
        if part.1 {
            self.end_part(part, jump, to);
        } else {
            self.program.operations[copy].kind = Kind::Coalesce(left, part.0);
        }
        Ok(to)
    }

    fn choice(
        &mut self,
        condition: ExprId,
        then: ExprId,
        otherwise: ExprId,
    ) -> Result<Register, Unsupported> {
        let condition = self.value(condition)?;
        let to = self.register(Shape::Nothing)?;
        let missing = self.missing()?;
        // Of an invalid condition the result is that; the arms write over it otherwise.
        let select = self.program.operations.len();
        let kind = Kind::Select { condition, then: missing, otherwise: missing };
        self.program.operations.push(Operation { to, kind });
        let mut arms = [missing; 2];
        let mut shape = Shape::Nothing;
        for (arm, (is, expr)) in [(Is::True, then), (Is::False, otherwise)].into_iter().enumerate()
        {
            let jump = self.program.operations.len();
            let part = self.part(condition, is, |compiler| compiler.value(expr))?;
            shape = shape.or(self.shape(part.0));
            if part.1 {
                self.end_part(part, jump, to);
            } else {
                arms[arm] = part.0;
            }
        }
        let [then, otherwise] = arms;
        self.set_shape(to, shape);
        self.program.operations[select].kind = Kind::Select { condition, then, otherwise };
        Ok(to)
    }

    fn and_or(
        &mut self,
        left: ExprId,
        right: ExprId,
        decided_by: bool,
    ) -> Result<Register, Unsupported> {
        let left = self.value(left)?;
        let undecided = if decided_by { Is::False } else { Is::True };
        let to = self.register(Shape::Bool)?;
        let first = self.program.operations.len();
        self.program
            .operations
            .push(Operation { to, kind: Kind::AndOr { left, right: left, decided_by } });
        let jump = self.program.operations.len();
        let part = self.part(left, undecided, |compiler| compiler.value(right))?;
        let kind = Kind::AndOr { left, right: part.0, decided_by };
        if part.1 {
            self.program.operations.push(Operation { to, kind });
            self.jump_to_here(jump);
        } else {
            self.program.operations[first].kind = kind;
        }
        Ok(to)
    }
}

/// What constants are.
fn shape_of(constants: &[&Constant]) -> Shape {
    let shapes = constants.iter().map(|constant| Shape::of_constant(constant));
    shapes.fold(Shape::Nothing, Shape::or)
}

/// The function that reads a type.
fn ty_function(ty: Type) -> &'static str {
    match ty {
        Type::Text => "text",
        Type::Int => "int",
        Type::Decimal => "decimal",
        Type::Timestamp => "timestamp",
        Type::Ip => "ip",
        _ => "",
    }
}

/// What an operation on numbers or times gives.
fn computed(operation: Arithmetic, left: Shape, right: Shape) -> Shape {
    use Shape::{Any, Decimal, Duration, Int, Timestamp};
    match (operation, left, right) {
        (Arithmetic::Divide, Int | Decimal, Int | Decimal) => Decimal,
        (_, Int, Int) => Int,
        (_, Int | Decimal, Int | Decimal) => Decimal,
        (Arithmetic::Subtract, Timestamp, Timestamp) => Duration,
        (Arithmetic::Add | Arithmetic::Subtract, Timestamp, Duration)
        | (Arithmetic::Add, Duration, Timestamp) => Timestamp,
        (Arithmetic::Add | Arithmetic::Subtract, Duration, Duration) => Duration,
        _ => Any,
    }
}
