//! Events: the columns, then the OCSF object, as the tree says, nothing pre-rendered.

use weir_dsl::hir::{
    Echo, Element, Emit, Field, Handler, LoopId, Member, Object, OutputNode, Path,
};
use weir_engine::code::Code;
use weir_engine::plan::{Check, Column, Policy, TextLimits};
use weir_engine::value::{Fault, Value};

use super::eval::{self, Evaluator, Node};
use super::{Refusal, number};
use crate::outcome::{Event, Raw};

/// 2000-01-01 and 2100-01-01.
const EVENT_TIME_NS: std::ops::Range<i64> = 946_684_800_000_000_000..4_102_444_800_000_000_000;

/// A member or object that was written.
struct Written {
    text: String,
    /// The names in it, if it is an object.
    members: Vec<(String, Written)>,
}

impl Written {
    fn scalar(text: String) -> Self {
        Self { text, members: Vec::new() }
    }

    /// Whether a way such as `a.b` leads to something.
    fn has(&self, way: &str) -> bool {
        let (first, rest) = way.split_once('.').map_or((way, None), |(f, r)| (f, Some(r)));
        let found = self.members.iter().find(|(name, _)| name == first);
        found.is_some_and(|(_, member)| rest.is_none_or(|rest| member.has(rest)))
    }
}

/// A field that failed, and where it stands in the program.
struct Failure {
    position: u32,
    refusal: Refusal,
}

/// What became of a field.
enum Fitted<'a> {
    Value(Value<'a>),
    Missing,
    /// It is there and does not fit: the code, the fault, and which.
    Invalid(Code, &'a Fault<'a>),
}

/// One event in the making.
struct Making<'e, 'a> {
    evaluator: &'e mut Evaluator<'a>,
    failures: Vec<Failure>,
}

impl<'a> Evaluator<'a> {
    /// Makes an event, or says why the record is refused.
    pub(super) fn emit(&mut self, emit: &'a Emit) -> Result<Event, Refusal> {
        self.columns = [Value::Missing; 8];
        let mut making = Making { evaluator: self, failures: Vec::new() };
        for (column, field) in Column::ALL.into_iter().zip(&emit.columns) {
            let value = making.column(column, field);
            making.evaluator.columns[column as usize] = value;
        }
        let extra = making.extra(&emit.extra);
        let (root, lacking) = making.members(&emit.root);
        let failures = making.failures;
        if let Some(first) = failures.into_iter().min_by_key(|failure| failure.position) {
            return Err(first.refusal);
        }
        if let Some(target) = lacking {
            return Err(Refusal {
                message: format!("{} needs {target}, which was left out", emit.class),
                target,
                ..Refusal::at(Code::Incomplete, self.line(emit.span))
            });
        }
        Ok(self.event(emit, extra, root.text))
    }

    fn event(&self, emit: &Emit, extra: String, ocsf: String) -> Event {
        let [id, time, actor, action, target, cost, tokens_input, tokens_output] = self.columns;
        let int = |value| if let Value::Int(int) = value { int } else { 0 };
        Event {
            class: emit.class.clone(),
            id: number::text_of(id),
            time_ns: if let Value::Timestamp(ns) = time { ns } else { 0 },
            actor: number::text_of(actor),
            action: number::text_of(action),
            target: number::text_of(target),
            cost_usd: if let Value::Decimal(cost) = cost {
                number::decimal_text(cost)
            } else {
                "0".into()
            },
            tokens_input: int(tokens_input),
            tokens_output: int(tokens_output),
            extra,
            ocsf,
            raw: self.record.raw.clone().map(Raw),
        }
    }
}

