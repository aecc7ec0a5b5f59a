//! The runs of the seen set in the file.

use rusqlite::{Connection, params};

use super::{Run, RunStorage};
use crate::store::error::StoreError;

/// Runs and chunks as rows, seen through one connection.
pub(crate) struct SqliteRuns<'a>(pub(crate) &'a Connection);

impl RunStorage for SqliteRuns<'_> {
    fn runs(&self) -> Result<Vec<(Run, bool)>, StoreError> {
        let mut select = self
            .0
            .prepare_cached("SELECT id, level, buckets, n, state FROM seen_run ORDER BY id")?;
        let rows = select.query_map([], |row| {
            let entries: i64 = row.get(3)?;
            let run = Run {
                id: row.get(0)?,
                level: row.get(1)?,
                buckets: row.get(2)?,
                entries: entries.cast_unsigned(),
            };
            Ok((run, row.get(4)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn insert_run(&self, run: &Run, live: bool) -> Result<(), StoreError> {
        self.0
            .prepare_cached(
                "INSERT INTO seen_run(id, level, buckets, n, state) VALUES (?, ?, ?, ?, ?)",
            )?
            .execute(params![run.id, run.level, run.buckets, run.entries.cast_signed(), live])?;
        Ok(())
    }

    fn set_live(&self, run: i64, live: bool) -> Result<(), StoreError> {
        let changed = self
            .0
            .prepare_cached("UPDATE seen_run SET state = ? WHERE id = ?")?
            .execute(params![live, run])?;
        if changed == 1 { Ok(()) } else { Err(StoreError::corrupt("a run of seen ids is gone")) }
    }

    fn delete_run(&self, run: i64) -> Result<(), StoreError> {
        self.0.prepare_cached("DELETE FROM seen_run WHERE id = ?")?.execute([run])?;
        Ok(())
    }

    fn read_chunk(&self, chunk: i64, show: &mut dyn FnMut(&[u8])) -> Result<(), StoreError> {
        let mut select = self.0.prepare_cached("SELECT data FROM seen_chunk WHERE id = ?")?;
        let mut rows = select.query([chunk])?;
        if let Some(row) = rows.next()? {
            show(row.get_ref(0)?.as_blob().map_err(|_| StoreError::corrupt("a chunk is no blob"))?);
        }
        Ok(())
    }

    fn write_chunk(&self, chunk: i64, data: &[u8]) -> Result<(), StoreError> {
        self.0
            .prepare_cached("INSERT INTO seen_chunk(id, data) VALUES (?, ?)")?
            .execute(params![chunk, data])?;
        Ok(())
    }

    fn delete_chunks(&self, first: i64, end: i64) -> Result<(), StoreError> {
        self.0
            .prepare_cached("DELETE FROM seen_chunk WHERE id >= ? AND id < ?")?
            .execute([first, end])?;
        Ok(())
    }
}
