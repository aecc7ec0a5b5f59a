//! Standard input: one object without a size, that can be read once.

use super::buffers::Buffers;
use super::raw::{self, Raw};
use super::{Object, SourceError};

/// The argument and the key that mean standard input.
pub(super) const KEY: &str = "-";

pub(super) fn object() -> Object {
    Object { key: KEY.to_owned(), etag: super::stream_etag(), size: None, last_modified: None }
}

pub(super) fn read(buffers: &Buffers) -> Result<Raw, SourceError> {
    raw::read_stdin("standard input".to_owned(), buffers.clone())
}
