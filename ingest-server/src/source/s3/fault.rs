//! What went wrong between us and the store, whether it may pass, and how long to wait.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;

use super::S3Options;
use crate::source::SourceError;

/// An error of the SDK.
pub(super) type SdkError<E> = aws_sdk_s3::error::SdkError<E, HttpResponse>;

/// An error that the store answered with.
pub(super) trait ServiceError: ProvideErrorMetadata + Error + Send + Sync + 'static {}

impl<E: ProvideErrorMetadata + Error + Send + Sync + 'static> ServiceError for E {}

/// A request that failed.
pub(super) enum Fault {
    /// It may work the next time.
    Passing {
        /// What [`SourceError::code`] says if it never does.
        code: &'static str,
        detail: String,
    },
    /// It will not.
    Lasting(SourceError),
    /// There is an answer, in which something stands that cannot be read.
    Unreadable(SourceError),
}

impl Fault {
    /// Nobody answered, or not to the end.
    pub(super) fn unreached(detail: String) -> Self {
        Self::Passing { code: "unreachable", detail }
    }
}

/// How often a request may fail before anything was ever heard of the store.
const UNREACHED_ATTEMPTS_MAX: u32 = 3;

/// Whether nobody answered at all.
pub(super) fn is_unreached<E>(error: &SdkError<E>) -> bool {
    matches!(
        error,
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) | SdkError::ConstructionFailure(_)
    )
}

/// Pauses that double, of which a random part is waited, so that many clients that failed together
/// do not come back together.
pub(super) struct Backoff<'a> {
    options: &'a S3Options,
    reached: &'a AtomicBool,
    attempts: u32,
}

impl<'a> Backoff<'a> {
    pub(super) fn new(options: &'a S3Options, reached: &'a AtomicBool) -> Self {
        Self { options, reached, attempts: 0 }
    }

    /// There was progress: earlier failures do not count any more.
    pub(super) fn reset(&mut self) {
        self.attempts = 0;
    }

    /// Waits if the failure may pass and there have not been too many; gives it back if not.
    pub(super) async fn wait_after(
        &mut self,
        fault: Fault,
        target: &Target<'_>,
    ) -> Result<(), SourceError> {
        let (code, detail) = match fault {
            Fault::Passing { code, detail } => (code, detail),
            Fault::Lasting(error) | Fault::Unreadable(error) => return Err(error),
        };
        self.attempts += 1;
        let mut attempts_max = self.options.attempts_max;
        if !self.reached.load(Ordering::Relaxed) {
            attempts_max = attempts_max.min(UNREACHED_ATTEMPTS_MAX);
        }
        if self.attempts >= attempts_max {
            return Err(target.unavailable(code, self.attempts, detail));
        }
        tokio::time::sleep(self.pause().mul_f64(fastrand::f64())).await;
        Ok(())
    }

    fn pause(&self) -> Duration {
        let doubled = 1_u32.checked_shl(self.attempts - 1).unwrap_or(u32::MAX);
        self.options.backoff_min.saturating_mul(doubled).min(self.options.backoff_max)
    }
}

/// What a request was about, for messages.
pub(super) struct Target<'a> {
    pub(super) object: String,
    pub(super) offset: u64,
    pub(super) endpoint: &'a str,
    /// The ARN of the role that is taken on.
    pub(super) role: Option<&'a str>,
}

