//! Records that the program makes: by a function (`json`, `kv`, `extract`, `grok`, `url`), or by `find`.
//!
//! Such a record is no value of its own; paths start from it, like from a loop's element. Each is made at most once for
//! each instance of the innermost loop that it depends on, so equal ones (`.x |> json` twice) are one.

use weir_engine::builtins::{self, Builtin, Constant, Field, Fields, ResultType};
use weir_engine::types::Type;

use super::Checker;
use super::names::Binding;
use super::path::Place;
use crate::ast::{self, BinaryOp, ExprKind as Ast, PathRoot, PathStep};
use crate::diagnostic::Diagnostic;
use crate::hir::{Derived, DerivedId, DerivedKind, Expr, ExprKind, LoopId, Path, Root, Step};
use crate::source::Span;
use weir_engine::suggest::nearest;

/// Most records that a program makes.
const DERIVED_MAX: usize = 512;

/// Most bytes of all regular expressions of a program, compiled.
const PROGRAM_BYTES_MAX: usize = 1 << 20;

/// What is known of a record.
#[derive(Debug)]
pub(super) struct DerivedInfo {
    /// What messages call it: the function's name.
    name: &'static str,
    fields: Known,
    /// All loops that it depends on.
    pub(super) loops: Vec<LoopId>,
    /// It is made from a redacted path.
    pub(super) redacted: bool,
}

/// Which paths may follow.
#[derive(Debug)]
enum Known {
    /// Any: it is JSON.
    Paths,
    /// Any single name.
    Names,
    /// One of these.
    Fields(Vec<Field>),
}

impl<'a> Checker<'a> {
    /// True if the expression gives a record, and no value.
    pub(super) fn gives_record(&self, expr: &ast::Expr) -> bool {
        match &expr.node {
            Ast::Call { name, .. } | Ast::Pipe { name, .. } => {
                name.node == "find" || record_function(&name.node).is_some()
            }
            Ast::Name(name) => self.record_let(name).is_some(),
            _ => false,
        }
    }

    /// The `let` of this name, if it stands for a record.
    fn record_let(&self, name: &str) -> Option<usize> {
        match self.names.get(name)?.0 {
            Binding::Let(index) if !self.lets[index].poisoned => {
                self.gives_record(self.lets[index].expr).then_some(index)
            }
            _ => None,
        }
    }

    /// The record that such an expression gives.
    pub(super) fn record(&mut self, expr: &'a ast::Expr) -> Option<DerivedId> {
        match &expr.node {
            Ast::Name(name) => {
                let index = self.record_let(name)?;
                self.record_of_let(index)
            }
            Ast::Call { name, args } if name.node == "find" => {
                self.find(name, &args.iter().collect::<Vec<_>>(), expr.span)
            }
            Ast::Pipe { subject, name, args } if name.node == "find" => {
                let args: Vec<_> = std::iter::once(&**subject).chain(args).collect();
                self.find(name, &args, expr.span)
            }
            Ast::Call { name, args } => self.made(name, None, args, expr.span),
            Ast::Pipe { subject, name, args } => self.made(name, Some(subject), args, expr.span),
            _ => None,
        }
    }

    /// The record that a `let` stands for, made where the `let` stands.
    pub(super) fn record_of_let(&mut self, index: usize) -> Option<DerivedId> {
        if self.lets[index].record.is_some() || self.lets[index].poisoned {
            return self.lets[index].record;
        }
        let (expr, scope) = (self.lets[index].expr, self.lets[index].scope);
        let outer = std::mem::replace(&mut self.current_loop, scope);
        let record = self.record(expr);
        self.current_loop = outer;
        self.lets[index].record = record;
        record
    }

    /// A record as what is asked about: is it missing, is it invalid?
    pub(super) fn whole_record(&mut self, expr: &'a ast::Expr) -> Option<Expr> {
        let path = Path { root: Root::Derived(self.record(expr)?), steps: Vec::new() };
        self.count_path(&path, expr.span)?;
        Some(Expr { kind: ExprKind::Path(path), ty: Type::Json, span: expr.span })
    }

