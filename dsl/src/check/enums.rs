//! Attributes whose values OCSF lists: captions and numbers, the name beside a number, and `to_enum`.
//!
//! What the program says is looked up here: a literal, an arm of `if` or `match`, the cells of a table's column. A value
//! that only a record knows goes through `to_enum`.

use std::sync::Arc;

use weir_engine::builtins::{self, Builtin, Environment, OTHER_WORD, TO_ENUM, TO_ENUM_EACH};
use weir_engine::constant;
use weir_engine::plan::{Check, Constant, Outcome};
use weir_engine::types::Type;

use super::Checker;
use super::emit::{Shape, json_text, shortened};
use super::expr::missing;
use super::ocsf_types::wanted;
use super::path::Place;
use crate::ast::{self, ExprKind as Ast, UnaryOp};
use crate::diagnostic::Diagnostic;
use crate::hir::{self, Expr, ExprKind};
use crate::ocsf::{Attribute, AttributeType, Attributes, Base, Enumeration, EnumerationValue};
use crate::source::Span;
use weir_engine::suggest::nearest;

/// A target whose values are listed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listed {
    attribute: &'static Attribute,
    enumeration: &'static Enumeration,
    /// Texts, such as `GET`; else numbers.
    is_text: bool,
    /// A list of such values.
    is_list: bool,
    /// The words of the program that name the target.
    span: Span,
}

impl Listed {
    /// The target that an attribute is, if its values are listed.
    pub(super) fn of(attribute: &'static Attribute, span: Span) -> Option<Self> {
        let enumeration = attribute.enumeration?;
        let AttributeType::Scalar(data_type) = attribute.ty else { return None };
        let is_text = data_type.base == Base::String;
        let is_sound = is_text || enumeration.values.iter().all(|value| value.number.is_some());
        let is_list = attribute.is_array;
        is_sound.then_some(Self { attribute, enumeration, is_text, is_list, span })
    }

    fn ty(self) -> Type {
        let of = if self.is_text { Type::Text } else { Type::Int };
        if self.is_list { of.list() } else { of }
    }

    /// What a value must be.
    pub(super) fn check(self) -> Check {
        let check = match wanted(self.attribute, None) {
            Some(texts) if self.is_text => return texts.check,
            _ => {
                let values = self.enumeration.values.iter();
                Check::Enum(values.filter_map(|value| value.number).collect())
            }
        };
        if self.is_list { Check::List(Box::new(check)) } else { check }
    }

    fn element(self) -> Self {
        Self { is_list: false, ..self }
    }

    /// The value that a word of the program names: a caption, a number, a listed text.
    fn find(self, word: &str) -> Option<Constant> {
        let by_number = || word.parse().ok().and_then(|number| self.enumeration.by_number(number));
        let by_key = || self.enumeration.by_key(word).filter(|_| self.is_text);
        let value = self.enumeration.by_caption(word).or_else(by_number).or_else(by_key)?;
        self.constant(value)
    }

    fn constant(self, value: &EnumerationValue) -> Option<Constant> {
        match self.is_text {
            true => Some(Constant::Text(value.key.to_owned())),
            false => value.number.map(Constant::Int),
        }
    }

    /// The values and their captions, as `to_enum` takes them.
    fn literals(self) -> Vec<builtins::Constant> {
        let pair = |value: &EnumerationValue| {
            let of_number = value.number.filter(|_| !self.is_text).map(builtins::Constant::Int);
            let of = of_number.unwrap_or_else(|| builtins::Constant::Text(value.key.to_owned()));
            [of, builtins::Constant::Text(value.caption.to_owned())]
        };
        self.enumeration.values.iter().flat_map(pair).collect()
    }
}

/// The attribute that says the same in words, if it is one for words: a number beside a number is left alone.
pub(super) fn sibling(
    attributes: &Attributes,
    attribute: &Attribute,
) -> Option<&'static Attribute> {
    let named = attributes.get(attribute.sibling?)?;
    let AttributeType::Scalar(of) = attribute.ty else { return None };
    let AttributeType::Scalar(data_type) = named.ty else { return None };
    let is_enum = attribute.enumeration.is_some() && of.base != Base::String;
    (is_enum && data_type.base == Base::String && named.is_array == attribute.is_array)
        .then_some(named)
}