impl Target<'_> {
    pub(super) fn changed(&self, detail: String) -> SourceError {
        SourceError::Changed { object: self.object.clone(), offset: self.offset, detail }
    }

    pub(super) fn refused(&self, code: &'static str, detail: &str) -> SourceError {
        SourceError::Refused {
            code,
            object: self.object.clone(),
            offset: self.offset,
            detail: format!("{} says: {detail}", self.endpoint),
        }
    }

    pub(super) fn unavailable(
        &self,
        code: &'static str,
        attempts: u32,
        detail: String,
    ) -> SourceError {
        SourceError::Unavailable {
            code,
            object: self.object.clone(),
            offset: self.offset,
            attempts,
            endpoint: self.endpoint.to_owned(),
            detail,
        }
    }

    /// Says whether a failure may pass, and if not, what it means to the user.
    pub(super) fn classify<E: ServiceError>(&self, error: SdkError<E>) -> Fault {
        if let Some(error) = role_error(&error) {
            return self.classify_role(error);
        }
        match &error {
            SdkError::ServiceError(service) if service.raw().status().is_success() => {
                let detail = format!("what cannot be read ({})", root_cause(service.err()));
                Fault::Unreadable(self.refused("refused", &detail))
            }
            SdkError::ServiceError(service) => {
                let answer = Answer::of(service.err(), service.raw());
                answer.passing().unwrap_or_else(|| Fault::Lasting(self.refusal(&answer)))
            }
            error if is_broken_off(error) => Fault::unreached(root_cause(error)),
            error => Fault::Lasting(self.unusable(error)),
        }
    }

    /// The same of a role that was to be taken on first.
    fn classify_role(&self, error: &RoleError) -> Fault {
        let role = self.role.unwrap_or("the role");
        let failed = |detail: &str| format!("`{role}` cannot be taken on: {detail}");
        match error {
            SdkError::ServiceError(service) => {
                let answer = Answer::of(service.err(), service.raw());
                match answer.passing() {
                    Some(Fault::Passing { code, detail }) => {
                        Fault::Passing { code, detail: failed(&detail) }
                    }
                    _ => Fault::Lasting(self.role_refusal(failed(&answer.to_text()), &answer)),
                }
            }
            error if is_broken_off(error) => Fault::unreached(failed(&root_cause(error))),
            error => Fault::Lasting(SourceError::Config {
                problem: format!("`{role}` cannot be asked for: {}", root_cause(error)),
            }),
        }
    }

    fn role_refusal(&self, detail: String, answer: &Answer) -> SourceError {
        let (code, help) = match denied(&answer.code) {
            // With a right key, it is the role that says no.
            ("access_denied", _) => (
                "role_denied",
                "let its trust policy name these credentials, with sts:AssumeRole and the external \
                 id that is configured here; a wrong and a missing one are refused alike",
            ),
            denied => denied,
        };
        SourceError::Denied { object: self.object.clone(), detail, help: help.to_owned(), code }
    }

    /// The request could not even be made.
    fn unusable<E: ServiceError>(&self, error: &SdkError<E>) -> SourceError {
        let cause = root_cause(error);
        let problem = if DisplayErrorContext(error).to_string().contains("redentials") {
            format!(
                "no credentials were found ({cause}); set AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY, or AWS_PROFILE with a profile that holds a key"
            )
        } else {
            format!("no request to {} can be made: {cause}", self.endpoint)
        };
        SourceError::Config { problem }
    }

    fn refusal(&self, answer: &Answer) -> SourceError {
        let bucket = self.object.split('/').take(3).collect::<Vec<_>>().join("/");
        let at = self.endpoint;
        match (answer.status, answer.code.as_str()) {
            (_, "NoSuchBucket") => SourceError::NotFound {
                code: "no_such_bucket",
                object: bucket,
                help: format!(
                    "there is no such bucket at {at}; check its name, and --endpoint-url"
                ),
            },
            (301 | 307 | 308, _) | (_, "AuthorizationHeaderMalformed" | "PermanentRedirect") => {
                let region = answer.region.as_deref().unwrap_or("REGION");
                let detail = answer.to_text();
                self.refused(
                    "wrong_region",
                    &format!("the bucket is in another region ({detail}); give --region {region}"),
                )
            }
            (404, _) => SourceError::NotFound {
                code: "no_such_key",
                object: self.object.clone(),
                help: format!(
                    "there is no such key at {at}; for all objects below a prefix, end it with `/`"
                ),
            },
            (412, _) => self.changed("its ETag is another one".to_owned()),
            (416, _) => self.changed("it has become shorter".to_owned()),
            (_, "InvalidObjectState") => {
                self.refused("archived", "the object is archived; restore it before it is read")
            }
            (401 | 403, code) | (400, code @ ("ExpiredToken" | "InvalidToken")) => {
                let (code, help) = denied(code);
                SourceError::Denied {
                    object: self.object.clone(),
                    detail: format!("{at} says: {}", answer.to_text()),
                    help: help.to_owned(),
                    code,
                }
            }
            _ => self.refused("refused", &answer.to_text()),
        }
    }
}

/// What a denial means, and what to do about it.
fn denied(code: &str) -> (&'static str, &'static str) {
    match code {
        "InvalidAccessKeyId" | "InvalidClientTokenId" | "UnrecognizedClientException" => (
            "invalid_credentials",
            "the access key is not known there; check AWS_ACCESS_KEY_ID, or the credentials of the \
             source",
        ),
        "SignatureDoesNotMatch" => (
            "invalid_credentials",
            "the secret is wrong; check AWS_SECRET_ACCESS_KEY, or the credentials of the source",
        ),
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
            ("expired_credentials", "the session is over; get new credentials")
        }
        "InvalidToken" => ("invalid_credentials", "the session is not known; get new credentials"),
        "RequestTimeTooSkewed" | "RequestExpired" => {
            ("clock_skew", "the clock of this machine is wrong; set it")
        }
        _ => (
            "access_denied",
            "allow these credentials s3:GetObject on it, and s3:ListBucket on its bucket",
        ),
    }
}

/// What STS says of a role.
type RoleError = SdkError<AssumeRoleError>;

/// Finds the reason in the credentials: they are asked for within a request to the store.
fn role_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e RoleError> {
    let mut cause = error;
    loop {
        match cause.downcast_ref() {
            Some(found) => return Some(found),
            None => cause = cause.source()?,
        }
    }
}

/// Whether there is no answer, or none that is whole.
fn is_broken_off<E>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::DispatchFailure(failure) => failure.is_io() || failure.is_timeout(),
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        _ => false,
    }
}

/// What the store answered instead of data.
struct Answer {
    status: u16,
    code: String,
    message: String,
    /// Where the bucket is, if the store says so.
    region: Option<String>,
}

impl Answer {
    fn of(error: &impl ProvideErrorMetadata, raw: &HttpResponse) -> Self {
        Self {
            status: raw.status().as_u16(),
            code: error.code().unwrap_or_default().to_owned(),
            message: error.message().unwrap_or_default().to_owned(),
            region: raw.headers().get("x-amz-bucket-region").map(ToOwned::to_owned),
        }
    }

    /// A fault, if it may work the next time.
    fn passing(&self) -> Option<Fault> {
        let code = match (self.status, self.code.as_str()) {
            (429, _) | (_, "SlowDown" | "Throttling" | "ThrottlingException") => "slow_down",
            (408 | 425 | 500 | 502..=599, _) | (_, "RequestTimeout" | "InternalError") => {
                "unavailable"
            }
            _ => return None,
        };
        Some(Fault::Passing { code, detail: self.to_text() })
    }

    fn to_text(&self) -> String {
        let texts = [self.code.as_str(), self.message.as_str()];
        let texts: Vec<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
        if texts.is_empty() {
            return format!("status {}", self.status);
        }
        format!("status {}, {}", self.status, texts.join(": "))
    }
}

/// The innermost message, which says most.
fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
