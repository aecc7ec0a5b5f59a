//! The store as its callers see it.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::Value;
use tempfile::TempDir;
use weir_engine::decimal::Decimal;

use super::*;

/// Builds an append event by event.
struct Draft {
    append: Append,
    bytes: Vec<u8>,
}

impl Draft {
    fn new(source: &str, key: &str, from: Option<&str>, to: &str) -> Draft {
        let append = Append {
            source: source.to_owned(),
            source_type: "s3_custom".to_owned(),
            object: ObjectRef { key: key.to_owned(), etag: "v1".to_owned() },
            step: Some(Step { from: from.map(str::to_owned), to: to.to_owned(), done: false }),
            read: ReadIn::default(),
            settles: None,
            supersedes_rejects: false,
            plan: PlanRef {
                hash: [1; 32],
                parser: "p".to_owned(),
                version: 1,
                ocsf: "1.8.0".to_owned(),
            },
            run_id: "run-1".to_owned(),
            ingested_at_ms: 1_700_000_000_000,
            buffers: Vec::new(),
            records: Vec::new(),
            events: Vec::new(),
            rejects: Vec::new(),
            keeps_whole: None,
        };
        Draft { append, bytes: Vec::new() }
    }

    fn span(&mut self, bytes: impl AsRef<[u8]>) -> Span {
        let bytes = bytes.as_ref();
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(bytes);
        Span { buffer: 0, start, len: bytes.len() as u32 }
    }

    fn record(mut self, raw: impl AsRef<[u8]>) -> Draft {
        let raw = self.span(raw);
        let offset = self.append.records.last().map_or(0, |record| record.end_offset + 1);
        let index = self.append.records.len() as u64;
        let end_offset = offset + u64::from(raw.len);
        self.append.records.push(RecordIn { offset, end_offset, index, line: index + 1, raw });
        self
    }

