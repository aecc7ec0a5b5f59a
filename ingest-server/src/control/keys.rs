//! Organisations, API keys and what they may do, and who is logged in to the page.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::audit::{self, Changed, Surface};
use super::{Caller, Control, ControlError, Result, as_json, new_id, now_ms, rfc3339};
use crate::vault::new_secret;

/// What every API key begins with.
const KEY_PREFIX: &str = "wk_";
/// How much of a key is shown, so that people know it again.
const SHOWN_BYTES: usize = 9;
/// How long a login to the page lasts.
pub(crate) const SESSION_SECONDS: i64 = 12 * 3_600;
const NAME_CHARS_MAX: usize = 128;

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) enum Permission {
    #[serde(rename = "ingestionSources:view")]
    SourcesView,
    #[serde(rename = "ingestionSources:manage")]
    SourcesManage,
    #[serde(rename = "parsers:view")]
    ParsersView,
    #[serde(rename = "parsers:manage")]
    ParsersManage,
    #[serde(rename = "activityMonitor:view")]
    ActivityView,
    #[serde(rename = "complianceExport:view")]
    ExportView,
    #[serde(rename = "auditLog:view")]
    AuditView,
    #[serde(rename = "quarantine:raw")]
    QuarantineRaw,
    #[serde(rename = "apiKeys:manage")]
    KeysManage,
    #[serde(rename = "organizations:manage")]
    OrganizationsManage,
}

/// All of them.
pub(crate) const PERMISSIONS: [Permission; 10] = [
    Permission::SourcesView,
    Permission::SourcesManage,
    Permission::ParsersView,
    Permission::ParsersManage,
    Permission::ActivityView,
    Permission::ExportView,
    Permission::AuditView,
    Permission::QuarantineRaw,
    Permission::KeysManage,
    Permission::OrganizationsManage,
];

impl Permission {
    pub(crate) fn name(self) -> String {
        as_json(&self).as_str().unwrap_or_default().to_owned()
    }

    /// Whether having this one means having `other`: who manages may look.
    fn includes(self, other: Self) -> bool {
        self == other
            || matches!(
                (self, other),
                (Self::SourcesManage, Self::SourcesView) | (Self::ParsersManage, Self::ParsersView)
            )
    }
}

impl Caller {
    pub(crate) fn may(&self, wanted: Permission) -> bool {
        self.permissions.iter().any(|permission| permission.includes(wanted))
    }
}

/// An organisation: nobody sees what belongs to another one.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created_at: String,
}

/// An API key, without the key.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ApiKey {
    pub(crate) id: String,
    pub(crate) name: String,
    /// How the key begins.
    pub(crate) prefix: String,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) created_at: String,
    pub(crate) created_by: String,
    #[schema(required)]
    pub(crate) expires_at: Option<String>,
}

/// A key that is to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewKey {
    pub(crate) name: String,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) expires_at_ms: Option<i64>,
}

impl Control {
    /// Makes the first organisation with an administrator's key, if there is none; gives the key.
    pub(crate) fn first_start(&self) -> Result<Option<String>> {
        let none = self.read(|connection| {
            let count = "SELECT count(*) FROM organization";
            Ok(connection.query_row(count, [], |row| row.get::<_, i64>(0))? == 0)
        })?;
        if !none {
            return Ok(None);
        }
        let (_, _, secret) = self.create_organization(&Caller::system(""), "default", true)?;
        Ok(Some(secret))
    }

    /// Makes another administrator's key for the first organisation, for somebody who has lost the first one.
    pub(crate) fn another_administrator_key(&self) -> Result<String> {
        let organizations = self.organizations()?;
        let first = organizations.first().ok_or(ControlError::NotFound("organization"))?;
        let new = NewKey {
            name: "administrator".to_owned(),
            permissions: PERMISSIONS.to_vec(),
            expires_at_ms: None,
        };
        let (_, secret) = self.create_key(&Caller::system(&first.id), new)?;
        Ok(secret)
    }

