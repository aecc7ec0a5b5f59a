//! When a source is due: a cron pattern of five fields in UTC, or every so many seconds.
//!
//! A schedule is a grid of times. A run is *for* one of them, and the greatest one that a run was for
//! is all that is remembered. So the rule for what was missed is short: whatever lies between that
//! time and now is made good by **one** run, which is for the newest time of the grid.
//!
//! Clocks are set back, too. If the last run was for a time that lies further ahead than the next one
//! would, the remembered time is worth nothing and the source is due at once; otherwise it waits, for
//! two periods at most.

use std::fmt;
use std::str::FromStr;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// How late the first missed run may be before the run that makes it good is a catch-up.
const LATE: SignedDuration = SignedDuration::from_secs(60);

/// The longest interval: a week.
const INTERVAL_SECONDS_MAX: u64 = 7 * 24 * 3600;

/// No sensible pattern is longer.
const PATTERN_BYTES_MAX: usize = 256;

/// When to run.
#[derive(Clone, PartialEq)]
pub struct Schedule {
    grid: Grid,
}

#[derive(Clone, PartialEq)]
enum Grid {
    Cron {
        /// As it was written.
        pattern: String,
        cron: Box<Cron>,
    },
    /// So long after the last run.
    Every(SignedDuration),
}

/// A run that should begin now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The time that it is for.
    pub scheduled_for: Timestamp,
    /// It makes good what was missed: a run should have begun a minute ago or earlier.
    pub is_catch_up: bool,
}

/// A schedule that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ScheduleError {
    problem: String,
}

impl Schedule {
    /// A cron pattern of five fields: minute, hour, day of the month, month, day of the week.
    ///
    /// # Errors
    ///
    /// It has other fields, bad values, or describes no day that ever comes.
    pub fn cron(pattern: &str) -> Result<Self, ScheduleError> {
        const FORM: &str = "write five fields in UTC: minute hour day month weekday, such as \
                            `*/15 * * * *` or `0 3 * * 1-5`";
        let problem = |problem: &str| ScheduleError { problem: format!("{problem}; {FORM}") };
        let pattern = pattern.trim();
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(problem("it is too long"));
        }
        let fields = pattern.split_whitespace().count();
        if fields != 5 && !pattern.starts_with('@') {
            return Err(problem(&format!("it has {fields} fields")));
        }
        if pattern.split_whitespace().any(|field| field.split(',').any(str::is_empty)) {
            return Err(problem("a comma has nothing beside it"));
        }
        let parser =
            CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(pattern).map_err(|error| problem(&error.to_string()))?;
        let schedule =
            Self { grid: Grid::Cron { pattern: pattern.to_owned(), cron: Box::new(cron) } };
        match schedule.next_after(Timestamp::UNIX_EPOCH) {
            Some(_) => Ok(schedule),
            None => Err(problem("there is no such day")),
        }
    }

    /// Every so many seconds, from 1 to 604,800 (a week).
    ///
    /// # Errors
    ///
    /// It is none of these.
    pub fn every(seconds: u64) -> Result<Self, ScheduleError> {
        let interval = i64::try_from(seconds)
            .ok()
            .filter(|_| (1..=INTERVAL_SECONDS_MAX).contains(&seconds))
            .map(SignedDuration::from_secs);
        match interval {
            Some(interval) => Ok(Self { grid: Grid::Every(interval) }),
            None => Err(ScheduleError {
                problem: format!("{seconds} s is no interval; write 1 to {INTERVAL_SECONDS_MAX}"),
            }),
        }
    }

    /// The first time of the schedule behind `after`: for an interval, so long after it. `None` behind
    /// the end of time.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        match &self.grid {
            Grid::Cron { cron, .. } => {
                from_civil(cron.find_next_occurrence(&civil(after), false).ok()?)
            }
            Grid::Every(interval) => after.checked_add(*interval).ok(),
        }
    }

    /// Whether a run should begin. `last_scheduled` is the [`Due::scheduled_for`] of the last one; of
    /// a source that never ran, the time when it was made or changed.
    pub fn due(&self, last_scheduled: Timestamp, now: Timestamp) -> Option<Due> {
        let following = self.next_after(now)?;
        if last_scheduled > following {
            // The clock was ahead then.
            return Some(Due { scheduled_for: self.latest(now, now)?, is_catch_up: true });
        }
        let first = self.next_after(last_scheduled).filter(|first| *first <= now)?;
        let is_catch_up = now.duration_since(first) >= LATE;
        Some(Due { scheduled_for: self.latest(first, now)?, is_catch_up })
    }

    /// The newest time that is not behind `now`, on the grid that `first` is on.
    fn latest(&self, first: Timestamp, now: Timestamp) -> Option<Timestamp> {
        match &self.grid {
            Grid::Cron { cron, .. } => {
                from_civil(cron.find_previous_occurrence(&civil(now), true).ok()?)
            }
            Grid::Every(interval) => {
                let since_first = now.duration_since(first).as_nanos();
                let over = since_first.checked_rem(interval.as_nanos())?;
                now.checked_sub(SignedDuration::from_nanos_i128(over)).ok()
            }
        }
    }
}

