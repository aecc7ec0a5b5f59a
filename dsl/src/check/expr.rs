//! Expressions: each is checked against the type that is wanted of it.
//!
//! `build` gives an expression of the type wanted, or of the type it has by nature; `coerce` then brings the two
//! together or reports W0301. Only what loses nothing is coerced: a whole number to a decimal, anything to its text.

use weir_engine::builtins::{self, ParamKind, ResultType};
use weir_engine::constant;
use weir_engine::plan::{Arithmetic, Comparison, Constant, Meta, Outcome};
use weir_engine::read;
use weir_engine::types::Type;

use super::Checker;
use super::list::{FOLDS, common, is_all_elements};
use super::names::Binding;
use super::path::Place;
use crate::ast::{self, BinaryOp, ExprKind as Ast, IsWhat, Piece, UnaryOp};
use crate::diagnostic::Diagnostic;
use crate::hir::{Expr, ExprKind, Path, Root, TextPattern};
use crate::source::Span;

impl<'a> Checker<'a> {
    /// Checks an expression of which `want` is wanted.
    pub(super) fn expr(&mut self, expr: &'a ast::Expr, want: Type) -> Option<Expr> {
        let built = self.build(expr, want)?;
        self.coerce(built, want)
    }

    /// A condition: true or false.
    pub(super) fn condition(&mut self, expr: &'a ast::Expr) -> Option<Expr> {
        self.expr(expr, Type::Bool)
    }

    fn build(&mut self, expr: &'a ast::Expr, want: Type) -> Option<Expr> {
        let span = expr.span;
        let of = |kind, ty| Some(Expr { kind, ty, span });
        match &expr.node {
            Ast::Error => None,
            Ast::Text(text) | Ast::Raw(text) => {
                of(ExprKind::Constant(Constant::Text(text.clone())), Type::Text)
            }
            Ast::Interpolated(pieces) => self.interpolated(pieces, span),
            Ast::Number(digits) => self.number(digits, want, span),
            Ast::Unit(digits, unit) => self.duration(digits, unit, span),
            Ast::Bool(value) => of(ExprKind::Constant(Constant::Bool(*value)), Type::Bool),
            Ast::Missing => of(ExprKind::Constant(Constant::Missing), want),
            Ast::List(items) => self.list(items, want, span),
            Ast::Match { subject, arms, otherwise } => {
                self.match_expr(subject, arms, otherwise.as_deref(), span, want)
            }
            Ast::If { condition, then, otherwise } => {
                let condition = self.condition(condition);
                let (then, otherwise) = (self.expr(then, want), self.expr(otherwise, want));
                of(ExprKind::If(condition?.into(), then?.into(), otherwise?.into()), want)
            }
            Ast::Path { .. } if want.element().is_some() && is_all_elements(expr) => {
                self.unbounded(span)
            }
            Ast::Path { root, steps } => {
                let place = self.place(root, steps, span)?;
                self.read_place(place, want, span)
            }
            _ if self.gives_record(expr) => {
                let root = Root::Derived(self.record(expr)?);
                self.read_place(Place::Path(Path { root, steps: Vec::new() }), want, span)
            }
            Ast::Name(name) => self.name(name, want, span),
            Ast::Call { name, args } if FOLDS.contains(&name.node.as_str()) => {
                self.fold(name, None, args, want, span)
            }
            Ast::Pipe { subject, name, args } if FOLDS.contains(&name.node.as_str()) => {
                self.fold(name, Some(subject), args, want, span)
            }
            Ast::Call { name, args } => self.call(name, None, args, want, span),
            Ast::Pipe { subject, name, args } => self.call(name, Some(subject), args, want, span),
            Ast::Unary(UnaryOp::Not, inner) => {
                let inner = self.condition(inner)?;
                of(ExprKind::Not(inner.into()), Type::Bool)
            }
            Ast::Unary(UnaryOp::Negate, inner) => self.negate(inner, want, span),
            Ast::Binary(op, left, right) => self.binary(*op, left, right, want, span),
            Ast::Is { subject, negated, what } => {
                let subject = if self.gives_record(subject) {
                    self.whole_record(subject)?
                } else {
                    let ty = self.natural(subject).unwrap_or(Type::Json);
                    self.expr(subject, ty)?
                };
                let outcome = match what {
                    IsWhat::Missing => Outcome::Missing,
                    IsWhat::Present => Outcome::Present,
                    IsWhat::Invalid => Outcome::Invalid,
                };
                of(ExprKind::Is(outcome, *negated, subject.into()), Type::Bool)
            }
        }
    }

