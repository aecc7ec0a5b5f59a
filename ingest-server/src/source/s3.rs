//! Objects in S3 and in stores that speak its protocol.
//!
//! Retries are ours, in one place ([`fault`]), and the SDK's are off: a request that fails half-way
//! through its body must go on at the byte it reached, which only we know, and two layers of retries
//! multiply. The SDK's checksums are off where they are optional, because many compatible stores
//! answer them wrongly; TLS, the length of every range and the ETag are checked instead.

mod fault;
mod parts;

use std::borrow::Cow;
use std::env;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::SdkConfig;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::identity::IdentityCache;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{
    Credentials, ProvideCredentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{self, EncodingType};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use percent_encoding::percent_decode_str;

use self::fault::{Backoff, Fault, Target};
use super::{Object, SourceError};

pub(super) use self::parts::Parts;

/// How to reach S3.
#[derive(Clone, Debug)]
pub struct S3Options {
    /// Another store than AWS: `http://127.0.0.1:8333`.
    pub endpoint_url: Option<String>,
    /// The region. By default that of the environment or the profile, and `us-east-1` for an
    /// endpoint of one's own.
    pub region: Option<String>,
    /// Credentials to use instead of the usual chain (environment, profile, web identity,
    /// container, instance).
    pub access_key: Option<AccessKey>,
    /// A role to take on with these credentials: objects are read with what it may do.
    pub role: Option<AssumedRole>,
    /// Another service to ask for the role. By default the endpoint of one's own, since the stores that
    /// know roles answer for them too, and else AWS.
    pub sts_endpoint_url: Option<String>,
    /// Buckets are named in the path, not in the host name. By default so for an endpoint of one's own.
    pub path_style: Option<bool>,
    /// Bytes of one ranged GET. 8 MiB by default.
    pub part_bytes: u64,
    /// The most stored bytes that one reader holds or has asked for: it sets how many parts are
    /// fetched at a time. 24 MiB by default.
    pub prefetch_bytes_max: u64,
    /// How often a request may fail in a row without getting any further. 8 by default.
    pub attempts_max: u32,
    /// The first pause after a failure; it doubles each time, and a random part of it is waited.
    /// 100 ms by default.
    pub backoff_min: Duration,
    /// The longest pause. 5 s by default.
    pub backoff_max: Duration,
    /// How long a request may go without a byte. 20 s by default.
    pub stall: Duration,
}

impl Default for S3Options {
    fn default() -> Self {
        Self {
            endpoint_url: None,
            region: None,
            access_key: None,
            role: None,
            sts_endpoint_url: None,
            path_style: None,
            part_bytes: 8 << 20,
            prefetch_bytes_max: 24 << 20,
            attempts_max: 8,
            backoff_min: Duration::from_millis(100),
            backoff_max: Duration::from_secs(5),
            stall: Duration::from_secs(20),
        }
    }
}

/// An AWS access key. Its `Debug` hides the secret.
#[derive(Clone)]
pub struct AccessKey {
    /// The public part.
    pub id: String,
    /// The secret part.
    pub secret: String,
    /// Of temporary credentials.
    pub session_token: Option<String>,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A role to take on. Its `Debug` hides what only its owner should know.
#[derive(Clone)]
pub struct AssumedRole {
    /// `arn:aws:iam::123456789012:role/reader`.
    pub arn: String,
    /// What the owner of the role demands to be told, so that nobody else can have it taken on by us.
    pub external_id: Option<String>,
    /// Who takes it on, as its owner sees in the logs: 2 to 64 of `A-Za-z0-9_+=,.@-`.
    pub session_name: String,
}

impl fmt::Debug for AssumedRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssumedRole")
            .field("arn", &self.arn)
            .field("session_name", &self.session_name)
            .finish_non_exhaustive()
    }
}

/// Splits `s3://BUCKET/KEY`; `None` if it is no URL at all.
pub(super) fn split(argument: &str) -> Result<Option<(String, String)>, SourceError> {
    let problem = |problem: &str| {
        Err(SourceError::Input { input: argument.to_owned(), problem: problem.to_owned() })
    };
    let Some((scheme, rest)) = argument.split_once("://") else { return Ok(None) };
    if scheme.contains('/') {
        return Ok(None);
    }
    if !scheme.eq_ignore_ascii_case("s3") {
        return problem(
            "only `s3://` URLs can be read; give a file, a directory, `-` or `s3://BUCKET/KEY`",
        );
    }
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return problem("the bucket is missing; write `s3://BUCKET/KEY` or `s3://BUCKET/PREFIX/`");
    }
    Ok(Some((bucket.to_owned(), key.to_owned())))
}

