//! `weir diff`: which events change between two versions of a program.
//!
//! Both programs read the same bytes side by side. What they make of a record is compared as soon as both are past it,
//! so memory is bounded by a chunk and what it gives, however large the sample is. Events of one record belong
//! together by their id, and those that are left by their order.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use weir_engine::batch::{Batch, Event, RawRef};
use weir_engine::framer::Framer;
use weir_engine::plan::{Column, ObjectMeta, Plan};
use weir_engine::worker::Worker;

use super::infer::columns;
use super::init::Object;
use super::json::{self, Json};

/// Bytes that both programs are given at a time.
const CHUNK_BYTES: usize = 64 << 10;
/// Attributes that are counted apart.
const ATTRIBUTES_MAX: usize = 1_000;

/// What an attribute was and what it is.
pub type AttributeChange = (String, Option<String>, Option<String>);

/// What became of an event, or of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Only the new program makes it.
    Added,
    /// Only the old program makes it.
    Gone,
    /// Both make it: these attributes differ.
    Changed(Vec<AttributeChange>),
    /// No events from either, but another outcome: dropped, or rejected for another reason.
    Outcome,
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where the record is: the object, and its offset and line in there.
    pub object: String,
    /// Bytes before it.
    pub offset: u64,
    /// Its line, 1-based.
    pub line: u64,
    /// `api_activity "id"`; empty of an outcome.
    pub event: String,
    /// What became of the record before: `events`, `dropped`, `rejected: ...`, or `no record`.
    pub before: String,
    /// The same now.
    pub after: String,
    /// What differs.
    pub kind: Kind,
}

/// How much differs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    /// Records that either program read.
    pub records: u64,
    /// Events that are the same.
    pub same: u64,
    /// Events that differ.
    pub changed: u64,
    /// Events that only the new program makes.
    pub added: u64,
    /// Events that only the old program makes.
    pub gone: u64,
    /// Records without events from either whose outcome differs.
    pub outcomes: u64,
    /// Changes by attribute.
    pub attributes: BTreeMap<String, u64>,
}

impl Totals {
    /// Is nothing different?
    pub fn is_same(&self) -> bool {
        self.changed + self.added + self.gone + self.outcomes == 0
    }
}

/// Runs both programs on a sample; `see` is given each difference in the order of the records.
pub fn diff(
    old: &Arc<Plan>,
    new: &Arc<Plan>,
    objects: &[Object],
    see: &mut dyn FnMut(&Change),
) -> Totals {
    let mut totals = Totals::default();
    for object in objects {
        let (mut old, mut new) = (Side::new(old, object), Side::new(new, object));
        let mut start = 0;
        while start < object.bytes.len() {
            let end = (start + CHUNK_BYTES).min(object.bytes.len());
            let chunk = object.bytes.slice(start..end);
            old.framer.push(chunk.clone());
            new.framer.push(chunk);
            old.drain();
            new.drain();
            compare(object, &mut old, &mut new, false, &mut totals, see);
            start = end;
        }
        for side in [&mut old, &mut new] {
            side.framer.finish();
            side.drain();
        }
        compare(object, &mut old, &mut new, true, &mut totals, see);
    }
    totals
}

/// A program on its way through an object.
struct Side {
    plan: Arc<Plan>,
    framer: Framer,
    worker: Worker,
    batch: Batch,
    meta: ObjectMeta,
    /// What was made and not compared.
    made: VecDeque<Made>,
}

/// What a program made of a record.
struct Made {
    offset: u64,
    line: u64,
    outcome: String,
    events: Vec<View>,
}

/// An event as attributes.
struct View {
    id: String,
    class: String,
    attributes: BTreeMap<String, String>,
}

impl Side {
    fn new(plan: &Arc<Plan>, object: &Object) -> Self {
        Self {
            plan: plan.clone(),
            framer: Framer::new(&plan.input),
            worker: Worker::new(plan.clone()),
            batch: Batch::default(),
            meta: ObjectMeta { key: object.name.clone(), ..ObjectMeta::default() },
            made: VecDeque::new(),
        }
    }

