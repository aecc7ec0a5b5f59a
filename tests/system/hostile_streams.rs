//! Streams as they should not be, through the whole program: what is wrong is refused or reported with its exact place,
//! everything else is mapped, and memory stays within its bounds.
//!
//! `WEIR_STREAM_MEGABYTES=10240` and `WEIR_LINE_MEGABYTES=4096` make what goes through standard input larger; it is made as
//! it goes, and nothing of it is on a disk.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{ChildStdin, Output, Stdio};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tempfile::TempDir;
use weir_system_tests::binary::weir_command;
use weir_system_tests::memory::{MEMORY_BYTES_MAX, watch};

const MEBIBYTE: usize = 1 << 20;

/// The program, for one kind of input.
fn program(input: &str) -> String {
    format!(
        r#"weir 1
parser "hostile" version 1
ocsf "1.8.0"
product "AI Gateway" by "Acme"
input {input}
on error {{ required reject  optional skip }}
event {{
  id     = .id
  time   = .time |> timestamp
  actor  = .actor
  action = "act"
  target = "t"
}}
emit api_activity {{
  activity_id     = "Other"
  actor.user.uid  = .actor
  src_endpoint.ip = "10.0.0.1"
}}
"#
    )
}

fn record(id: usize) -> String {
    format!(r#"{{"id":"{id}","time":"2026-04-10T08:09:10Z","actor":"someone"}}"#)
}

fn lines(ids: impl IntoIterator<Item = usize>) -> Vec<u8> {
    ids.into_iter().flat_map(|id| (record(id) + "\n").into_bytes()).collect()
}

/// A folder with a program and inputs.
struct Folder(TempDir);

/// What a run came to.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    ids: Vec<usize>,
    /// Of each reject its code, index, line, first byte and the byte behind its last.
    rejects: Vec<(String, u64, u64, u64, u64)>,
    said: String,
}

