//! What the parser reads, and what it says when it cannot.
//!
//! `UPDATE_EXPECT=1 cargo test -p weir-dsl parse` rewrites the expected texts; the diff is the review.

use std::collections::BTreeSet;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::tokens::{NESTING_MAX, RESERVED, WORDS};
use crate::ast::{Expr, ExprKind, PathRoot, PathStep, Piece, UnaryOp};
use crate::diagnostic::render::{render, render_short};

use super::*;

const PROGRAMS: [(&str, &str); 4] = [
    ("1_anthropic", include_str!("../../../examples/1_anthropic.weir")),
    ("2_openai", include_str!("../../../examples/2_openai.weir")),
    ("3_csv_eu", include_str!("../../../examples/3_csv_eu.weir")),
    ("4_homegrown", include_str!("../../../examples/4_homegrown.weir")),
];

/// Six lines, so that the text behind it starts on line 7.
const HEAD_TEXT: &str = "weir 1\nparser \"p\" version 1\nocsf \"1.8.0\"\nproduct \"P\"\n\
    input ndjson { }\non error { required reject  optional skip }\n";

/// Parses items behind a head and compares what is said. Every fix alone must leave less to say.
#[track_caller]
fn check(items: &str, expected: Expect) {
    check_file(&format!("{HEAD_TEXT}{items}"), expected);
}

#[track_caller]
fn check_file(text: &str, expected: Expect) {
    let source = Source::new("x.weir", text);
    let (_, diagnostics) = parse(&source);
    let mut said = String::new();
    for diagnostic in &diagnostics {
        let (line, column) = source.line_column(diagnostic.primary.span.start);
        let place = source.slice(diagnostic.primary.span);
        said += &format!("{line}:{column} {} {}\n", diagnostic.code, diagnostic.message);
        said += &format!("    {place:?} {}\n", diagnostic.primary.message);
        if let Some(help) = &diagnostic.help {
            said += &format!("    help: {}\n", help.replace('\n', " / "));
        }
        if let Some(fix) = &diagnostic.fix {
            let mended = mend(text, &fix.edits);
            let left = parse(&Source::new("x.weir", mended.as_str())).1.len();
            assert!(left < diagnostics.len(), "{} does not help:\n{mended}", fix.title);
            let changed = mended.lines().zip(text.lines()).find(|(new, old)| new != old);
            said += &format!("    fix: {}\n", changed.map_or("", |(new, _)| new.trim()));
        }
    }
    expected.assert_eq(&visible(&said));
}

/// The text with what cannot be seen written out.
fn visible(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        if character.is_ascii() || character.is_alphabetic() {
            shown.push(character);
        } else {
            shown.extend(character.escape_unicode());
        }
    }
    shown
}

fn mend(text: &str, edits: &[(Span, String)]) -> String {
    let mut edits = edits.to_vec();
    edits.sort();
    let mut mended = text.to_owned();
    for (span, new) in edits.into_iter().rev() {
        mended.replace_range(span.range(), &new);
    }
    mended
}

#[test]
fn the_example_programs_parse_without_a_word() {
    for (name, text) in PROGRAMS {
        let (file, diagnostics) = parse(&Source::new(name, text));
        assert_eq!(diagnostics, [], "{name}");
        assert!(file.items.len() >= 4, "{name}");
        assert!(file.on_error.is_some(), "{name}");
    }
}

#[test]
fn a_missing_token_gives_at_most_two_reports() {
    for (name, text) in PROGRAMS {
        for token in lex::lex(text).0 {
            let mut cut = text.to_owned();
            cut.replace_range(token.span.range(), "");
            let source = Source::new(name, cut);
            let (_, diagnostics) = parse(&source);
            let missing = (source.line_column(token.span.start), &text[token.span.range()]);
            let said = render_short(&diagnostics, &source);
            assert!(diagnostics.len() <= 2, "without {missing:?}:\n{said}");
        }
    }
}

