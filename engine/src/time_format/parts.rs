//! The parts of a time, read from a text one by one and put together.

use super::{Directive, MONTHS};
use crate::civil::{self, DateTime};
use crate::read;

/// What has been read of a time.
#[derive(Default)]
pub(super) struct Parts {
    year: i64,
    month: i64,
    day: i64,
    day_of_year: Option<i64>,
    hour: i64,
    afternoon: Option<bool>,
    minute: i64,
    second: i64,
    nanosecond: i64,
    pub(super) offset: Option<i64>,
}

impl Parts {
    /// Reads one part and gives the rest of the text.
    pub(super) fn read<'t>(
        &mut self,
        directive: Directive,
        full_width: bool,
        text: &'t [u8],
    ) -> Option<&'t [u8]> {
        let (number, rest) = match directive {
            Directive::MonthName => return self.read_month_name(text),
            Directive::HalfDay => return self.read_half_day(text),
            Directive::Fraction => return self.read_fraction(text),
            Directive::Offset => return self.read_offset(text),
            Directive::Year | Directive::ShortYear => split_number(text, directive.digits(), true)?,
            Directive::SpacedDay => match text {
                [b' ', rest @ ..] => split_number(rest, 1, true)?,
                _ => split_number(text, 2, full_width)?,
            },
            _ => split_number(text, directive.digits(), full_width)?,
        };
        match directive {
            Directive::Year => self.year = number,
            Directive::ShortYear => {
                self.year = if number < 69 { 2000 + number } else { 1900 + number }
            }
            Directive::Month => self.month = number,
            Directive::Day | Directive::SpacedDay => self.day = number,
            Directive::DayOfYear => self.day_of_year = Some(number),
            Directive::Hour | Directive::Hour12 => self.hour = number,
            Directive::Minute => self.minute = number,
            Directive::Second => self.second = number,
            Directive::MonthName | Directive::HalfDay | Directive::Fraction | Directive::Offset => {
            }
        }
        Some(rest)
    }

    fn read_month_name<'t>(&mut self, text: &'t [u8]) -> Option<&'t [u8]> {
        let (name, rest) = text.split_at_checked(3)?;
        let at = MONTHS.iter().position(|month| month.as_bytes().eq_ignore_ascii_case(name))?;
        self.month = at as i64 + 1;
        Some(rest)
    }

    fn read_half_day<'t>(&mut self, text: &'t [u8]) -> Option<&'t [u8]> {
        let (name, rest) = text.split_at_checked(2)?;
        self.afternoon = Some(match [name[0].to_ascii_uppercase(), name[1].to_ascii_uppercase()] {
            [b'A', b'M'] => false,
            [b'P', b'M'] => true,
            _ => return None,
        });
        Some(rest)
    }

    fn read_fraction<'t>(&mut self, text: &'t [u8]) -> Option<&'t [u8]> {
        let Some(digits) = text.strip_prefix(b".") else { return Some(text) };
        let (nanosecond, rest) = read::fraction_ns(digits)?;
        self.nanosecond = nanosecond;
        Some(rest)
    }

    fn read_offset<'t>(&mut self, text: &'t [u8]) -> Option<&'t [u8]> {
        let (offset, rest) = match text {
            [b'Z' | b'z', rest @ ..] => (0, rest),
            [sign @ (b'+' | b'-'), rest @ ..] => {
                let (hours, rest) = rest.split_at_checked(2)?;
                let (minutes, rest): (&[u8], _) = match rest {
                    [b':', minutes @ ..] => minutes.split_at_checked(2)?,
                    [b'0'..=b'9', ..] => rest.split_at_checked(2)?,
                    _ => (b"00", rest),
                };
                (read::offset_seconds(*sign, hours, minutes)?, rest)
            }
            _ => return None,
        };
        self.offset = Some(offset);
        Some(rest)
    }

    /// The time that the parts make, if they are in their ranges.
    pub(super) fn time(&self) -> Option<DateTime> {
        let (mut month, mut day) = (self.month, self.day);
        if let Some(of_year) = self.day_of_year {
            if !(1..=365 + i64::from(civil::is_leap_year(self.year))).contains(&of_year) {
                return None;
            }
            let days = civil::days_from_date(self.year, 1, 1) + of_year - 1;
            (_, month, day) = civil::date_from_days(days);
        }
        let hour = match self.afternoon {
            None => self.hour,
            Some(_) if !(1..=12).contains(&self.hour) => return None,
            Some(afternoon) => self.hour % 12 + if afternoon { 12 } else { 0 },
        };
        let time = DateTime {
            year: self.year,
            month,
            day,
            hour,
            minute: self.minute,
            second: self.second,
            nanosecond: self.nanosecond,
        };
        time.is_valid().then_some(time)
    }
}

/// Splits one to `digits` digits off, or exactly as many.
fn split_number(text: &[u8], digits: usize, full_width: bool) -> Option<(i64, &[u8])> {
    let len = text.iter().take(digits).take_while(|byte| byte.is_ascii_digit()).count();
    if len == 0 || (full_width && len < digits) {
        return None;
    }
    let (number, rest) = text.split_at(len);
    Some((read::fixed_digits(number)?, rest))
}