pub(super) fn url(bucket: &str, key: &str) -> String {
    format!("s3://{bucket}/{key}")
}

/// A connection to one store.
#[derive(Clone, Debug)]
pub(super) struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    /// For messages.
    endpoint: String,
    options: S3Options,
    /// Whether the store ever answered: before, a failure to connect is likely a wrong address.
    reached: AtomicBool,
}

impl Store {
    /// Finds region, credentials and endpoint. Asks nothing of the store yet.
    pub(super) async fn connect(options: &S3Options) -> Result<Self, SourceError> {
        let own_endpoint = options.endpoint_url.is_some()
            || ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"].iter().any(|n| env::var(n).is_ok());
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .timeout_config(TimeoutConfig::builder().connect_timeout(options.stall).build());
        if let Some(region) = options.region.clone() {
            loader = loader.region(Region::new(region));
        } else if own_endpoint {
            loader = loader.region(own_region());
        }
        if let Some(endpoint) = &options.endpoint_url {
            loader = loader.endpoint_url(endpoint);
        }
        if let Some(AccessKey { id, secret, session_token }) = options.access_key.clone() {
            let key = Credentials::new(id, secret, session_token, None, "weir");
            loader = loader.credentials_provider(key);
        }
        let config = loader.load().await;
        let Some(region) = config.region() else {
            return Err(SourceError::Config {
                problem: "no region is known; give --region, or set AWS_REGION".to_owned(),
            });
        };
        let endpoint = match config.endpoint_url() {
            Some(url) => url.to_owned(),
            None => format!("AWS in {region}"),
        };
        let own_endpoint = own_endpoint || config.endpoint_url().is_some();
        let mut builder = aws_sdk_s3::config::Builder::from(&config);
        if let Some(role) = &options.role {
            builder = builder.credentials_provider(assume(role, options, &config).await);
        }
        let config = builder
            // Within a request, whose own time is up before.
            .identity_cache(IdentityCache::lazy().load_timeout(options.stall * 2).build())
            .force_path_style(options.path_style.unwrap_or(own_endpoint))
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .build();
        let (client, options) = (Client::from_conf(config), options.clone());
        let reached = AtomicBool::new(false);
        Ok(Self { shared: Arc::new(Shared { client, endpoint, options, reached }) })
    }

    /// Looks an object up.
    pub(super) async fn head(&self, bucket: &str, key: &str) -> Result<Object, SourceError> {
        let target = self.target(url(bucket, key), 0);
        let mut backoff = self.backoff();
        let found = loop {
            match self.ask_head(&target, bucket, key).await {
                Ok(found) => break found,
                Err(fault) => backoff.wait_after(fault, &target).await?,
            }
        };
        Ok(Object {
            key: target.object,
            etag: unquoted(found.e_tag().unwrap_or_default()),
            size: found.content_length().and_then(|size| u64::try_from(size).ok()),
            last_modified: found.last_modified().and_then(unix_ns),
        })
    }

    async fn ask_head(
        &self,
        target: &Target<'_>,
        bucket: &str,
        key: &str,
    ) -> Result<HeadObjectOutput, Fault> {
        let request = self.shared.client.head_object().bucket(bucket).key(key);
        let answer = self.answer(target, request.send()).await;
        if matches!(answer, Err(Fault::Lasting(_))) {
            // An answer to HEAD has no body to say what is wrong; one to GET has.
            let request = self.shared.client.get_object().bucket(bucket).key(key);
            self.answer(target, request.range("bytes=0-0").send()).await?;
        }
        answer
    }

