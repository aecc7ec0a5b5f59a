//! The set of event ids seen, for tens of millions of them.
//!
//! A B-tree on random keys grows slower with every id, because each insert touches a page of its own.
//! This set only ever writes in order. The ids of one commit, sorted by hash, become a *run*: an
//! immutable sorted table. Runs are merged into larger ones in small steps between the commits
//! ([`merge`]), and a filter in memory ([`filter`]) answers for almost every new id without a read.
//!
//! A run is cut into *chunks* of about one database page: the entry with hash `h` is in bucket
//! `(high64(h) * buckets) >> 64`, so finding it takes one read and no index.
//!
//! Invariants:
//! - The filter holds at least every live run: its bits are set before the commit, and it is rebuilt
//!   when the set is loaded. A bit too many costs a read, never an answer.
//! - Only an equal 128-bit hash says "seen".
//! - Each hash stands in exactly one live run.
//! - The output of a merge is not live until the one transaction that also makes its inputs dead.
//! - Runs that are not live are never read. Those left over by a crash are deleted.
//!
//! The set works on any [`RunStorage`]; whoever calls it opens and ends the transactions, and says
//! how they ended.

pub(crate) mod filter;
mod merge;
pub(crate) mod sqlite;

use std::cmp::Reverse;

use self::filter::Filter;
use self::merge::Merge;
use super::error::StoreError;

/// Bytes of one entry: hash (big-endian, so that bytes sort like hashes), raw hash, sequence.
const ENTRY_BYTES: usize = 32;
/// Entries of a chunk on average. Twice as many and a half still fit a page of 8 kB.
const ENTRIES_PER_BUCKET: u64 = 96;
/// A chunk's id is `run << BUCKET_BITS | bucket`: 1.6 billion entries a run, 2^39 runs.
const BUCKET_BITS: u32 = 24;
/// Live runs of level 0 that start a merge, and those of the levels above.
const FAN_IN_0: usize = 16;
const FAN_IN: usize = 8;
/// A merge takes no more inputs at once than this.
const INPUTS_MAX: usize = 64;
/// Above this many live runs on one level, merging may not wait for a quiet moment.
const RUNS_URGENT: usize = 32;
/// Dead chunks that one step deletes.
const DELETE_STEP_CHUNKS: u32 = 512;

/// One id: its keyed hash, the hash of its record's bytes, and where it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) hash: u128,
    pub(crate) raw_hash: u64,
    pub(crate) sequence: i64,
}

impl Entry {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.hash.to_be_bytes());
        out.extend_from_slice(&self.raw_hash.to_le_bytes());
        out.extend_from_slice(&self.sequence.to_le_bytes());
    }

    fn read(bytes: &[u8; ENTRY_BYTES]) -> Entry {
        let (hash, rest) = bytes.split_first_chunk().expect("an entry has 32 bytes");
        let (raw_hash, rest) = rest.split_first_chunk().expect("an entry has 32 bytes");
        let (sequence, _) = rest.split_first_chunk().expect("an entry has 32 bytes");
        Entry {
            hash: u128::from_be_bytes(*hash),
            raw_hash: u64::from_le_bytes(*raw_hash),
            sequence: i64::from_le_bytes(*sequence),
        }
    }
}

/// A sorted table of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) id: i64,
    pub(crate) level: u32,
    pub(crate) buckets: u32,
    pub(crate) entries: u64,
}

impl Run {
    fn new(id: i64, level: u32, entries: u64) -> Run {
        let buckets = entries.div_ceil(ENTRIES_PER_BUCKET).clamp(1, 1 << BUCKET_BITS) as u32;
        Run { id, level, buckets, entries }
    }

    fn bucket(&self, hash: u128) -> u32 {
        let high = (hash >> 64) as u64;
        ((u128::from(high) * u128::from(self.buckets)) >> 64) as u32
    }

