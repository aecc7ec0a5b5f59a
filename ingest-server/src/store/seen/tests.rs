//! The seen set against a hash map, on a storage in memory whose transactions can be lost.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;

use super::*;

/// Runs and chunks in maps. Cloning it is a snapshot, so losing a transaction is putting one back.
#[derive(Clone, Default)]
struct Memory {
    runs: RefCell<BTreeMap<i64, (Run, bool)>>,
    chunks: RefCell<BTreeMap<i64, Vec<u8>>>,
}

impl RunStorage for Memory {
    fn runs(&self) -> Result<Vec<(Run, bool)>, StoreError> {
        Ok(self.runs.borrow().values().copied().collect())
    }

    fn insert_run(&self, run: &Run, live: bool) -> Result<(), StoreError> {
        let before = self.runs.borrow_mut().insert(run.id, (*run, live));
        assert!(before.is_none(), "a run's id is used twice");
        Ok(())
    }

    fn set_live(&self, run: i64, live: bool) -> Result<(), StoreError> {
        self.runs.borrow_mut().get_mut(&run).expect("the run is there").1 = live;
        Ok(())
    }

    fn delete_run(&self, run: i64) -> Result<(), StoreError> {
        let deleted = self.runs.borrow_mut().remove(&run);
        assert!(deleted.is_none_or(|(_, live)| !live), "a live run is deleted");
        Ok(())
    }

    fn read_chunk(&self, chunk: i64, show: &mut dyn FnMut(&[u8])) -> Result<(), StoreError> {
        if let Some(data) = self.chunks.borrow().get(&chunk) {
            show(data);
        }
        Ok(())
    }

    fn write_chunk(&self, chunk: i64, data: &[u8]) -> Result<(), StoreError> {
        let before = self.chunks.borrow_mut().insert(chunk, data.to_vec());
        assert!(before.is_none(), "a chunk is written twice");
        Ok(())
    }

    fn delete_chunks(&self, first: i64, end: i64) -> Result<(), StoreError> {
        self.chunks.borrow_mut().retain(|&chunk, _| chunk < first || chunk >= end);
        Ok(())
    }
}

impl Memory {
    /// Each hash stands in exactly one live run, and dead runs leave nothing behind.
    fn check(&self, model: &HashMap<u128, Entry>) {
        let runs = self.runs.borrow();
        let mut found = HashMap::new();
        for (&chunk, data) in self.chunks.borrow().iter() {
            let (run, live) = runs.get(&(chunk >> BUCKET_BITS)).expect("a chunk has a run");
            assert!(i64::from(run.buckets) > chunk & ((1 << BUCKET_BITS) - 1));
            for entry in entries(data).unwrap().iter().map(Entry::read).filter(|_| *live) {
                assert_eq!(found.insert(entry.hash, entry), None, "an id in two live runs");
            }
        }
        assert_eq!(&found, model);
    }
}

#[derive(Debug, Clone)]
enum Action {
    /// Commit these ids, those that are new; or lose the transaction.
    Commit { ids: Vec<u32>, lost: bool },
    /// Two commits in one transaction.
    Group { ids: Vec<u32>, lost: bool },
    /// Steps of housekeeping, the last of which is lost or not.
    Steps { count: u8, entries_max: usize, lost: bool },
    /// Forget everything in memory, as a crash does.
    Reload,
}

fn action() -> impl Strategy<Value = Action> {
    let ids = || {
        prop_oneof![
            5 => proptest::collection::vec(0..20_000u32, 0..8),
            2 => proptest::collection::vec(0..20_000u32, 100..600),
        ]
    };
    let lost = || proptest::bool::weighted(0.15);
    prop_oneof![
        20 => (ids(), lost()).prop_map(|(ids, lost)| Action::Commit { ids, lost }),
        3 => (ids(), lost()).prop_map(|(ids, lost)| Action::Group { ids, lost }),
        6 => (1..20u8, prop_oneof![Just(1), Just(100), Just(100_000)], lost())
            .prop_map(|(count, entries_max, lost)| Action::Steps { count, entries_max, lost }),
        1 => Just(Action::Reload),
    ]
}

/// Spread over all buckets, as a keyed hash would be; few enough to repeat.
fn hash(id: u32) -> u128 {
    u128::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834) ^ u128::from(id) << 61
}

/// The set under test, its storage and what it must contain.
struct Bench {
    set: SeenSet,
    memory: Memory,
    model: HashMap<u128, Entry>,
    next: i64,
}

impl Bench {
    /// Asks for the ids, compares the answers, and stages those that are new.
    fn stage(&mut self, ids: &[u32], staged: &mut HashMap<u128, Entry>) {
        let mut hashes: Vec<u128> = ids.iter().map(|&id| hash(id)).collect();
        hashes.sort_unstable();
        let mut answers = vec![None; hashes.len()];
        let found = |i: usize, entry| assert_eq!(answers[i].replace(entry), None, "answered twice");
        self.set.lookup(&self.memory, hashes.iter().copied(), found).unwrap();
        for (hash, answer) in hashes.iter().zip(&answers) {
            assert_eq!(answer.as_ref(), self.model.get(hash).or(staged.get(hash)));
        }
        hashes.dedup();
        let is_new = |hash: &u128| !self.model.contains_key(hash) && !staged.contains_key(hash);
        let new: Vec<Entry> = hashes
            .into_iter()
            .filter(is_new)
            .map(|hash| {
                self.next += 1;
                Entry { hash, raw_hash: hash as u64 ^ 1, sequence: self.next }
            })
            .collect();
        self.set.stage(&self.memory, &new).unwrap();
        staged.extend(new.into_iter().map(|entry| (entry.hash, entry)));
    }

