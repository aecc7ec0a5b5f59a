//! Whole blocks against one byte at a time, with all instructions that the machine has.

use proptest::prelude::*;

use super::*;

/// Bytes that mean something to a JSON reader, in runs and strings long enough to cross blocks.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(&b"{}[]{}[]\"\"\\ \n,:a\x00\xff"[..]).prop_map(|byte| vec![byte]),
        2 => Just(b"{\"key\":\"v}\\\"\",\"n\":[1,{\"x\":{}}]}".to_vec()),
        1 => (0_usize..70).prop_map(|count| vec![b'\\'; count]),
        1 => (0_usize..140).prop_map(|count| vec![b'['; count]),
        1 => (0_usize..140).prop_map(|count| vec![b'}'; count]),
        1 => (0_usize..40).prop_map(|count| b"{}[ ]".repeat(count)),
        1 => (0_usize..40).prop_map(|count| b"}{ ] [".repeat(count)),
        2 => (0_usize..140).prop_map(|count| [b"\"", &vec![b'x'; count][..], b"\":"].concat()),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn within() -> impl Strategy<Value = Within> {
    let depth = prop_oneof![1_u64..4, 1_u64..200];
    (depth, 0..3).prop_map(|(depth, text)| Within { depth, in_string: text > 0, escape: text > 1 })
}

/// Where the record ends, the line ends up to there, and how it stands if it does not end.
type Found = (Option<usize>, u64, Option<Within>);

fn one_by_one(bytes: &[u8], mut within: Within) -> Found {
    let end = find_closed_carefully(bytes, &mut within);
    (end, count_lines(&bytes[..end.unwrap_or(bytes.len())]), end.is_none().then_some(within))
}

/// In two pieces.
fn in_blocks(level: Level, bytes: &[u8], cut: usize, within: Within) -> Found {
    let (mut extent, mut lines) = (Extent::Brackets(within), 0);
    let end = match extent.find_end(level, &bytes[..cut], &mut lines) {
        None => extent.find_end(level, &bytes[cut..], &mut lines).map(|length| cut + length),
        end => end,
    };
    match extent {
        Extent::Brackets(within) if end.is_none() => (end, lines, Some(within)),
        _ => (end, lines, None),
    }
}

/// Brackets counted without a thought of speed, cuts or state.
fn naive(bytes: &[u8], within: Within) -> Option<usize> {
    let Within { mut depth, mut in_string, mut escape } = within;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escape => escape = false,
            b'\\' => escape = in_string,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

#[test]
fn a_record_of_any_size_ends_at_its_bracket() {
    for inner in 0..300 {
        for fill in [&b"x"[..], b"{}", b"[\"]\"]", b"\\\"", b"\"\\\\\"", b"\n"] {
            let fill: Vec<u8> = fill.iter().copied().cycle().take(inner).collect();
            let bytes = [b"[\"", &fill[..], b"\"]}", &fill, b"\"}}"].concat();
            let start = Within { depth: 1, in_string: false, escape: false };
            let expected = one_by_one(&bytes, start);
            assert_eq!(expected.0, naive(&bytes, start));
            for level in Level::all() {
                for cut in [0, 1, 63, 64, 65, bytes.len()].map(|cut| cut.min(bytes.len())) {
                    assert_eq!(in_blocks(level, &bytes, cut, start), expected, "{}", level.name());
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn blocks_and_bytes_end_alike(
        bytes in hostile(),
        cut in any::<prop::sample::Index>(),
        start in within(),
    ) {
        let expected = one_by_one(&bytes, start);
        prop_assert_eq!(expected.0, naive(&bytes, start));
        for level in Level::all() {
            let cut = cut.index(bytes.len() + 1);
            let found = in_blocks(level, &bytes, cut, start);
            prop_assert_eq!(found, expected, "{} {}", level.name(), bytes.escape_ascii());
        }
    }

    /// What the blocks alone say holds, and they leave nothing but the last bytes and what holds a backslash.
    #[test]
    fn blocks_pass_what_they_can(bytes in hostile(), start in within()) {
        for level in Level::all() {
            let mut within = start;
            let passed = pass(level, &bytes, &mut within);
            let (done, rest) = bytes.split_at(passed.bytes);
            let (end, lines, behind) = one_by_one(done, start);
            prop_assert_eq!((end.is_some(), lines), (passed.closed, passed.lines));
            if passed.closed {
                prop_assert_eq!(end, Some(passed.bytes));
            } else {
                prop_assert_eq!(behind, Some(within));
                prop_assert!(rest.len() < BLOCK || rest[..BLOCK].contains(&b'\\'));
            }
        }
    }

    /// In every machine word of brackets, and from any depth.
    #[test]
    fn brackets_alone_end_alike(
        bytes in prop::collection::vec(prop::sample::select(&b"{}[] "[..]), 0..200),
        depth in 1_u64..12,
    ) {
        let start = Within { depth, in_string: false, escape: false };
        let expected = one_by_one(&bytes, start);
        for level in Level::all() {
            prop_assert_eq!(in_blocks(level, &bytes, 0, start), expected, "{}", level.name());
        }
    }
}
