//! Text to values, and values to text: the typed readers.
//!
//! A reader takes a text that is wholly the value or gives none; nothing is skipped, guessed or cut off. Time and memory
//! are bounded by the length of the text, whatever an exponent says.

use std::net::IpAddr;

use crate::civil::{self, DateTime};
use crate::decimal::Decimal;
use crate::types::NumberFormat;

/// Reads a whole number of 64 bits; `1.0` and `1e3` are whole.
pub fn int(text: &str, format: NumberFormat) -> Option<i64> {
    if let Some(number) = short_digits(text.as_bytes()) {
        return Some(number);
    }
    let (whole, exact) = Number::scan(text.as_bytes(), format)?.scaled(0)?;
    if exact { i64::try_from(whole).ok() } else { None }
}

/// Reads a decimal; places beyond the 18th are rounded half-even.
pub fn decimal(text: &str, format: NumberFormat) -> Option<Decimal> {
    Number::scan(text.as_bytes(), format)?
        .scaled(Decimal::PLACES)
        .map(|(scaled, _)| Decimal(scaled))
}

/// Reads the nearest finite float.
pub fn float(text: &str, format: NumberFormat) -> Option<f64> {
    let number = Number::scan(text.as_bytes(), format)?;
    let float = if format == NumberFormat::default() {
        text.parse::<f64>().ok()?
    } else {
        number.to_json().parse::<f64>().ok()?
    };
    float.is_finite().then_some(float)
}

/// Reads `true` and `false`.
pub fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Reads an address. `::ffff:192.0.2.1` is a version 6 address and stays one.
pub fn ip(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

/// The usual case: up to 18 digits and nothing else.
fn short_digits(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 18 || (text[0] == b'0' && text.len() > 1) {
        return None;
    }
    let mut number = 0;
    for &byte in text {
        number = number * 10 + i64::from(digit(byte)?);
    }
    Some(number)
}

/// The value of a digit.
fn digit(byte: u8) -> Option<u8> {
    byte.is_ascii_digit().then(|| byte - b'0')
}

/// The parts of a number's text.
struct Number<'t> {
    negative: bool,
    /// Digits, with the grouping sign between them.
    whole: &'t [u8],
    /// Digits.
    fraction: &'t [u8],
    /// Saturated: a text cannot be long enough for the difference to matter.
    exponent: i64,
}

impl<'t> Number<'t> {
    /// Takes a number apart: RFC 8259, section 6, with the format's decimal sign; its grouping sign may stand between
    /// groups of three digits, but then between all of them.
    fn scan(text: &'t [u8], format: NumberFormat) -> Option<Self> {
        let (negative, text) = match text.strip_prefix(b"-") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let whole_len = text
            .iter()
            .position(|&byte| !byte.is_ascii_digit() && Some(byte) != format.grouping)
            .unwrap_or(text.len());
        let (whole, mut rest) = text.split_at(whole_len);
        if !is_whole_part(whole, format.grouping) {
            return None;
        }
        let mut fraction: &[u8] = &[];
        if let Some(behind) = rest.strip_prefix(&[format.decimal]) {
            (fraction, rest) = split_digits(behind);
            if fraction.is_empty() {
                return None;
            }
        }
        let exponent = match rest {
            [] => 0,
            [b'e' | b'E', rest @ ..] => scan_exponent(rest)?,
            _ => return None,
        };
        Some(Self { negative, whole, fraction, exponent })
    }

