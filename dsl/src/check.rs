//! Checks a program and gives its typed tree.
//!
//! One pass over the syntax tree, top-down: the head and the input, then items in their order. An expression is checked
//! against the type that its target wants; a path has no type of its own, it is read as what is wanted. What is wrong is
//! reported once and yields `None`, on which everything around keeps silent (no cascades).
//!
//! - `head`: the header lines and the `input` block
//! - `names`: what a word stands for
//! - `expr`, `path`, `call`, `list`, `record`: expressions
//! - `event`, `emit`, `enums`, `ocsf_types`, `derive`: what an event holds
//! - `routing`: statements, and the rules about identity and counting
//! - `expect`, `given`: what the tests name, and whether their samples can be read
//! - `samples`: what the tests of the program show about its paths

mod advice;
mod attributes;
mod call;
mod constants;
mod depends;
mod derive;
mod emit;
mod enums;
mod event;
mod expect;
mod expr;
mod given;
mod given_json;
mod habits;
mod head;
mod list;
mod names;
mod ocsf_types;
mod path;
mod record;
mod record_hash;
mod routing;
mod samples;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use weir_engine::input::Input;
use weir_engine::plan::RedactStep;
use weir_engine::secrets::Secrets;
use weir_engine::types::NumberFormat;

use crate::ast;
use crate::diagnostic::Diagnostic;
use crate::hir;
use crate::ocsf::Schema;
use crate::source::{Source, Span};

pub(crate) use emit::json_text;
use names::{LetInfo, LoopInfo, Names, TableInfo};
pub(crate) use samples::documents;

/// Checks a program, whose secrets all have the test key. The tree is there iff no error was found.
pub fn check(file: &ast::File, source: &Source) -> (Option<hir::Program>, Vec<Diagnostic>) {
    check_with(file, source, &Secrets::test())
}

/// Checks a program that is to run with these secrets. The tree is there iff no error was found.
pub fn check_with(
    file: &ast::File,
    source: &Source,
    secrets: &Secrets,
) -> (Option<hir::Program>, Vec<Diagnostic>) {
    let mut reports = Reports::default();
    let Some(head) = head::check(file, &mut reports) else {
        return (None, reports.list);
    };
    let mut checker = Checker::new(source, head, reports, secrets.clone());
    checker.declare_tables(&file.items);
    checker.declare_raw(&file.items);
    let body = checker.program(&file.items);
    checker.compare_with_samples(file);
    checker.check_expectations(file);
    checker.check_samples(file);
    checker.advise(file);
    checker.finish(body)
}

/// What was found so far.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    list: Vec<Diagnostic>,
    /// What was reported where.
    known: HashSet<(&'static str, Span)>,
}

impl Reports {
    /// Adds a report, unless the same cause was reported at the same place: a `let` is checked for each of its uses.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        if self.known.insert((diagnostic.code, diagnostic.primary.span)) {
            self.list.push(diagnostic);
        }
    }

    /// Whether there is so much to say already that hints are not worth their time.
    fn are_many(&self) -> bool {
        self.list.len() > 200
    }

    fn has_errors(&self) -> bool {
        self.errors() > 0
    }

    /// How many errors there are; warnings and advice refuse nothing.
    fn errors(&self) -> usize {
        let is_error = |report: &&Diagnostic| report.severity == crate::diagnostic::Severity::Error;
        self.list.iter().filter(is_error).count()
    }
}

/// The header of a program, checked.
pub(crate) struct Head {
    pub(crate) parser: String,
    pub(crate) parser_version: u32,
    pub(crate) schema: &'static Schema,
    pub(crate) version_span: Span,
    /// Profiles with their places.
    pub(crate) profiles: Vec<(String, Span)>,
    pub(crate) product: String,
    pub(crate) vendor: Option<String>,
    pub(crate) input: Input,
    pub(crate) numbers: NumberFormat,
    pub(crate) optional_reject: bool,
}

