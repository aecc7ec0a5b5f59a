//! Explains a program: `weir explain FILE`, what becomes of a record in the administrator's words, and every attribute
//! that an event gets, also those that nobody wrote.
//!
//! It is a walk over the typed tree, in which derived lines stand like others. They are told apart by their place: it is
//! that of their `emit`.

mod derived;
pub mod schema;

use std::fmt::Write as _;

use weir_engine::plan::{Column, Policy, RedactStep};

use crate::hir::{
    Echo, Element, Emit, Expr, ExprKind, Field, Handler, Member, Object, OutputNode, Program, Raw,
    Stmt,
};
use crate::ocsf::Requirement;
use crate::source::{Source, Span};

/// So much of an expression is shown.
const EXPRESSION_CHARS_MAX: usize = 44;

/// What a program does, as text.
pub fn explain(program: &Program, source: &Source) -> String {
    let mut explainer = Explainer { program, source, out: String::new() };
    explainer.head();
    explainer.stmts(&program.body, "");
    explainer.out
}

struct Explainer<'p> {
    program: &'p Program,
    source: &'p Source,
    out: String,
}

/// A line of the table of an event.
struct Row {
    required: bool,
    name: String,
    from: String,
    missing: String,
    invalid: String,
}

impl Explainer<'_> {
    fn head(&mut self) {
        let Program { parser, parser_version, ocsf_version, .. } = self.program;
        let _ = writeln!(
            self.out,
            "{parser} version {parser_version} makes OCSF {ocsf_version} events."
        );
        let raw = match &self.program.raw {
            Raw::Keep => "The record is stored with its events as it came.".to_owned(),
            Raw::Drop => "The record is not stored with its events.".to_owned(),
            Raw::Hash => "Of the record, its SHA-256 is stored with its events.".to_owned(),
            Raw::Redact(paths) => {
                let paths: Vec<String> = paths.iter().map(|path| redacted(path)).collect();
                format!(
                    "The record is stored with its events, without what is at {}.",
                    paths.join(", ")
                )
            }
        };
        let _ = writeln!(self.out, "{raw}\n\nOf each record, in this order:");
    }

    fn line_of(&self, span: Span) -> u32 {
        self.source.line(span.start)
    }

    /// The program's own words, on one line.
    fn words(&self, span: Span) -> String {
        let text = self.source.text.get(span.range()).unwrap_or_default();
        let words: Vec<&str> = text.split_whitespace().collect();
        let words = words.join(" ");
        match words.char_indices().nth(EXPRESSION_CHARS_MAX) {
            Some((end, _)) => format!("{}...", &words[..end]),
            None => words,
        }
    }

    fn stmts(&mut self, stmts: &[Stmt], indentation: &str) {
        for stmt in stmts {
            self.stmt(stmt, indentation);
        }
    }

    fn stmt(&mut self, stmt: &Stmt, indentation: &str) {
        let deeper = format!("{indentation}  ");
        match stmt {
            Stmt::Filter { keep, condition } => {
                let what = if *keep { "forgotten unless" } else { "forgotten if" };
                self.step(
                    indentation,
                    condition.span,
                    &format!("{what} {}", self.words(condition.span)),
                );
            }
            Stmt::When { arms, otherwise } => {
                let mut word = "if";
                for (condition, body) in arms {
                    let words = self.words(condition.span);
                    self.step(indentation, condition.span, &format!("{word} {words}:"));
                    self.stmts(body, &deeper);
                    word = "else if";
                }
                if otherwise.is_empty() {
                    let _ = writeln!(self.out, "{indentation}  else nothing");
                } else {
                    let _ = writeln!(self.out, "{indentation}  else:");
                    self.stmts(otherwise, &deeper);
                }
            }
            Stmt::Each { max, body, span, .. } => {
                let words = self.words(*span);
                let what = format!("for each {words}, and rejected if there are more than {max}:");
                self.step(indentation, *span, &what);
                self.stmts(body, &deeper);
            }
            Stmt::Emit(emit) => self.emit(emit, &deeper),
            Stmt::Drop(span) => self.step(indentation, *span, "forgotten"),
            Stmt::Reject(reason, span) => {
                self.step(indentation, *span, &format!("rejected: {reason}"))
            }
        }
    }

    fn step(&mut self, indentation: &str, span: Span, what: &str) {
        let line = self.line_of(span);
        let _ = writeln!(self.out, "{indentation}  {what}    (line {line})");
    }

    fn emit(&mut self, emit: &Emit, indentation: &str) {
        let line = self.line_of(emit.span);
        let _ = writeln!(self.out, "{indentation}an event of {}    (line {line})", emit.class);
        let mut rows = Vec::new();
        for (column, field) in Column::ALL.into_iter().zip(&emit.columns) {
            if !is_nothing(field) {
                let name = format!("event.{}", column.name());
                rows.push(self.row(name, field, emit, None));
            }
        }
        for (name, field) in &emit.extra {
            rows.push(self.row(format!("event.extra.{name}"), field, emit, None));
        }
        self.object(&emit.root, "", true, emit, &mut rows);
        self.table(&rows, indentation);
    }

    fn object(&self, object: &Object, way: &str, required: bool, emit: &Emit, rows: &mut Vec<Row>) {
        for group in &object.at_least_one {
            rows.push(Row {
                required: false,
                name: if way.is_empty() { emit.class.clone() } else { way.to_owned() },
                from: format!("needs one of {}", group.join(", ")),
                missing: if required { "rejected" } else { "left out" }.to_owned(),
                invalid: String::new(),
            });
        }
        for member in &object.members {
            let name = join(way, &member.name);
            let required = required && member.required;
            self.member(member, &name, required, emit, rows);
        }
    }

    fn member(
        &self,
        member: &Member,
        name: &str,
        required: bool,
        emit: &Emit,
        rows: &mut Vec<Row>,
    ) {
        match &member.node {
            OutputNode::Constant(json) => rows.push(Row {
                required,
                name: name.to_owned(),
                from: format!("derived from {}: {json}", derived::of_constant(name)),
                missing: String::new(),
                invalid: String::new(),
            }),
            OutputNode::Value(field) => {
                let mut row =
                    Row { required, ..self.row(name.to_owned(), field, emit, Some(name)) };
                if required && field.span == emit.span {
                    // What it is derived from is always there.
                    (row.missing, row.invalid) = Default::default();
                }
                rows.push(row);
            }
            OutputNode::Enum(field, echoes) => {
                rows.push(Row { required, ..self.row(name.to_owned(), field, emit, Some(name)) });
                let around = name.rfind('.').map_or("", |dot| &name[..dot]);
                rows.extend(echoes.iter().map(|echo| {
                    let mut row = echoed(echo, around, name);
                    if required && around.is_empty() && self.requires(emit, &echo.name) {
                        (row.required, row.missing) = (true, String::new());
                    }
                    row
                }));
            }
            OutputNode::Object(inner) => self.object(inner, name, required, emit, rows),
            OutputNode::List(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    match element {
                        Element::One(inner) => {
                            self.object(inner, &format!("{name}[{index}]"), false, emit, rows);
                        }
                        Element::Each { max, object, .. } => {
                            let way = format!("{name}[up to {max}]");
                            self.object(object, &way, false, emit, rows);
                        }
                    }
                }
            }
        }
    }

    /// Does the class require the attribute?
    fn requires(&self, emit: &Emit, name: &str) -> bool {
        crate::ocsf::schema(&self.program.ocsf_version)
            .and_then(|schema| schema.class(&emit.class))
            .and_then(|class| class.attributes.get(name))
            .is_some_and(|attribute| attribute.requirement == Requirement::Required)
    }

    /// A line of the mapping, or one that is derived.
    fn row(&self, name: String, field: &Field, emit: &Emit, attribute: Option<&str>) -> Row {
        let is_derived = field.span == emit.span;
        let from = match (is_derived, attribute) {
            (true, Some("severity_id")) => "derived: Informational unless a line sets it".into(),
            (true, Some(attribute)) => {
                format!("derived from {}", derived::of_value(attribute, field))
            }
            _ => format!("line {}: {}", self.line_of(field.span), self.words(field.value.span)),
        };
        Row {
            required: false,
            name,
            from,
            missing: self.outcome(field.on_missing.as_ref(), field.missing),
            invalid: self.outcome(field.on_invalid.as_ref(), field.invalid),
        }
    }

    fn outcome(&self, handler: Option<&Handler>, policy: Policy) -> String {
        let policy = match policy {
            Policy::Skip => "left out",
            Policy::Reject => "rejected",
            Policy::Zero => "0",
        };
        match handler {
            None => policy.to_owned(),
            Some(Handler::Skip) => "left out".to_owned(),
            Some(Handler::Reject) => "rejected".to_owned(),
            Some(Handler::Value(value)) => self.words(value.span),
        }
    }

    fn table(&mut self, rows: &[Row], indentation: &str) {
        let width = |of: fn(&Row) -> &str, head: &str| {
            let widest = rows.iter().map(|row| of(row).chars().count()).max().unwrap_or(0);
            widest.max(head.len())
        };
        let names = width(|row| &row.name, "attribute");
        let from = width(|row| &row.from, "comes from");
        let missing = width(|row| &row.missing, "if missing");
        let mut line = |mark: &str, cells: [&str; 4]| {
            let [name, of, if_missing, if_invalid] = cells;
            let text = format!(
                "{indentation}  {mark}{name:names$}  {of:from$}  {if_missing:missing$}  {if_invalid}"
            );
            let _ = writeln!(self.out, "{}", text.trim_end());
        };
        line(" ", ["attribute", "comes from", "if missing", "if invalid"]);
        for Row { required, name, from, missing, invalid } in rows {
            line(if *required { "*" } else { " " }, [name, from, missing, invalid]);
        }
        let _ = writeln!(self.out, "{indentation}  * OCSF requires it\n");
    }
}

/// A column that nobody writes has no line to show.
fn is_nothing(field: &Field) -> bool {
    matches!(
        &field.value,
        Expr { kind: ExprKind::Constant(weir_engine::plan::Constant::Missing), .. }
    )
}

fn echoed(echo: &Echo, around: &str, of: &str) -> Row {
    let word = match echo.other {
        Some(_) => ", of 99 the source's own word",
        None => "",
    };
    Row {
        required: false,
        name: join(around, &echo.name),
        from: format!("derived from {of}{word}"),
        missing: "left out".to_owned(),
        invalid: String::new(),
    }
}

fn join(way: &str, name: &str) -> String {
    if way.is_empty() { name.to_owned() } else { format!("{way}.{name}") }
}

fn redacted(path: &[RedactStep]) -> String {
    let step = |step: &RedactStep| match step {
        RedactStep::Member(name) => format!(".{name}"),
        RedactStep::Element(index) => format!("[{index}]"),
        RedactStep::Last => "[last]".to_owned(),
        RedactStep::Elements => "[*]".to_owned(),
    };
    path.iter().map(step).collect()
}
