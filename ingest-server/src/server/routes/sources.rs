//! Ingestion sources.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Archived, Body, List, Path, Query, given, limit};
use crate::control::{
    Caller, Credentials, IngestionSource, Mode, NewSource, Permission, SourceChange, SourceStatus,
};
use crate::server::error::CommonErrors;
use crate::server::{ApiError, App, Shared};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get_one, update, archive))
        .routes(routes!(rotate))
}

/// The kinds of sources.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes what the control plane checks")]
enum SourceType {
    S3Custom,
    HttpCustom,
    ClaudeCompliance,
    OpenaiCompliance,
    CopilotStudio,
    Workato,
    LangsmithEngine,
    OtelGeneric,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateSource {
    /// Unique among the living ones.
    #[schema(min_length = 1, max_length = 128)]
    name: String,
    #[serde(default)]
    description: String,
    #[schema(value_type = SourceType)]
    source_type: String,
    /// By default what the type does.
    mode: Option<Mode>,
    parser_id: Option<String>,
    /// Without it the source follows the parser's active version.
    parser_version: Option<u32>,
    #[schema(value_type = Option<Object>)]
    pull_config: Option<Value>,
    /// Five fields of cron, in UTC.
    pull_schedule: Option<String>,
    poll_every_sec: Option<u32>,
    /// For the upstream (`access_key_id`, `secret_access_key`), and for the secrets that the parser names.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    credentials: Credentials,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateSource {
    #[schema(min_length = 1, max_length = 128)]
    name: Option<String>,
    description: Option<String>,
    mode: Option<Mode>,
    /// `disabled`, or `active` to undo it.
    status: Option<SourceStatus>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    parser_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>)]
    parser_version: Option<Option<u32>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Object>)]
    pull_config: Option<Option<Value>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pull_schedule: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>)]
    poll_every_sec: Option<Option<u32>>,
    /// Key by key: null takes one away, those that are not named stay.
    #[serde(default)]
    credentials: BTreeMap<String, Option<String>>,
}

#[derive(Serialize, ToSchema)]
struct OneSource {
    ingestion_source: IngestionSource,
}

#[derive(Serialize, ToSchema)]
struct SourceWithSecret {
    ingestion_source: IngestionSource,
    /// The secret of its webhook, shown only now.
    ingest_secret: String,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Whether archived sources are listed too.
    #[serde(default)]
    #[param(required = false)]
    include_archived: bool,
}

/// The sources of your organisation.
#[utoipa::path(get, path = "/api/governance/ingestion-sources", tag = "sources", params(ListQuery),
    responses((status = 200, body = List<IngestionSource>), CommonErrors),
    security(("api_key" = [])))]
async fn list(
    State(app): State<Shared>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<IngestionSource>>, ApiError> {
    caller.require(Permission::SourcesView)?;
    let limit = limit(query.limit, super::LIMIT_MAX)?;
    let after = query.cursor.unwrap_or_default();
    let rows = app
        .run(move |app: &App| {
            app.control.sources(&caller.organization, query.include_archived, &after, limit + 1)
        })
        .await?;
    Ok(Json(List::page(rows, limit, |source| source.id.clone())))
}

/// Makes a source. Its webhook secret is shown only now.
#[utoipa::path(post, path = "/api/governance/ingestion-sources", tag = "sources",
    request_body = CreateSource,
    responses((status = 201, body = SourceWithSecret), CommonErrors), security(("api_key" = [])))]
async fn create(
    State(app): State<Shared>,
    caller: Caller,
    Body(body): Body<CreateSource>,
) -> Result<(StatusCode, Json<SourceWithSecret>), ApiError> {
    caller.require(Permission::SourcesManage)?;
    let new = NewSource {
        name: body.name,
        description: body.description,
        source_type: body.source_type,
        mode: body.mode,
        parser_id: body.parser_id,
        parser_version: body.parser_version,
        pull_config: body.pull_config,
        pull_schedule: body.pull_schedule,
        poll_every_sec: body.poll_every_sec,
        credentials: body.credentials,
    };
    let (ingestion_source, ingest_secret) =
        app.run(move |app: &App| app.control.create_source(&caller, new)).await?;
    app.puller.wake();
    Ok((StatusCode::CREATED, Json(SourceWithSecret { ingestion_source, ingest_secret })))
}

/// A source.
#[utoipa::path(get, path = "/api/governance/ingestion-sources/{id}", tag = "sources",
    params(("id" = String, Path)),
    responses((status = 200, body = OneSource), CommonErrors), security(("api_key" = [])))]
async fn get_one(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<OneSource>, ApiError> {
    caller.require(Permission::SourcesView)?;
    let stored = app.run(move |app: &App| app.control.source(&caller.organization, &id)).await?;
    Ok(Json(OneSource { ingestion_source: stored.source }))
}

/// Changes a source; what is not named stays. Its cursor does not move.
#[utoipa::path(patch, path = "/api/governance/ingestion-sources/{id}", tag = "sources",
    params(("id" = String, Path)), request_body = UpdateSource,
    responses((status = 200, body = OneSource), CommonErrors), security(("api_key" = [])))]
async fn update(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<UpdateSource>,
) -> Result<Json<OneSource>, ApiError> {
    caller.require(Permission::SourcesManage)?;
    let is_disabled = match body.status {
        None => None,
        Some(SourceStatus::Disabled) => Some(true),
        Some(SourceStatus::Active) => Some(false),
        Some(SourceStatus::AwaitingFirstEvent) => {
            return Err(ApiError::invalid("status", "can be set to `disabled` or `active` only"));
        }
    };
    let change = SourceChange {
        name: body.name,
        description: body.description,
        mode: body.mode,
        is_disabled,
        parser_id: body.parser_id,
        parser_version: body.parser_version,
        pull_config: body.pull_config,
        pull_schedule: body.pull_schedule,
        poll_every_sec: body.poll_every_sec,
        credentials: body.credentials,
    };
    let ingestion_source =
        app.run(move |app: &App| app.control.update_source(&caller, &id, change)).await?;
    app.puller.wake();
    Ok(Json(OneSource { ingestion_source }))
}

/// Archives a source: it takes and reads nothing more, its events stay, its name is free.
#[utoipa::path(delete, path = "/api/governance/ingestion-sources/{id}", tag = "sources",
    params(("id" = String, Path)),
    responses((status = 200, body = Archived), CommonErrors), security(("api_key" = [])))]
async fn archive(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Archived>, ApiError> {
    caller.require(Permission::SourcesManage)?;
    app.run(move |app: &App| app.control.archive_source(&caller, &id)).await?;
    app.puller.wake();
    Ok(Json(Archived::yes()))
}

/// Gives a source a new webhook secret, shown only now. Prior ones are valid for another 24 hours each.
#[utoipa::path(post, path = "/api/governance/ingestion-sources/{id}/rotate", tag = "sources",
    params(("id" = String, Path)),
    responses((status = 200, body = SourceWithSecret), CommonErrors), security(("api_key" = [])))]
async fn rotate(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<SourceWithSecret>, ApiError> {
    caller.require(Permission::SourcesManage)?;
    let (ingestion_source, ingest_secret) =
        app.run(move |app: &App| app.control.rotate_secret(&caller, &id)).await?;
    Ok(Json(SourceWithSecret { ingestion_source, ingest_secret }))
}
