//! Plans to programs.
//!
//! Every expression gets a register when it is first asked for, and keeps it: until the end of the part that may be
//! jumped over. What is evaluated only under a condition (the right side of `??`, the arms of an `if`) is such a part, if
//! it takes any operations at all.

use std::collections::HashMap;
use std::ops::Range;

use super::flags::NEVER;
use super::{Arm, Is, Kind, Operation, Program, Register, Step};
use crate::plan::{Check, Column, Expr, ExprId, Plan, Slot, Stmt};
use crate::types::Type;

/// A plan does something that no program does.
pub(super) struct Unsupported;

pub(super) fn compile(plan: &Plan) -> Option<Program> {
    let mut compiler = Compiler {
        plan,
        program: Program {
            operations: Vec::new(),
            constants: Vec::new(),
            registers: FIRST_FREE,
            flags: usize::from(NEVER) + 1,
            operands: Vec::new(),
            checks: Vec::new(),
            body: Vec::new(),
            emits: Vec::new(),
        },
        known: HashMap::new(),
        missing: None,
        columns: [None; 8],
        reads_event: false,
    };
    compiler.program.body = compiler.statements(&plan.body).ok()?;
    Some(compiler.program)
}

/// Behind the columns of the event.
pub(super) const ZERO: Register = Column::ALL.len() as Register;
/// Behind that.
pub(super) const ZERO_DECIMAL: Register = ZERO + 1;
/// A program that needs more costs more than it saves: all are cleared for each record. It also bounds what a shared
/// expression can come to that is evaluated anew in each of several parts.
const REGISTERS_MAX: usize = 2048;
const FIRST_FREE: usize = ZERO_DECIMAL as usize + 1;

pub(super) struct Compiler<'p> {
    pub(super) plan: &'p Plan,
    pub(super) program: Program,
    /// The registers of expressions that have been evaluated wherever what is compiled now is reached.
    pub(super) known: HashMap<ExprId, Register>,
    missing: Option<Register>,
    /// The columns that the present event has so far.
    pub(super) columns: [Option<Register>; 8],
    /// The expression that is being compiled depends on them.
    reads_event: bool,
}

