//! Ingestion sources: where events come from, by which parser, with which secrets.
//!
//! What a source is asked to be is checked before it is stored, field by field. Its webhook secret is kept as a hash,
//! the credentials for its upstream sealed. The status follows from what there is: `disabled` is what somebody said and
//! nothing else undoes; `active` is a source that has stored an event.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use weir_dsl::source::Source as ProgramText;
use weir_dsl::{compile, compile_with};
use weir_engine::plan::Plan;
use weir_engine::secrets::Secrets;

use super::audit::{self, Changed};
use super::error::is_taken;
use super::parser;
use super::run;
use super::{Caller, Control, ControlError, Result, as_json, new_id, now_ms, rfc3339};
use crate::pull::{FieldError, S3Polling, Schedule};
use crate::vault::new_secret;

const SECRET_PREFIX: &str = "lw_is_";
/// How much of a secret is shown, so that people know it again.
const SHOWN_BYTES: usize = 12;
/// How long a secret lives on after it was rotated.
const PRIOR_SECRET_MS: i64 = 24 * 3_600_000;
const NAME_CHARS_MAX: usize = 128;
const DESCRIPTION_CHARS_MAX: usize = 4096;
const CREDENTIALS_MAX: usize = 64;
const CREDENTIAL_BYTES_MAX: usize = 64 << 10;

/// The kinds of sources. What each of them does if nothing else is said: see [`default_mode`].
const SOURCE_TYPES: [&str; 8] = [
    "s3_custom",
    "http_custom",
    "claude_compliance",
    "openai_compliance",
    "copilot_studio",
    "workato",
    "langsmith_engine",
    "otel_generic",
];

/// How records come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// By the webhook.
    Push,
    /// By polling.
    Pull,
    /// By both.
    Both,
}

impl Mode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Pull => "pull",
            Self::Both => "both",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "pull" => Self::Pull,
            "both" => Self::Both,
            _ => Self::Push,
        }
    }

    pub(crate) fn pushes(self) -> bool {
        self != Self::Pull
    }

    pub(crate) fn pulls(self) -> bool {
        self != Self::Push
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SourceStatus {
    AwaitingFirstEvent,
    Active,
    Disabled,
}

/// A source, as clients see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct IngestionSource {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) source_type: String,
    pub(crate) status: SourceStatus,
    pub(crate) mode: Mode,
    #[schema(required)]
    pub(crate) parser_id: Option<String>,
    /// Null follows the parser's active version.
    #[schema(required)]
    pub(crate) parser_version: Option<u32>,
    #[schema(value_type = Option<Object>, required)]
    pub(crate) pull_config: Option<Value>,
    /// Five fields of cron, in UTC.
    #[schema(required)]
    pub(crate) pull_schedule: Option<String>,
    #[schema(required)]
    pub(crate) poll_every_sec: Option<u32>,
    pub(crate) has_credentials: bool,
    /// How the current webhook secret begins.
    pub(crate) secret_prefix: String,
    #[schema(required)]
    pub(crate) secret_rotated_at: Option<String>,
    /// When the last of the prior secrets ends.
    #[schema(required)]
    pub(crate) prior_secret_expires_at: Option<String>,
    #[schema(required)]
    pub(crate) cursor: Option<String>,
    pub(crate) consecutive_errors: u32,
    #[schema(required)]
    pub(crate) last_event_at: Option<String>,
    #[schema(required)]
    pub(crate) last_run_at: Option<String>,
    #[schema(required)]
    pub(crate) last_success_at: Option<String>,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    #[schema(required)]
    pub(crate) archived_at: Option<String>,
    pub(crate) created_by: String,
}

/// A source, as the server works with it.
#[derive(Debug, Clone)]
pub(crate) struct StoredSource {
    pub(crate) source: IngestionSource,
    /// What the puller remembers.
    pub(crate) discovery: Option<String>,
    /// What the last scheduled run was scheduled for.
    pub(crate) scheduled_for_ms: Option<i64>,
    pub(crate) created_at_ms: i64,
    pub(crate) last_error: Option<Value>,
    sealed_credentials: Option<Vec<u8>>,
}

