//! The columns of `event { }`, and the lines of a mapping in general.

use weir_engine::plan::{Check, Column, Policy};
use weir_engine::types::Type;

use super::Checker;
use crate::ast::{self, HandlerAction, Outcome};
use crate::diagnostic::Diagnostic;
use crate::hir::{Expr, Field, Handler};
use crate::source::Span;
use weir_engine::suggest::nearest;

/// The columns that hold for the `emit`s of a block; an inner `event` replaces single ones.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns {
    pub(super) fields: [Option<Field>; 8],
    pub(super) extra: Vec<(String, Field)>,
    /// A column was reported, so its absence is not.
    pub(super) poisoned: bool,
}

/// What a line wants of its value.
pub(super) struct Line<'t> {
    pub(super) target: String,
    pub(super) span: Span,
    pub(super) check: Check,
    /// The type that OCSF gives the attribute, `port_t`; none for what is no attribute.
    pub(super) data_type: Option<&'static str>,
    pub(super) missing: Policy,
    pub(super) invalid: Policy,
    /// The attribute is required, for this reason: `skip` is W0208.
    pub(super) required: Option<&'t str>,
}

impl<'a> Checker<'a> {
    /// An `event { }` inside `around`.
    pub(super) fn event(&mut self, event: &'a ast::Event, around: &Columns) -> Columns {
        let mut columns = around.clone();
        let mark = self.names.enter();
        let mut seen: Vec<(String, Span)> = Vec::new();
        for entry in &event.entries {
            match entry {
                ast::EventEntry::Let(item) => self.define_let(item),
                ast::EventEntry::Column { target, value } => {
                    self.column_line(target, value, &mut columns, &mut seen);
                }
            }
        }
        self.names.leave(mark);
        columns
    }

    fn column_line(
        &mut self,
        target: &'a ast::Target,
        value: &'a ast::Value,
        columns: &mut Columns,
        seen: &mut Vec<(String, Span)>,
    ) {
        let words: Vec<&str> = target.keys.iter().map(|key| key.node.as_str()).collect();
        let name = words.join(".");
        if let Some((_, first)) = seen.iter().find(|(known, _)| *known == name) {
            let first = *first;
            self.report(set_twice(&format!("event.{name}"), target.span, first));
            columns.poisoned = true;
            return;
        }
        seen.push((name.clone(), target.span));
        if let ["extra", key] = words[..] {
            match self.extra(&name, target, value) {
                Some(field) => {
                    columns.extra.retain(|(known, _)| known != key);
                    columns.extra.push((key.to_owned(), field));
                }
                None => columns.poisoned = true,
            }
            return;
        }
        let Some(column) = Column::ALL.into_iter().find(|column| column.name() == name) else {
            self.unknown_column(&name, target);
            columns.poisoned = true;
            return;
        };
        let field = self.column_field(column, target, value);
        columns.poisoned |= field.is_none();
        columns.fields[column as usize] = field;
    }

    fn unknown_column(&mut self, name: &str, target: &ast::Target) {
        let known = Column::ALL.map(Column::name);
        let mut report = Diagnostic::error(
            "W0203",
            target.span,
            format!("`event` has no column `{name}`"),
            "unknown here",
        );
        report = match meant_column(name) {
            Some(near) => report.help(format!("did you mean `{near}`?")).fix(
                format!("{name} -> {near}"),
                target.span,
                near,
            ),
            // `extra` holds single values, so a name of several words becomes one.
            None => {
                report.help(match name.strip_prefix("extra").map(|rest| rest.replace('.', "_")) {
                    Some(rest) if rest.is_empty() => {
                        "name what it holds: `extra.name = ...`".to_owned()
                    }
                    Some(rest) => {
                        format!("`extra` has no objects in it: write `extra.{}`", &rest[1..])
                    }
                    None => format!(
                        "the columns are {}; others go to `extra.{}`",
                        known.join(", "),
                        name.replace('.', "_")
                    ),
                })
            }
        };
        self.report(report);
    }

