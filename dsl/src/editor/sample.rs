//! What is known of the log: the shape of the samples at hand.
//!
//! Samples are the inputs of the program's tests, and a piece of a real log if the editor has one. They are folded into
//! one tree of member names, so that a path can be completed step by step and shown with an example.

use std::collections::BTreeMap;

use simd_json::OwnedValue;
use simd_json::prelude::*;

use crate::ast::{File, PathStep, Setting};
use crate::lex::{Kind, Token};
use crate::source::Source;

/// Members of one object beyond this are not remembered.
const MEMBERS_MAX: usize = 2_000;
/// Deeper members are not remembered.
const DEPTH_MAX: usize = 32;
/// A sample beyond this is not looked at.
const SAMPLE_BYTES_MAX: usize = 4 << 20;
/// Longer texts are not kept to be taken apart.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// Longest example shown, in characters.
const EXAMPLE_CHARS_MAX: usize = 60;

/// The shape of a record.
#[derive(Debug, Default)]
pub(super) struct Sample {
    /// The record.
    pub(super) record: Node,
    /// The document around the records.
    pub(super) wrapper: Node,
}

/// The shape of a value: of all values seen in its place.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// The members of objects.
    pub(super) members: BTreeMap<String, Node>,
    /// The elements of arrays.
    pub(super) elements: Option<Box<Node>>,
    /// The first scalar seen, as JSON.
    pub(super) example: Option<String>,
    /// The first text seen, for functions that take texts apart.
    pub(super) text: Option<String>,
}

impl Sample {
    /// The samples of a program's tests, and one of a log. The tests are found by their tokens, since a line that is
    /// being typed may hide a whole test from the parser.
    pub(super) fn new(file: &File, source: &Source, tokens: &[Token], log: Option<&[u8]>) -> Self {
        let mut sample = Self::default();
        let tests = tokens.windows(2).filter_map(|pair| {
            let given = pair[0].kind == Kind::Word && source.slice(pair[0].span) == "given";
            let text = source.slice(pair[1].span).trim_matches('"');
            (given && pair[1].kind == Kind::Text).then_some(text)
        });
        let log = log.map(|log| String::from_utf8_lossy(&log[..log.len().min(SAMPLE_BYTES_MAX)]));
        for text in tests.chain(log.as_deref()) {
            sample.add(file, text);
        }
        sample
    }

    fn add(&mut self, file: &File, text: &str) {
        let Some(input) = &file.input else { return };
        if input.format.node == "csv" {
            return self.add_header(file, text);
        }
        let records = input.settings.iter().find_map(|(name, setting)| match &setting.node {
            Setting::Path(steps) if name.node == "records" => Some(steps.as_slice()),
            _ => None,
        });
        for document in crate::check::documents(text) {
            match records {
                Some(steps) if !steps.is_empty() => {
                    self.wrapper.add(&document, 0);
                    self.add_records(&document, steps);
                }
                _ => match document.as_array() {
                    Some(array) => array.iter().for_each(|record| self.record.add(record, 0)),
                    None => self.record.add(&document, 0),
                },
            }
        }
    }

    fn add_records(&mut self, value: &OwnedValue, steps: &[PathStep]) {
        match steps.split_first() {
            None => self.record.add(value, 0),
            Some((PathStep::Key(key), rest)) => {
                if let Some(member) = value.get(key.node.as_str()) {
                    self.add_records(member, rest);
                }
            }
            Some((PathStep::Each(_), rest)) => {
                for element in value.as_array().into_iter().flatten() {
                    self.add_records(element, rest);
                }
            }
            Some((PathStep::Choice(..) | PathStep::Index(_), _)) => {}
        }
    }

    /// The columns that the first line names, with the cells of the second as examples. Quotes are taken off as they
    /// stand: this is a hint, not a reader.
    fn add_header(&mut self, file: &File, text: &str) {
        let setting = |wanted: &str| {
            let input = file.input.as_ref()?;
            input.settings.iter().find_map(|(name, setting)| match &setting.node {
                Setting::Text(text) if name.node == wanted => Some(text.as_str()),
                _ => None,
            })
        };
        let delimiter = setting("delimiter").unwrap_or(",");
        let cells = |line: &str| -> Vec<String> {
            let cells = line.split(delimiter).take(MEMBERS_MAX);
            cells.map(|cell| cell.trim().trim_matches('"').to_owned()).collect()
        };
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let header = match setting("columns") {
            Some(columns) => columns.split(',').map(|name| name.trim().to_owned()).collect(),
            None => lines.next().map(cells).unwrap_or_default(),
        };
        let examples = lines.next().map(cells).unwrap_or_default();
        for (at, name) in header.into_iter().enumerate() {
            let node = self.record.members.entry(name).or_default();
            if let Some(example) = examples.get(at).filter(|example| !example.is_empty()) {
                node.example.get_or_insert_with(|| shorten(&crate::check::json_text(example)));
                node.text.get_or_insert_with(|| example.clone());
            }
        }
    }
}

impl Node {
    /// The shape of one value.
    pub(super) fn of(value: &OwnedValue) -> Self {
        let mut node = Self::default();
        node.add(value, 0);
        node
    }

    fn add(&mut self, value: &OwnedValue, depth: usize) {
        if depth >= DEPTH_MAX {
            return;
        }
        if let Some(object) = value.as_object() {
            for (name, member) in object {
                if self.members.len() < MEMBERS_MAX || self.members.contains_key(name.as_str()) {
                    self.members.entry(name.to_string()).or_default().add(member, depth + 1);
                }
            }
        } else if let Some(array) = value.as_array() {
            let elements = self.elements.get_or_insert_default();
            array.iter().for_each(|element| elements.add(element, depth + 1));
        } else if !value.is_null() {
            self.example.get_or_insert_with(|| shorten(&value.encode()));
            if let Some(text) = value.as_str().filter(|text| text.len() <= TEXT_BYTES_MAX) {
                self.text.get_or_insert_with(|| text.to_owned());
            }
        }
    }

    /// The shape behind a step.
    pub(super) fn step(&self, step: &PathStep) -> Option<&Self> {
        match step {
            PathStep::Key(key) => self.members.get(&key.node),
            PathStep::Choice(keys, _) => keys.iter().find_map(|key| self.members.get(&key.node)),
            PathStep::Index(_) | PathStep::Each(_) => self.elements.as_deref(),
        }
    }
}

pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(EXAMPLE_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