impl<'a> Making<'_, 'a> {
    // ---- Columns ----

    fn column(&mut self, column: Column, field: &'a Field) -> Value<'a> {
        let zero = match column {
            Column::CostUsd => Value::Decimal(number::decimal_of(0)),
            _ => Value::Int(0),
        };
        let is_text =
            matches!(column, Column::Id | Column::Actor | Column::Action | Column::Target);
        self.field(field, is_text, zero).unwrap_or(Value::Missing)
    }

    /// `event.extra` as a JSON object; empty if there is none.
    fn extra(&mut self, extra: &'a [(String, Field)]) -> String {
        let mut members = Vec::new();
        for (name, field) in extra {
            if let Some(value) = self.field(field, true, Value::Missing) {
                members.push(format!("{}:{}", quoted(name), json_of(value, &field.check)));
            }
        }
        if members.is_empty() { String::new() } else { format!("{{{}}}", members.join(",")) }
    }

    // ---- Fields ----

    /// The value of a line of the mapping, handlers and policies applied; nothing if it is left out or failed.
    fn field(&mut self, field: &'a Field, is_column: bool, zero: Value<'a>) -> Option<Value<'a>> {
        let mut outcome = self.fitted(field, &field.value, is_column);
        let handler = match outcome {
            Fitted::Value(value) => return Some(value),
            Fitted::Missing => &field.on_missing,
            Fitted::Invalid(..) => &field.on_invalid,
        };
        match handler {
            None => {}
            Some(Handler::Skip) => return self.skip(&outcome),
            Some(Handler::Reject) => return self.fail(field, &outcome),
            Some(Handler::Value(value)) => {
                outcome = self.fitted(field, value, is_column);
                if let Fitted::Value(value) = outcome {
                    return Some(value);
                }
            }
        }
        let policy = if matches!(outcome, Fitted::Missing) { field.missing } else { field.invalid };
        match policy {
            Policy::Skip => self.skip(&outcome),
            Policy::Reject => self.fail(field, &outcome),
            Policy::Zero => {
                self.skip(&outcome);
                Some(zero)
            }
        }
    }

    fn skip(&mut self, outcome: &Fitted<'a>) -> Option<Value<'a>> {
        self.evaluator.skipped_values += u64::from(matches!(outcome, Fitted::Invalid(..)));
        None
    }

    fn fail(&mut self, field: &Field, outcome: &Fitted<'a>) -> Option<Value<'a>> {
        let line = self.evaluator.line(field.span);
        let refusal = match outcome {
            Fitted::Value(_) | Fitted::Missing => Refusal {
                message: format!("{} is missing", field.target),
                ..Refusal::at(Code::Missing, line)
            },
            Fitted::Invalid(code, fault) => Refusal {
                message: eval::message(fault, field.redacted),
                text: fault.text.filter(|_| !field.redacted).unwrap_or_default().to_owned(),
                ..Refusal::at(*code, line)
            },
        };
        let refusal = Refusal { target: field.target.clone(), ..refusal };
        self.failures.push(Failure { position: field.span.start, refusal });
        None
    }

    fn fitted(
        &mut self,
        field: &'a Field,
        expr: &'a weir_dsl::hir::Expr,
        is_column: bool,
    ) -> Fitted<'a> {
        match self.evaluator.eval(expr) {
            Value::Missing => Fitted::Missing,
            Value::Text("") if is_column => Fitted::Missing,
            Value::Invalid(fault) => Fitted::Invalid(Code::Invalid, fault),
            value => match fits(&field.check, value) {
                Ok(()) => Fitted::Value(value),
                Err((code, wanted)) => {
                    let text = number::text_of(first_misfit(&field.check, value));
                    let Value::Invalid(fault) = self.evaluator.invalid(wanted, &text) else {
                        return Fitted::Missing;
                    };
                    Fitted::Invalid(code, fault)
                }
            },
        }
    }

    // ---- Objects ----

    /// An object; nothing if its guard does not hold, or it is empty or incomplete.
    fn object(&mut self, object: &'a Object) -> Option<Written> {
        if let Some(guard) = &object.guard
            && self.evaluator.eval(guard) != Value::Bool(true)
        {
            return None;
        }
        let (written, lacking) = self.members(object);
        (lacking.is_none() && !written.members.is_empty()).then_some(written)
    }

    /// The members of an object that are there, and what it lacks to be complete.
    fn members(&mut self, object: &'a Object) -> (Written, Option<String>) {
        let mut written = Written { text: String::new(), members: Vec::new() };
        for member in object.members.iter().filter(|member| !member.filler) {
            self.member(object, member, &mut written);
        }
        if !written.members.is_empty() {
            for member in object.members.iter().filter(|member| member.filler) {
                self.member(object, member, &mut written);
            }
        }
        let texts = written
            .members
            .iter()
            .map(|(name, member)| format!("{}:{}", quoted(name), member.text));
        written.text = format!("{{{}}}", texts.collect::<Vec<_>>().join(","));
        let absent = object.members.iter().find(|m| m.required && !written.has(&m.name));
        let unmet =
            object.at_least_one.iter().find(|ways| !ways.iter().any(|way| written.has(way)));
        let lacking = absent.map(|m| m.name.clone()).or_else(|| unmet.map(|ways| ways.join(", ")));
        (written, lacking)
    }

    /// Evaluates a member; writes it unless an earlier one of its `just_one` group is there.
    fn member(&mut self, object: &'a Object, member: &'a Member, written: &mut Written) {
        let mut found = self.node(&member.node);
        let groups = object.just_one.iter().filter(|group| group.contains(&member.name));
        let taken = groups.flatten().any(|name| name != &member.name && written.has(name));
        if !taken && let Some((node, echoes)) = found.take() {
            written.members.push((member.name.clone(), node));
            written.members.extend(echoes);
        }
    }

    /// What a member holds, and the members that follow from it.
    fn node(&mut self, node: &'a OutputNode) -> Option<(Written, Vec<(String, Written)>)> {
        let alone = |written| (written, Vec::new());
        match node {
            OutputNode::Constant(text) => Some(alone(Written::scalar(text.clone()))),
            OutputNode::Value(field) => {
                let value = self.field(field, false, Value::Int(0))?;
                Some(alone(Written::scalar(json_of(value, &field.check))))
            }
            OutputNode::Enum(field, echoes) => {
                let value = self.field(field, false, Value::Int(0))?;
                let number = json_of(value, &field.check);
                let echoes = echoes.iter().filter_map(|echo| self.echo(echo, value)).collect();
                Some((Written::scalar(number), echoes))
            }
            OutputNode::Object(object) => self.object(object).map(alone),
            OutputNode::List(elements) => self.list(elements).map(alone),
        }
    }

    fn echo(&mut self, echo: &'a Echo, value: Value<'a>) -> Option<(String, Written)> {
        let (numbers, is_list) = match value {
            Value::List(numbers) => (numbers.to_vec(), true),
            number => (vec![number], false),
        };
        // Only where there is an *Other* the source's words are looked at.
        let words = match &echo.other {
            Some(other) if numbers.contains(&Value::Int(99)) => self.evaluator.eval(other),
            _ => Value::Missing,
        };
        let word = |index: usize| match words {
            Value::List(words) if words.len() == numbers.len() => words[index],
            Value::List(_) => Value::Missing,
            word => word,
        };
        let captions: Option<Vec<String>> = numbers
            .iter()
            .enumerate()
            .map(|(index, number)| {
                let other = if *number == Value::Int(99) { word(index) } else { Value::Missing };
                let listed = echo.texts.iter().find(|(of, _)| Value::Int(*of) == *number);
                own_word(echo, other).or_else(|| listed.map(|(_, text)| text.clone()))
            })
            .collect();
        let captions = captions?.join(",");
        let text = if is_list { format!("[{captions}]") } else { captions };
        Some((echo.name.clone(), Written::scalar(text)))
    }

    fn list(&mut self, elements: &'a [Element]) -> Option<Written> {
        let mut texts = Vec::new();
        for element in elements {
            match element {
                Element::One(object) => texts.extend(self.object(object).map(|o| o.text)),
                Element::Each { array, id, max, object } => {
                    self.list_of_each(array, *id, *max, object, &mut texts);
                }
            }
        }
        (!texts.is_empty()).then(|| Written::scalar(format!("[{}]", texts.join(","))))
    }

    fn list_of_each(
        &mut self,
        array: &'a Path,
        id: LoopId,
        max: u32,
        object: &'a Object,
        texts: &mut Vec<String>,
    ) {
        let node: Node<'a> = self.evaluator.resolve(array);
        if self.evaluator.is_missing(node) {
            return;
        }
        let Some(elements) = eval::elements(node) else {
            self.evaluator.skipped_values += 1;
            return;
        };
        for (index, element) in elements.into_iter().enumerate().take(max as usize) {
            self.evaluator.enter(id, element, index);
            texts.extend(self.object(object).map(|object| object.text));
            self.evaluator.leave();
        }
    }
}