    fn made(
        &mut self,
        name: &'a ast::Name,
        subject: Option<&'a ast::Expr>,
        args: &'a [ast::Expr],
        span: Span,
    ) -> Option<DerivedId> {
        let call = self.call(name, subject, args, Type::Json, span)?;
        let ExprKind::Call { builtin, literals, call, args } = call.kind else { return None };
        let ResultType::Record(fields) = builtin.result else { return None };
        if let Some(known) = self.equal_record(builtin, &literals, &args) {
            return Some(known);
        }
        let fields = match fields {
            Fields::Json => Known::Paths,
            Fields::Pairs => Known::Names,
            Fields::Named(fields) => Known::Fields(fields(&literals)),
        };
        let info = DerivedInfo {
            name: builtin.name,
            fields,
            loops: args.iter().flat_map(|arg| self.loops_of(arg)).collect(),
            redacted: args.iter().any(|arg| self.reads_redacted(arg)),
        };
        self.add_record(DerivedKind::Call { builtin, literals, call, args }, info, span)
    }

    /// A record that the same function makes of the same path.
    fn equal_record(
        &self,
        builtin: &Builtin,
        literals: &[Constant],
        args: &[Expr],
    ) -> Option<DerivedId> {
        let [Expr { kind: ExprKind::Path(path), .. }] = args else { return None };
        let equal = |derived: &Derived| match &derived.kind {
            DerivedKind::Call { builtin: other, literals: theirs, args, .. } => {
                other.name == builtin.name
                    && theirs == literals
                    && matches!(&args[..], [Expr { kind: ExprKind::Path(other), .. }] if other == path)
            }
            DerivedKind::Find { .. } => false,
        };
        self.derived.iter().position(equal).map(|at| at as DerivedId)
    }

