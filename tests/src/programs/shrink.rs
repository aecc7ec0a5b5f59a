//! Makes a failing program and its records small.

use super::Generated;
use super::code;

/// So many attempts at most: each may run the whole way.
const ATTEMPTS_MAX: usize = 2_000;

impl Generated {
    /// Takes lines, records and members of records away for as long as it `fails`.
    #[must_use]
    pub fn shrink(self, mut fails: impl FnMut(&Self) -> bool) -> Self {
        let mut smallest = self;
        let mut attempts = 0;
        let mut attempt = |candidate: Self, smallest: &mut Self| {
            attempts += 1;
            let better = attempts <= ATTEMPTS_MAX && fails(&candidate);
            if better {
                *smallest = candidate;
            }
            better
        };
        smallest.halve_records(&mut attempt);
        let mut again = true;
        while again {
            again = smallest.drop_code(false, &mut attempt);
            again |= smallest.drop_code(true, &mut attempt);
            again |= smallest.drop_members(&mut attempt);
        }
        smallest
    }

    /// Often one record does.
    fn halve_records(&mut self, attempt: &mut impl FnMut(Self, &mut Self) -> bool) {
        let mut size = self.records.len() / 2;
        while size > 0 {
            let mut start = 0;
            while start < self.records.len() {
                let mut candidate = self.clone();
                candidate.records.drain(start..(start + size).min(self.records.len()));
                if candidate.records.is_empty() || !attempt(candidate, self) {
                    start += size;
                }
            }
            size /= 2;
        }
    }

    fn drop_code(
        &mut self,
        hoist: bool,
        attempt: &mut impl FnMut(Self, &mut Self) -> bool,
    ) -> bool {
        let mut dropped = false;
        // From the end: what is used stands above its use.
        for number in (0..code::count(&mut self.code)).rev() {
            let mut candidate = self.clone();
            dropped |= code::remove(&mut candidate.code, &mut number.clone(), hoist)
                && attempt(candidate, self);
        }
        dropped
    }

    fn drop_members(&mut self, attempt: &mut impl FnMut(Self, &mut Self) -> bool) -> bool {
        let mut dropped = false;
        for record in 0..self.records.len() {
            for member in (0..self.records[record].pieces()).rev() {
                let mut candidate = self.clone();
                candidate.records[record].drop_piece(member, &candidate.layout);
                dropped |=
                    candidate.records[record] != self.records[record] && attempt(candidate, self);
            }
        }
        dropped
    }
}
