//! What is done with a record: filters, branches, loops and emits, in their order.
//!
//! The events of a record are all stored or none. So they are made at the end of the batch, and cut off again if the
//! record is refused, or if a `drop` forgets the loop element that made them.

use crate::batch::{Batch, Event};
use crate::code::Code;
use crate::emit::{self, Present};
use crate::eval::Machine;
use crate::eval::list::Array;
use crate::plan::{ExprId, Plan, ScopeId, Slot, Stmt};
use crate::refusal::Refusal;

/// The most events that one record may make.
const EVENTS_MAX: u32 = 1000;
/// The most bytes that the OCSF events of one record may have together.
pub(crate) const OCSF_BYTES_MAX: usize = 16 << 20;

/// Runs the statements for one record; its events are then the last ones of the batch.
pub(crate) fn run<'a>(
    machine: &mut Machine<'a, '_>,
    record: u32,
    out: &mut Batch,
    present: &mut Present,
) -> Result<(), Refusal> {
    let plan: &'a Plan = machine.plan;
    let begin = Mark::of(out);
    let mut run = Run { machine, record, out, present, begin, made: 0, ocsf_bytes: 0 };
    run.refuse_duplicate_key()?;
    match run.statements(&plan.body) {
        Ok(()) => {}
        Err(Stop::Refuse(refusal)) => return Err(refusal),
        Err(Stop::Drop) => run.forget_since(begin),
    }
    run.check_events()
}

/// Where a batch ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    events: usize,
    text: usize,
}

impl Mark {
    pub(crate) fn of(batch: &Batch) -> Self {
        Self { events: batch.events.len(), text: batch.text.len() }
    }

    /// How many events there were.
    pub(crate) fn count(self) -> usize {
        self.events
    }

    /// Cuts off what was made since.
    pub(crate) fn cut(self, batch: &mut Batch) {
        batch.events.truncate(self.events);
        batch.text.truncate(self.text);
    }

    /// The events that were made since.
    pub(crate) fn events(self, batch: &mut Batch) -> &mut [Event] {
        &mut batch.events[self.events..]
    }
}

/// Why the statements of a scope are left.
enum Stop {
    /// The innermost scope is forgotten.
    Drop,
    /// The record is refused.
    Refuse(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse(refusal)
    }
}

struct Run<'m, 'a, 'w> {
    machine: &'m mut Machine<'a, 'w>,
    record: u32,
    out: &'m mut Batch,
    present: &'m mut Present,
    begin: Mark,
    /// Events that were ever made, also those that were forgotten.
    made: u32,
    /// Of the events that stand.
    ocsf_bytes: usize,
}

impl<'a> Run<'_, 'a, '_> {
    fn statements(&mut self, body: &'a [Stmt]) -> Result<(), Stop> {
        body.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &'a Stmt) -> Result<(), Stop> {
        match statement {
            Stmt::Filter { keep, condition, line } => {
                if self.condition(*condition, *line)? == *keep { Ok(()) } else { Err(Stop::Drop) }
            }
            Stmt::When { arms, otherwise } => {
                for (condition, body, line) in arms {
                    if self.condition(*condition, *line)? {
                        return self.statements(body);
                    }
                }
                self.statements(otherwise)
            }
            Stmt::Each { array, scope, max, body, line } => {
                self.each(*array, *scope, *max, body, *line)
            }
            Stmt::Emit(emit) => self.emit(*emit),
            Stmt::Drop => Err(Stop::Drop),
            Stmt::Reject { reason, line } => {
                Err(Refusal::new(Code::Rejected, *line, reason.as_str()).into())
            }
        }
    }

    fn condition(&mut self, condition: ExprId, line: u32) -> Result<bool, Stop> {
        let truth = self.machine.truth(condition);
        self.refuse_duplicate_key()?;
        let hidden = self.machine.plan.redacted_conditions.contains(&line);
        let counts = self.machine.tally.branch(line);
        counts.reached += 1;
        counts.taken += u64::from(truth == Ok(true));
        counts.invalid += u64::from(truth.is_err());
        truth.map_err(|fault| Refusal::of_fault(Code::InvalidCondition, line, fault, hidden).into())
    }

