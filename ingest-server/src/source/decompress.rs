//! Decompression: one member (gzip) or frame (zstd) after the other.
//!
//! The library's own multi-member mode would hide where a member ends, and those places are what a
//! reader can resume at. So each member gets a reader of its own over the same [`RawReader`], and
//! between two of them it is decided whether the object goes on:
//!
//! - gzip: as gzip(1) does. Zeros up to the end are padding; anything else that is no member is
//!   ignored, but reported ([`Progress::garbage`]), which gzip(1) does too from the second byte on.
//!   One rule is stricter: an object that ends after the first byte of another member's magic number
//!   is truncated, not followed by garbage.
//! - zstd: as zstd(1) does. Whatever is no frame is an error.
//!
//! Decoding runs in a task of its own, two chunks ahead of whoever reads them. Where members are small
//! enough, several are decoded at a time ([`ranges`](super::ranges)). That way only knows how to do
//! what usually happens: where anything is wrong, the bytes are decoded again from the last boundary
//! by the one way that is written down here, one member after the other.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::{Buf, Bytes};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::buffers::Buffer;
use super::codec::Codec;
use super::ranges::{Part, Ranges};
use super::raw::{CHUNKS_AHEAD, RawReader};
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

    /// How to decode it; `None` if it is not compressed.
    pub(super) fn codec(self, options: &SourceOptions) -> Option<Codec> {
        match self {
            Self::Plain => None,
            Self::Gzip => Some(Codec::Gzip),
            Self::Zstd => {
                let window_log_max = options.zstd_window_log_max.clamp(10, 31);
                Some(Codec::Zstd { window_log_max })
            }
        }
    }
}

