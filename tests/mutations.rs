//! One slip at every place of the four examples: a token deleted, written twice, swapped with the next, or misspelt.
//!
//! What is asked of the compiler: it never panics, it says at most two things, and it points at the slip. A report points
//! at the slip if one of its places is on a line where the slip can be seen:
//!
//! - the line of a token that was touched, or of the tokens around it (what is missing can only be seen beside its place);
//! - for a bracket or quote, the line of its counterpart, or a line between the two (a `}` too few is seen at the next
//!   line that cannot stand inside the block);
//! - for a name that is defined there, a line that uses the name (the slip may as well be in the use);
//! - for a word of the head, the line on which the head ends.
//!
//! Slips that leave a program right (a text may say anything) or only warn are not counted.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use weir_dsl::diagnostic::Diagnostic;
use weir_dsl::lex::{Kind, Token, lex};
use weir_dsl::{Severity, Source, compile, has_errors};

const EXAMPLES: [&str; 4] = [
    include_str!("../examples/1_anthropic.weir"),
    include_str!("../examples/2_openai.weir"),
    include_str!("../examples/3_csv_eu.weir"),
    include_str!("../examples/4_homegrown.weir"),
];

/// Most things that are said about one slip.
const REPORTS_MAX: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slip {
    Delete,
    Duplicate,
    Swap,
    Misspell,
}

const SLIPS: [Slip; 4] = [Slip::Delete, Slip::Duplicate, Slip::Swap, Slip::Misspell];

/// One slip and what became of it.
struct Outcome {
    slip: Slip,
    shown: String,
    reports: usize,
    is_near: bool,
}

/// The program with a slip at a token; none if there is no such slip there.
fn mutate(text: &str, tokens: &[Token], at: usize, slip: Slip) -> Option<String> {
    let range = tokens[at].span.range();
    let written = &text[range.clone()];
    let mut changed = text.to_owned();
    match slip {
        Slip::Delete => changed.replace_range(range, ""),
        Slip::Duplicate => changed.insert_str(range.end, &format!(" {written}")),
        Slip::Swap => {
            let next = tokens.get(at + 1)?.span.range();
            let between = &text[range.end..next.start];
            let swapped = format!("{}{between}{written}", &text[next.clone()]);
            changed.replace_range(range.start..next.end, &swapped);
        }
        Slip::Misspell => {
            if tokens[at].kind != Kind::Word || written.len() < 3 {
                return None;
            }
            let mut letters: Vec<char> = written.chars().collect();
            letters.swap(1, 2);
            let misspelt: String = letters.into_iter().collect();
            changed.replace_range(range, &misspelt);
        }
    }
    (changed != text).then_some(changed)
}

/// Lines from which the slip can be seen, first and last.
fn near(source: &Source, tokens: &[Token], at: usize) -> Vec<(u32, u32)> {
    let line = |at: usize| {
        let token = tokens[at.min(tokens.len() - 1)];
        (source.line(token.span.start), source.line(token.span.end))
    };
    let (first, last) = (line(at.saturating_sub(1)).0, line(at + 2).1);
    let mut lines = vec![(first, last)];
    let opening = |kind| matches!(kind, Kind::BraceOpen | Kind::ParenOpen | Kind::BracketOpen);
    let closing = |kind| matches!(kind, Kind::BraceClose | Kind::ParenClose | Kind::BracketClose);
    // A swap touches the next token, too.
    for at in [at, (at + 1).min(tokens.len() - 1)] {
        if opening(tokens[at].kind) || closing(tokens[at].kind) {
            lines.push(block(source, tokens, at));
        }
        let name = &source.text[tokens[at].span.range()];
        let word_before = at.checked_sub(1).map(|at| &source.text[tokens[at].span.range()]);
        if matches!(word_before, Some("let" | "as" | "table" | "(" | ",")) {
            let uses = tokens.iter().filter(|token| &source.text[token.span.range()] == name);
            lines.extend(uses.map(|token| {
                let line = source.line(token.span.start);
                (line, line)
            }));
        }
    }
    lines
}

/// The lines of the outermost block around a bracket, and the line behind it.
fn block(source: &Source, tokens: &[Token], at: usize) -> (u32, u32) {
    let is_outer = |token: &&Token| token.depth == 0 && token.line_start;
    let first = tokens[..=at].iter().rev().find(is_outer).unwrap_or(&tokens[0]);
    let last =
        tokens[at + 1..].iter().filter(|token| token.kind != Kind::BraceClose).find(is_outer);
    let last = last.unwrap_or(&tokens[tokens.len() - 1]);
    (source.line(first.span.start), source.line(last.span.end))
}

