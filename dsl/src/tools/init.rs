//! `weir init`: a first program for a sample.
//!
//! ```text
//! bytes --layout--> records --paths--> parts (who, what, when) --> text --> compile, run on the sample
//!                                                                    ^                |
//!                                                                    +--- guess less -+ does not do
//! ```
//!
//! What is guessed is only proposed: every candidate is compiled and run on the sample, and where it does not compile,
//! or refuses more than a few of the records, one that guesses less is tried. The last one compiles for any sample.

mod program;
mod roles;
mod words;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use simd_json::prelude::*;
use weir_engine::batch::Batch;
use weir_engine::input::{Format, Input, RecordsStep};
use weir_engine::plan::{ObjectMeta, Plan};
use weir_engine::types::NumberFormat;
use weir_engine::worker::Worker;

use self::program::{Level, Writer, is_secret};
use self::roles::Roles;
use super::infer::{Paths, Step};
use super::json::Json;
use super::{sample, write};
use crate::format::format;
use crate::source::Source;
use crate::testing::{self, Outcome};
use crate::{Compiled, compile, has_errors, ocsf};

/// Records that are looked at for their paths.
const RECORDS_MAX: usize = 5_000;
/// Longer texts in the test are cut.
const TEST_TEXT_CHARS_MAX: usize = 120;
/// A test with more is reduced to what the program reads.
const TEST_BYTES_MAX: usize = 4 << 10;
/// Elements of an array in the test.
const TEST_ELEMENTS_MAX: usize = 2;
/// Of 100 records so many must give an event.
const MAPPED_PERCENT_MIN: u64 = 95;

/// A file of a sample.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its name, for messages.
    pub name: String,
    /// Decompressed bytes, or the first of them.
    pub bytes: Bytes,
}

/// A first program, and what it makes of the sample.
#[derive(Debug)]
pub struct FirstProgram {
    /// The program.
    pub text: String,
    /// Records of the sample.
    pub records: u64,
    /// Of them, those that give an event.
    pub mapped: u64,
    /// Why the others do not: `R1204 event.time "x" is not a timestamp`, with how often.
    pub rejects: Vec<(String, u64)>,
    /// Files that were left out, and why.
    pub left_out: Vec<(String, String)>,
}

/// Writes a program for a sample. `name` becomes the parser's name.
///
/// # Errors
///
/// In plain words, why there is nothing to start from.
pub fn init(objects: &[Object], name: &str, ocsf_version: &str) -> Result<FirstProgram, String> {
    let schema = ocsf::schema(ocsf_version)
        .ok_or_else(|| format!("OCSF {ocsf_version} is not among {}", ocsf::VERSIONS.join(", ")))?;
    let (input, chosen, left_out) = choose_objects(objects)?;
    let numbers = number_format(&input);
    let mut paths = Paths::new(numbers);
    let mut records = Vec::new();
    for object in &chosen {
        let sample = sample::records(&object.bytes, &input, RECORDS_MAX - records.len());
        sample.records.iter().for_each(|record| paths.add(record));
        records.extend(sample.records);
    }
    if records.is_empty() {
        return Err("the sample holds no record that can be read".to_owned());
    }
    let roles = roles::guess(&paths, &records);
    let nothing = Roles { id_gaps: true, time_gaps: true, ..Roles::default() };
    let levels = [
        (Level::Full, &roles),
        (Level::OneClass, &roles),
        (Level::Least, &roles),
        (Level::Least, &nothing),
    ];
    let mut best: Option<FirstProgram> = None;
    for (level, roles) in levels {
        let writer = Writer {
            name,
            ocsf: schema,
            input: sample::input_block(&input),
            paths: &paths,
            roles,
            level,
        };
        let Some(made) = attempt(&writer, &chosen, &records, &input) else { continue };
        let enough = made.mapped * 100 >= made.records * MAPPED_PERCENT_MIN;
        if best.as_ref().is_none_or(|best| made.mapped > best.mapped) {
            best = Some(made);
        }
        if enough {
            break;
        }
    }
    let mut best = best.ok_or("no program could be written for this sample")?;
    best.left_out = left_out;
    Ok(best)
}

