//! Lists: literals, and the list functions that give values (`sum`, `join`, `take`, `distinct`).

use weir_engine::builtins::{Constant, ParamKind};
use weir_engine::plan::Fold;
use weir_engine::types::Type;

use super::Checker;
use super::path::Place;
use crate::ast::{self, ExprKind as Ast, PathStep};
use crate::diagnostic::Diagnostic;
use crate::hir::{Expr, ExprKind, Path, Root};
use crate::source::Span;

/// List functions over the values of elements.
pub(super) const FOLDS: [&str; 4] = ["sum", "join", "take", "distinct"];

/// The longest list.
const ELEMENTS_MAX: i64 = 10_000;

/// A list of which only the uses say what its elements are: each reads them as it wants.
const UNREAD: Type = Type::Json.list();

impl<'a> Checker<'a> {
    /// `["a", .b]`
    pub(super) fn list(&mut self, items: &'a [ast::Expr], want: Type, span: Span) -> Option<Expr> {
        let of = want.element().unwrap_or_else(|| self.natural_of_items(items));
        let items: Vec<Option<Expr>> = items.iter().map(|item| self.expr(item, of)).collect();
        let items = items.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Expr { kind: ExprKind::List(items), ty: of.list(), span })
    }

    /// The type of the elements of a list literal; paths alone are kept as they are.
    pub(super) fn natural_of_items(&self, items: &[ast::Expr]) -> Type {
        common(items.iter().map(|item| self.natural(item))).unwrap_or(Type::Json)
    }

    /// `sum(L)`, `join(L, sep)`, `take(L, n)`, `distinct(L, n)`
    pub(super) fn fold(
        &mut self,
        name: &ast::Name,
        subject: Option<&'a ast::Expr>,
        args: &'a [ast::Expr],
        want: Type,
        span: Span,
    ) -> Option<Expr> {
        let args: Vec<&'a ast::Expr> = subject.into_iter().chain(args).collect();
        let name = (name.node.as_str(), name.span);
        let needed = if name.0 == "sum" { 1 } else { 2 };
        if args.len() != needed {
            return self.wrong_arguments(name);
        }
        let (fold, of) = match name.0 {
            // Money and counts add up exactly.
            "sum" if want == Type::Int => (Fold::Sum(Type::Int), Type::Int),
            "sum" => (Fold::Sum(Type::Decimal), Type::Decimal),
            "join" => (Fold::Join(self.separator(args[1])?), Type::Text),
            _ => {
                let max = self.bound(args[1])?;
                let of = want.element().unwrap_or(Type::Json);
                (if name.0 == "take" { Fold::Take(max) } else { Fold::Distinct(max) }, of)
            }
        };
        let (array, rest) = self.list_argument(args[0])?;
        let id = self.new_loop(array.clone(), u32::MAX, args[0].span)?;
        let element = Place::Path(Path { root: Root::Loop(id), steps: rest });
        let value = self.read_place(element, of, args[0].span)?;
        let value = self.coerce(value, of)?;
        let ty = if matches!(fold, Fold::Take(_) | Fold::Distinct(_)) { of.list() } else { of };
        Some(Expr { kind: ExprKind::Fold(fold, array, id, value.into()), ty, span })
    }

    /// The type that such a function gives.
    pub(super) fn natural_of_fold(name: &str) -> Option<Type> {
        match name {
            "sum" => Some(Type::Decimal),
            "join" => Some(Type::Text),
            "take" | "distinct" => Some(UNREAD),
            _ => None,
        }
    }

    fn wrong_arguments(&mut self, (name, span): (&str, Span)) -> Option<Expr> {
        let (takes, example) = match name {
            "sum" => ("a list", "sum(.steps[*].tokens)"),
            "join" => ("a list and what stands between its elements", ".tags[*] |> join(\", \")"),
            _ => ("a list and the most elements that are kept", ".tags[*] |> take(100)"),
        };
        self.report(
            Diagnostic::error(
                "W0103",
                span,
                format!("`{name}` takes {takes}"),
                "wrong number of arguments",
            )
            .help(format!("write for example `{}`", example.replace("take", name))),
        );
        None
    }

    fn separator(&mut self, arg: &ast::Expr) -> Option<String> {
        match self.constant_argument(arg, ParamKind::ConstantText)? {
            Constant::Text(text) => Some(text),
            _ => None,
        }
    }

    fn bound(&mut self, arg: &ast::Expr) -> Option<u32> {
        let Constant::Int(max) = self.constant_argument(arg, ParamKind::ConstantInt)? else {
            return None;
        };
        if (1..=ELEMENTS_MAX).contains(&max) {
            return u32::try_from(max).ok();
        }
        self.report(
            Diagnostic::error(
                "W0601",
                arg.span,
                "a list has at least one and at most 10 000 elements",
                "out of range",
            )
            .help("write for example `take(100)`"),
        );
        None
    }

    /// `.tags[*]` where a list is wanted. Reports it.
    pub(super) fn unbounded(&mut self, span: Span) -> Option<Expr> {
        let text = self.source.slice(span).to_owned();
        let bounded = format!("{text} |> take(100)");
        self.report(
            Diagnostic::error(
                "W0604",
                span,
                "this list has no bound",
                "as long as the record says",
            )
            .help(format!("write how many elements are kept at most: `{bounded}`"))
            .fix("take(100)", span, bounded),
        );
        None
    }

    /// Two lists, or a list and a value, in a comparison. Reports it.
    pub(super) fn list_compared(
        &mut self,
        left: &ast::Expr,
        right: &ast::Expr,
        sign: &str,
        span: Span,
    ) -> Option<Expr> {
        let all_of = [left, right].into_iter().find(|side| is_all_elements(side));
        let array = all_of.map_or(".tags[*]", |side| self.source.slice(side.span)).to_owned();
        let other = if all_of.is_some_and(|side| side.span == left.span) { right } else { left };
        let is_literal = matches!(other.node, Ast::Text(_) | Ast::Number(_) | Ast::Bool(_));
        let other = if is_literal { self.source.slice(other.span) } else { "\"x\"" };
        let sign = if sign == "contains" { "==" } else { sign };
        let help = format!("ask for an element: `any({array}, it {sign} {other})`");
        self.report(
            Diagnostic::error("W0302", span, "a list is not compared as a whole", "a list here")
                .help(help),
        );
        None
    }

    /// A list where one value is wanted, or one value where a list is. Reports it.
    pub(super) fn not_so_many(&mut self, expr: &Expr, want: Type) {
        let text = self.source.slice(expr.span).to_owned();
        let report = Diagnostic::error(
            "W0301",
            expr.span,
            format!("{} is needed here, this is {}", want.noun(), given(expr, want)),
            format!("gives {}", given(expr, want)),
        );
        let report = match (want, &expr.kind) {
            (Type::List(_), ExprKind::Path(_)) => {
                let bounded = format!("{text}[*] |> take(100)");
                report
                    .help(format!("for the elements of an array write `{bounded}`, for a list of one value `[{text}]`"))
                    .fix("the elements of an array", expr.span, bounded)
            }
            (Type::List(of), _) if expr.ty == *of => report
                .help(format!("write `[{text}]` for a list of one value"))
                .fix(format!("[{text}]"), expr.span, format!("[{text}]")),
            (Type::List(_), _) => report.help(format!("give {}", want.noun())),
            (Type::Text, _) => report
                .help("join the elements: `.tags[*] |> join(\", \")`; one of them is `.tags[0]`, their number is `count(.tags[*])`"),
            _ => report.help("one element is `.list[0]` or `.list[last]`"),
        };
        self.report(report);
    }
}

/// A bare path has no type of its own: it is one value.
fn given(expr: &Expr, want: Type) -> &'static str {
    match (want, &expr.kind) {
        (Type::List(_), ExprKind::Path(_)) => "a single value",
        _ => expr.ty.noun(),
    }
}

/// Is it a path with `[*]`?
pub(super) fn is_all_elements(expr: &ast::Expr) -> bool {
    matches!(&expr.node, Ast::Path { steps, .. } if steps.iter().any(|step| matches!(step, PathStep::Each(_))))
}

/// The type of several values that stand for one another: numbers meet as the wider type, otherwise the first counts.
pub(super) fn common(types: impl Iterator<Item = Option<Type>>) -> Option<Type> {
    types.flatten().reduce(|first, next| match (first, next) {
        (Type::Int, Type::Decimal | Type::Float) | (Type::Decimal, Type::Float) => next,
        (UNREAD, Type::List(_)) => next,
        (Type::List(&Type::Int), Type::List(&Type::Decimal)) => next,
        _ => first,
    })
}
