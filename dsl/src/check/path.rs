//! Paths: from the steps as written to literal steps from a root.

use weir_engine::input::{Format, RecordsStep};
use weir_engine::plan::Meta;
use weir_engine::types::Type;

use super::Checker;
use super::names::Binding;
use crate::ast::{self, ExprKind, PathRoot, PathStep};
use crate::diagnostic::Diagnostic;
use crate::hir::{self, Path, Root, Step};
use crate::source::Span;
use weir_engine::suggest::nearest;

/// What a path leads to.
pub(super) enum Place {
    /// A value of the record, the wrapper, or an element.
    Path(Path),
    /// A cell of a table.
    Cell(u16, hir::Expr, u16, Type),
    /// A row of a table: not a value, but `row.column` is one.
    Row(usize, hir::Expr),
    /// A fact about the object.
    Meta(Meta),
    /// A value without parts: a `let` that names no place.
    Let(usize),
}

impl<'a> Checker<'a> {
    /// True if the expression names a row of a table: it has no value of its own.
    pub(super) fn names_a_place(&self, expr: &ast::Expr) -> bool {
        match &expr.node {
            ExprKind::Path { root: PathRoot::Name(name), steps } => {
                matches!(self.names.get(&name.node), Some((Binding::Table(_), _)))
                    && steps.len() == 1
            }
            _ => false,
        }
    }

    /// The array of `path[*]`: `None` if the path does not end so.
    pub(super) fn array(&mut self, expr: &'a ast::Expr) -> Option<Path> {
        let ExprKind::Path { root, steps } = &expr.node else {
            return self.no_array(expr.span);
        };
        let Some((PathStep::Each(_), before)) = steps.split_last() else {
            return self.no_array(expr.span);
        };
        match self.place_of_array(root, before, expr.span)? {
            Place::Path(path) => Some(path),
            _ => self.no_array(expr.span),
        }
    }

    /// What stands in front of `[*]`: also a `let` that names a path.
    pub(super) fn place_of_array(
        &mut self,
        root: &'a PathRoot,
        before: &'a [PathStep],
        span: Span,
    ) -> Option<Place> {
        if let (PathRoot::Name(name), []) = (root, before)
            && let Some((Binding::Let(index), _)) = self.names.get(&name.node)
            && let ExprKind::Path { root, steps } = &self.lets[index].expr.node
            && !self.lets[index].poisoned
        {
            self.lookup(&name.node, name.span)?;
            return self.place_in_let(index, root, steps);
        }
        self.place(root, before, span)
    }

    /// What a path leads to that a `let` names: it means what it means where the `let` stands.
    fn place_in_let(
        &mut self,
        index: usize,
        root: &'a PathRoot,
        steps: &'a [PathStep],
    ) -> Option<Place> {
        let (expr, scope) = (self.lets[index].expr, self.lets[index].scope);
        let outer = std::mem::replace(&mut self.current_loop, scope);
        let element = self.current_element.take();
        let place = self.place(root, steps, expr.span);
        (self.current_loop, self.current_element) = (outer, element);
        place
    }

    fn no_array<T>(&mut self, span: Span) -> Option<T> {
        let text = self.source.slice(span).to_owned();
        self.report(
            Diagnostic::error(
                "W0119",
                span,
                "a loop goes over the elements of an array of the record",
                "does not end in `[*]`",
            )
            .help(format!("write `{text}[*]`"))
            .fix(format!("{text} -> {text}[*]"), span, format!("{text}[*]")),
        );
        None
    }

    /// What a path leads to.
    pub(super) fn place(
        &mut self,
        root: &'a PathRoot,
        steps: &'a [PathStep],
        span: Span,
    ) -> Option<Place> {
        match root {
            PathRoot::Record => self.steps(Path { root: Root::Record, steps: Vec::new() }, steps),
            PathRoot::Wrapper => self.wrapper(steps, span),
            PathRoot::Name(name) => self.place_of_name(name, steps, span),
            PathRoot::Expr(inner) if self.gives_record(inner) => {
                let root = Root::Derived(self.record(inner)?);
                self.steps(Path { root, steps: Vec::new() }, steps)
            }
            PathRoot::Expr(inner) => self.place_of_value(inner, steps, span),
        }
    }