    fn drain(&mut self) {
        while let Some(block) = self.framer.next_block() {
            self.batch.clear();
            self.worker.run(&block, &self.meta, &mut self.batch);
            let mut events = self.batch.events.iter().peekable();
            let mut rejects = self.batch.rejects.iter().peekable();
            for (index, record) in (0..).zip(&block.records) {
                let mut made = Made {
                    offset: record.offset,
                    line: record.line,
                    outcome: "events".to_owned(),
                    events: Vec::new(),
                };
                while let Some(event) = events.next_if(|event| event.record == index) {
                    made.events.push(view(event, &self.batch, &self.plan));
                }
                if let Some(reject) = rejects.next_if(|reject| reject.record == index) {
                    let target = if reject.target.is_empty() {
                        String::new()
                    } else {
                        format!(" {}", reject.target)
                    };
                    made.outcome =
                        format!("rejected: {}{target} {}", reject.code.as_str(), reject.message);
                } else if made.events.is_empty() {
                    made.outcome = "dropped".to_owned();
                }
                self.made.push_back(made);
            }
        }
    }
}

fn view(event: &Event, batch: &Batch, plan: &Plan) -> View {
    let text = |range| String::from_utf8_lossy(batch.bytes(range)).into_owned();
    let mut attributes = BTreeMap::new();
    for column in Column::ALL {
        let value = match column {
            Column::Id => text(event.id),
            Column::Time => super::infer::time_text(event.time_ns),
            Column::Actor => text(event.actor),
            Column::Action => text(event.action),
            Column::Target => text(event.target),
            Column::CostUsd => event.cost_usd.to_string(),
            Column::TokensInput => event.tokens_input.to_string(),
            Column::TokensOutput => event.tokens_output.to_string(),
        };
        attributes.insert(format!("event.{}", column.name()), value);
    }
    let raw = match event.raw {
        RawRef::Record => "(the record as it came)".to_owned(),
        RawRef::None => "(nothing)".to_owned(),
        RawRef::Text(range) => text(range),
    };
    attributes.insert("raw".to_owned(), raw);
    flatten("event.extra", &json::read(&text(event.extra)).0, &mut attributes);
    flatten("", &json::read(&text(event.ocsf)).0, &mut attributes);
    let class =
        plan.emits.get(usize::from(event.emit)).map_or(String::new(), |emit| emit.class.clone());
    View { id: text(event.id), class, attributes }
}

/// `{"a": {"b": [1]}}` is `a.b[0] = 1`.
fn flatten(way: &str, value: &Json, attributes: &mut BTreeMap<String, String>) {
    match value {
        Json::Null if way.is_empty() || way == "event.extra" => {}
        Json::Object(members) => {
            for (name, value) in members {
                let name = super::write::key(name);
                let way = if way.is_empty() { name } else { format!("{way}.{name}") };
                flatten(&way, value, attributes);
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(&format!("{way}[{index}]"), item, attributes);
            }
        }
        scalar => {
            attributes.insert(way.to_owned(), scalar.to_string());
        }
    }
}

/// Compares the records that both programs are past; at the end of the object also those that only one has.
fn compare(
    object: &Object,
    old: &mut Side,
    new: &mut Side,
    ended: bool,
    totals: &mut Totals,
    see: &mut dyn FnMut(&Change),
) {
    loop {
        let next = match (old.made.front(), new.made.front()) {
            (Some(left), Some(right)) => left.offset.min(right.offset),
            (Some(one), None) | (None, Some(one)) if ended => one.offset,
            _ => return,
        };
        let at = |side: &mut Side| {
            let is_next = side.made.front().is_some_and(|made| made.offset == next);
            if is_next { side.made.pop_front() } else { None }
        };
        let (left, right) = (at(old), at(new));
        totals.records += 1;
        record(object, left, right, totals, see);
    }
}

fn record(
    object: &Object,
    left: Option<Made>,
    right: Option<Made>,
    totals: &mut Totals,
    see: &mut dyn FnMut(&Change),
) {
    let (offset, line) =
        left.as_ref().or(right.as_ref()).map_or((0, 0), |made| (made.offset, made.line));
    let outcome = |made: &Option<Made>| {
        made.as_ref().map_or("no record".to_owned(), |made| made.outcome.clone())
    };
    let (before, after) = (outcome(&left), outcome(&right));
    let mut report = |event: String, kind: Kind| {
        let (before, after) = (before.clone(), after.clone());
        see(&Change { object: object.name.clone(), offset, line, event, before, after, kind });
    };
    let mut olds: Vec<View> = left.map_or(Vec::new(), |made| made.events);
    let mut news: Vec<View> = right.map_or(Vec::new(), |made| made.events);
    if olds.is_empty() && news.is_empty() {
        if before != after {
            totals.outcomes += 1;
            report(String::new(), Kind::Outcome);
        }
        return;
    }
    for (old, new) in pairs(&mut olds, &mut news) {
        let changes = changes(&old, &new);
        if changes.is_empty() {
            totals.same += 1;
            continue;
        }
        totals.changed += 1;
        for (attribute, ..) in &changes {
            if totals.attributes.len() < ATTRIBUTES_MAX || totals.attributes.contains_key(attribute)
            {
                *totals.attributes.entry(attribute.clone()).or_default() += 1;
            }
        }
        report(name(&old), Kind::Changed(changes));
    }
    totals.gone += olds.len() as u64;
    totals.added += news.len() as u64;
    olds.iter().for_each(|event| report(name(event), Kind::Gone));
    news.iter().for_each(|event| report(name(event), Kind::Added));
}

