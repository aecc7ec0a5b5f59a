//! Expressions and statements, straight from the language's tables.
//!
//! Every expression is evaluated where it stands, as often as it is asked for; nothing is shared or remembered.

use bumpalo::Bump;
use sha2::{Digest, Sha256};
use weir_dsl::hir::{Expr, ExprKind, LoopId, Path, Program, Root, Step, Stmt, TextPattern};
use weir_dsl::source::{Source, Span};
use weir_engine::builtins::Builtin;
use weir_engine::code::Code;
use weir_engine::convert;
use weir_engine::plan::{Arithmetic, Comparison, Constant, Fold, Meta, ObjectMeta, Outcome};
use weir_engine::types::{NumberFormat, Type};
use weir_engine::value::{Fault, Value};

use super::json::{self, Scalar, Tree};
use super::{Refusal, number};
use crate::outcome::Event;

/// The most events that one record may make.
const EVENTS_MAX: usize = 1000;
/// The most bytes that the OCSF events of one record may have together.
const OCSF_BYTES_MAX: usize = 16 << 20;
/// The most bytes that a joined text may have.
const JOINED_BYTES_MAX: usize = 16 << 20;

/// Something that a path can lead to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Node<'a> {
    /// Nothing.
    Absent,
    /// A piece of a JSON text.
    Json(&'a str, &'a Tree),
    /// A cell, white space removed if the input says so.
    Cell(&'a str),
    /// A whole row: column names and cells.
    Row(&'a [String], &'a [String]),
    /// A record that a function made: names and texts.
    Fields(&'a [(&'a str, &'a str)]),
    /// A record that cannot be made, and all that is in it.
    Invalid(&'a Fault<'a>),
}

/// Where what is made for one record lives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Store<'a> {
    pub(super) arena: &'a Bump,
    pub(super) trees: &'a json::Trees,
}

/// A record, framed and sound.
#[derive(Debug)]
pub(super) struct Record<'a> {
    /// The object or row.
    pub(super) root: Node<'a>,
    /// The wanted wrapper members, as the input lists them.
    pub(super) wrapper: Vec<Node<'a>>,
    /// The line on which it starts, 1-based.
    pub(super) line: u64,
    /// Where it starts in the object.
    pub(super) offset: u64,
    /// The record as it came.
    pub(super) bytes: &'a [u8],
    /// What is stored as the raw record.
    pub(super) raw: Option<Vec<u8>>,
}

