//! Statements, and the rules that look at several of them: every record goes somewhere, ids differ, money is counted once.

use weir_engine::plan::{Column, Constant};

use super::Checker;
use super::event::Columns;
use super::names::Binding;
use crate::ast::{self, Item, Stmt as Ast};
use crate::diagnostic::Diagnostic;
use crate::hir::{self, Expr, ExprKind, Field, LoopId, Path, Stmt};
use crate::source::Span;

/// Most emits of a program.
const EMITS_MAX: usize = 64;

/// What the rules need to know of an `emit`.
#[derive(Debug)]
pub(super) struct EmitFacts {
    class: String,
    span: Span,
    /// Where a column of its own can be written: behind the brace of its `event`, or of itself.
    own_event: Option<u32>,
    inside: u32,
    /// The arms around it: (chain, arm).
    branches: Vec<(u32, usize)>,
    /// The loops around it, outermost first.
    loops: Vec<LoopId>,
    columns: Vec<Field>,
}

impl EmitFacts {
    pub(super) fn columns(&self) -> &[Field] {
        &self.columns
    }
}

/// Where a statement stands.
#[derive(Debug, Clone, Default)]
struct Around {
    branches: Vec<(u32, usize)>,
    loops: Vec<LoopId>,
}

impl<'a> Checker<'a> {
    /// `raw` lines come first, since other lines must know what is redacted.
    pub(super) fn declare_raw(&mut self, items: &'a [Item]) {
        let mut first: Option<Span> = None;
        for item in items {
            let Item::Raw(raw) = item else { continue };
            if let Some(first) = first {
                self.report(
                    Diagnostic::error(
                        "W0204",
                        raw.span,
                        "the raw record is described twice",
                        "again here",
                    )
                    .label(first, "first here")
                    .help("keep one of them"),
                );
                continue;
            }
            first = Some(raw.span);
            self.raw = match &raw.kind {
                ast::RawKind::Keep => hir::Raw::Keep,
                ast::RawKind::Drop => hir::Raw::Drop,
                ast::RawKind::Hash => hir::Raw::Hash,
                ast::RawKind::Redact(paths) => {
                    self.redacted =
                        paths.iter().filter_map(|path| self.redacted_path(path)).collect();
                    hir::Raw::Redact(self.redacted.clone())
                }
            };
        }
    }

    fn redacted_path(&mut self, path: &ast::Expr) -> Option<Vec<weir_engine::plan::RedactStep>> {
        use ast::{ExprKind, PathRoot, PathStep};
        use weir_engine::plan::RedactStep;
        let csv = matches!(self.head.input.format, weir_engine::input::Format::Csv(_));
        let steps = match &path.node {
            ExprKind::Path { root: PathRoot::Record, steps } => steps
                .iter()
                .map(|step| match step {
                    PathStep::Key(name) => Some(RedactStep::Member(name.node.clone())),
                    PathStep::Each(_) => Some(RedactStep::Elements),
                    PathStep::Index(index) => match &index.node {
                        ExprKind::Number(digits) => digits.parse().ok().map(RedactStep::Element),
                        ExprKind::Name(word) if word == "last" => Some(RedactStep::Last),
                        _ => None,
                    },
                    PathStep::Choice(..) => None,
                })
                .collect::<Option<Vec<_>>>(),
            ExprKind::Error => return None,
            _ => None,
        };
        let steps = steps.filter(|steps| !steps.is_empty() && (!csv || steps.len() == 1));
        if steps.is_none() {
            self.report(
                Diagnostic::error("W0302", path.span, "a redacted path starts at the record", "not such a path")
                    .help("write names, `[0]`, `[last]` and `[*]`: `.steps[*].arguments`; a CSV column is one name"),
            );
        }
        steps
    }

    /// All items, in order. Filters at the top level come before everything else.
    pub(super) fn program(&mut self, items: &'a [Item]) -> Vec<Stmt> {
        let columns = self.top_level_names(items);
        let (mut filters, mut body) = (Vec::new(), Vec::new());
        let around = Around::default();
        let mut ended: Option<Span> = None;
        for item in items {
            match item {
                Item::Keep(condition, _) => {
                    if let Some(condition) = self.routing_condition(condition) {
                        filters.push(Stmt::Filter { keep: true, condition });
                    }
                }
                Item::Stmt(Ast::Drop(Some(condition), _)) => {
                    if let Some(condition) = self.routing_condition(condition) {
                        filters.push(Stmt::Filter { keep: false, condition });
                    }
                }
                Item::Stmt(stmt) => self.stmt(stmt, &columns, &around, &mut body, &mut ended),
                Item::Table(_) | Item::Raw(_) | Item::Test(_) | Item::Let(_) => {}
            }
        }
        self.rules(&body, items);
        filters.extend(body);
        filters
    }

