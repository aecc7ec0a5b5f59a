//! What of an event is there.
//!
//! Each member of its objects has a flag. Those of values follow from registers, those of objects from the flags of
//! their members: an object is there if it holds something, has all that it requires, and its guard holds. A flag is a
//! word with a bit for each record of the batch.

use super::{Flag, LineOutcome, Register, Run};
use crate::rows::Rows;

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

impl Run<'_, '_> {
    /// Sets the flags of the events that some records make.
    pub(super) fn set_flags(&mut self, steps: &[FlagStep], of: Rows) {
        for step in steps {
            match step {
                FlagStep::Set(flag, rule) => {
                    self.flags[usize::from(*flag)] = match rule {
                        Rule::Present(register) => !self.registers.missing(*register),
                        Rule::True(register) => self.registers.truths(*register),
                        Rule::All(all) => all.iter().fold(!0, |rows, one| rows & self.flag(*one)),
                        Rule::Any(any) => any.iter().fold(0, |rows, one| rows | self.flag(*one)),
                    };
                }
                FlagStep::AsideIf(all) => {
                    self.aside |= all.iter().fold(of, |rows, flag| rows & self.flag(*flag));
                }
                FlagStep::AsideUnless(flag) => self.aside |= of & !self.flag(*flag),
                FlagStep::Incomplete { held, there, guards, line } => {
                    let rows = self.flag(*held) & self.flag(*guards) & !self.flag(*there);
                    self.count_rows(*line, LineOutcome::Incomplete, rows & of);
                }
            }
        }
    }

    #[inline(always)]
    pub(super) fn flag(&self, flag: Flag) -> Rows {
        self.flags[usize::from(flag)]
    }
}
