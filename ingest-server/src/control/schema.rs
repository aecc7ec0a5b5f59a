//! The tables of the control plane. Times are milliseconds since 1970; ids are UUIDs.

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{ControlError, Result};
use crate::store::StoreError;

const FORMAT: i64 = 1;

const TABLES: &str = "
-- One row. mark is a hash under the master key: another key would make all secrets unreadable.
CREATE TABLE control(
    one INTEGER PRIMARY KEY CHECK (one = 1), format INT NOT NULL, mark BLOB NOT NULL
) STRICT;
CREATE TABLE organization(id TEXT PRIMARY KEY, name TEXT NOT NULL, created_at INT NOT NULL) STRICT;
CREATE TABLE api_key(
    id TEXT PRIMARY KEY, organization TEXT NOT NULL, name TEXT NOT NULL, prefix TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE, permissions TEXT NOT NULL, created_at INT NOT NULL,
    created_by TEXT NOT NULL, expires_at INT, revoked_at INT
) STRICT;
-- Who is logged in to the page.
CREATE TABLE session(hash BLOB PRIMARY KEY, api_key TEXT NOT NULL, expires_at INT NOT NULL) STRICT;

CREATE TABLE parser(
    id TEXT PRIMARY KEY, organization TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL,
    active_version INT, created_at INT NOT NULL, updated_at INT NOT NULL, created_by TEXT NOT NULL,
    archived_at INT
) STRICT;
CREATE UNIQUE INDEX parser_name ON parser(organization, name) WHERE archived_at IS NULL;
CREATE TABLE parser_version(
    parser TEXT NOT NULL, version INT NOT NULL, definition TEXT NOT NULL, plan_hash TEXT NOT NULL,
    tests INT NOT NULL, failures TEXT NOT NULL, created_at INT NOT NULL, created_by TEXT NOT NULL,
    PRIMARY KEY (parser, version)
) STRICT;

-- credentials is sealed. discovery is what the puller remembers of the bucket; cursor is for people.
CREATE TABLE ingestion_source(
    id TEXT PRIMARY KEY, organization TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL,
    source_type TEXT NOT NULL, mode TEXT NOT NULL, is_disabled INT NOT NULL DEFAULT 0,
    parser TEXT, parser_version INT, pull_config TEXT, pull_schedule TEXT, poll_every_sec INT,
    credentials BLOB, discovery TEXT, cursor TEXT, consecutive_errors INT NOT NULL DEFAULT 0,
    last_error TEXT, scheduled_for INT, last_run_at INT, last_success_at INT,
    created_at INT NOT NULL, updated_at INT NOT NULL, created_by TEXT NOT NULL, archived_at INT
) STRICT;
CREATE UNIQUE INDEX ingestion_source_name ON ingestion_source(organization, name)
    WHERE archived_at IS NULL;
-- The one without an end is the current one.
CREATE TABLE ingest_secret(
    source TEXT NOT NULL, hash BLOB NOT NULL, prefix TEXT NOT NULL, created_at INT NOT NULL,
    expires_at INT
) STRICT;
CREATE INDEX ingest_secret_source ON ingest_secret(source);

CREATE TABLE pull_run(
    id TEXT PRIMARY KEY, source TEXT NOT NULL, trigger TEXT NOT NULL, scheduled_for INT,
    started_at INT NOT NULL, finished_at INT, status TEXT NOT NULL, cursor_before TEXT,
    cursor_after TEXT, objects_read INT NOT NULL DEFAULT 0, error_count INT NOT NULL DEFAULT 0,
    error_code TEXT, error_message TEXT
) STRICT;
CREATE INDEX pull_run_source ON pull_run(source, id);
-- Objects that could not be read to their end, and when they are tried again.
CREATE TABLE object_failure(
    source TEXT NOT NULL, key TEXT NOT NULL, etag TEXT NOT NULL, attempts INT NOT NULL,
    retry_at INT NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY (source, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_log(
    id INTEGER PRIMARY KEY AUTOINCREMENT, organization TEXT NOT NULL, created_at INT NOT NULL,
    action TEXT NOT NULL, target_kind TEXT NOT NULL, target_id TEXT NOT NULL,
    actor_id TEXT NOT NULL, ip_address TEXT, user_agent TEXT, before TEXT, after TEXT,
    metadata TEXT NOT NULL
) STRICT;
CREATE INDEX audit_log_organization ON audit_log(organization, id);
";

/// Makes the tables, or checks that they are ours.
pub(super) fn migrate(transaction: &Transaction<'_>, mark: &[u8]) -> Result<()> {
    let exists = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'control'";
    if transaction.query_row(exists, [], |_| Ok(())).optional()?.is_none() {
        transaction.execute_batch(TABLES)?;
        transaction.execute(
            "INSERT INTO control(one, format, mark) VALUES (1, ?, ?)",
            params![FORMAT, mark],
        )?;
        return Ok(());
    }
    let (format, known): (i64, Vec<u8>) =
        transaction.query_row("SELECT format, mark FROM control", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    if format != FORMAT {
        return Err(StoreError::Corrupt(format!(
            "its control plane has format {format}, and this weir knows {FORMAT}: upgrade weir"
        ))
        .into());
    }
    if known != mark {
        return Err(ControlError::OtherKey);
    }
    Ok(())
}
