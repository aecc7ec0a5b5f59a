//! What could stand at a place.

use weir_engine::builtins;
use weir_engine::plan::Column;

use super::Document;
use super::context::{self, Block, Context, PathStart, Place};
use super::facts::{self, Pin};
use super::hover;
use super::records::{Field, Record};
use super::sample::Node;
use super::words::keyword;
use crate::ast::{File, Item};
use crate::ocsf::{Attribute, Requirement};
use crate::source::Span;
use crate::tools::write;

/// Something that could stand at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What is shown and, but for `insert`, written.
    pub label: String,
    /// What it is.
    pub kind: CompletionKind,
    /// A few words about it.
    pub detail: String,
    /// More about it, in Markdown.
    pub documentation: Option<String>,
    /// What is written instead of [`replace`](Self::replace).
    pub insert: String,
    /// The word that is being written.
    pub replace: Span,
    /// Lower ones are shown first.
    pub rank: u8,
}

/// The kinds of completions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompletionKind {
    /// A word of the language.
    Keyword,
    /// An OCSF attribute, or a column of the event.
    Attribute,
    /// An OCSF class.
    Class,
    /// A caption of an enum, a profile.
    Value,
    /// A function.
    Function,
    /// A table, `let` or loop variable.
    Name,
    /// A member of the log's records.
    Field,
}

/// Words that begin an item of a file.
const ITEMS: &[&str] = &[
    "let", "event", "emit", "when", "each", "drop", "keep", "reject", "table", "raw", "test",
    "input", "on", "product", "ocsf", "parser",
];
/// Words that begin a statement of a block.
const STATEMENTS: &[&str] = &["emit", "event", "when", "each", "let", "drop", "reject"];
/// Words that begin a value.
const OPERANDS: &[&str] = &["if", "match", "not", "missing", "true", "false"];
/// The columns that are no fixed names.
const EXTRA: &str = "extra.";
/// What could stand at an offset.
pub(super) fn complete(document: &Document, offset: u32) -> Vec<Completion> {
    let context = context::at(&document.source, &document.tokens, offset);
    let mut list = List { document, replace: context.word, found: Vec::new() };
    match &context.place {
        Place::Entry(words) => list.entries(&context, words),
        Place::Operand(None, _) => list.operands(&context, offset),
        Place::Operand(Some(start), keys) => list.members(start, keys, offset),
        Place::Function => list.functions(),
        Place::Text => list.captions(&context, ""),
        Place::Class => list.classes(),
        Place::Profile => list.profiles(),
        Place::Words(words) => list.words(words, 0),
        Place::Nothing => {}
    }
    list.found
}

struct List<'d> {
    document: &'d Document,
    replace: Span,
    found: Vec<Completion>,
}

