//! From the typed tree to the plan that the engine runs. Meaning stays; work that can be done once is done here:
//!
//! - the wanted paths of each scope become a trie, and a path in an expression becomes the number of a slot;
//! - `let`s become registers, evaluated at most once for each instance of their scope;
//! - the patterns of a `match` and the keys of a table are made fast to look up ([`Patterns`]);
//! - names in objects become numbers, so that constraints are looked up by index;
//! - what can be computed before the first record is (`optimise`).

mod derive;
mod expr;
mod optimise;
mod output;
mod scopes;

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use weir_engine::plan::{Column, Pattern, Patterns, Plan, Raw, Register, Stmt, Table};

use crate::hir;
use crate::source::Source;
use scopes::Scopes;

/// Lowers a checked program.
pub fn lower(program: &hir::Program, source: &Source) -> Plan {
    let mut lowering = Lowering::new(program, source);
    let body = lowering.stmts(&program.body);
    lowering.derived();
    let raw = match &program.raw {
        hir::Raw::Keep => Raw::Keep,
        hir::Raw::Drop => Raw::Drop,
        hir::Raw::Hash => Raw::Hash,
        hir::Raw::Redact(paths) => Raw::Redact(paths.clone()),
    };
    let (scopes, choices, wrapper_parts) = lowering.scopes.finish();
    let mut plan = Plan {
        parser: program.parser.clone(),
        parser_version: program.parser_version,
        ocsf_version: program.ocsf_version.clone(),
        input: program.input.clone(),
        numbers: program.numbers,
        scopes,
        choices,
        wrapper_parts,
        exprs: lowering.exprs,
        registers: lowering.registers,
        tables: program.tables.iter().map(table).collect(),
        body,
        emits: lowering.emits,
        raw,
        raw_data_chars_max: crate::ocsf::raw_data_chars_max(&program.ocsf_version),
        redacted_conditions: program.redacted_conditions.clone(),
        hash: hash(program, source),
    };
    optimise::optimise(&mut plan);
    plan
}

/// Identifies everything that the meaning of a plan depends on: the text (with its edition and its pin), the facts of
/// the schema, the zone database, the engine, and the keys of its secrets.
fn hash(program: &hir::Program, source: &Source) -> [u8; 32] {
    let parts: [&[u8]; 4] = [
        env!("CARGO_PKG_VERSION").as_bytes(),
        weir_engine::time_format::tzdb_version().as_bytes(),
        crate::ocsf::facts(&program.ocsf_version).as_bytes(),
        source.text.as_bytes(),
    ];
    let mut hash = Sha256::new();
    let secrets = program.secrets.iter();
    let secrets = secrets.flat_map(|secret| [secret.name.as_bytes(), &secret.version]);
    for part in parts.into_iter().chain(secrets) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// The state of lowering.
struct Lowering<'p> {
    program: &'p hir::Program,
    source: &'p Source,
    scopes: Scopes,
    exprs: Vec<weir_engine::plan::Expr>,
    registers: Vec<Register>,
    /// The register of each `let` that is used.
    lets: HashMap<usize, u32>,
    emits: Vec<weir_engine::plan::Emit>,
}

impl<'p> Lowering<'p> {
    fn new(program: &'p hir::Program, source: &'p Source) -> Self {
        Self {
            program,
            source,
            scopes: Scopes::new(program),
            exprs: Vec::new(),
            registers: Vec::new(),
            lets: HashMap::new(),
            emits: Vec::new(),
        }
    }

    fn stmts(&mut self, stmts: &[hir::Stmt]) -> Vec<Stmt> {
        stmts.iter().map(|stmt| self.stmt(stmt)).collect()
    }

    fn stmt(&mut self, stmt: &hir::Stmt) -> Stmt {
        match stmt {
            hir::Stmt::Filter { keep, condition } => Stmt::Filter {
                keep: *keep,
                line: self.source.line(condition.span.start),
                condition: self.expr(condition),
            },
            hir::Stmt::When { arms, otherwise } => Stmt::When {
                arms: arms
                    .iter()
                    .map(|(condition, body)| {
                        let line = self.source.line(condition.span.start);
                        (self.expr(condition), self.stmts(body), line)
                    })
                    .collect(),
                otherwise: self.stmts(otherwise),
            },
            hir::Stmt::Each { array, id, max, body, span } => {
                let (array, scope) = self.scopes.enter(array, *id);
                let body = self.stmts(body);
                Stmt::Each { array, scope, max: *max, body, line: self.source.line(span.start) }
            }
            hir::Stmt::Emit(emit) => {
                let emit = self.emit(emit);
                self.emits.push(emit);
                Stmt::Emit((self.emits.len() - 1) as u16)
            }
            hir::Stmt::Drop(_) => Stmt::Drop,
            hir::Stmt::Reject(reason, span) => {
                Stmt::Reject { reason: reason.clone(), line: self.source.line(span.start) }
            }
        }
    }

    fn emit(&mut self, emit: &hir::Emit) -> weir_engine::plan::Emit {
        let columns = Column::ALL.map(|column| self.field(&emit.columns[column as usize]));
        let extra =
            emit.extra.iter().map(|(name, field)| (name.clone(), self.field(field))).collect();
        let mut members = 0;
        let root = self.object(&emit.root, &mut members);
        weir_engine::plan::Emit {
            class: emit.class.clone(),
            columns,
            extra,
            root,
            members,
            constant_lines: Vec::new(),
            line: self.source.line(emit.span.start),
        }
    }
}

fn table(table: &hir::Table) -> Table {
    let keys = table
        .rows
        .iter()
        .zip(0..)
        .flat_map(|(row, index)| row.keys.iter().map(move |key| (pattern(key), index)));
    let keys = Patterns::new(keys);
    let mut rows: Vec<_> = table.rows.iter().map(|row| row.cells.clone()).collect();
    let otherwise = table.otherwise.as_ref().map(|cells| {
        rows.push(cells.clone());
        (rows.len() - 1) as u32
    });
    Table { name: table.name.clone(), keys, otherwise, rows }
}

fn pattern(pattern: &hir::TextPattern) -> Pattern<'_> {
    match pattern {
        hir::TextPattern::Exact(text) => Pattern::Exact(text),
        hir::TextPattern::Prefix(text) => Pattern::Prefix(text),
    }
}
