//! Whether the server lives, can work, and what it has done.

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::server::error::ErrorBody;
use crate::server::{ApiError, App, Shared};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(alive)).routes(routes!(ready)).routes(routes!(metrics))
}

/// The description of all routes, as a route.
pub(super) fn description(description: utoipa::openapi::OpenApi) -> Router<Shared> {
    let json = serde_json::to_string(&description).expect("the description is plain data");
    let answer = move || async move { ([(CONTENT_TYPE, "application/json")], json) };
    Router::new().route("/openapi.json", get(answer))
}

/// A store that could be written so long ago still can.
const READY_FOR: Duration = Duration::from_secs(1);

#[derive(Serialize, ToSchema)]
struct Status {
    status: String,
    version: String,
}

impl Status {
    fn ok() -> Self {
        Self { status: "ok".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// Whether the process lives.
#[utoipa::path(get, path = "/healthz", tag = "status", responses((status = 200, body = Status)))]
async fn alive() -> Json<Status> {
    Json(Status::ok())
}

/// Whether the store can be read and written.
#[utoipa::path(get, path = "/readyz", tag = "status", responses(
    (status = 200, body = Status), (status = 503, body = ErrorBody)
))]
async fn ready(State(app): State<Shared>) -> Result<Json<Status>, ApiError> {
    // It writes, and anybody may ask: one write a second is enough to know.
    let mut ready_at = app.ready_at.lock().await;
    if ready_at.is_none_or(|at| at.elapsed() > READY_FOR) {
        *ready_at = None;
        app.run(|app: &App| app.control.check_writable()).await?;
        *ready_at = Some(Instant::now());
    }
    Ok(Json(Status::ok()))
}

/// Numbers for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "status", responses(
    (status = 200, body = String, content_type = "application/openmetrics-text")
))]
async fn metrics(State(app): State<Shared>) -> Result<Response, ApiError> {
    let text = app.metrics.text().map_err(|error| ApiError::internal(&error))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}
