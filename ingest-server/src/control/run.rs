//! Runs of the puller, what they came to, and objects that could not be read.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::source::{self, StoredSource};
use super::{Control, ControlError, Result, now_ms, rfc3339};
use crate::pull::S3Polling;

/// Why a run began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trigger {
    Schedule,
    Manual,
    CatchUp,
}

impl Trigger {
    fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Manual => "manual",
            Self::CatchUp => "catch_up",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "manual" => Self::Manual,
            "catch_up" => Self::CatchUp,
            _ => Self::Schedule,
        }
    }
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunStatus {
    Running,
    /// Everything that was there is stored.
    Completed,
    /// Some objects are stored, and others are left for the next run.
    Partial,
    Failed,
    /// It was ended from outside before it was done.
    Superseded,
}

impl RunStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "running" => Self::Running,
            "completed" => Self::Completed,
            "partial" => Self::Partial,
            "superseded" => Self::Superseded,
            _ => Self::Failed,
        }
    }
}

/// A run of the puller.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PullRun {
    pub(crate) id: String,
    pub(crate) source_id: String,
    pub(crate) trigger: Trigger,
    #[schema(required)]
    pub(crate) scheduled_for: Option<String>,
    pub(crate) started_at: String,
    #[schema(required)]
    pub(crate) finished_at: Option<String>,
    pub(crate) status: RunStatus,
    #[schema(required)]
    pub(crate) cursor_before: Option<String>,
    #[schema(required)]
    pub(crate) cursor_after: Option<String>,
    pub(crate) objects_read: u64,
    /// Decompressed.
    pub(crate) bytes_read: u64,
    pub(crate) records_read: u64,
    pub(crate) events_written: u64,
    pub(crate) duplicates: u64,
    /// Objects that could not be read, and records that were refused.
    pub(crate) error_count: u64,
    #[schema(required)]
    pub(crate) error_code: Option<String>,
    #[schema(required)]
    pub(crate) error_message: Option<String>,
}

/// A run that has begun, with its source as it is now: whoever changes that in a way that matters ends the run.
pub(crate) struct BegunRun {
    pub(crate) run: PullRun,
    pub(crate) stored: StoredSource,
    pub(crate) config: S3Polling,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub(crate) struct RunEnd {
    pub(crate) status: RunStatus,
    pub(crate) objects_read: u64,
    pub(crate) objects_failed: u64,
    pub(crate) error: Option<(String, String)>,
    /// What the puller remembers of the bucket, and the cursor in it; `None` leaves them as they are.
    pub(crate) discovery: Option<(String, Option<String>)>,
}

/// What is known of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LedgerRow {
    /// The version that was read last, and whether it was read to its end.
    pub(crate) progress: Option<(String, bool)>,
    /// The last failure to read it, if that has not been made up for.
    pub(crate) failure: Option<Failure>,
}

/// An object that could not be read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) etag: String,
    pub(crate) attempts: u32,
    pub(crate) retry_at_ms: i64,
}

impl Control {
    /// Ends the runs that a process left behind when it died. What they committed stands.
    pub(crate) fn end_abandoned_runs(&self) -> Result<usize> {
        self.change(|transaction| end_abandoned(transaction, None, None))
    }

