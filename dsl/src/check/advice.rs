//! Warnings and advice about a program that compiles: objects that the tests show incomplete (W0206), a cost that
//! depends on an `else` row of 0 (W0805), an unusual order of items (W0801).

use simd_json::OwnedValue;
use simd_json::prelude::*;
use weir_engine::input::Format;
use weir_engine::plan::{Column, Constant};

use super::Checker;
use super::emit::{Draft, DraftNode};
use super::routing::EmitFacts;
use crate::ast::{self, Expectation, Item, Stmt};
use crate::diagnostic::{Diagnostic, Severity};
use crate::hir::{Expr, ExprKind, Handler, OutputNode, Root};
use crate::source::Span;

/// An object whose requirements are met by values that may be missing.
pub(super) struct Incomplete {
    span: Span,
    name: &'static str,
    class: &'static str,
    /// What OCSF asks for: of each group one value must be there.
    needs: Vec<Need>,
    /// What would be lost with it.
    others: Vec<Expr>,
}

/// Values of which one must be there.
struct Need {
    names: Vec<String>,
    values: Vec<Expr>,
}

impl<'a> Checker<'a> {
    /// Remembers an object of an event that is left out whole when some values are missing.
    pub(super) fn may_be_incomplete(
        &mut self,
        draft: &Draft,
        required: &[&'static str],
        constraints: &[Vec<String>],
    ) {
        let Some(class) = self.emitted.last().copied() else { return };
        let single = required.iter().map(|name| vec![(*name).to_owned()]);
        let groups = single.chain(constraints.iter().cloned());
        let needs: Vec<Need> = groups
            .filter_map(|names| {
                let values: Option<Vec<Expr>> =
                    names.iter().map(|name| value_that_may_be_missing(draft, name)).collect();
                let values = values.filter(|values| !values.is_empty())?;
                Some(Need { names, values })
            })
            .collect();
        if !needs.is_empty() {
            let name = draft.shape.name();
            let others = values_beside(draft, &needs);
            self.incomplete.push(Incomplete { span: draft.span, name, class, needs, others });
        }
    }

    /// Says what only the whole program shows. Silent where something was refused.
    pub(super) fn advise(&mut self, file: &'a ast::File) {
        if self.reports.has_errors() {
            return;
        }
        self.order(&file.items);
        if !matches!(self.head.input.format, Format::Csv(_)) {
            self.left_out_in_tests(file);
        }
    }

    /// W0206: an object that is left out, and takes a value with it, in tests which expect the event it belongs to.
    fn left_out_in_tests(&mut self, file: &'a ast::File) {
        let events = self.expected_events(file);
        for incomplete in std::mem::take(&mut self.incomplete) {
            // Of several emits of a class, the expectation does not tell which one it is about.
            if self.emitted.iter().filter(|class| **class == incomplete.class).count() != 1 {
                continue;
            }
            let of_class: Vec<_> =
                events.iter().filter(|(class, ..)| *class == incomplete.class).collect();
            let lacking: Vec<(&str, &Need)> = of_class
                .iter()
                .filter_map(|(_, test, record)| {
                    let need = incomplete.needs.iter().find(|need| self.is_absent(need, record))?;
                    let lost = |value: &Expr| self.is_there(value, record) == Some(true);
                    incomplete.others.iter().find(|value| lost(value))?;
                    Some((*test, need))
                })
                .collect();
            let Some((test, need)) = lacking.first() else { continue };
            let name = incomplete.name;
            let needs = need.names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
            let report = Diagnostic::warning(
                "W0206",
                incomplete.span,
                format!("this `{name}` is left out where {} is missing", needs.join(" and ")),
                format!("left out in {} of {} tests, as in \"{test}\"", lacking.len(), of_class.len()),
            )
            .help(format!(
                "give {} a value for that case: `{} = ... on missing \"unknown\"`",
                needs[0], need.names[0]
            ))
            .note(format!(
                "OCSF needs {} in every `{name}`, so weir leaves the whole `{name}` out and counts it",
                needs.join(" or ")
            ));
            self.report(report);
        }
    }

    /// The class, the test and the record of each event that a test expects, where records and expectations are as
    /// many.
    fn expected_events(&self, file: &'a ast::File) -> Vec<(&'a str, &'a str, OwnedValue)> {
        let tests = file.items.iter().filter_map(|item| match item {
            Item::Test(test) => Some(test),
            _ => None,
        });
        let mut events = Vec::new();
        for test in tests {
            let records = self.records_of(&test.given.node);
            if records.len() != test.expect.len() {
                continue;
            }
            for (record, expectation) in records.into_iter().zip(&test.expect) {
                if let Expectation::Event { class, .. } = expectation {
                    events.push((class.node.as_str(), test.name.node.as_str(), record));
                }
            }
        }
        events
    }

    fn is_absent(&self, need: &Need, record: &OwnedValue) -> bool {
        need.values.iter().all(|value| self.is_there(value, record) == Some(false))
    }

    /// Whether a value is there in a record; nothing where that takes more than looking.
    fn is_there(&self, expr: &Expr, record: &OwnedValue) -> Option<bool> {
        match &expr.kind {
            ExprKind::Constant(Constant::Missing) => Some(false),
            ExprKind::Constant(_) => Some(true),
            ExprKind::Path(path) if path.root == Root::Record => {
                let there = |value: &&OwnedValue| !value.is_null() && value.as_str() != Some("");
                Some(self.values(path, record).iter().any(there))
            }
            ExprKind::Let(index) => self.is_there(&self.typed_lets[*index].expr, record),
            ExprKind::Convert(inner) => self.is_there(inner, record),
            ExprKind::Coalesce(left, right) => {
                match (self.is_there(left, record), self.is_there(right, record)) {
                    (Some(false), Some(false)) => Some(false),
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    _ => None,
                }
            }
            ExprKind::Call { builtin, args, .. } if builtin.name != "stable_id" => {
                let first = self.is_there(args.first()?, record)?;
                (!first).then_some(false)
            }
            _ => None,
        }
    }

    /// W0805: an unlisted key would cost nothing, and nobody would see it.
    pub(super) fn unlisted_costs(&mut self, emits: &[EmitFacts]) {
        for emit in emits {
            let field = &emit.columns()[Column::CostUsd as usize];
            // `on missing 0` says that what is not known costs nothing.
            if field.on_missing.is_some() {
                continue;
            }
            let mut zero = None;
            self.visit(&field.value, &mut |part| {
                if let ExprKind::Cell(table, _, column) = &part.kind {
                    let table = usize::from(*table);
                    let row = self.tables[table].hir.otherwise.as_ref();
                    let cell = row.and_then(|row| row.get(usize::from(*column)));
                    if cell.is_some_and(is_zero) {
                        zero.get_or_insert(table);
                    }
                }
            });
            let Some(table) = zero else { continue };
            let table = self.tables[table].hir.name.clone();
            let mut report = Diagnostic::warning(
                "W0805",
                field.span,
                format!("what `{table}` does not list costs 0 here"),
                format!("read from the `else` row of `{table}`"),
            )
            .help(format!(
                "remove the `else` row of `{table}`: then the cost is missing, and counted as such; or write `on missing 0` here if 0 is meant"
            ));
            report.severity = Severity::Advice;
            self.report(report);
        }
    }

    /// W0801: the first item that stands behind what it usually precedes.
    fn order(&mut self, items: &'a [Item]) {
        let mut last: Option<(usize, Span)> = None;
        for item in items {
            let Some((rank, span)) = rank(item) else { continue };
            if let Some((before, at)) = last
                && rank < before
            {
                let mut report = Diagnostic::warning(
                    "W0801",
                    span,
                    format!("{} usually stand further up", ORDER[rank]),
                    "would be looked for further up",
                )
                .label(at, format!("{} stand behind it", ORDER[before]))
                .help("the usual order is filters, `raw`, tables, `event`, events, tests; names stand where they are needed");
                report.severity = Severity::Advice;
                self.report(report);
                return;
            }
            last = Some((rank, span));
        }
    }
}

/// The usual order of a file.
const ORDER: [&str; 6] =
    ["filters", "`raw` lines", "tables", "the columns of `event`", "events", "tests"];

fn rank(item: &Item) -> Option<(usize, Span)> {
    Some(match item {
        Item::Keep(_, span) => (0, *span),
        Item::Stmt(Stmt::Drop(Some(_), span)) => (0, *span),
        Item::Raw(raw) => (1, raw.span),
        Item::Table(table) => (2, table.name.span),
        Item::Stmt(Stmt::Event(event)) => (3, event.keyword),
        Item::Stmt(Stmt::When(when)) => (4, when.keyword),
        Item::Stmt(Stmt::Each(each)) => (4, each.header.span),
        Item::Stmt(Stmt::Emit(emit)) => (4, emit.class.span),
        Item::Stmt(Stmt::Drop(None, span) | Stmt::Reject(_, span)) => (4, *span),
        Item::Test(test) => (5, test.name.span),
        Item::Let(_) | Item::Stmt(Stmt::Let(_)) => return None,
    })
}

/// The value of a line that nothing stands in for.
fn value_that_may_be_missing(draft: &Draft, name: &str) -> Option<Expr> {
    match &draft.get(name)?.node {
        DraftNode::Leaf(OutputNode::Value(field)) => match field.on_missing {
            Some(Handler::Value(_)) => None,
            _ => Some(field.value.clone()),
        },
        _ => None,
    }
}

/// The values that the author sets beside those that are needed. Constants are no loss.
fn values_beside(draft: &Draft, needs: &[Need]) -> Vec<Expr> {
    let needed = |name: &str| needs.iter().any(|need| need.names.iter().any(|known| known == name));
    let values = draft.members.iter().filter(|member| !member.filler && !needed(&member.name));
    values
        .filter_map(|member| match &member.node {
            DraftNode::Leaf(OutputNode::Value(field)) => Some(field.value.clone()),
            _ => None,
        })
        .filter(|value| !matches!(value.kind, ExprKind::Constant(_)))
        .collect()
}

fn is_zero(constant: &Constant) -> bool {
    match constant {
        Constant::Int(value) => *value == 0,
        Constant::Decimal(value) => value.0 == 0,
        _ => false,
    }
}