    /// The number times 10^places, rounded half-even; says too whether that is exact. None if 128 bits do not hold it.
    fn scaled(&self, places: u32) -> Option<(i128, bool)> {
        if let Some(number) = self.scaled_short(places) {
            return Some((number, true));
        }
        let whole_digits = self.whole.iter().filter(|byte| byte.is_ascii_digit()).count();
        // How many digits stand before the point of the result; the next one decides about rounding.
        let kept =
            (whole_digits as i64).saturating_add(self.exponent).saturating_add(i64::from(places));
        // Counted downwards, since the lowest number has no positive counterpart.
        let mut number: i128 = 0;
        let mut half = 0;
        let mut beyond = false;
        let mut position: i64 = 0;
        for digit in self.whole.iter().chain(self.fraction).filter_map(|&byte| digit(byte)) {
            if position < kept {
                number = number.checked_mul(10)?.checked_sub(i128::from(digit))?;
            } else if position == kept {
                half = digit;
            } else {
                beyond |= digit != 0;
            }
            position += 1;
        }
        // At most 39 times: then it does not fit.
        while number != 0 && position < kept {
            number = number.checked_mul(10)?;
            position += 1;
        }
        if half > 5 || (half == 5 && (beyond || number % 2 != 0)) {
            number = number.checked_sub(1)?;
        }
        let number = if self.negative { number } else { number.checked_neg()? };
        Some((number, half == 0 && !beyond))
    }

    /// The usual case: at most 18 digits, no exponent, and nothing to round.
    fn scaled_short(&self, places: u32) -> Option<i128> {
        let zeros = places.checked_sub(u32::try_from(self.fraction.len()).ok()?)?;
        if self.exponent != 0 || self.whole.len() + self.fraction.len() > 18 || zeros > 18 {
            return None;
        }
        let mut number: i64 = 0;
        for digit in self.whole.iter().chain(self.fraction).filter_map(|&byte| digit(byte)) {
            number = number * 10 + i64::from(digit);
        }
        let number = i128::from(if self.negative { -number } else { number });
        Some(number * 10_i128.pow(zeros))
    }

    /// The number as JSON writes it.
    fn to_json(&self) -> String {
        let digits = |part: &[u8]| -> String {
            part.iter().filter(|byte| byte.is_ascii_digit()).map(|&byte| char::from(byte)).collect()
        };
        let (sign, whole) = (if self.negative { "-" } else { "" }, digits(self.whole));
        format!("{sign}{whole}.{}0e{}", digits(self.fraction), self.exponent)
    }
}

/// Digits without a needless zero in front; where the grouping sign is used, every group but the first has three.
fn is_whole_part(whole: &[u8], grouping: Option<u8>) -> bool {
    match whole {
        [] => return false,
        [b'0'] => return true,
        [b'0', ..] => return false,
        _ => {}
    }
    let Some(sign) = grouping else { return true };
    let mut groups = whole.split(|&byte| byte == sign);
    let first = groups.next().map_or(0, <[u8]>::len);
    let mut grouped = false;
    for group in groups {
        grouped = true;
        if group.len() != 3 {
            return false;
        }
    }
    !grouped || (1..=3).contains(&first)
}

/// A sign and digits; saturates far beyond what any digits could make up for.
fn scan_exponent(text: &[u8]) -> Option<i64> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if text.is_empty() {
        return None;
    }
    let mut exponent: i64 = 0;
    for &byte in text {
        exponent = exponent.saturating_mul(10).saturating_add(i64::from(digit(byte)?));
    }
    Some(if negative { -exponent } else { exponent })
}

/// Splits behind the leading digits.
fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let len = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(len)
}