    /// An event of the last record.
    fn event(mut self, id: &str) -> Draft {
        let number = self.append.events.len() as i64;
        let ocsf = format!(r#"{{"class_uid":6003,"metadata":{{"uid":{}}}}}"#, Value::from(id));
        let event = EventIn {
            record: self.append.records.len() as u32 - 1,
            id: self.span(id),
            event_type: self.span("api_activity"),
            actor: self.span("someone@example.org"),
            action: self.span("completion"),
            target: self.span("model-x"),
            time_ns: Some(1_600_000_000_000_000_000 + number),
            cost: Decimal::parse("0.25").unwrap(),
            tokens_input: number,
            tokens_output: 2 * number,
            extra: None,
            ocsf: Some(self.span(ocsf)),
            raw: RawIn::Record,
        };
        self.append.events.push(event);
        self
    }

    /// A record with one event.
    fn one(self, id: &str, raw: impl AsRef<[u8]>) -> Draft {
        self.record(raw).event(id)
    }

    fn last_event(mut self, change: impl FnOnce(&mut EventIn)) -> Draft {
        change(self.append.events.last_mut().unwrap());
        self
    }

    fn finish(mut self) -> Append {
        self.append.buffers = vec![Bytes::from(self.bytes)];
        self.append
    }

    fn append_to(self, store: &Store) -> Result<Appended, StoreError> {
        store.append(self.finish())
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(folder: &TempDir) -> Store {
    Store::open(&folder.path().join("weir.db")).unwrap()
}

fn json(event: &StoredEvent) -> Value {
    let mut out = Vec::new();
    event.write_json(&mut out);
    serde_json::from_slice(&out).unwrap()
}

fn ids(events: &[StoredEvent]) -> Vec<&str> {
    events.iter().map(|event| event.source_event_id.as_str()).collect()
}

#[test]
fn what_is_appended_is_served() {
    let folder = folder();
    let store = open(&folder);
    let draft = Draft::new("s", "logs/a.json", None, "p1").one("e1", r#"{"n":1}"#).record("\u{e9}");
    let mut draft = draft.event("e2");
    draft.append.events[1].cost = Decimal(1);
    let extra = draft.span(r#"{"team":"x"}"#);
    let draft = draft.last_event(|event| {
        event.extra = Some(extra);
        event.event_type = Span::default();
    });
    let appended = draft.append_to(&store).unwrap();
    assert_eq!(
        appended,
        Appended { stored: 2, duplicates: 0, conflicts: 0, first_sequence: Some(1) }
    );
    let events = store.tail(Some("s"), 50).unwrap();
    let first = json(&events[0]);
    assert_eq!(first["raw_payload"], r#"{"n":1}"#);
    assert_eq!(first["ocsf"]["raw_data"], r#"{"n":1}"#);
    assert_eq!(first["ocsf"]["metadata"]["uid"], "e1");
    assert_eq!(first["event_type"], "api_activity");
    assert_eq!(first["cost_usd"], "0.25");
    assert_eq!(first["event_timestamp"], "2020-09-13T12:26:40Z");
    assert_eq!(first["ingested_at"], "2023-11-14T22:13:20Z");
    let second = json(&events[1]);
    assert_eq!(second["cost_usd"], "0.000000000000000001");
    assert_eq!(second["extra"]["team"], "x");
    assert_eq!(second["event_type"], "completion");
    assert_eq!(second["plan_hash"], "01".repeat(32));
    let origin = serde_json::json!({"object_key": "logs/a.json", "etag": "v1", "byte_offset": 8,
        "record_index": 1, "run_id": "run-1"});
    assert_eq!(second["origin"], origin);
    assert_eq!((events[1].end_offset, events[1].line), (10, 2));
}

#[test]
fn names_of_events_differ_between_stores_and_stay() {
    let (one, other) = (folder(), folder());
    let name = |folder: &TempDir| {
        let store = open(folder);
        let _ = Draft::new("s", "k", None, "p").one("e", "raw").append_to(&store);
        store.tail(None, 1).unwrap()[0].id.clone()
    };
    let first = name(&one);
    assert_eq!(name(&one), first);
    assert_ne!(name(&other), first);
}

#[test]
fn a_record_that_fans_out_is_stored_once() {
    let folder = folder();
    let store = open(&folder);
    // Incompressible, so that the file's size tells.
    let raw: Vec<u8> =
        (0..1u32 << 18).flat_map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    let draft = Draft::new("s", "k", None, "p").record(&raw);
    (0..200).fold(draft, |draft, i| draft.event(&format!("e{i}"))).append_to(&store).unwrap();
    let events = store.tail(None, 200).unwrap();
    assert_eq!(events.len(), 200);
    assert!(events.iter().all(|event| event.raw_payload() == Some(&raw[..])));
    drop(store);
    let bytes = std::fs::metadata(folder.path().join("weir.db")).unwrap().len();
    assert!(bytes < 2 * raw.len() as u64, "{bytes} bytes on disk");
}

#[test]
fn raw_payloads_are_kept_as_each_event_asks() {
    let folder = folder();
    let store = open(&folder);
    let mut draft = Draft::new("s", "k", None, "p").record("secret");
    let redacted = draft.span("******");
    let choices =
        [RawIn::Other(redacted), RawIn::Record, RawIn::Other(redacted), RawIn::None, RawIn::Record];
    for (i, raw) in choices.into_iter().enumerate() {
        draft = draft.event(&format!("e{i}")).last_event(|event| event.raw = raw);
    }
    draft.append_to(&store).unwrap();
    let events = store.tail(None, 10).unwrap();
    let raws: Vec<Option<&[u8]>> = events.iter().map(StoredEvent::raw_payload).collect();
    let (redacted, record) = (Some(&b"******"[..]), Some(&b"secret"[..]));
    assert_eq!(raws, [redacted, record, redacted, None, record]);
}

#[test]
fn progress_is_compared_and_moved() {
    let folder = folder();
    let store = open(&folder);
    assert_eq!(store.progress("s", "k").unwrap(), None);
    Draft::new("s", "k", None, "p1").one("e1", "a").append_to(&store).unwrap();
    // The same work again, and work from another place.
    for from in [None, Some("p0"), Some("")] {
        let error = Draft::new("s", "k", from, "p2").one("e2", "b").append_to(&store).unwrap_err();
        assert!(matches!(error, StoreError::Fenced { stored } if stored.as_deref() == Some("p1")));
    }
    let error = Draft::new("s", "new", Some("p1"), "p2").one("e2", "b").append_to(&store);
    assert!(matches!(error, Err(StoreError::Fenced { stored: None })));
    assert_eq!(store.counts().unwrap(), Counts { events: 1, ..Counts::default() });

    // Another generation of the object starts from the progress of the old one.
    let mut next = Draft::new("s", "k", Some("p1"), "p2").one("e2", "b");
    next.append.object.etag = "v2".to_owned();
    next.append.step.as_mut().unwrap().done = true;
    next.append_to(&store).unwrap();
    let state = store.progress("s", "k").unwrap();
    let etag = "v2".to_owned();
    assert_eq!(state, Some(ObjectState { etag, progress: "p2".to_owned(), done: true }));
    let etags: Vec<String> =
        store.tail(None, 9).unwrap().iter().map(|event| event.origin.etag.clone()).collect();
    assert_eq!(etags, ["v1", "v2"]);
}

#[test]
fn repeats_are_duplicates_or_conflicts() {
    let folder = folder();
    let store = open(&folder);
    // Within one append: the first wins.
    let draft =
        Draft::new("s", "k", None, "p1").one("a", "1").one("a", "1").one("a", "2").one("b", "1");
    let appended = draft.append_to(&store).unwrap();
    let expected = Appended { stored: 2, duplicates: 1, conflicts: 1, first_sequence: Some(1) };
    assert_eq!(appended, expected);
    // Across appends; the same id of another source is another event.
    let draft = Draft::new("s", "k", Some("p1"), "p2").one("b", "1").one("b", "3").one("c", "3");
    let appended = draft.append_to(&store).unwrap();
    let expected = Appended { stored: 1, duplicates: 1, conflicts: 1, first_sequence: Some(3) };
    assert_eq!(appended, expected);
    let appended = Draft::new("t", "k", None, "p").one("b", "9").append_to(&store).unwrap();
    assert_eq!(appended.first_sequence, Some(4));
    // Nothing new at all.
    let appended = Draft::new("t", "k", Some("p"), "q").one("b", "9").append_to(&store).unwrap();
    assert_eq!(appended, Appended { duplicates: 1, ..Appended::default() });

    let counts = Counts { events: 4, duplicates: 3, conflicts: 2, rejects: 0 };
    assert_eq!(store.counts().unwrap(), counts);
    let rejects = store.rejects(0, 10).unwrap();
    assert_eq!(rejects.len(), 2);
    assert_eq!(rejects[0].code, "R1401");
    assert_eq!(rejects[0].raw, b"2");
    assert_eq!(
        rejects[0].message,
        r#"the event id "a" is already stored with other bytes, as sequence 1"#
    );
    assert!(rejects[1].message.ends_with("sequence 2"), "{}", rejects[1].message);
    assert_eq!((rejects[1].record_index, rejects[1].line, rejects[1].byte_offset), (1, 2, 2));
    // All events of one record: one dead letter.
    let fan =
        |from, to, raw| Draft::new("f", "k", from, to).record(raw).event("x").event("y").event("z");
    fan(None, "p", "1").append_to(&store).unwrap();
    assert_eq!(fan(Some("p"), "q", "2").append_to(&store).unwrap().conflicts, 3);
    let rejects_now = store.rejects(rejects[1].id, 10).unwrap();
    assert_eq!(rejects_now.len(), 1);
    let message = &rejects_now[0].message;
    assert!(message.ends_with("sequence 5; so are 2 more of its record"), "{message}");
    // "Shows both": the dead letter has the new bytes, and the sequence leads to the old ones.
    assert_eq!(store.event(2).unwrap().unwrap().raw_payload(), Some(&b"1"[..]));
}

#[test]
fn events_are_found_by_identity() {
    let folder = folder();
    let store = open(&folder);
    Draft::new("s", "k", None, "p").one("a", "1").one("b", "2").append_to(&store).unwrap();
    let found = |source, id| store.event_by_id(source, id).unwrap().map(|event| event.sequence);
    assert_eq!(found("s", "b"), Some(2));
    assert_eq!(found("s", "c"), None);
    assert_eq!(found("t", "b"), None);
    assert!(store.event(3).unwrap().is_none());
}

#[test]
fn dead_letters_are_kept_whole() {
    let folder = folder();
    let store = open(&folder);
    let mut draft = Draft::new("s", "k", None, "p").one("a", "1");
    let long = vec![b'x'; 5_000];
    for raw in [&b"\xff\x00"[..], &long, b""] {
        let raw = draft.span(raw);
        draft.append.rejects.push(RejectIn {
            code: "R1101".to_owned(),
            message: "no timestamp".to_owned(),
            mapping_line: 7,
            target: "event.time".to_owned(),
            offset: 10,
            end_offset: 12,
            index: 3,
            line: 4,
            text: "yesterday".to_owned(),
            raw,
            ..RejectIn::default()
        });
    }
    draft.append_to(&store).unwrap();
    let rejects = store.rejects(0, 2).unwrap();
    assert_eq!(rejects[0].raw, b"\xff\x00");
    assert_eq!(rejects[1].raw, long);
    let rest = store.rejects(rejects[1].id, 2).unwrap();
    assert_eq!((rest.len(), rest[0].raw.len()), (1, 0));
    let mut out = Vec::new();
    rejects[0].write_json(&mut out);
    let expected = serde_json::json!({
        "id": 1, "source_id": "s", "run_id": "run-1", "parser_version": 1,
        "plan_hash": "01".repeat(32), "created_at": "2023-11-14T22:13:20Z",
        "reason_code": "R1101", "message": "no timestamp", "mapping_line": 7,
        "target": "event.time", "object_key": "k", "etag": "v1", "byte_offset": 10,
        "end_offset": 12, "record_index": 3, "line": 4, "text": "yesterday", "raw": "/wA=",
        "raw_encoding": "base64",
    });
    assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), expected);
    assert_eq!(store.counts().unwrap().rejects, 3);
}

#[test]
fn pages_follow_the_sequence() {
    let folder = folder();
    let store = open(&folder);
    for batch in 0..4 {
        let source = ["even", "odd"][batch % 2];
        let key = format!("{batch}");
        let mut draft = Draft::new(source, &key, None, "p");
        for i in 0..150 {
            draft = draft.one(&format!("{batch}-{i}"), format!("raw {batch} {i}"));
        }
        draft.append_to(&store).unwrap();
    }
    let mut seen = Vec::new();
    let mut after = 0;
    loop {
        let page = store.events_after(Some("odd"), after, 70).unwrap();
        let Some(last) = page.last() else { break };
        after = last.sequence;
        for event in &page {
            assert_eq!(
                event.raw_payload().unwrap(),
                format!("raw {}", event.source_event_id.replace('-', " ")).as_bytes()
            );
            seen.push(event.sequence);
        }
    }
    assert_eq!(seen, (151..=300).chain(451..=600).collect::<Vec<i64>>());
    let tail = store.tail(Some("even"), 3).unwrap();
    assert_eq!(ids(&tail), ["2-147", "2-148", "2-149"]);
    assert_eq!(store.tail(None, 2).unwrap()[1].sequence, 600);
    assert!(store.tail(Some("nobody"), 5).unwrap().is_empty());
    assert!(store.events_after(None, 0, 0).unwrap().is_empty());
    let sources = store.sources().unwrap();
    assert_eq!(sources.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["even", "odd"]);
    assert_eq!(sources[0].counts.events, 300);
    assert_eq!(sources[0].last_event_at_ms, Some(1_700_000_000_000));
}

#[test]
fn a_page_of_large_records_ends_early() {
    let folder = folder();
    let store = open(&folder);
    let mut draft = Draft::new("s", "k", None, "p");
    for i in 0..3 {
        draft = draft.one(&format!("{i}"), vec![b'a' + i; 20 << 20]);
    }
    draft.append_to(&store).unwrap();
    assert_eq!(store.events_after(None, 0, 10).unwrap().len(), 2);
    assert_eq!(store.events_after(None, 2, 10).unwrap().len(), 1);
    assert_eq!(ids(&store.tail(None, 10).unwrap()), ["1", "2"]);
}

#[test]
fn what_cannot_be_stored_is_refused() {
    let folder = folder();
    let store = open(&folder);
    let draft = || Draft::new("s", "k", None, "p").one("a", "1").one("b", "2");
    let far = Span { buffer: 0, start: u32::MAX, len: u32::MAX };
    let no_buffer = Span { buffer: 9, start: 0, len: 1 };
    let mut not_utf8 = draft();
    let span = not_utf8.span(b"\xff");
    let bad = [
        draft().last_event(|event| event.id = Span::default()),
        draft().last_event(|event| event.actor = far),
        draft().last_event(|event| event.target = no_buffer),
        draft().last_event(|event| event.raw = RawIn::Other(far)),
        draft().last_event(|event| event.ocsf = Some(event.id)),
        draft().last_event(|event| event.extra = Some(event.id)),
        draft().last_event(|event| event.record = 2),
        not_utf8.last_event(|event| event.action = span),
        Draft::new("", "k", None, "p"),
        {
            let mut draft = draft();
            draft.append.events.swap(0, 1);
            draft
        },
        {
            let mut draft = draft();
            draft.append.records[0].offset = u64::MAX;
            draft
        },
        {
            let mut draft = draft();
            draft.append.rejects.push(RejectIn { raw: far, ..RejectIn::default() });
            draft
        },
    ];
    for (i, draft) in bad.into_iter().enumerate() {
        let result = draft.append_to(&store);
        assert!(matches!(result, Err(StoreError::Invalid(_))), "{i}: {result:?}");
    }
    assert_eq!(store.counts().unwrap(), Counts::default());
    assert_eq!(draft().append_to(&store).unwrap().first_sequence, Some(1));
}

#[test]
fn other_files_are_refused() {
    let folder = folder();
    let path = folder.path().join("weir.db");
    assert!(matches!(Store::open_read_only(&path), Err(StoreError::Missing { .. })));
    assert!(!path.exists());

    std::fs::write(
        &path,
        "a text file, and a long one, so that it could be a database".repeat(100),
    )
    .unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::NotAStore { .. })));
    assert!(matches!(Store::open_read_only(&path), Err(StoreError::NotAStore { .. })));

    std::fs::remove_file(&path).unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE mine(a)").unwrap();
    drop(connection);
    assert!(matches!(Store::open(&path), Err(StoreError::NotAStore { .. })));
}

#[test]
fn a_newer_format_is_refused() {
    let folder = folder();
    drop(open(&folder));
    let path = folder.path().join("weir.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", schema::FORMAT + 1).unwrap();
    drop(connection);
    for result in [Store::open(&path), Store::open_read_only(&path)] {
        let error = result.err().unwrap();
        assert!(matches!(error, StoreError::Newer { found: 3, supported: 2, .. }), "{error}");
        assert!(error.to_string().contains("upgrade weir"), "{error}");
    }
}

#[test]
fn a_read_only_store_reads_beside_a_writer_and_never_writes() {
    let folder = folder();
    let store = open(&folder);
    let reader = Store::open_read_only(&folder.path().join("weir.db")).unwrap();
    Draft::new("s", "k", None, "p").one("a", "1").append_to(&store).unwrap();
    assert_eq!(ids(&reader.tail(None, 5).unwrap()), ["a"]);
    let result = Draft::new("s", "k", Some("p"), "q").one("b", "1").append_to(&reader);
    assert!(matches!(result, Err(StoreError::ReadOnly)));
}

#[test]
fn reopening_keeps_everything() {
    let folder = folder();
    let mut from = None;
    for round in 0..5 {
        let store = open(&folder);
        let to = format!("p{round}");
        let draft = Draft::new("s", "k", from.as_deref(), &to);
        let appended =
            draft.one(&format!("e{round}"), "raw").one("e0", "raw").append_to(&store).unwrap();
        assert_eq!(appended.first_sequence, Some(round + 1));
        assert_eq!(appended.duplicates, 1);
        from = Some(to);
    }
    let store = open(&folder);
    assert_eq!(ids(&store.tail(None, 9).unwrap()), ["e0", "e1", "e2", "e3", "e4"]);
}

#[test]
fn a_store_may_be_made_by_many_at_once() {
    for _ in 0..20 {
        let folder = folder();
        let path = folder.path().join("weir.db");
        let barrier = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    drop(Store::open(&path).unwrap());
                });
            }
        });
    }
}