    fn find(&mut self, name: &ast::Name, args: &[&'a ast::Expr], span: Span) -> Option<DerivedId> {
        let [list, condition] = args else {
            self.report(
                Diagnostic::error(
                    "W0103",
                    name.span,
                    "`find` takes a list and a condition",
                    "wrong number of arguments",
                )
                .help("write `find(.list[*], it.name == \"x\").value`"),
            );
            return None;
        };
        let (array, rest) = self.list_argument(list)?;
        let id = self.new_loop(array.clone(), u32::MAX, list.span)?;
        let value = Path { root: Root::Loop(id), steps: rest };
        let outer = self.current_element.replace(value.clone());
        let condition = self.condition(condition);
        self.current_element = outer;
        let condition = condition?;
        let mut loops = self.loops_of(&condition);
        self.note_loops(&array, &mut loops);
        let info = DerivedInfo {
            name: "find",
            fields: Known::Paths,
            loops,
            redacted: self.reads_redacted(&condition) || self.is_of_redacted_record(&array),
        };
        self.add_record(DerivedKind::Find { array, id, value, condition }, info, span)
    }

    fn add_record(
        &mut self,
        kind: DerivedKind,
        info: DerivedInfo,
        span: Span,
    ) -> Option<DerivedId> {
        if self.derived.len() >= DERIVED_MAX {
            self.too_large(span, &format!("more than {DERIVED_MAX} records made by functions"));
            return None;
        }
        // Of the loops around, an inner one is always the later one. Others are those of list functions within.
        let element = self.current_element.as_ref().and_then(|element| match element.root {
            Root::Loop(id) => Some(id),
            Root::Record | Root::Wrapper | Root::Derived(_) => None,
        });
        let around: Vec<LoopId> = self.names.loops().chain(element).collect();
        let scope = info.loops.iter().filter(|id| around.contains(id)).max().copied();
        self.derived.push(Derived { kind, scope, span });
        self.derived_info.push(info);
        Some((self.derived.len() - 1) as DerivedId)
    }

    /// Checks the first steps behind a record: `added` are the last ones of the path, as written.
    pub(super) fn check_fields(&mut self, path: &Path, added: &[PathStep]) -> Option<()> {
        let Root::Derived(id) = path.root else { return Some(()) };
        let info = &self.derived_info[id as usize];
        let (what, names) = (info.name, field_names(&path.steps));
        let known: Option<Vec<String>> = match &info.fields {
            Known::Paths => return Some(()),
            Known::Names => None,
            Known::Fields(fields) => Some(fields.iter().map(|f| f.name.clone()).collect()),
        };
        let (Some(names), Some(last)) = (names, added.last()) else {
            let Some(last) = added.last() else { return Some(()) };
            self.report(
                Diagnostic::error(
                    "W0109",
                    super::path::step_span(last),
                    format!("`{what}` gives texts by name, which have no parts"),
                    "a part of a text",
                )
                .help("one name behind it is the whole way"),
            );
            return None;
        };
        let Some(known) = known else { return Some(()) };
        let Some(unknown) = names.iter().find(|name| !known.contains(name)) else {
            return Some(());
        };
        let span = super::path::step_span(last);
        let mut report = Diagnostic::error(
            "W0116",
            span,
            format!("`{what}` gives no field `{unknown}` here"),
            "unknown field",
        )
        .help(format!("its fields are {}", known.join(", ")));
        if let PathStep::Key(_) = last
            && let Some(near) = nearest(unknown, known.iter().map(String::as_str))
        {
            report = report.fix(format!("{unknown} -> {near}"), span, near);
        }
        self.report(report);
        None
    }

    /// A record where a value is needed.
    pub(super) fn record_is_no_value(&mut self, path: &Path, span: Span) -> bool {
        let Root::Derived(id) = path.root else { return false };
        let info = &self.derived_info[id as usize];
        let example = match &info.fields {
            _ if !path.steps.is_empty() => return false,
            Known::Paths => return false,
            Known::Names => "name".to_owned(),
            Known::Fields(fields) => {
                fields.first().map_or("name", |field| field.name.as_str()).to_owned()
            }
        };
        let message = format!("`{}` gives a record, which has several values", info.name);
        let text = self.source.slice(span).to_owned();
        let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let shown =
            if is_name { format!("{text}.{example}") } else { format!("({text}).{example}") };
        self.report(
            Diagnostic::error("W0302", span, message, "which field?")
                .help(format!("choose one: `{shown}`")),
        );
        true
    }

    /// True if a path leads through JSON that stands in a text.
    pub(super) fn is_in_json(&self, path: &Path) -> bool {
        match path.root {
            Root::Record | Root::Wrapper => false,
            Root::Loop(id) => self.is_in_json(&self.loops[id as usize].array),
            Root::Derived(id) => matches!(self.derived_info[id as usize].fields, Known::Paths),
        }
    }

    /// The type of a field that has one by itself.
    pub(super) fn type_of_field(&self, path: &Path) -> Option<Type> {
        let Root::Derived(id) = path.root else { return None };
        match (&self.derived_info[id as usize].fields, &path.steps[..]) {
            (Known::Fields(fields), [Step::Member(name)]) => {
                fields.iter().find(|field| field.name == *name)?.ty
            }
            _ => None,
        }
    }

    /// The same, of a path as written.
    pub(super) fn natural_of_field(&self, root: &PathRoot, steps: &[PathStep]) -> Option<Type> {
        let [PathStep::Key(field)] = steps else { return None };
        let (builtin, args) = match root {
            PathRoot::Expr(inner) => self.function_of(inner)?,
            PathRoot::Name(name) => {
                self.function_of(self.lets[self.record_let(&name.node)?].expr)?
            }
            PathRoot::Record | PathRoot::Wrapper => return None,
        };
        let ResultType::Record(Fields::Named(fields)) = builtin.result else { return None };
        let literals: Vec<Constant> = args
            .iter()
            .filter_map(|arg| match &arg.node {
                Ast::Text(text) | Ast::Raw(text) => Some(Constant::Text(text.clone())),
                _ => None,
            })
            .collect();
        fields(&literals).into_iter().find(|known| known.name == field.node)?.ty
    }

    fn function_of<'e>(&self, expr: &'e ast::Expr) -> Option<(&'static Builtin, &'e [ast::Expr])>
    where
        'a: 'e,
    {
        match &expr.node {
            Ast::Call { name, args } => Some((record_function(&name.node)?, args.get(1..)?)),
            Ast::Pipe { name, args, .. } => Some((record_function(&name.node)?, args)),
            Ast::Name(name) => self.function_of(self.lets[self.record_let(name)?].expr),
            _ => None,
        }
    }