    fn extra(&mut self, name: &str, target: &ast::Target, value: &'a ast::Value) -> Option<Field> {
        let line = Line {
            target: format!("event.{name}"),
            span: target.span,
            check: Check::Text,
            data_type: None,
            missing: Policy::Skip,
            invalid: self.optional_invalid(),
            required: None,
        };
        self.line(value, line, |checker, expr| checker.expr(expr, Type::Text))
    }

    fn column_field(
        &mut self,
        column: Column,
        target: &ast::Target,
        value: &'a ast::Value,
    ) -> Option<Field> {
        let (check, missing, invalid) = match column {
            Column::Id | Column::Actor | Column::Action | Column::Target => {
                (Check::Text, Policy::Reject, Policy::Reject)
            }
            Column::Time => (Check::EventTime, Policy::Reject, Policy::Reject),
            Column::CostUsd => (Check::Decimal, Policy::Zero, self.zero_invalid()),
            Column::TokensInput | Column::TokensOutput => {
                (Check::Int(0, i64::MAX), Policy::Zero, self.zero_invalid())
            }
        };
        if column == Column::CostUsd && self.natural(&value.expr) == Some(Type::Float) {
            self.report(
                Diagnostic::error(
                    "W0303",
                    value.expr.span,
                    "money is counted exactly, not in floating point",
                    "a floating-point number",
                )
                .help("read it by `|> decimal`"),
            );
            return None;
        }
        let required = matches!(missing, Policy::Reject).then_some("every event needs it");
        let line = Line {
            target: format!("event.{}", column.name()),
            span: target.span,
            check,
            data_type: None,
            missing,
            invalid,
            required,
        };
        self.line(value, line, |checker, expr| checker.expr(expr, column.ty()))
    }

    fn zero_invalid(&self) -> Policy {
        if self.head.optional_reject { Policy::Reject } else { Policy::Zero }
    }

    /// What becomes of an optional value that cannot be read.
    pub(super) fn optional_invalid(&self) -> Policy {
        if self.head.optional_reject { Policy::Reject } else { Policy::Skip }
    }

