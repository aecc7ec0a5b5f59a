//! `weir coverage`: what a program makes of a sample, line by line.
//!
//! Two sources are put together: the counters that the engine keeps for each line, and the paths of the sample beside
//! those that the program reads. Texts of the sample are shown only where the program does not hide them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use weir_engine::batch::Batch;
use weir_engine::plan::{
    Column, Element, Emit, Expr, ExprId, Field, Handler, Object, ObjectMeta, OutputNode, Plan, Raw,
    Stmt,
};
use weir_engine::tally::{
    BranchCounts, LineCounts, Site, Tally, Texts, column_line, extra_line, member_line,
};
use weir_engine::worker::Worker;

use super::infer::{PathFacts, Paths, Step, columns, path_text};
use super::init::{self, number_format};
use super::json::Json;
use super::reads::Reads;
use super::sample;
use crate::hir::Program;
use crate::source::Source;

/// Texts that are shown of one place.
const TEXTS_SHOWN: usize = 10;
/// Reasons of rejects that are told apart.
const REASONS_MAX: usize = 200;

/// A line of the mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it stands.
    pub line: u32,
    /// Its target, as dead letters call it.
    pub target: String,
    /// Not written in the program: it follows from another line.
    pub derived: bool,
    /// The outcomes, of all emits that it is in.
    pub counts: LineCounts,
    /// Texts that could not be read, most frequent first; none if the line reads a redacted path.
    pub invalid: Vec<(String, u64)>,
    /// No text of it is shown.
    pub redacted: bool,
}

/// A condition, a loop, or an `else`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Where it stands; of an `else`, the last condition above it.
    pub line: u32,
    /// `when`, `else`, `drop when`, `keep when`, `each`.
    pub kind: &'static str,
    /// How often it was reached.
    pub reached: u64,
    /// How often it was true; of a loop, its elements.
    pub taken: u64,
}

/// Texts that fell into `else`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Otherwise {
    /// ``table `price` ``, or the line of a `match` with its target.
    pub place: String,
    /// Where it is; 0 of a table.
    pub line: u32,
    /// How many texts.
    pub total: u64,
    /// The most frequent; empty if they may not be shown.
    pub texts: Vec<(String, u64)>,
}

/// A path of the sample that nothing reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// As a program writes it.
    pub path: String,
    /// Records that have it.
    pub present: u64,
    /// `text`, `object`, ...
    pub types: String,
    /// A value of it.
    pub example: String,
}

/// What a program makes of a sample.
#[derive(Debug, Default)]
pub struct Coverage {
    /// Records, and what became of them.
    pub records: u64,
    /// Records with events.
    pub mapped: u64,
    /// Events.
    pub events: u64,
    /// Records without events that were not refused.
    pub dropped: u64,
    /// Refused records by code, line, target and reason.
    pub rejects: Vec<(String, u64)>,
    /// By their place.
    pub lines: Vec<Line>,
    /// Events of each emit: line, class, how many.
    pub emits: Vec<(u32, String, u64)>,
    /// In the order of the program.
    pub branches: Vec<Branch>,
    /// What fell into `else`.
    pub otherwise: Vec<Otherwise>,
    /// Paths that are read and never there: path, and the line that reads it first.
    pub never: Vec<(String, u32)>,
    /// Paths that are there and never read.
    pub unread: Vec<Unread>,
    /// Wrapper members that are read and stand behind the records (W0108), or are not there.
    pub wrapper: Vec<(String, bool)>,
}

