//! Why a source cannot give what was asked of it.

use std::io;

/// A source that cannot be read, or not any further.
///
/// Every message names the object, where in it the reader was, and what can be done about it. All
/// bytes before the offset have been handed out when the error is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The argument names nothing that can be read.
    #[error("`{input}`: {problem}")]
    Input {
        /// The argument as it was given.
        input: String,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// S3 cannot be asked at all: region, credentials or endpoint are missing or unusable.
    #[error("S3 is not configured: {problem}")]
    Config {
        /// What is missing, and how to give it.
        problem: String,
    },
    /// There is no such object (any more).
    #[error("`{object}`: not found; {help}")]
    NotFound {
        /// `no_such_bucket`, `no_such_key` or `no_such_file`.
        code: &'static str,
        /// The object, or the bucket.
        object: String,
        /// Where it was looked for, and what to do.
        help: String,
    },
    /// The object exists or may exist, but these credentials may not read it.
    #[error("`{object}`: access denied ({detail}); {help}")]
    Denied {
        /// `access_denied`, `invalid_credentials`, `expired_credentials`, `role_denied` or
        /// `clock_skew`.
        code: &'static str,
        /// The object, or the bucket.
        object: String,
        /// What the store answered.
        detail: String,
        /// What to do.
        help: String,
    },
    /// The object is not the one that was listed.
    #[error(
        "`{object}` changed while it was being read (at byte {offset}): {detail}; \
         list it again and read it from the start"
    )]
    Changed {
        /// The object.
        object: String,
        /// Stored (compressed) offset of the first byte that could not be read.
        offset: u64,
        /// How the change showed.
        detail: String,
    },
    /// The store answered with an error that asking again will not mend.
    #[error("`{object}`: the store refused the request at byte {offset}: {detail}")]
    Refused {
        /// `wrong_region`, `archived` or `refused`.
        code: &'static str,
        /// The object, or the bucket.
        object: String,
        /// Stored (compressed) offset of the first byte that could not be read.
        offset: u64,
        /// What the store answered, and what to do.
        detail: String,
    },
    /// The store kept failing in a way that may pass.
    #[error(
        "`{object}`: gave up at byte {offset} after {attempts} attempts against {endpoint}: {detail}; \
         run again later, or check the network and the store"
    )]
    Unavailable {
        /// `unreachable`, `slow_down` or `unavailable`.
        code: &'static str,
        /// The object, or the bucket.
        object: String,
        /// Stored (compressed) offset of the first byte that could not be read.
        offset: u64,
        /// Attempts in a row without progress.
        attempts: u32,
        /// Who was asked.
        endpoint: String,
        /// What the last attempt ended with.
        detail: String,
    },
    /// The operating system failed.
    #[error("`{object}`: cannot read at byte {offset}: {source}")]
    Io {
        /// The object.
        object: String,
        /// Stored (compressed) offset of the first byte that could not be read.
        offset: u64,
        /// The cause.
        source: io::Error,
    },
    /// The compressed data is damaged, or ends too early.
    #[error(
        "`{object}`: damaged {format} data near compressed byte {compressed_offset} \
         (decompressed byte {decompressed_offset}): {detail}"
    )]
    Corrupt {
        /// The object.
        object: String,
        /// `gzip` or `zstd`.
        format: &'static str,
        /// How far the decoder had read.
        compressed_offset: u64,
        /// How much it had written: all of it has been handed out.
        decompressed_offset: u64,
        /// What the decoder said.
        detail: String,
    },
    /// The object decompresses to more than is allowed.
    #[error(
        "`{object}`: decompresses to too much: {limit} passed at compressed byte \
         {compressed_offset}, decompressed byte {decompressed_offset}; if the object is \
         trustworthy, raise the limit"
    )]
    Bomb {
        /// The object.
        object: String,
        /// How far the decoder had read.
        compressed_offset: u64,
        /// How much it had written.
        decompressed_offset: u64,
        /// The limit, with its value.
        limit: String,
    },
    /// A zstd frame asks for more memory than is allowed.
    #[error(
        "`{object}`: the zstd frame near compressed byte {compressed_offset} needs a window of \
         more than {window_bytes_max} bytes; raise the limit, or compress with level 20 or lower \
         and without --long"
    )]
    Window {
        /// The object.
        object: String,
        /// How far the decoder had read.
        compressed_offset: u64,
        /// How much it had written.
        decompressed_offset: u64,
        /// The limit.
        window_bytes_max: u64,
    },
    /// Reading was to go on at an offset that the object does not have.
    #[error(
        "`{object}`: cannot resume at byte {offset}, it ends at byte {end}; it is not the object \
         that was read before"
    )]
    PastEnd {
        /// The object.
        object: String,
        /// The (decompressed) offset to resume at.
        offset: u64,
        /// The number of (decompressed) bytes.
        end: u64,
    },
}

impl SourceError {
    /// The object, bucket or argument that the error is about.
    pub fn object(&self) -> Option<&str> {
        match self {
            Self::Input { input, .. } => Some(input),
            Self::Config { .. } => None,
            Self::NotFound { object, .. }
            | Self::Denied { object, .. }
            | Self::Changed { object, .. }
            | Self::Refused { object, .. }
            | Self::Unavailable { object, .. }
            | Self::Io { object, .. }
            | Self::Corrupt { object, .. }
            | Self::Bomb { object, .. }
            | Self::Window { object, .. }
            | Self::PastEnd { object, .. } => Some(object),
        }
    }

    /// What went wrong, in one word for programs. Words are added, and never change their meaning.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Input { .. } => "input",
            Self::Config { .. } => "config",
            Self::NotFound { code, .. }
            | Self::Denied { code, .. }
            | Self::Refused { code, .. }
            | Self::Unavailable { code, .. } => code,
            // What is shorter than it was is not what it was.
            Self::Changed { .. } | Self::PastEnd { .. } => "changed",
            Self::Io { .. } => "io",
            Self::Corrupt { .. } => "damaged",
            Self::Bomb { .. } => "too_large",
            Self::Window { .. } => "window_too_large",
        }
    }

    /// Whether it may work the next time, though nobody does anything about it. An object that changed
    /// has to be listed again.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable { .. }
            | Self::Changed { .. }
            | Self::PastEnd { .. }
            | Self::Io { .. } => true,
            Self::Input { .. }
            | Self::Config { .. }
            | Self::NotFound { .. }
            | Self::Denied { .. }
            | Self::Refused { .. }
            | Self::Corrupt { .. }
            | Self::Bomb { .. }
            | Self::Window { .. } => false,
        }
    }

    /// Where in the stored bytes the reader was, if it had begun.
    pub fn offset(&self) -> Option<u64> {
        match self {
            Self::Changed { offset, .. }
            | Self::Refused { offset, .. }
            | Self::Unavailable { offset, .. }
            | Self::Io { offset, .. }
            | Self::PastEnd { offset, .. } => Some(*offset),
            Self::Corrupt { compressed_offset, .. }
            | Self::Bomb { compressed_offset, .. }
            | Self::Window { compressed_offset, .. } => Some(*compressed_offset),
            Self::Input { .. }
            | Self::Config { .. }
            | Self::NotFound { .. }
            | Self::Denied { .. } => None,
        }
    }
}
