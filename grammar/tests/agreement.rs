//! tree-sitter and the compiler's parser read the same programs, and refuse the same.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tree_sitter::{Language, Parser, Query, QueryCursor, StreamingIterator, Tree};
use weir_dsl::diagnostic::Severity;
use weir_dsl::lex::lex;
use weir_dsl::parse::parse;
use weir_dsl::source::Source;

/// Codes of the compiler for what the grammar leaves to it, each with its reason.
const BEYOND_THE_GRAMMAR: &[(&str, &str)] = &[
    ("W0005", "depth is no matter of a grammar"),
    ("W0007", "what cannot be seen may stand in comments"),
    ("W0105", "a `-` in a name is a subtraction"),
    ("W0106", "whether a text must be constant depends on its place"),
    ("W0110", "a pipe behind an operator has a better message as a rule of its own"),
    ("W0113", "where the star of a pattern stands is no matter of a grammar"),
    ("W0115", "which texts are regular expressions depends on what reads them"),
    ("W0011", "which settings there are is a list"),
    ("W0013", "an edition is a number"),
    ("W0017", "`null` is a name like any other"),
    ("W0023", "`it`, `index`, `last` and `meta` are names"),
    ("W0026", "`else` last has a better message as a rule of its own"),
    ("W0027", "so has one handler of each kind"),
    ("W0028", "and one `event` for each block"),
    ("W0029", "and `[*]` at the end of a loop's path"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All programs below some folders of the repository.
fn programs(folders: &[&str]) -> Vec<(PathBuf, String)> {
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut programs = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "weir") {
                programs.push((path.clone(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    programs.sort();
    programs
}

fn language() -> Language {
    weir_grammar::LANGUAGE.into()
}

fn tree(text: &str) -> Tree {
    let mut parser = Parser::new();
    parser.set_language(&language()).unwrap();
    parser.parse(text, None).unwrap()
}

fn tree_sitter_reads(text: &str) -> bool {
    !tree(text).root_node().has_error()
}

/// Why the compiler's parser refuses a text, by code; what it only warns of is grammatical.
fn said(text: &str) -> BTreeSet<&'static str> {
    let reports = parse(&Source::new("x", text)).1;
    let errors = reports.iter().filter(|report| report.severity == Severity::Error);
    errors.map(|report| report.code).collect()
}

/// Whether all that the compiler says is beyond the grammar.
fn only_beyond(codes: &BTreeSet<&'static str>) -> bool {
    codes.iter().all(|code| BEYOND_THE_GRAMMAR.iter().any(|(beyond, _)| beyond == code))
}

#[test]
fn both_read_every_program_of_the_repository() {
    let programs = programs(&["examples", "benches/programs", "tests/cases", "tests/plans"]);
    assert!(programs.len() > 80, "{}", programs.len());
    for (path, text) in programs {
        assert_eq!(said(&text), BTreeSet::new(), "{}", path.display());
        assert!(tree_sitter_reads(&text), "{}", path.display());
    }
}

#[test]
fn both_refuse_what_is_wrong_by_the_grammar() {
    let (mut refused, mut read, mut unlike) = (0, 0, Vec::new());
    for (path, text) in programs(&["tests/diagnostics"]) {
        let codes = said(&text);
        if EXCEPTIONS.iter().any(|(name, _)| path.ends_with(name)) {
            continue;
        }
        let by_grammar = !only_beyond(&codes);
        let reads = tree_sitter_reads(&text);
        if by_grammar {
            refused += 1;
            if reads {
                unlike.push(format!("tree-sitter reads {}: {codes:?}", path.display()));
            }
        } else if codes.is_empty() {
            read += 1;
            if !reads {
                unlike.push(format!("tree-sitter refuses {}", path.display()));
            }
        }
    }
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
    assert!(refused > 20 && read > 60, "{refused} refused, {read} read");
}

/// Wrong programs that one of the two reads, each with its reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    (
        "W0025-brace-text.weir",
        "a text inside the braces of a text ends the outer one for the compiler only",
    ),
    ("W0035-path-space.weir", "a space behind the dot is space between two tokens for the grammar"),
    ("W0201-class-caption.weir", "the compiler reads what names a class in other words"),
    ("W0201-class-hyphen.weir", "the same"),
    ("W0201-class-number-unknown.weir", "the same"),
    ("W0201-class-number.weir", "the same"),
    ("W0201-class-words.weir", "the same"),
];

/// One token of the examples left out, at every place.
#[test]
fn both_judge_a_program_that_lacks_a_token_alike() {
    let (mut alike, mut all) = (0, 0);
    let mut unlike = Vec::new();
    for (path, text) in programs(&["examples"]) {
        for token in lex(&text).0 {
            let range = token.span.range();
            let mut lacking = text.clone();
            lacking.replace_range(range.clone(), "");
            let codes = said(&lacking);
            let (compiler, sitter) = (only_beyond(&codes), tree_sitter_reads(&lacking));
            all += 1;
            if compiler == sitter {
                alike += 1;
            } else {
                let name = path.file_name().unwrap().display().to_string();
                let line = text[..range.start].lines().count();
                let shown = &text[range];
                unlike.push(format!(
                    "{name}:{line} without `{shown}`: {codes:?}, tree-sitter reads: {sitter}"
                ));
            }
        }
    }
    assert!(all > 1500, "{all}");
    let share = f64::from(alike) / f64::from(all);
    assert!(share > 0.99, "{alike} of {all}\n{}", unlike.join("\n"));
}

#[test]
fn the_queries_fit_the_grammar_and_colour_the_examples() {
    let language = language();
    for query in [weir_grammar::INDENTS, weir_grammar::FOLDS, weir_grammar::INJECTIONS] {
        Query::new(&language, query).unwrap();
    }
    let highlights = Query::new(&language, weir_grammar::HIGHLIGHTS).unwrap();
    for (path, text) in programs(&["examples"]) {
        let tree = tree(&text);
        let mut coloured = vec![false; text.len()];
        let mut used = BTreeSet::new();
        let mut cursor = QueryCursor::new();
        let mut captures = cursor.captures(&highlights, tree.root_node(), text.as_bytes());
        while let Some((found, at)) = captures.next() {
            let capture = found.captures[*at];
            coloured[capture.node.byte_range()].fill(true);
            used.insert(highlights.capture_names()[capture.index as usize]);
        }
        for token in lex(&text).0 {
            let shown = &text[token.span.range()];
            assert!(
                coloured[token.span.range().start],
                "{}: `{shown}` at {:?}",
                path.display(),
                token.span
            );
        }
        for name in ["keyword", "type", "string", "number", "property", "operator", "function.call"]
        {
            assert!(used.contains(name), "{}: nothing is coloured as {name}", path.display());
        }
    }
}
