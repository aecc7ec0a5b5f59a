//! Every case is framed whole, byte by byte, at other cuts, and resumed behind every block: all must agree.

mod csv;
mod document;
mod ndjson;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::input::{Csv, Records, RecordsStep};

/// A record with all that it is, free of blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Framed {
    bytes: Vec<u8>,
    offset: u64,
    size: u64,
    index: u64,
    line: u64,
    fault: Option<(&'static str, &'static str, u64)>,
    header: Option<Vec<String>>,
    wrapper: Vec<Option<String>>,
}

impl Framed {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    fn code(&self) -> Option<&'static str> {
        self.fault.map(|fault| fault.0)
    }
}

fn take(framer: &mut Framer, framed: &mut Vec<Framed>, ends: &mut Vec<(usize, Position)>) {
    while let Some(block) = framer.next_block() {
        assert!(!block.records.is_empty());
        for record in &block.records {
            framed.push(Framed {
                bytes: record.bytes(&block).to_vec(),
                offset: record.offset,
                size: record.size,
                index: record.index,
                line: record.line,
                fault: record.fault.map(|fault| (fault.code.as_str(), fault.message, fault.at)),
                header: block.header.as_deref().cloned(),
                wrapper: block
                    .wrapper
                    .iter()
                    .map(|member| {
                        member.as_ref().map(|text| std::str::from_utf8(text).unwrap().to_owned())
                    })
                    .collect(),
            });
        }
        assert_eq!(framer.position(), &block.end);
        ends.push((framed.len(), block.end));
    }
}

/// Frames `bytes` in chunks of these sizes, over and over, from a position on.
fn frame(
    input: &Input,
    bytes: &[u8],
    sizes: &[usize],
    from: Position,
) -> (Vec<Framed>, Vec<(usize, Position)>) {
    frame_with(Level::chosen().unwrap(), input, bytes, sizes, from)
}

fn frame_with(
    level: Level,
    input: &Input,
    bytes: &[u8],
    sizes: &[usize],
    from: Position,
) -> (Vec<Framed>, Vec<(usize, Position)>) {
    let mut rest = &bytes[usize::try_from(from.offset).unwrap()..];
    let mut framer = Framer::with_level(input, from, level);
    let (mut framed, mut ends) = (Vec::new(), Vec::new());
    for &size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, behind) = rest.split_at(size.min(rest.len()));
        framer.push(Bytes::copy_from_slice(chunk));
        take(&mut framer, &mut framed, &mut ends);
        rest = behind;
    }
    framer.finish();
    take(&mut framer, &mut framed, &mut ends);
    assert!(framer.next_block().is_none());
    (framed, ends)
}

/// Frames `bytes` in every way, and gives the records.
#[track_caller]
fn records(input: &Input, bytes: &[u8]) -> Vec<Framed> {
    records_at(input, bytes, &[3, 1, 7])
}

#[track_caller]
fn records_at(input: &Input, bytes: &[u8], cuts: &[usize]) -> Vec<Framed> {
    let (whole, _) = frame(input, bytes, &[usize::MAX], Position::start());
    for level in Level::all() {
        let (same, _) = frame_with(level, input, bytes, &[usize::MAX], Position::start());
        assert_eq!(same, whole, "{}: {}", level.name(), bytes.escape_ascii());
    }
    for sizes in [&[1][..], &[2], &[5, 64], cuts] {
        let (cut, ends) = frame(input, bytes, sizes, Position::start());
        assert_eq!(cut, whole, "cut at {sizes:?}: {}", bytes.escape_ascii());
        for (done, end) in ends {
            // A position goes through a store.
            let stored = serde_json::to_string(&end).unwrap();
            assert_eq!(serde_json::from_str::<Position>(&stored).unwrap(), end);
            for sizes in [&[usize::MAX][..], &[1]] {
                let (rest, _) = frame(input, bytes, sizes, end.clone());
                assert_eq!(rest, whole[done..], "resumed at {end:?}: {}", bytes.escape_ascii());
            }
        }
    }
    check_places(bytes, &whole);
    whole
}

/// Records stand where they say, in order and apart.
fn check_places(bytes: &[u8], framed: &[Framed]) {
    let mut end = 0;
    for (index, record) in framed.iter().enumerate() {
        assert_eq!(record.index, index as u64);
        assert!(record.offset >= end);
        let start = usize::try_from(record.offset).unwrap();
        assert!(bytes[start..].starts_with(&record.bytes));
        assert_eq!(
            record.line,
            1 + bytes[..start].iter().filter(|&&byte| byte == b'\n').count() as u64
        );
        assert!(record.fault.is_some() || record.size == record.bytes.len() as u64);
        assert!(record.fault.is_none_or(|fault| fault.2 <= record.size));
        end = record.offset + record.size;
    }
    assert!(end <= bytes.len() as u64);
}