    /// A condition that decides about records: whether it reads a redacted path is noted.
    fn routing_condition(&mut self, expr: &'a ast::Expr) -> Option<Expr> {
        let condition = self.condition(expr)?;
        if self.reads_redacted(&condition) {
            self.redacted_conditions.insert(self.source.line(condition.span.start));
        }
        Some(condition)
    }

    fn top_level_names(&mut self, items: &'a [Item]) -> Columns {
        let mut columns = Columns::default();
        let mut event: Option<Span> = None;
        for item in items {
            match item {
                Item::Let(item) | Item::Stmt(Ast::Let(item)) => self.define_let(item),
                Item::Stmt(Ast::Event(inner)) if self.is_first_event(&mut event, inner.keyword) => {
                    columns = self.event(inner, &columns);
                }
                _ => {}
            }
        }
        columns
    }

    fn is_first_event(&mut self, first: &mut Option<Span>, keyword: Span) -> bool {
        let Some(before) = first.replace(keyword) else { return true };
        self.report(
            Diagnostic::error("W0204", keyword, "a block has one `event`", "a second one")
                .label(before, "the first one")
                .help("put all columns into one `event`"),
        );
        false
    }

    fn block(
        &mut self,
        block: &'a ast::Block,
        around_columns: &Columns,
        around: &Around,
    ) -> Vec<Stmt> {
        let mark = self.names.enter();
        let mut columns = None;
        let mut event: Option<Span> = None;
        for stmt in &block.stmts {
            match stmt {
                Ast::Let(item) => self.define_let(item),
                Ast::Event(inner) if self.is_first_event(&mut event, inner.keyword) => {
                    columns = Some(self.event(inner, around_columns));
                }
                _ => {}
            }
        }
        let columns = columns.as_ref().unwrap_or(around_columns);
        let mut body = Vec::new();
        let mut ended = None;
        for stmt in &block.stmts {
            self.stmt(stmt, columns, around, &mut body, &mut ended);
        }
        self.names.leave(mark);
        body
    }

    fn stmt(
        &mut self,
        stmt: &'a Ast,
        columns: &Columns,
        around: &Around,
        body: &mut Vec<Stmt>,
        ended: &mut Option<Span>,
    ) {
        if let (Some(before), Some(span)) = (*ended, stmt_span(stmt)) {
            self.report(
                Diagnostic::error("W0505", span, "this is never reached", "never reached")
                    .label(before, "the block ends here")
                    .help("remove it, or move it up"),
            );
            return;
        }
        match stmt {
            Ast::Let(_) | Ast::Event(_) => {}
            Ast::Drop(None, span) => {
                *ended = Some(*span);
                body.push(Stmt::Drop(*span));
            }
            Ast::Drop(Some(condition), _) => {
                if let Some(condition) = self.routing_condition(condition) {
                    body.push(Stmt::Filter { keep: false, condition });
                }
            }
            Ast::Reject(reason, span) => {
                *ended = Some(*span);
                body.push(Stmt::Reject(reason.node.clone(), *span));
            }
            Ast::When(when) => body.extend(self.when(when, columns, around)),
            Ast::Each(each) => body.extend(self.each(each, columns, around)),
            Ast::Emit(emit) if self.emits.len() >= EMITS_MAX => {
                self.too_large(emit.class.span, &format!("more than {EMITS_MAX} emits"));
            }
            Ast::Emit(emit) => {
                if let Some(checked) = self.emit(emit, columns) {
                    self.emits.push(EmitFacts {
                        class: checked.class.clone(),
                        span: emit.class.span,
                        own_event: own_event(emit).and_then(|keyword| self.behind_brace(keyword)),
                        inside: self.behind_brace(emit.class.span).unwrap_or(emit.class.span.end),
                        branches: around.branches.clone(),
                        loops: around.loops.clone(),
                        columns: checked.columns.clone(),
                    });
                    body.push(Stmt::Emit(Box::new(checked)));
                }
            }
        }
    }

    fn when(&mut self, when: &'a ast::When, columns: &Columns, around: &Around) -> Option<Stmt> {
        let chain = self.whens;
        self.whens += 1;
        let mut arms = Vec::new();
        let mut sound = true;
        for (arm, (condition, block)) in when.arms.iter().enumerate() {
            let condition = self.routing_condition(condition);
            let mut inner = around.clone();
            inner.branches.push((chain, arm));
            let body = self.block(block, columns, &inner);
            match condition {
                Some(condition) => arms.push((condition, body)),
                None => sound = false,
            }
        }
        let otherwise = match &when.otherwise {
            None => Vec::new(),
            Some(block) => {
                let mut inner = around.clone();
                inner.branches.push((chain, when.arms.len()));
                self.block(block, columns, &inner)
            }
        };
        sound.then_some(Stmt::When { arms, otherwise })
    }

