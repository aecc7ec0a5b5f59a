//! One walk over the typed tree: what is evaluated in it, and which arrays are gone through.

use super::{
    DerivedKind, Element, Emit, Expr, ExprKind, Field, Handler, LoopId, Object, OutputNode, Path,
    Program, Stmt,
};

/// What the walk meets.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part<'p> {
    /// An expression; its operands follow.
    Expr(&'p Expr),
    /// An array whose elements are gone through as this loop, and where the program says so.
    Array(&'p Path, LoopId, u32),
}

type See<'s, 'p> = dyn FnMut(Part<'p>) + 's;

impl Program {
    /// Calls `see` for all expressions and arrays: of `let`s, statements, and records and elements that functions give.
    pub(crate) fn for_each_part<'p>(&'p self, see: &mut See<'_, 'p>) {
        self.lets.iter().for_each(|item| whole(&item.expr, see));
        statements(&self.body, see);
        for derived in &self.derived {
            match &derived.kind {
                DerivedKind::Call { args, .. } => args.iter().for_each(|arg| whole(arg, see)),
                DerivedKind::Find { array, id, condition, .. } => {
                    see(Part::Array(array, *id, condition.span.start));
                    whole(condition, see);
                }
            }
        }
    }
}

fn statements<'p>(body: &'p [Stmt], see: &mut See<'_, 'p>) {
    for statement in body {
        match statement {
            Stmt::Filter { condition, .. } => whole(condition, see),
            Stmt::When { arms, otherwise } => {
                for (condition, body) in arms {
                    whole(condition, see);
                    statements(body, see);
                }
                statements(otherwise, see);
            }
            Stmt::Each { array, id, body, span, .. } => {
                see(Part::Array(array, *id, span.start));
                statements(body, see);
            }
            Stmt::Emit(emit) => of_emit(emit, see),
            Stmt::Drop(_) | Stmt::Reject(..) => {}
        }
    }
}

fn of_emit<'p>(emit: &'p Emit, see: &mut See<'_, 'p>) {
    emit.columns.iter().for_each(|field| of_field(field, see));
    emit.extra.iter().for_each(|(_, field)| of_field(field, see));
    of_object(&emit.root, emit.span.start, see);
}

fn of_field<'p>(field: &'p Field, see: &mut See<'_, 'p>) {
    whole(&field.value, see);
    for handler in field.on_missing.iter().chain(&field.on_invalid) {
        if let Handler::Value(value) = handler {
            whole(value, see);
        }
    }
}

fn of_object<'p>(object: &'p Object, at: u32, see: &mut See<'_, 'p>) {
    for member in &object.members {
        match &member.node {
            OutputNode::Constant(_) => {}
            OutputNode::Value(field) => of_field(field, see),
            OutputNode::Enum(field, echoes) => {
                of_field(field, see);
                echoes.iter().flat_map(|echo| &echo.other).for_each(|other| whole(other, see));
            }
            OutputNode::Object(object) => of_object(object, at, see),
            OutputNode::List(elements) => elements.iter().for_each(|element| match element {
                Element::One(object) => of_object(object, at, see),
                Element::Each { array, id, object, .. } => {
                    see(Part::Array(array, *id, at));
                    of_object(object, at, see);
                }
            }),
        }
    }
    object.guard.iter().for_each(|guard| whole(guard, see));
}

fn whole<'p>(expr: &'p Expr, see: &mut See<'_, 'p>) {
    expr.walk(&mut |part| {
        see(Part::Expr(part));
        if let Some((array, id)) = part.array() {
            see(Part::Array(array, id, part.span.start));
        }
    });
}

impl Expr {
    /// Calls `see` for the expression and all in it, from outside to inside.
    pub(crate) fn walk<'e>(&'e self, see: &mut dyn FnMut(&'e Self)) {
        see(self);
        self.for_each_part(&mut |part| part.walk(see));
    }

    /// The path that it reads by itself: of its value, or of the array that it goes through.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.kind {
            ExprKind::Path(path) | ExprKind::StringOnly(path) => Some(path),
            _ => self.array().map(|(array, _)| array),
        }
    }

    /// The array that it goes through, and the loop of its elements.
    pub(crate) fn array(&self) -> Option<(&Path, LoopId)> {
        match &self.kind {
            ExprKind::Count(array, id, _)
            | ExprKind::Any(array, id, _)
            | ExprKind::All(array, id, _)
            | ExprKind::Fold(_, array, id, _) => Some((array, *id)),
            _ => None,
        }
    }

    /// Calls `see` for each operand, left to right. A `let` has none here: it is an index.
    pub fn for_each_part<'e>(&'e self, see: &mut dyn FnMut(&'e Expr)) {
        match &self.kind {
            ExprKind::Constant(_)
            | ExprKind::Path(_)
            | ExprKind::StringOnly(_)
            | ExprKind::Meta(_)
            | ExprKind::Index(_)
            | ExprKind::Column(_)
            | ExprKind::Let(_) => {}
            ExprKind::Concat(parts) | ExprKind::List(parts) => parts.iter().for_each(see),
            ExprKind::Call { args, .. } => args.iter().for_each(see),
            ExprKind::Not(inner)
            | ExprKind::Negate(inner)
            | ExprKind::In(inner, _)
            | ExprKind::Matches(inner, _)
            | ExprKind::Is(_, _, inner)
            | ExprKind::Cell(_, inner, _)
            | ExprKind::Any(_, _, inner)
            | ExprKind::All(_, _, inner)
            | ExprKind::Fold(_, _, _, inner)
            | ExprKind::Convert(inner) => see(inner),
            ExprKind::Count(_, _, condition) => condition.iter().for_each(|inner| see(inner)),
            ExprKind::And(left, right)
            | ExprKind::Or(left, right)
            | ExprKind::Compare(_, left, right)
            | ExprKind::InList(left, right)
            | ExprKind::Coalesce(left, right)
            | ExprKind::Arithmetic(_, left, right) => {
                see(left);
                see(right);
            }
            ExprKind::If(condition, then, otherwise) => {
                see(condition);
                see(then);
                see(otherwise);
            }
            ExprKind::Match { subject, arms, otherwise } => {
                see(subject);
                arms.iter().for_each(|(_, value)| see(value));
                see(otherwise);
            }
        }
    }
}
