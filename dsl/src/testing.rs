//! The `test` blocks of a program: what becomes of a sample, against what is expected of it.
//!
//! The sample goes the way of every record, through framer and worker. What comes out, record by record, is compared
//! with the `expect` lines in their order; a difference is shown as the lines of the event that are not as expected,
//! each with the line of the mapping that set it.

mod compare;
mod event;

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use weir_engine::batch::Batch;
use weir_engine::block::RecordBlock;
use weir_engine::framer::Framer;
use weir_engine::input::{Format, Input, Records};
use weir_engine::plan::{ObjectMeta, Plan};
use weir_engine::worker::Worker;

use crate::ast::{self, Expectation, Item};
use crate::source::Source;
use crate::{Compiled, ocsf};
use event::{Made, made};

/// 2000-01-01T00:00:00Z, when every sample arrives.
pub(crate) const RECEIVED_AT_NS: i64 = 946_684_800 * 1_000_000_000;

/// What became of one test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestResult {
    /// What it shows, in the author's words.
    pub name: String,
    /// The line on which it starts.
    pub line: u32,
    /// What is not as expected, as lines of text; `None` if the test passed.
    pub failure: Option<String>,
}

/// Runs the tests of a program; none if it does not compile.
pub fn run_tests(source: &Source, compiled: &Compiled) -> Vec<TestResult> {
    let (Some(plan), Some(schema)) =
        (&compiled.plan, compiled.plan.as_ref().and_then(|plan| ocsf::schema(&plan.ocsf_version)))
    else {
        return Vec::new();
    };
    compiled
        .file
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Test(test) => Some(test),
            _ => None,
        })
        .map(|test| TestResult {
            name: test.name.node.clone(),
            line: source.line(test.span.start),
            failure: run_test(test, plan, schema).err(),
        })
        .collect()
}

fn run_test(test: &ast::Test, plan: &Arc<Plan>, schema: &ocsf::Schema) -> Result<(), String> {
    let outcomes = outcomes(&test.given.node, plan)?;
    let mut problems = Vec::new();
    for (at, (expected, outcome)) in test.expect.iter().zip(&outcomes).enumerate() {
        if let Err(problem) = meets(expected, outcome, plan, schema) {
            problems.push(format!("expectation {}: {problem}", at + 1));
        }
    }
    if test.expect.len() != outcomes.len() {
        let found: Vec<String> = outcomes.iter().map(Outcome::to_string).collect();
        problems.push(format!(
            "{} outcomes are expected, there are {}:\n  {}",
            test.expect.len(),
            outcomes.len(),
            found.join("\n  ")
        ));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

/// What became of a record, or one of its events.
pub(crate) enum Outcome {
    Event(Box<Made>),
    Rejected { target: String, text: String },
    Dropped,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Event(made) => write!(f, "{} with id \"{}\"", made.class, made.id),
            Self::Rejected { text, .. } => write!(f, "rejected: {text}"),
            Self::Dropped => f.write_str("dropped"),
        }
    }
}

fn meets(
    expected: &Expectation,
    outcome: &Outcome,
    plan: &Plan,
    schema: &ocsf::Schema,
) -> Result<(), String> {
    match (expected, outcome) {
        (Expectation::Dropped(_), Outcome::Dropped) => Ok(()),
        (Expectation::Rejected(None, _), Outcome::Rejected { .. }) => Ok(()),
        (Expectation::Rejected(Some(wanted), _), Outcome::Rejected { target, text }) => {
            if wanted.node == *target {
                return Ok(());
            }
            Err(format!("rejected at \"{}\" is expected, it was {text}", wanted.node))
        }
        (Expectation::Event { exactly, class, checks, .. }, Outcome::Event(made)) => {
            if class.node != made.class {
                return Err(format!("{} is expected, this is {outcome}", class.node));
            }
            compare::compare(checks, *exactly, made, plan, schema)
        }
        (Expectation::Dropped(_), _) => Err(format!("dropped is expected, this is {outcome}")),
        (Expectation::Rejected(..), _) => Err(format!("rejected is expected, this is {outcome}")),
        (Expectation::Event { class, .. }, _) => {
            Err(format!("{} is expected, this is {outcome}", class.node))
        }
    }
}

