//! One line of the mapping: its value, its handlers, and what becomes of the record without it.

use crate::code::Code;
use crate::emit::Maker;
use crate::emit::fit::{Fitted, fit};
use crate::plan::{ExprId, Field, Handler, Policy};
use crate::refusal::Refusal;
use crate::value::{Fault, Value};

/// A field that refuses the record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failure<'a> {
    field: &'a Field,
    /// Its value is there and does not do; none if it is missing.
    fault: Option<(Code, &'a Fault<'a>)>,
}

impl Failure<'_> {
    pub(super) fn refusal(&self) -> Refusal {
        let Field { target, line, redacted, .. } = self.field;
        match self.fault {
            None => Refusal::new(Code::Missing, *line, format!("{target} is missing")),
            Some((code, fault)) => Refusal::of_fault(code, *line, fault, *redacted),
        }
        .at_target(target)
    }
}

impl<'a> Maker<'_, 'a, '_> {
    /// The final value of a field; none if it is left out, or failed. It is counted under `line`.
    pub(super) fn field(
        &mut self,
        field: &'a Field,
        line: usize,
        empty_is_missing: bool,
        zero: Value<'a>,
    ) -> Option<Value<'a>> {
        let mut outcome = self.fitted(field, field.value, empty_is_missing);
        let counts = self.machine.tally.line(self.emit, line);
        let handler = match outcome {
            Fitted::Value(value) => {
                counts.ok += 1;
                return Some(value);
            }
            Fitted::Missing => {
                counts.missing += 1;
                field.on_missing
            }
            Fitted::Invalid(_, fault) => {
                counts.invalid += 1;
                if !field.redacted {
                    self.machine.tally.unreadable(self.emit, line, fault.text.unwrap_or_default());
                }
                field.on_invalid
            }
        };
        let by_handler = match handler {
            Some(Handler::Skip) => Some(Policy::Skip),
            Some(Handler::Reject) => Some(Policy::Reject),
            Some(Handler::Value(value)) => {
                outcome = self.fitted(field, value, empty_is_missing);
                None
            }
            None => None,
        };
        let (policy, fault) = match outcome {
            Fitted::Value(value) => {
                self.machine.tally.line(self.emit, line).defaulted += 1;
                return Some(value);
            }
            Fitted::Missing => (by_handler.unwrap_or(field.missing), None),
            Fitted::Invalid(code, fault) => {
                (by_handler.unwrap_or(field.invalid), Some((code, fault)))
            }
        };
        self.without_value(field, line, policy, fault, zero)
    }

    fn without_value(
        &mut self,
        field: &'a Field,
        line: usize,
        policy: Policy,
        fault: Option<(Code, &'a Fault<'a>)>,
        zero: Value<'a>,
    ) -> Option<Value<'a>> {
        if policy == Policy::Reject {
            let first = self.failure.is_none_or(|first| field.position < first.field.position);
            if first {
                self.failure = Some(Failure { field, fault });
            }
            return None;
        }
        *self.skipped += u64::from(fault.is_some());
        let counts = self.machine.tally.line(self.emit, line);
        if policy == Policy::Zero {
            counts.defaulted += 1;
        } else {
            counts.skipped += 1;
        }
        (policy == Policy::Zero).then_some(zero)
    }

    fn fitted(&mut self, field: &'a Field, value: ExprId, empty_is_missing: bool) -> Fitted<'a> {
        match self.machine.eval(value) {
            Value::Text("") if empty_is_missing => Fitted::Missing,
            value => fit(&field.check, value, self.machine.arena),
        }
    }
}
