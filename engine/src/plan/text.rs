//! A plan as text: for people who want to know what a program became, and for golden tests.
//!
//! Expressions are nested, not numbered, and slots are shown as the paths that fill them: `.user.id:text` reads the slot
//! of `.user.id` as text, and `s1.type` is a member of the element of the loop whose scope is `s1`. `:string` reads JSON
//! strings only. A choice is `first(.a, .b).id:text`. Registers are `r0`, `r1`; what they stand for is shown once, above
//! the statements. Decimals have a point and whole numbers none.
//!
//! A member of an object is marked with `*` if the object is incomplete without it, and with `?` if it is a filler.

mod expr;
mod output;

use std::fmt::{self, Write as _};

use super::{
    Constant, Node, Pattern, Plan, Projection, Raw, RedactStep, ScopeId, Slot, Stmt, Table,
};
use crate::input::{Compression, Format, Input, RecordsStep};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Text::new(self);
        text.plan();
        f.write_str(&text.out)
    }
}

/// A text in the making.
struct Text<'p> {
    plan: &'p Plan,
    /// For each scope, the path of each slot without the scope's name: `.user.id`.
    paths: Vec<Vec<String>>,
    out: String,
    depth: usize,
}

impl<'p> Text<'p> {
    fn new(plan: &'p Plan) -> Self {
        let paths = plan.scopes.iter().map(|scope| paths(&scope.projection)).collect();
        Self { plan, paths, out: String::new(), depth: 0 }
    }

    fn line(&mut self, line: &str) {
        // What a line says may go over several; they belong together.
        for line in line.lines() {
            let indentation = 2 * self.depth;
            let _ = writeln!(self.out, "{:indentation$}{line}", "");
        }
    }

    fn indented(&mut self, inner: impl FnOnce(&mut Self)) {
        self.depth += 1;
        inner(self);
        self.depth -= 1;
    }

    fn plan(&mut self) {
        let plan = self.plan;
        let Plan { parser, parser_version, ocsf_version, .. } = plan;
        self.line(&format!("plan {parser:?} version {parser_version}, OCSF {ocsf_version}"));
        self.line(&format!("input {}", input(&plan.input)));
        self.line(&format!("raw {}", raw(&plan.raw)));
        for table in &plan.tables {
            self.table(table);
        }
        for index in 0..plan.scopes.len() {
            self.scope(index as ScopeId);
        }
        if !plan.registers.is_empty() {
            self.out.push('\n');
        }
        for (index, register) in plan.registers.iter().enumerate() {
            let value = self.expr(register.expr);
            self.line(&format!("r{index} of {} = {value}", scope_name(register.scope)));
        }
        self.out.push('\n');
        for stmt in &plan.body {
            self.stmt(stmt);
        }
    }

    fn table(&mut self, table: &Table) {
        self.out.push('\n');
        self.line(&format!("table {}", table.name));
        self.indented(|text| {
            for (pattern, row) in table.keys.iter() {
                let cells = cells(&table.rows[row as usize]);
                text.line(&format!("{} => {cells}", pattern_text(pattern)));
            }
            if let Some(row) = table.otherwise {
                text.line(&format!("else => {}", cells(&table.rows[row as usize])));
            }
        });
    }

    fn scope(&mut self, index: ScopeId) {
        let scope = &self.plan.scopes[usize::from(index)];
        self.out.push('\n');
        let parent =
            scope.parent.map_or(String::new(), |parent| format!(" in {}", scope_name(parent)));
        let slots = scope.projection.slots;
        let origin =
            self.origin(&scope.origin).map_or(String::new(), |origin| format!(" = {origin}"));
        self.line(&format!("scope {}{parent}, slots: {slots}{origin}", scope_name(index)));
        self.indented(|text| text.node(&scope.projection, 0));
    }

