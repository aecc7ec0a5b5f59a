//! Texts that JSON has, and texts that it has not, at every place where one may stand: what the engine makes of each is
//! written in a table (`conformance/json.table`), and the same by all means, at any offset in a block of 64 bytes, in any
//! chunking, and to the reference; and its neighbours do not notice.
//!
//! The table says of a text, in this order:
//!
//! - whether RFC 8259 takes it (`y`), refuses it (`n`), or leaves it to the implementation (`i`);
//! - whether serde_json and simd-json take it (`+`, `-`). A line on which they do not do what the RFC says has a comment
//!   above it that starts with `# peers:` and gives the reason;
//! - what becomes of it at each [`Place`];
//! - its name and the text. `%XX` stands for a byte, `%%` for a percent sign, `%*3(ab)` for `ababab`.
//!
//! What becomes of it is one word for each record that it gives: `ok`, `missing` or `bad` as the value was found, or the
//! code of a reject, `x3` behind it if it is so for three in a row; `none` if it gives no record. `!` behind them says that the record behind did not come out, one
//! before them that neither did the record before.
//!
//! `WEIR_UPDATE=1` writes the words; look at the difference.

use std::any::Any;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde_json::Value;
use weir_tests::case::{Crew, Subject};
use weir_tests::chunk::{Cut, Mapped};
use weir_tests::golden;
use weir_tests::outcome::{Event, Outcome};

/// Texts up to this size stand at all offsets of a block, larger ones at a few.
const SHIFTED_BYTES_MAX: usize = 300;

/// Where a text stands, and what is read of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    /// A line of NDJSON.
    Record,
    /// The value of a member that nobody reads.
    Unread,
    /// The same under `utf8 replace`.
    Replaced,
    /// The value of a member that is read as JSON; `bad` things reject the record.
    Json,
    /// The value of a member that is read as a text and as a number.
    Text,
    /// An element of an array document.
    Element,
    /// The value of a member of the document around the records.
    Wrapper,
}

impl Place {
    const ALL: [Self; 7] = [
        Self::Record,
        Self::Unread,
        Self::Replaced,
        Self::Json,
        Self::Text,
        Self::Element,
        Self::Wrapper,
    ];

    fn program(self) -> String {
        let input = match self {
            Self::Element => "json { records $[*] }",
            Self::Wrapper => "json { records $.data[*] }",
            Self::Replaced => "ndjson { utf8 replace }",
            Self::Record | Self::Unread | Self::Json | Self::Text => "ndjson { }",
        };
        let (target, values) = match self {
            Self::Json => (".b on missing \"none\"", "unmapped.v = .a"),
            Self::Text => (
                ".a on missing \"missing\" on invalid \"bad\"",
                "unmapped.n = .a |> decimal on missing skip on invalid skip",
            ),
            _ => (".b on missing \"none\"", "unmapped.b = .b"),
        };
        format!(
            "weir 1\nparser \"place\" version 1\nocsf \"1.8.0\"\nproduct \"Place\" by \"Weir\"\n\
             input {input}\non error {{ required reject  optional reject }}\nraw keep\n\
             event {{ id = .id  time = meta.received_at  actor = \"a\"  action = \"b\"  target = {target} }}\n\
             emit api_activity {{ activity_id = \"Read\"  actor.user.name = \"a\"  {values} }}\n"
        )
    }

    /// An object with the text, so many bytes further behind; and the same without it.
    fn objects(self, text: &[u8], shift: usize) -> [Vec<u8>; 2] {
        let padding = "p".repeat(shift);
        let before = format!("{{\"id\":\"before\",\"p\":\"{padding}\",\"b\":\"1\"}}");
        let after = "{\"id\":\"after\",\"b\":\"2\"}";
        let [front, separator, back] = match self {
            Self::Element => ["[", ",", "]"],
            Self::Wrapper => ["{\"data\":[", ",", "]}"],
            _ => ["", "\n", "\n"],
        };
        let without = format!("{front}{before}{separator}{after}{back}").into_bytes();
        let with = match self {
            Self::Record | Self::Element => {
                let (front, back) =
                    (format!("{front}{before}{separator}"), format!("{separator}{after}{back}"));
                [front.as_bytes(), text, back.as_bytes()].concat()
            }
            Self::Wrapper => {
                let front = format!("{{\"p\":\"{padding}\",\"a\":");
                let back = format!(",\"data\":[{before},{after}]}}");
                [front.as_bytes(), text, back.as_bytes()].concat()
            }
            Self::Unread | Self::Replaced | Self::Json | Self::Text => {
                let [front, back] = member();
                let (front, back) = (format!("{before}\n{front}"), format!("{back}\n{after}\n"));
                [front.as_bytes(), text, back.as_bytes()].concat()
            }
        };
        [with, without]
    }
}

