//! The sink against a vector to which the same is appended.

use proptest::prelude::*;

use super::super::sink::{Block, Padded, Sink};
use super::super::{BLOCK, Kernel, Lanes, Level};
use crate::emit::json;

/// What is done to a text.
#[derive(Debug, Clone)]
enum Step {
    Run(Vec<Block>, usize),
    Word(u64, usize),
    String(Vec<u8>, String),
    Copy(Vec<u8>),
    TakeBack,
    Cut(usize),
    By(Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    let blocks = prop::collection::vec(any::<u8>().prop_map(|byte| Block([byte; BLOCK])), 1..4);
    prop_oneof![
        (blocks, 0..300_usize).prop_map(|(blocks, len)| Step::Run(blocks, len)),
        (any::<u64>(), 0..12_usize).prop_map(|(word, len)| Step::Word(word, len)),
        ("[a-z]{0,140}", "[ -~]{0,70}|[a-z]{60,200}|[a-z\"\\\\\n\u{1f}é]{0,9}|[a-z]{62,66}[\"a]",)
            .prop_map(|(run, text)| Step::String((run + "\"").into_bytes(), text)),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(Step::Copy),
        Just(Step::TakeBack),
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
                Step::String(run, text) => {
                    let blocks = padded(run);
                    let run = Padded::new(&blocks, run.len()).unwrap();
                    let is_plain = sink.run_and_string(lanes, run, text);
                    assert_eq!(is_plain, !text.bytes().any(is_special));
                }
                Step::Copy(bytes) => {
                    let has_special = sink.copy(lanes, bytes);
                    assert_eq!(has_special, bytes.iter().copied().any(is_special));
                }
                Step::TakeBack => sink.take_back(),
                Step::Cut(len) => sink.cut(*len),
                Step::By(bytes) => sink.by(|out| out.extend_from_slice(bytes)),
            }
        }
        let text = sink.text().to_vec();
        sink.finish();
        assert_eq!(&text, self.out);
    }
}

fn is_special(byte: u8) -> bool {
    matches!(byte, 0..0x20 | b'"' | b'\\')
}

/// The blocks that hold a text.
fn padded(text: &[u8]) -> Vec<Block> {
    let mut bytes = text.to_vec();
    bytes.resize(text.len().next_multiple_of(BLOCK), b'?');
    bytes.as_chunks().0.iter().copied().map(Block).collect()
}

/// The same, appended.
fn append(steps: &[Step], out: &mut Vec<u8>) {
    for step in steps {
        match step {
            Step::Run(blocks, len) => {
                let all: Vec<u8> = blocks.iter().flat_map(|block| block.0).collect();
                out.extend_from_slice(&all[..all.len().min(*len)]);
            }
            Step::Word(word, len) => out.extend_from_slice(&word.to_le_bytes()[..*len.min(&8)]),
            Step::String(run, text) => {
                out.extend_from_slice(run);
                out.pop();
                json::write_string(text, out);
                out.push(b',');
            }
            Step::Copy(bytes) | Step::By(bytes) => out.extend_from_slice(bytes),
            Step::TakeBack => drop(out.pop()),
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
