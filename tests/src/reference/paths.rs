//! Every path that a program reads, found by walking its whole tree.

use weir_dsl::hir::{
    DerivedKind, Echo, Element, Emit, Expr, ExprKind, Field, Handler, Object, OutputNode, Path,
    Program, Stmt,
};

/// All of them, in no special order, repetitions included.
pub(super) fn of(program: &Program) -> Vec<Path> {
    let mut paths = Vec::new();
    for entry in &program.lets {
        expr(&entry.expr, &mut paths);
    }
    for derived in &program.derived {
        match &derived.kind {
            DerivedKind::Call { args, .. } => args.iter().for_each(|arg| expr(arg, &mut paths)),
            DerivedKind::Find { array, value, condition, .. } => {
                paths.extend([array.clone(), value.clone()]);
                expr(condition, &mut paths);
            }
        }
    }
    stmts(&program.body, &mut paths);
    paths
}

fn stmts(body: &[Stmt], paths: &mut Vec<Path>) {
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

fn emit(emit: &Emit, paths: &mut Vec<Path>) {
    emit.columns.iter().for_each(|column| field(column, paths));
    emit.extra.iter().for_each(|(_, extra)| field(extra, paths));
    object(&emit.root, paths);
}

fn field(field: &Field, paths: &mut Vec<Path>) {
    expr(&field.value, paths);
    for handler in [&field.on_missing, &field.on_invalid].into_iter().flatten() {
        if let Handler::Value(value) = handler {
            expr(value, paths);
        }
    }
}

fn object(object_node: &Object, paths: &mut Vec<Path>) {
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

fn expr(node: &Expr, paths: &mut Vec<Path>) {
    match &node.kind {
        ExprKind::Constant(_)
        | ExprKind::Meta(_)
        | ExprKind::Index(_)
        | ExprKind::Column(_)
        | ExprKind::Let(_) => {}
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
