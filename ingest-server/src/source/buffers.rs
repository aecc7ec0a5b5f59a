//! Buffers that are used again.
//!
//! Memory that is fresh from the system costs a page fault for every 4 KiB of it, and to get and give
//! back 256 KiB at a time makes all of it fresh. So the buffers behind the chunks come back when the
//! last slice of a chunk is dropped, wherever that happens, and go out again.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::raw::CHUNK_BYTES_MAX;

/// So many buffers are kept for later: 8 MiB.
const FREE_MAX: usize = 32;

/// Where buffers come from and come back to. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers {
    free: Arc<Mutex<Vec<Box<[u8]>>>>,
}

impl Buffers {
    /// A buffer to be filled. It takes no memory before [`Buffer::space`] is called.
    pub(super) fn buffer(&self) -> Buffer {
        Buffer { home: self.clone(), bytes: None, len: 0 }
    }

    fn take(&self) -> Box<[u8]> {
        // The list is whole at every moment, so a panic elsewhere does not spoil it.
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.unwrap_or_else(|| vec![0; CHUNK_BYTES_MAX].into_boxed_slice())
    }

    fn put(&self, bytes: Box<[u8]>) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < FREE_MAX {
            free.push(bytes);
        }
    }
}

/// Collects bytes into a chunk, one chunk after the other.
pub(super) struct Buffer {
    home: Buffers,
    bytes: Option<Box<[u8]>>,
    len: usize,
}

impl Buffer {
    /// How many bytes have been collected.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Where the next bytes belong; empty when the chunk is full.
    pub(super) fn space(&mut self) -> &mut [u8] {
        let bytes = self.bytes.get_or_insert_with(|| self.home.take());
        &mut bytes[self.len..]
    }

    /// So many bytes have been written at the beginning of [`space`](Self::space).
    pub(super) fn advance(&mut self, count: usize) {
        self.len = CHUNK_BYTES_MAX.min(self.len + count);
    }

    /// Takes what has been collected.
    ///
    /// A chunk that is not half full is copied, so that one that is kept for long does not keep much more
    /// memory than it has bytes.
    pub(super) fn take(&mut self) -> Bytes {
        let len = std::mem::take(&mut self.len);
        match self.bytes.take() {
            Some(bytes) if len >= CHUNK_BYTES_MAX / 2 => {
                let lent = Lent { bytes, home: self.home.clone() };
                Bytes::from_owner(lent).slice(..len)
            }
            bytes => {
                self.bytes = bytes;
                Bytes::copy_from_slice(self.bytes.as_deref().map_or(&[], |bytes| &bytes[..len]))
            }
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(bytes) = self.bytes.take() {
            self.home.put(bytes);
        }
    }
}

/// The bytes behind a chunk.
struct Lent {
    bytes: Box<[u8]>,
    home: Buffers,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.home.put(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(buffer: &mut Buffer, byte: u8, count: usize) -> Bytes {
        buffer.space()[..count].fill(byte);
        buffer.advance(count);
        buffer.take()
    }

    #[test]
    fn a_buffer_comes_back_with_the_last_slice_of_its_chunk() {
        let buffers = Buffers::default();
        let mut buffer = buffers.buffer();
        let chunk = fill(&mut buffer, 1, CHUNK_BYTES_MAX);
        let address = chunk.as_ptr();
        let slice = chunk.slice(100_000..100_010);
        drop(chunk);
        let other = fill(&mut buffer, 2, CHUNK_BYTES_MAX);
        assert_ne!(other.as_ptr(), address);
        assert_eq!(slice, [1; 10][..]);
        drop(slice);
        let third = fill(&mut buffer, 3, CHUNK_BYTES_MAX);
        assert_eq!(third.as_ptr(), address);
        assert_eq!((other.len(), other[5]), (CHUNK_BYTES_MAX, 2));
    }

    #[test]
    fn small_chunks_are_as_large_as_their_bytes() {
        let buffers = Buffers::default();
        let mut buffer = buffers.buffer();
        let chunks: Vec<Bytes> = (0..100).map(|i| fill(&mut buffer, i, 10)).collect();
        assert!(chunks.iter().zip(0..).all(|(chunk, i)| chunk == &[i; 10][..]));
        drop((buffer, chunks));
        assert_eq!(buffers.free.lock().unwrap().len(), 1);
    }

    #[test]
    fn no_more_are_kept_than_the_limit() {
        let buffers = Buffers::default();
        let mut buffer = buffers.buffer();
        let chunks: Vec<Bytes> =
            (0..FREE_MAX + 5).map(|_| fill(&mut buffer, 0, CHUNK_BYTES_MAX)).collect();
        drop(chunks);
        assert_eq!(buffers.free.lock().unwrap().len(), FREE_MAX);
    }
}
