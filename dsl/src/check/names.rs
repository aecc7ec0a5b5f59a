//! What a word stands for: `let`s, loop variables, tables.
//!
//! A name is defined once on the way from the file to its block, so a lookup never has to choose.

use std::collections::HashMap;

use weir_engine::constant;
use weir_engine::plan::Constant;
use weir_engine::types::Type;

use super::Checker;
use crate::ast;
use crate::diagnostic::Diagnostic;
use crate::hir::{self, LoopId};
use crate::ocsf::Enumeration;
use crate::source::Span;
use weir_engine::suggest::nearest;

/// The names in scope, innermost last.
#[derive(Debug, Default)]
pub(super) struct Names {
    list: Vec<(String, Binding, Span)>,
    /// Where each name stands in the list.
    places: HashMap<String, usize>,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Binding {
    /// An index into the checker's `lets`.
    Let(usize),
    /// A loop's element.
    Loop(LoopId),
    /// An index into the checker's `tables`.
    Table(usize),
}

/// A `let` as it was written, with what is known of it.
#[derive(Debug)]
pub(super) struct LetInfo<'a> {
    pub(super) name: String,
    pub(super) expr: &'a ast::Expr,
    pub(super) span: Span,
    /// The loop around it.
    pub(super) scope: Option<LoopId>,
    /// Its typed forms, as indices into the program's `lets`.
    pub(super) typed: Vec<(Type, usize)>,
    /// The record that it stands for, if it is one.
    pub(super) record: Option<hir::DerivedId>,
    /// The path from a record that it stands for, if it is one.
    pub(super) field: Option<hir::Path>,
    /// It was reported; uses keep silent.
    pub(super) poisoned: bool,
    /// The type that it has by itself, if it has one.
    pub(super) natural: Option<Type>,
    /// It can be computed in whole numbers where one is wanted.
    pub(super) whole: bool,
    /// What it costs to look at all of it.
    reach: Reach,
}

/// How much an expression is when every `let` in it is replaced by what it stands for.
#[derive(Debug, Clone, Copy, Default)]
struct Reach {
    /// Levels of the tree.
    height: u32,
    /// Nodes of the tree.
    nodes: u32,
}

/// Highest tree of `let`s in `let`s. Expressions alone have the same bound in the parser.
const HEIGHT_MAX: u32 = 512;

/// Most nodes behind the `let`s of one expression: thirty `let`s that each use the one before twice would be a billion.
const NODES_MAX: u32 = 1 << 18;

/// A loop.
#[derive(Debug)]
pub(super) struct LoopInfo {
    pub(super) array: hir::Path,
    pub(super) max: u32,
    /// From the path to the bound.
    pub(super) span: Span,
}

/// A table.
#[derive(Debug)]
pub(super) struct TableInfo {
    pub(super) hir: hir::Table,
    /// The columns behind the key.
    pub(super) columns: Vec<(String, Type)>,
    /// Where the cells of each row stand; those of the `else` row last.
    pub(super) cells: Vec<Vec<Span>>,
    /// Columns that were made of others: the column, the attribute whose values its cells name, the new column.
    pub(super) listed: Vec<(u16, &'static Enumeration, u16)>,
    /// Its columns were refused, so what reads them keeps silent.
    pub(super) poisoned: bool,
}

/// Most rows of a table.
const ROWS_MAX: usize = 10_000;

/// The types that columns of tables have.
const COLUMN_TYPES: [&str; 7] = ["string", "int", "decimal", "bool", "duration", "timestamp", "ip"];

/// Names that are given, and cannot be taken.
const GIVEN: [&str; 4] = ["it", "index", "last", "meta"];

impl Names {
    /// How many names are in scope; give it to [`Names::leave`].
    pub(super) fn enter(&self) -> usize {
        self.list.len()
    }

