//! `match` and look-up tables: an exact pattern wins, then the longest prefix.

use crate::convert;
use crate::eval::{Machine, constant_value};
use crate::plan::{ExprId, Match};
use crate::tally::Site;
use crate::value::Value;

impl<'a> Machine<'a, '_> {
    pub(super) fn choose_arm(&mut self, id: ExprId, arms: &'a Match) -> Value<'a> {
        let arm = match convert::text_of(self.eval(arms.subject), self.arena) {
            invalid @ Value::Invalid(_) => return invalid,
            Value::Text(text) => {
                let arm = arms.patterns.get(text).map(|arm| arms.arms[arm as usize]);
                if arm.is_none() {
                    self.tally.otherwise(Site::Match(id), text);
                }
                arm
            }
            _ => None,
        };
        self.eval(arm.unwrap_or(arms.otherwise))
    }

    pub(super) fn cell(&mut self, table: u16, key: ExprId, column: u16) -> Value<'a> {
        let plan = self.plan;
        let site = Site::Table(table);
        let table = &plan.tables[usize::from(table)];
        let row = match convert::text_of(self.eval(key), self.arena) {
            Value::Text(key) => {
                let row = table.keys.get(key);
                if row.is_none() {
                    self.tally.otherwise(site, key);
                }
                row.or(table.otherwise)
            }
            missing_or_invalid => return missing_or_invalid,
        };
        row.map_or(Value::Missing, |row| {
            constant_value(&table.rows[row as usize][usize::from(column)])
        })
    }
}
