//! The bytes of an object, fetched in ranges ahead of time.
//!
//! Each part is fetched by a task of its own into a queue that can hold all of it, so that a slow
//! consumer never makes the store wait; the queues are emptied in order. A part is begun only when
//! the parts not yet emptied leave room for it within the budget.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::fault::Fault;
use super::{Located, quoted, unquoted};
use crate::source::SourceError;
use crate::source::raw::{CHUNK_BYTES_MAX, Item};

/// A failure after which this much has been read is not counted with the ones before.
const PROGRESS_BYTES_MIN: u64 = 64 * 1024;

/// The bytes of a range of an object, in order.
pub(in crate::source) struct Parts {
    located: Located,
    /// First byte of the first part not begun.
    next: u64,
    end: u64,
    /// Begun and not yet emptied, in order.
    begun: VecDeque<Part>,
    /// Ends the tasks when it is dropped.
    tasks: JoinSet<()>,
}

struct Part {
    chunks: mpsc::Receiver<Item>,
    /// Stored offset of the next byte to come out of `chunks`.
    at: u64,
    end: u64,
}

impl Parts {
    pub(super) fn new(located: Located, start: u64, end: u64) -> Self {
        let begun = VecDeque::new();
        Self { located, next: start, end, begun, tasks: JoinSet::new() }
    }

    /// The next chunk, or `None` at the end of the range. Call it within a runtime.
    pub(in crate::source) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        loop {
            self.begin();
            let Some(part) = self.begun.front_mut() else { return Poll::Ready(None) };
            match ready!(part.chunks.poll_recv(cx)) {
                Some(Ok(chunk)) => {
                    part.at += chunk.len() as u64;
                    return Poll::Ready(Some(Ok(chunk)));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None if part.at < part.end => return Poll::Ready(Some(Err(self.cut_off()))),
                None => drop(self.begun.pop_front()),
            }
        }
    }

    /// Begins as many parts as there is room for.
    fn begin(&mut self) {
        while self.tasks.try_join_next().is_some() {}
        let options = &self.located.store.shared.options;
        let part_bytes = options.part_bytes.max(CHUNK_BYTES_MAX as u64);
        let count_max = (options.prefetch_bytes_max / part_bytes).max(1);
        while self.next < self.end && (self.begun.len() as u64) < count_max {
            let (at, end) = (self.next, self.end.min(self.next.saturating_add(part_bytes)));
            let chunk_count = (end - at).div_ceil(CHUNK_BYTES_MAX as u64);
            // And one place for an error.
            let places = usize::try_from(chunk_count).unwrap_or(usize::MAX - 1) + 1;
            let (sender, chunks) = mpsc::channel(places);
            let located = self.located.clone();
            self.tasks.spawn(Fetch { located, at, end, chunk: BytesMut::new(), sender }.run());
            self.begun.push_back(Part { chunks, at, end });
            self.next = end;
        }
    }

    /// The task of the first part ended without an error and without all of its bytes: it panicked,
    /// or its runtime is being shut down.
    fn cut_off(&self) -> SourceError {
        let at = self.begun.front().map_or(self.next, |part| part.at);
        let target = self.located.target(at);
        target.unavailable("unavailable", 1, "the task that reads it was stopped".to_owned())
    }
}

/// Fetches one part.
struct Fetch {
    located: Located,
    /// Stored offset of the next byte to ask for.
    at: u64,
    end: u64,
    /// Received, but not enough yet to be passed on.
    chunk: BytesMut,
    sender: mpsc::Sender<Item>,
}

impl Fetch {
    async fn run(mut self) {
        let outcome = self.fetch().await;
        // What was received before an error is handed out before it. If there is nobody left to
        // take it or to tell, this task is about to be ended.
        self.pass_on().await;
        if let Err(error) = outcome {
            let _ = self.sender.send(Err(error)).await;
        }
    }

