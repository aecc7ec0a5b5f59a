//! Choices among constants by a text: the arms of a `match`, a column of a table.

use super::ends::Ends;
use super::lookup::Lookup;
use super::registers::Shape;
use super::{Register, Run};
use crate::decimal::Decimal;
use crate::plan::{Constant, Patterns};
use crate::rows::{ROWS_MAX, Rows, rows_in};
use crate::simd::{Kernel, Lanes};

/// What is chosen among, and by what.
#[derive(Debug)]
pub(super) struct Choice {
    lookup: Lookup,
    constants: Constants,
    /// The number that stands for a text that is not found. The next one stands for no text at all.
    otherwise: u32,
    /// By number, whether that is no value. Empty if all are values.
    is_none: Vec<bool>,
}

/// By number, in an array of what they are.
#[derive(Debug)]
enum Constants {
    Texts(Vec<Box<str>>),
    /// Whole numbers, instants or durations.
    Numbers(Vec<i64>),
    Decimals(Vec<Decimal>),
    Truths(Vec<bool>),
}

impl Choice {
    /// Among constants by the numbers of patterns; behind them what stands for a text that is not found, and for no
    /// text. All are of this shape, or missing. None if there is no fast way to choose among them.
    pub(super) fn new(patterns: &Patterns, constants: &[&Constant], shape: Shape) -> Option<Self> {
        let is_missing = |constant: &&Constant| **constant == Constant::Missing;
        let any_missing = constants.iter().any(is_missing);
        Some(Self {
            lookup: Lookup::new(patterns)?,
            constants: Constants::new(constants, shape)?,
            otherwise: u32::try_from(constants.len()).ok()?.checked_sub(2)?,
            is_none: if any_missing { constants.iter().map(is_missing).collect() } else { vec![] },
        })
    }
}

impl Constants {
    /// What is missing is anything.
    fn new(constants: &[&Constant], shape: Shape) -> Option<Self> {
        let constants = constants.iter().copied();
        Some(match shape {
            Shape::Text => Self::Texts(
                constants
                    .map(|constant| match constant {
                        Constant::Text(text) => text.as_str().into(),
                        _ => "".into(),
                    })
                    .collect(),
            ),
            Shape::Int | Shape::Timestamp | Shape::Duration => Self::Numbers(
                constants
                    .map(|constant| match constant {
                        Constant::Int(number)
                        | Constant::Timestamp(number)
                        | Constant::Duration(number) => *number,
                        _ => 0,
                    })
                    .collect(),
            ),
            Shape::Decimal => Self::Decimals(
                constants
                    .map(|constant| match constant {
                        Constant::Decimal(number) => *number,
                        _ => Decimal::ZERO,
                    })
                    .collect(),
            ),
            Shape::Bool => {
                Self::Truths(constants.map(|truth| *truth == Constant::Bool(true)).collect())
            }
            Shape::Nothing | Shape::Ip | Shape::Any => return None,
        })
    }
}

impl<'a> Run<'a, '_> {
    /// Sets a register to what each of some records has chosen by its text.
    pub(super) fn choose_by_text(
        &mut self,
        to: Register,
        subject: Register,
        choice: &'a Choice,
        of: Rows,
    ) {
        let registers = &mut self.registers;
        let (there, invalid) = (of & registers.there(subject), of & registers.invalid(subject));
        let mut chosen = [choice.otherwise + 1; ROWS_MAX];
        let texts = registers.texts(subject);
        self.level.run(Find { choice, texts, of: there, chosen: &mut chosen });
        let constant = |number: &u32| *number as usize;
        match &choice.constants {
            Constants::Texts(texts) => {
                let chosen = chosen.iter().map(|number| &*texts[constant(number)]);
                registers.texts_mut(to).iter_mut().zip(chosen).for_each(|(to, text)| *to = text);
            }
            Constants::Numbers(numbers) => {
                let chosen = chosen.iter().map(|number| numbers[constant(number)]);
                registers.numbers_mut(to).iter_mut().zip(chosen).for_each(|(to, one)| *to = one);
            }
            Constants::Decimals(numbers) => {
                let chosen = chosen.iter().map(|number| numbers[constant(number)]);
                registers.decimals_mut(to).iter_mut().zip(chosen).for_each(|(to, one)| *to = one);
            }
            Constants::Truths(truths) => {
                let truths = rows_where(&chosen, |number| truths[number]);
                registers.set_truths(to, of, truths);
            }
        }
        let none = match &choice.is_none[..] {
            [] => 0,
            is_none => rows_where(&chosen, |number| is_none[number]),
        };
        registers.settle(to, of, !invalid & !none, invalid);
    }
}

/// Finds the numbers of texts.
struct Find<'r, 't> {
    choice: &'r Choice,
    texts: &'r [&'t str],
    of: Rows,
    chosen: &'r mut [u32; ROWS_MAX],
}

impl Kernel for Find<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        for row in rows_in(self.of) {
            let text = self.texts[row];
            let found = self.choice.lookup.get(text, Ends::by(lanes, text.as_bytes()));
            self.chosen[row] = found.unwrap_or(self.choice.otherwise);
        }
    }
}

#[inline(always)]
fn rows_where(chosen: &[u32; ROWS_MAX], holds: impl Fn(usize) -> bool) -> Rows {
    let bits = chosen.iter().enumerate();
    bits.fold(0, |rows, (row, number)| rows | u64::from(holds(*number as usize)) << row)
}
