//! Formats of timestamps, in the directives of `strptime`, and local time.
//!
//! A format is compiled once to a list of items; reading and writing walk it. Numbers are read without leading zeros
//! too (`1/5/2026`), unless another number stands beside it (`%Y%m%d`): then each has its full width.
//!
//! Zones come from the time zone database that is built in, so that every machine reads the same.

mod parts;
mod zone;

use std::fmt;

use crate::civil::DateTime;

use parts::Parts;

pub use zone::{Zone, tzdb_version};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// What messages list as the known directives.
pub const DIRECTIVES: &str = "%Y %y %m %b %d %e %j %H %I %p %M %S %.f %z %%";

/// A compiled format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeFormat {
    items: Vec<Item>,
}

/// What stands next in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// Exactly this text.
    Literal(String),
    /// A part of a time.
    Part {
        directive: Directive,
        /// Another number stands beside it.
        full_width: bool,
    },
}

/// A part of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Directive {
    /// `%Y`: four digits.
    Year,
    /// `%y`: two digits; 69 to 99 are of the 20th century.
    ShortYear,
    /// `%m`
    Month,
    /// `%b`: three English letters in any case.
    MonthName,
    /// `%d`
    Day,
    /// `%e`: a space may stand for the leading zero.
    SpacedDay,
    /// `%j`
    DayOfYear,
    /// `%H`
    Hour,
    /// `%I`: 1 to 12.
    Hour12,
    /// `%p`: AM or PM, in any case.
    HalfDay,
    /// `%M`
    Minute,
    /// `%S`: 60 is a leap second.
    Second,
    /// `%.f`: a point and digits, or nothing.
    Fraction,
    /// `%z`: `Z`, `+02`, `+0200` or `+02:00`.
    Offset,
}

impl Directive {
    /// The directive at the beginning of a format, behind its `%`; and how long it is.
    fn scan(text: &str) -> Option<(Self, usize)> {
        let directive = match text.bytes().next()? {
            b'Y' => Self::Year,
            b'y' => Self::ShortYear,
            b'm' => Self::Month,
            b'b' => Self::MonthName,
            b'd' => Self::Day,
            b'e' => Self::SpacedDay,
            b'j' => Self::DayOfYear,
            b'H' => Self::Hour,
            b'I' => Self::Hour12,
            b'p' => Self::HalfDay,
            b'M' => Self::Minute,
            b'S' => Self::Second,
            b'z' => Self::Offset,
            b'.' if text.starts_with(".f") => return Some((Self::Fraction, 2)),
            _ => return None,
        };
        Some((directive, 1))
    }

    /// What it tells, in words: no two directives of a format may tell the same.
    const fn tells(self) -> &'static str {
        match self {
            Self::Year | Self::ShortYear => "the year",
            Self::Month | Self::MonthName => "the month",
            Self::Day | Self::SpacedDay => "the day",
            Self::DayOfYear => "the day of the year",
            Self::Hour | Self::Hour12 => "the hour",
            Self::HalfDay => "AM or PM",
            Self::Minute => "the minute",
            Self::Second => "the second",
            Self::Fraction => "the fraction",
            Self::Offset => "the offset",
        }
    }

    /// The most digits of a number; 0 if it begins with something else.
    const fn digits(self) -> usize {
        match self {
            Self::Year => 4,
            Self::DayOfYear => 3,
            Self::ShortYear
            | Self::Month
            | Self::Day
            | Self::SpacedDay
            | Self::Hour
            | Self::Hour12
            | Self::Minute
            | Self::Second => 2,
            Self::MonthName | Self::HalfDay | Self::Fraction | Self::Offset => 0,
        }
    }
}

/// Why a format is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormatError {
    /// There is no such directive: `%Q`.
    Unknown(String),
    /// Two directives tell the same.
    Twice(&'static str),
    /// It does not tell the date.
    NoDate,
    /// `%I` without `%p`, or `%p` without `%I`.
    HalfDay,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(directive) => write!(f, "there is no directive `{directive}`"),
            Self::Twice(what) => write!(f, "the format tells {what} twice"),
            Self::NoDate => f.write_str("the format does not tell the date"),
            Self::HalfDay => f.write_str("`%I` and `%p` belong together"),
        }
    }
}

impl FormatError {
    /// What to do.
    pub fn help(&self) -> String {
        match self {
            Self::Unknown(_) => format!("the directives are {DIRECTIVES}"),
            Self::Twice(_) => "leave one of them out".to_owned(),
            Self::NoDate => {
                "a date is `%Y` or `%y`, with `%m` or `%b` and `%d` or `%e`, or with `%j`"
                    .to_owned()
            }
            Self::HalfDay => "write `%I` and `%p`, or `%H` for hours up to 23".to_owned(),
        }
    }
}