impl Folder {
    fn new(input: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.file("p.weir", program(input).as_bytes());
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    /// Runs the program over inputs, on four threads, with `write` behind standard input.
    fn run_with(
        &self,
        inputs: &[&str],
        write: impl FnOnce(&mut ChildStdin) -> io::Result<()>,
    ) -> (Ran, u64) {
        let mut process = weir_command(["run", "p.weir", "--output", "event", "--threads", "4"])
            .args(["--rejects", "rejects.ndjson"])
            .args(inputs)
            .current_dir(self.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let watcher = watch(&process);
        let mut stdin = process.stdin.take().unwrap();
        let output = thread::scope(|scope| {
            let waiting = scope.spawn(|| process.wait_with_output().unwrap());
            write(&mut stdin).unwrap();
            drop(stdin);
            waiting.join().unwrap()
        });
        (self.ran(&output), watcher.join().unwrap())
    }

    fn run(&self, inputs: &[&str]) -> Ran {
        self.run_with(inputs, |_| Ok(())).0
    }

    fn ran(&self, output: &Output) -> Ran {
        let parse = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        let out = String::from_utf8(output.stdout.clone()).unwrap();
        let ids = out.lines().map(|line| {
            let id = parse(line)["source_event_id"].as_str().unwrap().to_owned();
            id.parse().unwrap()
        });
        let rejects = fs::read_to_string(self.path("rejects.ndjson")).unwrap();
        let rejects = rejects.lines().map(|line| {
            let reject = parse(line);
            let number = |name: &str| reject[name].as_u64().unwrap();
            let code = reject["code"].as_str().unwrap().to_owned();
            let (index, line) = (number("record_index"), number("input_line"));
            (code, index, line, number("byte_offset"), number("end_offset"))
        });
        Ran {
            code: output.status.code(),
            ids: ids.collect(),
            rejects: rejects.collect(),
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A frame that says how large its content is, with a checksum.
fn zstd_frame(data: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.set_pledged_src_size(Some(data.len() as u64)).unwrap();
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn megabytes(variable: &str, default: usize) -> usize {
    let text = std::env::var(variable).ok();
    text.map_or(default, |text| text.parse().expect("megabytes are a number"))
}

// ------------------------------------------------------------------------------------ broken lines

/// Lines of every kind between good ones: each bad one is refused with its place, each good one is mapped.
#[test]
fn bad_lines_are_refused_where_they_are() {
    let good = |id: usize| record(id).into_bytes();
    let nested = |open: &str, close: &str| {
        format!(r#"{{"id":"1","deep":{}1{}}}"#, open.repeat(10_000), close.repeat(10_000))
            .into_bytes()
    };
    let bad: Vec<(&str, Vec<u8>)> = vec![
        ("R1002", b"\0".to_vec()),
        ("R1002", b"\0\0\0\0{}".to_vec()),
        ("R1002", record(1).replace("someone", "some\0one").into_bytes()),
        ("R1002", [b"\xef\xbb\xbf", &good(1)[..]].concat()),
        ("R1002", [&good(1)[..], b"\r", &good(1)].concat()),
        ("R1002", nested("[", "]")),
        ("R1002", nested("{\"a\":", "}")),
        ("R1002", br#"{"id":"never closed"#.to_vec()),
        ("R1002", br#"{"id":"an escape at the end\"#.to_vec()),
        ("R1002", [&good(1)[..], b"}"].concat()),
        ("R1002", good(1)[..good(1).len() - 1].to_vec()),
        ("R1002", br#"{"id":["1"}]"#.to_vec()),
        ("R1002", b"]]]]]]]]".to_vec()),
        ("R1002", b"[[[[[[[[".to_vec()),
        ("R1002", b"{\"id\":\"\xff\xfe\"}".to_vec()),
        ("R1002", b"\"a text\"".to_vec()),
        ("R1001", [br#"{"id":""#, &vec![b'x'; 2 * MEBIBYTE][..], b"\"}"].concat()),
        ("R1001", vec![0; MEBIBYTE + 1]),
    ];
    let mut stream = b"\xef\xbb\xbf".to_vec();
    let mut wanted = Vec::new();
    for (number, (code, line)) in bad.iter().enumerate() {
        // Line ends of both kinds, and lines with nothing on them, which are no records.
        stream.extend([&good(2 * number)[..], b"\r\n", b" \t\r\n"].concat());
        let (index, start) = (2 * number as u64, stream.len() as u64);
        // Two lines for each good record, one for each bad one.
        let (line_number, end) = (3 * number as u64 + 3, start + line.len() as u64);
        wanted.push(((*code).to_owned(), index + 1, line_number, start, end));
        stream.extend([&line[..], b"\n"].concat());
    }
    // And one that the end of the stream cuts off.
    let (start, end) = (stream.len() as u64, stream.len() as u64 + 10);
    let (index, line) = (2 * bad.len() as u64, 3 * bad.len() as u64 + 1);
    stream.extend(&good(1)[..10]);
    wanted.push(("R1002".to_owned(), index, line, start, end));
    let ids: Vec<usize> = (0..bad.len()).map(|number| 2 * number).collect();

    let folder = Folder::new("ndjson { max_record 1MiB }");
    folder.file("plain", &stream);
    folder.file("gzip", &gzip(&stream));
    folder.file("zstd", &zstd_frame(&stream));
    for name in ["plain", "gzip", "zstd"] {
        let ran = folder.run(&[name]);
        assert_eq!(ran.rejects, wanted, "{name}");
        assert_eq!((ran.code, &ran.ids), (Some(0), &ids), "{name}: {}", ran.said);
    }
    let (ran, _) = folder.run_with(&["-"], |stdin| stdin.write_all(&stream));
    assert_eq!((ran.rejects, ran.ids), (wanted, ids));
}

/// In a document, what is broken inside a record is that record's. Where nothing can be told apart any more, the rest is
/// one reject. The next object is read in any case.
#[test]
fn a_broken_document_is_mapped_up_to_the_break() {
    let folder = Folder::new("json { records $.data[*]  max_record 1MiB }");
    folder.file("good", format!(r#"{{"data":[{}]}}"#, record(7)).as_bytes());
    let head = format!(r#"{{"data":[{},{},"#, record(0), record(1));
    let two = record(2);
    // What stands between the records 1 and 4, which of the others are mapped, and which places are refused: from and
    // to, counted from there; or to the end of the document.
    let end = i64::MAX;
    type Case<'c> = (&'c str, &'c [usize], &'c [(i64, i64)]);
    let cases: [Case<'_>; 8] = [
        (r#"{"id":"2"]"#, &[4], &[(0, 10)]),
        ("\0", &[4], &[(0, 1)]),
        ("nonsense", &[4], &[(0, 8)]),
        (r#"{"id":"never closed"#, &[], &[(-1, end)]),
        (&[&two[..], &record(3)].concat(), &[2], &[(two.len() as i64, end)]),
        (&"[".repeat(10_000), &[], &[(-1, end)]),
        ("]", &[], &[(-1, end)]),
        ("}", &[], &[(-1, end)]),
    ];
    for (broken, mapped, refused) in cases {
        let document = format!("{head}{broken},{}]}}", record(4));
        folder.file("document", document.as_bytes());
        let ran = folder.run(&["document", "good"]);
        let what = &broken[..broken.len().min(20)];
        let wanted = [&[0, 1], mapped, &[7]].concat();
        assert_eq!((ran.code, &ran.ids), (Some(0), &wanted), "{what}: {}", ran.said);
        let places = ran.rejects.iter().map(|(code, _, _, start, end)| {
            assert_eq!(code, "R1002", "{what}");
            (*start, *end)
        });
        let place =
            |at: i64| (head.len() as u64).saturating_add_signed(at).min(document.len() as u64);
        let wanted = refused.iter().map(|(start, end)| (place(*start), place(*end)));
        assert_eq!(places.collect::<Vec<_>>(), wanted.collect::<Vec<_>>(), "{what}");
    }
}

/// A quote that never closes takes what follows it, up to the longest record; then the rows go on.
#[test]
fn a_quote_that_never_closes_ends_with_the_longest_record() {
    let folder = Folder::new("csv { header first_row  max_record 4KiB }");
    let row = |id: usize| format!("{id},2026-04-10T08:09:10Z,someone\n");
    let rows = |ids: std::ops::Range<usize>| ids.map(row).collect::<String>();
    let text = format!("id,time,actor\n{}9,\"2026{}", rows(0..3), rows(10..1000));
    folder.file("rows.csv", text.as_bytes());
    let ran = folder.run(&["rows.csv"]);
    let start = "id,time,actor\n".len() + rows(0..3).len();
    assert_eq!(ran.rejects.len(), 1, "{ran:?}");
    let (code, index, line, from, to) = &ran.rejects[0];
    assert_eq!((code.as_str(), *index, *line, *from), ("R1001", 3, 5, start as u64));
    assert!((4096..4200).contains(&(to - from)), "{ran:?}");
    let last: Vec<usize> = (900..1000).collect();
    assert!(ran.ids.starts_with(&[0, 1, 2]) && ran.ids.ends_with(&last), "{ran:?}");
}

// ------------------------------------------------------------------------------- lying compression

/// What comes before damage is mapped, the error names object and byte, and the next object is read.
#[test]
fn damage_in_the_middle_costs_only_what_is_behind_it() {
    let folder = Folder::new("ndjson { max_record 1MiB }");
    folder.file("good.ndjson", &lines([7_000_000]));
    for (name, encode) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("zstd", zstd_frame)] {
        // Small members, of which several are decoded at a time, and large ones.
        for (members, records) in [(60, 2_000), (3, 40_000)] {
            let part = |number: usize| lines(number * records..(number + 1) * records);
            let stored: Vec<Vec<u8>> = (0..members).map(|number| encode(&part(number))).collect();
            let hurt = members / 2;
            let start: usize = stored[..hurt].iter().map(Vec::len).sum();
            let mut flipped = stored.concat();
            let place = start + stored[hurt].len() / 2;
            flipped[place..place + 8].fill(0x55);
            let cut_off = &stored.concat()[..place];
            let mut wrong_sum = stored.concat();
            // In gzip the size, in zstd the checksum: each the last thing of its member.
            wrong_sum[start + stored[hurt].len() - 1] ^= 1;
            for (kind, object, whole) in [
                ("flipped", &flipped[..], hurt),
                ("cut off", cut_off, hurt),
                ("sum", &wrong_sum, hurt + 1),
            ] {
                let what = format!("{name}, {members} members, {kind}");
                folder.file("object", object);
                let ran = folder.run(&["object", "good.ndjson"]);
                assert_eq!(ran.code, Some(1), "{what}: {}", ran.said);
                let message = format!("object`: damaged {name} data near compressed byte ");
                let said = ran
                    .said
                    .split(&message)
                    .nth(1)
                    .unwrap_or_else(|| panic!("{what}: {}", ran.said));
                let offset: usize = said.split(' ').next().unwrap().parse().unwrap();
                let end = start + stored[hurt].len();
                assert!(
                    (start..=end).contains(&offset),
                    "{what}: {offset} is not in {start}..={end}"
                );
                // All of the members before, in order, then perhaps some of the one that is damaged; with a
                // wrong sum that is all of it, or all but the last buffer.
                let (last, before) = ran.ids.split_last().unwrap();
                assert_eq!(*last, 7_000_000, "{what}");
                // What comes of flipped bytes may be anything, until the checksum tells.
                let sure = if kind == "flipped" { hurt * records } else { before.len() };
                assert!(
                    before.get(..sure).is_some_and(|ids| ids.iter().copied().eq(0..sure)),
                    "{what}"
                );
                assert!(
                    before.len() >= hurt * records && before.len() <= (hurt + 1) * records,
                    "{what}"
                );
                assert!(
                    name == "zstd" || kind != "sum" || before.len() == whole * records,
                    "{what}"
                );
            }
        }
    }
}

#[test]
fn a_frame_that_lies_about_its_size_is_damaged() {
    let folder = Folder::new("ndjson { max_record 1MiB }");
    let data = lines(0..3_000);
    let mut frame = zstd_frame(&data);
    // Magic number, descriptor, then the size in four bytes, or behind the window in four bytes.
    let place = if frame[4] & 0x20 == 0 { 6 } else { 5 };
    let size = u32::from_le_bytes(frame[place..place + 4].try_into().unwrap());
    assert_eq!(size as usize, data.len());
    frame[place..place + 4].copy_from_slice(&(size + 1).to_le_bytes());
    folder.file("object", &[zstd_frame(&data), frame].concat());
    let ran = folder.run(&["object"]);
    assert_eq!(ran.code, Some(1), "{}", ran.said);
    assert!(ran.said.contains("object`: damaged zstd data near compressed byte"), "{}", ran.said);
    assert!(ran.ids.len() >= 3_000 && ran.ids[..3_000].iter().copied().eq(0..3_000));
}

#[test]
fn what_stands_behind_the_last_member_is_told() {
    let folder = Folder::new("ndjson { max_record 1MiB }");
    let stored = gzip(&lines(0..10));
    folder.file("object", &[&stored[..], b"and more"].concat());
    let ran = folder.run(&["object"]);
    assert!(ran.code == Some(0) && ran.ids.iter().copied().eq(0..10), "{ran:?}");
    let wanted = format!("bytes after the last gzip member, at {}, ignored", stored.len());
    assert!(ran.said.contains(&wanted), "{}", ran.said);
}

#[test]
fn bombs_end_at_their_limit() {
    let folder = Folder::new("ndjson { max_record 1MiB }");
    folder.file("good.ndjson", &lines([5]));
    let zeros = vec![b'\n'; 200 * MEBIBYTE];
    for (name, stored) in [("gzip", gzip(&zeros)), ("zstd", zstd_frame(&zeros))] {
        // Also in a member of many, which are decoded several at a time.
        let small: Vec<u8> = (0..40).flat_map(|_| gzip(&lines(0..2_000))).collect();
        let objects = if name == "gzip" {
            vec![stored.clone(), [small, stored].concat()]
        } else {
            vec![stored]
        };
        for object in objects {
            folder.file("object", &object);
            let (ran, peak) = folder.run_with(&["object", "good.ndjson"], |_| Ok(()));
            if ran.code == Some(0) {
                // Fast gzip does not reach the ratio.
                assert!(name == "gzip" && zeros.len() / object.len() < 1000, "{}", ran.said);
            } else {
                assert!(
                    ran.said.contains("ratio_max = 1000:1 passed at compressed byte"),
                    "{}",
                    ran.said
                );
            }
            assert_eq!(ran.ids.last(), Some(&5));
            assert!(peak > 0 && peak < MEMORY_BYTES_MAX, "{name}: peak memory {peak} bytes");
        }
    }
}

// ----------------------------------------------------------------------------------- without an end

/// Lines that go on and on, and one that is good behind each of them.
#[test]
fn endless_lines_are_refused_in_little_memory() {
    let folder = Folder::new("ndjson { max_record 1MiB }");
    let sizes = [100, megabytes("WEIR_LINE_MEGABYTES", 300)];
    let (ran, peak) = folder.run_with(&["-"], |stdin| {
        let part = vec![b'x'; MEBIBYTE];
        for (id, size) in sizes.iter().enumerate() {
            stdin.write_all(br#"{"id":""#)?;
            for _ in 0..*size {
                stdin.write_all(&part)?;
            }
            stdin.write_all(b"\"}\n")?;
            stdin.write_all(&lines([id]))?;
        }
        // The last line has no end either.
        (0..100).try_for_each(|_| stdin.write_all(&part))
    });
    let mut start = 0;
    let mut wanted = Vec::new();
    for (number, size) in sizes.iter().enumerate() {
        let (index, line) = (2 * number as u64, 2 * number as u64 + 1);
        let end = start + (size * MEBIBYTE + br#"{"id":""}"#.len()) as u64;
        wanted.push(("R1001".to_owned(), index, line, start, end));
        start = end + 1 + lines([number]).len() as u64;
    }
    wanted.push(("R1001".to_owned(), 4, 5, start, start + 100 * MEBIBYTE as u64));
    assert_eq!(ran.rejects, wanted, "{}", ran.said);
    assert_eq!((ran.code, ran.ids), (Some(0), vec![0, 1]));
    assert!(peak > 0 && peak < MEMORY_BYTES_MAX, "peak memory {peak} bytes");
}

/// However much comes: memory stays where it is. Records are long and short, plain and compressed, and events are not
/// taken faster than they are wanted.
#[test]
fn a_long_stream_needs_little_memory() {
    let size = megabytes("WEIR_STREAM_MEGABYTES", 192);
    let short = lines(0..20_000);
    // Nothing that compresses so well that it is taken for a bomb.
    let mut random = fastrand::Rng::with_seed(1);
    let text: String = (0..900_000).map(|_| random.alphanumeric()).collect();
    let long = format!(r#"{{"id":"1","time":"2026-04-10T08:09:10Z","actor":"a","text":"{text}"}}"#);
    let long = (long + "\n").repeat(2).into_bytes();
    for (name, part) in
        [("short", &short), ("long", &long), ("gzip", &gzip(&short)), ("zstd", &zstd_frame(&long))]
    {
        let plain = if matches!(name, "short" | "gzip") { &short } else { &long };
        let count = size * MEBIBYTE / plain.len();
        let folder = Folder::new("ndjson { max_record 1MiB }");
        let mut process =
            weir_command(["run", "p.weir", "-", "--output", "none", "--threads", "4", "--stats"])
                .current_dir(folder.0.path())
                .stdin(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
        let watcher = watch(&process);
        let mut stdin = process.stdin.take().unwrap();
        (0..count).for_each(|_| stdin.write_all(part).unwrap());
        drop(stdin);
        let output = process.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{name}: {said}");
        let stats: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
        let records = count * plain.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(stats["records"], records, "{name}: {said}");
        let peak = watcher.join().unwrap();
        assert!(peak > 0 && peak < MEMORY_BYTES_MAX, "{name}: peak memory {peak} bytes");
    }
}
