//! Why a record is refused, in the making.

use crate::batch::Reject;
use crate::code::Code;
use crate::value::Fault;

/// All of a [`Reject`] but the record's index.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) line: u32,
    pub(crate) target: String,
    pub(crate) message: String,
    pub(crate) text: String,
}

impl Refusal {
    /// About no target.
    pub(crate) fn new(code: Code, line: u32, message: impl Into<String>) -> Self {
        let (target, text) = (String::new(), String::new());
        Self { code, line, target, message: message.into(), text }
    }

    /// A value cannot be read. If it is hidden, nothing of it is shown.
    pub(crate) fn of_fault(code: Code, line: u32, fault: &Fault<'_>, hidden: bool) -> Self {
        let Fault { wanted, text } = *fault;
        let message = match text {
            None => wanted.to_owned(),
            Some(_) if hidden => format!("a value that is not shown is not {wanted}"),
            Some("") => format!("a blank value is not {wanted}"),
            Some(text) => format!("\"{text}\" is not {wanted}"),
        };
        let text = text.filter(|_| !hidden).unwrap_or_default().to_owned();
        Self { text, ..Self::new(code, line, message) }
    }

    /// About a target.
    pub(crate) fn at_target(self, target: &str) -> Self {
        Self { target: target.to_owned(), ..self }
    }

    pub(crate) fn into_reject(self, record: u32) -> Reject {
        let Self { code, line, target, message, text } = self;
        Reject { record, code, line, target, message, text }
    }
}