/// What stands around a text that is the value of a member.
fn member() -> [&'static str; 2] {
    ["{\"id\":\"in\",\"a\":", ",\"b\":1}"]
}

/// What comes of the neighbours alone, at each place and offset.
type Neighbours = HashMap<(Place, usize), Outcome>;

/// A line of the table.
#[derive(Debug, Clone)]
struct Line {
    verdict: String,
    peers: String,
    words: Vec<String>,
    name: String,
    written: String,
    text: Vec<u8>,
}

impl Line {
    /// None if it is a comment.
    fn read(line: &str) -> Option<Self> {
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let mut rest = line;
        let mut column = || {
            let (word, behind) = rest.split_once(' ').unwrap_or((rest, ""));
            rest = behind.trim_start_matches(' ');
            word.to_owned()
        };
        let (verdict, peers) = (column(), column());
        let words = Place::ALL.iter().map(|_| column()).collect();
        let name = column();
        Some(Self { verdict, peers, words, name, written: rest.to_owned(), text: decoded(rest) })
    }

    fn write(&self, to: &mut String) {
        let _ = write!(to, "{} {} ", self.verdict, self.peers);
        for word in &self.words {
            let _ = write!(to, "{word:<8} ");
        }
        let line = format!("{:<40} {}", self.name, self.written);
        to.push_str(line.trim_end());
        to.push('\n');
    }