/// The files of one layout: JSON before separated values, and of those the one with the most bytes.
pub(crate) type Chosen<'o> = (Input, Vec<&'o Object>, Vec<(String, String)>);

pub(crate) fn choose_objects(objects: &[Object]) -> Result<Chosen<'_>, String> {
    let mut layouts: Vec<(Input, Vec<&Object>)> = Vec::new();
    let mut left_out = Vec::new();
    for object in objects {
        match sample::layout(&object.bytes) {
            Err(why) => left_out.push((object.name.clone(), why)),
            Ok(input) => match layouts.iter_mut().find(|(known, _)| *known == input) {
                Some((_, same)) => same.push(object),
                None => layouts.push((input, vec![object])),
            },
        }
    }
    let weight = |(input, objects): &(Input, Vec<&Object>)| {
        let bytes: usize = objects.iter().map(|object| object.bytes.len()).sum();
        (!matches!(input.format, Format::Csv(_)), bytes)
    };
    let at = (0..layouts.len()).max_by_key(|at| weight(&layouts[*at]));
    let Some(at) = at else {
        let why: Vec<String> =
            left_out.iter().map(|(name, why)| format!("`{name}`: {why}")).collect();
        return Err(if why.is_empty() { "there is no sample".to_owned() } else { why.join("\n") });
    };
    let (input, chosen) = layouts.swap_remove(at);
    let others = layouts.iter().flat_map(|(_, objects)| objects);
    left_out.extend(
        others.map(|object| (object.name.clone(), "it is laid out in another way".to_owned())),
    );
    Ok((input, chosen, left_out))
}

/// How numbers in the texts of an input are written.
pub(crate) fn number_format(input: &Input) -> NumberFormat {
    match &input.format {
        Format::Csv(csv) => NumberFormat { decimal: csv.decimal, grouping: csv.grouping },
        Format::Ndjson | Format::Json(_) => NumberFormat::default(),
    }
}

/// The program of a level with its test, if both do.
fn attempt(
    writer: &Writer<'_>,
    objects: &[&Object],
    records: &[Json],
    input: &Input,
) -> Option<FirstProgram> {
    let text = formatted(writer.program());
    let plan = compiled(&text)?.plan?;
    let mut run = run(&plan, objects, input);
    let order = candidates(writer, records);
    for record in order.into_iter().take(5) {
        let Some(test) = test(writer, &plan, &records[record], input) else { continue };
        let text = formatted(format!("{text}\n{test}"));
        let source = Source::new("init", text);
        let compiled = compile(&source);
        let tests = testing::run_tests(&source, &compiled);
        if !tests.is_empty() && tests.iter().all(|test| test.failure.is_none()) {
            run.text = source.text;
            return Some(run);
        }
    }
    None
}

/// In canonical form.
fn formatted(text: String) -> String {
    let source = Source::new("init", text);
    format(&source).unwrap_or(source.text)
}

fn compiled(text: &str) -> Option<Compiled> {
    let compiled = compile(&Source::new("init", text));
    (!has_errors(&compiled.diagnostics)).then_some(compiled)
}

/// Runs a plan on the sample.
fn run(plan: &Arc<Plan>, objects: &[&Object], input: &Input) -> FirstProgram {
    let mut found = FirstProgram {
        text: String::new(),
        records: 0,
        mapped: 0,
        rejects: Vec::new(),
        left_out: Vec::new(),
    };
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    let mut worker = Worker::new(plan.clone());
    let mut batch = Batch::default();
    for object in objects {
        // As good a time as any: the sample may be read from a pipe.
        let meta = ObjectMeta {
            key: object.name.clone(),
            received_at_ns: testing::RECEIVED_AT_NS,
            ..ObjectMeta::default()
        };
        sample::for_each_block(&object.bytes, input, |block| {
            batch.clear();
            worker.run(block, &meta, &mut batch);
            found.records += block.records.len() as u64;
            found.mapped += batch.mapped;
            for reject in &batch.rejects {
                let reason =
                    format!("{} {} {}", reject.code.as_str(), reject.target, reject.message);
                let reason = write::comment(&reason);
                if reasons.len() < 50 || reasons.contains_key(&reason) {
                    *reasons.entry(reason).or_default() += 1;
                }
            }
        });
    }
    found.rejects = reasons.into_iter().collect();
    found.rejects.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    found
}

