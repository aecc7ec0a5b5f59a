//! The webhook: records that are pushed.
//!
//! ```text
//! request ─▶ address's rate ─▶ secret ─▶ source's rate ─▶ body ─▶ parser ─▶ commit ─▶ 202
//!              429              401         429         400, 413            503
//! ```
//!
//! A sender that reads 202 may forget what it sent: it is on the disk by then, as events or as dead letters. With any
//! other answer nothing was kept, and sending it again is safe: events are told apart by their ids, and ids that the parser
//! makes of the object's name come from the bytes of the body. Commits of many requests are grouped by the store's
//! writer, so that each of them does not wait for a sync of its own.
//!
//! Who does not know the secret learns nothing: whether there is such a source, whether it is disabled, or what was wrong
//! with the secret. All that is the same answer after the same work.

mod body;
mod envelope;
mod mapper;
mod rates;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use weir_engine::plan::Plan;

use self::body::{Bodies, Held};
use self::mapper::Mappers;
use self::rates::Rates;
use super::auth::bearer;
use super::error::CommonErrors;
use super::settings::WebhookSettings;
use super::{ApiError, App, Shared, routes as rest};
use crate::control::{Caller, ControlError, Permission, StoredSource};
use crate::store::{Append, StoreError};

pub(crate) use self::mapper::{Mapper, append_of};

/// Senders whose service cannot set `Authorization` put the secret here.
const SECRET_HEADER: &str = "x-weir-secret";
/// Requests that look their source up at the same time: as many as the store keeps connections for readers.
const LOOKUPS_AT_ONCE: usize = 4;
/// When to come again to a store that cannot take it.
const RETRY_AFTER_SEC: u64 = 5;

/// What all requests share.
pub(crate) struct Webhook {
    rates: Rates,
    bodies: Bodies,
    lookups: Semaphore,
    pub(crate) mappers: Mappers,
}

impl Webhook {
    pub(crate) fn new(settings: &WebhookSettings) -> Self {
        Self {
            rates: Rates::new(settings),
            bodies: Bodies::new(settings),
            lookups: Semaphore::new(LOOKUPS_AT_ONCE),
            mappers: Mappers::default(),
        }
    }
}

/// The body was taken over.
#[derive(Serialize, ToSchema)]
struct Accepted {
    accepted: bool,
    /// The size of the body, after decompression.
    bytes: usize,
    /// The id of its first event; null if there is none, because its records were refused (they are dead letters) or
    /// left out by the parser.
    #[serde(rename = "eventId")]
    #[schema(required)]
    event_id: Option<String>,
}

/// Why a body was not taken over.
#[derive(Serialize, ToSchema)]
pub(crate) struct FlatError {
    /// `unauthorized`, `wrong_endpoint`, `invalid_body`, `payload_too_large`, `rate_limited` or `unavailable`.
    error: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<String>,
}

impl FlatError {
    pub(crate) fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self { error, error_description: Some(description.into()) }
    }
}

/// A request that is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Unauthorized,
    WrongEndpoint,
    InvalidBody(String),
    TooLarge(String),
    RateLimited(Duration),
    /// Nothing was kept.
    Unavailable,
}