    /// Forgets the names defined since.
    pub(super) fn leave(&mut self, mark: usize) {
        for (name, ..) in self.list.drain(mark.min(self.list.len())..) {
            self.places.remove(&name);
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<(Binding, Span)> {
        let found = self.list.get(*self.places.get(name)?)?;
        Some((found.1, found.2))
    }

    /// The loops around, outermost first.
    pub(super) fn loops(&self) -> impl Iterator<Item = LoopId> {
        self.list.iter().filter_map(|(_, binding, _)| match binding {
            Binding::Loop(id) => Some(*id),
            Binding::Let(_) | Binding::Table(_) => None,
        })
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|(name, ..)| name.as_str())
    }
}

impl<'a> Checker<'a> {
    /// Binds a name, unless it is taken.
    pub(super) fn define(&mut self, name: &ast::Name, binding: Binding) {
        let taken = self.names.get(&name.node).map(|(_, span)| span);
        if GIVEN.contains(&name.node.as_str()) {
            self.report(
                Diagnostic::error(
                    "W0104",
                    name.span,
                    format!("`{}` has a meaning of its own and cannot be a name here", name.node),
                    "choose another name",
                )
                .help(format!("for example `my_{}`", name.node)),
            );
        } else if let Some(first) = taken {
            self.report(
                Diagnostic::error(
                    "W0104",
                    name.span,
                    format!("the name `{}` is already taken", name.node),
                    "defined again here",
                )
                .label(first, "first defined here")
                .help(
                    "choose another name: a name means one thing from here to the end of its block",
                ),
            );
        } else {
            self.names.places.insert(name.node.clone(), self.names.list.len());
            self.names.list.push((name.node.clone(), binding, name.span));
        }
    }

    /// Defines a `let`, and checks it once as what it most naturally is.
    pub(super) fn define_let(&mut self, item: &'a ast::Let) {
        let index = self.lets.len();
        let reach = self.reach(&item.expr);
        let natural = reach.and_then(|_| self.natural(&item.expr));
        let whole = reach.is_some() && self.may_be_whole(&item.expr);
        self.lets.push(LetInfo {
            name: item.name.node.clone(),
            expr: &item.expr,
            span: item.span,
            scope: self.current_loop,
            typed: Vec::new(),
            record: None,
            field: None,
            poisoned: reach.is_none(),
            natural,
            whole,
            reach: reach.unwrap_or_default(),
        });
        if reach.is_none() {
            self.reaches_too_far(&item.expr);
            return self.define(&item.name, Binding::Let(index));
        }
        if self.gives_record(&item.expr) {
            self.lets[index].poisoned = self.record_of_let(index).is_none();
        } else if !self.names_a_place(&item.expr) {
            let ty = self.natural(&item.expr).unwrap_or(Type::Text);
            // Whatever could not be typed was reported, here or at a `let` that it uses.
            self.lets[index].poisoned = self.typed_let(index, ty).is_none();
        }
        self.define(&item.name, Binding::Let(index));
    }

    fn reaches_too_far(&mut self, expr: &ast::Expr) {
        let message = "`let`s are nested too deeply in each other here";
        let label = "stands for more than can be looked at";
        self.report(
            Diagnostic::error("W0005", expr.span, message, label)
                .help("use what the first of them stand for directly, or choose with one `match`"),
        );
    }

    /// How far an expression reaches through `let`s; none if that is too far.
    fn reach(&self, expr: &ast::Expr) -> Option<Reach> {
        let mut inner = Reach::default();
        let mut whole = true;
        let mut add = |reach: Option<Reach>| match reach {
            Some(reach) => {
                inner.height = inner.height.max(reach.height);
                inner.nodes = inner.nodes.saturating_add(reach.nodes);
            }
            None => whole = false,
        };
        let named = |name: &str| match self.names.get(name) {
            Some((Binding::Let(index), _)) => self.lets[index].reach,
            _ => Reach::default(),
        };
        if let ast::ExprKind::Name(name) = &expr.node {
            add(Some(named(name)));
        }
        if let ast::ExprKind::Path { root: ast::PathRoot::Name(name), .. } = &expr.node {
            add(Some(named(&name.node)));
        }
        expr.node.for_each_part(&mut |part| add(self.reach(part)));
        let reach = Reach { height: inner.height + 1, nodes: inner.nodes.saturating_add(1) };
        (whole && reach.height <= HEIGHT_MAX && reach.nodes <= NODES_MAX).then_some(reach)
    }