fn points_near(report: &Diagnostic, source: &Source, lines: &[(u32, u32)]) -> bool {
    let places = std::iter::once(&report.primary).chain(&report.secondary);
    places
        .map(|label| source.line(label.span.start))
        .any(|line| lines.iter().any(|(first, last)| (*first..=*last).contains(&line)))
}

/// Tries one slip; nothing if the program is still right.
fn outcome(source: &Source, tokens: &[Token], at: usize, slip: Slip) -> Option<Outcome> {
    let text = mutate(&source.text, tokens, at, slip)?;
    let mutant = Source::new("mutant", text);
    let compiled = compile(&mutant);
    if !has_errors(&compiled.diagnostics) {
        return None;
    }
    let errors: Vec<_> =
        compiled.diagnostics.iter().filter(|report| report.severity == Severity::Error).collect();
    let lines = near(source, tokens, at);
    let first = errors[0];
    let line = source.line(tokens[at].span.start);
    let said: Vec<String> = errors
        .iter()
        .map(|report| {
            let line = mutant.line(report.primary.span.start);
            format!("{line} {} {}", report.code, report.message)
        })
        .collect();
    Some(Outcome {
        slip,
        shown: format!(
            "line {line}, {slip:?} `{}`: {}",
            source.slice(tokens[at].span),
            said.join("; ")
        ),
        reports: errors.len(),
        is_near: points_near(first, &mutant, &lines),
    })
}

/// All slips in a program, tried on all cores.
fn outcomes(source: &Source) -> Vec<Outcome> {
    let (tokens, slips) = lex(&source.text);
    assert!(slips.is_empty());
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= tokens.len() {
                        break;
                    }
                    let of_token: Vec<Outcome> = SLIPS
                        .iter()
                        .filter_map(|&slip| outcome(source, &tokens, at, slip))
                        .collect();
                    found
                        .lock()
                        .expect("no thread panics while it holds the list")
                        .extend(of_token);
                }
            });
        }
    });
    found.into_inner().expect("no thread panics while it holds the list")
}

#[test]
fn one_slip_gives_one_or_two_reports_beside_it() {
    let mut all = Vec::new();
    for (index, text) in EXAMPLES.iter().enumerate() {
        let source = Source::new(format!("example {}", index + 1), *text);
        let found = outcomes(&source);
        all.extend(found.into_iter().map(|outcome| (index + 1, outcome)));
    }
    let mut summary = String::new();
    for slip in SLIPS {
        let of_slip: Vec<_> = all.iter().filter(|(_, outcome)| outcome.slip == slip).collect();
        let near = of_slip.iter().filter(|(_, outcome)| outcome.is_near).count();
        let one = of_slip.iter().filter(|(_, outcome)| outcome.reports == 1).count();
        summary += &format!(
            "{slip:?}: {} refused, {:.1} % beside the slip, {:.1} % with one report\n",
            of_slip.len(),
            100.0 * near as f64 / of_slip.len() as f64,
            100.0 * one as f64 / of_slip.len() as f64,
        );
    }
    let show = |wanted: &dyn Fn(&Outcome) -> bool| -> Vec<String> {
        let found = all.iter().filter(|(_, outcome)| wanted(outcome));
        found.map(|(example, outcome)| format!("example {example}, {}", outcome.shown)).collect()
    };
    let many = show(&|outcome| outcome.reports > REPORTS_MAX);
    let far = show(&|outcome| !outcome.is_near);
    let near_rate = 1.0 - far.len() as f64 / all.len() as f64;
    #[allow(clippy::print_stdout, reason = "the figures are what one runs this for")]
    {
        println!(
            "{summary}in all {} refused, {:.1} % beside the slip",
            all.len(),
            100.0 * near_rate
        );
        if std::env::var_os("WEIR_SHOW").is_some() {
            println!("far:\n{}\nmany:\n{}", far.join("\n"), many.join("\n"));
        }
    }
    assert!(all.len() > 5_000, "too few slips were tried: {}", all.len());
    assert!(many.is_empty(), "more than {REPORTS_MAX} reports on one slip:\n{}", many.join("\n"));
    assert!(near_rate >= 0.9, "{:.3} beside the slip; the others:\n{}", near_rate, far.join("\n"));
}
