use csv_core::{ReadFieldResult, ReaderBuilder, Terminator};

use super::*;
use crate::frame::csv::{split, text};

fn input(csv: Csv, record_bytes_max: u32) -> Input {
    Input { record_bytes_max, ..Input::new(Format::Csv(csv)) }
}

fn columns() -> Csv {
    Csv { columns: Some(vec!["a".to_owned(), "b".to_owned()]), ..Csv::default() }
}

#[track_caller]
fn rows(csv: Csv, bytes: &str) -> Vec<String> {
    let framed = records(&input(csv, 1000), bytes.as_bytes());
    assert!(framed.iter().all(|record| record.fault.is_none()), "{framed:?}");
    framed.iter().map(|record| record.text().to_owned()).collect()
}

#[test]
fn a_row_ends_at_an_unquoted_line_end() {
    assert_eq!(rows(columns(), "1,2\r\n3,\"4\n5\"\n6"), ["1,2", "3,\"4\n5\"", "6"]);
    assert_eq!(rows(columns(), "\"a\"\"\n\",b\nc"), ["\"a\"\"\n\",b", "c"]);
    assert_eq!(rows(columns(), "a\"b\nc\"\nd,\"e\"f\"\ng"), ["a\"b", "c\"", "d,\"e\"f\"", "g"]);
    assert_eq!(rows(columns(), "\n\r\na\n\n"), ["a"]);
    let semicolons = Csv { delimiter: b';', quote: b'\'', ..columns() };
    assert_eq!(rows(semicolons, "a,\"b\n1;'2\n3'\n"), ["a,\"b", "1;'2\n3'"]);
}

#[test]
fn comments_are_no_rows() {
    let csv = Csv { comment: Some(b'#'), ..Csv::default() };
    let framed = records(&input(csv, 1000), b"# \"x\na,b\n#\n1,#\n#\"\n\"#\"\n");
    assert_eq!(framed.iter().map(Framed::text).collect::<Vec<_>>(), ["1,#", "\"#\""]);
    assert_eq!(framed[1].line, 6);
    assert_eq!(framed[0].header.as_deref(), Some(&["a".to_owned(), "b".to_owned()][..]));
}

#[test]
fn the_first_row_names_the_columns() {
    let csv =
        Csv { trim: true, delimiter: b';', encoding: encoding_rs::WINDOWS_1252, ..Csv::default() };
    let framed = records(&input(csv, 1000), b"\xef\xbb\xbf\n Gr\xf6\xdfe ;\"b \"\"c\"\"\";\n1;2\n");
    let names = ["Größe", "b \"c\"", ""].map(str::to_owned);
    assert_eq!(framed[0].header.as_deref(), Some(&names[..]));
    assert_eq!((framed[0].text(), framed[0].index, framed[0].line), ("1;2", 0, 3));
    assert_eq!(records(&input(Csv::default(), 1000), b"a,b\n"), []);
}

#[test]
fn a_header_that_cannot_be_read_refuses_the_object() {
    let damaged = b"a,\xff\n1,2\n3,4\n";
    let framed = records(&input(Csv::default(), 1000), damaged);
    assert_eq!(framed.len(), 1);
    assert_eq!((framed[0].code(), framed[0].size), (Some("R1002"), damaged.len() as u64));
    assert_eq!(framed[0].bytes, damaged);

    let replaced = Input { utf8_replace: true, ..input(Csv::default(), 1000) };
    assert_eq!(records(&replaced, damaged)[0].header.as_ref().unwrap()[1], "\u{fffd}");

    let framed = records(&input(Csv::default(), 3), b"\na,bc\n1,2\n3,4\n");
    assert_eq!(framed.len(), 1);
    assert_eq!((framed[0].code(), framed[0].offset, framed[0].size), (Some("R1001"), 1, 13));
    assert_eq!(framed[0].text(), "a,b");
    assert_eq!(records(&input(Csv::default(), 99), b"a,\"b\n1")[0].code(), Some("R1002"));
}

#[test]
fn behind_an_unclosed_quote_rows_go_on_at_the_line_end_behind_the_limit() {
    let framed = records(&input(columns(), 8), b"1,\"2\n3\n4,5\n6\n7,8\n");
    let seen: Vec<_> = framed.iter().map(|r| (r.text(), r.size, r.code(), r.line)).collect();
    assert_eq!(
        seen,
        [("1,\"2\n3\n4", 10, Some("R1001"), 1), ("6", 1, None, 4), ("7,8", 3, None, 5)]
    );
    let framed = records(&input(columns(), 8), b"a\n1,\"2\n3");
    assert_eq!(framed[1].fault, Some(("R1002", "a quote is not closed", 2)));
    assert_eq!(framed[1].text(), "1,\"2\n3");
}

#[test]
fn a_row_of_the_limit_fits() {
    let seen = |bytes: &[u8]| {
        let framed = records(&input(columns(), 4), bytes);
        framed.iter().map(|r| (r.size, r.code())).collect::<Vec<_>>()
    };
    assert_eq!(seen(b"1234\n1"), [(4, None), (1, None)]);
    assert_eq!(seen(b"1234\r\n1"), [(4, None), (1, None)]);
    assert_eq!(seen(b"12345\n1"), [(5, Some("R1001")), (1, None)]);
    assert_eq!(seen(b"12345\r\n1"), [(6, Some("R1001")), (1, None)]);
    assert_eq!(seen(b"\"12\"\n1"), [(4, None), (1, None)]);
    assert_eq!(seen(b"\"12\"\r\n1"), [(4, None), (1, None)]);
    // Within quotes a line end at the limit is text still, and the next one is not.
    assert_eq!(seen(b"\"123\n4\n1"), [(6, Some("R1001")), (1, None)]);
    assert_eq!(seen(b"\"123\r\n1"), [(5, Some("R1001")), (1, None)]);
}

