//! Work that can be done once is done here, and not for each record. No pass changes what a plan means: not the events,
//! not which failure of a record is reported, and nothing is evaluated that was not before.
//!
//! Each pass rewrites the plan in place and knows nothing of the others; expressions keep standing behind their operands.
//! An expression, a register or an emit that nothing refers to any more stays where it is: it costs nothing.

mod columns;
mod dead;
mod fold;
mod sets;
mod share;
mod sweep;
mod template;

use weir_engine::plan::{Constant, Expr, ExprId, Plan, Ref};

/// Optimises a plan.
pub(super) fn optimise(plan: &mut Plan) {
    fold::fold(plan);
    if columns::columns(plan) {
        fold::fold(plan);
    }
    dead::dead(plan);
    sets::sets(plan);
    template::template(plan);
    share::share(plan);
    sweep::sweep(plan);
}

/// The constant that an expression is, if it is one.
fn constant(plan: &Plan, id: ExprId) -> Option<&Constant> {
    match &plan.exprs[id as usize] {
        Expr::Constant(constant) => Some(constant),
        _ => None,
    }
}

/// How a constant condition comes out. Missing counts as false.
fn truth(plan: &Plan, id: ExprId) -> Option<bool> {
    constant(plan, id).map(|constant| *constant == Constant::Bool(true))
}

/// Makes everything refer to what now stands for an expression.
fn redirect_roots(plan: &mut Plan, stands_for: &[ExprId]) {
    plan.for_each_root(&mut |part| {
        if let Ref::Expr(id) = part {
            *id = stands_for[*id as usize];
        }
    });
}