#[test]
fn a_store_of_the_first_format_is_brought_over() {
    let shape = |path: &std::path::Path| -> Vec<(String, String)> {
        let connection = rusqlite::Connection::open(path).unwrap();
        let columns =
            "SELECT m.name, t.name || t.type || t.\"notnull\" || coalesce(t.dflt_value, '')
                       FROM sqlite_schema m JOIN pragma_table_info(m.name) t ORDER BY 1, 2";
        let mut select = connection.prepare(columns).unwrap();
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let folder = folder();
    Draft::new("s", "k", None, "p").one("a", "1").append_to(&open(&folder)).unwrap();
    let path = folder.path().join("weir.db");
    let now = shape(&path);
    let connection = rusqlite::Connection::open(&path).unwrap();
    for column in ["closed", "events", "duplicates", "conflicts", "rejects", "records", "bytes"] {
        connection.execute_batch(&format!("ALTER TABLE run DROP COLUMN {column}")).unwrap();
    }
    let dropped = "DROP TABLE source_hour; DROP INDEX reject_source; DROP INDEX reject_version";
    connection.execute_batch(dropped).unwrap();
    for column in ["sealed", "context", "state", "settled_at"] {
        connection.execute_batch(&format!("ALTER TABLE reject DROP COLUMN {column}")).unwrap();
    }
    connection.pragma_update(None, "user_version", 1).unwrap();
    drop(connection);
    assert!(matches!(Store::open_read_only(&path), Err(StoreError::Older { .. })));
    let store = open(&folder);
    Draft::new("s", "l", None, "p").one("b", "2").append_to(&store).unwrap();
    assert_eq!(ids(&store.tail(None, 10).unwrap()), ["a", "b"]);
    assert_eq!(shape(&path), now);
}

#[test]
fn an_ended_run_and_a_settled_dead_letter_store_nothing_more() {
    let folder = folder();
    let store = open(&folder);
    let mut first = Draft::new("s", "k", None, "p").one("a", "1");
    first.append.rejects.push(RejectIn { code: "R1201".to_owned(), ..RejectIn::default() });
    first.append_to(&store).unwrap();
    let again = |id: &str| {
        let mut draft = Draft::new("s", "k", None, "p").one(id, id);
        draft.append.step = None;
        draft.append.settles = Some(1);
        draft.append_to(&store)
    };
    assert_eq!(again("b").unwrap().stored, 1);
    assert!(matches!(again("c"), Err(StoreError::Settled)));
    assert_eq!(store.progress("s", "k").unwrap().unwrap().progress, "p");

    let close = |transaction: &Transaction<'_>| -> Result<usize, StoreError> {
        Ok(transaction.execute("UPDATE run SET closed = 1", [])?)
    };
    assert_eq!(store.change(close).unwrap(), 1);
    let late = Draft::new("s", "l", None, "p").one("d", "4").append_to(&store);
    assert!(matches!(late, Err(StoreError::RunClosed)));
    assert_eq!(ids(&store.tail(None, 10).unwrap()), ["a", "b"]);
}

