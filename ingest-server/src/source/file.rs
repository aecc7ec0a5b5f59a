//! Local files and directories.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use bytes::Bytes;

use super::buffers::Buffers;
use super::raw::{self, Raw, Snapshot};
use super::{Object, SourceError};

/// `size-mtime_ns`: what stands in for an ETag.
pub(super) fn etag(metadata: &Metadata) -> String {
    format!("{}-{}", metadata.len(), modified_ns(metadata).unwrap_or(0))
}

fn modified_ns(metadata: &Metadata) -> Option<i64> {
    let modified = metadata.modified().ok()?;
    match modified.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).ok(),
        Err(before) => i64::try_from(before.duration().as_nanos()).ok().map(|ns| -ns),
    }
}

/// The path that an argument means, which must exist.
pub(super) fn find(argument: &str) -> Result<PathBuf, SourceError> {
    let path = std::path::absolute(argument).map_err(|source| failed(argument, source))?;
    fs::metadata(&path).map_err(|source| failed(argument, source))?;
    Ok(path)
}

/// What to read below `path`: the file itself, or the files of a directory by name.
///
/// As with `directory/*` in a shell, names that begin with a dot and sub-directories are left out.
pub(super) fn list(path: &Path) -> Result<Vec<Object>, SourceError> {
    let name = path.display().to_string();
    let metadata = fs::metadata(path).map_err(|source| failed(&name, source))?;
    if !metadata.is_dir() {
        return Ok(vec![object(path, &metadata)?]);
    }
    let mut paths = fs::read_dir(path)
        .and_then(|entries| entries.map(|e| Ok(e?.path())).collect::<io::Result<Vec<_>>>())
        .map_err(|source| failed(&name, source))?;
    paths.retain(|path| {
        !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
    });
    paths.sort();
    let mut objects = Vec::with_capacity(paths.len());
    for path in paths {
        let metadata =
            fs::metadata(&path).map_err(|source| failed(&path.display().to_string(), source))?;
        if metadata.is_file() {
            objects.push(object(&path, &metadata)?);
        }
    }
    Ok(objects)
}

fn object(path: &Path, metadata: &Metadata) -> Result<Object, SourceError> {
    let key = path.to_str().ok_or_else(|| SourceError::Input {
        input: path.display().to_string(),
        problem: "the name is not UTF-8; rename the file, or pipe it to standard input".to_owned(),
    })?;
    // A pipe has no size, cannot be read twice and is never the same again.
    let (etag, size) = if metadata.is_file() {
        (etag(metadata), Some(metadata.len()))
    } else {
        (super::stream_etag(), None)
    };
    Ok(Object { key: key.to_owned(), etag, size, last_modified: modified_ns(metadata) })
}

/// A file that can be read from any offset, or a pipe that cannot.
pub(super) struct Opened {
    file: File,
    /// Of a regular file.
    snapshot: Option<Snapshot>,
}

impl Opened {
    /// Opens what was listed as `object`; another file by that name is an error.
    pub(super) fn open(object: &Object) -> Result<Self, SourceError> {
        let file = File::open(&object.key).map_err(|source| failed(&object.key, source))?;
        let metadata = file.metadata().map_err(|source| failed(&object.key, source))?;
        if !metadata.is_file() {
            return Ok(Self { file, snapshot: None });
        }
        let now = etag(&metadata);
        if object.etag != now {
            return Err(SourceError::Changed {
                object: object.key.clone(),
                offset: 0,
                detail: format!("it was `{}` (size-mtime) and is `{now}`", object.etag),
            });
        }
        Ok(Self { file, snapshot: Some(Snapshot { etag: now, size: metadata.len() }) })
    }

    pub(super) fn size(&self) -> Option<u64> {
        self.snapshot.as_ref().map(|snapshot| snapshot.size)
    }

    pub(super) fn first_bytes(&self, object: &Object, count: u64) -> Result<Bytes, SourceError> {
        let mut first = Vec::new();
        let read = (&self.file).take(count).read_to_end(&mut first);
        read.map_err(|source| failed(&object.key, source))?;
        Ok(first.into())
    }

    /// The stored bytes from `offset`, which must be 0 for a pipe.
    pub(super) fn read_from(
        mut self,
        object: &Object,
        offset: u64,
        buffers: &Buffers,
    ) -> Result<Raw, SourceError> {
        if self.snapshot.is_some() {
            self.file
                .seek(SeekFrom::Start(offset))
                .map_err(|source| failed(&object.key, source))?;
        }
        raw::read_file(object.key.clone(), self.file, offset, self.snapshot, buffers.clone())
    }
}

fn failed(name: &str, source: io::Error) -> SourceError {
    match source.kind() {
        io::ErrorKind::NotFound => SourceError::NotFound {
            code: "no_such_file",
            object: name.to_owned(),
            help: "there is no such file; give a file, a directory, `-` or `s3://BUCKET/KEY`"
                .to_owned(),
        },
        io::ErrorKind::PermissionDenied => SourceError::Denied {
            code: "access_denied",
            object: name.to_owned(),
            detail: source.to_string(),
            help: "allow this user to read it".to_owned(),
        },
        _ => SourceError::Io { object: name.to_owned(), offset: 0, source },
    }
}