/// The records that a test could be made of, the one that shows the most first.
fn candidates(writer: &Writer<'_>, records: &[Json]) -> Vec<usize> {
    let used = writer.used();
    let has = |record: &Json, steps: &[Step]| {
        roles::value_at(record, steps).and_then(Json::scalar).is_some_and(|text| !text.is_empty())
    };
    let Roles { id, actor, action, target, ip, .. } = writer.roles;
    let played = |record: &Json| {
        let played = |parts: &&Vec<roles::Part>| parts.iter().any(|part| has(record, &part.steps));
        [id, actor, action, target, ip].iter().filter(|parts| played(parts)).count()
    };
    let shown = |record: &Json| used.iter().filter(|steps| has(record, steps)).count();
    let mut order: Vec<usize> = (0..records.len().min(500)).collect();
    order.sort_by_cached_key(|at| {
        let record = &records[*at];
        let more_first = std::cmp::Reverse((played(record), shown(record)));
        (more_first, record.to_string().len(), *at)
    });
    order
}

/// A test of what the plan makes of a record.
fn test(writer: &Writer<'_>, plan: &Arc<Plan>, record: &Json, input: &Input) -> Option<String> {
    let used: Vec<String> = writer
        .used()
        .iter()
        .filter_map(|steps| match steps.first()? {
            Step::Key(name) => Some(name.clone()),
            Step::Elements => None,
        })
        .collect();
    let mut short = shortened(record, "");
    if short.to_string().len() > TEST_BYTES_MAX
        && let Json::Object(members) = &mut short
    {
        members.retain(|(name, _)| used.contains(name));
    }
    let lines = given(&short, input)?;
    // A long text has no escapes.
    let is_plain = |c: char| c == '\n' || super::json::is_plain(c);
    let (given, literal) = if lines.contains("\"\"\"") || !lines.chars().all(is_plain) {
        (lines.clone(), write::text(&lines))
    } else {
        let lines: String = lines.lines().map(|line| format!("    {line}\n")).collect();
        let given = format!("\n{lines}  ");
        (given.clone(), format!("\"\"\"{given}\"\"\""))
    };
    let outcomes = testing::outcomes(&given, plan).ok()?;
    let [outcome] = outcomes.as_slice() else { return None };
    let expected = expected(writer, outcome)?;
    Some(format!("test \"a record of the sample\" {{\n  given {literal}\n  {expected}}}\n"))
}

/// A record that fits into a test: long texts and lists are cut, and secrets are not shown.
fn shortened(value: &Json, name: &str) -> Json {
    match value {
        Json::Text(text) if is_secret(name) && !text.is_empty() => {
            Json::Text("[masked]".to_owned())
        }
        Json::Text(text) => match text.char_indices().nth(TEST_TEXT_CHARS_MAX) {
            Some((at, _)) => Json::Text(format!("{}...", &text[..at])),
            None => value.clone(),
        },
        Json::Array(items) => Json::Array(
            items.iter().take(TEST_ELEMENTS_MAX).map(|item| shortened(item, name)).collect(),
        ),
        Json::Object(members) => Json::Object(
            members.iter().map(|(name, value)| (name.clone(), shortened(value, name))).collect(),
        ),
        Json::Null | Json::Bool(_) | Json::Number(_) => value.clone(),
    }
}