    fn chunk(&self, bucket: u32) -> i64 {
        self.id << BUCKET_BITS | i64::from(bucket)
    }

    /// Whether a run read from a file can be one.
    pub(crate) fn is_sound(&self) -> bool {
        (1..1 << (63 - BUCKET_BITS)).contains(&self.id)
            && *self == Run::new(self.id, self.level, self.entries)
    }
}

/// Where runs and their chunks are kept. Reads see what was written before, in this transaction too.
pub(crate) trait RunStorage {
    /// All runs; `true` for the live ones.
    fn runs(&self) -> Result<Vec<(Run, bool)>, StoreError>;
    fn insert_run(&self, run: &Run, live: bool) -> Result<(), StoreError>;
    fn set_live(&self, run: i64, live: bool) -> Result<(), StoreError>;
    fn delete_run(&self, run: i64) -> Result<(), StoreError>;
    /// Shows a chunk, or nothing if it has no entries.
    fn read_chunk(&self, chunk: i64, show: &mut dyn FnMut(&[u8])) -> Result<(), StoreError>;
    fn write_chunk(&self, chunk: i64, data: &[u8]) -> Result<(), StoreError>;
    /// Deletes chunks `first..end`.
    fn delete_chunks(&self, first: i64, end: i64) -> Result<(), StoreError>;
}

/// The entries of a chunk.
fn entries(chunk: &[u8]) -> Result<&[[u8; ENTRY_BYTES]], StoreError> {
    match chunk.as_chunks() {
        (entries, []) => Ok(entries),
        _ => Err(StoreError::corrupt("a chunk of seen ids is cut short")),
    }
}

/// A run that is not live any more, or never was, and the first of its buckets not yet deleted.
struct Dead {
    run: Run,
    bucket: u32,
}

/// The set. See the [module](self).
pub(crate) struct SeenSet {
    filter: Filter,
    live: Vec<Run>,
    /// How many of `live` are committed; the rest are staged in the current transaction.
    committed: usize,
    merges: Vec<Merge>,
    dead: Vec<Dead>,
    next_run: i64,
}

impl SeenSet {
    /// Reads the runs and builds the filter: 0.5 to 1.4 s for 50 million entries.
    pub(crate) fn load(storage: &impl RunStorage) -> Result<SeenSet, StoreError> {
        let runs = storage.runs()?;
        if runs.iter().any(|(run, _)| !run.is_sound()) {
            return Err(StoreError::corrupt("a run of seen ids has impossible numbers"));
        }
        let next_run = runs.iter().map(|(run, _)| run.id + 1).max().unwrap_or(1);
        let dead = runs.iter().filter(|(_, live)| !live);
        let dead = dead.map(|&(run, _)| Dead { run, bucket: 0 }).collect();
        let live: Vec<Run> = runs.iter().filter(|(_, live)| *live).map(|&(run, _)| run).collect();
        let total: u64 = live.iter().map(|run| run.entries).sum();
        // Some room, so that the first commits do not add a layer each.
        let mut filter = Filter::with_capacity((total + total / 8) as usize);
        for run in &live {
            load_run(storage, run, &mut filter)?;
        }
        let committed = live.len();
        Ok(SeenSet { filter, live, committed, merges: Vec::new(), dead, next_run })
    }

    /// Calls `found(i, entry)` for every one of the sorted `hashes` that was seen.
    pub(crate) fn lookup(
        &self,
        storage: &impl RunStorage,
        hashes: impl Iterator<Item = u128>,
        mut found: impl FnMut(usize, Entry),
    ) -> Result<(), StoreError> {
        let mut open: Vec<(usize, u128)> =
            hashes.enumerate().filter(|&(_, hash)| self.filter.contains(hash)).collect();
        // The largest run first: it holds most of what is seen, and its answers need no more reads.
        let mut runs: Vec<&Run> = self.live.iter().collect();
        runs.sort_unstable_by_key(|run| Reverse(run.entries));
        for run in runs {
            if open.is_empty() {
                break;
            }
            let mut still_open = Vec::with_capacity(open.len());
            for group in open.chunk_by(|a, b| run.bucket(a.1) == run.bucket(b.1)) {
                probe(storage, run, group, &mut found, &mut still_open)?;
            }
            open = still_open;
        }
        Ok(())
    }

