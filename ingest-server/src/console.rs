//! Standard output and standard error: the only place that writes to them.
//!
//! Results go to standard output, everything said about them to standard error. A reader of standard
//! output that goes away (`weir run ... | head`) ends the program, quietly.

use std::io::{self, ErrorKind, IsTerminal, Write};

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nobody reads standard output any more.
    Quiet,
    /// One line that says what is wrong.
    Problem(String),
    /// What is wrong has been said already.
    Said,
    /// The command line, or what it needs from the environment, is wrong.
    Usage(String),
}

impl Failure {
    pub(crate) fn problem(error: impl std::fmt::Display) -> Self {
        Self::Problem(error.to_string())
    }
}

/// Writes to standard output and standard error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Console {
    color: bool,
    terminal: bool,
}

impl Console {
    /// Looks at what standard error is, and at `NO_COLOR`.
    pub(crate) fn new() -> Self {
        let terminal = io::stderr().is_terminal();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { color: terminal && !plain, terminal }
    }

    /// Whether what is said may be coloured.
    pub(crate) fn color(self) -> bool {
        self.color
    }

    /// Whether somebody watches standard error.
    pub(crate) fn is_watched(self) -> bool {
        self.terminal
    }

    /// Whether somebody watches standard output.
    pub(crate) fn shows_results(self) -> bool {
        io::stdout().is_terminal()
    }

    /// Writes a result as it stands.
    ///
    /// # Errors
    ///
    /// Standard output is closed or full.
    pub(crate) fn result(self, text: impl AsRef<[u8]>) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_ref()).and_then(|()| out.flush()).map_err(|error| {
            match error.kind() {
                ErrorKind::BrokenPipe => Failure::Quiet,
                _ => Failure::Problem(format!("cannot write to standard output: {error}")),
            }
        })
    }

    /// Says something about the work, as a line.
    pub(crate) fn note(self, line: &str) {
        // There is nobody left to tell that nobody can be told.
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    /// Writes a text of several lines about the work.
    pub(crate) fn report(self, text: &str) {
        let end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
        let _ = write!(io::stderr().lock(), "{text}{end}");
    }

    /// Says what is wrong, as a line.
    pub(crate) fn error(self, problem: &str) {
        let (on, off) = if self.color { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        self.note(&format!("{on}error{off}: {problem}"));
    }

    /// Says what the user should know, as a line.
    pub(crate) fn warning(self, text: &str) {
        let (on, off) = if self.color { ("\x1b[1;33m", "\x1b[0m") } else { ("", "") };
        self.note(&format!("{on}warning{off}: {text}"));
    }
}
