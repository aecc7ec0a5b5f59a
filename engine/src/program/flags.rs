//! What of an event is there.
//!
//! Each member of its objects has a flag. Those of values follow from registers, those of objects from the flags of
//! their members: an object is there if it holds something, has all that it requires, and its guard holds.

use super::{Aside, Count, Flag, LineOutcome, Register, Run};
use crate::value::Value;

/// Always set.
pub(super) const ALWAYS: Flag = 0;
/// Never set.
pub(super) const NEVER: Flag = 1;

/// What a flag follows from.
#[derive(Debug)]
pub(super) enum Rule {
    /// A register is not missing.
    Present(Register),
    /// A register is true.
    True(Register),
    /// All are set.
    All(Vec<Flag>),
    /// One of them is set.
    Any(Vec<Flag>),
}

/// What is done with flags, in order.
#[derive(Debug)]
pub(super) enum FlagStep {
    /// Sets one.
    Set(Flag, Rule),
    /// The record is left to the walk if all of them are set.
    AsideIf(Vec<Flag>),
    /// The record is left to the walk unless it is set.
    AsideUnless(Flag),
    /// An object that holds something and is not there counts as incomplete, if it was looked at at all.
    Incomplete { held: Flag, there: Flag, guards: Flag, line: usize },
}

impl Run<'_, '_, '_, '_> {
    /// Sets the flags of an event.
    pub(super) fn set_flags(&mut self, steps: &[FlagStep]) -> Result<(), Aside> {
        self.flags.clear();
        self.flags.resize(self.program.flags, false);
        self.flags[usize::from(ALWAYS)] = true;
        for step in steps {
            match step {
                FlagStep::Set(flag, rule) => {
                    self.flags[usize::from(*flag)] = match rule {
                        Rule::Present(register) => !self.registers.is_missing(*register),
                        Rule::True(register) => self.value(*register) == Value::Bool(true),
                        Rule::All(all) => all.iter().all(|flag| self.flag(*flag)),
                        Rule::Any(any) => any.iter().any(|flag| self.flag(*flag)),
                    };
                }
                FlagStep::AsideIf(all) => {
                    if all.iter().all(|flag| self.flag(*flag)) {
                        return Err(Aside);
                    }
                }
                FlagStep::AsideUnless(flag) => {
                    if !self.flag(*flag) {
                        return Err(Aside);
                    }
                }
                FlagStep::Incomplete { held, there, guards, line } => {
                    if self.flag(*held) && self.flag(*guards) && !self.flag(*there) {
                        self.counts.push(Count::Line(*line as u32, LineOutcome::Incomplete));
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn flag(&self, flag: Flag) -> bool {
        self.flags[usize::from(flag)]
    }
}
