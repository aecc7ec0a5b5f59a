//! Stored bytes in order, whoever brings them.
//!
//! A file or a pipe is read by a thread of its own, because reading blocks and must not hold up the
//! runtime, nor keep it from shutting down; S3 is read by tasks. Both end in bounded queues of
//! chunks, and [`RawReader`] is what stands at their end.

use std::collections::VecDeque;
use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::thread;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};
use tokio::sync::mpsc;

use super::buffers::Buffers;
use super::{SourceError, s3};

/// The largest chunk that a source hands out.
pub(super) const CHUNK_BYTES_MAX: usize = 256 * 1024;

/// How many chunks may wait between two stages.
pub(super) const CHUNKS_AHEAD: usize = 2;

/// So much is given to a decoder at a time. If it finds damage, it does not tell how far into that it
/// came, nor what it made of it, so this is how exact the place of an error is.
const PIECE_BYTES_MAX: usize = 16 * 1024;

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
    buffers: Buffers,
) -> Result<Raw, SourceError> {
    let left = snapshot.as_ref().map_or(u64::MAX, |s| s.size.saturating_sub(offset));
    spawn(Reading { object, offset, left, snapshot, buffers }, file)
}

/// Reads standard input on a thread of its own.
pub(super) fn read_stdin(object: String, buffers: Buffers) -> Result<Raw, SourceError> {
    spawn(Reading { object, offset: 0, left: u64::MAX, snapshot: None, buffers }, io::stdin())
}

struct Reading {
    object: String,
    offset: u64,
    left: u64,
    snapshot: Option<Snapshot>,
    buffers: Buffers,
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
        let mut buffer = self.buffers.buffer();
        while self.left > 0 {
            let space = buffer.space();
            let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(space.len());
            let count = match handle.read(&mut space[..wanted]) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(self.failed(source)),
            };
            self.offset += count as u64;
            self.left -= count as u64;
            buffer.advance(count);
            if tx.blocking_send(Ok(buffer.take())).is_err() {
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

/// Reads chunks from a [`Raw`], and knows how far it is. It can look ahead.
pub(super) struct RawReader {
    raw: Raw,
    /// Loaded and not yet taken; none of them is empty.
    loaded: VecDeque<Bytes>,
    loaded_bytes: usize,
    /// Why there is nothing behind what is loaded, if it is not the end.
    failed: Option<SourceError>,
    /// Stored offset of the first byte not yet taken; shared with whoever shows progress.
    position: Arc<AtomicU64>,
}

impl RawReader {
    /// `offset` is that of the first byte that `raw` will give.
    pub(super) fn new(raw: Raw, offset: u64) -> Self {
        let position = Arc::new(AtomicU64::new(offset));
        Self { raw, loaded: VecDeque::new(), loaded_bytes: 0, failed: None, position }
    }

    pub(super) fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    pub(super) fn shared_position(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.position)
    }

    /// The next chunk, or `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, SourceError> {
        while self.loaded.is_empty() {
            if !self.load().await {
                return self.take_failure().map_or(Ok(None), Err);
            }
        }
        let chunk = self.loaded.pop_front();
        self.took(chunk.as_ref().map_or(0, Bytes::len));
        Ok(chunk)
    }

    /// The next `count` bytes, or fewer at the end, without taking them.
    pub(super) async fn peek(&mut self, count: usize) -> Result<&[u8], SourceError> {
        while self.loaded_bytes < count {
            if !self.load().await {
                self.take_failure().map_or(Ok(()), Err)?;
                break;
            }
        }
        while let Some(front) = self.loaded.front()
            && front.len() < count
            && self.loaded.len() > 1
        {
            let (first, second) = (self.loaded.pop_front(), self.loaded.pop_front());
            let both = [first.unwrap_or_default(), second.unwrap_or_default()].concat();
            self.loaded.push_front(both.into());
        }
        let front = self.loaded.front().map_or(&[][..], |chunk| &chunk[..]);
        Ok(&front[..count.min(front.len())])
    }

    /// Loads another chunk behind those that are loaded; false if there is none. An error is told when
    /// everything before it has been taken.
    pub(super) async fn load(&mut self) -> bool {
        poll_fn(|cx| self.poll_load(cx)).await
    }

    fn poll_load(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if self.failed.is_some() {
            return Poll::Ready(false);
        }
        Poll::Ready(match ready!(self.raw.poll_next(cx)) {
            Some(Ok(chunk)) => {
                self.loaded_bytes += chunk.len();
                if !chunk.is_empty() {
                    self.loaded.push_back(chunk);
                }
                true
            }
            Some(Err(error)) => {
                self.failed = Some(error);
                false
            }
            None => false,
        })
    }

    /// Why nothing follows what is loaded, if that is not the end. It is told once.
    pub(super) fn take_failure(&mut self) -> Option<SourceError> {
        self.failed.take()
    }

    /// What is loaded and not yet taken.
    pub(super) fn loaded(&self) -> &VecDeque<Bytes> {
        &self.loaded
    }

    /// Takes the first `count` loaded bytes, as chunks.
    pub(super) fn take(&mut self, count: usize) -> Vec<Bytes> {
        let (mut taken, mut left) = (Vec::new(), count);
        while left > 0
            && let Some(mut chunk) = self.loaded.pop_front()
        {
            if chunk.len() > left {
                self.loaded.push_front(chunk.split_off(left));
            }
            left -= chunk.len();
            taken.push(chunk);
        }
        self.took(count - left);
        taken
    }

    /// Puts back what was taken last.
    pub(super) fn put_back(&mut self, chunks: Vec<Bytes>) {
        for chunk in chunks.into_iter().rev() {
            self.loaded_bytes += chunk.len();
            self.position.fetch_sub(chunk.len() as u64, Ordering::Relaxed);
            self.loaded.push_front(chunk);
        }
    }

    fn took(&mut self, count: usize) {
        self.loaded_bytes -= count;
        self.position.fetch_add(count as u64, Ordering::Relaxed);
    }
}

/// What decoders read. A failure of the source is an end for them; [`RawReader::take_failure`] tells
/// the two apart.
impl AsyncBufRead for RawReader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        while this.loaded.is_empty() && ready!(this.poll_load(cx)) {}
        let front = this.loaded.front().map_or(&[][..], |chunk| &chunk[..]);
        Poll::Ready(Ok(&front[..PIECE_BYTES_MAX.min(front.len())]))
    }

    fn consume(mut self: Pin<&mut Self>, count: usize) {
        if count == 0 {
            return;
        }
        if let Some(front) = self.loaded.front_mut() {
            front.advance(count);
            if front.is_empty() {
                self.loaded.pop_front();
            }
        }
        self.took(count);
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
