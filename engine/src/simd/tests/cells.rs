//! Rows and cells against code that looks at one byte at a time.

use std::ops::Range;

use proptest::prelude::*;

use crate::frame::csv::split;
use crate::input::Csv;
use crate::simd::Level;
use crate::simd::cells::{Cells, RowEnd, RowEnds, Signs, Table};

/// What one byte after the other says.
#[derive(Debug, Default)]
struct Scalar {
    /// The line ends of rows, and how many there are within quotes up to each.
    ends: Vec<RowEnd>,
    /// Quotes that open where none may, and are text.
    odd: Vec<usize>,
    /// The last row is not closed.
    open: bool,
}

fn scalar(bytes: &[u8], csv: &Csv) -> Scalar {
    let mut found = Scalar::default();
    let (mut quoted, mut closed, mut cell_starts, mut lines_inside) = (false, false, true, 0);
    for (at, &byte) in bytes.iter().enumerate() {
        if quoted {
            (quoted, closed) = (byte != csv.quote, byte == csv.quote);
            lines_inside += u32::from(byte == b'\n');
            continue;
        }
        if byte == csv.quote {
            quoted = cell_starts || closed;
            if !quoted {
                found.odd.push(at);
            }
        } else if byte == b'\n' {
            found.ends.push(RowEnd { end: u32::try_from(at).unwrap(), lines_inside });
        }
        closed = false;
        cell_starts = byte == csv.delimiter || byte == b'\n';
    }
    found.open = quoted;
    found
}

/// The places of the rows that end, without their line ends; empty ones are none.
fn rows(bytes: &[u8], scalar: &Scalar) -> Vec<Range<usize>> {
    let mut start = 0;
    let row = |found: &RowEnd| {
        let end = found.end as usize;
        let row = start..end - usize::from(bytes[start..end].ends_with(b"\r"));
        start = end + 1;
        row
    };
    let rows = scalar.ends.iter().map(row).collect::<Vec<_>>();
    rows.into_iter().filter(|row| !row.is_empty()).collect()
}

/// What the kernel for rows has to find.
fn usual_ends(bytes: &[u8], csv: &Csv, row_bytes_max: usize) -> Vec<RowEnd> {
    let Scalar { ends, odd, .. } = scalar(bytes, csv);
    let odd = odd.first().copied().unwrap_or(usize::MAX);
    let mut start = 0;
    let usual = |found: &&RowEnd| {
        let end = found.end as usize;
        let comment = csv.comment.is_some() && bytes.get(start) == csv.comment.as_ref();
        let fits = end - start <= row_bytes_max;
        start = end + 1;
        !comment && fits && end < odd
    };
    ends.iter().take_while(usual).copied().collect()
}

/// Finds the cells of all rows as a worker does; of each row, those that are known.
fn cells(
    level: Level,
    bytes: &[u8],
    rows: &[Range<usize>],
    csv: &Csv,
    columns: usize,
) -> Vec<Option<Vec<String>>> {
    let (signs, mut cells) = (Signs::new(csv).unwrap(), Cells::default());
    let bytes = &bytes[..rows.last().map_or(0, |row| row.end)];
    let mut table = Table::new(level, bytes, signs, &mut cells, usize::MAX);
    let mut row = |place: &Range<usize>| {
        let row = table.row(place.clone(), columns)?;
        Some((0..row.len()).map(|cell| row.cell(cell).to_owned()).collect())
    };
    rows.iter().map(&mut row).collect()
}

fn other() -> Csv {
    Csv { delimiter: b'\t', quote: b'\'', comment: Some(b'#'), ..Csv::default() }
}

/// Bytes that mean something to a reader of rows, in runs long enough to cross blocks.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(&b"a,\t\"'\n\r#\xc3\xa9\xff\0 "[..]).prop_map(|byte| vec![byte]),
        2 => (0_usize..130).prop_map(|count| vec![b'x'; count]),
        3 => prop::sample::select(&["\n", "\r\n", ",", "\t", "\"\"", "\",\"", "'\t'", "é,", "\u{10ffff}\n"][..])
            .prop_map(|text| text.as_bytes().to_vec()),
        2 => (0_usize..130).prop_map(|count| format!(",\"{}\n\"\"\",", "y".repeat(count)).into_bytes()),
        2 => (0_usize..130).prop_map(|count| format!("1,\"{},\",é\n", "y".repeat(count)).into_bytes()),
        1 => (0_usize..130).prop_map(|count| vec![b','; count]),
        1 => (0_usize..130).prop_map(|count| vec![b'\n'; count]),
        1 => (0_usize..130).prop_map(|count| vec![b'"'; count]),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