    /// Adds the entries (sorted, none of them seen) as a run of level 0, within the caller's
    /// transaction. [`SeenSet::committed`] or [`SeenSet::rolled_back`] must follow.
    pub(crate) fn stage(
        &mut self,
        storage: &impl RunStorage,
        new: &[Entry],
    ) -> Result<(), StoreError> {
        if new.is_empty() {
            return Ok(());
        }
        let run = Run::new(self.next_run, 0, new.len() as u64);
        storage.insert_run(&run, true)?;
        let mut data = Vec::new();
        for bucket in new.chunk_by(|a, b| run.bucket(a.hash) == run.bucket(b.hash)) {
            data.clear();
            bucket.iter().for_each(|entry| entry.write(&mut data));
            storage.write_chunk(run.chunk(run.bucket(bucket[0].hash)), &data)?;
        }
        new.iter().for_each(|entry| self.filter.insert(entry.hash));
        self.next_run += 1;
        self.live.push(run);
        Ok(())
    }

    /// The transaction of all that was staged is committed.
    pub(crate) fn committed(&mut self) {
        self.committed = self.live.len();
    }

    /// The transaction of all that was staged is gone. The filter may keep its bits.
    pub(crate) fn rolled_back(&mut self) {
        self.live.truncate(self.committed);
    }

    /// Whether [`SeenSet::step`] has something to do.
    pub(crate) fn has_work(&self) -> bool {
        !self.dead.is_empty() || !self.merges.is_empty() || self.level_to_merge().is_some()
    }

    /// Whether lookups suffer from work not done.
    pub(crate) fn is_urgent(&self) -> bool {
        self.levels().any(|level| self.waiting(level).count() > RUNS_URGENT)
    }

    /// One small step of housekeeping, about `entries_max` entries, within a transaction of its own.
    /// [`SeenSet::step_committed`] or [`SeenSet::step_failed`] must follow.
    pub(crate) fn step(
        &mut self,
        storage: &impl RunStorage,
        entries_max: usize,
    ) -> Result<(), StoreError> {
        // Dead runs first: a merge makes no more of them than it read, so neither starves the other.
        if let Some(dead) = self.dead.last_mut() {
            return dead.delete_some(storage);
        }
        // Low levels first: they are small, and their runs are many.
        if let Some(level) = self.level_to_merge() {
            let inputs: Vec<Run> = self.waiting(level).take(INPUTS_MAX).copied().collect();
            let merge = Merge::begin(storage, self.next_run, inputs)?;
            self.next_run += 1;
            self.merges.push(merge);
        }
        match self.merges.iter_mut().min_by_key(|merge| merge.level()) {
            Some(merge) => merge.advance(storage, entries_max),
            None => Ok(()),
        }
    }

    /// The step's transaction is committed.
    pub(crate) fn step_committed(&mut self) {
        self.dead.retain(|dead| dead.bucket < dead.run.buckets);
        let finished: Vec<Merge> =
            self.merges.extract_if(.., |merge| merge.is_finished()).collect();
        for merge in finished {
            let (inputs, output) = merge.into_runs();
            self.live.retain(|run| !inputs.contains(run));
            self.live.push(output);
            self.dead.extend(inputs.into_iter().map(|run| Dead { run, bucket: 0 }));
        }
        self.committed = self.live.len();
    }

