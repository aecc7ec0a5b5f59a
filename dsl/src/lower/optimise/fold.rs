//! Constant folding: an expression whose operands are constants is computed here, by the engine's own evaluator.
//!
//! Where only one operand decides, as the condition of an `if`, the part that it chooses takes the place of the whole.
//! What would be invalid stays as it is, to be found invalid where a record reaches it.

use weir_engine::constant::{evaluate, to_text};
use weir_engine::plan::{Constant, Expr, ExprId, Plan, Ref};

use super::{constant, redirect_roots, truth};

/// What stands for an expression.
enum Folded {
    Itself,
    Constant(Constant),
    Other(ExprId),
}

/// Folds all expressions. One walk is enough, for operands stand before what they are operands of.
pub(super) fn fold(plan: &mut Plan) {
    let mut stands_for: Vec<ExprId> = (0..plan.exprs.len() as ExprId).collect();
    for id in 0..plan.exprs.len() {
        plan.exprs[id].for_each_ref(&mut |part| {
            if let Ref::Expr(operand) = part {
                *operand = stands_for[*operand as usize];
            }
        });
        match folded(plan, id as ExprId, &stands_for) {
            Folded::Itself => {}
            Folded::Constant(constant) => plan.exprs[id] = Expr::Constant(constant),
            Folded::Other(other) => stands_for[id] = other,
        }
    }
    redirect_roots(plan, &stands_for);
}

fn folded(plan: &mut Plan, id: ExprId, stands_for: &[ExprId]) -> Folded {
    if is_computed(plan, id) {
        return evaluate(plan, id).map_or(Folded::Itself, Folded::Constant);
    }
    let other = |id: ExprId| Folded::Other(id);
    match &plan.exprs[id as usize] {
        Expr::Register(register) => {
            let held = stands_for[plan.registers[*register as usize].expr as usize];
            if constant(plan, held).is_some() { other(held) } else { Folded::Itself }
        }
        Expr::Coalesce(left, right) => match (constant(plan, *left), constant(plan, *right)) {
            (Some(Constant::Missing), _) => other(*right),
            (Some(_), _) | (None, Some(Constant::Missing)) => other(*left),
            (None, _) => Folded::Itself,
        },
        Expr::If(condition, then, otherwise) => match truth(plan, *condition) {
            Some(true) => other(*then),
            Some(false) => other(*otherwise),
            None => Folded::Itself,
        },
        Expr::And(left, right) => decided(plan, *left, *right, false),
        Expr::Or(left, right) => decided(plan, *left, *right, true),
        Expr::Match(arms) => match constant(plan, arms.subject) {
            Some(subject) => {
                let arm = to_text(subject).and_then(|text| arms.patterns.get(&text));
                other(arm.map_or(arms.otherwise, |arm| arms.arms[arm as usize]))
            }
            None => Folded::Itself,
        },
        _ => Folded::Itself,
    }
}

/// `and` and `or` with a constant on the left: it decides, or the right does.
fn decided(plan: &Plan, left: ExprId, right: ExprId, by: bool) -> Folded {
    match truth(plan, left) {
        Some(truth) if truth == by => Folded::Constant(Constant::Bool(by)),
        // Only what is never missing may stand for the whole, which never is.
        Some(_) if is_never_missing(plan, right) => Folded::Other(right),
        _ => Folded::Itself,
    }
}

fn is_never_missing(plan: &Plan, id: ExprId) -> bool {
    matches!(
        &plan.exprs[id as usize],
        Expr::Constant(Constant::Bool(_))
            | Expr::Not(_)
            | Expr::And(..)
            | Expr::Or(..)
            | Expr::Compare(..)
            | Expr::In(..)
            | Expr::InTexts(..)
            | Expr::InList(..)
            | Expr::Matches(..)
            | Expr::Is(..)
    )
}

/// Is it computed from its operands alone, and are all of them constants? What is not named here reads something else.
fn is_computed(plan: &mut Plan, id: ExprId) -> bool {
    let expr = &mut plan.exprs[id as usize];
    let depends_on_operands = matches!(
        expr,
        Expr::Concat(_)
            | Expr::Not(_)
            | Expr::Negate(_)
            | Expr::And(..)
            | Expr::Or(..)
            | Expr::Compare(..)
            | Expr::In(..)
            | Expr::InTexts(..)
            | Expr::Matches(..)
            | Expr::Arithmetic(..)
            | Expr::Is(..)
            | Expr::Cell(..)
            | Expr::Call(..)
            | Expr::Convert(..)
    );
    let mut operands = Vec::new();
    expr.for_each_ref(&mut |part| {
        if let Ref::Expr(operand) = part {
            operands.push(*operand);
        }
    });
    depends_on_operands
        && !operands.is_empty()
        && operands.iter().all(|operand| constant(plan, *operand).is_some())
}