    fn interpolated(&mut self, pieces: &'a [Piece], span: Span) -> Option<Expr> {
        let parts: Vec<Option<Expr>> = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => Some(text_constant(text, span)),
                Piece::Expr(inner) => self.expr(inner, Type::Text),
            })
            .collect();
        let parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Expr { kind: ExprKind::Concat(parts), ty: Type::Text, span })
    }

    fn number(&mut self, digits: &str, want: Type, span: Span) -> Option<Expr> {
        let int = digits.parse::<i64>().ok();
        let decimal = read::decimal(digits, Default::default());
        let (constant, ty) = match (int, decimal) {
            (Some(int), _) if want != Type::Decimal => (Constant::Int(int), Type::Int),
            (_, Some(decimal)) => (Constant::Decimal(decimal), Type::Decimal),
            _ => {
                self.report(
                    Diagnostic::error("W0403", span, "this number is too large", "out of range")
                        .help("whole numbers have 64 bits, others 20 digits before the point"),
                );
                return None;
            }
        };
        Some(Expr { kind: ExprKind::Constant(constant), ty, span })
    }

    fn duration(&mut self, digits: &str, unit: &str, span: Span) -> Option<Expr> {
        let ns_of_unit: i64 = match unit {
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 86_400_000_000_000,
            _ => {
                self.report(
                    Diagnostic::error(
                        "W0302",
                        span,
                        "a size is a setting of the input, not a value",
                        "not a value",
                    )
                    .help("write the number of bytes"),
                );
                return None;
            }
        };
        let ns = digits.parse::<i64>().ok().and_then(|count| count.checked_mul(ns_of_unit));
        let Some(ns) = ns else {
            self.report(
                Diagnostic::error("W0403", span, "this duration is too long", "out of range")
                    .help("the longest is about 292 years"),
            );
            return None;
        };
        Some(Expr { kind: ExprKind::Constant(Constant::Duration(ns)), ty: Type::Duration, span })
    }

    fn match_expr(
        &mut self,
        subject: &'a ast::Expr,
        arms: &'a [ast::Arm],
        otherwise: Option<&'a ast::Expr>,
        span: Span,
        want: Type,
    ) -> Option<Expr> {
        let is_bool = self.is_bool_match(subject, arms);
        let subject = self.match_subject(subject, is_bool);
        let arms = self.arms(arms, |checker, value| checker.expr(value, want));
        let covered = arms.as_deref().filter(|_| is_bool);
        let otherwise =
            self.otherwise(otherwise, covered, span, |checker, value| checker.expr(value, want));
        let otherwise = otherwise?.unwrap_or_else(|| missing(want, span));
        let kind =
            ExprKind::Match { subject: subject?.into(), arms: arms?, otherwise: otherwise.into() };
        Some(Expr { kind, ty: want, span })
    }

    /// Is it a choice between true and false? A path is read as what the patterns are.
    pub(super) fn is_bool_match(&self, subject: &ast::Expr, arms: &[ast::Arm]) -> bool {
        let mut patterns = arms.iter().flat_map(|arm| &arm.patterns).peekable();
        match self.natural(subject) {
            Some(ty) => ty == Type::Bool,
            None => {
                patterns.peek().is_some()
                    && patterns.all(|pattern| matches!(pattern.node, ast::Pattern::Bool(_)))
            }
        }
    }

    /// What a `match` compares: its text.
    pub(super) fn match_subject(&mut self, subject: &'a ast::Expr, is_bool: bool) -> Option<Expr> {
        if !is_bool {
            return self.expr(subject, Type::Text);
        }
        let truth = self.expr(subject, Type::Bool)?;
        self.coerce(truth, Type::Text)
    }

    /// The arms of a `match`, each value checked by `check`.
    pub(super) fn arms(
        &mut self,
        arms: &'a [ast::Arm],
        mut check: impl FnMut(&mut Self, &'a ast::Expr) -> Option<Expr>,
    ) -> Option<Vec<(Vec<TextPattern>, Expr)>> {
        let mut seen = Default::default();
        let list: Vec<_> = arms
            .iter()
            .map(|arm| {
                let patterns = self.patterns(&arm.patterns, &mut seen);
                check(self, &arm.value).map(|value| (patterns, value))
            })
            .collect();
        list.into_iter().collect()
    }

    /// The `else` arm: `Some(None)` where none is needed, since `arms` cover both truth values.
    pub(super) fn otherwise(
        &mut self,
        otherwise: Option<&'a ast::Expr>,
        arms: Option<&[(Vec<TextPattern>, Expr)]>,
        span: Span,
        mut check: impl FnMut(&mut Self, &'a ast::Expr) -> Option<Expr>,
    ) -> Option<Option<Expr>> {
        if let Some(value) = otherwise {
            return check(self, value).map(Some);
        }
        let covers = |word: &str| {
            let word = TextPattern::Exact(word.to_owned());
            arms.is_some_and(|arms| arms.iter().any(|(patterns, _)| patterns.contains(&word)))
        };
        if covers("true") && covers("false") {
            return Some(None);
        }
        let keyword = Span::new(span.start, span.start + "match".len() as u32);
        let end = Span::new(span.end.saturating_sub(1), span.end.saturating_sub(1));
        self.report(
            Diagnostic::error(
                "W0502",
                keyword,
                "this `match` does not say what becomes of other texts",
                "no `else`",
            )
            .help("end it with `else => missing`, or another value")
            .fix("add `else => missing`", end, "else => missing "),
        );
        None
    }

    fn name(&mut self, name: &'a str, want: Type, span: Span) -> Option<Expr> {
        match name {
            "index" => {
                let Some(id) = self.current_loop else {
                    self.report(
                        Diagnostic::error(
                            "W0101",
                            span,
                            "`index` is the position of a loop's element",
                            "no loop around it",
                        )
                        .help("the line of the record is `meta.line`"),
                    );
                    return None;
                };
                return Some(Expr { kind: ExprKind::Index(id), ty: Type::Int, span });
            }
            "it" => {
                let Some(element) = self.current_element.clone() else {
                    self.report(
                        Diagnostic::error(
                            "W0101",
                            span,
                            "`it` is the element of a list function",
                            "no list function around it",
                        )
                        .help(
                            "`it` stands in `count(.steps[*], it.allowed == false)`, `any`, `all`",
                        ),
                    );
                    return None;
                };
                return self.read_place(Place::Path(element), want, span);
            }
            "null" | "nil" | "None" | "undefined" => {
                self.report(
                    Diagnostic::error(
                        "W0101",
                        span,
                        format!("there is no `{name}` in weir"),
                        "not a value here",
                    )
                    .help("a value that is not there is `missing`; ask with `is missing`")
                    .fix(format!("{name} -> missing"), span, "missing"),
                );
                return None;
            }
            _ => {}
        }
        match self.lookup(name, span)? {
            Binding::Loop(id) => {
                let path = Path { root: Root::Loop(id), steps: Vec::new() };
                self.read_place(Place::Path(path), want, span)
            }
            Binding::Let(index) if self.names_a_place(self.lets[index].expr) => {
                self.row_is_no_value(span)
            }
            Binding::Let(index) => self.read_place(Place::Let(index), want, span),
            Binding::Table(_) => self.row_is_no_value(span),
        }
    }

    fn row_is_no_value(&mut self, span: Span) -> Option<Expr> {
        self.report(
            Diagnostic::error(
                "W0302",
                span,
                "a row of a table has several values",
                "which column?",
            )
            .help("choose a column: `name.column`"),
        );
        None
    }

    pub(super) fn read_place(&mut self, place: Place, want: Type, span: Span) -> Option<Expr> {
        let (kind, ty) = match place {
            Place::Path(path) => {
                if self.record_is_no_value(&path, span) {
                    return None;
                }
                self.count_path(&path, span)?;
                if let Some(ty) = self.type_of_field(&path) {
                    return typed_field(path, ty, span);
                }
                let readable = match want {
                    Type::List(_) => Type::Text,
                    other => other,
                };
                if readable == Type::Timestamp {
                    self.time_reads.push((path.clone(), span, None));
                }
                (ExprKind::Path(path), readable)
            }
            Place::Cell(table, key, column, ty) => (ExprKind::Cell(table, key.into(), column), ty),
            Place::Row(..) => return self.row_is_no_value(span),
            Place::Meta(meta) => {
                let ty = match meta {
                    Meta::Line | Meta::Offset => Type::Int,
                    Meta::ReceivedAt => Type::Timestamp,
                    Meta::Key | Meta::Bucket | Meta::Source | Meta::RecordSha256 => Type::Text,
                };
                (ExprKind::Meta(meta), ty)
            }
            Place::Let(index) => {
                // As a bare path, a list of bare paths has no type of its own, and numbers that nobody called
                // decimals may be whole.
                let ty = match self.lets[index].natural {
                    Some(Type::List(Type::Json)) if want.element().is_some() => want,
                    Some(Type::Decimal) if want == Type::Int && self.lets[index].whole => want,
                    natural => natural.unwrap_or(want),
                };
                let typed = self.typed_let(index, ty)?;
                (ExprKind::Let(typed), ty)
            }
        };
        Some(Expr { kind, ty, span })
    }

    fn negate(&mut self, inner: &'a ast::Expr, want: Type, span: Span) -> Option<Expr> {
        if let Ast::Number(digits) = &inner.node {
            let negative = format!("-{digits}");
            return self.number(&negative, want, span);
        }
        let whole = want == Type::Int && self.may_be_whole(inner);
        let ty = if whole { want } else { self.natural(inner).unwrap_or(want) };
        let ty = if matches!(ty, Type::Int | Type::Decimal | Type::Float | Type::Duration) {
            ty
        } else {
            Type::Decimal
        };
        let inner = self.expr(inner, ty)?;
        Some(Expr { kind: ExprKind::Negate(inner.into()), ty, span })
    }

    fn binary(
        &mut self,
        op: BinaryOp,
        left: &'a ast::Expr,
        right: &'a ast::Expr,
        want: Type,
        span: Span,
    ) -> Option<Expr> {
        let comparison = match op {
            BinaryOp::Or | BinaryOp::And => {
                let (left, right) = (self.condition(left), self.condition(right));
                let (left, right) = (left?.into(), right?.into());
                let kind = if op == BinaryOp::Or {
                    ExprKind::Or(left, right)
                } else {
                    ExprKind::And(left, right)
                };
                return Some(Expr { kind, ty: Type::Bool, span });
            }
            BinaryOp::Coalesce => return self.coalesce(left, right, want, span),
            BinaryOp::Add => return self.arithmetic(Arithmetic::Add, left, right, want, span),
            BinaryOp::Subtract => {
                return self.arithmetic(Arithmetic::Subtract, left, right, want, span);
            }
            BinaryOp::Multiply => {
                return self.arithmetic(Arithmetic::Multiply, left, right, want, span);
            }
            BinaryOp::Divide => {
                return self.arithmetic(Arithmetic::Divide, left, right, want, span);
            }
            BinaryOp::In => return self.in_list(left, right, span),
            BinaryOp::Matches => return self.matches(left, right, span),
            BinaryOp::Equal => Comparison::Equal,
            BinaryOp::NotEqual => Comparison::NotEqual,
            BinaryOp::Less => Comparison::Less,
            BinaryOp::LessEqual => Comparison::LessEqual,
            BinaryOp::Greater => Comparison::Greater,
            BinaryOp::GreaterEqual => Comparison::GreaterEqual,
            BinaryOp::StartsWith => Comparison::StartsWith,
            BinaryOp::EndsWith => Comparison::EndsWith,
            BinaryOp::Contains => Comparison::Contains,
        };
        let lists = [left, right].map(|side| self.natural(side).and_then(Type::element));
        if lists.iter().any(Option::is_some) {
            let sign = self.source.text[left.span.end as usize..right.span.start as usize].trim();
            let sign = sign.to_owned();
            return self.list_compared(left, right, &sign, span);
        }
        let ty = match comparison {
            Comparison::StartsWith | Comparison::EndsWith | Comparison::Contains => Type::Text,
            _ => self.compared_type(left, right),
        };
        let (left, right) = (self.expr(left, ty), self.expr(right, ty));
        let kind = ExprKind::Compare(comparison, left?.into(), right?.into());
        Some(Expr { kind, ty: Type::Bool, span })
    }

    fn coalesce(
        &mut self,
        left: &'a ast::Expr,
        right: &'a ast::Expr,
        want: Type,
        span: Span,
    ) -> Option<Expr> {
        let (left, right) = (self.expr(left, want), self.expr(right, want));
        Some(Expr { kind: ExprKind::Coalesce(left?.into(), right?.into()), ty: want, span })
    }

    /// The type in which two sides are compared: a path takes that of the other side, numbers meet as decimals.
    fn compared_type(&self, left: &ast::Expr, right: &ast::Expr) -> Type {
        match (self.natural(left), self.natural(right)) {
            (Some(Type::Int), Some(Type::Int)) => Type::Int,
            (Some(Type::Int | Type::Decimal), Some(Type::Int | Type::Decimal)) => Type::Decimal,
            (Some(Type::Int | Type::Decimal), None) | (None, Some(Type::Int | Type::Decimal)) => {
                Type::Decimal
            }
            (Some(Type::Int | Type::Decimal), Some(Type::Float)) => Type::Float,
            (Some(Type::Text), Some(other)) if other != Type::Text => other,
            (Some(ty), _) | (None, Some(ty)) => ty,
            (None, None) => Type::Text,
        }
    }

    fn in_list(&mut self, left: &'a ast::Expr, right: &'a ast::Expr, span: Span) -> Option<Expr> {
        let Ast::List(items) = &right.node else {
            if let Some(of) = self.natural(right).and_then(Type::element) {
                return self.in_run_time_list(left, right, of, span);
            }
            self.report(
                Diagnostic::error("W0302", right.span, "`in` compares with a list of constants", "not a list")
                    .help("write `.type in [\"a\", \"b\"]`; for the elements of an array use `any(.tags[*], it == \"x\")`"),
            );
            return None;
        };
        if !items.iter().all(is_constant) {
            return self.in_run_time_list(left, right, self.natural_of_items(items), span);
        }
        let ty = match (self.natural(left), common(items.iter().map(|item| self.natural(item)))) {
            (Some(Type::Int | Type::Decimal), _) | (None, Some(Type::Int | Type::Decimal)) => {
                Type::Decimal
            }
            (Some(ty @ (Type::Bool | Type::Timestamp | Type::Duration | Type::Ip)), _) => ty,
            (None, Some(Type::Duration)) => Type::Duration,
            _ => Type::Text,
        };
        let subject = self.expr(left, ty);
        let constants: Vec<Option<Constant>> = items
            .iter()
            .map(|item| match self.expr(item, ty)?.kind {
                ExprKind::Constant(constant) => Some(constant),
                _ => {
                    self.report(
                        Diagnostic::error(
                            "W0302",
                            item.span,
                            "`in` compares with constants",
                            "not a constant",
                        )
                        .help("compare with `==` and join with `or`"),
                    );
                    None
                }
            })
            .collect();
        let constants = constants.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Expr { kind: ExprKind::In(subject?.into(), constants), ty: Type::Bool, span })
    }

    /// `.x in [.a, .b]`, or in a list that a function or a `let` gives.
    fn in_run_time_list(
        &mut self,
        left: &'a ast::Expr,
        right: &'a ast::Expr,
        of: Type,
        span: Span,
    ) -> Option<Expr> {
        if super::list::is_all_elements(right) {
            return self.list_compared(right, left, "==", span);
        }
        let ty = match (self.natural(left), of) {
            (Some(Type::Int | Type::Decimal), _) | (None, Type::Int | Type::Decimal) => {
                Type::Decimal
            }
            (None, Type::Json) => Type::Text,
            (None, of) => of,
            (Some(ty), _) => ty,
        };
        let (left, right) = (self.expr(left, ty), self.expr(right, ty.list()));
        Some(Expr { kind: ExprKind::InList(left?.into(), right?.into()), ty: Type::Bool, span })
    }

    fn matches(&mut self, left: &'a ast::Expr, right: &'a ast::Expr, span: Span) -> Option<Expr> {
        let subject = self.expr(left, Type::Text);
        let Ast::Raw(pattern) = &right.node else {
            self.report(
                Diagnostic::error(
                    "W0115",
                    right.span,
                    "a regular expression is written as `r\"...\"`",
                    "not written so",
                )
                .help("put an `r` before the quote, so that braces and backslashes are its own"),
            );
            return None;
        };
        match weir_engine::pattern::compile(pattern) {
            Ok(pattern) => {
                self.count_pattern(pattern.program_bytes, right.span)?;
                let kind = ExprKind::Matches(subject?.into(), pattern.regex);
                Some(Expr { kind, ty: Type::Bool, span })
            }
            Err(fault) => {
                let at = fault.at.map_or(right.span, |at| super::call::part_of(right, &at));
                self.report(
                    Diagnostic::error(
                        "W0406",
                        at,
                        format!("this regular expression cannot be used: {}", fault.message),
                        "here",
                    )
                    .help(fault.help),
                );
                None
            }
        }
    }

    fn arithmetic(
        &mut self,
        op: Arithmetic,
        left: &'a ast::Expr,
        right: &'a ast::Expr,
        want: Type,
        span: Span,
    ) -> Option<Expr> {
        let sides = (self.natural(left), self.natural(right));
        let whole = want == Type::Int
            && op != Arithmetic::Divide
            && self.may_be_whole(left)
            && self.may_be_whole(right);
        let types = if whole {
            Some((Type::Int, Type::Int, Type::Int))
        } else {
            arithmetic_types(op, sides, want)
        };
        let (left_type, right_type, ty) = match types {
            Some(types) => types,
            None => {
                let describe = |ty: Option<Type>| ty.map_or("a field", Type::noun);
                self.report(
                    Diagnostic::error(
                        "W0301",
                        span,
                        format!("{} and {} cannot be computed with", describe(sides.0), describe(sides.1)),
                        "these do not go together",
                    )
                    .help("text is joined by interpolation: `\"{.a}/{.b}\"`; numbers in text are read by `|> int` or `|> decimal`"),
                );
                return None;
            }
        };
        let (left, right) = (self.expr(left, left_type), self.expr(right, right_type));
        Some(Expr { kind: ExprKind::Arithmetic(op, left?.into(), right?.into()), ty, span })
    }

    /// Can all of it be computed in whole numbers, where one is wanted? What is read may be read so, unless it says
    /// otherwise.
    pub(super) fn may_be_whole(&self, expr: &ast::Expr) -> bool {
        match &expr.node {
            Ast::Unary(UnaryOp::Negate, inner) => self.may_be_whole(inner),
            Ast::Binary(
                BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Coalesce,
                left,
                right,
            ) => self.may_be_whole(left) && self.may_be_whole(right),
            Ast::If { then, otherwise, .. } => {
                self.may_be_whole(then) && self.may_be_whole(otherwise)
            }
            Ast::Match { arms, otherwise, .. } => {
                let mut values = arms.iter().map(|arm| &arm.value).chain(otherwise.as_deref());
                values.all(|value| self.may_be_whole(value))
            }
            Ast::Name(name) => match self.names.get(name) {
                Some((Binding::Let(index), _)) => self.lets[index].whole,
                _ => matches!(self.natural(expr), None | Some(Type::Int)),
            },
            Ast::Call { name, .. } | Ast::Pipe { name, .. } if name.node == "sum" => true,
            Ast::Call { name, args } if takes_numbers(&name.node) => {
                args.iter().all(|arg| self.may_be_whole(arg))
            }
            Ast::Pipe { subject, name, args } if takes_numbers(&name.node) => {
                self.may_be_whole(subject) && args.iter().all(|arg| self.may_be_whole(arg))
            }
            _ => matches!(self.natural(expr), None | Some(Type::Int)),
        }
    }

    /// The type that an expression has by itself; a path has none.
    pub(super) fn natural(&self, expr: &ast::Expr) -> Option<Type> {
        match &expr.node {
            Ast::Error | Ast::Missing => None,
            Ast::Text(_) | Ast::Raw(_) | Ast::Interpolated(_) => Some(Type::Text),
            Ast::Number(digits) if digits.contains('.') => Some(Type::Decimal),
            Ast::Number(_) => Some(Type::Int),
            Ast::Unit(..) => Some(Type::Duration),
            Ast::Bool(_) | Ast::Is { .. } | Ast::Unary(UnaryOp::Not, _) => Some(Type::Bool),
            Ast::List(items) => Some(self.natural_of_items(items).list()),
            Ast::Match { arms, otherwise, .. } => {
                let values = arms.iter().map(|arm| &arm.value).chain(otherwise.as_deref());
                common(values.map(|value| self.natural(value)))
            }
            Ast::If { then, otherwise, .. } => {
                common([self.natural(then), self.natural(otherwise)].into_iter())
            }
            Ast::Path { .. } if is_all_elements(expr) => Some(Type::Json.list()),
            Ast::Path { root, steps } => self.natural_of_path(root, steps),
            Ast::Name(name) => self.natural_of_name(name),
            Ast::Call { name, args } => self.natural_of_call(&name.node, args.iter()),
            Ast::Pipe { subject, name, args } => {
                self.natural_of_call(&name.node, std::iter::once(&**subject).chain(args))
            }
            Ast::Unary(UnaryOp::Negate, inner) => Some(match self.natural(inner) {
                Some(ty @ (Type::Int | Type::Float | Type::Duration)) => ty,
                _ => Type::Decimal,
            }),
            Ast::Binary(op, left, right) => self.natural_of_binary(*op, left, right),
        }
    }

    fn natural_of_path(&self, root: &ast::PathRoot, steps: &[ast::PathStep]) -> Option<Type> {
        if let Some(ty) = self.natural_of_field(root, steps) {
            return Some(ty);
        }
        let ast::PathRoot::Name(name) = root else { return None };
        let column = match steps.last() {
            Some(ast::PathStep::Key(column)) => &column.node,
            _ => return None,
        };
        if name.node == "meta" {
            return Some(match column.as_str() {
                "line" | "offset" => Type::Int,
                "received_at" => Type::Timestamp,
                _ => Type::Text,
            });
        }
        let table = match self.names.get(&name.node)?.0 {
            Binding::Table(index) => index,
            Binding::Let(index) => {
                let Ast::Path { root: ast::PathRoot::Name(table), .. } =
                    &self.lets[index].expr.node
                else {
                    return None;
                };
                match self.names.get(&table.node)?.0 {
                    Binding::Table(index) => index,
                    _ => return None,
                }
            }
            Binding::Loop(_) => return None,
        };
        self.tables[table].columns.iter().find(|(known, _)| known == column).map(|(_, ty)| *ty)
    }

    fn natural_of_name(&self, name: &str) -> Option<Type> {
        if name == "index" {
            return Some(Type::Int);
        }
        match self.names.get(name)?.0 {
            Binding::Let(index) if !self.lets[index].poisoned => self.lets[index].natural,
            _ => None,
        }
    }

    fn natural_of_binary(&self, op: BinaryOp, left: &ast::Expr, right: &ast::Expr) -> Option<Type> {
        let arithmetic = match op {
            BinaryOp::Coalesce => {
                return common([self.natural(left), self.natural(right)].into_iter());
            }
            BinaryOp::Add => Arithmetic::Add,
            BinaryOp::Subtract => Arithmetic::Subtract,
            BinaryOp::Multiply => Arithmetic::Multiply,
            BinaryOp::Divide => Arithmetic::Divide,
            _ => return Some(Type::Bool),
        };
        let sides = (self.natural(left), self.natural(right));
        arithmetic_types(arithmetic, sides, Type::Decimal).map(|(.., ty)| ty)
    }

    /// Brings an expression to the type that is wanted, if nothing is lost.
    pub(super) fn coerce(&mut self, expr: Expr, want: Type) -> Option<Expr> {
        // Whatever is written as JSON is written as what it is.
        if expr.ty == want || (want == Type::Json && expr.ty.element().is_none()) {
            return Some(expr);
        }
        if let ExprKind::Constant(constant) = &expr.kind
            && let Some(constant) = constant_as(constant, want)
        {
            return Some(Expr { kind: ExprKind::Constant(constant), ty: want, span: expr.span });
        }
        let converts = match (expr.ty, want) {
            (Type::List(_), _) | (_, Type::List(_)) => {
                self.not_so_many(&expr, want);
                return None;
            }
            (Type::Json, Type::Text) => false,
            (_, Type::Text) => true,
            (Type::Int, Type::Decimal | Type::Float) | (Type::Decimal, Type::Float) => true,
            _ => false,
        };
        if converts {
            let span = expr.span;
            return Some(Expr { kind: ExprKind::Convert(expr.into()), ty: want, span });
        }
        self.wrong_type(&expr, want);
        None
    }

    fn wrong_type(&mut self, expr: &Expr, want: Type) {
        let text = self.source.slice(expr.span).to_owned();
        let is_number = matches!(expr.ty, Type::Int | Type::Decimal);
        if want == Type::Timestamp && is_number {
            self.report(
                Diagnostic::error(
                    "W0411",
                    expr.span,
                    "a number does not say whether it counts seconds or milliseconds",
                    "a number",
                )
                .help("say the unit: `|> unix_seconds`, `|> unix_ms`, `|> unix_us` or `|> unix_ns`")
                .fix(
                    "unix_seconds",
                    expr.span,
                    format!("({text}) |> unix_seconds"),
                ),
            );
            return;
        }
        let reader = match want {
            Type::Int => "int",
            Type::Decimal => "decimal",
            Type::Timestamp => "timestamp",
            Type::Ip => "ip",
            Type::Bool => "bool",
            Type::Float => "float",
            Type::Duration => "duration",
            Type::Cidr => "cidr",
            Type::Text | Type::Json | Type::List(_) => "",
        };
        let mut report = Diagnostic::error(
            "W0301",
            expr.span,
            format!("{} is needed here, this is {}", want.noun(), expr.ty.noun()),
            format!("gives {}", expr.ty.noun()),
        );
        let literal = matches!(expr.kind, ExprKind::Constant(_));
        report = match expr.ty {
            Type::Text if literal && want == Type::Timestamp => {
                report.help("write it with an offset, for example \"2026-01-31T09:00:00Z\"")
            }
            Type::Text if literal && want == Type::Duration => {
                report.help("write a duration, for example `5m` or `30s`")
            }
            Type::Text if literal && reads_as(want, text.trim_matches('"')) => {
                let number = text.trim_matches('"').to_owned();
                let help = format!("a number stands without quotes: `{number}`");
                report.help(help).fix(format!("{text} -> {number}"), expr.span, number)
            }
            Type::Text if literal => report.help(format!("write {}", want.noun())),
            Type::Text | Type::Decimal if !reader.is_empty() => report
                .help(format!("if it holds {}, write `({text}) |> {reader}`", want.noun()))
                .fix(format!("add `|> {reader}`"), expr.span, format!("({text}) |> {reader}")),
            _ => report.help(format!("give {}", want.noun())),
        };
        self.report(report);
    }
}

