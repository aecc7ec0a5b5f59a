//! Programs that nobody means well: made to cost a compiler more than their size. Each kind is made in any size, so that
//! tests and benches can see how the cost grows.

/// The lines that every program starts with.
const HEAD: &str = "weir 1\nparser \"p\" version 1\nocsf \"1.8.0\"\nproduct \"P\"\ninput ndjson { }\n\
    on error { required reject  optional skip }\n\
    event { id = .id time = .t |> timestamp actor = .a action = .b target = .c }\n";

const EMIT: &str = "emit api_activity { activity_id = \"Other\" src_endpoint.ip = .ip |> ip }\n";

/// A kind of hostile programs.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What it tries.
    pub name: &'static str,
    /// Such a program of about this many bytes.
    pub make: fn(usize) -> String,
}

/// Repeats a piece behind the head up to a size.
fn repeated(before: &str, piece: &str, behind: &str, bytes: usize) -> String {
    format!("{HEAD}{before}{}{behind}\n{EMIT}", piece.repeat(bytes / piece.len() + 1))
}

/// Numbered pieces behind the head up to a size.
fn numbered(bytes: usize, piece: impl Fn(usize) -> String) -> String {
    let mut text = HEAD.to_owned();
    for number in 0.. {
        if text.len() > bytes {
            break;
        }
        text.push_str(&piece(number));
    }
    text.push_str(EMIT);
    text
}

/// All kinds.
pub const KINDS: &[Kind] = &[
    Kind { name: "parentheses", make: |bytes| repeated("let x = ", "(", "", bytes) },
    Kind {
        name: "closed parentheses",
        make: |bytes| {
            let half = bytes / 2;
            format!("{HEAD}let x = {}1{}\n{EMIT}", "(".repeat(half), ")".repeat(half))
        },
    },
    Kind { name: "braces", make: |bytes| repeated("", "{", "", bytes) },
    Kind { name: "closing braces", make: |bytes| repeated("", "}", "", bytes) },
    Kind { name: "brackets", make: |bytes| repeated("let x = ", "[", "", bytes) },
    Kind { name: "indices", make: |bytes| repeated("let x = .a", "[.a", "", bytes) },
    Kind { name: "negations", make: |bytes| repeated("drop when ", "not ", ".a", bytes) },
    Kind { name: "minus signs", make: |bytes| repeated("let x = ", "-", "1", bytes) },
    Kind { name: "ifs", make: |bytes| repeated("let x = ", "if .a then ", "1", bytes) },
    Kind { name: "else ifs", make: |bytes| repeated("let x = ", "if .a then 1 else ", "1", bytes) },
    Kind { name: "matches", make: |bytes| repeated("let x = ", "match .a { \"b\" => ", "", bytes) },
    Kind { name: "whens", make: |bytes| repeated("", "when .a { ", "", bytes) },
    Kind {
        name: "else whens",
        make: |bytes| repeated("when .a { drop } ", "else when .b { drop } ", "", bytes),
    },
    Kind { name: "a chain of operators", make: |bytes| repeated("let x = .a", " + .a", "", bytes) },
    Kind { name: "a chain of pipes", make: |bytes| repeated("let x = .a", " |> lower", "", bytes) },
    Kind { name: "a long path", make: |bytes| repeated("let x = ", ".a", "", bytes) },
    Kind { name: "a long list", make: |bytes| repeated("let x = [1", ", 1", "]", bytes) },
    Kind { name: "open texts", make: |bytes| repeated("", "\"\n", "", bytes) },
    Kind { name: "open long texts", make: |bytes| repeated("", "\"\"\" \"\"", "", bytes) },
    Kind { name: "braces in a text", make: |bytes| repeated("let x = \"", "{", "\"", bytes) },
    Kind { name: "values in a text", make: |bytes| repeated("let x = \"", "{.a}", "\"", bytes) },
    Kind { name: "wrong escapes", make: |bytes| repeated("let x = \"", "\\q", "\"", bytes) },
    Kind { name: "one line", make: |bytes| repeated("", "let x = .a ", "", bytes) },
    Kind { name: "tokens", make: |bytes| repeated("", "a ", "", bytes) },
    Kind { name: "line ends", make: |bytes| repeated("", "\r\n", "", bytes) },
    Kind { name: "NUL", make: |bytes| repeated("", "\0", "", bytes) },
    Kind {
        name: "invisible characters",
        make: |bytes| repeated("let x = \"\u{202E}\" ", "\u{200B} ", "", bytes),
    },
    Kind { name: "comments", make: |bytes| repeated("", "# \u{202E}\n", "", bytes) },
    Kind { name: "semicolons", make: |bytes| repeated("", ";", "", bytes) },
    Kind { name: "letters of another alphabet", make: |bytes| repeated("", "д ", "", bytes) },
    Kind {
        name: "lets in a chain",
        make: |bytes| {
            numbered(bytes, |n| match n {
                0 => "let a0 = .x\n".to_owned(),
                _ => format!("let a{n} = a{} ?? a{}\n", n - 1, n - 1),
            })
        },
    },
    Kind {
        name: "lets in a circle",
        make: |bytes| numbered(bytes, |n| format!("let a{n} = a{} ?? .x\n", n + 1)),
    },
    Kind { name: "the same let", make: |bytes| repeated("", "let a = a\n", "", bytes) },
    Kind {
        name: "lets of texts that double",
        make: |bytes| {
            numbered(bytes, |n| match n {
                0 => "let t0 = .x |> lower\n".to_owned(),
                _ => format!("let t{n} = \"{{t{}}}{{t{}}}\"\n", n - 1, n - 1),
            })
        },
    },
    Kind {
        name: "names that are not defined",
        make: |bytes| numbered(bytes, |n| format!("drop when nobody{n} == 1\n")),
    },
    Kind {
        name: "attributes that OCSF does not have",
        make: |bytes| numbered(bytes, |n| format!("emit api_activity {{ actor.usr{n} = .a }}\n")),
    },
    Kind {
        name: "arms",
        make: |bytes| {
            let mut arms = String::new();
            for n in 0.. {
                if arms.len() > bytes {
                    break;
                }
                arms.push_str(&format!("\"k{n}\" | \"p{n}*\" => \"{n}\"\n"));
            }
            format!("{HEAD}let x = match .a {{ {arms} else => \"\" }}\n{EMIT}")
        },
    },
    Kind {
        name: "rows",
        make: |bytes| {
            let mut rows = String::new();
            for n in 0.. {
                if rows.len() > bytes {
                    break;
                }
                rows.push_str(&format!("\"k{n}\" => {n}\n"));
            }
            format!("{HEAD}table t (key, n int) {{ {rows} }}\n{EMIT}")
        },
    },
];