fn name(event: &View) -> String {
    format!("{} {}", event.class, Json::Text(event.id.clone()))
}

/// Takes out the events that belong together.
fn pairs(olds: &mut Vec<View>, news: &mut Vec<View>) -> Vec<(View, View)> {
    let mut pairs = Vec::new();
    let mut left = Vec::new();
    // Ids within a record differ.
    let mut by_id: BTreeMap<String, View> =
        news.drain(..).map(|event| (event.id.clone(), event)).collect();
    for old in olds.drain(..) {
        match by_id.remove(&old.id) {
            Some(new) => pairs.push((old, new)),
            None => left.push(old),
        }
    }
    let mut rest: VecDeque<View> = by_id.into_values().collect();
    for old in left {
        match rest.pop_front() {
            Some(new) => pairs.push((old, new)),
            None => olds.push(old),
        }
    }
    news.extend(rest);
    pairs
}

fn changes(old: &View, new: &View) -> Vec<AttributeChange> {
    let mut changes = Vec::new();
    for (name, value) in &old.attributes {
        let now = new.attributes.get(name);
        if now != Some(value) {
            changes.push((name.clone(), Some(value.clone()), now.cloned()));
        }
    }
    for (name, value) in &new.attributes {
        if !old.attributes.contains_key(name) {
            changes.push((name.clone(), None, Some(value.clone())));
        }
    }
    changes
}

impl Change {
    /// A few lines for people.
    pub fn text(&self) -> String {
        let Self { object, line, event, before, after, .. } = self;
        let place = format!("{object}:{line}");
        let mut out = match &self.kind {
            Kind::Added => format!("+ {event}    {place}, was {}\n", one_line(before)),
            Kind::Gone => format!("- {event}    {place}, is {}\n", one_line(after)),
            Kind::Outcome => format!(
                "~ record at {place}\n    was {}\n    is  {}\n",
                one_line(before),
                one_line(after)
            ),
            Kind::Changed(_) => format!("~ {event}    {place}\n"),
        };
        if let Kind::Changed(changes) = &self.kind {
            let value = |value: &Option<String>| {
                value.as_ref().map_or("(not there)".to_owned(), |value| one_line(value))
            };
            for (name, old, new) in changes {
                let _ = writeln!(out, "    {name}: {} -> {}", value(old), value(new));
            }
        }
        out
    }

    /// One line of JSON.
    pub fn json(&self) -> String {
        let text = |text: &str| Json::Text(text.to_owned());
        let option =
            |value: &Option<String>| value.as_ref().map_or(Json::Null, |value| text(value));
        let kind = match &self.kind {
            Kind::Added => "added",
            Kind::Gone => "gone",
            Kind::Changed(_) => "changed",
            Kind::Outcome => "outcome",
        };
        let mut members = vec![
            ("change", text(kind)),
            ("object", text(&self.object)),
            ("offset", Json::Number(self.offset.to_string())),
            ("line", Json::Number(self.line.to_string())),
            ("event", text(&self.event)),
            ("before", text(&self.before)),
            ("after", text(&self.after)),
        ];
        if let Kind::Changed(changes) = &self.kind {
            let changes = changes.iter().map(|(name, old, new)| {
                Json::Object(vec![
                    ("attribute".to_owned(), text(name)),
                    ("before".to_owned(), option(old)),
                    ("after".to_owned(), option(new)),
                ])
            });
            members.push(("attributes", Json::Array(changes.collect())));
        }
        let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
        format!("{}\n", Json::Object(members.collect()))
    }
}

impl Totals {
    /// A summary for people.
    pub fn text(&self) -> String {
        let Self { records, same, changed, added, gone, outcomes, attributes } = self;
        let mut out = String::new();
        let mut rows: Vec<(&String, &u64)> = attributes.iter().collect();
        rows.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let rows: Vec<Vec<String>> = rows
            .into_iter()
            .take(30)
            .map(|(name, count)| vec![format!("  {name}"), count.to_string()])
            .collect();
        if !rows.is_empty() {
            let _ = write!(out, "Changed attributes\n{}", columns(&rows));
        }
        let _ = writeln!(
            out,
            "{records} records: {same} events are the same, {changed} changed, {added} added, {gone} gone; {outcomes} records without events end in another way"
        );
        out
    }
}