    /// Asks for what is missing until nothing is.
    async fn fetch(&mut self) -> Result<(), SourceError> {
        let located = self.located.clone();
        let mut backoff = located.store.backoff();
        while self.at < self.end {
            let before = self.at;
            let Err(fault) = self.attempt().await else { break };
            if self.at - before >= PROGRESS_BYTES_MIN {
                backoff.reset();
            }
            backoff.wait_after(fault, &located.target(self.at)).await?;
        }
        Ok(())
    }

    /// One request, from the byte that the last one reached.
    async fn attempt(&mut self) -> Result<(), Fault> {
        let (store, version) = (self.located.store.clone(), Arc::clone(&self.located.version));
        let etag = (!version.etag.is_empty()).then(|| quoted(&version.etag));
        let request = store.shared.client.get_object().bucket(&version.bucket).key(&version.key);
        let request = request.range(format!("bytes={}-{}", self.at, self.end - 1));
        let request = request.set_if_match(etag);
        let mut answer = store.answer(&self.located.target(self.at), request.send()).await?;
        self.check(&answer)?;
        let stall = store.shared.options.stall;
        while self.at < self.end {
            match tokio::time::timeout(stall, answer.body.next()).await {
                Ok(Some(Ok(bytes))) => self.take(bytes).await,
                Ok(Some(Err(error))) => {
                    return Err(Fault::unreached(format!("the body broke off: {error}")));
                }
                Ok(None) => {
                    let missing = self.end - self.at;
                    return Err(Fault::unreached(format!("the body ended {missing} bytes early")));
                }
                Err(_) => return Err(Fault::unreached(format!("no byte within {stall:?}"))),
            }
        }
        Ok(())
    }

    /// Whether the answer is to what was asked: this range of this version.
    fn check(&self, answer: &GetObjectOutput) -> Result<(), Fault> {
        let version = &self.located.version;
        let changed = |detail| Err(Fault::Lasting(self.located.target(self.at).changed(detail)));
        let etag = unquoted(answer.e_tag().unwrap_or(&version.etag));
        if !version.etag.is_empty() && etag != version.etag {
            return changed(format!("its ETag was {} and is {etag}", version.etag));
        }
        let wanted = self.end - self.at;
        match answer.content_range().and_then(parse_content_range) {
            Some((_, Some(total))) if total != version.size => {
                return changed(format!("it had {} bytes and has {total}", version.size));
            }
            Some((start, _)) if start != self.at => {
                let detail = format!("asked for byte {}, the answer begins at {start}", self.at);
                return Err(Fault::unreached(detail));
            }
            Some(_) => {}
            None if wanted == version.size => {}
            None => {
                let detail = "it ignores the Range header, so large objects cannot be read from it";
                return Err(Fault::Lasting(
                    self.located.target(self.at).refused("refused", detail),
                ));
            }
        }
        match answer.content_length() {
            Some(length) if u64::try_from(length) != Ok(wanted) => Err(Fault::unreached(format!(
                "asked for {wanted} bytes, the answer announces {length}"
            ))),
            _ => Ok(()),
        }
    }

    /// Collects bytes into chunks; more than were asked for are left out.
    async fn take(&mut self, mut bytes: Bytes) {
        let missing = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        bytes.truncate(missing);
        self.at += bytes.len() as u64;
        while !bytes.is_empty() {
            if self.chunk.capacity() == 0 {
                self.chunk.reserve(CHUNK_BYTES_MAX);
            }
            let space = CHUNK_BYTES_MAX - self.chunk.len();
            self.chunk.extend_from_slice(&bytes.split_to(space.min(bytes.len())));
            if self.chunk.len() == CHUNK_BYTES_MAX {
                self.pass_on().await;
            }
        }
    }

    async fn pass_on(&mut self) {
        let chunk = std::mem::take(&mut self.chunk).freeze();
        if !chunk.is_empty() {
            let _ = self.sender.send(Ok(chunk)).await;
        }
    }
}

/// First byte and total of `bytes 0-99/1000`.
fn parse_content_range(header: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = header.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()))
}
