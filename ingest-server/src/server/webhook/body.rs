//! Bodies, read with limits: how large one may be, before and after decompression, how large all of them together, and how
//! long one may take.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Refusal;
use crate::server::settings::WebhookSettings;

/// Memory is counted in these.
const UNIT_BYTES: usize = 1 << 10;
/// A body of unknown length is given memory in steps.
const STEP_BYTES: usize = 64 << 10;
/// What is decoded or mapped on the thread at hand if it is no larger.
const SMALL_BYTES: usize = 32 << 10;
/// As much of a body that nobody wants is read, ...
const DISCARDED_BYTES_MAX: usize = 16 << 20;
/// ... for so long.
const DISCARD_TIME_MAX: Duration = Duration::from_secs(5);
/// Windows of zstd larger than this, as base-2 logarithm, are refused: they are memory.
const ZSTD_WINDOW_LOG_MAX: u32 = 24;

/// A body that counts as being worked on until it is dropped.
pub(super) struct Held {
    pub(super) bytes: Bytes,
    _memory: Memory,
}

/// Reads bodies.
pub(super) struct Bodies {
    bytes_max: usize,
    timeout: Duration,
    memory: Arc<Semaphore>,
}

impl Bodies {
    pub(super) fn new(settings: &WebhookSettings) -> Self {
        // One body of the largest size always fits, compressed and decoded.
        let one = settings.body_bytes_max.saturating_mul(2).saturating_add(2 * STEP_BYTES);
        let units = settings.bytes_in_flight_max.max(one).div_ceil(UNIT_BYTES);
        Self {
            bytes_max: settings.body_bytes_max,
            timeout: Duration::from_secs(settings.body_timeout_sec),
            memory: Arc::new(Semaphore::new(units.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// Reads a body, and decodes it. Where bytes are `parsed`, they themselves say how they are compressed: proxies
    /// decode, and forget to say so; else only what the header names is taken off.
    pub(super) async fn read(
        &self,
        headers: &HeaderMap,
        body: &mut Body,
        parsed: bool,
    ) -> Result<Held, Refusal> {
        let encoding = Encoding::of_header(headers)?;
        let mut memory = self.room_for(headers).await?;
        let stored = timeout(self.timeout, self.receive(body, &mut memory))
            .await
            .map_err(|_| invalid("it did not arrive in time"))??;
        let found = Encoding::of_bytes(&stored);
        let bytes = match found {
            Encoding::Plain => stored,
            found if parsed || encoding != Encoding::Plain => {
                on_this_thread(stored.len().saturating_mul(8), || {
                    self.decode(&stored, found, &mut memory)
                })?
            }
            _ => stored,
        };
        if bytes.trim_ascii().is_empty() {
            return Err(invalid("it is empty"));
        }
        Ok(Held { bytes, _memory: memory })
    }

    /// Memory for a body, before it is read.
    async fn room_for(&self, headers: &HeaderMap) -> Result<Memory, Refusal> {
        let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        let length: Option<usize> = length.and_then(|text| text.parse().ok());
        let mut memory = Memory::default();
        match length {
            Some(length) if length > self.bytes_max => return Err(self.too_large()),
            // Whoever says how much it will be may wait for room, ...
            Some(length) => {
                let units = units(length);
                let room = Arc::clone(&self.memory).acquire_many_owned(units);
                let permit = timeout(self.timeout, room).await;
                let permit = permit.map_err(|_| Refusal::Unavailable)?;
                memory.permit = Some(permit.map_err(|_| Refusal::Unavailable)?);
                memory.bytes = units as usize * UNIT_BYTES;
            }
            // ... but not who has some already: two that wait for each other would wait for ever.
            None => memory.grow(&self.memory, STEP_BYTES)?,
        }
        Ok(memory)
    }

    async fn receive(&self, body: &mut Body, memory: &mut Memory) -> Result<Bytes, Refusal> {
        let mut chunks = Chunks::default();
        let mut stream: BodyDataStream = std::mem::take(body).into_data_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|_| invalid("it broke off"))?;
            let len = chunks.len() + chunk.len();
            let room = match len > self.bytes_max {
                true => Err(self.too_large()),
                false if len > memory.bytes => {
                    memory.grow(&self.memory, len.next_multiple_of(STEP_BYTES))
                }
                false => Ok(()),
            };
            if let Err(refusal) = room {
                // The caller gets rid of its rest.
                *body = Body::from_stream(stream);
                return Err(refusal);
            }
            chunks.add(chunk);
        }
        Ok(chunks.joined())
    }

    fn decode(
        &self,
        stored: &Bytes,
        encoding: Encoding,
        memory: &mut Memory,
    ) -> Result<Bytes, Refusal> {
        let failed = |_| invalid("it cannot be decompressed");
        let mut reader: Box<dyn Read + '_> = match encoding {
            Encoding::Plain => return Ok(stored.clone()),
            Encoding::Gzip => Box::new(flate2::read::MultiGzDecoder::new(&stored[..])),
            Encoding::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(&stored[..]).map_err(failed)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(failed)?;
                Box::new(decoder)
            }
        };
        let mut decoded = Vec::new();
        loop {
            let wanted = decoded.len() + STEP_BYTES;
            memory.grow(&self.memory, stored.len() + wanted)?;
            let read = reader.by_ref().take(STEP_BYTES as u64).read_to_end(&mut decoded);
            match read.map_err(failed)? {
                0 => return Ok(decoded.into()),
                _ if decoded.len() > self.bytes_max => return Err(self.too_large()),
                _ => {}
            }
        }
    }