/// Reads RFC 3339 with `Z` or an offset; a space may stand for the `T`.
///
/// Gives UTC nanoseconds. A finer fraction is cut off. A leap second is the first second of the next day.
pub fn timestamp(text: &str) -> Option<i64> {
    let text = text.as_bytes();
    let (head, rest) = text.split_at_checked(19)?;
    let mark = |position: usize, sign: u8| (head[position] == sign).then_some(());
    mark(4, b'-')?;
    mark(7, b'-')?;
    mark(13, b':')?;
    mark(16, b':')?;
    if !matches!(head[10], b'T' | b't' | b' ') {
        return None;
    }
    let (nanosecond, rest) = match rest {
        [b'.', rest @ ..] => fraction_ns(rest)?,
        _ => (0, rest),
    };
    let time = DateTime {
        year: fixed_digits(&head[..4])?,
        month: fixed_digits(&head[5..7])?,
        day: fixed_digits(&head[8..10])?,
        hour: fixed_digits(&head[11..13])?,
        minute: fixed_digits(&head[14..16])?,
        second: fixed_digits(&head[17..19])?,
        nanosecond,
    };
    let offset = match rest {
        [b'Z' | b'z'] => 0,
        [b'+' | b'-', _, _, b':', _, _] => offset_seconds(rest[0], &rest[1..3], &rest[4..6])?,
        _ => return None,
    };
    if time.is_valid() { time.to_ns(offset) } else { None }
}

/// Digits behind a point as nanoseconds, cut off behind the ninth; and what follows them.
pub(crate) fn fraction_ns(text: &[u8]) -> Option<(i64, &[u8])> {
    let (digits, rest) = split_digits(text);
    if digits.is_empty() {
        return None;
    }
    let mut ns = 0;
    for position in 0..9 {
        ns = ns * 10 + digits.get(position).map_or(0, |byte| i64::from(byte - b'0'));
    }
    Some((ns, rest))
}