impl StoredSource {
    pub(crate) fn is_living(&self) -> bool {
        self.source.archived_at.is_none() && self.source.status != SourceStatus::Disabled
    }

    /// When it is to be polled; `None` if it is not.
    pub(crate) fn schedule(&self) -> Option<Schedule> {
        let IngestionSource { pull_schedule, poll_every_sec, .. } = &self.source;
        schedule(&self.polling().ok()?, pull_schedule.as_deref(), *poll_every_sec).ok().flatten()
    }

    /// What it polls.
    pub(super) fn polling(&self) -> Result<S3Polling> {
        let IngestionSource { mode, pull_config, .. } = &self.source;
        let not_polled = |why: String| ControlError::conflict("not_polled", why);
        let Some(config) = pull_config.as_ref().filter(|_| mode.pulls()) else {
            let why = "the source has no pull_config, or its mode is push";
            return Err(not_polled(why.to_owned()));
        };
        S3Polling::parse(config).map_err(|errors| {
            let why = errors.first().map(FieldError::to_string);
            not_polled(why.unwrap_or_default())
        })
    }
}

/// Keys and values for the upstream, and for the secrets that a program names. `Debug` hides the values.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Credentials(pub(crate) BTreeMap<String, String>);

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A source that is to be made.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewSource {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) source_type: String,
    pub(crate) mode: Option<Mode>,
    pub(crate) parser_id: Option<String>,
    pub(crate) parser_version: Option<u32>,
    pub(crate) pull_config: Option<Value>,
    pub(crate) pull_schedule: Option<String>,
    pub(crate) poll_every_sec: Option<u32>,
    pub(crate) credentials: Credentials,
}

/// What is to change of a source. `Some(None)` takes a value away.
#[derive(Debug, Clone, Default)]
pub(crate) struct SourceChange {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) mode: Option<Mode>,
    /// Only `disabled`, and `active` to undo it.
    pub(crate) is_disabled: Option<bool>,
    pub(crate) parser_id: Option<Option<String>>,
    pub(crate) parser_version: Option<Option<u32>>,
    pub(crate) pull_config: Option<Option<Value>>,
    pub(crate) pull_schedule: Option<Option<String>>,
    pub(crate) poll_every_sec: Option<Option<u32>>,
    /// Key by key: null takes one away, those that are not named stay.
    pub(crate) credentials: BTreeMap<String, Option<String>>,
}

/// What a source does if nothing else is said.
fn default_mode(source_type: &str) -> Mode {
    match source_type {
        "s3_custom" => Mode::Both,
        "claude_compliance" | "openai_compliance" | "copilot_studio" => Mode::Pull,
        _ => Mode::Push,
    }
}

fn credentials_for(source: &str) -> String {
    format!("credentials of {source}")
}

/// When to poll: what the source says, else what its configuration says.
fn schedule(
    config: &S3Polling,
    pull_schedule: Option<&str>,
    poll_every_sec: Option<u32>,
) -> std::result::Result<Option<Schedule>, FieldError> {
    match (pull_schedule, poll_every_sec) {
        (Some(_), Some(_)) => Err(FieldError::new(
            "poll_every_sec",
            "stands beside `pull_schedule`: give one of them",
        )),
        (Some(cron), None) => Schedule::cron(cron)
            .map(Some)
            .map_err(|problem| FieldError::new("pull_schedule", problem.to_string())),
        (None, Some(seconds)) => Schedule::every(u64::from(seconds))
            .map(Some)
            .map_err(|problem| FieldError::new("poll_every_sec", problem.to_string())),
        (None, None) => Ok(config.schedule.clone()),
    }
}

