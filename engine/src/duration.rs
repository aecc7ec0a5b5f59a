//! Durations from text: `1m32.5s`, `-250ms`, `PT1M32S`.

use crate::read;

/// What one number of a text counts, the largest first.
struct Unit {
    name: &'static str,
    ns: i64,
}

const DAY_NS: i64 = 86_400_000_000_000;
const HOUR_NS: i64 = 3_600_000_000_000;
const MINUTE_NS: i64 = 60_000_000_000;
const SECOND_NS: i64 = 1_000_000_000;

/// Of texts such as `1h30m`. A name that begins like another stands before it.
const SHORT: [Unit; 8] = [
    Unit { name: "d", ns: DAY_NS },
    Unit { name: "h", ns: HOUR_NS },
    Unit { name: "ms", ns: 1_000_000 },
    Unit { name: "m", ns: MINUTE_NS },
    Unit { name: "s", ns: SECOND_NS },
    Unit { name: "us", ns: 1_000 },
    Unit { name: "\u{b5}s", ns: 1_000 },
    Unit { name: "ns", ns: 1 },
];
/// Of ISO 8601, before `T`. Years and months have no length of their own.
const ISO_DATE: [Unit; 2] = [Unit { name: "W", ns: 7 * DAY_NS }, Unit { name: "D", ns: DAY_NS }];
/// Of ISO 8601, behind `T`.
const ISO_TIME: [Unit; 3] = [
    Unit { name: "H", ns: HOUR_NS },
    Unit { name: "M", ns: MINUTE_NS },
    Unit { name: "S", ns: SECOND_NS },
];

/// Reads a duration in nanoseconds.
///
/// Numbers with their units, the largest first, each at most once; only the last may have a fraction. A sign before all
/// of it counts for all of it.
pub(crate) fn read(text: &str) -> Option<i64> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let ns = match rest.strip_prefix('P') {
        Some(iso) => read_iso(iso)?,
        None => {
            let mut sum = Sum::default();
            sum.read(rest, &SHORT)?.is_empty().then_some(())?;
            sum.ns_if_any()?
        }
    };
    i64::try_from(if negative { -ns } else { ns }).ok()
}

fn read_iso(text: &str) -> Option<i128> {
    let mut sum = Sum::default();
    let rest = sum.read(text, &ISO_DATE)?;
    let rest = match rest.strip_prefix('T') {
        Some("") => return None,
        Some(time) => sum.read(time, &ISO_TIME)?,
        None => rest,
    };
    rest.is_empty().then(|| sum.ns_if_any()).flatten()
}

/// The sum so far: a few numbers of 64 bits, each times a unit.
#[derive(Default)]
struct Sum {
    ns: i128,
    /// The last unit that was read; smaller ones may follow.
    unit_ns: Option<i64>,
    /// A fraction ends a duration.
    over: bool,
}

impl Sum {
    fn ns_if_any(&self) -> Option<i128> {
        self.unit_ns.map(|_| self.ns)
    }

    /// Reads numbers with their units while there are any; gives the rest.
    fn read<'t>(&mut self, mut text: &'t str, units: &[Unit]) -> Option<&'t str> {
        while text.starts_with(|first: char| first.is_ascii_digit()) {
            text = self.read_one(text, units)?;
        }
        Some(text)
    }

    fn read_one<'t>(&mut self, text: &'t str, units: &[Unit]) -> Option<&'t str> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, rest) = text.split_at(digits);
        // ISO 8601 allows a comma as well.
        let (fraction_ns, rest) = match rest.strip_prefix(['.', ',']) {
            Some(fraction) => {
                let (ns, rest) = read::fraction_ns(fraction.as_bytes())?;
                (ns, &fraction[fraction.len() - rest.len()..])
            }
            None => (0, rest),
        };
        let has_fraction = rest.len() + digits < text.len();
        let unit = units.iter().find(|unit| rest.starts_with(unit.name))?;
        if self.over || self.unit_ns.is_some_and(|last| last <= unit.ns) {
            return None;
        }
        (self.unit_ns, self.over) = (Some(unit.ns), has_fraction);
        let unit_ns = i128::from(unit.ns);
        self.ns += i128::from(whole.parse::<u64>().ok()?) * unit_ns;
        // What is finer than a nanosecond is cut off.
        self.ns += i128::from(fraction_ns) * unit_ns / i128::from(SECOND_NS);
        Some(&rest[unit.name.len()..])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts() {
        for (text, ns) in [
            ("1m32.5s", 92_500_000_000),
            ("PT1M32S", 92_000_000_000),
            ("-1m", -60_000_000_000),
            ("+1.5h", 5_400_000_000_000),
            ("250ms", 250_000_000),
            ("3us", 3_000),
            ("3\u{b5}s", 3_000),
            ("7ns", 7),
            ("0s", 0),
            ("1d2h", 93_600_000_000_000),
            ("1h1ms", 3_600_001_000_000),
            ("P1W2D", 777_600_000_000_000),
            ("P1DT2H3M4,25S", 93_784_250_000_000),
            ("-P1D", -86_400_000_000_000),
            ("PT0.5H", 1_800_000_000_000),
            ("1.0000000019s", 1_000_000_001),
            ("9223372036854775807ns", i64::MAX),
            ("-9223372036854775808ns", i64::MIN),
        ] {
            assert_eq!(read(text), Some(ns), "{text}");
        }
    }

    #[test]
    fn other_texts() {
        for text in [
            "",
            "-",
            "5",
            "1.5",
            "s",
            ".5s",
            "1.s",
            "1 s",
            "1s ",
            "1s1m",
            "1s1s",
            "1.5m3s",
            "P",
            "PT",
            "P1",
            "P1DT",
            "PT1D",
            "P1M",
            "P1Y",
            "P1H",
            "1M",
            "pt1s",
            "--1s",
            "1e3s",
            "9223372036854775808ns",
            "106752d",
            "1m32.5",
            "\u{661}s",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "[-+PTWDHMSdhmsnu\u{b5}0-9.,]{0,24}") {
            let _ = read(&text);
        }

        #[test]
        fn whole_numbers(count in -100_000_i64..100_000) {
            prop_assert_eq!(read(&format!("{count}s")), Some(count * SECOND_NS));
        }
    }
}
