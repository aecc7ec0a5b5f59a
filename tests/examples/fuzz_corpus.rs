//! Writes seeds for the fuzz targets that read records, each with the bytes in front that its target takes for itself:
//! random records of the names that their programs look for, and the inputs of the golden cases.
//!
//! ```sh
//! cargo run -p weir-tests --example fuzz_corpus -- fuzz/corpus
//! ```
#![expect(clippy::unwrap_used, reason = "a tool of the tests")]

use std::fs;
use std::path::{Path, PathBuf};

use weir_tests::case::Case;
use weir_tests::generate::Random;
use weir_tests::records::{self, Layout, Sizes};

/// Larger inputs slow the fuzzer down.
const BYTES_MAX: usize = 3000;

struct Corpus(PathBuf);

impl Corpus {
    fn write(&self, target: &str, name: &str, front: &[u8], object: &[u8]) {
        let folder = self.0.join(target);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), [front, object].concat()).unwrap();
    }
}

fn main() {
    let folder =
        std::env::args_os().nth(1).map_or_else(|| PathBuf::from("fuzz/corpus"), PathBuf::from);
    let corpus = Corpus(folder);
    let mut random = Random::new(1);
    // In the order of `readers::json`.
    let layouts = [Layout::Lines; 6].into_iter();
    let layouts = layouts.chain([Layout::Documents, Layout::Wrapped, Layout::TwoLevels]);
    for (choice, layout) in layouts.enumerate() {
        for (number, sizes) in Sizes::ALL.into_iter().cycle().take(20).enumerate() {
            let (bytes, damaged) = (30 << (number % 6), [0, 0, 0, 30][number % 4]);
            let object = records::object(layout, sizes, bytes, damaged, &mut random);
            if object.len() <= BYTES_MAX {
                let name = format!("{choice}-{number}");
                corpus.write("json", &name, &[choice as u8, number as u8], &object);
                corpus.write("cuts", &name, &[choice as u8, number as u8, 9, 9], &object);
            }
        }
    }
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    for (number, case) in Case::all(&cases).into_iter().enumerate() {
        let input = case.input();
        if input.len() > BYTES_MAX {
            continue;
        }
        let name = format!("case-{number}");
        if case.program().contains("input csv") {
            for choice in (0..=255).step_by(16) {
                corpus.write("csv", &format!("{name}-{choice}"), &[choice, 63], &input);
            }
            corpus.write("cuts", &name, &[9 + number as u8 % 3, 2, 7, 7], &input);
        } else {
            corpus.write("json", &name, &[number as u8 % 9, 63], &input);
        }
    }
    for seed in (0..=255_u8).step_by(4) {
        let damages: Vec<u8> = (0..4 * (seed / 4 % 5)).map(|_| random.below(256) as u8).collect();
        corpus.write("levels", &format!("{seed}"), &[seed], &damages);
    }
}