    /// A line: its value and its handlers, each checked by `check`.
    pub(super) fn line(
        &mut self,
        value: &'a ast::Value,
        line: Line<'_>,
        mut check: impl FnMut(&mut Self, &'a ast::Expr) -> Option<Expr>,
    ) -> Option<Field> {
        let expr = check(self, &value.expr);
        let (mut on_missing, mut on_invalid) = (None, None);
        let mut sound = true;
        let mut first: [Option<Span>; 2] = [None, None];
        for handler in &value.handlers {
            let which = usize::from(handler.on == Outcome::Invalid);
            if let Some(before) = first[which].replace(handler.span) {
                self.report(
                    Diagnostic::error(
                        "W0204",
                        handler.span,
                        "this line handles the same outcome twice",
                        "again here",
                    )
                    .label(before, "first here")
                    .help("keep one of them"),
                );
                sound = false;
                continue;
            }
            let action = self.handler(handler, &line, &mut check);
            sound &= action.is_some();
            if handler.on == Outcome::Missing { on_missing = action } else { on_invalid = action }
        }
        let handlers = [&on_missing, &on_invalid].into_iter().flatten();
        let handled = handlers.filter_map(|handler| match handler {
            Handler::Value(value) => Some(&**value),
            Handler::Skip | Handler::Reject => None,
        });
        self.constants_fit(&line, expr.iter().chain(handled));
        let expr = expr.filter(|_| sound)?;
        let mut redacted = self.reads_redacted(&expr);
        for handler in [&on_missing, &on_invalid] {
            if let Some(Handler::Value(value)) = handler {
                redacted |= self.reads_redacted(value);
            }
        }
        Some(Field {
            value: expr,
            on_missing,
            on_invalid,
            missing: line.missing,
            invalid: line.invalid,
            check: line.check,
            target: line.target,
            span: line.span,
            redacted,
        })
    }

    fn handler(
        &mut self,
        handler: &'a ast::Handler,
        line: &Line<'_>,
        check: &mut impl FnMut(&mut Self, &'a ast::Expr) -> Option<Expr>,
    ) -> Option<Handler> {
        match &handler.action {
            HandlerAction::Reject => Some(Handler::Reject),
            HandlerAction::Value(expr) => check(self, expr).map(|expr| Handler::Value(expr.into())),
            HandlerAction::Skip => {
                let Some(why) = line.required else { return Some(Handler::Skip) };
                let outcome = if handler.on == Outcome::Missing { "missing" } else { "invalid" };
                self.report(
                    Diagnostic::error(
                        "W0208",
                        handler.span,
                        format!("`{}` is required, so it cannot be skipped", line.target),
                        "leaves it out",
                    )
                    .label(line.span, why)
                    .help(match line.check {
                        Check::Text | Check::LimitedText(_) => format!("give a value instead, for example `on {outcome} \"unknown\"`, or `on {outcome} reject`"),
                        _ => format!("give another value instead, as in `on {outcome} .other`, or `on {outcome} reject`"),
                    })
                    .fix("reject", handler.span, format!("on {outcome} reject")),
                );
                None
            }
        }
    }

    /// Reports the columns that an `emit` lacks.
    pub(super) fn complete_columns(
        &mut self,
        columns: &Columns,
        class: &ast::Name,
    ) -> Option<Vec<Field>> {
        let lacking: Vec<&str> =
            [Column::Id, Column::Time, Column::Actor, Column::Action, Column::Target]
                .into_iter()
                .filter(|column| columns.fields[*column as usize].is_none())
                .map(Column::name)
                .collect();
        if columns.poisoned {
            return None;
        }
        if !lacking.is_empty() {
            // One `event` that lacks a column makes every emit lack it: the first says it.
            let missed = lacking.join(", ");
            if self.columns_missed.contains(&missed) {
                return None;
            }
            self.columns_missed.push(missed);
            self.report(
                Diagnostic::error(
                    "W0503",
                    class.span,
                    format!(
                        "this event lacks {}",
                        lacking
                            .iter()
                            .map(|name| format!("`{name}`"))
                            .collect::<Vec<_>>()
                            .join(", ")
                    ),
                    "every event needs id, time, actor, action and target",
                )
                .help(format!(
                    "add {} to an `event {{ }}` in this block or around it",
                    lacking
                        .iter()
                        .map(|name| format!("`{name} = ...`"))
                        .collect::<Vec<_>>()
                        .join(", ")
                )),
            );
            return None;
        }
        Some(
            Column::ALL
                .into_iter()
                .map(|column| match &columns.fields[column as usize] {
                    Some(field) => field.clone(),
                    None => zero(column, class.span),
                })
                .collect(),
        )
    }
}

/// A column that the program does not set is 0.
fn zero(column: Column, span: Span) -> Field {
    Field {
        value: super::expr::missing(column.ty(), span),
        on_missing: None,
        on_invalid: None,
        missing: Policy::Zero,
        invalid: Policy::Zero,
        check: if column == Column::CostUsd { Check::Decimal } else { Check::Int(0, i64::MAX) },
        target: format!("event.{}", column.name()),
        span,
        redacted: false,
    }
}

/// The column of `event` that an unknown one was meant to be.
pub(super) fn meant_column(name: &str) -> Option<&'static str> {
    match name {
        "source_event_id" | "uid" | "event_id" => Some("id"),
        "event_timestamp" | "timestamp" | "at" => Some("time"),
        "user" => Some("actor"),
        "type" => Some("action"),
        "cost" => Some("cost_usd"),
        other => nearest(other, Column::ALL.map(Column::name)),
    }
}

/// W0204.
pub(super) fn set_twice(target: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::error("W0204", span, format!("`{target}` is set twice"), "again here")
        .label(first, "first set here")
        .help("keep one of them; for alternatives write `a ?? b`")
}