impl List<'_> {
    fn push(&mut self, label: impl Into<String>, kind: CompletionKind, detail: impl Into<String>) {
        self.push_as(label, kind, detail, None, 5);
    }

    fn push_as(
        &mut self,
        label: impl Into<String>,
        kind: CompletionKind,
        detail: impl Into<String>,
        documentation: Option<String>,
        rank: u8,
    ) {
        let label = label.into();
        self.found.push(Completion {
            insert: label.clone(),
            label,
            kind,
            detail: detail.into(),
            documentation,
            replace: self.replace,
            rank,
        });
    }

    fn words(&mut self, words: &[&str], rank: u8) {
        for word in words {
            let text = keyword(word).unwrap_or_default();
            self.push_as(*word, CompletionKind::Keyword, text, None, rank);
        }
    }

    fn file(&self) -> &File {
        &self.document.compiled.file
    }

    fn pin(&self) -> Option<Pin> {
        Pin::of(self.file())
    }

    fn entries(&mut self, context: &Context, words: &[String]) {
        match context.blocks.last() {
            None if words.is_empty() => self.words(ITEMS, 5),
            Some(Block::Statements) if words.is_empty() => self.words(STATEMENTS, 5),
            Some(Block::Event) => self.columns(words),
            Some(Block::Input(format)) if words.is_empty() => {
                for (name, text) in settings(format) {
                    self.push(*name, CompletionKind::Attribute, *text);
                }
            }
            Some(Block::OnError) => self.words(&["required", "optional"], 0),
            Some(Block::Test) => self.words(&["given", "expect"], 0),
            Some(Block::Emit(_) | Block::Expect(_) | Block::Object(_)) => {
                self.attributes(context, words);
                if words.is_empty() && matches!(context.blocks.last(), Some(Block::Emit(_))) {
                    self.words(&["event", "add", "let"], 8);
                }
            }
            _ => {}
        }
    }

    fn columns(&mut self, words: &[String]) {
        if !words.is_empty() {
            return;
        }
        for column in Column::ALL {
            self.push(column.name(), CompletionKind::Attribute, column.ty().noun());
        }
        self.push(EXTRA, CompletionKind::Attribute, "a text of your own beside the event");
    }

    fn attributes(&mut self, context: &Context, words: &[String]) {
        let (Some(pin), Some((class, mut way))) = (self.pin(), context.way()) else { return };
        way.extend_from_slice(words);
        let Some(shape) = pin.shape(class, &way) else { return };
        let siblings: Vec<&str> =
            shape.attributes().iter().filter_map(|attribute| attribute.sibling).collect();
        for attribute in shape.attributes().iter() {
            if pin.has(attribute) && !siblings.contains(&attribute.name) {
                self.attribute(&pin, attribute);
            }
        }
    }

    fn attribute(&mut self, pin: &Pin, attribute: &Attribute) {
        let rank = match attribute.requirement {
            Requirement::Required => 1,
            Requirement::Recommended => 2,
            Requirement::Optional => 3,
        };
        let detail = format!("{} · {}", attribute.requirement.word(), attribute.type_text(""));
        let text = facts::describe_attribute(pin, attribute);
        self.push_as(attribute.name, CompletionKind::Attribute, detail, Some(text), rank);
    }

    fn classes(&mut self) {
        let Some(pin) = self.pin() else { return };
        for class in &pin.schema.classes {
            let text = facts::describe_class(&pin, class);
            self.push_as(class.name, CompletionKind::Class, class.caption, Some(text), 5);
        }
    }

    fn profiles(&mut self) {
        let Some(pin) = self.pin() else { return };
        for profile in &pin.schema.profiles {
            if profile.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                self.push(*profile, CompletionKind::Value, "profile");
            } else {
                self.push(format!("\"{profile}\""), CompletionKind::Value, "profile");
            }
        }
    }

    fn functions(&mut self) {
        for builtin in builtins::ALL {
            let text = Some(hover::describe_function(builtin));
            self.push_as(
                builtin.name,
                CompletionKind::Function,
                hover::signature(builtin),
                text,
                5,
            );
        }
        for function in builtins::forms::FORMS {
            let detail = format!("{} -> {}", function.usage, function.result);
            let text = Some(function.doc.to_owned());
            self.push_as(function.name, CompletionKind::Function, detail, text, 5);
        }
    }

    fn operands(&mut self, context: &Context, offset: u32) {
        self.captions(context, "\"");
        self.names(offset);
        if self.document.sample.record.members.is_empty() {
            self.push_as(".", CompletionKind::Field, "a member of the record", None, 4);
        }
        self.fields(&self.document.sample.record, ".");
        self.words(OPERANDS, 7);
        self.functions();
    }

    /// The captions of the enum that is being set.
    fn captions(&mut self, context: &Context, quote: &str) {
        let (Some(pin), Some((class, mut way)), Some(target)) =
            (self.pin(), context.way(), &context.target)
        else {
            return;
        };
        way.extend_from_slice(target);
        let Some(attribute) = pin.attribute(class, &way) else { return };
        for value in attribute.enumeration.iter().flat_map(|list| &list.values) {
            let caption = if value.number.is_some() { value.caption } else { value.key };
            let detail = format!("{} {}", attribute.name, value.key);
            self.push_as(
                format!("{quote}{caption}{quote}"),
                CompletionKind::Value,
                detail,
                None,
                0,
            );
        }
    }

    fn names(&mut self, offset: u32) {
        for named in &self.document.names {
            if named.scope.start < offset && offset < named.scope.end {
                let text = self.document.source.slice(named.item);
                let detail = text.lines().next().unwrap_or_default();
                self.push_as(&named.name, CompletionKind::Name, detail, None, 2);
            }
        }
    }

    /// The members behind the start of a path and the keys written so far.
    fn members(&mut self, start: &PathStart, keys: &[String], offset: u32) {
        if let PathStart::Name(name) = start
            && name == "meta"
        {
            for (name, text) in META {
                self.push(*name, CompletionKind::Field, *text);
            }
            return;
        }
        let node = match start {
            PathStart::Record => Some(&self.document.sample.record),
            PathStart::Wrapper => Some(&self.document.sample.wrapper),
            PathStart::Name(name) => self.document.shape_of_name(name, offset),
        };
        let record = match start {
            PathStart::Name(name) if node.is_none() => self.document.record_of_name(name, offset),
            _ => None,
        };
        let node = match &record {
            Some(Record::Shape(node)) => Some(node),
            Some(Record::Fields(fields)) if keys.is_empty() => return self.record_fields(fields),
            Some(Record::Fields(_)) => return,
            None => node,
        };
        let node = keys.iter().try_fold(node, |node, key| {
            let node = node?;
            match key.as_str() {
                "[*]" => node.elements.as_deref().map(Some),
                key => node.members.get(key).map(Some),
            }
        });
        if let Some(Some(node)) = node {
            self.fields(node, "");
        }
        if let (PathStart::Name(name), []) = (start, keys) {
            self.table_columns(name);
        }
    }

    fn record_fields(&mut self, fields: &[Field]) {
        for (name, detail) in fields {
            self.push_as(write::key(name), CompletionKind::Field, detail, None, 3);
        }
    }

    fn table_columns(&mut self, name: &str) {
        let tables = self.document.compiled.file.items.iter().filter_map(|item| match item {
            Item::Table(table) if table.name.node == name => Some(table),
            _ => None,
        });
        let columns: Vec<String> = tables
            .flat_map(|table| table.columns.iter().skip(1))
            .map(|(column, _)| column.node.clone())
            .collect();
        for column in columns {
            self.push(column, CompletionKind::Field, "column of the table");
        }
    }

    fn fields(&mut self, node: &Node, dot: &str) {
        for (name, member) in &node.members {
            let detail = match (&member.example, &member.elements) {
                (Some(example), _) => example.clone(),
                (None, Some(_)) => "a list".to_owned(),
                (None, None) if member.members.is_empty() => String::new(),
                (None, None) => "an object".to_owned(),
            };
            let label = format!("{dot}{}", write::key(name));
            self.push_as(label, CompletionKind::Field, detail, None, 3);
        }
    }
}

