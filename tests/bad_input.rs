//! Bad input is normal input: bad records at known places among good ones. Each is refused with its code, its index and its
//! bytes; all others come out as if it were not there; by all means, in pieces, and to the reference.

use weir_engine::code::Code;
use weir_tests::case::{Crew, Subject};
use weir_tests::chunk::Cut;

const RECORD_BYTES_MAX: usize = 64 << 10;

/// Good records before the first bad one, between two, and behind the last.
const GOOD: usize = 40;

fn program(input: &str) -> String {
    format!(
        "weir 1\nparser \"bad\" version 1\nocsf \"1.8.0\"\nproduct \"Bad\" by \"Weir\"\ninput {input}\n\
         on error {{ required reject  optional skip }}\nraw keep\n\
         event {{ id = .id  time = meta.received_at  actor = \"a\"  action = \"b\"  target = .v on missing \"c\" }}\n\
         emit api_activity {{ activity_id = \"Read\"  actor.user.name = \"a\" }}\n"
    )
}

/// Bad records of JSON with their codes; none of them holds a line end.
fn bad() -> Vec<(Vec<u8>, Code)> {
    let deep = |open: &str, close: &str, count: usize| {
        format!("{{\"id\":\"bad\",\"v\":{}1{}}}", open.repeat(count), close.repeat(count))
            .into_bytes()
    };
    let long = |member: &str, size: usize| {
        let record = format!("{{\"id\":\"bad\",\"v\":{}", member.repeat(size / member.len() + 1));
        record.into_bytes()
    };
    let unsound: Vec<Vec<u8>> = vec![
        b"{".to_vec(),
        b"}".to_vec(),
        b"{\"id\"".to_vec(),
        b"{\"id\":\"bad\"".to_vec(),
        b"{\"id\":\"bad\",\"v\":{\"a\":1}".to_vec(),
        b"{\"id\":\"bad\",\"v\":[1,2}".to_vec(),
        b"{\"id\":\"bad\"]".to_vec(),
        b"{\"id\":\"bad\"}}".to_vec(),
        b"{\"id\":\"bad\"}{\"id\":\"bad\"}".to_vec(),
        b"{\"id\":\"bad\"} {".to_vec(),
        b"{\"id\":\"bad".to_vec(),
        b"{\"id\":\"bad\\\"}".to_vec(),
        b"{\"id\":\"bad\",\"v\":\"\\".to_vec(),
        b"{\"id\":\"bad\",\"v\":\"a\0b\"}".to_vec(),
        b"{\"id\":\"bad\",\"v\":\"a\tb\"}".to_vec(),
        b"{\"id\":\"bad\",\"v\":\"\xff\"}".to_vec(),
        b"{\"id\":\"bad\",\"v\":\"\xc3\"}".to_vec(),
        b"{\"id\":\"bad\",\"v\":\"\xed\xa0\x80\"}".to_vec(),
        b"{\"id\":\"bad\",\"v\":\"\xc0\xaf\"}".to_vec(),
        b"{\"id\":\"bad\"}\xf0\x9f\x98".to_vec(),
        b"\xef\xbb\xbf{\"id\":\"bad\"}".to_vec(),
        b"\xfe\xff\0{\0}".to_vec(),
        b"\0".to_vec(),
        b"\"".to_vec(),
        b"\\".to_vec(),
        b"null".to_vec(),
        b"[{\"id\":\"bad\"}]".to_vec(),
        deep("[", "]", 64),
        deep("{\"a\":", "}", 64),
        deep("[", "]", 10_000),
        deep("{\"a\":", "}", 5_000),
        deep("[{\"a\":", "}]", 5_000),
        deep("[", "", 10_000),
        deep("{\"a\":", "", 10_000),
        deep("", "]", 10_000),
        long("\"", 1_000),
        long("\\", 1_001),
        long("{", 60_000),
        long("\"never closed, ", 60_000),
    ];
    let too_long: Vec<Vec<u8>> = vec![
        long("x", RECORD_BYTES_MAX),
        long("\"", RECORD_BYTES_MAX),
        long("{", RECORD_BYTES_MAX),
        long("\0", RECORD_BYTES_MAX),
        long("\u{e9}", 3 * RECORD_BYTES_MAX),
        deep("[", "]", RECORD_BYTES_MAX),
    ];
    let unsound = unsound.into_iter().map(|record| (record, Code::Unsound));
    unsound.chain(too_long.into_iter().map(|record| (record, Code::TooLong))).collect()
}

/// Where bad records stand in an object.
#[derive(Debug, Default)]
struct Planted {
    object: Vec<u8>,
    /// Index, offset, line, size and code of each.
    refused: Vec<(u64, u64, u64, u64, Code)>,
    /// What the good ones are called, with their indices.
    good: Vec<(u64, String)>,
    records: u64,
}