    /// What the table should say about it.
    fn judged(&self, crews: &mut [Crew<'_>], neighbours: &mut Neighbours) -> Self {
        let crews = Place::ALL.iter().zip(crews);
        let words = crews.map(|(&place, crew)| self.word(place, crew, neighbours));
        let words = words.collect();
        Self { peers: peers(&self.text), words, ..self.clone() }
    }

    fn word(&self, place: Place, crew: &mut Crew<'_>, neighbours: &mut Neighbours) -> String {
        let is_large = self.text.len() > SHIFTED_BYTES_MAX;
        let step = match place {
            _ if is_large => 31,
            Place::Record | Place::Unread | Place::Json => 3,
            Place::Replaced | Place::Text | Place::Element | Place::Wrapper => 9,
        };
        let mut word: Option<String> = None;
        for shift in (0..=64).step_by(step) {
            let [with, without] = place.objects(&self.text, shift);
            let neighbours = neighbours.entry((place, shift));
            let neighbours = neighbours.or_insert_with(|| crew.agree(&without, &[]).outcome);
            let mapped = match shift {
                0 | 27 | 62 | 63 => {
                    crew.agree_with_reference(&with, &[Cut::Bytes, Cut::Random(shift as u64)])
                }
                _ => crew.agree(&with, &[]),
            };
            let found = outcome(place, &mapped, neighbours);
            self.check_value(place, &mapped);
            let word = word.get_or_insert_with(|| found.clone());
            assert_eq!(*word, found, "{place:?} at another offset, {shift}");
        }
        word.unwrap_or_default()
    }

    /// A value that comes out is the one that serde_json reads.
    fn check_value(&self, place: Place, mapped: &Mapped) {
        let Ok(value) = serde_json::from_slice::<Value>(&self.text) else { return };
        let mut events = mapped.outcome.events.iter().map(|(_, event)| event);
        let Some(event) = events.find(|event| event.id == "in") else { return };
        match (place, &value) {
            (Place::Text, Value::String(text)) if !text.is_empty() => {
                assert_eq!(&event.target, text);
            }
            (Place::Json, value) if !value.is_null() && value != "" => {
                let event: Value = serde_json::from_str(&event.ocsf).expect("an event is JSON");
                assert_eq!(&event["unmapped"]["v"], value);
            }
            _ => {}
        }
    }

    /// What must hold of every line, whatever the table says.
    fn slips(&self, explained: bool) -> Vec<String> {
        let mut slips = Vec::new();
        let mut expect = |holds: bool, what: &str| {
            if !holds {
                slips.push(format!("{}: {what}", self.name));
            }
        };
        let word = |place| {
            let at = Place::ALL.iter().position(|it| *it == place).expect("all places are listed");
            self.words[at].as_str()
        };
        let as_the_rfc_says = match self.verdict.as_str() {
            "y" => self.peers == "++",
            "n" => self.peers == "--",
            "i" => true,
            _ => false,
        };
        expect(
            as_the_rfc_says || explained,
            "serde_json or simd-json differ, and nothing says why",
        );
        let [front, back] = member();
        let record = [front.as_bytes(), &self.text, back.as_bytes()].concat();
        // A line end between tokens is white space to JSON, and ends a record.
        let breaks = record.contains(&b'\n');
        let is_valid = serde_json::from_slice::<Value>(&record).is_ok();
        if self.verdict == "y" && !breaks {
            expect(is_valid, "serde_json refuses it as the value of a member");
            expect(word(Place::Unread) == "ok", "refused where nobody reads it");
        }
        if is_valid && !breaks && self.verdict != "i" {
            expect(matches!(word(Place::Json), "ok" | "missing"), "refused as JSON");
            expect(word(Place::Wrapper) == "none", "refused in the document around the records");
        }
        if !is_valid && self.verdict == "n" {
            let words = word(Place::Json).split(',');
            let of_parts = is_several(&record) || begins_with_a_value(&self.text);
            expect(of_parts || words.clone().all(|word| word.starts_with('R')), "taken as JSON");
            expect(word(Place::Wrapper).contains('R'), "taken in the document around the records");
        }
        if word(Place::Unread).contains('R') {
            expect(word(Place::Json).contains('R'), "refused only where nobody reads it");
        }
        slips
    }
}

/// Lines of which each is a record of its own.
fn is_several(record: &[u8]) -> bool {
    let mut lines = record.split(|byte| *byte == b'\n');
    record.contains(&b'\n') && lines.any(|line| serde_json::from_slice::<Value>(line).is_ok())
}

/// As the value of a member, it ends that member and goes on with things that are none: nobody looks at those.
fn begins_with_a_value(text: &[u8]) -> bool {
    let commas = (0..text.len()).filter(|at| text[*at] == b',').take(20);
    commas.into_iter().any(|comma| serde_json::from_slice::<Value>(&text[..comma]).is_ok())
}

/// The words for what came of a text.
fn outcome(place: Place, mapped: &Mapped, neighbours: &Outcome) -> String {
    let outcome = &mapped.outcome;
    let events = outcome.events.iter().map(|(index, event)| (*index, Ok(event)));
    let rejects = outcome.rejects.iter().map(|reject| (reject.index, Err(reject.code)));
    let mut records: Vec<_> = events.chain(rejects).collect();
    records.sort_by_key(|(index, _)| *index);
    let [(_, before), (_, after)] = &neighbours.events[..] else {
        panic!("the neighbours alone give two events");
    };
    let mut records: Vec<_> = records.into_iter().map(|(_, record)| record).collect();
    let mut words = String::new();
    match records.first() {
        Some(Ok(event)) if *event == before => drop(records.remove(0)),
        _ => words.push('!'),
    }
    let is_after = matches!(records.last(), Some(Ok(event)) if *event == after);
    if is_after {
        records.pop();
    }
    let shown: Vec<_> = records
        .iter()
        .map(|record| match record {
            Ok(event) => value_word(place, event),
            Err(code) => code.as_str(),
        })
        .collect();
    let runs = shown.chunk_by(|one, next| one == next).map(|run| match run.len() {
        1 => run[0].to_owned(),
        count => format!("{}x{count}", run[0]),
    });
    let runs: Vec<_> = runs.collect();
    words.push_str(&if runs.is_empty() { "none".to_owned() } else { runs.join(",") });
    if !is_after {
        words.push('!');
    }
    words
}

fn value_word(place: Place, event: &Event) -> &'static str {
    match (place, event.target.as_str()) {
        (Place::Text, "missing") => "missing",
        (Place::Text, "bad") => "bad",
        (Place::Json, _) if !event.ocsf.contains("\"unmapped\"") => "missing",
        _ => "ok",
    }
}

