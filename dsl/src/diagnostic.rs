//! What the compiler says about a program: data, not text.
//!
//! Phases push [`Diagnostic`]s; only the `render` module knows how they look.

pub mod code;
pub mod fix;
pub mod json;
pub mod render;
pub mod sarif;
#[cfg(test)]
mod tests;

use crate::source::Span;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The program does not compile.
    Error,
    /// It compiles, and does something the author may not want.
    Warning,
    /// It compiles, and could be better.
    Advice,
}

/// A place and what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be said.
    pub message: String,
}

/// An edit that mends the program: replaces each span by its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, for a menu: `email -> email_addr`.
    pub title: String,
    /// Replacements; they do not overlap.
    pub edits: Vec<(Span, String)>,
}

/// One cause, reported once.
///
/// Order of its parts when shown: what is wrong, where, why (the other place that matters), one fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable code of the registry, as `W0203`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in the user's words.
    pub message: String,
    /// Where. The first is where the report points.
    pub primary: Label,
    /// The other places that matter, at most two.
    pub secondary: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
    /// What else is good to know.
    pub note: Option<String>,
    /// The edit that does what `help` says.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// An error with its place.
    pub fn error(
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            primary: Label { span, message: label.into() },
            secondary: Vec::new(),
            help: None,
            note: None,
            fix: None,
        }
    }

    /// The same as a warning.
    pub fn warning(
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message, label) }
    }

    /// Adds another place.
    #[must_use]
    pub fn label(mut self, span: Span, message: impl Into<String>) -> Self {
        self.secondary.push(Label { span, message: message.into() });
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what else is good to know.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// Offers an edit of one place.
    #[must_use]
    pub fn fix(mut self, title: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        self.fix = Some(Fix { title: title.into(), edits: vec![(span, text.into())] });
        self
    }

    /// Adds an edit of another place to the fix; without a fix it does nothing.
    #[must_use]
    pub fn edit(mut self, span: Span, text: impl Into<String>) -> Self {
        if let Some(fix) = &mut self.fix {
            fix.edits.push((span, text.into()));
        }
        self
    }
}
