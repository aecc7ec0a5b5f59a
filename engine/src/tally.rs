//! What became of each line of the mapping: counters that are always on.
//!
//! Every emit has numbered lines: its eight columns, its `event.extra`s, and then the members of its object, by their
//! [`present`](crate::plan::Member::present) numbers. Branches are counted by their line in the program. A worker counts
//! for itself; whoever owns several adds them up.
//!
//! What an owner asks for in addition ([`Tally::observe`]) costs more: the texts that could not be read, and those that
//! no pattern of a `match` and no key of a table fits.

use std::collections::HashMap;

use crate::plan::{Column, Emit, ExprId, Plan, Stmt};

/// Distinct texts that are kept of one place.
const TEXTS_MAX: usize = 200;
/// Longer texts are cut.
const TEXT_BYTES_MAX: usize = 64;

/// The outcomes of one line. Of each evaluation one of `ok`, `missing` and `invalid` is counted, by the outcome of the
/// line's own expression; then what became of it otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineCounts {
    /// A value.
    pub ok: u64,
    /// None.
    pub missing: u64,
    /// One that cannot be read or does not fit. Of a list: what should be an array is none.
    pub invalid: u64,
    /// A handler gave another value, or it is 0 (of `cost_usd` and the tokens).
    pub defaulted: u64,
    /// It was left out: missing and not asked for, invalid where that is skipped, or excluded by another member.
    pub skipped: u64,
    /// Objects and elements of lists that held something and were left out because they were incomplete.
    pub incomplete: u64,
    /// Elements behind the last that `max` allows.
    pub beyond_max: u64,
}

/// How often a condition or loop was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BranchCounts {
    /// Looked at.
    pub reached: u64,
    /// It was true; of a loop, its elements.
    pub taken: u64,
    /// It could not be told, which refused the record.
    pub invalid: u64,
}

/// Where a text fell into `else`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Site {
    /// A `match`.
    Match(ExprId),
    /// A table, by its index.
    Table(u16),
}

/// Distinct texts with how often each came; only the first are told apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Texts {
    /// By text.
    pub counts: HashMap<String, u64>,
    /// Those that were not told apart.
    pub others: u64,
}

/// What is kept besides the counters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// By site.
    pub otherwise: HashMap<Site, Texts>,
    /// Texts that could not be read, by emit and line; none of lines that read a redacted path.
    pub invalid: HashMap<(u16, usize), Texts>,
}

/// The counters of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// For each emit its lines; see [`column_line`], [`extra_line`] and [`member_line`].
    pub emits: Vec<Vec<LineCounts>>,
    /// By line of the program.
    pub branches: Vec<BranchCounts>,
    /// There if somebody asked for it.
    pub observed: Option<Box<Observed>>,
}

/// The number of a column's line.
pub const fn column_line(column: Column) -> usize {
    column as usize
}

/// The number of the line of an `event.extra`.
pub const fn extra_line(index: usize) -> usize {
    Column::ALL.len() + index
}

/// The number of a member's line.
pub const fn member_line(emit: &Emit, present: u32) -> usize {
    Column::ALL.len() + emit.extra.len() + present as usize
}

impl Tally {
    /// All zero.
    pub fn new(plan: &Plan) -> Self {
        let lines = |emit: &Emit| vec![LineCounts::default(); member_line(emit, emit.members)];
        let lines_of_program = last_line(&plan.body) as usize + 1;
        Self {
            emits: plan.emits.iter().map(lines).collect(),
            branches: vec![BranchCounts::default(); lines_of_program],
            observed: None,
        }
    }

    /// Keeps texts from now on.
    pub fn observe(&mut self) {
        self.observed.get_or_insert_default();
    }

    /// Adds what another worker of the same plan has counted.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.emits.iter_mut().flatten().zip(other.emits.iter().flatten()) {
            mine.add(theirs);
        }
        for (mine, theirs) in self.branches.iter_mut().zip(&other.branches) {
            mine.reached += theirs.reached;
            mine.taken += theirs.taken;
            mine.invalid += theirs.invalid;
        }
        if let (Some(mine), Some(theirs)) = (&mut self.observed, &other.observed) {
            mine.add(theirs);
        }
    }

    pub(crate) fn line(&mut self, emit: u16, line: usize) -> &mut LineCounts {
        &mut self.emits[usize::from(emit)][line]
    }

    pub(crate) fn branch(&mut self, line: u32) -> &mut BranchCounts {
        &mut self.branches[line as usize]
    }

    /// A text fell into `else`.
    pub(crate) fn otherwise(&mut self, site: Site, text: &str) {
        if let Some(observed) = &mut self.observed {
            observed.otherwise.entry(site).or_default().see(text, 1);
        }
    }

    /// A text could not be read.
    pub(crate) fn unreadable(&mut self, emit: u16, line: usize, text: &str) {
        if let Some(observed) = &mut self.observed {
            observed.invalid.entry((emit, line)).or_default().see(text, 1);
        }
    }
}

