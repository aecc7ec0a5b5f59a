//! Every path that a program reads, found by walking its whole tree.

use std::collections::HashSet;

use weir_dsl::hir::{
    DerivedKind, Echo, Element, Emit, Expr, ExprKind, Field, Handler, Object, OutputNode, Path,
    Program, Root, Stmt,
};

/// What was found so far.
#[derive(Default)]
struct Found {
    paths: Vec<Path>,
    lets: Vec<usize>,
}

impl Found {
    fn push(&mut self, path: Path) {
        self.paths.push(path);
    }
}

/// All of them, in no special order, repetitions included. What a `let` or a record reads counts only if it is used.
pub(super) fn of(program: &Program) -> Vec<Path> {
    let mut found = Found::default();
    stmts(&program.body, &mut found);
    let (mut lets, mut derived) = (HashSet::new(), HashSet::new());
    let (mut next_let, mut next_path) = (0, 0);
    loop {
        if let Some(index) = found.lets.get(next_let).copied() {
            next_let += 1;
            if lets.insert(index) {
                expr(&program.lets[index].expr, &mut found);
            }
        } else if let Some(path) = found.paths.get(next_path) {
            next_path += 1;
            if let Root::Derived(id) = path.root
                && derived.insert(id)
            {
                made(&program.derived[id as usize].kind, &mut found);
            }
        } else {
            return found.paths;
        }
    }
}

fn made(kind: &DerivedKind, paths: &mut Found) {
    match kind {
        DerivedKind::Call { args, .. } => args.iter().for_each(|arg| expr(arg, paths)),
        DerivedKind::Find { array, value, condition, .. } => {
            paths.push(array.clone());
            paths.push(value.clone());
            expr(condition, paths);
        }
    }
}

fn stmts(body: &[Stmt], paths: &mut Found) {
    for stmt in body {
        match stmt {
            Stmt::Filter { condition, .. } => expr(condition, paths),
            Stmt::When { arms, otherwise } => {
                for (condition, body) in arms {
                    expr(condition, paths);
                    stmts(body, paths);
                }
                stmts(otherwise, paths);
            }
            Stmt::Each { array, body, .. } => {
                paths.push(array.clone());
                stmts(body, paths);
            }
            Stmt::Emit(emit_stmt) => emit(emit_stmt, paths),
            Stmt::Drop(_) | Stmt::Reject(..) => {}
        }
    }
}

fn emit(emit: &Emit, paths: &mut Found) {
    emit.columns.iter().for_each(|column| field(column, paths));
    emit.extra.iter().for_each(|(_, extra)| field(extra, paths));
    object(&emit.root, paths);
}

fn field(field: &Field, paths: &mut Found) {
    expr(&field.value, paths);
    for handler in [&field.on_missing, &field.on_invalid].into_iter().flatten() {
        if let Handler::Value(value) = handler {
            expr(value, paths);
        }
    }
}

fn object(object_node: &Object, paths: &mut Found) {
    if let Some(guard) = &object_node.guard {
        expr(guard, paths);
    }
    for member in &object_node.members {
        match &member.node {
            OutputNode::Constant(_) => {}
            OutputNode::Value(value) => field(value, paths),
            OutputNode::Enum(value, echoes) => {
                field(value, paths);
                let others = echoes.iter().filter_map(|Echo { other, .. }| other.as_ref());
                others.for_each(|other| expr(other, paths));
            }
            OutputNode::Object(inner) => object(inner, paths),
            OutputNode::List(elements) => {
                for element in elements {
                    match element {
                        Element::One(inner) => object(inner, paths),
                        Element::Each { array, object: inner, .. } => {
                            paths.push(array.clone());
                            object(inner, paths);
                        }
                    }
                }
            }
        }
    }
}

fn expr(node: &Expr, paths: &mut Found) {
    match &node.kind {
        ExprKind::Constant(_) | ExprKind::Meta(_) | ExprKind::Index(_) | ExprKind::Column(_) => {}
        ExprKind::Let(index) => paths.lets.push(*index),
        ExprKind::Path(path) | ExprKind::StringOnly(path) => paths.push(path.clone()),
        ExprKind::Concat(parts) | ExprKind::List(parts) => {
            parts.iter().for_each(|part| expr(part, paths));
        }
        ExprKind::Not(inner)
        | ExprKind::Negate(inner)
        | ExprKind::In(inner, _)
        | ExprKind::Matches(inner, _)
        | ExprKind::Is(_, _, inner)
        | ExprKind::Cell(_, inner, _)
        | ExprKind::Convert(inner) => expr(inner, paths),
        ExprKind::And(left, right)
        | ExprKind::Or(left, right)
        | ExprKind::Compare(_, left, right)
        | ExprKind::InList(left, right)
        | ExprKind::Coalesce(left, right)
        | ExprKind::Arithmetic(_, left, right) => {
            expr(left, paths);
            expr(right, paths);
        }
        ExprKind::If(condition, then, otherwise) => {
            [condition, then, otherwise].into_iter().for_each(|part| expr(part, paths));
        }
        ExprKind::Match { subject, arms, otherwise } => {
            expr(subject, paths);
            arms.iter().for_each(|(_, value)| expr(value, paths));
            expr(otherwise, paths);
        }
        ExprKind::Call { args, .. } => args.iter().for_each(|arg| expr(arg, paths)),
        ExprKind::Count(array, _, condition) => {
            paths.push(array.clone());
            if let Some(condition) = condition {
                expr(condition, paths);
            }
        }
        ExprKind::Any(array, _, condition)
        | ExprKind::All(array, _, condition)
        | ExprKind::Fold(_, array, _, condition) => {
            paths.push(array.clone());
            expr(condition, paths);
        }
    }
}
