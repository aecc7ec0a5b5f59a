//! The words of the language, explained.

/// What a word of the language means.
pub(super) fn keyword(word: &str) -> Option<&'static str> {
    Some(match word {
        "weir" => "the edition of the language; its meaning never changes",
        "parser" => "the name and version of this program",
        "ocsf" => {
            "the version of OCSF that events are checked against, and the profiles switched on"
        }
        "product" => "who wrote the log: `metadata.product`",
        "input" => "how the bytes are laid out: ndjson, json or csv",
        "on" => "what becomes of a value that is missing or invalid",
        "drop" => "forgets the record, or inside `each` the element",
        "keep" => "forgets all records but those that meet the condition",
        "raw" => "what is stored of the raw record: keep, drop, hash or redact",
        "table" => "constants to look up by a text",
        "let" => "a name for an expression, from here to the end of its block",
        "event" => "the columns of the events of this block: id, time, actor, action, target ...",
        "when" => "the first branch whose condition holds runs",
        "else" => "what holds in all other cases",
        "each" => "once for each element of a list",
        "as" => "the name of the element",
        "max" => "the most elements; more reject the record",
        "emit" => "makes one OCSF event of a class",
        "add" => "adds an element to a list of objects",
        "reject" => "refuses the record; it goes to the dead letters with this reason",
        "skip" => "leaves the attribute out",
        "test" => "an example that must hold",
        "given" => "the input of a test",
        "expect" => "one outcome of a test, in the order of the records",
        "exactly" => "no other fields than the listed ones",
        "if" => "one of two values",
        "then" => "the value if the condition holds",
        "match" => "a value by the text of another; `*` at the end of a pattern means a prefix",
        "and" => "both hold",
        "or" => "at least one holds",
        "not" => "the opposite; true if the operand is missing",
        "in" => "is it one of the list?",
        "is" => "asks for an outcome: missing, present or invalid",
        "missing" => "no value",
        "present" => "a value, even one that cannot be read",
        "invalid" => "a value that is not what it should be",
        "starts_with" | "ends_with" | "contains" => "compares two texts",
        "matches" => "does a regular expression, r\"...\", match the text?",
        "it" => "the element that a list function looks at",
        "index" => "the position of the element in its list, from 0",
        "meta" => {
            "facts about the object that the record is in: key, bucket, line, offset, received_at, source"
        }
        "required" => "what becomes of a record without a required value: it is rejected",
        "optional" => "what becomes of an optional value that is invalid: skip or reject",
        _ => return None,
    })
}
