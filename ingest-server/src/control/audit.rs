//! The audit log: what was changed, by whom, from where; before and after, without secrets.

use rusqlite::{Row, Transaction, params};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Caller, Control, Result, now_ms, rfc3339};

/// By which way a change came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    Rest,
    Cli,
    Ui,
}

impl Surface {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Cli => "cli",
            Self::Ui => "ui",
        }
    }
}

/// A line of the audit log.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AuditEntry {
    pub(crate) id: i64,
    pub(crate) created_at: String,
    /// What was done: `ingestion_source.create`.
    pub(crate) action: String,
    pub(crate) target_kind: String,
    pub(crate) target_id: String,
    /// The API key that did it.
    pub(crate) actor_id: String,
    #[schema(required)]
    pub(crate) ip_address: Option<String>,
    #[schema(required)]
    pub(crate) user_agent: Option<String>,
    /// The resource before; null if it was made.
    #[schema(value_type = Option<Object>, required)]
    pub(crate) before: Option<Value>,
    /// The resource after; null if it is gone.
    #[schema(value_type = Option<Object>, required)]
    pub(crate) after: Option<Value>,
    #[schema(value_type = Object)]
    pub(crate) metadata: Value,
}

/// What was changed.
pub(super) struct Changed<'a> {
    /// `ingestion_source.create`
    pub(super) action: &'a str,
    pub(super) id: &'a str,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
}

/// Writes a line, in the transaction of the change.
pub(super) fn write(
    transaction: &Transaction<'_>,
    caller: &Caller,
    changed: Changed<'_>,
) -> Result<()> {
    let Changed { action, id, before, after } = changed;
    let kind = action.split_once('.').map_or(action, |(kind, _)| kind);
    transaction
        .prepare_cached(
            "INSERT INTO audit_log(organization, created_at, action, target_kind, target_id, actor_id,
             ip_address, user_agent, before, after, metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            caller.organization,
            now_ms(),
            action,
            kind,
            id,
            caller.key,
            caller.ip_address,
            caller.user_agent,
            before.map(|json| json.to_string()),
            after.map(|json| json.to_string()),
            json!({ "surface": caller.surface.as_str() }).to_string(),
        ])?;
    Ok(())
}

impl Control {
    /// A page of an organisation's audit log, newest first, before an entry.
    pub(crate) fn audit_log(
        &self,
        organization: &str,
        before: i64,
        limit: usize,
    ) -> Result<Vec<AuditEntry>> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT id, created_at, action, target_kind, target_id, actor_id, ip_address,
                 user_agent, before, after, metadata FROM audit_log
                 WHERE organization = ? AND id < ? ORDER BY id DESC LIMIT ?",
            )?;
            let rows =
                select.query_map(params![organization, before, limit.cast_signed()], entry)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
    Ok(AuditEntry {
        id: row.get(0)?,
        created_at: rfc3339(row.get(1)?),
        action: row.get(2)?,
        target_kind: row.get(3)?,
        target_id: row.get(4)?,
        actor_id: row.get(5)?,
        ip_address: row.get(6)?,
        user_agent: row.get(7)?,
        before: json(row.get(8)?),
        after: json(row.get(9)?),
        metadata: json(row.get(10)?).unwrap_or(Value::Null),
    })
}
