//! Parsers, their versions, and a place to try a definition.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Archived, Body, List, PageQuery, Path, Query};
use crate::control::{Caller, NewParser, Parser, ParserVersion, Permission};
use crate::server::error::CommonErrors;
use crate::server::validate::{self, Sample, Validated};
use crate::server::{ApiError, App, Shared};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get_one, archive))
        .routes(routes!(list_versions, add_version))
        .routes(routes!(activate))
        .routes(routes!(try_out))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateParser {
    /// By default the name that the program gives itself.
    #[schema(min_length = 1, max_length = 128)]
    name: Option<String>,
    #[serde(default)]
    description: String,
    /// The program.
    definition: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddVersion {
    /// The program. Its `version` is greater than all before.
    definition: String,
    /// Whether to activate it at once.
    #[serde(default)]
    activate: bool,
}

#[derive(Serialize, ToSchema)]
struct OneParser {
    parser: Parser,
}

#[derive(Serialize, ToSchema)]
struct CreatedParser {
    parser: Parser,
    parser_version: ParserVersion,
}

#[derive(Serialize, ToSchema)]
struct AddedVersion {
    parser_version: ParserVersion,
}

/// The parsers of your organisation.
#[utoipa::path(get, path = "/api/governance/parsers", tag = "parsers", params(PageQuery),
    responses((status = 200, body = List<Parser>), CommonErrors), security(("api_key" = [])))]
async fn list(
    State(app): State<Shared>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<Parser>>, ApiError> {
    caller.require(Permission::ParsersView)?;
    let limit = query.limit()?;
    let after = query.cursor.unwrap_or_default();
    let rows = app
        .run(move |app: &App| app.control.parsers(&caller.organization, &after, limit + 1))
        .await?;
    Ok(Json(List::page(rows, limit, |parser| parser.id.clone())))
}

/// Makes a parser with its first version, which becomes the active one if its tests pass.
#[utoipa::path(post, path = "/api/governance/parsers", tag = "parsers", request_body = CreateParser,
    responses((status = 201, body = CreatedParser), CommonErrors), security(("api_key" = [])))]
async fn create(
    State(app): State<Shared>,
    caller: Caller,
    Body(body): Body<CreateParser>,
) -> Result<(StatusCode, Json<CreatedParser>), ApiError> {
    caller.require(Permission::ParsersManage)?;
    let CreateParser { name, description, definition } = body;
    let new = NewParser { name, description, definition };
    let (parser, parser_version) =
        app.run(move |app: &App| app.control.create_parser(&caller, new)).await?;
    Ok((StatusCode::CREATED, Json(CreatedParser { parser, parser_version })))
}

/// A parser.
#[utoipa::path(get, path = "/api/governance/parsers/{id}", tag = "parsers",
    params(("id" = String, Path)),
    responses((status = 200, body = OneParser), CommonErrors), security(("api_key" = [])))]
async fn get_one(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<OneParser>, ApiError> {
    caller.require(Permission::ParsersView)?;
    let parser = app.run(move |app: &App| app.control.parser(&caller.organization, &id)).await?;
    Ok(Json(OneParser { parser }))
}

/// Archives a parser that no source uses.
#[utoipa::path(delete, path = "/api/governance/parsers/{id}", tag = "parsers",
    params(("id" = String, Path)),
    responses((status = 200, body = Archived), CommonErrors), security(("api_key" = [])))]
async fn archive(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Archived>, ApiError> {
    caller.require(Permission::ParsersManage)?;
    app.run(move |app: &App| app.control.archive_parser(&caller, &id)).await?;
    Ok(Json(Archived::yes()))
}

/// All versions, newest first.
#[utoipa::path(get, path = "/api/governance/parsers/{id}/versions", tag = "parsers",
    params(("id" = String, Path)),
    responses((status = 200, body = List<ParserVersion>), CommonErrors),
    security(("api_key" = [])))]
async fn list_versions(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<List<ParserVersion>>, ApiError> {
    caller.require(Permission::ParsersView)?;
    let rows = app.run(move |app: &App| app.control.versions(&caller.organization, &id)).await?;
    Ok(Json(List::page(rows, usize::MAX, |version| version.version.to_string())))
}

/// Adds a version. Versions never change.
#[utoipa::path(post, path = "/api/governance/parsers/{id}/versions", tag = "parsers",
    params(("id" = String, Path)), request_body = AddVersion,
    responses((status = 201, body = AddedVersion), CommonErrors), security(("api_key" = [])))]
async fn add_version(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<AddVersion>,
) -> Result<(StatusCode, Json<AddedVersion>), ApiError> {
    caller.require(Permission::ParsersManage)?;
    let parser_version = app
        .run(move |app: &App| {
            app.control.add_version(&caller, &id, &body.definition, body.activate)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(AddedVersion { parser_version })))
}

/// Makes a version the one that sources follow. Its tests must pass.
#[utoipa::path(post, path = "/api/governance/parsers/{id}/versions/{version}/activate",
    tag = "parsers", params(("id" = String, Path), ("version" = u32, Path)),
    responses((status = 200, body = OneParser), CommonErrors), security(("api_key" = [])))]
async fn activate(
    State(app): State<Shared>,
    caller: Caller,
    Path((id, version)): Path<(String, u32)>,
) -> Result<Json<OneParser>, ApiError> {
    caller.require(Permission::ParsersManage)?;
    let parser = app.run(move |app: &App| app.control.activate(&caller, &id, version)).await?;
    Ok(Json(OneParser { parser }))
}

/// Compiles a definition and maps a sample with it. Nothing is stored.
#[utoipa::path(post, path = "/api/governance/parsers/validate", tag = "parsers",
    request_body = Sample,
    responses((status = 200, body = Validated), CommonErrors), security(("api_key" = [])))]
async fn try_out(
    State(app): State<Shared>,
    caller: Caller,
    Body(sample): Body<Sample>,
) -> Result<Json<Validated>, ApiError> {
    caller.require(Permission::ParsersView)?;
    let validated = app.run(move |_: &App| validate::validate(&sample)).await?;
    Ok(Json(validated))
}