    fn place_of_name(
        &mut self,
        name: &'a ast::Name,
        steps: &'a [PathStep],
        span: Span,
    ) -> Option<Place> {
        match name.node.as_str() {
            "meta" => return self.meta(steps, span),
            "it" => return self.element(name.span, steps),
            _ => {}
        }
        match self.lookup(&name.node, name.span)? {
            Binding::Loop(id) => {
                self.steps(Path { root: Root::Loop(id), steps: Vec::new() }, steps)
            }
            Binding::Table(index) => self.table_place(index, steps, span),
            Binding::Let(index) => self.place_of_let(index, steps, span),
        }
    }

    fn element(&mut self, name: Span, steps: &'a [PathStep]) -> Option<Place> {
        let Some(element) = self.current_element.clone() else {
            self.report(
                Diagnostic::error(
                    "W0101",
                    name,
                    "`it` is the element of a list function",
                    "no list function around it",
                )
                .help("`it` stands in `count(.steps[*], it.allowed == false)`, `any`, `all`"),
            );
            return None;
        };
        self.steps(element, steps)
    }

    /// Steps behind a `let` continue the path that it names.
    fn place_of_let(&mut self, index: usize, steps: &'a [PathStep], span: Span) -> Option<Place> {
        if self.lets[index].poisoned {
            return None;
        }
        let expr = self.lets[index].expr;
        if self.gives_record(expr) {
            let root = Root::Derived(self.record_of_let(index)?);
            return self.steps(Path { root, steps: Vec::new() }, steps);
        }
        if let Some(path) = self.lets[index].field.clone() {
            return self.steps(path, steps);
        }
        let inner = match &expr.node {
            _ if steps.is_empty() && !self.names_a_place(expr) => return Some(Place::Let(index)),
            ExprKind::Path { root, steps } => self.place_in_let(index, root, steps)?,
            _ => {
                let defined = self.lets[index].span;
                self.report(
                    Diagnostic::error(
                        "W0109",
                        span,
                        "only a record has fields, this name stands for a value",
                        "a field of a value",
                    )
                    .label(defined, "defined here")
                    .help("name the record in the `let`, or write out the path"),
                );
                return None;
            }
        };
        match inner {
            Place::Path(path) if path.root == Root::Wrapper => {
                self.wrapper_steps(path, steps, span)
            }
            Place::Path(path) => {
                if matches!(path.root, Root::Derived(_)) {
                    self.lets[index].field = Some(path.clone());
                }
                self.steps(path, steps)
            }
            Place::Row(table, key) => self.column(table, key, steps, span),
            other => Some(other),
        }
    }

    fn table_place(&mut self, index: usize, steps: &'a [PathStep], span: Span) -> Option<Place> {
        let Some((PathStep::Index(key), rest)) = steps.split_first() else {
            let name = self.tables[index].hir.name.clone();
            let column = self.tables[index].columns.first().map_or("column", |(name, _)| name);
            let help = format!("look a row up and choose a column: `{name}[.key].{column}`");
            self.report(
                Diagnostic::error("W0116", span, format!("`{name}` is a table"), "which row?")
                    .help(help),
            );
            return None;
        };
        let key = self.expr(key, Type::Text)?;
        self.column(index, key, rest, span)
    }

    fn column(
        &mut self,
        index: usize,
        key: hir::Expr,
        steps: &[PathStep],
        span: Span,
    ) -> Option<Place> {
        let name = match steps {
            [] => return Some(Place::Row(index, key)),
            [PathStep::Key(name)] => name,
            _ => {
                self.report(
                    Diagnostic::error(
                        "W0116",
                        span,
                        "a cell of a table has no parts",
                        "too many steps",
                    )
                    .help("`table[key].column` is the whole way"),
                );
                return None;
            }
        };
        if self.tables[index].poisoned {
            return None;
        }
        let columns = &self.tables[index].columns;
        if let Some(at) = columns.iter().position(|(known, _)| *known == name.node) {
            let ty = columns[at].1;
            return Some(Place::Cell(index as u16, key, at as u16, ty));
        }
        let known: Vec<&str> = columns.iter().map(|(known, _)| known.as_str()).collect();
        let table = &self.tables[index].hir.name;
        let mut report = Diagnostic::error(
            "W0116",
            name.span,
            format!("the table `{table}` has no column `{}`", name.node),
            "unknown column",
        )
        .help(format!("its columns are {}", known.join(", ")));
        if let Some(near) = nearest(&name.node, known) {
            report = report.fix(format!("{} -> {near}", name.node), name.span, near);
        }
        self.report(report);
        None
    }