    /// Begins a run of a source that nobody is working for: what another one left behind is ended.
    pub(crate) fn begin_run(
        &self,
        source: &str,
        trigger: Trigger,
        scheduled_for_ms: Option<i64>,
    ) -> Result<BegunRun> {
        let (id, to_begin) = (super::new_id(), source.to_owned());
        let unwritten = self.unwritten.of(source);
        let begun = self.change(move |transaction| {
            let source = to_begin;
            let stored = source::of_anybody(transaction, &source)?
                .ok_or(ControlError::NotFound("ingestion source"))?;
            if !stored.is_living() {
                let message = "the source is disabled or archived";
                return Err(ControlError::conflict("disabled", message));
            }
            let config = stored.polling()?;
            end_abandoned(transaction, Some(&source), unwritten.as_ref())?;
            let now = now_ms();
            transaction.execute(
                "INSERT INTO pull_run(id, source, trigger, scheduled_for, started_at, status,
                 cursor_before) VALUES (?1, ?2, ?3, ?4, ?5, 'running',
                 (SELECT cursor FROM ingestion_source WHERE id = ?2))",
                params![id, source, trigger.as_str(), scheduled_for_ms, now],
            )?;
            // Fences commits of this run by its name.
            transaction.execute("INSERT INTO run(name) VALUES (?)", [&id])?;
            transaction.execute(
                "UPDATE ingestion_source SET last_run_at = ?,
                 scheduled_for = coalesce(?, scheduled_for) WHERE id = ?",
                params![now, scheduled_for_ms, source],
            )?;
            let select = format!("{SELECT} WHERE pull_run.id = ?");
            let run = transaction.query_row(&select, [&id], pull_run)?;
            Ok(BegunRun { run, stored, config })
        });
        if let Err(ControlError::Store(error)) = &begun {
            self.cannot_store(source, error);
        }
        begun
    }

    /// Ends a run of a source. One that was ended already stays as it is.
    pub(crate) fn end_run(&self, source: &str, id: &str, end: RunEnd) -> Result<PullRun> {
        let (to_end, id) = (source.to_owned(), id.to_owned());
        let ended = self.change(move |transaction| {
            let source = to_end;
            let (code, message) = end.error.clone().unzip();
            transaction.execute("UPDATE run SET closed = 1 WHERE name = ?", [&id])?;
            if let Some((discovery, cursor)) = &end.discovery {
                transaction.execute(
                    "UPDATE ingestion_source SET discovery = ?, cursor = coalesce(?, cursor)
                     WHERE id = ?",
                    params![discovery, cursor, source],
                )?;
            }
            let ended = transaction.execute(
                "UPDATE pull_run SET status = ?1, finished_at = ?2, objects_read = ?3,
                 error_count = ?4 + (SELECT rejects + conflicts FROM run WHERE name = ?7),
                 error_code = ?5, error_message = ?6,
                 cursor_after = (SELECT cursor FROM ingestion_source WHERE id = source)
                 WHERE id = ?7 AND status = 'running'",
                params![
                    end.status.as_str(),
                    now_ms(),
                    end.objects_read.cast_signed(),
                    end.objects_failed.cast_signed(),
                    code,
                    message,
                    id
                ],
            )?;
            if ended > 0 {
                note_outcome(transaction, &source, &end)?;
            }
            Ok(transaction.query_row(
                &format!("{SELECT} WHERE pull_run.id = ?"),
                [&id],
                pull_run,
            )?)
        });
        match &ended {
            Ok(_) => self.can_store(),
            Err(ControlError::Store(error)) => self.cannot_store(source, error),
            Err(_) => {}
        }
        ended
    }

    /// A page of a source's runs, newest first, before a run.
    pub(crate) fn runs(
        &self,
        source: &str,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<PullRun>> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(&format!(
                "{SELECT} WHERE source = ?1 AND (?2 IS NULL OR pull_run.id < ?2)
                 ORDER BY pull_run.id DESC LIMIT ?3"
            ))?;
            let rows = select.query_map(params![source, before, limit.cast_signed()], pull_run)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Remembers that an object could not be read.
    pub(crate) fn note_failure(
        &self,
        source: &str,
        key: &str,
        failure: Failure,
        (code, message): (&'static str, String),
    ) -> Result<()> {
        let (source, key) = (source.to_owned(), key.to_owned());
        self.change(move |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO object_failure(source, key, etag, attempts, retry_at, code,
                 message) VALUES (?, ?, ?, ?, ?, ?, ?)",
                params![
                    source,
                    key,
                    failure.etag,
                    failure.attempts,
                    failure.retry_at_ms,
                    code,
                    message
                ],
            )?;
            Ok(())
        })
    }

    /// Forgets that an object could not be read.
    pub(crate) fn forget_failure(&self, source: &str, key: &str) -> Result<()> {
        let (source, key) = (source.to_owned(), key.to_owned());
        self.change(move |transaction| {
            let delete = "DELETE FROM object_failure WHERE source = ? AND key = ?";
            transaction.execute(delete, [source, key])?;
            Ok(())
        })
    }

    /// The objects of a source that could not be read.
    pub(crate) fn failing_objects(&self, source: &str) -> Result<BTreeSet<String>> {
        self.read(|connection| {
            let select = "SELECT key FROM object_failure WHERE source = ?";
            let mut select = connection.prepare_cached(select)?;
            let keys = select.query_map([source], |row| row.get(0))?;
            Ok(keys.collect::<Result<_, _>>()?)
        })
    }

    /// What is known of objects of a source, in their order.
    pub(crate) fn ledger(&self, source: &str, keys: &[String]) -> Result<Vec<LedgerRow>> {
        self.read(|connection| {
            let mut objects = connection.prepare_cached(
                "SELECT etag, done FROM object
                 JOIN object_version ON object_version.id = object.version
                 WHERE key = ?2 AND source = (SELECT id FROM source WHERE name = ?1)",
            )?;
            let mut failures = connection.prepare_cached(
                "SELECT etag, attempts, retry_at FROM object_failure WHERE source = ? AND key = ?",
            )?;
            let rows = keys.iter().map(|key| {
                let progress = objects
                    .query_row([source, key], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()?;
                let failure = failures
                    .query_row([source, key], |row| {
                        Ok(Failure {
                            etag: row.get(0)?,
                            attempts: row.get(1)?,
                            retry_at_ms: row.get(2)?,
                        })
                    })
                    .optional()?;
                Ok(LedgerRow { progress, failure })
            });
            rows.collect()
        })
    }
}