/// Whether a value fits its target; else the code and what is wanted.
fn fits(check: &Check, value: Value<'_>) -> Result<(), (Code, &'static str)> {
    let no = |wanted| Err((Code::Invalid, wanted));
    match (check, value) {
        (Check::EventTime, Value::Timestamp(ns)) => {
            if EVENT_TIME_NS.contains(&ns) {
                Ok(())
            } else {
                Err((Code::TimeRange, "a time between 2000 and 2100"))
            }
        }
        (Check::Int(low, high), Value::Int(int)) => {
            if (*low..=*high).contains(&int) {
                Ok(())
            } else {
                no("a whole number in range")
            }
        }
        (Check::DurationMillis(low, high), Value::Duration(ns)) => {
            if (*low..=*high).contains(&ns.div_euclid(1_000_000)) {
                Ok(())
            } else {
                no("a duration in range")
            }
        }
        (Check::Enum(numbers), Value::Int(int)) => {
            if numbers.contains(&int) {
                Ok(())
            } else {
                no("a number of the enum")
            }
        }
        (Check::LimitedText(limits), Value::Text(text)) => {
            if is_within(limits, text) {
                Ok(())
            } else {
                no(limits.noun)
            }
        }
        (Check::List(each), Value::List(list)) => {
            list.iter().try_for_each(|value| fits(each, *value))
        }
        _ => Ok(()),
    }
}

