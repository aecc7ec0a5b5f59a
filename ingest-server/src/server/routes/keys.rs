//! API keys and organisations.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Body, List, Path, time_ns};
use crate::control::{ApiKey, Caller, NewKey, Organization, Permission};
use crate::server::error::CommonErrors;
use crate::server::{ApiError, App, Shared};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(revoke))
        .routes(routes!(list_organizations, create_organization))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateKey {
    #[schema(min_length = 1, max_length = 128)]
    name: String,
    permissions: Vec<Permission>,
    /// Without it the key lasts until it is revoked.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct CreatedKey {
    api_key: ApiKey,
    /// The key itself, shown only now.
    secret: String,
}

#[derive(Serialize, ToSchema)]
struct Revoked {
    revoked: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateOrganization {
    #[schema(min_length = 1, max_length = 128)]
    name: String,
}

#[derive(Serialize, ToSchema)]
struct CreatedOrganization {
    organization: Organization,
    /// Its administrator's key.
    api_key: ApiKey,
    /// That key itself, shown only now.
    secret: String,
}

/// The keys of your organisation.
#[utoipa::path(get, path = "/api/governance/api-keys", tag = "keys",
    responses((status = 200, body = List<ApiKey>), CommonErrors), security(("api_key" = [])))]
async fn list(State(app): State<Shared>, caller: Caller) -> Result<Json<List<ApiKey>>, ApiError> {
    caller.require(Permission::KeysManage)?;
    let keys = app.run(move |app: &App| app.control.keys(&caller.organization)).await?;
    Ok(Json(List::page(keys, usize::MAX, |key| key.id.clone())))
}

/// Makes a key. It can give nothing that yours does not have.
#[utoipa::path(post, path = "/api/governance/api-keys", tag = "keys", request_body = CreateKey,
    responses((status = 201, body = CreatedKey), CommonErrors), security(("api_key" = [])))]
async fn create(
    State(app): State<Shared>,
    caller: Caller,
    Body(body): Body<CreateKey>,
) -> Result<(StatusCode, Json<CreatedKey>), ApiError> {
    caller.require(Permission::KeysManage)?;
    let expires_at_ms = time_ns("expires_at", body.expires_at.as_deref())?.map(|ns| ns / 1_000_000);
    let new = NewKey { name: body.name, permissions: body.permissions, expires_at_ms };
    let (api_key, secret) = app.run(move |app: &App| app.control.create_key(&caller, new)).await?;
    Ok((StatusCode::CREATED, Json(CreatedKey { api_key, secret })))
}

/// Ends a key at once.
#[utoipa::path(delete, path = "/api/governance/api-keys/{id}", tag = "keys",
    params(("id" = String, Path)),
    responses((status = 200, body = Revoked), CommonErrors), security(("api_key" = [])))]
async fn revoke(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Revoked>, ApiError> {
    caller.require(Permission::KeysManage)?;
    app.run(move |app: &App| app.control.revoke_key(&caller, &id)).await?;
    Ok(Json(Revoked { revoked: true }))
}

/// All organisations.
#[utoipa::path(get, path = "/api/governance/organizations", tag = "keys",
    responses((status = 200, body = List<Organization>), CommonErrors), security(("api_key" = [])))]
async fn list_organizations(
    State(app): State<Shared>,
    caller: Caller,
) -> Result<Json<List<Organization>>, ApiError> {
    caller.require(Permission::OrganizationsManage)?;
    let rows = app.run(|app: &App| app.control.organizations()).await?;
    Ok(Json(List::page(rows, usize::MAX, |organization| organization.id.clone())))
}

/// Makes an organisation, with an administrator's key.
#[utoipa::path(post, path = "/api/governance/organizations", tag = "keys",
    request_body = CreateOrganization,
    responses((status = 201, body = CreatedOrganization), CommonErrors),
    security(("api_key" = [])))]
async fn create_organization(
    State(app): State<Shared>,
    caller: Caller,
    Body(body): Body<CreateOrganization>,
) -> Result<(StatusCode, Json<CreatedOrganization>), ApiError> {
    caller.require(Permission::OrganizationsManage)?;
    let (organization, api_key, secret) = app
        .run(move |app: &App| app.control.create_organization(&caller, &body.name, false))
        .await?;
    Ok((StatusCode::CREATED, Json(CreatedOrganization { organization, api_key, secret })))
}
