//! Stored bytes in order, whoever brings them.
//!
//! A file or a pipe is read by a thread of its own, because reading blocks and must not hold up the
//! runtime, nor keep it from shutting down; S3 is read by tasks. Both end in bounded queues of
//! chunks, and [`RawReader`] is what stands at their end.

use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::thread;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};
use tokio::sync::mpsc;

use super::{SourceError, s3};

/// The largest chunk that a source hands out.
pub(super) const CHUNK_BYTES_MAX: usize = 256 * 1024;

/// A chunk handed out by reading threads is at least this large, unless the source is slow.
const READ_BYTES_MIN: usize = 64 * 1024;

/// How many chunks may wait between two stages.
pub(super) const CHUNKS_AHEAD: usize = 2;

/// One chunk, or why there is none.
pub(super) type Item = Result<Bytes, SourceError>;

/// Where stored bytes come from.
pub(super) enum Raw {
    /// From a thread that reads a file or standard input.
    Thread(mpsc::Receiver<Item>),
    /// From ranges of an S3 object.
    Parts(s3::Parts),
}

impl Raw {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        match self {
            Self::Thread(chunks) => chunks.poll_recv(cx),
            Self::Parts(parts) => parts.poll_next(cx),
        }
    }
}

/// What a file that is read must still be when its end is reached.
pub(super) struct Snapshot {
    /// `size-mtime_ns` when it was listed.
    pub(super) etag: String,
    /// Its size then.
    pub(super) size: u64,
}

/// Reads `file` on a thread of its own; `offset` is where it stands. With a snapshot, exactly the
/// bytes that were listed are read, and a file that is another one by then is an error.
pub(super) fn read_file(
    object: String,
    file: File,
    offset: u64,
    snapshot: Option<Snapshot>,
) -> Result<Raw, SourceError> {
    let left = snapshot.as_ref().map_or(u64::MAX, |s| s.size.saturating_sub(offset));
    spawn(Reading { object, offset, left, snapshot }, file)
}

/// Reads standard input on a thread of its own.
pub(super) fn read_stdin(object: String) -> Result<Raw, SourceError> {
    spawn(Reading { object, offset: 0, left: u64::MAX, snapshot: None }, io::stdin())
}

struct Reading {
    object: String,
    offset: u64,
    left: u64,
    snapshot: Option<Snapshot>,
}

/// A read handle that may be able to say what file it is.
trait Handle: Read + Send + 'static {
    fn etag(&self) -> io::Result<Option<String>>;
}

impl Handle for File {
    fn etag(&self) -> io::Result<Option<String>> {
        Ok(Some(super::file::etag(&self.metadata()?)))
    }
}

impl Handle for io::Stdin {
    fn etag(&self) -> io::Result<Option<String>> {
        Ok(None)
    }
}

fn spawn(mut reading: Reading, mut handle: impl Handle) -> Result<Raw, SourceError> {
    let (tx, rx) = mpsc::channel(CHUNKS_AHEAD);
    let object = reading.object.clone();
    thread::Builder::new()
        .name("weir-read".to_owned())
        .spawn(move || {
            // A receiver that is gone means that nobody wants the rest.
            if let Err(error) = reading.run(&mut handle, &tx) {
                let _ = tx.blocking_send(Err(error));
            }
        })
        .map_err(|source| SourceError::Io { object, offset: 0, source })?;
    Ok(Raw::Thread(rx))
}

impl Reading {
    fn run(
        &mut self,
        handle: &mut impl Handle,
        tx: &mpsc::Sender<Item>,
    ) -> Result<(), SourceError> {
        let mut buffer = BytesMut::new();
        while self.left > 0 {
            if buffer.len() < READ_BYTES_MIN {
                buffer = BytesMut::zeroed(CHUNK_BYTES_MAX);
            }
            let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
            let count = match handle.read(&mut buffer[..wanted]) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(self.failed(source)),
            };
            self.offset += count as u64;
            self.left -= count as u64;
            if tx.blocking_send(Ok(buffer.split_to(count).freeze())).is_err() {
                return Ok(());
            }
        }
        self.check(handle)
    }

    /// Compares the file at its end with what was listed.
    fn check(&self, handle: &impl Handle) -> Result<(), SourceError> {
        let Some(snapshot) = &self.snapshot else { return Ok(()) };
        let now = handle.etag().map_err(|source| self.failed(source))?.unwrap_or_default();
        if now == snapshot.etag && self.left == 0 {
            return Ok(());
        }
        Err(SourceError::Changed {
            object: self.object.clone(),
            offset: self.offset,
            detail: format!("it was `{}` (size-mtime) and is `{now}`", snapshot.etag),
        })
    }

    fn failed(&self, source: io::Error) -> SourceError {
        SourceError::Io { object: self.object.clone(), offset: self.offset, source }
    }
}

/// Reads chunks from a [`Raw`], and knows how far it is.
pub(super) struct RawReader {
    raw: Raw,
    chunk: Bytes,
    /// Stored offset of the first byte not yet taken; shared with whoever shows progress.
    position: Arc<AtomicU64>,
}

impl RawReader {
    /// `offset` is that of the first byte that `raw` will give.
    pub(super) fn new(raw: Raw, offset: u64) -> Self {
        Self { raw, chunk: Bytes::new(), position: Arc::new(AtomicU64::new(offset)) }
    }

    pub(super) fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    pub(super) fn shared_position(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.position)
    }

    /// The next chunk, or `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, SourceError> {
        if self.chunk.is_empty() {
            match poll_fn(|cx| self.raw.poll_next(cx)).await {
                Some(chunk) => self.chunk = chunk?,
                None => return Ok(None),
            }
        }
        let chunk = std::mem::take(&mut self.chunk);
        self.advance(chunk.len());
        Ok(Some(chunk))
    }

    /// The next `count` bytes, or fewer at the end, without taking them.
    pub(super) async fn peek(&mut self, count: usize) -> Result<&[u8], SourceError> {
        while self.chunk.len() < count {
            let Some(chunk) = poll_fn(|cx| self.raw.poll_next(cx)).await else { break };
            let chunk = chunk?;
            self.chunk = if self.chunk.is_empty() {
                chunk
            } else {
                [&self.chunk[..], &chunk[..]].concat().into()
            };
        }
        Ok(&self.chunk[..count.min(self.chunk.len())])
    }

    fn advance(&self, count: usize) {
        self.position.fetch_add(count as u64, Ordering::Relaxed);
    }
}

impl AsyncRead for RawReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let available = ready!(self.as_mut().poll_fill_buf(cx))?;
        let count = available.len().min(out.remaining());
        out.put_slice(&available[..count]);
        self.consume(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncBufRead for RawReader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        while this.chunk.is_empty() {
            match ready!(this.raw.poll_next(cx)) {
                Some(Ok(chunk)) => this.chunk = chunk,
                // The decoder passes it on, and `decompress` takes it out again.
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => break,
            }
        }
        Poll::Ready(Ok(&this.chunk))
    }

    fn consume(mut self: Pin<&mut Self>, count: usize) {
        self.chunk.advance(count);
        self.advance(count);
    }
}