/// Of a list the first value that does not fit, else the value itself.
fn first_misfit<'a>(check: &Check, value: Value<'a>) -> Value<'a> {
    match (check, value) {
        (Check::List(each), Value::List(list)) => {
            list.iter().copied().find(|one| fits(each, *one).is_err()).unwrap_or(Value::Missing)
        }
        _ => value,
    }
}

/// The source's own word as JSON, if it is a text that says something and fits.
fn own_word(echo: &Echo, word: Value<'_>) -> Option<String> {
    let Value::Text(text) = word else { return None };
    let is_blank = text.trim_matches(|c: char| c.is_whitespace() || c.is_control()).is_empty();
    (!is_blank && fits(&echo.check, word).is_ok()).then(|| quoted(text))
}

fn is_within(limits: &TextLimits, text: &str) -> bool {
    limits.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
        && limits.chars_max.is_none_or(|max| text.chars().count() <= max as usize)
        && (limits.values.is_empty() || limits.values.iter().any(|value| value == text))
}

/// How a value is written for its target.
fn json_of(value: Value<'_>, check: &Check) -> String {
    match (value, check) {
        (Value::Timestamp(ns), Check::EventTime | Check::EpochMillis) => {
            ns.div_euclid(1_000_000).to_string()
        }
        (Value::Int(int), Check::Float) => weir_engine::read::float_text(int as f64),
        (Value::Decimal(decimal), Check::Float) => number::decimal_text(decimal)
            .parse()
            .map(weir_engine::read::float_text)
            .unwrap_or_default(),
        (Value::List(list), Check::List(check)) => {
            let texts = list.iter().map(|value| json_of(*value, check)).collect::<Vec<_>>();
            format!("[{}]", texts.join(","))
        }
        (Value::List(list), _) => {
            let texts = list.iter().map(|value| json_of(*value, check)).collect::<Vec<_>>();
            format!("[{}]", texts.join(","))
        }
        (Value::Text(_) | Value::Ip(_) | Value::Cidr(_) | Value::Timestamp(_), _) => {
            quoted(&number::text_of(value))
        }
        _ => number::text_of(value),
    }
}

/// A JSON string.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", control as u32)),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