impl LineCounts {
    /// Adds other counts.
    pub fn add(&mut self, other: &Self) {
        self.ok += other.ok;
        self.missing += other.missing;
        self.invalid += other.invalid;
        self.defaulted += other.defaulted;
        self.skipped += other.skipped;
        self.incomplete += other.incomplete;
        self.beyond_max += other.beyond_max;
    }

    /// How often the line was evaluated.
    pub fn evaluated(&self) -> u64 {
        self.ok + self.missing + self.invalid
    }
}

impl Observed {
    fn add(&mut self, other: &Self) {
        #[expect(clippy::iter_over_hash_type, reason = "sums do not depend on the order")]
        for (site, texts) in &other.otherwise {
            self.otherwise.entry(*site).or_default().add(texts);
        }
        #[expect(clippy::iter_over_hash_type, reason = "sums do not depend on the order")]
        for (line, texts) in &other.invalid {
            self.invalid.entry(*line).or_default().add(texts);
        }
    }
}

impl Texts {
    fn see(&mut self, text: &str, times: u64) {
        let end =
            (0..=TEXT_BYTES_MAX.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
        let text = &text[..end.unwrap_or(0)];
        if let Some(count) = self.counts.get_mut(text) {
            *count += times;
        } else if self.counts.len() < TEXTS_MAX {
            self.counts.insert(text.to_owned(), times);
        } else {
            self.others += times;
        }
    }

    /// Adds other texts.
    pub fn add(&mut self, other: &Self) {
        #[expect(
            clippy::iter_over_hash_type,
            reason = "which texts are kept of too many does not matter"
        )]
        for (text, times) in &other.counts {
            self.see(text, *times);
        }
        self.others += other.others;
    }

    /// The texts with how often they came, the most frequent first.
    pub fn by_count(&self) -> Vec<(&str, u64)> {
        let mut texts: Vec<_> =
            self.counts.iter().map(|(text, count)| (text.as_str(), *count)).collect();
        texts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        texts
    }

    /// How many texts there were.
    pub fn total(&self) -> u64 {
        self.counts.values().sum::<u64>() + self.others
    }
}

/// The last line of the program that a statement names.
fn last_line(body: &[Stmt]) -> u32 {
    let of = |statement: &Stmt| match statement {
        Stmt::Filter { line, .. } | Stmt::Reject { line, .. } => *line,
        Stmt::When { arms, otherwise } => {
            let arms = arms.iter().map(|(_, body, line)| last_line(body).max(*line)).max();
            arms.unwrap_or(0).max(last_line(otherwise))
        }
        Stmt::Each { body, line, .. } => last_line(body).max(*line),
        Stmt::Emit(_) | Stmt::Drop => 0,
    };
    body.iter().map(of).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_bounded_and_cut_at_characters() {
        let mut texts = Texts::default();
        (0..300).for_each(|number| texts.see(&format!("t{number}"), 1));
        texts.see("t7", 2);
        assert_eq!((texts.counts.len(), texts.others, texts.total()), (TEXTS_MAX, 100, 302));
        assert_eq!(texts.by_count()[0], ("t7", 3));

        let mut long = Texts::default();
        long.see(&"é".repeat(100), 1);
        long.see(&format!("x{}", "é".repeat(100)), 1);
        let lengths: Vec<usize> = long.by_count().iter().map(|(text, _)| text.len()).collect();
        assert_eq!(lengths, [63, 64]);
    }

    #[test]
    fn workers_add_up() {
        let mut one = Tally {
            emits: vec![vec![LineCounts { ok: 1, missing: 2, ..LineCounts::default() }]],
            branches: vec![BranchCounts { reached: 3, taken: 1, invalid: 1 }],
            observed: None,
        };
        one.observe();
        one.otherwise(Site::Table(0), "k");
        one.unreadable(0, 0, "bad");
        let mut both = one.clone();
        both.add(&one);
        assert_eq!(both.emits[0][0], LineCounts { ok: 2, missing: 4, ..LineCounts::default() });
        assert_eq!(both.emits[0][0].evaluated(), 6);
        assert_eq!(both.branches[0], BranchCounts { reached: 6, taken: 2, invalid: 2 });
        let observed = both.observed.unwrap();
        assert_eq!(observed.otherwise[&Site::Table(0)].total(), 2);
        assert_eq!(observed.invalid[&(0, 0)].by_count(), [("bad", 2)]);
    }
}