    /// Reads the next page of a listing.
    ///
    /// XML cannot carry every key: stores write some characters as U+FFFD, or so that nobody can read them. Such a page is
    /// asked for once more with its keys escaped. Not all stores do that in the same way, so what could be read stands.
    pub(super) async fn page(&self, pages: &mut Pages) -> Result<Vec<Object>, SourceError> {
        let Some(token) = pages.next.clone() else { return Ok(Vec::new()) };
        let (answer, plain) = match self.ask_page(pages, false).await? {
            Ok(plain) if !is_garbled(&plain) => (plain, None),
            plain => (self.ask_page(pages, true).await??, plain.ok()),
        };
        let plain = plain.filter(|plain| plain.contents().len() == answer.contents().len());
        let objects = answer.contents().iter().enumerate().filter_map(|(number, found)| {
            let plain = plain.as_ref().and_then(|plain| plain.contents()[number].key());
            let key = match plain.filter(|key| !key.contains(GARBLED)) {
                Some(key) => Cow::Borrowed(key),
                None => key_of(found, &answer)?,
            };
            let size = found.size().and_then(|size| u64::try_from(size).ok());
            let folder = key.ends_with('/') && size == Some(0);
            (!folder).then(|| Object {
                key: url(&pages.bucket, &key),
                etag: unquoted(found.e_tag().unwrap_or_default()),
                size,
                last_modified: found.last_modified().and_then(unix_ns),
            })
        });
        let objects = objects.collect();
        let following = answer.next_continuation_token().map(ToOwned::to_owned);
        let following = following.filter(|_| answer.is_truncated() == Some(true));
        if following.is_some() && following == token {
            return Err(SourceError::Refused {
                code: "refused",
                object: url(&pages.bucket, &pages.prefix),
                offset: 0,
                detail: "the listing does not get any further: the store gave the same \
                         continuation token twice"
                    .to_owned(),
            });
        }
        pages.next = following.map(Some);
        Ok(objects)
    }

    /// Asks for a page, with its keys escaped or not. The inner error says that the answer cannot be read.
    async fn ask_page(
        &self,
        pages: &Pages,
        escaped: bool,
    ) -> Result<Result<ListObjectsV2Output, SourceError>, SourceError> {
        let Pages { bucket, prefix, start_after, next } = pages;
        let token = next.clone().flatten();
        let target = self.target(url(bucket, prefix), 0);
        let mut backoff = self.backoff();
        loop {
            let request = self.shared.client.list_objects_v2().bucket(bucket).prefix(prefix);
            // What was asked for first is part of the token.
            let start_after = start_after.clone().filter(|_| token.is_none());
            let request = request.set_start_after(start_after);
            let request = request.set_continuation_token(token.clone());
            let request = request.set_encoding_type(escaped.then_some(EncodingType::Url));
            match self.answer(&target, request.send()).await {
                Ok(answer) => return Ok(Ok(answer)),
                Err(Fault::Unreadable(error)) => return Ok(Err(error)),
                Err(fault) => backoff.wait_after(fault, &target).await?,
            }
        }
    }

    /// Makes an object ready to be read. What does not say its size and version is looked up.
    pub(super) async fn object(
        &self,
        bucket: String,
        key: String,
        object: &Object,
    ) -> Result<Located, SourceError> {
        let (etag, size) = match object.size {
            Some(size) => (object.etag.clone(), Some(size)),
            None => {
                let found = self.head(&bucket, &key).await?;
                if !object.etag.is_empty() && found.etag != object.etag {
                    let detail = format!("its ETag was {} and is {}", object.etag, found.etag);
                    return Err(SourceError::Changed { object: found.key, offset: 0, detail });
                }
                (found.etag, found.size)
            }
        };
        let Some(size) = size else {
            return Err(SourceError::Refused {
                code: "refused",
                object: object.key.clone(),
                offset: 0,
                detail: "the store does not say how large it is".to_owned(),
            });
        };
        Ok(Located { store: self.clone(), version: Arc::new(Version { bucket, key, etag, size }) })
    }