/// Evaluates a program for one record.
pub(super) struct Evaluator<'a> {
    pub(super) program: &'a Program,
    pub(super) source: &'a Source,
    pub(super) meta: &'a ObjectMeta,
    pub(super) arena: &'a Bump,
    pub(super) trees: &'a json::Trees,
    pub(super) record: &'a Record<'a>,
    /// The elements of the loops around, outermost first.
    loops: Vec<(LoopId, Node<'a>, usize)>,
    /// The columns of the event that is being made.
    pub(super) columns: [Value<'a>; 8],
    /// Events made so far, less those that a `drop` took back.
    events: Vec<Event>,
    /// All that were ever made.
    made: usize,
    /// Optional values that were invalid and left out or set to 0.
    pub(super) skipped_values: u64,
    /// A local time was read that there was twice.
    pub(super) ambiguous_time: bool,
    /// A repeated name was found in an element that an expression looked at.
    duplicate: Option<Refusal>,
}

/// Why the statements of a scope are left.
enum Stop {
    /// The innermost scope is forgotten.
    Drop,
    /// The record is refused.
    Reject(Refusal),
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(
        program: &'a Program,
        source: &'a Source,
        meta: &'a ObjectMeta,
        store: Store<'a>,
        record: &'a Record<'a>,
    ) -> Self {
        Self {
            program,
            source,
            meta,
            arena: store.arena,
            trees: store.trees,
            record,
            loops: Vec::new(),
            columns: [Value::Missing; 8],
            events: Vec::new(),
            made: 0,
            skipped_values: 0,
            ambiguous_time: false,
            duplicate: None,
        }
    }

    /// The events of the record, none if it was dropped; or why it is refused.
    ///
    /// With them the number of optional values left out, and whether a local time was read that there was twice.
    pub(super) fn record(mut self) -> (Result<Vec<Event>, Refusal>, u64, bool) {
        let outcome = self.events_of_record();
        (outcome, self.skipped_values, self.ambiguous_time)
    }

    fn events_of_record(&mut self) -> Result<Vec<Event>, Refusal> {
        self.look_for_duplicates(Root::Record, self.record.root);
        self.refuse_duplicate()?;
        match self.run(&self.program.body) {
            Ok(()) => {}
            Err(Stop::Drop) => return Ok(Vec::new()),
            Err(Stop::Reject(refusal)) => return Err(refusal),
        }
        let events = std::mem::take(&mut self.events);
        if events.iter().map(|event| event.ocsf.len()).sum::<usize>() > OCSF_BYTES_MAX {
            return Err(Refusal::of(Code::OutputTooLarge));
        }
        for (index, event) in events.iter().enumerate() {
            if events[..index].iter().any(|earlier| earlier.id == event.id) {
                return Err(Refusal::of(Code::EqualIds));
            }
        }
        Ok(events)
    }

    fn refuse_duplicate(&mut self) -> Result<(), Refusal> {
        self.duplicate.take().map_or(Ok(()), Err)
    }

    pub(super) fn line(&self, span: Span) -> u32 {
        self.source.line(span.start)
    }

    // ---- Statements ----

    fn run(&mut self, body: &'a [Stmt]) -> Result<(), Stop> {
        for stmt in body {
            self.stmt(stmt)?;
        }
        Ok(())
    }

    fn stmt(&mut self, stmt: &'a Stmt) -> Result<(), Stop> {
        match stmt {
            Stmt::Filter { keep, condition } => {
                if self.condition(condition)? == *keep {
                    Ok(())
                } else {
                    Err(Stop::Drop)
                }
            }
            Stmt::When { arms, otherwise } => {
                for (condition, body) in arms {
                    if self.condition(condition)? {
                        return self.run(body);
                    }
                }
                self.run(otherwise)
            }
            Stmt::Each { array, id, max, body, span } => self.each(array, *id, *max, body, *span),
            Stmt::Emit(emit) => {
                self.made += 1;
                let line = self.line(emit.span);
                if self.made > EVENTS_MAX {
                    return Err(Stop::Reject(Refusal::at(Code::TooManyEvents, line)));
                }
                let event = self.emit(emit);
                self.refuse_duplicate().map_err(Stop::Reject)?;
                self.events.push(event.map_err(Stop::Reject)?);
                Ok(())
            }
            Stmt::Drop(_) => Err(Stop::Drop),
            Stmt::Reject(reason, span) => Err(Stop::Reject(Refusal {
                message: reason.clone(),
                ..Refusal::at(Code::Rejected, self.line(*span))
            })),
        }
    }

    fn each(
        &mut self,
        array: &Path,
        id: LoopId,
        max: u32,
        body: &'a [Stmt],
        span: Span,
    ) -> Result<(), Stop> {
        let node = self.resolve(array);
        if self.is_missing(node) {
            return Ok(());
        }
        let refusal = Refusal::at(Code::Each, self.line(span));
        let Some(elements) = elements(node) else { return Err(Stop::Reject(refusal)) };
        if elements.len() > max as usize {
            return Err(Stop::Reject(refusal));
        }
        for (index, element) in elements.into_iter().enumerate() {
            let stand = self.events.len();
            self.enter(id, element, index);
            let outcome =
                self.refuse_duplicate().map_err(Stop::Reject).and_then(|()| self.run(body));
            self.leave();
            match outcome {
                Err(Stop::Drop) => self.events.truncate(stand),
                other => other?,
            }
        }
        Ok(())
    }

    /// An element becomes the innermost scope.
    pub(super) fn enter(&mut self, id: LoopId, element: Node<'a>, index: usize) {
        self.loops.push((id, element, index));
        self.look_for_duplicates(Root::Loop(id), element);
    }

    pub(super) fn leave(&mut self) {
        self.loops.pop();
    }

    fn condition(&mut self, expr: &'a Expr) -> Result<bool, Stop> {
        let value = self.eval(expr);
        self.refuse_duplicate().map_err(Stop::Reject)?;
        match value {
            Value::Invalid(fault) => {
                let hidden = self.program.redacted_conditions.contains(&self.line(expr.span));
                Err(Stop::Reject(Refusal {
                    message: message(fault, hidden),
                    text: fault.text.filter(|_| !hidden).unwrap_or_default().to_owned(),
                    ..Refusal::at(Code::InvalidCondition, self.line(expr.span))
                }))
            }
            other => Ok(other == Value::Bool(true)),
        }
    }

    // ---- Paths ----

    /// Where a path leads.
    pub(super) fn resolve(&mut self, path: &Path) -> Node<'a> {
        match path.root {
            Root::Wrapper => self.resolve_in_wrapper(&[], &path.steps),
            Root::Loop(id) => self.walk(self.element(id).0, &path.steps),
            Root::Derived(id) => {
                let made = self.made(id);
                self.walk(made, &path.steps)
            }
            Root::Record => self.walk(self.record.root, &path.steps),
        }
    }

    fn walk(&self, start: Node<'a>, steps: &[Step]) -> Node<'a> {
        steps.iter().fold(start, |node, step| match step {
            Step::Member(name) => member(node, name),
            Step::Choice(names) => names
                .iter()
                .map(|name| member(node, name))
                .find(|found| !self.is_missing(*found))
                .unwrap_or(Node::Absent),
            Step::Element(_) | Step::Last if matches!(node, Node::Invalid(_)) => node,
            Step::Element(index) => {
                elements(node).and_then(|e| e.get(*index as usize).copied()).unwrap_or(Node::Absent)
            }
            Step::Last => elements(node).and_then(|e| e.last().copied()).unwrap_or(Node::Absent),
        })
    }

    /// The framer keeps members by the names that lead to them; what follows is within such a member.
    fn resolve_in_wrapper(&self, way: &[String], steps: &[Step]) -> Node<'a> {
        let with = |name: &String| [way, std::slice::from_ref(name)].concat();
        match steps.split_first() {
            None => self.wrapper_member(way),
            Some((Step::Member(name), rest)) => self.resolve_in_wrapper(&with(name), rest),
            Some((Step::Choice(names), rest)) => {
                let there =
                    names.iter().find(|name| !self.is_missing(self.wrapper_member(&with(name))));
                there.map_or(Node::Absent, |name| self.resolve_in_wrapper(&with(name), rest))
            }
            Some((Step::Element(_) | Step::Last, _)) => self.walk(self.wrapper_member(way), steps),
        }
    }

    fn wrapper_member(&self, way: &[String]) -> Node<'a> {
        let weir_engine::input::Format::Json(records) = &self.program.input.format else {
            return Node::Absent;
        };
        let index = records.wrapper.iter().position(|known| known == way);
        index.and_then(|i| self.record.wrapper.get(i).copied()).unwrap_or(Node::Absent)
    }

    fn element(&self, id: LoopId) -> (Node<'a>, usize) {
        let found = self.loops.iter().rev().find(|(loop_id, ..)| *loop_id == id);
        let (_, node, index) = found.expect("the checker lets nobody read a loop from outside");
        (*node, *index)
    }

    /// Absent, `null`, or an empty text where that counts as missing.
    pub(super) fn is_missing(&self, node: Node<'a>) -> bool {
        let empty = self.program.input.empty_is_missing;
        match node {
            Node::Absent => true,
            Node::Json(text, tree) => match &text[tree.span.clone()] {
                "null" => true,
                "\"\"" => empty,
                _ => false,
            },
            Node::Cell(text) => empty && text.is_empty(),
            Node::Row(..) | Node::Fields(_) | Node::Invalid(_) => false,
        }
    }

    /// Reads what a path leads to as a type.
    fn read(&self, node: Node<'a>, ty: Type) -> Value<'a> {
        if self.is_missing(node) {
            return Value::Missing;
        }
        let text = match node {
            Node::Absent | Node::Row(..) => return Value::Missing,
            Node::Invalid(fault) => return Value::Invalid(fault),
            // Only whether it is there is ever asked.
            Node::Fields(_) => return Value::Text("a record"),
            // A cell is text, whatever it looks like.
            Node::Cell(text) if ty == Type::Json => return Value::Text(text),
            Node::Cell(text) => text,
            Node::Json(text, tree) => {
                let piece = &text[tree.span.clone()];
                if ty == Type::Json {
                    return self.read_json(piece);
                }
                match json::scalar(piece) {
                    Some(Scalar::Null) => return Value::Missing,
                    Some(Scalar::Bool(value)) => {
                        if value {
                            "true"
                        } else {
                            "false"
                        }
                    }
                    Some(Scalar::Number(text) | Scalar::String(text)) => {
                        self.arena.alloc_str(&text)
                    }
                    None => return self.invalid(ty.noun(), piece),
                }
            }
        };
        // JSON has numbers of its own, wherever it stands.
        let numbers = match node {
            Node::Json(..) => NumberFormat::default(),
            _ => self.program.numbers,
        };
        self.read_text(text, ty, numbers)
    }

    fn read_json(&self, piece: &'a str) -> Value<'a> {
        if let Err(wanted) = json::check_copy(piece) {
            return self.invalid(wanted, piece);
        }
        Value::Json(self.arena.alloc_str(&piece.replace(['\r', '\n'], " ")))
    }

    /// Reads text as a type.
    fn read_text(&self, text: &'a str, ty: Type, numbers: NumberFormat) -> Value<'a> {
        let value = convert::read_text(text, ty, numbers);
        value.unwrap_or_else(|| self.invalid(ty.noun(), text))
    }

    pub(super) fn invalid(&self, wanted: &'static str, text: &str) -> Value<'a> {
        let text = self.arena.alloc_str(cut(text));
        Value::Invalid(self.arena.alloc(Fault { wanted, text: Some(text) }))
    }

    // ---- Expressions ----

    /// The outcome of an expression.
    pub(super) fn eval(&mut self, expr: &'a Expr) -> Value<'a> {
        match &expr.kind {
            ExprKind::Constant(constant) => value_of(constant),
            ExprKind::Path(path) => {
                let node = self.resolve(path);
                self.read(node, expr.ty)
            }
            ExprKind::StringOnly(path) => {
                let node = self.resolve(path);
                self.string_only(node)
            }
            ExprKind::Meta(meta) => self.meta(*meta),
            ExprKind::Index(id) => Value::Int(self.element(*id).1 as i64),
            ExprKind::Column(column) => self.columns[*column as usize],
            ExprKind::Let(index) => self.eval(&self.program.lets[*index].expr),
            ExprKind::Concat(parts) => self.concat(parts),
            ExprKind::Not(operand) => match self.eval(operand) {
                fault @ Value::Invalid(_) => fault,
                other => Value::Bool(other != Value::Bool(true)),
            },
            ExprKind::And(left, right) => match self.eval(left) {
                fault @ Value::Invalid(_) => fault,
                Value::Bool(true) => self.truth(right),
                _ => Value::Bool(false),
            },
            ExprKind::Or(left, right) => match self.eval(left) {
                decided @ (Value::Invalid(_) | Value::Bool(true)) => decided,
                _ => self.truth(right),
            },
            ExprKind::Negate(operand) => {
                let value = self.eval(operand);
                self.computed(number::negate(value))
            }
            ExprKind::Arithmetic(how, left, right) => {
                let (left, right) = (self.eval(left), self.eval(right));
                self.computed(number::compute(*how, left, right))
            }
            ExprKind::Compare(how, left, right) => {
                let (left, right) = (self.eval(left), self.eval(right));
                compare(*how, left, right)
            }
            ExprKind::In(subject, constants) => {
                match self.eval(subject) {
                    fault @ Value::Invalid(_) => fault,
                    Value::Missing => Value::Bool(false),
                    value => Value::Bool(constants.iter().any(|c| {
                        compare(Comparison::Equal, value, value_of(c)) == Value::Bool(true)
                    })),
                }
            }
            ExprKind::Matches(subject, regex) => match self.eval(subject) {
                fault @ Value::Invalid(_) => fault,
                Value::Text(text) => Value::Bool(regex.is_match(text)),
                _ => Value::Bool(false),
            },
            ExprKind::Coalesce(left, right) => match self.eval(left) {
                Value::Missing => self.eval(right),
                other => other,
            },
            ExprKind::Is(outcome, negated, subject) => {
                let value = self.eval(subject);
                let holds = match outcome {
                    Outcome::Missing => value == Value::Missing,
                    Outcome::Present => value != Value::Missing,
                    Outcome::Invalid => matches!(value, Value::Invalid(_)),
                };
                Value::Bool(holds != *negated)
            }
            ExprKind::If(condition, then, otherwise) => match self.eval(condition) {
                fault @ Value::Invalid(_) => fault,
                Value::Bool(true) => self.eval(then),
                _ => self.eval(otherwise),
            },
            ExprKind::Match { subject, arms, otherwise } => match self.eval(subject) {
                fault @ Value::Invalid(_) => fault,
                Value::Text(text) => {
                    let arms_of =
                        |(patterns, value): &'a (Vec<TextPattern>, Expr)| (patterns, value);
                    match best(text, arms.iter().map(arms_of)) {
                        Some(value) => self.eval(value),
                        None => self.eval(otherwise),
                    }
                }
                _ => self.eval(otherwise),
            },
            ExprKind::Cell(table, key, column) => match self.eval(key) {
                Value::Text(key) => self.cell(*table, key, *column),
                other => other,
            },
            ExprKind::Call { builtin, call, args, .. } => {
                let values = match self.arguments(builtin, args) {
                    Ok(values) => values,
                    Err(outcome) => return outcome,
                };
                let (value, twice) = call.call_noting_time(&values, self.arena);
                self.ambiguous_time |= twice;
                self.not_empty(value)
            }
            ExprKind::Count(array, id, condition) => self.count(array, *id, condition.as_deref()),
            ExprKind::Any(array, id, condition) => self.quantify(array, *id, condition, true),
            ExprKind::All(array, id, condition) => self.quantify(array, *id, condition, false),
            ExprKind::Fold(fold, array, id, value) => self.fold(fold, array, *id, value),
            ExprKind::InList(subject, list) => match (self.eval(subject), self.eval(list)) {
                (fault @ Value::Invalid(_), _) | (_, fault @ Value::Invalid(_)) => fault,
                (Value::Missing, _) => Value::Bool(false),
                (subject, Value::List(list)) => Value::Bool(
                    list.iter()
                        .any(|one| compare(Comparison::Equal, subject, *one) == Value::Bool(true)),
                ),
                _ => Value::Bool(false),
            },
            ExprKind::List(parts) => {
                let values = match self.operands(parts) {
                    Ok(values) => values,
                    Err(fault) => return fault,
                };
                let there = values.into_iter().filter(|v| *v != Value::Missing);
                let list = &*self.arena.alloc_slice_fill_iter(there.collect::<Vec<_>>());
                if list.is_empty() { Value::Missing } else { Value::List(list) }
            }
            ExprKind::Convert(operand) => {
                let value = self.eval(operand);
                self.convert(value, expr.ty)
            }
        }
    }

    /// The arguments of a function; or its outcome, if they decide that.
    pub(super) fn arguments(
        &mut self,
        builtin: &Builtin,
        args: &'a [Expr],
    ) -> Result<Vec<Value<'a>>, Value<'a>> {
        let values = self.operands(args)?;
        if !builtin.takes_missing && values.contains(&Value::Missing) {
            return Err(Value::Missing);
        }
        Ok(values)
    }

    /// As an operand of `and` and `or`: missing counts as false.
    fn truth(&mut self, expr: &'a Expr) -> Value<'a> {
        match self.eval(expr) {
            Value::Missing => Value::Bool(false),
            other => other,
        }
    }

    fn string_only(&self, node: Node<'a>) -> Value<'a> {
        match node {
            Node::Json(text, tree) if !text[tree.span.clone()].starts_with('"') => Value::Missing,
            other => self.read(other, Type::Text),
        }
    }

    fn meta(&self, meta: Meta) -> Value<'a> {
        match meta {
            Meta::Key => self.not_empty(Value::Text(&self.meta.key)),
            Meta::Bucket => self.not_empty(Value::Text(&self.meta.bucket)),
            Meta::Source => self.not_empty(Value::Text(&self.meta.source)),
            Meta::Line => Value::Int(self.record.line as i64),
            Meta::Offset => Value::Int(self.record.offset as i64),
            Meta::ReceivedAt => Value::Timestamp(self.meta.received_at_ns),
            Meta::RecordSha256 => {
                let digits: String =
                    Sha256::digest(self.record.bytes).iter().map(|b| format!("{b:02x}")).collect();
                Value::Text(self.arena.alloc_str(&digits))
            }
        }
    }

    /// An empty text is missing, wherever it comes from, unless the input says otherwise.
    fn not_empty(&self, value: Value<'a>) -> Value<'a> {
        let empty = value == Value::Text("") && self.program.input.empty_is_missing;
        if empty { Value::Missing } else { value }
    }

    /// Left to right, up to the first that is invalid: then it is all there is.
    fn operands(&mut self, parts: &'a [Expr]) -> Result<Vec<Value<'a>>, Value<'a>> {
        let mut values = Vec::new();
        for part in parts {
            match self.eval(part) {
                fault @ Value::Invalid(_) => return Err(fault),
                value => values.push(value),
            }
        }
        Ok(values)
    }

    fn concat(&mut self, parts: &'a [Expr]) -> Value<'a> {
        let values = match self.operands(parts) {
            Ok(values) => values,
            Err(fault) => return fault,
        };
        let mut text = String::new();
        for value in values {
            let Value::Text(part) = value else { return Value::Missing };
            text.push_str(part);
        }
        self.not_empty(Value::Text(self.arena.alloc_str(&text)))
    }

    fn cell(&self, table: u16, key: &str, column: u16) -> Value<'a> {
        let table = &self.program.tables[table as usize];
        let rows = table.rows.iter().map(|row| (&row.keys, &row.cells));
        let cells = best(key, rows).or(table.otherwise.as_ref());
        cells.map_or(Value::Missing, |cells| value_of(&cells[column as usize]))
    }

    fn count(&mut self, array: &Path, id: LoopId, condition: Option<&'a Expr>) -> Value<'a> {
        let elements = match self.list(array) {
            Ok(elements) => elements,
            Err(fault) => return fault,
        };
        let mut count = 0;
        for (index, element) in elements.into_iter().enumerate() {
            match condition.map(|condition| self.in_element(id, element, index, condition)) {
                Some(fault @ Value::Invalid(_)) => return fault,
                None | Some(Value::Bool(true)) => count += 1,
                Some(_) => {}
            }
        }
        Value::Int(count)
    }

    /// `any` (wanted = true) and `all` (false): the first element whose condition is `wanted` decides.
    fn quantify(
        &mut self,
        array: &Path,
        id: LoopId,
        condition: &'a Expr,
        wanted: bool,
    ) -> Value<'a> {
        let elements = match self.list(array) {
            Ok(elements) => elements,
            Err(fault) => return fault,
        };
        for (index, element) in elements.into_iter().enumerate() {
            match self.in_element(id, element, index, condition) {
                fault @ Value::Invalid(_) => return fault,
                value if (value == Value::Bool(true)) == wanted => return Value::Bool(wanted),
                _ => {}
            }
        }
        Value::Bool(!wanted)
    }

    /// `sum`, `join`, `take`, `distinct`: first the values that are reached, then what they come to.
    fn fold(&mut self, fold: &'a Fold, array: &Path, id: LoopId, value: &'a Expr) -> Value<'a> {
        let elements = match self.list(array) {
            Ok(elements) => elements,
            Err(fault) => return fault,
        };
        let mut values: Vec<Value<'a>> = Vec::new();
        let mut sum = match fold {
            Fold::Sum(Type::Decimal) => Value::Decimal(number::decimal_of(0)),
            _ => Value::Int(0),
        };
        for (index, element) in elements.into_iter().enumerate() {
            let value = match self.in_element(id, element, index, value) {
                Value::Missing => continue,
                fault @ Value::Invalid(_) => return fault,
                value => value,
            };
            match fold {
                Fold::Sum(_) => {
                    sum = self.computed(number::compute(Arithmetic::Add, sum, value));
                    if matches!(sum, Value::Invalid(_)) {
                        return sum;
                    }
                }
                Fold::Join(_) | Fold::Take(_) => values.push(value),
                Fold::Distinct(_) if values.contains(&value) => {}
                Fold::Distinct(_) => values.push(value),
            }
            if let Fold::Take(max) | Fold::Distinct(max) = fold
                && values.len() == *max as usize
            {
                break;
            }
        }
        match fold {
            Fold::Sum(_) => sum,
            _ if values.is_empty() => Value::Missing,
            Fold::Take(_) | Fold::Distinct(_) => {
                Value::List(self.arena.alloc_slice_fill_iter(values))
            }
            Fold::Join(separator) => {
                let texts: Vec<_> = values.into_iter().map(number::text_of).collect();
                let joined = texts.join(separator);
                if joined.len() > JOINED_BYTES_MAX {
                    return self.computed(Err("the text would be longer than 16 MiB"));
                }
                self.not_empty(Value::Text(self.arena.alloc_str(&joined)))
            }
        }
    }

    pub(super) fn in_element(
        &mut self,
        id: LoopId,
        element: Node<'a>,
        index: usize,
        expr: &'a Expr,
    ) -> Value<'a> {
        self.enter(id, element, index);
        let value = self.eval(expr);
        self.leave();
        value
    }

    /// The elements that a list function goes through; none if the list is missing.
    pub(super) fn list(&mut self, array: &Path) -> Result<Vec<Node<'a>>, Value<'a>> {
        let node = self.resolve(array);
        if self.is_missing(node) {
            return Ok(Vec::new());
        }
        if let Node::Invalid(fault) = node {
            return Err(Value::Invalid(fault));
        }
        elements(node).ok_or_else(|| self.invalid("a list", shown(node)))
    }

    // ---- Numbers ----

    fn computed(&self, result: Result<Value<'a>, &'static str>) -> Value<'a> {
        result
            .unwrap_or_else(|wanted| Value::Invalid(self.arena.alloc(Fault { wanted, text: None })))
    }

    /// Changes the type of a value.
    fn convert(&self, value: Value<'a>, ty: Type) -> Value<'a> {
        match (value, ty) {
            (Value::Missing | Value::Invalid(_), _) => value,
            (Value::Text(_), Type::Text) => value,
            (value, Type::Text) => Value::Text(self.arena.alloc_str(&number::text_of(value))),
            (Value::Text(text), ty) => self.read_text(text, ty, self.program.numbers),
            (value, _) => convert::convert(value, ty, self.program.numbers, self.arena),
        }
    }

    // ---- Repeated names ----

    /// Looks for a wanted name that occurs twice in one object on the way of a path from `root`.
    pub(super) fn look_for_duplicates(&mut self, root: Root, node: Node<'a>) {
        if !self.program.input.duplicate_keys_reject || self.duplicate.is_some() {
            return;
        }
        let paths = super::paths::of(self.program);
        let twice = paths.iter().filter(|path| path.root == root).any(|p| repeats(node, &p.steps));
        if twice {
            self.duplicate = Some(Refusal::of(Code::DuplicateKey));
        }
    }
}

/// Whether a wanted name occurs twice in an object on the way.
fn repeats(node: Node<'_>, steps: &[Step]) -> bool {
    let Some((step, rest)) = steps.split_first() else { return false };
    let names = match step {
        Step::Member(name) => std::slice::from_ref(name),
        Step::Choice(names) => names,
        Step::Element(index) => {
            let element = elements(node).and_then(|e| e.get(*index as usize).copied());
            return element.is_some_and(|element| repeats(element, rest));
        }
        Step::Last => {
            let element = elements(node).and_then(|e| e.last().copied());
            return element.is_some_and(|element| repeats(element, rest));
        }
    };
    let Node::Json(_, tree) = node else { return false };
    names.iter().any(|name| tree.members(name).count() > 1 || repeats(member(node, name), rest))
}

fn member<'a>(node: Node<'a>, name: &str) -> Node<'a> {
    match node {
        Node::Json(text, tree) => {
            tree.member(name).map_or(Node::Absent, |found| Node::Json(text, found))
        }
        Node::Row(header, cells) => {
            let cell = header.iter().position(|column| column == name).and_then(|i| cells.get(i));
            cell.map_or(Node::Absent, |cell| Node::Cell(cell))
        }
        Node::Fields(fields) => {
            let field = fields.iter().find(|(known, _)| *known == name);
            field.map_or(Node::Absent, |(_, text)| Node::Cell(text))
        }
        Node::Invalid(_) => node,
        Node::Absent | Node::Cell(_) => Node::Absent,
    }
}

pub(super) fn elements(node: Node<'_>) -> Option<Vec<Node<'_>>> {
    let Node::Json(text, tree) = node else { return None };
    Some(tree.elements()?.iter().map(|element| Node::Json(text, element)).collect())
}

/// The text that messages show of a node.
fn shown(node: Node<'_>) -> &str {
    match node {
        Node::Json(text, tree) => &text[tree.span.clone()],
        Node::Cell(text) => text,
        Node::Absent | Node::Row(..) | Node::Fields(_) | Node::Invalid(_) => "",
    }
}

/// At most so many bytes as a fault keeps, cut at a character.
pub(super) fn cut(text: &str) -> &str {
    let mut end = text.len().min(Fault::TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// What a dead letter says about a fault.
pub(super) fn message(fault: &Fault<'_>, redacted: bool) -> String {
    match fault.text {
        None => fault.wanted.to_owned(),
        Some(_) if redacted => format!("a value that is not shown is not {}", fault.wanted),
        Some("") => format!("a blank value is not {}", fault.wanted),
        Some(text) => format!("\"{text}\" is not {}", fault.wanted),
    }
}

pub(super) fn value_of(constant: &Constant) -> Value<'_> {
    match constant {
        Constant::Missing => Value::Missing,
        Constant::Text(text) => Value::Text(text),
        Constant::Int(int) => Value::Int(*int),
        Constant::Decimal(decimal) => Value::Decimal(*decimal),
        Constant::Bool(value) => Value::Bool(*value),
        Constant::Duration(ns) => Value::Duration(*ns),
        Constant::Timestamp(ns) => Value::Timestamp(*ns),
        Constant::Ip(address) => Value::Ip(*address),
    }
}

/// An exact pattern wins, then the longest prefix, in any order.
fn best<'t, T>(
    text: &str,
    arms: impl Iterator<Item = (&'t Vec<TextPattern>, &'t T)> + Clone,
) -> Option<&'t T> {
    let patterns = arms.flat_map(|(patterns, value)| patterns.iter().map(move |p| (p, value)));
    let exact = patterns.clone().find(|(p, _)| matches!(p, TextPattern::Exact(t) if t == text));
    let prefix = || {
        let mut best: Option<(usize, &'t T)> = None;
        for (pattern, value) in patterns {
            if let TextPattern::Prefix(prefix) = pattern
                && text.starts_with(prefix.as_str())
                && best.is_none_or(|(length, _)| prefix.len() > length)
            {
                best = Some((prefix.len(), value));
            }
        }
        best.map(|(_, value)| value)
    };
    exact.map(|(_, value)| value).or_else(prefix)
}

fn compare<'a>(how: Comparison, left: Value<'a>, right: Value<'a>) -> Value<'a> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let missing = match (left, right) {
        (fault @ Value::Invalid(_), _) | (_, fault @ Value::Invalid(_)) => return fault,
        (Value::Missing, _) | (_, Value::Missing) => true,
        _ => false,
    };
    if missing {
        return Value::Bool(how == Comparison::NotEqual);
    }
    if let (Value::Text(left), Value::Text(right)) = (left, right) {
        match how {
            Comparison::StartsWith => return Value::Bool(left.starts_with(right)),
            Comparison::EndsWith => return Value::Bool(left.ends_with(right)),
            Comparison::Contains => return Value::Bool(left.contains(right)),
            _ => {}
        }
    }
    let order = number::order(left, right);
    Value::Bool(match how {
        Comparison::Equal => order == Some(Equal),
        Comparison::NotEqual => order != Some(Equal),
        Comparison::Less => order == Some(Less),
        Comparison::LessEqual => matches!(order, Some(Less | Equal)),
        Comparison::Greater => order == Some(Greater),
        Comparison::GreaterEqual => matches!(order, Some(Greater | Equal)),
        Comparison::StartsWith | Comparison::EndsWith | Comparison::Contains => false,
    })
}
