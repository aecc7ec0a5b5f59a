//! What the server says about itself: one line for each thing that happened, without secrets or payloads.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use super::{LogFormat, Settings, Shared};

/// Sends what is logged to standard error.
///
/// # Errors
///
/// The level is not understood.
pub(crate) fn start(settings: &Settings, color: bool) -> Result<(), String> {
    let filter = EnvFilter::try_new(&settings.log_level)
        .map_err(|error| format!("the log level `{}`: {error}", settings.log_level))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::NONE)
        .with_target(false);
    let started = match settings.log_format {
        LogFormat::Text => builder.with_ansi(color).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // Whoever has set a log up already, a test for instance, keeps it.
    drop(started);
    Ok(())
}

/// Logs a request: its route as it is written in the program, never what it was asked with.
pub(super) async fn log_request(
    State(app): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let begin = Instant::now();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let method = request.method().clone();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let elapsed = begin.elapsed();
    app.metrics.http(method.as_str(), &route, status, elapsed);
    tracing::debug!(
        event = "request", %method, route, status, micros = elapsed.as_micros() as u64
    );
    response
}
