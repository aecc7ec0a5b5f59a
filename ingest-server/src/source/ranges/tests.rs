use std::fs;
use std::io::Write;

use flate2::{Compression as Level, write::GzEncoder};

use super::super::decompress::{Decoding, Limits};
use super::*;
use crate::source::{Boundary, Input, SourceError, SourceOptions, Sources};

fn chunks(bytes: &[u8], size: usize) -> VecDeque<Bytes> {
    bytes.chunks(size).map(Bytes::copy_from_slice).collect()
}

fn gzip(data: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::new(level));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A frame in one of the ways in which frames can be written.
fn zstd(data: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), random.i32(-3..5)).unwrap();
    encoder.include_checksum(random.bool()).unwrap();
    encoder.include_contentsize(random.bool()).unwrap();
    if random.bool() {
        encoder.set_pledged_src_size(Some(data.len() as u64)).unwrap();
    }
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn skippable(data: &[u8]) -> Vec<u8> {
    [&[0x5f, 0x2a, 0x4d, 0x18][..], &(data.len() as u32).to_le_bytes(), data].concat()
}

/// Text that compresses as logs do, bytes that do not, or one byte again and again.
fn content(bytes: usize, random: &mut fastrand::Rng) -> Vec<u8> {
    match random.u8(..6) {
        0 => (0..bytes).map(|_| random.u8(..)).collect(),
        1 => vec![b'x'; bytes],
        _ => {
            let mut text = Vec::with_capacity(bytes + 40);
            while text.len() < bytes {
                writeln!(text, r#"{{"user":{},"tokens":{}}}"#, random.u16(..), random.u64(..))
                    .unwrap();
            }
            text.truncate(bytes);
            text
        }
    }
}

#[test]
fn headers_are_found_from_a_place_on() {
    let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let bytes = [&[7; 100][..], &header, &[7; 50], &header].concat();
    assert_eq!(find_gzip_header(&chunks(&bytes, 64), 0), Some(100));
    assert_eq!(find_gzip_header(&chunks(&bytes, 64), 100), Some(100));
    assert_eq!(find_gzip_header(&chunks(&bytes, 64), 101), Some(160));
    assert_eq!(find_gzip_header(&chunks(&bytes, 64), 161), None);
    // One that is cut is not seen, the next one is.
    assert_eq!(find_gzip_header(&chunks(&bytes, 105), 0), Some(160));
    for (place, byte) in [(2, 7), (3, 0x20), (8, 1), (9, 14)] {
        let mut other = header;
        other[place] = byte;
        assert_eq!(find_gzip_header(&chunks(&other, 64), 0), None, "{place}");
    }
}

#[test]
fn frames_end_where_their_headers_say() {
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..300 {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for _ in 0..random.usize(1..6) {
            let size = [0, 1, 200, 300, 70_000, 400_000][random.usize(..6)];
            let size = random.usize(0..=size);
            bytes.extend(match random.u8(..4) {
                0 => skippable(&vec![1; size]),
                _ => zstd(&content(size, &mut random), &mut random),
            });
            ends.push(bytes.len());
        }
        let pieces = chunks(&bytes, random.usize(1..100_000));
        let last = ends.pop();
        for min in [1, random.usize(1..=bytes.len())] {
            let wanted = ends.iter().copied().find(|end| *end >= min);
            assert_eq!(find_frame_end(&pieces, min, u64::MAX), wanted, "{ends:?} {last:?}");
        }
    }
}

#[test]
fn frames_that_need_large_windows_are_left() {
    let data = content(3 << 20, &mut fastrand::Rng::with_seed(3));
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(22).unwrap();
    encoder.write_all(&data).unwrap();
    let frame = encoder.finish().unwrap();
    let pieces = chunks(&[&frame[..], &frame].concat(), 100_000);
    assert_eq!(find_frame_end(&pieces, 1, 4 << 20), Some(frame.len()));
    assert_eq!(find_frame_end(&pieces, 1, (4 << 20) - 1), None);
}

/// What reading a file came to.
#[derive(Default)]
struct Read {
    data: Vec<u8>,
    /// The error, by its kind and the decompressed offset in it.
    error: Option<(std::mem::Discriminant<SourceError>, Option<u64>)>,
    /// The stored offset in the error.
    error_at: Option<u64>,
    garbage: Option<u64>,
    boundaries: Vec<Boundary>,
}

fn read(path: &str, decoders: usize) -> Read {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    runtime.block_on(async {
        let sources = Sources::new(SourceOptions { decoders, ..SourceOptions::default() });
        let input = Input::parse(path).unwrap();
        let object = sources.objects(&input).next().await.unwrap().unwrap();
        let mut reader = sources.open(&object, None).await.unwrap();
        let mut read = Read::default();
        let error = loop {
            match reader.next().await {
                Ok(Some(chunk)) => read.data.extend_from_slice(&chunk),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
            let boundary = reader.boundary(reader.offset());
            read.boundaries.extend(boundary.filter(|b| read.boundaries.last() != Some(b)));
        };
        read.error_at = error.as_ref().and_then(SourceError::offset);
        read.error = error.map(|error| {
            let decompressed = match error {
                SourceError::Corrupt { decompressed_offset, .. } => Some(decompressed_offset),
                _ => None,
            };
            (std::mem::discriminant(&error), decompressed)
        });
        read.garbage = reader.garbage_offset();
        read
    })
}

/// Checks that many decoders read what one reads, and gives that.
#[track_caller]
fn check(stored: &[u8], what: &str) -> Read {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("object");
    fs::write(&path, stored).unwrap();
    let path = path.to_str().unwrap();
    let one = read(path, 1);
    let many = read(path, 4);
    // How much comes out before an error depends a little on where the buffers end.
    let common = one.data.len().min(many.data.len());
    assert!(one.data[..common] == many.data[..common], "{what}: other bytes");
    for read in [&one, &many] {
        if let Some((_, Some(decompressed))) = read.error {
            assert_eq!(decompressed, read.data.len() as u64, "{what}");
        }
    }
    assert_eq!(many.error.map(|e| e.0), one.error.map(|e| e.0), "{what}");
    assert!(one.error.is_some() || one.data.len() == many.data.len(), "{what}");
    assert_eq!(many.garbage, one.garbage, "{what}");
    let ascending = |b: &[Boundary]| b.is_sorted_by_key(|b| (b.decompressed, b.compressed));
    assert!(ascending(&many.boundaries), "{what}: {:?}", many.boundaries);
    many
}

/// An object of many members, and where they begin, stored and decoded.
fn members(is_gzip: bool, random: &mut fastrand::Rng) -> (Vec<u8>, Vec<u8>, Vec<Boundary>) {
    let (mut stored, mut data, mut starts) = (Vec::new(), Vec::new(), Vec::new());
    let size_max = [2_000, 200_000, 1_500_000][random.usize(..3)];
    while data.len() < 6 << 20 {
        starts.push(Boundary { compressed: stored.len() as u64, decompressed: data.len() as u64 });
        let part = content(random.usize(..size_max), random);
        stored.extend(match is_gzip {
            true => gzip(&part, random.u32(0..7)),
            false => zstd(&part, random),
        });
        data.extend(part);
    }
    (stored, data, starts)
}

#[test]
fn many_decoders_read_what_one_reads() {
    let mut random = fastrand::Rng::with_seed(5);
    for round in 0..12 {
        let is_gzip = round % 2 == 0;
        let (stored, data, starts) = members(is_gzip, &mut random);
        let read = check(&stored, &format!("round {round}"));
        assert!(read.data == data && read.error.is_none(), "round {round}");
        assert!(read.boundaries.iter().all(|boundary| starts.contains(boundary)), "round {round}");
    }
}

#[test]
fn what_is_damaged_is_damaged_for_many_decoders_too() {
    let mut random = fastrand::Rng::with_seed(6);
    for round in 0..24 {
        let is_gzip = round % 2 == 0;
        let (mut stored, data, starts) = members(is_gzip, &mut random);
        let at = random.usize(stored.len() / 4..stored.len());
        match round / 2 % 4 {
            0 => stored[at] ^= 1 << random.u8(..8),
            1 => stored.truncate(at),
            2 => stored.extend(b"garbage"),
            _ => drop(stored.splice(at..at, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])),
        }
        let read = check(&stored, &format!("round {round}"));
        // All members before the damage come out. What comes of the damaged one may be anything, until its
        // checksum tells.
        let whole = starts.iter().rev().find(|start| start.compressed <= at as u64).unwrap();
        let whole = whole.decompressed as usize;
        assert!(read.data.len() >= whole && read.data[..whole] == data[..whole], "round {round}");
    }
}

/// What looks like a header inside a member costs time, and nothing else.
#[test]
fn headers_that_are_none_change_nothing() {
    let mut random = fastrand::Rng::with_seed(7);
    let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let (mut stored, mut data) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let mut part = content(random.usize(100_000..400_000), &mut random);
        for _ in 0..20 {
            let place = random.usize(..part.len() - 10);
            part[place..place + 10].copy_from_slice(&header);
        }
        // Bytes that do not compress are stored as they are.
        stored.extend(gzip(&part, random.u32(0..2)));
        data.extend(part);
    }
    let read = check(&stored, "headers everywhere");
    assert!(read.data == data && read.error.is_none());
    // A whole member inside a member.
    let inner = gzip(&content(300_000, &mut random), 6);
    let outer = [&content(200_000, &mut random)[..], &inner, &inner].concat();
    let stored = [gzip(&outer, 0), gzip(b"the end", 6)].concat();
    let read = check(&stored, "a member in a member");
    assert!(read.data == [&outer[..], b"the end"].concat() && read.error.is_none());
}

