//! Columns that are always the same: `action = "login"`, or a cost that nobody writes and that is 0 then.
//!
//! What is derived from such a column is a constant too, or is never there: without a cost there is no enrichment.

use weir_engine::constant::fitted;
use weir_engine::decimal::Decimal;
use weir_engine::plan::{Column, Constant, Emit, Expr, ExprId, Field, Plan, Policy, Ref};
use weir_engine::types::Type;

use super::constant;

/// Puts constants in the place of columns; true if there were any. Each expression with a column still belongs to one
/// emit here.
pub(super) fn columns(plan: &mut Plan) -> bool {
    let mut emits = std::mem::take(&mut plan.emits);
    let mut found = false;
    for emit in &mut emits {
        let known = Column::ALL.map(|column| outcome(plan, column, &emit.columns[column as usize]));
        found |= known.iter().any(Option::is_some);
        replace(plan, emit, &known);
    }
    plan.emits = emits;
    found
}

/// The final outcome of a column, if it is always the same. A text column takes no empty text.
fn outcome(plan: &Plan, column: Column, field: &Field) -> Option<Constant> {
    let value = constant(plan, field.value)?;
    let is_empty = *value == Constant::Missing || *value == Constant::Text(String::new());
    if !is_empty {
        return fitted(&field.check, value);
    }
    let is_zero = field.on_missing.is_none() && field.missing == Policy::Zero;
    is_zero.then(|| match column.ty() {
        Type::Decimal => Constant::Decimal(Decimal::ZERO),
        _ => Constant::Int(0),
    })
}

/// Everything but the columns themselves: none of them sees another.
fn replace(plan: &mut Plan, emit: &mut Emit, known: &[Option<Constant>; 8]) {
    let mut to_visit: Vec<ExprId> = Vec::new();
    let mut note = |part: Ref<'_>| {
        if let Ref::Expr(id) = part {
            to_visit.push(*id);
        }
    };
    emit.extra.iter_mut().for_each(|(_, field)| field.for_each_ref(&mut note));
    emit.root.for_each_ref(&mut note);
    while let Some(id) = to_visit.pop() {
        let expr = &mut plan.exprs[id as usize];
        if let Expr::Column(column) = expr {
            if let Some(constant) = &known[*column as usize] {
                *expr = Expr::Constant(constant.clone());
            }
            continue;
        }
        expr.for_each_ref(&mut |part| {
            if let Ref::Expr(id) = part {
                to_visit.push(*id);
            }
        });
    }
}
