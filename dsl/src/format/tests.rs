use super::*;
use crate::lex::Kind;

fn example(name: &str) -> String {
    let path = format!("{}/../examples/{name}.weir", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

fn formatted(text: &str) -> String {
    format(&Source::new("x", text)).unwrap()
}

#[test]
fn the_examples_are_formatted() {
    for name in ["1_anthropic", "2_openai", "3_csv_eu", "4_homegrown", "5_openai_ndjson"] {
        let text = example(name);
        let got = formatted(&text);
        for (at, (a, b)) in text.lines().zip(got.lines()).enumerate() {
            if a != b {
                panic!("{name}:{}\n{a}\n{b}", at + 1);
            }
        }
        assert_eq!(got, text);
    }
}

/// Every program of the repository that can be read, with its name.
fn programs() -> Vec<(String, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders: Vec<_> =
        ["examples", "benches/programs", "tests/cases", "tests/diagnostics", "tests/plans"]
            .map(|folder| root.join(folder))
            .into();
    let (mut programs, mut broken) = (Vec::new(), 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "weir") {
                let Ok(text) = std::fs::read_to_string(&path) else { continue };
                let name = path.display().to_string();
                match format(&Source::new("x", text.as_str())).is_ok() {
                    true => programs.push((name, text)),
                    false => broken += 1,
                }
            }
        }
    }
    assert!(programs.len() > 130 && broken > 20, "{} and {broken}", programs.len());
    programs.sort();
    programs
}

/// What `Debug` shows, without the places in the text and without hash maps, which have no order.
fn without_places(shown: &impl std::fmt::Debug) -> String {
    let shown = format!("{shown:?}");
    let mut text = shown;
    for hidden in ["Span { start: ", "by_word: {"] {
        let mut parts = text.split(hidden);
        let mut rest = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            rest.push_str(part.split_once('}').unwrap().1);
        }
        text = rest;
    }
    text
}

#[track_caller]
fn assert_same_program(name: &str, before: &str, after: &str) {
    let tree = |text: &str| {
        let (file, diagnostics) = parse::parse(&Source::new("x", text));
        assert_eq!(diagnostics, [], "{name}:\n{text}");
        without_places(&file)
    };
    assert_eq!(tree(before), tree(after), "{name}:\n{after}");
}

#[test]
fn formatting_keeps_what_programs_mean_and_is_done_after_once() {
    for (name, text) in programs() {
        let got = formatted(&text);
        assert!(same_parts(&text, &got), "{name}");
        assert_eq!(formatted(&got), got, "{name}");
        assert_same_program(&name, &text, &got);
        let compiled = |text: &str| crate::compile(&Source::new("x", text));
        let (before, after) = (compiled(&text), compiled(&got));
        let said = |compiled: &crate::Compiled| {
            compiled.diagnostics.iter().map(|report| report.code).collect::<Vec<_>>()
        };
        assert_eq!(said(&before), said(&after), "{name}:\n{got}");
        assert_eq!(without_places(&before.program), without_places(&after.program), "{name}");
    }
}

/// A program with other space between its tokens, and more comments.
fn laid_out_otherwise(text: &str, seed: u64) -> String {
    let mut state = seed;
    let mut choose = || {
        // Knuth's linear congruential generator; its high bits are random enough here.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    // Some layouts are wild, some nearly as usual.
    let tame = choose();
    let mut other = String::new();
    let tokens = tokens::tokens(text);
    for (at, token) in tokens.iter().enumerate() {
        let dot = |kind| matches!(kind, Kind::Dot | Kind::Dollar);
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        for comment in &token.above {
            other.push_str(&format!("\n  {}\n", comment.text));
        }
        let touching = token.gap == 0 && !token.line_start && before.is_some();
        if touching && (dot(token.kind) || before.is_some_and(|before| dot(before.kind))) {
            other.push_str(token.text);
        } else {
            let space = match choose().min(choose().max(255 - tame)) {
                0..90 if touching => "",
                0..140 => " ",
                140..180 => "\n",
                180..200 => "   ",
                200..220 => "\n\n\n    ",
                220..230 => "\t\r\n ",
                230..245 => "  # a comment\n",
                _ => " #one\n\n # another é \n    ",
            };
            other.push_str(space);
            other.push_str(token.text);
        }
        if let Some(comment) = &token.behind {
            other.push_str(&format!(" {}\n", comment.text));
        }
    }
    other
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn any_layout_of_a_program_is_formatted_once_and_for_all(
        which in 0_usize..1000,
        seed in proptest::num::u64::ANY,
    ) {
        let programs = programs_once();
        let (name, text) = &programs[which % programs.len()];
        let other = laid_out_otherwise(text, seed);
        let got = formatted(&other);
        proptest::prop_assert!(same_parts(&other, &got), "{}", name);
        proptest::prop_assert_eq!(&formatted(&got), &got);
        assert_same_program(name, text, &got);
    }
}

fn programs_once() -> &'static [(String, String)] {
    static PROGRAMS: std::sync::OnceLock<Vec<(String, String)>> = std::sync::OnceLock::new();
    PROGRAMS.get_or_init(programs)
}

/// The pages whose programs people copy.
fn pages() -> Vec<std::path::PathBuf> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders = vec![root.join("docs"), root.join("dsl/errors")];
    let mut pages = vec![root.join("README.md")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

/// A block of a page in its one form, if it is a program or a part of one that can be read: items, entries of an `emit`,
/// or columns of an `event`.
fn formatted_block(code: &str) -> Option<String> {
    let head = "weir 1\nparser \"p\" version 1\nocsf \"1.8.0\"\nproduct \"P\"\ninput ndjson { }\n\
        on error { required reject  optional skip }\n\n";
    if let Ok(text) = format(&Source::new("page", code)) {
        return Some(text);
    }
    let text = format(&Source::new("page", format!("{head}{code}"))).ok()?;
    Some(text.strip_prefix(head)?.to_owned())
}

/// `WEIR_UPDATE=1` brings the pages into form.
#[test]
fn the_programs_of_the_pages_and_the_benches_are_formatted() {
    let update = std::env::var_os("WEIR_UPDATE").is_some();
    let mut wrong = Vec::new();
    let mut blocks = 0;
    for path in pages() {
        let page = std::fs::read_to_string(&path).unwrap();
        let mut other = String::new();
        for (at, part) in page.split("```").enumerate() {
            let separator = if at == 0 { "" } else { "```" };
            let code = part.strip_prefix("weir\n").filter(|_| at % 2 == 1);
            match code.and_then(formatted_block) {
                Some(text) => {
                    blocks += 1;
                    other.push_str(&format!("{separator}weir\n{text}"));
                }
                None => other.push_str(&format!("{separator}{part}")),
            }
        }
        if other != page {
            wrong.push(path.clone());
            if update {
                std::fs::write(path, other).unwrap();
            }
        }
    }
    let benches = concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/programs");
    for entry in std::fs::read_dir(benches).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let got = formatted(&text);
        if got != text {
            wrong.push(path.clone());
            if update {
                std::fs::write(path, got).unwrap();
            }
        }
    }
    assert!(blocks > 60, "{blocks}");
    assert!(update || wrong.is_empty(), "not formatted: {wrong:?}");
}
