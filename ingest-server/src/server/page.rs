//! The page: a document, its style and its scripts, which are part of the binary, and a login that gives a cookie.
//!
//! The page is one more client of the REST API. What it shows comes from logs, and logs are hostile: scripts put text
//! into the document and never markup, and the policy that goes along with every answer forbids whatever is not served
//! from here, inline scripts and styles too. So a mistake in a script would show garbage, and run nothing.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::auth::{self, PAGE_HEADER, SESSION_COOKIE};
use super::routes::Body;
use super::{ApiError, App, Shared};
use crate::control::{PERMISSIONS, SESSION_SECONDS};

/// Scripts and styles come from here and nowhere else; nothing is embedded, and nobody embeds the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
/// A key has 50 characters.
const LOGIN_BYTES_MAX: usize = 4096;
/// Logins from one address, at once and a minute. A key cannot be guessed; this keeps the store from being asked.
const LOGINS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(20).expect("is not zero");
/// Addresses that are remembered before those that have been quiet are forgotten.
const ADDRESSES_MAX: usize = 10_000;

/// A file of the page.
struct Asset {
    path: &'static str,
    kind: &'static str,
    body: &'static [u8],
}

/// The files of `server/page`, under `/ui/`.
macro_rules! assets {
    ($($name:literal $kind:literal)*) => {
        [$(Asset {
            path: concat!("/ui/", $name),
            kind: $kind,
            body: include_bytes!(concat!("page/", $name)),
        }),*]
    };
}

const ASSETS: [Asset; 19] = assets![
    "app.css" "text/css; charset=utf-8"
    "weir.svg" "image/svg+xml"
    "api.js" "text/javascript; charset=utf-8"
    "app.js" "text/javascript; charset=utf-8"
    "chart.js" "text/javascript; charset=utf-8"
    "code.js" "text/javascript; charset=utf-8"
    "dom.js" "text/javascript; charset=utf-8"
    "editor.js" "text/javascript; charset=utf-8"
    "forms.js" "text/javascript; charset=utf-8"
    "json.js" "text/javascript; charset=utf-8"
    "letters.js" "text/javascript; charset=utf-8"
    "login.js" "text/javascript; charset=utf-8"
    "parsers.js" "text/javascript; charset=utf-8"
    "runs.js" "text/javascript; charset=utf-8"
    "source.js" "text/javascript; charset=utf-8"
    "sources.js" "text/javascript; charset=utf-8"
    "syntax.js" "text/javascript; charset=utf-8"
    "tail.js" "text/javascript; charset=utf-8"
    "text.js" "text/javascript; charset=utf-8"
];

/// Every place in the page is the same document; its script shows what the path names.
const PLACES: [&str; 5] = ["/", "/sources", "/sources/{*place}", "/parsers", "/parsers/{*place}"];
const DOCUMENT: &[u8] = include_bytes!("page/index.html");

type Logins = DefaultKeyedRateLimiter<IpAddr>;

/// The routes of the page.
pub(super) fn routes() -> Router<Shared> {
    let mut router = Router::new();
    for place in PLACES {
        router = router.route(place, file("text/html; charset=utf-8", DOCUMENT));
    }
    for asset in ASSETS {
        router = router.route(asset.path, file(asset.kind, asset.body));
    }
    let logins: Logins = RateLimiter::keyed(Quota::per_minute(LOGINS_PER_MINUTE));
    router
        .route("/ui/login", post(log_in))
        .route("/ui/logout", post(log_out))
        .route("/ui/session", get(session))
        .layer(DefaultBodyLimit::max(LOGIN_BYTES_MAX))
        .layer(Extension(Arc::new(logins)))
}