    fn transaction(&mut self, parts: &[&[u32]], lost: bool) {
        let before = self.memory.clone();
        let mut staged = HashMap::new();
        parts.iter().for_each(|ids| self.stage(ids, &mut staged));
        if lost {
            self.memory = before;
            self.set.rolled_back();
        } else {
            self.model.extend(staged);
            self.set.committed();
        }
    }

    fn step(&mut self, entries_max: usize, lost: bool) {
        let before = self.memory.clone();
        self.set.step(&self.memory, entries_max).unwrap();
        if lost {
            self.memory = before;
            self.set.step_failed();
        } else {
            self.set.step_committed();
        }
    }

    fn run(&mut self, action: Action) {
        match action {
            Action::Commit { ids, lost } => self.transaction(&[&ids], lost),
            Action::Group { ids, lost } => {
                let (first, second) = ids.split_at(ids.len() / 2);
                self.transaction(&[first, second], lost);
            }
            Action::Steps { count, entries_max, lost } => {
                (1..count).for_each(|_| self.step(entries_max, false));
                self.step(entries_max, lost);
            }
            Action::Reload => self.set = SeenSet::load(&self.memory).unwrap(),
        }
        self.memory.check(&self.model);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn the_set_is_what_a_hash_map_would_be(actions in proptest::collection::vec(action(), 1..160)) {
        let memory = Memory::default();
        let set = SeenSet::load(&memory).unwrap();
        let mut bench = Bench { set, memory, model: HashMap::new(), next: 0 };
        actions.into_iter().for_each(|action| bench.run(action));
        let mut steps = 0;
        while bench.set.has_work() {
            bench.step(1_000, false);
            steps += 1;
            prop_assert!(steps < 10_000, "housekeeping never ends");
        }
        bench.memory.check(&bench.model);
        prop_assert!(bench.memory.runs.borrow().values().all(|(_, live)| *live));
        for (level, fan_in) in [(0, FAN_IN_0), (1, FAN_IN), (2, FAN_IN)] {
            let runs = bench.set.live.iter().filter(|run| run.level == level).count();
            prop_assert!(runs < fan_in, "{runs} runs on level {level}");
        }
    }
}

#[test]
fn housekeeping_keeps_the_runs_few() {
    let memory = Memory::default();
    let set = SeenSet::load(&memory).unwrap();
    let mut bench = Bench { set, memory, model: HashMap::new(), next: 0 };
    for commit in 0..2_000u32 {
        let ids: Vec<u32> = (0..3).map(|i| commit * 3 + i).collect();
        bench.transaction(&[&ids], false);
        while bench.set.has_work() {
            bench.step(usize::MAX, false);
        }
    }
    assert_eq!(bench.set.live.iter().map(|run| run.entries).sum::<u64>(), 6_000);
    assert!(bench.set.live.len() < FAN_IN_0 + 3 * FAN_IN, "{} runs", bench.set.live.len());
    assert!(bench.set.live.iter().any(|run| run.level == 3));
    bench.memory.check(&bench.model);
}

#[test]
fn too_many_runs_are_urgent() {
    let memory = Memory::default();
    let set = SeenSet::load(&memory).unwrap();
    let mut bench = Bench { set, memory, model: HashMap::new(), next: 0 };
    for id in 0..=RUNS_URGENT as u32 {
        assert!(!bench.set.is_urgent());
        bench.transaction(&[&[id]], false);
    }
    assert!(bench.set.is_urgent());
    bench.step(usize::MAX, false);
    assert!(!bench.set.is_urgent());
}

#[test]
fn damage_is_noticed_when_the_set_is_loaded() {
    let memory = Memory::default();
    let set = SeenSet::load(&memory).unwrap();
    let mut bench = Bench { set, memory, model: HashMap::new(), next: 0 };
    let ids: Vec<u32> = (0..1_000).collect();
    bench.transaction(&[&ids], false);
    let damage: [fn(&mut Vec<u8>); 4] = [
        |chunk| chunk.truncate(chunk.len() - 1),
        |chunk| chunk.truncate(ENTRY_BYTES),
        |chunk| chunk[0] ^= 0x80,
        |chunk| chunk.copy_within(..ENTRY_BYTES, ENTRY_BYTES),
    ];
    for change in damage {
        let memory = bench.memory.clone();
        change(memory.chunks.borrow_mut().values_mut().next().unwrap());
        assert!(matches!(SeenSet::load(&memory), Err(StoreError::Corrupt(_))));
    }
    let memory = bench.memory.clone();
    memory.runs.borrow_mut().values_mut().for_each(|(run, _)| run.entries = 1 << 50);
    assert!(matches!(SeenSet::load(&memory), Err(StoreError::Corrupt(_))));
}