    fn meta(&mut self, steps: &[PathStep], span: Span) -> Option<Place> {
        const FACTS: [(&str, Meta); 6] = [
            ("key", Meta::Key),
            ("bucket", Meta::Bucket),
            ("line", Meta::Line),
            ("offset", Meta::Offset),
            ("received_at", Meta::ReceivedAt),
            ("source", Meta::Source),
        ];
        let found = match steps {
            [PathStep::Key(name)] => FACTS.iter().find(|(known, _)| *known == name.node),
            _ => None,
        };
        if let Some((_, meta)) = found {
            return Some(Place::Meta(*meta));
        }
        let known = FACTS.map(|(known, _)| known);
        let mut report = Diagnostic::error(
            "W0116",
            span,
            format!("there is no `{}`", self.source.slice(span)),
            "unknown fact of the object",
        )
        .help(format!("it has {}", known.map(|name| format!("meta.{name}")).join(", ")));
        if let [PathStep::Key(name)] = steps
            && let Some(near) = nearest(&name.node, known)
        {
            report = report.fix(format!("{} -> {near}", name.node), name.span, near);
        }
        self.report(report);
        None
    }

    /// `$.a.b`: registers the wrapper member.
    fn wrapper(&mut self, steps: &'a [PathStep], span: Span) -> Option<Place> {
        let has_wrapper =
            matches!(&self.head.input.format, Format::Json(records) if !records.path.is_empty());
        if !has_wrapper || steps.is_empty() {
            self.report(
                Diagnostic::error(
                    "W0111",
                    span,
                    "`$` reads the document around the records, and this input has none",
                    "no document around the records",
                )
                .help("use `input json { records $.data[*] }`, or write `.name` for a field of the record"),
            );
            return None;
        }
        if matches!(steps.first(), Some(PathStep::Index(_) | PathStep::Each(_))) {
            self.report(
                Diagnostic::error(
                    "W0111",
                    span,
                    "`$` is the document around the records, an object",
                    "does not begin with a name",
                )
                .help("write `$.name`, and `.name` for a field of the record"),
            );
            return None;
        }
        self.wrapper_steps(Path { root: Root::Wrapper, steps: Vec::new() }, steps, span)
    }

    fn wrapper_steps(
        &mut self,
        mut path: Path,
        steps: &'a [PathStep],
        span: Span,
    ) -> Option<Place> {
        for step in steps {
            path.steps.push(self.step(step)?);
        }
        self.bound_ways(&path, span)?;
        if self.leads_to_records(&path) {
            self.report(
                Diagnostic::error(
                    "W0111",
                    span,
                    "the records are read one by one, so nobody sees all of them at once",
                    "this leads to the records",
                )
                .help("`$` reads what stands before the records; a field of the record is `.name`"),
            );
            return None;
        }
        self.want_of_wrapper(&path, span)?;
        Some(Place::Path(path))
    }

    /// Is it the array of the records, something in it or around it?
    fn leads_to_records(&self, path: &Path) -> bool {
        let Format::Json(records) = &self.head.input.format else { return false };
        let names: Vec<_> = path.steps.iter().map_while(Step::member).collect();
        let way = records.path.iter().map_while(|step| match step {
            RecordsStep::Member(name) => Some(name),
            RecordsStep::Elements => None,
        });
        let way: Vec<_> = way.collect();
        let ends = names.len() == path.steps.len() || names.len() >= way.len();
        ends && names.iter().zip(&way).all(|(name, step)| name == *step)
    }