/// The letters of a source in a state, oldest first.
fn letters(store: &Store, state: LetterState) -> Vec<Letter> {
    let order = Order::OldestFirst(0);
    let wanted = Letters { source: "s", state: Some(state), order, limit: 10, with_sealed: true };
    store.letters(&wanted).unwrap().0
}

fn refused(id: u64, code: &str) -> RejectIn {
    RejectIn { code: code.to_owned(), index: id, sealed: vec![id as u8; 9], ..RejectIn::default() }
}

#[test]
fn a_dead_letter_that_is_refused_again_or_conflicts_stays_open_with_the_reason() {
    let folder = folder();
    let store = open(&folder);
    let mut first = Draft::new("s", "k", None, "p").one("a", "1");
    first.append.rejects.push(refused(1, "R1201"));
    first.append_to(&store).unwrap();
    let again = |change: fn(Draft) -> Draft| {
        let mut draft = change(Draft::new("s", "k", None, "p"));
        draft.append.step = None;
        draft.append.settles = Some(1);
        draft.append.plan.version = 2;
        draft.append.run_id = "redrive".to_owned();
        draft.append_to(&store).unwrap()
    };
    again(|mut draft| {
        let raw = draft.span(
            "what may be shown under another program, which is long enough to be compressed"
                .repeat(9),
        );
        let message = "no time".to_owned();
        draft.append.rejects.push(RejectIn {
            message,
            mapping_line: 7,
            raw,
            ..refused(1, "R1204")
        });
        draft
    });
    let open_letters = letters(&store, LetterState::Open);
    let letter = &open_letters[0];
    assert_eq!((open_letters.len(), letter.reject.code.as_str()), (1, "R1204"));
    assert_eq!((letter.reject.message.as_str(), letter.reject.mapping_line), ("no time", 7));
    assert_eq!((letter.reject.plan.version, letter.reject.raw.len()), (2, 9 * 78));
    assert_eq!(letter.sealed.as_deref(), Some(&[1; 9][..]), "it can be tried once more");
    assert_eq!(letter.reject.origin.run_id, "run-1", "it is still that run's");

    // One of its two events is taken by other bytes; the other is stored, once.
    for stored in [1, 0] {
        let appended = again(|draft| draft.one("a", "2").event("b"));
        assert_eq!((appended.stored, appended.conflicts), (stored, 1));
        let open_letters = letters(&store, LetterState::Open);
        assert_eq!((open_letters.len(), open_letters[0].reject.code.as_str()), (1, "R1401"));
        assert_eq!(open_letters[0].reject.raw, b"2");
    }
    let counts = store.counts().unwrap();
    assert_eq!((counts.events, counts.rejects, counts.conflicts), (2, 1, 0));

    let appended = again(|draft| draft.one("c", "2").event("b"));
    assert_eq!((appended.stored, appended.duplicates), (1, 1));
    assert!(letters(&store, LetterState::Open).is_empty());
    let settled = letters(&store, LetterState::Redriven);
    assert_eq!((settled.len(), settled[0].is_whole), (1, false));
    assert_eq!(ids(&store.tail(None, 10).unwrap()), ["a", "b", "c"]);
}

