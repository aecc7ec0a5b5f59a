//! Shapes: the same records otherwise, each what makes some way of reading them slow.

use super::Shape;
use super::audit::Audit;
use super::random::Random;
use super::tree::Tree;

/// Members of a wide record.
const WIDE_MEMBERS: usize = 300;
/// Nesting of a deep one, besides its own; readers allow 64 in all.
const DEEP_LEVELS: usize = 55;
const HUGE_BYTES: usize = 5_000_000;

/// The next record in a shape.
pub(super) fn record(audit: &mut Audit, shape: Shape) -> Tree {
    let mut record = audit.record();
    let random = &mut audit.random;
    match shape {
        Shape::Fixed => {}
        Shape::Audit | Shape::Damaged => {
            if random.chance(0.1) {
                record.shuffle(random, false);
            }
        }
        Shape::Shuffled => record.shuffle(random, true),
        Shape::Other => record = other(&record),
        Shape::Deep => deep(&mut record, random),
        Shape::Wide => wide(&mut record, random),
        Shape::Tiny => record = tiny(&record),
        Shape::Huge => huge(&mut record, random),
    }
    record
}

/// The same values under other names and at other depths, so that nothing can be tuned to names or places.
fn other(record: &Tree) -> Tree {
    let get = |path: &[&str]| record.at(path).cloned();
    let object = |members: &[(&'static str, &[&str])]| {
        let members = members.iter();
        let members = members.filter_map(|&(name, path)| Some((name.into(), get(path)?)));
        Tree::Object(members.collect())
    };
    let mut call =
        object(&[("requestId", &["request", "id"]), ("history", &["request", "messages"])]);
    let mut engine = object(&[("name", &["request", "model"])]);
    engine.push("result", object(&[("code", &["response", "status"])]));
    call.push("engine", engine);
    let mut who = object(&[("kind", &["actor", "type"]), ("roles", &["actor", "roles"])]);
    who.push(
        "login",
        object(&[
            ("subject", &["actor", "id"]),
            ("mail", &["actor", "email"]),
            ("display", &["actor", "name"]),
        ]),
    );
    let network = object(&[
        ("address", &["actor", "session", "ip"]),
        ("agent", &["actor", "session", "user_agent"]),
        ("place", &["actor", "session", "geo"]),
    ]);
    who.push("via", Tree::object([("network", network)]));
    let mut thing = object(&[("sort", &["target", "type"])]);
    thing.push("ref", object(&[("key", &["target", "id"]), ("label", &["target", "name"])]));
    let meter = object(&[
        ("in", &["usage", "input_tokens"]),
        ("out", &["usage", "output_tokens"]),
        ("cached", &["usage", "cached_tokens"]),
    ]);

    let mut whole = object(&[("occurred", &["created_at"]), ("policy", &["policy"])]);
    whole.push("call", call);
    whole.push("thing", thing);
    whole.push("who", who);
    // get_many of sonic-rs 0.5 stops at an object without members.
    if matches!(&meter, Tree::Object(members) if !members.is_empty()) {
        whole.push("billing", Tree::object([("meter", meter)]));
    }
    if let Some(usd) = get(&["cost", "amount"]) {
        whole.push("usd", usd);
    }
    let ids = [
        ("tenant", &["organization", "id"][..]),
        ("trace", &["metadata", "trace_id"]),
        ("eventId", &["id"]),
        ("verb", &["type"]),
    ];
    for (name, path) in ids {
        if let Some(value) = get(path) {
            whole.push(name, value);
        }
    }
    whole
}

/// Deep nesting before the members that are wanted, and many brackets behind them.
fn deep(record: &mut Tree, random: &mut Random) {
    let mut nested = Tree::from(random.below(10));
    for level in 0..DEEP_LEVELS {
        nested = match level % 2 {
            0 => Tree::Array(vec![nested]),
            _ => Tree::object([("id", nested)]),
        };
    }
    let dense =
        (0..40).map(|_| Tree::object([("type", Tree::Array(vec![Tree::array([0_usize])]))]));
    let dense = Tree::Array(dense.collect());
    if let Tree::Object(members) = record {
        members.insert(0, ("context".into(), nested));
    }
    record.push("spans", dense);
}

/// Three hundred members, with the wanted ones anywhere among them.
fn wide(record: &mut Tree, random: &mut Random) {
    let Tree::Object(members) = record else { return };
    for index in members.len()..WIDE_MEMBERS {
        let value = match random.below(5) {
            0 => Tree::from(1_usize),
            1 => "value".into(),
            2 => true.into(),
            3 => Tree::Null,
            _ => Tree::float(12.5),
        };
        members.push((format!("attribute_{index:03}").into(), value));
    }
    random.shuffle(members);
}

/// Only what an event cannot do without, about 130 bytes.
fn tiny(record: &Tree) -> Tree {
    let text = |path: &[&str], end: usize| match record.at(path) {
        Some(Tree::Text(text)) => text[..end.min(text.len())].into(),
        _ => Tree::from("none"),
    };
    Tree::object([
        ("id", text(&["id"], 16)),
        ("created_at", text(&["created_at"], 24)),
        ("type", text(&["type"], 20)),
        ("actor", Tree::object([("id", text(&["actor", "id"], 12))])),
        ("target", Tree::object([("id", text(&["target", "id"], 8))])),
    ])
}

/// One text and many small objects of some megabytes before the members that come last.
fn huge(record: &mut Tree, random: &mut Random) {
    let Tree::Object(members) = record else { return };
    let line = "a transcript of what was said \"verbatim\", naïve\n";
    let text = line.repeat(HUGE_BYTES / 2 / line.len());
    let parts = (0..HUGE_BYTES / 2 / 32)
        .map(|_| Tree::object([("part", random.hex(16).into()), ("id", random.below(10).into())]));
    let parts = Tree::Array(parts.collect());
    let middle = members.len() / 2;
    members.insert(middle, ("transcript".into(), text.into()));
    members.insert(middle, ("parts".into(), parts));
}

/// A record cut off at random.
pub(super) fn damage(line: &mut String, random: &mut Random) {
    let mut end = random.within(1, line.len());
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line.truncate(end);
}