/// Runs a program on a sample, as it is compiled from `source`.
pub fn coverage(
    source: &Source,
    program: &Program,
    plan: &Arc<Plan>,
    objects: &[init::Object],
) -> Coverage {
    let mut run = Run::new(plan);
    let mut wrapper = Vec::new();
    for object in objects {
        if wrapper.is_empty() {
            wrapper = sample::wrapper(&object.bytes, &plan.input);
        }
        run.object(object);
    }
    let Run { worker, paths, mut found, reasons, .. } = run;
    found.rejects = by_count(reasons);
    let reads = Reads::of(program);
    let places = places(plan, source);
    found.lines = lines(&places, worker.tally());
    found.emits = emits(plan, &found);
    branches(&plan.body, worker.tally(), &mut found.branches);
    found.otherwise = otherwise(plan, &places, worker.tally());
    found.never = never(&reads, &paths, source);
    found.unread = unread(&reads, &paths);
    found.wrapper = wrapper_members(&reads, &wrapper);
    found
}

/// The sample on its way through the engine, and past the collector of paths.
struct Run<'p> {
    plan: &'p Arc<Plan>,
    worker: Worker,
    batch: Batch,
    paths: Paths,
    found: Coverage,
    reasons: BTreeMap<String, u64>,
}

impl<'p> Run<'p> {
    fn new(plan: &'p Arc<Plan>) -> Self {
        let mut worker = Worker::new(plan.clone());
        worker.observe();
        Self {
            plan,
            worker,
            batch: Batch::default(),
            paths: Paths::new(number_format(&plan.input)),
            found: Coverage::default(),
            reasons: BTreeMap::new(),
        }
    }

    fn object(&mut self, object: &init::Object) {
        let meta = ObjectMeta { key: object.name.clone(), ..ObjectMeta::default() };
        let Self { plan, worker, batch, paths, found, reasons } = self;
        sample::for_each_block(&object.bytes, &plan.input, |block| {
            batch.clear();
            worker.run(block, &meta, batch);
            found.records += block.records.len() as u64;
            found.mapped += batch.mapped;
            found.dropped += batch.dropped;
            found.events += batch.events.len() as u64;
            for reject in &batch.rejects {
                let at = if reject.line > 0 {
                    format!(" (line {})", reject.line)
                } else {
                    String::new()
                };
                let target = if reject.target.is_empty() {
                    String::new()
                } else {
                    format!(" {}", reject.target)
                };
                let reason =
                    format!("{}{target}{at}: {}", reject.code.as_str(), one_line(&reject.message));
                if reasons.len() < REASONS_MAX || reasons.contains_key(&reason) {
                    *reasons.entry(reason).or_default() += 1;
                } else {
                    *reasons.entry("other reasons".to_owned()).or_default() += 1;
                }
            }
            for record in block.records.iter().filter(|record| record.fault.is_none()) {
                let bytes = record.bytes(block);
                if let Some(value) = sample::value(bytes, block.header.as_deref(), &plan.input) {
                    paths.add(&value);
                }
            }
        });
    }
}

fn by_count(counts: BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut list: Vec<_> = counts.into_iter().collect();
    list.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    list
}

/// A numbered line of an emit, or what is counted of a list or an object.
struct Place<'p> {
    emit: u16,
    number: usize,
    line: u32,
    target: String,
    derived: bool,
    field: Option<&'p Field>,
}

/// All numbered lines of a plan.
fn places<'p>(plan: &'p Plan, source: &Source) -> Vec<Place<'p>> {
    let mut places = Vec::new();
    for (index, emit) in (0..).zip(&plan.emits) {
        let mut add = |number: usize, field: &'p Field| {
            let derived = is_derived(field, source);
            places.push(Place {
                emit: index,
                number,
                line: field.line,
                target: field.target.clone(),
                derived,
                field: Some(field),
            });
        };
        for (column, field) in Column::ALL.into_iter().zip(&emit.columns) {
            add(column_line(column), field);
        }
        for (number, (_, field)) in emit.extra.iter().enumerate() {
            add(extra_line(number), field);
        }
        members(&emit.root, emit, index, "", source, &mut places);
    }
    places
}