fn text_constant(text: &str, span: Span) -> Expr {
    Expr { kind: ExprKind::Constant(Constant::Text(text.to_owned())), ty: Type::Text, span }
}

/// A field that has a type by itself. Its function gives its text in the usual form, whatever form numbers have in the
/// input.
fn typed_field(path: Path, ty: Type, span: Span) -> Option<Expr> {
    let reader = if ty == Type::Int { "int" } else { "decimal" };
    let builtin = weir_engine::builtins::find(reader)?;
    let call = (builtin.prepare)(&[], &Default::default()).ok()?.into();
    let text = Expr { kind: ExprKind::Path(path), ty: Type::Text, span };
    let kind = ExprKind::Call { builtin, literals: Vec::new(), call, args: vec![text] };
    Some(Expr { kind, ty, span })
}

pub(super) fn missing(ty: Type, span: Span) -> Expr {
    Expr { kind: ExprKind::Constant(Constant::Missing), ty, span }
}

/// Is it known before the first record?
fn is_constant(expr: &ast::Expr) -> bool {
    match &expr.node {
        Ast::Unary(UnaryOp::Negate, inner) => is_constant(inner),
        Ast::Text(_)
        | Ast::Raw(_)
        | Ast::Number(_)
        | Ast::Unit(..)
        | Ast::Bool(_)
        | Ast::Missing
        | Ast::Error => true,
        _ => false,
    }
}