impl TimeFormat {
    /// Compiles a format for writing: any directives in any number.
    ///
    /// # Errors
    /// A directive that does not exist.
    pub fn for_writing(format: &str) -> Result<Self, FormatError> {
        let mut items: Vec<Item> = Vec::new();
        let mut rest = format;
        while let Some(next) = rest.chars().next() {
            let literal = if next != '%' {
                let len = rest.find('%').unwrap_or(rest.len());
                let (literal, behind) = rest.split_at(len);
                rest = behind;
                literal
            } else if let Some(behind) = rest.strip_prefix("%%") {
                rest = behind;
                "%"
            } else if let Some((directive, len)) = Directive::scan(&rest[1..]) {
                rest = &rest[1 + len..];
                items.push(Item::Part { directive, full_width: false });
                continue;
            } else {
                return Err(FormatError::Unknown(rest.chars().take(2).collect()));
            };
            match items.last_mut() {
                Some(Item::Literal(text)) => text.push_str(literal),
                _ => items.push(Item::Literal(literal.to_owned())),
            }
        }
        Ok(Self { items })
    }

    /// Compiles a format for reading: it tells a date, and nothing twice.
    ///
    /// # Errors
    /// A directive that does not exist, or a format that cannot tell an instant.
    pub fn for_reading(format: &str) -> Result<Self, FormatError> {
        let mut compiled = Self::for_writing(format)?;
        let tells: Vec<_> = compiled.directives().map(Directive::tells).collect();
        if let Some(at) = (1..tells.len()).find(|&at| tells[..at].contains(&tells[at])) {
            return Err(FormatError::Twice(tells[at]));
        }
        let (month, day) = (tells.contains(&"the month"), tells.contains(&"the day"));
        match tells.contains(&"the day of the year") {
            true if month || day => return Err(FormatError::Twice("the day")),
            of_year if !tells.contains(&"the year") || !(of_year || month && day) => {
                return Err(FormatError::NoDate);
            }
            _ => {}
        }
        let has = |wanted| compiled.directives().any(|directive| directive == wanted);
        if has(Directive::Hour12) != has(Directive::HalfDay) {
            return Err(FormatError::HalfDay);
        }
        compiled.settle_widths();
        Ok(compiled)
    }

    fn directives(&self) -> impl Iterator<Item = Directive> + '_ {
        self.items.iter().filter_map(|item| match item {
            Item::Part { directive, .. } => Some(*directive),
            Item::Literal(_) => None,
        })
    }

    /// Numbers beside a digit have their full width.
    fn settle_widths(&mut self) {
        // Whether the items begin and end with a digit, or may do so.
        let digits: Vec<(bool, bool)> = self
            .items
            .iter()
            .map(|item| match item {
                Item::Literal(text) => {
                    let digit = |found: char| found.is_ascii_digit();
                    (text.starts_with(digit), text.ends_with(digit))
                }
                Item::Part { directive, .. } => {
                    let number = directive.digits() > 0;
                    (number, number || matches!(directive, Directive::Fraction | Directive::Offset))
                }
            })
            .collect();
        for (at, item) in self.items.iter_mut().enumerate() {
            if let Item::Part { full_width, .. } = item {
                *full_width = (at > 0 && digits[at - 1].1)
                    || digits.get(at + 1).is_some_and(|(begins, _)| *begins);
            }
        }
    }

    /// Does the text tell its own offset from UTC?
    pub fn has_offset(&self) -> bool {
        self.directives().any(|directive| directive == Directive::Offset)
    }

    /// Reads UTC nanoseconds; a text without an offset is local time of the zone.
    ///
    /// Of a local time that there was twice, the earlier instant; one that there never was is none. What the format
    /// leaves out of the time of day is 0.
    pub fn read(&self, text: &str, zone: Option<&Zone>) -> Option<i64> {
        self.read_noting(text, zone).map(|(ns, _)| ns)
    }

    /// The same, and whether the local time was there twice.
    pub fn read_noting(&self, text: &str, zone: Option<&Zone>) -> Option<(i64, bool)> {
        let mut parts = Parts::default();
        let mut rest = text.as_bytes();
        for item in &self.items {
            rest = match item {
                Item::Literal(literal) => rest.strip_prefix(literal.as_bytes())?,
                Item::Part { directive, full_width } => {
                    parts.read(*directive, *full_width, rest)?
                }
            };
        }
        if !rest.is_empty() {
            return None;
        }
        let time = parts.time()?;
        let (offset, twice) = match (parts.offset, zone) {
            (Some(offset), _) => (offset, false),
            (None, Some(zone)) => zone.offset_seconds(&time)?,
            (None, None) => return None,
        };
        Some((time.to_ns(offset)?, twice))
    }

    /// Writes an instant in UTC.
    pub fn write(&self, ns: i64, out: &mut impl fmt::Write) -> fmt::Result {
        let time = DateTime::from_ns(ns);
        for item in &self.items {
            match item {
                Item::Literal(text) => out.write_str(text)?,
                Item::Part { directive, .. } => write_part(*directive, &time, out)?,
            }
        }
        Ok(())
    }
}

