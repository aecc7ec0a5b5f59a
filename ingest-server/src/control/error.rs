//! Why the control plane refuses.

use rusqlite::ErrorCode;

use crate::pull::FieldError;
use crate::store::StoreError;

/// A request that is refused, or cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    /// There is no such thing, or it is not the caller's.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// Fields are wrong.
    #[error("{}", fields_text(.0))]
    Invalid(Vec<FieldError>),
    /// It does not fit what there is.
    #[error("{message}")]
    Conflict { code: &'static str, message: String },
    /// A program does not compile, its tests fail, or the like.
    #[error("{message}")]
    Refused { code: &'static str, message: String, details: serde_json::Value },
    /// The caller may not do it.
    #[error("{0}")]
    Forbidden(String),
    /// The store was used with another master key.
    #[error(
        "the master key is not the one that this store was made with: set {} or restore `master.key` \
         from your back-up",
        crate::vault::VARIABLE
    )]
    OtherKey,
    /// The store fails.
    #[error(transparent)]
    Store(StoreError),
}

fn fields_text(fields: &[FieldError]) -> String {
    fields.iter().map(FieldError::to_string).collect::<Vec<_>>().join("; ")
}

impl ControlError {
    pub(crate) fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, message)])
    }

    pub(crate) fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::Conflict { code, message: message.into() }
    }
}

impl From<StoreError> for ControlError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<rusqlite::Error> for ControlError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Whether an insert or update met a row that must be unique.
pub(super) fn is_taken(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}
