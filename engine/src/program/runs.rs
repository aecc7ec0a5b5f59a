//! Regular expressions that are a sequence of runs, for many texts at once.
//!
//! Most that check the form of a value say nothing but which characters follow one another, from its beginning to its
//! end: `^[a-z0-9.]+@[a-z0-9-]+\.[a-z]+$`. If what may follow a run of any length has none of its characters, there is only
//! one way to match: each run takes all that it can. Which bytes of a text belong to a class is a word with a bit for
//! each, and the length of a run is a count of bits.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

use crate::rows::{Rows, row_bit, rows_in};
use crate::simd::{BLOCK, Kernel, Lanes, Level, low_bits};

/// Expressions with more are left to [`regex`].
const RUNS_MAX: usize = 32;
const CLASSES_MAX: usize = 8;

/// An expression of this kind.
#[derive(Debug)]
pub(super) struct Runs {
    classes: Vec<Ascii>,
    runs: Vec<Run>,
}

/// So many characters of a class, and as many as there are.
#[derive(Debug, Clone, Copy)]
struct Run {
    class: usize,
    least: u32,
    most: u32,
}

/// A set of ASCII characters: for the lower four bits of one the upper ones that it may have, a bit for each of eight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ascii([u8; 16]);

impl Ascii {
    fn of(holds: impl Fn(char) -> bool) -> Self {
        let holds = |low, high: u8| holds(char::from(high << 4 | low));
        let highs = |low| (0..8).fold(0, |set, high| set | u8::from(holds(low, high)) << high);
        Self(std::array::from_fn(|low| highs(low as u8)))
    }

    fn shares_none(self, other: Self) -> bool {
        self.0.iter().zip(other.0).all(|(one, other)| one & other == 0)
    }

    /// The bytes of a block that are in the set.
    #[inline(always)]
    fn bytes<L: Lanes>(&self, lanes: L, block: L::Block) -> u64 {
        const HIGHS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0];
        let high = lanes.look_up(&HIGHS, lanes.high_nibbles(block));
        !lanes.equal(lanes.and(lanes.look_up(&self.0, block), high), lanes.splat(0))
    }
}

impl Runs {
    /// None if the expression is of another kind.
    pub(super) fn new(expression: &str) -> Option<Self> {
        let parsed = regex_syntax::Parser::new().parse(expression).ok()?;
        let HirKind::Concat(parts) = parsed.kind() else { return None };
        let [start, inside @ .., end] = &parts[..] else { return None };
        let is_whole =
            (start.kind(), end.kind()) == (&HirKind::Look(Look::Start), &HirKind::Look(Look::End));
        let mut runs = Self { classes: Vec::new(), runs: Vec::new() };
        for part in inside {
            runs.add(part)?;
        }
        (is_whole && runs.has_one_way()).then_some(runs)
    }

    fn add(&mut self, part: &Hir) -> Option<()> {
        match part.kind() {
            HirKind::Literal(literal) => {
                for byte in &literal.0 {
                    self.run(one_byte(*byte)?, 1, 1)?;
                }
            }
            HirKind::Class(class) => self.run(ascii(class), 1, 1)?,
            HirKind::Capture(capture) => self.add(&capture.sub)?,
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.add(part))?,
            HirKind::Repetition(repetition) => {
                let (least, most) = (repetition.min, repetition.max.unwrap_or(u32::MAX));
                match repetition.sub.kind() {
                    HirKind::Class(class) => self.run(ascii(class), least, most)?,
                    HirKind::Literal(literal) if literal.0.len() == 1 => {
                        self.run(one_byte(literal.0[0])?, least, most)?;
                    }
                    _ if least == most => {
                        (0..least).try_for_each(|_| self.add(&repetition.sub))?;
                    }
                    _ => return None,
                }
            }
            HirKind::Empty | HirKind::Look(_) | HirKind::Alternation(_) => return None,
        }
        Some(())
    }

    fn run(&mut self, class: Ascii, least: u32, most: u32) -> Option<()> {
        let known = self.classes.iter().position(|known| *known == class);
        let class = known.unwrap_or_else(|| {
            self.classes.push(class);
            self.classes.len() - 1
        });
        self.runs.push(Run { class, least, most });
        (self.runs.len() <= RUNS_MAX && self.classes.len() <= CLASSES_MAX).then_some(())
    }

    /// Has what may follow a run of any length none of its characters?
    fn has_one_way(&self) -> bool {
        let class = |run: &Run| self.classes[run.class];
        self.runs.iter().enumerate().all(|(at, run)| {
            let behind = &self.runs[at + 1..];
            // Behind a run that has to be there, no other one follows directly.
            let next =
                behind.iter().position(|run| run.least > 0).map_or(behind.len(), |at| at + 1);
            run.least == run.most
                || behind[..next].iter().all(|next| class(run).shares_none(class(next)))
        })
    }

    /// Which of some texts match, and for which that is not known.
    pub(super) fn matching(&self, level: Level, texts: &[&str], of: Rows) -> Matching {
        level.run(Match { runs: self, texts, of })
    }

    /// A text of ASCII of at most a block.
    #[inline(always)]
    fn is_match<L: Lanes>(&self, lanes: L, block: L::Block, len: usize) -> bool {
        let mut bytes = [0; CLASSES_MAX];
        for (bytes, class) in bytes.iter_mut().zip(&self.classes) {
            *bytes = class.bytes(lanes, block) & low_bits(len);
        }
        let (mut at, mut fits) = (0, true);
        for run in &self.runs {
            let taken = bytes[run.class].unbounded_shr(at).trailing_ones().min(run.most);
            fits &= taken >= run.least;
            at += taken;
        }
        fits && at as usize == len
    }
}

