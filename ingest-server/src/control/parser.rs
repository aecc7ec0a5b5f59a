//! Parsers: programs under a name, in versions that never change.
//!
//! A version's number is the one that the program gives itself (`parser "x" version 3`), so that events say the same as
//! the registry. A version that does not compile is not kept; one whose tests fail is kept and cannot become the active
//! one.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use weir_dsl::diagnostic::{Diagnostic, Severity};
use weir_dsl::source::Source;
use weir_dsl::testing::run_tests;
use weir_dsl::{Compiled, compile};

use super::audit::{self, Changed};
use super::error::is_taken;
use super::{Caller, Control, ControlError, Result, as_json, new_id, now_ms, rfc3339};
use crate::store::hex;

const NAME_CHARS_MAX: usize = 128;

/// A program under a name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Parser {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    /// The version that sources follow; null if none was activated yet.
    #[schema(required)]
    pub(crate) active_version: Option<u32>,
    pub(crate) latest_version: u32,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    pub(crate) created_by: String,
}

/// One text of a parser. It never changes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ParserVersion {
    pub(crate) version: u32,
    /// The program.
    pub(crate) definition: String,
    pub(crate) plan_hash: String,
    /// How many tests it has.
    pub(crate) tests: u32,
    /// Those that fail: name, line and what is not as expected.
    #[schema(value_type = Vec<Object>)]
    pub(crate) test_failures: Value,
    pub(crate) created_at: String,
    pub(crate) created_by: String,
}

/// A parser that is to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewParser {
    /// By default the program's own name.
    pub(crate) name: Option<String>,
    pub(crate) description: String,
    pub(crate) definition: String,
}

/// A diagnostic as clients get it.
pub(crate) fn diagnostic_json(diagnostic: &Diagnostic, source: &Source) -> Value {
    let (line, col) = source.line_column(diagnostic.primary.span.start);
    let (end_line, end_col) = source.line_column(diagnostic.primary.span.end);
    json!({
        "line": line, "col": col, "end_line": end_line, "end_col": end_col,
        "code": diagnostic.code,
        "severity": match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Advice => "advice",
        },
        "message": diagnostic.message, "label": diagnostic.primary.message,
        "help": diagnostic.help, "note": diagnostic.note,
    })
}

/// A definition that compiles, and what its tests say.
struct Checked {
    name: String,
    definition: String,
    version: u32,
    plan_hash: String,
    tests: u32,
    failures: Value,
}

fn check(definition: &str) -> Result<Checked> {
    let source = Source::new("definition", definition);
    let compiled = compile(&source);
    let Compiled { plan: Some(plan), .. } = &compiled else {
        let details = compiled.diagnostics.iter().map(|d| diagnostic_json(d, &source)).collect();
        let first = compiled.diagnostics.iter().find(|d| d.severity == Severity::Error);
        let message = first.map_or_else(
            || "the program does not compile".to_owned(),
            |d| {
                let (line, col) = source.line_column(d.primary.span.start);
                format!("{line}:{col}: {}: {}", d.code, d.message)
            },
        );
        return Err(ControlError::Refused { code: "parser_compile_error", message, details });
    };
    let results = run_tests(&source, &compiled);
    let failures = results.iter().filter_map(|test| {
        let problem = test.failure.as_ref()?;
        Some(json!({ "name": test.name, "line": test.line, "message": problem }))
    });
    Ok(Checked {
        name: plan.parser.clone(),
        version: plan.parser_version,
        plan_hash: hex(&plan.hash),
        tests: u32::try_from(results.len()).unwrap_or(u32::MAX),
        failures: failures.collect(),
        definition: definition.to_owned(),
    })
}

