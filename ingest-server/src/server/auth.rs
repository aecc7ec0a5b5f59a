//! Who asks: an API key in a header, or a session of the page in a cookie.
//!
//! A cookie goes along with every request of a browser, so one that could have come from another page must not count:
//! the page's script adds a header, which no other origin can without being asked for first, and nobody answers that
//! question.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::{ApiError, Shared};
use crate::control::{Caller, Permission, Surface};

/// The cookie of a session.
pub(crate) const SESSION_COOKIE: &str = "weir_session";
/// What the page's script adds to its requests.
pub(crate) const PAGE_HEADER: &str = "x-weir-page";
/// As much of a header as the audit log keeps.
const HEADER_CHARS_MAX: usize = 256;

impl FromRequestParts<Shared> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, ApiError> {
        let headers = &parts.headers;
        let found = match (token(headers), session(headers)) {
            (Some(token), _) => app.run(move |app| app.control.caller_by_key(&token)).await?,
            (None, Some(session)) if headers.contains_key(PAGE_HEADER) => {
                app.run(move |app| app.control.caller_by_session(&session)).await?
            }
            _ => None,
        };
        let mut caller = found.ok_or_else(ApiError::unauthorized)?;
        if caller.surface == Surface::Rest && claims_cli(headers) {
            caller.surface = Surface::Cli;
        }
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        caller.ip_address = address.map(|info| info.0.ip().to_string());
        caller.user_agent = text(headers, header::USER_AGENT.as_str())
            .map(|agent| agent.chars().take(HEADER_CHARS_MAX).collect());
        Ok(caller)
    }
}

impl Caller {
    /// Refuses a caller that lacks a permission.
    pub(crate) fn require(&self, permission: Permission) -> Result<(), ApiError> {
        match self.may(permission) {
            true => Ok(()),
            false => {
                let name = permission.name();
                Err(ApiError::forbidden(format!("this key lacks the permission `{name}`")))
            }
        }
    }
}

/// The API key of a request.
fn token(headers: &HeaderMap) -> Option<String> {
    bearer(headers).or_else(|| text(headers, "x-auth-token")).map(str::to_owned)
}

/// What follows `Bearer`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = text(headers, header::AUTHORIZATION.as_str())?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The session in the cookies.
pub(crate) fn session(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == SESSION_COOKIE)
        .map(|(_, value)| value.to_owned())
}

/// Over HTTP a caller may only claim to be the command line.
fn claims_cli(headers: &HeaderMap) -> bool {
    ["x-weir-surface", "x-langwatch-surface"]
        .iter()
        .any(|name| text(headers, name).is_some_and(|claim| claim.eq_ignore_ascii_case("cli")))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}