impl Refusal {
    fn name(&self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::WrongEndpoint => "wrong_endpoint",
            Self::InvalidBody(_) => "invalid_body",
            Self::TooLarge(_) => "payload_too_large",
            Self::RateLimited(_) => "rate_limited",
            Self::Unavailable => "unavailable",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::WrongEndpoint | Self::InvalidBody(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::RateLimited(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, name) = (self.status(), self.name());
        let seconds = |pause: Duration| pause.as_millis().div_ceil(1000).max(1).to_string();
        let body = |description| Json(FlatError::new(name, description));
        match self {
            Self::Unauthorized => {
                let body = Json(FlatError { error: name, error_description: None });
                (status, [(WWW_AUTHENTICATE, "Bearer")], body).into_response()
            }
            Self::WrongEndpoint => {
                let description =
                    "this source is pulled; set its mode to `push` or `both` to push to it";
                (status, body(description.to_owned())).into_response()
            }
            Self::InvalidBody(description) | Self::TooLarge(description) => {
                (status, body(description)).into_response()
            }
            Self::RateLimited(pause) => {
                let description = "too many requests; come again later".to_owned();
                (status, [(RETRY_AFTER, seconds(pause))], body(description)).into_response()
            }
            Self::Unavailable => {
                let description = "nothing was kept; send it again".to_owned();
                (status, [(RETRY_AFTER, RETRY_AFTER_SEC.to_string())], body(description))
                    .into_response()
            }
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(utoipa_axum::routes!(receive))
        .routes(utoipa_axum::routes!(send_test_event))
}

/// Takes records of a source: JSON, NDJSON or CSV, as its parser says, perhaps compressed (`Content-Encoding: gzip` or
/// `zstd`). The secret stands in `Authorization: Bearer lw_is_...` or in `X-Weir-Secret`.
///
/// 202 means that they are stored; records that the parser refuses are kept as dead letters. With any other status nothing was
/// kept, and the same body can be sent again. Without a parser the body becomes one event; an `Idempotency-Key` makes a
/// repeat of it a duplicate.
#[utoipa::path(post, path = "/api/ingest/webhook/{source_id}", tag = "webhook",
    params(("source_id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Sources without a parser: the event's identity")),
    request_body(content = String, description = "Any JSON, NDJSON or CSV", content_type = "application/json"),
    responses(
        (status = 202, description = "It is stored", body = Accepted),
        (status = 400, description = "`wrong_endpoint`: the source is pulled; `invalid_body`", body = FlatError),
        (status = 401, description = "The secret is not that of a living source with this id", body = FlatError),
        (status = 413, description = "It is too large", body = FlatError),
        (status = 429, description = "Too many requests; see `Retry-After`", body = FlatError),
        (status = 503, description = "Nothing was kept; send it again", body = FlatError)
    ),
    security(("ingest_secret" = [])))]
async fn receive(
    State(app): State<Shared>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<(StatusCode, Json<Accepted>), Refusal> {
    let (parts, mut body) = request.into_parts();
    // What is no text is no id.
    let id = path.map_or_else(|_| String::new(), |Path(id)| id);
    let taken = take(&app, id, &parts, &mut body).await;
    if taken.is_err() {
        // The rest of the body is taken off the wire while the answer goes out: a sender that is still writing would see
        // a broken connection instead of the answer.
        body::discard(body);
    }
    Ok((StatusCode::ACCEPTED, Json(taken?)))
}

async fn take(
    app: &Shared,
    id: String,
    parts: &Parts,
    body: &mut Body,
) -> Result<Accepted, Refusal> {
    let webhook = &app.webhook;
    if let Some(ConnectInfo(address)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() {
        webhook.rates.check_address(address.ip())?;
    }
    let (stored, plan) = find(app, id, secret(&parts.headers)).await?;
    webhook.rates.check_source(&stored.source.id)?;
    if !stored.source.mode.pushes() {
        return Err(Refusal::WrongEndpoint);
    }
    let body = webhook.bodies.read(&parts.headers, body, plan.is_some()).await?;
    app.metrics.webhook_received(body.bytes.len());
    let bytes = body.bytes.len();
    let append = match plan {
        Some(plan) => map(app, &stored, plan, &body)?,
        None => envelope::append(&stored, &parts.headers, body.bytes.clone(), &app.control.vault)?,
    };
    let event_id = append.events.first();
    let event_id =
        event_id.map(|event| String::from_utf8_lossy(append.bytes(event.id)).into_owned());
    store(app, append).await?;
    Ok(Accepted { accepted: true, bytes, event_id })
}

/// The secret of a request; empty if there is none.
fn secret(headers: &HeaderMap) -> String {
    let own = || headers.get(SECRET_HEADER).and_then(|value| value.to_str().ok()).map(str::trim);
    bearer(headers).or_else(own).unwrap_or_default().to_owned()
}

/// The living source with an id and a secret, and what maps its records.
async fn find(
    app: &Shared,
    id: String,
    secret: String,
) -> Result<(StoredSource, Option<Arc<Plan>>), Refusal> {
    let _lookup = app.webhook.lookups.acquire().await.map_err(|_| Refusal::Unavailable)?;
    let found = tokio::task::spawn_blocking({
        let app = Arc::clone(app);
        move || -> Result<_, ControlError> {
            let Some(stored) = app.control.source_by_secret(&id, &secret)? else { return Ok(None) };
            let plan = app.programs.of(&app.control, &stored)?;
            Ok(Some((stored, plan)))
        }
    });
    match found.await {
        Ok(Ok(found)) => found.ok_or(Refusal::Unauthorized),
        Ok(Err(error)) => {
            tracing::error!(event = "webhook_unavailable", %error);
            Err(Refusal::Unavailable)
        }
        Err(panic) => {
            tracing::error!(event = "webhook_unavailable", %panic);
            Err(Refusal::Unavailable)
        }
    }
}

fn map(app: &App, stored: &StoredSource, plan: Arc<Plan>, body: &Held) -> Result<Append, Refusal> {
    let mapper = app.webhook.mappers.of(&stored.source.id, plan, &app.control.vault);
    body::on_this_thread(body.bytes.len(), || mapper.map(&stored.source, &body.bytes))
}

/// Stores what a request came to, and returns when it is on the disk.
async fn store(app: &App, append: Append) -> Result<(), Refusal> {
    let rejects = append.rejects.len() as u64;
    let source = append.source.clone();
    match app.control.store.append_async(append).await {
        Ok(appended) => {
            app.metrics.stored("webhook", &appended, rejects);
            app.control.can_store();
            Ok(())
        }
        Err(error @ StoreError::Invalid(_)) => {
            tracing::error!(event = "webhook_not_storable", %source, %error);
            Err(Refusal::InvalidBody("its events cannot be stored".to_owned()))
        }
        Err(error) => {
            tracing::error!(event = "webhook_unavailable", %source, %error);
            app.control.cannot_store(&source, &error);
            Err(Refusal::Unavailable)
        }
    }
}

/// The event was stored.
#[derive(Serialize, ToSchema)]
struct TestEvent {
    accepted: bool,
    /// Its `source_event_id`.
    event_id: String,
}

/// Stores an event with the action `ingestion.test` in a source, to see that it comes out at the other end.
#[utoipa::path(post, path = "/api/governance/ingestion-sources/{id}/test-event", tag = "sources",
    params(("id" = String, Path)),
    responses((status = 202, body = TestEvent), CommonErrors), security(("api_key" = [])))]
async fn send_test_event(
    State(app): State<Shared>,
    caller: Caller,
    rest::Path(id): rest::Path<String>,
) -> Result<(StatusCode, Json<TestEvent>), ApiError> {
    caller.require(Permission::SourcesManage)?;
    let organization = caller.organization.clone();
    let stored = app.run(move |app: &App| app.control.source(&organization, &id)).await?;
    if !stored.is_living() {
        return Err(ApiError::conflict("disabled", "the source is disabled or archived"));
    }
    let (append, event_id) = envelope::test_event(&stored, &caller);
    let (source, what) = (stored.source.id.clone(), serde_json::json!({ "event_id": event_id }));
    app.run(move |app: &App| {
        app.control.note_action(&caller, "ingestion_source.test_event", &source, what)
    })
    .await?;
    let appended = app.control.store.append_async(append).await?;
    app.control.can_store();
    app.metrics.stored("webhook", &appended, 0);
    Ok((StatusCode::ACCEPTED, Json(TestEvent { accepted: true, event_id })))
}