    /// A path stands for one path for each way through its choices.
    fn bound_ways(&mut self, path: &Path, span: Span) -> Option<()> {
        const WAYS_MAX: usize = 1_000;
        if path.ways_count() > WAYS_MAX {
            self.too_large(
                span,
                &format!("a path with more than {WAYS_MAX} ways through its choices"),
            );
            return None;
        }
        Some(())
    }

    /// Has the members kept that a path leads through or to: by the names before its first other step, on every way.
    fn want_of_wrapper(&mut self, path: &Path, span: Span) -> Option<()> {
        const MEMBERS_MAX: usize = 512;
        let mut ways = vec![path.clone()];
        while let Some(path) = ways.pop() {
            let names: Vec<String> = path.steps.iter().map_while(Step::member).collect();
            if let Some(Step::Choice(_)) = path.steps.get(names.len()) {
                ways.extend(path.ways().flat_map(|(probe, value)| [probe, value]));
                continue;
            }
            let Format::Json(records) = &mut self.head.input.format else { return None };
            if !records.wrapper.contains(&names) {
                if records.wrapper.len() >= MEMBERS_MAX {
                    self.too_large(span, &format!("more than {MEMBERS_MAX} paths from `$`"));
                    return None;
                }
                records.wrapper.push(names.clone());
            }
            if !self.wrapper_reads.iter().any(|(known, _)| *known == names) {
                self.wrapper_reads.push((names, span));
            }
        }
        Some(())
    }

    /// The steps behind a list's `[*]`.
    pub(super) fn steps_behind_element(&mut self, steps: &'a [PathStep]) -> Option<Vec<Step>> {
        steps.iter().map(|step| self.step(step)).collect()
    }

    fn steps(&mut self, mut path: Path, steps: &'a [PathStep]) -> Option<Place> {
        for step in steps {
            path.steps.push(self.step(step)?);
        }
        if let (Some(first), Some(last)) = (steps.first(), steps.last()) {
            self.bound_ways(&path, step_span(first).to(step_span(last)))?;
        }
        self.check_fields(&path, steps)?;
        if matches!(self.head.input.format, Format::Csv(_)) && path.root == Root::Record {
            let way_too_long = !matches!(path.steps[..], [Step::Member(_) | Step::Choice(_)]);
            if way_too_long && let Some(step) = steps.last() {
                self.report(
                    Diagnostic::error("W0112", step_span(step), "a cell of a CSV row has no parts", "a step into a cell")
                        .help("a column is one name; quote it if it holds dots or spaces: `.\"Kosten (EUR)\"`"),
                );
                return None;
            }
        }
        Some(Place::Path(path))
    }

    fn step(&mut self, step: &'a PathStep) -> Option<Step> {
        match step {
            PathStep::Key(name) => Some(Step::Member(name.node.clone())),
            PathStep::Choice(names, _) => {
                Some(Step::Choice(names.iter().map(|name| name.node.clone()).collect()))
            }
            PathStep::Index(index) => self.index_step(index),
            PathStep::Each(span) => {
                self.report(
                    Diagnostic::error("W0119", *span, "all elements at once are no value", "`[*]` cannot stand here")
                        .help("loop with `each .list[*] as x max 100 { ... }`, or use a list function such as `count(.list[*])`; one element is `[0]` or `[last]`"),
                );
                None
            }
        }
    }

    fn index_step(&mut self, index: &ast::Expr) -> Option<Step> {
        match &index.node {
            ExprKind::Number(digits) if !digits.contains('.') => {
                if let Ok(index) = digits.parse() {
                    return Some(Step::Element(index));
                }
            }
            ExprKind::Name(word) if word == "last" => return Some(Step::Last),
            ExprKind::Error => return None,
            _ => {}
        }
        self.report(
            Diagnostic::error("W0107", index.span, "a path is literal: its steps cannot be computed", "not a number or `last`")
                .help("list the possible keys: `.(\"a\" | \"b\")`; for lists of names and values, use `find(.list[*], it.name == \"...\")`"),
        );
        None
    }
}

pub(super) fn step_span(step: &PathStep) -> Span {
    match step {
        PathStep::Key(name) => name.span,
        PathStep::Choice(_, span) | PathStep::Each(span) => *span,
        PathStep::Index(index) => index.span,
    }
}