/// A line that is not written down starts where something else does.
fn is_derived(field: &Field, source: &Source) -> bool {
    let last = field.target.rsplit('.').next().unwrap_or("");
    let written = source.text.get(field.position as usize..).unwrap_or("");
    let written =
        written.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '_' && c != '"');
    let name = last.split('[').next().unwrap_or("").trim_matches('"');
    let end = written.find(['=', '{', '\n']).unwrap_or(written.len());
    name.is_empty() || !written[..end].contains(name)
}

fn members<'p>(
    object: &'p Object,
    emit: &Emit,
    index: u16,
    way: &str,
    source: &Source,
    places: &mut Vec<Place<'p>>,
) {
    for member in &object.members {
        let number = member_line(emit, member.present);
        let name = member.key.trim_matches(|c| matches!(c, '"' | ':'));
        let target = if way.is_empty() { name.to_owned() } else { format!("{way}.{name}") };
        let mut whole = |derived| {
            places.push(Place {
                emit: index,
                number,
                line: emit.line,
                target: target.clone(),
                derived,
                field: None,
            });
        };
        match &member.node {
            OutputNode::Constant(_) => {}
            OutputNode::Value(field) | OutputNode::Enum(field, _) => {
                let (derived, target) = (is_derived(field, source), field.target.clone());
                places.push(Place {
                    emit: index,
                    number,
                    line: field.line,
                    target,
                    derived,
                    field: Some(field),
                });
            }
            OutputNode::Object(object) => {
                whole(true);
                members(object, emit, index, &target, source, places);
            }
            OutputNode::List(elements) => {
                whole(true);
                for element in elements {
                    let (Element::One(object) | Element::Each { object, .. }) = element;
                    members(object, emit, index, &target, source, places);
                }
            }
        }
    }
}

