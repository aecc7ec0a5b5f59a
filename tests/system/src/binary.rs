//! The real binary.
//!
//! `weir-under-test` is the `main.rs` of `weir`, built by this crate: so cargo builds it before the tests, in their
//! profile and with the dependencies that are compiled already.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

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