#[test]
fn dead_letters_are_paged_in_both_directions_and_in_any_state() {
    let folder = folder();
    let store = open(&folder);
    let mut draft = Draft::new("s", "k", None, "p");
    draft.append.rejects = (1..=7).map(|id| refused(id, "R1201")).collect();
    draft.append_to(&store).unwrap();
    let mut other = Draft::new("t", "k", None, "p");
    other.append.rejects.push(refused(8, "R1201"));
    other.append_to(&store).unwrap();
    let give_up = |source: &'static str, id: i64| {
        store.change(move |transaction| discard(transaction, source, id, 5)).unwrap()
    };
    assert_eq!(give_up("s", 3), Some(LetterState::Open));
    assert_eq!(give_up("s", 3), Some(LetterState::Discarded));
    assert_eq!(give_up("s", 8), None);
    assert_eq!(give_up("s", 99), None);

    let page = |state, order, limit| {
        let wanted = Letters { source: "s", state, order, limit, with_sealed: false };
        let (letters, has_more) = store.letters(&wanted).unwrap();
        assert!(letters.iter().all(|letter| letter.sealed.is_none()));
        (letters.iter().map(|letter| letter.reject.id).collect::<Vec<_>>(), has_more)
    };
    let open = Some(LetterState::Open);
    assert_eq!(page(open, Order::OldestFirst(0), 4), (vec![1, 2, 4, 5], true));
    assert_eq!(page(open, Order::OldestFirst(5), 4), (vec![6, 7], false));
    assert_eq!(page(None, Order::NewestFirst(i64::MAX), 5), (vec![7, 6, 5, 4, 3], true));
    assert_eq!(page(None, Order::NewestFirst(3), 2), (vec![2, 1], false));
    assert_eq!(page(Some(LetterState::Discarded), Order::NewestFirst(9), 2), (vec![3], false));
    assert_eq!(store.letter("s", 8).unwrap().map(|letter| letter.reject.id), None);
    let letter = store.letter("s", 3).unwrap().unwrap();
    assert_eq!(
        (letter.state, letter.settled_at_ms, letter.is_whole),
        (LetterState::Discarded, Some(5), false)
    );
    assert_eq!(store.letter("t", 8).unwrap().unwrap().sealed, Some(vec![8; 9]));
    let unknown = Letters {
        source: "x",
        state: None,
        order: Order::OldestFirst(0),
        limit: 4,
        with_sealed: true,
    };
    assert_eq!(store.letters(&unknown).unwrap().0.len(), 0);
}