    fn node(&mut self, projection: &Projection, index: u16) {
        for (step, next) in steps(&projection.nodes[usize::from(index)]) {
            let slot = projection.nodes[usize::from(next)].slot;
            let slot = slot.map_or(String::new(), |slot| format!(" -> {slot}"));
            self.line(&format!("{}{slot}", step_text(&step)));
            self.indented(|text| text.node(projection, next));
        }
    }

    fn stmts(&mut self, stmts: &[Stmt]) {
        self.indented(|text| stmts.iter().for_each(|stmt| text.stmt(stmt)));
    }

    /// Says of a condition that it reads a redacted path.
    fn hidden(&self, line: u32) -> &'static str {
        if self.plan.redacted_conditions.contains(&line) { ", redacted" } else { "" }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Filter { keep, condition, line } => {
                let word = if *keep { "keep" } else { "drop" };
                let condition = self.expr(*condition);
                let hidden = self.hidden(*line);
                self.line(&format!("{word} when {condition}    # line {line}{hidden}"));
            }
            Stmt::When { arms, otherwise } => {
                let mut word = "when";
                for (condition, body, line) in arms {
                    let condition = self.expr(*condition);
                    let hidden = self.hidden(*line);
                    self.line(&format!("{word} {condition} {{    # line {line}{hidden}"));
                    self.stmts(body);
                    word = "} else when";
                }
                if !otherwise.is_empty() {
                    self.line("} else {");
                    self.stmts(otherwise);
                }
                self.line("}");
            }
            Stmt::Each { array, scope, max, body, line } => {
                let (array, scope) = (self.slot(*array), scope_name(*scope));
                self.line(&format!("each {array} as {scope} max {max} {{    # line {line}"));
                self.stmts(body);
                self.line("}");
            }
            Stmt::Emit(index) => self.emit(*index),
            Stmt::Drop => self.line("drop"),
            Stmt::Reject { reason, line } => {
                self.line(&format!("reject {reason:?}    # line {line}"))
            }
        }
    }

    /// The path that fills a slot.
    fn slot(&self, slot: Slot) -> String {
        match slot {
            Slot::Scope(0, slot) => self.paths[0][usize::from(slot)].clone(),
            Slot::Scope(scope, slot) => {
                format!(
                    "{}{}",
                    scope_name(scope),
                    self.paths[usize::from(scope)][usize::from(slot)]
                )
            }
            Slot::Wrapper(index) => self.wrapper_member(index),
            Slot::WrapperPart(part, slot) => {
                let part = &self.plan.wrapper_parts[usize::from(part)];
                self.wrapper_member(part.member) + &paths(&part.projection)[usize::from(slot)]
            }
            Slot::Choice(choice) => self.choice(&self.plan.choices[usize::from(choice)]),
        }
    }

    fn wrapper_member(&self, index: u16) -> String {
        let Format::Json(records) = &self.plan.input.format else { return String::new() };
        records.wrapper[usize::from(index)].iter().fold("$".into(), |mut path, name| {
            path.push_str(&step_text(&Step::Member(name)));
            path
        })
    }
}

fn scope_name(scope: ScopeId) -> String {
    if scope == 0 { "record".into() } else { format!("s{scope}") }
}

/// A step of a projection.
enum Step<'p> {
    Member(&'p str),
    Element(u32),
    Last,
}

fn steps(node: &Node) -> impl Iterator<Item = (Step<'_>, u16)> {
    let members = node.members.iter().map(|(name, next)| (Step::Member(name), *next));
    let elements = node.elements.iter().map(|(index, next)| (Step::Element(*index), *next));
    members.chain(elements).chain(node.last.map(|next| (Step::Last, next)))
}

fn step_text(step: &Step<'_>) -> String {
    match step {
        Step::Member(name) if is_word(name) => format!(".{name}"),
        Step::Member(name) => format!(".{name:?}"),
        Step::Element(index) => format!("[{index}]"),
        Step::Last => "[last]".into(),
    }
}

