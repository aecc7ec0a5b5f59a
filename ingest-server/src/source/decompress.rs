//! Decompression: one member (gzip) or frame (zstd) after the other.
//!
//! The library's own multi-member mode would hide where a member ends, and those places are what a
//! reader can resume at. So each member gets a decoder of its own over the same [`RawReader`], and
//! between two of them it is decided whether the object goes on:
//!
//! - gzip: as gzip(1) does. Zeros up to the end are padding; anything else that is no member is
//!   ignored, but reported ([`Progress::garbage`]), which gzip(1) does too from the second byte on.
//!   One rule is stricter: an object that ends after the first byte of another member's magic number
//!   is truncated, not followed by garbage.
//! - zstd: as zstd(1) does. Whatever is no frame is an error.
//!
//! Decoding runs in a task of its own, two chunks ahead of whoever reads them.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::raw::{CHUNK_BYTES_MAX, CHUNKS_AHEAD, RawReader};
use super::{Boundary, SourceError, SourceOptions};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// How many bytes [`Format::detect`] wants to see.
pub(super) const MAGIC_BYTES: usize = 4;

/// What is written into the stored bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The bytes themselves.
    Plain,
    /// Gzip members (RFC 1952), one after the other.
    Gzip,
    /// Zstandard frames (RFC 8878), one after the other.
    Zstd,
}