/// What is wrong with how a bucket is reached: credentials that are named must be there, and what the machine itself may
/// read is for the organisation that it belongs to, which is the first.
fn check_access(
    connection: &Connection,
    caller: &Caller,
    config: &S3Polling,
    credentials: &Credentials,
) -> Result<Option<FieldError>> {
    let has = |name: &str| credentials.0.contains_key(name);
    if let Some(name) = &config.credential_ref {
        let parts = ["access_key_id", "secret_access_key"].map(|part| format!("{name}.{part}"));
        if let Some(missing) = parts.iter().find(|part| !has(part)) {
            let problem = format!("names `{missing}`, which is not among the `credentials`");
            return Ok(Some(FieldError::new("pull_config.credentialRef", problem)));
        }
    }
    if config.credential_ref.is_some() || has("access_key_id") {
        return Ok(None);
    }
    if config.role_arn.is_some() && config.external_id.is_some() {
        return Ok(None);
    }
    let first: String =
        connection.query_row("SELECT min(id) FROM organization", [], |row| row.get(0))?;
    Ok((caller.organization != first).then(|| {
        let problem = "are missing: give an access key, or a role with an external id; what the server's \
                       machine may read is for its own organisation";
        FieldError::new("credentials", problem)
    }))
}

impl Control {
    /// Makes a source; gives its webhook secret, which is shown only now.
    pub(crate) fn create_source(
        &self,
        caller: &Caller,
        new: NewSource,
    ) -> Result<(IngestionSource, String)> {
        let mode = new.mode.unwrap_or_else(|| default_mode(&new.source_type));
        let secret = new_secret(SECRET_PREFIX);
        let (hash, shown) = (self.vault.hash(secret.as_bytes()), shown(&secret));
        let (control, caller, id) = (self.clone(), caller.clone(), new_id());
        let made = self.change(move |transaction| {
            control.check_source(transaction, &caller, &new, mode)?;
            let sealed = control.seal_credentials(&id, &new.credentials);
            let now = now_ms();
            let inserted = transaction.execute(
                "INSERT INTO ingestion_source(id, organization, name, description, source_type, mode,
                 parser, parser_version, pull_config, pull_schedule, poll_every_sec, credentials,
                 created_at, updated_at, created_by)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    id,
                    caller.organization,
                    new.name,
                    new.description,
                    new.source_type,
                    mode.as_str(),
                    new.parser_id,
                    new.parser_version,
                    new.pull_config.map(|config| config.to_string()),
                    new.pull_schedule,
                    new.poll_every_sec,
                    sealed,
                    now,
                    now,
                    caller.key
                ],
            );
            named(inserted, &new.name)?;
            insert_secret(transaction, &id, &hash, &shown)?;
            let made = find(transaction, &caller.organization, &id)?.source;
            let after = Some(as_json(&made));
            audit::write(
                transaction,
                &caller,
                Changed { action: "ingestion_source.create", id: &id, before: None, after },
            )?;
            Ok(made)
        })?;
        Ok((made, secret))
    }

    /// Changes a source. Its cursor stays where it is.
    pub(crate) fn update_source(
        &self,
        caller: &Caller,
        id: &str,
        change: SourceChange,
    ) -> Result<IngestionSource> {
        let (control, caller, id) = (self.clone(), caller.clone(), id.to_owned());
        self.change(move |transaction| {
            let stored = find_living(transaction, &caller.organization, &id)?;
            let before = stored.source.clone();
            let is_disabled = change.is_disabled.unwrap_or(before.status == SourceStatus::Disabled);
            let mut credentials = control.credentials(&stored)?;
            let renews_credentials = !change.credentials.is_empty();
            for (name, value) in change.credentials {
                match value {
                    Some(value) => credentials.0.insert(name, value),
                    None => credentials.0.remove(&name),
                };
            }
            let wanted = NewSource {
                name: change.name.unwrap_or_else(|| before.name.clone()),
                description: change.description.unwrap_or_else(|| before.description.clone()),
                source_type: before.source_type.clone(),
                mode: Some(change.mode.unwrap_or(before.mode)),
                parser_id: change.parser_id.unwrap_or_else(|| before.parser_id.clone()),
                parser_version: change.parser_version.unwrap_or(before.parser_version),
                pull_config: change.pull_config.unwrap_or_else(|| before.pull_config.clone()),
                pull_schedule: change.pull_schedule.unwrap_or_else(|| before.pull_schedule.clone()),
                poll_every_sec: change.poll_every_sec.unwrap_or(before.poll_every_sec),
                credentials,
            };
            let mode = wanted.mode.unwrap_or(before.mode);
            let is_rescheduled = wanted.pull_schedule != before.pull_schedule
                || wanted.poll_every_sec != before.poll_every_sec
                || (wanted.pull_config.is_some() && before.pull_config.is_none());
            let is_elsewhere = wanted.pull_config != before.pull_config;
            control.check_source(transaction, &caller, &wanted, mode)?;
            let sealed = match renews_credentials {
                true => control.seal_credentials(&id, &wanted.credentials),
                false => stored.sealed_credentials,
            };
            let updated = transaction.execute(
                "UPDATE ingestion_source SET name = ?, description = ?, mode = ?, is_disabled = ?,
                 parser = ?, parser_version = ?, pull_config = ?, pull_schedule = ?,
                 poll_every_sec = ?, credentials = ?, updated_at = ? WHERE id = ?",
                params![
                    wanted.name,
                    wanted.description,
                    mode.as_str(),
                    is_disabled,
                    wanted.parser_id,
                    wanted.parser_version,
                    wanted.pull_config.map(|config| config.to_string()),
                    wanted.pull_schedule,
                    wanted.poll_every_sec,
                    sealed,
                    now_ms(),
                    id
                ],
            );
            named(updated, &wanted.name)?;
            if is_rescheduled {
                // Nothing of the new schedule was missed.
                transaction.execute(
                    "UPDATE ingestion_source SET scheduled_for = ? WHERE id = ?",
                    params![now_ms(), id],
                )?;
            }
            if is_disabled || !mode.pulls() || is_elsewhere {
                run::end_running(transaction, &id)?;
            }
            // What failed may have failed for what has just been changed.
            transaction
                .execute("UPDATE object_failure SET retry_at = 0 WHERE source = ?", [&id])?;
            let after = find(transaction, &caller.organization, &id)?.source;
            let (before, json) = (Some(as_json(&before)), Some(as_json(&after)));
            audit::write(
                transaction,
                &caller,
                Changed { action: "ingestion_source.update", id: &id, before, after: json },
            )?;
            Ok(after)
        })
    }

    /// Takes a source out of service for good; its events stay, its name is free.
    pub(crate) fn archive_source(&self, caller: &Caller, id: &str) -> Result<()> {
        let (caller, id) = (caller.clone(), id.to_owned());
        self.change(move |transaction| {
            let before = find_living(transaction, &caller.organization, &id)?.source;
            transaction.execute(
                "UPDATE ingestion_source SET archived_at = ?, updated_at = ? WHERE id = ?",
                params![now_ms(), now_ms(), id],
            )?;
            run::end_running(transaction, &id)?;
            transaction.execute("DELETE FROM ingest_secret WHERE source = ?", [&id])?;
            let after = Some(as_json(&find(transaction, &caller.organization, &id)?.source));
            let before = Some(as_json(&before));
            audit::write(
                transaction,
                &caller,
                Changed { action: "ingestion_source.archive", id: &id, before, after },
            )
        })
    }

    /// Gives a source a new webhook secret; the prior ones live on for a day each.
    pub(crate) fn rotate_secret(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<(IngestionSource, String)> {
        let secret = new_secret(SECRET_PREFIX);
        let (hash, shown) = (self.vault.hash(secret.as_bytes()), shown(&secret));
        let (caller, id) = (caller.clone(), id.to_owned());
        let source = self.change(move |transaction| {
            let before = find_living(transaction, &caller.organization, &id)?.source;
            let now = now_ms();
            transaction.execute(
                "DELETE FROM ingest_secret WHERE source = ? AND expires_at < ?",
                params![id, now],
            )?;
            transaction.execute(
                "UPDATE ingest_secret SET expires_at = ? WHERE source = ? AND expires_at IS NULL",
                params![now + PRIOR_SECRET_MS, id],
            )?;
            insert_secret(transaction, &id, &hash, &shown)?;
            let after = find(transaction, &caller.organization, &id)?.source;
            let (before, json) = (Some(as_json(&before)), Some(as_json(&after)));
            audit::write(
                transaction,
                &caller,
                Changed { action: "ingestion_source.rotate", id: &id, before, after: json },
            )?;
            Ok(after)
        })?;
        Ok((source, secret))
    }

    /// A page of an organisation's sources, by id.
    pub(crate) fn sources(
        &self,
        organization: &str,
        include_archived: bool,
        after: &str,
        limit: usize,
    ) -> Result<Vec<IngestionSource>> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(&format!(
                "{SELECT} WHERE organization = ?1 AND s.id > ?2 AND (?3 OR archived_at IS NULL)
                 ORDER BY s.id LIMIT ?4"
            ))?;
            let rows = select.query_map(
                params![organization, after, include_archived, limit.cast_signed()],
                stored_source,
            )?;
            Ok(rows.map(|row| row.map(|stored| stored.source)).collect::<Result<_, _>>()?)
        })
    }

    pub(crate) fn source(&self, organization: &str, id: &str) -> Result<StoredSource> {
        self.read(|connection| find(connection, organization, id))
    }

    /// All sources that are polled.
    pub(crate) fn polled_sources(&self) -> Result<Vec<StoredSource>> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(&format!(
                "{SELECT} WHERE archived_at IS NULL AND is_disabled = 0 AND mode != 'push'
                 AND pull_config IS NOT NULL ORDER BY s.id"
            ))?;
            let rows = select.query_map([], stored_source)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The source that a webhook secret belongs to, if it is that of `id`. Takes as long for a wrong one.
    pub(crate) fn source_by_secret(&self, id: &str, secret: &str) -> Result<Option<StoredSource>> {
        let (found, hashes) = self.read(|connection| -> Result<_> {
            let mut select = connection.prepare_cached(&format!("{SELECT} WHERE s.id = ?1"))?;
            let found = select.query_row([id], stored_source).optional()?;
            let mut select = connection.prepare_cached(
                "SELECT hash FROM ingest_secret WHERE source = ? AND coalesce(expires_at > ?, 1)",
            )?;
            let hashes = select.query_map(params![id, now_ms()], |row| row.get::<_, Vec<u8>>(0))?;
            Ok((found, hashes.collect::<Result<Vec<_>, _>>()?))
        })?;
        // One hash at least, so that a source that is not there takes no less.
        let mut matches = self.vault.matches(secret.as_bytes(), &[0; 32]);
        for hash in &hashes {
            matches |= self.vault.matches(secret.as_bytes(), hash);
        }
        Ok(found.filter(|stored| matches && stored.is_living()))
    }

    /// A source's credentials.
    pub(crate) fn credentials(&self, stored: &StoredSource) -> Result<Credentials> {
        let Some(sealed) = &stored.sealed_credentials else { return Ok(Credentials::default()) };
        let what = credentials_for(&stored.source.id);
        let opened = self.vault.open_sealed(sealed, &what).ok_or(ControlError::OtherKey)?;
        serde_json::from_slice(&opened).map_err(|_| ControlError::OtherKey)
    }

    fn seal_credentials(&self, id: &str, credentials: &Credentials) -> Option<Vec<u8>> {
        let text = serde_json::to_vec(credentials).expect("a map of text");
        (!credentials.0.is_empty()).then(|| self.vault.seal(&text, &credentials_for(id)))
    }

    /// Everything that can be wrong with a source, field by field.
    fn check_source(
        &self,
        connection: &Connection,
        caller: &Caller,
        wanted: &NewSource,
        mode: Mode,
    ) -> Result<()> {
        let mut wrong = check_texts(wanted);
        let config = match &wanted.pull_config {
            None => None,
            Some(config) => S3Polling::parse(config).map_err(|errors| wrong.extend(errors)).ok(),
        };
        match (&config, &wanted.pull_config) {
            (Some(config), _) => {
                let schedule =
                    schedule(config, wanted.pull_schedule.as_deref(), wanted.poll_every_sec);
                wrong.extend(schedule.err());
            }
            (None, Some(_)) => {}
            (None, None) => {
                if mode == Mode::Pull {
                    wrong.push(FieldError::new(
                        "pull_config",
                        "is missing: this version polls S3 (`adapter`: \"s3_polling\"); sources of other \
                         kinds can push, with `mode`: \"push\"",
                    ));
                }
                if wanted.pull_schedule.is_some() || wanted.poll_every_sec.is_some() {
                    wrong.push(FieldError::new(
                        "pull_config",
                        "is missing: there is nothing to poll",
                    ));
                }
            }
        }
        if wanted.parser_id.is_none() && wanted.parser_version.is_some() {
            wrong.push(FieldError::new("parser_version", "stands without `parser_id`"));
        }
        if config.is_some()
            && wanted.parser_id.is_none()
            && wanted.source_type != "langsmith_engine"
        {
            wrong.push(match config.as_ref().is_some_and(|config| config.event_mapping.is_some()) {
                true => FieldError::new(
                    "pull_config.eventMapping",
                    "stands without a parser: let `weir migrate` make a program of it, add that as a \
                     parser, and name it in `parser_id`",
                ),
                false => FieldError::new("parser_id", "is missing: what is pulled needs a parser"),
            });
        }
        if let Some(config) = &config {
            wrong.extend(check_access(connection, caller, config, &wanted.credentials)?);
        }
        if !wrong.is_empty() {
            return Err(ControlError::Invalid(wrong));
        }
        let Some(parser_id) = &wanted.parser_id else { return Ok(()) };
        let not_found = |field| move |_| ControlError::invalid(field, "there is no such parser");
        parser::find(connection, &caller.organization, parser_id)
            .map_err(not_found("parser_id"))?;
        let field = if wanted.parser_version.is_some() { "parser_version" } else { "parser_id" };
        let (_, definition) = parser::definition(connection, parser_id, wanted.parser_version)
            .map_err(|_| {
                ControlError::invalid(field, "there is no such version, or none is active yet")
            })?;
        if let Some(version) = wanted.parser_version
            && parser::find_version(connection, parser_id, version)?.fails()
        {
            let message = "its own tests fail, so no source can be given it";
            return Err(ControlError::invalid("parser_version", message));
        }
        let plan = plan_with_secrets(&definition, &wanted.credentials)?;
        match config.map(|config| config.check_against(&plan)) {
            Some(Err(errors)) => Err(ControlError::Invalid(errors)),
            _ => Ok(()),
        }
    }

    /// Whether a text of a parser suits the sources that would follow it.
    pub(super) fn check_followers(
        &self,
        connection: &Connection,
        parser: &str,
        definition: &str,
    ) -> Result<()> {
        let mut select = connection.prepare_cached(&format!(
            "{SELECT} WHERE s.parser = ?1 AND parser_version IS NULL AND archived_at IS NULL"
        ))?;
        let followers = select.query_map([parser], stored_source)?;
        for stored in followers {
            let stored = stored?;
            let about = |problem: String| ControlError::Refused {
                code: "parser_does_not_suit",
                message: format!(
                    "the source `{}` follows this parser: {problem}",
                    stored.source.name
                ),
                details: Value::Array(Vec::new()),
            };
            let plan = plan_with_secrets(definition, &self.credentials(&stored)?)
                .map_err(|error| about(error.to_string()))?;
            let config = stored.source.pull_config.as_ref().and_then(|c| S3Polling::parse(c).ok());
            if let Some(Err(errors)) = config.map(|config| config.check_against(&plan)) {
                let problem = errors.iter().map(FieldError::to_string);
                return Err(about(problem.collect::<Vec<_>>().join("; ")));
            }
        }
        Ok(())
    }
}

