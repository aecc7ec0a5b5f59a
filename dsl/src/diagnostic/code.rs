//! The registry of codes: the only place where a code is made.
//!
//! A code says one thing for ever: it is never reused, and one that is no longer raised leaves a gap. `W` codes are
//! said about programs, `R` codes about records.
//!
//! | codes | about |
//! |---|---|
//! | W00xx | text and syntax |
//! | W01xx | names and paths |
//! | W02xx | OCSF |
//! | W03xx | types |
//! | W04xx | time, numbers, formats |
//! | W05xx | routing and identity |
//! | W06xx | cost |
//! | W07xx | tests |
//! | W08xx | advice |
//! | R1xxx | records at run time |
//!
//! Every code has a page, `errors/<code>.md`, that `weir explain CODE` shows.

/// A code with what there is to read about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// As `W0203`.
    pub code: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// The whole page, in Markdown; its first line is `# W0203 title`.
    pub page: &'static str,
}

/// What is known about a code.
pub fn find(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|entry| entry.code == code)
}

/// The page of a code, in Markdown.
pub fn page(code: &str) -> Option<&'static str> {
    find(code).map(|entry| entry.page)
}

macro_rules! codes {
    ($($code:literal, $title:literal;)*) => {
        /// Every code there is, in order.
        pub const CODES: &[Code] = &[$(Code {
            code: $code,
            title: $title,
            page: include_str!(concat!("../../errors/", $code, ".md")),
        }),*];
    };
}

