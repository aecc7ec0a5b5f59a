//! How a source is, from what it brought and what its runs came to.

use rusqlite::{OptionalExtension as _, params};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::source::StoredSource;
use super::{Control, Result, now_ms, source};

const HOUR_MS: i64 = 3_600_000;
/// A pulled source that brought nothing for so long, though its runs succeed, is worth a look.
const SILENT_MS: i64 = 24 * HOUR_MS;

/// How a source is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Health {
    pub(crate) events_24h: u64,
    pub(crate) events_7d: u64,
    pub(crate) events_30d: u64,
    #[schema(required)]
    pub(crate) last_success_at: Option<String>,
    /// Of the records of the last 24 hours, the part that was refused: 0 to 1.
    pub(crate) parse_error_rate: f64,
    /// Dead letters that are open.
    pub(crate) quarantined: u64,
    /// Since the source was last read to its end, or brought an event; null if it never was.
    #[schema(required)]
    pub(crate) lag_seconds: Option<u64>,
    pub(crate) consecutive_errors: u32,
    /// `code`, `message` and `at` of the last run that failed, since the last one that did not; `store_unavailable` as
    /// long as nothing can be stored.
    #[schema(value_type = Option<Object>, required)]
    pub(crate) last_error: Option<Value>,
    /// Its runs succeed and bring nothing for a day: perhaps a wrong prefix.
    pub(crate) silent_empty: bool,
    /// It can be polled, and nothing says when.
    pub(crate) never_scheduled: bool,
    /// Objects that could not be read and are tried again.
    pub(crate) objects_failing: u64,
    /// Records of each of the last 24 hours, oldest first: those that were mapped, and those that were refused.
    pub(crate) hours: Vec<HourCounts>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub(crate) struct HourCounts {
    pub(crate) events: u64,
    pub(crate) rejects: u64,
}

#[derive(Default)]
struct Sums {
    events: [u64; 3],
    records: u64,
    rejects: u64,
    hours: Vec<HourCounts>,
}

impl Control {
    /// How a source is.
    pub(crate) fn health(&self, stored: &StoredSource) -> Result<Health> {
        let (now, id) = (now_ms(), &stored.source.id);
        self.read(|connection| {
            let known: Option<(i64, Option<i64>)> = connection
                .prepare_cached("SELECT id, last_event_at FROM source WHERE name = ?")?
                .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let count = |sql: &str, key: &dyn rusqlite::ToSql| -> Result<u64> {
                let count: i64 =
                    connection.prepare_cached(sql)?.query_row([key], |row| row.get(0))?;
                Ok(count.cast_unsigned())
            };
            let (quarantined, sums) = match known {
                None => (0, Sums { hours: vec![HourCounts::default(); 24], ..Sums::default() }),
                Some((source, _)) => {
                    let open = "SELECT count(*) FROM reject WHERE source = ? AND state = 0";
                    (count(open, &source)?, sums(connection, source, now)?)
                }
            };
            let failing = "SELECT count(*) FROM object_failure WHERE source = ?";
            let last_event = known.and_then(|(_, at)| at);
            let last_success: Option<i64> = connection
                .prepare_cached("SELECT last_success_at FROM ingestion_source WHERE id = ?")?
                .query_row([id], |row| row.get(0))?;
            let fresh = last_success.max(last_event);
            let is_polled = stored.schedule().is_some();
            let unwritten = self.unwritten.of(id);
            let is_old = now - stored.created_at_ms > SILENT_MS;
            Ok(Health {
                events_24h: sums.events[0],
                events_7d: sums.events[1],
                events_30d: sums.events[2],
                last_success_at: stored.source.last_success_at.clone(),
                parse_error_rate: match sums.records {
                    0 => 0.0,
                    records => (sums.rejects as f64 / records as f64).min(1.0),
                },
                quarantined,
                lag_seconds: fresh.map(|at| (now - at).max(0).cast_unsigned() / 1000),
                consecutive_errors: stored.source.consecutive_errors
                    + u32::from(unwritten.is_some()),
                last_error: unwritten.or_else(|| stored.last_error.clone()),
                silent_empty: is_polled
                    && is_old
                    && last_success.is_some_and(|at| now - at < SILENT_MS)
                    && last_event.is_none_or(|at| now - at > SILENT_MS),
                never_scheduled: stored.source.mode.pulls()
                    && stored.source.pull_config.is_some()
                    && !is_polled,
                objects_failing: count(failing, id)?,
                hours: sums.hours,
            })
        })
    }

    /// The ids of an organisation's sources, archived ones too.
    pub(crate) fn source_ids(&self, organization: &str) -> Result<Vec<String>> {
        self.read(|connection| source::ids(connection, organization))
    }

    /// Whether something can be written.
    pub(crate) fn check_writable(&self) -> Result<()> {
        self.change(|transaction| {
            transaction.execute("UPDATE control SET format = format", [])?;
            Ok(())
        })
    }
}

fn sums(connection: &rusqlite::Connection, source: i64, now: i64) -> Result<Sums> {
    let this_hour = now.div_euclid(HOUR_MS);
    let mut sums = Sums { hours: vec![HourCounts::default(); 24], ..Sums::default() };
    let mut select = connection.prepare_cached(
        "SELECT hour, events, rejects + conflicts, records FROM source_hour
         WHERE source = ? AND hour > ?",
    )?;
    let mut rows = select.query(params![source, this_hour - 24 * 30])?;
    while let Some(row) = rows.next()? {
        let age = this_hour - row.get::<_, i64>(0)?;
        let count = |column: usize| row.get::<_, i64>(column).map(i64::cast_unsigned);
        let (events, rejects, records) = (count(1)?, count(2)?, count(3)?);
        for (sum, days) in sums.events.iter_mut().zip([1, 7, 30]) {
            *sum += if age < days * 24 { events } else { 0 };
        }
        if let Some(hour) = usize::try_from(age).ok().and_then(|age| 23_usize.checked_sub(age)) {
            sums.records += records;
            sums.rejects += rejects;
            sums.hours[hour] = HourCounts { events, rejects };
        }
    }
    Ok(sums)
}
