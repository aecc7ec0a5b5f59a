//! The real binary.
//!
//! `weir-under-test` is the `main.rs` of `weir`, built by this crate: so cargo builds it before the tests, in their
//! profile and with the dependencies that are compiled already.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Where it is.
///
/// # Panics
///
/// If this is not a test of this crate, for which cargo has built it.
pub fn weir() -> PathBuf {
    // Tests lie in `target/PROFILE/deps/`, binaries in `target/PROFILE/`.
    let test = std::env::current_exe().expect("a test knows its path");
    let folder = test.parent().expect("a program lies in a folder");
    let profile = match folder.ends_with("deps") {
        true => folder.parent().expect("`deps` lies in the folder of a profile"),
        false => folder,
    };
    let weir = profile.join("weir-under-test").with_extension(std::env::consts::EXE_EXTENSION);
    assert!(weir.is_file(), "{} is not built; `cargo test` does that", weir.display());
    weir
}

/// A command that runs it, without colours.
pub fn weir_command<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(weir());
    command.args(arguments).stdin(Stdio::null()).env("NO_COLOR", "1");
    command
}

/// How a command ended, and what it said where.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub out: String,
    /// What it wrote to standard error.
    pub err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("weir writes UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// What is expected of it; each panics with all that it said if that is not so.
impl Ended {
    /// It ended with this code.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// This is part of what it said on standard error.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.err.contains(text), "{text}: {self:#?}");
        self
    }

    /// This is part of what it printed.
    #[track_caller]
    pub fn prints(self, text: &str) -> Self {
        assert!(self.out.contains(text), "{text}: {self:#?}");
        self
    }

    /// What it printed is one JSON value.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// What it printed is a JSON value on each line.
    #[track_caller]
    pub fn lines(&self) -> Vec<Value> {
        let value = |line| serde_json::from_str(line);
        let values: Result<_, _> = self.out.lines().map(value).collect();
        values.unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}
