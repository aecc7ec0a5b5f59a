//! Any bytes, in any format, in any chunking and with any instructions, give the same records as whole, also behind
//! every block.
//!
//! The first bytes choose the input and the cuts; the object is what follows.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use weir_engine::block::FrameFault;
use weir_engine::framer::{Framer, Position};
use weir_engine::input::{Csv, Format, Input, Records, RecordsStep};
use weir_engine::simd::Level;

/// A record free of its block: bytes, offset, size, index, line, fault, header, wrapper.
type Framed = (Vec<u8>, [u64; 4], Option<FrameFault>, Option<Vec<String>>, Vec<Option<Bytes>>);

fuzz_target!(|data: &[u8]| {
    let [choice, cut, limit, bytes @ ..] = data else { return };
    let input = input(*choice, *limit);
    let chosen = Level::chosen().expect("no instructions are asked for that are not there");
    let (whole, _) = frame(chosen, &input, bytes, usize::MAX, Position::start());
    for level in Level::all() {
        let (framed, _) = frame(level, &input, bytes, usize::MAX, Position::start());
        assert_eq!(framed, whole, "with {}", level.name());
    }
    for size in [1, 1 + usize::from(*cut)] {
        let (framed, ends) = frame(chosen, &input, bytes, size, Position::start());
        assert_eq!(framed, whole, "in chunks of {size}");
        // One end is enough: the fuzzer comes back.
        if let Some((done, end)) = ends.get(usize::from(*cut) % ends.len().max(1)) {
            let (rest, _) = frame(chosen, &input, bytes, usize::MAX, end.clone());
            assert_eq!(rest, whole[*done..], "resumed at {end:?}");
        }
    }
});

fn input(choice: u8, limit: u8) -> Input {
    let csv = |csv| Format::Csv(csv);
    let json = |path: &[RecordsStep], ways: &[&[&str]]| {
        let way = |way: &&[&str]| way.iter().map(|&name| name.to_owned()).collect();
        let wrapper = ways.iter().map(way).collect();
        Format::Json(Records {
            path: path.to_vec(),
            wrapper,
            documents_are_records: choice & 0x80 != 0,
        })
    };
    let member = |name: &str| RecordsStep::Member(name.to_owned());
    let elements = RecordsStep::Elements;
    let format = match choice % 7 {
        0 => Format::Ndjson,
        1 => csv(Csv { comment: Some(b'#'), ..Csv::default() }),
        2 => csv(Csv {
            columns: Some(vec!["a".to_owned()]),
            delimiter: b';',
            quote: b'\'',
            ..Csv::default()
        }),
        3 => json(&[], &[]),
        4 => json(&[member("a"), elements], &[&["b"], &["c", "b"]]),
        5 => json(&[member("a"), elements.clone(), member("b"), elements], &[&["c"]]),
        _ => json(&[elements.clone(), elements], &[]),
    };
    Input {
        record_bytes_max: 1 + u32::from(limit),
        depth_max: 1 + u32::from(limit % 16),
        utf8_replace: choice & 0x40 != 0,
        ..Input::new(format)
    }
}

/// The records from a position on, and how many were there at the end of every block.
fn frame(
    level: Level,
    input: &Input,
    bytes: &[u8],
    size: usize,
    from: Position,
) -> (Vec<Framed>, Vec<(usize, Position)>) {
    let rest = &bytes[from.offset as usize..];
    let mut framer = Framer::with_level(input, from, level);
    let (mut framed, mut ends) = (Vec::new(), Vec::new());
    for chunk in rest.chunks(size) {
        framer.push(Bytes::copy_from_slice(chunk));
        take(&mut framer, &mut framed, &mut ends);
    }
    framer.finish();
    take(&mut framer, &mut framed, &mut ends);
    (framed, ends)
}

fn take(framer: &mut Framer, framed: &mut Vec<Framed>, ends: &mut Vec<(usize, Position)>) {
    while let Some(block) = framer.next_block() {
        framed.extend(block.records.iter().map(|record| {
            let places = [record.offset, record.size, record.index, record.line];
            let header = block.header.as_deref().cloned();
            (record.bytes(&block).to_vec(), places, record.fault, header, block.wrapper.to_vec())
        }));
        ends.push((framed.len(), block.end));
    }
}
