//! The audit log.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{List, PageQuery, Query};
use crate::control::{AuditEntry, Caller, Permission};
use crate::server::error::CommonErrors;
use crate::server::{ApiError, App, Shared};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Every change, newest first.
#[utoipa::path(get, path = "/api/governance/audit-log", tag = "audit log", params(PageQuery),
    responses((status = 200, body = List<AuditEntry>), CommonErrors), security(("api_key" = [])))]
async fn list(
    State(app): State<Shared>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<AuditEntry>>, ApiError> {
    caller.require(Permission::AuditView)?;
    let (limit, before) = (query.limit()?, query.number(i64::MAX)?);
    let rows = app
        .run(move |app: &App| app.control.audit_log(&caller.organization, before, limit + 1))
        .await?;
    Ok(Json(List::page(rows, limit, |entry| entry.id.to_string())))
}
