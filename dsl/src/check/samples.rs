//! What the tests of a program show about its paths.
//!
//! A path has no type of its own, so only a sample can tell that a time is a number. The samples at hand are those of the
//! program's own tests.

use simd_json::OwnedValue;
use simd_json::prelude::*;
use weir_engine::framer::Framer;
use weir_engine::input::{Format, RecordsStep};

use super::Checker;
use crate::ast::{self, Item};
use crate::diagnostic::Diagnostic;
use crate::hir::{Path, Root, Step};
use crate::source::Span;

impl<'a> Checker<'a> {
    /// What the samples say about times, and about the document around the records.
    pub(super) fn compare_with_samples(&mut self, file: &'a ast::File) {
        self.compare_times(file);
        if self.wrapper_reads.is_empty() {
            return;
        }
        let reads = std::mem::take(&mut self.wrapper_reads);
        for item in &file.items {
            let Item::Test(test) = item else { continue };
            for document in document_texts(&test.given.node) {
                self.look_behind_records(document, test.given.span, &reads);
            }
        }
    }

    /// W0108: a member that a sample has, and that nobody has seen yet when the records come.
    fn look_behind_records(&mut self, document: &str, sample: Span, reads: &[(Vec<String>, Span)]) {
        let Format::Json(records) = &self.head.input.format else { return };
        let Ok(value) = simd_json::to_owned_value(&mut document.as_bytes().to_vec()) else {
            return;
        };
        let mut framer = Framer::new(&self.head.input);
        framer.push(document.to_owned().into());
        framer.finish();
        let Some(block) = framer.next_block().filter(|block| !block.records.is_empty()) else {
            return;
        };
        let is_late = |names: &Vec<String>| {
            let there = names.iter().try_fold(&value, |value, name| value.get(name.as_str()));
            let index = records.wrapper.iter().position(|known| known == names);
            let seen = index.and_then(|index| block.wrapper.get(index)?.as_ref());
            there.is_some_and(|value| !value.is_null()) && seen.is_none()
        };
        let late: Vec<_> = reads.iter().filter(|(names, _)| is_late(names)).cloned().collect();
        for (names, span) in late {
            self.report(
                Diagnostic::warning(
                    "W0108",
                    span,
                    "this is missing in every record: it comes too late",
                    "not known yet when the records are mapped",
                )
                .label(sample, format!("here `{}` stands behind the records", names.join(".")))
                .help("records are mapped as they stream by; only what stands before them is known")
                .note("if the order cannot be changed at the source, leave it out"),
            );
        }
    }

    /// W0411: a time that is read as text, and is a number in a test.
    fn compare_times(&mut self, file: &'a ast::File) {
        if self.time_reads.is_empty() || matches!(self.head.input.format, Format::Csv(_)) {
            return;
        }
        let samples: Vec<(&str, OwnedValue)> = file
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Test(test) => Some(test),
                _ => None,
            })
            .flat_map(|test| {
                let records = self.records_of(&test.given.node);
                records.into_iter().map(|record| (test.name.node.as_str(), record))
            })
            .collect();
        for (path, span, reader) in std::mem::take(&mut self.time_reads) {
            let found = samples.iter().find_map(|(name, record)| {
                let number =
                    self.values(&path, record).into_iter().find(|value| value.is_number())?;
                Some((*name, number.to_string()))
            });
            if let Some((name, number)) = found {
                self.number_as_time(span, reader, name, &number);
            }
        }
    }

    fn number_as_time(&mut self, span: Span, reader: Option<Span>, test: &str, number: &str) {
        let (unit, digits) = unit_of(number);
        let mut report = Diagnostic::error(
            "W0411",
            reader.unwrap_or(span),
            "a number does not say whether it counts seconds or milliseconds",
            "reads text such as 2026-11-21T20:39:00Z",
        );
        let shown = format!("your test \"{test}\" has {number} here");
        if reader.is_some() {
            report = report.label(span, shown);
        } else {
            report.primary.message = shown;
        }
        let fixed = match reader {
            Some(_) => unit.to_owned(),
            None => format!("({}) |> {unit}", self.source.slice(span)),
        };
        self.report(
            report
                .help(format!(
                    "a number of {digits} digits counts most likely {}: write `|> {unit}`",
                    unit.trim_start_matches("unix_")
                ))
                .fix(unit, reader.unwrap_or(span), fixed),
        );
    }

    /// The records of a sample; nothing of one that is no JSON.
    pub(super) fn records_of(&self, given: &str) -> Vec<OwnedValue> {
        let Format::Json(records) = &self.head.input.format else {
            return documents(given);
        };
        let mut found = documents(given);
        if records.path.is_empty() {
            return found.into_iter().flat_map(elements_or_self).collect();
        }
        for step in &records.path {
            found = match step {
                RecordsStep::Member(name) => found
                    .into_iter()
                    .filter_map(|value| value.get(name.as_str()).cloned())
                    .collect(),
                RecordsStep::Elements => found
                    .into_iter()
                    .flat_map(|value| value.into_array().unwrap_or_default())
                    .collect(),
            };
        }
        found
    }

    /// The values that a path has in a record: several for a loop's element.
    pub(super) fn values<'v>(&self, path: &Path, record: &'v OwnedValue) -> Vec<&'v OwnedValue> {
        let mut values = match path.root {
            Root::Record => vec![record],
            Root::Wrapper | Root::Derived(_) => return Vec::new(),
            Root::Loop(id) => self
                .values(&self.loops[id as usize].array, record)
                .into_iter()
                .filter_map(|array| array.as_array())
                .flatten()
                .collect(),
        };
        for step in &path.steps {
            values = values.into_iter().filter_map(|value| step_into(value, step)).collect();
        }
        values
    }
}

fn step_into<'v>(value: &'v OwnedValue, step: &Step) -> Option<&'v OwnedValue> {
    match step {
        Step::Member(name) => value.get(name.as_str()),
        Step::Choice(names) => names.iter().find_map(|name| value.get(name.as_str())),
        Step::Element(index) => value.get_idx(*index as usize),
        Step::Last => value.as_array()?.last(),
    }
}

fn elements_or_self(value: OwnedValue) -> Vec<OwnedValue> {
    if value.is_array() { value.into_array().unwrap_or_default() } else { vec![value] }
}

/// The JSON documents of a sample.
pub(crate) fn documents(given: &str) -> Vec<OwnedValue> {
    let texts = document_texts(given).into_iter();
    texts.filter_map(|text| simd_json::to_owned_value(&mut text.as_bytes().to_vec()).ok()).collect()
}

/// The JSON documents of a sample as texts, by the depth of their brackets.
fn document_texts(given: &str) -> Vec<&str> {
    let mut list = Vec::new();
    let (mut depth, mut start, mut in_string, mut escaped) = (0_usize, None, false, false);
    for (at, byte) in given.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                start.get_or_insert(at);
                depth += 1;
            }
            b'}' | b']' if !in_string => {
                depth = depth.saturating_sub(1);
                if depth == 0
                    && let Some(from) = start.take()
                {
                    list.push(&given[from..=at]);
                }
            }
            _ => {}
        }
    }
    list
}

/// The unit that a number of this size most likely counts.
fn unit_of(number: &str) -> (&'static str, usize) {
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    let unit = match digits {
        0..=11 => "unix_seconds",
        12..=14 => "unix_ms",
        15..=17 => "unix_us",
        _ => "unix_ns",
    };
    (unit, digits)
}
