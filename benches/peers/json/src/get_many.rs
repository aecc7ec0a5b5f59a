//! sonic-rs by `get_many_unchecked`: all wanted values in one walk, as they stand in the text.
//!
//! Nothing is validated, so it is no tool for damaged records.

use peer::row::{Cost, Record, Text};
use peer::{Job, Output, Task};
use sonic_rs::{LazyValue, PointerTree};

/// Where the values of a record are, in the order of [`write`].
const PATHS: [&[&str]; 20] = [
    &["id"],
    &["created_at"],
    &["type"],
    &["organization", "id"],
    &["actor", "type"],
    &["actor", "id"],
    &["actor", "email"],
    &["actor", "name"],
    &["actor", "session", "ip"],
    &["actor", "session", "user_agent"],
    &["target", "type"],
    &["target", "id"],
    &["target", "name"],
    &["request", "id"],
    &["request", "model"],
    &["response", "status"],
    &["usage", "input_tokens"],
    &["usage", "output_tokens"],
    &["cost", "amount"],
    &["metadata", "trace_id"],
];

/// The same in records of the shape `other`.
const PATHS_OTHER: [&[&str]; 20] = [
    &["eventId"],
    &["occurred"],
    &["verb"],
    &["tenant"],
    &["who", "kind"],
    &["who", "login", "subject"],
    &["who", "login", "mail"],
    &["who", "login", "display"],
    &["who", "via", "network", "address"],
    &["who", "via", "network", "agent"],
    &["thing", "sort"],
    &["thing", "ref", "key"],
    &["thing", "ref", "label"],
    &["call", "requestId"],
    &["call", "engine", "name"],
    &["call", "engine", "result", "code"],
    &["billing", "meter", "in"],
    &["billing", "meter", "out"],
    &["usd"],
    &["trace"],
];

pub(crate) fn load(task: &Task) -> Result<Job, String> {
    if task.shape == "damaged" {
        return Err("cannot: it takes damaged records for sound ones".to_owned());
    }
    let mut tree = PointerTree::new();
    for path in if task.shape == "other" { PATHS_OTHER } else { PATHS } {
        tree.add_path(path);
    }
    crate::job(task, "sonic-rs 0.5", move |bytes, is_array, output| {
        // SAFETY: sonic-rs asks for valid JSON, and the generated records are, but for damaged ones, which are refused above.
        if is_array {
            for element in unsafe { sonic_rs::to_array_iter_unchecked(bytes) } {
                let element = element.map_err(|error| error.to_string())?;
                record(element.as_raw_str().as_bytes(), &tree, output);
            }
        } else {
            crate::lines(bytes).for_each(|line| record(line, &tree, output));
        }
        Ok(())
    })
}

fn record(line: &[u8], tree: &PointerTree, output: &mut Output) {
    // SAFETY: as above.
    let Ok(values) = (unsafe { sonic_rs::get_many_unchecked(line, tree) }) else { return };
    if let Ok(values) = <[Option<LazyValue<'_>>; 20]>::try_from(values) {
        write(&values, output);
    }
}

fn write(values: &[Option<LazyValue<'_>>; 20], output: &mut Output) {
    let raw = |index: usize| values[index].as_ref().map(LazyValue::as_raw_str);
    let text = |index| {
        let inner = raw(index).and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
        inner.map_or(Text::Absent, Text::Escaped)
    };
    let int = |index| raw(index).and_then(|text| text.parse::<i64>().ok());
    Record {
        id: text(0),
        created_at: text(1),
        kind: text(2),
        organization: text(3),
        actor_type: text(4),
        actor_id: text(5),
        email: text(6),
        name: text(7),
        ip: text(8),
        user_agent: text(9),
        target_type: text(10),
        target_id: text(11),
        target_name: text(12),
        request_id: text(13),
        model: text(14),
        status: int(15),
        tokens_in: int(16).unwrap_or_default(),
        tokens_out: int(17).unwrap_or_default(),
        cost: raw(18).filter(|&text| text != "null").map_or(Cost::Absent, Cost::Written),
        trace: text(19),
    }
    .write(output);
}