/// An offset of at most 23:59 from UTC.
pub(crate) fn offset_seconds(sign: u8, hours: &[u8], minutes: &[u8]) -> Option<i64> {
    let (hours, minutes) = (fixed_digits(hours)?, fixed_digits(minutes)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    Some(if sign == b'-' { -seconds } else { seconds })
}

/// Nothing but a few digits.
pub(crate) fn fixed_digits(text: &[u8]) -> Option<i64> {
    let mut number = 0;
    for &byte in text {
        number = number * 10 + i64::from(digit(byte)?);
    }
    Some(number)
}

/// Writes an instant as RFC 3339 with `Z`, its fraction only as long as needed.
pub fn write_timestamp(ns: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(timestamp_text(ns, &mut [0; TIMESTAMP_BYTES_MAX]).as_bytes());
}

/// The longest text of an instant: `1677-09-21T00:12:43.145224192Z`.
pub const TIMESTAMP_BYTES_MAX: usize = 30;

/// An instant as [`write_timestamp`] writes it, in a buffer of the caller.
pub fn timestamp_text(ns: i64, buffer: &mut [u8; TIMESTAMP_BYTES_MAX]) -> &str {
    let time = DateTime::from_ns(ns);
    buffer[..20].copy_from_slice(b"0000-00-00T00:00:00Z");
    put_digits(&mut buffer[..4], time.year);
    put_digits(&mut buffer[5..7], time.month);
    put_digits(&mut buffer[8..10], time.day);
    put_digits(&mut buffer[11..13], time.hour);
    put_digits(&mut buffer[14..16], time.minute);
    put_digits(&mut buffer[17..19], time.second);
    let mut len = 20;
    if time.nanosecond != 0 {
        buffer[19] = b'.';
        put_digits(&mut buffer[20..29], time.nanosecond);
        len = 29;
        while buffer[len - 1] == b'0' {
            len -= 1;
        }
        buffer[len] = b'Z';
        len += 1;
    }
    std::str::from_utf8(&buffer[..len]).expect("digits and signs")
}

/// Fills the place with the last digits of a number that is not negative.
fn put_digits(place: &mut [u8], mut number: i64) {
    for byte in place.iter_mut().rev() {
        *byte = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Writes a duration in whole milliseconds, rounded down.
pub fn write_duration_ms(ns: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(duration_ms(ns).to_string().as_bytes());
}

/// Nanoseconds as whole milliseconds, rounded down: of durations, and of instants.
pub const fn duration_ms(ns: i64) -> i64 {
    ns.div_euclid(1_000_000)
}

/// Writes the shortest text that reads back as the same finite float: plain, or with an exponent where plain is long.
pub fn write_float(float: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(float_text(float).as_bytes());
}

/// A float as [`write_float`] writes it. It is a JSON number.
pub fn float_text(float: f64) -> String {
    let magnitude = float.abs();
    if magnitude == 0.0 {
        "0".to_owned()
    } else if (1e-7..1e21).contains(&magnitude) {
        format!("{float}")
    } else {
        format!("{float:e}")
    }
}

/// A number of seconds, milliseconds and so on since 1970 as nanoseconds, rounded down; `unit_ns` is 1 to 10^9.
pub(crate) fn epoch_ns(number: Decimal, unit_ns: i64) -> Option<i64> {
    let units_per_second = civil::NS_PER_SECOND / unit_ns;
    // The number is scaled by 10^18, so a nanosecond is 10^9 of it per second, more of smaller units.
    let scaled_per_ns = i128::from(civil::NS_PER_SECOND) * i128::from(units_per_second);
    i64::try_from(number.0.div_euclid(scaled_per_ns)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const JSON: NumberFormat = NumberFormat { decimal: b'.', grouping: None };
    const GERMAN: NumberFormat = NumberFormat { decimal: b',', grouping: Some(b'.') };

    #[track_caller]
    fn check_decimal(text: &str, format: NumberFormat, expected: Option<&str>) {
        let found = decimal(text, format).map(|number| number.to_string());
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn whole_numbers() {
        for (text, number) in [
            ("0", 0),
            ("-0", 0),
            ("42", 42),
            ("1.0", 1),
            ("1e3", 1000),
            ("1.5e1", 15),
            ("1500E-2", 15),
            ("-0.0e-5", 0),
            ("999999999999999999", 999_999_999_999_999_999),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("0e999999999999999999999", 0),
        ] {
            assert_eq!(int(text, JSON), Some(number), "{text}");
        }
        for text in [
            "",
            "-",
            "+1",
            "01",
            "007",
            "1.",
            ".5",
            "1.5",
            "1e",
            "1e+",
            "0x1",
            " 1",
            "1 ",
            "1_000",
            "15e-2",
            "9223372036854775808",
            "1e19",
            "1e999999999999999999999",
            "1e-999999999999",
            "\u{664}",
            "NaN",
            "true",
            "1,0",
            "--1",
            "1.0.0",
            "1e1e1",
        ] {
            assert_eq!(int(text, JSON), None, "{text}");
        }
    }

    #[test]
    fn decimals() {
        for (text, number) in [
            ("0.00022500000000000002", "0.000225"),
            ("2.25e-05", "0.0000225"),
            ("20.10", "20.1"),
            ("1e-18", "0.000000000000000001"),
            ("5e-19", "0"),
            ("15e-19", "0.000000000000000002"),
            ("25e-19", "0.000000000000000002"),
            ("5.0000000000000000000000000001e-19", "0.000000000000000001"),
            ("1e-99999999999999999999999", "0"),
            ("9e-20", "0"),
            ("-1.5e2", "-150"),
            (
                "-170141183460469231731.687303715884105728",
                "-170141183460469231731.687303715884105728",
            ),
        ] {
            check_decimal(text, JSON, Some(number));
        }
        for text in
            ["1e21", "170141183460469231731.687303715884105728", "1e99999999999", "1,5", "abc"]
        {
            check_decimal(text, JSON, None);
        }
        let long = format!("0.{}1e100001", "0".repeat(100_000));
        check_decimal(&long, JSON, Some("1"));
    }

    #[test]
    fn grouped_numbers() {
        for (text, number) in [
            ("1.200", "1200"),
            ("1.234,56", "1234.56"),
            ("1200,5", "1200.5"),
            ("-1.234.567,8", "-1234567.8"),
            ("12.345.678", "12345678"),
            ("0,5", "0.5"),
            ("2,25E-05", "0.0000225"),
        ] {
            check_decimal(text, GERMAN, Some(number));
        }
        for text in [
            "1.2",
            "1.2000",
            "1234.567",
            ".123",
            "1..234",
            "1.234.",
            "1.234,",
            "0.123",
            ",5",
            "1,5,0",
            "+1",
            "1.23.456",
            "1,234.567",
        ] {
            check_decimal(text, GERMAN, None);
        }
        assert_eq!(int("1.200", GERMAN), Some(1200));
        assert_eq!(int("1.200,00", GERMAN), Some(1200));
        assert_eq!(int("1.200", NumberFormat { decimal: b',', grouping: None }), None);
        assert_eq!(float("1.234,5", GERMAN), Some(1234.5));
        assert_eq!(float("-1.234e-3", GERMAN), Some(-1.234));
    }

    #[test]
    fn floats() {
        assert_eq!(float("0.1", JSON), Some(0.1));
        assert_eq!(float("1e308", JSON), Some(1e308));
        for text in ["1e309", "inf", "NaN", ".5", "+1", ""] {
            assert_eq!(float(text, JSON), None, "{text}");
        }
        for (number, text) in [
            (1.0, "1"),
            (-0.0, "0"),
            (0.1, "0.1"),
            (1e300, "1e300"),
            (2.5e-10, "2.5e-10"),
            (1e20, "100000000000000000000"),
        ] {
            let mut out = Vec::new();
            write_float(number, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn truth_and_addresses() {
        assert_eq!(
            (boolean("true"), boolean("false"), boolean("TRUE")),
            (Some(true), Some(false), None)
        );
        let canonical = |text| ip(text).map(|address| address.to_string());
        assert_eq!(canonical("192.0.2.34").as_deref(), Some("192.0.2.34"));
        assert_eq!(canonical("2001:DB8:0:0::1").as_deref(), Some("2001:db8::1"));
        assert_eq!(canonical("::ffff:1.2.3.4").as_deref(), Some("::ffff:1.2.3.4"));
        for text in ["", "192.0.2", "192.0.2.034", "192.0.2.34:80", "[::1]", "fe80::1%eth0", " ::1"]
        {
            assert_eq!(canonical(text), None, "{text}");
        }
    }

    #[track_caller]
    fn check_timestamp(text: &str, rendered: Option<&str>) {
        let found = timestamp(text).map(|ns| {
            let mut out = Vec::new();
            write_timestamp(ns, &mut out);
            String::from_utf8(out).unwrap()
        });
        assert_eq!(found.as_deref(), rendered, "{text}");
    }

    #[test]
    fn timestamps() {
        for (text, rendered) in [
            ("2026-04-10T08:09:10Z", "2026-04-10T08:09:10Z"),
            ("2026-04-10 08:09:10.5z", "2026-04-10T08:09:10.5Z"),
            ("2026-04-10t08:09:10.120+02:00", "2026-04-10T06:09:10.12Z"),
            ("2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z"),
            ("2026-04-10T08:09:10-00:00", "2026-04-10T08:09:10Z"),
            ("2024-02-29T23:59:59.9999999999Z", "2024-02-29T23:59:59.999999999Z"),
            ("1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999999999Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
            ("2017-01-01T00:59:60.25+01:00", "2017-01-01T00:00:00.25Z"),
            ("2262-04-11T23:47:16.854775807Z", "2262-04-11T23:47:16.854775807Z"),
            ("1677-09-21T00:12:43.145224192Z", "1677-09-21T00:12:43.145224192Z"),
        ] {
            check_timestamp(text, Some(rendered));
        }
        for text in [
            "",
            "yesterday",
            "2026-04-10",
            "2026-04-10T08:09:10",
            "2026-04-10T08:09Z",
            "2026-04-10T08:09:10.Z",
            "2026-04-10T08:09:10,5Z",
            "2026-04-10T08:09:10+0200",
            "2026-04-10T08:09:10+24:00",
            "2026-04-10T08:09:10Z ",
            "2026-04-10T24:00:00Z",
            "2026-04-10T08:60:00Z",
            "2026-04-10T08:09:61Z",
            "2026-04-10T08:09:60Z",
            "2026-00-10T08:09:10Z",
            "2026-13-10T08:09:10Z",
            "2026-04-31T08:09:10Z",
            "2023-02-29T08:09:10Z",
            "2026-04-1\u{e9}08:09:10Z",
            "2262-04-11T23:47:16.854775808Z",
            "1677-09-21T00:12:43.145224191Z",
            "9999-12-31T23:59:59Z",
            "0000-01-01T00:00:00Z",
            "1722461446",
        ] {
            check_timestamp(text, None);
        }
    }

    #[test]
    fn durations_and_epochs() {
        let mut out = Vec::new();
        write_duration_ms(-1, &mut out);
        out.push(b' ');
        write_duration_ms(4_200_999_999, &mut out);
        assert_eq!(out, b"-1 4200");
        let epoch = |text: &str, unit_ns| epoch_ns(Decimal::parse(text).unwrap(), unit_ns);
        assert_eq!(
            epoch("1722461446.123456789999", 1_000_000_000),
            Some(1_722_461_446_123_456_789)
        );
        assert_eq!(epoch("1762000000000.5", 1_000_000), Some(1_762_000_000_000_500_000));
        assert_eq!(epoch("1.5", 1000), Some(1500));
        assert_eq!(epoch("-0.1", 1), Some(-1));
        assert_eq!(epoch("9223372037", 1_000_000_000), None);
    }

    /// RFC 3339 texts, sound and nearly so.
    fn timestamp_text_like() -> impl Strategy<Value = String> {
        let date = "(1[6-9]|2[0-3])[0-9]{2}-[01][0-9]-[0-3][0-9]";
        let time = "[0-2][0-9]:[0-6][0-9]:[0-5][0-9](\\.[0-9]{1,9})?";
        (date, "[T ]", time, "Z|[+-][0-2][0-9]:[0-6][0-9]")
            .prop_map(|(date, separator, time, offset)| date + &separator + &time + &offset)
    }

    proptest! {
        #[test]
        fn instants_are_read_as_jiff_reads_them(text in timestamp_text_like()) {
            // Of these texts jiff reads exactly the valid ones, but offsets to 25:59.
            let offset = text.get(text.len() - 6..).filter(|end| end.starts_with(['+', '-']));
            prop_assume!(offset.is_none_or(|offset| &offset[1..3] < "24"));
            let expected = text
                .parse::<jiff::Timestamp>()
                .ok()
                .and_then(|at| i64::try_from(at.as_nanosecond()).ok());
            prop_assert_eq!(timestamp(&text), expected);
        }

        #[test]
        fn instants_are_written_as_jiff_writes_them(ns: i64) {
            let text = timestamp_text(ns, &mut [0; TIMESTAMP_BYTES_MAX]).to_owned();
            let expected = jiff::Timestamp::from_nanosecond(i128::from(ns)).unwrap().to_string();
            prop_assert_eq!(&text, &expected);
            prop_assert_eq!(timestamp(&text), Some(ns));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+0-9.,eE ]{0,24}") {
            // The same grammar, asked of another reader.
            let grammar = regex::Regex::new(r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$").unwrap();
            let finite = text.parse::<f64>().is_ok_and(f64::is_finite);
            prop_assert_eq!(float(&text, JSON).is_some(), finite && grammar.is_match(&text), "{}", text);
        }

        #[test]
        fn whole_numbers_read_back(number: i64, zeros in 0_usize..30) {
            prop_assert_eq!(int(&number.to_string(), JSON), Some(number));
            let long = format!("{number}{}.0e-{zeros}", "0".repeat(zeros));
            prop_assume!(number != 0 || zeros == 0);
            prop_assert_eq!(int(&long, JSON), Some(number));
        }
    }
}