    fn too_large(&self) -> Refusal {
        Refusal::TooLarge(format!("a body has at most {} bytes", self.bytes_max))
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX)
}

fn invalid(problem: &str) -> Refusal {
    Refusal::InvalidBody(format!("the body cannot be read: {problem}"))
}

/// Memory that bodies may take.
#[derive(Default)]
struct Memory {
    bytes: usize,
    permit: Option<OwnedSemaphorePermit>,
}

impl Memory {
    /// Takes more, if there is some.
    fn grow(&mut self, all: &Arc<Semaphore>, bytes: usize) -> Result<(), Refusal> {
        let Some(missing) = bytes.checked_sub(self.bytes).filter(|&missing| missing > 0) else {
            return Ok(());
        };
        let units = units(missing);
        let more = Arc::clone(all).try_acquire_many_owned(units);
        let more = more.map_err(|_| Refusal::Unavailable)?;
        self.bytes += units as usize * UNIT_BYTES;
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            None => self.permit = Some(more),
        }
        Ok(())
    }
}

/// What has come of a body. Most come in one piece, which is not copied.
#[derive(Default)]
struct Chunks {
    first: Bytes,
    all: BytesMut,
}

impl Chunks {
    fn len(&self) -> usize {
        self.first.len().max(self.all.len())
    }

    fn add(&mut self, chunk: Bytes) {
        if self.first.is_empty() && self.all.is_empty() {
            self.first = chunk;
            return;
        }
        if self.all.is_empty() {
            self.all.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.all.extend_from_slice(&chunk);
    }

    fn joined(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.freeze() }
    }
}

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Plain,
    Gzip,
    Zstd,
}

impl Encoding {
    fn of_header(headers: &HeaderMap) -> Result<Self, Refusal> {
        let Some(value) = headers.get(CONTENT_ENCODING) else { return Ok(Self::Plain) };
        match value.to_str().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Plain),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            _ => Err(invalid("`Content-Encoding` is none of gzip, zstd and identity")),
        }
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        match bytes {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

/// Does something that takes as long as `bytes` say; the other tasks of this thread go elsewhere if that is long.
pub(super) fn on_this_thread<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    match bytes {
        0..=SMALL_BYTES => work(),
        _ => tokio::task::block_in_place(work),
    }
}

