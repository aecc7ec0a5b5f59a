//! What the parts of a plan refer to: expressions and slots, each by its number.
//!
//! Who rewrites a plan changes these numbers, and who wants to know what is needed follows them. All parts are taken
//! apart to their last field here, so that no new one is forgotten.

use super::{
    Choice, Echo, Element, Emit, Expr, ExprId, Field, Handler, Match, Member, Object, Origin,
    OutputNode, Plan, Register, Scope, ScopeId, Slot, Stmt,
};

/// A number that something refers to something else by.
#[derive(Debug)]
pub enum Ref<'p> {
    /// An expression that is evaluated.
    Expr(&'p mut ExprId),
    /// A shared expression.
    Register(&'p mut u32),
    /// A slot that is read; those behind a choice are [`Slot::behind`] it.
    Slot(&'p mut Slot),
    /// A scope whose instances are entered or made, or whose present one is asked for its position.
    Scope(&'p mut ScopeId),
}

/// Is called for each number.
type See<'s> = dyn FnMut(Ref<'_>) + 's;

impl Plan {
    /// Calls `see` for all that statements, emits, registers and scopes refer to; not for what expressions do.
    pub fn for_each_root(&mut self, see: &mut See<'_>) {
        self.body.iter_mut().for_each(|stmt| stmt.for_each_ref(see));
        self.emits.iter_mut().for_each(|emit| emit.for_each_ref(see));
        self.registers.iter_mut().for_each(|register| register.for_each_ref(see));
        self.scopes.iter_mut().for_each(|scope| scope.for_each_ref(see));
    }
}

impl Slot {
    /// The slots of scopes and of the wrapper that it stands for: itself, or all that a choice may read.
    pub fn behind(self, choices: &[Choice]) -> Vec<Self> {
        match self {
            Self::Choice(choice) => choices[usize::from(choice)]
                .iter()
                .flat_map(|(probe, value)| [*probe, *value])
                .flat_map(|slot| slot.behind(choices))
                .collect(),
            other => vec![other],
        }
    }
}

impl Scope {
    /// Calls `see` for what its text is made from.
    pub fn for_each_ref(&mut self, see: &mut See<'_>) {
        let Self { parent: _, projection: _, origin } = self;
        match origin {
            Origin::Given => {}
            Origin::Call { callee: _, args, shape: _ } => {
                args.iter_mut().for_each(|arg| see(Ref::Expr(arg)));
            }
            Origin::Find { array, scope, value, condition } => {
                see(Ref::Slot(array));
                see(Ref::Scope(scope));
                see(Ref::Slot(value));
                see(Ref::Expr(condition));
            }
        }
    }
}

impl Register {
    /// Calls `see` for what it holds.
    pub fn for_each_ref(&mut self, see: &mut See<'_>) {
        let Self { expr, scope: _ } = self;
        see(Ref::Expr(expr));
    }
}

impl Stmt {
    /// Calls `see` for conditions and arrays, also those of the statements in it; an emit has its own.
    pub fn for_each_ref(&mut self, see: &mut See<'_>) {
        match self {
            Self::Filter { keep: _, condition, line: _ } => see(Ref::Expr(condition)),
            Self::When { arms, otherwise } => {
                for (condition, body, _) in arms {
                    see(Ref::Expr(condition));
                    body.iter_mut().for_each(|stmt| stmt.for_each_ref(see));
                }
                otherwise.iter_mut().for_each(|stmt| stmt.for_each_ref(see));
            }
            Self::Each { array, scope, max: _, body, line: _ } => {
                see(Ref::Slot(array));
                see(Ref::Scope(scope));
                body.iter_mut().for_each(|stmt| stmt.for_each_ref(see));
            }
            Self::Emit(_) | Self::Drop | Self::Reject { .. } => {}
        }
    }
}

impl Emit {
    /// Calls `see` for the values of all lines, and what else its objects ask for.
    pub fn for_each_ref(&mut self, see: &mut See<'_>) {
        let Self { class: _, columns, extra, root, members: _, constant_lines: _, line: _ } = self;
        columns.iter_mut().for_each(|field| field.for_each_ref(see));
        extra.iter_mut().for_each(|(_, field)| field.for_each_ref(see));
        root.for_each_ref(see);
    }
}

impl Field {
    /// Calls `see` for the value and the handlers' values.
    pub fn for_each_ref(&mut self, see: &mut See<'_>) {
        let Self { value, on_missing, on_invalid, .. } = self;
        see(Ref::Expr(value));
        for handler in [on_missing, on_invalid].into_iter().flatten() {
            if let Handler::Value(value) = handler {
                see(Ref::Expr(value));
            }
        }
    }
}

impl Object {
    /// Calls `see` for what it and the objects in it ask for.
    pub fn for_each_ref(&mut self, see: &mut See<'_>) {
        let Self { members, at_least_one: _, guard, is_complete: _ } = self;
        guard.iter_mut().for_each(|guard| see(Ref::Expr(guard)));
        for member in members {
            let Member { node, present: _, key: _, required: _, unless: _, filler: _ } = member;
            node.for_each_ref(see);
        }
    }
}

impl OutputNode {
    /// Calls `see` for what it holds.
    pub fn for_each_ref(&mut self, see: &mut See<'_>) {
        match self {
            Self::Constant(_) => {}
            Self::Value(field) => field.for_each_ref(see),
            Self::Enum(field, echoes) => {
                field.for_each_ref(see);
                for Echo { key: _, texts: _, other, check: _ } in echoes {
                    other.iter_mut().for_each(|other| see(Ref::Expr(other)));
                }
            }
            Self::Object(object) => object.for_each_ref(see),
            Self::List(elements) => {
                for element in elements {
                    match element {
                        Element::One(object) => object.for_each_ref(see),
                        Element::Each { array, scope, max: _, object } => {
                            see(Ref::Slot(array));
                            see(Ref::Scope(scope));
                            object.for_each_ref(see);
                        }
                    }
                }
            }
        }
    }
}

impl Expr {
    /// Calls `see` for operands, left to right, and for what else it reads.
    pub fn for_each_ref(&mut self, see: &mut See<'_>) {
        match self {
            Self::Constant(_) | Self::Meta(_) | Self::Column(_) => {}
            Self::Read(slot, _) | Self::ReadString(slot) => see(Ref::Slot(slot)),
            Self::Derived(scope, read) => {
                see(Ref::Scope(scope));
                see(Ref::Expr(read));
            }
            Self::Index(scope) => see(Ref::Scope(scope)),
            Self::Register(register) => see(Ref::Register(register)),
            Self::Concat(parts) | Self::List(parts) | Self::Call(_, parts, _) => {
                parts.iter_mut().for_each(|part| see(Ref::Expr(part)));
            }
            Self::Not(operand)
            | Self::Negate(operand)
            | Self::In(operand, _)
            | Self::InTexts(operand, _)
            | Self::Matches(operand, _)
            | Self::Is(_, _, operand)
            | Self::Cell(_, operand, _)
            | Self::Convert(operand, _) => see(Ref::Expr(operand)),
            Self::And(left, right)
            | Self::Or(left, right)
            | Self::Compare(_, left, right)
            | Self::Coalesce(left, right)
            | Self::InList(left, right)
            | Self::Arithmetic(_, left, right) => {
                see(Ref::Expr(left));
                see(Ref::Expr(right));
            }
            Self::If(condition, then, otherwise) => {
                [condition, then, otherwise].into_iter().for_each(|part| see(Ref::Expr(part)));
            }
            Self::Match(arms) => {
                let Match { subject, patterns: _, arms, otherwise } = &mut **arms;
                see(Ref::Expr(subject));
                arms.iter_mut().for_each(|arm| see(Ref::Expr(arm)));
                see(Ref::Expr(otherwise));
            }
            Self::Count(array, scope, condition) => {
                see(Ref::Slot(array));
                see(Ref::Scope(scope));
                condition.iter_mut().for_each(|condition| see(Ref::Expr(condition)));
            }
            Self::Any(array, scope, condition)
            | Self::All(array, scope, condition)
            | Self::Fold(_, array, scope, condition) => {
                see(Ref::Slot(array));
                see(Ref::Scope(scope));
                see(Ref::Expr(condition));
            }
        }
    }
}