/// Whether serde_json and simd-json take a text.
fn peers(text: &[u8]) -> String {
    let judge = || {
        let serde = serde_json::from_slice::<Value>(text).is_ok();
        let simd = simd_json::to_borrowed_value(&mut text.to_vec()).is_ok();
        [serde, simd].map(|takes| if takes { '+' } else { '-' }).iter().collect()
    };
    // simd-json calls itself once for each bracket. The engine has to do with the stack of any thread.
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(256 << 20);
        let thread = builder.spawn_scoped(scope, judge).expect("a thread can be started");
        thread.join().expect("neither panics")
    })
}

/// The bytes of a text as the table writes it.
fn decoded(written: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = written;
    while let Some((plain, behind)) = rest.split_once('%') {
        bytes.extend_from_slice(plain.as_bytes());
        if let Some(repeated) = behind.strip_prefix('*') {
            let (count, piece) = repeated.split_once('(').expect("a count and a piece");
            let (piece, behind) = piece.split_once(')').expect("the piece ends");
            let count = count.parse().expect("the count is a number");
            bytes.extend(decoded(piece).repeat(count));
            rest = behind;
        } else if let Some(behind) = behind.strip_prefix('%') {
            bytes.push(b'%');
            rest = behind;
        } else {
            let (digits, behind) = behind.split_at(2);
            bytes.push(u8::from_str_radix(digits, 16).expect("two digits"));
            rest = behind;
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/json.table")
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// Judges lines; gives each with what the table should say, or how it failed.
fn judge(lines: &[Line], subjects: &[Subject]) -> Vec<Result<Line, String>> {
    let start = || subjects.iter().map(Crew::new).collect::<Vec<_>>();
    let (mut crews, mut neighbours) = (start(), Neighbours::new());
    let judge = |line: &Line| {
        let judged = catch_unwind(AssertUnwindSafe(|| line.judged(&mut crews, &mut neighbours)));
        judged.map_err(|panic| {
            crews = start();
            format!("{}: {}", line.name, panic_text(&*panic))
        })
    };
    lines.iter().map(judge).collect()
}

#[test]
fn every_text_is_judged_as_the_table_says() {
    let table = std::fs::read_to_string(path()).expect("the table can be read");
    let lines: Vec<Line> = table.lines().filter_map(Line::read).collect();
    assert!(lines.len() >= 600, "{} texts", lines.len());
    let subject = |place: &Place| Subject::new(&format!("{place:?}"), &place.program());
    let subjects: Vec<Subject> = Place::ALL.iter().map(subject).collect();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let part = lines.len().div_ceil(threads);
    let subjects = &subjects[..];
    let judged: Vec<Result<Line, String>> = std::thread::scope(|scope| {
        let start = |lines| scope.spawn(move || judge(lines, subjects));
        let parts: Vec<_> = lines.chunks(part).map(start).collect();
        parts.into_iter().flat_map(|part| part.join().expect("panics are caught")).collect()
    });
    let mut wrong: Vec<String> =
        judged.iter().filter_map(|it| it.as_ref().err()).cloned().collect();
    let mut judged = judged.into_iter();
    let (mut written, mut above) = (String::new(), "");
    for line in table.lines() {
        match Line::read(line).and_then(|_| judged.next()) {
            Some(Ok(line)) => {
                wrong.extend(line.slips(above.starts_with("# peers:")));
                line.write(&mut written);
            }
            _ => {
                written.push_str(line);
                written.push('\n');
            }
        }
        above = line;
    }
    if golden::updates() {
        golden::check(&path(), &written);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    golden::check(&path(), &written);
}
