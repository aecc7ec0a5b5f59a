//! The fields of a JSON object, taken one by one, with everything that is wrong with them.

use std::fmt;

use serde_json::{Map, Value};
use weir_engine::suggest::nearest;

/// More are not said of one configuration.
const ERRORS_MAX: usize = 50;

/// The longest name that is repeated in a message.
const NAME_CHARS_MAX: usize = 64;

/// A field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Which: `pull_config.bucket`; empty if it is about all of them.
    pub field: String,
    /// What is wrong, and what would be right. Never the value of a field that may hold a secret.
    pub message: String,
}

impl FieldError {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.as_str() {
            "" => f.write_str(&self.message),
            field => write!(f, "{field}: {}", self.message),
        }
    }
}

impl std::error::Error for FieldError {}

/// The object that holds the fields, and what was found out about them.
pub(super) struct Fields<'a> {
    /// The way to the object: `pull_config`.
    path: String,
    members: &'a Map<String, Value>,
    pub(super) errors: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    pub(super) fn open(config: &'a Value) -> Result<Self, Vec<FieldError>> {
        Self::open_at("pull_config".to_owned(), config)
    }

    fn open_at(path: String, config: &'a Value) -> Result<Self, Vec<FieldError>> {
        match config {
            Value::Object(members) => Ok(Self { path, members, errors: Vec::new() }),
            _ => Err(vec![FieldError { field: path, message: "is not an object".to_owned() }]),
        }
    }

    /// The fields of a field; `None` if it is not there, or no object.
    pub(super) fn inner(&mut self, name: &str) -> Option<Self> {
        match Self::open_at(format!("{}.{name}", self.path), self.take(name)?) {
            Ok(inner) => Some(inner),
            Err(errors) => {
                self.errors.extend(errors);
                None
            }
        }
    }

    /// A field that is there and not `null`.
    pub(super) fn take(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// Reads a field that may be there.
    pub(super) fn read<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Result<T, String>,
    ) -> Option<T> {
        match read(self.take(name)?) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.wrong(name, problem);
                None
            }
        }
    }

    pub(super) fn wrong(&mut self, name: &str, message: String) {
        if self.errors.len() < ERRORS_MAX {
            let name: String = name.chars().take(NAME_CHARS_MAX).collect();
            self.errors.push(FieldError { field: format!("{}.{name}", self.path), message });
        }
    }

    /// Whether something was said about a field: then what hangs on it is not.
    pub(super) fn is_wrong(&self, name: &str) -> bool {
        let of_field = |field: &str| {
            field.strip_prefix(&self.path).and_then(|rest| rest.strip_prefix('.')) == Some(name)
        };
        self.errors.iter().any(|error| of_field(&error.field))
    }

    pub(super) fn refuse_unknown(
        &mut self,
        known: &[&str],
        hint: impl Fn(&str) -> Option<&'static str>,
    ) {
        let members = self.members;
        for name in members.keys().filter(|name| !known.contains(&name.as_str())) {
            let help = match (hint(name), nearest(name, known.iter().copied())) {
                (Some(hint), _) => hint.to_owned(),
                (None, Some(near)) => format!("did you mean `{near}`?"),
                (None, None) => format!("there are {}", known.join(", ")),
            };
            self.wrong(name, format!("there is no such field; {help}"));
        }
    }

    pub(super) fn into_errors(self) -> Vec<FieldError> {
        self.errors
    }
}