/// What `meta` has.
const META: &[(&str, &str)] = &[
    ("key", "the object's key"),
    ("bucket", "the object's bucket"),
    ("line", "the line on which the record starts"),
    ("offset", "the record's offset in the object"),
    ("received_at", "when the object was last modified, or arrived"),
    ("source", "the source's name"),
];

/// The settings of a format.
fn settings(format: &str) -> &'static [(&'static str, &'static str)] {
    match format {
        "csv" => &[
            ("delimiter", "the sign between cells, \",\""),
            ("quote", "the sign around cells, \"\\\"\""),
            ("header", "first_row or none"),
            ("columns", "the names, with `header none`"),
            ("decimal", "the decimal sign, \".\""),
            ("grouping", "the sign between thousands, or none"),
            ("encoding", "such as \"utf-8\", \"windows-1252\""),
            ("trim", "yes or no: spaces around cells"),
            ("comment", "the sign that a comment line starts with, or none"),
            ("max_record", "such as 64KiB"),
            ("compression", "auto, none, gzip or zstd"),
            ("empty", "missing or text"),
            ("utf8", "reject or replace"),
        ],
        _ => &[
            ("records", "where the records are: `$.data[*]` (json)"),
            ("max_record", "such as 1MiB"),
            ("blank_lines", "skip (ndjson)"),
            ("compression", "auto, none, gzip or zstd"),
            ("empty", "missing or text"),
            ("max_depth", "such as 64"),
            ("utf8", "reject or replace"),
            ("duplicate_keys", "first or reject"),
        ],
    }
}