#[test]
fn signs_have_one_meaning() {
    let signs = |delimiter, quote| Signs::new(&Csv { delimiter, quote, ..Csv::default() });
    assert!(signs(b';', b'"').is_some());
    for (delimiter, quote) in
        [(b'"', b'"'), (b'\n', b'"'), (b'\r', b'"'), (b',', b'\n'), (0x80, b'"'), (b',', 0xc3)]
    {
        assert_eq!(signs(delimiter, quote), None);
    }
}

#[test]
fn rows_are_found_up_to_an_odd_quote() {
    let csv = Csv::default();
    for level in Level::all() {
        let mut rows = RowEnds::default();
        rows.find(
            level,
            b"a,\"b\n\"\"\"\r\n\"\"\n5\" pipe\nx\n",
            Signs::new(&csv).unwrap(),
            None,
            99,
        );
        let ends: Vec<_> = rows.ends().iter().map(|row| (row.end, row.lines_inside)).collect();
        assert_eq!(ends, [(9, 1), (12, 1)], "{}", level.name());
    }
}

#[test]
fn a_place_within_a_character_is_no_row() {
    let bytes = "é,x".as_bytes();
    let signs = Signs::new(&Csv::default()).unwrap();
    for level in Level::all() {
        let mut cells = Cells::default();
        let mut table = Table::new(level, bytes, signs, &mut cells, 99);
        assert_eq!(table.row(0..4, 2).map(|row| row.cell(0)), Some("é"));
        let mut table = Table::new(level, bytes, signs, &mut cells, 99);
        assert!(table.row(1..4, 2).is_none());
        // Behind what has been looked at, too.
        let mut table = Table::new(level, "é\né\n".as_bytes(), signs, &mut cells, 99);
        assert!(table.row(3..5, 2).is_some());
        assert!(table.row(0..2, 2).is_none());
    }
}

#[test]
fn memory_for_cells_has_a_limit() {
    let bytes = vec![b','; 1000];
    for level in Level::all() {
        let mut cells = Cells::default();
        let signs = Signs::new(&Csv::default()).unwrap();
        let mut table = Table::new(level, &bytes, signs, &mut cells, 100);
        assert!(table.row(0..1000, 1001).is_none());
        let mut table = Table::new(level, &bytes, signs, &mut cells, 1000);
        assert!(table.row(0..1000, 1001).is_some());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn rows_end_where_they_do(
        bytes in hostile(),
        other_signs: bool,
        row_bytes_max in prop_oneof![Just(usize::MAX), 0_usize..200],
    ) {
        let csv = if other_signs { other() } else { Csv::default() };
        let expected = usual_ends(&bytes, &csv, row_bytes_max);
        let mut rows = RowEnds::default();
        for level in Level::all() {
            rows.find(level, &bytes, Signs::new(&csv).unwrap(), csv.comment, row_bytes_max);
            prop_assert_eq!(rows.ends(), &expected[..], "{} {}", level.name(), bytes.escape_ascii());
        }
    }

    /// What is found are the cells of the row, and a row is only left out for a reason.
    #[test]
    fn cells_are_those_of_each_row(
        before in hostile(),
        inside in hostile(),
        other_signs: bool,
        columns in 1_usize..40,
    ) {
        let csv = if other_signs { other() } else { Csv::default() };
        // The stretch may stand anywhere in its block, which may end with it.
        let mut before = before;
        before.push(b'\n');
        let found = scalar(&inside, &csv);
        let places = rows(&inside, &found);
        let places: Vec<_> =
            places.iter().map(|row| row.start + before.len()..row.end + before.len()).collect();
        let mut bytes = [&before[..], &inside].concat();
        let last = places.last().map_or(bytes.len(), |row| row.end);
        for cut in [false, true] {
            if cut {
                bytes.truncate(last);
            }
            let expected = cells(Level::all().last().unwrap(), &bytes, &places, &csv, columns);
            for level in Level::all() {
                prop_assert_eq!(&cells(level, &bytes, &places, &csv, columns), &expected, "{}", level.name());
            }
            let mut row_cells = Vec::new();
            let mut after_damage = true;
            for (row, known) in places.iter().map(|row| &bytes[row.clone()]).zip(expected) {
                split(row, &csv, &mut row_cells);
                let is_text = std::str::from_utf8(row).is_ok();
                if let Some(known) = known {
                    let spans = row_cells.iter().map(|cell| &row[cell.start as usize..cell.end as usize]);
                    let known: Vec<_> = known.iter().map(|cell| cell.as_bytes()).collect();
                    prop_assert_eq!(spans.collect::<Vec<_>>(), known);
                    prop_assert!(is_text);
                } else {
                    let has_odd = !scalar(row, &csv).odd.is_empty();
                    prop_assert!(has_odd || !is_text || row_cells.len() > columns || after_damage);
                }
                after_damage = !is_text;
            }
        }
    }
}
