//! Shared subexpressions: what is written twice is evaluated once.
//!
//! Expressions that say the same become one. If one that costs something is then asked for in several places, it gets a
//! register of the innermost scope that it reads: it is evaluated when it is first asked for, never before, and at most
//! once for each instance of that scope. So `.user.email |> lower` in a loop is evaluated once for the record.
//!
//! A `let` is an expression like others here, but that its author gave it a name is reason enough for a register if it
//! is used twice. What depends on the columns of an event gets none, since these change from event to event.

use std::collections::HashMap;

use weir_engine::plan::{Expr, ExprId, Origin, Plan, Ref, Register, Scope, ScopeId, Slot, Stmt};

use super::redirect_roots;

/// Makes equal expressions one, and the costly ones among them registers.
pub(super) fn share(plan: &mut Plan) {
    let named = unify(plan);
    let depends = dependencies(plan);
    let wanted = wanted(plan, &depends, &named);
    for (id, wanted) in wanted.into_iter().enumerate() {
        if let (true, Dependency::Scope(scope)) = (wanted, depends[id]) {
            hold(plan, id as ExprId, scope);
        }
    }
}

/// Makes equal expressions one, and puts those that registers hold in the place of these: gives which they were. The
/// text that is made for debugging shows all that an expression holds, and its operands by their numbers, which are
/// equal already where they say the same.
fn unify(plan: &mut Plan) -> Vec<bool> {
    let depends = dependencies(plan);
    let mut named = vec![false; plan.exprs.len()];
    let mut known: HashMap<String, ExprId> = HashMap::new();
    let mut stands_for: Vec<ExprId> = (0..plan.exprs.len() as ExprId).collect();
    for id in 0..plan.exprs.len() {
        plan.exprs[id].for_each_ref(&mut |part| {
            if let Ref::Expr(operand) = part {
                *operand = stands_for[*operand as usize];
            }
        });
        stands_for[id] = match held(plan, id, &depends) {
            Some(held) => {
                let held = stands_for[held as usize];
                named[held as usize] = !matches!(plan.exprs[held as usize], Expr::Constant(_));
                held
            }
            None => *known.entry(format!("{:?}", plan.exprs[id])).or_insert(id as ExprId),
        };
    }
    redirect_roots(plan, &stands_for);
    named
}

/// What a register holds, if it can be given one again.
fn held(plan: &Plan, id: usize, depends: &[Dependency]) -> Option<ExprId> {
    let Expr::Register(register) = plan.exprs[id] else { return None };
    let held = plan.registers[register as usize].expr;
    matches!(depends[held as usize], Dependency::Scope(_)).then_some(held)
}

/// Which expressions are worth a register: costly ones that are asked for in several places, or again and again in a
/// loop while they depend on what is around it only.
fn wanted(plan: &mut Plan, depends: &[Dependency], named: &[bool]) -> Vec<bool> {
    let mut uses = vec![0_u32; plan.exprs.len()];
    let mut wanted = vec![false; plan.exprs.len()];
    // Each with the scope in which it is asked for.
    let mut to_visit = asked_for(plan);
    while let Some((id, mut asked_in)) = to_visit.pop() {
        let index = id as usize;
        uses[index] += 1;
        if let Dependency::Scope(own) = depends[index]
            && (named[index] || is_costly(&plan.exprs[index]))
            && (uses[index] > 1 || own != asked_in)
        {
            wanted[index] = true;
            asked_in = own;
        }
        // Operands are asked for by it alone, however often it is itself.
        if uses[index] == 1 {
            plan.exprs[index].for_each_ref(&mut |part| match part {
                Ref::Scope(scope) => asked_in = *scope,
                Ref::Expr(operand) => to_visit.push((*operand, asked_in)),
                Ref::Register(_) | Ref::Slot(_) => {}
            });
        }
    }
    wanted
}

/// The expressions that statements, emits and registers ask for, with the scope in which they do.
fn asked_for(plan: &mut Plan) -> Vec<(ExprId, ScopeId)> {
    let mut asked = Vec::new();
    for id in 0..plan.exprs.len() {
        if let Expr::Register(register) = plan.exprs[id] {
            let Register { expr, scope } = plan.registers[register as usize];
            asked.push((expr, scope));
        }
    }
    let (mut body, mut emits) = (std::mem::take(&mut plan.body), std::mem::take(&mut plan.emits));
    for_each_statement(&mut body, 0, &mut |stmt, scope| match stmt {
        Stmt::Filter { condition, .. } => asked.push((*condition, scope)),
        Stmt::When { arms, .. } => {
            asked.extend(arms.iter().map(|(condition, _, _)| (*condition, scope)));
        }
        Stmt::Emit(emit) => emits[usize::from(*emit)].for_each_ref(&mut |part| {
            if let Ref::Expr(id) = part {
                asked.push((*id, scope));
            }
        }),
        Stmt::Each { .. } | Stmt::Drop | Stmt::Reject { .. } => {}
    });
    (plan.body, plan.emits) = (body, emits);
    plan.scopes.iter_mut().for_each(|scope| {
        let parent = scope.parent.unwrap_or(0);
        scope.for_each_ref(&mut |part| {
            if let Ref::Expr(id) = part {
                asked.push((*id, parent));
            }
        });
    });
    asked
}

