//! What the documents say holds: see `weir_tests::documents`.

use std::path::{Path, PathBuf};

use weir_tests::documents::{Document, functions};
use weir_tests::golden;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// All documents that users read.
fn documents() -> Vec<Document> {
    let mut documents = Document::below(&root().join("docs/src"));
    for page in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        documents.push(Document::read(&root().join(page)));
    }
    documents
}

#[track_caller]
fn nothing(problems: Vec<String>) {
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

#[test]
fn every_program_in_the_documents_does_what_they_say() {
    let documents = documents();
    let programs = documents.iter().flat_map(|document| &document.blocks);
    let programs = programs.filter(|block| block.info.starts_with("weir")).count();
    assert!(programs > 0, "no document has a program");
    nothing(documents.iter().flat_map(Document::try_programs).collect());
}

#[test]
fn every_link_leads_somewhere() {
    nothing(documents().iter().flat_map(Document::dead_links).collect());
}

#[test]
fn every_page_of_the_book_stands_in_its_summary() {
    let book = root().join("docs/src");
    let summary = Document::read(&book.join("SUMMARY.md"));
    let listed: Vec<PathBuf> = summary.links.iter().map(|link| book.join(link)).collect();
    let pages = Document::below(&book).into_iter().map(|page| page.path);
    let missing =
        pages.filter(|page| page.file_name() != summary.path.file_name() && !listed.contains(page));
    nothing(missing.map(|page| format!("{} is not in SUMMARY.md", page.display())).collect());
}

/// `WEIR_UPDATE=1` writes the pages.
#[test]
fn every_function_has_a_page_made_from_its_source() {
    let folder = root().join("docs/src/functions");
    let pages = functions::pages();
    for page in &pages {
        golden::check(&folder.join(page.name).with_extension("md"), &page.text);
    }
    golden::check(&folder.join("README.md"), &functions::index(&pages));
    let summary = std::fs::read_to_string(root().join("docs/src/SUMMARY.md")).unwrap();
    let listed =
        summary.lines().filter(|line| line.contains("(functions/") && line.starts_with("  "));
    let wanted = pages.iter().map(|page| format!("  - [{0}](functions/{0}.md)", page.name));
    assert_eq!(
        listed.collect::<Vec<_>>(),
        wanted.collect::<Vec<_>>(),
        "SUMMARY.md lists them by name"
    );
}