fn write_part(directive: Directive, time: &DateTime, out: &mut impl fmt::Write) -> fmt::Result {
    match directive {
        Directive::Year => write!(out, "{:04}", time.year),
        Directive::ShortYear => write!(out, "{:02}", time.year % 100),
        Directive::Month => write!(out, "{:02}", time.month),
        Directive::MonthName => out.write_str(MONTHS[time.month as usize - 1]),
        Directive::Day => write!(out, "{:02}", time.day),
        Directive::SpacedDay => write!(out, "{:2}", time.day),
        Directive::DayOfYear => write!(out, "{:03}", time.day_of_year()),
        Directive::Hour => write!(out, "{:02}", time.hour),
        Directive::Hour12 => write!(out, "{:02}", (time.hour + 11) % 12 + 1),
        Directive::HalfDay => out.write_str(if time.hour < 12 { "AM" } else { "PM" }),
        Directive::Minute => write!(out, "{:02}", time.minute),
        Directive::Second => write!(out, "{:02}", time.second),
        Directive::Fraction if time.nanosecond == 0 => Ok(()),
        Directive::Fraction => {
            let digits = format!("{:09}", time.nanosecond);
            write!(out, ".{}", digits.trim_end_matches('0'))
        }
        Directive::Offset => out.write_str("+0000"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::read;

    #[track_caller]
    fn check(format: &str, zone: &str, text: &str, expected: Option<&str>) {
        let format = TimeFormat::for_reading(format).expect("a format");
        let zone = Zone::find(zone);
        let found = format.read(text, zone.as_ref()).map(|ns| {
            let mut out = Vec::new();
            read::write_timestamp(ns, &mut out);
            String::from_utf8(out).unwrap()
        });
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn formats() {
        for (format, text, expected) in [
            ("%d.%m.%Y %H:%M:%S", "01.11.2026 09:15:00", "2026-11-01T08:15:00Z"),
            ("%d.%m.%Y %H:%M:%S", "1.7.2026 9:5:0", "2026-07-01T07:05:00Z"),
            ("%Y%m%d%H%M%S", "20260701120000", "2026-07-01T10:00:00Z"),
            ("%Y-%m-%d", "2026-01-02", "2026-01-01T23:00:00Z"),
            ("%m/%d/%Y %I:%M %p", "1/5/2026 12:05 am", "2026-01-04T23:05:00Z"),
            ("%m/%d/%Y %I:%M %p", "1/5/2026 12:05 PM", "2026-01-05T11:05:00Z"),
            ("%b %e %H:%M:%S %Y", "Jan  5 10:00:00 2026", "2026-01-05T09:00:00Z"),
            ("%b %e %H:%M:%S %Y", "JAN 15 10:00:00 2026", "2026-01-15T09:00:00Z"),
            ("%d/%b/%Y:%H:%M:%S %z", "10/Oct/2000:13:55:36 -0700", "2000-10-10T20:55:36Z"),
            ("%Y-%m-%dT%H:%M:%S%.f%z", "2026-01-05T10:00:00.25+05:30", "2026-01-05T04:30:00.25Z"),
            ("%Y-%m-%dT%H:%M:%S%.f%z", "2026-01-05T10:00:00Z", "2026-01-05T10:00:00Z"),
            ("%Y-%m-%d %H%z", "2026-01-05 10+02", "2026-01-05T08:00:00Z"),
            ("%y%j", "26001", "2025-12-31T23:00:00Z"),
            ("%Y day %j, 100%%", "2024 day 366, 100%", "2024-12-30T23:00:00Z"),
            ("%y-%m-%d", "69-01-01", "1968-12-31T23:00:00Z"),
            ("Größe %Y-%m-%d", "Größe 2026-01-02", "2026-01-01T23:00:00Z"),
            ("%Y-%m-%d %H:%M:%S", "2017-01-01 00:59:60", "2017-01-01T00:00:00Z"),
        ] {
            check(format, "Europe/Berlin", text, Some(expected));
        }
        for (format, text) in [
            ("%Y-%m-%d", "2026-1-2 "),
            ("%Y-%m-%d", "26-01-02"),
            ("%Y-%m-%d", "2026-13-01"),
            ("%Y-%m-%d", "2026-02-29"),
            ("%Y-%m-%d", ""),
            ("%Y-%j", "2026-366"),
            ("%Y-%j", "2026-000"),
            ("%Y%m%d", "2026111"),
            ("%Y-%m-%d %I%p", "2026-01-02 13PM"),
            ("%Y-%m-%d %I%p", "2026-01-02 0AM"),
            ("%Y-%m-%d %H", "2026-01-02 24"),
            ("%b %d %Y", "Mai 01 2026"),
            ("%Y-%m-%d%.f", "2026-01-02."),
            ("%Y-%m-%d %z", "2026-01-02 CET"),
            ("%Y-%m-%d %z", "2026-01-02 +2"),
            ("%Y-%m-%d", "9999-01-02"),
            ("%Y-%m-%d %H:%M:%S", "2026-01-01 10:00:60"),
        ] {
            check(format, "Europe/Berlin", text, None);
        }
    }

    #[test]
    fn local_times_at_the_edges_of_summer() {
        let format = "%Y-%m-%d %H:%M";
        check(format, "Europe/Berlin", "2026-10-25 02:30", Some("2026-10-25T00:30:00Z"));
        check(format, "Europe/Berlin", "2026-10-25 03:00", Some("2026-10-25T02:00:00Z"));
        check(format, "Europe/Berlin", "2026-03-29 02:30", None);
        check(format, "Europe/Berlin", "2026-03-29 03:00", Some("2026-03-29T01:00:00Z"));
        check(format, "America/New_York", "2026-11-01 01:30", Some("2026-11-01T05:30:00Z"));
        check(format, "Australia/Lord_Howe", "2026-04-05 01:45", Some("2026-04-04T14:45:00Z"));
        check(format, "utc", "2026-03-29 02:30", Some("2026-03-29T02:30:00Z"));
    }

    #[test]
    fn bad_formats() {
        for (format, error) in [
            ("%Q", FormatError::Unknown("%Q".into())),
            ("%Y%", FormatError::Unknown("%".into())),
            ("%\u{e9}", FormatError::Unknown("%\u{e9}".into())),
            ("%.3f", FormatError::Unknown("%.".into())),
            ("%Y-%m-%d %y", FormatError::Twice("the year")),
            ("%Y-%m-%d %j", FormatError::Twice("the day")),
            ("%Y-%m", FormatError::NoDate),
            ("%H:%M", FormatError::NoDate),
            ("", FormatError::NoDate),
            ("%Y-%m-%d %I:%M", FormatError::HalfDay),
            ("%Y-%m-%d %H:%M %p", FormatError::HalfDay),
        ] {
            assert_eq!(TimeFormat::for_reading(format), Err(error), "{format}");
        }
        assert!(TimeFormat::for_reading("%Y-%m-%d%z").unwrap().has_offset());
        assert!(!TimeFormat::for_reading("%Y-%m-%d").unwrap().has_offset());
    }

    #[test]
    fn zones() {
        assert!(Zone::find("Europe/Berlin").is_some());
        assert_eq!(Zone::find("Europe/Berlin"), Zone::find("europe/berlin"));
        assert_eq!(Zone::find("Berlin"), None);
        assert_eq!(Zone::find("Etc/Unknown"), None);
        assert_eq!(Zone::near("Berlin"), ["Europe/Berlin"]);
        assert_eq!(Zone::near("New York"), ["America/New_York"]);
        assert_eq!(Zone::near("Europe/Berln"), ["Europe/Berlin"]);
        assert_eq!(Zone::near("nowhere at all"), [""; 0]);
        assert!(tzdb_version().starts_with("20"));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(ns: i64) {
            for text in ["%Y-%m-%d %H:%M:%S%.f%z", "%Y%j%H%M%S%.f %z", "%I %p %M:%S%.f, %b %e %Y %z"] {
                let format = TimeFormat::for_reading(text).unwrap();
                let mut out = String::new();
                format.write(ns, &mut out).unwrap();
                prop_assert_eq!(format.read(&out, None), Some(ns), "{}", out);
            }
        }

        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,30}", format in "(%[YymbdejHIpMSz]|%\\.f|[ :./-]){0,8}") {
            if let Ok(format) = TimeFormat::for_reading(&format) {
                let zone = Zone::find("Europe/Berlin");
                let _ = format.read(&text, zone.as_ref());
            }
        }
    }
}
