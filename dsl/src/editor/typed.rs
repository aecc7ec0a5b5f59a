//! The expressions of a typed tree, all of them.

use crate::hir;

/// Calls `see` for every expression of a program, parts included.
pub(super) fn each_expr<'p>(program: &'p hir::Program, see: &mut dyn FnMut(&'p hir::Expr)) {
    for item in &program.lets {
        parts(&item.expr, see);
    }
    stmts(&program.body, see);
}

fn parts<'p>(expr: &'p hir::Expr, see: &mut dyn FnMut(&'p hir::Expr)) {
    see(expr);
    expr.for_each_part(&mut |part| parts(part, see));
}

fn stmts<'p>(body: &'p [hir::Stmt], see: &mut dyn FnMut(&'p hir::Expr)) {
    for stmt in body {
        match stmt {
            hir::Stmt::Filter { condition, .. } => parts(condition, see),
            hir::Stmt::When { arms, otherwise } => {
                for (condition, body) in arms {
                    parts(condition, see);
                    stmts(body, see);
                }
                stmts(otherwise, see);
            }
            hir::Stmt::Each { body, .. } => stmts(body, see),
            hir::Stmt::Emit(emit) => {
                emit.columns.iter().for_each(|line| field(line, see));
                emit.extra.iter().for_each(|(_, line)| field(line, see));
                object(&emit.root, see);
            }
            hir::Stmt::Drop(_) | hir::Stmt::Reject(..) => {}
        }
    }
}

fn field<'p>(line: &'p hir::Field, see: &mut dyn FnMut(&'p hir::Expr)) {
    parts(&line.value, see);
    for handler in line.on_missing.iter().chain(&line.on_invalid) {
        if let hir::Handler::Value(expr) = handler {
            parts(expr, see);
        }
    }
}

fn object<'p>(outer: &'p hir::Object, see: &mut dyn FnMut(&'p hir::Expr)) {
    for member in &outer.members {
        match &member.node {
            hir::OutputNode::Constant(_) => {}
            hir::OutputNode::Value(line) | hir::OutputNode::Enum(line, _) => field(line, see),
            hir::OutputNode::Object(inner) => object(inner, see),
            hir::OutputNode::List(elements) => {
                for element in elements {
                    match element {
                        hir::Element::One(inner) => object(inner, see),
                        hir::Element::Each { object: inner, .. } => object(inner, see),
                    }
                }
            }
        }
    }
}