impl Planted {
    fn good(&mut self, line_end: &[u8]) {
        let id = format!("good-{}", self.records);
        self.object.extend_from_slice(format!("{{\"id\":\"{id}\",\"v\":\"\\u00e9\"}}").as_bytes());
        self.object.extend_from_slice(line_end);
        self.good.push((self.records, id));
        self.records += 1;
    }

    fn bad(&mut self, record: &[u8], code: Code, line_end: &[u8]) {
        let line = 1 + self.object.iter().filter(|byte| **byte == b'\n').count() as u64;
        let place = (self.records, self.object.len() as u64, line, record.len() as u64, code);
        self.refused.push(place);
        self.object.extend_from_slice(record);
        self.object.extend_from_slice(line_end);
        self.records += 1;
    }

    /// What must come of it is what comes of it.
    #[track_caller]
    fn check(&self, subject: &Subject, cuts: &[Cut]) {
        let mapped = Crew::new(subject).agree_with_reference(&self.object, cuts);
        let outcome = mapped.outcome;
        let refused: Vec<_> = outcome
            .rejects
            .iter()
            .map(|it| (it.index, it.offset, it.object_line, it.size, it.code))
            .collect();
        assert_eq!(refused, self.refused);
        let events = outcome.events.iter().map(|(index, event)| (*index, event.id.clone()));
        assert_eq!(events.collect::<Vec<_>>(), self.good);
        assert_eq!(outcome.records, self.records);
    }
}

#[test]
fn a_bad_line_touches_no_other() {
    let subject = Subject::new("bad", &program("ndjson { max_record 64KiB }"));
    for (record, code) in bad() {
        let mut planted = Planted::default();
        for _ in 0..3 {
            (0..GOOD).for_each(|_| planted.good(b"\n"));
            planted.bad(&record, code, b"\n");
        }
        (0..GOOD).for_each(|_| planted.good(b"\n"));
        println!("{}", record[..record.len().min(200)].escape_ascii());
        planted.check(&subject, &[Cut::Every(1000), Cut::Random(1)]);
    }
}

#[test]
fn bad_lines_side_by_side_are_refused_one_by_one() {
    let subject = Subject::new("bad", &program("ndjson { max_record 64KiB }"));
    let mut planted = Planted::default();
    for round in 0..3 {
        for (record, code) in bad() {
            planted.bad(&record, code, b"\n");
            (0..round).for_each(|_| planted.good(b"\n"));
        }
    }
    planted.check(&subject, &[Cut::Every(4096), Cut::Random(2)]);
}

#[test]
fn a_bad_line_may_be_the_last_and_end_anywhere() {
    let subject = Subject::new("bad", &program("ndjson { max_record 64KiB }"));
    for (record, code) in bad() {
        let mut planted = Planted::default();
        planted.good(b"\n");
        planted.bad(&record, code, b"");
        planted.check(&subject, &[Cut::Every(63)]);
    }
}

/// `\n`, `\r\n` and blank lines end records; a lone `\r` is white space.
#[test]
fn line_ends_may_be_mixed() {
    let subject = Subject::new("bad", &program("ndjson { }"));
    let mut planted = Planted::default();
    planted.object.extend_from_slice(b"\xef\xbb\xbf");
    for line_end in ["\n", "\r\n", "\n\n", "\r\n\r\n", "\n\r\n", " \r\n\t\n", "\n \n", "\r\r\n"] {
        for _ in 0..70 {
            planted.good(line_end.as_bytes());
        }
        planted.bad(b"{\"id\":\"bad\"", Code::Unsound, b"\n");
        planted.bad(b"{\"id\":\"a\"}\r{\"id\":\"b\"}", Code::Unsound, b"\r\n");
    }
    planted.good(b"");
    planted.check(&subject, &[Cut::Bytes, Cut::Random(3)]);
}

