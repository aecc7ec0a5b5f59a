//! Dead branches: what no record can reach is not there.

use weir_engine::plan::{Plan, Stmt};

use super::truth;

/// Removes statements that are never reached, and conditions that are always the same.
pub(super) fn dead(plan: &mut Plan) {
    let body = std::mem::take(&mut plan.body);
    plan.body = reached(plan, body);
}

fn reached(plan: &Plan, stmts: Vec<Stmt>) -> Vec<Stmt> {
    let mut reached = Vec::with_capacity(stmts.len());
    for stmt in stmts {
        simplify(plan, stmt, &mut reached);
        if ends(&reached) {
            break;
        }
    }
    reached
}

/// Puts what is left of a statement behind the others.
fn simplify(plan: &Plan, stmt: Stmt, out: &mut Vec<Stmt>) {
    match stmt {
        Stmt::Filter { keep, condition, .. } if truth(plan, condition).is_some() => {
            if truth(plan, condition) != Some(keep) {
                out.push(Stmt::Drop);
            }
        }
        Stmt::When { arms, otherwise } => {
            let (mut left, mut otherwise) = (Vec::new(), otherwise);
            for (condition, body, line) in arms {
                match truth(plan, condition) {
                    Some(false) => {}
                    // No arm behind it is ever looked at.
                    Some(true) => {
                        otherwise = body;
                        break;
                    }
                    None => left.push((condition, self::reached(plan, body), line)),
                }
            }
            let otherwise = self::reached(plan, otherwise);
            if left.is_empty() {
                out.extend(otherwise);
            } else {
                out.push(Stmt::When { arms: left, otherwise });
            }
        }
        // The array is looked at even if nothing is done with its elements: it may be none, or too long.
        Stmt::Each { array, scope, max, body, line } => {
            let body = self::reached(plan, body);
            out.push(Stmt::Each { array, scope, max, body, line });
        }
        Stmt::Filter { .. } | Stmt::Emit(_) | Stmt::Drop | Stmt::Reject { .. } => out.push(stmt),
    }
}

/// Is nothing behind these statements ever reached?
fn ends(stmts: &[Stmt]) -> bool {
    match stmts.last() {
        Some(Stmt::Drop | Stmt::Reject { .. }) => true,
        Some(Stmt::When { arms, otherwise }) => {
            ends(otherwise) && arms.iter().all(|(_, body, _)| ends(body))
        }
        Some(Stmt::Filter { .. } | Stmt::Each { .. } | Stmt::Emit(_)) | None => false,
    }
}