    /// A field of what is no record: `(.a ?? .b).x`, `price(.model).input`, `nonsense(.a).x`.
    pub(super) fn place_of_value(
        &mut self,
        inner: &'a ast::Expr,
        steps: &[PathStep],
        span: Span,
    ) -> Option<Place> {
        if let Ast::Call { name, args } = &inner.node
            && let Some((Binding::Table(_), _)) = self.names.get(&name.node)
        {
            self.table_as_function(name, args, inner.span);
            return None;
        }
        // What is wrong with the call itself comes first.
        if let Ast::Call { name, .. } | Ast::Pipe { name, .. } = &inner.node
            && !super::call::is_function(&name.node)
        {
            self.expr(inner, Type::Json)?;
            return None;
        }
        let mut report = Diagnostic::error(
            "W0109",
            span,
            "only a record has fields, this is a value",
            "a field of a value",
        );
        let behind = steps.first().map_or("", |first| {
            let start = self.source.text[..super::path::step_span(first).start as usize]
                .rfind(')')
                .map_or(span.end, |at| at as u32 + 1);
            self.source.slice(Span::new(start.max(inner.span.end), span.end))
        });
        let mut sides = Vec::new();
        if self.sides(inner, &mut sides) && !behind.is_empty() {
            let sides: Vec<String> = sides
                .into_iter()
                .map(|side| format!("{}{}", self.source.slice(side), behind.trim()))
                .collect();
            let written = sides.join(" ?? ");
            report = report.help(format!("give every side its own path: `{written}`")).fix(
                written.clone(),
                span,
                format!("({written})"),
            );
        } else if let Ast::Call { name, .. } | Ast::Pipe { name, .. } = &inner.node {
            report.primary.message = format!("`{}` gives a value", name.node);
            report =
                report.help("records are given by `json`, `kv`, `extract`, `grok`, `url`, `find`");
        } else {
            report = report
                .help("give every side its own path: `.a.x ?? .b.x` instead of `(.a ?? .b).x`");
        }
        self.report(report);
        None
    }

    /// `price(.model)` for `price[.model]`.
    fn table_as_function(&mut self, name: &ast::Name, args: &[ast::Expr], span: Span) {
        let mut report = Diagnostic::error(
            "W0116",
            name.span,
            format!("`{}` is a table, and no function", name.node),
            "a table",
        )
        .help(format!("look a row up in brackets: `{}[.key].column`", name.node));
        if let [key] = args {
            let key = self.source.slice(key.span);
            report = report.fix(
                format!("{}[{key}]", name.node),
                Span::new(name.span.end, span.end),
                format!("[{key}]"),
            );
        }
        self.report(report);
    }

    /// The paths that `??` chooses from; false if anything else is among them.
    fn sides(&self, expr: &ast::Expr, sides: &mut Vec<Span>) -> bool {
        match &expr.node {
            Ast::Binary(BinaryOp::Coalesce, left, right) => {
                self.sides(left, sides) && self.sides(right, sides)
            }
            Ast::Path {
                root: PathRoot::Record | PathRoot::Wrapper | PathRoot::Name(_), ..
            }
            | Ast::Name(_) => {
                sides.push(expr.span);
                true
            }
            _ => false,
        }
    }

    /// Counts the program of a regular expression; none if all of them are too large together.
    pub(super) fn count_pattern(&mut self, program_bytes: usize, span: Span) -> Option<()> {
        // A `let` may be checked several times.
        if self.patterns.iter().any(|(known, _)| *known == span) {
            return Some(());
        }
        self.patterns.push((span, program_bytes));
        let bytes: usize = self.patterns.iter().map(|(_, bytes)| bytes).sum();
        if bytes <= PROGRAM_BYTES_MAX {
            return Some(());
        }
        if bytes - program_bytes <= PROGRAM_BYTES_MAX {
            self.report(
                Diagnostic::error(
                    "W0605",
                    span,
                    "the regular expressions of this program are too large together",
                    format!("with this one they take {} KiB", bytes >> 10),
                )
                .help("1 MiB is the limit; `[0-9]` and `[A-Za-z0-9_]` are far smaller than `\\d` and `\\w`, which know all scripts"),
            );
        }
        None
    }
}

/// A function of this name that gives a record.
fn record_function(name: &str) -> Option<&'static Builtin> {
    builtins::find(name).filter(|builtin| matches!(builtin.result, ResultType::Record(_)))
}

/// The names that one step stands for; none if the steps are others, or more.
fn field_names(steps: &[Step]) -> Option<Vec<String>> {
    match steps {
        [Step::Member(name)] => Some(vec![name.clone()]),
        [Step::Choice(names)] => Some(names.clone()),
        _ => None,
    }
}
