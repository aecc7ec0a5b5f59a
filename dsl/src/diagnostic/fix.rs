//! Applying fixes: one after the other, each looked at again before it is kept.

use super::Fix;
use crate::source::Source;
use crate::{Diagnostic, compile};

/// Most fixes that are applied to one program.
const FIXES_MAX: usize = 200;

/// A fix that was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The code of its report.
    pub code: &'static str,
    /// The line that the report was about, when it was applied.
    pub line: u32,
    /// What it did.
    pub title: String,
}

/// A program with what could be mended in it.
#[derive(Debug)]
pub struct Mended {
    /// The new text; the old one if nothing was applied.
    pub text: String,
    /// What was done, in order.
    pub applied: Vec<Applied>,
}

/// The text with a fix applied.
pub fn apply(text: &str, fix: &Fix) -> String {
    let mut edits: Vec<_> = fix.edits.iter().collect();
    edits.sort_by_key(|(span, _)| std::cmp::Reverse((span.start, span.end)));
    let mut text = text.to_owned();
    for (span, new) in edits {
        text.replace_range(span.range(), new);
    }
    text
}

/// Applies every fix behind which fewer reports of its code are left.
pub fn mend(source: &Source) -> Mended {
    let mut current = source.clone();
    let mut reports = compile(&current).diagnostics;
    let mut applied = Vec::new();
    while applied.len() < FIXES_MAX {
        let Some((next, left, done)) = next_step(&current, &reports) else { break };
        (current, reports) = (next, left);
        applied.push(done);
    }
    Mended { text: current.text, applied }
}

fn next_step(
    source: &Source,
    reports: &[Diagnostic],
) -> Option<(Source, Vec<Diagnostic>, Applied)> {
    let of_code = |reports: &[Diagnostic], code| reports.iter().filter(|r| r.code == code).count();
    reports.iter().find_map(|report| {
        let fix = report.fix.as_ref()?;
        let mended = Source::new(&*source.name, apply(&source.text, fix));
        let left = compile(&mended).diagnostics;
        let better = of_code(&left, report.code) < of_code(reports, report.code);
        let line = source.line(report.primary.span.start);
        let done = Applied { code: report.code, line, title: fix.title.clone() };
        better.then_some((mended, left, done))
    })
}