/// Whether these are the first bytes of a skippable frame, 0x184D2A50 to 0x184D2A5F.
pub(super) fn is_skippable(first: &[u8]) -> bool {
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
    /// Starts to decode `raw`, which stands where `limits` begin. `wanted_from` is the decompressed
    /// offset of the first byte to be handed out.
    pub(super) fn start(
        object: String,
        raw: RawReader,
        codec: Codec,
        ranges: Ranges,
        limits: Limits,
        (wanted_from, buffer): (u64, Buffer),
    ) -> Self {
        let (chunks_in, chunks) = mpsc::channel(CHUNKS_AHEAD);
        let position = raw.shared_position();
        let progress = Arc::<Progress>::default();
        let output = Output {
            chunks: chunks_in,
            buffer,
            start: limits.start.decompressed,
            boundary: None,
            wanted_from,
            repeated_to: 0,
        };
        let progress_in = Arc::clone(&progress);
        let worker = Worker { object, raw, codec, output, limits, ranges, progress: progress_in };
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

/// Why a member could not be decoded to its end.
enum Failure {
    Decoder(io::Error),
    /// The limit that was passed.
    Limit(String),
    Unwanted,
}

/// How much may come out.
pub(super) struct Limits {
    /// Where decoding began: ratios count from there.
    start: Boundary,
    bytes_max: u64,
    ratio_max: u64,
    ratio_free_bytes: u64,
}

impl Limits {
    /// The limits of a decoder that begins at `start`.
    pub(super) fn new(start: Boundary, options: &SourceOptions) -> Self {
        Self {
            start,
            bytes_max: options.decompressed_bytes_max,
            ratio_max: options.ratio_max,
            ratio_free_bytes: options.ratio_free_bytes,
        }
    }

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
    buffer: Buffer,
    /// Decompressed offset of the first byte in `buffer`.
    start: u64,
    /// The last boundary at or before the end of `buffer` that has not been handed out.
    boundary: Option<Boundary>,
    /// Bytes before this are not wanted.
    wanted_from: u64,
    /// Up to here everything has been handed out already, and is decoded again.
    repeated_to: u64,
}

impl Output {
    fn end(&self) -> u64 {
        self.start + self.buffer.len() as u64
    }

    /// Hands out what has been collected.
    async fn flush(&mut self) -> Result<(), Stop> {
        let chunk = self.buffer.take();
        self.hand_out(chunk).await
    }

    /// Hands out a chunk that follows what was handed out before.
    async fn hand_out(&mut self, mut chunk: Bytes) -> Result<(), Stop> {
        let from = self.wanted_from.max(self.repeated_to);
        let skipped = from.saturating_sub(self.start).min(chunk.len() as u64);
        self.start += chunk.len() as u64;
        // At most the length of the chunk, so it fits.
        chunk.advance(usize::try_from(skipped).unwrap_or(chunk.len()));
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
    codec: Codec,
    output: Output,
    limits: Limits,
    ranges: Ranges,
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
            self.members_side_by_side().await?;
            self.member().await.map_err(|failure| self.explain(failure))?;
            if !self.another_member().await? {
                break;
            }
            if self.at().decompressed >= self.output.repeated_to {
                self.output.boundary = Some(self.at());
            }
        }
        let end = self.output.end();
        if end < self.output.wanted_from {
            let (object, offset) = (self.object.clone(), self.output.wanted_from);
            return Err(Stop::Failed(SourceError::PastEnd { object, offset, end }));
        }
        Ok(())
    }

    /// Decodes one member or frame.
    async fn member(&mut self) -> Result<(), Failure> {
        let Self { raw, output, limits, codec, .. } = self;
        let position = raw.shared_position();
        let mut member = codec.reader(raw);
        loop {
            if output.buffer.space().is_empty() {
                output.flush().await.map_err(|_| Failure::Unwanted)?;
            }
            // What was decoded before an error has been given when the error is.
            match member.read(output.buffer.space()).await.map_err(Failure::Decoder)? {
                0 => return Ok(()),
                count => output.buffer.advance(count),
            }
            let compressed = position.load(Ordering::Relaxed);
            let at = Boundary { compressed, decompressed: output.end() };
            if let Some(limit) = limits.passed(at) {
                return Err(Failure::Limit(limit));
            }
        }
    }

    /// Decodes members several at a time, as far as it can be seen where they begin. Ends between two
    /// members, of which the second is left to be decoded by itself.
    async fn members_side_by_side(&mut self) -> Result<(), Stop> {
        loop {
            self.ranges.fill(&mut self.raw).await;
            if self.ranges.are_none() {
                return Ok(());
            }
            self.output.flush().await?;
            let start = Boundary {
                compressed: self.raw.position() - self.ranges.bytes(),
                decompressed: self.output.end(),
            };
            let mut limit_passed = false;
            while let Some(Part { chunk, read, boundary }) = self.ranges.next_part().await {
                let at = Boundary {
                    compressed: start.compressed + read,
                    decompressed: self.output.end() + chunk.len() as u64,
                };
                if self.limits.passed(at).is_some() {
                    limit_passed = true;
                    break;
                }
                let boundary = boundary.map(|(compressed, decompressed)| Boundary {
                    compressed: start.compressed + compressed,
                    decompressed: start.decompressed + decompressed,
                });
                self.output.boundary = boundary.or(self.output.boundary);
                self.output.hand_out(chunk).await?;
            }
            if limit_passed || !self.ranges.has_ended_well().await {
                // Again from where this range began, without what has been handed out.
                self.ranges.give_up(&mut self.raw);
                self.output.repeated_to = self.output.end();
                self.output.start = start.decompressed;
                return Ok(());
            }
            self.output.boundary = Some(Boundary {
                compressed: self.raw.position() - self.ranges.bytes(),
                decompressed: self.output.end(),
            });
        }
    }

    /// Whether another member follows the one just read.
    async fn another_member(&mut self) -> Result<bool, Stop> {
        let first = self.raw.peek(MAGIC_BYTES).await.map_err(Stop::Failed)?;
        if first.is_empty() {
            return Ok(false);
        }
        match self.codec {
            Codec::Gzip if first.starts_with(&GZIP_MAGIC) => Ok(true),
            Codec::Gzip if first == &GZIP_MAGIC[..1] => {
                Err(self.corrupt("it ends inside the header of another member"))
            }
            Codec::Gzip => self.padding().await.map(|()| false),
            Codec::Zstd { .. } if Format::detect(first) == Format::Zstd => Ok(true),
            Codec::Zstd { .. } => Err(self.corrupt("what follows the last frame is no frame")),
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

    /// Where an error is: behind everything that has been handed out.
    fn error_at(&self) -> Boundary {
        let Boundary { compressed, decompressed } = self.at();
        Boundary { compressed, decompressed: decompressed.max(self.output.repeated_to) }
    }

    fn corrupt(&self, detail: &str) -> Stop {
        let Boundary { compressed, decompressed } = self.error_at();
        Stop::Failed(SourceError::Corrupt {
            object: self.object.clone(),
            format: self.codec.name(),
            compressed_offset: compressed,
            decompressed_offset: decompressed,
            detail: detail.to_owned(),
        })
    }

    fn explain(&mut self, failure: Failure) -> Stop {
        let Boundary { compressed, decompressed } = self.error_at();
        let object = self.object.clone();
        let error = match failure {
            Failure::Unwanted => return Stop::Unwanted,
            Failure::Limit(limit) => {
                return Stop::Failed(SourceError::Bomb {
                    object,
                    compressed_offset: compressed,
                    decompressed_offset: decompressed,
                    limit,
                });
            }
            Failure::Decoder(error) => error,
        };
        if error.kind() == io::ErrorKind::UnexpectedEof {
            // The source below may have failed, which the decoder takes for the end.
            return match self.raw.take_failure() {
                Some(error) => Stop::Failed(error),
                None => self.corrupt("it ends too early; was the upload or download cut off?"),
            };
        }
        let text = error.to_string();
        match self.codec {
            Codec::Zstd { window_log_max } if text.contains("too much memory") => {
                Stop::Failed(SourceError::Window {
                    object,
                    compressed_offset: compressed,
                    decompressed_offset: decompressed,
                    window_bytes_max: 1 << window_log_max,
                })
            }
            Codec::Gzip | Codec::Zstd { .. } => self.corrupt(&text),
        }
    }
}