#[test]
fn the_signs_of_the_grammar_are_those_of_the_lexer() {
    let grammar = include_str!("../../../grammar/weir.ebnf");
    let rules = grammar.split("*)").skip(1).collect::<String>();
    let rules = rules.split("(* Lexical rules").next().unwrap();
    let is_sign = |text: &&str| !text.contains(|c: char| c.is_ascii_alphanumeric() || c == '_');
    // What stands in quotes between two signs of the grammar itself has spaces.
    let quoted = rules.split('"').skip(1).step_by(2).filter(|text| !text.contains(' '));
    let quoted: BTreeSet<&str> = quoted.filter(is_sign).collect();
    let lexer = include_str!("../lex.rs");
    let tokens = lexer.split("#[token(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let foreign = ["?.", ":", "&&", "||", "!", ";", "/*"];
    let tokens = tokens.filter(|text| !foreign.contains(text) && !text.contains('\\'));
    assert_eq!(tokens.filter(is_sign).collect::<BTreeSet<&str>>(), quoted);
    for sign in quoted {
        let (tokens, slips) = lex::lex(sign);
        assert!(tokens.len() == 1 && tokens[0].kind != Kind::Unknown && slips.is_empty(), "{sign}");
    }
}

#[test]
fn the_words_of_the_grammar_are_those_of_the_parser() {
    let grammar = include_str!("../../../grammar/weir.ebnf");
    let (head, rules) = grammar.split_once("*)").unwrap();
    let rules = rules.split("(* Lexical rules").next().unwrap();
    let without_comments: String =
        rules.split("(*").map(|part| part.rsplit("*)").next().unwrap()).collect();
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let quoted: BTreeSet<&str> = without_comments.split('"').skip(1).step_by(2).collect();
    let quoted: BTreeSet<&str> = quoted.into_iter().filter(|text| is_word(text)).collect();
    assert_eq!(quoted, WORDS.iter().copied().collect());

    let reserved = head.split("reserved:").nth(1).unwrap().split("All other").next().unwrap();
    assert_eq!(
        reserved.split_whitespace().collect::<BTreeSet<_>>(),
        RESERVED.iter().copied().collect()
    );

    let sources = [
        include_str!("stmt.rs"),
        include_str!("stmt/emit.rs"),
        include_str!("stmt/head.rs"),
        include_str!("stmt/test.rs"),
        include_str!("expr.rs"),
        include_str!("expr/arms.rs"),
        include_str!("expr/comparison.rs"),
        include_str!("expr/value.rs"),
    ];
    let compared: BTreeSet<&str> = sources.iter().flat_map(|text| text.split('"')).collect();
    for word in WORDS {
        assert!(compared.contains(word), "`{word}` is compared nowhere");
    }
}

/// An expression with every grouping shown.
fn shown(expr: &Expr) -> String {
    let all = |items: &[Expr]| items.iter().map(shown).collect::<Vec<_>>().join(", ");
    match &expr.node {
        ExprKind::Error => "<error>".to_owned(),
        ExprKind::Text(text) => format!("{text:?}"),
        ExprKind::Raw(text) => format!("r{text:?}"),
        ExprKind::Number(text) | ExprKind::Name(text) => text.clone(),
        ExprKind::Unit(number, unit) => format!("{number} {unit}"),
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::Missing => "missing".to_owned(),
        ExprKind::List(items) => format!("[{}]", all(items)),
        ExprKind::Interpolated(pieces) => pieces.iter().map(shown_piece).collect(),
        ExprKind::Match { subject, arms, otherwise } => {
            let arms: Vec<_> = arms
                .iter()
                .map(|arm| {
                    let patterns: Vec<_> =
                        arm.patterns.iter().map(|pattern| format!("{:?}", pattern.node)).collect();
                    format!("{} => {}", patterns.join(" | "), shown(&arm.value))
                })
                .chain(otherwise.iter().map(|value| format!("else => {}", shown(value))))
                .collect();
            format!("match {} {{ {} }}", shown(subject), arms.join("; "))
        }
        ExprKind::If { condition, then, otherwise } => {
            format!("(if {} then {} else {})", shown(condition), shown(then), shown(otherwise))
        }
        ExprKind::Path { root, steps } => {
            let root = match root {
                PathRoot::Record => String::new(),
                PathRoot::Wrapper => "$".to_owned(),
                PathRoot::Name(name) => name.node.clone(),
                PathRoot::Expr(expr) => format!("<{}>", shown(expr)),
            };
            root + &steps.iter().map(shown_step).collect::<String>()
        }
        ExprKind::Call { name, args } => format!("{}({})", name.node, all(args)),
        ExprKind::Pipe { subject, name, args } => {
            format!("({} |> {}({}))", shown(subject), name.node, all(args))
        }
        ExprKind::Unary(UnaryOp::Not, operand) => format!("(not {})", shown(operand)),
        ExprKind::Unary(UnaryOp::Negate, operand) => format!("(-{})", shown(operand)),
        ExprKind::Binary(op, left, right) => format!("({} {op:?} {})", shown(left), shown(right)),
        ExprKind::Is { subject, negated, what } => {
            format!("({} is{} {what:?})", shown(subject), if *negated { " not" } else { "" })
        }
    }
}

fn shown_piece(piece: &Piece) -> String {
    match piece {
        Piece::Text(text) => format!("{text:?}"),
        Piece::Expr(expr) => format!("{{{}}}", shown(expr)),
    }
}

fn shown_step(step: &PathStep) -> String {
    match step {
        PathStep::Key(key) => format!(".{}", key.node),
        PathStep::Choice(keys, _) => {
            let keys: Vec<_> = keys.iter().map(|key| key.node.as_str()).collect();
            format!(".({})", keys.join("|"))
        }
        PathStep::Index(expr) => format!("[{}]", shown(expr)),
        PathStep::Each(_) => "[*]".to_owned(),
    }
}

/// The expression of `let x = ...`, and nothing said.
#[track_caller]
fn expression(text: &str) -> Expr {
    let source = Source::new("x", format!("{HEAD_TEXT}let x = {text}"));
    let (mut file, diagnostics) = parse(&source);
    assert_eq!(diagnostics, []);
    match file.items.pop() {
        Some(Item::Let(let_)) => let_.expr,
        other => panic!("not a let: {other:?}"),
    }
}

#[test]
fn operators_bind_as_the_language_says() {
    for (text, tree) in [
        ("a or b and not c == d", "(a Or (b And (not (c Equal d))))"),
        ("a or b or c", "((a Or b) Or c)"),
        ("not not a", "(not (not a))"),
        ("a ?? b ?? c == d", "(((a Coalesce b) Coalesce c) Equal d)"),
        ("a + b * c - d / e", "((a Add (b Multiply c)) Subtract (d Divide e))"),
        ("a + (b |> f) ?? c", "((a Add (b |> f())) Coalesce c)"),
        ("- - a", "(-(-a))"),
        ("-a |> abs", "((-a) |> abs())"),
        ("a |> f |> g(1, [2])", "((a |> f()) |> g(1, [2]))"),
        ("a |> f == \"x\"", "((a |> f()) Equal \"x\")"),
        ("a is not missing and b is present", "((a is not Missing) And (b is Present))"),
        ("if a then 1 else if b then 2 else 3", "(if a then 1 else (if b then 2 else 3))"),
        ("(if a then 1 else 2) + 1", "((if a then 1 else 2) Add 1)"),
        (".a in [\"x\", 1, -2.50]", "(.a In [\"x\", 1, (-2.50)])"),
        (".a matches r\"^a{2}\\d$\"", "(.a Matches r\"^a{2}\\\\d$\")"),
        ("1_000_000 + 0.25", "(1000000 Add 0.25)"),
        ("[5m, 1MiB, 30s]", "[5 m, 1 MiB, 30 s]"),
        ("[]", "[]"),
        ("f()", "f()"),
        (
            "match .a |> f(1) { \"a\" | \"b*\" => 1 2 => missing true => 3 else => 4 }",
            "match (.a |> f(1)) { Text(\"a\") | Prefix(\"b\") => 1; Number(\"2\") => missing; \
             Bool(true) => 3; else => 4 }",
        ),
        (
            "match .a { \"a\\*b\" => 1 \"c\\**\" => 2 }",
            "match .a { Text(\"a*b\") => 1; Prefix(\"c*\") => 2 }",
        ),
    ] {
        assert_eq!(shown(&expression(text)), tree, "{text}");
    }
}

#[test]
fn paths_start_and_go_on_in_many_ways() {
    for (text, tree) in [
        (".a.b.in.type.when", ".a.b.in.type.when"),
        (".\"Kosten (EUR)\".\"größe\"", ".Kosten (EUR).größe"),
        (".a[0][last].b[*]", ".a[0][last].b[*]"),
        (".(\"x.a\" | \"x.b\").id", ".(x.a|x.b).id"),
        ("$.data[*]", "$.data[*]"),
        ("$", "$"),
        ("step.a[1]", "step.a[1]"),
        ("price[.model].input", "price[.model].input"),
        ("(.a |> json).b", "<(.a |> json())>.b"),
        ("find(.p[*], it.name == \"ip\").value", "<find(.p[*], (it.name Equal \"ip\"))>.value"),
        (".a-.b", "(.a Subtract .b)"),
        (".a - b", "(.a Subtract b)"),
        ("tok_in-tok_out", "(tok_in Subtract tok_out)"),
        (".a-length(.b)", "(.a Subtract length(.b))"),
    ] {
        assert_eq!(shown(&expression(text)), tree, "{text}");
    }
}

#[test]
fn texts_have_escapes_and_values_with_spans_in_the_file() {
    for (text, tree) in [
        (r#""a\n\t\r\"\\\{\*\u{1F600}}""#, r#""a\n\t\r\"\\{*😀}""#),
        (r#""run {.id}""#, r#""run "{.id}"#),
        (r#""{a}{ b + 1 }ü""#, r#"{a}{(b Add 1)}"ü""#),
    ] {
        assert_eq!(shown(&expression(text)), tree, "{text}");
    }
    let expr = expression("\"ü {.id}: {index}\"");
    let source = format!("{HEAD_TEXT}let x = \"ü {{.id}}: {{index}}\"");
    let ExprKind::Interpolated(pieces) = &expr.node else { panic!("{expr:?}") };
    let inner: Vec<&str> = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Expr(expr) => Some(&source[expr.span.range()]),
            Piece::Text(_) => None,
        })
        .collect();
    assert_eq!(inner, [".id", "index"]);
    assert_eq!(&source[expr.span.range()], "\"ü {.id}: {index}\"");
}

#[test]
fn the_sample_of_a_test_stays_as_it_is() {
    let sample = "\n    {\"a\": \"{\\n}\", # \"\" }\n  ";
    let text = format!("{HEAD_TEXT}test \"t\" {{ given \"\"\"{sample}\"\"\" expect dropped }}");
    let (file, diagnostics) = parse(&Source::new("x", text));
    assert_eq!(diagnostics, []);
    assert!(matches!(&file.items[..], [Item::Test(test)] if test.given.node == sample));
}

#[test]
fn what_can_be_read_in_one_way_is_read_so() {
    let (file, diagnostics) = parse(&Source::new(
        "x",
        format!("{HEAD_TEXT}let x = .a?.b && null == 'c'; let y = .user-agent // d"),
    ));
    assert_eq!(diagnostics.len(), 7);
    let exprs: Vec<_> = file
        .items
        .iter()
        .map(|item| match item {
            Item::Let(let_) => shown(&let_.expr),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(exprs, ["(.a.b And (missing Equal \"c\"))", ".user-agent"]);
}

#[test]
fn reading_goes_on_at_the_next_entry() {
    let text = format!(
        "{HEAD_TEXT}emit a {{\n  x = = 1\n  y = 2\n  z {{\n    u = )\n    v = 3\n  }}\n  w = 4\n}}\nlet = 5\nlet n = 6\n"
    );
    let (file, diagnostics) = parse(&Source::new("x", text));
    assert_eq!(diagnostics.len(), 3);
    let Item::Stmt(Stmt::Emit(emit)) = &file.items[0] else { panic!("{:?}", file.items) };
    assert_eq!(emit.entries.len(), 3);
    assert!(matches!(&file.items[1..], [Item::Let(let_)] if let_.name.node == "n"));
}

#[test]
fn hostile_programs_get_one_report() {
    let size = 64 << 10;
    for text in [
        "(", "[", "{", "f(", "x[", "if ", "match ", "not (", "- (", "when a {", "\"{", "a ?? (",
        ".a[.b",
    ] {
        let items = format!("let x = {}", text.repeat(size / text.len()));
        let (_, diagnostics) = parse(&Source::new("x", format!("{HEAD_TEXT}{items}")));
        let codes: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        let reports = if text == "\"{" { 2 } else { 1 };
        assert_eq!(codes.len(), reports, "{text}: {codes:?}");
    }
    for text in ["not ", "- ", "a + ", "a ?? ", "a or ", "a |> ", "1 < ", "x."] {
        let items = format!("let x = {}a", text.repeat(size / text.len()));
        let (_, diagnostics) = parse(&Source::new("x", format!("{HEAD_TEXT}{items}")));
        let codes: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        assert!(codes.len() <= 2, "{text}: {codes:?}");
    }
}

/// How often the parser looks at a token, and how many there are.
fn looks(text: &str) -> (u64, u64) {
    let (tokens, slips) = lex::lex(text);
    let cx = Context::new(text, balanced(&tokens), slips);
    FileReader::default().read(Tokens::new(&cx, &tokens, text.len() as u32));
    (cx.looks(), tokens.len() as u64)
}

#[test]
fn the_parser_looks_at_each_token_a_bounded_number_of_times() {
    let examples = PROGRAMS.map(|(_, text)| text.to_owned());
    let pieces = [
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "f(",
        "x[",
        "if a then ",
        "match ",
        "match a { 1 => ",
        "not ",
        "- ",
        "when a {",
        "else when a { } ",
        "\"{\" ",
        "\"{a}\" ",
        "a ?? (",
        ".a[.b",
        ".a",
        " a",
        "a = ",
        "a.b.c",
        "a b ",
        "1 ",
        ", ",
        "emit a { b ",
        "let a = a ",
        "drop ",
        "event { ",
        "\"\n",
        "test \"a\" { given ",
        "a + ",
        "a |> f ",
        "| ",
        "=> ",
        "else ",
        "on ",
        "not in ",
        "a.b { ",
        "x = \n a.b.c.d { ",
    ];
    let hostile = pieces.iter().flat_map(|piece| {
        let many = piece.repeat((64 << 10) / piece.len());
        [format!("{HEAD_TEXT}{many}"), format!("{HEAD_TEXT}let x = {many}"), many]
    });
    for text in examples.into_iter().chain(hostile) {
        let (looks, tokens) = looks(&text);
        let start: String = text.chars().rev().take(40).collect();
        assert!(looks <= 120 * (tokens + 10), "{looks} looks at {tokens} tokens: {start}");
    }
}

#[test]
fn a_chain_of_operators_has_a_bound_and_so_have_blocks() {
    let chain = |count: usize| format!("{HEAD_TEXT}let x = a{}", " ?? a".repeat(count));
    let said = |text: String| parse(&Source::new("x", text)).1;
    assert_eq!(said(chain(200)), []);
    assert_eq!(said(chain(300))[0].code, "W0005");
    let blocks = |count: usize| {
        format!("{HEAD_TEXT}{}drop{}", "when a { ".repeat(count), " }".repeat(count))
    };
    assert_eq!(said(blocks(NESTING_MAX as usize - 2)), []);
    let codes: Vec<_> = said(blocks(100)).iter().map(|d| d.code).collect();
    assert_eq!(codes, ["W0005"]);
    assert_eq!(said(" ".repeat(Source::BYTES_MAX + 1))[0].code, "W0004");
}

#[test]
fn signs_and_words_of_other_languages() {
    check(
        "drop when .a = \"b\" && !.c || .d != null\nlet y = 'it''s' ?? 1 // no\nlet z = 12kb + 5min;\n",
        expect![[r#"
            7:14 W0020 two values are compared with `==`
                "=" sets a value
                help: write `==`
                fix: drop when .a == "b" && !.c || .d != null
            7:20 W0016 `&&` is written `and` in weir
                "&&" a sign of other languages
                help: write `and`
                fix: drop when .a = "b" and !.c || .d != null
            7:23 W0016 `!` is written `not` in weir
                "!" a sign of other languages
                help: write `not`
                fix: drop when .a = "b" && not .c || .d != null
            7:27 W0016 `||` is written `or` in weir
                "||" a sign of other languages
                help: write `or`
                fix: drop when .a = "b" && !.c or .d != null
            7:36 W0017 `null` is called `missing` in weir
                "null" a word of other languages
                help: write `missing`; to ask for it, `x is missing`
                fix: drop when .a = "b" && !.c || .d != missing
            8:9 W0015 a text stands in straight double quotes
                "'it'" single quotes
                help: write "it"
                fix: let y = "it"'s' ?? 1 // no
            8:13 W0015 a text stands in straight double quotes
                "'s'" single quotes
                help: write "s"
                fix: let y = 'it'"s" ?? 1 // no
            8:13 W0001 here should be a statement such as `emit`, `when`, `let` or `test`
                "'s'" here is a text
            8:22 W0021 comments start with `#`
                "//" not a comment in weir
                help: write `#`
                fix: let y = 'it''s' ?? 1 # no
            9:9 W0014 `12kb` is not a number
                "12kb" not understood
                help: write `12KiB`
                fix: let z = 12KiB + 5min;
            9:16 W0014 `5min` is not a number
                "5min" not understood
                help: write `5m`
                fix: let z = 12kb + 5m;
            9:20 W0018 nothing ends with `;` in weir
                ";" not needed
                help: remove it: each entry starts with a word, so no sign is needed between two
                fix: let z = 12kb + 5min
        "#]],
    );
    check(
        "emit api_activity {\n  a: 1,\n  b == .c?.d\n  c = match .x { \"a\" -> 1 \"b\": 2, -3 => 4 }\n}\n",
        expect![[r#"
            8:4 W0019 `=` stands between a name and its value
                ":" not `:`
                help: write `=`
                fix: a= 1,
            8:7 W0018 entries are not separated by commas
                "," not needed
                help: remove it: each entry starts with a word, so no sign is needed between two
                fix: a: 1
            9:5 W0019 `=` stands between a name and its value
                "==" not `==`
                help: write `=`
                fix: b = .c?.d
            9:10 W0003 there is no `?.` in weir
                "?." one `.` is enough
                help: write `.`: every step of a path is safe, what is not there is missing
                fix: b == .c.d
            10:22 W0019 `=>` stands between a pattern and its value
                "->" not `->`
                help: write `=>`
                fix: c = match .x { "a" => 1 "b": 2, -3 => 4 }
            10:30 W0019 `=>` stands between a pattern and its value
                ":" not `:`
                help: write `=>`
                fix: c = match .x { "a" -> 1 "b"=> 2, -3 => 4 }
            10:33 W0018 entries are not separated by commas
                "," not needed
                help: remove it: each entry starts with a word, so no sign is needed between two
                fix: c = match .x { "a" -> 1 "b": 2 -3 => 4 }
            10:35 W0012 a pattern cannot be negative
                "-" would be read as a subtraction
                help: compare instead: `if x == -1 then ... else match x { ... }`
        "#]],
    );
    check(
        "when .a == 1 { drop } else if .b == 2 { drop } else { drop }\n",
        expect![[r#"
            7:28 W0017 `else if` is written `else when` here
                "if" chooses a value, not a block
                help: write `else when`
                fix: when .a == 1 { drop } else when .b == 2 { drop } else { drop }
        "#]],
    );
}

#[test]
fn names_and_paths() {
    check(
        "let a = .user-agent\nlet b = .2fa\nlet c = .@type.größe\nlet größe = 1\nlet it = 2\nlet when = 3\n",
        expect![[r#"
            7:10 W0105 the field name `user-agent` needs quotes
                "user-agent" reads as `user` minus `agent`
                help: write `."user-agent"`; to subtract, put spaces around `-`
                fix: let a = ."user-agent"
            8:10 W0105 the field name `2fa` needs quotes
                "2fa" only letters, digits and `_` go without, and no digit first
                help: write `."2fa"`
                fix: let b = ."2fa"
            9:10 W0105 the field name `@type` needs quotes
                "@type" only letters, digits and `_` go without, and no digit first
                help: write `."@type"`
                fix: let c = ."@type".größe
            9:16 W0105 the field name `größe` needs quotes
                "größe" only letters, digits and `_` go without, and no digit first
                help: write `."größe"`
                fix: let c = .@type."größe"
            10:5 W0024 names have only the letters a to z, digits and `_`
                "größe" has other letters
                help: a field of the record is written `."größe"`
            11:5 W0023 `it` already means something everywhere
                "it" cannot be defined
                help: take another name
            12:5 W0023 `when` cannot be a name here: weir uses the word itself
                "when" expected a name after `let`
                help: take another word
        "#]],
    );
    check(
        "raw redact [.a .b, .c]\neach .a as it max 5 { drop }\nlet x = .a.\nlet y = .(\"a\" | b)\n",
        expect![[r#"
            7:16 W0031 a path has no space inside
                "." goes on after a space
                help: remove the space, or separate two paths by `,`
                fix: raw redact [.a.b, .c]
            8:6 W0029 `each` needs all elements of an array
                ".a" this is one value
                help: end the path in `[*]`
                fix: each .a[*] as it max 5 { drop }
            8:12 W0023 `it` already means something everywhere
                "it" cannot be defined
                help: take another name
            9:11 W0035 a dot alone is no value
                "." which field?
                help: write `.name`; the whole record is stored by itself, as `raw keep` says
            10:17 W0038 the names of a choice stand in quotes
                "b" no quotes
                help: write `.("a" | "b")`
                fix: let y = .("a" | "b")
        "#]],
    );
}

#[test]
fn expressions_that_are_not_clear() {
    check(
        "let a = .user.email ?? agent |> lower |> trim\nlet b = .a == .b |> lower\nlet c = 1 < 2 < 3\n\
         let d = 1 + if .a then 2 else 3\nlet e = if .a then 1\nlet f = .a not in [1]\n",
        expect![[r#"
            7:9 W0110 it is not clear what `|> lower |> trim` applies to
                ".user.email ?? agent |> lower |> trim" only `agent` would go into it
                help: for both   `(.user.email ?? agent) |> lower |> trim` / for `agent`   `.user.email ?? (agent |> lower |> trim)`
                fix: let a = (.user.email ?? agent) |> lower |> trim
            8:9 W0110 it is not clear what `|> lower` applies to
                ".a == .b |> lower" only `.b` would go into it
                help: for both   `(.a == .b) |> lower` / for `.b`   `.a == (.b |> lower)`
                fix: let b = (.a == .b) |> lower
            9:15 W0030 comparisons do not chain
                "<" a second one
                help: compare twice: `a < b and b < c`
            10:13 W0001 an `if` inside a larger expression stands in parentheses
                "if .a then 2 else 3" its `else` reaches as far as it can
                help: write `(if ... then ... else ...)`
                fix: let d = 1 + (if .a then 2 else 3)
            11:20 W0001 here should be `else` and a value: an `if` gives a value in both cases
                "1" nothing like it behind this
                help: to leave the value out otherwise, write `else missing`
            12:12 W0001 `not` stands before the whole comparison
                "not" not before `in`
                help: write `not (... in ...)`
                fix: let f = not (.a in [1])
        "#]],
    );
    check(
        "let a = .b matches \"a{2}\\\\d\"\nlet b = .c |> extract(\"(?<x>.)\")\n",
        expect![[r#"
            7:20 W0115 a regular expression is written `r"..."`
                "\"a{2}\\\\d\"" an ordinary text: its braces and backslashes mean something else
                help: write r"a{2}\d"
                fix: let a = .b matches r"a{2}\d"
            8:23 W0115 a regular expression is written `r"..."`
                "\"(?<x>.)\"" an ordinary text: its braces and backslashes mean something else
                help: write r"(?<x>.)"
                fix: let b = .c |> extract(r"(?<x>.)")
        "#]],
    );
}

#[test]
fn texts_and_patterns() {
    check(
        "let a = \"{}\"\nlet b = \"{.a b}\"\nlet c = \"{.a\"\nlet d = \"x\nlet e = \"\\d\\u{110000}\"\n",
        expect![[r#"
            7:10 W0025 nothing stands between these braces
                "{}" empty
                help: a brace that belongs to the text is written `\{`
                fix: let a = "\{}"
            8:14 W0001 here should be `}` after the value
                "b" here is `b`
                help: a brace that belongs to the text is written `\{`
            9:9 W0025 a `{` in this text is not closed
                "\"{.a\"" ends inside `{ }`
                help: a brace that belongs to the text is written `\{`; a text cannot stand inside `{ }`, give it a name with `let` first
            10:9 W0002 this text has no end
                "\"" starts here
                help: close it with `"` on the same line; a line end is written `\n`
            11:10 W0006 `\d` stands for no character
                "\\d" unknown
                help: a backslash itself is written `\\`; a regular expression is written `r"..."`
                fix: let e = "\\d\u{110000}"
            11:12 W0006 `\u{110000}` stands for no character
                "\\u{110000}" unknown
                help: write the number of a character in hexadecimal, as `\u{E9}`
        "#]],
    );
    check(
        "let a = match .b { \"*x\" => 1 \"{.c}\" => 2 -1 => 3 }\nlet c = match .b { else => 1 \"a\" => 2 }\n",
        expect![[r#"
            7:21 W0113 a star stands for "anything" only at the end of a pattern
                "*" not at the end
                help: for a star itself write `\*`; for other searches use `if` with `contains`, `ends_with` or `matches`
                fix: let a = match .b { "\*x" => 1 "{.c}" => 2 -1 => 3 }
            7:31 W0106 this text must be constant
                "{.c}" would differ from record to record
                help: if the brace belongs to the text, write `\{`; a sample with braces stands in `"""`
                fix: let a = match .b { "*x" => 1 "\{.c}" => 2 -1 => 3 }
            7:42 W0012 a pattern cannot be negative
                "-" would be read as a subtraction
                help: compare instead: `if x == -1 then ... else match x { ... }`
            8:30 W0026 nothing stands behind `else`
                "\"a\" => 2" never reached
                help: put the `else` last, once
        "#]],
    );
}

#[test]
fn blocks_and_their_brackets() {
    check(
        "emit a {\n  b {\n    c = 1\n  d = 2\n}\n\ntest \"t\" { given \"1\" expect dropped }\n",
        expect![[r#"
            13:1 W0008 the `{` of `emit` is not closed
                "test" a `}` is missing before `test`
        "#]],
    );
    check(
        "emit a\n  b = 1\n}\nlet x = 1\n",
        expect![[r#"
            7:6 W0008 expected `{` after `emit`
                "a" not found behind this
                help: what belongs to it stands between `{` and `}`
                fix: emit a {
        "#]],
    );
    check(
        "let x = 1\n}\nlet y = (1 + 2\nlet z = [1 2, 3,]\n",
        expect![[r#"
            8:1 W0008 this `}` closes nothing
                "}" no `{` is open here
                help: remove it, or look above for a `}` too many
            9:14 W0008 here should be `)`
                "2" nothing like it behind this
            10:12 W0001 here should be `,` between two values
                "2" here is `2`
                help: write `,`
                fix: let z = [1, 2, 3,]
            10:16 W0018 no comma stands behind the last value
                "," not needed
                help: remove it
                fix: let z = [1 2, 3]
        "#]],
    );
    check(
        "emit a {\n  when .x { b = 1 }\n  event { id = 1 }\n  event { id = 2 }\n  c = 1 on missing 2 on missing 3\n}\n",
        expect![[r#"
            8:3 W0041 `when` cannot stand inside `emit`
                "when" belongs elsewhere
                help: put it around the `emit`; to choose one value, write `name = if condition then a else missing`
            10:3 W0028 a block has one `event`
                "event" a second one
                help: write all columns into one
            11:22 W0027 a line has one handler of each kind
                "on missing 3" the second one
                help: remove one of them
        "#]],
    );
    check(
        "let q = .b on missing 2\nfoo = 3\nlet r = 1\n",
        expect![[r#"
            7:12 W0001 here should be the next statement: a `let` has no `on missing`
                "on" here is `on`
                help: `on missing` and `on invalid` stand behind the value of a target; a `let` can use `??`
        "#]],
    );
}

#[test]
fn heads() {
    check_file(
        "",
        expect![[r#"
            1:1 W0010 the head of the file lacks `weir`, `parser`, `ocsf`, `product`, `input`, `on error`
                "" belongs before this
                help: write / weir 1 / parser "my-parser" version 1 / ocsf "1.8.0" / product "My product" by "My company" / input ndjson { max_record 1MiB } / on error { required reject  optional skip }
                fix: 
        "#]],
    );
    check_file(
        "weir 1\nocsf \"1\"\nparser \"p\" version 1\nproduct \"P\"\ninput csv { delimiter = \",\" }\nlet a = 1\n",
        expect![[r#"
            3:1 W0022 `parser` stands too late
                "parser" belongs further up
                help: the head of a file is `weir`, `parser`, `ocsf`, `product`, `input`, `on error`, in this order
            5:1 W0010 the head of the file lacks `on error`
                "input csv { delimiter = \",\" }" belongs behind this
                help: write / on error { required reject  optional skip }
                fix: on error { required reject  optional skip }
            5:23 W0019 a setting has no sign before its value
                "=" not needed
                help: remove it
                fix: input csv { delimiter  "," }
        "#]],
    );
    check_file(
        &HEAD_TEXT.replace("optional skip", "").replace("weir 1", "weir"),
        expect![[r#"
            1:1 W0001 here should be the edition, as in `weir 1`
                "weir" nothing like it behind this
                help: a whole line is `weir 1`
            6:10 W0001 `on error` lacks `optional skip` or `optional reject`
                "{ required reject   }" says only a part
                help: write `on error { required reject  optional skip }`
        "#]],
    );
    check_file(
        "weir 2\nlet ( = 5\n",
        expect![[r#"
        1:6 W0013 this weir does not know edition 2
            "2" unknown
            help: use a newer weir, or write the program for edition 1
    "#]],
    );
    check_file(
        "#!/usr/bin/env weir\n<html>\n",
        expect![[r#"
            2:1 W0040 this is no weir program
                "<" looks like XML
                help: a program begins with the line `weir 1`, and then /   parser "my-parser" version 1 /   ocsf "1.8.0" /   product "My product" by "My company" /   input ndjson { } /   on error { required reject  optional skip }
        "#]],
    );
}

#[test]
fn what_cannot_be_seen() {
    let bom = format!("\u{FEFF}{HEAD_TEXT}let a = \"\u{200B}\" # fine\n");
    check_file(&bom, expect![""]);
    check(
        "let a\u{200B} =\u{A0}1 # \u{202E}\nlet b = 1\u{FEFF}\n",
        expect![[r#"
            7:6 W0007 an invisible character (U+200B) stands here
                "\u{200b}" cannot be seen
                help: remove it: it can make a program look different from what it does
                fix: let a =\u{a0}1 # \u{202e}
            7:9 W0007 this is not an ordinary space (U+00A0)
                "\u{a0}" looks like a space
                help: write an ordinary space
                fix: let a\u{200b} = 1 # \u{202e}
            7:14 W0007 an invisible character (U+202E) stands here
                "\u{202e}" cannot be seen
                help: remove it: it can make a program look different from what it does
                fix: let a\u{200b} =\u{a0}1 #
            8:10 W0007 an invisible character (U+FEFF) stands here
                "\u{feff}" cannot be seen
                help: remove it: it can make a program look different from what it does
                fix: let b = 1
        "#]],
    );
}

/// What a program is made of, and what is none of it.
fn any_token() -> impl Strategy<Value = &'static str> {
    let signs = [
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ".",
        ",",
        "=",
        "=>",
        "==",
        "!=",
        "<",
        "|",
        "|>",
        "??",
        "?.",
        "+",
        "-",
        "*",
        "/",
        "$",
        ":",
        ";",
        "&&",
        "||",
        "!",
        "@",
        "\"",
        "'",
        "\"\"\"",
        "r\"",
        "\\",
        "#",
        "//",
        "\n",
        "\"a\"",
        "\"{.a}\"",
        "\"{\"",
        "\"a*\"",
        "\"\\x\"",
        "\"\"\" x \"\"\"",
        "r\"a\"",
        "'a'",
        "1",
        "1.5",
        "5m",
        "1MiB",
        "12kb",
        ".a",
        ".2fa",
        ".é",
        "é",
        "\u{200B}",
        "\u{A0}",
        "a",
        "b.c",
        "null",
        "it",
    ];
    proptest::sample::select([&signs[..], WORDS].concat())
}

/// Nothing that a text holds may break these.
fn hold_for_any_text(text: &str) -> Result<(), TestCaseError> {
    let source = Source::new("x", text);
    let (_, diagnostics) = parse(&source);
    prop_assert!(diagnostics.len() <= 100);
    for diagnostic in &diagnostics {
        let edits = diagnostic.fix.iter().flat_map(|fix| fix.edits.iter().map(|edit| edit.0));
        let labels = diagnostic.secondary.iter().map(|label| label.span);
        for span in labels.chain(edits).chain([diagnostic.primary.span]) {
            prop_assert!(span.start <= span.end, "{diagnostic:?}");
            prop_assert!(text.get(span.range()).is_some(), "{diagnostic:?}");
        }
        prop_assert!(crate::diagnostic::code::find(diagnostic.code).is_some());
    }
    prop_assert_eq!(render(&diagnostics, &source, false).is_empty(), diagnostics.is_empty());
    Ok(())
}

proptest! {
    #[test]
    fn any_tokens_give_a_tree(tokens in prop::collection::vec(any_token(), 0..120), spaced: bool, headed: bool) {
        let items = tokens.join(if spaced { " " } else { "" });
        let text = if headed { format!("{HEAD_TEXT}{items}") } else { items };
        hold_for_any_text(&text)?;
    }

    #[test]
    fn any_bytes_give_a_tree(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        hold_for_any_text(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn programs_with_something_else_in_them_give_a_tree(
        which in 0..PROGRAMS.len(), at: prop::sample::Index, length in 0_usize..40, token in any_token(),
    ) {
        let text = PROGRAMS[which].1;
        let boundary = |mut at: usize| {
            while !text.is_char_boundary(at) { at += 1; }
            at
        };
        let start = boundary(at.index(text.len()));
        let end = boundary((start + length).min(text.len()));
        hold_for_any_text(&format!("{}{token}{}", &text[..start], &text[end..]))?;
    }
}
