//! Merging several runs into one of the next level, a few buckets at a time.
//!
//! The inputs are sorted by hash, and so is the output: bucket by bucket, take from every input what
//! belongs into the bucket, sort it, write it. Between two steps the state is only in memory; after a
//! crash the half-written output is deleted and the merge starts over.

use super::{ENTRY_BYTES, Entry, Run, RunStorage, entries};
use crate::store::error::StoreError;

/// Reads one input in the order of its hashes.
struct Cursor {
    run: Run,
    next_bucket: u32,
    /// The entries of the current chunk, and how many of them are taken.
    chunk: Vec<u8>,
    taken: usize,
}

impl Cursor {
    fn new(run: Run) -> Cursor {
        Cursor { run, next_bucket: 0, chunk: Vec::new(), taken: 0 }
    }

    /// Moves the entries that belong into `bucket` of `output` to `out`.
    fn take_bucket(
        &mut self,
        storage: &impl RunStorage,
        output: &Run,
        bucket: u32,
        out: &mut Vec<Entry>,
    ) -> Result<(), StoreError> {
        loop {
            for bytes in &entries(&self.chunk)?[self.taken..] {
                let entry = Entry::read(bytes);
                if output.bucket(entry.hash) != bucket {
                    return Ok(());
                }
                out.push(entry);
                self.taken += 1;
            }
            if self.next_bucket == self.run.buckets {
                return Ok(());
            }
            self.chunk.clear();
            self.taken = 0;
            let chunk = &mut self.chunk;
            storage.read_chunk(self.run.chunk(self.next_bucket), &mut |data| {
                chunk.extend_from_slice(data);
            })?;
            self.next_bucket += 1;
        }
    }
}

/// A merge under way.
pub(super) struct Merge {
    level: u32,
    inputs: Vec<Cursor>,
    output: Run,
    next_bucket: u32,
    written: u64,
}

impl Merge {
    /// Announces the output, which is not live, so that a crash leaves something to delete.
    pub(super) fn begin(
        storage: &impl RunStorage,
        id: i64,
        inputs: Vec<Run>,
    ) -> Result<Merge, StoreError> {
        let level = inputs.iter().map(|run| run.level).max().unwrap_or(0);
        let output = Run::new(id, level + 1, inputs.iter().map(|run| run.entries).sum());
        storage.insert_run(&output, false)?;
        let inputs = inputs.into_iter().map(Cursor::new).collect();
        Ok(Merge { level, inputs, output, next_bucket: 0, written: 0 })
    }

    /// The level of the inputs.
    pub(super) fn level(&self) -> u32 {
        self.level
    }

    pub(super) fn takes(&self, run: i64) -> bool {
        self.inputs.iter().any(|input| input.run.id == run)
    }

    pub(super) fn is_finished(&self) -> bool {
        self.next_bucket == self.output.buckets
    }

    /// The inputs and the output.
    pub(super) fn into_runs(self) -> (Vec<Run>, Run) {
        (self.inputs.into_iter().map(|input| input.run).collect(), self.output)
    }

    /// Writes buckets until about `entries_max` entries are written; with the last one the output
    /// becomes live and the inputs dead.
    pub(super) fn advance(
        &mut self,
        storage: &impl RunStorage,
        entries_max: usize,
    ) -> Result<(), StoreError> {
        let mut bucket = Vec::new();
        let mut data = Vec::new();
        let mut written = 0;
        while !self.is_finished() && written < entries_max {
            bucket.clear();
            for input in &mut self.inputs {
                input.take_bucket(storage, &self.output, self.next_bucket, &mut bucket)?;
            }
            // Stable sorting finds the inputs' order in it and merges them.
            bucket.sort_by_key(|entry| entry.hash);
            if bucket.windows(2).any(|pair| pair[0].hash >= pair[1].hash) {
                return Err(StoreError::corrupt("an id stands in two runs of seen ids"));
            }
            data.clear();
            data.reserve(bucket.len() * ENTRY_BYTES);
            bucket.iter().for_each(|entry| entry.write(&mut data));
            if !data.is_empty() {
                storage.write_chunk(self.output.chunk(self.next_bucket), &data)?;
            }
            written += bucket.len();
            self.next_bucket += 1;
        }
        self.written += written as u64;
        if self.is_finished() { self.switch(storage) } else { Ok(()) }
    }

    fn switch(&self, storage: &impl RunStorage) -> Result<(), StoreError> {
        if self.written != self.output.entries {
            return Err(StoreError::corrupt("a merge of seen ids lost some"));
        }
        storage.set_live(self.output.id, true)?;
        self.inputs.iter().try_for_each(|input| storage.set_live(input.run.id, false))
    }
}