/// The bytes of an object with this record, as text.
fn given(record: &Json, input: &Input) -> Option<String> {
    match &input.format {
        Format::Ndjson => Some(wrapped_lines(record)),
        Format::Json(records) => {
            let (mut before, mut after) = (String::new(), String::new());
            for step in &records.path {
                match step {
                    RecordsStep::Member(name) => {
                        let _ = write!(before, "{{{}: ", Json::Text(name.clone()));
                        after.insert(0, '}');
                    }
                    RecordsStep::Elements => {
                        before.push('[');
                        after.insert(0, ']');
                    }
                }
            }
            if before.is_empty() {
                return Some(wrapped_lines(record));
            }
            Some(format!("{before}\n{}{after}\n", wrapped_lines(record)))
        }
        Format::Csv(csv) => {
            let Json::Object(members) = record else { return None };
            let cell = |text: &str| {
                // A test removes white space around lines, and its lines are rows.
                let text: String =
                    text.chars().map(|c| if matches!(c, '\n' | '\r') { ' ' } else { c }).collect();
                let quote = char::from(csv.quote);
                let odd = text.contains([quote, char::from(csv.delimiter)])
                    || text.trim() != text
                    || text.is_empty();
                if odd {
                    format!("{quote}{}{quote}", text.replace(quote, &format!("{quote}{quote}")))
                } else {
                    text
                }
            };
            let delimiter = char::from(csv.delimiter).to_string();
            let row = |cells: Vec<String>| cells.join(&delimiter);
            let names = row(members.iter().map(|(name, _)| cell(name)).collect());
            let values = row(members
                .iter()
                .map(|(_, value)| match value.scalar() {
                    Some("") | None => String::new(),
                    Some(text) => cell(text),
                })
                .collect());
            Some(if csv.columns.is_some() {
                format!("{values}\n")
            } else {
                format!("{names}\n{values}\n")
            })
        }
    }
}

/// An object over several lines of a readable width.
fn wrapped_lines(record: &Json) -> String {
    let mut out = String::new();
    wrap(record, 0, 0, &mut out);
    out.push('\n');
    out
}

/// Writes a value that begins at some column; what does not fit on the line goes on deeper.
fn wrap(value: &Json, column: usize, indent: usize, out: &mut String) {
    const WIDTH: usize = 110;
    let Json::Object(members) = value else {
        let _ = write!(out, "{value}");
        return;
    };
    let short = value.to_string();
    if indent > 0 && column + short.len() <= WIDTH {
        out.push_str(&short);
        return;
    }
    out.push('{');
    let inner = indent + 1;
    let mut at = column + 1;
    for (number, (name, value)) in members.iter().enumerate() {
        let key = format!("{}: ", Json::Text(name.clone()));
        if number > 0 {
            out.push(',');
            if at + key.len() + value.to_string().len() + 2 > WIDTH {
                let _ = write!(out, "\n{:inner$}", "");
                at = inner;
            } else {
                out.push(' ');
                at += 2;
            }
        }
        let start = out.len();
        out.push_str(&key);
        wrap(value, at + key.len(), inner, out);
        at = match out[start..].rfind('\n') {
            Some(line) => out.len() - start - line,
            None => at + out.len() - start,
        };
    }
    out.push('}');
}

/// What is expected of an outcome, as far as it is worth to be looked at.
fn expected(writer: &Writer<'_>, outcome: &Outcome) -> Option<String> {
    let Outcome::Event(made) = outcome else { return None };
    let mut event = String::new();
    for (name, value) in &made.columns {
        let is_number = matches!(*name, "cost_usd" | "tokens_input" | "tokens_output");
        if is_number && value == "0" {
            continue;
        }
        let value = if is_number { value.clone() } else { write::text(value) };
        let _ = writeln!(event, "      {name} = {value}");
    }
    // An event that holds a number beyond all doubles has no tree.
    let number = made.ocsf.get("activity_id").and_then(|number| number.as_i64());
    let activities = writer.ocsf.class(&made.class)?.attributes.get("activity_id")?.enumeration?;
    let mut lines = String::new();
    if let Some(activity) = number.and_then(|number| activities.by_number(number)) {
        let _ = writeln!(lines, "    activity_id = {}", write::text(activity.caption));
    }
    let endpoint = made.ocsf.get("src_endpoint");
    if let Some(ip) = endpoint.and_then(|endpoint| endpoint.get("ip")).and_then(|ip| ip.as_str()) {
        let _ = writeln!(lines, "    src_endpoint.ip = {}", write::text(ip));
    }
    Some(format!("expect {} {{\n    event {{\n{event}    }}\n{lines}  }}\n", made.class))
}

#[cfg(test)]
mod tests;
