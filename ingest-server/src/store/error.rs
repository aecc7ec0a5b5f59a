//! What can go wrong with a store.

use std::path::PathBuf;

/// A store that cannot be opened, read or written.
///
/// Records that a program refuses are not errors but dead letters; only a broken machine, a misuse
/// or a race with another worker ends up here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no file at this path, and the caller did not ask to create one.
    #[error("there is no store at {}", path.display())]
    Missing {
        /// Where the store was expected.
        path: PathBuf,
    },
    /// The file exists, but weir did not write it.
    #[error("{} is not a weir store", path.display())]
    NotAStore {
        /// The file that was opened.
        path: PathBuf,
    },
    /// The file was written by a later weir, in a format that this one does not know.
    #[error(
        "{} was written by a newer weir (store format {found}, this one reads up to {supported}): \
         upgrade weir to open it",
        path.display()
    )]
    Newer {
        /// The file that was opened.
        path: PathBuf,
        /// The format of the file.
        found: i64,
        /// The newest format that this program knows.
        supported: i64,
    },
    /// The file was written by an earlier weir, and reading alone cannot change that.
    #[error(
        "{} was written by an earlier weir: open it once with a command that writes to it, \
         such as `weir serve` or `weir run --store`",
        path.display()
    )]
    Older {
        /// The file that was opened.
        path: PathBuf,
    },
    /// The run that the work belongs to was ended: somebody else may have taken its place, and
    /// nothing was stored.
    #[error("this run was ended; nothing was stored")]
    RunClosed,
    /// The dead letter is no longer open: it was mapped or discarded in the meantime, and nothing
    /// was stored.
    #[error("the dead letter is no longer open; nothing was stored")]
    Settled,
    /// The object's progress is no longer where the append started from: somebody else has
    /// committed this part, and nothing was stored.
    #[error("the progress of this object has moved on; nothing was stored")]
    Fenced {
        /// The progress that is stored now; `None` if the object is unknown.
        stored: Option<String>,
    },
    /// The caller handed over something that cannot be stored.
    #[error("cannot be stored: {0}")]
    Invalid(&'static str),
    /// The file contradicts itself.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    /// The store was opened for reading only.
    #[error("the store is open for reading only")]
    ReadOnly,
    /// The writer has stopped.
    #[error("the store's writer has stopped")]
    Closed,
    /// The database refused: a full disk, an I/O error, a lock held for too long.
    #[error("the store's database failed: {0}")]
    Database(#[source] rusqlite::Error),
    /// The operating system refused.
    #[error("the store's file cannot be used: {0}")]
    Io(#[from] std::io::Error),
}

impl StoreError {
    pub(crate) fn corrupt(what: impl Into<String>) -> StoreError {
        StoreError::Corrupt(what.into())
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => StoreError::Corrupt(error.to_string()),
            None if matches!(
                error,
                rusqlite::Error::InvalidPath(_) | rusqlite::Error::NulError(_)
            ) =>
            {
                StoreError::Database(error)
            }
            // A column of the wrong type, a missing row or table: the file is not what its format says.
            None => StoreError::Corrupt(error.to_string()),
            Some(_) => StoreError::Database(error),
        }
    }
}
