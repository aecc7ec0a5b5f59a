//! simd-json's tape: the whole record parsed and validated, its values taken by name.

use peer::row::{Cost, Record, Text};
use peer::{Job, Output, Task};
use simd_json::prelude::*;
use simd_json::tape::Value;
use simd_json::{Buffers, to_tape, to_tape_with_buffers};

pub(crate) fn load(task: &Task) -> Result<Job, String> {
    if task.shape == "other" {
        return Err("cannot: it is written for the names of the task".to_owned());
    }
    let (mut buffers, mut line_of) = (Buffers::default(), Vec::new());
    crate::job(task, "simd-json 0.19", move |bytes, is_array, output| {
        // It unescapes in place, so it needs a copy of its own: of a line, or of the whole document.
        if is_array {
            let mut document = bytes.to_vec();
            let tape = to_tape(&mut document).map_err(|error| error.to_string())?;
            let value = tape.as_value();
            let elements = value.as_array().ok_or("not an array")?;
            elements.iter().for_each(|element| write(element, output));
            return Ok(());
        }
        for line in crate::lines(bytes) {
            line_of.clear();
            line_of.extend_from_slice(line);
            if let Ok(tape) = to_tape_with_buffers(&mut line_of, &mut buffers) {
                write(tape.as_value(), output);
            }
        }
        Ok(())
    })
}

fn write(record: Value<'_, '_>, output: &mut Output) {
    let root = Some(record);
    let actor = record.get("actor");
    let session = actor.and_then(|it| it.get("session"));
    let (target, request) = (record.get("target"), record.get("request"));
    let usage = record.get("usage");
    Record {
        id: string(root, "id"),
        created_at: string(root, "created_at"),
        kind: string(root, "type"),
        organization: string(record.get("organization"), "id"),
        actor_type: string(actor, "type"),
        actor_id: string(actor, "id"),
        email: string(actor, "email"),
        name: string(actor, "name"),
        ip: string(session, "ip"),
        user_agent: string(session, "user_agent"),
        target_type: string(target, "type"),
        target_id: string(target, "id"),
        target_name: string(target, "name"),
        request_id: string(request, "id"),
        model: string(request, "model"),
        status: int(record.get("response"), "status"),
        tokens_in: int(usage, "input_tokens").unwrap_or_default(),
        tokens_out: int(usage, "output_tokens").unwrap_or_default(),
        cost: record
            .get("cost")
            .and_then(|it| it.get("amount"))
            .and_then(|it| it.cast_f64())
            .map_or(Cost::Absent, Cost::Number),
        trace: string(record.get("metadata"), "trace_id"),
    }
    .write(output);
}

fn string<'i>(of: Option<Value<'_, 'i>>, name: &str) -> Text<'i> {
    of.and_then(|it| it.get(name)).and_then(|it| it.into_string()).into()
}

fn int(of: Option<Value<'_, '_>>, name: &str) -> Option<i64> {
    of?.get(name)?.as_i64()
}