    /// Binds a loop's variable; the names must be left again.
    pub(super) fn enter_loop(
        &mut self,
        header: &'a ast::Loop,
    ) -> Option<(Path, LoopId, u32, usize)> {
        const MOST: u32 = 10_000;
        let max: Option<u32> = header.max.node.replace('_', "").parse().ok();
        let max = max.filter(|max| (1..=MOST).contains(max));
        if max.is_none() {
            self.report(
                Diagnostic::error(
                    "W0601",
                    header.max.span,
                    "a loop runs at least once and at most 10 000 times",
                    "out of range",
                )
                .help("write for example `max 100`"),
            );
        }
        let array = self.array(&header.path);
        let (array, max) = (array?, max?);
        let id = self.new_loop(array.clone(), max, header.span)?;
        let mark = self.names.enter();
        self.define(&header.name, Binding::Loop(id));
        Some((array, id, max, mark))
    }

    fn each(&mut self, each: &'a ast::Each, columns: &Columns, around: &Around) -> Option<Stmt> {
        const NESTING_MAX: usize = 2;
        if around.loops.len() >= NESTING_MAX {
            self.report(
                Diagnostic::error(
                    "W0602",
                    each.header.span,
                    "`each` nests at most twice",
                    "a third loop",
                )
                .help("map the inner list with a list function, or keep it under `unmapped`"),
            );
            return None;
        }
        let (array, id, max, mark) = self.enter_loop(&each.header)?;
        let outer = self.current_loop.replace(id);
        let mut inner = around.clone();
        inner.loops.push(id);
        let body = self.block(&each.body, columns, &inner);
        self.current_loop = outer;
        self.names.leave(mark);
        Some(Stmt::Each { array, id, max, body, span: each.header.span })
    }

    /// The rules about the whole file; silent where a line was refused already.
    fn rules(&mut self, body: &[Stmt], items: &'a [Item]) {
        if self.reports.has_errors() {
            return;
        }
        let emits = std::mem::take(&mut self.emits);
        if emits.is_empty() {
            let at = Span::new(0, self.source.text.find('\n').unwrap_or(0) as u32);
            self.report(
                Diagnostic::error(
                    "W0504",
                    at,
                    "this program emits nothing",
                    "no `emit` in the file",
                )
                .help("add `emit api_activity { activity_id = \"Other\" }`"),
            );
            return;
        }
        for emit in &emits {
            self.identity_in_loops(emit);
        }
        for (at, emit) in emits.iter().enumerate() {
            for other in &emits[at + 1..] {
                if can_both_run(emit, other) {
                    self.identity_of_two(emit, other);
                }
            }
        }
        self.counting(&emits);
        self.unlisted_costs(&emits);
        let always = body.iter().any(|stmt| matches!(stmt, Stmt::Emit(_)));
        if !always {
            for item in items {
                if let Item::Stmt(Ast::When(when)) = item {
                    self.chain_ends(when);
                }
            }
        }
    }

    fn chain_ends(&mut self, when: &ast::When) {
        if when.otherwise.is_none() {
            self.report(
                Diagnostic::warning("W0501", when.keyword, "records that match no branch disappear", "this chain has no `else`")
                    .help("end it with `else { emit api_activity { ... } }`, or say what is meant: `else { drop }` to forget them, `else { reject \"unknown type\" }` to see them"),
            );
        }
    }