/// Compiles a program with the secrets that it names, from a source's credentials.
pub(crate) fn plan_with_secrets(
    definition: &str,
    credentials: &Credentials,
) -> Result<std::sync::Arc<Plan>> {
    let text = ProgramText::new("definition", definition);
    let compiled = compile(&text);
    let refused = || ControlError::Refused {
        code: "parser_compile_error",
        message: "the parser does not compile under this version of weir".to_owned(),
        details: Value::Array(Vec::new()),
    };
    let program = compiled.program.ok_or_else(refused)?;
    if program.secrets.is_empty() {
        return compiled.plan.ok_or_else(refused);
    }
    let mut secrets = Vec::new();
    for secret in &program.secrets {
        let key = credentials.0.get(&secret.name).ok_or_else(|| {
            ControlError::invalid(
                format!("credentials.{}", secret.name),
                "is missing: the parser makes hashes with this secret",
            )
        })?;
        secrets.push((secret.name.clone(), key.clone().into_bytes()));
    }
    let secrets: Secrets = secrets.into_iter().collect();
    compile_with(&text, &secrets).plan.ok_or_else(refused)
}

fn check_texts(wanted: &NewSource) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    let mut refuse = |field: &str, message: &str| wrong.push(FieldError::new(field, message));
    let length = wanted.name.chars().count();
    if length == 0 || length > NAME_CHARS_MAX || wanted.name.chars().any(char::is_control) {
        refuse("name", "has 1 to 128 characters, none of them control characters");
    }
    if wanted.description.chars().count() > DESCRIPTION_CHARS_MAX {
        refuse("description", "has at most 4096 characters");
    }
    if !SOURCE_TYPES.contains(&wanted.source_type.as_str()) {
        refuse("source_type", &format!("is none of {}", SOURCE_TYPES.join(", ")));
    }
    if wanted.credentials.0.len() > CREDENTIALS_MAX {
        refuse("credentials", "are more than 64");
    }
    for (name, value) in &wanted.credentials.0 {
        if name.is_empty() || value.is_empty() || value.len() > CREDENTIAL_BYTES_MAX {
            refuse(&format!("credentials.{name}"), "is empty or longer than 64 KiB");
        }
    }
    wrong
}