    /// Makes an organisation with its administrator's key, which may do everything in it; only the first one may also
    /// make others.
    pub(crate) fn create_organization(
        &self,
        caller: &Caller,
        name: &str,
        is_first: bool,
    ) -> Result<(Organization, ApiKey, String)> {
        check_name(name)?;
        let (id, secret) = (new_id(), new_secret(KEY_PREFIX));
        let all = PERMISSIONS.into_iter();
        let permissions =
            all.filter(|&p| is_first || p != Permission::OrganizationsManage).collect();
        let key = NewKey { name: "administrator".to_owned(), permissions, expires_at_ms: None };
        let (hash, shown) = (self.vault.hash(secret.as_bytes()), shown(&secret));
        let (mut caller, name) = (caller.clone(), name.to_owned());
        let (organization, key) = self.change(move |transaction| {
            let organization = Organization { id, name, created_at: rfc3339(now_ms()) };
            transaction.execute(
                "INSERT INTO organization(id, name, created_at) VALUES (?, ?, ?)",
                params![organization.id, organization.name, now_ms()],
            )?;
            if caller.organization.is_empty() {
                caller.organization.clone_from(&organization.id);
            }
            audit::write(
                transaction,
                &caller,
                Changed {
                    action: "organization.create",
                    id: &organization.id,
                    before: None,
                    after: Some(as_json(&organization)),
                },
            )?;
            let owner = Caller { organization: organization.id.clone(), ..caller };
            let key = insert_key(transaction, &owner, &key, &hash, &shown)?;
            Ok((organization, key))
        })?;
        Ok((organization, key, secret))
    }