codes! {
    "W0001", "something else was expected here";
    "W0002", "a text without its end";
    "W0003", "there is no `?.`";
    "W0004", "a program that is too long";
    "W0005", "nested too deeply";
    "W0006", "a backslash before something that it does not stand for";
    "W0007", "an invisible character";
    "W0008", "a bracket without its counterpart";
    "W0010", "the head lacks a line";
    "W0011", "a setting of `input` that does not exist, or not with this value";
    "W0012", "a pattern cannot be negative";
    "W0013", "an edition that this weir does not know";
    "W0014", "a number runs into letters";
    "W0015", "a text in other quotes";
    "W0016", "a sign for what weir writes as a word";
    "W0017", "a word of another language";
    "W0018", "a sign between entries";
    "W0019", "another sign than the one that stands here";
    "W0020", "`=` in a comparison";
    "W0021", "a comment in the style of another language";
    "W0022", "a line of the head twice, or too late";
    "W0023", "a word that cannot be a name";
    "W0024", "a name with other letters than a to z";
    "W0025", "braces in a text that cannot be read";
    "W0026", "something behind `else`";
    "W0027", "two handlers of the same kind on one line";
    "W0028", "a second `event` in one block";
    "W0029", "`each` over a single value";
    "W0030", "comparisons that chain";
    "W0031", "a space inside a path";
    "W0032", "a choice as other languages write it";
    "W0033", "a statement that weir does not have";
    "W0034", "a function in the wrong place";
    "W0035", "a path as other languages write it";
    "W0036", "a sign that weir does not have";
    "W0037", "a text or object as other languages write it";
    "W0038", "a text without quotes";
    "W0039", "a line that sets something where nothing is set";
    "W0040", "a file in another language";
    "W0041", "a statement where it cannot stand";
    "W0042", "a name in quotes";
    "W0043", "a misspelt word of the language";
    "W0050", "a program that is not UTF-8";
    "W0101", "a name that is not defined";
    "W0102", "a function that does not exist";
    "W0103", "a wrong number of arguments";
    "W0104", "a name that is already defined";
    "W0105", "a field name that needs quotes";
    "W0106", "a text that must be constant";
    "W0107", "a key that is computed";
    "W0108", "a member of the wrapper that comes too late";
    "W0109", "a path behind a value that has no members";
    "W0110", "it is not clear what a pipe applies to";
    "W0111", "there is no wrapper around the records";
    "W0112", "a step into a cell";
    "W0113", "a star that does not end its pattern";
    "W0115", "a regular expression in an ordinary text";
    "W0116", "a member or column that is not there";
    "W0117", "a secret that was not given";
    "W0119", "`[*]` where one value is meant, or no `[*]` where many are";
    "W0201", "a class that OCSF does not have";
    "W0202", "a version or a profile of OCSF that is not known";
    "W0203", "an attribute that OCSF does not have";
    "W0204", "an attribute that is set twice";
    "W0205", "an object can never be valid";
    "W0206", "an object may turn out incomplete";
    "W0207", "an attribute of a profile that is not switched on";
    "W0208", "`skip` on what is required";
    "W0209", "an attribute that weir derives";
    "W0210", "a required attribute is not set";
    "W0211", "a caption that the attribute does not have";
    "W0213", "an attribute that OCSF no longer recommends";
    "W0214", "a constant that its attribute can never take";
    "W0301", "a value that is needed as two types";
    "W0302", "a value that cannot be used here";
    "W0303", "a `float` where the sum must be exact";
    "W0402", "a time format that needs a zone";
    "W0403", "a number or duration that is too large";
    "W0404", "a format or a time zone that is not known";
    "W0405", "a constant that this function cannot take";
    "W0406", "a pattern that cannot be used";
    "W0411", "a bare number as a time";
    "W0501", "records that match no branch disappear";
    "W0502", "a `match` that does not say what becomes of other texts";
    "W0503", "an event without a column that every event has";
    "W0504", "a program without an `emit`";
    "W0505", "a statement that is never reached";
    "W0507", "all events of a loop have the same id";
    "W0508", "two events of a record with the same id";
    "W0509", "a cost that is counted more than once";
    "W0601", "a bound of a loop that is out of range";
    "W0602", "loops nested too deeply";
    "W0603", "a program that is too large";
    "W0604", "a list without a bound";
    "W0605", "regular expressions that are too large together";
    "W0701", "a test that expects what no event has";
    "W0702", "a sample that cannot be read as the input";
    "W0801", "an unusual order";
    "W0805", "a cost that depends on an `else` of 0";
    "R1001", "a record that is too long";
    "R1002", "a record that is not sound";
    "R1003", "a document without its records";
    "R1004", "a name that occurs twice in one object";
    "R1005", "a row with more cells than the header";
    "R1201", "a required value is missing";
    "R1204", "a value that cannot be read";
    "R1205", "a time outside the years 2000 to 2100";
    "R1206", "the program rejects the record";
    "R1207", "a condition that cannot be decided";
    "R1210", "an event that would be incomplete";
    "R1301", "a loop over too much, or over no array";
    "R1302", "the events of a record are too large";
    "R1303", "two events of a record have the same id";
    "R1304", "a record that gives too many events";
    "R1401", "an event that contradicts a stored one";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::parse::parse;
    use crate::source::Source;

    const HEAD: &str = "weir 1\nparser \"p\" version 1\nocsf \"1.8.0\"\nproduct \"P\"\n\
        input ndjson { }\non error { required reject  optional skip }\n";

    #[test]
    fn codes_are_unique_well_formed_and_in_order() {
        let key = |code: &Code| (code.code.starts_with('R'), code.code);
        assert!(CODES.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])));
        for Code { code, title, page } in CODES {
            let digits = code.strip_prefix("W0").or_else(|| code.strip_prefix("R1"));
            assert!(digits.is_some_and(|d| d.len() == 3 && d.bytes().all(|b| b.is_ascii_digit())));
            assert_eq!(page.lines().next(), Some(&*format!("# {code} {title}")));
            assert!(page.lines().all(|line| line.chars().count() <= 130), "{code}");
        }
        assert_eq!(page("W0203").map(str::len), find("W0203").map(|code| code.page.len()));
        assert_eq!(find("W9999"), None);
    }

    #[test]
    fn every_page_belongs_to_a_code() {
        let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("errors");
        let files = std::fs::read_dir(pages).unwrap().map(|file| file.unwrap().file_name());
        let names: BTreeSet<String> = files.map(|name| name.into_string().unwrap()).collect();
        let codes: BTreeSet<String> =
            CODES.iter().map(|code| format!("{}.md", code.code)).collect();
        assert_eq!(names, codes);
    }

    #[test]
    fn every_code_in_the_sources_is_registered() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (mut files, mut found) = (Vec::new(), BTreeSet::new());
        rust_files(&here.join("src"), &mut files);
        rust_files(&here.join("../engine/src"), &mut files);
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            for quoted in text.split('"') {
                let digits = quoted.strip_prefix(['W', 'R']).unwrap_or_default();
                if digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    let known = find(quoted).is_some() || quoted == "W9999";
                    assert!(known, "{quoted} in {} is not registered", file.display());
                    found.insert(quoted.to_owned());
                }
            }
        }
        assert!(found.contains("R1001") && found.contains("W0001"), "the sources were not found");
    }

    fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                rust_files(&path, files);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                files.push(path);
            }
        }
    }

    /// The two examples of a page: wrong, right.
    fn examples(page: &str) -> Option<(String, String)> {
        let mut blocks = page.split("```weir\n").skip(1).map(|rest| {
            let code = rest.split("```").next().unwrap();
            let whole = code.starts_with("weir") || code.starts_with('{');
            let head = if whole { "" } else { HEAD };
            format!("{head}{code}")
        });
        Some((blocks.next()?, blocks.next()?))
    }

    fn said(text: &str) -> Vec<&'static str> {
        let (_, diagnostics) = parse(&Source::new("page", text));
        diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
    }

    /// The parser's own codes are said about the wrong example of their page, and nothing about the right one. What the
    /// other phases say needs a program that can be read.
    #[test]
    fn the_examples_of_the_pages_are_what_they_claim() {
        let mut raised = 0;
        for code in CODES {
            let Some((wrong, right)) = examples(code.page) else {
                let bytes = matches!(code.code, "W0004" | "W0050");
                assert!(code.code.starts_with('R') || bytes, "{}", code.code);
                continue;
            };
            assert_eq!(said(&right), [""; 0], "the right example of {}", code.code);
            let codes: BTreeSet<_> = said(&wrong).into_iter().collect();
            assert!(codes.iter().all(|&said| said == code.code), "{}: {codes:?}", code.code);
            raised += codes.len();
        }
        assert_eq!(raised, 45, "codes that the parser raises about their own page");
    }

    #[test]
    fn fixes_mend_the_wrong_examples() {
        for code in CODES {
            let Some((wrong, _)) = examples(code.page) else { continue };
            let (_, diagnostics) = parse(&Source::new("page", wrong.as_str()));
            let fixes = diagnostics.iter().filter_map(|diagnostic| diagnostic.fix.as_ref());
            let mut edits: Vec<_> = fixes.flat_map(|fix| fix.edits.clone()).collect();
            if edits.is_empty() {
                continue;
            }
            edits.sort();
            let mut mended = wrong.clone();
            for (span, text) in edits.into_iter().rev() {
                mended.replace_range(span.range(), &text);
            }
            assert_eq!(said(&mended), [""; 0], "{}: {mended}", code.code);
        }
    }
}
