//! Sources: files, pipes and a real S3 store, whole and from the middle, through faults of every
//! kind, with data that lies, is damaged or wants to fill the machine.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use flate2::{Compression as Level, write::GzEncoder};
use tempfile::TempDir;
use weir_server::source::{
    Boundary, Compression, Format, Input, Object, Reader, Resume, S3Options, SourceError,
    SourceOptions, Sources,
};
use weir_system_tests::fault_proxy::{Fault, FaultProxy, Request};
use weir_system_tests::seaweed::{self, Seaweed};

// ---------------------------------------------------------------------------------------- helpers

/// Log lines that compress like log lines; the same for the same seed.
fn log_lines(bytes: usize, seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut text = Vec::with_capacity(bytes + 200);
    let mut number = 0;
    while text.len() < bytes {
        number += 1;
        let (user, tokens) = (random.u32(..5000), random.u32(..9000));
        let id = random.u128(..);
        let line = format!(
            r#"{{"id":"{id:032x}","number":{number},"user":"user{user}@example.com","model":"gpt","tokens":{tokens}}}"#
        );
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
    }
    text.truncate(bytes);
    text
}

fn gzip(data: &[u8]) -> Vec<u8> {
    gzip_at(Level::fast(), data)
}

fn gzip_at(level: Level, data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A zstd frame with a checksum, as zstd(1) writes it.
fn zstd_frame(data: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn skippable_frame(data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap();
    [&0x184D_2A53_u32.to_le_bytes()[..], &length.to_le_bytes(), data].concat()
}

/// A folder with one file in it.
struct Local {
    folder: TempDir,
    path: PathBuf,
}

impl Local {
    fn new(name: &str, content: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        Self { folder, path }
    }

    fn argument(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

async fn objects(sources: &Sources, argument: &str) -> Result<Vec<Object>, SourceError> {
    let mut objects = sources.objects(&Input::parse(argument)?);
    let mut found = Vec::new();
    while let Some(object) = objects.next().await? {
        found.push(object);
    }
    Ok(found)
}

async fn only_object(sources: &Sources, argument: &str) -> Object {
    let found = objects(sources, argument).await.unwrap();
    assert_eq!(found.len(), 1, "{argument}");
    found.into_iter().next().unwrap()
}

/// What a reader gives, and the error that ends it.
async fn drain(reader: &mut Reader) -> (Vec<u8>, Option<SourceError>) {
    let mut data = Vec::new();
    loop {
        match reader.next().await {
            Ok(Some(chunk)) => {
                assert!(!chunk.is_empty() && chunk.len() <= 256 * 1024, "{}", chunk.len());
                data.extend_from_slice(&chunk);
            }
            Ok(None) => return (data, None),
            Err(error) => return (data, Some(error)),
        }
    }
}

async fn read(sources: &Sources, object: &Object) -> (Vec<u8>, Option<SourceError>) {
    match sources.open(object, None).await {
        Ok(mut reader) => drain(&mut reader).await,
        Err(error) => (Vec::new(), Some(error)),
    }
}

/// What a file with this content reads as.
async fn read_bytes(content: &[u8], options: SourceOptions) -> (Vec<u8>, Option<SourceError>) {
    let local = Local::new("object", content);
    let sources = Sources::new(options);
    let object = only_object(&sources, local.argument()).await;
    read(&sources, &object).await
}

#[track_caller]
fn assert_same(got: &[u8], wanted: &[u8], what: &str) {
    let same = got.iter().zip(wanted).take_while(|(a, b)| a == b).count();
    assert!(
        got == wanted,
        "{what}: {} bytes instead of {}, the same up to {same}",
        got.len(),
        wanted.len()
    );
}

/// Ways to store the same bytes.
fn encodings(data: &[u8]) -> Vec<(&'static str, Format, Vec<u8>)> {
    let pieces: Vec<&[u8]> = data.chunks(1_200_000).collect();
    let members = pieces.iter().flat_map(|piece| gzip(piece)).collect();
    let frames = pieces.iter().flat_map(|piece| zstd_frame(piece)).collect();
    let framed = pieces.iter().flat_map(|p| [skippable_frame(b"index"), zstd_frame(p)].concat());
    vec![
        ("plain", Format::Plain, data.to_vec()),
        ("gzip", Format::Gzip, gzip(data)),
        ("gzip members", Format::Gzip, members),
        ("zstd", Format::Zstd, zstd_frame(data)),
        ("zstd frames", Format::Zstd, frames),
        ("zstd skippable frames", Format::Zstd, framed.collect()),
    ]
}

// ------------------------------------------------------------------------------------ local files

#[tokio::test]
async fn every_encoding_reads_as_the_same_bytes() {
    let data = log_lines(5_000_000, 1);
    for (name, format, stored) in encodings(&data) {
        // Names lie: a plain file is called .gz, a compressed one .ndjson.
        for file_name in ["log.gz", "log.ndjson", "log.zst", "log"] {
            let local = Local::new(file_name, &stored);
            let sources = Sources::default();
            let object = only_object(&sources, local.argument()).await;
            assert_eq!(object.key, local.argument());
            assert_eq!(object.size, Some(stored.len() as u64));
            let mut reader = sources.open(&object, None).await.unwrap();
            assert_eq!(reader.format(), format, "{name} as {file_name}");
            let (got, error) = drain(&mut reader).await;
            assert!(error.is_none(), "{name}: {error:?}");
            assert_same(&got, &data, name);
            assert_eq!(reader.bytes_read(), stored.len() as u64, "{name}");
            assert_eq!(reader.offset(), data.len() as u64, "{name}");
            assert_eq!(reader.garbage_offset(), None, "{name}");
        }
    }
}

#[tokio::test]
async fn reading_resumes_at_any_offset() {
    let data = log_lines(5_000_000, 2);
    let end = data.len() as u64;
    for (name, _, stored) in encodings(&data) {
        let local = Local::new("log", &stored);
        let sources = Sources::default();
        let object = only_object(&sources, local.argument()).await;
        let mut saw_boundary = false;
        for offset in [1, 2, 65_536, 1_199_999, 1_200_000, 1_200_001, 3_700_000, end - 1, end] {
            // What a first reader that got that far would have stored.
            let mut first = sources.open(&object, None).await.unwrap();
            while first.offset() < offset && first.next().await.unwrap().is_some() {}
            let member = first.boundary(offset);
            saw_boundary |= member.is_some();
            let too_far = Boundary { compressed: 3, decompressed: offset + 1 };
            for member in [None, member, Some(too_far)] {
                let resume = Resume { offset, member };
                let mut reader = sources.open(&object, Some(resume)).await.unwrap();
                let begun_at = reader.bytes_read();
                let (got, error) = drain(&mut reader).await;
                assert!(error.is_none(), "{name} at {resume:?}: {error:?}");
                let rest = &data[usize::try_from(offset).unwrap()..];
                assert_same(&got, rest, &format!("{name} at {resume:?}"));
                assert_eq!(reader.offset(), end);
                if let Some(used) = member.filter(|member| *member != too_far) {
                    assert!(begun_at >= used.compressed, "{name}: began before {used:?}");
                    assert!(offset - used.decompressed <= 1_200_000, "{name}: {used:?}");
                }
            }
        }
        let has_members = name.contains("members") || name.contains("frames");
        assert_eq!(saw_boundary, has_members, "{name}");
    }
}

#[tokio::test]
async fn resuming_where_nothing_is_fails() {
    let data = log_lines(300_000, 3);
    for (name, _, stored) in encodings(&data) {
        let local = Local::new("log", &stored);
        let sources = Sources::default();
        let object = only_object(&sources, local.argument()).await;
        let resume = Resume { offset: 300_001, member: None };
        let error = match sources.open(&object, Some(resume)).await {
            Ok(mut reader) => {
                let (got, error) = drain(&mut reader).await;
                assert!(got.is_empty(), "{name}");
                error.unwrap()
            }
            Err(error) => error,
        };
        assert!(
            matches!(error, SourceError::PastEnd { offset: 300_001, end: 300_000, .. }),
            "{name}: {error:?}"
        );
        if name != "plain" {
            let member = Some(Boundary { compressed: 7, decompressed: 10 });
            let resume = Resume { offset: 20, member };
            let mut reader = sources.open(&object, Some(resume)).await.unwrap();
            let (_, error) = drain(&mut reader).await;
            assert!(matches!(error, Some(SourceError::Corrupt { .. })), "{name}: {error:?}");
        }
    }
}

#[tokio::test]
async fn empty_objects_are_empty() {
    let empty_members = [gzip(b""), gzip(b"")].concat();
    let stored = [&b""[..], &gzip(b""), &empty_members, &zstd_frame(b""), &skippable_frame(b"x")];
    for stored in stored {
        let (got, error) = read_bytes(stored, SourceOptions::default()).await;
        assert!(got.is_empty() && error.is_none(), "{stored:x?}: {error:?}");
    }
    for compression in [Compression::Gzip, Compression::Zstd, Compression::None] {
        let options = SourceOptions { compression, ..SourceOptions::default() };
        let (got, error) = read_bytes(b"", options).await;
        assert!(got.is_empty() && error.is_none(), "{compression:?}: {error:?}");
    }
    for short in [&b"a"[..], b"ab", b"abc", b"\n"] {
        let (got, error) = read_bytes(short, SourceOptions::default()).await;
        assert_eq!((got.as_slice(), error.is_none()), (short, true));
    }
}

#[tokio::test]
async fn compression_can_be_overridden() {
    let stored = gzip(b"text");
    let as_is = SourceOptions { compression: Compression::None, ..SourceOptions::default() };
    assert_eq!(read_bytes(&stored, as_is).await.0, stored);
    let as_zstd = SourceOptions { compression: Compression::Zstd, ..SourceOptions::default() };
    let (_, error) = read_bytes(&stored, as_zstd).await;
    assert!(matches!(error, Some(SourceError::Corrupt { format: "zstd", .. })), "{error:?}");
    let as_gzip = SourceOptions { compression: Compression::Gzip, ..SourceOptions::default() };
    let (_, error) = read_bytes(b"plain text", as_gzip).await;
    assert!(matches!(error, Some(SourceError::Corrupt { format: "gzip", .. })), "{error:?}");
}

#[tokio::test]
async fn directories_are_read_by_name() {
    let local = Local::new("b.ndjson", b"2");
    let folder = local.folder.path();
    fs::write(folder.join("a.ndjson"), b"1").unwrap();
    fs::write(folder.join("c d\u{e9}.gz"), gzip(b"3")).unwrap();
    fs::write(folder.join(".hidden"), b"no").unwrap();
    fs::create_dir(folder.join("below")).unwrap();
    fs::write(folder.join("below/d"), b"no").unwrap();
    let sources = Sources::default();
    let found = objects(&sources, folder.to_str().unwrap()).await.unwrap();
    let mut all = Vec::new();
    for object in &found {
        all.extend(read(&sources, object).await.0);
    }
    assert_eq!(all, b"123");
    assert!(found.iter().all(|object| Path::new(&object.key).is_absolute()));
    assert!(found.iter().all(|object| object.last_modified.unwrap() > 1_600_000_000_000_000_000));
}

#[tokio::test]
async fn arguments_that_name_nothing_are_explained() {
    for (argument, text) in [
        ("/no/such/file.ndjson", "`/no/such/file.ndjson`: not found"),
        ("no-such-file", "`no-such-file`: not found"),
        ("https://example.com/a", "only `s3://` URLs"),
        ("gs://bucket/a", "only `s3://` URLs"),
        ("s3://", "the bucket is missing"),
        ("s3:///key", "the bucket is missing"),
    ] {
        let error = Input::parse(argument).unwrap_err();
        assert!(error.to_string().contains(text), "{argument}: {error}");
    }
    let s3 = |bucket: &str, key: &str| (bucket.to_owned(), key.to_owned());
    let (bucket, key) = s3("b", "a/b c+%2F\u{e9}");
    assert_eq!(Input::parse("s3://b/a/b c+%2F\u{e9}").unwrap(), Input::S3Object { bucket, key });
    for (argument, prefix) in [("s3://b", ""), ("s3://b/", ""), ("s3://b/p/", "p/")] {
        let (bucket, prefix) = s3("b", prefix);
        assert_eq!(Input::parse(argument).unwrap(), Input::S3Prefix { bucket, prefix });
    }
    assert_eq!(Input::parse("-").unwrap(), Input::Stdin);
}

#[tokio::test]
async fn a_file_that_changes_is_not_read_on() {
    let data = log_lines(4_000_000, 4);
    let local = Local::new("log", &data);
    let sources = Sources::default();
    let object = only_object(&sources, local.argument()).await;

    // While it is read: it is cut off.
    let mut reader = sources.open(&object, None).await.unwrap();
    let first = reader.next().await.unwrap().unwrap();
    fs::OpenOptions::new().write(true).open(&local.path).unwrap().set_len(2_000_000).unwrap();
    let (rest, error) = drain(&mut reader).await;
    let got = [&first[..], &rest].concat();
    assert_same(&got, &data[..got.len()], "what was read before");
    assert!(matches!(error, Some(SourceError::Changed { .. })), "{error:?}");

    // Before it is opened.
    let (_, error) = read(&sources, &object).await;
    assert!(matches!(error, Some(SourceError::Changed { offset: 0, .. })), "{error:?}");

    // And it is gone.
    let object = only_object(&sources, local.argument()).await;
    fs::remove_file(&local.path).unwrap();
    let (_, error) = read(&sources, &object).await;
    assert!(matches!(error, Some(SourceError::NotFound { .. })), "{error:?}");
}

#[tokio::test]
async fn named_pipes_are_read_to_their_end() {
    let local = Local::new("unused", b"");
    let pipe = local.folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let data = log_lines(1_000_000, 5);
    let (writer, stored) = (pipe.clone(), gzip(&data));
    let writing = std::thread::spawn(move || fs::write(writer, stored).unwrap());
    let sources = Sources::default();
    let object = only_object(&sources, pipe.to_str().unwrap()).await;
    assert_eq!(object.size, None);
    let (got, error) = read(&sources, &object).await;
    assert!(error.is_none(), "{error:?}");
    assert_same(&got, &data, "pipe");
    writing.join().unwrap();
}

/// Runs `read-source`: bytes, CRC and peak memory in kB.
fn read_source(
    arguments: &[&str],
    environment: &[(&str, &str)],
    stdin: &[u8],
) -> Result<(u64, String, u64), String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_read-source"));
    // What this machine knows about AWS is none of the tests' business.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.args(arguments).envs(environment.iter().copied());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || input.write_all(stdin));
        child.wait_with_output().unwrap()
    });
    let text = String::from_utf8(output.stdout).unwrap();
    if !output.status.success() {
        return Err(text);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let [bytes, crc, peak] = words[..] else { panic!("{text}") };
    Ok((bytes.parse().unwrap(), crc.to_owned(), peak.parse().unwrap()))
}

fn crc(data: &[u8]) -> String {
    let mut crc = flate2::Crc::new();
    crc.update(data);
    format!("{:08x}", crc.sum())
}

#[test]
fn standard_input_is_read_in_every_encoding() {
    let data = log_lines(2_500_000, 6);
    for (name, _, stored) in encodings(&data) {
        let (bytes, sum, _) = read_source(&["-"], &[], &stored).unwrap();
        assert_eq!((bytes, sum), (data.len() as u64, crc(&data)), "{name}");
    }
    let (bytes, _, _) = read_source(&["-"], &[], b"").unwrap();
    assert_eq!(bytes, 0);
    let cut_off = &gzip(&data)[..1000];
    let text = read_source(&["-"], &[], cut_off).unwrap_err();
    assert!(text.contains("`-`: damaged gzip data near compressed byte 1000"), "{text}");
}

// ------------------------------------------------------------------------------- hostile contents

#[tokio::test]
async fn damaged_data_is_found_and_what_came_before_is_kept() {
    let data = log_lines(3_000_000, 7);
    let mut random = fastrand::Rng::with_seed(7);
    for (name, format, stored) in encodings(&data) {
        if format == Format::Plain {
            continue;
        }
        for _ in 0..30 {
            let mut damaged = stored.clone();
            let place = random.usize(4..damaged.len());
            damaged[place] ^= 1 << random.u8(..8);
            let (got, error) = read_bytes(&damaged, SourceOptions::default()).await;
            let Some(error) = error else {
                // A bit that means nothing: a time stamp, or what is to be skipped.
                assert_same(&got, &data, &format!("{name} with a flipped bit in byte {place}"));
                continue;
            };
            let SourceError::Corrupt { compressed_offset, decompressed_offset, .. } = error else {
                // A damaged frame header may ask for a large window.
                assert!(matches!(error, SourceError::Window { .. }), "{name} at {place}: {error}");
                continue;
            };
            assert_eq!(decompressed_offset, got.len() as u64, "{name} at {place}");
            assert!(compressed_offset <= damaged.len() as u64, "{name} at {place}");
            assert!(error.to_string().contains("/object`: damaged "), "{error}");
        }
    }
}

#[tokio::test]
async fn every_truncation_is_found() {
    let data = log_lines(3000, 8);
    let pieces: Vec<&[u8]> = data.chunks(1000).collect();
    for name in ["gzip", "zstd"] {
        let encode = if name == "gzip" { gzip } else { zstd_frame };
        let members: Vec<Vec<u8>> = pieces.iter().map(|piece| encode(piece)).collect();
        let stored = members.concat();
        let mut whole_at = vec![0];
        for member in &members {
            whole_at.push(whole_at.last().unwrap() + member.len());
        }
        for cut in 0..=stored.len() {
            let (got, error) = read_bytes(&stored[..cut], SourceOptions::default()).await;
            if cut < 4 && (name == "zstd" || cut < 2) {
                // Too short to be recognised: these are just bytes.
                assert!(error.is_none() && got == stored[..cut], "{name} cut at {cut}");
                continue;
            }
            assert_same(&got, &data[..got.len()], name);
            let whole = whole_at.iter().filter(|end| **end <= cut).count() - 1;
            assert!(got.len() >= whole * 1000, "{name} cut at {cut}");
            if whole_at.contains(&cut) {
                assert!(error.is_none(), "{name} cut at {cut}: {error:?}");
                assert_eq!(got.len(), whole * 1000);
            } else {
                let is_corrupt = matches!(error, Some(SourceError::Corrupt { .. }));
                assert!(is_corrupt, "{name} cut at {cut}: {error:?}");
            }
        }
    }
}

/// What follows the last gzip member is treated as gzip(1) treats it.
#[tokio::test]
async fn what_follows_the_last_member_is_as_for_gzip() {
    let data = log_lines(100_000, 9);
    let stored = gzip(&data);
    for (tail, garbage) in [
        (&b""[..], false),
        (&[0; 1], false),
        (&[0; 700_000], false),
        (b"garbage", true),
        (b"\r\n", true),
        (b"\0\0\0garbage", true),
        (&[0x28, 0xb5, 0x2f, 0xfd], true),
    ] {
        let local = Local::new("log.gz", &[&stored[..], tail].concat());
        let gzip = Command::new("gzip").arg("-dc").arg(&local.path).output().unwrap();
        let sources = Sources::default();
        let object = only_object(&sources, local.argument()).await;
        let mut reader = sources.open(&object, None).await.unwrap();
        let (got, error) = drain(&mut reader).await;
        assert!(error.is_none(), "{tail:x?}: {error:?}");
        assert_same(&got, &gzip.stdout, "what gzip gives");
        // gzip warns (2) where a reader reports garbage, and is content (0) where it does not.
        assert_eq!(gzip.status.code() == Some(2), garbage, "{tail:x?}");
        assert_eq!(reader.garbage_offset(), garbage.then_some(stored.len() as u64), "{tail:x?}");
    }
    // Half of a magic number is a truncated member, though gzip passes over any single byte.
    let (_, error) = read_bytes(&[&stored[..], b"\x1f"].concat(), SourceOptions::default()).await;
    assert!(matches!(error, Some(SourceError::Corrupt { .. })), "{error:?}");
    let stored = [&zstd_frame(&data)[..], b"garbage"].concat();
    let (got, error) = read_bytes(&stored, SourceOptions::default()).await;
    assert_same(&got, &data, "zstd before garbage");
    assert!(matches!(error, Some(SourceError::Corrupt { .. })), "{error:?}");
}

#[tokio::test]
async fn bombs_are_stopped() {
    let zeros = vec![0; 200 << 20];
    for (name, stored) in [("gzip", gzip_at(Level::best(), &zeros)), ("zstd", zstd_frame(&zeros))] {
        let ratio = zeros.len() / stored.len();
        let local = Local::new("bomb", &stored);
        let sources = Sources::default();
        let object = only_object(&sources, local.argument()).await;
        let (got, error) = read(&sources, &object).await;
        let Some(SourceError::Bomb { decompressed_offset, compressed_offset, limit, .. }) = error
        else {
            panic!("{name}, {ratio}:1, {} bytes: {error:?}", got.len());
        };
        assert_eq!(limit, "ratio_max = 1000:1");
        assert_eq!(decompressed_offset, got.len() as u64);
        assert!(got.len() < 66 << 20 && compressed_offset < stored.len() as u64, "{}", got.len());

        let options = SourceOptions { ratio_max: u64::MAX, ..SourceOptions::default() };
        let (got, error) = read_bytes(&stored, options).await;
        assert!(error.is_none() && got.len() == zeros.len(), "{name}: {error:?}");
    }
    let data = log_lines(1_000_000, 10);
    for (name, format, stored) in encodings(&data) {
        let options = SourceOptions { decompressed_bytes_max: 500_000, ..SourceOptions::default() };
        let (got, error) = read_bytes(&stored, options).await;
        if format == Format::Plain {
            assert!(error.is_none(), "a plain object does not decompress: {error:?}");
            continue;
        }
        assert!(matches!(error, Some(SourceError::Bomb { .. })), "{name}: {error:?}");
        assert_same(&got, &data[..got.len()], name);
        assert!((500_000..800_000).contains(&got.len()), "{name}: {}", got.len());
    }
}

/// The dullest log there is must not be taken for a bomb.
#[tokio::test]
async fn dull_logs_are_no_bombs() {
    let mut text = Vec::new();
    for number in 0_u64.. {
        let (minute, second) = (number / 60 % 60, number % 60);
        let line = format!(
            r#"{{"time":"2025-03-01T12:{minute:02}:{second:02}Z","level":"info","service":"gateway","event":"heartbeat","status":"ok","sequence":{number},"message":"the service is alive and has nothing to report"}}"#
        );
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
        if text.len() > 100 << 20 {
            break;
        }
    }
    for (name, stored) in [("gzip", gzip_at(Level::best(), &text)), ("zstd", zstd_frame(&text))] {
        let ratio = text.len() / stored.len();
        println!("{name}: {ratio}:1");
        assert!(ratio < 500, "{name}: {ratio}:1 is too near to the limit");
        let (got, error) = read_bytes(&stored, SourceOptions::default()).await;
        assert!(error.is_none(), "{name}: {error:?}");
        assert_same(&got, &text, name);
    }
}

#[tokio::test]
async fn large_zstd_windows_need_permission() {
    let data = log_lines(1_000_000, 11);
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.include_contentsize(false).unwrap();
    encoder.write_all(&data).unwrap();
    let stored = encoder.finish().unwrap();
    let (_, error) = read_bytes(&stored, SourceOptions::default()).await;
    let is_window = matches!(error, Some(SourceError::Window { window_bytes_max: 33_554_432, .. }));
    assert!(is_window, "{error:?}");
    let options = SourceOptions { zstd_window_log_max: 27, ..SourceOptions::default() };
    let (got, error) = read_bytes(&stored, options).await;
    assert!(error.is_none(), "{error:?}");
    assert_same(&got, &data, "a large window");
}

// --------------------------------------------------------------------------------------------- S3

/// Small parts and short pauses, so that little data goes through many requests.
fn small_parts(store: &Seaweed, endpoint: &str) -> SourceOptions {
    let s3 = S3Options {
        endpoint_url: Some(endpoint.to_owned()),
        part_bytes: 512 * 1024,
        prefetch_bytes_max: 1536 * 1024,
        backoff_min: Duration::from_millis(2),
        backoff_max: Duration::from_millis(20),
        stall: Duration::from_secs(2),
        ..store.options()
    };
    SourceOptions { s3, ..SourceOptions::default() }
}

/// A bucket of its own for each test.
async fn bucket(store: &Seaweed) -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let bucket = format!("test-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    store.create_bucket(&bucket).await;
    bucket
}

fn is_read(request: &Request) -> bool {
    request.method == "GET" && request.range.is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_is_read_once_in_ranges() {
    let store = seaweed::shared();
    let bucket = bucket(&store).await;
    let data = log_lines(13_000_000, 20);
    let parts = data.chunks(5 << 20).map(Bytes::copy_from_slice);
    store.put_parts(&bucket, "logs/large file+1.ndjson", parts).await;
    let proxy = FaultProxy::start(&store.endpoint, |_| Fault::None).await;
    let sources = Sources::new(small_parts(&store, &proxy.endpoint));
    let argument = format!("s3://{bucket}/logs/large file+1.ndjson");
    let object = only_object(&sources, &argument).await;
    assert_eq!((&object.key, object.size), (&argument, Some(13_000_000)));
    assert!(!object.etag.is_empty() && !object.etag.contains('"'), "{}", object.etag);
    assert!(object.last_modified.unwrap() > 1_600_000_000_000_000_000);

    // On a task, as a server does it: the reader must be able to move between threads.
    let task = tokio::spawn(async move {
        let mut reader = sources.open(&object, None).await.unwrap();
        drain(&mut reader).await
    });
    let (got, error) = task.await.unwrap();
    assert!(error.is_none(), "{error:?}");
    assert_same(&got, &data, "S3");
    let mut ranges: Vec<_> = proxy.requests().iter().filter_map(|r| r.range).collect();
    ranges.sort_unstable();
    let mut next = 0;
    for (first, last) in ranges {
        assert_eq!(first, next, "every byte is asked for once");
        assert!(last - first < 512 * 1024);
        next = last + 1;
    }
    assert_eq!(next, 13_000_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_is_fetched_ahead_than_the_budget() {
    let store = seaweed::shared();
    let bucket = bucket(&store).await;
    store.put(&bucket, "log", log_lines(8_000_000, 21)).await;
    let proxy = FaultProxy::start(&store.endpoint, |_| Fault::None).await;
    let sources = Sources::new(small_parts(&store, &proxy.endpoint));
    let object = only_object(&sources, &format!("s3://{bucket}/log")).await;
    let mut reader = sources.open(&object, None).await.unwrap();
    loop {
        // However long the consumer takes.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let asked = proxy.requests().iter().filter_map(|r| r.range).map(|r| r.1 + 1).max();
        let ahead = asked.unwrap_or(0).saturating_sub(reader.offset());
        assert!(ahead <= 1536 * 1024, "{ahead} bytes ahead");
        if reader.next().await.unwrap().is_none() {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_that_pass_are_survived() {
    let store = seaweed::shared();
    let bucket = bucket(&store).await;
    let data = log_lines(6_000_000, 22);
    for (name, _, stored) in encodings(&data) {
        store.put(&bucket, name, stored).await;
    }
    let faults = [
        ("slow down", Fault::slow_down()),
        ("reset at once", Fault::Reset(0)),
        ("reset in the middle", Fault::Reset(200_000)),
        ("cut off at once", Fault::Close(0)),
        ("cut off in the middle", Fault::Close(123_457)),
        ("longer than announced", Fault::Header("Content-Length", "1000".to_owned())),
        ("shorter than announced", Fault::Header("Content-Length", "99999999".to_owned())),
        ("another range", Fault::Header("Content-Range", "bytes 7-1000000/%SIZE%".to_owned())),
    ];
    for (what, fault) in faults {
        for (name, _, stored) in encodings(&data) {
            let fault = match fault.clone() {
                Fault::Header(header, value) => {
                    Fault::Header(header, value.replace("%SIZE%", &stored.len().to_string()))
                }
                fault => fault,
            };
            let hits = std::sync::Arc::new(AtomicUsize::new(0));
            let counted = std::sync::Arc::clone(&hits);
            let proxy = FaultProxy::start(&store.endpoint, move |request| {
                // The first, and every other one.
                if is_read(request) && request.index % 2 == 1 {
                    counted.fetch_add(1, Ordering::Relaxed);
                    return fault.clone();
                }
                Fault::None
            })
            .await;
            let sources = Sources::new(small_parts(&store, &proxy.endpoint));
            let object = only_object(&sources, &format!("s3://{bucket}/{name}")).await;
            let (got, error) = read(&sources, &object).await;
            assert!(error.is_none(), "{what}, {name}: {error:?}");
            assert_same(&got, &data, &format!("{what}, {name}"));
            assert!(hits.load(Ordering::Relaxed) > 0, "{what}, {name}: nothing failed");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stall_is_noticed() {
    let store = seaweed::shared();
    let bucket = bucket(&store).await;
    let data = log_lines(3_000_000, 23);
    store.put(&bucket, "log", data.clone()).await;
    let proxy = FaultProxy::start(&store.endpoint, |request| match request.index {
        1 => Fault::Stall(0),
        2 => Fault::Stall(100_000),
        _ => Fault::None,
    })
    .await;
    let sources = Sources::new(small_parts(&store, &proxy.endpoint));
    let object = only_object(&sources, &format!("s3://{bucket}/log")).await;
    let (got, error) = read(&sources, &object).await;
    assert!(error.is_none(), "{error:?}");
    assert_same(&got, &data, "stalls");
}

/// Whatever goes wrong, however often: the bytes are right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_network_does_not_change_a_byte() {
    let store = seaweed::shared();
    let bucket = bucket(&store).await;
    let data = log_lines(10_000_000, 24);
    store.put(&bucket, "log", data.clone()).await;
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let random = std::sync::Mutex::new(fastrand::Rng::with_seed(seed));
    let proxy = FaultProxy::start(&store.endpoint, move |request| {
        let mut random = random.lock().unwrap();
        match random.u8(..10) {
            0 | 1 => Fault::slow_down(),
            2 if is_read(request) => Fault::Reset(random.usize(..600_000)),
            3 if is_read(request) => Fault::Close(random.usize(..600_000)),
            4 if is_read(request) => Fault::Header("Content-Length", "77".to_owned()),
            _ => Fault::None,
        }
    })
    .await;
    let mut options = small_parts(&store, &proxy.endpoint);
    options.s3.attempts_max = 30;
    let sources = Sources::new(options);
    let argument = format!("s3://{bucket}/log");
    let object = only_object(&sources, &argument).await;
    let (got, error) = read(&sources, &object).await;
    assert!(error.is_none(), "seed {seed}: {error:?}");
    assert_same(&got, &data, &format!("seed {seed}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_that_last_are_reported_with_their_place() {
    let store = seaweed::shared();
    let bucket = bucket(&store).await;
    let data = log_lines(3_000_000, 25);
    store.put(&bucket, "log", data.clone()).await;
    for (fault, text) in [
        (Fault::slow_down(), "SlowDown: Please reduce your request rate."),
        (Fault::Close(0), "the body"),
        (Fault::Reset(0), ""),
        (Fault::Header("Content-Length", "1000".to_owned()), "the answer announces 1000"),
    ] {
        let proxy = FaultProxy::start(&store.endpoint, move |request| {
            let behind = request.range.is_some_and(|(first, _)| first >= 1_048_576);
            if behind { fault.clone() } else { Fault::None }
        })
        .await;
        let sources = Sources::new(small_parts(&store, &proxy.endpoint));
        let object = only_object(&sources, &format!("s3://{bucket}/log")).await;
        let (got, error) = read(&sources, &object).await;
        assert_same(&got, &data[..1_048_576], "what came before");
        let error = error.unwrap();
        let SourceError::Unavailable { offset: 1_048_576, attempts: 8, .. } = error else {
            panic!("{error:?}");
        };
        let shown = error.to_string();
        assert!(shown.contains(text) && shown.contains(&proxy.endpoint), "{shown}");
        assert!(shown.contains(&format!("`s3://{bucket}/log`")), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_is_overwritten_is_not_read_on() {
    let store = seaweed::shared();
    let bucket = bucket(&store).await;
    let (old, new) = (log_lines(6_000_000, 26), log_lines(6_000_000, 27));
    let argument = format!("s3://{bucket}/log");
    let sources = Sources::new(small_parts(&store, &store.endpoint));

    // Between listing and opening.
    store.put(&bucket, "log", old.clone()).await;
    let object = only_object(&sources, &argument).await;
    store.put(&bucket, "log", new.clone()).await;
    let (got, error) = read(&sources, &object).await;
    assert!(got.is_empty());
    assert!(matches!(error, Some(SourceError::Changed { offset: 0, .. })), "{error:?}");

    // In the middle.
    store.put(&bucket, "log", old.clone()).await;
    let object = only_object(&sources, &argument).await;
    let mut reader = sources.open(&object, None).await.unwrap();
    let first = reader.next().await.unwrap().unwrap();
    store.put(&bucket, "log", new).await;
    let (rest, error) = drain(&mut reader).await;
    let got = [&first[..], &rest].concat();
    assert_same(&got, &old[..got.len()], "only bytes of the old one");
    let offset = error.as_ref().and_then(SourceError::offset);
    assert!(matches!(error, Some(SourceError::Changed { .. })), "{error:?}");
    assert_eq!(offset, Some(got.len() as u64));

    // And it is gone.
    store.client().delete_object().bucket(&bucket).key("log").send().await.unwrap();
    let (_, error) = read(&sources, &object).await;
    assert!(matches!(error, Some(SourceError::NotFound { .. })), "{error:?}");
}

/// Stores that do not know If-Match still say what they send.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_etag_is_noticed_without_if_match() {
    let store = seaweed::shared();
    let bucket = bucket(&store).await;
    let data = log_lines(3_000_000, 28);
    store.put(&bucket, "log", data.clone()).await;
    let proxy = FaultProxy::start(&store.endpoint, |request| match request.range {
        Some((first, _)) if first >= 1_048_576 => Fault::Header("ETag", "\"other\"".to_owned()),
        _ => Fault::None,
    })
    .await;
    let sources = Sources::new(small_parts(&store, &proxy.endpoint));
    let object = only_object(&sources, &format!("s3://{bucket}/log")).await;
    let (got, error) = read(&sources, &object).await;
    assert_same(&got, &data[..1_048_576], "before the change");
    assert!(matches!(error, Some(SourceError::Changed { offset: 1_048_576, .. })), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_without_ranges_is_refused() {
    let store = seaweed::shared();
    let bucket = bucket(&store).await;
    store.put(&bucket, "log", log_lines(3_000_000, 29)).await;
    let proxy = FaultProxy::start(&store.endpoint, |request| match request.range {
        Some(_) => Fault::Answer {
            status: 200,
            headers: Vec::new(),
            body: Bytes::from(vec![b'x'; 3_000_000]),
        },
        None => Fault::None,
    })
    .await;
    let sources = Sources::new(small_parts(&store, &proxy.endpoint));
    let object = only_object(&sources, &format!("s3://{bucket}/log")).await;
    let (got, error) = read(&sources, &object).await;
    assert!(got.is_empty());
    let text = error.unwrap().to_string();
    assert!(text.contains("ignores the Range header"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prefixes_are_listed_page_by_page() {
    let store = seaweed::shared();
    let bucket = bucket(&store).await;
    let odd =
        ["p/a b+c", "p/a", "p/a/b", "p/a-b", "p/\u{e9}\u{4e2d}", "p/100%25", "p/it's", "p/q?x=1&y"];
    // One after the other: while `p/a` and `p/a/b` arrive together, this store loses one of them.
    for key in odd {
        store.put(&bucket, key, key).await;
    }
    let mut wanted: Vec<String> = (0..1100).map(|number| format!("p/n/{number:05}")).collect();
    let client = store.client();
    for keys in wanted.chunks(50) {
        let mut puts = tokio::task::JoinSet::new();
        for key in keys {
            let put = client.put_object().bucket(&bucket).key(key);
            let put = put.body(Bytes::from(key.clone()).into());
            puts.spawn(async move { put.send().await.unwrap() });
        }
        puts.join_all().await;
    }
    store.put(&bucket, "other", "no").await;
    store.put(&bucket, "p/folder/", "").await;
    wanted.extend(odd.map(str::to_owned));
    wanted.sort();

    let proxy = FaultProxy::start(&store.endpoint, |request| {
        if request.index % 2 == 0 { Fault::slow_down() } else { Fault::None }
    })
    .await;
    let sources = Sources::new(small_parts(&store, &proxy.endpoint));
    let found = objects(&sources, &format!("s3://{bucket}/p/")).await.unwrap();
    let prefix = format!("s3://{bucket}/");
    let listed: Vec<&str> = found.iter().map(|o| o.key.strip_prefix(&prefix).unwrap()).collect();
    let mut sorted: Vec<String> = listed.iter().map(|&key| key.to_owned()).collect();
    sorted.sort();
    assert_eq!(sorted, wanted);
    let raw = client.list_objects_v2().bucket(&bucket).prefix("p/").send().await.unwrap();
    let first_page: Vec<&str> =
        raw.contents().iter().filter_map(|o| o.key()).filter(|k| !k.ends_with('/')).collect();
    assert_eq!(listed[..first_page.len()], first_page, "in the order of the store");
    assert!(first_page.len() < wanted.len(), "there was more than one page");

    for object in found.iter().filter(|object| !object.key.contains("/n/")) {
        let (got, error) = read(&sources, object).await;
        assert!(error.is_none(), "{}: {error:?}", object.key);
        assert_eq!(format!("{prefix}{}", String::from_utf8(got).unwrap()), object.key);
    }
    let all = objects(&sources, &format!("s3://{bucket}")).await.unwrap();
    assert_eq!(all.len(), wanted.len() + 1);
    let none = objects(&sources, &format!("s3://{bucket}/nothing/")).await.unwrap();
    assert!(none.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_that_goes_in_circles_is_refused() {
    let store = seaweed::shared();
    let proxy = FaultProxy::start(&store.endpoint, |_| Fault::Answer {
        status: 200,
        headers: Vec::new(),
        body: "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>true</IsTruncated>\
               <NextContinuationToken>again</NextContinuationToken></ListBucketResult>"
            .into(),
    })
    .await;
    let sources = Sources::new(small_parts(&store, &proxy.endpoint));
    let error = objects(&sources, "s3://any/").await.unwrap_err();
    assert!(error.to_string().contains("continuation token"), "{error}");
    assert_eq!(proxy.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lasting_errors_say_what_to_do() {
    let store = seaweed::shared();
    let bucket = bucket(&store).await;
    let endpoint = &store.endpoint;
    let sources = Sources::new(small_parts(&store, endpoint));
    let missing = objects(&sources, &format!("s3://{bucket}/missing")).await.unwrap_err();
    assert!(matches!(missing, SourceError::NotFound { .. }), "{missing:?}");
    let text = missing.to_string();
    assert!(text.contains(&format!("`s3://{bucket}/missing`: not found")), "{text}");
    assert!(text.contains(endpoint) && text.contains("end it with `/`"), "{text}");

    for argument in ["s3://no-such-bucket/key", "s3://no-such-bucket/prefix/"] {
        let text = objects(&sources, argument).await.unwrap_err().to_string();
        assert!(text.contains("`s3://no-such-bucket`: not found"), "{text}");
        assert!(text.contains("no such bucket") && text.contains(endpoint), "{text}");
    }

    for (id, secret, text) in [
        (None, Some("wrong"), "check AWS_SECRET_ACCESS_KEY"),
        (Some("unknown"), None, "check AWS_ACCESS_KEY_ID"),
    ] {
        let mut options = small_parts(&store, endpoint);
        let mut key = store.access_key();
        key.id = id.map_or(key.id, ToOwned::to_owned);
        key.secret = secret.map_or(key.secret, ToOwned::to_owned);
        options.s3.access_key = Some(key);
        let error = objects(&Sources::new(options), &format!("s3://{bucket}/")).await.unwrap_err();
        assert!(matches!(error, SourceError::Denied { .. }), "{error:?}");
        assert!(error.to_string().contains(text), "{error}");
        assert!(!format!("{error:?} {error}").contains("weir-test-secret"));
    }

    // Nobody listens there; that is noticed soon.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let options = small_parts(&store, &format!("http://{closed}"));
    let error = objects(&Sources::new(options), &format!("s3://{bucket}/")).await.unwrap_err();
    assert!(matches!(error, SourceError::Unavailable { attempts: 3, .. }), "{error:?}");
    assert!(error.to_string().contains(&closed.to_string()), "{error}");

    let other_region = FaultProxy::start(endpoint, |_| Fault::Answer {
        status: 301,
        headers: vec![("x-amz-bucket-region".to_owned(), "eu-west-3".to_owned())],
        body: "<Error><Code>PermanentRedirect</Code><Message>Elsewhere</Message></Error>".into(),
    })
    .await;
    let sources = Sources::new(small_parts(&store, &other_region.endpoint));
    let error = objects(&sources, &format!("s3://{bucket}/key")).await.unwrap_err();
    assert!(error.to_string().contains("give --region eu-west-3"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resuming_in_s3_asks_only_for_the_rest() {
    let store = seaweed::shared();
    let bucket = bucket(&store).await;
    let data = log_lines(6_000_000, 30);
    let offset = 4_000_000;
    for (name, format, stored) in encodings(&data) {
        store.put(&bucket, name, stored).await;
        let proxy = FaultProxy::start(&store.endpoint, |_| Fault::None).await;
        let sources = Sources::new(small_parts(&store, &proxy.endpoint));
        let object = only_object(&sources, &format!("s3://{bucket}/{name}")).await;
        let mut first = sources.open(&object, None).await.unwrap();
        while first.offset() < offset && first.next().await.unwrap().is_some() {}
        let member = first.boundary(offset);
        drop(first);
        let before = proxy.requests().len();
        let resume = Resume { offset, member };
        let mut reader = sources.open(&object, Some(resume)).await.unwrap();
        assert_eq!(reader.format(), format);
        let (got, error) = drain(&mut reader).await;
        assert!(error.is_none(), "{name}: {error:?}");
        assert_same(&got, &data[usize::try_from(offset).unwrap()..], name);
        let begin = match (format, member) {
            (Format::Plain, _) => offset,
            (_, member) => member.map_or(0, |member| member.compressed),
        };
        let requests = proxy.requests().split_off(before);
        let mut ranges: Vec<_> = requests.iter().filter_map(|request| request.range).collect();
        // The first bytes say what it is.
        assert_eq!(ranges.remove(0), (0, 3), "{name}");
        assert_eq!(ranges.iter().map(|range| range.0).min(), Some(begin), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_and_empty_objects_in_s3() {
    let store = seaweed::shared();
    let bucket = bucket(&store).await;
    let sources = Sources::new(small_parts(&store, &store.endpoint));
    for (key, content) in [("empty", &b""[..]), ("one", b"1"), ("three", b"123")] {
        store.put(&bucket, key, content).await;
        let object = only_object(&sources, &format!("s3://{bucket}/{key}")).await;
        assert_eq!(object.size, Some(content.len() as u64));
        let (got, error) = read(&sources, &object).await;
        assert_eq!((got.as_slice(), error.is_none()), (content, true), "{key}");
        // A ledger may know only what it is called, and which version.
        let known = Object { size: None, last_modified: None, ..object };
        assert_eq!(read(&sources, &known).await.0, content);
        let other = Object { etag: "other".to_owned(), ..known };
        let (_, error) = read(&sources, &other).await;
        assert!(matches!(error, Some(SourceError::Changed { .. })), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_come_from_the_environment_or_a_profile() {
    let store = seaweed::shared();
    let bucket = bucket(&store).await;
    store.put(&bucket, "log", "text").await;
    let key = store.access_key();
    let profile =
        format!("[logs]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.id, key.secret);
    let profile = Local::new("credentials", profile.as_bytes());
    let argument = format!("s3://{bucket}/log");
    let arguments = [argument.as_str(), &store.endpoint];
    let none = [
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/no/such/file"),
        ("AWS_SHARED_CREDENTIALS_FILE", profile.argument()),
    ];
    let text = read_source(&arguments, &none, b"").unwrap_err();
    assert!(text.starts_with("S3 is not configured: no credentials were found"), "{text}");
    assert!(text.contains("set AWS_ACCESS_KEY_ID"), "{text}");
    let named = [&none[..], &[("AWS_PROFILE", "logs")]].concat();
    assert_eq!(read_source(&arguments, &named, b"").unwrap().0, 4);
    let id = ("AWS_ACCESS_KEY_ID", key.id.as_str());
    let direct = [&none[..], &[id, ("AWS_SECRET_ACCESS_KEY", key.secret.as_str())]].concat();
    assert_eq!(read_source(&arguments, &direct, b"").unwrap().0, 4);

    // An endpoint of one's own needs no region, AWS does.
    let text = read_source(&["s3://bucket/log"], &direct, b"").unwrap_err();
    assert!(text.contains("give --region, or set AWS_REGION"), "{text}");
}

/// However large the object: memory stays where it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_does_not_grow_with_the_object() {
    const BYTES: usize = 300_000_000;
    const PEAK_KB_MAX: u64 = 64 * 1024;
    let store = seaweed::shared();
    let bucket = bucket(&store).await;
    let data = log_lines(BYTES, 31);
    let sum = crc(&data);
    let parts = data.chunks(16 << 20).map(Bytes::copy_from_slice);
    store.put_parts(&bucket, "plain", parts).await;
    store.put(&bucket, "gzip", gzip(&data)).await;
    store.put(&bucket, "zstd", zstd_frame(&data)).await;
    drop(data);
    let key = store.access_key();
    for name in ["plain", "gzip", "zstd"] {
        let argument = format!("s3://{bucket}/{name}");
        let arguments = [argument.as_str(), &store.endpoint];
        let environment = [
            ("AWS_ACCESS_KEY_ID", key.id.as_str()),
            ("AWS_SECRET_ACCESS_KEY", key.secret.as_str()),
        ];
        let (bytes, read_sum, peak_kb) = read_source(&arguments, &environment, b"").unwrap();
        assert_eq!((bytes, &read_sum), (BYTES as u64, &sum), "{name}");
        println!("{name}: peak {peak_kb} kB");
        assert!(peak_kb < PEAK_KB_MAX, "{name}: peak {peak_kb} kB");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_xml_cannot_carry_are_read() {
    let store = seaweed::shared();
    let bucket = bucket(&store).await;
    let mut keys =
        ["p/1", "p/2\u{1}x", "p/3+a b%20%2B", "p/4\u{b}", "p/5\u{fffd}"].map(str::to_owned);
    for key in &keys {
        store.put(&bucket, key, key.clone()).await;
    }
    let proxy = FaultProxy::start(&store.endpoint, |_| Fault::None).await;
    let sources = Sources::new(small_parts(&store, &proxy.endpoint));
    let found = objects(&sources, &format!("s3://{bucket}/p/")).await.unwrap();
    assert!(proxy.requests().iter().any(|request| request.path.contains("encoding-type=url")));
    for object in &found {
        let (got, error) = read(&sources, object).await;
        assert!(error.is_none(), "{}: {error:?}", object.key);
        assert_eq!(format!("s3://{bucket}/{}", String::from_utf8(got).unwrap()), object.key);
    }
    let mut found: Vec<_> = found.into_iter().map(|object| object.key).collect();
    found.sort();
    keys.sort();
    assert_eq!(found, keys.map(|key| format!("s3://{bucket}/{key}")));

    // Some stores write what is no XML at all.
    let page = |keys: &str, more: &str| {
        let body = format!(
            "<ListBucketResult><IsTruncated>false</IsTruncated>{more}\
             <Contents><Key>{keys}</Key><Size>1</Size></Contents></ListBucketResult>"
        );
        Fault::Answer { status: 200, headers: Vec::new(), body: body.into() }
    };
    let proxy = FaultProxy::start(&store.endpoint, move |request| {
        match request.path.contains("encoding-type=url") {
            true => page("a%01+b%2B", "<EncodingType>url</EncodingType>"),
            false => page("a\u{1} b+", ""),
        }
    })
    .await;
    let sources = Sources::new(small_parts(&store, &proxy.endpoint));
    assert_eq!(objects(&sources, "s3://any/").await.unwrap()[0].key, "s3://any/a\u{1} b+");
    // And some do not know how to escape.
    let proxy = FaultProxy::start(&store.endpoint, move |_| page("a\u{fffd}+b%2B", "")).await;
    let sources = Sources::new(small_parts(&store, &proxy.endpoint));
    assert_eq!(objects(&sources, "s3://any/").await.unwrap()[0].key, "s3://any/a\u{fffd}+b%2B");
    let proxy = FaultProxy::start(&store.endpoint, move |_| page("a\u{1}", "")).await;
    let sources = Sources::new(small_parts(&store, &proxy.endpoint));
    let error = objects(&sources, "s3://any/").await.unwrap_err();
    assert!(error.to_string().contains("cannot be read"), "{error}");
}