impl Control {
    /// Makes a parser with its first version, which becomes the active one if its tests pass.
    pub(crate) fn create_parser(
        &self,
        caller: &Caller,
        new: NewParser,
    ) -> Result<(Parser, ParserVersion)> {
        let checked = check(&new.definition)?;
        let name = new.name.unwrap_or_else(|| checked.name.clone());
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
            return Err(ControlError::invalid("name", "has 1 to 128 characters"));
        }
        let (caller, description, id) = (caller.clone(), new.description, new_id());
        self.change(move |transaction| {
            let now = now_ms();
            let inserted = transaction.execute(
                "INSERT INTO parser(id, organization, name, description, created_at, updated_at,
                 created_by) VALUES (?, ?, ?, ?, ?, ?, ?)",
                params![id, caller.organization, name, description, now, now, caller.key],
            );
            match inserted {
                Err(error) if is_taken(&error) => {
                    let message = format!("there is a parser named `{name}`; add a version to it");
                    return Err(ControlError::conflict("name_taken", message));
                }
                other => other?,
            };
            let version = insert_version(transaction, &caller, &id, &checked)?;
            if checked.failures.as_array().is_some_and(Vec::is_empty) {
                set_active(transaction, &id, version.version)?;
            }
            let parser = find(transaction, &caller.organization, &id)?;
            let after = Some(as_json(&parser));
            audit::write(
                transaction,
                &caller,
                Changed { action: "parser.create", id: &id, before: None, after },
            )?;
            Ok((parser, version))
        })
    }

    /// Adds a version. Activating it is another step.
    pub(crate) fn add_version(
        &self,
        caller: &Caller,
        id: &str,
        definition: &str,
        activate: bool,
    ) -> Result<ParserVersion> {
        let checked = check(definition)?;
        let (caller, id, control) = (caller.clone(), id.to_owned(), self.clone());
        self.change(move |transaction| {
            let parser = find(transaction, &caller.organization, &id)?;
            if checked.version <= parser.latest_version {
                let next = parser.latest_version + 1;
                return Err(ControlError::conflict(
                    "version_exists",
                    format!(
                        "the program says `version {}` and versions never change: write `version {next}` \
                         in its `parser` line",
                        checked.version
                    ),
                ));
            }
            let version = insert_version(transaction, &caller, &id, &checked)?;
            transaction
                .execute("UPDATE parser SET updated_at = ? WHERE id = ?", params![now_ms(), id])?;
            let after = json!({
                "version": version.version, "plan_hash": version.plan_hash,
                "definition": version.definition,
            });
            audit::write(
                transaction,
                &caller,
                Changed { action: "parser.add_version", id: &id, before: None, after: Some(after) },
            )?;
            if activate {
                control.activate_in(transaction, &caller, &id, version.version)?;
            }
            Ok(version)
        })
    }

    /// Makes a version the one that sources follow.
    pub(crate) fn activate(&self, caller: &Caller, id: &str, number: u32) -> Result<Parser> {
        let (caller, id, control) = (caller.clone(), id.to_owned(), self.clone());
        self.change(move |transaction| control.activate_in(transaction, &caller, &id, number))
    }

    fn activate_in(
        &self,
        transaction: &Transaction<'_>,
        caller: &Caller,
        id: &str,
        number: u32,
    ) -> Result<Parser> {
        let before = find(transaction, &caller.organization, id)?;
        let version = find_version(transaction, id, number)?;
        if version.fails() {
            return Err(ControlError::Refused {
                code: "parser_tests_failed",
                message: "its own tests fail, so it cannot be activated".to_owned(),
                details: version.test_failures,
            });
        }
        self.check_followers(transaction, id, &version.definition)?;
        set_active(transaction, id, number)?;
        let after = find(transaction, &caller.organization, id)?;
        let (before, json) = (Some(as_json(&before)), Some(as_json(&after)));
        let changed = Changed { action: "parser.activate", id, before, after: json };
        audit::write(transaction, caller, changed)?;
        Ok(after)
    }

    /// Archives a parser that no living source uses.
    pub(crate) fn archive_parser(&self, caller: &Caller, id: &str) -> Result<()> {
        let (caller, id) = (caller.clone(), id.to_owned());
        self.change(move |transaction| {
            let parser = find(transaction, &caller.organization, &id)?;
            let user: Option<String> = transaction
                .query_row(
                    "SELECT name FROM ingestion_source WHERE parser = ? AND archived_at IS NULL",
                    [&id],
                    |row| row.get(0),
                )
                .optional()?;
            if let Some(user) = user {
                let message = format!("the source `{user}` uses it");
                return Err(ControlError::conflict("parser_in_use", message));
            }
            transaction
                .execute("UPDATE parser SET archived_at = ? WHERE id = ?", params![now_ms(), id])?;
            let before = Some(as_json(&parser));
            audit::write(
                transaction,
                &caller,
                Changed { action: "parser.archive", id: &id, before, after: None },
            )
        })
    }

    /// A page of an organisation's parsers, by id.
    pub(crate) fn parsers(
        &self,
        organization: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Parser>> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(&format!(
                "{SELECT} WHERE organization = ?1 AND archived_at IS NULL AND id > ?2
                 ORDER BY id LIMIT ?3"
            ))?;
            let rows =
                select.query_map(params![organization, after, limit.cast_signed()], parser)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    pub(crate) fn parser(&self, organization: &str, id: &str) -> Result<Parser> {
        self.read(|connection| find(connection, organization, id))
    }

    /// All versions of a parser, newest first.
    pub(crate) fn versions(&self, organization: &str, id: &str) -> Result<Vec<ParserVersion>> {
        self.read(|connection| {
            find(connection, organization, id)?;
            let mut select = connection.prepare_cached(&format!(
                "{SELECT_VERSION} WHERE parser = ?1 ORDER BY version DESC"
            ))?;
            let rows = select.query_map([id], version)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The version of a parser that sources follow.
    pub(crate) fn active_version(&self, id: &str) -> Result<u32> {
        self.read(|connection| {
            let mut select =
                connection.prepare_cached("SELECT active_version FROM parser WHERE id = ?")?;
            let active: Option<Option<u32>> =
                select.query_row([id], |row| row.get(0)).optional()?;
            active.flatten().ok_or(ControlError::NotFound("active parser version"))
        })
    }

    /// The text of a parser's version; `None` stands for the active one.
    pub(crate) fn definition(&self, id: &str, version: Option<u32>) -> Result<(u32, String)> {
        self.read(|connection| definition(connection, id, version))
    }
}

/// The text of a parser's version; `None` stands for the active one.
pub(super) fn definition(
    connection: &Connection,
    id: &str,
    version: Option<u32>,
) -> Result<(u32, String)> {
    connection
        .prepare_cached(
            "SELECT version, definition FROM parser_version WHERE parser = ?1 AND version =
             coalesce(?2, (SELECT active_version FROM parser WHERE id = ?1))",
        )?
        .query_row(params![id, version], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .ok_or(ControlError::NotFound(match version {
            Some(_) => "parser version",
            None => "active parser version",
        }))
}

const SELECT: &str = "SELECT id, name, description, active_version,
    (SELECT max(version) FROM parser_version WHERE parser = parser.id), created_at, updated_at, created_by
    FROM parser";
const SELECT_VERSION: &str = "SELECT version, definition, plan_hash, tests, failures, created_at,
    created_by FROM parser_version";

pub(super) fn find(connection: &Connection, organization: &str, id: &str) -> Result<Parser> {
    connection
        .prepare_cached(&format!(
            "{SELECT} WHERE organization = ? AND id = ? AND archived_at IS NULL"
        ))?
        .query_row([organization, id], parser)
        .optional()?
        .ok_or(ControlError::NotFound("parser"))
}

impl ParserVersion {
    /// Whether its own tests fail.
    pub(super) fn fails(&self) -> bool {
        self.test_failures.as_array().is_some_and(|failures| !failures.is_empty())
    }
}

pub(super) fn find_version(
    connection: &Connection,
    id: &str,
    number: u32,
) -> Result<ParserVersion> {
    connection
        .prepare_cached(&format!("{SELECT_VERSION} WHERE parser = ? AND version = ?"))?
        .query_row(params![id, number], version)
        .optional()?
        .ok_or(ControlError::NotFound("parser version"))
}

fn parser(row: &Row<'_>) -> rusqlite::Result<Parser> {
    Ok(Parser {
        id: row.get(0)?,
        name: row.get(1)?,
        description: row.get(2)?,
        active_version: row.get(3)?,
        latest_version: row.get(4)?,
        created_at: rfc3339(row.get(5)?),
        updated_at: rfc3339(row.get(6)?),
        created_by: row.get(7)?,
    })
}

fn version(row: &Row<'_>) -> rusqlite::Result<ParserVersion> {
    let failures: String = row.get(4)?;
    Ok(ParserVersion {
        version: row.get(0)?,
        definition: row.get(1)?,
        plan_hash: row.get(2)?,
        tests: row.get(3)?,
        test_failures: serde_json::from_str(&failures).unwrap_or_default(),
        created_at: rfc3339(row.get(5)?),
        created_by: row.get(6)?,
    })
}

fn insert_version(
    transaction: &Transaction<'_>,
    caller: &Caller,
    id: &str,
    checked: &Checked,
) -> Result<ParserVersion> {
    transaction.execute(
        "INSERT INTO parser_version(parser, version, definition, plan_hash, tests, failures, created_at,
         created_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            id,
            checked.version,
            checked.definition,
            checked.plan_hash,
            checked.tests,
            checked.failures.to_string(),
            now_ms(),
            caller.key
        ],
    )?;
    find_version(transaction, id, checked.version)
}

fn set_active(transaction: &Transaction<'_>, id: &str, version: u32) -> Result<()> {
    transaction.execute(
        "UPDATE parser SET active_version = ?, updated_at = ? WHERE id = ?",
        params![version, now_ms(), id],
    )?;
    Ok(())
}
