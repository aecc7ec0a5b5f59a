//! Wrong programs and what is said about them.
//!
//! Every `diagnostics/<phase>/<code>-<slug>.weir` is a test: it is compiled, and what the compiler says is the
//! `.stderr` beside it (`WEIR_UPDATE=1` writes it anew). Its first report has the code of the file's name. A fix that a
//! report offers is applied, and then the report is gone.
//!
//! Programs in `diagnostics/mistakes` are the examples with one mistake each: they give exactly one report, on the line
//! that the comment `# <-- here` is on, with a fix or help.

use std::path::Path;

use weir_dsl::diagnostic::{Diagnostic, Fix, render};
use weir_dsl::source::Source;
use weir_tests::golden;

/// Marks the line of a deliberate mistake.
const HERE: &str = "# <-- here";

fn wrong(path: &Path) -> datatest_stable::Result<()> {
    let text = std::fs::read_to_string(path)?;
    let name = path.file_name().and_then(|name| name.to_str()).ok_or("a file has a name")?;
    let source = Source::new(name, text);
    let reports = weir_dsl::compile(&source).diagnostics;
    golden::check(&path.with_extension("stderr"), &render::render(&reports, &source, false));

    let code = &name[..name.find('-').ok_or("a file is called CODE-SLUG.weir")?];
    let first = reports.first().ok_or("nothing is wrong with it")?;
    assert_eq!(first.code, code, "the first report is of another kind");
    for report in &reports {
        if let Some(fix) = &report.fix {
            check_fix(&source, report, fix);
        }
    }
    if path.parent().is_some_and(|folder| folder.ends_with("mistakes")) {
        check_mistake(&source, &reports);
    }
    Ok(())
}

/// Applying a fix makes its report go away, and no other comes in its place.
fn check_fix(source: &Source, report: &Diagnostic, fix: &Fix) {
    let mended = Source::new(&*source.name, apply(&source.text, fix));
    let before = weir_dsl::compile(source).diagnostics;
    let after = weir_dsl::compile(&mended).diagnostics;
    let of_code = |reports: &[Diagnostic]| reports.iter().filter(|r| r.code == report.code).count();
    assert!(
        of_code(&after) < of_code(&before),
        "the fix `{}` does not mend {}:\n{}\n{}",
        fix.title,
        report.code,
        mended.text,
        render::render(&after, &mended, false)
    );
}

fn apply(text: &str, fix: &Fix) -> String {
    let mut edits = fix.edits.clone();
    edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut text = text.to_owned();
    for (span, new) in edits {
        text.replace_range(span.range(), &new);
    }
    text
}

fn check_mistake(source: &Source, reports: &[Diagnostic]) {
    assert_eq!(reports.len(), 1, "one mistake, one report");
    let report = &reports[0];
    let line = source.line(report.primary.span.start) as usize;
    let marked = source.text.lines().position(|line| line.contains(HERE)).map(|index| index + 1);
    assert_eq!(Some(line), marked, "the report is on another line than the mistake");
    assert!(report.fix.is_some() || report.help.is_some(), "there is neither a fix nor help");
}

datatest_stable::harness! {
    { test = wrong, root = "diagnostics", pattern = r"\.weir$" },
}
