//! Dead letters with all that a later mapping needs, by source and state.

use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::error::StoreError;
use super::event::StoredReject;
use super::read::{
    PAGE_BYTES_FULL, PAGE_ROWS_MAX, REJECT_COLUMNS, REJECT_TABLES, Readers, reject, source_id,
};

/// What has become of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LetterState {
    Open,
    /// Mapped at last, by itself or with its whole object.
    Redriven,
    /// Given up.
    Discarded,
}

impl LetterState {
    /// The numbers that stand for it in the file.
    fn numbers(self) -> &'static [i64] {
        match self {
            Self::Open => &[0],
            Self::Redriven => &[1, 3],
            Self::Discarded => &[2],
        }
    }

    fn of(number: i64) -> Result<Self, StoreError> {
        match number {
            0 => Ok(Self::Open),
            1 | 3 => Ok(Self::Redriven),
            2 => Ok(Self::Discarded),
            _ => Err(StoreError::corrupt(format!("a dead letter has the state {number}"))),
        }
    }
}

/// A dead letter.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) reject: StoredReject,
    pub(crate) state: LetterState,
    pub(crate) settled_at_ms: Option<i64>,
    /// What else a later mapping needs to know, as JSON text.
    pub(crate) context: Option<String>,
    /// The whole record, encrypted; not read if it was not asked for.
    pub(crate) sealed: Option<Vec<u8>>,
    /// Whether the whole record is there.
    pub(crate) is_whole: bool,
}

/// In which order dead letters are wanted, from where on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Before an id.
    NewestFirst(i64),
    /// Behind an id.
    OldestFirst(i64),
}

/// Which dead letters are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Letters<'a> {
    pub(crate) source: &'a str,
    /// In one state, or in any.
    pub(crate) state: Option<LetterState>,
    pub(crate) order: Order,
    pub(crate) limit: usize,
    /// Whether the whole records are wanted, encrypted.
    pub(crate) with_sealed: bool,
}

impl Readers {
    /// A page of dead letters, and whether there are more. It stops early if their records are very large, though never
    /// before the first.
    pub(crate) fn letters(&self, wanted: &Letters<'_>) -> Result<(Vec<Letter>, bool), StoreError> {
        let limit = wanted.limit.min(PAGE_ROWS_MAX);
        self.read(|connection| {
            let Some(source) = source_id(connection, wanted.source)? else {
                return Ok((Vec::new(), false));
            };
            let states: &[i64] = wanted.state.map_or(&[0, 1, 2, 3], LetterState::numbers);
            let (bound, compares, direction) = match wanted.order {
                Order::NewestFirst(before) => (before, '<', "DESC"),
                Order::OldestFirst(after) => (after, '>', "ASC"),
            };
            // The index has the ids of each state in order; what is wanted of all states is at the front of each.
            let mut ids = Vec::new();
            let mut select = connection.prepare_cached(&format!(
                "SELECT id FROM reject WHERE source = ? AND state = ? AND id {compares} ?
                 ORDER BY id {direction} LIMIT ?"
            ))?;
            for state in states {
                let rows = select
                    .query_map(params![source, state, bound, limit.cast_signed() + 1], |row| {
                        row.get::<_, i64>(0)
                    })?;
                for id in rows {
                    ids.push(id?);
                }
            }
            ids.sort_unstable();
            if matches!(wanted.order, Order::NewestFirst(_)) {
                ids.reverse();
            }
            let (mut letters, mut bytes) = (Vec::new(), 0);
            let mut select = connection.prepare_cached(&one(wanted.with_sealed))?;
            for id in ids.iter().take(limit) {
                let mut rows = select.query(params![wanted.source, id])?;
                let Some(row) = rows.next()? else { continue };
                let letter = letter(row)?;
                bytes += letter.reject.raw.len() + letter.sealed.as_ref().map_or(0, Vec::len);
                letters.push(letter);
                if bytes >= PAGE_BYTES_FULL {
                    break;
                }
            }
            let has_more = letters.len() < ids.len();
            Ok((letters, has_more))
        })
    }

    pub(crate) fn letter(&self, source: &str, id: i64) -> Result<Option<Letter>, StoreError> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(&one(true))?;
            let mut rows = select.query(params![source, id])?;
            rows.next()?.map(letter).transpose()
        })
    }
}

fn one(with_sealed: bool) -> String {
    let sealed = if with_sealed { "sealed" } else { "NULL" };
    format!(
        "SELECT {REJECT_COLUMNS}, state, settled_at, context, {sealed}, sealed IS NOT NULL
         FROM {REJECT_TABLES} WHERE source.name = ?1 AND reject.id = ?2"
    )
}

fn letter(row: &Row<'_>) -> Result<Letter, StoreError> {
    Ok(Letter {
        reject: reject(row)?,
        state: LetterState::of(row.get(21)?)?,
        settled_at_ms: row.get(22)?,
        context: row.get(23)?,
        sealed: row.get(24)?,
        is_whole: row.get(25)?,
    })
}

/// Gives an open dead letter up; says what state it was in. `None` if the source has no such letter.
pub(crate) fn discard(
    transaction: &Transaction<'_>,
    source: &str,
    id: i64,
    now_ms: i64,
) -> Result<Option<LetterState>, StoreError> {
    let state: Option<i64> = transaction
        .query_row(
            "SELECT state FROM reject JOIN source ON source.id = reject.source
             WHERE reject.id = ? AND source.name = ?",
            params![id, source],
            |row| row.get(0),
        )
        .optional()?;
    let Some(state) = state.map(LetterState::of).transpose()? else { return Ok(None) };
    if state == LetterState::Open {
        transaction.execute(
            "UPDATE reject SET state = 2, settled_at = ?, sealed = NULL WHERE id = ?",
            params![now_ms, id],
        )?;
    }
    Ok(Some(state))
}
