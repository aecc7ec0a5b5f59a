//! `match` and look-up tables: an exact pattern wins, then the longest prefix.

use crate::convert;
use crate::eval::{Machine, constant_value};
use crate::plan::{ExprId, Match, Plan};
use crate::tally::{Site, Tally};
use crate::value::Value;

impl<'a> Machine<'a, '_> {
    pub(super) fn choose_arm(&mut self, id: ExprId, arms: &'a Match) -> Value<'a> {
        let subject = convert::text_of(self.eval(arms.subject), self.arena);
        match arm(id, arms, subject, self.tally) {
            Ok(arm) => self.eval(arm),
            Err(invalid) => invalid,
        }
    }

    pub(super) fn cell(&mut self, table: u16, key: ExprId, column: u16) -> Value<'a> {
        let key = convert::text_of(self.eval(key), self.arena);
        self::cell(self.plan, table, key, column, self.tally)
    }
}

/// The cell of the row that a text is the key of.
pub(crate) fn cell<'a>(
    plan: &'a Plan,
    table: u16,
    key: Value<'a>,
    column: u16,
    tally: &mut Tally,
) -> Value<'a> {
    let site = Site::Table(table);
    let table = &plan.tables[usize::from(table)];
    let row = match key {
        Value::Text(key) => {
            let row = table.keys.get(key);
            if row.is_none() {
                tally.otherwise(site, key);
            }
            row.or(table.otherwise)
        }
        missing_or_invalid => return missing_or_invalid,
    };
    row.map_or(Value::Missing, |row| constant_value(&table.rows[row as usize][usize::from(column)]))
}

/// The arm for a text; or the text, if it is invalid.
pub(crate) fn arm<'a>(
    id: ExprId,
    arms: &Match,
    subject: Value<'a>,
    tally: &mut Tally,
) -> Result<ExprId, Value<'a>> {
    let arm = match subject {
        Value::Invalid(_) => return Err(subject),
        Value::Text(text) => {
            let arm = arms.patterns.get(text).map(|arm| arms.arms[arm as usize]);
            if arm.is_none() {
                tally.otherwise(Site::Match(id), text);
            }
            arm
        }
        _ => None,
    };
    Ok(arm.unwrap_or(arms.otherwise))
}