#[test]
fn a_change_that_fails_leaves_nothing_behind() {
    let folder = folder();
    let store = open(&folder);
    let change = |fails: bool| {
        store.change(move |transaction| {
            transaction.execute("INSERT INTO run(name) VALUES ('x')", [])?;
            if fails { Err(StoreError::Invalid("no")) } else { Ok(()) }
        })
    };
    assert!(matches!(change(true), Err(StoreError::Invalid("no"))));
    change(false).unwrap();
    let count = |connection: &Connection| -> Result<i64, StoreError> {
        Ok(connection.query_row("SELECT count(*) FROM run", [], |row| row.get(0))?)
    };
    assert_eq!(store.read(count).unwrap(), 1);
}

#[test]
fn two_writers_of_one_file_take_turns() {
    let folder = folder();
    let stores = [open(&folder), open(&folder)];
    for i in 0..40 {
        let key = format!("{i}");
        // Every id comes twice, once through each.
        let id = format!("e{}", i / 2);
        let appended =
            Draft::new("s", &key, None, "p").one(&id, "raw").append_to(&stores[i % 2]).unwrap();
        assert_eq!((appended.stored, appended.duplicates), ((i as u64 + 1) % 2, i as u64 % 2));
    }
    let events = stores[0].events_after(None, 0, 100).unwrap();
    let sequences: Vec<i64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, (1..=20).collect::<Vec<i64>>());
}

#[test]
fn appends_from_many_threads_are_each_stored_once() {
    let folder = folder();
    let store = open(&folder);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let store = store.clone();
            scope.spawn(move || {
                let key = format!("object {thread}");
                let mut from = None;
                for i in 0..50 {
                    let to = format!("{i}");
                    let draft = Draft::new("s", &key, from.as_deref(), &to);
                    draft
                        .one(&format!("{thread}-{i}"), "raw")
                        .one(&format!("shared {i}"), "raw")
                        .append_to(&store)
                        .unwrap();
                    from = Some(to);
                }
            });
        }
    });
    assert_eq!(
        store.counts().unwrap(),
        Counts { events: 8 * 50 + 50, duplicates: 7 * 50, conflicts: 0, rejects: 0 }
    );
    let events = store.events_after(None, 0, 1_000).unwrap();
    let sequences: Vec<i64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, (1..=450).collect::<Vec<i64>>());
}