    /// The typed form of a `let`, made at its first use.
    pub(super) fn typed_let(&mut self, index: usize, ty: Type) -> Option<usize> {
        if let Some((_, typed)) = self.lets[index].typed.iter().find(|(known, _)| *known == ty) {
            return Some(*typed);
        }
        if self.lets[index].poisoned {
            return None;
        }
        let (expr, scope) = (self.lets[index].expr, self.lets[index].scope);
        let outer = std::mem::replace(&mut self.current_loop, scope);
        let element = self.current_element.take();
        let checked = self.expr(expr, ty);
        (self.current_loop, self.current_element) = (outer, element);
        let typed = self.typed_lets.len();
        self.typed_lets.push(hir::Let {
            name: self.lets[index].name.clone(),
            expr: checked?,
            scope,
        });
        self.lets[index].typed.push((ty, typed));
        Some(typed)
    }

    /// Looks a name up; reports an unknown one.
    pub(super) fn lookup(&mut self, name: &str, span: Span) -> Option<Binding> {
        if let Some((binding, defined)) = self.names.get(name) {
            if span.start < defined.start {
                self.report(
                    Diagnostic::error(
                        "W0101",
                        span,
                        format!("`{name}` is used above its definition"),
                        "not known here yet",
                    )
                    .label(defined, "defined here")
                    .help("move the `let` above its first use"),
                );
                return None;
            }
            return Some(binding);
        }
        // One misspelt definition makes every use unknown: the first says it.
        if !self.unknown_names.insert(name.to_owned()) {
            return None;
        }
        let mut report =
            Diagnostic::error("W0101", span, format!("there is no `{name}` here"), "unknown name");
        let given = ["index", "it", "meta"];
        let word = self.source.slice(span);
        let capital = name.starts_with(|c: char| c.is_uppercase());
        let hints = if self.reports.are_many() { 0 } else { usize::MAX };
        report = match nearest(name, self.names.all().chain(given).take(hints)) {
            _ if matches!(name, "this" | "self" | "record" | "row" | "root" | "line" | "event" | "evt")
                && word.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')) =>
            {
                let start = Span::new(span.start, span.start + name.len() as u32);
                report
                    .help("the record has no name: a path starts with its dot")
                    .fix(format!("remove {name}"), start, "")
            }
            None if capital && word == name => report
                .help(format!("a text stands in quotes: `\"{name}\"`; a field of the record is written with a dot: `.{name}`")),
            Some(near) => report.help(format!("did you mean `{near}`?")).fix(
                format!("{name} -> {near}"),
                span,
                near,
            ),
            None if self.source.slice(span) == name => report
                .help(format!("a field of the record is written with a dot: `.{name}`"))
                .fix(format!("{name} -> .{name}"), span, format!(".{name}")),
            None => report.help("define it with `let`"),
        };
        self.report(report);
        None
    }

    /// Reads the tables of the file; they hold from its first line.
    pub(super) fn declare_tables(&mut self, items: &'a [ast::Item]) {
        for item in items {
            if let ast::Item::Table(table) = item {
                let info = self.table(table);
                let index = self.tables.len();
                self.tables.push(info);
                self.define(&table.name, Binding::Table(index));
            }
        }
    }

    fn table(&mut self, table: &ast::Table) -> TableInfo {
        let before = self.reports.list.len();
        let columns: Vec<_> = table
            .columns
            .iter()
            .skip(1)
            .map(|(name, ty)| (name.node.clone(), self.column_type(ty.as_ref())))
            .collect();
        let mut hir =
            hir::Table { name: table.name.node.clone(), rows: Vec::new(), otherwise: None };
        let mut seen = HashMap::new();
        let (mut spans, mut else_spans) = (Vec::new(), None);
        for row in &table.rows {
            let Some(cells) = self.cells(row, &columns) else { continue };
            let places = row.values.iter().map(|value| value.span).collect();
            let Some(keys) = &row.keys else {
                hir.otherwise = Some(cells);
                else_spans = Some(places);
                continue;
            };
            spans.push(places);
            let keys = self.patterns(keys, &mut seen);
            hir.rows.push(hir::Row { keys, cells });
        }
        if table.rows.len() > ROWS_MAX {
            self.too_large(table.name.span, &format!("a table of more than {ROWS_MAX} rows"));
        }
        if columns.is_empty() {
            self.report(
                Diagnostic::error(
                    "W0116",
                    table.name.span,
                    "a table needs a key and at least one column",
                    "no column behind the key",
                )
                .help("for example `table price (model, input decimal) { ... }`"),
            );
        }
        spans.extend(else_spans);
        TableInfo {
            hir,
            columns,
            cells: spans,
            listed: Vec::new(),
            poisoned: self.reports.list.len() > before,
        }
    }