/// The captions of an enum as JSON texts, by number.
pub(super) fn captions(enumeration: &Enumeration, before: &str) -> Vec<(i64, String)> {
    enumeration
        .values
        .iter()
        .filter_map(|value| Some((value.number?, json_text(&format!("{before}{}", value.caption)))))
        .collect()
}

impl<'a> Checker<'a> {
    /// The sibling of an enum: its caption; for 99 the text that a `match`, a table or `to_enum` looked at.
    pub(super) fn sibling_echo(
        &self,
        shape: Shape,
        listed: Listed,
        value: &Expr,
    ) -> Vec<hir::Echo> {
        let named = shape.attributes().and_then(|attributes| sibling(attributes, listed.attribute));
        let Some(named) = named else { return Vec::new() };
        let check = match wanted(named, None).map(|wanted| wanted.check) {
            Some(Check::List(each)) => *each,
            Some(check) => check,
            None => Check::Text,
        };
        let other = if listed.is_list { Some(self.words(value, None)) } else { self.word(value) };
        let texts = captions(listed.enumeration, "");
        vec![hir::Echo { name: named.name.to_owned(), texts, other, check }]
    }

    /// A value of a target with listed values.
    pub(super) fn enum_value(&mut self, expr: &'a ast::Expr, listed: Listed) -> Option<Expr> {
        let span = expr.span;
        let of = |kind| Some(Expr { kind, ty: listed.ty(), span });
        let mut inner = |checker: &mut Self, expr| checker.enum_value(expr, listed);
        match &expr.node {
            Ast::Error => None,
            Ast::Missing => of(ExprKind::Constant(Constant::Missing)),
            Ast::If { condition, then, otherwise } => {
                let condition = self.condition(condition);
                let (then, otherwise) = (inner(self, then), inner(self, otherwise));
                of(ExprKind::If(condition?.into(), then?.into(), otherwise?.into()))
            }
            Ast::Match { subject, arms, otherwise } => {
                let is_bool = self.is_bool_match(subject, arms);
                let subject = self.match_subject(subject, is_bool);
                let arms = self.arms(arms, &mut inner);
                let covered = arms.as_deref().filter(|_| is_bool);
                let otherwise = self.otherwise(otherwise.as_deref(), covered, span, &mut inner);
                let otherwise = otherwise?.unwrap_or_else(|| missing(listed.ty(), span));
                let (subject, arms) = (subject?.into(), arms?);
                of(ExprKind::Match { subject, arms, otherwise: otherwise.into() })
            }
            Ast::Binary(ast::BinaryOp::Coalesce, left, right) => {
                let (left, right) = (inner(self, left), inner(self, right));
                of(ExprKind::Coalesce(left?.into(), right?.into()))
            }
            Ast::Call { name, args } if name.node == "to_enum" => {
                self.look_up_in_enum(name, None, args, listed, span)
            }
            Ast::Pipe { subject, name, args } if name.node == "to_enum" => {
                self.look_up_in_enum(name, Some(subject), args, listed, span)
            }
            Ast::List(items) if listed.is_list => {
                let items = items.iter().map(|item| self.enum_value(item, listed.element()));
                let items: Vec<Option<Expr>> = items.collect();
                of(ExprKind::List(items.into_iter().collect::<Option<_>>()?))
            }
            Ast::Text(_) | Ast::Number(_) | Ast::Unary(UnaryOp::Negate, _) if !listed.is_list => {
                self.listed_literal(expr, listed)
            }
            Ast::Name(word) if self.names.get(word).is_none() => {
                self.word_without_quotes(word, expr.span, listed)
            }
            Ast::Path { root, steps } if !super::list::is_all_elements(expr) && !listed.is_list => {
                match self.place(root, steps, span)? {
                    Place::Cell(table, key, column, ty) => {
                        self.listed_cell(table, key, (column, ty), listed, span)
                    }
                    place if listed.is_text => {
                        let value = self.read_place(place, Type::Text, span)?;
                        self.coerce(value, Type::Text)
                    }
                    _ => self.known_at_run_time(expr, listed),
                }
            }
            _ => self.other_value(expr, listed),
        }
    }