/// The cells of all rows, as csv-core reads them; a `\r` before a line end belongs to that.
fn by_csv_core(bytes: &[u8], csv: &Csv) -> Vec<Vec<Vec<u8>>> {
    let mut reader = ReaderBuilder::new()
        .delimiter(csv.delimiter)
        .quote(csv.quote)
        .comment(csv.comment)
        .terminator(Terminator::Any(b'\n'))
        .build();
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), Vec::new());
    let (mut at, mut buffer) = (0, vec![0; bytes.len() + 1]);
    loop {
        let (result, read, written) = reader.read_field(&bytes[at..], &mut buffer);
        at += read;
        cell.extend_from_slice(&buffer[..written]);
        match result {
            ReadFieldResult::InputEmpty => {}
            ReadFieldResult::OutputFull => panic!("the buffer is as large as the input"),
            ReadFieldResult::Field { record_end } => {
                row.push(std::mem::take(&mut cell));
                if record_end {
                    let last: &mut Vec<u8> = row.last_mut().unwrap();
                    let line = bytes[..at].strip_suffix(b"\n").unwrap_or(&bytes[..at]);
                    if line.ends_with(b"\r") {
                        last.pop();
                    }
                    rows.push(std::mem::take(&mut row));
                }
            }
            ReadFieldResult::End => return rows,
        }
    }
}

proptest! {
    #[test]
    fn rows_and_cells_are_those_of_csv_core(
        bytes in prop::collection::vec(prop::sample::select(&b"ab,;\"\"\"'\r\n\n #"[..]), 0..60),
        cuts in prop::collection::vec(1_usize..20, 1..5),
        other in any::<bool>(),
    ) {
        let csv = if other {
            Csv { delimiter: b';', quote: b'\'', comment: Some(b'#'), ..columns() }
        } else {
            columns()
        };
        let framed = records_at(&input(csv.clone(), 1000), &bytes, &cuts);
        let mut cells = Vec::new();
        let mut rows: Vec<Vec<Vec<u8>>> = Vec::new();
        for record in &framed {
            split(&record.bytes, &csv, &mut cells);
            rows.push(cells.iter().map(|&cell| text(&record.bytes, cell, &csv).into_owned()).collect());
            // The cells and the delimiters are the row.
            let spans = cells.iter().map(|cell| &record.bytes[cell.start as usize..cell.end as usize]);
            prop_assert_eq!(&spans.collect::<Vec<_>>().join(&csv.delimiter), &record.bytes);
        }
        // A row of nothing but a `\r` is blank here; csv-core has it. A row of nothing but `""` is one for both.
        let empty = |row: &Vec<Vec<u8>>| row.len() == 1 && row[0].is_empty();
        let mut expected = by_csv_core(&bytes, &csv);
        // Where a quote is not closed, csv-core guesses.
        if framed.last().is_some_and(|record| record.fault.is_some()) {
            prop_assert_eq!(rows.pop().map(|row| row.len()), expected.pop().map(|row| row.len()));
        }
        expected.retain(|row| !empty(row));
        rows.retain(|row| !empty(row));
        prop_assert_eq!(rows, expected);
    }

    #[test]
    fn rows_depend_on_the_bytes_alone(
        bytes in prop::collection::vec(prop::sample::select(&b"ab,\"\"\r\n\n#\xff"[..]), 0..80),
        cuts in prop::collection::vec(1_usize..20, 1..5),
        record_bytes_max in 1_u32..14,
        header in any::<bool>(),
    ) {
        let csv = Csv { comment: Some(b'#'), columns: (!header).then(Vec::new), ..Csv::default() };
        records_at(&input(csv, record_bytes_max), &bytes, &cuts);
    }

    #[test]
    fn a_header_is_a_row(names in prop::collection::vec("[a\"\u{e9},]{0,4}", 1..5)) {
        let quoted = names.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\"")));
        let bytes = format!("{}\n1\n", quoted.collect::<Vec<_>>().join(","));
        let framed = records(&input(Csv::default(), 1000), bytes.as_bytes());
        prop_assert_eq!(framed[0].header.as_ref(), Some(&names));
    }

    /// Rows that are found many at once are those that are found byte by byte.
    #[test]
    fn long_rows_depend_on_the_bytes_alone(
        pieces in prop::collection::vec(prop_oneof![
            3 => prop::sample::select(&["\n", "\r\n", ",", "\"", "\",\"", "\"\"", "#", "5\" ", ",\"\n\n\"\n"][..])
                .prop_map(str::to_owned),
            1 => (0_usize..100).prop_map(|count| "x".repeat(count)),
            1 => (0_usize..100).prop_map(|count| format!(",\"{}\"\n", "\n".repeat(count))),
        ], 0..16),
        record_bytes_max in prop_oneof![Just(1000_u32), 1_u32..150],
        comment: bool,
    ) {
        let csv = Csv { comment: comment.then_some(b'#'), ..columns() };
        records_at(&input(csv, record_bytes_max), pieces.concat().as_bytes(), &[100, 31]);
    }
}