    /// The step's transaction is gone. Every merge starts over, so that nothing in memory is ahead of
    /// the storage.
    pub(crate) fn step_failed(&mut self) {
        for merge in self.merges.drain(..) {
            let (_, output) = merge.into_runs();
            self.dead.push(Dead { run: output, bucket: 0 });
        }
        self.dead.iter_mut().for_each(|dead| dead.bucket = 0);
    }

    fn levels(&self) -> impl Iterator<Item = u32> {
        0..=self.live.iter().map(|run| run.level).max().unwrap_or(0)
    }

    /// The committed runs of a level that no merge has taken.
    fn waiting(&self, level: u32) -> impl Iterator<Item = &Run> {
        let committed = self.live[..self.committed].iter();
        committed
            .filter(move |run| run.level == level && !self.merges.iter().any(|m| m.takes(run.id)))
    }

    /// The lowest level that has enough runs, and no merge yet.
    fn level_to_merge(&self) -> Option<u32> {
        self.levels().find(|&level| {
            let fan_in = if level == 0 { FAN_IN_0 } else { FAN_IN };
            self.merges.iter().all(|merge| merge.level() != level)
                && self.waiting(level).count() >= fan_in
        })
    }
}

impl Dead {
    fn delete_some(&mut self, storage: &impl RunStorage) -> Result<(), StoreError> {
        let end = self.run.buckets.min(self.bucket.saturating_add(DELETE_STEP_CHUNKS));
        storage.delete_chunks(self.run.chunk(self.bucket), self.run.chunk(0) + i64::from(end))?;
        if end == self.run.buckets {
            storage.delete_run(self.run.id)?;
        }
        self.bucket = end;
        Ok(())
    }
}

/// Looks for one hash without a filter, in every live run.
pub(crate) fn find(storage: &impl RunStorage, hash: u128) -> Result<Option<Entry>, StoreError> {
    let mut entry = None;
    for (run, _) in storage.runs()?.iter().filter(|(run, live)| *live && run.is_sound()) {
        probe(storage, run, &[(0, hash)], &mut |_, found| entry = Some(found), &mut Vec::new())?;
    }
    Ok(entry)
}

/// Reads a whole run into the filter, and checks it on the way.
fn load_run(storage: &impl RunStorage, run: &Run, filter: &mut Filter) -> Result<(), StoreError> {
    let mut count = 0;
    let mut last = None;
    let mut sound = true;
    for bucket in 0..run.buckets {
        storage.read_chunk(run.chunk(bucket), &mut |chunk| {
            let Ok(entries) = entries(chunk) else { return sound = false };
            for entry in entries {
                let hash = Entry::read(entry).hash;
                sound &= last < Some(hash) && run.bucket(hash) == bucket;
                last = Some(hash);
                filter.insert(hash);
            }
            count += entries.len() as u64;
        })?;
    }
    match sound && count == run.entries {
        true => Ok(()),
        false => {
            Err(StoreError::corrupt(format!("run {} of seen ids is not what it says", run.id)))
        }
    }
}

/// Looks for the hashes of one bucket in its chunk.
fn probe(
    storage: &impl RunStorage,
    run: &Run,
    group: &[(usize, u128)],
    found: &mut impl FnMut(usize, Entry),
    still_open: &mut Vec<(usize, u128)>,
) -> Result<(), StoreError> {
    let mut rest = Some(group);
    let mut result = Ok(());
    storage.read_chunk(run.chunk(run.bucket(group[0].1)), &mut |chunk| {
        rest = None;
        let entries = match entries(chunk) {
            Ok(entries) => entries,
            Err(error) => return result = Err(error),
        };
        for &(index, hash) in group {
            let key = hash.to_be_bytes();
            match entries.binary_search_by(|entry| entry[..key.len()].cmp(&key[..])) {
                Ok(at) => found(index, Entry::read(&entries[at])),
                Err(_) => still_open.push((index, hash)),
            }
        }
    })?;
    still_open.extend(rest.unwrap_or_default());
    result
}

#[cfg(test)]
mod tests;
