//! What a SIEM pulls: the OCSF events of all sources.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{List, Query, limit, time_ns, wants_lines};
use crate::control::{Caller, Permission};
use crate::server::error::CommonErrors;
use crate::server::events::{self, EventJson, Filter, Lines, OcsfEvent};
use crate::server::{ApiError, App, Shared};

/// A SIEM may take more at once than people do.
const LIMIT_MAX: usize = 1000;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// Rows of a page.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<usize>,
    /// Events behind this sequence: `next_cursor` of the page before. The beginning without it.
    after_sequence: Option<i64>,
    /// Only this source.
    source_id: Option<String>,
    /// Only this severity and above: 1 informational to 6 fatal.
    min_severity: Option<i64>,
    /// Only this class: 6003 for API activity.
    class_uid: Option<i64>,
    /// Only events that happened then or later.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Only events that happened before.
    #[param(format = DateTime)]
    until: Option<String>,
    /// With lines: whether the stream goes on as events are stored.
    #[serde(default)]
    #[param(required = false)]
    follow: bool,
    /// With lines: whether each is `{"sequence":N,"ocsf":{...}}`, so that one can go on behind the last that came.
    #[serde(default)]
    #[param(required = false)]
    with_sequence: bool,
}

/// OCSF events in the order in which they were stored. They do not carry their sequence: page by `next_cursor`, which is
/// always there. With `Accept: application/x-ndjson` all come as lines, with `with_sequence=true` numbered ones; with
/// `follow=true` the stream goes on.
#[utoipa::path(get, path = "/api/governance/ocsf-events", tag = "events", params(ExportQuery),
    responses((status = 200, content((List<OcsfEvent> = "application/json"),
        (String = "application/x-ndjson"))), CommonErrors),
    security(("api_key" = [])))]
async fn list(
    State(app): State<Shared>,
    caller: Caller,
    Query(query): Query<ExportQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    caller.require(Permission::ExportView)?;
    let limit = limit(query.limit, LIMIT_MAX)?;
    let organization = caller.organization.clone();
    if let Some(id) = query.source_id.clone() {
        let of = organization.clone();
        let own = app.run(move |app: &App| app.control.source_ids(&of)).await?;
        if !own.contains(&id) {
            return Err(ApiError::not_found("ingestion source"));
        }
    }
    let filter = Filter {
        source: query.source_id,
        organization,
        class_uid: query.class_uid,
        severity_min: query.min_severity,
        since_ns: time_ns("since", query.since.as_deref())?,
        until_ns: time_ns("until", query.until.as_deref())?,
        only_ocsf: true,
    };
    let after = query.after_sequence.unwrap_or(0);
    if wants_lines(&headers) {
        let lines = if query.with_sequence { Lines::Numbered } else { Lines::Ocsf };
        let body = events::lines(&app, &caller, filter, after, lines, query.follow);
        return Ok(([(CONTENT_TYPE, "application/x-ndjson")], body).into_response());
    }
    for (field, is_given) in [("follow", query.follow), ("with_sequence", query.with_sequence)] {
        if is_given {
            return Err(ApiError::invalid(field, "needs `Accept: application/x-ndjson`"));
        }
    }
    let page = app.run(move |app: &App| events::after(app, &filter, after, limit)).await?;
    let data: Result<Vec<_>, _> = page.events.iter().map(EventJson::ocsf).collect();
    // Always there, so that a client knows where to go on when there is more.
    let next_cursor = Some(page.last.to_string());
    Ok(Json(List { data: data?, next_cursor, has_more: page.has_more }).into_response())
}