fn ascii(class: &Class) -> Ascii {
    Ascii::of(|letter| match class {
        Class::Unicode(class) => {
            class.iter().any(|range| (range.start()..=range.end()).contains(&letter))
        }
        Class::Bytes(class) => {
            class.iter().any(|range| (range.start()..=range.end()).contains(&(letter as u8)))
        }
    })
}

fn one_byte(byte: u8) -> Option<Ascii> {
    byte.is_ascii().then(|| Ascii::of(|letter| letter == char::from(byte)))
}

/// What was found out about texts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matching {
    pub(super) matching: Rows,
    /// They are long, or not all ASCII.
    pub(super) unknown: Rows,
}

struct Match<'r, 't> {
    runs: &'r Runs,
    texts: &'r [&'t str],
    of: Rows,
}

impl Kernel for Match<'_, '_> {
    type Output = Matching;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Matching {
        let (mut matching, mut unknown) = (0, 0);
        for row in rows_in(self.of) {
            let text = self.texts[row].as_bytes();
            if text.len() > BLOCK {
                unknown |= row_bit(row);
                continue;
            }
            let block = lanes.load_part(text);
            let other = lanes.top_bits(block) & low_bits(text.len());
            unknown |= u64::from(other != 0) << row;
            matching |= u64::from(self.runs.is_match(lanes, block, text.len())) << row;
        }
        Matching { matching: matching & !unknown, unknown }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    const EXPRESSIONS: [&str; 9] = [
        r"^[a-zA-Z0-9!#$%&'*+-/=?^_`{|}~.]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+$",
        r"^a+b*c$",
        r"^(a{2}[:-]){2}[ab]{2}$",
        r"^a{1,3}b?@$",
        r"^[^a]*a$",
        r"^(?i)a+b{0,2}$",
        r"^\d{2}-\d+$",
        r"^.*@+$",
        r"^ab{2,}$",
    ];

    fn same(expression: &str, text: &str) {
        let (regex, runs) = (Regex::new(expression).unwrap(), Runs::new(expression));
        for (level, runs) in
            Level::all().flat_map(|level| runs.iter().map(move |runs| (level, runs)))
        {
            let texts = ["", text, text];
            let Matching { matching, unknown } = runs.matching(level, &texts, 0b110);
            assert!(matching | unknown <= 0b110);
            assert_eq!(unknown >> 1, if text.is_ascii() && text.len() <= BLOCK { 0 } else { 3 });
            if unknown == 0 {
                let expected = if regex.is_match(text) { 3 } else { 0 };
                assert_eq!(matching >> 1, expected, "{expression} on {text:?}, {}", level.name());
            }
        }
    }

    #[test]
    fn which_are_of_this_kind() {
        for expression in EXPRESSIONS {
            let is_known = Runs::new(expression).is_some();
            assert_eq!(is_known, expression != r"^.*@+$", "{expression}");
        }
        for expression in ["a+", "^a+", "a+$", "^(a|bc)+$", "^a*a$", "^a?b*a$", "^(ab)*$", "^a|b$"]
        {
            assert!(Runs::new(expression).is_none(), "{expression}");
        }
    }

    #[test]
    fn the_ends_of_a_block() {
        for len in 60..70 {
            same(EXPRESSIONS[4], &("b".repeat(len - 1) + "a"));
            same(EXPRESSIONS[4], &"b".repeat(len));
            same(EXPRESSIONS[4], &("é".to_owned() + &"b".repeat(len - 4) + "a"));
        }
    }

    proptest! {
        #[test]
        fn what_matches_is_what_is_meant(
            expression in prop::sample::select(&EXPRESSIONS[..]),
            text in "[ab:@.-]{0,12}|a{0,5}b{0,3}c?@?|(a{2}[:-]){1,3}[ab]{2}|[ab]{1,40}@[a-]{0,20}\\.[ab.]{0,5}|[0-9]{2}-[0-9]{0,3}[é٣]?",
        ) {
            same(expression, &text);
        }
    }
}