/// Ranges are really used, not only given up.
#[test]
fn ranges_end_well() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    runtime.block_on(ranges_are_used());
}

async fn ranges_are_used() {
    let mut random = fastrand::Rng::with_seed(8);
    for codec in [Codec::Gzip, Codec::Zstd { window_log_max: 25 }] {
        let (stored, data, _) = loop {
            let made = members(codec == Codec::Gzip, &mut random);
            if made.2.len() > 20 {
                break made;
            }
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("object");
        fs::write(&path, &stored).unwrap();
        let file = fs::File::open(&path).unwrap();
        let buffers = Buffers::default();
        let raw =
            super::super::raw::read_file(String::new(), file, 0, None, buffers.clone()).unwrap();
        let mut raw = RawReader::new(raw, 0);
        let mut ranges = Ranges::new(codec, 3, buffers);
        let mut got = Vec::new();
        ranges.fill(&mut raw).await;
        while !ranges.are_none() {
            while let Some(part) = ranges.next_part().await {
                got.extend_from_slice(&part.chunk);
            }
            assert!(ranges.has_ended_well().await);
            ranges.fill(&mut raw).await;
        }
        assert!(data.starts_with(&got) && got.len() > data.len() / 4, "{codec:?}: {}", got.len());
        assert_eq!(ranges.bytes(), 0);
    }
}

/// What was read before the source failed is handed out before that is told: between two members, and in
/// the middle of one, by itself and of many.
#[test]
fn a_source_that_fails_fails_behind_what_it_gave() {
    let mut random = fastrand::Rng::with_seed(9);
    let (stored, data, starts) = loop {
        let made = members(true, &mut random);
        if made.2.len() > 20 {
            break made;
        }
    };
    let cut = starts[starts.len() - 2];
    let whole = data[..cut.decompressed as usize].to_vec();
    let (got, offset) = read_until_failure(&stored[..cut.compressed as usize], 4);
    assert!(got == whole && offset == cut.compressed, "{} bytes", got.len());
    let inside = (cut.compressed + starts[starts.len() - 1].compressed) / 2;
    for decoders in [1, 4] {
        let (got, offset) = read_until_failure(&stored[..inside as usize], decoders);
        assert!(got.len() > whole.len() && data.starts_with(&got), "{} bytes", got.len());
        assert_eq!(offset, inside);
    }
}

/// Reads gzip from a source that fails after it has given `stored`; gives what came out, and the offset
/// in the error.
fn read_until_failure(stored: &[u8], decoders: usize) -> (Vec<u8>, u64) {
    let failed_at = stored.len() as u64;
    let options = SourceOptions::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    runtime.block_on(async {
        let (chunks_in, chunks) = mpsc::channel(1000);
        for chunk in stored.chunks(100_000) {
            chunks_in.try_send(Ok(Bytes::copy_from_slice(chunk))).unwrap();
        }
        let object = "object".to_owned();
        let source = std::io::Error::other("the disk is gone");
        let error = SourceError::Io { object: object.clone(), offset: failed_at, source };
        chunks_in.try_send(Err(error)).unwrap();
        drop(chunks_in);
        let raw = RawReader::new(super::super::raw::Raw::Thread(chunks), 0);
        let buffers = Buffers::default();
        let ranges = Ranges::new(Codec::Gzip, decoders, buffers.clone());
        let limits = Limits::new(Boundary::default(), &options);
        let output = (0, buffers.buffer());
        let mut decoding = Decoding::start(object, raw, Codec::Gzip, ranges, limits, output);
        let mut got = Vec::new();
        loop {
            match decoding.next().await.unwrap() {
                Ok((chunk, _)) => got.extend_from_slice(&chunk),
                Err(SourceError::Io { offset, .. }) => break (got, offset),
                Err(error) => panic!("{error}"),
            }
        }
    })
}

/// The place of damage is told to a few KiB, and nearly all before it comes out, though the decoder
/// itself does not say how far it came.
#[test]
fn the_place_of_damage_inside_a_member_is_told() {
    let mut random = fastrand::Rng::with_seed(10);
    let mut data = Vec::new();
    while data.len() < 4 << 20 {
        writeln!(data, r#"{{"user":{},"tokens":{}}}"#, random.u16(..), random.u64(..)).unwrap();
    }
    let first = &data[..data.len() / 2];
    let mut encoder = GzEncoder::new(Vec::new(), Level::new(6));
    encoder.write_all(first).unwrap();
    encoder.flush().unwrap();
    // A flush ends at a byte, and no block begins with a one for each bit.
    let gzip_at = encoder.get_ref().len();
    let gzip = [&encoder.get_ref()[..], &[0xff; 50_000]].concat();
    let mut zstd = zstd::bulk::compress(&data, 3).unwrap();
    let zstd_at = zstd::bulk::compress(first, 3).unwrap().len();
    zstd[zstd_at..zstd_at + 2000].fill(0xff);
    // What is lost: a piece that was given to the decoder, or a block of zstd.
    for (name, stored, at) in [("gzip", gzip, gzip_at), ("zstd", zstd, zstd_at)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("object");
        fs::write(&path, &stored).unwrap();
        let read = read(path.to_str().unwrap(), 1);
        let (_, decompressed) = read.error.unwrap();
        assert_eq!(decompressed, Some(read.data.len() as u64), "{name}");
        let compressed = read.error_at.unwrap();
        let at = at as u64;
        assert!(
            (at - (16 << 10)..=at + (128 << 10)).contains(&compressed),
            "{name}: {compressed} for {at}"
        );
        assert!(read.data.len() > first.len() - (256 << 10), "{name}: {}", read.data.len());
        let sure = read.data.len().min(first.len() - (256 << 10));
        assert!(read.data[..sure] == data[..sure], "{name}");
    }
}