    fn each(
        &mut self,
        array: Slot,
        scope: ScopeId,
        max: u32,
        body: &'a [Stmt],
        line: u32,
    ) -> Result<(), Stop> {
        self.machine.tally.branch(line).reached += 1;
        let elements = match self.machine.array(array) {
            Array::Missing => return Ok(()),
            Array::Elements(elements) => elements,
            Array::Other(_) | Array::Invalid(_) => {
                return Err(Refusal::new(Code::Each, line, "there is no list here").into());
            }
        };
        if elements.clone().nth(max as usize).is_some() {
            let message = format!("the list has more than {max} elements");
            return Err(Refusal::new(Code::Each, line, message).into());
        }
        for (index, element) in (0..).zip(elements) {
            let begin = Mark::of(self.out);
            self.machine.tally.branch(line).taken += 1;
            self.machine.enter(scope, element, index);
            self.refuse_duplicate_key()?;
            match self.statements(body) {
                Err(Stop::Drop) => self.forget_since(begin),
                outcome => outcome?,
            }
        }
        Ok(())
    }

    fn emit(&mut self, emit: u16) -> Result<(), Stop> {
        self.made += 1;
        if self.made > EVENTS_MAX {
            let line = self.machine.plan.emits[usize::from(emit)].line;
            let message = format!("the record makes more than {EVENTS_MAX} events");
            return Err(Refusal::new(Code::TooManyEvents, line, message).into());
        }
        let begin = Mark::of(self.out);
        let event = emit::emit(self.machine, emit, self.out, self.present);
        self.refuse_duplicate_key()?;
        let event = Event { record: self.record, ..event? };
        self.out.events.push(event);
        self.ocsf_bytes += ocsf_bytes(&event);
        if self.ocsf_bytes > OCSF_BYTES_MAX {
            // As long as this event stands, so do those before it, and the record is refused: the text is not needed.
            self.out.text.truncate(begin.text);
        }
        Ok(())
    }

    fn forget_since(&mut self, begin: Mark) {
        begin.cut(self.out);
        self.ocsf_bytes = self.begin.events(self.out).iter().map(ocsf_bytes).sum();
    }

    fn refuse_duplicate_key(&self) -> Result<(), Refusal> {
        if self.machine.duplicate_key {
            let message = "a name that is looked for occurs twice in one object";
            return Err(Refusal::new(Code::DuplicateKey, 0, message));
        }
        Ok(())
    }

    /// The limits that only all events together can break.
    fn check_events(&mut self) -> Result<(), Refusal> {
        if self.ocsf_bytes > OCSF_BYTES_MAX {
            let message = "the events of the record are larger than 16 MiB together";
            return Err(Refusal::new(Code::OutputTooLarge, 0, message));
        }
        if has_equal_ids(&self.out.events[self.begin.events..], &self.out.text) {
            let message = "two events of the record have the same id";
            return Err(Refusal::new(Code::EqualIds, 0, message));
        }
        Ok(())
    }
}

/// Do the events since `begin` keep all limits that only all of them together can break?
///
/// Their OCSF events have so many bytes together.
#[inline]
pub(crate) fn is_within_limits(events: &[Event], text: &[u8], bytes: usize) -> bool {
    events.len() <= EVENTS_MAX as usize && bytes <= OCSF_BYTES_MAX && !has_equal_ids(events, text)
}

/// Have two events the same id?
#[inline]
fn has_equal_ids(events: &[Event], text: &[u8]) -> bool {
    events.len() > 1 && have_equal_ids(events, text)
}

fn have_equal_ids(events: &[Event], text: &[u8]) -> bool {
    let id = |event: &Event| &text[event.id.start as usize..event.id.end as usize];
    let mut ids: Vec<_> = events.iter().map(id).collect();
    ids.sort_unstable();
    ids.windows(2).any(|pair| pair[0] == pair[1])
}

fn ocsf_bytes(event: &Event) -> usize {
    (event.ocsf.end - event.ocsf.start) as usize
}

#[cfg(test)]
mod tests;