    /// W0507: an id that does not change from element to element.
    fn identity_in_loops(&mut self, emit: &EmitFacts) {
        let id = &emit.columns[Column::Id as usize];
        let depends = self.loops_of(&id.value);
        let Some(missing) = emit.loops.iter().find(|id| !depends.contains(id)) else { return };
        let text = self.source.slice(id.value.span).to_owned();
        let (max, at) = (self.loops[*missing as usize].max, self.loops[*missing as usize].span);
        let fixed = match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            Some(inner) => format!("\"{inner}:{{index}}\""),
            None => format!("\"{{{text}}}:{{index}}\""),
        };
        // A fix inside the `event` around the loop would need `index` where there is none.
        let inside = id.span.start > at.start;
        let span = if inside { id.value.span } else { emit.span };
        let mut report = Diagnostic::error(
            "W0507",
            span,
            "all events of this loop would have the same id",
            if inside { "... but this does not change from step to step" } else { "... with the id of the record" },
        )
        .label(at, format!("up to {max} events for each record ..."))
        .note("events with an id seen before are taken for repeats and not stored, so all but one would be lost without a word");
        // `index` is that of the innermost loop, so it cannot tell the elements of an outer one apart.
        let outer = emit.loops.last() != Some(missing) || text.contains("index");
        report = if outer {
            report.help("name the position of each loop where the loop begins, as in `let i = index`, and put all of them into the id: \"{.id}:{i}:{index}\"")
        } else if text.contains('"') && !text.starts_with('"') {
            report.help("make the id depend on `index`")
        } else if inside {
            report.help(format!("id = {fixed}")).fix(format!("id = {fixed}"), span, fixed)
        } else {
            report.help(format!("write an `event {{ id = {fixed} }}` into this `emit`"))
        };
        self.report(report);
    }

    /// W0508: two events of one record with the same id.
    fn identity_of_two(&mut self, emit: &EmitFacts, other: &EmitFacts) {
        let ids = [emit, other].map(|emit| &emit.columns[Column::Id as usize]);
        let same_loops = emit.loops == other.loops;
        let text = |field: &Field| self.source.slice(field.value.span).to_owned();
        if !same_loops || (ids[0].span != ids[1].span && text(ids[0]) != text(ids[1])) {
            return;
        }
        let (class, first) = (other.class.clone(), emit.span);
        self.report(
            Diagnostic::error(
                "W0508",
                other.span,
                "these two events of one record would have the same id",
                format!("the second, `{class}`"),
            )
            .label(first, "the first")
            .help("give one of them an `event { id = \"{...}:2\" }` of its own")
            .note("events with an id seen before are taken for repeats and not stored"),
        );
    }

    /// W0509: the same cost or tokens in several events of one record.
    fn counting(&mut self, emits: &[EmitFacts]) {
        for column in [Column::CostUsd, Column::TokensInput, Column::TokensOutput] {
            for (at, emit) in emits.iter().enumerate() {
                let field = &emit.columns[column as usize];
                if is_zero(field) {
                    continue;
                }
                let depends = self.loops_of(&field.value);
                if let Some(id) = emit.loops.iter().find(|id| !depends.contains(id)) {
                    let (max, span) = (self.loops[*id as usize].max, self.loops[*id as usize].span);
                    self.counted_twice(
                        column,
                        field,
                        emit,
                        span,
                        format!("... is inherited by up to {max} more events here"),
                    );
                    return;
                }
                let twin = emits[at + 1..].iter().find(|other| {
                    other.columns[column as usize].span == field.span
                        && other.loops.is_empty()
                        && can_both_run(emit, other)
                });
                if let Some(other) = twin {
                    self.counted_twice(
                        column,
                        field,
                        other,
                        other.span,
                        "... is inherited by this event too".to_owned(),
                    );
                    return;
                }
            }
        }
    }

    fn counted_twice(
        &mut self,
        column: Column,
        field: &Field,
        inner: &EmitFacts,
        at: Span,
        why: String,
    ) {
        let name = column.name();
        let (insert, text) = match inner.own_event {
            Some(insert) => (insert, format!(" {name} = 0 ")),
            None => (inner.inside, format!(" event {{ {name} = 0 }} ")),
        };
        self.report(
            Diagnostic::error("W0509", field.span, format!("`{name}` of the record would be counted more than once"), "what the whole record has ...")
                .label(at, why)
                .help(format!("in the inner `event`, write `{name} = 0` (and the same for the others), or the element's own value if the log has one"))
                .fix(format!("{name} = 0"), Span::new(insert, insert), text),
        );
    }

    /// The place behind the first brace behind a word.
    fn behind_brace(&self, word: Span) -> Option<u32> {
        let rest = self.source.text.get(word.end as usize..)?;
        rest.find('{').map(|at| word.end + at as u32 + 1)
    }
}

fn own_event(emit: &ast::Emit) -> Option<Span> {
    emit.entries.iter().find_map(|entry| match entry {
        ast::Entry::Event(event) => Some(event.keyword),
        _ => None,
    })
}

/// Can both run for one record? Not if they stand in different arms of one chain.
fn can_both_run(a: &EmitFacts, b: &EmitFacts) -> bool {
    !a.branches.iter().any(|(chain, arm)| {
        b.branches.iter().any(|(other, other_arm)| chain == other && arm != other_arm)
    })
}

fn is_zero(field: &Field) -> bool {
    match &field.value.kind {
        ExprKind::Constant(Constant::Int(0) | Constant::Missing) => field.on_missing.is_none(),
        ExprKind::Constant(Constant::Decimal(value)) => value.0 == 0,
        _ => false,
    }
}

fn stmt_span(stmt: &Ast) -> Option<Span> {
    match stmt {
        Ast::Let(_) | Ast::Event(_) => None,
        Ast::Drop(_, span) | Ast::Reject(_, span) => Some(*span),
        Ast::When(when) => Some(when.keyword),
        Ast::Each(each) => Some(each.header.span),
        Ast::Emit(emit) => Some(emit.class.span),
    }
}
