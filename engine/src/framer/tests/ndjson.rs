use super::*;

fn small(record_bytes_max: u32) -> Input {
    Input { record_bytes_max, ..Input::new(Format::Ndjson) }
}

#[track_caller]
fn texts(bytes: &str) -> Vec<String> {
    let framed = records(&small(1000), bytes.as_bytes());
    framed.iter().map(|record| record.text().to_owned()).collect()
}

#[test]
fn a_line_is_a_record() {
    assert_eq!(texts("{\"a\":1}\n{}\r\n {} \n"), ["{\"a\":1}", "{}", " {} "]);
    assert_eq!(texts("{}\r\r\nx"), ["{}\r", "x"]);
    assert_eq!(texts("{}\r"), ["{}"]);
    assert_eq!(texts(""), [""; 0]);
}

#[test]
fn blank_lines_count_as_lines_only() {
    let framed = records(&small(1000), b"\n \t\r\n{}\n\n\r\n{}\n  ");
    let places: Vec<_> =
        framed.iter().map(|record| (record.index, record.line, record.offset)).collect();
    assert_eq!(places, [(0, 3, 5), (1, 6, 11)]);
}

#[test]
fn a_byte_order_mark_is_dropped_at_the_start_only() {
    let framed = records(&small(1000), b"\xef\xbb\xbf{}\n\xef\xbb\xbf{}\n");
    assert_eq!((framed[0].text(), framed[0].offset), ("{}", 3));
    assert_eq!((framed[1].text(), framed[1].offset), ("\u{feff}{}", 6));
    assert_eq!(texts("\u{feff}"), [""; 0]);
    for part in [&b"\xef"[..], b"\xef\xbb", b"\xef\xbb{}\n"] {
        assert_eq!(records(&small(1000), part)[0].bytes, part.trim_ascii_end());
    }
}

#[test]
fn an_oversized_line_costs_no_other() {
    let framed = records(&small(4), b"1234\n12345\n1234\r\n12345\r\n      \n123456");
    let seen: Vec<_> = framed.iter().map(|r| (r.text(), r.size, r.code())).collect();
    assert_eq!(
        seen,
        [
            ("1234", 4, None),
            ("1234", 5, Some("R1001")),
            ("1234", 4, None),
            ("1234", 6, Some("R1001")),
            ("1234", 6, Some("R1001")),
        ]
    );
}

#[test]
fn of_an_oversized_line_64_kib_are_kept() {
    let mut bytes = vec![b'x'; 300_000];
    bytes.extend_from_slice(b"\n{}\n");
    for chunk in [usize::MAX, 70_000] {
        let (framed, _) = frame(&small(100_000), &bytes, &[chunk], Position::start());
        assert_eq!((framed[0].bytes.len(), framed[0].size), (64 << 10, 300_000));
        assert_eq!(framed[1].text(), "{}");
    }
}

#[test]
fn blocks_of_a_large_chunk_are_bounded() {
    let bytes = b"{\"a\":1}\n".repeat(400_000);
    let mut framer = Framer::new(&small(1000));
    framer.push(bytes.into());
    framer.finish();
    let mut count = 0;
    while let Some(block) = framer.next_block() {
        assert!(block.bytes.len() <= 1 << 20 && block.records.len() <= 1 << 14);
        count += block.records.len();
    }
    assert_eq!(count, 400_000);
}

#[test]
fn records_of_a_chunk_are_not_copied() {
    let chunk = Bytes::from_static(b"}\n{}\n{}\n{");
    let mut framer = Framer::new(&small(1000));
    framer.push(Bytes::from_static(b"{"));
    assert!(framer.next_block().is_none());
    framer.push(chunk.clone());
    let cut = framer.next_block().unwrap();
    assert_eq!((cut.records.len(), &cut.bytes[..]), (1, &b"{}"[..]));
    let block = framer.next_block().unwrap();
    assert_eq!((block.records.len(), block.bytes.as_ptr()), (2, chunk[2..].as_ptr()));
    assert!(framer.next_block().is_none());
    assert_eq!(framer.position().offset, 9);
}

proptest! {
    #[test]
    fn records_depend_on_the_bytes_alone(
        bytes in prop::collection::vec(prop::sample::select(&b"{}a \r\n\n\xef\xbb\xbf"[..]), 0..80),
        cuts in prop::collection::vec(1_usize..20, 1..5),
        record_bytes_max in 1_u32..12,
    ) {
        let framed = records_at(&small(record_bytes_max), &bytes, &cuts);
        // By other means: split at line ends.
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let lines = text.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let lines: Vec<_> = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
        prop_assert_eq!(framed.len(), lines.len());
        for (record, line) in framed.iter().zip(lines) {
            let max = record_bytes_max as usize;
            prop_assert_eq!(record.fault.is_some(), line.len() > max);
            prop_assert_eq!(&record.bytes, &line[..line.len().min(max)]);
        }
    }
}
