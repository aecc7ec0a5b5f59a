//! The formatter: a program in its one canonical form.
//!
//! ```text
//! text --tokens--> tokens with comments --build--> tree --write--> text
//! ```
//!
//! Two spaces for each level; one entry a line, or a whole block on one line where the author wrote it so and it fits;
//! `=` and `=>` in one column for each group of lines; lines of about 100 characters; at most one blank line. Tokens,
//! comments and their order stay as they are, and so does what texts and numbers look like.
//!
//! Three things are the author's, because only people know which lines belong together: blank lines, the columns that
//! were lined up by hand (`format/columns.rs`), and whether a short block stands on one line.

mod columns;
mod layout;
mod tokens;
mod tree;

use crate::diagnostic::Diagnostic;
use crate::parse;
use crate::source::Source;

/// Most passes: one that moves a line's end may change what is lined up with it.
const PASSES_MAX: usize = 8;

/// The program in its canonical form. Formatting what was formatted changes nothing.
///
/// # Errors
///
/// A text that cannot be read as a program is not touched; the reports say why.
pub fn format(source: &Source) -> Result<String, Vec<Diagnostic>> {
    let (_, diagnostics) = parse::parse(source);
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let Some(mut text) = pass(&source.text) else {
        let reports = read_as_meant(source);
        debug_assert!(!reports.is_empty(), "a text off the grammar compiles:\n{}", source.text);
        return if reports.is_empty() { Ok(source.text.clone()) } else { Err(reports) };
    };
    for _ in 1..PASSES_MAX {
        match pass(&text) {
            Some(next) if next != text => text = next,
            _ => break,
        }
    }
    debug_assert!(same_parts(&source.text, &text), "formatting changed the program:\n{text}");
    // A program in an odd form is better than another program.
    Ok(if same_parts(&source.text, &text) { text } else { source.text.clone() })
}

/// One pass; none if the text does not follow the grammar.
fn pass(text: &str) -> Option<String> {
    tree::build(tokens::tokens(text)).map(|tree| layout::write(&tree))
}

/// What the whole compiler says about a text that the parser read as what was meant, and left to later phases to report.
fn read_as_meant(source: &Source) -> Vec<Diagnostic> {
    let mut diagnostics = crate::compile(source).diagnostics;
    diagnostics.retain(|report| report.severity == crate::Severity::Error);
    diagnostics
}

/// Whether two texts have the same tokens and comments.
fn same_parts(before: &str, after: &str) -> bool {
    let parts = |text| {
        let mut parts: Vec<&str> = Vec::new();
        for token in tokens::tokens(text) {
            parts.extend(token.above.iter().map(|comment| comment.text));
            parts.push(token.text);
            parts.extend(token.behind.iter().map(|comment| comment.text));
        }
        parts
    };
    parts(before) == parts(after)
}

#[cfg(test)]
mod tests;