fn is_word(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn paths(projection: &Projection) -> Vec<String> {
    fn walk(projection: &Projection, index: u16, path: &str, paths: &mut [String]) {
        let node = &projection.nodes[usize::from(index)];
        if let Some(slot) = node.slot {
            path.clone_into(&mut paths[usize::from(slot)]);
        }
        for (step, next) in steps(node) {
            walk(projection, next, &format!("{path}{}", step_text(&step)), paths);
        }
    }
    let mut paths = vec![String::new(); usize::from(projection.slots)];
    walk(projection, 0, "", &mut paths);
    paths
}

fn pattern_text(pattern: Pattern<'_>) -> String {
    match pattern {
        Pattern::Exact(text) => format!("{text:?}"),
        Pattern::Prefix(text) => format!("{:?}", format!("{text}*")),
    }
}

fn cells(cells: &[Constant]) -> String {
    cells.iter().map(constant).collect::<Vec<_>>().join(", ")
}

fn constant(constant: &Constant) -> String {
    match constant {
        Constant::Missing => "missing".into(),
        Constant::Text(text) => format!("{text:?}"),
        Constant::Int(number) => number.to_string(),
        Constant::Decimal(number) => {
            let text = number.to_string();
            if text.contains('.') { text } else { text + ".0" }
        }
        Constant::Bool(truth) => truth.to_string(),
        Constant::Duration(ns) => format!("{ns}ns"),
        Constant::Timestamp(ns) => {
            let mut text = Vec::new();
            crate::read::write_timestamp(*ns, &mut text);
            String::from_utf8_lossy(&text).into_owned()
        }
        Constant::Ip(address) => address.to_string(),
    }
}

fn raw(raw: &Raw) -> String {
    match raw {
        Raw::Keep => "keep".into(),
        Raw::Drop => "drop".into(),
        Raw::Hash => "hash".into(),
        Raw::Redact(paths) => {
            let paths: Vec<String> =
                paths.iter().map(|path| path.iter().map(redact_step).collect()).collect();
            format!("redact [{}]", paths.join(", "))
        }
    }
}

fn redact_step(step: &RedactStep) -> String {
    match step {
        RedactStep::Member(name) => step_text(&Step::Member(name)),
        RedactStep::Element(index) => step_text(&Step::Element(*index)),
        RedactStep::Last => step_text(&Step::Last),
        RedactStep::Elements => "[*]".into(),
    }
}

/// The format, and every setting that is not the default.
fn input(input: &Input) -> String {
    let mut text = match &input.format {
        Format::Ndjson => "ndjson".to_owned(),
        Format::Json(records) => {
            let path = records.path.iter().map(|step| match step {
                RecordsStep::Member(name) => step_text(&Step::Member(name)),
                RecordsStep::Elements => "[*]".into(),
            });
            format!("json, records ${}", path.collect::<String>())
        }
        Format::Csv(csv) => {
            let encoding = csv.encoding.name();
            let delimiter = char::from(csv.delimiter);
            format!("csv, delimiter {delimiter:?}, encoding {encoding}")
        }
    };
    let default = Input::new(input.format.clone());
    if input.compression != Compression::Auto {
        let _ = write!(text, ", compression {:?}", input.compression);
    }
    for (setting, differs) in [
        (
            format!("empty {}", if input.empty_is_missing { "missing" } else { "text" }),
            input.empty_is_missing != default.empty_is_missing,
        ),
        (
            format!("max_record {} bytes", input.record_bytes_max),
            input.record_bytes_max != default.record_bytes_max,
        ),
        (format!("max_depth {}", input.depth_max), input.depth_max != default.depth_max),
        ("utf8 replace".into(), input.utf8_replace),
        ("duplicate_keys reject".into(), input.duplicate_keys_reject),
    ] {
        if differs {
            let _ = write!(text, ", {setting}");
        }
    }
    text
}
