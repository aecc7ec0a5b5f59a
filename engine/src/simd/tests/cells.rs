//! Rows and cells against code that looks at one byte at a time.

use std::ops::Range;

use proptest::prelude::*;

use crate::frame::csv::split;
use crate::input::Csv;
use crate::rows::{ROWS_MAX, row_bit};
use crate::simd::Level;
use crate::simd::cells::{Cells, InColumn, Signs, Table};
use crate::simd::lines::LineEnds;

/// What one byte after the other says.
#[derive(Debug, Default)]
struct Scalar {
    /// The line ends of rows, and those within quotes.
    ends: Vec<u32>,
    inside: Vec<u32>,
    /// Quotes that open where none may, and are text.
    odd: Vec<usize>,
    /// The last row is not closed.
    open: bool,
}

fn scalar(bytes: &[u8], csv: &Csv) -> Scalar {
    let mut found = Scalar::default();
    let (mut quoted, mut closed, mut cell_starts) = (false, false, true);
    for (at, &byte) in bytes.iter().enumerate() {
        let offset = u32::try_from(at).unwrap();
        if quoted {
            (quoted, closed) = (byte != csv.quote, byte == csv.quote);
            if byte == b'\n' {
                found.inside.push(offset);
            }
            continue;
        }
        if byte == csv.quote {
            quoted = cell_starts || closed;
            if !quoted {
                found.odd.push(at);
            }
        } else if byte == b'\n' {
            found.ends.push(offset);
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
    let row = |end: &u32| {
        let end = *end as usize;
        let row = start..end - usize::from(bytes[start..end].ends_with(b"\r"));
        start = end + 1;
        row
    };
    let rows = scalar.ends.iter().map(row).collect::<Vec<_>>();
    rows.into_iter().filter(|row| !row.is_empty()).collect()
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
    let mut all = Vec::new();
    for together in rows.chunks(ROWS_MAX.min(1 + columns)) {
        all.extend(known_cells(&mut table, together, columns));
    }
    all
}

/// Of each of a few rows the cells, if they are known.
fn known_cells(
    table: &mut Table<'_, '_>,
    rows: &[Range<usize>],
    columns: usize,
) -> Vec<Option<Vec<String>>> {
    let found = table.rows(rows.iter().cloned(), columns);
    let known = found.known();
    let row = |row| (known & row_bit(row) != 0).then(Vec::new);
    let mut all: Vec<Option<Vec<String>>> = (0..rows.len()).map(row).collect();
    for column in 0..columns {
        let mut texts = [""; ROWS_MAX];
        let InColumn { there, quoted } = found.column(column, &mut texts);
        for row in 0..rows.len() {
            if there & row_bit(row) == 0 {
                assert_eq!(quoted & row_bit(row), 0);
                continue;
            }
            let cells = all[row].as_mut().unwrap();
            assert_eq!(cells.len(), column);
            cells.push(texts[row].to_owned());
        }
    }
    all
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
    let signs = Signs::new(&Csv::default()).unwrap();
    for level in Level::all() {
        let mut lines = LineEnds::default();
        lines.find_in_rows(level, b"a,\"\nb\"\"\"\r\n\"\"\n5\" pipe\nx\n", signs);
        let all = lines.offsets().iter().map(|end| (*end, lines.is_quoted(*end)));
        assert_eq!(
            all.collect::<Vec<_>>(),
            [(3, true), (9, false), (12, false)],
            "{}",
            level.name()
        );
    }
}

#[test]
fn a_place_within_a_character_is_no_row() {
    let signs = Signs::new(&Csv::default()).unwrap();
    for level in Level::all() {
        let mut cells = Cells::default();
        let mut known = |bytes: &str, place: Range<usize>| {
            let mut table = Table::new(level, bytes.as_bytes(), signs, &mut cells, 99);
            table.rows(std::iter::once(place), 2).known() != 0
        };
        assert!(known("é,x", 0..4));
        assert!(!known("é,x", 1..4));
        // Behind what has been looked at, too.
        let mut table = Table::new(level, "é\né\n".as_bytes(), signs, &mut cells, 99);
        assert_eq!(table.rows([3..5, 0..2].into_iter(), 2).known(), 1);
    }
}

#[test]
fn memory_for_cells_has_a_limit() {
    let bytes = vec![b','; 10_000];
    for level in Level::all() {
        let mut cells = Cells::default();
        let signs = Signs::new(&Csv::default()).unwrap();
        // It is kept to groups of bytes.
        for (cells_max, is_known) in [(100, 0), (10_000, 1)] {
            let mut table = Table::new(level, &bytes, signs, &mut cells, cells_max);
            assert_eq!(table.rows(std::iter::once(0..10_000), 10_001).known(), is_known);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Up to the first odd quote. More than a group of blocks is looked through, too.
    #[test]
    fn rows_end_where_they_do(
        bytes in hostile(),
        other_signs: bool,
        times in prop_oneof![9 => Just(1), 1 => 1_usize..20],
    ) {
        let csv = if other_signs { other() } else { Csv::default() };
        let bytes = bytes.repeat(times);
        let expected = scalar(&bytes, &csv);
        let odd = expected.odd.first().copied().unwrap_or(usize::MAX);
        let before = |ends: &[u32]| -> Vec<u32> {
            ends.iter().copied().take_while(|end| (*end as usize) < odd).collect()
        };
        let mut lines = LineEnds::default();
        for level in Level::all() {
            lines.find_in_rows(level, &bytes, Signs::new(&csv).unwrap());
            let (quoted, ends): (Vec<u32>, Vec<u32>) =
                lines.offsets().iter().partition(|end| lines.is_quoted(**end));
            prop_assert_eq!(ends, before(&expected.ends), "{}", level.name());
            prop_assert_eq!(quoted, before(&expected.inside), "{}", level.name());
        }
    }

    #[test]
    fn lines_end_where_they_do(bytes in hostile(), times in prop_oneof![9 => Just(1), 1 => 1_usize..20]) {
        let bytes = bytes.repeat(times);
        let ends: Vec<_> = (0_u32..).zip(&bytes).filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
        let mut lines = LineEnds::default();
        for level in Level::all() {
            lines.find(level, &bytes);
            prop_assert_eq!(lines.offsets(), &ends[..], "{}", level.name());
            prop_assert!(!ends.iter().any(|end| lines.is_quoted(*end)));
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