/// Calls `see` for each statement, also those in others, with the scope that it stands in.
fn for_each_statement(stmts: &mut [Stmt], scope: ScopeId, see: &mut dyn FnMut(&mut Stmt, ScopeId)) {
    for stmt in stmts {
        see(stmt, scope);
        match stmt {
            Stmt::When { arms, otherwise } => {
                for (_, body, _) in arms {
                    for_each_statement(body, scope, see);
                }
                for_each_statement(otherwise, scope, see);
            }
            Stmt::Each { scope, body, .. } => for_each_statement(body, *scope, see),
            Stmt::Filter { .. } | Stmt::Emit(_) | Stmt::Drop | Stmt::Reject { .. } => {}
        }
    }
}

/// Is it worth a register? Reading one costs a little too.
fn is_costly(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Call(..)
            | Expr::Match(_)
            | Expr::Concat(_)
            | Expr::Matches(..)
            | Expr::Cell(..)
            | Expr::Count(..)
            | Expr::Any(..)
            | Expr::All(..)
            | Expr::Fold(..)
    )
}

/// What an expression's value depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dependency {
    /// This scope, and those around it.
    Scope(ScopeId),
    /// The columns of the event, or scopes that are not within each other.
    Other,
}

/// Of each expression. Operands stand before what they are operands of.
fn dependencies(plan: &mut Plan) -> Vec<Dependency> {
    let mut found: Vec<Dependency> = Vec::with_capacity(plan.exprs.len());
    for id in 0..plan.exprs.len() {
        let mut scopes = Vec::new();
        let mut other = matches!(plan.exprs[id], Expr::Column(_));
        // A list function goes through the elements itself: what it gives depends on the scope around them.
        let mut entered = None;
        let (plan_scopes, choices) = (&plan.scopes, &plan.choices);
        plan.exprs[id].for_each_ref(&mut |part| match part {
            Ref::Expr(operand) => match found.get(*operand as usize) {
                Some(Dependency::Scope(scope)) => scopes.push(*scope),
                Some(Dependency::Other) | None => other = true,
            },
            Ref::Register(register) => scopes.push(plan.registers[*register as usize].scope),
            Ref::Slot(slot) => {
                scopes.extend(slot.behind(choices).into_iter().filter_map(|slot| match slot {
                    Slot::Scope(scope, _) => Some(given(plan_scopes, scope)),
                    _ => None,
                }))
            }
            Ref::Scope(scope) => entered = Some(*scope),
        });
        match (&plan.exprs[id], entered) {
            (Expr::Index(scope), _) => scopes.push(*scope),
            (Expr::Count(..) | Expr::Any(..) | Expr::All(..) | Expr::Fold(..), Some(entered)) => {
                scopes.retain(|scope| *scope != entered);
            }
            // Its record is made of what the scope around it has.
            (Expr::Derived(scope, _), _) => scopes.push(given(&plan.scopes, *scope)),
            (_, Some(_)) => other = true,
            (_, None) => {}
        }
        let innermost = innermost(plan, &scopes);
        found.push(match innermost {
            Some(scope) if !other => Dependency::Scope(scope),
            _ => Dependency::Other,
        });
    }
    found
}

/// The scope that a record which the program makes belongs to: while that stays, it stays too.
fn given(scopes: &[Scope], mut scope: ScopeId) -> ScopeId {
    while let Scope {
        parent: Some(parent),
        origin: Origin::Call { .. } | Origin::Find { .. },
        ..
    } = &scopes[usize::from(scope)]
    {
        scope = *parent;
    }
    scope
}

/// The scope that all the others are around; none if there is no such.
fn innermost(plan: &Plan, scopes: &[ScopeId]) -> Option<ScopeId> {
    let around = |mut scope: ScopeId| {
        let mut around = vec![scope];
        while let Some(parent) = plan.scopes[usize::from(scope)].parent {
            around.push(parent);
            scope = parent;
        }
        around
    };
    let deepest = scopes.iter().copied().max_by_key(|scope| around(*scope).len()).unwrap_or(0);
    let around = around(deepest);
    scopes.iter().all(|scope| around.contains(scope)).then_some(deepest)
}

/// Puts a register in the place of an expression.
fn hold(plan: &mut Plan, id: ExprId, scope: ScopeId) {
    let moved = plan.exprs.len() as ExprId;
    let register = Expr::Register(plan.registers.len() as u32);
    let expr = std::mem::replace(&mut plan.exprs[id as usize], register);
    plan.exprs.push(expr);
    plan.registers.push(Register { expr: moved, scope });
}