#[test]
fn readers_see_whole_commits_while_writing() {
    let folder = folder();
    let store = open(&folder);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut pages = 0;
            let mut after = 0;
            loop {
                let finished = done.load(std::sync::atomic::Ordering::Acquire);
                let page = store.events_after(None, after, 1_000).unwrap();
                // Ten events a commit, so a snapshot ends behind a tenth one.
                assert_eq!(page.len() % 10, 0);
                for event in &page {
                    after += 1;
                    assert_eq!(event.sequence, after);
                    assert_eq!(json(event)["ocsf"]["metadata"]["uid"], event.source_event_id);
                }
                pages += usize::from(!page.is_empty());
                if finished && page.is_empty() {
                    return (pages, after);
                }
            }
        });
        let mut from = None;
        for commit in 0..200 {
            let to = format!("{commit}");
            let mut draft = Draft::new("s", "k", from.as_deref(), &to);
            for i in 0..10 {
                draft = draft.one(&format!("{commit}-{i}"), format!("raw {commit} {i}"));
            }
            draft.append_to(&store).unwrap();
            from = Some(to);
        }
        done.store(true, std::sync::atomic::Ordering::Release);
        let (pages, last) = reader.join().unwrap();
        assert_eq!(last, 2_000);
        assert!(pages > 1);
    });
}

/// A store file with a few hundred events, closed.
fn sample(folder: &TempDir) -> Vec<u8> {
    let store = open(folder);
    let mut from = None;
    for commit in 0..20 {
        let to = format!("{commit}");
        let mut draft = Draft::new("s", "k", from.as_deref(), &to);
        for i in 0..30 {
            draft =
                draft.one(&format!("{commit}-{i}"), format!("raw bytes {commit} {i}").repeat(8));
        }
        draft.append_to(&store).unwrap();
        from = Some(to);
    }
    drop(store);
    std::fs::read(folder.path().join("weir.db")).unwrap()
}

/// Does everything with a store that may be damaged. Errors are fine, panics are not.
fn use_all(path: &std::path::Path) -> Result<(), StoreError> {
    let store = Store::open(path)?;
    let state = store.progress("s", "k")?;
    let from = state.map(|state| state.progress);
    let mut draft = Draft::new("s", "k", from.as_deref(), "after");
    for i in 0..50 {
        draft = draft.one(&format!("3-{i}"), "other bytes").one(&format!("new {i}"), "raw");
    }
    let appended = draft.append_to(&store);
    for event in store.events_after(None, 0, 1_000)?.iter().chain(&store.tail(Some("s"), 100)?) {
        event.write_json(&mut Vec::new());
        let _ = event.line();
    }
    store.rejects(0, 100)?;
    store.event_by_id("s", "3-7")?;
    store.counts()?;
    appended.map(|_| ())
}

#[test]
fn a_truncated_file_is_an_error() {
    let sample_folder = folder();
    let whole = sample(&sample_folder);
    let folder = folder();
    let path = folder.path().join("weir.db");
    for part in 1..20 {
        std::fs::write(&path, &whole[..whole.len() * part / 20]).unwrap();
        let error = use_all(&path).unwrap_err();
        assert!(
            matches!(error, StoreError::Corrupt(_) | StoreError::NotAStore { .. }),
            "{part}: {error:?}"
        );
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(folder.path().join(format!("weir.db{suffix}")));
        }
    }
}

#[test]
fn damage_never_panics() {
    let sample_folder = folder();
    let whole = sample(&sample_folder);
    let folder = folder();
    let path = folder.path().join("weir.db");
    let (mut errors, mut seed) = (0, 1u64);
    for _ in 0..150 {
        std::fs::write(&path, &whole).unwrap();
        let mut file = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        for _ in 0..4 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = 100 + (seed >> 20) % (whole.len() as u64 - 100);
            file.seek(SeekFrom::Start(at)).unwrap();
            let mut byte = [0];
            file.read_exact(&mut byte).unwrap();
            file.seek(SeekFrom::Start(at)).unwrap();
            file.write_all(&[byte[0] ^ 1 << (seed >> 60 & 7)]).unwrap();
        }
        drop(file);
        errors += usize::from(use_all(&path).is_err());
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(folder.path().join(format!("weir.db{suffix}")));
        }
    }
    // Much of the file is free space; but not all damage may go unnoticed.
    assert!(errors > 15, "{errors} of 150 noticed");
}