    /// A value of which only a record says what it is.
    fn other_value(&mut self, expr: &'a ast::Expr, listed: Listed) -> Option<Expr> {
        let is_list = self.natural(expr).and_then(Type::element).is_some();
        match (listed.is_list, is_list) {
            (true, true) if super::list::is_all_elements(expr) => self.unbounded(expr.span),
            (true, true) => self.known_at_run_time(expr, listed),
            (false, false) if listed.is_text => self.expr(expr, Type::Text),
            (false, false) => self.known_at_run_time(expr, listed),
            (true, false) => {
                let text = self.source.slice(expr.span).to_owned();
                self.report(
                    Diagnostic::error(
                        "W0301",
                        expr.span,
                        format!("`{}` is a list, this is a single value", listed.attribute.name),
                        "one value",
                    )
                    .help(format!("write `[{text}]` for a list of one value"))
                    .fix(format!("[{text}]"), expr.span, format!("[{text}]")),
                );
                None
            }
            (false, true) => {
                self.report(
                    Diagnostic::error(
                        "W0301",
                        expr.span,
                        format!("`{}` takes one value, this is a list", listed.attribute.name),
                        "a list",
                    )
                    .help("one element of an array is `.list[0]` or `.list[last]`"),
                );
                None
            }
        }
    }

    fn known_at_run_time<T>(&mut self, expr: &ast::Expr, listed: Listed) -> Option<T> {
        let text = self.source.slice(expr.span).to_owned();
        let values = &listed.enumeration.values;
        let caption = |value: Option<&EnumerationValue>| value.map_or("...", |value| value.caption);
        let (first, last) = (caption(values.get(1)), caption(values.last()));
        let is_loose = matches!(expr.node, Ast::Binary(..));
        let read =
            if is_loose { format!("({text}) |> to_enum") } else { format!("{text} |> to_enum") };
        let mut help = format!("`{read}` looks its captions and numbers up");
        if !listed.is_list {
            help += &format!(
                "; or choose by its text: `match {text} {{ \"...\" => \"{first}\"  else => \"{last}\" }}`"
            );
        }
        self.report(
            Diagnostic::error(
                "W0302",
                expr.span,
                format!("`{}` takes one of the captions that OCSF lists", listed.attribute.name),
                "known only at run time",
            )
            .help(help)
            .fix("to_enum", expr.span, read),
        );
        None
    }

    /// A word that is no name: most likely a caption.
    fn word_without_quotes<T>(&mut self, word: &str, span: Span, listed: Listed) -> Option<T> {
        let values = listed.enumeration.values.iter();
        let captions = values.map(|value| if listed.is_text { value.key } else { value.caption });
        let captions: Vec<&str> = captions.collect();
        let same = captions.iter().copied().find(|caption| caption.eq_ignore_ascii_case(word));
        match same.or_else(|| nearest(word, captions.iter().copied())) {
            Some(caption) => self.report(
                Diagnostic::error(
                    "W0101",
                    span,
                    format!("there is no `{word}` here"),
                    "a value stands in quotes",
                )
                .label(listed.span, "takes one of the captions that OCSF lists")
                .help(format!("write \"{caption}\""))
                .fix(
                    format!("{word} -> \"{caption}\""),
                    span,
                    format!("\"{caption}\""),
                ),
            ),
            None => {
                self.lookup(word, span);
            }
        }
        None
    }

    fn listed_literal(&mut self, expr: &ast::Expr, listed: Listed) -> Option<Expr> {
        let word = match &expr.node {
            Ast::Text(text) => text.clone(),
            Ast::Number(digits) => digits.replace('_', ""),
            _ => self.source.slice(expr.span).replace([' ', '_'], ""),
        };
        match listed.find(&word) {
            Some(constant) => {
                let kind = ExprKind::Constant(constant);
                Some(Expr { kind, ty: listed.ty(), span: expr.span })
            }
            None => self.wrong_caption(&word, expr.span, listed),
        }
    }

    /// A column whose cells are captions or numbers: read through a second column that holds what they name.
    fn listed_cell(
        &mut self,
        table: u16,
        key: Expr,
        (column, ty): (u16, Type),
        listed: Listed,
        span: Span,
    ) -> Option<Expr> {
        let known = self.tables[usize::from(table)].listed.iter().find(|(of, enumeration, _)| {
            *of == column && std::ptr::eq(*enumeration, listed.enumeration)
        });
        let column = match known {
            Some((.., made)) => *made,
            None => self.listed_column(table, column, listed)?,
        };
        debug_assert!(matches!(ty, Type::Text | Type::Int | Type::Decimal | Type::Bool));
        Some(Expr { kind: ExprKind::Cell(table, key.into(), column), ty: listed.ty(), span })
    }

