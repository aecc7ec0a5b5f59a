//! Golden files: what a test gave when somebody last looked at it.

use std::fs;
use std::path::Path;

/// Whether golden files are to be written and not compared: `WEIR_UPDATE=1`.
pub fn updates() -> bool {
    std::env::var_os("WEIR_UPDATE").is_some_and(|value| value == "1")
}

/// Compares a text with a golden file, or writes the file.
///
/// # Panics
///
/// If they differ: shows the first line that does, and how to accept it.
pub fn check(path: &Path, actual: &str) {
    if updates() {
        fs::write(path, actual).expect("a golden file can be written");
        return;
    }
    let expected = fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    if let Some(difference) = difference(&expected, actual) {
        panic!(
            "{} differs\n{difference}\nIf the new text is right, accept it: WEIR_UPDATE=1 cargo test -p weir-tests",
            path.display()
        );
    }
}

/// The first line in which two texts differ.
pub fn difference(expected: &str, actual: &str) -> Option<String> {
    if expected == actual {
        return None;
    }
    let (mut left, mut right) = (expected.lines(), actual.lines());
    for line in 1.. {
        match (left.next(), right.next()) {
            (None, None) => break,
            (left, right) if left == right => {}
            (left, right) => {
                let shown = |line: Option<&str>| line.unwrap_or("(no such line)").to_owned();
                let (left, right) = (shown(left), shown(right));
                return Some(format!("line {line}\n  expected {left}\n  actual   {right}"));
            }
        }
    }
    Some("they differ in line ends only".to_owned())
}