    fn target(&self, object: String, offset: u64) -> Target<'_> {
        let role = self.shared.options.role.as_ref().map(|role| role.arn.as_str());
        Target { object, offset, endpoint: &self.shared.endpoint, role }
    }

    /// Waits for an answer, but not for ever, and says what kind of failure there is.
    async fn answer<T, E>(
        &self,
        target: &Target<'_>,
        request: impl Future<Output = Result<T, fault::SdkError<E>>>,
    ) -> Result<T, Fault>
    where
        E: fault::ServiceError,
    {
        let stall = self.shared.options.stall;
        match tokio::time::timeout(stall, request).await {
            Err(_) => Err(Fault::unreached(format!("no answer within {stall:?}"))),
            Ok(answer) => {
                let unreached = matches!(&answer, Err(error) if fault::is_unreached(error));
                if !unreached {
                    self.shared.reached.store(true, Ordering::Relaxed);
                }
                answer.map_err(|error| target.classify(error))
            }
        }
    }

    fn backoff(&self) -> Backoff<'_> {
        Backoff::new(&self.shared.options, &self.shared.reached)
    }
}

/// Credentials of a role. The client asks for them when it first needs them, keeps them, and asks anew
/// before they expire.
async fn assume(
    role: &AssumedRole,
    options: &S3Options,
    config: &SdkConfig,
) -> impl ProvideCredentials + 'static {
    let mut config = config.to_builder();
    if let Some(url) = &options.sts_endpoint_url {
        config.set_endpoint_url(Some(url.clone()));
    }
    let mut provider = AssumeRoleProvider::builder(&role.arn)
        .session_name(&role.session_name)
        .configure(&config.build());
    if let Some(id) = &role.external_id {
        provider = provider.external_id(id);
    }
    provider.build().await
}

/// The region of a store that is not AWS. Most do not care which, and none of them is found by asking
/// an EC2 instance, as the usual chain does in the end.
fn own_region() -> RegionProviderChain {
    RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new())
        .or_else(Region::new("us-east-1"))
}

/// What stores write for what XML cannot carry.
const GARBLED: char = '\u{fffd}';

/// Whether a store may have written something else for a character of a key.
fn is_garbled(page: &ListObjectsV2Output) -> bool {
    page.contents().iter().filter_map(|found| found.key()).any(|key| key.contains(GARBLED))
}

/// A key as it is. Escaped as in the query of a URL, also a space, which is then a plus.
fn key_of<'a>(found: &'a types::Object, page: &ListObjectsV2Output) -> Option<Cow<'a, str>> {
    let key = found.key()?;
    if page.encoding_type() != Some(&EncodingType::Url) {
        return Some(Cow::Borrowed(key));
    }
    let key = key.replace('+', " ");
    Some(Cow::Owned(percent_decode_str(&key).decode_utf8_lossy().into_owned()))
}

/// A listing that has been read up to some page.
pub(super) struct Pages {
    bucket: String,
    prefix: String,
    /// The store is to begin behind this key.
    start_after: Option<String>,
    /// How to ask for the next page: without a token for the first; `None` after the last.
    next: Option<Option<String>>,
}

impl Pages {
    pub(super) fn new(bucket: String, prefix: String, start_after: Option<String>) -> Self {
        Self { bucket, prefix, start_after, next: Some(None) }
    }

    pub(super) fn has_more(&self) -> bool {
        self.next.is_some()
    }
}

/// One version of an object.
#[derive(Debug)]
struct Version {
    bucket: String,
    key: String,
    /// Without its quotes; empty if the store has none.
    etag: String,
    size: u64,
}

/// An object that can be read from any offset.
#[derive(Clone, Debug)]
pub(super) struct Located {
    store: Store,
    version: Arc<Version>,
}

impl Located {
    pub(super) fn size(&self) -> u64 {
        self.version.size
    }

    /// The stored bytes from `start` to `end`.
    pub(super) fn parts(&self, start: u64, end: u64) -> Parts {
        Parts::new(self.clone(), start, end)
    }

    fn target(&self, offset: u64) -> Target<'_> {
        self.store.target(url(&self.version.bucket, &self.version.key), offset)
    }
}

/// An ETag as it is kept: `"abc"` becomes `abc`, a weak `W/"abc"` stays.
fn unquoted(etag: &str) -> String {
    etag.strip_prefix('"').and_then(|e| e.strip_suffix('"')).unwrap_or(etag).to_owned()
}

/// An ETag as it is sent.
fn quoted(etag: &str) -> String {
    if etag.starts_with("W/") { etag.to_owned() } else { format!("\"{etag}\"") }
}

fn unix_ns(time: &DateTime) -> Option<i64> {
    i64::try_from(time.as_nanos()).ok()
}
