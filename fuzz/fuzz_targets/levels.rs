//! Random programs over damaged records of theirs: the engine makes the same of them by all means, and what the
//! reference says.
//!
//! The first byte is the seed of the program and its records. Of the rest, four bytes at a time are a damage: two
//! for the place, one for what is done there, and one that is put there.

#![no_main]

use std::cell::RefCell;
use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use weir_tests::case::{Crew, Subject};
use weir_tests::chunk::Cut;
use weir_tests::programs::Generated;

const RECORDS: usize = 4;
const DAMAGES_MAX: usize = 64;

/// Workers of a program that compiles, and its records.
type Kept = Option<(Crew<'static>, Vec<u8>)>;

thread_local! {
    static KEPT: RefCell<HashMap<u8, Kept>> = RefCell::default();
}

fn keep(seed: u8) -> Kept {
    let generated = Generated::new(u64::from(seed), RECORDS);
    let subject = Subject::compile("generated", &generated.text()).ok()?;
    Some((Crew::new(Box::leak(Box::new(subject))), generated.input()))
}

/// Does something to the bytes at a place.
fn damage(bytes: &mut Vec<u8>, [low, high, what, byte]: [u8; 4]) {
    let at = usize::from(u16::from_le_bytes([low, high])) % (bytes.len() + 1);
    let end = (at + usize::from(what >> 3)).min(bytes.len());
    match what & 7 {
        0 => drop(bytes.drain(at..end)),
        1 => bytes.insert(at, byte),
        2 => drop(bytes.splice(at..end, [byte])),
        3 => drop(bytes.splice(at..at, [b'\\', byte])),
        // Moves what follows within its block.
        4 => drop(bytes.splice(at..at, vec![b' '; usize::from(what >> 3)])),
        5 => {
            let copy = bytes[at..end].to_vec();
            let to = usize::from(byte) * 7 % (bytes.len() + 1);
            bytes.splice(to..to, copy);
        }
        6 => bytes.truncate(bytes.len() - usize::from(byte).min(bytes.len())),
        _ if at < bytes.len() => bytes[at] ^= byte,
        _ => {}
    }
}

fuzz_target!(|data: &[u8]| {
    let [seed, damages @ ..] = data else { return };
    KEPT.with_borrow_mut(|kept| {
        let Some((crew, input)) = kept.entry(*seed).or_insert_with(|| keep(*seed)) else { return };
        let mut object = input.clone();
        for piece in damages.as_chunks::<4>().0.iter().take(DAMAGES_MAX) {
            damage(&mut object, *piece);
        }
        crew.agree_with_reference(&object, &[Cut::Every(1 + damages.len())]);
    });
});
