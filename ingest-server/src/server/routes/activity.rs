//! What a source brings, how it is, and what its runs came to.

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{List, PageQuery, Path, Query, limit, time_ns, wants_lines};
use crate::control::{Caller, Health, IngestionSource, Permission, PullRun, Trigger};
use crate::server::error::CommonErrors;
use crate::server::events::{self, Event, EventJson, Filter, Lines};
use crate::server::{ApiError, App, Shared};
use crate::store::StoreError;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_events))
        .routes(routes!(health))
        .routes(routes!(list_runs))
        .routes(routes!(pull))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EventsQuery {
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// Events behind this sequence, from there on. Without a sequence you get the newest events.
    after_sequence: Option<i64>,
    /// Events before this sequence, back from there.
    before_sequence: Option<i64>,
    /// Only events that happened then or later.
    #[param(format = DateTime)]
    since: Option<String>,
    /// With lines: whether the stream goes on as events are stored.
    #[serde(default)]
    #[param(required = false)]
    follow: bool,
}

#[derive(Serialize, ToSchema)]
struct SourceHealth {
    source: IngestionSource,
    health: Health,
}

#[derive(Serialize, ToSchema)]
struct OneRun {
    pull_run: PullRun,
}

/// A source's events, oldest first. With `Accept: application/x-ndjson` they come as lines, all from `after_sequence` on;
/// with `follow=true` the stream goes on.
#[utoipa::path(get, path = "/api/governance/ingestion-sources/{id}/events", tag = "events",
    params(("id" = String, Path), EventsQuery),
    responses((status = 200, content((List<Event> = "application/json"),
        (String = "application/x-ndjson"))), CommonErrors),
    security(("api_key" = [])))]
async fn list_events(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    caller.require(Permission::ActivityView)?;
    let limit = limit(query.limit, super::LIMIT_MAX)?;
    let since_ns = time_ns("since", query.since.as_deref())?;
    if query.after_sequence.is_some() && query.before_sequence.is_some() {
        return Err(ApiError::invalid("before_sequence", "stands beside `after_sequence`"));
    }
    let (source, of) = (id.clone(), caller.organization.clone());
    app.run(move |app: &App| app.control.source(&of, &source)).await?;
    let filter = Filter { source: Some(id), since_ns, ..Filter::default() };
    if wants_lines(&headers) {
        let from = match query.after_sequence {
            Some(after) => after,
            // The newest `limit` events, and what follows.
            None => first_of_tail(&app, &filter, limit).await?,
        };
        let body = events::lines(&app, &caller, filter, from, Lines::Event, query.follow);
        return Ok(([(CONTENT_TYPE, "application/x-ndjson")], body).into_response());
    }
    if query.follow {
        return Err(ApiError::invalid("follow", "needs `Accept: application/x-ndjson`"));
    }
    let list = match query.after_sequence {
        Some(after) => forward(&app, filter, after, limit).await?,
        None => {
            let before = query.before_sequence.unwrap_or(i64::MAX);
            backward(&app, filter, before, limit).await?
        }
    };
    Ok(Json(list).into_response())
}

/// The sequence behind which the newest events stand.
async fn first_of_tail(app: &Shared, filter: &Filter, limit: usize) -> Result<i64, ApiError> {
    let source = filter.source.clone();
    let newest = app.run(move |app: &App| app.control.store.tail(source.as_deref(), limit)).await?;
    match newest.first() {
        Some(event) => Ok(event.sequence - 1),
        None => Ok(0),
    }
}

async fn forward(
    app: &Shared,
    filter: Filter,
    after: i64,
    limit: usize,
) -> Result<List<EventJson>, ApiError> {
    let page = app.run(move |app: &App| events::after(app, &filter, after, limit)).await?;
    let data: Result<Vec<_>, _> = page.events.iter().map(EventJson::of).collect();
    let next_cursor = page.has_more.then(|| page.last.to_string());
    Ok(List { data: data?, next_cursor, has_more: page.has_more })
}

async fn backward(
    app: &Shared,
    filter: Filter,
    before: i64,
    limit: usize,
) -> Result<List<EventJson>, ApiError> {
    let source = filter.source.clone();
    let read = app.run(move |app: &App| {
        let page =
            |before, limit| app.control.store.events_before(source.as_deref(), before, limit);
        let mut events = page(before, limit + 1)?;
        let mut has_more = events.len() > limit;
        if has_more {
            events.remove(0);
        } else if let Some(first) = events.first() {
            // A page of large records ends before it is full.
            has_more = !page(first.sequence, 1)?.is_empty();
        }
        Ok::<_, StoreError>((events, has_more))
    });
    let (events, has_more) = read.await?;
    let next_cursor = events.first().filter(|_| has_more).map(|e| e.sequence.to_string());
    let wanted = events.iter().filter(|event| filter.takes(event));
    let data: Result<Vec<_>, _> = wanted.map(EventJson::of).collect();
    Ok(List { data: data?, next_cursor, has_more })
}

/// How a source is.
#[utoipa::path(get, path = "/api/governance/ingestion-sources/{id}/health", tag = "events",
    params(("id" = String, Path)),
    responses((status = 200, body = SourceHealth), CommonErrors), security(("api_key" = [])))]
async fn health(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<SourceHealth>, ApiError> {
    caller.require(Permission::ActivityView)?;
    let (source, health) = app
        .run(move |app: &App| {
            let stored = app.control.source(&caller.organization, &id)?;
            let health = app.control.health(&stored)?;
            Ok::<_, ApiError>((stored.source, health))
        })
        .await?;
    Ok(Json(SourceHealth { source, health }))
}

/// A source's runs, newest first.
#[utoipa::path(get, path = "/api/governance/ingestion-sources/{id}/pull-runs", tag = "events",
    params(("id" = String, Path), PageQuery),
    responses((status = 200, body = List<PullRun>), CommonErrors), security(("api_key" = [])))]
async fn list_runs(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<List<PullRun>>, ApiError> {
    caller.require(Permission::ActivityView)?;
    let limit = query.limit()?;
    let rows = app
        .run(move |app: &App| {
            app.control.source(&caller.organization, &id)?;
            app.control.runs(&id, query.cursor.as_deref(), limit + 1)
        })
        .await?;
    Ok(Json(List::page(rows, limit, |run| run.id.clone())))
}

/// Begins a run now. It tries objects that failed again, too, without waiting for their time.
#[utoipa::path(post, path = "/api/governance/ingestion-sources/{id}/pull", tag = "sources",
    params(("id" = String, Path)),
    responses((status = 202, body = OneRun), CommonErrors), security(("api_key" = [])))]
async fn pull(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<OneRun>), ApiError> {
    caller.require(Permission::SourcesManage)?;
    let of = caller.organization.clone();
    let stored = app.run(move |app: &App| app.control.source(&of, &id)).await?;
    let source = stored.source.id;
    let pull_run = app.puller.start(&app, source.clone(), Trigger::Manual, None).await?;
    let what = json!({ "run_id": pull_run.id });
    app.run(move |app: &App| {
        app.control.note_action(&caller, "ingestion_source.pull", &source, what)
    })
    .await?;
    Ok((StatusCode::ACCEPTED, Json(OneRun { pull_run })))
}