/// The counters by line and target: one line of an `event { }` is in all emits of its block.
fn lines(places: &[Place<'_>], tally: &Tally) -> Vec<Line> {
    let mut lines: BTreeMap<(u32, u32, String), (Line, Texts)> = BTreeMap::new();
    for place in places {
        let Some(counts) =
            tally.emits.get(usize::from(place.emit)).and_then(|lines| lines.get(place.number))
        else {
            continue;
        };
        // Of objects and lists only what was left out is of interest.
        if place.field.is_none() && *counts == LineCounts::default() {
            continue;
        }
        let redacted = place.field.is_some_and(|field| field.redacted);
        let position = place.field.map_or(0, |field| field.position);
        let key = (place.line, position, place.target.clone());
        let (line, texts) = lines.entry(key).or_insert_with(|| {
            let line = Line {
                line: place.line,
                target: place.target.clone(),
                derived: place.derived,
                counts: LineCounts::default(),
                invalid: Vec::new(),
                redacted,
            };
            (line, Texts::default())
        });
        line.counts.add(counts);
        let observed = tally.observed.as_ref();
        if let Some(seen) =
            observed.and_then(|observed| observed.invalid.get(&(place.emit, place.number)))
        {
            texts.add(seen);
        }
    }
    lines.into_values().map(|(line, texts)| Line { invalid: shown_texts(&texts), ..line }).collect()
}

fn shown_texts(texts: &Texts) -> Vec<(String, u64)> {
    let texts = texts.by_count().into_iter().filter(|(text, _)| !text.is_empty());
    texts.take(TEXTS_SHOWN).map(|(text, count)| (text.to_owned(), count)).collect()
}

fn emits(plan: &Plan, found: &Coverage) -> Vec<(u32, String, u64)> {
    let made = |emit: &Emit| {
        // `class_uid` and such are always there; a column is evaluated once for each event.
        let id = found.lines.iter().find(|line| {
            line.target == emit.columns[0].target && line.line == emit.columns[0].line
        });
        id.map_or(0, |line| line.counts.evaluated())
    };
    plan.emits.iter().map(|emit| (emit.line, emit.class.clone(), made(emit))).collect()
}

fn branches(body: &[Stmt], tally: &Tally, found: &mut Vec<Branch>) {
    let at = |line: u32| tally.branches.get(line as usize).copied().unwrap_or_default();
    for statement in body {
        match statement {
            Stmt::Filter { keep, line, .. } => {
                let BranchCounts { reached, taken, .. } = at(*line);
                let kind = if *keep { "keep when" } else { "drop when" };
                found.push(Branch { line: *line, kind, reached, taken });
            }
            Stmt::When { arms, otherwise } => {
                for (_, body, line) in arms {
                    let BranchCounts { reached, taken, .. } = at(*line);
                    found.push(Branch { line: *line, kind: "when", reached, taken });
                    branches(body, tally, found);
                }
                if let Some((_, _, line)) = arms.last() {
                    let BranchCounts { reached, taken, invalid } = at(*line);
                    let taken = reached.saturating_sub(taken + invalid);
                    found.push(Branch { line: *line, kind: "else", reached, taken });
                }
                branches(otherwise, tally, found);
            }
            Stmt::Each { body, line, .. } => {
                let BranchCounts { reached, taken, .. } = at(*line);
                found.push(Branch { line: *line, kind: "each", reached, taken });
                branches(body, tally, found);
            }
            Stmt::Emit(_) | Stmt::Drop | Stmt::Reject { .. } => {}
        }
    }
}

/// What fell into `else`, with the first line that the `match` or table is used in.
fn otherwise(plan: &Plan, places: &[Place<'_>], tally: &Tally) -> Vec<Otherwise> {
    let Some(observed) = &tally.observed else { return Vec::new() };
    let mut users: BTreeMap<Site, (u32, String, bool)> = BTreeMap::new();
    for place in places {
        let Some(field) = place.field else { continue };
        let mut sites = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let handlers = [field.on_missing, field.on_invalid].into_iter().flatten();
        let handlers = handlers.filter_map(|handler| {
            if let Handler::Value(value) = handler { Some(value) } else { None }
        });
        std::iter::once(field.value)
            .chain(handlers)
            .for_each(|value| sites_of(plan, value, &mut seen, &mut sites));
        for site in sites {
            let user = users
                .entry(site)
                .or_insert_with(|| (place.line, place.target.clone(), field.redacted));
            user.2 |= field.redacted;
        }
    }
    let mut list: Vec<Otherwise> = observed
        .otherwise
        .iter()
        .map(|(site, texts)| {
            let user = users.get(site);
            // Of what is used in a condition it is not known here whether it reads a redacted path.
            let hidden =
                user.map_or(matches!(plan.raw, Raw::Redact(_)), |(_, _, redacted)| *redacted);
            let (line, target) =
                user.map_or((0, "a condition"), |(line, target, _)| (*line, target.as_str()));
            let place = match site {
                Site::Table(table) => format!(
                    "table `{}`",
                    plan.tables.get(usize::from(*table)).map_or("", |table| table.name.as_str())
                ),
                Site::Match(_) => format!("match of {target}"),
            };
            Otherwise {
                place,
                line,
                total: texts.total(),
                texts: if hidden { Vec::new() } else { shown_texts(texts) },
            }
        })
        .collect();
    list.sort_by(|a, b| (a.line, &a.place).cmp(&(b.line, &b.place)));
    list
}

/// The `match`es and tables in an expression.
fn sites_of(plan: &Plan, expr: ExprId, seen: &mut BTreeSet<ExprId>, sites: &mut BTreeSet<Site>) {
    if !seen.insert(expr) {
        return;
    }
    match &plan.exprs[expr as usize] {
        Expr::Match(_) => {
            sites.insert(Site::Match(expr));
        }
        Expr::Cell(table, ..) => {
            sites.insert(Site::Table(*table));
        }
        _ => {}
    }
    parts(plan, expr).into_iter().for_each(|part| sites_of(plan, part, seen, sites));
}

/// The operands of an expression.
fn parts(plan: &Plan, expr: ExprId) -> Vec<ExprId> {
    match &plan.exprs[expr as usize] {
        Expr::Register(register) => vec![plan.registers[*register as usize].expr],
        Expr::Concat(parts) | Expr::List(parts) | Expr::Call(_, parts, _) => parts.clone(),
        Expr::Not(of)
        | Expr::Negate(of)
        | Expr::In(of, _)
        | Expr::Matches(of, _)
        | Expr::Is(_, _, of)
        | Expr::Cell(_, of, _)
        | Expr::Convert(of, _)
        | Expr::Any(_, _, of)
        | Expr::All(_, _, of)
        | Expr::Fold(_, _, _, of) => vec![*of],
        Expr::Count(_, _, of) => of.iter().copied().collect(),
        Expr::And(left, right)
        | Expr::Or(left, right)
        | Expr::Compare(_, left, right)
        | Expr::Coalesce(left, right)
        | Expr::Arithmetic(_, left, right)
        | Expr::InList(left, right) => vec![*left, *right],
        Expr::If(condition, then, otherwise) => vec![*condition, *then, *otherwise],
        Expr::Match(arms) => {
            [arms.subject, arms.otherwise].into_iter().chain(arms.arms.iter().copied()).collect()
        }
        _ => Vec::new(),
    }
}

/// Paths that are read and never there.
fn never(reads: &Reads, paths: &Paths, source: &Source) -> Vec<(String, u32)> {
    let is_there = |steps: &[Step]| paths.get(steps).is_some_and(|facts| !facts.types().is_empty());
    let absent =
        reads.first.iter().filter(|(steps, _)| !is_there(steps) && !reads.is_choice(steps));
    let mut list: Vec<(String, u32)> =
        absent.map(|(steps, at)| (path_text(steps), source.line(*at))).collect();
    list.sort_by_key(|(_, line)| *line);
    list
}

/// Paths that are there and not read: the topmost of them, if nothing in it is read.
fn unread(reads: &Reads, paths: &Paths) -> Vec<Unread> {
    let mut list: Vec<Unread> = Vec::new();
    let mut whole: BTreeSet<&[Step]> = BTreeSet::new();
    for facts in &paths.list {
        let steps = facts.steps.as_slice();
        let inside = (1..steps.len()).any(|end| whole.contains(&steps[..end]));
        if inside || facts.present == 0 || reads.covers(steps) || reads.enters(steps) {
            continue;
        }
        whole.insert(steps);
        list.push(Unread {
            path: path_text(steps),
            present: facts.present,
            types: facts.types().join(", "),
            example: example(facts),
        });
    }
    list
}

fn example(facts: &PathFacts) -> String {
    facts.values.first().map_or(String::new(), |(value, _)| one_line(value))
}

fn wrapper_members(reads: &Reads, found: &[(Vec<String>, bool)]) -> Vec<(String, bool)> {
    let mut list = Vec::new();
    for way in &reads.wrapper {
        let place = found.iter().find(|(known, _)| known == way);
        if !matches!(place, Some((_, false))) {
            let steps: Vec<Step> = way.iter().map(|name| Step::Key(name.clone())).collect();
            list.push((format!("${}", path_text(&steps)), place.is_some()));
        }
    }
    list
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if super::json::is_plain(c) { c } else { ' ' }).collect()
}

impl Coverage {
    /// Tables for people.
    pub fn table(&self) -> String {
        let mut out = String::new();
        let Self { records, mapped, events, dropped, .. } = self;
        let rejected: u64 = self.rejects.iter().map(|(_, count)| count).sum();
        let _ = writeln!(
            out,
            "{records} records: {mapped} mapped to {events} events, {dropped} dropped, {rejected} rejected"
        );
        section(
            &mut out,
            "Rejected",
            self.rejects.iter().map(|(reason, count)| vec![count.to_string(), reason.clone()]),
        );
        let numbers = |counts: &LineCounts| {
            let LineCounts { ok, missing, invalid, defaulted, skipped, incomplete, beyond_max } =
                counts;
            let shown = |count: &u64| if *count == 0 { "-".to_owned() } else { count.to_string() };
            [ok, missing, invalid, defaulted, skipped, incomplete, beyond_max].map(shown)
        };
        let head = [
            "LINE",
            "TARGET",
            "OK",
            "MISSING",
            "INVALID",
            "DEFAULTED",
            "SKIPPED",
            "INCOMPLETE",
            "BEYOND MAX",
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for line in self.lines.iter().filter(|line| {
            !line.derived
                || line.counts.invalid + line.counts.incomplete + line.counts.beyond_max > 0
        }) {
            rows.push(
                [line.line.to_string(), line.target.clone()]
                    .into_iter()
                    .chain(numbers(&line.counts))
                    .collect(),
            );
        }
        let _ = write!(out, "\n{}", columns(&rows));
        let invalid = self.lines.iter().filter(|line| line.counts.invalid > 0);
        section(
            &mut out,
            "Invalid",
            invalid.map(|line| {
                let texts = if line.redacted {
                    "(not shown: it reads a redacted path)".to_owned()
                } else {
                    texts_text(&line.invalid)
                };
                vec![format!("line {}", line.line), line.target.clone(), texts]
            }),
        );
        let idle = self.branches.iter().filter(|branch| branch.taken == 0);
        section(
            &mut out,
            "Branches never taken",
            idle.map(|branch| {
                vec![
                    format!("line {}", branch.line),
                    branch.kind.to_owned(),
                    format!("reached {} times", branch.reached),
                ]
            }),
        );
        section(
            &mut out,
            "Fell into `else`",
            self.otherwise.iter().map(|found| {
                let texts = if found.texts.is_empty() {
                    "(not shown)".to_owned()
                } else {
                    texts_text(&found.texts)
                };
                let line =
                    if found.line > 0 { format!("line {}", found.line) } else { String::new() };
                vec![line, found.place.clone(), found.total.to_string(), texts]
            }),
        );
        section(
            &mut out,
            "Read, and never present",
            self.never.iter().map(|(path, line)| vec![format!("line {line}"), path.clone()]),
        );
        section(
            &mut out,
            "Present, and never read",
            self.unread.iter().map(|path| {
                vec![
                    path.path.clone(),
                    super::infer::percent(path.present, self.records),
                    path.types.clone(),
                    path.example.clone(),
                ]
            }),
        );
        section(
            &mut out,
            "Wrapper members that are missing in every record",
            self.wrapper.iter().map(|(path, behind)| {
                let why = if *behind {
                    "W0108: it stands behind the records"
                } else {
                    "it is not in the first document"
                };
                vec![path.clone(), why.to_owned()]
            }),
        );
        out
    }

    /// One JSON object.
    pub fn json(&self) -> String {
        let count = |count: u64| Json::Number(count.to_string());
        let text = |text: &str| Json::Text(text.to_owned());
        let object = |members: Vec<(&str, Json)>| {
            Json::Object(
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            )
        };
        let texts = |texts: &[(String, u64)]| {
            Json::Object(texts.iter().map(|(of, times)| (of.clone(), count(*times))).collect())
        };
        let lines = self.lines.iter().map(|line| {
            let LineCounts { ok, missing, invalid, defaulted, skipped, incomplete, beyond_max } =
                line.counts;
            object(vec![
                ("line", count(line.line.into())),
                ("target", text(&line.target)),
                ("derived", Json::Bool(line.derived)),
                ("ok", count(ok)),
                ("missing", count(missing)),
                ("invalid", count(invalid)),
                ("defaulted", count(defaulted)),
                ("skipped", count(skipped)),
                ("incomplete", count(incomplete)),
                ("beyond_max", count(beyond_max)),
                ("invalid_texts", texts(&line.invalid)),
            ])
        });
        let branches = self.branches.iter().map(|branch| {
            object(vec![
                ("line", count(branch.line.into())),
                ("kind", text(branch.kind)),
                ("reached", count(branch.reached)),
                ("taken", count(branch.taken)),
            ])
        });
        let emits = self.emits.iter().map(|(line, class, made)| {
            object(vec![
                ("line", count((*line).into())),
                ("class", text(class)),
                ("events", count(*made)),
            ])
        });
        let otherwise = self.otherwise.iter().map(|found| {
            object(vec![
                ("line", count(found.line.into())),
                ("place", text(&found.place)),
                ("count", count(found.total)),
                ("texts", texts(&found.texts)),
            ])
        });
        let never = self.never.iter().map(|(path, line)| {
            object(vec![("path", text(path)), ("line", count((*line).into()))])
        });
        let unread = self.unread.iter().map(|path| {
            object(vec![
                ("path", text(&path.path)),
                ("present", count(path.present)),
                ("types", text(&path.types)),
                ("example", text(&path.example)),
            ])
        });
        let wrapper = self.wrapper.iter().map(|(path, behind)| {
            object(vec![("path", text(path)), ("behind_records", Json::Bool(*behind))])
        });
        let whole = object(vec![
            ("records", count(self.records)),
            ("mapped", count(self.mapped)),
            ("events", count(self.events)),
            ("dropped", count(self.dropped)),
            ("rejects", texts(&self.rejects)),
            ("lines", Json::Array(lines.collect())),
            ("emits", Json::Array(emits.collect())),
            ("branches", Json::Array(branches.collect())),
            ("otherwise", Json::Array(otherwise.collect())),
            ("never_present", Json::Array(never.collect())),
            ("never_read", Json::Array(unread.collect())),
            ("wrapper", Json::Array(wrapper.collect())),
        ]);
        format!("{whole}\n")
    }
}

fn section(out: &mut String, title: &str, rows: impl Iterator<Item = Vec<String>>) {
    let rows: Vec<Vec<String>> = rows.collect();
    if !rows.is_empty() {
        let _ = write!(out, "\n{title}\n");
        columns(&rows).lines().for_each(|line| {
            let _ = writeln!(out, "  {line}");
        });
    }
}

fn texts_text(texts: &[(String, u64)]) -> String {
    let shown = texts.iter().map(|(text, count)| format!("{} x{count}", Json::Text(text.clone())));
    shown.collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::compile;

    const PROGRAM: &str = r#"weir 1
parser "p" version 1
ocsf "1.8.0"
product "P" by "V"
input json { records $.data[*] }
on error { required reject  optional skip }
drop when .kind == "noise"
raw redact [.secret]
table price (model, usd decimal) {
  "a*" => 1
  else => 0
}
event {
  id = .id
  time = .at |> unix_seconds
  actor = .who on missing "nobody"
  action = .kind
  target = $.org ?? $.has_more on missing "none"
  cost_usd = price[.model].usd
}
when .kind == "never" {
  emit api_activity { activity_id = "Create" }
} else {
  emit api_activity {
    activity_id = match .kind {
      "read" => "Read"
      else   => "Other"
    }
    severity_id = match .secret { "x" => "High" else => "Low" }
    src_endpoint.ip = .ip |> ip
    http_request { user_agent = .agent }
    add resources each .things[*] as thing max 2 { uid = thing.id }
    unmapped.gone = .gone
    unmapped.count = .count |> int
  }
}
"#;

    fn covered(sample: &str) -> Coverage {
        let source = Source::new("p", PROGRAM);
        let compiled = compile(&source);
        let (Some(program), Some(plan)) = (&compiled.program, &compiled.plan) else {
            panic!("{:?}", compiled.diagnostics)
        };
        let object =
            init::Object { name: "s".into(), bytes: Bytes::copy_from_slice(sample.as_bytes()) };
        coverage(&source, program, plan, &[object])
    }

    const SAMPLE: &str = r#"{"data":[
        {"id":"1","at":1722461446,"who":"ann","kind":"read","model":"a1","ip":"192.0.2.1","secret":"s1","things":[{"id":"t1"},{"id":"t2"},{"id":"t3"}],"count":1},
        {"id":"2","at":1722461446,"kind":"write","model":"b1","ip":"nowhere","secret":"s2","extra":{"deep":1},"count":"x"},
        {"id":"3","at":"soon","kind":"read"},
        {"kind":"noise"}
    ],"has_more":true}"#;

    #[track_caller]
    fn line<'c>(coverage: &'c Coverage, target: &str) -> &'c Line {
        coverage
            .lines
            .iter()
            .find(|line| line.target == target)
            .unwrap_or_else(|| panic!("{target}: {:#?}", coverage.lines))
    }

    #[test]
    fn every_line_is_counted() {
        let found = covered(SAMPLE);
        assert_eq!((found.records, found.mapped, found.events, found.dropped), (4, 2, 2, 1));
        assert_eq!(
            found.rejects,
            [(
                "R1204 event.time (line 15): \"soon\" is not a number of seconds since 1970"
                    .to_owned(),
                1
            )]
        );
        let counts = |ok, missing, invalid, defaulted, skipped| LineCounts {
            ok,
            missing,
            invalid,
            defaulted,
            skipped,
            ..LineCounts::default()
        };
        assert_eq!(line(&found, "event.actor").counts, counts(1, 2, 0, 2, 0));
        assert_eq!(line(&found, "event.time").counts, counts(2, 0, 1, 0, 0));
        let ip = line(&found, "src_endpoint.ip");
        assert_eq!(
            (ip.counts, ip.line, &ip.invalid),
            (counts(1, 1, 1, 0, 2), 30, &vec![("nowhere".to_owned(), 1)])
        );
        assert_eq!(line(&found, "unmapped.gone").counts, counts(0, 3, 0, 0, 3));
        assert_eq!(line(&found, "resources").counts.beyond_max, 1);
        let branches: Vec<_> = found
            .branches
            .iter()
            .map(|branch| (branch.line, branch.kind, branch.reached, branch.taken))
            .collect();
        assert_eq!(branches, [(7, "drop when", 4, 1), (21, "when", 3, 0), (21, "else", 3, 3)]);
    }

    #[test]
    fn what_fell_into_else_is_told_unless_it_is_hidden() {
        let found = covered(SAMPLE);
        let shown: Vec<_> = found
            .otherwise
            .iter()
            .map(|of| (of.place.as_str(), of.total, of.texts.clone()))
            .collect();
        assert_eq!(
            shown,
            [
                ("table `price`", 1, vec![("b1".to_owned(), 1)]),
                ("match of activity_id", 1, vec![("write".to_owned(), 1)]),
                ("match of severity_id", 2, vec![]),
            ]
        );
        assert!(!found.table().contains("s1") && !found.json().contains("\"s2\""));
    }

    #[test]
    fn paths_are_compared_with_the_sample() {
        let found = covered(SAMPLE);
        let never: Vec<_> = found.never.iter().map(|(path, line)| (path.as_str(), *line)).collect();
        assert_eq!(never, [(".agent", 31), (".gone", 33)]);
        let unread: Vec<_> =
            found.unread.iter().map(|path| (path.path.as_str(), path.present)).collect();
        assert_eq!(unread, [(".extra", 1)]);
        assert_eq!(found.wrapper, [("$.has_more".to_owned(), true), ("$.org".to_owned(), false)]);
        let table = found.table();
        for part in [
            "4 records: 2 mapped to 2 events, 1 dropped, 1 rejected",
            "W0108",
            "\"nowhere\" x1",
            "never taken",
            ".extra",
        ] {
            assert!(table.contains(part), "{part}\n{table}");
        }
        assert_eq!(
            super::super::json::read(&found.json()).0.get("mapped"),
            Some(&Json::Number("2".into()))
        );
    }
}