    fn listed_column(&mut self, table: u16, column: u16, listed: Listed) -> Option<u16> {
        let info = &self.tables[usize::from(table)];
        let at = usize::from(column);
        let rows = info.hir.rows.iter().map(|row| &row.cells).chain(&info.hir.otherwise);
        let words: Vec<(String, Span)> = rows
            .zip(&info.cells)
            .map(|(cells, spans)| (constant_text(&cells[at]), spans[at]))
            .collect();
        let found: Vec<Option<Constant>> = words
            .into_iter()
            .map(|(word, span)| match listed.find(&word) {
                Some(value) => Some(value),
                None => self.wrong_caption(&word, span, listed),
            })
            .collect();
        let mut found = found.into_iter().collect::<Option<Vec<_>>>()?.into_iter();
        let info = &mut self.tables[usize::from(table)];
        let rows = info.hir.rows.iter_mut().map(|row| &mut row.cells);
        let mut made = 0;
        for cells in rows.chain(&mut info.hir.otherwise) {
            made = cells.len();
            cells.extend(found.next());
        }
        let made = u16::try_from(made).ok()?;
        info.listed.push((column, listed.enumeration, made));
        Some(made)
    }

    fn wrong_caption<T>(&mut self, text: &str, span: Span, listed: Listed) -> Option<T> {
        let version = self.head.schema.version;
        let values = listed.enumeration.values.iter();
        let captions: Vec<&str> =
            values.map(|value| if listed.is_text { value.key } else { value.caption }).collect();
        let name = listed.attribute.name;
        let what = if name == "activity_id" {
            "is not an activity of this class".to_owned()
        } else {
            format!("is not a value of `{name}`")
        };
        let is_quoted = self.source.slice(span).starts_with('"');
        let shown = if is_quoted { format!("\"{text}\"") } else { text.to_owned() };
        let mut report =
            Diagnostic::error("W0211", span, format!("{shown} {what}"), "not in the list")
                .label(listed.span, format!("OCSF {version} lists its values"));
        let near = nearest(text, captions.iter().copied());
        report = match near {
            Some(near) => report.help(format!("did you mean \"{near}\"?")).fix(
                format!("{text} -> {near}"),
                span,
                format!("\"{near}\""),
            ),
            None => report.help(format!("choose one of {}", shortened(&captions))),
        };
        if near.is_some() {
            let others: Vec<&str> =
                captions.into_iter().filter(|caption| Some(*caption) != near).collect();
            report = report.note(format!("the others are {}", shortened(&others)));
        }
        self.report(report);
        None
    }

    /// W0211: a value that a test expects of a target, and that OCSF does not list for it.
    pub(super) fn expected_value(
        &mut self,
        word: &str,
        span: Span,
        attribute: &'static Attribute,
        target: Span,
    ) {
        if let Some(listed) = Listed::of(attribute, target)
            && listed.find(word).is_none()
        {
            self.wrong_caption::<()>(word, span, listed);
        }
    }

    /// `x |> to_enum`
    fn look_up_in_enum(
        &mut self,
        name: &ast::Name,
        subject: Option<&'a ast::Expr>,
        args: &'a [ast::Expr],
        listed: Listed,
        span: Span,
    ) -> Option<Expr> {
        let args: Vec<&'a ast::Expr> = subject.into_iter().chain(args).collect();
        let [arg] = args[..] else {
            self.report(
                Diagnostic::error(
                    "W0103",
                    name.span,
                    "`to_enum` takes one value, the one before `|>`",
                    "wrong number of arguments",
                )
                .help("write `.status |> to_enum`"),
            );
            return None;
        };
        let (builtin, ty) = if listed.is_list {
            (&TO_ENUM_EACH, Type::Text.list())
        } else {
            let natural = self.natural(arg).filter(|ty| ty.element().is_none());
            (&TO_ENUM, natural.filter(|ty| *ty != Type::Json).unwrap_or(Type::Text))
        };
        let value = self.expr(arg, ty)?;
        enum_call(builtin, listed.literals(), self.head.numbers, vec![value], listed.ty(), span)
    }

    /// `to_enum` where nothing says which values are listed. Reports it.
    pub(super) fn misplaced_to_enum(&mut self, name: &ast::Name) -> Option<Expr> {
        self.report(
            Diagnostic::error(
                "W0302",
                name.span,
                "`to_enum` looks a value up among those that OCSF lists for its target, and here is none",
                "no such target",
            )
            .help("it stands where an attribute with listed values is set, alone or as an arm of `if`, `match` or `??`: `status_id = .status |> to_enum`"),
        );
        None
    }
}