impl Compiler<'_> {
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
        let start = self.program.operations.len();
        let condition = self.value(condition)?;
        Ok((start..self.program.operations.len(), condition))
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

    pub(super) fn register(&mut self) -> Result<Register, Unsupported> {
        if self.program.registers == REGISTERS_MAX {
            return Err(Unsupported);
        }
        self.program.registers += 1;
        // Far fewer than 2^16.
        Ok((self.program.registers - 1) as Register)
    }

    pub(super) fn push(&mut self, kind: Kind) -> Result<Register, Unsupported> {
        let to = self.register()?;
        self.program.operations.push(Operation { to, kind });
        Ok(to)
    }

    pub(super) fn check(&mut self, check: &Check) -> usize {
        self.program.checks.push(check.clone());
        self.program.checks.len() - 1
    }

    /// A register that is never written.
    pub(super) fn missing(&mut self) -> Result<Register, Unsupported> {
        match self.missing {
            Some(register) => Ok(register),
            None => {
                let register = self.register()?;
                self.missing = Some(register);
                Ok(register)
            }
        }
    }

    /// The register of an expression.
    pub(super) fn value(&mut self, id: ExprId) -> Result<Register, Unsupported> {
        if let Some(register) = self.known.get(&id) {
            return Ok(*register);
        }
        let plan = self.plan;
        let around = std::mem::take(&mut self.reads_event);
        let register = match &plan.exprs[id as usize] {
            Expr::Constant(_) => {
                let register = self.register()?;
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
                    self.push(Kind::Walk(id))?
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
            expr => {
                let kind = self.operation(id, expr)?;
                self.push(kind)?
            }
        };
        if !self.reads_event {
            self.known.insert(id, register);
        }
        self.reads_event |= around;
        Ok(register)
    }

    fn operation(&mut self, id: ExprId, expr: &Expr) -> Result<Kind, Unsupported> {
        Ok(match expr {
            Expr::Read(Slot::Scope(0, slot), Type::Text) => Kind::ReadText(*slot),
            Expr::Read(slot @ (Slot::Scope(0, _) | Slot::Choice(_)), ty) => Kind::Read(*slot, *ty),
            Expr::ReadString(slot @ (Slot::Scope(0, _) | Slot::Choice(_))) => {
                Kind::ReadString(*slot)
            }
            Expr::Concat(parts) => Kind::Concat(self.operands(parts)?),
            Expr::Not(operand) => Kind::Not(self.value(*operand)?),
            Expr::Negate(operand) => Kind::Negate(self.value(*operand)?),
            Expr::Compare(comparison, left, right) => {
                Kind::Compare(*comparison, self.value(*left)?, self.value(*right)?)
            }
            Expr::In(subject, _) => Kind::In(self.value(*subject)?, id),
            Expr::InTexts(subject, _) => Kind::InTexts(self.value(*subject)?, id),
            Expr::Matches(subject, _) => Kind::Matches(self.value(*subject)?, id),
            Expr::Arithmetic(operation, left, right) => {
                Kind::Arithmetic(*operation, self.value(*left)?, self.value(*right)?)
            }
            Expr::Is(outcome, negated, subject) => {
                Kind::Is(*outcome, *negated, self.value(*subject)?)
            }
            Expr::Match(arms) if self.is_all_constant(&arms.arms, arms.otherwise) => {
                Kind::Choose(self.value(arms.subject)?, id)
            }
            Expr::Cell(table, key, column) => {
                Kind::Cell { table: *table, key: self.value(*key)?, column: *column }
            }
            Expr::Call(_, args, _) => Kind::Call(id, self.operands(args)?),
            Expr::Convert(operand, ty) => Kind::Convert(self.value(*operand)?, *ty),
            _ => {
                // It may.
                self.reads_event = true;
                Kind::Walk(id)
            }
        })
    }

    /// Is it none of those that there are operations for?
    fn is_walked(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Read(slot, _) | Expr::ReadString(slot) => {
                !matches!(slot, Slot::Scope(0, _) | Slot::Choice(_))
            }
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

    pub(super) fn is_all_constant(&self, arms: &[ExprId], otherwise: ExprId) -> bool {
        let is_constant = |id: &ExprId| matches!(self.plan.exprs[*id as usize], Expr::Constant(_));
        arms.iter().all(is_constant) && is_constant(&otherwise)
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
            .push(Operation { to: register, kind: Kind::Unless(register, is, 0) });
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
        if let Kind::Unless(_, _, over) = &mut self.program.operations[jump].kind {
            *over = count;
        }
    }

    fn coalesce(&mut self, left: ExprId, right: ExprId) -> Result<Register, Unsupported> {
        let left = self.value(left)?;
        let to = self.register()?;
        let copy = self.program.operations.len();
        self.program.operations.push(Operation { to, kind: Kind::Copy(left) });
        let jump = self.program.operations.len();
        let part = self.part(left, Is::Missing, |compiler| compiler.value(right))?;
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
        let to = self.register()?;
        let missing = self.missing()?;
        // Of an invalid condition the result is that; the arms write over it otherwise.
        let select = self.program.operations.len();
        let kind = Kind::Select { condition, then: missing, otherwise: missing };
        self.program.operations.push(Operation { to, kind });
        let mut arms = [missing; 2];
        for (arm, (is, expr)) in [(Is::True, then), (Is::False, otherwise)].into_iter().enumerate()
        {
            let jump = self.program.operations.len();
            let part = self.part(condition, is, |compiler| compiler.value(expr))?;
            if part.1 {
                self.end_part(part, jump, to);
            } else {
                arms[arm] = part.0;
            }
        }
        let [then, otherwise] = arms;
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
        let to = self.register()?;
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
