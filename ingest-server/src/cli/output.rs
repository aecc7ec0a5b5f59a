//! Programs that a command writes: to standard output, or to a file that is not there yet.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use crate::console::{Console, Failure};

/// Writes a program. One that somebody worked on is never lost: a file that is there already stays.
pub(super) fn write(console: Console, file: Option<&Path>, text: &str) -> Result<(), Failure> {
    let Some(file) = file else { return console.result(text) };
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    let shown = file.display();
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::Problem(format!(
            "`{shown}` is there already; remove it, or choose another name"
        )),
        _ => Failure::Problem(format!("`{shown}`: {error}")),
    })
}