/// Runs a sample: the outcomes of its records in order, events of one record one after the other.
pub(crate) fn outcomes(given: &str, plan: &Arc<Plan>) -> Result<Vec<Outcome>, String> {
    let input = sample_input(&plan.input);
    let bytes = sample_bytes(given, &plan.input)?;
    let mut framer = Framer::new(&input);
    let mut worker = Worker::new(plan.clone());
    let object = ObjectMeta {
        key: "test".into(),
        bucket: "test".into(),
        source: "test".into(),
        received_at_ns: RECEIVED_AT_NS,
    };
    let mut list = Vec::new();
    let mut run = |block: &RecordBlock| {
        let mut batch = Batch::default();
        worker.run(block, &object, &mut batch);
        collect(block, &batch, plan, &mut list);
    };
    framer.push(Bytes::from(bytes));
    while let Some(block) = framer.next_block() {
        run(&block);
    }
    framer.finish();
    while let Some(block) = framer.next_block() {
        run(&block);
    }
    Ok(list)
}

fn collect(block: &RecordBlock, batch: &Batch, plan: &Plan, list: &mut Vec<Outcome>) {
    let (mut events, mut rejects) =
        (batch.events.iter().peekable(), batch.rejects.iter().peekable());
    for record in 0..block.records.len() as u32 {
        let before = list.len();
        while let Some(event) = events.next_if(|event| event.record == record) {
            list.push(Outcome::Event(Box::new(made(event, batch, plan))));
        }
        while let Some(reject) = rejects.next_if(|reject| reject.record == record) {
            let at =
                if reject.line > 0 { format!(" (line {})", reject.line) } else { String::new() };
            let text = format!("{} {} {}{at}", reject.code.as_str(), reject.target, reject.message);
            list.push(Outcome::Rejected { target: reject.target.clone(), text });
        }
        if list.len() == before {
            list.push(Outcome::Dropped);
        }
    }
}

/// A sample of NDJSON is a sequence of JSON values, so that a record may span lines.
pub(crate) fn sample_input(input: &Input) -> Input {
    let mut input = input.clone();
    if input.format == Format::Ndjson {
        input.format = Format::Json(Records { documents_are_records: true, ..Records::default() });
    }
    input
}

/// The bytes of a sample as the source would write them: in the encoding of the input, without the test's indentation.
pub(crate) fn sample_bytes<'t>(given: &'t str, input: &Input) -> Result<Vec<u8>, String> {
    let Format::Csv(csv) = &input.format else { return Ok(given.as_bytes().to_vec()) };
    let text: Cow<'t, str> = unindented(given).into();
    let (bytes, _, unmappable) = csv.encoding.encode(&text);
    if unmappable {
        return Err(format!(
            "the sample holds characters that {} does not have",
            csv.encoding.name()
        ));
    }
    Ok(bytes.into_owned())
}

/// The lines of a sample of CSV as its records count them, each with its place in the text.
pub(crate) fn sample_lines(given: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    let lines = given.split_inclusive('\n').map(move |line| {
        let at = start;
        start += line.len();
        (at, line)
    });
    lines.skip_while(|(_, line)| line.trim().is_empty())
}

/// Without the white space that all lines begin with, and without blank lines around.
fn unindented(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let indent = lines
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    let lines: Vec<&str> = lines.iter().map(|line| line.get(indent..).unwrap_or("")).collect();
    let mut joined = lines.join("\n").trim_matches('\n').trim_end_matches(' ').to_owned();
    joined.push('\n');
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_indentation_goes_away_and_inner_one_stays() {
        assert_eq!(unindented("\n    a;b\n      c\n    d\n  "), "a;b\n  c\nd\n");
        assert_eq!(unindented("a;b\nc;d"), "a;b\nc;d\n");
    }
}