#[test]
fn a_failing_commit_leaves_nothing_behind() {
    let folder = folder();
    let store = open(&folder);
    Draft::new("s", "k", None, "p0").one("a", "1").append_to(&store).unwrap();
    // Another connection makes the next commit fail in its midst.
    let other = rusqlite::Connection::open(folder.path().join("weir.db")).unwrap();
    let forbid =
        "CREATE TRIGGER forbid BEFORE UPDATE ON object BEGIN SELECT RAISE(ABORT, 'no'); END";
    other.execute_batch(forbid).unwrap();
    let draft = || Draft::new("s", "k", Some("p0"), "p1").one("a", "2").one("b", "1").one("c", "1");
    for _ in 0..3 {
        assert!(matches!(draft().append_to(&store), Err(StoreError::Database(_))));
    }
    let draft_of_another = Draft::new("fresh", "k", None, "p").one("a", "1");
    assert!(matches!(draft_of_another.append_to(&store), Err(StoreError::Database(_))));
    assert_eq!(store.counts().unwrap(), Counts { events: 1, ..Counts::default() });
    other.execute_batch("DROP TRIGGER forbid").unwrap();
    let appended = draft().append_to(&store).unwrap();
    assert_eq!(
        appended,
        Appended { stored: 2, duplicates: 0, conflicts: 1, first_sequence: Some(2) }
    );
    assert_eq!(store.rejects(0, 9).unwrap().len(), 1);
    let fresh = Draft::new("fresh", "k", None, "p").one("a", "1").append_to(&store).unwrap();
    assert_eq!(fresh.first_sequence, Some(4));
}

/// One thing to do to a store and to its model.
#[derive(Debug, Clone)]
enum Action {
    /// Append events (id, raw) to an object of a source, with the right progress or a stale one.
    Append {
        source: u8,
        key: u8,
        stale: bool,
        events: Vec<(u16, u8)>,
    },
    Reopen,
}

fn action() -> impl Strategy<Value = Action> {
    let events = prop_oneof![
        4 => proptest::collection::vec((0..300u16, 0..3u8), 0..12),
        1 => proptest::collection::vec((0..5_000u16, 0..2u8), 200..400),
    ];
    let append = (0..2u8, 0..3u8, proptest::bool::weighted(0.2), events)
        .prop_map(|(source, key, stale, events)| Action::Append { source, key, stale, events });
    prop_oneof![12 => append, 1 => Just(Action::Reopen)]
}

/// What the store must hold.
#[derive(Default)]
struct Model {
    progress: HashMap<(u8, u8), String>,
    /// By source and id: raw and sequence.
    events: HashMap<(u8, u16), (u8, i64)>,
    by_sequence: BTreeMap<i64, (u8, u16)>,
    conflicts: Vec<i64>,
    counts: Counts,
}

impl Model {
    fn append(&mut self, source: u8, events: &[(u16, u8)]) -> Appended {
        let mut appended = Appended::default();
        for &(id, raw) in events {
            let next = self.by_sequence.len() as i64 + 1;
            let (first_raw, sequence) = *self.events.entry((source, id)).or_insert((raw, next));
            if sequence == next {
                self.by_sequence.insert(next, (source, id));
                appended.first_sequence.get_or_insert(next);
                appended.stored += 1;
            } else if first_raw == raw {
                appended.duplicates += 1;
            } else {
                self.conflicts.push(sequence);
                appended.conflicts += 1;
            }
        }
        self.counts.events += appended.stored;
        self.counts.duplicates += appended.duplicates;
        self.counts.conflicts += appended.conflicts;
        appended
    }

    fn check(&self, store: &Store) {
        assert_eq!(store.counts().unwrap(), self.counts);
        let mut expected = self.by_sequence.iter();
        let mut after = 0;
        loop {
            let page = store.events_after(None, after, 100).unwrap();
            let Some(last) = page.last() else { break };
            after = last.sequence;
            for event in page {
                let (&sequence, &(source, id)) = expected.next().unwrap();
                assert_eq!(event.sequence, sequence);
                assert_eq!(event.source_id.as_ref(), format!("s{source}"));
                assert_eq!(event.source_event_id, format!("{id}"));
                let raw = self.events[&(source, id)].0;
                assert_eq!(event.raw_payload(), Some(format!("raw {raw}").as_bytes()));
            }
        }
        assert!(expected.next().is_none());
        let mut rejects = Vec::new();
        while let page =
            store.rejects(rejects.last().map_or(0, |r: &StoredReject| r.id), 500).unwrap()
            && !page.is_empty()
        {
            rejects.extend(page);
        }
        assert_eq!(rejects.len(), self.conflicts.len());
        for (reject, sequence) in rejects.iter().zip(&self.conflicts) {
            assert!(
                reject.message.ends_with(&format!("sequence {sequence}")),
                "{}",
                reject.message
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn a_store_is_what_a_hash_map_would_be(actions in proptest::collection::vec(action(), 1..120)) {
        let folder = folder();
        let mut store = open(&folder);
        let mut model = Model::default();
        for (step, action) in actions.into_iter().enumerate() {
            let Action::Append { source, key, stale, events } = action else {
                drop(store);
                store = open(&folder);
                continue;
            };
            let stored = model.progress.get(&(source, key)).cloned();
            let from = if stale { Some("stale".to_owned()) } else { stored.clone() };
            let to = format!("step {step}");
            let (name, key_name) = (format!("s{source}"), format!("k{key}"));
            let mut draft = Draft::new(&name, &key_name, from.as_deref(), &to);
            for (id, raw) in &events {
                draft = draft.one(&format!("{id}"), format!("raw {raw}"));
            }
            let result = draft.append_to(&store);
            if stale {
                let fenced = matches!(&result, Err(StoreError::Fenced { stored: found }) if *found == stored);
                prop_assert!(fenced, "{result:?}");
            } else {
                prop_assert_eq!(result.unwrap(), model.append(source, &events));
                model.progress.insert((source, key), to);
            }
        }
        model.check(&store);
        drop(store);
        model.check(&open(&folder));
    }
}
