//! The sink against a vector to which the same is appended.

use proptest::prelude::*;

use super::super::sink::{Padded, Sink};
use super::super::{BLOCK, Kernel, Lanes, Level};
use crate::emit::json;

/// What is done to a text.
#[derive(Debug, Clone)]
enum Step {
    Run(Vec<[u8; BLOCK]>, usize),
    Word(u64, usize),
    String(String),
    Copy(Vec<u8>),
    TakeBack(usize),
    Cut(usize),
    By(Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    let blocks = prop::collection::vec(any::<u8>().prop_map(|byte| [byte; BLOCK]), 1..4);
    prop_oneof![
        (blocks, 0..300_usize).prop_map(|(blocks, len)| Step::Run(blocks, len)),
        (any::<u64>(), 0..12_usize).prop_map(|(word, len)| Step::Word(word, len)),
        "[ -~]{0,70}|[a-z]{60,200}|[a-z\"\\\\\n\u{1f}é]{0,9}|[a-z]{62,66}[\"a]"
            .prop_map(Step::String),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(Step::Copy),
        (0..3_usize).prop_map(Step::TakeBack),
        (0..3_000_usize).prop_map(Step::Cut),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(Step::By),
    ]
}

struct Written<'t> {
    steps: &'t [Step],
    out: &'t mut Vec<u8>,
}

impl Kernel for Written<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let mut sink = Sink::new(self.out);
        for step in self.steps {
            match step {
                Step::Run(blocks, len) => sink.run(Padded::new(blocks, *len).unwrap()),
                Step::Word(word, len) => sink.put_word(*word, *len),
                Step::String(text) => sink.string(lanes, text),
                Step::Copy(bytes) => {
                    let is_special = sink.copy(lanes, bytes);
                    let special = |byte: &u8| matches!(byte, 0..0x20 | b'"' | b'\\');
                    assert_eq!(is_special, bytes.iter().any(special));
                }
                Step::TakeBack(bytes) => sink.take_back(*bytes),
                Step::Cut(len) => sink.cut(*len),
                Step::By(bytes) => sink.by(|out| out.extend_from_slice(bytes)),
            }
        }
        let text = sink.text().to_vec();
        sink.finish();
        assert_eq!(&text, self.out);
    }
}

/// The same, appended.
fn append(steps: &[Step], out: &mut Vec<u8>) {
    for step in steps {
        match step {
            Step::Run(blocks, len) => {
                let all = blocks.as_flattened();
                out.extend_from_slice(&all[..all.len().min(*len)]);
            }
            Step::Word(word, len) => out.extend_from_slice(&word.to_le_bytes()[..*len.min(&8)]),
            Step::String(text) => {
                json::write_string(text, out);
                out.push(b',');
            }
            Step::Copy(bytes) | Step::By(bytes) => out.extend_from_slice(bytes),
            Step::TakeBack(bytes) => out.truncate(out.len().saturating_sub(*bytes)),
            Step::Cut(len) => out.truncate(*len),
        }
    }
}

proptest! {
    #[test]
    fn a_sink_appends(
        before in prop::collection::vec(any::<u8>(), 0..300),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut expected = before.clone();
        append(&steps, &mut expected);
        for level in Level::all() {
            let mut out = before.clone();
            level.run(Written { steps: &steps, out: &mut out });
            prop_assert_eq!(&out, &expected, "{}", level.name());
        }
    }
}
