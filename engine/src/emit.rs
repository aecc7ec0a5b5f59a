//! Values to an event: its columns, and its OCSF JSON.
//!
//! Everything is written straight into the batch's text, and taken back by cutting the text off where it turns out that
//! an object is incomplete or the record is refused. All fields of an event are evaluated even if one has failed, since
//! of several failures the one that stands first in the program is reported.

mod field;
pub(crate) mod fit;
pub(crate) mod json;
pub(crate) mod object;
#[cfg(test)]
mod tests;

use crate::batch::{Batch, Event, RawRef, TextRange};
use crate::decimal::Decimal;
use crate::emit::field::Failure;
use crate::eval::{Machine, column_index};
use crate::plan::{Column, Emit, Field, Plan};
use crate::refusal::Refusal;
use crate::tally::{LineCounts, extra_line, member_line};
use crate::types::Type;
use crate::value::Value;

/// Which members of the event's objects are present, by their numbers; used again from event to event.
pub(crate) type Present = Vec<bool>;

/// Makes one event in the text of a batch, or says why the record is refused (what was written then is to be cut off).
pub(crate) fn emit<'a>(
    machine: &mut Machine<'a, '_>,
    index: u16,
    out: &mut Batch,
    present: &mut Present,
) -> Result<Event, Refusal> {
    let plan: &'a Plan = machine.plan;
    let emit = &plan.emits[usize::from(index)];
    present.clear();
    present.resize(emit.members as usize, false);
    let Batch { text, skipped_values, .. } = out;
    let first_member = member_line(emit, 0);
    let skipped = skipped_values;
    let mut maker =
        Maker { machine, out: text, present, skipped, failure: None, emit: index, first_member };
    maker.columns(emit);
    let extra = maker.extra(&emit.extra);
    let (ocsf, lacking) = maker.root(&emit.root);
    if let Some(failure) = maker.failure {
        return Err(failure.refusal());
    }
    if let Some(target) = lacking {
        return Err(incomplete(emit, &target));
    }
    Ok(maker.event(index, extra, ocsf))
}

fn incomplete(emit: &Emit, target: &str) -> Refusal {
    let message = format!("{} needs {target}, which was left out", emit.class);
    Refusal::new(crate::code::Code::Incomplete, emit.line, message).at_target(target)
}

/// An event in the making.
struct Maker<'m, 'a, 'w> {
    machine: &'m mut Machine<'a, 'w>,
    out: &'m mut Vec<u8>,
    present: &'m mut Present,
    skipped: &'m mut u64,
    /// The failed field that stands first in the program.
    failure: Option<Failure<'a>>,
    /// The index of the emit.
    emit: u16,
    /// The number of the line of member 0.
    first_member: usize,
}

impl<'a> Maker<'_, 'a, '_> {
    fn columns(&mut self, emit: &'a Emit) {
        // No column is seen by those before it, nor by the next event.
        self.machine.columns = [Value::Missing; 8];
        for (column, field) in Column::ALL.into_iter().zip(&emit.columns) {
            let zero = match column.ty() {
                Type::Decimal => Value::Decimal(Decimal::ZERO),
                _ => Value::Int(0),
            };
            let value = self.field(field, column_index(column), column.ty() == Type::Text, zero);
            self.machine.columns[column_index(column)] = value.unwrap_or(Value::Missing);
        }
    }

    /// `event.extra` as a JSON object; nothing if it is empty.
    fn extra(&mut self, extra: &'a [(String, Field)]) -> TextRange {
        let start = self.out.len();
        for (index, (name, field)) in extra.iter().enumerate() {
            let Some(value) = self.field(field, extra_line(index), true, Value::Missing) else {
                continue;
            };
            self.out.push(if self.out.len() == start { b'{' } else { b',' });
            json::write_string(name, self.out);
            self.out.push(b':');
            json::write_value(value, &field.check, self.out);
        }
        if self.out.len() > start {
            self.out.push(b'}');
        }
        self.range_from(start)
    }

    fn event(&mut self, emit: u16, extra: TextRange, ocsf: TextRange) -> Event {
        let columns = self.machine.columns;
        let column = |column| columns[column_index(column)];
        let int = |of| if let Value::Int(number) = column(of) { number } else { 0 };
        let cost = column(Column::CostUsd);
        let time = column(Column::Time);
        Event {
            record: 0,
            emit,
            id: self.text(column(Column::Id)),
            time_ns: if let Value::Timestamp(ns) = time { ns } else { 0 },
            actor: self.text(column(Column::Actor)),
            action: self.text(column(Column::Action)),
            target: self.text(column(Column::Target)),
            cost_usd: if let Value::Decimal(cost) = cost { cost } else { Decimal::ZERO },
            tokens_input: int(Column::TokensInput),
            tokens_output: int(Column::TokensOutput),
            extra,
            ocsf,
            raw: RawRef::None,
            raw_fits_ocsf: true,
        }
    }

    fn text(&mut self, value: Value<'a>) -> TextRange {
        let start = self.out.len();
        if let Value::Text(text) = value {
            self.out.extend_from_slice(text.as_bytes());
        }
        self.range_from(start)
    }

    /// The counters of a member.
    fn counts(&mut self, member: u32) -> &mut LineCounts {
        self.machine.tally.line(self.emit, self.first_member + member as usize)
    }

    fn range_from(&self, start: usize) -> TextRange {
        text_range(start, self.out.len())
    }
}

/// A range of the batch's text, whose size the worker bounds far below 4 GiB.
pub(crate) fn text_range(start: usize, end: usize) -> TextRange {
    let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    TextRange { start: narrow(start), end: narrow(end) }
}