/// Answers with a file, or that it has not changed: a new version of the program has other files under the same names.
fn file<S: Clone + Send + Sync + 'static>(
    kind: &'static str,
    body: &'static [u8],
) -> axum::routing::MethodRouter<S> {
    let hash = Sha256::digest(body);
    let tag: String = hash[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    get(move |headers: HeaderMap| async move {
        let known = headers.get_all(header::IF_NONE_MATCH).iter();
        let mut known = known.filter_map(|value| value.to_str().ok());
        let is_known = known.any(|value| value.split(',').any(|one| one.trim() == tag));
        let head = [(header::ETAG, tag), (header::CACHE_CONTROL, "no-cache".to_owned())];
        match is_known {
            true => (StatusCode::NOT_MODIFIED, head).into_response(),
            false => (head, [(header::CONTENT_TYPE, kind)], body).into_response(),
        }
    })
}

/// Headers of every answer of the server, whatever it is about: a browser that is led to a page of JSON, or to a record
/// of a log, shows it and does nothing else with it.
pub(super) async fn guard(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Events and secrets do not belong into the cache of a browser.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    key: String,
}

/// Logs in with an API key: the cookie stands for it until it ends, or the key does.
async fn log_in(
    State(app): State<Shared>,
    Extension(logins): Extension<Arc<Logins>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(login): Body<Login>,
) -> Result<Response, ApiError> {
    from_the_page(&headers)?;
    if logins.len() > ADDRESSES_MAX {
        logins.retain_recent();
    }
    if logins.check_key(&address.ip()).is_err() {
        return Ok(too_many());
    }
    let session = app.run(move |app: &App| app.control.log_in(login.key.trim())).await?;
    let session = session.ok_or_else(ApiError::unauthorized)?;
    let cookie = cookie(&session, SESSION_SECONDS, &headers);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Ends the session, and takes the cookie away.
async fn log_out(State(app): State<Shared>, headers: HeaderMap) -> Result<Response, ApiError> {
    from_the_page(&headers)?;
    if let Some(session) = auth::session(&headers) {
        app.run(move |app: &App| app.control.log_out(&session)).await?;
    }
    let cookie = cookie("", 0, &headers);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// What the session may do, so that the page offers nothing else; null if nobody is logged in.
async fn session(State(app): State<Shared>, headers: HeaderMap) -> Result<Response, ApiError> {
    from_the_page(&headers)?;
    let caller = match auth::session(&headers) {
        None => None,
        Some(session) => app.run(move |app: &App| app.control.caller_by_session(&session)).await?,
    };
    // Whoever manages may look, as everywhere.
    let permissions = caller.map(|caller| {
        let may = PERMISSIONS.iter().filter(|permission| caller.may(**permission));
        may.map(|permission| permission.name()).collect::<Vec<_>>()
    });
    Ok(Json(json!({ "permissions": permissions })).into_response())
}

/// Nobody is logged in or out by a form on another page.
fn from_the_page(headers: &HeaderMap) -> Result<(), ApiError> {
    match headers.contains_key(PAGE_HEADER) {
        true => Ok(()),
        false => Err(ApiError::bad_request(format!("the header `{PAGE_HEADER}` is missing"))),
    }
}

fn too_many() -> Response {
    let error = json!({ "error": {
        "type": "rate_limited",
        "code": "rate_limited",
        "message": "too many logins from this address; try again in a minute",
    }});
    let wait = [(header::RETRY_AFTER, "60")];
    (StatusCode::TOO_MANY_REQUESTS, wait, Json(error)).into_response()
}

fn cookie(session: &str, age_seconds: i64, headers: &HeaderMap) -> String {
    let secure = if is_encrypted(headers) { "; Secure" } else { "" };
    format!(
        "{SESSION_COOKIE}={session}; HttpOnly; SameSite=Strict; Path=/; Max-Age={age_seconds}{secure}"
    )
}

/// Whether the browser talks TLS to whatever stands before this server.
fn is_encrypted(headers: &HeaderMap) -> bool {
    let proto = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
    let first = proto.and_then(|value| value.split(',').next());
    first.is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/server/page");
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let path = format!("/ui/{name}");
            let is_served = name == "index.html" || ASSETS.iter().any(|asset| asset.path == path);
            assert!(is_served, "{name} is not served");
        }
    }

    /// What the policy forbids would not work, and what it cannot forbid must not be there.
    #[test]
    fn nothing_in_the_page_makes_markup_of_text() {
        for asset in ASSETS.iter().filter(|asset| asset.path.ends_with(".js")) {
            let text = std::str::from_utf8(asset.body).unwrap();
            for forbidden in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "Function(",
            ] {
                assert!(!text.contains(forbidden), "{} has {forbidden}", asset.path);
            }
        }
        let document = std::str::from_utf8(DOCUMENT).unwrap();
        for forbidden in [" style=", " onclick=", "<style", "http://", "https://"] {
            assert!(!document.contains(forbidden), "the document has {forbidden}");
        }
    }

    #[test]
    fn the_cookie_is_secure_behind_tls() {
        let mut headers = HeaderMap::new();
        let plain = "weir_session=s; HttpOnly; SameSite=Strict; Path=/; Max-Age=60";
        assert_eq!(cookie("s", 60, &headers), plain);
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https, http"));
        assert_eq!(cookie("s", 60, &headers), format!("{plain}; Secure"));
    }
}
