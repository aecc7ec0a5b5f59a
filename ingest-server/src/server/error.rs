//! Errors as clients get them: one envelope for all of them.

use std::any::Any;

use axum::Json;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{IntoResponses, ToSchema};

use super::webhook::FlatError;
use crate::control::ControlError;
use crate::store::StoreError;

/// An error of the REST API.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    kind: &'static str,
    code: &'static str,
    message: String,
    details: Option<Value>,
}

/// The envelope of every error.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    error: ErrorText,
}

#[derive(Serialize, ToSchema)]
struct ErrorText {
    /// What kind of error it is: `not_found`, `validation_error`, `conflict` ...
    r#type: String,
    /// Which one exactly; stable.
    code: String,
    /// In words.
    message: String,
    /// Fields, diagnostics, tests, as the code has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<Object>)]
    details: Option<Value>,
}

/// What every route may answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers; they are made by `ApiError`")]
pub(crate) enum CommonErrors {
    /// The request cannot be read.
    #[response(status = 400)]
    BadRequest(#[to_schema] ErrorBody),
    /// The key is missing or unknown.
    #[response(status = 401)]
    Unauthorized(#[to_schema] ErrorBody),
    /// The key may not do it.
    #[response(status = 403)]
    Forbidden(#[to_schema] ErrorBody),
    /// There is no such thing, or it is not yours.
    #[response(status = 404)]
    NotFound(#[to_schema] ErrorBody),
    /// It does not fit what there is.
    #[response(status = 409)]
    Conflict(#[to_schema] ErrorBody),
    /// The body is too large.
    #[response(status = 413)]
    TooLarge(#[to_schema] ErrorBody),
    /// Fields are wrong; `details` names them.
    #[response(status = 422)]
    Unprocessable(#[to_schema] ErrorBody),
    /// The store cannot take it; nothing was changed.
    #[response(status = 503)]
    Unavailable(#[to_schema] ErrorBody),
}

impl ApiError {
    fn new(
        status: StatusCode,
        kind: &'static str,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { status, kind, code, message: message.into(), details: None }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        let message = format!("{what} not found");
        Self::new(StatusCode::NOT_FOUND, "not_found", "not_found", message)
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", "invalid_request", message)
    }

    /// A field of the request is wrong.
    pub(crate) fn invalid(field: &str, message: impl Into<String>) -> Self {
        ControlError::invalid(field, message).into()
    }

    pub(crate) fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", code, message)
    }

    pub(crate) fn unauthorized() -> Self {
        let message = "give a valid API key: `Authorization: Bearer wk_...`";
        Self::new(StatusCode::UNAUTHORIZED, "authentication_error", "unauthorized", message)
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "permission_denied", "forbidden", message)
    }

    /// Something that must not happen. The cause is logged, and not told.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(event = "internal_error", %cause);
        let message = "an internal error; the server's log says more";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "internal_error", message)
    }

    fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let error = ErrorText {
            r#type: self.kind.to_owned(),
            code: self.code.to_owned(),
            message: self.message,
            details: self.details,
        };
        (self.status, Json(ErrorBody { error })).into_response()
    }
}

impl From<ControlError> for ApiError {
    fn from(error: ControlError) -> Self {
        let message = error.to_string();
        match error {
            ControlError::NotFound(what) => Self::not_found(what),
            ControlError::Invalid(fields) => {
                let details =
                    fields.iter().map(|f| json!({ "field": f.field, "message": f.message }));
                let details = details.collect();
                Self::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "validation_error",
                    "invalid_fields",
                    message,
                )
                .with_details(details)
            }
            ControlError::Conflict { code, message } => Self::conflict(code, message),
            ControlError::Refused { code, message, details } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "validation_error", code, message)
                    .with_details(details)
            }
            ControlError::Forbidden(message) => Self::forbidden(message),
            ControlError::OtherKey => Self::internal(&message),
            ControlError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            // A full disk, a lock: the same request may succeed later.
            StoreError::Database(_) | StoreError::Io(_) | StoreError::Closed => {
                tracing::error!(event = "store_unavailable", %error);
                let message = "the store cannot take it now; nothing was changed";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "unavailable", message)
            }
            error => Self::internal(&error),
        }
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::bad_request(rejection.body_text())
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_request(rejection.body_text())
    }
}

impl From<BytesRejection> for ApiError {
    fn from(rejection: BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "invalid_request",
                "payload_too_large",
                "the body is too large",
            ),
            _ => Self::bad_request(rejection.body_text()),
        }
    }
}

/// No such route.
pub(super) async fn no_route(uri: Uri) -> Response {
    in_the_form_of(&uri, ApiError::not_found("route"))
}

/// The route has no such method.
pub(super) async fn no_method(uri: Uri) -> Response {
    let message = "this route does not have this method";
    let error = ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "invalid_request",
        "method_not_allowed",
        message,
    );
    in_the_form_of(&uri, error)
}

/// Senders of webhooks get flat errors, the others the envelope.
fn in_the_form_of(uri: &Uri, error: ApiError) -> Response {
    match uri.path().starts_with("/api/ingest/") {
        true => (error.status, Json(FlatError::new(error.code, error.message))).into_response(),
        false => error.into_response(),
    }
}

/// What a client gets of a handler that panicked.
pub(super) fn after_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic");
    let mut response = ApiError::internal(&text).into_response();
    response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    response
}