fn named(written: rusqlite::Result<usize>, name: &str) -> Result<()> {
    match written {
        Err(error) if is_taken(&error) => {
            Err(ControlError::conflict("name_taken", format!("there is a source named `{name}`")))
        }
        other => {
            other?;
            Ok(())
        }
    }
}

fn insert_secret(
    transaction: &Transaction<'_>,
    source: &str,
    hash: &[u8],
    prefix: &str,
) -> Result<()> {
    transaction.execute(
        "INSERT INTO ingest_secret(source, hash, prefix, created_at) VALUES (?, ?, ?, ?)",
        params![source, hash, prefix, now_ms()],
    )?;
    Ok(())
}

fn shown(secret: &str) -> String {
    secret.chars().take(SHOWN_BYTES).collect()
}

/// `stored` is the source as the events know it; it is there once something was stored.
const SELECT: &str = "SELECT s.id, s.organization, s.name, s.description, s.source_type, s.mode,
    s.is_disabled, s.parser, s.parser_version, s.pull_config, s.pull_schedule, s.poll_every_sec,
    s.credentials, s.discovery, s.cursor, s.consecutive_errors, s.last_error, s.scheduled_for, s.last_run_at,
    s.last_success_at, s.created_at, s.updated_at, s.created_by, s.archived_at, stored.events,
    stored.last_event_at,
    (SELECT prefix FROM ingest_secret i WHERE i.source = s.id AND i.expires_at IS NULL),
    (SELECT created_at FROM ingest_secret i WHERE i.source = s.id AND i.expires_at IS NULL),
    (SELECT max(expires_at) FROM ingest_secret i WHERE i.source = s.id)
    FROM ingestion_source s LEFT JOIN source stored ON stored.name = s.id";

