//! The functions that the compiler treats in its own way, for readers: how each is called, what it gives, examples.
//!
//! Their code is not a [`Call`](super::Call). Those about lists evaluate a condition or a value for each element, so the
//! evaluator runs them (`eval::list`); `to_enum` means what the attribute on its left lists. Their examples stand here beside
//! those of all other functions, and the tests of the documents run them.

use super::{Example, Gives};

/// A function with a meaning of its own.
#[derive(Debug)]
pub struct Form {
    /// Its name.
    pub name: &'static str,
    /// How it is called.
    pub usage: &'static str,
    /// What it gives, with an article.
    pub result: &'static str,
    /// One paragraph for users.
    pub doc: &'static str,
    /// Examples over [`RECORD`].
    pub examples: &'static [Example],
    /// Lines of an `emit` that show it, where an expression alone means nothing.
    pub lines: &'static str,
}

/// The record that the examples read.
pub const RECORD: &str = r#"{"steps": [{"tool": "read", "ms": 5, "ok": true}, {"tool": "write", "ms": 7, "ok": false}, {"tool": "read"}], "tags": ["b", "a", "b"]}"#;

const fn gives(expr: &'static str, text: &'static str) -> Example {
    Example { expr, gives: Gives::Text(text) }
}

const fn missing(expr: &'static str) -> Example {
    Example { expr, gives: Gives::Missing }
}

/// All of them, in the order of the documentation.
pub static FORMS: &[Form] = &[
    Form {
        name: "any",
        usage: "any(list[*], condition)",
        result: "true or false",
        doc: "Whether an element meets a condition on `it`. Of a missing list: false. It looks no further than it must.",
        examples: &[
            gives(r#"any(.steps[*], it.tool == "write")"#, "true"),
            gives(r#"any(.tags[*], it == "x")"#, "false"),
            gives("any(.nothing[*], it.x == 1)", "false"),
        ],
        lines: "",
    },
    Form {
        name: "all",
        usage: "all(list[*], condition)",
        result: "true or false",
        doc: "Whether every element meets a condition on `it`. Of a missing list: true. It looks no further than it must.",
        examples: &[
            gives("all(.steps[*], it.tool is present)", "true"),
            gives("all(.steps[*], it.ok == true)", "false"),
            gives("all(.nothing[*], it.x == 1)", "true"),
        ],
        lines: "",
    },
    Form {
        name: "count",
        usage: "count(list[*], condition?)",
        result: "a whole number",
        doc: "How many elements there are, or how many of them meet a condition on `it`. Of a missing list: 0. With steps \
              behind the `[*]`, how many elements have that value.",
        examples: &[
            gives("count(.steps[*])", "3"),
            gives("count(.steps[*], it.ok == false)", "1"),
            gives("count(.steps[*].ms)", "2"),
            gives("count(.nothing[*])", "0"),
        ],
        lines: "",
    },
    Form {
        name: "find",
        usage: "find(list[*], condition)",
        result: "an element",
        doc: "The first element that meets a condition on `it`, to read its fields from. For lists of names and values: \
              `find(.params[*], it.name == \"ip\").value`. Missing if no element does.",
        examples: &[
            gives("find(.steps[*], it.ok == false).tool", "write"),
            gives(r#"find(.tags[*], it starts_with "a")"#, "a"),
            missing(r#"find(.steps[*], it.tool == "x").ms"#),
        ],
        lines: "",
    },
    Form {
        name: "sum",
        usage: "sum(list[*].field)",
        result: "a number",
        doc: "The sum of the elements, exact. Elements without the value are passed over; of a missing list it is 0.",
        examples: &[gives("sum(.steps[*].ms)", "12"), gives("sum(.nothing[*].ms)", "0")],
        lines: "",
    },
    Form {
        name: "join",
        usage: "join(list[*], separator)",
        result: "text",
        doc: "The texts of the elements with a separator between them. Elements without the value are passed over; without \
              any it is missing.",
        examples: &[
            gives(r#"join(.steps[*].tool, ", ")"#, "read, write, read"),
            gives(r#".tags[*] |> join("-")"#, "b-a-b"),
            missing(r#"join(.nothing[*], ", ")"#),
        ],
        lines: "",
    },
    Form {
        name: "take",
        usage: "take(list[*], most)",
        result: "a list",
        doc: "The first elements, at most so many. Elements without the value are passed over; without any it is missing.",
        examples: &[
            gives(".tags[*] |> take(2)", r#"["b","a"]"#),
            gives(".steps[*].tool |> take(100)", r#"["read","write","read"]"#),
            missing(".nothing[*] |> take(5)"),
        ],
        lines: "",
    },
    Form {
        name: "distinct",
        usage: "distinct(list[*], most)",
        result: "a list",
        doc: "The elements without repeats, in the order of their first appearance, at most so many.",
        examples: &[
            gives(".tags[*] |> distinct(10)", r#"["b","a"]"#),
            gives(".steps[*].tool |> distinct(1)", r#"["read"]"#),
        ],
        lines: "",
    },
    Form {
        name: "to_enum",
        usage: "x |> to_enum",
        result: "a value of the enum on the left",
        doc: "Looks a text or number of the record up in the list of the attribute that it is assigned to: a caption without \
              regard to case, or a number. What the list lacks is 99 *Other*, with the source's own word beside it; what is \
              missing is 0 *Unknown*. Where the list has no 99 an unknown word is invalid, where it has no 0 a missing one \
              stays missing.",
        examples: &[],
        lines: "severity_id = .level |> to_enum\nstatus_id   = if .ok == true then \"Success\" else .state |> to_enum\n",
    },
];
