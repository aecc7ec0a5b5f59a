//! The routes, by what they are about, and how requests are read.

mod activity;
mod audit;
mod export;
mod keys;
mod parsers;
mod quarantine;
mod sources;
mod status;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use serde::de::{DeserializeOwned, Deserializer};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi as _, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use super::error::{no_method, no_route};
use super::openapi::Description;
use super::{ApiError, Shared, page, webhook};

/// The largest body of a request, but for webhooks.
const BODY_BYTES_MAX: usize = 4 << 20;
/// How long one may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 200;

/// All routes.
pub(super) fn all(app: &Shared) -> Router {
    let described = OpenApiRouter::with_openapi(Description::openapi())
        .merge(status::routes())
        .merge(keys::routes())
        .merge(parsers::routes())
        .merge(sources::routes())
        .merge(activity::routes())
        .merge(export::routes())
        .merge(audit::routes())
        .merge(quarantine::routes())
        .merge(webhook::routes());
    let (router, description) = described.split_for_parts();
    router
        .merge(status::description(description))
        .merge(page::routes())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(Arc::clone(app))
}

/// The path's parameters.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(ApiError))]
pub(super) struct Path<T>(pub(super) T);

/// The query's parameters.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(ApiError))]
pub(super) struct Query<T>(pub(super) T);

/// A body of JSON.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Shared> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, ApiError> {
        parse(&body(request, app).await?).map(Self)
    }
}

/// A body of JSON that may be left out.
pub(super) struct OptionalBody<T>(pub(super) T);

impl<T: DeserializeOwned + Default> FromRequest<Shared> for OptionalBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, ApiError> {
        let bytes = body(request, app).await?;
        if bytes.is_empty() { Ok(Self(T::default())) } else { parse(&bytes).map(Self) }
    }
}

async fn body(request: Request, app: &Shared) -> Result<Bytes, ApiError> {
    match tokio::time::timeout(BODY_TIMEOUT, Bytes::from_request(request, app)).await {
        Ok(read) => Ok(read?),
        Err(_) => Err(ApiError::bad_request("the body did not arrive in time")),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let json: serde_json::Value = serde_json::from_slice(bytes)
        .map_err(|error| ApiError::bad_request(format!("the body is not JSON: {error}")))?;
    // serde would take an array for the members in their order.
    if !json.is_object() {
        return Err(ApiError::invalid("", "the body is no JSON object"));
    }
    serde_json::from_value(json).map_err(|error| {
        let message = error.to_string();
        // serde names a field between backticks, if it is about one.
        let field = message.split('`').nth(1).unwrap_or_default().to_owned();
        ApiError::invalid(&field, message)
    })
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(super) struct List<T> {
    data: Vec<T>,
    /// Give it as `cursor` to get the next page; null behind the last one.
    #[schema(required)]
    next_cursor: Option<String>,
    has_more: bool,
}

impl<T> List<T> {
    /// A page from one row more than fits, if there is one.
    pub(super) fn page(mut rows: Vec<T>, limit: usize, cursor: impl Fn(&T) -> String) -> Self {
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| has_more).map(cursor);
        Self { data: rows, next_cursor, has_more }
    }
}

/// Something was taken out of service.
#[derive(Serialize, ToSchema)]
pub(super) struct Archived {
    archived: bool,
}

impl Archived {
    pub(super) fn yes() -> Self {
        Self { archived: true }
    }
}

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub(super) limit: Option<usize>,
    /// `next_cursor` of the page before.
    pub(super) cursor: Option<String>,
}

impl PageQuery {
    pub(super) fn limit(&self) -> Result<usize, ApiError> {
        limit(self.limit, LIMIT_MAX)
    }

    /// A cursor that is a number.
    pub(super) fn number(&self, beginning: i64) -> Result<i64, ApiError> {
        match &self.cursor {
            None => Ok(beginning),
            Some(cursor) => {
                cursor.parse().map_err(|_| ApiError::invalid("cursor", "is none of this list"))
            }
        }
    }
}

/// How many rows are wanted.
pub(super) fn limit(wanted: Option<usize>, max: usize) -> Result<usize, ApiError> {
    match wanted {
        None => Ok(LIMIT_DEFAULT),
        Some(wanted) if (1..=max).contains(&wanted) => Ok(wanted),
        Some(_) => Err(ApiError::invalid("limit", format!("is 1 to {max}"))),
    }
}

/// A time in a query.
pub(super) fn time_ns(field: &str, text: Option<&str>) -> Result<Option<i64>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let time: jiff::Timestamp = text
        .parse()
        .map_err(|_| ApiError::invalid(field, "is no RFC 3339 time: 2026-01-31T12:00:00Z"))?;
    Ok(Some(i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX)))
}

/// Whether a client wants lines.
pub(super) fn wants_lines(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        matches!(kind, "application/x-ndjson" | "application/ndjson" | "application/jsonl")
    })
}

/// A member that may be left out, be null, or have a value.
pub(super) fn given<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}