pub(super) fn find(connection: &Connection, organization: &str, id: &str) -> Result<StoredSource> {
    connection
        .prepare_cached(&format!("{SELECT} WHERE s.organization = ?1 AND s.id = ?2"))?
        .query_row([organization, id], stored_source)
        .optional()?
        .ok_or(ControlError::NotFound("ingestion source"))
}

/// Any organisation's source.
pub(super) fn of_anybody(connection: &Connection, id: &str) -> Result<Option<StoredSource>> {
    let mut select = connection.prepare_cached(&format!("{SELECT} WHERE s.id = ?1"))?;
    Ok(select.query_row([id], stored_source).optional()?)
}

fn find_living(connection: &Connection, organization: &str, id: &str) -> Result<StoredSource> {
    let stored = find(connection, organization, id)?;
    match stored.source.archived_at {
        None => Ok(stored),
        Some(_) => Err(ControlError::conflict("archived", "the source is archived")),
    }
}

fn stored_source(row: &Row<'_>) -> rusqlite::Result<StoredSource> {
    let time = |column: &str| row.get::<_, Option<i64>>(column).map(|ms| ms.map(rfc3339));
    let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
    let is_disabled: bool = row.get("is_disabled")?;
    let events: Option<i64> = row.get("events")?;
    let created_at_ms: i64 = row.get("created_at")?;
    let secret_created_at: Option<i64> = row.get(27)?;
    let sealed_credentials: Option<Vec<u8>> = row.get("credentials")?;
    let prior: Option<i64> = row.get(28)?;
    let source = IngestionSource {
        id: row.get("id")?,
        name: row.get("name")?,
        description: row.get("description")?,
        source_type: row.get("source_type")?,
        status: match (is_disabled, events.unwrap_or(0) > 0) {
            (true, _) => SourceStatus::Disabled,
            (false, true) => SourceStatus::Active,
            (false, false) => SourceStatus::AwaitingFirstEvent,
        },
        mode: Mode::parse(&row.get::<_, String>("mode")?),
        parser_id: row.get("parser")?,
        parser_version: row.get("parser_version")?,
        pull_config: json(row.get("pull_config")?),
        pull_schedule: row.get("pull_schedule")?,
        poll_every_sec: row.get("poll_every_sec")?,
        has_credentials: sealed_credentials.is_some(),
        secret_prefix: row.get::<_, Option<String>>(26)?.unwrap_or_default(),
        secret_rotated_at: secret_created_at.filter(|&at| at > created_at_ms).map(rfc3339),
        prior_secret_expires_at: prior.filter(|&at| at > now_ms()).map(rfc3339),
        cursor: row.get("cursor")?,
        consecutive_errors: row.get("consecutive_errors")?,
        last_event_at: time("last_event_at")?,
        last_run_at: time("last_run_at")?,
        last_success_at: time("last_success_at")?,
        created_at: rfc3339(created_at_ms),
        updated_at: rfc3339(row.get("updated_at")?),
        archived_at: time("archived_at")?,
        created_by: row.get("created_by")?,
    };
    Ok(StoredSource {
        source,
        discovery: row.get("discovery")?,
        scheduled_for_ms: row.get("scheduled_for")?,
        created_at_ms,
        last_error: json(row.get("last_error")?),
        sealed_credentials,
    })
}

/// The ids of an organisation's sources, archived ones too.
pub(super) fn ids(connection: &Connection, organization: &str) -> Result<Vec<String>> {
    let mut select =
        connection.prepare_cached("SELECT id FROM ingestion_source WHERE organization = ?")?;
    let rows = select.query_map([organization], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