    fn column_type(&mut self, ty: Option<&ast::Name>) -> Type {
        let Some(name) = ty else { return Type::Text };
        match name.node.as_str() {
            "string" => Type::Text,
            "int" => Type::Int,
            "decimal" => Type::Decimal,
            "bool" => Type::Bool,
            "duration" => Type::Duration,
            "timestamp" => Type::Timestamp,
            "ip" => Type::Ip,
            other => {
                let mut report = Diagnostic::error(
                    "W0302",
                    name.span,
                    format!("a column cannot be of type `{other}`"),
                    "not a type of columns",
                )
                .help("the types are string, int, decimal, bool, duration, timestamp and ip");
                if let Some(near) = nearest(other, COLUMN_TYPES) {
                    report = report.fix(format!("{other} -> {near}"), name.span, near);
                }
                self.report(report);
                Type::Text
            }
        }
    }

    fn cells(&mut self, row: &ast::Row, columns: &[(String, Type)]) -> Option<Vec<Constant>> {
        if row.values.len() != columns.len() {
            self.report(
                Diagnostic::error(
                    "W0302",
                    row.span,
                    format!(
                        "this row has {} for {}",
                        counted(row.values.len(), "value"),
                        counted(columns.len(), "column")
                    ),
                    "does not fit the table",
                )
                .help("give every column behind the key one value"),
            );
            return None;
        }
        row.values
            .iter()
            .zip(columns)
            .map(|(value, (name, ty))| self.literal(value, *ty, name))
            .collect()
    }

    /// A literal as a constant of a type.
    fn literal(
        &mut self,
        value: &ast::Spanned<ast::Literal>,
        ty: Type,
        column: &str,
    ) -> Option<Constant> {
        let constant = match (&value.node, ty) {
            (ast::Literal::Text(text), Type::Text) => Some(Constant::Text(text.clone())),
            (ast::Literal::Number(text), Type::Text) => Some(Constant::Text(text.clone())),
            (ast::Literal::Number(text), Type::Int) => text.parse().ok().map(Constant::Int),
            (ast::Literal::Number(text), Type::Decimal) => {
                weir_engine::read::decimal(text, Default::default()).map(Constant::Decimal)
            }
            (ast::Literal::Bool(value), Type::Bool) => Some(Constant::Bool(*value)),
            (ast::Literal::Text(text), _) => constant::read(text, ty),
            _ => None,
        };
        if constant.is_none() {
            self.report(
                Diagnostic::error(
                    "W0301",
                    value.span,
                    format!("the column `{column}` needs {}, this is not", ty.noun()),
                    format!("not {}", ty.noun()),
                )
                .help("change the value, or the type of the column"),
            );
        }
        constant
    }

    /// Patterns of one arm or row; reports one that stood in an earlier one.
    pub(super) fn patterns(
        &mut self,
        patterns: &[ast::Spanned<ast::Pattern>],
        seen: &mut HashMap<hir::TextPattern, Span>,
    ) -> Vec<hir::TextPattern> {
        let mut list = Vec::new();
        for pattern in patterns {
            let text = match &pattern.node {
                ast::Pattern::Text(text) | ast::Pattern::Number(text) => {
                    hir::TextPattern::Exact(text.clone())
                }
                ast::Pattern::Prefix(text) => hir::TextPattern::Prefix(text.clone()),
                ast::Pattern::Bool(value) => hir::TextPattern::Exact(value.to_string()),
            };
            if let Some(first) = seen.get(&text).copied() {
                self.report(
                    Diagnostic::error(
                        "W0505",
                        pattern.span,
                        "the same pattern stands here twice",
                        "never reached",
                    )
                    .label(first, "this one is taken")
                    .help("remove one of them"),
                );
                continue;
            }
            seen.insert(text.clone(), pattern.span);
            list.push(text);
        }
        list
    }
}

/// `1 value`, `2 values`
fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
