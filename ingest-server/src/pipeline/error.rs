//! What can go wrong with a run.

use std::io;

use crate::source::SourceError;
use crate::store::StoreError;

/// A run, or the reading of one object, that cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// An object cannot be read, or not to its end.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Somebody else is storing the same object.
    #[error(
        "`{object}`: another process is ingesting this object into the same store; what it \
         commits is not stored again here"
    )]
    Fenced {
        /// The object.
        object: String,
    },
    /// The run was ended by somebody else.
    #[error("`{object}`: the run was ended")]
    RunEnded {
        /// The object.
        object: String,
    },
    /// A record was refused, and the source says that its object must then not be read on.
    ///
    /// What was refused is not told: messages go to places where no record belongs.
    #[error(
        "`{object}`: the record at byte {offset} was refused: {code}{target}, by line {line} of the program; \
         `weir explain {code}` says more"
    )]
    Refused {
        /// The object.
        object: String,
        /// Offset of the record in the decompressed object.
        offset: u64,
        /// Why.
        code: &'static str,
        /// The field that could not be filled, behind a space; may be empty.
        target: String,
        /// The line of the program that refused; 0 if none did.
        line: u32,
    },
    /// The store refuses to take or give anything.
    #[error("`{object}`: {source}")]
    Store {
        /// The object that was to be stored.
        object: String,
        /// The cause.
        source: StoreError,
    },
    /// What was mapped cannot be written.
    #[error("cannot write to {name}: {source}")]
    Output {
        /// `standard output`, or a file.
        name: String,
        /// The cause.
        source: io::Error,
    },
    /// The work was ended before it was done.
    #[error("the work was given up")]
    Stopped,
}

impl PipelineError {
    /// Whether other objects may still be read and stored.
    pub fn is_about_one_object(&self) -> bool {
        match self {
            Self::Source(error) => {
                !matches!(error, SourceError::Config { .. } | SourceError::Unavailable { .. })
            }
            Self::Fenced { .. } | Self::Refused { .. } => true,
            Self::RunEnded { .. } | Self::Store { .. } | Self::Output { .. } | Self::Stopped => {
                false
            }
        }
    }

    /// Whether whoever read the output has gone away.
    pub fn is_closed_output(&self) -> bool {
        matches!(self, Self::Output { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}