fn enum_call(
    builtin: &'static Builtin,
    literals: Vec<builtins::Constant>,
    numbers: weir_engine::types::NumberFormat,
    args: Vec<Expr>,
    ty: Type,
    span: Span,
) -> Option<Expr> {
    let environment = Environment { numbers, ..Environment::default() };
    let call = Arc::from((builtin.prepare)(&literals, &environment).ok()?);
    Some(Expr { kind: ExprKind::Call { builtin, literals, call, args }, ty, span })
}

/// The words of the source beside values: what to call 99 *Other*.
impl Checker<'_> {
    /// The word beside a value, if the program has one.
    fn word(&self, value: &Expr) -> Option<Expr> {
        match &value.kind {
            ExprKind::Match { subject, arms, otherwise }
                if arms.iter().all(|(_, arm)| !has_word(arm)) && !has_word(otherwise) =>
            {
                Some((**subject).clone())
            }
            _ => has_word(value).then(|| self.words(value, None)),
        }
    }

    /// The word beside a value, or the words beside a list: missing where the value is missing, so that the words of a
    /// list have the places of its values, and the empty text where there is none. `subject` is what a `match` around
    /// looks at.
    fn words(&self, value: &Expr, subject: Option<&Expr>) -> Expr {
        let span = value.span;
        let inner = |value: &Expr| Box::new(self.words(value, subject));
        let kind = match &value.kind {
            ExprKind::Constant(Constant::Missing) => ExprKind::Constant(Constant::Missing),
            ExprKind::If(condition, then, otherwise) => {
                ExprKind::If(condition.clone(), inner(then), inner(otherwise))
            }
            ExprKind::Coalesce(left, right) => ExprKind::Coalesce(inner(left), inner(right)),
            ExprKind::List(items) => {
                ExprKind::List(items.iter().map(|item| self.words(item, None)).collect())
            }
            ExprKind::Match { subject, arms, otherwise } => ExprKind::Match {
                subject: subject.clone(),
                arms: arms
                    .iter()
                    .map(|(patterns, arm)| (patterns.clone(), self.words(arm, Some(subject))))
                    .collect(),
                otherwise: Box::new(self.words(otherwise, Some(subject))),
            },
            ExprKind::Call { literals, args, .. } => {
                let ty = value.ty.element().map_or(Type::Text, |_| Type::Text.list());
                let (literals, args) = (literals.clone(), args.clone());
                let numbers = self.head.numbers;
                match enum_call(&OTHER_WORD, literals, numbers, args, ty, span) {
                    Some(words) if ty != Type::Text => return words,
                    Some(word) => return where_present(value, or_empty(word)),
                    None => ExprKind::Constant(Constant::Missing),
                }
            }
            ExprKind::Cell(_, key, _) => return where_present(value, or_empty((**key).clone())),
            _ => return subject.map_or_else(|| empty(span), |subject| or_empty(subject.clone())),
        };
        let ty = value.ty.element().map_or(Type::Text, |_| Type::Text.list());
        Expr { kind, ty, span }
    }
}

/// Is there a word beside a value?
fn has_word(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Match { .. } | ExprKind::Cell(..) | ExprKind::Call { .. } => true,
        ExprKind::If(_, left, right) | ExprKind::Coalesce(left, right) => {
            has_word(left) || has_word(right)
        }
        _ => false,
    }
}

fn empty(span: Span) -> Expr {
    let kind = ExprKind::Constant(Constant::Text(String::new()));
    Expr { kind, ty: Type::Text, span }
}

fn or_empty(word: Expr) -> Expr {
    let span = word.span;
    Expr { kind: ExprKind::Coalesce(word.into(), empty(span).into()), ty: Type::Text, span }
}

/// The word, if there is a value.
fn where_present(value: &Expr, word: Expr) -> Expr {
    let span = value.span;
    let kind = ExprKind::Is(Outcome::Present, false, value.clone().into());
    let is_present = Expr { kind, ty: Type::Bool, span };
    let kind = ExprKind::If(is_present.into(), word.into(), missing(Type::Text, span).into());
    Expr { kind, ty: Type::Text, span }
}

/// The text of a cell.
fn constant_text(cell: &Constant) -> String {
    constant::to_text(cell).unwrap_or_default()
}
