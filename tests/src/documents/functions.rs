//! A page for each function, made from its source.

use std::fmt::Write as _;

use weir_dsl::editor::{describe_params, signature};
use weir_engine::builtins::lists::{LISTS, ListFunction, RECORD};
use weir_engine::builtins::{ALL, Builtin, Example, Gives};

/// A page of the book.
#[derive(Debug)]
pub struct Page {
    /// The function.
    pub name: &'static str,
    /// The first sentence about it.
    pub summary: String,
    /// The Markdown.
    pub text: String,
}

/// What every page says about where it comes from.
const MADE: &str = "<!-- Made from the source of the function: change it there. -->\n";

/// All pages, by name.
pub fn pages() -> Vec<Page> {
    let mut pages: Vec<Page> =
        ALL.iter().map(|builtin| page(builtin)).chain(LISTS.iter().map(list_page)).collect();
    pages.sort_by_key(|page| page.name);
    pages
}

/// The page that lists the others.
pub fn index(pages: &[Page]) -> String {
    let mut text = format!(
        "# Functions\n\n{MADE}\n`x |> f(a)` and `f(x, a)` are the same. Functions are pure, and what they cost is known; a \
         missing argument gives missing, an\ninvalid one invalid, unless the page says otherwise.\n\n| function | what it does |\n|---|---|\n"
    );
    for page in pages {
        let summary = page.summary.replace('|', "\\|");
        let _ = writeln!(text, "| [`{0}`]({0}.md) | {summary} |", page.name);
    }
    text
}

fn page(builtin: &Builtin) -> Page {
    let mut text = format!(
        "# {}\n\n{MADE}\n```text\n{}\n```\n\n{}\n",
        builtin.name,
        signature(builtin),
        builtin.doc
    );
    text.push_str(&describe_params(builtin));
    text.push_str("\n## Examples\n\n```text\n");
    examples(&mut text, builtin.examples);
    text.push_str("```\n");
    Page { name: builtin.name, summary: first_sentence(builtin.doc), text }
}

fn list_page(function: &ListFunction) -> Page {
    let mut text = format!(
        "# {}\n\n{MADE}\n```text\n{} -> {}\n```\n\n{}\n\nThe list is a path with one `[*]`; the condition is about `it`, the element. List functions do not nest.\n\n## Examples\n\n```json\n{RECORD}\n```\n```weir,values\n",
        function.name, function.usage, function.result, function.doc
    );
    examples(&mut text, function.examples);
    text.push_str("```\n");
    Page { name: function.name, summary: first_sentence(function.doc), text }
}

fn examples(text: &mut String, examples: &[Example]) {
    let width = examples.iter().map(|example| example.expr.chars().count()).max().unwrap_or(0);
    for example in examples {
        let gives = match example.gives {
            Gives::Text(text) => text,
            Gives::Missing => "missing",
            Gives::Invalid => "invalid",
        };
        let _ = writeln!(text, "{:width$}  # {gives}", example.expr);
    }
}

fn first_sentence(doc: &str) -> String {
    doc.split_once(". ").map_or_else(|| doc.to_owned(), |(first, _)| format!("{first}."))
}