/// Lets the run of a source, if there is one, store nothing more. Whoever works for it notices, and says what it came to.
pub(super) fn end_running(transaction: &Transaction<'_>, source: &str) -> Result<()> {
    transaction.execute(
        "UPDATE run SET closed = 1
         WHERE name IN (SELECT id FROM pull_run WHERE source = ? AND status = 'running')",
        [source],
    )?;
    Ok(())
}

/// Ends runs that nobody works for, of a source or all of them: the server ended while they ran, or `unwritten` says why
/// it could not store how they ended.
fn end_abandoned(
    transaction: &Transaction<'_>,
    source: Option<&str>,
    unwritten: Option<&Value>,
) -> Result<usize> {
    let text = |name: &str| unwritten.and_then(|error| error[name].as_str());
    let code = text("code").unwrap_or("interrupted");
    let interrupted = "the server ended while it ran; what it had stored stands";
    let message = text("message").unwrap_or(interrupted);
    transaction.execute(
        "UPDATE run SET closed = 1 WHERE name IN
         (SELECT id FROM pull_run WHERE status = 'running' AND source = coalesce(?, source))",
        [source],
    )?;
    Ok(transaction.execute(
        "UPDATE pull_run SET status = 'failed', finished_at = ?, error_code = ?,
         error_message = ?, cursor_after = cursor_before,
         error_count = (SELECT rejects + conflicts FROM run WHERE name = pull_run.id)
         WHERE status = 'running' AND source = coalesce(?, source)",
        params![now_ms(), code, message, source],
    )?)
}

/// What a run means for its source's health.
fn note_outcome(transaction: &Transaction<'_>, source: &str, end: &RunEnd) -> Result<()> {
    let now = now_ms();
    match end.status {
        RunStatus::Completed => transaction.execute(
            "UPDATE ingestion_source SET consecutive_errors = 0, last_error = NULL,
             last_success_at = ? WHERE id = ?",
            params![now, source],
        )?,
        RunStatus::Partial | RunStatus::Failed => {
            let error = end.error.as_ref().map(|(code, message)| {
                json!({ "code": code, "message": message, "at": rfc3339(now) }).to_string()
            });
            transaction.execute(
                "UPDATE ingestion_source SET consecutive_errors = consecutive_errors + (?1 IS NOT NULL),
                 last_error = coalesce(?1, last_error) WHERE id = ?2",
                params![error, source],
            )?
        }
        RunStatus::Running | RunStatus::Superseded => 0,
    };
    Ok(())
}

const SELECT: &str =
    "SELECT pull_run.id, source, trigger, scheduled_for, started_at, finished_at, status,
    cursor_before, cursor_after, objects_read, error_count, error_code, error_message, run.bytes,
    run.records, run.events, run.duplicates, run.rejects + run.conflicts
    FROM pull_run LEFT JOIN run ON run.name = pull_run.id";

fn pull_run(row: &Row<'_>) -> rusqlite::Result<PullRun> {
    let count =
        |column: usize| row.get::<_, Option<i64>>(column).map(|n| n.unwrap_or(0).cast_unsigned());
    let time = |column: usize| row.get::<_, Option<i64>>(column).map(|ms| ms.map(rfc3339));
    let status = RunStatus::parse(&row.get::<_, String>(6)?);
    Ok(PullRun {
        id: row.get(0)?,
        source_id: row.get(1)?,
        trigger: Trigger::parse(&row.get::<_, String>(2)?),
        scheduled_for: time(3)?,
        started_at: rfc3339(row.get(4)?),
        finished_at: time(5)?,
        status,
        cursor_before: row.get(7)?,
        cursor_after: row.get(8)?,
        objects_read: count(9)?,
        bytes_read: count(13)?,
        records_read: count(14)?,
        events_written: count(15)?,
        duplicates: count(16)?,
        // While it runs, what was refused so far.
        error_count: if status == RunStatus::Running { count(17)? } else { count(10)? },
        error_code: row.get(11)?,
        error_message: row.get(12)?,
    })
}