    pub(crate) fn organizations(&self) -> Result<Vec<Organization>> {
        self.read(|connection| {
            let mut select = connection
                .prepare_cached("SELECT id, name, created_at FROM organization ORDER BY id")?;
            let rows = select.query_map([], |row| {
                Ok(Organization {
                    id: row.get(0)?,
                    name: row.get(1)?,
                    created_at: rfc3339(row.get(2)?),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Makes a key, which is shown only now.
    pub(crate) fn create_key(&self, caller: &Caller, new: NewKey) -> Result<(ApiKey, String)> {
        check_name(&new.name)?;
        if let Some(missing) = new.permissions.iter().find(|&&wanted| !caller.may(wanted)) {
            let missing = missing.name();
            return Err(ControlError::Forbidden(format!(
                "a key cannot give what it does not have: {missing}"
            )));
        }
        if new.expires_at_ms.is_some_and(|at| at <= now_ms()) {
            return Err(ControlError::invalid("expires_at", "lies in the past"));
        }
        let secret = new_secret(KEY_PREFIX);
        let (hash, shown) = (self.vault.hash(secret.as_bytes()), shown(&secret));
        let caller = caller.clone();
        let key =
            self.change(move |transaction| insert_key(transaction, &caller, &new, &hash, &shown))?;
        Ok((key, secret))
    }

    pub(crate) fn keys(&self, organization: &str) -> Result<Vec<ApiKey>> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT id, name, prefix, permissions, created_at, created_by, expires_at FROM api_key
                 WHERE organization = ? AND revoked_at IS NULL ORDER BY id",
            )?;
            let rows = select.query_map([organization], api_key)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Ends a key and the logins made with it.
    pub(crate) fn revoke_key(&self, caller: &Caller, id: &str) -> Result<()> {
        let (caller, id) = (caller.clone(), id.to_owned());
        self.change(move |transaction| {
            let key = transaction
                .prepare_cached(
                    "SELECT id, name, prefix, permissions, created_at, created_by, expires_at
                     FROM api_key WHERE organization = ? AND id = ? AND revoked_at IS NULL",
                )?
                .query_row([&caller.organization, &id], api_key)
                .optional()?
                .ok_or(ControlError::NotFound("api key"))?;
            transaction
                .execute("UPDATE api_key SET revoked_at = ? WHERE id = ?", params![now_ms(), id])?;
            transaction.execute("DELETE FROM session WHERE api_key = ?", [&id])?;
            let before = Some(as_json(&key));
            audit::write(
                transaction,
                &caller,
                Changed { action: "api_key.revoke", id: &id, before, after: None },
            )
        })
    }

    /// Who an API key belongs to.
    pub(crate) fn caller_by_key(&self, secret: &str) -> Result<Option<Caller>> {
        if !secret.starts_with(KEY_PREFIX) {
            return Ok(None);
        }
        let hash = self.vault.hash(secret.as_bytes());
        self.read(|connection| find_caller(connection, "hash = ?1", &hash, Surface::Rest))
    }

    /// Whether a key that somebody came with still counts.
    pub(crate) fn is_living_key(&self, id: &str) -> Result<bool> {
        self.read(|connection| {
            let found = find_caller(connection, "id = ?1", &id, Surface::Rest)?;
            Ok(found.is_some())
        })
    }

    /// Logs in to the page; gives the secret of the session.
    pub(crate) fn log_in(&self, key: &str) -> Result<Option<String>> {
        let Some(caller) = self.caller_by_key(key)? else { return Ok(None) };
        let secret = new_secret("ws_");
        let hash = self.vault.hash(secret.as_bytes());
        self.change(move |transaction| {
            transaction.execute("DELETE FROM session WHERE expires_at < ?", [now_ms()])?;
            transaction.execute(
                "INSERT INTO session(hash, api_key, expires_at) VALUES (?, ?, ?)",
                params![hash, caller.key, now_ms() + SESSION_SECONDS * 1000],
            )?;
            Ok(())
        })?;
        Ok(Some(secret))
    }

    pub(crate) fn log_out(&self, session: &str) -> Result<()> {
        let hash = self.vault.hash(session.as_bytes());
        self.change(move |transaction| {
            transaction.execute("DELETE FROM session WHERE hash = ?", params![hash])?;
            Ok(())
        })
    }

    /// Who is logged in.
    pub(crate) fn caller_by_session(&self, session: &str) -> Result<Option<Caller>> {
        let hash = self.vault.hash(session.as_bytes());
        let by_session = "id = (SELECT api_key FROM session WHERE session.hash = ?1 AND session.expires_at > ?2)";
        self.read(|connection| find_caller(connection, by_session, &hash, Surface::Ui))
    }
}

/// The living key that `condition` (with a hash or an id as `?1` and the time as `?2`) finds.
fn find_caller(
    connection: &Connection,
    condition: &str,
    hash: &dyn rusqlite::ToSql,
    surface: Surface,
) -> Result<Option<Caller>> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT organization, id, permissions FROM api_key
         WHERE {condition} AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)"
    ))?;
    let found = select.query_row(params![hash, now_ms()], |row| {
        Ok(Caller {
            organization: row.get(0)?,
            key: row.get(1)?,
            permissions: permissions(row.get(2)?),
            surface,
            ip_address: None,
            user_agent: None,
        })
    });
    Ok(found.optional()?)
}

fn insert_key(
    transaction: &Transaction<'_>,
    caller: &Caller,
    new: &NewKey,
    hash: &[u8],
    prefix: &str,
) -> Result<ApiKey> {
    let now = now_ms();
    let key = ApiKey {
        id: new_id(),
        name: new.name.clone(),
        prefix: prefix.to_owned(),
        permissions: new.permissions.clone(),
        created_at: rfc3339(now),
        created_by: caller.key.clone(),
        expires_at: new.expires_at_ms.map(rfc3339),
    };
    transaction.execute(
        "INSERT INTO api_key(id, organization, name, prefix, hash, permissions, created_at, created_by,
         expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            key.id,
            caller.organization,
            key.name,
            key.prefix,
            hash,
            as_json(&key.permissions).to_string(),
            now,
            key.created_by,
            new.expires_at_ms
        ],
    )?;
    let after = Some(as_json(&key));
    audit::write(
        transaction,
        caller,
        Changed { action: "api_key.create", id: &key.id, before: None, after },
    )?;
    Ok(key)
}

fn api_key(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    Ok(ApiKey {
        id: row.get(0)?,
        name: row.get(1)?,
        prefix: row.get(2)?,
        permissions: permissions(row.get(3)?),
        created_at: rfc3339(row.get(4)?),
        created_by: row.get(5)?,
        expires_at: row.get::<_, Option<i64>>(6)?.map(rfc3339),
    })
}

/// Names that this version does not know give nothing.
fn permissions(text: String) -> Vec<Permission> {
    let names: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap_or_default();
    names.into_iter().filter_map(|name| serde_json::from_value(name).ok()).collect()
}

fn shown(secret: &str) -> String {
    secret.chars().take(SHOWN_BYTES).collect()
}

fn check_name(name: &str) -> Result<()> {
    match name.chars().count() {
        1..=NAME_CHARS_MAX if !name.chars().any(char::is_control) => Ok(()),
        _ => Err(ControlError::invalid(
            "name",
            "has 1 to 128 characters, none of them control characters",
        )),
    }
}