/// Reads what is left of a body, and forgets it.
pub(super) fn discard(body: Body) {
    tokio::spawn(timeout(DISCARD_TIME_MAX, async move {
        let (mut left, mut stream) = (DISCARDED_BYTES_MAX, body.into_data_stream());
        while let Some(Ok(chunk)) = stream.next().await {
            match left.checked_sub(chunk.len()) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    }));
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use futures_util::stream;

    use super::*;

    fn bodies(body_bytes_max: usize, bytes_in_flight_max: usize) -> Bodies {
        let settings = WebhookSettings {
            body_bytes_max,
            bytes_in_flight_max,
            body_timeout_sec: 1,
            ..WebhookSettings::default()
        };
        Bodies::new(&settings)
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            ((*name).try_into().unwrap(), HeaderValue::from_str(value).unwrap())
        });
        pairs.collect()
    }

    fn chunked(chunks: &[&'static str]) -> Body {
        let chunks: Vec<_> = chunks.iter().map(|chunk| Ok::<_, std::io::Error>(*chunk)).collect();
        Body::from_stream(stream::iter(chunks))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn pieces_are_put_together_and_their_memory_is_given_back() {
        let bodies = bodies(1000, 1 << 20);
        let free = bodies.memory.available_permits();
        for chunks in [&["abc"][..], &["a", "", "b", "c"], &["", "abc"]] {
            let held = bodies.read(&HeaderMap::new(), &mut chunked(chunks), true).await.unwrap();
            assert_eq!(&held.bytes[..], b"abc");
            assert!(bodies.memory.available_permits() < free);
        }
        assert_eq!(bodies.memory.available_permits(), free);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_too_large_is_refused_with_its_rest_still_there() {
        let bodies = bodies(3, 1 << 20);
        let mut body = chunked(&["ab", "cd", "ef"]);
        let refused = bodies.read(&HeaderMap::new(), &mut body, true).await;
        assert!(matches!(refused, Err(Refusal::TooLarge(_))));
        let rest = axum::body::to_bytes(body, 100).await.unwrap();
        assert_eq!(&rest[..], b"ef");
        // Before a byte of it is read.
        let mut body = chunked(&["ab"]);
        let refused = bodies.read(&headers(&[("content-length", "4")]), &mut body, true).await;
        assert!(matches!(refused, Err(Refusal::TooLarge(_))));
        assert_eq!(&axum::body::to_bytes(body, 100).await.unwrap()[..], b"ab");
        assert!(bodies.read(&HeaderMap::new(), &mut chunked(&["ab", "c"]), true).await.is_ok());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_body_of_the_largest_size_always_finds_room() {
        for size in [1, 1000, 1023, 1025, 100_000] {
            let bodies = bodies(size, size);
            let text = "x".repeat(size);
            let length = headers(&[("content-length", &size.to_string())]);
            for headers in [length, HeaderMap::new()] {
                let held = bodies.read(&headers, &mut Body::from(text.clone()), true).await;
                assert_eq!(held.unwrap().bytes.len(), size);
            }
            let packed = zstd::bulk::compress(text.as_bytes(), 1).unwrap();
            if packed.len() <= size {
                let held = bodies.read(&HeaderMap::new(), &mut Body::from(packed), true).await;
                assert_eq!(held.unwrap().bytes.len(), size);
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn without_room_one_waits_and_the_other_is_sent_away() {
        let bodies = bodies(400_000, 0);
        let length = headers(&[("content-length", "400000")]);
        let text = "x".repeat(400_000);
        let held = [
            bodies.read(&length, &mut Body::from(text.clone()), false).await.unwrap(),
            bodies.read(&length, &mut Body::from(text.clone()), false).await.unwrap(),
        ];
        let unknown = bodies.read(&HeaderMap::new(), &mut Body::from(text.clone()), false).await;
        assert!(matches!(unknown, Err(Refusal::Unavailable)));
        let mut body = Body::from(text.clone());
        let (waited, ()) = tokio::join!(bodies.read(&length, &mut body, false), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(held);
        });
        let _held = [
            waited.unwrap(),
            bodies.read(&length, &mut Body::from(text.clone()), false).await.unwrap(),
        ];
        let late = bodies.read(&length, &mut Body::from(text), false).await;
        assert!(matches!(late, Err(Refusal::Unavailable)));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let bodies = bodies(1000, 1 << 20);
        let mut body = Body::from_stream(stream::pending::<std::io::Result<Bytes>>());
        let refused = bodies.read(&HeaderMap::new(), &mut body, true).await;
        assert!(matches!(refused, Err(Refusal::InvalidBody(_))));
        let broken = stream::iter([Ok("a"), Err(std::io::Error::other("gone"))]);
        let refused = bodies.read(&HeaderMap::new(), &mut Body::from_stream(broken), true).await;
        assert!(matches!(refused, Err(Refusal::InvalidBody(_))));
        assert_eq!(
            bodies.memory.available_permits(),
            Bodies::new(&WebhookSettings {
                body_bytes_max: 1000,
                bytes_in_flight_max: 1 << 20,
                ..WebhookSettings::default()
            })
            .memory
            .available_permits()
        );
    }
}
