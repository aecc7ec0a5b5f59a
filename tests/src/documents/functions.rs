//! A page for each function, made from its source.

use std::fmt::Write as _;

use weir_dsl::editor::{describe_params, signature};
use weir_engine::builtins::forms::{FORMS, Form, RECORD};
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
        ALL.iter().map(|builtin| page(builtin)).chain(FORMS.iter().map(form_page)).collect();
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

fn form_page(form: &Form) -> Page {
    let mut text = format!(
        "# {}\n\n{MADE}\n```text\n{} -> {}\n```\n\n{}\n",
        form.name, form.usage, form.result, form.doc
    );
    if !form.examples.is_empty() {
        let _ = write!(
            text,
            "\nThe list is a path with one `[*]`; a condition is about `it`, the element. List functions do not nest.\n\n\
             ## Examples\n\n```json\n{RECORD}\n```\n```weir,values\n"
        );
        examples(&mut text, form.examples);
        text.push_str("```\n");
    }
    if !form.lines.is_empty() {
        let _ = write!(text, "\n## Examples\n\n```weir,entries\n{}```\n", form.lines);
    }
    Page { name: form.name, summary: first_sentence(form.doc), text }
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