/// The types of both sides and of the result.
fn arithmetic_types(
    op: Arithmetic,
    (left, right): (Option<Type>, Option<Type>),
    want: Type,
) -> Option<(Type, Type, Type)> {
    use Type::{Decimal, Float, Int};
    if matches!(op, Arithmetic::Add | Arithmetic::Subtract)
        && let Some(types) = time_types(op, left, right, want)
    {
        return Some(types);
    }
    let number = |ty: Option<Type>| match ty {
        Some(ty @ (Int | Float)) => Some(ty),
        Some(Decimal) | None => Some(Decimal),
        Some(_) => None,
    };
    match (number(left)?, number(right)?) {
        (Float, _) | (_, Float) => Some((Float, Float, Float)),
        (Int, Int) if op != Arithmetic::Divide => Some((Int, Int, Int)),
        _ => Some((Decimal, Decimal, Decimal)),
    }
}

/// The same of a sum or difference with a time in it: a side that has no type takes the one that the other side and
/// what is wanted leave it.
fn time_types(
    op: Arithmetic,
    left: Option<Type>,
    right: Option<Type>,
    want: Type,
) -> Option<(Type, Type, Type)> {
    use Type::{Duration, Timestamp};
    let later = want == Timestamp;
    match (op, left, right) {
        (_, Some(Timestamp), Some(Duration)) => Some((Timestamp, Duration, Timestamp)),
        (_, Some(Duration), Some(Duration)) => Some((Duration, Duration, Duration)),
        (Arithmetic::Add, Some(Timestamp), None) => Some((Timestamp, Duration, Timestamp)),
        (Arithmetic::Add, Some(Duration) | None, Some(Timestamp)) => {
            Some((Duration, Timestamp, Timestamp))
        }
        (Arithmetic::Add, Some(Duration), None) if later => Some((Duration, Timestamp, Timestamp)),
        (Arithmetic::Subtract, Some(Timestamp), None) if later => {
            Some((Timestamp, Duration, Timestamp))
        }
        (Arithmetic::Subtract, Some(Timestamp) | None, Some(Timestamp))
        | (Arithmetic::Subtract, Some(Timestamp), None) => Some((Timestamp, Timestamp, Duration)),
        (_, None, Some(Duration) | None) if later => Some((Timestamp, Duration, Timestamp)),
        (_, None, Some(Duration)) | (_, Some(Duration), None) => {
            Some((Duration, Duration, Duration))
        }
        _ => None,
    }
}