impl Format {
    /// Recognises a format by its first bytes.
    pub(super) fn detect(first: &[u8]) -> Self {
        if first.starts_with(&GZIP_MAGIC) {
            Self::Gzip
        } else if first.starts_with(&ZSTD_MAGIC) || is_skippable(first) {
            Self::Zstd
        } else {
            Self::Plain
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// Whether these are the first bytes of a skippable frame, 0x184D2A50 to 0x184D2A5F.
fn is_skippable(first: &[u8]) -> bool {
    matches!(first, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// What the decoding task and its reader share besides the chunks.
#[derive(Default)]
pub(super) struct Progress {
    garbage: OnceLock<u64>,
}

impl Progress {
    /// Stored offset of bytes after the last gzip member that were ignored.
    pub(super) fn garbage(&self) -> Option<u64> {
        self.garbage.get().copied()
    }
}

/// A chunk of decompressed bytes, and the last boundary at or before its end.
type Item = Result<(Bytes, Option<Boundary>), SourceError>;

/// The reading end of a decoding task. Dropping it ends the task.
pub(super) struct Decoding {
    chunks: mpsc::Receiver<Item>,
    task: JoinSet<()>,
    position: Arc<AtomicU64>,
    progress: Arc<Progress>,
}

impl Decoding {
    /// Starts to decode `raw`, which stands at `start`; bytes before `skip_to` are left out.
    pub(super) fn start(
        object: String,
        raw: RawReader,
        format: Format,
        start: Boundary,
        skip_to: u64,
        options: &SourceOptions,
    ) -> Self {
        let (chunks_in, chunks) = mpsc::channel(CHUNKS_AHEAD);
        let position = raw.shared_position();
        let progress = Arc::<Progress>::default();
        let output = Output {
            chunks: chunks_in,
            buffer: BytesMut::new(),
            start: start.decompressed,
            boundary: None,
            skip_to,
        };
        let limits = Limits {
            start,
            bytes_max: options.decompressed_bytes_max,
            ratio_max: options.ratio_max,
            ratio_free_bytes: options.ratio_free_bytes,
            window_log_max: options.zstd_window_log_max.clamp(10, 31),
        };
        let worker =
            Worker { object, raw, format, output, limits, progress: Arc::clone(&progress) };
        let mut task = JoinSet::new();
        task.spawn(worker.run());
        Self { chunks, task, position, progress }
    }

    /// The next chunk, or `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Item> {
        let item = self.chunks.recv().await;
        if item.is_none() {
            // The task is over. If it panicked, the end of its chunks is not the end of the object.
            if let Some(Err(error)) = self.task.join_next().await {
                let failed = io::Error::other(error);
                return Some(Err(SourceError::Io {
                    object: "decompression".to_owned(),
                    offset: self.position(),
                    source: failed,
                }));
            }
        }
        item
    }

    pub(super) fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }
}

/// Why decoding ends early: an error to hand out, or nobody left to hand anything to.
enum Stop {
    Failed(SourceError),
    Unwanted,
}

struct Limits {
    /// Where decoding began: ratios count from there.
    start: Boundary,
    bytes_max: u64,
    ratio_max: u64,
    ratio_free_bytes: u64,
    window_log_max: u32,
}

impl Limits {
    /// The limit that is passed at this point, if any.
    fn passed(&self, at: Boundary) -> Option<String> {
        let written = at.decompressed - self.start.decompressed;
        let read = at.compressed - self.start.compressed;
        if at.decompressed > self.bytes_max {
            Some(format!("decompressed_bytes_max = {}", self.bytes_max))
        } else if written > self.ratio_free_bytes && written > read.saturating_mul(self.ratio_max) {
            Some(format!("ratio_max = {}:1", self.ratio_max))
        } else {
            None
        }
    }
}

/// Collects decoded bytes into chunks.
struct Output {
    chunks: mpsc::Sender<Item>,
    buffer: BytesMut,
    /// Decompressed offset of the first byte in `buffer`.
    start: u64,
    /// The last boundary at or before the end of `buffer` that has not been handed out.
    boundary: Option<Boundary>,
    skip_to: u64,
}

impl Output {
    fn end(&self) -> u64 {
        self.start + self.buffer.len() as u64
    }

    fn space(&self) -> usize {
        CHUNK_BYTES_MAX - self.buffer.len()
    }

    /// Hands out what has been collected.
    async fn flush(&mut self) -> Result<(), Stop> {
        let end = self.end();
        let mut chunk = self.buffer.split().freeze();
        let skipped = self.skip_to.saturating_sub(self.start).min(chunk.len() as u64);
        // At most the length of the chunk, so it fits.
        chunk.advance(usize::try_from(skipped).unwrap_or(chunk.len()));
        self.start = end;
        if chunk.is_empty() && self.boundary.is_none() {
            return Ok(());
        }
        let item = Ok((chunk, self.boundary.take()));
        self.chunks.send(item).await.map_err(|_| Stop::Unwanted)
    }
}

struct Worker {
    object: String,
    raw: RawReader,
    format: Format,
    output: Output,
    limits: Limits,
    progress: Arc<Progress>,
}

impl Worker {
    async fn run(mut self) {
        let mut result = self.members().await;
        if !matches!(result, Err(Stop::Unwanted)) {
            // What was decoded before an error is handed out before it.
            result = self.output.flush().await.and(result);
        }
        if let Err(Stop::Failed(error)) = result {
            // Nobody left to tell is no error.
            let _ = self.output.chunks.send(Err(error)).await;
        }
    }

    async fn members(&mut self) -> Result<(), Stop> {
        loop {
            self.member().await?;
            if !self.another_member().await? {
                break;
            }
            self.output.boundary = Some(self.at());
        }
        let end = self.output.end();
        if end < self.output.skip_to {
            let (object, offset) = (self.object.clone(), self.output.skip_to);
            return Err(Stop::Failed(SourceError::PastEnd { object, offset, end }));
        }
        Ok(())
    }

    /// Decodes one member or frame.
    async fn member(&mut self) -> Result<(), Stop> {
        let Self { raw, output, limits, .. } = self;
        let position = raw.shared_position();
        let position = || position.load(Ordering::Relaxed);
        let result = match self.format {
            Format::Plain => decode(raw, output, limits, position).await,
            Format::Gzip => decode(&mut GzipDecoder::new(raw), output, limits, position).await,
            Format::Zstd => {
                let parameters = [DParameter::window_log_max(limits.window_log_max)];
                let mut decoder = ZstdDecoder::with_params(raw, &parameters);
                decode(&mut decoder, output, limits, position).await
            }
        };
        result.map_err(|failure| self.explain(failure))
    }

    /// Whether another member follows the one just read.
    async fn another_member(&mut self) -> Result<bool, Stop> {
        let first = self.raw.peek(MAGIC_BYTES).await.map_err(Stop::Failed)?;
        if first.is_empty() {
            return Ok(false);
        }
        match self.format {
            Format::Plain => Ok(false),
            Format::Gzip if first.starts_with(&GZIP_MAGIC) => Ok(true),
            Format::Gzip if first == &GZIP_MAGIC[..1] => {
                Err(self.corrupt("it ends inside the header of another member"))
            }
            Format::Gzip => self.padding().await.map(|()| false),
            Format::Zstd if Format::detect(first) == Format::Zstd => Ok(true),
            Format::Zstd => Err(self.corrupt("what follows the last frame is no frame")),
        }
    }

    /// Reads to the end what follows the last gzip member; notes it, if it is not all zeros.
    async fn padding(&mut self) -> Result<(), Stop> {
        let start = self.raw.position();
        while let Some(chunk) = self.raw.next().await.map_err(Stop::Failed)? {
            if chunk.iter().any(|&byte| byte != 0) {
                self.progress.garbage.get_or_init(|| start);
                break;
            }
        }
        Ok(())
    }

    fn at(&self) -> Boundary {
        Boundary { compressed: self.raw.position(), decompressed: self.output.end() }
    }

    fn corrupt(&self, detail: &str) -> Stop {
        let Boundary { compressed, decompressed } = self.at();
        Stop::Failed(SourceError::Corrupt {
            object: self.object.clone(),
            format: self.format.name(),
            compressed_offset: compressed,
            decompressed_offset: decompressed,
            detail: detail.to_owned(),
        })
    }

    fn explain(&self, failure: Failure) -> Stop {
        let at = self.at();
        let error = match failure {
            Failure::Unwanted => return Stop::Unwanted,
            Failure::Limit(limit) => {
                return Stop::Failed(SourceError::Bomb {
                    object: self.object.clone(),
                    compressed_offset: at.compressed,
                    decompressed_offset: at.decompressed,
                    limit,
                });
            }
            Failure::Decoder(error) => error,
        };
        // The source below may have failed, not the decoder.
        let error = match error.downcast::<SourceError>() {
            Ok(error) => return Stop::Failed(error),
            Err(error) => error,
        };
        let text = error.to_string();
        if text.contains("too much memory") {
            return Stop::Failed(SourceError::Window {
                object: self.object.clone(),
                compressed_offset: at.compressed,
                decompressed_offset: at.decompressed,
                window_bytes_max: 1 << self.limits.window_log_max,
            });
        }
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return self.corrupt("it ends too early; was the upload or download cut off?");
        }
        self.corrupt(&text)
    }
}

/// Why a member could not be decoded to its end.
enum Failure {
    Decoder(io::Error),
    Limit(String),
    Unwanted,
}

/// Reads `decoder` to its end into `output`.
async fn decode(
    decoder: &mut (impl AsyncRead + Unpin),
    output: &mut Output,
    limits: &Limits,
    position: impl Fn() -> u64,
) -> Result<(), Failure> {
    loop {
        if output.space() == 0 {
            output.flush().await.map_err(|_| Failure::Unwanted)?;
        }
        if output.buffer.is_empty() {
            output.buffer.reserve(CHUNK_BYTES_MAX);
        }
        let space = output.space();
        let mut space = (&mut output.buffer).limit(space);
        if decoder.read_buf(&mut space).await.map_err(Failure::Decoder)? == 0 {
            return Ok(());
        }
        let at = Boundary { compressed: position(), decompressed: output.end() };
        if let Some(limit) = limits.passed(at) {
            return Err(Failure::Limit(limit));
        }
    }
}
