//! The control plane: who may do what, what is read and how, what was run, and a record of every change.
//!
//! It lives in the store's file, so that it is backed up, and lost, together with the events. Everything that changes
//! goes through the store's writer, and what somebody changes in one transaction with its line in the audit log; reading is a
//! short read transaction.
//!
//! Everything belongs to an organisation. What belongs to another one is not there: asking for it gives the same
//! answer as asking for what never was.

mod audit;
mod error;
mod health;
mod keys;
mod parser;
mod quarantine;
mod run;
mod schema;
mod source;
mod unwritten;

use std::sync::Arc;

use rusqlite::{Connection, Transaction};
use serde_json::Value;

pub(crate) use crate::pipeline::now_ms;
use crate::store::Store;
use crate::vault::Vault;

pub(crate) use self::audit::{AuditEntry, Surface};
pub(crate) use self::error::ControlError;
pub(crate) use self::health::Health;
pub(crate) use self::keys::{
    ApiKey, NewKey, Organization, PERMISSIONS, Permission, SESSION_SECONDS,
};
pub(crate) use self::parser::{NewParser, Parser, ParserVersion, diagnostic_json};
pub(crate) use self::run::{BegunRun, Failure, PullRun, RunEnd, RunStatus, Trigger};
pub(crate) use self::source::{
    Credentials, IngestionSource, Mode, NewSource, SourceChange, SourceStatus, StoredSource,
    plan_with_secrets,
};
pub(crate) use self::unwritten::STORE_UNAVAILABLE;
use self::unwritten::Unwritten;

type Result<T, E = ControlError> = std::result::Result<T, E>;

/// The control plane of a store. Clones share it. All calls block.
#[derive(Clone)]
pub(crate) struct Control {
    pub(crate) store: Store,
    pub(crate) vault: Arc<Vault>,
    unwritten: Arc<Unwritten>,
}

/// Who asks, and how.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) organization: String,
    /// The API key.
    pub(crate) key: String,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) surface: Surface,
    pub(crate) ip_address: Option<String>,
    pub(crate) user_agent: Option<String>,
}

impl Caller {
    /// The server itself, on behalf of an organisation.
    pub(crate) fn system(organization: &str) -> Self {
        Self {
            organization: organization.to_owned(),
            key: "system".to_owned(),
            permissions: PERMISSIONS.to_vec(),
            surface: Surface::Rest,
            ip_address: None,
            user_agent: None,
        }
    }
}

impl Control {
    /// Opens the control plane of a store, making its tables if there are none.
    ///
    /// # Errors
    ///
    /// The store cannot be written, holds a newer control plane, or was used with another master key.
    pub(crate) fn open(store: Store, vault: Arc<Vault>) -> Result<Self> {
        let mark = vault.hash(b"this store belongs to this key");
        store.change(move |transaction| schema::migrate(transaction, &mark))?;
        Ok(Self { store, vault, unwritten: Arc::default() })
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.store.read(read)
    }

    /// Changes something, in one transaction. What somebody asked for writes its line in the audit log there, too.
    fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.store.change(change)
    }
}

/// RFC 3339 in UTC, with milliseconds.
pub(crate) fn rfc3339(ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::MAX);
    format!("{time:.3}")
}

/// A new name for something: unique, and later ones are greater.
pub(crate) fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// A resource as the audit log keeps it.
fn as_json(resource: &impl serde::Serialize) -> Value {
    serde_json::to_value(resource).expect("resources are plain data")
}