/// The state of the one pass.
pub(crate) struct Checker<'a> {
    source: &'a Source,
    head: Head,
    reports: Reports,
    secrets: Secrets,
    /// The versions of those that the program names.
    secrets_used: BTreeMap<String, [u8; 32]>,
    names: Names,
    tables: Vec<TableInfo>,
    lets: Vec<LetInfo<'a>>,
    typed_lets: Vec<hir::Let>,
    loops: Vec<LoopInfo>,
    derived: Vec<hir::Derived>,
    /// What is known of each of `derived`.
    derived_info: Vec<record::DerivedInfo>,
    /// The regular expressions: where they stand, and how large they are compiled.
    patterns: Vec<(Span, usize)>,
    /// The loop around what is being checked.
    current_loop: Option<hir::LoopId>,
    /// What `it` stands for.
    current_element: Option<hir::Path>,
    redacted: Vec<Vec<RedactStep>>,
    raw: hir::Raw,
    /// Paths that are read as text of a time: path, expression, reader.
    time_reads: Vec<(hir::Path, Span, Option<Span>)>,
    /// Members around the records, and where they are read first.
    wrapper_reads: Vec<(Vec<String>, Span)>,
    /// The distinct paths so far.
    paths: HashSet<hir::Path>,
    /// Of all of them together, on every way through their choices.
    path_steps: usize,
    is_too_large: bool,
    /// Names that were looked up in vain.
    unknown_names: HashSet<String>,
    /// Profiles that a line needs and the file does not switch on.
    profiles_missed: Vec<&'static str>,
    emits: Vec<routing::EmitFacts>,
    whens: u32,
    /// Lines with a condition that reads a redacted path.
    redacted_conditions: BTreeSet<u32>,
    /// Objects that may turn out incomplete.
    incomplete: Vec<advice::Incomplete>,
    /// Columns whose absence was reported.
    columns_missed: Vec<String>,
    /// The class of each `emit`.
    emitted: Vec<&'static str>,
}

impl<'a> Checker<'a> {
    fn new(source: &'a Source, head: Head, reports: Reports, secrets: Secrets) -> Self {
        Self {
            source,
            head,
            reports,
            secrets,
            secrets_used: BTreeMap::new(),
            names: Names::default(),
            tables: Vec::new(),
            lets: Vec::new(),
            typed_lets: Vec::new(),
            loops: Vec::new(),
            derived: Vec::new(),
            derived_info: Vec::new(),
            patterns: Vec::new(),
            current_loop: None,
            current_element: None,
            redacted: Vec::new(),
            raw: hir::Raw::Keep,
            time_reads: Vec::new(),
            wrapper_reads: Vec::new(),
            paths: HashSet::new(),
            path_steps: 0,
            is_too_large: false,
            unknown_names: HashSet::new(),
            profiles_missed: Vec::new(),
            emits: Vec::new(),
            whens: 0,
            redacted_conditions: BTreeSet::new(),
            incomplete: Vec::new(),
            columns_missed: Vec::new(),
            emitted: Vec::new(),
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.reports.push(diagnostic);
    }

    fn finish(self, body: Vec<hir::Stmt>) -> (Option<hir::Program>, Vec<Diagnostic>) {
        if self.reports.has_errors() {
            return (None, self.reports.list);
        }
        let program = hir::Program {
            parser: self.head.parser,
            parser_version: self.head.parser_version,
            ocsf_version: self.head.schema.version.to_owned(),
            input: self.head.input,
            numbers: self.head.numbers,
            raw: self.raw,
            secrets: self
                .secrets_used
                .into_iter()
                .map(|(name, version)| hir::Secret { name, version })
                .collect(),
            tables: self.tables.into_iter().map(|table| table.hir).collect(),
            derived: self.derived,
            lets: self.typed_lets,
            redacted_conditions: self.redacted_conditions,
            body,
        };
        (Some(program), self.reports.list)
    }
}