/// Where the records of an array are is still known behind a record that is unsound for a reason inside it.
#[test]
fn a_bad_element_touches_no_other_if_its_brackets_close() {
    let subject = Subject::new("bad", &program("json { records $.data[*]  max_record 64KiB }"));
    let closed: [&[u8]; 8] = [
        b"{\"id\":\"bad\",\"v\":\"\xff\"}",
        b"{\"id\":\"bad\",\"v\":\"a\0b\"}",
        b"{\"id\":\"bad\",\"v\":\"a\nb\"}",
        b"{\"id\":\"bad\",\"v\":[1}}",
        b"[{\"id\":\"bad\"}]",
        b"null",
        b"\"text \\\" ]}\"",
        b"word",
    ];
    let deep = format!("{{\"id\":\"bad\",\"v\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let records = closed.iter().map(|record| (record.to_vec(), Code::Unsound));
    let too_long = format!("{{\"id\":\"bad\",\"v\":\"{}\"}}", "]}".repeat(RECORD_BYTES_MAX));
    let rest = [(deep.into_bytes(), Code::Unsound), (too_long.into_bytes(), Code::TooLong)];
    for (record, code) in records.chain(rest) {
        let mut planted = Planted { object: b"{\"data\":[".to_vec(), ..Planted::default() };
        (0..GOOD).for_each(|_| planted.good(b",\n"));
        planted.bad(&record, code, b" , ");
        (0..GOOD).for_each(|_| planted.good(b","));
        planted.bad(&record, code, b"");
        planted.object.extend_from_slice(b"]}\n");
        println!("{}", record[..record.len().min(200)].escape_ascii());
        planted.check(&subject, &[Cut::Every(777), Cut::Random(4)]);
    }
}

/// Behind a fault in the framing nothing is known: the rest is one reject, and what stood before it comes out.
#[test]
fn a_broken_document_ends_where_it_broke() {
    let subject = Subject::new("bad", &program("json { records $.data[*]  max_record 64KiB }"));
    // What stands behind the last record.
    let faults: [&[u8]; 9] = [
        b"",
        b",",
        b",{\"id\":\"cut",
        b",{\"id\":\"cut\"",
        b"}",
        b"]]",
        b"],\"x\":\"\0\"}",
        b"],\"x\":tru}",
        b" {\"id\":\"no comma\"}]}",
    ];
    for fault in faults {
        let mut planted = Planted { object: b"{\"data\":[".to_vec(), ..Planted::default() };
        (0..GOOD - 1).for_each(|_| planted.good(b",\n"));
        planted.good(b"");
        let behind = planted.object.len() as u64;
        planted.object.extend_from_slice(fault);
        let mapped = Crew::new(&subject).agree_with_reference(&planted.object, &[Cut::Bytes]);
        let outcome = mapped.outcome;
        let shown = fault.escape_ascii();
        assert_eq!(outcome.events.len(), GOOD, "{shown}");
        assert_eq!(outcome.rejects.len(), 1, "{shown}");
        let reject = &outcome.rejects[0];
        assert_eq!(
            (reject.code, reject.index, reject.offset),
            (Code::Unsound, GOOD as u64, behind)
        );
        assert_eq!(reject.offset + reject.size, planted.object.len() as u64, "{shown}");
    }
}

/// Never closed, however deep: no stack and no memory grows with it.
#[test]
fn brackets_that_never_close_are_one_reject() {
    for input in ["json { }", "json { records $.data[*] }", "json { records $[*] }"] {
        let subject = Subject::new("bad", &program(input));
        for piece in
            ["[", "{\"a\":", "[{\"a\":", "{\"data\":[", "\"", "{\"a\":\"", "\\", "{\"data\":[[["]
        {
            let object = piece.repeat(20_000 / piece.len());
            let mapped =
                Crew::new(&subject).agree_with_reference(object.as_bytes(), &[Cut::Random(5)]);
            assert_eq!(mapped.outcome.events.len(), 0);
            assert!(!mapped.outcome.rejects.is_empty(), "{input} of {piece}");
        }
    }
}

/// A quote that never closes swallows lines up to `max_record`; behind the next line end rows are rows again.
#[test]
fn bad_rows_touch_no_other() {
    let subject = Subject::new("bad", &program("csv { max_record 1KiB }"));
    let rows: [(&[u8], Code); 7] = [
        (b"bad,\xff", Code::Unsound),
        (b"bad,\xc3", Code::Unsound),
        (b"\"bad\",\"\xed\xa0\x80\"", Code::Unsound),
        (b"bad,a,b", Code::TooManyCells),
        (b"bad,,", Code::TooManyCells),
        (b"\"bad\",a\r,b", Code::TooManyCells),
        (b"bad,\"a\",\"b\",\"c\"", Code::TooManyCells),
    ];
    let too_long = [format!("bad,{}", "x".repeat(1024)), format!("bad,\"{}\"", "x,".repeat(600))];
    let rows = rows.iter().map(|(row, code)| (row.to_vec(), *code));
    let all: Vec<_> = rows.chain(too_long.map(|row| (row.into_bytes(), Code::TooLong))).collect();
    for line_end in ["\n", "\r\n"] {
        let mut planted =
            Planted { object: format!("id,v{line_end}").into_bytes(), ..Planted::default() };
        for (row, code) in &all {
            for _ in 0..GOOD {
                let id = format!("good-{}", planted.records);
                let row = format!("{id},\"a \"\"b\"\", {line_end}c\"{line_end}");
                planted.object.extend_from_slice(row.as_bytes());
                planted.good.push((planted.records, id));
                planted.records += 1;
            }
            planted.bad(row, *code, line_end.as_bytes());
        }
        if line_end == "\r\n" {
            // The size of a row that is refused unread includes its `\r`.
            for (_, _, _, size, code) in &mut planted.refused {
                *size += u64::from(*code == Code::TooLong);
            }
        }
        planted.check(&subject, &[Cut::Bytes, Cut::Random(6)]);
    }
}