fn one_line(text: &str) -> String {
    let shown: String =
        text.chars().map(|c| if json::is_plain(c) { c } else { ' ' }).take(120).collect();
    if shown.len() < text.len() { format!("{shown}...") } else { shown }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{Source, compile};

    fn plan(edit: impl Fn(String) -> String) -> Arc<Plan> {
        let text = r#"weir 1
parser "p" version 1
ocsf "1.8.0"
product "P"
input ndjson { }
on error { required reject  optional skip }
drop when .kind == "noise"
event { id = .id  time = .at |> unix_seconds  actor = .who  action = .kind  target = .to on missing "none" }
emit api_activity { activity_id = "Other"  unmapped.n = .n }
"#;
        let compiled = compile(&Source::new("p", edit(text.to_owned())));
        compiled.plan.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics))
    }

    fn sample(records: usize) -> Vec<Object> {
        let lines: String = (0..records)
            .map(|n| {
                let kind = if n % 10 == 0 { "noise" } else { "read" };
                let who = if n % 7 == 0 { "null" } else { "\"ann\"" };
                format!("{{\"id\":\"{n}\",\"at\":1722461446,\"who\":{who},\"kind\":\"{kind}\",\"n\":{n}}}\n")
            })
            .collect();
        vec![Object { name: "s".into(), bytes: Bytes::from(lines) }]
    }

    fn run(old: &Arc<Plan>, new: &Arc<Plan>, objects: &[Object]) -> (Totals, Vec<Change>) {
        let mut changes = Vec::new();
        let totals = diff(old, new, objects, &mut |change| changes.push(change.clone()));
        (totals, changes)
    }

    #[test]
    fn the_same_program_gives_the_same_events() {
        let (totals, changes) = run(&plan(|text| text), &plan(|text| text), &sample(5_000));
        assert!(totals.is_same() && changes.is_empty());
        assert_eq!(totals.records, 5_000);
        assert_eq!(totals.same, (0..5_000).filter(|n| n % 10 != 0 && n % 7 != 0).count() as u64);
    }

    #[test]
    fn changed_added_gone_and_other_outcomes() {
        let old = plan(|text| text);
        let new = plan(|text| {
            text.replace("actor = .who", "actor = .who on missing \"nobody\"")
                .replace(
                    "drop when .kind == \"noise\"",
                    "drop when .n == 1 or (.n == 0 and .kind == \"noise\")",
                )
                .replace("unmapped.n = .n", "unmapped.n = .n * 2  unmapped.m = .n")
        });
        let (totals, changes) = run(&old, &new, &sample(11));
        assert_eq!((totals.changed, totals.added, totals.gone), (7, 2, 1));
        assert_eq!(totals.attributes.get("unmapped.m"), Some(&7));
        let texts: String = changes.iter().map(Change::text).collect();
        for part in [
            "~ api_activity \"2\"    s:3\n    unmapped.n: 2 -> 4\n    unmapped.m: (not there) -> 2\n",
            "+ api_activity \"7\"    s:8, was rejected: R1201 event.actor event.actor is missing\n",
            "+ api_activity \"10\"    s:11, was dropped\n",
            "- api_activity \"1\"    s:2, is dropped\n",
        ] {
            assert!(texts.contains(part), "{part}\n{texts}");
        }
        assert!(changes.iter().all(|change| json::read(&change.json()).2));
        let other = plan(|text| {
            text.replace(
                "drop when .kind == \"noise\"",
                "when .kind == \"noise\" { reject \"no\" }",
            )
        });
        let (totals, _) = run(&old, &other, &sample(11));
        assert_eq!((totals.outcomes, totals.is_same()), (2, false));
    }

    #[test]
    fn programs_that_frame_in_two_ways() {
        let documents =
            plan(|text| text.replace("input ndjson { }", "input json { records $.data[*] }"));
        let objects = [Object {
            name: "s".into(),
            bytes: Bytes::from_static(
                b"{\"data\":[{\"id\":\"1\",\"at\":1722461446,\"who\":\"a\",\"kind\":\"x\"}]}\n",
            ),
        }];
        let (totals, _) = run(&plan(|text| text), &documents, &objects);
        assert_eq!((totals.added, totals.gone), (1, 0));
    }
}
