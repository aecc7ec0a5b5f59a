//! A bucket for `weir demo`: objects in a folder, served as S3 serves them, so that the server polls them as it polls any
//! other bucket.
//!
//! Only what reading takes is there: listings, and ranges of objects under a known ETag. It listens on the loopback
//! address, writes nothing and checks no credentials. What can be asked for is what was put in, by its key; no path of a
//! request ever reaches the file system.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Bound;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use tokio::net::TcpListener;

/// Its name.
pub(crate) const BUCKET: &str = "demo";
/// As many keys as a page of a listing has.
const PAGE_KEYS: usize = 1000;
/// No more of an object is read at once.
const RANGE_BYTES_MAX: u64 = 64 << 20;

/// The objects. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Bucket {
    objects: Arc<Mutex<BTreeMap<String, Object>>>,
}

#[derive(Clone)]
struct Object {
    path: PathBuf,
    bytes: u64,
    etag: String,
    modified: Timestamp,
}

impl Bucket {
    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Object>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a file, which never changes again, an object.
    pub(crate) fn put(&self, key: &str, path: &Path) -> std::io::Result<()> {
        let found = path.metadata()?;
        let modified =
            found.mtime().saturating_mul(1_000_000_000).saturating_add(found.mtime_nsec());
        let object = Object {
            path: path.to_owned(),
            bytes: found.len(),
            etag: format!("{:x}-{modified:x}", found.len()),
            modified: Timestamp::from_nanosecond(modified.into()).unwrap_or(Timestamp::UNIX_EPOCH),
        };
        self.objects().insert(key.to_owned(), object);
        Ok(())
    }

    /// Serves it on a free port of this machine until the runtime ends; gives its URL.
    pub(crate) async fn serve(&self) -> std::io::Result<String> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let address = listener.local_addr()?;
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(format!("http://{address}"))
    }

    /// The page of a listing behind a key, as S3 writes it.
    fn page(&self, prefix: &str, after: &str) -> String {
        let objects = self.objects();
        let behind = (Bound::Excluded(after), Bound::Unbounded);
        let wanted = objects.range::<str, _>(behind).filter(|(key, _)| key.starts_with(prefix));
        let mut wanted: Vec<_> = wanted.take(PAGE_KEYS + 1).collect();
        let is_truncated = wanted.len() > PAGE_KEYS;
        wanted.truncate(PAGE_KEYS);
        let contents = wanted.iter().map(|(key, object)| {
            let Object { bytes, etag, modified, .. } = object;
            format!(
                "<Contents><Key>{}</Key><LastModified>{modified:.3}</LastModified>\
                 <ETag>&quot;{etag}&quot;</ETag><Size>{bytes}</Size></Contents>",
                escaped(key)
            )
        });
        let contents: String = contents.collect();
        let next = wanted.last().filter(|_| is_truncated).map(|(key, _)| {
            format!("<NextContinuationToken>{}</NextContinuationToken>", escaped(key))
        });
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{BUCKET}</Name>\
             <Prefix>{}</Prefix><KeyCount>{}</KeyCount><MaxKeys>{PAGE_KEYS}</MaxKeys>\
             <IsTruncated>{is_truncated}</IsTruncated>{}{contents}</ListBucketResult>",
            escaped(prefix),
            wanted.len(),
            next.unwrap_or_default()
        )
    }
}

async fn answer(
    State(bucket): State<Bucket>,
    method: Method,
    uri: Uri,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let (name, key) = uri
        .path()
        .trim_start_matches('/')
        .split_once('/')
        .unwrap_or((uri.path().trim_start_matches('/'), ""));
    if !matches!(method, Method::GET | Method::HEAD) {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed");
    }
    if name != BUCKET {
        return refuse(StatusCode::NOT_FOUND, "NoSuchBucket");
    }
    if key.is_empty() {
        let get = |name: &str| query.get(name).map(String::as_str);
        let after = get("continuation-token").or(get("start-after")).unwrap_or_default();
        let page = bucket.page(get("prefix").unwrap_or_default(), after);
        return ([(header::CONTENT_TYPE, "application/xml")], page).into_response();
    }
    let key = percent_encoding::percent_decode_str(key).decode_utf8_lossy().into_owned();
    let found = bucket.objects().get(&key).cloned();
    let Some(object) = found else { return refuse(StatusCode::NOT_FOUND, "NoSuchKey") };
    read(object, &headers).await
}

async fn read(object: Object, headers: &HeaderMap) -> Response {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let etag = format!("\"{}\"", object.etag);
    if text(header::IF_MATCH).is_some_and(|wanted| wanted != etag) {
        return refuse(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
    }
    let range = text(header::RANGE).and_then(|range| range.strip_prefix("bytes="));
    let (start, end) = match range.map(|range| span(range, object.bytes)) {
        None => (0, object.bytes),
        Some(Some(span)) => span,
        Some(None) => return refuse(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange"),
    };
    if end - start > RANGE_BYTES_MAX {
        return refuse(StatusCode::BAD_REQUEST, "EntityTooLarge");
    }
    let (path, length) = (object.path.clone(), usize::try_from(end - start).unwrap_or(0));
    let bytes = tokio::task::spawn_blocking(move || {
        let mut bytes = vec![0; length];
        File::open(path)?.read_exact_at(&mut bytes, start)?;
        Ok::<_, std::io::Error>(bytes)
    });
    let Ok(Ok(bytes)) = bytes.await else {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, "InternalError");
    };
    let status = if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let place = format!("bytes {start}-{}/{}", end.saturating_sub(1), object.bytes);
    let modified = object.modified.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let mut answer = (status, bytes).into_response();
    let facts = [
        (header::ETAG, Some(etag)),
        (header::LAST_MODIFIED, Some(modified)),
        (header::CONTENT_RANGE, range.map(|_| place)),
    ];
    for (name, value) in facts {
        if let Some(value) = value.and_then(|value| value.parse().ok()) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// From where to where: `5-9` is 5 to 10, `5-` to the end.
fn span(range: &str, bytes: u64) -> Option<(u64, u64)> {
    let (start, end) = range.split_once('-')?;
    let start: u64 = start.parse().ok()?;
    let end = match end {
        "" => bytes,
        end => end.parse::<u64>().ok()?.checked_add(1)?.min(bytes),
    };
    (start < end).then_some((start, end))
}

fn refuse(status: StatusCode, code: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code>\
         <Message>The demo's bucket refuses this.</Message></Error>"
    );
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(span("0-3", 10), Some((0, 4)));
        assert_eq!(span("4-", 10), Some((4, 10)));
        assert_eq!(span("4-99", 10), Some((4, 10)));
        for wrong in ["", "-", "10-", "5-4", "-5", "a-b", "0-18446744073709551615"] {
            assert_eq!(span(wrong, 10), None, "{wrong}");
        }
    }

    #[test]
    fn listings_go_on_behind_a_key() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bucket = Bucket::default();
        for number in 0..1001 {
            bucket.put(&format!("a/{number:04}"), file.path()).unwrap();
        }
        bucket.put("b/<&>", file.path()).unwrap();
        let first = bucket.page("a/", "");
        assert!(first.contains("<IsTruncated>true</IsTruncated>"));
        assert!(first.contains("<NextContinuationToken>a/0999</NextContinuationToken>"));
        let second = bucket.page("a/", "a/0999");
        assert!(second.contains("<Key>a/1000</Key>") && second.contains("<KeyCount>1</KeyCount>"));
        assert!(second.contains("<IsTruncated>false</IsTruncated>"));
        assert!(bucket.page("b/", "").contains("<Key>b/&lt;&amp;&gt;</Key>"));
    }
}