/// A time in UTC, down to the second: cron knows none smaller.
fn civil(time: Timestamp) -> DateTime {
    let time = TimeZone::UTC.to_datetime(time);
    time.with().subsec_nanosecond(0).build().unwrap_or(time)
}

fn from_civil(time: DateTime) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(time).ok()
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    /// Reads a cron pattern.
    fn from_str(pattern: &str) -> Result<Self, ScheduleError> {
        Self::cron(pattern)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.grid {
            Grid::Cron { pattern, .. } => f.write_str(pattern),
            Grid::Every(interval) => write!(f, "every {} s", interval.as_secs()),
        }
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schedule({self})")
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn due(scheduled_for: &str, is_catch_up: bool) -> Option<Due> {
        Some(Due { scheduled_for: time(scheduled_for), is_catch_up })
    }

    #[test]
    fn a_pattern_is_read_in_utc() {
        for (pattern, after, next) in [
            ("*/15 * * * *", "2025-03-30T01:00:00Z", "2025-03-30T01:15:00Z"),
            ("*/15 * * * *", "2025-03-30T01:14:59.999999999Z", "2025-03-30T01:15:00Z"),
            // A night in which clocks in Europe are set forward.
            ("30 2 * * *", "2025-03-30T00:00:00Z", "2025-03-30T02:30:00Z"),
            ("0 3 * * 1-5", "2025-01-03T03:00:00Z", "2025-01-06T03:00:00Z"),
            ("0 3 * * MON-FRI", "2025-01-03T03:00:00Z", "2025-01-06T03:00:00Z"),
            ("0 0 29 2 *", "2025-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("0 0 31 * *", "2025-02-01T00:00:00Z", "2025-03-31T00:00:00Z"),
            // A day of the month or of the week: either will do, as in every cron.
            ("0 0 13 * 5", "2025-06-01T00:00:00Z", "2025-06-06T00:00:00Z"),
            ("@hourly", "2025-06-01T00:00:00Z", "2025-06-01T01:00:00Z"),
        ] {
            let schedule = Schedule::cron(pattern).unwrap();
            assert_eq!(schedule.next_after(time(after)), Some(time(next)), "{pattern}");
            assert_eq!(schedule.to_string(), pattern);
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused_and_says_what_would_be() {
        let long = "1,".repeat(200) + "1 * * * *";
        for pattern in [
            "",
            "* * * *",
            "* * * * * *",
            "0 0 * * * * 2025",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "*/0 * * * *",
            ", * * * *",
            "1,,2 * * * *",
            "5-1 * * * *",
            "a b c d e",
            "@fortnightly",
            "0 0 30 2 *",
            "0 0 31 4,6,9,11 *",
            &long,
        ] {
            let begin = Instant::now();
            let text = Schedule::cron(pattern).unwrap_err().to_string();
            assert!(text.contains("write five fields in UTC"), "{pattern}: {text}");
            assert!(begin.elapsed() < Duration::from_secs(1), "{pattern}: {:?}", begin.elapsed());
        }
        for seconds in [0, INTERVAL_SECONDS_MAX + 1, u64::MAX] {
            let text = Schedule::every(seconds).unwrap_err().to_string();
            assert!(text.contains("write 1 to 604800"), "{text}");
        }
    }

    #[test]
    fn what_was_missed_is_made_good_once() {
        let nightly = Schedule::cron("0 3 * * *").unwrap();
        let last = time("2025-01-01T03:00:00Z");
        assert_eq!(nightly.due(last, time("2025-01-02T02:59:59.9Z")), None);
        let on_time = due("2025-01-02T03:00:00Z", false);
        assert_eq!(nightly.due(last, time("2025-01-02T03:00:00Z")), on_time);
        assert_eq!(nightly.due(last, time("2025-01-02T03:00:59Z")), on_time);
        let late = due("2025-01-02T03:00:00Z", true);
        assert_eq!(nightly.due(last, time("2025-01-02T03:01:00Z")), late);
        let weeks_later = time("2025-02-20T17:00:00Z");
        let catch_up = due("2025-02-20T03:00:00Z", true);
        assert_eq!(nightly.due(last, weeks_later), catch_up);
        assert_eq!(nightly.due(time("2025-02-20T03:00:00Z"), weeks_later), None);

        let every = Schedule::every(900).unwrap();
        let last = time("2025-01-01T00:00:07Z");
        assert_eq!(every.due(last, time("2025-01-01T00:15:06Z")), None);
        assert_eq!(
            every.due(last, time("2025-01-01T00:15:08Z")),
            due("2025-01-01T00:15:07Z", false)
        );
        assert_eq!(
            every.due(last, time("2025-01-03T00:14:00Z")),
            due("2025-01-03T00:00:07Z", true)
        );
    }

    #[test]
    fn a_clock_that_was_ahead_stops_nothing() {
        for schedule in [Schedule::cron("0 * * * *").unwrap(), Schedule::every(3600).unwrap()] {
            let now = time("2025-01-01T10:00:00Z");
            // A little ahead: wait, so that nothing runs twice for one time.
            assert_eq!(schedule.due(time("2025-01-01T10:30:00Z"), now), None);
            // Years ahead.
            let due = schedule.due(time("2031-01-01T00:00:00Z"), now).unwrap();
            assert_eq!((due.scheduled_for, due.is_catch_up), (now, true));
            assert_eq!(schedule.due(due.scheduled_for, now), None);
        }
    }

    fn schedules() -> impl Strategy<Value = Schedule> {
        let cron = prop_oneof![
            Just("* * * * *"),
            Just("*/7 * * * *"),
            Just("13 */5 * * *"),
            Just("0 3 * * 1-5"),
            Just("0 0 1 * *"),
            Just("59 23 31 12 *"),
            Just("0 0 29 2 *"),
        ];
        prop_oneof![
            (1..=INTERVAL_SECONDS_MAX).prop_map(|seconds| Schedule::every(seconds).unwrap()),
            cron.prop_map(|pattern| Schedule::cron(pattern).unwrap()),
        ]
    }

    fn times() -> impl Strategy<Value = Timestamp> {
        // 2000 to 2100, in ms.
        (946_684_800_000_i64..4_102_444_800_000)
            .prop_map(|ms| Timestamp::from_millisecond(ms).unwrap())
    }

    proptest! {
        #[test]
        fn an_outage_of_any_length_gives_one_run(
            schedule in schedules(), last in times(), now in times(),
        ) {
            let Some(due) = schedule.due(last, now) else {
                // Nothing of the schedule was passed, or the clock is a little behind.
                let first = schedule.next_after(last.min(now)).unwrap();
                prop_assert!(first > now || last > now);
                return Ok(());
            };
            prop_assert!(due.scheduled_for <= now);
            prop_assert_eq!(schedule.due(due.scheduled_for, now), None);
            // It is the newest time there is.
            prop_assert!(schedule.next_after(due.scheduled_for).unwrap() > now);
            if last <= now {
                let first = schedule.next_after(last).unwrap();
                prop_assert!(first <= due.scheduled_for);
                prop_assert_eq!(due.is_catch_up, now.duration_since(first) >= LATE);
            }
        }

        /// Asked every second, it runs for every time of the schedule, once, and for no other.
        #[test]
        fn nothing_is_left_out_or_done_twice(
            seconds in 1_u64..40, step_ms in 1_i64..1000, start in times(),
        ) {
            let schedule = Schedule::every(seconds).unwrap();
            let (mut last, mut now) = (start, start);
            let mut runs = Vec::new();
            for _ in 0..500 {
                now = now.checked_add(SignedDuration::from_millis(step_ms)).unwrap();
                if let Some(due) = schedule.due(last, now) {
                    prop_assert!(!due.is_catch_up);
                    last = due.scheduled_for;
                    runs.push(last);
                }
            }
            let interval = SignedDuration::from_secs(i64::try_from(seconds).unwrap());
            for (run, number) in runs.iter().zip(1..) {
                prop_assert_eq!(*run, start.checked_add(interval * number).unwrap());
            }
            let passed = now.duration_since(start).as_nanos() / interval.as_nanos();
            prop_assert_eq!(runs.len() as i128, passed);
        }

        /// However the clock is set, a source is never silent for more than two of its periods.
        #[test]
        fn no_clock_silences_a_source(seconds in 1_u64..100_000, last in times(), now in times()) {
            let schedule = Schedule::every(seconds).unwrap();
            let two_periods = SignedDuration::from_secs(2 * i64::try_from(seconds).unwrap());
            let later = now.checked_add(two_periods).unwrap();
            prop_assert!(schedule.due(last, now).is_some() || schedule.due(last, later).is_some());
        }

        #[test]
        fn no_pattern_makes_it_panic(pattern in "[-*/,0-9LW#?+@a-z \u{df}]{0,40}") {
            let begin = Instant::now();
            if let Ok(schedule) = Schedule::cron(&pattern) {
                let now = time("2025-01-01T00:00:00Z");
                schedule.due(time("2020-01-01T00:00:00Z"), now);
            }
            prop_assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
        }
    }
}
