//! The inputs of the cases, damaged at random: whatever comes in, the engine does what the reference says, in any
//! chunking.
//!
//! `WEIR_SEED=N` runs other damages, `WEIR_ROUNDS=N` more of them.

use std::path::Path;

use weir_tests::case::{Case, Subject};
use weir_tests::chunk::Cut;
use weir_tests::generate::Random;

/// Larger inputs are damaged less often than they are slow.
const INPUT_BYTES_MAX: usize = 8 << 10;

/// What is put into inputs.
const PIECES: [&[u8]; 34] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\n",
    b"\r",
    b"\r\n",
    b" ",
    b"\t",
    b"\0",
    b"\x1f",
    b"\xff",
    b"\xc3",
    b"\xe2\x82",
    b"\xc3\xa9",
    b"\xef\xbb\xbf",
    b"null",
    b"true",
    b"\"\"",
    b"{}",
    b"[]",
    b"\\u0061",
    b"\\ud800",
    b"-",
    b"0",
    b"1e3",
    b".5",
    b";",
    b"\"a\":1",
    b"99999999999999999999",
];

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// A few damages, one after the other.
fn damage(input: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() as u64 + 1) as usize;
        let end = (at + random.below(40) as usize).min(bytes.len());
        match random.below(6) {
            0 => drop(bytes.drain(at..end)),
            1 => {
                let copy = bytes[at..end].to_vec();
                let to = random.below(bytes.len() as u64 + 1) as usize;
                bytes.splice(to..to, copy);
            }
            2 if at < bytes.len() => bytes[at] = random.below(256) as u8,
            3 if at < end => {
                let piece = random.pick(&PIECES);
                bytes.splice(at..at + 1, piece.iter().copied());
            }
            _ => {
                let piece = random.pick(&PIECES);
                bytes.splice(at..at, piece.iter().copied());
            }
        }
    }
    bytes
}

#[test]
fn damaged_inputs_mean_the_same_to_the_engine_and_the_reference() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let (seed, rounds) = (number("WEIR_SEED", 1), number("WEIR_ROUNDS", 40));
    println!("WEIR_SEED={seed} WEIR_ROUNDS={rounds}");
    let mut random = Random::new(seed);
    for case in Case::all(&folder) {
        let input = case.input();
        if input.len() > INPUT_BYTES_MAX {
            continue;
        }
        let subject = Subject::new(&case.name(), &case.program());
        for round in 0..rounds {
            let damaged = damage(&input, &mut random);
            // Shown if the test fails.
            println!("{} round {round}: {}", case.name(), damaged.escape_ascii());
            subject.agree_cut(&damaged, &[Cut::Random(random.number())]);
        }
    }
}