/// Does it give one of its arguments, which are all numbers? (`min`, `max`, `abs`)
pub(super) fn takes_numbers(function: &str) -> bool {
    builtins::find(function).is_some_and(|builtin| {
        matches!(builtin.result, ResultType::Number)
            && builtin.params.iter().all(|param| param.kind == ParamKind::Number)
    })
}

/// A constant as another type, if it is one.
fn constant_as(constant: &Constant, want: Type) -> Option<Constant> {
    match (constant, want) {
        (Constant::Missing, _) => Some(Constant::Missing),
        (Constant::Int(value), Type::Decimal) => {
            read::decimal(&value.to_string(), Default::default()).map(Constant::Decimal)
        }
        (Constant::Int(value), Type::Text) => Some(Constant::Text(value.to_string())),
        (Constant::Bool(value), Type::Text) => Some(Constant::Text(value.to_string())),
        (Constant::Decimal(value), Type::Int) => value.to_i64().map(Constant::Int),
        // These have no literals.
        (Constant::Text(text), Type::Timestamp | Type::Ip) => constant::read(text, want),
        (Constant::Decimal(value), Type::Text) => Some(Constant::Text(value.to_string())),
        _ => None,
    }
}

/// Whether a text could stand there as a number.
fn reads_as(want: Type, text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match want {
        Type::Int => is_whole,
        Type::Decimal => {
            weir_engine::sound::is_json_number(text.as_bytes()) && !text.contains(['e', 'E'])
        }
        _ => false,
    }
}
